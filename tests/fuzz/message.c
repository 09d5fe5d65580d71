/*
 * Feeds arbitrary messages, requests and reports to dlls/qagentrt/message.c, built for the host
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


/* An input, with its integers big-endian; what it lacks at its end is made up:
 *   1  enum kind
 * and of a message: the message
 * or of a message's parts, which get a frame that fits
 *   1  bit 0: wrapped; bit 1: with a mode
 *   2  size of the system's values
 *   then the values and the entries of the agents
 * or of a request
 *   1  which allocation fails, counted from 1; 0: none
 *   2  the size that is allowed
 *   19 the machine without its name
 *   1  length of the name
 *   24 correlation id
 *   1  flags, as a message has them
 *   8  end of probation
 *   2  length of the URL
 *   1  number of reports
 *   then for each report: 1 bit 0: generated; 2 size of what follows its id
 * or of a report
 *   4  id
 *   then the report
 */

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "windef.h"
#include "winbase.h"

#include "naperror.h"
#include "napprotocol.h"

#include "message.h"
#include "harness.h"

enum kind
{
    KIND_MESSAGE,
    KIND_PARTS,
    KIND_REQUEST,
    KIND_REPORT,
    KINDS
};

#define MAX_MESSAGE 8192

static UINT be16(const BYTE *bytes)
{
    return bytes[0] << 8 | bytes[1];
}

static void set_be16(BYTE *bytes, UINT value)
{
    bytes[0] = value >> 8;
    bytes[1] = value;
}

static void set_be32(BYTE *bytes, UINT32 value)
{
    set_be16(bytes, value >> 16);
    set_be16(bytes + 2, value);
}

/* In a block of just its size, so that reading beyond it is seen */
static BYTE *copy_bytes(const BYTE *bytes, size_t size)
{
    BYTE *copy;

    require((copy = malloc(size)));
    if (size) memcpy(copy, bytes, size);
    return copy;
}

/* ---- what is expected: the message read once more, by offsets ---- */

/* Of the attributes of a report, those after its id included */
struct tally
{
    UINT attributes, verdicts, fixup_servers;
    BOOL bad_size;
};

static void tally_attribute(struct tally *tally, UINT type, UINT size)
{
    tally->attributes++;
    if (!expect_size(type, size)) tally->bad_size = TRUE;
    if (type == sohAttributeTypeComplianceResultCodes || type == sohAttributeTypeFailureCategory) tally->verdicts++;
    if (type == sohAttributeTypeIpv4FixupServers || type == sohAttributeTypeIpv6FixupServers) tally->fixup_servers++;
}

static BOOL has_tlv(const BYTE *data, UINT at, UINT end)
{
    return end - at >= 4 && end - at - 4 >= be16(data + at + 2);
}

static UINT tlv_type(const BYTE *data)
{
    return be16(data) & 0x3fff;
}

static void expect_correlation_id(const BYTE *data, const CorrelationId *id)
{
    require(be32(data) == id->connId.Data1);
    require(be16(data + 4) == id->connId.Data2);
    require(be16(data + 6) == id->connId.Data3);
    require(same(data + 8, id->connId.Data4, 8));
    require(be32(data + 16) == id->timeStamp.dwHighDateTime);
    require(be32(data + 20) == id->timeStamp.dwLowDateTime);
}

/* Whether the message is a response; if response isn't NULL, it is what was read of it. */
static BOOL expect_response(const BYTE *data, UINT size, const struct response *response, BOOL *matches)
{
    static const UINT fixed_sizes[] = {0, 18, 12, 1, 2, 2, 24, 2, 5};   /* with the sizes in them */
    UINT at = 0, end, type, i, length, seen = 0, count = 0, mode = 0, url = 0, values[9], lengths[9] = {0};
    UINT32 ids[21];
    struct tally tallies[21];
    UINT starts[22];

    if (size < 12 || size > 4000) return FALSE;
    do
    {
        if (size - at < 12 || tlv_type(data + at) != 7 || be16(data + at + 2) != size - at - 4) return FALSE;
        if (be32(data + at + 4) != 0x137 || be16(data + at + 10) != size - at - 12) return FALSE;
        type = tlv_type(data + at + 8);
        at += 12;
    } while (type == 3 && at == 12);

    if (type == 2)
    {
        if (size - at < 34 || tlv_type(data + at) != 7 || be16(data + at + 2) != 30) return FALSE;
        if (be32(data + at + 4) != 0x137 || data[at + 33]) return FALSE;
        mode = at + 8;
        at += 34;
    }
    else if (type != 1) return FALSE;

    if (!has_tlv(data, at, size) || tlv_type(data + at) != 2 || be16(data + at + 2) != 4) return FALSE;
    if (be32(data + at + 4) != 0x13700) return FALSE;
    at += 8;
    if (!has_tlv(data, at, size) || tlv_type(data + at) != 7 || be16(data + at + 2) < 4) return FALSE;
    if (be32(data + at + 4) != 0x137) return FALSE;
    end = at + 4 + be16(data + at + 2);
    at += 8;

    while (at < end)
    {
        type = data[at++];
        if (type < 1 || type > 8 || seen & 1 << type) return FALSE;
        seen |= 1 << type;
        if (end - at < fixed_sizes[type]) return FALSE;
        values[type] = at;
        at += fixed_sizes[type];
        if (type != 2 && type != 4 && type != 5 && type != 7) continue;
        lengths[type] = be16(data + at - 2);
        if (end - at < lengths[type]) return FALSE;
        if ((type == 4 || type == 7) && lengths[type] % 4) return FALSE;
        at += lengths[type];
    }
    if ((seen & 0x4c) != 0x4c || (data[values[3]] & 0x1f) != 1) return FALSE;
    *matches = !mode || same(data + mode, data + values[6], 24);
    if (!(data[values[2] + 1] & 7) || (data[values[2] + 1] & 7) > 3) return FALSE;
    while (url < lengths[2] && data[values[2] + 12 + url]) url++;
    if (url > 1024 || lengths[7] > 80) return FALSE;

    /* What is left of the system's own entry comes first. */
    for (; at < size; at += 4 + length)
    {
        if (!has_tlv(data, at, size)) return FALSE;
        type = tlv_type(data + at);
        length = be16(data + at + 2);
        if (type == 2)
        {
            if (length != 4 || count == 20) return FALSE;
            ids[count] = be32(data + at + 4);
            if (ids[count] == 0x13700) return FALSE;
            for (i = 0; i < count; i++) if (ids[i] == ids[count]) return FALSE;
            memset(&tallies[count], 0, sizeof(tallies[count]));
            starts[count++] = at;
        }
        if ((data[at] & 0x80) && (type < 2 || type > 16)) return FALSE;
        if (count) tally_attribute(&tallies[count - 1], type, length);
    }
    starts[count] = size;
    if (!response) return TRUE;

    expect_correlation_id(data + values[6], &response->correlation_id);
    require(response->state == (data[values[2] + 1] & 7));
    require(response->fixup == !!(data[values[2] + 1] & 8));
    require(response->extended == min(data[values[2] + 1] >> 4, 3));
    require(response->probation_end.dwHighDateTime == be32(data + values[2] + 2));
    require(response->probation_end.dwLowDateTime == be32(data + values[2] + 6));
    require(response->url == data + values[2] + 12);
    require(response->url_length == url);
    require(response->shv_count == lengths[7] / 4);
    for (i = 0; i < response->shv_count; i++) require(response->shvs[i] == be32(data + values[7] + 2 + 4 * i));
    require(response->report_count == count);
    for (i = 0; i < count; i++)
    {
        const struct report *report = &response->reports[i];
        const struct tally *tally = &tallies[i];

        require(report->id == ids[i]);
        require(report->data == data + starts[i]);
        require(report->size == starts[i + 1] - starts[i]);
        require(!report->generated);
        require(report->valid == (!tally->bad_size && tally->attributes <= 100 && tally->verdicts
                && tally->fixup_servers <= 1));
    }
    return TRUE;
}

/* ---- using it as the agent does ---- */

static void find_attributes(const struct report *report)
{
    UINT type, at;

    for (type = 0; type <= sohAttributeTypeExtendedIsolationState + 1; type++)
    {
        UINT32 size = 0xdeadbeef;
        const BYTE *value = message_find_attribute(report, type, &size);

        for (at = 0; at < report->size && tlv_type(report->data + at) != type; at += 4 + be16(report->data + at + 2))
            /* nothing */;
        if (at == report->size) require(!value);
        else require(value == report->data + at + 4 && size == be16(report->data + at + 2));
    }
}

static BOOL read_message(const BYTE *bytes, size_t size, struct response *response)
{
    BOOL matches, expected;
    HRESULT hr;

    memset(response, 0xcc, sizeof(*response));
    hr = message_read_response(bytes, size, response);
    expected = expect_response(bytes, size, hr == S_OK ? response : NULL, &matches);
    require(hr == (!expected ? NAP_E_INVALID_PACKET : matches ? S_OK : NAP_E_MISMATCHED_ID));
    return hr == S_OK;
}

static void fuzz_message(const BYTE *bytes, size_t size)
{
    struct response response, cut;
    BYTE *data = copy_bytes(bytes, size), *prefix;
    UINT i;

    if (read_message(data, size, &response))
    {
        for (i = 0; i < response.report_count; i++)
        {
            const struct report *report = &response.reports[i];
            BOOL valid = message_check_report(report->data, report->size, report->id);

            require(valid || !report->valid);
            find_attributes(report);
        }

        /* No part of it is a message. */
        for (i = 1; i < size; i += i)
        {
            prefix = copy_bytes(data, size - i);
            require(!read_message(prefix, size - i, &cut));
            free(prefix);
        }
    }
    free(data);
}

static void fuzz_parts(struct input *input)
{
    static const BYTE id[] =
    {
        0x54, 0x46, 0x89, 0x36, 0xcb, 0x49, 0x43, 0x74, 0xb1, 0x27, 0xa6, 0xa3, 0xcc, 0x3b, 0xb1, 0x1c,
        0x01, 0xca, 0x78, 0xd8, 0x58, 0xee, 0x1e, 0xf0
    };
    UINT flags = get_integer(input, 1), values = get_integer(input, 2), at = 0, headers[2], count = 0, i;
    BYTE message[MAX_MESSAGE] = {0};

    values = min(values, input->size);
    if (values + input->size > 5000) return;
    for (i = 0; i < 1 + (flags & 1); i++)
    {
        headers[count++] = at;
        set_be16(message + at, 7);
        set_be32(message + at + 4, 0x137);
        set_be16(message + at + 8, i < (flags & 1) ? 3 : 1 + (flags >> 1 & 1));
        at += 12;
    }
    if (flags & 2)
    {
        set_be16(message + at, 7);
        set_be16(message + at + 2, 30);
        set_be32(message + at + 4, 0x137);
        memcpy(message + at + 8, id, sizeof(id));
        at += 34;
    }
    memcpy(message + at, "\0\2\0\4\0\1\x37\0\0\7\0\0\0\0\1\x37", 16);
    set_be16(message + at + 10, 4 + values);
    at += 16;
    i = input->size;
    get_bytes(input, message + at, i);
    at += i;
    while (count--)
    {
        set_be16(message + headers[count] + 2, at - headers[count] - 4);
        set_be16(message + headers[count] + 10, at - headers[count] - 12);
    }
    fuzz_message(message, at);
}

static UINT get_size(const struct request *request, UINT count)
{
    UINT i, generated = 0, size = 144 + strlen(request->machine->name) + request->url_length;

    for (i = 0; i < count; i++)
    {
        size += request->reports[i].size;
        generated += request->reports[i].generated;
    }
    return size + (generated ? 3 + 4 * generated : 0);
}

/* A server that answers with what it was told */
static void check_echo(const struct request *request, const BYTE *data, UINT size, UINT count)
{
    BYTE *echo = copy_bytes(data, size);
    struct response response;
    UINT i;

    require(!read_message(echo, size, &response));
    require(be16(echo + 8) == 1 && echo[75] == 0x11 && echo[56] == 1 && !echo[57]);
    set_be16(echo + 8, 3);
    require(!read_message(echo, size, &response));
    echo[75] = 0x01;
    require(read_message(echo, size, &response));

    require(same(&response.correlation_id, &request->correlation_id, sizeof(CorrelationId)));
    require(response.state == request->state && response.extended == request->extended);
    require(response.fixup == !!request->fixup);
    require(same(&response.probation_end, &request->probation_end, sizeof(FILETIME)));
    require(response.url_length == request->url_length && same(response.url, request->url, request->url_length));
    require(!response.shv_count);
    require(response.report_count == count);
    for (i = 0; i < count; i++)
    {
        require(response.reports[i].id == request->reports[i].id);
        require(response.reports[i].size == request->reports[i].size);
        require(same(response.reports[i].data, request->reports[i].data, request->reports[i].size));
    }

    require(be32(echo + 77) == request->machine->os_major);
    require(be32(echo + 81) == request->machine->os_minor);
    require(be32(echo + 85) == request->machine->os_build);
    require(be16(echo + 89) == request->machine->sp_major);
    require(be16(echo + 91) == request->machine->sp_minor);
    require(be16(echo + 93) == request->machine->architecture);
    require(be16(echo + 96) == strlen(request->machine->name) + 1);
    require(same(echo + 98, request->machine->name, strlen(request->machine->name) + 1));
    free(echo);
}

static void fuzz_request(struct input *input)
{
    static const UINT32 sizes[] = {0, ~0u, 65535, 4001};
    struct machine machine = {0};
    struct request request = {&machine};
    struct report reports[maxSystemHealthEntityCount];
    UINT32 max_size, limit, size = 0xdeadbeef;
    UINT i, count, flags, written = 0xdeadbeef;
    BYTE *data = UNREADABLE, *block;
    HRESULT hr;

    fail_at = get_integer(input, 1);
    max_size = get_integer(input, 2);
    if (max_size >= 0xfffc) max_size = sizes[max_size - 0xfffc];
    limit = min(max_size, 4000);

    machine.os_major = get_integer(input, 4);
    machine.os_minor = get_integer(input, 4);
    machine.os_build = get_integer(input, 4);
    machine.sp_major = get_integer(input, 2);
    machine.sp_minor = get_integer(input, 2);
    machine.architecture = get_integer(input, 2);
    machine.product_type = get_integer(input, 1);
    memset(machine.name, 'n', get_integer(input, 1));
    get_bytes(input, &request.correlation_id, sizeof(request.correlation_id));
    flags = get_integer(input, 1);
    request.state = 1 + (flags & 7) % 3;
    request.fixup = flags & 8;
    request.extended = flags >> 4 & 3;
    get_bytes(input, &request.probation_end, sizeof(request.probation_end));
    request.url_length = get_integer(input, 2) % (maxStringLength + 1);
    require((block = malloc(request.url_length)));
    memset(block, 'u', request.url_length);
    request.url = block;

    request.report_count = get_integer(input, 1) % (maxSystemHealthEntityCount + 1);
    request.reports = reports;
    for (i = 0; i < request.report_count; i++)
    {
        reports[i].id = 0x00020000 + i;
        reports[i].generated = get_integer(input, 1) & 1;
        reports[i].size = 12 + get_integer(input, 2) % 4001;
        require((block = calloc(1, reports[i].size)));
        set_be16(block, 2);
        set_be16(block + 2, 4);
        set_be32(block + 4, reports[i].id);
        set_be16(block + 8, 6);
        set_be16(block + 10, reports[i].size - 12);
        reports[i].data = block;
        require(message_check_report(block, reports[i].size, reports[i].id));
    }
    for (count = request.report_count; count && get_size(&request, count) > limit; count--) /* nothing */;

    start_failing();
    hr = message_write_request(&request, max_size, &data, &size, &written);
    if (stop_failing())
    {
        require(hr == E_OUTOFMEMORY && !data && !size && !written && !heap_blocks);
        hr = message_write_request(&request, max_size, &data, &size, &written);
    }
    if (get_size(&request, count) > limit || (request.report_count && !count))
        require(hr == NAP_E_MAXSIZE_TOO_SMALL && !data && !size && !written && !heap_blocks);
    else
    {
        require(hr == S_OK);
        require(written == count);
        require(size == get_size(&request, count));
        check_echo(&request, data, size, count);
        heap_free(data);
    }

    for (i = 0; i < request.report_count; i++) free((BYTE *)reports[i].data);
    free((BYTE *)request.url);
}

static void fuzz_report(struct input *input)
{
    SystemHealthEntityId id = get_integer(input, 4);
    UINT size = input->size, at, type;
    struct tally tally = {0};
    BYTE *data = copy_bytes(input->data, size), failure[MESSAGE_FAILURE_SIZE];
    BOOL valid;

    for (at = 0; at < size && has_tlv(data, at, size); at += 4 + be16(data + at + 2))
    {
        type = tlv_type(data + at);
        if ((type == 2) != !at) break;
        tally_attribute(&tally, type, be16(data + at + 2));
    }
    valid = size && at == size && !tally.bad_size && tally.attributes <= 100 && be32(data + 4) == id;
    require(message_check_report(data, size, id) == valid);
    free(data);

    require(message_write_failure(id, size % 6, size, failure) == MESSAGE_FAILURE_SIZE);
    require(message_check_report(failure, MESSAGE_FAILURE_SIZE, id));
    require(be32(failure + 4) == id && failure[12] == size % 6 && be32(failure + 17) == size);
}

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};

    switch (get_integer(&input, 1) % KINDS)
    {
    case KIND_MESSAGE:
        fuzz_message(input.data, input.size);
        break;
    case KIND_PARTS:
        fuzz_parts(&input);
        break;
    case KIND_REQUEST:
        fuzz_request(&input);
        break;
    case KIND_REPORT:
        fuzz_report(&input);
        break;
    }
    require(!heap_blocks);
    return 0;
}
