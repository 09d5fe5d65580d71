/*
 * NapEnforcementClientBinding: an enforcement client's line to the NAP agent
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

#define COBJMACROS

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "windef.h"
#include "winbase.h"
#include "objbase.h"

#include "wine/debug.h"

#include "qagent_private.h"

WINE_DEFAULT_DEBUG_CHANNEL(qagent);

/* ---- what the agent asks of the client's object ---- */

static INapEnforcementClientCallback *get_object(const struct agent_callback *callback)
{
    return (INapEnforcementClientCallback *)callback->object;
}

static HRESULT notify_soh_change(struct agent_callback *callback)
{
    return INapEnforcementClientCallback_NotifySoHChange(get_object(callback));
}

static HRESULT put_keys(struct agent_callback *callback, const Connections *connections)
{
    UINT16 i, count = connections->connections ? min(connections->count, maxConnectionCountPerEnforcer) : 0;
    struct connection *connection;
    GUID *keys;

    if (!count) return S_OK;
    if (!(keys = malloc(count * sizeof(*keys)))) return E_OUTOFMEMORY;
    callback->reply = (BYTE *)keys;

    for (i = 0; i < count; i++)
    {
        if (!connections->connections[i] || !(connection = connection_from_iface(connections->connections[i])))
            continue;
        if (connection_is_of(connection, callback->id))
        {
            *keys++ = *connection_get_key(connection);
            callback->reply_size += sizeof(*keys);
        }
        connection_release(connection);
    }
    return S_OK;
}

static HRESULT get_connections(struct agent_callback *callback)
{
    Connections *connections = NULL;
    HRESULT hr;

    hr = INapEnforcementClientCallback_GetConnections(get_object(callback), &connections);
    if (!is_success(hr)) return hr;
    if (!connections) return E_POINTER;
    hr = put_keys(callback, connections);
    FreeConnections(connections);
    return hr;
}

static const struct agent_role ec_role =
{
    NAPAGENT_EC,
    &IID_INapEnforcementClientCallback,
    TRUE,
    connection_open_all,
    {
        [NAPAGENT_CALL_NOTIFY_SOH_CHANGE] = notify_soh_change,
        [NAPAGENT_CALL_GET_CONNECTIONS] = get_connections,
    }
};

/* ---- a connection of the client's, in whatever shape ---- */

/* What the agent is told, and what it tells, goes through the methods. */
struct target
{
    INapEnforcementClientConnection *iface;
    struct connection *connection;
};

static HRESULT target_init(struct target *target, INapEnforcementClientConnection *iface,
        struct agent_binding *agent, const GUID *guid)
{
    HRESULT hr = E_INVALIDARG;

    target->iface = iface;
    if (!iface || !(target->connection = connection_from_iface(iface))) return E_INVALIDARG;
    if (!connection_is_of(target->connection, agent->id)
            || FAILED(hr = connection_open(target->connection, agent, guid)))
        connection_release(target->connection);
    return hr;
}

static HRESULT target_set_private_data(struct target *target, UINT32 size, BYTE *bytes)
{
    PrivateData data = { size, bytes };

    if (size > maxPrivateDataSize) return E_INVALIDARG;
    return INapEnforcementClientConnection_SetPrivateData(target->iface, &data);
}

static HRESULT target_set_request(struct target *target, const CorrelationId *id, UINT32 size, BYTE *bytes)
{
    NetworkSoHRequest request = { size, bytes };
    HRESULT hr;

    if (size > maxNetworkSoHSize) return E_INVALIDARG;
    if (FAILED(hr = INapEnforcementClientConnection_SetSoHRequest(target->iface, &request))) return hr;
    if (FAILED(hr = INapEnforcementClientConnection_SetCorrelationId(target->iface, *id))) return hr;
    return INapEnforcementClientConnection_SetFlags(target->iface, freshSoHRequest);
}

static HRESULT target_set_isolation_info(struct target *target, const IsolationInfoEx *ex)
{
    IsolationInfo info = { ex->isolationState, ex->probEndTime, ex->failureUrl };

    return INapEnforcementClientConnection_SetIsolationInfo(target->iface, &info);
}

static HRESULT target_set_verdict(struct target *target, const IsolationInfoEx *info, UINT32 shv_count,
        SystemHealthEntityId *shvs)
{
    INapEnforcementClientConnection2 *connection;
    HRESULT hr;

    if (FAILED(INapEnforcementClientConnection_QueryInterface(target->iface, &IID_INapEnforcementClientConnection2,
                                                              (void **)&connection)))
        return target_set_isolation_info(target, info);

    hr = INapEnforcementClientConnection2_SetIsolationInfoEx(connection, info);
    if (SUCCEEDED(hr) && shv_count)
        hr = INapEnforcementClientConnection2_SetInstalledShvs(connection,
                min(shv_count, maxSystemHealthEntityCount), shvs);
    INapEnforcementClientConnection2_Release(connection);
    return hr;
}

static HRESULT target_get_id(struct target *target, ConnectionId *id)
{
    ConnectionId *set;
    HRESULT hr;

    if (FAILED(hr = INapEnforcementClientConnection_GetConnectionId(target->iface, &set))) return hr;
    *id = set ? *set : *connection_get_key(target->connection);
    CoTaskMemFree(set);
    return S_OK;
}

static HRESULT target_make_request(struct target *target, const GUID *guid, BOOL *retrigger_hint)
{
    UINT32 size = 0, private_size = 0;
    BYTE *request = NULL, *private_data = NULL;
    CorrelationId correlation_id = {{ 0 }};
    ProtocolMaxSize max_size;
    ConnectionId id;
    HRESULT hr;

    if (FAILED(hr = INapEnforcementClientConnection_GetMaxSize(target->iface, &max_size))) return hr;
    if (FAILED(hr = target_get_id(target, &id))) return hr;

    AGENT_CALL(hr, napagent_get_soh_request(agent_handle, guid, connection_get_key(target->connection), &id, max_size,
            retrigger_hint, &correlation_id, &size, &request, &private_size, &private_data));
    if (FAILED(hr)) return hr;
    if (SUCCEEDED(hr = target_set_private_data(target, private_size, private_data)))
        hr = target_set_request(target, &correlation_id, size, request);
    CoTaskMemFree(request);
    CoTaskMemFree(private_data);
    return hr;
}

static HRESULT target_process(struct target *target, const GUID *guid, const NetworkSoHResponse *response)
{
    UINT32 shv_count = 0, private_size = 0;
    SystemHealthEntityId *shvs = NULL;
    IsolationInfoEx *info = NULL;
    BYTE *private_data = NULL;
    HRESULT hr;

    AGENT_CALL(hr, napagent_process_soh_response(agent_handle, guid, connection_get_key(target->connection),
            response->size, response->data, &info, &shv_count, &shvs, &private_size, &private_data));
    if (FAILED(hr)) return hr;
    if (SUCCEEDED(hr = target_set_private_data(target, private_size, private_data))
            && SUCCEEDED(hr = INapEnforcementClientConnection_SetFlags(target->iface, 0)) && info)
        hr = target_set_verdict(target, info, shv_count, shvs);
    FreeIsolationInfoEx(info);
    CoTaskMemFree(shvs);
    CoTaskMemFree(private_data);
    return hr;
}

static HRESULT target_process_response(struct target *target, const GUID *guid)
{
    NetworkSoHResponse *response;
    HRESULT hr;

    if (FAILED(hr = INapEnforcementClientConnection_GetSoHResponse(target->iface, &response))) return hr;
    if (!response) return E_INVALIDARG;
    if (response->size) hr = target_process(target, guid, response);
    FreeNetworkSoH(response);
    return hr;
}

/* ---- the binding ---- */

struct ec_binding
{
    INapEnforcementClientBinding INapEnforcementClientBinding_iface;
    LONG refcount;
    struct agent_client client;
};

static struct ec_binding *impl_from_INapEnforcementClientBinding(INapEnforcementClientBinding *iface)
{
    return CONTAINING_RECORD(iface, struct ec_binding, INapEnforcementClientBinding_iface);
}

static HRESULT WINAPI ec_binding_QueryInterface(INapEnforcementClientBinding *iface, REFIID iid, void **out)
{
    TRACE("iface %p, iid %s, out %p.\n", iface, debugstr_guid(iid), out);

    if (!out) return E_POINTER;
    if (IsEqualGUID(iid, &IID_IUnknown) || IsEqualGUID(iid, &IID_INapEnforcementClientBinding))
    {
        INapEnforcementClientBinding_AddRef(iface);
        *out = iface;
        return S_OK;
    }
    WARN("%s not implemented.\n", debugstr_guid(iid));
    *out = NULL;
    return E_NOINTERFACE;
}

static ULONG WINAPI ec_binding_AddRef(INapEnforcementClientBinding *iface)
{
    struct ec_binding *binding = impl_from_INapEnforcementClientBinding(iface);
    ULONG refcount = InterlockedIncrement(&binding->refcount);

    TRACE("iface %p, refcount %lu.\n", iface, refcount);

    return refcount;
}

static ULONG WINAPI ec_binding_Release(INapEnforcementClientBinding *iface)
{
    struct ec_binding *binding = impl_from_INapEnforcementClientBinding(iface);
    ULONG refcount = InterlockedDecrement(&binding->refcount);

    TRACE("iface %p, refcount %lu.\n", iface, refcount);

    if (!refcount)
    {
        agent_close(&binding->client);
        free(binding);
        module_release();
    }
    return refcount;
}

static HRESULT WINAPI ec_binding_Initialize(INapEnforcementClientBinding *iface, EnforcementEntityId id,
        INapEnforcementClientCallback *callback)
{
    struct ec_binding *binding = impl_from_INapEnforcementClientBinding(iface);

    TRACE("iface %p, id %#x, callback %p.\n", iface, id, callback);

    return agent_bind(&binding->client, &ec_role, id, (IUnknown *)callback);
}

static HRESULT WINAPI ec_binding_Uninitialize(INapEnforcementClientBinding *iface)
{
    struct ec_binding *binding = impl_from_INapEnforcementClientBinding(iface);

    TRACE("iface %p.\n", iface);

    return agent_unbind(&binding->client);
}

static HRESULT create_connection(struct agent_binding *agent, const GUID *guid, INapEnforcementClientConnection **out)
{
    struct connection *connection;
    HRESULT hr;

    if (FAILED(hr = connection_create(agent->id, &connection))) return hr;
    if (FAILED(hr = connection_open(connection, agent, guid))) connection_release(connection);
    else *out = connection_get_iface(connection);
    return hr;
}

static HRESULT WINAPI ec_binding_CreateConnection(INapEnforcementClientBinding *iface,
        INapEnforcementClientConnection **connection)
{
    struct ec_binding *binding = impl_from_INapEnforcementClientBinding(iface);
    struct agent_binding *agent;
    HRESULT hr;
    GUID guid;

    TRACE("iface %p, connection %p.\n", iface, connection);

    if (connection) *connection = NULL;
    if (FAILED(hr = agent_enter(&binding->client, &agent, &guid))) return hr;
    hr = connection ? create_connection(agent, &guid, connection) : E_INVALIDARG;
    agent_leave(agent);
    return hr;
}

static HRESULT WINAPI ec_binding_GetSoHRequest(INapEnforcementClientBinding *iface,
        INapEnforcementClientConnection *connection, BOOL *retrigger_hint)
{
    struct ec_binding *binding = impl_from_INapEnforcementClientBinding(iface);
    struct agent_binding *agent;
    struct target target;
    HRESULT hr;
    GUID guid;

    TRACE("iface %p, connection %p, retrigger_hint %p.\n", iface, connection, retrigger_hint);

    if (FAILED(hr = agent_enter(&binding->client, &agent, &guid))) return hr;
    if (!retrigger_hint) hr = E_INVALIDARG;
    else if (SUCCEEDED(hr = target_init(&target, connection, agent, &guid)))
    {
        hr = target_make_request(&target, &guid, retrigger_hint);
        connection_release(target.connection);
    }
    agent_leave(agent);
    return hr;
}

static HRESULT WINAPI ec_binding_ProcessSoHResponse(INapEnforcementClientBinding *iface,
        INapEnforcementClientConnection *connection)
{
    struct ec_binding *binding = impl_from_INapEnforcementClientBinding(iface);
    struct agent_binding *agent;
    struct target target;
    HRESULT hr;
    GUID guid;

    TRACE("iface %p, connection %p.\n", iface, connection);

    if (FAILED(hr = agent_enter(&binding->client, &agent, &guid))) return hr;
    if (SUCCEEDED(hr = target_init(&target, connection, agent, &guid)))
    {
        hr = target_process_response(&target, &guid);
        connection_release(target.connection);
    }
    agent_leave(agent);
    return hr;
}

static HRESULT WINAPI ec_binding_NotifyConnectionStateDown(INapEnforcementClientBinding *iface,
        INapEnforcementClientConnection *connection)
{
    struct ec_binding *binding = impl_from_INapEnforcementClientBinding(iface);
    struct agent_binding *agent;
    struct target target;
    HRESULT hr;
    GUID guid;

    TRACE("iface %p, connection %p.\n", iface, connection);

    if (FAILED(hr = agent_enter(&binding->client, &agent, &guid))) return hr;
    if (SUCCEEDED(hr = target_init(&target, connection, agent, &guid)))
    {
        hr = connection_close(target.connection, TRUE);
        connection_release(target.connection);
    }
    agent_leave(agent);
    return hr;
}

static HRESULT WINAPI ec_binding_NotifySoHChangeFailure(INapEnforcementClientBinding *iface)
{
    struct ec_binding *binding = impl_from_INapEnforcementClientBinding(iface);
    struct agent_binding *agent;
    HRESULT hr;
    GUID guid;

    TRACE("iface %p.\n", iface);

    if (FAILED(hr = agent_enter(&binding->client, &agent, &guid))) return hr;
    AGENT_CALL(hr, napagent_notify_soh_change_failure(agent_handle, &guid));
    agent_leave(agent);
    return hr;
}

static const INapEnforcementClientBindingVtbl ec_binding_vtbl =
{
    ec_binding_QueryInterface,
    ec_binding_AddRef,
    ec_binding_Release,
    ec_binding_Initialize,
    ec_binding_Uninitialize,
    ec_binding_CreateConnection,
    ec_binding_GetSoHRequest,
    ec_binding_ProcessSoHResponse,
    ec_binding_NotifyConnectionStateDown,
    ec_binding_NotifySoHChangeFailure,
};

HRESULT ec_binding_create(IUnknown **out)
{
    struct ec_binding *binding;

    if (!(binding = calloc(1, sizeof(*binding)))) return E_OUTOFMEMORY;
    binding->INapEnforcementClientBinding_iface.lpVtbl = &ec_binding_vtbl;
    binding->refcount = 1;
    InitializeSRWLock(&binding->client.lock);
    module_addref();

    *out = (IUnknown *)&binding->INapEnforcementClientBinding_iface;
    return S_OK;
}
