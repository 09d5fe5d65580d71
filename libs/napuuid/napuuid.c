/*
 * Network Access Protection GUIDs
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
#include "oaidl.h"
#include "ocidl.h"
#include "wincrypt.h"

/* Only what comes after is defined here, the GUIDs above are in libuuid. */
#include "initguid.h"

#ifndef __WINESRC__
#define __WINESRC__  /* the class ids too */
#endif

/* Programs that define some of the GUIDs on their own link with the others. */
#ifdef __MINGW32__
#undef DEFINE_GUID
#define DEFINE_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8) \
    const GUID DECLSPEC_SELECTANY name = { l, w1, w2, { b1, b2, b3, b4, b5, b6, b7, b8 } }
#endif

#include "napcertrelyingparty.h"
#include "napcommon.h"
#include "napenforcementclient.h"
#include "napmanagement.h"
#include "napprotocol.h"
#include "napservermanagement.h"
#include "napsystemhealthagent.h"
#include "napsystemhealthvalidator.h"
#include "naptypes.h"
