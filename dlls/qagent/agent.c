/*
 * The tie to the Network Access Protection agent
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

#include <stdarg.h>

#include "windef.h"
#include "winbase.h"
#include "winsvc.h"
#include "objbase.h"

#include "wine/debug.h"

#include "qagent_private.h"

WINE_DEFAULT_DEBUG_CHANNEL(qagent);

#define START_TIMEOUT 30000 /* milliseconds */

handle_t agent_handle;

void * __RPC_USER MIDL_user_allocate(SIZE_T size)
{
    return CoTaskMemAlloc(size);
}

void __RPC_USER MIDL_user_free(void *ptr)
{
    CoTaskMemFree(ptr);
}

LONG CALLBACK agent_filter(EXCEPTION_POINTERS *eptr)
{
    return I_RpcExceptionFilter(eptr->ExceptionRecord->ExceptionCode);
}

HRESULT agent_error(DWORD exception)
{
    switch (exception)
    {
    case RPC_S_SERVER_UNAVAILABLE:
    case RPC_S_CALL_FAILED:
    case RPC_S_CALL_FAILED_DNE:
    case RPC_S_UNKNOWN_IF:
    case RPC_S_SERVER_TOO_BUSY:
        return RPC_E_DISCONNECTED;
    default:
        return HRESULT_FROM_WIN32(exception);
    }
}

/* Starts the service and waits for it. Whoever may do without it calls this after RPC_E_DISCONNECTED. */
HRESULT agent_start(void)
{
    FIXME("timeout %u.\n", START_TIMEOUT);

    return RPC_E_DISCONNECTED;
}
