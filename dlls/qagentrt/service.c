/*
 * The napagent service
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

#include <stdarg.h>
#include <stdlib.h>

#include "ntstatus.h"
#define WIN32_NO_STATUS
#include "windef.h"
#include "winbase.h"
#include "winsvc.h"
#include "winternl.h"
#include "ole2.h"
#include "naptypes.h"

#include "wine/debug.h"
#include "wine/exception.h"

#include "initguid.h"
#include "qagentrt_private.h"
#include "message.h"

WINE_DEFAULT_DEBUG_CHANNEL(qagentrt);

#define START_TIMEOUT  10000 /* milliseconds */
#define STOP_TIMEOUT   10000
#define CLASS_TIMEOUT  5000
#define PENDING_HINT   30000
#define LOOK_INTERVAL  20

#define MAX_PROCEDURES 64

static SERVICE_STATUS_HANDLE status_handle;
static HANDLE stop_event, class_thread;
static struct machine machine;

static CRITICAL_SECTION agent_cs;
static CRITICAL_SECTION_DEBUG agent_cs_debug =
{
    0, 0, &agent_cs,
    { &agent_cs_debug.ProcessLocksList, &agent_cs_debug.ProcessLocksList },
    0, 0, { (DWORD_PTR)(__FILE__ ": agent_cs") }
};
static CRITICAL_SECTION agent_cs = { &agent_cs_debug, -1, 0, 0, 0, 0 };

/* The calls of the napagent interface that are being served */
static BOOL serving;
static UINT call_count;
static CONDITION_VARIABLE calls_ended = CONDITION_VARIABLE_INIT;

static RPC_DISPATCH_FUNCTION dispatch_functions[MAX_PROCEDURES];
static RPC_DISPATCH_TABLE dispatch_table = { MAX_PROCEDURES, dispatch_functions };
static RPC_SERVER_INTERFACE server_interface;

void * __RPC_USER MIDL_user_allocate(SIZE_T size)
{
    return malloc(size);
}

void __RPC_USER MIDL_user_free(void *ptr)
{
    free(ptr);
}

void agent_lock(void)
{
    EnterCriticalSection(&agent_cs);
}

void agent_unlock(void)
{
    LeaveCriticalSection(&agent_cs);
}

BOOL agent_wait(CONDITION_VARIABLE *variable, DWORD timeout)
{
    return SleepConditionVariableCS(variable, &agent_cs, timeout);
}

const struct machine *get_machine(void)
{
    return &machine;
}

static void machine_init(void)
{
    RTL_OSVERSIONINFOEXW version = { sizeof(version) };
    WCHAR name[MAX_MACHINE_NAME + 1];
    DWORD length = ARRAY_SIZE(name);
    SYSTEM_INFO info;

    RtlGetVersion(&version);
    GetNativeSystemInfo(&info);

    machine.os_major = version.dwMajorVersion;
    machine.os_minor = version.dwMinorVersion;
    machine.os_build = version.dwBuildNumber;
    machine.sp_major = version.wServicePackMajor;
    machine.sp_minor = version.wServicePackMinor;
    machine.architecture = info.wProcessorArchitecture;
    machine.product_type = version.wProductType;

    if (!GetComputerNameExW(ComputerNameDnsFullyQualified, name, &length))
    {
        length = ARRAY_SIZE(name);
        if (!GetComputerNameW(name, &length)) name[0] = 0;
    }
    if (!WideCharToMultiByte(CP_ACP, 0, name, -1, machine.name, sizeof(machine.name), NULL, NULL))
        machine.name[0] = 0;

    TRACE("version %u.%u.%u, service pack %u.%u, architecture %u, product type %u, name %s.\n", machine.os_major,
            machine.os_minor, machine.os_build, machine.sp_major, machine.sp_minor, machine.architecture,
            machine.product_type, debugstr_a(machine.name));
}

/* The token is that of the caller's process, as a pipe of Wine impersonates its own server. */
static HANDLE get_caller_token(void)
{
    HANDLE process, process_token, token = NULL;
    ULONG pid;

    if (I_RpcBindingInqLocalClientPID(NULL, &pid)) return NULL;
    if (!(process = OpenProcess(PROCESS_QUERY_INFORMATION, FALSE, pid))) return NULL;
    if (OpenProcessToken(process, TOKEN_QUERY | TOKEN_DUPLICATE, &process_token))
    {
        DuplicateToken(process_token, SecurityIdentification, &token);
        CloseHandle(process_token);
    }
    CloseHandle(process);
    return token;
}

BOOL caller_is_administrator(void)
{
    BYTE administrators[SECURITY_MAX_SID_SIZE];
    DWORD size = sizeof(administrators);
    BOOL ret = FALSE;
    HANDLE token;

    if (!CreateWellKnownSid(WinBuiltinAdministratorsSid, NULL, administrators, &size)) return FALSE;
    if (!(token = get_caller_token()))
    {
        WARN("No token, error %lu.\n", GetLastError());
        return FALSE;
    }
    if (!CheckTokenMembership(token, administrators, &ret)) ret = FALSE;
    CloseHandle(token);
    return ret;
}

static void CALLBACK end_call(BOOL normal)
{
    agent_lock();
    if (!--call_count) WakeAllConditionVariable(&calls_ended);
    agent_unlock();
}

/* Every call of the interface comes through here, since RpcServerUnregisterIf() can't be trusted to wait for the last
 * one: Wine's misses a call that ends while it is about to wait, and then waits forever. */
static void __RPC_STUB dispatch(RPC_MESSAGE *message)
{
    const RPC_DISPATCH_TABLE *table = ((RPC_SERVER_INTERFACE *)napagent_v1_0_s_ifspec)->DispatchTable;
    BOOL served;

    if (message->ProcNum >= table->DispatchTableCount) RpcRaiseException(RPC_S_PROCNUM_OUT_OF_RANGE);

    agent_lock();
    if ((served = serving)) call_count++;
    agent_unlock();
    if (!served) RpcRaiseException(RPC_S_SERVER_UNAVAILABLE);

    __TRY
    {
        table->DispatchTable[message->ProcNum](message);
    }
    __FINALLY(end_call)
}

static BOOL endpoint_is_served(void)
{
    RPC_BINDING_HANDLE binding;
    RPC_WSTR string;
    BOOL ret;

    if (RpcStringBindingComposeW(NULL, (RPC_WSTR)NAPAGENT_PROTSEQ, NULL, (RPC_WSTR)NAPAGENT_ENDPOINT, NULL, &string))
        return FALSE;
    ret = !RpcBindingFromStringBindingW(string, &binding);
    RpcStringFreeW(&string);
    if (!ret) return FALSE;

    ret = RpcMgmtIsServerListening(binding) == RPC_S_OK;
    RpcBindingFree(&binding);
    return ret;
}

/* An endpoint lives as long as its process, and a stopped service's process a little longer than the service. */
static RPC_STATUS use_endpoint(void)
{
    static BOOL used;
    RPC_STATUS status;
    UINT waited;

    if (used) return RPC_S_OK;

    for (waited = 0; endpoint_is_served(); waited += LOOK_INTERVAL)
    {
        if (waited >= START_TIMEOUT) return RPC_S_DUPLICATE_ENDPOINT;
        Sleep(LOOK_INTERVAL);
    }
    if (!(status = RpcServerUseProtseqEpW((RPC_WSTR)NAPAGENT_PROTSEQ, RPC_C_PROTSEQ_MAX_REQS_DEFAULT,
            (RPC_WSTR)NAPAGENT_ENDPOINT, NULL)))
        used = TRUE;
    return status;
}

static RPC_STATUS start_serving(void)
{
    RPC_STATUS status;
    UINT i;

    if ((status = use_endpoint())) return status;

    for (i = 0; i < MAX_PROCEDURES; i++) dispatch_functions[i] = dispatch;
    server_interface = *(RPC_SERVER_INTERFACE *)napagent_v1_0_s_ifspec;
    server_interface.DispatchTable = &dispatch_table;

    if ((status = RpcServerRegisterIfEx(&server_interface, NULL, NULL, RPC_IF_AUTOLISTEN | RPC_IF_ALLOW_LOCAL_ONLY,
            RPC_C_LISTEN_MAX_CALLS_DEFAULT, NULL)))
        return status;

    agent_lock();
    serving = TRUE;
    agent_unlock();
    return RPC_S_OK;
}

static void stop_serving(void)
{
    agent_lock();
    serving = FALSE;
    agent_unlock();
    RpcServerUnregisterIf(&server_interface, NULL, FALSE);
}

static void wait_for_calls(void)
{
    ULONGLONG end = GetTickCount64() + STOP_TIMEOUT, now;

    agent_lock();
    while (call_count && (now = GetTickCount64()) < end)
        agent_wait(&calls_ended, end - now);
    if (call_count) ERR("%u calls don't end.\n", call_count);
    agent_unlock();
}

static HRESULT WINAPI class_object_QueryInterface(IClassFactory *iface, REFIID iid, void **out)
{
    TRACE("iface %p, iid %s, out %p.\n", iface, debugstr_guid(iid), out);

    if (IsEqualGUID(iid, &IID_IUnknown) || IsEqualGUID(iid, &IID_IClassFactory))
    {
        IClassFactory_AddRef(iface);
        *out = iface;
        return S_OK;
    }

    WARN("%s not implemented.\n", debugstr_guid(iid));
    *out = NULL;
    return E_NOINTERFACE;
}

static ULONG WINAPI class_object_AddRef(IClassFactory *iface)
{
    return 2;
}

static ULONG WINAPI class_object_Release(IClassFactory *iface)
{
    return 1;
}

/* Whoever creates this class wants the service started, so any object will do. */
static HRESULT WINAPI class_object_CreateInstance(IClassFactory *iface, IUnknown *outer, REFIID iid, void **out)
{
    TRACE("iface %p, outer %p, iid %s, out %p.\n", iface, outer, debugstr_guid(iid), out);

    *out = NULL;
    if (outer) return CLASS_E_NOAGGREGATION;
    return IClassFactory_QueryInterface(iface, iid, out);
}

static HRESULT WINAPI class_object_LockServer(IClassFactory *iface, BOOL lock)
{
    TRACE("iface %p, lock %d.\n", iface, lock);

    return S_OK;
}

static const IClassFactoryVtbl class_object_vtbl =
{
    class_object_QueryInterface,
    class_object_AddRef,
    class_object_Release,
    class_object_CreateInstance,
    class_object_LockServer,
};

static IClassFactory class_object = { &class_object_vtbl };

/* COM has a thread of its own: it may start a service for itself first, while the service manager waits for this one,
 * and Wine's may get stuck as it ends. */
static DWORD WINAPI serve_class(void *arg)
{
    DWORD cookie;
    HRESULT hr;

    if (FAILED(hr = CoInitializeEx(NULL, COINIT_MULTITHREADED)))
    {
        ERR("Failed to initialize COM, hr %#lx.\n", hr);
        return 0;
    }
    if (SUCCEEDED(hr = CoRegisterClassObject(&CLSID_NapAgent, (IUnknown *)&class_object, CLSCTX_LOCAL_SERVER,
            REGCLS_MULTIPLEUSE, &cookie)))
    {
        WaitForSingleObject(stop_event, INFINITE);
        CoRevokeClassObject(cookie);
    }
    else ERR("Failed to register the class object, hr %#lx.\n", hr);
    CoUninitialize();
    return 0;
}

static void wait_for_class(void)
{
    if (!class_thread) return;
    if (WaitForSingleObject(class_thread, CLASS_TIMEOUT)) ERR("COM doesn't end.\n");
    CloseHandle(class_thread);
    class_thread = NULL;
}

static void set_state(DWORD state, DWORD error)
{
    SERVICE_STATUS status = { SERVICE_WIN32_SHARE_PROCESS };

    TRACE("state %lu, error %lu.\n", state, error);

    status.dwCurrentState = state;
    status.dwWin32ExitCode = error;
    if (state == SERVICE_RUNNING) status.dwControlsAccepted = SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN;
    else if (state != SERVICE_STOPPED) status.dwWaitHint = PENDING_HINT;
    if (!SetServiceStatus(status_handle, &status)) ERR("Failed to set the status, error %lu.\n", GetLastError());
}

static DWORD WINAPI control_handler(DWORD control, DWORD event_type, void *event_data, void *context)
{
    TRACE("control %lu, event_type %#lx, event_data %p, context %p.\n", control, event_type, event_data, context);

    switch (control)
    {
    case SERVICE_CONTROL_STOP:
    case SERVICE_CONTROL_SHUTDOWN:
        set_state(SERVICE_STOP_PENDING, NO_ERROR);
        SetEvent(stop_event);
        return NO_ERROR;

    case SERVICE_CONTROL_INTERROGATE:
        return NO_ERROR;

    default:
        return ERROR_CALL_NOT_IMPLEMENTED;
    }
}

static DWORD run_agent(void)
{
    DWORD error;
    BOOL ret;

    machine_init();

    agent_lock();
    ret = registration_load();
    agent_unlock();
    if (!ret) return ERROR_NOT_ENOUGH_SERVER_MEMORY;

    if (!client_start()) error = ERROR_NOT_ENOUGH_SERVER_MEMORY;
    else
    {
        if (!(error = start_serving()))
        {
            class_thread = CreateThread(NULL, 0, serve_class, NULL, 0, NULL);
            set_state(SERVICE_RUNNING, NO_ERROR);
            report_event(EVENT_SERVICE_STARTED, NULL);
            WaitForSingleObject(stop_event, INFINITE);
            stop_serving();
        }
        client_stop();
        wait_for_calls();
        wait_for_class();
    }

    agent_lock();
    registration_unload();
    agent_unlock();
    return error;
}

void WINAPI ServiceMain(DWORD argc, WCHAR **argv)
{
    DWORD error;

    TRACE("argc %lu, argv %p.\n", argc, argv);

    if (!stop_event) stop_event = CreateEventW(NULL, TRUE, FALSE, NULL);
    else ResetEvent(stop_event);
    if (!stop_event || !(status_handle = RegisterServiceCtrlHandlerExW(NAPAGENT_SERVICE, control_handler, NULL)))
    {
        ERR("Failed to register, error %lu.\n", GetLastError());
        return;
    }

    set_state(SERVICE_START_PENDING, NO_ERROR);
    if ((error = run_agent())) ERR("Failed to start, error %lu.\n", error);
    set_state(SERVICE_STOPPED, error);
}
