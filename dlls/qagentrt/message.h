/*
 * The messages that a client and a policy server exchange: the system's statement of health out, the response in
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

#ifndef __WINE_QAGENTRT_MESSAGE_H
#define __WINE_QAGENTRT_MESSAGE_H

#include "naptypes.h"

#define MAX_MACHINE_NAME 255

struct machine
{
    UINT32 os_major, os_minor, os_build;
    UINT16 sp_major, sp_minor;
    UINT16 architecture;                /* PROCESSOR_ARCHITECTURE_* */
    BYTE product_type;                  /* VER_NT_* */
    char name[MAX_MACHINE_NAME + 1];
};

/* One agent's part of a message, as TLVs of which the first is its id */
struct report
{
    SystemHealthEntityId id;
    const BYTE *data;
    UINT32 size;
    BOOL generated;                     /* in a request: written by message_write_failure() */
    BOOL valid;                         /* in a response: its attributes are those of a response */
};

struct request
{
    const struct machine *machine;
    CorrelationId correlation_id;
    IsolationState state;
    ExtendedIsolationState extended;
    BOOL fixup;
    FILETIME probation_end;             /* all ones: none */
    const BYTE *url;
    UINT16 url_length;                  /* without a NUL, at most maxStringLength */
    UINT report_count;
    const struct report *reports;       /* each taken by message_check_report(), or of message_write_failure() */
};

/* Pointers lead into the message. */
struct response
{
    CorrelationId correlation_id;
    IsolationState state;
    ExtendedIsolationState extended;
    BOOL fixup;
    FILETIME probation_end;
    const BYTE *url;
    UINT16 url_length;
    UINT shv_count;
    SystemHealthEntityId shvs[maxSystemHealthEntityCount];
    UINT report_count;
    struct report reports[maxSystemHealthEntityCount];
};

/* Three attributes: id, failure category and error code */
#define MESSAGE_FAILURE_SIZE 21

extern HRESULT message_write_request(const struct request *request, UINT32 max_size, BYTE **out, UINT32 *size,
        UINT *written);
extern HRESULT message_read_response(const BYTE *data, UINT32 size, struct response *response);
extern UINT32 message_write_failure(SystemHealthEntityId id, FailureCategory category, HRESULT error,
        BYTE out[MESSAGE_FAILURE_SIZE]);
extern const BYTE *message_find_attribute(const struct report *report, UINT16 type, UINT32 *size);
extern BOOL message_check_report(const BYTE *data, UINT32 size, SystemHealthEntityId id);

#endif /* __WINE_QAGENTRT_MESSAGE_H */
