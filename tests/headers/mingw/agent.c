/*
 * A system health agent in C, as written for mingw-w64's headers
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
#include <windows.h>
#include <naptypes.h>
#include <napprotocol.h>
#include <napmanagement.h>
#include <napsystemhealthagent.h>
#include <naputil.h>
#include <napmicrosoftvendorids.h>
#ifdef __has_include
#if __has_include(<naperror.h>)
#include <naperror.h>
#endif
#endif

#define AGENT_ID ((MicrosoftVendorId << 8) | 0xf0)

struct agent
{
    INapSystemHealthAgentCallback INapSystemHealthAgentCallback_iface;
    LONG refcount;
    INapSystemHealthAgentBinding *binding;
    FixupState state;
    HRESULT result;
};

static struct agent *impl_from_INapSystemHealthAgentCallback(INapSystemHealthAgentCallback *iface)
{
    return CONTAINING_RECORD(iface, struct agent, INapSystemHealthAgentCallback_iface);
}

static HRESULT STDMETHODCALLTYPE agent_QueryInterface(INapSystemHealthAgentCallback *iface, REFIID riid, void **out)
{
    if (IsEqualIID(riid, &IID_IUnknown) || IsEqualIID(riid, &IID_INapSystemHealthAgentCallback))
    {
        INapSystemHealthAgentCallback_AddRef(iface);
        *out = iface;
        return S_OK;
    }
    *out = NULL;
    return E_NOINTERFACE;
}

static ULONG STDMETHODCALLTYPE agent_AddRef(INapSystemHealthAgentCallback *iface)
{
    return InterlockedIncrement(&impl_from_INapSystemHealthAgentCallback(iface)->refcount);
}

static ULONG STDMETHODCALLTYPE agent_Release(INapSystemHealthAgentCallback *iface)
{
    return InterlockedDecrement(&impl_from_INapSystemHealthAgentCallback(iface)->refcount);
}

static HRESULT STDMETHODCALLTYPE agent_GetSoHRequest(INapSystemHealthAgentCallback *iface,
        INapSystemHealthAgentRequest *request)
{
    static BYTE data[] = { 0xaa, 0xaa };
    INapSoHConstructor *constructor = NULL;
    SoHAttributeValue value;
    SoHRequest *soh = NULL;
    CorrelationId id;
    HRESULT hr;

    if (FAILED(hr = INapSystemHealthAgentRequest_GetCorrelationId(request, &id))) return hr;
    if (IsEqualGUID(&id.connId, &GUID_NULL) && !id.timeStamp.dwLowDateTime) return E_UNEXPECTED;

    hr = CoCreateInstance(&CLSID_NapSoHConstructor, NULL, CLSCTX_INPROC_SERVER, &IID_INapSoHConstructor,
            (void **)&constructor);
    if (SUCCEEDED(hr)) hr = INapSoHConstructor_Initialize(constructor, AGENT_ID, TRUE);

    value.vendorSpecificVal.vendorId = AGENT_ID;
    value.vendorSpecificVal.size = sizeof(data);
    value.vendorSpecificVal.vendorSpecificData = data;
    if (SUCCEEDED(hr)) hr = INapSoHConstructor_AppendAttribute(constructor, sohAttributeTypeVendorSpecific, &value);
    if (SUCCEEDED(hr)) hr = INapSoHConstructor_Validate(constructor, soh, TRUE);
    if (SUCCEEDED(hr)) hr = INapSoHConstructor_GetSoH(constructor, &soh);
    if (SUCCEEDED(hr)) hr = INapSystemHealthAgentRequest_SetSoHRequest(request, soh, TRUE);

    if (constructor) INapSoHConstructor_Release(constructor);
    FreeSoH(soh);
    return hr;
}

static HRESULT STDMETHODCALLTYPE agent_ProcessSoHResponse(INapSystemHealthAgentCallback *iface,
        INapSystemHealthAgentRequest *request)
{
    struct agent *agent = impl_from_INapSystemHealthAgentCallback(iface);
    INapSoHProcessor *processor = NULL;
    SoHAttributeValue *value = NULL;
    SoHAttributeType type = (SoHAttributeType)0;
    SystemHealthEntityId id;
    SoHResponse *soh = NULL;
    UINT16 index, count;
    UINT8 flags = 0;
    HRESULT hr;

    hr = INapSystemHealthAgentRequest_GetSoHResponse(request, &soh, &flags);
    if (SUCCEEDED(hr)) hr = CoCreateInstance(&CLSID_NapSoHProcessor, NULL, CLSCTX_INPROC_SERVER,
            &IID_INapSoHProcessor, (void **)&processor);
    if (SUCCEEDED(hr)) hr = INapSoHProcessor_Initialize(processor, soh, FALSE, &id);
    if (SUCCEEDED(hr)) hr = INapSoHProcessor_GetNumberOfAttributes(processor, &count);
    if (SUCCEEDED(hr)) hr = INapSoHProcessor_FindNextAttribute(processor, 0,
            sohAttributeTypeComplianceResultCodes, &index);
    if (SUCCEEDED(hr)) hr = INapSoHProcessor_GetAttribute(processor, index, &type, &value);
    if (SUCCEEDED(hr))
    {
        if (id != AGENT_ID || value->codesVal.count != 1) hr = NAP_E_INVALID_PACKET;
        else agent->result = value->codesVal.results[0];
    }
    if (SUCCEEDED(hr)) agent->state = FAILED(agent->result) && (flags & shaFixup) == shaFixup
            ? fixupStateInProgress : fixupStateSuccess;

    FreeSoHAttributeValue(type, value);
    if (processor) INapSoHProcessor_Release(processor);
    FreeSoH(soh);
    return hr;
}

static HRESULT STDMETHODCALLTYPE agent_NotifySystemIsolationStateChange(INapSystemHealthAgentCallback *iface)
{
    struct agent *agent = impl_from_INapSystemHealthAgentCallback(iface);
    IsolationInfo *info = NULL;
    BOOL unknown;
    HRESULT hr;

    hr = INapSystemHealthAgentBinding_GetSystemIsolationInfo(agent->binding, &info, &unknown);
    if (SUCCEEDED(hr) && info->isolationState == isolationStateRestrictedAccess) agent->result = E_FAIL;
    FreeIsolationInfo(info);
    return hr;
}

static HRESULT STDMETHODCALLTYPE agent_GetFixupInfo(INapSystemHealthAgentCallback *iface, FixupInfo **info)
{
    struct agent *agent = impl_from_INapSystemHealthAgentCallback(iface);
    HRESULT hr;

    if (FAILED(hr = AllocFixupInfo(info, 1))) return hr;
    (*info)->state = agent->state;
    (*info)->percentage = agent->state == fixupStateSuccess ? 100 : percentageNotSupported;
    (*info)->fixupMsgId = 0x40000006;
    (*info)->resultCodes.count = 1;
    (*info)->resultCodes.results[0] = agent->result;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE agent_CompareSoHRequests(INapSystemHealthAgentCallback *iface,
        const SoHRequest *lhs, const SoHRequest *rhs, BOOL *equal)
{
    return E_NOTIMPL;
}

static HRESULT STDMETHODCALLTYPE agent_NotifyOrphanedSoHRequest(INapSystemHealthAgentCallback *iface,
        const CorrelationId *id)
{
    return S_OK;
}

static INapSystemHealthAgentCallbackVtbl agent_vtbl =
{
    agent_QueryInterface,
    agent_AddRef,
    agent_Release,
    agent_GetSoHRequest,
    agent_ProcessSoHResponse,
    agent_NotifySystemIsolationStateChange,
    agent_GetFixupInfo,
    agent_CompareSoHRequests,
    agent_NotifyOrphanedSoHRequest,
};

static HRESULT register_agent(void)
{
    NapComponentRegistrationInfo info = { AGENT_ID }, *agents = NULL;
    INapClientManagement *management;
    SystemHealthEntityCount count;
    HRESULT hr;

    hr = CoCreateInstance(&CLSID_NapClientManagement, NULL, CLSCTX_INPROC_SERVER, &IID_INapClientManagement,
            (void **)&management);
    if (FAILED(hr)) return hr;
    hr = INapClientManagement_RegisterSystemHealthAgent(management, &info);
    if (hr == NAP_E_CONFLICTING_ID) hr = S_FALSE;
    if (SUCCEEDED(INapClientManagement_GetRegisteredSystemHealthAgents(management, &count, &agents)))
        FreeNapComponentRegistrationInfoArray(count, &agents);
    INapClientManagement_Release(management);
    return hr;
}

int main(void)
{
    struct agent agent = { { &agent_vtbl }, 1, NULL, fixupStateSuccess, S_OK };
    HRESULT hr;

    if (FAILED(CoInitializeEx(NULL, COINIT_MULTITHREADED))) return 1;
    if (FAILED(register_agent())) return 1;

    hr = CoCreateInstance(&CLSID_NapSystemHealthAgentBinding, NULL, CLSCTX_INPROC_SERVER,
            &IID_INapSystemHealthAgentBinding, (void **)&agent.binding);
    if (FAILED(hr)) return 1;
    hr = INapSystemHealthAgentBinding_Initialize(agent.binding, AGENT_ID,
            &agent.INapSystemHealthAgentCallback_iface);
    if (SUCCEEDED(hr)) hr = INapSystemHealthAgentBinding_NotifySoHChange(agent.binding);
    if (SUCCEEDED(hr)) hr = INapSystemHealthAgentBinding_FlushCache(agent.binding);
    INapSystemHealthAgentBinding_Uninitialize(agent.binding);
    INapSystemHealthAgentBinding_Release(agent.binding);
    CoUninitialize();
    return FAILED(hr);
}
