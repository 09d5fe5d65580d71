/*
 * SHAs and ECs in processes of their own
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

/* ---- in the process itself ---- */

static struct party *party;

static void complain(const char *format, ...)
{
    va_list args;

    if (InterlockedIncrement(&party->complaints) != 1)
        return;
    va_start(args, format);
    vsnprintf(party->complaint, sizeof(party->complaint), format, args);
    va_end(args);
}

/* Notes how a call went. Returns whether it is to be made again, which without the agent it is. */
static BOOL again(const char *name, unsigned int number, DWORD start, HRESULT hr)
{
    LONG time = GetTickCount() - start;

    if (time > party->longest)
        party->longest = time;
    if (time > party->limit)
        complain("%s() of %u took %ld ms and answered %#lx", name, number, time, hr);
    if (hr == RPC_E_DISCONNECTED)
    {
        InterlockedIncrement(&party->disconnected);
        if (party->outage)
        {
            Sleep(20);
            return TRUE;
        }
    }
    if (hr != S_OK)
        complain("%s() of %u answered %#lx", name, number, hr);
    return FALSE;
}

#define CALL(hr, name, number, call) \
    do \
    { \
        DWORD start_; \
        do \
        { \
            start_ = GetTickCount(); \
            hr = call; \
        } while (again(name, number, start_, hr)); \
    } while (0)

static void wait_to_go(void)
{
    InterlockedExchange(&party->ready, TRUE);
    while (!party->go)
        Sleep(1);
}

static struct sha shas[maxSystemHealthEntityCount];

static void count_callbacks(void)
{
    LONG callbacks = 0;
    unsigned int i;

    for (i = 0; i < party->count; ++i)
        callbacks += shas[i].requests;
    InterlockedExchange(&party->callbacks, callbacks);
}

static void run_shas(void)
{
    LONG change = party->change;
    unsigned int i;
    DWORD start;
    HRESULT hr;

    for (i = 0; i < party->count; ++i)
    {
        if (FAILED(hr = sha_create(&shas[i], ENTITY_ID(party->first + i))))
        {
            complain("Creating the SHA's binding failed, hr %#lx", hr);
            return;
        }
        shas[i].hang = &party->hang;
    }

    wait_to_go();
    start = GetTickCount();
    for (i = 0; i < party->count; ++i)
        CALL(hr, "Initialize", party->first + i, sha_bind(&shas[i]));
    party->bind_time = GetTickCount() - start;
    InterlockedExchange(&party->bound, TRUE);

    while (!party->quit)
    {
        if (party->change != change)
        {
            change = party->change;
            for (i = 0; i < party->count; ++i)
                CALL(hr, "NotifySoHChange", party->first + i, INapSystemHealthAgentBinding_NotifySoHChange(shas[i].binding));
        }
        count_callbacks();
        Sleep(10);
    }

    for (i = 0; i < party->count; ++i)
    {
        CALL(hr, "Uninitialize", party->first + i, INapSystemHealthAgentBinding_Uninitialize(shas[i].binding));
        if (INapSystemHealthAgentBinding_Release(shas[i].binding))
            complain("The SHA's binding has references");
        if (shas[i].refcount != 1)
            complain("The SHA's callback has %ld references", shas[i].refcount);
    }
}

static struct ec ecs[maxEnforcerCount];

/* What was last seen of each SHA */
struct seen
{
    struct entry entries[maxSystemHealthEntityCount];
};

static BOOL is_fresh(const struct entry *entry, struct entry *last)
{
    BOOL fresh = entry->process && (entry->process != last->process || entry->serial > last->serial);

    if (entry->process)
        *last = *entry;
    return fresh;
}

/* Whether the request has a fresh SoH of each SHA. One that is replaced by the agent's is a fault, unless it must be. */
static BOOL check_request(unsigned int number, const struct request *request, struct seen *seen)
{
    UINT32 sha, fresh = 0, all = (1u << party->sha_count) - 1;
    unsigned int i;

    for (i = 0; i < request->count; ++i)
    {
        if ((sha = request->entries[i].id - ENTITY_ID(0)) >= party->sha_count)
            continue;
        if (is_fresh(&request->entries[i], &seen->entries[sha]))
            fresh |= 1u << sha;
        else if (!party->outage && !(party->missing & 1u << sha))
            complain("EC %u got an SoH of SHA %u from process %#x with serial %u and error %#lx", number, sha,
                    request->entries[i].process, request->entries[i].serial, request->entries[i].error);
    }
    if (!party->outage && ~fresh & all & ~party->missing)
        complain("EC %u got SoHs of SHAs %#x, of %u in all", number, fresh, request->count);
    return fresh == all;
}

static void exchange(unsigned int i, INapEnforcementClientConnection *connection, struct seen *seen)
{
    IsolationState verdict = party->exchanges[i] % 16 ? isolationStateNotRestricted : isolationStateRestrictedAccess;
    INapEnforcementClientBinding *binding = ecs[i].binding;
    unsigned int number = party->first + i;
    struct request request;
    IsolationInfo *info;
    BOOL hint, complete;
    HRESULT hr;

    CALL(hr, "GetSoHRequest", number, INapEnforcementClientBinding_GetSoHRequest(binding, connection, &hint));
    if (FAILED(hr))
        return;
    if (FAILED(hr = ec_respond(connection, verdict, &request)))
    {
        complain("EC %u can't respond to a request, hr %#lx", number, hr);
        return;
    }
    complete = check_request(number, &request, seen);
    CALL(hr, "ProcessSoHResponse", number, INapEnforcementClientBinding_ProcessSoHResponse(binding, connection));
    if (FAILED(hr))
        return;
    if (FAILED(hr = INapEnforcementClientConnection_GetIsolationInfo(connection, &info)) || !info)
    {
        complain("EC %u got no isolation info, hr %#lx", number, hr);
        return;
    }
    if (info->isolationState != verdict)
        complain("EC %u is in state %u, expected %u", number, info->isolationState, verdict);
    FreeIsolationInfo(info);
    InterlockedIncrement(&party->exchanges[i]);
    if (complete)
        InterlockedIncrement(&party->complete[i]);
}

static DWORD WINAPI run_ec(void *arg)
{
    unsigned int i = PtrToUlong(arg), number = party->first + i, j;
    struct ec *ec = &ecs[i];
    struct seen *seen;
    HRESULT hr;

    CoInitializeEx(NULL, COINIT_MULTITHREADED);
    for (j = 0; j < party->connection_count; ++j)
        CALL(hr, "CreateConnection", number, ec_connect(ec));
    seen = calloc(party->connection_count, sizeof(*seen));
    for (j = 0; !party->quit; j = (j + 1) % party->connection_count)
    {
        LONG complaints = party->complaints;

        exchange(i, ec->connections[j], &seen[j]);
        party->changes[i] = ec->changes;
        if (party->complaints != complaints)
            Sleep(50);
    }
    free(seen);

    while (ec->connection_count)
        CALL(hr, "NotifyConnectionStateDown", number, ec_disconnect(ec));
    CALL(hr, "Uninitialize", number, INapEnforcementClientBinding_Uninitialize(ec->binding));
    if (INapEnforcementClientBinding_Release(ec->binding))
        complain("The EC's binding has references");
    if (ec->refcount != 1)
        complain("The EC's callback has %ld references", ec->refcount);
    CoUninitialize();
    return 0;
}

static void run_ecs(void)
{
    HANDLE threads[maxEnforcerCount];
    unsigned int i;
    DWORD start;
    HRESULT hr;

    for (i = 0; i < party->count; ++i)
    {
        if (FAILED(hr = ec_create(&ecs[i], ENTITY_ID(party->first + i))))
        {
            complain("Creating the EC's binding failed, hr %#lx", hr);
            return;
        }
        ecs[i].hang = &party->hang;
    }

    wait_to_go();
    start = GetTickCount();
    for (i = 0; i < party->count; ++i)
        CALL(hr, "Initialize", party->first + i, ec_bind(&ecs[i]));
    party->bind_time = GetTickCount() - start;
    InterlockedExchange(&party->bound, TRUE);

    for (i = 0; i < party->count; ++i)
        threads[i] = CreateThread(NULL, 0, run_ec, ULongToPtr(i), 0, NULL);
    for (i = 0; i < party->count; ++i)
    {
        WaitForSingleObject(threads[i], INFINITE);
        CloseHandle(threads[i]);
    }
}

/* ---- in the one that starts it ---- */

static char board_name[32];
static struct party *board;
static struct party_process processes[MAX_PARTIES];

static struct party *map_board(const char *name, BOOL create)
{
    SIZE_T size = MAX_PARTIES * sizeof(*board);
    HANDLE mapping;

    if (create)
        mapping = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, size, name);
    else
        mapping = OpenFileMappingA(FILE_MAP_WRITE, FALSE, name);
    return mapping ? MapViewOfFile(mapping, FILE_MAP_WRITE, 0, 0, size) : NULL;
}

BOOL create_board(void)
{
    sprintf(board_name, "faults-%lu", GetCurrentProcessId());
    board = map_board(board_name, TRUE);
    ok(!!board, "Failed to make the memory to share, error %lu.\n", GetLastError());
    return !!board;
}

/* Every other process is of the other architecture, where there is one. */
static const char *get_program(unsigned int place)
{
    const char *peer = getenv("QUTIL_TEST_PEER");
    char **argv;

    winetest_get_mainargs(&argv);
    return peer && *peer && place % 2 ? peer : argv[0];
}

static struct party_process *find_place(void)
{
    unsigned int i;

    for (i = 0; i < MAX_PARTIES && processes[i].process; ++i) /* nothing */;
    return i < MAX_PARTIES ? &processes[i] : NULL;
}

struct party_process *start_party(napagent_kind kind, unsigned int first, unsigned int count, unsigned int connections,
        unsigned int shas)
{
    struct party_process *process = find_place();
    STARTUPINFOA startup = {sizeof(startup)};
    unsigned int place = process - processes;
    PROCESS_INFORMATION info;
    static unsigned int started;
    char command[MAX_PATH];
    BOOL ret;

    process->party = &board[place];
    memset(process->party, 0, sizeof(*process->party));
    process->party->kind = kind;
    process->party->first = first;
    process->party->count = count;
    process->party->connection_count = connections;
    process->party->sha_count = shas;
    process->party->limit = CALL_LIMIT;
    sprintf(command, "\"%s\" client %s %u", get_program(started++), board_name, place);
    ret = CreateProcessA(NULL, command, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &info);
    ok(ret, "Failed to start %s, error %lu.\n", command, GetLastError());
    if (!ret)
        return NULL;
    CloseHandle(info.hThread);
    process->process = info.hProcess;
    wait_for(process->party->ready || process->party->complaints, START_LIMIT);
    ok(process->party->ready, "The process isn't ready.\n");
    return process;
}

void bind_party(struct party_process *process)
{
    InterlockedExchange(&process->party->go, TRUE);
    wait_for(process->party->bound, START_LIMIT);
    ok(process->party->bound, "The process isn't bound.\n");
}

void check_party(struct party_process *process)
{
    const struct party *party = process->party;

    ok(!party->complaints, "%ld complaints of %s %u, the first one: %s.\n", party->complaints,
            party->kind == NAPAGENT_SHA ? "SHA" : "EC", party->first, party->complaint);
}

static void forget(struct party_process *process)
{
    CloseHandle(process->process);
    process->process = NULL;
}

void kill_party(struct party_process *process)
{
    BOOL ret = TerminateProcess(process->process, 0);
    DWORD wait;

    ok(ret, "Failed to end the process, error %lu.\n", GetLastError());
    wait = WaitForSingleObject(process->process, START_LIMIT);
    ok(!wait, "Got %#lx.\n", wait);
    check_party(process);
    forget(process);
}

void end_party(struct party_process *process)
{
    DWORD wait;

    InterlockedExchange(&process->party->quit, TRUE);
    wait = WaitForSingleObject(process->process, START_LIMIT);
    ok(!wait, "Got %#lx.\n", wait);
    ok(process->party->unbound, "The process hasn't unbound.\n");
    if (wait)
        TerminateProcess(process->process, 1);
    check_party(process);
    forget(process);
}

unsigned int get_setting(const char *name, unsigned int value)
{
    const char *setting = getenv(name);

    return setting && *setting ? atoi(setting) : value;
}

START_TEST(client)
{
    char **argv;
    HRESULT hr;

    if (winetest_get_mainargs(&argv) < 4)
    {
        skip("This is for processes that other tests start.\n");
        return;
    }
    if (!(party = map_board(argv[2], FALSE)))
    {
        ok(0, "There is no %s, error %lu.\n", argv[2], GetLastError());
        return;
    }
    party += atoi(argv[3]);
    hr = CoInitializeEx(NULL, COINIT_MULTITHREADED);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    if (party->kind == NAPAGENT_SHA)
        run_shas();
    else
        run_ecs();
    CoUninitialize();
    InterlockedExchange(&party->unbound, TRUE);
}
