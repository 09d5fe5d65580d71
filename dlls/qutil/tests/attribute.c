/*
 * Tests for the attributes of a statement of health
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

#include "qutil_test.h"

static Ipv4Address ipv4[] = {{{192, 168, 0, 1}}, {{10, 1, 2, 255}}, {{0, 0, 0, 0}}};
static Ipv6Address ipv6[] =
{
    {{0x20, 0x01, 0x0d, 0xb8, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc}},
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}},
};
static HRESULT codes[] = {0x80270050, S_OK, 0xc0ff0002, 0x00000400};
static BYTE bytes[] = {0xaa, 0x00, 0xbb, 0x01, 0x02, 0x03, 0x04, 0xff};

static const struct attribute_test
{
    unsigned int type;
    SoHAttributeValue value;
    unsigned int size;
    BYTE wire[32];
    BOOL unknown;
}
attribute_tests[] =
{
    {sohAttributeTypeIpv4FixupServers, {.v4AddressesVal = {1, ipv4}}, 4, {192, 168, 0, 1}},
    {sohAttributeTypeIpv4FixupServers, {.v4AddressesVal = {3, ipv4}}, 12,
            {192, 168, 0, 1, 10, 1, 2, 255, 0, 0, 0, 0}},
    {sohAttributeTypeComplianceResultCodes, {.codesVal = {0, codes}}, 0, {0}, TRUE},
    {sohAttributeTypeComplianceResultCodes, {.codesVal = {0, NULL}}, 0, {0}, TRUE},
    {sohAttributeTypeComplianceResultCodes, {.codesVal = {1, codes}}, 4, {0x80, 0x27, 0x00, 0x50}},
    {sohAttributeTypeComplianceResultCodes, {.codesVal = {4, codes}}, 16,
            {0x80, 0x27, 0x00, 0x50, 0, 0, 0, 0, 0xc0, 0xff, 0x00, 0x02, 0x00, 0x00, 0x04, 0x00}},
    {sohAttributeTypeTimeOfLastUpdate, {.dateTimeVal = {0x58ee1ef0, 0x01ca78d8}}, 8,
            {0x01, 0xca, 0x78, 0xd8, 0x58, 0xee, 0x1e, 0xf0}},
    {sohAttributeTypeTimeOfLastUpdate, {.dateTimeVal = {0, 0}}, 8, {0}},
    {sohAttributeTypeTimeOfLastUpdate, {.dateTimeVal = {0xffffffff, 0xffffffff}}, 8,
            {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
    {sohAttributeTypeClientId, {.octetStringVal = {0, bytes}}, 0},
    {sohAttributeTypeClientId, {.octetStringVal = {0, NULL}}, 0},
    {sohAttributeTypeClientId, {.octetStringVal = {1, bytes}}, 1, {0xaa}},
    {sohAttributeTypeClientId, {.octetStringVal = {8, bytes}}, 8,
            {0xaa, 0x00, 0xbb, 0x01, 0x02, 0x03, 0x04, 0xff}},
    {sohAttributeTypeVendorSpecific, {.vendorSpecificVal = {0x000137f0, 0, bytes}}, 4, {0x00, 0x01, 0x37, 0xf0}},
    {sohAttributeTypeVendorSpecific, {.vendorSpecificVal = {0x00000137, 0, NULL}}, 4, {0x00, 0x00, 0x01, 0x37}},
    {sohAttributeTypeVendorSpecific, {.vendorSpecificVal = {0x000137f0, 2, bytes}}, 6,
            {0x00, 0x01, 0x37, 0xf0, 0xaa, 0x00}},
    {sohAttributeTypeVendorSpecific, {.vendorSpecificVal = {0xfedcba98, 8, bytes}}, 12,
            {0xfe, 0xdc, 0xba, 0x98, 0xaa, 0x00, 0xbb, 0x01, 0x02, 0x03, 0x04, 0xff}},
    {sohAttributeTypeHealthClass, {.uint8Val = healthClassFirewall}, 1, {0}},
    {sohAttributeTypeHealthClass, {.uint8Val = healthClassPatchLevel}, 1, {1}},
    {sohAttributeTypeHealthClass, {.uint8Val = healthClassAntiVirus}, 1, {2}},
    {sohAttributeTypeHealthClass, {.uint8Val = healthClassCriticalUpdate}, 1, {3}},
    {sohAttributeTypeHealthClass, {.uint8Val = healthClassReserved}, 1, {128}},
    {sohAttributeTypeSoftwareVersion, {.octetStringVal = {0, NULL}}, 0},
    {sohAttributeTypeSoftwareVersion, {.octetStringVal = {2, bytes}}, 2, {0xaa, 0x00}},
    {sohAttributeTypeProductName, {.octetStringVal = {0, NULL}}, 0},
    {sohAttributeTypeProductName, {.octetStringVal = {3, bytes}}, 3, {0xaa, 0x00, 0xbb}},
    {sohAttributeTypeHealthClassStatus, {.octetStringVal = {0, NULL}}, 0},
    {sohAttributeTypeHealthClassStatus, {.octetStringVal = {4, bytes}}, 4, {0xaa, 0x00, 0xbb, 0x01}},
    {sohAttributeTypeSoHGenerationTime, {.dateTimeVal = {0x04030201, 0x08070605}}, 8,
            {0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01}},
    {sohAttributeTypeErrorCodes, {.codesVal = {0, NULL}}, 0, {0}, TRUE},
    {sohAttributeTypeErrorCodes, {.codesVal = {1, codes}}, 4, {0x80, 0x27, 0x00, 0x50}},
    {sohAttributeTypeErrorCodes, {.codesVal = {3, codes}}, 12,
            {0x80, 0x27, 0x00, 0x50, 0, 0, 0, 0, 0xc0, 0xff, 0x00, 0x02}},
    {sohAttributeTypeFailureCategory, {.uint8Val = failureCategoryNone}, 1, {0}},
    {sohAttributeTypeFailureCategory, {.uint8Val = failureCategoryOther}, 1, {1}},
    {sohAttributeTypeFailureCategory, {.uint8Val = failureCategoryServerCommunication}, 1, {5}},
    {sohAttributeTypeIpv6FixupServers, {.v6AddressesVal = {1, ipv6}}, 16,
            {0x20, 0x01, 0x0d, 0xb8, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc}},
    {sohAttributeTypeIpv6FixupServers, {.v6AddressesVal = {2, ipv6}}, 32,
            {0x20, 0x01, 0x0d, 0xb8, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc,
             0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}},
    {sohAttributeTypeExtendedIsolationState, {.uint8Val = extendedIsolationStateNoData}, 1, {0}},
    {sohAttributeTypeExtendedIsolationState, {.uint8Val = extendedIsolationStateTransition}, 1, {1}},
    {sohAttributeTypeExtendedIsolationState, {.uint8Val = extendedIsolationStateInfected}, 1, {2}},
    {sohAttributeTypeExtendedIsolationState, {.uint8Val = extendedIsolationStateUnknown}, 1, {3}},
    /* Types without a name. */
    {17, {.octetStringVal = {0, NULL}}, 0},
    {17, {.octetStringVal = {3, bytes}}, 3, {0xaa, 0x00, 0xbb}},
    {255, {.octetStringVal = {1, bytes}}, 1, {0xaa}},
    {4096, {.octetStringVal = {2, bytes}}, 2, {0xaa, 0x00}},
    {0x3fff, {.octetStringVal = {8, bytes}}, 8, {0xaa, 0x00, 0xbb, 0x01, 0x02, 0x03, 0x04, 0xff}},
    {0, {.octetStringVal = {0, NULL}}, 0, {0}, TRUE},
    {0, {.octetStringVal = {3, bytes}}, 3, {0xaa, 0x00, 0xbb}, TRUE},
    {1, {.octetStringVal = {3, bytes}}, 3, {0xaa, 0x00, 0xbb}, TRUE},
    /* They fit the attribute, but not the 14 bits that a type has on the wire. */
    {0x4000, {.octetStringVal = {2, bytes}}, 2, {0xaa, 0x00}, TRUE},
    {0x4002, {.octetStringVal = {4, bytes}}, 4, {0xaa, 0x00, 0xbb, 0x01}, TRUE},
    {0x8003, {.octetStringVal = {5, bytes}}, 5, {0xaa, 0x00, 0xbb, 0x01, 0x02}, TRUE},
    {0xffff, {.octetStringVal = {8, bytes}}, 8, {0xaa, 0x00, 0xbb, 0x01, 0x02, 0x03, 0x04, 0xff}, TRUE},
};

/* The caller's copy: read-only, and nothing can be read past its end. */
static SoHAttributeValue *copy_value(unsigned int type, const SoHAttributeValue *source)
{
    SoHAttributeValue value = *source;
    UINT16 count;
    void *array;

    get_array(type, &value, &array, &count);
    if (array)
        set_array(type, &value, copy_guarded(array, count * get_element_size(type)), count);
    return copy_guarded(&value, sizeof(value));
}

static void destroy_value(unsigned int type, SoHAttributeValue *value)
{
    UINT16 count;
    void *array;

    get_array(type, value, &array, &count);
    if (array)
        free_guarded(array);
    free_guarded(value);
}

static void test_encode(void)
{
    const struct attribute_test *test;
    INapSoHConstructor *constructor;
    SoHAttributeValue *value;
    unsigned int i;
    HRESULT hr;
    SoH *soh;

    for (i = 0; i < ARRAY_SIZE(attribute_tests); ++i)
    {
        test = &attribute_tests[i];
        winetest_push_context("test %u, type %u", i, test->type);
        spy_start();

        constructor = create_packet(EXAMPLE_ID, TRUE);
        value = copy_value(test->type, &test->value);
        hr = INapSoHConstructor_AppendAttribute(constructor, test->type, value);
        ok(hr == S_OK || broken(test->unknown && FAILED(hr)), "Got hr %#lx.\n", hr);
        destroy_value(test->type, value);

        soh = get_soh(constructor);
        release_object(constructor);
        if (hr == S_OK)
        {
            ok(soh->count == 2, "Got %u attributes.\n", soh->count);
            check_attribute(soh, 0, sohAttributeTypeSystemHealthId, example_id, sizeof(example_id));
            check_attribute(soh, 1, test->type, test->wire, test->size);
        }
        pFreeSoH(soh);

        ok_balanced();
        spy_stop();
        winetest_pop_context();
    }
}

static SoH *build_attribute(unsigned int type, const BYTE *wire, unsigned int size)
{
    SoHAttribute attributes[2];
    SoH soh;

    attributes[0].type = sohAttributeTypeSystemHealthId;
    attributes[0].size = sizeof(example_id);
    attributes[0].value = copy_guarded(example_id, sizeof(example_id));
    attributes[1].type = type;
    attributes[1].size = size;
    attributes[1].value = copy_guarded(wire, size);
    soh.count = ARRAY_SIZE(attributes);
    soh.attributes = copy_guarded(attributes, sizeof(attributes));
    return copy_guarded(&soh, sizeof(soh));
}

static void test_decode(void)
{
    const struct attribute_test *test;
    SoHAttributeValue *values[2];
    INapSoHProcessor *processor;
    SystemHealthEntityId id;
    SoHAttributeType type;
    unsigned int i, j;
    HRESULT hr;
    SoH *soh;

    for (i = 0; i < ARRAY_SIZE(attribute_tests); ++i)
    {
        test = &attribute_tests[i];
        winetest_push_context("test %u, type %u", i, test->type);
        spy_start();

        soh = build_attribute(test->type, test->wire, test->size);
        processor = create_processor();
        hr = INapSoHProcessor_Initialize(processor, soh, TRUE, &id);
        ok(hr == S_OK || broken(test->unknown && FAILED(hr)), "Got hr %#lx.\n", hr);
        if (hr == S_OK)
        {
            for (j = 0; j < ARRAY_SIZE(values); ++j)
            {
                type = 0xdeadbeef;
                values[j] = (void *)0xdeadbeef;
                hr = INapSoHProcessor_GetAttribute(processor, 1, &type, &values[j]);
                ok(hr == S_OK, "Got hr %#lx.\n", hr);
                ok(type == test->type, "Got type %u.\n", type);
                check_value_blocks(test->type, values[j]);
                ok(values_equal(test->type, values[j], &test->value), "The value is another.\n");
            }
            ok(values[0] != values[1], "Got the same value twice.\n");
        }
        release_object(processor);
        destroy_soh(soh);

        if (hr == S_OK)
        {
            /* The values don't need the processor. */
            pFreeSoHAttributeValue(test->type, values[0]);
            check_value_blocks(test->type, values[1]);
            ok(values_equal(test->type, values[1], &test->value), "The value is another.\n");
            free_value_blocks(test->type, values[1]);
        }
        ok_balanced();
        spy_stop();
        winetest_pop_context();
    }
}

/* The id is appended by Initialize() alone, but read like any other attribute. */
static void test_id(void)
{
    static const struct
    {
        SystemHealthEntityId id;
        BYTE wire[4];
    }
    tests[] =
    {
        {0x000137f0, {0x00, 0x01, 0x37, 0xf0}},
        {0x00013780, {0x00, 0x01, 0x37, 0x80}},
        {0xfedcba98, {0xfe, 0xdc, 0xba, 0x98}},
        {0x00000000, {0x00, 0x00, 0x00, 0x00}},
        {0xffffffff, {0xff, 0xff, 0xff, 0xff}},
    };
    INapSoHConstructor *constructor;
    INapSoHProcessor *processor;
    SoHAttributeValue *value;
    SoHAttributeType type;
    unsigned int i;
    HRESULT hr;
    SoH *soh;

    for (i = 0; i < ARRAY_SIZE(tests); ++i)
    {
        winetest_push_context("id %#x", tests[i].id);
        spy_start();

        constructor = create_packet(tests[i].id, TRUE);
        soh = get_soh(constructor);
        release_object(constructor);
        ok(soh->count == 1, "Got %u attributes.\n", soh->count);
        check_attribute(soh, 0, sohAttributeTypeSystemHealthId, tests[i].wire, sizeof(tests[i].wire));

        processor = create_reader(soh, TRUE);
        pFreeSoH(soh);
        type = 0xdeadbeef;
        value = NULL;
        hr = INapSoHProcessor_GetAttribute(processor, 0, &type, &value);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        ok(type == sohAttributeTypeSystemHealthId, "Got type %u.\n", type);
        check_value_blocks(type, value);
        ok(value->idVal == tests[i].id, "Got id %#x.\n", value->idVal);
        pFreeSoHAttributeValue(type, value);
        release_object(processor);

        ok_balanced();
        spy_stop();
        winetest_pop_context();
    }
}

/* Agent and validator may agree on values that have no name. */
static void test_uint8(void)
{
    static const unsigned int types[] =
    {
        sohAttributeTypeHealthClass,
        sohAttributeTypeFailureCategory,
        sohAttributeTypeExtendedIsolationState,
    };
    SoHAttributeValue *value, source;
    INapSoHConstructor *constructor;
    INapSoHProcessor *processor;
    SoHAttributeType type;
    unsigned int i, j;
    HRESULT hr;
    BYTE wire;
    SoH *soh;

    for (i = 0; i < ARRAY_SIZE(types); ++i)
    {
        for (j = 0; j < 256; ++j)
        {
            winetest_push_context("type %u, value %u", types[i], j);
            spy_start();

            memset(&source, 0xcc, sizeof(source));
            source.uint8Val = wire = j;
            constructor = create_packet(EXAMPLE_ID, TRUE);
            hr = INapSoHConstructor_AppendAttribute(constructor, types[i], &source);
            check_unknown_hr(hr, S_OK);
            soh = get_soh(constructor);
            release_object(constructor);
            if (hr == S_OK)
            {
                check_attribute(soh, 1, types[i], &wire, sizeof(wire));
                processor = create_reader(soh, TRUE);
                hr = INapSoHProcessor_GetAttribute(processor, 1, &type, &value);
                ok(hr == S_OK, "Got hr %#lx.\n", hr);
                ok(value->uint8Val == j, "Got %u.\n", value->uint8Val);
                pFreeSoHAttributeValue(type, value);
                release_object(processor);
            }
            pFreeSoH(soh);

            ok_balanced();
            spy_stop();
            winetest_pop_context();
        }
    }
}

static void test_counts(void)
{
    static const struct
    {
        unsigned int type;
        unsigned int min, max;
        unsigned int prefix;
    }
    tests[] =
    {
        {sohAttributeTypeIpv4FixupServers, 1, 1000},
        {sohAttributeTypeComplianceResultCodes, 0, 1000},
        {sohAttributeTypeClientId, 0, 4000},
        {sohAttributeTypeVendorSpecific, 0, 3996, 4},
        {sohAttributeTypeSoftwareVersion, 0, 4000},
        {sohAttributeTypeProductName, 0, 4000},
        {sohAttributeTypeHealthClassStatus, 0, 4000},
        {sohAttributeTypeErrorCodes, 0, 1000},
        {sohAttributeTypeIpv6FixupServers, 1, 250},
        {17, 0, 4000},
        {255, 0, 4000},
        {4096, 0, 4000},
        {0x3fff, 0, 4000},
    };
    /* Among them some whose size is the least again in 16 bits. */
    static const unsigned int counts[] =
    {
        0, 1, 2, 249, 250, 251, 256, 999, 1000, 1001, 1024, 3995, 3996, 3997, 3999, 4000, 4001, 4096, 4097,
        16383, 16384, 16385, 32767, 32768, 65531, 65532, 65533, 65535,
    };
    SoHAttributeValue *value, source, *out;
    unsigned int i, j, size, element_size;
    INapSoHConstructor *constructor;
    INapSoHProcessor *processor;
    SoHAttributeType type;
    HRESULT hr;
    BOOL valid;
    BYTE *array;
    SoH *soh;

    for (i = 0; i < ARRAY_SIZE(tests); ++i)
    {
        element_size = get_element_size(tests[i].type);
        for (j = 0; j < ARRAY_SIZE(counts); ++j)
        {
            winetest_push_context("type %u, count %u", tests[i].type, counts[j]);
            spy_start();

            valid = tests[i].min <= counts[j] && counts[j] <= tests[i].max;
            size = counts[j] * element_size;
            array = alloc_guarded(size);
            memset(array, 0x5a, size);
            memset(&source, 0, sizeof(source));
            source.vendorSpecificVal.vendorId = EXAMPLE_ID;
            set_array(tests[i].type, &source, array, counts[j]);
            value = copy_value(tests[i].type, &source);
            free_guarded(array);

            constructor = create_packet(EXAMPLE_ID, TRUE);
            hr = INapSoHConstructor_AppendAttribute(constructor, tests[i].type, value);
            if (valid && counts[j])
                ok(hr == S_OK, "Got hr %#lx.\n", hr);
            else
                check_unknown_hr(hr, valid ? S_OK : E_INVALIDARG);
            destroy_value(tests[i].type, value);

            soh = get_soh(constructor);
            ok(soh->count == (hr == S_OK ? 2 : 1), "Got %u attributes.\n", soh->count);
            if (valid && hr == S_OK)
            {
                ok(soh->attributes[1].size == tests[i].prefix + size, "Got size %u.\n", soh->attributes[1].size);

                processor = create_reader(soh, TRUE);
                hr = INapSoHProcessor_GetAttribute(processor, 1, &type, &out);
                ok(hr == S_OK, "Got hr %#lx.\n", hr);
                check_value_blocks(type, out);
                ok(value_matches(out, &soh->attributes[1]), "The value is another.\n");
                pFreeSoHAttributeValue(type, out);
                release_object(processor);
            }
            pFreeSoH(soh);
            release_object(constructor);

            ok_balanced();
            spy_stop();
            winetest_pop_context();
        }
    }
}

static void test_null(void)
{
    static const struct
    {
        unsigned int type;
        unsigned int count;
        HRESULT hr;
    }
    tests[] =
    {
        {sohAttributeTypeIpv4FixupServers, 0, E_INVALIDARG},
        {sohAttributeTypeIpv4FixupServers, 1, E_INVALIDARG},
        {sohAttributeTypeIpv4FixupServers, 1000, E_INVALIDARG},
        {sohAttributeTypeIpv6FixupServers, 0, E_INVALIDARG},
        {sohAttributeTypeIpv6FixupServers, 1, E_INVALIDARG},
        {sohAttributeTypeIpv6FixupServers, 250, E_INVALIDARG},
        {sohAttributeTypeComplianceResultCodes, 0, S_OK},
        {sohAttributeTypeComplianceResultCodes, 1, E_INVALIDARG},
        {sohAttributeTypeComplianceResultCodes, 1000, E_INVALIDARG},
        {sohAttributeTypeErrorCodes, 0, S_OK},
        {sohAttributeTypeErrorCodes, 2, E_INVALIDARG},
        {sohAttributeTypeVendorSpecific, 0, S_OK},
        {sohAttributeTypeVendorSpecific, 1, E_INVALIDARG},
        {sohAttributeTypeVendorSpecific, 3996, E_INVALIDARG},
        {sohAttributeTypeClientId, 0, S_OK},
        {sohAttributeTypeClientId, 1, E_INVALIDARG},
        {sohAttributeTypeSoftwareVersion, 1, E_INVALIDARG},
        {sohAttributeTypeProductName, 4000, E_INVALIDARG},
        {sohAttributeTypeHealthClassStatus, 4, E_INVALIDARG},
        {0, 1, E_INVALIDARG},
        {17, 0, S_OK},
        {17, 1, E_INVALIDARG},
        {0xffff, 1, E_INVALIDARG},
        {0xffff, 65535, E_INVALIDARG},
    };
    INapSoHConstructor *constructor;
    SoHAttributeValue value;
    unsigned int i;
    HRESULT hr;
    SoH *soh;

    if (left_to_unknown("NULL pointers"))
        return;

    spy_start();
    for (i = 0; i < ARRAY_SIZE(tests); ++i)
    {
        winetest_push_context("type %u, count %u", tests[i].type, tests[i].count);
        constructor = create_packet(EXAMPLE_ID, TRUE);
        memset(&value, 0, sizeof(value));
        set_array(tests[i].type, &value, NULL, tests[i].count);
        hr = INapSoHConstructor_AppendAttribute(constructor, tests[i].type, &value);
        ok(hr == tests[i].hr, "Got hr %#lx.\n", hr);
        soh = get_soh(constructor);
        ok(soh->count == (hr == S_OK ? 2 : 1), "Got %u attributes.\n", soh->count);
        pFreeSoH(soh);
        release_object(constructor);
        winetest_pop_context();
    }

    constructor = create_packet(EXAMPLE_ID, TRUE);
    for (i = 0; i <= 18; ++i)
    {
        winetest_push_context("type %u", i);
        hr = INapSoHConstructor_AppendAttribute(constructor, i, NULL);
        ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
        winetest_pop_context();
    }
    soh = get_soh(constructor);
    ok(soh->count == 1, "Got %u attributes.\n", soh->count);
    pFreeSoH(soh);
    release_object(constructor);
    ok_balanced();
    spy_stop();
}

/* An attribute's type has 16 bits. */
static void test_large_types(void)
{
    static const unsigned int types[] =
    {
        0x10000, 0x10001, 0x10002, 0x10004, 0x10008, 0x1ffff, 0x7fffffff, 0x80000000, 0x80000002, 0xffffffff,
    };
    INapSoHConstructor *constructor;
    SoHAttributeValue value;
    BYTE data[64] = {0};
    unsigned int i;
    HRESULT hr;
    SoH *soh;

    spy_start();
    for (i = 0; i < ARRAY_SIZE(types); ++i)
    {
        winetest_push_context("type %#x", types[i]);
        constructor = create_packet(EXAMPLE_ID, TRUE);
        memset(&value, 0, sizeof(value));
        value.octetStringVal.size = 4;
        value.octetStringVal.data = data;
        hr = INapSoHConstructor_AppendAttribute(constructor, types[i], &value);
        check_unknown_hr(hr, E_INVALIDARG);
        soh = get_soh(constructor);
        ok(soh->count == (hr == S_OK ? 2 : 1), "Got %u attributes.\n", soh->count);
        pFreeSoH(soh);
        release_object(constructor);
        winetest_pop_context();
    }
    ok_balanced();
    spy_stop();
}

START_TEST(attribute)
{
    if (!load_qutil())
        return;

    test_encode();
    test_decode();
    test_id();
    test_uint8();
    test_counts();
    test_null();
    test_large_types();

    FreeLibrary(qutil);
}
