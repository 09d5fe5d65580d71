/*
 * The service, and what only its own interface tells
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
#include <stdlib.h>

#include "napstat.h"
#include "winsvc.h"

#include "wine/exception.h"

/* milliseconds */
#define START_TIMEOUT 30000
#define LOOK_INTERVAL 50

void * __RPC_USER MIDL_user_allocate(SIZE_T size)
{
    return malloc(size);
}

void __RPC_USER MIDL_user_free(void *ptr)
{
    free(ptr);
}

static SC_HANDLE open_service(DWORD access)
{
    SC_HANDLE manager, service;

    if (!(manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT))) return NULL;
    service = OpenServiceW(manager, NAPAGENT_SERVICE, access);
    CloseServiceHandle(manager);
    return service;
}

/* Wine 8 goes on calling a service running whose process has died. */
static BOOL is_running(SC_HANDLE service)
{
    SERVICE_STATUS_PROCESS status;
    HANDLE process;
    DWORD size;
    BOOL ret;

    if (!QueryServiceStatusEx(service, SC_STATUS_PROCESS_INFO, (BYTE *)&status, sizeof(status), &size)) return FALSE;
    if (status.dwCurrentState != SERVICE_RUNNING) return FALSE;
    if (!(process = OpenProcess(SYNCHRONIZE, FALSE, status.dwProcessId)))
        return GetLastError() == ERROR_ACCESS_DENIED;
    ret = WaitForSingleObject(process, 0) == WAIT_TIMEOUT;
    CloseHandle(process);
    return ret;
}

enum agent_status get_agent_status(void)
{
    enum agent_status status;
    SC_HANDLE service;

    if (!(service = open_service(SERVICE_QUERY_STATUS))) return AGENT_NOT_INSTALLED;
    status = is_running(service) ? AGENT_RUNNING : AGENT_STOPPED;
    CloseServiceHandle(service);
    return status;
}

/* Other services may be starting, or this one. */
static DWORD start_service(SC_HANDLE service)
{
    DWORD error;

    if (is_running(service) || StartServiceW(service, 0, NULL)) return ERROR_SUCCESS;
    error = GetLastError();
    return error == ERROR_SERVICE_DATABASE_LOCKED || error == ERROR_SERVICE_ALREADY_RUNNING ? ERROR_SUCCESS : error;
}

/* Wine takes a service's handle for invalid once the service's process has died, so each look has one of its own. */
DWORD start_agent(void)
{
    ULONGLONG end = GetTickCount64() + START_TIMEOUT;
    SC_HANDLE service;
    DWORD error;

    while (get_agent_status() != AGENT_RUNNING)
    {
        if (GetTickCount64() >= end) return ERROR_SERVICE_REQUEST_TIMEOUT;
        if (!(service = open_service(SERVICE_START | SERVICE_QUERY_STATUS))) return GetLastError();
        error = start_service(service);
        CloseServiceHandle(service);
        if (error && error != ERROR_INVALID_HANDLE) return error;
        Sleep(LOOK_INTERVAL);
    }
    return ERROR_SUCCESS;
}

/* Options that are unique keep Wine from sharing a connection's association, which doesn't outlive the service. */
static handle_t connect_agent(void)
{
    static UINT instance;
    WCHAR protseq[] = NAPAGENT_PROTSEQ, endpoint[] = NAPAGENT_ENDPOINT, options[32];
    RPC_BINDING_HANDLE binding;
    RPC_WSTR string;

    swprintf(options, ARRAY_SIZE(options), L"instance=%u", instance++);
    if (RpcStringBindingComposeW(NULL, protseq, NULL, endpoint, options, &string)) return NULL;
    if (RpcBindingFromStringBindingW(string, &binding)) binding = NULL;
    RpcStringFreeW(&string);
    return binding;
}

static LONG CALLBACK rpc_filter(EXCEPTION_POINTERS *eptr)
{
    return I_RpcExceptionFilter(eptr->ExceptionRecord->ExceptionCode);
}

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

static HRESULT get_components(handle_t agent, napagent_kind kind, struct agent_state *state)
{
    HRESULT hr;

    AGENT_CALL(hr, napagent_get_component_states(agent, kind, &state->component_counts[kind],
            &state->components[kind]));
    return hr;
}

static HRESULT get_connections(handle_t agent, struct agent_state *state)
{
    HRESULT hr;

    AGENT_CALL(hr, napagent_get_connection_states(agent, &state->connection_count, &state->connections));
    return hr;
}

HRESULT get_agent_state(struct agent_state *state)
{
    handle_t agent;
    HRESULT hr;

    memset(state, 0, sizeof(*state));
    if (!(agent = connect_agent())) return E_OUTOFMEMORY;
    if (SUCCEEDED(hr = get_components(agent, NAPAGENT_SHA, state))
            && SUCCEEDED(hr = get_components(agent, NAPAGENT_EC, state)))
        hr = get_connections(agent, state);
    if (FAILED(hr)) free_agent_state(state);
    RpcBindingFree(&agent);
    return hr;
}

void free_agent_state(struct agent_state *state)
{
    free(state->components[NAPAGENT_SHA]);
    free(state->components[NAPAGENT_EC]);
    free(state->connections);
    memset(state, 0, sizeof(*state));
}

HRESULT enable_enforcement_client(EnforcementEntityId id, BOOL enabled)
{
    handle_t agent;
    HRESULT hr;

    if (!(agent = connect_agent())) return E_OUTOFMEMORY;
    AGENT_CALL(hr, napagent_enable(agent, id, enabled));
    RpcBindingFree(&agent);
    return hr;
}
