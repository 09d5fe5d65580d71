/*
 * Example client: the helper calls of a system health agent
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

/* Built as an outsider would build it, with mingw-w64's own headers and import library:
 *
 *   x86_64-w64-mingw32-gcc -O2 -Wall -Wextra -o sha.exe sha.c -lqutil -lole32 -luuid
 */

#define COBJMACROS
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>
#include <objbase.h>
#include <naputil.h>
#include <napprotocol.h>

/* COM lays down the methods' parameters, needed or not. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

#define SAMPLE_SHA_ID 0x000137f0

#define FIXUP_MESSAGE_ID 0x40000006

/* The sample's own result code: something is to be repaired. */
#define QUAR_E_NOTPATCHED ((HRESULT)0x80270050)

/* mingw-w64's headers declare these, but none of its libraries has them. */
const CLSID CLSID_NapSoHConstructor =
    { 0xe8140d53, 0x6535, 0x46a5, { 0xb8, 0xa1, 0xda, 0x6c, 0x57, 0x1d, 0xa9, 0xb9 } };
const CLSID CLSID_NapSoHProcessor =
    { 0xaa160628, 0x8775, 0x46e3, { 0x83, 0x7c, 0xf7, 0xa2, 0xae, 0x66, 0xe2, 0xf5 } };
const IID IID_INapSoHConstructor =
    { 0x35298344, 0x96a6, 0x45e7, { 0x9b, 0x6b, 0x62, 0xec, 0xc6, 0xe0, 0x99, 0x20 } };
const IID IID_INapSoHProcessor =
    { 0xfb2fa8b0, 0x2cd5, 0x457d, { 0xab, 0xa8, 0x43, 0x76, 0xf6, 0x3e, 0xa1, 0xc0 } };

static unsigned int steps, failures;

/* Prints one step. A step is right when its outcome reads as expected. */
static void step(const char *call, const char *subject, const char *expected, const char *format, ...)
{
    char outcome[256];
    va_list args;

    va_start(args, format);
    vsnprintf(outcome, sizeof(outcome), format, args);
    va_end(args);

    steps++;
    printf("  %-22s%-38s-> %s\n", call, subject, outcome);
    if (strcmp(outcome, expected))
    {
        failures++;
        printf("  %-22s%-38s   expected %s\n", "", "*** WRONG ***", expected);
    }
    fflush(stdout);
}

static const char *result_name(HRESULT hr)
{
    static char number[16];

    switch (hr)
    {
        case S_OK: return "S_OK";
        case S_FALSE: return "S_FALSE";
        case CLASS_E_CLASSNOTAVAILABLE: return "CLASS_E_CLASSNOTAVAILABLE";
        case CO_E_DLLNOTFOUND: return "CO_E_DLLNOTFOUND";
        case E_INVALIDARG: return "E_INVALIDARG";
        case E_NOINTERFACE: return "E_NOINTERFACE";
        case E_NOTIMPL: return "E_NOTIMPL";
        case E_OUTOFMEMORY: return "E_OUTOFMEMORY";
        case E_POINTER: return "E_POINTER";
        case QUAR_E_NOTPATCHED: return "QUAR_E_NOTPATCHED";
        case REGDB_E_CLASSNOTREG: return "REGDB_E_CLASSNOTREG";
    }
    snprintf(number, sizeof(number), "0x%08lx", (unsigned long)hr);
    return number;
}

/* Why an object could not be made. Wine has no messages for COM's own codes. */
static const char *result_words(HRESULT hr)
{
    static char words[128];
    DWORD len;

    switch (hr)
    {
        case CLASS_E_CLASSNOTAVAILABLE: return "the DLL doesn't have this class";
        case CO_E_DLLNOTFOUND: return "the DLL was not found";
        case E_NOINTERFACE: return "the object doesn't have this interface";
        case REGDB_E_CLASSNOTREG: return "the class is not registered";
    }
    len = FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS | FORMAT_MESSAGE_MAX_WIDTH_MASK,
            NULL, hr, 0, words, sizeof(words), NULL);
    while (len && words[len - 1] == ' ') len--;
    words[len] = 0;
    return len ? words : "the system knows no more of it";
}

/*
 * The Free functions report nothing. A spy on the task allocator knows which
 * blocks are in use, so that what they free can be told.
 */

static void *blocks[256];
static unsigned int stray_frees;

static BOOL is_block(const void *mem)
{
    unsigned int i;

    for (i = 0; mem && i < ARRAYSIZE(blocks); i++)
        if (blocks[i] == mem) return TRUE;
    return FALSE;
}

static unsigned int blocks_in_use(void)
{
    unsigned int i, count = 0;

    for (i = 0; i < ARRAYSIZE(blocks); i++)
        if (blocks[i]) count++;
    return count;
}

static const char *what_is_left(unsigned int before)
{
    static char text[64];
    int left = (int)(blocks_in_use() - before);

    if (!left && !stray_frees) return "nothing left";
    snprintf(text, sizeof(text), "%d block(s) left, %u wrong free(s)", left, stray_frees);
    stray_frees = 0;
    return text;
}

static void replace_block(const void *old, void *mem)
{
    unsigned int i;

    for (i = 0; i < ARRAYSIZE(blocks); i++)
    {
        if (blocks[i] != old) continue;
        blocks[i] = mem;
        return;
    }
}

static HRESULT STDMETHODCALLTYPE spy_QueryInterface(IMallocSpy *iface, REFIID riid, void **out)
{
    if (IsEqualIID(riid, &IID_IMallocSpy) || IsEqualIID(riid, &IID_IUnknown))
    {
        *out = iface;
        return S_OK;
    }
    *out = NULL;
    return E_NOINTERFACE;
}

static ULONG STDMETHODCALLTYPE spy_AddRef(IMallocSpy *iface)
{
    return 2;
}

static ULONG STDMETHODCALLTYPE spy_Release(IMallocSpy *iface)
{
    return 1;
}

static SIZE_T STDMETHODCALLTYPE spy_PreAlloc(IMallocSpy *iface, SIZE_T size)
{
    return size;
}

static void * STDMETHODCALLTYPE spy_PostAlloc(IMallocSpy *iface, void *mem)
{
    if (mem) replace_block(NULL, mem);
    return mem;
}

static void * STDMETHODCALLTYPE spy_PreFree(IMallocSpy *iface, void *mem, BOOL spyed)
{
    if (!mem) return NULL;
    if (!spyed)
    {
        /* Freed twice or never allocated: report it and spare the heap. */
        stray_frees++;
        return NULL;
    }
    replace_block(mem, NULL);
    return mem;
}

static void STDMETHODCALLTYPE spy_PostFree(IMallocSpy *iface, BOOL spyed)
{
}

static SIZE_T STDMETHODCALLTYPE spy_PreRealloc(IMallocSpy *iface, void *mem, SIZE_T size,
        void **new_mem, BOOL spyed)
{
    if (mem && spyed) replace_block(mem, NULL);
    *new_mem = mem;
    return size;
}

static void * STDMETHODCALLTYPE spy_PostRealloc(IMallocSpy *iface, void *mem, BOOL spyed)
{
    if (mem && spyed) replace_block(NULL, mem);
    return mem;
}

static void * STDMETHODCALLTYPE spy_PreGetSize(IMallocSpy *iface, void *mem, BOOL spyed)
{
    return mem;
}

static SIZE_T STDMETHODCALLTYPE spy_PostGetSize(IMallocSpy *iface, SIZE_T size, BOOL spyed)
{
    return size;
}

static void * STDMETHODCALLTYPE spy_PreDidAlloc(IMallocSpy *iface, void *mem, BOOL spyed)
{
    return mem;
}

static int STDMETHODCALLTYPE spy_PostDidAlloc(IMallocSpy *iface, void *mem, BOOL spyed, int actual)
{
    return actual;
}

static void STDMETHODCALLTYPE spy_PreHeapMinimize(IMallocSpy *iface)
{
}

static void STDMETHODCALLTYPE spy_PostHeapMinimize(IMallocSpy *iface)
{
}

static IMallocSpyVtbl spy_vtbl =
{
    spy_QueryInterface,
    spy_AddRef,
    spy_Release,
    spy_PreAlloc,
    spy_PostAlloc,
    spy_PreFree,
    spy_PostFree,
    spy_PreRealloc,
    spy_PostRealloc,
    spy_PreGetSize,
    spy_PostGetSize,
    spy_PreDidAlloc,
    spy_PostDidAlloc,
    spy_PreHeapMinimize,
    spy_PostHeapMinimize,
};

static IMallocSpy spy = { &spy_vtbl };

/*
 * Registration information, its strings filled and emptied in place.
 */

/* Only the struct is freed; the string lives on in the copy. */
static void fill_counted_string(CountedString *dest, const WCHAR *src)
{
    CountedString *tmp = NULL;
    char subject[64], expected[96];
    HRESULT hr;

    snprintf(subject, sizeof(subject), "L\"%ls\"", src);
    snprintf(expected, sizeof(expected), "S_OK, %u characters", (unsigned int)wcslen(src));

    hr = AllocCountedString(&tmp, src);
    if (FAILED(hr) || !tmp)
    {
        step("AllocCountedString", subject, expected, "%s, %s", result_name(hr), tmp ? "a struct" : "no struct");
        return;
    }
    step("AllocCountedString", subject, expected, "%s, %u characters%s%s", result_name(hr), tmp->length,
            is_block(tmp) ? "" : ", struct not a block of its own",
            is_block(tmp->string) ? "" : ", string not a block of its own");

    *dest = *tmp;
    CoTaskMemFree(tmp);

    snprintf(expected, sizeof(expected), "L\"%ls\" kept", src);
    step("CoTaskMemFree", "  the struct only", expected, "L\"%ls\" %s", dest->string ? dest->string : L"",
            is_block(dest->string) ? "kept" : "lost");
}

static void empty_counted_string(CountedString *string)
{
    CoTaskMemFree(string->string);
    memset(string, 0, sizeof(*string));
}

static void empty_registration_info(NapComponentRegistrationInfo *info)
{
    empty_counted_string(&info->friendlyName);
    empty_counted_string(&info->description);
    empty_counted_string(&info->version);
    empty_counted_string(&info->vendorName);
}

static void registration_info(void)
{
    NapComponentRegistrationInfo info;
    unsigned int before = blocks_in_use();

    memset(&info, 0, sizeof(info));
    info.id = SAMPLE_SHA_ID;
    fill_counted_string(&info.friendlyName, L"Sample SHA");
    fill_counted_string(&info.description, L"Sample system health agent");
    fill_counted_string(&info.version, L"1.0");
    fill_counted_string(&info.vendorName, L"Sample vendor");
    empty_registration_info(&info);
    step("CoTaskMemFree", "the four strings", "nothing left", "%s", what_is_left(before));

    /* The agent cleans up on every path, also before anything was filled. */
    empty_registration_info(&info);
    step("CoTaskMemFree", "the same strings, now NULL", "nothing left", "%s", what_is_left(before));
}

/*
 * What the agent answers when it is asked how its repairs are going.
 */

static void fixup_info(void)
{
    static const struct
    {
        const char *name;
        FixupState state;
        Percentage percentage;
    }
    answers[] =
    {
        { "nothing to repair, 100 %", fixupStateSuccess, 100 },
        { "repairing, 50 %", fixupStateInProgress, 50 },
        { "cannot repair, no percentage", fixupStateCouldNotUpdate, percentageNotSupported },
    };
    unsigned int i, before;
    FixupInfo *info;
    HRESULT hr;

    for (i = 0; i < ARRAYSIZE(answers); i++)
    {
        before = blocks_in_use();
        info = NULL;
        hr = AllocFixupInfo(&info, 1);
        if (FAILED(hr) || !info || !info->resultCodes.results)
        {
            step("AllocFixupInfo", answers[i].name, "S_OK, room for a code", "%s, %s", result_name(hr),
                    info ? "no room for a code" : "no struct");
            continue;
        }
        step("AllocFixupInfo", answers[i].name, "S_OK, room for a code", "%s, room for a code%s%s", result_name(hr),
                is_block(info) ? "" : ", struct not a block of its own",
                is_block(info->resultCodes.results) ? "" : ", codes not a block of their own");

        info->state = answers[i].state;
        info->percentage = answers[i].percentage;
        info->fixupMsgId = FIXUP_MESSAGE_ID;
        info->resultCodes.count = 1;
        info->resultCodes.results[0] = S_OK;

        FreeFixupInfo(info);
        step("FreeFixupInfo", "", "nothing left", "%s", what_is_left(before));
    }
}

/*
 * The list of connections that an enforcement client hands out.
 */

struct connection
{
    INapEnforcementClientConnection INapEnforcementClientConnection_iface;
    LONG refcount;
};

static struct connection *impl_from_INapEnforcementClientConnection(INapEnforcementClientConnection *iface)
{
    return CONTAINING_RECORD(iface, struct connection, INapEnforcementClientConnection_iface);
}

static HRESULT STDMETHODCALLTYPE connection_QueryInterface(INapEnforcementClientConnection *iface, REFIID riid,
        void **out)
{
    if (IsEqualIID(riid, &IID_IUnknown))
    {
        INapEnforcementClientConnection_AddRef(iface);
        *out = iface;
        return S_OK;
    }
    *out = NULL;
    return E_NOINTERFACE;
}

static ULONG STDMETHODCALLTYPE connection_AddRef(INapEnforcementClientConnection *iface)
{
    return InterlockedIncrement(&impl_from_INapEnforcementClientConnection(iface)->refcount);
}

static ULONG STDMETHODCALLTYPE connection_Release(INapEnforcementClientConnection *iface)
{
    return InterlockedDecrement(&impl_from_INapEnforcementClientConnection(iface)->refcount);
}

/* A list of connections is about references; nothing else is called. */
static INapEnforcementClientConnectionVtbl connection_vtbl =
{
    .QueryInterface = connection_QueryInterface,
    .AddRef = connection_AddRef,
    .Release = connection_Release,
};

static void connections(void)
{
    struct connection connection = { { &connection_vtbl }, 1 };
    unsigned int before = blocks_in_use();
    Connections *list = NULL;
    HRESULT hr;

    hr = AllocConnections(&list, 0);
    step("AllocConnections", "none", "S_OK, a struct", "%s, %s", result_name(hr), list ? "a struct" : "no struct");
    if (SUCCEEDED(hr) && list)
    {
        list->count = 0;
        list->connections = NULL;
        FreeConnections(list);
        step("FreeConnections", "", "nothing left", "%s", what_is_left(before));
    }

    before = blocks_in_use();
    list = NULL;
    hr = AllocConnections(&list, 1);
    step("AllocConnections", "one", "S_OK, room for it", "%s, %s", result_name(hr),
            !list ? "no struct" : is_block(list->connections) ? "room for it" : "no room for it");
    if (FAILED(hr) || !list || !list->connections) return;

    list->count = 1;
    list->connections[0] = &connection.INapEnforcementClientConnection_iface;
    INapEnforcementClientConnection_AddRef(list->connections[0]);
    step("AddRef", "the connection in the list", "2 references", "%ld references", (long)connection.refcount);

    FreeConnections(list);
    step("FreeConnections", "", "nothing left, 1 reference", "%s, %ld reference%s", what_is_left(before),
            (long)connection.refcount, connection.refcount == 1 ? "" : "s");
}

/*
 * Structures of plain CoTaskMem blocks, as COM's unmarshalling makes them.
 */

static void *copy_block(const void *src, SIZE_T size)
{
    void *block;

    if (!(block = CoTaskMemAlloc(size)))
    {
        printf("Out of memory.\n");
        exit(1);
    }
    memcpy(block, src, size);
    return block;
}

static void soh(void)
{
    static const BYTE id[] = { 0x00, 0x01, 0x37, 0xf0 };
    static const BYTE healthy[] = { 0x00, 0x01, 0x37, 0xf0, 0xaa, 0xaa };
    SoHAttribute attributes[2] =
    {
        { .type = sohAttributeTypeSystemHealthId, .size = sizeof(id) },
        { .type = sohAttributeTypeVendorSpecific, .size = sizeof(healthy) },
    };
    SoH packet = { .count = ARRAYSIZE(attributes) }, *request;
    unsigned int before = blocks_in_use();

    attributes[0].value = copy_block(id, sizeof(id));
    attributes[1].value = copy_block(healthy, sizeof(healthy));
    packet.attributes = copy_block(attributes, sizeof(attributes));
    request = copy_block(&packet, sizeof(packet));
    step("CoTaskMemAlloc", "SystemHealthId, VendorSpecific AA AA", "4 blocks", "%u blocks", blocks_in_use() - before);

    FreeSoH(request);
    step("FreeSoH", "", "nothing left", "%s", what_is_left(before));

    FreeSoH(NULL);
    step("FreeSoH", "NULL", "nothing left", "%s", what_is_left(before));
}

static void isolation_info(void)
{
    static const WCHAR url[] = L"http://fixup.example.com/";
    IsolationInfo isolation, *info;
    unsigned int before = blocks_in_use();

    memset(&isolation, 0, sizeof(isolation));
    isolation.isolationState = isolationStateRestrictedAccess;
    isolation.failureUrl.length = ARRAYSIZE(url) - 1;
    isolation.failureUrl.string = copy_block(url, sizeof(url));
    info = copy_block(&isolation, sizeof(isolation));
    step("CoTaskMemAlloc", "restricted, with a help URL", "2 blocks", "%u blocks", blocks_in_use() - before);

    FreeIsolationInfo(info);
    step("FreeIsolationInfo", "", "nothing left", "%s", what_is_left(before));

    memset(&isolation, 0, sizeof(isolation));
    isolation.isolationState = isolationStateNotRestricted;
    info = copy_block(&isolation, sizeof(isolation));
    step("CoTaskMemAlloc", "not restricted, no URL", "1 block", "%u block%s", blocks_in_use() - before,
            blocks_in_use() - before == 1 ? "" : "s");

    FreeIsolationInfo(info);
    step("FreeIsolationInfo", "", "nothing left", "%s", what_is_left(before));

    FreeIsolationInfo(NULL);
    step("FreeIsolationInfo", "NULL", "nothing left", "%s", what_is_left(before));
}

/*
 * Statements of health, built by the constructor and read by the processor.
 */

static const char *type_name(SoHAttributeType type)
{
    switch (type)
    {
        case sohAttributeTypeSystemHealthId: return "SystemHealthId";
        case sohAttributeTypeIpv4FixupServers: return "Ipv4FixupServers";
        case sohAttributeTypeComplianceResultCodes: return "ComplianceResultCodes";
        case sohAttributeTypeTimeOfLastUpdate: return "TimeOfLastUpdate";
        case sohAttributeTypeClientId: return "ClientId";
        case sohAttributeTypeVendorSpecific: return "VendorSpecific";
        case sohAttributeTypeHealthClass: return "HealthClass";
        case sohAttributeTypeSoftwareVersion: return "SoftwareVersion";
        case sohAttributeTypeProductName: return "ProductName";
        case sohAttributeTypeHealthClassStatus: return "HealthClassStatus";
        case sohAttributeTypeSoHGenerationTime: return "SoHGenerationTime";
        case sohAttributeTypeErrorCodes: return "ErrorCodes";
        case sohAttributeTypeFailureCategory: return "FailureCategory";
        case sohAttributeTypeIpv6FixupServers: return "Ipv6FixupServers";
        case sohAttributeTypeExtendedIsolationState: return "ExtendedIsolationState";
    }
    return "unknown";
}

struct text
{
    char chars[256];
    size_t len;
};

/* What is too long for the text is cut off. */
static void append(struct text *text, const char *format, ...)
{
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(text->chars + text->len, sizeof(text->chars) - text->len, format, args);
    va_end(args);
    if (len > 0) text->len = min(text->len + len, sizeof(text->chars) - 1);
}

static UINT32 read_be32(const BYTE *bytes)
{
    return (UINT32)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
}

/* An attribute's value, which is in the form that goes over the network. */
static void append_value(struct text *text, const SoHAttribute *attribute)
{
    unsigned int i = 0;

    if (attribute->size >= 4) switch (attribute->type)
    {
        case sohAttributeTypeSystemHealthId:
        case sohAttributeTypeVendorSpecific:
            append(text, "component %#x", read_be32(attribute->value));
            i = 4;
            break;
        case sohAttributeTypeComplianceResultCodes:
        case sohAttributeTypeErrorCodes:
            for (; i + 4 <= attribute->size; i += 4)
                append(text, "%s%s", i ? ", " : "", result_name(read_be32(attribute->value + i)));
            break;
    }
    if (i && i < attribute->size) append(text, ", data");
    for (; i < attribute->size; i++) append(text, "%s%02x", i ? " " : "", attribute->value[i]);
}

/* Type, size and value: what an attribute is on the network. */
static void append_wire(struct text *text, const SoHAttribute *attribute)
{
    unsigned int i;

    append(text, "%04x %04x", attribute->type, attribute->size);
    for (i = 0; i < attribute->size; i++) append(text, "%s%02x", i % 4 ? "" : " ", attribute->value[i]);
}

static void print_soh(const SoH *soh)
{
    struct text value;
    unsigned int i;

    printf("      #  Type                       Size  Value\n");
    for (i = 0; i < soh->count; i++)
    {
        memset(&value, 0, sizeof(value));
        append_value(&value, &soh->attributes[i]);
        printf("    %3u  %3u %-22s %5u  %s\n", i, soh->attributes[i].type, type_name(soh->attributes[i].type),
                soh->attributes[i].size, value.chars);
    }
}

static BOOL is_readable(const SoH *soh)
{
    unsigned int i;

    if (!soh->count || !is_block(soh->attributes)) return FALSE;
    for (i = 0; i < soh->count; i++)
        if (soh->attributes[i].size && !is_block(soh->attributes[i].value)) return FALSE;
    return is_block(soh);
}

static BOOL create_object(REFCLSID clsid, REFIID iid, const char *name, void **out)
{
    HRESULT hr;

    *out = NULL;
    hr = CoCreateInstance(clsid, NULL, CLSCTX_INPROC_SERVER, iid, out);
    if (FAILED(hr)) step("CoCreateInstance", name, "S_OK, an object", "%s: %s", result_name(hr), result_words(hr));
    else step("CoCreateInstance", name, "S_OK, an object", "%s, %s", result_name(hr), *out ? "an object" : "no object");
    return SUCCEEDED(hr) && *out;
}

struct statement
{
    BOOL is_request;
    SoHAttributeType type;
    const char *subject;
    SoHAttributeValue value;
    const char *wire;
    const char *reader;
    const char *verdict;
    SoHAttributeType missing;
};

static SoH *build(const struct statement *statement)
{
    INapSoHConstructor *constructor;
    struct text wire = { "", 0 };
    unsigned int i;
    SoH *soh = NULL;
    void *object;
    HRESULT hr;

    if (!create_object(&CLSID_NapSoHConstructor, &IID_INapSoHConstructor, "NapSoHConstructor", &object)) return NULL;
    constructor = object;

    hr = INapSoHConstructor_Initialize(constructor, SAMPLE_SHA_ID, statement->is_request);
    step("Initialize", statement->is_request ? "0x137f0, a request" : "0x137f0, a response", "S_OK", "%s",
            result_name(hr));
    hr = INapSoHConstructor_AppendAttribute(constructor, statement->type, &statement->value);
    step("AppendAttribute", statement->subject, "S_OK", "%s", result_name(hr));

    hr = INapSoHConstructor_GetSoH(constructor, &soh);
    if (FAILED(hr) || !soh || !is_readable(soh))
    {
        step("GetSoH", "", "S_OK, 2 attributes", "%s, %s", result_name(hr),
                soh ? "not all in blocks of their own" : "no struct");
        soh = NULL;
    }
    else step("GetSoH", "", "S_OK, 2 attributes", "%s, %u attributes", result_name(hr), soh->count);

    /* The statement outlives its constructor. */
    step("Release", "the constructor", "0 references left", "%lu references left",
            (unsigned long)INapSoHConstructor_Release(constructor));
    if (!soh) return NULL;

    print_soh(soh);
    for (i = 0; i < soh->count; i++)
    {
        if (i) append(&wire, " / ");
        append_wire(&wire, &soh->attributes[i]);
    }
    step("", "  on the network", statement->wire, "%s", wire.chars);
    return soh;
}

/* The sample agent has its validator know its health by two bytes. */
static const char *read_request(const SoHAttributeValue *value)
{
    static const BYTE healthy[] = { 0xaa, 0xaa }, unhealthy[] = { 0xba, 0xad };

    if (value->vendorSpecificVal.vendorId != SAMPLE_SHA_ID) return "of another vendor";
    if (value->vendorSpecificVal.size != sizeof(healthy)) return "of a wrong size";
    if (!is_block(value->vendorSpecificVal.vendorSpecificData)) return "data not a block of its own";
    if (!memcmp(value->vendorSpecificVal.vendorSpecificData, healthy, sizeof(healthy))) return "AA AA, healthy";
    if (!memcmp(value->vendorSpecificVal.vendorSpecificData, unhealthy, sizeof(unhealthy))) return "BA AD, unhealthy";
    return "neither healthy nor unhealthy";
}

static const char *read_response(const SoHAttributeValue *value)
{
    static char verdict[64];

    if (value->codesVal.count != 1) return "not one code";
    if (!is_block(value->codesVal.results)) return "codes not a block of their own";
    snprintf(verdict, sizeof(verdict), "%s, %s", result_name(value->codesVal.results[0]),
            FAILED(value->codesVal.results[0]) ? "repairs needed" : "no repairs needed");
    return verdict;
}

static void read_attribute(INapSoHProcessor *processor, const struct statement *statement, UINT16 location)
{
    SoHAttributeValue *value = NULL;
    SoHAttributeType type = 0;
    char subject[16], expected[64];
    unsigned int before = blocks_in_use();
    HRESULT hr;

    snprintf(subject, sizeof(subject), "%u", location);
    snprintf(expected, sizeof(expected), "S_OK, %s", type_name(statement->type));
    hr = INapSoHProcessor_GetAttribute(processor, location, &type, &value);
    step("GetAttribute", subject, expected, "%s, %s", result_name(hr), value ? type_name(type) : "no value");
    if (FAILED(hr) || !value) return;

    if (type == statement->type)
        step("", statement->reader, statement->verdict, "%s",
                statement->is_request ? read_request(value) : read_response(value));
    FreeSoHAttributeValue(type, value);
    step("FreeSoHAttributeValue", "", "nothing left", "%s", what_is_left(before));
}

static void read_back(const struct statement *statement, const SoH *soh)
{
    INapSoHProcessor *processor;
    SystemHealthEntityId id = 0;
    UINT16 count = 0, location = 0;
    void *object;
    HRESULT hr;

    if (!create_object(&CLSID_NapSoHProcessor, &IID_INapSoHProcessor, "NapSoHProcessor", &object)) return;
    processor = object;

    hr = INapSoHProcessor_Initialize(processor, soh, statement->is_request, &id);
    step("Initialize", statement->is_request ? "a request" : "a response", "S_OK, from 0x137f0", "%s, from %#x",
            result_name(hr), id);
    hr = INapSoHProcessor_GetNumberOfAttributes(processor, &count);
    step("GetNumberOfAttributes", "", "S_OK, 2", "%s, %u", result_name(hr), count);
    hr = INapSoHProcessor_FindNextAttribute(processor, 0, statement->type, &location);
    step("FindNextAttribute", type_name(statement->type), "S_OK, 1", "%s, %u", result_name(hr), location);
    if (SUCCEEDED(hr)) read_attribute(processor, statement, location);

    hr = INapSoHProcessor_FindNextAttribute(processor, 0, statement->missing, &location);
    step("FindNextAttribute", type_name(statement->missing), "0x80070002, not there", "%s, %s", result_name(hr),
            FAILED(hr) ? "not there" : "there");
    step("Release", "the processor", "0 references left", "%lu references left",
            (unsigned long)INapSoHProcessor_Release(processor));
}

static void build_and_read(const struct statement *statement)
{
    unsigned int before = blocks_in_use();
    SoH *soh;

    if (!(soh = build(statement))) return;
    read_back(statement, soh);
    FreeSoH(soh);
    step("FreeSoH", "", "nothing left", "%s", what_is_left(before));
}

static void request(void)
{
    static BYTE healthy[] = { 0xaa, 0xaa };
    static const struct statement statement =
    {
        .is_request = TRUE,
        .type = sohAttributeTypeVendorSpecific,
        .subject = "VendorSpecific AA AA",
        .value.vendorSpecificVal = { SAMPLE_SHA_ID, sizeof(healthy), healthy },
        .wire = "0002 0004 000137f0 / 0007 0006 000137f0 aaaa",
        .reader = "  as the validator reads it",
        .verdict = "AA AA, healthy",
        .missing = sohAttributeTypeComplianceResultCodes,
    };

    build_and_read(&statement);
}

static void response(void)
{
    static HRESULT code = QUAR_E_NOTPATCHED;
    static const struct statement statement =
    {
        .is_request = FALSE,
        .type = sohAttributeTypeComplianceResultCodes,
        .subject = "ComplianceResultCodes 0x80270050",
        .value.codesVal = { 1, &code },
        .wire = "0002 0004 000137f0 / 0004 0004 80270050",
        .reader = "  as the agent reads it",
        .verdict = "QUAR_E_NOTPATCHED, repairs needed",
        .missing = sohAttributeTypeVendorSpecific,
    };

    build_and_read(&statement);
}

/*
 * What to call, in the order in which an agent comes to it.
 */

static const struct
{
    const char *title;
    void (*run)(void);
}
parts[] =
{
    { "Registration: fill the strings, keep them, free them", registration_info },
    { "Repairs: answer how far they are", fixup_info },
    { "Connections: list them for the agent", connections },
    { "Request: build the agent's statement of health, read it as the validator does", request },
    { "Response: build the validator's answer, read it as the agent does", response },
    { "Statement of health: free what was received", soh },
    { "Isolation state: free what was received", isolation_info },
};

static int usage(FILE *out, int status)
{
    fprintf(out, "Usage: sha [--help] [--exit STATUS]\n"
            "Makes the QUtil.dll calls of a system health agent and says how each went.\n"
            "\n"
            "  --help         Print this text.\n"
            "  --exit STATUS  Call nothing, exit with STATUS.\n"
            "\n"
            "Exits with 0 when every step went right, with 1 otherwise.\n");
    return status;
}

int main(int argc, char **argv)
{
    unsigned int i;
    HRESULT hr;
    char *end;
    long status;

    if (argc == 2 && !strcmp(argv[1], "--help")) return usage(stdout, 0);
    if (argc == 3 && !strcmp(argv[1], "--exit"))
    {
        status = strtol(argv[2], &end, 0);
        if (end != argv[2] && !*end) return status;
    }
    if (argc > 1) return usage(stderr, 2);

    printf("Sample system health agent %#x, %u-bit\n", SAMPLE_SHA_ID, (unsigned int)sizeof(void *) * 8);

    hr = CoInitializeEx(NULL, COINIT_MULTITHREADED);
    if (FAILED(hr) || FAILED(hr = CoRegisterMallocSpy(&spy)))
    {
        printf("Could not set up COM: %s.\n", result_name(hr));
        return 1;
    }

    for (i = 0; i < ARRAYSIZE(parts); i++)
    {
        printf("\n%s\n", parts[i].title);
        parts[i].run();
    }

    CoRevokeMallocSpy();
    CoUninitialize();

    if (failures) printf("\n%u of %u steps failed.\n", failures, steps);
    else printf("\nAll %u steps went right.\n", steps);
    return failures ? 1 : 0;
}
