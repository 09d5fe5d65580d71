/*
 * Example client: an enforcement client
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
 *   x86_64-w64-mingw32-gcc -O2 -Wall -Wextra -o enforcer.exe enforcer.c client.c policy.c -lqutil -lole32 -luuid
 *
 * It enforces nothing, and its network is a thread that asks a policy of its own in place of a server.
 */

#include "client.h"
#include <napenforcementclient.h>
#include "policy.h"

/* COM lays down the methods' parameters, needed or not. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

/* More than an enforcement client may have */
#define MAX_CONNECTIONS 24

struct connection
{
    INapEnforcementClientConnection *connection;
    BYTE request[MAX_MESSAGE_SIZE];
    unsigned int request_size;
    CorrelationId request_id;
};

struct exchange
{
    struct exchange *next;
    INapEnforcementClientConnection *connection;
    NetworkSoHRequest *request;
};

static NapComponentId enforcer_id;
static INapEnforcementClientBinding *binding;

static CRITICAL_SECTION section;
static struct connection connections[MAX_CONNECTIONS];
static BOOL had_connection, busy;
static struct policy policy;

static struct exchange *first_exchange, *last_exchange;
static HANDLE queued_event, network_thread;
static BOOL stopping;

/* A connection that is up, with a reference for the caller */
static INapEnforcementClientConnection *get_connection(unsigned int index)
{
    INapEnforcementClientConnection *connection;

    EnterCriticalSection(&section);
    if ((connection = connections[index].connection)) INapEnforcementClientConnection_AddRef(connection);
    LeaveCriticalSection(&section);
    return connection;
}

/* The connection that the words name, counted from 1, or else the first one that is up. It gets a reference. */
static INapEnforcementClientConnection *find_connection(const char *words, unsigned int *index)
{
    INapEnforcementClientConnection *connection = NULL;
    unsigned int number;

    if (*words)
    {
        *index = read_number(words, &number) && number >= 1 && number <= MAX_CONNECTIONS ? number - 1 : MAX_CONNECTIONS;
        if (*index < MAX_CONNECTIONS) connection = get_connection(*index);
    }
    else
        for (*index = 0; *index < MAX_CONNECTIONS; ++*index)
            if ((connection = get_connection(*index))) break;
    if (!connection) say("There is no such connection.");
    return connection;
}

/*
 * The network, and at its other end the policy
 */

static unsigned int exchange_of(const BYTE *correlation_id)
{
    const BYTE *time = correlation_id + CORRELATION_ID_SIZE - 4;

    return (unsigned int)time[0] << 24 | time[1] << 16 | time[2] << 8 | time[3];
}

static void say_request(const struct request *request)
{
    char text[TEXT_SIZE];
    int length;
    unsigned int i;

    length = sprintf(text, "%sheader %u, values", request->wrapped ? "wrapped, " : "", request->inner_type);
    for (i = 0; i < request->value_count; i++) length += sprintf(text + length, " %u", request->values[i]);
    say("  server: request of exchange %08x, %s, Windows %u.%u.%u, machine %.64s", exchange_of(request->correlation_id),
            text, (unsigned int)request->os_major, (unsigned int)request->os_minor, (unsigned int)request->os_build,
            request->machine_name ? request->machine_name : "unnamed");
}

static void say_entry(const struct entry *entry)
{
    char text[TEXT_SIZE];
    int length = 0;
    size_t i;

    if (entry->failure_category >= 0)
        length = sprintf(text, "failure category %d, %s", entry->failure_category, result_name(entry->error_code));
    else if (entry->vendor_data && entry->vendor_data_size <= 8)
        for (i = 0; i < entry->vendor_data_size; i++)
            length += sprintf(text + length, "%s%02X", i ? " " : "", entry->vendor_data[i]);
    if (!length) sprintf(text, "%u attributes", entry->attributes);
    say("  server: %#x%s says %s -> %s", (unsigned int)entry->id, entry->made_by_agent ? " (the NAP agent for it)" : "",
            text, entry->judged ? result_name(entry->result) : "no validator");
}

/* Whether there is an answer */
static BOOL ask_policy(const NetworkSoHRequest *blob, struct answer *answer)
{
    struct request request;
    struct policy current;
    const char *fault;
    ULARGE_INTEGER now;
    FILETIME time;
    unsigned int i;

    if ((fault = decode_request(&request, blob->data, blob->size)))
    {
        say("  server: no valid request: %s", fault);
        return FALSE;
    }
    say_request(&request);

    EnterCriticalSection(&section);
    current = policy;
    LeaveCriticalSection(&section);
    GetSystemTimeAsFileTime(&time);
    now.u.LowPart = time.dwLowDateTime;
    now.u.HighPart = time.dwHighDateTime;
    if (!policy_answer(&current, &request, now.QuadPart, answer))
    {
        say("  server: no answer");
        return FALSE;
    }
    for (i = 0; i < request.entry_count; i++) say_entry(&request.entries[i]);
    return TRUE;
}

static void say_verdict(INapEnforcementClientConnection *connection)
{
    INapEnforcementClientConnection2 *connection2;
    IsolationInfoEx *ex = NULL;
    IsolationInfo *info = NULL;
    char text[TEXT_SIZE];
    HRESULT hr;

    hr = INapEnforcementClientConnection_GetIsolationInfo(connection, &info);
    if (FAILED(hr) || !info) say("GetIsolationInfo: %s, nothing", result_name(hr));
    else say("GetIsolationInfo: %s, %s", result_name(hr), isolation_text(text, info->isolationState,
            &info->probEndTime, &info->failureUrl));

    hr = INapEnforcementClientConnection_QueryInterface(connection, &IID_INapEnforcementClientConnection2,
            (void **)&connection2);
    if (FAILED(hr)) said("QueryInterface", hr);
    else
    {
        hr = INapEnforcementClientConnection2_GetIsolationInfoEx(connection2, &ex);
        if (FAILED(hr) || !ex || !info) said("GetIsolationInfoEx", hr);
        else if (ex->isolationState != info->isolationState || ex->extendedIsolationState ||
                memcmp(&ex->probEndTime, &info->probEndTime, sizeof(ex->probEndTime)))
            say("GetIsolationInfoEx: %s, %s, extended state %u", result_name(hr), isolation_text(text,
                    ex->isolationState, &ex->probEndTime, &ex->failureUrl), ex->extendedIsolationState);
        FreeIsolationInfoEx(ex);
        INapEnforcementClientConnection2_Release(connection2);
    }
    FreeIsolationInfo(info);
}

static HRESULT process_response(INapEnforcementClientConnection *connection, BYTE *data, unsigned int size)
{
    NetworkSoHResponse response;
    HRESULT hr;

    response.size = size;
    response.data = data;
    hr = INapEnforcementClientConnection_SetSoHResponse(connection, &response);
    if (FAILED(hr)) return said("SetSoHResponse", hr);
    hr = INapEnforcementClientBinding_ProcessSoHResponse(binding, connection);
    say("ProcessSoHResponse: %s, %u bytes", result_name(hr), size);
    if (SUCCEEDED(hr)) say_verdict(connection);
    return hr;
}

static void finish_exchange(struct exchange *exchange)
{
    struct answer *answer;

    if ((answer = malloc(sizeof(*answer))))
    {
        if (ask_policy(exchange->request, answer)) process_response(exchange->connection, answer->data, answer->size);
        free(answer);
    }
    FreeNetworkSoH(exchange->request);
    INapEnforcementClientConnection_Release(exchange->connection);
    free(exchange);
}

static DWORD WINAPI network_proc(void *arg)
{
    struct exchange *exchange;
    BOOL stop;

    CoInitializeEx(NULL, COINIT_MULTITHREADED);
    do
    {
        WaitForSingleObject(queued_event, INFINITE);
        EnterCriticalSection(&section);
        if ((exchange = first_exchange) && !(first_exchange = exchange->next)) last_exchange = NULL;
        if (first_exchange || stopping) SetEvent(queued_event);
        stop = stopping;
        LeaveCriticalSection(&section);
        if (exchange) finish_exchange(exchange);
    }
    while (exchange || !stop);
    CoUninitialize();
    return 0;
}

/* Takes the request over. */
static void send_request(unsigned int index, INapEnforcementClientConnection *connection, NetworkSoHRequest *request,
        const CorrelationId *id)
{
    struct exchange *exchange;

    if (!(exchange = malloc(sizeof(*exchange))))
    {
        FreeNetworkSoH(request);
        return;
    }
    exchange->next = NULL;
    exchange->connection = connection;
    exchange->request = request;
    INapEnforcementClientConnection_AddRef(connection);

    EnterCriticalSection(&section);
    if (request->size <= sizeof(connections[index].request))
    {
        memcpy(connections[index].request, request->data, request->size);
        connections[index].request_size = request->size;
        connections[index].request_id = *id;
    }
    if (last_exchange) last_exchange->next = exchange;
    else first_exchange = exchange;
    last_exchange = exchange;
    SetEvent(queued_event);
    LeaveCriticalSection(&section);
}

/*
 * Connections
 */

static HRESULT create_connection(void)
{
    ConnectionId id = { 0x2a4d96b1, 0x7c53, 0x4e0f, { 0x9d, 0x18, 0x33, 0x60, 0xb8, 0x5f, 0xa7, 0x00 } };
    INapEnforcementClientConnection *connection = NULL;
    unsigned int i;
    HRESULT hr;

    hr = INapEnforcementClientBinding_CreateConnection(binding, &connection);
    if (SUCCEEDED(hr) && !connection) hr = E_POINTER;
    if (FAILED(hr)) return said("CreateConnection", hr);

    EnterCriticalSection(&section);
    for (i = 0; i < MAX_CONNECTIONS && connections[i].connection; i++) continue;
    if (i < MAX_CONNECTIONS)
    {
        connections[i].connection = connection;
        connections[i].request_size = 0;
    }
    had_connection = TRUE;
    LeaveCriticalSection(&section);
    if (i == MAX_CONNECTIONS)
    {
        say("CreateConnection: %s, one too many", result_name(hr));
        INapEnforcementClientConnection_Release(connection);
        return hr;
    }

    id.Data4[7] = i + 1;
    say("CreateConnection: %s, connection %u", result_name(hr), i + 1);
    hr = INapEnforcementClientConnection_SetConnectionId(connection, &id);
    return FAILED(hr) ? said("SetConnectionId", hr) : hr;
}

static void collect(unsigned int index, INapEnforcementClientConnection *connection)
{
    NetworkSoHRequest *request = NULL;
    CorrelationId id;
    BOOL hint = FALSE;
    UINT8 flags = 0;
    HRESULT hr;

    hr = INapEnforcementClientBinding_GetSoHRequest(binding, connection, &hint);
    if (FAILED(hr))
    {
        said("GetSoHRequest", hr);
        return;
    }
    memset(&id, 0, sizeof(id));
    INapEnforcementClientConnection_GetCorrelationId(connection, &id);
    INapEnforcementClientConnection_GetFlags(connection, &flags);
    hr = INapEnforcementClientConnection_GetSoHRequest(connection, &request);
    if (FAILED(hr) || !request)
    {
        say("GetSoHRequest: S_OK, but from the connection: %s, nothing", result_name(hr));
        return;
    }
    say("GetSoHRequest: %s, %u bytes, %s, %s, exchange %08x", result_name(hr), request->size,
            hint ? "changed" : "unchanged", flags & freshSoHRequest ? "fresh" : "not fresh",
            (unsigned int)id.timeStamp.dwLowDateTime);
    send_request(index, connection, request, &id);
}

/*
 * What the NAP agent calls
 */

static LONG callback_references = 1;

static HRESULT STDMETHODCALLTYPE callback_QueryInterface(INapEnforcementClientCallback *iface, REFIID riid, void **out)
{
    *out = NULL;
    if (!IsEqualIID(riid, &IID_INapEnforcementClientCallback) && !IsEqualIID(riid, &IID_IUnknown))
        return E_NOINTERFACE;
    *out = iface;
    INapEnforcementClientCallback_AddRef(iface);
    return S_OK;
}

static ULONG STDMETHODCALLTYPE callback_AddRef(INapEnforcementClientCallback *iface)
{
    return InterlockedIncrement(&callback_references);
}

static ULONG STDMETHODCALLTYPE callback_Release(INapEnforcementClientCallback *iface)
{
    return InterlockedDecrement(&callback_references);
}

static HRESULT STDMETHODCALLTYPE callback_NotifySoHChange(INapEnforcementClientCallback *iface)
{
    INapEnforcementClientConnection *connection;
    unsigned int i;

    enter_callback("NotifySoHChange");
    if (busy)
    {
        busy = FALSE;
        say("callback NotifySoHChange: busy");
        said("NotifySoHChangeFailure", INapEnforcementClientBinding_NotifySoHChangeFailure(binding));
        return S_OK;
    }
    say("callback NotifySoHChange");
    if (!had_connection) create_connection();
    for (i = 0; i < MAX_CONNECTIONS; i++)
    {
        if (!(connection = get_connection(i))) continue;
        collect(i, connection);
        INapEnforcementClientConnection_Release(connection);
    }
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE callback_GetConnections(INapEnforcementClientCallback *iface, Connections **out)
{
    UINT16 i, count = 0;
    Connections *list = NULL;
    HRESULT hr;

    enter_callback("GetConnections");
    if (!out) return E_INVALIDARG;
    *out = NULL;

    EnterCriticalSection(&section);
    for (i = 0; i < MAX_CONNECTIONS; i++) if (connections[i].connection) count++;
    if (SUCCEEDED(hr = AllocConnections(&list, count)))
    {
        list->count = 0;
        if (!count) list->connections = NULL;
        for (i = 0; i < MAX_CONNECTIONS; i++)
        {
            if (!connections[i].connection) continue;
            INapEnforcementClientConnection_AddRef(connections[i].connection);
            list->connections[list->count++] = connections[i].connection;
        }
        *out = list;
    }
    LeaveCriticalSection(&section);
    say("callback GetConnections: %s, %u", result_name(hr), count);
    return hr;
}

static INapEnforcementClientCallbackVtbl callback_vtbl =
{
    callback_QueryInterface,
    callback_AddRef,
    callback_Release,
    callback_NotifySoHChange,
    callback_GetConnections,
};

static INapEnforcementClientCallback callback = { &callback_vtbl };

/*
 * Binding
 */

static HRESULT bind_enforcer(NapComponentId id)
{
    HRESULT hr;

    enforcer_id = id;
    if (!binding)
    {
        policy_init(&policy);
        InitializeCriticalSection(&section);
        queued_event = CreateEventW(NULL, FALSE, FALSE, NULL);
        if (FAILED(hr = create_object(&CLSID_NapEnforcementClientBinding, &IID_INapEnforcementClientBinding,
                "NapEnforcementClientBinding", (void **)&binding))) return hr;
        network_thread = CreateThread(NULL, 0, network_proc, NULL, 0, NULL);
    }
    return said("Initialize", INapEnforcementClientBinding_Initialize(binding, id, &callback));
}

static void close_connection(unsigned int index)
{
    INapEnforcementClientConnection *connection;
    HRESULT hr;
    ULONG left;

    EnterCriticalSection(&section);
    connection = connections[index].connection;
    connections[index].connection = NULL;
    LeaveCriticalSection(&section);
    if (!connection) return;

    hr = INapEnforcementClientBinding_NotifyConnectionStateDown(binding, connection);
    left = INapEnforcementClientConnection_Release(connection);
    say("NotifyConnectionStateDown: %s, connection %u, %lu references left", result_name(hr), index + 1,
            (unsigned long)left);
}

static void unbind_enforcer(void)
{
    unsigned int i;

    EnterCriticalSection(&section);
    stopping = TRUE;
    SetEvent(queued_event);
    LeaveCriticalSection(&section);
    WaitForSingleObject(network_thread, INFINITE);

    for (i = 0; i < MAX_CONNECTIONS; i++) close_connection(i);
    said("Uninitialize", INapEnforcementClientBinding_Uninitialize(binding));
    INapEnforcementClientBinding_Release(binding);
    if (callback_references != 1) say("callback: %ld references are left", (long)callback_references - 1);
}

/*
 * What its user says
 */

static void open_connection(const char *arguments)
{
    create_connection();
}

static void run_exchange(const char *arguments)
{
    INapEnforcementClientConnection *connection;
    unsigned int index;

    if (!(connection = find_connection(arguments, &index))) return;
    collect(index, connection);
    INapEnforcementClientConnection_Release(connection);
}

static void down(const char *arguments)
{
    INapEnforcementClientConnection *connection;
    unsigned int index;

    if (!(connection = find_connection(arguments, &index))) return;
    INapEnforcementClientConnection_Release(connection);
    close_connection(index);
}

static void change_failure(const char *arguments)
{
    said("NotifySoHChangeFailure", INapEnforcementClientBinding_NotifySoHChangeFailure(binding));
}

static void be_busy(const char *arguments)
{
    busy = TRUE;
}

static void set_max_size(const char *arguments)
{
    INapEnforcementClientConnection *connection;
    unsigned int index, size;

    if (!read_number(arguments, &size)) say("How large?");
    else if ((connection = find_connection("", &index)))
    {
        said("SetMaxSize", INapEnforcementClientConnection_SetMaxSize(connection, size));
        INapEnforcementClientConnection_Release(connection);
    }
}

static void set_policy(const char *arguments)
{
    const char *fault;

    if (!*arguments)
    {
        say("  %s", policy_usage);
        return;
    }
    EnterCriticalSection(&section);
    fault = policy_set(&policy, arguments);
    LeaveCriticalSection(&section);
    if (fault) say("Policy: %s", fault);
}

static void answer_late(const char *arguments)
{
    INapEnforcementClientConnection *connection;
    struct exchange *exchange;
    NetworkSoHRequest *request;
    unsigned int index;

    if (!(connection = find_connection(arguments, &index))) return;
    exchange = malloc(sizeof(*exchange));
    request = CoTaskMemAlloc(sizeof(*request));
    if (exchange && request && (request->data = CoTaskMemAlloc(MAX_MESSAGE_SIZE)))
    {
        EnterCriticalSection(&section);
        request->size = connections[index].request_size;
        memcpy(request->data, connections[index].request, request->size);
        LeaveCriticalSection(&section);
        exchange->connection = connection;
        exchange->request = request;
        finish_exchange(exchange);
        return;
    }
    free(exchange);
    CoTaskMemFree(request);
    INapEnforcementClientConnection_Release(connection);
}

static void save(const char *arguments)
{
    INapEnforcementClientConnection *connection;
    unsigned int index;
    WCHAR guid[40];
    CorrelationId id;
    FILE *file;

    if (!(connection = find_connection("", &index))) return;
    INapEnforcementClientConnection_Release(connection);
    EnterCriticalSection(&section);
    id = connections[index].request_id;
    if ((file = fopen(arguments, "wb")))
    {
        fwrite(connections[index].request, 1, connections[index].request_size, file);
        fclose(file);
    }
    LeaveCriticalSection(&section);
    if (!file) say("It can't be written.");
    else if (StringFromGUID2(&id.connId, guid, ARRAYSIZE(guid)))
        say("Saved, correlation id %ls %08lx%08lx", guid, (unsigned long)id.timeStamp.dwHighDateTime,
                (unsigned long)id.timeStamp.dwLowDateTime);
}

static void load(const char *arguments)
{
    static BYTE data[MAX_MESSAGE_SIZE];
    INapEnforcementClientConnection *connection;
    unsigned int index, size = 0;
    FILE *file;

    if ((file = fopen(arguments, "rb")))
    {
        size = fread(data, 1, sizeof(data), file);
        fclose(file);
    }
    else say("It can't be read.");
    if (!file || !(connection = find_connection("", &index))) return;
    process_response(connection, data, size);
    INapEnforcementClientConnection_Release(connection);
}

static void say_state(const char *arguments)
{
    INapEnforcementClientConnection *connection;
    unsigned int index;

    if (!(connection = find_connection(arguments, &index))) return;
    say_verdict(connection);
    INapEnforcementClientConnection_Release(connection);
}

static void bind_again(const char *arguments)
{
    bind_enforcer(enforcer_id);
}

static void unbind(const char *arguments)
{
    said("Uninitialize", INapEnforcementClientBinding_Uninitialize(binding));
}

static const struct command commands[] =
{
    { "connect", "", "have one connection more", open_connection },
    { "exchange", "[NUMBER]", "carry out an exchange on a connection", run_exchange },
    { "state", "[NUMBER]", "the isolation state of a connection", say_state },
    { "down", "[NUMBER]", "lose a connection", down },
    { "policy", "[SETTING]", "how the server answers; alone: what can be set", set_policy, TRUE },
    { "busy", "", "call NotifySoHChangeFailure in the next NotifySoHChange", be_busy, TRUE },
    { "failure", "", "call NotifySoHChangeFailure", change_failure },
    { "maxsize", "BYTES", "call SetMaxSize", set_max_size },
    { "answer", "[NUMBER]", "let the server answer the last request, once more or late", answer_late },
    { "save", "FILE", "keep the last request", save },
    { "load", "FILE", "take a file's content as a response", load },
    { "bind", "", "call Initialize once more", bind_again },
    { "unbind", "", "call Uninitialize", unbind },
    { NULL }
};

static HRESULT register_component(INapClientManagement *management, const NapComponentRegistrationInfo *info)
{
    return INapClientManagement_RegisterEnforcementClient(management, info);
}

static HRESULT unregister_component(INapClientManagement *management, NapComponentId id)
{
    return INapClientManagement_UnregisterEnforcementClient(management, id);
}

static const struct client client =
{
    .role = "EC",
    .program = "enforcer",
    .title = "An example of an enforcement client",
    .id = 0x000137f1,
    .info_clsid = { 0x00000000, 0x0000, 0x0000, { 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01 } },
    .friendly_name = L"Example EC",
    .description = L"Example of an enforcement client",
    .register_name = "RegisterEnforcementClient",
    .unregister_name = "UnregisterEnforcementClient",
    .register_component = register_component,
    .unregister_component = unregister_component,
    .bind = bind_enforcer,
    .unbind = unbind_enforcer,
    .commands = commands,
};

int main(int argc, char **argv)
{
    return client_main(&client, argc, argv);
}
