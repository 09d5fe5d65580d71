/*
 * Tests for connections and the isolation state
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

#include <stdlib.h>

#include "qagentrt_test.h"
#include "winreg.h"
#include "napenforcementclient.h"

static const FILETIME no_probation = {~0u, ~0u};

static void init_key(GUID *key, UINT number)
{
    memset(key, 0x5c, sizeof(*key));
    key->Data1 = number;
}

static void start(struct fake *sha, struct fake *ec, UINT connections)
{
    HRESULT hr;
    GUID key;
    UINT i;

    add_component(NAPAGENT_SHA, SHA_ID);
    add_component(NAPAGENT_EC, EC_ID);
    fake_start(sha, NAPAGENT_SHA, SHA_ID);
    fake_start(ec, NAPAGENT_EC, EC_ID);
    for (i = 0; i < connections; i++)
    {
        init_key(&key, i);
        hr = open_connection(&ec->binding, &key);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        ec->connections[i] = key;
    }
    ec->connection_count = connections;
}

static void stop(struct fake *sha, struct fake *ec)
{
    fake_stop(ec);
    fake_stop(sha);
    remove_component(NAPAGENT_EC, EC_ID);
    remove_component(NAPAGENT_SHA, SHA_ID);
}

static DWORD get_changes(void)
{
    DWORD value = 0, size = sizeof(value);
    HKEY key;

    if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, L"System\\CurrentControlSet\\Services\\napagent\\State", 0, KEY_QUERY_VALUE,
                      &key))
        return 0;
    RegQueryValueExW(key, L"IsolationStateChanges", NULL, NULL, (BYTE *)&value, &size);
    RegCloseKey(key);
    return value;
}

static void wait_changes(DWORD changes)
{
    DWORD start = GetTickCount();

    while (get_changes() < changes && GetTickCount() - start < 2000) Sleep(10);
    ok(get_changes() == changes, "Got %lu changes, expected %lu.\n", get_changes(), changes);
}

#define check_system(state, extended, probation_end, url, unknown) \
    check_system_(__LINE__, state, extended, probation_end, url, unknown)
static void check_system_(int line, UINT32 state, UINT32 extended, const FILETIME *probation_end, const WCHAR *url,
        BOOL unknown)
{
    BOOL unknown_connections = 0xdeadbeef;
    IsolationInfoEx *info = NULL;
    HRESULT hr;

    AGENT_CALL(hr, napagent_get_isolation_info(agent, &info, &unknown_connections));
    ok_(__FILE__, line)(hr == S_OK, "Got hr %#lx.\n", hr);
    if (FAILED(hr)) return;
    ok_(__FILE__, line)(info->isolationState == state, "Got state %u.\n", info->isolationState);
    ok_(__FILE__, line)(info->extendedIsolationState == extended, "Got extended state %u.\n",
            info->extendedIsolationState);
    ok_(__FILE__, line)(!CompareFileTime(&info->probEndTime, probation_end), "Got probation end %08lx%08lx.\n",
            info->probEndTime.dwHighDateTime, info->probEndTime.dwLowDateTime);
    if (url)
    {
        ok_(__FILE__, line)(info->failureUrl.length == lstrlenW(url), "Got length %u.\n", info->failureUrl.length);
        ok_(__FILE__, line)(info->failureUrl.string && !lstrcmpW(info->failureUrl.string, url), "Got URL %s.\n",
                wine_dbgstr_w(info->failureUrl.string));
    }
    else ok_(__FILE__, line)(!info->failureUrl.string && !info->failureUrl.length, "Got URL %s.\n",
                wine_dbgstr_w(info->failureUrl.string));
    ok_(__FILE__, line)(unknown_connections == unknown, "Got %d.\n", unknown_connections);
    free(info->failureUrl.string);
    free(info);
}

static void judge(struct fake *ec, UINT connection, UINT32 state, UINT32 extended, const FILETIME *probation_end,
        const char *url)
{
    LONG count = ec->counts[NAPAGENT_CALL_GET_CONNECTIONS];
    CorrelationId id;
    HRESULT hr;
    BOOL hint;

    hr = get_request(&ec->binding, &ec->connections[connection], &hint, &id);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = respond(&ec->binding, &ec->connections[connection], &id, state, extended, probation_end, url);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    fake_wait(ec, NAPAGENT_CALL_GET_CONNECTIONS, count + 1);
    Sleep(50);
}

static UINT get_connection_count(void)
{
    napagent_connection_state *states = NULL;
    UINT32 count = 0xdeadbeef;
    HRESULT hr;

    AGENT_CALL(hr, napagent_get_connection_states(agent, &count, &states));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(!count == !states, "Got %u states at %p.\n", count, states);
    free(states);
    return count;
}

static void test_open(void)
{
    static const struct
    {
        UINT32 isolation, extended, private_size;
    }
    bad[] =
    {
        { 4 }, { 0x80000000 }, { ~0u }, { 1, 4 }, { 1, ~0u }, { 0, 4 }, { 0, 0, 201 }, { 0, 0, 60000 },
    };
    napagent_connection_state *states = NULL;
    napagent_component_state component;
    static BYTE garbage[60000];
    WCHAR url[1026];
    struct fake sha, ec, ec2;
    UINT32 count, i;
    HRESULT hr;
    GUID key;

    start(&sha, &ec, 20);
    add_component(NAPAGENT_EC, EC_ID + 1);
    fake_start(&ec2, NAPAGENT_EC, EC_ID + 1);

    init_key(&key, 20);
    hr = open_connection(&ec.binding, &key);
    ok(hr == E_OUTOFMEMORY, "Got hr %#lx.\n", hr);
    init_key(&key, 19);
    hr = open_connection(&ec.binding, &key);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(get_connection_count() == 20, "Got %u.\n", get_connection_count());
    get_state(NAPAGENT_EC, EC_ID, &component);
    ok(component.connection_count == 20, "Got %u.\n", component.connection_count);

    /* They belong to one client. */
    hr = close_connection(&ec2.binding, &key);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    hr = open_connection(&ec2.binding, &key);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(get_connection_count() == 21, "Got %u.\n", get_connection_count());
    hr = close_connection(&ec2.binding, &key);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = close_connection(&ec.binding, &key);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = close_connection(&ec.binding, &key);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    ok(get_connection_count() == 19, "Got %u.\n", get_connection_count());

    for (i = 0; i < ARRAY_SIZE(bad); i++)
    {
        winetest_push_context("%u", i);
        AGENT_CALL(hr, napagent_open_connection(agent, &ec.binding, &key, bad[i].private_size, garbage,
                                                bad[i].isolation, bad[i].extended, no_probation, NULL));
        ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
        winetest_pop_context();
    }
    for (i = 0; i < 1025; i++) url[i] = 'x';
    url[1025] = 0;
    AGENT_CALL(hr, napagent_open_connection(agent, &ec.binding, &key, 0, garbage, 1, 0, no_probation, url));
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    ok(get_connection_count() == 19, "Got %u.\n", get_connection_count());
    url[1024] = 0;
    AGENT_CALL(hr, napagent_open_connection(agent, &ec.binding, &key, 0, garbage, 1, 0, no_probation, url));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    check_system(isolationStateNotRestricted, 0, &no_probation, url, TRUE);
    fake_wait(&ec, NAPAGENT_CALL_GET_CONNECTIONS, 1);

    AGENT_CALL(hr, napagent_get_connection_states(agent, &count, &states));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(count == 20, "Got %u.\n", count);
    for (i = 0; i < count; i++)
    {
        ok(states[i].enforcer == EC_ID, "Got %#x.\n", states[i].enforcer);
        ok(states[i].connection.Data1 == i, "Got %s.\n", wine_dbgstr_guid(&states[i].connection));
        ok(states[i].isolation_state == (i == 19), "Got %u.\n", states[i].isolation_state);
    }
    free(states);

    fake_stop(&ec2);
    remove_component(NAPAGENT_EC, EC_ID + 1);
    stop(&sha, &ec);
    ok(!get_connection_count(), "Got %u.\n", get_connection_count());
}

/* What the agent has left on a connection, and what it hasn't */
static void test_private_data(void)
{
    UINT32 size, private_size, i, j;
    BYTE *request = NULL, *data = NULL, garbage[200];
    struct fake sha, ec;
    CorrelationId id, other;
    HRESULT hr;
    BOOL hint;
    GUID key;

    start(&sha, &ec, 1);
    key = ec.connections[0];

    AGENT_CALL(hr, napagent_get_soh_request(agent, &ec.binding, &key, &key, 4000, &hint, &id, &size, &request,
                                            &private_size, &data));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = close_connection(&ec.binding, &key);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    fake_wait(&sha, NAPAGENT_CALL_NOTIFY_ORPHANED, 1);

    /* It knows again what is outstanding. */
    AGENT_CALL(hr, napagent_open_connection(agent, &ec.binding, &key, private_size, data, 0, 0, no_probation, NULL));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = respond(&ec.binding, &key, &id, isolationStateNotRestricted, 0, &no_probation, "");
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    fake_wait(&sha, NAPAGENT_CALL_NOTIFY_ORPHANED, 2);
    hr = get_request(&ec.binding, &key, &hint, &other);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(hint, "Got no hint.\n");
    hr = close_connection(&ec.binding, &key);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);

    /* each byte wrong in turn, and each size */
    for (i = 0; i <= private_size; i++)
    {
        for (j = 0; j < 2; j++)
        {
            size = j ? i : private_size;
            memcpy(garbage, data, private_size);
            if (!j && i < private_size) garbage[i] ^= 0xff;
            AGENT_CALL(hr, napagent_open_connection(agent, &ec.binding, &key, size, garbage, 0, 0, no_probation, NULL));
            ok(hr == S_OK, "%u: Got hr %#lx.\n", i, hr);
            hr = respond(&ec.binding, &key, &id, isolationStateNotRestricted, 0, &no_probation, "");
            ok(hr == S_OK || hr == NAP_E_MISMATCHED_ID, "%u: Got hr %#lx.\n", i, hr);
            if (j) ok((hr == S_OK) == (i == private_size), "%u: Got hr %#lx.\n", i, hr);
            hr = close_connection(&ec.binding, &key);
            ok(hr == S_OK, "Got hr %#lx.\n", hr);
        }
    }
    memset(garbage, 0xff, sizeof(garbage));
    AGENT_CALL(hr, napagent_open_connection(agent, &ec.binding, &key, sizeof(garbage), garbage, 0, 0, no_probation,
                                            NULL));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);

    free(data);
    free(request);
    stop(&sha, &ec);
}

static void test_system_state(void)
{
    static const FILETIME soon = { 0, 0x02000000 }, later = { 1, 0x02000000 };
    struct fake sha, ec;
    DWORD changes;
    HRESULT hr;

    check_system(isolationStateNotRestricted, 0, &no_probation, NULL, FALSE);
    start(&sha, &ec, 3);
    check_system(isolationStateNotRestricted, 0, &no_probation, NULL, TRUE);
    Sleep(200);
    changes = get_changes();

    judge(&ec, 0, isolationStateNotRestricted, extendedIsolationStateUnknown, &no_probation, "http://zero");
    check_system(isolationStateNotRestricted, extendedIsolationStateUnknown, &no_probation, L"http://zero", TRUE);
    ok(!sha.counts[NAPAGENT_CALL_NOTIFY_ISOLATION_STATE], "Got %ld calls.\n",
            sha.counts[NAPAGENT_CALL_NOTIFY_ISOLATION_STATE]);
    wait_changes(changes);

    judge(&ec, 1, isolationStateInProbation, extendedIsolationStateTransition, &later, "");
    check_system(isolationStateInProbation, extendedIsolationStateTransition, &later, NULL, TRUE);
    fake_wait(&sha, NAPAGENT_CALL_NOTIFY_ISOLATION_STATE, 1);
    wait_changes(++changes);

    judge(&ec, 2, isolationStateInProbation, extendedIsolationStateInfected, &soon, "http://two");
    check_system(isolationStateInProbation, extendedIsolationStateInfected, &soon, L"http://two", FALSE);
    fake_wait(&sha, NAPAGENT_CALL_NOTIFY_ISOLATION_STATE, 2);
    wait_changes(++changes);

    judge(&ec, 0, isolationStateRestrictedAccess, extendedIsolationStateNoData, &no_probation, "http://zero");
    check_system(isolationStateRestrictedAccess, extendedIsolationStateNoData, &no_probation, L"http://zero", FALSE);
    fake_wait(&sha, NAPAGENT_CALL_NOTIFY_ISOLATION_STATE, 3);
    wait_changes(++changes);

    /* nothing new */
    judge(&ec, 1, isolationStateNotRestricted, extendedIsolationStateNoData, &no_probation, "");
    check_system(isolationStateRestrictedAccess, extendedIsolationStateNoData, &no_probation, L"http://zero", FALSE);
    fake_wait(&sha, NAPAGENT_CALL_NOTIFY_ISOLATION_STATE, 3);
    wait_changes(changes);

    /* Connections that the client no longer calls up don't count. */
    ec.connection_count = 2;
    ec.connections[0] = ec.connections[2];
    judge(&ec, 1, isolationStateNotRestricted, extendedIsolationStateNoData, &no_probation, "");
    check_system(isolationStateInProbation, extendedIsolationStateInfected, &soon, L"http://two", FALSE);
    fake_wait(&sha, NAPAGENT_CALL_NOTIFY_ISOLATION_STATE, 4);
    wait_changes(++changes);

    hr = close_connection(&ec.binding, &ec.connections[0]);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    check_system(isolationStateNotRestricted, extendedIsolationStateNoData, &no_probation, NULL, FALSE);
    fake_wait(&sha, NAPAGENT_CALL_NOTIFY_ISOLATION_STATE, 5);
    wait_changes(++changes);

    /* A client that can't say which are up changes nothing, nor does nonsense. */
    ec.hrs[NAPAGENT_CALL_GET_CONNECTIONS] = E_FAIL;
    judge(&ec, 1, isolationStateRestrictedAccess, extendedIsolationStateNoData, &no_probation, "");
    check_system(isolationStateRestrictedAccess, extendedIsolationStateNoData, &no_probation, NULL, FALSE);
    fake_wait(&sha, NAPAGENT_CALL_NOTIFY_ISOLATION_STATE, 6);
    wait_changes(++changes);

    /* The client goes, and its connections with it. */
    fake_stop(&ec);
    check_system(isolationStateNotRestricted, extendedIsolationStateNoData, &no_probation, NULL, FALSE);
    fake_wait(&sha, NAPAGENT_CALL_NOTIFY_ISOLATION_STATE, 7);
    wait_changes(++changes);

    fake_start(&ec, NAPAGENT_EC, EC_ID);
    stop(&sha, &ec);
}

static void get_time_in(FILETIME *time, UINT milliseconds)
{
    ULARGE_INTEGER value;

    GetSystemTimeAsFileTime(time);
    value.LowPart = time->dwLowDateTime;
    value.HighPart = time->dwHighDateTime;
    value.QuadPart += milliseconds * 10000ull;
    time->dwLowDateTime = value.LowPart;
    time->dwHighDateTime = value.HighPart;
}

static void test_probation(void)
{
    struct fake sha, ec;
    CorrelationId id;
    DWORD changes;
    FILETIME end;
    HRESULT hr;
    BOOL hint;

    start(&sha, &ec, 1);
    get_time_in(&end, 2000);
    judge(&ec, 0, isolationStateInProbation, 0, &end, "");
    hr = get_request(&ec.binding, &ec.connections[0], &hint, &id);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(!hint, "Got a hint.\n");
    ok(!ec.counts[NAPAGENT_CALL_NOTIFY_SOH_CHANGE], "Got %ld calls.\n", ec.counts[NAPAGENT_CALL_NOTIFY_SOH_CHANGE]);

    Sleep(300); /* until all changes so far are published */
    changes = get_changes();
    fake_wait(&ec, NAPAGENT_CALL_NOTIFY_SOH_CHANGE, 1);
    wait_changes(changes + 1);
    check_system(isolationStateInProbation, 0, &end, NULL, FALSE);
    hr = get_request(&ec.binding, &ec.connections[0], &hint, &id);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(hint, "Got no hint.\n");
    hr = get_request(&ec.binding, &ec.connections[0], &hint, &id);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(!hint, "Got a hint.\n");

    /* A verdict takes its place. */
    get_time_in(&end, 1000);
    judge(&ec, 0, isolationStateInProbation, 0, &end, "");
    judge(&ec, 0, isolationStateNotRestricted, 0, &no_probation, "");
    Sleep(1500);
    ok(ec.counts[NAPAGENT_CALL_NOTIFY_SOH_CHANGE] == 1, "Got %ld calls.\n", ec.counts[NAPAGENT_CALL_NOTIFY_SOH_CHANGE]);

    /* over before it began */
    get_time_in(&end, 0);
    judge(&ec, 0, isolationStateInProbation, 0, &end, "");
    fake_wait(&ec, NAPAGENT_CALL_NOTIFY_SOH_CHANGE, 2);

    /* A server that says so again isn't asked in vain all the time. */
    judge(&ec, 0, isolationStateInProbation, 0, &end, "");
    Sleep(1000);
    ok(ec.counts[NAPAGENT_CALL_NOTIFY_SOH_CHANGE] == 2, "Got %ld calls.\n", ec.counts[NAPAGENT_CALL_NOTIFY_SOH_CHANGE]);
    hr = get_request(&ec.binding, &ec.connections[0], &hint, &id);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(hint, "Got no hint.\n");
    judge(&ec, 0, isolationStateNotRestricted, 0, &no_probation, "");
    judge(&ec, 0, isolationStateInProbation, 0, &end, "");
    fake_wait(&ec, NAPAGENT_CALL_NOTIFY_SOH_CHANGE, 3);

    stop(&sha, &ec);
}

START_TEST(isolation)
{
    if (!connect_agent()) return;
    test_open();
    test_private_data();
    test_system_state();
    test_probation();
    disconnect_agent();
}
