/*
 * Bound clients, and the calls that wait for them
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

HRESULT __cdecl napagent_bind(handle_t agent, napagent_kind kind, NapComponentId id, GUID *binding)
{
    FIXME("agent %p.\n", agent);
    return E_NOTIMPL;
}

HRESULT __cdecl napagent_unbind(handle_t agent, const GUID *binding)
{
    FIXME("agent %p.\n", agent);
    return E_NOTIMPL;
}

HRESULT __cdecl napagent_next_call(handle_t agent, const GUID *binding, const napagent_result *result,
        UINT32 reply_size, const BYTE *reply, napagent_call *call, UINT32 *soh_size, BYTE **soh, UINT32 *last_size, BYTE **last_soh)
{
    FIXME("agent %p.\n", agent);
    return E_NOTIMPL;
}

HRESULT __cdecl napagent_get_component_states(handle_t agent, napagent_kind kind,
        UINT32 *count, napagent_component_state **states)
{
    FIXME("agent %p.\n", agent);
    return E_NOTIMPL;
}

BOOL client_is_bound(napagent_kind kind, NapComponentId id)
{
    return FALSE;
}

void client_drop(napagent_kind kind, NapComponentId id)
{
}

BOOL client_start(void)
{
    return TRUE;
}

void client_stop(void)
{
}
