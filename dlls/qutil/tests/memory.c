/*
 * Tests for the Alloc and Free functions of qutil.dll
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

#include <stddef.h>

#include "qutil_test.h"

/* Windows may free what an out parameter holds, so only Wine is given a bad pointer. */
static void *stale_pointer(void)
{
    return is_wine() ? (void *)0xdeadbeef : NULL;
}

static void *alloc_block(SIZE_T size)
{
    void *block = CoTaskMemAlloc(size);

    ok(!!block, "Failed to allocate %lu bytes.\n", (unsigned long)size);
    memset(block, 0xcc, size);
    return block;
}

#define check_block_count(count) check_block_count_(__LINE__, count)
static void check_block_count_(int line, int count)
{
    ok_(__FILE__, line)(spy_blocks() == count, "Got %d blocks, expected %d.\n", (int)spy_blocks(), count);
}

static void test_layout(void)
{
#define SIZE(type, size32, size64) {#type, sizeof(type), sizeof(void *) == 8 ? size64 : size32}
#define OFFSET(type, member, offset32, offset64) \
        {#type "." #member, offsetof(type, member), sizeof(void *) == 8 ? offset64 : offset32}
    static const struct
    {
        const char *name;
        unsigned int value, expected;
    }
    tests[] =
    {
        SIZE(CountedString, 8, 16),
        OFFSET(CountedString, length, 0, 0),
        OFFSET(CountedString, string, 4, 8),
        SIZE(FixupInfo, 20, 32),
        OFFSET(FixupInfo, percentage, 4, 4),
        OFFSET(FixupInfo, resultCodes.count, 8, 8),
        OFFSET(FixupInfo, resultCodes.results, 12, 16),
        OFFSET(FixupInfo, fixupMsgId, 16, 24),
        SIZE(Connections, 8, 16),
        OFFSET(Connections, count, 0, 0),
        OFFSET(Connections, connections, 4, 8),
        SIZE(IsolationInfo, 20, 32),
        OFFSET(IsolationInfo, probEndTime, 4, 4),
        OFFSET(IsolationInfo, failureUrl, 12, 16),
        SIZE(IsolationInfoEx, 24, 32),
        OFFSET(IsolationInfoEx, extendedIsolationState, 4, 4),
        OFFSET(IsolationInfoEx, probEndTime, 8, 8),
        OFFSET(IsolationInfoEx, failureUrl, 16, 16),
        SIZE(NetworkSoH, 8, 16),
        OFFSET(NetworkSoH, data, 4, 8),
        SIZE(PrivateData, 8, 16),
        OFFSET(PrivateData, data, 4, 8),
        SIZE(SoH, 8, 16),
        OFFSET(SoH, attributes, 4, 8),
        SIZE(SoHAttribute, 8, 16),
        OFFSET(SoHAttribute, size, 2, 2),
        OFFSET(SoHAttribute, value, 4, 8),
        SIZE(SoHAttributeType, 4, 4),
        SIZE(SoHAttributeValue, 12, 16),
        OFFSET(SoHAttributeValue, v4AddressesVal.addresses, 4, 8),
        OFFSET(SoHAttributeValue, v6AddressesVal.addresses, 4, 8),
        OFFSET(SoHAttributeValue, codesVal.results, 4, 8),
        OFFSET(SoHAttributeValue, vendorSpecificVal.size, 4, 4),
        OFFSET(SoHAttributeValue, vendorSpecificVal.vendorSpecificData, 8, 8),
        OFFSET(SoHAttributeValue, octetStringVal.data, 4, 8),
        SIZE(SystemHealthAgentState, 36, 64),
        OFFSET(SystemHealthAgentState, shaResultCodes.results, 8, 16),
        OFFSET(SystemHealthAgentState, failureCategory, 12, 24),
        OFFSET(SystemHealthAgentState, fixupInfo, 16, 32),
        SIZE(NapComponentRegistrationInfo, 80, 120),
        OFFSET(NapComponentRegistrationInfo, friendlyName, 4, 8),
        OFFSET(NapComponentRegistrationInfo, description, 12, 24),
        OFFSET(NapComponentRegistrationInfo, version, 20, 40),
        OFFSET(NapComponentRegistrationInfo, vendorName, 28, 56),
        OFFSET(NapComponentRegistrationInfo, infoClsid, 36, 72),
        OFFSET(NapComponentRegistrationInfo, configClsid, 52, 88),
        OFFSET(NapComponentRegistrationInfo, registrationDate, 68, 104),
        OFFSET(NapComponentRegistrationInfo, componentType, 76, 112),
    };
#undef SIZE
#undef OFFSET
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(tests); ++i)
        ok(tests[i].value == tests[i].expected, "%s: got %u, expected %u.\n",
                tests[i].name, tests[i].value, tests[i].expected);
}

static HRESULT alloc_counted_string(void **out)
{
    return pAllocCountedString((CountedString **)out, L"abc");
}

static HRESULT alloc_empty_counted_string(void **out)
{
    return pAllocCountedString((CountedString **)out, L"");
}

static void free_counted_string(void *block)
{
    pFreeCountedString(block);
}

static HRESULT alloc_fixup_info(void **out)
{
    return pAllocFixupInfo((FixupInfo **)out, 2);
}

static HRESULT alloc_empty_fixup_info(void **out)
{
    return pAllocFixupInfo((FixupInfo **)out, 0);
}

static void free_fixup_info(void *block)
{
    pFreeFixupInfo(block);
}

static HRESULT alloc_connections(void **out)
{
    return pAllocConnections((Connections **)out, 2);
}

static HRESULT alloc_empty_connections(void **out)
{
    return pAllocConnections((Connections **)out, 0);
}

static void free_connections(void *block)
{
    Connections *connections = block;

    connections->count = 0;
    pFreeConnections(connections);
}

static const struct
{
    const char *name;
    HRESULT (*alloc)(void **out);
    void (*free)(void *block);
    int block_count;
}
alloc_functions[] =
{
    {"AllocCountedString", alloc_counted_string, free_counted_string, 2},
    {"AllocCountedString, empty", alloc_empty_counted_string, free_counted_string, 2},
    {"AllocFixupInfo", alloc_fixup_info, free_fixup_info, 2},
    {"AllocFixupInfo, empty", alloc_empty_fixup_info, free_fixup_info, 1},
    {"AllocConnections", alloc_connections, free_connections, 2},
    {"AllocConnections, empty", alloc_empty_connections, free_connections, 1},
};

/* Each allocation in turn fails. */
static void test_out_of_memory(void)
{
    unsigned int i;
    HRESULT hr;
    void *out;
    int n;

    for (i = 0; i < ARRAY_SIZE(alloc_functions); ++i)
    {
        winetest_push_context("%s", alloc_functions[i].name);
        spy_start();

        for (n = 0; n < 16; ++n)
        {
            winetest_push_context("allocation %d", n);
            out = stale_pointer();
            spy_fail_at(n);
            hr = alloc_functions[i].alloc(&out);
            spy_fail_at(-1);
            if (hr == S_OK)
            {
                winetest_pop_context();
                break;
            }
            ok(hr == E_OUTOFMEMORY, "Got hr %#lx.\n", hr);
            ok(!out, "Got %p.\n", out);
            ok_balanced();
            winetest_pop_context();
        }

        ok(n == alloc_functions[i].block_count || broken(n > alloc_functions[i].block_count),
                "Succeeded after %d failing allocations.\n", n);
        if (n < 16)
            alloc_functions[i].free(out);
        ok_balanced();
        spy_stop();
        winetest_pop_context();
    }
}

static void test_incoming_pointer(void)
{
    void *previous, *out;
    unsigned int i;
    HRESULT hr;

    for (i = 0; i < ARRAY_SIZE(alloc_functions); ++i)
    {
        winetest_push_context("%s", alloc_functions[i].name);
        spy_start();

        /* Zeroed, so that it can be freed as any of the structures. */
        previous = alloc_block(64);
        memset(previous, 0, 64);
        out = previous;
        hr = alloc_functions[i].alloc(&out);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        ok(spy_is_block(previous) || broken(!spy_is_block(previous)), "The incoming pointer was freed.\n");
        if (spy_is_block(previous))
        {
            ok(out != previous || broken(out == previous), "The incoming block was used again.\n");
            if (out != previous)
                CoTaskMemFree(previous);
        }
        if (hr == S_OK)
            alloc_functions[i].free(out);
        ok_balanced();
        spy_stop();
        winetest_pop_context();
    }
}

static void test_stale_pointer(void)
{
    unsigned int i;
    HRESULT hr;
    void *out;

    for (i = 0; i < ARRAY_SIZE(alloc_functions); ++i)
    {
        winetest_push_context("%s", alloc_functions[i].name);
        spy_start();
        out = stale_pointer();
        hr = alloc_functions[i].alloc(&out);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        check_block(out, 1);
        if (hr == S_OK)
            alloc_functions[i].free(out);
        ok_balanced();
        spy_stop();
        winetest_pop_context();
    }
}

static void test_separate_results(void)
{
    void *first, *second;
    unsigned int i;
    HRESULT hr;
    int count;

    for (i = 0; i < ARRAY_SIZE(alloc_functions); ++i)
    {
        winetest_push_context("%s", alloc_functions[i].name);
        spy_start();
        hr = alloc_functions[i].alloc(&first);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        count = spy_blocks();
        hr = alloc_functions[i].alloc(&second);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        ok(first != second, "Got the same block twice.\n");
        check_block_count(2 * count);
        alloc_functions[i].free(first);
        check_block_count(count);
        check_block(second, 1);
        alloc_functions[i].free(second);
        ok_balanced();
        spy_stop();
        winetest_pop_context();
    }
}

struct thread_data
{
    HRESULT hr;
    unsigned int index;
    void *block;
};

static DWORD WINAPI alloc_thread(void *arg)
{
    struct thread_data *data = arg;

    data->hr = alloc_functions[data->index].alloc(&data->block);
    return 0;
}

static DWORD WINAPI free_thread(void *arg)
{
    struct thread_data *data = arg;

    alloc_functions[data->index].free(data->block);
    return 0;
}

static void run_thread(LPTHREAD_START_ROUTINE proc, struct thread_data *data)
{
    HANDLE thread = CreateThread(NULL, 0, proc, data, 0, NULL);
    DWORD ret;

    ok(!!thread, "Failed to create a thread, error %lu.\n", GetLastError());
    ret = WaitForSingleObject(thread, 30000);
    ok(ret == WAIT_OBJECT_0, "Got %#lx.\n", ret);
    CloseHandle(thread);
}

static void test_threads(void)
{
    struct thread_data data;
    HRESULT hr;

    /* The threads never initialise COM, and neither did this one. */
    hr = CoInitializeEx(NULL, COINIT_MULTITHREADED);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    CoUninitialize();

    for (data.index = 0; data.index < ARRAY_SIZE(alloc_functions); ++data.index)
    {
        winetest_push_context("%s", alloc_functions[data.index].name);
        spy_start();
        data.hr = 0xdeadbeef;
        data.block = NULL;
        run_thread(alloc_thread, &data);
        ok(data.hr == S_OK, "Got hr %#lx.\n", data.hr);
        check_block(data.block, 1);
        if (data.hr == S_OK)
            run_thread(free_thread, &data);
        ok_balanced();
        spy_stop();
        winetest_pop_context();
    }
}

static void test_AllocCountedString(void)
{
    static const struct
    {
        const WCHAR *string;
        unsigned int length;
    }
    tests[] =
    {
        {L"", 0},
        {L"a", 1},
        {L"abc", 3},
        {L"a\0b", 1},
        {L"\x00e4\x4e2d", 2},
        {L"\xd83d\xde00", 2},
    };
    CountedString *string;
    unsigned int i;
    HRESULT hr;

    for (i = 0; i < ARRAY_SIZE(tests); ++i)
    {
        winetest_push_context("test %u", i);
        spy_start();
        string = stale_pointer();
        hr = pAllocCountedString(&string, tests[i].string);
        ok(hr == S_OK || broken(!tests[i].length && hr == E_INVALIDARG), "Got hr %#lx.\n", hr);
        if (hr == S_OK)
        {
            check_block_count(2);
            check_block(string, sizeof(*string));
            ok(string->length == tests[i].length, "Got length %u, expected %u.\n",
                    string->length, tests[i].length);
            ok(string->string != tests[i].string, "The string was not copied.\n");
            check_block(string->string, (tests[i].length + 1) * sizeof(WCHAR));
            ok(!memcmp(string->string, tests[i].string, (tests[i].length + 1) * sizeof(WCHAR)),
                    "Got %s, expected %s.\n", wine_dbgstr_wn(string->string, tests[i].length + 1),
                    wine_dbgstr_w(tests[i].string));
            pFreeCountedString(string);
        }
        ok_balanced();
        spy_stop();
        winetest_pop_context();
    }
}

static void test_AllocCountedString_length(void)
{
    static const struct
    {
        unsigned int length;
        BOOL valid;
    }
    tests[] =
    {
        {maxStringLength - 1, TRUE},
        {maxStringLength, TRUE},
        {maxStringLength + 1, FALSE},
        {32768, FALSE},
        {65534, FALSE},
        {65535, FALSE},
        {65536, FALSE},
        {65537, FALSE},
        {65536 + maxStringLength, FALSE},
        {2 * 65536, FALSE},
    };
    static WCHAR source[2 * 65536 + 1];
    CountedString *string;
    unsigned int i, j;
    HRESULT hr;

    for (i = 0; i < ARRAY_SIZE(tests); ++i)
    {
        winetest_push_context("length %u", tests[i].length);
        for (j = 0; j < tests[i].length; ++j)
            source[j] = 'a' + j % 26;
        source[j] = 0;

        spy_start();
        string = stale_pointer();
        hr = pAllocCountedString(&string, source);
        if (tests[i].valid)
        {
            ok(hr == S_OK, "Got hr %#lx.\n", hr);
        }
        else
        {
            ok(hr == E_INVALIDARG || broken(hr == S_OK), "Got hr %#lx.\n", hr);
            if (hr != S_OK)
                ok(!string, "Got %p.\n", string);
        }
        if (hr == S_OK)
        {
            if (tests[i].valid)
            {
                ok(string->length == tests[i].length, "Got length %u.\n", string->length);
                check_block(string->string, (tests[i].length + 1) * sizeof(WCHAR));
                ok(!memcmp(string->string, source, (tests[i].length + 1) * sizeof(WCHAR)),
                        "The string is another.\n");
            }
            pFreeCountedString(string);
        }
        ok_balanced();
        spy_stop();
        winetest_pop_context();
    }
}

static void test_AllocCountedString_ownership(void)
{
    CountedString *string, copy;
    WCHAR source[] = L"abc";
    HRESULT hr;

    spy_start();

    hr = pAllocCountedString(&string, source);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    memset(source, 'x', sizeof(source));

    /* The structure can go while the string stays. */
    copy = *string;
    CoTaskMemFree(string);
    check_block_count(1);
    check_block(copy.string, 4 * sizeof(WCHAR));
    ok(copy.length == 3, "Got length %u.\n", copy.length);
    ok(!lstrcmpW(copy.string, L"abc"), "Got %s.\n", wine_dbgstr_w(copy.string));
    CoTaskMemFree(copy.string);
    ok_balanced();

    /* The string can be another. */
    hr = pAllocCountedString(&string, L"abc");
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    CoTaskMemFree(string->string);
    string->string = alloc_block(32);
    pFreeCountedString(string);
    ok_balanced();

    spy_stop();
}

static void test_Alloc_null(void)
{
    CountedString *string;
    HRESULT hr;

    if (left_to_unknown("NULL arguments"))
        return;

    spy_start();
    string = (void *)0xdeadbeef;
    hr = pAllocCountedString(&string, NULL);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    ok(!string, "Got %p.\n", string);
    hr = pAllocCountedString(NULL, L"abc");
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    hr = pAllocCountedString(NULL, NULL);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    hr = pAllocFixupInfo(NULL, 1);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    hr = pAllocConnections(NULL, 1);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    ok_balanced();
    spy_stop();
}

static BOOL is_zero(const void *memory, SIZE_T size)
{
    const BYTE *byte = memory;

    while (size--)
        if (*byte++) return FALSE;
    return TRUE;
}

static void test_AllocFixupInfo(void)
{
    static const UINT16 counts[] = {0, 1, 2, 3, maxDwordCountPerSoHAttribute - 1, maxDwordCountPerSoHAttribute};
    FixupInfo *info;
    HRESULT *results;
    unsigned int i;
    HRESULT hr;

    for (i = 0; i < ARRAY_SIZE(counts); ++i)
    {
        winetest_push_context("count %u", counts[i]);
        spy_start();

        info = stale_pointer();
        hr = pAllocFixupInfo(&info, counts[i]);
        ok(hr == S_OK || broken(!counts[i] && hr == E_INVALIDARG), "Got hr %#lx.\n", hr);
        if (hr == S_OK)
        {
            check_block(info, sizeof(*info));
            ok(info->resultCodes.count == counts[i] || broken(info->resultCodes.count != counts[i]),
                    "Got count %u.\n", info->resultCodes.count);
            ok(!info->state || broken(!!info->state), "Got state %d.\n", info->state);
            ok(!info->percentage || broken(!!info->percentage), "Got percentage %u.\n", info->percentage);
            ok(!info->fixupMsgId || broken(!!info->fixupMsgId), "Got message %#x.\n", info->fixupMsgId);
            results = info->resultCodes.results;
            if (counts[i])
            {
                check_block_count(2);
                check_block(results, counts[i] * sizeof(*results));
                ok(is_zero(results, counts[i] * sizeof(*results)) || broken(!is_zero(results, sizeof(*results))),
                        "The result codes are not zero.\n");
                memset(results, 0xaa, counts[i] * sizeof(*results));
            }
            else
            {
                ok(!results || broken(!!results), "Got %p.\n", results);
            }

            info->state = fixupStateCouldNotUpdate;
            info->percentage = percentageNotSupported;
            info->fixupMsgId = 0xc0000007;
            info->resultCodes.count = counts[i];
            pFreeFixupInfo(info);
        }
        ok_balanced();

        hr = pAllocFixupInfo(&info, counts[i]);
        ok(hr == S_OK || broken(!counts[i] && hr == E_INVALIDARG), "Got hr %#lx.\n", hr);
        if (hr == S_OK)
        {
            CoTaskMemFree(info->resultCodes.results);
            CoTaskMemFree(info);
        }
        ok_balanced();

        spy_stop();
        winetest_pop_context();
    }
}

static void test_AllocConnections(void)
{
    static const UINT16 counts[] = {0, 1, 2, maxConnectionCountPerEnforcer - 1, maxConnectionCountPerEnforcer};
    INapEnforcementClientConnection **array;
    Connections *connections;
    unsigned int i;
    HRESULT hr;

    for (i = 0; i < ARRAY_SIZE(counts); ++i)
    {
        winetest_push_context("count %u", counts[i]);
        spy_start();

        connections = stale_pointer();
        hr = pAllocConnections(&connections, counts[i]);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        check_block(connections, sizeof(*connections));
        ok(connections->count == counts[i] || broken(connections->count != counts[i]),
                "Got count %u.\n", connections->count);
        array = connections->connections;
        if (counts[i])
        {
            check_block_count(2);
            check_block(array, counts[i] * sizeof(*array));
            ok(is_zero(array, counts[i] * sizeof(*array)) || broken(!is_zero(array, sizeof(*array))),
                    "The connections are not NULL.\n");
        }
        else
        {
            ok(!array || broken(!!array), "Got %p.\n", array);
        }
        connections->count = 0;
        pFreeConnections(connections);
        ok_balanced();

        hr = pAllocConnections(&connections, counts[i]);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        CoTaskMemFree(connections->connections);
        CoTaskMemFree(connections);
        ok_balanced();

        spy_stop();
        winetest_pop_context();
    }
}

static void test_Alloc_large_count(void)
{
    static const UINT16 counts[] =
    {
        maxConnectionCountPerEnforcer + 1, 255, 256, maxDwordCountPerSoHAttribute,
        maxDwordCountPerSoHAttribute + 1, 32767, 32768, 65535,
    };
    Connections *connections;
    FixupInfo *info;
    unsigned int i;
    HRESULT hr;

    for (i = 0; i < ARRAY_SIZE(counts); ++i)
    {
        winetest_push_context("count %u", counts[i]);
        spy_start();

        if (counts[i] > maxDwordCountPerSoHAttribute)
        {
            info = stale_pointer();
            hr = pAllocFixupInfo(&info, counts[i]);
            ok(hr == E_INVALIDARG || broken(hr == S_OK), "Got hr %#lx.\n", hr);
            if (hr == S_OK)
                pFreeFixupInfo(info);
            else
                ok(!info, "Got %p.\n", info);
            ok_balanced();
        }

        connections = stale_pointer();
        hr = pAllocConnections(&connections, counts[i]);
        ok(hr == E_INVALIDARG || broken(hr == S_OK), "Got hr %#lx.\n", hr);
        if (hr == S_OK)
            free_connections(connections);
        else
            ok(!connections, "Got %p.\n", connections);
        ok_balanced();

        spy_stop();
        winetest_pop_context();
    }
}

/* Structures whose pointers all lead to flat blocks, built by the caller. */
static void test_free_flat(void)
{
#define MEMBERS(type) "Free" #type, sizeof(type)
    static const struct
    {
        const char *name;
        unsigned int size;
        unsigned int member_count;
        struct
        {
            unsigned int count, pointer;
        }
        members[2];
    }
    tests[] =
    {
        {MEMBERS(CountedString), 1,
            {{offsetof(CountedString, length), offsetof(CountedString, string)}}},
        {MEMBERS(FixupInfo), 1,
            {{offsetof(FixupInfo, resultCodes.count), offsetof(FixupInfo, resultCodes.results)}}},
        {MEMBERS(IsolationInfo), 1,
            {{offsetof(IsolationInfo, failureUrl.length), offsetof(IsolationInfo, failureUrl.string)}}},
        {MEMBERS(IsolationInfoEx), 1,
            {{offsetof(IsolationInfoEx, failureUrl.length), offsetof(IsolationInfoEx, failureUrl.string)}}},
        {MEMBERS(NetworkSoH), 1,
            {{offsetof(NetworkSoH, size), offsetof(NetworkSoH, data)}}},
        {MEMBERS(PrivateData), 1,
            {{offsetof(PrivateData, size), offsetof(PrivateData, data)}}},
        {MEMBERS(SystemHealthAgentState), 2,
            {{offsetof(SystemHealthAgentState, shaResultCodes.count),
                offsetof(SystemHealthAgentState, shaResultCodes.results)},
             {offsetof(SystemHealthAgentState, fixupInfo.resultCodes.count),
                offsetof(SystemHealthAgentState, fixupInfo.resultCodes.results)}}},
    };
#undef MEMBERS
    static const UINT16 counts[] = {0, 1, 4, 1000, 65535};
    void (WINAPI *free_function)(void *);
    unsigned int i, j, mask, n;
    BYTE *block;
    void *pointer;

    for (i = 0; i < ARRAY_SIZE(tests); ++i)
    {
        if (!(free_function = (void *)GetProcAddress(qutil, tests[i].name)))
        {
            win_skip("%s is not available.\n", tests[i].name);
            continue;
        }

        for (mask = 0; mask < 1u << tests[i].member_count; ++mask)
        {
            for (j = 0; j < ARRAY_SIZE(counts); ++j)
            {
                winetest_push_context("%s, pointers %#x, count %u", tests[i].name, mask, counts[j]);
                spy_start();
                block = alloc_block(tests[i].size + 16);
                for (n = 0; n < tests[i].member_count; ++n)
                {
                    pointer = mask & (1u << n) ? alloc_block(8) : NULL;
                    memcpy(block + tests[i].members[n].count, &counts[j], sizeof(counts[j]));
                    memcpy(block + tests[i].members[n].pointer, &pointer, sizeof(pointer));
                }
                free_function(block);
                ok_balanced();
                spy_stop();
                winetest_pop_context();
            }
        }
    }
}

static void test_free_null(void)
{
    static const struct
    {
        const char *name;
        BOOL implied;
    }
    tests[] =
    {
        {"FreeIsolationInfo", TRUE},
        {"FreeSoH", TRUE},
        {"FreeConnections"},
        {"FreeCountedString"},
        {"FreeFixupInfo"},
        {"FreeIsolationInfoEx"},
        {"FreeNetworkSoH"},
        {"FreePrivateData"},
        {"FreeSystemHealthAgentState"},
    };
    void (WINAPI *free_function)(void *);
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(tests); ++i)
    {
        if (!tests[i].implied && !is_wine())
            continue; /* may crash on Windows */
        free_function = (void *)GetProcAddress(qutil, tests[i].name);
        ok(!!free_function, "%s is not available.\n", tests[i].name);
        if (!free_function)
            continue;
        winetest_push_context("%s", tests[i].name);
        spy_start();
        free_function(NULL);
        ok(!spy_allocs(), "Got %d allocations.\n", (int)spy_allocs());
        ok_balanced();
        spy_stop();
        winetest_pop_context();
    }
}

struct connection
{
    INapEnforcementClientConnection INapEnforcementClientConnection_iface;
    LONG refs;
};

static struct connection *impl_from_INapEnforcementClientConnection(INapEnforcementClientConnection *iface)
{
    return CONTAINING_RECORD(iface, struct connection, INapEnforcementClientConnection_iface);
}

static HRESULT WINAPI connection_QueryInterface(INapEnforcementClientConnection *iface, REFIID iid, void **out)
{
    ok(0, "Unexpected call.\n");
    *out = NULL;
    return E_NOINTERFACE;
}

static ULONG WINAPI connection_AddRef(INapEnforcementClientConnection *iface)
{
    return InterlockedIncrement(&impl_from_INapEnforcementClientConnection(iface)->refs);
}

static ULONG WINAPI connection_Release(INapEnforcementClientConnection *iface)
{
    LONG refs = InterlockedDecrement(&impl_from_INapEnforcementClientConnection(iface)->refs);

    ok(refs >= 0, "Got %ld references.\n", refs);
    return refs;
}

static INapEnforcementClientConnectionVtbl connection_vtbl =
{
    connection_QueryInterface,
    connection_AddRef,
    connection_Release,
};

static void test_FreeConnections(void)
{
    /* 'a' and 'b' are two objects, '-' is NULL. */
    static const struct
    {
        const char *entries;
        UINT16 count;
        BOOL wine_only; /* may crash on Windows */
    }
    tests[] =
    {
        {"", 0},
        {"a", 1},
        {"ab", 2},
        {"aba", 3},
        {"ababababababababbbba", maxConnectionCountPerEnforcer},
        {"ab", 1},
        {"ab", 0},
        {"-", 1, TRUE},
        {"a-b", 3, TRUE},
        {"-a--b-", 6, TRUE},
        {"", 1, TRUE},
        {"", 65535, TRUE},
    };
    struct connection objects[2];
    unsigned int i, j, k, length;
    Connections *connections;
    LONG released, held;

    for (j = 0; j < ARRAY_SIZE(objects); ++j)
        objects[j].INapEnforcementClientConnection_iface.lpVtbl = &connection_vtbl;

    for (i = 0; i < ARRAY_SIZE(tests); ++i)
    {
        if (tests[i].wine_only && !is_wine())
            continue;

        winetest_push_context("entries \"%s\", count %u", tests[i].entries, tests[i].count);
        spy_start();
        objects[0].refs = objects[1].refs = 1;
        length = strlen(tests[i].entries);
        connections = alloc_block(sizeof(*connections));
        connections->count = tests[i].count;
        connections->connections = length ? alloc_block(length * sizeof(*connections->connections)) : NULL;
        for (j = 0; j < length; ++j)
        {
            if (tests[i].entries[j] == '-')
            {
                connections->connections[j] = NULL;
                continue;
            }
            connections->connections[j] = &objects[tests[i].entries[j] - 'a'].INapEnforcementClientConnection_iface;
            INapEnforcementClientConnection_AddRef(connections->connections[j]);
        }

        pFreeConnections(connections);
        ok_balanced();
        spy_stop();

        for (k = 0; k < ARRAY_SIZE(objects); ++k)
        {
            for (j = released = held = 0; j < length; ++j)
            {
                if (tests[i].entries[j] != 'a' + (char)k) continue;
                if (j < tests[i].count) ++released;
                else ++held;
            }
            ok(objects[k].refs == 1 + held || broken(objects[k].refs == 1 + held + released),
                    "Object %u: got %ld references, expected %ld.\n", k, objects[k].refs, 1 + held);
        }
        winetest_pop_context();
    }
}

/* The functions together, as an enforcement client and the agent use them. */
static void test_AllocConnections_use(void)
{
    struct connection object;
    Connections *connections;
    unsigned int i;
    HRESULT hr;

    object.INapEnforcementClientConnection_iface.lpVtbl = &connection_vtbl;
    object.refs = 1;

    spy_start();
    hr = pAllocConnections(&connections, maxConnectionCountPerEnforcer);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    connections->count = maxConnectionCountPerEnforcer;
    for (i = 0; i < maxConnectionCountPerEnforcer; ++i)
    {
        connections->connections[i] = &object.INapEnforcementClientConnection_iface;
        INapEnforcementClientConnection_AddRef(connections->connections[i]);
    }
    pFreeConnections(connections);
    ok(object.refs == 1 || broken(object.refs == 1 + maxConnectionCountPerEnforcer),
            "Got %ld references.\n", object.refs);
    ok_balanced();

    object.refs = 1;
    hr = pAllocConnections(&connections, 0);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    CoTaskMemFree(connections->connections);
    connections->count = 0;
    connections->connections = NULL;
    pFreeConnections(connections);
    ok_balanced();
    spy_stop();
}

static void test_FreeSoH(void)
{
    /* 'v' is an attribute with a value, '-' one without, '?' one past the end that nobody may touch. */
    static const struct
    {
        const char *attributes;
        UINT16 count;
        BOOL wine_only; /* may crash on Windows */
    }
    tests[] =
    {
        {"", 0},
        {"v", 1},
        {"-", 1},
        {"vvv", 3},
        {"v-v", 3},
        {"-v-", 3},
        {"---", 3},
        {"?", 0},
        {"v?", 1},
        {"v-???", 2},
        {"", 1, TRUE},
        {"", 65535, TRUE},
    };
    static const UINT16 sizes[] = {0, 1, 4, maxSoHAttributeSize, 65535};
    unsigned int i, j, k, length;
    SoHAttribute *attribute;
    SoH *soh;

    for (i = 0; i < ARRAY_SIZE(tests); ++i)
    {
        if (tests[i].wine_only && !is_wine())
            continue;

        for (k = 0; k < ARRAY_SIZE(sizes); ++k)
        {
            winetest_push_context("attributes \"%s\", count %u, size %u", tests[i].attributes,
                    tests[i].count, sizes[k]);
            spy_start();
            length = strlen(tests[i].attributes);
            soh = alloc_block(sizeof(*soh));
            soh->count = tests[i].count;
            soh->attributes = length ? alloc_block(length * sizeof(*soh->attributes)) : NULL;
            for (j = 0; j < length; ++j)
            {
                attribute = &soh->attributes[j];
                if (tests[i].attributes[j] == '?')
                    continue;
                attribute->type = j;
                attribute->size = sizes[k];
                attribute->value = tests[i].attributes[j] == 'v' ? alloc_block(4) : NULL;
            }
            pFreeSoH(soh);
            ok_balanced();
            spy_stop();
            winetest_pop_context();
        }
    }
}

static void test_FreeSoH_max(void)
{
    unsigned int i;
    SoH *soh;

    spy_start();
    soh = alloc_block(sizeof(*soh));
    soh->count = maxSoHAttributeCount;
    soh->attributes = alloc_block(maxSoHAttributeCount * sizeof(*soh->attributes));
    for (i = 0; i < maxSoHAttributeCount; ++i)
    {
        soh->attributes[i].type = sohAttributeTypeClientId;
        soh->attributes[i].size = maxSoHAttributeSize;
        soh->attributes[i].value = alloc_block(maxSoHAttributeSize);
    }
    check_block_count(2 + maxSoHAttributeCount);
    pFreeSoH(soh);
    ok_balanced();
    spy_stop();
}

/* Those of SoHAttributeType, and some that have no name. */
static const unsigned int attribute_types[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 255, 16383, 65535};

static BOOL is_named(unsigned int type)
{
    return type >= sohAttributeTypeSystemHealthId && type <= sohAttributeTypeExtendedIsolationState;
}

static void test_FreeSoHAttributeValue(void)
{
    static const UINT16 counts[] = {0, 1, 250, 1000, 3996, 4000, 65535};
    SoHAttributeValue *value;
    unsigned int i, j;
    void *pointer;

    for (i = 0; i < ARRAY_SIZE(attribute_types); ++i)
    {
        if (!get_element_size(attribute_types[i]))
            continue;

        for (j = 0; j < ARRAY_SIZE(counts); ++j)
        {
            winetest_push_context("type %u, count %u", attribute_types[i], counts[j]);
            spy_start();

            pointer = alloc_block(16);
            value = alloc_block(sizeof(*value));
            set_array(attribute_types[i], value, pointer, counts[j]);
            pFreeSoHAttributeValue(attribute_types[i], value);
            ok(!spy_is_block(value), "The value was not freed.\n");
            ok(!spy_is_block(pointer) || broken(!is_named(attribute_types[i])), "The data were not freed.\n");
            if (spy_is_block(pointer))
                CoTaskMemFree(pointer);
            ok_balanced();

            value = alloc_block(sizeof(*value));
            set_array(attribute_types[i], value, NULL, counts[j]);
            pFreeSoHAttributeValue(attribute_types[i], value);
            ok_balanced();

            spy_stop();
            winetest_pop_context();
        }
    }
}

/* Arms without a pointer: what looks like one isn't freed. */
static void test_FreeSoHAttributeValue_scalar(void)
{
    SoHAttributeValue *value;
    unsigned int i, offset;
    void *decoy;

    for (i = 0; i < ARRAY_SIZE(attribute_types); ++i)
    {
        if (get_element_size(attribute_types[i]))
            continue;

        for (offset = 0; offset + sizeof(void *) <= sizeof(*value); offset += sizeof(void *))
        {
            winetest_push_context("type %u, offset %u", attribute_types[i], offset);
            spy_start();
            decoy = alloc_block(16);
            value = alloc_block(sizeof(*value));
            memcpy((BYTE *)value + offset, &decoy, sizeof(decoy));
            pFreeSoHAttributeValue(attribute_types[i], value);
            ok(!spy_is_block(value), "The value was not freed.\n");
            ok(spy_is_block(decoy), "A block was freed that is no part of the value.\n");
            if (spy_is_block(decoy))
                CoTaskMemFree(decoy);
            ok_balanced();
            spy_stop();
            winetest_pop_context();
        }
    }
}

static void test_FreeSoHAttributeValue_null(void)
{
    unsigned int i;

    spy_start();
    pFreeSoHAttributeValue(0, NULL);
    ok_balanced();

    /* For other types nothing is published: they may crash on Windows. */
    for (i = 0; i < ARRAY_SIZE(attribute_types) && is_wine(); ++i)
    {
        winetest_push_context("type %u", attribute_types[i]);
        pFreeSoHAttributeValue(attribute_types[i], NULL);
        ok_balanced();
        winetest_pop_context();
    }
    spy_stop();
}

static const unsigned int info_strings[] =
{
    offsetof(NapComponentRegistrationInfo, friendlyName),
    offsetof(NapComponentRegistrationInfo, description),
    offsetof(NapComponentRegistrationInfo, version),
    offsetof(NapComponentRegistrationInfo, vendorName),
};

static NapComponentRegistrationInfo *build_info_array(unsigned int count, unsigned int mask, UINT16 length)
{
    NapComponentRegistrationInfo *array;
    CountedString *string;
    unsigned int i, j;

    array = alloc_block((count + 1) * sizeof(*array));
    for (i = 0; i < count; ++i)
    {
        for (j = 0; j < ARRAY_SIZE(info_strings); ++j)
        {
            string = (CountedString *)((BYTE *)&array[i] + info_strings[j]);
            string->length = length;
            /* Rotated, so that neighbours differ. */
            string->string = mask & (1u << ((i + j) % 4)) ? alloc_block(8) : NULL;
        }
    }
    return array;
}

static void test_FreeNapComponentRegistrationInfoArray(void)
{
    static const UINT16 counts[] = {1, 2, 3, maxSystemHealthEntityCount};
    static const UINT16 lengths[] = {0, 3, maxStringLength, 65535};
    NapComponentRegistrationInfo *array, *original;
    unsigned int i, j, mask;

    for (i = 0; i < ARRAY_SIZE(counts); ++i)
    {
        for (mask = 0; mask < 16; ++mask)
        {
            for (j = 0; j < ARRAY_SIZE(lengths); ++j)
            {
                winetest_push_context("count %u, strings %#x, length %u", counts[i], mask, lengths[j]);
                spy_start();
                original = array = build_info_array(counts[i], mask, lengths[j]);
                pFreeNapComponentRegistrationInfoArray(counts[i], &array);
                ok(!array || broken(array == original), "Got %p.\n", array);
                ok_balanced();
                spy_stop();
                winetest_pop_context();
            }
        }
    }
}

static void test_FreeNapComponentRegistrationInfoArray_none(void)
{
    NapComponentRegistrationInfo *array, *original;

    spy_start();

    original = array = build_info_array(0, 0, 0);
    pFreeNapComponentRegistrationInfoArray(0, &array);
    ok(!array || broken(array == original), "Got %p.\n", array);
    ok(!spy_is_block(original) || broken(spy_is_block(original)), "The array was not freed.\n");
    if (spy_is_block(original))
        CoTaskMemFree(original);
    ok_balanced();

    /* These may crash on Windows. */
    if (is_wine())
    {
        array = NULL;
        pFreeNapComponentRegistrationInfoArray(0, &array);
        ok(!array, "Got %p.\n", array);
        pFreeNapComponentRegistrationInfoArray(2, &array);
        ok(!array, "Got %p.\n", array);
        pFreeNapComponentRegistrationInfoArray(65535, &array);
        ok(!array, "Got %p.\n", array);
        pFreeNapComponentRegistrationInfoArray(0, NULL);
        pFreeNapComponentRegistrationInfoArray(2, NULL);
        ok_balanced();
    }
    spy_stop();
}

START_TEST(memory)
{
    if (!load_qutil())
        return;

    test_layout();
    test_threads();
    test_out_of_memory();
    test_incoming_pointer();
    test_stale_pointer();
    test_separate_results();
    test_AllocCountedString();
    test_AllocCountedString_length();
    test_AllocCountedString_ownership();
    test_Alloc_null();
    test_AllocFixupInfo();
    test_AllocConnections();
    test_Alloc_large_count();
    test_free_flat();
    test_free_null();
    test_FreeConnections();
    test_AllocConnections_use();
    test_FreeSoH();
    test_FreeSoH_max();
    test_FreeSoHAttributeValue();
    test_FreeSoHAttributeValue_scalar();
    test_FreeSoHAttributeValue_null();
    test_FreeNapComponentRegistrationInfoArray();
    test_FreeNapComponentRegistrationInfoArray_none();

    FreeLibrary(qutil);
}
