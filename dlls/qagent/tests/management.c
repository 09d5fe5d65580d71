/*
 * Tests for the management of the agent: registrations, and the state of the system
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

enum component
{
    SHA,
    EC,
    COMPONENT_COUNT
};

static const char *component_names[] = {"SHA", "EC"};

static HRESULT register_component(enum component component, const NapComponentRegistrationInfo *info)
{
    if (component == SHA)
        return INapClientManagement_RegisterSystemHealthAgent(management, info);
    return INapClientManagement_RegisterEnforcementClient(management, info);
}

static HRESULT unregister_component(enum component component, NapComponentId id)
{
    if (component == SHA)
        return INapClientManagement_UnregisterSystemHealthAgent(management, id);
    return INapClientManagement_UnregisterEnforcementClient(management, id);
}

static HRESULT get_components(enum component component, UINT16 *count, NapComponentRegistrationInfo **infos)
{
    *count = 0xcccc;
    *infos = (void *)0xdeadbeef;
    if (component == SHA)
        return INapClientManagement_GetRegisteredSystemHealthAgents(management, count, infos);
    return INapClientManagement_GetRegisteredEnforcementClients(management, count, infos);
}

#define check_unregister(component, id) check_unregister_(__LINE__, component, id)
static void check_unregister_(int line, enum component component, NapComponentId id)
{
    HRESULT hr = unregister_component(component, id);

    ok_(__FILE__, line)(hr == S_OK, "Got hr %#lx.\n", hr);
}

/* How many there are in all, and the one of that id. */
#define find_component(component, id, found) find_component_(__LINE__, component, id, found)
static unsigned int find_component_(int line, enum component component, NapComponentId id,
        void (*found)(int, const NapComponentRegistrationInfo *))
{
    NapComponentRegistrationInfo *infos;
    unsigned int i, matches = 0;
    UINT16 count;
    HRESULT hr;

    hr = get_components(component, &count, &infos);
    ok_(__FILE__, line)(hr == S_OK, "Got hr %#lx.\n", hr);
    if (hr != S_OK)
        return 0;
    ok_(__FILE__, line)(count <= maxSystemHealthEntityCount, "Got %u.\n", count);
    for (i = 0; i < count; ++i)
    {
        if (infos[i].id != id)
            continue;
        ++matches;
        if (found)
            found(line, &infos[i]);
    }
    ok_(__FILE__, line)(matches <= 1, "%#x is registered %u times.\n", id, matches);
    pFreeNapComponentRegistrationInfoArray(count, &infos);
    return matches;
}

#define check_registered(component, id, expected) check_registered_(__LINE__, component, id, expected)
static void check_registered_(int line, enum component component, NapComponentId id, BOOL expected)
{
    BOOL registered = find_component_(line, component, id, NULL);

    ok_(__FILE__, line)(registered == expected, "%#x is %sregistered.\n", id, registered ? "" : "not ");
}

static unsigned int count_components(enum component component)
{
    NapComponentRegistrationInfo *infos;
    UINT16 count;
    HRESULT hr;

    hr = get_components(component, &count, &infos);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    if (hr != S_OK)
        return 0;
    pFreeNapComponentRegistrationInfoArray(count, &infos);
    return count;
}

#define check_text(string, expected) check_text_(__LINE__, string, expected)
static void check_text_(int line, const CountedString *string, const WCHAR *expected)
{
    if (!expected[0] && !string->string)
    {
        ok_(__FILE__, line)(!string->length, "Got length %u.\n", string->length);
        return;
    }
    ok_(__FILE__, line)(string->string && !lstrcmpW(string->string, expected), "Got %s, expected %s.\n",
            wine_dbgstr_w(string->string), wine_dbgstr_w(expected));
    ok_(__FILE__, line)(string->length == lstrlenW(expected) || broken(string->length > lstrlenW(expected)),
            "Got length %u, expected %u.\n", string->length, lstrlenW(expected));
}

static void test_GetNapClientInfo(void)
{
    CountedString *name = (void *)0xdeadbeef, *description = (void *)0xdeadbeef, *version = (void *)0xdeadbeef;
    BOOL enabled = 0xdeadbeef;
    HRESULT hr;

    hr = INapClientManagement_GetNapClientInfo(management, &enabled, &name, &description, &version);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    if (hr != S_OK)
        return;
    ok(enabled == TRUE || broken(enabled == FALSE), "Got %d.\n", enabled);
    ok(name && description && version, "Got %p, %p, %p.\n", name, description, version);
    trace("name %s, description %s, version %s\n", wine_dbgstr_w(name->string), wine_dbgstr_w(description->string),
            wine_dbgstr_w(version->string));
    ok(name->length == lstrlenW(name->string), "Got length %u.\n", name->length);
    ok(description->length == lstrlenW(description->string), "Got length %u.\n", description->length);
    ok(version->length == lstrlenW(version->string), "Got length %u.\n", version->length);
    if (is_wine())
    {
        check_text(name, L"Network Access Protection Client");
        check_text(description, L"Network Access Protection client platform");
        check_text(version, L"1.0");
    }
    pFreeCountedString(name);
    pFreeCountedString(description);
    pFreeCountedString(version);
}

/* Without any connection. */
static void test_isolation_info(void)
{
    if (!is_wine())
    {
        skip("A real machine may have connections, and any verdict on them.\n");
        return;
    }
    check_system_isolation(&verdict_healthy, FALSE);
}

/* A proxy refuses them, and what Windows' objects do is not published. */
static void test_null(void)
{
    CountedString *strings[3];
    INapClientManagement2 *management2;
    NapComponentRegistrationInfo *infos;
    IsolationInfoEx *info_ex;
    IsolationInfo *info;
    unsigned int i;
    BOOL flag;
    UINT16 count;
    HRESULT hr;

    if (!is_wine())
        return;

    for (i = 0; i < 4; ++i)
    {
        winetest_push_context("NULL %u", i);
        flag = 0xdeadbeef;
        memset(strings, 0xcc, sizeof(strings));
        hr = INapClientManagement_GetNapClientInfo(management, i == 0 ? NULL : &flag, i == 1 ? NULL : &strings[0],
                i == 2 ? NULL : &strings[1], i == 3 ? NULL : &strings[2]);
        ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
        winetest_pop_context();
    }
    hr = INapClientManagement_GetSystemIsolationInfo(management, NULL, &flag);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    hr = INapClientManagement_GetSystemIsolationInfo(management, &info, NULL);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    hr = INapClientManagement_GetRegisteredSystemHealthAgents(management, NULL, &infos);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    hr = INapClientManagement_GetRegisteredSystemHealthAgents(management, &count, NULL);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    hr = INapClientManagement_GetRegisteredEnforcementClients(management, NULL, &infos);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    hr = INapClientManagement_GetRegisteredEnforcementClients(management, &count, NULL);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    hr = INapClientManagement_RegisterSystemHealthAgent(management, NULL);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    hr = INapClientManagement_RegisterEnforcementClient(management, NULL);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);

    hr = INapClientManagement_QueryInterface(management, &IID_INapClientManagement2, (void **)&management2);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = INapClientManagement2_GetSystemIsolationInfoEx(management2, NULL, &flag);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    hr = INapClientManagement2_GetSystemIsolationInfoEx(management2, &info_ex, NULL);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    INapClientManagement2_Release(management2);
}

static const CLSID test_info_clsid = {0xe19ddec2, 0x3fbe, 0x4c3b, {0x93, 0x17, 0x67, 0x97, 0x60, 0xc1, 0x3a, 0xae}};
static const CLSID test_config_clsid = {0, 0, 0, {0, 0, 0, 0, 0, 0, 0, 1}};
static ULONGLONG registration_time;

static void check_plain_registration(int line, const NapComponentRegistrationInfo *info)
{
    ULONGLONG date = get_filetime(&info->registrationDate);

    check_text_(line, &info->friendlyName, TEST_NAME L" name");
    check_text_(line, &info->description, TEST_NAME L" description");
    check_text_(line, &info->version, TEST_NAME L" 1.0");
    check_text_(line, &info->vendorName, TEST_NAME L" vendor");
    ok_(__FILE__, line)(IsEqualGUID(&info->infoClsid, &test_info_clsid), "Got %s.\n",
            wine_dbgstr_guid(&info->infoClsid));
    ok_(__FILE__, line)(IsEqualGUID(&info->configClsid, &test_config_clsid)
            || broken(IsEqualGUID(&info->configClsid, &GUID_NULL)), "Got %s.\n",
            wine_dbgstr_guid(&info->configClsid));
    /* When it was registered, to the minute. */
    ok_(__FILE__, line)((date >= registration_time - 600000000 && date <= get_system_time() + 600000000)
            || broken(!date), "Got date %#I64x, expected %#I64x.\n", date, registration_time);
    registration_time = date;
}

static void check_same_date(int line, const NapComponentRegistrationInfo *info)
{
    ULONGLONG date = get_filetime(&info->registrationDate);

    ok_(__FILE__, line)(date == registration_time, "Got date %#I64x, expected %#I64x.\n", date, registration_time);
}

static void test_register(enum component component)
{
    NapComponentRegistrationInfo info, other;
    NapComponentId id = TEST_ID(component);
    WCHAR name[64];
    HRESULT hr;

    check_registered(component, id, FALSE);
    init_registration(&info, id);
    info.infoClsid = test_info_clsid;
    info.configClsid = test_config_clsid;
    /* Ignored. */
    info.registrationDate = make_filetime(0x1234567890);
    lstrcpyW(name, TEST_NAME L" name");
    set_string(&info.friendlyName, name);
    registration_time = get_system_time();
    hr = register_component(component, &info);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    /* All is copied. */
    memset(name, 0xcc, sizeof(name));
    memset(&info, 0xcc, sizeof(info));
    ok(find_component(component, id, check_plain_registration), "Not found.\n");
    check_registered(!component, id, FALSE);

    /* Taken. What is there stays. */
    init_registration(&other, id);
    set_string(&other.friendlyName, TEST_NAME L" other");
    hr = register_component(component, &other);
    ok(hr == NAP_E_CONFLICTING_ID, "Got hr %#lx.\n", hr);
    ok(find_component(component, id, check_plain_registration), "Not found.\n");

    /* The kinds' ids are apart. */
    hr = register_component(!component, &other);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(find_component(component, id, check_same_date), "Not found.\n");
    check_registered(!component, id, TRUE);
    check_unregister(!component, id);
    check_registered(!component, id, FALSE);
    ok(find_component(component, id, check_same_date), "Not found.\n");

    check_unregister(component, id);
    check_registered(component, id, FALSE);
    hr = unregister_component(component, id);
    check_failure(hr, NAP_E_NOT_REGISTERED);
    hr = unregister_component(component, UNKNOWN_ID);
    check_failure(hr, NAP_E_NOT_REGISTERED);
}

static void test_invalid_id(enum component component)
{
    NapComponentRegistrationInfo info;
    HRESULT hr;

    init_registration(&info, 0);
    hr = register_component(component, &info);
    ok(hr == E_INVALIDARG || broken(hr != E_INVALIDARG), "Got hr %#lx.\n", hr);
    if (hr == S_OK)
        check_unregister(component, 0);
    else
        check_registered(component, 0, FALSE);
    hr = unregister_component(component, 0);
    ok(hr == E_INVALIDARG || broken(FAILED(hr)), "Got hr %#lx.\n", hr);
}

static WCHAR long_text[1026];

static const struct string_test
{
    const char *name;
    CountedString string;
    const WCHAR *expected;      /* NULL: E_INVALIDARG */
    BOOL published;
    BOOL wine_only;             /* may crash on Windows */
}
string_tests[] =
{
    {"zeroes", {0, NULL}, L""},
    {"no string", {3, NULL}, L"", FALSE, TRUE},
    {"empty", {0, (WCHAR *)L""}, L"", TRUE},
    {"plain", {8, (WCHAR *)L"winetest"}, L"winetest", TRUE},
    {"trailing blanks", {10, (WCHAR *)L"winetest  "}, L"winetest  ", TRUE},
    {"beyond ASCII", {10, (WCHAR *)L"winetest\x00e9\x4e2d"}, L"winetest\x00e9\x4e2d", TRUE},
    {"a surrogate pair", {10, (WCHAR *)L"winetest\xd83d\xde00"}, L"winetest\xd83d\xde00", TRUE},
    /* As a published listing does it: bytes, with the terminator, in a buffer of that many characters. */
    {"bytes", {18, (WCHAR *)L"winetest\0\0\0\0\0\0\0\0\0\0"}, L"winetest", TRUE},
    {"length too short", {4, (WCHAR *)L"winetest"}, L"wine", FALSE},
    {"length 0", {0, (WCHAR *)L"winetest"}, L"", FALSE},
    {"longest", {1024, long_text + 1}, long_text + 1, TRUE},
    {"too long", {1025, long_text}, NULL},
};

static const WCHAR *expected_text;

static void check_string_registration(int line, const NapComponentRegistrationInfo *info)
{
    check_text_(line, &info->friendlyName, TEST_NAME);
    check_text_(line, &info->description, expected_text);
    check_text_(line, &info->version, expected_text);
    check_text_(line, &info->vendorName, expected_text);
}

static void test_strings(enum component component)
{
    NapComponentRegistrationInfo info;
    unsigned int i;
    HRESULT hr;

    for (i = 0; i < ARRAY_SIZE(long_text) - 1; ++i)
        long_text[i] = 'a' + i % 26;

    for (i = 0; i < ARRAY_SIZE(string_tests); ++i)
    {
        const struct string_test *test = &string_tests[i];

        if (test->wine_only && !is_wine())
            continue;
        winetest_push_context("%s", test->name);
        init_registration(&info, TEST_ID(i % 8));
        set_string(&info.friendlyName, TEST_NAME);
        info.description = info.version = info.vendorName = test->string;
        hr = register_component(component, &info);
        if (test->published)
            ok(hr == S_OK, "Got hr %#lx.\n", hr);
        else
            check_unknown_hr(hr, test->expected ? S_OK : E_INVALIDARG);
        if (hr == S_OK)
        {
            expected_text = test->expected;
            if (test->published || is_wine())
                ok(find_component(component, info.id, check_string_registration), "Not found.\n");
            check_unregister(component, info.id);
        }
        else
        {
            check_registered(component, info.id, FALSE);
        }
        winetest_pop_context();
    }
}

static void test_long_length(void)
{
    NapComponentRegistrationInfo info;
    static WCHAR buffer[0x10000];
    HRESULT hr;

    if (!is_wine())
        return;
    memset(buffer, 0, sizeof(buffer));
    lstrcpyW(buffer, TEST_NAME);
    init_registration(&info, TEST_ID(0));
    info.friendlyName.string = buffer;
    info.friendlyName.length = 0xffff;
    info.vendorName.string = buffer;
    info.vendorName.length = 1025;
    hr = register_component(SHA, &info);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    check_registered(SHA, TEST_ID(0), TRUE);
    check_unregister(SHA, TEST_ID(0));

    memset(buffer, 'x', sizeof(buffer));
    hr = register_component(SHA, &info);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    check_registered(SHA, TEST_ID(0), FALSE);
}

static UINT32 expected_type;

static void check_component_type(int line, const NapComponentRegistrationInfo *info)
{
    ok_(__FILE__, line)(info->componentType == expected_type, "Got %#x, expected %#x.\n", info->componentType,
            expected_type);
}

static void test_component_type(void)
{
    static const UINT32 types[] = {0, ComponentTypeEnforcementClientSoH, ComponentTypeEnforcementClientRp};
    NapComponentRegistrationInfo info;
    unsigned int i;
    HRESULT hr;

    for (i = 0; i < ARRAY_SIZE(types); ++i)
    {
        winetest_push_context("type %#x", types[i]);
        init_registration(&info, TEST_ID(i));
        info.componentType = expected_type = types[i];
        hr = register_component(EC, &info);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        ok(find_component(EC, TEST_ID(i), check_component_type), "Not found.\n");
        check_unregister(EC, TEST_ID(i));
        winetest_pop_context();
    }

    /* Ignored. */
    init_registration(&info, TEST_ID(0));
    info.componentType = 0xdeadbeef;
    hr = register_component(SHA, &info);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    check_unregister(SHA, TEST_ID(0));
}

/* Classes are looked for when they are needed, not before. */
static void test_classes(enum component component)
{
    static const CLSID clsids[] = {{0}, {0, 0, 0, {0, 0, 0, 0, 0, 0, 0, 1}}, {0xdeadbeef}};
    NapComponentRegistrationInfo info;
    unsigned int i;
    HRESULT hr;

    for (i = 0; i < ARRAY_SIZE(clsids); ++i)
    {
        winetest_push_context("class %s", wine_dbgstr_guid(&clsids[i]));
        init_registration(&info, TEST_ID(i));
        info.infoClsid = clsids[i];
        hr = register_component(component, &info);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        check_unregister(component, TEST_ID(i));
        winetest_pop_context();
    }
}

static void test_limit(enum component component)
{
    unsigned int i, count = count_components(component), registered = 0;
    NapComponentRegistrationInfo info;
    HRESULT hr = S_OK;

    for (i = count; i < maxSystemHealthEntityCount; ++i)
    {
        init_registration(&info, CROWD_ID(registered));
        hr = register_component(component, &info);
        ok(hr == S_OK, "%u: got hr %#lx.\n", i, hr);
        if (hr != S_OK)
            break;
        ++registered;
    }
    ok(count_components(component) == maxSystemHealthEntityCount, "Got %u.\n", count_components(component));

    init_registration(&info, CROWD_ID(21));
    hr = register_component(component, &info);
    ok(hr == E_OUTOFMEMORY || broken(hr != E_OUTOFMEMORY), "Got hr %#lx.\n", hr);
    if (hr == S_OK)
    {
        check_unregister(component, CROWD_ID(21));
    }
    else
    {
        check_registered(component, CROWD_ID(21), FALSE);
        ok(count_components(component) == maxSystemHealthEntityCount, "Got %u.\n", count_components(component));
    }
    /* One that is there already says so first. */
    if (registered)
    {
        init_registration(&info, CROWD_ID(0));
        hr = register_component(component, &info);
        ok(hr == NAP_E_CONFLICTING_ID, "Got hr %#lx.\n", hr);

        /* The place is free again. */
        check_unregister(component, CROWD_ID(0));
        init_registration(&info, CROWD_ID(21));
        hr = register_component(component, &info);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        check_unregister(component, CROWD_ID(21));
        for (i = 1; i < registered; ++i)
            check_unregister(component, CROWD_ID(i));
    }
    ok(count_components(component) == count, "Got %u, expected %u.\n", count_components(component), count);
}

/* Another process sees and may end what this one has registered. */
static void test_other_process(enum component component)
{
    NapComponentRegistrationInfo info;
    HRESULT hr;

    init_registration(&info, TEST_ID(3));
    hr = register_component(component, &info);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    end_child(start_child(component == SHA ? "register_sha" : "register_ec", TEST_ID(3)), NAP_E_CONFLICTING_ID);
    end_child(start_child(component == SHA ? "unregister_sha" : "unregister_ec", TEST_ID(3)), S_OK);
    check_registered(component, TEST_ID(3), FALSE);
    end_child(start_child(component == SHA ? "register_sha" : "register_ec", TEST_ID(3)), S_OK);
    check_registered(component, TEST_ID(3), TRUE);
    hr = register_component(component, &info);
    ok(hr == NAP_E_CONFLICTING_ID, "Got hr %#lx.\n", hr);
    check_unregister(component, TEST_ID(3));
}

/* A process that isn't an administrator's. */
static HANDLE start_restricted_child(const char *what, NapComponentId id)
{
    SID_IDENTIFIER_AUTHORITY authority = {SECURITY_NT_AUTHORITY};
    STARTUPINFOW startup = {sizeof(startup)};
    WCHAR command[MAX_PATH + 64];
    PROCESS_INFORMATION info;
    HANDLE token, restricted;
    SID_AND_ATTRIBUTES admins = {0};
    BOOL ret;

    get_child_command(command, ARRAY_SIZE(command), what, id);
    ret = AllocateAndInitializeSid(&authority, 2, SECURITY_BUILTIN_DOMAIN_RID, DOMAIN_ALIAS_RID_ADMINS,
            0, 0, 0, 0, 0, 0, &admins.Sid);
    ok(ret, "Failed to allocate a SID, error %lu.\n", GetLastError());
    ret = OpenProcessToken(GetCurrentProcess(), TOKEN_DUPLICATE | TOKEN_ASSIGN_PRIMARY | TOKEN_QUERY, &token);
    ok(ret, "Failed to open the token, error %lu.\n", GetLastError());
    ret = CreateRestrictedToken(token, 0, 1, &admins, 0, NULL, 0, NULL, &restricted);
    ok(ret, "Failed to restrict the token, error %lu.\n", GetLastError());
    ret = CreateProcessAsUserW(restricted, NULL, command, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &info);
    ok(ret, "Failed to start %s, error %lu.\n", wine_dbgstr_w(command), GetLastError());
    if (ret)
        CloseHandle(info.hThread);
    CloseHandle(restricted);
    CloseHandle(token);
    FreeSid(admins.Sid);
    return ret ? info.hProcess : NULL;
}

static void test_access(void)
{
    NapComponentRegistrationInfo info;
    unsigned int i;
    HRESULT hr;

    end_child(start_restricted_child("register_sha", TEST_ID(4)), E_ACCESSDENIED);
    end_child(start_restricted_child("register_ec", TEST_ID(4)), E_ACCESSDENIED);
    for (i = 0; i < COMPONENT_COUNT; ++i)
        check_registered(i, TEST_ID(4), FALSE);

    for (i = 0; i < COMPONENT_COUNT; ++i)
    {
        init_registration(&info, TEST_ID(4));
        hr = register_component(i, &info);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
    }
    end_child(start_restricted_child("unregister_sha", TEST_ID(4)), E_ACCESSDENIED);
    end_child(start_restricted_child("unregister_ec", TEST_ID(4)), E_ACCESSDENIED);
    for (i = 0; i < COMPONENT_COUNT; ++i)
        check_registered(i, TEST_ID(4), TRUE);

    /* To look is allowed. */
    end_child(start_restricted_child("look", TEST_ID(4)), S_OK);

    for (i = 0; i < COMPONENT_COUNT; ++i)
        check_unregister(i, TEST_ID(4));
}

/* Whoever gets the id has it until it gives it back. */
static DWORD WINAPI register_thread(void *arg)
{
    NapComponentRegistrationInfo info;
    LONG *count = arg;
    unsigned int i;
    HRESULT hr, expected;

    hr = CoInitializeEx(NULL, COINIT_MULTITHREADED);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    init_registration(&info, TEST_ID(5));
    for (i = 0; i < 10; ++i)
    {
        hr = expected = register_component(SHA, &info);
        ok(hr == S_OK || hr == NAP_E_CONFLICTING_ID, "Got hr %#lx.\n", hr);
        if (hr == S_OK)
        {
            InterlockedIncrement(count);
            hr = unregister_component(SHA, TEST_ID(5));
        }
        ok(hr == expected, "Got hr %#lx.\n", hr);
    }
    CoUninitialize();
    return 0;
}

static void test_threads(void)
{
    HANDLE threads[4];
    LONG count = 0;
    unsigned int i;
    DWORD ret;

    for (i = 0; i < ARRAY_SIZE(threads); ++i)
        threads[i] = CreateThread(NULL, 0, register_thread, &count, 0, NULL);
    ret = WaitForMultipleObjects(ARRAY_SIZE(threads), threads, TRUE, TIMEOUT);
    ok(ret == WAIT_OBJECT_0, "Got %#lx.\n", ret);
    for (i = 0; i < ARRAY_SIZE(threads); ++i)
        CloseHandle(threads[i]);
    ok(count, "Nothing was registered.\n");
    check_registered(SHA, TEST_ID(5), FALSE);
}

/* What needs the service to answer. */
static void check_disconnected(void)
{
    CountedString *name = (void *)0xdeadbeef, *description = (void *)0xdeadbeef, *version = (void *)0xdeadbeef;
    NapComponentRegistrationInfo *infos;
    INapClientManagement2 *management2;
    IsolationInfoEx *info_ex;
    IsolationInfo *info;
    BOOL flag = 0xdeadbeef;
    unsigned int i;
    UINT16 count;
    HRESULT hr;

    hr = INapClientManagement_GetNapClientInfo(management, &flag, &name, &description, &version);
    ok(hr == RPC_E_DISCONNECTED, "Got hr %#lx.\n", hr);
    ok((!name && !description && !version) || broken(name || description || version), "Got %p, %p, %p.\n",
            name, description, version);
    info = (void *)0xdeadbeef;
    hr = INapClientManagement_GetSystemIsolationInfo(management, &info, &flag);
    ok(hr == RPC_E_DISCONNECTED, "Got hr %#lx.\n", hr);
    ok(!info || broken(!!info), "Got %p.\n", info);
    for (i = 0; i < COMPONENT_COUNT; ++i)
    {
        hr = get_components(i, &count, &infos);
        ok(hr == RPC_E_DISCONNECTED, "%s: got hr %#lx.\n", component_names[i], hr);
        ok(!infos || broken(!!infos), "%s: got %p.\n", component_names[i], infos);
        ok(!count || broken(count), "%s: got %u.\n", component_names[i], count);
    }
    hr = INapClientManagement_QueryInterface(management, &IID_INapClientManagement2, (void **)&management2);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    info_ex = (void *)0xdeadbeef;
    hr = INapClientManagement2_GetSystemIsolationInfoEx(management2, &info_ex, &flag);
    ok(hr == RPC_E_DISCONNECTED, "Got hr %#lx.\n", hr);
    ok(!info_ex || broken(!!info_ex), "Got %p.\n", info_ex);
    INapClientManagement2_Release(management2);
    ok(get_agent_state() == SERVICE_STOPPED, "Got state %lu.\n", get_agent_state());
}

/* Where there is an agent, qutil's own tests of the notifier have no service to start and stop. */
static void test_notifier(void)
{
    HANDLE event = create_event(NULL);
    HRESULT hr;

    hr = pInitializeNapAgentNotifier(napNotifyTypeServiceState, event);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    check_no_wait(event);
    stop_agent();
    check_wait(event);
    Sleep(QUIET);
    ResetEvent(event);
    start_agent();
    check_wait(event);
    Sleep(QUIET);
    ResetEvent(event);
    check_no_wait(event);
    pUninitializeNapAgentNotifier(napNotifyTypeServiceState);
    CloseHandle(event);
}

static void test_stopped(void)
{
    NapComponentRegistrationInfo info;
    unsigned int i;
    HRESULT hr;

    for (i = 0; i < COMPONENT_COUNT; ++i)
    {
        winetest_push_context("%s", component_names[i]);
        init_registration(&info, TEST_ID(6));
        info.infoClsid = test_info_clsid;
        info.configClsid = test_config_clsid;
        registration_time = get_system_time();
        hr = register_component(i, &info);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        ok(find_component(i, TEST_ID(6), check_plain_registration), "Not found.\n");

        stop_agent();
        check_disconnected();
        start_agent();

        /* The same object finds the service again, and the service what was registered. */
        ok(find_component(i, TEST_ID(6), check_same_date), "Not found.\n");
        ok(find_component(i, TEST_ID(6), check_plain_registration), "Not found.\n");
        hr = register_component(i, &info);
        ok(hr == NAP_E_CONFLICTING_ID, "Got hr %#lx.\n", hr);

        /* Changes start it. */
        stop_agent();
        hr = unregister_component(i, TEST_ID(6));
        ok(hr == S_OK || broken(hr == RPC_E_DISCONNECTED), "Got hr %#lx.\n", hr);
        if (hr == S_OK)
        {
            stop_agent();
            hr = register_component(i, &info);
            ok(hr == S_OK, "Got hr %#lx.\n", hr);
        }
        start_agent();
        check_registered(i, TEST_ID(6), TRUE);
        check_unregister(i, TEST_ID(6));
        check_registered(i, TEST_ID(6), FALSE);
        winetest_pop_context();
    }
}

/* How netsh and napstat tell the service's user what it is. */
static void test_service(void)
{
    static BYTE buffer[8192];
    QUERY_SERVICE_CONFIGW *config = (QUERY_SERVICE_CONFIGW *)buffer;
    DWORD size;
    BOOL ret;

    ret = QueryServiceConfigW(agent_service, config, sizeof(buffer), &size);
    ok(ret, "Failed to query the service, error %lu.\n", GetLastError());
    if (!ret)
        return;
    ok(!lstrcmpW(config->lpDisplayName, L"Network Access Protection Agent")
            || broken(lstrcmpW(config->lpDisplayName, L"Network Access Protection Agent")), /* translated */
            "Got %s.\n", wine_dbgstr_w(config->lpDisplayName));
    ok(config->dwStartType == SERVICE_DEMAND_START || broken(config->dwStartType == SERVICE_AUTO_START), "Got %lu.\n",
            config->dwStartType);
    ok(config->dwServiceType == SERVICE_WIN32_SHARE_PROCESS || config->dwServiceType == SERVICE_WIN32_OWN_PROCESS,
            "Got %#lx.\n", config->dwServiceType);
    ok(!lstrcmpiW(config->lpServiceStartName, L"NT AUTHORITY\\NetworkService"), "Got %s.\n",
            wine_dbgstr_w(config->lpServiceStartName));
    trace("%s\n", wine_dbgstr_w(config->lpBinaryPathName));
}

static HRESULT run_child(const char *what, NapComponentId id)
{
    NapComponentRegistrationInfo info;
    BOOL found;

    if (!init_client())
        return E_FAIL;
    init_registration(&info, id);
    if (!strcmp(what, "register_sha"))
        return register_component(SHA, &info);
    if (!strcmp(what, "register_ec"))
        return register_component(EC, &info);
    if (!strcmp(what, "unregister_sha"))
        return unregister_component(SHA, id);
    if (!strcmp(what, "unregister_ec"))
        return unregister_component(EC, id);
    if (!strcmp(what, "look"))
    {
        found = find_component(SHA, id, NULL) && find_component(EC, id, NULL);
        test_GetNapClientInfo();
        test_isolation_info();
        return found && !winetest_get_failures() ? S_OK : E_FAIL;
    }
    return E_NOTIMPL;
}

START_TEST(management)
{
    unsigned int i;
    char **argv;
    int argc;

    argc = winetest_get_mainargs(&argv);
    if (argc >= 5 && !strcmp(argv[2], "child"))
        ExitProcess(run_child(argv[3], strtoul(argv[4], NULL, 10)));

    if (!load_agent())
        return;

    test_service();
    test_GetNapClientInfo();
    test_isolation_info();
    test_null();
    for (i = 0; i < COMPONENT_COUNT; ++i)
    {
        winetest_push_context("%s", component_names[i]);
        test_register(i);
        test_invalid_id(i);
        test_strings(i);
        test_classes(i);
        test_limit(i);
        test_other_process(i);
        winetest_pop_context();
    }
    test_component_type();
    test_long_length();
    test_access();
    test_threads();
    test_stopped();
    test_notifier();

    unload_agent();
}
