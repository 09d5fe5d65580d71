/*
 * What the files of qagentrt.dll share
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

#ifndef __WINE_QAGENTRT_PRIVATE_H
#define __WINE_QAGENTRT_PRIVATE_H

#include "naptypes.h"
#include "naperror.h"
#include "napagent.h"

struct machine;

/* service.c */

/* The one lock of the agent's state. Nobody waits, or calls what might, while holding it. */
extern void agent_lock(void);
extern void agent_unlock(void);
extern BOOL agent_wait(CONDITION_VARIABLE *variable, DWORD timeout); /* without the lock meanwhile; FALSE: timed out */
extern BOOL caller_is_administrator(void); /* in a call of the napagent interface */
extern const struct machine *get_machine(void);

/* registration.c: call these with the lock */
extern UINT registration_get_ids(napagent_kind kind, NapComponentId *ids); /* in the order of registration */
extern HRESULT registration_check(napagent_kind kind, NapComponentId id); /* S_OK, NAP_E_NOT_REGISTERED, NAP_E_ENTITY_DISABLED */
extern BOOL registration_load(void);
extern void registration_unload(void);

/* eventlog.c */
enum agent_event
{
    EVENT_SHA_NOT_REGISTERED = 1,
    EVENT_SHA_BOUND_TWICE = 2,
    EVENT_SHA_NOT_BOUND = 3,
    EVENT_SHA_BOUND = 4,
    EVENT_SHA_UNBOUND = 5,
    EVENT_EC_NOT_REGISTERED = 6,
    EVENT_EC_BOUND_TWICE = 7,
    EVENT_EC_NOT_BOUND = 8,
    EVENT_EC_BOUND = 9,
    EVENT_EC_UNBOUND = 10,
    EVENT_SHA_CALL_FAILED = 11,
    EVENT_EC_CALL_FAILED = 12,
    EVENT_MAX_SIZE_TOO_SMALL = 14,
    EVENT_SHAS_LEFT_OUT = 15,
    EVENT_MISMATCHED_ID = 16,
    EVENT_UNKNOWN_SHAS = 17,
    EVENT_ISOLATION_STATE = 18,
    EVENT_SERVICE_STARTED = 26,
    EVENT_SOH_SENT = 28,
    EVENT_SOH_RESPONSE_RECEIVED = 29,
    EVENT_EXTENDED_STATE = 42,
};

/* The text says what the event's own, in eventlog.c, leaves open: an id, a function's name, an error. Takes any lock. */
extern void report_event(enum agent_event event, const WCHAR *format, ...);

#define RETRY_TIME 5000 /* milliseconds */

/* background.c: what happens by itself. Call these with the lock */

struct timer
{
    struct timer *next;
    UINT64 due;
    void (*expire)(struct timer *timer); /* NULL: not set */
};

extern void timer_set(struct timer *timer, DWORD delay, void (*expire)(struct timer *timer));
extern void timer_cancel(struct timer *timer);
extern void background_wake(void); /* there is another process to watch, or something to publish */
/* without the lock */
extern BOOL background_start(void);
extern void background_stop(void);

/* client.c: call these with the lock */

struct call;
struct client;
struct connection;

/* A callback that a client has to make */
struct call
{
    struct call *next;
    napagent_call_type type;
    CorrelationId correlation_id;
    UINT8 flags;
    struct soh *soh, *last_soh;
    UINT32 generation;                  /* last_soh's */
    struct connection *connection;      /* of GET_SOH_REQUEST: for which it is */
};

/* What came of it */
struct reply
{
    HRESULT hr;
    UINT32 flags;
    const BYTE *data;
    UINT32 size;
};

struct client
{
    struct client *next;
    UINT refs;
    napagent_kind kind;
    NapComponentId id;
    GUID binding;
    BOOL bound;
    HANDLE process;                     /* NULL: nobody knows it */
    CONDITION_VARIABLE changed;
    struct call *calls;                 /* the first may have been handed out */
    UINT32 serial;                      /* 0: it hasn't */
    UINT32 turn;                        /* of the thread that waits for a call */
    struct timer deadline;              /* for the first call */
    struct timer retry;                 /* of an enforcement client: NOTIFY_SOH_CHANGE once more */
};

extern BOOL client_is_bound(napagent_kind kind, NapComponentId id);
extern void client_drop(napagent_kind kind, NapComponentId id); /* disabled by the administrator */
extern HRESULT client_get(napagent_kind kind, const GUID *binding, struct client **client);
extern struct client *client_find(napagent_kind kind, NapComponentId id);
extern BOOL agent_is_running(void);
extern BOOL client_notify(struct client *client, napagent_call_type type, const CorrelationId *correlation_id);
extern BOOL client_notify_all(napagent_kind kind, napagent_call_type type);
extern void client_queue(struct client *client, struct call *call);
/* FALSE: it isn't there, or has been handed out */
extern BOOL client_withdraw(struct client *client, napagent_call_type type, const CorrelationId *correlation_id);
extern struct call *call_create(napagent_call_type type, const CorrelationId *correlation_id);
extern void call_destroy(struct call *call);
extern UINT client_get_processes(struct client **clients, HANDLE *processes, UINT max); /* with references */
extern void client_release(struct client *client);
extern void client_died(struct client *client);

/* The napagent service's own. From ServiceMain, without the lock. Stopping ends every call that waits. */
extern BOOL client_start(void);
extern void client_stop(void);

/* exchange.c: call these with the lock */

/* A statement of health; not changed once it's made */
struct soh
{
    UINT refs;
    BOOL generated;                     /* not by the agent whose it is */
    UINT32 size;
    BYTE data[1];
};

struct exchange_entry
{
    SystemHealthEntityId id;
    BOOL asked;                         /* otherwise nobody waits for a response */
    UINT32 generation;
    struct soh *soh;
};

/* A connection's: the request that is being collected, and what is to be known of the last one */
struct exchange
{
    CONDITION_VARIABLE changed;
    CorrelationId correlation_id;       /* of the newest request */
    enum
    {
        EXCHANGE_NONE,
        EXCHANGE_OUTSTANDING,
        EXCHANGE_ANSWERED,
    } state;
    BOOL requested;                     /* sent says what the last request had */
    BOOL collecting;
    UINT pending;                       /* agents that haven't handed in theirs */
    HRESULT hr;
    UINT count, sent_count;
    struct exchange_entry entries[maxSystemHealthEntityCount];
    struct exchange_entry sent[maxSystemHealthEntityCount]; /* their soh is NULL */
};

extern void soh_release(struct soh *soh);
extern const WCHAR *format_correlation_id(const CorrelationId *id, WCHAR *buffer, UINT size);
extern const char *debugstr_correlation_id(const CorrelationId *id);
extern void exchange_forget(SystemHealthEntityId id); /* unregistered: its SoHs go */
extern void exchange_forget_all(void);
extern void exchange_flush(SystemHealthEntityId id); /* what it cached goes */
extern void exchange_unbound(SystemHealthEntityId id);
extern void exchange_get_state(SystemHealthEntityId id, napagent_component_state *state);
extern void exchange_bound_again(struct client *client);
extern void exchange_restore(struct exchange *exchange, const BYTE *private_data, UINT32 size);
extern void exchange_end(struct exchange *exchange); /* its connection is down */
extern void exchange_prepare_soh_request(struct client *client, struct call *call);
extern void exchange_complete_soh_request(struct client *client, const struct call *call, const struct reply *reply);
extern void exchange_complete_soh_response(struct client *client, const struct call *call, const struct reply *reply);
extern void exchange_complete_fixup_info(struct client *client, const struct call *call, const struct reply *reply);

/* isolation.c: call these with the lock */

struct verdict
{
    UINT32 state;                       /* IsolationState; 0: none yet */
    UINT32 extended;
    FILETIME probation_end;             /* all ones: none */
    WCHAR *url;                         /* NULL: none */
};

struct connection
{
    struct connection *next;
    UINT refs;
    struct client *client;              /* NULL: it's down */
    GUID key;
    ConnectionId id;
    BOOL asked;                         /* was there when its client was asked which are up */
    BOOL listed;                        /* among those that its client calls up */
    BOOL probation_over;                /* and no request was made since */
    BOOL overdue;                       /* the verdict came when its probation was over */
    struct verdict verdict;
    struct timer probation;
    struct exchange exchange;
};

extern HRESULT connection_get(const GUID *binding, const GUID *key, struct connection **connection); /* with a reference */
extern struct connection *connection_addref(struct connection *connection);
extern void connection_release(struct connection *connection);
extern void connection_close_all(struct client *client);
extern UINT connection_count(const struct client *client);
extern void connection_set_verdict(struct connection *connection, struct verdict *verdict); /* takes its URL */
extern HRESULT verdict_get_info(const struct verdict *verdict, IsolationInfoEx **info);
extern void isolation_prepare_connections(struct client *client, struct call *call);
extern void isolation_complete_connections(struct client *client, const struct call *call, const struct reply *reply);
extern UINT isolation_take_changes(void);
extern void isolation_publish(UINT changes); /* without the lock */

#endif /* __WINE_QAGENTRT_PRIVATE_H */
