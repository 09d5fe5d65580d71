/*
 * Exchanges: collecting statements of health, and handing out the responses
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
#include "objbase.h"
#include "napenforcementclient.h"
#include "napprotocol.h"

#include "wine/debug.h"

#include "qagentrt_private.h"
#include "message.h"

WINE_DEFAULT_DEBUG_CHANNEL(qagentrt);

#define FIXUP_POLL_TIME 2000 /* milliseconds */
#define FIXUP_MAX_MISSES 3

#define PRIVATE_DATA_VERSION 1

/* What the agent leaves on a connection, for after it was started anew */
struct private_data
{
    UINT32 version;
    UINT32 answered;
    CorrelationId correlation_id;
    UINT32 count;
    SystemHealthEntityId ids[maxSystemHealthEntityCount]; /* of those who wait for a response */
};

C_ASSERT(sizeof(struct private_data) <= maxPrivateDataSize);

struct sha
{
    struct timer poll;
    struct soh *cached, *last;
    UINT32 generation;          /* of last */
    SystemHealthEntityId id;    /* 0: this is none */
    BOOL judged;
    UINT32 failure_category;
    HRESULT compliance_result;
    BOOL fixup_known;
    UINT fixup_misses;          /* answers in a row that weren't one */
    napagent_fixup fixup;
    BOOL told;                  /* of a change, since the last answer */
};

static struct sha shas[maxSystemHealthEntityCount];
static UINT32 last_generation;
static BOOL changed; /* an agent's health, since the service was started */

const WCHAR *format_correlation_id(const CorrelationId *id, WCHAR *buffer, UINT size)
{
    WCHAR guid[39];
    SYSTEMTIME time;

    StringFromGUID2(&id->connId, guid, ARRAY_SIZE(guid));
    if (!FileTimeToSystemTime(&id->timeStamp, &time)) memset(&time, 0, sizeof(time));
    swprintf(buffer, size, L"%s - %04u-%02u-%02u %02u:%02u:%02u.%03uZ", guid, time.wYear, time.wMonth, time.wDay,
             time.wHour, time.wMinute, time.wSecond, time.wMilliseconds);
    return buffer;
}

const char *debugstr_correlation_id(const CorrelationId *id)
{
    static const CorrelationId none;
    WCHAR buffer[80];

    if (!memcmp(id, &none, sizeof(none))) return "no id";
    return debugstr_w(format_correlation_id(id, buffer, ARRAY_SIZE(buffer)));
}

/* ---- statements of health ---- */

static struct soh *soh_create(const BYTE *data, UINT32 size)
{
    struct soh *soh;

    if (!(soh = malloc(offsetof(struct soh, data[size])))) return NULL;
    soh->refs = 1;
    soh->generated = FALSE;
    soh->size = size;
    memcpy(soh->data, data, size);
    return soh;
}

static struct soh *soh_create_failure(SystemHealthEntityId id, HRESULT error)
{
    BYTE data[MESSAGE_FAILURE_SIZE];
    struct soh *soh;
    UINT32 size;

    size = message_write_failure(id, failureCategoryClientComponent, error, data);
    if ((soh = soh_create(data, size))) soh->generated = TRUE;
    return soh;
}

static struct soh *soh_addref(struct soh *soh)
{
    if (soh) soh->refs++;
    return soh;
}

void soh_release(struct soh *soh)
{
    if (soh && !--soh->refs) free(soh);
}

static void soh_replace(struct soh **soh, struct soh *by)
{
    struct soh *old = *soh;

    *soh = soh_addref(by);
    soh_release(old);
}

static BOOL soh_is_equal(const struct soh *soh, const struct soh *other)
{
    return soh->size == other->size && !memcmp(soh->data, other->data, soh->size);
}

/* ---- agents ---- */

static struct sha *sha_find(SystemHealthEntityId id)
{
    UINT i;

    for (i = 0; i < ARRAY_SIZE(shas); i++) if (shas[i].id == id) return &shas[i];
    return NULL;
}

/* There is room for all that are registered. */
static struct sha *sha_get(SystemHealthEntityId id)
{
    struct sha *sha;

    if ((sha = sha_find(id))) return sha;
    if ((sha = sha_find(0))) sha->id = id;
    else ERR("No room for agent %#x.\n", id);
    return sha;
}

static void sha_forget(struct sha *sha)
{
    timer_cancel(&sha->poll);
    soh_replace(&sha->cached, NULL);
    soh_replace(&sha->last, NULL);
    memset(sha, 0, sizeof(*sha));
}

void exchange_forget(SystemHealthEntityId id)
{
    struct sha *sha;

    if ((sha = sha_find(id))) sha_forget(sha);
}

void exchange_forget_all(void)
{
    UINT i;

    for (i = 0; i < ARRAY_SIZE(shas); i++) sha_forget(&shas[i]);
    changed = FALSE;
}

void exchange_flush(SystemHealthEntityId id)
{
    struct sha *sha;

    if ((sha = sha_find(id))) soh_replace(&sha->cached, NULL);
}

void exchange_unbound(SystemHealthEntityId id)
{
    struct sha *sha;

    if (!(sha = sha_find(id))) return;
    timer_cancel(&sha->poll);
    sha->fixup_known = FALSE;
}

void exchange_get_state(SystemHealthEntityId id, napagent_component_state *state)
{
    const struct sha *sha;

    if (!(sha = sha_find(id))) return;
    if (sha->judged)
    {
        state->failure_category = sha->failure_category;
        state->compliance_result = sha->compliance_result;
    }
    if (sha->fixup_known)
    {
        state->fixup_state = sha->fixup.state;
        state->percentage = sha->fixup.percentage;
        state->fixup_message = sha->fixup.message;
    }
}

/* equal: the agent finds that this one says what its last one said */
static void sha_set_last(struct sha *sha, struct soh *soh, BOOL equal)
{
    if (!sha->last || !(equal || soh_is_equal(sha->last, soh))) sha->generation = ++last_generation;
    soh_replace(&sha->last, soh);
}

/* ---- collecting ---- */

/* Why a connection is no more that was there before a wait */
static HRESULT gone_error(void)
{
    return agent_is_running() ? NAP_E_NOT_INITIALIZED : RPC_E_DISCONNECTED;
}

/* As time goes on, if the clock does or not */
static void get_correlation_id(const struct connection *connection, CorrelationId *id)
{
    static ULONGLONG last;
    ULARGE_INTEGER now;
    FILETIME time;

    GetSystemTimeAsFileTime(&time);
    now.LowPart = time.dwLowDateTime;
    now.HighPart = time.dwHighDateTime;
    last = max(now.QuadPart, last + 1);

    id->connId = IsEqualGUID(&connection->id, &GUID_NULL) ? connection->key : connection->id;
    id->timeStamp.dwLowDateTime = last;
    id->timeStamp.dwHighDateTime = last >> 32;
}

static void notify_orphaned(const struct exchange_entry *entries, UINT count, const CorrelationId *id)
{
    struct client *client;
    UINT i;

    for (i = 0; i < count; i++)
        if (entries[i].asked && (client = client_find(NAPAGENT_SHA, entries[i].id)))
            client_notify(client, NAPAGENT_CALL_NOTIFY_ORPHANED, id);
}

/* Those that haven't been asked yet needn't be. */
static void withdraw_calls(struct exchange *exchange)
{
    struct exchange_entry *entry;
    struct client *client;

    for (entry = exchange->entries; entry < exchange->entries + exchange->count; entry++)
        if (entry->asked && (client = client_find(NAPAGENT_SHA, entry->id))
                && client_withdraw(client, NAPAGENT_CALL_GET_SOH_REQUEST, &exchange->correlation_id))
            entry->asked = FALSE;
}

/* Nobody will answer the request. */
static void orphan(struct exchange *exchange)
{
    if (exchange->state == EXCHANGE_OUTSTANDING)
        notify_orphaned(exchange->sent, exchange->sent_count, &exchange->correlation_id);
    exchange->state = EXCHANGE_NONE;
}

void exchange_end(struct exchange *exchange)
{
    orphan(exchange);
    WakeAllConditionVariable(&exchange->changed);
}

static void set_entry(struct exchange *exchange, struct exchange_entry *entry, struct soh *soh, BOOL equal)
{
    struct sha *sha = sha_get(entry->id);

    if (!soh || !sha)
    {
        exchange->hr = E_OUTOFMEMORY;
        return;
    }
    sha_set_last(sha, soh, equal);
    entry->generation = sha->generation;
    soh_replace(&entry->soh, soh);
}

static struct exchange_entry *find_entry(struct exchange_entry *entries, UINT count, SystemHealthEntityId id)
{
    UINT i;

    for (i = 0; i < count; i++) if (entries[i].id == id) return &entries[i];
    return NULL;
}

void exchange_prepare_soh_request(struct client *client, struct call *call)
{
    struct sha *sha;

    if (!(sha = sha_get(client->id))) return;
    call->soh = soh_addref(sha->cached);
    call->generation = sha->generation;
    if (sha->last && !sha->last->generated) call->last_soh = soh_addref(sha->last);
}

/* What is sent for an agent that was asked, and what it cached */
static HRESULT take_soh(struct sha *sha, const struct reply *reply, struct soh **soh)
{
    if (reply->hr == HRESULT_FROM_WIN32(RPC_S_SERVER_UNAVAILABLE)) return NAP_E_NOT_INITIALIZED;
    if (FAILED(reply->hr)) return reply->hr;
    if (!(reply->flags & NAPAGENT_SOH_SET)) return (*soh = soh_addref(sha->cached)) ? S_OK : NAP_E_NO_CACHED_SOH;

    if (reply->size > maxNetworkSoHSize || !message_check_report(reply->data, reply->size, sha->id))
        return NAP_E_INVALID_PACKET;
    if (!(*soh = soh_create(reply->data, reply->size))) return E_OUTOFMEMORY;
    if (reply->flags & NAPAGENT_SOH_CACHE) soh_replace(&sha->cached, *soh);
    return S_OK;
}

void exchange_complete_soh_request(struct client *client, const struct call *call, const struct reply *reply)
{
    struct exchange *exchange = &call->connection->exchange;
    struct exchange_entry *entry;
    struct soh *soh = NULL;
    struct sha *sha;
    BOOL equal;
    HRESULT hr;

    if (!(sha = sha_get(client->id))) return;
    if (FAILED(hr = take_soh(sha, reply, &soh))) soh = soh_create_failure(client->id, hr);

    /* Whoever asked may have gone on. */
    if (exchange->collecting && !memcmp(&exchange->correlation_id, &call->correlation_id, sizeof(call->correlation_id))
            && (entry = find_entry(exchange->entries, exchange->count, client->id)))
    {
        equal = (reply->flags & NAPAGENT_SOH_EQUAL) && call->last_soh && call->generation == sha->generation;
        set_entry(exchange, entry, soh, SUCCEEDED(hr) && equal);
        if (!--exchange->pending) WakeAllConditionVariable(&exchange->changed);
    }
    soh_release(soh);
}

static HRESULT ask_sha(struct connection *connection, struct exchange_entry *entry)
{
    struct exchange *exchange = &connection->exchange;
    struct client *client;
    struct call *call;
    struct soh *soh;

    if (!(client = client_find(NAPAGENT_SHA, entry->id)))
    {
        soh = soh_create_failure(entry->id, NAP_E_NOT_INITIALIZED);
        set_entry(exchange, entry, soh, FALSE);
        soh_release(soh);
        return exchange->hr;
    }

    if (!(call = call_create(NAPAGENT_CALL_GET_SOH_REQUEST, &exchange->correlation_id))) return E_OUTOFMEMORY;
    call->connection = connection_addref(connection);
    client_queue(client, call);
    entry->asked = TRUE;
    exchange->pending++;
    return S_OK;
}

static HRESULT ask_shas(struct connection *connection)
{
    struct exchange *exchange = &connection->exchange;
    SystemHealthEntityId ids[maxSystemHealthEntityCount];
    HRESULT hr = S_OK;
    UINT i, count;

    exchange->hr = S_OK;
    exchange->pending = exchange->count = 0;
    count = registration_get_ids(NAPAGENT_SHA, ids);
    for (i = 0; i < count && SUCCEEDED(hr); i++)
    {
        memset(&exchange->entries[i], 0, sizeof(exchange->entries[i]));
        exchange->entries[i].id = ids[i];
        exchange->count++;
        hr = ask_sha(connection, &exchange->entries[i]);
    }
    return hr;
}

/* All at once. One that answers other connections first takes its time for each of them. */
static HRESULT collect(struct connection *connection)
{
    struct exchange *exchange = &connection->exchange;
    HRESULT hr;

    if (FAILED(hr = ask_shas(connection))) return hr;
    while (exchange->pending && connection->client) agent_wait(&exchange->changed, INFINITE);
    return connection->client ? exchange->hr : gone_error();
}

static HRESULT write_request(const struct connection *connection, UINT32 max_size,
        BYTE **data, UINT32 *size, UINT *written)
{
    const struct exchange *exchange = &connection->exchange;
    struct report reports[maxSystemHealthEntityCount] = {{ 0 }};
    struct request request = { get_machine() };
    UINT i;

    for (i = 0; i < exchange->count; i++)
    {
        reports[i].id = exchange->entries[i].id;
        reports[i].data = exchange->entries[i].soh->data;
        reports[i].size = exchange->entries[i].soh->size;
        reports[i].generated = exchange->entries[i].soh->generated;
    }

    request.correlation_id = exchange->correlation_id;
    request.state = connection->verdict.state ? connection->verdict.state : isolationStateNotRestricted;
    request.extended = connection->verdict.extended;
    request.fixup = TRUE;
    request.probation_end = connection->verdict.probation_end;
    request.report_count = exchange->count;
    request.reports = reports;
    return message_write_request(&request, max_size, data, size, written);
}

/* ---- private data ---- */

static HRESULT write_private_data(const CorrelationId *correlation_id, BOOL answered,
        const struct exchange_entry *entries, UINT count, BYTE **data, UINT32 *size)
{
    struct private_data *private;
    UINT i;

    if (!(private = MIDL_user_allocate(sizeof(*private)))) return E_OUTOFMEMORY;
    private->version = PRIVATE_DATA_VERSION;
    private->answered = answered;
    private->correlation_id = *correlation_id;
    private->count = 0;
    for (i = 0; i < count; i++) if (entries[i].asked) private->ids[private->count++] = entries[i].id;
    *data = (BYTE *)private;
    *size = offsetof(struct private_data, ids[private->count]);
    return S_OK;
}

/* An enforcement client brings it, so it may be anything. */
static BOOL read_private_data(const BYTE *data, UINT32 size, struct private_data *private)
{
    memset(private, 0, sizeof(*private));
    if (size < offsetof(struct private_data, ids) || size > sizeof(*private)) return FALSE;
    memcpy(private, data, size);
    return private->version == PRIVATE_DATA_VERSION && private->answered <= TRUE
            && private->count <= ARRAY_SIZE(private->ids) && size == offsetof(struct private_data, ids[private->count]);
}

/* A client may be sooner than its neighbours to find the service again, and tell of a change; and a fix-up in progress goes
 * on without the service. */
void exchange_bound_again(struct client *client)
{
    if (client->kind == NAPAGENT_SHA) client_notify(client, NAPAGENT_CALL_GET_FIXUP_INFO, NULL);
    else if (changed) client_notify(client, NAPAGENT_CALL_NOTIFY_SOH_CHANGE, NULL);
}

void exchange_restore(struct exchange *exchange, const BYTE *data, UINT32 size)
{
    struct private_data private;
    UINT i;

    if (!size) return;
    if (!read_private_data(data, size, &private))
    {
        WARN("This private data isn't ours.\n");
        return;
    }

    exchange->correlation_id = private.correlation_id;
    exchange->state = private.answered ? EXCHANGE_ANSWERED : EXCHANGE_OUTSTANDING;
    exchange->sent_count = private.count;
    for (i = 0; i < private.count; i++)
    {
        exchange->sent[i].id = private.ids[i];
        exchange->sent[i].asked = TRUE;
    }
    TRACE("%s: restored.\n", debugstr_correlation_id(&exchange->correlation_id));
}

/* ---- requests ---- */

static void notify_again(struct timer *timer)
{
    struct client *client = CONTAINING_RECORD(timer, struct client, retry);

    if (!client_notify(client, NAPAGENT_CALL_NOTIFY_SOH_CHANGE, NULL)) timer_set(timer, RETRY_TIME, notify_again);
}

static BOOL same_as_sent(const struct exchange *exchange, UINT written)
{
    UINT i;

    if (!exchange->requested || written != exchange->sent_count) return FALSE;
    for (i = 0; i < written; i++)
        if (exchange->entries[i].id != exchange->sent[i].id
                || exchange->entries[i].generation != exchange->sent[i].generation)
            return FALSE;
    return TRUE;
}

static HRESULT begin_request(struct connection *connection)
{
    struct exchange *exchange = &connection->exchange;

    while (exchange->collecting && connection->client) agent_wait(&exchange->changed, INFINITE);
    if (!connection->client) return gone_error();

    exchange->collecting = TRUE;
    orphan(exchange);
    get_correlation_id(connection, &exchange->correlation_id);
    TRACE("%s: enforcement client %#x, connection %s.\n", debugstr_correlation_id(&exchange->correlation_id),
          connection->client->id, debugstr_guid(&connection->key));
    return S_OK;
}

static void end_request(struct connection *connection)
{
    struct exchange *exchange = &connection->exchange;
    UINT i;

    for (i = 0; i < exchange->count; i++) soh_replace(&exchange->entries[i].soh, NULL);
    exchange->count = 0;
    exchange->collecting = FALSE;
    WakeAllConditionVariable(&exchange->changed);
}

static void request_sent(struct connection *connection, UINT written)
{
    struct exchange *exchange = &connection->exchange;
    UINT i;

    exchange->state = EXCHANGE_OUTSTANDING;
    exchange->requested = TRUE;
    exchange->sent_count = written;
    for (i = 0; i < written; i++)
    {
        exchange->sent[i] = exchange->entries[i];
        exchange->sent[i].soh = NULL;
    }
    connection->probation_over = FALSE;
}

static void report_request(const struct connection *connection, UINT32 max_size, UINT written, HRESULT hr)
{
    const struct exchange *exchange = &connection->exchange;
    WCHAR id[80];

    format_correlation_id(&exchange->correlation_id, id, ARRAY_SIZE(id));
    if (hr == NAP_E_MAXSIZE_TOO_SMALL) report_event(EVENT_MAX_SIZE_TOO_SMALL, L"%s, %u", id, max_size);
    if (FAILED(hr)) return;
    if (written < exchange->count) report_event(EVENT_SHAS_LEFT_OUT, L"%s, %u", id, exchange->count - written);
    if (connection->client) report_event(EVENT_SOH_SENT, L"%u, %s", connection->client->id, id);
}

/* In between begin_request() and end_request() */
static HRESULT make_request(struct connection *connection, UINT32 max_size, BOOL *retrigger_hint,
        BYTE **request, UINT32 *size, BYTE **private_data, UINT32 *private_size)
{
    struct exchange *exchange = &connection->exchange;
    struct client *client = connection->client;
    BOOL retry = client->retry.expire != NULL;
    UINT written = 0;
    HRESULT hr;

    timer_cancel(&client->retry);
    if (SUCCEEDED(hr = collect(connection))
            && SUCCEEDED(hr = write_request(connection, max_size, request, size, &written))
            && SUCCEEDED(hr = write_private_data(&exchange->correlation_id, FALSE, exchange->entries, written,
                                                 private_data, private_size)))
    {
        *retrigger_hint = connection->probation_over || !same_as_sent(exchange, written);
        request_sent(connection, written);
        notify_orphaned(exchange->entries + written, exchange->count - written, &exchange->correlation_id);
    }
    else
    {
        MIDL_user_free(*request);
        *request = NULL;
        *size = 0;
        withdraw_calls(exchange);
        notify_orphaned(exchange->entries, exchange->count, &exchange->correlation_id);
        if (retry && connection->client) timer_set(&client->retry, RETRY_TIME, notify_again);
    }
    report_request(connection, max_size, written, hr);
    TRACE("%s: %u of %u agents, %u bytes, hint %d, hr %#lx.\n", debugstr_correlation_id(&exchange->correlation_id),
          written, exchange->count, *size, *retrigger_hint, hr);
    return hr;
}

HRESULT __cdecl napagent_get_soh_request(handle_t agent, const GUID *binding, const GUID *key,
        const ConnectionId *id, UINT32 max_size, BOOL *retrigger_hint, CorrelationId *correlation_id,
        UINT32 *size, BYTE **request, UINT32 *private_size, BYTE **private_data)
{
    struct connection *connection;
    HRESULT hr;

    TRACE("agent %p, binding %s, connection %s, id %s, max_size %u, retrigger_hint %p, correlation_id %p, size %p, "
          "request %p, private_size %p, private_data %p.\n", agent, debugstr_guid(binding), debugstr_guid(key),
          debugstr_guid(id), max_size, retrigger_hint, correlation_id, size, request, private_size, private_data);

    *retrigger_hint = FALSE;
    memset(correlation_id, 0, sizeof(*correlation_id));
    *size = *private_size = 0;
    *request = *private_data = NULL;
    if (max_size < minProtocolMaxSize || max_size > maxProtocolMaxSize) return E_INVALIDARG;

    agent_lock();
    if (SUCCEEDED(hr = connection_get(binding, key, &connection)))
    {
        connection->id = *id;
        if (SUCCEEDED(hr = begin_request(connection)))
        {
            hr = make_request(connection, max_size, retrigger_hint, request, size, private_data, private_size);
            if (SUCCEEDED(hr)) *correlation_id = connection->exchange.correlation_id;
            end_request(connection);
        }
        connection_release(connection);
    }
    agent_unlock();
    return hr;
}

/* ---- responses ---- */

static const struct report *find_report(const struct response *response, SystemHealthEntityId id)
{
    UINT i;

    for (i = 0; i < response->report_count; i++) if (response->reports[i].id == id) return &response->reports[i];
    return NULL;
}

/* What a response brings to others than who hands it in; made before anything is changed */
struct delivery
{
    struct call *calls[maxSystemHealthEntityCount]; /* as the reports; NULL: there is nobody */
    struct call *connections;
    struct verdict verdict;
    IsolationInfoEx *info;
    SystemHealthEntityId *shvs;
    BYTE *private_data;
    UINT32 private_size;
};

static void free_delivery(struct delivery *delivery)
{
    UINT i;

    for (i = 0; i < ARRAY_SIZE(delivery->calls); i++) call_destroy(delivery->calls[i]);
    call_destroy(delivery->connections);
    free(delivery->verdict.url);
    if (delivery->info) MIDL_user_free(delivery->info->failureUrl.string);
    MIDL_user_free(delivery->info);
    MIDL_user_free(delivery->shvs);
    MIDL_user_free(delivery->private_data);
}

static BOOL make_verdict(const struct response *response, struct verdict *verdict)
{
    UINT i;

    verdict->state = response->state;
    verdict->extended = response->extended;
    verdict->probation_end = response->probation_end;
    if (!response->url_length) return TRUE;

    if (!(verdict->url = malloc((response->url_length + 1) * sizeof(WCHAR)))) return FALSE;
    for (i = 0; i < response->url_length; i++) verdict->url[i] = response->url[i];
    verdict->url[i] = 0;
    return TRUE;
}

static BOOL make_calls(const struct response *response, struct call **calls)
{
    const struct report *report;
    UINT i;

    for (i = 0; i < response->report_count; i++)
    {
        report = &response->reports[i];
        if (!client_is_bound(NAPAGENT_SHA, report->id)) continue;
        if (!(calls[i] = call_create(NAPAGENT_CALL_PROCESS_SOH_RESPONSE, &response->correlation_id))) return FALSE;
        if (!(calls[i]->soh = soh_create(report->data, report->size))) return FALSE;
        calls[i]->flags = response->fixup ? shaFixup : 0;
    }
    return TRUE;
}

static BOOL copy_shvs(const struct response *response, SystemHealthEntityId **shvs)
{
    UINT32 size = response->shv_count * sizeof(**shvs);

    if (!size) return TRUE;
    if (!(*shvs = MIDL_user_allocate(size))) return FALSE;
    memcpy(*shvs, response->shvs, size);
    return TRUE;
}

static BOOL make_delivery(const struct exchange *exchange, const struct response *response, struct delivery *delivery)
{
    return make_verdict(response, &delivery->verdict)
            && make_calls(response, delivery->calls)
            && copy_shvs(response, &delivery->shvs)
            && (delivery->connections = call_create(NAPAGENT_CALL_GET_CONNECTIONS, NULL))
            && SUCCEEDED(verdict_get_info(&delivery->verdict, &delivery->info))
            && SUCCEEDED(write_private_data(&exchange->correlation_id, TRUE, exchange->sent, exchange->sent_count,
                                            &delivery->private_data, &delivery->private_size));
}

/* What an agent's state shows of its validator's answer */
static void judge_sha(const struct report *report)
{
    const BYTE *value;
    struct sha *sha;
    UINT32 size;

    if (!report->valid || !(sha = sha_get(report->id))) return;
    sha->judged = TRUE;
    sha->failure_category = failureCategoryNone;
    sha->compliance_result = S_OK;
    if ((value = message_find_attribute(report, sohAttributeTypeFailureCategory, &size)) && size)
        sha->failure_category = *value;
    if ((value = message_find_attribute(report, sohAttributeTypeComplianceResultCodes, &size)) && size >= 4)
        sha->compliance_result = (HRESULT)((UINT32)value[0] << 24 | value[1] << 16 | value[2] << 8 | value[3]);
}

static void deliver_report(const struct report *report, struct call *call)
{
    struct client *client;

    if (registration_check(NAPAGENT_SHA, report->id) == NAP_E_NOT_REGISTERED)
    {
        report_event(EVENT_UNKNOWN_SHAS, L"%u", report->id);
        call_destroy(call);
        return;
    }

    judge_sha(report);
    if (!call) return;
    if ((client = client_find(NAPAGENT_SHA, report->id))) client_queue(client, call);
    else call_destroy(call);
}

static void notify_unanswered(const struct exchange *exchange, const struct response *response)
{
    UINT i;

    for (i = 0; i < exchange->sent_count; i++)
        if (!find_report(response, exchange->sent[i].id))
            notify_orphaned(&exchange->sent[i], 1, &exchange->correlation_id);
}

static BOOL is_failing(SystemHealthEntityId id)
{
    const struct sha *sha = sha_find(id);

    return sha && sha->judged && (sha->failure_category || FAILED(sha->compliance_result));
}

static void report_response(const struct connection *connection, const struct response *response)
{
    WCHAR id[80], failing[12 * maxSystemHealthEntityCount + 1] = {0};
    UINT i, length = 0;

    for (i = 0; i < response->report_count; i++)
        if (is_failing(response->reports[i].id))
            length += swprintf(failing + length, ARRAY_SIZE(failing) - length, L" %u", response->reports[i].id);

    format_correlation_id(&response->correlation_id, id, ARRAY_SIZE(id));
    report_event(EVENT_SOH_RESPONSE_RECEIVED, L"%u, %s, %u, failing:%s", connection->client->id, id, response->state,
                 length ? failing : L" -");
    if (response->extended) report_event(EVENT_EXTENDED_STATE, L"%s, %u", id, response->extended);
}

static void deliver(struct connection *connection, const struct response *response, struct delivery *delivery)
{
    struct exchange *exchange = &connection->exchange;
    UINT i;

    if (exchange->state == EXCHANGE_OUTSTANDING) notify_unanswered(exchange, response);
    exchange->state = EXCHANGE_ANSWERED;

    for (i = 0; i < response->report_count; i++) deliver_report(&response->reports[i], delivery->calls[i]);
    memset(delivery->calls, 0, sizeof(delivery->calls));
    client_queue(connection->client, delivery->connections);
    delivery->connections = NULL;
    connection_set_verdict(connection, &delivery->verdict);
    report_response(connection, response);
}

static HRESULT read_response(const struct connection *connection, const BYTE *data, UINT32 size,
        struct response *response)
{
    const struct exchange *exchange = &connection->exchange;
    WCHAR id[80];
    HRESULT hr;

    if ((hr = message_read_response(data, size, response)) == NAP_E_INVALID_PACKET)
    {
        WARN("%s: %u bytes that are no response.\n", debugstr_correlation_id(&exchange->correlation_id), size);
        return hr;
    }
    if (hr == S_OK && exchange->state != EXCHANGE_NONE
            && !memcmp(&response->correlation_id, &exchange->correlation_id, sizeof(exchange->correlation_id)))
        return S_OK;

    format_correlation_id(&response->correlation_id, id, ARRAY_SIZE(id));
    report_event(EVENT_MISMATCHED_ID, L"%u, %s", connection->client->id, id);
    return NAP_E_MISMATCHED_ID;
}

HRESULT __cdecl napagent_process_soh_response(handle_t agent, const GUID *binding, const GUID *key,
        UINT32 size, const BYTE *data, IsolationInfoEx **info, UINT32 *shv_count, SystemHealthEntityId **shvs,
        UINT32 *private_size, BYTE **private_data)
{
    struct delivery delivery = {{ 0 }};
    struct connection *connection;
    struct response response;
    HRESULT hr;

    TRACE("agent %p, binding %s, connection %s, size %u, data %p, info %p, shv_count %p, shvs %p, private_size %p, "
          "private_data %p.\n", agent, debugstr_guid(binding), debugstr_guid(key), size, data, info, shv_count, shvs,
          private_size, private_data);

    *info = NULL;
    *shv_count = *private_size = 0;
    *shvs = NULL;
    *private_data = NULL;

    agent_lock();
    if (SUCCEEDED(hr = connection_get(binding, key, &connection)))
    {
        if (SUCCEEDED(hr = read_response(connection, data, size, &response)))
        {
            TRACE("%s: state %u, extended %u, fixup %d, %u reports.\n", debugstr_correlation_id(&response.correlation_id),
                  response.state, response.extended, response.fixup, response.report_count);
            if (make_delivery(&connection->exchange, &response, &delivery))
            {
                deliver(connection, &response, &delivery);
                *info = delivery.info;
                *shv_count = response.shv_count;
                *shvs = delivery.shvs;
                *private_size = delivery.private_size;
                *private_data = delivery.private_data;
            }
            else
            {
                free_delivery(&delivery);
                hr = E_OUTOFMEMORY;
            }
        }
        connection_release(connection);
    }
    agent_unlock();
    return hr;
}

/* ---- fix-up ---- */

static void poll_fixup(struct timer *timer)
{
    struct sha *sha = CONTAINING_RECORD(timer, struct sha, poll);
    struct client *client;

    if ((client = client_find(NAPAGENT_SHA, sha->id)) && !client_notify(client, NAPAGENT_CALL_GET_FIXUP_INFO, NULL))
        timer_set(timer, FIXUP_POLL_TIME, poll_fixup);
}

static void poll_fixup_now(struct sha *sha)
{
    timer_cancel(&sha->poll);
    poll_fixup(&sha->poll);
}

void exchange_complete_soh_response(struct client *client, const struct call *call, const struct reply *reply)
{
    struct sha *sha;

    if (SUCCEEDED(reply->hr) && (sha = sha_get(client->id))) poll_fixup_now(sha);
}

static BOOL read_fixup(const struct reply *reply, napagent_fixup *fixup)
{
    if (FAILED(reply->hr) || reply->size < sizeof(*fixup)) return FALSE;
    memcpy(fixup, reply->data, sizeof(*fixup));
    return fixup->state <= fixupStateCouldNotUpdate && fixup->percentage <= percentageNotSupported
            && fixup->count <= maxDwordCountPerSoHAttribute
            && reply->size == sizeof(*fixup) + fixup->count * sizeof(HRESULT);
}

static BOOL is_fixing(const struct sha *sha)
{
    return sha->fixup_known && sha->fixup.state == fixupStateInProgress;
}

/* One in progress goes on, for a while, even if it isn't known how. */
static void take_fixup(struct sha *sha, const struct reply *reply)
{
    napagent_fixup fixup;

    if (read_fixup(reply, &fixup))
    {
        sha->fixup = fixup;
        sha->fixup_known = TRUE;
        sha->fixup_misses = 0;
    }
    else if (!is_fixing(sha) || ++sha->fixup_misses == FIXUP_MAX_MISSES) sha->fixup_known = FALSE;
}

static BOOL notify_change(void)
{
    changed = TRUE;
    return client_notify_all(NAPAGENT_EC, NAPAGENT_CALL_NOTIFY_SOH_CHANGE);
}

void exchange_complete_fixup_info(struct client *client, const struct call *call, const struct reply *reply)
{
    BOOL was_fixing;
    struct sha *sha;

    if (!(sha = sha_get(client->id))) return;
    was_fixing = is_fixing(sha);
    take_fixup(sha, reply);
    TRACE("agent %#x: known %d, state %u, percentage %u.\n", client->id, sha->fixup_known, sha->fixup.state,
          sha->fixup.percentage);

    timer_cancel(&sha->poll);
    if (is_fixing(sha)) timer_set(&sha->poll, FIXUP_POLL_TIME, poll_fixup);
    else if (was_fixing && sha->fixup_known && sha->fixup.state == fixupStateSuccess && !sha->told) notify_change();
    sha->told = FALSE;
}

/* What an agent tells of in the middle of a fix-up may be its end, which is then no second change: the request after that
 * one would orphan the first. */
static void look_at_fixup(struct sha *sha)
{
    if (!sha || !is_fixing(sha)) return;
    sha->told = TRUE;
    poll_fixup_now(sha);
}

/* ---- notices ---- */

HRESULT __cdecl napagent_notify_soh_change(handle_t agent, const GUID *binding)
{
    struct client *client;
    HRESULT hr;

    TRACE("agent %p, binding %s.\n", agent, debugstr_guid(binding));

    agent_lock();
    if (SUCCEEDED(hr = client_get(NAPAGENT_SHA, binding, &client)))
    {
        look_at_fixup(sha_find(client->id));
        if (!notify_change()) hr = E_OUTOFMEMORY;
    }
    agent_unlock();
    return hr;
}

HRESULT __cdecl napagent_flush_cache(handle_t agent, const GUID *binding)
{
    struct client *client;
    HRESULT hr;

    TRACE("agent %p, binding %s.\n", agent, debugstr_guid(binding));

    agent_lock();
    if (SUCCEEDED(hr = client_get(NAPAGENT_SHA, binding, &client))) exchange_flush(client->id);
    agent_unlock();
    return hr;
}

HRESULT __cdecl napagent_notify_soh_change_failure(handle_t agent, const GUID *binding)
{
    struct client *client;
    HRESULT hr;

    TRACE("agent %p, binding %s.\n", agent, debugstr_guid(binding));

    agent_lock();
    if (SUCCEEDED(hr = client_get(NAPAGENT_EC, binding, &client))) timer_set(&client->retry, RETRY_TIME, notify_again);
    agent_unlock();
    return hr;
}
