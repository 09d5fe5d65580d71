/*
 * Example client: a system health agent
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


/* Built as an outsider would build it, with mingw-w64's own headers and import library:
 *
 *   x86_64-w64-mingw32-gcc -O2 -Wall -Wextra -o health.exe health.c client.c -lqutil -lole32 -luuid
 *
 * It watches nothing: its user says whether it is healthy, and its repairs are a wait.
 */

#include "client.h"
#include <napsystemhealthagent.h>

/* COM lays down the methods' parameters, needed or not. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

#define FIXUP_MESSAGE_ID 0x40000006
#define MAX_DETAIL 3900

/* Health as its validator knows it: two bytes */
struct health
{
    const char *name;
    BYTE bytes[2];
};

static const struct health healthy = { "AA AA", { 0xaa, 0xaa } };
static const struct health unhealthy = { "BA AD", { 0xba, 0xad } };

static NapComponentId agent_id;
static INapSystemHealthAgentBinding *binding;

static CRITICAL_SECTION section;
static const struct health *health = &healthy;
static unsigned int detail;
static BOOL caches = TRUE;
static enum { GIVES_SOH, GIVES_NOTHING, FAILS } answer;
static HRESULT failure;
static FixupState fixup_state;
static unsigned int fixup_seconds = 2;
static BOOL fixing;
static HANDLE fixup_thread, stop_event;

/* An exchange is known by its time, whose lower half is enough to tell it from others. */
static unsigned int exchange_of(INapSystemHealthAgentRequest *request)
{
    CorrelationId id;

    memset(&id, 0, sizeof(id));
    INapSystemHealthAgentRequest_GetCorrelationId(request, &id);
    return id.timeStamp.dwLowDateTime;
}

/*
 * Statements of health
 */

static HRESULT make_soh(const struct health *health, SoH **soh)
{
    INapSoHConstructor *constructor;
    BYTE data[sizeof(health->bytes) + MAX_DETAIL] = { 0 };
    SoHAttributeValue value;
    HRESULT hr;

    if (FAILED(hr = create_object(&CLSID_NapSoHConstructor, &IID_INapSoHConstructor, "NapSoHConstructor",
            (void **)&constructor))) return hr;
    value.vendorSpecificVal.vendorId = agent_id;
    memcpy(data, health->bytes, sizeof(health->bytes));
    value.vendorSpecificVal.size = sizeof(health->bytes) + detail;
    value.vendorSpecificVal.vendorSpecificData = data;
    if (SUCCEEDED(hr = INapSoHConstructor_Initialize(constructor, agent_id, TRUE)) &&
            SUCCEEDED(hr = INapSoHConstructor_AppendAttribute(constructor, sohAttributeTypeVendorSpecific, &value)))
        hr = INapSoHConstructor_GetSoH(constructor, soh);
    if (SUCCEEDED(hr) && !*soh) hr = E_POINTER;
    INapSoHConstructor_Release(constructor);
    return hr;
}

/* The value of the only attribute of a type. The caller frees it. */
static HRESULT find_value(const SoH *soh, BOOL is_request, SoHAttributeType type, SoHAttributeValue **value)
{
    INapSoHProcessor *processor;
    SystemHealthEntityId id;
    UINT16 index;
    HRESULT hr;

    *value = NULL;
    if (FAILED(hr = create_object(&CLSID_NapSoHProcessor, &IID_INapSoHProcessor, "NapSoHProcessor",
            (void **)&processor))) return hr;
    if (SUCCEEDED(hr = INapSoHProcessor_Initialize(processor, soh, is_request, &id)) &&
            SUCCEEDED(hr = INapSoHProcessor_FindNextAttribute(processor, 0, type, &index)))
        hr = INapSoHProcessor_GetAttribute(processor, index, &type, value);
    if (SUCCEEDED(hr) && (!*value || id != agent_id)) hr = NAP_E_INVALID_PACKET;
    INapSoHProcessor_Release(processor);
    return hr;
}

static const char *health_in(const SoH *soh)
{
    SoHAttributeValue *value;
    const char *name = "something else";

    if (FAILED(find_value(soh, TRUE, sohAttributeTypeVendorSpecific, &value))) return "nothing of ours";
    if (value->vendorSpecificVal.size == sizeof(healthy.bytes))
    {
        if (!memcmp(value->vendorSpecificVal.vendorSpecificData, healthy.bytes, sizeof(healthy.bytes)))
            name = healthy.name;
        if (!memcmp(value->vendorSpecificVal.vendorSpecificData, unhealthy.bytes, sizeof(unhealthy.bytes)))
            name = unhealthy.name;
    }
    FreeSoHAttributeValue(sohAttributeTypeVendorSpecific, value);
    return name;
}

/*
 * Repairs
 */

static DWORD WINAPI fixup_proc(void *arg)
{
    unsigned int seconds = fixup_seconds;
    BOOL stopped;

    CoInitializeEx(NULL, COINIT_MULTITHREADED);
    say("fix-up: begins, takes %u s", seconds);
    stopped = WaitForSingleObject(stop_event, seconds * 1000) != WAIT_TIMEOUT;

    EnterCriticalSection(&section);
    fixing = FALSE;
    fixup_state = stopped ? fixupStateCouldNotUpdate : fixupStateSuccess;
    if (!stopped) health = &healthy;
    LeaveCriticalSection(&section);

    say("fix-up: %s", stopped ? "stopped" : "done");
    if (!stopped) said("NotifySoHChange", INapSystemHealthAgentBinding_NotifySoHChange(binding));
    INapSystemHealthAgentBinding_Release(binding);
    CoUninitialize();
    return 0;
}

static void begin_fixup(void)
{
    BOOL begin;

    EnterCriticalSection(&section);
    if ((begin = !fixing)) fixing = TRUE;
    fixup_state = fixupStateInProgress;
    LeaveCriticalSection(&section);
    if (!begin) return;

    if (fixup_thread) CloseHandle(fixup_thread);
    INapSystemHealthAgentBinding_AddRef(binding);
    fixup_thread = CreateThread(NULL, 0, fixup_proc, NULL, 0, NULL);
}

/*
 * What the NAP agent calls
 */

static LONG callback_references = 1;

static HRESULT STDMETHODCALLTYPE callback_QueryInterface(INapSystemHealthAgentCallback *iface, REFIID riid, void **out)
{
    *out = NULL;
    if (!IsEqualIID(riid, &IID_INapSystemHealthAgentCallback) && !IsEqualIID(riid, &IID_IUnknown))
        return E_NOINTERFACE;
    *out = iface;
    INapSystemHealthAgentCallback_AddRef(iface);
    return S_OK;
}

static ULONG STDMETHODCALLTYPE callback_AddRef(INapSystemHealthAgentCallback *iface)
{
    return InterlockedIncrement(&callback_references);
}

static ULONG STDMETHODCALLTYPE callback_Release(INapSystemHealthAgentCallback *iface)
{
    return InterlockedDecrement(&callback_references);
}

static HRESULT STDMETHODCALLTYPE callback_GetSoHRequest(INapSystemHealthAgentCallback *iface,
        INapSystemHealthAgentRequest *request)
{
    const struct health *now;
    SoH *soh = NULL;
    char cached[64];
    HRESULT hr;

    enter_callback("GetSoHRequest");
    if (!request) return E_POINTER;

    hr = INapSystemHealthAgentRequest_GetSoHRequest(request, &soh);
    sprintf(cached, "cached is %s", hr == NAP_E_NO_CACHED_SOH ? "none" : FAILED(hr) ? result_name(hr) : health_in(soh));
    FreeSoH(soh);

    EnterCriticalSection(&section);
    now = health;
    LeaveCriticalSection(&section);
    if (answer != GIVES_SOH)
    {
        hr = answer == FAILS ? failure : S_OK;
        say("callback GetSoHRequest: %s, gives nothing, %s, exchange %08x", result_name(hr), cached,
                exchange_of(request));
        return hr;
    }

    soh = NULL;
    if (SUCCEEDED(hr = make_soh(now, &soh))) hr = INapSystemHealthAgentRequest_SetSoHRequest(request, soh, caches);
    FreeSoH(soh);
    say("callback GetSoHRequest: %s, gives %s, %s, exchange %08x", result_name(hr), now->name, cached,
            exchange_of(request));
    return hr;
}

static HRESULT STDMETHODCALLTYPE callback_ProcessSoHResponse(INapSystemHealthAgentCallback *iface,
        INapSystemHealthAgentRequest *request)
{
    SoHAttributeValue *value = NULL;
    HRESULT hr, result = S_OK;
    UINT8 flags = 0;
    SoH *soh = NULL;

    enter_callback("ProcessSoHResponse");
    if (!request) return E_POINTER;

    hr = INapSystemHealthAgentRequest_GetSoHResponse(request, &soh, &flags);
    if (SUCCEEDED(hr) && !soh) hr = E_POINTER;
    if (SUCCEEDED(hr)) hr = find_value(soh, FALSE, sohAttributeTypeComplianceResultCodes, &value);
    if (SUCCEEDED(hr) && value->codesVal.count != 1) hr = NAP_E_INVALID_PACKET;
    if (SUCCEEDED(hr)) result = value->codesVal.results[0];
    FreeSoHAttributeValue(sohAttributeTypeComplianceResultCodes, value);
    FreeSoH(soh);

    if (FAILED(hr)) say("callback ProcessSoHResponse: %s, exchange %08x", result_name(hr), exchange_of(request));
    else say("callback ProcessSoHResponse: %s, %s, %s, exchange %08x", result_name(hr), result_name(result),
            (flags & shaFixup) == shaFixup ? "fix-up" : "no fix-up", exchange_of(request));
    if (FAILED(hr)) return hr;

    if (FAILED(result) && (flags & shaFixup) == shaFixup)
        begin_fixup();
    else
    {
        EnterCriticalSection(&section);
        if (!fixing) fixup_state = FAILED(result) ? fixupStateCouldNotUpdate : fixupStateSuccess;
        LeaveCriticalSection(&section);
    }
    return hr;
}

static HRESULT say_isolation(const char *begin)
{
    IsolationInfo *info = NULL;
    BOOL unknown = FALSE;
    char text[TEXT_SIZE];
    HRESULT hr;

    hr = INapSystemHealthAgentBinding_GetSystemIsolationInfo(binding, &info, &unknown);
    if (FAILED(hr) || !info) say("%s%s", begin, result_name(hr));
    else say("%s%s, %s%s", begin, result_name(hr), isolation_text(text, info->isolationState, &info->probEndTime,
            &info->failureUrl), unknown ? ", unknown connections" : "");
    FreeIsolationInfo(info);
    return hr;
}

static HRESULT STDMETHODCALLTYPE callback_NotifySystemIsolationStateChange(INapSystemHealthAgentCallback *iface)
{
    enter_callback("NotifySystemIsolationStateChange");
    return say_isolation("callback NotifySystemIsolationStateChange: ");
}

static HRESULT STDMETHODCALLTYPE callback_GetFixupInfo(INapSystemHealthAgentCallback *iface, FixupInfo **out)
{
    static const struct
    {
        const char *name;
        Percentage percentage;
    }
    states[] =
    {
        [fixupStateSuccess] = { "none needed", 100 },
        [fixupStateInProgress] = { "in progress", 50 },
        [fixupStateCouldNotUpdate] = { "needed", percentageNotSupported },
    };
    FixupInfo *info = NULL;
    FixupState state;
    HRESULT hr;

    enter_callback("GetFixupInfo");
    if (!out) return E_POINTER;

    EnterCriticalSection(&section);
    state = fixup_state;
    LeaveCriticalSection(&section);

    hr = AllocFixupInfo(&info, 1);
    if (SUCCEEDED(hr))
    {
        info->state = state;
        info->percentage = states[state].percentage;
        info->fixupMsgId = FIXUP_MESSAGE_ID;
        info->resultCodes.count = 1;
        info->resultCodes.results[0] = S_OK;
    }
    *out = info;
    say("callback GetFixupInfo: %s, %s, %u %%", result_name(hr), states[state].name, states[state].percentage);
    return hr;
}

static HRESULT STDMETHODCALLTYPE callback_CompareSoHRequests(INapSystemHealthAgentCallback *iface,
        const SoHRequest *lhs, const SoHRequest *rhs, BOOL *is_equal)
{
    enter_callback("CompareSoHRequests");
    return E_NOTIMPL;
}

static HRESULT STDMETHODCALLTYPE callback_NotifyOrphanedSoHRequest(INapSystemHealthAgentCallback *iface,
        const CorrelationId *id)
{
    enter_callback("NotifyOrphanedSoHRequest");
    if (!id) return E_POINTER;
    say("callback NotifyOrphanedSoHRequest: S_OK, exchange %08x", (unsigned int)id->timeStamp.dwLowDateTime);
    return S_OK;
}

static INapSystemHealthAgentCallbackVtbl callback_vtbl =
{
    callback_QueryInterface,
    callback_AddRef,
    callback_Release,
    callback_GetSoHRequest,
    callback_ProcessSoHResponse,
    callback_NotifySystemIsolationStateChange,
    callback_GetFixupInfo,
    callback_CompareSoHRequests,
    callback_NotifyOrphanedSoHRequest,
};

static INapSystemHealthAgentCallback callback = { &callback_vtbl };

/*
 * Binding
 */

static HRESULT bind_agent(NapComponentId id)
{
    HRESULT hr;

    agent_id = id;
    if (!binding)
    {
        InitializeCriticalSection(&section);
        stop_event = CreateEventW(NULL, TRUE, FALSE, NULL);
        if (FAILED(hr = create_object(&CLSID_NapSystemHealthAgentBinding, &IID_INapSystemHealthAgentBinding,
                "NapSystemHealthAgentBinding", (void **)&binding))) return hr;
    }
    return said("Initialize", INapSystemHealthAgentBinding_Initialize(binding, id, &callback));
}

static void unbind_agent(void)
{
    SetEvent(stop_event);
    if (fixup_thread) WaitForSingleObject(fixup_thread, INFINITE);
    said("Uninitialize", INapSystemHealthAgentBinding_Uninitialize(binding));
    INapSystemHealthAgentBinding_Release(binding);
    if (callback_references != 1) say("callback: %ld references are left", (long)callback_references - 1);
}

/*
 * What its user says
 */

static void notify(const char *arguments)
{
    said("NotifySoHChange", INapSystemHealthAgentBinding_NotifySoHChange(binding));
}

static void set_health(const char *arguments)
{
    if (strcmp(arguments, "healthy") && strcmp(arguments, "unhealthy"))
    {
        say("Healthy or unhealthy?");
        return;
    }
    EnterCriticalSection(&section);
    health = strcmp(arguments, "healthy") ? &unhealthy : &healthy;
    LeaveCriticalSection(&section);
}

static void become_healthy(const char *arguments)
{
    set_health("healthy");
    notify("");
}

static void become_unhealthy(const char *arguments)
{
    set_health("unhealthy");
    notify("");
}

static void set_cache(const char *arguments)
{
    if (strcmp(arguments, "on") && strcmp(arguments, "off")) say("On or off?");
    else caches = !strcmp(arguments, "on");
}

static void set_detail(const char *arguments)
{
    unsigned int size;

    if (read_number(arguments, &size) && size <= MAX_DETAIL) detail = size;
    else say("How many bytes?");
}

static void set_answer(const char *arguments)
{
    unsigned int number;

    if (!strcmp(arguments, "soh")) answer = GIVES_SOH;
    else if (!strcmp(arguments, "nothing")) answer = GIVES_NOTHING;
    else if (read_number(arguments, &number))
    {
        failure = number;
        answer = FAILS;
    }
    else say("Which answer?");
}

static void set_fixup(const char *arguments)
{
    if (!read_number(arguments, &fixup_seconds)) say("How many seconds?");
}

static void flush(const char *arguments)
{
    said("FlushCache", INapSystemHealthAgentBinding_FlushCache(binding));
}

static void isolation(const char *arguments)
{
    INapSystemHealthAgentBinding2 *binding2;
    IsolationInfoEx *info = NULL;
    BOOL unknown = FALSE;
    char text[TEXT_SIZE];
    HRESULT hr;

    say_isolation("GetSystemIsolationInfo: ");
    hr = INapSystemHealthAgentBinding_QueryInterface(binding, &IID_INapSystemHealthAgentBinding2, (void **)&binding2);
    if (FAILED(hr))
    {
        said("QueryInterface", hr);
        return;
    }
    hr = INapSystemHealthAgentBinding2_GetSystemIsolationInfoEx(binding2, &info, &unknown);
    if (FAILED(hr) || !info) said("GetSystemIsolationInfoEx", hr);
    else say("GetSystemIsolationInfoEx: %s, %s, extended state %u%s", result_name(hr), isolation_text(text,
            info->isolationState, &info->probEndTime, &info->failureUrl), info->extendedIsolationState,
            unknown ? ", unknown connections" : "");
    FreeIsolationInfoEx(info);
    INapSystemHealthAgentBinding2_Release(binding2);
}

static void bind_again(const char *arguments)
{
    bind_agent(agent_id);
}

static void unbind(const char *arguments)
{
    said("Uninitialize", INapSystemHealthAgentBinding_Uninitialize(binding));
}

static const struct command commands[] =
{
    { "healthy", "", "be healthy, and say so to the NAP agent", become_healthy },
    { "unhealthy", "", "the reverse", become_unhealthy },
    { "be", "[un]healthy", "either, without a word to the NAP agent", set_health, TRUE },
    { "notify", "", "say that there is a change", notify },
    { "answer", "soh|nothing|HR", "how to answer when asked for a statement of health", set_answer, TRUE },
    { "cache", "on|off", "whether it may be cached", set_cache, TRUE },
    { "detail", "BYTES", "say so many bytes more, which no validator knows", set_detail, TRUE },
    { "fixup", "SECONDS", "how long repairs take", set_fixup, TRUE },
    { "flush", "", "drop what is cached", flush },
    { "isolation", "", "ask the binding for the isolation state", isolation },
    { "bind", "", "call Initialize once more", bind_again },
    { "unbind", "", "call Uninitialize", unbind },
    { NULL }
};

static HRESULT register_component(INapClientManagement *management, const NapComponentRegistrationInfo *info)
{
    return INapClientManagement_RegisterSystemHealthAgent(management, info);
}

static HRESULT unregister_component(INapClientManagement *management, NapComponentId id)
{
    return INapClientManagement_UnregisterSystemHealthAgent(management, id);
}

static const struct client client =
{
    .role = "SHA",
    .program = "health",
    .title = "An example of a system health agent",
    .id = 0x000137f0,
    .info_clsid = { 0xe19ddec2, 0x3fbe, 0x4c3b, { 0x93, 0x17, 0x67, 0x97, 0x60, 0xc1, 0x3a, 0xae } },
    .friendly_name = L"Example SHA",
    .description = L"Example of a system health agent",
    .register_name = "RegisterSystemHealthAgent",
    .unregister_name = "UnregisterSystemHealthAgent",
    .register_component = register_component,
    .unregister_component = unregister_component,
    .bind = bind_agent,
    .unbind = unbind_agent,
    .commands = commands,
};

int main(int argc, char **argv)
{
    return client_main(&client, argc, argv);
}
