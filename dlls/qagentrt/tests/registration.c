/*
 * Tests for the registrations of the NAP agent
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

#include <stdio.h>

#include "qagentrt_test.h"
#include "napmicrosoftvendorids.h"
#include "winreg.h"

#define SHAS L"System\\CurrentControlSet\\Services\\napagent\\Shas"
#define QECS L"System\\CurrentControlSet\\Services\\napagent\\Qecs"

static const WCHAR *const key_names[NAPAGENT_KIND_COUNT] = {SHAS, QECS};

#define FIRST_ID 0x7ffe00u

static const napagent_component test_component =
{
    FIRST_ID,
    {0x11111111, 0x2222, 0x3333, {0x44, 0x44, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55}},
    {0x66666666, 0x7777, 0x8888, {0x99, 0x99, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa}},
    ComponentTypeEnforcementClientRp,
};

static void delete_infos(UINT32 count, NapComponentRegistrationInfo *infos)
{
    UINT32 i;

    for (i = 0; i < count; i++)
    {
        MIDL_user_free(infos[i].friendlyName.string);
        MIDL_user_free(infos[i].description.string);
        MIDL_user_free(infos[i].version.string);
        MIDL_user_free(infos[i].vendorName.string);
    }
    MIDL_user_free(infos);
}

static NapComponentRegistrationInfo *get_registered(napagent_kind kind, UINT32 *count)
{
    NapComponentRegistrationInfo *infos = NULL;
    HRESULT hr;

    *count = 0xdeadbeef;
    AGENT_CALL(hr, napagent_get_registered(agent, kind, count, &infos));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    return infos;
}

static UINT32 get_count(napagent_kind kind)
{
    NapComponentRegistrationInfo *infos;
    UINT32 count;

    infos = get_registered(kind, &count);
    delete_infos(count, infos);
    return count;
}

static BOOL is_registered(napagent_kind kind, NapComponentId id)
{
    NapComponentRegistrationInfo *infos;
    BOOL ret = FALSE;
    UINT32 count, i;

    infos = get_registered(kind, &count);
    for (i = 0; i < count; i++) ret |= infos[i].id == id;
    delete_infos(count, infos);
    return ret;
}

struct strings
{
    const WCHAR *name, *description, *version, *vendor;
};

static HRESULT register_strings(napagent_kind kind, NapComponentId id, const struct strings *strings)
{
    napagent_component component = test_component;
    HRESULT hr;

    component.id = id;
    AGENT_CALL(hr, napagent_register(agent, kind, &component, strings->name, strings->description, strings->version,
            strings->vendor));
    return hr;
}

static HRESULT register_id(napagent_kind kind, NapComponentId id)
{
    static const struct strings strings = {L"Name", L"Description", L"1.0", L"Vendor"};

    return register_strings(kind, id, &strings);
}

static HRESULT unregister_id(napagent_kind kind, NapComponentId id)
{
    HRESULT hr;

    AGENT_CALL(hr, napagent_unregister(agent, kind, id));
    return hr;
}

static HRESULT bind_id(napagent_kind kind, NapComponentId id, GUID *binding)
{
    HRESULT hr;

    AGENT_CALL(hr, napagent_bind(agent, kind, id, FALSE, binding));
    return hr;
}

static HRESULT enable_id(NapComponentId id, BOOL enabled)
{
    HRESULT hr;

    AGENT_CALL(hr, napagent_enable(agent, id, enabled));
    return hr;
}

#define check_string(string, expected) check_string_(__LINE__, #string, &(string), expected)
static void check_string_(int line, const char *what, const CountedString *string, const WCHAR *expected)
{
    ok_(__FILE__, line)(string->length == lstrlenW(expected), "%s: got length %u.\n", what, string->length);
    ok_(__FILE__, line)(string->string && !lstrcmpW(string->string, expected), "%s: got %s.\n", what,
            wine_dbgstr_w(string->string));
}

static void check_info(const NapComponentRegistrationInfo *info, napagent_kind kind, const struct strings *strings,
        const FILETIME *before)
{
    FILETIME now;

    ok(info->id == FIRST_ID, "Got id %#x.\n", info->id);
    check_string(info->friendlyName, strings->name);
    check_string(info->description, strings->description);
    check_string(info->version, strings->version);
    check_string(info->vendorName, strings->vendor);
    ok(IsEqualGUID(&info->infoClsid, &test_component.info_clsid), "Got %s.\n", wine_dbgstr_guid(&info->infoClsid));
    ok(IsEqualGUID(&info->configClsid, &test_component.config_clsid), "Got %s.\n",
            wine_dbgstr_guid(&info->configClsid));
    ok(info->componentType == (kind == NAPAGENT_EC ? ComponentTypeEnforcementClientRp : 0), "Got type %#x.\n",
            info->componentType);
    GetSystemTimeAsFileTime(&now);
    ok(CompareFileTime(&info->registrationDate, before) >= 0 && CompareFileTime(&info->registrationDate, &now) <= 0,
            "Got date %#lx.%08lx.\n", info->registrationDate.dwHighDateTime, info->registrationDate.dwLowDateTime);
}

static void test_register(void)
{
    static const WCHAR unicode[] = {'A', 0xe4, 0x3b1, 0x4e2d, 0xd83d, 0xde00, '"', '\\', '\n', 0};
    static WCHAR longest[maxStringLength + 1], too_long[maxStringLength + 2];
    static const struct strings tests[] =
    {
        {L"Name", L"Description", L"1.0.0.0", L"Vendor"},
        {L"", L"", L"", L""},
        {unicode, unicode, unicode, unicode},
        {longest, longest, longest, longest},
    };
    static const struct strings invalid[] =
    {
        {too_long, L"", L"", L""},
        {L"", too_long, L"", L""},
        {L"", L"", too_long, L""},
        {L"", L"", L"", too_long},
    };
    NapComponentRegistrationInfo *infos;
    UINT32 count, before_count, i, j;
    napagent_kind kind;
    FILETIME before;
    HRESULT hr;

    for (i = 0; i < maxStringLength + 1; i++)
    {
        if (i < maxStringLength) longest[i] = 'a' + i % 26;
        too_long[i] = 'z';
    }

    for (kind = 0; kind < NAPAGENT_KIND_COUNT; kind++)
    {
        before_count = get_count(kind);
        for (i = 0; i < ARRAY_SIZE(tests); i++)
        {
            winetest_push_context("kind %u, test %u", kind, i);
            GetSystemTimeAsFileTime(&before);
            hr = register_strings(kind, FIRST_ID, &tests[i]);
            ok(hr == S_OK, "Got hr %#lx.\n", hr);
            hr = register_id(kind, FIRST_ID);
            ok(hr == NAP_E_CONFLICTING_ID, "Got hr %#lx.\n", hr);

            for (j = 0; j < 2; j++)
            {
                infos = get_registered(kind, &count);
                ok(count == before_count + 1, "Got count %u.\n", count);
                if (count) check_info(&infos[count - 1], kind, &tests[i], &before);
                delete_infos(count, infos);
                if (!j) ok(restart_agent(), "Failed to connect.\n");
            }

            hr = unregister_id(kind, FIRST_ID);
            ok(hr == S_OK, "Got hr %#lx.\n", hr);
            hr = unregister_id(kind, FIRST_ID);
            ok(hr == NAP_E_NOT_REGISTERED, "Got hr %#lx.\n", hr);
            ok(get_count(kind) == before_count, "Got count %u.\n", get_count(kind));
            winetest_pop_context();
        }

        winetest_push_context("kind %u", kind);
        for (i = 0; i < ARRAY_SIZE(invalid); i++)
        {
            hr = register_strings(kind, FIRST_ID, &invalid[i]);
            ok(hr == E_INVALIDARG, "%u: got hr %#lx.\n", i, hr);
        }
        ok(!is_registered(kind, FIRST_ID), "A too long string was taken.\n");
        hr = register_id(kind, 0);
        ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
        hr = unregister_id(kind, 0);
        ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
        winetest_pop_context();
    }

    hr = register_id(NAPAGENT_KIND_COUNT, FIRST_ID);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    hr = unregister_id(NAPAGENT_KIND_COUNT, FIRST_ID);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    infos = (void *)0xdeadbeef;
    AGENT_CALL(hr, napagent_get_registered(agent, NAPAGENT_KIND_COUNT, &count, &infos));
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);

    hr = register_id(NAPAGENT_SHA, NapSystemId);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);

    /* Each kind has ids of its own. */
    hr = register_id(NAPAGENT_SHA, FIRST_ID);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = register_id(NAPAGENT_EC, FIRST_ID);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = unregister_id(NAPAGENT_SHA, FIRST_ID);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = unregister_id(NAPAGENT_EC, FIRST_ID);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
}

static void test_limits(void)
{
    NapComponentRegistrationInfo *infos;
    UINT32 before, count, i, j;
    napagent_kind kind;
    HRESULT hr;

    for (kind = 0; kind < NAPAGENT_KIND_COUNT; kind++)
    {
        winetest_push_context("kind %u", kind);
        before = get_count(kind);

        /* falling ids, so that their order isn't that of registration */
        for (i = before; i < maxSystemHealthEntityCount; i++)
        {
            hr = register_id(kind, FIRST_ID - i);
            ok(hr == S_OK, "%u: got hr %#lx.\n", i, hr);
        }
        hr = register_id(kind, FIRST_ID + 1);
        ok(hr == E_OUTOFMEMORY, "Got hr %#lx.\n", hr);
        hr = register_id(kind, FIRST_ID - before);
        ok(hr == NAP_E_CONFLICTING_ID, "Got hr %#lx.\n", hr);

        for (j = 0; j < 2; j++)
        {
            infos = get_registered(kind, &count);
            ok(count == maxSystemHealthEntityCount, "Got count %u.\n", count);
            for (i = before; i < count; i++)
                ok(infos[i].id == FIRST_ID - i, "%u: got id %#x.\n", i, infos[i].id);
            delete_infos(count, infos);
            if (!j) ok(restart_agent(), "Failed to connect.\n");
        }

        /* One that is registered again comes last. */
        hr = unregister_id(kind, FIRST_ID - before);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        hr = register_id(kind, FIRST_ID - before);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        infos = get_registered(kind, &count);
        ok(count == maxSystemHealthEntityCount, "Got count %u.\n", count);
        if (count) ok(infos[count - 1].id == FIRST_ID - before, "Got id %#x.\n", infos[count - 1].id);
        delete_infos(count, infos);

        for (i = before; i < maxSystemHealthEntityCount; i++)
        {
            hr = unregister_id(kind, FIRST_ID - i);
            ok(hr == S_OK, "%u: got hr %#lx.\n", i, hr);
        }
        ok(get_count(kind) == before, "Got count %u.\n", get_count(kind));
        winetest_pop_context();
    }
}

static void test_enable(void)
{
    WCHAR path[ARRAY_SIZE(QECS) + 12];
    DWORD value, size;
    HRESULT hr;
    GUID guid;
    LONG err;
    HKEY key;

    hr = enable_id(FIRST_ID, TRUE);
    ok(hr == NAP_E_NOT_REGISTERED, "Got hr %#lx.\n", hr);
    hr = enable_id(0, TRUE);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);

    hr = register_id(NAPAGENT_EC, FIRST_ID);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = bind_id(NAPAGENT_EC, FIRST_ID, &guid);
    ok(hr == NAP_E_ENTITY_DISABLED, "Got hr %#lx.\n", hr);

    hr = enable_id(FIRST_ID, 5);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = enable_id(FIRST_ID, TRUE);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);

    swprintf(path, ARRAY_SIZE(path), L"%s\\%u", QECS, FIRST_ID);
    err = RegOpenKeyExW(HKEY_LOCAL_MACHINE, path, 0, KEY_QUERY_VALUE, &key);
    ok(!err, "Got error %ld.\n", err);
    size = sizeof(value);
    err = RegQueryValueExW(key, L"Enabled", NULL, NULL, (BYTE *)&value, &size);
    ok(!err, "Got error %ld.\n", err);
    ok(value == 1, "Got %lu.\n", value);
    RegCloseKey(key);

    ok(restart_agent(), "Failed to connect.\n");
    hr = bind_id(NAPAGENT_EC, FIRST_ID, &guid);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = unregister_id(NAPAGENT_EC, FIRST_ID);
    ok(hr == NAP_E_STILL_BOUND, "Got hr %#lx.\n", hr);
    ok(is_registered(NAPAGENT_EC, FIRST_ID), "It is not registered any more.\n");

    /* That drops it. */
    hr = enable_id(FIRST_ID, FALSE);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = bind_id(NAPAGENT_EC, FIRST_ID, &guid);
    ok(hr == NAP_E_ENTITY_DISABLED, "Got hr %#lx.\n", hr);
    hr = unregister_id(NAPAGENT_EC, FIRST_ID);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);

    /* Registered anew it is as at first. */
    hr = register_id(NAPAGENT_EC, FIRST_ID);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = bind_id(NAPAGENT_EC, FIRST_ID, &guid);
    ok(hr == NAP_E_ENTITY_DISABLED, "Got hr %#lx.\n", hr);
    hr = unregister_id(NAPAGENT_EC, FIRST_ID);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);

    /* An SHA needs no enabling. */
    hr = register_id(NAPAGENT_SHA, FIRST_ID);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = enable_id(FIRST_ID, TRUE);
    ok(hr == NAP_E_NOT_REGISTERED, "Got hr %#lx.\n", hr);
    hr = bind_id(NAPAGENT_SHA, FIRST_ID, &guid);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = unregister_id(NAPAGENT_SHA, FIRST_ID);
    ok(hr == NAP_E_STILL_BOUND, "Got hr %#lx.\n", hr);
    AGENT_CALL(hr, napagent_unbind(agent, NAPAGENT_SHA, FIRST_ID, &guid));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = unregister_id(NAPAGENT_SHA, FIRST_ID);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
}

/* A registration as far as somebody had come before they died: its first values, and whether it's marked */
static HKEY write_partly(const WCHAR *path, unsigned int count, BOOL marked)
{
    static const WCHAR *const names[] = {L"FriendlyName", L"Description", L"Version", L"VendorName", L"InfoClsid"};
    DWORD one = 1;
    unsigned int i;
    LONG err;
    HKEY key;

    err = RegCreateKeyExW(HKEY_LOCAL_MACHINE, path, 0, NULL, 0, KEY_ALL_ACCESS, NULL, &key, NULL);
    ok(!err, "Got error %ld.\n", err);
    for (i = 0; i < count; i++)
        RegSetValueExW(key, names[i], 0, REG_SZ, (const BYTE *)L"value", sizeof(L"value"));
    if (marked) RegSetValueExW(key, L"Registered", 0, REG_DWORD, (const BYTE *)&one, sizeof(one));
    return key;
}

static BOOL key_exists(const WCHAR *path)
{
    HKEY key;

    if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, path, 0, KEY_QUERY_VALUE, &key)) return FALSE;
    RegCloseKey(key);
    return TRUE;
}

static void test_leftovers(void)
{
    NapComponentRegistrationInfo *infos;
    WCHAR path[ARRAY_SIZE(QECS) + 16];
    UINT32 before, count, i;
    napagent_kind kind;
    HRESULT hr;

    for (kind = 0; kind < NAPAGENT_KIND_COUNT; kind++)
    {
        winetest_push_context("kind %u", kind);
        before = get_count(kind);
        ok(stop_service(), "Failed to stop the service.\n");
        for (i = 0; i < 6; i++)
        {
            swprintf(path, ARRAY_SIZE(path), L"%s\\%u", key_names[kind], FIRST_ID + i);
            RegCloseKey(write_partly(path, i, FALSE));
        }
        /* What isn't an id isn't one of a registration either. */
        swprintf(path, ARRAY_SIZE(path), L"%s\\0%u", key_names[kind], FIRST_ID);
        RegCloseKey(write_partly(path, 5, TRUE));
        ok(restart_agent(), "Failed to connect.\n");

        ok(get_count(kind) == before, "Got count %u.\n", get_count(kind));
        ok(key_exists(path), "A key was removed that isn't the agent's.\n");
        RegDeleteKeyW(HKEY_LOCAL_MACHINE, path);
        for (i = 0; i < 6; i++)
        {
            swprintf(path, ARRAY_SIZE(path), L"%s\\%u", key_names[kind], FIRST_ID + i);
            ok(!key_exists(path), "%u: the key is still there.\n", i);
        }

        /* While the service runs they are not in the way. */
        swprintf(path, ARRAY_SIZE(path), L"%s\\%u", key_names[kind], FIRST_ID);
        RegCloseKey(write_partly(path, 5, FALSE));
        ok(!is_registered(kind, FIRST_ID), "It is registered.\n");
        hr = register_id(kind, FIRST_ID);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        ok(key_exists(path), "There is no key.\n");
        hr = unregister_id(kind, FIRST_ID);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        ok(!key_exists(path), "The key is still there.\n");

        /* Absent values are empty. */
        ok(stop_service(), "Failed to stop the service.\n");
        RegCloseKey(write_partly(path, 1, TRUE));
        ok(restart_agent(), "Failed to connect.\n");
        infos = get_registered(kind, &count);
        ok(count == before + 1, "Got count %u.\n", count);
        for (i = 0; i < count && infos[i].id != FIRST_ID; i++) ;
        if (i < count)
        {
            check_string(infos[i].friendlyName, L"value");
            check_string(infos[i].description, L"");
            ok(IsEqualGUID(&infos[i].infoClsid, &GUID_NULL), "Got %s.\n", wine_dbgstr_guid(&infos[i].infoClsid));
            ok(!infos[i].registrationDate.dwLowDateTime && !infos[i].registrationDate.dwHighDateTime,
                    "Got date %#lx.%08lx.\n", infos[i].registrationDate.dwHighDateTime,
                    infos[i].registrationDate.dwLowDateTime);
        }
        delete_infos(count, infos);
        hr = unregister_id(kind, FIRST_ID);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        winetest_pop_context();
    }
}

/* As a client without the administrators' group */
static void child(void)
{
    HRESULT hr;

    hr = register_id(NAPAGENT_SHA, FIRST_ID + 1);
    ok(hr == E_ACCESSDENIED, "Got hr %#lx.\n", hr);
    hr = register_id(NAPAGENT_EC, FIRST_ID + 1);
    ok(hr == E_ACCESSDENIED, "Got hr %#lx.\n", hr);
    hr = unregister_id(NAPAGENT_SHA, FIRST_ID);
    ok(hr == E_ACCESSDENIED, "Got hr %#lx.\n", hr);
    hr = unregister_id(NAPAGENT_EC, FIRST_ID);
    ok(hr == E_ACCESSDENIED, "Got hr %#lx.\n", hr);
    hr = enable_id(FIRST_ID, TRUE);
    ok(hr == E_ACCESSDENIED, "Got hr %#lx.\n", hr);
    ok(is_registered(NAPAGENT_SHA, FIRST_ID), "The SHA is not registered.\n");
    ok(is_registered(NAPAGENT_EC, FIRST_ID), "The EC is not registered.\n");
}

static void test_access(void)
{
    BYTE administrators[SECURITY_MAX_SID_SIZE];
    SID_AND_ATTRIBUTES disabled = {administrators};
    DWORD size = sizeof(administrators);
    STARTUPINFOA startup = {sizeof(startup)};
    PROCESS_INFORMATION info;
    char command[2 * MAX_PATH];
    HANDLE token, restricted;
    DWORD wait, code;
    char **argv;
    HRESULT hr;
    BOOL ret;

    hr = register_id(NAPAGENT_SHA, FIRST_ID);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = register_id(NAPAGENT_EC, FIRST_ID);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);

    ret = CreateWellKnownSid(WinBuiltinAdministratorsSid, NULL, administrators, &size);
    ok(ret, "Got error %lu.\n", GetLastError());
    ret = OpenProcessToken(GetCurrentProcess(), TOKEN_ALL_ACCESS, &token);
    ok(ret, "Got error %lu.\n", GetLastError());
    ret = CreateRestrictedToken(token, 0, 1, &disabled, 0, NULL, 0, NULL, &restricted);
    ok(ret, "Got error %lu.\n", GetLastError());

    winetest_get_mainargs(&argv);
    sprintf(command, "\"%s\" registration restricted", argv[0]);
    ret = CreateProcessAsUserA(restricted, NULL, command, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &info);
    ok(ret, "Got error %lu.\n", GetLastError());
    if (ret)
    {
        wait = WaitForSingleObject(info.hProcess, TIMEOUT);
        ok(wait == WAIT_OBJECT_0, "Got %#lx.\n", wait);
        ret = GetExitCodeProcess(info.hProcess, &code);
        ok(ret && !code, "The client had failures, exit code %lu.\n", code);
        CloseHandle(info.hThread);
        CloseHandle(info.hProcess);
    }
    CloseHandle(restricted);
    CloseHandle(token);

    ok(is_registered(NAPAGENT_SHA, FIRST_ID), "The SHA is not registered.\n");
    hr = unregister_id(NAPAGENT_SHA, FIRST_ID);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = unregister_id(NAPAGENT_EC, FIRST_ID);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
}

START_TEST(registration)
{
    char **argv;
    int argc;

    argc = winetest_get_mainargs(&argv);
    if (!connect_agent()) return;

    if (argc >= 3 && !strcmp(argv[2], "restricted")) child();
    else
    {
        test_register();
        test_limits();
        test_enable();
        test_leftovers();
        test_access();
    }
    disconnect_agent();
}
