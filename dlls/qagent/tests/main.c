/*
 * Tests for the exports and the classes of qagent.dll
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
#include "winreg.h"
#include "winver.h"
#include "objbase.h"
#include "ocidl.h"
/* The GUIDs that the other tests refer to, too, are defined here. */
#include "initguid.h"
#include "napcertrelyingparty.h"
#include "napenforcementclient.h"
#include "napmanagement.h"
#include "napsystemhealthagent.h"
#include "naputil.h"

#include "wine/test.h"

static HMODULE qagent;
static HRESULT (WINAPI *pDllCanUnloadNow)(void);
static HRESULT (WINAPI *pDllGetClassObject)(REFCLSID, REFIID, void **);
static HRESULT (WINAPI *pDllRegisterServer)(void);
static HRESULT (WINAPI *pDllUnregisterServer)(void);

static const struct
{
    const char *name;
    const CLSID *clsid;
    const IID *iid;
    const IID *iid2;    /* of the same object */
    const WCHAR *key;
    BOOL elsewhere;     /* perhaps in another DLL of Windows */
}
classes[] =
{
    {"NapClientManagement", &CLSID_NapClientManagement, &IID_INapClientManagement, &IID_INapClientManagement2,
            L"CLSID\\{eb082ba1-df8a-46be-82f3-35bf9e9be52f}\\InprocServer32"},
    {"NapSystemHealthAgentBinding", &CLSID_NapSystemHealthAgentBinding, &IID_INapSystemHealthAgentBinding,
            &IID_INapSystemHealthAgentBinding2, L"CLSID\\{8e594310-16ca-4a00-932f-f70969f990c0}\\InprocServer32"},
    {"NapEnforcementClientBinding", &CLSID_NapEnforcementClientBinding, &IID_INapEnforcementClientBinding, NULL,
            L"CLSID\\{9443b89b-6564-496a-b19c-6c6d22709045}\\InprocServer32"},
    {"NapCertRelyingParty", &CLSID_NapCertRelyingParty, &IID_INapCertRelyingParty, NULL,
            L"CLSID\\{e5fae3b3-1ac8-4bd3-87e6-48eff509ddaa}\\InprocServer32", TRUE},
};

/* Interfaces that neither the objects nor the class objects have. */
static const IID *foreign_iids[] =
{
    &IID_IDispatch,
    &IID_IPersist,
    &IID_IStream,
    &IID_IProvideClassInfo,
    &IID_INapSystemHealthAgentCallback,
    &IID_INapSystemHealthAgentRequest,
    &IID_INapEnforcementClientCallback,
    &IID_INapEnforcementClientConnection,
    &CLSID_NapClientManagement,
};

/* Reports of test runs start with this. */
static void trace_version(void)
{
    VS_FIXEDFILEINFO *info;
    char path[MAX_PATH];
    BYTE buffer[4096];
    UINT size;

    GetModuleFileNameA(qagent, path, ARRAY_SIZE(path));
    if (GetFileVersionInfoA(path, 0, sizeof(buffer), buffer) && VerQueryValueA(buffer, "\\", (void **)&info, &size))
        trace("%s, version %u.%u.%u.%u\n", path,
                HIWORD(info->dwFileVersionMS), LOWORD(info->dwFileVersionMS),
                HIWORD(info->dwFileVersionLS), LOWORD(info->dwFileVersionLS));
    else
        trace("%s, without a version\n", path);
}

static BOOL is_wine(void)
{
    return !strcmp(winetest_platform, "wine");
}

static ULONG get_refcount(void *object)
{
    IUnknown_AddRef((IUnknown *)object);
    return IUnknown_Release((IUnknown *)object);
}

static BOOL is_in_qagent(const void *address)
{
    HMODULE module;

    return GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
            address, &module) && module == qagent;
}

/* A proxy's methods would be in another module. */
#define check_direct(object) check_direct_(__LINE__, object)
static void check_direct_(int line, void *object)
{
    ok_(__FILE__, line)(is_in_qagent(((IUnknown *)object)->lpVtbl), "The vtable is not in qagent.dll.\n");
    ok_(__FILE__, line)(is_in_qagent(((IUnknown *)object)->lpVtbl->QueryInterface),
            "QueryInterface() is not in qagent.dll.\n");
}

#define check_unload(expected) check_unload_(__LINE__, expected)
static void check_unload_(int line, HRESULT expected)
{
    HRESULT hr = pDllCanUnloadNow();

    ok_(__FILE__, line)(hr == expected, "Got hr %#lx.\n", hr);
}

#define release_object(object) release_object_(__LINE__, object)
static void release_object_(int line, IUnknown *object)
{
    ULONG refs = IUnknown_Release(object);

    ok_(__FILE__, line)(!refs, "Got %lu references.\n", refs);
}

/* FALSE where it isn't qagent.dll that serves the class. */
#define get_class_object(i, factory) get_class_object_(__LINE__, i, factory)
static BOOL get_class_object_(int line, unsigned int i, IClassFactory **factory)
{
    HRESULT hr;

    *factory = (void *)0xdeadbeef;
    hr = pDllGetClassObject(classes[i].clsid, &IID_IClassFactory, (void **)factory);
    ok_(__FILE__, line)(hr == S_OK || broken(classes[i].elsewhere && hr == CLASS_E_CLASSNOTAVAILABLE),
            "Got hr %#lx.\n", hr);
    return hr == S_OK;
}

#define check_foreign_interfaces(object) check_foreign_interfaces_(__LINE__, object)
static void check_foreign_interfaces_(int line, void *object)
{
    ULONG refs = get_refcount(object);
    unsigned int i;
    HRESULT hr;
    void *out;

    for (i = 0; i < ARRAY_SIZE(foreign_iids); ++i)
    {
        out = (void *)0xdeadbeef;
        hr = IUnknown_QueryInterface((IUnknown *)object, foreign_iids[i], &out);
        ok_(__FILE__, line)(hr == E_NOINTERFACE, "Interface %u: got hr %#lx.\n", i, hr);
        ok_(__FILE__, line)(!out, "Interface %u: got %p.\n", i, out);
    }

    /* May crash on Windows. */
    if (is_wine())
    {
        hr = IUnknown_QueryInterface((IUnknown *)object, &IID_IUnknown, NULL);
        ok_(__FILE__, line)(hr == E_POINTER, "Got hr %#lx.\n", hr);
        hr = IUnknown_QueryInterface((IUnknown *)object, &IID_IDispatch, NULL);
        ok_(__FILE__, line)(hr == E_POINTER, "Got hr %#lx.\n", hr);
    }
    ok_(__FILE__, line)(get_refcount(object) == refs, "The reference count has changed.\n");
}

/* From the interface to the IUnknown and back, which is the same one each time. */
#define check_identity(object, iid) check_identity_(__LINE__, object, iid)
static void check_identity_(int line, IUnknown *object, const IID *iid)
{
    IUnknown *unknown, *again, *own;
    ULONG refs, new_refs;
    HRESULT hr;

    refs = get_refcount(object);
    hr = IUnknown_QueryInterface(object, &IID_IUnknown, (void **)&unknown);
    ok_(__FILE__, line)(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = IUnknown_QueryInterface(object, iid, (void **)&own);
    ok_(__FILE__, line)(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = IUnknown_QueryInterface(own, &IID_IUnknown, (void **)&again);
    ok_(__FILE__, line)(hr == S_OK, "Got hr %#lx.\n", hr);
    ok_(__FILE__, line)(again == unknown, "Got %p, expected %p.\n", again, unknown);
    IUnknown_Release(again);
    IUnknown_Release(own);
    IUnknown_Release(unknown);
    new_refs = get_refcount(object);
    ok_(__FILE__, line)(new_refs == refs, "Got %lu references, expected %lu.\n", new_refs, refs);
}

static void test_exports(void)
{
    static const char *names[] =
    {
        "DllCanUnloadNow",
        "DllGetClassObject",
        "DllRegisterServer",
        "DllUnregisterServer",
    };
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(names); ++i)
        ok(!!GetProcAddress(qagent, names[i]), "%s is not exported.\n", names[i]);
}

static void test_unknown_classes(void)
{
    static const CLSID unknown_clsids[] =
    {
        {0},
        {0xdeadbeef, 0xdead, 0xbeef, {0xde, 0xad, 0xbe, 0xef, 0xde, 0xad, 0xbe, 0xef}},
        /* NapClientManagement's, but for the last byte. */
        {0xeb082ba1, 0xdf8a, 0x46be, {0x82, 0xf3, 0x35, 0xbf, 0x9e, 0x9b, 0xe5, 0x30}},
        /* NapSoHConstructor's: qutil.dll's. */
        {0xe8140d53, 0x6535, 0x46a5, {0xb8, 0xa1, 0xda, 0x6c, 0x57, 0x1d, 0xa9, 0xb9}},
    };
    static const IID *iids[] = {&IID_IClassFactory, &IID_IUnknown, &IID_IPersist};
    unsigned int i, j;
    HRESULT hr;
    void *out;

    for (i = 0; i < ARRAY_SIZE(unknown_clsids); ++i)
    {
        for (j = 0; j < ARRAY_SIZE(iids); ++j)
        {
            winetest_push_context("class %u, interface %u", i, j);
            out = (void *)0xdeadbeef;
            hr = pDllGetClassObject(&unknown_clsids[i], iids[j], &out);
            ok(hr == CLASS_E_CLASSNOTAVAILABLE, "Got hr %#lx.\n", hr);
            ok(!out, "Got %p.\n", out);
            winetest_pop_context();
        }
    }
}

static void test_class_objects(void)
{
    IClassFactory *factory;
    unsigned int i, j;
    IUnknown *unknown;
    HRESULT hr;
    void *out;

    for (i = 0; i < ARRAY_SIZE(classes); ++i)
    {
        winetest_push_context("%s", classes[i].name);
        if (get_class_object(i, &factory))
        {
            check_direct(factory);
            check_identity((IUnknown *)factory, &IID_IClassFactory);
            check_foreign_interfaces(factory);
            hr = pDllGetClassObject(classes[i].clsid, &IID_IUnknown, (void **)&unknown);
            ok(hr == S_OK, "Got hr %#lx.\n", hr);
            IUnknown_Release(unknown);
            for (j = 0; j < ARRAY_SIZE(foreign_iids); ++j)
            {
                out = (void *)0xdeadbeef;
                hr = pDllGetClassObject(classes[i].clsid, foreign_iids[j], &out);
                ok(hr == E_NOINTERFACE, "Interface %u: got hr %#lx.\n", j, hr);
                ok(!out, "Interface %u: got %p.\n", j, out);
            }
            out = (void *)0xdeadbeef;
            hr = pDllGetClassObject(classes[i].clsid, classes[i].iid, &out);
            ok(hr == E_NOINTERFACE, "Got hr %#lx.\n", hr);
            ok(!out, "Got %p.\n", out);
            IClassFactory_Release(factory);
        }
        winetest_pop_context();
    }
    check_unload(S_OK);
}

static void test_CreateInstance(void)
{
    IUnknown *object, *other;
    IClassFactory *factory;
    unsigned int i, j;
    HRESULT hr;

    for (i = 0; i < ARRAY_SIZE(classes); ++i)
    {
        winetest_push_context("%s", classes[i].name);
        if (get_class_object(i, &factory))
        {
            hr = IClassFactory_CreateInstance(factory, NULL, &IID_IUnknown, (void **)&object);
            ok(hr == S_OK, "Got hr %#lx.\n", hr);
            release_object(object);
            hr = IClassFactory_CreateInstance(factory, NULL, classes[i].iid, (void **)&object);
            ok(hr == S_OK, "Got hr %#lx.\n", hr);
            hr = IClassFactory_CreateInstance(factory, NULL, classes[i].iid, (void **)&other);
            ok(hr == S_OK, "Got hr %#lx.\n", hr);
            ok(object != other, "Got the same object twice.\n");
            release_object(other);
            if (classes[i].iid2)
            {
                hr = IClassFactory_CreateInstance(factory, NULL, classes[i].iid2, (void **)&other);
                ok(hr == S_OK, "Got hr %#lx.\n", hr);
                release_object(other);
            }

            for (j = 0; j < ARRAY_SIZE(foreign_iids); ++j)
            {
                other = (void *)0xdeadbeef;
                hr = IClassFactory_CreateInstance(factory, NULL, foreign_iids[j], (void **)&other);
                ok(hr == E_NOINTERFACE, "Interface %u: got hr %#lx.\n", j, hr);
                ok(!other, "Interface %u: got %p.\n", j, other);
            }
            for (j = 0; j < ARRAY_SIZE(classes); ++j)
            {
                if (j == i) continue;
                other = (void *)0xdeadbeef;
                hr = IClassFactory_CreateInstance(factory, NULL, classes[j].iid, (void **)&other);
                ok(hr == E_NOINTERFACE, "Class %u: got hr %#lx.\n", j, hr);
                ok(!other, "Class %u: got %p.\n", j, other);
            }

            /* The object doesn't need its class object. */
            IClassFactory_Release(factory);
            check_direct(object);
            check_identity(object, classes[i].iid);
            if (classes[i].iid2)
                check_identity(object, classes[i].iid2);
            check_foreign_interfaces(object);
            release_object(object);
        }
        winetest_pop_context();
    }
    check_unload(S_OK);
}

static HRESULT WINAPI outer_QueryInterface(IUnknown *iface, REFIID iid, void **out)
{
    *out = NULL;
    return E_NOINTERFACE;
}

static ULONG WINAPI outer_AddRef(IUnknown *iface)
{
    return 2;
}

static ULONG WINAPI outer_Release(IUnknown *iface)
{
    return 1;
}

static const IUnknownVtbl outer_vtbl =
{
    outer_QueryInterface,
    outer_AddRef,
    outer_Release,
};

static void test_aggregation(void)
{
    IUnknown outer = {(IUnknownVtbl *)&outer_vtbl}, *object;
    const IID *iids[2] = {&IID_IUnknown};
    IClassFactory *factory;
    unsigned int i, j;
    HRESULT hr;

    for (i = 0; i < ARRAY_SIZE(classes); ++i)
    {
        winetest_push_context("%s", classes[i].name);
        if (get_class_object(i, &factory))
        {
            iids[1] = classes[i].iid;
            for (j = 0; j < ARRAY_SIZE(iids); ++j)
            {
                object = (void *)0xdeadbeef;
                hr = IClassFactory_CreateInstance(factory, &outer, iids[j], (void **)&object);
                ok(hr == CLASS_E_NOAGGREGATION || broken(!j && hr == S_OK) || broken(j && FAILED(hr)),
                        "Interface %u: got hr %#lx.\n", j, hr);
                if (hr == S_OK)
                    IUnknown_Release(object);
                else
                    ok(!object, "Interface %u: got %p.\n", j, object);
            }
            IClassFactory_Release(factory);
        }
        winetest_pop_context();
    }
    check_unload(S_OK);
}

static void test_references(void)
{
    IClassFactory *factory;
    IUnknown *object;
    unsigned int i;
    HRESULT hr;
    ULONG refs;
    void *out;

    for (i = 0; i < ARRAY_SIZE(classes); ++i)
    {
        winetest_push_context("%s", classes[i].name);
        if (get_class_object(i, &factory))
        {
            hr = IClassFactory_CreateInstance(factory, NULL, classes[i].iid, (void **)&object);
            ok(hr == S_OK, "Got hr %#lx.\n", hr);
            IClassFactory_Release(factory);
            refs = IUnknown_AddRef(object);
            ok(refs == 2, "Got %lu references.\n", refs);
            refs = IUnknown_Release(object);
            ok(refs == 1, "Got %lu references.\n", refs);
            hr = IUnknown_QueryInterface(object, classes[i].iid, &out);
            ok(hr == S_OK, "Got hr %#lx.\n", hr);
            refs = get_refcount(object);
            ok(refs == 2, "Got %lu references.\n", refs);
            refs = IUnknown_Release((IUnknown *)out);
            ok(refs == 1, "Got %lu references.\n", refs);
            out = (void *)0xdeadbeef;
            hr = IUnknown_QueryInterface(object, &IID_IClassFactory, &out);
            ok(hr == E_NOINTERFACE, "Got hr %#lx.\n", hr);
            ok(!out, "Got %p.\n", out);
            release_object(object);
        }
        winetest_pop_context();
    }
    check_unload(S_OK);
}

static void test_DllCanUnloadNow(void)
{
    IClassFactory *factory;
    IUnknown *objects[2];
    unsigned int i, j;
    HRESULT hr;

    check_unload(S_OK);
    for (i = 0; i < ARRAY_SIZE(classes); ++i)
    {
        winetest_push_context("%s", classes[i].name);
        if (get_class_object(i, &factory))
        {
            for (j = 0; j < ARRAY_SIZE(objects); ++j)
            {
                hr = IClassFactory_CreateInstance(factory, NULL, classes[i].iid, (void **)&objects[j]);
                ok(hr == S_OK, "Got hr %#lx.\n", hr);
            }
            IClassFactory_Release(factory);
            check_unload(S_FALSE);
            release_object(objects[0]);
            check_unload(S_FALSE);
            release_object(objects[1]);
            check_unload(S_OK);

            get_class_object(i, &factory);
            hr = IClassFactory_CreateInstance(factory, NULL, &IID_IDispatch, (void **)&objects[0]);
            ok(hr == E_NOINTERFACE, "Got hr %#lx.\n", hr);
            hr = IClassFactory_LockServer(factory, TRUE);
            ok(hr == S_OK, "Got hr %#lx.\n", hr);
            hr = IClassFactory_LockServer(factory, TRUE);
            ok(hr == S_OK, "Got hr %#lx.\n", hr);
            check_unload(S_FALSE);
            hr = IClassFactory_LockServer(factory, FALSE);
            ok(hr == S_OK, "Got hr %#lx.\n", hr);
            check_unload(S_FALSE);
            hr = IClassFactory_LockServer(factory, FALSE);
            ok(hr == S_OK, "Got hr %#lx.\n", hr);
            IClassFactory_Release(factory);
            check_unload(S_OK);
        }
        winetest_pop_context();
    }
}

static void test_DllRegisterServer(void)
{
    HRESULT hr;

    if (!is_wine())
    {
        skip("Unregistering Windows' own DLL might take away what it doesn't bring back.\n");
        return;
    }
    hr = pDllUnregisterServer();
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = pDllRegisterServer();
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = pDllRegisterServer();
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
}

static BOOL test_registration(void)
{
    WCHAR model[32], path[MAX_PATH];
    unsigned int i, missing = 0;
    DWORD size;
    LSTATUS ret;
    HKEY key;

    for (i = 0; i < ARRAY_SIZE(classes); ++i)
    {
        winetest_push_context("%s", classes[i].name);
        ret = RegOpenKeyExW(HKEY_CLASSES_ROOT, classes[i].key, 0, KEY_READ, &key);
        if (ret)
        {
            ok(ret == ERROR_FILE_NOT_FOUND, "Got error %ld.\n", ret);
            ++missing;
        }
        else
        {
            size = sizeof(path);
            ret = RegQueryValueExW(key, NULL, NULL, NULL, (BYTE *)path, &size);
            ok(!ret, "Got error %ld.\n", ret);
            ok(size > sizeof(WCHAR), "Got no path.\n");
            memset(model, 0, sizeof(model));
            size = sizeof(model) - sizeof(WCHAR);
            ret = RegQueryValueExW(key, L"ThreadingModel", NULL, NULL, (BYTE *)model, &size);
            ok(!ret || broken(ret), "Got error %ld.\n", ret);
            ok(!lstrcmpiW(model, L"Both") || broken(lstrcmpiW(model, L"Both")), "Got %s.\n", wine_dbgstr_w(model));
            RegCloseKey(key);
        }
        winetest_pop_context();
    }
    if (missing)
        win_skip("%u of the classes are not registered.\n", missing);
    return !missing;
}

struct apartment
{
    DWORD model;
    const char *name;
    IUnknown *objects[ARRAY_SIZE(classes)];
};

static DWORD WINAPI apartment_thread(void *arg)
{
    struct apartment *apartment = arg;
    unsigned int i;
    HRESULT hr;

    winetest_push_context("%s", apartment->name);
    hr = CoInitializeEx(NULL, apartment->model);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    for (i = 0; i < ARRAY_SIZE(classes); ++i)
    {
        winetest_push_context("%s", classes[i].name);
        hr = CoCreateInstance(classes[i].clsid, NULL, CLSCTX_INPROC_SERVER, classes[i].iid,
                (void **)&apartment->objects[i]);
        ok(hr == S_OK || broken(classes[i].elsewhere), "Got hr %#lx.\n", hr);
        if (hr == S_OK && !classes[i].elsewhere)
            check_direct(apartment->objects[i]);
        winetest_pop_context();
    }
    CoUninitialize();
    winetest_pop_context();
    return 0;
}

static void test_apartments(void)
{
    static struct apartment tests[] =
    {
        {COINIT_APARTMENTTHREADED, "STA"},
        {COINIT_MULTITHREADED, "MTA"},
    };
    unsigned int i, j;
    HANDLE thread;
    DWORD ret;

    for (i = 0; i < ARRAY_SIZE(tests); ++i)
    {
        winetest_push_context("%s", tests[i].name);
        thread = CreateThread(NULL, 0, apartment_thread, &tests[i], 0, NULL);
        ok(!!thread, "Failed to create a thread, error %lu.\n", GetLastError());
        ret = WaitForSingleObject(thread, 60000);
        ok(ret == WAIT_OBJECT_0, "Got %#lx.\n", ret);
        CloseHandle(thread);

        /* The objects don't go with the thread that made them. */
        for (j = 0; j < ARRAY_SIZE(tests[i].objects); ++j)
        {
            if (tests[i].objects[j] && (!classes[j].elsewhere || is_wine()))
                release_object(tests[i].objects[j]);
        }
        winetest_pop_context();
    }
    check_unload(S_OK);
}

START_TEST(main)
{
    HRESULT hr;

    if (!(qagent = LoadLibraryW(L"qagent.dll")))
    {
        win_skip("qagent.dll is absent, as since Windows 10.\n");
        return;
    }
    trace_version();
    test_exports();

    pDllCanUnloadNow = (void *)GetProcAddress(qagent, "DllCanUnloadNow");
    pDllGetClassObject = (void *)GetProcAddress(qagent, "DllGetClassObject");
    pDllRegisterServer = (void *)GetProcAddress(qagent, "DllRegisterServer");
    pDllUnregisterServer = (void *)GetProcAddress(qagent, "DllUnregisterServer");
    if (pDllCanUnloadNow && pDllGetClassObject && pDllRegisterServer && pDllUnregisterServer)
    {
        hr = CoInitializeEx(NULL, COINIT_MULTITHREADED);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        test_unknown_classes();
        test_class_objects();
        test_CreateInstance();
        test_aggregation();
        test_references();
        test_DllCanUnloadNow();
        test_DllRegisterServer();
        if (test_registration())
            test_apartments();
        CoUninitialize();
    }
    FreeLibrary(qagent);
}
