/*
 * Lets each of qutil.dll's requests for memory fail, CoTaskMem's and the C heap's
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

#include "../../dlls/qutil/tests/qutil_test.h"
#include "winternl.h"
#include "heap_hooks.h"

#define UNTOUCHED ((void *)0xdeadbeef)

/* Two alike. Only the first one's requests fail; the second one shows how the first one should be. */
struct subject
{
    void *object, *twin;
    void (*compare)(void *object, void *twin);
};

struct call
{
    const char *name;
    HRESULT (*func)(void *object, const void *arg, void **out);
    void (*discard)(void *out, const void *arg); /* NULL: func has no out pointer */
    HRESULT failure; /* 0: E_OUTOFMEMORY */
};

/* Lets the first request of the call fail, then, in another call, the second one and so on, until none is left. */
static void check_call(const struct call *call, const struct subject *subject, const void *arg)
{
    HRESULT hr, twin_hr, failure = call->failure ? call->failure : E_OUTOFMEMORY;
    void *out = UNTOUCHED, *twin_out = UNTOUCHED;
    unsigned int n, heap_blocks, task_blocks;

    winetest_push_context("%s", call->name);
    for (n = 0;; ++n)
    {
        heap_blocks = block_count;
        task_blocks = spy_blocks();
        spy_fail_at(n);
        hr = call->func(subject->object, arg, &out);
        if (spy_countdown >= 0)
            break;
        winetest_push_context("request %u", n + 1);
        ok(hr == failure, "Got hr %#lx.\n", hr);
        if (call->discard)
            ok(!out, "Got %p.\n", out);
        ok(spy_blocks() == task_blocks, "Got %u CoTaskMem blocks, expected %u.\n", spy_blocks(), task_blocks);
        /* An object may keep a block for the next time. */
        if (subject->compare)
            subject->compare(subject->object, subject->twin);
        else
            ok(block_count == heap_blocks, "Got %u blocks, expected %u.\n", block_count, heap_blocks);
        winetest_pop_context();
        out = UNTOUCHED;
    }
    spy_fail_at(-1);
    twin_hr = call->func(subject->twin, arg, &twin_out);
    ok(SUCCEEDED(twin_hr), "Got hr %#lx.\n", twin_hr);
    ok(hr == twin_hr, "Got hr %#lx, expected %#lx.\n", hr, twin_hr);
    if (subject->compare)
        subject->compare(subject->object, subject->twin);
    if (call->discard && SUCCEEDED(hr) && SUCCEEDED(twin_hr))
    {
        call->discard(twin_out, arg);
        spy_fail_at(0);
        call->discard(out, arg);
        spy_fail_at(-1);
    }
    winetest_pop_context();
}

#define check_balanced() check_balanced_(__LINE__)
static void check_balanced_(int line)
{
    ok_balanced_(__FILE__, line);
    ok_(__FILE__, line)(!block_count, "%u blocks of the C heap are live.\n", block_count);
    ok_(__FILE__, line)(!timer_count, "%u timers are live.\n", timer_count);
    ok_(__FILE__, line)(pDllCanUnloadNow() == S_OK, "Something keeps the module.\n");
}

static HRESULT call_QueryInterface(void *object, const void *iid, void **out)
{
    return IUnknown_QueryInterface((IUnknown *)object, iid, out);
}

static HRESULT call_AddRef_Release(void *object, const void *arg, void **out)
{
    IUnknown_AddRef((IUnknown *)object);
    IUnknown_Release((IUnknown *)object);
    return S_OK;
}

static void discard_object(void *object, const void *arg)
{
    IUnknown_Release((IUnknown *)object);
}

static void check_unknown(const struct subject *subject, const IID *iid)
{
    static const struct call query = {"QueryInterface", call_QueryInterface, discard_object};
    static const struct call references = {"AddRef and Release", call_AddRef_Release};

    check_call(&query, subject, iid);
    check_call(&references, subject, NULL);
}

static void release_subject(const struct subject *subject)
{
    release_object(subject->twin);
    spy_fail_at(0);
    release_object(subject->object);
    spy_fail_at(-1);
}

static HRESULT call_DllGetClassObject(void *object, const void *clsid, void **out)
{
    return pDllGetClassObject(clsid, &IID_IClassFactory, out);
}

static HRESULT call_CreateInstance(void *object, const void *iid, void **out)
{
    return IClassFactory_CreateInstance((IClassFactory *)object, NULL, iid, out);
}

static HRESULT call_LockServer(void *object, const void *arg, void **out)
{
    HRESULT hr = IClassFactory_LockServer((IClassFactory *)object, TRUE);

    IClassFactory_LockServer((IClassFactory *)object, FALSE);
    return hr;
}

static void test_class(const CLSID *clsid, const IID *iid)
{
    static const struct call get_class = {"DllGetClassObject", call_DllGetClassObject, discard_object};
    static const struct call create = {"CreateInstance", call_CreateInstance, discard_object};
    static const struct call lock = {"LockServer", call_LockServer};
    struct subject subject = {NULL};
    HRESULT hr;

    check_call(&get_class, &subject, clsid);
    hr = pDllGetClassObject(clsid, &IID_IClassFactory, &subject.object);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    subject.twin = subject.object;
    check_unknown(&subject, &IID_IClassFactory);
    check_call(&create, &subject, iid);
    check_call(&lock, &subject, NULL);
    IClassFactory_Release((IClassFactory *)subject.object);
    check_balanced();
}

static HRESULT call_constructor_Initialize(void *object, const void *id, void **out)
{
    return INapSoHConstructor_Initialize((INapSoHConstructor *)object, *(const SystemHealthEntityId *)id, TRUE);
}

struct attribute
{
    SoHAttributeType type;
    SoHAttributeValue value;
};

static HRESULT call_AppendAttribute(void *object, const void *arg, void **out)
{
    const struct attribute *attribute = arg;

    return INapSoHConstructor_AppendAttribute((INapSoHConstructor *)object, attribute->type, &attribute->value);
}

static HRESULT call_GetSoH(void *object, const void *arg, void **out)
{
    return INapSoHConstructor_GetSoH((INapSoHConstructor *)object, (SoH **)out);
}

static HRESULT call_Validate(void *object, const void *soh, void **out)
{
    return INapSoHConstructor_Validate((INapSoHConstructor *)object, soh, TRUE);
}

static void discard_soh(void *soh, const void *arg)
{
    pFreeSoH(soh);
}

static void compare_constructors(void *object, void *twin)
{
    SoH *soh = NULL, *twin_soh = NULL;
    HRESULT hr, twin_hr;

    hr = INapSoHConstructor_GetSoH((INapSoHConstructor *)object, &soh);
    twin_hr = INapSoHConstructor_GetSoH((INapSoHConstructor *)twin, &twin_soh);
    ok(hr == twin_hr, "Got hr %#lx, expected %#lx.\n", hr, twin_hr);
    if (soh && twin_soh)
        ok(sohs_equal(soh, twin_soh), "The SoH has changed.\n");
    pFreeSoH(soh);
    pFreeSoH(twin_soh);
}

/* Arrays have as many elements as fit into size bytes on the wire. */
static void make_attribute(struct attribute *attribute, unsigned int i, unsigned int size)
{
    static BYTE bytes[maxSoHAttributeSize];
    enum arm arm;

    attribute->type = i % 19;
    if (attribute->type >= sohAttributeTypeSystemHealthId)
        ++attribute->type;
    memset(&attribute->value, i, sizeof(attribute->value));
    memset(bytes, i, sizeof(bytes));
    bytes[0] = ~i;
    arm = get_arm(attribute->type);
    if (arm == ARM_VENDOR)
        size -= sizeof(attribute->value.vendorSpecificVal.vendorId);
    if (get_element_size(attribute->type))
        set_array(attribute->type, &attribute->value, bytes, size / get_element_size(attribute->type));
}

static SoH *test_constructor(unsigned int count, unsigned int size)
{
    static const struct call initialize = {"Initialize", call_constructor_Initialize};
    static const struct call append = {"AppendAttribute", call_AppendAttribute};
    static const struct call get = {"GetSoH", call_GetSoH, discard_soh};
    static const struct call validate = {"Validate", call_Validate};
    static const SystemHealthEntityId id = 0x000137f0;
    struct subject subject = {NULL, NULL, compare_constructors};
    struct attribute attribute;
    unsigned int i;
    SoH *soh;

    subject.object = create_constructor();
    subject.twin = create_constructor();
    check_unknown(&subject, &IID_INapSoHConstructor);
    check_call(&initialize, &subject, &id);
    for (i = 1; i < count; ++i)
    {
        winetest_push_context("attribute %u", i);
        make_attribute(&attribute, i, size);
        check_call(&append, &subject, &attribute);
        winetest_pop_context();
    }
    check_call(&get, &subject, NULL);
    soh = get_soh(subject.object);
    ok(soh->count == count, "Got %u attributes, expected %u.\n", soh->count, count);
    check_call(&validate, &subject, soh);
    pFreeSoH(soh);

    soh = get_soh(subject.twin);
    release_subject(&subject);
    return soh;
}

static HRESULT call_processor_Initialize(void *object, const void *soh, void **out)
{
    SystemHealthEntityId id;

    return INapSoHProcessor_Initialize((INapSoHProcessor *)object, soh, TRUE, &id);
}

struct location
{
    UINT16 index;
    SoHAttributeType type;
};

/* What is found is part of the result, and so compared with the twin's. */
static HRESULT call_FindNextAttribute(void *object, const void *arg, void **out)
{
    const struct location *location = arg;
    UINT16 index;
    HRESULT hr;

    hr = INapSoHProcessor_FindNextAttribute((INapSoHProcessor *)object, 0, location->type, &index);
    return hr == S_OK ? index : hr;
}

static HRESULT call_GetNumberOfAttributes(void *object, const void *arg, void **out)
{
    UINT16 count;
    HRESULT hr;

    hr = INapSoHProcessor_GetNumberOfAttributes((INapSoHProcessor *)object, &count);
    return hr == S_OK ? count : hr;
}

static HRESULT call_GetAttribute(void *object, const void *arg, void **out)
{
    const struct location *location = arg;
    SoHAttributeType type;

    return INapSoHProcessor_GetAttribute((INapSoHProcessor *)object, location->index, &type,
            (SoHAttributeValue **)out);
}

static void discard_value(void *value, const void *arg)
{
    const struct location *location = arg;

    pFreeSoHAttributeValue(location->type, value);
}

static void compare_processors(void *object, void *twin)
{
    SoHAttributeValue *value, *twin_value;
    SoHAttributeType type, twin_type;
    HRESULT hr, twin_hr;
    UINT16 i = 0;

    do
    {
        hr = INapSoHProcessor_GetAttribute((INapSoHProcessor *)object, i, &type, &value);
        twin_hr = INapSoHProcessor_GetAttribute((INapSoHProcessor *)twin, i++, &twin_type, &twin_value);
        ok(hr == twin_hr, "Got hr %#lx, expected %#lx.\n", hr, twin_hr);
        if (hr == S_OK && twin_hr == S_OK)
            ok(type == twin_type && values_equal(type, value, twin_value), "Attribute %u has changed.\n", i);
        if (hr == S_OK)
            pFreeSoHAttributeValue(type, value);
        if (twin_hr == S_OK)
            pFreeSoHAttributeValue(twin_type, twin_value);
    } while (hr == S_OK && twin_hr == S_OK);
}

static void test_processor(const SoH *soh)
{
    static const struct call initialize = {"Initialize", call_processor_Initialize};
    static const struct call count = {"GetNumberOfAttributes", call_GetNumberOfAttributes};
    static const struct call find = {"FindNextAttribute", call_FindNextAttribute};
    static const struct call get = {"GetAttribute", call_GetAttribute, discard_value};
    struct subject subject = {NULL, NULL, compare_processors};
    struct location location;

    subject.object = create_processor();
    subject.twin = create_processor();
    check_unknown(&subject, &IID_INapSoHProcessor);
    check_call(&initialize, &subject, soh);
    check_call(&count, &subject, NULL);
    /* Each type once. */
    for (location.index = 0; location.index < min(soh->count, 20); ++location.index)
    {
        winetest_push_context("attribute %u", location.index);
        location.type = soh->attributes[location.index].type;
        check_call(&find, &subject, &location);
        check_call(&get, &subject, &location);
        winetest_pop_context();
    }
    release_subject(&subject);
}

static void test_packet(unsigned int count, unsigned int size)
{
    SoH *soh;

    winetest_push_context("%u attributes of %u bytes", count, size);
    soh = test_constructor(count, size);
    test_processor(soh);
    pFreeSoH(soh);
    check_balanced();
    winetest_pop_context();
}

struct structure
{
    const char *free;
    const char *alloc; /* NULL: the caller's to allocate */
    UINT16 count;
    const WCHAR *string;
    SIZE_T size;
    SIZE_T arrays[2]; /* offsets of pointers to further blocks; 0: none */
};

static HRESULT call_alloc(void *object, const void *arg, void **out)
{
    HRESULT (WINAPI *alloc_string)(void **, const WCHAR *) = object;
    HRESULT (WINAPI *alloc)(void **, UINT16) = object;
    const struct structure *structure = arg;

    return structure->string ? alloc_string(out, structure->string) : alloc(out, structure->count);
}

static void discard_structure(void *block, const void *arg)
{
    void (WINAPI *free_array)(UINT16, void **) = (void *)GetProcAddress(qutil, ((const struct structure *)arg)->free);
    void (WINAPI *free_structure)(void *) = (void *)free_array;
    const struct structure *structure = arg;

    if (structure->count && !structure->alloc)
        free_array(structure->count, &block);
    else
        free_structure(block);
}

static void test_structures(void)
{
    static const struct structure structures[] =
    {
        {"FreeConnections", "AllocConnections", 0},
        {"FreeConnections", "AllocConnections", maxConnectionCountPerEnforcer},
        {"FreeFixupInfo", "AllocFixupInfo", 0},
        {"FreeFixupInfo", "AllocFixupInfo", maxDwordCountPerSoHAttribute},
        {"FreeCountedString", "AllocCountedString", 0, L""},
        {"FreeCountedString", "AllocCountedString", 0, L"Sample SHA"},
        {"FreeIsolationInfo", NULL, 0, NULL, sizeof(IsolationInfo), {offsetof(IsolationInfo, failureUrl.string)}},
        {"FreeIsolationInfoEx", NULL, 0, NULL, sizeof(IsolationInfoEx),
            {offsetof(IsolationInfoEx, failureUrl.string)}},
        {"FreeNapComponentRegistrationInfoArray", NULL, 1, NULL, sizeof(NapComponentRegistrationInfo),
            {offsetof(NapComponentRegistrationInfo, description.string),
             offsetof(NapComponentRegistrationInfo, vendorName.string)}},
        {"FreeNetworkSoH", NULL, 0, NULL, sizeof(NetworkSoH), {offsetof(NetworkSoH, data)}},
        {"FreePrivateData", NULL, 0, NULL, sizeof(PrivateData), {offsetof(PrivateData, data)}},
        {"FreeSystemHealthAgentState", NULL, 0, NULL, sizeof(SystemHealthAgentState),
            {offsetof(SystemHealthAgentState, shaResultCodes.results),
             offsetof(SystemHealthAgentState, fixupInfo.resultCodes.results)}},
    };
    struct call call = {NULL, call_alloc, discard_structure};
    struct subject subject = {NULL};
    unsigned int i, j;
    BYTE *block;

    for (i = 0; i < ARRAY_SIZE(structures); ++i)
    {
        winetest_push_context("%s", structures[i].free);
        if ((call.name = structures[i].alloc))
        {
            subject.object = subject.twin = (void *)GetProcAddress(qutil, call.name);
            check_call(&call, &subject, &structures[i]);
        }
        else
        {
            block = CoTaskMemAlloc(structures[i].size);
            memset(block, 0, structures[i].size);
            for (j = 0; j < ARRAY_SIZE(structures[i].arrays) && structures[i].arrays[j]; ++j)
                *(void **)(block + structures[i].arrays[j]) = CoTaskMemAlloc(16);
            spy_fail_at(0);
            discard_structure(block, &structures[i]);
            spy_fail_at(-1);
        }
        check_balanced();
        winetest_pop_context();
    }
}

static HRESULT call_module_export(void *object, const void *arg, void **out)
{
    HRESULT (WINAPI *func)(void) = object;

    return func();
}

static void test_module(void)
{
    static const char * const names[] = {"DllCanUnloadNow", "DllUnregisterServer", "DllRegisterServer"};
    struct call call = {NULL, call_module_export};
    struct subject subject = {NULL};
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(names); ++i)
    {
        call.name = names[i];
        subject.object = subject.twin = (void *)GetProcAddress(qutil, call.name);
        check_call(&call, &subject, NULL);
        check_balanced();
    }
}

/* Subscribes and unsubscribes, so that the next call can subscribe again. */
static HRESULT call_notifier(void *event, const void *arg, void **out)
{
    HRESULT (WINAPI *initialize)(NapNotifyType, HANDLE) = (void *)GetProcAddress(qutil, "InitializeNapAgentNotifier");
    void (WINAPI *uninitialize)(NapNotifyType) = (void *)GetProcAddress(qutil, "UninitializeNapAgentNotifier");
    NapNotifyType type = *(const NapNotifyType *)arg;
    HRESULT hr = initialize(type, event);

    uninitialize(type);
    return hr;
}

/* It answers E_FAIL to every failure, as published. */
static void test_notifier(void)
{
    static const NapNotifyType types[] = {napNotifyTypeServiceState, napNotifyTypeQuarState};
    static const struct call notifier = {"InitializeNapAgentNotifier", call_notifier, NULL, E_FAIL};
    HANDLE event = CreateEventW(NULL, FALSE, FALSE, NULL);
    struct subject subject = {event, event};
    OBJECT_BASIC_INFORMATION info;
    unsigned int i;
    NTSTATUS status;

    for (i = 0; i < ARRAY_SIZE(types); ++i)
    {
        winetest_push_context("type %u", types[i]);
        check_call(&notifier, &subject, &types[i]);
        status = NtQueryObject(event, ObjectBasicInformation, &info, sizeof(info), NULL);
        ok(!status, "Got status %#lx.\n", status);
        ok(info.HandleCount == 1, "Got %lu handles of the event.\n", info.HandleCount);
        check_balanced();
        winetest_pop_context();
    }
    CloseHandle(event);
}

START_TEST(heap)
{
    if (!load_qutil())
        return;
    if (memcmp((char *)qutil + 0x40, "Wine builtin DLL", 16))
    {
        win_skip("This qutil.dll isn't Wine's; what it allocates by which means isn't known.\n");
        FreeLibrary(qutil);
        return;
    }
    if (!hook_imports(qutil))
    {
        win_skip("This qutil.dll imports none of the C heap's functions.\n");
        FreeLibrary(qutil);
        return;
    }
    spy_start();

    test_class(&CLSID_NapSoHConstructor, &IID_INapSoHConstructor);
    test_class(&CLSID_NapSoHProcessor, &IID_INapSoHProcessor);
    test_packet(1, 0);
    test_packet(maxSoHAttributeCount, 16);
    test_packet(20, maxSoHAttributeSize);
    test_structures();
    test_module();
    test_notifier();
    ok(request_count, "Nothing was allocated from the C heap.\n");

    spy_stop();
    FreeLibrary(qutil);
    ok(!GetModuleHandleW(L"qutil.dll"), "Something keeps the module loaded.\n");
}
