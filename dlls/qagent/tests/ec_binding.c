/*
 * Tests for the bindings of enforcement clients
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

static const WCHAR child_ready[] = L"winetest_qagent_ec_ready";
static const WCHAR child_go_on[] = L"winetest_qagent_ec_go_on";

/* Has a connection that isn't of the binding that is tested. */
static struct ec foreign;

/* Of each method but Initialize(), and but those that end something while the service is down, which isn't to be
 * tried out. */
#define check_all_methods(binding, connection, expected) check_all_methods_(__LINE__, binding, connection, expected)
static void check_all_methods_(int line, INapEnforcementClientBinding *binding,
        INapEnforcementClientConnection *connection, HRESULT expected)
{
    INapEnforcementClientConnection *created = (void *)0xdeadbeef;
    BOOL hint = 0xdeadbeef, unknown = expected == NAP_E_NOT_INITIALIZED;
    HRESULT hr;

    hr = INapEnforcementClientBinding_CreateConnection(binding, &created);
    ok_(__FILE__, line)(hr == expected || broken(unknown), "CreateConnection: got hr %#lx.\n", hr);
    if (hr == S_OK)
        INapEnforcementClientConnection_Release(created);
    else
        ok_(__FILE__, line)(!created || broken(!!created), "Got %p.\n", created);
    hr = INapEnforcementClientBinding_GetSoHRequest(binding, connection, &hint);
    ok_(__FILE__, line)(hr == expected, "GetSoHRequest: got hr %#lx.\n", hr);
    hr = INapEnforcementClientBinding_ProcessSoHResponse(binding, connection);
    ok_(__FILE__, line)(hr == expected, "ProcessSoHResponse: got hr %#lx.\n", hr);
    hr = INapEnforcementClientBinding_NotifySoHChangeFailure(binding);
    ok_(__FILE__, line)(hr == expected, "NotifySoHChangeFailure: got hr %#lx.\n", hr);
    if (expected == RPC_E_DISCONNECTED)
        return;
    hr = INapEnforcementClientBinding_NotifyConnectionStateDown(binding, connection);
    ok_(__FILE__, line)(hr == expected, "NotifyConnectionStateDown: got hr %#lx.\n", hr);
    hr = INapEnforcementClientBinding_Uninitialize(binding);
    ok_(__FILE__, line)(hr == expected || broken(unknown), "Uninitialize: got hr %#lx.\n", hr);
}

/* After the service was stopped. Brings a NotifySoHChange() some seconds later. */
#define check_rebound(ec) check_eventually(INapEnforcementClientBinding_NotifySoHChangeFailure((ec)->binding) == S_OK)

static void test_not_initialized(void)
{
    INapEnforcementClientBinding *binding = create_ec_binding();

    check_all_methods(binding, foreign.connections[0], NAP_E_NOT_INITIALIZED);
    check_all_methods(binding, foreign.connections[0], NAP_E_NOT_INITIALIZED);
    release_object(binding);
}

static void test_initialize_failure(void)
{
    struct ec ec;
    HRESULT hr;
    DWORD code;

    init_ec(&ec, UNKNOWN_ID);
    hr = initialize_ec(&ec);
    ok(hr == NAP_E_NOT_REGISTERED, "Got hr %#lx.\n", hr);
    ok(ec.refcount == 1, "Got %ld references.\n", ec.refcount);

    /* An administrator has to agree. */
    register_ec(TEST_ID(1));
    ec.id = TEST_ID(1);
    hr = initialize_ec(&ec);
    ok(hr == NAP_E_ENTITY_DISABLED || broken(FAILED(hr)), "Got hr %#lx.\n", hr);
    ok(ec.refcount == 1, "Got %ld references.\n", ec.refcount);
    check_all_methods(ec.binding, foreign.connections[0], NAP_E_NOT_INITIALIZED);

    code = set_enforcement(TEST_ID(1), TRUE);
    ok(!code, "Got exit code %#lx.\n", code);
    if (is_wine())
    {
        hr = INapEnforcementClientBinding_Initialize(ec.binding, ec.id, NULL);
        ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    }
    bind_ec(&ec);
    unbind_ec(&ec);

    /* That persists. */
    stop_agent();
    start_agent();
    bind_ec(&ec);
    unbind_ec(&ec);
    code = set_enforcement(TEST_ID(1), FALSE);
    ok(!code, "Got exit code %#lx.\n", code);
    hr = initialize_ec(&ec);
    ok(hr == NAP_E_ENTITY_DISABLED || broken(FAILED(hr)), "Got hr %#lx.\n", hr);

    /* It isn't there for whoever registers next. */
    code = set_enforcement(TEST_ID(1), TRUE);
    ok(!code, "Got exit code %#lx.\n", code);
    unregister_ec(TEST_ID(1));
    register_ec(TEST_ID(1));
    hr = initialize_ec(&ec);
    ok(hr == NAP_E_ENTITY_DISABLED || broken(TRUE), "Got hr %#lx.\n", hr);
    if (hr == S_OK)
        unbind_ec(&ec);
    cleanup_ec(&ec);
    unregister_ec(TEST_ID(1));
    check_rebound(&foreign);
}

static void test_initialize(void)
{
    struct ec ec, other;
    unsigned int i;
    HRESULT hr;

    if (!add_ec(&ec, TEST_ID(1)))
        return;
    for (i = 0; i < 3; ++i)
    {
        winetest_push_context("round %u", i);
        ok(ec.refcount > 1, "Got %ld references.\n", ec.refcount);
        hr = initialize_ec(&ec);
        check_already_initialized(hr);
        init_ec(&other, TEST_ID(1));
        hr = initialize_ec(&other);
        check_already_initialized(hr);
        ok(other.refcount == 1, "Got %ld references.\n", other.refcount);
        cleanup_ec(&other);
        hr = INapClientManagement_UnregisterEnforcementClient(management, TEST_ID(1));
        ok(hr == NAP_E_STILL_BOUND, "Got hr %#lx.\n", hr);
        unbind_ec(&ec);
        check_all_methods(ec.binding, foreign.connections[0], NAP_E_NOT_INITIALIZED);
        bind_ec(&ec);
        winetest_pop_context();
    }
    remove_ec(&ec);
}

/* Whoever forgets Uninitialize() doesn't keep the id. */
static void test_release(void)
{
    struct ec ec;

    if (!is_wine() || !add_ec(&ec, TEST_ID(1)))
        return;
    INapEnforcementClientBinding_Release(ec.binding);
    check_eventually(INapClientManagement_UnregisterEnforcementClient(management, TEST_ID(1)) == S_OK);
    check_eventually(ec.refcount == 1);
    cleanup_calls(ec.calls, EC_CALL_COUNT);
    DeleteCriticalSection(&ec.cs);
}

static void test_null(void)
{
    INapEnforcementClientConnection *connection;
    struct ec ec;
    BOOL hint;
    HRESULT hr;

    if (!is_wine() || !add_ec(&ec, TEST_ID(1)))
        return;
    connection = add_connection(&ec);
    hr = INapEnforcementClientBinding_CreateConnection(ec.binding, NULL);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    hr = INapEnforcementClientBinding_GetSoHRequest(ec.binding, NULL, &hint);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    hr = INapEnforcementClientBinding_GetSoHRequest(ec.binding, connection, NULL);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    hr = INapEnforcementClientBinding_ProcessSoHResponse(ec.binding, NULL);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    hr = INapEnforcementClientBinding_NotifyConnectionStateDown(ec.binding, NULL);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    remove_connection(&ec);
    remove_ec(&ec);
}

static void test_other_process(void)
{
    HANDLE ready = create_event(child_ready), go_on = create_event(child_go_on), process;
    struct ec ec;
    HRESULT hr;

    if (!add_ec(&ec, TEST_ID(1)))
        return;
    end_child(start_child("bind", TEST_ID(1)), HRESULT_FROM_WIN32(ERROR_ALREADY_INITIALIZED));
    end_child(start_child("unregister", TEST_ID(1)), NAP_E_STILL_BOUND);
    unbind_ec(&ec);

    process = start_child("bind", TEST_ID(1));
    check_wait(ready);
    hr = initialize_ec(&ec);
    check_already_initialized(hr);
    hr = INapClientManagement_UnregisterEnforcementClient(management, TEST_ID(1));
    ok(hr == NAP_E_STILL_BOUND, "Got hr %#lx.\n", hr);
    SetEvent(go_on);
    end_child(process, S_OK);
    bind_ec(&ec);
    unbind_ec(&ec);
    ResetEvent(ready);
    ResetEvent(go_on);

    process = start_child("bind", TEST_ID(1));
    check_wait(ready);
    TerminateProcess(process, 0x1234);
    end_child(process, 0x1234);
    check_eventually((hr = initialize_ec(&ec)) == S_OK);
    remove_ec(&ec);
    CloseHandle(go_on);
    CloseHandle(ready);
}

/* Unlike an SHA, an enforcement client brings the service up. */
static void test_stopped(void)
{
    struct ec ec;
    HRESULT hr;

    if (!add_ec(&ec, TEST_ID(1)))
        return;
    unbind_ec(&ec);
    stop_agent();
    hr = initialize_ec(&ec);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(get_agent_state() == SERVICE_RUNNING, "Got state %lu.\n", get_agent_state());
    hr = INapEnforcementClientBinding_NotifySoHChangeFailure(ec.binding);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    remove_ec(&ec);
    check_rebound(&foreign);
}

static void test_restart(void)
{
    static const IsolationInfo nonsense = {7};
    INapEnforcementClientConnection *connection;
    struct ec ec, other;
    struct sha sha;
    struct ssoh ssoh;
    unsigned int i;
    HRESULT hr;

    if (!add_ec(&ec, TEST_ID(1)))
        return;
    connection = add_connection(&ec);
    add_sha(&sha, TEST_ID(0));
    init_ec(&other, TEST_ID(1));
    for (i = 0; i < 2; ++i)
    {
        winetest_push_context("round %u", i);
        get_request(&ec, connection, &ssoh);
        hr = respond(&ec, connection, &ssoh.correlation_id, &verdict_restricted, sha.id, S_OK);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        get_request(&ec, connection, &ssoh);

        stop_agent();
        check_all_methods(ec.binding, connection, RPC_E_DISCONNECTED);
        ok(ec.refcount > 1, "Got %ld references.\n", ec.refcount);
        start_agent();
        check_rebound(&ec);
        check_rebound(&foreign);
        check_eventually(INapSystemHealthAgentBinding_NotifySoHChange(sha.binding) == S_OK);
        hr = initialize_ec(&ec);
        check_already_initialized(hr);
        hr = initialize_ec(&other);
        check_already_initialized(hr);
        hr = INapClientManagement_UnregisterEnforcementClient(management, TEST_ID(1));
        ok(hr == NAP_E_STILL_BOUND, "Got hr %#lx.\n", hr);

        /* The callback is the same one; its connections, and what they have been told, have stayed. */
        forget_calls(&ec.calls[EC_NotifySoHChange]);
        hr = INapSystemHealthAgentBinding_NotifySoHChange(sha.binding);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        check_call(&ec.calls[EC_NotifySoHChange]);
        check_connection_isolation(connection, &verdict_restricted);
        if (is_wine())
            check_system_isolation(&verdict_restricted, TRUE);

        /* The response to what was asked before. */
        forget_calls(&sha.calls[SHA_ProcessSoHResponse]);
        hr = respond(&ec, connection, &ssoh.correlation_id, &verdict_healthy, sha.id, 0x80270050);
        ok(hr == S_OK || broken(hr == NAP_E_MISMATCHED_ID), "Got hr %#lx.\n", hr);
        if (hr == S_OK)
        {
            check_call(&sha.calls[SHA_ProcessSoHResponse]);
            check_correlation_id(&sha.response_id, &ssoh.correlation_id);
            check_connection_isolation(connection, &verdict_healthy);
        }
        winetest_pop_context();
    }

    /* What a client sets in the agent's place is no verdict, if it can't be one. */
    if (is_wine())
    {
        hr = INapEnforcementClientConnection_SetIsolationInfo(connection, &nonsense);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        stop_agent();
        start_agent();
        check_rebound(&ec);
        check_rebound(&foreign);
        get_request(&ec, connection, &ssoh);
    }
    cleanup_ec(&other);
    remove_sha(&sha);
    remove_connection(&ec);
    remove_ec(&ec);
}

/* An end while the service is down. */
static void test_end_stopped(void)
{
    INapEnforcementClientConnection *connection;
    unsigned int i;
    struct ec ec;
    HRESULT hr;

    if (!is_wine())
        return;
    for (i = 0; i < 2; ++i)
    {
        winetest_push_context("Uninitialize %u", i);
        if (!add_ec(&ec, TEST_ID(1)))
            return;
        connection = add_connection(&ec);
        stop_agent();
        if (i)
        {
            hr = INapEnforcementClientBinding_NotifyConnectionStateDown(ec.binding, connection);
            ok(hr == RPC_E_DISCONNECTED, "Got hr %#lx.\n", hr);
            hr = INapEnforcementClientBinding_Uninitialize(ec.binding);
            ok(hr == RPC_E_DISCONNECTED, "Got hr %#lx.\n", hr);
        }
        INapEnforcementClientBinding_Release(ec.binding);
        INapEnforcementClientConnection_Release(connection);
        check_eventually(ec.refcount == 1);
        start_agent();
        check_rebound(&foreign);
        check_eventually(INapClientManagement_UnregisterEnforcementClient(management, TEST_ID(1)) == S_OK);
        cleanup_calls(ec.calls, EC_CALL_COUNT);
        DeleteCriticalSection(&ec.cs);
        winetest_pop_context();
    }
}

static void test_connection_limit(void)
{
    INapEnforcementClientConnection *connection;
    unsigned int i, round;
    struct ssoh ssoh;
    struct ec ec;
    HRESULT hr;

    if (!add_ec(&ec, TEST_ID(1)))
        return;
    for (round = 0; round < 2; ++round)
    {
        winetest_push_context("round %u", round);
        for (i = 0; i < maxConnectionCountPerEnforcer; ++i)
            add_connection(&ec);
        connection = (void *)0xdeadbeef;
        hr = INapEnforcementClientBinding_CreateConnection(ec.binding, &connection);
        ok(hr == E_OUTOFMEMORY || broken(hr != E_OUTOFMEMORY), "Got hr %#lx.\n", hr);
        if (hr == S_OK)
            INapEnforcementClientConnection_Release(connection);
        else
            ok(!connection || broken(!!connection), "Got %p.\n", connection);
        /* It is per enforcement client. */
        add_connection(&foreign);
        remove_connection(&foreign);

        /* Each is as good as the others. */
        for (i = 0; i < maxConnectionCountPerEnforcer; ++i)
        {
            winetest_push_context("connection %u", i);
            get_request(&ec, ec.connections[i], &ssoh);
            hr = respond(&ec, ec.connections[i], &ssoh.correlation_id, &verdict_restricted, 0, S_OK);
            ok(hr == S_OK, "Got hr %#lx.\n", hr);
            check_connection_isolation(ec.connections[i], &verdict_restricted);
            winetest_pop_context();
        }
        remove_connection(&ec);
        add_connection(&ec);
        while (ec.connection_count)
            remove_connection(&ec);
        winetest_pop_context();
    }

    /* What is released without a word is gone, too. */
    if (is_wine())
    {
        for (i = 0; i < 2 * maxConnectionCountPerEnforcer; ++i)
        {
            hr = INapEnforcementClientBinding_CreateConnection(ec.binding, &connection);
            ok(hr == S_OK, "%u: got hr %#lx.\n", i, hr);
            if (hr == S_OK)
                release_object(connection);
        }
    }
    remove_ec(&ec);
}

static void test_request(void)
{
    INapEnforcementClientConnection *connection;
    CorrelationId id = {{0}}, first_id = {{0}};
    PrivateData *private_data;
    ConnectionId *connection_id;
    struct sha sha;
    struct ssoh ssoh;
    ULONGLONG before;
    unsigned int i;
    struct ec ec;
    UINT8 flags;
    HRESULT hr;
    BOOL hint;

    if (!add_ec(&ec, TEST_ID(1)))
        return;
    add_sha(&sha, TEST_ID(0));
    connection = add_connection(&ec);
    for (i = 0; i < 4; ++i)
    {
        winetest_push_context("request %u", i);
        sha.health = i < 2 ? "same" : "other";
        before = get_system_time();
        hint = get_request(&ec, connection, &ssoh);
        if (i)
            ok(hint == (i == 2), "Got hint %d.\n", hint);
        ok(get_filetime(&ssoh.correlation_id.timeStamp) > get_filetime(&id.timeStamp), "Got %s after %s.\n",
                debugstr_correlation_id(&ssoh.correlation_id), debugstr_correlation_id(&id));
        id = ssoh.correlation_id;
        if (!i)
            first_id = id;
        ok(get_filetime(&id.timeStamp) + 600000000 > before
                && get_filetime(&id.timeStamp) < get_system_time() + 600000000, "Got time %#I64x.\n",
                get_filetime(&id.timeStamp));
        hr = INapEnforcementClientConnection_GetConnectionId(connection, &connection_id);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        ok(IsEqualGUID(&id.connId, connection_id) || broken(!IsEqualGUID(&id.connId, connection_id)),
                "Got %s, expected %s.\n", wine_dbgstr_guid(&id.connId), wine_dbgstr_guid(connection_id));
        CoTaskMemFree(connection_id);

        flags = 0xcc;
        hr = INapEnforcementClientConnection_GetFlags(connection, &flags);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        ok(flags == freshSoHRequest || broken(flags != freshSoHRequest), "Got flags %#x.\n", flags);
        private_data = (void *)0xdeadbeef;
        hr = INapEnforcementClientConnection_GetPrivateData(connection, &private_data);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        if (private_data)
            ok(private_data->size <= maxPrivateDataSize, "Got %u bytes.\n", private_data->size);
        pFreePrivateData(private_data);
        check_connection_isolation(connection, NULL);
        winetest_pop_context();
    }
    remove_connection(&ec);

    /* A connection without an id has one all the same. */
    hr = INapEnforcementClientBinding_CreateConnection(ec.binding, &connection);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    get_request(&ec, connection, &ssoh);
    ok(!IsEqualGUID(&ssoh.correlation_id.connId, &GUID_NULL) || broken(!is_wine()), "Got no id.\n");
    ok(!IsEqualGUID(&ssoh.correlation_id.connId, &first_id.connId), "Got %s again.\n",
            wine_dbgstr_guid(&first_id.connId));
    hr = INapEnforcementClientBinding_NotifyConnectionStateDown(ec.binding, connection);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    release_object(connection);
    remove_sha(&sha);
    remove_ec(&ec);
}

/* A connection of another binding, and of none any more. */
static void test_foreign_connection(void)
{
    INapEnforcementClientConnection *connection;
    struct ssoh ssoh;
    struct ec ec;
    BOOL hint;
    HRESULT hr;

    if (!add_ec(&ec, TEST_ID(1)))
        return;
    /* This binding has created none yet. */
    hr = INapEnforcementClientBinding_ProcessSoHResponse(ec.binding, foreign.connections[0]);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);

    connection = add_connection(&ec);

    /* no response, and an empty one */
    hr = INapEnforcementClientBinding_ProcessSoHResponse(ec.binding, connection);
    check_unknown_hr(hr, E_INVALIDARG);
    hr = process_bytes(&ec, connection, NULL, 0);
    check_unknown_hr(hr, S_OK);

    get_request(&foreign, foreign.connections[0], &ssoh);
    hr = INapEnforcementClientBinding_GetSoHRequest(ec.binding, foreign.connections[0], &hint);
    check_failure(hr, E_INVALIDARG);
    hr = INapEnforcementClientBinding_ProcessSoHResponse(ec.binding, foreign.connections[0]);
    check_failure(hr, E_INVALIDARG);
    hr = INapEnforcementClientBinding_NotifyConnectionStateDown(ec.binding, foreign.connections[0]);
    check_failure(hr, E_INVALIDARG);
    hr = respond(&foreign, foreign.connections[0], &ssoh.correlation_id, &verdict_healthy, 0, S_OK);
    ok(hr == S_OK || broken(hr != S_OK), "Got hr %#lx.\n", hr);

    hr = INapEnforcementClientBinding_NotifyConnectionStateDown(ec.binding, connection);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = INapEnforcementClientBinding_GetSoHRequest(ec.binding, connection, &hint);
    check_failure(hr, E_INVALIDARG);
    hr = INapEnforcementClientBinding_NotifyConnectionStateDown(ec.binding, connection);
    check_failure(hr, E_INVALIDARG);
    ec.connection_count = 0;
    release_object(connection);
    remove_ec(&ec);

    remove_connection(&foreign);
    add_connection(&foreign);
}

static void put_shvs(struct response *response, const SystemHealthEntityId *ids, unsigned int count)
{
    unsigned int i;

    put_u8(response, 7);
    put_u16(response, 4 * count);
    for (i = 0; i < count; ++i)
        put_u32(response, ids[i]);
    /* The values were complete before. */
    put_size(response, 68, get_u16(response->data + 68) + 3 + 4 * count);
}

static void check_response_end(INapEnforcementClientConnection *connection)
{
    PrivateData *private_data = (void *)0xdeadbeef;
    UINT8 flags = 0xcc;
    HRESULT hr;

    hr = INapEnforcementClientConnection_GetFlags(connection, &flags);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(!flags || broken(flags), "Got flags %#x.\n", flags);
    hr = INapEnforcementClientConnection_GetPrivateData(connection, &private_data);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    if (private_data)
        ok(private_data->size <= maxPrivateDataSize, "Got %u bytes.\n", private_data->size);
    pFreePrivateData(private_data);
}

static void test_verdicts(void)
{
    static const struct verdict tests[] =
    {
        {isolationStateNotRestricted},
        {isolationStateRestrictedAccess, FALSE, extendedIsolationStateNoData, 0, "http://fix.example.com/"},
        {isolationStateRestrictedAccess, TRUE, extendedIsolationStateInfected},
        {isolationStateInProbation, TRUE, extendedIsolationStateTransition, 0x7000000000000000, "http://a/"},
        {isolationStateNotRestricted, FALSE, extendedIsolationStateUnknown},
        {isolationStateInProbation, FALSE, extendedIsolationStateNoData, 0x7123456789abcdef},
    };
    static const SystemHealthEntityId shvs[] = {0x000137f2, 0x00013780, UNKNOWN_ID};
    INapEnforcementClientConnection2 *connection2;
    INapEnforcementClientConnection *connection;
    SystemHealthEntityId *ids;
    struct response response;
    struct ssoh ssoh;
    unsigned int i, j;
    struct sha sha;
    struct ec ec;
    UINT16 count;
    HRESULT hr;

    if (!add_ec(&ec, TEST_ID(1)))
        return;
    add_sha(&sha, TEST_ID(0));
    connection = add_connection(&ec);
    for (i = 0; i < ARRAY_SIZE(tests); ++i)
    {
        for (j = 0; j < 3; ++j)
        {
            winetest_push_context("verdict %u, form %u", i, j);
            get_request(&ec, connection, &ssoh);
            begin_response(&response, &ssoh.correlation_id, &tests[i]);
            put_result(&response, sha.id, 0x80270050 + i);
            end_response(&response);
            if (j == 1)
            {
                /* Without the wrapper. */
                hr = process_bytes(&ec, connection, response.data + 12, response.size - 12);
            }
            else if (j == 2)
            {
                /* Without the mode, too. */
                memmove(response.data + 24, response.data + 58, response.size - 58);
                response.size -= 34;
                end_response(&response);
                response.data[21] = 1;
                hr = process_bytes(&ec, connection, response.data + 12, response.size - 12);
            }
            else
            {
                hr = process_response(&ec, connection, &response);
            }
            ok(hr == S_OK || broken(j), "Got hr %#lx.\n", hr);
            if (hr == S_OK)
            {
                check_connection_isolation(connection, &tests[i]);
                check_call(&sha.calls[SHA_ProcessSoHResponse]);
                ok(sha.response_code == 0x80270050 + i, "Got %#lx.\n", sha.response_code);
                ok(sha.response_flags == (tests[i].fixup ? shaFixup : 0), "Got flags %#x.\n", sha.response_flags);
                check_response_end(connection);
                check_system_isolation(&tests[i], TRUE);
            }
            winetest_pop_context();
        }
    }

    /* What the server has to validate with. */
    get_request(&ec, connection, &ssoh);
    begin_response(&response, &ssoh.correlation_id, &verdict_healthy);
    put_shvs(&response, shvs, ARRAY_SIZE(shvs));
    put_result(&response, sha.id, S_OK);
    end_response(&response);
    hr = process_response(&ec, connection, &response);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = INapEnforcementClientConnection_QueryInterface(connection, &IID_INapEnforcementClientConnection2,
            (void **)&connection2);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    count = 0xcccc;
    ids = (void *)0xdeadbeef;
    hr = INapEnforcementClientConnection2_GetInstalledShvs(connection2, &count, &ids);
    ok(hr == S_OK || broken(FAILED(hr)), "Got hr %#lx.\n", hr);
    if (hr == S_OK)
    {
        ok((count == ARRAY_SIZE(shvs) && !memcmp(ids, shvs, sizeof(shvs))) || broken(TRUE), "Got %u ids.\n", count);
        CoTaskMemFree(ids);
    }
    INapEnforcementClientConnection2_Release(connection2);

    remove_sha(&sha);
    remove_connection(&ec);
    remove_ec(&ec);
}

/* Nothing may come of what isn't a response. */
#define check_refused(ec, connection, data, size) check_refused_(__LINE__, ec, connection, data, size)
static void check_refused_(int line, struct ec *ec, INapEnforcementClientConnection *connection, const void *data,
        unsigned int size)
{
    HRESULT hr = process_bytes(ec, connection, data, size);

    ok_(__FILE__, line)(hr == NAP_E_INVALID_PACKET, "Got hr %#lx.\n", hr);
}

/* At each byte. */
static void test_truncated_response(void)
{
    INapEnforcementClientConnection *connection;
    struct response response;
    struct ssoh ssoh;
    unsigned int i;
    struct sha sha;
    struct ec ec;
    HRESULT hr;

    if (!add_ec(&ec, TEST_ID(1)))
        return;
    add_sha(&sha, TEST_ID(0));
    connection = add_connection(&ec);
    get_request(&ec, connection, &ssoh);
    begin_response(&response, &ssoh.correlation_id, &verdict_restricted);
    put_result(&response, sha.id, 0x80270050);
    end_response(&response);
    for (i = 1; i < response.size; ++i)
    {
        winetest_push_context("%u bytes", i);
        check_refused(&ec, connection, response.data, i);
        winetest_pop_context();
    }
    for (i = 1; i < response.size - 12; ++i)
    {
        winetest_push_context("%u bytes without the wrapper", i);
        check_refused(&ec, connection, response.data + 12, i);
        winetest_pop_context();
    }
    /* More than there should be. */
    check_refused(&ec, connection, response.data, response.size + 1);
    check_refused(&ec, connection, response.data, sizeof(response.data));

    /* Nothing at all is legal to set. */
    hr = process_bytes(&ec, connection, response.data, 0);
    check_unknown_hr(hr, S_OK);

    /* All as before. */
    check_connection_isolation(connection, NULL);
    check_not_called(&sha.calls[SHA_ProcessSoHResponse]);
    ok(!sha.calls[SHA_NotifyOrphanedSoHRequest].count, "Got %ld calls.\n",
            sha.calls[SHA_NotifyOrphanedSoHRequest].count);
    hr = process_response(&ec, connection, &response);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    check_connection_isolation(connection, &verdict_restricted);
    check_call(&sha.calls[SHA_ProcessSoHResponse]);
    remove_sha(&sha);
    remove_connection(&ec);
    remove_ec(&ec);
}

/* One byte or two of a response that is otherwise right. The offsets are those of begin_response(). */
static const struct
{
    const char *name;
    unsigned int offset;
    unsigned int size;
    UINT16 value;
    HRESULT hr;
    BOOL unknown;   /* what Windows makes of it */
}
damages[] =
{
    {"wrapper's type", 0, 2, 0x0006, NAP_E_INVALID_PACKET},
    {"wrapper's length 0", 2, 2, 0, NAP_E_INVALID_PACKET},
    {"wrapper's length too large", 2, 2, 0xffff, NAP_E_INVALID_PACKET},
    {"wrapper's vendor", 6, 2, 0x0138, NAP_E_INVALID_PACKET},
    {"wrapper's inner type of a request", 8, 2, 1, NAP_E_INVALID_PACKET, TRUE},
    {"wrapper's inner type", 8, 2, 0x77, NAP_E_INVALID_PACKET},
    {"wrapper's inner length 0", 10, 2, 0, NAP_E_INVALID_PACKET},
    {"wrapper's inner length", 10, 2, 0xffff, NAP_E_INVALID_PACKET},
    {"header's type", 12, 2, 0x0002, NAP_E_INVALID_PACKET},
    {"header's length", 14, 2, 0x0010, NAP_E_INVALID_PACKET},
    {"header's length too large", 14, 2, 0xfff0, NAP_E_INVALID_PACKET},
    {"header's vendor", 18, 2, 0, NAP_E_INVALID_PACKET},
    {"header's inner type 3", 20, 2, 3, NAP_E_INVALID_PACKET},
    {"header's inner type 1 before a mode", 20, 2, 1, NAP_E_INVALID_PACKET},
    {"header's inner length", 22, 2, 0x0100, NAP_E_INVALID_PACKET},
    {"mode's length", 26, 2, 0x001d, NAP_E_INVALID_PACKET},
    {"mode's length too large", 26, 2, 0xffff, NAP_E_INVALID_PACKET},
    {"mode's vendor", 30, 2, 0x0139, NAP_E_INVALID_PACKET},
    {"mode's content type", 57, 1, 1, NAP_E_INVALID_PACKET},
    {"system's id", 58, 2, 0x0003, NAP_E_INVALID_PACKET},
    {"system's id's length", 60, 2, 5, NAP_E_INVALID_PACKET},
    {"somebody else's id", 65, 1, 0x80, NAP_E_INVALID_PACKET},
    {"values' type", 66, 2, 0x0006, NAP_E_INVALID_PACKET},
    {"values' length 0", 68, 2, 0, NAP_E_INVALID_PACKET},
    {"values' length 4", 68, 2, 4, NAP_E_INVALID_PACKET},
    {"values' length one less", 68, 2, 0x0043, NAP_E_INVALID_PACKET, TRUE},
    {"values' length one more", 68, 2, 0x0045, NAP_E_INVALID_PACKET, TRUE},
    {"values' length too large", 68, 2, 0xffff, NAP_E_INVALID_PACKET},
    {"values' vendor", 72, 2, 0x0136, NAP_E_INVALID_PACKET},
    {"a request's packet info", 75, 1, 0x11, NAP_E_INVALID_PACKET},
    {"no packet info", 74, 1, 0x20, NAP_E_INVALID_PACKET, TRUE},
    {"no correlation id", 76, 1, 0x20, NAP_E_INVALID_PACKET, TRUE},
    /* Another than the mode's. */
    {"correlation id", 77, 1, 0, NAP_E_MISMATCHED_ID, TRUE},
    {"mode's correlation id", 32, 1, 0, NAP_E_MISMATCHED_ID, TRUE},
    {"time", 99, 2, 0x1234, NAP_E_MISMATCHED_ID, TRUE},
    {"no state", 101, 1, 0x20, NAP_E_INVALID_PACKET, TRUE},
    {"URL's length", 112, 2, 0xffff, NAP_E_INVALID_PACKET},
    {"URL's length one more", 112, 2, 0x0019, NAP_E_INVALID_PACKET},
    {"URL's length one less", 112, 2, 0x0017, NAP_E_INVALID_PACKET, TRUE},
    {"SHA's id's length", 140, 2, 3, NAP_E_INVALID_PACKET},
    {"SHA's result's length", 148, 2, 5, NAP_E_INVALID_PACKET},
    {"SHA's result's length too large", 148, 2, 0xffff, NAP_E_INVALID_PACKET},
    {"SHA's unknown attribute that must be understood", 146, 2, 0x9234, NAP_E_INVALID_PACKET, TRUE},
};

static void test_damaged_response(void)
{
    INapEnforcementClientConnection *connection;
    struct response response;
    BYTE original[2], *data;
    struct ssoh ssoh;
    unsigned int i;
    struct sha sha;
    struct ec ec;
    HRESULT hr;

    if (!add_ec(&ec, TEST_ID(1)))
        return;
    add_sha(&sha, TEST_ID(0));
    connection = add_connection(&ec);
    get_request(&ec, connection, &ssoh);
    begin_response(&response, &ssoh.correlation_id, &verdict_restricted);
    put_result(&response, sha.id, 0x80270050);
    end_response(&response);
    ok(response.size == 154, "Got %u bytes.\n", response.size);

    for (i = 0; i < ARRAY_SIZE(damages); ++i)
    {
        winetest_push_context("%s", damages[i].name);
        data = response.data + damages[i].offset;
        memcpy(original, data, damages[i].size);
        if (damages[i].size == 2)
            put_size(&response, damages[i].offset, damages[i].value);
        else
            *data = damages[i].value;
        ok(memcmp(original, data, damages[i].size), "Nothing has changed.\n");
        hr = process_response(&ec, connection, &response);
        ok(hr == damages[i].hr || broken(damages[i].unknown), "Got hr %#lx, expected %#lx.\n", hr, damages[i].hr);
        memcpy(data, original, damages[i].size);
        if (is_wine())
            check_connection_isolation(connection, NULL);
        winetest_pop_context();
    }
    check_not_called(&sha.calls[SHA_ProcessSoHResponse]);
    if (is_wine())
        ok(!sha.calls[SHA_NotifyOrphanedSoHRequest].count, "Got %ld calls.\n",
                sha.calls[SHA_NotifyOrphanedSoHRequest].count);
    hr = process_response(&ec, connection, &response);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    check_connection_isolation(connection, &verdict_restricted);
    check_call(&sha.calls[SHA_ProcessSoHResponse]);
    ok(sha.response_code == 0x80270050, "Got %#lx.\n", sha.response_code);
    remove_sha(&sha);
    remove_connection(&ec);
    remove_ec(&ec);
}

/* The connection's newest request counts. */
static void test_mismatched_id(void)
{
    INapEnforcementClientConnection *connection, *other;
    struct ssoh ssoh, old, other_ssoh;
    struct sha sha;
    struct ec ec;
    HRESULT hr;

    if (!add_ec(&ec, TEST_ID(1)))
        return;
    add_sha(&sha, TEST_ID(0));
    connection = add_connection(&ec);
    other = add_connection(&ec);

    /* None has been asked for. */
    hr = respond(&ec, connection, &no_correlation_id, &verdict_restricted, sha.id, S_OK);
    check_failure(hr, NAP_E_MISMATCHED_ID);

    get_request(&ec, connection, &old);
    get_request(&ec, connection, &ssoh);
    get_request(&ec, other, &other_ssoh);
    hr = respond(&ec, connection, &old.correlation_id, &verdict_restricted, sha.id, S_OK);
    ok(hr == NAP_E_MISMATCHED_ID, "Got hr %#lx.\n", hr);
    hr = respond(&ec, connection, &other_ssoh.correlation_id, &verdict_restricted, sha.id, S_OK);
    ok(hr == NAP_E_MISMATCHED_ID, "Got hr %#lx.\n", hr);
    hr = respond(&ec, connection, &no_correlation_id, &verdict_restricted, sha.id, S_OK);
    ok(hr == NAP_E_MISMATCHED_ID, "Got hr %#lx.\n", hr);
    check_connection_isolation(connection, NULL);
    check_not_called(&sha.calls[SHA_ProcessSoHResponse]);
    hr = respond(&ec, connection, &ssoh.correlation_id, &verdict_healthy, sha.id, 0x80270050);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    check_connection_isolation(connection, &verdict_healthy);
    check_call(&sha.calls[SHA_ProcessSoHResponse]);
    check_connection_isolation(other, NULL);

    /* A verdict stays when another response is refused. */
    hr = respond(&ec, connection, &old.correlation_id, &verdict_restricted, sha.id, S_OK);
    ok(hr == NAP_E_MISMATCHED_ID, "Got hr %#lx.\n", hr);
    check_connection_isolation(connection, &verdict_healthy);

    /* The same once more, as from an enforcement client that had kept it. */
    hr = respond(&ec, connection, &ssoh.correlation_id, &verdict_restricted, sha.id, 0x80270051);
    ok(hr == S_OK || broken(hr == NAP_E_MISMATCHED_ID), "Got hr %#lx.\n", hr);
    if (hr == S_OK)
    {
        check_connection_isolation(connection, &verdict_restricted);
        check_call(&sha.calls[SHA_ProcessSoHResponse]);
        ok(sha.response_code == 0x80270051, "Got %#lx.\n", sha.response_code);
        check_response_end(connection);
    }
    hr = respond(&ec, other, &other_ssoh.correlation_id, &verdict_restricted, sha.id, S_OK);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    check_call(&sha.calls[SHA_ProcessSoHResponse]);

    remove_sha(&sha);
    remove_connection(&ec);
    remove_connection(&ec);
    remove_ec(&ec);
}

/* No response has been set. */
static void test_missing_response(void)
{
    INapEnforcementClientConnection *connection;
    struct ssoh ssoh;
    struct ec ec;
    HRESULT hr;

    if (!add_ec(&ec, TEST_ID(1)))
        return;
    connection = add_connection(&ec);
    get_request(&ec, connection, &ssoh);
    hr = INapEnforcementClientBinding_ProcessSoHResponse(ec.binding, connection);
    check_failure(hr, E_INVALIDARG);
    check_connection_isolation(connection, NULL);
    hr = respond(&ec, connection, &ssoh.correlation_id, &verdict_healthy, 0, S_OK);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    remove_connection(&ec);
    remove_ec(&ec);
}

/* The worst of what is known. */
static void test_system_isolation(void)
{
    static const struct verdict verdicts[] =
    {
        {isolationStateNotRestricted, FALSE, extendedIsolationStateUnknown, 0, "http://0/"},
        {isolationStateInProbation, FALSE, extendedIsolationStateNoData, 0x7000000000000000, "http://1/"},
        {isolationStateInProbation, FALSE, extendedIsolationStateTransition, 0x6fff000000000000},
        {isolationStateRestrictedAccess, FALSE, extendedIsolationStateNoData},
        {isolationStateRestrictedAccess, FALSE, extendedIsolationStateInfected, 0, "http://4/"},
    };
    /* With so many of them. */
    static const struct verdict expected[ARRAY_SIZE(verdicts)] =
    {
        {isolationStateNotRestricted, FALSE, extendedIsolationStateUnknown, 0, "http://0/"},
        {isolationStateInProbation, FALSE, extendedIsolationStateNoData, 0x7000000000000000, "http://1/"},
        {isolationStateInProbation, FALSE, extendedIsolationStateTransition, 0x6fff000000000000, "http://1/"},
        {isolationStateRestrictedAccess, FALSE, extendedIsolationStateNoData},
        {isolationStateRestrictedAccess, FALSE, extendedIsolationStateInfected, 0, "http://4/"},
    };
    struct ssoh ssoh;
    struct ec ec;
    unsigned int i;
    HRESULT hr;

    /* How it is made up on Windows isn't published. */
    if (!is_wine() || !add_ec(&ec, TEST_ID(1)))
        return;
    remove_connection(&foreign);
    check_system_isolation(&verdict_healthy, FALSE);
    for (i = 0; i < ARRAY_SIZE(verdicts); ++i)
    {
        winetest_push_context("connection %u", i);
        add_connection(&ec);
        check_system_isolation(i ? &expected[i - 1] : &verdict_healthy, TRUE);
        get_request(&ec, ec.connections[i], &ssoh);
        check_system_isolation(i ? &expected[i - 1] : &verdict_healthy, TRUE);
        hr = respond(&ec, ec.connections[i], &ssoh.correlation_id, &verdicts[i], 0, S_OK);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        check_system_isolation(&expected[i], FALSE);
        winetest_pop_context();
    }
    while (i--)
    {
        winetest_push_context("connection %u", i);
        remove_connection(&ec);
        check_system_isolation(i ? &expected[i - 1] : &verdict_healthy, FALSE);
        winetest_pop_context();
    }

    /* Nor does it outlive its enforcement client. */
    add_connection(&ec);
    get_request(&ec, ec.connections[0], &ssoh);
    hr = respond(&ec, ec.connections[0], &ssoh.correlation_id, &verdict_restricted, 0, S_OK);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    check_system_isolation(&verdict_restricted, FALSE);
    unbind_ec(&ec);
    check_system_isolation(&verdict_healthy, FALSE);
    release_object(ec.connections[0]);
    ec.connection_count = 0;
    cleanup_ec(&ec);
    unregister_ec(TEST_ID(1));
    add_connection(&foreign);
}

static void test_probation(void)
{
    struct verdict verdict = {isolationStateInProbation};
    INapEnforcementClientConnection *connection;
    struct ssoh ssoh;
    struct sha sha;
    struct ec ec;
    BOOL hint;
    HRESULT hr;

    if (!add_ec(&ec, TEST_ID(1)))
        return;
    add_sha(&sha, TEST_ID(0));
    connection = add_connection(&ec);
    get_request(&ec, connection, &ssoh);
    verdict.probation_end = get_system_time() + 2 * 10000000;
    forget_calls(&ec.calls[EC_NotifySoHChange]);
    hr = respond(&ec, connection, &ssoh.correlation_id, &verdict, sha.id, S_OK);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    check_connection_isolation(connection, &verdict);
    check_call(&ec.calls[EC_NotifySoHChange]);
    ok(get_system_time() >= verdict.probation_end, "Probation has not ended yet.\n");
    check_connection_isolation(connection, &verdict);

    /* The SoHs are the same, but a new verdict is due. */
    hint = get_request(&ec, connection, &ssoh);
    ok(hint == TRUE, "Got hint %d.\n", hint);
    check_entry(&ssoh, sha.id, "fine");
    hr = respond(&ec, connection, &ssoh.correlation_id, &verdict_restricted, sha.id, S_OK);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    check_connection_isolation(connection, &verdict_restricted);
    check_no_call(&ec.calls[EC_NotifySoHChange]);
    hint = get_request(&ec, connection, &ssoh);
    ok(hint == FALSE, "Got hint %d.\n", hint);

    /* A connection that goes has no end of probation. */
    verdict.probation_end = get_system_time() + 2 * 10000000;
    hr = respond(&ec, connection, &ssoh.correlation_id, &verdict, sha.id, S_OK);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    remove_connection(&ec);
    check_eventually(sha.calls[SHA_ProcessSoHResponse].count == 3);
    forget_calls(&ec.calls[EC_NotifySoHChange]);
    Sleep(2500);
    check_not_called(&ec.calls[EC_NotifySoHChange]);
    remove_sha(&sha);
    remove_ec(&ec);
}

static void test_change_failure(void)
{
    struct sha sha;
    struct ec ec;
    HRESULT hr;

    if (!add_ec(&ec, TEST_ID(1)))
        return;
    add_sha(&sha, TEST_ID(0));
    forget_calls(&foreign.calls[EC_NotifySoHChange]);
    hr = INapSystemHealthAgentBinding_NotifySoHChange(sha.binding);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    check_call(&ec.calls[EC_NotifySoHChange]);
    check_call(&foreign.calls[EC_NotifySoHChange]);
    check_no_call(&ec.calls[EC_NotifySoHChange]);

    hr = INapEnforcementClientBinding_NotifySoHChangeFailure(ec.binding);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    check_no_call(&ec.calls[EC_NotifySoHChange]);
    check_call(&ec.calls[EC_NotifySoHChange]);
    /* The others could. */
    check_not_called(&foreign.calls[EC_NotifySoHChange]);
    check_no_call(&ec.calls[EC_NotifySoHChange]);
    remove_sha(&sha);
    remove_ec(&ec);
}

static void test_max_size(void)
{
    static const UINT32 sizes[] = {300, 400, 600, 1000, 2000, 4000, 65535};
    INapEnforcementClientConnection *connection;
    struct sha shas[6], large;
    char health[1501];
    struct ssoh ssoh;
    unsigned int i, j, found, last_found = 0;
    struct ec ec;
    BOOL hint;
    HRESULT hr;

    if (!add_ec(&ec, TEST_ID(1)))
        return;
    connection = add_connection(&ec);
    memset(health, 'x', sizeof(health) - 1);
    health[sizeof(health) - 1] = 0;

    /* One that doesn't fit. */
    add_sha(&large, TEST_ID(0));
    large.health = health;
    hr = INapEnforcementClientConnection_SetMaxSize(connection, 300);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hint = 0xdeadbeef;
    hr = INapEnforcementClientBinding_GetSoHRequest(ec.binding, connection, &hint);
    ok(hr == NAP_E_MAXSIZE_TOO_SMALL || broken(hr == S_OK), "Got hr %#lx.\n", hr);
    if (hr == S_OK)
    {
        get_blob(connection, &ssoh);
        ok(ssoh.size <= 300, "Got %u bytes.\n", ssoh.size);
        ok(!find_entry(&ssoh, large.id), "Got an entry.\n");
    }
    hr = INapEnforcementClientConnection_SetMaxSize(connection, 4000);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    get_request(&ec, connection, &ssoh);
    check_entry(&ssoh, large.id, health);
    remove_sha(&large);

    /* Several, of which some fit. */
    health[100] = 0;
    for (i = 0; i < ARRAY_SIZE(shas); ++i)
    {
        add_sha(&shas[i], TEST_ID(i));
        shas[i].health = health;
    }
    for (i = 0; i < ARRAY_SIZE(sizes); ++i)
    {
        winetest_push_context("size %u", sizes[i]);
        hr = INapEnforcementClientConnection_SetMaxSize(connection, sizes[i]);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        hr = INapEnforcementClientBinding_GetSoHRequest(ec.binding, connection, &hint);
        ok(hr == S_OK || (hr == NAP_E_MAXSIZE_TOO_SMALL && sizes[i] < 400) || broken(hr == NAP_E_MAXSIZE_TOO_SMALL),
                "Got hr %#lx.\n", hr);
        if (hr == S_OK)
        {
            get_blob(connection, &ssoh);
            ok(ssoh.size <= sizes[i], "Got %u bytes.\n", ssoh.size);
            for (j = found = 0; j < ARRAY_SIZE(shas); ++j)
            {
                if (!find_entry(&ssoh, shas[j].id))
                    continue;
                check_entry(&ssoh, shas[j].id, health);
                ++found;
            }
            ok(found >= last_found, "Got %u entries, after %u.\n", found, last_found);
            ok(found || broken(!found), "Got no entries.\n");
            /* An entry has 116 bytes. */
            ok(found == ARRAY_SIZE(shas) || ssoh.size + 116 > sizes[i], "There is room for more in %u bytes.\n",
                    ssoh.size);
            last_found = found;
        }
        winetest_pop_context();
    }
    ok(last_found == ARRAY_SIZE(shas), "Got %u entries.\n", last_found);
    for (i = 0; i < ARRAY_SIZE(shas); ++i)
        remove_sha(&shas[i]);

    /* More than a request can have, whatever the connection would take. */
    memset(health, 'x', sizeof(health) - 1);
    for (i = 0; i < 3; ++i)
    {
        add_sha(&shas[i], TEST_ID(i));
        shas[i].health = health;
    }
    get_request(&ec, connection, &ssoh);
    ok(ssoh.size <= maxNetworkSoHSize, "Got %u bytes.\n", ssoh.size);
    for (i = found = 0; i < 3; ++i)
    {
        found += !!find_entry(&ssoh, shas[i].id);
        remove_sha(&shas[i]);
    }
    ok(found == 2 || broken(!is_wine()), "Got %u entries.\n", found);
    remove_connection(&ec);
    remove_ec(&ec);
}

struct block
{
    HANDLE entered;
    HANDLE go_on;
};

static void block_connections_hook(struct ec *ec, enum ec_call call)
{
    struct block *block = ec->hook_data;

    if (call != EC_GetConnections || WaitForSingleObject(block->entered, 0) == WAIT_OBJECT_0)
        return;
    SetEvent(block->entered);
    WaitForSingleObject(block->go_on, TIMEOUT);
}

/* A list that was made before a connection came says nothing of it. */
static void test_late_connections(void)
{
    INapEnforcementClientConnection *connection;
    struct block block;
    struct ssoh ssoh;
    struct sha sha;
    struct ec ec;
    HRESULT hr;

    if (!is_wine() || !add_ec(&ec, TEST_ID(1)))
        return;
    add_sha(&sha, TEST_ID(0));
    block.entered = create_event(NULL);
    block.go_on = create_event(NULL);
    ec.hook = block_connections_hook;
    ec.hook_data = &block;
    connection = add_connection(&ec);
    get_request(&ec, connection, &ssoh);
    hr = respond(&ec, connection, &ssoh.correlation_id, &verdict_healthy, sha.id, S_OK);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    check_wait(block.entered);

    connection = add_connection(&ec);
    get_request(&ec, connection, &ssoh);
    forget_calls(&sha.calls[SHA_NotifySystemIsolationStateChange]);
    hr = respond(&ec, connection, &ssoh.correlation_id, &verdict_restricted, sha.id, S_OK);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    check_call(&sha.calls[SHA_NotifySystemIsolationStateChange]);
    check_system_isolation(&verdict_restricted, TRUE);
    SetEvent(block.go_on);
    check_call(&ec.calls[EC_GetConnections]);
    check_no_call(&sha.calls[SHA_NotifySystemIsolationStateChange]);
    check_system_isolation(&verdict_restricted, TRUE);

    CloseHandle(block.go_on);
    CloseHandle(block.entered);
    remove_connection(&ec);
    remove_connection(&ec);
    remove_sha(&sha);
    remove_ec(&ec);
}

static void create_in_callback_hook(struct ec *ec, enum ec_call call)
{
    struct ssoh *ssoh = ec->hook_data;
    IsolationInfo *info;
    BOOL unknown;
    HRESULT hr;

    if (call != EC_NotifySoHChange || ec->connection_count)
        return;
    get_request(ec, add_connection(ec), ssoh);
    hr = respond(ec, ec->connections[0], &ssoh->correlation_id, &verdict_restricted, TEST_ID(0), 0x80270050);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = initialize_ec(ec);
    check_already_initialized(hr);
    hr = INapClientManagement_GetSystemIsolationInfo(management, &info, &unknown);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    pFreeIsolationInfo(info);
}

/* As the SDK's sample does it: all in the callback, here with an SHA in the same process. */
static void test_reentrancy(void)
{
    struct ssoh ssoh;
    struct sha sha;
    struct ec ec;
    HRESULT hr;

    if (!add_ec(&ec, TEST_ID(1)))
        return;
    add_sha(&sha, TEST_ID(0));
    ec.hook = create_in_callback_hook;
    ec.hook_data = &ssoh;
    hr = INapSystemHealthAgentBinding_NotifySoHChange(sha.binding);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    check_call(&ec.calls[EC_NotifySoHChange]);
    check_called(&sha.calls[SHA_GetSoHRequest]);
    check_entry(&ssoh, sha.id, "fine");
    check_call(&sha.calls[SHA_ProcessSoHResponse]);
    check_connection_isolation(ec.connections[0], &verdict_restricted);
    remove_sha(&sha);
    remove_connection(&ec);
    remove_ec(&ec);
}

/* One that says that it isn't there any more. */
static void test_unavailable(void)
{
    INapEnforcementClientConnection *connection;
    struct ssoh ssoh;
    struct sha sha;
    struct ec ec;
    HRESULT hr;

    if (!add_ec(&ec, TEST_ID(1)))
        return;
    add_sha(&sha, TEST_ID(0));
    connection = add_connection(&ec);
    get_request(&ec, connection, &ssoh);
    ec.hr = HRESULT_FROM_WIN32(RPC_S_SERVER_UNAVAILABLE);
    hr = INapSystemHealthAgentBinding_NotifySoHChange(sha.binding);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    check_call(&ec.calls[EC_NotifySoHChange]);
    check_eventually(INapEnforcementClientBinding_NotifySoHChangeFailure(ec.binding) == NAP_E_NOT_INITIALIZED);
    check_eventually(ec.refcount == 1);
    check_all_methods(ec.binding, connection, NAP_E_NOT_INITIALIZED);
    release_object(connection);
    ec.connection_count = 0;
    ec.hr = S_OK;
    bind_ec(&ec);
    connection = add_connection(&ec);
    get_request(&ec, connection, &ssoh);
    check_entry(&ssoh, sha.id, "fine");

    /* Another failure is nothing to unbind for. */
    ec.hr = E_FAIL;
    forget_calls(&ec.calls[EC_NotifySoHChange]);
    hr = INapSystemHealthAgentBinding_NotifySoHChange(sha.binding);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    check_call(&ec.calls[EC_NotifySoHChange]);
    ec.hr = S_OK;
    get_request(&ec, connection, &ssoh);

    /* The pages of an enforcement client's methods have the error as it is. */
    ec.hr = RPC_S_SERVER_UNAVAILABLE;
    forget_calls(&ec.calls[EC_GetConnections]);
    hr = respond(&ec, connection, &ssoh.correlation_id, &verdict_restricted, sha.id, S_OK);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    check_call(&ec.calls[EC_GetConnections]);
    check_eventually(INapEnforcementClientBinding_NotifySoHChangeFailure(ec.binding) == NAP_E_NOT_INITIALIZED);
    check_eventually(ec.refcount == 1);
    ec.hr = S_OK;
    bind_ec(&ec);
    remove_connection(&ec);
    remove_sha(&sha);
    remove_ec(&ec);
}

static void block_hook(struct ec *ec, enum ec_call call)
{
    struct block *block = ec->hook_data;

    if (call != EC_NotifySoHChange)
        return;
    SetEvent(block->entered);
    WaitForSingleObject(block->go_on, TIMEOUT);
}

static DWORD WINAPI uninitialize_thread(void *arg)
{
    HRESULT hr;

    hr = CoInitializeEx(NULL, COINIT_MULTITHREADED);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    unbind_ec((struct ec *)arg);
    CoUninitialize();
    return 0;
}

/* A client that takes its time holds up nobody but who waits for it. */
static void test_slow_callback(void)
{
    INapEnforcementClientConnection *connection;
    struct block block;
    struct ssoh ssoh;
    HANDLE thread;
    struct sha sha;
    struct ec ec;
    HRESULT hr;

    if (!add_ec(&ec, TEST_ID(1)))
        return;
    add_sha(&sha, TEST_ID(0));
    connection = add_connection(&ec);
    block.entered = create_event(NULL);
    block.go_on = create_event(NULL);
    ec.hook = block_hook;
    ec.hook_data = &block;
    forget_calls(&foreign.calls[EC_NotifySoHChange]);
    hr = INapSystemHealthAgentBinding_NotifySoHChange(sha.binding);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    check_wait(block.entered);
    check_call(&foreign.calls[EC_NotifySoHChange]);
    get_request(&foreign, foreign.connections[0], &ssoh);
    check_entry(&ssoh, sha.id, "fine");
    get_request(&ec, connection, &ssoh);
    check_entry(&ssoh, sha.id, "fine");
    check_not_called(&ec.calls[EC_NotifySoHChange]);
    remove_connection(&ec);

    thread = CreateThread(NULL, 0, uninitialize_thread, &ec, 0, NULL);
    check_no_wait(thread);
    SetEvent(block.go_on);
    check_wait(thread);
    check_called(&ec.calls[EC_NotifySoHChange]);
    CloseHandle(thread);
    CloseHandle(block.go_on);
    CloseHandle(block.entered);
    cleanup_ec(&ec);
    unregister_ec(TEST_ID(1));
    remove_sha(&sha);
}

static void uninitialize_hook(struct ec *ec, enum ec_call call)
{
    HRESULT hr;

    if (call != EC_NotifySoHChange)
        return;
    hr = INapEnforcementClientBinding_Uninitialize(ec->binding);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
}

static void test_uninitialize_in_callback(void)
{
    struct sha sha;
    struct ec ec;
    HRESULT hr;

    if (!is_wine() || !add_ec(&ec, TEST_ID(1)))
        return;
    add_sha(&sha, TEST_ID(0));
    ec.hook = uninitialize_hook;
    hr = INapSystemHealthAgentBinding_NotifySoHChange(sha.binding);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    check_call(&ec.calls[EC_NotifySoHChange]);
    check_eventually(ec.refcount == 1);
    check_all_methods(ec.binding, foreign.connections[0], NAP_E_NOT_INITIALIZED);
    ec.hook = NULL;
    bind_ec(&ec);
    remove_ec(&ec);
    remove_sha(&sha);
}

struct sta
{
    HANDLE bound;
    HANDLE done;
    DWORD thread_id;
    struct ec ec;
};

static DWORD WINAPI sta_thread(void *arg)
{
    struct sta *sta = arg;
    struct ssoh ssoh;
    DWORD ret;
    HRESULT hr;
    MSG msg;

    hr = CoInitializeEx(NULL, COINIT_APARTMENTTHREADED);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    sta->thread_id = GetCurrentThreadId();
    init_ec(&sta->ec, TEST_ID(1));
    bind_ec(&sta->ec);
    add_connection(&sta->ec);
    SetEvent(sta->bound);
    while ((ret = MsgWaitForMultipleObjects(1, &sta->done, FALSE, 2 * TIMEOUT, QS_ALLINPUT)) == WAIT_OBJECT_0 + 1)
    {
        while (PeekMessageW(&msg, NULL, 0, 0, PM_REMOVE))
            DispatchMessageW(&msg);
    }
    ok(ret == WAIT_OBJECT_0, "Got %#lx.\n", ret);
    get_request(&sta->ec, sta->ec.connections[0], &ssoh);
    hr = respond(&sta->ec, sta->ec.connections[0], &ssoh.correlation_id, &verdict_restricted, 0, S_OK);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    check_connection_isolation(sta->ec.connections[0], &verdict_restricted);
    remove_connection(&sta->ec);
    unbind_ec(&sta->ec);
    cleanup_ec(&sta->ec);
    CoUninitialize();
    return 0;
}

static void test_sta(void)
{
    struct sta sta;
    struct sha sha;
    HANDLE thread;
    HRESULT hr;

    register_ec(TEST_ID(1));
    ok(!set_enforcement(TEST_ID(1), TRUE), "Failed to enable the enforcement client.\n");
    add_sha(&sha, TEST_ID(0));
    sta.bound = create_event(NULL);
    sta.done = create_event(NULL);
    thread = CreateThread(NULL, 0, sta_thread, &sta, 0, NULL);
    check_wait(sta.bound);
    hr = INapSystemHealthAgentBinding_NotifySoHChange(sha.binding);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    check_call(&sta.ec.calls[EC_NotifySoHChange]);
    ok(sta.ec.thread_id == sta.thread_id, "Got thread %#lx, expected %#lx.\n", sta.ec.thread_id, sta.thread_id);
    SetEvent(sta.done);
    check_wait(thread);
    CloseHandle(thread);
    CloseHandle(sta.done);
    CloseHandle(sta.bound);
    remove_sha(&sha);
    unregister_ec(TEST_ID(1));
}

struct exchange
{
    struct ec *ec;
    INapEnforcementClientConnection *connection;
};

static DWORD WINAPI exchange_thread(void *arg)
{
    struct exchange *exchange = arg;
    struct ssoh ssoh;
    unsigned int i;
    HRESULT hr;

    hr = CoInitializeEx(NULL, COINIT_MULTITHREADED);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    for (i = 0; i < 10; ++i)
    {
        get_request(exchange->ec, exchange->connection, &ssoh);
        check_entry(&ssoh, TEST_ID(0), "fine");
        hr = respond(exchange->ec, exchange->connection, &ssoh.correlation_id,
                i & 1 ? &verdict_healthy : &verdict_restricted, TEST_ID(0), S_OK);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        check_connection_isolation(exchange->connection, i & 1 ? &verdict_healthy : &verdict_restricted);
    }
    CoUninitialize();
    return 0;
}

/* Exchanges of several connections, and of several enforcement clients, at once. */
static void test_threads(void)
{
    struct exchange exchanges[6];
    HANDLE threads[ARRAY_SIZE(exchanges)];
    unsigned int i;
    struct sha sha;
    struct ec ec;
    DWORD ret;

    if (!add_ec(&ec, TEST_ID(1)))
        return;
    add_sha(&sha, TEST_ID(0));
    for (i = 0; i < ARRAY_SIZE(exchanges); ++i)
    {
        exchanges[i].ec = i & 1 ? &ec : &foreign;
        exchanges[i].connection = add_connection(exchanges[i].ec);
        threads[i] = CreateThread(NULL, 0, exchange_thread, &exchanges[i], 0, NULL);
    }
    ret = WaitForMultipleObjects(ARRAY_SIZE(threads), threads, TRUE, 2 * TIMEOUT);
    ok(ret == WAIT_OBJECT_0, "Got %#lx.\n", ret);
    for (i = 0; i < ARRAY_SIZE(threads); ++i)
        CloseHandle(threads[i]);
    for (i = ARRAY_SIZE(exchanges); i--;)
        remove_connection(exchanges[i].ec);
    /* None is lost. */
    check_eventually(sha.calls[SHA_ProcessSoHResponse].count == 10 * ARRAY_SIZE(exchanges));
    remove_sha(&sha);
    remove_ec(&ec);
}

static HRESULT run_child(const char *what, NapComponentId id)
{
    HANDLE ready = create_event(child_ready), go_on = create_event(child_go_on);
    struct ec ec;
    HRESULT hr;

    if (!init_client())
        return E_FAIL;
    if (!strcmp(what, "unregister"))
        return INapClientManagement_UnregisterEnforcementClient(management, id);
    init_ec(&ec, id);
    hr = initialize_ec(&ec);
    if (hr != S_OK)
        return hr;
    add_connection(&ec);
    SetEvent(ready);
    WaitForSingleObject(go_on, 2 * TIMEOUT);
    remove_connection(&ec);
    return INapEnforcementClientBinding_Uninitialize(ec.binding);
}

START_TEST(ec_binding)
{
    char **argv;
    int argc;

    argc = winetest_get_mainargs(&argv);
    if (argc >= 5 && !strcmp(argv[2], "child"))
        ExitProcess(run_child(argv[3], strtoul(argv[4], NULL, 10)));

    if (!load_agent())
        return;

    if (add_ec(&foreign, TEST_ID(0)))
    {
        add_connection(&foreign);
        test_not_initialized();
        test_initialize_failure();
        test_initialize();
        test_release();
        test_null();
        test_other_process();
        test_stopped();
        test_restart();
        test_end_stopped();
        test_connection_limit();
        test_request();
        test_foreign_connection();
        test_verdicts();
        test_truncated_response();
        test_damaged_response();
        test_mismatched_id();
        test_missing_response();
        test_system_isolation();
        test_late_connections();
        test_probation();
        test_change_failure();
        test_max_size();
        test_reentrancy();
        test_unavailable();
        test_slow_callback();
        test_uninitialize_in_callback();
        test_sta();
        test_threads();
        remove_connection(&foreign);
        remove_ec(&foreign);
    }
    unload_agent();
}
