/*
 * Attributes of a statement of health: how each type lies in memory and on the wire
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
#include <stddef.h>

#include "windef.h"
#include "winbase.h"
#include "objbase.h"

#include "qutil_private.h"

/* The part of a value that is a block of its own; no type has more than one. */
static void *get_array(SoHAttributeType type, const SoHAttributeValue *value)
{
    switch (type)
    {
    case sohAttributeTypeSystemHealthId:
    case sohAttributeTypeTimeOfLastUpdate:
    case sohAttributeTypeHealthClass:
    case sohAttributeTypeSoHGenerationTime:
    case sohAttributeTypeFailureCategory:
    case sohAttributeTypeExtendedIsolationState:
        return NULL;
    case sohAttributeTypeIpv4FixupServers:
        return value->v4AddressesVal.addresses;
    case sohAttributeTypeIpv6FixupServers:
        return value->v6AddressesVal.addresses;
    case sohAttributeTypeComplianceResultCodes:
    case sohAttributeTypeErrorCodes:
        return value->codesVal.results;
    case sohAttributeTypeVendorSpecific:
        return value->vendorSpecificVal.vendorSpecificData;
    default:
        return value->octetStringVal.data;
    }
}

void attribute_free_value(SoHAttributeType type, SoHAttributeValue *value)
{
    if (!value) return;
    CoTaskMemFree(get_array(type, value));
    CoTaskMemFree(value);
}

void soh_free(SoH *soh)
{
    UINT16 i;

    if (!soh) return;
    if (soh->attributes)
    {
        for (i = 0; i < soh->count; i++) CoTaskMemFree(soh->attributes[i].value);
        CoTaskMemFree(soh->attributes);
    }
    CoTaskMemFree(soh);
}
