/*
 * The agent as the tests see it: its process, its registrations, who is bound
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

#include "windef.h"
#include "winbase.h"
#include "winsvc.h"
#include "objbase.h"
#include "rpc.h"
#include "wine/exception.h"

#include "faults.h"

static INapClientManagement *management;

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

/* A binding for each call. The option tells them apart: Wine's bindings that look the same share an association, which
 * an agent that was started anew refuses, as long as a connection to the old one is left. */
static RPC_BINDING_HANDLE open_binding(void)
{
    WCHAR protseq[] = NAPAGENT_PROTSEQ, endpoint[] = NAPAGENT_ENDPOINT, options[16];
    RPC_BINDING_HANDLE binding = NULL;
    static LONG count;
    RPC_WSTR string;

    swprintf(options, ARRAY_SIZE(options), L"n=%u", InterlockedIncrement(&count));
    if (RpcStringBindingComposeW(NULL, protseq, NULL, endpoint, options, &string))
        return NULL;
    RpcBindingFromStringBindingW(string, &binding);
    RpcStringFreeW(&string);
    return binding;
}

#define RPC_CALL(hr, call) \
    do \
    { \
        RPC_BINDING_HANDLE agent = open_binding(); \
        __TRY \
        { \
            hr = call; \
        } \
        __EXCEPT(rpc_filter) \
        { \
            hr = HRESULT_FROM_WIN32(GetExceptionCode()); \
        } \
        __ENDTRY \
        RpcBindingFree(&agent); \
    } while (0)

static HRESULT get_component_states(napagent_kind kind, UINT32 *count, napagent_component_state **states)
{
    HRESULT hr;

    *count = 0;
    *states = NULL;
    RPC_CALL(hr, napagent_get_component_states(agent, kind, count, states));
    return hr;
}

int count_bound(napagent_kind kind)
{
    napagent_component_state *states;
    UINT32 count, i;
    int bound = 0;

    if (get_component_states(kind, &count, &states) != S_OK)
        return -1;
    for (i = 0; i < count; ++i)
        bound += !!states[i].bound;
    CoTaskMemFree(states);
    return bound;
}

BOOL is_bound(napagent_kind kind, unsigned int number)
{
    napagent_component_state *states;
    BOOL bound = FALSE;
    UINT32 count, i;

    if (get_component_states(kind, &count, &states) != S_OK)
        return -1;
    for (i = 0; i < count; ++i)
        if (states[i].id == ENTITY_ID(number))
            bound = states[i].bound;
    CoTaskMemFree(states);
    return bound;
}

static HRESULT get_connection_states(UINT32 *count, napagent_connection_state **states)
{
    HRESULT hr;

    *count = 0;
    *states = NULL;
    RPC_CALL(hr, napagent_get_connection_states(agent, count, states));
    return hr;
}

int count_connections(unsigned int ec)
{
    napagent_connection_state *states;
    int connections = 0;
    UINT32 count, i;

    if (get_connection_states(&count, &states) != S_OK)
        return -1;
    for (i = 0; i < count; ++i)
        connections += states[i].enforcer == ENTITY_ID(ec);
    CoTaskMemFree(states);
    return connections;
}

static SC_HANDLE open_service(DWORD access)
{
    SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT), service = NULL;

    if (manager)
    {
        service = OpenServiceW(manager, NAPAGENT_SERVICE, access);
        CloseServiceHandle(manager);
    }
    return service;
}

HANDLE open_agent(void)
{
    SC_HANDLE service = open_service(SERVICE_QUERY_STATUS);
    SERVICE_STATUS_PROCESS status = {0};
    DWORD size;

    if (service)
    {
        QueryServiceStatusEx(service, SC_STATUS_PROCESS_INFO, (BYTE *)&status, sizeof(status), &size);
        CloseServiceHandle(service);
    }
    if (!status.dwProcessId)
        return NULL;
    return OpenProcess(PROCESS_TERMINATE | PROCESS_QUERY_INFORMATION | SYNCHRONIZE, FALSE, status.dwProcessId);
}

/* Until it answers: the service manager needs a moment for noticing that the process is no more. */
BOOL start_agent(DWORD limit)
{
    DWORD start = GetTickCount();
    SC_HANDLE service;

    while (count_bound(NAPAGENT_SHA) < 0)
    {
        if (GetTickCount() - start > limit)
            return FALSE;
        if ((service = open_service(SERVICE_START)))
        {
            StartServiceW(service, 0, NULL);
            CloseServiceHandle(service);
        }
        Sleep(10);
    }
    return TRUE;
}

HRESULT register_component(napagent_kind kind, unsigned int number)
{
    NapComponentRegistrationInfo info;
    HRESULT hr;

    get_registration_info(&info, ENTITY_ID(number));
    if (kind == NAPAGENT_SHA)
        return INapClientManagement_RegisterSystemHealthAgent(management, &info);
    if (SUCCEEDED(hr = INapClientManagement_RegisterEnforcementClient(management, &info)))
        RPC_CALL(hr, napagent_enable(agent, ENTITY_ID(number), TRUE));
    return hr;
}

HRESULT unregister_component(napagent_kind kind, unsigned int number)
{
    if (kind == NAPAGENT_SHA)
        return INapClientManagement_UnregisterSystemHealthAgent(management, ENTITY_ID(number));
    return INapClientManagement_UnregisterEnforcementClient(management, ENTITY_ID(number));
}

static BOOL same_string(const CountedString *string, const CountedString *other)
{
    return string->length == other->length && string->string
            && !memcmp(string->string, other->string, string->length * sizeof(WCHAR));
}

static BOOL same_info(const NapComponentRegistrationInfo *info, const NapComponentRegistrationInfo *other)
{
    return info->id == other->id && same_string(&info->friendlyName, &other->friendlyName)
            && same_string(&info->description, &other->description) && same_string(&info->version, &other->version)
            && same_string(&info->vendorName, &other->vendorName) && IsEqualGUID(&info->infoClsid, &other->infoClsid)
            && IsEqualGUID(&info->configClsid, &other->configClsid) && info->componentType == other->componentType;
}

void check_registered(napagent_kind kind, UINT32 numbers)
{
    NapComponentRegistrationInfo *infos = NULL, info;
    SystemHealthEntityCount i, count = 0;
    UINT32 found = 0, number;
    HRESULT hr;

    if (kind == NAPAGENT_SHA)
        hr = INapClientManagement_GetRegisteredSystemHealthAgents(management, &count, &infos);
    else
        hr = INapClientManagement_GetRegisteredEnforcementClients(management, &count, &infos);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    for (i = 0; i < count; ++i)
    {
        if ((number = infos[i].id - ENTITY_ID(0)) >= maxSystemHealthEntityCount)
            continue;
        get_registration_info(&info, ENTITY_ID(number));
        ok(same_info(&infos[i], &info), "The registration of %#x isn't what it was.\n", infos[i].id);
        ok(!(found & 1u << number), "%#x is there twice.\n", infos[i].id);
        found |= 1u << number;
    }
    ok(found == numbers, "Got %#x, expected %#x.\n", found, numbers);
    FreeNapComponentRegistrationInfoArray(count, &infos);
}

/* What a run that was broken off has left */
static void clear_components(void)
{
    napagent_kind kind;
    unsigned int i;
    HRESULT hr;

    for (kind = 0; kind < NAPAGENT_KIND_COUNT; ++kind)
    {
        for (i = 0; i < maxSystemHealthEntityCount; ++i)
        {
            hr = unregister_component(kind, i);
            ok(hr == S_OK || hr == NAP_E_NOT_REGISTERED, "Got hr %#lx.\n", hr);
        }
    }
}

BOOL agent_init(void)
{
    HRESULT hr;

    hr = CoCreateInstance(&CLSID_NapClientManagement, NULL, CLSCTX_INPROC_SERVER, &IID_INapClientManagement,
            (void **)&management);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    if (FAILED(hr))
        return FALSE;
    if (!start_agent(START_LIMIT))
    {
        ok(0, "The agent doesn't start.\n");
        return FALSE;
    }
    clear_components();
    return TRUE;
}
