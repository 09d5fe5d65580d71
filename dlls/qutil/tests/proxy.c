/*
 * Tests of the proxies and stubs of the Network Access Protection interfaces
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

/* A server, in another apartment or in another process, makes fake objects. Both sides make each value from
 * the name of its method and from the variant, so either can check what came across. An object that is an
 * argument goes through the same tests, from the other side.
 *
 * QUTIL_TEST_PEER may name this test program built for the other architecture, to be the server too. */

#define COBJMACROS

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "windef.h"
#include "winbase.h"
#include "winuser.h"
#include "objbase.h"
#include "oleauto.h"
#include "ocidl.h"
#include "wincrypt.h"
#include "naputil.h"
#include "napcertrelyingparty.h"
#include "napcommon.h"
#include "napsystemhealthagent.h"
#include "napsystemhealthvalidator.h"

#include "wine/test.h"
#include "malloc_spy.h"

/* How the objects behave, on both sides. */
enum variant
{
    VARIANT_FAIL = -4,          /* each method fails and leaves its outputs alone */
    VARIANT_OVER = -3,          /* one element too many */
    VARIANT_NULL = -2,          /* outputs and optional inputs are NULL */
    VARIANT_EMPTY = -1,         /* arrays and strings in structures are NULL */
    VARIANT_MAX = 0xffff,       /* as much as is allowed */
    /* else: the number of elements */
};

static int variant;

static HRESULT result(void)
{
    return variant == VARIANT_FAIL ? E_ACCESSDENIED : S_OK;
}

static unsigned int clamp(int count, unsigned int min, unsigned int max)
{
    if (count == VARIANT_FAIL)
        count = 1;
    if (count == VARIANT_OVER)
        return max + 1;
    if (count < (int)min)
        return min;
    return count < (int)max ? count : max;
}

static UINT32 get_value(const char *name)
{
    UINT32 value = 0;

    while (*name)
        value = value * 31 + *name++;
    return value;
}

#define check_value(type, value, name) \
        ok((value) == (type)get_value(name), "%s: got %#x, expected %#x.\n", name, (UINT32)(value), \
                (UINT32)(type)get_value(name))

#define check_hr(hr, name) ok((hr) == result(), "%s: got hr %#lx, expected %#lx.\n", name, hr, result())

static void *alloc_block(SIZE_T size)
{
    void *block = CoTaskMemAlloc(size);

    ok(!!block, "Failed to allocate %lu bytes.\n", (unsigned long)size);
    memset(block, 0xcc, size);
    return block;
}

/* ---- the structures, each walked through either to fill it or to check it ---- */

struct walk
{
    const char *name;
    BOOL check;
    UINT32 state;
    int variant;
};

static unsigned int walk_next(struct walk *walk)
{
    walk->state = walk->state * 1103515245 + 12345;
    return walk->state >> 16;
}

static void walk_bytes(struct walk *walk, void *data, SIZE_T size)
{
    BYTE *bytes = data, expected;
    SIZE_T i, different = 0;

    for (i = 0; i < size; ++i)
    {
        expected = walk_next(walk);
        if (walk->check)
            different += bytes[i] != expected;
        else
            bytes[i] = expected;
    }
    ok(!different, "%s: %lu of %lu bytes are different.\n", walk->name, (unsigned long)different, (unsigned long)size);
}

static void walk_enum(struct walk *walk, void *data, UINT32 count)
{
    UINT32 value = walk_next(walk) % count;

    if (walk->check)
        ok(*(UINT32 *)data == value, "%s: got %#x, expected %#x.\n", walk->name, *(UINT32 *)data, value);
    else
        *(UINT32 *)data = value;
}

/* Returns whether there are elements. */
static BOOL walk_array(struct walk *walk, UINT16 *count, void *data, SIZE_T size, unsigned int min, unsigned int max)
{
    unsigned int expected = clamp(walk->variant, min, max);
    void **array = data;

    if (walk->check)
    {
        ok(*count == expected, "%s: got count %u, expected %u.\n", walk->name, *count, expected);
        if (expected)
            ok(!!*array, "%s: got no array.\n", walk->name);
        else if (walk->variant < 0)
            ok(!*array, "%s: got array %p.\n", walk->name, *array);
        return *count == expected && *array;
    }
    *count = expected;
    *array = expected || walk->variant >= 0 ? alloc_block(expected * size) : NULL;
    return !!*array;
}

static void walk_byte_array(struct walk *walk, UINT16 *count, void *data, SIZE_T size,
        unsigned int min, unsigned int max)
{
    if (walk_array(walk, count, data, size, min, max))
        walk_bytes(walk, *(void **)data, *count * size);
}

static void walk_string(struct walk *walk, void *data)
{
    unsigned int length = clamp(walk->variant, 0, maxStringLength), i, different = 0;
    CountedString *string = data;
    WCHAR expected;

    if (!walk->check)
    {
        string->length = length;
        string->string = length || walk->variant >= 0 ? alloc_block((length + 1) * sizeof(WCHAR)) : NULL;
    }
    ok(string->length == length, "%s: got length %u, expected %u.\n", walk->name, string->length, length);
    if (!length && walk->variant < 0)
    {
        ok(!string->string, "%s: got string %p.\n", walk->name, string->string);
        return;
    }
    ok(!!string->string, "%s: got no string.\n", walk->name);
    if (string->length != length || !string->string)
        return;
    for (i = 0; i <= length; ++i)
    {
        expected = i < length ? 0x20 + walk_next(walk) % 0xd000 : 0;
        if (walk->check)
            different += string->string[i] != expected;
        else
            string->string[i] = expected;
    }
    ok(!different, "%s: %u of %u characters are different.\n", walk->name, different, length);
}

static void walk_guid(struct walk *walk, void *data)
{
    walk_bytes(walk, data, sizeof(GUID));
}

static void walk_correlation_id(struct walk *walk, void *data)
{
    walk_bytes(walk, data, sizeof(CorrelationId));
}

static void walk_isolation_info(struct walk *walk, void *data)
{
    IsolationInfo *info = data;

    walk_enum(walk, &info->isolationState, 4);
    walk_bytes(walk, &info->probEndTime, sizeof(info->probEndTime));
    walk_string(walk, &info->failureUrl);
}

static void walk_isolation_info_ex(struct walk *walk, void *data)
{
    IsolationInfoEx *info = data;

    walk_enum(walk, &info->isolationState, 4);
    walk_enum(walk, &info->extendedIsolationState, 4);
    walk_bytes(walk, &info->probEndTime, sizeof(info->probEndTime));
    walk_string(walk, &info->failureUrl);
}

static void walk_network_soh(struct walk *walk, void *data)
{
    NetworkSoH *soh = data;

    walk_byte_array(walk, &soh->size, &soh->data, 1, minNetworkSoHSize, maxNetworkSoHSize);
}

static void walk_private_data(struct walk *walk, void *data)
{
    PrivateData *private = data;

    walk_byte_array(walk, &private->size, &private->data, 1, 0, maxPrivateDataSize);
}

static void walk_results(struct walk *walk, ResultCodes *codes)
{
    walk_byte_array(walk, &codes->count, &codes->results, sizeof(HRESULT), 0, maxDwordCountPerSoHAttribute);
}

static void walk_fixup_info(struct walk *walk, void *data)
{
    FixupInfo *info = data;
    UINT32 percentage = info->percentage;

    walk_enum(walk, &info->state, 3);
    walk_enum(walk, &percentage, percentageNotSupported + 1);
    info->percentage = percentage;
    walk_results(walk, &info->resultCodes);
    walk_bytes(walk, &info->fixupMsgId, sizeof(info->fixupMsgId));
}

static void walk_soh(struct walk *walk, void *data)
{
    int variant = walk->variant;
    SoH *soh = data;
    unsigned int i;

    if (!walk_array(walk, &soh->count, &soh->attributes, sizeof(*soh->attributes), 0, maxSoHAttributeCount))
        return;
    for (i = 0; i < soh->count; ++i)
    {
        if (variant >= 0)
            walk->variant = i < 2 ? variant : i % 21;
        walk_bytes(walk, &soh->attributes[i].type, sizeof(soh->attributes[i].type));
        walk_byte_array(walk, &soh->attributes[i].size, &soh->attributes[i].value, 1, 0, maxSoHAttributeSize);
    }
    walk->variant = variant;
}

static void walk_registration_info(struct walk *walk, void *data)
{
    NapComponentRegistrationInfo *info = data;

    walk_bytes(walk, &info->id, sizeof(info->id));
    walk_string(walk, &info->friendlyName);
    walk_string(walk, &info->description);
    walk_string(walk, &info->version);
    walk_string(walk, &info->vendorName);
    walk_guid(walk, &info->infoClsid);
    walk_guid(walk, &info->configClsid);
    walk_bytes(walk, &info->registrationDate, sizeof(info->registrationDate));
    walk_bytes(walk, &info->componentType, sizeof(info->componentType));
}

static void walk_attribute_value(struct walk *walk, UINT32 type, SoHAttributeValue *value)
{
    switch (type)
    {
    case sohAttributeTypeSystemHealthId:
        walk_bytes(walk, &value->idVal, sizeof(value->idVal));
        break;
    case sohAttributeTypeIpv4FixupServers:
        walk_byte_array(walk, &value->v4AddressesVal.count, &value->v4AddressesVal.addresses,
                sizeof(Ipv4Address), 1, maxIpv4CountPerSoHAttribute);
        break;
    case sohAttributeTypeIpv6FixupServers:
        walk_byte_array(walk, &value->v6AddressesVal.count, &value->v6AddressesVal.addresses,
                sizeof(Ipv6Address), 1, maxIpv6CountPerSoHAttribute);
        break;
    case sohAttributeTypeComplianceResultCodes:
    case sohAttributeTypeErrorCodes:
        walk_results(walk, &value->codesVal);
        break;
    case sohAttributeTypeTimeOfLastUpdate:
    case sohAttributeTypeSoHGenerationTime:
        walk_bytes(walk, &value->dateTimeVal, sizeof(value->dateTimeVal));
        break;
    case sohAttributeTypeVendorSpecific:
        walk_bytes(walk, &value->vendorSpecificVal.vendorId, sizeof(value->vendorSpecificVal.vendorId));
        walk_byte_array(walk, &value->vendorSpecificVal.size, &value->vendorSpecificVal.vendorSpecificData,
                1, 0, maxSoHAttributeSize - 4);
        break;
    case sohAttributeTypeHealthClass:
    case sohAttributeTypeFailureCategory:
    case sohAttributeTypeExtendedIsolationState:
        walk_bytes(walk, &value->uint8Val, sizeof(value->uint8Val));
        break;
    default:
        walk_byte_array(walk, &value->octetStringVal.size, &value->octetStringVal.data, 1, 0, maxSoHAttributeSize);
        break;
    }
}

static void walk_connections(struct walk *walk, void *data);

static const struct shape
{
    SIZE_T size;
    void (*walk)(struct walk *walk, void *data);
    const char *free_name;
}
shape_connections = {sizeof(Connections), walk_connections, "FreeConnections"},
shape_correlation_id = {sizeof(CorrelationId), walk_correlation_id},
shape_fixup_info = {sizeof(FixupInfo), walk_fixup_info, "FreeFixupInfo"},
shape_guid = {sizeof(GUID), walk_guid},
shape_isolation_info = {sizeof(IsolationInfo), walk_isolation_info, "FreeIsolationInfo"},
shape_isolation_info_ex = {sizeof(IsolationInfoEx), walk_isolation_info_ex, "FreeIsolationInfoEx"},
shape_network_soh = {sizeof(NetworkSoH), walk_network_soh, "FreeNetworkSoH"},
shape_private_data = {sizeof(PrivateData), walk_private_data, "FreePrivateData"},
shape_registration_info = {sizeof(NapComponentRegistrationInfo), walk_registration_info},
shape_soh = {sizeof(SoH), walk_soh, "FreeSoH"},
shape_string = {sizeof(CountedString), walk_string, "FreeCountedString"},
shape_uint8 = {sizeof(UINT8)},
shape_uint32 = {sizeof(UINT32)};

static HMODULE qutil;
static void (WINAPI *pFreeNapComponentRegistrationInfoArray)(UINT16, NapComponentRegistrationInfo **);
static void (WINAPI *pFreeSoHAttributeValue)(SoHAttributeType, SoHAttributeValue *);

static void walk_shape(const struct shape *shape, const char *name, BOOL check, void *data)
{
    struct walk walk;

    walk.name = name;
    walk.check = check;
    walk.state = get_value(name);
    walk.variant = variant;
    if (shape->walk)
        shape->walk(&walk, data);
    else
        walk_bytes(&walk, data, shape->size);
}

static void *make_value(const struct shape *shape, const char *name)
{
    void *value = alloc_block(shape->size);

    walk_shape(shape, name, FALSE, value);
    return value;
}

static void free_array(const struct shape *shape, UINT16 count, void *array)
{
    NapComponentRegistrationInfo *info = array;

    if (shape == &shape_registration_info)
        pFreeNapComponentRegistrationInfoArray(count, &info);
    else
        CoTaskMemFree(array);
}

static void free_value(const struct shape *shape, void *value)
{
    void (WINAPI *free_func)(void *);

    if (!shape->free_name)
    {
        free_array(shape, 1, value);
        return;
    }
    free_func = (void *)GetProcAddress(qutil, shape->free_name);
    free_func(value);
}

static void walk_shapes(const struct shape *shape, const char *name, BOOL check, UINT16 *count, void *array,
        unsigned int max)
{
    struct walk walk;
    unsigned int i;

    walk.name = name;
    walk.check = check;
    walk.state = get_value(name);
    walk.variant = variant;
    if (!walk_array(&walk, count, array, shape->size, 0, max))
        return;
    for (i = 0; i < *count; ++i)
    {
        if (shape->walk)
            shape->walk(&walk, *(BYTE **)array + i * shape->size);
        else
            walk_bytes(&walk, *(BYTE **)array + i * shape->size, shape->size);
    }
}

/* ---- the server's side of an argument ---- */

/* How often the stubs made a structure that holds pointers, for an argument that is never NULL. */
static LONG in_structures;

static void check_in(const struct shape *shape, const char *name, const void *value)
{
    ok(!!value, "%s: got no value.\n", name);
    if (value)
        walk_shape(shape, name, TRUE, (void *)value);
    if (shape->walk && shape != &shape_correlation_id && shape != &shape_guid)
        InterlockedIncrement(&in_structures);
}

static void check_in_optional(const struct shape *shape, const char *name, const void *value)
{
    if (variant == VARIANT_NULL)
    {
        ok(!value, "%s: got value %p.\n", name, value);
        return;
    }
    ok(!!value, "%s: got no value.\n", name);
    if (value)
        walk_shape(shape, name, TRUE, (void *)value);
}

static void check_in_array(const struct shape *shape, const char *name, UINT16 count, const void *array,
        unsigned int max)
{
    struct walk walk;
    unsigned int i;

    walk.name = name;
    walk.check = TRUE;
    walk.state = get_value(name);
    walk.variant = variant;
    ok(count == clamp(variant, 0, max), "%s: got count %u, expected %u.\n", name, count, clamp(variant, 0, max));
    ok(!!array, "%s: got no array.\n", name);
    for (i = 0; i < count; ++i)
        walk_bytes(&walk, (BYTE *)array + i * shape->size, shape->size);
}

static void put_out(const struct shape *shape, const char *name, void *out)
{
    void **value = out;

    ok(!*value, "%s: the output was %p.\n", name, *value);
    if (variant != VARIANT_FAIL && variant != VARIANT_NULL)
        *value = make_value(shape, name);
}

static void put_out_array(const struct shape *shape, const char *name, UINT16 *count, void *out, unsigned int max)
{
    void **array = out;

    ok(!*array, "%s: the output was %p.\n", name, *array);
    *count = 0;
    if (variant != VARIANT_FAIL)
        walk_shapes(shape, name, FALSE, count, array, max);
}

/* A structure or a number in the caller's memory. */
static void put_inline(const struct shape *shape, const char *name, void *out)
{
    if (variant != VARIANT_FAIL)
        walk_shape(shape, name, FALSE, out);
}

/* ---- the client's side of an argument ---- */

#define POISON ((void *)(ULONG_PTR)0xdeadbeef)

static void check_out(const struct shape *shape, const char *name, void *value)
{
    if (variant == VARIANT_FAIL || variant == VARIANT_NULL)
    {
        ok(!value, "%s: got value %p.\n", name, value);
        return;
    }
    ok(value && value != POISON, "%s: got no value.\n", name);
    if (!value || value == POISON)
        return;
    walk_shape(shape, name, TRUE, value);
    free_value(shape, value);
}

static void check_out_array(const struct shape *shape, const char *name, UINT16 count, void *array, unsigned int max)
{
    if (variant == VARIANT_FAIL)
    {
        ok(!array, "%s: got array %p.\n", name, array);
        return;
    }
    ok(array != POISON, "%s: got no array.\n", name);
    if (array == POISON)
        return;
    walk_shapes(shape, name, TRUE, &count, &array, max);
    free_array(shape, count, array);
}

static void check_inline(const struct shape *shape, const char *name, void *out)
{
    if (variant != VARIANT_FAIL)
        walk_shape(shape, name, TRUE, out);
}

/* The shapes of most methods: FAKE_... is the server's side, TEST_... the client's. */

#define FAKE_GET(interface, method, type, shape) \
    static HRESULT WINAPI fake_##interface##_##method(interface *iface, type **out) \
    { put_out(&shape, #method, out); return result(); }

#define TEST_GET(interface, method, type, shape) \
    do { type *out_ = POISON; HRESULT hr_ = interface##_##method(iface, &out_); \
         check_hr(hr_, #method); check_out(&shape, #method, out_); } while (0)

#define FAKE_SET(interface, method, type, shape) \
    static HRESULT WINAPI fake_##interface##_##method(interface *iface, const type *in) \
    { check_in(&shape, #method, in); return result(); }

#define TEST_SET(interface, method, type, shape) \
    do { type *in_ = make_value(&shape, #method); HRESULT hr_ = interface##_##method(iface, in_); \
         check_hr(hr_, #method); free_value(&shape, in_); } while (0)

#define FAKE_GET_INLINE(interface, method, type, shape) \
    static HRESULT WINAPI fake_##interface##_##method(interface *iface, type *out) \
    { put_inline(&shape, #method, out); return result(); }

#define TEST_GET_INLINE(interface, method, type, shape) \
    do { type out_; HRESULT hr_; memset(&out_, 0xcc, sizeof(out_)); hr_ = interface##_##method(iface, &out_); \
         check_hr(hr_, #method); check_inline(&shape, #method, &out_); } while (0)

#define FAKE_VALUE(interface, method, type) \
    static HRESULT WINAPI fake_##interface##_##method(interface *iface, type in) \
    { check_value(type, in, #method); return result(); }

#define TEST_VALUE(interface, method, type) \
    do { HRESULT hr_ = interface##_##method(iface, (type)get_value(#method)); check_hr(hr_, #method); } while (0)

#define FAKE_VOID(interface, method) \
    static HRESULT WINAPI fake_##interface##_##method(interface *iface) \
    { return result(); }

#define TEST_VOID(interface, method) \
    do { HRESULT hr_ = interface##_##method(iface); check_hr(hr_, #method); } while (0)

/* (value, BOOL), as many Get methods have it */
#define FAKE_GET_BOOL(interface, method, type, shape) \
    static HRESULT WINAPI fake_##interface##_##method(interface *iface, type **out, BOOL *flag) \
    { put_out(&shape, #method, out); put_inline(&shape_uint32, #method ".flag", flag); return result(); }

#define TEST_GET_BOOL(interface, method, type, shape) \
    do { type *out_ = POISON; BOOL flag_ = 0xcccccccc; HRESULT hr_ = interface##_##method(iface, &out_, &flag_); \
         check_hr(hr_, #method); check_out(&shape, #method, out_); \
         check_inline(&shape_uint32, #method ".flag", &flag_); } while (0)

/* (count, array) */
#define FAKE_GET_ARRAY(interface, method, type, shape, max) \
    static HRESULT WINAPI fake_##interface##_##method(interface *iface, UINT16 *count, type **out) \
    { put_out_array(&shape, #method, count, out, max); return result(); }

#define TEST_GET_ARRAY(interface, method, type, shape, max) \
    do { UINT16 count_ = 0xcccc; type *out_ = POISON; HRESULT hr_ = interface##_##method(iface, &count_, &out_); \
         check_hr(hr_, #method); check_out_array(&shape, #method, count_, out_, max); } while (0)

/* ---- objects ---- */

struct fake
{
    const void *vtbl;
    LONG refs;
    const struct fake_class *class;
};

static const struct fake_class
{
    const char *name;
    const void *vtbl;
    void (*test)(void *iface, unsigned int level);
    const IID *iids[3];             /* each derived from the one before */
}
classes[];

enum class_id
{
    CLASS_CERT_RELYING_PARTY,
    CLASS_CLIENT_MANAGEMENT,
    CLASS_COMPONENT_CONFIG,
    CLASS_COMPONENT_INFO,
    CLASS_ENFORCEMENT_BINDING,
    CLASS_ENFORCEMENT_CALLBACK,
    CLASS_ENFORCEMENT_CONNECTION,
    CLASS_HEALTH_AGENT_BINDING,
    CLASS_HEALTH_AGENT_CALLBACK,
    CLASS_HEALTH_AGENT_REQUEST,
    CLASS_SERVER_CALLBACK,
    CLASS_SERVER_INFO,
    CLASS_SERVER_MANAGEMENT,
    CLASS_SOH_CONSTRUCTOR,
    CLASS_SOH_PROCESSOR,
    CLASS_VALIDATION_REQUEST,
    CLASS_VALIDATOR,
    CLASS_COUNT
};

static HRESULT WINAPI fake_QueryInterface(IUnknown *iface, REFIID iid, void **out)
{
    struct fake *fake = (struct fake *)iface;
    BOOL found = IsEqualIID(iid, &IID_IUnknown);
    unsigned int i;

    for (i = 0; !found && i < ARRAY_SIZE(fake->class->iids) && fake->class->iids[i]; ++i)
        found = IsEqualIID(iid, fake->class->iids[i]);
    *out = found ? iface : NULL;
    if (!found)
        return E_NOINTERFACE;
    InterlockedIncrement(&fake->refs);
    return S_OK;
}

static ULONG WINAPI fake_AddRef(IUnknown *iface)
{
    struct fake *fake = (struct fake *)iface;

    return InterlockedIncrement(&fake->refs);
}

static ULONG WINAPI fake_Release(IUnknown *iface)
{
    struct fake *fake = (struct fake *)iface;
    ULONG refs = InterlockedDecrement(&fake->refs);

    if (!refs)
        CoTaskMemFree(fake);
    return refs;
}

#define FAKE_IUNKNOWN (void *)fake_QueryInterface, (void *)fake_AddRef, (void *)fake_Release

static void *create_fake(const struct fake_class *class)
{
    struct fake *fake = alloc_block(sizeof(*fake));

    fake->vtbl = class->vtbl;
    fake->refs = 1;
    fake->class = class;
    return fake;
}

/* An object as an argument: made by one side, tested by the other. */
static void *make_object(enum class_id id)
{
    return variant == VARIANT_NULL ? NULL : create_fake(&classes[id]);
}

static void release_object(void *object)
{
    if (object)
        IUnknown_Release((IUnknown *)object);
}

static void check_object(enum class_id id, const char *name, void *object)
{
    const struct fake_class *class = &classes[id];
    unsigned int level = 0;
    IUnknown *derived;
    HRESULT hr;

    if (variant == VARIANT_NULL)
    {
        ok(!object, "%s: got object %p.\n", name, object);
        return;
    }
    ok(object && object != POISON, "%s: got no object.\n", name);
    if (!object || object == POISON)
        return;
    while (level + 1 < ARRAY_SIZE(class->iids) && class->iids[level + 1])
        ++level;
    hr = IUnknown_QueryInterface((IUnknown *)object, class->iids[level], (void **)&derived);
    ok(hr == S_OK, "%s: got hr %#lx.\n", name, hr);
    if (hr != S_OK)
        return;
    /* Once is enough to see that calls come back. */
    if (variant == 1)
    {
        winetest_push_context("%s", class->name);
        class->test(derived, level);
        winetest_pop_context();
    }
    IUnknown_Release(derived);
}

static void put_object(enum class_id id, const char *name, void *out)
{
    void **object = out;

    ok(!*object, "%s: the output was %p.\n", name, *object);
    if (variant != VARIANT_FAIL)
        *object = make_object(id);
}

static void check_out_object(enum class_id id, const char *name, void *object)
{
    if (variant == VARIANT_FAIL)
    {
        ok(!object, "%s: got object %p.\n", name, object);
        return;
    }
    check_object(id, name, object);
    if (object != POISON)
        release_object(object);
}

/* (object), and no more */
#define FAKE_OBJECT(interface, method, type, class_id) \
    static HRESULT WINAPI fake_##interface##_##method(interface *iface, type *object) \
    { check_object(class_id, #method, object); return result(); }

#define TEST_OBJECT(interface, method, class_id) \
    do { void *object_ = make_object(class_id); HRESULT hr_ = interface##_##method(iface, object_); \
         check_hr(hr_, #method); release_object(object_); } while (0)

/* The first one is tested, so as not to take long. Their references are released here: what
 * FreeConnections() does with them is tested with the other functions for memory. */
static void walk_connections(struct walk *walk, void *data)
{
    Connections *connections = data;
    unsigned int i;

    if (!walk_array(walk, &connections->count, &connections->connections, sizeof(*connections->connections),
            0, maxConnectionCountPerEnforcer))
        return;
    for (i = 0; i < connections->count; ++i)
    {
        if (!walk->check)
        {
            connections->connections[i] = create_fake(&classes[CLASS_ENFORCEMENT_CONNECTION]);
            continue;
        }
        ok(!!connections->connections[i], "%s: connection %u is NULL.\n", walk->name, i);
        if (!i)
            check_object(CLASS_ENFORCEMENT_CONNECTION, walk->name, connections->connections[i]);
        release_object(connections->connections[i]);
        connections->connections[i] = NULL;
    }
}

/* ---- INapCertRelyingParty ---- */

static BSTR make_bstr(void)
{
    unsigned int length = clamp(variant, 0, maxStringLength), i;
    BSTR string;

    if (variant == VARIANT_NULL)
        return NULL;
    string = SysAllocStringLen(NULL, length);
    for (i = 0; i < length; ++i)
        string[i] = 0x100 + i;
    return string;
}

static void check_bstr(const char *name, BSTR string)
{
    BSTR expected = make_bstr();

    ok(!string == !expected, "%s: got %p, expected %p.\n", name, string, expected);
    ok(SysStringLen(string) == SysStringLen(expected), "%s: got length %u, expected %u.\n", name,
            SysStringLen(string), SysStringLen(expected));
    if (string && expected && SysStringLen(string) == SysStringLen(expected))
        ok(!memcmp(string, expected, SysStringLen(string) * sizeof(WCHAR)), "%s: got another string.\n", name);
    SysFreeString(expected);
}

static VARIANT *make_reserved(VARIANT *reserved)
{
    VariantInit(reserved);
    if (variant == VARIANT_NULL)
        return NULL;
    if (variant == VARIANT_EMPTY)
        return reserved;
    if (variant == 1)
    {
        V_VT(reserved) = VT_I4;
        V_I4(reserved) = 0x12345678;
        return reserved;
    }
    V_VT(reserved) = VT_BSTR;
    V_BSTR(reserved) = make_bstr();
    return reserved;
}

static void check_reserved(const char *name, const VARIANT *reserved)
{
    VARIANT value, *expected = make_reserved(&value);

    ok(!reserved == !expected, "%s: got %p, expected %p.\n", name, reserved, expected);
    if (!reserved || !expected)
        return;
    ok(V_VT(reserved) == V_VT(expected), "%s: got type %u, expected %u.\n", name, V_VT(reserved), V_VT(expected));
    if (V_VT(reserved) == VT_I4)
        ok(V_I4(reserved) == 0x12345678, "%s: got %#lx.\n", name, V_I4(reserved));
    if (V_VT(reserved) == VT_BSTR)
        check_bstr(name, V_BSTR(reserved));
    VariantClear(expected);
}

static HRESULT WINAPI fake_INapCertRelyingParty_SubscribeCertByGroup(INapCertRelyingParty *iface,
        EnforcementEntityId id, const BSTR name, const VARIANT *reserved, BOOL *exists)
{
    check_value(EnforcementEntityId, id, "SubscribeCertByGroup");
    check_bstr("SubscribeCertByGroup", name);
    check_reserved("SubscribeCertByGroup", reserved);
    put_inline(&shape_uint32, "SubscribeCertByGroup", exists);
    return result();
}

static HRESULT WINAPI fake_INapCertRelyingParty_UnSubscribeCertByGroup(INapCertRelyingParty *iface,
        EnforcementEntityId id, const VARIANT *reserved)
{
    check_value(EnforcementEntityId, id, "UnSubscribeCertByGroup");
    check_reserved("UnSubscribeCertByGroup", reserved);
    return result();
}

FAKE_GET_ARRAY(INapCertRelyingParty, GetSubscribedRelyingParties, EnforcementEntityId, shape_uint32, maxEnforcerCount)

static const INapCertRelyingPartyVtbl cert_relying_party_vtbl =
{
    FAKE_IUNKNOWN,
    fake_INapCertRelyingParty_SubscribeCertByGroup,
    fake_INapCertRelyingParty_UnSubscribeCertByGroup,
    fake_INapCertRelyingParty_GetSubscribedRelyingParties
};

static void test_cert_relying_party(void *object, unsigned int level)
{
    INapCertRelyingParty *iface = object;
    VARIANT value, *reserved = make_reserved(&value);
    BSTR name = make_bstr();
    BOOL exists = 0xcccccccc;
    HRESULT hr;

    hr = INapCertRelyingParty_SubscribeCertByGroup(iface, get_value("SubscribeCertByGroup"), name, reserved, &exists);
    check_hr(hr, "SubscribeCertByGroup");
    check_inline(&shape_uint32, "SubscribeCertByGroup", &exists);

    hr = INapCertRelyingParty_UnSubscribeCertByGroup(iface, get_value("UnSubscribeCertByGroup"), reserved);
    check_hr(hr, "UnSubscribeCertByGroup");

    TEST_GET_ARRAY(INapCertRelyingParty, GetSubscribedRelyingParties, EnforcementEntityId, shape_uint32,
            maxEnforcerCount);

    SysFreeString(name);
    VariantClear(&value);
}

/* ---- INapClientManagement, INapClientManagement2 ---- */

static HRESULT WINAPI fake_INapClientManagement2_GetNapClientInfo(INapClientManagement2 *iface, BOOL *enabled,
        CountedString **name, CountedString **description, CountedString **version)
{
    put_inline(&shape_uint32, "GetNapClientInfo.enabled", enabled);
    put_out(&shape_string, "GetNapClientInfo.name", name);
    put_out(&shape_string, "GetNapClientInfo.description", description);
    put_out(&shape_string, "GetNapClientInfo.version", version);
    return result();
}

FAKE_GET_BOOL(INapClientManagement2, GetSystemIsolationInfo, IsolationInfo, shape_isolation_info)
FAKE_SET(INapClientManagement2, RegisterSystemHealthAgent, NapComponentRegistrationInfo, shape_registration_info)
FAKE_VALUE(INapClientManagement2, UnregisterSystemHealthAgent, SystemHealthEntityId)
FAKE_SET(INapClientManagement2, RegisterEnforcementClient, NapComponentRegistrationInfo, shape_registration_info)
FAKE_VALUE(INapClientManagement2, UnregisterEnforcementClient, EnforcementEntityId)
FAKE_GET_ARRAY(INapClientManagement2, GetRegisteredSystemHealthAgents, NapComponentRegistrationInfo,
        shape_registration_info, maxSystemHealthEntityCount)
FAKE_GET_ARRAY(INapClientManagement2, GetRegisteredEnforcementClients, NapComponentRegistrationInfo,
        shape_registration_info, maxEnforcerCount)
FAKE_GET_BOOL(INapClientManagement2, GetSystemIsolationInfoEx, IsolationInfoEx, shape_isolation_info_ex)

static const INapClientManagement2Vtbl client_management_vtbl =
{
    FAKE_IUNKNOWN,
    fake_INapClientManagement2_GetNapClientInfo,
    fake_INapClientManagement2_GetSystemIsolationInfo,
    fake_INapClientManagement2_RegisterSystemHealthAgent,
    fake_INapClientManagement2_UnregisterSystemHealthAgent,
    fake_INapClientManagement2_RegisterEnforcementClient,
    fake_INapClientManagement2_UnregisterEnforcementClient,
    fake_INapClientManagement2_GetRegisteredSystemHealthAgents,
    fake_INapClientManagement2_GetRegisteredEnforcementClients,
    fake_INapClientManagement2_GetSystemIsolationInfoEx
};

static void test_client_management(void *object, unsigned int level)
{
    CountedString *name = POISON, *description = POISON, *version = POISON;
    INapClientManagement2 *iface = object;
    BOOL enabled = 0xcccccccc;
    HRESULT hr;

    hr = INapClientManagement2_GetNapClientInfo(iface, &enabled, &name, &description, &version);
    check_hr(hr, "GetNapClientInfo");
    check_inline(&shape_uint32, "GetNapClientInfo.enabled", &enabled);
    check_out(&shape_string, "GetNapClientInfo.name", name);
    check_out(&shape_string, "GetNapClientInfo.description", description);
    check_out(&shape_string, "GetNapClientInfo.version", version);

    TEST_GET_BOOL(INapClientManagement2, GetSystemIsolationInfo, IsolationInfo, shape_isolation_info);
    TEST_SET(INapClientManagement2, RegisterSystemHealthAgent, NapComponentRegistrationInfo, shape_registration_info);
    TEST_VALUE(INapClientManagement2, UnregisterSystemHealthAgent, SystemHealthEntityId);
    TEST_SET(INapClientManagement2, RegisterEnforcementClient, NapComponentRegistrationInfo, shape_registration_info);
    TEST_VALUE(INapClientManagement2, UnregisterEnforcementClient, EnforcementEntityId);
    TEST_GET_ARRAY(INapClientManagement2, GetRegisteredSystemHealthAgents, NapComponentRegistrationInfo,
            shape_registration_info, maxSystemHealthEntityCount);
    TEST_GET_ARRAY(INapClientManagement2, GetRegisteredEnforcementClients, NapComponentRegistrationInfo,
            shape_registration_info, maxEnforcerCount);
    if (level >= 1)
        TEST_GET_BOOL(INapClientManagement2, GetSystemIsolationInfoEx, IsolationInfoEx, shape_isolation_info_ex);
}

/* ---- INapComponentConfig, INapComponentConfig2, INapComponentConfig3 ---- */

#define WINDOW ((HWND)(ULONG_PTR)0x12345678)
#define MAX_CONFIG_SIZE 0xffff

static void check_window(const char *name, HWND hwnd)
{
    HWND expected = variant == VARIANT_NULL ? NULL : WINDOW;

    ok(hwnd == expected, "%s: got window %p, expected %p.\n", name, hwnd, expected);
}

static HRESULT WINAPI fake_INapComponentConfig3_InvokeUI(INapComponentConfig3 *iface, HWND hwnd)
{
    check_window("InvokeUI", hwnd);
    return result();
}

static HRESULT WINAPI fake_INapComponentConfig3_SetConfig(INapComponentConfig3 *iface, UINT16 count, BYTE *data)
{
    check_in_array(&shape_uint8, "SetConfig", count, data, MAX_CONFIG_SIZE);
    return result();
}

static HRESULT WINAPI fake_INapComponentConfig3_IsRemoteConfigSupported(INapComponentConfig3 *iface,
        BOOL *supported, UINT8 *type)
{
    put_inline(&shape_uint32, "IsRemoteConfigSupported", supported);
    put_inline(&shape_uint8, "IsRemoteConfigSupported.type", type);
    return result();
}

static HRESULT WINAPI fake_INapComponentConfig3_InvokeUIForMachine(INapComponentConfig3 *iface,
        HWND hwnd, CountedString *machine)
{
    check_window("InvokeUIForMachine", hwnd);
    check_in_optional(&shape_string, "InvokeUIForMachine", machine);
    return result();
}

static HRESULT WINAPI fake_INapComponentConfig3_InvokeUIFromConfigBlob(INapComponentConfig3 *iface,
        HWND hwnd, UINT16 in_count, BYTE *in, UINT16 *out_count, BYTE **out, BOOL *changed)
{
    check_window("InvokeUIFromConfigBlob", hwnd);
    check_in_array(&shape_uint8, "InvokeUIFromConfigBlob", in_count, in, MAX_CONFIG_SIZE);
    put_out_array(&shape_uint8, "InvokeUIFromConfigBlob.out", out_count, out, MAX_CONFIG_SIZE);
    put_inline(&shape_uint32, "InvokeUIFromConfigBlob.changed", changed);
    return result();
}

static HRESULT WINAPI fake_INapComponentConfig3_GetConfigFromID(INapComponentConfig3 *iface, UINT32 id,
        UINT16 *count, BYTE **data)
{
    check_value(UINT32, id, "GetConfigFromID");
    put_out_array(&shape_uint8, "GetConfigFromID", count, data, MAX_CONFIG_SIZE);
    return result();
}

static HRESULT WINAPI fake_INapComponentConfig3_SetConfigToID(INapComponentConfig3 *iface, UINT32 id,
        UINT16 count, BYTE *data)
{
    check_value(UINT32, id, "SetConfigToID");
    check_in_array(&shape_uint8, "SetConfigToID", count, data, MAX_CONFIG_SIZE);
    return result();
}

FAKE_GET_INLINE(INapComponentConfig3, IsUISupported, BOOL, shape_uint32)
FAKE_GET_ARRAY(INapComponentConfig3, GetConfig, BYTE, shape_uint8, MAX_CONFIG_SIZE)
FAKE_VALUE(INapComponentConfig3, NewConfig, UINT32)
FAKE_VALUE(INapComponentConfig3, DeleteConfig, UINT32)
FAKE_VOID(INapComponentConfig3, DeleteAllConfig)

static const INapComponentConfig3Vtbl component_config_vtbl =
{
    FAKE_IUNKNOWN,
    fake_INapComponentConfig3_IsUISupported,
    fake_INapComponentConfig3_InvokeUI,
    fake_INapComponentConfig3_GetConfig,
    fake_INapComponentConfig3_SetConfig,
    fake_INapComponentConfig3_IsRemoteConfigSupported,
    fake_INapComponentConfig3_InvokeUIForMachine,
    fake_INapComponentConfig3_InvokeUIFromConfigBlob,
    fake_INapComponentConfig3_NewConfig,
    fake_INapComponentConfig3_DeleteConfig,
    fake_INapComponentConfig3_DeleteAllConfig,
    fake_INapComponentConfig3_GetConfigFromID,
    fake_INapComponentConfig3_SetConfigToID
};

/* An [in] array needs a pointer even without elements. */
static void *make_in_array(const struct shape *shape, const char *name, UINT16 *count, unsigned int max)
{
    void *array = NULL;

    walk_shapes(shape, name, FALSE, count, &array, max);
    return array ? array : alloc_block(0);
}

static void test_component_config(void *object, unsigned int level)
{
    HWND hwnd = variant == VARIANT_NULL ? NULL : WINDOW;
    INapComponentConfig3 *iface = object;
    BYTE *data, *out = POISON;
    UINT16 count, out_count;
    CountedString *machine;
    BOOL flag = 0xcccccccc;
    UINT8 type = 0xcc;
    HRESULT hr;

    TEST_GET_INLINE(INapComponentConfig3, IsUISupported, BOOL, shape_uint32);
    hr = INapComponentConfig3_InvokeUI(iface, hwnd);
    check_hr(hr, "InvokeUI");
    TEST_GET_ARRAY(INapComponentConfig3, GetConfig, BYTE, shape_uint8, MAX_CONFIG_SIZE);
    data = make_in_array(&shape_uint8, "SetConfig", &count, MAX_CONFIG_SIZE);
    hr = INapComponentConfig3_SetConfig(iface, count, data);
    check_hr(hr, "SetConfig");
    CoTaskMemFree(data);

    if (level < 1)
        return;
    hr = INapComponentConfig3_IsRemoteConfigSupported(iface, &flag, &type);
    check_hr(hr, "IsRemoteConfigSupported");
    check_inline(&shape_uint32, "IsRemoteConfigSupported", &flag);
    check_inline(&shape_uint8, "IsRemoteConfigSupported.type", &type);

    machine = variant == VARIANT_NULL ? NULL : make_value(&shape_string, "InvokeUIForMachine");
    hr = INapComponentConfig3_InvokeUIForMachine(iface, hwnd, machine);
    check_hr(hr, "InvokeUIForMachine");
    if (machine)
        free_value(&shape_string, machine);

    data = make_in_array(&shape_uint8, "InvokeUIFromConfigBlob", &count, MAX_CONFIG_SIZE);
    out_count = 0xcccc;
    flag = 0xcccccccc;
    hr = INapComponentConfig3_InvokeUIFromConfigBlob(iface, hwnd, count, data, &out_count, &out, &flag);
    check_hr(hr, "InvokeUIFromConfigBlob");
    check_out_array(&shape_uint8, "InvokeUIFromConfigBlob.out", out_count, out, MAX_CONFIG_SIZE);
    check_inline(&shape_uint32, "InvokeUIFromConfigBlob.changed", &flag);
    CoTaskMemFree(data);

    if (level < 2)
        return;
    TEST_VALUE(INapComponentConfig3, NewConfig, UINT32);
    TEST_VALUE(INapComponentConfig3, DeleteConfig, UINT32);
    TEST_VOID(INapComponentConfig3, DeleteAllConfig);
    out = POISON;
    out_count = 0xcccc;
    hr = INapComponentConfig3_GetConfigFromID(iface, get_value("GetConfigFromID"), &out_count, &out);
    check_hr(hr, "GetConfigFromID");
    check_out_array(&shape_uint8, "GetConfigFromID", out_count, out, MAX_CONFIG_SIZE);
    data = make_in_array(&shape_uint8, "SetConfigToID", &count, MAX_CONFIG_SIZE);
    hr = INapComponentConfig3_SetConfigToID(iface, get_value("SetConfigToID"), count, data);
    check_hr(hr, "SetConfigToID");
    CoTaskMemFree(data);
}

/* ---- INapComponentInfo ---- */

FAKE_GET_INLINE(INapComponentInfo, GetFriendlyName, MessageId, shape_uint32)
FAKE_GET_INLINE(INapComponentInfo, GetDescription, MessageId, shape_uint32)
FAKE_GET_INLINE(INapComponentInfo, GetVendorName, MessageId, shape_uint32)
FAKE_GET_INLINE(INapComponentInfo, GetVersion, MessageId, shape_uint32)

static HRESULT WINAPI fake_INapComponentInfo_GetIcon(INapComponentInfo *iface, CountedString **path, UINT32 *id)
{
    put_out(&shape_string, "GetIcon", path);
    put_inline(&shape_uint32, "GetIcon.id", id);
    return result();
}

static HRESULT WINAPI fake_INapComponentInfo_ConvertErrorCodeToMessageId(INapComponentInfo *iface,
        HRESULT error, MessageId *id)
{
    check_value(HRESULT, error, "ConvertErrorCodeToMessageId");
    put_inline(&shape_uint32, "ConvertErrorCodeToMessageId", id);
    return result();
}

static HRESULT WINAPI fake_INapComponentInfo_GetLocalizedString(INapComponentInfo *iface, MessageId id,
        CountedString **string)
{
    check_value(MessageId, id, "GetLocalizedString");
    put_out(&shape_string, "GetLocalizedString", string);
    return result();
}

static const INapComponentInfoVtbl component_info_vtbl =
{
    FAKE_IUNKNOWN,
    fake_INapComponentInfo_GetFriendlyName,
    fake_INapComponentInfo_GetDescription,
    fake_INapComponentInfo_GetVendorName,
    fake_INapComponentInfo_GetVersion,
    fake_INapComponentInfo_GetIcon,
    fake_INapComponentInfo_ConvertErrorCodeToMessageId,
    fake_INapComponentInfo_GetLocalizedString
};

static void test_component_info(void *object, unsigned int level)
{
    INapComponentInfo *iface = object;
    CountedString *string = POISON;
    UINT32 id = 0xcccccccc;
    HRESULT hr;

    TEST_GET_INLINE(INapComponentInfo, GetFriendlyName, MessageId, shape_uint32);
    TEST_GET_INLINE(INapComponentInfo, GetDescription, MessageId, shape_uint32);
    TEST_GET_INLINE(INapComponentInfo, GetVendorName, MessageId, shape_uint32);
    TEST_GET_INLINE(INapComponentInfo, GetVersion, MessageId, shape_uint32);

    hr = INapComponentInfo_GetIcon(iface, &string, &id);
    check_hr(hr, "GetIcon");
    check_out(&shape_string, "GetIcon", string);
    check_inline(&shape_uint32, "GetIcon.id", &id);

    id = 0xcccccccc;
    hr = INapComponentInfo_ConvertErrorCodeToMessageId(iface, get_value("ConvertErrorCodeToMessageId"), &id);
    check_hr(hr, "ConvertErrorCodeToMessageId");
    check_inline(&shape_uint32, "ConvertErrorCodeToMessageId", &id);

    string = POISON;
    hr = INapComponentInfo_GetLocalizedString(iface, get_value("GetLocalizedString"), &string);
    check_hr(hr, "GetLocalizedString");
    check_out(&shape_string, "GetLocalizedString", string);
}

/* ---- INapEnforcementClientBinding, INapEnforcementClientCallback ---- */

static HRESULT WINAPI fake_INapEnforcementClientBinding_Initialize(INapEnforcementClientBinding *iface,
        EnforcementEntityId id, INapEnforcementClientCallback *callback)
{
    check_value(EnforcementEntityId, id, "Initialize");
    check_object(CLASS_ENFORCEMENT_CALLBACK, "Initialize", callback);
    return result();
}

static HRESULT WINAPI fake_INapEnforcementClientBinding_CreateConnection(INapEnforcementClientBinding *iface,
        INapEnforcementClientConnection **connection)
{
    put_object(CLASS_ENFORCEMENT_CONNECTION, "CreateConnection", connection);
    return result();
}

static HRESULT WINAPI fake_INapEnforcementClientBinding_GetSoHRequest(INapEnforcementClientBinding *iface,
        INapEnforcementClientConnection *connection, BOOL *hint)
{
    check_object(CLASS_ENFORCEMENT_CONNECTION, "GetSoHRequest", connection);
    put_inline(&shape_uint32, "GetSoHRequest", hint);
    return result();
}

FAKE_VOID(INapEnforcementClientBinding, Uninitialize)
FAKE_OBJECT(INapEnforcementClientBinding, ProcessSoHResponse, INapEnforcementClientConnection,
        CLASS_ENFORCEMENT_CONNECTION)
FAKE_OBJECT(INapEnforcementClientBinding, NotifyConnectionStateDown, INapEnforcementClientConnection,
        CLASS_ENFORCEMENT_CONNECTION)
FAKE_VOID(INapEnforcementClientBinding, NotifySoHChangeFailure)

static const INapEnforcementClientBindingVtbl enforcement_binding_vtbl =
{
    FAKE_IUNKNOWN,
    fake_INapEnforcementClientBinding_Initialize,
    fake_INapEnforcementClientBinding_Uninitialize,
    fake_INapEnforcementClientBinding_CreateConnection,
    fake_INapEnforcementClientBinding_GetSoHRequest,
    fake_INapEnforcementClientBinding_ProcessSoHResponse,
    fake_INapEnforcementClientBinding_NotifyConnectionStateDown,
    fake_INapEnforcementClientBinding_NotifySoHChangeFailure
};

static void test_enforcement_binding(void *object, unsigned int level)
{
    INapEnforcementClientConnection *connection = POISON;
    INapEnforcementClientBinding *iface = object;
    INapEnforcementClientCallback *callback;
    BOOL hint = 0xcccccccc;
    HRESULT hr;

    callback = make_object(CLASS_ENFORCEMENT_CALLBACK);
    hr = INapEnforcementClientBinding_Initialize(iface, get_value("Initialize"), callback);
    check_hr(hr, "Initialize");
    release_object(callback);

    TEST_VOID(INapEnforcementClientBinding, Uninitialize);

    hr = INapEnforcementClientBinding_CreateConnection(iface, &connection);
    check_hr(hr, "CreateConnection");
    check_out_object(CLASS_ENFORCEMENT_CONNECTION, "CreateConnection", connection);

    connection = make_object(CLASS_ENFORCEMENT_CONNECTION);
    hr = INapEnforcementClientBinding_GetSoHRequest(iface, connection, &hint);
    check_hr(hr, "GetSoHRequest");
    check_inline(&shape_uint32, "GetSoHRequest", &hint);
    release_object(connection);

    TEST_OBJECT(INapEnforcementClientBinding, ProcessSoHResponse, CLASS_ENFORCEMENT_CONNECTION);
    TEST_OBJECT(INapEnforcementClientBinding, NotifyConnectionStateDown, CLASS_ENFORCEMENT_CONNECTION);
    TEST_VOID(INapEnforcementClientBinding, NotifySoHChangeFailure);
}

FAKE_VOID(INapEnforcementClientCallback, NotifySoHChange)
FAKE_GET(INapEnforcementClientCallback, GetConnections, Connections, shape_connections)

static const INapEnforcementClientCallbackVtbl enforcement_callback_vtbl =
{
    FAKE_IUNKNOWN,
    fake_INapEnforcementClientCallback_NotifySoHChange,
    fake_INapEnforcementClientCallback_GetConnections
};

static void test_enforcement_callback(void *object, unsigned int level)
{
    INapEnforcementClientCallback *iface = object;

    TEST_VOID(INapEnforcementClientCallback, NotifySoHChange);
    TEST_GET(INapEnforcementClientCallback, GetConnections, Connections, shape_connections);
}

/* ---- INapEnforcementClientConnection, INapEnforcementClientConnection2 ---- */

static LONG max_size;

static HRESULT WINAPI fake_INapEnforcementClientConnection2_SetMaxSize(INapEnforcementClientConnection2 *iface,
        ProtocolMaxSize size)
{
    ok(size >= minProtocolMaxSize && size <= maxProtocolMaxSize, "Got size %u.\n", size);
    InterlockedExchange(&max_size, size);
    return result();
}

static HRESULT WINAPI fake_INapEnforcementClientConnection2_GetMaxSize(INapEnforcementClientConnection2 *iface,
        ProtocolMaxSize *size)
{
    *size = max_size;
    return result();
}

static HRESULT WINAPI fake_INapEnforcementClientConnection2_SetCorrelationId(INapEnforcementClientConnection2 *iface,
        CorrelationId id)
{
    check_in(&shape_correlation_id, "SetCorrelationId", &id);
    return result();
}

static HRESULT WINAPI fake_INapEnforcementClientConnection2_SetSoHRequest(INapEnforcementClientConnection2 *iface,
        const NetworkSoHRequest *soh)
{
    check_in_optional(&shape_network_soh, "SetSoHRequest", soh);
    return result();
}

static HRESULT WINAPI fake_INapEnforcementClientConnection2_SetInstalledShvs(INapEnforcementClientConnection2 *iface,
        SystemHealthEntityCount count, SystemHealthEntityId *ids)
{
    check_in_array(&shape_uint32, "SetInstalledShvs", count, ids, maxSystemHealthEntityCount);
    return result();
}

FAKE_VALUE(INapEnforcementClientConnection2, Initialize, EnforcementEntityId)
FAKE_VALUE(INapEnforcementClientConnection2, SetFlags, UINT8)
FAKE_GET_INLINE(INapEnforcementClientConnection2, GetFlags, UINT8, shape_uint8)
FAKE_SET(INapEnforcementClientConnection2, SetConnectionId, ConnectionId, shape_guid)
FAKE_GET(INapEnforcementClientConnection2, GetConnectionId, ConnectionId, shape_guid)
FAKE_GET_INLINE(INapEnforcementClientConnection2, GetCorrelationId, CorrelationId, shape_correlation_id)
FAKE_GET(INapEnforcementClientConnection2, GetStringCorrelationId, StringCorrelationId, shape_string)
FAKE_GET(INapEnforcementClientConnection2, GetSoHRequest, NetworkSoHRequest, shape_network_soh)
FAKE_SET(INapEnforcementClientConnection2, SetSoHResponse, NetworkSoHResponse, shape_network_soh)
FAKE_GET(INapEnforcementClientConnection2, GetSoHResponse, NetworkSoHResponse, shape_network_soh)
FAKE_SET(INapEnforcementClientConnection2, SetIsolationInfo, IsolationInfo, shape_isolation_info)
FAKE_GET(INapEnforcementClientConnection2, GetIsolationInfo, IsolationInfo, shape_isolation_info)
FAKE_SET(INapEnforcementClientConnection2, SetPrivateData, PrivateData, shape_private_data)
FAKE_GET(INapEnforcementClientConnection2, GetPrivateData, PrivateData, shape_private_data)
FAKE_SET(INapEnforcementClientConnection2, SetEnforcerPrivateData, PrivateData, shape_private_data)
FAKE_GET(INapEnforcementClientConnection2, GetEnforcerPrivateData, PrivateData, shape_private_data)
FAKE_SET(INapEnforcementClientConnection2, SetIsolationInfoEx, IsolationInfoEx, shape_isolation_info_ex)
FAKE_GET(INapEnforcementClientConnection2, GetIsolationInfoEx, IsolationInfoEx, shape_isolation_info_ex)
FAKE_GET_ARRAY(INapEnforcementClientConnection2, GetInstalledShvs, SystemHealthEntityId, shape_uint32,
        maxSystemHealthEntityCount)

static const INapEnforcementClientConnection2Vtbl enforcement_connection_vtbl =
{
    FAKE_IUNKNOWN,
    fake_INapEnforcementClientConnection2_Initialize,
    fake_INapEnforcementClientConnection2_SetMaxSize,
    fake_INapEnforcementClientConnection2_GetMaxSize,
    fake_INapEnforcementClientConnection2_SetFlags,
    fake_INapEnforcementClientConnection2_GetFlags,
    fake_INapEnforcementClientConnection2_SetConnectionId,
    fake_INapEnforcementClientConnection2_GetConnectionId,
    fake_INapEnforcementClientConnection2_GetCorrelationId,
    fake_INapEnforcementClientConnection2_GetStringCorrelationId,
    fake_INapEnforcementClientConnection2_SetCorrelationId,
    fake_INapEnforcementClientConnection2_SetSoHRequest,
    fake_INapEnforcementClientConnection2_GetSoHRequest,
    fake_INapEnforcementClientConnection2_SetSoHResponse,
    fake_INapEnforcementClientConnection2_GetSoHResponse,
    fake_INapEnforcementClientConnection2_SetIsolationInfo,
    fake_INapEnforcementClientConnection2_GetIsolationInfo,
    fake_INapEnforcementClientConnection2_SetPrivateData,
    fake_INapEnforcementClientConnection2_GetPrivateData,
    fake_INapEnforcementClientConnection2_SetEnforcerPrivateData,
    fake_INapEnforcementClientConnection2_GetEnforcerPrivateData,
    fake_INapEnforcementClientConnection2_SetIsolationInfoEx,
    fake_INapEnforcementClientConnection2_GetIsolationInfoEx,
    fake_INapEnforcementClientConnection2_GetInstalledShvs,
    fake_INapEnforcementClientConnection2_SetInstalledShvs
};

static void test_max_size(INapEnforcementClientConnection2 *iface)
{
    static const struct
    {
        UINT32 size;
        BOOL rejected;
    }
    tests[] =
    {
        {minProtocolMaxSize},
        {defaultProtocolMaxSize},
        {0, TRUE},
        {minProtocolMaxSize - 1, TRUE},
        {maxProtocolMaxSize + 1, TRUE},
        {~0u, TRUE},
        {maxProtocolMaxSize},
    };
    UINT32 size, last = 0;
    unsigned int i;
    HRESULT hr;

    for (i = 0; i < ARRAY_SIZE(tests); ++i)
    {
        winetest_push_context("Size %u", tests[i].size);
        hr = INapEnforcementClientConnection2_SetMaxSize(iface, tests[i].size);
        ok(hr == (tests[i].rejected ? HRESULT_FROM_WIN32(RPC_S_INVALID_BOUND) : result()), "Got hr %#lx.\n", hr);
        if (!tests[i].rejected)
            last = tests[i].size;
        size = 0xcccccccc;
        hr = INapEnforcementClientConnection2_GetMaxSize(iface, &size);
        check_hr(hr, "GetMaxSize");
        ok(size == last, "Got size %u, expected %u.\n", size, last);
        winetest_pop_context();
    }
}

static void test_enforcement_connection(void *object, unsigned int level)
{
    INapEnforcementClientConnection2 *iface = object;
    SystemHealthEntityId *ids;
    CorrelationId correlation;
    NetworkSoHRequest *soh;
    UINT16 count;
    HRESULT hr;

    TEST_VALUE(INapEnforcementClientConnection2, Initialize, EnforcementEntityId);
    if (variant == 1 || variant == VARIANT_FAIL)
        test_max_size(iface);
    TEST_VALUE(INapEnforcementClientConnection2, SetFlags, UINT8);
    TEST_GET_INLINE(INapEnforcementClientConnection2, GetFlags, UINT8, shape_uint8);
    TEST_SET(INapEnforcementClientConnection2, SetConnectionId, ConnectionId, shape_guid);
    TEST_GET(INapEnforcementClientConnection2, GetConnectionId, ConnectionId, shape_guid);
    TEST_GET_INLINE(INapEnforcementClientConnection2, GetCorrelationId, CorrelationId, shape_correlation_id);
    TEST_GET(INapEnforcementClientConnection2, GetStringCorrelationId, StringCorrelationId, shape_string);

    walk_shape(&shape_correlation_id, "SetCorrelationId", FALSE, &correlation);
    hr = INapEnforcementClientConnection2_SetCorrelationId(iface, correlation);
    check_hr(hr, "SetCorrelationId");

    soh = variant == VARIANT_NULL ? NULL : make_value(&shape_network_soh, "SetSoHRequest");
    hr = INapEnforcementClientConnection2_SetSoHRequest(iface, soh);
    check_hr(hr, "SetSoHRequest");
    if (soh)
        free_value(&shape_network_soh, soh);

    TEST_GET(INapEnforcementClientConnection2, GetSoHRequest, NetworkSoHRequest, shape_network_soh);
    TEST_SET(INapEnforcementClientConnection2, SetSoHResponse, NetworkSoHResponse, shape_network_soh);
    TEST_GET(INapEnforcementClientConnection2, GetSoHResponse, NetworkSoHResponse, shape_network_soh);
    TEST_SET(INapEnforcementClientConnection2, SetIsolationInfo, IsolationInfo, shape_isolation_info);
    TEST_GET(INapEnforcementClientConnection2, GetIsolationInfo, IsolationInfo, shape_isolation_info);
    TEST_SET(INapEnforcementClientConnection2, SetPrivateData, PrivateData, shape_private_data);
    TEST_GET(INapEnforcementClientConnection2, GetPrivateData, PrivateData, shape_private_data);
    TEST_SET(INapEnforcementClientConnection2, SetEnforcerPrivateData, PrivateData, shape_private_data);
    TEST_GET(INapEnforcementClientConnection2, GetEnforcerPrivateData, PrivateData, shape_private_data);

    if (level < 1)
        return;
    TEST_SET(INapEnforcementClientConnection2, SetIsolationInfoEx, IsolationInfoEx, shape_isolation_info_ex);
    TEST_GET(INapEnforcementClientConnection2, GetIsolationInfoEx, IsolationInfoEx, shape_isolation_info_ex);
    TEST_GET_ARRAY(INapEnforcementClientConnection2, GetInstalledShvs, SystemHealthEntityId, shape_uint32,
            maxSystemHealthEntityCount);
    ids = make_in_array(&shape_uint32, "SetInstalledShvs", &count, maxSystemHealthEntityCount);
    hr = INapEnforcementClientConnection2_SetInstalledShvs(iface, count, ids);
    check_hr(hr, "SetInstalledShvs");
    CoTaskMemFree(ids);
}

/* ---- INapSystemHealthAgentBinding, INapSystemHealthAgentBinding2 ---- */

static HRESULT WINAPI fake_INapSystemHealthAgentBinding2_Initialize(INapSystemHealthAgentBinding2 *iface,
        SystemHealthEntityId id, INapSystemHealthAgentCallback *callback)
{
    check_value(SystemHealthEntityId, id, "Initialize");
    check_object(CLASS_HEALTH_AGENT_CALLBACK, "Initialize", callback);
    return result();
}

FAKE_VOID(INapSystemHealthAgentBinding2, Uninitialize)
FAKE_VOID(INapSystemHealthAgentBinding2, NotifySoHChange)
FAKE_GET_BOOL(INapSystemHealthAgentBinding2, GetSystemIsolationInfo, IsolationInfo, shape_isolation_info)
FAKE_VOID(INapSystemHealthAgentBinding2, FlushCache)
FAKE_GET_BOOL(INapSystemHealthAgentBinding2, GetSystemIsolationInfoEx, IsolationInfoEx, shape_isolation_info_ex)

static const INapSystemHealthAgentBinding2Vtbl health_agent_binding_vtbl =
{
    FAKE_IUNKNOWN,
    fake_INapSystemHealthAgentBinding2_Initialize,
    fake_INapSystemHealthAgentBinding2_Uninitialize,
    fake_INapSystemHealthAgentBinding2_NotifySoHChange,
    fake_INapSystemHealthAgentBinding2_GetSystemIsolationInfo,
    fake_INapSystemHealthAgentBinding2_FlushCache,
    fake_INapSystemHealthAgentBinding2_GetSystemIsolationInfoEx
};

static void test_health_agent_binding(void *object, unsigned int level)
{
    INapSystemHealthAgentBinding2 *iface = object;
    INapSystemHealthAgentCallback *callback;
    HRESULT hr;

    callback = make_object(CLASS_HEALTH_AGENT_CALLBACK);
    hr = INapSystemHealthAgentBinding2_Initialize(iface, get_value("Initialize"), callback);
    check_hr(hr, "Initialize");
    release_object(callback);

    TEST_VOID(INapSystemHealthAgentBinding2, Uninitialize);
    TEST_VOID(INapSystemHealthAgentBinding2, NotifySoHChange);
    TEST_GET_BOOL(INapSystemHealthAgentBinding2, GetSystemIsolationInfo, IsolationInfo, shape_isolation_info);
    TEST_VOID(INapSystemHealthAgentBinding2, FlushCache);
    if (level >= 1)
        TEST_GET_BOOL(INapSystemHealthAgentBinding2, GetSystemIsolationInfoEx, IsolationInfoEx,
                shape_isolation_info_ex);
}

/* ---- INapSystemHealthAgentCallback, INapSystemHealthAgentRequest ---- */

static HRESULT WINAPI fake_INapSystemHealthAgentCallback_CompareSoHRequests(INapSystemHealthAgentCallback *iface,
        const SoHRequest *left, const SoHRequest *right, BOOL *equal)
{
    check_in(&shape_soh, "CompareSoHRequests.left", left);
    check_in(&shape_soh, "CompareSoHRequests.right", right);
    put_inline(&shape_uint32, "CompareSoHRequests", equal);
    return result();
}

FAKE_OBJECT(INapSystemHealthAgentCallback, GetSoHRequest, INapSystemHealthAgentRequest, CLASS_HEALTH_AGENT_REQUEST)
FAKE_OBJECT(INapSystemHealthAgentCallback, ProcessSoHResponse, INapSystemHealthAgentRequest,
        CLASS_HEALTH_AGENT_REQUEST)
FAKE_VOID(INapSystemHealthAgentCallback, NotifySystemIsolationStateChange)
FAKE_GET(INapSystemHealthAgentCallback, GetFixupInfo, FixupInfo, shape_fixup_info)
FAKE_SET(INapSystemHealthAgentCallback, NotifyOrphanedSoHRequest, CorrelationId, shape_correlation_id)

static const INapSystemHealthAgentCallbackVtbl health_agent_callback_vtbl =
{
    FAKE_IUNKNOWN,
    fake_INapSystemHealthAgentCallback_GetSoHRequest,
    fake_INapSystemHealthAgentCallback_ProcessSoHResponse,
    fake_INapSystemHealthAgentCallback_NotifySystemIsolationStateChange,
    fake_INapSystemHealthAgentCallback_GetFixupInfo,
    fake_INapSystemHealthAgentCallback_CompareSoHRequests,
    fake_INapSystemHealthAgentCallback_NotifyOrphanedSoHRequest
};

static void test_health_agent_callback(void *object, unsigned int level)
{
    INapSystemHealthAgentCallback *iface = object;
    SoHRequest *left, *right;
    BOOL equal = 0xcccccccc;
    HRESULT hr;

    TEST_OBJECT(INapSystemHealthAgentCallback, GetSoHRequest, CLASS_HEALTH_AGENT_REQUEST);
    TEST_OBJECT(INapSystemHealthAgentCallback, ProcessSoHResponse, CLASS_HEALTH_AGENT_REQUEST);
    TEST_VOID(INapSystemHealthAgentCallback, NotifySystemIsolationStateChange);
    TEST_GET(INapSystemHealthAgentCallback, GetFixupInfo, FixupInfo, shape_fixup_info);

    left = make_value(&shape_soh, "CompareSoHRequests.left");
    right = make_value(&shape_soh, "CompareSoHRequests.right");
    hr = INapSystemHealthAgentCallback_CompareSoHRequests(iface, left, right, &equal);
    check_hr(hr, "CompareSoHRequests");
    check_inline(&shape_uint32, "CompareSoHRequests", &equal);
    free_value(&shape_soh, left);
    free_value(&shape_soh, right);

    TEST_SET(INapSystemHealthAgentCallback, NotifyOrphanedSoHRequest, CorrelationId, shape_correlation_id);
}

static HRESULT WINAPI fake_INapSystemHealthAgentRequest_SetSoHRequest(INapSystemHealthAgentRequest *iface,
        const SoHRequest *soh, BOOL cache)
{
    check_in(&shape_soh, "SetSoHRequest", soh);
    check_value(BOOL, cache, "SetSoHRequest");
    return result();
}

static HRESULT WINAPI fake_INapSystemHealthAgentRequest_GetSoHResponse(INapSystemHealthAgentRequest *iface,
        SoHResponse **soh, UINT8 *flags)
{
    put_out(&shape_soh, "GetSoHResponse", soh);
    put_inline(&shape_uint8, "GetSoHResponse.flags", flags);
    return result();
}

static HRESULT WINAPI fake_INapSystemHealthAgentRequest_GetCacheSoHFlag(INapSystemHealthAgentRequest *iface,
        BOOL *cache)
{
    check_value(BOOL, *cache, "GetCacheSoHFlag");
    *cache = 0xdeadbeef;
    return result();
}

FAKE_GET_INLINE(INapSystemHealthAgentRequest, GetCorrelationId, CorrelationId, shape_correlation_id)
FAKE_GET(INapSystemHealthAgentRequest, GetStringCorrelationId, StringCorrelationId, shape_string)
FAKE_GET(INapSystemHealthAgentRequest, GetSoHRequest, SoHRequest, shape_soh)

static const INapSystemHealthAgentRequestVtbl health_agent_request_vtbl =
{
    FAKE_IUNKNOWN,
    fake_INapSystemHealthAgentRequest_GetCorrelationId,
    fake_INapSystemHealthAgentRequest_GetStringCorrelationId,
    fake_INapSystemHealthAgentRequest_SetSoHRequest,
    fake_INapSystemHealthAgentRequest_GetSoHRequest,
    fake_INapSystemHealthAgentRequest_GetSoHResponse,
    fake_INapSystemHealthAgentRequest_GetCacheSoHFlag
};

static void test_health_agent_request(void *object, unsigned int level)
{
    BOOL cache = get_value("GetCacheSoHFlag");
    INapSystemHealthAgentRequest *iface = object;
    SoHResponse *response = POISON;
    SoHRequest *request;
    UINT8 flags = 0xcc;
    HRESULT hr;

    TEST_GET_INLINE(INapSystemHealthAgentRequest, GetCorrelationId, CorrelationId, shape_correlation_id);
    TEST_GET(INapSystemHealthAgentRequest, GetStringCorrelationId, StringCorrelationId, shape_string);

    request = make_value(&shape_soh, "SetSoHRequest");
    hr = INapSystemHealthAgentRequest_SetSoHRequest(iface, request, get_value("SetSoHRequest"));
    check_hr(hr, "SetSoHRequest");
    free_value(&shape_soh, request);

    TEST_GET(INapSystemHealthAgentRequest, GetSoHRequest, SoHRequest, shape_soh);

    hr = INapSystemHealthAgentRequest_GetSoHResponse(iface, &response, &flags);
    check_hr(hr, "GetSoHResponse");
    check_out(&shape_soh, "GetSoHResponse", response);
    check_inline(&shape_uint8, "GetSoHResponse.flags", &flags);

    hr = INapSystemHealthAgentRequest_GetCacheSoHFlag(iface, &cache);
    check_hr(hr, "GetCacheSoHFlag");
    /* The parameter is an input, whatever it is called. */
    check_value(BOOL, cache, "GetCacheSoHFlag");
}

/* ---- INapServerCallback, INapServerInfo, INapServerManagement ---- */

static HRESULT WINAPI fake_INapServerCallback_OnComplete(INapServerCallback *iface,
        INapSystemHealthValidationRequest *request, HRESULT error)
{
    check_object(CLASS_VALIDATION_REQUEST, "OnComplete", request);
    check_value(HRESULT, error, "OnComplete");
    return result();
}

static const INapServerCallbackVtbl server_callback_vtbl =
{
    FAKE_IUNKNOWN,
    fake_INapServerCallback_OnComplete
};

static void test_server_callback(void *object, unsigned int level)
{
    INapSystemHealthValidationRequest *request = make_object(CLASS_VALIDATION_REQUEST);
    INapServerCallback *iface = object;
    HRESULT hr;

    hr = INapServerCallback_OnComplete(iface, request, get_value("OnComplete"));
    check_hr(hr, "OnComplete");
    release_object(request);
}

static HRESULT WINAPI fake_INapServerInfo_GetNapServerInfo(INapServerInfo *iface, CountedString **name,
        CountedString **description, CountedString **version)
{
    put_out(&shape_string, "GetNapServerInfo.name", name);
    put_out(&shape_string, "GetNapServerInfo.description", description);
    put_out(&shape_string, "GetNapServerInfo.version", version);
    return result();
}

static HRESULT WINAPI fake_INapServerInfo_GetRegisteredSystemHealthValidators(INapServerInfo *iface,
        SystemHealthEntityCount *count, NapComponentRegistrationInfo **validators, CLSID **clsids)
{
    put_out_array(&shape_registration_info, "GetRegisteredSystemHealthValidators", count, validators,
            maxSystemHealthEntityCount);
    put_out_array(&shape_guid, "GetRegisteredSystemHealthValidators.clsids", count, clsids,
            maxSystemHealthEntityCount);
    return result();
}

static HRESULT WINAPI fake_INapServerInfo_GetFailureCategoryMappings(INapServerInfo *iface,
        SystemHealthEntityId id, FailureCategoryMapping *mapping)
{
    struct shape shape = {sizeof(*mapping)};

    check_value(SystemHealthEntityId, id, "GetFailureCategoryMappings");
    put_inline(&shape, "GetFailureCategoryMappings", mapping);
    return result();
}

static const INapServerInfoVtbl server_info_vtbl =
{
    FAKE_IUNKNOWN,
    fake_INapServerInfo_GetNapServerInfo,
    fake_INapServerInfo_GetRegisteredSystemHealthValidators,
    fake_INapServerInfo_GetFailureCategoryMappings
};

static void test_server_info(void *object, unsigned int level)
{
    CountedString *name = POISON, *description = POISON, *version = POISON;
    struct shape shape_mapping = {sizeof(FailureCategoryMapping)};
    NapComponentRegistrationInfo *validators = POISON;
    INapServerInfo *iface = object;
    FailureCategoryMapping mapping;
    CLSID *clsids = POISON;
    UINT16 count = 0xcccc;
    HRESULT hr;

    hr = INapServerInfo_GetNapServerInfo(iface, &name, &description, &version);
    check_hr(hr, "GetNapServerInfo");
    check_out(&shape_string, "GetNapServerInfo.name", name);
    check_out(&shape_string, "GetNapServerInfo.description", description);
    check_out(&shape_string, "GetNapServerInfo.version", version);

    hr = INapServerInfo_GetRegisteredSystemHealthValidators(iface, &count, &validators, &clsids);
    check_hr(hr, "GetRegisteredSystemHealthValidators");
    check_out_array(&shape_registration_info, "GetRegisteredSystemHealthValidators", count, validators,
            maxSystemHealthEntityCount);
    check_out_array(&shape_guid, "GetRegisteredSystemHealthValidators.clsids", count, clsids,
            maxSystemHealthEntityCount);

    memset(&mapping, 0xcc, sizeof(mapping));
    hr = INapServerInfo_GetFailureCategoryMappings(iface, get_value("GetFailureCategoryMappings"), &mapping);
    check_hr(hr, "GetFailureCategoryMappings");
    check_inline(&shape_mapping, "GetFailureCategoryMappings", &mapping);
}

static HRESULT WINAPI fake_INapServerManagement_RegisterSystemHealthValidator(INapServerManagement *iface,
        const NapComponentRegistrationInfo *validator, const CLSID *clsid)
{
    check_in(&shape_registration_info, "RegisterSystemHealthValidator", validator);
    check_in(&shape_guid, "RegisterSystemHealthValidator.clsid", clsid);
    return result();
}

static HRESULT WINAPI fake_INapServerManagement_SetFailureCategoryMappings(INapServerManagement *iface,
        SystemHealthEntityId id, const FailureCategoryMapping mapping)
{
    struct shape shape = {sizeof(mapping)};

    check_value(SystemHealthEntityId, id, "SetFailureCategoryMappings");
    check_in(&shape, "SetFailureCategoryMappings", &mapping);
    return result();
}

FAKE_VALUE(INapServerManagement, UnregisterSystemHealthValidator, SystemHealthEntityId)

static const INapServerManagementVtbl server_management_vtbl =
{
    FAKE_IUNKNOWN,
    fake_INapServerManagement_RegisterSystemHealthValidator,
    fake_INapServerManagement_UnregisterSystemHealthValidator,
    fake_INapServerManagement_SetFailureCategoryMappings
};

static void test_server_management(void *object, unsigned int level)
{
    struct shape shape_mapping = {sizeof(FailureCategoryMapping)};
    INapServerManagement *iface = object;
    NapComponentRegistrationInfo *info;
    FailureCategoryMapping mapping;
    CLSID *clsid;
    HRESULT hr;

    info = make_value(&shape_registration_info, "RegisterSystemHealthValidator");
    clsid = make_value(&shape_guid, "RegisterSystemHealthValidator.clsid");
    hr = INapServerManagement_RegisterSystemHealthValidator(iface, info, clsid);
    check_hr(hr, "RegisterSystemHealthValidator");
    free_value(&shape_registration_info, info);
    free_value(&shape_guid, clsid);

    TEST_VALUE(INapServerManagement, UnregisterSystemHealthValidator, SystemHealthEntityId);

    walk_shape(&shape_mapping, "SetFailureCategoryMappings", FALSE, &mapping);
    hr = INapServerManagement_SetFailureCategoryMappings(iface, get_value("SetFailureCategoryMappings"), mapping);
    check_hr(hr, "SetFailureCategoryMappings");
}

/* ---- INapSoHConstructor, INapSoHProcessor ---- */

/* Each arm of the union, and the default one with types that have a name and with others. */
static const UINT16 attribute_types[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 0x7fff};

static void walk_typed_value(const char *name, BOOL check, UINT32 type, SoHAttributeValue *value)
{
    struct walk walk;

    walk.name = name;
    walk.check = check;
    walk.state = get_value(name) + type;
    walk.variant = variant;
    walk_attribute_value(&walk, type, value);
}

static HRESULT WINAPI fake_INapSoHConstructor_Initialize(INapSoHConstructor *iface, SystemHealthEntityId id,
        BOOL request)
{
    check_value(SystemHealthEntityId, id, "Initialize");
    check_value(BOOL, request, "Initialize.request");
    return result();
}

static HRESULT WINAPI fake_INapSoHConstructor_AppendAttribute(INapSoHConstructor *iface, SoHAttributeType type,
        const SoHAttributeValue *value)
{
    ok(!!value, "Got no value.\n");
    winetest_push_context("Type %u", type);
    walk_typed_value("AppendAttribute", TRUE, type, (SoHAttributeValue *)value);
    winetest_pop_context();
    InterlockedIncrement(&in_structures);
    return result();
}

static HRESULT WINAPI fake_INapSoHConstructor_Validate(INapSoHConstructor *iface, const SoH *soh, BOOL request)
{
    check_in(&shape_soh, "Validate", soh);
    check_value(BOOL, request, "Validate");
    return result();
}

FAKE_GET(INapSoHConstructor, GetSoH, SoH, shape_soh)

static const INapSoHConstructorVtbl soh_constructor_vtbl =
{
    FAKE_IUNKNOWN,
    fake_INapSoHConstructor_Initialize,
    fake_INapSoHConstructor_AppendAttribute,
    fake_INapSoHConstructor_GetSoH,
    fake_INapSoHConstructor_Validate
};

static void test_soh_constructor(void *object, unsigned int level)
{
    INapSoHConstructor *iface = object;
    SoHAttributeValue *value;
    unsigned int i;
    HRESULT hr;
    SoH *soh;

    hr = INapSoHConstructor_Initialize(iface, get_value("Initialize"), get_value("Initialize.request"));
    check_hr(hr, "Initialize");

    for (i = 0; i < ARRAY_SIZE(attribute_types); ++i)
    {
        winetest_push_context("Type %u", attribute_types[i]);
        value = alloc_block(sizeof(*value));
        walk_typed_value("AppendAttribute", FALSE, attribute_types[i], value);
        hr = INapSoHConstructor_AppendAttribute(iface, attribute_types[i], value);
        check_hr(hr, "AppendAttribute");
        pFreeSoHAttributeValue(attribute_types[i], value);
        winetest_pop_context();
    }

    TEST_GET(INapSoHConstructor, GetSoH, SoH, shape_soh);

    soh = make_value(&shape_soh, "Validate");
    hr = INapSoHConstructor_Validate(iface, soh, get_value("Validate"));
    check_hr(hr, "Validate");
    free_value(&shape_soh, soh);
}

static HRESULT WINAPI fake_INapSoHProcessor_Initialize(INapSoHProcessor *iface, const SoH *soh, BOOL request,
        SystemHealthEntityId *id)
{
    check_in(&shape_soh, "Initialize", soh);
    check_value(BOOL, request, "Initialize");
    put_inline(&shape_uint32, "Initialize.id", id);
    return result();
}

static HRESULT WINAPI fake_INapSoHProcessor_FindNextAttribute(INapSoHProcessor *iface, UINT16 from,
        SoHAttributeType type, UINT16 *location)
{
    check_value(UINT16, from, "FindNextAttribute");
    *location = ~type;
    return result();
}

static HRESULT WINAPI fake_INapSoHProcessor_GetAttribute(INapSoHProcessor *iface, UINT16 location,
        SoHAttributeType *type, SoHAttributeValue **value)
{
    ok(!*value, "The output was %p.\n", *value);
    *type = location;
    if (variant != VARIANT_FAIL && variant != VARIANT_NULL)
    {
        *value = alloc_block(sizeof(**value));
        walk_typed_value("GetAttribute", FALSE, location, *value);
    }
    return result();
}

static HRESULT WINAPI fake_INapSoHProcessor_GetNumberOfAttributes(INapSoHProcessor *iface, UINT16 *count)
{
    *count = get_value("GetNumberOfAttributes");
    return result();
}

static const INapSoHProcessorVtbl soh_processor_vtbl =
{
    FAKE_IUNKNOWN,
    fake_INapSoHProcessor_Initialize,
    fake_INapSoHProcessor_FindNextAttribute,
    fake_INapSoHProcessor_GetAttribute,
    fake_INapSoHProcessor_GetNumberOfAttributes
};

static void test_soh_processor(void *object, unsigned int level)
{
    INapSoHProcessor *iface = object;
    SystemHealthEntityId id = 0xcccccccc;
    SoHAttributeValue *value;
    SoHAttributeType type;
    UINT16 location;
    unsigned int i;
    HRESULT hr;
    SoH *soh;

    soh = make_value(&shape_soh, "Initialize");
    hr = INapSoHProcessor_Initialize(iface, soh, get_value("Initialize"), &id);
    check_hr(hr, "Initialize");
    check_inline(&shape_uint32, "Initialize.id", &id);
    free_value(&shape_soh, soh);

    for (i = 0; i < ARRAY_SIZE(attribute_types); ++i)
    {
        winetest_push_context("Type %u", attribute_types[i]);
        location = 0xcccc;
        hr = INapSoHProcessor_FindNextAttribute(iface, get_value("FindNextAttribute"), attribute_types[i], &location);
        check_hr(hr, "FindNextAttribute");
        ok(location == (UINT16)~attribute_types[i], "Got location %#x.\n", location);

        type = 0xcccc;
        value = POISON;
        hr = INapSoHProcessor_GetAttribute(iface, attribute_types[i], &type, &value);
        check_hr(hr, "GetAttribute");
        ok(type == attribute_types[i], "Got type %u.\n", type);
        if (variant == VARIANT_FAIL || variant == VARIANT_NULL)
        {
            ok(!value, "Got value %p.\n", value);
        }
        else
        {
            ok(value && value != POISON, "Got no value.\n");
            if (value && value != POISON)
            {
                walk_typed_value("GetAttribute", TRUE, attribute_types[i], value);
                pFreeSoHAttributeValue(type, value);
            }
        }
        winetest_pop_context();
    }

    location = 0xcccc;
    hr = INapSoHProcessor_GetNumberOfAttributes(iface, &location);
    check_hr(hr, "GetNumberOfAttributes");
    check_value(UINT16, location, "GetNumberOfAttributes");
}

/* ---- INapSystemHealthValidationRequest, INapSystemHealthValidationRequest2, INapSystemHealthValidator ---- */

FAKE_GET_INLINE(INapSystemHealthValidationRequest2, GetCorrelationId, CorrelationId, shape_correlation_id)
FAKE_GET(INapSystemHealthValidationRequest2, GetStringCorrelationId, StringCorrelationId, shape_string)
FAKE_GET(INapSystemHealthValidationRequest2, GetMachineName, CountedString, shape_string)
FAKE_GET_BOOL(INapSystemHealthValidationRequest2, GetSoHRequest, SoHRequest, shape_soh)
FAKE_SET(INapSystemHealthValidationRequest2, SetSoHResponse, SoHResponse, shape_soh)
FAKE_GET(INapSystemHealthValidationRequest2, GetSoHResponse, SoHResponse, shape_soh)
FAKE_SET(INapSystemHealthValidationRequest2, SetPrivateData, PrivateData, shape_private_data)
FAKE_GET(INapSystemHealthValidationRequest2, GetPrivateData, PrivateData, shape_private_data)
FAKE_GET_INLINE(INapSystemHealthValidationRequest2, GetConfigID, UINT32, shape_uint32)

static const INapSystemHealthValidationRequest2Vtbl validation_request_vtbl =
{
    FAKE_IUNKNOWN,
    fake_INapSystemHealthValidationRequest2_GetCorrelationId,
    fake_INapSystemHealthValidationRequest2_GetStringCorrelationId,
    fake_INapSystemHealthValidationRequest2_GetMachineName,
    fake_INapSystemHealthValidationRequest2_GetSoHRequest,
    fake_INapSystemHealthValidationRequest2_SetSoHResponse,
    fake_INapSystemHealthValidationRequest2_GetSoHResponse,
    fake_INapSystemHealthValidationRequest2_SetPrivateData,
    fake_INapSystemHealthValidationRequest2_GetPrivateData,
    fake_INapSystemHealthValidationRequest2_GetConfigID
};

static void test_validation_request(void *object, unsigned int level)
{
    INapSystemHealthValidationRequest2 *iface = object;

    TEST_GET_INLINE(INapSystemHealthValidationRequest2, GetCorrelationId, CorrelationId, shape_correlation_id);
    TEST_GET(INapSystemHealthValidationRequest2, GetStringCorrelationId, StringCorrelationId, shape_string);
    TEST_GET(INapSystemHealthValidationRequest2, GetMachineName, CountedString, shape_string);
    TEST_GET_BOOL(INapSystemHealthValidationRequest2, GetSoHRequest, SoHRequest, shape_soh);
    TEST_SET(INapSystemHealthValidationRequest2, SetSoHResponse, SoHResponse, shape_soh);
    TEST_GET(INapSystemHealthValidationRequest2, GetSoHResponse, SoHResponse, shape_soh);
    TEST_SET(INapSystemHealthValidationRequest2, SetPrivateData, PrivateData, shape_private_data);
    TEST_GET(INapSystemHealthValidationRequest2, GetPrivateData, PrivateData, shape_private_data);
    if (level >= 1)
        TEST_GET_INLINE(INapSystemHealthValidationRequest2, GetConfigID, UINT32, shape_uint32);
}

static HRESULT WINAPI fake_INapSystemHealthValidator_Validate(INapSystemHealthValidator *iface,
        INapSystemHealthValidationRequest *request, UINT32 hint, INapServerCallback *callback)
{
    check_object(CLASS_VALIDATION_REQUEST, "Validate", request);
    check_value(UINT32, hint, "Validate");
    check_object(CLASS_SERVER_CALLBACK, "Validate", callback);
    return result();
}

static const INapSystemHealthValidatorVtbl validator_vtbl =
{
    FAKE_IUNKNOWN,
    fake_INapSystemHealthValidator_Validate
};

static void test_validator(void *object, unsigned int level)
{
    INapSystemHealthValidationRequest *request = make_object(CLASS_VALIDATION_REQUEST);
    INapServerCallback *callback = make_object(CLASS_SERVER_CALLBACK);
    INapSystemHealthValidator *iface = object;
    HRESULT hr;

    hr = INapSystemHealthValidator_Validate(iface, request, get_value("Validate"), callback);
    check_hr(hr, "Validate");
    release_object(request);
    release_object(callback);
}

static const struct fake_class classes[CLASS_COUNT] =
{
    [CLASS_CERT_RELYING_PARTY] = {"cert relying party", &cert_relying_party_vtbl, test_cert_relying_party,
            {&IID_INapCertRelyingParty}},
    [CLASS_CLIENT_MANAGEMENT] = {"client management", &client_management_vtbl, test_client_management,
            {&IID_INapClientManagement, &IID_INapClientManagement2}},
    [CLASS_COMPONENT_CONFIG] = {"component config", &component_config_vtbl, test_component_config,
            {&IID_INapComponentConfig, &IID_INapComponentConfig2, &IID_INapComponentConfig3}},
    [CLASS_COMPONENT_INFO] = {"component info", &component_info_vtbl, test_component_info,
            {&IID_INapComponentInfo}},
    [CLASS_ENFORCEMENT_BINDING] = {"enforcement binding", &enforcement_binding_vtbl, test_enforcement_binding,
            {&IID_INapEnforcementClientBinding}},
    [CLASS_ENFORCEMENT_CALLBACK] = {"enforcement callback", &enforcement_callback_vtbl, test_enforcement_callback,
            {&IID_INapEnforcementClientCallback}},
    [CLASS_ENFORCEMENT_CONNECTION] = {"enforcement connection", &enforcement_connection_vtbl,
            test_enforcement_connection,
            {&IID_INapEnforcementClientConnection, &IID_INapEnforcementClientConnection2}},
    [CLASS_HEALTH_AGENT_BINDING] = {"health agent binding", &health_agent_binding_vtbl, test_health_agent_binding,
            {&IID_INapSystemHealthAgentBinding, &IID_INapSystemHealthAgentBinding2}},
    [CLASS_HEALTH_AGENT_CALLBACK] = {"health agent callback", &health_agent_callback_vtbl,
            test_health_agent_callback, {&IID_INapSystemHealthAgentCallback}},
    [CLASS_HEALTH_AGENT_REQUEST] = {"health agent request", &health_agent_request_vtbl, test_health_agent_request,
            {&IID_INapSystemHealthAgentRequest}},
    [CLASS_SERVER_CALLBACK] = {"server callback", &server_callback_vtbl, test_server_callback,
            {&IID_INapServerCallback}},
    [CLASS_SERVER_INFO] = {"server info", &server_info_vtbl, test_server_info,
            {&IID_INapServerInfo}},
    [CLASS_SERVER_MANAGEMENT] = {"server management", &server_management_vtbl, test_server_management,
            {&IID_INapServerManagement}},
    [CLASS_SOH_CONSTRUCTOR] = {"SoH constructor", &soh_constructor_vtbl, test_soh_constructor,
            {&IID_INapSoHConstructor}},
    [CLASS_SOH_PROCESSOR] = {"SoH processor", &soh_processor_vtbl, test_soh_processor,
            {&IID_INapSoHProcessor}},
    [CLASS_VALIDATION_REQUEST] = {"validation request", &validation_request_vtbl, test_validation_request,
            {&IID_INapSystemHealthValidationRequest, &IID_INapSystemHealthValidationRequest2}},
    [CLASS_VALIDATOR] = {"validator", &validator_vtbl, test_validator,
            {&IID_INapSystemHealthValidator}},
};

static IStream *create_stream(void)
{
    IStream *stream = NULL;
    HRESULT hr;

    hr = CreateStreamOnHGlobal(NULL, TRUE, &stream);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    return stream;
}

static void rewind_stream(IStream *stream)
{
    LARGE_INTEGER zero;
    HRESULT hr;

    zero.QuadPart = 0;
    hr = IStream_Seek(stream, zero, STREAM_SEEK_SET, NULL);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
}

/* Wine stops listening for an interface when its last object goes, and may then wait forever for a call that
 * has just ended. So there is always one more object of each interface. */
static IStream *keep_interfaces(void)
{
    IStream *stream = create_stream();
    unsigned int i, j;
    IUnknown *object;
    HRESULT hr;

    for (i = 0; i < ARRAY_SIZE(classes); ++i)
    {
        for (j = 0; j < ARRAY_SIZE(classes[i].iids) && classes[i].iids[j]; ++j)
        {
            object = create_fake(&classes[i]);
            hr = CoMarshalInterface(stream, classes[i].iids[j], object, MSHCTX_LOCAL, NULL, MSHLFLAGS_TABLESTRONG);
            ok(hr == S_OK, "%s, level %u: got hr %#lx.\n", classes[i].name, j, hr);
            IUnknown_Release(object);
        }
    }
    return stream;
}

static void release_interfaces(IStream *stream)
{
    unsigned int i, j;
    HRESULT hr;

    rewind_stream(stream);
    for (i = 0; i < ARRAY_SIZE(classes); ++i)
    {
        for (j = 0; j < ARRAY_SIZE(classes[i].iids) && classes[i].iids[j]; ++j)
        {
            hr = CoReleaseMarshalData(stream);
            ok(hr == S_OK, "%s, level %u: got hr %#lx.\n", classes[i].name, j, hr);
        }
    }
    IStream_Release(stream);
}

/* ---- the server ---- */

static LONG factory_refs;

static HRESULT WINAPI factory_QueryInterface(IClassFactory *iface, REFIID iid, void **out)
{
    if (!IsEqualIID(iid, &IID_IUnknown) && !IsEqualIID(iid, &IID_IClassFactory))
    {
        *out = NULL;
        return E_NOINTERFACE;
    }
    *out = iface;
    IClassFactory_AddRef(iface);
    return S_OK;
}

static ULONG WINAPI factory_AddRef(IClassFactory *iface)
{
    return InterlockedIncrement(&factory_refs);
}

static ULONG WINAPI factory_Release(IClassFactory *iface)
{
    return InterlockedDecrement(&factory_refs);
}

/* The server is also told what to do, by an IID that starts with one of these. */
enum command
{
    COMMAND_SET_VARIANT,
    COMMAND_SPY_START,
    COMMAND_SPY_BLOCKS,
    COMMAND_SPY_STOP,
    COMMAND_IN_STRUCTURES
};

static HRESULT run_command(const IID *iid)
{
    switch (iid->Data1)
    {
    case COMMAND_SET_VARIANT:
        memcpy(&variant, iid->Data4, sizeof(variant));
        return S_OK;
    case COMMAND_SPY_START:
        spy_start();
        spy_all_threads(TRUE);
        return S_OK;
    case COMMAND_SPY_BLOCKS:
        return spy_blocks();
    case COMMAND_SPY_STOP:
        spy_stop();
        return S_OK;
    case COMMAND_IN_STRUCTURES:
        return InterlockedExchange(&in_structures, 0);
    default:
        return E_NOINTERFACE;
    }
}

static HRESULT WINAPI factory_CreateInstance(IClassFactory *iface, IUnknown *outer, REFIID iid, void **out)
{
    unsigned int i, j;

    for (i = 0; i < ARRAY_SIZE(classes); ++i)
    {
        for (j = 0; j < ARRAY_SIZE(classes[i].iids) && classes[i].iids[j]; ++j)
        {
            if (IsEqualIID(iid, classes[i].iids[j]))
            {
                *out = create_fake(&classes[i]);
                return S_OK;
            }
        }
    }
    *out = NULL;
    return run_command(iid);
}

static HRESULT WINAPI factory_LockServer(IClassFactory *iface, BOOL lock)
{
    ok(0, "Unexpected call.\n");
    return E_NOTIMPL;
}

static const IClassFactoryVtbl factory_vtbl =
{
    factory_QueryInterface,
    factory_AddRef,
    factory_Release,
    factory_CreateInstance,
    factory_LockServer
};

static IClassFactory factory = {(IClassFactoryVtbl *)&factory_vtbl};

struct packet
{
    DWORD size;
    BYTE data[1020];
};

/* Hands out the factory through the pipe, and serves until the client is done or its process is gone. */
static void serve(DWORD coinit, HANDLE pipe, HANDLE done, HANDLE client)
{
    HANDLE handles[2] = {done, client};
    struct packet packet = {0};
    HGLOBAL memory;
    IStream *stream, *kept;
    DWORD size, wait;
    HRESULT hr;
    BOOL ret;
    MSG msg;

    hr = CoInitializeEx(NULL, coinit);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    factory_refs = 0;
    kept = keep_interfaces();

    stream = create_stream();
    hr = CoMarshalInterface(stream, &IID_IClassFactory, (IUnknown *)&factory, MSHCTX_LOCAL, NULL,
            MSHLFLAGS_TABLESTRONG);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = GetHGlobalFromStream(stream, &memory);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    packet.size = GlobalSize(memory);
    ok(packet.size <= sizeof(packet.data), "Got size %lu.\n", packet.size);
    memcpy(packet.data, GlobalLock(memory), packet.size);
    GlobalUnlock(memory);

    ret = WriteFile(pipe, &packet, sizeof(packet), &size, NULL);
    ok(ret && size == sizeof(packet), "Failed to write, error %lu.\n", GetLastError());
    CloseHandle(pipe);

    while ((wait = MsgWaitForMultipleObjectsEx(ARRAY_SIZE(handles), handles, INFINITE, QS_ALLINPUT,
            MWMO_INPUTAVAILABLE)) == WAIT_OBJECT_0 + ARRAY_SIZE(handles))
    {
        while (PeekMessageW(&msg, NULL, 0, 0, PM_REMOVE))
        {
            TranslateMessage(&msg);
            DispatchMessageW(&msg);
        }
    }
    ok(wait == WAIT_OBJECT_0, "Got %#lx, the client is gone.\n", wait);
    rewind_stream(stream);
    hr = CoReleaseMarshalData(stream);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    IStream_Release(stream);
    release_interfaces(kept);
    CoUninitialize();
    ok(!factory_refs, "The factory has %ld references.\n", factory_refs);
}

struct thread_params
{
    DWORD coinit;
    HANDLE pipe, done;
};

static DWORD WINAPI server_thread(void *arg)
{
    const struct thread_params *params = arg;

    serve(params->coinit, params->pipe, params->done, GetCurrentProcess());
    return 0;
}

/* ---- the client ---- */

static IClassFactory *receive_factory(HANDLE pipe)
{
    IClassFactory *factory = NULL;
    struct packet packet;
    IStream *stream;
    DWORD size;
    HRESULT hr;
    BOOL ret;

    ret = ReadFile(pipe, &packet, sizeof(packet), &size, NULL);
    ok(ret && size == sizeof(packet), "Failed to read, error %lu.\n", GetLastError());
    if (!ret || size != sizeof(packet))
        return NULL;
    stream = create_stream();
    IStream_Write(stream, packet.data, packet.size, NULL);
    rewind_stream(stream);
    hr = CoUnmarshalInterface(stream, &IID_IClassFactory, (void **)&factory);
    ok(hr == S_OK, "Failed to unmarshal, hr %#lx.\n", hr);
    IStream_Release(stream);
    return factory;
}

static HRESULT send_command(IClassFactory *factory, enum command command, int argument)
{
    IID iid = {command};
    void *object = NULL;
    HRESULT hr;

    memcpy(iid.Data4, &argument, sizeof(argument));
    hr = IClassFactory_CreateInstance(factory, NULL, &iid, &object);
    ok(SUCCEEDED(hr), "Got hr %#lx.\n", hr);
    ok(!object, "Got object %p.\n", object);
    return hr;
}

static void set_variant(IClassFactory *factory, int value)
{
    variant = value;
    send_command(factory, COMMAND_SET_VARIANT, value);
}

static void *create_object(IClassFactory *factory, const IID *iid)
{
    void *object = NULL;
    HRESULT hr;

    hr = IClassFactory_CreateInstance(factory, NULL, iid, &object);
    ok(hr == S_OK, "Failed to create %s, hr %#lx.\n", wine_dbgstr_guid(iid), hr);
    return object;
}

static const int variants[] = {VARIANT_MAX, 1, 20, 0, VARIANT_EMPTY, VARIANT_NULL, VARIANT_FAIL};

static void test_interfaces(IClassFactory *factory, const int *variants, unsigned int count)
{
    unsigned int i, j, v;
    void *object;

    for (v = 0; v < count; ++v)
    {
        set_variant(factory, variants[v]);
        for (i = 0; i < ARRAY_SIZE(classes); ++i)
        {
            for (j = 0; j < ARRAY_SIZE(classes[i].iids) && classes[i].iids[j]; ++j)
            {
                winetest_push_context("Variant %d, %s, level %u", variants[v], classes[i].name, j);
                if ((object = create_object(factory, classes[i].iids[j])))
                {
                    classes[i].test(object, j);
                    release_object(object);
                }
                winetest_pop_context();
            }
        }
    }
}

/* A limit inside a structure: what is beyond it is either rejected or comes across whole. */
#define check_beyond(hr) ok((hr) == S_OK || (hr) == HRESULT_FROM_WIN32(RPC_S_INVALID_BOUND), "Got hr %#lx.\n", hr)

static void test_limits(IClassFactory *factory)
{
    INapEnforcementClientConnection2 *connection;
    SystemHealthEntityId ids[21] = {0}, *out;
    INapSoHConstructor *constructor;
    INapComponentConfig *config;
    SoHAttributeValue value;
    PrivateData *private;
    UINT16 count;
    HRESULT hr;

    set_variant(factory, VARIANT_OVER);

    connection = create_object(factory, &IID_INapEnforcementClientConnection2);
    hr = INapEnforcementClientConnection2_SetInstalledShvs(connection, ARRAY_SIZE(ids), ids);
    ok(hr == HRESULT_FROM_WIN32(RPC_S_INVALID_BOUND), "Got hr %#lx.\n", hr);

    out = POISON;
    count = 0xcccc;
    hr = INapEnforcementClientConnection2_GetInstalledShvs(connection, &count, &out);
    check_beyond(hr);
    if (hr == S_OK)
        check_out_array(&shape_uint32, "GetInstalledShvs", count, out, maxSystemHealthEntityCount);
    else
        ok(!out, "Got ids %p.\n", out);

    private = make_value(&shape_private_data, "SetPrivateData");
    hr = INapEnforcementClientConnection2_SetPrivateData(connection, private);
    check_beyond(hr);
    free_value(&shape_private_data, private);

    private = POISON;
    hr = INapEnforcementClientConnection2_GetPrivateData(connection, &private);
    check_beyond(hr);
    if (hr == S_OK)
        check_out(&shape_private_data, "GetPrivateData", private);
    else
        ok(!private, "Got data %p.\n", private);

    set_variant(factory, 1);

    hr = INapEnforcementClientConnection2_GetFlags(connection, NULL);
    ok(hr == HRESULT_FROM_WIN32(RPC_X_NULL_REF_POINTER), "Got hr %#lx.\n", hr);
    hr = INapEnforcementClientConnection2_GetConnectionId(connection, NULL);
    ok(hr == HRESULT_FROM_WIN32(RPC_X_NULL_REF_POINTER), "Got hr %#lx.\n", hr);
    hr = INapEnforcementClientConnection2_SetConnectionId(connection, NULL);
    ok(hr == HRESULT_FROM_WIN32(RPC_X_NULL_REF_POINTER), "Got hr %#lx.\n", hr);
    hr = INapEnforcementClientConnection2_SetInstalledShvs(connection, 0, NULL);
    ok(hr == HRESULT_FROM_WIN32(RPC_X_NULL_REF_POINTER), "Got hr %#lx.\n", hr);
    release_object(connection);

    config = create_object(factory, &IID_INapComponentConfig);
    hr = INapComponentConfig_SetConfig(config, 0, NULL);
    ok(hr == HRESULT_FROM_WIN32(RPC_X_NULL_REF_POINTER), "Got hr %#lx.\n", hr);
    release_object(config);

    constructor = create_object(factory, &IID_INapSoHConstructor);
    memset(&value, 0, sizeof(value));
    hr = INapSoHConstructor_AppendAttribute(constructor, 0x8000, &value);
    ok(hr == HRESULT_FROM_WIN32(RPC_X_ENUM_VALUE_OUT_OF_RANGE), "Got hr %#lx.\n", hr);
    hr = INapSoHConstructor_AppendAttribute(constructor, sohAttributeTypeHealthClass, NULL);
    ok(hr == HRESULT_FROM_WIN32(RPC_X_NULL_REF_POINTER), "Got hr %#lx.\n", hr);
    release_object(constructor);
}

/* COM keeps some memory of its own, but not more the second time. The largest values and the first calls
 * back would take too long. */
static void test_balance(IClassFactory *factory, BOOL remote)
{
    int local[2], server[2], leaked, structures = 0;
    unsigned int i;

    spy_start();
    spy_all_threads(TRUE);
    if (remote)
        send_command(factory, COMMAND_SPY_START, 0);
    for (i = 0; i < 2; ++i)
    {
        send_command(factory, COMMAND_IN_STRUCTURES, 0);
        test_interfaces(factory, variants + 2, ARRAY_SIZE(variants) - 2);
        structures = send_command(factory, COMMAND_IN_STRUCTURES, 0);
        local[i] = spy_blocks();
        server[i] = send_command(factory, COMMAND_SPY_BLOCKS, 0);
    }
    if (remote)
    {
        send_command(factory, COMMAND_SPY_STOP, 0);
        ok(local[1] <= local[0], "%d blocks are live, then %d.\n", local[0], local[1]);
    }
    spy_stop();
    leaked = server[1] - server[0];
    /* Some versions of Wine don't free the structure itself after the call. */
    todo_wine_if(leaked == structures)
        ok(leaked <= 0, "The server has %d live blocks, then %d.\n", server[0], server[1]);
}

static void test_server(HANDLE pipe, BOOL remote)
{
    IClassFactory *factory;
    IStream *kept;

    if (!(factory = receive_factory(pipe)))
        return;
    kept = keep_interfaces();
    test_interfaces(factory, variants, ARRAY_SIZE(variants));
    test_limits(factory);
    test_balance(factory, remote);
    IClassFactory_Release(factory);
    release_interfaces(kept);
}

static void test_apartments(DWORD client, DWORD server)
{
    struct thread_params params = {server};
    HANDLE thread, pipe;
    HRESULT hr;
    DWORD wait;
    BOOL ret;

    hr = CoInitializeEx(NULL, client);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ret = CreatePipe(&pipe, &params.pipe, NULL, 0);
    ok(ret, "Failed to create a pipe, error %lu.\n", GetLastError());
    params.done = CreateEventW(NULL, TRUE, FALSE, NULL);
    ok(!!params.done, "Failed to create an event, error %lu.\n", GetLastError());
    thread = CreateThread(NULL, 0, server_thread, &params, 0, NULL);
    ok(!!thread, "Failed to create a thread, error %lu.\n", GetLastError());

    test_server(pipe, FALSE);
    SetEvent(params.done);

    wait = WaitForSingleObject(thread, 30000);
    ok(wait == WAIT_OBJECT_0, "Got %#lx, the server remains.\n", wait);
    CloseHandle(thread);
    CloseHandle(params.done);
    CloseHandle(pipe);
    CoUninitialize();
}

static void test_processes(const char *path, DWORD client, DWORD server)
{
    SECURITY_ATTRIBUTES attributes = {sizeof(attributes), NULL, TRUE};
    STARTUPINFOA startup = {sizeof(startup)};
    char command[2 * MAX_PATH];
    PROCESS_INFORMATION info;
    HANDLE read, write, done, self;
    DWORD wait, code;
    HRESULT hr;
    BOOL ret;

    hr = CoInitializeEx(NULL, client);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ret = CreatePipe(&read, &write, &attributes, 0);
    ok(ret, "Failed to create a pipe, error %lu.\n", GetLastError());
    SetHandleInformation(read, HANDLE_FLAG_INHERIT, 0);
    done = CreateEventW(&attributes, TRUE, FALSE, NULL);
    ok(!!done, "Failed to create an event, error %lu.\n", GetLastError());
    self = OpenProcess(SYNCHRONIZE, TRUE, GetCurrentProcessId());
    ok(!!self, "Failed to open the process, error %lu.\n", GetLastError());
    sprintf(command, "\"%s\" proxy server %lu %lu %lu %lu", path, server, (unsigned long)(ULONG_PTR)write,
            (unsigned long)(ULONG_PTR)done, (unsigned long)(ULONG_PTR)self);
    ret = CreateProcessA(NULL, command, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &info);
    ok(ret, "Failed to start %s, error %lu.\n", command, GetLastError());
    CloseHandle(write);
    CloseHandle(self);

    if (ret)
    {
        test_server(read, TRUE);
        SetEvent(done);

        wait = WaitForSingleObject(info.hProcess, 30000);
        ok(wait == WAIT_OBJECT_0, "Got %#lx, the server remains.\n", wait);
        if (wait != WAIT_OBJECT_0)
            TerminateProcess(info.hProcess, 1);
        ret = GetExitCodeProcess(info.hProcess, &code);
        ok(ret && !code, "The server had failures, exit code %lu.\n", code);
        CloseHandle(info.hThread);
        CloseHandle(info.hProcess);
    }
    CloseHandle(done);
    CloseHandle(read);
    CoUninitialize();
}

static void test_registration(void)
{
    unsigned int i, j;
    CLSID clsid;
    HRESULT hr;

    CoInitializeEx(NULL, COINIT_MULTITHREADED);
    for (i = 0; i < ARRAY_SIZE(classes); ++i)
    {
        for (j = 0; j < ARRAY_SIZE(classes[i].iids) && classes[i].iids[j]; ++j)
        {
            hr = CoGetPSClsid(classes[i].iids[j], &clsid);
            ok(hr == S_OK, "%s, level %u: got hr %#lx.\n", classes[i].name, j, hr);
        }
    }
    CoUninitialize();
}

static BOOL load_qutil(void)
{
    if (!(qutil = LoadLibraryW(L"qutil.dll")))
        return FALSE;
    pFreeNapComponentRegistrationInfoArray = (void *)GetProcAddress(qutil, "FreeNapComponentRegistrationInfoArray");
    pFreeSoHAttributeValue = (void *)GetProcAddress(qutil, "FreeSoHAttributeValue");
    return pFreeNapComponentRegistrationInfoArray && pFreeSoHAttributeValue
            && GetProcAddress(qutil, "FreeIsolationInfoEx");
}

START_TEST(proxy)
{
    char path[MAX_PATH], **argv;
    int argc;

    if (!load_qutil())
    {
        win_skip("qutil.dll is absent, as since Windows 10, or too old.\n");
        return;
    }

    argc = winetest_get_mainargs(&argv);
    if (argc >= 7 && !strcmp(argv[2], "server"))
    {
        serve(strtoul(argv[3], NULL, 10), (HANDLE)(ULONG_PTR)strtoul(argv[4], NULL, 10),
                (HANDLE)(ULONG_PTR)strtoul(argv[5], NULL, 10), (HANDLE)(ULONG_PTR)strtoul(argv[6], NULL, 10));
        /* Some versions of Wine hang when a process with idle RPC threads exits. */
        fflush(NULL);
        TerminateProcess(GetCurrentProcess(), !!winetest_get_failures());
    }

    test_registration();

    winetest_push_context("Object in an STA, client in the MTA");
    test_apartments(COINIT_MULTITHREADED, COINIT_APARTMENTTHREADED);
    winetest_pop_context();
    winetest_push_context("Object in the MTA, client in an STA");
    test_apartments(COINIT_APARTMENTTHREADED, COINIT_MULTITHREADED);
    winetest_pop_context();

    winetest_push_context("Object in another process");
    test_processes(argv[0], COINIT_MULTITHREADED, COINIT_MULTITHREADED);
    winetest_pop_context();
    winetest_push_context("Object in another process' STA");
    test_processes(argv[0], COINIT_APARTMENTTHREADED, COINIT_APARTMENTTHREADED);
    winetest_pop_context();

    if (GetEnvironmentVariableA("QUTIL_TEST_PEER", path, sizeof(path)))
    {
        winetest_push_context("Object in a process of the other architecture");
        test_processes(path, COINIT_MULTITHREADED, COINIT_MULTITHREADED);
        winetest_pop_context();
    }
    else
    {
        skip("QUTIL_TEST_PEER names no test program of the other architecture.\n");
    }
}
