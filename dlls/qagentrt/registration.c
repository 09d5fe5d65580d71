/*
 * Registered system health agents and enforcement clients
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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "windef.h"
#include "winbase.h"
#include "winreg.h"
#include "objbase.h"
#include "napmicrosoftvendorids.h"

#include "wine/debug.h"

#include "qagentrt_private.h"

WINE_DEFAULT_DEBUG_CHANNEL(qagentrt);

#define MAX_COMPONENTS maxSystemHealthEntityCount
C_ASSERT(maxEnforcerCount == MAX_COMPONENTS);

enum registration_string
{
    STRING_FRIENDLY_NAME,
    STRING_DESCRIPTION,
    STRING_VERSION,
    STRING_VENDOR_NAME,
    STRING_COUNT
};

static const struct
{
    const WCHAR *value;
    size_t offset; /* in a NapComponentRegistrationInfo */
}
string_fields[STRING_COUNT] =
{
    [STRING_FRIENDLY_NAME] = { L"FriendlyName", offsetof(NapComponentRegistrationInfo, friendlyName) },
    [STRING_DESCRIPTION] = { L"Description", offsetof(NapComponentRegistrationInfo, description) },
    [STRING_VERSION] = { L"Version", offsetof(NapComponentRegistrationInfo, version) },
    [STRING_VENDOR_NAME] = { L"VendorName", offsetof(NapComponentRegistrationInfo, vendorName) },
};

struct registration
{
    NapComponentId id;
    CLSID info_clsid;
    CLSID config_clsid;
    UINT64 date;
    UINT32 type;
    BOOL enabled;
    WCHAR strings[STRING_COUNT][maxStringLength + 1];
};

/* In the order of registration, which is that of the dates. Changed with both locks, so either will do for looking. */
static struct
{
    UINT count;
    struct registration *registrations[MAX_COMPONENTS];
}
registered[NAPAGENT_KIND_COUNT];

/* Held by who changes registrations, as the registry takes its time. */
static CRITICAL_SECTION registration_cs;
static CRITICAL_SECTION_DEBUG registration_cs_debug =
{
    0, 0, &registration_cs,
    { &registration_cs_debug.ProcessLocksList, &registration_cs_debug.ProcessLocksList },
    0, 0, { (DWORD_PTR)(__FILE__ ": registration_cs") }
};
static CRITICAL_SECTION registration_cs = { &registration_cs_debug, -1, 0, 0, 0, 0 };

static const WCHAR *const key_names[NAPAGENT_KIND_COUNT] =
{
    [NAPAGENT_SHA] = L"System\\CurrentControlSet\\Services\\napagent\\Shas",
    [NAPAGENT_EC] = L"System\\CurrentControlSet\\Services\\napagent\\Qecs",
};

static LSTATUS open_components(napagent_kind kind, HKEY *key)
{
    return RegCreateKeyExW(HKEY_LOCAL_MACHINE, key_names[kind], 0, NULL, 0, KEY_ALL_ACCESS, NULL, key, NULL);
}

static void get_key_name(NapComponentId id, WCHAR name[11])
{
    swprintf(name, 11, L"%u", id);
}

static LSTATUS set_dword(HKEY key, const WCHAR *name, DWORD value)
{
    return RegSetValueExW(key, name, 0, REG_DWORD, (const BYTE *)&value, sizeof(value));
}

static LSTATUS set_string(HKEY key, const WCHAR *name, const WCHAR *value)
{
    return RegSetValueExW(key, name, 0, REG_SZ, (const BYTE *)value, (wcslen(value) + 1) * sizeof(WCHAR));
}

static LSTATUS set_clsid(HKEY key, const WCHAR *name, const CLSID *clsid)
{
    WCHAR string[39];

    StringFromGUID2(clsid, string, ARRAY_SIZE(string));
    return set_string(key, name, string);
}

/* What makes it a registration is the last value. */
static LSTATUS write_values(HKEY key, napagent_kind kind, const struct registration *registration)
{
    LSTATUS status;
    UINT i;

    for (i = 0; i < STRING_COUNT; i++)
    {
        if ((status = set_string(key, string_fields[i].value, registration->strings[i]))) return status;
    }
    if ((status = set_clsid(key, L"InfoClsid", &registration->info_clsid))) return status;
    if ((status = set_clsid(key, L"ConfigClsid", &registration->config_clsid))) return status;
    if ((status = RegSetValueExW(key, L"RegistrationDate", 0, REG_QWORD, (const BYTE *)&registration->date,
            sizeof(registration->date))))
        return status;
    if ((status = set_dword(key, L"ComponentType", registration->type))) return status;
    if (kind == NAPAGENT_EC && (status = set_dword(key, L"Enabled", registration->enabled))) return status;
    return set_dword(key, L"Registered", 1);
}

static LSTATUS write_registration(napagent_kind kind, const struct registration *registration)
{
    HKEY components, key;
    LSTATUS status;
    WCHAR name[11];

    get_key_name(registration->id, name);
    if ((status = open_components(kind, &components))) return status;

    RegDeleteTreeW(components, name);
    if (!(status = RegCreateKeyExW(components, name, 0, NULL, 0, KEY_ALL_ACCESS, NULL, &key, NULL)))
    {
        if (!(status = write_values(key, kind, registration))) status = RegFlushKey(key);
        if (status) RegDeleteValueW(key, L"Registered");
        RegCloseKey(key);
        if (status) RegDeleteTreeW(components, name);
    }
    RegCloseKey(components);
    return status;
}

static LSTATUS delete_registration(napagent_kind kind, NapComponentId id)
{
    HKEY components, key;
    LSTATUS status;
    WCHAR name[11];

    get_key_name(id, name);
    if ((status = open_components(kind, &components))) return status;

    if (!(status = RegOpenKeyExW(components, name, 0, KEY_SET_VALUE, &key)))
    {
        status = RegDeleteValueW(key, L"Registered");
        RegCloseKey(key);
    }
    /* Somebody else may have deleted it. */
    if (status == ERROR_FILE_NOT_FOUND) status = ERROR_SUCCESS;
    if (!status)
    {
        RegDeleteTreeW(components, name);
        status = RegFlushKey(components);
    }
    RegCloseKey(components);
    return status;
}

static LSTATUS write_enabled(NapComponentId id, BOOL enabled)
{
    HKEY components, key;
    LSTATUS status;
    WCHAR name[11];

    get_key_name(id, name);
    if ((status = open_components(NAPAGENT_EC, &components))) return status;
    if (!(status = RegOpenKeyExW(components, name, 0, KEY_SET_VALUE, &key)))
    {
        if (!(status = set_dword(key, L"Enabled", enabled))) status = RegFlushKey(key);
        RegCloseKey(key);
    }
    RegCloseKey(components);
    return status;
}

static void get_value(HKEY key, const WCHAR *name, DWORD flags, void *value, DWORD size)
{
    DWORD read = size;

    if (RegGetValueW(key, NULL, name, flags, NULL, value, &read)) memset(value, 0, size);
}

static void get_clsid(HKEY key, const WCHAR *name, CLSID *clsid)
{
    WCHAR string[39];

    get_value(key, name, RRF_RT_REG_SZ, string, sizeof(string));
    if (FAILED(CLSIDFromString(string, clsid))) memset(clsid, 0, sizeof(*clsid));
}

static void read_values(HKEY key, struct registration *registration)
{
    UINT i;

    for (i = 0; i < STRING_COUNT; i++)
        get_value(key, string_fields[i].value, RRF_RT_REG_SZ, registration->strings[i],
                sizeof(registration->strings[i]));
    get_clsid(key, L"InfoClsid", &registration->info_clsid);
    get_clsid(key, L"ConfigClsid", &registration->config_clsid);
    get_value(key, L"RegistrationDate", RRF_RT_REG_QWORD, &registration->date, sizeof(registration->date));
    get_value(key, L"ComponentType", RRF_RT_REG_DWORD, &registration->type, sizeof(registration->type));
    get_value(key, L"Enabled", RRF_RT_REG_DWORD, &registration->enabled, sizeof(registration->enabled));
}

static BOOL is_registered(HKEY key)
{
    DWORD value;

    get_value(key, L"Registered", RRF_RT_REG_DWORD, &value, sizeof(value));
    return value == 1;
}

static BOOL is_key_name_of(const WCHAR *name, NapComponentId id)
{
    WCHAR expected[11];

    get_key_name(id, expected);
    return id && !wcscmp(name, expected);
}

static struct registration *find_registration(napagent_kind kind, NapComponentId id, UINT *index)
{
    UINT i;

    for (i = 0; i < registered[kind].count; i++)
    {
        if (registered[kind].registrations[i]->id != id) continue;
        if (index) *index = i;
        return registered[kind].registrations[i];
    }
    return NULL;
}

static void insert_registration(napagent_kind kind, struct registration *registration)
{
    struct registration **registrations = registered[kind].registrations;
    UINT i;

    for (i = registered[kind].count++; i && registrations[i - 1]->date > registration->date; i--)
        registrations[i] = registrations[i - 1];
    registrations[i] = registration;
}

static void remove_registration(napagent_kind kind, UINT index)
{
    struct registration **registrations = registered[kind].registrations;

    registered[kind].count--;
    memmove(registrations + index, registrations + index + 1,
            (registered[kind].count - index) * sizeof(*registrations));
}

static BOOL load_registration(napagent_kind kind, HKEY key, const WCHAR *name)
{
    NapComponentId id = wcstoul(name, NULL, 10);
    struct registration *registration;

    if (!is_key_name_of(name, id) || registered[kind].count == MAX_COMPONENTS)
    {
        ERR("Ignoring %s of %s.\n", debugstr_w(name), debugstr_w(key_names[kind]));
        return TRUE;
    }
    if (!(registration = calloc(1, sizeof(*registration)))) return FALSE;
    registration->id = id;
    read_values(key, registration);
    insert_registration(kind, registration);
    return TRUE;
}

/* A key that isn't marked as registered is what a death has left of a registration. */
static BOOL load_components(napagent_kind kind)
{
    DWORD index, size;
    HKEY components;
    BOOL ret = TRUE;
    WCHAR name[256];

    if (open_components(kind, &components)) return FALSE;
    if (RegQueryInfoKeyW(components, NULL, NULL, NULL, &index, NULL, NULL, NULL, NULL, NULL, NULL, NULL)) index = 0;
    while (ret && index--)
    {
        BOOL leftover = FALSE;
        HKEY key;

        size = ARRAY_SIZE(name);
        if (RegEnumKeyExW(components, index, name, &size, NULL, NULL, NULL, NULL)) continue;
        if (RegOpenKeyExW(components, name, 0, KEY_QUERY_VALUE, &key)) continue;
        if (is_registered(key)) ret = load_registration(kind, key, name);
        else leftover = TRUE;
        RegCloseKey(key);
        if (leftover)
        {
            WARN("Removing %s of %s.\n", debugstr_w(name), debugstr_w(key_names[kind]));
            RegDeleteTreeW(components, name);
        }
    }
    RegCloseKey(components);
    return ret;
}

BOOL registration_load(void)
{
    napagent_kind kind;

    for (kind = 0; kind < NAPAGENT_KIND_COUNT; kind++)
    {
        if (load_components(kind)) continue;
        registration_unload();
        return FALSE;
    }
    return TRUE;
}

void registration_unload(void)
{
    napagent_kind kind;

    for (kind = 0; kind < NAPAGENT_KIND_COUNT; kind++)
    {
        while (registered[kind].count) free(registered[kind].registrations[--registered[kind].count]);
    }
}

UINT registration_get_ids(napagent_kind kind, NapComponentId *ids)
{
    UINT i;

    for (i = 0; i < registered[kind].count; i++) ids[i] = registered[kind].registrations[i]->id;
    return registered[kind].count;
}

HRESULT registration_check(napagent_kind kind, NapComponentId id)
{
    const struct registration *registration;

    if (!(registration = find_registration(kind, id, NULL))) return NAP_E_NOT_REGISTERED;
    return kind == NAPAGENT_EC && !registration->enabled ? NAP_E_ENTITY_DISABLED : S_OK;
}

static UINT64 get_date(napagent_kind kind)
{
    UINT64 last = 0, now;
    FILETIME time;

    GetSystemTimeAsFileTime(&time);
    now = (UINT64)time.dwHighDateTime << 32 | time.dwLowDateTime;
    if (registered[kind].count) last = registered[kind].registrations[registered[kind].count - 1]->date;
    return max(now, last + 1);
}

static HRESULT register_component(napagent_kind kind, struct registration *registration)
{
    LSTATUS status;

    if (find_registration(kind, registration->id, NULL)) return NAP_E_CONFLICTING_ID;
    if (registered[kind].count == MAX_COMPONENTS) return E_OUTOFMEMORY;

    registration->date = get_date(kind);
    if ((status = write_registration(kind, registration))) return HRESULT_FROM_WIN32(status);

    agent_lock();
    insert_registration(kind, registration);
    agent_unlock();
    return S_OK;
}

static HRESULT unregister_component(napagent_kind kind, NapComponentId id)
{
    struct registration *registration;
    LSTATUS status;
    UINT index;

    if (!(registration = find_registration(kind, id, &index))) return NAP_E_NOT_REGISTERED;

    /* From here on nobody can bind. */
    agent_lock();
    if (client_is_bound(kind, id))
    {
        agent_unlock();
        return NAP_E_STILL_BOUND;
    }
    remove_registration(kind, index);
    agent_unlock();

    status = delete_registration(kind, id);

    agent_lock();
    if (status) insert_registration(kind, registration);
    else if (kind == NAPAGENT_SHA) exchange_forget(id);
    agent_unlock();

    if (status) return HRESULT_FROM_WIN32(status);
    free(registration);
    return S_OK;
}

static HRESULT enable_component(EnforcementEntityId id, BOOL enabled)
{
    struct registration *registration;
    LSTATUS status;

    if (!(registration = find_registration(NAPAGENT_EC, id, NULL))) return NAP_E_NOT_REGISTERED;
    if (registration->enabled == enabled) return S_OK;
    if ((status = write_enabled(id, enabled))) return HRESULT_FROM_WIN32(status);

    agent_lock();
    registration->enabled = enabled;
    if (!enabled) client_drop(NAPAGENT_EC, id);
    agent_unlock();
    return S_OK;
}

HRESULT __cdecl napagent_register(handle_t agent, napagent_kind kind, const napagent_component *component,
        const WCHAR *friendly_name, const WCHAR *description, const WCHAR *version, const WCHAR *vendor_name)
{
    const WCHAR *const strings[STRING_COUNT] =
    {
        [STRING_FRIENDLY_NAME] = friendly_name,
        [STRING_DESCRIPTION] = description,
        [STRING_VERSION] = version,
        [STRING_VENDOR_NAME] = vendor_name,
    };
    struct registration *registration;
    HRESULT hr;
    UINT i;

    /* Four long strings are too much for a line. */
    TRACE("agent %p, kind %u, id %u, info_clsid %s, config_clsid %s, type %#x.\n", agent, kind, component->id,
            debugstr_guid(&component->info_clsid), debugstr_guid(&component->config_clsid), component->type);
    TRACE("friendly_name %s, description %s.\n", debugstr_w(friendly_name), debugstr_w(description));
    TRACE("version %s, vendor_name %s.\n", debugstr_w(version), debugstr_w(vendor_name));

    if ((UINT)kind >= NAPAGENT_KIND_COUNT || !component->id) return E_INVALIDARG;
    /* Of this there is an entry in each request already. */
    if (kind == NAPAGENT_SHA && component->id == NapSystemId) return E_INVALIDARG;
    for (i = 0; i < STRING_COUNT; i++)
    {
        if (wcslen(strings[i]) > maxStringLength) return E_INVALIDARG;
    }
    if (!caller_is_administrator()) return E_ACCESSDENIED;

    if (!(registration = calloc(1, sizeof(*registration)))) return E_OUTOFMEMORY;
    registration->id = component->id;
    registration->info_clsid = component->info_clsid;
    registration->config_clsid = component->config_clsid;
    if (kind == NAPAGENT_EC) registration->type = component->type;
    for (i = 0; i < STRING_COUNT; i++) wcscpy(registration->strings[i], strings[i]);

    EnterCriticalSection(&registration_cs);
    hr = register_component(kind, registration);
    LeaveCriticalSection(&registration_cs);
    if (FAILED(hr)) free(registration);
    return hr;
}

HRESULT __cdecl napagent_unregister(handle_t agent, napagent_kind kind, NapComponentId id)
{
    HRESULT hr;

    TRACE("agent %p, kind %u, id %u.\n", agent, kind, id);

    if ((UINT)kind >= NAPAGENT_KIND_COUNT || !id) return E_INVALIDARG;
    if (!caller_is_administrator()) return E_ACCESSDENIED;

    EnterCriticalSection(&registration_cs);
    hr = unregister_component(kind, id);
    LeaveCriticalSection(&registration_cs);
    return hr;
}

HRESULT __cdecl napagent_enable(handle_t agent, EnforcementEntityId id, BOOL enabled)
{
    HRESULT hr;

    TRACE("agent %p, id %u, enabled %d.\n", agent, id, enabled);

    if (!id) return E_INVALIDARG;
    if (!caller_is_administrator()) return E_ACCESSDENIED;

    EnterCriticalSection(&registration_cs);
    hr = enable_component(id, !!enabled);
    LeaveCriticalSection(&registration_cs);
    return hr;
}

static BOOL get_info(const struct registration *registration, NapComponentRegistrationInfo *info)
{
    CountedString *string;
    UINT i;

    info->id = registration->id;
    info->infoClsid = registration->info_clsid;
    info->configClsid = registration->config_clsid;
    info->registrationDate.dwLowDateTime = registration->date;
    info->registrationDate.dwHighDateTime = registration->date >> 32;
    info->componentType = registration->type;
    for (i = 0; i < STRING_COUNT; i++)
    {
        string = (CountedString *)((BYTE *)info + string_fields[i].offset);
        string->length = wcslen(registration->strings[i]);
        if (!(string->string = malloc((string->length + 1) * sizeof(WCHAR)))) return FALSE;
        memcpy(string->string, registration->strings[i], (string->length + 1) * sizeof(WCHAR));
    }
    return TRUE;
}

static void free_infos(UINT count, NapComponentRegistrationInfo *infos)
{
    UINT i, j;

    for (i = 0; i < count; i++)
    {
        for (j = 0; j < STRING_COUNT; j++)
            free(((CountedString *)((BYTE *)(infos + i) + string_fields[j].offset))->string);
    }
    free(infos);
}

/* Everything in blocks of their own, as the stub frees it. */
static HRESULT get_infos(napagent_kind kind, UINT32 *count, NapComponentRegistrationInfo **infos)
{
    UINT i;

    if (!registered[kind].count) return S_OK;
    if (!(*infos = calloc(registered[kind].count, sizeof(**infos)))) return E_OUTOFMEMORY;
    for (i = 0; i < registered[kind].count; i++)
    {
        if (get_info(registered[kind].registrations[i], *infos + i)) continue;
        free_infos(registered[kind].count, *infos);
        *infos = NULL;
        return E_OUTOFMEMORY;
    }
    *count = registered[kind].count;
    return S_OK;
}

HRESULT __cdecl napagent_get_registered(handle_t agent, napagent_kind kind,
        UINT32 *count, NapComponentRegistrationInfo **components)
{
    HRESULT hr;

    TRACE("agent %p, kind %u, count %p, components %p.\n", agent, kind, count, components);

    *count = 0;
    *components = NULL;
    if ((UINT)kind >= NAPAGENT_KIND_COUNT) return E_INVALIDARG;

    agent_lock();
    hr = get_infos(kind, count, components);
    agent_unlock();
    return hr;
}
