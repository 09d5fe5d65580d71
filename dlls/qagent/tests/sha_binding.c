/*
 * Tests for the bindings of system health agents
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

/* How long the agent waits for an SHA before it drops it, and then some for a machine that is busy. */
#define DROP_TIMEOUT 30000

static const WCHAR child_ready[] = L"winetest_qagent_sha_ready";
static const WCHAR child_go_on[] = L"winetest_qagent_sha_go_on";

/* What drives the exchanges, where it can be enabled. */
static struct ec ec;

static HRESULT initialize_sha(struct sha *sha)
{
    return INapSystemHealthAgentBinding_Initialize(sha->binding, sha->id, &sha->INapSystemHealthAgentCallback_iface);
}

static INapSystemHealthAgentBinding2 *get_binding2(INapSystemHealthAgentBinding *binding)
{
    INapSystemHealthAgentBinding2 *binding2;
    HRESULT hr;

    hr = INapSystemHealthAgentBinding_QueryInterface(binding, &IID_INapSystemHealthAgentBinding2, (void **)&binding2);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    INapSystemHealthAgentBinding2_Release(binding2);
    return binding2;
}

/* Of each method but Initialize(), and but Uninitialize() while the service is down, which isn't to be tried out. */
#define check_all_methods(binding, expected) check_all_methods_(__LINE__, binding, expected)
static void check_all_methods_(int line, INapSystemHealthAgentBinding *binding, HRESULT expected)
{
    IsolationInfoEx *info_ex = (void *)0xdeadbeef;
    IsolationInfo *info = (void *)0xdeadbeef;
    BOOL flag;
    HRESULT hr;

    hr = INapSystemHealthAgentBinding_NotifySoHChange(binding);
    ok_(__FILE__, line)(hr == expected, "NotifySoHChange: got hr %#lx.\n", hr);
    hr = INapSystemHealthAgentBinding_GetSystemIsolationInfo(binding, &info, &flag);
    ok_(__FILE__, line)(hr == expected, "GetSystemIsolationInfo: got hr %#lx.\n", hr);
    ok_(__FILE__, line)(!info || broken(!!info), "Got %p.\n", info);
    hr = INapSystemHealthAgentBinding2_GetSystemIsolationInfoEx(get_binding2(binding), &info_ex, &flag);
    ok_(__FILE__, line)(hr == expected, "GetSystemIsolationInfoEx: got hr %#lx.\n", hr);
    ok_(__FILE__, line)(!info_ex || broken(!!info_ex), "Got %p.\n", info_ex);
    hr = INapSystemHealthAgentBinding_FlushCache(binding);
    ok_(__FILE__, line)(hr == expected || broken(expected == NAP_E_NOT_INITIALIZED), "FlushCache: got hr %#lx.\n", hr);
    if (expected == RPC_E_DISCONNECTED)
        return;
    hr = INapSystemHealthAgentBinding_Uninitialize(binding);
    ok_(__FILE__, line)(hr == expected, "Uninitialize: got hr %#lx.\n", hr);
}

static void test_not_initialized(void)
{
    INapSystemHealthAgentBinding *binding = create_sha_binding();

    check_all_methods(binding, NAP_E_NOT_INITIALIZED);
    check_all_methods(binding, NAP_E_NOT_INITIALIZED);
    release_object(binding);
}

static void test_initialize_failure(void)
{
    struct sha sha;
    HRESULT hr;

    init_sha(&sha, UNKNOWN_ID);
    hr = initialize_sha(&sha);
    ok(hr == NAP_E_NOT_REGISTERED, "Got hr %#lx.\n", hr);
    ok(sha.refcount == 1, "Got %ld references.\n", sha.refcount);
    check_all_methods(sha.binding, NAP_E_NOT_INITIALIZED);

    register_sha(TEST_ID(0));
    sha.id = TEST_ID(0);
    if (is_wine())
    {
        hr = INapSystemHealthAgentBinding_Initialize(sha.binding, sha.id, NULL);
        ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    }
    check_all_methods(sha.binding, NAP_E_NOT_INITIALIZED);

    /* Failures leave nothing behind. */
    bind_sha(&sha);
    remove_sha(&sha);
}

static void test_initialize(void)
{
    struct sha sha, other;
    unsigned int i;
    HRESULT hr;

    register_sha(TEST_ID(0));
    register_sha(TEST_ID(1));
    init_sha(&sha, TEST_ID(0));
    for (i = 0; i < 3; ++i)
    {
        winetest_push_context("round %u", i);
        bind_sha(&sha);
        ok(sha.refcount > 1, "Got %ld references.\n", sha.refcount);
        /* An exchange is for the SHA to ask for. */
        ok(!sha.calls[SHA_GetSoHRequest].count, "Got %ld calls.\n", sha.calls[SHA_GetSoHRequest].count);

        hr = initialize_sha(&sha);
        check_already_initialized(hr);
        hr = INapSystemHealthAgentBinding_Initialize(sha.binding, TEST_ID(1),
                &sha.INapSystemHealthAgentCallback_iface);
        check_already_initialized(hr);
        init_sha(&other, TEST_ID(0));
        hr = initialize_sha(&other);
        check_already_initialized(hr);
        ok(other.refcount == 1, "Got %ld references.\n", other.refcount);
        check_all_methods(other.binding, NAP_E_NOT_INITIALIZED);

        /* Another one is free. */
        other.id = TEST_ID(1);
        bind_sha(&other);
        hr = INapSystemHealthAgentBinding_NotifySoHChange(sha.binding);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        hr = INapSystemHealthAgentBinding_NotifySoHChange(other.binding);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        hr = INapSystemHealthAgentBinding_FlushCache(sha.binding);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        unbind_sha(&other);
        cleanup_sha(&other);

        hr = INapClientManagement_UnregisterSystemHealthAgent(management, TEST_ID(0));
        ok(hr == NAP_E_STILL_BOUND, "Got hr %#lx.\n", hr);
        unbind_sha(&sha);
        check_all_methods(sha.binding, NAP_E_NOT_INITIALIZED);
        winetest_pop_context();
    }

    /* An object isn't tied to its id. */
    sha.id = TEST_ID(1);
    bind_sha(&sha);
    hr = INapClientManagement_UnregisterSystemHealthAgent(management, TEST_ID(1));
    ok(hr == NAP_E_STILL_BOUND, "Got hr %#lx.\n", hr);
    unregister_sha(TEST_ID(0));
    remove_sha(&sha);
}

/* Whoever forgets Uninitialize() doesn't keep the id. */
static void test_release(void)
{
    struct sha sha;

    register_sha(TEST_ID(0));
    init_sha(&sha, TEST_ID(0));
    bind_sha(&sha);
    INapSystemHealthAgentBinding_Release(sha.binding);
    if (is_wine())
    {
        check_eventually(INapClientManagement_UnregisterSystemHealthAgent(management, TEST_ID(0)) == S_OK);
        check_eventually(sha.refcount == 1);
        cleanup_calls(sha.calls, SHA_CALL_COUNT);
    }
    else
    {
        /* Ends with the process. */
        trace("Unregistered with %#lx.\n", INapClientManagement_UnregisterSystemHealthAgent(management, TEST_ID(0)));
    }
}

static void test_null(void)
{
    IsolationInfoEx *info_ex;
    IsolationInfo *info;
    struct sha sha;
    BOOL flag;
    HRESULT hr;

    if (!is_wine())
        return;
    add_sha(&sha, TEST_ID(0));
    hr = INapSystemHealthAgentBinding_GetSystemIsolationInfo(sha.binding, NULL, &flag);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    hr = INapSystemHealthAgentBinding_GetSystemIsolationInfo(sha.binding, &info, NULL);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    hr = INapSystemHealthAgentBinding2_GetSystemIsolationInfoEx(get_binding2(sha.binding), NULL, &flag);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    hr = INapSystemHealthAgentBinding2_GetSystemIsolationInfoEx(get_binding2(sha.binding), &info_ex, NULL);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    remove_sha(&sha);
}

static void test_other_process(void)
{
    HANDLE ready = create_event(child_ready), go_on = create_event(child_go_on), process;
    struct sha sha;
    HRESULT hr;

    /* Bound here. */
    add_sha(&sha, TEST_ID(0));
    end_child(start_child("bind", TEST_ID(0)), HRESULT_FROM_WIN32(ERROR_ALREADY_INITIALIZED));
    end_child(start_child("unregister", TEST_ID(0)), NAP_E_STILL_BOUND);
    unbind_sha(&sha);

    /* Bound there. */
    process = start_child("bind", TEST_ID(0));
    check_wait(ready);
    hr = initialize_sha(&sha);
    check_already_initialized(hr);
    hr = INapClientManagement_UnregisterSystemHealthAgent(management, TEST_ID(0));
    ok(hr == NAP_E_STILL_BOUND, "Got hr %#lx.\n", hr);
    SetEvent(go_on);
    end_child(process, S_OK);
    bind_sha(&sha);
    unbind_sha(&sha);
    ResetEvent(ready);
    ResetEvent(go_on);

    /* Killed there. */
    process = start_child("bind", TEST_ID(0));
    check_wait(ready);
    hr = initialize_sha(&sha);
    check_already_initialized(hr);
    TerminateProcess(process, 0x1234);
    end_child(process, 0x1234);
    check_eventually((hr = initialize_sha(&sha)) == S_OK);
    unbind_sha(&sha);

    /* Released when that process has no other threads any more. */
    if (is_wine())
    {
        end_child(start_child("exit", TEST_ID(0)), S_OK);
        check_eventually((hr = initialize_sha(&sha)) == S_OK);
        unbind_sha(&sha);
    }

    cleanup_sha(&sha);
    unregister_sha(TEST_ID(0));
    CloseHandle(go_on);
    CloseHandle(ready);
}

static void test_stopped(void)
{
    struct sha sha, other;
    HRESULT hr;

    register_sha(TEST_ID(0));
    init_sha(&sha, TEST_ID(0));
    stop_agent();
    hr = initialize_sha(&sha);
    ok(hr == RPC_E_DISCONNECTED, "Got hr %#lx.\n", hr);
    ok(sha.refcount == 1 || broken(sha.refcount > 1), "Got %ld references.\n", sha.refcount);
    ok(get_agent_state() == SERVICE_STOPPED, "Got state %lu.\n", get_agent_state());
    start_agent();

    /* What failed is not made up for. */
    Sleep(QUIET);
    hr = INapSystemHealthAgentBinding_NotifySoHChange(sha.binding);
    check_unknown_hr(hr, NAP_E_NOT_INITIALIZED);
    if (hr == NAP_E_NOT_INITIALIZED)
    {
        init_sha(&other, TEST_ID(0));
        bind_sha(&other);
        unbind_sha(&other);
        cleanup_sha(&other);
        bind_sha(&sha);
    }
    remove_sha(&sha);
}

static void test_restart(void)
{
    struct sha sha, other;
    unsigned int i;
    HRESULT hr;

    add_sha(&sha, TEST_ID(0));
    init_sha(&other, TEST_ID(0));
    for (i = 0; i < 2; ++i)
    {
        winetest_push_context("round %u", i);
        stop_agent();
        check_all_methods(sha.binding, RPC_E_DISCONNECTED);
        hr = initialize_sha(&sha);
        ok(hr == RPC_E_DISCONNECTED || broken(FAILED(hr)), "Got hr %#lx.\n", hr);
        ok(sha.refcount > 1, "Got %ld references.\n", sha.refcount);

        start_agent();
        check_eventually(INapSystemHealthAgentBinding_NotifySoHChange(sha.binding) == S_OK);
        hr = initialize_sha(&sha);
        check_already_initialized(hr);
        hr = initialize_sha(&other);
        check_already_initialized(hr);
        hr = INapClientManagement_UnregisterSystemHealthAgent(management, TEST_ID(0));
        ok(hr == NAP_E_STILL_BOUND, "Got hr %#lx.\n", hr);
        winetest_pop_context();
    }
    cleanup_sha(&other);
    remove_sha(&sha);
}

/* An end while the service is down. */
static void test_end_stopped(void)
{
    struct sha sha;
    unsigned int i;
    HRESULT hr;

    if (!is_wine())
        return;
    for (i = 0; i < 2; ++i)
    {
        winetest_push_context("Uninitialize %u", i);
        add_sha(&sha, TEST_ID(0));
        stop_agent();
        if (i)
        {
            hr = INapSystemHealthAgentBinding_Uninitialize(sha.binding);
            ok(hr == RPC_E_DISCONNECTED, "Got hr %#lx.\n", hr);
        }
        INapSystemHealthAgentBinding_Release(sha.binding);
        check_eventually(sha.refcount == 1);
        start_agent();
        check_eventually(INapClientManagement_UnregisterSystemHealthAgent(management, TEST_ID(0)) == S_OK);
        cleanup_calls(sha.calls, SHA_CALL_COUNT);
        winetest_pop_context();
    }
}

#define check_isolation_info(binding, verdict) check_isolation_info_(__LINE__, binding, verdict)
static void check_isolation_info_(int line, INapSystemHealthAgentBinding *binding, const struct verdict *verdict)
{
    IsolationInfoEx *info_ex = (void *)0xdeadbeef;
    IsolationInfo *info = (void *)0xdeadbeef;
    BOOL unknown = 0xdeadbeef;
    HRESULT hr;

    hr = INapSystemHealthAgentBinding_GetSystemIsolationInfo(binding, &info, &unknown);
    ok_(__FILE__, line)(hr == S_OK, "Got hr %#lx.\n", hr);
    if (hr == S_OK)
    {
        check_isolation_(line, info, verdict);
        pFreeIsolationInfo(info);
    }
    ok_(__FILE__, line)(unknown == FALSE, "Got %d.\n", unknown);
    unknown = 0xdeadbeef;
    hr = INapSystemHealthAgentBinding2_GetSystemIsolationInfoEx(get_binding2(binding), &info_ex, &unknown);
    ok_(__FILE__, line)(hr == S_OK, "Got hr %#lx.\n", hr);
    if (hr == S_OK)
    {
        check_isolation_ex_(line, info_ex, verdict);
        pFreeIsolationInfoEx(info_ex);
    }
    ok_(__FILE__, line)(unknown == FALSE, "Got %d.\n", unknown);
}

/* From here on with an enforcement client. */

/* From an SHA's notice to its SoH in the request. */
static void test_request(void)
{
    INapEnforcementClientConnection *connection = add_connection(&ec);
    struct sha sha;
    struct ssoh ssoh;
    CorrelationId id;
    HRESULT hr;

    add_sha(&sha, TEST_ID(0));
    check_no_call(&sha.calls[SHA_GetSoHRequest]);
    forget_calls(&ec.calls[EC_NotifySoHChange]);
    hr = INapSystemHealthAgentBinding_NotifySoHChange(sha.binding);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    check_call(&ec.calls[EC_NotifySoHChange]);
    check_not_called(&sha.calls[SHA_GetSoHRequest]);

    get_request(&ec, connection, &ssoh);
    check_called(&sha.calls[SHA_GetSoHRequest]);
    check_correlation_id(&sha.request_id, &ssoh.correlation_id);
    ok(sha.cached_hr == NAP_E_NO_CACHED_SOH, "Got hr %#lx.\n", sha.cached_hr);
    check_entry(&ssoh, sha.id, "fine");
    check_not_called(&sha.calls[SHA_CompareSoHRequests]);
    id = ssoh.correlation_id;

    /* Another request is another correlation id. */
    sha.health = "not so fine";
    get_request(&ec, connection, &ssoh);
    check_called(&sha.calls[SHA_GetSoHRequest]);
    check_correlation_id(&sha.request_id, &ssoh.correlation_id);
    ok(memcmp(&id, &ssoh.correlation_id, sizeof(id)), "Got the same correlation id.\n");
    ok(get_filetime(&ssoh.correlation_id.timeStamp) > get_filetime(&id.timeStamp), "Got %s after %s.\n",
            debugstr_correlation_id(&ssoh.correlation_id), debugstr_correlation_id(&id));
    check_entry(&ssoh, sha.id, "not so fine");

    remove_sha(&sha);
    remove_connection(&ec);
}

static void test_request_object_hook(struct sha *sha, enum sha_call call, INapSystemHealthAgentRequest *request)
{
    static const BYTE large[maxSoHAttributeSize];
    static const BYTE id_bytes[] = {0x00, 0x01, 0x37, 0xf2}, other_id_bytes[] = {0x00, 0x01, 0x37, 0xf3};
    SoHAttribute attributes[2] =
    {
        {sohAttributeTypeSystemHealthId, 4, (BYTE *)id_bytes},
        {sohAttributeTypeVendorSpecific, 4, (BYTE *)id_bytes},
    };
    SoH soh = {2, attributes}, *copy, *own;
    StringCorrelationId *string;
    struct payload payload;
    CorrelationId id;
    IUnknown *unknown;
    UINT8 flags;
    HRESULT hr;
    BOOL cache;

    if (call != SHA_GetSoHRequest)
        return;

    hr = INapSystemHealthAgentRequest_QueryInterface(request, &IID_IUnknown, (void **)&unknown);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    IUnknown_Release(unknown);
    unknown = (void *)0xdeadbeef;
    hr = INapSystemHealthAgentRequest_QueryInterface(request, &IID_INapSystemHealthAgentBinding, (void **)&unknown);
    ok(hr == E_NOINTERFACE, "Got hr %#lx.\n", hr);
    ok(!unknown, "Got %p.\n", unknown);

    string = (void *)0xdeadbeef;
    hr = INapSystemHealthAgentRequest_GetStringCorrelationId(request, &string);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    if (hr == S_OK)
    {
        GUID guid;
        WCHAR text[39];

        ok(string->length == lstrlenW(string->string), "Got length %u.\n", string->length);
        hr = INapSystemHealthAgentRequest_GetCorrelationId(request, &id);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        lstrcpynW(text, string->string, ARRAY_SIZE(text));
        ok((CLSIDFromString(text, &guid) == S_OK && IsEqualGUID(&guid, &id.connId)) || broken(!is_wine()),
                "Got %s for %s.\n", wine_dbgstr_w(string->string), debugstr_correlation_id(&id));
        pFreeCountedString(string);
    }

    cache = 0xdeadbeef;
    hr = INapSystemHealthAgentRequest_GetCacheSoHFlag(request, &cache);
    ok(hr == S_OK || broken(hr != S_OK), "Got hr %#lx.\n", hr);
    if (is_wine())
    {
        ok(cache == FALSE, "Got %d.\n", cache);
        hr = INapSystemHealthAgentRequest_GetCorrelationId(request, NULL);
        ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
        hr = INapSystemHealthAgentRequest_GetStringCorrelationId(request, NULL);
        ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
        hr = INapSystemHealthAgentRequest_SetSoHRequest(request, NULL, TRUE);
        ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
        hr = INapSystemHealthAgentRequest_GetSoHRequest(request, NULL);
        ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
        hr = INapSystemHealthAgentRequest_GetCacheSoHFlag(request, NULL);
        ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
        copy = (void *)0xdeadbeef;
        hr = INapSystemHealthAgentRequest_GetSoHResponse(request, &copy, NULL);
        ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
        hr = INapSystemHealthAgentRequest_GetSoHResponse(request, NULL, &flags);
        ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    }

    /* There is no response yet. */
    copy = (void *)0xdeadbeef;
    flags = 0xcc;
    hr = INapSystemHealthAgentRequest_GetSoHResponse(request, &copy, &flags);
    ok(FAILED(hr) || broken(hr == S_OK), "Got hr %#lx.\n", hr);
    if (hr == S_OK)
        pFreeSoH(copy);

    /* Somebody else's, and such that aren't well formed. */
    attributes[0].value = (BYTE *)other_id_bytes;
    hr = INapSystemHealthAgentRequest_SetSoHRequest(request, &soh, TRUE);
    check_unknown_hr(hr, NAP_E_INVALID_PACKET);
    attributes[0].value = (BYTE *)id_bytes;
    attributes[0].size = 3;
    hr = INapSystemHealthAgentRequest_SetSoHRequest(request, &soh, TRUE);
    check_unknown_hr(hr, NAP_E_INVALID_PACKET);
    attributes[0].size = 4;
    attributes[0].type = sohAttributeTypeVendorSpecific;
    hr = INapSystemHealthAgentRequest_SetSoHRequest(request, &soh, TRUE);
    check_unknown_hr(hr, NAP_E_INVALID_PACKET);
    attributes[0].type = attributes[1].type = sohAttributeTypeSystemHealthId;
    hr = INapSystemHealthAgentRequest_SetSoHRequest(request, &soh, TRUE);
    check_unknown_hr(hr, NAP_E_INVALID_PACKET);
    soh.count = 0;
    hr = INapSystemHealthAgentRequest_SetSoHRequest(request, &soh, TRUE);
    check_unknown_hr(hr, NAP_E_INVALID_PACKET);

    /* Each attribute is as large as it may be, and together they are more than a message. */
    soh.count = 2;
    attributes[1].type = sohAttributeTypeVendorSpecific;
    attributes[1].size = sizeof(large);
    attributes[1].value = (BYTE *)large;
    hr = INapSystemHealthAgentRequest_SetSoHRequest(request, &soh, TRUE);
    check_unknown_hr(hr, NAP_E_INVALID_PACKET);
    copy = (void *)0xdeadbeef;
    hr = INapSystemHealthAgentRequest_GetSoHRequest(request, &copy);
    ok(hr == NAP_E_NO_CACHED_SOH || broken(hr == S_OK), "Got hr %#lx.\n", hr);
    if (hr == S_OK)
        pFreeSoH(copy);

    /* The new one is to be had at once, and replaced. */
    own = create_soh(sha->id, "first", 5);
    hr = INapSystemHealthAgentRequest_SetSoHRequest(request, own, FALSE);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    pFreeSoH(own);
    hr = INapSystemHealthAgentRequest_GetSoHRequest(request, &copy);
    ok(hr == S_OK || broken(hr == NAP_E_NO_CACHED_SOH), "Got hr %#lx.\n", hr);
    if (hr == S_OK)
    {
        get_payload(copy, &payload);
        check_payload(&payload, "first");
        pFreeSoH(copy);
    }
    own = create_soh(sha->id, "second", 6);
    hr = INapSystemHealthAgentRequest_SetSoHRequest(request, own, TRUE);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    pFreeSoH(own);
    if (is_wine())
    {
        cache = 0xdeadbeef;
        hr = INapSystemHealthAgentRequest_GetCacheSoHFlag(request, &cache);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        ok(cache == TRUE, "Got %d.\n", cache);
    }
}

/* What isn't there to be asked or to be set */
static void test_request_phase_hook(struct sha *sha, enum sha_call call, INapSystemHealthAgentRequest *request)
{
    SoH *soh;
    UINT8 flags;
    HRESULT hr;

    if (call == SHA_GetSoHRequest)
    {
        hr = INapSystemHealthAgentRequest_GetSoHResponse(request, &soh, &flags);
        check_unknown_hr(hr, E_UNEXPECTED);
        INapSystemHealthAgentRequest_AddRef(request);
        sha->hook_data = request;
    }
    else if (call == SHA_ProcessSoHResponse)
    {
        soh = create_soh(sha->id, "late", 4);
        hr = INapSystemHealthAgentRequest_SetSoHRequest(request, soh, FALSE);
        check_unknown_hr(hr, E_UNEXPECTED);
        pFreeSoH(soh);
    }
}

static void test_request_object(void)
{
    INapEnforcementClientConnection *connection = add_connection(&ec);
    INapSystemHealthAgentRequest *request;
    struct sha sha;
    struct ssoh ssoh;
    HRESULT hr;
    SoH *soh;

    add_sha(&sha, TEST_ID(0));
    sha.health = NULL;
    sha.hook = test_request_object_hook;
    get_request(&ec, connection, &ssoh);
    check_called(&sha.calls[SHA_GetSoHRequest]);
    check_entry(&ssoh, sha.id, "second");

    if (is_wine())
    {
        sha.health = "fine";
        sha.hook = test_request_phase_hook;
        get_request(&ec, connection, &ssoh);
        check_call(&sha.calls[SHA_GetSoHRequest]);
        request = sha.hook_data;
        hr = INapSystemHealthAgentRequest_GetSoHRequest(request, &soh);
        ok(hr == RPC_E_DISCONNECTED, "Got hr %#lx.\n", hr);
        soh = create_soh(sha.id, "late", 4);
        hr = INapSystemHealthAgentRequest_SetSoHRequest(request, soh, FALSE);
        ok(hr == RPC_E_DISCONNECTED, "Got hr %#lx.\n", hr);
        pFreeSoH(soh);
        ok(!INapSystemHealthAgentRequest_Release(request), "There are references left.\n");
        forget_calls(&sha.calls[SHA_ProcessSoHResponse]);
        hr = respond(&ec, connection, &ssoh.correlation_id, &verdict_healthy, sha.id, S_OK);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        check_call(&sha.calls[SHA_ProcessSoHResponse]);
    }
    remove_sha(&sha);
    remove_connection(&ec);
}

/* The largest attribute, and the largest SoH that a request has room for. */
static void test_large_soh(void)
{
    INapEnforcementClientConnection *connection = add_connection(&ec);
    char health[2001];
    struct sha sha;
    struct ssoh ssoh;
    unsigned int i;

    for (i = 0; i < sizeof(health) - 1; ++i)
        health[i] = 'a' + i % 26;
    health[i] = 0;
    add_sha(&sha, TEST_ID(0));
    sha.health = health;
    get_request(&ec, connection, &ssoh);
    check_entry(&ssoh, sha.id, health);
    remove_sha(&sha);
    remove_connection(&ec);
}

static void test_cache(void)
{
    INapEnforcementClientConnection *connection = add_connection(&ec), *other = add_connection(&ec);
    struct sha sha;
    struct ssoh ssoh;
    unsigned int i;
    HRESULT hr;

    add_sha(&sha, TEST_ID(0));
    /* Not to be cached. */
    get_request(&ec, connection, &ssoh);
    ok(sha.cached_hr == NAP_E_NO_CACHED_SOH, "Got hr %#lx.\n", sha.cached_hr);
    get_request(&ec, connection, &ssoh);
    ok(sha.cached_hr == NAP_E_NO_CACHED_SOH, "Got hr %#lx.\n", sha.cached_hr);
    sha.health = NULL;
    get_request(&ec, connection, &ssoh);
    ok(sha.cached_hr == NAP_E_NO_CACHED_SOH, "Got hr %#lx.\n", sha.cached_hr);
    if (is_wine())
        check_generated_entry(&ssoh, sha.id, NAP_E_NO_CACHED_SOH);

    sha.health = "cached";
    sha.cache = TRUE;
    get_request(&ec, connection, &ssoh);
    ok(sha.cached_hr == NAP_E_NO_CACHED_SOH, "Got hr %#lx.\n", sha.cached_hr);
    check_entry(&ssoh, sha.id, "cached");
    sha.health = NULL;
    for (i = 0; i < 2; ++i)
    {
        get_request(&ec, connection, &ssoh);
        ok(sha.cached_hr == S_OK, "Got hr %#lx.\n", sha.cached_hr);
        check_payload(&sha.cached, "cached");
        check_entry(&ssoh, sha.id, "cached");
    }
    /* The cache is the SHA's, not the connection's. */
    get_request(&ec, other, &ssoh);
    check_payload(&sha.cached, "cached");
    check_entry(&ssoh, sha.id, "cached");

    sha.health = "newer";
    get_request(&ec, connection, &ssoh);
    check_payload(&sha.cached, "cached");
    check_entry(&ssoh, sha.id, "newer");
    sha.health = NULL;
    get_request(&ec, connection, &ssoh);
    check_payload(&sha.cached, "newer");
    check_entry(&ssoh, sha.id, "newer");

    hr = INapSystemHealthAgentBinding_FlushCache(sha.binding);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    get_request(&ec, connection, &ssoh);
    ok(sha.cached_hr == NAP_E_NO_CACHED_SOH, "Got hr %#lx.\n", sha.cached_hr);
    if (is_wine())
        check_generated_entry(&ssoh, sha.id, NAP_E_NO_CACHED_SOH);
    hr = INapSystemHealthAgentBinding_FlushCache(sha.binding);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);

    remove_sha(&sha);
    remove_connection(&ec);
    remove_connection(&ec);
}

/* One SHA's cache is not another's. */
static void test_separate_caches(void)
{
    INapEnforcementClientConnection *connection = add_connection(&ec);
    struct sha sha, other;
    struct ssoh ssoh;
    HRESULT hr;

    add_sha(&sha, TEST_ID(0));
    add_sha(&other, TEST_ID(1));
    sha.cache = other.cache = TRUE;
    other.health = "other";
    get_request(&ec, connection, &ssoh);
    check_entry(&ssoh, sha.id, "fine");
    check_entry(&ssoh, other.id, "other");
    hr = INapSystemHealthAgentBinding_FlushCache(sha.binding);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    get_request(&ec, connection, &ssoh);
    ok(sha.cached_hr == NAP_E_NO_CACHED_SOH, "Got hr %#lx.\n", sha.cached_hr);
    ok(other.cached_hr == S_OK, "Got hr %#lx.\n", other.cached_hr);
    check_payload(&other.cached, "other");
    remove_sha(&other);
    remove_sha(&sha);
    remove_connection(&ec);
}

static void test_failing(void)
{
    static const HRESULT results[] = {E_FAIL, E_POINTER, E_PENDING, NAP_E_NO_CACHED_SOH, 0x80270050, 0x8abcdef0};
    INapEnforcementClientConnection *connection = add_connection(&ec);
    struct sha sha, other;
    struct ssoh ssoh;
    unsigned int i;
    HRESULT hr;

    add_sha(&sha, TEST_ID(0));
    add_sha(&other, TEST_ID(1));
    for (i = 0; i < 2 * ARRAY_SIZE(results); ++i)
    {
        winetest_push_context("result %#lx, SoH %u", results[i / 2], i % 2);
        sha.request_hr = results[i / 2];
        sha.health = i % 2 ? "in vain" : NULL;
        get_request(&ec, connection, &ssoh);
        check_called(&sha.calls[SHA_GetSoHRequest]);
        check_generated_entry(&ssoh, sha.id, results[i / 2]);
        check_entry(&ssoh, other.id, "fine");
        hr = INapSystemHealthAgentBinding_NotifySoHChange(sha.binding);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        winetest_pop_context();
    }
    /* Another success. */
    sha.request_hr = S_FALSE;
    sha.health = "false";
    get_request(&ec, connection, &ssoh);
    check_entry(&ssoh, sha.id, "false");
    remove_sha(&other);
    remove_sha(&sha);
    remove_connection(&ec);
}

static void test_unbound(void)
{
    INapEnforcementClientConnection *connection = add_connection(&ec);
    struct sha other;
    struct ssoh ssoh;

    register_sha(TEST_ID(0));
    get_request(&ec, connection, &ssoh);
    check_generated_entry(&ssoh, TEST_ID(0), NAP_E_NOT_INITIALIZED);
    ok(!find_entry(&ssoh, TEST_ID(1)), "Got an entry.\n");
    add_sha(&other, TEST_ID(1));
    other.cache = TRUE;
    get_request(&ec, connection, &ssoh);
    check_generated_entry(&ssoh, TEST_ID(0), NAP_E_NOT_INITIALIZED);
    check_entry(&ssoh, other.id, "fine");
    unbind_sha(&other);
    get_request(&ec, connection, &ssoh);
    check_generated_entry(&ssoh, TEST_ID(0), NAP_E_NOT_INITIALIZED);
    check_generated_entry(&ssoh, other.id, NAP_E_NOT_INITIALIZED);
    cleanup_sha(&other);
    unregister_sha(TEST_ID(1));
    unregister_sha(TEST_ID(0));
    get_request(&ec, connection, &ssoh);
    ok(!find_entry(&ssoh, TEST_ID(0)), "Got an entry.\n");
    ok(!find_entry(&ssoh, TEST_ID(1)), "Got an entry.\n");
    remove_connection(&ec);
}

/* An SHA that says that it isn't there any more. */
static void test_unavailable(void)
{
    INapEnforcementClientConnection *connection = add_connection(&ec);
    struct sha sha;
    struct ssoh ssoh;

    add_sha(&sha, TEST_ID(0));
    sha.cache = TRUE;
    get_request(&ec, connection, &ssoh);
    check_entry(&ssoh, sha.id, "fine");

    sha.request_hr = HRESULT_FROM_WIN32(RPC_S_SERVER_UNAVAILABLE);
    get_request(&ec, connection, &ssoh);
    ok(sha.cached_hr == S_OK, "Got hr %#lx.\n", sha.cached_hr);
    if (is_wine())
        check_generated_entry(&ssoh, sha.id, NAP_E_NOT_INITIALIZED);
    forget_calls(&sha.calls[SHA_GetSoHRequest]);
    get_request(&ec, connection, &ssoh);
    check_not_called(&sha.calls[SHA_GetSoHRequest]);
    check_generated_entry(&ssoh, sha.id, NAP_E_NOT_INITIALIZED);
    check_eventually(INapSystemHealthAgentBinding_NotifySoHChange(sha.binding) == NAP_E_NOT_INITIALIZED);
    check_eventually(sha.refcount == 1);

    sha.request_hr = S_OK;
    bind_sha(&sha);
    get_request(&ec, connection, &ssoh);
    ok(sha.cached_hr == NAP_E_NO_CACHED_SOH, "Got hr %#lx.\n", sha.cached_hr);
    check_entry(&ssoh, sha.id, "fine");
    remove_sha(&sha);
    remove_connection(&ec);
}

#define check_compared(sha, first, second) check_compared_(__LINE__, sha, first, second)
static void check_compared_(int line, const struct sha *sha, const char *first, const char *second)
{
    BOOL swapped = sha->compared[0].size != strlen(first)
            || memcmp(sha->compared[0].data, first, sha->compared[0].size);

    check_payload_(line, &sha->compared[swapped], first);
    check_payload_(line, &sha->compared[!swapped], second);
}

/* Bytes that differ need not be a change, as the SHA alone can tell. When it is asked isn't published. */
static void test_compare(void)
{
    INapEnforcementClientConnection *connection = add_connection(&ec);
    struct sha sha;
    struct ssoh ssoh;
    BOOL hint;

    add_sha(&sha, TEST_ID(0));
    sha.health = "1";
    get_request(&ec, connection, &ssoh);
    check_not_called(&sha.calls[SHA_CompareSoHRequests]);

    /* The bytes are the same. */
    hint = get_request(&ec, connection, &ssoh);
    ok(hint == FALSE, "Got hint %d.\n", hint);
    if (is_wine())
        check_not_called(&sha.calls[SHA_CompareSoHRequests]);

    sha.health = "2";
    sha.compare_hr = S_OK;
    sha.compare_equal = TRUE;
    hint = get_request(&ec, connection, &ssoh);
    check_entry(&ssoh, sha.id, "2");
    if (is_wine())
    {
        ok(hint == FALSE, "Got hint %d.\n", hint);
        check_called(&sha.calls[SHA_CompareSoHRequests]);
        check_not_called(&sha.calls[SHA_CompareSoHRequests]);
        check_compared(&sha, "1", "2");
    }
    forget_calls(&sha.calls[SHA_CompareSoHRequests]);

    sha.health = "3";
    sha.compare_equal = FALSE;
    hint = get_request(&ec, connection, &ssoh);
    check_entry(&ssoh, sha.id, "3");
    ok(hint == TRUE, "Got hint %d.\n", hint);
    if (is_wine())
    {
        check_called(&sha.calls[SHA_CompareSoHRequests]);
        check_compared(&sha, "2", "3");
    }
    forget_calls(&sha.calls[SHA_CompareSoHRequests]);

    /* Then the bytes count. */
    sha.health = "4";
    sha.compare_hr = E_NOTIMPL;
    hint = get_request(&ec, connection, &ssoh);
    ok(hint == TRUE, "Got hint %d.\n", hint);
    if (is_wine())
    {
        check_called(&sha.calls[SHA_CompareSoHRequests]);
        check_compared(&sha, "3", "4");
    }
    hint = get_request(&ec, connection, &ssoh);
    ok(hint == FALSE, "Got hint %d.\n", hint);
    remove_sha(&sha);
    remove_connection(&ec);
}

static void test_response(void)
{
    static const struct
    {
        BOOL fixup;
        HRESULT code;
        HRESULT response_hr;
    }
    tests[] =
    {
        {FALSE, S_OK, S_OK},
        {FALSE, 0x80270050, S_OK},
        {TRUE, 0x80270050, S_OK},
        {TRUE, S_OK, S_OK},
        {FALSE, 0x80270050, NAP_E_INVALID_PACKET},
        {FALSE, S_OK, E_FAIL},
    };
    INapEnforcementClientConnection *connection = add_connection(&ec);
    struct sha sha, other;
    struct response response;
    struct verdict verdict;
    struct ssoh ssoh;
    unsigned int i;
    HRESULT hr;

    add_sha(&sha, TEST_ID(0));
    add_sha(&other, TEST_ID(1));
    for (i = 0; i < ARRAY_SIZE(tests); ++i)
    {
        winetest_push_context("test %u", i);
        get_request(&ec, connection, &ssoh);
        check_not_called(&sha.calls[SHA_ProcessSoHResponse]);
        sha.response_hr = tests[i].response_hr;
        verdict = verdict_restricted;
        verdict.fixup = tests[i].fixup;
        begin_response(&response, &ssoh.correlation_id, &verdict);
        put_result(&response, other.id, 0x80270051);
        put_result(&response, UNKNOWN_ID, 0x80270052);
        put_result(&response, sha.id, tests[i].code);
        end_response(&response);
        hr = process_response(&ec, connection, &response);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);

        check_call(&sha.calls[SHA_ProcessSoHResponse]);
        check_correlation_id(&sha.response_id, &ssoh.correlation_id);
        ok(sha.response_flags == (tests[i].fixup ? shaFixup : 0), "Got flags %#x.\n", sha.response_flags);
        ok(sha.response_code == tests[i].code, "Got %#lx.\n", sha.response_code);
        check_call(&other.calls[SHA_ProcessSoHResponse]);
        check_correlation_id(&other.response_id, &ssoh.correlation_id);
        ok(other.response_flags == (tests[i].fixup ? shaFixup : 0), "Got flags %#x.\n", other.response_flags);
        ok(other.response_code == 0x80270051, "Got %#lx.\n", other.response_code);
        check_connection_isolation(connection, &verdict);
        winetest_pop_context();
    }
    ok(!sha.calls[SHA_NotifyOrphanedSoHRequest].count, "Got %ld calls.\n",
            sha.calls[SHA_NotifyOrphanedSoHRequest].count);
    remove_sha(&other);
    remove_sha(&sha);
    remove_connection(&ec);
}

/* A request that gets no response, of each kind. */
static void test_orphans(void)
{
    INapEnforcementClientConnection *connection = add_connection(&ec);
    struct sha sha, other;
    struct ssoh ssoh;
    CorrelationId id;
    HRESULT hr;

    add_sha(&sha, TEST_ID(0));
    add_sha(&other, TEST_ID(1));
    forget_calls(&sha.calls[SHA_NotifyOrphanedSoHRequest]);
    forget_calls(&other.calls[SHA_NotifyOrphanedSoHRequest]);

    /* Another request took its place. */
    get_request(&ec, connection, &ssoh);
    check_no_call(&sha.calls[SHA_NotifyOrphanedSoHRequest]);
    id = ssoh.correlation_id;
    get_request(&ec, connection, &ssoh);
    check_call(&sha.calls[SHA_NotifyOrphanedSoHRequest]);
    check_correlation_id(&sha.orphan_id, &id);
    check_call(&other.calls[SHA_NotifyOrphanedSoHRequest]);
    check_correlation_id(&other.orphan_id, &id);

    /* The response has nothing for one of them. */
    hr = respond(&ec, connection, &ssoh.correlation_id, &verdict_healthy, other.id, S_OK);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    check_call(&other.calls[SHA_ProcessSoHResponse]);
    check_call(&sha.calls[SHA_NotifyOrphanedSoHRequest]);
    check_correlation_id(&sha.orphan_id, &ssoh.correlation_id);
    check_no_call(&other.calls[SHA_NotifyOrphanedSoHRequest]);
    check_not_called(&sha.calls[SHA_ProcessSoHResponse]);

    /* None after a response for all. */
    get_request(&ec, connection, &ssoh);
    check_no_call(&sha.calls[SHA_NotifyOrphanedSoHRequest]);

    /* The connection has gone. */
    remove_connection(&ec);
    check_call(&sha.calls[SHA_NotifyOrphanedSoHRequest]);
    check_correlation_id(&sha.orphan_id, &ssoh.correlation_id);
    check_call(&other.calls[SHA_NotifyOrphanedSoHRequest]);
    check_correlation_id(&other.orphan_id, &ssoh.correlation_id);

    /* A connection without a request. */
    add_connection(&ec);
    remove_connection(&ec);
    check_no_call(&sha.calls[SHA_NotifyOrphanedSoHRequest]);

    /* The enforcement client has gone. */
    connection = add_connection(&ec);
    get_request(&ec, connection, &ssoh);
    unbind_ec(&ec);
    check_call(&sha.calls[SHA_NotifyOrphanedSoHRequest]);
    check_correlation_id(&sha.orphan_id, &ssoh.correlation_id);
    ec.connection_count = 0;
    release_object(connection);
    bind_ec(&ec);

    /* One that nobody asked isn't told. */
    connection = add_connection(&ec);
    unbind_sha(&other);
    get_request(&ec, connection, &ssoh);
    bind_sha(&other);
    forget_calls(&other.calls[SHA_NotifyOrphanedSoHRequest]);
    get_request(&ec, connection, &ssoh);
    check_call(&sha.calls[SHA_NotifyOrphanedSoHRequest]);
    if (is_wine())
        check_no_call(&other.calls[SHA_NotifyOrphanedSoHRequest]);
    remove_sha(&other);
    remove_sha(&sha);
    remove_connection(&ec);
}

static void isolation_hook(struct sha *sha, enum sha_call call, INapSystemHealthAgentRequest *request)
{
    if (call == SHA_NotifySystemIsolationStateChange)
        check_isolation_info(sha->binding, sha->hook_data);
}

/* The system's state as SHAs and the notifier's subscribers come to know it. */
static void test_isolation_change(void)
{
    static const struct verdict verdict_probation = {isolationStateInProbation, FALSE, extendedIsolationStateTransition,
            0x7000000000000000, "http://probation.example.com/"};
    static const struct verdict verdict_longer_probation = {isolationStateInProbation, FALSE,
            extendedIsolationStateTransition, 0x7100000000000000, "http://probation.example.com/"};
    static const struct
    {
        const struct verdict *verdict;
        BOOL change;
    }
    tests[] =
    {
        {&verdict_restricted, TRUE},
        {&verdict_restricted, FALSE},
        {&verdict_probation, TRUE},
        {&verdict_probation, FALSE},
        {&verdict_longer_probation, TRUE},
        {&verdict_healthy, TRUE},
        {&verdict_healthy, FALSE},
    };
    INapEnforcementClientConnection *connection = add_connection(&ec);
    HANDLE event = create_event(NULL), ready = create_event(child_ready), listeners[2];
    struct sha sha;
    struct ssoh ssoh;
    unsigned int i;
    DWORD ret;
    HRESULT hr;

    for (i = 0; i < ARRAY_SIZE(listeners); ++i)
    {
        ResetEvent(ready);
        listeners[i] = start_child("listen", TEST_ID(0));
        check_wait(ready);
    }
    add_sha(&sha, TEST_ID(0));
    sha.hook = isolation_hook;
    hr = pInitializeNapAgentNotifier(napNotifyTypeQuarState, event);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    forget_calls(&sha.calls[SHA_NotifySystemIsolationStateChange]);
    for (i = 0; i < ARRAY_SIZE(tests); ++i)
    {
        winetest_push_context("test %u", i);
        ResetEvent(event);
        sha.hook_data = (void *)tests[i].verdict;
        get_request(&ec, connection, &ssoh);
        hr = respond(&ec, connection, &ssoh.correlation_id, tests[i].verdict, sha.id, S_OK);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        if (tests[i].change)
        {
            check_call(&sha.calls[SHA_NotifySystemIsolationStateChange]);
            check_wait(event);
        }
        else
        {
            check_no_call(&sha.calls[SHA_NotifySystemIsolationStateChange]);
            ret = WaitForSingleObject(event, 0);
            ok(ret == WAIT_TIMEOUT || broken(ret == WAIT_OBJECT_0), "Got %#lx.\n", ret);
        }
        check_system_isolation(tests[i].verdict, FALSE);
        winetest_pop_context();
    }

    for (i = 0; i < ARRAY_SIZE(listeners); ++i)
        end_child(listeners[i], S_OK);

    /* The state goes with the connection that had it. */
    sha.hook_data = (void *)&verdict_restricted;
    get_request(&ec, connection, &ssoh);
    hr = respond(&ec, connection, &ssoh.correlation_id, &verdict_restricted, sha.id, S_OK);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    check_call(&sha.calls[SHA_NotifySystemIsolationStateChange]);
    check_wait(event);
    Sleep(QUIET);
    ResetEvent(event);
    sha.hook_data = (void *)&verdict_healthy;
    remove_connection(&ec);
    check_call(&sha.calls[SHA_NotifySystemIsolationStateChange]);
    check_wait(event);
    check_isolation_info(sha.binding, &verdict_healthy);

    pUninitializeNapAgentNotifier(napNotifyTypeQuarState);
    CloseHandle(ready);
    CloseHandle(event);
    remove_sha(&sha);
}

/* While an SHA repairs, the agent asks how far it is, and in the end has its health collected again. */
static void test_fixup(void)
{
    INapEnforcementClientConnection *connection = add_connection(&ec);
    struct verdict verdict = verdict_restricted;
    struct sha sha;
    struct ssoh ssoh;
    HRESULT hr;

    add_sha(&sha, TEST_ID(0));
    sha.fixup_polls = 2;
    verdict.fixup = TRUE;
    get_request(&ec, connection, &ssoh);
    forget_calls(&ec.calls[EC_NotifySoHChange]);
    hr = respond(&ec, connection, &ssoh.correlation_id, &verdict, sha.id, 0x80270050);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    check_call(&sha.calls[SHA_ProcessSoHResponse]);
    ok(sha.response_flags == shaFixup, "Got flags %#x.\n", sha.response_flags);
    check_call(&sha.calls[SHA_GetFixupInfo]);
    check_call(&sha.calls[SHA_GetFixupInfo]);
    check_not_called(&ec.calls[EC_NotifySoHChange]);
    check_call(&sha.calls[SHA_GetFixupInfo]);
    check_call(&ec.calls[EC_NotifySoHChange]);

    /* Nothing more to ask, or to tell. */
    if (is_wine())
    {
        Sleep(3000);
        ok(sha.calls[SHA_GetFixupInfo].count == 3, "Got %ld calls.\n", sha.calls[SHA_GetFixupInfo].count);
        check_not_called(&ec.calls[EC_NotifySoHChange]);
    }
    remove_sha(&sha);
    remove_connection(&ec);
}

static void reentrant_hook(struct sha *sha, enum sha_call call, INapSystemHealthAgentRequest *request)
{
    IsolationInfo *info;
    BOOL flag;
    HRESULT hr;

    if (call == SHA_GetFixupInfo)
        return;
    hr = INapSystemHealthAgentBinding_GetSystemIsolationInfo(sha->binding, &info, &flag);
    ok(hr == S_OK, "Call %u: got hr %#lx.\n", call, hr);
    if (hr == S_OK)
        pFreeIsolationInfo(info);
    hr = INapSystemHealthAgentBinding_FlushCache(sha->binding);
    ok(hr == S_OK, "Call %u: got hr %#lx.\n", call, hr);
    hr = INapSystemHealthAgentBinding_NotifySoHChange(sha->binding);
    ok(hr == S_OK, "Call %u: got hr %#lx.\n", call, hr);
    hr = initialize_sha(sha);
    check_already_initialized(hr);
    hr = INapClientManagement_UnregisterSystemHealthAgent(management, sha->id);
    ok(hr == NAP_E_STILL_BOUND, "Call %u: got hr %#lx.\n", call, hr);
}

/* Each callback may call the agent. */
static void test_reentrancy(void)
{
    INapEnforcementClientConnection *connection = add_connection(&ec);
    struct sha sha;
    struct ssoh ssoh;
    HRESULT hr;

    add_sha(&sha, TEST_ID(0));
    sha.hook = reentrant_hook;
    forget_calls(&ec.calls[EC_NotifySoHChange]);
    get_request(&ec, connection, &ssoh);
    check_called(&sha.calls[SHA_GetSoHRequest]);
    check_call(&ec.calls[EC_NotifySoHChange]);
    hr = respond(&ec, connection, &ssoh.correlation_id, &verdict_restricted, sha.id, S_OK);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    check_call(&sha.calls[SHA_ProcessSoHResponse]);
    check_call(&sha.calls[SHA_NotifySystemIsolationStateChange]);
    sha.health = "changed";
    get_request(&ec, connection, &ssoh);
    if (is_wine())
        check_call(&sha.calls[SHA_CompareSoHRequests]);
    remove_connection(&ec);
    check_call(&sha.calls[SHA_NotifyOrphanedSoHRequest]);
    check_call(&sha.calls[SHA_NotifySystemIsolationStateChange]);
    remove_sha(&sha);
}

static void uninitialize_hook(struct sha *sha, enum sha_call call, INapSystemHealthAgentRequest *request)
{
    HRESULT hr;

    if (call != *(enum sha_call *)sha->hook_data)
        return;
    hr = INapSystemHealthAgentBinding_Uninitialize(sha->binding);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = INapSystemHealthAgentBinding_Uninitialize(sha->binding);
    ok(hr == NAP_E_NOT_INITIALIZED, "Got hr %#lx.\n", hr);
}

/* Who waits for a call inside it waits for ever, on Windows perhaps. */
static void test_uninitialize_in_callback(void)
{
    enum sha_call calls[] = {SHA_GetSoHRequest, SHA_ProcessSoHResponse, SHA_NotifySystemIsolationStateChange};
    INapEnforcementClientConnection *connection;
    struct sha sha;
    struct ssoh ssoh;
    unsigned int i;
    HRESULT hr;

    if (!is_wine())
        return;
    register_sha(TEST_ID(0));
    init_sha(&sha, TEST_ID(0));
    for (i = 0; i < ARRAY_SIZE(calls); ++i)
    {
        winetest_push_context("call %u", calls[i]);
        connection = add_connection(&ec);
        bind_sha(&sha);
        get_request(&ec, connection, &ssoh);
        sha.health = i % 2 ? "fine" : "other";
        sha.hook = uninitialize_hook;
        sha.hook_data = &calls[i];
        forget_calls(&sha.calls[calls[i]]);
        forget_calls(&sha.calls[SHA_CompareSoHRequests]);
        get_request(&ec, connection, &ssoh);
        ok(!!find_entry(&ssoh, sha.id), "Got no entry.\n");
        hr = respond(&ec, connection, &ssoh.correlation_id, &verdict_restricted, sha.id, S_OK);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        check_call(&sha.calls[calls[i]]);
        check_eventually(sha.refcount == 1);
        if (calls[i] == SHA_GetSoHRequest)
            check_not_called(&sha.calls[SHA_CompareSoHRequests]);
        check_all_methods(sha.binding, NAP_E_NOT_INITIALIZED);
        sha.hook = NULL;
        bind_sha(&sha);
        unbind_sha(&sha);
        remove_connection(&ec);
        winetest_pop_context();
    }
    cleanup_sha(&sha);
    unregister_sha(TEST_ID(0));
}

struct block
{
    HANDLE entered;
    HANDLE go_on;
};

static void block_hook(struct sha *sha, enum sha_call call, INapSystemHealthAgentRequest *request)
{
    struct block *block = sha->hook_data;

    if (call != SHA_GetSoHRequest)
        return;
    SetEvent(block->entered);
    WaitForSingleObject(block->go_on, 2 * DROP_TIMEOUT);
}

static DWORD WINAPI get_request_thread(void *arg)
{
    BOOL hint;
    HRESULT hr;

    hr = CoInitializeEx(NULL, COINIT_MULTITHREADED);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = INapEnforcementClientBinding_GetSoHRequest(ec.binding, arg, &hint);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    CoUninitialize();
    return 0;
}

static DWORD WINAPI uninitialize_thread(void *arg)
{
    HRESULT hr;

    hr = CoInitializeEx(NULL, COINIT_MULTITHREADED);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    unbind_sha((struct sha *)arg);
    CoUninitialize();
    return 0;
}

/* Uninitialize() waits for a call in progress, and no other begins; the agent doesn't wait for either. */
static void test_uninitialize_waits(void)
{
    INapEnforcementClientConnection *connection = add_connection(&ec), *next = add_connection(&ec);
    HANDLE request_thread, next_thread, thread;
    struct block block;
    struct ssoh ssoh;
    struct sha sha;
    unsigned int i;

    add_sha(&sha, TEST_ID(0));
    block.entered = create_event(NULL);
    block.go_on = create_event(NULL);
    sha.hook = block_hook;
    sha.hook_data = &block;
    for (i = 0; i < 3; ++i)
    {
        winetest_push_context("round %u", i);
        if (i)
            bind_sha(&sha);
        ResetEvent(block.entered);
        ResetEvent(block.go_on);
        request_thread = CreateThread(NULL, 0, get_request_thread, connection, 0, NULL);
        check_wait(block.entered);
        next_thread = CreateThread(NULL, 0, get_request_thread, next, 0, NULL);
        thread = CreateThread(NULL, 0, uninitialize_thread, &sha, 0, NULL);
        check_no_wait(thread);
        check_not_called(&sha.calls[SHA_GetSoHRequest]);
        SetEvent(block.go_on);
        check_wait(thread);
        check_called(&sha.calls[SHA_GetSoHRequest]);
        check_wait(request_thread);
        check_wait(next_thread);
        get_blob(next, &ssoh);
        if (is_wine())
        {
            check_not_called(&sha.calls[SHA_GetSoHRequest]);
            check_generated_entry(&ssoh, sha.id, NAP_E_NOT_INITIALIZED);
        }
        check_all_methods(sha.binding, NAP_E_NOT_INITIALIZED);
        forget_calls(&sha.calls[SHA_GetSoHRequest]);
        CloseHandle(thread);
        CloseHandle(next_thread);
        CloseHandle(request_thread);
        winetest_pop_context();
    }
    CloseHandle(block.go_on);
    CloseHandle(block.entered);
    cleanup_sha(&sha);
    unregister_sha(TEST_ID(0));
    remove_connection(&ec);
    remove_connection(&ec);
}

static DWORD WINAPI release_thread(void *binding)
{
    HRESULT hr;

    hr = CoInitializeEx(NULL, COINIT_MULTITHREADED);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    release_object((IUnknown *)binding);
    CoUninitialize();
    return 0;
}

/* Nor is a call in progress when the last release of a binding returns. */
static void test_release_waits(void)
{
    INapEnforcementClientConnection *connection;
    HANDLE request_thread, thread;
    struct block block;
    struct sha sha;

    if (!is_wine())
    {
        skip("Whether Windows waits when a bound object is released isn't published.\n");
        return;
    }
    connection = add_connection(&ec);
    add_sha(&sha, TEST_ID(0));
    block.entered = create_event(NULL);
    block.go_on = create_event(NULL);
    sha.hook = block_hook;
    sha.hook_data = &block;
    request_thread = CreateThread(NULL, 0, get_request_thread, connection, 0, NULL);
    check_wait(block.entered);
    thread = CreateThread(NULL, 0, release_thread, sha.binding, 0, NULL);
    check_no_wait(thread);
    check_not_called(&sha.calls[SHA_GetSoHRequest]);
    SetEvent(block.go_on);
    check_wait(thread);
    check_called(&sha.calls[SHA_GetSoHRequest]);
    ok(sha.refcount == 1, "Got %ld references.\n", sha.refcount);
    check_wait(request_thread);
    CloseHandle(thread);
    CloseHandle(request_thread);
    CloseHandle(block.go_on);
    CloseHandle(block.entered);
    cleanup_calls(sha.calls, SHA_CALL_COUNT);
    unregister_sha(TEST_ID(0));
    remove_connection(&ec);
}

/* An SHA that hangs is dropped; the others' exchange goes on. */
static void test_hang(void)
{
    enum sha_call call = SHA_GetSoHRequest;
    INapEnforcementClientConnection *connection;
    struct sha sha, other;
    struct block block;
    struct ssoh ssoh;
    DWORD start, time;
    HANDLE thread;
    HRESULT hr;

    if (!is_wine())
    {
        skip("Whether and when Windows drops a client that hangs isn't published.\n");
        return;
    }
    connection = add_connection(&ec);
    add_sha(&sha, TEST_ID(0));
    add_sha(&other, TEST_ID(1));
    block.entered = create_event(NULL);
    block.go_on = create_event(NULL);
    sha.hook = block_hook;
    sha.hook_data = &block;

    start = GetTickCount();
    get_request(&ec, connection, &ssoh);
    time = GetTickCount() - start;
    ok(time < DROP_TIMEOUT, "It took %lu ms.\n", time);
    check_wait(block.entered);
    check_called(&other.calls[SHA_GetSoHRequest]);
    check_entry(&ssoh, other.id, "fine");
    ok(find_entry(&ssoh, sha.id) && find_entry(&ssoh, sha.id)->size == 13, "Got no entry on behalf.\n");
    check_not_called(&sha.calls[SHA_GetSoHRequest]);

    hr = INapSystemHealthAgentBinding_NotifySoHChange(sha.binding);
    ok(hr == NAP_E_NOT_INITIALIZED, "Got hr %#lx.\n", hr);
    hr = INapSystemHealthAgentBinding_NotifySoHChange(other.binding);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    start = GetTickCount();
    get_request(&ec, connection, &ssoh);
    time = GetTickCount() - start;
    ok(time < 5000, "It took %lu ms.\n", time);
    check_generated_entry(&ssoh, sha.id, NAP_E_NOT_INITIALIZED);

    SetEvent(block.go_on);
    check_call(&sha.calls[SHA_GetSoHRequest]);
    check_eventually(sha.refcount == 1);
    sha.hook = NULL;
    bind_sha(&sha);
    get_request(&ec, connection, &ssoh);
    check_entry(&ssoh, sha.id, "fine");

    /* What binds anew while its late callback still runs waits for that, too, when it ends, whatever was in between;
     * but not in a callback, which the late one may wait for. */
    ResetEvent(block.entered);
    ResetEvent(block.go_on);
    forget_calls(&sha.calls[SHA_GetSoHRequest]);
    sha.hook = block_hook;
    get_request(&ec, connection, &ssoh);
    check_wait(block.entered);
    sha.hook = NULL;
    bind_sha(&sha);
    sha.hook = uninitialize_hook;
    sha.hook_data = &call;
    start = GetTickCount();
    get_request(&ec, connection, &ssoh);
    time = GetTickCount() - start;
    ok(time < 5000, "It took %lu ms.\n", time);
    check_call(&sha.calls[SHA_GetSoHRequest]);
    check_eventually(sha.refcount == 2);
    sha.hook = NULL;

    bind_sha(&sha);
    sha.request_hr = HRESULT_FROM_WIN32(RPC_S_SERVER_UNAVAILABLE);
    get_request(&ec, connection, &ssoh);
    check_call(&sha.calls[SHA_GetSoHRequest]);
    check_eventually(sha.refcount == 2);
    sha.request_hr = S_OK;

    bind_sha(&sha);
    thread = CreateThread(NULL, 0, uninitialize_thread, &sha, 0, NULL);
    check_no_wait(thread);
    check_not_called(&sha.calls[SHA_GetSoHRequest]);
    SetEvent(block.go_on);
    check_wait(thread);
    check_called(&sha.calls[SHA_GetSoHRequest]);
    ok(sha.refcount == 1, "Got %ld references.\n", sha.refcount);
    CloseHandle(thread);
    bind_sha(&sha);

    CloseHandle(block.go_on);
    CloseHandle(block.entered);
    remove_sha(&other);
    remove_sha(&sha);
    remove_connection(&ec);
}

/* The same of another process, which is killed in its callback, too. */
static void test_hang_other_process(void)
{
    HANDLE ready = create_event(child_ready), process;
    INapEnforcementClientConnection *connection;
    struct sha other;
    struct ssoh ssoh;
    DWORD start, time;
    unsigned int i;

    if (!is_wine())
    {
        skip("Whether and when Windows drops a client that hangs isn't published.\n");
        CloseHandle(ready);
        return;
    }
    connection = add_connection(&ec);
    register_sha(TEST_ID(0));
    add_sha(&other, TEST_ID(1));
    for (i = 0; i < 2; ++i)
    {
        winetest_push_context(i ? "dies" : "hangs");
        ResetEvent(ready);
        process = start_child(i ? "die" : "hang", TEST_ID(0));
        check_wait(ready);
        start = GetTickCount();
        get_request(&ec, connection, &ssoh);
        time = GetTickCount() - start;
        ok(time < (i ? 8000 : DROP_TIMEOUT), "It took %lu ms.\n", time);
        check_entry(&ssoh, other.id, "fine");
        ok(find_entry(&ssoh, TEST_ID(0)) && find_entry(&ssoh, TEST_ID(0))->size == 13, "Got no entry on behalf.\n");
        get_request(&ec, connection, &ssoh);
        check_generated_entry(&ssoh, TEST_ID(0), NAP_E_NOT_INITIALIZED);
        TerminateProcess(process, 0x1234);
        end_child(process, 0x1234);
        winetest_pop_context();
    }
    remove_sha(&other);
    unregister_sha(TEST_ID(0));
    remove_connection(&ec);
    CloseHandle(ready);
}

/* Once more with a request in between. */
static void test_restart_exchange(void)
{
    INapEnforcementClientConnection *connection = add_connection(&ec);
    struct sha sha;
    struct ssoh ssoh;
    HRESULT hr;

    add_sha(&sha, TEST_ID(0));
    sha.cache = TRUE;
    get_request(&ec, connection, &ssoh);
    stop_agent();
    forget_calls(&ec.calls[EC_NotifySoHChange]);
    start_agent();
    check_eventually(INapSystemHealthAgentBinding_NotifySoHChange(sha.binding) == S_OK);
    check_call(&ec.calls[EC_NotifySoHChange]);
    forget_calls(&sha.calls[SHA_GetSoHRequest]);
    get_request(&ec, connection, &ssoh);
    check_called(&sha.calls[SHA_GetSoHRequest]);
    check_unknown_hr(sha.cached_hr, NAP_E_NO_CACHED_SOH);
    check_entry(&ssoh, sha.id, "fine");
    hr = respond(&ec, connection, &ssoh.correlation_id, &verdict_restricted, sha.id, S_OK);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    check_call(&sha.calls[SHA_ProcessSoHResponse]);
    remove_sha(&sha);
    remove_connection(&ec);
}

struct sta
{
    HANDLE bound;
    HANDLE done;
    DWORD thread_id;
};

static struct sha sta_sha;

/* A client with a message loop, which is where it wants its callbacks. */
static DWORD WINAPI sta_thread(void *arg)
{
    struct sta *sta = arg;
    DWORD ret;
    HRESULT hr;
    MSG msg;

    hr = CoInitializeEx(NULL, COINIT_APARTMENTTHREADED);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    sta->thread_id = GetCurrentThreadId();
    init_sha(&sta_sha, TEST_ID(0));
    bind_sha(&sta_sha);
    SetEvent(sta->bound);
    while ((ret = MsgWaitForMultipleObjects(1, &sta->done, FALSE, 2 * TIMEOUT, QS_ALLINPUT)) == WAIT_OBJECT_0 + 1)
    {
        while (PeekMessageW(&msg, NULL, 0, 0, PM_REMOVE))
            DispatchMessageW(&msg);
    }
    ok(ret == WAIT_OBJECT_0, "Got %#lx.\n", ret);
    unbind_sha(&sta_sha);
    cleanup_sha(&sta_sha);
    CoUninitialize();
    return 0;
}

static void test_sta(void)
{
    INapEnforcementClientConnection *connection = add_connection(&ec);
    struct ssoh ssoh;
    struct sta sta;
    HANDLE thread;
    HRESULT hr;

    register_sha(TEST_ID(0));
    sta.bound = create_event(NULL);
    sta.done = create_event(NULL);
    thread = CreateThread(NULL, 0, sta_thread, &sta, 0, NULL);
    check_wait(sta.bound);
    get_request(&ec, connection, &ssoh);
    check_called(&sta_sha.calls[SHA_GetSoHRequest]);
    ok(sta_sha.thread_id == sta.thread_id, "Got thread %#lx, expected %#lx.\n", sta_sha.thread_id, sta.thread_id);
    check_correlation_id(&sta_sha.request_id, &ssoh.correlation_id);
    check_entry(&ssoh, TEST_ID(0), "fine");
    hr = respond(&ec, connection, &ssoh.correlation_id, &verdict_restricted, TEST_ID(0), 0x80270050);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    check_call(&sta_sha.calls[SHA_ProcessSoHResponse]);
    ok(sta_sha.thread_id == sta.thread_id, "Got thread %#lx, expected %#lx.\n", sta_sha.thread_id, sta.thread_id);
    ok(sta_sha.response_code == 0x80270050, "Got %#lx.\n", sta_sha.response_code);
    check_call(&sta_sha.calls[SHA_NotifySystemIsolationStateChange]);
    SetEvent(sta.done);
    check_wait(thread);
    CloseHandle(thread);
    CloseHandle(sta.done);
    CloseHandle(sta.bound);
    unregister_sha(TEST_ID(0));
    remove_connection(&ec);
}

/* As many as there may be. */
static void test_crowd(void)
{
    INapEnforcementClientConnection *connection = add_connection(&ec);
    static struct sha shas[maxSystemHealthEntityCount];
    NapComponentRegistrationInfo *infos;
    struct response response;
    struct ssoh ssoh;
    unsigned int i;
    UINT16 count;
    HRESULT hr;

    hr = INapClientManagement_GetRegisteredSystemHealthAgents(management, &count, &infos);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    pFreeNapComponentRegistrationInfoArray(count, &infos);
    count = maxSystemHealthEntityCount - count;
    for (i = 0; i < count; ++i)
        add_sha(&shas[i], CROWD_ID(i));

    get_request(&ec, connection, &ssoh);
    begin_response(&response, &ssoh.correlation_id, &verdict_restricted);
    for (i = 0; i < count; ++i)
    {
        winetest_push_context("SHA %u", i);
        check_called(&shas[i].calls[SHA_GetSoHRequest]);
        check_entry(&ssoh, shas[i].id, "fine");
        put_result(&response, shas[i].id, 0x80270060 + i);
        winetest_pop_context();
    }
    end_response(&response);
    hr = process_response(&ec, connection, &response);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    for (i = 0; i < count; ++i)
    {
        winetest_push_context("SHA %u", i);
        check_call(&shas[i].calls[SHA_ProcessSoHResponse]);
        ok(shas[i].response_code == 0x80270060 + i, "Got %#lx.\n", shas[i].response_code);
        check_call(&shas[i].calls[SHA_NotifySystemIsolationStateChange]);
        winetest_pop_context();
    }
    for (i = 0; i < count; ++i)
        remove_sha(&shas[i]);
    remove_connection(&ec);
}

static void child_hook(struct sha *sha, enum sha_call call, INapSystemHealthAgentRequest *request)
{
    if (call != SHA_GetSoHRequest)
        return;
    if (sha->hook_data)
        TerminateProcess(GetCurrentProcess(), 0x1234);
    Sleep(2 * TIMEOUT);
}

/* As a DLL's destructors do while its process ends */
static void WINAPI release_at_exit(void *binding)
{
    INapSystemHealthAgentBinding_Release((INapSystemHealthAgentBinding *)binding);
}

static BOOL set_exit_routine(void (WINAPI *routine)(void *), void *arg)
{
    HMODULE kernel32 = GetModuleHandleA("kernel32.dll");
    DWORD (WINAPI *pFlsAlloc)(void (WINAPI *)(void *));
    BOOL (WINAPI *pFlsSetValue)(DWORD, void *);

    pFlsAlloc = (void *)GetProcAddress(kernel32, "FlsAlloc");
    pFlsSetValue = (void *)GetProcAddress(kernel32, "FlsSetValue");
    return pFlsAlloc && pFlsSetValue && pFlsSetValue(pFlsAlloc(routine), arg);
}

/* Whether the next change of the isolation state arrives in this process. */
static HRESULT listen_once(HANDLE ready)
{
    HANDLE event = create_event(NULL);
    HRESULT hr;

    if ((hr = pInitializeNapAgentNotifier(napNotifyTypeQuarState, event)) != S_OK)
        return hr;
    if (WaitForSingleObject(event, QUIET) != WAIT_TIMEOUT)
        return E_UNEXPECTED;
    SetEvent(ready);
    hr = WaitForSingleObject(event, TIMEOUT) == WAIT_OBJECT_0 ? S_OK : S_FALSE;
    pUninitializeNapAgentNotifier(napNotifyTypeQuarState);
    return hr;
}

static HRESULT run_child(const char *what, NapComponentId id)
{
    HANDLE ready = create_event(child_ready), go_on = create_event(child_go_on);
    struct sha sha;
    HRESULT hr;

    if (!init_client())
        return E_FAIL;
    if (!strcmp(what, "unregister"))
        return INapClientManagement_UnregisterSystemHealthAgent(management, id);
    if (!strcmp(what, "listen"))
        return listen_once(ready);
    init_sha(&sha, id);
    hr = initialize_sha(&sha);
    if (hr != S_OK)
        return hr;
    if (!strcmp(what, "bind"))
    {
        SetEvent(ready);
        WaitForSingleObject(go_on, 2 * TIMEOUT);
        return INapSystemHealthAgentBinding_Uninitialize(sha.binding);
    }
    if (!strcmp(what, "exit"))
        return set_exit_routine(release_at_exit, sha.binding) ? S_OK : S_FALSE;
    sha.hook = child_hook;
    sha.hook_data = strcmp(what, "die") ? NULL : &sha;
    SetEvent(ready);
    Sleep(2 * TIMEOUT);
    return E_UNEXPECTED;
}

START_TEST(sha_binding)
{
    char **argv;
    int argc;

    argc = winetest_get_mainargs(&argv);
    if (argc >= 5 && !strcmp(argv[2], "child"))
        ExitProcess(run_child(argv[3], strtoul(argv[4], NULL, 10)));

    if (!load_agent())
        return;

    test_not_initialized();
    test_initialize_failure();
    test_initialize();
    test_release();
    test_null();
    test_other_process();
    test_stopped();
    test_restart();
    test_end_stopped();
    if (add_ec(&ec, TEST_ID(0)))
    {
        test_request();
        test_request_object();
        test_large_soh();
        test_cache();
        test_separate_caches();
        test_failing();
        test_unbound();
        test_unavailable();
        test_compare();
        test_response();
        test_orphans();
        test_isolation_change();
        test_fixup();
        test_reentrancy();
        test_uninitialize_in_callback();
        test_uninitialize_waits();
        test_release_waits();
        test_hang();
        test_hang_other_process();
        test_restart_exchange();
        test_sta();
        test_crowd();
        remove_ec(&ec);
    }

    unload_agent();
}
