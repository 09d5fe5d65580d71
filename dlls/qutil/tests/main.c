/*
 * Tests for the exports of qutil.dll
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
#include <string.h>

#include "windef.h"
#include "winbase.h"
#include "winver.h"
#include "objbase.h"
#include "ocidl.h"
/* The GUIDs that the other tests refer to, too, are defined here. */
#include "initguid.h"
#include "napcertrelyingparty.h"
#include "napcommon.h"
#include "napsystemhealthagent.h"
#include "napsystemhealthvalidator.h"
#include "naputil.h"

#include "wine/test.h"

static HRESULT (WINAPI *pDllCanUnloadNow)(void);
static HRESULT (WINAPI *pDllGetClassObject)(REFCLSID, REFIID, void **);
static HRESULT (WINAPI *pDllRegisterServer)(void);
static HRESULT (WINAPI *pDllUnregisterServer)(void);

/* Reports of test runs start with this. */
static void trace_versions(HMODULE qutil)
{
    const char * (CDECL *pwine_get_version)(void);
    void (WINAPI *pRtlGetVersion)(OSVERSIONINFOEXW *);
    DWORD error = GetLastError();
    HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
    OSVERSIONINFOEXW version = {sizeof(version)};
    VS_FIXEDFILEINFO *info;
    char path[MAX_PATH];
    BYTE buffer[4096];
    UINT size;

    /* Unlike GetVersionExW() it tells every program the truth. */
    pRtlGetVersion = (void *)GetProcAddress(ntdll, "RtlGetVersion");
    pRtlGetVersion(&version);
    trace("Windows %lu.%lu.%lu, service pack %u, product type %u, %u-bit test\n", version.dwMajorVersion,
            version.dwMinorVersion, version.dwBuildNumber, version.wServicePackMajor, version.wProductType,
            (unsigned int)(8 * sizeof(void *)));
    if ((pwine_get_version = (void *)GetProcAddress(ntdll, "wine_get_version")))
        trace("Wine %s\n", pwine_get_version());

    if (!qutil)
    {
        trace("no qutil.dll, error %lu\n", error);
        return;
    }
    GetModuleFileNameA(qutil, path, ARRAY_SIZE(path));
    if (GetFileVersionInfoA(path, 0, sizeof(buffer), buffer) && VerQueryValueA(buffer, "\\", (void **)&info, &size))
        trace("%s, version %u.%u.%u.%u\n", path,
                HIWORD(info->dwFileVersionMS), LOWORD(info->dwFileVersionMS),
                HIWORD(info->dwFileVersionLS), LOWORD(info->dwFileVersionLS));
    else
        trace("%s, without a version\n", path);
}

static void test_exports(HMODULE qutil)
{
    static const struct
    {
        const char *name;
        BOOL optional; /* not on each Windows that has the DLL */
    }
    tests[] =
    {
        {"AllocConnections"},
        {"AllocCountedString"},
        {"AllocFixupInfo"},
        {"DllCanUnloadNow"},
        {"DllGetClassObject"},
        {"DllRegisterServer"},
        {"DllUnregisterServer"},
        {"FreeConnections"},
        {"FreeCountedString"},
        {"FreeFixupInfo"},
        {"FreeIsolationInfo"},
        {"FreeIsolationInfoEx", TRUE},
        {"FreeNapComponentRegistrationInfoArray"},
        {"FreeNetworkSoH"},
        {"FreePrivateData"},
        {"FreeSoH"},
        {"FreeSoHAttributeValue"},
        {"FreeSystemHealthAgentState"},
        {"InitializeNapAgentNotifier"},
        {"UninitializeNapAgentNotifier"},
    };
    unsigned int i;
    void *proc;

    for (i = 0; i < ARRAY_SIZE(tests); ++i)
    {
        proc = (void *)GetProcAddress(qutil, tests[i].name);
        ok(!!proc || broken(tests[i].optional), "%s is not exported.\n", tests[i].name);
    }
}

static void test_DllGetClassObject(void)
{
    static const CLSID unknown_clsids[] =
    {
        {0},
        {0xdeadbeef, 0xdead, 0xbeef, {0xde, 0xad, 0xbe, 0xef, 0xde, 0xad, 0xbe, 0xef}},
        /* NapSoHConstructor's and NapSoHProcessor's, but for the last byte. */
        {0xe8140d53, 0x6535, 0x46a5, {0xb8, 0xa1, 0xda, 0x6c, 0x57, 0x1d, 0xa9, 0xba}},
        {0xaa160628, 0x8775, 0x46e3, {0x83, 0x7c, 0xf7, 0xa2, 0xae, 0x66, 0xe2, 0xf6}},
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

static void test_DllCanUnloadNow(void)
{
    HRESULT (WINAPI *pAllocCountedString)(void **, const WCHAR *);
    void (WINAPI *pFreeCountedString)(void *);
    HMODULE qutil = GetModuleHandleW(L"qutil.dll");
    void *string = NULL;
    HRESULT hr;

    hr = pDllCanUnloadNow();
    ok(hr == S_OK, "Got hr %#lx.\n", hr);

    /* Allocated memory is no object. */
    pAllocCountedString = (void *)GetProcAddress(qutil, "AllocCountedString");
    pFreeCountedString = (void *)GetProcAddress(qutil, "FreeCountedString");
    if (pAllocCountedString && pFreeCountedString)
    {
        hr = pAllocCountedString(&string, L"abc");
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        hr = pDllCanUnloadNow();
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        pFreeCountedString(string);
    }
    hr = pDllCanUnloadNow();
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
}

static void test_DllRegisterServer(void)
{
    HRESULT hr;

    if (strcmp(winetest_platform, "wine"))
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

START_TEST(main)
{
    HMODULE qutil;

    qutil = LoadLibraryW(L"qutil.dll");
    trace_versions(qutil);
    if (!qutil)
    {
        win_skip("qutil.dll is not available.\n");
        return;
    }

    test_exports(qutil);

    pDllCanUnloadNow = (void *)GetProcAddress(qutil, "DllCanUnloadNow");
    pDllGetClassObject = (void *)GetProcAddress(qutil, "DllGetClassObject");
    pDllRegisterServer = (void *)GetProcAddress(qutil, "DllRegisterServer");
    pDllUnregisterServer = (void *)GetProcAddress(qutil, "DllUnregisterServer");
    if (pDllGetClassObject && pDllCanUnloadNow && pDllRegisterServer && pDllUnregisterServer)
    {
        test_DllGetClassObject();
        test_DllCanUnloadNow();
        test_DllRegisterServer();
    }

    FreeLibrary(qutil);
}
