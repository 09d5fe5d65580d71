/*
 * Connections, their isolation state, and that of the system
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
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "windef.h"
#include "winbase.h"
#include "winreg.h"
#include "objbase.h"

#include "wine/debug.h"

#include "qagentrt_private.h"

WINE_DEFAULT_DEBUG_CHANNEL(qagentrt);

#define LONGEST_SLEEP 3600000 /* milliseconds; the clock may be set meanwhile */
#define OVERDUE_TIME  60000

static const FILETIME no_probation = { ~0u, ~0u };
static const struct verdict not_restricted = { isolationStateNotRestricted, extendedIsolationStateNoData, { ~0u, ~0u } };

static struct connection *connections; /* in the order in which they were opened */
static struct verdict current = { isolationStateNotRestricted, extendedIsolationStateNoData, { ~0u, ~0u } };
static UINT unpublished;

static BOOL same_time(const FILETIME *time, const FILETIME *other)
{
    return !CompareFileTime(time, other);
}

/* ---- the system's state ---- */

static BOOL extended_is_worse(UINT32 extended, UINT32 other)
{
    static const BYTE ranks[] =
    {
        [extendedIsolationStateNoData]     = 0,
        [extendedIsolationStateUnknown]    = 1,
        [extendedIsolationStateTransition] = 2,
        [extendedIsolationStateInfected]   = 3,
    };

    return ranks[extended] > ranks[other];
}

/* The worst of the connections; a higher state is a worse one. */
static void get_system_verdict(struct verdict *system, BOOL *unknown)
{
    const struct connection *connection;
    const struct verdict *verdict;

    *system = not_restricted;
    *unknown = FALSE;
    for (connection = connections; connection; connection = connection->next)
    {
        verdict = &connection->verdict;
        if (!connection->listed) continue;
        if (!verdict->state) *unknown = TRUE;
        if (verdict->state < system->state) continue;

        if (verdict->state > system->state)
        {
            *system = not_restricted;
            system->state = verdict->state;
        }
        if (extended_is_worse(verdict->extended, system->extended)) system->extended = verdict->extended;
        if (CompareFileTime(&verdict->probation_end, &system->probation_end) < 0)
            system->probation_end = verdict->probation_end;
        if (!system->url) system->url = verdict->url;
    }
}

static void format_time(const FILETIME *time, WCHAR *buffer, UINT size)
{
    SYSTEMTIME system;

    if (same_time(time, &no_probation) || !FileTimeToSystemTime(time, &system)) wcscpy(buffer, L"-");
    else swprintf(buffer, size, L"%04u-%02u-%02u %02u:%02u:%02uZ", system.wYear, system.wMonth, system.wDay,
                  system.wHour, system.wMinute, system.wSecond);
}

/* Something has changed that the system's state depends on. Nobody is to hear of what is because the service stops. */
static void isolation_update(void)
{
    struct verdict system;
    WCHAR time[32];
    BOOL unknown;

    get_system_verdict(&system, &unknown);
    if (system.state == current.state && same_time(&system.probation_end, &current.probation_end)) return;

    TRACE("state %u -> %u.\n", current.state, system.state);
    if (agent_is_running())
    {
        format_time(&system.probation_end, time, ARRAY_SIZE(time));
        report_event(EVENT_ISOLATION_STATE, L"%u, %u, %s, %s", current.state, system.state, time,
                     system.url ? system.url : L"-");
        unpublished++;
        background_wake();
        client_notify_all(NAPAGENT_SHA, NAPAGENT_CALL_NOTIFY_ISOLATION_STATE);
    }
    current = system;
    current.url = NULL; /* the connection's */
}

UINT isolation_take_changes(void)
{
    UINT changes = unpublished;

    unpublished = 0;
    return changes;
}

/* qutil.dll's notifier looks at the value. */
void isolation_publish(UINT changes)
{
    DWORD value, size = sizeof(value);
    HKEY key;

    if (RegCreateKeyExW(HKEY_LOCAL_MACHINE, L"System\\CurrentControlSet\\Services\\napagent\\State", 0, NULL,
                        REG_OPTION_VOLATILE, KEY_QUERY_VALUE | KEY_SET_VALUE, NULL, &key, NULL))
    {
        WARN("Nobody will hear of %u changes of the isolation state.\n", changes);
        return;
    }
    if (RegGetValueW(key, NULL, L"IsolationStateChanges", RRF_RT_REG_DWORD, NULL, &value, &size)) value = 0;
    value += changes;
    RegSetValueExW(key, L"IsolationStateChanges", 0, REG_DWORD, (BYTE *)&value, sizeof(value));
    RegCloseKey(key);
}

HRESULT verdict_get_info(const struct verdict *verdict, IsolationInfoEx **out)
{
    UINT length = verdict->url ? wcslen(verdict->url) : 0;
    IsolationInfoEx *info;

    if (!(info = MIDL_user_allocate(sizeof(*info)))) return E_OUTOFMEMORY;
    memset(info, 0, sizeof(*info));
    info->isolationState = verdict->state;
    info->extendedIsolationState = verdict->extended;
    info->probEndTime = verdict->probation_end;
    if (length)
    {
        if (!(info->failureUrl.string = MIDL_user_allocate((length + 1) * sizeof(WCHAR))))
        {
            MIDL_user_free(info);
            return E_OUTOFMEMORY;
        }
        memcpy(info->failureUrl.string, verdict->url, (length + 1) * sizeof(WCHAR));
        info->failureUrl.length = length;
    }
    *out = info;
    return S_OK;
}

HRESULT __cdecl napagent_get_isolation_info(handle_t agent, IsolationInfoEx **info, BOOL *unknown_connections)
{
    struct verdict system;
    HRESULT hr;

    TRACE("agent %p, info %p, unknown_connections %p.\n", agent, info, unknown_connections);

    *info = NULL;
    agent_lock();
    get_system_verdict(&system, unknown_connections);
    hr = verdict_get_info(&system, info);
    agent_unlock();
    return hr;
}

/* ---- probation ---- */

static void watch_probation(struct connection *connection);

static void probation_timer(struct timer *timer)
{
    watch_probation(CONTAINING_RECORD(timer, struct connection, probation));
}

/* 0: it's over */
static DWORD get_time_left(const struct connection *connection)
{
    ULARGE_INTEGER now, end;
    UINT64 left;
    FILETIME time;

    GetSystemTimeAsFileTime(&time);
    now.LowPart = time.dwLowDateTime;
    now.HighPart = time.dwHighDateTime;
    end.LowPart = connection->verdict.probation_end.dwLowDateTime;
    end.HighPart = connection->verdict.probation_end.dwHighDateTime;

    if (now.QuadPart >= end.QuadPart) return 0;
    left = (end.QuadPart - now.QuadPart) / 10000 + 1;
    return min(left, LONGEST_SLEEP);
}

static void watch_probation(struct connection *connection)
{
    DWORD left;

    if ((left = get_time_left(connection)))
    {
        timer_set(&connection->probation, left, probation_timer);
        return;
    }

    TRACE("The probation of connection %s is over.\n", debugstr_guid(&connection->key));
    if (!client_notify(connection->client, NAPAGENT_CALL_NOTIFY_SOH_CHANGE, NULL))
    {
        timer_set(&connection->probation, RETRY_TIME, probation_timer);
        return;
    }
    connection->probation_over = TRUE;
    unpublished++;
    background_wake();
}

/* A server whose clock is behind says of the next request, too, that probation has ended already. */
static void begin_probation(struct connection *connection)
{
    BOOL was_overdue = connection->overdue;

    connection->overdue = !get_time_left(connection);
    if (connection->overdue && was_overdue)
    {
        connection->probation_over = TRUE;
        timer_set(&connection->probation, OVERDUE_TIME, probation_timer);
    }
    else watch_probation(connection);
}

/* ---- connections ---- */

void connection_set_verdict(struct connection *connection, struct verdict *verdict)
{
    timer_cancel(&connection->probation);
    connection->probation_over = FALSE;
    free(connection->verdict.url);
    connection->verdict = *verdict;
    verdict->url = NULL;
    connection->listed = TRUE;
    if (verdict->state == isolationStateInProbation && !same_time(&verdict->probation_end, &no_probation))
        begin_probation(connection);
    else connection->overdue = FALSE;
    isolation_update();
}

struct connection *connection_addref(struct connection *connection)
{
    connection->refs++;
    return connection;
}

void connection_release(struct connection *connection)
{
    if (--connection->refs) return;
    free(connection->verdict.url);
    free(connection);
}

static struct connection *find_connection(const struct client *client, const GUID *key)
{
    struct connection *connection;

    for (connection = connections; connection; connection = connection->next)
        if (connection->client == client && IsEqualGUID(&connection->key, key)) return connection;
    return NULL;
}

HRESULT connection_get(const GUID *binding, const GUID *key, struct connection **connection)
{
    struct client *client;
    HRESULT hr;

    if (FAILED(hr = client_get(NAPAGENT_EC, binding, &client))) return hr;
    if (!(*connection = find_connection(client, key))) return E_INVALIDARG;
    connection_addref(*connection);
    return S_OK;
}

UINT connection_count(const struct client *client)
{
    const struct connection *connection;
    UINT count = 0;

    for (connection = connections; connection; connection = connection->next)
        if (connection->client == client) count++;
    return count;
}

static void close_connection(struct connection *connection)
{
    struct connection **entry = &connections;

    while (*entry != connection) entry = &(*entry)->next;
    *entry = connection->next;
    connection->client = NULL;
    timer_cancel(&connection->probation);
    exchange_end(&connection->exchange);
    connection_release(connection);
}

void connection_close_all(struct client *client)
{
    struct connection *connection, *next;

    for (connection = connections; connection; connection = next)
    {
        next = connection->next;
        if (connection->client == client) close_connection(connection);
    }
    isolation_update();
}

/* What the client answers says nothing of connections that come later. */
void isolation_prepare_connections(struct client *client, struct call *call)
{
    struct connection *connection;

    for (connection = connections; connection; connection = connection->next)
        if (connection->client == client) connection->asked = TRUE;
}

void isolation_complete_connections(struct client *client, const struct call *call, const struct reply *reply)
{
    UINT i, count = reply->size / sizeof(GUID);
    struct connection *connection;
    GUID key;

    if (FAILED(reply->hr) || reply->size % sizeof(GUID)) return;

    for (connection = connections; connection; connection = connection->next)
        if (connection->client == client && connection->asked) connection->listed = FALSE;
    for (i = 0; i < count && i < maxConnectionCountPerEnforcer; i++)
    {
        memcpy(&key, reply->data + i * sizeof(key), sizeof(key));
        if ((connection = find_connection(client, &key))) connection->listed = TRUE;
    }
    isolation_update();
}

static HRESULT create_connection(struct client *client, const GUID *key, struct connection **out)
{
    struct connection *connection, **entry = &connections;

    if (connection_count(client) >= maxConnectionCountPerEnforcer) return E_OUTOFMEMORY;
    if (!(connection = calloc(1, sizeof(*connection)))) return E_OUTOFMEMORY;
    connection->refs = 1;
    connection->client = client;
    connection->key = *key;
    connection->verdict.probation_end = no_probation;
    connection->listed = TRUE;

    while (*entry) entry = &(*entry)->next;
    *entry = connection;
    *out = connection;
    return S_OK;
}

static HRESULT copy_url(const WCHAR *url, WCHAR **out)
{
    SIZE_T size;

    *out = NULL;
    if (!url || !*url) return S_OK;
    if (wcslen(url) > maxStringLength) return E_INVALIDARG;
    size = (wcslen(url) + 1) * sizeof(WCHAR);
    if (!(*out = malloc(size))) return E_OUTOFMEMORY;
    memcpy(*out, url, size);
    return S_OK;
}

/* What it brings along comes from the client, and may be anything. */
static HRESULT open_connection(const GUID *binding, const GUID *key, const BYTE *private_data, UINT32 private_size,
        struct verdict *verdict)
{
    struct connection *connection;
    struct client *client;
    HRESULT hr;

    if (FAILED(hr = client_get(NAPAGENT_EC, binding, &client))) return hr;
    if (find_connection(client, key)) return S_OK;
    if (FAILED(hr = create_connection(client, key, &connection))) return hr;
    exchange_restore(&connection->exchange, private_data, private_size);
    if (verdict->state)
    {
        connection_set_verdict(connection, verdict);
        client_notify(client, NAPAGENT_CALL_GET_CONNECTIONS, NULL); /* it may be down all the same */
    }
    return S_OK;
}

HRESULT __cdecl napagent_open_connection(handle_t agent, const GUID *binding, const GUID *key,
        UINT32 private_size, const BYTE *private_data, UINT32 isolation_state, UINT32 extended_state,
        FILETIME probation_end, const WCHAR *failure_url)
{
    struct verdict verdict = { isolation_state, extended_state, probation_end };
    HRESULT hr;

    TRACE("agent %p, binding %s, connection %s, private_size %u, private_data %p, isolation_state %u, "
          "extended_state %u, probation_end %08lx%08lx, failure_url %s.\n", agent, debugstr_guid(binding),
          debugstr_guid(key), private_size, private_data, isolation_state, extended_state,
          probation_end.dwHighDateTime, probation_end.dwLowDateTime, debugstr_w(failure_url));

    if (private_size > maxPrivateDataSize) return E_INVALIDARG;
    if (isolation_state > isolationStateRestrictedAccess || extended_state > extendedIsolationStateUnknown)
        return E_INVALIDARG;
    if (FAILED(hr = copy_url(failure_url, &verdict.url))) return hr;

    agent_lock();
    hr = open_connection(binding, key, private_data, private_size, &verdict);
    agent_unlock();
    free(verdict.url);
    return hr;
}

HRESULT __cdecl napagent_close_connection(handle_t agent, const GUID *binding, const GUID *key)
{
    struct connection *connection;
    HRESULT hr;

    TRACE("agent %p, binding %s, connection %s.\n", agent, debugstr_guid(binding), debugstr_guid(key));

    agent_lock();
    if (SUCCEEDED(hr = connection_get(binding, key, &connection)))
    {
        close_connection(connection);
        isolation_update();
        connection_release(connection);
    }
    agent_unlock();
    return hr;
}

HRESULT __cdecl napagent_get_connection_states(handle_t agent, UINT32 *count, napagent_connection_state **states)
{
    const struct connection *connection;
    napagent_connection_state *state;
    HRESULT hr = S_OK;
    UINT found = 0;

    TRACE("agent %p, count %p, states %p.\n", agent, count, states);

    *count = 0;
    *states = NULL;
    agent_lock();
    for (connection = connections; connection; connection = connection->next) found++;
    if (found && !(*states = MIDL_user_allocate(found * sizeof(**states)))) hr = E_OUTOFMEMORY;
    if (*states)
    {
        memset(*states, 0, found * sizeof(**states));
        *count = found;
        for (connection = connections, state = *states; connection; connection = connection->next, state++)
        {
            state->enforcer = connection->client->id;
            state->connection = connection->key;
            state->id = connection->id;
            state->correlation_id = connection->exchange.correlation_id;
            state->isolation_state = connection->verdict.state;
            state->extended_state = connection->verdict.extended;
            state->probation_end = connection->verdict.probation_end;
        }
    }
    agent_unlock();
    return hr;
}
