/*
 * Tests for the vtables of the NAP interfaces and the prototypes of the NAP functions
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
#include "napmanagement.h"
#include "napsystemhealthagent.h"
#include "napenforcementclient.h"
#include "napcertrelyingparty.h"
#include "napservermanagement.h"
#include "napsystemhealthvalidator.h"
#include "napcommon.h"
#include "naputil.h"
#include "wine/test.h"

#define SLOT(iface, method) (offsetof(iface##Vtbl, method) / sizeof(void *))

/* The compiler compares types only where it knows _Generic. */
#if defined(__GNUC__) || (defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L)
#define HAS_TYPE(expr, type) _Generic((expr), type: TRUE, default: FALSE)
#else
#define HAS_TYPE(expr, type) TRUE
#endif

static void test_interfaces(void)
{
#define VTABLE(iface, count) \
    { #iface, sizeof(iface), offsetof(iface, lpVtbl), sizeof(iface##Vtbl), count, \
      SLOT(iface, QueryInterface), SLOT(iface, AddRef), SLOT(iface, Release) }
    static const struct
    {
        const char *name;
        size_t size, vtbl_offset;
        size_t vtbl_size, expect_count;
        size_t query_interface, addref, release;
    }
    tests[] =
    {
        VTABLE(INapSoHConstructor,                  7),
        VTABLE(INapSoHProcessor,                    7),
        VTABLE(INapClientManagement,               11),
        VTABLE(INapClientManagement2,              12),
        VTABLE(INapSystemHealthAgentBinding,        8),
        VTABLE(INapSystemHealthAgentBinding2,       9),
        VTABLE(INapSystemHealthAgentCallback,       9),
        VTABLE(AsyncINapSystemHealthAgentCallback, 15),
        VTABLE(INapSystemHealthAgentRequest,        9),
        VTABLE(INapEnforcementClientBinding,       10),
        VTABLE(INapEnforcementClientCallback,       5),
        VTABLE(INapEnforcementClientConnection,    23),
        VTABLE(INapEnforcementClientConnection2,   27),
        VTABLE(INapCertRelyingParty,                6),
        VTABLE(INapComponentInfo,                  10),
        VTABLE(INapComponentConfig,                 7),
        VTABLE(INapComponentConfig2,               10),
        VTABLE(INapComponentConfig3,               15),
        VTABLE(INapServerManagement,                6),
        VTABLE(INapServerInfo,                      6),
        VTABLE(INapSystemHealthValidator,           4),
        VTABLE(AsyncINapSystemHealthValidator,      5),
        VTABLE(INapServerCallback,                  4),
        VTABLE(INapSystemHealthValidationRequest,  11),
        VTABLE(INapSystemHealthValidationRequest2, 12),
    };
#undef VTABLE
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(tests); i++)
    {
        winetest_push_context("%s", tests[i].name);
        ok(tests[i].size == sizeof(void *), "Got size %u.\n", (unsigned int)tests[i].size);
        ok(!tests[i].vtbl_offset, "Got vtable offset %u.\n", (unsigned int)tests[i].vtbl_offset);
        ok(tests[i].vtbl_size == tests[i].expect_count * sizeof(void *), "Got %u methods, expected %u.\n",
                (unsigned int)(tests[i].vtbl_size / sizeof(void *)), (unsigned int)tests[i].expect_count);
        ok(tests[i].query_interface == 0, "Got QueryInterface slot %u.\n", (unsigned int)tests[i].query_interface);
        ok(tests[i].addref == 1, "Got AddRef slot %u.\n", (unsigned int)tests[i].addref);
        ok(tests[i].release == 2, "Got Release slot %u.\n", (unsigned int)tests[i].release);
        winetest_pop_context();
    }
}

#define METHOD(iface, slot, method, params) \
    { #iface "::" #method, SLOT(iface, method), slot, \
      HAS_TYPE(((iface##Vtbl *)0)->method, HRESULT (WINAPI *)params) }

#define CLIENT_MANAGEMENT_METHODS(iface) \
    METHOD(iface, 3, GetNapClientInfo, \
        (iface *, BOOL *, CountedString **, CountedString **, CountedString **)), \
    METHOD(iface, 4, GetSystemIsolationInfo, (iface *, IsolationInfo **, BOOL *)), \
    METHOD(iface, 5, RegisterSystemHealthAgent, (iface *, const NapComponentRegistrationInfo *)), \
    METHOD(iface, 6, UnregisterSystemHealthAgent, (iface *, SystemHealthEntityId)), \
    METHOD(iface, 7, RegisterEnforcementClient, (iface *, const NapComponentRegistrationInfo *)), \
    METHOD(iface, 8, UnregisterEnforcementClient, (iface *, EnforcementEntityId)), \
    METHOD(iface, 9, GetRegisteredSystemHealthAgents, \
        (iface *, SystemHealthEntityCount *, NapComponentRegistrationInfo **)), \
    METHOD(iface, 10, GetRegisteredEnforcementClients, \
        (iface *, EnforcementEntityCount *, NapComponentRegistrationInfo **))

#define SYSTEM_HEALTH_AGENT_BINDING_METHODS(iface) \
    METHOD(iface, 3, Initialize, (iface *, SystemHealthEntityId, INapSystemHealthAgentCallback *)), \
    METHOD(iface, 4, Uninitialize, (iface *)), \
    METHOD(iface, 5, NotifySoHChange, (iface *)), \
    METHOD(iface, 6, GetSystemIsolationInfo, (iface *, IsolationInfo **, BOOL *)), \
    METHOD(iface, 7, FlushCache, (iface *))

#define ENFORCEMENT_CLIENT_CONNECTION_METHODS(iface) \
    METHOD(iface, 3, Initialize, (iface *, EnforcementEntityId)), \
    METHOD(iface, 4, SetMaxSize, (iface *, ProtocolMaxSize)), \
    METHOD(iface, 5, GetMaxSize, (iface *, ProtocolMaxSize *)), \
    METHOD(iface, 6, SetFlags, (iface *, UINT8)), \
    METHOD(iface, 7, GetFlags, (iface *, UINT8 *)), \
    METHOD(iface, 8, SetConnectionId, (iface *, const ConnectionId *)), \
    METHOD(iface, 9, GetConnectionId, (iface *, ConnectionId **)), \
    METHOD(iface, 10, GetCorrelationId, (iface *, CorrelationId *)), \
    METHOD(iface, 11, GetStringCorrelationId, (iface *, StringCorrelationId **)), \
    METHOD(iface, 12, SetCorrelationId, (iface *, CorrelationId)), \
    METHOD(iface, 13, SetSoHRequest, (iface *, const NetworkSoHRequest *)), \
    METHOD(iface, 14, GetSoHRequest, (iface *, NetworkSoHRequest **)), \
    METHOD(iface, 15, SetSoHResponse, (iface *, const NetworkSoHResponse *)), \
    METHOD(iface, 16, GetSoHResponse, (iface *, NetworkSoHResponse **)), \
    METHOD(iface, 17, SetIsolationInfo, (iface *, const IsolationInfo *)), \
    METHOD(iface, 18, GetIsolationInfo, (iface *, IsolationInfo **)), \
    METHOD(iface, 19, SetPrivateData, (iface *, const PrivateData *)), \
    METHOD(iface, 20, GetPrivateData, (iface *, PrivateData **)), \
    METHOD(iface, 21, SetEnforcerPrivateData, (iface *, const PrivateData *)), \
    METHOD(iface, 22, GetEnforcerPrivateData, (iface *, PrivateData **))

#define COMPONENT_CONFIG_METHODS(iface) \
    METHOD(iface, 3, IsUISupported, (iface *, BOOL *)), \
    METHOD(iface, 4, InvokeUI, (iface *, HWND)), \
    METHOD(iface, 5, GetConfig, (iface *, UINT16 *, BYTE **)), \
    METHOD(iface, 6, SetConfig, (iface *, UINT16, BYTE *))

#define COMPONENT_CONFIG_2_METHODS(iface) \
    COMPONENT_CONFIG_METHODS(iface), \
    METHOD(iface, 7, IsRemoteConfigSupported, (iface *, BOOL *, UINT8 *)), \
    METHOD(iface, 8, InvokeUIForMachine, (iface *, HWND, CountedString *)), \
    METHOD(iface, 9, InvokeUIFromConfigBlob, (iface *, HWND, UINT16, BYTE *, UINT16 *, BYTE **, BOOL *))

#define SYSTEM_HEALTH_VALIDATION_REQUEST_METHODS(iface) \
    METHOD(iface, 3, GetCorrelationId, (iface *, CorrelationId *)), \
    METHOD(iface, 4, GetStringCorrelationId, (iface *, StringCorrelationId **)), \
    METHOD(iface, 5, GetMachineName, (iface *, CountedString **)), \
    METHOD(iface, 6, GetSoHRequest, (iface *, SoHRequest **, BOOL *)), \
    METHOD(iface, 7, SetSoHResponse, (iface *, const SoHResponse *)), \
    METHOD(iface, 8, GetSoHResponse, (iface *, SoHResponse **)), \
    METHOD(iface, 9, SetPrivateData, (iface *, const PrivateData *)), \
    METHOD(iface, 10, GetPrivateData, (iface *, PrivateData **))

static void test_methods(void)
{
    static const struct
    {
        const char *name;
        size_t slot, expect_slot;
        BOOL has_type;
    }
    tests[] =
    {
        METHOD(INapSoHConstructor, 3, Initialize, (INapSoHConstructor *, SystemHealthEntityId, BOOL)),
        METHOD(INapSoHConstructor, 4, AppendAttribute,
            (INapSoHConstructor *, SoHAttributeType, const SoHAttributeValue *)),
        METHOD(INapSoHConstructor, 5, GetSoH, (INapSoHConstructor *, SoH **)),
        METHOD(INapSoHConstructor, 6, Validate, (INapSoHConstructor *, const SoH *, BOOL)),

        METHOD(INapSoHProcessor, 3, Initialize,
            (INapSoHProcessor *, const SoH *, BOOL, SystemHealthEntityId *)),
        METHOD(INapSoHProcessor, 4, FindNextAttribute,
            (INapSoHProcessor *, UINT16, SoHAttributeType, UINT16 *)),
        METHOD(INapSoHProcessor, 5, GetAttribute,
            (INapSoHProcessor *, UINT16, SoHAttributeType *, SoHAttributeValue **)),
        METHOD(INapSoHProcessor, 6, GetNumberOfAttributes, (INapSoHProcessor *, UINT16 *)),

        CLIENT_MANAGEMENT_METHODS(INapClientManagement),

        CLIENT_MANAGEMENT_METHODS(INapClientManagement2),
        METHOD(INapClientManagement2, 11, GetSystemIsolationInfoEx,
            (INapClientManagement2 *, IsolationInfoEx **, BOOL *)),

        SYSTEM_HEALTH_AGENT_BINDING_METHODS(INapSystemHealthAgentBinding),

        SYSTEM_HEALTH_AGENT_BINDING_METHODS(INapSystemHealthAgentBinding2),
        METHOD(INapSystemHealthAgentBinding2, 8, GetSystemIsolationInfoEx,
            (INapSystemHealthAgentBinding2 *, IsolationInfoEx **, BOOL *)),

        METHOD(INapSystemHealthAgentCallback, 3, GetSoHRequest,
            (INapSystemHealthAgentCallback *, INapSystemHealthAgentRequest *)),
        METHOD(INapSystemHealthAgentCallback, 4, ProcessSoHResponse,
            (INapSystemHealthAgentCallback *, INapSystemHealthAgentRequest *)),
        METHOD(INapSystemHealthAgentCallback, 5, NotifySystemIsolationStateChange,
            (INapSystemHealthAgentCallback *)),
        METHOD(INapSystemHealthAgentCallback, 6, GetFixupInfo,
            (INapSystemHealthAgentCallback *, FixupInfo **)),
        METHOD(INapSystemHealthAgentCallback, 7, CompareSoHRequests,
            (INapSystemHealthAgentCallback *, const SoHRequest *, const SoHRequest *, BOOL *)),
        METHOD(INapSystemHealthAgentCallback, 8, NotifyOrphanedSoHRequest,
            (INapSystemHealthAgentCallback *, const CorrelationId *)),

        METHOD(AsyncINapSystemHealthAgentCallback, 3, Begin_GetSoHRequest,
            (AsyncINapSystemHealthAgentCallback *, INapSystemHealthAgentRequest *)),
        METHOD(AsyncINapSystemHealthAgentCallback, 4, Finish_GetSoHRequest,
            (AsyncINapSystemHealthAgentCallback *)),
        METHOD(AsyncINapSystemHealthAgentCallback, 5, Begin_ProcessSoHResponse,
            (AsyncINapSystemHealthAgentCallback *, INapSystemHealthAgentRequest *)),
        METHOD(AsyncINapSystemHealthAgentCallback, 6, Finish_ProcessSoHResponse,
            (AsyncINapSystemHealthAgentCallback *)),
        METHOD(AsyncINapSystemHealthAgentCallback, 7, Begin_NotifySystemIsolationStateChange,
            (AsyncINapSystemHealthAgentCallback *)),
        METHOD(AsyncINapSystemHealthAgentCallback, 8, Finish_NotifySystemIsolationStateChange,
            (AsyncINapSystemHealthAgentCallback *)),
        METHOD(AsyncINapSystemHealthAgentCallback, 9, Begin_GetFixupInfo,
            (AsyncINapSystemHealthAgentCallback *)),
        METHOD(AsyncINapSystemHealthAgentCallback, 10, Finish_GetFixupInfo,
            (AsyncINapSystemHealthAgentCallback *, FixupInfo **)),
        METHOD(AsyncINapSystemHealthAgentCallback, 11, Begin_CompareSoHRequests,
            (AsyncINapSystemHealthAgentCallback *, const SoHRequest *, const SoHRequest *)),
        METHOD(AsyncINapSystemHealthAgentCallback, 12, Finish_CompareSoHRequests,
            (AsyncINapSystemHealthAgentCallback *, BOOL *)),
        METHOD(AsyncINapSystemHealthAgentCallback, 13, Begin_NotifyOrphanedSoHRequest,
            (AsyncINapSystemHealthAgentCallback *, const CorrelationId *)),
        METHOD(AsyncINapSystemHealthAgentCallback, 14, Finish_NotifyOrphanedSoHRequest,
            (AsyncINapSystemHealthAgentCallback *)),

        METHOD(INapSystemHealthAgentRequest, 3, GetCorrelationId,
            (INapSystemHealthAgentRequest *, CorrelationId *)),
        METHOD(INapSystemHealthAgentRequest, 4, GetStringCorrelationId,
            (INapSystemHealthAgentRequest *, StringCorrelationId **)),
        METHOD(INapSystemHealthAgentRequest, 5, SetSoHRequest,
            (INapSystemHealthAgentRequest *, const SoHRequest *, BOOL)),
        METHOD(INapSystemHealthAgentRequest, 6, GetSoHRequest,
            (INapSystemHealthAgentRequest *, SoHRequest **)),
        METHOD(INapSystemHealthAgentRequest, 7, GetSoHResponse,
            (INapSystemHealthAgentRequest *, SoHResponse **, UINT8 *)),
        METHOD(INapSystemHealthAgentRequest, 8, GetCacheSoHFlag, (INapSystemHealthAgentRequest *, BOOL *)),

        METHOD(INapEnforcementClientBinding, 3, Initialize,
            (INapEnforcementClientBinding *, EnforcementEntityId, INapEnforcementClientCallback *)),
        METHOD(INapEnforcementClientBinding, 4, Uninitialize, (INapEnforcementClientBinding *)),
        METHOD(INapEnforcementClientBinding, 5, CreateConnection,
            (INapEnforcementClientBinding *, INapEnforcementClientConnection **)),
        METHOD(INapEnforcementClientBinding, 6, GetSoHRequest,
            (INapEnforcementClientBinding *, INapEnforcementClientConnection *, BOOL *)),
        METHOD(INapEnforcementClientBinding, 7, ProcessSoHResponse,
            (INapEnforcementClientBinding *, INapEnforcementClientConnection *)),
        METHOD(INapEnforcementClientBinding, 8, NotifyConnectionStateDown,
            (INapEnforcementClientBinding *, INapEnforcementClientConnection *)),
        METHOD(INapEnforcementClientBinding, 9, NotifySoHChangeFailure, (INapEnforcementClientBinding *)),

        METHOD(INapEnforcementClientCallback, 3, NotifySoHChange, (INapEnforcementClientCallback *)),
        METHOD(INapEnforcementClientCallback, 4, GetConnections,
            (INapEnforcementClientCallback *, Connections **)),

        ENFORCEMENT_CLIENT_CONNECTION_METHODS(INapEnforcementClientConnection),

        ENFORCEMENT_CLIENT_CONNECTION_METHODS(INapEnforcementClientConnection2),
        METHOD(INapEnforcementClientConnection2, 23, SetIsolationInfoEx,
            (INapEnforcementClientConnection2 *, const IsolationInfoEx *)),
        METHOD(INapEnforcementClientConnection2, 24, GetIsolationInfoEx,
            (INapEnforcementClientConnection2 *, IsolationInfoEx **)),
        METHOD(INapEnforcementClientConnection2, 25, GetInstalledShvs,
            (INapEnforcementClientConnection2 *, SystemHealthEntityCount *, SystemHealthEntityId **)),
        METHOD(INapEnforcementClientConnection2, 26, SetInstalledShvs,
            (INapEnforcementClientConnection2 *, SystemHealthEntityCount, SystemHealthEntityId *)),

        METHOD(INapCertRelyingParty, 3, SubscribeCertByGroup,
            (INapCertRelyingParty *, EnforcementEntityId, const BSTR, const VARIANT *, BOOL *)),
        METHOD(INapCertRelyingParty, 4, UnSubscribeCertByGroup,
            (INapCertRelyingParty *, EnforcementEntityId, const VARIANT *)),
        METHOD(INapCertRelyingParty, 5, GetSubscribedRelyingParties,
            (INapCertRelyingParty *, EnforcementEntityCount *, EnforcementEntityId **)),

        METHOD(INapComponentInfo, 3, GetFriendlyName, (INapComponentInfo *, MessageId *)),
        METHOD(INapComponentInfo, 4, GetDescription, (INapComponentInfo *, MessageId *)),
        METHOD(INapComponentInfo, 5, GetVendorName, (INapComponentInfo *, MessageId *)),
        METHOD(INapComponentInfo, 6, GetVersion, (INapComponentInfo *, MessageId *)),
        METHOD(INapComponentInfo, 7, GetIcon, (INapComponentInfo *, CountedString **, UINT32 *)),
        METHOD(INapComponentInfo, 8, ConvertErrorCodeToMessageId, (INapComponentInfo *, HRESULT, MessageId *)),
        METHOD(INapComponentInfo, 9, GetLocalizedString, (INapComponentInfo *, MessageId, CountedString **)),

        COMPONENT_CONFIG_METHODS(INapComponentConfig),

        COMPONENT_CONFIG_2_METHODS(INapComponentConfig2),

        COMPONENT_CONFIG_2_METHODS(INapComponentConfig3),
        METHOD(INapComponentConfig3, 10, NewConfig, (INapComponentConfig3 *, UINT32)),
        METHOD(INapComponentConfig3, 11, DeleteConfig, (INapComponentConfig3 *, UINT32)),
        METHOD(INapComponentConfig3, 12, DeleteAllConfig, (INapComponentConfig3 *)),
        METHOD(INapComponentConfig3, 13, GetConfigFromID, (INapComponentConfig3 *, UINT32, UINT16 *, BYTE **)),
        METHOD(INapComponentConfig3, 14, SetConfigToID, (INapComponentConfig3 *, UINT32, UINT16, BYTE *)),

        METHOD(INapServerManagement, 3, RegisterSystemHealthValidator,
            (INapServerManagement *, const NapComponentRegistrationInfo *, const CLSID *)),
        METHOD(INapServerManagement, 4, UnregisterSystemHealthValidator,
            (INapServerManagement *, SystemHealthEntityId)),
        METHOD(INapServerManagement, 5, SetFailureCategoryMappings,
            (INapServerManagement *, SystemHealthEntityId, const FailureCategoryMapping)),

        METHOD(INapServerInfo, 3, GetNapServerInfo,
            (INapServerInfo *, CountedString **, CountedString **, CountedString **)),
        METHOD(INapServerInfo, 4, GetRegisteredSystemHealthValidators,
            (INapServerInfo *, SystemHealthEntityCount *, NapComponentRegistrationInfo **, CLSID **)),
        METHOD(INapServerInfo, 5, GetFailureCategoryMappings,
            (INapServerInfo *, SystemHealthEntityId, FailureCategoryMapping *)),

        METHOD(INapSystemHealthValidator, 3, Validate,
            (INapSystemHealthValidator *, INapSystemHealthValidationRequest *, UINT32,
             INapServerCallback *)),

        METHOD(AsyncINapSystemHealthValidator, 3, Begin_Validate,
            (AsyncINapSystemHealthValidator *, INapSystemHealthValidationRequest *, UINT32,
             INapServerCallback *)),
        METHOD(AsyncINapSystemHealthValidator, 4, Finish_Validate, (AsyncINapSystemHealthValidator *)),

        METHOD(INapServerCallback, 3, OnComplete,
            (INapServerCallback *, INapSystemHealthValidationRequest *, HRESULT)),

        SYSTEM_HEALTH_VALIDATION_REQUEST_METHODS(INapSystemHealthValidationRequest),

        SYSTEM_HEALTH_VALIDATION_REQUEST_METHODS(INapSystemHealthValidationRequest2),
        METHOD(INapSystemHealthValidationRequest2, 11, GetConfigID,
            (INapSystemHealthValidationRequest2 *, UINT32 *)),
    };
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(tests); i++)
    {
        winetest_push_context("%s", tests[i].name);
        ok(tests[i].slot == tests[i].expect_slot, "Got slot %u, expected %u.\n",
                (unsigned int)tests[i].slot, (unsigned int)tests[i].expect_slot);
        ok(tests[i].has_type, "Got a different prototype.\n");
        winetest_pop_context();
    }
}

static void test_functions(void)
{
#define FUNCTION(name, ret, params) { #name, HAS_TYPE(&name, ret (WINAPI *)params) }
    static const struct
    {
        const char *name;
        BOOL has_type;
    }
    tests[] =
    {
        FUNCTION(AllocConnections, HRESULT, (Connections **, UINT16)),
        FUNCTION(AllocCountedString, HRESULT, (CountedString **, const WCHAR *)),
        FUNCTION(AllocFixupInfo, HRESULT, (FixupInfo **, UINT16)),
        FUNCTION(FreeConnections, void, (Connections *)),
        FUNCTION(FreeCountedString, void, (CountedString *)),
        FUNCTION(FreeFixupInfo, void, (FixupInfo *)),
        FUNCTION(FreeIsolationInfo, void, (IsolationInfo *)),
        FUNCTION(FreeIsolationInfoEx, void, (IsolationInfoEx *)),
        FUNCTION(FreeNapComponentRegistrationInfoArray, void, (UINT16, NapComponentRegistrationInfo **)),
        FUNCTION(FreeNetworkSoH, void, (NetworkSoH *)),
        FUNCTION(FreePrivateData, void, (PrivateData *)),
        FUNCTION(FreeSoH, void, (SoH *)),
        FUNCTION(FreeSoHAttributeValue, void, (SoHAttributeType, SoHAttributeValue *)),
        FUNCTION(FreeSystemHealthAgentState, void, (SystemHealthAgentState *)),
        FUNCTION(InitializeNapAgentNotifier, HRESULT, (NapNotifyType, HANDLE)),
        FUNCTION(UninitializeNapAgentNotifier, void, (NapNotifyType)),
    };
#undef FUNCTION
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(tests); i++)
        ok(tests[i].has_type, "%s: Got a different prototype.\n", tests[i].name);
}

START_TEST(interfaces)
{
    test_interfaces();
    test_methods();
    test_functions();
}
