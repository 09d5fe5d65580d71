/*
 * The agent, SHAs and ECs killed, or hanging, in the middle of exchanges
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

#define COBJMACROS

#include "faults.h"

#define ROUNDS 200

#define PROGRESS_LIMIT 15000 /* milliseconds for exchanges to go on */
#define REBIND_LIMIT 1000    /* for a killed client's id to be free */
#define MAX_DELAY 40         /* until the kill */

#define SHA_COUNT 4  /* that live on; in two processes */
#define EC_COUNT 4
#define VICTIM 4     /* the number of the one that's killed */
#define PASSING 19   /* of the SHA that is registered and unregistered all the time */
#define CONNECTIONS 2

#define LIVING ((1u << SHA_COUNT) - 1)

static struct party_process *shas[2], *ecs[2];

static void start_neighbours(unsigned int sha_count)
{
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(shas); ++i)
        shas[i] = start_party(NAPAGENT_SHA, i * 2, 2, 0, 0);
    for (i = 0; i < ARRAY_SIZE(ecs); ++i)
        ecs[i] = start_party(NAPAGENT_EC, i * 2, 2, CONNECTIONS, sha_count);
}

static void bind_neighbours(void)
{
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(shas); ++i)
        bind_party(shas[i]);
    for (i = 0; i < ARRAY_SIZE(ecs); ++i)
        bind_party(ecs[i]);
}

static void end_neighbours(void)
{
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(ecs); ++i)
        end_party(ecs[i]);
    for (i = 0; i < ARRAY_SIZE(shas); ++i)
        end_party(shas[i]);
}

static unsigned int count_complaints(void)
{
    unsigned int i, count = 0;

    for (i = 0; i < ARRAY_SIZE(ecs); ++i)
        count += shas[i]->party->complaints + ecs[i]->party->complaints;
    return count;
}

/* ---- whether exchanges go on ---- */

struct progress
{
    LONG exchanges[EC_COUNT], complete[EC_COUNT], changes[EC_COUNT];
};

static void get_progress(struct progress *progress)
{
    unsigned int i;

    for (i = 0; i < EC_COUNT; ++i)
    {
        progress->exchanges[i] = ecs[i / 2]->party->exchanges[i % 2];
        progress->complete[i] = ecs[i / 2]->party->complete[i % 2];
        progress->changes[i] = ecs[i / 2]->party->changes[i % 2];
    }
}

/* By two, so that one has begun since. */
static BOOL all_exchanged(const struct progress *before)
{
    struct progress now;
    unsigned int i;

    get_progress(&now);
    for (i = 0; i < EC_COUNT; ++i)
        if (now.exchanges[i] - before->exchanges[i] < 2)
            return FALSE;
    return TRUE;
}

static BOOL all_complete(const struct progress *before)
{
    struct progress now;
    unsigned int i;

    get_progress(&now);
    for (i = 0; i < EC_COUNT; ++i)
        if (now.complete[i] - before->complete[i] < 2)
            return FALSE;
    return TRUE;
}

static BOOL all_changed(const struct progress *before)
{
    struct progress now;
    unsigned int i;

    get_progress(&now);
    for (i = 0; i < EC_COUNT; ++i)
        if (now.changes[i] == before->changes[i])
            return FALSE;
    return TRUE;
}

/* wait_for() and ok() in one; what is waited for counts from now */
#define check_progress(condition, limit) check_progress_(__LINE__, condition, #condition, limit)
static BOOL check_progress_(int line, BOOL (*condition)(const struct progress *), const char *name, DWORD limit)
{
    struct progress before, now;
    BOOL ret;

    get_progress(&before);
    wait_for(condition(&before), limit);
    ret = condition(&before);
    get_progress(&now);
    ok_(__FILE__, line)(ret, "Not %s: exchanges %ld, %ld, %ld, %ld, complete %ld, %ld, %ld, %ld, changes %ld, %ld, %ld, %ld.\n",
            name,
            now.exchanges[0] - before.exchanges[0], now.exchanges[1] - before.exchanges[1],
            now.exchanges[2] - before.exchanges[2], now.exchanges[3] - before.exchanges[3],
            now.complete[0] - before.complete[0], now.complete[1] - before.complete[1],
            now.complete[2] - before.complete[2], now.complete[3] - before.complete[3],
            now.changes[0] - before.changes[0], now.changes[1] - before.changes[1],
            now.changes[2] - before.changes[2], now.changes[3] - before.changes[3]);
    return ret;
}

/* An SHA calls NotifySoHChange(), which it does until the agent is there, and each EC hears of it. */
static void begin_change(struct progress *before)
{
    get_progress(before);
    InterlockedIncrement(&shas[0]->party->change);
}

static void end_change(const struct progress *before)
{
    wait_for(all_changed(before), PROGRESS_LIMIT);
    ok(all_changed(before), "Not each EC was told of a change.\n");
}

static void check_change(void)
{
    struct progress before;

    begin_change(&before);
    end_change(&before);
}

/* ---- a registration that comes and goes ---- */

static struct
{
    volatile LONG wanted, running, quit; /* by the tests, by itself, by the tests */
    enum
    {
        ABSENT,
        PRESENT,
        UNKNOWN, /* the agent has died meanwhile */
    } state;
    LONG changes;
    HRESULT unexpected;
} passing;

static volatile LONG deaths; /* of the agent; counted before and after */

/* An agent that dies in a call may have done what it was asked for, and so may the one that is asked once more. */
static void pass(void)
{
    BOOL to_register = passing.state == ABSENT || (passing.state == UNKNOWN && passing.changes % 2);
    LONG deaths_before = deaths;
    HRESULT hr, settled;

    settled = to_register ? NAP_E_CONFLICTING_ID : NAP_E_NOT_REGISTERED;
    hr = to_register ? register_component(NAPAGENT_SHA, PASSING) : unregister_component(NAPAGENT_SHA, PASSING);
    if (hr == S_OK || (hr == settled && (passing.state == UNKNOWN || deaths != deaths_before)))
    {
        passing.state = to_register ? PRESENT : ABSENT;
        ++passing.changes;
        return;
    }
    if (hr != RPC_E_DISCONNECTED)
        passing.unexpected = hr;
    passing.state = UNKNOWN;
    Sleep(1);
}

static DWORD WINAPI pass_thread(void *arg)
{
    CoInitializeEx(NULL, COINIT_MULTITHREADED);
    while (!passing.quit)
    {
        InterlockedExchange(&passing.running, passing.wanted);
        if (passing.running)
            pass();
        else
            Sleep(1);
    }
    CoUninitialize();
    return 0;
}

static void let_pass(BOOL wanted)
{
    InterlockedExchange(&passing.wanted, wanted);
    wait_for(passing.running == wanted, PROGRESS_LIMIT);
    ok(passing.running == wanted, "A registration doesn't end.\n");
    ok(!passing.unexpected, "Registering or unregistering answered %#lx.\n", passing.unexpected);
}

/* ---- rounds ---- */

static DWORD random_delay(void)
{
    return rand() % (MAX_DELAY + 1);
}

static void kill_agent(void)
{
    HANDLE process = open_agent();
    DWORD wait;
    BOOL ret;

    ok(!!process, "There is no agent.\n");
    if (!process)
        return;
    Sleep(random_delay());
    InterlockedIncrement(&deaths);
    ret = TerminateProcess(process, 0);
    ok(ret, "Failed to end the agent, error %lu.\n", GetLastError());
    wait = WaitForSingleObject(process, START_LIMIT);
    ok(!wait, "Got %#lx.\n", wait);
    InterlockedIncrement(&deaths);
    CloseHandle(process);
}

/* Registering starts the service too, so every other round leaves it to that. */
static void agent_round(unsigned int round)
{
    struct progress before_change;
    int bound;

    let_pass(round % 2);
    kill_agent();
    begin_change(&before_change);
    Sleep(random_delay());
    ok(start_agent(START_LIMIT), "The agent doesn't start again.\n");

    wait_for((bound = count_bound(NAPAGENT_SHA)) == SHA_COUNT, PROGRESS_LIMIT);
    ok(bound == SHA_COUNT, "Got %d SHAs.\n", bound);
    wait_for((bound = count_bound(NAPAGENT_EC)) == EC_COUNT, PROGRESS_LIMIT);
    ok(bound == EC_COUNT, "Got %d ECs.\n", bound);
    check_progress(all_complete, PROGRESS_LIMIT);
    end_change(&before_change);

    let_pass(FALSE);
    if (passing.state == UNKNOWN)
        pass();
    check_registered(NAPAGENT_SHA, LIVING | (passing.state == PRESENT ? 1u << PASSING : 0));
    check_registered(NAPAGENT_EC, LIVING);
}

static void test_agent(unsigned int rounds)
{
    unsigned int i, round;
    HANDLE thread;
    HRESULT hr;

    start_neighbours(SHA_COUNT);
    for (i = 0; i < ARRAY_SIZE(shas); ++i)
        shas[i]->party->outage = ecs[i]->party->outage = TRUE;
    bind_neighbours();
    memset(&passing, 0, sizeof(passing));
    thread = CreateThread(NULL, 0, pass_thread, NULL, 0, NULL);
    check_progress(all_complete, PROGRESS_LIMIT);

    for (round = 0; round < rounds && !count_complaints() && !winetest_get_failures(); ++round)
    {
        winetest_push_context("agent, round %u", round);
        agent_round(round);
        winetest_pop_context();
    }

    passing.quit = TRUE;
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    trace("%u kills of the agent, %ld registrations changed, %ld calls without an agent, %ld ms the longest one.\n", round,
            passing.changes, ecs[0]->party->disconnected + ecs[1]->party->disconnected,
            max(ecs[0]->party->longest, ecs[1]->party->longest));
    ok(ecs[0]->party->disconnected, "No call met an agent that wasn't there.\n");
    end_neighbours();
    if (passing.state == PRESENT)
    {
        hr = unregister_component(NAPAGENT_SHA, PASSING);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
    }
}

static struct party_process *start_victim(napagent_kind kind)
{
    struct party_process *victim;

    victim = start_party(kind, VICTIM, 1, kind == NAPAGENT_EC ? CONNECTIONS : 0, SHA_COUNT);
    victim->party->missing = 1u << VICTIM;
    return victim;
}

static BOOL is_busy(const struct party_process *victim)
{
    return victim->party->kind == NAPAGENT_SHA ? victim->party->callbacks : victim->party->exchanges[0];
}

/* The id is free at once, or, every so often, unregistered first. */
static LONG take_over(napagent_kind kind, struct party_process *spare, BOOL anew)
{
    DWORD start = GetTickCount();
    HRESULT hr;
    int count;

    if (anew)
    {
        while ((hr = unregister_component(kind, VICTIM)) == NAP_E_STILL_BOUND && GetTickCount() - start < REBIND_LIMIT)
            Sleep(1);
        ok(hr == S_OK, "Got hr %#lx after %lu ms.\n", hr, GetTickCount() - start);
        hr = register_component(kind, VICTIM);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
    }
    bind_party(spare);
    ok(spare->party->bind_time <= REBIND_LIMIT, "Binding took %ld ms.\n", spare->party->bind_time);
    if (kind == NAPAGENT_EC)
    {
        count = count_connections(VICTIM);
        ok(count <= CONNECTIONS, "Got %d connections.\n", count);
    }
    return spare->party->bind_time;
}

static struct party_process *client_round(napagent_kind kind, struct party_process *victim, unsigned int round, LONG *longest)
{
    struct party_process *spare = start_victim(kind);
    LONG time;

    wait_for(is_busy(victim), PROGRESS_LIMIT);
    ok(is_busy(victim), "The victim does nothing.\n");
    Sleep(random_delay());
    kill_party(victim);
    time = take_over(kind, spare, round % 8 == 7);
    *longest = max(*longest, time);
    check_progress(all_exchanged, PROGRESS_LIMIT);
    return spare;
}

static void test_client(napagent_kind kind, unsigned int rounds)
{
    const char *name = kind == NAPAGENT_SHA ? "SHA" : "EC";
    struct party_process *victim;
    LONG longest = 0;
    unsigned int i, round;
    HRESULT hr;

    hr = register_component(kind, VICTIM);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    start_neighbours(SHA_COUNT + (kind == NAPAGENT_SHA));
    for (i = 0; i < ARRAY_SIZE(ecs); ++i)
        ecs[i]->party->missing = 1u << VICTIM;
    bind_neighbours();
    victim = start_victim(kind);
    bind_party(victim);

    for (round = 0; round < rounds && !count_complaints() && !winetest_get_failures(); ++round)
    {
        winetest_push_context("%s, round %u", name, round);
        victim = client_round(kind, victim, round, &longest);
        winetest_pop_context();
    }

    trace("%u kills of an %s, %ld ms the longest time to bind its id again, %ld ms the longest call of its neighbours.\n",
            round, name, longest, max(ecs[0]->party->longest, ecs[1]->party->longest));
    check_change();
    end_party(victim);
    end_neighbours();
    hr = unregister_component(kind, VICTIM);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
}

/* ---- one that hangs ---- */

/* An SHA holds up a collection until it's dropped, an EC nothing. */
static void test_hang(napagent_kind kind, DWORD drop_time)
{
    const DWORD slack = 5000;
    struct party_process *victim;
    DWORD start, time;
    unsigned int i;
    HRESULT hr;

    winetest_push_context("hanging %s", kind == NAPAGENT_SHA ? "SHA" : "EC");
    hr = register_component(kind, VICTIM);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    start_neighbours(SHA_COUNT + (kind == NAPAGENT_SHA));
    for (i = 0; i < ARRAY_SIZE(ecs); ++i)
    {
        ecs[i]->party->missing = 1u << VICTIM;
        ecs[i]->party->limit = 10000 + slack;
    }
    bind_neighbours();
    victim = start_victim(kind);
    victim->party->outage = TRUE; /* it doesn't take part in what's checked */
    bind_party(victim);
    check_progress(all_exchanged, PROGRESS_LIMIT);

    start = GetTickCount();
    InterlockedExchange(&victim->party->hang, TRUE);
    check_change();
    check_progress(all_exchanged, 10000 + slack);
    wait_for(!is_bound(kind, VICTIM), drop_time + slack);
    time = GetTickCount() - start;
    ok(!is_bound(kind, VICTIM), "It's still bound after %lu ms.\n", time);
    ok(time > drop_time - slack, "It was unbound after %lu ms.\n", time);
    check_progress(all_exchanged, PROGRESS_LIMIT);
    hr = unregister_component(kind, VICTIM);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    trace("Dropped after %lu ms.\n", time);

    victim->party->complaints = 0;
    kill_party(victim);
    end_neighbours();
    winetest_pop_context();
}

START_TEST(kill)
{
    unsigned int rounds = get_setting("FAULTS_ROUNDS", ROUNDS), i;
    HRESULT hr;

    srand(GetTickCount());
    CoInitializeEx(NULL, COINIT_MULTITHREADED);
    if (!create_board() || !agent_init())
    {
        CoUninitialize();
        return;
    }
    for (i = 0; i < SHA_COUNT; ++i)
    {
        hr = register_component(NAPAGENT_SHA, i);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        hr = register_component(NAPAGENT_EC, i);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
    }

    test_agent(rounds);
    test_client(NAPAGENT_SHA, rounds);
    test_client(NAPAGENT_EC, rounds);
    if (get_setting("FAULTS_HANG", TRUE))
    {
        test_hang(NAPAGENT_SHA, 10000);
        test_hang(NAPAGENT_EC, 60000);
    }

    for (i = 0; i < SHA_COUNT; ++i)
    {
        hr = unregister_component(NAPAGENT_SHA, i);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        hr = unregister_component(NAPAGENT_EC, i);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
    }
    check_registered(NAPAGENT_SHA, 0);
    check_registered(NAPAGENT_EC, 0);
    CoUninitialize();
}
