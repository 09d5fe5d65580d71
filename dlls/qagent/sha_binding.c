/*
 * NapSystemHealthAgentBinding: a system health agent's line to the NAP agent
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

static INapSystemHealthAgentCallback *get_object(const struct agent_callback *callback)
{
    return (INapSystemHealthAgentCallback *)callback->object;
}

static BOOL is_equal_for_client(const struct agent_callback *callback)
{
    SoHRequest *last = NULL, *now = NULL;
    BOOL equal = FALSE;

    if (FAILED(soh_from_wire(callback->last_soh, callback->last_size, &last))
            || FAILED(soh_from_wire(callback->reply, callback->reply_size, &now))
            || INapSystemHealthAgentCallback_CompareSoHRequests(get_object(callback), last, now, &equal) != S_OK)
        equal = FALSE;
    FreeSoH(last);
    FreeSoH(now);
    return equal;
}

static BOOL is_sent_again(const struct agent_callback *callback)
{
    if (!callback->last_size) return FALSE;
    if (callback->last_size == callback->reply_size
            && !memcmp(callback->last_soh, callback->reply, callback->reply_size))
        return TRUE;
    return is_equal_for_client(callback);
}

static HRESULT get_soh_request(struct agent_callback *callback)
{
    INapSystemHealthAgentRequest *request;
    HRESULT hr;

    if (FAILED(hr = request_create(callback, &request))) return hr;
    hr = INapSystemHealthAgentCallback_GetSoHRequest(get_object(callback), request);
    request_close(request);

    if (SUCCEEDED(hr) && (callback->flags & NAPAGENT_SOH_SET) && !agent_is_ending(callback->binding)
            && is_sent_again(callback))
        callback->flags |= NAPAGENT_SOH_EQUAL;
    return hr;
}

static HRESULT process_soh_response(struct agent_callback *callback)
{
    INapSystemHealthAgentRequest *request;
    HRESULT hr;

    if (FAILED(hr = request_create(callback, &request))) return hr;
    hr = INapSystemHealthAgentCallback_ProcessSoHResponse(get_object(callback), request);
    request_close(request);
    return hr;
}

static HRESULT notify_isolation_state(struct agent_callback *callback)
{
    return INapSystemHealthAgentCallback_NotifySystemIsolationStateChange(get_object(callback));
}

static HRESULT put_fixup(struct agent_callback *callback, const FixupInfo *info)
{
    UINT32 count = info->resultCodes.results ? min(info->resultCodes.count, maxDwordCountPerSoHAttribute) : 0;
    UINT32 size = sizeof(napagent_fixup) + count * sizeof(*info->resultCodes.results);
    napagent_fixup *fixup;

    if (!(fixup = malloc(size))) return E_OUTOFMEMORY;
    fixup->state = info->state;
    fixup->percentage = info->percentage;
    fixup->message = info->fixupMsgId;
    fixup->count = count;
    if (count) memcpy(fixup + 1, info->resultCodes.results, count * sizeof(*info->resultCodes.results));
    callback->reply = (BYTE *)fixup;
    callback->reply_size = size;
    return S_OK;
}

static HRESULT get_fixup_info(struct agent_callback *callback)
{
    FixupInfo *info = NULL;
    HRESULT hr;

    hr = INapSystemHealthAgentCallback_GetFixupInfo(get_object(callback), &info);
    if (!is_success(hr)) return hr;
    if (!info) return E_POINTER;
    hr = put_fixup(callback, info);
    FreeFixupInfo(info);
    return hr;
}

static HRESULT notify_orphaned(struct agent_callback *callback)
{
    return INapSystemHealthAgentCallback_NotifyOrphanedSoHRequest(get_object(callback),
            &callback->call.correlation_id);
}

static const struct agent_role sha_role =
{
    NAPAGENT_SHA,
    &IID_INapSystemHealthAgentCallback,
    FALSE,
    NULL,
    {
        [NAPAGENT_CALL_GET_SOH_REQUEST] = get_soh_request,
        [NAPAGENT_CALL_PROCESS_SOH_RESPONSE] = process_soh_response,
        [NAPAGENT_CALL_NOTIFY_ISOLATION_STATE] = notify_isolation_state,
        [NAPAGENT_CALL_GET_FIXUP_INFO] = get_fixup_info,
        [NAPAGENT_CALL_NOTIFY_ORPHANED] = notify_orphaned,
    }
};

/* ---- the binding ---- */

struct sha_binding
{
    INapSystemHealthAgentBinding2 INapSystemHealthAgentBinding2_iface;
    LONG refcount;
    struct agent_client client;
};

static struct sha_binding *impl_from_INapSystemHealthAgentBinding2(INapSystemHealthAgentBinding2 *iface)
{
    return CONTAINING_RECORD(iface, struct sha_binding, INapSystemHealthAgentBinding2_iface);
}

static HRESULT WINAPI sha_binding_QueryInterface(INapSystemHealthAgentBinding2 *iface, REFIID iid, void **out)
{
    TRACE("iface %p, iid %s, out %p.\n", iface, debugstr_guid(iid), out);

    if (!out) return E_POINTER;
    if (IsEqualGUID(iid, &IID_IUnknown) || IsEqualGUID(iid, &IID_INapSystemHealthAgentBinding)
            || IsEqualGUID(iid, &IID_INapSystemHealthAgentBinding2))
    {
        INapSystemHealthAgentBinding2_AddRef(iface);
        *out = iface;
        return S_OK;
    }
    WARN("%s not implemented.\n", debugstr_guid(iid));
    *out = NULL;
    return E_NOINTERFACE;
}

static ULONG WINAPI sha_binding_AddRef(INapSystemHealthAgentBinding2 *iface)
{
    struct sha_binding *binding = impl_from_INapSystemHealthAgentBinding2(iface);
    ULONG refcount = InterlockedIncrement(&binding->refcount);

    TRACE("iface %p, refcount %lu.\n", iface, refcount);

    return refcount;
}

static ULONG WINAPI sha_binding_Release(INapSystemHealthAgentBinding2 *iface)
{
    struct sha_binding *binding = impl_from_INapSystemHealthAgentBinding2(iface);
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

static HRESULT WINAPI sha_binding_Initialize(INapSystemHealthAgentBinding2 *iface, SystemHealthEntityId id,
        INapSystemHealthAgentCallback *callback)
{
    struct sha_binding *binding = impl_from_INapSystemHealthAgentBinding2(iface);

    TRACE("iface %p, id %#x, callback %p.\n", iface, id, callback);

    return agent_bind(&binding->client, &sha_role, id, (IUnknown *)callback);
}

static HRESULT WINAPI sha_binding_Uninitialize(INapSystemHealthAgentBinding2 *iface)
{
    struct sha_binding *binding = impl_from_INapSystemHealthAgentBinding2(iface);

    TRACE("iface %p.\n", iface);

    return agent_unbind(&binding->client);
}

static HRESULT WINAPI sha_binding_NotifySoHChange(INapSystemHealthAgentBinding2 *iface)
{
    struct sha_binding *binding = impl_from_INapSystemHealthAgentBinding2(iface);
    struct agent_binding *agent;
    HRESULT hr;
    GUID guid;

    TRACE("iface %p.\n", iface);

    if (FAILED(hr = agent_enter(&binding->client, &agent, &guid))) return hr;
    AGENT_CALL(hr, napagent_notify_soh_change(agent_handle, &guid));
    agent_leave(agent);
    return hr;
}

static HRESULT WINAPI sha_binding_GetSystemIsolationInfo(INapSystemHealthAgentBinding2 *iface, IsolationInfo **info,
        BOOL *unknown_connections)
{
    struct sha_binding *binding = impl_from_INapSystemHealthAgentBinding2(iface);
    struct agent_binding *agent;
    HRESULT hr;
    GUID guid;

    TRACE("iface %p, info %p, unknown_connections %p.\n", iface, info, unknown_connections);

    if (info) *info = NULL;
    if (FAILED(hr = agent_enter(&binding->client, &agent, &guid))) return hr;
    hr = get_system_isolation_info(info, unknown_connections);
    agent_leave(agent);
    return hr;
}

static HRESULT WINAPI sha_binding_FlushCache(INapSystemHealthAgentBinding2 *iface)
{
    struct sha_binding *binding = impl_from_INapSystemHealthAgentBinding2(iface);
    struct agent_binding *agent;
    HRESULT hr;
    GUID guid;

    TRACE("iface %p.\n", iface);

    if (FAILED(hr = agent_enter(&binding->client, &agent, &guid))) return hr;
    AGENT_CALL(hr, napagent_flush_cache(agent_handle, &guid));
    agent_leave(agent);
    return hr;
}

static HRESULT WINAPI sha_binding_GetSystemIsolationInfoEx(INapSystemHealthAgentBinding2 *iface,
        IsolationInfoEx **info, BOOL *unknown_connections)
{
    struct sha_binding *binding = impl_from_INapSystemHealthAgentBinding2(iface);
    struct agent_binding *agent;
    HRESULT hr;
    GUID guid;

    TRACE("iface %p, info %p, unknown_connections %p.\n", iface, info, unknown_connections);

    if (info) *info = NULL;
    if (FAILED(hr = agent_enter(&binding->client, &agent, &guid))) return hr;
    hr = get_system_isolation_info_ex(info, unknown_connections);
    agent_leave(agent);
    return hr;
}

static const INapSystemHealthAgentBinding2Vtbl sha_binding_vtbl =
{
    sha_binding_QueryInterface,
    sha_binding_AddRef,
    sha_binding_Release,
    sha_binding_Initialize,
    sha_binding_Uninitialize,
    sha_binding_NotifySoHChange,
    sha_binding_GetSystemIsolationInfo,
    sha_binding_FlushCache,
    sha_binding_GetSystemIsolationInfoEx,
};

HRESULT sha_binding_create(IUnknown **out)
{
    struct sha_binding *binding;

    if (!(binding = calloc(1, sizeof(*binding)))) return E_OUTOFMEMORY;
    binding->INapSystemHealthAgentBinding2_iface.lpVtbl = &sha_binding_vtbl;
    binding->refcount = 1;
    InitializeSRWLock(&binding->client.lock);
    module_addref();

    *out = (IUnknown *)&binding->INapSystemHealthAgentBinding2_iface;
    return S_OK;
}
