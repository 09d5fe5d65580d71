/*
 * Texts from the classes that vendors have for their components
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

#include <stdio.h>
#include <stdlib.h>

#include "napstat.h"
#include "winreg.h"

#include "initguid.h"
#include "napcommon.h"

#define TIMEOUT 5000 /* milliseconds */
#define MAX_ENTRIES 100

struct entry
{
    struct entry *next;
    CLSID clsid;
    HRESULT result;
    MessageId fixup;
    struct component_texts texts;
};

/* A class may be for programs of the other bitness only. */
static BOOL class_is_registered(const WCHAR *clsid, BOOL other)
{
    REGSAM view = sizeof(void *) == 8 ? KEY_WOW64_32KEY : KEY_WOW64_64KEY;
    WCHAR path[6 + 39];
    HKEY key;

    swprintf(path, ARRAY_SIZE(path), L"CLSID\\%s", clsid);
    if (RegOpenKeyExW(HKEY_CLASSES_ROOT, path, 0, KEY_QUERY_VALUE | (other ? view : 0), &key)) return FALSE;
    RegCloseKey(key);
    return TRUE;
}

static BOOL get_program(BOOL other, WCHAR path[MAX_PATH])
{
    WCHAR windows[MAX_PATH];

    if (!other) return GetModuleFileNameW(NULL, path, MAX_PATH);
    GetWindowsDirectoryW(windows, ARRAY_SIZE(windows));
    swprintf(path, MAX_PATH, L"%s\\%s\\napstat.exe", windows, sizeof(void *) == 8 ? L"syswow64" : L"sysnative");
    return GetFileAttributesW(path) != INVALID_FILE_ATTRIBUTES;
}

static BOOL run_program(const WCHAR *path, const WCHAR *clsid, HRESULT result, MessageId fixup, HANDLE pipe)
{
    STARTUPINFOW startup = { sizeof(startup) };
    WCHAR command[MAX_PATH + 128];
    PROCESS_INFORMATION info;
    BOOL ret;

    swprintf(command, ARRAY_SIZE(command), L"\"%s\" %s %Iu %s %u %u", path, TELL_ARGUMENT, (SIZE_T)pipe, clsid,
            result, fixup);
    startup.dwFlags = STARTF_USESTDHANDLES;
    if (!CreateProcessW(path, command, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &info)) return FALSE;
    if (!(ret = !WaitForSingleObject(info.hProcess, TIMEOUT)))
    {
        TerminateProcess(info.hProcess, 1);
        WaitForSingleObject(info.hProcess, TIMEOUT);
    }
    CloseHandle(info.hThread);
    CloseHandle(info.hProcess);
    return ret;
}

static BOOL read_texts(const WCHAR *path, const WCHAR *clsid, HRESULT result, MessageId fixup,
        struct component_texts *texts)
{
    SECURITY_ATTRIBUTES attributes = { sizeof(attributes), NULL, TRUE };
    DWORD available, size = 0;
    HANDLE read, write;
    UINT i;

    /* big enough for whoever writes not to wait */
    if (!CreatePipe(&read, &write, &attributes, 2 * sizeof(*texts))) return FALSE;
    SetHandleInformation(read, HANDLE_FLAG_INHERIT, 0);
    if (run_program(path, clsid, result, fixup, write) && PeekNamedPipe(read, NULL, 0, NULL, &available, NULL)
            && available == sizeof(*texts))
        ReadFile(read, texts, sizeof(*texts), &size, NULL);
    CloseHandle(write);
    CloseHandle(read);

    if (size != sizeof(*texts))
    {
        memset(texts, 0, sizeof(*texts));
        return FALSE;
    }
    for (i = 0; i < COMPONENT_TEXT_COUNT; i++) texts->texts[i][maxStringLength] = 0;
    return TRUE;
}

static void ask_class(const CLSID *clsid, HRESULT result, MessageId fixup, struct component_texts *texts)
{
    WCHAR string[39], path[MAX_PATH];
    BOOL other;

    StringFromGUID2(clsid, string, ARRAY_SIZE(string));
    for (other = FALSE; other <= TRUE; other++)
    {
        if (class_is_registered(string, other) && get_program(other, path)
                && read_texts(path, string, result, fixup, texts))
            break;
    }
}

const struct component_texts *get_component_texts(const CLSID *clsid, HRESULT result, MessageId fixup)
{
    static struct entry *entries;
    static UINT count;
    struct entry *entry;

    for (entry = entries; entry; entry = entry->next)
    {
        if (IsEqualCLSID(&entry->clsid, clsid) && entry->result == result && entry->fixup == fixup)
            return &entry->texts;
    }

    if (++count > MAX_ENTRIES)
    {
        while ((entry = entries))
        {
            entries = entry->next;
            free(entry);
        }
        count = 1;
    }
    entry = allocate(sizeof(*entry));
    entry->next = entries;
    entries = entry;
    entry->clsid = *clsid;
    entry->result = result;
    entry->fixup = fixup;

    ask_class(clsid, result, fixup, &entry->texts);
    return &entry->texts;
}

static void get_text(INapComponentInfo *info, HRESULT hr, MessageId id, WCHAR text[maxStringLength + 1])
{
    CountedString *string = NULL;
    UINT i;

    if (FAILED(hr) || FAILED(INapComponentInfo_GetLocalizedString(info, id, &string)) || !string || !string->string)
        return;
    for (i = 0; i < min(string->length, maxStringLength) && string->string[i]; i++) text[i] = string->string[i];
    /* FormatMessage() ends in a new line. */
    while (i && text[i - 1] <= ' ') i--;
    text[i] = 0;
}

/* The process that does nothing else; what it has allocated goes with it. */
int tell_component_texts(int argc, WCHAR *argv[])
{
    struct component_texts *texts = allocate(sizeof(*texts));
    INapComponentInfo *info;
    HRESULT hr, result;
    DWORD written;
    MessageId id;
    CLSID clsid;
    HANDLE pipe;

    if (argc != 6) return 1;
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
    pipe = (HANDLE)(SIZE_T)_wcstoui64(argv[2], NULL, 10);
    result = wcstoul(argv[4], NULL, 10);
    if (FAILED(CLSIDFromString(argv[3], &clsid)) || FAILED(CoInitializeEx(NULL, COINIT_MULTITHREADED))) return 1;
    if (FAILED(CoCreateInstance(&clsid, NULL, CLSCTX_INPROC_SERVER | CLSCTX_LOCAL_SERVER, &IID_INapComponentInfo,
            (void **)&info)))
        return 1;

    hr = INapComponentInfo_GetFriendlyName(info, &id);
    get_text(info, hr, id, texts->texts[COMPONENT_NAME]);
    hr = INapComponentInfo_GetDescription(info, &id);
    get_text(info, hr, id, texts->texts[COMPONENT_DESCRIPTION]);
    hr = INapComponentInfo_GetVersion(info, &id);
    get_text(info, hr, id, texts->texts[COMPONENT_VERSION]);
    hr = INapComponentInfo_GetVendorName(info, &id);
    get_text(info, hr, id, texts->texts[COMPONENT_VENDOR]);
    hr = INapComponentInfo_ConvertErrorCodeToMessageId(info, result, &id);
    get_text(info, hr, id, texts->texts[COMPONENT_RESULT]);
    get_text(info, S_OK, wcstoul(argv[5], NULL, 10), texts->texts[COMPONENT_FIXUP]);

    WriteFile(pipe, texts, sizeof(*texts), &written, NULL);
    TerminateProcess(GetCurrentProcess(), 0);
    return 0;
}
