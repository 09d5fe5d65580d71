/*
 * Tests for the connections of enforcement clients
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

#include "qagent_test.h"

static const GUID test_guid = {0x54468936, 0xcb49, 0x4374, {0xb1, 0x27, 0xa6, 0xa3, 0xcc, 0x3b, 0xb1, 0x1c}};

static struct ec ec;

/* Without the id that enforcement clients give a connection at once. */
#define create_connection() create_connection_(__LINE__)
static INapEnforcementClientConnection *create_connection_(int line)
{
    INapEnforcementClientConnection *connection = (void *)0xdeadbeef;
    HRESULT hr;

    hr = INapEnforcementClientBinding_CreateConnection(ec.binding, &connection);
    ok_(__FILE__, line)(hr == S_OK, "Failed to create a connection, hr %#lx.\n", hr);
    return hr == S_OK ? connection : NULL;
}

#define destroy_connection(connection) destroy_connection_(__LINE__, connection)
static void destroy_connection_(int line, INapEnforcementClientConnection *connection)
{
    HRESULT hr;

    hr = INapEnforcementClientBinding_NotifyConnectionStateDown(ec.binding, connection);
    ok_(__FILE__, line)(hr == S_OK, "Got hr %#lx.\n", hr);
    release_object_(line, (IUnknown *)connection);
}

static INapEnforcementClientConnection2 *get_connection2(INapEnforcementClientConnection *connection)
{
    INapEnforcementClientConnection2 *connection2;
    HRESULT hr;

    hr = INapEnforcementClientConnection_QueryInterface(connection, &IID_INapEnforcementClientConnection2,
            (void **)&connection2);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    INapEnforcementClientConnection2_Release(connection2);
    return connection2;
}

static void test_interfaces(void)
{
    static const IID *foreign_iids[] = {&IID_IDispatch, &IID_INapEnforcementClientBinding, &IID_INapClientManagement};
    INapEnforcementClientConnection *connection = create_connection(), *same;
    INapEnforcementClientConnection2 *connection2;
    IUnknown *unknown, *unknown2;
    unsigned int i;
    HRESULT hr;
    ULONG refs;
    void *out;

    hr = INapEnforcementClientConnection_QueryInterface(connection, &IID_INapEnforcementClientConnection2,
            (void **)&connection2);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = INapEnforcementClientConnection_QueryInterface(connection, &IID_IUnknown, (void **)&unknown);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = INapEnforcementClientConnection2_QueryInterface(connection2, &IID_IUnknown, (void **)&unknown2);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(unknown == unknown2, "Got %p, %p.\n", unknown, unknown2);
    hr = INapEnforcementClientConnection2_QueryInterface(connection2, &IID_INapEnforcementClientConnection,
            (void **)&same);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    for (i = 0; i < ARRAY_SIZE(foreign_iids); ++i)
    {
        out = (void *)0xdeadbeef;
        hr = IUnknown_QueryInterface(unknown, foreign_iids[i], &out);
        ok(hr == E_NOINTERFACE, "Interface %u: got hr %#lx.\n", i, hr);
        ok(!out, "Interface %u: got %p.\n", i, out);
    }
    refs = INapEnforcementClientConnection_Release(same);
    ok(refs == 4, "Got %lu references.\n", refs);
    IUnknown_Release(unknown2);
    IUnknown_Release(unknown);
    INapEnforcementClientConnection2_Release(connection2);
    destroy_connection(connection);
}

static void test_max_size(void)
{
    static const struct
    {
        UINT32 size;
        BOOL valid;
    }
    tests[] =
    {
        {minProtocolMaxSize, TRUE},
        {defaultProtocolMaxSize, TRUE},
        {1500, TRUE},
        {maxProtocolMaxSize, TRUE},
        {0},
        {1},
        {minProtocolMaxSize - 1},
        {maxProtocolMaxSize + 1},
        {0x7fffffff},
        {0x80000000},
        {~0u},
    };
    INapEnforcementClientConnection *connection = create_connection(), *other = create_connection();
    UINT32 size, expected = defaultProtocolMaxSize;
    unsigned int i;
    HRESULT hr;

    size = 0xdeadbeef;
    hr = INapEnforcementClientConnection_GetMaxSize(connection, &size);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(size == defaultProtocolMaxSize, "Got %u.\n", size);
    for (i = 0; i < ARRAY_SIZE(tests); ++i)
    {
        winetest_push_context("size %u", tests[i].size);
        hr = INapEnforcementClientConnection_SetMaxSize(connection, tests[i].size);
        ok(hr == (tests[i].valid ? S_OK : E_INVALIDARG) || broken(!tests[i].valid), "Got hr %#lx.\n", hr);
        if (hr == S_OK)
            expected = tests[i].size;
        size = 0xdeadbeef;
        hr = INapEnforcementClientConnection_GetMaxSize(connection, &size);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        ok(size == expected || broken(!tests[i].valid), "Got %u, expected %u.\n", size, expected);
        winetest_pop_context();
    }
    hr = INapEnforcementClientConnection_GetMaxSize(other, &size);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(size == defaultProtocolMaxSize, "Got %u.\n", size);
    destroy_connection(other);
    destroy_connection(connection);
}

static void test_flags(void)
{
    static const UINT8 tests[] = {freshSoHRequest, 0, 0xff, 0x80};
    INapEnforcementClientConnection *connection = create_connection();
    unsigned int i;
    UINT8 flags;
    HRESULT hr;

    flags = 0xcc;
    hr = INapEnforcementClientConnection_GetFlags(connection, &flags);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(!flags || broken(flags), "Got %#x.\n", flags);
    for (i = 0; i < ARRAY_SIZE(tests); ++i)
    {
        winetest_push_context("flags %#x", tests[i]);
        hr = INapEnforcementClientConnection_SetFlags(connection, tests[i]);
        ok(hr == S_OK || broken(tests[i] & ~freshSoHRequest), "Got hr %#lx.\n", hr);
        if (hr == S_OK)
        {
            flags = 0xcc;
            hr = INapEnforcementClientConnection_GetFlags(connection, &flags);
            ok(hr == S_OK, "Got hr %#lx.\n", hr);
            ok(flags == tests[i] || broken(tests[i] & ~freshSoHRequest), "Got %#x.\n", flags);
        }
        winetest_pop_context();
    }
    destroy_connection(connection);
}

#define check_connection_id(connection, expected) check_connection_id_(__LINE__, connection, expected)
static void check_connection_id_(int line, INapEnforcementClientConnection *connection, const GUID *expected)
{
    ConnectionId *id = (void *)0xdeadbeef;
    HRESULT hr;

    hr = INapEnforcementClientConnection_GetConnectionId(connection, &id);
    ok_(__FILE__, line)(hr == S_OK || broken(!expected), "Got hr %#lx.\n", hr);
    if (hr != S_OK)
        return;
    if (!expected)
        ok_(__FILE__, line)(!id || broken(!!id), "Got %p.\n", id);
    else
        ok_(__FILE__, line)(id && IsEqualGUID(id, expected), "Got %s.\n", wine_dbgstr_guid(id));
    CoTaskMemFree(id);
}

static void test_connection_id(void)
{
    INapEnforcementClientConnection *connection = create_connection(), *other = create_connection();
    ConnectionId id = test_guid, *first, *second;
    HRESULT hr;

    check_connection_id(connection, NULL);
    hr = INapEnforcementClientConnection_SetConnectionId(connection, &id);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    memset(&id, 0xcc, sizeof(id));
    check_connection_id(connection, &test_guid);

    /* Each result is the caller's. */
    hr = INapEnforcementClientConnection_GetConnectionId(connection, &first);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = INapEnforcementClientConnection_GetConnectionId(connection, &second);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(first != second, "Got the same memory twice.\n");
    memset(first, 0xcc, sizeof(*first));
    ok(IsEqualGUID(second, &test_guid), "Got %s.\n", wine_dbgstr_guid(second));
    CoTaskMemFree(first);
    CoTaskMemFree(second);
    check_connection_id(connection, &test_guid);

    hr = INapEnforcementClientConnection_SetConnectionId(connection, &GUID_NULL);
    ok(hr == S_OK || broken(FAILED(hr)), "Got hr %#lx.\n", hr);
    if (hr == S_OK)
        check_connection_id(connection, &GUID_NULL);
    check_connection_id(other, NULL);
    destroy_connection(other);
    destroy_connection(connection);
}

static void test_correlation_id(void)
{
    static const struct
    {
        ULONGLONG time;
        const WCHAR *expected;
    }
    tests[] =
    {
        {0, L"{54468936-CB49-4374-B127-A6A3CC3BB11C} - 1601-01-01 00:00:00.000Z"},
        {0x01ca78d858ee1ef0, L"{54468936-CB49-4374-B127-A6A3CC3BB11C} - 2009-12-09 14:03:13.375Z"},
        {9999, L"{54468936-CB49-4374-B127-A6A3CC3BB11C} - 1601-01-01 00:00:00.000Z"},
        {10000, L"{54468936-CB49-4374-B127-A6A3CC3BB11C} - 1601-01-01 00:00:00.001Z"},
        {0x7fff35f4f06c58f0, L"{54468936-CB49-4374-B127-A6A3CC3BB11C} - 30827-12-31 23:59:59.999Z"},
    };
    INapEnforcementClientConnection *connection = create_connection();
    StringCorrelationId *string;
    CorrelationId id, result;
    unsigned int i;
    HRESULT hr;

    memset(&result, 0xcc, sizeof(result));
    hr = INapEnforcementClientConnection_GetCorrelationId(connection, &result);
    ok(hr == S_OK || broken(FAILED(hr)), "Got hr %#lx.\n", hr);
    if (hr == S_OK && is_wine())
        check_correlation_id(&result, &no_correlation_id);

    for (i = 0; i < ARRAY_SIZE(tests); ++i)
    {
        winetest_push_context("time %#I64x", tests[i].time);
        id.connId = test_guid;
        id.timeStamp = make_filetime(tests[i].time);
        hr = INapEnforcementClientConnection_SetCorrelationId(connection, id);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        memset(&result, 0xcc, sizeof(result));
        hr = INapEnforcementClientConnection_GetCorrelationId(connection, &result);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        check_correlation_id(&result, &id);

        string = (void *)0xdeadbeef;
        hr = INapEnforcementClientConnection_GetStringCorrelationId(connection, &string);
        ok(hr == S_OK || broken(FAILED(hr)), "Got hr %#lx.\n", hr);
        if (hr == S_OK)
        {
            ok(string && string->string, "Got no string.\n");
            if (!is_wine())
                trace("%s\n", wine_dbgstr_w(string->string));
            ok(!lstrcmpW(string->string, tests[i].expected) || broken(!is_wine()), "Got %s, expected %s.\n",
                    wine_dbgstr_w(string->string), wine_dbgstr_w(tests[i].expected));
            ok(string->length == lstrlenW(string->string), "Got length %u.\n", string->length);
            pFreeCountedString(string);
        }
        winetest_pop_context();
    }

    /* There need not be one yet. */
    destroy_connection(connection);
    connection = create_connection();
    string = (void *)0xdeadbeef;
    hr = INapEnforcementClientConnection_GetStringCorrelationId(connection, &string);
    ok(hr == S_OK || broken(FAILED(hr)), "Got hr %#lx.\n", hr);
    if (hr == S_OK)
        pFreeCountedString(string);
    destroy_connection(connection);
}

/* The four properties that are bytes, two of them as SoHs. All have the same layout. */

C_ASSERT(sizeof(NetworkSoH) == sizeof(PrivateData));
C_ASSERT(FIELD_OFFSET(NetworkSoH, size) == FIELD_OFFSET(PrivateData, size));
C_ASSERT(FIELD_OFFSET(NetworkSoH, data) == FIELD_OFFSET(PrivateData, data));

enum blob_property
{
    SOH_REQUEST,
    SOH_RESPONSE,
    PRIVATE_DATA,
    ENFORCER_PRIVATE_DATA,
    BLOB_PROPERTY_COUNT
};

static const struct
{
    const char *name;
    UINT16 max_size;
    HRESULT null_hr;
    HRESULT empty_hr;
    BOOL empty_published;
}
blob_properties[] =
{
    {"SoHRequest", maxNetworkSoHSize, S_OK, E_INVALIDARG, TRUE},
    {"SoHResponse", maxNetworkSoHSize, E_INVALIDARG, S_OK, TRUE},
    {"PrivateData", maxPrivateDataSize, E_INVALIDARG, S_OK},
    {"EnforcerPrivateData", maxPrivateDataSize, E_INVALIDARG, S_OK},
};

static HRESULT set_blob(INapEnforcementClientConnection *connection, enum blob_property property,
        const NetworkSoH *blob)
{
    switch (property)
    {
    case SOH_REQUEST:
        return INapEnforcementClientConnection_SetSoHRequest(connection, blob);
    case SOH_RESPONSE:
        return INapEnforcementClientConnection_SetSoHResponse(connection, blob);
    case PRIVATE_DATA:
        return INapEnforcementClientConnection_SetPrivateData(connection, (PrivateData *)blob);
    default:
        return INapEnforcementClientConnection_SetEnforcerPrivateData(connection, (PrivateData *)blob);
    }
}

static HRESULT get_blob_property(INapEnforcementClientConnection *connection, enum blob_property property,
        NetworkSoH **blob)
{
    switch (property)
    {
    case SOH_REQUEST:
        return INapEnforcementClientConnection_GetSoHRequest(connection, blob);
    case SOH_RESPONSE:
        return INapEnforcementClientConnection_GetSoHResponse(connection, blob);
    case PRIVATE_DATA:
        return INapEnforcementClientConnection_GetPrivateData(connection, (PrivateData **)blob);
    default:
        return INapEnforcementClientConnection_GetEnforcerPrivateData(connection, (PrivateData **)blob);
    }
}

static void free_blob(enum blob_property property, NetworkSoH *blob)
{
    if (property == SOH_REQUEST || property == SOH_RESPONSE)
        pFreeNetworkSoH(blob);
    else
        pFreePrivateData((PrivateData *)blob);
}

/* NULL: none. */
#define check_blob(connection, property, data, size) check_blob_(__LINE__, connection, property, data, size)
static void check_blob_(int line, INapEnforcementClientConnection *connection, enum blob_property property,
        const BYTE *data, UINT16 size)
{
    NetworkSoH *blob = (void *)0xdeadbeef;
    HRESULT hr;

    hr = get_blob_property(connection, property, &blob);
    ok_(__FILE__, line)(hr == S_OK || broken(!data), "Got hr %#lx.\n", hr);
    if (hr != S_OK)
    {
        ok_(__FILE__, line)(!blob || broken(!!blob), "Got %p.\n", blob);
        return;
    }
    if (!data)
    {
        ok_(__FILE__, line)(!blob || broken(!!blob), "Got %p.\n", blob);
    }
    else
    {
        ok_(__FILE__, line)(!!blob, "Got nothing.\n");
        if (blob)
        {
            ok_(__FILE__, line)(blob->size == size, "Got %u bytes, expected %u.\n", blob->size, size);
            if (size)
                ok_(__FILE__, line)(!memcmp(blob->data, data, size), "Got other bytes.\n");
        }
    }
    free_blob(property, blob);
}

static void test_blob(enum blob_property property)
{
    static const UINT16 sizes[] = {12, 13, 199, 200, 201, 300, 3999, 4000, 4001, 0x7fff, 0xffff, 100};
    INapEnforcementClientConnection *connection = create_connection();
    BYTE last[maxNetworkSoHSize], *data;
    NetworkSoH blob, *first, *second;
    UINT16 last_size = 0;
    unsigned int i, j;
    HRESULT hr;
    BOOL valid;

    for (i = 0; i < BLOB_PROPERTY_COUNT; ++i)
        check_blob(connection, i, NULL, 0);

    for (i = 0; i < ARRAY_SIZE(sizes); ++i)
    {
        winetest_push_context("size %u", sizes[i]);
        data = HeapAlloc(GetProcessHeap(), 0, sizes[i]);
        for (j = 0; j < sizes[i]; ++j)
            data[j] = 7 * i + 31 * j;
        blob.size = sizes[i];
        blob.data = data;
        valid = sizes[i] <= blob_properties[property].max_size;
        hr = set_blob(connection, property, &blob);
        ok(hr == (valid ? S_OK : E_INVALIDARG) || broken(!valid), "Got hr %#lx.\n", hr);
        if (hr == S_OK && valid)
        {
            last_size = sizes[i];
            memcpy(last, data, last_size);
        }
        memset(data, 0xcc, sizes[i]);
        HeapFree(GetProcessHeap(), 0, data);
        memset(&blob, 0xcc, sizeof(blob));
        if (valid || is_wine())
            check_blob(connection, property, last, last_size);
        winetest_pop_context();
    }

    /* It is the caller's. */
    hr = get_blob_property(connection, property, &first);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = get_blob_property(connection, property, &second);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(first != second && first->data != second->data, "Got the same memory twice.\n");
    memset(first->data, 0xcc, first->size);
    ok(!memcmp(second->data, last, last_size), "Got other bytes.\n");
    free_blob(property, first);
    free_blob(property, second);
    check_blob(connection, property, last, last_size);

    /* No other property has changed. */
    for (i = 0; i < BLOB_PROPERTY_COUNT; ++i)
    {
        if (i != property)
            check_blob(connection, i, NULL, 0);
    }

    blob.size = 0;
    blob.data = last;
    hr = set_blob(connection, property, &blob);
    ok(hr == blob_properties[property].empty_hr || broken(!blob_properties[property].empty_published),
            "Got hr %#lx.\n", hr);
    if (is_wine() && hr == S_OK)
    {
        check_blob(connection, property, last, 0);
        last_size = 0;
    }
    else if (is_wine())
    {
        check_blob(connection, property, last, last_size);
    }
    blob.data = NULL;
    if (is_wine())
    {
        hr = set_blob(connection, property, &blob);
        ok(hr == blob_properties[property].empty_hr, "Got hr %#lx.\n", hr);
        blob.size = 12;
        hr = set_blob(connection, property, &blob);
        ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
        check_blob(connection, property, last, last_size);

        hr = set_blob(connection, property, NULL);
        ok(hr == blob_properties[property].null_hr, "Got hr %#lx.\n", hr);
        check_blob(connection, property, hr == S_OK ? NULL : last, last_size);
        hr = get_blob_property(connection, property, NULL);
        ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    }
    destroy_connection(connection);
}

static void make_info(IsolationInfo *info, const struct verdict *verdict, WCHAR *url)
{
    info->isolationState = verdict->state;
    info->probEndTime = make_filetime(verdict->probation_end ? verdict->probation_end : no_probation);
    info->failureUrl.string = NULL;
    info->failureUrl.length = 0;
    if (!verdict->url)
        return;
    MultiByteToWideChar(CP_ACP, 0, verdict->url, -1, url, 256);
    set_string(&info->failureUrl, url);
}

#define set_isolation(connection, verdict) set_isolation_(__LINE__, connection, verdict)
static void set_isolation_(int line, INapEnforcementClientConnection *connection, const struct verdict *verdict)
{
    IsolationInfo info;
    WCHAR url[256];
    HRESULT hr;

    make_info(&info, verdict, url);
    hr = INapEnforcementClientConnection_SetIsolationInfo(connection, &info);
    ok_(__FILE__, line)(hr == S_OK, "Got hr %#lx.\n", hr);
    memset(&info, 0xcc, sizeof(info));
    memset(url, 0xcc, sizeof(url));
}

#define set_isolation_ex(connection, verdict) set_isolation_ex_(__LINE__, connection, verdict)
static void set_isolation_ex_(int line, INapEnforcementClientConnection *connection, const struct verdict *verdict)
{
    IsolationInfoEx info_ex;
    IsolationInfo info;
    WCHAR url[256];
    HRESULT hr;

    make_info(&info, verdict, url);
    info_ex.isolationState = info.isolationState;
    info_ex.extendedIsolationState = verdict->extended;
    info_ex.probEndTime = info.probEndTime;
    info_ex.failureUrl = info.failureUrl;
    hr = INapEnforcementClientConnection2_SetIsolationInfoEx(get_connection2(connection), &info_ex);
    ok_(__FILE__, line)(hr == S_OK, "Got hr %#lx.\n", hr);
    memset(&info_ex, 0xcc, sizeof(info_ex));
    memset(url, 0xcc, sizeof(url));
}

static void test_isolation_info(void)
{
    static const struct verdict tests[] =
    {
        {isolationStateNotRestricted},
        {isolationStateRestrictedAccess, FALSE, extendedIsolationStateNoData, 0, "http://fix.example.com/"},
        {isolationStateInProbation, FALSE, extendedIsolationStateNoData, 0x01ca78d858ee1ef0, "http://a/"},
        {isolationStateInProbation, FALSE, extendedIsolationStateNoData, 1},
        {isolationStateRestrictedAccess, FALSE, extendedIsolationStateInfected, 0, "x"},
        {isolationStateNotRestricted, FALSE, extendedIsolationStateTransition, 5},
        {isolationStateInProbation, FALSE, extendedIsolationStateUnknown, 0x7fffffffffffffff,
                "https://long.example/0123456789"},
    };
    INapEnforcementClientConnection *connection;
    IsolationInfo *first, *second;
    unsigned int i;
    HRESULT hr;

    connection = create_connection();
    check_connection_isolation(connection, NULL);
    destroy_connection(connection);

    for (i = 0; i < ARRAY_SIZE(tests); ++i)
    {
        winetest_push_context("verdict %u", i);
        connection = create_connection();
        if (tests[i].extended == extendedIsolationStateNoData)
        {
            set_isolation(connection, &tests[i]);
            if (is_wine())
                check_connection_isolation(connection, &tests[i]);
        }
        set_isolation_ex(connection, &tests[i]);
        check_connection_isolation(connection, &tests[i]);
        destroy_connection(connection);
        winetest_pop_context();
    }

    /* The last one counts. */
    connection = create_connection();
    for (i = 0; i < ARRAY_SIZE(tests); ++i)
    {
        winetest_push_context("verdict %u", i);
        set_isolation_ex(connection, &tests[i]);
        check_connection_isolation(connection, &tests[i]);
        winetest_pop_context();
    }

    hr = INapEnforcementClientConnection_GetIsolationInfo(connection, &first);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = INapEnforcementClientConnection_GetIsolationInfo(connection, &second);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(first != second && first->failureUrl.string != second->failureUrl.string, "Got the same memory twice.\n");
    first->failureUrl.string[0] = 0;
    pFreeIsolationInfo(first);
    check_isolation(second, &tests[ARRAY_SIZE(tests) - 1]);
    pFreeIsolationInfo(second);
    check_connection_isolation(connection, &tests[ARRAY_SIZE(tests) - 1]);

    if (is_wine())
    {
        hr = INapEnforcementClientConnection_SetIsolationInfo(connection, NULL);
        ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
        hr = INapEnforcementClientConnection_GetIsolationInfo(connection, NULL);
        ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
        hr = INapEnforcementClientConnection2_SetIsolationInfoEx(get_connection2(connection), NULL);
        ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
        hr = INapEnforcementClientConnection2_GetIsolationInfoEx(get_connection2(connection), NULL);
        ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
        check_connection_isolation(connection, &tests[ARRAY_SIZE(tests) - 1]);
    }
    destroy_connection(connection);
}

#define check_shvs(connection, ids, count) check_shvs_(__LINE__, connection, ids, count)
static void check_shvs_(int line, INapEnforcementClientConnection *connection, const SystemHealthEntityId *expected,
        UINT16 expected_count)
{
    SystemHealthEntityId *ids = (void *)0xdeadbeef;
    UINT16 count = 0xcccc;
    HRESULT hr;

    hr = INapEnforcementClientConnection2_GetInstalledShvs(get_connection2(connection), &count, &ids);
    ok_(__FILE__, line)(hr == S_OK || broken(!expected_count), "Got hr %#lx.\n", hr);
    if (hr != S_OK)
        return;
    ok_(__FILE__, line)(count == expected_count, "Got %u, expected %u.\n", count, expected_count);
    if (!expected_count)
        ok_(__FILE__, line)(!ids || broken(!!ids), "Got %p.\n", ids);
    else if (count == expected_count)
        ok_(__FILE__, line)(!memcmp(ids, expected, count * sizeof(*ids)), "Got other ids.\n");
    CoTaskMemFree(ids);
}

static void test_installed_shvs(void)
{
    static const UINT16 counts[] = {1, 20, 2, 21, 0, 0xffff, 5};
    INapEnforcementClientConnection *connection = create_connection();
    INapEnforcementClientConnection2 *connection2 = get_connection2(connection);
    SystemHealthEntityId ids[21], last[20], *result;
    UINT16 last_count = 0, count;
    unsigned int i, j;
    HRESULT hr;

    check_shvs(connection, NULL, 0);
    for (i = 0; i < ARRAY_SIZE(counts); ++i)
    {
        winetest_push_context("count %u", counts[i]);
        for (j = 0; j < ARRAY_SIZE(ids); ++j)
            ids[j] = 0x13700 + 100 * i + j;
        if (counts[i] && counts[i] <= maxSystemHealthEntityCount)
        {
            hr = INapEnforcementClientConnection2_SetInstalledShvs(connection2, counts[i], ids);
            ok(hr == S_OK, "Got hr %#lx.\n", hr);
            last_count = counts[i];
            memcpy(last, ids, last_count * sizeof(*ids));
        }
        else if (!counts[i] || is_wine())
        {
            hr = INapEnforcementClientConnection2_SetInstalledShvs(connection2, counts[i], ids);
            ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
        }
        memset(ids, 0xcc, sizeof(ids));
        check_shvs(connection, last, last_count);
        winetest_pop_context();
    }
    if (is_wine())
    {
        hr = INapEnforcementClientConnection2_SetInstalledShvs(connection2, 1, NULL);
        ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
        check_shvs(connection, last, last_count);
        hr = INapEnforcementClientConnection2_GetInstalledShvs(connection2, &count, NULL);
        ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
        hr = INapEnforcementClientConnection2_GetInstalledShvs(connection2, NULL, &result);
        ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    }
    destroy_connection(connection);
}

/* CreateConnection() has done it already. */
static void test_initialize(void)
{
    INapEnforcementClientConnection *connection;
    HRESULT hr;

    connection = create_connection();
    hr = INapEnforcementClientConnection_Initialize(connection, ec.id);
    check_unknown_hr(hr, HRESULT_FROM_WIN32(ERROR_ALREADY_INITIALIZED));
    destroy_connection(connection);
}

static void test_null(void)
{
    INapEnforcementClientConnection *connection;
    HRESULT hr;

    if (!is_wine())
        return;
    connection = create_connection();
    hr = INapEnforcementClientConnection_GetMaxSize(connection, NULL);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    hr = INapEnforcementClientConnection_GetFlags(connection, NULL);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    hr = INapEnforcementClientConnection_SetConnectionId(connection, NULL);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    hr = INapEnforcementClientConnection_GetConnectionId(connection, NULL);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    hr = INapEnforcementClientConnection_GetCorrelationId(connection, NULL);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    hr = INapEnforcementClientConnection_GetStringCorrelationId(connection, NULL);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    destroy_connection(connection);
}

/* A connection is as good as its last reference. */
static void test_lifetime(void)
{
    INapEnforcementClientConnection *connection = create_connection();
    static const BYTE bytes[] = "bytes of the enforcement client";
    NetworkSoH blob = {sizeof(bytes), (BYTE *)bytes};
    UINT32 size;
    HRESULT hr;

    hr = set_blob(connection, ENFORCER_PRIVATE_DATA, &blob);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = INapEnforcementClientBinding_NotifyConnectionStateDown(ec.binding, connection);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    check_blob(connection, ENFORCER_PRIVATE_DATA, bytes, sizeof(bytes));
    release_object(connection);

    connection = create_connection();
    hr = set_blob(connection, ENFORCER_PRIVATE_DATA, &blob);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    unbind_ec(&ec);
    check_blob(connection, ENFORCER_PRIVATE_DATA, bytes, sizeof(bytes));
    hr = INapEnforcementClientConnection_GetMaxSize(connection, &size);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);

    stop_agent();
    check_blob(connection, ENFORCER_PRIVATE_DATA, bytes, sizeof(bytes));
    hr = INapEnforcementClientConnection_SetMaxSize(connection, 1000);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    check_connection_isolation(connection, NULL);
    release_object(connection);
    bind_ec(&ec);
}

static DWORD WINAPI property_thread(void *arg)
{
    INapEnforcementClientConnection *connection = arg;
    IsolationInfo info = {isolationStateRestrictedAccess}, *info_copy;
    BYTE data[200];
    NetworkSoH blob, *copy;
    unsigned int i, j;
    HRESULT hr;

    set_string(&info.failureUrl, L"http://fix.example.com/");
    for (i = 0; i < 500; ++i)
    {
        blob.size = 1 + i % sizeof(data);
        blob.data = data;
        memset(data, i, blob.size);
        hr = set_blob(connection, PRIVATE_DATA, &blob);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        hr = get_blob_property(connection, PRIVATE_DATA, &copy);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        /* Somebody's, but all of it. */
        for (j = 0; j < copy->size && copy->data[j] == copy->data[0]; ++j)
            ;
        ok(j == copy->size, "Got mixed bytes.\n");
        free_blob(PRIVATE_DATA, copy);
        hr = INapEnforcementClientConnection_SetIsolationInfo(connection, &info);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        hr = INapEnforcementClientConnection_GetIsolationInfo(connection, &info_copy);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        ok(!lstrcmpW(info_copy->failureUrl.string, info.failureUrl.string), "Got %s.\n",
                wine_dbgstr_w(info_copy->failureUrl.string));
        pFreeIsolationInfo(info_copy);
    }
    return 0;
}

static void test_threads(void)
{
    INapEnforcementClientConnection *connection = create_connection();
    HANDLE threads[4];
    unsigned int i;
    DWORD ret;

    for (i = 0; i < ARRAY_SIZE(threads); ++i)
        threads[i] = CreateThread(NULL, 0, property_thread, connection, 0, NULL);
    ret = WaitForMultipleObjects(ARRAY_SIZE(threads), threads, TRUE, TIMEOUT);
    ok(ret == WAIT_OBJECT_0, "Got %#lx.\n", ret);
    for (i = 0; i < ARRAY_SIZE(threads); ++i)
        CloseHandle(threads[i]);
    destroy_connection(connection);
}

START_TEST(connection)
{
    unsigned int i;

    if (!load_agent())
        return;
    if (add_ec(&ec, TEST_ID(0)))
    {
        test_interfaces();
        test_initialize();
        test_max_size();
        test_flags();
        test_connection_id();
        test_correlation_id();
        for (i = 0; i < BLOB_PROPERTY_COUNT; ++i)
        {
            winetest_push_context("%s", blob_properties[i].name);
            test_blob(i);
            winetest_pop_context();
        }
        test_isolation_info();
        test_installed_shvs();
        test_null();
        test_threads();
        test_lifetime();
        remove_ec(&ec);
    }
    unload_agent();
}
