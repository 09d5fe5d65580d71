/*
 * What the files of qutil.dll share
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

#ifndef __WINE_QUTIL_PRIVATE_H
#define __WINE_QUTIL_PRIVATE_H

#include "naptypes.h"
#include "napprotocol.h"

/* attribute.c */
extern BOOL attribute_encode(SoHAttributeType type, const SoHAttributeValue *value, BYTE *wire, SIZE_T room,
        UINT16 *size);
extern HRESULT attribute_decode(const SoHAttribute *attribute, SoHAttributeValue **out);
extern void attribute_free_value(SoHAttributeType type, SoHAttributeValue *value);
extern BOOL soh_is_valid(const SoH *soh, BOOL is_request);
extern SystemHealthEntityId soh_get_id(const SoH *soh);
extern HRESULT soh_copy(const SoH *soh, SoH **out);
extern SoH *soh_pack(const SoH *soh);
extern void soh_free(SoH *soh);

/* constructor.c, processor.c: create an object with one reference */
extern HRESULT constructor_create(IUnknown **out);
extern HRESULT processor_create(IUnknown **out);

/* main.c: objects and locks that keep the module loaded */
extern void module_addref(void);
extern void module_release(void);

#endif /* __WINE_QUTIL_PRIVATE_H */
