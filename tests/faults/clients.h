/*
 * An SHA and an EC, and what a policy server answers, as small as they can be
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

#ifndef __TESTS_FAULTS_CLIENTS_H
#define __TESTS_FAULTS_CLIENTS_H

#include <stdarg.h>
#include <string.h>

#include "windef.h"
#include "winbase.h"
#include "objbase.h"
#include "naperror.h"
#include "naputil.h"
#include "napmicrosoftvendorids.h"
#include "napsystemhealthagent.h"

/* The ids of SHAs, and of ECs, are numbered from 0. */
#define ENTITY_ID(number) (0x00beef00 | (number))

/* ---- what goes over the network ---- */

#define WRAPPER_SIZE 12
#define HEADER_SIZE 12
#define MODE_SIZE 34
#define CORRELATION_ID_SIZE 24

#define WRAPPER_RESPONSE 3
#define PACKET_INFO_RESPONSE 1
#define INTENT_RESPONSE 2

enum system_value
{
    VALUE_QUARANTINE_STATE = 2,
    VALUE_PACKET_INFO = 3,
    VALUE_CORRELATION_ID = 6,
};

static inline BYTE *put_number(BYTE *out, UINT64 number, unsigned int size)
{
    unsigned int i;

    for (i = 0; i < size; ++i)
        out[i] = number >> 8 * (size - 1 - i);
    return out + size;
}

static inline UINT32 get_number(const BYTE *in, unsigned int size)
{
    UINT32 number = 0;

    while (size--)
        number = number << 8 | *in++;
    return number;
}

/* What a request has of an SHA. A process of 0 is none: the agent wrote the SoH on behalf of the SHA. */
struct entry
{
    UINT32 id;
    UINT32 process;
    UINT32 serial;
    HRESULT error;
};

struct request
{
    BYTE correlation_id[CORRELATION_ID_SIZE];
    unsigned int count;
    struct entry entries[maxSystemHealthEntityCount];
};

/* Reads a request in the one form that the agent writes: a wrapper, the mode sub-header, the system's own entry, and
 * those of the SHAs. */
static inline BOOL read_request(const NetworkSoH *soh, struct request *request)
{
    const BYTE *data = soh->data + WRAPPER_SIZE + HEADER_SIZE, *end = soh->data + soh->size, *value;
    struct entry *entry = NULL;
    unsigned int type, size;

    memset(request, 0, sizeof(*request));
    if (soh->size < WRAPPER_SIZE + HEADER_SIZE + MODE_SIZE)
        return FALSE;
    memcpy(request->correlation_id, data + 8, CORRELATION_ID_SIZE);
    for (data += MODE_SIZE; data != end; data = value + size)
    {
        if (end - data < 4)
            return FALSE;
        type = get_number(data, 2);
        size = get_number(data + 2, 2);
        value = data + 4;
        if (size > end - value)
            return FALSE;
        if (type == sohAttributeTypeSystemHealthId && size == 4)
        {
            if (get_number(value, 4) == NapSystemId)
                continue;
            if (request->count == ARRAY_SIZE(request->entries))
                return FALSE;
            entry = &request->entries[request->count++];
            entry->id = get_number(value, 4);
        }
        else if (entry && type == sohAttributeTypeVendorSpecific && size == 12)
        {
            entry->process = get_number(value + 4, 4);
            entry->serial = get_number(value + 8, 4);
        }
        else if (entry && type == sohAttributeTypeErrorCodes && size == 4)
            entry->error = get_number(value, 4);
    }
    return TRUE;
}

/* Writes the response to a request: the verdict, and that each SHA is healthy. */
static inline UINT16 write_response(const struct request *request, IsolationState verdict, BYTE *response)
{
    static const char url[] = "http://www.winehq.org/";
    BYTE *out = response + WRAPPER_SIZE + HEADER_SIZE, *system;
    unsigned int i, size;

    out = put_number(out, sohAttributeTypeVendorSpecific, 2);
    out = put_number(out, MODE_SIZE - 4, 2);
    out = put_number(out, MicrosoftVendorId, 4);
    memcpy(out, request->correlation_id, CORRELATION_ID_SIZE);
    out = put_number(out + CORRELATION_ID_SIZE, INTENT_RESPONSE << 8, 2);

    out = put_number(out, sohAttributeTypeSystemHealthId, 2);
    out = put_number(out, 4, 2);
    out = put_number(out, NapSystemId, 4);
    out = put_number(out, sohAttributeTypeVendorSpecific, 2);
    system = out;
    out = put_number(out + 2, MicrosoftVendorId, 4);
    out = put_number(out, VALUE_PACKET_INFO, 1);
    out = put_number(out, PACKET_INFO_RESPONSE, 1);
    out = put_number(out, VALUE_CORRELATION_ID, 1);
    memcpy(out, request->correlation_id, CORRELATION_ID_SIZE);
    out = put_number(out + CORRELATION_ID_SIZE, VALUE_QUARANTINE_STATE, 1);
    out = put_number(out, verdict, 2);
    out = put_number(out, ~(UINT64)0, 8);
    out = put_number(out, sizeof(url), 2);
    memcpy(out, url, sizeof(url));
    out += sizeof(url);
    put_number(system, out - system - 2, 2);

    for (i = 0; i < request->count; ++i)
    {
        out = put_number(out, sohAttributeTypeSystemHealthId, 2);
        out = put_number(out, 4, 2);
        out = put_number(out, request->entries[i].id, 4);
        out = put_number(out, sohAttributeTypeComplianceResultCodes, 2);
        out = put_number(out, 4, 2);
        out = put_number(out, S_OK, 4);
    }

    size = out - response;
    out = put_number(response, sohAttributeTypeVendorSpecific, 2);
    out = put_number(out, size - 4, 2);
    out = put_number(out, MicrosoftVendorId, 4);
    out = put_number(out, WRAPPER_RESPONSE, 2);
    out = put_number(out, size - WRAPPER_SIZE, 2);
    out = put_number(out, sohAttributeTypeVendorSpecific, 2);
    out = put_number(out, size - WRAPPER_SIZE - 4, 2);
    out = put_number(out, MicrosoftVendorId, 4);
    out = put_number(out, 2, 2); /* with a mode sub-header */
    put_number(out, size - WRAPPER_SIZE - HEADER_SIZE, 2);
    return size;
}

/* ---- the SHA ---- */

struct sha
{
    INapSystemHealthAgentCallback INapSystemHealthAgentCallback_iface;
    INapSystemHealthAgentBinding *binding;
    SystemHealthEntityId id;
    LONG refcount;
    LONG requests;
    volatile LONG *responded; /* counted up for each response, unless it's NULL */
    const volatile LONG *hang; /* for as long as this is set GetSoHRequest() doesn't return */
};

static inline struct sha *impl_from_INapSystemHealthAgentCallback(INapSystemHealthAgentCallback *iface)
{
    return CONTAINING_RECORD(iface, struct sha, INapSystemHealthAgentCallback_iface);
}

static inline HRESULT WINAPI sha_QueryInterface(INapSystemHealthAgentCallback *iface, REFIID iid, void **out)
{
    if (IsEqualGUID(iid, &IID_IUnknown) || IsEqualGUID(iid, &IID_INapSystemHealthAgentCallback))
    {
        INapSystemHealthAgentCallback_AddRef(iface);
        *out = iface;
        return S_OK;
    }
    *out = NULL;
    return E_NOINTERFACE;
}

static inline ULONG WINAPI sha_AddRef(INapSystemHealthAgentCallback *iface)
{
    return InterlockedIncrement(&impl_from_INapSystemHealthAgentCallback(iface)->refcount);
}

static inline ULONG WINAPI sha_Release(INapSystemHealthAgentCallback *iface)
{
    return InterlockedDecrement(&impl_from_INapSystemHealthAgentCallback(iface)->refcount);
}

/* No two SoHs of an SHA are the same, and each tells what process it is from. Half of the SHAs want theirs cached. */
static inline HRESULT WINAPI sha_GetSoHRequest(INapSystemHealthAgentCallback *iface, INapSystemHealthAgentRequest *request)
{
    struct sha *sha = impl_from_INapSystemHealthAgentCallback(iface);
    BYTE id[4], vendor[12];
    SoHAttribute attributes[] =
    {
        {sohAttributeTypeSystemHealthId, sizeof(id), id},
        {sohAttributeTypeVendorSpecific, sizeof(vendor), vendor},
    };
    SoHRequest soh = {ARRAY_SIZE(attributes), attributes};

    while (sha->hang && *sha->hang)
        Sleep(10);
    put_number(id, sha->id, 4);
    memcpy(vendor, id, 4);
    put_number(vendor + 4, GetCurrentProcessId(), 4);
    put_number(vendor + 8, InterlockedIncrement(&sha->requests), 4);
    return INapSystemHealthAgentRequest_SetSoHRequest(request, &soh, sha->id & 1);
}

static inline HRESULT WINAPI sha_ProcessSoHResponse(INapSystemHealthAgentCallback *iface,
        INapSystemHealthAgentRequest *request)
{
    struct sha *sha = impl_from_INapSystemHealthAgentCallback(iface);
    SoHResponse *soh;
    UINT8 flags;
    HRESULT hr;

    if (SUCCEEDED(hr = INapSystemHealthAgentRequest_GetSoHResponse(request, &soh, &flags)))
    {
        FreeSoH(soh);
        if (sha->responded)
            InterlockedIncrement(sha->responded);
    }
    return hr;
}

static inline HRESULT WINAPI sha_NotifySystemIsolationStateChange(INapSystemHealthAgentCallback *iface)
{
    return S_OK;
}

static inline HRESULT WINAPI sha_GetFixupInfo(INapSystemHealthAgentCallback *iface, FixupInfo **info)
{
    HRESULT hr;

    if (SUCCEEDED(hr = AllocFixupInfo(info, 0)))
        (*info)->percentage = percentageNotSupported;
    return hr;
}

static inline HRESULT WINAPI sha_CompareSoHRequests(INapSystemHealthAgentCallback *iface, const SoHRequest *lhs,
        const SoHRequest *rhs, BOOL *equal)
{
    return E_NOTIMPL;
}

static inline HRESULT WINAPI sha_NotifyOrphanedSoHRequest(INapSystemHealthAgentCallback *iface, const CorrelationId *id)
{
    return S_OK;
}

static const INapSystemHealthAgentCallbackVtbl sha_vtbl =
{
    sha_QueryInterface,
    sha_AddRef,
    sha_Release,
    sha_GetSoHRequest,
    sha_ProcessSoHResponse,
    sha_NotifySystemIsolationStateChange,
    sha_GetFixupInfo,
    sha_CompareSoHRequests,
    sha_NotifyOrphanedSoHRequest,
};

static inline HRESULT sha_create(struct sha *sha, SystemHealthEntityId id)
{
    memset(sha, 0, sizeof(*sha));
    sha->INapSystemHealthAgentCallback_iface.lpVtbl = &sha_vtbl;
    sha->refcount = 1;
    sha->id = id;
    return CoCreateInstance(&CLSID_NapSystemHealthAgentBinding, NULL, CLSCTX_INPROC_SERVER,
            &IID_INapSystemHealthAgentBinding, (void **)&sha->binding);
}

static inline HRESULT sha_bind(struct sha *sha)
{
    return INapSystemHealthAgentBinding_Initialize(sha->binding, sha->id, &sha->INapSystemHealthAgentCallback_iface);
}

/* ---- the EC ---- */

struct ec
{
    INapEnforcementClientCallback INapEnforcementClientCallback_iface;
    INapEnforcementClientBinding *binding;
    EnforcementEntityId id;
    LONG refcount;
    LONG changes;
    const volatile LONG *hang; /* for as long as this is set NotifySoHChange() doesn't return */
    UINT16 connection_count; /* those that are up */
    INapEnforcementClientConnection *connections[maxConnectionCountPerEnforcer];
};

static inline struct ec *impl_from_INapEnforcementClientCallback(INapEnforcementClientCallback *iface)
{
    return CONTAINING_RECORD(iface, struct ec, INapEnforcementClientCallback_iface);
}

static inline HRESULT WINAPI ec_QueryInterface(INapEnforcementClientCallback *iface, REFIID iid, void **out)
{
    if (IsEqualGUID(iid, &IID_IUnknown) || IsEqualGUID(iid, &IID_INapEnforcementClientCallback))
    {
        INapEnforcementClientCallback_AddRef(iface);
        *out = iface;
        return S_OK;
    }
    *out = NULL;
    return E_NOINTERFACE;
}

static inline ULONG WINAPI ec_AddRef(INapEnforcementClientCallback *iface)
{
    return InterlockedIncrement(&impl_from_INapEnforcementClientCallback(iface)->refcount);
}

static inline ULONG WINAPI ec_Release(INapEnforcementClientCallback *iface)
{
    return InterlockedDecrement(&impl_from_INapEnforcementClientCallback(iface)->refcount);
}

/* Who uses the EC makes its exchanges all the time, or looks at the count. */
static inline HRESULT WINAPI ec_NotifySoHChange(INapEnforcementClientCallback *iface)
{
    struct ec *ec = impl_from_INapEnforcementClientCallback(iface);

    InterlockedIncrement(&ec->changes);
    while (ec->hang && *ec->hang)
        Sleep(10);
    return S_OK;
}

static inline HRESULT WINAPI ec_GetConnections(INapEnforcementClientCallback *iface, Connections **connections)
{
    struct ec *ec = impl_from_INapEnforcementClientCallback(iface);
    UINT16 i, count = ec->connection_count;
    HRESULT hr;

    if (FAILED(hr = AllocConnections(connections, count)))
        return hr;
    for (i = 0; i < count; ++i)
    {
        INapEnforcementClientConnection_AddRef(ec->connections[i]);
        (*connections)->connections[i] = ec->connections[i];
    }
    return S_OK;
}

static const INapEnforcementClientCallbackVtbl ec_vtbl =
{
    ec_QueryInterface,
    ec_AddRef,
    ec_Release,
    ec_NotifySoHChange,
    ec_GetConnections,
};

static inline HRESULT ec_create(struct ec *ec, EnforcementEntityId id)
{
    memset(ec, 0, sizeof(*ec));
    ec->INapEnforcementClientCallback_iface.lpVtbl = &ec_vtbl;
    ec->refcount = 1;
    ec->id = id;
    return CoCreateInstance(&CLSID_NapEnforcementClientBinding, NULL, CLSCTX_INPROC_SERVER,
            &IID_INapEnforcementClientBinding, (void **)&ec->binding);
}

static inline HRESULT ec_bind(struct ec *ec)
{
    return INapEnforcementClientBinding_Initialize(ec->binding, ec->id, &ec->INapEnforcementClientCallback_iface);
}

static inline HRESULT ec_connect(struct ec *ec)
{
    INapEnforcementClientConnection *connection;
    ConnectionId id = {ec->id, ec->connection_count};
    HRESULT hr;

    if (FAILED(hr = INapEnforcementClientBinding_CreateConnection(ec->binding, &connection)))
        return hr;
    if (FAILED(hr = INapEnforcementClientConnection_SetConnectionId(connection, &id)))
    {
        INapEnforcementClientConnection_Release(connection);
        return hr;
    }
    ec->connections[ec->connection_count++] = connection;
    return S_OK;
}

static inline HRESULT ec_disconnect(struct ec *ec)
{
    INapEnforcementClientConnection *connection = ec->connections[--ec->connection_count];
    HRESULT hr = INapEnforcementClientBinding_NotifyConnectionStateDown(ec->binding, connection);

    INapEnforcementClientConnection_Release(connection);
    return hr;
}

/* What an exchange is besides the two calls of the binding: puts the policy server's response to the connection's
 * request on the connection. */
static inline HRESULT ec_respond(INapEnforcementClientConnection *connection, IsolationState verdict,
        struct request *request)
{
    BYTE data[maxNetworkSoHSize];
    NetworkSoHResponse response = {0, data};
    NetworkSoHRequest *soh = NULL;
    HRESULT hr;

    if (FAILED(hr = INapEnforcementClientConnection_GetSoHRequest(connection, &soh)))
        return hr;
    if (!soh || !read_request(soh, request))
        hr = E_UNEXPECTED;
    FreeNetworkSoH(soh);
    if (FAILED(hr))
        return hr;
    response.size = write_response(request, verdict, data);
    return INapEnforcementClientConnection_SetSoHResponse(connection, &response);
}

/* ---- registering ---- */

static inline void set_string(CountedString *counted, const WCHAR *string)
{
    counted->length = lstrlenW(string);
    counted->string = (WCHAR *)string;
}

static inline void get_registration_info(NapComponentRegistrationInfo *info, NapComponentId id)
{
    memset(info, 0, sizeof(*info));
    info->id = id;
    set_string(&info->friendlyName, L"Faults");
    set_string(&info->description, L"A component that is there to be killed");
    set_string(&info->version, L"1.0");
    set_string(&info->vendorName, L"the qutil authors");
}

#endif
