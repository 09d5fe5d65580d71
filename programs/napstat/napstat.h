/*
 * What the files of napstat share
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

#ifndef __WINE_NAPSTAT_H
#define __WINE_NAPSTAT_H

#include <stdarg.h>

#include "windef.h"
#include "winbase.h"
#include "objbase.h"
#include "naptypes.h"
#include "naperror.h"
#include "napagent.h"

/* agent.c: the service, and what only its own interface tells; arrays go to free() */

enum agent_status
{
    AGENT_NOT_INSTALLED,
    AGENT_STOPPED,
    AGENT_RUNNING,
};

struct agent_state
{
    UINT32 component_counts[NAPAGENT_KIND_COUNT];
    napagent_component_state *components[NAPAGENT_KIND_COUNT];
    UINT32 connection_count;
    napagent_connection_state *connections;
};

extern enum agent_status get_agent_status(void);
extern DWORD start_agent(void);
extern HRESULT get_agent_state(struct agent_state *state);
extern void free_agent_state(struct agent_state *state);
extern HRESULT enable_enforcement_client(EnforcementEntityId id, BOOL enabled);

/* component.c: texts from the class that a component's vendor has for it */

enum component_text
{
    COMPONENT_NAME,
    COMPONENT_DESCRIPTION,
    COMPONENT_VERSION,
    COMPONENT_VENDOR,
    COMPONENT_RESULT,   /* of an error code */
    COMPONENT_FIXUP,    /* of the message of a fix-up */
    COMPONENT_TEXT_COUNT
};

struct component_texts
{
    WCHAR texts[COMPONENT_TEXT_COUNT][maxStringLength + 1]; /* empty: the class has none */
};

extern const struct component_texts *get_component_texts(const CLSID *clsid, HRESULT result, MessageId fixup);

/* The process that asks the class, as it may hang or die */
#define TELL_ARGUMENT L"--tell-component-texts"
extern int tell_component_texts(int argc, WCHAR *argv[]);

/* state.c */

extern HRESULT print_state(BOOL json);
extern HRESULT print_config(BOOL json);

/* print.c: the same calls make text for a person and JSON for a program. A NULL value is none. */

struct name
{
    UINT32 value;
    const WCHAR *text, *json; /* NULL: the end */
};

extern void print_begin(BOOL json);
extern const WCHAR *print_end(void);
extern void print_object(const WCHAR *key, const WCHAR *title, ...);
extern void print_object_end(void);
extern void print_array(const WCHAR *key);
extern void print_array_end(const WCHAR *none);
extern void print_text(const WCHAR *key, const WCHAR *label, const WCHAR *value);
extern void print_bool(const WCHAR *key, const WCHAR *label, const BOOL *value);
extern void print_number(const WCHAR *key, const WCHAR *label, const UINT32 *value);
extern void print_id(const WCHAR *key, const WCHAR *hex_key, const WCHAR *label, UINT32 id);
extern void print_guid(const WCHAR *key, const WCHAR *label, const GUID *value);
extern void print_name(const WCHAR *key, const WCHAR *label, const struct name *names, const UINT32 *value);
extern void print_code(const WCHAR *key, const WCHAR *text_key, const WCHAR *label, const UINT32 *code,
        const WCHAR *text);
extern void print_time(const WCHAR *key, const WCHAR *label, const FILETIME *value);
extern void print_note(const WCHAR *format, ...); /* for a person only */

extern BOOL write_output(const WCHAR *text);
extern void write_error(const WCHAR *format, ...);
extern void *allocate(size_t size);

#endif /* __WINE_NAPSTAT_H */
