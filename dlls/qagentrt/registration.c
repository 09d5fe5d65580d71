/*
 * Registered system health agents and enforcement clients
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

HRESULT __cdecl napagent_register(handle_t agent, napagent_kind kind, const napagent_component *component,
        const WCHAR *friendly_name, const WCHAR *description, const WCHAR *version, const WCHAR *vendor_name)
{
    FIXME("agent %p.\n", agent);
    return E_NOTIMPL;
}

HRESULT __cdecl napagent_unregister(handle_t agent, napagent_kind kind, NapComponentId id)
{
    FIXME("agent %p.\n", agent);
    return E_NOTIMPL;
}

HRESULT __cdecl napagent_enable(handle_t agent, EnforcementEntityId id, BOOL enabled)
{
    FIXME("agent %p.\n", agent);
    return E_NOTIMPL;
}

HRESULT __cdecl napagent_get_registered(handle_t agent, napagent_kind kind,
        UINT32 *count, NapComponentRegistrationInfo **components)
{
    FIXME("agent %p.\n", agent);
    return E_NOTIMPL;
}
