/*
 * Tests for the class objects of qutil.dll, and for what its classes owe to COM
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
#include "objbase.h"
#include "napprotocol.h"

#include "qutil_test.h"

static const struct
{
    const char *name;
    const CLSID *clsid;
    const IID *iid;
    const WCHAR *key;
}
classes[] =
{
    {"NapSoHConstructor", &CLSID_NapSoHConstructor, &IID_INapSoHConstructor,
            L"CLSID\\{e8140d53-6535-46a5-b8a1-da6c571da9b9}\\InprocServer32"},
    {"NapSoHProcessor", &CLSID_NapSoHProcessor, &IID_INapSoHProcessor,
            L"CLSID\\{aa160628-8775-46e3-837c-f7a2ae66e2f5}\\InprocServer32"},
};

/* Interfaces that neither the objects nor the class objects have. */
static const IID *foreign_iids[] =
{
    &IID_IDispatch,
    &IID_IPersist,
    &IID_IStream,
    &IID_IProvideClassInfo,
    &CLSID_NapSoHConstructor,
    &CLSID_NapSoHProcessor,
};

static ULONG get_refcount(void *object)
{
    IUnknown_AddRef((IUnknown *)object);
    return IUnknown_Release((IUnknown *)object);
}

static BOOL is_in_qutil(const void *address)
{
    HMODULE module;

    return GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
            address, &module) && module == qutil;
}

/* A proxy's methods would be in another module. */
#define check_direct(object) check_direct_(__LINE__, object)
static void check_direct_(int line, void *object)
{
    ok_(__FILE__, line)(is_in_qutil(((IUnknown *)object)->lpVtbl), "The vtable is not in qutil.dll.\n");
    ok_(__FILE__, line)(is_in_qutil(((IUnknown *)object)->lpVtbl->QueryInterface),
            "QueryInterface() is not in qutil.dll.\n");
}

#define check_unload(expected) check_unload_(__LINE__, expected)
static void check_unload_(int line, HRESULT expected)
{
    HRESULT hr = pDllCanUnloadNow();

    ok_(__FILE__, line)(hr == expected, "Got hr %#lx.\n", hr);
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

#define check_identity(object, iid) check_identity_(__LINE__, (IUnknown *)(object), iid)
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
    ok_(__FILE__, line)(own == object, "Got %p, expected %p.\n", own, object);
    hr = IUnknown_QueryInterface(own, &IID_IUnknown, (void **)&again);
    ok_(__FILE__, line)(hr == S_OK, "Got hr %#lx.\n", hr);
    ok_(__FILE__, line)(again == unknown, "Got %p, expected %p.\n", again, unknown);
    IUnknown_Release(again);
    IUnknown_Release(own);

    /* From the IUnknown back. */
    hr = IUnknown_QueryInterface(unknown, iid, (void **)&own);
    ok_(__FILE__, line)(hr == S_OK, "Got hr %#lx.\n", hr);
    ok_(__FILE__, line)(own == object, "Got %p, expected %p.\n", own, object);
    IUnknown_Release(own);
    IUnknown_Release(unknown);
    new_refs = get_refcount(object);
    ok_(__FILE__, line)(new_refs == refs, "Got %lu references, expected %lu.\n", new_refs, refs);
}

static void test_class_objects(void)
{
    static const IID *iids[] = {&IID_IClassFactory, &IID_IUnknown};
    unsigned int i, j;
    IUnknown *object;
    HRESULT hr;
    void *out;

    for (i = 0; i < ARRAY_SIZE(classes); ++i)
    {
        winetest_push_context("%s", classes[i].name);
        for (j = 0; j < ARRAY_SIZE(iids); ++j)
        {
            object = NULL;
            hr = pDllGetClassObject(classes[i].clsid, iids[j], (void **)&object);
            ok(hr == S_OK, "Got hr %#lx.\n", hr);
            check_direct(object);
            check_identity(object, &IID_IClassFactory);
            check_foreign_interfaces(object);
            IUnknown_Release(object);
        }
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
        hr = pDllGetClassObject(classes[i].clsid, &IID_IClassFactory, (void **)&factory);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);

        hr = IClassFactory_CreateInstance(factory, NULL, &IID_IUnknown, (void **)&object);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        release_object(object);
        hr = IClassFactory_CreateInstance(factory, NULL, classes[i].iid, (void **)&object);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        hr = IClassFactory_CreateInstance(factory, NULL, classes[i].iid, (void **)&other);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        ok(object != other, "Got the same object twice.\n");
        release_object(other);

        for (j = 0; j < ARRAY_SIZE(foreign_iids); ++j)
        {
            other = (void *)0xdeadbeef;
            hr = IClassFactory_CreateInstance(factory, NULL, foreign_iids[j], (void **)&other);
            ok(hr == E_NOINTERFACE, "Interface %u: got hr %#lx.\n", j, hr);
            ok(!other, "Interface %u: got %p.\n", j, other);
        }
        other = (void *)0xdeadbeef;
        hr = IClassFactory_CreateInstance(factory, NULL, classes[!i].iid, (void **)&other);
        ok(hr == E_NOINTERFACE, "Got hr %#lx.\n", hr);
        ok(!other, "Got %p.\n", other);

        /* The object doesn't need its class object. */
        IClassFactory_Release(factory);
        check_direct(object);
        check_identity(object, classes[i].iid);
        release_object(object);
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
    IClassFactory *factory;
    unsigned int i;
    HRESULT hr;

    for (i = 0; i < ARRAY_SIZE(classes); ++i)
    {
        winetest_push_context("%s", classes[i].name);
        hr = pDllGetClassObject(classes[i].clsid, &IID_IClassFactory, (void **)&factory);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);

        object = (void *)0xdeadbeef;
        hr = IClassFactory_CreateInstance(factory, &outer, &IID_IUnknown, (void **)&object);
        ok(hr == CLASS_E_NOAGGREGATION || broken(hr == S_OK), "Got hr %#lx.\n", hr);
        if (hr == S_OK)
            IUnknown_Release(object);
        else
            ok(!object, "Got %p.\n", object);

        object = (void *)0xdeadbeef;
        hr = IClassFactory_CreateInstance(factory, &outer, classes[i].iid, (void **)&object);
        ok(hr == CLASS_E_NOAGGREGATION || broken(FAILED(hr)), "Got hr %#lx.\n", hr);
        ok(!object, "Got %p.\n", object);
        IClassFactory_Release(factory);

        object = (void *)0xdeadbeef;
        hr = CoCreateInstance(classes[i].clsid, &outer, CLSCTX_INPROC_SERVER, &IID_IUnknown, (void **)&object);
        ok(hr == CLASS_E_NOAGGREGATION || broken(hr == S_OK), "Got hr %#lx.\n", hr);
        if (hr == S_OK)
            IUnknown_Release(object);
        else
            ok(!object, "Got %p.\n", object);
        winetest_pop_context();
    }
    check_unload(S_OK);
}

static void test_objects(void)
{
    IUnknown *object;
    unsigned int i;
    HRESULT hr;
    ULONG refs;
    void *out;

    for (i = 0; i < ARRAY_SIZE(classes); ++i)
    {
        winetest_push_context("%s", classes[i].name);
        hr = create_instance(classes[i].clsid, classes[i].iid, (void **)&object);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);

        refs = IUnknown_AddRef(object);
        ok(refs == 2, "Got %lu references.\n", refs);
        refs = IUnknown_AddRef(object);
        ok(refs == 3, "Got %lu references.\n", refs);
        refs = IUnknown_Release(object);
        ok(refs == 2, "Got %lu references.\n", refs);
        refs = IUnknown_Release(object);
        ok(refs == 1, "Got %lu references.\n", refs);

        hr = IUnknown_QueryInterface(object, classes[i].iid, &out);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        refs = get_refcount(object);
        ok(refs == 2, "Got %lu references.\n", refs);
        refs = IUnknown_Release((IUnknown *)out);
        ok(refs == 1, "Got %lu references.\n", refs);

        check_identity(object, classes[i].iid);
        check_foreign_interfaces(object);
        out = (void *)0xdeadbeef;
        hr = IUnknown_QueryInterface(object, classes[!i].iid, &out);
        ok(hr == E_NOINTERFACE, "Got hr %#lx.\n", hr);
        ok(!out, "Got %p.\n", out);
        out = (void *)0xdeadbeef;
        hr = IUnknown_QueryInterface(object, &IID_IClassFactory, &out);
        ok(hr == E_NOINTERFACE, "Got hr %#lx.\n", hr);
        ok(!out, "Got %p.\n", out);
        release_object(object);
        winetest_pop_context();
    }
    check_unload(S_OK);
}

static void test_DllCanUnloadNow(void)
{
    IClassFactory *factory, *other_factory;
    IUnknown *objects[2];
    unsigned int i, j;
    HRESULT hr;

    check_unload(S_OK);
    for (i = 0; i < ARRAY_SIZE(classes); ++i)
    {
        winetest_push_context("%s", classes[i].name);

        for (j = 0; j < ARRAY_SIZE(objects); ++j)
        {
            hr = create_instance(classes[i].clsid, classes[i].iid, (void **)&objects[j]);
            ok(hr == S_OK, "Got hr %#lx.\n", hr);
            check_unload(S_FALSE);
        }
        IUnknown_AddRef(objects[0]);
        IUnknown_Release(objects[0]);
        check_unload(S_FALSE);
        release_object(objects[0]);
        check_unload(S_FALSE);
        release_object(objects[1]);
        check_unload(S_OK);

        /* An object that didn't come to be. */
        hr = create_instance(classes[i].clsid, &IID_IDispatch, (void **)&objects[0]);
        ok(hr == E_NOINTERFACE, "Got hr %#lx.\n", hr);
        check_unload(S_OK);

        hr = pDllGetClassObject(classes[i].clsid, &IID_IClassFactory, (void **)&factory);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        hr = pDllCanUnloadNow();
        ok(hr == S_FALSE || broken(hr == S_OK), "Got hr %#lx.\n", hr);

        hr = IClassFactory_LockServer(factory, TRUE);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        hr = IClassFactory_LockServer(factory, TRUE);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        IClassFactory_Release(factory);
        check_unload(S_FALSE);

        /* The lock is the server's. Any class object can take it away. */
        hr = pDllGetClassObject(classes[!i].clsid, &IID_IClassFactory, (void **)&other_factory);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        hr = IClassFactory_LockServer(other_factory, FALSE);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        check_unload(S_FALSE);
        hr = IClassFactory_LockServer(other_factory, FALSE);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        IClassFactory_Release(other_factory);
        check_unload(S_OK);
        winetest_pop_context();
    }
}

/* Memory that an object has handed out isn't the object. */
static void test_unload_results(void)
{
    INapSoHConstructor *constructor;
    INapSoHProcessor *processor;
    SoHAttributeValue *value;
    SoHAttributeType type;
    HRESULT hr;
    SoH *soh;

    constructor = create_packet(EXAMPLE_ID, TRUE);
    soh = get_soh(constructor);
    release_object(constructor);
    check_unload(S_OK);
    processor = create_reader(soh, TRUE);
    check_unload(S_FALSE);
    hr = INapSoHProcessor_GetAttribute(processor, 0, &type, &value);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    release_object(processor);
    check_unload(S_OK);
    pFreeSoHAttributeValue(type, value);
    pFreeSoH(soh);
}

static void test_registration(void)
{
    WCHAR model[32], path[MAX_PATH];
    DWORD size, type;
    unsigned int i;
    LSTATUS ret;
    HKEY key;

    for (i = 0; i < ARRAY_SIZE(classes); ++i)
    {
        winetest_push_context("%s", classes[i].name);
        ret = RegOpenKeyExW(HKEY_CLASSES_ROOT, classes[i].key, 0, KEY_READ, &key);
        ok(!ret, "Got error %ld.\n", ret);
        if (!ret)
        {
            size = sizeof(path);
            ret = RegQueryValueExW(key, NULL, NULL, &type, (BYTE *)path, &size);
            ok(!ret, "Got error %ld.\n", ret);
            ok(size > sizeof(WCHAR), "Got no path.\n");
            memset(model, 0, sizeof(model));
            size = sizeof(model) - sizeof(WCHAR);
            ret = RegQueryValueExW(key, L"ThreadingModel", NULL, &type, (BYTE *)model, &size);
            ok(!ret || broken(ret), "Got error %ld.\n", ret);
            ok(!lstrcmpiW(model, L"Both") || broken(lstrcmpiW(model, L"Both")), "Got %s.\n", wine_dbgstr_w(model));
            RegCloseKey(key);
        }
        winetest_pop_context();
    }
}

struct apartment_data
{
    DWORD model;
    const char *name;
    IUnknown *objects[ARRAY_SIZE(classes)];
};

static DWORD WINAPI apartment_thread(void *arg)
{
    struct apartment_data *data = arg;
    IClassFactory *factory;
    IUnknown *object;
    unsigned int i;
    HRESULT hr;

    winetest_push_context("%s", data->name);
    hr = CoInitializeEx(NULL, data->model);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    for (i = 0; i < ARRAY_SIZE(classes); ++i)
    {
        winetest_push_context("%s", classes[i].name);
        hr = CoCreateInstance(classes[i].clsid, NULL, CLSCTX_INPROC_SERVER, classes[i].iid,
                (void **)&data->objects[i]);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        if (hr == S_OK)
            check_direct(data->objects[i]);

        hr = CoGetClassObject(classes[i].clsid, CLSCTX_INPROC_SERVER, NULL, &IID_IClassFactory, (void **)&factory);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        if (hr == S_OK)
        {
            check_direct(factory);
            hr = IClassFactory_CreateInstance(factory, NULL, classes[i].iid, (void **)&object);
            ok(hr == S_OK, "Got hr %#lx.\n", hr);
            check_direct(object);
            release_object(object);
            IClassFactory_Release(factory);
        }

        object = (void *)0xdeadbeef;
        hr = CoCreateInstance(classes[i].clsid, NULL, CLSCTX_INPROC_SERVER, &IID_IDispatch, (void **)&object);
        ok(hr == E_NOINTERFACE, "Got hr %#lx.\n", hr);
        ok(!object, "Got %p.\n", object);
        winetest_pop_context();
    }

    /* The objects work right here. */
    if (data->objects[0])
    {
        INapSoHConstructor *constructor = (INapSoHConstructor *)data->objects[0];
        SoH *soh;

        hr = INapSoHConstructor_Initialize(constructor, EXAMPLE_ID, TRUE);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        soh = get_soh(constructor);
        pFreeSoH(soh);
    }
    CoUninitialize();
    winetest_pop_context();
    return 0;
}

static void test_apartments(void)
{
    static struct apartment_data tests[] =
    {
        {COINIT_APARTMENTTHREADED, "STA"},
        {COINIT_MULTITHREADED, "MTA"},
    };
    unsigned int i, j;
    HRESULT hr;
    SoH *soh;

    for (i = 0; i < ARRAY_SIZE(tests); ++i)
    {
        winetest_push_context("%s", tests[i].name);
        run_threads(apartment_thread, &tests[i], sizeof(tests[i]), 1);

        /* Their memory and their code don't go with the thread that made them. */
        if (tests[i].objects[0])
        {
            soh = NULL;
            hr = INapSoHConstructor_GetSoH((INapSoHConstructor *)tests[i].objects[0], &soh);
            ok(hr == S_OK, "Got hr %#lx.\n", hr);
            pFreeSoH(soh);
        }
        for (j = 0; j < ARRAY_SIZE(tests[i].objects); ++j)
        {
            if (tests[i].objects[j])
                release_object(tests[i].objects[j]);
        }
        winetest_pop_context();
    }
    check_unload(S_OK);
}

static DWORD WINAPI refcount_thread(void *arg)
{
    IUnknown *object = *(IUnknown **)arg, *unknown;
    unsigned int i;

    for (i = 0; i < 10000; ++i)
    {
        IUnknown_AddRef(object);
        if (IUnknown_QueryInterface(object, &IID_IUnknown, (void **)&unknown) == S_OK)
            IUnknown_Release(unknown);
        IUnknown_Release(object);
    }
    return 0;
}

static DWORD WINAPI create_thread(void *arg)
{
    IUnknown *object;
    unsigned int i;

    for (i = 0; i < 1000; ++i)
    {
        if (create_instance(classes[i % ARRAY_SIZE(classes)].clsid, &IID_IUnknown, (void **)&object) == S_OK)
            IUnknown_Release(object);
    }
    return 0;
}

static void test_threads(void)
{
    IUnknown *objects[THREAD_COUNT];
    unsigned int i, j;
    ULONG refs;
    HRESULT hr;

    for (i = 0; i < ARRAY_SIZE(classes); ++i)
    {
        winetest_push_context("%s", classes[i].name);
        hr = create_instance(classes[i].clsid, classes[i].iid, (void **)&objects[0]);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        for (j = 1; j < ARRAY_SIZE(objects); ++j)
            objects[j] = objects[0];
        run_threads(refcount_thread, objects, sizeof(*objects), ARRAY_SIZE(objects));
        refs = get_refcount(objects[0]);
        ok(refs == 1, "Got %lu references.\n", refs);
        release_object(objects[0]);
        winetest_pop_context();
    }
    check_unload(S_OK);

    run_threads(create_thread, objects, sizeof(*objects), ARRAY_SIZE(objects));
    check_unload(S_OK);
}

START_TEST(classes)
{
    HRESULT hr;

    if (!load_qutil())
        return;

    hr = CoInitializeEx(NULL, COINIT_MULTITHREADED);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);

    test_class_objects();
    test_CreateInstance();
    test_aggregation();
    test_objects();
    test_DllCanUnloadNow();
    test_unload_results();
    test_registration();
    test_apartments();
    test_threads();

    CoUninitialize();
    FreeLibrary(qutil);
}
