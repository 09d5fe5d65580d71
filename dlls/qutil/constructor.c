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

struct constructor
{
    INapSoHConstructor INapSoHConstructor_iface;
    LONG refcount;

    UINT16 count;       /* 0 before Initialize() */
    BYTE *wire;         /* the attributes' values, back to back */
    SIZE_T size;
    SIZE_T capacity;
    SoHAttribute attributes[maxSoHAttributeCount];
};

/* One for all: a constructor is short-lived, and a section of its own would cost it more than all else. */
static CRITICAL_SECTION constructor_cs;
static CRITICAL_SECTION_DEBUG constructor_cs_debug =
{
    0, 0, &constructor_cs,
    { &constructor_cs_debug.ProcessLocksList, &constructor_cs_debug.ProcessLocksList },
    0, 0, { (DWORD_PTR)(__FILE__ ": constructor_cs") }
};
static CRITICAL_SECTION constructor_cs = { &constructor_cs_debug, -1, 0, 0, 0, 0 };

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

    TRACE("iface %p, refcount %lu.\n", iface, refcount);

    if (!refcount)
    {
        free(constructor->wire);
        free(constructor);
        module_release();
    }
    return refcount;
}

static BOOL reserve(struct constructor *constructor, UINT16 size)
{
    SIZE_T capacity = max(256, constructor->capacity);
    BYTE *wire;

    while (capacity < constructor->size + size) capacity *= 2;
    if (capacity == constructor->capacity) return TRUE;
    if (!(wire = realloc(constructor->wire, capacity))) return FALSE;
    constructor->wire = wire;
    constructor->capacity = capacity;
    return TRUE;
}

static HRESULT append(struct constructor *constructor, SoHAttributeType type, const SoHAttributeValue *value)
{
    SoHAttribute *attribute;
    UINT16 size;

    if (constructor->count == maxSoHAttributeCount || !attribute_get_size(type, value, &size)) return E_INVALIDARG;
    if (!reserve(constructor, size)) return E_OUTOFMEMORY;

    attribute_encode(type, value, constructor->wire + constructor->size);
    attribute = &constructor->attributes[constructor->count++];
    attribute->type = type;
    attribute->size = size;
    constructor->size += size;
    return S_OK;
}

static HRESULT WINAPI constructor_Initialize(INapSoHConstructor *iface, SystemHealthEntityId id, BOOL is_request)
{
    struct constructor *constructor = impl_from_INapSoHConstructor(iface);
    SoHAttributeValue value;
    HRESULT hr;

    TRACE("iface %p, id %#x, is_request %d.\n", iface, id, is_request);

    value.idVal = id;
    EnterCriticalSection(&constructor_cs);
    if (constructor->count) hr = HRESULT_FROM_WIN32(ERROR_ALREADY_INITIALIZED);
    else hr = append(constructor, sohAttributeTypeSystemHealthId, &value);
    LeaveCriticalSection(&constructor_cs);
    return hr;
}

static HRESULT WINAPI constructor_AppendAttribute(INapSoHConstructor *iface, SoHAttributeType type,
        const SoHAttributeValue *value)
{
    struct constructor *constructor = impl_from_INapSoHConstructor(iface);
    HRESULT hr;

    TRACE("iface %p, type %u, value %p.\n", iface, type, value);

    EnterCriticalSection(&constructor_cs);
    if (!constructor->count) hr = NAP_E_NOT_INITIALIZED;
    else if (!value || type == sohAttributeTypeSystemHealthId) hr = E_INVALIDARG;
    else hr = append(constructor, type, value);
    LeaveCriticalSection(&constructor_cs);
    return hr;
}

static HRESULT WINAPI constructor_GetSoH(INapSoHConstructor *iface, SoH **out)
{
    struct constructor *constructor = impl_from_INapSoHConstructor(iface);
    HRESULT hr;

    TRACE("iface %p, out %p.\n", iface, out);

    if (!out) return E_INVALIDARG;
    *out = NULL;

    EnterCriticalSection(&constructor_cs);
    if (!constructor->count) hr = NAP_E_NOT_INITIALIZED;
    else
    {
        SoH soh = { constructor->count, constructor->attributes };
        BYTE *value = constructor->wire;
        UINT16 i;

        for (i = 0; i < soh.count; i++)
        {
            soh.attributes[i].value = value;
            value += soh.attributes[i].size;
        }
        hr = soh_copy(&soh, out);
    }
    LeaveCriticalSection(&constructor_cs);
    return hr;
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
    constructor->count = 0;
    constructor->wire = NULL;
    constructor->size = constructor->capacity = 0;
    module_addref();

    *out = (IUnknown *)&constructor->INapSoHConstructor_iface;
    return S_OK;
}
