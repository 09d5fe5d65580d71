/*
 * Tests for bound clients and their calls
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
#include "napprotocol.h"

/* ---- a client, played by a thread ---- */

void add_component(napagent_kind kind, NapComponentId id)
{
    napagent_component component = { id };
    HRESULT hr;

    AGENT_CALL(hr, napagent_register(agent, kind, &component, L"Name", L"Description", L"1.0", L"Vendor"));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    if (kind != NAPAGENT_EC) return;
    AGENT_CALL(hr, napagent_enable(agent, id, TRUE));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
}

void remove_component(napagent_kind kind, NapComponentId id)
{
    HRESULT hr;

    AGENT_CALL(hr, napagent_unregister(agent, kind, id));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
}

static HRESULT take_call(const GUID *binding, const napagent_result *result, UINT32 reply_size, const BYTE *reply,
        napagent_call *call, UINT32 *soh_size, BYTE **soh, UINT32 *last_size, BYTE **last_soh)
{
    HRESULT hr;

    memset(call, 0xcc, sizeof(*call));
    *soh_size = *last_size = 0xdeadbeef;
    *soh = *last_soh = NULL;
    AGENT_CALL(hr, napagent_next_call(agent, binding, result, reply_size, reply, call, soh_size, soh,
                                      last_size, last_soh));
    return hr;
}

HRESULT next_call(const GUID *binding, const napagent_result *result, napagent_call *call)
{
    static const napagent_result none;
    UINT32 soh_size, last_size;
    BYTE *soh, *last_soh;
    HRESULT hr;

    hr = take_call(binding, result ? result : &none, 0, (BYTE *)"", call, &soh_size, &soh, &last_size, &last_soh);
    if (SUCCEEDED(hr))
    {
        free(soh);
        free(last_soh);
    }
    return hr;
}

static UINT32 fake_reply(struct fake *fake, const napagent_call *call, napagent_result *result, const BYTE **reply)
{
    result->serial = call->serial;
    result->hr = fake->hrs[call->type];
    result->flags = 0;
    *reply = (BYTE *)"";
    switch (call->type)
    {
    case NAPAGENT_CALL_GET_SOH_REQUEST:
        result->flags = fake->soh_flags;
        *reply = fake->soh;
        return fake->soh_size;
    case NAPAGENT_CALL_GET_FIXUP_INFO:
        fake->told_fixup = fake->fixup;
        *reply = (BYTE *)&fake->told_fixup;
        return sizeof(fake->fixup.info) + fake->told_fixup.info.count * sizeof(HRESULT);
    case NAPAGENT_CALL_GET_CONNECTIONS:
        *reply = (BYTE *)fake->connections;
        return fake->connection_count * sizeof(GUID);
    default:
        return 0;
    }
}

/* A call counts as soon as it is settled what it gets: who has seen it may change what the next one does. */
static UINT32 fake_answer(struct fake *fake, const napagent_call *call, napagent_result *result, const BYTE **reply)
{
    UINT32 size = fake_reply(fake, call, result, reply);

    InterlockedIncrement(&fake->counts[call->type]);
    if (fake->held_event && fake->held_type == call->type)
        WaitForSingleObject(fake->held_event, 2 * TIMEOUT);
    return size;
}

static DWORD WINAPI fake_thread(void *arg)
{
    const BYTE *reply = (BYTE *)"";
    napagent_result result = { 0 };
    UINT32 size = 0, soh_size, last_size;
    struct fake *fake = arg;
    BYTE *soh, *last_soh;
    napagent_call call;
    HRESULT hr;

    while (SUCCEEDED(hr = take_call(&fake->binding, &result, size, reply, &call, &soh_size, &soh, &last_size,
            &last_soh)) && call.type != NAPAGENT_CALL_UNBOUND)
    {
        memset(&result, 0, sizeof(result));
        size = 0;
        if (call.type != NAPAGENT_CALL_NONE)
        {
            fake->calls[call.type] = call;
            fake->given_size[call.type] = soh_size;
            if (soh_size <= sizeof(fake->given[0])) memcpy(fake->given[call.type], soh, soh_size);
            if (call.type == NAPAGENT_CALL_GET_SOH_REQUEST)
            {
                fake->last_size = last_size;
                if (last_size <= sizeof(fake->last_soh)) memcpy(fake->last_soh, last_soh, last_size);
            }
            size = fake_answer(fake, &call, &result, &reply);
        }
        free(soh);
        free(last_soh);
    }
    fake->end = SUCCEEDED(hr) ? S_FALSE : hr;
    return 0;
}

void fake_set_soh(struct fake *fake, const char *text)
{
    UINT size = strlen(text);

    fake->soh_flags = NAPAGENT_SOH_SET;
    memcpy(fake->soh, "\x00\x02\x00\x04", 4);
    fake->soh[4] = fake->id >> 24;
    fake->soh[5] = fake->id >> 16;
    fake->soh[6] = fake->id >> 8;
    fake->soh[7] = fake->id;
    fake->soh[8] = 0;
    fake->soh[9] = sohAttributeTypeProductName;
    fake->soh[10] = size >> 8;
    fake->soh[11] = size;
    memcpy(fake->soh + 12, text, size);
    fake->soh_size = 12 + size;
}

void fake_start_(int line, struct fake *fake, napagent_kind kind, NapComponentId id, BOOL again)
{
    HRESULT hr;

    memset(fake, 0, sizeof(*fake));
    fake->kind = kind;
    fake->id = id;
    fake_set_soh(fake, "healthy");
    AGENT_CALL(hr, napagent_bind(agent, kind, id, again, &fake->binding));
    ok_(__FILE__, line)(hr == S_OK, "Got hr %#lx.\n", hr);
    fake->thread = CreateThread(NULL, 0, fake_thread, fake, 0, NULL);
}

static void fake_join(struct fake *fake)
{
    DWORD ret;

    ret = WaitForSingleObject(fake->thread, TIMEOUT);
    ok(!ret, "Got %lu.\n", ret);
    CloseHandle(fake->thread);
}

void fake_stop(struct fake *fake)
{
    HRESULT hr;

    AGENT_CALL(hr, napagent_unbind(agent, fake->kind, fake->id, &fake->binding));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    fake_join(fake);
    ok(fake->end == S_FALSE, "Got hr %#lx.\n", fake->end);
}

void fake_wait_(int line, struct fake *fake, napagent_call_type type, LONG count, DWORD timeout)
{
    DWORD start = GetTickCount();

    while (fake->counts[type] < count && GetTickCount() - start < timeout) Sleep(5);
    ok_(__FILE__, line)(fake->counts[type] == count, "Got %ld calls of type %u, expected %ld.\n", fake->counts[type],
            type, count);
}

void get_state(napagent_kind kind, NapComponentId id, napagent_component_state *state)
{
    napagent_component_state *states = NULL;
    UINT32 count = 0, i;
    HRESULT hr;

    memset(state, 0xcc, sizeof(*state));
    AGENT_CALL(hr, napagent_get_component_states(agent, kind, &count, &states));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    for (i = 0; i < count; i++) if (states[i].id == id) *state = states[i];
    ok(state->id == id, "%#x not found.\n", id);
    free(states);
}

static BOOL is_bound(napagent_kind kind, NapComponentId id)
{
    napagent_component_state state;

    get_state(kind, id, &state);
    return state.bound;
}

static void wait_unbound(napagent_kind kind, NapComponentId id, DWORD timeout)
{
    DWORD start = GetTickCount();

    while (is_bound(kind, id) && GetTickCount() - start < timeout) Sleep(20);
    ok(!is_bound(kind, id), "Still bound.\n");
}

/* ---- tests ---- */

static void test_bind(void)
{
    static const napagent_kind bad_kinds[] = { NAPAGENT_KIND_COUNT, 3, 0x7fffffff, 0x80000000, -1 };
    napagent_component_state *states;
    GUID binding, other, zero = {0};
    napagent_call call;
    UINT32 count;
    HRESULT hr;
    UINT i;

    for (i = 0; i < ARRAY_SIZE(bad_kinds); i++)
    {
        winetest_push_context("%#x", bad_kinds[i]);
        memset(&binding, 0xcc, sizeof(binding));
        AGENT_CALL(hr, napagent_bind(agent, bad_kinds[i], SHA_ID, FALSE, &binding));
        ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
        ok(IsEqualGUID(&binding, &zero), "Got %s.\n", wine_dbgstr_guid(&binding));
        AGENT_CALL(hr, napagent_unbind(agent, bad_kinds[i], SHA_ID, &binding));
        ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
        count = 0xdeadbeef;
        states = NULL;
        AGENT_CALL(hr, napagent_get_component_states(agent, bad_kinds[i], &count, &states));
        ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
        ok(!count, "Got %u.\n", count);
        ok(!states, "Got %p.\n", states);
        winetest_pop_context();
    }

    for (i = 0; i < NAPAGENT_KIND_COUNT; i++)
    {
        winetest_push_context("kind %u", i);
        memset(&binding, 0xcc, sizeof(binding));
        AGENT_CALL(hr, napagent_bind(agent, i, SHA_ID, FALSE, &binding));
        ok(hr == NAP_E_NOT_REGISTERED, "Got hr %#lx.\n", hr);
        ok(IsEqualGUID(&binding, &zero), "Got %s.\n", wine_dbgstr_guid(&binding));
        AGENT_CALL(hr, napagent_bind(agent, i, 0, FALSE, &binding));
        ok(hr == NAP_E_NOT_REGISTERED, "Got hr %#lx.\n", hr);

        add_component(i, SHA_ID);
        AGENT_CALL(hr, napagent_bind(agent, i, SHA_ID, FALSE, &binding));
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        ok(!IsEqualGUID(&binding, &zero), "Got %s.\n", wine_dbgstr_guid(&binding));
        ok(is_bound(i, SHA_ID), "Not bound.\n");

        memset(&other, 0xcc, sizeof(other));
        AGENT_CALL(hr, napagent_bind(agent, i, SHA_ID, FALSE, &other));
        ok(hr == HRESULT_FROM_WIN32(ERROR_ALREADY_INITIALIZED), "Got hr %#lx.\n", hr);
        ok(IsEqualGUID(&other, &zero), "Got %s.\n", wine_dbgstr_guid(&other));

        AGENT_CALL(hr, napagent_unregister(agent, i, SHA_ID));
        ok(hr == NAP_E_STILL_BOUND, "Got hr %#lx.\n", hr);

        AGENT_CALL(hr, napagent_unbind(agent, i, SHA_ID, &binding));
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        ok(!is_bound(i, SHA_ID), "Bound.\n");
        AGENT_CALL(hr, napagent_unbind(agent, i, SHA_ID, &binding));
        ok(hr == NAP_E_NOT_INITIALIZED, "Got hr %#lx.\n", hr);
        hr = next_call(&binding, NULL, &call);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        ok(call.type == NAPAGENT_CALL_UNBOUND, "Got type %u.\n", call.type);

        AGENT_CALL(hr, napagent_bind(agent, i, SHA_ID, FALSE, &other));
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        ok(!IsEqualGUID(&other, &binding), "Got the same again.\n");
        AGENT_CALL(hr, napagent_unbind(agent, i, SHA_ID, &other));
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        remove_component(i, SHA_ID);
        winetest_pop_context();
    }

    /* of another run of the service */
    binding.Data1 ^= 1;
    AGENT_CALL(hr, napagent_unbind(agent, NAPAGENT_SHA, SHA_ID, &binding));
    ok(hr == RPC_E_DISCONNECTED, "Got hr %#lx.\n", hr);
    hr = next_call(&binding, NULL, &call);
    ok(hr == RPC_E_DISCONNECTED, "Got hr %#lx.\n", hr);
}

static void test_disabled(void)
{
    GUID binding;
    HRESULT hr;

    add_component(NAPAGENT_EC, EC_ID);
    AGENT_CALL(hr, napagent_enable(agent, EC_ID, FALSE));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    AGENT_CALL(hr, napagent_bind(agent, NAPAGENT_EC, EC_ID, FALSE, &binding));
    ok(hr == NAP_E_ENTITY_DISABLED, "Got hr %#lx.\n", hr);
    AGENT_CALL(hr, napagent_enable(agent, EC_ID, TRUE));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    AGENT_CALL(hr, napagent_bind(agent, NAPAGENT_EC, EC_ID, FALSE, &binding));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    AGENT_CALL(hr, napagent_enable(agent, EC_ID, FALSE));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(!is_bound(NAPAGENT_EC, EC_ID), "Bound.\n");
    AGENT_CALL(hr, napagent_unbind(agent, NAPAGENT_EC, EC_ID, &binding));
    ok(hr == NAP_E_NOT_INITIALIZED, "Got hr %#lx.\n", hr);
    remove_component(NAPAGENT_EC, EC_ID);
}

static void test_wrong_kind(void)
{
    GUID bindings[NAPAGENT_KIND_COUNT], key = { 1 };
    BYTE *request = NULL, *private_data = NULL;
    UINT32 size, private_size;
    CorrelationId id;
    HRESULT hr;
    BOOL hint;
    UINT i;

    for (i = 0; i < NAPAGENT_KIND_COUNT; i++)
    {
        add_component(i, SHA_ID);
        AGENT_CALL(hr, napagent_bind(agent, i, SHA_ID, FALSE, &bindings[i]));
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
    }

    AGENT_CALL(hr, napagent_notify_soh_change(agent, &bindings[NAPAGENT_EC]));
    ok(hr == NAP_E_NOT_INITIALIZED, "Got hr %#lx.\n", hr);
    AGENT_CALL(hr, napagent_flush_cache(agent, &bindings[NAPAGENT_EC]));
    ok(hr == NAP_E_NOT_INITIALIZED, "Got hr %#lx.\n", hr);
    AGENT_CALL(hr, napagent_notify_soh_change_failure(agent, &bindings[NAPAGENT_SHA]));
    ok(hr == NAP_E_NOT_INITIALIZED, "Got hr %#lx.\n", hr);
    hr = open_connection(&bindings[NAPAGENT_SHA], &key);
    ok(hr == NAP_E_NOT_INITIALIZED, "Got hr %#lx.\n", hr);
    hr = close_connection(&bindings[NAPAGENT_SHA], &key);
    ok(hr == NAP_E_NOT_INITIALIZED, "Got hr %#lx.\n", hr);
    hint = 0xdeadbeef;
    size = private_size = 0xdeadbeef;
    memset(&id, 0xcc, sizeof(id));
    AGENT_CALL(hr, napagent_get_soh_request(agent, &bindings[NAPAGENT_SHA], &key, &key, 4000, &hint, &id, &size,
                                            &request, &private_size, &private_data));
    ok(hr == NAP_E_NOT_INITIALIZED, "Got hr %#lx.\n", hr);
    ok(!hint, "Got %d.\n", hint);
    ok(!size && !request, "Got %u bytes at %p.\n", size, request);
    ok(!private_size && !private_data, "Got %u bytes at %p.\n", private_size, private_data);
    ok(!id.timeStamp.dwLowDateTime, "Got an id.\n");

    for (i = 0; i < NAPAGENT_KIND_COUNT; i++)
    {
        AGENT_CALL(hr, napagent_unbind(agent, !i, SHA_ID, &bindings[i]));
        ok(hr == NAP_E_NOT_INITIALIZED, "Got hr %#lx.\n", hr);
        AGENT_CALL(hr, napagent_unbind(agent, i, SHA_ID, &bindings[i]));
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        remove_component(i, SHA_ID);
    }
}

static void notify(const GUID *sha)
{
    HRESULT hr;

    AGENT_CALL(hr, napagent_notify_soh_change(agent, sha));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
}

static void test_next_call(void)
{
    napagent_call call, again;
    napagent_result result;
    GUID sha, ec;
    HRESULT hr;

    add_component(NAPAGENT_SHA, SHA_ID);
    add_component(NAPAGENT_EC, EC_ID);
    AGENT_CALL(hr, napagent_bind(agent, NAPAGENT_SHA, SHA_ID, FALSE, &sha));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    AGENT_CALL(hr, napagent_bind(agent, NAPAGENT_EC, EC_ID, FALSE, &ec));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);

    /* What the client hasn't heard of yet is said once. */
    notify(&sha);
    notify(&sha);
    hr = next_call(&ec, NULL, &call);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(call.type == NAPAGENT_CALL_NOTIFY_SOH_CHANGE, "Got type %u.\n", call.type);
    ok(call.serial, "Got no serial.\n");

    /* What it has heard of is said again. */
    notify(&sha);
    notify(&sha);
    memset(&result, 0, sizeof(result));
    result.serial = call.serial;
    hr = next_call(&ec, &result, &again);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(again.type == NAPAGENT_CALL_NOTIFY_SOH_CHANGE, "Got type %u.\n", again.type);
    ok(again.serial && again.serial != call.serial, "Got serial %u after %u.\n", again.serial, call.serial);

    /* A client that comes with the result of another call doesn't get the same call again. */
    notify(&sha);
    hr = next_call(&ec, &result, &call);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(call.type == NAPAGENT_CALL_NOTIFY_SOH_CHANGE, "Got type %u.\n", call.type);
    ok(call.serial && call.serial != again.serial, "Got serial %u after %u.\n", call.serial, again.serial);

    AGENT_CALL(hr, napagent_unbind(agent, NAPAGENT_EC, EC_ID, &ec));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    AGENT_CALL(hr, napagent_unbind(agent, NAPAGENT_SHA, SHA_ID, &sha));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    remove_component(NAPAGENT_EC, EC_ID);
    remove_component(NAPAGENT_SHA, SHA_ID);
}

struct parked
{
    const GUID *binding;
    HANDLE thread;
    HRESULT hr;
    napagent_call call;
};

static DWORD WINAPI park_thread(void *arg)
{
    struct parked *parked = arg;

    parked->hr = next_call(parked->binding, NULL, &parked->call);
    return 0;
}

static void park(struct parked *parked, const GUID *binding)
{
    parked->binding = binding;
    parked->thread = CreateThread(NULL, 0, park_thread, parked, 0, NULL);
    Sleep(200);
    ok(WaitForSingleObject(parked->thread, 0) == WAIT_TIMEOUT, "It doesn't wait.\n");
}

static void unpark(struct parked *parked)
{
    DWORD ret;

    ret = WaitForSingleObject(parked->thread, 2000);
    ok(!ret, "Got %lu.\n", ret);
    CloseHandle(parked->thread);
}

static void test_park(void)
{
    struct parked parked, other;
    napagent_result result;
    DWORD start;
    HRESULT hr;
    GUID ec;

    add_component(NAPAGENT_EC, EC_ID);
    AGENT_CALL(hr, napagent_bind(agent, NAPAGENT_EC, EC_ID, FALSE, &ec));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);

    /* The thread that came last waits. */
    park(&parked, &ec);
    park(&other, &ec);
    unpark(&parked);
    ok(parked.hr == S_OK, "Got hr %#lx.\n", parked.hr);
    ok(parked.call.type == NAPAGENT_CALL_NONE, "Got type %u.\n", parked.call.type);

    AGENT_CALL(hr, napagent_unbind(agent, NAPAGENT_EC, EC_ID, &ec));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    unpark(&other);
    ok(other.hr == S_OK, "Got hr %#lx.\n", other.hr);
    ok(other.call.type == NAPAGENT_CALL_UNBOUND, "Got type %u.\n", other.call.type);

    /* The service stops at once. */
    AGENT_CALL(hr, napagent_bind(agent, NAPAGENT_EC, EC_ID, FALSE, &ec));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    park(&parked, &ec);
    start = GetTickCount();
    ok(stop_service(), "Failed to stop the service.\n");
    ok(GetTickCount() - start < 5000, "It took %lu ms.\n", GetTickCount() - start);
    unpark(&parked);
    ok(parked.hr == RPC_E_DISCONNECTED, "Got hr %#lx.\n", parked.hr);

    disconnect_agent();
    if (!connect_agent()) return;
    AGENT_CALL(hr, napagent_unbind(agent, NAPAGENT_EC, EC_ID, &ec));
    ok(hr == RPC_E_DISCONNECTED, "Got hr %#lx.\n", hr);
    memset(&result, 0, sizeof(result));
    result.serial = 1;
    hr = next_call(&ec, &result, &parked.call);
    ok(hr == RPC_E_DISCONNECTED, "Got hr %#lx.\n", hr);
    remove_component(NAPAGENT_EC, EC_ID);
}

static void test_unavailable(void)
{
    const HRESULT hrs[] = { HRESULT_FROM_WIN32(RPC_S_SERVER_UNAVAILABLE), RPC_S_SERVER_UNAVAILABLE };
    napagent_result result = { 0 };
    struct fake sha;
    napagent_call call;
    HRESULT hr;
    GUID ec;
    UINT i;

    add_component(NAPAGENT_SHA, SHA_ID);
    add_component(NAPAGENT_EC, EC_ID);
    fake_start(&sha, NAPAGENT_SHA, SHA_ID);
    for (i = 0; i < ARRAY_SIZE(hrs); i++)
    {
        winetest_push_context("%#lx", hrs[i]);
        AGENT_CALL(hr, napagent_bind(agent, NAPAGENT_EC, EC_ID, FALSE, &ec));
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        notify(&sha.binding);
        hr = next_call(&ec, NULL, &call);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        result.serial = call.serial;
        result.hr = hrs[i];
        hr = next_call(&ec, &result, &call);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        ok(call.type == NAPAGENT_CALL_UNBOUND, "Got type %u.\n", call.type);
        ok(!is_bound(NAPAGENT_EC, EC_ID), "Bound.\n");
        winetest_pop_context();
    }
    fake_stop(&sha);
    remove_component(NAPAGENT_EC, EC_ID);
    remove_component(NAPAGENT_SHA, SHA_ID);
}

/* An agent that hangs is dropped; the exchange goes on with its neighbours. */
static void test_hang(void)
{
    GUID key = { 1 };
    struct fake shas[2], ec;
    CorrelationId id;
    DWORD start, took;
    HRESULT hr;
    BOOL hint;
    UINT i;

    add_component(NAPAGENT_EC, EC_ID);
    fake_start(&ec, NAPAGENT_EC, EC_ID);
    for (i = 0; i < ARRAY_SIZE(shas); i++)
    {
        add_component(NAPAGENT_SHA, SHA_ID + i);
        fake_start(&shas[i], NAPAGENT_SHA, SHA_ID + i);
    }
    hr = open_connection(&ec.binding, &key);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);

    shas[0].held_type = NAPAGENT_CALL_GET_SOH_REQUEST;
    shas[0].held_event = CreateEventW(NULL, TRUE, FALSE, NULL);
    start = GetTickCount();
    hr = get_request(&ec.binding, &key, &hint, &id);
    took = GetTickCount() - start;
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(took > 9000 && took < 13000, "It took %lu ms.\n", took);
    ok(!is_bound(NAPAGENT_SHA, SHA_ID), "Bound.\n");
    ok(is_bound(NAPAGENT_SHA, SHA_ID + 1), "Not bound.\n");
    ok(shas[1].counts[NAPAGENT_CALL_GET_SOH_REQUEST] == 1, "Got %ld calls.\n",
            shas[1].counts[NAPAGENT_CALL_GET_SOH_REQUEST]);

    /* Its answer comes too late. */
    SetEvent(shas[0].held_event);
    fake_join(&shas[0]);
    ok(shas[0].end == S_FALSE, "Got hr %#lx.\n", shas[0].end);
    CloseHandle(shas[0].held_event);

    start = GetTickCount();
    hr = get_request(&ec.binding, &key, &hint, &id);
    took = GetTickCount() - start;
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(took < 2000, "It took %lu ms.\n", took);

    fake_stop(&shas[1]);
    fake_stop(&ec);
    for (i = 0; i < ARRAY_SIZE(shas); i++) remove_component(NAPAGENT_SHA, SHA_ID + i);
    remove_component(NAPAGENT_EC, EC_ID);
}

/* One that doesn't even come for its call is dropped, too. */
static void test_absent(void)
{
    GUID key = { 1 }, sha;
    CorrelationId id;
    DWORD start, took;
    struct fake ec;
    HRESULT hr;
    BOOL hint;

    add_component(NAPAGENT_EC, EC_ID);
    add_component(NAPAGENT_SHA, SHA_ID);
    fake_start(&ec, NAPAGENT_EC, EC_ID);
    AGENT_CALL(hr, napagent_bind(agent, NAPAGENT_SHA, SHA_ID, FALSE, &sha));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = open_connection(&ec.binding, &key);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);

    start = GetTickCount();
    hr = get_request(&ec.binding, &key, &hint, &id);
    took = GetTickCount() - start;
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(took > 9000 && took < 13000, "It took %lu ms.\n", took);
    ok(!is_bound(NAPAGENT_SHA, SHA_ID), "Bound.\n");

    fake_stop(&ec);
    remove_component(NAPAGENT_SHA, SHA_ID);
    remove_component(NAPAGENT_EC, EC_ID);
}

static void start_child(PROCESS_INFORMATION *info)
{
    STARTUPINFOA startup = { sizeof(startup) };
    char **argv, command[MAX_PATH];
    DWORD start;
    BOOL ret;

    winetest_get_mainargs(&argv);
    sprintf(command, "\"%s\" client child", argv[0]);
    ret = CreateProcessA(NULL, command, NULL, NULL, FALSE, 0, NULL, NULL, &startup, info);
    ok(ret, "Got error %lu.\n", GetLastError());
    start = GetTickCount();
    while (!is_bound(NAPAGENT_SHA, SHA_ID) && GetTickCount() - start < TIMEOUT) Sleep(20);
    ok(is_bound(NAPAGENT_SHA, SHA_ID), "The child isn't bound.\n");
}

static void end_child(PROCESS_INFORMATION *info)
{
    TerminateProcess(info->hProcess, 0);
    WaitForSingleObject(info->hProcess, TIMEOUT);
    CloseHandle(info->hThread);
    CloseHandle(info->hProcess);
}

static void child(void)
{
    napagent_call call;
    GUID binding;
    HRESULT hr;

    AGENT_CALL(hr, napagent_bind(agent, NAPAGENT_SHA, SHA_ID, FALSE, &binding));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    /* A call that comes is left undone. */
    if (SUCCEEDED(next_call(&binding, NULL, &call))) Sleep(10 * TIMEOUT);
}

static DWORD WINAPI kill_thread(void *arg)
{
    Sleep(500);
    end_child(arg);
    return 0;
}

static void test_killed(void)
{
    GUID key = { 1 }, binding;
    PROCESS_INFORMATION info;
    DWORD start, took;
    CorrelationId id;
    struct fake ec;
    HANDLE thread;
    HRESULT hr;
    BOOL hint;

    add_component(NAPAGENT_EC, EC_ID);
    add_component(NAPAGENT_SHA, SHA_ID);
    fake_start(&ec, NAPAGENT_EC, EC_ID);
    hr = open_connection(&ec.binding, &key);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);

    start_child(&info);
    end_child(&info);
    wait_unbound(NAPAGENT_SHA, SHA_ID, 2000);

    /* Whoever binds next needn't wait for that. */
    start_child(&info);
    AGENT_CALL(hr, napagent_bind(agent, NAPAGENT_SHA, SHA_ID, FALSE, &binding));
    ok(hr == HRESULT_FROM_WIN32(ERROR_ALREADY_INITIALIZED), "Got hr %#lx.\n", hr);
    end_child(&info);
    AGENT_CALL(hr, napagent_bind(agent, NAPAGENT_SHA, SHA_ID, FALSE, &binding));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    AGENT_CALL(hr, napagent_unbind(agent, NAPAGENT_SHA, SHA_ID, &binding));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);

    /* Whoever waits for it goes on. */
    start_child(&info);
    thread = CreateThread(NULL, 0, kill_thread, &info, 0, NULL);
    start = GetTickCount();
    hr = get_request(&ec.binding, &key, &hint, &id);
    took = GetTickCount() - start;
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(took > 200 && took < 5000, "It took %lu ms.\n", took);
    ok(!is_bound(NAPAGENT_SHA, SHA_ID), "Bound.\n");
    WaitForSingleObject(thread, TIMEOUT);
    CloseHandle(thread);

    fake_stop(&ec);
    remove_component(NAPAGENT_SHA, SHA_ID);
    remove_component(NAPAGENT_EC, EC_ID);
}

static void test_empty_park(void)
{
    struct parked parked;
    DWORD start;
    HRESULT hr;
    GUID ec;

    if (!winetest_interactive)
    {
        skip("That nothing comes for 30 s is for an interactive run.\n");
        return;
    }

    add_component(NAPAGENT_EC, EC_ID);
    AGENT_CALL(hr, napagent_bind(agent, NAPAGENT_EC, EC_ID, FALSE, &ec));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    start = GetTickCount();
    parked.hr = next_call(&ec, NULL, &parked.call);
    ok(parked.hr == S_OK, "Got hr %#lx.\n", parked.hr);
    ok(parked.call.type == NAPAGENT_CALL_NONE, "Got type %u.\n", parked.call.type);
    ok(GetTickCount() - start > 29000 && GetTickCount() - start < 33000, "It took %lu ms.\n",
            GetTickCount() - start);
    AGENT_CALL(hr, napagent_unbind(agent, NAPAGENT_EC, EC_ID, &ec));
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    remove_component(NAPAGENT_EC, EC_ID);
}

START_TEST(client)
{
    char **argv;
    int argc;

    if (!connect_agent()) return;

    argc = winetest_get_mainargs(&argv);
    if (argc >= 3 && !strcmp(argv[2], "child")) child();
    else
    {
        test_bind();
        test_disabled();
        test_wrong_kind();
        test_next_call();
        test_park();
        test_unavailable();
        test_hang();
        test_absent();
        test_killed();
        test_empty_park();
    }
    disconnect_agent();
}
