/*
 * What there is to show
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
#define NAPAPI

#include <stdio.h>

#include "napstat.h"

#include "initguid.h"
#include "napmanagement.h"
#include "naputil.h"

#define MAX_CORRELATION_ID 80

/* Everything that is shown, and who frees it */
struct state
{
    enum agent_status status;
    BOOL enabled, unknown_connections;
    CountedString *name, *description, *protocol_version;
    IsolationInfoEx *isolation;
    UINT16 component_counts[NAPAGENT_KIND_COUNT];
    NapComponentRegistrationInfo *components[NAPAGENT_KIND_COUNT];
    struct agent_state agent;
};

static const struct name isolation_states[] =
{
    { isolationStateNotRestricted, L"not restricted", L"notRestricted" },
    { isolationStateInProbation, L"in probation", L"inProbation" },
    { isolationStateRestrictedAccess, L"restricted", L"restricted" },
    { 0 }
};

static const struct name extended_states[] =
{
    { extendedIsolationStateNoData, L"no data", L"noData" },
    { extendedIsolationStateTransition, L"in transition", L"transition" },
    { extendedIsolationStateInfected, L"infected", L"infected" },
    { extendedIsolationStateUnknown, L"unknown", L"unknown" },
    { 0 }
};

static const struct name failure_categories[] =
{
    { failureCategoryNone, L"none", L"none" },
    { failureCategoryOther, L"other", L"other" },
    { failureCategoryClientComponent, L"client component", L"clientComponent" },
    { failureCategoryClientCommunication, L"client communication", L"clientCommunication" },
    { failureCategoryServerComponent, L"server component", L"serverComponent" },
    { failureCategoryServerCommunication, L"server communication", L"serverCommunication" },
    { 0 }
};

static const struct name fixup_states[] =
{
    { fixupStateSuccess, L"done", L"success" },
    { fixupStateInProgress, L"in progress", L"inProgress" },
    { fixupStateCouldNotUpdate, L"failed", L"couldNotUpdate" },
    { 0 }
};

static const struct name component_types[] =
{
    { ComponentTypeEnforcementClientSoH, L"sends statements of health", L"soh" },
    { ComponentTypeEnforcementClientRp, L"relying party", L"relyingParty" },
    { 0 }
};

static void free_state(struct state *state)
{
    napagent_kind kind;

    FreeCountedString(state->name);
    FreeCountedString(state->description);
    FreeCountedString(state->protocol_version);
    FreeIsolationInfoEx(state->isolation);
    for (kind = 0; kind < NAPAGENT_KIND_COUNT; kind++)
        FreeNapComponentRegistrationInfoArray(state->component_counts[kind], &state->components[kind]);
    free_agent_state(&state->agent);
    memset(state, 0, sizeof(*state));
}

static HRESULT ask_management(INapClientManagement2 *management, struct state *state)
{
    HRESULT hr;

    if (FAILED(hr = INapClientManagement2_GetNapClientInfo(management, &state->enabled, &state->name,
            &state->description, &state->protocol_version)))
        return hr;
    if (FAILED(hr = INapClientManagement2_GetSystemIsolationInfoEx(management, &state->isolation,
            &state->unknown_connections)))
        return hr;
    if (FAILED(hr = INapClientManagement2_GetRegisteredSystemHealthAgents(management,
            &state->component_counts[NAPAGENT_SHA], &state->components[NAPAGENT_SHA])))
        return hr;
    return INapClientManagement2_GetRegisteredEnforcementClients(management,
            &state->component_counts[NAPAGENT_EC], &state->components[NAPAGENT_EC]);
}

static HRESULT ask_agent(struct state *state)
{
    INapClientManagement2 *management;
    HRESULT hr;

    if (FAILED(hr = CoCreateInstance(&CLSID_NapClientManagement, NULL, CLSCTX_INPROC_SERVER, &IID_INapClientManagement2,
            (void **)&management)))
        return hr;
    hr = ask_management(management, state);
    INapClientManagement2_Release(management);
    return SUCCEEDED(hr) ? get_agent_state(&state->agent) : hr;
}

/* An agent that goes while it is asked is one that doesn't run. */
static HRESULT get_state(struct state *state)
{
    HRESULT hr = S_OK;

    memset(state, 0, sizeof(*state));
    if ((state->status = get_agent_status()) != AGENT_RUNNING || SUCCEEDED(hr = ask_agent(state))) return S_OK;
    free_state(state);
    return (state->status = get_agent_status()) == AGENT_RUNNING ? hr : S_OK;
}

static const napagent_component_state *find_component(const struct state *state, napagent_kind kind, NapComponentId id)
{
    static const napagent_component_state unknown = { .failure_category = ~0u, .fixup_state = ~0u };
    UINT i;

    for (i = 0; i < state->agent.component_counts[kind]; i++)
    {
        if (state->agent.components[kind][i].id == id) return &state->agent.components[kind][i];
    }
    return &unknown;
}

static const WCHAR *choose(const struct component_texts *texts, enum component_text text,
        const CountedString *registered)
{
    return texts->texts[text][0] ? texts->texts[text] : registered->string;
}

static const WCHAR *get_string(const CountedString *string)
{
    return string ? string->string : NULL;
}

static const FILETIME *check_time(const FILETIME *time)
{
    static const FILETIME never = { ~0u, ~0u }, none;

    return CompareFileTime(time, &never) && CompareFileTime(time, &none) ? time : NULL;
}

static void print_agent(const struct state *state)
{
    BOOL installed = state->status != AGENT_NOT_INSTALLED, running = state->status == AGENT_RUNNING;

    print_object(L"agent", L"Network Access Protection Agent");
    print_bool(L"installed", L"Installed", &installed);
    print_bool(L"running", L"Running", &running);
    if (!installed) print_note(L"\nThere is no service named %s.", NAPAGENT_SERVICE);
    else if (!running) print_note(L"\nTo start it: net start %s", NAPAGENT_SERVICE);
    print_object_end();
}

static void print_client(const struct state *state)
{
    BOOL known = state->status == AGENT_RUNNING;

    print_object(L"client", L"Client");
    print_text(L"name", L"Name", get_string(state->name));
    print_text(L"description", L"Description", get_string(state->description));
    print_text(L"protocolVersion", L"Protocol version", get_string(state->protocol_version));
    print_bool(L"enabled", L"Enabled", known ? &state->enabled : NULL);
    print_object_end();
}

static void print_isolation(const struct state *state)
{
    const IsolationInfoEx *info = state->isolation;

    print_object(L"isolation", L"Isolation state");
    print_name(L"state", L"State", isolation_states, info ? (const UINT32 *)&info->isolationState : NULL);
    print_name(L"extendedState", L"Extended state", extended_states,
            info ? (const UINT32 *)&info->extendedIsolationState : NULL);
    print_time(L"probationEnd", L"Probation ends", info ? check_time(&info->probEndTime) : NULL);
    print_text(L"url", L"Troubleshooting URL", info ? info->failureUrl.string : NULL);
    print_bool(L"unknownConnections", L"Unknown connections", info ? &state->unknown_connections : NULL);
    print_object_end();
}

static void print_registration(const NapComponentRegistrationInfo *info, const struct component_texts *texts)
{
    print_id(L"id", L"idHex", L"Id", info->id);
    print_text(L"name", L"Name", choose(texts, COMPONENT_NAME, &info->friendlyName));
    print_text(L"description", L"Description", choose(texts, COMPONENT_DESCRIPTION, &info->description));
    print_text(L"version", L"Version", choose(texts, COMPONENT_VERSION, &info->version));
    print_text(L"vendor", L"Vendor", choose(texts, COMPONENT_VENDOR, &info->vendorName));
    print_time(L"registered", L"Registered", check_time(&info->registrationDate));
}

static void print_classes(const NapComponentRegistrationInfo *info)
{
    static const CLSID none;

    print_guid(L"infoClass", L"Info class", IsEqualCLSID(&info->infoClsid, &none) ? NULL : &info->infoClsid);
    print_guid(L"configClass", L"Configuration class",
            IsEqualCLSID(&info->configClsid, &none) ? NULL : &info->configClsid);
}

static void print_enabled(const napagent_component_state *component, NapComponentId id)
{
    print_bool(L"enabled", L"Enabled", &component->enabled);
    if (!component->enabled) print_note(L"To enable it: napstat set enforcement %u enable", id);
}

/* As INapEnforcementClientConnection::GetStringCorrelationId() has it */
static const WCHAR *format_correlation_id(const CorrelationId *id, WCHAR text[MAX_CORRELATION_ID])
{
    WCHAR guid[39];
    SYSTEMTIME t;

    if (!check_time(&id->timeStamp) || !FileTimeToSystemTime(&id->timeStamp, &t)) return NULL;
    StringFromGUID2(&id->connId, guid, ARRAY_SIZE(guid));
    swprintf(text, MAX_CORRELATION_ID, L"%s - %04u-%02u-%02u %02u:%02u:%02u.%03uZ", guid, t.wYear, t.wMonth, t.wDay,
            t.wHour, t.wMinute, t.wSecond, t.wMilliseconds);
    return text;
}

static void print_connection(const napagent_connection_state *connection)
{
    WCHAR text[MAX_CORRELATION_ID];

    print_object(NULL, L"Connection");
    print_guid(L"id", L"Id", &connection->id);
    print_text(L"correlationId", L"Newest request", format_correlation_id(&connection->correlation_id, text));
    print_name(L"state", L"Isolation state", isolation_states, &connection->isolation_state);
    print_name(L"extendedState", L"Extended state", extended_states, &connection->extended_state);
    print_time(L"probationEnd", L"Probation ends", check_time(&connection->probation_end));
    print_object_end();
}

static void print_enforcement_client(const struct state *state, const NapComponentRegistrationInfo *info)
{
    const napagent_component_state *component = find_component(state, NAPAGENT_EC, info->id);
    UINT i;

    print_object(NULL, L"Enforcement client");
    print_registration(info, get_component_texts(&info->infoClsid, S_OK, 0));
    print_enabled(component, info->id);
    print_bool(L"bound", L"Bound", &component->bound);
    print_array(L"connections");
    for (i = 0; i < state->agent.connection_count; i++)
    {
        if (state->agent.connections[i].enforcer == info->id) print_connection(&state->agent.connections[i]);
    }
    print_array_end(NULL);
    print_object_end();
}

static void print_system_health_agent(const struct state *state, const NapComponentRegistrationInfo *info)
{
    const napagent_component_state *component = find_component(state, NAPAGENT_SHA, info->id);
    BOOL judged = component->failure_category != ~0u, fixing = component->fixup_state != ~0u;
    BOOL counted = fixing && component->percentage < percentageNotSupported;
    const struct component_texts *texts;

    texts = get_component_texts(&info->infoClsid, judged ? component->compliance_result : S_OK,
            fixing ? component->fixup_message : 0);

    print_object(NULL, L"System health agent");
    print_registration(info, texts);
    print_bool(L"bound", L"Bound", &component->bound);
    print_name(L"failureCategory", L"Failure category", failure_categories,
            judged ? &component->failure_category : NULL);
    print_code(L"complianceResult", L"complianceResultText", L"Compliance result",
            judged ? (const UINT32 *)&component->compliance_result : NULL, texts->texts[COMPONENT_RESULT]);
    print_name(L"fixupState", L"Fix-up", fixup_states, fixing ? &component->fixup_state : NULL);
    print_number(L"fixupPercentage", L"Fix-up percentage", counted ? &component->percentage : NULL);
    print_code(L"fixupMessage", L"fixupMessageText", L"Fix-up message",
            fixing && component->fixup_message ? &component->fixup_message : NULL, texts->texts[COMPONENT_FIXUP]);
    print_object_end();
}

static void print_configured_client(const struct state *state, const NapComponentRegistrationInfo *info)
{
    print_object(NULL, L"Enforcement client");
    print_registration(info, get_component_texts(&info->infoClsid, S_OK, 0));
    print_name(L"type", L"Type", component_types, info->componentType ? &info->componentType : NULL);
    print_classes(info);
    print_enabled(find_component(state, NAPAGENT_EC, info->id), info->id);
    print_object_end();
}

static void print_configured_agent(const struct state *state, const NapComponentRegistrationInfo *info)
{
    print_object(NULL, L"System health agent");
    print_registration(info, get_component_texts(&info->infoClsid, S_OK, 0));
    print_classes(info);
    print_object_end();
}

static void print_components(const struct state *state, napagent_kind kind, const WCHAR *key, const WCHAR *none,
        void (*print)(const struct state *state, const NapComponentRegistrationInfo *info))
{
    UINT i;

    print_array(key);
    for (i = 0; i < state->component_counts[kind]; i++) print(state, &state->components[kind][i]);
    print_array_end(none);
}

static void print_all_components(const struct state *state,
        void (*print_client)(const struct state *state, const NapComponentRegistrationInfo *info),
        void (*print_agent)(const struct state *state, const NapComponentRegistrationInfo *info))
{
    print_components(state, NAPAGENT_EC, L"enforcementClients", L"No enforcement client is registered.", print_client);
    print_components(state, NAPAGENT_SHA, L"systemHealthAgents", L"No system health agent is registered.", print_agent);
}

/* For a person there is nothing more to say of an agent that doesn't run. */
static BOOL is_worth_showing(const struct state *state, BOOL json)
{
    return json || state->status == AGENT_RUNNING;
}

HRESULT print_state(BOOL json)
{
    struct state state;
    HRESULT hr;

    if (FAILED(hr = get_state(&state))) return hr;
    print_agent(&state);
    if (is_worth_showing(&state, json))
    {
        print_client(&state);
        print_isolation(&state);
        print_all_components(&state, print_enforcement_client, print_system_health_agent);
    }
    free_state(&state);
    return S_OK;
}

HRESULT print_config(BOOL json)
{
    struct state state;
    HRESULT hr;

    if (FAILED(hr = get_state(&state))) return hr;
    print_agent(&state);
    if (is_worth_showing(&state, json))
    {
        print_client(&state);
        print_all_components(&state, print_configured_client, print_configured_agent);
    }
    free_state(&state);
    return S_OK;
}
