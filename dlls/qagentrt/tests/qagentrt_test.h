/*
 * What the tests of qagentrt.dll share
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

#ifndef __WINE_QAGENTRT_TEST_H
#define __WINE_QAGENTRT_TEST_H

#include <stdarg.h>

#include "windef.h"
#include "winbase.h"
#include "winsvc.h"
#include "objbase.h"
#include "naptypes.h"
#include "naperror.h"
#include "napagent.h"

#include "wine/exception.h"
#include "wine/test.h"

#define TIMEOUT 20000

/* service.c */

extern handle_t agent;

extern LONG CALLBACK rpc_filter(EXCEPTION_POINTERS *eptr);

/* hr = what the agent answers, or the error of the call itself */
#define AGENT_CALL(hr, call) \
    do \
    { \
        __TRY \
        { \
            hr = call; \
        } \
        __EXCEPT(rpc_filter) \
        { \
            hr = HRESULT_FROM_WIN32(GetExceptionCode()); \
        } \
        __ENDTRY \
    } while (0)

/* Whether the service is Wine's, which has the napagent interface. It is running and bound to afterwards. */
extern BOOL connect_agent(void);
extern void disconnect_agent(void);
extern BOOL restart_agent(void);
extern BOOL start_service(void);
extern BOOL stop_service(void);

/* client.c: a client of the agent's that a thread of the test plays */

#define SHA_ID 0x7ffd00u
#define EC_ID  0x7ffd80u

struct fake
{
    napagent_kind kind;
    NapComponentId id;
    GUID binding;
    HANDLE thread;
    HRESULT end;                        /* what its last napagent_next_call() gave */

    /* what it answers */
    HRESULT hrs[NAPAGENT_CALL_COUNT];
    UINT32 soh_flags, soh_size;
    BYTE soh[5000];
    struct
    {
        napagent_fixup info;
        HRESULT codes[1];
    } fixup, told_fixup;
    UINT32 connection_count;
    GUID connections[maxConnectionCountPerEnforcer];
    napagent_call_type held_type;       /* a call that it answers when the event is set */
    HANDLE held_event;

    /* what it has been asked */
    LONG counts[NAPAGENT_CALL_COUNT];
    napagent_call calls[NAPAGENT_CALL_COUNT];
    UINT32 given_size[NAPAGENT_CALL_COUNT], last_size;
    BYTE given[NAPAGENT_CALL_COUNT][4096], last_soh[4096];
};

extern void add_component(napagent_kind kind, NapComponentId id); /* and enable */
extern void remove_component(napagent_kind kind, NapComponentId id);
#define fake_start(fake, kind, id) fake_start_(__LINE__, fake, kind, id, FALSE)
extern void fake_start_(int line, struct fake *fake, napagent_kind kind, NapComponentId id, BOOL again);
extern void fake_stop(struct fake *fake);
extern void fake_set_soh(struct fake *fake, const char *text);
extern HRESULT next_call(const GUID *binding, const napagent_result *result, napagent_call *call);
extern void get_state(napagent_kind kind, NapComponentId id, napagent_component_state *state);

#define fake_wait(fake, type, count) fake_wait_(__LINE__, fake, type, count, 5000)
extern void fake_wait_(int line, struct fake *fake, napagent_call_type type, LONG count, DWORD timeout);

/* exchange.c */

extern HRESULT open_connection(const GUID *binding, const GUID *connection);
extern HRESULT close_connection(const GUID *binding, const GUID *connection);
extern HRESULT get_request(const GUID *binding, const GUID *connection, BOOL *hint, CorrelationId *id);
extern HRESULT respond(const GUID *binding, const GUID *connection, const CorrelationId *id, UINT32 state, UINT32 extended,
        const FILETIME *probation_end, const char *url);

#endif /* __WINE_QAGENTRT_TEST_H */
