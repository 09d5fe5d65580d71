/*
 * NapSoHProcessor: reads a statement of health
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
#include "naperror.h"

#include "wine/debug.h"

#include "qutil_private.h"

WINE_DEFAULT_DEBUG_CHANNEL(qutil);

struct processor
{
    INapSoHProcessor INapSoHProcessor_iface;
    LONG refcount;

    /* Set once by Initialize() and never changed, so that readers need no lock. */
    SoH *soh;
};

static struct processor *impl_from_INapSoHProcessor(INapSoHProcessor *iface)
{
    return CONTAINING_RECORD(iface, struct processor, INapSoHProcessor_iface);
}

static HRESULT WINAPI processor_QueryInterface(INapSoHProcessor *iface, REFIID iid, void **out)
{
    TRACE("iface %p, iid %s, out %p.\n", iface, debugstr_guid(iid), out);

    if (!out) return E_POINTER;
    if (IsEqualGUID(iid, &IID_IUnknown) || IsEqualGUID(iid, &IID_INapSoHProcessor))
    {
        INapSoHProcessor_AddRef(iface);
        *out = iface;
        return S_OK;
    }
    WARN("%s not implemented.\n", debugstr_guid(iid));
    *out = NULL;
    return E_NOINTERFACE;
}

static ULONG WINAPI processor_AddRef(INapSoHProcessor *iface)
{
    struct processor *processor = impl_from_INapSoHProcessor(iface);
    ULONG refcount = InterlockedIncrement(&processor->refcount);

    TRACE("iface %p, refcount %lu.\n", iface, refcount);

    return refcount;
}

static ULONG WINAPI processor_Release(INapSoHProcessor *iface)
{
    struct processor *processor = impl_from_INapSoHProcessor(iface);
    ULONG refcount = InterlockedDecrement(&processor->refcount);

    TRACE("iface %p, refcount %lu.\n", iface, refcount);

    if (!refcount)
    {
        free(processor->soh);
        free(processor);
        module_release();
    }
    return refcount;
}

static const SoH *get_soh(struct processor *processor)
{
    return InterlockedCompareExchangePointer((void **)&processor->soh, NULL, NULL);
}

static HRESULT WINAPI processor_Initialize(INapSoHProcessor *iface, const SoH *soh, BOOL is_request,
        SystemHealthEntityId *id)
{
    struct processor *processor = impl_from_INapSoHProcessor(iface);
    SoH *copy;

    TRACE("iface %p, soh %p, is_request %d, id %p.\n", iface, soh, is_request, id);

    if (!soh || !id) return E_INVALIDARG;
    if (get_soh(processor)) return HRESULT_FROM_WIN32(ERROR_ALREADY_INITIALIZED);
    if (!soh_is_valid(soh, is_request)) return NAP_E_INVALID_PACKET;
    if (!(copy = soh_pack(soh))) return E_OUTOFMEMORY;

    if (InterlockedCompareExchangePointer((void **)&processor->soh, copy, NULL))
    {
        free(copy);
        return HRESULT_FROM_WIN32(ERROR_ALREADY_INITIALIZED);
    }
    *id = soh_get_id(copy);
    return S_OK;
}

static HRESULT WINAPI processor_FindNextAttribute(INapSoHProcessor *iface, UINT16 from, SoHAttributeType type,
        UINT16 *location)
{
    const SoH *soh = get_soh(impl_from_INapSoHProcessor(iface));
    UINT16 i;

    TRACE("iface %p, from %u, type %u, location %p.\n", iface, from, type, location);

    if (!soh) return NAP_E_NOT_INITIALIZED;
    if (!location || from >= soh->count) return E_INVALIDARG;

    for (i = from; i < soh->count; i++)
    {
        if (soh->attributes[i].type == type)
        {
            *location = i;
            return S_OK;
        }
    }
    return HRESULT_FROM_WIN32(ERROR_FILE_NOT_FOUND);
}

static HRESULT WINAPI processor_GetAttribute(INapSoHProcessor *iface, UINT16 location, SoHAttributeType *type,
        SoHAttributeValue **value)
{
    const SoH *soh = get_soh(impl_from_INapSoHProcessor(iface));

    TRACE("iface %p, location %u, type %p, value %p.\n", iface, location, type, value);

    if (value) *value = NULL;
    if (!soh) return NAP_E_NOT_INITIALIZED;
    if (!type || !value || location >= soh->count) return E_INVALIDARG;

    *type = soh->attributes[location].type;
    return attribute_decode(&soh->attributes[location], value);
}

static HRESULT WINAPI processor_GetNumberOfAttributes(INapSoHProcessor *iface, UINT16 *count)
{
    const SoH *soh = get_soh(impl_from_INapSoHProcessor(iface));

    TRACE("iface %p, count %p.\n", iface, count);

    if (!soh) return NAP_E_NOT_INITIALIZED;
    if (!count) return E_INVALIDARG;

    *count = soh->count;
    return S_OK;
}

static const INapSoHProcessorVtbl processor_vtbl =
{
    processor_QueryInterface,
    processor_AddRef,
    processor_Release,
    processor_Initialize,
    processor_FindNextAttribute,
    processor_GetAttribute,
    processor_GetNumberOfAttributes,
};

HRESULT processor_create(IUnknown **out)
{
    struct processor *processor;

    if (!(processor = calloc(1, sizeof(*processor)))) return E_OUTOFMEMORY;
    processor->INapSoHProcessor_iface.lpVtbl = &processor_vtbl;
    processor->refcount = 1;
    module_addref();

    *out = (IUnknown *)&processor->INapSoHProcessor_iface;
    return S_OK;
}
