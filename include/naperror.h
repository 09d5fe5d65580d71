/*
 * Network Access Protection error codes
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

#ifndef NAPERROR_H
#define NAPERROR_H

/* winerror.h has these codes on Windows, but not in every version of Wine. Included
 * first, it can't redefine them later. */
#include <winerror.h>

#ifndef FACILITY_NAP
#define FACILITY_NAP                         39
#endif

/* The SoH or the network SoH is malformed. */
#ifndef NAP_E_INVALID_PACKET
#define NAP_E_INVALID_PACKET                 _HRESULT_TYPEDEF_(0x80270001)
#endif

/* The packet has no SoH of this entity. */
#ifndef NAP_E_MISSING_SOH
#define NAP_E_MISSING_SOH                    _HRESULT_TYPEDEF_(0x80270002)
#endif

/* The id is registered already. */
#ifndef NAP_E_CONFLICTING_ID
#define NAP_E_CONFLICTING_ID                 _HRESULT_TYPEDEF_(0x80270003)
#endif

/* The cache holds no SoH of this agent. */
#ifndef NAP_E_NO_CACHED_SOH
#define NAP_E_NO_CACHED_SOH                  _HRESULT_TYPEDEF_(0x80270004)
#endif

/* The entity is bound. */
#ifndef NAP_E_STILL_BOUND
#define NAP_E_STILL_BOUND                    _HRESULT_TYPEDEF_(0x80270005)
#endif

/* The entity isn't registered. */
#ifndef NAP_E_NOT_REGISTERED
#define NAP_E_NOT_REGISTERED                 _HRESULT_TYPEDEF_(0x80270006)
#endif

/* Initialize() has not been called. */
#ifndef NAP_E_NOT_INITIALIZED
#define NAP_E_NOT_INITIALIZED                _HRESULT_TYPEDEF_(0x80270007)
#endif

/* The correlation ids differ. */
#ifndef NAP_E_MISMATCHED_ID
#define NAP_E_MISMATCHED_ID                  _HRESULT_TYPEDEF_(0x80270008)
#endif

/* The completed request isn't pending. */
#ifndef NAP_E_NOT_PENDING
#define NAP_E_NOT_PENDING                    _HRESULT_TYPEDEF_(0x80270009)
#endif

/* No component has the id. */
#ifndef NAP_E_ID_NOT_FOUND
#define NAP_E_ID_NOT_FOUND                   _HRESULT_TYPEDEF_(0x8027000A)
#endif

/* The SoH is larger than the connection allows. */
#ifndef NAP_E_MAXSIZE_TOO_SMALL
#define NAP_E_MAXSIZE_TOO_SMALL              _HRESULT_TYPEDEF_(0x8027000B)
#endif

/* The agent service is down. */
#ifndef NAP_E_SERVICE_NOT_RUNNING
#define NAP_E_SERVICE_NOT_RUNNING            _HRESULT_TYPEDEF_(0x8027000C)
#endif

/* A success code: the store holds the certificate. */
#ifndef NAP_S_CERT_ALREADY_PRESENT
#define NAP_S_CERT_ALREADY_PRESENT           _HRESULT_TYPEDEF_(0x0027000D)
#endif

/* The agent has the entity switched off. */
#ifndef NAP_E_ENTITY_DISABLED
#define NAP_E_ENTITY_DISABLED                _HRESULT_TYPEDEF_(0x8027000E)
#endif

/* The group policy isn't configured. */
#ifndef NAP_E_NETSH_GROUPPOLICY_ERROR
#define NAP_E_NETSH_GROUPPOLICY_ERROR        _HRESULT_TYPEDEF_(0x8027000F)
#endif

/* Too many calls at the same time. */
#ifndef NAP_E_TOO_MANY_CALLS
#define NAP_E_TOO_MANY_CALLS                 _HRESULT_TYPEDEF_(0x80270010)
#endif

/* The configuration id is taken; since Windows 7. */
#ifndef NAP_E_SHV_CONFIG_EXISTED
#define NAP_E_SHV_CONFIG_EXISTED             _HRESULT_TYPEDEF_(0x80270011)
#endif

/* There is no such configuration id; since Windows 7. */
#ifndef NAP_E_SHV_CONFIG_NOT_FOUND
#define NAP_E_SHV_CONFIG_NOT_FOUND           _HRESULT_TYPEDEF_(0x80270012)
#endif

/* The validator was too slow; since Windows 7. */
#ifndef NAP_E_SHV_TIMEOUT
#define NAP_E_SHV_TIMEOUT                    _HRESULT_TYPEDEF_(0x80270013)
#endif

#endif /* NAPERROR_H */
