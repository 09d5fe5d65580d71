/*
 * NapSoHConstructor: builds a statement of health
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
#include "naperror.h"

#include "wine/debug.h"

#include "qutil_private.h"

WINE_DEFAULT_DEBUG_CHANNEL(qutil);

struct chunk
{
    struct chunk *next;
    BYTE wire[maxSoHAttributeSize];
};

/* Attributes neither move nor change once they are counted, so that reading them takes no lock. */
struct constructor
{
    INapSoHConstructor INapSoHConstructor_iface;
    LONG refcount;

    LONG appending;     /* whether a thread is */
    LONG count;         /* 0 before Initialize() */
    SoHAttribute attributes[maxSoHAttributeCount];
    BYTE *wire;         /* where the next attribute's value goes, and the room for it */
    SIZE_T room;
    struct chunk *chunks;
    BYTE first_wire[256];
};

static struct constructor *impl_from_INapSoHConstructor(INapSoHConstructor *iface)
{
    return CONTAINING_RECORD(iface, struct constructor, INapSoHConstructor_iface);
}

static HRESULT WINAPI constructor_QueryInterface(INapSoHConstructor *iface, REFIID iid, void **out)
{
    TRACE("iface %p, iid %s, out %p.\n", iface, debugstr_guid(iid), out);

    if (!out) return E_POINTER;
    if (IsEqualGUID(iid, &IID_IUnknown) || IsEqualGUID(iid, &IID_INapSoHConstructor))
    {
        INapSoHConstructor_AddRef(iface);
        *out = iface;
        return S_OK;
    }
    WARN("%s not implemented.\n", debugstr_guid(iid));
    *out = NULL;
    return E_NOINTERFACE;
}

static ULONG WINAPI constructor_AddRef(INapSoHConstructor *iface)
{
    struct constructor *constructor = impl_from_INapSoHConstructor(iface);
    ULONG refcount = InterlockedIncrement(&constructor->refcount);

    TRACE("iface %p, refcount %lu.\n", iface, refcount);

    return refcount;
}

static ULONG WINAPI constructor_Release(INapSoHConstructor *iface)
{
    struct constructor *constructor = impl_from_INapSoHConstructor(iface);
    ULONG refcount = InterlockedDecrement(&constructor->refcount);
    struct chunk *chunk;

    TRACE("iface %p, refcount %lu.\n", iface, refcount);

    if (!refcount)
    {
        while ((chunk = constructor->chunks))
        {
            constructor->chunks = chunk->next;
            free(chunk);
        }
        free(constructor);
        module_release();
    }
    return refcount;
}

/* Appending takes less time than entering and leaving a critical section would. */
static void begin_append(struct constructor *constructor)
{
    while (InterlockedExchange(&constructor->appending, TRUE)) SwitchToThread();
}

static void end_append(struct constructor *constructor)
{
    WriteRelease(&constructor->appending, FALSE);
}

static BOOL add_chunk(struct constructor *constructor)
{
    struct chunk *chunk;

    if (!(chunk = malloc(sizeof(*chunk)))) return FALSE;
    chunk->next = constructor->chunks;
    constructor->chunks = chunk;
    constructor->wire = chunk->wire;
    constructor->room = sizeof(chunk->wire);
    return TRUE;
}

static HRESULT append(struct constructor *constructor, SoHAttributeType type, const SoHAttributeValue *value)
{
    SoHAttribute *attribute = &constructor->attributes[constructor->count];
    UINT16 size;

    if (constructor->count == maxSoHAttributeCount) return E_INVALIDARG;
    for (;;)
    {
        if (!attribute_encode(type, value, constructor->wire, constructor->room, &size)) return E_INVALIDARG;
        if (size <= constructor->room) break;
        if (!add_chunk(constructor)) return E_OUTOFMEMORY;
    }
    attribute->type = type;
    attribute->size = size;
    attribute->value = constructor->wire;
    constructor->wire += size;
    constructor->room -= size;
    WriteRelease(&constructor->count, constructor->count + 1);
    return S_OK;
}

static HRESULT WINAPI constructor_Initialize(INapSoHConstructor *iface, SystemHealthEntityId id, BOOL is_request)
{
    struct constructor *constructor = impl_from_INapSoHConstructor(iface);
    SoHAttributeValue value;
    HRESULT hr;

    TRACE("iface %p, id %#x, is_request %d.\n", iface, id, is_request);

    value.idVal = id;
    begin_append(constructor);
    if (constructor->count) hr = HRESULT_FROM_WIN32(ERROR_ALREADY_INITIALIZED);
    else hr = append(constructor, sohAttributeTypeSystemHealthId, &value);
    end_append(constructor);
    return hr;
}

static HRESULT WINAPI constructor_AppendAttribute(INapSoHConstructor *iface, SoHAttributeType type,
        const SoHAttributeValue *value)
{
    struct constructor *constructor = impl_from_INapSoHConstructor(iface);
    HRESULT hr;

    TRACE("iface %p, type %u, value %p.\n", iface, type, value);

    begin_append(constructor);
    if (!constructor->count) hr = NAP_E_NOT_INITIALIZED;
    else if (!value || type == sohAttributeTypeSystemHealthId) hr = E_INVALIDARG;
    else hr = append(constructor, type, value);
    end_append(constructor);
    return hr;
}

static HRESULT WINAPI constructor_GetSoH(INapSoHConstructor *iface, SoH **out)
{
    struct constructor *constructor = impl_from_INapSoHConstructor(iface);
    SoH soh = { ReadAcquire(&constructor->count), constructor->attributes };

    TRACE("iface %p, out %p.\n", iface, out);

    if (!out) return E_INVALIDARG;
    *out = NULL;
    if (!soh.count) return NAP_E_NOT_INITIALIZED;
    return soh_copy(&soh, out);
}

static HRESULT WINAPI constructor_Validate(INapSoHConstructor *iface, const SoH *soh, BOOL is_request)
{
    TRACE("iface %p, soh %p, is_request %d.\n", iface, soh, is_request);

    if (!soh) return E_INVALIDARG;
    return soh_is_valid(soh, is_request) ? S_OK : NAP_E_INVALID_PACKET;
}

static const INapSoHConstructorVtbl constructor_vtbl =
{
    constructor_QueryInterface,
    constructor_AddRef,
    constructor_Release,
    constructor_Initialize,
    constructor_AppendAttribute,
    constructor_GetSoH,
    constructor_Validate,
};

HRESULT constructor_create(IUnknown **out)
{
    struct constructor *constructor;

    if (!(constructor = malloc(sizeof(*constructor)))) return E_OUTOFMEMORY;
    constructor->INapSoHConstructor_iface.lpVtbl = &constructor_vtbl;
    constructor->refcount = 1;
    constructor->appending = FALSE;
    constructor->count = 0;
    constructor->wire = constructor->first_wire;
    constructor->room = sizeof(constructor->first_wire);
    constructor->chunks = NULL;
    module_addref();

    *out = (IUnknown *)&constructor->INapSoHConstructor_iface;
    return S_OK;
}
