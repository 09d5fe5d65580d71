/*
 * Attributes of a statement of health: how each type lies in memory and on the wire
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
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "windef.h"
#include "winbase.h"
#include "objbase.h"

#include "qutil_private.h"

/* A value is an integer, an array, or an integer and then an array. Integers come first in the union. */
struct attribute_form
{
    UINT8  integer;      /* bytes of the integer; 0: none */
    UINT8  element;      /* bytes of an element of the array; 0: no array */
    UINT8  unit;         /* bytes of the integers that an element is made of */
    UINT8  count_offset; /* where in the union the number of elements is, a UINT16 */
    UINT8  array_offset; /* where in the union the pointer to the elements is, a block of its own */
    UINT16 min_count;
    UINT16 max_count;
};

#define INTEGER(arm) sizeof(((SoHAttributeValue *)0)->arm)
#define ARRAY(arm, count, array) offsetof(SoHAttributeValue, arm.count), offsetof(SoHAttributeValue, arm.array)

/* Types that are not here, those of the future included, are octet strings. */
static const struct attribute_form octet_string =
    { 0, 1, 1, ARRAY(octetStringVal, size, data), 0, maxSoHAttributeSize };

static const struct attribute_form attribute_forms[] =
{
    [sohAttributeTypeSystemHealthId] =
        { INTEGER(idVal) },
    [sohAttributeTypeIpv4FixupServers] =
        { 0, sizeof(Ipv4Address), 1, ARRAY(v4AddressesVal, count, addresses), 1, maxIpv4CountPerSoHAttribute },
    [sohAttributeTypeComplianceResultCodes] =
        { 0, sizeof(HRESULT), sizeof(HRESULT), ARRAY(codesVal, count, results), 0, maxDwordCountPerSoHAttribute },
    [sohAttributeTypeTimeOfLastUpdate] =
        { INTEGER(dateTimeVal) },
    [sohAttributeTypeVendorSpecific] =
        { INTEGER(vendorSpecificVal.vendorId), 1, 1, ARRAY(vendorSpecificVal, size, vendorSpecificData),
          0, maxSoHAttributeSize - INTEGER(vendorSpecificVal.vendorId) },
    [sohAttributeTypeHealthClass] =
        { INTEGER(uint8Val) },
    [sohAttributeTypeSoHGenerationTime] =
        { INTEGER(dateTimeVal) },
    [sohAttributeTypeErrorCodes] =
        { 0, sizeof(HRESULT), sizeof(HRESULT), ARRAY(codesVal, count, results), 0, maxDwordCountPerSoHAttribute },
    [sohAttributeTypeFailureCategory] =
        { INTEGER(uint8Val) },
    [sohAttributeTypeIpv6FixupServers] =
        { 0, sizeof(Ipv6Address), 1, ARRAY(v6AddressesVal, count, addresses), 1, maxIpv6CountPerSoHAttribute },
    [sohAttributeTypeExtendedIsolationState] =
        { INTEGER(uint8Val) },
};

static const struct attribute_form *get_form(UINT type)
{
    const struct attribute_form *form;

    if (type >= ARRAY_SIZE(attribute_forms)) return &octet_string;
    form = &attribute_forms[type];
    return form->integer || form->element ? form : &octet_string;
}

static UINT16 *get_count(const struct attribute_form *form, const SoHAttributeValue *value)
{
    return (UINT16 *)((BYTE *)value + form->count_offset);
}

static BYTE **get_array(const struct attribute_form *form, const SoHAttributeValue *value)
{
    return (BYTE **)((BYTE *)value + form->array_offset);
}

/* Integers are little-endian in memory and big-endian on the wire, so that both ways are the same copy. */
static void copy_integer(BYTE *dst, const BYTE *src, UINT size)
{
    UINT i;

    for (i = 0; i < size; i++) dst[i] = src[size - 1 - i];
}

static void copy_array(BYTE *dst, const BYTE *src, UINT unit, UINT size)
{
    UINT i;

    if (unit == 1) memcpy(dst, src, size);
    else for (i = 0; i < size; i += unit) copy_integer(dst + i, src + i, unit);
}

/* Whether a value can be encoded, and to how many bytes; it is if there is room for them. */
BOOL attribute_encode(SoHAttributeType type, const SoHAttributeValue *value, BYTE *wire, SIZE_T room, UINT16 *size)
{
    const struct attribute_form *form = get_form(type);
    UINT16 count = 0;

    if ((UINT)type > 0xffff) return FALSE;
    if (form->element)
    {
        count = *get_count(form, value);
        if (count < form->min_count || count > form->max_count) return FALSE;
        if (count && !*get_array(form, value)) return FALSE;
    }
    *size = form->integer + count * form->element;
    if (*size > room) return TRUE;

    copy_integer(wire, (const BYTE *)value, form->integer);
    if (count) copy_array(wire + form->integer, *get_array(form, value), form->unit, count * form->element);
    return TRUE;
}

static BOOL attribute_is_valid(const SoHAttribute *attribute)
{
    const struct attribute_form *form = get_form(attribute->type);
    UINT size;

    if (attribute->size < form->integer || (attribute->size && !attribute->value)) return FALSE;

    size = attribute->size - form->integer;
    if (!form->element) return !size;
    return !(size % form->element) && size / form->element >= form->min_count
            && size / form->element <= form->max_count;
}

/* The attribute is one of a statement of health that soh_is_valid() took. */
HRESULT attribute_decode(const SoHAttribute *attribute, SoHAttributeValue **out)
{
    const struct attribute_form *form = get_form(attribute->type);
    UINT size = attribute->size - form->integer;
    SoHAttributeValue *value;
    BYTE **array;

    *out = NULL;
    if (!(value = CoTaskMemAlloc(sizeof(*value)))) return E_OUTOFMEMORY;
    memset(value, 0, sizeof(*value));

    copy_integer((BYTE *)value, attribute->value, form->integer);
    if (size)
    {
        array = get_array(form, value);
        if (!(*array = CoTaskMemAlloc(size)))
        {
            CoTaskMemFree(value);
            return E_OUTOFMEMORY;
        }
        copy_array(*array, attribute->value + form->integer, form->unit, size);
        *get_count(form, value) = size / form->element;
    }
    *out = value;
    return S_OK;
}

void attribute_free_value(SoHAttributeType type, SoHAttributeValue *value)
{
    const struct attribute_form *form = get_form(type);

    if (!value) return;
    if (form->element) CoTaskMemFree(*get_array(form, value));
    CoTaskMemFree(value);
}

BOOL soh_is_valid(const SoH *soh, BOOL is_request)
{
    UINT i, verdicts = 0, fixup_servers = 0;

    if (!soh->count || soh->count > maxSoHAttributeCount || !soh->attributes) return FALSE;

    for (i = 0; i < soh->count; i++)
    {
        const SoHAttribute *attribute = &soh->attributes[i];

        if (!attribute_is_valid(attribute)) return FALSE;
        switch (attribute->type)
        {
        case sohAttributeTypeSystemHealthId:
            if (i) return FALSE;
            break;
        case sohAttributeTypeIpv4FixupServers:
        case sohAttributeTypeIpv6FixupServers:
            fixup_servers++;
            break;
        case sohAttributeTypeComplianceResultCodes:
        case sohAttributeTypeFailureCategory:
            verdicts++;
            break;
        }
    }
    if (soh->attributes[0].type != sohAttributeTypeSystemHealthId) return FALSE;
    return is_request || (verdicts && fixup_servers <= 1);
}

SystemHealthEntityId soh_get_id(const SoH *soh)
{
    SystemHealthEntityId id;

    copy_integer((BYTE *)&id, soh->attributes[0].value, sizeof(id));
    return id;
}

/* A copy for a caller, freed by soh_free() or block by block. */
HRESULT soh_copy(const SoH *soh, SoH **out)
{
    SoH *copy;
    UINT16 i;

    *out = NULL;
    if (!(copy = CoTaskMemAlloc(sizeof(*copy)))) return E_OUTOFMEMORY;
    copy->count = 0;
    if (!(copy->attributes = CoTaskMemAlloc(soh->count * sizeof(*copy->attributes)))) goto failed;

    for (i = 0; i < soh->count; i++)
    {
        const SoHAttribute *src = &soh->attributes[i];
        SoHAttribute *dst = &copy->attributes[i];

        *dst = *src;
        dst->value = NULL;
        if (src->size)
        {
            if (!(dst->value = CoTaskMemAlloc(src->size))) goto failed;
            memcpy(dst->value, src->value, src->size);
        }
        copy->count++;
    }
    *out = copy;
    return S_OK;

failed:
    soh_free(copy);
    return E_OUTOFMEMORY;
}

/* A copy for ourselves, in one block of the C heap. */
SoH *soh_pack(const SoH *soh)
{
    SIZE_T size = sizeof(*soh) + soh->count * sizeof(*soh->attributes);
    BYTE *values;
    SoH *copy;
    UINT16 i;

    for (i = 0; i < soh->count; i++) size += soh->attributes[i].size;
    if (!(copy = malloc(size))) return NULL;

    copy->count = soh->count;
    copy->attributes = (SoHAttribute *)(copy + 1);
    values = (BYTE *)(copy->attributes + soh->count);
    for (i = 0; i < soh->count; i++)
    {
        copy->attributes[i] = soh->attributes[i];
        copy->attributes[i].value = values;
        if (soh->attributes[i].size) memcpy(values, soh->attributes[i].value, soh->attributes[i].size);
        values += soh->attributes[i].size;
    }
    return copy;
}

void soh_free(SoH *soh)
{
    UINT16 i;

    if (!soh) return;
    if (soh->attributes)
    {
        for (i = 0; i < soh->count; i++) CoTaskMemFree(soh->attributes[i].value);
        CoTaskMemFree(soh->attributes);
    }
    CoTaskMemFree(soh);
}
