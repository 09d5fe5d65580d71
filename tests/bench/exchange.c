/*
 * What an exchange costs, beside as many bare calls of COM between two processes
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

#include <stdio.h>
#include <stdlib.h>

#include "../faults/clients.h"

#include "bench.h"

#define ROUNDS 51 /* odd, for the median */

#define GOAL 1.3

#define START_TIMEOUT 30000 /* milliseconds */

#define EC 0 /* its number */

/* What the process with the SHAs shares with the one with the EC. The former has the callee of the bare calls, too. */
struct board
{
    UINT32 sha_count;
    volatile LONG ready;
    volatile LONG responses; /* that SHAs have got */
    UINT32 object_size;
    BYTE object[1024]; /* as COM marshals it */
};

static struct board *open_board(DWORD owner, BOOL create)
{
    HANDLE mapping;
    char name[32];

    sprintf(name, "bench-%lu", owner);
    if (create) mapping = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, sizeof(struct board), name);
    else mapping = OpenFileMappingA(FILE_MAP_WRITE, FALSE, name);
    if (!mapping) fail("Sharing memory", HRESULT_FROM_WIN32(GetLastError()));
    return MapViewOfFile(mapping, FILE_MAP_WRITE, 0, 0, sizeof(struct board));
}

/* ---- the process with the SHAs ---- */

/* An object that does nothing but take a SoH, as the agent's own does */
static HRESULT WINAPI callee_QueryInterface(INapSystemHealthAgentRequest *iface, REFIID iid, void **out)
{
    if (IsEqualGUID(iid, &IID_IUnknown) || IsEqualGUID(iid, &IID_INapSystemHealthAgentRequest))
    {
        *out = iface;
        return S_OK;
    }
    *out = NULL;
    return E_NOINTERFACE;
}

static ULONG WINAPI callee_AddRef(INapSystemHealthAgentRequest *iface)
{
    return 2;
}

static ULONG WINAPI callee_Release(INapSystemHealthAgentRequest *iface)
{
    return 1;
}

static HRESULT WINAPI callee_GetCorrelationId(INapSystemHealthAgentRequest *iface, CorrelationId *id)
{
    return E_NOTIMPL;
}

static HRESULT WINAPI callee_GetStringCorrelationId(INapSystemHealthAgentRequest *iface, StringCorrelationId **string)
{
    return E_NOTIMPL;
}

static HRESULT WINAPI callee_SetSoHRequest(INapSystemHealthAgentRequest *iface, const SoHRequest *soh, BOOL cache)
{
    return S_OK;
}

static HRESULT WINAPI callee_GetSoHRequest(INapSystemHealthAgentRequest *iface, SoHRequest **soh)
{
    return E_NOTIMPL;
}

static HRESULT WINAPI callee_GetSoHResponse(INapSystemHealthAgentRequest *iface, SoHResponse **soh, UINT8 *flags)
{
    return E_NOTIMPL;
}

static HRESULT WINAPI callee_GetCacheSoHFlag(INapSystemHealthAgentRequest *iface, BOOL *cache)
{
    return E_NOTIMPL;
}

static const INapSystemHealthAgentRequestVtbl callee_vtbl =
{
    callee_QueryInterface,
    callee_AddRef,
    callee_Release,
    callee_GetCorrelationId,
    callee_GetStringCorrelationId,
    callee_SetSoHRequest,
    callee_GetSoHRequest,
    callee_GetSoHResponse,
    callee_GetCacheSoHFlag,
};

static INapSystemHealthAgentRequest callee = { &callee_vtbl };

static void marshal_callee(struct board *board)
{
    static const LARGE_INTEGER begin;
    IStream *stream;
    ULONG size;

    check(CreateStreamOnHGlobal(NULL, TRUE, &stream), "CreateStreamOnHGlobal");
    check(CoMarshalInterface(stream, &IID_INapSystemHealthAgentRequest, (IUnknown *)&callee, MSHCTX_LOCAL, NULL,
                             MSHLFLAGS_TABLESTRONG), "CoMarshalInterface");
    check(IStream_Seek(stream, begin, STREAM_SEEK_SET, NULL), "Seek");
    IStream_Read(stream, board->object, sizeof(board->object), &size);
    board->object_size = size;
    IStream_Release(stream);
}

/* The program itself in another process: until it's killed, since on Wine one that serves objects may get stuck as it
 * ends. */
void run_shas(DWORD owner)
{
    static struct sha shas[maxSystemHealthEntityCount];
    struct board *board = open_board(owner, FALSE);
    unsigned int i;

    marshal_callee(board);
    for (i = 0; i < board->sha_count; i++)
    {
        check(sha_create(&shas[i], ENTITY_ID(i)), "Creating an SHA's binding");
        shas[i].responded = &board->responses;
        check(sha_bind(&shas[i]), "Binding an SHA");
    }
    InterlockedExchange(&board->ready, TRUE);
    Sleep(INFINITE);
}

/* ---- the process with the EC ---- */

static struct board *board;
static HANDLE process;
static INapSystemHealthAgentRequest *proxy;
static INapClientManagement *management;
static struct ec ec;

static DWORD run_program(const char *command, BOOL wait)
{
    STARTUPINFOA startup = { sizeof(startup) };
    PROCESS_INFORMATION info;
    char line[MAX_PATH];
    DWORD status = 0;

    strcpy(line, command);
    if (!CreateProcessA(NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &info))
        fail(command, HRESULT_FROM_WIN32(GetLastError()));
    CloseHandle(info.hThread);
    process = info.hProcess;
    if (!wait) return 0;
    WaitForSingleObject(process, INFINITE);
    GetExitCodeProcess(process, &status);
    CloseHandle(process);
    return status;
}

static void register_ec(void)
{
    NapComponentRegistrationInfo info;
    char command[64];

    get_registration_info(&info, ENTITY_ID(EC));
    check(INapClientManagement_RegisterEnforcementClient(management, &info), "RegisterEnforcementClient");
    sprintf(command, "napstat.exe set enforcement %#x enable", ENTITY_ID(EC));
    if (run_program(command, TRUE)) fail(command, E_FAIL);
}

static void unmarshal_callee(void)
{
    static const LARGE_INTEGER begin;
    IStream *stream;

    check(CreateStreamOnHGlobal(NULL, TRUE, &stream), "CreateStreamOnHGlobal");
    check(IStream_Write(stream, board->object, board->object_size, NULL), "Write");
    check(IStream_Seek(stream, begin, STREAM_SEEK_SET, NULL), "Seek");
    check(CoUnmarshalInterface(stream, &IID_INapSystemHealthAgentRequest, (void **)&proxy), "CoUnmarshalInterface");
    IStream_Release(stream);
}

static void start_shas(unsigned int count)
{
    NapComponentRegistrationInfo info;
    DWORD start = GetTickCount();
    char command[MAX_PATH];
    unsigned int i;

    for (i = 0; i < count; i++)
    {
        get_registration_info(&info, ENTITY_ID(i));
        check(INapClientManagement_RegisterSystemHealthAgent(management, &info), "RegisterSystemHealthAgent");
    }
    memset(board, 0, sizeof(*board));
    board->sha_count = count;
    sprintf(command, "\"%s\" shas %lu", program_name, GetCurrentProcessId());
    run_program(command, FALSE);
    while (!board->ready)
    {
        if (GetTickCount() - start > START_TIMEOUT) fail("Starting the SHAs", E_FAIL);
        Sleep(10);
    }
    unmarshal_callee();
}

static void end_shas(unsigned int count)
{
    unsigned int i;
    HRESULT hr;

    INapSystemHealthAgentRequest_Release(proxy);
    TerminateProcess(process, 0);
    WaitForSingleObject(process, INFINITE);
    CloseHandle(process);
    for (i = 0; i < count; i++)
    {
        /* The agent has yet to notice. */
        while ((hr = INapClientManagement_UnregisterSystemHealthAgent(management, ENTITY_ID(i))) == NAP_E_STILL_BOUND)
            Sleep(10);
        check(hr, "UnregisterSystemHealthAgent");
    }
}

static void call_bare(unsigned int count)
{
    BYTE id[4], vendor[12];
    SoHAttribute attributes[] =
    {
        { sohAttributeTypeSystemHealthId, sizeof(id), id },
        { sohAttributeTypeVendorSpecific, sizeof(vendor), vendor },
    };
    SoHRequest soh = { ARRAY_SIZE(attributes), attributes };

    put_number(id, ENTITY_ID(0), sizeof(id));
    memset(vendor, 0, sizeof(vendor));
    while (count--) check(INapSystemHealthAgentRequest_SetSoHRequest(proxy, &soh, FALSE), "A bare call");
}

/* From the EC's wish to that each SHA has got its response */
static void exchange(unsigned int shas)
{
    INapEnforcementClientConnection *connection = ec.connections[0];
    LONG responses = board->responses;
    struct request request;
    unsigned int i;
    BOOL hint;

    check(INapEnforcementClientBinding_GetSoHRequest(ec.binding, connection, &hint), "GetSoHRequest");
    check(ec_respond(connection, isolationStateNotRestricted, &request), "Responding");
    if (request.count != shas) fail("Collecting a SoH from each SHA", E_FAIL);
    for (i = 0; i < request.count; i++) if (!request.entries[i].process) fail("Collecting an SHA's SoH", E_FAIL);
    check(INapEnforcementClientBinding_ProcessSoHResponse(ec.binding, connection), "ProcessSoHResponse");
    while (board->responses - responses < shas) SwitchToThread();
}

/* The calls between processes that an exchange takes: the EC's two, and each SHA is called twice. Where SHAs call back for
 * handing in their SoHs and for their responses it takes 2 + 4 * shas, which would be easier to keep up with. */
static unsigned int count_calls(unsigned int shas)
{
    return 2 + 2 * shas;
}

static void measure(unsigned int shas)
{
    static double bare[ROUNDS], agent[ROUNDS], ratio[ROUNDS];
    unsigned int i, calls = count_calls(shas);
    LONGLONG start;

    start_shas(shas);
    exchange(shas);
    call_bare(calls);
    for (i = 0; i < ROUNDS; i++)
    {
        start = get_time();
        exchange(shas);
        agent[i] = get_nanoseconds(start);
        start = get_time();
        call_bare(calls);
        bare[i] = get_nanoseconds(start);
        ratio[i] = agent[i] / bare[i];
    }
    end_shas(shas);
    printf("An exchange, %u SHA%s\t%u\t%.1f\t%.1f\t%.4f\t%.2f\n", shas, shas > 1 ? "s" : "", calls,
           median(bare, ROUNDS) / 1000, median(agent, ROUNDS) / 1000, median(ratio, ROUNDS), GOAL);
}

/* Prints name, number of bare calls, their time and the exchange's in microseconds, ratio and its goal. */
void bench_exchanges(void)
{
    static const unsigned int sha_counts[] = { 1, 5, 20 };
    unsigned int i;

    board = open_board(GetCurrentProcessId(), TRUE);
    check(CoCreateInstance(&CLSID_NapClientManagement, NULL, CLSCTX_INPROC_SERVER, &IID_INapClientManagement,
                           (void **)&management), "Creating the NAP client's management");
    register_ec();
    check(ec_create(&ec, ENTITY_ID(EC)), "Creating the EC's binding");
    check(ec_bind(&ec), "Binding the EC");
    check(ec_connect(&ec), "Creating a connection");

    for (i = 0; i < ARRAY_SIZE(sha_counts); i++) measure(sha_counts[i]);

    check(ec_disconnect(&ec), "NotifyConnectionStateDown");
    check(INapEnforcementClientBinding_Uninitialize(ec.binding), "Uninitialize");
    INapEnforcementClientBinding_Release(ec.binding);
    check(INapClientManagement_UnregisterEnforcementClient(management, ENTITY_ID(EC)), "UnregisterEnforcementClient");
    INapClientManagement_Release(management);
}
