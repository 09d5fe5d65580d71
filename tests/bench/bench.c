/*
 * What the functions of qutil.dll cost, beside the bare allocations that do the same
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

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "windef.h"
#include "winbase.h"
#include "objbase.h"
#include "naputil.h"

#include "bench.h"

#define ROUNDS     301 /* odd, for the median */
#define ROUND_TIME 50  /* microseconds that the bare side of a round takes, about */
#define MAX_CALLS  1000 /* in one side of a round */

#define ALLOC_GOAL 1.05
#define SOH_GOAL   1.5
#define SCALE_GOAL 11.0

void DECLSPEC_NORETURN fail(const char *what, HRESULT hr)
{
    fprintf(stderr, "bench: %s failed, hr %#lx\n", what, hr);
    exit(1);
}

void check(HRESULT hr, const char *what)
{
    if (hr != S_OK) fail(what, hr);
}

static void *alloc(SIZE_T size)
{
    void *block = CoTaskMemAlloc(size);

    if (!block) fail("CoTaskMemAlloc", E_OUTOFMEMORY);
    return block;
}

/* The pointer keeps the compiler from putting code of its own in the place of the C library's. */
static void *(__cdecl *volatile zero)(void *, int, size_t) = memset;

/* ---- allocating and freeing ---- */

static WCHAR string[maxStringLength + 1];

static void setup_string(unsigned int length)
{
    unsigned int i;

    for (i = 0; i < length; i++) string[i] = 'a' + i % 26;
    string[length] = 0;
}

static void bare_counted_string(unsigned int length, unsigned int calls)
{
    CountedString *counted;

    while (calls--)
    {
        counted = alloc(sizeof(*counted));
        counted->length = wcslen(string);
        counted->string = alloc((counted->length + 1) * sizeof(WCHAR));
        memcpy(counted->string, string, (counted->length + 1) * sizeof(WCHAR));
        CoTaskMemFree(counted->string);
        CoTaskMemFree(counted);
    }
}

static void qutil_counted_string(unsigned int length, unsigned int calls)
{
    CountedString *counted;

    while (calls--)
    {
        check(AllocCountedString(&counted, string), "AllocCountedString");
        FreeCountedString(counted);
    }
}

static void bare_fixup_info(unsigned int results, unsigned int calls)
{
    FixupInfo *info;

    while (calls--)
    {
        info = alloc(sizeof(*info));
        memset(info, 0, sizeof(*info));
        if (results)
        {
            info->resultCodes.results = alloc(results * sizeof(*info->resultCodes.results));
            zero(info->resultCodes.results, 0, results * sizeof(*info->resultCodes.results));
        }
        info->resultCodes.count = results;
        CoTaskMemFree(info->resultCodes.results);
        CoTaskMemFree(info);
    }
}

static void qutil_fixup_info(unsigned int results, unsigned int calls)
{
    FixupInfo *info;

    while (calls--)
    {
        check(AllocFixupInfo(&info, results), "AllocFixupInfo");
        FreeFixupInfo(info);
    }
}

static void bare_connections(unsigned int count, unsigned int calls)
{
    Connections *connections;
    unsigned int i;

    while (calls--)
    {
        connections = alloc(sizeof(*connections));
        memset(connections, 0, sizeof(*connections));
        if (count)
        {
            connections->connections = alloc(count * sizeof(*connections->connections));
            zero(connections->connections, 0, count * sizeof(*connections->connections));
        }
        connections->count = count;
        for (i = 0; i < connections->count; i++)
        {
            if (connections->connections[i])
                INapEnforcementClientConnection_Release(connections->connections[i]);
        }
        CoTaskMemFree(connections->connections);
        CoTaskMemFree(connections);
    }
}

static void qutil_connections(unsigned int count, unsigned int calls)
{
    Connections *connections;

    while (calls--)
    {
        check(AllocConnections(&connections, count), "AllocConnections");
        FreeConnections(connections);
    }
}

/* ---- pairs whose first half is bare on both sides, since the API has no Alloc function for them ---- */

static void *built[MAX_CALLS];

static void alloc_string(CountedString *counted)
{
    counted->length = 20;
    counted->string = alloc((counted->length + 1) * sizeof(WCHAR));
    memset(counted->string, 0, (counted->length + 1) * sizeof(WCHAR));
}

static void build_isolation_info(unsigned int size, unsigned int calls)
{
    IsolationInfo *info;

    while (calls--)
    {
        built[calls] = info = alloc(sizeof(*info));
        memset(info, 0, sizeof(*info));
        alloc_string(&info->failureUrl);
    }
}

static void bare_isolation_info(unsigned int size, unsigned int calls)
{
    IsolationInfo *info;

    while (calls--)
    {
        info = built[calls];
        CoTaskMemFree(info->failureUrl.string);
        CoTaskMemFree(info);
    }
}

static void qutil_isolation_info(unsigned int size, unsigned int calls)
{
    while (calls--) FreeIsolationInfo(built[calls]);
}

static void build_isolation_info_ex(unsigned int size, unsigned int calls)
{
    IsolationInfoEx *info;

    while (calls--)
    {
        built[calls] = info = alloc(sizeof(*info));
        memset(info, 0, sizeof(*info));
        alloc_string(&info->failureUrl);
    }
}

static void bare_isolation_info_ex(unsigned int size, unsigned int calls)
{
    IsolationInfoEx *info;

    while (calls--)
    {
        info = built[calls];
        CoTaskMemFree(info->failureUrl.string);
        CoTaskMemFree(info);
    }
}

static void qutil_isolation_info_ex(unsigned int size, unsigned int calls)
{
    while (calls--) FreeIsolationInfoEx(built[calls]);
}

static void build_network_soh(unsigned int size, unsigned int calls)
{
    NetworkSoH *soh;

    while (calls--)
    {
        built[calls] = soh = alloc(sizeof(*soh));
        soh->size = size;
        soh->data = alloc(size);
    }
}

static void bare_network_soh(unsigned int size, unsigned int calls)
{
    NetworkSoH *soh;

    while (calls--)
    {
        soh = built[calls];
        CoTaskMemFree(soh->data);
        CoTaskMemFree(soh);
    }
}

static void qutil_network_soh(unsigned int size, unsigned int calls)
{
    while (calls--) FreeNetworkSoH(built[calls]);
}

static void build_private_data(unsigned int size, unsigned int calls)
{
    PrivateData *data;

    while (calls--)
    {
        built[calls] = data = alloc(sizeof(*data));
        data->size = size;
        data->data = alloc(size);
    }
}

static void bare_private_data(unsigned int size, unsigned int calls)
{
    PrivateData *data;

    while (calls--)
    {
        data = built[calls];
        CoTaskMemFree(data->data);
        CoTaskMemFree(data);
    }
}

static void qutil_private_data(unsigned int size, unsigned int calls)
{
    while (calls--) FreePrivateData(built[calls]);
}

static void build_soh(unsigned int count, unsigned int calls)
{
    unsigned int i;
    SoH *soh;

    while (calls--)
    {
        built[calls] = soh = alloc(sizeof(*soh));
        soh->count = count;
        soh->attributes = alloc(count * sizeof(*soh->attributes));
        for (i = 0; i < count; i++)
        {
            soh->attributes[i].type = sohAttributeTypeHealthClassStatus;
            soh->attributes[i].size = 4;
            soh->attributes[i].value = alloc(4);
        }
    }
}

static void free_soh_bare(SoH *soh)
{
    unsigned int i;

    for (i = 0; i < soh->count; i++) CoTaskMemFree(soh->attributes[i].value);
    CoTaskMemFree(soh->attributes);
    CoTaskMemFree(soh);
}

static void bare_soh(unsigned int count, unsigned int calls)
{
    while (calls--) free_soh_bare(built[calls]);
}

static void qutil_soh(unsigned int count, unsigned int calls)
{
    while (calls--) FreeSoH(built[calls]);
}

static void build_value(unsigned int type, unsigned int calls)
{
    SoHAttributeValue *value;

    while (calls--)
    {
        built[calls] = value = alloc(sizeof(*value));
        memset(value, 0, sizeof(*value));
        switch (type)
        {
        case sohAttributeTypeIpv4FixupServers:
            value->v4AddressesVal.addresses = alloc(2 * sizeof(Ipv4Address));
            break;
        case sohAttributeTypeIpv6FixupServers:
            value->v6AddressesVal.addresses = alloc(2 * sizeof(Ipv6Address));
            break;
        case sohAttributeTypeComplianceResultCodes:
            value->codesVal.results = alloc(2 * sizeof(HRESULT));
            break;
        case sohAttributeTypeVendorSpecific:
            value->vendorSpecificVal.vendorSpecificData = alloc(20);
            break;
        case sohAttributeTypeProductName:
            value->octetStringVal.data = alloc(20);
            break;
        }
    }
}

static void bare_plain_value(unsigned int type, unsigned int calls)
{
    while (calls--) CoTaskMemFree(built[calls]);
}

static void bare_ipv4_value(unsigned int type, unsigned int calls)
{
    SoHAttributeValue *value;

    while (calls--)
    {
        value = built[calls];
        CoTaskMemFree(value->v4AddressesVal.addresses);
        CoTaskMemFree(value);
    }
}

static void bare_ipv6_value(unsigned int type, unsigned int calls)
{
    SoHAttributeValue *value;

    while (calls--)
    {
        value = built[calls];
        CoTaskMemFree(value->v6AddressesVal.addresses);
        CoTaskMemFree(value);
    }
}

static void bare_codes_value(unsigned int type, unsigned int calls)
{
    SoHAttributeValue *value;

    while (calls--)
    {
        value = built[calls];
        CoTaskMemFree(value->codesVal.results);
        CoTaskMemFree(value);
    }
}

static void bare_vendor_value(unsigned int type, unsigned int calls)
{
    SoHAttributeValue *value;

    while (calls--)
    {
        value = built[calls];
        CoTaskMemFree(value->vendorSpecificVal.vendorSpecificData);
        CoTaskMemFree(value);
    }
}

static void bare_octets_value(unsigned int type, unsigned int calls)
{
    SoHAttributeValue *value;

    while (calls--)
    {
        value = built[calls];
        CoTaskMemFree(value->octetStringVal.data);
        CoTaskMemFree(value);
    }
}

static void qutil_value(unsigned int type, unsigned int calls)
{
    while (calls--) FreeSoHAttributeValue(type, built[calls]);
}

static void build_agent_state(unsigned int count, unsigned int calls)
{
    SystemHealthAgentState *state;

    while (calls--)
    {
        built[calls] = state = alloc(sizeof(*state));
        memset(state, 0, sizeof(*state));
        state->shaResultCodes.results = alloc(count * sizeof(HRESULT));
        state->fixupInfo.resultCodes.results = alloc(count * sizeof(HRESULT));
    }
}

static void bare_agent_state(unsigned int count, unsigned int calls)
{
    SystemHealthAgentState *state;

    while (calls--)
    {
        state = built[calls];
        CoTaskMemFree(state->shaResultCodes.results);
        CoTaskMemFree(state->fixupInfo.resultCodes.results);
        CoTaskMemFree(state);
    }
}

static void qutil_agent_state(unsigned int count, unsigned int calls)
{
    while (calls--) FreeSystemHealthAgentState(built[calls]);
}

static void build_registration_info(unsigned int count, unsigned int calls)
{
    NapComponentRegistrationInfo *info;
    unsigned int i;

    while (calls--)
    {
        built[calls] = info = alloc(count * sizeof(*info));
        memset(info, 0, count * sizeof(*info));
        for (i = 0; i < count; i++)
        {
            alloc_string(&info[i].friendlyName);
            alloc_string(&info[i].description);
            alloc_string(&info[i].version);
            alloc_string(&info[i].vendorName);
        }
    }
}

static void bare_registration_info(unsigned int count, unsigned int calls)
{
    NapComponentRegistrationInfo *info;
    unsigned int i;

    while (calls--)
    {
        info = built[calls];
        for (i = 0; i < count; i++)
        {
            CoTaskMemFree(info[i].friendlyName.string);
            CoTaskMemFree(info[i].description.string);
            CoTaskMemFree(info[i].version.string);
            CoTaskMemFree(info[i].vendorName.string);
        }
        CoTaskMemFree(info);
    }
}

static void qutil_registration_info(unsigned int count, unsigned int calls)
{
    while (calls--)
        FreeNapComponentRegistrationInfoArray(count, (NapComponentRegistrationInfo **)&built[calls]);
}

/* ---- writing and reading a SoH ---- */

struct attribute
{
    UINT16 type;
    UINT16 size;
    BYTE bytes[40];
};

static const struct attribute wsha_attributes[] =
{
    { sohAttributeTypeSystemHealthId, 4, { 0x00,0x01,0x37,0x80 } },
    { sohAttributeTypeVendorSpecific, 8, { 0x00,0x01,0x37,0x80, 0x03 } },
    { sohAttributeTypeVendorSpecific, 8, { 0x00,0x01,0x37,0x80, 0x01,0x00,0x06,0x00 } },
    { sohAttributeTypeHealthClass, 1, { 0 } },
    { sohAttributeTypeProductName, 34, "W\0i\0n\0d\0o\0w\0s\0 \0F\0i\0r\0e\0w\0a\0l\0l\0" },
    { sohAttributeTypeHealthClassStatus, 4, { 0x00,0x00,0x00,0x05 } },
    { sohAttributeTypeHealthClass, 1, { 1 } },
    { sohAttributeTypeProductName, 20, "A\0n\0t\0i\0v\0i\0r\0u\0s\0" },
    { sohAttributeTypeHealthClassStatus, 4, { 0x00,0x00,0x00,0x03 } },
    { sohAttributeTypeHealthClass, 1, { 2 } },
    { sohAttributeTypeProductName, 34, "W\0i\0n\0d\0o\0w\0s\0 \0D\0e\0f\0e\0n\0d\0e\0r\0" },
    { sohAttributeTypeHealthClassStatus, 4, { 0x00,0x00,0x00,0x07 } },
    { sohAttributeTypeHealthClass, 1, { 3 } },
    { sohAttributeTypeHealthClassStatus, 4, { 0x00,0x00,0x00,0x04 } },
    { sohAttributeTypeHealthClass, 1, { 4 } },
    { sohAttributeTypeHealthClassStatus, 4, { 0x00,0xff,0x00,0x06 } },
    { sohAttributeTypeVendorSpecific, 8, { 0x00,0x01,0x37,0x80, 0x10,0x0e } },
    { sohAttributeTypeVendorSpecific, 29, "\x00\x01\x37\x80http://wsus.example.com/" },
    { sohAttributeTypeVendorSpecific, 8, { 0x00,0x01,0x37,0x80, 0x00,0x04,0x01,0x00 } },
};

static IClassFactory *constructor_factory, *processor_factory;
static SoHAttributeValue values[maxSoHAttributeCount];
static SoHAttribute attributes[maxSoHAttributeCount];
static SoH soh_input = { 0, attributes };

static UINT32 get_be32(const BYTE *bytes)
{
    return (UINT32)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
}

/* Returns the size of the value's own block, which data is set to point to. */
static UINT16 decode(const SoHAttribute *attribute, SoHAttributeValue *value, BYTE ***data)
{
    switch (attribute->type)
    {
    case sohAttributeTypeSystemHealthId:
        value->idVal = get_be32(attribute->value);
        return 0;
    case sohAttributeTypeHealthClass:
        value->uint8Val = attribute->value[0];
        return 0;
    case sohAttributeTypeVendorSpecific:
        value->vendorSpecificVal.vendorId = get_be32(attribute->value);
        *data = &value->vendorSpecificVal.vendorSpecificData;
        return value->vendorSpecificVal.size = attribute->size - 4;
    default:
        *data = &value->octetStringVal.data;
        return value->octetStringVal.size = attribute->size;
    }
}

static void setup_attributes(unsigned int count)
{
    unsigned int i, from;
    BYTE **data;
    UINT16 size;

    soh_input.count = count;
    for (i = 0; i < count; i++)
    {
        /* More than the agent itself sends, as in the scaling cases: its first class over and over. */
        from = count <= ARRAY_SIZE(wsha_attributes) || i < 3 ? i : 3 + i % 3;
        attributes[i].type = wsha_attributes[from].type;
        attributes[i].size = wsha_attributes[from].size;
        attributes[i].value = (BYTE *)wsha_attributes[from].bytes;
        if ((size = decode(&attributes[i], &values[i], &data)))
            *data = attributes[i].value + attributes[i].size - size;
    }
}

static SoH *write_soh_bare(void)
{
    unsigned int i;
    SoH *soh;

    soh = alloc(sizeof(*soh));
    soh->count = soh_input.count;
    soh->attributes = alloc(soh->count * sizeof(*soh->attributes));
    for (i = 0; i < soh->count; i++)
    {
        soh->attributes[i].type = attributes[i].type;
        soh->attributes[i].size = attributes[i].size;
        soh->attributes[i].value = alloc(attributes[i].size);
        memcpy(soh->attributes[i].value, attributes[i].value, attributes[i].size);
    }
    return soh;
}

static SoH *write_soh_qutil(void)
{
    INapSoHConstructor *constructor;
    unsigned int i;
    SoH *soh;

    check(IClassFactory_CreateInstance(constructor_factory, NULL, &IID_INapSoHConstructor, (void **)&constructor),
          "CreateInstance");
    check(INapSoHConstructor_Initialize(constructor, values[0].idVal, TRUE), "Initialize");
    for (i = 1; i < soh_input.count; i++)
        check(INapSoHConstructor_AppendAttribute(constructor, attributes[i].type, &values[i]), "AppendAttribute");
    check(INapSoHConstructor_GetSoH(constructor, &soh), "GetSoH");
    INapSoHConstructor_Release(constructor);
    return soh;
}

static void bare_write(unsigned int count, unsigned int calls)
{
    while (calls--) free_soh_bare(write_soh_bare());
}

static void qutil_write(unsigned int count, unsigned int calls)
{
    while (calls--) FreeSoH(write_soh_qutil());
}

static void bare_read(unsigned int count, unsigned int calls)
{
    SoHAttributeValue *value;
    BYTE **data;
    UINT16 size, i;

    while (calls--)
    {
        for (i = 0; i < soh_input.count; i++)
        {
            value = alloc(sizeof(*value));
            if ((size = decode(&attributes[i], value, &data)))
            {
                *data = alloc(size);
                memcpy(*data, attributes[i].value + attributes[i].size - size, size);
                CoTaskMemFree(*data);
            }
            CoTaskMemFree(value);
        }
    }
}

static void qutil_read(unsigned int count, unsigned int calls)
{
    INapSoHProcessor *processor;
    SystemHealthEntityId id;
    SoHAttributeValue *value;
    SoHAttributeType type;
    UINT16 i, number;

    while (calls--)
    {
        check(IClassFactory_CreateInstance(processor_factory, NULL, &IID_INapSoHProcessor, (void **)&processor),
              "CreateInstance");
        check(INapSoHProcessor_Initialize(processor, &soh_input, TRUE, &id), "Initialize");
        check(INapSoHProcessor_GetNumberOfAttributes(processor, &number), "GetNumberOfAttributes");
        for (i = 0; i < number; i++)
        {
            check(INapSoHProcessor_GetAttribute(processor, i, &type, &value), "GetAttribute");
            FreeSoHAttributeValue(type, value);
        }
        INapSoHProcessor_Release(processor);
    }
}

static BOOL same_soh(const SoH *a, const SoH *b)
{
    unsigned int i;

    if (a->count != b->count) return FALSE;
    for (i = 0; i < a->count; i++)
    {
        if (a->attributes[i].type != b->attributes[i].type || a->attributes[i].size != b->attributes[i].size
                || memcmp(a->attributes[i].value, b->attributes[i].value, a->attributes[i].size))
            return FALSE;
    }
    return TRUE;
}

static HRESULT get_factories(void)
{
    HRESULT hr;
    SoH *soh;

    if (FAILED(hr = CoGetClassObject(&CLSID_NapSoHConstructor, CLSCTX_INPROC_SERVER, NULL, &IID_IClassFactory,
                                     (void **)&constructor_factory)))
        return hr;
    if (FAILED(hr = CoGetClassObject(&CLSID_NapSoHProcessor, CLSCTX_INPROC_SERVER, NULL, &IID_IClassFactory,
                                     (void **)&processor_factory)))
        return hr;

    /* Times of something else than what the bare side makes would mean nothing. */
    setup_attributes(ARRAY_SIZE(wsha_attributes));
    soh = write_soh_qutil();
    if (!same_soh(soh, &soh_input)) fail("making the same SoH as by hand", E_UNEXPECTED);
    FreeSoH(soh);
    return S_OK;
}

/* ---- measuring ---- */

/* One side of a comparison. The functions take the size and a number of calls. */
struct side
{
    void (*build)(unsigned int size, unsigned int calls);
    void (*run)(unsigned int size, unsigned int calls);
    unsigned int size;
};

struct bench_case
{
    const char *name;
    BOOL needs_classes;
    void (*setup)(unsigned int size); /* before each side */
    struct side base, qutil;
    double goal;
};

#define PAIR(name, setup, func, size) \
    { name, FALSE, setup, { NULL, bare_##func, size }, { NULL, qutil_##func, size }, ALLOC_GOAL }
#define FREE(name, func, size) \
    { name, FALSE, NULL, { build_##func, bare_##func, size }, { build_##func, qutil_##func, size }, ALLOC_GOAL }
#define VALUE(name, bare, type) \
    { name, FALSE, NULL, { build_value, bare_##bare##_value, type }, { build_value, qutil_value, type }, ALLOC_GOAL }

static const struct bench_case cases[] =
{
    PAIR("AllocCountedString, empty", setup_string, counted_string, 0),
    PAIR("AllocCountedString, 20 characters", setup_string, counted_string, 20),
    PAIR("AllocCountedString, 1024 characters", setup_string, counted_string, 1024),
    PAIR("AllocFixupInfo, no results", NULL, fixup_info, 0),
    PAIR("AllocFixupInfo, 1 result", NULL, fixup_info, 1),
    PAIR("AllocFixupInfo, 1000 results", NULL, fixup_info, 1000),
    PAIR("AllocConnections, none", NULL, connections, 0),
    PAIR("AllocConnections, 1", NULL, connections, 1),
    PAIR("AllocConnections, 20", NULL, connections, 20),
    FREE("FreeIsolationInfo", isolation_info, 0),
    FREE("FreeIsolationInfoEx", isolation_info_ex, 0),
    FREE("FreeNetworkSoH, 200 bytes", network_soh, 200),
    FREE("FreePrivateData, 20 bytes", private_data, 20),
    FREE("FreeSoH, 1 attribute", soh, 1),
    FREE("FreeSoH, 10 attributes", soh, 10),
    FREE("FreeSoH, 100 attributes", soh, 100),
    VALUE("FreeSoHAttributeValue, id", plain, sohAttributeTypeSystemHealthId),
    VALUE("FreeSoHAttributeValue, time", plain, sohAttributeTypeSoHGenerationTime),
    VALUE("FreeSoHAttributeValue, byte", plain, sohAttributeTypeHealthClass),
    VALUE("FreeSoHAttributeValue, IPv4", ipv4, sohAttributeTypeIpv4FixupServers),
    VALUE("FreeSoHAttributeValue, IPv6", ipv6, sohAttributeTypeIpv6FixupServers),
    VALUE("FreeSoHAttributeValue, codes", codes, sohAttributeTypeComplianceResultCodes),
    VALUE("FreeSoHAttributeValue, vendor", vendor, sohAttributeTypeVendorSpecific),
    VALUE("FreeSoHAttributeValue, octets", octets, sohAttributeTypeProductName),
    FREE("FreeSystemHealthAgentState", agent_state, 4),
    FREE("FreeNapComponentRegistrationInfoArray, 1", registration_info, 1),
    FREE("FreeNapComponentRegistrationInfoArray, 20", registration_info, 20),
    { "Writing a SoH, 19 attributes", TRUE, setup_attributes,
            { NULL, bare_write, 19 }, { NULL, qutil_write, 19 }, SOH_GOAL },
    { "Reading a SoH, 19 attributes", TRUE, setup_attributes,
            { NULL, bare_read, 19 }, { NULL, qutil_read, 19 }, SOH_GOAL },
    { "FreeSoH, 100 attributes / 10", FALSE, NULL,
            { build_soh, qutil_soh, 10 }, { build_soh, qutil_soh, 100 }, SCALE_GOAL },
    { "Writing a SoH, 100 attributes / 10", TRUE, setup_attributes,
            { NULL, qutil_write, 10 }, { NULL, qutil_write, 100 }, SCALE_GOAL },
    { "Reading a SoH, 100 attributes / 10", TRUE, setup_attributes,
            { NULL, qutil_read, 10 }, { NULL, qutil_read, 100 }, SCALE_GOAL },
};

static LONGLONG frequency;

LONGLONG get_time(void)
{
    LARGE_INTEGER counter;

    QueryPerformanceCounter(&counter);
    return counter.QuadPart;
}

double get_nanoseconds(LONGLONG start)
{
    return (get_time() - start) * 1e9 / frequency;
}

/* Returns nanoseconds a call. Where the stack lies in its page costs or saves some percent, so it moves each time. */
static double measure(const struct bench_case *bench, const struct side *side, unsigned int calls)
{
    volatile char *padding = _alloca(16 * (rand() % 256) + 16);
    LONGLONG start;

    padding[0] = 0;
    if (bench->setup) bench->setup(side->size);
    start = get_time();
    if (side->build) side->build(side->size, calls);
    side->run(side->size, calls);
    return get_nanoseconds(start) / calls;
}

static int __cdecl compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double median(double *numbers, unsigned int count)
{
    qsort(numbers, count, sizeof(*numbers), compare_doubles);
    return numbers[count / 2];
}

/* Calls in a round: as many as fill the time, so that the clock's step doesn't show, and a round is rarely interrupted. */
static unsigned int get_calls(const struct bench_case *bench)
{
    unsigned int calls = 1;

    while (calls < MAX_CALLS && measure(bench, &bench->base, calls) * calls < ROUND_TIME * 1000) calls += calls / 4 + 1;
    return min(calls, MAX_CALLS);
}

/* Prints name, bare time, qutil's time, their ratio and its goal, with tabs in between. */
static void run_case(const struct bench_case *bench)
{
    static double base[ROUNDS], qutil[ROUNDS], ratio[ROUNDS];
    unsigned int i, calls = get_calls(bench);

    for (i = 0; i < ROUNDS; i++)
    {
        if (i & 1) qutil[i] = measure(bench, &bench->qutil, calls);
        base[i] = measure(bench, &bench->base, calls);
        if (!(i & 1)) qutil[i] = measure(bench, &bench->qutil, calls);
        ratio[i] = qutil[i] / base[i];
    }
    printf("%s\t%.1f\t%.1f\t%.4f\t%.2f\n", bench->name, median(base, ROUNDS), median(qutil, ROUNDS),
           median(ratio, ROUNDS), bench->goal);
}

const char *program_name;

int __cdecl main(int argc, char **argv)
{
    LARGE_INTEGER counter;
    unsigned int i;
    HRESULT hr;

    QueryPerformanceFrequency(&counter);
    frequency = counter.QuadPart;
    check(CoInitializeEx(NULL, COINIT_MULTITHREADED), "CoInitializeEx");
    program_name = argv[0];
    if (argc == 3 && !strcmp(argv[1], "shas")) run_shas(strtoul(argv[2], NULL, 10));
    hr = get_factories();

    for (i = 0; i < ARRAY_SIZE(cases); i++)
    {
        if (SUCCEEDED(hr) || !cases[i].needs_classes) run_case(&cases[i]);
        else printf("%s\tnot run: the SoH classes are not there (%#lx)\n", cases[i].name, hr);
    }
    bench_messages();
    bench_exchanges();

    if (processor_factory) IClassFactory_Release(processor_factory);
    if (constructor_factory) IClassFactory_Release(constructor_factory);
    CoUninitialize();
    return 0;
}
