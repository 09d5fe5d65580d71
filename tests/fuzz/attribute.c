/*
 * Feeds arbitrary statements of health and attribute values to dlls/qutil/attribute.c, built for the host
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

/* An input, with its integers big-endian; what it lacks at its end is made up:
 *   1  even: an SoH; odd: a value
 *   1  which allocation of each function fails, counted from 1; 0: none
 * and of an SoH
 *   1  enum lie
 *   1  the attribute that it is about
 *   then attributes: 2 type, 2 size, the value
 * or of a value
 *   4  type
 *   1  odd: the pointer to the array is NULL
 *   2  elements of the array
 *   then integers and elements, as they lie in memory
 */

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "windef.h"
#include "winbase.h"
#include "objbase.h"

#include "qutil_private.h"

#include "harness.h"

#define MAX_ATTRIBUTES 102

/* In which way an SoH isn't what its attributes are */
enum lie
{
    LIE_NONE,
    LIE_COUNT_0,            /* count is 0 */
    LIE_COUNT_TOO_LARGE,    /* count is over 100, the array can't be read */
    LIE_NULL_ATTRIBUTES,    /* the array is NULL */
    LIE_NULL_VALUE,         /* a value is NULL, whatever its size */
    LIE_SIZE_TOO_LARGE,     /* a value's size is over 4000, and it can't be read */
    LIE_EMPTY_UNREADABLE,   /* values without bytes can't be read instead of being NULL */
    LIES
};

static UINT task_blocks;

void * WINAPI CoTaskMemAlloc(SIZE_T size)
{
    return alloc_block(size, &task_blocks);
}

void WINAPI CoTaskMemFree(void *block)
{
    free_block(block, &task_blocks);
}

/* ---- what is expected ---- */

static void set_array(UINT type, SoHAttributeValue *value, UINT16 count, void *array)
{
    switch (type)
    {
    case sohAttributeTypeIpv4FixupServers:
        value->v4AddressesVal.count = count;
        value->v4AddressesVal.addresses = array;
        break;
    case sohAttributeTypeIpv6FixupServers:
        value->v6AddressesVal.count = count;
        value->v6AddressesVal.addresses = array;
        break;
    case sohAttributeTypeComplianceResultCodes:
    case sohAttributeTypeErrorCodes:
        value->codesVal.count = count;
        value->codesVal.results = array;
        break;
    case sohAttributeTypeVendorSpecific:
        value->vendorSpecificVal.size = count;
        value->vendorSpecificVal.vendorSpecificData = array;
        break;
    default:
        value->octetStringVal.size = count;
        value->octetStringVal.data = array;
        break;
    }
}

/* That a value and its wire form say the same */
static void check_value(UINT type, const SoHAttributeValue *value, const BYTE *wire, UINT size)
{
    UINT i;

    switch (type)
    {
    case sohAttributeTypeSystemHealthId:
        require(size == 4);
        require(value->idVal == be32(wire));
        break;
    case sohAttributeTypeIpv4FixupServers:
        require(size == value->v4AddressesVal.count * 4u);
        require(same(value->v4AddressesVal.addresses, wire, size));
        break;
    case sohAttributeTypeIpv6FixupServers:
        require(size == value->v6AddressesVal.count * 16u);
        require(same(value->v6AddressesVal.addresses, wire, size));
        break;
    case sohAttributeTypeComplianceResultCodes:
    case sohAttributeTypeErrorCodes:
        require(size == value->codesVal.count * 4u);
        for (i = 0; i < value->codesVal.count; i++)
            require((UINT32)value->codesVal.results[i] == be32(wire + 4 * i));
        break;
    case sohAttributeTypeTimeOfLastUpdate:
    case sohAttributeTypeSoHGenerationTime:
        require(size == 8);
        require(value->dateTimeVal.dwHighDateTime == be32(wire));
        require(value->dateTimeVal.dwLowDateTime == be32(wire + 4));
        break;
    case sohAttributeTypeVendorSpecific:
        require(size == value->vendorSpecificVal.size + 4u);
        require(value->vendorSpecificVal.vendorId == be32(wire));
        require(same(value->vendorSpecificVal.vendorSpecificData, wire + 4, size - 4));
        break;
    case sohAttributeTypeHealthClass:
    case sohAttributeTypeFailureCategory:
    case sohAttributeTypeExtendedIsolationState:
        require(size == 1);
        require(value->uint8Val == wire[0]);
        break;
    default:
        require(size == value->octetStringVal.size);
        require(same(value->octetStringVal.data, wire, size));
        break;
    }
}

static BOOL expect_attribute(const SoHAttribute *attribute)
{
    return (!attribute->size || attribute->value) && expect_size(attribute->type, attribute->size);
}

static BOOL expect_soh(const SoH *soh, BOOL is_request)
{
    UINT i, fixup_servers = 0;
    BOOL verdict = FALSE;

    if (soh->count < 1 || soh->count > 100 || !soh->attributes) return FALSE;
    for (i = 0; i < soh->count; i++)
    {
        UINT type = soh->attributes[i].type;

        if (!expect_attribute(&soh->attributes[i])) return FALSE;
        if ((i == 0) != (type == sohAttributeTypeSystemHealthId)) return FALSE;
        if (type == sohAttributeTypeComplianceResultCodes || type == sohAttributeTypeFailureCategory) verdict = TRUE;
        if (type == sohAttributeTypeIpv4FixupServers || type == sohAttributeTypeIpv6FixupServers) fixup_servers++;
    }
    return is_request || (verdict && fixup_servers < 2);
}

/* ---- using it as the interfaces do ---- */

static SoHAttributeValue *decode(const SoHAttribute *attribute)
{
    SoHAttributeValue *value = UNREADABLE;
    UINT blocks = task_blocks;
    HRESULT hr;

    start_failing();
    hr = attribute_decode(attribute, &value);
    if (stop_failing())
    {
        require(hr == E_OUTOFMEMORY);
        require(!value);
        require(task_blocks == blocks);
        hr = attribute_decode(attribute, &value);
    }
    require(hr == S_OK);
    require(value != UNREADABLE);
    check_value(attribute->type, value, attribute->value, attribute->size);
    return value;
}

static SoH *copy_soh(const SoH *soh)
{
    UINT blocks = task_blocks;
    SoH *copy = UNREADABLE;
    HRESULT hr;

    start_failing();
    hr = soh_copy(soh, &copy);
    if (stop_failing())
    {
        require(hr == E_OUTOFMEMORY);
        require(!copy);
        require(task_blocks == blocks);
        hr = soh_copy(soh, &copy);
    }
    require(hr == S_OK);
    return copy;
}

static SoH *pack_soh(const SoH *soh)
{
    SoH *copy;

    start_failing();
    copy = soh_pack(soh);
    if (stop_failing())
    {
        require(!copy);
        require(!heap_blocks);
        copy = soh_pack(soh);
    }
    require(copy);
    return copy;
}

/* Into a block of just that size, with as much room or more */
static BYTE *encode(UINT type, const SoHAttributeValue *value, UINT16 size, SIZE_T room)
{
    BYTE *wire = size ? malloc(size) : UNREADABLE;
    UINT16 told = ~size;

    require(wire);
    require(attribute_encode(type, value, wire, room, &told));
    require(told == size);
    return wire;
}

/* Nothing is written where there is no room for all of it. */
static BOOL get_size(UINT type, const SoHAttributeValue *value, UINT16 *size)
{
    UINT16 told;

    if (!attribute_encode(type, value, UNREADABLE, 0, size)) return FALSE;
    if (*size) require(attribute_encode(type, value, UNREADABLE, *size - 1, &told) && told == *size);
    return TRUE;
}

static void free_wire(BYTE *wire)
{
    if (wire != UNREADABLE) free(wire);
}

static void check_copy(const SoH *copy, const SoH *soh)
{
    UINT i;

    require(copy->count == soh->count);
    require(copy->attributes != soh->attributes);
    for (i = 0; i < soh->count; i++)
    {
        require(copy->attributes[i].type == soh->attributes[i].type);
        require(copy->attributes[i].size == soh->attributes[i].size);
        if (!soh->attributes[i].size) continue;
        require(copy->attributes[i].value != soh->attributes[i].value);
        require(same(copy->attributes[i].value, soh->attributes[i].value, soh->attributes[i].size));
    }
    require(expect_soh(copy, TRUE) && soh_is_valid(copy, TRUE));
    require(soh_get_id(copy) == be32(soh->attributes[0].value));
}

static void use_soh(const SoH *soh)
{
    SoHAttributeValue *value;
    UINT16 size;
    BYTE *wire;
    SoH *copy;
    UINT i;

    require(soh_get_id(soh) == be32(soh->attributes[0].value));

    copy = pack_soh(soh);
    check_copy(copy, soh);
    heap_free(copy);

    copy = copy_soh(soh);
    check_copy(copy, soh);
    soh_free(copy);

    for (i = 0; i < soh->count; i++)
    {
        const SoHAttribute *attribute = &soh->attributes[i];

        value = decode(attribute);
        require(get_size(attribute->type, value, &size));
        require(size == attribute->size);
        wire = encode(attribute->type, value, size, size);
        require(same(wire, attribute->value, size));
        free_wire(wire);
        attribute_free_value(attribute->type, value);
    }
}

static void fuzz_soh(struct input *input)
{
    SoHAttribute attributes[MAX_ATTRIBUTES], *attribute;
    enum lie lie = get_integer(input, 1) % LIES;
    UINT index = get_integer(input, 1), i;
    SoH *soh, told = {0};
    BOOL request;

    for (told.count = 0; told.count < MAX_ATTRIBUTES && input->size; told.count++)
    {
        attribute = &attributes[told.count];
        attribute->type = get_integer(input, 2);
        attribute->size = get_integer(input, 2);
        attribute->value = NULL;
        if (!attribute->size || attribute->size > maxSoHAttributeSize) continue;
        attribute->value = CoTaskMemAlloc(attribute->size);
        get_bytes(input, attribute->value, attribute->size);
    }

    soh = CoTaskMemAlloc(sizeof(*soh));
    soh->count = told.count;
    soh->attributes = CoTaskMemAlloc(told.count * sizeof(*attributes));
    memcpy(soh->attributes, attributes, told.count * sizeof(*attributes));

    require((told.attributes = malloc(told.count * sizeof(*attributes))));
    memcpy(told.attributes, attributes, told.count * sizeof(*attributes));
    for (i = 0; i < told.count; i++)
    {
        attribute = &told.attributes[i];
        if (attribute->size > maxSoHAttributeSize || (!attribute->size && lie == LIE_EMPTY_UNREADABLE))
            attribute->value = UNREADABLE;
        if (i != index % told.count) continue;
        if (lie == LIE_NULL_VALUE) attribute->value = NULL;
        if (lie == LIE_SIZE_TOO_LARGE)
        {
            attribute->size = maxSoHAttributeSize + 1 + attribute->size % (0xffff - maxSoHAttributeSize);
            attribute->value = UNREADABLE;
        }
    }

    attribute = told.attributes;
    if (lie == LIE_NULL_ATTRIBUTES) told.attributes = NULL;
    else if (lie == LIE_COUNT_TOO_LARGE) told.attributes = UNREADABLE;
    if (lie == LIE_COUNT_TOO_LARGE) told.count = 101 + index * 256;
    if (lie == LIE_COUNT_0) told.count = 0;
    if (!told.count) told.attributes = UNREADABLE;

    request = soh_is_valid(&told, TRUE);
    if (lie == LIE_COUNT_TOO_LARGE) require(!request);
    else require(request == expect_soh(&told, TRUE));
    require(soh_is_valid(&told, FALSE) == (request && expect_soh(&told, FALSE)));
    if (request) use_soh(&told);
    free(attribute);

    /* What a client gives back may be its own work, and half done. */
    soh_free(soh);
    soh = CoTaskMemAlloc(sizeof(*soh));
    soh->count = index;
    soh->attributes = NULL;
    soh_free(soh);
    soh_free(NULL);
}

static void fuzz_value(struct input *input)
{
    static BYTE id[4] = {0x00, 0x01, 0x37, 0xf0};
    UINT type = get_integer(input, 4), count;
    BOOL is_null = get_integer(input, 1) & 1;
    struct rule rule = get_rule(type);
    SoHAttributeValue *value, *own;
    SoHAttribute attributes[2];
    SoH soh = {2, attributes};
    void *array = NULL;
    BOOL expected;
    UINT16 size;
    BYTE *wire;

    count = get_integer(input, 2);
    require((value = malloc(sizeof(*value))));
    memset(value, 0xcc, sizeof(*value));
    if (rule.integer) get_bytes(input, value, rule.integer);
    if (rule.element)
    {
        if (!is_null && (!count || count > rule.max_count)) array = UNREADABLE;
        else if (!is_null)
        {
            require((array = malloc(count * rule.element)));
            get_bytes(input, array, count * rule.element);
        }
        set_array(type, value, count, array);
    }
    else count = 0;

    expected = type <= 0xffff && count >= rule.min_count && count <= rule.max_count && (!count || array);
    require(get_size(type, value, &size) == expected);
    if (expected)
    {
        require(size == rule.integer + count * rule.element);
        wire = encode(type, value, size, maxSoHAttributeSize);
        check_value(type, value, wire, size);

        /* What can be appended can be part of a valid SoH. */
        attributes[0].type = sohAttributeTypeSystemHealthId;
        attributes[0].size = sizeof(id);
        attributes[0].value = id;
        attributes[1].type = type;
        attributes[1].size = size;
        attributes[1].value = wire;
        if (type != sohAttributeTypeSystemHealthId) require(soh_is_valid(&soh, TRUE));
        attribute_free_value(type, decode(&attributes[1]));
        free_wire(wire);
    }
    if (array != UNREADABLE) free(array);

    /* A client may have made the value itself, with a type that was never appended. */
    own = CoTaskMemAlloc(sizeof(*own));
    *own = *value;
    if (rule.element) set_array(type, own, count, is_null ? NULL : CoTaskMemAlloc(rule.element));
    attribute_free_value(type, own);
    attribute_free_value(type, NULL);
    free(value);
}

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    BOOL is_value = get_integer(&input, 1) & 1;

    fail_at = get_integer(&input, 1);
    if (is_value) fuzz_value(&input);
    else fuzz_soh(&input);

    require(!task_blocks);
    require(!heap_blocks);
    return 0;
}
