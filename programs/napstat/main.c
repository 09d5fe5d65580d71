/*
 * Shows the state of Network Access Protection
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

#include <stdio.h>
#include <stdlib.h>

#include "napstat.h"

#define WATCH_INTERVAL 500 /* milliseconds */

/* exit status */
enum
{
    EXIT_OK,
    EXIT_FAILED,
    EXIT_USAGE,
};

static const WCHAR usage[] =
    L"Shows the state of Network Access Protection.\n"
    L"\n"
    L"  napstat [show state] [--json] [--watch]\n"
    L"      the isolation state, enforcement clients with their connections, system health\n"
    L"      agents and their fix-ups\n"
    L"  napstat show config [--json] [--watch]\n"
    L"      what is registered\n"
    L"  napstat set enforcement ID enable | disable\n"
    L"      whether an enforcement client may be used; for an administrator to say.\n"
    L"      ID is decimal, or hexadecimal as in 0x137f1. Starts the agent.\n"
    L"\n"
    L"  --json   an object, for a program\n"
    L"  --watch  shows it again whenever it changes, until it is interrupted; with --json an\n"
    L"           object a line\n"
    L"\n"
    L"Ends with 0, with 1 if something failed, or with 2 if it was called in another way.\n";

struct command
{
    HRESULT (*print)(BOOL json);
    BOOL json, watch;
};

static void report_error(HRESULT hr)
{
    const struct
    {
        HRESULT hr;
        const WCHAR *text;
    }
    errors[] =
    {
        { E_ACCESSDENIED, L"Only an administrator may do that." },
        { E_OUTOFMEMORY, L"There is not enough memory." },
        { RPC_E_DISCONNECTED, L"The agent isn't running. To start it: net start napagent" },
        { REGDB_E_CLASSNOTREG, L"qagent.dll isn't registered. To register it: regsvr32 qagent.dll" },
        { NAP_E_NOT_REGISTERED, L"No enforcement client with that id is registered. To see all: napstat show config" },
        { HRESULT_FROM_WIN32(ERROR_SERVICE_DOES_NOT_EXIST), L"The agent isn't installed." },
        { HRESULT_FROM_WIN32(ERROR_SERVICE_DISABLED), L"The service napagent is disabled." },
        { HRESULT_FROM_WIN32(ERROR_SERVICE_REQUEST_TIMEOUT), L"The agent doesn't start." },
    };
    UINT i;

    for (i = 0; i < ARRAY_SIZE(errors); i++)
    {
        if (errors[i].hr != hr) continue;
        write_error(L"%s", errors[i].text);
        return;
    }
    write_error(L"The agent can't be asked, error 0x%08x.", hr);
}

static int show(const struct command *command)
{
    HRESULT hr;

    print_begin(command->json);
    if (SUCCEEDED(hr = command->print(command->json)))
        return write_output(print_end()) ? EXIT_OK : EXIT_FAILED;
    report_error(hr);
    return EXIT_FAILED;
}

static void write_now(void)
{
    SYSTEMTIME time;
    WCHAR text[64];

    GetLocalTime(&time);
    swprintf(text, ARRAY_SIZE(text), L"\n==== %02u:%02u:%02u ====\n\n", time.wHour, time.wMinute, time.wSecond);
    write_output(text);
}

/* Ends when there is nobody to write to any more. */
static int watch(const struct command *command)
{
    HRESULT hr, last_hr = S_OK;
    WCHAR *last = NULL;
    BOOL written = TRUE;
    const WCHAR *text;

    while (written)
    {
        print_begin(command->json);
        hr = command->print(command->json);
        text = print_end();
        if (FAILED(hr))
        {
            if (hr != last_hr) report_error(hr);
        }
        else if (!last || wcscmp(text, last))
        {
            if (!command->json) write_now();
            written = write_output(text);
            free(last);
            last = wcsdup(text);
        }
        last_hr = hr;
        Sleep(WATCH_INTERVAL);
    }
    free(last);
    return EXIT_FAILED;
}

static int fail_usage(const WCHAR *what)
{
    write_error(L"\"%s\" isn't understood. To see what is: napstat --help", what);
    return EXIT_USAGE;
}

static BOOL parse_id(const WCHAR *text, EnforcementEntityId *id)
{
    BOOL hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    unsigned __int64 value;
    WCHAR *end;

    if (!(hex ? iswxdigit(text[2]) : iswdigit(text[0]))) return FALSE;
    value = _wcstoui64(text, &end, hex ? 16 : 10);
    *id = value;
    return !*end && value && value <= ~0u;
}

static int set_enforcement(const WCHAR *id_text, const WCHAR *verb)
{
    BOOL enabled = !wcsicmp(verb, L"enable");
    EnforcementEntityId id;
    DWORD error;
    HRESULT hr;

    if (!enabled && wcsicmp(verb, L"disable")) return fail_usage(verb);
    if (!parse_id(id_text, &id))
    {
        write_error(L"\"%s\" isn't an id: that is a number from 1 to 4294967295, or 0x and hexadecimal digits.",
                id_text);
        return EXIT_USAGE;
    }

    if ((error = start_agent())) hr = HRESULT_FROM_WIN32(error);
    else hr = enable_enforcement_client(id, enabled);
    if (FAILED(hr))
    {
        report_error(hr);
        return EXIT_FAILED;
    }

    print_begin(FALSE);
    print_note(L"Enforcement client %u (0x%x) is %s.", id, id, enabled ? L"enabled" : L"disabled");
    write_output(print_end());
    return EXIT_OK;
}

static BOOL is_option(const WCHAR *argument, const WCHAR *option)
{
    return (argument[0] == '-' && argument[1] == '-' && !wcscmp(argument + 2, option))
            || (argument[0] == '/' && !wcsicmp(argument + 1, option));
}

int __cdecl wmain(int argc, WCHAR *argv[])
{
    struct command command = { print_state };
    const WCHAR *words[4];
    UINT count = 0;
    int i;

    if (argc > 1 && !wcscmp(argv[1], TELL_ARGUMENT)) return tell_component_texts(argc, argv);

    for (i = 1; i < argc; i++)
    {
        if (is_option(argv[i], L"help") || !wcscmp(argv[i], L"-h") || !wcscmp(argv[i], L"/?"))
        {
            write_output(usage);
            return EXIT_OK;
        }
        if (is_option(argv[i], L"json")) command.json = TRUE;
        else if (is_option(argv[i], L"watch")) command.watch = TRUE;
        else if (argv[i][0] == '-' || argv[i][0] == '/' || count == ARRAY_SIZE(words)) return fail_usage(argv[i]);
        else words[count++] = argv[i];
    }

    if (count && !wcsicmp(words[0], L"set"))
    {
        if (count > 1 && wcsicmp(words[1], L"enforcement")) return fail_usage(words[1]);
        if (count == 4 && !command.json && !command.watch) return set_enforcement(words[2], words[3]);
        write_error(L"The command is: napstat set enforcement ID enable | disable");
        return EXIT_USAGE;
    }

    if (count && wcsicmp(words[0], L"show")) return fail_usage(words[0]);
    if (count > 1)
    {
        if (!wcsicmp(words[1], L"config")) command.print = print_config;
        else if (wcsicmp(words[1], L"state")) return fail_usage(words[1]);
    }
    if (count > 2) return fail_usage(words[2]);

    CoInitializeEx(NULL, COINIT_MULTITHREADED);
    return command.watch ? watch(&command) : show(&command);
}
