/*
 * As many SHAs, ECs and connections as there can be, exchanging for a long time
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

#include <stdarg.h>

#include "windef.h"
#include "winbase.h"
#include "winternl.h"

#include "faults.h"

#define MINUTES 10

#define PROGRESS_LIMIT 120000 /* milliseconds for each EC to make two exchanges */
#define SAMPLE_TIME 1000

/* The smallest block of the C heap, with what the heap adds. */
#define SMALLEST_LEAK 32

/* What comes and goes: pages, and handles and threads of calls in progress */
#define MEMORY_NOISE 0x10000
#define HANDLE_NOISE 16
#define THREAD_NOISE 4

/* Wine touches all of a thread's stack. */
#define STACK_SIZE 0x100000

#define LARGE 10 /* components in a process */
#define SMALL 2
#define PROCESSES (1 + (maxSystemHealthEntityCount - LARGE) / SMALL) /* of each kind */

static struct party_process *parties[NAPAGENT_KIND_COUNT][PROCESSES];

enum resource
{
    MEMORY, /* private, bytes */
    HANDLES,
    THREADS,
    RESOURCE_COUNT
};

/* A process, and the most that it had of each in each half of the time after warming up */
struct watched
{
    char name[32];
    HANDLE handle;
    DWORD id;
    const struct party *party;
    LONG most[2][RESOURCE_COUNT];
    LONG exchanges[2]; /* when the last half began and ended */
};

static struct watched watched[2 * PROCESSES + 1];
static unsigned int watched_count;

static void watch(HANDLE process, const struct party *party, const char *format, ...)
{
    struct watched *new = &watched[watched_count++];
    va_list args;

    memset(new, 0, sizeof(*new));
    va_start(args, format);
    vsnprintf(new->name, sizeof(new->name), format, args);
    va_end(args);
    new->handle = process;
    new->id = GetProcessId(process);
    new->party = party;
}

static LONG count_exchanges(const struct party *party)
{
    LONG count = 0;
    unsigned int i;

    for (i = 0; i < party->count; ++i)
        count += party->exchanges[i];
    return count;
}

/* Those that a process takes part in: an EC its own, an SHA and the agent all of them. */
static LONG count_shared_exchanges(const struct party *party)
{
    LONG count = 0;
    unsigned int i;

    if (party && party->kind == NAPAGENT_EC)
        return count_exchanges(party);
    for (i = 0; i < PROCESSES; ++i)
        count += count_exchanges(parties[NAPAGENT_EC][i]->party);
    return count;
}

/* What GetProcessHandleCount() answers on Wine is 0, and what SystemProcessInformation has is room for handles. */
static LONG count_handles(DWORD id)
{
    static BYTE buffer[0x100000];
    const SYSTEM_HANDLE_INFORMATION_EX *info = (const SYSTEM_HANDLE_INFORMATION_EX *)buffer;
    LONG count = 0;
    ULONG_PTR i;

    if (NtQuerySystemInformation(SystemExtendedHandleInformation, buffer, sizeof(buffer), NULL))
        return 0;
    for (i = 0; i < info->NumberOfHandles; ++i)
        count += info->Handles[i].UniqueProcessId == id;
    return count;
}

static LONG count_threads(DWORD id)
{
    static BYTE buffer[0x100000];
    const SYSTEM_PROCESS_INFORMATION *process = (const SYSTEM_PROCESS_INFORMATION *)buffer;

    if (NtQuerySystemInformation(SystemProcessInformation, buffer, sizeof(buffer), NULL))
        return 0;
    while (HandleToULong(process->UniqueProcessId) != id)
    {
        if (!process->NextEntryOffset)
            return 0;
        process = (const SYSTEM_PROCESS_INFORMATION *)((const BYTE *)process + process->NextEntryOffset);
    }
    return process->dwThreadCount;
}

static LONG get_memory(HANDLE process)
{
    VM_COUNTERS counters;

    if (NtQueryInformationProcess(process, ProcessVmCounters, &counters, sizeof(counters), NULL))
        return 0;
    return counters.PagefileUsage;
}

static void sample(unsigned int half)
{
    LONG now[RESOURCE_COUNT];
    unsigned int i, j;

    for (i = 0; i < watched_count; ++i)
    {
        now[MEMORY] = get_memory(watched[i].handle);
        now[HANDLES] = count_handles(watched[i].id);
        now[THREADS] = count_threads(watched[i].id);
        for (j = 0; j < RESOURCE_COUNT; ++j)
        {
            ok(now[j] > 0, "%s can't be measured.\n", watched[i].name);
            watched[i].most[half][j] = max(watched[i].most[half][j], now[j]);
        }
    }
}

static unsigned int count_complaints(void)
{
    unsigned int i, count = 0;

    for (i = 0; i < PROCESSES; ++i)
        count += parties[NAPAGENT_SHA][i]->party->complaints + parties[NAPAGENT_EC][i]->party->complaints;
    return count;
}

static void sample_for(unsigned int half, DWORD time)
{
    DWORD start = GetTickCount();
    unsigned int i;

    for (i = 0; i < watched_count; ++i)
        watched[i].exchanges[0] = count_shared_exchanges(watched[i].party);
    while (GetTickCount() - start < time && !count_complaints() && !winetest_get_failures())
    {
        sample(half);
        Sleep(SAMPLE_TIME);
    }
    for (i = 0; i < watched_count; ++i)
        watched[i].exchanges[1] = count_shared_exchanges(watched[i].party);
}

/* Flat is what grows by less than a block an exchange. */
static void check_flat(const struct watched *watched)
{
    LONG exchanges = watched->exchanges[1] - watched->exchanges[0], growth[RESOURCE_COUNT], bound;
    unsigned int i;

    for (i = 0; i < RESOURCE_COUNT; ++i)
        growth[i] = watched->most[1][i] - watched->most[0][i];
    bound = max(SMALLEST_LEAK / 2 * exchanges, MEMORY_NOISE);
    trace("%-20s %6ld KB, %+4ld KB; %4ld handles, %+3ld; %4ld threads, %+3ld; %6ld exchanges: "
            "%ld bytes leaked in each would show.\n", watched->name, watched->most[1][MEMORY] >> 10, growth[MEMORY] / 1024,
            watched->most[1][HANDLES], growth[HANDLES], watched->most[1][THREADS], growth[THREADS], exchanges,
            exchanges ? bound / exchanges : 0);
    bound += max(0, growth[THREADS]) * STACK_SIZE;
    ok(growth[MEMORY] < bound, "%s has grown by %ld KB.\n", watched->name, growth[MEMORY] >> 10);
    ok(growth[HANDLES] <= HANDLE_NOISE, "%s has %ld handles more.\n", watched->name, growth[HANDLES]);
    ok(growth[THREADS] <= THREAD_NOISE, "%s has %ld threads more.\n", watched->name, growth[THREADS]);
}

static BOOL all_exchanged(LONG exchanges)
{
    unsigned int i, j;

    for (i = 0; i < PROCESSES; ++i)
        for (j = 0; j < parties[NAPAGENT_EC][i]->party->count; ++j)
            if (parties[NAPAGENT_EC][i]->party->exchanges[j] < exchanges)
                return FALSE;
    return TRUE;
}

static void start_all(napagent_kind kind)
{
    unsigned int first = 0, i, count;

    for (i = 0; i < PROCESSES; ++i, first += count)
    {
        count = i ? SMALL : LARGE;
        parties[kind][i] = start_party(kind, first, count, kind == NAPAGENT_EC ? maxConnectionCountPerEnforcer : 0,
                maxSystemHealthEntityCount);
        parties[kind][i]->party->limit = PROGRESS_LIMIT;
        watch(parties[kind][i]->process, parties[kind][i]->party, "%u %ss, from %u", count,
                kind == NAPAGENT_SHA ? "SHA" : "EC", first);
    }
    for (i = 0; i < PROCESSES; ++i)
        bind_party(parties[kind][i]);
}

static void end_all(napagent_kind kind)
{
    unsigned int i;

    for (i = 0; i < PROCESSES; ++i)
        end_party(parties[kind][i]);
}

static void register_all(HRESULT (*change)(napagent_kind, unsigned int))
{
    unsigned int i;
    HRESULT hr;

    for (i = 0; i < maxSystemHealthEntityCount; ++i)
    {
        hr = change(NAPAGENT_SHA, i);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        hr = change(NAPAGENT_EC, i);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
    }
}

START_TEST(soak)
{
    DWORD time = get_setting("FAULTS_SECONDS", MINUTES * 60) * 1000;
    HANDLE agent;
    unsigned int i;
    int count;

    CoInitializeEx(NULL, COINIT_MULTITHREADED);
    if (!create_board() || !agent_init())
    {
        CoUninitialize();
        return;
    }
    register_all(register_component);
    agent = open_agent();
    watch(agent, NULL, "the agent");
    start_all(NAPAGENT_SHA);
    start_all(NAPAGENT_EC);

    wait_for(all_exchanged(2) || count_complaints(), PROGRESS_LIMIT);
    ok(all_exchanged(2), "Not each EC makes exchanges.\n");
    for (i = 0; i < maxEnforcerCount; ++i)
    {
        count = count_connections(i);
        ok(count == maxConnectionCountPerEnforcer, "Got %d connections of EC %u.\n", count, i);
    }
    Sleep(time / 5);
    sample_for(0, time * 2 / 5);
    sample_for(1, time * 2 / 5);
    for (i = 0; i < watched_count; ++i)
        check_flat(&watched[i]);
    trace("%ld exchanges in all.\n", count_shared_exchanges(NULL));

    end_all(NAPAGENT_EC);
    end_all(NAPAGENT_SHA);
    register_all(unregister_component);
    CloseHandle(agent);
    CoUninitialize();
}
