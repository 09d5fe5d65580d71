/*
 * What writing and reading whole messages costs, by the byte
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

#include "../../dlls/qagentrt/message.c"
#include "bench.h"

#define ROUNDS 301 /* odd, for the median */
#define CALLS  100 /* in a round: some 50 to 500 microseconds */

/* What Windows' own agent and its validator send, and in the request the name of a product */
static const BYTE wsha_report[] =
{
    0x00, 0x02, 0x00, 0x04, 0x00, 0x01, 0x37, 0x80,
    0x00, 0x07, 0x00, 0x08, 0x00, 0x01, 0x37, 0x80, 0x03, 0x00, 0x00, 0x00,
    0x00, 0x07, 0x00, 0x08, 0x00, 0x01, 0x37, 0x80, 0x01, 0x00, 0x06, 0x00,
    0x00, 0x08, 0x00, 0x01, 0x00, 0x00, 0x0b, 0x00, 0x04, 0x00, 0x00, 0x00, 0x05,
    0x00, 0x08, 0x00, 0x01, 0x01, 0x00, 0x0b, 0x00, 0x04, 0xc0, 0xff, 0x00, 0x02,
    0x00, 0x08, 0x00, 0x01, 0x02, 0x00, 0x0b, 0x00, 0x04, 0x00, 0x00, 0x00, 0x07,
    0x00, 0x08, 0x00, 0x01, 0x03, 0x00, 0x0b, 0x00, 0x04, 0x00, 0x00, 0x00, 0x04,
    0x00, 0x08, 0x00, 0x01, 0x04, 0x00, 0x0b, 0x00, 0x04, 0x00, 0xff, 0x00, 0x08,
    0x00, 0x0a, 0x00, 0x56,
    'A', 0, 'n', 0, ' ', 0, 'a', 0, 'n', 0, 't', 0, 'i', 0, 'v', 0, 'i', 0, 'r', 0, 'u', 0, 's', 0, ' ', 0, 'p', 0,
    'r', 0, 'o', 0, 'd', 0, 'u', 0, 'c', 0, 't', 0, ' ', 0, 'w', 0, 'i', 0, 't', 0, 'h', 0, ' ', 0, 'a', 0, ' ', 0,
    'n', 0, 'a', 0, 'm', 0, 'e', 0, ' ', 0, 'o', 0, 'f', 0, ' ', 0, 'i', 0, 't', 0, 's', 0, ' ', 0, 'o', 0, 'w', 0,
    'n', 0
};

static const BYTE wshv_report[] =
{
    0x00, 0x02, 0x00, 0x04, 0x00, 0x01, 0x37, 0x80,
    0x00, 0x08, 0x00, 0x01, 0x00, 0x00, 0x04, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x08, 0x00, 0x01, 0x01, 0x00, 0x04, 0x00, 0x08, 0xc0, 0xff, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x0e, 0x00, 0x01, 0x02,
    0x00, 0x08, 0x00, 0x01, 0x02, 0x00, 0x04, 0x00, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x08, 0x00, 0x01, 0x03, 0x00, 0x04, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x08, 0x00, 0x01, 0x04, 0x00, 0x04, 0x00, 0x08, 0xc0, 0xff, 0x00, 0x07, 0x00, 0x00, 0x04, 0x00
};

static const struct machine machine = { 6, 1, 7601, 1, 0, 9, 1, "client1.example.com" };
static BYTE report_data[maxSystemHealthEntityCount][sizeof(wsha_report)];
static struct report reports[maxSystemHealthEntityCount];
static struct request request = { &machine };
static BYTE *message;
static UINT32 message_size;

static void write_message(void)
{
    UINT written;

    free(message);
    check(message_write_request(&request, maxNetworkSoHSize, &message, &message_size, &written), "Writing a request");
    if (written != request.report_count) fail("Writing all of a request", E_FAIL);
}

static void read_message(void)
{
    struct response response;

    check(message_read_response(message, message_size, &response), "Reading a response");
}

static void setup_request(const BYTE *report, UINT32 size, UINT count)
{
    UINT i;

    request.state = isolationStateNotRestricted;
    request.report_count = count;
    request.reports = reports;
    for (i = 0; i < count; i++)
    {
        memcpy(report_data[i], report, size);
        report_data[i][7] += i;
        reports[i].id = NapOutOfBoxSystemHealthId + i;
        reports[i].data = report_data[i];
        reports[i].size = size;
        if (!message_check_report(report_data[i], size, reports[i].id)) fail("Checking a report", E_FAIL);
    }
}

/* The request, sent back as what it would be from a server */
static void setup_response(const BYTE *report, UINT32 size, UINT count)
{
    setup_request(report, size, count);
    write_message();
    message[9] = SOH_RESPONSE;
    message[75] = PACKET_VERSION;
}

static const struct
{
    const char *name;
    void (*setup)(const BYTE *report, UINT32 size, UINT count);
    const BYTE *report;
    UINT32 size;
    UINT count;
    void (*run)(void);
}
cases[] =
{
    { "Writing a request, 1 SHA", setup_request, wsha_report, sizeof(wsha_report), 1, write_message },
    { "Writing a request, 20 SHAs", setup_request, wsha_report, sizeof(wsha_report), 20, write_message },
    { "Reading a response, 1 SHA", setup_response, wshv_report, sizeof(wshv_report), 1, read_message },
    { "Reading a response, 20 SHAs", setup_response, wshv_report, sizeof(wshv_report), 20, read_message },
};

/* Prints name, the message's bytes, and nanoseconds a call, with tabs in between. */
void bench_messages(void)
{
    static double times[ROUNDS];
    unsigned int i, j, k;
    LONGLONG start;

    for (i = 0; i < ARRAY_SIZE(cases); i++)
    {
        cases[i].setup(cases[i].report, cases[i].size, cases[i].count);
        cases[i].run();
        for (j = 0; j < ROUNDS; j++)
        {
            start = get_time();
            for (k = 0; k < CALLS; k++) cases[i].run();
            times[j] = get_nanoseconds(start) / CALLS;
        }
        printf("%s\t%u\t%.1f\n", cases[i].name, message_size, median(times, ROUNDS));
    }
    free(message);
}
