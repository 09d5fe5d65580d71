/*
 * Entries in the event log
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

#include "windef.h"
#include "winbase.h"
#include "objbase.h"

#include "wine/debug.h"

#include "qagentrt_private.h"

WINE_DEFAULT_DEBUG_CHANNEL(qagentrt);

#define MAX_TEXT 1024

static const struct
{
    enum agent_event event;
    WORD type;
    const WCHAR *text;
}
events[] =
{
    { EVENT_SHA_NOT_REGISTERED, EVENTLOG_ERROR_TYPE, L"A system health agent that isn't registered tried to bind" },
    { EVENT_SHA_BOUND_TWICE, EVENTLOG_ERROR_TYPE, L"A system health agent tried to bind a second time" },
    { EVENT_SHA_NOT_BOUND, EVENTLOG_ERROR_TYPE, L"A system health agent that isn't bound tried to unbind" },
    { EVENT_SHA_BOUND, EVENTLOG_INFORMATION_TYPE, L"A system health agent is bound" },
    { EVENT_SHA_UNBOUND, EVENTLOG_INFORMATION_TYPE, L"A system health agent is unbound" },
    { EVENT_EC_NOT_REGISTERED, EVENTLOG_ERROR_TYPE, L"An enforcement client that isn't registered tried to bind" },
    { EVENT_EC_BOUND_TWICE, EVENTLOG_ERROR_TYPE, L"An enforcement client tried to bind a second time" },
    { EVENT_EC_NOT_BOUND, EVENTLOG_ERROR_TYPE, L"An enforcement client that isn't bound tried to unbind" },
    { EVENT_EC_BOUND, EVENTLOG_INFORMATION_TYPE, L"An enforcement client is bound" },
    { EVENT_EC_UNBOUND, EVENTLOG_INFORMATION_TYPE, L"An enforcement client is unbound" },
    { EVENT_SHA_CALL_FAILED, EVENTLOG_ERROR_TYPE, L"A system health agent failed a call" },
    { EVENT_EC_CALL_FAILED, EVENTLOG_ERROR_TYPE, L"An enforcement client failed a call" },
    { EVENT_MAX_SIZE_TOO_SMALL, EVENTLOG_ERROR_TYPE,
            L"No statement of health was built, as the connection's maximum size is too small" },
    { EVENT_SHAS_LEFT_OUT, EVENTLOG_WARNING_TYPE,
            L"A statement of health was built without some agents, to fit the connection's maximum size" },
    { EVENT_MISMATCHED_ID, EVENTLOG_WARNING_TYPE, L"A response has an unexpected correlation id" },
    { EVENT_UNKNOWN_SHAS, EVENTLOG_WARNING_TYPE, L"A response is also for system health agents that aren't installed" },
    { EVENT_ISOLATION_STATE, EVENTLOG_INFORMATION_TYPE, L"The isolation state of the system has changed" },
    { EVENT_SERVICE_STARTED, EVENTLOG_INFORMATION_TYPE, L"The Network Access Protection Agent service has started" },
    { EVENT_SOH_SENT, EVENTLOG_INFORMATION_TYPE, L"A statement of health was handed to an enforcement client" },
    { EVENT_SOH_RESPONSE_RECEIVED, EVENTLOG_INFORMATION_TYPE, L"A response to a statement of health was received" },
    { EVENT_EXTENDED_STATE, EVENTLOG_INFORMATION_TYPE, L"A response has an extended isolation state" },
};

static HANDLE get_source(void)
{
    static HANDLE source;
    HANDLE new;

    if (source || !(new = RegisterEventSourceW(NULL, L"Microsoft-Windows-NetworkAccessProtection"))) return source;
    if (InterlockedCompareExchangePointer(&source, new, NULL)) DeregisterEventSource(new);
    return source;
}

void report_event(enum agent_event event, const WCHAR *format, ...)
{
    WCHAR text[MAX_TEXT];
    const WCHAR *strings[] = { text };
    HANDLE source;
    va_list args;
    UINT i = 0;
    int length;

    while (events[i].event != event) i++;

    length = swprintf(text, ARRAY_SIZE(text), format ? L"%s: " : L"%s", events[i].text);
    if (format)
    {
        va_start(args, format);
        vswprintf(text + length, ARRAY_SIZE(text) - length, format, args);
        va_end(args);
        text[ARRAY_SIZE(text) - 1] = 0;
    }
    TRACE("event %u: %s.\n", event, debugstr_w(text));

    if ((source = get_source()))
        ReportEventW(source, events[i].type, 0, event, NULL, ARRAY_SIZE(strings), 0, strings, NULL);
}
