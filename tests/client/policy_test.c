/*
 * Tests for the example client's policy
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


/* Plain C, so that it runs natively too:  cc -o policy_test policy_test.c policy.c */

#include <stdio.h>
#include <string.h>
#include "policy.h"

static const char *context = "";
static unsigned int passed, failed;

#define ok(condition, ...) do { if (condition) passed++; else { failed++; \
    printf("policy_test.c:%d: %s: ", __LINE__, context); printf(__VA_ARGS__); printf("\n"); } } while (0)

#define CORRELATION_ID 0x54,0x46,0x89,0x36,0xcb,0x49,0x43,0x74,0xb1,0x27,0xa6,0xa3,0xcc,0x3b,0xb1,0x1c, \
                       0x01,0xca,0x78,0xd8,0x58,0xee,0x1e,0xf0

static const uint8_t correlation_id[] = { CORRELATION_ID };

/* One agent, well: with both headers and the mode sub-header */
static const uint8_t healthy[] =
{
    0x00,0x07,0x00,0xb1,0x00,0x00,0x01,0x37,0x00,0x01,0x00,0xa9,
    0x00,0x07,0x00,0xa5,0x00,0x00,0x01,0x37,0x00,0x02,0x00,0x9d,
    0x00,0x07,0x00,0x1e,0x00,0x00,0x01,0x37,CORRELATION_ID,0x01,0x00,
    0x00,0x02,0x00,0x04,0x00,0x01,0x37,0x00,
    0x00,0x07,0x00,0x5d,0x00,0x00,0x01,0x37,
        0x03,0x11,
        0x01,0x00,0x00,0x00,0x06,0x00,0x00,0x00,0x01,0x00,0x00,0x1d,0xb1,0x00,0x01,0x00,0x00,0x00,0x09,
        0x05,0x00,0x14,'c','l','i','e','n','t','1','.','e','x','a','m','p','l','e','.','c','o','m',0x00,
        0x06,CORRELATION_ID,
        0x02,0x00,0x01,0xff,0xff,0xff,0xff,0xff,0xff,0xff,0xff,0x00,0x01,0x00,
        0x08,0x00,0x00,0x00,0x00,0x01,
    0x00,0x02,0x00,0x04,0x00,0x01,0x37,0xf0,
    0x00,0x07,0x00,0x06,0x00,0x01,0x37,0xf0,0xaa,0xaa,
};

/* What the same agent gets when it isn't */
static const uint8_t not_patched[] =
{
    0x00,0x07,0x00,0xa1,0x00,0x00,0x01,0x37,0x00,0x03,0x00,0x99,
    0x00,0x07,0x00,0x95,0x00,0x00,0x01,0x37,0x00,0x02,0x00,0x8d,
    0x00,0x07,0x00,0x1e,0x00,0x00,0x01,0x37,CORRELATION_ID,0x02,0x00,
    0x00,0x02,0x00,0x04,0x00,0x01,0x37,0x00,
    0x00,0x07,0x00,0x4f,0x00,0x00,0x01,0x37,
        0x03,0x01,
        0x06,CORRELATION_ID,
        0x02,0x00,0x0b,0xff,0xff,0xff,0xff,0xff,0xff,0xff,0xff,
            0x00,0x18,'h','t','t','p',':','/','/','f','i','x','.','e','x','a','m','p','l','e','.','c','o','m','/',0x00,
        0x07,0x00,0x08,0x00,0x01,0x37,0xf0,0x00,0x01,0x37,0x80,
    0x00,0x02,0x00,0x04,0x00,0x01,0x37,0xf0,
    0x00,0x04,0x00,0x04,0x80,0x27,0x00,0x50,
};

/* An entry that the NAP agent made, and Windows' own agent's: with both headers and no mode sub-header */
static const uint8_t unbound[] =
{
    0x00,0x07,0x00,0xe3,0x00,0x00,0x01,0x37,0x00,0x01,0x00,0xdb,
    0x00,0x07,0x00,0xd7,0x00,0x00,0x01,0x37,0x00,0x01,0x00,0xcf,
    0x00,0x02,0x00,0x04,0x00,0x01,0x37,0x00,
    0x00,0x07,0x00,0x4d,0x00,0x00,0x01,0x37,
        0x03,0x11,
        0x01,0x00,0x00,0x00,0x06,0x00,0x00,0x00,0x00,0x00,0x00,0x17,0x71,0x00,0x01,0x00,0x00,0x00,0x00,
        0x06,CORRELATION_ID,
        0x02,0x00,0x01,0xff,0xff,0xff,0xff,0xff,0xff,0xff,0xff,0x00,0x01,0x00,
        0x04,0x00,0x04,0x00,0x01,0x37,0xf0,
        0x08,0x00,0x00,0x00,0x00,0x01,
    0x00,0x02,0x00,0x04,0x00,0x01,0x37,0xf0, 0x00,0x0e,0x00,0x01,0x02, 0x00,0x0d,0x00,0x04,0x80,0x27,0x00,0x07,
    0x00,0x02,0x00,0x04,0x00,0x01,0x37,0x80,
        0x00,0x07,0x00,0x08,0x00,0x01,0x37,0x80,0x03,0x00,0x00,0x00,
        0x00,0x07,0x00,0x08,0x00,0x01,0x37,0x80,0x01,0x00,0x06,0x00,
        0x00,0x08,0x00,0x01,0x00, 0x00,0x0b,0x00,0x04,0x00,0x00,0x00,0x05,
        0x00,0x08,0x00,0x01,0x01, 0x00,0x0b,0x00,0x04,0xc0,0xff,0x00,0x02,
        0x00,0x08,0x00,0x01,0x02, 0x00,0x0b,0x00,0x04,0x00,0x00,0x00,0x07,
        0x00,0x08,0x00,0x01,0x03, 0x00,0x0b,0x00,0x04,0x00,0x00,0x00,0x04,
        0x00,0x08,0x00,0x01,0x04, 0x00,0x0b,0x00,0x04,0x00,0xff,0x00,0x08,
};

static uint8_t unhealthy[sizeof(healthy)];

static void decoding(void)
{
    static const uint8_t values[] = { 3, 1, 5, 6, 2, 8 }, unbound_values[] = { 3, 1, 6, 2, 4, 8 };
    struct request request;
    const char *fault;
    size_t size;

    context = "an agent that is well";
    fault = decode_request(&request, healthy, sizeof(healthy));
    ok(!fault, "%s", fault);
    ok(request.wrapped && request.inner_type == 2, "wrapped %d, type %u", request.wrapped, request.inner_type);
    ok(!memcmp(request.correlation_id, correlation_id, sizeof(correlation_id)), "another correlation id");
    ok(request.os_major == 6 && request.os_minor == 1 && request.os_build == 7601, "another Windows");
    ok(request.architecture == 9 && request.product_type == 1, "%u, %u", request.architecture, request.product_type);
    ok(request.machine_name && !strcmp(request.machine_name, "client1.example.com"), "another machine");
    ok(request.value_count == 6 && !memcmp(request.values, values, 6), "%u values", request.value_count);
    ok(request.entry_count == 1, "%u entries", request.entry_count);
    ok(request.entries[0].id == 0x137f0 && request.entries[0].vendor == 0x137f0, "another agent");
    ok(request.entries[0].attributes == 2 && !request.entries[0].made_by_agent, "made by the agent?");
    ok(request.entries[0].vendor_data_size == 2, "%u bytes", (unsigned int)request.entries[0].vendor_data_size);
    ok(!memcmp(request.entries[0].vendor_data, "\xaa\xaa", 2), "other data");
    ok(request.entries[0].failure_category == -1, "category %d", request.entries[0].failure_category);

    context = "the same without the wrapper";
    fault = decode_request(&request, healthy + 12, sizeof(healthy) - 12);
    ok(!fault, "%s", fault);
    ok(!request.wrapped && request.inner_type == 2, "wrapped %d, type %u", request.wrapped, request.inner_type);
    ok(request.entry_count == 1, "%u entries", request.entry_count);

    context = "an agent that isn't bound";
    fault = decode_request(&request, unbound, sizeof(unbound));
    ok(!fault, "%s", fault);
    ok(request.wrapped && request.inner_type == 1, "wrapped %d, type %u", request.wrapped, request.inner_type);
    ok(!request.machine_name, "a machine");
    ok(request.value_count == 6 && !memcmp(request.values, unbound_values, 6), "%u values", request.value_count);
    ok(request.entry_count == 2, "%u entries", request.entry_count);
    ok(request.entries[0].id == 0x137f0 && request.entries[0].made_by_agent, "not made by the agent?");
    ok(request.entries[0].failure_category == 2, "category %d", request.entries[0].failure_category);
    ok(request.entries[0].error_code == 0x80270007, "code %#x", (unsigned int)request.entries[0].error_code);
    ok(request.entries[1].id == 0x13780 && !request.entries[1].made_by_agent, "made by the agent?");
    ok(request.entries[1].attributes == 13, "%u attributes", request.entries[1].attributes);

    context = "cut off";
    for (size = 0; size < sizeof(healthy); size++)
        ok(decode_request(&request, healthy, size) != NULL, "%u bytes are enough", (unsigned int)size);
    for (size = 0; size < sizeof(unbound); size++)
        ok(decode_request(&request, unbound, size) != NULL, "%u bytes are enough", (unsigned int)size);
    context = "a response";
    ok(decode_request(&request, not_patched, sizeof(not_patched)) != NULL, "it is a request");
}

/* One byte changed makes it wrong. */
static void faults(void)
{
    static const struct
    {
        const char *name;
        size_t offset;
        uint8_t value;
    }
    changes[] =
    {
        { "size of a second id", 0xac, 0x02 },
        { "header type", 0x01, 0x06 },
        { "outer length", 0x03, 0xb2 },
        { "vendor", 0x07, 0x38 },
        { "wrapper type", 0x09, 0x03 },
        { "inner header type", 0x15, 0x03 },
        { "mode length", 0x1b, 0x1f },
        { "mode vendor", 0x1f, 0x38 },
        { "mode's correlation id", 0x20, 0x55 },
        { "intent", 0x38, 0x02 },
        { "content", 0x39, 0x01 },
        { "system id", 0x41, 0x01 },
        { "system values' length", 0x45, 0x5e },
        { "packet information", 0x4b, 0x01 },
        { "value type 0", 0x4c, 0x00 },
        { "value type 9", 0x4c, 0x09 },
        { "value twice", 0x4c, 0x03 },
        { "name's length", 0x61, 0x13 },
        { "isolation state 0", 0x91, 0x00 },
        { "isolation state 7", 0x91, 0x07 },
        { "reserved flags", 0x90, 0x01 },
        { "size of an id", 0xa6, 0x03 },
        { "attribute's length", 0xae, 0x07 },
    };
    uint8_t message[sizeof(healthy)];
    struct request request;
    size_t i;

    for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
    {
        context = changes[i].name;
        memcpy(message, healthy, sizeof(message));
        ok(message[changes[i].offset] != changes[i].value, "nothing changes");
        message[changes[i].offset] = changes[i].value;
        ok(decode_request(&request, message, sizeof(message)) != NULL, "it is taken");
    }

    context = "the mandatory bit";
    memcpy(message, healthy, sizeof(message));
    message[0xab] = 0x80;
    ok(!decode_request(&request, message, sizeof(message)), "it isn't taken");
    ok(request.entries[0].vendor_data_size == 2, "%u bytes", (unsigned int)request.entries[0].vendor_data_size);
}

/* So does one byte of the other request. */
static void entry_faults(void)
{
    static const struct
    {
        const char *name;
        size_t from_end;
        uint8_t value;
    }
    changes[] =
    {
        { "two entries of one agent", 90, 0xf0 },
        { "an entry that isn't there", 125, 0xf1 },
    };
    uint8_t message[sizeof(unbound)];
    struct request request;
    size_t i;

    for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
    {
        context = changes[i].name;
        memcpy(message, unbound, sizeof(message));
        ok(message[sizeof(message) - changes[i].from_end] != changes[i].value, "nothing changes");
        message[sizeof(message) - changes[i].from_end] = changes[i].value;
        ok(decode_request(&request, message, sizeof(message)) != NULL, "it is taken");
    }
}

static void set(struct policy *policy, const char *words)
{
    const char *fault = policy_set(policy, words);

    ok(!fault, "%s: %s", words, fault);
}

static void answering(void)
{
    const uint64_t now = 0x01ca78d858ee1ef0;
    struct request request;
    struct policy policy;
    struct answer answer;
    size_t i;

    context = "an agent that is not well";
    memcpy(unhealthy, healthy, sizeof(healthy));
    memcpy(unhealthy + sizeof(unhealthy) - 2, "\xba\xad", 2);
    policy_init(&policy);
    set(&policy, "fixup on");
    set(&policy, "url http://fix.example.com/");
    set(&policy, "shvs 0x137f0 0x13780");
    ok(!decode_request(&request, unhealthy, sizeof(unhealthy)), "not a request");
    ok(policy_answer(&policy, &request, now, &answer), "no answer");
    ok(answer.isolation == RESTRICTED && answer.probation_end == NO_PROBATION_END, "state %d", answer.isolation);
    ok(request.entries[0].judged && request.entries[0].result == 0x80270050, "not judged so");
    ok(answer.size == sizeof(not_patched), "%u bytes", (unsigned int)answer.size);
    for (i = 0; i < answer.size && i < sizeof(not_patched); i++) if (answer.data[i] != not_patched[i]) break;
    ok(i == sizeof(not_patched), "byte %#x is wrong", (unsigned int)i);

    context = "no wrapper";
    set(&policy, "no wrapper");
    ok(policy_answer(&policy, &request, now, &answer), "no answer");
    ok(answer.size == sizeof(not_patched) - 12 && !memcmp(answer.data, not_patched + 12, answer.size), "other bytes");

    context = "an agent that is well";
    policy_init(&policy);
    set(&policy, "fixup on");
    set(&policy, "url http://fix.example.com/");
    ok(!decode_request(&request, healthy, sizeof(healthy)), "not a request");
    ok(policy_answer(&policy, &request, now, &answer), "no answer");
    ok(answer.isolation == NOT_RESTRICTED, "state %d", answer.isolation);
    ok(!memcmp(answer.data + 0x65, "\x02\x00\x01\xff\xff\xff\xff\xff\xff\xff\xff\x00\x01", 14), "other flags or a URL");
    ok(!memcmp(answer.data + answer.size - 8, "\x00\x04\x00\x04\x00\x00\x00", 8), "another result");

    context = "probation";
    policy_init(&policy);
    set(&policy, "probation 3");
    set(&policy, "extended 1");
    ok(!decode_request(&request, unhealthy, sizeof(unhealthy)), "not a request");
    ok(policy_answer(&policy, &request, now, &answer), "no answer");
    ok(answer.isolation == IN_PROBATION && answer.probation_end == now + 30000000, "state %d", answer.isolation);
    ok(!memcmp(answer.data + 0x65, "\x02\x00\x12\x01\xca\x78\xd8\x5a\xb7\xe2\x70\x00\x01", 14),
            "other flags or another end");

    context = "an entry that the agent made";
    policy_init(&policy);
    ok(!decode_request(&request, unbound, sizeof(unbound)), "not a request");
    ok(policy_answer(&policy, &request, now, &answer), "no answer");
    ok(answer.isolation == RESTRICTED, "state %d", answer.isolation);
    ok(request.entries[0].judged && request.entries[0].result == 0x80270007, "not judged so");
    ok(!request.entries[1].judged, "judged without a validator");
    ok(!memcmp(answer.data + 0x14, "\x00\x01", 2), "another header");
    ok(!memcmp(answer.data + answer.size - 21, "\x00\x02\x00\x04\x00\x01\x37\xf0\x00\x04\x00\x04\x80\x27\x00\x07"
            "\x00\x0e\x00\x01\x02", 21), "another last entry");

    context = "another vendor";
    policy_init(&policy);
    unhealthy[sizeof(unhealthy) - 3] ^= 0xff;
    ok(!decode_request(&request, unhealthy, sizeof(unhealthy)), "not a request");
    ok(policy_answer(&policy, &request, now, &answer), "no answer");
    ok(answer.isolation == NOT_RESTRICTED && !request.entries[0].judged, "judged without a validator");
    unhealthy[sizeof(unhealthy) - 3] ^= 0xff;

    context = "wrong answers";
    ok(!decode_request(&request, unhealthy, sizeof(unhealthy)), "not a request");
    policy_init(&policy);
    set(&policy, "mismatch");
    ok(policy_answer(&policy, &request, now, &answer), "no answer");
    ok(answer.data[0x20] == (0x54 ^ 0xff) && answer.data[0x4d] == (0x54 ^ 0xff), "the right correlation id");
    set(&policy, "truncated 100");
    ok(policy_answer(&policy, &request, now, &answer) && answer.size == 100, "%u bytes", (unsigned int)answer.size);
    set(&policy, "default");
    set(&policy, "raw 00ff7e");
    ok(policy_answer(&policy, &request, now, &answer), "no answer");
    ok(answer.size == 3 && !memcmp(answer.data, "\x00\xff\x7e", 3), "other bytes");
    set(&policy, "default");
    set(&policy, "no entries");
    set(&policy, "stranger");
    ok(policy_answer(&policy, &request, now, &answer), "no answer");
    ok(answer.data[answer.size - 9] == 0xff && answer.data[answer.size - 17] == 0, "another last entry");
    set(&policy, "no answer");
    ok(!policy_answer(&policy, &request, now, &answer), "an answer");

    context = "words";
    ok(policy_set(&policy, "fixup") != NULL, "taken");
    ok(policy_set(&policy, "fix") != NULL, "taken");
    ok(policy_set(&policy, "") != NULL, "taken");
    ok(policy_set(&policy, "raw 0") != NULL, "taken");
    ok(policy_set(&policy, "raw zz") != NULL, "taken");
    ok(policy_set(&policy, "probation soon") != NULL, "taken");
    ok(policy_set(&policy, "no idea") != NULL, "taken");
}

int main(void)
{
    decoding();
    faults();
    entry_faults();
    answering();
    printf("%u passed, %u failed\n", passed, failed);
    return failed ? 3 : 0;
}
