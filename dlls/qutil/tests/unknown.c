/*
 * Questions about qutil.dll that nothing published answers
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

/* The questions are asked in processes of their own, since Windows may crash, and each answer is printed in one line.
 * Wine has to give the answer that is listed here; Windows may give any. */

#define COBJMACROS

#include <stdarg.h>
#include <stdio.h>

#include "windef.h"
#include "winbase.h"
#include "winreg.h"
#include "winsvc.h"
#include "objbase.h"
#include "naputil.h"

#include "qutil_test.h"

/* How long a question may take, how long a signal that has to come, and how long one that may not come is awaited. */
#define ASK_TIMEOUT 30000
#define TIMEOUT     5000
#define QUIET       500

#define MAX_CASES   128
#define ANSWER_SIZE 256

static HRESULT (WINAPI *pInitializeNapAgentNotifier)(NapNotifyType, HANDLE);
static void (WINAPI *pUninitializeNapAgentNotifier)(NapNotifyType);

static BOOL load_functions(void)
{
    if (!load_qutil())
        return FALSE;
#define X(f) p##f = (void *)GetProcAddress(qutil, #f)
    X(InitializeNapAgentNotifier);
    X(UninitializeNapAgentNotifier);
#undef X
    return TRUE;
}

/* Shared between the processes, so that what is said before a crash isn't lost. */
struct answers
{
    LONG count;
    char text[MAX_CASES][ANSWER_SIZE];
};

static char *answer;

static void WINAPIV say(const char *format, ...) __WINE_PRINTF_ATTR(1, 2);
static void WINAPIV say(const char *format, ...)
{
    size_t length = strlen(answer);
    va_list args;

    if (length && length + 2 < ANSWER_SIZE)
        length += sprintf(answer + length, ", ");
    va_start(args, format);
    _vsnprintf(answer + length, ANSWER_SIZE - 1 - length, format, args);
    va_end(args);
}

static void say_hr(HRESULT hr)
{
    say("%08lx", hr);
}

/* What out parameters hold before a call. Windows may free it. */
static void *stale;

static void say_out(const void *out)
{
    if (!out)
        say("NULL");
    else if (out == stale)
        say("pointer untouched");
    else
        say("another pointer");
}

static void say_freed(const char *name, const void *block)
{
    say("%s %s", name, spy_is_block(block) ? "kept" : "freed");
}

static void say_array(const void *array, unsigned int element_size)
{
    unsigned int i, size = spy_block_size(array);

    if (!array)
    {
        say("no array");
        return;
    }
    for (i = 0; i < size && !((const BYTE *)array)[i]; ++i)
        ;
    say("an array of %u, %s", size / element_size, i == size ? "zeroed" : "not zeroed");
}

static void say_bytes(const void *bytes, unsigned int size)
{
    char text[2 * 64 + 1] = "";
    unsigned int i;

    for (i = 0; i < min(size, 64); ++i)
        sprintf(text + 2 * i, "%02x", ((const BYTE *)bytes)[i]);
    say("%s", text);
}

static void *alloc_zeroed(SIZE_T size)
{
    return memset(CoTaskMemAlloc(size), 0, size);
}

/* Memory. */

static void ask_incoming_pointer(const char *arg)
{
    void *out = stale;
    HRESULT hr;

    if (!strcmp(arg, "AllocCountedString"))
        hr = pAllocCountedString((CountedString **)&out, L"abc");
    else if (!strcmp(arg, "AllocFixupInfo"))
        hr = pAllocFixupInfo((FixupInfo **)&out, 1);
    else
        hr = pAllocConnections((Connections **)&out, 1);
    say_hr(hr);
    if (out == stale)
        say_out(out);
    else
        say_freed("old block", stale);
}

static void ask_failed_alloc(const char *arg)
{
    void *out = stale;
    HRESULT hr;

    spy_fail_at(0);
    if (!strcmp(arg, "AllocCountedString"))
        hr = pAllocCountedString((CountedString **)&out, L"abc");
    else if (!strcmp(arg, "AllocFixupInfo"))
        hr = pAllocFixupInfo((FixupInfo **)&out, 1);
    else
        hr = pAllocConnections((Connections **)&out, 1);
    say_hr(hr);
    say_out(out);
}

static void ask_null_out(const char *arg)
{
    if (!strcmp(arg, "AllocCountedString"))
        say_hr(pAllocCountedString(NULL, L"abc"));
    else if (!strcmp(arg, "AllocFixupInfo"))
        say_hr(pAllocFixupInfo(NULL, 1));
    else
        say_hr(pAllocConnections(NULL, 1));
}

static void ask_null_string(const char *arg)
{
    CountedString *string = stale;

    say_hr(pAllocCountedString(&string, NULL));
    say_out(string);
}

static void ask_string(const char *arg)
{
    unsigned int i, length = atoi(arg);
    CountedString *string = stale;
    WCHAR *source;
    HRESULT hr;

    source = HeapAlloc(GetProcessHeap(), 0, (length + 1) * sizeof(*source));
    for (i = 0; i < length; ++i)
        source[i] = 'a';
    source[i] = 0;
    hr = pAllocCountedString(&string, source);
    say_hr(hr);
    if (hr != S_OK)
    {
        say_out(string);
        return;
    }
    say("length %u", string->length);
    if (string->string)
        say("a buffer of %u", (unsigned int)(spy_block_size(string->string) / sizeof(WCHAR)));
    else
        say("no buffer");
}

static void ask_fixup_info(const char *arg)
{
    FixupInfo *info = stale;
    HRESULT hr;

    hr = pAllocFixupInfo(&info, atoi(arg));
    say_hr(hr);
    if (hr != S_OK)
    {
        say_out(info);
        return;
    }
    say("state %x, percentage %x, message %x, count %u", info->state, info->percentage, info->fixupMsgId,
            info->resultCodes.count);
    say_array(info->resultCodes.results, sizeof(*info->resultCodes.results));
}

static void ask_connections(const char *arg)
{
    Connections *connections = stale;
    HRESULT hr;

    hr = pAllocConnections(&connections, atoi(arg));
    say_hr(hr);
    if (hr != S_OK)
    {
        say_out(connections);
        return;
    }
    say("count %u", connections->count);
    say_array(connections->connections, sizeof(*connections->connections));
}

static void ask_free_null(const char *arg)
{
    void (WINAPI *free_function)(void *) = (void *)GetProcAddress(qutil, arg);

    if (!free_function)
    {
        say("not exported");
        return;
    }
    free_function(NULL);
    say("returns");
}

/* The structures are alike. */
C_ASSERT(FIELD_OFFSET(SoH, count) == FIELD_OFFSET(Connections, count));
C_ASSERT(FIELD_OFFSET(SoH, attributes) == FIELD_OFFSET(Connections, connections));

static void ask_free_null_array(const char *arg)
{
    SoH *soh = alloc_zeroed(sizeof(*soh));

    soh->count = 2;
    if (!strcmp(arg, "FreeSoH"))
        pFreeSoH(soh);
    else
        pFreeConnections((Connections *)soh);
    say_freed("structure", soh);
}

static ULONG WINAPI connection_AddRef(IUnknown *iface)
{
    return 3;
}

struct connection
{
    IUnknown IUnknown_iface;
    unsigned int released;
};

static HRESULT WINAPI connection_QueryInterface(IUnknown *iface, REFIID iid, void **out)
{
    *out = NULL;
    return E_NOINTERFACE;
}

static ULONG WINAPI connection_Release(IUnknown *iface)
{
    ++CONTAINING_RECORD(iface, struct connection, IUnknown_iface)->released;
    return 2;
}

static const IUnknownVtbl connection_vtbl =
{
    connection_QueryInterface,
    connection_AddRef,
    connection_Release,
};

/* A digit for each entry: 1 for an object, 0 for NULL. */
static void ask_connections_references(const char *arg)
{
    struct connection objects[4] = {{{0}}};
    Connections *connections = alloc_zeroed(sizeof(*connections));
    unsigned int i;

    connections->count = strlen(arg);
    connections->connections = alloc_zeroed(ARRAY_SIZE(objects) * sizeof(*connections->connections));
    for (i = 0; i < ARRAY_SIZE(objects); ++i)
    {
        objects[i].IUnknown_iface.lpVtbl = (IUnknownVtbl *)&connection_vtbl;
        if (i >= connections->count || arg[i] == '1')
            connections->connections[i] = (INapEnforcementClientConnection *)&objects[i].IUnknown_iface;
    }
    pFreeConnections(connections);
    say("releases %u, %u, %u, past the count %u", objects[0].released, objects[1].released, objects[2].released,
            objects[3].released);
}

static void ask_free_null_value(const char *arg)
{
    pFreeSoHAttributeValue(atoi(arg), NULL);
    say("returns");
}

static void ask_free_value(const char *arg)
{
    SoHAttributeValue *value = alloc_zeroed(sizeof(*value));
    BYTE *data = alloc_zeroed(8);

    value->octetStringVal.size = 8;
    value->octetStringVal.data = data;
    pFreeSoHAttributeValue(atoi(arg), value);
    say_freed("value", value);
    say_freed("data", data);
}

static void ask_free_info(const char *arg)
{
    NapComponentRegistrationInfo *info = alloc_zeroed(sizeof(*info)), *array = info;
    WCHAR *string = alloc_zeroed(8);

    info->description.length = 3;
    info->description.string = string;
    pFreeNapComponentRegistrationInfoArray(atoi(arg), &array);
    say_freed("array", info);
    say_freed("string", string);
    say("pointer %s", !array ? "NULL" : array == info ? "untouched" : "changed");
}

static void ask_free_no_info(const char *arg)
{
    NapComponentRegistrationInfo *array = NULL;

    pFreeNapComponentRegistrationInfoArray(1, !strcmp(arg, "*info") ? &array : NULL);
    say("returns");
}

/* The notifier. */

static const WCHAR service_name[] = L"napagent";
static const WCHAR service_arguments[] = L" notifier service"; /* which the notifier's tests have */

static HANDLE create_event(void)
{
    return CreateEventW(NULL, TRUE, FALSE, NULL);
}

static void say_signal(const char *name, HANDLE event, DWORD timeout)
{
    say("%s%s", WaitForSingleObject(event, timeout) == WAIT_OBJECT_0 ? "set" : "not set", name);
}

static BOOL wait_for_state(SC_HANDLE service, DWORD state)
{
    SERVICE_STATUS status;
    unsigned int i;

    for (i = 0; i < TIMEOUT / 50; ++i)
    {
        if (QueryServiceStatus(service, &status) && status.dwCurrentState == state)
            return TRUE;
        Sleep(50);
    }
    return FALSE;
}

/* A start or a stop may come with a signal for each state that is passed. */
static void drain_signals(HANDLE event)
{
    unsigned int i;

    for (i = 0; i < 20; ++i)
    {
        ResetEvent(event);
        if (WaitForSingleObject(event, 300) == WAIT_TIMEOUT)
            break;
    }
}

static BOOL start_service(SC_HANDLE service)
{
    unsigned int i;

    /* The process of the previous run may still be about to end. */
    for (i = 0; i < TIMEOUT / 50; ++i)
    {
        if (StartServiceW(service, 0, NULL))
            return wait_for_state(service, SERVICE_RUNNING);
        if (GetLastError() != ERROR_SERVICE_ALREADY_RUNNING)
            break;
        Sleep(50);
    }
    return FALSE;
}

static BOOL stop_service(SC_HANDLE service)
{
    SERVICE_STATUS status;

    return ControlService(service, SERVICE_CONTROL_STOP, &status) && wait_for_state(service, SERVICE_STOPPED);
}

static SC_HANDLE create_service(SC_HANDLE manager)
{
    WCHAR path[MAX_PATH + 64] = L"\"";

    GetModuleFileNameW(NULL, path + 1, MAX_PATH);
    lstrcatW(path, L"\"");
    lstrcatW(path, service_arguments);
    return CreateServiceW(manager, service_name, service_name, SERVICE_ALL_ACCESS, SERVICE_WIN32_OWN_PROCESS,
            SERVICE_DEMAND_START, SERVICE_ERROR_IGNORE, path, NULL, NULL, NULL, NULL, NULL);
}

static void delete_service(SC_HANDLE manager, SC_HANDLE service)
{
    unsigned int i;

    DeleteService(service);
    CloseServiceHandle(service);
    for (i = 0; i < TIMEOUT / 50; ++i)
    {
        if (!(service = OpenServiceW(manager, service_name, SERVICE_QUERY_STATUS)))
            break;
        CloseServiceHandle(service);
        Sleep(50);
    }
}

/* What a process that died or was killed left behind. */
static void delete_stale_service(void)
{
    static BYTE buffer[8192];
    QUERY_SERVICE_CONFIGW *config = (QUERY_SERVICE_CONFIGW *)buffer;
    int length, suffix_length = ARRAY_SIZE(service_arguments) - 1;
    SC_HANDLE manager, service;
    DWORD size;

    if (!(manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT)))
        return;
    if ((service = OpenServiceW(manager, service_name, SERVICE_ALL_ACCESS)))
    {
        if (QueryServiceConfigW(service, config, sizeof(buffer), &size)
                && (length = lstrlenW(config->lpBinaryPathName)) > suffix_length
                && !lstrcmpW(config->lpBinaryPathName + length - suffix_length, service_arguments))
        {
            stop_service(service);
            delete_service(manager, service);
        }
        else
        {
            CloseServiceHandle(service);
        }
    }
    CloseServiceHandle(manager);
}

/* Calls the function with the agent's service, where there is one that is stopped and may be started, or else with one
 * of the test's own. */
static void with_service(void (*ask)(SC_HANDLE service, const char *arg), const char *arg)
{
    SC_HANDLE manager, service = NULL;
    BOOL created = FALSE;

    if ((manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE))
            && !(service = OpenServiceW(manager, service_name, SERVICE_QUERY_STATUS | SERVICE_START | SERVICE_STOP))
            && GetLastError() == ERROR_SERVICE_DOES_NOT_EXIST)
        created = !!(service = create_service(manager));

    if (!service)
        say("not asked, since the service can't be opened, error %lu", GetLastError());
    else if (!created && !wait_for_state(service, SERVICE_STOPPED))
        say("not asked, since the service isn't stopped");
    else if (!start_service(service))
        say("not asked, since the service can't be started, error %lu", GetLastError());
    else if (!stop_service(service))
        say("not asked, since the service can't be stopped, error %lu", GetLastError());
    else
        ask(service, arg);

    if (created)
        delete_service(manager, service);
    else if (service)
        CloseServiceHandle(service);
    if (manager)
        CloseServiceHandle(manager);
}

static void ask_second_subscription(const char *arg)
{
    NapNotifyType type = atoi(arg);
    HANDLE event = create_event();

    say_hr(pInitializeNapAgentNotifier(type, event));
    say_hr(pInitializeNapAgentNotifier(type, event));
    pUninitializeNapAgentNotifier(type);
}

static void second_event(SC_HANDLE service, const char *arg)
{
    HANDLE event = create_event(), other = create_event();

    pInitializeNapAgentNotifier(napNotifyTypeServiceState, event);
    pInitializeNapAgentNotifier(napNotifyTypeServiceState, other);
    start_service(service);
    say_signal(" the first", event, TIMEOUT);
    say_signal(" the second", other, QUIET);
    pUninitializeNapAgentNotifier(napNotifyTypeServiceState);
    stop_service(service);
}

static void ask_second_event(const char *arg)
{
    with_service(second_event, arg);
}

static void event_kind(SC_HANDLE service, const char *arg)
{
    BOOL manual_reset = !strcmp(arg, "manual-reset");
    HANDLE event = CreateEventW(NULL, manual_reset, FALSE, NULL);

    say_hr(pInitializeNapAgentNotifier(napNotifyTypeServiceState, event));
    start_service(service);
    say_signal(" at the start", event, TIMEOUT);
    if (manual_reset)
        say_signal(" later", event, 0);
    drain_signals(event);
    stop_service(service);
    say_signal(" at the stop", event, TIMEOUT);
    pUninitializeNapAgentNotifier(napNotifyTypeServiceState);
}

static void ask_event_kind(const char *arg)
{
    with_service(event_kind, arg);
}

static void ask_notify_type(const char *arg)
{
    NapNotifyType type = strtoul(arg, NULL, 0);

    say_hr(pInitializeNapAgentNotifier(type, create_event()));
    pUninitializeNapAgentNotifier(type);
}

static void ask_handle(const char *arg)
{
    HANDLE handle = NULL;

    if (!strcmp(arg, "INVALID_HANDLE_VALUE"))
        handle = INVALID_HANDLE_VALUE;
    else if (!strcmp(arg, "a closed event"))
        CloseHandle(handle = create_event());
    else if (!strcmp(arg, "a mutex"))
        handle = CreateMutexW(NULL, FALSE, NULL);
    else if (!strcmp(arg, "a semaphore"))
        handle = CreateSemaphoreW(NULL, 0, 1, NULL);
    say_hr(pInitializeNapAgentNotifier(napNotifyTypeServiceState, handle));
    pUninitializeNapAgentNotifier(napNotifyTypeServiceState);
}

static void ask_absent_service(const char *arg)
{
    SC_HANDLE manager, service;
    HANDLE event;

    if (!(manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE)))
    {
        say("not asked, since there is no right to create a service");
        return;
    }
    if ((service = OpenServiceW(manager, service_name, SERVICE_QUERY_STATUS)))
    {
        say("not asked, since the service is there");
        CloseServiceHandle(service);
    }
    else
    {
        event = create_event();
        say_hr(pInitializeNapAgentNotifier(napNotifyTypeServiceState, event));
        service = create_service(manager);
        say_signal(" at the creation", event, TIMEOUT);
        drain_signals(event);
        delete_service(manager, service);
        say_signal(" at the deletion", event, TIMEOUT);
        pUninitializeNapAgentNotifier(napNotifyTypeServiceState);
    }
    CloseServiceHandle(manager);
}

static void stopped_service(SC_HANDLE service, const char *arg)
{
    say_hr(pInitializeNapAgentNotifier(napNotifyTypeServiceState, create_event()));
    pUninitializeNapAgentNotifier(napNotifyTypeServiceState);
}

static void ask_stopped_service(const char *arg)
{
    with_service(stopped_service, arg);
}

static void closed_event(SC_HANDLE service, const char *arg)
{
    HANDLE event = create_event(), watched;

    DuplicateHandle(GetCurrentProcess(), event, GetCurrentProcess(), &watched, 0, FALSE, DUPLICATE_SAME_ACCESS);
    say_hr(pInitializeNapAgentNotifier(napNotifyTypeServiceState, event));
    CloseHandle(event);
    start_service(service);
    say_signal(" after the handle was closed", watched, TIMEOUT);
    pUninitializeNapAgentNotifier(napNotifyTypeServiceState);
    stop_service(service);
}

static void ask_closed_event(const char *arg)
{
    with_service(closed_event, arg);
}

static void ask_initial_signal(const char *arg)
{
    HANDLE event = create_event();

    say_hr(pInitializeNapAgentNotifier(atoi(arg), event));
    say_signal("", event, QUIET);
    pUninitializeNapAgentNotifier(atoi(arg));
}

static void signal_in_flight(SC_HANDLE service, const char *arg)
{
    HANDLE event = create_event();
    unsigned int i, late = 0;

    for (i = 0; i < 6; ++i)
    {
        SERVICE_STATUS status;

        pInitializeNapAgentNotifier(napNotifyTypeServiceState, event);
        if (i & 1)
            ControlService(service, SERVICE_CONTROL_STOP, &status);
        else
            StartServiceW(service, 0, NULL);
        Sleep(5 * i);
        pUninitializeNapAgentNotifier(napNotifyTypeServiceState);
        ResetEvent(event);
        wait_for_state(service, i & 1 ? SERVICE_STOPPED : SERVICE_RUNNING);
        if (WaitForSingleObject(event, QUIET) == WAIT_OBJECT_0)
            ++late;
    }
    say("%u of %u came afterwards", late, i);
}

static void ask_signal_in_flight(const char *arg)
{
    with_service(signal_in_flight, arg);
}

/* Attributes. */

/* Appends an array of "type:count" elements, which may be NULL, and says what became of it. */
static void append_array(const char *arg, BOOL null)
{
    INapSoHConstructor *constructor = create_packet(EXAMPLE_ID, TRUE);
    unsigned int type = strtoul(arg, NULL, 0), count = atoi(strchr(arg, ':') + 1);
    SoHAttributeValue value;
    HRESULT hr;
    SoH *soh;

    memset(&value, 0, sizeof(value));
    if (get_arm(type) == ARM_VENDOR)
        value.vendorSpecificVal.vendorId = EXAMPLE_ID;
    set_array(type, &value, null ? NULL : alloc_zeroed(count * get_element_size(type)), count);
    hr = INapSoHConstructor_AppendAttribute(constructor, type, &value);
    say_hr(hr);
    if (hr != S_OK)
        return;
    soh = get_soh(constructor);
    if (soh->count == 2)
        say("type %u, size %u", soh->attributes[1].type, soh->attributes[1].size);
    else
        say("%u attributes", soh->count);
}

static void ask_array(const char *arg)
{
    append_array(arg, FALSE);
}

static void ask_null_array(const char *arg)
{
    append_array(arg, TRUE);
}

static void ask_null_value(const char *arg)
{
    say_hr(INapSoHConstructor_AppendAttribute(create_packet(EXAMPLE_ID, TRUE), atoi(arg), NULL));
}

/* The accepted ones of all values. */
static void ask_uint8(const char *arg)
{
    SoHAttributeValue value;
    unsigned int i, first = 0;
    HRESULT hr, previous = E_FAIL;

    memset(&value, 0, sizeof(value));
    for (i = 0; i <= 256; ++i)
    {
        value.uint8Val = i;
        hr = i < 256 ? INapSoHConstructor_AppendAttribute(create_packet(EXAMPLE_ID, TRUE), atoi(arg), &value) : E_FAIL;
        if (hr == S_OK && previous != S_OK)
            first = i;
        else if (hr != S_OK && previous == S_OK)
            say("%u to %u", first, i - 1);
        previous = hr;
    }
}

static void ask_code_bytes(const char *arg)
{
    INapSoHConstructor *constructor = create_packet(EXAMPLE_ID, TRUE);
    HRESULT codes[] = {0x80270050, 0x01020304};
    SoHAttributeValue value;
    SoH *soh;

    memset(&value, 0, sizeof(value));
    value.codesVal.count = ARRAY_SIZE(codes);
    value.codesVal.results = codes;
    say_hr(INapSoHConstructor_AppendAttribute(constructor, sohAttributeTypeComplianceResultCodes, &value));
    soh = get_soh(constructor);
    say_bytes(soh->attributes[1].value, soh->attributes[1].size);
}

static void ask_time_bytes(const char *arg)
{
    INapSoHConstructor *constructor = create_packet(EXAMPLE_ID, TRUE);
    SoHAttributeValue value;
    SoH *soh;

    memset(&value, 0, sizeof(value));
    value.dateTimeVal.dwHighDateTime = 0x01020304;
    value.dateTimeVal.dwLowDateTime = 0x05060708;
    say_hr(INapSoHConstructor_AppendAttribute(constructor, sohAttributeTypeTimeOfLastUpdate, &value));
    soh = get_soh(constructor);
    say_bytes(soh->attributes[1].value, soh->attributes[1].size);
}

/* The request of the SDK's sample. */
static void ask_entry(const char *arg)
{
    INapSoHConstructor *constructor = create_packet(EXAMPLE_ID, TRUE);
    BYTE data[] = {0xaa, 0xaa}, entry[64];
    unsigned int i, size = 0;
    SoHAttributeValue value;
    SoH *soh;

    memset(&value, 0, sizeof(value));
    value.vendorSpecificVal.vendorId = EXAMPLE_ID;
    value.vendorSpecificVal.size = sizeof(data);
    value.vendorSpecificVal.vendorSpecificData = data;
    say_hr(INapSoHConstructor_AppendAttribute(constructor, sohAttributeTypeVendorSpecific, &value));
    soh = get_soh(constructor);
    for (i = 0; i < soh->count && size + 4 + soh->attributes[i].size <= sizeof(entry); ++i)
    {
        entry[size++] = soh->attributes[i].type >> 8;
        entry[size++] = soh->attributes[i].type;
        entry[size++] = soh->attributes[i].size >> 8;
        entry[size++] = soh->attributes[i].size;
        memcpy(entry + size, soh->attributes[i].value, soh->attributes[i].size);
        size += soh->attributes[i].size;
    }
    say_bytes(entry, size);
}

/* The constructor. */

static HRESULT append_category(INapSoHConstructor *constructor)
{
    SoHAttributeValue value;

    memset(&value, 0, sizeof(value));
    value.uint8Val = failureCategoryOther;
    return INapSoHConstructor_AppendAttribute(constructor, sohAttributeTypeFailureCategory, &value);
}

static void ask_constructor_twice(const char *arg)
{
    INapSoHConstructor *constructor = create_packet(EXAMPLE_ID, TRUE);
    SoH *soh;

    append_category(constructor);
    say_hr(INapSoHConstructor_Initialize(constructor, 0xfedcba98, FALSE));
    soh = get_soh(constructor);
    say("%u attributes", soh->count);
    say_bytes(soh->attributes[0].value, soh->attributes[0].size);
}

static void ask_constructor_uninitialized(const char *arg)
{
    INapSoHConstructor *constructor = create_constructor();
    SoH *soh = stale;

    if (!strcmp(arg, "AppendAttribute"))
        say_hr(append_category(constructor));
    else
        say_hr(INapSoHConstructor_GetSoH(constructor, &soh));
}

static void ask_append_id(const char *arg)
{
    SoHAttributeValue value;

    memset(&value, 0, sizeof(value));
    value.idVal = EXAMPLE_ID;
    say_hr(INapSoHConstructor_AppendAttribute(create_packet(EXAMPLE_ID, TRUE), sohAttributeTypeSystemHealthId, &value));
}

static void ask_attribute_count(const char *arg)
{
    INapSoHConstructor *constructor = create_packet(EXAMPLE_ID, TRUE);
    unsigned int i;
    HRESULT hr;

    for (i = 1; i < 300; ++i)
    {
        if ((hr = append_category(constructor)) != S_OK)
            break;
    }
    say("%u attributes", i);
    say_hr(hr);
    say("then %u", get_soh(constructor)->count);
}

static void ask_total_size(const char *arg)
{
    INapSoHConstructor *constructor = create_packet(EXAMPLE_ID, TRUE);
    SoHAttributeValue value;
    HRESULT hr = S_OK;
    unsigned int i;

    memset(&value, 0, sizeof(value));
    value.octetStringVal.size = maxSoHAttributeSize;
    value.octetStringVal.data = alloc_zeroed(maxSoHAttributeSize);
    for (i = 1; i < maxSoHAttributeCount; ++i)
    {
        if ((hr = INapSoHConstructor_AppendAttribute(constructor, sohAttributeTypeClientId, &value)) != S_OK)
            break;
    }
    say("%u attributes", i);
    say_hr(hr);
}

static void ask_GetSoH_again(const char *arg)
{
    INapSoHConstructor *constructor = create_packet(EXAMPLE_ID, TRUE);
    SoH *first = stale, *second = stale, *third = stale;

    say_hr(INapSoHConstructor_GetSoH(constructor, &first));
    say_hr(INapSoHConstructor_GetSoH(constructor, &second));
    say_hr(append_category(constructor));
    say_hr(INapSoHConstructor_GetSoH(constructor, &third));
    if (first == second || first == third)
        say("the same SoH");
    else
        say("counts %u, %u, %u", first->count, second->count, third->count);
}

static void ask_no_verdict(const char *arg)
{
    SoH *soh = stale;

    say_hr(INapSoHConstructor_GetSoH(create_packet(EXAMPLE_ID, FALSE), &soh));
}

static void ask_soh_after_failure(const char *arg)
{
    BOOL out_of_memory = !strcmp(arg, "out of memory");
    INapSoHConstructor *constructor = out_of_memory ? create_packet(EXAMPLE_ID, TRUE) : create_constructor();
    SoH *soh = stale;

    if (out_of_memory)
        spy_fail_at(0);
    say_hr(INapSoHConstructor_GetSoH(constructor, &soh));
    say_out(soh);
}

static void ask_constructor_null(const char *arg)
{
    INapSoHConstructor *constructor = create_packet(EXAMPLE_ID, TRUE);

    if (!strcmp(arg, "GetSoH"))
        say_hr(INapSoHConstructor_GetSoH(constructor, NULL));
    else
        say_hr(INapSoHConstructor_Validate(constructor, NULL, TRUE));
}

static const char no_attributes[] = "no attributes";

static SoH *build_packet(const char *arg)
{
    return build_soh(strcmp(arg, no_attributes) ? arg : "");
}

static void ask_Validate_uninitialized(const char *arg)
{
    say_hr(INapSoHConstructor_Validate(create_constructor(), build_packet(arg), TRUE));
}

static void ask_Validate_request(const char *arg)
{
    say_hr(INapSoHConstructor_Validate(create_packet(EXAMPLE_ID, TRUE), build_packet(arg), TRUE));
}

static void ask_Validate_response(const char *arg)
{
    say_hr(INapSoHConstructor_Validate(create_packet(EXAMPLE_ID, FALSE), build_packet(arg), FALSE));
}

static void ask_Validate_null_array(const char *arg)
{
    SoH soh = {2, NULL};

    say_hr(INapSoHConstructor_Validate(create_packet(EXAMPLE_ID, TRUE), &soh, TRUE));
}

static DWORD WINAPI append_thread(void *arg)
{
    INapSoHConstructor *constructor = *(INapSoHConstructor **)arg;
    unsigned int i;

    for (i = 0; i < 12; ++i)
        append_category(constructor);
    return 0;
}

static void ask_constructor_threads(const char *arg)
{
    INapSoHConstructor *constructors[THREAD_COUNT];
    unsigned int i, whole = 0;
    SoH *soh;

    constructors[0] = create_packet(EXAMPLE_ID, TRUE);
    for (i = 1; i < THREAD_COUNT; ++i)
        constructors[i] = constructors[0];
    run_threads(append_thread, constructors, sizeof(*constructors), THREAD_COUNT);
    soh = get_soh(constructors[0]);
    for (i = 1; i < soh->count; ++i)
    {
        if (soh->attributes[i].type == sohAttributeTypeFailureCategory && soh->attributes[i].size == 1
                && soh->attributes[i].value[0] == failureCategoryOther)
            ++whole;
    }
    say("%u of %u arrived", whole, 12 * THREAD_COUNT);
}

/* The processor. */

static const char request[] = "2:4 4:4 14:1";

static void ask_packet(const char *arg)
{
    SystemHealthEntityId id;
    unsigned int i;

    for (i = 0; i < 2; ++i)
        say("%08lx as a %s", INapSoHProcessor_Initialize(create_processor(), build_packet(arg), !i, &id),
                i ? "response" : "request");
    for (i = 0; i < 2; ++i)
        say("%s%08lx", i ? "" : "Validate ",
                INapSoHConstructor_Validate(create_packet(EXAMPLE_ID, !i), build_packet(arg), !i));
}

static void ask_processor_twice(const char *arg)
{
    INapSoHProcessor *processor = create_reader(build_soh(request), TRUE);
    SystemHealthEntityId id;
    UINT16 count = 0;

    say_hr(INapSoHProcessor_Initialize(processor, build_soh("2:4 4:4*4"), TRUE, &id));
    INapSoHProcessor_GetNumberOfAttributes(processor, &count);
    say("%u attributes", count);
}

static void ask_processor_again(const char *arg)
{
    INapSoHProcessor *processor = create_processor();
    SystemHealthEntityId id;

    say_hr(INapSoHProcessor_Initialize(processor, build_soh("4:4"), TRUE, &id));
    say_hr(INapSoHProcessor_Initialize(processor, build_soh(request), TRUE, &id));
}

static void ask_processor_uninitialized(const char *arg)
{
    INapSoHProcessor *processor = create_processor();
    SoHAttributeValue *value = stale;
    SoHAttributeType type;
    UINT16 count;

    if (!strcmp(arg, "FindNextAttribute"))
        say_hr(INapSoHProcessor_FindNextAttribute(processor, 0, sohAttributeTypeSystemHealthId, &count));
    else if (!strcmp(arg, "GetAttribute"))
        say_hr(INapSoHProcessor_GetAttribute(processor, 0, &type, &value));
    else
        say_hr(INapSoHProcessor_GetNumberOfAttributes(processor, &count));
}

static void ask_changed_soh(const char *arg)
{
    BYTE id[] = {0x00, 0x01, 0x37, 0xf0}, category[] = {1};
    SoHAttribute attributes[] =
    {
        {sohAttributeTypeSystemHealthId, sizeof(id), id},
        {sohAttributeTypeFailureCategory, sizeof(category), category},
    };
    SoH soh = {ARRAY_SIZE(attributes), attributes};
    INapSoHProcessor *processor = create_reader(&soh, TRUE);
    SoHAttributeValue *value = stale;
    SoHAttributeType type = 0;

    category[0] = 2;
    attributes[1].type = sohAttributeTypeHealthClass;
    say_hr(INapSoHProcessor_GetAttribute(processor, 1, &type, &value));
    say("type %u, value %u", type, value == stale ? 0 : value->uint8Val);
}

static void ask_find(const char *arg)
{
    UINT16 index;

    say_hr(INapSoHProcessor_FindNextAttribute(create_reader(build_soh(request), TRUE), 0, strtoul(arg, NULL, 0), &index));
}

static void ask_index(const char *arg)
{
    INapSoHProcessor *processor = create_reader(build_soh(request), TRUE);
    SoHAttributeValue *value = stale;
    SoHAttributeType type;
    UINT16 index;

    say_hr(INapSoHProcessor_FindNextAttribute(processor, atoi(arg), sohAttributeTypeSystemHealthId, &index));
    say_hr(INapSoHProcessor_GetAttribute(processor, atoi(arg), &type, &value));
}

static void ask_value_after_failure(const char *arg)
{
    INapSoHProcessor *processor = create_reader(build_soh(request), TRUE);
    SoHAttributeValue *value = stale;
    SoHAttributeType type;

    if (!strcmp(arg, "out of memory"))
    {
        spy_fail_at(0);
        say_hr(INapSoHProcessor_GetAttribute(processor, 1, &type, &value));
    }
    else
    {
        say_hr(INapSoHProcessor_GetAttribute(processor, 3, &type, &value));
    }
    say_out(value);
}

static void ask_processor_id(const char *arg)
{
    INapSoHProcessor *processor = create_reader(build_soh(request), TRUE);
    SoHAttributeValue *value = stale;
    SoHAttributeType type = 0;
    UINT16 count = 0;
    HRESULT hr;

    INapSoHProcessor_GetNumberOfAttributes(processor, &count);
    say("%u of 3 attributes", count);
    hr = INapSoHProcessor_GetAttribute(processor, 0, &type, &value);
    say_hr(hr);
    if (hr == S_OK)
        say("type %u, id %08x", type, value->idVal);
}

static void ask_processor_null(const char *arg)
{
    INapSoHProcessor *processor = create_processor();
    SoHAttributeValue *value = stale;
    SystemHealthEntityId id;
    SoHAttributeType type;

    if (!strcmp(arg, "Initialize, no SoH"))
    {
        say_hr(INapSoHProcessor_Initialize(processor, NULL, TRUE, &id));
        return;
    }
    if (!strcmp(arg, "Initialize, no id"))
    {
        say_hr(INapSoHProcessor_Initialize(processor, build_soh(request), TRUE, NULL));
        return;
    }
    INapSoHProcessor_Initialize(processor, build_soh(request), TRUE, &id);
    if (!strcmp(arg, "FindNextAttribute"))
        say_hr(INapSoHProcessor_FindNextAttribute(processor, 0, sohAttributeTypeSystemHealthId, NULL));
    else if (!strcmp(arg, "GetAttribute, no type"))
        say_hr(INapSoHProcessor_GetAttribute(processor, 1, NULL, &value));
    else if (!strcmp(arg, "GetAttribute, no value"))
        say_hr(INapSoHProcessor_GetAttribute(processor, 1, &type, NULL));
    else
        say_hr(INapSoHProcessor_GetNumberOfAttributes(processor, NULL));
}

struct read_data
{
    INapSoHProcessor *processor;
    unsigned int right;
};

static DWORD WINAPI read_thread(void *arg)
{
    struct read_data *data = arg;
    SoHAttributeValue *value;
    SoHAttributeType type;
    unsigned int i;

    for (i = 0; i < 100; ++i)
    {
        if (INapSoHProcessor_GetAttribute(data->processor, 2, &type, &value) != S_OK)
            continue;
        if (type == sohAttributeTypeFailureCategory && value->uint8Val == 1)
            ++data->right;
        pFreeSoHAttributeValue(type, value);
    }
    return 0;
}

static void ask_processor_threads(const char *arg)
{
    INapSoHProcessor *processor = create_reader(build_soh(request), TRUE);
    struct read_data data[THREAD_COUNT];
    unsigned int i, right = 0;

    for (i = 0; i < THREAD_COUNT; ++i)
    {
        data[i].processor = processor;
        data[i].right = 0;
    }
    run_threads(read_thread, data, sizeof(*data), THREAD_COUNT);
    for (i = 0; i < THREAD_COUNT; ++i)
        right += data[i].right;
    say("%u of %u were read", right, 100 * THREAD_COUNT);
}

/* The classes. */

static const CLSID *get_clsid(const char *name)
{
    return !strcmp(name, "NapSoHConstructor") ? &CLSID_NapSoHConstructor : &CLSID_NapSoHProcessor;
}

static void ask_aggregation(const char *arg)
{
    struct connection outer = {{(IUnknownVtbl *)&connection_vtbl}};
    IClassFactory *factory;
    void *object = stale;
    HRESULT hr;

    if ((hr = pDllGetClassObject(get_clsid(arg), &IID_IClassFactory, (void **)&factory)) == S_OK)
        hr = IClassFactory_CreateInstance(factory, &outer.IUnknown_iface, &IID_IUnknown, &object);
    say_hr(hr);
}

static void ask_threading_model(const char *arg)
{
    char path[64 + sizeof("CLSID\\") + sizeof("\\InprocServer32")], model[32] = "";
    DWORD size = sizeof(model) - 1;
    HKEY key;

    sprintf(path, "CLSID\\%s\\InprocServer32", wine_dbgstr_guid(get_clsid(arg)));
    if (RegOpenKeyExA(HKEY_CLASSES_ROOT, path, 0, KEY_READ, &key))
    {
        say("not registered");
        return;
    }
    if (RegQueryValueExA(key, "ThreadingModel", NULL, NULL, (BYTE *)model, &size))
        strcpy(model, "none");
    RegCloseKey(key);
    say("%s", model);
}

/* The list. A question has a number, which its kin share, and a case for each way to ask it. */

static const struct question
{
    const char *number;
    const char *text;
    void (*ask)(const char *arg);
    struct
    {
        const char *arg;
        const char *answer;
    }
    cases[10];
}
questions[] =
{
    {"U-10", "The out pointer's incoming value", ask_incoming_pointer,
        {
            {"AllocCountedString", "00000000, old block kept"},
            {"AllocFixupInfo", "00000000, old block kept"},
            {"AllocConnections", "00000000, old block kept"},
        }
    },
    {"U-10", "The out pointer's value after a failure", ask_failed_alloc,
        {
            {"AllocCountedString", "8007000e, NULL"},
            {"AllocFixupInfo", "8007000e, NULL"},
            {"AllocConnections", "8007000e, NULL"},
        }
    },

    {"U-09", "A NULL string", ask_null_string, {{"AllocCountedString", "80070057, NULL"}}},
    {"U-09", "A NULL out pointer", ask_null_out, {{"AllocCountedString", "80070057"}}},
    {"U-09", "An empty string", ask_string, {{"0", "00000000, length 0, a buffer of 1"}}},
    {"U-09", "More than maxStringLength characters", ask_string,
        {
            {"1025", "80070057, NULL"},
            {"65535", "80070057, NULL"},
        }
    },
    {"U-09", "More than 65535 characters, which length can't hold", ask_string,
        {
            {"65536", "80070057, NULL"},
            {"65539", "80070057, NULL"},
        }
    },

    {"U-11", "The members' initial values", ask_fixup_info,
        {{"2", "00000000, state 0, percentage 0, message 0, count 2, an array of 2, zeroed"}}},
    {"U-11", "Count 0", ask_fixup_info, {{"0", "00000000, state 0, percentage 0, message 0, count 0, no array"}}},
    {"U-11", "Count over maxDwordCountPerSoHAttribute (1000)", ask_fixup_info,
        {
            {"1001", "80070057, NULL"},
            {"65535", "80070057, NULL"},
        }
    },
    {"U-11", "A NULL out pointer", ask_null_out, {{"AllocFixupInfo", "80070057"}}},

    {"U-12", "connections for count 0", ask_connections, {{"0", "00000000, count 0, no array"}}},
    {"U-12", "The initial values", ask_connections, {{"2", "00000000, count 2, an array of 2, zeroed"}}},
    {"U-12", "Count over maxConnectionCountPerEnforcer (20)", ask_connections,
        {
            {"21", "80070057, NULL"},
            {"65535", "80070057, NULL"},
        }
    },
    {"U-12", "A NULL out pointer", ask_null_out, {{"AllocConnections", "80070057"}}},

    {"U-14", "NULL for any other Free function of one argument", ask_free_null,
        {
            {"FreeConnections", "returns"},
            {"FreeCountedString", "returns"},
            {"FreeFixupInfo", "returns"},
            {"FreeIsolationInfoEx", "returns"},
            {"FreeNetworkSoH", "returns"},
            {"FreePrivateData", "returns"},
            {"FreeSystemHealthAgentState", "returns"},
        }
    },
    {"U-14", "A NULL array with a count other than 0", ask_free_null_array,
        {
            {"FreeSoH", "structure freed"},
            {"FreeConnections", "structure freed"},
        }
    },
    {"U-13", "FreeConnections and the references of the entries", ask_connections_references,
        {{"111", "releases 1, 1, 1, past the count 0"}}},
    {"U-13", "FreeConnections and NULL entries", ask_connections_references,
        {
            {"101", "releases 1, 0, 1, past the count 0"},
            {"000", "releases 0, 0, 0, past the count 0"},
        }
    },

    {"U-14", "NULL with another type", ask_free_null_value,
        {{"2", "returns"}, {"3", "returns"}, {"4", "returns"}, {"7", "returns"}, {"10", "returns"}, {"17", "returns"}}},
    {"U-16", "A type that isn't in the enumeration", ask_free_value,
        {
            {"17", "value freed, data freed"},
            {"4096", "value freed, data freed"},
        }
    },

    {"U-15", "*info afterwards", ask_free_info, {{"1", "array freed, string freed, pointer NULL"}}},
    {"U-15", "Count 0", ask_free_info, {{"0", "array freed, string kept, pointer NULL"}}},
    {"U-15", "NULL info or *info", ask_free_no_info, {{"info", "returns"}, {"*info", "returns"}}},

    {"U-06", "The second Initialize's return value", ask_second_subscription,
        {
            {"1", "00000000, 800704df"},
            {"2", "00000000, 800704df"},
        }
    },
    {"U-06", "The second Initialize's event", ask_second_event, {{"", "set the first, not set the second"}}},
    {"U-17", "Auto-reset and manual-reset events", ask_event_kind,
        {
            {"auto-reset", "00000000, set at the start, set at the stop"},
            {"manual-reset", "00000000, set at the start, set later, set at the stop"},
        }
    },
    {"U-17", "A type other than 1 and 2", ask_notify_type,
        {{"0", "80070057"}, {"3", "80070057"}, {"0xffffffff", "80070057"}, {"0x10001", "80070057"}}},
    {"U-17", "NULL, an invalid handle or one that is no event", ask_handle,
        {
            {"NULL", "80070057"},
            {"INVALID_HANDLE_VALUE", "80070057"},
            {"a closed event", "80070057"},
            {"a mutex", "80070057"},
            {"a semaphore", "80070057"},
        }
    },
    {"U-17", "Initialize while the service is absent", ask_absent_service,
        {{"", "00000000, set at the creation, set at the deletion"}}},
    {"U-17", "Initialize while the service is stopped", ask_stopped_service, {{"", "00000000"}}},
    {"U-17", "The event handle", ask_closed_event, {{"", "00000000, set after the handle was closed"}}},
    {"U-17", "A signal at subscription", ask_initial_signal,
        {
            {"1", "00000000, not set"},
            {"2", "00000000, not set"},
        }
    },
    {"U-17", "Uninitialize with a signal in flight", ask_signal_in_flight, {{"", "0 of 6 came afterwards"}}},

    {"U-18", "The bytes at SoHAttribute.value", ask_code_bytes, {{"", "00000000, 8027005001020304"}}},
    {"U-18", "A time's bytes", ask_time_bytes, {{"", "00000000, 0102030405060708"}}},
    {"U-19", "Counts and sizes outside of that", ask_array,
        {
            {"3:0", "80070057"},
            {"3:1001", "80070057"},
            {"4:1001", "80070057"},
            {"4:16385", "80070057"},
            {"6:4001", "80070057"},
            {"7:3997", "80070057"},
            {"7:65533", "80070057"},
            {"15:0", "80070057"},
            {"15:251", "80070057"},
            {"17:4001", "80070057"},
        }
    },
    {"U-19", "No result codes, an empty octet string, no vendor's data", ask_null_array,
        {
            {"4:0", "00000000, type 4, size 0"},
            {"13:0", "00000000, type 13, size 0"},
            {"6:0", "00000000, type 6, size 0"},
            {"7:0", "00000000, type 7, size 4"},
            {"17:0", "00000000, type 17, size 0"},
        }
    },
    {"U-19", "A NULL array with a count other than 0", ask_null_array,
        {{"3:1", "80070057"}, {"4:1", "80070057"}, {"6:1", "80070057"}, {"7:1", "80070057"}, {"15:1", "80070057"}}},
    {"U-19", "A NULL value", ask_null_value,
        {{"3", "80070057"}, {"4", "80070057"}, {"5", "80070057"}, {"6", "80070057"}, {"7", "80070057"}, {"8", "80070057"}}},
    {"U-19", "Health classes, failure categories and extended states that have no name", ask_uint8,
        {{"8", "0 to 255"}, {"14", "0 to 255"}, {"16", "0 to 255"}}},
    {"U-19", "Types 0 and 1, and those over 14 bits", ask_array,
        {
            {"0:3", "00000000, type 0, size 3"},
            {"1:3", "00000000, type 1, size 3"},
            {"0x4000:3", "00000000, type 16384, size 3"},
            {"0x8004:3", "00000000, type 32772, size 3"},
            {"0xffff:3", "00000000, type 65535, size 3"},
        }
    },
    {"U-19", "Types over 16 bits", ask_array,
        {{"0x10000:3", "80070057"}, {"0x10006:3", "80070057"}, {"0xffffffff:3", "80070057"}}},

    {"U-19", "A second Initialize", ask_constructor_twice, {{"", "800704df, 2 attributes, 000137f0"}}},
    {"U-19", "AppendAttribute and GetSoH before Initialize", ask_constructor_uninitialized,
        {
            {"AppendAttribute", "80270007"},
            {"GetSoH", "80270007"},
        }
    },
    {"U-19", "What AppendAttribute returns for a SystemHealthId", ask_append_id, {{"", "80070057"}}},
    {"U-19", "A 101st attribute, the SystemHealthId counted", ask_attribute_count,
        {{"", "100 attributes, 80070057, then 100"}}},
    {"U-19", "The size of all attributes together", ask_total_size, {{"", "100 attributes, 00000000"}}},
    {"U-19", "GetSoH again, and appending after it", ask_GetSoH_again,
        {{"", "00000000, 00000000, 00000000, 00000000, counts 1, 1, 2"}}},
    {"U-19", "GetSoH of a response without a verdict", ask_no_verdict, {{"", "00000000"}}},
    {"U-19", "*soh after a failure", ask_soh_after_failure,
        {
            {"not initialized", "80270007, NULL"},
            {"out of memory", "8007000e, NULL"},
        }
    },
    {"U-19", "A NULL out pointer or SoH", ask_constructor_null, {{"GetSoH", "80070057"}, {"Validate", "80070057"}}},
    {"U-20", "Validate before Initialize", ask_Validate_uninitialized,
        {
            {"2:4 4:4", "00000000"},
            {"4:4", "80270001"},
        }
    },
    {"U-20", "One Ipv4FixupServers and one Ipv6FixupServers in a response", ask_Validate_response,
        {
            {"2:4 4:4 3:4 15:16", "80270001"},
            {"2:4 4:4 15:16 3:4", "80270001"},
        }
    },
    {"U-20", "Fix-up servers in a request", ask_Validate_request,
        {{"2:4 3:4", "00000000"}, {"2:4 3:4 15:16", "00000000"}, {"2:4 3:4*5 15:16*5", "00000000"}}},
    {"U-20", "A second SystemHealthId", ask_Validate_request,
        {{"2:4 2:4", "80270001"}, {"2:4 4:4 2:4", "80270001"}, {"2:4 4:4 2:4 4:4", "80270001"}}},
    {"U-20", "Sizes that don't fit the type", ask_Validate_request,
        {
            {"2:3 4:4", "80270001"},
            {"2:4 3:6", "80270001"},
            {"2:4 4:1", "80270001"},
            {"2:4 5:4", "80270001"},
            {"2:4 7:3", "80270001"},
            {"2:4 8:2", "80270001"},
            {"2:4 15:4", "80270001"},
        }
    },
    {"U-20", "No result codes, in a response too", ask_Validate_response, {{"2:4 4:0", "00000000"}}},
    {"U-20", "Types without a name", ask_Validate_request,
        {{"2:4 0:3", "00000000"}, {"2:4 1:3", "00000000"}, {"2:4 17:5", "00000000"}, {"2:4 65535:3", "00000000"}}},
    {"U-20", "Count 0, a NULL array, or a NULL value with a size", ask_Validate_request,
        {{"no attributes", "80270001"}, {"2:4! 4:4", "80270001"}, {"2:4 4:4!", "80270001"}, {"2:4 6:1!", "80270001"}}},
    {"U-20", "Count 0, a NULL array, or a NULL value with a size", ask_Validate_null_array, {{"NULL array", "80270001"}}},
    {"U-18", "Whole entries of known agents and validators come out byte for byte, and can be read back", ask_entry,
        {{"sample request", "00000000, 00020004000137f000070006000137f0aaaa"}}},
    {"U-02", "Several threads may use one constructor", ask_constructor_threads, {{"", "96 of 96 arrived"}}},

    /* The cases of this one are those of packet_tests that aren't published. */
    {"U-21", "What is malformed", ask_packet},
    {"U-21", "A second Initialize", ask_processor_twice, {{"", "800704df, 3 attributes"}}},
    {"U-21", "Initialize after one that failed", ask_processor_again, {{"", "80270001, 00000000"}}},
    {"U-21", "The other methods before Initialize", ask_processor_uninitialized,
        {
            {"FindNextAttribute", "80270007"},
            {"GetAttribute", "80270007"},
            {"GetNumberOfAttributes", "80270007"},
        }
    },
    {"U-21", "The SoH after Initialize", ask_changed_soh, {{"", "00000000, type 14, value 1"}}},
    {"U-21", "What FindNextAttribute returns when nothing is found", ask_find, {{"17", "80070002"}}},
    {"U-21", "A type over 16 bits is looked for", ask_find, {{"0x10004", "80070002"}, {"0xffff0002", "80070002"}}},
    {"U-21", "An index that is out of range", ask_index,
        {{"3", "80070057, 80070057"}, {"4", "80070057, 80070057"}, {"65535", "80070057, 80070057"}}},
    {"U-21", "*value after a failure", ask_value_after_failure,
        {
            {"index", "80070057, NULL"},
            {"out of memory", "8007000e, NULL"},
        }
    },
    {"U-21", "Whether the SystemHealthId is counted and can be read", ask_processor_id,
        {{"", "3 of 3 attributes, 00000000, type 2, id 000137f0"}}},
    {"U-21", "NULL pointers", ask_processor_null,
        {
            {"Initialize, no SoH", "80070057"},
            {"Initialize, no id", "80070057"},
            {"FindNextAttribute", "80070057"},
            {"GetAttribute, no type", "80070057"},
            {"GetAttribute, no value", "80070057"},
            {"GetNumberOfAttributes", "80070057"},
        }
    },
    {"U-02", "Several threads may use one processor", ask_processor_threads, {{"", "800 of 800 were read"}}},

    {"U-02", "Aggregation", ask_aggregation, {{"NapSoHConstructor", "80040110"}, {"NapSoHProcessor", "80040110"}}},
    {"U-02", "The threading model", ask_threading_model, {{"NapSoHConstructor", "Both"}, {"NapSoHProcessor", "Both"}}},
};

static HRESULT get_verdict_hr(enum verdict verdict)
{
    return verdict == VALID || verdict == VALID_HERE ? S_OK : NAP_E_INVALID_PACKET;
}

static BOOL is_published(enum verdict verdict)
{
    return verdict == VALID || verdict == INVALID;
}

static const struct packet_test *get_packet(unsigned int index)
{
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(packet_tests); ++i)
    {
        if ((!is_published(packet_tests[i].request) || !is_published(packet_tests[i].response)) && !index--)
            return &packet_tests[i];
    }
    return NULL;
}

static const char *get_case(const struct question *question, unsigned int index, char expected[ANSWER_SIZE])
{
    const struct packet_test *packet;
    HRESULT request, response;

    if (question->ask == ask_packet)
    {
        if (!(packet = get_packet(index)))
            return NULL;
        request = get_verdict_hr(packet->request);
        response = get_verdict_hr(packet->response);
        sprintf(expected, "%08lx as a request, %08lx as a response, Validate %08lx, %08lx",
                request, response, request, response);
        return *packet->packet ? packet->packet : no_attributes;
    }
    if (index == ARRAY_SIZE(question->cases) || !question->cases[index].arg)
        return NULL;
    strcpy(expected, question->cases[index].answer);
    return question->cases[index].arg;
}

static LONG WINAPI end_process(EXCEPTION_POINTERS *pointers)
{
    TerminateProcess(GetCurrentProcess(), pointers->ExceptionRecord->ExceptionCode);
    return EXCEPTION_CONTINUE_SEARCH;
}

/* Goes on with the first case that has no answer yet. */
static void answer_question(const struct question *question, HANDLE mapping)
{
    struct answers *answers = MapViewOfFile(mapping, FILE_MAP_WRITE, 0, 0, sizeof(*answers));
    char expected[ANSWER_SIZE];
    const char *arg;

    SetUnhandledExceptionFilter(end_process);
    CoInitializeEx(NULL, COINIT_MULTITHREADED);
    spy_start();
    while ((arg = get_case(question, answers->count, expected)))
    {
        answer = answers->text[answers->count];
        stale = alloc_zeroed(64);
        question->ask(arg);
        spy_fail_at(-1);
        ++answers->count;
    }

    /* All that was allocated is left to the end of the process. */
    TerminateProcess(GetCurrentProcess(), winetest_get_failures());
}

/* Returns FALSE if there was no process. */
static BOOL run_process(const char *program, const struct question *question, HANDLE mapping, DWORD *exit_code)
{
    char command_line[MAX_PATH + 64];
    STARTUPINFOA startup = {sizeof(startup)};
    PROCESS_INFORMATION info;

    sprintf(command_line, "\"%s\" unknown %u %lx", program, (unsigned int)(question - questions),
            (unsigned long)(ULONG_PTR)mapping);
    if (!CreateProcessA(NULL, command_line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &info))
        return FALSE;
    if (WaitForSingleObject(info.hProcess, ASK_TIMEOUT) != WAIT_OBJECT_0)
    {
        TerminateProcess(info.hProcess, WAIT_TIMEOUT);
        WaitForSingleObject(info.hProcess, ASK_TIMEOUT);
    }
    GetExitCodeProcess(info.hProcess, exit_code);
    CloseHandle(info.hThread);
    CloseHandle(info.hProcess);
    return TRUE;
}

static void ask_question(const char *program, const struct question *question)
{
    SECURITY_ATTRIBUTES inherited = {sizeof(inherited), NULL, TRUE};
    struct answers *answers;
    char expected[ANSWER_SIZE], label[ANSWER_SIZE];
    HANDLE mapping;
    DWORD exit_code;
    const char *arg;
    LONG i, tries = 0;

    mapping = CreateFileMappingW(INVALID_HANDLE_VALUE, &inherited, PAGE_READWRITE, 0, sizeof(*answers), NULL);
    answers = MapViewOfFile(mapping, FILE_MAP_WRITE, 0, 0, sizeof(*answers));
    ok(!!answers, "Failed to map the answers, error %lu.\n", GetLastError());

    while (get_case(question, answers->count, expected))
    {
        /* Wine 8.0 fails to once in a thousand times. */
        if (!run_process(program, question, mapping, &exit_code))
        {
            if (++tries < 5)
                continue;
            ok(0, "Failed to create a process, error %lu.\n", GetLastError());
            break;
        }
        if (exit_code > 255)
        {
            answer = answers->text[answers->count++];
            if (exit_code == WAIT_TIMEOUT)
                say("no end within %u s", ASK_TIMEOUT / 1000);
            else
                say("exception %08lx", exit_code);
        }
        else
        {
            ok(!exit_code, "%s: %s: %lu checks failed.\n", question->number, question->text, exit_code);
            if (exit_code)
                break;
        }
    }

    for (i = 0; (arg = get_case(question, i, expected)); ++i)
    {
        if (i == answers->count)
            break;
        sprintf(label, "%s: %s%s%s", question->number, question->text, *arg ? ": " : "", arg);
        if (!strncmp(answers->text[i], "not asked", strlen("not asked")))
        {
            skip("%s -> %s\n", label, answers->text[i]);
            continue;
        }
        trace("%s -> %s\n", label, answers->text[i]);
        ok(!strcmp(answers->text[i], expected) || broken(strcmp(answers->text[i], expected)),
                "%s: expected %s.\n", label, expected);
    }

    UnmapViewOfFile(answers);
    CloseHandle(mapping);
}

START_TEST(unknown)
{
    unsigned int i;
    char **argv;
    int argc;

    if (!load_functions())
        return;

    argc = winetest_get_mainargs(&argv);
    if (argc == 4)
    {
        answer_question(&questions[atoi(argv[2])], (HANDLE)(ULONG_PTR)strtoul(argv[3], NULL, 16));
        return;
    }

    /* All answers are printed by one line. */
    winetest_mute_threshold = 1000;

    delete_stale_service();
    for (i = 0; i < ARRAY_SIZE(questions); ++i)
        ask_question(argv[0], &questions[i]);
    delete_stale_service();

    FreeLibrary(qutil);
}
