/*
 * Requests for a statement of health, as the system health agent sees them
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

#include "windef.h"
#include "winbase.h"
#include "objbase.h"

#include "wine/debug.h"

#include "qagent_private.h"

WINE_DEFAULT_DEBUG_CHANNEL(qagent);

struct request
{
    INapSystemHealthAgentRequest INapSystemHealthAgentRequest_iface;
    LONG refcount;
    IUnknown *marshal;

    SRWLOCK lock;
    struct agent_callback *callback; /* NULL: it is over */
};

static struct request *impl_from_INapSystemHealthAgentRequest(INapSystemHealthAgentRequest *iface)
{
    return CONTAINING_RECORD(iface, struct request, INapSystemHealthAgentRequest_iface);
}

static HRESULT WINAPI request_QueryInterface(INapSystemHealthAgentRequest *iface, REFIID iid, void **out)
{
    struct request *request = impl_from_INapSystemHealthAgentRequest(iface);

    TRACE("iface %p, iid %s, out %p.\n", iface, debugstr_guid(iid), out);

    if (!out) return E_POINTER;
    if (IsEqualGUID(iid, &IID_IUnknown) || IsEqualGUID(iid, &IID_INapSystemHealthAgentRequest))
    {
        INapSystemHealthAgentRequest_AddRef(iface);
        *out = iface;
        return S_OK;
    }
    if (IsEqualGUID(iid, &IID_IMarshal)) return IUnknown_QueryInterface(request->marshal, iid, out);
    WARN("%s not implemented.\n", debugstr_guid(iid));
    *out = NULL;
    return E_NOINTERFACE;
}

static ULONG WINAPI request_AddRef(INapSystemHealthAgentRequest *iface)
{
    struct request *request = impl_from_INapSystemHealthAgentRequest(iface);
    ULONG refcount = InterlockedIncrement(&request->refcount);

    TRACE("iface %p, refcount %lu.\n", iface, refcount);

    return refcount;
}

static ULONG WINAPI request_Release(INapSystemHealthAgentRequest *iface)
{
    struct request *request = impl_from_INapSystemHealthAgentRequest(iface);
    ULONG refcount = InterlockedDecrement(&request->refcount);

    TRACE("iface %p, refcount %lu.\n", iface, refcount);

    if (!refcount)
    {
        IUnknown_Release(request->marshal);
        free(request);
        module_release();
    }
    return refcount;
}

static HRESULT WINAPI request_GetCorrelationId(INapSystemHealthAgentRequest *iface, CorrelationId *id)
{
    struct request *request = impl_from_INapSystemHealthAgentRequest(iface);
    HRESULT hr = RPC_E_DISCONNECTED;

    TRACE("iface %p, id %p.\n", iface, id);

    if (!id) return E_INVALIDARG;

    AcquireSRWLockShared(&request->lock);
    if (request->callback)
    {
        *id = request->callback->call.correlation_id;
        hr = S_OK;
    }
    ReleaseSRWLockShared(&request->lock);
    return hr;
}

static HRESULT WINAPI request_GetStringCorrelationId(INapSystemHealthAgentRequest *iface, StringCorrelationId **string)
{
    CorrelationId id;
    HRESULT hr;

    TRACE("iface %p, string %p.\n", iface, string);

    if (!string) return E_INVALIDARG;
    *string = NULL;
    if (FAILED(hr = request_GetCorrelationId(iface, &id))) return hr;
    return correlation_id_to_string(&id, string);
}

static HRESULT set_reply(struct request *request, const SoH *soh, BYTE *wire, UINT32 size, BOOL cache)
{
    struct agent_callback *callback = request->callback;

    if (!callback) return RPC_E_DISCONNECTED;
    if (callback->call.type != NAPAGENT_CALL_GET_SOH_REQUEST) return E_UNEXPECTED;
    if (!soh_has_id(soh, callback->id)) return NAP_E_INVALID_PACKET;

    free(callback->reply);
    callback->reply = wire;
    callback->reply_size = size;
    callback->flags = NAPAGENT_SOH_SET | (cache ? NAPAGENT_SOH_CACHE : 0);
    return S_OK;
}

static HRESULT WINAPI request_SetSoHRequest(INapSystemHealthAgentRequest *iface, const SoHRequest *soh, BOOL cache)
{
    struct request *request = impl_from_INapSystemHealthAgentRequest(iface);
    UINT32 size;
    BYTE *wire;
    HRESULT hr;

    TRACE("iface %p, soh %p, cache %d.\n", iface, soh, cache);

    if (!soh) return E_INVALIDARG;
    if (FAILED(hr = soh_validate(soh))) return hr;
    if (FAILED(hr = soh_to_wire(soh, &wire, &size))) return hr;

    AcquireSRWLockExclusive(&request->lock);
    hr = set_reply(request, soh, wire, size, cache);
    ReleaseSRWLockExclusive(&request->lock);
    if (FAILED(hr)) free(wire);
    return hr;
}

static HRESULT get_request(const struct agent_callback *callback, SoHRequest **soh)
{
    if (!callback) return RPC_E_DISCONNECTED;
    if (callback->flags & NAPAGENT_SOH_SET) return soh_from_wire(callback->reply, callback->reply_size, soh);
    if (callback->call.type != NAPAGENT_CALL_GET_SOH_REQUEST || !callback->soh_size) return NAP_E_NO_CACHED_SOH;
    return soh_from_wire(callback->soh, callback->soh_size, soh);
}

static HRESULT WINAPI request_GetSoHRequest(INapSystemHealthAgentRequest *iface, SoHRequest **soh)
{
    struct request *request = impl_from_INapSystemHealthAgentRequest(iface);
    HRESULT hr;

    TRACE("iface %p, soh %p.\n", iface, soh);

    if (!soh) return E_INVALIDARG;
    *soh = NULL;

    AcquireSRWLockShared(&request->lock);
    hr = get_request(request->callback, soh);
    ReleaseSRWLockShared(&request->lock);
    return hr;
}

static HRESULT get_response(const struct agent_callback *callback, SoHResponse **soh, UINT8 *flags)
{
    if (!callback) return RPC_E_DISCONNECTED;
    if (callback->call.type != NAPAGENT_CALL_PROCESS_SOH_RESPONSE) return E_UNEXPECTED;
    *flags = callback->call.flags;
    return soh_from_wire(callback->soh, callback->soh_size, soh);
}

static HRESULT WINAPI request_GetSoHResponse(INapSystemHealthAgentRequest *iface, SoHResponse **soh, UINT8 *flags)
{
    struct request *request = impl_from_INapSystemHealthAgentRequest(iface);
    HRESULT hr;

    TRACE("iface %p, soh %p, flags %p.\n", iface, soh, flags);

    if (soh) *soh = NULL;
    if (!soh || !flags) return E_INVALIDARG;

    AcquireSRWLockShared(&request->lock);
    hr = get_response(request->callback, soh, flags);
    ReleaseSRWLockShared(&request->lock);
    return hr;
}

static HRESULT WINAPI request_GetCacheSoHFlag(INapSystemHealthAgentRequest *iface, BOOL *cache)
{
    struct request *request = impl_from_INapSystemHealthAgentRequest(iface);
    HRESULT hr = RPC_E_DISCONNECTED;

    TRACE("iface %p, cache %p.\n", iface, cache);

    if (!cache) return E_INVALIDARG;

    AcquireSRWLockShared(&request->lock);
    if (request->callback)
    {
        *cache = !!(request->callback->flags & NAPAGENT_SOH_CACHE);
        hr = S_OK;
    }
    ReleaseSRWLockShared(&request->lock);
    return hr;
}

static const INapSystemHealthAgentRequestVtbl request_vtbl =
{
    request_QueryInterface,
    request_AddRef,
    request_Release,
    request_GetCorrelationId,
    request_GetStringCorrelationId,
    request_SetSoHRequest,
    request_GetSoHRequest,
    request_GetSoHResponse,
    request_GetCacheSoHFlag,
};

HRESULT request_create(struct agent_callback *callback, INapSystemHealthAgentRequest **out)
{
    struct request *request;
    HRESULT hr;

    if (!(request = calloc(1, sizeof(*request)))) return E_OUTOFMEMORY;
    request->INapSystemHealthAgentRequest_iface.lpVtbl = &request_vtbl;
    request->refcount = 1;
    InitializeSRWLock(&request->lock);
    request->callback = callback;
    if (FAILED(hr = CoCreateFreeThreadedMarshaler((IUnknown *)&request->INapSystemHealthAgentRequest_iface,
                                                  &request->marshal)))
    {
        free(request);
        return hr;
    }
    module_addref();

    *out = &request->INapSystemHealthAgentRequest_iface;
    return S_OK;
}

void request_close(INapSystemHealthAgentRequest *iface)
{
    struct request *request = impl_from_INapSystemHealthAgentRequest(iface);

    AcquireSRWLockExclusive(&request->lock);
    request->callback = NULL;
    ReleaseSRWLockExclusive(&request->lock);
    INapSystemHealthAgentRequest_Release(iface);
}
