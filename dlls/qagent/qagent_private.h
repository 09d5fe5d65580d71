/*
 * What the files of qagent.dll share
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

#ifndef __WINE_QAGENT_PRIVATE_H
#define __WINE_QAGENT_PRIVATE_H

#include "naptypes.h"
#include "napmanagement.h"
#include "napenforcementclient.h"
#include "napsystemhealthagent.h"
#include "napcertrelyingparty.h"
#include "naputil.h"
#include "napagent.h"

#include "wine/exception.h"

/* main.c: what keeps the module loaded */
extern void module_addref(void);
extern void module_release(void);

/* agent.c: the tie to the service */
extern handle_t agent_handle;
extern LONG CALLBACK agent_filter(EXCEPTION_POINTERS *eptr);
extern HRESULT agent_error(DWORD exception);
extern HRESULT agent_start(void);

/* hr = what the agent answers to one of its interface's functions, or why it didn't */
#define AGENT_CALL(hr, call) \
    do \
    { \
        __TRY \
        { \
            hr = call; \
        } \
        __EXCEPT(agent_filter) \
        { \
            hr = agent_error(GetExceptionCode()); \
        } \
        __ENDTRY \
    } while (0)

/* create an object with one reference */
extern HRESULT management_create(IUnknown **out);
extern HRESULT sha_binding_create(IUnknown **out);
extern HRESULT ec_binding_create(IUnknown **out);
extern HRESULT cert_relying_party_create(IUnknown **out);

#endif /* __WINE_QAGENT_PRIVATE_H */
