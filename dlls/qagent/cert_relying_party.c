/*
 * NapCertRelyingParty: who waits for health certificates
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
#include <stdlib.h>
#include <string.h>

#include "windef.h"
#include "winbase.h"
#include "objbase.h"

#include "wine/debug.h"

#include "qagent_private.h"

WINE_DEFAULT_DEBUG_CHANNEL(qagent);

/* No health certificate server is ever configured, so that nobody but this process need know who waits for one. */
static SRWLOCK subscribers_lock = SRWLOCK_INIT;
static EnforcementEntityId subscribers[maxEnforcerCount];
static UINT subscriber_count;

static HRESULT add_subscriber(EnforcementEntityId id)
{
    UINT i;

    for (i = 0; i < subscriber_count; i++)
    {
        if (subscribers[i] == id) return S_OK;
    }
    if (subscriber_count == ARRAY_SIZE(subscribers)) return E_OUTOFMEMORY;
    subscribers[subscriber_count++] = id;
    return S_OK;
}

static HRESULT remove_subscriber(EnforcementEntityId id)
{
    UINT i;

    for (i = 0; i < subscriber_count; i++)
    {
        if (subscribers[i] != id) continue;
        memmove(&subscribers[i], &subscribers[i + 1], (--subscriber_count - i) * sizeof(*subscribers));
        return S_OK;
    }
    return NAP_E_ID_NOT_FOUND;
}

static HRESULT copy_subscribers(EnforcementEntityCount *count, EnforcementEntityId **ids)
{
    if (!subscriber_count) return S_OK;
    if (!(*ids = CoTaskMemAlloc(subscriber_count * sizeof(**ids)))) return E_OUTOFMEMORY;
    memcpy(*ids, subscribers, subscriber_count * sizeof(**ids));
    *count = subscriber_count;
    return S_OK;
}

struct cert_relying_party
{
    INapCertRelyingParty INapCertRelyingParty_iface;
    LONG refcount;
};

static struct cert_relying_party *impl_from_INapCertRelyingParty(INapCertRelyingParty *iface)
{
    return CONTAINING_RECORD(iface, struct cert_relying_party, INapCertRelyingParty_iface);
}

static HRESULT WINAPI cert_relying_party_QueryInterface(INapCertRelyingParty *iface, REFIID iid, void **out)
{
    TRACE("iface %p, iid %s, out %p.\n", iface, debugstr_guid(iid), out);

    if (!out) return E_POINTER;
    if (IsEqualGUID(iid, &IID_IUnknown) || IsEqualGUID(iid, &IID_INapCertRelyingParty))
    {
        INapCertRelyingParty_AddRef(iface);
        *out = iface;
        return S_OK;
    }
    WARN("%s not implemented.\n", debugstr_guid(iid));
    *out = NULL;
    return E_NOINTERFACE;
}

static ULONG WINAPI cert_relying_party_AddRef(INapCertRelyingParty *iface)
{
    struct cert_relying_party *party = impl_from_INapCertRelyingParty(iface);
    ULONG refcount = InterlockedIncrement(&party->refcount);

    TRACE("iface %p, refcount %lu.\n", iface, refcount);

    return refcount;
}

static ULONG WINAPI cert_relying_party_Release(INapCertRelyingParty *iface)
{
    struct cert_relying_party *party = impl_from_INapCertRelyingParty(iface);
    ULONG refcount = InterlockedDecrement(&party->refcount);

    TRACE("iface %p, refcount %lu.\n", iface, refcount);

    if (!refcount)
    {
        free(party);
        module_release();
    }
    return refcount;
}

static HRESULT WINAPI cert_relying_party_SubscribeCertByGroup(INapCertRelyingParty *iface, EnforcementEntityId id,
        BSTR subscriber_name, const VARIANT *reserved, BOOL *cert_exists)
{
    HRESULT hr;

    TRACE("iface %p, id %#x, subscriber_name %s, reserved %p, cert_exists %p.\n", iface, id,
            debugstr_w(subscriber_name), reserved, cert_exists);

    if (cert_exists) *cert_exists = FALSE;
    if (reserved || !cert_exists) return E_INVALIDARG;

    AcquireSRWLockExclusive(&subscribers_lock);
    hr = add_subscriber(id);
    ReleaseSRWLockExclusive(&subscribers_lock);
    return hr;
}

static HRESULT WINAPI cert_relying_party_UnSubscribeCertByGroup(INapCertRelyingParty *iface, EnforcementEntityId id,
        const VARIANT *reserved)
{
    HRESULT hr;

    TRACE("iface %p, id %#x, reserved %p.\n", iface, id, reserved);

    if (reserved) return E_INVALIDARG;

    AcquireSRWLockExclusive(&subscribers_lock);
    hr = remove_subscriber(id);
    ReleaseSRWLockExclusive(&subscribers_lock);
    return hr;
}

static HRESULT WINAPI cert_relying_party_GetSubscribedRelyingParties(INapCertRelyingParty *iface,
        EnforcementEntityCount *count, EnforcementEntityId **ids)
{
    HRESULT hr;

    TRACE("iface %p, count %p, ids %p.\n", iface, count, ids);

    if (count) *count = 0;
    if (ids) *ids = NULL;
    if (!count || !ids) return E_INVALIDARG;

    AcquireSRWLockShared(&subscribers_lock);
    hr = copy_subscribers(count, ids);
    ReleaseSRWLockShared(&subscribers_lock);
    return hr;
}

static const INapCertRelyingPartyVtbl cert_relying_party_vtbl =
{
    cert_relying_party_QueryInterface,
    cert_relying_party_AddRef,
    cert_relying_party_Release,
    cert_relying_party_SubscribeCertByGroup,
    cert_relying_party_UnSubscribeCertByGroup,
    cert_relying_party_GetSubscribedRelyingParties,
};

HRESULT cert_relying_party_create(IUnknown **out)
{
    struct cert_relying_party *party;

    if (!(party = malloc(sizeof(*party)))) return E_OUTOFMEMORY;
    party->INapCertRelyingParty_iface.lpVtbl = &cert_relying_party_vtbl;
    party->refcount = 1;
    module_addref();

    *out = (IUnknown *)&party->INapCertRelyingParty_iface;
    return S_OK;
}
