/*
 * What the files of this program share
 *
 * Copyright 2026 the qutil authors
 *
 * This library is free software; you can redistribute it and/or
 * modify it under the terms of the GNU Lesser General Public
 * License as published by the Free Software Foundation; either
 * version 2.1 of the License, or (at your option) any later version.
 *
 * This library is distributed in the hope that it will be useful,
 * but WITHOUT ANY WARRANTY; without even the implied warranty of
 * MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the GNU
 * Lesser General Public License for more details.
 *
 * You should have received a copy of the GNU Lesser General Public
 * License along with this library; if not, write to the Free Software
 * Foundation, Inc., 51 Franklin St, Fifth Floor, Boston, MA 02110-1301, USA
 */

#ifndef __TESTS_FAULTS_FAULTS_H
#define __TESTS_FAULTS_FAULTS_H

#include <stdio.h>
#include <stdlib.h>

#include "clients.h"
#include "napagent.h"
#include "wine/test.h"

#define MAX_PARTIES 32

/* Milliseconds: for a process to start, or end, and for a call, which is less than what the agent gives an SHA. */
#define START_LIMIT 30000
#define CALL_LIMIT 8000

/* A process with SHAs or ECs: what it is told and what it tells, in memory that outlives it. The same for 32 and 64 bits. */
struct party
{
    /* told */
    UINT32 kind;
    UINT32 first, count;                    /* numbers of its components */
    UINT32 connection_count;                /* of each EC, which exchanges them in turn on a thread of its own */
    UINT32 sha_count;                       /* SoHs that are to be in a request */
    volatile LONG missing;                  /* SHAs, a bit each, whose SoHs may be the agent's */
    volatile LONG outage;                   /* calls may answer RPC_E_DISCONNECTED, and SoHs be missing */
    volatile LONG limit;                    /* milliseconds that a call may take */
    volatile LONG go;                       /* to bind */
    volatile LONG change;                   /* counted up: to call NotifySoHChange() */
    volatile LONG hang;                     /* in callbacks */
    volatile LONG quit;
    /* tells */
    volatile LONG ready;                    /* to go */
    volatile LONG bound;                    /* all of it */
    volatile LONG bind_time;                /* milliseconds that it took */
    volatile LONG callbacks;                /* of SHAs */
    volatile LONG disconnected;             /* calls that have answered RPC_E_DISCONNECTED */
    volatile LONG longest;                  /* milliseconds that a call took */
    volatile LONG changes[maxEnforcerCount]; /* NotifySoHChange() of each EC */
    volatile LONG exchanges[maxEnforcerCount];
    volatile LONG complete[maxEnforcerCount]; /* those with a fresh SoH of each SHA */
    volatile LONG unbound;                  /* all of it, in the end */
    volatile LONG complaints;
    char complaint[256];                    /* the first one */
};

/* agent.c */

/* The agent's states, or -1 for each function that can't reach it. */
extern int count_bound(napagent_kind kind);
extern BOOL is_bound(napagent_kind kind, unsigned int number);
extern int count_connections(unsigned int ec);
extern HANDLE open_agent(void); /* its process, or NULL */
extern BOOL start_agent(DWORD limit);
extern HRESULT register_component(napagent_kind kind, unsigned int number); /* an EC is enabled, too */
extern HRESULT unregister_component(napagent_kind kind, unsigned int number);
extern void check_registered(napagent_kind kind, UINT32 numbers); /* and no others; a bit each */
extern BOOL agent_init(void);

/* client.c: the processes */

struct party_process
{
    struct party *party;
    HANDLE process;
};

extern BOOL create_board(void);
extern struct party_process *start_party(napagent_kind kind, unsigned int first, unsigned int count,
        unsigned int connections, unsigned int shas); /* it waits to bind */
extern void bind_party(struct party_process *process);
extern void check_party(struct party_process *process);
extern void kill_party(struct party_process *process);
extern void end_party(struct party_process *process); /* lets it unbind */

/* condition is looked at again until it's TRUE or the time is over. */
#define wait_for(condition, limit) \
    do \
    { \
        DWORD start_ = GetTickCount(); \
        while (!(condition) && GetTickCount() - start_ < (limit)) Sleep(5); \
    } while (0)

extern unsigned int get_setting(const char *name, unsigned int value); /* in the environment, or this */

#endif
