/*
 * Tests for the NapSoHProcessor class
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

static HRESULT create_by_class_object(INapSoHProcessor **processor)
{
    return create_instance(&CLSID_NapSoHProcessor, &IID_INapSoHProcessor, (void **)processor);
}

static HRESULT create_by_com(INapSoHProcessor **processor)
{
    return CoCreateInstance(&CLSID_NapSoHProcessor, NULL, CLSCTX_INPROC_SERVER,
            &IID_INapSoHProcessor, (void **)processor);
}

/* As the SDK sample's agent reads its response. */
static void test_create(void)
{
    static const struct
    {
        const char *name;
        HRESULT (*create)(INapSoHProcessor **processor);
    }
    tests[] =
    {
        {"DllGetClassObject", create_by_class_object},
        {"CoCreateInstance", create_by_com},
    };
    static BYTE id_wire[] = {0x00, 0x01, 0x37, 0xf0}, code_wire[] = {0x80, 0x27, 0x00, 0x50};
    static SoHAttribute attributes[] =
    {
        {sohAttributeTypeSystemHealthId, sizeof(id_wire), id_wire},
        {sohAttributeTypeComplianceResultCodes, sizeof(code_wire), code_wire},
    };
    static const SoH soh = {ARRAY_SIZE(attributes), attributes};
    INapSoHProcessor *processor;
    SystemHealthEntityId id;
    SoHAttributeValue *value;
    SoHAttributeType type;
    UINT16 index;
    unsigned int i;
    HRESULT hr;

    for (i = 0; i < ARRAY_SIZE(tests); ++i)
    {
        winetest_push_context("%s", tests[i].name);
        processor = NULL;
        hr = tests[i].create(&processor);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        if (hr != S_OK)
        {
            winetest_pop_context();
            continue;
        }
        id = 0xdeadbeef;
        hr = INapSoHProcessor_Initialize(processor, &soh, FALSE, &id);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        ok(id == EXAMPLE_ID, "Got id %#x.\n", id);
        index = 0xdead;
        hr = INapSoHProcessor_FindNextAttribute(processor, 0, sohAttributeTypeComplianceResultCodes, &index);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        ok(index == 1 || broken(!index), "Got index %u.\n", index);
        type = 0xdeadbeef;
        value = NULL;
        hr = INapSoHProcessor_GetAttribute(processor, index, &type, &value);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        ok(type == sohAttributeTypeComplianceResultCodes, "Got type %u.\n", type);
        ok(value->codesVal.count == 1, "Got %u codes.\n", value->codesVal.count);
        ok(value->codesVal.results[0] == 0x80270050, "Got code %#lx.\n", value->codesVal.results[0]);
        pFreeSoHAttributeValue(type, value);
        release_object(processor);
        winetest_pop_context();
    }
}

#define check_uninitialized(processor) check_uninitialized_(__LINE__, processor)
static void check_uninitialized_(int line, INapSoHProcessor *processor)
{
    SoHAttributeValue *value;
    UINT16 count, index;
    SoHAttributeType type;
    HRESULT hr;

    hr = INapSoHProcessor_GetNumberOfAttributes(processor, &count);
    check_unknown_hr_(line, hr, NAP_E_NOT_INITIALIZED);
    hr = INapSoHProcessor_FindNextAttribute(processor, 0, sohAttributeTypeSystemHealthId, &index);
    check_failure_(line, hr, NAP_E_NOT_INITIALIZED);
    value = (void *)0xdeadbeef;
    hr = INapSoHProcessor_GetAttribute(processor, 0, &type, &value);
    check_failure_(line, hr, NAP_E_NOT_INITIALIZED);
    check_null_out_(line, value);
}

static void test_uninitialized(void)
{
    SoH *soh = build_soh("2:4 4:4");
    INapSoHProcessor *processor;
    SystemHealthEntityId id;
    UINT16 count;
    HRESULT hr;

    spy_start();
    processor = create_processor();
    check_uninitialized(processor);
    check_uninitialized(processor);

    /* It is not too late. */
    hr = INapSoHProcessor_Initialize(processor, soh, FALSE, &id);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = INapSoHProcessor_GetNumberOfAttributes(processor, &count);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    release_object(processor);

    processor = create_processor();
    release_object(processor);
    ok_balanced();
    spy_stop();
    destroy_soh(soh);
}

/* The rules are those of the constructor's Validate(). */
static void test_Initialize(void)
{
    static const BOOL is_request[] = {TRUE, FALSE, 2, -1};
    const struct packet_test *test;
    INapSoHProcessor *processor;
    SystemHealthEntityId id;
    enum verdict verdict;
    SoH *soh, *good_soh;
    unsigned int i, j;
    UINT16 count;
    HRESULT hr;

    good_soh = build_soh("2:4 4:4 6:3");
    for (i = 0; i < ARRAY_SIZE(packet_tests); ++i)
    {
        test = &packet_tests[i];
        if (test->wine_only && !is_wine())
            continue;

        soh = build_soh(test->packet);
        for (j = 0; j < ARRAY_SIZE(is_request); ++j)
        {
            winetest_push_context("packet \"%.60s\", request %d", test->packet, is_request[j]);
            spy_start();
            processor = create_processor();
            verdict = is_request[j] ? test->request : test->response;

            id = 0xdeadbeef;
            hr = INapSoHProcessor_Initialize(processor, soh, is_request[j], &id);
            check_verdict(hr, verdict);
            if (hr == S_OK)
            {
                if (verdict == VALID || verdict == VALID_HERE)
                {
                    ok(id == EXAMPLE_ID, "Got id %#x.\n", id);
                    hr = INapSoHProcessor_GetNumberOfAttributes(processor, &count);
                    ok(hr == S_OK, "Got hr %#lx.\n", hr);
                    ok(count == soh->count || broken(count != soh->count), "Got %u attributes, expected %u.\n",
                            count, soh->count);
                }
            }
            else
            {
                /* Nothing is left of it, and the next one may be better. */
                if (is_wine())
                    check_uninitialized(processor);
                hr = INapSoHProcessor_Initialize(processor, soh, is_request[j], &id);
                check_failure(hr, NAP_E_INVALID_PACKET);
                id = 0xdeadbeef;
                hr = INapSoHProcessor_Initialize(processor, good_soh, is_request[j], &id);
                check_unknown_hr(hr, S_OK);
                if (hr == S_OK)
                {
                    ok(id == EXAMPLE_ID, "Got id %#x.\n", id);
                    hr = INapSoHProcessor_GetNumberOfAttributes(processor, &count);
                    ok(hr == S_OK, "Got hr %#lx.\n", hr);
                    ok(count == 3 || broken(count != 3), "Got %u attributes.\n", count);
                }
            }
            release_object(processor);
            ok_balanced();
            spy_stop();
            winetest_pop_context();
        }
        destroy_soh(soh);
    }
    destroy_soh(good_soh);
}

/* Counts that don't fit the array. */
static void test_Initialize_count(void)
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
    INapSoHProcessor *processor;
    SystemHealthEntityId id;
    unsigned int i, j;
    SoH *source, soh;
    HRESULT hr;

    if (left_to_unknown("Wrong counts"))
        return;

    source = build_soh("2:4 4:4");
    spy_start();
    processor = create_processor();
    for (i = 0; i < ARRAY_SIZE(tests); ++i)
    {
        for (j = 0; j < 2; ++j)
        {
            winetest_push_context("test %u, request %u", i, j);
            soh.count = tests[i].count;
            soh.attributes = tests[i].attributes ? source->attributes : NULL;
            hr = INapSoHProcessor_Initialize(processor, &soh, j, &id);
            ok(hr == NAP_E_INVALID_PACKET, "Got hr %#lx.\n", hr);
            winetest_pop_context();
        }
    }
    release_object(processor);
    ok_balanced();
    spy_stop();
    destroy_soh(source);
}

static void test_Initialize_id(void)
{
    static const struct
    {
        SystemHealthEntityId id;
        BYTE wire[4];
    }
    tests[] =
    {
        {0x00013780, {0x00, 0x01, 0x37, 0x80}},
        {0x000137f0, {0x00, 0x01, 0x37, 0xf0}},
        {0xfedcba98, {0xfe, 0xdc, 0xba, 0x98}},
        {0x00000000, {0x00, 0x00, 0x00, 0x00}},
        {0xffffffff, {0xff, 0xff, 0xff, 0xff}},
    };
    INapSoHProcessor *processor;
    BYTE category[] = {0}, wire[4];
    SoHAttribute attributes[] =
    {
        {sohAttributeTypeSystemHealthId, sizeof(wire), wire},
        {sohAttributeTypeFailureCategory, sizeof(category), category},
    };
    SoH soh = {ARRAY_SIZE(attributes), attributes};
    SystemHealthEntityId id;
    unsigned int i, j;
    HRESULT hr;

    for (i = 0; i < ARRAY_SIZE(tests); ++i)
    {
        for (j = 0; j < 2; ++j)
        {
            winetest_push_context("id %#x, request %u", tests[i].id, j);
            memcpy(wire, tests[i].wire, sizeof(wire));
            processor = create_processor();
            id = 0xdeadbeef;
            hr = INapSoHProcessor_Initialize(processor, &soh, j, &id);
            ok(hr == S_OK, "Got hr %#lx.\n", hr);
            ok(id == tests[i].id, "Got id %#x.\n", id);
            release_object(processor);
            winetest_pop_context();
        }
    }
}

static void test_Initialize_twice(void)
{
    SoH *first = build_soh("2:4 4:4 6:3"), *second = build_soh("2:4 14:1"), *bad = build_soh("4:4");
    INapSoHProcessor *processor;
    SystemHealthEntityId id;
    UINT16 count;
    HRESULT hr;

    spy_start();
    processor = create_reader(first, FALSE);
    hr = INapSoHProcessor_Initialize(processor, second, FALSE, &id);
    check_unknown_hr(hr, HRESULT_FROM_WIN32(ERROR_ALREADY_INITIALIZED));
    if (FAILED(hr))
    {
        /* The first packet stays. */
        hr = INapSoHProcessor_GetNumberOfAttributes(processor, &count);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        ok(count == 3 || broken(count != 3), "Got %u attributes.\n", count);
    }
    hr = INapSoHProcessor_Initialize(processor, first, TRUE, &id);
    check_unknown_hr(hr, HRESULT_FROM_WIN32(ERROR_ALREADY_INITIALIZED));
    hr = INapSoHProcessor_Initialize(processor, bad, FALSE, &id);
    ok(FAILED(hr), "Got hr %#lx.\n", hr);
    hr = INapSoHProcessor_GetNumberOfAttributes(processor, &count);
    ok((hr == S_OK && count == 3) || broken(hr != S_OK || count != 3), "Got hr %#lx, %u attributes.\n", hr, count);
    release_object(processor);
    ok_balanced();
    spy_stop();
    destroy_soh(first);
    destroy_soh(second);
    destroy_soh(bad);
}

#define check_packet(processor, source) check_packet_(__LINE__, processor, source)
static void check_packet_(int line, INapSoHProcessor *processor, const SoH *source)
{
    SoHAttributeValue *value;
    SoHAttributeType type;
    unsigned int i;
    HRESULT hr;

    for (i = 0; i < source->count; ++i)
    {
        type = 0xdeadbeef;
        value = NULL;
        hr = INapSoHProcessor_GetAttribute(processor, i, &type, &value);
        ok_(__FILE__, line)(hr == S_OK, "Attribute %u: got hr %#lx.\n", i, hr);
        if (hr != S_OK)
            continue;
        ok_(__FILE__, line)(type == source->attributes[i].type, "Attribute %u: got type %u, expected %u.\n",
                i, type, source->attributes[i].type);
        if (type == source->attributes[i].type)
            ok_(__FILE__, line)(value_matches(value, &source->attributes[i]),
                    "Attribute %u: the value is another.\n", i);
        pFreeSoHAttributeValue(type, value);
    }
}

/* The caller may do with its SoH what it likes once it was read. */
static void test_Initialize_copy(void)
{
    SoH *source = build_soh(all_types), *copy;
    INapSoHConstructor *constructor;
    INapSoHProcessor *processor;
    UINT16 count;
    unsigned int i, j;
    HRESULT hr;

    if (left_to_unknown("A SoH that changes after Initialize()"))
    {
        destroy_soh(source);
        return;
    }

    for (i = 0; i < 2; ++i)
    {
        winetest_push_context("test %u", i);
        spy_start();
        constructor = create_packet(EXAMPLE_ID, TRUE);
        for (j = 1; j < source->count; ++j)
            append_attribute(constructor, &source->attributes[j]);
        copy = get_soh(constructor);
        release_object(constructor);

        processor = create_reader(copy, TRUE);
        if (i)
        {
            for (j = 0; j < copy->count; ++j)
            {
                if (copy->attributes[j].size)
                    memset(copy->attributes[j].value, 0xcc, copy->attributes[j].size);
                copy->attributes[j].type = 0xcccc;
                copy->attributes[j].size = 0;
            }
            copy->count = 0;
            check_packet(processor, source);
            copy->count = j;
        }
        pFreeSoH(copy);
        check_packet(processor, source);
        hr = INapSoHProcessor_GetNumberOfAttributes(processor, &count);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        ok(count == source->count, "Got %u attributes.\n", count);
        release_object(processor);
        ok_balanced();
        spy_stop();
        winetest_pop_context();
    }
    destroy_soh(source);
}

static void test_FindNextAttribute(void)
{
    static const char *packets[] =
    {
        "2:4",
        "2:4 4:4",
        "2:4 14:1 4:4 4:4 6:1 4:4",
        "2:4 8:1 4:4 8:1 4:8 14:1 8:1 4:8 8:1 4:4 8:1 4:8",
        "2:4 17:1 255:2 17:3 16383:1 17:0",
        "2:4 6:1*98 4:4",
        all_types,
    };
    static const unsigned int types[] =
    {
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 255, 4096, 0x3fff, 0x4000, 0x4002, 0xffff,
        0x10002, 0x10004, 0xffff0002, 0xffffffff,
    };
    unsigned int i, j, from, expected;
    INapSoHProcessor *processor;
    UINT16 index;
    HRESULT hr;
    SoH *soh;

    for (i = 0; i < ARRAY_SIZE(packets); ++i)
    {
        spy_start();
        soh = build_soh(packets[i]);
        processor = create_reader(soh, TRUE);
        for (j = 0; j < ARRAY_SIZE(types); ++j)
        {
            for (from = 0; from < soh->count; ++from)
            {
                winetest_push_context("packet %u, type %#x, from %u", i, types[j], from);
                for (expected = from; expected < soh->count; ++expected)
                {
                    if (soh->attributes[expected].type == types[j])
                        break;
                }
                index = 0xdead;
                hr = INapSoHProcessor_FindNextAttribute(processor, from, types[j], &index);
                if (expected < soh->count)
                {
                    ok(hr == S_OK, "Got hr %#lx.\n", hr);
                    ok(index == expected, "Got index %u, expected %u.\n", index, expected);
                }
                else
                {
                    ok(hr == HRESULT_FROM_WIN32(ERROR_FILE_NOT_FOUND)
                            || broken(types[j] > 0xffff && hr == S_OK), "Got hr %#lx.\n", hr);
                }
                winetest_pop_context();
            }
        }
        release_object(processor);
        destroy_soh(soh);
        ok_balanced();
        spy_stop();
    }
}

/* Walks from each attribute to the next of its type. */
static void test_FindNextAttribute_all(void)
{
    static const UINT16 expected[] = {2, 4, 7, 9, 11};
    INapSoHProcessor *processor;
    SoH *soh = build_soh("2:4 8:1 4:4 8:1 4:8 14:1 8:1 4:8 8:1 4:4 8:1 4:8");
    unsigned int count = 0;
    UINT16 from = 0, index;
    HRESULT hr;

    processor = create_reader(soh, FALSE);
    for (;;)
    {
        hr = INapSoHProcessor_FindNextAttribute(processor, from, sohAttributeTypeComplianceResultCodes, &index);
        if (hr != S_OK)
            break;
        ok(count < ARRAY_SIZE(expected), "Found too many.\n");
        if (count == ARRAY_SIZE(expected))
            break;
        ok(index == expected[count], "Got index %u, expected %u.\n", index, expected[count]);
        ++count;
        from = index + 1;
    }
    /* The last one is the packet's last too. */
    check_failure(hr, E_INVALIDARG);
    ok(count == ARRAY_SIZE(expected), "Found %u.\n", count);
    release_object(processor);
    destroy_soh(soh);
}

static void test_index(void)
{
    static const char *packets[] = {"2:4", "2:4 4:4", "2:4 4:4*99"};
    SoHAttributeValue *value;
    INapSoHProcessor *processor;
    SoHAttributeType type;
    unsigned int i, j;
    UINT16 index;
    HRESULT hr;
    SoH *soh;

    for (i = 0; i < ARRAY_SIZE(packets); ++i)
    {
        UINT16 indices[8];

        winetest_push_context("packet %u", i);
        spy_start();
        soh = build_soh(packets[i]);
        processor = create_reader(soh, TRUE);

        indices[0] = soh->count;
        indices[1] = soh->count + 1;
        indices[2] = 100;
        indices[3] = 101;
        indices[4] = 256;
        indices[5] = 32767;
        indices[6] = 32768;
        indices[7] = 65535;
        for (j = 0; j < ARRAY_SIZE(indices); ++j)
        {
            winetest_push_context("index %u", indices[j]);
            hr = INapSoHProcessor_FindNextAttribute(processor, indices[j], sohAttributeTypeSystemHealthId, &index);
            check_failure(hr, E_INVALIDARG);
            hr = INapSoHProcessor_FindNextAttribute(processor, indices[j], 17, &index);
            check_failure(hr, E_INVALIDARG);

            value = (void *)0xdeadbeef;
            hr = INapSoHProcessor_GetAttribute(processor, indices[j], &type, &value);
            check_failure(hr, E_INVALIDARG);
            check_null_out(value);
            winetest_pop_context();
        }

        /* The packet can still be read. */
        check_packet(processor, soh);
        release_object(processor);
        destroy_soh(soh);
        ok_balanced();
        spy_stop();
        winetest_pop_context();
    }
}

static void test_GetAttribute(void)
{
    SoH *source = build_soh(all_types);
    SoHAttributeValue *values[64];
    SoHAttributeType types[64];
    INapSoHProcessor *processor;
    unsigned int i, j, blocks;
    HRESULT hr;

    spy_start();
    processor = create_reader(source, TRUE);
    check_packet(processor, source);
    for (i = 0; i < source->count; ++i)
    {
        winetest_push_context("attribute %u", i);
        blocks = spy_blocks();
        hr = INapSoHProcessor_GetAttribute(processor, i, &types[i], &values[i]);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        check_value_blocks(types[i], values[i]);
        j = spy_blocks() - blocks;
        ok(j == (get_element_size(types[i]) ? 2 : 1)
                || (j == 1 && source->attributes[i].size <= 4), "Got %u blocks.\n", j);
        winetest_pop_context();
    }
    release_object(processor);

    /* All of them at once, and no processor any more; every other one is freed block by block. */
    for (i = 0; i < source->count; ++i)
    {
        winetest_push_context("attribute %u", i);
        ok(value_matches(values[i], &source->attributes[i]), "The value is another.\n");
        if (i & 1)
            pFreeSoHAttributeValue(types[i], values[i]);
        else
            free_value_blocks(types[i], values[i]);
        winetest_pop_context();
    }
    ok_balanced();
    spy_stop();
    destroy_soh(source);
}

/* What is done to a value isn't done to the packet. */
static void test_GetAttribute_copy(void)
{
    SoH *source = build_soh(all_types);
    INapSoHProcessor *processor;
    SoHAttributeValue *value;
    SoHAttributeType type;
    unsigned int i;
    UINT16 count;
    void *array;
    HRESULT hr;

    spy_start();
    processor = create_reader(source, TRUE);
    for (i = 0; i < source->count; ++i)
    {
        hr = INapSoHProcessor_GetAttribute(processor, i, &type, &value);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        get_array(type, value, &array, &count);
        if (count)
            memset(array, 0xcc, count * get_element_size(type));
        else if (!array)
            memset(value, 0xcc, get_element_size(type) ? 0 : sizeof(*value));
        pFreeSoHAttributeValue(type, value);
    }
    check_packet(processor, source);
    release_object(processor);
    ok_balanced();
    spy_stop();
    destroy_soh(source);
}

static void test_GetNumberOfAttributes(void)
{
    static const struct
    {
        const char *packet;
        UINT16 count;
    }
    tests[] =
    {
        {"2:4 4:4", 2},
        {"2:4 14:1 13:4", 3},
        {"2:4 4:4*98", 99},
        {"2:4 4:4*99", 100},
    };
    INapSoHProcessor *processor;
    unsigned int i, j;
    UINT16 count;
    HRESULT hr;
    SoH *soh;

    for (i = 0; i < ARRAY_SIZE(tests); ++i)
    {
        for (j = 0; j < 2; ++j)
        {
            winetest_push_context("packet \"%s\", request %u", tests[i].packet, j);
            soh = build_soh(tests[i].packet);
            processor = create_reader(soh, j);
            count = 0xdead;
            hr = INapSoHProcessor_GetNumberOfAttributes(processor, &count);
            ok(hr == S_OK, "Got hr %#lx.\n", hr);
            ok(count == tests[i].count || broken(count == tests[i].count - 1), "Got %u attributes.\n", count);
            release_object(processor);
            destroy_soh(soh);
            winetest_pop_context();
        }
    }
}

static void test_null(void)
{
    SoH *soh = build_soh("2:4 4:4");
    INapSoHProcessor *processor;
    SoHAttributeValue *value;
    SystemHealthEntityId id;
    SoHAttributeType type;
    HRESULT hr;

    if (left_to_unknown("NULL pointers"))
    {
        destroy_soh(soh);
        return;
    }

    spy_start();
    processor = create_processor();
    hr = INapSoHProcessor_Initialize(processor, NULL, TRUE, &id);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    hr = INapSoHProcessor_Initialize(processor, soh, TRUE, NULL);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    hr = INapSoHProcessor_Initialize(processor, NULL, TRUE, NULL);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    check_uninitialized(processor);

    hr = INapSoHProcessor_Initialize(processor, soh, TRUE, &id);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = INapSoHProcessor_FindNextAttribute(processor, 0, sohAttributeTypeSystemHealthId, NULL);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    value = (void *)0xdeadbeef;
    hr = INapSoHProcessor_GetAttribute(processor, 1, NULL, &value);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    ok(!value, "Got %p.\n", value);
    hr = INapSoHProcessor_GetAttribute(processor, 1, &type, NULL);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    hr = INapSoHProcessor_GetAttribute(processor, 1, NULL, NULL);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    hr = INapSoHProcessor_GetNumberOfAttributes(processor, NULL);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    check_packet(processor, soh);
    release_object(processor);
    ok_balanced();
    spy_stop();
    destroy_soh(soh);
}

/* Each allocation in turn fails. */
static void test_out_of_memory(void)
{
    SoH *source = build_soh(all_types);
    INapSoHProcessor *processor;
    SoHAttributeValue *value;
    SystemHealthEntityId id;
    unsigned int i, blocks;
    SoHAttributeType type;
    UINT16 index;
    HRESULT hr;
    int n;

    spy_start();

    for (n = 0; n < 16; ++n)
    {
        winetest_push_context("creation, allocation %d", n);
        spy_fail_at(n);
        hr = create_by_class_object(&processor);
        spy_fail_at(-1);
        winetest_pop_context();
        if (hr == S_OK)
            break;
        ok(hr == E_OUTOFMEMORY, "Got hr %#lx.\n", hr);
        ok(!processor, "Got %p.\n", processor);
        ok_balanced();
    }
    ok(n < 16, "No processor.\n");

    blocks = spy_blocks();
    for (n = 0; n < 128; ++n)
    {
        winetest_push_context("Initialize, allocation %d", n);
        spy_fail_at(n);
        hr = INapSoHProcessor_Initialize(processor, source, TRUE, &id);
        spy_fail_at(-1);
        if (hr == S_OK)
        {
            winetest_pop_context();
            break;
        }
        ok(hr == E_OUTOFMEMORY, "Got hr %#lx.\n", hr);
        ok(spy_blocks() == blocks, "Got %u blocks, expected %u.\n", spy_blocks(), blocks);
        if (is_wine())
            check_uninitialized(processor);
        winetest_pop_context();
    }
    ok(n < 128, "Not initialized.\n");
    ok(id == EXAMPLE_ID, "Got id %#x.\n", id);
    check_packet(processor, source);

    blocks = spy_blocks();
    for (i = 0; i < source->count; ++i)
    {
        for (n = 0; n < 16; ++n)
        {
            winetest_push_context("GetAttribute, attribute %u, allocation %d", i, n);
            value = (void *)0xdeadbeef;
            spy_fail_at(n);
            hr = INapSoHProcessor_GetAttribute(processor, i, &type, &value);
            spy_fail_at(-1);
            if (hr == S_OK)
            {
                /* The value, and its array. */
                ok(n >= 1, "Succeeded after %d failing allocations.\n", n);
                ok(n >= 2 || !get_element_size(type) || source->attributes[i].size <= 4,
                        "Succeeded after %d failing allocations.\n", n);
                ok(value_matches(value, &source->attributes[i]), "The value is another.\n");
                pFreeSoHAttributeValue(type, value);
                winetest_pop_context();
                break;
            }
            ok(hr == E_OUTOFMEMORY, "Got hr %#lx.\n", hr);
            check_null_out(value);
            ok(spy_blocks() == blocks, "Got %u blocks, expected %u.\n", spy_blocks(), blocks);
            winetest_pop_context();
        }
        ok(n < 16, "No attribute %u.\n", i);
    }

    /* These need no memory. */
    spy_fail_at(0);
    hr = INapSoHProcessor_FindNextAttribute(processor, 0, sohAttributeTypeSystemHealthId, &index);
    ok(hr == S_OK || broken(hr == E_OUTOFMEMORY), "Got hr %#lx.\n", hr);
    spy_fail_at(0);
    hr = INapSoHProcessor_GetNumberOfAttributes(processor, &index);
    ok(hr == S_OK || broken(hr == E_OUTOFMEMORY), "Got hr %#lx.\n", hr);
    spy_fail_at(-1);

    check_packet(processor, source);
    release_object(processor);
    ok_balanced();
    spy_stop();
    destroy_soh(source);
}

/* For threads, which only count. */
static unsigned int count_wrong_results(INapSoHProcessor *processor, const SoH *soh)
{
    unsigned int i, wrong = 0;
    SoHAttributeValue *value;
    SoHAttributeType type;
    UINT16 count, index;

    if (INapSoHProcessor_GetNumberOfAttributes(processor, &count) != S_OK || count != soh->count)
        ++wrong;
    for (i = 0; i < soh->count; ++i)
    {
        if (INapSoHProcessor_FindNextAttribute(processor, i, soh->attributes[i].type, &index) != S_OK || index != i)
            ++wrong;
        if (INapSoHProcessor_GetAttribute(processor, i, &type, &value) != S_OK)
        {
            ++wrong;
            continue;
        }
        if (type != soh->attributes[i].type || !value_matches(value, &soh->attributes[i]))
            ++wrong;
        pFreeSoHAttributeValue(type, value);
    }
    return wrong;
}

struct read_data
{
    INapSoHProcessor *processor;
    const SoH *soh;
    unsigned int wrong;
};

static DWORD WINAPI read_thread(void *arg)
{
    struct read_data *data = arg;
    unsigned int i;

    for (i = 0; i < 100; ++i)
        data->wrong += count_wrong_results(data->processor, data->soh);
    return 0;
}

static void test_threads(void)
{
    struct read_data data[THREAD_COUNT];
    SoH *soh = build_soh(all_types);
    INapSoHProcessor *processor;
    unsigned int i;

    processor = create_reader(soh, TRUE);
    for (i = 0; i < ARRAY_SIZE(data); ++i)
    {
        data[i].processor = processor;
        data[i].soh = soh;
        data[i].wrong = 0;
    }
    run_threads(read_thread, data, sizeof(*data), ARRAY_SIZE(data));
    for (i = 0; i < ARRAY_SIZE(data); ++i)
        ok(!data[i].wrong, "Thread %u: %u results were wrong.\n", i, data[i].wrong);
    release_object(processor);
    destroy_soh(soh);
}

struct initialize_data
{
    INapSoHProcessor *processor;
    const SoH *soh;
    HRESULT hr;
};

static DWORD WINAPI initialize_thread(void *arg)
{
    struct initialize_data *data = arg;
    SystemHealthEntityId id;

    data->hr = INapSoHProcessor_Initialize(data->processor, data->soh, TRUE, &id);
    return 0;
}

/* One of them wins, and its packet is whole. */
static void test_Initialize_threads(void)
{
    struct initialize_data data[THREAD_COUNT];
    unsigned int i, round, succeeded, winner, wrong;
    INapSoHProcessor *processor;
    SoH *sohs[THREAD_COUNT];
    char packet[32];

    if (!is_wine())
    {
        skip("What a race between two Initialize() does to Windows isn't published.\n");
        return;
    }

    for (i = 0; i < ARRAY_SIZE(sohs); ++i)
    {
        sprintf(packet, "2:4 6:%u*%u", i + 1, 3 * i + 1);
        sohs[i] = build_soh(packet);
    }
    for (round = 0; round < 20; ++round)
    {
        winetest_push_context("round %u", round);
        processor = create_processor();
        for (i = 0; i < ARRAY_SIZE(data); ++i)
        {
            data[i].processor = processor;
            data[i].soh = sohs[i];
            data[i].hr = 0xdeadbeef;
        }
        run_threads(initialize_thread, data, sizeof(*data), ARRAY_SIZE(data));
        for (i = succeeded = winner = 0; i < ARRAY_SIZE(data); ++i)
        {
            ok(data[i].hr == S_OK || data[i].hr == HRESULT_FROM_WIN32(ERROR_ALREADY_INITIALIZED),
                    "Got hr %#lx.\n", data[i].hr);
            if (data[i].hr == S_OK)
            {
                ++succeeded;
                winner = i;
            }
        }
        ok(succeeded == 1, "%u calls succeeded.\n", succeeded);
        wrong = count_wrong_results(processor, sohs[winner]);
        ok(!wrong, "%u results were wrong.\n", wrong);
        release_object(processor);
        winetest_pop_context();
    }
    for (i = 0; i < ARRAY_SIZE(sohs); ++i)
        destroy_soh(sohs[i]);
}

START_TEST(processor)
{
    HRESULT hr;

    if (!load_qutil())
        return;

    hr = CoInitializeEx(NULL, COINIT_MULTITHREADED);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);

    test_create();
    test_uninitialized();
    test_Initialize();
    test_Initialize_count();
    test_Initialize_id();
    test_Initialize_twice();
    test_Initialize_copy();
    test_FindNextAttribute();
    test_FindNextAttribute_all();
    test_index();
    test_GetAttribute();
    test_GetAttribute_copy();
    test_GetNumberOfAttributes();
    test_null();
    test_out_of_memory();
    test_threads();
    test_Initialize_threads();

    CoUninitialize();
    FreeLibrary(qutil);
}
