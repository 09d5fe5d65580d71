/*
 * Exchanges: collecting statements of health, and handing out the responses
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

HRESULT __cdecl napagent_notify_soh_change(handle_t agent, const GUID *binding)
{
    FIXME("agent %p.\n", agent);
    return E_NOTIMPL;
}

HRESULT __cdecl napagent_flush_cache(handle_t agent, const GUID *binding)
{
    FIXME("agent %p.\n", agent);
    return E_NOTIMPL;
}

HRESULT __cdecl napagent_notify_soh_change_failure(handle_t agent, const GUID *binding)
{
    FIXME("agent %p.\n", agent);
    return E_NOTIMPL;
}

HRESULT __cdecl napagent_get_soh_request(handle_t agent, const GUID *binding, const GUID *connection,
        const ConnectionId *id, UINT32 max_size, BOOL *retrigger_hint, CorrelationId *correlation_id, UINT32 *size, BYTE **request, UINT32 *private_size, BYTE **private_data)
{
    FIXME("agent %p.\n", agent);
    return E_NOTIMPL;
}

HRESULT __cdecl napagent_process_soh_response(handle_t agent, const GUID *binding, const GUID *connection,
        UINT32 size, const BYTE *response, IsolationInfoEx **info, UINT32 *shv_count, SystemHealthEntityId **shvs, UINT32 *private_size, BYTE **private_data)
{
    FIXME("agent %p.\n", agent);
    return E_NOTIMPL;
}

void exchange_forget(SystemHealthEntityId id)
{
}
