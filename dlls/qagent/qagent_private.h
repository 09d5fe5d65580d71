/*
 * What the files of qagent.dll share
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

#ifndef __WINE_QAGENT_PRIVATE_H
#define __WINE_QAGENT_PRIVATE_H

#include "naptypes.h"
#include "naperror.h"
#include "napmanagement.h"
#include "napenforcementclient.h"
#include "napsystemhealthagent.h"
#include "napcertrelyingparty.h"
#include "naputil.h"
#include "napagent.h"

#include "wine/exception.h"

/* main.c: what keeps the module loaded */
extern HINSTANCE qagent_instance;
extern void module_addref(void);
extern void module_release(void);

/* agent.c: the tie to the service */
struct agent_attempt
{
    struct agent_tie *tie;
    DWORD exception;
    UINT count;
    UINT block_count;
    void *blocks[1 + 4 * maxSystemHealthEntityCount]; /* of the largest reply: all components, of four texts each */
};

extern BOOL agent_attempt(struct agent_attempt *attempt, HRESULT hr, handle_t *handle);
extern BOOL agent_init(void);
extern void agent_exit(void);
extern LONG CALLBACK agent_filter(EXCEPTION_POINTERS *eptr);
extern HRESULT agent_error(DWORD exception);
extern HRESULT agent_start(void);

/* hr = what the agent answers to one of its interface's functions, given agent_handle, or why it didn't. Of a call that
 * fails nothing is to be freed, and what its out pointers point to isn't to be used. */
#define AGENT_CALL(hr, call) \
    do \
    { \
        struct agent_attempt attempt = { NULL }; \
        handle_t agent_handle; \
        hr = E_OUTOFMEMORY; \
        while (agent_attempt(&attempt, hr, &agent_handle)) \
        { \
            __TRY \
            { \
                hr = call; \
            } \
            __EXCEPT(agent_filter) \
            { \
                attempt.exception = GetExceptionCode(); \
                hr = agent_error(attempt.exception); \
            } \
            __ENDTRY \
        } \
    } while (0)

/* the same, for what doesn't do without the agent */
#define AGENT_CALL_STARTED(hr, call) \
    do \
    { \
        AGENT_CALL(hr, call); \
        if (hr == RPC_E_DISCONNECTED && SUCCEEDED(hr = agent_start())) AGENT_CALL(hr, call); \
    } while (0)

/* agent.c: bindings */
struct agent_binding;
struct connection;

/* What a client may answer for RPC's error: as such, too, which is no failure */
static inline BOOL is_success(HRESULT hr)
{
    return SUCCEEDED(hr) && hr != RPC_S_SERVER_UNAVAILABLE;
}

/* A call of the client's object, and what comes of it */
struct agent_callback
{
    struct agent_binding *binding;
    IUnknown *object;
    NapComponentId id;
    napagent_call call;
    UINT32 soh_size;
    BYTE *soh;
    UINT32 last_size;
    BYTE *last_soh;

    UINT32 flags;
    UINT32 reply_size;
    BYTE *reply; /* from malloc() */
};

enum agent_binding_state
{
    AGENT_BOUND,
    AGENT_DISCONNECTED, /* and about to be bound again */
    AGENT_UNBOUND       /* for good */
};

/* From an object's Initialize() until it is uninitialized or dropped. There is a thread as long, that the agent's
 * callbacks come in. */
struct agent_binding
{
    LONG refcount;
    const struct agent_role *role;
    NapComponentId id;
    IUnknown *callback; /* NULL: of an apartment, and asked for at the first call */
    DWORD git_cookie;   /* 0: of none */
    struct agent_binding *next; /* of the same object's earlier ones */
    HANDLE stop_event;
    HANDLE quiet_event; /* no callback runs, and none begins */
    HANDLE end_event;   /* the thread doesn't touch the client's object any more */
    HANDLE idle_event;  /* no method runs, and none can */

    SRWLOCK lock;       /* of what follows */
    GUID logical_thread;
    enum agent_binding_state state;
    BOOL ending;
    BOOL closing;
    BOOL calling;
    UINT running;       /* methods */
    GUID guid;
    struct connection *connections[maxConnectionCountPerEnforcer]; /* without a reference */
};

/* What bound objects of a kind have in common */
struct agent_role
{
    napagent_kind kind;
    const IID *callback_iid;
    BOOL starts_agent;
    HRESULT (*bound_again)(struct agent_binding *binding, const GUID *guid);
    HRESULT (*callbacks[NAPAGENT_CALL_COUNT])(struct agent_callback *callback);
};

/* The part of an object that can be bound */
struct agent_client
{
    SRWLOCK lock;
    struct agent_binding *binding; /* NULL or unbound: not initialized */
    struct agent_binding *earlier; /* those before it, at least as long as they are in use */
};

extern HRESULT agent_bind(struct agent_client *client, const struct agent_role *role, NapComponentId id,
        IUnknown *callback);
extern HRESULT agent_unbind(struct agent_client *client);
extern void agent_close(struct agent_client *client);
/* around each method; guid is what the agent knows the binding by */
extern HRESULT agent_enter(struct agent_client *client, struct agent_binding **binding, GUID *guid);
extern void agent_leave(struct agent_binding *binding);
extern BOOL agent_is_ending(struct agent_binding *binding); /* no more of the client's methods are to be called */
extern void agent_binding_addref(struct agent_binding *binding);
extern void agent_binding_release(struct agent_binding *binding);

/* management.c */
extern HRESULT get_system_isolation_info(IsolationInfo **info, BOOL *unknown_connections);
extern HRESULT get_system_isolation_info_ex(IsolationInfoEx **info, BOOL *unknown_connections);
extern HRESULT isolation_info_without_ex(IsolationInfoEx *ex, IsolationInfo **out); /* frees ex */

/* soh.c */
extern HRESULT soh_validate(const SoH *soh);
extern void soh_exit(void);
extern BOOL soh_has_id(const SoH *soh, SystemHealthEntityId id);
extern HRESULT soh_to_wire(const SoH *soh, BYTE **wire, UINT32 *size); /* wire is from malloc() */
extern HRESULT soh_from_wire(const BYTE *wire, UINT32 size, SoH **out);
extern HRESULT correlation_id_to_string(const CorrelationId *id, StringCorrelationId **out);

/* request.c: the object reads from the callback and writes to it until it is closed */
extern HRESULT request_create(struct agent_callback *callback, INapSystemHealthAgentRequest **out);
extern void request_close(INapSystemHealthAgentRequest *iface);

/* connection.c */
extern HRESULT connection_create(EnforcementEntityId id, struct connection **out);
extern INapEnforcementClientConnection *connection_get_iface(struct connection *connection);
extern struct connection *connection_from_iface(INapEnforcementClientConnection *iface); /* with a reference */
extern const GUID *connection_get_key(const struct connection *connection);
extern void connection_release(struct connection *connection);
extern HRESULT connection_open(struct connection *connection, struct agent_binding *binding, const GUID *guid);
extern HRESULT connection_open_all(struct agent_binding *binding, const GUID *guid);
extern BOOL connection_is_of(struct connection *connection, EnforcementEntityId id);
extern HRESULT connection_close(struct connection *connection, BOOL down);

/* create an object with one reference */
extern HRESULT management_create(IUnknown **out);
extern HRESULT sha_binding_create(IUnknown **out);
extern HRESULT ec_binding_create(IUnknown **out);
extern HRESULT cert_relying_party_create(IUnknown **out);

#endif /* __WINE_QAGENT_PRIVATE_H */
