/*
 * Bound clients, and the calls that wait for them
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

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "windef.h"
#include "winbase.h"
#include "objbase.h"
#include "rpc.h"
#include "rpcdcep.h"

#include "wine/debug.h"

#include "qagentrt_private.h"

WINE_DEFAULT_DEBUG_CHANNEL(qagentrt);

#define PARK_TIME 30000 /* milliseconds */

static const struct
{
    const char *name;
    DWORD timeout; /* of a call, milliseconds */
    enum agent_event not_registered, bound_twice, not_bound, bound, unbound, call_failed;
}
kinds[NAPAGENT_KIND_COUNT] =
{
    [NAPAGENT_SHA] = { "agent", 10000, EVENT_SHA_NOT_REGISTERED, EVENT_SHA_BOUND_TWICE,
                       EVENT_SHA_NOT_BOUND, EVENT_SHA_BOUND, EVENT_SHA_UNBOUND, EVENT_SHA_CALL_FAILED },
    [NAPAGENT_EC]  = { "enforcement client", 60000, EVENT_EC_NOT_REGISTERED, EVENT_EC_BOUND_TWICE,
                       EVENT_EC_NOT_BOUND, EVENT_EC_BOUND, EVENT_EC_UNBOUND, EVENT_EC_CALL_FAILED },
};

static const struct
{
    const WCHAR *name;
    void (*prepare)(struct client *client, struct call *call); /* for being handed out */
    void (*complete)(struct client *client, const struct call *call, const struct reply *reply);
}
call_types[NAPAGENT_CALL_COUNT] =
{
    [NAPAGENT_CALL_NONE]                   = { L"none" },
    [NAPAGENT_CALL_UNBOUND]                = { L"unbound" },
    [NAPAGENT_CALL_GET_SOH_REQUEST]        = { L"GetSoHRequest",
                                               exchange_prepare_soh_request, exchange_complete_soh_request },
    [NAPAGENT_CALL_PROCESS_SOH_RESPONSE]   = { L"ProcessSoHResponse", NULL, exchange_complete_soh_response },
    [NAPAGENT_CALL_NOTIFY_ISOLATION_STATE] = { L"NotifySystemIsolationStateChange" },
    [NAPAGENT_CALL_GET_FIXUP_INFO]         = { L"GetFixupInfo", NULL, exchange_complete_fixup_info },
    [NAPAGENT_CALL_NOTIFY_ORPHANED]        = { L"NotifyOrphanedSoHRequest" },
    [NAPAGENT_CALL_NOTIFY_SOH_CHANGE]      = { L"NotifySoHChange" },
    [NAPAGENT_CALL_GET_CONNECTIONS]        = { L"GetConnections",
                                               isolation_prepare_connections, isolation_complete_connections },
};

static struct client *clients[NAPAGENT_KIND_COUNT];
static BOOL running;
static UINT32 run; /* the first part of each binding that is made in this run of the service */
static UINT32 last_serial;

/* ---- calls ---- */

struct call *call_create(napagent_call_type type, const CorrelationId *correlation_id)
{
    struct call *call;

    if (!(call = calloc(1, sizeof(*call)))) return NULL;
    call->type = type;
    if (correlation_id) call->correlation_id = *correlation_id;
    return call;
}

void call_destroy(struct call *call)
{
    if (!call) return;
    soh_release(call->soh);
    soh_release(call->last_soh);
    if (call->connection) connection_release(call->connection);
    free(call);
}

static void deadline_passed(struct timer *timer);

static void first_call_changed(struct client *client)
{
    if (client->calls) timer_set(&client->deadline, kinds[client->kind].timeout, deadline_passed);
    else timer_cancel(&client->deadline);
}

static BOOL same_call(const struct call *call, const struct call *other)
{
    return call->type == other->type
            && !memcmp(&call->correlation_id, &other->correlation_id, sizeof(call->correlation_id));
}

/* Takes the place of one that says the same and that the client hasn't heard of yet. */
void client_queue(struct client *client, struct call *call)
{
    struct call **entry = &client->calls, *old;

    TRACE("%s %#x: %s, %s.\n", kinds[client->kind].name, client->id, debugstr_w(call_types[call->type].name),
          debugstr_correlation_id(&call->correlation_id));

    if (client->serial) entry = &(*entry)->next;
    while (*entry && !same_call(*entry, call)) entry = &(*entry)->next;
    if ((old = *entry))
    {
        call->next = old->next;
        *entry = call;
        call_destroy(old);
        return;
    }

    *entry = call;
    if (client->calls == call) first_call_changed(client);
    WakeAllConditionVariable(&client->changed);
}

BOOL client_notify(struct client *client, napagent_call_type type, const CorrelationId *correlation_id)
{
    struct call *call;

    if (!(call = call_create(type, correlation_id))) return FALSE;
    client_queue(client, call);
    return TRUE;
}

BOOL client_notify_all(napagent_kind kind, napagent_call_type type)
{
    struct client *client;
    BOOL ret = TRUE;

    for (client = clients[kind]; client; client = client->next) if (!client_notify(client, type, NULL)) ret = FALSE;
    return ret;
}

BOOL client_withdraw(struct client *client, napagent_call_type type, const CorrelationId *correlation_id)
{
    const struct call wanted = { NULL, type, *correlation_id };
    struct call **entry = &client->calls, *call;

    if (client->serial) entry = &(*entry)->next;
    while (*entry && !same_call(*entry, &wanted)) entry = &(*entry)->next;
    if (!(call = *entry)) return FALSE;

    *entry = call->next;
    call_destroy(call);
    if (entry == &client->calls) first_call_changed(client);
    return TRUE;
}

static void complete_call(struct client *client, const struct reply *reply)
{
    struct call *call = client->calls;

    TRACE("%s %#x: %s, %s: %#lx.\n", kinds[client->kind].name, client->id, debugstr_w(call_types[call->type].name),
          debugstr_correlation_id(&call->correlation_id), reply->hr);

    client->calls = call->next;
    client->serial = 0;
    first_call_changed(client);
    if (call_types[call->type].complete) call_types[call->type].complete(client, call, reply);
    call_destroy(call);
}

/* ---- clients ---- */

static struct client *client_addref(struct client *client)
{
    client->refs++;
    return client;
}

void client_release(struct client *client)
{
    if (--client->refs) return;
    if (client->process) CloseHandle(client->process);
    free(client);
}

struct client *client_find(napagent_kind kind, NapComponentId id)
{
    struct client *client;

    for (client = clients[kind]; client && client->id != id; client = client->next) /* nothing */;
    return client;
}

BOOL client_is_bound(napagent_kind kind, NapComponentId id)
{
    return client_find(kind, id) != NULL;
}

BOOL agent_is_running(void)
{
    return running;
}

static HRESULT get_bound(const GUID *binding, struct client **client)
{
    UINT kind;

    *client = NULL;
    if (!running || binding->Data1 != run) return RPC_E_DISCONNECTED;

    for (kind = 0; kind < NAPAGENT_KIND_COUNT; kind++)
        for (*client = clients[kind]; *client; *client = (*client)->next)
            if (IsEqualGUID(&(*client)->binding, binding)) return S_OK;
    return NAP_E_NOT_INITIALIZED;
}

HRESULT client_get(napagent_kind kind, const GUID *binding, struct client **client)
{
    HRESULT hr;

    if (FAILED(hr = get_bound(binding, client))) return hr;
    return (*client)->kind == kind ? S_OK : NAP_E_NOT_INITIALIZED;
}

static void unbind(struct client *client)
{
    const struct reply unbound = { HRESULT_FROM_WIN32(RPC_S_SERVER_UNAVAILABLE) };
    struct client **entry = &clients[client->kind];

    while (*entry != client) entry = &(*entry)->next;
    *entry = client->next;
    client->bound = FALSE;

    while (client->calls) complete_call(client, &unbound);
    timer_cancel(&client->retry);
    if (client->kind == NAPAGENT_EC) connection_close_all(client);
    else exchange_unbound(client->id);
    WakeAllConditionVariable(&client->changed);
    background_wake(); /* it has a reference */
    client_release(client);
}

static void drop(struct client *client, const char *why)
{
    WARN("Dropping %s %#x: %s.\n", kinds[client->kind].name, client->id, why);

    report_event(kinds[client->kind].unbound, L"%u", client->id);
    if (client->kind == NAPAGENT_SHA) exchange_flush(client->id);
    unbind(client);
}

void client_drop(napagent_kind kind, NapComponentId id)
{
    struct client *client;

    if ((client = client_find(kind, id))) drop(client, "disabled");
}

void client_died(struct client *client)
{
    if (client->bound) drop(client, "its process has died");
}

static void deadline_passed(struct timer *timer)
{
    struct client *client = CONTAINING_RECORD(timer, struct client, deadline);

    report_event(kinds[client->kind].call_failed, L"%u, %s, %#x", client->id, call_types[client->calls->type].name,
                 HRESULT_FROM_WIN32(ERROR_TIMEOUT));
    drop(client, "it takes too long");
}

UINT client_get_processes(struct client **out, HANDLE *processes, UINT max)
{
    struct client *client;
    UINT kind, count = 0;

    for (kind = 0; kind < NAPAGENT_KIND_COUNT; kind++)
    {
        for (client = clients[kind]; client && count < max; client = client->next)
        {
            if (!client->process) continue;
            processes[count] = client->process;
            out[count++] = client_addref(client);
        }
    }
    return count;
}

/* ---- the interface ---- */

/* A client that may not be watched is dropped when it leaves a call undone. */
static BOOL open_process(handle_t agent, HANDLE *process)
{
    ULONG pid;

    *process = NULL;
    if (I_RpcBindingInqLocalClientPID(agent, &pid)) return TRUE;
    if ((*process = OpenProcess(SYNCHRONIZE, FALSE, pid))) return TRUE;
    return GetLastError() == ERROR_ACCESS_DENIED;
}

static HRESULT client_create(handle_t agent, napagent_kind kind, NapComponentId id, struct client **out)
{
    struct client *client;

    if (!(client = calloc(1, sizeof(*client)))) return E_OUTOFMEMORY;
    client->refs = 1;
    client->kind = kind;
    client->id = id;
    if (FAILED(CoCreateGuid(&client->binding)) || !open_process(agent, &client->process))
    {
        client_release(client);
        return E_FAIL;
    }
    *out = client;
    return S_OK;
}

static BOOL is_alive(const struct client *client)
{
    return !client->process || WaitForSingleObject(client->process, 0) == WAIT_TIMEOUT;
}

/* One that binds again by itself tries until the other goes. */
static HRESULT bind_client(struct client *client, BOOL again)
{
    struct client *other;
    HRESULT hr;

    if (!running) return RPC_E_DISCONNECTED;
    if (FAILED(hr = registration_check(client->kind, client->id)))
    {
        if (hr == NAP_E_NOT_REGISTERED) report_event(kinds[client->kind].not_registered, L"%u", client->id);
        return hr;
    }
    if ((other = client_find(client->kind, client->id)))
    {
        if (is_alive(other))
        {
            if (!again) report_event(kinds[client->kind].bound_twice, L"%u", client->id);
            return HRESULT_FROM_WIN32(ERROR_ALREADY_INITIALIZED);
        }
        client_died(other);
    }

    client->bound = TRUE;
    client->binding.Data1 = run;
    client->next = clients[client->kind];
    clients[client->kind] = client_addref(client);
    background_wake();
    report_event(kinds[client->kind].bound, L"%u", client->id);
    return S_OK;
}

HRESULT __cdecl napagent_bind(handle_t agent, napagent_kind kind, NapComponentId id, BOOL again, GUID *binding)
{
    struct client *client;
    HRESULT hr;

    TRACE("agent %p, kind %u, id %#x, again %d, binding %p.\n", agent, kind, id, again, binding);

    memset(binding, 0, sizeof(*binding));
    if ((UINT)kind >= NAPAGENT_KIND_COUNT) return E_INVALIDARG;
    if (FAILED(hr = client_create(agent, kind, id, &client))) return hr;

    agent_lock();
    if (SUCCEEDED(hr = bind_client(client, again)))
    {
        *binding = client->binding;
        if (again) exchange_bound_again(client);
    }
    client_release(client);
    agent_unlock();
    return hr;
}

HRESULT __cdecl napagent_unbind(handle_t agent, napagent_kind kind, NapComponentId id, const GUID *binding)
{
    struct client *client;
    HRESULT hr;

    TRACE("agent %p, kind %u, id %#x, binding %s.\n", agent, kind, id, debugstr_guid(binding));

    if ((UINT)kind >= NAPAGENT_KIND_COUNT) return E_INVALIDARG;

    agent_lock();
    if (SUCCEEDED(hr = client_get(kind, binding, &client)))
    {
        report_event(kinds[kind].unbound, L"%u", client->id);
        unbind(client);
    }
    else if (hr == NAP_E_NOT_INITIALIZED) report_event(kinds[kind].not_bound, L"%u", id);
    agent_unlock();
    return hr;
}

static BOOL is_unavailable(HRESULT hr)
{
    return hr == RPC_S_SERVER_UNAVAILABLE || hr == HRESULT_FROM_WIN32(RPC_S_SERVER_UNAVAILABLE);
}

/* A result of another call than the one that it was given means that it never got that one. */
static void take_result(struct client *client, const napagent_result *result, const BYTE *data, UINT32 size)
{
    struct reply reply = { HRESULT_FROM_WIN32(RPC_S_CALL_FAILED) };

    if (!client->serial) return;
    if (result->serial == client->serial)
    {
        reply.hr = result->hr;
        reply.flags = result->flags;
        reply.data = data;
        reply.size = size;
    }

    if (is_unavailable(reply.hr))
    {
        drop(client, "it says that it's unavailable");
        return;
    }
    if (FAILED(reply.hr))
        report_event(kinds[client->kind].call_failed, L"%u, %s, %#x", client->id,
                     call_types[client->calls->type].name, reply.hr);
    complete_call(client, &reply);
}

static BOOL copy_soh(const struct soh *soh, UINT32 *size, BYTE **data)
{
    if (!soh) return TRUE;
    if (!(*data = MIDL_user_allocate(soh->size))) return FALSE;
    memcpy(*data, soh->data, soh->size);
    *size = soh->size;
    return TRUE;
}

static BOOL hand_out_call(struct client *client, napagent_call *out, UINT32 *soh_size, BYTE **soh,
        UINT32 *last_size, BYTE **last_soh)
{
    static const struct reply no_memory = { E_OUTOFMEMORY };
    struct call *call = client->calls;

    if (call_types[call->type].prepare) call_types[call->type].prepare(client, call);
    if (copy_soh(call->soh, soh_size, soh) && copy_soh(call->last_soh, last_size, last_soh))
    {
        if (!(client->serial = ++last_serial)) client->serial = ++last_serial;
        out->type = call->type;
        out->serial = client->serial;
        out->correlation_id = call->correlation_id;
        out->flags = call->flags;
        return TRUE;
    }

    MIDL_user_free(*soh);
    *soh = NULL;
    *soh_size = 0;
    complete_call(client, &no_memory);
    return FALSE;
}

/* For the thread whose turn it is: the client may have come back for a call without the answer to an earlier wait. */
static HRESULT wait_for_call(struct client *client, UINT32 turn)
{
    UINT64 now, end = GetTickCount64() + PARK_TIME;

    while (running && client->bound && client->turn == turn && !client->calls)
    {
        if ((now = GetTickCount64()) >= end) break;
        agent_wait(&client->changed, end - now);
    }
    return running ? S_OK : RPC_E_DISCONNECTED;
}

static HRESULT next_call(struct client *client, napagent_call *call, UINT32 *soh_size, BYTE **soh,
        UINT32 *last_size, BYTE **last_soh)
{
    UINT32 turn = ++client->turn;
    HRESULT hr;

    WakeAllConditionVariable(&client->changed);
    do
    {
        if (FAILED(hr = wait_for_call(client, turn))) return hr;
        if (!client->bound) call->type = NAPAGENT_CALL_UNBOUND;
        if (!client->bound || client->turn != turn || !client->calls) return S_OK;
    } while (!hand_out_call(client, call, soh_size, soh, last_size, last_soh));
    return S_OK;
}

HRESULT __cdecl napagent_next_call(handle_t agent, const GUID *binding, const napagent_result *result,
        UINT32 reply_size, const BYTE *reply, napagent_call *call, UINT32 *soh_size, BYTE **soh,
        UINT32 *last_size, BYTE **last_soh)
{
    struct client *client;
    HRESULT hr;

    TRACE("agent %p, binding %s, serial %u, hr %#lx, flags %#x, reply_size %u, reply %p, call %p, soh_size %p, soh %p, "
          "last_size %p, last_soh %p.\n", agent, debugstr_guid(binding), result->serial, result->hr, result->flags,
          reply_size, reply, call, soh_size, soh, last_size, last_soh);

    memset(call, 0, sizeof(*call));
    *soh_size = *last_size = 0;
    *soh = *last_soh = NULL;

    agent_lock();
    if (SUCCEEDED(hr = get_bound(binding, &client)))
    {
        client_addref(client);
        take_result(client, result, reply, reply_size);
        hr = next_call(client, call, soh_size, soh, last_size, last_soh);
        client_release(client);
    }
    else if (hr == NAP_E_NOT_INITIALIZED)
    {
        call->type = NAPAGENT_CALL_UNBOUND;
        hr = S_OK;
    }
    agent_unlock();
    return hr;
}

static void get_state(napagent_kind kind, NapComponentId id, napagent_component_state *state)
{
    const struct client *client = client_find(kind, id);

    memset(state, 0, sizeof(*state));
    state->id = id;
    state->enabled = registration_check(kind, id) == S_OK;
    state->bound = !!client;
    state->failure_category = state->fixup_state = ~0u;
    if (kind == NAPAGENT_SHA) exchange_get_state(id, state);
    else if (client) state->connection_count = connection_count(client);
}

HRESULT __cdecl napagent_get_component_states(handle_t agent, napagent_kind kind,
        UINT32 *count, napagent_component_state **states)
{
    NapComponentId ids[maxSystemHealthEntityCount];
    HRESULT hr = S_OK;
    UINT i, found;

    TRACE("agent %p, kind %u, count %p, states %p.\n", agent, kind, count, states);

    *count = 0;
    *states = NULL;
    if ((UINT)kind >= NAPAGENT_KIND_COUNT) return E_INVALIDARG;

    agent_lock();
    if ((found = registration_get_ids(kind, ids)))
    {
        if ((*states = MIDL_user_allocate(found * sizeof(**states))))
        {
            for (i = 0; i < found; i++) get_state(kind, ids[i], &(*states)[i]);
            *count = found;
        }
        else hr = E_OUTOFMEMORY;
    }
    agent_unlock();
    return hr;
}

BOOL client_start(void)
{
    GUID guid;

    if (FAILED(CoCreateGuid(&guid)) || !background_start()) return FALSE;
    agent_lock();
    run = guid.Data1;
    running = TRUE;
    agent_unlock();
    return TRUE;
}

/* Agents go first, so that nobody is told of connections that go. */
void client_stop(void)
{
    UINT kind;

    agent_lock();
    running = FALSE;
    for (kind = 0; kind < NAPAGENT_KIND_COUNT; kind++) while (clients[kind]) unbind(clients[kind]);
    exchange_forget_all();
    agent_unlock();
    background_stop();
}
