/*
 * What the tests of qagent.dll have in common
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

#ifndef __WINE_QAGENT_TEST_H
#define __WINE_QAGENT_TEST_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "windef.h"
#include "winbase.h"
#include "winsvc.h"
#include "objbase.h"
#include "sddl.h"
#include "naperror.h"
#include "napmicrosoftvendorids.h"
#include "naputil.h"
#include "napmanagement.h"
#include "napprotocol.h"
#include "napsystemhealthagent.h"
#include "napenforcementclient.h"

#include "wine/test.h"

/* How long what has to come may take, and how long what must not come is awaited. */
#define TIMEOUT 30000
#define QUIET   1000

/* How long a whole test may take, the agent's methods included, which it would otherwise wait for without end. */
#define TEST_TIMEOUT 280000

/* Near the ids of the SDK's samples, which are 0x000137f0 and 0x000137f1, and no one else's. SHAs and enforcement
 * clients have theirs apart. */
#define FIRST_ID      0x000137d0
#define LAST_ID       0x000137f9
#define TEST_ID(n)    (0x000137f2 + (n))  /* 8 of them */
#define CROWD_ID(n)   (FIRST_ID + (n))    /* 24 of them */
#define UNKNOWN_ID    0x000137e9

/* Each string that the tests register begins so. */
#define TEST_NAME L"winetest"

static const CorrelationId no_correlation_id;
static const ULONGLONG no_probation = ~(ULONGLONG)0;

static INapClientManagement *management;
static SC_HANDLE agent_service;
static DWORD initial_agent_state;

static HRESULT (WINAPI *pAllocConnections)(Connections **, UINT16);
static HRESULT (WINAPI *pAllocFixupInfo)(FixupInfo **, UINT16);
static void (WINAPI *pFreeConnections)(Connections *);
static void (WINAPI *pFreeCountedString)(CountedString *);
static void (WINAPI *pFreeFixupInfo)(FixupInfo *);
static void (WINAPI *pFreeIsolationInfo)(IsolationInfo *);
static void (WINAPI *pFreeIsolationInfoEx)(IsolationInfoEx *);
static void (WINAPI *pFreeNapComponentRegistrationInfoArray)(UINT16, NapComponentRegistrationInfo **);
static void (WINAPI *pFreeNetworkSoH)(NetworkSoH *);
static void (WINAPI *pFreePrivateData)(PrivateData *);
static void (WINAPI *pFreeSoH)(SoH *);
static void (WINAPI *pFreeSoHAttributeValue)(SoHAttributeType, SoHAttributeValue *);
static HRESULT (WINAPI *pInitializeNapAgentNotifier)(NapNotifyType, HANDLE);
static void (WINAPI *pUninitializeNapAgentNotifier)(NapNotifyType);

/* Where nothing is published, a call may crash on Windows. */
static inline BOOL is_wine(void)
{
    return !strcmp(winetest_platform, "wine");
}

/* The result that is published. */
#define check_hr(hr, expected) check_hr_(__LINE__, hr, expected)
static inline void check_hr_(int line, HRESULT hr, HRESULT expected)
{
    ok_(__BASE_FILE__, line)(hr == expected, "Got hr %#lx, expected %#lx.\n", hr, expected);
}

/* A report from Windows has the answer at the line of the check. */
static inline void trace_unknown_hr(int line, HRESULT hr)
{
    if (!is_wine())
        trace_(__BASE_FILE__, line)("Windows answers hr %#lx.\n", hr);
}

/* For what isn't published: Windows may return anything. */
#define check_unknown_hr(hr, expected) check_unknown_hr_(__LINE__, hr, expected)
static inline void check_unknown_hr_(int line, HRESULT hr, HRESULT expected)
{
    trace_unknown_hr(line, hr);
    ok_(__BASE_FILE__, line)(hr == expected || broken(hr != expected), "Got hr %#lx, expected %#lx.\n", hr, expected);
}

/* For what must fail, in a way that isn't published. */
#define check_failure(hr, expected) check_failure_(__LINE__, hr, expected)
static inline void check_failure_(int line, HRESULT hr, HRESULT expected)
{
    trace_unknown_hr(line, hr);
    ok_(__BASE_FILE__, line)(hr == expected || broken(FAILED(hr)), "Got hr %#lx, expected %#lx.\n", hr, expected);
}

#define check_already_initialized(hr) check_already_initialized_(__LINE__, hr)
static inline void check_already_initialized_(int line, HRESULT hr)
{
    ok_(__BASE_FILE__, line)(hr == HRESULT_FROM_WIN32(ERROR_ALREADY_INITIALIZED) || broken(hr == ERROR_ALREADY_INITIALIZED),
            "Got hr %#lx.\n", hr);
}

#define check_success(call) check_hr_(__LINE__, call, S_OK)

/* For what comes about in another thread, and which there is nothing else to wait on. */
#define check_eventually(condition) \
    do \
    { \
        unsigned int tries; \
        for (tries = 0; tries < TIMEOUT / 50 && !(condition); ++tries) \
            Sleep(50); \
        ok(tries < TIMEOUT / 50, "Waited in vain for %s.\n", #condition); \
    } while (0)

#define check_wait(handle) check_wait_(__LINE__, handle)
static inline void check_wait_(int line, HANDLE handle)
{
    DWORD ret = WaitForSingleObject(handle, TIMEOUT);

    ok_(__BASE_FILE__, line)(ret == WAIT_OBJECT_0, "Got %#lx.\n", ret);
}

#define check_no_wait(handle) check_no_wait_(__LINE__, handle)
static inline void check_no_wait_(int line, HANDLE handle)
{
    DWORD ret = WaitForSingleObject(handle, QUIET);

    ok_(__BASE_FILE__, line)(ret == WAIT_TIMEOUT, "Got %#lx.\n", ret);
}

static inline HANDLE create_event(const WCHAR *name)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, name);

    ok(!!event, "Failed to create an event, error %lu.\n", GetLastError());
    return event;
}

static inline ULONGLONG get_filetime(const FILETIME *filetime)
{
    return (ULONGLONG)filetime->dwHighDateTime << 32 | filetime->dwLowDateTime;
}

static inline FILETIME make_filetime(ULONGLONG time)
{
    FILETIME filetime = {time, time >> 32};

    return filetime;
}

static inline ULONGLONG get_system_time(void)
{
    FILETIME now;

    GetSystemTimeAsFileTime(&now);
    return get_filetime(&now);
}

static inline const char *debugstr_correlation_id(const CorrelationId *id)
{
    return wine_dbg_sprintf("%s %#I64x", wine_dbgstr_guid(&id->connId), get_filetime(&id->timeStamp));
}

#define check_correlation_id(id, expected) check_correlation_id_(__LINE__, id, expected)
static inline void check_correlation_id_(int line, const CorrelationId *id, const CorrelationId *expected)
{
    ok_(__BASE_FILE__, line)(!memcmp(id, expected, sizeof(*id)), "Got %s, expected %s.\n",
            debugstr_correlation_id(id), debugstr_correlation_id(expected));
}

#define release_object(object) release_object_(__LINE__, (IUnknown *)(object))
static inline void release_object_(int line, IUnknown *object)
{
    ULONG refs = IUnknown_Release(object);

    ok_(__BASE_FILE__, line)(!refs, "Got %lu references.\n", refs);
}

/* The service. */

static inline DWORD get_agent_state(void)
{
    SERVICE_STATUS status;

    return QueryServiceStatus(agent_service, &status) ? status.dwCurrentState : 0;
}

static inline BOOL wait_agent_state(DWORD state)
{
    unsigned int i;

    for (i = 0; i < TIMEOUT / 50; ++i)
    {
        if (get_agent_state() == state)
            return TRUE;
        Sleep(50);
    }
    return FALSE;
}

/* The process of the previous run may be about to end when the service is said to be stopped. */
static inline BOOL try_start_agent(void)
{
    unsigned int i;

    for (i = 0; i < TIMEOUT / 50; ++i)
    {
        if (StartServiceW(agent_service, 0, NULL))
            return wait_agent_state(SERVICE_RUNNING);
        if (GetLastError() != ERROR_SERVICE_ALREADY_RUNNING)
            return FALSE;
        if (get_agent_state() == SERVICE_RUNNING)
            return TRUE;
        Sleep(50);
    }
    return FALSE;
}

#define start_agent() start_agent_(__LINE__)
static inline void start_agent_(int line)
{
    BOOL ret = try_start_agent();

    ok_(__BASE_FILE__, line)(ret, "Failed to start the agent, state %lu, error %lu.\n", get_agent_state(), GetLastError());
}

#define stop_agent() stop_agent_(__LINE__)
static inline void stop_agent_(int line)
{
    SERVICE_STATUS status;
    BOOL ret;

    ret = ControlService(agent_service, SERVICE_CONTROL_STOP, &status)
            || GetLastError() == ERROR_SERVICE_NOT_ACTIVE;
    ok_(__BASE_FILE__, line)(ret, "Failed to stop the agent, error %lu.\n", GetLastError());
    ret = wait_agent_state(SERVICE_STOPPED);
    ok_(__BASE_FILE__, line)(ret, "The agent has not stopped, state %lu.\n", get_agent_state());
}

/* Registrations. */

static inline void set_string(CountedString *string, const WCHAR *text)
{
    string->length = lstrlenW(text);
    string->string = (WCHAR *)text;
}

static inline void init_registration(NapComponentRegistrationInfo *info, NapComponentId id)
{
    memset(info, 0, sizeof(*info));
    info->id = id;
    set_string(&info->friendlyName, TEST_NAME L" name");
    set_string(&info->description, TEST_NAME L" description");
    set_string(&info->version, TEST_NAME L" 1.0");
    set_string(&info->vendorName, TEST_NAME L" vendor");
}

#define register_sha(id) register_sha_(__LINE__, id)
static inline void register_sha_(int line, SystemHealthEntityId id)
{
    NapComponentRegistrationInfo info;
    HRESULT hr;

    init_registration(&info, id);
    hr = INapClientManagement_RegisterSystemHealthAgent(management, &info);
    ok_(__BASE_FILE__, line)(hr == S_OK, "Failed to register SHA %#x, hr %#lx.\n", id, hr);
}

#define unregister_sha(id) unregister_sha_(__LINE__, id)
static inline void unregister_sha_(int line, SystemHealthEntityId id)
{
    HRESULT hr = INapClientManagement_UnregisterSystemHealthAgent(management, id);

    ok_(__BASE_FILE__, line)(hr == S_OK, "Failed to unregister SHA %#x, hr %#lx.\n", id, hr);
}

#define register_ec(id) register_ec_(__LINE__, id)
static inline void register_ec_(int line, EnforcementEntityId id)
{
    NapComponentRegistrationInfo info;
    HRESULT hr;

    init_registration(&info, id);
    hr = INapClientManagement_RegisterEnforcementClient(management, &info);
    ok_(__BASE_FILE__, line)(hr == S_OK, "Failed to register enforcement client %#x, hr %#lx.\n", id, hr);
}

#define unregister_ec(id) unregister_ec_(__LINE__, id)
static inline void unregister_ec_(int line, EnforcementEntityId id)
{
    HRESULT hr = INapClientManagement_UnregisterEnforcementClient(management, id);

    ok_(__BASE_FILE__, line)(hr == S_OK, "Failed to unregister enforcement client %#x, hr %#lx.\n", id, hr);
}

/* Runs a program that Windows or Wine brings, or one started from there. */
static inline DWORD run_command(WCHAR *command)
{
    STARTUPINFOW startup = {sizeof(startup)};
    PROCESS_INFORMATION info;
    DWORD code = ~0u;

    if (!CreateProcessW(NULL, command, NULL, NULL, FALSE, DETACHED_PROCESS, NULL, NULL, &startup, &info))
        return ~0u;
    if (WaitForSingleObject(info.hProcess, TIMEOUT) != WAIT_OBJECT_0)
        TerminateProcess(info.hProcess, ~0u);
    GetExitCodeProcess(info.hProcess, &code);
    CloseHandle(info.hThread);
    CloseHandle(info.hProcess);
    return code;
}

/* Only an administrator's command does that. Windows has a napstat.exe, too, which is something else. */
static inline DWORD set_enforcement(EnforcementEntityId id, BOOL enable)
{
    WCHAR command[MAX_PATH];

    if (is_wine())
        wsprintfW(command, L"napstat.exe set enforcement 0x%x %s", id, enable ? L"enable" : L"disable");
    else
        wsprintfW(command, L"netsh.exe nap client set enforcement ID = %u ADMIN = %s", id,
                enable ? L"ENABLE" : L"DISABLE");
    return run_command(command);
}

/* Whether some process left the registration behind that ran these tests and was killed. */
static inline BOOL is_test_registration(const NapComponentRegistrationInfo *info)
{
    static const WCHAR name[] = TEST_NAME;
    const WCHAR *string = info->friendlyName.string;

    return info->id >= FIRST_ID && info->id <= LAST_ID
            && (!string || !*string || !memcmp(string, name, sizeof(name) - sizeof(WCHAR)));
}

static inline void unregister_all(void)
{
    NapComponentRegistrationInfo *infos;
    UINT16 count, i;

    if (INapClientManagement_GetRegisteredSystemHealthAgents(management, &count, &infos) == S_OK)
    {
        for (i = 0; i < count; ++i)
        {
            if (is_test_registration(&infos[i]))
                INapClientManagement_UnregisterSystemHealthAgent(management, infos[i].id);
        }
        pFreeNapComponentRegistrationInfoArray(count, &infos);
    }
    if (INapClientManagement_GetRegisteredEnforcementClients(management, &count, &infos) == S_OK)
    {
        for (i = 0; i < count; ++i)
        {
            if (is_test_registration(&infos[i]))
                INapClientManagement_UnregisterEnforcementClient(management, infos[i].id);
        }
        pFreeNapComponentRegistrationInfoArray(count, &infos);
    }
}

/* As programs that the agent calls back do it. */
static inline void init_security(void)
{
    SECURITY_DESCRIPTOR *sd = NULL;

    ConvertStringSecurityDescriptorToSecurityDescriptorW(
            L"O:BAG:BAD:(A;;0x3;;;NS)(A;;0x3;;;SY)(A;;0x3;;;BA)(A;;0x3;;;IU)", SDDL_REVISION_1,
            (PSECURITY_DESCRIPTOR *)&sd, NULL);
    CoInitializeSecurity(sd, -1, NULL, NULL, RPC_C_AUTHN_LEVEL_PKT, RPC_C_IMP_LEVEL_IMPERSONATE, NULL,
            EOAC_NONE, NULL);
    LocalFree(sd);
}

static inline BOOL load_qutil(void)
{
    static const struct
    {
        const char *name;
        void **proc;
    }
    procs[] =
    {
        {"AllocConnections", (void **)&pAllocConnections},
        {"AllocFixupInfo", (void **)&pAllocFixupInfo},
        {"FreeConnections", (void **)&pFreeConnections},
        {"FreeCountedString", (void **)&pFreeCountedString},
        {"FreeFixupInfo", (void **)&pFreeFixupInfo},
        {"FreeIsolationInfo", (void **)&pFreeIsolationInfo},
        {"FreeIsolationInfoEx", (void **)&pFreeIsolationInfoEx},
        {"FreeNapComponentRegistrationInfoArray", (void **)&pFreeNapComponentRegistrationInfoArray},
        {"FreeNetworkSoH", (void **)&pFreeNetworkSoH},
        {"FreePrivateData", (void **)&pFreePrivateData},
        {"FreeSoH", (void **)&pFreeSoH},
        {"FreeSoHAttributeValue", (void **)&pFreeSoHAttributeValue},
        {"InitializeNapAgentNotifier", (void **)&pInitializeNapAgentNotifier},
        {"UninitializeNapAgentNotifier", (void **)&pUninitializeNapAgentNotifier},
    };
    HMODULE qutil = LoadLibraryW(L"qutil.dll");
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(procs); ++i)
    {
        if (!qutil || !(*procs[i].proc = (void *)GetProcAddress(qutil, procs[i].name)))
        {
            win_skip("qutil.dll has no %s().\n", procs[i].name);
            return FALSE;
        }
    }
    return TRUE;
}

/* What a process needs that has but one of the bindings. */
static inline BOOL init_client(void)
{
    HRESULT hr;

    hr = CoInitializeEx(NULL, COINIT_MULTITHREADED);
    ok(hr == S_OK, "Failed to initialize COM, hr %#lx.\n", hr);
    init_security();
    if (!load_qutil())
        return FALSE;
    hr = CoCreateInstance(&CLSID_NapClientManagement, NULL, CLSCTX_INPROC_SERVER, &IID_INapClientManagement,
            (void **)&management);
    ok(hr == S_OK || hr == REGDB_E_CLASSNOTREG, "Got hr %#lx.\n", hr);
    if (hr == REGDB_E_CLASSNOTREG)
        win_skip("qagent.dll's classes are not registered.\n");
    return hr == S_OK;
}

static inline BOOL open_agent(void)
{
    SC_HANDLE manager;

    if (!(manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT)))
    {
        win_skip("The service manager can not be opened, error %lu.\n", GetLastError());
        return FALSE;
    }
    agent_service = OpenServiceW(manager, L"napagent",
            SERVICE_QUERY_STATUS | SERVICE_QUERY_CONFIG | SERVICE_START | SERVICE_STOP);
    if (!agent_service)
        win_skip("The napagent service is absent, or not for this user, error %lu.\n", GetLastError());
    CloseServiceHandle(manager);
    return !!agent_service;
}

static inline void unload_agent(void)
{
    if (agent_service)
    {
        unregister_all();
        if (initial_agent_state == SERVICE_RUNNING)
            start_agent();
        else
            stop_agent();
        CloseServiceHandle(agent_service);
    }
    if (management)
        INapClientManagement_Release(management);
    CoUninitialize();
}

static DWORD WINAPI watchdog_thread(void *arg)
{
    Sleep(TEST_TIMEOUT);
    ok(0, "The test takes more than %u s.\n", TEST_TIMEOUT / 1000);
    TerminateProcess(GetCurrentProcess(), 1);
    return 0;
}

/* Leaves the service running, and none of the tests' ids registered. */
static inline BOOL load_agent(void)
{
    NapComponentRegistrationInfo info;
    HRESULT hr;

    CloseHandle(CreateThread(NULL, 0, watchdog_thread, NULL, 0, NULL));
    if (!init_client() || !open_agent())
    {
        unload_agent();
        return FALSE;
    }
    initial_agent_state = get_agent_state();
    if (!try_start_agent())
    {
        win_skip("The napagent service can not be started, error %lu.\n", GetLastError());
        unload_agent();
        return FALSE;
    }
    unregister_all();

    init_registration(&info, TEST_ID(0));
    hr = INapClientManagement_RegisterSystemHealthAgent(management, &info);
    if (hr != S_OK)
    {
        ok(hr == E_ACCESSDENIED, "Got hr %#lx.\n", hr);
        win_skip("Only an administrator registers an SHA.\n");
        unload_agent();
        return FALSE;
    }
    unregister_sha(TEST_ID(0));
    return TRUE;
}

/* Processes that run a part of the test: its name, "child", what to do, and an id. Each exits with an HRESULT. */

static inline void get_child_command(WCHAR *command, unsigned int count, const char *what, NapComponentId id)
{
    char path[MAX_PATH], line[MAX_PATH + 64];
    char **argv;

    winetest_get_mainargs(&argv);
    GetModuleFileNameA(NULL, path, ARRAY_SIZE(path));
    sprintf(line, "\"%s\" %s child %s %u", path, argv[1], what, id);
    MultiByteToWideChar(CP_ACP, 0, line, -1, command, count);
}

#define start_child(what, id) start_child_(__LINE__, what, id)
static inline HANDLE start_child_(int line, const char *what, NapComponentId id)
{
    STARTUPINFOW startup = {sizeof(startup)};
    WCHAR command[MAX_PATH + 64];
    PROCESS_INFORMATION info;
    BOOL ret;

    get_child_command(command, ARRAY_SIZE(command), what, id);
    ret = CreateProcessW(NULL, command, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &info);
    ok_(__BASE_FILE__, line)(ret, "Failed to start %s, error %lu.\n", wine_dbgstr_w(command), GetLastError());
    if (!ret)
        return NULL;
    CloseHandle(info.hThread);
    return info.hProcess;
}

#define end_child(process, expected) end_child_(__LINE__, process, expected)
static inline void end_child_(int line, HANDLE process, HRESULT expected)
{
    DWORD code = 0xdeadbeef, ret;

    if (!process)
        return;
    ret = WaitForSingleObject(process, TIMEOUT);
    ok_(__BASE_FILE__, line)(ret == WAIT_OBJECT_0, "The child has not ended, got %#lx.\n", ret);
    if (ret != WAIT_OBJECT_0)
        TerminateProcess(process, 1);
    GetExitCodeProcess(process, &code);
    ok_(__BASE_FILE__, line)(code == expected || broken(expected == HRESULT_FROM_WIN32(ERROR_ALREADY_INITIALIZED)
            && code == ERROR_ALREADY_INITIALIZED), "The child ended with %#lx, expected %#lx.\n", code, expected);
    CloseHandle(process);
}

/* Calls of the agent. An event could not tell two of them from one. */

struct calls
{
    LONG count;
    HANDLE semaphore;
};

static inline void init_calls(struct calls *calls, unsigned int count)
{
    unsigned int i;

    for (i = 0; i < count; ++i)
    {
        calls[i].count = 0;
        calls[i].semaphore = CreateSemaphoreW(NULL, 0, 0x7fffffff, NULL);
        ok(!!calls[i].semaphore, "Failed to create a semaphore, error %lu.\n", GetLastError());
    }
}

static inline void cleanup_calls(struct calls *calls, unsigned int count)
{
    unsigned int i;

    for (i = 0; i < count; ++i)
        CloseHandle(calls[i].semaphore);
}

static inline void note_call(struct calls *calls)
{
    InterlockedIncrement(&calls->count);
    ReleaseSemaphore(calls->semaphore, 1, NULL);
}

static inline void forget_calls(struct calls *calls)
{
    while (WaitForSingleObject(calls->semaphore, 0) == WAIT_OBJECT_0)
        ;
}

#define check_call(calls) check_call_(__LINE__, calls)
static inline BOOL check_call_(int line, struct calls *calls)
{
    DWORD ret = WaitForSingleObject(calls->semaphore, TIMEOUT);

    ok_(__BASE_FILE__, line)(ret == WAIT_OBJECT_0, "The call has not come.\n");
    return ret == WAIT_OBJECT_0;
}

#define check_no_call(calls) check_no_call_(__LINE__, calls)
static inline void check_no_call_(int line, struct calls *calls)
{
    DWORD ret = WaitForSingleObject(calls->semaphore, QUIET);

    ok_(__BASE_FILE__, line)(ret == WAIT_TIMEOUT, "A call has come.\n");
}

/* A call that has come by now, or has not. */
#define check_called(calls) check_called_(__LINE__, calls, TRUE)
#define check_not_called(calls) check_called_(__LINE__, calls, FALSE)
static inline void check_called_(int line, struct calls *calls, BOOL expected)
{
    BOOL called = WaitForSingleObject(calls->semaphore, 0) == WAIT_OBJECT_0;

    ok_(__BASE_FILE__, line)(called == expected, "The call %s come.\n", called ? "has" : "has not");
}

/* A system health agent. */

enum sha_call
{
    SHA_GetSoHRequest,
    SHA_ProcessSoHResponse,
    SHA_NotifySystemIsolationStateChange,
    SHA_GetFixupInfo,
    SHA_CompareSoHRequests,
    SHA_NotifyOrphanedSoHRequest,
    SHA_CALL_COUNT
};

struct payload
{
    UINT16 size;
    BYTE data[2048];
};

struct sha
{
    INapSystemHealthAgentCallback INapSystemHealthAgentCallback_iface;
    LONG refcount;
    SystemHealthEntityId id;
    INapSystemHealthAgentBinding *binding;
    struct calls calls[SHA_CALL_COUNT];

    /* What to do. */
    void (*hook)(struct sha *sha, enum sha_call call, INapSystemHealthAgentRequest *request);
    void *hook_data;
    const char *health;         /* NULL: set no SoH */
    UINT16 health_size;         /* 0: that of the text */
    BOOL cache;
    HRESULT request_hr;
    HRESULT response_hr;
    HRESULT compare_hr;
    BOOL compare_equal;
    LONG fixup_polls;           /* that are answered with a fix-up in progress */

    /* What was seen. */
    DWORD thread_id;            /* of the last call */
    CorrelationId request_id;
    HRESULT cached_hr;          /* GetSoHRequest() before SetSoHRequest() */
    struct payload cached;
    CorrelationId response_id;
    HRESULT response_read_hr;
    UINT8 response_flags;
    HRESULT response_code;
    struct payload compared[2];
    CorrelationId orphan_id;
};

static inline struct sha *sha_from_INapSystemHealthAgentCallback(INapSystemHealthAgentCallback *iface)
{
    return CONTAINING_RECORD(iface, struct sha, INapSystemHealthAgentCallback_iface);
}

static inline SoH *create_soh(SystemHealthEntityId id, const void *data, UINT16 size)
{
    INapSoHConstructor *constructor;
    SoHAttributeValue value;
    SoH *soh = NULL;
    HRESULT hr;

    hr = CoCreateInstance(&CLSID_NapSoHConstructor, NULL, CLSCTX_INPROC_SERVER, &IID_INapSoHConstructor,
            (void **)&constructor);
    ok(hr == S_OK, "Failed to create a constructor, hr %#lx.\n", hr);
    if (hr != S_OK)
        return NULL;
    hr = INapSoHConstructor_Initialize(constructor, id, TRUE);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    value.vendorSpecificVal.vendorId = id;
    value.vendorSpecificVal.size = size;
    value.vendorSpecificVal.vendorSpecificData = (BYTE *)data;
    hr = INapSoHConstructor_AppendAttribute(constructor, sohAttributeTypeVendorSpecific, &value);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = INapSoHConstructor_GetSoH(constructor, &soh);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    INapSoHConstructor_Release(constructor);
    return soh;
}

/* The data of the one VendorSpecific attribute, without the id. */
static inline void get_payload(const SoH *soh, struct payload *payload)
{
    unsigned int i;

    payload->size = 0;
    for (i = 0; i < soh->count; ++i)
    {
        if (soh->attributes[i].type != sohAttributeTypeVendorSpecific || soh->attributes[i].size < 4
                || soh->attributes[i].size - 4 > sizeof(payload->data))
            continue;
        payload->size = soh->attributes[i].size - 4;
        memcpy(payload->data, soh->attributes[i].value + 4, payload->size);
    }
}

#define check_payload(payload, text) check_payload_(__LINE__, payload, text)
static inline void check_payload_(int line, const struct payload *payload, const char *text)
{
    ok_(__BASE_FILE__, line)(payload->size == strlen(text) && !memcmp(payload->data, text, payload->size),
            "Got %s, expected %s.\n", wine_dbgstr_an((const char *)payload->data, payload->size), wine_dbgstr_a(text));
}

static inline HRESULT get_response_code(const SoH *soh, SystemHealthEntityId *id)
{
    SoHAttributeValue *value = NULL;
    INapSoHProcessor *processor;
    HRESULT hr, code = 0xdeadbeef;
    SoHAttributeType type = 0;
    UINT16 index;

    hr = CoCreateInstance(&CLSID_NapSoHProcessor, NULL, CLSCTX_INPROC_SERVER, &IID_INapSoHProcessor,
            (void **)&processor);
    ok(hr == S_OK, "Failed to create a processor, hr %#lx.\n", hr);
    if (hr != S_OK)
        return code;
    hr = INapSoHProcessor_Initialize(processor, soh, FALSE, id);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = INapSoHProcessor_FindNextAttribute(processor, 0, sohAttributeTypeComplianceResultCodes, &index);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    if (hr == S_OK && (hr = INapSoHProcessor_GetAttribute(processor, index, &type, &value)) == S_OK)
    {
        if (value->codesVal.count)
            code = value->codesVal.results[0];
        pFreeSoHAttributeValue(type, value);
    }
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    INapSoHProcessor_Release(processor);
    return code;
}

static inline void sha_enter(struct sha *sha, enum sha_call call, INapSystemHealthAgentRequest *request)
{
    sha->thread_id = GetCurrentThreadId();
    if (sha->hook)
        sha->hook(sha, call, request);
}

static inline HRESULT WINAPI sha_QueryInterface(INapSystemHealthAgentCallback *iface, REFIID iid, void **out)
{
    if (IsEqualIID(iid, &IID_IUnknown) || IsEqualIID(iid, &IID_INapSystemHealthAgentCallback))
    {
        INapSystemHealthAgentCallback_AddRef(iface);
        *out = iface;
        return S_OK;
    }
    *out = NULL;
    return E_NOINTERFACE;
}

static inline ULONG WINAPI sha_AddRef(INapSystemHealthAgentCallback *iface)
{
    return InterlockedIncrement(&sha_from_INapSystemHealthAgentCallback(iface)->refcount);
}

static inline ULONG WINAPI sha_Release(INapSystemHealthAgentCallback *iface)
{
    return InterlockedDecrement(&sha_from_INapSystemHealthAgentCallback(iface)->refcount);
}

static inline HRESULT WINAPI sha_GetSoHRequest(INapSystemHealthAgentCallback *iface,
        INapSystemHealthAgentRequest *request)
{
    struct sha *sha = sha_from_INapSystemHealthAgentCallback(iface);
    HRESULT hr, request_hr = sha->request_hr;
    SoH *soh = (SoH *)0xdeadbeef;

    memset(&sha->request_id, 0xcc, sizeof(sha->request_id));
    hr = INapSystemHealthAgentRequest_GetCorrelationId(request, &sha->request_id);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    sha->cached.size = 0;
    sha->cached_hr = INapSystemHealthAgentRequest_GetSoHRequest(request, &soh);
    if (sha->cached_hr == S_OK)
    {
        get_payload(soh, &sha->cached);
        pFreeSoH(soh);
    }
    else
    {
        ok(!soh || broken(!!soh), "Got SoH %p.\n", soh);
    }

    sha_enter(sha, SHA_GetSoHRequest, request);
    if (sha->health)
    {
        soh = create_soh(sha->id, sha->health, sha->health_size ? sha->health_size : strlen(sha->health));
        hr = INapSystemHealthAgentRequest_SetSoHRequest(request, soh, sha->cache);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        pFreeSoH(soh);
    }
    note_call(&sha->calls[SHA_GetSoHRequest]);
    return request_hr;
}

static inline HRESULT WINAPI sha_ProcessSoHResponse(INapSystemHealthAgentCallback *iface,
        INapSystemHealthAgentRequest *request)
{
    struct sha *sha = sha_from_INapSystemHealthAgentCallback(iface);
    HRESULT hr, response_hr = sha->response_hr;
    SystemHealthEntityId id = 0xdeadbeef;
    SoH *soh = (SoH *)0xdeadbeef;

    memset(&sha->response_id, 0xcc, sizeof(sha->response_id));
    hr = INapSystemHealthAgentRequest_GetCorrelationId(request, &sha->response_id);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    sha->response_flags = 0xcc;
    sha->response_read_hr = INapSystemHealthAgentRequest_GetSoHResponse(request, &soh, &sha->response_flags);
    ok(sha->response_read_hr == S_OK, "Got hr %#lx.\n", sha->response_read_hr);
    if (sha->response_read_hr == S_OK)
    {
        sha->response_code = get_response_code(soh, &id);
        ok(id == sha->id, "Got id %#x, expected %#x.\n", id, sha->id);
        pFreeSoH(soh);
    }
    sha_enter(sha, SHA_ProcessSoHResponse, request);
    note_call(&sha->calls[SHA_ProcessSoHResponse]);
    return response_hr;
}

static inline HRESULT WINAPI sha_NotifySystemIsolationStateChange(INapSystemHealthAgentCallback *iface)
{
    struct sha *sha = sha_from_INapSystemHealthAgentCallback(iface);

    sha_enter(sha, SHA_NotifySystemIsolationStateChange, NULL);
    note_call(&sha->calls[SHA_NotifySystemIsolationStateChange]);
    return S_OK;
}

/* The slot is written to unread, as the SDK's sample does it. */
static inline HRESULT WINAPI sha_GetFixupInfo(INapSystemHealthAgentCallback *iface, FixupInfo **info)
{
    struct sha *sha = sha_from_INapSystemHealthAgentCallback(iface);
    HRESULT hr;

    sha_enter(sha, SHA_GetFixupInfo, NULL);
    if (FAILED(hr = pAllocFixupInfo(info, 1)))
        return hr;
    if (sha->fixup_polls)
    {
        --sha->fixup_polls;
        (*info)->state = fixupStateInProgress;
        (*info)->percentage = 50;
    }
    else
    {
        (*info)->state = fixupStateSuccess;
        (*info)->percentage = 100;
    }
    (*info)->fixupMsgId = 0x40000006;
    (*info)->resultCodes.count = 1;
    (*info)->resultCodes.results[0] = S_OK;
    note_call(&sha->calls[SHA_GetFixupInfo]);
    return S_OK;
}

static inline HRESULT WINAPI sha_CompareSoHRequests(INapSystemHealthAgentCallback *iface, const SoHRequest *lhs,
        const SoHRequest *rhs, BOOL *is_equal)
{
    struct sha *sha = sha_from_INapSystemHealthAgentCallback(iface);
    HRESULT hr = sha->compare_hr;

    get_payload(lhs, &sha->compared[0]);
    get_payload(rhs, &sha->compared[1]);
    sha_enter(sha, SHA_CompareSoHRequests, NULL);
    if (hr == S_OK)
        *is_equal = sha->compare_equal;
    note_call(&sha->calls[SHA_CompareSoHRequests]);
    return hr;
}

static inline HRESULT WINAPI sha_NotifyOrphanedSoHRequest(INapSystemHealthAgentCallback *iface,
        const CorrelationId *id)
{
    struct sha *sha = sha_from_INapSystemHealthAgentCallback(iface);

    sha->orphan_id = *id;
    sha_enter(sha, SHA_NotifyOrphanedSoHRequest, NULL);
    note_call(&sha->calls[SHA_NotifyOrphanedSoHRequest]);
    return S_OK;
}

static INapSystemHealthAgentCallbackVtbl sha_vtbl =
{
    sha_QueryInterface,
    sha_AddRef,
    sha_Release,
    sha_GetSoHRequest,
    sha_ProcessSoHResponse,
    sha_NotifySystemIsolationStateChange,
    sha_GetFixupInfo,
    sha_CompareSoHRequests,
    sha_NotifyOrphanedSoHRequest,
};

#define create_sha_binding() create_sha_binding_(__LINE__)
static inline INapSystemHealthAgentBinding *create_sha_binding_(int line)
{
    INapSystemHealthAgentBinding *binding = NULL;
    HRESULT hr;

    hr = CoCreateInstance(&CLSID_NapSystemHealthAgentBinding, NULL, CLSCTX_INPROC_SERVER,
            &IID_INapSystemHealthAgentBinding, (void **)&binding);
    ok_(__BASE_FILE__, line)(hr == S_OK, "Failed to create a binding, hr %#lx.\n", hr);
    return binding;
}

#define init_sha(sha, id) init_sha_(__LINE__, sha, id)
static inline void init_sha_(int line, struct sha *sha, SystemHealthEntityId id)
{
    memset(sha, 0, sizeof(*sha));
    sha->INapSystemHealthAgentCallback_iface.lpVtbl = &sha_vtbl;
    sha->refcount = 1;
    sha->id = id;
    sha->health = "fine";
    sha->compare_hr = E_NOTIMPL;
    init_calls(sha->calls, SHA_CALL_COUNT);
    sha->binding = create_sha_binding_(line);
}

#define bind_sha(sha) bind_sha_(__LINE__, sha)
static inline void bind_sha_(int line, struct sha *sha)
{
    HRESULT hr = INapSystemHealthAgentBinding_Initialize(sha->binding, sha->id,
            &sha->INapSystemHealthAgentCallback_iface);

    ok_(__BASE_FILE__, line)(hr == S_OK, "Failed to bind SHA %#x, hr %#lx.\n", sha->id, hr);
}

#define unbind_sha(sha) unbind_sha_(__LINE__, sha)
static inline void unbind_sha_(int line, struct sha *sha)
{
    HRESULT hr = INapSystemHealthAgentBinding_Uninitialize(sha->binding);

    ok_(__BASE_FILE__, line)(hr == S_OK, "Failed to unbind SHA %#x, hr %#lx.\n", sha->id, hr);
    ok_(__BASE_FILE__, line)(sha->refcount == 1, "Got %ld references to the callback.\n", sha->refcount);
}

#define cleanup_sha(sha) cleanup_sha_(__LINE__, sha)
static inline void cleanup_sha_(int line, struct sha *sha)
{
    release_object_(line, (IUnknown *)sha->binding);
    ok_(__BASE_FILE__, line)(sha->refcount == 1, "Got %ld references to the callback.\n", sha->refcount);
    cleanup_calls(sha->calls, SHA_CALL_COUNT);
}

/* Registered and bound. */
#define add_sha(sha, id) add_sha_(__LINE__, sha, id)
static inline void add_sha_(int line, struct sha *sha, SystemHealthEntityId id)
{
    register_sha_(line, id);
    init_sha_(line, sha, id);
    bind_sha_(line, sha);
}

#define remove_sha(sha) remove_sha_(__LINE__, sha)
static inline void remove_sha_(int line, struct sha *sha)
{
    unbind_sha_(line, sha);
    cleanup_sha_(line, sha);
    unregister_sha_(line, sha->id);
}

/* An enforcement client. */

enum ec_call
{
    EC_NotifySoHChange,
    EC_GetConnections,
    EC_CALL_COUNT
};

struct ec
{
    INapEnforcementClientCallback INapEnforcementClientCallback_iface;
    LONG refcount;
    EnforcementEntityId id;
    INapEnforcementClientBinding *binding;
    struct calls calls[EC_CALL_COUNT];
    void (*hook)(struct ec *ec, enum ec_call call);
    void *hook_data;
    HRESULT hr;
    DWORD thread_id;            /* of the last call */
    CRITICAL_SECTION cs;
    UINT16 connection_count;
    INapEnforcementClientConnection *connections[maxConnectionCountPerEnforcer];
};

static inline struct ec *ec_from_INapEnforcementClientCallback(INapEnforcementClientCallback *iface)
{
    return CONTAINING_RECORD(iface, struct ec, INapEnforcementClientCallback_iface);
}

static inline HRESULT WINAPI ec_QueryInterface(INapEnforcementClientCallback *iface, REFIID iid, void **out)
{
    if (IsEqualIID(iid, &IID_IUnknown) || IsEqualIID(iid, &IID_INapEnforcementClientCallback))
    {
        INapEnforcementClientCallback_AddRef(iface);
        *out = iface;
        return S_OK;
    }
    *out = NULL;
    return E_NOINTERFACE;
}

static inline ULONG WINAPI ec_AddRef(INapEnforcementClientCallback *iface)
{
    return InterlockedIncrement(&ec_from_INapEnforcementClientCallback(iface)->refcount);
}

static inline ULONG WINAPI ec_Release(INapEnforcementClientCallback *iface)
{
    return InterlockedDecrement(&ec_from_INapEnforcementClientCallback(iface)->refcount);
}

static inline HRESULT WINAPI ec_NotifySoHChange(INapEnforcementClientCallback *iface)
{
    struct ec *ec = ec_from_INapEnforcementClientCallback(iface);
    HRESULT hr = ec->hr;

    ec->thread_id = GetCurrentThreadId();
    if (ec->hook)
        ec->hook(ec, EC_NotifySoHChange);
    note_call(&ec->calls[EC_NotifySoHChange]);
    return hr;
}

static inline HRESULT WINAPI ec_GetConnections(INapEnforcementClientCallback *iface, Connections **connections)
{
    struct ec *ec = ec_from_INapEnforcementClientCallback(iface);
    unsigned int i;
    HRESULT hr;

    if (ec->hr != S_OK)
    {
        note_call(&ec->calls[EC_GetConnections]);
        return ec->hr;
    }
    EnterCriticalSection(&ec->cs);
    if (FAILED(hr = pAllocConnections(connections, ec->connection_count)))
    {
        LeaveCriticalSection(&ec->cs);
        return hr;
    }
    for (i = 0; i < ec->connection_count; ++i)
    {
        (*connections)->connections[i] = ec->connections[i];
        INapEnforcementClientConnection_AddRef(ec->connections[i]);
    }
    (*connections)->count = ec->connection_count;
    LeaveCriticalSection(&ec->cs);
    if (ec->hook)
        ec->hook(ec, EC_GetConnections);
    note_call(&ec->calls[EC_GetConnections]);
    return S_OK;
}

static INapEnforcementClientCallbackVtbl ec_vtbl =
{
    ec_QueryInterface,
    ec_AddRef,
    ec_Release,
    ec_NotifySoHChange,
    ec_GetConnections,
};

#define create_ec_binding() create_ec_binding_(__LINE__)
static inline INapEnforcementClientBinding *create_ec_binding_(int line)
{
    INapEnforcementClientBinding *binding = NULL;
    HRESULT hr;

    hr = CoCreateInstance(&CLSID_NapEnforcementClientBinding, NULL, CLSCTX_INPROC_SERVER,
            &IID_INapEnforcementClientBinding, (void **)&binding);
    ok_(__BASE_FILE__, line)(hr == S_OK, "Failed to create a binding, hr %#lx.\n", hr);
    return binding;
}

#define init_ec(ec, id) init_ec_(__LINE__, ec, id)
static inline void init_ec_(int line, struct ec *ec, EnforcementEntityId id)
{
    memset(ec, 0, sizeof(*ec));
    ec->INapEnforcementClientCallback_iface.lpVtbl = &ec_vtbl;
    ec->refcount = 1;
    ec->id = id;
    InitializeCriticalSection(&ec->cs);
    init_calls(ec->calls, EC_CALL_COUNT);
    ec->binding = create_ec_binding_(line);
}

static inline HRESULT initialize_ec(struct ec *ec)
{
    return INapEnforcementClientBinding_Initialize(ec->binding, ec->id, &ec->INapEnforcementClientCallback_iface);
}

#define bind_ec(ec) bind_ec_(__LINE__, ec)
static inline void bind_ec_(int line, struct ec *ec)
{
    HRESULT hr = initialize_ec(ec);

    ok_(__BASE_FILE__, line)(hr == S_OK, "Failed to bind enforcement client %#x, hr %#lx.\n", ec->id, hr);
}

#define unbind_ec(ec) unbind_ec_(__LINE__, ec)
static inline void unbind_ec_(int line, struct ec *ec)
{
    HRESULT hr = INapEnforcementClientBinding_Uninitialize(ec->binding);

    ok_(__BASE_FILE__, line)(hr == S_OK, "Failed to unbind enforcement client %#x, hr %#lx.\n", ec->id, hr);
    ok_(__BASE_FILE__, line)(ec->refcount == 1, "Got %ld references to the callback.\n", ec->refcount);
}

#define cleanup_ec(ec) cleanup_ec_(__LINE__, ec)
static inline void cleanup_ec_(int line, struct ec *ec)
{
    release_object_(line, (IUnknown *)ec->binding);
    ok_(__BASE_FILE__, line)(ec->refcount == 1, "Got %ld references to the callback.\n", ec->refcount);
    cleanup_calls(ec->calls, EC_CALL_COUNT);
    DeleteCriticalSection(&ec->cs);
}

/* Registered, enabled and bound. A policy may keep Windows from enabling it. */
#define add_ec(ec, id) add_ec_(__LINE__, ec, id)
static inline BOOL add_ec_(int line, struct ec *ec, EnforcementEntityId id)
{
    DWORD code;
    HRESULT hr;

    register_ec_(line, id);
    code = set_enforcement(id, TRUE);
    ok_(__BASE_FILE__, line)(!code || broken(!!code), "Got exit code %#lx.\n", code);
    init_ec_(line, ec, id);
    hr = initialize_ec(ec);
    ok_(__BASE_FILE__, line)(hr == S_OK || broken(hr == NAP_E_ENTITY_DISABLED),
            "Failed to bind enforcement client %#x, hr %#lx.\n", id, hr);
    if (hr != S_OK)
    {
        skip_(__BASE_FILE__, line)("Enforcement client %#x can not be enabled, exit code %#lx.\n", id, code);
        cleanup_ec_(line, ec);
        unregister_ec_(line, id);
    }
    return hr == S_OK;
}

#define remove_ec(ec) remove_ec_(__LINE__, ec)
static inline void remove_ec_(int line, struct ec *ec)
{
    unbind_ec_(line, ec);
    cleanup_ec_(line, ec);
    unregister_ec_(line, ec->id);
}

static inline GUID make_connection_id(const struct ec *ec, unsigned int index)
{
    GUID id = {0xf1e2d3c4, 0xb5a6, 0x4978, {0x88, 0x99, 0xaa, 0xbb, 0, 0, 0, 0}};

    id.Data4[6] = ec->id;
    id.Data4[7] = index;
    return id;
}

/* As an enforcement client does when something connects. */
#define add_connection(ec) add_connection_(__LINE__, ec)
static inline INapEnforcementClientConnection *add_connection_(int line, struct ec *ec)
{
    INapEnforcementClientConnection *connection = (void *)0xdeadbeef;
    GUID id = make_connection_id(ec, ec->connection_count);
    HRESULT hr;

    hr = INapEnforcementClientBinding_CreateConnection(ec->binding, &connection);
    ok_(__BASE_FILE__, line)(hr == S_OK, "Failed to create a connection, hr %#lx.\n", hr);
    if (hr != S_OK)
        return NULL;
    hr = INapEnforcementClientConnection_SetConnectionId(connection, &id);
    ok_(__BASE_FILE__, line)(hr == S_OK, "Got hr %#lx.\n", hr);
    EnterCriticalSection(&ec->cs);
    ec->connections[ec->connection_count++] = connection;
    LeaveCriticalSection(&ec->cs);
    return connection;
}

/* Connections go in the reverse order of their coming. */
#define remove_connection(ec) remove_connection_(__LINE__, ec)
static inline void remove_connection_(int line, struct ec *ec)
{
    INapEnforcementClientConnection *connection;
    HRESULT hr;

    EnterCriticalSection(&ec->cs);
    connection = ec->connections[--ec->connection_count];
    LeaveCriticalSection(&ec->cs);
    hr = INapEnforcementClientBinding_NotifyConnectionStateDown(ec->binding, connection);
    ok_(__BASE_FILE__, line)(hr == S_OK, "Got hr %#lx.\n", hr);
    release_object_(line, (IUnknown *)connection);
}

/* What goes over the wire: big-endian integers, attributes of a type, a size and that many bytes. */

static inline UINT16 get_u16(const BYTE *data)
{
    return data[0] << 8 | data[1];
}

static inline UINT32 get_u32(const BYTE *data)
{
    return (UINT32)get_u16(data) << 16 | get_u16(data + 2);
}

static inline CorrelationId get_wire_correlation_id(const BYTE *data)
{
    CorrelationId id;

    id.connId.Data1 = get_u32(data);
    id.connId.Data2 = get_u16(data + 4);
    id.connId.Data3 = get_u16(data + 6);
    memcpy(id.connId.Data4, data + 8, 8);
    id.timeStamp.dwHighDateTime = get_u32(data + 16);
    id.timeStamp.dwLowDateTime = get_u32(data + 20);
    return id;
}

/* A request, as a server reads it. */

struct soh_entry
{
    SystemHealthEntityId id;
    const BYTE *data;           /* the attributes after the id */
    unsigned int size;
};

struct ssoh
{
    unsigned int size;
    BYTE data[maxNetworkSoHSize];

    BOOL is_request;
    CorrelationId correlation_id;
    unsigned int generated_count;
    UINT32 generated[maxSystemHealthEntityCount];
    unsigned int entry_count;
    struct soh_entry entries[maxSystemHealthEntityCount];
};

static inline BOOL read_vendor_header(const BYTE *data, unsigned int size, UINT16 *type)
{
    if (size < 12 || get_u16(data) != sohAttributeTypeVendorSpecific || get_u16(data + 2) != size - 4
            || get_u32(data + 4) != MicrosoftVendorId || get_u16(data + 10) != size - 12)
        return FALSE;
    *type = get_u16(data + 8);
    return TRUE;
}

static inline BOOL read_system_values(struct ssoh *ssoh, const BYTE *data, unsigned int size)
{
    static const unsigned int sizes[] = {0, 18, 12, 1, 2, 2, 24, 2, 5};
    BOOL have_correlation_id = FALSE, have_packet_info = FALSE, have_state = FALSE;
    unsigned int value_size, i;

    while (size)
    {
        const BYTE *value = data + 1;

        if (!data[0] || data[0] >= ARRAY_SIZE(sizes) || size - 1 < sizes[data[0]])
            return FALSE;
        value_size = sizes[data[0]];
        if (value_size == 2)
            value_size += get_u16(value);
        else if (value_size == 12)
            value_size = 12 + get_u16(value + 10);
        if (size - 1 < value_size)
            return FALSE;

        switch (data[0])
        {
        case 2:
            have_state = TRUE;
            break;

        case 3:
            have_packet_info = TRUE;
            ssoh->is_request = value[0] == 0x11;
            break;

        case 4:
            if (value_size % 4 != 2 || value_size / 4 > ARRAY_SIZE(ssoh->generated))
                return FALSE;
            for (i = 2; i < value_size; i += 4)
                ssoh->generated[ssoh->generated_count++] = get_u32(value + i);
            break;

        case 6:
            have_correlation_id = TRUE;
            ssoh->correlation_id = get_wire_correlation_id(value);
            break;
        }
        data += 1 + value_size;
        size -= 1 + value_size;
    }
    return have_correlation_id && have_packet_info && have_state;
}

static inline BOOL read_ssoh(struct ssoh *ssoh)
{
    const BYTE *data = ssoh->data;
    unsigned int size = ssoh->size, i;
    struct soh_entry *entry = NULL;
    CorrelationId mode_id;
    UINT16 type;

    ssoh->generated_count = ssoh->entry_count = 0;
    if (!read_vendor_header(data, size, &type) || type != 1)
        return FALSE;
    /* The wrapper's type is 1 like that of a header without a mode. */
    if (size >= 24 && get_u16(data + 12) == sohAttributeTypeVendorSpecific)
    {
        data += 12;
        size -= 12;
        if (!read_vendor_header(data, size, &type) || (type != 1 && type != 2))
            return FALSE;
    }
    data += 12;
    size -= 12;
    if (type == 2)
    {
        if (size < 34 || get_u16(data) != sohAttributeTypeVendorSpecific || get_u16(data + 2) != 30
                || get_u32(data + 4) != MicrosoftVendorId || data[32] != 1 || data[33])
            return FALSE;
        mode_id = get_wire_correlation_id(data + 8);
        data += 34;
        size -= 34;
    }

    for (i = 0; size; ++i)
    {
        unsigned int attribute_size;

        if (size < 4 || size - 4 < get_u16(data + 2))
            return FALSE;
        attribute_size = get_u16(data + 2);
        if (i < 2)
        {
            /* The system's own. */
            if (i == 0 && (get_u16(data) != sohAttributeTypeSystemHealthId || attribute_size != 4
                    || get_u32(data + 4) != NapSystemId))
                return FALSE;
            if (i == 1 && (get_u16(data) != sohAttributeTypeVendorSpecific || attribute_size < 4
                    || get_u32(data + 4) != MicrosoftVendorId
                    || !read_system_values(ssoh, data + 8, attribute_size - 4)))
                return FALSE;
        }
        else if (get_u16(data) == sohAttributeTypeSystemHealthId)
        {
            if (attribute_size != 4 || ssoh->entry_count == ARRAY_SIZE(ssoh->entries))
                return FALSE;
            entry = &ssoh->entries[ssoh->entry_count++];
            entry->id = get_u32(data + 4);
            entry->data = data + 8;
            entry->size = 0;
        }
        else if (entry)
        {
            entry->size += 4 + attribute_size;
        }
        else
        {
            return FALSE;
        }
        data += 4 + attribute_size;
        size -= 4 + attribute_size;
    }
    if (type == 2)
        ok(!memcmp(&mode_id, &ssoh->correlation_id, sizeof(mode_id)), "Got %s, expected %s.\n",
                debugstr_correlation_id(&mode_id), debugstr_correlation_id(&ssoh->correlation_id));
    return i >= 2;
}

/* What the agent has put on the connection. */
#define get_blob(connection, ssoh) get_blob_(__LINE__, connection, ssoh)
static inline void get_blob_(int line, INapEnforcementClientConnection *connection, struct ssoh *ssoh)
{
    NetworkSoHRequest *blob = (void *)0xdeadbeef;
    HRESULT hr;
    BOOL ret;

    memset(ssoh, 0, sizeof(*ssoh));
    hr = INapEnforcementClientConnection_GetSoHRequest(connection, &blob);
    ok_(__BASE_FILE__, line)(hr == S_OK && blob, "Got hr %#lx, SoH %p.\n", hr, blob);
    if (hr != S_OK || !blob)
        return;
    ok_(__BASE_FILE__, line)(blob->size >= minNetworkSoHSize && blob->size <= maxNetworkSoHSize, "Got %u bytes.\n",
            blob->size);
    ssoh->size = blob->size;
    memcpy(ssoh->data, blob->data, min(blob->size, sizeof(ssoh->data)));
    pFreeNetworkSoH(blob);
    ret = read_ssoh(ssoh);
    ok_(__BASE_FILE__, line)(ret, "The request is malformed.\n");
    ok_(__BASE_FILE__, line)(ssoh->is_request, "The request is no request.\n");
}

#define get_request(ec, connection, ssoh) get_request_(__LINE__, ec, connection, ssoh)
static inline BOOL get_request_(int line, struct ec *ec, INapEnforcementClientConnection *connection,
        struct ssoh *ssoh)
{
    CorrelationId id = {{0xdeadbeef}};
    BOOL hint = 0xdeadbeef;
    HRESULT hr;

    hr = INapEnforcementClientBinding_GetSoHRequest(ec->binding, connection, &hint);
    ok_(__BASE_FILE__, line)(hr == S_OK, "Got hr %#lx.\n", hr);
    ok_(__BASE_FILE__, line)(hint == TRUE || hint == FALSE, "Got hint %#x.\n", hint);
    get_blob_(line, connection, ssoh);
    hr = INapEnforcementClientConnection_GetCorrelationId(connection, &id);
    ok_(__BASE_FILE__, line)(hr == S_OK, "Got hr %#lx.\n", hr);
    check_correlation_id_(line, &id, &ssoh->correlation_id);
    return hint;
}

static inline const struct soh_entry *find_entry(const struct ssoh *ssoh, SystemHealthEntityId id)
{
    unsigned int i;

    for (i = 0; i < ssoh->entry_count; ++i)
    {
        if (ssoh->entries[i].id == id)
            return &ssoh->entries[i];
    }
    return NULL;
}

/* An SHA's own SoH. */
#define check_entry(ssoh, id, text) check_entry_(__LINE__, ssoh, id, text)
static inline void check_entry_(int line, const struct ssoh *ssoh, SystemHealthEntityId id, const char *text)
{
    const struct soh_entry *entry = find_entry(ssoh, id);
    unsigned int size = strlen(text);

    ok_(__BASE_FILE__, line)(!!entry, "There is no entry for %#x.\n", id);
    if (!entry)
        return;
    ok_(__BASE_FILE__, line)(entry->size == 8 + size && get_u16(entry->data) == sohAttributeTypeVendorSpecific
            && get_u16(entry->data + 2) == 4 + size && get_u32(entry->data + 4) == id
            && !memcmp(entry->data + 8, text, size), "Got entry %s, expected %s.\n",
            wine_dbgstr_an((const char *)entry->data, entry->size), wine_dbgstr_a(text));
}

/* One that the agent wrote on behalf of an SHA. */
#define check_generated_entry(ssoh, id, code) check_generated_entry_(__LINE__, ssoh, id, code)
static inline void check_generated_entry_(int line, const struct ssoh *ssoh, SystemHealthEntityId id, HRESULT code)
{
    const BYTE head[] = {0, sohAttributeTypeFailureCategory, 0, 1, failureCategoryClientComponent,
            0, sohAttributeTypeErrorCodes, 0, 4};
    const struct soh_entry *entry = find_entry(ssoh, id);
    unsigned int i;

    ok_(__BASE_FILE__, line)(!!entry, "There is no entry for %#x.\n", id);
    if (!entry)
        return;
    ok_(__BASE_FILE__, line)(entry->size == sizeof(head) + 4 && !memcmp(entry->data, head, sizeof(head)),
            "Got entry %s.\n", wine_dbgstr_an((const char *)entry->data, entry->size));
    if (entry->size == sizeof(head) + 4)
        check_hr_(line, get_u32(entry->data + sizeof(head)), code);

    for (i = 0; i < ssoh->generated_count && ssoh->generated[i] != id; ++i)
        ;
    ok_(__BASE_FILE__, line)(i < ssoh->generated_count || broken(i == ssoh->generated_count),
            "%#x is not among the generated.\n", id);
}

/* A response, as a server writes it. */

struct verdict
{
    IsolationState state;
    BOOL fixup;
    ExtendedIsolationState extended;
    ULONGLONG probation_end;    /* 0: none */
    const char *url;
};

static const struct verdict verdict_healthy = {isolationStateNotRestricted};
static const struct verdict verdict_restricted = {isolationStateRestrictedAccess, FALSE,
        extendedIsolationStateNoData, 0, "http://fix.example.com/"};

struct response
{
    unsigned int size;
    BYTE data[maxNetworkSoHSize];
};

static inline void put_bytes(struct response *response, const void *data, unsigned int size)
{
    if (response->size + size > sizeof(response->data))
    {
        ok(0, "The response is too large.\n");
        return;
    }
    memcpy(response->data + response->size, data, size);
    response->size += size;
}

static inline void put_u8(struct response *response, BYTE value)
{
    put_bytes(response, &value, 1);
}

static inline void put_u16(struct response *response, UINT16 value)
{
    put_u8(response, value >> 8);
    put_u8(response, value);
}

static inline void put_u32(struct response *response, UINT32 value)
{
    put_u16(response, value >> 16);
    put_u16(response, value);
}

static inline void put_correlation_id(struct response *response, const CorrelationId *id)
{
    put_u32(response, id->connId.Data1);
    put_u16(response, id->connId.Data2);
    put_u16(response, id->connId.Data3);
    put_bytes(response, id->connId.Data4, 8);
    put_u32(response, id->timeStamp.dwHighDateTime);
    put_u32(response, id->timeStamp.dwLowDateTime);
}

static inline void put_vendor_header(struct response *response, UINT16 type)
{
    put_u16(response, sohAttributeTypeVendorSpecific);
    put_u16(response, 0);   /* end_response() */
    put_u32(response, MicrosoftVendorId);
    put_u16(response, type);
    put_u16(response, 0);   /* end_response() */
}

static inline void put_size(struct response *response, unsigned int offset, unsigned int size)
{
    response->data[offset] = size >> 8;
    response->data[offset + 1] = size;
}

static inline void put_id(struct response *response, SystemHealthEntityId id)
{
    put_u16(response, sohAttributeTypeSystemHealthId);
    put_u16(response, 4);
    put_u32(response, id);
}

static inline void begin_response(struct response *response, const CorrelationId *id, const struct verdict *verdict)
{
    const char *url = verdict->url ? verdict->url : "";
    ULONGLONG end = verdict->probation_end ? verdict->probation_end : no_probation;
    unsigned int values;

    response->size = 0;
    put_vendor_header(response, 3);
    put_vendor_header(response, 2);
    put_u16(response, sohAttributeTypeVendorSpecific);
    put_u16(response, 30);
    put_u32(response, MicrosoftVendorId);
    put_correlation_id(response, id);
    put_u8(response, 2);    /* intent */
    put_u8(response, 0);

    put_id(response, NapSystemId);
    put_u16(response, sohAttributeTypeVendorSpecific);
    values = response->size + 2;
    put_u16(response, 0);
    put_u32(response, MicrosoftVendorId);
    put_u8(response, 3);
    put_u8(response, 1);
    put_u8(response, 6);
    put_correlation_id(response, id);
    put_u8(response, 2);
    put_u16(response, verdict->extended << 4 | (verdict->fixup ? 8 : 0) | verdict->state);
    put_u32(response, end >> 32);
    put_u32(response, end);
    put_u16(response, strlen(url) + 1);
    put_bytes(response, url, strlen(url) + 1);
    put_size(response, values - 2, response->size - values);
}

/* A response's entry for an SHA with one result code. */
static inline void put_result(struct response *response, SystemHealthEntityId id, HRESULT code)
{
    put_id(response, id);
    put_u16(response, sohAttributeTypeComplianceResultCodes);
    put_u16(response, 4);
    put_u32(response, code);
}

static inline void end_response(struct response *response)
{
    put_size(response, 2, response->size - 4);
    put_size(response, 10, response->size - 12);
    put_size(response, 14, response->size - 16);
    put_size(response, 22, response->size - 24);
}

/* Hands the connection's enforcement client what came over the wire. */
static inline HRESULT process_bytes(struct ec *ec, INapEnforcementClientConnection *connection, const void *data,
        unsigned int size)
{
    NetworkSoHResponse blob = {size, (BYTE *)data};
    HRESULT hr;

    hr = INapEnforcementClientConnection_SetSoHResponse(connection, &blob);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    return INapEnforcementClientBinding_ProcessSoHResponse(ec->binding, connection);
}

static inline HRESULT process_response(struct ec *ec, INapEnforcementClientConnection *connection,
        const struct response *response)
{
    return process_bytes(ec, connection, response->data, response->size);
}

/* A response for one SHA, or for none. */
static inline HRESULT respond(struct ec *ec, INapEnforcementClientConnection *connection, const CorrelationId *id,
        const struct verdict *verdict, SystemHealthEntityId sha_id, HRESULT code)
{
    struct response response;

    begin_response(&response, id, verdict);
    if (sha_id)
        put_result(&response, sha_id, code);
    end_response(&response);
    return process_response(ec, connection, &response);
}

/* Isolation states. */

#define check_url(url, expected) check_url_(__LINE__, url, expected)
static inline void check_url_(int line, const CountedString *url, const char *expected)
{
    WCHAR text[256];

    if (!expected)
    {
        ok_(__BASE_FILE__, line)(!url->string || broken(!*url->string), "Got URL %s.\n", wine_dbgstr_w(url->string));
        ok_(__BASE_FILE__, line)(!url->length, "Got length %u.\n", url->length);
        return;
    }
    MultiByteToWideChar(CP_ACP, 0, expected, -1, text, ARRAY_SIZE(text));
    ok_(__BASE_FILE__, line)(url->string && !lstrcmpW(url->string, text), "Got URL %s, expected %s.\n",
            wine_dbgstr_w(url->string), wine_dbgstr_w(text));
    ok_(__BASE_FILE__, line)(url->length == lstrlenW(text), "Got length %u.\n", url->length);
}

#define check_isolation(info, verdict) check_isolation_(__LINE__, info, verdict)
static inline void check_isolation_(int line, const IsolationInfo *info, const struct verdict *verdict)
{
    ULONGLONG end = verdict->probation_end ? verdict->probation_end : no_probation;

    ok_(__BASE_FILE__, line)(info->isolationState == verdict->state, "Got state %d, expected %d.\n",
            info->isolationState, verdict->state);
    ok_(__BASE_FILE__, line)(get_filetime(&info->probEndTime) == end || broken(!verdict->probation_end),
            "Got probation end %#I64x, expected %#I64x.\n", get_filetime(&info->probEndTime), end);
    check_url_(line, &info->failureUrl, verdict->url);
}

#define check_isolation_ex(info, verdict) check_isolation_ex_(__LINE__, info, verdict)
static inline void check_isolation_ex_(int line, const IsolationInfoEx *info, const struct verdict *verdict)
{
    IsolationInfo plain = {info->isolationState, info->probEndTime, info->failureUrl};

    check_isolation_(line, &plain, verdict);
    ok_(__BASE_FILE__, line)(info->extendedIsolationState == verdict->extended, "Got extended state %d, expected %d.\n",
            info->extendedIsolationState, verdict->extended);
}

/* NULL: there is none yet. */
#define check_connection_isolation(connection, verdict) check_connection_isolation_(__LINE__, connection, verdict)
static inline void check_connection_isolation_(int line, INapEnforcementClientConnection *connection,
        const struct verdict *verdict)
{
    INapEnforcementClientConnection2 *connection2;
    IsolationInfoEx *info_ex = (void *)0xdeadbeef;
    IsolationInfo *info = (void *)0xdeadbeef;
    HRESULT hr;

    hr = INapEnforcementClientConnection_QueryInterface(connection, &IID_INapEnforcementClientConnection2,
            (void **)&connection2);
    ok_(__BASE_FILE__, line)(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = INapEnforcementClientConnection_GetIsolationInfo(connection, &info);
    ok_(__BASE_FILE__, line)(hr == S_OK || broken(!verdict), "Got hr %#lx.\n", hr);
    if (hr == S_OK)
    {
        ok_(__BASE_FILE__, line)(!info == !verdict || broken(!verdict), "Got %p.\n", info);
        if (info && verdict)
            check_isolation_(line, info, verdict);
        pFreeIsolationInfo(info);
    }
    hr = INapEnforcementClientConnection2_GetIsolationInfoEx(connection2, &info_ex);
    ok_(__BASE_FILE__, line)(hr == S_OK || broken(!verdict), "Got hr %#lx.\n", hr);
    if (hr == S_OK)
    {
        ok_(__BASE_FILE__, line)(!info_ex == !verdict || broken(!verdict), "Got %p.\n", info_ex);
        if (info_ex && verdict)
            check_isolation_ex_(line, info_ex, verdict);
        pFreeIsolationInfoEx(info_ex);
    }
    INapEnforcementClientConnection2_Release(connection2);
}

/* The system's, with no enforcement client but the tests' that has a connection. */
#define check_system_isolation(verdict, unknown) check_system_isolation_(__LINE__, verdict, unknown)
static inline void check_system_isolation_(int line, const struct verdict *verdict, BOOL unknown)
{
    IsolationInfoEx *info_ex = (void *)0xdeadbeef;
    IsolationInfo *info = (void *)0xdeadbeef;
    INapClientManagement2 *management2;
    BOOL unknown_connections;
    HRESULT hr;

    unknown_connections = 0xdeadbeef;
    hr = INapClientManagement_GetSystemIsolationInfo(management, &info, &unknown_connections);
    ok_(__BASE_FILE__, line)(hr == S_OK, "Got hr %#lx.\n", hr);
    if (hr == S_OK)
    {
        check_isolation_(line, info, verdict);
        ok_(__BASE_FILE__, line)(unknown_connections == unknown, "Got unknown connections %d.\n", unknown_connections);
        pFreeIsolationInfo(info);
    }
    hr = INapClientManagement_QueryInterface(management, &IID_INapClientManagement2, (void **)&management2);
    ok_(__BASE_FILE__, line)(hr == S_OK, "Got hr %#lx.\n", hr);
    unknown_connections = 0xdeadbeef;
    hr = INapClientManagement2_GetSystemIsolationInfoEx(management2, &info_ex, &unknown_connections);
    ok_(__BASE_FILE__, line)(hr == S_OK, "Got hr %#lx.\n", hr);
    if (hr == S_OK)
    {
        check_isolation_ex_(line, info_ex, verdict);
        ok_(__BASE_FILE__, line)(unknown_connections == unknown, "Got unknown connections %d.\n", unknown_connections);
        pFreeIsolationInfoEx(info_ex);
    }
    INapClientManagement2_Release(management2);
}

#endif /* __WINE_QAGENT_TEST_H */
