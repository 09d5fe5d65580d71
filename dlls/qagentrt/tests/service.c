/*
 * Tests for the napagent service
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

#include <stdlib.h>

#include "qagentrt_test.h"
#include "winreg.h"

handle_t agent;

/* As in napagent.idl, which has it for the one who implements it. */
static const CLSID clsid_agent = {0x29f43da7, 0x7f81, 0x458b, {0x9d, 0x4e, 0x31, 0xd3, 0xf9, 0x0c, 0xb7, 0xa7}};

void * __RPC_USER MIDL_user_allocate(SIZE_T size)
{
    return malloc(size);
}

void __RPC_USER MIDL_user_free(void *ptr)
{
    free(ptr);
}

LONG CALLBACK rpc_filter(EXCEPTION_POINTERS *eptr)
{
    return I_RpcExceptionFilter(eptr->ExceptionRecord->ExceptionCode);
}

static SC_HANDLE open_service(DWORD access)
{
    SC_HANDLE manager, service;

    manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
    ok(!!manager, "Failed to open the service manager, error %lu.\n", GetLastError());
    service = OpenServiceW(manager, NAPAGENT_SERVICE, access);
    CloseServiceHandle(manager);
    return service;
}

static DWORD wait_for_state(SC_HANDLE service, DWORD state, SERVICE_STATUS *status)
{
    DWORD start = GetTickCount();

    while (QueryServiceStatus(service, status) && status->dwCurrentState != state && GetTickCount() - start < TIMEOUT)
        Sleep(10);
    return status->dwCurrentState;
}

BOOL start_service(void)
{
    DWORD start = GetTickCount();
    SERVICE_STATUS status;
    SC_HANDLE service;
    BOOL ret;

    if (!(service = open_service(SERVICE_START | SERVICE_QUERY_STATUS))) return FALSE;
    /* Other services may be about to start. */
    while (!(ret = StartServiceW(service, 0, NULL)) && GetLastError() == ERROR_SERVICE_DATABASE_LOCKED
            && GetTickCount() - start < TIMEOUT)
        Sleep(100);
    if (!ret) ret = GetLastError() == ERROR_SERVICE_ALREADY_RUNNING;
    if (ret) ret = wait_for_state(service, SERVICE_RUNNING, &status) == SERVICE_RUNNING;
    CloseServiceHandle(service);
    return ret;
}

BOOL stop_service(void)
{
    SERVICE_STATUS status;
    SC_HANDLE service;
    BOOL ret;

    if (!(service = open_service(SERVICE_STOP | SERVICE_QUERY_STATUS))) return FALSE;
    ret = ControlService(service, SERVICE_CONTROL_STOP, &status) || GetLastError() == ERROR_SERVICE_NOT_ACTIVE;
    if (ret) ret = wait_for_state(service, SERVICE_STOPPED, &status) == SERVICE_STOPPED;
    CloseServiceHandle(service);
    return ret;
}

static BOOL is_wine_agent(void)
{
    WCHAR name[39], path[64];
    HKEY key;

    StringFromGUID2(&clsid_agent, name, ARRAY_SIZE(name));
    lstrcpyW(path, L"CLSID\\");
    lstrcatW(path, name);
    if (RegOpenKeyExW(HKEY_CLASSES_ROOT, path, 0, KEY_QUERY_VALUE, &key)) return FALSE;
    RegCloseKey(key);
    return TRUE;
}

/* Options that are unique keep Wine from sharing a connection's association, which doesn't outlive the service. */
static handle_t bind_agent(void)
{
    static WCHAR options[] = L"test=0";
    RPC_BINDING_HANDLE binding = NULL;
    RPC_STATUS status;
    RPC_WSTR string;

    options[5]++;
    status = RpcStringBindingComposeW(NULL, (RPC_WSTR)NAPAGENT_PROTSEQ, NULL, (RPC_WSTR)NAPAGENT_ENDPOINT, options,
            &string);
    ok(!status, "Got %ld.\n", status);
    status = RpcBindingFromStringBindingW(string, &binding);
    ok(!status, "Got %ld.\n", status);
    RpcStringFreeW(&string);
    return binding;
}

BOOL connect_agent(void)
{
    if (!is_wine_agent())
    {
        win_skip("The napagent interface is Wine's own.\n");
        return FALSE;
    }
    if (!start_service())
    {
        win_skip("The service can't be started, error %lu.\n", GetLastError());
        return FALSE;
    }
    agent = bind_agent();
    return TRUE;
}

void disconnect_agent(void)
{
    RpcBindingFree(&agent);
}

BOOL restart_agent(void)
{
    ok(stop_service(), "Failed to stop the service.\n");
    disconnect_agent();
    return connect_agent();
}

/* In the group that the service's command line names */
static BOOL is_in_group(const WCHAR *command_line)
{
    WCHAR list[1024], *name;
    DWORD size = sizeof(list) - 2 * sizeof(WCHAR);
    const WCHAR *group;
    HKEY key;

    if (!(group = wcsstr(command_line, L" -k "))) return FALSE;
    if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, L"Software\\Microsoft\\Windows NT\\CurrentVersion\\SvcHost", 0,
            KEY_QUERY_VALUE | KEY_WOW64_64KEY, &key))
        return FALSE;
    memset(list, 0, sizeof(list));
    if (RegQueryValueExW(key, group + 4, NULL, NULL, (BYTE *)list, &size)) list[0] = 0;
    RegCloseKey(key);
    for (name = list; *name; name += wcslen(name) + 1)
    {
        if (!wcsicmp(name, NAPAGENT_SERVICE)) return TRUE;
    }
    return FALSE;
}

static void test_config(void)
{
    QUERY_SERVICE_CONFIGW *config;
    SERVICE_DESCRIPTIONW *description;
    WCHAR dll[MAX_PATH];
    SC_HANDLE service;
    BYTE buffer[8192];
    DWORD size;
    HKEY key;
    LONG err;
    BOOL ret;

    service = open_service(SERVICE_QUERY_CONFIG);
    ok(!!service, "Failed to open the service, error %lu.\n", GetLastError());

    config = (QUERY_SERVICE_CONFIGW *)buffer;
    ret = QueryServiceConfigW(service, config, sizeof(buffer), &size);
    ok(ret, "Failed to query the configuration, error %lu.\n", GetLastError());
    ok(config->dwServiceType == SERVICE_WIN32_SHARE_PROCESS || config->dwServiceType == SERVICE_WIN32_OWN_PROCESS,
            "Got type %#lx.\n", config->dwServiceType);
    ok(config->dwStartType == SERVICE_DEMAND_START, "Got start type %lu.\n", config->dwStartType);
    ok(!!wcsstr(config->lpBinaryPathName, L"svchost.exe"), "Got path %s.\n", wine_dbgstr_w(config->lpBinaryPathName));
    ok(is_in_group(config->lpBinaryPathName), "Not in the group of %s.\n", wine_dbgstr_w(config->lpBinaryPathName));
    ok(!lstrcmpW(config->lpDisplayName, L"Network Access Protection Agent"), "Got name %s.\n",
            wine_dbgstr_w(config->lpDisplayName));
    ok(!wcsicmp(config->lpServiceStartName, L"NT AUTHORITY\\NetworkService"), "Got account %s.\n",
            wine_dbgstr_w(config->lpServiceStartName));

    description = (SERVICE_DESCRIPTIONW *)buffer;
    ret = QueryServiceConfig2W(service, SERVICE_CONFIG_DESCRIPTION, buffer, sizeof(buffer), &size);
    ok(ret, "Failed to query the description, error %lu.\n", GetLastError());
    ok(description->lpDescription && description->lpDescription[0], "Got description %s.\n",
            wine_dbgstr_w(description->lpDescription));
    CloseServiceHandle(service);

    err = RegOpenKeyExW(HKEY_LOCAL_MACHINE, L"System\\CurrentControlSet\\Services\\napagent\\Parameters", 0,
            KEY_QUERY_VALUE, &key);
    ok(!err, "Failed to open the parameters, error %ld.\n", err);
    size = sizeof(dll);
    err = RegQueryValueExW(key, L"ServiceDll", NULL, NULL, (BYTE *)dll, &size);
    ok(!err, "Failed to query the DLL, error %ld.\n", err);
    ok(!!wcsstr(dll, L"qagentrt.dll") || !!wcsstr(dll, L"qagentRT.dll"), "Got DLL %s.\n", wine_dbgstr_w(dll));
    RegCloseKey(key);
}

static void test_start_stop(void)
{
    SERVICE_STATUS status;
    SC_HANDLE service;
    BOOL ret;

    if (!(service = open_service(SERVICE_START | SERVICE_STOP | SERVICE_PAUSE_CONTINUE | SERVICE_INTERROGATE
            | SERVICE_QUERY_STATUS)))
    {
        win_skip("Only an administrator controls the service, error %lu.\n", GetLastError());
        return;
    }

    ok(stop_service(), "Failed to stop the service.\n");
    ret = ControlService(service, SERVICE_CONTROL_STOP, &status);
    ok(!ret && GetLastError() == ERROR_SERVICE_NOT_ACTIVE, "Got %d, error %lu.\n", ret, GetLastError());

    ok(start_service(), "Failed to start the service.\n");
    ret = StartServiceW(service, 0, NULL);
    ok(!ret && GetLastError() == ERROR_SERVICE_ALREADY_RUNNING, "Got %d, error %lu.\n", ret, GetLastError());

    memset(&status, 0xcc, sizeof(status));
    ret = ControlService(service, SERVICE_CONTROL_INTERROGATE, &status);
    ok(ret, "Got error %lu.\n", GetLastError());
    ok(status.dwCurrentState == SERVICE_RUNNING, "Got state %lu.\n", status.dwCurrentState);
    ok((status.dwControlsAccepted & (SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN))
            == (SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN), "Got controls %#lx.\n", status.dwControlsAccepted);
    ok(!(status.dwControlsAccepted & SERVICE_ACCEPT_PAUSE_CONTINUE), "Got controls %#lx.\n", status.dwControlsAccepted);
    ok(!status.dwWin32ExitCode, "Got exit code %lu.\n", status.dwWin32ExitCode);

    ret = ControlService(service, SERVICE_CONTROL_PAUSE, &status);
    ok(!ret && GetLastError() == ERROR_INVALID_SERVICE_CONTROL, "Got %d, error %lu.\n", ret, GetLastError());

    ok(stop_service(), "Failed to stop the service.\n");
    memset(&status, 0xcc, sizeof(status));
    ret = QueryServiceStatus(service, &status);
    ok(ret, "Got error %lu.\n", GetLastError());
    ok(status.dwCurrentState == SERVICE_STOPPED, "Got state %lu.\n", status.dwCurrentState);
    ok(!status.dwWin32ExitCode, "Got exit code %lu.\n", status.dwWin32ExitCode);
    CloseServiceHandle(service);
}

static void test_class(void)
{
    SERVICE_STATUS status;
    SC_HANDLE service;
    IUnknown *unknown;
    unsigned int i;
    HRESULT hr;

    service = open_service(SERVICE_QUERY_STATUS);
    hr = CoInitializeEx(NULL, COINIT_MULTITHREADED);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);

    for (i = 0; i < 3; i++)
    {
        winetest_push_context("%u", i);
        ok(stop_service(), "Failed to stop the service.\n");

        unknown = (void *)0xdeadbeef;
        hr = CoCreateInstance(&clsid_agent, NULL, CLSCTX_LOCAL_SERVER, &IID_IUnknown, (void **)&unknown);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        ok(wait_for_state(service, SERVICE_RUNNING, &status) == SERVICE_RUNNING, "Got state %lu.\n",
                status.dwCurrentState);
        if (hr == S_OK) IUnknown_Release(unknown);
        winetest_pop_context();
    }

    /* with an object in use */
    hr = CoCreateInstance(&clsid_agent, NULL, CLSCTX_LOCAL_SERVER, &IID_IUnknown, (void **)&unknown);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(stop_service(), "Failed to stop the service.\n");
    if (hr == S_OK) IUnknown_Release(unknown);

    CoUninitialize();
    CloseServiceHandle(service);
}

static BOOL is_disconnected(HRESULT hr)
{
    return hr == RPC_E_DISCONNECTED || hr == HRESULT_FROM_WIN32(RPC_S_SERVER_UNAVAILABLE)
            || hr == HRESULT_FROM_WIN32(RPC_S_CALL_FAILED) || hr == HRESULT_FROM_WIN32(RPC_S_CALL_FAILED_DNE)
            || hr == HRESULT_FROM_WIN32(RPC_S_UNKNOWN_IF);
}

static void test_calls(void)
{
    NapComponentRegistrationInfo *components;
    handle_t second;
    unsigned int i;
    UINT32 count;
    HRESULT hr;

    for (i = 0; i < 10; i++)
    {
        winetest_push_context("%u", i);
        ok(start_service(), "Failed to start the service.\n");

        second = bind_agent();
        components = NULL;
        AGENT_CALL(hr, napagent_get_registered(second, NAPAGENT_EC, &count, &components));
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        if (hr == S_OK) MIDL_user_free(components);

        ok(stop_service(), "Failed to stop the service.\n");
        components = NULL;
        AGENT_CALL(hr, napagent_get_registered(second, NAPAGENT_EC, &count, &components));
        ok(is_disconnected(hr), "Got hr %#lx.\n", hr);
        RpcBindingFree(&second);
        winetest_pop_context();
    }
}

#define PARKED_COUNT 8
#define FIRST_ID 0x7ffd00u

struct caller
{
    napagent_kind kind;
    GUID binding;
    HANDLE thread;
    HANDLE waiting; /* set by the thread before it waits in the service */
    HANDLE stopped; /* set when the service is stopped */
    BOOL exchange;
    HRESULT hr;
};

static HRESULT get_soh_request(const struct caller *caller)
{
    static const GUID connection = {0x12345678};
    UINT32 size, private_size;
    CorrelationId correlation_id;
    BYTE *request = NULL, *private_data = NULL;
    FILETIME never = {0};
    const BYTE nothing = 0;
    BOOL hint;
    HRESULT hr;

    AGENT_CALL(hr, napagent_open_connection(agent, &caller->binding, &connection, 0, &nothing, 0, 0, never, NULL));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    SetEvent(caller->waiting);
    AGENT_CALL(hr, napagent_get_soh_request(agent, &caller->binding, &connection, &connection, 4000, &hint,
            &correlation_id, &size, &request, &private_size, &private_data));
    MIDL_user_free(request);
    MIDL_user_free(private_data);
    return hr;
}

static DWORD WINAPI caller_thread(void *arg)
{
    struct caller *caller = arg;
    const napagent_result result = {0};
    napagent_call call;

    if (caller->exchange) caller->hr = get_soh_request(caller);
    else
    {
        SetEvent(caller->waiting);
        do
        {
            memset(&call, 0xcc, sizeof(call));
            caller->hr = next_call(&caller->binding, &result, &call);
            /* The exchange waits for that until the service stops. */
            if (caller->hr == S_OK && call.type == NAPAGENT_CALL_GET_SOH_REQUEST)
                WaitForSingleObject(caller->stopped, TIMEOUT);
        } while (caller->hr == S_OK && call.type != NAPAGENT_CALL_UNBOUND);
    }
    return 0;
}

static HRESULT register_id(napagent_kind kind, NapComponentId id)
{
    napagent_component component = {id};
    HRESULT hr;

    AGENT_CALL(hr, napagent_register(agent, kind, &component, L"", L"", L"", L""));
    return hr;
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

    if (kind == NAPAGENT_EC)
    {
        AGENT_CALL(hr, napagent_enable(agent, id, TRUE));
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
    }
    AGENT_CALL(hr, napagent_bind(agent, kind, id, FALSE, binding));
    return hr;
}

/* The service stops at once, whoever waits for what. */
static void test_parked_calls(void)
{
    struct caller callers[PARKED_COUNT + 1] = {{0}}; /* the last is in an exchange */
    unsigned int i, j;
    DWORD begin;
    HANDLE stopped;
    HRESULT hr;
    DWORD ret;

    if (!connect_agent()) return;
    stopped = CreateEventW(NULL, TRUE, FALSE, NULL);
    for (i = 0; i < PARKED_COUNT; i++)
    {
        callers[i].kind = i % NAPAGENT_KIND_COUNT ? NAPAGENT_EC : NAPAGENT_SHA;
        hr = register_id(callers[i].kind, FIRST_ID + i);
        ok(hr == S_OK, "%u: got hr %#lx.\n", i, hr);
    }
    disconnect_agent();

    for (j = 0; j < 5; j++)
    {
        winetest_push_context("%u", j);
        ok(connect_agent(), "Failed to connect.\n");
        for (i = 0; i <= PARKED_COUNT; i++)
        {
            if (i < PARKED_COUNT)
            {
                hr = bind_id(callers[i].kind, FIRST_ID + i, &callers[i].binding);
                ok(hr == S_OK, "%u: got hr %#lx.\n", i, hr);
            }
            else
            {
                callers[i].binding = callers[1].binding;
                callers[i].exchange = TRUE;
            }
            callers[i].hr = 0xdeadbeef;
            callers[i].stopped = stopped;
            callers[i].waiting = CreateEventW(NULL, TRUE, FALSE, NULL);
            callers[i].thread = CreateThread(NULL, 0, caller_thread, &callers[i], 0, NULL);
            ret = WaitForSingleObject(callers[i].waiting, TIMEOUT);
            ok(!ret, "%u: got %#lx.\n", i, ret);
        }
        /* They are about to wait, or wait already. */
        Sleep(j * 20);

        begin = GetTickCount();
        ok(stop_service(), "Failed to stop the service.\n");
        ok(GetTickCount() - begin < 5000, "The service took %lu ms to stop.\n", GetTickCount() - begin);
        SetEvent(stopped);
        for (i = 0; i <= PARKED_COUNT; i++)
        {
            ret = WaitForSingleObject(callers[i].thread, TIMEOUT);
            ok(!ret, "%u: got %#lx.\n", i, ret);
            ok(is_disconnected(callers[i].hr), "%u: got hr %#lx.\n", i, callers[i].hr);
            CloseHandle(callers[i].thread);
            CloseHandle(callers[i].waiting);
        }
        ResetEvent(stopped);
        disconnect_agent();
        winetest_pop_context();
    }
    CloseHandle(stopped);

    ok(connect_agent(), "Failed to connect.\n");
    for (i = 0; i < PARKED_COUNT; i++)
    {
        hr = unregister_id(callers[i].kind, FIRST_ID + i);
        ok(hr == S_OK, "%u: got hr %#lx.\n", i, hr);
    }
    disconnect_agent();
}

START_TEST(service)
{
    SC_HANDLE service;

    if (!(service = open_service(SERVICE_QUERY_STATUS)))
    {
        win_skip("There is no napagent service, as since Windows 10.\n");
        return;
    }
    CloseServiceHandle(service);

    test_config();
    test_start_stop();
    if (!is_wine_agent())
    {
        win_skip("The napagent interface is Wine's own.\n");
        return;
    }
    test_class();
    test_calls();
    test_parked_calls();
}
