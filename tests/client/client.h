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


#ifndef CLIENT_H
#define CLIENT_H

#define COBJMACROS
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
#include <objbase.h>
#include <naputil.h>
#include <napprotocol.h>
#include <napmanagement.h>

/* The SDK's header of the result codes; mingw-w64 has them in winerror.h. */
#if __has_include(<naperror.h>)
#include <naperror.h>
#endif

/* The sample's own result code: something is to be repaired. */
#define QUAR_E_NOTPATCHED ((HRESULT)0x80270050)

struct command
{
    const char *name;
    const char *arguments;
    const char *purpose;
    void (*run)(const char *arguments);
    BOOL is_setting;  /* It calls nobody, and is in effect when its line is printed. */
};

/* What makes one client differ from another */
struct client
{
    const char *role;
    const char *program;
    const char *title;
    NapComponentId id;
    CLSID info_clsid;
    const WCHAR *friendly_name, *description;
    const char *register_name, *unregister_name;
    HRESULT (*register_component)(INapClientManagement *management, const NapComponentRegistrationInfo *info);
    HRESULT (*unregister_component)(INapClientManagement *management, NapComponentId id);
    HRESULT (*bind)(NapComponentId id);
    void (*unbind)(void);
    const struct command *commands;
};

int client_main(const struct client *client, int argc, char **argv);

/* Prints a line that begins with the client's role, and writes it out at once. */
void say(const char *format, ...);

/* Says how a call went, and returns that. */
HRESULT said(const char *call, HRESULT hr);

const char *result_name(HRESULT hr);

HRESULT create_object(REFCLSID clsid, REFIID iid, const char *name, void **object);
HRESULT create_management(INapClientManagement **management);

#define TEXT_SIZE 512

/* "restricted, http://fix.example.com/" and the like. Returns the text, of TEXT_SIZE at most. */
const char *isolation_text(char *text, IsolationState state, const ProbationTime *end, const CountedString *url);

/* First thing in each callback: what the commands hang and crash have arranged happens there. */
void enter_callback(const char *name);

/* Whether the words are a number and nothing else */
BOOL read_number(const char *words, unsigned int *number);

#endif
