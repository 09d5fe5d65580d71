/*
 * Tests for the constants of the NAP headers
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

#include "windef.h"
#include "winbase.h"
#include "wincrypt.h"
#include "objbase.h"
#include "naptypes.h"
#include "napprotocol.h"
#include "napenforcementclient.h"
#include "napcertrelyingparty.h"
#include "napmicrosoftvendorids.h"
#include "naperror.h"
#include "wine/test.h"

struct value_test
{
    const char *name;
    DWORD value, expect;
};

static void check_values(const struct value_test *tests, unsigned int count)
{
    unsigned int i;

    for (i = 0; i < count; i++)
        ok(tests[i].value == tests[i].expect, "%s: Got %#lx, expected %#lx.\n", tests[i].name,
                tests[i].value, tests[i].expect);
}

#define VALUE(name, value) { #name, name, value }

static void test_constants(void)
{
    static const struct value_test tests[] =
    {
        VALUE(freshSoHRequest, 0x1),
        VALUE(shaFixup, 0x1),
        VALUE(percentageNotSupported, 101),
        VALUE(maxSoHAttributeCount, 100),
        VALUE(maxSoHAttributeSize, 4000),
        VALUE(minNetworkSoHSize, 12),
        VALUE(maxNetworkSoHSize, 4000),
        VALUE(maxDwordCountPerSoHAttribute, 1000),
        VALUE(maxIpv4CountPerSoHAttribute, 1000),
        VALUE(maxIpv6CountPerSoHAttribute, 250),
        VALUE(maxStringLength, 1024),
        VALUE(maxStringLengthInBytes, 2050),
        VALUE(maxSystemHealthEntityCount, 20),
        VALUE(maxEnforcerCount, 20),
        VALUE(maxPrivateDataSize, 200),
        VALUE(maxConnectionCountPerEnforcer, 20),
        VALUE(maxCachedSoHCount, 8000),
        VALUE(failureCategoryCount, 5),
        VALUE(ComponentTypeEnforcementClientSoH, 0x1),
        VALUE(ComponentTypeEnforcementClientRp, 0x2),
        VALUE(defaultProtocolMaxSize, 4000),
        VALUE(minProtocolMaxSize, 300),
        VALUE(maxProtocolMaxSize, 0xffff),
    };

    check_values(tests, ARRAY_SIZE(tests));

    /* The macros have to hold their own in an expression. */
    ok(100000 / maxDwordCountPerSoHAttribute == 100, "Got %u.\n",
            (unsigned int)(100000 / maxDwordCountPerSoHAttribute));
    ok(100000 / maxIpv4CountPerSoHAttribute == 100, "Got %u.\n",
            (unsigned int)(100000 / maxIpv4CountPerSoHAttribute));
    ok(100000 / maxIpv6CountPerSoHAttribute == 400, "Got %u.\n",
            (unsigned int)(100000 / maxIpv6CountPerSoHAttribute));
    ok(4100 / maxStringLengthInBytes == 2, "Got %u.\n",
            (unsigned int)(4100 / maxStringLengthInBytes));
    ok(80000 / maxCachedSoHCount == 10, "Got %u.\n",
            (unsigned int)(80000 / maxCachedSoHCount));
}

static void test_enums(void)
{
    static const struct value_test tests[] =
    {
        VALUE(isolationStateNotRestricted, 1),
        VALUE(isolationStateInProbation, 2),
        VALUE(isolationStateRestrictedAccess, 3),

        VALUE(extendedIsolationStateNoData, 0),
        VALUE(extendedIsolationStateTransition, 1),
        VALUE(extendedIsolationStateInfected, 2),
        VALUE(extendedIsolationStateUnknown, 3),

        VALUE(tracingLevelUndefined, 0),
        VALUE(tracingLevelBasic, 1),
        VALUE(tracingLevelAdvanced, 2),
        VALUE(tracingLevelDebug, 3),

        VALUE(failureCategoryNone, 0),
        VALUE(failureCategoryOther, 1),
        VALUE(failureCategoryClientComponent, 2),
        VALUE(failureCategoryClientCommunication, 3),
        VALUE(failureCategoryServerComponent, 4),
        VALUE(failureCategoryServerCommunication, 5),

        VALUE(fixupStateSuccess, 0),
        VALUE(fixupStateInProgress, 1),
        VALUE(fixupStateCouldNotUpdate, 2),

        VALUE(napNotifyTypeUnknown, 0),
        VALUE(napNotifyTypeServiceState, 1),
        VALUE(napNotifyTypeQuarState, 2),

        VALUE(remoteConfigTypeMachine, 1),
        VALUE(remoteConfigTypeConfigBlob, 2),

        VALUE(sohAttributeTypeSystemHealthId, 2),
        VALUE(sohAttributeTypeIpv4FixupServers, 3),
        VALUE(sohAttributeTypeComplianceResultCodes, 4),
        VALUE(sohAttributeTypeTimeOfLastUpdate, 5),
        VALUE(sohAttributeTypeClientId, 6),
        VALUE(sohAttributeTypeVendorSpecific, 7),
        VALUE(sohAttributeTypeHealthClass, 8),
        VALUE(sohAttributeTypeSoftwareVersion, 9),
        VALUE(sohAttributeTypeProductName, 10),
        VALUE(sohAttributeTypeHealthClassStatus, 11),
        VALUE(sohAttributeTypeSoHGenerationTime, 12),
        VALUE(sohAttributeTypeErrorCodes, 13),
        VALUE(sohAttributeTypeFailureCategory, 14),
        VALUE(sohAttributeTypeIpv6FixupServers, 15),
        VALUE(sohAttributeTypeExtendedIsolationState, 16),

        VALUE(healthClassFirewall, 0),
        VALUE(healthClassPatchLevel, 1),
        VALUE(healthClassAntiVirus, 2),
        VALUE(healthClassCriticalUpdate, 3),
        VALUE(healthClassReserved, 128),
    };

    check_values(tests, ARRAY_SIZE(tests));
}

static void test_error_codes(void)
{
    static const struct value_test tests[] =
    {
        VALUE(NAP_E_INVALID_PACKET, 0x80270001),
        VALUE(NAP_E_MISSING_SOH, 0x80270002),
        VALUE(NAP_E_CONFLICTING_ID, 0x80270003),
        VALUE(NAP_E_NO_CACHED_SOH, 0x80270004),
        VALUE(NAP_E_STILL_BOUND, 0x80270005),
        VALUE(NAP_E_NOT_REGISTERED, 0x80270006),
        VALUE(NAP_E_NOT_INITIALIZED, 0x80270007),
        VALUE(NAP_E_MISMATCHED_ID, 0x80270008),
        VALUE(NAP_E_NOT_PENDING, 0x80270009),
        VALUE(NAP_E_ID_NOT_FOUND, 0x8027000a),
        VALUE(NAP_E_MAXSIZE_TOO_SMALL, 0x8027000b),
        VALUE(NAP_E_SERVICE_NOT_RUNNING, 0x8027000c),
        VALUE(NAP_S_CERT_ALREADY_PRESENT, 0x0027000d),
        VALUE(NAP_E_ENTITY_DISABLED, 0x8027000e),
        VALUE(NAP_E_NETSH_GROUPPOLICY_ERROR, 0x8027000f),
        VALUE(NAP_E_TOO_MANY_CALLS, 0x80270010),
        VALUE(NAP_E_SHV_CONFIG_EXISTED, 0x80270011),
        VALUE(NAP_E_SHV_CONFIG_NOT_FOUND, 0x80270012),
        VALUE(NAP_E_SHV_TIMEOUT, 0x80270013),
    };
    unsigned int i;

    check_values(tests, ARRAY_SIZE(tests));

    for (i = 0; i < ARRAY_SIZE(tests); i++)
        ok(HRESULT_FACILITY(tests[i].value) == FACILITY_NAP, "%s: Got facility %#lx.\n", tests[i].name,
                (DWORD)HRESULT_FACILITY(tests[i].value));
    ok(FACILITY_NAP == 0x27, "Got facility %#x.\n", FACILITY_NAP);

    /* They are signed, so that the usual macros and comparisons work. */
    ok(NAP_E_INVALID_PACKET < 0, "Expected a negative code.\n");
    ok(FAILED(NAP_E_SHV_TIMEOUT), "Expected a failure.\n");
    ok(SUCCEEDED(NAP_S_CERT_ALREADY_PRESENT), "Expected a success.\n");
    ok(sizeof(NAP_E_INVALID_PACKET) == sizeof(HRESULT), "Got size %u.\n",
            (unsigned int)sizeof(NAP_E_INVALID_PACKET));
}

/* Not compile-time constants in C: the headers declare variables. */

static void test_certificate_properties(void)
{
    const struct value_test tests[] =
    {
        VALUE(NapAfwZonePropId, 0x8000),
        VALUE(NapAfwProtectionLevelPropId, 0x8001),
    };

    check_values(tests, ARRAY_SIZE(tests));

    ok(NapAfwZonePropId == CERT_FIRST_USER_PROP_ID, "Got %#x.\n", NapAfwZonePropId);
    ok(sizeof(NapAfwZonePropId) == sizeof(UINT32), "Got size %u.\n",
            (unsigned int)sizeof(NapAfwZonePropId));
    ok(sizeof(NapAfwProtectionLevelPropId) == sizeof(UINT32), "Got size %u.\n",
            (unsigned int)sizeof(NapAfwProtectionLevelPropId));
}

static void test_vendor_ids(void)
{
    const struct value_test tests[] =
    {
        VALUE(MicrosoftVendorId, 0x137),
        VALUE(NapSystemId, 0x13700),
        VALUE(NapDhcpEnforcementId, 0x13701),
        VALUE(NapRasEnforcementId, 0x13702),
        VALUE(NapIpsecEnforcementId, 0x13703),
        VALUE(Nap8021xEnforcementId, 0x13704),
        VALUE(NapAnywhereAccessEnforcementId, 0x13705),
        VALUE(NapIsaEnforcementId, 0x13706),
        VALUE(NapEapEnforcementId, 0x13707),
        VALUE(NapOutOfBoxSystemHealthId, 0x13780),
        VALUE(NapSmsSystemHealthId, 0x13781),
        VALUE(NapFCSv1SystemHealthId, 0x13782),
        VALUE(NapFCSv2SystemHealthId, 0x13783),
        VALUE(NapTpmSystemHealthId, 0x13784),
    };
    unsigned int i;

    check_values(tests, ARRAY_SIZE(tests));

    ok(sizeof(NapSystemId) == sizeof(NapComponentId), "Got size %u.\n", (unsigned int)sizeof(NapSystemId));
    for (i = 1; i < ARRAY_SIZE(tests); i++)
        ok(tests[i].value >> 8 == MicrosoftVendorId, "%s: Got vendor %#lx.\n", tests[i].name,
                tests[i].value >> 8);
}

START_TEST(values)
{
    test_constants();
    test_enums();
    test_error_codes();
    test_certificate_properties();
    test_vendor_ids();
}
