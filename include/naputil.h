/*
 * Network Access Protection flat functions
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

#ifndef NAPUTIL_H
#define NAPUTIL_H

#include <naptypes.h>
#include <napmanagement.h>
#include <napservermanagement.h>
#include <napprotocol.h>
#include <napenforcementclient.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef NAPAPI
#define NAPAPI DECLSPEC_IMPORT
#endif

/*
 * "Documented", "implied" and "unknown" are explained in naptypes.idl, which also says
 * how many blocks each structure consists of.
 *
 * All memory is CoTaskMem (documented). A block isn't tied to its neighbours: any of them
 * may come from CoTaskMemAlloc() or go to CoTaskMemFree() on its own (implied).
 *
 * An Alloc function returns S_OK, E_INVALIDARG or E_OUTOFMEMORY (documented). Unknown: a
 * NULL out pointer, here E_INVALIDARG; what the out pointer holds on entry, here ignored;
 * what it holds after a failure, here NULL; and what is in the new memory, here zeros
 * except where a count is mentioned.
 *
 * A Free function frees the structure and every block inside, whose pointers may be NULL
 * (documented; NULL pointers implied). It reports nothing. NULL itself is accepted: implied
 * for FreeIsolationInfo(), FreeSoH() and FreeSoHAttributeValue(), unknown for the others.
 */

/* One FixupInfo, and an array of countResultCodes results for the caller to fill: 2 blocks
 * (documented, implied), freed with FreeFixupInfo().
 * Unknown: resultCodes.count, here countResultCodes; 0 results, here no array; more than
 * maxDwordCountPerSoHAttribute, here E_INVALIDARG. */
NAPAPI HRESULT WINAPI AllocFixupInfo(FixupInfo **fixupInfo, UINT16 countResultCodes);

/* One Connections, and an array of connectionsCount pointers for the caller to fill, a
 * reference each: 2 blocks (implied; the documentation speaks of several structures), freed
 * with FreeConnections().
 * Unknown: count, here connectionsCount; 0 connections, here no array; more than
 * maxConnectionCountPerEnforcer, here E_INVALIDARG. */
NAPAPI HRESULT WINAPI AllocConnections(Connections **connections, UINT16 connectionsCount);

/* One CountedString with a copy of the string and its NUL: 2 blocks (documented, implied),
 * freed with FreeCountedString().
 * Unknown: a NULL string, or more than maxStringLength characters, here E_INVALIDARG; an
 * empty string, here length 0 and a buffer that holds the NUL. */
NAPAPI HRESULT WINAPI AllocCountedString(CountedString **countedString, const WCHAR *string);

/* Frees the results too. */
NAPAPI VOID WINAPI FreeFixupInfo(FixupInfo *fixupInfo);

/* Frees the array too. Unknown: whether the connections are released; here each one that
 * isn't NULL is. */
NAPAPI VOID WINAPI FreeConnections(Connections *connections);

/* Frees the URL too. */
NAPAPI VOID WINAPI FreeIsolationInfo(IsolationInfo *isolationInfo);

/* Frees the URL too. */
NAPAPI VOID WINAPI FreeIsolationInfoEx(IsolationInfoEx *isolationInfo);

/* Frees the characters too, whatever the length says. Also for a StringCorrelationId. */
NAPAPI VOID WINAPI FreeCountedString(CountedString *countedString);

/* Frees the array and the values too. Also for an SoHRequest and an SoHResponse. */
NAPAPI VOID WINAPI FreeSoH(SoH *soh);

/* Frees the data too. Also for a NetworkSoHRequest and a NetworkSoHResponse. */
NAPAPI VOID WINAPI FreeNetworkSoH(NetworkSoH *networkSoh);

/* Frees the data too. */
NAPAPI VOID WINAPI FreePrivateData(PrivateData *privateData);

/* Frees the block of the type's arm too. The type is the one that GetAttribute() returned
 * with the value (documented). Unknown: a type without an arm, here that of octetStringVal
 * as in GetAttribute(). */
NAPAPI VOID WINAPI FreeSoHAttributeValue(SoHAttributeType type, SoHAttributeValue *value);

/* *info is one array of count structures as returned by INapClientManagement and
 * INapServerInfo (implied); frees their strings too. Unknown: what *info holds afterwards,
 * here NULL. */
NAPAPI VOID WINAPI FreeNapComponentRegistrationInfoArray(UINT16 count, NapComponentRegistrationInfo **info);

/* Frees both arrays of results too. */
NAPAPI VOID WINAPI FreeSystemHealthAgentState(SystemHealthAgentState *state);

/* Has the event set whenever what the type stands for changes: one subscription a process
 * and type, not thread-safe. The caller keeps the event open until after
 * UninitializeNapAgentNotifier(), and closes it. Returns S_OK, E_FAIL, E_INVALIDARG, or
 * ERROR_ALREADY_INITIALIZED in a form that is unknown, here as an HRESULT. All but the last
 * documented.
 * Unknown: another type or a handle that isn't valid, here E_INVALIDARG; whether it works
 * without the agent service, here it does; whether the event is set at once, here not. */
NAPAPI HRESULT WINAPI InitializeNapAgentNotifier(NapNotifyType type, HANDLE hNotifyEvent);

/* Ends the subscription, if there is one; not thread-safe (documented). Unknown: whether it
 * waits for the event that is about to be set; here it does. */
NAPAPI VOID WINAPI UninitializeNapAgentNotifier(NapNotifyType type);

#ifdef __cplusplus
}
#endif

#endif /* NAPUTIL_H */
