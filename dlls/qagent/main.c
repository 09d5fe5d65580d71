/*
 * Network Access Protection agent proxy, class factories and COM exports
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
#include "objbase.h"
#include "ocidl.h"
/* The NAP interfaces' GUIDs are defined here; libuuid has the others. */
#include "initguid.h"
#include "napcertrelyingparty.h"
#include "napsystemhealthagent.h"
#include "naputil.h"

#include "wine/debug.h"

#include "qagent_private.h"

WINE_DEFAULT_DEBUG_CHANNEL(qagent);

HINSTANCE qagent_instance;

static LONG module_refcount;

void module_addref(void)
{
    InterlockedIncrement(&module_refcount);
}

void module_release(void)
{
    InterlockedDecrement(&module_refcount);
}

struct class_factory
{
    IClassFactory IClassFactory_iface;
    const CLSID *clsid;
    HRESULT (*create)(IUnknown **out);
};

static struct class_factory *impl_from_IClassFactory(IClassFactory *iface)
{
    return CONTAINING_RECORD(iface, struct class_factory, IClassFactory_iface);
}

static HRESULT WINAPI class_factory_QueryInterface(IClassFactory *iface, REFIID iid, void **out)
{
    TRACE("iface %p, iid %s, out %p.\n", iface, debugstr_guid(iid), out);

    if (!out) return E_POINTER;
    if (IsEqualGUID(iid, &IID_IUnknown) || IsEqualGUID(iid, &IID_IClassFactory))
    {
        IClassFactory_AddRef(iface);
        *out = iface;
        return S_OK;
    }
    WARN("%s not implemented.\n", debugstr_guid(iid));
    *out = NULL;
    return E_NOINTERFACE;
}

static ULONG WINAPI class_factory_AddRef(IClassFactory *iface)
{
    TRACE("iface %p.\n", iface);

    module_addref();
    return 2;
}

static ULONG WINAPI class_factory_Release(IClassFactory *iface)
{
    TRACE("iface %p.\n", iface);

    module_release();
    return 1;
}

static HRESULT WINAPI class_factory_CreateInstance(IClassFactory *iface, IUnknown *outer, REFIID iid, void **out)
{
    struct class_factory *factory = impl_from_IClassFactory(iface);
    IUnknown *object;
    HRESULT hr;

    TRACE("iface %p, outer %p, iid %s, out %p.\n", iface, outer, debugstr_guid(iid), out);

    if (!out) return E_POINTER;
    *out = NULL;
    if (outer) return CLASS_E_NOAGGREGATION;

    if (FAILED(hr = factory->create(&object))) return hr;
    hr = IUnknown_QueryInterface(object, iid, out);
    IUnknown_Release(object);
    return hr;
}

static HRESULT WINAPI class_factory_LockServer(IClassFactory *iface, BOOL lock)
{
    TRACE("iface %p, lock %d.\n", iface, lock);

    if (lock) module_addref();
    else module_release();
    return S_OK;
}

static const IClassFactoryVtbl class_factory_vtbl =
{
    class_factory_QueryInterface,
    class_factory_AddRef,
    class_factory_Release,
    class_factory_CreateInstance,
    class_factory_LockServer,
};

static struct class_factory class_factories[] =
{
    { { &class_factory_vtbl }, &CLSID_NapClientManagement, management_create },
    { { &class_factory_vtbl }, &CLSID_NapSystemHealthAgentBinding, sha_binding_create },
    { { &class_factory_vtbl }, &CLSID_NapEnforcementClientBinding, ec_binding_create },
    { { &class_factory_vtbl }, &CLSID_NapCertRelyingParty, cert_relying_party_create },
};

BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, void *reserved)
{
    TRACE("instance %p, reason %lu, reserved %p.\n", instance, reason, reserved);

    switch (reason)
    {
    case DLL_PROCESS_ATTACH:
        qagent_instance = instance;
        DisableThreadLibraryCalls(instance);
        return agent_init();
    case DLL_PROCESS_DETACH:
        if (reserved) break;
        soh_exit();
        agent_exit();
        break;
    }
    return TRUE;
}

HRESULT WINAPI DllGetClassObject(REFCLSID clsid, REFIID iid, void **out)
{
    UINT i;

    TRACE("clsid %s, iid %s, out %p.\n", debugstr_guid(clsid), debugstr_guid(iid), out);

    if (!out) return E_INVALIDARG;
    *out = NULL;

    for (i = 0; i < ARRAY_SIZE(class_factories); i++)
    {
        if (IsEqualGUID(clsid, class_factories[i].clsid))
            return IClassFactory_QueryInterface(&class_factories[i].IClassFactory_iface, iid, out);
    }
    return CLASS_E_CLASSNOTAVAILABLE;
}

HRESULT WINAPI DllCanUnloadNow(void)
{
    TRACE("\n");

    return module_refcount ? S_FALSE : S_OK;
}
