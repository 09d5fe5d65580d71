/*
 * A vendor's class with the texts of a component, well and badly behaved
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
#include <initguid.h>
#include <windows.h>
#include <objbase.h>
#include <napcommon.h>

/* Which of these it is, is the first part of the CLSID that is asked for. */
enum behaviour
{
    BEHAVES = 0xe19ddec2, /* the example SHA's */
    HAS_NO_CLASS = 0xbad00001,
    HANGS,
    CRASHES,
    EXITS,
    GIVES_NOTHING,
    FAILS_LATE,
    LIES,
};

static DWORD behaviour;

enum
{
    NAME_ID = 0x40000101,
    DESCRIPTION_ID,
    VENDOR_ID,
    VERSION_ID,
    HEALTHY_ID,
    UNHEALTHY_ID,
    FIXUP_ID = 0x40000006, /* the example SHA's */
};

static const struct
{
    MessageId id;
    const WCHAR *text;
}
texts[] =
{
    {NAME_ID, L"The vendor's \"name\" \x00e4\x03b1\x4e2d\r\n"},
    {DESCRIPTION_ID, L"The vendor's\tdescription\r\n"},
    {VENDOR_ID, L"The vendor\r\n"},
    {VERSION_ID, L"9.8.7\r\n"},
    {HEALTHY_ID, L"All is well\r\n"},
    {UNHEALTHY_ID, L"Something is to be repaired\r\n"},
    {FIXUP_ID, L"It is being repaired\r\n"},
};

static HRESULT WINAPI info_QueryInterface(INapComponentInfo *iface, REFIID iid, void **out)
{
    *out = NULL;
    if (!IsEqualGUID(iid, &IID_IUnknown) && !IsEqualGUID(iid, &IID_INapComponentInfo)) return E_NOINTERFACE;
    *out = iface;
    return S_OK;
}

static ULONG WINAPI info_AddRef(INapComponentInfo *iface)
{
    return 2;
}

static ULONG WINAPI info_Release(INapComponentInfo *iface)
{
    return 1;
}

static HRESULT WINAPI info_GetFriendlyName(INapComponentInfo *iface, MessageId *id)
{
    *id = NAME_ID;
    return S_OK;
}

static HRESULT WINAPI info_GetDescription(INapComponentInfo *iface, MessageId *id)
{
    *id = DESCRIPTION_ID;
    return behaviour == FAILS_LATE ? E_FAIL : S_OK;
}

static HRESULT WINAPI info_GetVendorName(INapComponentInfo *iface, MessageId *id)
{
    *id = VENDOR_ID;
    return S_OK;
}

static HRESULT WINAPI info_GetVersion(INapComponentInfo *iface, MessageId *id)
{
    *id = VERSION_ID;
    return S_OK;
}

static HRESULT WINAPI info_GetIcon(INapComponentInfo *iface, CountedString **path, UINT32 *id)
{
    return E_NOTIMPL;
}

static HRESULT WINAPI info_ConvertErrorCodeToMessageId(INapComponentInfo *iface, HRESULT code, MessageId *id)
{
    if (code != S_OK && code != (HRESULT)0x80270050) return E_UNEXPECTED;
    *id = code == S_OK ? HEALTHY_ID : UNHEALTHY_ID;
    return S_OK;
}

static void misbehave(void)
{
    switch (behaviour)
    {
    case HANGS: Sleep(INFINITE); break;
    case CRASHES: *(volatile int *)8 = 0; break;
    case EXITS: ExitProcess(0); break;
    }
}

static HRESULT WINAPI info_GetLocalizedString(INapComponentInfo *iface, MessageId id, CountedString **out)
{
    unsigned int i;

    misbehave();
    *out = NULL;
    if (behaviour == GIVES_NOTHING) return S_OK;

    for (i = 0; i < ARRAYSIZE(texts) && texts[i].id != id; i++) ;
    if (i == ARRAYSIZE(texts)) return HRESULT_FROM_WIN32(ERROR_MR_MID_NOT_FOUND);
    *out = CoTaskMemAlloc(sizeof(**out));
    (*out)->string = CoTaskMemAlloc(261 * sizeof(WCHAR));
    lstrcpyW((*out)->string, texts[i].text);
    (*out)->length = behaviour == LIES ? 0xffff : lstrlenW(texts[i].text);
    return S_OK;
}

static const INapComponentInfoVtbl info_vtbl =
{
    info_QueryInterface,
    info_AddRef,
    info_Release,
    info_GetFriendlyName,
    info_GetDescription,
    info_GetVendorName,
    info_GetVersion,
    info_GetIcon,
    info_ConvertErrorCodeToMessageId,
    info_GetLocalizedString,
};

static INapComponentInfo info = {(INapComponentInfoVtbl *)&info_vtbl};

static HRESULT WINAPI factory_QueryInterface(IClassFactory *iface, REFIID iid, void **out)
{
    *out = NULL;
    if (!IsEqualGUID(iid, &IID_IUnknown) && !IsEqualGUID(iid, &IID_IClassFactory)) return E_NOINTERFACE;
    *out = iface;
    return S_OK;
}

static ULONG WINAPI factory_AddRef(IClassFactory *iface)
{
    return 2;
}

static ULONG WINAPI factory_Release(IClassFactory *iface)
{
    return 1;
}

static HRESULT WINAPI factory_CreateInstance(IClassFactory *iface, IUnknown *outer, REFIID iid, void **out)
{
    return INapComponentInfo_QueryInterface(&info, iid, out);
}

static HRESULT WINAPI factory_LockServer(IClassFactory *iface, BOOL lock)
{
    return S_OK;
}

static const IClassFactoryVtbl factory_vtbl =
{
    factory_QueryInterface,
    factory_AddRef,
    factory_Release,
    factory_CreateInstance,
    factory_LockServer,
};

static IClassFactory factory = {(IClassFactoryVtbl *)&factory_vtbl};

HRESULT WINAPI DllGetClassObject(REFCLSID clsid, REFIID iid, void **out)
{
    behaviour = clsid->Data1;
    *out = NULL;
    return behaviour == HAS_NO_CLASS ? CLASS_E_CLASSNOTAVAILABLE : IClassFactory_QueryInterface(&factory, iid, out);
}
