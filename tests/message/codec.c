/*
 * Tests of dlls/qagentrt/message.c: whole messages byte for byte, built for Windows and for the host
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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "windef.h"
#include "winbase.h"

#include "naperror.h"
#include "naptypes.h"

#define SAMPLE_ID 0x000137f0
#define WSHA_ID   0x00013780

/* ---- counting ---- */

static unsigned int passed, failed;
static char context[256];

#define ok(condition, ...) check((condition), __LINE__, __VA_ARGS__)

static void __attribute__((format(printf, 3, 4))) check(BOOL condition, int line, const char *format, ...)
{
    va_list args;

    if (condition)
    {
        passed++;
        return;
    }
    failed++;
    printf("codec.c:%d: %s%s", line, context, *context ? ": " : "");
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
}

static size_t __attribute__((format(printf, 1, 2))) push_context(const char *format, ...)
{
    size_t length = strlen(context);
    va_list args;

    va_start(args, format);
    vsnprintf(context + length, sizeof(context) - length, format, args);
    va_end(args);
    return length;
}

static void pop_context(size_t length)
{
    context[length] = 0;
}

#define ok_hr(hr, expected) ok((hr) == (expected), "Got hr %#x, expected %#x.\n", (int)(hr), (int)(expected))
#define ok_uint(value, expected) ok((value) == (expected), "Got %#x, expected %#x.\n", \
        (unsigned int)(value), (unsigned int)(expected))

/* ---- memory, which message.c gets from here ---- */

static unsigned int blocks;
static BOOL out_of_memory;

static void *heap_alloc(size_t size)
{
    if (out_of_memory) return NULL;
    blocks++;
    return malloc(size);
}

static void heap_free(void *block)
{
    if (block) blocks--;
    free(block);
}

#define malloc heap_alloc
#include "../../dlls/qagentrt/message.c"
#undef malloc

/* ---- messages ---- */

struct message
{
    BYTE data[8192];
    unsigned int size;
};

static void append(struct message *message, const void *data, unsigned int size)
{
    memcpy(message->data + message->size, data, size);
    message->size += size;
}

static void append_hex(struct message *message, const char *hex)
{
    static const char digits[] = "0123456789abcdef";

    for (; *hex; hex++)
    {
        if (*hex == ' ') continue;
        message->data[message->size++] = (strchr(digits, hex[0]) - digits) << 4 | (strchr(digits, hex[1]) - digits);
        hex++;
    }
}

static void set_length(BYTE *data, unsigned int value)
{
    data[0] = value >> 8;
    data[1] = value;
}

static unsigned int get_length(const BYTE *data)
{
    return data[0] << 8 | data[1];
}

static void from_hex(struct message *message, const char *hex)
{
    message->size = 0;
    append_hex(message, hex);
}

static unsigned int open_vendor(struct message *message, unsigned int type)
{
    append_hex(message, "0007 0000 00000137 0000 0000");
    set_length(message->data + message->size - 4, type);
    return message->size;
}

static void close_vendor(struct message *message, unsigned int start)
{
    set_length(message->data + start - 2, message->size - start);
    set_length(message->data + start - 10, message->size - start + 8);
}

#define ID_1  "54468936cb494374b127a6a3cc3bb11c"
#define ID_2  "01ca78d858ee1ef0"
#define ID    ID_1 ID_2
#define MODE  "0007 001e 00000137" ID "02 00"
#define NEVER "ffffffffffffffff"

/* A response's parts in a frame that fits; wrapper 0: none; mode NULL: none */
static void frame(struct message *message, unsigned int wrapper, unsigned int inner, const char *mode,
        const char *values, const char *entries)
{
    unsigned int wrapped = 0, header, system;

    message->size = 0;
    if (wrapper) wrapped = open_vendor(message, wrapper);
    header = open_vendor(message, inner);
    if (mode) append_hex(message, mode);
    append_hex(message, "0002 0004 00013700 0007 0000");
    system = message->size;
    append_hex(message, "00000137");
    append_hex(message, values);
    set_length(message->data + system - 2, message->size - system);
    append_hex(message, entries);
    close_vendor(message, header);
    if (wrapper) close_vendor(message, wrapped);
}

/* From memory that ends where the message does */
static const BYTE *guard(const void *data, unsigned int size)
{
#ifdef _WIN32
    static BYTE *end;
    DWORD old;

    if (!end)
    {
        end = VirtualAlloc(NULL, 0x11000, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
        end += 0x10000;
        VirtualProtect(end, 0x1000, PAGE_NOACCESS, &old);
    }
    if (size) memcpy(end - size, data, size);
    return end - size;
#else
    static BYTE *block;

    free(block);
    block = malloc(size);
    if (size) memcpy(block, data, size);
    return block;
#endif
}

static HRESULT read_bytes(const void *data, unsigned int size, struct response *response)
{
    memset(response, 0xcc, sizeof(*response));
    return message_read_response(guard(data, size), size, response);
}

static HRESULT read_message(const struct message *message, struct response *response)
{
    return read_bytes(message->data, message->size, response);
}

static const char request_example[] =
    "00 07 00 b1 00 00 01 37 00 01 00 a9 00 07 00 a5"
    "00 00 01 37 00 02 00 9d 00 07 00 1e 00 00 01 37"
    "54 46 89 36 cb 49 43 74 b1 27 a6 a3 cc 3b b1 1c"
    "01 ca 78 d8 58 ee 1e f0 01 00 00 02 00 04 00 01"
    "37 00 00 07 00 5d 00 00 01 37 03 11 01 00 00 00"
    "06 00 00 00 01 00 00 1d b1 00 01 00 00 00 09 05"
    "00 14 63 6c 69 65 6e 74 31 2e 65 78 61 6d 70 6c"
    "65 2e 63 6f 6d 00 06 54 46 89 36 cb 49 43 74 b1"
    "27 a6 a3 cc 3b b1 1c 01 ca 78 d8 58 ee 1e f0 02"
    "00 01 ff ff ff ff ff ff ff ff 00 01 00 08 00 00"
    "00 00 01 00 02 00 04 00 01 37 f0 00 07 00 06 00"
    "01 37 f0 aa aa";

static const char response_example[] =
    "00 07 00 a1 00 00 01 37 00 03 00 99 00 07 00 95"
    "00 00 01 37 00 02 00 8d 00 07 00 1e 00 00 01 37"
    "54 46 89 36 cb 49 43 74 b1 27 a6 a3 cc 3b b1 1c"
    "01 ca 78 d8 58 ee 1e f0 02 00 00 02 00 04 00 01"
    "37 00 00 07 00 4f 00 00 01 37 03 01 06 54 46 89"
    "36 cb 49 43 74 b1 27 a6 a3 cc 3b b1 1c 01 ca 78"
    "d8 58 ee 1e f0 02 00 0b ff ff ff ff ff ff ff ff"
    "00 18 68 74 74 70 3a 2f 2f 66 69 78 2e 65 78 61"
    "6d 70 6c 65 2e 63 6f 6d 2f 00 07 00 08 00 01 37"
    "f0 00 01 37 80 00 02 00 04 00 01 37 f0 00 04 00"
    "04 80 27 00 50";

/* The same in parts */
#define PACKET      "03 01"
#define CORRELATION "06" ID
#define URL         "687474703a2f2f6669782e6578616d706c652e636f6d2f"
#define RESTRICTED  "02 000b" NEVER "0018" URL "00"
#define SHVS        "07 0008 000137f0 00013780"
#define VALUES      PACKET CORRELATION RESTRICTED SHVS
#define SAMPLE      "0002 0004 000137f0"
#define NOT_PATCHED "0004 0004 80270050"
#define ENTRY       SAMPLE NOT_PATCHED

#define WSHV_ENTRY \
    "0002 0004 00013780" \
    "0008 0001 00   0004 0004 00000000" \
    "0008 0001 01   0004 0008 c0ff0002 00000000   000e 0001 02" \
    "0008 0001 02   0004 0008 00000000 00000000" \
    "0008 0001 03   0004 0004 00000000" \
    "0008 0001 04   0004 0008 c0ff0007 00000400"

static const char request_example_2[] =
    "0007 00e3 00000137 0001 00db  0007 00d7 00000137 0001 00cf"
    "0002 0004 00013700  0007 004d 00000137"
    "  0311  01 00000006 00000000 00001771 0001 0000 0000"
    "  06 54468936cb494374b127a6a3cc3bb11c01ca78d858ee1ef0"
    "  02 0001 ffffffffffffffff 0001 00  04 0004 000137f0  08 00000000 01"
    "0002 0004 000137f0  000e 0001 02  000d 0004 80270007"
    "0002 0004 00013780  0007 0008 00013780 03000000  0007 0008 00013780 01000600"
    "  0008 0001 00 000b 0004 00000005  0008 0001 01 000b 0004 c0ff0002"
    "  0008 0001 02 000b 0004 00000007  0008 0001 03 000b 0004 00000004  0008 0001 04 000b 0004 00ff0008";

static const CorrelationId correlation_id =
{
    { 0x54468936, 0xcb49, 0x4374, { 0xb1, 0x27, 0xa6, 0xa3, 0xcc, 0x3b, 0xb1, 0x1c } },
    { 0x58ee1ef0, 0x01ca78d8 }
};

static const struct machine machine = { 6, 1, 7601, 1, 0, 9, 1, "client1.example.com" };

/* ---- writing ---- */

static struct request make_request(UINT count, const struct report *reports)
{
    struct request request = { &machine, correlation_id, isolationStateNotRestricted };

    request.probation_end.dwLowDateTime = request.probation_end.dwHighDateTime = ~0u;
    request.report_count = count;
    request.reports = reports;
    return request;
}

static HRESULT write_message(const struct request *request, UINT32 max_size, struct message *message, UINT *written)
{
    BYTE *data = (BYTE *)0xdeadbeef;
    UINT32 size = 0xdeadbeef;
    HRESULT hr;

    *written = 0xdeadbeef;
    hr = message_write_request(request, max_size, &data, &size, written);
    message->size = 0;
    if (hr != S_OK)
    {
        ok(!data, "Got data %p.\n", data);
        ok_uint(size, 0);
        ok_uint(*written, 0);
        ok_uint(blocks, 0);
        return hr;
    }
    ok(size <= max_size && size <= maxNetworkSoHSize, "Got %u bytes.\n", size);
    append(message, data, size);
    heap_free(data);
    ok_uint(blocks, 0);
    return hr;
}

static void ok_message(const struct message *message, const char *hex)
{
    struct message expected;
    unsigned int i;

    from_hex(&expected, hex);
    ok_uint(message->size, expected.size);
    for (i = 0; i < expected.size && i < message->size; i++) if (message->data[i] != expected.data[i]) break;
    ok(i == expected.size, "At %#x: got %02x, expected %02x.\n", i, message->data[i], expected.data[i]);
}

static void test_write_example(void)
{
    struct message message, tlvs;
    struct request request;
    struct report report = { SAMPLE_ID };
    UINT written;
    HRESULT hr;

    from_hex(&tlvs, SAMPLE "0007 0006 000137f0 aaaa");
    report.data = tlvs.data;
    report.size = tlvs.size;
    request = make_request(1, &report);
    hr = write_message(&request, 4000, &message, &written);
    ok_hr(hr, S_OK);
    ok_uint(written, 1);
    ok_message(&message, request_example);
}

static void test_write_values(void)
{
    static const struct machine other = { 0x01020304, 0x05060708, 0x090a0b0c, 0x0d0e, 0x0f10, 0x1112, 3, "" };
    struct report reports[4] = {{ 0x00013781 }, { SAMPLE_ID }, { 0x00013782 }, { 0x00013783 }};
    struct message message, tlvs[4];
    struct request request;
    unsigned int i;
    UINT written;
    HRESULT hr;

    for (i = 0; i < 4; i++)
    {
        reports[i].generated = i & 1;
        from_hex(&tlvs[i], "0002 0004 00013700");
        if (reports[i].generated) append_hex(&tlvs[i], "000e 0001 02 000d 0004 80270007");
        set_length(tlvs[i].data + 6, reports[i].id & 0xffff);
        reports[i].data = tlvs[i].data;
        reports[i].size = tlvs[i].size;
    }
    request = make_request(4, reports);
    request.machine = &other;
    request.state = isolationStateInProbation;
    request.extended = extendedIsolationStateInfected;
    request.fixup = 7;
    request.probation_end.dwHighDateTime = 0x01020304;
    request.probation_end.dwLowDateTime = 0x05060708;
    request.url = (const BYTE *)"http://x/ignored";
    request.url_length = 9;
    hr = write_message(&request, 4000, &message, &written);
    ok_hr(hr, S_OK);
    ok_uint(written, 4);
    ok_message(&message, "0007 00da 00000137 0001 00d2 0007 00ce 00000137 0002 00c6"
            "0007 001e 00000137" ID "01 00"
            "0002 0004 00013700 0007 005e 00000137"
            "03 11  01 01020304 05060708 090a0b0c 0d0e 0f10 1112  05 0001 00  06" ID
            "02 002a 0102030405060708 000a 687474703a2f2f782f 00  04 0008 000137f0 00013783  08 00000000 03"
            "0002 0004 00013781"
            "0002 0004 000137f0 000e 0001 02 000d 0004 80270007"
            "0002 0004 00013782"
            "0002 0004 00013783 000e 0001 02 000d 0004 80270007");

    /* Only what is in is told of. */
    hr = write_message(&request, message.size - 1, &message, &written);
    ok_hr(hr, S_OK);
    ok_uint(written, 3);
    ok_message(&message, "0007 00c1 00000137 0001 00b9 0007 00b5 00000137 0002 00ad"
            "0007 001e 00000137" ID "01 00"
            "0002 0004 00013700 0007 005a 00000137"
            "03 11  01 01020304 05060708 090a0b0c 0d0e 0f10 1112  05 0001 00  06" ID
            "02 002a 0102030405060708 000a 687474703a2f2f782f 00  04 0004 000137f0  08 00000000 03"
            "0002 0004 00013781"
            "0002 0004 000137f0 000e 0001 02 000d 0004 80270007"
            "0002 0004 00013782");

    request.report_count = 0;
    request.reports = NULL;
    request.url = NULL;
    request.url_length = 0;
    request.fixup = FALSE;
    hr = write_message(&request, 4000, &message, &written);
    ok_hr(hr, S_OK);
    ok_uint(written, 0);
    ok_message(&message, "0007 008c 00000137 0001 0084 0007 0080 00000137 0002 0078"
            "0007 001e 00000137" ID "01 00"
            "0002 0004 00013700 0007 004a 00000137"
            "03 11  01 01020304 05060708 090a0b0c 0d0e 0f10 1112  05 0001 00  06" ID
            "02 0022 0102030405060708 0001 00  08 00000000 03");
}

/* The system's part of the messages here, with the machine's name */
#define SYSTEM_SIZE 163

static void test_write_max_size(void)
{
    static BYTE zeros[5000];
    struct
    {
        UINT32 sizes[4];    /* of reports; from the first 0 on there are none */
        UINT generated;     /* bit by bit */
        UINT32 max_size;
        UINT32 size;        /* 0: nothing fits */
        UINT written;
    }
    tests[] =
    {
        /* no reports */
        { { 0 }, 0, SYSTEM_SIZE, SYSTEM_SIZE, 0 },
        { { 0 }, 0, SYSTEM_SIZE - 1, 0, 0 },
        { { 0 }, 0, 0, 0, 0 },
        { { 0 }, 0, 1, 0, 0 },
        { { 0 }, 0, 12, 0, 0 },
        { { 0 }, 0, ~0u, SYSTEM_SIZE, 0 },
        /* one */
        { { 100 }, 0, SYSTEM_SIZE + 100, SYSTEM_SIZE + 100, 1 },
        { { 100 }, 0, SYSTEM_SIZE + 99, 0, 0 },
        { { 100 }, 0, SYSTEM_SIZE, 0, 0 },
        { { 100 }, 0, SYSTEM_SIZE - 1, 0, 0 },
        { { 100 }, 1, SYSTEM_SIZE + 107, SYSTEM_SIZE + 107, 1 },
        { { 100 }, 1, SYSTEM_SIZE + 106, 0, 0 },
        { { ~0u }, 0, 4000, 0, 0 },
        { { ~0u }, 0, ~0u, 0, 0 },
        /* several: from the last on */
        { { 10, 20, 30, 40 }, 0, 4000, SYSTEM_SIZE + 100, 4 },
        { { 10, 20, 30, 40 }, 0, SYSTEM_SIZE + 100, SYSTEM_SIZE + 100, 4 },
        { { 10, 20, 30, 40 }, 0, SYSTEM_SIZE + 99, SYSTEM_SIZE + 60, 3 },
        { { 10, 20, 30, 40 }, 0, SYSTEM_SIZE + 60, SYSTEM_SIZE + 60, 3 },
        { { 10, 20, 30, 40 }, 0, SYSTEM_SIZE + 59, SYSTEM_SIZE + 30, 2 },
        { { 10, 20, 30, 40 }, 0, SYSTEM_SIZE + 30, SYSTEM_SIZE + 30, 2 },
        { { 10, 20, 30, 40 }, 0, SYSTEM_SIZE + 29, SYSTEM_SIZE + 10, 1 },
        { { 10, 20, 30, 40 }, 0, SYSTEM_SIZE + 10, SYSTEM_SIZE + 10, 1 },
        { { 10, 20, 30, 40 }, 0, SYSTEM_SIZE + 9, 0, 0 },
        { { 10, 20, 3000, 4 }, 0, 3000, SYSTEM_SIZE + 30, 2 },
        { { 3000, 10, 20, 40 }, 0, 3000, 0, 0 },
        { { 10, ~0u, 20, 40 }, 0, 4000, SYSTEM_SIZE + 10, 1 },
        { { 10, ~0u, ~0u, 40 }, 0, ~0u, SYSTEM_SIZE + 10, 1 },
        /* the ids of the generated ones count */
        { { 10, 20, 30, 40 }, 0xf, SYSTEM_SIZE + 119, SYSTEM_SIZE + 119, 4 },
        { { 10, 20, 30, 40 }, 0xf, SYSTEM_SIZE + 118, SYSTEM_SIZE + 75, 3 },
        { { 10, 20, 30, 40 }, 0xf, SYSTEM_SIZE + 17, SYSTEM_SIZE + 17, 1 },
        { { 10, 20, 30, 40 }, 0xf, SYSTEM_SIZE + 16, 0, 0 },
        { { 10, 20, 30, 40 }, 0x8, SYSTEM_SIZE + 107, SYSTEM_SIZE + 107, 4 },
        { { 10, 20, 30, 40 }, 0x8, SYSTEM_SIZE + 106, SYSTEM_SIZE + 60, 3 },
        /* never more than a network SoH holds */
        { { 1000, 2837 }, 0, 4000, 4000, 2 },
        { { 1000, 2837 }, 0, 65535, 4000, 2 },
        { { 1000, 2837 }, 0, 3999, SYSTEM_SIZE + 1000, 1 },
        { { 1000, 2838 }, 0, 4000, SYSTEM_SIZE + 1000, 1 },
        { { 1000, 2838 }, 0, 4001, SYSTEM_SIZE + 1000, 1 },
        { { 1000, 2838 }, 0, 65535, SYSTEM_SIZE + 1000, 1 },
        { { 1000, 2838 }, 0, ~0u, SYSTEM_SIZE + 1000, 1 },
        { { 3838 }, 0, ~0u, 0, 0 },
    };
    struct report reports[4];
    struct request request;
    struct message message;
    unsigned int i, j;
    size_t pushed;
    UINT written;
    HRESULT hr;

    for (i = 0; i < ARRAY_SIZE(tests); i++)
    {
        pushed = push_context("test %u", i);
        memset(reports, 0, sizeof(reports));
        for (j = 0; j < 4 && tests[i].sizes[j]; j++)
        {
            reports[j].data = zeros;
            reports[j].size = tests[i].sizes[j];
            reports[j].generated = tests[i].generated >> j & 1;
        }
        request = make_request(j, j ? reports : NULL);
        hr = write_message(&request, tests[i].max_size, &message, &written);
        ok_hr(hr, tests[i].size ? S_OK : NAP_E_MAXSIZE_TOO_SMALL);
        ok_uint(message.size, tests[i].size);
        ok_uint(written, tests[i].written);
        if (message.size)
        {
            ok_uint(get_length(message.data + 2), message.size - 4);
            ok_uint(get_length(message.data + 10), message.size - 12);
            ok_uint(get_length(message.data + 14), message.size - 16);
            ok_uint(get_length(message.data + 22), message.size - 24);
        }
        pop_context(pushed);
    }
}

static void test_write_out_of_memory(void)
{
    struct request request = make_request(0, NULL);
    struct message message;
    UINT written;
    HRESULT hr;

    out_of_memory = TRUE;
    hr = write_message(&request, 4000, &message, &written);
    ok_hr(hr, E_OUTOFMEMORY);
    hr = write_message(&request, 100, &message, &written);
    ok_hr(hr, NAP_E_MAXSIZE_TOO_SMALL);
    out_of_memory = FALSE;
}

static void test_write_failure(void)
{
    struct message message;

    ok_uint(MESSAGE_FAILURE_SIZE, 21);
    memset(&message, 0xcc, sizeof(message));
    message.size = message_write_failure(SAMPLE_ID, failureCategoryClientComponent, NAP_E_NOT_INITIALIZED,
            message.data);
    ok_message(&message, "0002 0004 000137f0  000e 0001 02  000d 0004 80270007");
    ok_uint(message.data[message.size], 0xcc);
    ok(message_check_report(message.data, message.size, SAMPLE_ID), "It isn't valid.\n");

    message.size = message_write_failure(0xfedcba98, failureCategoryServerCommunication, E_FAIL, message.data);
    ok_message(&message, "0002 0004 fedcba98  000e 0001 05  000d 0004 80004005");
}

/* ---- reading ---- */

static void ok_example_system(const struct response *response)
{
    ok(!memcmp(&response->correlation_id, &correlation_id, sizeof(correlation_id)), "The correlation id differs.\n");
    ok_uint(response->state, isolationStateRestrictedAccess);
    ok_uint(response->extended, extendedIsolationStateNoData);
    ok_uint(response->fixup, TRUE);
    ok_uint(response->probation_end.dwLowDateTime, 0xffffffff);
    ok_uint(response->probation_end.dwHighDateTime, 0xffffffff);
    ok_uint(response->url_length, 23);
    ok(!memcmp(response->url, "http://fix.example.com/", 24), "The URL differs.\n");
    ok_uint(response->shv_count, 2);
    ok_uint(response->shvs[0], SAMPLE_ID);
    ok_uint(response->shvs[1], WSHA_ID);
}

static void ok_report(const struct report *report, SystemHealthEntityId id, BOOL valid, const char *hex)
{
    struct message message = { { 0 } };

    ok_uint(report->id, id);
    ok_uint(report->valid, valid);
    ok_uint(report->generated, FALSE);
    append(&message, report->data, report->size);
    ok_message(&message, hex);
}

static void test_read_examples(void)
{
    struct response response;
    struct message message, framed;
    HRESULT hr;

    from_hex(&message, response_example);
    ok_uint(message.size, 165);
    hr = read_message(&message, &response);
    ok_hr(hr, S_OK);
    ok_example_system(&response);
    ok_uint(response.report_count, 1);
    ok_report(&response.reports[0], SAMPLE_ID, TRUE, ENTRY);

    frame(&framed, 3, 2, MODE, VALUES, ENTRY);
    ok_message(&framed, response_example);

    frame(&message, 3, 2, MODE, VALUES, ENTRY WSHV_ENTRY);
    ok_uint(message.size, 165 + 90);
    hr = read_message(&message, &response);
    ok_hr(hr, S_OK);
    ok_example_system(&response);
    ok_uint(response.report_count, 2);
    ok_report(&response.reports[0], SAMPLE_ID, TRUE, ENTRY);
    ok_report(&response.reports[1], WSHA_ID, TRUE, WSHV_ENTRY);

    /* A request is no response, in any form. */
    from_hex(&message, request_example);
    ok_hr(read_message(&message, &response), NAP_E_INVALID_PACKET);
    ok_hr(read_bytes(message.data + 12, message.size - 12, &response), NAP_E_INVALID_PACKET);
    message.data[9] = 3;
    ok_hr(read_message(&message, &response), NAP_E_INVALID_PACKET);

    from_hex(&message, request_example_2);
    ok_uint(message.size, 231);
    ok_hr(read_message(&message, &response), NAP_E_INVALID_PACKET);

    /* Unless it says that it is one: then it has all a response needs, and more, but one report without a verdict. */
    message.data[9] = 3;
    message.data[0x29] = 0x01;
    hr = read_message(&message, &response);
    ok_hr(hr, S_OK);
    ok_uint(response.state, isolationStateNotRestricted);
    ok_uint(response.fixup, FALSE);
    ok_uint(response.url_length, 0);
    ok_uint(response.shv_count, 0);
    ok_uint(response.report_count, 2);
    ok_report(&response.reports[0], SAMPLE_ID, TRUE, "0002 0004 000137f0  000e 0001 02  000d 0004 80270007");
    ok_uint(response.reports[1].id, WSHA_ID);
    ok_uint(response.reports[1].valid, FALSE);
}

static void test_read_frames(void)
{
    static const char truncated[] = "0007 001d 00000137" ID "02", longer[] = "0007 001f 00000137" ID "02 00 00";
    static const struct
    {
        const char *what;
        unsigned int wrapper, inner;
        const char *mode;
        HRESULT hr;
    }
    tests[] =
    {
        { "wrapped, with mode",     3, 2, MODE, S_OK },
        { "wrapped, plain",         3, 1, NULL, S_OK },
        { "with mode",              0, 2, MODE, S_OK },
        { "plain",                  0, 1, NULL, S_OK },
        { "flags in types",         0xc003, 0x4002, "c007 001e 00000137" ID "02 00", S_OK },
        { "intent of a request",    3, 2, "0007 001e 00000137" ID "01 00", S_OK },
        { "any intent",             3, 2, "0007 001e 00000137" ID "ff 00", S_OK },
        { "wrapper of a request",   1, 2, MODE, NAP_E_INVALID_PACKET },
        { "wrapper of a query",     2, 2, MODE, NAP_E_INVALID_PACKET },
        { "unknown wrapper",        4, 2, MODE, NAP_E_INVALID_PACKET },
        { "wrapped twice",          3, 3, NULL, NAP_E_INVALID_PACKET },
        { "header 0",               3, 0, MODE, NAP_E_INVALID_PACKET },
        { "header 3",               3, 3, MODE, NAP_E_INVALID_PACKET },
        { "header 4",               3, 4, MODE, NAP_E_INVALID_PACKET },
        { "no wrapper, header 0",   0, 0, MODE, NAP_E_INVALID_PACKET },
        { "no wrapper, header 4",   0, 4, MODE, NAP_E_INVALID_PACKET },
        { "header says mode",       3, 2, NULL, NAP_E_INVALID_PACKET },
        { "header says plain",      3, 1, MODE, NAP_E_INVALID_PACKET },
        { "mode twice",             3, 2, MODE MODE, NAP_E_INVALID_PACKET },
        { "content 1",              3, 2, "0007 001e 00000137" ID "02 01", NAP_E_INVALID_PACKET },
        { "content 255",            3, 2, "0007 001e 00000137" ID "02 ff", NAP_E_INVALID_PACKET },
        { "mode of another type",   3, 2, "0008 001e 00000137" ID "02 00", NAP_E_INVALID_PACKET },
        { "mode of a vendor",       3, 2, "0007 001e 00000138" ID "02 00", NAP_E_INVALID_PACKET },
        { "mode too short",         3, 2, truncated, NAP_E_INVALID_PACKET },
        { "mode too long",          3, 2, longer, NAP_E_INVALID_PACKET },
        { "mode without vendor",    3, 2, "0007 0003 000001", NAP_E_INVALID_PACKET },
        { "mode without an id",     3, 2, "0007 0004 00000137", NAP_E_INVALID_PACKET },
        { "mode of another GUID",   3, 2, "0007 001e 00000137 54468936cb494374b127a6a3cc3bb11d" ID_2 "02 00",
            NAP_E_MISMATCHED_ID },
        { "mode of another time",   3, 2, "0007 001e 00000137" ID_1 "01ca78d858ee1ef1" "02 00", NAP_E_MISMATCHED_ID },
    };
    struct response response;
    struct message message;
    unsigned int i, size;
    size_t pushed;
    HRESULT hr;

    for (i = 0; i < ARRAY_SIZE(tests); i++)
    {
        pushed = push_context("%s", tests[i].what);
        frame(&message, tests[i].wrapper, tests[i].inner, tests[i].mode, VALUES, ENTRY WSHV_ENTRY);
        hr = read_message(&message, &response);
        ok_hr(hr, tests[i].hr);
        if (hr == S_OK)
        {
            ok_example_system(&response);
            ok_uint(response.report_count, 2);
            ok_report(&response.reports[0], SAMPLE_ID, TRUE, ENTRY);
            ok_report(&response.reports[1], WSHA_ID, TRUE, WSHV_ENTRY);
            for (size = 0; size < message.size; size++)
            {
                hr = read_bytes(message.data, size, &response);
                ok(hr == NAP_E_INVALID_PACKET, "%u bytes: got hr %#x.\n", size, (int)hr);
            }
            message.data[message.size++] = 0;
            ok_hr(read_message(&message, &response), NAP_E_INVALID_PACKET);
        }
        pop_context(pushed);
    }

    hr = message_read_response(NULL, 0, &response);
    ok_hr(hr, NAP_E_INVALID_PACKET);
}

static void test_read_lengths(void)
{
    static const struct
    {
        const char *what;
        unsigned int offset, length;
    }
    tests[] =
    {
        { "wrapper",        0x02, 0xa1 },
        { "response TLV",   0x0a, 0x99 },
        { "header",         0x0e, 0x95 },
        { "content",        0x16, 0x8d },
        { "mode",           0x1a, 0x1e },
        { "system id",      0x3c, 0x04 },
        { "system values",  0x44, 0x4f },
        { "URL",            0x70, 0x18 },
        { "SHVs",           0x8b, 0x08 },
        { "id",             0x97, 0x04 },
        { "codes",          0x9f, 0x04 },
    };
    static const char *lies[] = { "1 less", "1 more", "none", "65535", "half", "double" };
    struct message message, lying;
    struct response response;
    unsigned int i, j;
    size_t pushed;

    from_hex(&message, response_example);
    for (i = 0; i < ARRAY_SIZE(tests); i++)
    {
        unsigned int length = tests[i].length, values[] = { length - 1, length + 1, 0, 65535, length / 2, length * 2 };

        ok_uint(get_length(message.data + tests[i].offset), length);
        for (j = 0; j < ARRAY_SIZE(values); j++)
        {
            pushed = push_context("%s, %s", tests[i].what, lies[j]);
            lying = message;
            set_length(lying.data + tests[i].offset, values[j]);
            ok_hr(read_message(&lying, &response), NAP_E_INVALID_PACKET);
            pop_context(pushed);
        }
    }

    /* A whole entry beyond an end */
    for (i = 0; i < 4; i++)
    {
        pushed = push_context("%s, a report less", tests[i].what);
        lying = message;
        for (j = i; j < 4; j++) set_length(lying.data + tests[j].offset, tests[j].length - 16);
        ok_hr(read_message(&lying, &response), NAP_E_INVALID_PACKET);
        lying.size -= 16;
        ok_hr(read_message(&lying, &response), i ? NAP_E_INVALID_PACKET : S_OK);
        pop_context(pushed);
    }

    /* Types and vendors, too */
    for (i = 0; i < ARRAY_SIZE(tests); i++)
    {
        unsigned int offset = tests[i].offset - 2;

        if (!strcmp(tests[i].what, "URL") || !strcmp(tests[i].what, "SHVs")) continue;
        pushed = push_context("%s, another type", tests[i].what);
        lying = message;
        lying.data[offset + 1] ^= 0x20;
        if (!strcmp(tests[i].what, "id"))
        {
            /* The system's entry goes on, with attributes that are nobody's. */
            ok_hr(read_message(&lying, &response), S_OK);
            ok_uint(response.report_count, 0);
        }
        else if (!strcmp(tests[i].what, "codes"))
        {
            ok_hr(read_message(&lying, &response), S_OK);
            ok_uint(response.report_count, 1);
            ok_uint(response.reports[0].valid, FALSE);
        }
        else ok_hr(read_message(&lying, &response), NAP_E_INVALID_PACKET);
        pop_context(pushed);
    }
    {
        static const unsigned int vendors[] = { 0x04, 0x10, 0x1c, 0x3e, 0x46 };

        for (i = 0; i < ARRAY_SIZE(vendors); i++) for (j = 0; j < 4; j++)
        {
            pushed = push_context("vendor at %#x", vendors[i] + j);
            lying = message;
            lying.data[vendors[i] + j] ^= 1;
            ok_hr(read_message(&lying, &response), NAP_E_INVALID_PACKET);
            pop_context(pushed);
        }
    }
}

#define FREE  "02 0001" NEVER "0001 00"
#define INVENTORY "01 00000006 00000001 00001db1 0001 0000 0009"
#define NAME  "05 0005 6e616d65 00"
#define EX    "08 00000000 01"
#define GENERATED "04 0004 000137f0"
#define LEAST PACKET CORRELATION FREE

static void test_read_values(void)
{
    static const struct
    {
        const char *what, *values;
        HRESULT hr;
    }
    tests[] =
    {
        { "least",                  LEAST, S_OK },
        { "another order",          FREE CORRELATION PACKET, S_OK },
        { "all",                    PACKET INVENTORY NAME CORRELATION FREE GENERATED EX SHVS, S_OK },
        { "no packet info",         CORRELATION FREE, NAP_E_INVALID_PACKET },
        { "no correlation id",      PACKET FREE, NAP_E_INVALID_PACKET },
        { "no state",               PACKET CORRELATION, NAP_E_INVALID_PACKET },
        { "none",                   "", NAP_E_INVALID_PACKET },
        { "a request",              "03 11" CORRELATION FREE, NAP_E_INVALID_PACKET },
        { "reserved bits",          "03 e1" CORRELATION FREE, S_OK },
        { "a request, all bits",    "03 f1" CORRELATION FREE, NAP_E_INVALID_PACKET },
        { "version 0",              "03 00" CORRELATION FREE, NAP_E_INVALID_PACKET },
        { "version 2",              "03 02" CORRELATION FREE, NAP_E_INVALID_PACKET },
        { "version 9",              "03 09" CORRELATION FREE, NAP_E_INVALID_PACKET },
        { "packet info twice",      PACKET LEAST, NAP_E_INVALID_PACKET },
        { "correlation id twice",   PACKET CORRELATION CORRELATION FREE, NAP_E_INVALID_PACKET },
        { "state twice",            LEAST FREE, NAP_E_INVALID_PACKET },
        { "SHVs twice",             LEAST SHVS SHVS, NAP_E_INVALID_PACKET },
        { "no SHVs twice",          LEAST "07 0000" "07 0000", NAP_E_INVALID_PACKET },
        { "inventory twice",        LEAST INVENTORY INVENTORY, NAP_E_INVALID_PACKET },
        { "name twice",             LEAST NAME NAME, NAP_E_INVALID_PACKET },
        { "inventory-ex twice",     LEAST EX EX, NAP_E_INVALID_PACKET },
        { "generated ids twice",    LEAST GENERATED GENERATED, NAP_E_INVALID_PACKET },
        { "type 0",                 LEAST "00", NAP_E_INVALID_PACKET },
        { "type 9",                 LEAST "09", NAP_E_INVALID_PACKET },
        { "type 255",               "ff" LEAST, NAP_E_INVALID_PACKET },
        { "another correlation id", PACKET "06 64468936cb494374b127a6a3cc3bb11c" ID_2 FREE, NAP_E_MISMATCHED_ID },
        { "no SHVs",                LEAST "07 0000", S_OK },
        { "SHVs, not by 4",         LEAST "07 0006 000137f0 0001", NAP_E_INVALID_PACKET },
        { "SHVs, too long",         LEAST "07 0008 000137f0", NAP_E_INVALID_PACKET },
        { "SHVs without a size",    LEAST "07", NAP_E_INVALID_PACKET },
        { "SHVs, half a size",      LEAST "07 00", NAP_E_INVALID_PACKET },
        { "generated, not by 4",    LEAST "04 0003 000137", NAP_E_INVALID_PACKET },
        { "state 0",                PACKET CORRELATION "02 0000" NEVER "0001 00", NAP_E_INVALID_PACKET },
        { "state 4",                PACKET CORRELATION "02 0004" NEVER "0001 00", NAP_E_INVALID_PACKET },
        { "state 7",                PACKET CORRELATION "02 0007" NEVER "0001 00", NAP_E_INVALID_PACKET },
        { "state 0, fixup",         PACKET CORRELATION "02 0008" NEVER "0001 00", NAP_E_INVALID_PACKET },
        { "packet info cut",        CORRELATION FREE "03", NAP_E_INVALID_PACKET },
        { "correlation id cut",     PACKET FREE "06" ID_1 "01ca78d858ee1e", NAP_E_INVALID_PACKET },
        { "state cut",              PACKET CORRELATION "02 0001" NEVER "0001", NAP_E_INVALID_PACKET },
        { "state without a URL",    PACKET CORRELATION "02 0001" NEVER, NAP_E_INVALID_PACKET },
        { "state without a time",   PACKET CORRELATION "02 0001 ffffffff", NAP_E_INVALID_PACKET },
        { "inventory cut",          LEAST "01 00000006 00000001 00001db1 0001 0000 00",
            NAP_E_INVALID_PACKET },
        { "name cut",               LEAST "05 0005 6e616d65", NAP_E_INVALID_PACKET },
        { "inventory-ex cut",       LEAST "08 00000000", NAP_E_INVALID_PACKET },
    };
    struct response response;
    struct message message;
    unsigned int i;
    size_t pushed;

    for (i = 0; i < ARRAY_SIZE(tests); i++)
    {
        pushed = push_context("%s", tests[i].what);
        frame(&message, 3, 2, MODE, tests[i].values, "");
        ok_hr(read_message(&message, &response), tests[i].hr);
        if (tests[i].hr == S_OK)
        {
            ok(!memcmp(&response.correlation_id, &correlation_id, sizeof(correlation_id)), "The id differs.\n");
            ok_uint(response.state, isolationStateNotRestricted);
            ok_uint(response.url_length, 0);
            ok_uint(response.shv_count, strstr(tests[i].values, SHVS) ? 2 : 0);
            ok_uint(response.report_count, 0);
        }
        pop_context(pushed);
    }
}

static void test_read_state(void)
{
    static const struct
    {
        const char *value;
        IsolationState state;
        ExtendedIsolationState extended;
        BOOL fixup;
        UINT32 high, low;
        const char *url;
    }
    tests[] =
    {
        { "0001 ffffffffffffffff 0001 00", isolationStateNotRestricted, extendedIsolationStateNoData, FALSE,
            ~0u, ~0u, "" },
        { "0009 ffffffffffffffff 0001 00", isolationStateNotRestricted, extendedIsolationStateNoData, TRUE,
            ~0u, ~0u, "" },
        { "0002 01ca78d858ee1ef0 0001 00", isolationStateInProbation, extendedIsolationStateNoData, FALSE,
            0x01ca78d8, 0x58ee1ef0, "" },
        { "0013 0000000000000000 0001 00", isolationStateRestrictedAccess, extendedIsolationStateTransition, FALSE,
            0, 0, "" },
        { "002b 0000000000000001 0001 00", isolationStateRestrictedAccess, extendedIsolationStateInfected, TRUE,
            0, 1, "" },
        { "0031 8000000000000000 0001 00", isolationStateNotRestricted, extendedIsolationStateUnknown, FALSE,
            0x80000000, 0, "" },
        /* what later systems may say */
        { "0041 ffffffffffffffff 0001 00", isolationStateNotRestricted, extendedIsolationStateUnknown, FALSE,
            ~0u, ~0u, "" },
        { "00f9 ffffffffffffffff 0001 00", isolationStateNotRestricted, extendedIsolationStateUnknown, TRUE,
            ~0u, ~0u, "" },
        { "ff01 ffffffffffffffff 0001 00", isolationStateNotRestricted, extendedIsolationStateNoData, FALSE,
            ~0u, ~0u, "" },
        /* URLs */
        { "0001 ffffffffffffffff 0000", isolationStateNotRestricted, extendedIsolationStateNoData, FALSE,
            ~0u, ~0u, "" },
        { "0001 ffffffffffffffff 0003 612f00", isolationStateNotRestricted, extendedIsolationStateNoData, FALSE,
            ~0u, ~0u, "a/" },
        { "0001 ffffffffffffffff 0002 612f", isolationStateNotRestricted, extendedIsolationStateNoData, FALSE,
            ~0u, ~0u, "a/" },
        { "0001 ffffffffffffffff 0005 612f006200", isolationStateNotRestricted, extendedIsolationStateNoData, FALSE,
            ~0u, ~0u, "a/" },
        { "0001 ffffffffffffffff 0003 61e400", isolationStateNotRestricted, extendedIsolationStateNoData, FALSE,
            ~0u, ~0u, "a\xe4" },
    };
    struct response response;
    struct message message;
    char values[256];
    unsigned int i;
    size_t pushed;

    for (i = 0; i < ARRAY_SIZE(tests); i++)
    {
        pushed = push_context("%s", tests[i].value);
        snprintf(values, sizeof(values), "%s%s02%s", PACKET, CORRELATION, tests[i].value);
        frame(&message, 3, 2, MODE, values, "");
        ok_hr(read_message(&message, &response), S_OK);
        ok_uint(response.state, tests[i].state);
        ok_uint(response.extended, tests[i].extended);
        ok_uint(response.fixup, tests[i].fixup);
        ok_uint(response.probation_end.dwHighDateTime, tests[i].high);
        ok_uint(response.probation_end.dwLowDateTime, tests[i].low);
        ok_uint(response.url_length, strlen(tests[i].url));
        ok(!memcmp(response.url, tests[i].url, response.url_length), "The URL differs.\n");
        pop_context(pushed);
    }
}

static void test_read_system_entry(void)
{
    static const struct
    {
        const char *what, *system;
        HRESULT hr;
    }
    tests[] =
    {
        { "none",                   "", NAP_E_INVALID_PACKET },
        { "as it should be",        "0002 0004 00013700 0007 002d 00000137" LEAST, S_OK },
        { "flags in types",         "c002 0004 00013700 8007 002d 00000137" LEAST, S_OK },
        { "only an id",             "0002 0004 00013700", NAP_E_INVALID_PACKET },
        { "only values",            "0007 002d 00000137" LEAST, NAP_E_INVALID_PACKET },
        { "of an agent",            "0002 0004 000137f0 0007 002d 00000137" LEAST, NAP_E_INVALID_PACKET },
        { "long id",                "0002 0005 0001370000 0007 002d 00000137" LEAST, NAP_E_INVALID_PACKET },
        { "vendor cut",             "0002 0004 00013700 0007 0003 000001", NAP_E_INVALID_PACKET },
        { "of another vendor",      "0002 0004 00013700 0007 002d 00000138" LEAST, NAP_E_INVALID_PACKET },
        { "of the id as vendor",    "0002 0004 00013700 0007 002d 00013700" LEAST, NAP_E_INVALID_PACKET },
        { "of another type",        "0002 0004 00013700 0009 002d 00000137" LEAST, NAP_E_INVALID_PACKET },
        { "more attributes",        "0002 0004 00013700 0007 002d 00000137" LEAST "0006 0001 00 0011 0000",
            S_OK },
        { "more before",            "0002 0004 00013700 0011 0000 0007 002d 00000137" LEAST,
            NAP_E_INVALID_PACKET },
        { "an unknown one that isn't to be ignored",
            "0002 0004 00013700 0007 002d 00000137" LEAST "8011 0000", NAP_E_INVALID_PACKET },
        { "twice",                  "0002 0004 00013700 0007 002d 00000137" LEAST
            "0002 0004 00013700 0007 002d 00000137" LEAST, NAP_E_INVALID_PACKET },
        { "last",                   ENTRY "0002 0004 00013700 0007 002d 00000137" LEAST,
            NAP_E_INVALID_PACKET },
    };
    struct response response;
    struct message message;
    unsigned int i, start;
    size_t pushed;

    for (i = 0; i < ARRAY_SIZE(tests); i++)
    {
        pushed = push_context("%s", tests[i].what);
        message.size = 0;
        start = open_vendor(&message, 1);
        append_hex(&message, tests[i].system);
        append_hex(&message, ENTRY);
        close_vendor(&message, start);
        ok_hr(read_message(&message, &response), tests[i].hr);
        if (tests[i].hr == S_OK) ok_uint(response.report_count, 1);
        pop_context(pushed);
    }
}

/* What the agents' own reports may hold: the rules for a response, and for what an agent sends */
static void test_attributes(void)
{
    static const struct
    {
        const char *attributes;     /* after the id */
        BOOL valid, check;
        HRESULT hr;                 /* S_OK: the message is read, whatever the report is like */
    }
    tests[] =
    {
        /* a verdict is wanted in a response */
        { "", FALSE, TRUE },
        { "0004 0000", TRUE, TRUE },
        { "0004 0004 00000000", TRUE, TRUE },
        { "000e 0001 05", TRUE, TRUE },
        { "0004 0004 00000000 000e 0001 01", TRUE, TRUE },
        { "0004 0004 00000000 0004 0004 00000000", TRUE, TRUE },
        { "0007 0006 000137f0 aaaa", FALSE, TRUE },
        { "000d 0004 80270007", FALSE, TRUE },
        /* sizes */
        { NOT_PATCHED "0003 0004 01020304", TRUE, TRUE },
        { NOT_PATCHED "0003 0008 0102030401020304", TRUE, TRUE },
        { NOT_PATCHED "0003 0000", FALSE, FALSE },
        { NOT_PATCHED "0003 0003 010203", FALSE, FALSE },
        { NOT_PATCHED "0003 0006 010203040506", FALSE, FALSE },
        { "0004 0003 000000", FALSE, FALSE },
        { "0004 0005 0000000000", FALSE, FALSE },
        { NOT_PATCHED "0005 0008 01ca78d858ee1ef0", TRUE, TRUE },
        { NOT_PATCHED "0005 0007 01ca78d858ee1e", FALSE, FALSE },
        { NOT_PATCHED "0005 0000", FALSE, FALSE },
        { NOT_PATCHED "0005 0010 01ca78d858ee1ef001ca78d858ee1ef0", FALSE, FALSE },
        { NOT_PATCHED "0006 0000", TRUE, TRUE },
        { NOT_PATCHED "0006 0003 010203", TRUE, TRUE },
        { NOT_PATCHED "0007 0004 000137f0", TRUE, TRUE },
        { NOT_PATCHED "0007 0003 000137", FALSE, FALSE },
        { NOT_PATCHED "0008 0001 00", TRUE, TRUE },
        { NOT_PATCHED "0008 0000", FALSE, FALSE },
        { NOT_PATCHED "0008 0002 0000", FALSE, FALSE },
        { NOT_PATCHED "0009 0000", TRUE, TRUE },
        { NOT_PATCHED "000a 0001 00", TRUE, TRUE },
        { NOT_PATCHED "000b 0002 0000", TRUE, TRUE },
        { NOT_PATCHED "000c 0008 01ca78d858ee1ef0", TRUE, TRUE },
        { NOT_PATCHED "000c 0004 01ca78d8", FALSE, FALSE },
        { NOT_PATCHED "000d 0000", TRUE, TRUE },
        { NOT_PATCHED "000d 0002 0000", FALSE, FALSE },
        { "000e 0000", FALSE, FALSE },
        { "000e 0004 00000001", FALSE, FALSE },
        { NOT_PATCHED "000f 0010 01020304050607080102030405060708", TRUE, TRUE },
        { NOT_PATCHED "000f 000f 010203040506070801020304050607", FALSE, FALSE },
        { NOT_PATCHED "000f 0000", FALSE, FALSE },
        { NOT_PATCHED "0010 0001 02", TRUE, TRUE },
        { NOT_PATCHED "0010 0002 0000", FALSE, FALSE },
        /* one list of servers */
        { NOT_PATCHED "0003 0004 01020304 0003 0004 01020304", FALSE, TRUE },
        { NOT_PATCHED "0003 0004 01020304 000f 0010 01020304050607080102030405060708", FALSE, TRUE },
        /* types that nobody knows are passed on, unless they mustn't be */
        { NOT_PATCHED "0000 0000", TRUE, TRUE },
        { NOT_PATCHED "0001 0001 00", TRUE, TRUE },
        { NOT_PATCHED "0011 0003 000000", TRUE, TRUE },
        { NOT_PATCHED "3fff 0003 000000", TRUE, TRUE },
        { NOT_PATCHED "4011 0003 000000", TRUE, TRUE },
        { NOT_PATCHED "8011 0003 000000", TRUE, TRUE, NAP_E_INVALID_PACKET },
        { NOT_PATCHED "8000 0000", TRUE, TRUE, NAP_E_INVALID_PACKET },
        { NOT_PATCHED "8001 0000", TRUE, TRUE, NAP_E_INVALID_PACKET },
        { NOT_PATCHED "ffff 0000", TRUE, TRUE, NAP_E_INVALID_PACKET },
        { "8004 0004 80270050", TRUE, TRUE },
        { "c004 0003 802700", FALSE, FALSE },
        { "800e 0001 01 8010 0001 00", TRUE, TRUE },
        { NOT_PATCHED "8006 0000 8009 0000 800a 0000 800b 0000", TRUE, TRUE },
        /* ends that lie */
        { NOT_PATCHED "00", FALSE, FALSE, NAP_E_INVALID_PACKET },
        { NOT_PATCHED "0006 00", FALSE, FALSE, NAP_E_INVALID_PACKET },
        { NOT_PATCHED "0006 0001", FALSE, FALSE, NAP_E_INVALID_PACKET },
        { NOT_PATCHED "0006 ffff 00", FALSE, FALSE, NAP_E_INVALID_PACKET },
        /* an id begins another report */
        { NOT_PATCHED "0002 0004 000137f0" NOT_PATCHED, TRUE, FALSE, NAP_E_INVALID_PACKET },
        { NOT_PATCHED "8002 0004 000137f0" NOT_PATCHED, TRUE, FALSE, NAP_E_INVALID_PACKET },
        { NOT_PATCHED "0002 0003 000137" NOT_PATCHED, TRUE, FALSE, NAP_E_INVALID_PACKET },
        { NOT_PATCHED "0002 0000", TRUE, FALSE, NAP_E_INVALID_PACKET },
        { NOT_PATCHED "0002 0004 00013700" NOT_PATCHED, TRUE, FALSE, NAP_E_INVALID_PACKET },
    };
    struct message message, report;
    struct response response;
    unsigned int i, size;
    char entries[512];
    size_t pushed;
    BOOL ret;

    for (i = 0; i < ARRAY_SIZE(tests); i++)
    {
        pushed = push_context("%s", tests[i].attributes);
        snprintf(entries, sizeof(entries), "%s%s", SAMPLE, tests[i].attributes);
        from_hex(&report, entries);
        ret = message_check_report(guard(report.data, report.size), report.size, SAMPLE_ID);
        ok_uint(ret, tests[i].check);
        ret = message_check_report(guard(report.data, report.size), report.size, SAMPLE_ID + 1);
        ok_uint(ret, FALSE);
        if (tests[i].check)
        {
            for (size = 0; size < 8; size++)
            {
                ret = message_check_report(guard(report.data, size), size, SAMPLE_ID);
                ok(!ret, "%u bytes are valid.\n", size);
            }
        }

        /* Whatever it is like, the neighbours are not. */
        snprintf(entries, sizeof(entries), "%s%s%s%s", "0002 0004 00013781" NOT_PATCHED, SAMPLE, tests[i].attributes,
                "0002 0004 00013782" NOT_PATCHED);
        frame(&message, 3, 2, MODE, VALUES, entries);
        ok_hr(read_message(&message, &response), tests[i].hr);
        if (tests[i].hr == S_OK)
        {
            snprintf(entries, sizeof(entries), "%s%s", SAMPLE, tests[i].attributes);
            ok_uint(response.report_count, 3);
            ok_report(&response.reports[0], 0x00013781, TRUE, "0002 0004 00013781" NOT_PATCHED);
            ok_report(&response.reports[1], SAMPLE_ID, tests[i].valid, entries);
            ok_report(&response.reports[2], 0x00013782, TRUE, "0002 0004 00013782" NOT_PATCHED);
        }
        pop_context(pushed);
    }

    ok_uint(message_check_report(NULL, 0, SAMPLE_ID), FALSE);
    from_hex(&report, "0004 0004 00000000" SAMPLE);
    ok_uint(message_check_report(report.data, report.size, SAMPLE_ID), FALSE);
    from_hex(&report, "0002 0008 000137f0 00000000");
    ok_uint(message_check_report(report.data, report.size, SAMPLE_ID), FALSE);
}

static void test_find_attribute(void)
{
    static const struct
    {
        UINT16 type;
        int offset;     /* of the value in the report; -1: it has none of the type */
        UINT32 size;
    }
    tests[] =
    {
        { 0, -1 },
        { sohAttributeTypeSystemHealthId, 4, 4 },
        { sohAttributeTypeIpv4FixupServers, -1 },
        { sohAttributeTypeComplianceResultCodes, 17, 4 },
        { sohAttributeTypeHealthClass, 12, 1 },
        { sohAttributeTypeFailureCategory, 42, 1 },
        { sohAttributeTypeErrorCodes, -1 },
        { 0x8000 | sohAttributeTypeHealthClass, -1 },
    };
    struct response response;
    struct message message;
    const BYTE *value;
    unsigned int i;
    size_t pushed;
    UINT32 size;

    frame(&message, 3, 2, MODE, VALUES, ENTRY WSHV_ENTRY);
    ok_hr(read_message(&message, &response), S_OK);
    for (i = 0; i < ARRAY_SIZE(tests); i++)
    {
        pushed = push_context("type %#x", tests[i].type);
        size = 0xdeadbeef;
        value = message_find_attribute(&response.reports[1], tests[i].type, &size);
        ok(value == (tests[i].offset < 0 ? NULL : response.reports[1].data + tests[i].offset), "Got %p.\n", value);
        ok_uint(size, value ? tests[i].size : 0xdeadbeef);
        pop_context(pushed);
    }

    /* Of one report only; with flags, empty, and twice */
    value = message_find_attribute(&response.reports[0], sohAttributeTypeHealthClass, &size);
    ok(!value, "Got %p.\n", value);
    frame(&message, 3, 2, MODE, VALUES, SAMPLE "8004 0000" NOT_PATCHED);
    ok_hr(read_message(&message, &response), S_OK);
    value = message_find_attribute(&response.reports[0], sohAttributeTypeComplianceResultCodes, &size);
    ok(value == response.reports[0].data + 12, "Got %p.\n", value);
    ok_uint(size, 0);
}

static void test_limits(void)
{
    struct message message, entries, report = { { 0 } };
    struct response response;
    char values[8192];
    unsigned int i, count, offset;
    size_t pushed;

    for (count = 19; count <= 22; count++)
    {
        pushed = push_context("%u reports", count);
        message.size = 0;
        offset = open_vendor(&message, 1);
        append_hex(&message, "0002 0004 00013700 0007 002d 00000137" LEAST);
        for (i = 0; i < count; i++)
        {
            append_hex(&message, "0002 0004 000137f0 000e 0001 01");
            message.data[message.size - 6] = 0x80 + i;
        }
        close_vendor(&message, offset);
        ok_hr(read_message(&message, &response), count <= 20 ? S_OK : NAP_E_INVALID_PACKET);
        if (count <= 20)
        {
            ok_uint(response.report_count, count);
            for (i = 0; i < response.report_count; i++) ok_uint(response.reports[i].id, 0x00013780 + i);
        }
        pop_context(pushed);
    }

    for (count = 19; count <= 22; count++)
    {
        pushed = push_context("%u SHVs", count);
        strcpy(values, LEAST);
        sprintf(values + strlen(values), "07 %04x", count * 4);
        for (i = 0; i < count; i++) sprintf(values + strlen(values), "%08x", 0x00013780 + i);
        frame(&message, 3, 2, MODE, values, ENTRY);
        ok_hr(read_message(&message, &response), count <= 20 ? S_OK : NAP_E_INVALID_PACKET);
        if (count <= 20)
        {
            ok_uint(response.shv_count, count);
            for (i = 0; i < response.shv_count; i++) ok_uint(response.shvs[i], 0x00013780 + i);
        }
        pop_context(pushed);
    }

    for (count = 1023; count <= 1026; count++)
    {
        pushed = push_context("%u characters in the URL", count);
        sprintf(values, "%s%s02 0001 %s %04x", PACKET, CORRELATION, NEVER, count + 1);
        for (i = 0; i < count; i++) strcat(values, "61");
        strcat(values, "00");
        frame(&message, 3, 2, MODE, values, ENTRY);
        ok_hr(read_message(&message, &response), count <= 1024 ? S_OK : NAP_E_INVALID_PACKET);
        if (count <= 1024) ok_uint(response.url_length, count);
        pop_context(pushed);
    }

    /* As many bytes as a network SoH may have */
    frame(&message, 3, 2, MODE, VALUES, ENTRY);
    offset = message.size;
    for (count = 3999; count <= 4001; count++)
    {
        pushed = push_context("%u bytes", count);
        frame(&entries, 3, 2, MODE, VALUES, ENTRY);
        append_hex(&entries, "0006 0000");
        set_length(entries.data + entries.size - 2, count - offset - 4);
        memset(entries.data + entries.size, 0, count - entries.size);
        entries.size = count;
        close_vendor(&entries, 24);
        close_vendor(&entries, 12);
        ok_hr(read_message(&entries, &response), count <= 4000 ? S_OK : NAP_E_INVALID_PACKET);
        if (count <= 4000) ok_uint(response.reports[0].size, count - 149);
        pop_context(pushed);
    }

    for (count = 99; count <= 102; count++)
    {
        pushed = push_context("%u attributes", count);
        from_hex(&report, ENTRY);
        for (i = 2; i < count; i++) append_hex(&report, "0006 0000");
        ok_uint(message_check_report(report.data, report.size, SAMPLE_ID), count <= 100);

        message.size = 0;
        offset = open_vendor(&message, 1);
        append_hex(&message, "0002 0004 00013700 0007 002d 00000137" LEAST);
        append(&message, report.data, report.size);
        close_vendor(&message, offset);
        ok_hr(read_message(&message, &response), S_OK);
        ok_uint(response.report_count, 1);
        ok_uint(response.reports[0].valid, count <= 100);
        pop_context(pushed);
    }

    for (count = 3999; count <= 4001; count++)
    {
        pushed = push_context("an attribute of %u bytes", count);
        from_hex(&report, SAMPLE "0006 0000");
        set_length(report.data + report.size - 2, count);
        memset(report.data + report.size, 0, count);
        report.size += count;
        ok_uint(message_check_report(guard(report.data, report.size), report.size, SAMPLE_ID), count <= 4000);
        pop_context(pushed);
    }
}

/* Each byte with each other value: what is read lies within the message. */
static void test_every_byte(void)
{
    unsigned int i, j, k, value, taken = 0, outside = 0;
    struct response response;
    struct message message;
    const BYTE *data;

    frame(&message, 3, 2, MODE, VALUES, ENTRY WSHV_ENTRY);
    for (i = 0; i < message.size; i++)
    {
        value = message.data[i];
        for (j = 1; j < 256; j++)
        {
            message.data[i] = value ^ j;
            memset(&response, 0xcc, sizeof(response));
            data = guard(message.data, message.size);
            if (message_read_response(data, message.size, &response) != S_OK) continue;
            taken++;
            if (response.url < data || response.url + response.url_length > data + message.size) outside++;
            for (k = 0; k < response.report_count; k++)
            {
                const struct report *report = &response.reports[k];

                if (report->data < data || report->data + report->size > data + message.size) outside++;
            }
        }
        message.data[i] = value;
    }
    ok(taken > 0, "None was read.\n");
    ok_uint(outside, 0);
}

int main(void)
{
    test_write_example();
    test_write_values();
    test_write_max_size();
    test_write_out_of_memory();
    test_write_failure();
    test_read_examples();
    test_read_frames();
    test_read_lengths();
    test_read_values();
    test_read_state();
    test_read_system_entry();
    test_attributes();
    test_find_attribute();
    test_limits();
    test_every_byte();

    printf("message: %u passed, %u failed, 0 skipped\n", passed, failed);
    return failed != 0;
}
