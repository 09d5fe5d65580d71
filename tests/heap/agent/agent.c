/*
 * Lets each of the agent's requests for memory fail, in the service and in its clients, which are one process here
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
#include <stdio.h>

#include "windef.h"
#include "winbase.h"
#include "winsvc.h"
#include "objbase.h"
#include "rpc.h"

#include "wine/exception.h"

#include "../../faults/clients.h"
#include "../heap_hooks.h"
#include "napagent.h"

#define UNTOUCHED ((void *)0xdeadbeef)

#define TIMEOUT 10000   /* milliseconds */
#define QUIET_TIME 40   /* that nothing is asked for, when all is done */
#define EXCHANGES 200
#define MAX_EXCHANGES 10 /* until all threads have let go of what was theirs before a failure */
#define MAX_REQUESTS 500 /* of one step */

#define SHA_COUNT 2
#define OTHER 5 /* the number of a component that comes and goes */

static HMODULE qagent, qagentrt;
static INapClientManagement2 *management;
static struct sha shas[SHA_COUNT], other_sha;
static struct ec ec, other_ec;
static volatile LONG responses;

/* ---- the agent's own interface ---- */

void * __RPC_USER MIDL_user_allocate(SIZE_T size)
{
    return CoTaskMemAlloc(size);
}

void __RPC_USER MIDL_user_free(void *ptr)
{
    CoTaskMemFree(ptr);
}

static LONG CALLBACK rpc_filter(EXCEPTION_POINTERS *pointers)
{
    return I_RpcExceptionFilter(pointers->ExceptionRecord->ExceptionCode);
}

static RPC_BINDING_HANDLE agent;

#define AGENT_CALL(hr, call) \
    do \
    { \
        __TRY \
        { \
            hr = call; \
        } \
        __EXCEPT(rpc_filter) \
        { \
            hr = HRESULT_FROM_WIN32(GetExceptionCode()); \
        } \
        __ENDTRY \
    } while (0)

static BOOL open_agent(void)
{
    WCHAR protseq[] = NAPAGENT_PROTSEQ, endpoint[] = NAPAGENT_ENDPOINT, option[] = L"n=test";
    RPC_WSTR string;

    /* An option of its own, so that it shares no connection with qagent.dll. */
    if (RpcStringBindingComposeW(NULL, protseq, NULL, endpoint, option, &string))
        return FALSE;
    if (RpcBindingFromStringBindingW(string, &agent))
        agent = NULL;
    RpcStringFreeW(&string);
    return !!agent;
}

static unsigned int count_bound(napagent_kind kind)
{
    napagent_component_state *states = NULL;
    unsigned int bound = 0;
    UINT32 count = 0, i;
    HRESULT hr;

    AGENT_CALL(hr, napagent_get_component_states(agent, kind, &count, &states));
    for (i = 0; hr == S_OK && i < count; ++i)
        bound += !!states[i].bound;
    CoTaskMemFree(states);
    return bound;
}

/* ---- the service, in this process ---- */

static LPHANDLER_FUNCTION_EX control_handler;
static void *control_context;
static volatile LONG service_state = SERVICE_STOPPED;
static HANDLE service_thread;
static void (WINAPI *pServiceMain)(DWORD, WCHAR **);

static SERVICE_STATUS_HANDLE WINAPI hook_RegisterServiceCtrlHandlerExW(const WCHAR *name, LPHANDLER_FUNCTION_EX handler,
        void *context)
{
    control_handler = handler;
    control_context = context;
    return (SERVICE_STATUS_HANDLE)&service_state;
}

static BOOL WINAPI hook_SetServiceStatus(SERVICE_STATUS_HANDLE handle, SERVICE_STATUS *status)
{
    InterlockedExchange(&service_state, status->dwCurrentState);
    return TRUE;
}

static DWORD WINAPI run_service(void *arg)
{
    pServiceMain(0, NULL);
    return 0;
}

/* Returns once it's running or doesn't. */
static HRESULT start_service(void)
{
    InterlockedExchange(&service_state, SERVICE_START_PENDING);
    service_thread = CreateThread(NULL, 0, run_service, NULL, 0, NULL);
    while (service_state != SERVICE_RUNNING && WaitForSingleObject(service_thread, 1) == WAIT_TIMEOUT) /* nothing */;
    if (service_state == SERVICE_RUNNING)
        return S_OK;
    CloseHandle(service_thread);
    service_thread = NULL;
    return E_OUTOFMEMORY;
}

static void stop_service(void)
{
    DWORD wait;

    if (!service_thread)
        return;
    control_handler(SERVICE_CONTROL_STOP, 0, NULL, control_context);
    wait = WaitForSingleObject(service_thread, 2 * TIMEOUT);
    ok(!wait, "The service doesn't stop.\n");
    ok(service_state == SERVICE_STOPPED, "Got state %ld.\n", service_state);
    CloseHandle(service_thread);
    service_thread = NULL;
}

/* The real one is in the way. */
static void stop_real_service(void)
{
    SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT), service;
    SERVICE_STATUS status;
    unsigned int i;

    if (!(service = OpenServiceW(manager, NAPAGENT_SERVICE, SERVICE_STOP | SERVICE_QUERY_STATUS)))
        trace("There is no service to stop, error %lu.\n", GetLastError());
    else if (ControlService(service, SERVICE_CONTROL_STOP, &status))
    {
        for (i = 0; i < TIMEOUT / 20 && QueryServiceStatus(service, &status)
                && status.dwCurrentState != SERVICE_STOPPED; ++i)
            Sleep(20);
    }
    CloseServiceHandle(service);
    CloseServiceHandle(manager);
}

/* ---- what it takes between two steps ---- */

static void wait_until_quiet(void)
{
    unsigned int requests, quiet;

    for (quiet = 0; quiet < QUIET_TIME / 10; ++quiet)
    {
        requests = request_count + spy_allocs();
        Sleep(10);
        if (requests != request_count + spy_allocs())
            quiet = 0;
    }
}

/* A client that couldn't go on binds again. */
static void wait_until_bound(void)
{
    DWORD start = GetTickCount();
    unsigned int bound_shas, bound_ecs;

    while (((bound_shas = count_bound(NAPAGENT_SHA)) < SHA_COUNT || !(bound_ecs = count_bound(NAPAGENT_EC)))
            && GetTickCount() - start < TIMEOUT)
        Sleep(20);
    ok(bound_shas == SHA_COUNT && bound_ecs == 1, "Got %u SHAs and %u ECs.\n", bound_shas, bound_ecs);
}

/* The number of SHAs whose SoH is in the request, unless another was written on an SHA's behalf */
static unsigned int request_and_respond(void)
{
    INapEnforcementClientConnection *connection = ec.connections[0];
    struct request request;
    unsigned int i, own = 0;
    HRESULT hr;
    BOOL hint;

    /* The EC's thread may have told the agent that it's bound, and not yet the EC. */
    if ((hr = INapEnforcementClientBinding_GetSoHRequest(ec.binding, connection, &hint)) == RPC_E_DISCONNECTED)
        return 0;
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = ec_respond(connection, isolationStateNotRestricted, &request);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    for (i = 0; i < request.count; ++i)
        own += request.entries[i].process == GetCurrentProcessId();
    return own;
}

/* Each client is called at least once. */
static void exchange(void)
{
    INapEnforcementClientConnection *connection = ec.connections[0];
    LONG responses_before = responses, changes_before = ec.changes;
    DWORD start = GetTickCount();
    unsigned int own;
    HRESULT hr;

    /* An SHA that couldn't go on takes itself for bound no longer, but the agent doesn't know yet. */
    while ((own = request_and_respond()) < SHA_COUNT && GetTickCount() - start < TIMEOUT)
        Sleep(10);
    ok(own == SHA_COUNT, "Got %u SoHs of the SHAs.\n", own);
    hr = INapEnforcementClientBinding_ProcessSoHResponse(ec.binding, connection);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    while (responses - responses_before < SHA_COUNT && GetTickCount() - start < TIMEOUT)
        Sleep(1);
    ok(responses - responses_before == SHA_COUNT, "Got %ld responses.\n", responses - responses_before);

    while ((hr = INapSystemHealthAgentBinding_NotifySoHChange(shas[0].binding)) == RPC_E_DISCONNECTED
            && GetTickCount() - start < TIMEOUT)
        Sleep(10);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    while (ec.changes == changes_before && GetTickCount() - start < TIMEOUT)
        Sleep(1);
    ok(ec.changes != changes_before, "The EC wasn't told of a change.\n");
}

struct counts
{
    unsigned int heap, task;
};

static struct counts get_counts(void)
{
    struct counts counts;

    wait_until_quiet();
    counts.heap = block_count;
    counts.task = spy_blocks();
    return counts;
}

/* Exchanges with nothing failing. What is kept from one to the next ends up being as much as it was. */
static void check_recovery(struct counts *expected)
{
    struct counts counts;
    unsigned int i = 0;

    wait_until_bound();
    do
    {
        exchange();
        counts = get_counts();
    } while (memcmp(&counts, expected, sizeof(counts)) && ++i < MAX_EXCHANGES);
    ok(counts.heap == expected->heap, "Got %u blocks of the C heap, expected %u.\n", counts.heap, expected->heap);
    ok(counts.task == expected->task, "Got %u CoTaskMem blocks, expected %u.\n", counts.task, expected->task);
    *expected = counts;
}

struct step
{
    const char *name;
    HRESULT (*run)(void);
    void (*before)(void);
    void (*after)(HRESULT hr);
    BOOL robust; /* it may succeed with a part missing that's made up for */
};

/* Lets the first request of the step fail, then, in another go, the second one and so on, until none is left. */
static void check_step(const struct step *step)
{
    struct counts counts;
    unsigned int n, survived = 0;
    BOOL failed = TRUE;
    HRESULT hr;

    winetest_push_context("%s", step->name);
    wait_until_bound();
    exchange();
    counts = get_counts();
    for (n = 0; failed && n < MAX_REQUESTS; ++n)
    {
        winetest_push_context("request %u", n + 1);
        if (step->before)
            step->before();
        wait_until_quiet();
        spy_fail_at(n);
        hr = step->run();
        wait_until_quiet();
        failed = spy_countdown < 0;
        spy_fail_at(-1);
        if (!failed)
            ok(hr == S_OK, "Got hr %#lx.\n", hr);
        else if (!step->robust || hr != S_OK)
            ok(hr == E_OUTOFMEMORY, "Got hr %#lx.\n", hr);
        survived += failed && hr == S_OK;
        if (step->after)
            step->after(hr);
        check_recovery(&counts);
        winetest_pop_context();
    }
    trace("%u requests, %u of them not needed.\n", n - 1, survived);
    winetest_pop_context();
}

/* ---- the steps: management ---- */

/* What a call hasn't succeeded with isn't there to be freed. */
#define check_out(hr, out) check_out_(__LINE__, hr, out)
static void *check_out_(int line, HRESULT hr, void *out)
{
    ok_(__FILE__, line)(out != UNTOUCHED, "The out pointer is untouched.\n");
    ok_(__FILE__, line)(hr == S_OK || !out, "Got %p with hr %#lx.\n", out, hr);
    return hr == S_OK ? out : NULL;
}

static HRESULT run_GetNapClientInfo(void)
{
    CountedString *name = UNTOUCHED, *description = UNTOUCHED, *version = UNTOUCHED;
    BOOL enabled;
    HRESULT hr;

    hr = INapClientManagement2_GetNapClientInfo(management, &enabled, &name, &description, &version);
    FreeCountedString(check_out(hr, name));
    FreeCountedString(check_out(hr, description));
    FreeCountedString(check_out(hr, version));
    return hr;
}

static HRESULT run_GetSystemIsolationInfo(void)
{
    IsolationInfo *info = UNTOUCHED;
    BOOL unknown;
    HRESULT hr;

    hr = INapClientManagement2_GetSystemIsolationInfo(management, &info, &unknown);
    FreeIsolationInfo(check_out(hr, info));
    return hr;
}

static HRESULT run_GetSystemIsolationInfoEx(void)
{
    IsolationInfoEx *info = UNTOUCHED;
    BOOL unknown;
    HRESULT hr;

    hr = INapClientManagement2_GetSystemIsolationInfoEx(management, &info, &unknown);
    FreeIsolationInfoEx(check_out(hr, info));
    return hr;
}

static HRESULT run_GetRegisteredSystemHealthAgents(void)
{
    NapComponentRegistrationInfo *infos = UNTOUCHED;
    SystemHealthEntityCount count;
    HRESULT hr;

    hr = INapClientManagement2_GetRegisteredSystemHealthAgents(management, &count, &infos);
    infos = check_out(hr, infos);
    FreeNapComponentRegistrationInfoArray(count, &infos);
    return hr;
}

static HRESULT run_GetRegisteredEnforcementClients(void)
{
    NapComponentRegistrationInfo *infos = UNTOUCHED;
    EnforcementEntityCount count;
    HRESULT hr;

    hr = INapClientManagement2_GetRegisteredEnforcementClients(management, &count, &infos);
    infos = check_out(hr, infos);
    FreeNapComponentRegistrationInfoArray(count, &infos);
    return hr;
}

static HRESULT register_sha(unsigned int number)
{
    NapComponentRegistrationInfo info;

    get_registration_info(&info, ENTITY_ID(number));
    return INapClientManagement2_RegisterSystemHealthAgent(management, &info);
}

static HRESULT register_ec(unsigned int number)
{
    NapComponentRegistrationInfo info;

    get_registration_info(&info, ENTITY_ID(number));
    return INapClientManagement2_RegisterEnforcementClient(management, &info);
}

static HRESULT enable_ec(unsigned int number)
{
    HRESULT hr;

    AGENT_CALL(hr, napagent_enable(agent, ENTITY_ID(number), TRUE));
    return hr;
}

static HRESULT run_RegisterSystemHealthAgent(void)
{
    return register_sha(OTHER);
}

static HRESULT run_UnregisterSystemHealthAgent(void)
{
    return INapClientManagement2_UnregisterSystemHealthAgent(management, ENTITY_ID(OTHER));
}

static HRESULT run_RegisterEnforcementClient(void)
{
    return register_ec(OTHER);
}

static HRESULT run_UnregisterEnforcementClient(void)
{
    return INapClientManagement2_UnregisterEnforcementClient(management, ENTITY_ID(OTHER));
}

static void before_UnregisterSystemHealthAgent(void)
{
    HRESULT hr = register_sha(OTHER);

    ok(hr == S_OK, "Got hr %#lx.\n", hr);
}

static void before_UnregisterEnforcementClient(void)
{
    HRESULT hr = register_ec(OTHER);

    ok(hr == S_OK, "Got hr %#lx.\n", hr);
}

/* What failed has left nothing behind, and what didn't is there. */
static void after_RegisterSystemHealthAgent(HRESULT hr)
{
    HRESULT expected = hr == S_OK ? S_OK : NAP_E_NOT_REGISTERED;

    hr = run_UnregisterSystemHealthAgent();
    ok(hr == expected, "Got hr %#lx, expected %#lx.\n", hr, expected);
}

static void after_RegisterEnforcementClient(HRESULT hr)
{
    HRESULT expected = hr == S_OK ? S_OK : NAP_E_NOT_REGISTERED;

    hr = run_UnregisterEnforcementClient();
    ok(hr == expected, "Got hr %#lx, expected %#lx.\n", hr, expected);
}

static void after_UnregisterSystemHealthAgent(HRESULT hr)
{
    after_RegisterSystemHealthAgent(hr == S_OK ? NAP_E_NOT_REGISTERED : S_OK);
}

static void after_UnregisterEnforcementClient(HRESULT hr)
{
    after_RegisterEnforcementClient(hr == S_OK ? NAP_E_NOT_REGISTERED : S_OK);
}

static HRESULT run_enable(void)
{
    return enable_ec(OTHER);
}

static void after_enable(HRESULT hr)
{
    after_RegisterEnforcementClient(S_OK);
}

static HRESULT run_get_component_states(void)
{
    napagent_component_state *states = NULL;
    UINT32 count;
    HRESULT hr;

    AGENT_CALL(hr, napagent_get_component_states(agent, NAPAGENT_SHA, &count, &states));
    CoTaskMemFree(states);
    return hr;
}

static HRESULT run_get_connection_states(void)
{
    napagent_connection_state *states = NULL;
    UINT32 count;
    HRESULT hr;

    AGENT_CALL(hr, napagent_get_connection_states(agent, &count, &states));
    CoTaskMemFree(states);
    return hr;
}

/* ---- the steps: SHAs ---- */

static HRESULT get_class(const CLSID *clsid, const IID *iid, void **out)
{
    HRESULT (WINAPI *get_class_object)(REFCLSID, REFIID, void **) = (void *)GetProcAddress(qagent, "DllGetClassObject");
    IClassFactory *factory;
    HRESULT hr;

    *out = NULL;
    if (FAILED(hr = get_class_object(clsid, &IID_IClassFactory, (void **)&factory)))
        return hr;
    hr = IClassFactory_CreateInstance(factory, NULL, iid, out);
    IClassFactory_Release(factory);
    return hr;
}

static HRESULT run_create_sha(void)
{
    IUnknown *unknown = UNTOUCHED;
    HRESULT hr;

    hr = get_class(&CLSID_NapSystemHealthAgentBinding, &IID_INapSystemHealthAgentBinding, (void **)&unknown);
    if (check_out(hr, unknown))
        IUnknown_Release(unknown);
    return hr;
}

static HRESULT run_create_ec(void)
{
    IUnknown *unknown = UNTOUCHED;
    HRESULT hr;

    hr = get_class(&CLSID_NapEnforcementClientBinding, &IID_INapEnforcementClientBinding, (void **)&unknown);
    if (check_out(hr, unknown))
        IUnknown_Release(unknown);
    return hr;
}

static HRESULT run_create_management(void)
{
    IUnknown *unknown = UNTOUCHED;
    HRESULT hr;

    hr = get_class(&CLSID_NapClientManagement, &IID_INapClientManagement2, (void **)&unknown);
    if (check_out(hr, unknown))
        IUnknown_Release(unknown);
    return hr;
}

static void before_bind_sha(void)
{
    HRESULT hr;

    before_UnregisterSystemHealthAgent();
    hr = sha_create(&other_sha, ENTITY_ID(OTHER));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
}

static HRESULT run_bind_sha(void)
{
    return sha_bind(&other_sha);
}

static void after_bind_sha(HRESULT hr)
{
    HRESULT expected = hr == S_OK ? S_OK : NAP_E_NOT_INITIALIZED;

    hr = INapSystemHealthAgentBinding_Uninitialize(other_sha.binding);
    ok(hr == expected, "Got hr %#lx, expected %#lx.\n", hr, expected);
    INapSystemHealthAgentBinding_Release(other_sha.binding);
    ok(other_sha.refcount == 1, "Got %ld references.\n", other_sha.refcount);
    after_RegisterSystemHealthAgent(S_OK);
}

static void before_unbind_sha(void)
{
    HRESULT hr;

    before_bind_sha();
    hr = sha_bind(&other_sha);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
}

static HRESULT run_unbind_sha(void)
{
    return INapSystemHealthAgentBinding_Uninitialize(other_sha.binding);
}

static void after_unbind_sha(HRESULT hr)
{
    after_bind_sha(hr == S_OK ? NAP_E_NOT_INITIALIZED : S_OK);
}

static HRESULT run_NotifySoHChange(void)
{
    return INapSystemHealthAgentBinding_NotifySoHChange(shas[0].binding);
}

static HRESULT run_FlushCache(void)
{
    return INapSystemHealthAgentBinding_FlushCache(shas[0].binding);
}

static HRESULT run_sha_GetSystemIsolationInfo(void)
{
    IsolationInfo *info = UNTOUCHED;
    BOOL unknown;
    HRESULT hr;

    hr = INapSystemHealthAgentBinding_GetSystemIsolationInfo(shas[0].binding, &info, &unknown);
    FreeIsolationInfo(check_out(hr, info));
    return hr;
}

/* ---- the steps: ECs ---- */

static void before_bind_ec(void)
{
    HRESULT hr;

    before_UnregisterEnforcementClient();
    hr = enable_ec(OTHER);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = ec_create(&other_ec, ENTITY_ID(OTHER));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
}

static HRESULT run_bind_ec(void)
{
    return ec_bind(&other_ec);
}

static void after_bind_ec(HRESULT hr)
{
    HRESULT expected = hr == S_OK ? S_OK : NAP_E_NOT_INITIALIZED;

    hr = INapEnforcementClientBinding_Uninitialize(other_ec.binding);
    ok(hr == expected, "Got hr %#lx, expected %#lx.\n", hr, expected);
    INapEnforcementClientBinding_Release(other_ec.binding);
    ok(other_ec.refcount == 1, "Got %ld references.\n", other_ec.refcount);
    after_RegisterEnforcementClient(S_OK);
}

static void before_unbind_ec(void)
{
    HRESULT hr;

    before_bind_ec();
    hr = ec_bind(&other_ec);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
}

static HRESULT run_unbind_ec(void)
{
    return INapEnforcementClientBinding_Uninitialize(other_ec.binding);
}

static void after_unbind_ec(HRESULT hr)
{
    after_bind_ec(hr == S_OK ? NAP_E_NOT_INITIALIZED : S_OK);
}

static HRESULT run_connect(void)
{
    return ec_connect(&ec);
}

static void after_connect(HRESULT hr)
{
    if (hr != S_OK)
        return;
    hr = ec_disconnect(&ec);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
}

static void before_disconnect(void)
{
    HRESULT hr = ec_connect(&ec);

    ok(hr == S_OK, "Got hr %#lx.\n", hr);
}

static HRESULT run_disconnect(void)
{
    return ec_disconnect(&ec);
}

static unsigned int errors[3]; /* E_OUTOFMEMORY, NAP_E_NOT_INITIALIZED, and that a call failed */

static HRESULT run_GetSoHRequest(void)
{
    BOOL hint;

    return INapEnforcementClientBinding_GetSoHRequest(ec.binding, ec.connections[0], &hint);
}

/* Of an SHA whose SoH couldn't be had there is one that says so. */
static void after_GetSoHRequest(HRESULT hr)
{
    NetworkSoHRequest *soh;
    struct request request;
    const struct entry *entry;
    unsigned int i, count = 0;

    if (hr != S_OK)
        return;
    hr = INapEnforcementClientConnection_GetSoHRequest(ec.connections[0], &soh);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(read_request(soh, &request), "The request can't be read.\n");
    FreeNetworkSoH(soh);
    for (i = 0; i < request.count; ++i)
    {
        entry = &request.entries[i];
        if (entry->id - ENTITY_ID(0) >= SHA_COUNT)
            continue;
        ++count;
        if (entry->process)
            continue;
        ok(entry->error == E_OUTOFMEMORY || entry->error == NAP_E_NOT_INITIALIZED
                || entry->error == HRESULT_FROM_WIN32(RPC_S_CALL_FAILED), "Got error %#lx.\n", entry->error);
        ++errors[entry->error == E_OUTOFMEMORY ? 0 : entry->error == NAP_E_NOT_INITIALIZED ? 1 : 2];
    }
    ok(count == SHA_COUNT, "Got %u SoHs.\n", count);
}

static void before_ProcessSoHResponse(void)
{
    struct request request;
    HRESULT hr;

    hr = run_GetSoHRequest();
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = ec_respond(ec.connections[0], isolationStateRestrictedAccess, &request);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
}

static HRESULT run_ProcessSoHResponse(void)
{
    return INapEnforcementClientBinding_ProcessSoHResponse(ec.binding, ec.connections[0]);
}

static HRESULT run_NotifySoHChangeFailure(void)
{
    return INapEnforcementClientBinding_NotifySoHChangeFailure(ec.binding);
}

/* Everything that a connection holds, set and got */
static HRESULT run_connection(void)
{
    static BYTE bytes[20];
    NetworkSoHRequest request = {sizeof(bytes), bytes}, *got_request = NULL;
    IsolationInfoEx info = {isolationStateNotRestricted}, *got_info = NULL;
    PrivateData data = {sizeof(bytes), bytes}, *got_data = NULL;
    SystemHealthEntityId shvs[] = {1, 2, 3}, *got_shvs = NULL;
    INapEnforcementClientConnection2 *connection;
    StringCorrelationId *string = NULL;
    SystemHealthEntityCount count;
    ConnectionId *id = NULL;
    HRESULT hr;

    set_string(&info.failureUrl, L"http://www.winehq.org/");
    INapEnforcementClientConnection_QueryInterface(other_ec.connections[0], &IID_INapEnforcementClientConnection2,
            (void **)&connection);
    if (SUCCEEDED(hr = INapEnforcementClientConnection2_SetEnforcerPrivateData(connection, &data)))
        hr = INapEnforcementClientConnection2_GetEnforcerPrivateData(connection, &got_data);
    if (SUCCEEDED(hr))
        hr = INapEnforcementClientConnection2_SetSoHResponse(connection, &request);
    if (SUCCEEDED(hr))
        hr = INapEnforcementClientConnection2_GetSoHResponse(connection, &got_request);
    if (SUCCEEDED(hr))
        hr = INapEnforcementClientConnection2_SetIsolationInfoEx(connection, &info);
    if (SUCCEEDED(hr))
        hr = INapEnforcementClientConnection2_GetIsolationInfoEx(connection, &got_info);
    if (SUCCEEDED(hr))
        hr = INapEnforcementClientConnection2_SetInstalledShvs(connection, ARRAY_SIZE(shvs), shvs);
    if (SUCCEEDED(hr))
        hr = INapEnforcementClientConnection2_GetInstalledShvs(connection, &count, &got_shvs);
    if (SUCCEEDED(hr))
        hr = INapEnforcementClientConnection2_GetStringCorrelationId(connection, &string);
    if (SUCCEEDED(hr))
        hr = INapEnforcementClientConnection2_GetConnectionId(connection, &id);
    FreePrivateData(got_data);
    FreeNetworkSoH(got_request);
    FreeIsolationInfoEx(got_info);
    CoTaskMemFree(got_shvs);
    FreeCountedString(string);
    CoTaskMemFree(id);
    INapEnforcementClientConnection2_Release(connection);
    return hr;
}

static void before_connection(void)
{
    HRESULT hr;

    before_unbind_ec();
    hr = ec_connect(&other_ec);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
}

static void after_connection(HRESULT hr)
{
    hr = ec_disconnect(&other_ec);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    after_bind_ec(S_OK);
}

/* ---- the steps: the service ---- */

static HRESULT run_start(void)
{
    return start_service();
}

static void after_start(HRESULT hr)
{
    if (hr == S_OK)
        return;
    hr = start_service();
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
}

static const struct step steps[] =
{
    {"creating a management object", run_create_management},
    {"creating an SHA's binding", run_create_sha},
    {"creating an EC's binding", run_create_ec},
    {"GetNapClientInfo", run_GetNapClientInfo},
    {"GetSystemIsolationInfo", run_GetSystemIsolationInfo},
    {"GetSystemIsolationInfoEx", run_GetSystemIsolationInfoEx},
    {"GetRegisteredSystemHealthAgents", run_GetRegisteredSystemHealthAgents},
    {"GetRegisteredEnforcementClients", run_GetRegisteredEnforcementClients},
    {"RegisterSystemHealthAgent", run_RegisterSystemHealthAgent, NULL, after_RegisterSystemHealthAgent},
    {"UnregisterSystemHealthAgent", run_UnregisterSystemHealthAgent, before_UnregisterSystemHealthAgent,
        after_UnregisterSystemHealthAgent},
    {"RegisterEnforcementClient", run_RegisterEnforcementClient, NULL, after_RegisterEnforcementClient},
    {"UnregisterEnforcementClient", run_UnregisterEnforcementClient, before_UnregisterEnforcementClient,
        after_UnregisterEnforcementClient},
    {"enabling an EC", run_enable, before_UnregisterEnforcementClient, after_enable},
    {"the components' states", run_get_component_states},
    {"the connections' states", run_get_connection_states},
    {"an SHA's Initialize", run_bind_sha, before_bind_sha, after_bind_sha, TRUE},
    {"an SHA's Uninitialize", run_unbind_sha, before_unbind_sha, after_unbind_sha},
    {"NotifySoHChange", run_NotifySoHChange, NULL, NULL, TRUE},
    {"FlushCache", run_FlushCache},
    {"an SHA's GetSystemIsolationInfo", run_sha_GetSystemIsolationInfo},
    {"an EC's Initialize", run_bind_ec, before_bind_ec, after_bind_ec, TRUE},
    {"an EC's Uninitialize", run_unbind_ec, before_unbind_ec, after_unbind_ec},
    {"CreateConnection", run_connect, NULL, after_connect},
    {"NotifyConnectionStateDown", run_disconnect, before_disconnect, NULL, TRUE},
    {"what a connection holds", run_connection, before_connection, after_connection},
    {"GetSoHRequest", run_GetSoHRequest, NULL, after_GetSoHRequest, TRUE},
    {"ProcessSoHResponse", run_ProcessSoHResponse, before_ProcessSoHResponse, NULL, TRUE},
    {"NotifySoHChangeFailure", run_NotifySoHChangeFailure},
    {"starting the service", run_start, stop_service, after_start, TRUE},
};

/* ---- all of it ---- */

static void check_exchanges(void)
{
    struct counts counts;
    unsigned int i;

    exchange();
    counts = get_counts();
    for (i = 0; i < EXCHANGES; ++i)
        exchange();
    winetest_push_context("%u exchanges", EXCHANGES);
    check_recovery(&counts);
    winetest_pop_context();
}

/* In the registry, since a run that was broken off leaves them there. */
static void clear_registrations(void)
{
    static const WCHAR *const keys[] =
    {
        L"System\\CurrentControlSet\\Services\\napagent\\Shas",
        L"System\\CurrentControlSet\\Services\\napagent\\Qecs",
    };
    WCHAR name[16];
    unsigned int i, j;
    HKEY key;

    for (i = 0; i < ARRAY_SIZE(keys); ++i)
    {
        if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, keys[i], 0, KEY_ALL_ACCESS, &key))
            continue;
        for (j = 0; j < maxSystemHealthEntityCount; ++j)
        {
            swprintf(name, ARRAY_SIZE(name), L"%u", ENTITY_ID(j));
            RegDeleteTreeW(key, name);
        }
        RegCloseKey(key);
    }
}

static void bind_all(void)
{
    unsigned int i;
    HRESULT hr;

    hr = CoCreateInstance(&CLSID_NapClientManagement, NULL, CLSCTX_INPROC_SERVER, &IID_INapClientManagement2,
            (void **)&management);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    for (i = 0; i < SHA_COUNT; ++i)
    {
        hr = register_sha(i);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        hr = sha_create(&shas[i], ENTITY_ID(i));
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        shas[i].responded = &responses;
        hr = sha_bind(&shas[i]);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
    }
    hr = register_ec(0);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = enable_ec(0);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = ec_create(&ec, ENTITY_ID(0));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = ec_bind(&ec);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = ec_connect(&ec);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
}

static void unbind_all(void)
{
    unsigned int i;
    HRESULT hr;

    hr = ec_disconnect(&ec);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = INapEnforcementClientBinding_Uninitialize(ec.binding);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    INapEnforcementClientBinding_Release(ec.binding);
    hr = INapClientManagement2_UnregisterEnforcementClient(management, ENTITY_ID(0));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    for (i = 0; i < SHA_COUNT; ++i)
    {
        hr = INapSystemHealthAgentBinding_Uninitialize(shas[i].binding);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        INapSystemHealthAgentBinding_Release(shas[i].binding);
        hr = INapClientManagement2_UnregisterSystemHealthAgent(management, ENTITY_ID(i));
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
    }
    INapClientManagement2_Release(management);
}

START_TEST(agent)
{
    static const struct hook service_hooks[] =
    {
        {"RegisterServiceCtrlHandlerExW", hook_RegisterServiceCtrlHandlerExW},
        {"SetServiceStatus", hook_SetServiceStatus},
    };
    unsigned int i, left;
    HRESULT hr;

    qagent = LoadLibraryW(L"qagent.dll");
    qagentrt = LoadLibraryW(L"qagentrt.dll");
    if (!qagent || !qagentrt || memcmp((char *)qagentrt + 0x40, "Wine builtin DLL", 16))
    {
        win_skip("There is no agent of Wine's; what it allocates by which means isn't known.\n");
        return;
    }
    pServiceMain = (void *)GetProcAddress(qagentrt, "ServiceMain");
    stop_real_service();
    CoInitializeEx(NULL, COINIT_MULTITHREADED);
    ok(hook_imports(qagent), "qagent.dll imports none of the C heap's functions.\n");
    ok(hook_imports(qagentrt), "qagentrt.dll imports none of the C heap's functions.\n");
    hook_functions(qagentrt, service_hooks, ARRAY_SIZE(service_hooks));
    ok(open_agent(), "There is no binding to the agent.\n");
    clear_registrations();
    spy_start();
    spy_all_threads(TRUE);

    hr = start_service();
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    bind_all();
    check_exchanges();
    for (i = 0; i < ARRAY_SIZE(steps); ++i)
        check_step(&steps[i]);
    trace("The agent's SoHs: %u without memory, %u of unbound SHAs, %u of calls that failed.\n", errors[0], errors[1],
            errors[2]);
    unbind_all();
    stop_service();
    wait_until_quiet();
    left = block_count;
    ok(left <= 1, "%u blocks of the C heap are left.\n", left);

    spy_stop();
    CoUninitialize();
}
