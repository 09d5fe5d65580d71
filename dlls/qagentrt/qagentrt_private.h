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

/* client.c: call these with the lock */
extern BOOL client_is_bound(napagent_kind kind, NapComponentId id);
extern void client_drop(napagent_kind kind, NapComponentId id); /* disabled by the administrator */

/* exchange.c: call this with the lock */
extern void exchange_forget(SystemHealthEntityId id); /* unregistered: its SoHs go */

/* What works in the background: timers. From ServiceMain, without the lock. Stopping ends every call that waits. */
extern BOOL client_start(void);
extern void client_stop(void);

#endif /* __WINE_QAGENTRT_PRIVATE_H */
