/*
 * NapClientManagement: registrations and the state of the system
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
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "windef.h"
#include "winbase.h"
#include "objbase.h"

#include "wine/debug.h"

#include "qagent_private.h"

WINE_DEFAULT_DEBUG_CHANNEL(qagent);

/* ---- the state of the system, for agents too ---- */

HRESULT isolation_info_without_ex(IsolationInfoEx *ex, IsolationInfo **out)
{
    IsolationInfo *info;

    if (!(info = CoTaskMemAlloc(sizeof(*info))))
    {
        FreeIsolationInfoEx(ex);
        return E_OUTOFMEMORY;
    }
    info->isolationState = ex->isolationState;
    info->probEndTime = ex->probEndTime;
    info->failureUrl = ex->failureUrl;
    CoTaskMemFree(ex);
    *out = info;
    return S_OK;
}

HRESULT get_system_isolation_info_ex(IsolationInfoEx **info, BOOL *unknown_connections)
{
    HRESULT hr;

    if (!info || !unknown_connections) return E_INVALIDARG;
    *info = NULL;
    AGENT_CALL(hr, napagent_get_isolation_info(agent_handle, info, unknown_connections));
    if (FAILED(hr)) *info = NULL;
    return hr;
}

HRESULT get_system_isolation_info(IsolationInfo **info, BOOL *unknown_connections)
{
    IsolationInfoEx *ex;
    HRESULT hr;

    if (!info || !unknown_connections) return E_INVALIDARG;
    *info = NULL;
    if (FAILED(hr = get_system_isolation_info_ex(&ex, unknown_connections))) return hr;
    return isolation_info_without_ex(ex, info);
}

/* ---- the object, which keeps nothing ---- */

struct management
{
    INapClientManagement2 INapClientManagement2_iface;
    LONG refcount;
};

static struct management *impl_from_INapClientManagement2(INapClientManagement2 *iface)
{
    return CONTAINING_RECORD(iface, struct management, INapClientManagement2_iface);
}

static HRESULT WINAPI management_QueryInterface(INapClientManagement2 *iface, REFIID iid, void **out)
{
    TRACE("iface %p, iid %s, out %p.\n", iface, debugstr_guid(iid), out);

    if (!out) return E_POINTER;
    if (IsEqualGUID(iid, &IID_IUnknown) || IsEqualGUID(iid, &IID_INapClientManagement)
            || IsEqualGUID(iid, &IID_INapClientManagement2))
    {
        INapClientManagement2_AddRef(iface);
        *out = iface;
        return S_OK;
    }
    WARN("%s not implemented.\n", debugstr_guid(iid));
    *out = NULL;
    return E_NOINTERFACE;
}

static ULONG WINAPI management_AddRef(INapClientManagement2 *iface)
{
    struct management *management = impl_from_INapClientManagement2(iface);
    ULONG refcount = InterlockedIncrement(&management->refcount);

    TRACE("iface %p, refcount %lu.\n", iface, refcount);

    return refcount;
}

static ULONG WINAPI management_Release(INapClientManagement2 *iface)
{
    struct management *management = impl_from_INapClientManagement2(iface);
    ULONG refcount = InterlockedDecrement(&management->refcount);

    TRACE("iface %p, refcount %lu.\n", iface, refcount);

    if (!refcount)
    {
        free(management);
        module_release();
    }
    return refcount;
}

static HRESULT WINAPI management_GetNapClientInfo(INapClientManagement2 *iface, BOOL *enabled, CountedString **name,
        CountedString **description, CountedString **protocol_version)
{
    IsolationInfoEx *info;
    HRESULT hr;
    BOOL unknown;

    TRACE("iface %p, enabled %p, name %p, description %p, protocol_version %p.\n", iface, enabled, name, description,
            protocol_version);

    if (name) *name = NULL;
    if (description) *description = NULL;
    if (protocol_version) *protocol_version = NULL;
    if (!enabled || !name || !description || !protocol_version) return E_INVALIDARG;

    /* Only an agent that runs has something to say. */
    if (FAILED(hr = get_system_isolation_info_ex(&info, &unknown))) return hr;
    FreeIsolationInfoEx(info);

    if (SUCCEEDED(hr = AllocCountedString(name, L"Network Access Protection Client"))
            && SUCCEEDED(hr = AllocCountedString(description, L"Network Access Protection client platform"))
            && SUCCEEDED(hr = AllocCountedString(protocol_version, L"1.0")))
    {
        *enabled = TRUE;
        return S_OK;
    }
    FreeCountedString(*name);
    FreeCountedString(*description);
    *name = *description = NULL;
    return hr;
}

static HRESULT WINAPI management_GetSystemIsolationInfo(INapClientManagement2 *iface, IsolationInfo **info,
        BOOL *unknown_connections)
{
    TRACE("iface %p, info %p, unknown_connections %p.\n", iface, info, unknown_connections);

    return get_system_isolation_info(info, unknown_connections);
}

/* The text ends where its length or a NUL says, whichever comes first; room is for maxStringLength characters. */
static BOOL get_text(const CountedString *string, WCHAR *text)
{
    SIZE_T length = string->string ? wcsnlen(string->string, string->length) : 0;

    if (length > maxStringLength) return FALSE;
    if (length) memcpy(text, string->string, length * sizeof(*text));
    text[length] = 0;
    return TRUE;
}

static HRESULT register_component(napagent_kind kind, const NapComponentRegistrationInfo *info)
{
    WCHAR friendly_name[maxStringLength + 1], description[maxStringLength + 1];
    WCHAR version[maxStringLength + 1], vendor_name[maxStringLength + 1];
    napagent_component component;
    HRESULT hr;

    if (!info || !info->id) return E_INVALIDARG;
    if (!get_text(&info->friendlyName, friendly_name) || !get_text(&info->description, description)
            || !get_text(&info->version, version) || !get_text(&info->vendorName, vendor_name))
        return E_INVALIDARG;

    component.id = info->id;
    component.info_clsid = info->infoClsid;
    component.config_clsid = info->configClsid;
    component.type = info->componentType;
    AGENT_CALL_STARTED(hr, napagent_register(agent_handle, kind, &component, friendly_name, description, version,
            vendor_name));
    return hr;
}

static HRESULT unregister_component(napagent_kind kind, NapComponentId id)
{
    HRESULT hr;

    if (!id) return E_INVALIDARG;
    AGENT_CALL_STARTED(hr, napagent_unregister(agent_handle, kind, id));
    return hr;
}

static HRESULT get_registered(napagent_kind kind, UINT16 *count, NapComponentRegistrationInfo **components)
{
    UINT32 size = 0;
    HRESULT hr;

    if (count) *count = 0;
    if (components) *components = NULL;
    if (!count || !components) return E_INVALIDARG;

    AGENT_CALL(hr, napagent_get_registered(agent_handle, kind, &size, components));
    if (SUCCEEDED(hr)) *count = size;
    else *components = NULL;
    return hr;
}

static HRESULT WINAPI management_RegisterSystemHealthAgent(INapClientManagement2 *iface,
        const NapComponentRegistrationInfo *agent)
{
    TRACE("iface %p, agent %p.\n", iface, agent);

    return register_component(NAPAGENT_SHA, agent);
}

static HRESULT WINAPI management_UnregisterSystemHealthAgent(INapClientManagement2 *iface, SystemHealthEntityId id)
{
    TRACE("iface %p, id %#x.\n", iface, id);

    return unregister_component(NAPAGENT_SHA, id);
}

static HRESULT WINAPI management_RegisterEnforcementClient(INapClientManagement2 *iface,
        const NapComponentRegistrationInfo *enforcer)
{
    TRACE("iface %p, enforcer %p.\n", iface, enforcer);

    return register_component(NAPAGENT_EC, enforcer);
}

static HRESULT WINAPI management_UnregisterEnforcementClient(INapClientManagement2 *iface, EnforcementEntityId id)
{
    TRACE("iface %p, id %#x.\n", iface, id);

    return unregister_component(NAPAGENT_EC, id);
}

static HRESULT WINAPI management_GetRegisteredSystemHealthAgents(INapClientManagement2 *iface,
        SystemHealthEntityCount *count, NapComponentRegistrationInfo **agents)
{
    TRACE("iface %p, count %p, agents %p.\n", iface, count, agents);

    return get_registered(NAPAGENT_SHA, count, agents);
}

static HRESULT WINAPI management_GetRegisteredEnforcementClients(INapClientManagement2 *iface,
        EnforcementEntityCount *count, NapComponentRegistrationInfo **enforcers)
{
    TRACE("iface %p, count %p, enforcers %p.\n", iface, count, enforcers);

    return get_registered(NAPAGENT_EC, count, enforcers);
}

static HRESULT WINAPI management_GetSystemIsolationInfoEx(INapClientManagement2 *iface, IsolationInfoEx **info,
        BOOL *unknown_connections)
{
    TRACE("iface %p, info %p, unknown_connections %p.\n", iface, info, unknown_connections);

    return get_system_isolation_info_ex(info, unknown_connections);
}

static const INapClientManagement2Vtbl management_vtbl =
{
    management_QueryInterface,
    management_AddRef,
    management_Release,
    management_GetNapClientInfo,
    management_GetSystemIsolationInfo,
    management_RegisterSystemHealthAgent,
    management_UnregisterSystemHealthAgent,
    management_RegisterEnforcementClient,
    management_UnregisterEnforcementClient,
    management_GetRegisteredSystemHealthAgents,
    management_GetRegisteredEnforcementClients,
    management_GetSystemIsolationInfoEx,
};

HRESULT management_create(IUnknown **out)
{
    struct management *management;

    if (!(management = malloc(sizeof(*management)))) return E_OUTOFMEMORY;
    management->INapClientManagement2_iface.lpVtbl = &management_vtbl;
    management->refcount = 1;
    module_addref();

    *out = (IUnknown *)&management->INapClientManagement2_iface;
    return S_OK;
}
