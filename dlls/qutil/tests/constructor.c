/*
 * Tests for the NapSoHConstructor class
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

static HRESULT create_by_class_object(INapSoHConstructor **constructor)
{
    return create_instance(&CLSID_NapSoHConstructor, &IID_INapSoHConstructor, (void **)constructor);
}

static HRESULT create_by_com(INapSoHConstructor **constructor)
{
    return CoCreateInstance(&CLSID_NapSoHConstructor, NULL, CLSCTX_INPROC_SERVER,
            &IID_INapSoHConstructor, (void **)constructor);
}

/* As the SDK sample's agent makes its request. */
static void test_create(void)
{
    static const struct
    {
        const char *name;
        HRESULT (*create)(INapSoHConstructor **constructor);
    }
    tests[] =
    {
        {"DllGetClassObject", create_by_class_object},
        {"CoCreateInstance", create_by_com},
    };
    static const BYTE wire[] = {0x00, 0x01, 0x37, 0xf0, 0xaa, 0xaa};
    static const BYTE data[] = {0xaa, 0xaa};
    INapSoHConstructor *constructor;
    SoHAttributeValue value;
    unsigned int i;
    HRESULT hr;
    SoH *soh;

    for (i = 0; i < ARRAY_SIZE(tests); ++i)
    {
        winetest_push_context("%s", tests[i].name);
        constructor = NULL;
        hr = tests[i].create(&constructor);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        if (hr != S_OK)
        {
            winetest_pop_context();
            continue;
        }
        hr = INapSoHConstructor_Initialize(constructor, EXAMPLE_ID, TRUE);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        value.vendorSpecificVal.vendorId = EXAMPLE_ID;
        value.vendorSpecificVal.size = sizeof(data);
        value.vendorSpecificVal.vendorSpecificData = (BYTE *)data;
        hr = INapSoHConstructor_AppendAttribute(constructor, sohAttributeTypeVendorSpecific, &value);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        soh = get_soh(constructor);
        release_object(constructor);
        ok(soh->count == 2, "Got %u attributes.\n", soh->count);
        check_attribute(soh, 0, sohAttributeTypeSystemHealthId, example_id, sizeof(example_id));
        check_attribute(soh, 1, sohAttributeTypeVendorSpecific, wire, sizeof(wire));
        pFreeSoH(soh);
        winetest_pop_context();
    }
}

static void test_Initialize(void)
{
    static const BOOL is_request[] = {TRUE, FALSE, 2, -1};
    INapSoHConstructor *constructor;
    SoHAttributeValue value;
    unsigned int i;
    HRESULT hr;
    SoH *soh;

    for (i = 0; i < ARRAY_SIZE(is_request); ++i)
    {
        winetest_push_context("request %d", is_request[i]);
        spy_start();
        constructor = create_constructor();
        hr = INapSoHConstructor_Initialize(constructor, EXAMPLE_ID, is_request[i]);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);

        /* Not yet a valid response, but whoever asks gets it. */
        soh = NULL;
        hr = INapSoHConstructor_GetSoH(constructor, &soh);
        ok(hr == S_OK || broken(!is_request[i] && FAILED(hr)), "Got hr %#lx.\n", hr);
        if (hr == S_OK)
        {
            ok(soh->count == 1, "Got %u attributes.\n", soh->count);
            check_attribute(soh, 0, sohAttributeTypeSystemHealthId, example_id, sizeof(example_id));
            pFreeSoH(soh);
        }

        hr = INapSoHConstructor_Initialize(constructor, 0xfedcba98, !is_request[i]);
        check_unknown_hr(hr, HRESULT_FROM_WIN32(ERROR_ALREADY_INITIALIZED));
        hr = INapSoHConstructor_Initialize(constructor, EXAMPLE_ID, is_request[i]);
        check_unknown_hr(hr, HRESULT_FROM_WIN32(ERROR_ALREADY_INITIALIZED));

        /* The packet is what it was, and can still be added to. */
        if (hr == HRESULT_FROM_WIN32(ERROR_ALREADY_INITIALIZED))
        {
            value.uint8Val = 1;
            hr = INapSoHConstructor_AppendAttribute(constructor, sohAttributeTypeFailureCategory, &value);
            ok(hr == S_OK, "Got hr %#lx.\n", hr);
            soh = get_soh(constructor);
            ok(soh->count == 2, "Got %u attributes.\n", soh->count);
            check_attribute(soh, 0, sohAttributeTypeSystemHealthId, example_id, sizeof(example_id));
            check_attribute(soh, 1, sohAttributeTypeFailureCategory, "\x01", 1);
            pFreeSoH(soh);
        }

        release_object(constructor);
        ok_balanced();
        spy_stop();
        winetest_pop_context();
    }
}

static void test_uninitialized(void)
{
    INapSoHConstructor *constructor;
    SoHAttributeValue value;
    unsigned int i;
    HRESULT hr;
    SoH *soh;

    spy_start();
    constructor = create_constructor();
    for (i = 0; i < 2; ++i)
    {
        memset(&value, 0, sizeof(value));
        hr = INapSoHConstructor_AppendAttribute(constructor, sohAttributeTypeFailureCategory, &value);
        check_unknown_hr(hr, NAP_E_NOT_INITIALIZED);
        soh = (void *)0xdeadbeef;
        hr = INapSoHConstructor_GetSoH(constructor, &soh);
        check_unknown_hr(hr, NAP_E_NOT_INITIALIZED);
        if (hr == S_OK)
            pFreeSoH(soh);
        else
            check_null_out(soh);
    }

    /* It is not too late. */
    hr = INapSoHConstructor_Initialize(constructor, EXAMPLE_ID, TRUE);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    soh = get_soh(constructor);
    ok(soh->count == 1 || broken(soh->count != 1), "Got %u attributes.\n", soh->count);
    if (soh->count == 1)
        check_attribute(soh, 0, sohAttributeTypeSystemHealthId, example_id, sizeof(example_id));
    pFreeSoH(soh);
    release_object(constructor);

    /* Nothing at all was done with this one. */
    constructor = create_constructor();
    release_object(constructor);
    ok_balanced();
    spy_stop();
}

static void test_AppendAttribute(void)
{
    SoH *source = build_soh(all_types), *soh;
    INapSoHConstructor *constructor;
    unsigned int i;
    HRESULT hr;

    spy_start();
    constructor = create_packet(EXAMPLE_ID, TRUE);
    for (i = 1; i < source->count; ++i)
    {
        winetest_push_context("attribute %u", i);
        hr = append_attribute(constructor, &source->attributes[i]);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        winetest_pop_context();
    }
    soh = get_soh(constructor);
    release_object(constructor);
    ok(soh->count == source->count, "Got %u attributes, expected %u.\n", soh->count, source->count);
    for (i = 0; i < soh->count; ++i)
    {
        winetest_push_context("attribute %u", i);
        check_attribute(soh, i, source->attributes[i].type, source->attributes[i].value, source->attributes[i].size);
        winetest_pop_context();
    }
    pFreeSoH(soh);
    ok_balanced();
    spy_stop();
    destroy_soh(source);
}

/* What isn't accepted leaves the packet as it was. */
static void test_AppendAttribute_id(void)
{
    INapSoHConstructor *constructor;
    SoHAttributeValue value;
    unsigned int i;
    HRESULT hr;
    SoH *soh;

    spy_start();
    for (i = 0; i < 4; ++i)
    {
        winetest_push_context("test %u", i);
        constructor = create_packet(EXAMPLE_ID, i & 1);
        memset(&value, 0, sizeof(value));
        value.uint8Val = failureCategoryOther;
        hr = INapSoHConstructor_AppendAttribute(constructor, sohAttributeTypeFailureCategory, &value);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        value.idVal = i & 2 ? EXAMPLE_ID : 0xfedcba98;
        hr = INapSoHConstructor_AppendAttribute(constructor, sohAttributeTypeSystemHealthId, &value);
        check_failure(hr, E_INVALIDARG);
        soh = get_soh(constructor);
        ok(soh->count == 2, "Got %u attributes.\n", soh->count);
        check_attribute(soh, 0, sohAttributeTypeSystemHealthId, example_id, sizeof(example_id));
        check_attribute(soh, 1, sohAttributeTypeFailureCategory, "\x01", 1);
        pFreeSoH(soh);
        release_object(constructor);
        winetest_pop_context();
    }
    ok_balanced();
    spy_stop();
}

static void test_attribute_count(void)
{
    SoHAttributeValue value, invalid;
    INapSoHConstructor *constructor;
    unsigned int i, count;
    BYTE wire[4] = {0};
    HRESULT hr;
    SoH *soh;

    spy_start();
    constructor = create_packet(EXAMPLE_ID, TRUE);
    memset(&value, 0, sizeof(value));
    value.octetStringVal.size = sizeof(wire);
    value.octetStringVal.data = wire;
    memset(&invalid, 0, sizeof(invalid));
    for (i = 1; i < maxSoHAttributeCount; ++i)
    {
        winetest_push_context("attribute %u", i);
        wire[0] = i;
        hr = INapSoHConstructor_AppendAttribute(constructor, sohAttributeTypeClientId, &value);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);

        /* A failing one takes no place. */
        hr = INapSoHConstructor_AppendAttribute(constructor, sohAttributeTypeSystemHealthId, &invalid);
        check_failure(hr, E_INVALIDARG);
        winetest_pop_context();
    }

    for (i = 0; i < 3; ++i)
    {
        wire[0] = 0xcc;
        hr = INapSoHConstructor_AppendAttribute(constructor, sohAttributeTypeClientId, &value);
        check_unknown_hr(hr, E_INVALIDARG);
        if (hr != S_OK)
        {
            soh = get_soh(constructor);
            count = soh->count;
            ok(count == maxSoHAttributeCount, "Got %u attributes.\n", count);
            hr = INapSoHConstructor_Validate(constructor, soh, TRUE);
            ok(hr == S_OK, "Got hr %#lx.\n", hr);
            wire[0] = maxSoHAttributeCount - 1;
            check_attribute(soh, maxSoHAttributeCount - 1, sohAttributeTypeClientId, wire, sizeof(wire));
            pFreeSoH(soh);
        }
    }
    release_object(constructor);
    ok_balanced();
    spy_stop();
}

/* All of the largest. */
static void test_total_size(void)
{
    SoH *source = build_soh("2:4 6:4000*24 7:4000*25 4:4000*25 3:4000*25"), *soh;
    INapSoHConstructor *constructor;
    unsigned int i;
    HRESULT hr;

    spy_start();
    constructor = create_packet(EXAMPLE_ID, TRUE);
    for (i = 1; i < source->count; ++i)
    {
        hr = append_attribute(constructor, &source->attributes[i]);
        check_unknown_hr(hr, S_OK);
        if (hr != S_OK)
            break;
    }
    soh = get_soh(constructor);
    if (i == source->count)
        ok(sohs_equal(soh, source), "The SoH is another.\n");
    pFreeSoH(soh);
    release_object(constructor);
    ok_balanced();
    spy_stop();
    destroy_soh(source);
}

static void check_soh_blocks(const SoH *soh)
{
    unsigned int i, block_count = 2;

    check_block(soh, sizeof(*soh));
    check_block(soh->attributes, soh->count * sizeof(*soh->attributes));
    for (i = 0; i < soh->count; ++i)
    {
        if (soh->attributes[i].size)
            ok(!!soh->attributes[i].value, "Attribute %u has no value.\n", i);
        if (soh->attributes[i].value)
        {
            check_block(soh->attributes[i].value, soh->attributes[i].size);
            ++block_count;
        }
    }
    ok(spy_blocks() == block_count, "Got %d blocks, expected %u.\n", (int)spy_blocks(), block_count);
}

/* The result needs its object no longer, and each block can be freed alone. */
static void test_GetSoH_blocks(void)
{
    SoH *source = build_soh(all_types), *soh;
    INapSoHConstructor *constructor;
    unsigned int i, j;
    HRESULT hr;

    for (j = 0; j < 2; ++j)
    {
        spy_start();
        constructor = create_packet(EXAMPLE_ID, TRUE);
        for (i = 1; i < source->count; ++i)
        {
            hr = append_attribute(constructor, &source->attributes[i]);
            ok(hr == S_OK, "Got hr %#lx.\n", hr);
        }
        soh = get_soh(constructor);
        release_object(constructor);
        check_soh_blocks(soh);
        ok(sohs_equal(soh, source), "The SoH is another.\n");
        if (j)
        {
            pFreeSoH(soh);
        }
        else
        {
            for (i = 0; i < soh->count; ++i)
                CoTaskMemFree(soh->attributes[i].value);
            CoTaskMemFree(soh->attributes);
            CoTaskMemFree(soh);
        }
        ok_balanced();
        spy_stop();
    }
    destroy_soh(source);
}

static void test_GetSoH(void)
{
    SoH *source = build_soh(all_types), *sohs[64], *again;
    INapSoHConstructor *constructor;
    unsigned int i, j, k;
    HRESULT hr;

    spy_start();
    constructor = create_packet(EXAMPLE_ID, TRUE);
    for (i = 1; i < source->count; ++i)
    {
        winetest_push_context("attribute %u", i);
        sohs[i] = get_soh(constructor);
        again = get_soh(constructor);
        ok(sohs[i] != again, "Got the same SoH twice.\n");
        ok(sohs[i]->count == i || broken(sohs[i]->count != i), "Got %u attributes.\n", sohs[i]->count);
        ok(sohs_equal(sohs[i], again), "The second SoH is another.\n");

        /* Whatever happens to a copy, the packet is the constructor's own. */
        for (j = 0; j < again->count; ++j)
        {
            ok(!again->attributes[j].size || again->attributes[j].value != sohs[i]->attributes[j].value,
                    "The copies share a value.\n");
            again->attributes[j].type = 0xcccc;
            if (again->attributes[j].size)
                memset(again->attributes[j].value, 0xcc, again->attributes[j].size);
        }
        pFreeSoH(again);

        hr = append_attribute(constructor, &source->attributes[i]);
        check_unknown_hr(hr, S_OK);
        winetest_pop_context();
    }
    again = get_soh(constructor);
    release_object(constructor);
    ok(sohs_equal(again, source) || broken(!sohs_equal(again, source)), "The last SoH is another.\n");
    pFreeSoH(again);

    for (i = 1; i < source->count; ++i)
    {
        winetest_push_context("SoH %u", i);
        for (k = 0; k < sohs[i]->count; ++k)
            check_attribute(sohs[i], k, source->attributes[k].type, source->attributes[k].value,
                    source->attributes[k].size);
        pFreeSoH(sohs[i]);
        winetest_pop_context();
    }
    ok_balanced();
    spy_stop();
    destroy_soh(source);
}

static void test_null(void)
{
    INapSoHConstructor *constructor;
    HRESULT hr;

    if (left_to_unknown("NULL pointers"))
        return;

    spy_start();
    constructor = create_packet(EXAMPLE_ID, TRUE);
    hr = INapSoHConstructor_GetSoH(constructor, NULL);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    hr = INapSoHConstructor_Validate(constructor, NULL, TRUE);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    hr = INapSoHConstructor_Validate(constructor, NULL, FALSE);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    release_object(constructor);

    constructor = create_constructor();
    hr = INapSoHConstructor_Validate(constructor, NULL, TRUE);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    release_object(constructor);
    ok_balanced();
    spy_stop();
}

static void test_Validate(void)
{
    INapSoHConstructor *constructors[3], *constructor;
    const struct packet_test *test;
    SoH *soh, *packets[2];
    unsigned int i, j;
    HRESULT hr;

    spy_start();
    constructors[0] = create_constructor();
    constructors[1] = create_packet(0xfedcba98, TRUE);
    constructors[2] = create_packet(0xfedcba98, FALSE);
    packets[0] = get_soh(constructors[1]);

    for (i = 0; i < ARRAY_SIZE(packet_tests); ++i)
    {
        test = &packet_tests[i];
        if (test->wine_only && !is_wine())
            continue;

        soh = build_soh(test->packet);
        for (j = 0; j < ARRAY_SIZE(constructors); ++j)
        {
            constructor = constructors[j];
            winetest_push_context("packet \"%.60s\", constructor %u", test->packet, j);
            hr = INapSoHConstructor_Validate(constructor, soh, TRUE);
            if (!j && hr != S_OK && hr != NAP_E_INVALID_PACKET)
                ok(broken(1), "Got hr %#lx.\n", hr); /* needs Initialize() */
            else
                check_verdict(hr, test->request);
            hr = INapSoHConstructor_Validate(constructor, soh, FALSE);
            if (!j && hr != S_OK && hr != NAP_E_INVALID_PACKET)
                ok(broken(1), "Got hr %#lx.\n", hr);
            else
                check_verdict(hr, test->response);
            winetest_pop_context();
        }
        destroy_soh(soh);
    }

    /* The constructors' own packets are not affected. */
    packets[1] = get_soh(constructors[1]);
    ok(sohs_equal(packets[0], packets[1]), "The packet has changed.\n");
    for (j = 0; j < ARRAY_SIZE(packets); ++j)
        pFreeSoH(packets[j]);
    hr = INapSoHConstructor_Initialize(constructors[0], EXAMPLE_ID, TRUE);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    for (j = 0; j < ARRAY_SIZE(constructors); ++j)
        release_object(constructors[j]);
    ok_balanced();
    spy_stop();
}

/* Counts that don't fit the array. */
static void test_Validate_count(void)
{
    static const struct
    {
        UINT16 count;
        BOOL attributes;
    }
    tests[] =
    {
        {0, TRUE},
        {0, FALSE},
        {1, FALSE},
        {2, FALSE},
        {100, FALSE},
        {101, FALSE},
        {65535, FALSE},
        /* Nobody need look at the attributes of so large a packet. */
        {101, TRUE},
        {256, TRUE},
        {32768, TRUE},
        {65535, TRUE},
    };
    INapSoHConstructor *constructor;
    unsigned int i, j;
    SoH *source, soh;
    HRESULT hr;

    if (left_to_unknown("Wrong counts"))
        return;

    constructor = create_constructor();
    source = build_soh("2:4 4:4");
    for (i = 0; i < ARRAY_SIZE(tests); ++i)
    {
        for (j = 0; j < 2; ++j)
        {
            winetest_push_context("test %u, request %u", i, j);
            soh.count = tests[i].count;
            soh.attributes = tests[i].attributes ? source->attributes : NULL;
            hr = INapSoHConstructor_Validate(constructor, &soh, j);
            ok(hr == NAP_E_INVALID_PACKET, "Got hr %#lx.\n", hr);
            winetest_pop_context();
        }
    }
    destroy_soh(source);
    release_object(constructor);
}

/* Whole entries as they go over the wire: be16 type, be16 size and the value, an attribute after the other. */
static void test_entries(void)
{
    static const BYTE sample_request[] =
    {
        0x00, 0x02, 0x00, 0x04, 0x00, 0x01, 0x37, 0xf0,
        0x00, 0x07, 0x00, 0x06, 0x00, 0x01, 0x37, 0xf0, 0xaa, 0xaa,
    };
    static const BYTE sample_response[] =
    {
        0x00, 0x02, 0x00, 0x04, 0x00, 0x01, 0x37, 0xf0,
        0x00, 0x04, 0x00, 0x04, 0x80, 0x27, 0x00, 0x50,
    };
    static const BYTE security_center_response[] =
    {
        0x00, 0x02, 0x00, 0x04, 0x00, 0x01, 0x37, 0x80,
        0x00, 0x08, 0x00, 0x01, 0x00,
        0x00, 0x04, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x08, 0x00, 0x01, 0x01,
        0x00, 0x04, 0x00, 0x08, 0xc0, 0xff, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x0e, 0x00, 0x01, 0x02,
        0x00, 0x08, 0x00, 0x01, 0x02,
        0x00, 0x04, 0x00, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x08, 0x00, 0x01, 0x03,
        0x00, 0x04, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x08, 0x00, 0x01, 0x04,
        0x00, 0x04, 0x00, 0x08, 0xc0, 0xff, 0x00, 0x07, 0x00, 0x00, 0x04, 0x00,
    };
    static const BYTE agent_request[] =
    {
        0x00, 0x02, 0x00, 0x04, 0x00, 0x01, 0x37, 0xf0,
        0x00, 0x0e, 0x00, 0x01, 0x02,
        0x00, 0x0d, 0x00, 0x04, 0x80, 0x27, 0x00, 0x07,
    };
    static const BYTE security_center_request[] =
    {
        0x00, 0x02, 0x00, 0x04, 0x00, 0x01, 0x37, 0x80,
        0x00, 0x07, 0x00, 0x08, 0x00, 0x01, 0x37, 0x80, 0x03, 0x00, 0x00, 0x00,
        0x00, 0x07, 0x00, 0x08, 0x00, 0x01, 0x37, 0x80, 0x01, 0x00, 0x06, 0x00,
        0x00, 0x08, 0x00, 0x01, 0x00,
        0x00, 0x0b, 0x00, 0x04, 0x00, 0x00, 0x00, 0x05,
        0x00, 0x08, 0x00, 0x01, 0x01,
        0x00, 0x0b, 0x00, 0x04, 0xc0, 0xff, 0x00, 0x02,
        0x00, 0x08, 0x00, 0x01, 0x02,
        0x00, 0x0b, 0x00, 0x04, 0x00, 0x00, 0x00, 0x07,
        0x00, 0x08, 0x00, 0x01, 0x03,
        0x00, 0x0b, 0x00, 0x04, 0x00, 0x00, 0x00, 0x04,
        0x00, 0x08, 0x00, 0x01, 0x04,
        0x00, 0x0b, 0x00, 0x04, 0x00, 0xff, 0x00, 0x08,
    };
    static HRESULT not_patched[] = {0x80270050}, not_initialized[] = {0x80270007};
    static HRESULT ok_code[] = {S_OK}, ok_codes[] = {S_OK, S_OK};
    static HRESULT antivirus_codes[] = {0xc0ff0002, S_OK}, update_codes[] = {0xc0ff0007, 0x00000400};
    static BYTE healthy[] = {0xaa, 0xaa}, version[] = {0x01, 0x00, 0x06, 0x00}, counter[] = {0x03, 0x00, 0x00, 0x00};
    static BYTE firewall[] = {0, 0, 0, 5}, antivirus[] = {0xc0, 0xff, 0x00, 0x02}, antispyware[] = {0, 0, 0, 7};
    static BYTE automatic_updates[] = {0, 0, 0, 4}, security_updates[] = {0x00, 0xff, 0x00, 0x08};
    static const struct
    {
        const char *name;
        SystemHealthEntityId id;
        BOOL is_request;
        const BYTE *wire;
        unsigned int size;
        unsigned int count;
        struct
        {
            unsigned int type;
            SoHAttributeValue value;
        }
        attributes[13];
    }
    tests[] =
    {
        {
            "sample request", 0x000137f0, TRUE, sample_request, sizeof(sample_request), 1,
            {
                {sohAttributeTypeVendorSpecific, {.vendorSpecificVal = {0x000137f0, 2, healthy}}},
            },
        },
        {
            "sample response", 0x000137f0, FALSE, sample_response, sizeof(sample_response), 1,
            {
                {sohAttributeTypeComplianceResultCodes, {.codesVal = {1, not_patched}}},
            },
        },
        {
            "security center response", 0x00013780, FALSE, security_center_response,
            sizeof(security_center_response), 11,
            {
                {sohAttributeTypeHealthClass, {.uint8Val = 0}},
                {sohAttributeTypeComplianceResultCodes, {.codesVal = {1, ok_code}}},
                {sohAttributeTypeHealthClass, {.uint8Val = 1}},
                {sohAttributeTypeComplianceResultCodes, {.codesVal = {2, antivirus_codes}}},
                {sohAttributeTypeFailureCategory, {.uint8Val = failureCategoryClientComponent}},
                {sohAttributeTypeHealthClass, {.uint8Val = 2}},
                {sohAttributeTypeComplianceResultCodes, {.codesVal = {2, ok_codes}}},
                {sohAttributeTypeHealthClass, {.uint8Val = 3}},
                {sohAttributeTypeComplianceResultCodes, {.codesVal = {1, ok_code}}},
                {sohAttributeTypeHealthClass, {.uint8Val = 4}},
                {sohAttributeTypeComplianceResultCodes, {.codesVal = {2, update_codes}}},
            },
        },
        {
            "agent request", 0x000137f0, TRUE, agent_request, sizeof(agent_request), 2,
            {
                {sohAttributeTypeFailureCategory, {.uint8Val = failureCategoryClientComponent}},
                {sohAttributeTypeErrorCodes, {.codesVal = {1, not_initialized}}},
            },
        },
        {
            "security center request", 0x00013780, TRUE, security_center_request,
            sizeof(security_center_request), 12,
            {
                {sohAttributeTypeVendorSpecific, {.vendorSpecificVal = {0x00013780, 4, counter}}},
                {sohAttributeTypeVendorSpecific, {.vendorSpecificVal = {0x00013780, 4, version}}},
                {sohAttributeTypeHealthClass, {.uint8Val = 0}},
                {sohAttributeTypeHealthClassStatus, {.octetStringVal = {4, firewall}}},
                {sohAttributeTypeHealthClass, {.uint8Val = 1}},
                {sohAttributeTypeHealthClassStatus, {.octetStringVal = {4, antivirus}}},
                {sohAttributeTypeHealthClass, {.uint8Val = 2}},
                {sohAttributeTypeHealthClassStatus, {.octetStringVal = {4, antispyware}}},
                {sohAttributeTypeHealthClass, {.uint8Val = 3}},
                {sohAttributeTypeHealthClassStatus, {.octetStringVal = {4, automatic_updates}}},
                {sohAttributeTypeHealthClass, {.uint8Val = 4}},
                {sohAttributeTypeHealthClassStatus, {.octetStringVal = {4, security_updates}}},
            },
        },
    };
    INapSoHConstructor *constructor;
    INapSoHProcessor *processor;
    const SoHAttribute *attribute;
    SystemHealthEntityId id;
    SoHAttributeValue *value;
    SoHAttributeType type;
    unsigned int i, j, size;
    BYTE wire[256];
    UINT16 count;
    HRESULT hr;
    SoH *soh;

    for (i = 0; i < ARRAY_SIZE(tests); ++i)
    {
        winetest_push_context("%s", tests[i].name);
        spy_start();

        constructor = create_packet(tests[i].id, tests[i].is_request);
        for (j = 0; j < tests[i].count; ++j)
        {
            hr = INapSoHConstructor_AppendAttribute(constructor, tests[i].attributes[j].type,
                    &tests[i].attributes[j].value);
            ok(hr == S_OK, "Got hr %#lx.\n", hr);
        }
        soh = get_soh(constructor);
        hr = INapSoHConstructor_Validate(constructor, soh, tests[i].is_request);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        release_object(constructor);

        for (j = size = 0; j < soh->count; ++j)
        {
            attribute = &soh->attributes[j];
            ok(size + 4 + attribute->size <= sizeof(wire), "The entry is too large.\n");
            if (size + 4 + attribute->size > sizeof(wire))
                break;
            wire[size++] = attribute->type >> 8;
            wire[size++] = attribute->type;
            wire[size++] = attribute->size >> 8;
            wire[size++] = attribute->size;
            memcpy(wire + size, attribute->value, attribute->size);
            size += attribute->size;
        }
        ok(size == tests[i].size, "Got size %u, expected %u.\n", size, tests[i].size);
        if (size == tests[i].size)
            ok(!memcmp(wire, tests[i].wire, size), "The entry is another.\n");

        /* And back. */
        processor = create_processor();
        id = 0xdeadbeef;
        hr = INapSoHProcessor_Initialize(processor, soh, tests[i].is_request, &id);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        ok(id == tests[i].id, "Got id %#x.\n", id);
        hr = INapSoHProcessor_GetNumberOfAttributes(processor, &count);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        ok(count == tests[i].count + 1 || broken(count == tests[i].count), "Got %u attributes.\n", count);
        for (j = 0; j < tests[i].count; ++j)
        {
            hr = INapSoHProcessor_GetAttribute(processor, j + 1, &type, &value);
            ok(hr == S_OK, "Attribute %u: got hr %#lx.\n", j + 1, hr);
            ok(type == tests[i].attributes[j].type, "Attribute %u: got type %u.\n", j + 1, type);
            ok(values_equal(type, value, &tests[i].attributes[j].value),
                    "Attribute %u: the value is another.\n", j + 1);
            pFreeSoHAttributeValue(type, value);
        }
        release_object(processor);
        pFreeSoH(soh);

        ok_balanced();
        spy_stop();
        winetest_pop_context();
    }
}

/* Each allocation in turn fails. */
static void test_out_of_memory(void)
{
    SoH *source = build_soh(all_types), *before, *after, *soh;
    INapSoHConstructor *constructor;
    unsigned int i, j;
    HRESULT hr;
    int n;

    spy_start();

    for (n = 0; n < 16; ++n)
    {
        winetest_push_context("creation, allocation %d", n);
        spy_fail_at(n);
        hr = create_by_class_object(&constructor);
        spy_fail_at(-1);
        winetest_pop_context();
        if (hr == S_OK)
            break;
        ok(hr == E_OUTOFMEMORY, "Got hr %#lx.\n", hr);
        ok(!constructor, "Got %p.\n", constructor);
        ok_balanced();
    }
    ok(n < 16, "No constructor.\n");

    for (n = 0; n < 16; ++n)
    {
        winetest_push_context("Initialize, allocation %d", n);
        spy_fail_at(n);
        hr = INapSoHConstructor_Initialize(constructor, EXAMPLE_ID, TRUE);
        spy_fail_at(-1);
        if (hr == S_OK)
        {
            winetest_pop_context();
            break;
        }
        ok(hr == E_OUTOFMEMORY, "Got hr %#lx.\n", hr);
        soh = (void *)0xdeadbeef;
        hr = INapSoHConstructor_GetSoH(constructor, &soh);
        check_failure(hr, NAP_E_NOT_INITIALIZED);
        check_null_out(soh);
        winetest_pop_context();
    }
    ok(n < 16, "Not initialized.\n");

    for (i = 1; i < source->count; ++i)
    {
        winetest_push_context("type %u", source->attributes[i].type);
        before = get_soh(constructor);
        for (n = 0; n < 16; ++n)
        {
            winetest_push_context("AppendAttribute, allocation %d", n);
            spy_fail_at(n);
            hr = append_attribute(constructor, &source->attributes[i]);
            spy_fail_at(-1);
            if (hr != S_OK)
            {
                ok(hr == E_OUTOFMEMORY, "Got hr %#lx.\n", hr);
                after = get_soh(constructor);
                ok(sohs_equal(before, after), "The SoH has changed.\n");
                pFreeSoH(after);
            }
            winetest_pop_context();
            if (hr == S_OK)
                break;
        }
        ok(n < 16, "Nothing appended.\n");
        pFreeSoH(before);

        before = get_soh(constructor);
        ok(before->count == i + 1, "Got %u attributes.\n", before->count);
        for (n = 0; n < 64; ++n)
        {
            winetest_push_context("GetSoH, allocation %d", n);
            j = spy_blocks();
            soh = (void *)0xdeadbeef;
            spy_fail_at(n);
            hr = INapSoHConstructor_GetSoH(constructor, &soh);
            spy_fail_at(-1);
            if (hr != S_OK)
            {
                ok(hr == E_OUTOFMEMORY, "Got hr %#lx.\n", hr);
                check_null_out(soh);
                ok(spy_blocks() == j, "Got %d blocks, expected %u.\n", (int)spy_blocks(), j);
                after = get_soh(constructor);
                ok(sohs_equal(before, after), "The SoH has changed.\n");
                pFreeSoH(after);
            }
            winetest_pop_context();
            if (hr == S_OK)
                break;
        }
        /* The structure, the array, and each value that has bytes. */
        ok(n >= 3, "Succeeded after %d failing allocations.\n", n);
        ok(n < 64, "No SoH.\n");
        if (n < 64)
        {
            ok(sohs_equal(before, soh), "The SoH is another.\n");
            pFreeSoH(soh);
        }
        pFreeSoH(before);
        winetest_pop_context();
    }

    for (n = 0; n < 16; ++n)
    {
        winetest_push_context("Validate, allocation %d", n);
        j = spy_blocks();
        spy_fail_at(n);
        hr = INapSoHConstructor_Validate(constructor, source, TRUE);
        spy_fail_at(-1);
        ok(spy_blocks() == j, "Got %d blocks, expected %u.\n", (int)spy_blocks(), j);
        winetest_pop_context();
        if (hr == S_OK)
            break;
        ok(hr == E_OUTOFMEMORY, "Got hr %#lx.\n", hr);
    }
    ok(n < 16, "Not validated.\n");

    soh = get_soh(constructor);
    release_object(constructor);
    ok(sohs_equal(soh, source), "The SoH is another.\n");
    pFreeSoH(soh);
    ok_balanced();
    spy_stop();
    destroy_soh(source);
}

struct append_data
{
    INapSoHConstructor *constructor;
    unsigned int index, calls, succeeded, failed, other;
    LONG *running;
};

/* A thread's attributes have different sizes, and its index in each byte but the first, which counts them. */
static DWORD WINAPI append_thread(void *arg)
{
    struct append_data *data = arg;
    SoHAttributeValue value;
    BYTE bytes[256];
    unsigned int i;
    HRESULT hr;

    for (i = 0; i < data->calls; ++i)
    {
        memset(bytes, data->index, sizeof(bytes));
        bytes[0] = data->succeeded;
        memset(&value, 0, sizeof(value));
        value.octetStringVal.size = 2 + data->index + 8 * i;
        value.octetStringVal.data = bytes;
        hr = INapSoHConstructor_AppendAttribute(data->constructor, sohAttributeTypeClientId, &value);
        memset(bytes, 0xcc, sizeof(bytes));
        if (hr == S_OK)
            ++data->succeeded;
        else if (hr == E_INVALIDARG)
            ++data->failed;
        else
            ++data->other;
    }
    InterlockedDecrement(data->running);
    return 0;
}

static BOOL is_packet_of_threads(const SoH *soh, unsigned int appended[THREAD_COUNT])
{
    const SoHAttribute *attribute;
    unsigned int i, j, index;

    memset(appended, 0, THREAD_COUNT * sizeof(*appended));
    if (!soh->count || soh->attributes[0].type != sohAttributeTypeSystemHealthId)
        return FALSE;
    for (i = 1; i < soh->count; ++i)
    {
        attribute = &soh->attributes[i];
        if (attribute->type != sohAttributeTypeClientId || attribute->size < 2)
            return FALSE;
        index = attribute->value[1];
        if (index >= THREAD_COUNT || attribute->value[0] != appended[index])
            return FALSE;
        if (attribute->size != 2 + index + 8 * appended[index])
            return FALSE;
        for (j = 1; j < attribute->size; ++j)
        {
            if (attribute->value[j] != index)
                return FALSE;
        }
        ++appended[index];
    }
    return TRUE;
}

static DWORD WINAPI append_or_watch_thread(void *arg)
{
    struct append_data *data = arg;
    unsigned int appended[THREAD_COUNT], count = 0;
    BOOL last;
    SoH *soh;

    if (data->index < THREAD_COUNT)
        return append_thread(arg);

    do
    {
        last = !InterlockedCompareExchange(data->running, 0, 0);
        if (INapSoHConstructor_GetSoH(data->constructor, &soh) != S_OK)
        {
            ++data->failed;
            break;
        }
        if (soh->count < count || !is_packet_of_threads(soh, appended)
                || INapSoHConstructor_Validate(data->constructor, soh, TRUE) != S_OK)
            ++data->other;
        count = soh->count;
        pFreeSoH(soh);
        ++data->succeeded;
    }
    while (!last);
    return 0;
}

static void test_threads(void)
{
    /* 97 and 129 attributes, of which there is room for 100. */
    static const unsigned int calls[] = {12, 16};
    struct append_data data[THREAD_COUNT + 1];
    unsigned int appended[THREAD_COUNT];
    INapSoHConstructor *constructor;
    unsigned int i, j, round, total;
    LONG running;
    BOOL ret;
    SoH *soh;

    for (i = 0; i < ARRAY_SIZE(calls); ++i)
    {
        for (round = 0; round < 20; ++round)
        {
            winetest_push_context("%u calls, round %u", calls[i], round);
            constructor = create_packet(EXAMPLE_ID, TRUE);
            memset(data, 0, sizeof(data));
            running = THREAD_COUNT;
            for (j = 0; j < ARRAY_SIZE(data); ++j)
            {
                data[j].constructor = constructor;
                data[j].index = j;
                data[j].calls = calls[i];
                data[j].running = &running;
            }
            run_threads(append_or_watch_thread, data, sizeof(*data), ARRAY_SIZE(data));
            ok(data[THREAD_COUNT].succeeded && !data[THREAD_COUNT].failed && !data[THREAD_COUNT].other,
                    "Of %u SoHs %u were wrong, %u missing.\n", data[THREAD_COUNT].succeeded,
                    data[THREAD_COUNT].other, data[THREAD_COUNT].failed);

            soh = get_soh(constructor);
            /* A thread's sizes follow its count until there is no room, and then it appends no more. */
            ret = is_packet_of_threads(soh, appended);
            ok(ret, "The SoH is another.\n");
            for (j = total = 0; j < THREAD_COUNT; ++j)
            {
                ok(!data[j].other, "Thread %u: %u calls failed.\n", j, data[j].other);
                ok(data[j].succeeded + data[j].failed == calls[i], "Thread %u: got %u + %u calls.\n",
                        j, data[j].succeeded, data[j].failed);
                ok(appended[j] == data[j].succeeded, "Thread %u: got %u attributes, expected %u.\n",
                        j, appended[j], data[j].succeeded);
                total += data[j].succeeded;
            }
            j = min(calls[i] * THREAD_COUNT, maxSoHAttributeCount - 1);
            ok(total == j || broken(total > j), "Got %u attributes, expected %u.\n", total, j);
            pFreeSoH(soh);
            release_object(constructor);
            winetest_pop_context();
        }
    }
}

START_TEST(constructor)
{
    HRESULT hr;

    if (!load_qutil())
        return;

    hr = CoInitializeEx(NULL, COINIT_MULTITHREADED);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);

    test_create();
    test_Initialize();
    test_uninitialized();
    test_AppendAttribute();
    test_AppendAttribute_id();
    test_attribute_count();
    test_total_size();
    test_GetSoH();
    test_GetSoH_blocks();
    test_null();
    test_Validate();
    test_Validate_count();
    test_entries();
    test_out_of_memory();
    test_threads();

    CoUninitialize();
    FreeLibrary(qutil);
}
