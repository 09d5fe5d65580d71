/*
 * Example clients: what a system health agent and an enforcement client both have
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


#include "client.h"
#include <napsystemhealthagent.h>
#include <napenforcementclient.h>

#define EXIT_USAGE 2
#define EXIT_REFUSED 3
#define EXIT_CRASHED 4

#ifndef COM_RIGHTS_EXECUTE
#define COM_RIGHTS_EXECUTE 1
#endif

/* mingw-w64's headers declare these, but none of its libraries has them. */
const CLSID CLSID_NapSoHConstructor =
    { 0xe8140d53, 0x6535, 0x46a5, { 0xb8, 0xa1, 0xda, 0x6c, 0x57, 0x1d, 0xa9, 0xb9 } };
const CLSID CLSID_NapSoHProcessor =
    { 0xaa160628, 0x8775, 0x46e3, { 0x83, 0x7c, 0xf7, 0xa2, 0xae, 0x66, 0xe2, 0xf5 } };
const CLSID CLSID_NapClientManagement =
    { 0xeb082ba1, 0xdf8a, 0x46be, { 0x82, 0xf3, 0x35, 0xbf, 0x9e, 0x9b, 0xe5, 0x2f } };
const CLSID CLSID_NapSystemHealthAgentBinding =
    { 0x8e594310, 0x16ca, 0x4a00, { 0x93, 0x2f, 0xf7, 0x09, 0x69, 0xf9, 0x90, 0xc0 } };
const CLSID CLSID_NapEnforcementClientBinding =
    { 0x9443b89b, 0x6564, 0x496a, { 0xb1, 0x9c, 0x6c, 0x6d, 0x22, 0x70, 0x90, 0x45 } };
const IID IID_INapSoHConstructor =
    { 0x35298344, 0x96a6, 0x45e7, { 0x9b, 0x6b, 0x62, 0xec, 0xc6, 0xe0, 0x99, 0x20 } };
const IID IID_INapSoHProcessor =
    { 0xfb2fa8b0, 0x2cd5, 0x457d, { 0xab, 0xa8, 0x43, 0x76, 0xf6, 0x3e, 0xa1, 0xc0 } };
const IID IID_INapClientManagement =
    { 0x432a1da5, 0x3888, 0x4b9a, { 0xa7, 0x34, 0xcf, 0xf1, 0xe4, 0x48, 0xc5, 0xb9 } };
const IID IID_INapSystemHealthAgentBinding =
    { 0xa6894f43, 0x9cc7, 0x44c9, { 0xa2, 0x3f, 0x19, 0xdb, 0xf3, 0x6b, 0xad, 0x28 } };
const IID IID_INapSystemHealthAgentBinding2 =
    { 0x1140c38e, 0x5100, 0x4ea1, { 0x8d, 0x43, 0x87, 0xd3, 0x26, 0x72, 0x40, 0x28 } };
const IID IID_INapSystemHealthAgentCallback =
    { 0xf1072a57, 0x214f, 0x4ee2, { 0x83, 0x77, 0x14, 0xef, 0x14, 0x0c, 0xd9, 0xf3 } };
const IID IID_INapEnforcementClientBinding =
    { 0x92b93223, 0x7487, 0x42d9, { 0x9a, 0x91, 0x5b, 0x85, 0x07, 0x72, 0x03, 0x84 } };
const IID IID_INapEnforcementClientCallback =
    { 0xf5a0b90a, 0x83a1, 0x4f76, { 0xba, 0x3f, 0x02, 0x54, 0x18, 0x68, 0x28, 0x14 } };
const IID IID_INapEnforcementClientConnection2 =
    { 0xbd244906, 0x70dd, 0x4690, { 0xbe, 0xea, 0x64, 0x86, 0x53, 0x39, 0x35, 0x00 } };

static const struct client *client;
static char speaker[32];
static CRITICAL_SECTION output_section;

/*
 * What is printed
 */

void say(const char *format, ...)
{
    va_list args;

    EnterCriticalSection(&output_section);
    printf("%-4s", speaker);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    fflush(stdout);
    LeaveCriticalSection(&output_section);
}

HRESULT said(const char *call, HRESULT hr)
{
    say("%s: %s", call, result_name(hr));
    return hr;
}

const char *result_name(HRESULT hr)
{
#define NAME(hr) { hr, #hr }
    static const struct
    {
        HRESULT hr;
        const char *name;
    }
    names[] =
    {
        NAME(S_OK),
        NAME(S_FALSE),
        NAME(E_ACCESSDENIED),
        NAME(E_FAIL),
        NAME(E_INVALIDARG),
        NAME(E_NOINTERFACE),
        NAME(E_NOTIMPL),
        NAME(E_OUTOFMEMORY),
        NAME(E_POINTER),
        NAME(E_UNEXPECTED),
        NAME(REGDB_E_CLASSNOTREG),
        NAME(RPC_E_DISCONNECTED),
        NAME(RPC_E_TOO_LATE),
        NAME(NAP_E_INVALID_PACKET),
        NAME(NAP_E_MISSING_SOH),
        NAME(NAP_E_CONFLICTING_ID),
        NAME(NAP_E_NO_CACHED_SOH),
        NAME(NAP_E_STILL_BOUND),
        NAME(NAP_E_NOT_REGISTERED),
        NAME(NAP_E_NOT_INITIALIZED),
        NAME(NAP_E_MISMATCHED_ID),
        NAME(NAP_E_ID_NOT_FOUND),
        NAME(NAP_E_MAXSIZE_TOO_SMALL),
        NAME(NAP_E_SERVICE_NOT_RUNNING),
        NAME(NAP_E_ENTITY_DISABLED),
        NAME(NAP_E_TOO_MANY_CALLS),
        NAME(QUAR_E_NOTPATCHED),
        { __HRESULT_FROM_WIN32(ERROR_FILE_NOT_FOUND), "ERROR_FILE_NOT_FOUND" },
        { __HRESULT_FROM_WIN32(ERROR_ALREADY_INITIALIZED), "ERROR_ALREADY_INITIALIZED" },
        { __HRESULT_FROM_WIN32(RPC_S_SERVER_UNAVAILABLE), "RPC_S_SERVER_UNAVAILABLE" },
    };
#undef NAME
    static char numbers[16][16];
    static LONG next;
    unsigned int i;
    char *number;

    for (i = 0; i < ARRAYSIZE(names); i++)
        if (names[i].hr == hr) return names[i].name;
    number = numbers[InterlockedIncrement(&next) % ARRAYSIZE(numbers)];
    sprintf(number, "0x%08lx", (unsigned long)hr);
    return number;
}

static const char *state_name(IsolationState state)
{
    switch (state)
    {
        case isolationStateNotRestricted: return "not restricted";
        case isolationStateInProbation: return "in probation";
        case isolationStateRestrictedAccess: return "restricted";
    }
    return "in no known state";
}

const char *isolation_text(char *text, IsolationState state, const ProbationTime *end, const CountedString *url)
{
    int length = snprintf(text, TEXT_SIZE, "%s", state_name(state));
    SYSTEMTIME time;

    if ((end->dwLowDateTime & end->dwHighDateTime) != ~0u && FileTimeToSystemTime(end, &time))
        length += snprintf(text + length, TEXT_SIZE - length, " until %u-%02u-%02u %02u:%02u:%02u UTC", time.wYear,
                time.wMonth, time.wDay, time.wHour, time.wMinute, time.wSecond);
    if (url->string && *url->string) snprintf(text + length, TEXT_SIZE - length, ", %.256ls", url->string);
    return text;
}

BOOL read_number(const char *words, unsigned int *number)
{
    char *end;
    unsigned long value = strtoul(words, &end, 0);

    if (end == words || *end) return FALSE;
    *number = value;
    return TRUE;
}

/*
 * COM
 */

/* The user, and the account that the agent runs under, may call in. */
static HRESULT initialize_security(void)
{
    BYTE network_service[SECURITY_MAX_SID_SIZE], user[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    BYTE buffer[sizeof(ACL) + 2 * (sizeof(ACCESS_ALLOWED_ACE) + SECURITY_MAX_SID_SIZE)];
    DWORD size = sizeof(network_service);
    PSID user_sid = NULL;
    ACL *acl = (ACL *)buffer;
    SECURITY_DESCRIPTOR sd;
    HANDLE token;

    if (!CreateWellKnownSid(WinNetworkServiceSid, NULL, network_service, &size)) goto failed;
    if (!OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token) &&
            !OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) goto failed;
    if (GetTokenInformation(token, TokenUser, user, sizeof(user), &size)) user_sid = ((TOKEN_USER *)user)->User.Sid;
    CloseHandle(token);

    if (!user_sid || !InitializeAcl(acl, sizeof(buffer), ACL_REVISION) ||
            !AddAccessAllowedAce(acl, ACL_REVISION, COM_RIGHTS_EXECUTE, user_sid) ||
            !AddAccessAllowedAce(acl, ACL_REVISION, COM_RIGHTS_EXECUTE, network_service) ||
            !InitializeSecurityDescriptor(&sd, SECURITY_DESCRIPTOR_REVISION) ||
            !SetSecurityDescriptorOwner(&sd, user_sid, FALSE) || !SetSecurityDescriptorGroup(&sd, user_sid, FALSE) ||
            !SetSecurityDescriptorDacl(&sd, TRUE, acl, FALSE)) goto failed;

    return CoInitializeSecurity(&sd, -1, NULL, NULL, RPC_C_AUTHN_LEVEL_PKT, RPC_C_IMP_LEVEL_IMPERSONATE, NULL,
            EOAC_NONE, NULL);

failed:
    return HRESULT_FROM_WIN32(GetLastError());
}

HRESULT create_object(REFCLSID clsid, REFIID iid, const char *name, void **object)
{
    HRESULT hr;

    *object = NULL;
    hr = CoCreateInstance(clsid, NULL, CLSCTX_INPROC_SERVER, iid, object);
    if (SUCCEEDED(hr) && !*object) hr = E_POINTER;
    if (FAILED(hr)) say("CoCreateInstance(%s): %s", name, result_name(hr));
    return hr;
}

HRESULT create_management(INapClientManagement **management)
{
    return create_object(&CLSID_NapClientManagement, &IID_INapClientManagement, "NapClientManagement",
            (void **)management);
}

/*
 * Registration
 */

/* Only the struct is freed; the string lives on in the copy. */
static HRESULT fill_counted_string(CountedString *dest, const WCHAR *src)
{
    CountedString *string = NULL;
    HRESULT hr = AllocCountedString(&string, src);

    if (FAILED(hr)) return hr;
    *dest = *string;
    CoTaskMemFree(string);
    return hr;
}

static HRESULT register_client(INapClientManagement *management, NapComponentId id)
{
    NapComponentRegistrationInfo info;
    HRESULT hr;

    memset(&info, 0, sizeof(info));
    info.id = id;
    info.infoClsid = client->info_clsid;
    if (SUCCEEDED(hr = fill_counted_string(&info.friendlyName, client->friendly_name)) &&
            SUCCEEDED(hr = fill_counted_string(&info.description, client->description)) &&
            SUCCEEDED(hr = fill_counted_string(&info.version, L"1.0")) &&
            SUCCEEDED(hr = fill_counted_string(&info.vendorName, L"Example vendor")))
        hr = client->register_component(management, &info);
    CoTaskMemFree(info.friendlyName.string);
    CoTaskMemFree(info.description.string);
    CoTaskMemFree(info.version.string);
    CoTaskMemFree(info.vendorName.string);
    return said(client->register_name, hr);
}

static HRESULT unregister_client(INapClientManagement *management, NapComponentId id)
{
    return said(client->unregister_name, client->unregister_component(management, id));
}

static void say_cause(HRESULT hr)
{
    switch (hr)
    {
        case NAP_E_CONFLICTING_ID: say("It is registered already."); break;
        case NAP_E_STILL_BOUND: say("Stop the one that is running with /execute first."); break;
        case NAP_E_NOT_REGISTERED: say("Run it with /register first."); break;
        case NAP_E_ENTITY_DISABLED: say("An administrator has to enable it first."); break;
    }
}

static int change_registration(HRESULT (*change)(INapClientManagement *management, NapComponentId id),
        NapComponentId id)
{
    INapClientManagement *management;
    HRESULT hr;

    if (FAILED(create_management(&management))) return EXIT_REFUSED;
    hr = change(management, id);
    say_cause(hr);
    INapClientManagement_Release(management);
    return FAILED(hr) ? EXIT_REFUSED : 0;
}

/*
 * Running: a command a line
 */

static unsigned int hang_seconds;
static BOOL crash_in_callback;

void enter_callback(const char *name)
{
    unsigned int seconds = hang_seconds;

    if (crash_in_callback)
    {
        say("callback %s: crashing", name);
        TerminateProcess(GetCurrentProcess(), EXIT_CRASHED);
    }
    if (!seconds) return;
    hang_seconds = 0;
    say("callback %s: hanging for %u s", name, seconds);
    Sleep(seconds * 1000);
    say("callback %s: hung for %u s", name, seconds);
}

static void hang(const char *arguments)
{
    if (!read_number(arguments, &hang_seconds)) say("How many seconds?");
}

static void crash(const char *arguments)
{
    if (strcmp(arguments, "now")) crash_in_callback = TRUE;
    else TerminateProcess(GetCurrentProcess(), EXIT_CRASHED);
}

static void isolation(const char *arguments)
{
    INapClientManagement *management;
    IsolationInfo *info = NULL;
    BOOL unknown = FALSE;
    char text[TEXT_SIZE];
    HRESULT hr;

    if (FAILED(create_management(&management))) return;
    hr = INapClientManagement_GetSystemIsolationInfo(management, &info, &unknown);
    if (FAILED(hr) || !info) said("GetSystemIsolationInfo", hr);
    else say("GetSystemIsolationInfo: %s, system %s%s", result_name(hr), isolation_text(text, info->isolationState,
            &info->probEndTime, &info->failureUrl), unknown ? ", unknown connections" : "");
    FreeIsolationInfo(info);
    INapClientManagement_Release(management);
}

static void wait(const char *arguments)
{
    unsigned int seconds;

    if (read_number(arguments, &seconds)) Sleep(seconds * 1000);
    else say("How many seconds?");
}

static const struct command commands[] =
{
    { "crash", "[now]", "end in the next callback, or now, as if killed", crash },
    { "hang", "SECONDS", "stay so long in the next callback", hang, TRUE },
    { "system", "", "ask for the isolation state of the system", isolation },
    { "wait", "SECONDS", "read no command for so long", wait },
    { NULL }
};

static void list_commands(const struct command *command)
{
    for (; command->name; command++) say("  %-10s%-14s%s", command->name, command->arguments, command->purpose);
}

static const struct command *find_command(const struct command *command, const char *name, size_t length)
{
    for (; command->name; command++)
        if (strlen(command->name) == length && !memcmp(command->name, name, length)) return command;
    return NULL;
}

/* Whether there is to be another one */
static BOOL run_command(char *line)
{
    const struct command *command;
    size_t length;
    char *words = line + strspn(line, " ");

    words[strcspn(words, "\r\n")] = 0;
    if (!*words) return TRUE;
    length = strcspn(words, " ");
    if (!(command = find_command(client->commands, words, length))) command = find_command(commands, words, length);
    if (!command || !command->is_setting) say("> %.100s", words);
    if (command) command->run(words + length + strspn(words + length, " "));
    if (command && command->is_setting) say("> %.100s", words);
    if (command) return TRUE;
    if (!strcmp(words, "quit")) return FALSE;

    list_commands(client->commands);
    list_commands(commands);
    say("  %-10s%-14s%s", "quit", "", "unbind and end");
    return TRUE;
}

static int execute(NapComponentId id)
{
    static char line[16384];
    HRESULT hr;

    hr = client->bind(id);
    if (FAILED(hr))
    {
        say_cause(hr);
        return EXIT_REFUSED;
    }
    while (fgets(line, sizeof(line), stdin) && run_command(line)) continue;
    client->unbind();
    return 0;
}

static int usage(FILE *out, int status)
{
    fprintf(out, "Usage: %s /register|/unregister|/execute [/id 0x...]\n"
            "%s, as somebody could write it for Windows.\n"
            "\n"
            "  /register    Make it known to the system; takes an administrator.\n"
            "  /unregister  The reverse.\n"
            "  /execute     Bind it and take commands, a line each; \"help\" lists them.\n"
            "  /id 0x...    Its id, %#x if not given.\n"
            "\n"
            "Exits with 0, or %d when it was refused.\n", client->program, client->title, (unsigned int)client->id,
            EXIT_REFUSED);
    return status;
}

static int run_action(const char *action, NapComponentId id)
{
    if (!strcmp(action, "/register")) return change_registration(register_client, id);
    if (!strcmp(action, "/unregister")) return change_registration(unregister_client, id);
    if (!strcmp(action, "/execute")) return execute(id);
    return usage(stderr, EXIT_USAGE);
}

int client_main(const struct client *which, int argc, char **argv)
{
    static char buffer[4096];
    unsigned int id;
    HRESULT hr;
    int status;

    client = which;
    id = client->id;
    if (argc == 2 && (!strcmp(argv[1], "/?") || !strcmp(argv[1], "--help"))) return usage(stdout, 0);
    if (argc != 2 && (argc != 4 || strcmp(argv[2], "/id") || !read_number(argv[3], &id)))
        return usage(stderr, EXIT_USAGE);

    /* Several at once can write into one file, as each line goes out by itself. */
    setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
    InitializeCriticalSection(&output_section);
    snprintf(speaker, sizeof(speaker), id == client->id ? "%s" : "%s %#x ", client->role, id);

    if (FAILED(hr = CoInitializeEx(NULL, COINIT_MULTITHREADED)))
    {
        said("CoInitializeEx", hr);
        return EXIT_REFUSED;
    }
    if (FAILED(hr = initialize_security())) said("CoInitializeSecurity", hr);
    status = run_action(argv[1], id);
    CoUninitialize();
    return status;
}
