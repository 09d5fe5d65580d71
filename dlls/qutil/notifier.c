/*
 * Network Access Protection utilities, notifications of the agent's state
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

#include <stdarg.h>
#include <string.h>

#include "windef.h"
#include "winbase.h"
#include "winreg.h"
#include "winsvc.h"
#include "winternl.h"
#include "objbase.h"
#include "naputil.h"

#include "wine/debug.h"

#include "qutil_private.h"

WINE_DEFAULT_DEBUG_CHANNEL(qutil);

/* The agent is looked at, not listened to: a listener would have to hold a service handle open, which keeps a deleted
 * service from going away, and would not hear of a service that is created or whose process dies. */
#define POLL_INTERVAL 250 /* milliseconds */

struct observation
{
    DWORD state;    /* what the subscriber is told about */
    DWORD instance; /* differs when the state was left and entered again between two looks */
};

struct subscription
{
    BOOL (*observe)(struct observation *now); /* returns FALSE when there is nothing to tell yet */
    struct observation last;
    LONG busy;
    HANDLE event;
    TP_TIMER *timer;
    HMODULE module;
};

static BOOL process_is_running(DWORD pid)
{
    HANDLE process;
    BOOL ret;

    if (!(process = OpenProcess(SYNCHRONIZE, FALSE, pid)))
        return GetLastError() == ERROR_ACCESS_DENIED;
    ret = WaitForSingleObject(process, 0) == WAIT_TIMEOUT;
    CloseHandle(process);
    return ret;
}

static BOOL query_service(SERVICE_STATUS_PROCESS *status, BOOL *exists)
{
    SC_HANDLE manager, service;
    BOOL ret = FALSE;
    DWORD size;

    if (!(manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT))) return FALSE;
    if ((service = OpenServiceW(manager, L"napagent", SERVICE_QUERY_STATUS)))
    {
        *exists = TRUE;
        ret = QueryServiceStatusEx(service, SC_STATUS_PROCESS_INFO, (BYTE *)status, sizeof(*status), &size);
        CloseServiceHandle(service);
    }
    else if (GetLastError() == ERROR_SERVICE_DOES_NOT_EXIST)
    {
        *exists = FALSE;
        ret = TRUE;
    }
    CloseServiceHandle(manager);
    return ret;
}

static BOOL observe_service(struct observation *now)
{
    SERVICE_STATUS_PROCESS status;
    BOOL exists;

    if (!query_service(&status, &exists)) return FALSE;

    now->state = now->instance = 0;
    if (!exists) return TRUE;

    switch (status.dwCurrentState)
    {
    case SERVICE_START_PENDING:
    case SERVICE_STOP_PENDING:
        return FALSE;
    case SERVICE_STOPPED:
        now->state = SERVICE_STOPPED;
        return TRUE;
    default:
        /* Wine 8 goes on calling a service running whose process has died. */
        if (process_is_running(status.dwProcessId))
        {
            now->state = SERVICE_RUNNING;
            now->instance = status.dwProcessId;
        }
        else now->state = SERVICE_STOPPED;
        return TRUE;
    }
}

/* The agent's end of this: it counts up the value whenever a change is to be told. */
static BOOL observe_isolation_state(struct observation *now)
{
    DWORD size = sizeof(now->state);

    now->instance = 0;
    if (RegGetValueW(HKEY_LOCAL_MACHINE, L"System\\CurrentControlSet\\Services\\napagent\\State",
                     L"IsolationStateChanges", RRF_RT_REG_DWORD, NULL, &now->state, &size))
        now->state = 0;
    return TRUE;
}

static struct subscription subscriptions[] =
{
    [napNotifyTypeServiceState] = { observe_service },
    [napNotifyTypeQuarState]    = { observe_isolation_state },
};

static struct subscription *get_subscription(NapNotifyType type)
{
    if ((UINT)type >= ARRAY_SIZE(subscriptions) || !subscriptions[type].observe) return NULL;
    return &subscriptions[type];
}

static void CALLBACK look(TP_CALLBACK_INSTANCE *instance, void *context, TP_TIMER *timer)
{
    struct subscription *subscription = context;
    struct observation now;

    if (InterlockedExchange(&subscription->busy, TRUE)) return;
    if (subscription->observe(&now) && memcmp(&now, &subscription->last, sizeof(now)))
    {
        TRACE("state %lu, instance %#lx.\n", now.state, now.instance);
        subscription->last = now;
        SetEvent(subscription->event);
    }
    InterlockedExchange(&subscription->busy, FALSE);
}

static BOOL is_event(HANDLE handle)
{
    struct
    {
        OBJECT_TYPE_INFORMATION info;
        WCHAR name[64];
    } type;

    return !NtQueryObject(handle, ObjectTypeInformation, &type, sizeof(type), NULL)
            && type.info.TypeName.Length == sizeof(L"Event") - sizeof(WCHAR)
            && !memcmp(type.info.TypeName.Buffer, L"Event", type.info.TypeName.Length);
}

HRESULT WINAPI InitializeNapAgentNotifier(NapNotifyType type, HANDLE event)
{
    struct subscription *subscription;
    FILETIME due = { 0 };

    TRACE("type %u, event %p.\n", type, event);

    if (!(subscription = get_subscription(type)) || !is_event(event)) return E_INVALIDARG;
    if (subscription->timer) return HRESULT_FROM_WIN32(ERROR_ALREADY_INITIALIZED);

    if (!DuplicateHandle(GetCurrentProcess(), event, GetCurrentProcess(), &subscription->event,
                         EVENT_MODIFY_STATE, FALSE, 0))
        return E_INVALIDARG;

    /* The timer must not outlive the code that it calls. */
    if (!GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, (const WCHAR *)look, &subscription->module))
    {
        CloseHandle(subscription->event);
        return E_FAIL;
    }
    if (!(subscription->timer = CreateThreadpoolTimer(look, subscription, NULL)))
    {
        FreeLibrary(subscription->module);
        CloseHandle(subscription->event);
        return E_FAIL;
    }
    if (!subscription->observe(&subscription->last))
        memset(&subscription->last, 0xff, sizeof(subscription->last));
    SetThreadpoolTimer(subscription->timer, &due, POLL_INTERVAL, POLL_INTERVAL / 4);
    return S_OK;
}

void WINAPI UninitializeNapAgentNotifier(NapNotifyType type)
{
    struct subscription *subscription;

    TRACE("type %u.\n", type);

    if (!(subscription = get_subscription(type)) || !subscription->timer) return;

    SetThreadpoolTimer(subscription->timer, NULL, 0, 0);
    WaitForThreadpoolTimerCallbacks(subscription->timer, TRUE);
    CloseThreadpoolTimer(subscription->timer);
    subscription->timer = NULL;
    CloseHandle(subscription->event);
    FreeLibrary(subscription->module);
}
