/*
 * Statements of health and correlation ids, in the forms that others have them
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
#include <wchar.h>

#include "windef.h"
#include "winbase.h"
#include "objbase.h"

#include "qagent_private.h"

#define ATTRIBUTE_HEADER 4 /* bytes: type and size */

static UINT16 get_be16(const BYTE *bytes)
{
    return bytes[0] << 8 | bytes[1];
}

static void put_be16(BYTE *bytes, UINT16 value)
{
    bytes[0] = value >> 8;
    bytes[1] = value;
}

/* What makes a SoH a valid one, qutil knows. Asking it takes no state, so that one object does for all. */
static INapSoHConstructor *validator;

static HRESULT create_validator(void)
{
    INapSoHConstructor *constructor;
    HRESULT hr;

    if (FAILED(hr = CoCreateInstance(&CLSID_NapSoHConstructor, NULL, CLSCTX_INPROC_SERVER, &IID_INapSoHConstructor,
                                     (void **)&constructor)))
        return hr;
    if (InterlockedCompareExchangePointer((void **)&validator, constructor, NULL))
        INapSoHConstructor_Release(constructor);
    return S_OK;
}

HRESULT soh_validate(const SoH *soh)
{
    HRESULT hr;

    if (!validator && FAILED(hr = create_validator())) return hr;
    return INapSoHConstructor_Validate(validator, soh, TRUE);
}

void soh_exit(void)
{
    if (validator) INapSoHConstructor_Release(validator);
}

/* The SoH is a valid one. */
BOOL soh_has_id(const SoH *soh, SystemHealthEntityId id)
{
    const BYTE *value = soh->attributes[0].value;

    return ((UINT32)get_be16(value) << 16 | get_be16(value + 2)) == id;
}

/* The SoH is a valid one. */
HRESULT soh_to_wire(const SoH *soh, BYTE **wire, UINT32 *size)
{
    BYTE *next;
    UINT16 i;

    for (*size = i = 0; i < soh->count; i++) *size += ATTRIBUTE_HEADER + soh->attributes[i].size;
    if (*size > maxNetworkSoHSize) return NAP_E_INVALID_PACKET;
    if (!(*wire = next = malloc(max(*size, 1)))) return E_OUTOFMEMORY;

    for (i = 0; i < soh->count; i++)
    {
        const SoHAttribute *attribute = &soh->attributes[i];

        put_be16(next, attribute->type);
        put_be16(next + 2, attribute->size);
        if (attribute->size) memcpy(next + ATTRIBUTE_HEADER, attribute->value, attribute->size);
        next += ATTRIBUTE_HEADER + attribute->size;
    }
    return S_OK;
}

static HRESULT count_attributes(const BYTE *wire, UINT32 size, UINT16 *count)
{
    for (*count = 0; size; ++*count)
    {
        UINT32 attribute_size;

        if (size < ATTRIBUTE_HEADER || *count == maxSoHAttributeCount) return NAP_E_INVALID_PACKET;
        attribute_size = get_be16(wire + 2);
        if (attribute_size > maxSoHAttributeSize || attribute_size > size - ATTRIBUTE_HEADER)
            return NAP_E_INVALID_PACKET;
        wire += ATTRIBUTE_HEADER + attribute_size;
        size -= ATTRIBUTE_HEADER + attribute_size;
    }
    return *count ? S_OK : NAP_E_INVALID_PACKET;
}

HRESULT soh_from_wire(const BYTE *wire, UINT32 size, SoH **out)
{
    UINT16 count, i;
    HRESULT hr;
    SoH *soh;

    *out = NULL;
    if (FAILED(hr = count_attributes(wire, size, &count))) return hr;

    if (!(soh = CoTaskMemAlloc(sizeof(*soh)))) return E_OUTOFMEMORY;
    soh->count = count;
    if (!(soh->attributes = CoTaskMemAlloc(count * sizeof(*soh->attributes)))) goto failed;
    memset(soh->attributes, 0, count * sizeof(*soh->attributes));

    for (i = 0; i < count; i++)
    {
        SoHAttribute *attribute = &soh->attributes[i];

        attribute->type = get_be16(wire);
        attribute->size = get_be16(wire + 2);
        wire += ATTRIBUTE_HEADER;
        if (!attribute->size) continue;
        if (!(attribute->value = CoTaskMemAlloc(attribute->size))) goto failed;
        memcpy(attribute->value, wire, attribute->size);
        wire += attribute->size;
    }
    *out = soh;
    return S_OK;

failed:
    FreeSoH(soh);
    return E_OUTOFMEMORY;
}

HRESULT correlation_id_to_string(const CorrelationId *id, StringCorrelationId **out)
{
    WCHAR string[80], guid[39];
    SYSTEMTIME time;

    *out = NULL;
    if (!FileTimeToSystemTime(&id->timeStamp, &time)) return HRESULT_FROM_WIN32(GetLastError());
    StringFromGUID2(&id->connId, guid, ARRAY_SIZE(guid));
    swprintf(string, ARRAY_SIZE(string), L"%s - %04u-%02u-%02u %02u:%02u:%02u.%03uZ", guid, time.wYear, time.wMonth,
            time.wDay, time.wHour, time.wMinute, time.wSecond, time.wMilliseconds);
    return AllocCountedString(out, string);
}
