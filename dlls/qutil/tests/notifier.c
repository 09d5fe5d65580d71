/*
 * Tests for the agent notifier of qutil.dll
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
#include "winsvc.h"
#include "objbase.h"
#include "naputil.h"

#include "wine/test.h"

/* How long a state or a signal that has to come may take, and how long one that must not come is awaited. */
#define TIMEOUT 10000
#define QUIET   1000

static const WCHAR service_name[] = L"napagent";
static const WCHAR service_arguments[] = L" notifier service";
static const WCHAR go_on_name[] = L"Global\\winetest_qutil_go_on";

static HRESULT (WINAPI *pInitializeNapAgentNotifier)(NapNotifyType, HANDLE);
static void (WINAPI *pUninitializeNapAgentNotifier)(NapNotifyType);

static const NapNotifyType notify_types[] = {napNotifyTypeServiceState, napNotifyTypeQuarState};

/* The service: this program again, started by the service manager. */

static SERVICE_STATUS_HANDLE status_handle;
static HANDLE stop_event;

static void set_service_state(DWORD state)
{
    SERVICE_STATUS status = {SERVICE_WIN32_OWN_PROCESS};

    status.dwCurrentState = state;
    status.dwControlsAccepted = state == SERVICE_RUNNING ? SERVICE_ACCEPT_STOP : 0;
    status.dwWaitHint = state == SERVICE_RUNNING || state == SERVICE_STOPPED ? 0 : TIMEOUT;
    SetServiceStatus(status_handle, &status);
}

static DWORD WINAPI service_handler(DWORD control, DWORD event_type, void *event_data, void *context)
{
    switch (control)
    {
    case SERVICE_CONTROL_STOP:
        set_service_state(SERVICE_STOP_PENDING);
        SetEvent(stop_event);
        return NO_ERROR;

    case SERVICE_CONTROL_INTERROGATE:
        return NO_ERROR;

    default:
        return ERROR_CALL_NOT_IMPLEMENTED;
    }
}

static void WINAPI service_main(DWORD argc, WCHAR **argv)
{
    HANDLE go_on = NULL;

    if (argc > 1 && !lstrcmpW(argv[1], L"slow"))
        go_on = OpenEventW(SYNCHRONIZE, FALSE, go_on_name);

    stop_event = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (!(status_handle = RegisterServiceCtrlHandlerExW(service_name, service_handler, NULL)))
        return;

    set_service_state(SERVICE_START_PENDING);
    if (go_on)
        WaitForSingleObject(go_on, 2 * TIMEOUT);
    set_service_state(SERVICE_RUNNING);

    /* Not for ever, in case that the test dies. */
    WaitForSingleObject(stop_event, 60000);
    if (go_on)
        WaitForSingleObject(go_on, 2 * TIMEOUT);
    set_service_state(SERVICE_STOPPED);
}

static void run_service(void)
{
    static WCHAR name[ARRAY_SIZE(service_name)];
    SERVICE_TABLE_ENTRYW table[] = {{name, service_main}, {NULL, NULL}};

    lstrcpyW(name, service_name);
    StartServiceCtrlDispatcherW(table);
}

/* The test. */

static HANDLE create_event(BOOL manual_reset)
{
    HANDLE event = CreateEventW(NULL, manual_reset, FALSE, NULL);

    ok(!!event, "Failed to create an event, error %lu.\n", GetLastError());
    return event;
}

static HANDLE duplicate_handle(HANDLE handle)
{
    HANDLE duplicate = NULL;
    BOOL ret;

    ret = DuplicateHandle(GetCurrentProcess(), handle, GetCurrentProcess(), &duplicate, 0, FALSE,
            DUPLICATE_SAME_ACCESS);
    ok(ret, "Failed to duplicate a handle, error %lu.\n", GetLastError());
    return duplicate;
}

#define check_signal(event) check_signal_(__LINE__, event)
static void check_signal_(int line, HANDLE event)
{
    DWORD ret = WaitForSingleObject(event, TIMEOUT);

    ok_(__FILE__, line)(ret == WAIT_OBJECT_0, "The event was not signalled, got %#lx.\n", ret);
}

#define check_no_signal(event) check_no_signal_(__LINE__, event)
static void check_no_signal_(int line, HANDLE event)
{
    DWORD ret = WaitForSingleObject(event, QUIET);

    ok_(__FILE__, line)(ret == WAIT_TIMEOUT, "The event was signalled, got %#lx.\n", ret);
}

/* A change may come with several signals: one for each state that is passed. */
#define drain_signals(event) drain_signals_(__LINE__, event)
static void drain_signals_(int line, HANDLE event)
{
    unsigned int i;

    for (i = 0; i < 20; ++i)
    {
        ResetEvent(event);
        if (WaitForSingleObject(event, 300) == WAIT_TIMEOUT)
            break;
    }
    ok_(__FILE__, line)(i < 20, "The signals do not end.\n");
}

#define subscribe(type, event) subscribe_(__LINE__, type, event)
static void subscribe_(int line, NapNotifyType type, HANDLE event)
{
    HRESULT hr = pInitializeNapAgentNotifier(type, event);

    ok_(__FILE__, line)(hr == S_OK, "Got hr %#lx.\n", hr);
}

static void test_invalid_type(void)
{
    static const int types[] = {napNotifyTypeUnknown, 3, 4, 0x7fffffff, -1, 0x10001, 0x10002};
    HANDLE event = create_event(TRUE);
    unsigned int i;
    HRESULT hr;

    for (i = 0; i < ARRAY_SIZE(types); ++i)
    {
        winetest_push_context("type %d", types[i]);
        hr = pInitializeNapAgentNotifier((NapNotifyType)types[i], event);
        ok(hr == E_INVALIDARG || broken(hr == S_OK || hr == E_FAIL), "Got hr %#lx.\n", hr);
        pUninitializeNapAgentNotifier((NapNotifyType)types[i]);
        hr = pInitializeNapAgentNotifier((NapNotifyType)types[i], NULL);
        ok(hr == E_INVALIDARG || broken(hr == S_OK || hr == E_FAIL), "Got hr %#lx.\n", hr);
        pUninitializeNapAgentNotifier((NapNotifyType)types[i]);
        winetest_pop_context();
    }
    CloseHandle(event);
}

static void test_invalid_handle(void)
{
    HANDLE handles[] =
    {
        NULL,
        INVALID_HANDLE_VALUE,
        (HANDLE)(ULONG_PTR)0xdeadbee0,
        create_event(TRUE), /* closed below */
        CreateMutexW(NULL, FALSE, NULL),
        CreateSemaphoreW(NULL, 0, 1, NULL),
        CreateWaitableTimerW(NULL, TRUE, NULL),
        duplicate_handle(GetCurrentThread()),
    };
    unsigned int i, j;
    HANDLE event;
    HRESULT hr;

    CloseHandle(handles[3]);
    for (i = 0; i < ARRAY_SIZE(handles); ++i)
    {
        for (j = 0; j < ARRAY_SIZE(notify_types); ++j)
        {
            winetest_push_context("handle %u, type %d", i, notify_types[j]);
            hr = pInitializeNapAgentNotifier(notify_types[j], handles[i]);
            ok(hr == E_INVALIDARG || broken(hr == S_OK || hr == E_FAIL || hr == HRESULT_FROM_WIN32(ERROR_INVALID_HANDLE)),
                    "Got hr %#lx.\n", hr);
            if (hr == S_OK)
                pUninitializeNapAgentNotifier(notify_types[j]);
            winetest_pop_context();
        }
    }
    for (i = 4; i < ARRAY_SIZE(handles); ++i)
        CloseHandle(handles[i]);

    /* A failure leaves no subscription behind. */
    event = create_event(TRUE);
    for (j = 0; j < ARRAY_SIZE(notify_types); ++j)
    {
        winetest_push_context("type %d", notify_types[j]);
        subscribe(notify_types[j], event);
        pUninitializeNapAgentNotifier(notify_types[j]);
        winetest_pop_context();
    }
    CloseHandle(event);
}

static void check_already_initialized(NapNotifyType type, HANDLE event)
{
    HRESULT hr = pInitializeNapAgentNotifier(type, event);

    ok(hr == HRESULT_FROM_WIN32(ERROR_ALREADY_INITIALIZED) || broken(hr == ERROR_ALREADY_INITIALIZED),
            "Type %d: got hr %#lx.\n", type, hr);
}

static void test_already_initialized(void)
{
    HANDLE event = create_event(TRUE), other = create_event(TRUE);
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(notify_types); ++i)
    {
        winetest_push_context("type %d", notify_types[i]);

        subscribe(notify_types[i], event);
        check_already_initialized(notify_types[i], event);
        check_already_initialized(notify_types[i], other);

        /* The calls aren't counted. */
        pUninitializeNapAgentNotifier(notify_types[i]);
        subscribe(notify_types[i], other);
        check_already_initialized(notify_types[i], event);
        pUninitializeNapAgentNotifier(notify_types[i]);

        winetest_pop_context();
    }
    CloseHandle(other);
    CloseHandle(event);
}

static void test_both_types(void)
{
    HANDLE events[2] = {create_event(TRUE), create_event(FALSE)};
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(notify_types); ++i)
    {
        winetest_push_context("first type %d", notify_types[i]);
        subscribe(notify_types[i], events[0]);
        subscribe(notify_types[!i], events[1]);
        check_already_initialized(notify_types[i], events[0]);
        check_already_initialized(notify_types[!i], events[1]);
        pUninitializeNapAgentNotifier(notify_types[i]);
        check_already_initialized(notify_types[!i], events[1]);

        /* One event can serve both. */
        subscribe(notify_types[i], events[1]);
        pUninitializeNapAgentNotifier(notify_types[!i]);
        check_already_initialized(notify_types[i], events[0]);
        pUninitializeNapAgentNotifier(notify_types[i]);
        winetest_pop_context();
    }
    CloseHandle(events[0]);
    CloseHandle(events[1]);
}

static void test_no_initial_signal(void)
{
    unsigned int i, j;
    HANDLE event;
    DWORD ret;

    for (i = 0; i < ARRAY_SIZE(notify_types); ++i)
    {
        for (j = 0; j < 2; ++j)
        {
            winetest_push_context("type %d, manual reset %u", notify_types[i], j);
            event = create_event(j);
            subscribe(notify_types[i], event);
            ret = WaitForSingleObject(event, QUIET);
            ok(ret == WAIT_TIMEOUT || broken(ret == WAIT_OBJECT_0), "Got %#lx.\n", ret);
            pUninitializeNapAgentNotifier(notify_types[i]);
            ret = WaitForSingleObject(event, 0);
            ok(ret == WAIT_TIMEOUT || broken(ret == WAIT_OBJECT_0), "Got %#lx.\n", ret);
            CloseHandle(event);
            winetest_pop_context();
        }
    }
}

static void test_uninitialize(void)
{
    HANDLE event = create_event(TRUE);
    unsigned int i, j;
    DWORD ret;

    for (i = 0; i < ARRAY_SIZE(notify_types); ++i)
    {
        winetest_push_context("type %d", notify_types[i]);

        pUninitializeNapAgentNotifier(notify_types[i]);
        pUninitializeNapAgentNotifier(notify_types[i]);
        for (j = 0; j < 3; ++j)
        {
            subscribe(notify_types[i], event);
            pUninitializeNapAgentNotifier(notify_types[i]);
            pUninitializeNapAgentNotifier(notify_types[i]);
        }

        /* The event is still open and works. */
        ResetEvent(event);
        ret = SetEvent(event);
        ok(ret, "Failed to set the event, error %lu.\n", GetLastError());
        ret = WaitForSingleObject(event, 0);
        ok(ret == WAIT_OBJECT_0, "Got %#lx.\n", ret);

        /* An event that is set stays so. */
        subscribe(notify_types[i], event);
        ret = WaitForSingleObject(event, 0);
        ok(ret == WAIT_OBJECT_0, "Got %#lx.\n", ret);
        pUninitializeNapAgentNotifier(notify_types[i]);
        ret = WaitForSingleObject(event, 0);
        ok(ret == WAIT_OBJECT_0, "Got %#lx.\n", ret);

        winetest_pop_context();
    }
    ret = CloseHandle(event);
    ok(ret, "Failed to close the event, error %lu.\n", GetLastError());
}

static ULONG_PTR get_free_handle(void)
{
    HANDLE event = create_event(TRUE);

    CloseHandle(event);
    return (ULONG_PTR)event;
}

/* Free handle values are used again, so that leaked ones make new values grow. */
static void test_handle_leaks(void)
{
    HANDLE event = create_event(TRUE);
    ULONG_PTR before = 0, after;
    unsigned int i, j;

    for (i = 0; i < 136; ++i)
    {
        /* The first rounds start threads and connections that may stay. */
        if (i == 8)
            before = get_free_handle();
        for (j = 0; j < ARRAY_SIZE(notify_types); ++j)
        {
            subscribe(notify_types[j], event);
            pUninitializeNapAgentNotifier(notify_types[j]);
        }
    }
    after = get_free_handle();
    ok(after < before + 64 * sizeof(DWORD), "Got handle %#lx, %#lx before.\n",
            (unsigned long)after, (unsigned long)before);
    CloseHandle(event);
}

/* From here on with a service of the test's own. */

static DWORD get_state(SC_HANDLE service)
{
    SERVICE_STATUS status;

    return QueryServiceStatus(service, &status) ? status.dwCurrentState : ~0u;
}

static BOOL wait_for_state(SC_HANDLE service, DWORD state)
{
    unsigned int i;

    for (i = 0; i < TIMEOUT / 50; ++i)
    {
        if (get_state(service) == state)
            return TRUE;
        Sleep(50);
    }
    return FALSE;
}

#define check_state(service, state) check_state_(__LINE__, service, state)
static void check_state_(int line, SC_HANDLE service, DWORD state)
{
    BOOL ret = wait_for_state(service, state);
    DWORD current = get_state(service);

    ok_(__FILE__, line)(ret, "The service is in state %lu, expected %lu.\n", current, state);
}

#define start_service(service, slow) start_service_(__LINE__, service, slow)
static void start_service_(int line, SC_HANDLE service, BOOL slow)
{
    const WCHAR *argument = L"slow";
    DWORD error = NO_ERROR;
    unsigned int i;
    BOOL ret = FALSE;

    /* The process of the previous run may still be about to end. */
    for (i = 0; i < TIMEOUT / 50; ++i)
    {
        if ((ret = StartServiceW(service, slow, slow ? &argument : NULL)))
            break;
        if ((error = GetLastError()) != ERROR_SERVICE_ALREADY_RUNNING)
            break;
        Sleep(50);
    }
    ok_(__FILE__, line)(ret, "Failed to start the service, error %lu.\n", error);
}

#define stop_service(service) stop_service_(__LINE__, service)
static void stop_service_(int line, SC_HANDLE service)
{
    SERVICE_STATUS status;
    BOOL ret;

    ret = ControlService(service, SERVICE_CONTROL_STOP, &status);
    ok_(__FILE__, line)(ret, "Failed to stop the service, error %lu.\n", GetLastError());
}

static SC_HANDLE create_service(SC_HANDLE manager)
{
    WCHAR path[MAX_PATH + 64] = L"\"";
    SC_HANDLE service = NULL;
    DWORD error = NO_ERROR;
    unsigned int i;

    GetModuleFileNameW(NULL, path + 1, MAX_PATH);
    lstrcatW(path, L"\"");
    lstrcatW(path, service_arguments);

    for (i = 0; i < TIMEOUT / 50; ++i)
    {
        if ((service = CreateServiceW(manager, service_name, service_name, SERVICE_ALL_ACCESS,
                SERVICE_WIN32_OWN_PROCESS, SERVICE_DEMAND_START, SERVICE_ERROR_IGNORE, path,
                NULL, NULL, NULL, NULL, NULL)))
            break;
        if ((error = GetLastError()) != ERROR_SERVICE_MARKED_FOR_DELETE)
            break;
        Sleep(50);
    }
    ok(!!service || broken(error == ERROR_ACCESS_DENIED), "Failed to create the service, error %lu.\n", error);
    return service;
}

static BOOL service_exists(SC_HANDLE manager)
{
    SC_HANDLE service = OpenServiceW(manager, service_name, SERVICE_QUERY_STATUS);
    DWORD error = GetLastError();

    if (service)
        CloseServiceHandle(service);
    return service || error != ERROR_SERVICE_DOES_NOT_EXIST;
}

/* Ends the service in whatever state it is, and closes the handle. */
static void delete_service(SC_HANDLE manager, SC_HANDLE service)
{
    SERVICE_STATUS status;
    unsigned int i;
    BOOL ret;

    if (ControlService(service, SERVICE_CONTROL_STOP, &status))
        wait_for_state(service, SERVICE_STOPPED);
    ret = DeleteService(service);
    ok(ret, "Failed to delete the service, error %lu.\n", GetLastError());
    CloseServiceHandle(service);

    for (i = 0; i < TIMEOUT / 50 && service_exists(manager); ++i)
        Sleep(50);
    ok(i < TIMEOUT / 50, "The service was not deleted.\n");
}

/* A run that was killed may have left its service behind. */
static void delete_stale_service(SC_HANDLE manager)
{
    static BYTE buffer[8192];
    QUERY_SERVICE_CONFIGW *config = (QUERY_SERVICE_CONFIGW *)buffer;
    int length, suffix_length = ARRAY_SIZE(service_arguments) - 1;
    SC_HANDLE service;
    DWORD size;

    if (!(service = OpenServiceW(manager, service_name, SERVICE_ALL_ACCESS)))
        return;
    if (QueryServiceConfigW(service, config, sizeof(buffer), &size)
            && (length = lstrlenW(config->lpBinaryPathName)) > suffix_length
            && !lstrcmpW(config->lpBinaryPathName + length - suffix_length, service_arguments))
        delete_service(manager, service);
    else
        CloseServiceHandle(service);
}

static void test_start_stop(SC_HANDLE service, BOOL manual_reset)
{
    HANDLE event = create_event(manual_reset);
    unsigned int i;
    DWORD ret;

    subscribe(napNotifyTypeServiceState, event);

    for (i = 0; i < 2; ++i)
    {
        winetest_push_context("manual reset %d, round %u", manual_reset, i);

        check_no_signal(event);
        start_service(service, FALSE);
        check_state(service, SERVICE_RUNNING);
        check_signal(event);
        if (manual_reset)
        {
            ret = WaitForSingleObject(event, 0);
            ok(ret == WAIT_OBJECT_0, "Got %#lx.\n", ret);
        }
        drain_signals(event);

        stop_service(service);
        check_state(service, SERVICE_STOPPED);
        check_signal(event);
        drain_signals(event);

        winetest_pop_context();
    }

    pUninitializeNapAgentNotifier(napNotifyTypeServiceState);
    CloseHandle(event);
}

/* The signal comes when the service has got there, not only when it is on its way, where it stays until told to go on. */
static void check_pending_change(SC_HANDLE service, HANDLE event, HANDLE go_on, DWORD pending, DWORD final)
{
    check_state(service, pending);
    drain_signals(event);
    check_state(service, pending);
    SetEvent(go_on);
    check_state(service, final);
    check_signal(event);
    drain_signals(event);
}

static void test_pending(SC_HANDLE service)
{
    HANDLE event = create_event(TRUE), go_on = CreateEventW(NULL, FALSE, FALSE, go_on_name);

    ok(!!go_on, "Failed to create an event, error %lu.\n", GetLastError());
    subscribe(napNotifyTypeServiceState, event);
    start_service(service, TRUE);
    check_pending_change(service, event, go_on, SERVICE_START_PENDING, SERVICE_RUNNING);
    stop_service(service);
    check_pending_change(service, event, go_on, SERVICE_STOP_PENDING, SERVICE_STOPPED);
    pUninitializeNapAgentNotifier(napNotifyTypeServiceState);
    CloseHandle(go_on);
    CloseHandle(event);
}

static void test_resubscribe(SC_HANDLE service)
{
    HANDLE event = create_event(TRUE);
    DWORD ret;

    subscribe(napNotifyTypeServiceState, event);
    pUninitializeNapAgentNotifier(napNotifyTypeServiceState);

    start_service(service, FALSE);
    check_state(service, SERVICE_RUNNING);
    check_no_signal(event);

    /* While the service runs. */
    subscribe(napNotifyTypeServiceState, event);
    ret = WaitForSingleObject(event, QUIET);
    ok(ret == WAIT_TIMEOUT || broken(ret == WAIT_OBJECT_0), "Got %#lx.\n", ret);
    drain_signals(event);
    stop_service(service);
    check_state(service, SERVICE_STOPPED);
    check_signal(event);
    drain_signals(event);
    pUninitializeNapAgentNotifier(napNotifyTypeServiceState);

    /* While it is stopped. */
    subscribe(napNotifyTypeServiceState, event);
    start_service(service, FALSE);
    check_state(service, SERVICE_RUNNING);
    check_signal(event);
    drain_signals(event);
    pUninitializeNapAgentNotifier(napNotifyTypeServiceState);

    stop_service(service);
    check_state(service, SERVICE_STOPPED);
    check_no_signal(event);
    ret = SetEvent(event);
    ok(ret, "Failed to set the event, error %lu.\n", GetLastError());
    CloseHandle(event);
}

static void test_first_event_stays(SC_HANDLE service)
{
    HANDLE event = create_event(TRUE), other = create_event(TRUE);

    subscribe(napNotifyTypeServiceState, event);
    check_already_initialized(napNotifyTypeServiceState, other);
    check_already_initialized(napNotifyTypeServiceState, event);
    start_service(service, FALSE);
    check_state(service, SERVICE_RUNNING);
    check_signal(event);
    check_no_signal(other);
    drain_signals(event);

    pUninitializeNapAgentNotifier(napNotifyTypeServiceState);
    stop_service(service);
    check_state(service, SERVICE_STOPPED);
    check_no_signal(event);
    check_no_signal(other);

    CloseHandle(other);
    CloseHandle(event);
}

static void test_independent_types(SC_HANDLE service)
{
    HANDLE state_event = create_event(TRUE), isolation_event = create_event(TRUE);

    subscribe(napNotifyTypeQuarState, isolation_event);
    subscribe(napNotifyTypeServiceState, state_event);
    start_service(service, FALSE);
    check_state(service, SERVICE_RUNNING);
    check_signal(state_event);
    check_no_signal(isolation_event);
    drain_signals(state_event);

    pUninitializeNapAgentNotifier(napNotifyTypeQuarState);
    stop_service(service);
    check_state(service, SERVICE_STOPPED);
    check_signal(state_event);
    drain_signals(state_event);

    subscribe(napNotifyTypeQuarState, isolation_event);
    pUninitializeNapAgentNotifier(napNotifyTypeServiceState);
    start_service(service, FALSE);
    check_state(service, SERVICE_RUNNING);
    check_no_signal(state_event);
    check_no_signal(isolation_event);
    pUninitializeNapAgentNotifier(napNotifyTypeQuarState);
    stop_service(service);
    check_state(service, SERVICE_STOPPED);

    CloseHandle(isolation_event);
    CloseHandle(state_event);
}

static void test_closed_event(SC_HANDLE service)
{
    HANDLE event = create_event(TRUE), watched = duplicate_handle(event);
    DWORD ret;

    subscribe(napNotifyTypeServiceState, event);
    CloseHandle(event);
    start_service(service, FALSE);
    check_state(service, SERVICE_RUNNING);
    ret = WaitForSingleObject(watched, TIMEOUT);
    ok(ret == WAIT_OBJECT_0 || broken(ret == WAIT_TIMEOUT), "Got %#lx.\n", ret);
    pUninitializeNapAgentNotifier(napNotifyTypeServiceState);
    stop_service(service);
    check_state(service, SERVICE_STOPPED);
    CloseHandle(watched);
}

/* No signal comes after the subscription has ended, however close the change is. */
static void test_uninitialize_in_flight(SC_HANDLE service)
{
    HANDLE event = create_event(TRUE);
    unsigned int i;
    DWORD ret;

    for (i = 0; i < 6; ++i)
    {
        winetest_push_context("round %u", i);
        subscribe(napNotifyTypeServiceState, event);
        if (i & 1)
            stop_service(service);
        else
            start_service(service, FALSE);
        Sleep(5 * i);
        pUninitializeNapAgentNotifier(napNotifyTypeServiceState);
        ResetEvent(event);
        check_state(service, i & 1 ? SERVICE_STOPPED : SERVICE_RUNNING);
        ret = WaitForSingleObject(event, QUIET);
        ok(ret == WAIT_TIMEOUT || broken(ret == WAIT_OBJECT_0), "Got %#lx.\n", ret);
        winetest_pop_context();
    }
    CloseHandle(event);
}

static void test_process_death(SC_HANDLE service)
{
    SERVICE_STATUS_PROCESS status;
    HANDLE event, process;
    DWORD size;
    BOOL ret;

    event = create_event(TRUE);
    subscribe(napNotifyTypeServiceState, event);
    start_service(service, FALSE);
    check_state(service, SERVICE_RUNNING);
    check_signal(event);
    drain_signals(event);

    ret = QueryServiceStatusEx(service, SC_STATUS_PROCESS_INFO, (BYTE *)&status, sizeof(status), &size);
    ok(ret, "Failed to query the service, error %lu.\n", GetLastError());
    process = OpenProcess(PROCESS_TERMINATE | SYNCHRONIZE, FALSE, status.dwProcessId);
    ok(!!process || broken(GetLastError() == ERROR_ACCESS_DENIED), "Failed to open the process, error %lu.\n",
            GetLastError());
    if (process)
    {
        ret = TerminateProcess(process, 1);
        ok(ret, "Failed to terminate the process, error %lu.\n", GetLastError());
        WaitForSingleObject(process, TIMEOUT);
        CloseHandle(process);

        /* Older Wine's service manager goes on calling it running; the notifier knows better. */
        check_signal(event);
    }
    pUninitializeNapAgentNotifier(napNotifyTypeServiceState);
    CloseHandle(event);
}

/* The subscription is older than the service, and outlives it. */
static void test_create_delete(SC_HANDLE manager)
{
    HANDLE event = create_event(TRUE);
    SC_HANDLE service;
    unsigned int i;
    DWORD ret;

    subscribe(napNotifyTypeServiceState, event);
    check_no_signal(event);

    for (i = 0; i < 2; ++i)
    {
        winetest_push_context("round %u", i);

        if (!(service = create_service(manager)))
        {
            win_skip("Only an administrator creates a service.\n");
            winetest_pop_context();
            break;
        }
        ret = WaitForSingleObject(event, TIMEOUT);
        ok(ret == WAIT_OBJECT_0 || broken(ret == WAIT_TIMEOUT), "Got %#lx.\n", ret);
        drain_signals(event);

        start_service(service, FALSE);
        check_state(service, SERVICE_RUNNING);
        ret = WaitForSingleObject(event, TIMEOUT);
        ok(ret == WAIT_OBJECT_0 || broken(ret == WAIT_TIMEOUT), "Got %#lx.\n", ret);
        drain_signals(event);

        stop_service(service);
        check_state(service, SERVICE_STOPPED);
        ret = WaitForSingleObject(event, TIMEOUT);
        ok(ret == WAIT_OBJECT_0 || broken(ret == WAIT_TIMEOUT), "Got %#lx.\n", ret);
        drain_signals(event);

        delete_service(manager, service);
        ret = WaitForSingleObject(event, TIMEOUT);
        ok(ret == WAIT_OBJECT_0 || broken(ret == WAIT_TIMEOUT), "Got %#lx.\n", ret);
        drain_signals(event);

        winetest_pop_context();
    }

    pUninitializeNapAgentNotifier(napNotifyTypeServiceState);
    CloseHandle(event);
}

/* How Windows' agent tells of it is not published; Wine's counts up a value. */
static void test_isolation_state(void)
{
    static const WCHAR path[] = L"System\\CurrentControlSet\\Services\\napagent";
    DWORD i, ret, disposition;
    HKEY service, key;
    LSTATUS status;
    HANDLE event;

    if (strcmp(winetest_platform, "wine")) return;

    status = RegCreateKeyExW(HKEY_LOCAL_MACHINE, path, 0, NULL, REG_OPTION_VOLATILE, KEY_ALL_ACCESS, NULL, &service,
            &disposition);
    ok(!status, "Got %ld.\n", status);
    if (disposition == REG_OPENED_EXISTING_KEY)
    {
        skip("The test needs a napagent service of its own, and there is the agent's.\n");
        RegCloseKey(service);
        return;
    }
    status = RegCreateKeyExW(service, L"State", 0, NULL, REG_OPTION_VOLATILE, KEY_ALL_ACCESS, NULL, &key, NULL);
    ok(!status, "Got %ld.\n", status);
    event = create_event(TRUE);
    subscribe(napNotifyTypeQuarState, event);
    for (i = 1; i < 4; i++)
    {
        check_no_signal(event);
        status = RegSetValueExW(key, L"IsolationStateChanges", 0, REG_DWORD, (BYTE *)&i, sizeof(i));
        ok(!status, "Got %ld.\n", status);
        check_signal(event);
        drain_signals(event);
    }
    pUninitializeNapAgentNotifier(napNotifyTypeQuarState);
    status = RegSetValueExW(key, L"IsolationStateChanges", 0, REG_DWORD, (BYTE *)&i, sizeof(i));
    ok(!status, "Got %ld.\n", status);
    ret = WaitForSingleObject(event, QUIET);
    ok(ret == WAIT_TIMEOUT, "Got %#lx.\n", ret);

    RegDeleteKeyW(key, L"");
    RegCloseKey(key);
    RegDeleteKeyW(service, L"");
    RegCloseKey(service);
    CloseHandle(event);
}

static void test_service(void)
{
    SC_HANDLE manager, service;

    if (!(manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE)))
    {
        ok(GetLastError() == ERROR_ACCESS_DENIED, "Got error %lu.\n", GetLastError());
        win_skip("Only an administrator creates a service.\n");
        return;
    }

    delete_stale_service(manager);
    if (service_exists(manager))
    {
        skip("The test needs a napagent service of its own, and there is the agent's.\n");
    }
    else if (!(service = create_service(manager)))
    {
        win_skip("Only an administrator creates a service.\n");
    }
    else
    {
        test_start_stop(service, TRUE);
        test_start_stop(service, FALSE);
        test_pending(service);
        test_resubscribe(service);
        test_first_event_stays(service);
        test_independent_types(service);
        test_closed_event(service);
        test_uninitialize_in_flight(service);
        test_process_death(service);
        delete_service(manager, service);

        test_create_delete(manager);
    }
    CloseServiceHandle(manager);
}

START_TEST(notifier)
{
    HMODULE qutil;
    char **argv;
    int argc;

    argc = winetest_get_mainargs(&argv);
    if (argc >= 3 && !strcmp(argv[2], "service"))
    {
        run_service();
        return;
    }

    if (!(qutil = LoadLibraryW(L"qutil.dll")))
    {
        win_skip("qutil.dll is not available.\n");
        return;
    }
    pInitializeNapAgentNotifier = (void *)GetProcAddress(qutil, "InitializeNapAgentNotifier");
    pUninitializeNapAgentNotifier = (void *)GetProcAddress(qutil, "UninitializeNapAgentNotifier");
    if (!pInitializeNapAgentNotifier || !pUninitializeNapAgentNotifier)
    {
        win_skip("The notifier is not available.\n");
        FreeLibrary(qutil);
        return;
    }

    test_uninitialize();
    test_invalid_type();
    test_invalid_handle();
    test_already_initialized();
    test_both_types();
    test_no_initial_signal();
    test_handle_leaks();
    test_service();
    test_isolation_state();

    FreeLibrary(qutil);
}
