/*
 * What the tests of qutil.dll's classes have in common
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

#ifndef __WINE_QUTIL_TEST_H
#define __WINE_QUTIL_TEST_H

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "windef.h"
#include "winbase.h"
#include "objbase.h"
#include "naperror.h"
#include "naputil.h"

#include "wine/test.h"
#include "malloc_spy.h"

#define PAGE_SIZE 0x1000

static HMODULE qutil;
static HRESULT (WINAPI *pDllCanUnloadNow)(void);
static HRESULT (WINAPI *pDllGetClassObject)(REFCLSID, REFIID, void **);
static HRESULT (WINAPI *pAllocConnections)(Connections **, UINT16);
static HRESULT (WINAPI *pAllocCountedString)(CountedString **, const WCHAR *);
static HRESULT (WINAPI *pAllocFixupInfo)(FixupInfo **, UINT16);
static void (WINAPI *pFreeConnections)(Connections *);
static void (WINAPI *pFreeCountedString)(CountedString *);
static void (WINAPI *pFreeFixupInfo)(FixupInfo *);
static void (WINAPI *pFreeNapComponentRegistrationInfoArray)(UINT16, NapComponentRegistrationInfo **);
static void (WINAPI *pFreeSoH)(SoH *);
static void (WINAPI *pFreeSoHAttributeValue)(SoHAttributeType, SoHAttributeValue *);

static inline BOOL load_qutil(void)
{
    BOOL complete = TRUE;

    if (!(qutil = LoadLibraryW(L"qutil.dll")))
    {
        win_skip("qutil.dll is not available.\n");
        return FALSE;
    }
#define X(f) complete = (p##f = (void *)GetProcAddress(qutil, #f)) && complete
    X(DllCanUnloadNow);
    X(DllGetClassObject);
    X(AllocConnections);
    X(AllocCountedString);
    X(AllocFixupInfo);
    X(FreeConnections);
    X(FreeCountedString);
    X(FreeFixupInfo);
    X(FreeNapComponentRegistrationInfoArray);
    X(FreeSoH);
    X(FreeSoHAttributeValue);
#undef X
    if (!complete)
    {
        win_skip("qutil.dll lacks functions.\n");
        FreeLibrary(qutil);
    }
    return complete;
}

static inline BOOL is_wine(void)
{
    return !strcmp(winetest_platform, "wine");
}

/* Where nothing is published, a call may crash, or do harm that shows later. On Windows such a case is unknown.c's
 * alone, which asks it in a process of its own. */
#define left_to_unknown(what) (!is_wine() && (skip(what ": not published, so unknown.c asks.\n"), TRUE))

/* For what isn't published: Windows may return anything. */
#define check_unknown_hr(hr, expected) check_unknown_hr_(__LINE__, hr, expected)
static inline void check_unknown_hr_(int line, HRESULT hr, HRESULT expected)
{
    ok_(__FILE__, line)(hr == expected || broken(hr != expected), "Got hr %#lx, expected %#lx.\n", hr, expected);
}

/* For what must fail, in a way that isn't published. */
#define check_failure(hr, expected) check_failure_(__LINE__, hr, expected)
static inline void check_failure_(int line, HRESULT hr, HRESULT expected)
{
    ok_(__FILE__, line)(hr == expected || broken(FAILED(hr)), "Got hr %#lx, expected %#lx.\n", hr, expected);
}

/* An out pointer after a failure. */
#define check_null_out(out) check_null_out_(__LINE__, out)
static inline void check_null_out_(int line, const void *out)
{
    ok_(__FILE__, line)(!out || broken(!!out), "Got %p.\n", out);
}

#define check_block(block, size) check_block_(__LINE__, block, size)
static inline void check_block_(int line, const void *block, SIZE_T size)
{
    BOOL is_block = spy_is_block(block);

    ok_(__FILE__, line)(is_block, "%p is no CoTaskMem block.\n", block);
    if (is_block)
        ok_(__FILE__, line)(spy_block_size(block) >= size, "Got %lu bytes, expected at least %lu.\n",
                (unsigned long)spy_block_size(block), (unsigned long)size);
}

/* Memory that ends right before a page that can't be accessed, a size of 0 being in that page. */
static inline void *alloc_guarded(SIZE_T size)
{
    SIZE_T accessible = (size + PAGE_SIZE - 1) & ~(SIZE_T)(PAGE_SIZE - 1);
    DWORD protect;
    BYTE *base;
    BOOL ret;

    base = VirtualAlloc(NULL, accessible + PAGE_SIZE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    ok(!!base, "Failed to allocate %lu bytes.\n", (unsigned long)size);
    ret = VirtualProtect(base + accessible, PAGE_SIZE, PAGE_NOACCESS, &protect);
    ok(ret, "Failed to protect the guard page, error %lu.\n", GetLastError());
    return base + accessible - size;
}

/* From now on the memory can only be read. */
static inline void freeze_guarded(void *memory, SIZE_T size)
{
    DWORD protect;
    BOOL ret;

    if (!size)
        return;
    ret = VirtualProtect(memory, size, PAGE_READONLY, &protect);
    ok(ret, "Failed to protect the memory, error %lu.\n", GetLastError());
}

static inline void *copy_guarded(const void *source, SIZE_T size)
{
    void *memory = alloc_guarded(size);

    if (size)
        memcpy(memory, source, size);
    freeze_guarded(memory, size);
    return memory;
}

static inline void free_guarded(const void *memory)
{
    MEMORY_BASIC_INFORMATION info;
    BOOL ret;

    ret = VirtualQuery(memory, &info, sizeof(info)) && VirtualFree(info.AllocationBase, 0, MEM_RELEASE);
    ok(ret, "Failed to free %p, error %lu.\n", memory, GetLastError());
}

static inline HRESULT create_instance(const CLSID *clsid, const IID *iid, void **out)
{
    IClassFactory *factory;
    HRESULT hr;

    *out = NULL;
    hr = pDllGetClassObject(clsid, &IID_IClassFactory, (void **)&factory);
    if (hr != S_OK)
        return hr;
    hr = IClassFactory_CreateInstance(factory, NULL, iid, out);
    IClassFactory_Release(factory);
    return hr;
}

#define create_constructor() create_constructor_(__LINE__)
static inline INapSoHConstructor *create_constructor_(int line)
{
    INapSoHConstructor *constructor;
    HRESULT hr;

    hr = create_instance(&CLSID_NapSoHConstructor, &IID_INapSoHConstructor, (void **)&constructor);
    ok_(__FILE__, line)(hr == S_OK, "Failed to create a constructor, hr %#lx.\n", hr);
    return constructor;
}

#define create_packet(id, is_request) create_packet_(__LINE__, id, is_request)
static inline INapSoHConstructor *create_packet_(int line, SystemHealthEntityId id, BOOL is_request)
{
    INapSoHConstructor *constructor = create_constructor_(line);
    HRESULT hr;

    hr = INapSoHConstructor_Initialize(constructor, id, is_request);
    ok_(__FILE__, line)(hr == S_OK, "Failed to initialize the constructor, hr %#lx.\n", hr);
    return constructor;
}

#define create_processor() create_processor_(__LINE__)
static inline INapSoHProcessor *create_processor_(int line)
{
    INapSoHProcessor *processor;
    HRESULT hr;

    hr = create_instance(&CLSID_NapSoHProcessor, &IID_INapSoHProcessor, (void **)&processor);
    ok_(__FILE__, line)(hr == S_OK, "Failed to create a processor, hr %#lx.\n", hr);
    return processor;
}

#define create_reader(soh, is_request) create_reader_(__LINE__, soh, is_request)
static inline INapSoHProcessor *create_reader_(int line, const SoH *soh, BOOL is_request)
{
    INapSoHProcessor *processor = create_processor_(line);
    SystemHealthEntityId id;
    HRESULT hr;

    hr = INapSoHProcessor_Initialize(processor, soh, is_request, &id);
    ok_(__FILE__, line)(hr == S_OK, "Failed to initialize the processor, hr %#lx.\n", hr);
    return processor;
}

#define release_object(object) release_object_(__LINE__, (IUnknown *)(object))
static inline void release_object_(int line, IUnknown *object)
{
    ULONG refs = IUnknown_Release(object);

    ok_(__FILE__, line)(!refs, "Got %lu references.\n", refs);
}

#define get_soh(constructor) get_soh_(__LINE__, constructor)
static inline SoH *get_soh_(int line, INapSoHConstructor *constructor)
{
    SoH *soh = (void *)0xdeadbeef;
    HRESULT hr;

    hr = INapSoHConstructor_GetSoH(constructor, &soh);
    ok_(__FILE__, line)(hr == S_OK, "Failed to get the SoH, hr %#lx.\n", hr);
    ok_(__FILE__, line)(!!soh, "Got no SoH.\n");
    return soh;
}

static inline BOOL sohs_equal(const SoH *a, const SoH *b)
{
    unsigned int i;

    if (a->count != b->count)
        return FALSE;
    for (i = 0; i < a->count; ++i)
    {
        if (a->attributes[i].type != b->attributes[i].type || a->attributes[i].size != b->attributes[i].size)
            return FALSE;
        if (a->attributes[i].size && memcmp(a->attributes[i].value, b->attributes[i].value, a->attributes[i].size))
            return FALSE;
    }
    return TRUE;
}

#define check_attribute(soh, index, type, wire, size) check_attribute_(__LINE__, soh, index, type, wire, size)
static inline void check_attribute_(int line, const SoH *soh, unsigned int index, unsigned int type,
        const void *wire, unsigned int size)
{
    const SoHAttribute *attribute = &soh->attributes[index];

    ok_(__FILE__, line)(index < soh->count, "Got only %u attributes.\n", soh->count);
    if (index >= soh->count)
        return;
    ok_(__FILE__, line)(attribute->type == type, "Got type %u, expected %u.\n", attribute->type, type);
    ok_(__FILE__, line)(attribute->size == size, "Got size %u, expected %u.\n", attribute->size, size);
    if (size && attribute->size == size)
        ok_(__FILE__, line)(!memcmp(attribute->value, wire, size), "The value is another.\n");
}

enum arm
{
    ARM_ID,
    ARM_IPV4,
    ARM_IPV6,
    ARM_CODES,
    ARM_TIME,
    ARM_VENDOR,
    ARM_UINT8,
    ARM_OCTETS,
};

static inline enum arm get_arm(unsigned int type)
{
    switch (type)
    {
    case sohAttributeTypeSystemHealthId:
        return ARM_ID;
    case sohAttributeTypeIpv4FixupServers:
        return ARM_IPV4;
    case sohAttributeTypeIpv6FixupServers:
        return ARM_IPV6;
    case sohAttributeTypeComplianceResultCodes:
    case sohAttributeTypeErrorCodes:
        return ARM_CODES;
    case sohAttributeTypeTimeOfLastUpdate:
    case sohAttributeTypeSoHGenerationTime:
        return ARM_TIME;
    case sohAttributeTypeVendorSpecific:
        return ARM_VENDOR;
    case sohAttributeTypeHealthClass:
    case sohAttributeTypeFailureCategory:
    case sohAttributeTypeExtendedIsolationState:
        return ARM_UINT8;
    default:
        return ARM_OCTETS;
    }
}

/* The one array that a value leads to: its elements' size, and how many there may be. */
static inline unsigned int get_element_size(unsigned int type)
{
    switch (get_arm(type))
    {
    case ARM_IPV4:
    case ARM_CODES:
        return 4;
    case ARM_IPV6:
        return 16;
    case ARM_VENDOR:
    case ARM_OCTETS:
        return 1;
    default:
        return 0;
    }
}

static inline void get_array(unsigned int type, const SoHAttributeValue *value, void **array, UINT16 *count)
{
    *array = NULL;
    *count = 0;
    switch (get_arm(type))
    {
    case ARM_IPV4:
        *array = value->v4AddressesVal.addresses;
        *count = value->v4AddressesVal.count;
        break;
    case ARM_IPV6:
        *array = value->v6AddressesVal.addresses;
        *count = value->v6AddressesVal.count;
        break;
    case ARM_CODES:
        *array = value->codesVal.results;
        *count = value->codesVal.count;
        break;
    case ARM_VENDOR:
        *array = value->vendorSpecificVal.vendorSpecificData;
        *count = value->vendorSpecificVal.size;
        break;
    case ARM_OCTETS:
        *array = value->octetStringVal.data;
        *count = value->octetStringVal.size;
        break;
    default:
        break;
    }
}

static inline void set_array(unsigned int type, SoHAttributeValue *value, void *array, UINT16 count)
{
    switch (get_arm(type))
    {
    case ARM_IPV4:
        value->v4AddressesVal.addresses = array;
        value->v4AddressesVal.count = count;
        break;
    case ARM_IPV6:
        value->v6AddressesVal.addresses = array;
        value->v6AddressesVal.count = count;
        break;
    case ARM_CODES:
        value->codesVal.results = array;
        value->codesVal.count = count;
        break;
    case ARM_VENDOR:
        value->vendorSpecificVal.vendorSpecificData = array;
        value->vendorSpecificVal.size = count;
        break;
    case ARM_OCTETS:
        value->octetStringVal.data = array;
        value->octetStringVal.size = count;
        break;
    default:
        break;
    }
}

/* Compares what the value's type makes visible. */
static inline BOOL values_equal(unsigned int type, const SoHAttributeValue *a, const SoHAttributeValue *b)
{
    UINT16 count_a, count_b;
    void *array_a, *array_b;

    switch (get_arm(type))
    {
    case ARM_ID:
        return a->idVal == b->idVal;
    case ARM_TIME:
        return a->dateTimeVal.dwLowDateTime == b->dateTimeVal.dwLowDateTime
                && a->dateTimeVal.dwHighDateTime == b->dateTimeVal.dwHighDateTime;
    case ARM_UINT8:
        return a->uint8Val == b->uint8Val;
    case ARM_VENDOR:
        if (a->vendorSpecificVal.vendorId != b->vendorSpecificVal.vendorId)
            return FALSE;
        break;
    default:
        break;
    }
    get_array(type, a, &array_a, &count_a);
    get_array(type, b, &array_b, &count_b);
    return count_a == count_b && (!count_a || !memcmp(array_a, array_b, count_a * get_element_size(type)));
}

/* The value blocks, and nothing but those, are allocated. */
#define check_value_blocks(type, value) check_value_blocks_(__LINE__, type, value)
static inline void check_value_blocks_(int line, unsigned int type, const SoHAttributeValue *value)
{
    UINT16 count;
    void *array;

    check_block_(line, value, sizeof(*value));
    get_array(type, value, &array, &count);
    if (count)
        ok_(__FILE__, line)(!!array, "Got no array for %u elements.\n", count);
    if (array)
        check_block_(line, array, count * get_element_size(type));
}

static inline void free_value_blocks(unsigned int type, SoHAttributeValue *value)
{
    UINT16 count;
    void *array;

    get_array(type, value, &array, &count);
    CoTaskMemFree(array);
    CoTaskMemFree(value);
}

static inline UINT32 get_be32(const BYTE *wire)
{
    return (UINT32)wire[0] << 24 | wire[1] << 16 | wire[2] << 8 | wire[3];
}

#define VALUE_ARRAY_SIZE (maxSoHAttributeSize / sizeof(DWORD))

/* Makes a value of a well-formed attribute; the array is the caller's. */
static inline void parse_attribute(const SoHAttribute *attribute, SoHAttributeValue *value,
        DWORD array[VALUE_ARRAY_SIZE])
{
    const BYTE *wire = attribute->value;
    UINT16 size = attribute->size;
    unsigned int i;

    memset(value, 0xcc, sizeof(*value));
    switch (get_arm(attribute->type))
    {
    case ARM_ID:
        value->idVal = get_be32(wire);
        return;
    case ARM_TIME:
        value->dateTimeVal.dwHighDateTime = get_be32(wire);
        value->dateTimeVal.dwLowDateTime = get_be32(wire + 4);
        return;
    case ARM_UINT8:
        value->uint8Val = wire[0];
        return;
    case ARM_CODES:
        for (i = 0; i < size / sizeof(DWORD); ++i)
            array[i] = get_be32(wire + 4 * i);
        set_array(attribute->type, value, array, size / sizeof(DWORD));
        return;
    case ARM_VENDOR:
        value->vendorSpecificVal.vendorId = get_be32(wire);
        wire += 4;
        size -= 4;
        break;
    default:
        break;
    }
    if (size)
        memcpy(array, wire, size);
    set_array(attribute->type, value, array, size / get_element_size(attribute->type));
}

static inline HRESULT append_attribute(INapSoHConstructor *constructor, const SoHAttribute *attribute)
{
    DWORD array[VALUE_ARRAY_SIZE];
    SoHAttributeValue value;

    parse_attribute(attribute, &value, array);
    return INapSoHConstructor_AppendAttribute(constructor, attribute->type, &value);
}

static inline BOOL value_matches(const SoHAttributeValue *value, const SoHAttribute *attribute)
{
    DWORD array[VALUE_ARRAY_SIZE];
    SoHAttributeValue expected;

    parse_attribute(attribute, &expected, array);
    return values_equal(attribute->type, value, &expected);
}

#define EXAMPLE_ID 0x000137f0
static const BYTE example_id[] = {0x00, 0x01, 0x37, 0xf0};

/* A packet is written as a list of TYPE:SIZE. "*3" repeats an attribute, "!" takes its value away.
 * Each of the structures and values lies before a guard page, and can only be read. */
static inline SoH *build_soh(const char *packet)
{
    unsigned int count = 0, type, size, repeat, i;
    SoHAttribute attributes[256];
    BOOL null;
    char *end;
    SoH soh;

    while (*packet)
    {
        type = strtoul(packet, &end, 10);
        size = strtoul(end + 1, &end, 10);
        repeat = *end == '*' ? strtoul(end + 1, &end, 10) : 1;
        if ((null = *end == '!'))
            ++end;
        while (*end == ' ')
            ++end;
        packet = end;

        for (; repeat && count < ARRAY_SIZE(attributes); --repeat, ++count)
        {
            attributes[count].type = type;
            attributes[count].size = size;
            if (null)
            {
                attributes[count].value = NULL;
                continue;
            }
            attributes[count].value = alloc_guarded(size);
            for (i = 0; i < size; ++i)
                attributes[count].value[i] = 31 * count + i + 1;
            if (get_arm(type) == ARM_ID)
                memcpy(attributes[count].value, example_id, min(size, sizeof(example_id)));
            else if (get_arm(type) == ARM_UINT8 && size)
                attributes[count].value[0] = 1;
            freeze_guarded(attributes[count].value, size);
        }
    }
    soh.count = count;
    soh.attributes = copy_guarded(attributes, count * sizeof(*attributes));
    return copy_guarded(&soh, sizeof(soh));
}

static inline void destroy_soh(SoH *soh)
{
    unsigned int i;

    for (i = 0; i < soh->count; ++i)
    {
        if (soh->attributes[i].value)
            free_guarded(soh->attributes[i].value);
    }
    free_guarded(soh->attributes);
    free_guarded(soh);
}

/* Each type that has a name, and some that have none. Valid as a request. */
static const char all_types[] = "2:4 3:8 4:8 5:8 6:5 7:6 8:1 9:3 10:16 11:4 12:8 13:4 14:1 15:32 16:1"
        " 17:7 255:0 4096:4000 16383:1 7:4";

enum verdict
{
    VALID,
    INVALID,
    VALID_HERE,     /* not published */
    INVALID_HERE,   /* not published */
};

static const struct packet_test
{
    const char *packet;
    enum verdict request, response;
    BOOL wine_only; /* may crash on Windows */
}
packet_tests[] =
{
    /* What the SDK sample, the agent and the security center's agent send. */
    {"2:4 7:6", VALID, INVALID},
    {"2:4 14:1 13:4", VALID, VALID},
    {"2:4 4:4", VALID, VALID},
    {"2:4 14:1", VALID, VALID},
    {"2:4 7:8 7:8 8:1 11:4 8:1 11:4 8:1 11:4 8:1 11:4 8:1 11:4", VALID, INVALID},
    {"2:4 8:1 4:4 8:1 4:8 14:1 8:1 4:8 8:1 4:4 8:1 4:8", VALID, VALID},
    /* The first attribute. */
    {"2:4", VALID_HERE, INVALID},
    {"4:4", INVALID, INVALID},
    {"4:4 2:4", INVALID, INVALID},
    {"7:6 2:4 4:4", INVALID, INVALID},
    {"2:0", INVALID_HERE, INVALID},
    {"2:0 4:4", INVALID_HERE, INVALID_HERE},
    {"2:3 4:4", INVALID_HERE, INVALID_HERE},
    {"2:5 4:4", INVALID_HERE, INVALID_HERE},
    {"2:8 4:4", INVALID_HERE, INVALID_HERE},
    /* Only one SystemHealthId. */
    {"2:4 2:4", INVALID_HERE, INVALID},
    {"2:4 4:4 2:4", INVALID_HERE, INVALID_HERE},
    {"2:4 4:4 2:4 4:4", INVALID_HERE, INVALID_HERE},
    {"2:4 4:4 2:0", INVALID_HERE, INVALID_HERE},
    {"16386:4 4:4", INVALID_HERE, INVALID_HERE},
    {"32770:4 4:4", INVALID_HERE, INVALID_HERE},
    /* A response's verdict. */
    {"2:4 13:4", VALID_HERE, INVALID},
    {"2:4 16:1", VALID_HERE, INVALID},
    {"2:4 16388:4", VALID_HERE, INVALID_HERE},
    {"2:4 32782:1", VALID_HERE, INVALID_HERE},
    {"2:4 4:4 14:1", VALID, VALID},
    {"2:4 4:4*2", VALID_HERE, VALID_HERE},
    {"2:4 6:1*20 14:1", VALID, VALID},
    /* A response's fix-up servers. */
    {"2:4 4:4 3:4", VALID, VALID},
    {"2:4 4:4 3:8", VALID, VALID},
    {"2:4 3:4 4:4", VALID, VALID},
    {"2:4 14:1 15:16", VALID, VALID},
    {"2:4 14:1 15:32", VALID, VALID},
    {"2:4 4:4 3:4*2", VALID_HERE, INVALID},
    {"2:4 4:4 3:4 7:6 3:4", VALID_HERE, INVALID},
    {"2:4 4:4 15:16*2", VALID_HERE, INVALID},
    {"2:4 4:4 3:4 15:16", VALID_HERE, INVALID_HERE},
    {"2:4 4:4 15:16 3:4", VALID_HERE, INVALID_HERE},
    {"2:4 3:4", VALID_HERE, INVALID},
    {"2:4 3:4*5 15:16*5", VALID_HERE, INVALID},
    /* The number of attributes. */
    {"2:4 4:4*98", VALID, VALID},
    {"2:4 4:4*99", VALID, VALID},
    {"2:4 4:4*100", INVALID, INVALID},
    {"2:4 4:4*254", INVALID, INVALID},
    /* Sizes of fixed types. */
    {"2:4 4:4 5:0", INVALID_HERE, INVALID_HERE},
    {"2:4 4:4 5:7", INVALID_HERE, INVALID_HERE},
    {"2:4 4:4 5:8", VALID, VALID},
    {"2:4 4:4 5:9", INVALID_HERE, INVALID_HERE},
    {"2:4 4:4 12:4", INVALID_HERE, INVALID_HERE},
    {"2:4 4:4 12:8", VALID, VALID},
    {"2:4 4:4 12:16", INVALID_HERE, INVALID_HERE},
    {"2:4 4:4 8:0", INVALID_HERE, INVALID_HERE},
    {"2:4 4:4 8:2", INVALID_HERE, INVALID_HERE},
    {"2:4 14:0", INVALID_HERE, INVALID_HERE},
    {"2:4 14:4", INVALID_HERE, INVALID_HERE},
    {"2:4 4:4 16:0", INVALID_HERE, INVALID_HERE},
    {"2:4 4:4 16:1", VALID, VALID},
    {"2:4 4:4 16:2", INVALID_HERE, INVALID_HERE},
    /* Result codes. */
    {"2:4 4:0", VALID_HERE, VALID_HERE},
    {"2:4 4:0!", VALID_HERE, VALID_HERE},
    {"2:4 4:1", INVALID_HERE, INVALID_HERE},
    {"2:4 4:3", INVALID_HERE, INVALID_HERE},
    {"2:4 4:5", INVALID_HERE, INVALID_HERE},
    {"2:4 4:6", INVALID_HERE, INVALID_HERE},
    {"2:4 4:3996", VALID, VALID},
    {"2:4 4:3999", INVALID_HERE, INVALID_HERE},
    {"2:4 4:4000", VALID, VALID},
    {"2:4 4:4004", INVALID, INVALID},
    {"2:4 14:1 13:0", VALID_HERE, VALID_HERE},
    {"2:4 14:1 13:2", INVALID_HERE, INVALID_HERE},
    {"2:4 14:1 13:4000", VALID, VALID},
    {"2:4 14:1 13:4001", INVALID, INVALID},
    /* Addresses. */
    {"2:4 4:4 3:0", INVALID_HERE, INVALID_HERE},
    {"2:4 4:4 3:0!", INVALID_HERE, INVALID_HERE},
    {"2:4 4:4 3:3", INVALID_HERE, INVALID_HERE},
    {"2:4 4:4 3:6", INVALID_HERE, INVALID_HERE},
    {"2:4 4:4 3:4000", VALID, VALID},
    {"2:4 4:4 3:4004", INVALID, INVALID},
    {"2:4 4:4 15:0", INVALID_HERE, INVALID_HERE},
    {"2:4 4:4 15:4", INVALID_HERE, INVALID_HERE},
    {"2:4 4:4 15:15", INVALID_HERE, INVALID_HERE},
    {"2:4 4:4 15:17", INVALID_HERE, INVALID_HERE},
    {"2:4 4:4 15:24", INVALID_HERE, INVALID_HERE},
    {"2:4 4:4 15:4000", VALID, VALID},
    {"2:4 4:4 15:4016", INVALID, INVALID},
    /* Vendors' data. */
    {"2:4 4:4 7:0", INVALID_HERE, INVALID_HERE},
    {"2:4 4:4 7:0!", INVALID_HERE, INVALID_HERE},
    {"2:4 4:4 7:3", INVALID_HERE, INVALID_HERE},
    {"2:4 4:4 7:4", VALID, VALID},
    {"2:4 4:4 7:3999", VALID, VALID},
    {"2:4 4:4 7:4000", VALID, VALID},
    {"2:4 4:4 7:4001", INVALID, INVALID},
    /* Octet strings, also of types without a name. */
    {"2:4 4:4 6:0 9:0 10:0 11:0", VALID_HERE, VALID_HERE},
    {"2:4 4:4 6:0! 9:0! 10:0! 11:0!", VALID_HERE, VALID_HERE},
    {"2:4 4:4 6:4000 9:3999 10:1 11:4000", VALID, VALID},
    {"2:4 4:4 6:4001", INVALID, INVALID},
    {"2:4 4:4 9:4001", INVALID, INVALID},
    {"2:4 4:4 10:4001", INVALID, INVALID},
    {"2:4 4:4 11:32768", INVALID, INVALID},
    {"2:4 4:4 17:0 17:5 255:4000 4096:1 16383:2", VALID_HERE, VALID_HERE},
    {"2:4 4:4 0:3", VALID_HERE, VALID_HERE},
    {"2:4 4:4 1:3", VALID_HERE, VALID_HERE},
    {"2:4 4:4 16384:3", VALID_HERE, VALID_HERE},
    {"2:4 4:4 16386:3", VALID_HERE, VALID_HERE},
    {"2:4 4:4 32772:3", VALID_HERE, VALID_HERE},
    {"2:4 4:4 65535:3", VALID_HERE, VALID_HERE},
    {"2:4 4:4 17:4001", INVALID, INVALID},
    {"2:4 4:4 0:4001", INVALID, INVALID},
    {"2:4 4:4 65535:65535", INVALID, INVALID},
    {"2:65535 4:4", INVALID, INVALID},
    /* Each other one valid: the last, one in the middle. */
    {"2:4 4:4 6:1*97 8:0", INVALID_HERE, INVALID_HERE},
    {"2:4 4:4 6:1*50 8:0 6:1*40", INVALID_HERE, INVALID_HERE},
    /* Values that aren't there. */
    {"2:4!", INVALID_HERE, INVALID, TRUE},
    {"2:4! 4:4", INVALID_HERE, INVALID_HERE, TRUE},
    {"2:4 4:4!", INVALID_HERE, INVALID_HERE, TRUE},
    {"2:4 4:4 6:1!", INVALID_HERE, INVALID_HERE, TRUE},
    {"2:4 4:4 7:4!", INVALID_HERE, INVALID_HERE, TRUE},
    {"2:4 4:4 8:1!", INVALID_HERE, INVALID_HERE, TRUE},
    {"2:4 4:4 65535:4000!", INVALID_HERE, INVALID_HERE, TRUE},
    /* Nothing at all. */
    {"", INVALID_HERE, INVALID_HERE},
};

#define check_verdict(hr, verdict) check_verdict_(__LINE__, hr, verdict)
static inline void check_verdict_(int line, HRESULT hr, enum verdict verdict)
{
    switch (verdict)
    {
    case VALID:
        ok_(__FILE__, line)(hr == S_OK, "Got hr %#lx.\n", hr);
        break;
    case INVALID:
        ok_(__FILE__, line)(hr == NAP_E_INVALID_PACKET, "Got hr %#lx.\n", hr);
        break;
    case VALID_HERE:
        ok_(__FILE__, line)(hr == S_OK || broken(hr == NAP_E_INVALID_PACKET), "Got hr %#lx.\n", hr);
        break;
    case INVALID_HERE:
        ok_(__FILE__, line)(hr == NAP_E_INVALID_PACKET || broken(hr == S_OK) || broken(hr == E_INVALIDARG),
                "Got hr %#lx.\n", hr);
        break;
    }
}

#define THREAD_COUNT 8

/* Runs the threads at once. Each gets its own of the structures in the array. */
static inline void run_threads(LPTHREAD_START_ROUTINE proc, void *array, SIZE_T size, unsigned int count)
{
    HANDLE threads[THREAD_COUNT + 1];
    unsigned int i;
    DWORD ret;

    for (i = 0; i < count; ++i)
    {
        threads[i] = CreateThread(NULL, 0, proc, (BYTE *)array + i * size, CREATE_SUSPENDED, NULL);
        ok(!!threads[i], "Failed to create a thread, error %lu.\n", GetLastError());
    }
    for (i = 0; i < count; ++i)
        ResumeThread(threads[i]);
    ret = WaitForMultipleObjects(count, threads, TRUE, 60000);
    ok(ret == WAIT_OBJECT_0, "Got %#lx.\n", ret);
    for (i = 0; i < count; ++i)
        CloseHandle(threads[i]);
}

#endif /* __WINE_QUTIL_TEST_H */
