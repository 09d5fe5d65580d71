/*
 * Connections, their isolation state, and that of the system
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

#include "windef.h"
#include "winbase.h"
#include "objbase.h"

#include "wine/debug.h"

#include "qagentrt_private.h"

WINE_DEFAULT_DEBUG_CHANNEL(qagentrt);

HRESULT __cdecl napagent_open_connection(handle_t agent, const GUID *binding, const GUID *connection,
        UINT32 private_size, const BYTE *private_data, UINT32 isolation_state, UINT32 extended_state, FILETIME probation_end, const WCHAR *failure_url)
{
    FIXME("agent %p.\n", agent);
    return E_NOTIMPL;
}

HRESULT __cdecl napagent_close_connection(handle_t agent, const GUID *binding, const GUID *connection, BOOL down)
{
    FIXME("agent %p.\n", agent);
    return E_NOTIMPL;
}

HRESULT __cdecl napagent_get_connection_states(handle_t agent, UINT32 *count, napagent_connection_state **states)
{
    FIXME("agent %p.\n", agent);
    return E_NOTIMPL;
}

HRESULT __cdecl napagent_get_isolation_info(handle_t agent, IsolationInfoEx **info, BOOL *unknown_connections)
{
    FIXME("agent %p.\n", agent);
    return E_NOTIMPL;
}
