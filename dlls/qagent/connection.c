/*
 * Connections of an enforcement client
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
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "windef.h"
#include "winbase.h"
#include "objbase.h"

#include "wine/debug.h"

#include "qagent_private.h"

WINE_DEFAULT_DEBUG_CHANNEL(qagent);

/* What only a connection of ours has; the pointer got is to its struct connection. */
static const GUID IID_connection = {0x9f0ba96f,0x3c7a,0x4b3e,{0xa8,0x0b,0x5f,0x0e,0x62,0xd5,0x1c,0x94}};

enum bytes_property
{
    SOH_REQUEST,
    SOH_RESPONSE,
    PRIVATE_DATA,
    ENFORCER_PRIVATE_DATA,
    BYTES_PROPERTY_COUNT
};

static const struct
{
    UINT16 min_size;
    UINT16 max_size;
} bytes_properties[BYTES_PROPERTY_COUNT] =
{
    [SOH_REQUEST]           = { 1, maxNetworkSoHSize },
    [SOH_RESPONSE]          = { 0, maxNetworkSoHSize },
    [PRIVATE_DATA]          = { 0, maxPrivateDataSize },
    [ENFORCER_PRIVATE_DATA] = { 0, maxPrivateDataSize },
};

/* Network SoHs and private data are the same, but in name. */
C_ASSERT(sizeof(PrivateData) == sizeof(NetworkSoH));
C_ASSERT(offsetof(PrivateData, size) == offsetof(NetworkSoH, size));
C_ASSERT(offsetof(PrivateData, data) == offsetof(NetworkSoH, data));

struct bytes
{
    UINT16 size;
    BYTE data[1];
};

struct isolation
{
    IsolationState state;
    ExtendedIsolationState extended_state;
    ProbationTime probation_end;
    BOOL has_url;
    UINT16 url_length;
    WCHAR url[1];
};

struct connection
{
    INapEnforcementClientConnection2 INapEnforcementClientConnection2_iface;
    LONG refcount;
    IUnknown *marshal;
    GUID key;                       /* what the agent knows it by */

    SRWLOCK lock;                   /* of what follows */
    struct agent_binding *binding;  /* that it belongs to, as long as it isn't closed */
    GUID binding_guid;              /* that the agent knows it of */
    BOOL down;

    EnforcementEntityId enforcer;
    ProtocolMaxSize max_size;
    UINT8 flags;
    BOOL has_id;
    ConnectionId id;
    CorrelationId correlation_id;
    struct bytes *bytes[BYTES_PROPERTY_COUNT];
    struct isolation *isolation;
    SystemHealthEntityCount shv_count;
    SystemHealthEntityId shvs[maxSystemHealthEntityCount];
};

static struct connection *impl_from_INapEnforcementClientConnection2(INapEnforcementClientConnection2 *iface)
{
    return CONTAINING_RECORD(iface, struct connection, INapEnforcementClientConnection2_iface);
}

/* ---- where it is known ---- */

INapEnforcementClientConnection *connection_get_iface(struct connection *connection)
{
    return (INapEnforcementClientConnection *)&connection->INapEnforcementClientConnection2_iface;
}

struct connection *connection_from_iface(INapEnforcementClientConnection *iface)
{
    struct connection *connection;

    if (FAILED(INapEnforcementClientConnection_QueryInterface(iface, &IID_connection, (void **)&connection)))
        return NULL;
    return connection;
}

const GUID *connection_get_key(const struct connection *connection)
{
    return &connection->key;
}

void connection_release(struct connection *connection)
{
    INapEnforcementClientConnection2_Release(&connection->INapEnforcementClientConnection2_iface);
}

BOOL connection_is_of(struct connection *connection, EnforcementEntityId id)
{
    BOOL ret;

    AcquireSRWLockShared(&connection->lock);
    ret = connection->enforcer == id && !connection->down;
    ReleaseSRWLockShared(&connection->lock);
    return ret;
}

static BOOL binding_add(struct agent_binding *binding, struct connection *connection)
{
    UINT i, room = ARRAY_SIZE(binding->connections);

    AcquireSRWLockExclusive(&binding->lock);
    for (i = 0; i < ARRAY_SIZE(binding->connections); i++)
    {
        if (binding->connections[i] == connection) break;
        if (!binding->connections[i]) room = min(room, i);
    }
    if (i == ARRAY_SIZE(binding->connections) && room < i) binding->connections[i = room] = connection;
    ReleaseSRWLockExclusive(&binding->lock);
    return i < ARRAY_SIZE(binding->connections);
}

static void binding_remove(struct agent_binding *binding, struct connection *connection)
{
    UINT i;

    AcquireSRWLockExclusive(&binding->lock);
    for (i = 0; i < ARRAY_SIZE(binding->connections); i++)
    {
        if (binding->connections[i] == connection) binding->connections[i] = NULL;
    }
    ReleaseSRWLockExclusive(&binding->lock);
}

/* Takes it from the binding that it belonged to, if any, to another. */
static BOOL set_binding(struct connection *connection, struct agent_binding *binding)
{
    struct agent_binding *old;

    if (binding && !binding_add(binding, connection)) return FALSE;
    if (binding) agent_binding_addref(binding);

    AcquireSRWLockExclusive(&connection->lock);
    old = connection->binding;
    connection->binding = binding;
    ReleaseSRWLockExclusive(&connection->lock);

    if (!old) return TRUE;
    if (old != binding) binding_remove(old, connection);
    agent_binding_release(old);
    return TRUE;
}

static struct agent_binding *get_binding(struct connection *connection, GUID *guid)
{
    struct agent_binding *binding;

    AcquireSRWLockShared(&connection->lock);
    binding = connection->binding;
    *guid = connection->binding_guid;
    ReleaseSRWLockShared(&connection->lock);
    return binding;
}

static struct bytes *copy_bytes(UINT16 size, const BYTE *data)
{
    struct bytes *bytes;

    if (!(bytes = malloc(offsetof(struct bytes, data[size + 1])))) return NULL;
    bytes->size = size;
    if (size) memcpy(bytes->data, data, size);
    return bytes;
}

/* The client may have set anything in the agent's place. */
static BOOL is_verdict(const IsolationInfoEx *info)
{
    return info && info->isolationState >= isolationStateNotRestricted
            && info->isolationState <= isolationStateRestrictedAccess
            && (UINT32)info->extendedIsolationState <= extendedIsolationStateUnknown;
}

static HRESULT open_for_agent(struct connection *connection, const GUID *guid)
{
    static const BYTE nothing;
    PrivateData *private_data = NULL;
    IsolationInfoEx *info = NULL;
    HRESULT hr;

    if (SUCCEEDED(hr = INapEnforcementClientConnection2_GetPrivateData(
                          &connection->INapEnforcementClientConnection2_iface, &private_data))
            && SUCCEEDED(hr = INapEnforcementClientConnection2_GetIsolationInfoEx(
                                 &connection->INapEnforcementClientConnection2_iface, &info)))
    {
        static const IsolationInfoEx no_info;
        const IsolationInfoEx *verdict = is_verdict(info) ? info : &no_info;
        UINT32 size = private_data ? private_data->size : 0;

        AGENT_CALL(hr, napagent_open_connection(agent_handle, guid, &connection->key,
                size, size ? private_data->data : &nothing, verdict->isolationState, verdict->extendedIsolationState,
                verdict->probEndTime, verdict->failureUrl.string));
    }
    FreePrivateData(private_data);
    FreeIsolationInfoEx(info);
    return hr;
}

/* Makes it known to the agent, unless it is. */
HRESULT connection_open(struct connection *connection, struct agent_binding *binding, const GUID *guid)
{
    GUID known;
    HRESULT hr;

    if (get_binding(connection, &known) == binding && IsEqualGUID(&known, guid)) return S_OK;
    if (!set_binding(connection, binding)) return E_OUTOFMEMORY;
    if (FAILED(hr = open_for_agent(connection, guid)))
    {
        WARN("connection %p, hr %#lx.\n", connection, hr);
        return hr;
    }

    AcquireSRWLockExclusive(&connection->lock);
    connection->binding_guid = *guid;
    ReleaseSRWLockExclusive(&connection->lock);
    return S_OK;
}

/* One that is about to go isn't there any more. */
static BOOL try_addref(struct connection *connection)
{
    LONG refcount = connection->refcount, now;

    while (refcount)
    {
        if ((now = InterlockedCompareExchange(&connection->refcount, refcount + 1, refcount)) == refcount) return TRUE;
        refcount = now;
    }
    return FALSE;
}

/* After the binding was bound again. Fails only when it isn't any more. */
HRESULT connection_open_all(struct agent_binding *binding, const GUID *guid)
{
    struct connection *connection;
    HRESULT hr = S_OK;
    UINT i;

    for (i = 0; i < ARRAY_SIZE(binding->connections) && hr != RPC_E_DISCONNECTED; i++)
    {
        AcquireSRWLockShared(&binding->lock);
        if ((connection = binding->connections[i]) && !try_addref(connection)) connection = NULL;
        ReleaseSRWLockShared(&binding->lock);
        if (!connection) continue;

        hr = connection_open(connection, binding, guid);
        connection_release(connection);
    }
    return hr == RPC_E_DISCONNECTED ? hr : S_OK;
}

HRESULT connection_close(struct connection *connection, BOOL down)
{
    HRESULT hr = S_OK;
    GUID guid;

    get_binding(connection, &guid);
    if (!IsEqualGUID(&guid, &GUID_NULL))
        AGENT_CALL(hr, napagent_close_connection(agent_handle, &guid, &connection->key));
    if (down && hr == RPC_E_DISCONNECTED) return hr;

    AcquireSRWLockExclusive(&connection->lock);
    connection->down = TRUE;
    ReleaseSRWLockExclusive(&connection->lock);
    set_binding(connection, NULL);
    return hr;
}

/* ---- the object ---- */

static HRESULT WINAPI connection_QueryInterface(INapEnforcementClientConnection2 *iface, REFIID iid, void **out)
{
    struct connection *connection = impl_from_INapEnforcementClientConnection2(iface);

    TRACE("iface %p, iid %s, out %p.\n", iface, debugstr_guid(iid), out);

    if (!out) return E_POINTER;
    if (IsEqualGUID(iid, &IID_IUnknown) || IsEqualGUID(iid, &IID_INapEnforcementClientConnection)
            || IsEqualGUID(iid, &IID_INapEnforcementClientConnection2))
    {
        INapEnforcementClientConnection2_AddRef(iface);
        *out = iface;
        return S_OK;
    }
    if (IsEqualGUID(iid, &IID_connection))
    {
        INapEnforcementClientConnection2_AddRef(iface);
        *out = connection;
        return S_OK;
    }
    if (IsEqualGUID(iid, &IID_IMarshal)) return IUnknown_QueryInterface(connection->marshal, iid, out);
    WARN("%s not implemented.\n", debugstr_guid(iid));
    *out = NULL;
    return E_NOINTERFACE;
}

static ULONG WINAPI connection_AddRef(INapEnforcementClientConnection2 *iface)
{
    struct connection *connection = impl_from_INapEnforcementClientConnection2(iface);
    ULONG refcount = InterlockedIncrement(&connection->refcount);

    TRACE("iface %p, refcount %lu.\n", iface, refcount);

    return refcount;
}

static ULONG WINAPI connection_Release(INapEnforcementClientConnection2 *iface)
{
    struct connection *connection = impl_from_INapEnforcementClientConnection2(iface);
    ULONG refcount = InterlockedDecrement(&connection->refcount);
    UINT i;

    TRACE("iface %p, refcount %lu.\n", iface, refcount);

    if (!refcount)
    {
        /* It may be bound although it is down, as another thread may have opened it at that moment. */
        if (connection->binding) connection_close(connection, FALSE);
        for (i = 0; i < ARRAY_SIZE(connection->bytes); i++) free(connection->bytes[i]);
        free(connection->isolation);
        IUnknown_Release(connection->marshal);
        free(connection);
        module_release();
    }
    return refcount;
}

static HRESULT WINAPI connection_Initialize(INapEnforcementClientConnection2 *iface, EnforcementEntityId id)
{
    TRACE("iface %p, id %#x.\n", iface, id);

    /* connection_create() has done it. */
    return HRESULT_FROM_WIN32(ERROR_ALREADY_INITIALIZED);
}

static HRESULT WINAPI connection_SetMaxSize(INapEnforcementClientConnection2 *iface, ProtocolMaxSize size)
{
    struct connection *connection = impl_from_INapEnforcementClientConnection2(iface);

    TRACE("iface %p, size %u.\n", iface, size);

    if (size < minProtocolMaxSize || size > maxProtocolMaxSize) return E_INVALIDARG;

    AcquireSRWLockExclusive(&connection->lock);
    connection->max_size = size;
    ReleaseSRWLockExclusive(&connection->lock);
    return S_OK;
}

static HRESULT WINAPI connection_GetMaxSize(INapEnforcementClientConnection2 *iface, ProtocolMaxSize *size)
{
    struct connection *connection = impl_from_INapEnforcementClientConnection2(iface);

    TRACE("iface %p, size %p.\n", iface, size);

    if (!size) return E_INVALIDARG;

    AcquireSRWLockShared(&connection->lock);
    *size = connection->max_size;
    ReleaseSRWLockShared(&connection->lock);
    return S_OK;
}

static HRESULT WINAPI connection_SetFlags(INapEnforcementClientConnection2 *iface, UINT8 flags)
{
    struct connection *connection = impl_from_INapEnforcementClientConnection2(iface);

    TRACE("iface %p, flags %#x.\n", iface, flags);

    AcquireSRWLockExclusive(&connection->lock);
    connection->flags = flags;
    ReleaseSRWLockExclusive(&connection->lock);
    return S_OK;
}

static HRESULT WINAPI connection_GetFlags(INapEnforcementClientConnection2 *iface, UINT8 *flags)
{
    struct connection *connection = impl_from_INapEnforcementClientConnection2(iface);

    TRACE("iface %p, flags %p.\n", iface, flags);

    if (!flags) return E_INVALIDARG;

    AcquireSRWLockShared(&connection->lock);
    *flags = connection->flags;
    ReleaseSRWLockShared(&connection->lock);
    return S_OK;
}

static HRESULT WINAPI connection_SetConnectionId(INapEnforcementClientConnection2 *iface, const ConnectionId *id)
{
    struct connection *connection = impl_from_INapEnforcementClientConnection2(iface);

    TRACE("iface %p, id %s.\n", iface, debugstr_guid(id));

    if (!id) return E_INVALIDARG;

    AcquireSRWLockExclusive(&connection->lock);
    connection->id = *id;
    connection->has_id = TRUE;
    ReleaseSRWLockExclusive(&connection->lock);
    return S_OK;
}

static HRESULT WINAPI connection_GetConnectionId(INapEnforcementClientConnection2 *iface, ConnectionId **id)
{
    struct connection *connection = impl_from_INapEnforcementClientConnection2(iface);
    ConnectionId *copy;
    BOOL has_id;

    TRACE("iface %p, id %p.\n", iface, id);

    if (!id) return E_INVALIDARG;
    *id = NULL;
    if (!(copy = CoTaskMemAlloc(sizeof(*copy)))) return E_OUTOFMEMORY;

    AcquireSRWLockShared(&connection->lock);
    *copy = connection->id;
    has_id = connection->has_id;
    ReleaseSRWLockShared(&connection->lock);

    if (has_id) *id = copy;
    else CoTaskMemFree(copy);
    return S_OK;
}

static HRESULT WINAPI connection_GetCorrelationId(INapEnforcementClientConnection2 *iface, CorrelationId *id)
{
    struct connection *connection = impl_from_INapEnforcementClientConnection2(iface);

    TRACE("iface %p, id %p.\n", iface, id);

    if (!id) return E_INVALIDARG;

    AcquireSRWLockShared(&connection->lock);
    *id = connection->correlation_id;
    ReleaseSRWLockShared(&connection->lock);
    return S_OK;
}

static HRESULT WINAPI connection_GetStringCorrelationId(INapEnforcementClientConnection2 *iface,
        StringCorrelationId **string)
{
    CorrelationId id;
    HRESULT hr;

    TRACE("iface %p, string %p.\n", iface, string);

    if (!string) return E_INVALIDARG;
    *string = NULL;
    if (FAILED(hr = connection_GetCorrelationId(iface, &id))) return hr;
    return correlation_id_to_string(&id, string);
}

static HRESULT WINAPI connection_SetCorrelationId(INapEnforcementClientConnection2 *iface, CorrelationId id)
{
    struct connection *connection = impl_from_INapEnforcementClientConnection2(iface);

    TRACE("iface %p, id %s %08lx%08lx.\n", iface, debugstr_guid(&id.connId), id.timeStamp.dwHighDateTime,
            id.timeStamp.dwLowDateTime);

    AcquireSRWLockExclusive(&connection->lock);
    connection->correlation_id = id;
    ReleaseSRWLockExclusive(&connection->lock);
    return S_OK;
}

static void replace_bytes(struct connection *connection, enum bytes_property property, struct bytes *bytes)
{
    struct bytes *old;

    AcquireSRWLockExclusive(&connection->lock);
    old = connection->bytes[property];
    connection->bytes[property] = bytes;
    ReleaseSRWLockExclusive(&connection->lock);
    free(old);
}

static HRESULT set_bytes(struct connection *connection, enum bytes_property property, const NetworkSoH *value)
{
    struct bytes *bytes;

    if (!value || value->size < bytes_properties[property].min_size
            || value->size > bytes_properties[property].max_size || (value->size && !value->data))
        return E_INVALIDARG;
    if (!(bytes = copy_bytes(value->size, value->data))) return E_OUTOFMEMORY;
    replace_bytes(connection, property, bytes);
    return S_OK;
}

static HRESULT get_bytes(struct connection *connection, enum bytes_property property, NetworkSoH **out)
{
    const struct bytes *bytes;
    NetworkSoH *value;

    if (!out) return E_INVALIDARG;
    *out = NULL;
    if (!(value = CoTaskMemAlloc(sizeof(*value)))) return E_OUTOFMEMORY;
    value->data = NULL;

    AcquireSRWLockShared(&connection->lock);
    if ((bytes = connection->bytes[property]))
    {
        value->size = bytes->size;
        if (value->size && (value->data = CoTaskMemAlloc(value->size))) memcpy(value->data, bytes->data, value->size);
    }
    ReleaseSRWLockShared(&connection->lock);

    if (bytes && (!value->size || value->data))
    {
        *out = value;
        return S_OK;
    }
    CoTaskMemFree(value);
    return bytes ? E_OUTOFMEMORY : S_OK;
}

static HRESULT WINAPI connection_SetSoHRequest(INapEnforcementClientConnection2 *iface,
        const NetworkSoHRequest *request)
{
    struct connection *connection = impl_from_INapEnforcementClientConnection2(iface);

    TRACE("iface %p, request %p.\n", iface, request);

    if (request) return set_bytes(connection, SOH_REQUEST, request);
    replace_bytes(connection, SOH_REQUEST, NULL);
    return S_OK;
}

static HRESULT WINAPI connection_GetSoHRequest(INapEnforcementClientConnection2 *iface, NetworkSoHRequest **request)
{
    TRACE("iface %p, request %p.\n", iface, request);

    return get_bytes(impl_from_INapEnforcementClientConnection2(iface), SOH_REQUEST, request);
}

static HRESULT WINAPI connection_SetSoHResponse(INapEnforcementClientConnection2 *iface,
        const NetworkSoHResponse *response)
{
    TRACE("iface %p, response %p.\n", iface, response);

    return set_bytes(impl_from_INapEnforcementClientConnection2(iface), SOH_RESPONSE, response);
}

static HRESULT WINAPI connection_GetSoHResponse(INapEnforcementClientConnection2 *iface,
        NetworkSoHResponse **response)
{
    TRACE("iface %p, response %p.\n", iface, response);

    return get_bytes(impl_from_INapEnforcementClientConnection2(iface), SOH_RESPONSE, response);
}

static HRESULT set_isolation(struct connection *connection, const IsolationInfoEx *info)
{
    const CountedString *url = &info->failureUrl;
    SIZE_T length = url->string ? wcsnlen(url->string, url->length) : 0;
    struct isolation *isolation, *old;

    if (length > maxStringLength) return E_INVALIDARG;
    if (!(isolation = malloc(offsetof(struct isolation, url[length + 1])))) return E_OUTOFMEMORY;
    isolation->state = info->isolationState;
    isolation->extended_state = info->extendedIsolationState;
    isolation->probation_end = info->probEndTime;
    isolation->has_url = !!url->string;
    isolation->url_length = length;
    if (length) memcpy(isolation->url, url->string, length * sizeof(*isolation->url));
    isolation->url[length] = 0;

    AcquireSRWLockExclusive(&connection->lock);
    old = connection->isolation;
    connection->isolation = isolation;
    ReleaseSRWLockExclusive(&connection->lock);
    free(old);
    return S_OK;
}

static HRESULT copy_isolation(const struct isolation *isolation, IsolationInfoEx *info)
{
    SIZE_T size = (isolation->url_length + 1) * sizeof(*isolation->url);

    info->isolationState = isolation->state;
    info->extendedIsolationState = isolation->extended_state;
    info->probEndTime = isolation->probation_end;
    info->failureUrl.length = isolation->url_length;
    info->failureUrl.string = NULL;
    if (!isolation->has_url) return S_OK;
    if (!(info->failureUrl.string = CoTaskMemAlloc(size))) return E_OUTOFMEMORY;
    memcpy(info->failureUrl.string, isolation->url, size);
    return S_OK;
}

static HRESULT WINAPI connection_SetIsolationInfo(INapEnforcementClientConnection2 *iface, const IsolationInfo *info)
{
    IsolationInfoEx ex;

    TRACE("iface %p, info %p.\n", iface, info);

    if (!info) return E_INVALIDARG;
    ex.isolationState = info->isolationState;
    ex.extendedIsolationState = extendedIsolationStateNoData;
    ex.probEndTime = info->probEndTime;
    ex.failureUrl = info->failureUrl;
    return set_isolation(impl_from_INapEnforcementClientConnection2(iface), &ex);
}

static HRESULT get_isolation(struct connection *connection, IsolationInfoEx **out)
{
    IsolationInfoEx *info;
    HRESULT hr = S_FALSE;

    *out = NULL;
    if (!(info = CoTaskMemAlloc(sizeof(*info)))) return E_OUTOFMEMORY;

    AcquireSRWLockShared(&connection->lock);
    if (connection->isolation) hr = copy_isolation(connection->isolation, info);
    ReleaseSRWLockShared(&connection->lock);

    if (hr == S_OK) *out = info;
    else CoTaskMemFree(info);
    return FAILED(hr) ? hr : S_OK;
}

static HRESULT WINAPI connection_GetIsolationInfo(INapEnforcementClientConnection2 *iface, IsolationInfo **info)
{
    IsolationInfoEx *ex;
    HRESULT hr;

    TRACE("iface %p, info %p.\n", iface, info);

    if (!info) return E_INVALIDARG;
    *info = NULL;
    if (FAILED(hr = get_isolation(impl_from_INapEnforcementClientConnection2(iface), &ex)) || !ex) return hr;
    return isolation_info_without_ex(ex, info);
}

static HRESULT WINAPI connection_SetPrivateData(INapEnforcementClientConnection2 *iface, const PrivateData *data)
{
    TRACE("iface %p, data %p.\n", iface, data);

    return set_bytes(impl_from_INapEnforcementClientConnection2(iface), PRIVATE_DATA, (const NetworkSoH *)data);
}

static HRESULT WINAPI connection_GetPrivateData(INapEnforcementClientConnection2 *iface, PrivateData **data)
{
    TRACE("iface %p, data %p.\n", iface, data);

    return get_bytes(impl_from_INapEnforcementClientConnection2(iface), PRIVATE_DATA, (NetworkSoH **)data);
}

static HRESULT WINAPI connection_SetEnforcerPrivateData(INapEnforcementClientConnection2 *iface,
        const PrivateData *data)
{
    TRACE("iface %p, data %p.\n", iface, data);

    return set_bytes(impl_from_INapEnforcementClientConnection2(iface), ENFORCER_PRIVATE_DATA,
            (const NetworkSoH *)data);
}

static HRESULT WINAPI connection_GetEnforcerPrivateData(INapEnforcementClientConnection2 *iface, PrivateData **data)
{
    TRACE("iface %p, data %p.\n", iface, data);

    return get_bytes(impl_from_INapEnforcementClientConnection2(iface), ENFORCER_PRIVATE_DATA, (NetworkSoH **)data);
}

static HRESULT WINAPI connection_SetIsolationInfoEx(INapEnforcementClientConnection2 *iface,
        const IsolationInfoEx *info)
{
    TRACE("iface %p, info %p.\n", iface, info);

    if (!info) return E_INVALIDARG;
    return set_isolation(impl_from_INapEnforcementClientConnection2(iface), info);
}

static HRESULT WINAPI connection_GetIsolationInfoEx(INapEnforcementClientConnection2 *iface, IsolationInfoEx **info)
{
    TRACE("iface %p, info %p.\n", iface, info);

    if (!info) return E_INVALIDARG;
    return get_isolation(impl_from_INapEnforcementClientConnection2(iface), info);
}

static HRESULT WINAPI connection_GetInstalledShvs(INapEnforcementClientConnection2 *iface,
        SystemHealthEntityCount *count, SystemHealthEntityId **ids)
{
    struct connection *connection = impl_from_INapEnforcementClientConnection2(iface);
    SystemHealthEntityId *copy;

    TRACE("iface %p, count %p, ids %p.\n", iface, count, ids);

    if (count) *count = 0;
    if (ids) *ids = NULL;
    if (!count || !ids) return E_INVALIDARG;
    if (!(copy = CoTaskMemAlloc(sizeof(connection->shvs)))) return E_OUTOFMEMORY;

    AcquireSRWLockShared(&connection->lock);
    *count = connection->shv_count;
    memcpy(copy, connection->shvs, connection->shv_count * sizeof(*copy));
    ReleaseSRWLockShared(&connection->lock);

    if (*count) *ids = copy;
    else CoTaskMemFree(copy);
    return S_OK;
}

static HRESULT WINAPI connection_SetInstalledShvs(INapEnforcementClientConnection2 *iface,
        SystemHealthEntityCount count, SystemHealthEntityId *ids)
{
    struct connection *connection = impl_from_INapEnforcementClientConnection2(iface);

    TRACE("iface %p, count %u, ids %p.\n", iface, count, ids);

    if (!count || count > ARRAY_SIZE(connection->shvs) || !ids) return E_INVALIDARG;

    AcquireSRWLockExclusive(&connection->lock);
    connection->shv_count = count;
    memcpy(connection->shvs, ids, count * sizeof(*ids));
    ReleaseSRWLockExclusive(&connection->lock);
    return S_OK;
}

static const INapEnforcementClientConnection2Vtbl connection_vtbl =
{
    connection_QueryInterface,
    connection_AddRef,
    connection_Release,
    connection_Initialize,
    connection_SetMaxSize,
    connection_GetMaxSize,
    connection_SetFlags,
    connection_GetFlags,
    connection_SetConnectionId,
    connection_GetConnectionId,
    connection_GetCorrelationId,
    connection_GetStringCorrelationId,
    connection_SetCorrelationId,
    connection_SetSoHRequest,
    connection_GetSoHRequest,
    connection_SetSoHResponse,
    connection_GetSoHResponse,
    connection_SetIsolationInfo,
    connection_GetIsolationInfo,
    connection_SetPrivateData,
    connection_GetPrivateData,
    connection_SetEnforcerPrivateData,
    connection_GetEnforcerPrivateData,
    connection_SetIsolationInfoEx,
    connection_GetIsolationInfoEx,
    connection_GetInstalledShvs,
    connection_SetInstalledShvs,
};

HRESULT connection_create(EnforcementEntityId id, struct connection **out)
{
    struct connection *connection;
    HRESULT hr;

    if (!(connection = calloc(1, sizeof(*connection)))) return E_OUTOFMEMORY;
    connection->INapEnforcementClientConnection2_iface.lpVtbl = &connection_vtbl;
    connection->refcount = 1;
    InitializeSRWLock(&connection->lock);
    connection->enforcer = id;
    connection->max_size = defaultProtocolMaxSize;
    if (FAILED(hr = CoCreateGuid(&connection->key))
            || FAILED(hr = CoCreateFreeThreadedMarshaler(
                               (IUnknown *)&connection->INapEnforcementClientConnection2_iface, &connection->marshal)))
    {
        free(connection);
        return hr;
    }
    module_addref();

    *out = connection;
    return S_OK;
}
