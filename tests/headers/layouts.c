/*
 * Tests for the sizes and offsets of the NAP types
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
#include <stddef.h>

#include "windef.h"
#include "winbase.h"
#include "objbase.h"
#include "naptypes.h"
#include "napprotocol.h"
#include "napenforcementclient.h"
#include "napservermanagement.h"
#include "wine/test.h"

#ifdef _WIN64
#define EXPECT(size32, size64) (size64)
#else
#define EXPECT(size32, size64) (size32)
#endif

#define MEMBER_SIZE(type, member) sizeof(((type *)0)->member)
#define ALIGNMENT(type) offsetof(struct { char c; type t; }, t)

struct size_test
{
    const char *name;
    size_t size, expect_size;
};

static void check_sizes(const struct size_test *tests, unsigned int count)
{
    unsigned int i;

    for (i = 0; i < count; i++)
        ok(tests[i].size == tests[i].expect_size, "%s: Got size %u, expected %u.\n", tests[i].name,
                (unsigned int)tests[i].size, (unsigned int)tests[i].expect_size);
}

static void test_scalars(void)
{
#define SCALAR(type, size) { #type, sizeof(type), size, (type)-1 > (type)0 }
    static const struct
    {
        const char *name;
        size_t size, expect_size;
        BOOL is_unsigned;
    }
    tests[] =
    {
        SCALAR(EnforcementEntityCount, 2),
        SCALAR(EnforcementEntityId, 4),
        SCALAR(MessageId, 4),
        SCALAR(NapComponentId, 4),
        SCALAR(Percentage, 1),
        SCALAR(ProtocolMaxSize, 4),
        SCALAR(SystemHealthEntityCount, 2),
        SCALAR(SystemHealthEntityId, 4),
    };
#undef SCALAR
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(tests); i++)
    {
        winetest_push_context("%s", tests[i].name);
        ok(tests[i].size == tests[i].expect_size, "Got size %u, expected %u.\n",
                (unsigned int)tests[i].size, (unsigned int)tests[i].expect_size);
        ok(tests[i].is_unsigned, "Got a signed type.\n");
        winetest_pop_context();
    }
}

static void test_sizes(void)
{
#define SIZE(type, size32, size64, align32, align64) \
    { #type, sizeof(type), EXPECT(size32, size64), ALIGNMENT(type), EXPECT(align32, align64) }
    static const struct
    {
        const char *name;
        size_t size, expect_size;
        size_t align, expect_align;
    }
    tests[] =
    {
        SIZE(ConnectionId,                16,  16, 4, 4),
        SIZE(Connections,                  8,  16, 4, 8),
        SIZE(CorrelationId,               24,  24, 4, 4),
        SIZE(CountedString,                8,  16, 4, 8),
        SIZE(ExtendedIsolationState,       4,   4, 4, 4),
        SIZE(FailureCategory,              4,   4, 4, 4),
        SIZE(FailureCategoryMapping,      20,  20, 4, 4),
        SIZE(FixupInfo,                   20,  32, 4, 8),
        SIZE(FixupState,                   4,   4, 4, 4),
        SIZE(HealthClassValue,             4,   4, 4, 4),
        SIZE(Ipv4Address,                  4,   4, 1, 1),
        SIZE(Ipv6Address,                 16,  16, 1, 1),
        SIZE(IsolationInfo,               20,  32, 4, 8),
        SIZE(IsolationInfoEx,             24,  32, 4, 8),
        SIZE(IsolationState,               4,   4, 4, 4),
        SIZE(NapComponentRegistrationInfo, 80, 120, 4, 8),
        SIZE(NapNotifyType,                4,   4, 4, 4),
        SIZE(NapTracingLevel,              4,   4, 4, 4),
        SIZE(NetworkSoH,                   8,  16, 4, 8),
        SIZE(NetworkSoHRequest,            8,  16, 4, 8),
        SIZE(NetworkSoHResponse,           8,  16, 4, 8),
        SIZE(PrivateData,                  8,  16, 4, 8),
        SIZE(ProbationTime,                8,   8, 4, 4),
        SIZE(RemoteConfigurationType,      4,   4, 4, 4),
        SIZE(ResultCodes,                  8,  16, 4, 8),
        SIZE(SoH,                          8,  16, 4, 8),
        SIZE(SoHAttribute,                 8,  16, 4, 8),
        SIZE(SoHAttributeType,             4,   4, 4, 4),
        SIZE(SoHAttributeValue,           12,  16, 4, 8),
        SIZE(SoHRequest,                   8,  16, 4, 8),
        SIZE(SoHResponse,                  8,  16, 4, 8),
        SIZE(StringCorrelationId,          8,  16, 4, 8),
        SIZE(SystemHealthAgentState,      36,  64, 4, 8),
    };
#undef SIZE
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(tests); i++)
    {
        winetest_push_context("%s", tests[i].name);
        ok(tests[i].size == tests[i].expect_size, "Got size %u, expected %u.\n",
                (unsigned int)tests[i].size, (unsigned int)tests[i].expect_size);
        ok(tests[i].align == tests[i].expect_align, "Got alignment %u, expected %u.\n",
                (unsigned int)tests[i].align, (unsigned int)tests[i].expect_align);
        winetest_pop_context();
    }
}

#define FIELD(type, member, offset32, offset64, size32, size64) \
    { #type "." #member, offsetof(type, member), EXPECT(offset32, offset64), \
      MEMBER_SIZE(type, member), EXPECT(size32, size64) }

struct field_test
{
    const char *name;
    size_t offset, expect_offset;
    size_t size, expect_size;
};

static void check_fields(const struct field_test *tests, unsigned int count)
{
    unsigned int i;

    for (i = 0; i < count; i++)
    {
        winetest_push_context("%s", tests[i].name);
        ok(tests[i].offset == tests[i].expect_offset, "Got offset %u, expected %u.\n",
                (unsigned int)tests[i].offset, (unsigned int)tests[i].expect_offset);
        ok(tests[i].size == tests[i].expect_size, "Got size %u, expected %u.\n",
                (unsigned int)tests[i].size, (unsigned int)tests[i].expect_size);
        winetest_pop_context();
    }
}

static void test_tags(void)
{
#define TAG(tag, type) { #tag, sizeof(tag), sizeof(type) }
    static const struct size_test tests[] =
    {
        TAG(enum tagExtendedIsolationState, ExtendedIsolationState),
        TAG(enum tagFailureCategory, FailureCategory),
        TAG(enum tagFixupState, FixupState),
        TAG(enum tagHealthClassValue, HealthClassValue),
        TAG(enum tagIsolationState, IsolationState),
        TAG(enum tagNapNotifyType, NapNotifyType),
        TAG(enum tagNapTracingLevel, NapTracingLevel),
        TAG(enum tagRemoteConfigurationType, RemoteConfigurationType),
        TAG(enum tagSoHAttributeType, SoHAttributeType),
        TAG(struct tagConnections, Connections),
        TAG(struct tagCorrelationId, CorrelationId),
        TAG(struct tagCountedString, CountedString),
        TAG(struct tagFailureCategoryMapping, FailureCategoryMapping),
        TAG(struct tagFixupInfo, FixupInfo),
        TAG(struct tagIpv4Address, Ipv4Address),
        TAG(struct tagIpv4Addresses, ((SoHAttributeValue *)0)->v4AddressesVal),
        TAG(struct tagIpv6Address, Ipv6Address),
        TAG(struct tagIpv6Addresses, ((SoHAttributeValue *)0)->v6AddressesVal),
        TAG(struct tagIsolationInfo, IsolationInfo),
        TAG(struct tagIsolationInfoEx, IsolationInfoEx),
        TAG(struct tagNapComponentRegistrationInfo, NapComponentRegistrationInfo),
        TAG(struct tagNetworkSoH, NetworkSoH),
        TAG(struct tagOctetString, ((SoHAttributeValue *)0)->octetStringVal),
        TAG(struct tagPrivateData, PrivateData),
        TAG(struct tagResultCodes, ResultCodes),
        TAG(struct tagSoH, SoH),
        TAG(struct tagSoHAttribute, SoHAttribute),
        TAG(struct tagSystemHealthAgentState, SystemHealthAgentState),
        TAG(struct tagVendorSpecific, ((SoHAttributeValue *)0)->vendorSpecificVal),
        TAG(union tagSoHAttributeValue, SoHAttributeValue),
    };
#undef TAG

    check_sizes(tests, ARRAY_SIZE(tests));
}

static void test_elements(void)
{
#define ELEMENT(type, member, size32, size64) \
    { #type "." #member "[0]", sizeof(*((type *)0)->member), EXPECT(size32, size64) }
    static const struct size_test tests[] =
    {
        ELEMENT(Connections, connections,                               4,  8),
        ELEMENT(CountedString, string,                                  2,  2),
        ELEMENT(FailureCategoryMapping, mappingCompliance,              4,  4),
        ELEMENT(Ipv4Address, addr,                                      1,  1),
        ELEMENT(Ipv6Address, addr,                                      1,  1),
        ELEMENT(NetworkSoH, data,                                       1,  1),
        ELEMENT(PrivateData, data,                                      1,  1),
        ELEMENT(ResultCodes, results,                                   4,  4),
        ELEMENT(SoH, attributes,                                        8, 16),
        ELEMENT(SoHAttribute, value,                                    1,  1),
        ELEMENT(SoHAttributeValue, octetStringVal.data,                 1,  1),
        ELEMENT(SoHAttributeValue, v4AddressesVal.addresses,            4,  4),
        ELEMENT(SoHAttributeValue, v6AddressesVal.addresses,           16, 16),
        ELEMENT(SoHAttributeValue, vendorSpecificVal.vendorSpecificData, 1, 1),
    };
#undef ELEMENT

    check_sizes(tests, ARRAY_SIZE(tests));
}

static void test_structs(void)
{
    static const struct field_test tests[] =
    {
        FIELD(CountedString, length,                            0,   0,  2,  2),
        FIELD(CountedString, string,                            4,   8,  4,  8),

        FIELD(CorrelationId, connId,                            0,   0, 16, 16),
        FIELD(CorrelationId, timeStamp,                        16,  16,  8,  8),

        FIELD(IsolationInfo, isolationState,                    0,   0,  4,  4),
        FIELD(IsolationInfo, probEndTime,                       4,   4,  8,  8),
        FIELD(IsolationInfo, failureUrl,                       12,  16,  8, 16),

        FIELD(IsolationInfoEx, isolationState,                  0,   0,  4,  4),
        FIELD(IsolationInfoEx, extendedIsolationState,          4,   4,  4,  4),
        FIELD(IsolationInfoEx, probEndTime,                     8,   8,  8,  8),
        FIELD(IsolationInfoEx, failureUrl,                     16,  16,  8, 16),

        FIELD(ResultCodes, count,                               0,   0,  2,  2),
        FIELD(ResultCodes, results,                             4,   8,  4,  8),

        FIELD(FixupInfo, state,                                 0,   0,  4,  4),
        FIELD(FixupInfo, percentage,                            4,   4,  1,  1),
        FIELD(FixupInfo, resultCodes,                           8,   8,  8, 16),
        FIELD(FixupInfo, fixupMsgId,                           16,  24,  4,  4),

        FIELD(SystemHealthAgentState, id,                       0,   0,  4,  4),
        FIELD(SystemHealthAgentState, shaResultCodes,           4,   8,  8, 16),
        FIELD(SystemHealthAgentState, failureCategory,         12,  24,  4,  4),
        FIELD(SystemHealthAgentState, fixupInfo,               16,  32, 20, 32),

        FIELD(SoHAttribute, type,                               0,   0,  2,  2),
        FIELD(SoHAttribute, size,                               2,   2,  2,  2),
        FIELD(SoHAttribute, value,                              4,   8,  4,  8),

        FIELD(SoH, count,                                       0,   0,  2,  2),
        FIELD(SoH, attributes,                                  4,   8,  4,  8),

        FIELD(NetworkSoH, size,                                 0,   0,  2,  2),
        FIELD(NetworkSoH, data,                                 4,   8,  4,  8),

        FIELD(PrivateData, size,                                0,   0,  2,  2),
        FIELD(PrivateData, data,                                4,   8,  4,  8),

        FIELD(FailureCategoryMapping, mappingCompliance,        0,   0, 20, 20),
        FIELD(FailureCategoryMapping, mappingCompliance[4],    16,  16,  4,  4),

        FIELD(Connections, count,                               0,   0,  2,  2),
        FIELD(Connections, connections,                         4,   8,  4,  8),

        FIELD(Ipv4Address, addr,                                0,   0,  4,  4),
        FIELD(Ipv4Address, addr[3],                             3,   3,  1,  1),
        FIELD(Ipv6Address, addr,                                0,   0, 16, 16),
        FIELD(Ipv6Address, addr[15],                           15,  15,  1,  1),

        FIELD(NapComponentRegistrationInfo, id,                 0,   0,  4,  4),
        FIELD(NapComponentRegistrationInfo, friendlyName,       4,   8,  8, 16),
        FIELD(NapComponentRegistrationInfo, description,       12,  24,  8, 16),
        FIELD(NapComponentRegistrationInfo, version,           20,  40,  8, 16),
        FIELD(NapComponentRegistrationInfo, vendorName,        28,  56,  8, 16),
        FIELD(NapComponentRegistrationInfo, infoClsid,         36,  72, 16, 16),
        FIELD(NapComponentRegistrationInfo, configClsid,       52,  88, 16, 16),
        FIELD(NapComponentRegistrationInfo, registrationDate,  68, 104,  8,  8),
        FIELD(NapComponentRegistrationInfo, componentType,     76, 112,  4,  4),
    };

    check_fields(tests, ARRAY_SIZE(tests));
}

static void test_attribute_value(void)
{
    static const struct field_test tests[] =
    {
        FIELD(SoHAttributeValue, idVal,                                 0, 0,  4,  4),

        FIELD(SoHAttributeValue, v4AddressesVal,                        0, 0,  8, 16),
        FIELD(SoHAttributeValue, v4AddressesVal.count,                  0, 0,  2,  2),
        FIELD(SoHAttributeValue, v4AddressesVal.addresses,              4, 8,  4,  8),

        FIELD(SoHAttributeValue, v6AddressesVal,                        0, 0,  8, 16),
        FIELD(SoHAttributeValue, v6AddressesVal.count,                  0, 0,  2,  2),
        FIELD(SoHAttributeValue, v6AddressesVal.addresses,              4, 8,  4,  8),

        FIELD(SoHAttributeValue, codesVal,                              0, 0,  8, 16),
        FIELD(SoHAttributeValue, codesVal.count,                        0, 0,  2,  2),
        FIELD(SoHAttributeValue, codesVal.results,                      4, 8,  4,  8),

        FIELD(SoHAttributeValue, dateTimeVal,                           0, 0,  8,  8),

        FIELD(SoHAttributeValue, vendorSpecificVal,                     0, 0, 12, 16),
        FIELD(SoHAttributeValue, vendorSpecificVal.vendorId,            0, 0,  4,  4),
        FIELD(SoHAttributeValue, vendorSpecificVal.size,                4, 4,  2,  2),
        FIELD(SoHAttributeValue, vendorSpecificVal.vendorSpecificData,  8, 8,  4,  8),

        FIELD(SoHAttributeValue, uint8Val,                              0, 0,  1,  1),

        FIELD(SoHAttributeValue, octetStringVal,                        0, 0,  8, 16),
        FIELD(SoHAttributeValue, octetStringVal.size,                   0, 0,  2,  2),
        FIELD(SoHAttributeValue, octetStringVal.data,                   4, 8,  4,  8),
    };

    check_fields(tests, ARRAY_SIZE(tests));
}

/* Structs passed by value: a hidden pointer to a copy on 64-bit, the struct's
 * own words in place on 32-bit. The receivers are declared in that form. */

static DWORD received[6];

#ifdef _WIN64

static HRESULT WINAPI receive_correlation_id(void *iface, const DWORD *words)
{
    memcpy(received, words, sizeof(CorrelationId));
    return S_OK;
}

static HRESULT WINAPI receive_mapping(void *iface, DWORD id, const DWORD *words)
{
    memcpy(received, words, sizeof(FailureCategoryMapping));
    return id;
}

#else

static HRESULT WINAPI receive_correlation_id(void *iface, DWORD word0, DWORD word1, DWORD word2,
        DWORD word3, DWORD word4, DWORD word5)
{
    received[0] = word0;
    received[1] = word1;
    received[2] = word2;
    received[3] = word3;
    received[4] = word4;
    received[5] = word5;
    return S_OK;
}

static HRESULT WINAPI receive_mapping(void *iface, DWORD id, DWORD word0, DWORD word1, DWORD word2,
        DWORD word3, DWORD word4)
{
    received[0] = word0;
    received[1] = word1;
    received[2] = word2;
    received[3] = word3;
    received[4] = word4;
    return id;
}

#endif

/* The compiler mustn't see through to receivers that are declared unlike what it calls. */
static void *volatile correlation_id_receiver = receive_correlation_id;
static void *volatile mapping_receiver = receive_mapping;

static void test_by_value(void)
{
    INapEnforcementClientConnectionVtbl connection_vtbl;
    INapEnforcementClientConnection connection;
    INapServerManagementVtbl management_vtbl;
    INapServerManagement management;
    FailureCategoryMapping mapping;
    CorrelationId id;
    DWORD words[6];
    unsigned int i;
    HRESULT hr;

    for (i = 0; i < ARRAY_SIZE(words); i++) words[i] = 0x01020304 * (i + 1);

    memset(&connection_vtbl, 0, sizeof(connection_vtbl));
    connection_vtbl.SetCorrelationId = correlation_id_receiver;
    connection.lpVtbl = &connection_vtbl;
    memcpy(&id, words, sizeof(id));
    memset(received, 0xcc, sizeof(received));
    hr = connection.lpVtbl->SetCorrelationId(&connection, id);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    ok(!memcmp(received, words, sizeof(id)), "Got a different correlation id.\n");

    memset(&management_vtbl, 0, sizeof(management_vtbl));
    management_vtbl.SetFailureCategoryMappings = mapping_receiver;
    management.lpVtbl = &management_vtbl;
    memcpy(&mapping, words, sizeof(mapping));
    memset(received, 0xcc, sizeof(received));
    hr = management.lpVtbl->SetFailureCategoryMappings(&management, 0x137f0, mapping);
    ok(hr == 0x137f0, "Got hr %#lx.\n", hr);
    ok(!memcmp(received, words, sizeof(mapping)), "Got a different mapping.\n");
    ok(received[5] == 0xcccccccc, "Got %#lx after the mapping.\n", received[5]);
}

START_TEST(layouts)
{
    test_scalars();
    test_sizes();
    test_tags();
    test_elements();
    test_structs();
    test_attribute_value();
    test_by_value();
}
