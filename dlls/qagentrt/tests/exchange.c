/*
 * Tests for requests and responses
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

#include "qagentrt_test.h"
#include "napenforcementclient.h"
#include "napprotocol.h"

static const GUID key = {0x10203040, 0x5060, 0x7080, {0x90, 0xa0, 0xb0, 0xc0, 0xd0, 0xe0, 0xf0, 0x01}};
static const GUID key2 = {0x10203040, 0x5060, 0x7080, {0x90, 0xa0, 0xb0, 0xc0, 0xd0, 0xe0, 0xf0, 0x02}};
static const GUID connection_id = {0xa1a2a3a4, 0xa5a6, 0xa7a8, {0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf, 0xb0}};
static const FILETIME no_probation = {~0u, ~0u};

/* ---- what an enforcement client does ---- */

HRESULT open_connection(const GUID *binding, const GUID *connection)
{
    HRESULT hr;

    AGENT_CALL(hr, napagent_open_connection(agent, binding, connection, 0, (BYTE *)"", 0, 0, no_probation, NULL));
    return hr;
}

HRESULT close_connection(const GUID *binding, const GUID *connection)
{
    HRESULT hr;

    AGENT_CALL(hr, napagent_close_connection(agent, binding, connection));
    return hr;
}

struct request
{
    BOOL hint;
    CorrelationId id;
    UINT32 size, private_size;
    BYTE data[maxNetworkSoHSize], private_data[maxPrivateDataSize];
};

static HRESULT get_request_data(const GUID *binding, const GUID *connection, UINT32 max_size, struct request *request)
{
    UINT32 size = 0xdeadbeef, private_size = 0xdeadbeef;
    BYTE *data = NULL, *private_data = NULL;
    HRESULT hr;

    memset(request, 0xcc, sizeof(*request));
    AGENT_CALL(hr, napagent_get_soh_request(agent, binding, connection, &connection_id, max_size, &request->hint,
                                            &request->id, &size, &data, &private_size, &private_data));
    if (SUCCEEDED(hr))
    {
        ok(size >= minNetworkSoHSize && size <= maxNetworkSoHSize, "Got %u bytes.\n", size);
        ok(private_size && private_size <= maxPrivateDataSize, "Got %u bytes.\n", private_size);
        ok(request->hint == TRUE || request->hint == FALSE, "Got hint %#x.\n", request->hint);
        memcpy(request->data, data, min(size, sizeof(request->data)));
        memcpy(request->private_data, private_data, min(private_size, sizeof(request->private_data)));
    }
    else
    {
        ok(!size && !data, "Got %u bytes at %p.\n", size, data);
        ok(!private_size && !private_data, "Got %u bytes at %p.\n", private_size, private_data);
        ok(!request->hint, "Got hint %#x.\n", request->hint);
    }
    request->size = size;
    request->private_size = private_size;
    free(data);
    free(private_data);
    return hr;
}

HRESULT get_request(const GUID *binding, const GUID *connection, BOOL *hint, CorrelationId *id)
{
    struct request request;
    HRESULT hr;

    hr = get_request_data(binding, connection, defaultProtocolMaxSize, &request);
    *hint = request.hint;
    *id = request.id;
    return hr;
}

/* ---- what a policy server does ---- */

struct message
{
    UINT32 size;
    BYTE data[8000];
};

static void put(struct message *message, const void *data, UINT32 size)
{
    memcpy(message->data + message->size, data, size);
    message->size += size;
}

static void put16(struct message *message, UINT16 value)
{
    BYTE data[] = { value >> 8, value };
    put(message, data, sizeof(data));
}

static void put32(struct message *message, UINT32 value)
{
    put16(message, value >> 16);
    put16(message, value);
}

static void set16(struct message *message, UINT32 offset, UINT16 value)
{
    message->data[offset] = value >> 8;
    message->data[offset + 1] = value;
}

static void response_begin(struct message *message, const CorrelationId *id, UINT32 state, UINT32 extended, BOOL fixup,
        const FILETIME *probation_end, const char *url)
{
    memset(message, 0, sizeof(*message));
    put(message, "\x00\x07\x00\x00\x00\x00\x01\x37\x00\x01\x00\x00", 12);
    put(message, "\x00\x02\x00\x04\x00\x01\x37\x00", 8);
    put(message, "\x00\x07\x00\x00\x00\x00\x01\x37", 8);
    put(message, "\x03\x01\x06", 3);
    put32(message, id->connId.Data1);
    put16(message, id->connId.Data2);
    put16(message, id->connId.Data3);
    put(message, id->connId.Data4, sizeof(id->connId.Data4));
    put32(message, id->timeStamp.dwHighDateTime);
    put32(message, id->timeStamp.dwLowDateTime);
    put(message, "\x02", 1);
    put16(message, extended << 4 | (fixup ? 8 : 0) | state);
    put32(message, probation_end->dwHighDateTime);
    put32(message, probation_end->dwLowDateTime);
    put16(message, strlen(url) + 1);
    put(message, url, strlen(url) + 1);
    set16(message, 22, message->size - 24);
}

static void response_end(struct message *message)
{
    set16(message, 2, message->size - 4);
    set16(message, 10, message->size - 12);
}

static void response_add(struct message *message, SystemHealthEntityId id, HRESULT result)
{
    put(message, "\x00\x02\x00\x04", 4);
    put32(message, id);
    put(message, "\x00\x04\x00\x04", 4);
    put32(message, result);
}

static HRESULT process(const GUID *binding, const GUID *connection, const struct message *message, UINT32 *state)
{
    UINT32 shv_count = 0xdeadbeef, private_size = 0xdeadbeef;
    SystemHealthEntityId *shvs = NULL;
    IsolationInfoEx *info = NULL;
    BYTE *private_data = NULL;
    HRESULT hr;

    AGENT_CALL(hr, napagent_process_soh_response(agent, binding, connection, message->size, message->data, &info,
                                                 &shv_count, &shvs, &private_size, &private_data));
    *state = 0;
    if (SUCCEEDED(hr))
    {
        ok(!!info, "Got no info.\n");
        ok(private_size && private_size <= maxPrivateDataSize, "Got %u bytes.\n", private_size);
        *state = info->isolationState;
        free(info->failureUrl.string);
    }
    else
    {
        ok(!info, "Got info %p.\n", info);
        ok(!private_size && !private_data, "Got %u bytes at %p.\n", private_size, private_data);
    }
    ok(!shv_count && !shvs, "Got %u ids at %p.\n", shv_count, shvs);
    free(info);
    free(private_data);
    return hr;
}

HRESULT respond(const GUID *binding, const GUID *connection, const CorrelationId *id, UINT32 state, UINT32 extended,
        const FILETIME *probation_end, const char *url)
{
    struct message message;
    UINT32 got;

    response_begin(&message, id, state, extended, FALSE, probation_end, url);
    response_end(&message);
    return process(binding, connection, &message, &got);
}

/* ---- tests ---- */

static BOOL contains(const struct request *request, const void *data, UINT32 size)
{
    UINT32 i;

    for (i = 0; i + size <= request->size; i++) if (!memcmp(request->data + i, data, size)) return TRUE;
    return FALSE;
}

/* The agent's own part for an SHA: its id, the failure category and the error */
static BOOL contains_failure(const struct request *request, SystemHealthEntityId id, HRESULT error)
{
    struct message part;

    memset(&part, 0, sizeof(part));
    put(&part, "\x00\x02\x00\x04", 4);
    put32(&part, id);
    put(&part, "\x00\x0e\x00\x01\x02", 5);
    put(&part, "\x00\x0d\x00\x04", 4);
    put32(&part, error);
    return contains(request, part.data, part.size);
}

static BOOL contains_soh(const struct request *request, const struct fake *sha)
{
    return contains(request, sha->soh, sha->soh_size);
}

static void start(struct fake *sha, struct fake *ec)
{
    HRESULT hr;

    add_component(NAPAGENT_SHA, SHA_ID);
    add_component(NAPAGENT_EC, EC_ID);
    fake_start(sha, NAPAGENT_SHA, SHA_ID);
    fake_start(ec, NAPAGENT_EC, EC_ID);
    hr = open_connection(&ec->binding, &key);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
}

static void stop(struct fake *sha, struct fake *ec)
{
    fake_stop(ec);
    fake_stop(sha);
    remove_component(NAPAGENT_EC, EC_ID);
    remove_component(NAPAGENT_SHA, SHA_ID);
}

static void test_request(void)
{
    struct request request, other;
    struct fake sha, ec;
    GUID unknown = {1};
    HRESULT hr;
    UINT i;
    static const UINT32 bad_sizes[] = { 0, 1, minProtocolMaxSize - 1, maxProtocolMaxSize + 1, 0x80000000, ~0u };

    start(&sha, &ec);

    hr = get_request_data(&ec.binding, &unknown, 4000, &request);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    for (i = 0; i < ARRAY_SIZE(bad_sizes); i++)
    {
        winetest_push_context("%u", bad_sizes[i]);
        hr = get_request_data(&ec.binding, &key, bad_sizes[i], &request);
        ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
        winetest_pop_context();
    }
    ok(!sha.counts[NAPAGENT_CALL_GET_SOH_REQUEST], "Got %ld calls.\n", sha.counts[NAPAGENT_CALL_GET_SOH_REQUEST]);

    hr = get_request_data(&ec.binding, &key, 4000, &request);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(request.hint, "Got no hint.\n");
    ok(contains_soh(&request, &sha), "The SoH isn't there.\n");
    ok(IsEqualGUID(&request.id.connId, &connection_id), "Got %s.\n", wine_dbgstr_guid(&request.id.connId));
    ok(!memcmp(&sha.calls[NAPAGENT_CALL_GET_SOH_REQUEST].correlation_id, &request.id, sizeof(request.id)),
            "Got another id.\n");
    fake_wait(&sha, NAPAGENT_CALL_GET_SOH_REQUEST, 1);
    ok(!sha.given_size[NAPAGENT_CALL_GET_SOH_REQUEST], "Got %u bytes.\n",
            sha.given_size[NAPAGENT_CALL_GET_SOH_REQUEST]);
    ok(!sha.last_size, "Got %u bytes.\n", sha.last_size);

    /* The same once more: the old request is thrown away. */
    hr = get_request_data(&ec.binding, &key, 4000, &other);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(!other.hint, "Got a hint.\n");
    ok(CompareFileTime(&request.id.timeStamp, &other.id.timeStamp) < 0, "Time doesn't go on.\n");
    fake_wait(&sha, NAPAGENT_CALL_NOTIFY_ORPHANED, 1);
    ok(!memcmp(&sha.calls[NAPAGENT_CALL_NOTIFY_ORPHANED].correlation_id, &request.id, sizeof(request.id)),
            "Got another id.\n");
    ok(sha.last_size == sha.soh_size && !memcmp(sha.last_soh, sha.soh, sha.soh_size), "Got %u bytes.\n", sha.last_size);

    /* a change */
    fake_set_soh(&sha, "ill");
    hr = get_request_data(&ec.binding, &key, 4000, &other);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(other.hint, "Got no hint.\n");
    ok(contains_soh(&other, &sha), "The SoH isn't there.\n");

    /* one that the agent finds to be none */
    fake_set_soh(&sha, "ILL");
    sha.soh_flags |= NAPAGENT_SOH_EQUAL;
    hr = get_request_data(&ec.binding, &key, 4000, &other);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(!other.hint, "Got a hint.\n");
    ok(contains_soh(&other, &sha), "The SoH isn't there.\n");

    /* The connection goes down. */
    hr = close_connection(&ec.binding, &key);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    fake_wait(&sha, NAPAGENT_CALL_NOTIFY_ORPHANED, 4);
    ok(!memcmp(&sha.calls[NAPAGENT_CALL_NOTIFY_ORPHANED].correlation_id, &other.id, sizeof(other.id)),
            "Got another id.\n");
    hr = get_request_data(&ec.binding, &key, 4000, &other);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);

    stop(&sha, &ec);
}

static void test_failures(void)
{
    static const struct
    {
        HRESULT hr;
        UINT32 flags, size;
        const char *soh;
        HRESULT error;
    }
    tests[] =
    {
        { S_OK, 0, 0, "", NAP_E_NO_CACHED_SOH },
        { E_FAIL, 0, 0, "", E_FAIL },
        { E_FAIL, NAPAGENT_SOH_SET, 8, "\x00\x02\x00\x04\x00\x7f\xfd\x00", E_FAIL },
        { NAP_E_INVALID_PACKET, 0, 0, "", NAP_E_INVALID_PACKET },
        { S_OK, NAPAGENT_SOH_SET | NAPAGENT_SOH_CACHE, 0, "", NAP_E_INVALID_PACKET },
        { S_OK, NAPAGENT_SOH_SET | NAPAGENT_SOH_CACHE, 7, "\x00\x02\x00\x04\x00\x7f\xfd", NAP_E_INVALID_PACKET },
        { S_OK, NAPAGENT_SOH_SET | NAPAGENT_SOH_CACHE, 8, "\x00\x02\x00\x04\x00\x7f\xfd\x01", NAP_E_INVALID_PACKET },
        { S_OK, NAPAGENT_SOH_SET | NAPAGENT_SOH_CACHE, 8, "\x00\x02\xff\xff\x00\x7f\xfd\x00", NAP_E_INVALID_PACKET },
        { S_OK, NAPAGENT_SOH_SET | NAPAGENT_SOH_CACHE, 5000, NULL, NAP_E_INVALID_PACKET },
        { S_OK, ~NAPAGENT_SOH_SET, 8, "\x00\x02\x00\x04\x00\x7f\xfd\x00", NAP_E_NO_CACHED_SOH },
    };
    struct request request;
    struct fake sha, ec;
    HRESULT hr;
    UINT i;

    start(&sha, &ec);
    for (i = 0; i < ARRAY_SIZE(tests); i++)
    {
        winetest_push_context("%u", i);
        sha.hrs[NAPAGENT_CALL_GET_SOH_REQUEST] = tests[i].hr;
        sha.soh_flags = tests[i].flags;
        sha.soh_size = tests[i].size;
        if (tests[i].soh) memcpy(sha.soh, tests[i].soh, tests[i].size);
        hr = get_request_data(&ec.binding, &key, 4000, &request);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        ok(contains_failure(&request, SHA_ID, tests[i].error), "The failure isn't there.\n");
        ok(!sha.given_size[NAPAGENT_CALL_GET_SOH_REQUEST], "Got %u bytes.\n",
                sha.given_size[NAPAGENT_CALL_GET_SOH_REQUEST]);
        ok(!sha.last_size, "Got %u bytes.\n", sha.last_size);
        winetest_pop_context();
    }

    fake_stop(&sha);
    hr = get_request_data(&ec.binding, &key, 4000, &request);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(request.hint, "Got no hint.\n");
    ok(contains_failure(&request, SHA_ID, NAP_E_NOT_INITIALIZED), "The failure isn't there.\n");
    hr = get_request_data(&ec.binding, &key, 4000, &request);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(!request.hint, "Got a hint.\n");

    fake_start(&sha, NAPAGENT_SHA, SHA_ID);
    sha.hrs[NAPAGENT_CALL_GET_SOH_REQUEST] = HRESULT_FROM_WIN32(RPC_S_SERVER_UNAVAILABLE);
    hr = get_request_data(&ec.binding, &key, 4000, &request);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(contains_failure(&request, SHA_ID, NAP_E_NOT_INITIALIZED), "The failure isn't there.\n");
    WaitForSingleObject(sha.thread, TIMEOUT);
    CloseHandle(sha.thread);
    fake_start(&sha, NAPAGENT_SHA, SHA_ID);
    stop(&sha, &ec);
}

static void test_cache(void)
{
    struct request request;
    struct fake sha, ec;
    BYTE soh[100];
    UINT32 size;
    HRESULT hr;

    start(&sha, &ec);

    /* not kept */
    hr = get_request_data(&ec.binding, &key, 4000, &request);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    sha.soh_flags = 0;
    hr = get_request_data(&ec.binding, &key, 4000, &request);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(contains_failure(&request, SHA_ID, NAP_E_NO_CACHED_SOH), "The failure isn't there.\n");

    /* kept */
    sha.soh_flags = NAPAGENT_SOH_SET | NAPAGENT_SOH_CACHE;
    size = sha.soh_size;
    memcpy(soh, sha.soh, size);
    hr = get_request_data(&ec.binding, &key, 4000, &request);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    fake_set_soh(&sha, "other");
    sha.soh_flags = 0;
    hr = get_request_data(&ec.binding, &key, 4000, &request);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(contains(&request, soh, size), "The SoH isn't there.\n");
    ok(!request.hint, "Got a hint.\n");
    ok(sha.given_size[NAPAGENT_CALL_GET_SOH_REQUEST] == size, "Got %u bytes.\n",
            sha.given_size[NAPAGENT_CALL_GET_SOH_REQUEST]);
    ok(!memcmp(sha.given[NAPAGENT_CALL_GET_SOH_REQUEST], soh, size), "Got another SoH.\n");

    /* not used for an agent that fails, or that isn't bound; kept for when it is */
    sha.hrs[NAPAGENT_CALL_GET_SOH_REQUEST] = E_FAIL;
    hr = get_request_data(&ec.binding, &key, 4000, &request);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(contains_failure(&request, SHA_ID, E_FAIL), "The failure isn't there.\n");
    fake_stop(&sha);
    hr = get_request_data(&ec.binding, &key, 4000, &request);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(contains_failure(&request, SHA_ID, NAP_E_NOT_INITIALIZED), "The failure isn't there.\n");
    fake_start(&sha, NAPAGENT_SHA, SHA_ID);
    sha.soh_flags = 0;
    hr = get_request_data(&ec.binding, &key, 4000, &request);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(contains(&request, soh, size), "The SoH isn't there.\n");

    AGENT_CALL(hr, napagent_flush_cache(agent, &sha.binding));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = get_request_data(&ec.binding, &key, 4000, &request);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(contains_failure(&request, SHA_ID, NAP_E_NO_CACHED_SOH), "The failure isn't there.\n");

    stop(&sha, &ec);
}

static void test_max_size(void)
{
    struct request request;
    struct fake shas[3], ec;
    struct message message;
    char text[1500];
    UINT32 state;
    HRESULT hr;
    UINT i;

    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = 0;
    for (i = 1; i < ARRAY_SIZE(shas); i++)
    {
        add_component(NAPAGENT_SHA, SHA_ID + i);
        fake_start(&shas[i], NAPAGENT_SHA, SHA_ID + i);
        fake_set_soh(&shas[i], text);
    }
    start(&shas[0], &ec);
    fake_set_soh(&shas[0], text);

    hr = get_request_data(&ec.binding, &key, 4000, &request);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(contains_soh(&request, &shas[1]), "The first SoH isn't there.\n");
    ok(contains_soh(&request, &shas[2]), "The second SoH isn't there.\n");
    ok(!contains_soh(&request, &shas[0]), "The last SoH is there.\n");

    /* Who was left out hears so at once, and no more later. */
    fake_wait(&shas[0], NAPAGENT_CALL_NOTIFY_ORPHANED, 1);
    response_begin(&message, &request.id, isolationStateNotRestricted, 0, FALSE, &no_probation, "");
    response_end(&message);
    hr = process(&ec.binding, &key, &message, &state);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    fake_wait(&shas[1], NAPAGENT_CALL_NOTIFY_ORPHANED, 1);
    fake_wait(&shas[2], NAPAGENT_CALL_NOTIFY_ORPHANED, 1);
    ok(shas[0].counts[NAPAGENT_CALL_NOTIFY_ORPHANED] == 1, "Got %ld calls.\n",
            shas[0].counts[NAPAGENT_CALL_NOTIFY_ORPHANED]);

    /* Nobody's fits: all hear that the request was for nothing. */
    hr = get_request_data(&ec.binding, &key, 1000, &request);
    ok(hr == NAP_E_MAXSIZE_TOO_SMALL, "Got hr %#lx.\n", hr);
    fake_wait(&shas[0], NAPAGENT_CALL_NOTIFY_ORPHANED, 2);
    fake_wait(&shas[1], NAPAGENT_CALL_NOTIFY_ORPHANED, 2);
    fake_wait(&shas[2], NAPAGENT_CALL_NOTIFY_ORPHANED, 2);

    stop(&shas[0], &ec);
    for (i = 1; i < ARRAY_SIZE(shas); i++)
    {
        fake_stop(&shas[i]);
        remove_component(NAPAGENT_SHA, SHA_ID + i);
    }
}

static void test_response(void)
{
    napagent_component_state component;
    struct message message, cut;
    struct request request;
    struct fake sha, ec;
    UINT32 state, i;
    HRESULT hr;

    start(&sha, &ec);

    /* nothing was requested */
    memset(&request, 0, sizeof(request));
    response_begin(&message, &request.id, isolationStateNotRestricted, 0, FALSE, &no_probation, "");
    response_end(&message);
    hr = process(&ec.binding, &key, &message, &state);
    ok(hr == NAP_E_MISMATCHED_ID, "Got hr %#lx.\n", hr);
    hr = process(&ec.binding, &key2, &message, &state);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);

    hr = get_request_data(&ec.binding, &key, 4000, &request);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    get_state(NAPAGENT_SHA, SHA_ID, &component);
    ok(component.failure_category == ~0u, "Got category %u.\n", component.failure_category);
    ok(component.fixup_state == ~0u, "Got state %u.\n", component.fixup_state);

    response_begin(&message, &request.id, isolationStateRestrictedAccess, 0, TRUE, &no_probation, "http://x");
    response_add(&message, SHA_ID, 0x80270050);
    response_add(&message, SHA_ID + 1, S_OK);
    response_end(&message);
    for (i = 0; i < message.size; i++)
    {
        cut = message;
        cut.size = i;
        hr = process(&ec.binding, &key, &cut, &state);
        ok(hr == NAP_E_INVALID_PACKET, "%u: Got hr %#lx.\n", i, hr);
    }
    cut = message;
    cut.data[34] ^= 1;
    hr = process(&ec.binding, &key, &cut, &state);
    ok(hr == NAP_E_MISMATCHED_ID, "Got hr %#lx.\n", hr);
    cut = message;
    cut.size = sizeof(cut.data);
    hr = process(&ec.binding, &key, &cut, &state);
    ok(hr == NAP_E_INVALID_PACKET, "Got hr %#lx.\n", hr);
    ok(!sha.counts[NAPAGENT_CALL_PROCESS_SOH_RESPONSE], "Got %ld calls.\n",
            sha.counts[NAPAGENT_CALL_PROCESS_SOH_RESPONSE]);

    hr = process(&ec.binding, &key, &message, &state);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(state == isolationStateRestrictedAccess, "Got state %u.\n", state);
    fake_wait(&sha, NAPAGENT_CALL_PROCESS_SOH_RESPONSE, 1);
    ok(sha.given_size[NAPAGENT_CALL_PROCESS_SOH_RESPONSE] == 16, "Got %u bytes.\n",
            sha.given_size[NAPAGENT_CALL_PROCESS_SOH_RESPONSE]);
    ok(!memcmp(sha.given[NAPAGENT_CALL_PROCESS_SOH_RESPONSE],
            "\x00\x02\x00\x04\x00\x7f\xfd\x00\x00\x04\x00\x04\x80\x27\x00\x50", 16), "Got another SoH.\n");
    ok(sha.calls[NAPAGENT_CALL_PROCESS_SOH_RESPONSE].flags == shaFixup, "Got flags %#x.\n",
            sha.calls[NAPAGENT_CALL_PROCESS_SOH_RESPONSE].flags);
    ok(!memcmp(&sha.calls[NAPAGENT_CALL_PROCESS_SOH_RESPONSE].correlation_id, &request.id, sizeof(request.id)),
            "Got another id.\n");
    fake_wait(&ec, NAPAGENT_CALL_GET_CONNECTIONS, 1);
    fake_wait(&sha, NAPAGENT_CALL_GET_FIXUP_INFO, 1);
    get_state(NAPAGENT_SHA, SHA_ID, &component);
    ok(component.failure_category == failureCategoryNone, "Got category %u.\n", component.failure_category);
    ok(component.compliance_result == 0x80270050, "Got result %#lx.\n", component.compliance_result);
    ok(!sha.counts[NAPAGENT_CALL_NOTIFY_ORPHANED], "Got %ld calls.\n", sha.counts[NAPAGENT_CALL_NOTIFY_ORPHANED]);

    /* The same again is processed again. */
    message.data[57] &= ~8; /* no fix-up */
    hr = process(&ec.binding, &key, &message, &state);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    fake_wait(&sha, NAPAGENT_CALL_PROCESS_SOH_RESPONSE, 2);
    ok(!sha.calls[NAPAGENT_CALL_PROCESS_SOH_RESPONSE].flags, "Got flags %#x.\n",
            sha.calls[NAPAGENT_CALL_PROCESS_SOH_RESPONSE].flags);

    /* The answered request isn't orphaned by the next one. */
    hr = get_request_data(&ec.binding, &key, 4000, &request);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(!sha.counts[NAPAGENT_CALL_NOTIFY_ORPHANED], "Got %ld calls.\n", sha.counts[NAPAGENT_CALL_NOTIFY_ORPHANED]);
    hr = process(&ec.binding, &key, &message, &state);
    ok(hr == NAP_E_MISMATCHED_ID, "Got hr %#lx.\n", hr);

    /* An agent that gets nothing hears of it, but once. */
    hr = respond(&ec.binding, &key, &request.id, isolationStateNotRestricted, 0, &no_probation, "");
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = respond(&ec.binding, &key, &request.id, isolationStateNotRestricted, 0, &no_probation, "");
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    fake_wait(&sha, NAPAGENT_CALL_NOTIFY_ORPHANED, 1);
    Sleep(100);
    fake_wait(&sha, NAPAGENT_CALL_NOTIFY_ORPHANED, 1);

    stop(&sha, &ec);
}

/* A response that leads to a fix-up */
static void make_fixup_response(struct fake *ec, struct message *message)
{
    struct request request;
    HRESULT hr;

    hr = get_request_data(&ec->binding, &key, 4000, &request);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    response_begin(message, &request.id, isolationStateRestrictedAccess, 0, TRUE, &no_probation, "");
    response_add(message, SHA_ID, 0x80270050);
    response_end(message);
}

/* Hands it in, and waits until the service knows of the fix-up what there is to know. */
#define begin_fixup(sha, ec, message, state) begin_fixup_(__LINE__, sha, ec, message, state)
static void begin_fixup_(int line, struct fake *sha, struct fake *ec, struct message *message, UINT32 fixup_state)
{
    LONG count = sha->counts[NAPAGENT_CALL_GET_FIXUP_INFO];
    UINT32 state;
    HRESULT hr;

    sha->fixup.info.state = fixup_state;
    hr = process(&ec->binding, &key, message, &state);
    ok_(__FILE__, line)(hr == S_OK, "Got hr %#lx.\n", hr);
    fake_wait_(line, sha, NAPAGENT_CALL_GET_FIXUP_INFO, count + 1, 5000);
    Sleep(200);
}

/* Nobody is asked or told any more. */
#define check_fixup_over(sha, ec, asked, told) check_fixup_over_(__LINE__, sha, ec, asked, told)
static void check_fixup_over_(int line, const struct fake *sha, const struct fake *ec, LONG asked, LONG told)
{
    Sleep(2500);
    ok_(__FILE__, line)(sha->counts[NAPAGENT_CALL_GET_FIXUP_INFO] == asked, "Asked %ld times.\n",
            sha->counts[NAPAGENT_CALL_GET_FIXUP_INFO]);
    ok_(__FILE__, line)(ec->counts[NAPAGENT_CALL_NOTIFY_SOH_CHANGE] == told, "Told %ld times.\n",
            ec->counts[NAPAGENT_CALL_NOTIFY_SOH_CHANGE]);
}

static void test_fixup(void)
{
    napagent_component_state component;
    struct message message;
    struct fake sha, ec;

    start(&sha, &ec);
    make_fixup_response(&ec, &message);
    sha.fixup.info.percentage = 50;
    sha.fixup.info.message = 0x40000006;
    sha.fixup.info.count = 1;
    begin_fixup(&sha, &ec, &message, fixupStateInProgress);
    get_state(NAPAGENT_SHA, SHA_ID, &component);
    ok(component.fixup_state == fixupStateInProgress, "Got state %u.\n", component.fixup_state);
    ok(component.percentage == 50, "Got %u %%.\n", component.percentage);
    ok(component.fixup_message == 0x40000006, "Got message %#x.\n", component.fixup_message);

    fake_wait_(__LINE__, &sha, NAPAGENT_CALL_GET_FIXUP_INFO, 2, 3000);
    ok(!ec.counts[NAPAGENT_CALL_NOTIFY_SOH_CHANGE], "Got %ld calls.\n", ec.counts[NAPAGENT_CALL_NOTIFY_SOH_CHANGE]);
    sha.fixup.info.state = fixupStateSuccess;
    sha.fixup.info.percentage = 100;
    fake_wait_(__LINE__, &sha, NAPAGENT_CALL_GET_FIXUP_INFO, 3, 3000);
    fake_wait(&ec, NAPAGENT_CALL_NOTIFY_SOH_CHANGE, 1);
    get_state(NAPAGENT_SHA, SHA_ID, &component);
    ok(component.fixup_state == fixupStateSuccess, "Got state %u.\n", component.fixup_state);
    check_fixup_over(&sha, &ec, 3, 1);

    /* nonsense */
    sha.fixup.info.count = 1001;
    begin_fixup(&sha, &ec, &message, fixupStateInProgress);
    get_state(NAPAGENT_SHA, SHA_ID, &component);
    ok(component.fixup_state == ~0u, "Got state %u.\n", component.fixup_state);
    sha.fixup.info.count = 0;
    begin_fixup(&sha, &ec, &message, fixupStateCouldNotUpdate + 1);
    get_state(NAPAGENT_SHA, SHA_ID, &component);
    ok(component.fixup_state == ~0u, "Got state %u.\n", component.fixup_state);
    check_fixup_over(&sha, &ec, 5, 1);

    stop(&sha, &ec);
}

/* Agents that don't say how it goes */
static void test_fixup_misses(void)
{
    napagent_component_state component;
    struct message message;
    struct fake sha, ec;

    start(&sha, &ec);
    make_fixup_response(&ec, &message);

    /* once */
    begin_fixup(&sha, &ec, &message, fixupStateInProgress);
    sha.hrs[NAPAGENT_CALL_GET_FIXUP_INFO] = E_OUTOFMEMORY;
    fake_wait(&sha, NAPAGENT_CALL_GET_FIXUP_INFO, 2);
    sha.hrs[NAPAGENT_CALL_GET_FIXUP_INFO] = S_OK;
    sha.fixup.info.state = fixupStateSuccess;
    fake_wait(&sha, NAPAGENT_CALL_GET_FIXUP_INFO, 3);
    fake_wait(&ec, NAPAGENT_CALL_NOTIFY_SOH_CHANGE, 1);

    /* ever again */
    begin_fixup(&sha, &ec, &message, fixupStateInProgress);
    sha.hrs[NAPAGENT_CALL_GET_FIXUP_INFO] = E_FAIL;
    fake_wait_(__LINE__, &sha, NAPAGENT_CALL_GET_FIXUP_INFO, 7, 10000);
    check_fixup_over(&sha, &ec, 7, 1);
    get_state(NAPAGENT_SHA, SHA_ID, &component);
    ok(component.fixup_state == ~0u, "Got state %u.\n", component.fixup_state);

    stop(&sha, &ec);
}

/* Agents that tell of changes meanwhile */
static void test_fixup_change(void)
{
    struct message message;
    struct fake sha, ec;
    HRESULT hr;

    start(&sha, &ec);
    make_fixup_response(&ec, &message);

    /* Its end is told of once. */
    begin_fixup(&sha, &ec, &message, fixupStateInProgress);
    sha.fixup.info.state = fixupStateSuccess;
    AGENT_CALL(hr, napagent_notify_soh_change(agent, &sha.binding));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    fake_wait_(__LINE__, &sha, NAPAGENT_CALL_GET_FIXUP_INFO, 2, 1000);
    check_fixup_over(&sha, &ec, 2, 1);

    /* Another change isn't its end. */
    begin_fixup(&sha, &ec, &message, fixupStateInProgress);
    AGENT_CALL(hr, napagent_notify_soh_change(agent, &sha.binding));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    fake_wait_(__LINE__, &sha, NAPAGENT_CALL_GET_FIXUP_INFO, 4, 1000);
    fake_wait(&ec, NAPAGENT_CALL_NOTIFY_SOH_CHANGE, 2);
    sha.fixup.info.state = fixupStateSuccess;
    fake_wait(&sha, NAPAGENT_CALL_GET_FIXUP_INFO, 5);
    fake_wait(&ec, NAPAGENT_CALL_NOTIFY_SOH_CHANGE, 3);
    check_fixup_over(&sha, &ec, 5, 3);

    stop(&sha, &ec);
}

/* What went on while a client was away */
static void test_bound_again(void)
{
    struct message message;
    struct fake sha, ec;
    HRESULT hr;

    if (!restart_agent()) return;
    start(&sha, &ec);
    fake_stop(&ec);
    fake_start_(__LINE__, &ec, NAPAGENT_EC, EC_ID, TRUE);
    Sleep(200);
    ok(!ec.counts[NAPAGENT_CALL_NOTIFY_SOH_CHANGE], "Got %ld calls.\n", ec.counts[NAPAGENT_CALL_NOTIFY_SOH_CHANGE]);

    /* a fix-up */
    hr = open_connection(&ec.binding, &key);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    make_fixup_response(&ec, &message);
    begin_fixup(&sha, &ec, &message, fixupStateInProgress);
    sha.fixup.info.state = fixupStateSuccess;
    fake_stop(&ec);
    fake_wait(&sha, NAPAGENT_CALL_GET_FIXUP_INFO, 2);
    Sleep(200);
    fake_start_(__LINE__, &ec, NAPAGENT_EC, EC_ID, TRUE);
    fake_wait(&ec, NAPAGENT_CALL_NOTIFY_SOH_CHANGE, 1);
    stop(&sha, &ec);

    /* an agent's word */
    if (!restart_agent()) return;
    start(&sha, &ec);
    fake_stop(&ec);
    AGENT_CALL(hr, napagent_notify_soh_change(agent, &sha.binding));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    fake_start_(__LINE__, &ec, NAPAGENT_EC, EC_ID, TRUE);
    fake_wait(&ec, NAPAGENT_CALL_NOTIFY_SOH_CHANGE, 1);
    fake_stop(&ec);
    fake_start(&ec, NAPAGENT_EC, EC_ID);
    fake_stop(&sha);
    ok(!sha.counts[NAPAGENT_CALL_GET_FIXUP_INFO], "Got %ld calls.\n", sha.counts[NAPAGENT_CALL_GET_FIXUP_INFO]);
    fake_start_(__LINE__, &sha, NAPAGENT_SHA, SHA_ID, TRUE);
    fake_wait(&sha, NAPAGENT_CALL_GET_FIXUP_INFO, 1);
    ok(!ec.counts[NAPAGENT_CALL_NOTIFY_SOH_CHANGE], "Got %ld calls.\n", ec.counts[NAPAGENT_CALL_NOTIFY_SOH_CHANGE]);
    stop(&sha, &ec);
}

static void test_retry(void)
{
    struct request request;
    struct fake sha, ec;
    DWORD begin;
    HRESULT hr;

    start(&sha, &ec);
    AGENT_CALL(hr, napagent_notify_soh_change(agent, &sha.binding));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    fake_wait(&ec, NAPAGENT_CALL_NOTIFY_SOH_CHANGE, 1);

    begin = GetTickCount();
    AGENT_CALL(hr, napagent_notify_soh_change_failure(agent, &ec.binding));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    fake_wait_(__LINE__, &ec, NAPAGENT_CALL_NOTIFY_SOH_CHANGE, 2, 7000);
    ok(GetTickCount() - begin > 4500, "It took %lu ms.\n", GetTickCount() - begin);

    AGENT_CALL(hr, napagent_notify_soh_change_failure(agent, &ec.binding));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = get_request_data(&ec.binding, &key, 4000, &request);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    Sleep(6000);
    ok(ec.counts[NAPAGENT_CALL_NOTIFY_SOH_CHANGE] == 2, "Got %ld calls.\n", ec.counts[NAPAGENT_CALL_NOTIFY_SOH_CHANGE]);

    /* A request that comes to nothing isn't one. */
    fake_set_soh(&sha, "A statement of health that is longer than all of the smallest message, and that is said of its length "
                       "once more: a statement of health that is longer than all of the smallest message. A statement of health "
                       "that is longer than all of the smallest message.");
    AGENT_CALL(hr, napagent_notify_soh_change_failure(agent, &ec.binding));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = get_request_data(&ec.binding, &key, minProtocolMaxSize, &request);
    ok(hr == NAP_E_MAXSIZE_TOO_SMALL, "Got hr %#lx.\n", hr);
    fake_wait_(__LINE__, &ec, NAPAGENT_CALL_NOTIFY_SOH_CHANGE, 3, 7000);

    stop(&sha, &ec);
}

struct asking
{
    const GUID *binding, *connection;
    HANDLE thread;
    HRESULT hr;
    struct request request;
};

static DWORD WINAPI ask_thread(void *arg)
{
    struct asking *asking = arg;

    asking->hr = get_request_data(asking->binding, asking->connection, 4000, &asking->request);
    return 0;
}

static void ask(struct asking *asking, const GUID *binding, const GUID *connection)
{
    asking->binding = binding;
    asking->connection = connection;
    asking->thread = CreateThread(NULL, 0, ask_thread, asking, 0, NULL);
}

static void asked(struct asking *asking)
{
    DWORD ret;

    ret = WaitForSingleObject(asking->thread, TIMEOUT);
    ok(!ret, "Got %lu.\n", ret);
    CloseHandle(asking->thread);
}

static void test_at_once(void)
{
    struct asking asking[3];
    struct fake sha, ec;
    HRESULT hr;
    UINT i;

    start(&sha, &ec);
    hr = open_connection(&ec.binding, &key2);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    sha.held_type = NAPAGENT_CALL_GET_SOH_REQUEST;
    sha.held_event = CreateEventW(NULL, TRUE, FALSE, NULL);

    /* Two connections ask at once; the second request of one waits for its first. */
    ask(&asking[0], &ec.binding, &key);
    fake_wait(&sha, NAPAGENT_CALL_GET_SOH_REQUEST, 1);
    ask(&asking[1], &ec.binding, &key2);
    ask(&asking[2], &ec.binding, &key);
    Sleep(200);
    for (i = 0; i < ARRAY_SIZE(asking); i++)
        ok(WaitForSingleObject(asking[i].thread, 0) == WAIT_TIMEOUT, "%u doesn't wait.\n", i);
    SetEvent(sha.held_event);
    for (i = 0; i < ARRAY_SIZE(asking); i++)
    {
        asked(&asking[i]);
        ok(asking[i].hr == S_OK, "%u: Got hr %#lx.\n", i, asking[i].hr);
        ok(contains_soh(&asking[i].request, &sha), "%u: The SoH isn't there.\n", i);
    }
    ok(CompareFileTime(&asking[0].request.id.timeStamp, &asking[2].request.id.timeStamp) < 0, "Time doesn't go on.\n");
    fake_wait(&sha, NAPAGENT_CALL_GET_SOH_REQUEST, 3);
    fake_wait(&sha, NAPAGENT_CALL_NOTIFY_ORPHANED, 1);
    ok(!memcmp(&sha.calls[NAPAGENT_CALL_NOTIFY_ORPHANED].correlation_id, &asking[0].request.id,
            sizeof(CorrelationId)), "Got another id.\n");

    /* One connection goes down meanwhile. */
    ResetEvent(sha.held_event);
    ask(&asking[0], &ec.binding, &key);
    fake_wait(&sha, NAPAGENT_CALL_GET_SOH_REQUEST, 4);
    ask(&asking[1], &ec.binding, &key);
    Sleep(200);
    hr = close_connection(&ec.binding, &key);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    asked(&asking[0]);
    ok(asking[0].hr == NAP_E_NOT_INITIALIZED, "Got hr %#lx.\n", asking[0].hr);
    asked(&asking[1]);
    ok(asking[1].hr == NAP_E_NOT_INITIALIZED, "Got hr %#lx.\n", asking[1].hr);

    /* An agent that hasn't been asked yet isn't, and hears of nothing. */
    hr = open_connection(&ec.binding, &key);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ask(&asking[0], &ec.binding, &key);
    Sleep(200);
    hr = close_connection(&ec.binding, &key);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    asked(&asking[0]);
    ok(asking[0].hr == NAP_E_NOT_INITIALIZED, "Got hr %#lx.\n", asking[0].hr);
    SetEvent(sha.held_event);
    fake_wait(&sha, NAPAGENT_CALL_NOTIFY_ORPHANED, 3);
    Sleep(200);
    fake_wait(&sha, NAPAGENT_CALL_GET_SOH_REQUEST, 4);
    fake_wait(&sha, NAPAGENT_CALL_NOTIFY_ORPHANED, 3);
    ResetEvent(sha.held_event);

    /* A client goes, too. */
    ask(&asking[0], &ec.binding, &key2);
    fake_wait(&sha, NAPAGENT_CALL_GET_SOH_REQUEST, 5);
    fake_stop(&ec);
    asked(&asking[0]);
    ok(asking[0].hr == NAP_E_NOT_INITIALIZED, "Got hr %#lx.\n", asking[0].hr);

    /* And so does the service. */
    fake_start(&ec, NAPAGENT_EC, EC_ID);
    hr = open_connection(&ec.binding, &key);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ask(&asking[0], &ec.binding, &key);
    Sleep(200);
    ok(stop_service(), "Failed to stop the service.\n");
    asked(&asking[0]);
    ok(asking[0].hr == RPC_E_DISCONNECTED, "Got hr %#lx.\n", asking[0].hr);
    WaitForSingleObject(ec.thread, TIMEOUT);
    CloseHandle(ec.thread);
    ok(ec.end == RPC_E_DISCONNECTED, "Got hr %#lx.\n", ec.end);
    SetEvent(sha.held_event);
    WaitForSingleObject(sha.thread, TIMEOUT);
    CloseHandle(sha.thread);
    ok(FAILED(sha.end), "Got hr %#lx.\n", sha.end);
    CloseHandle(sha.held_event);

    disconnect_agent();
    if (!connect_agent()) return;
    fake_start(&sha, NAPAGENT_SHA, SHA_ID);
    fake_start(&ec, NAPAGENT_EC, EC_ID);
    stop(&sha, &ec);
}

START_TEST(exchange)
{
    if (!connect_agent()) return;
    test_request();
    test_failures();
    test_cache();
    test_max_size();
    test_response();
    test_fixup();
    test_fixup_misses();
    test_fixup_change();
    test_bound_again();
    test_retry();
    test_at_once();
    disconnect_agent();
}
