/*
 * What the tests of qagentrt.dll share
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

#ifndef __WINE_QAGENTRT_TEST_H
#define __WINE_QAGENTRT_TEST_H

#include <stdarg.h>

#include "windef.h"
#include "winbase.h"
#include "winsvc.h"
#include "objbase.h"
#include "naptypes.h"
#include "naperror.h"
#include "napagent.h"

#include "wine/exception.h"
#include "wine/test.h"

#define TIMEOUT 20000

/* service.c */

extern handle_t agent;

extern LONG CALLBACK rpc_filter(EXCEPTION_POINTERS *eptr);

/* hr = what the agent answers, or the error of the call itself */
#define AGENT_CALL(hr, call) \
    do \
    { \
        __TRY \
        { \
            hr = call; \
        } \
        __EXCEPT(rpc_filter) \
        { \
            hr = HRESULT_FROM_WIN32(GetExceptionCode()); \
        } \
        __ENDTRY \
    } while (0)

/* Whether the service is Wine's, which has the napagent interface. It is running and bound to afterwards. */
extern BOOL connect_agent(void);
extern void disconnect_agent(void);
extern BOOL start_service(void);
extern BOOL stop_service(void);

#endif /* __WINE_QAGENTRT_TEST_H */
