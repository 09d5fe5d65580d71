/*
 * Network Access Protection component ids of Microsoft
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

#ifndef NAPMICROSOFTVENDORIDS_H
#define NAPMICROSOFTVENDORIDS_H

#include <basetsd.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Not const: INapEnforcementClientConnection2::SetInstalledShvs() takes plain pointers. */
#ifdef __GNUC__
#define NAP_COMPONENT_ID static UINT32 __attribute__((unused))
#else
#define NAP_COMPONENT_ID static UINT32
#endif

/* Microsoft's SMI enterprise number; the ids below it are reserved for Microsoft. */
NAP_COMPONENT_ID MicrosoftVendorId = 0x137;

NAP_COMPONENT_ID NapSystemId = 0x00013700;

/* Enforcement clients */
NAP_COMPONENT_ID NapDhcpEnforcementId = 0x00013701;
NAP_COMPONENT_ID NapRasEnforcementId = 0x00013702;
NAP_COMPONENT_ID NapIpsecEnforcementId = 0x00013703;
NAP_COMPONENT_ID Nap8021xEnforcementId = 0x00013704;
NAP_COMPONENT_ID NapAnywhereAccessEnforcementId = 0x00013705;
NAP_COMPONENT_ID NapIsaEnforcementId = 0x00013706;
NAP_COMPONENT_ID NapEapEnforcementId = 0x00013707;

/* System health agents and validators */
NAP_COMPONENT_ID NapOutOfBoxSystemHealthId = 0x00013780;
NAP_COMPONENT_ID NapSmsSystemHealthId = 0x00013781;
NAP_COMPONENT_ID NapFCSv1SystemHealthId = 0x00013782;
NAP_COMPONENT_ID NapFCSv2SystemHealthId = 0x00013783;
NAP_COMPONENT_ID NapTpmSystemHealthId = 0x00013784;

#undef NAP_COMPONENT_ID

#ifdef __cplusplus
}
#endif

#endif /* NAPMICROSOFTVENDORIDS_H */
