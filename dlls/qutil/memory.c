/*
 * Network Access Protection utilities, allocating and freeing structures
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
#include <string.h>
#include <wchar.h>

#include "windef.h"
#include "winbase.h"
#include "objbase.h"
#include "naputil.h"

#include "wine/debug.h"

#include "qutil_private.h"

WINE_DEFAULT_DEBUG_CHANNEL(qutil);

static void *alloc_array(SIZE_T count, SIZE_T size)
{
    void *array = CoTaskMemAlloc(count * size);

    if (array) memset(array, 0, count * size);
    return array;
}

HRESULT WINAPI AllocConnections(Connections **out, UINT16 count)
{
    Connections *connections;

    TRACE("out %p, count %u.\n", out, count);

    if (!out) return E_INVALIDARG;
    *out = NULL;
    if (count > maxConnectionCountPerEnforcer) return E_INVALIDARG;

    if (!(connections = CoTaskMemAlloc(sizeof(*connections)))) return E_OUTOFMEMORY;
    connections->count = count;
    connections->connections = NULL;
    if (count && !(connections->connections = alloc_array(count, sizeof(*connections->connections))))
    {
        CoTaskMemFree(connections);
        return E_OUTOFMEMORY;
    }
    *out = connections;
    return S_OK;
}

HRESULT WINAPI AllocCountedString(CountedString **out, const WCHAR *string)
{
    CountedString *counted;
    SIZE_T length;

    TRACE("out %p, string %s.\n", out, debugstr_w(string));

    if (!out) return E_INVALIDARG;
    *out = NULL;
    if (!string) return E_INVALIDARG;
    if ((length = wcslen(string)) > maxStringLength) return E_INVALIDARG;

    if (!(counted = CoTaskMemAlloc(sizeof(*counted)))) return E_OUTOFMEMORY;
    counted->length = length;
    if (!(counted->string = CoTaskMemAlloc((length + 1) * sizeof(*string))))
    {
        CoTaskMemFree(counted);
        return E_OUTOFMEMORY;
    }
    memcpy(counted->string, string, (length + 1) * sizeof(*string));
    *out = counted;
    return S_OK;
}

HRESULT WINAPI AllocFixupInfo(FixupInfo **out, UINT16 count)
{
    FixupInfo *info;

    TRACE("out %p, count %u.\n", out, count);

    if (!out) return E_INVALIDARG;
    *out = NULL;
    if (count > maxDwordCountPerSoHAttribute) return E_INVALIDARG;

    if (!(info = CoTaskMemAlloc(sizeof(*info)))) return E_OUTOFMEMORY;
    memset(info, 0, sizeof(*info));
    info->resultCodes.count = count;
    if (count && !(info->resultCodes.results = alloc_array(count, sizeof(*info->resultCodes.results))))
    {
        CoTaskMemFree(info);
        return E_OUTOFMEMORY;
    }
    *out = info;
    return S_OK;
}

void WINAPI FreeConnections(Connections *connections)
{
    UINT16 i;

    TRACE("connections %p.\n", connections);

    if (!connections) return;
    if (connections->connections)
    {
        for (i = 0; i < connections->count; i++)
        {
            if (connections->connections[i])
                INapEnforcementClientConnection_Release(connections->connections[i]);
        }
        CoTaskMemFree(connections->connections);
    }
    CoTaskMemFree(connections);
}

void WINAPI FreeCountedString(CountedString *string)
{
    TRACE("string %p.\n", string);

    if (!string) return;
    CoTaskMemFree(string->string);
    CoTaskMemFree(string);
}

void WINAPI FreeFixupInfo(FixupInfo *info)
{
    TRACE("info %p.\n", info);

    if (!info) return;
    CoTaskMemFree(info->resultCodes.results);
    CoTaskMemFree(info);
}

void WINAPI FreeIsolationInfo(IsolationInfo *info)
{
    TRACE("info %p.\n", info);

    if (!info) return;
    CoTaskMemFree(info->failureUrl.string);
    CoTaskMemFree(info);
}

void WINAPI FreeIsolationInfoEx(IsolationInfoEx *info)
{
    TRACE("info %p.\n", info);

    if (!info) return;
    CoTaskMemFree(info->failureUrl.string);
    CoTaskMemFree(info);
}

void WINAPI FreeNapComponentRegistrationInfoArray(UINT16 count, NapComponentRegistrationInfo **info)
{
    UINT16 i;

    TRACE("count %u, info %p.\n", count, info);

    if (!info || !*info) return;
    for (i = 0; i < count; i++)
    {
        CoTaskMemFree((*info)[i].friendlyName.string);
        CoTaskMemFree((*info)[i].description.string);
        CoTaskMemFree((*info)[i].version.string);
        CoTaskMemFree((*info)[i].vendorName.string);
    }
    CoTaskMemFree(*info);
    *info = NULL;
}

void WINAPI FreeNetworkSoH(NetworkSoH *soh)
{
    TRACE("soh %p.\n", soh);

    if (!soh) return;
    CoTaskMemFree(soh->data);
    CoTaskMemFree(soh);
}

void WINAPI FreePrivateData(PrivateData *data)
{
    TRACE("data %p.\n", data);

    if (!data) return;
    CoTaskMemFree(data->data);
    CoTaskMemFree(data);
}

void WINAPI FreeSoH(SoH *soh)
{
    TRACE("soh %p.\n", soh);

    soh_free(soh);
}

void WINAPI FreeSoHAttributeValue(SoHAttributeType type, SoHAttributeValue *value)
{
    TRACE("type %u, value %p.\n", type, value);

    attribute_free_value(type, value);
}

void WINAPI FreeSystemHealthAgentState(SystemHealthAgentState *state)
{
    TRACE("state %p.\n", state);

    if (!state) return;
    CoTaskMemFree(state->shaResultCodes.results);
    CoTaskMemFree(state->fixupInfo.resultCodes.results);
    CoTaskMemFree(state);
}
