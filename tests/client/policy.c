/*
 * Example client: a policy server's answers to statements of health
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


/* Reads what an agent sends and writes what a server would answer, from the published formats alone. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "policy.h"

#define MICROSOFT_SMI 0x00000137
#define NAP_SYSTEM_ID 0x00013700

#define HEADER_SIZE 12
#define MODE_VALUE_SIZE 30

#define RESULT_COMPLIANT     0x00000000
#define RESULT_NOT_PATCHED   0x80270050
#define RESULT_MISSING_SOH   0x80270002

enum attribute_type
{
    ATTRIBUTE_SYSTEM_HEALTH_ID = 2,
    ATTRIBUTE_COMPLIANCE_RESULT_CODES = 4,
    ATTRIBUTE_VENDOR_SPECIFIC = 7,
    ATTRIBUTE_ERROR_CODES = 13,
    ATTRIBUTE_FAILURE_CATEGORY = 14,
};

enum value_type
{
    VALUE_MACHINE_INVENTORY = 1,
    VALUE_QUARANTINE_STATE,
    VALUE_PACKET_INFO,
    VALUE_SYSTEM_GENERATED_IDS,
    VALUE_MACHINE_NAME,
    VALUE_CORRELATION_ID,
    VALUE_INSTALLED_SHVS,
    VALUE_MACHINE_INVENTORY_EX,
};

enum wrapper_type
{
    WRAPPER_REQUEST = 1,
    WRAPPER_RESPONSE = 3,
};

enum inner_type
{
    INNER_PLAIN = 1,
    INNER_WITH_MODE,
};

/* What is left to be read. Reading beyond the end gives zeros, and is remembered. */
struct reader
{
    const uint8_t *data;
    size_t size;
    int short_of;
};

static const uint8_t *take(struct reader *reader, size_t size)
{
    const uint8_t *data = reader->data;

    if (reader->size < size)
    {
        reader->short_of = 1;
        reader->size = 0;
        return NULL;
    }
    reader->data += size;
    reader->size -= size;
    return data;
}

static uint64_t take_number(struct reader *reader, size_t size)
{
    const uint8_t *data = take(reader, size);
    uint64_t number = 0;

    while (data && size--) number = number << 8 | *data++;
    return number;
}

/* A part of what is left, by itself */
static struct reader take_part(struct reader *reader, size_t size)
{
    struct reader part = { NULL, 0, 0 };

    if ((part.data = take(reader, size))) part.size = size;
    return part;
}

static uint32_t number_at(const uint8_t *data)
{
    return (uint32_t)data[0] << 24 | data[1] << 16 | data[2] << 8 | data[3];
}

/* The headers are vendor attributes with an attribute as their value. */
static int is_header(const uint8_t *data, size_t size)
{
    return size >= HEADER_SIZE && data[0] == 0 && data[1] == ATTRIBUTE_VENDOR_SPECIFIC &&
            (size_t)(data[2] << 8 | data[3]) == size - 4 && number_at(data + 4) == MICROSOFT_SMI &&
            (size_t)(data[10] << 8 | data[11]) == size - HEADER_SIZE;
}

static const char *decode_mode(struct request *request, struct reader *reader)
{
    struct reader mode;

    if (take_number(reader, 2) != ATTRIBUTE_VENDOR_SPECIFIC || take_number(reader, 2) != MODE_VALUE_SIZE)
        return "no mode sub-header, or of a wrong size";
    mode = take_part(reader, MODE_VALUE_SIZE);
    if (take_number(&mode, 4) != MICROSOFT_SMI) return "the mode sub-header is of another vendor";
    request->correlation_id = take(&mode, CORRELATION_ID_SIZE);
    if (take_number(&mode, 1) != 1) return "the intent is not a request";
    if (take_number(&mode, 1)) return "the content is of an unknown type";
    return mode.short_of ? "the mode sub-header is cut off" : NULL;
}

static const char *decode_inventory(struct request *request, struct reader *reader)
{
    request->os_major = take_number(reader, 4);
    request->os_minor = take_number(reader, 4);
    request->os_build = take_number(reader, 4);
    take_number(reader, 4);
    request->architecture = take_number(reader, 2);
    return NULL;
}

static const char *decode_text(struct reader *reader, const char **text)
{
    size_t size = take_number(reader, 2);
    const uint8_t *data = take(reader, size);

    if (!data || !size || memchr(data, 0, size) != data + size - 1) return "a text doesn't end with its only NUL";
    *text = (const char *)data;
    return NULL;
}

static const char *decode_quarantine_state(struct request *request, struct reader *reader)
{
    unsigned int flags = take_number(reader, 2), state = flags & 7;
    const char *url;

    take_number(reader, 8);
    if (flags >> 8) return "reserved bits of the isolation state are set";
    if (state < NOT_RESTRICTED || state > RESTRICTED) return "an isolation state that doesn't exist";
    return decode_text(reader, &url);
}

static const char *decode_packet_info(struct request *request, struct reader *reader)
{
    return take_number(reader, 1) == 0x11 ? NULL : "the packet information is not a request's of version 1";
}

/* The entries come later, so that this only makes them known. */
static const char *decode_generated_ids(struct request *request, struct reader *reader)
{
    size_t size = take_number(reader, 2), i;
    struct reader ids = take_part(reader, size);

    if (size % 4) return "a list of ids with a part of one";
    if (size / 4 > MAX_ENTRIES) return "more ids than there can be entries";
    for (i = 0; i < size / 4; i++)
    {
        request->entries[i].id = take_number(&ids, 4);
        request->entries[i].made_by_agent = 1;
    }
    return NULL;
}

static const char *decode_machine_name(struct request *request, struct reader *reader)
{
    return decode_text(reader, &request->machine_name);
}

static const char *decode_correlation_id(struct request *request, struct reader *reader)
{
    const uint8_t *id = take(reader, CORRELATION_ID_SIZE);

    if (id && request->correlation_id && memcmp(id, request->correlation_id, CORRELATION_ID_SIZE))
        return "two correlation ids that differ";
    request->correlation_id = id;
    return NULL;
}

static const char *decode_installed_shvs(struct request *request, struct reader *reader)
{
    size_t size = take_number(reader, 2);

    take(reader, size);
    return size % 4 ? "a list of ids with a part of one" : NULL;
}

static const char *decode_inventory_ex(struct request *request, struct reader *reader)
{
    take_number(reader, 4);
    request->product_type = take_number(reader, 1);
    return NULL;
}

static const char *(* const decode_value[])(struct request *request, struct reader *reader) =
{
    [VALUE_MACHINE_INVENTORY] = decode_inventory,
    [VALUE_QUARANTINE_STATE] = decode_quarantine_state,
    [VALUE_PACKET_INFO] = decode_packet_info,
    [VALUE_SYSTEM_GENERATED_IDS] = decode_generated_ids,
    [VALUE_MACHINE_NAME] = decode_machine_name,
    [VALUE_CORRELATION_ID] = decode_correlation_id,
    [VALUE_INSTALLED_SHVS] = decode_installed_shvs,
    [VALUE_MACHINE_INVENTORY_EX] = decode_inventory_ex,
};

static const char *decode_system(struct request *request, struct reader *reader)
{
    struct reader values;
    const char *fault;
    unsigned int type;

    if (take_number(reader, 2) != ATTRIBUTE_SYSTEM_HEALTH_ID || take_number(reader, 2) != 4 ||
            take_number(reader, 4) != NAP_SYSTEM_ID)
        return "the system's own entry is not the first";
    if (take_number(reader, 2) != ATTRIBUTE_VENDOR_SPECIFIC) return "the system's own entry has no values";
    values = take_part(reader, take_number(reader, 2));
    if (reader->short_of) return "the system's own entry is cut off";
    if (take_number(&values, 4) != MICROSOFT_SMI) return "the system's own values are of another vendor";

    while (values.size)
    {
        type = take_number(&values, 1);
        if (type >= sizeof(decode_value) / sizeof(decode_value[0]) || !decode_value[type])
            return "a value of an unknown type";
        if (memchr(request->values, type, request->value_count)) return "a value that is there twice";
        request->values[request->value_count++] = type;
        fault = decode_value[type](request, &values);
        if (values.short_of) return "a value is cut off";
        if (fault) return fault;
    }
    if (values.short_of) return "the system's own values are cut off";
    if (!memchr(request->values, VALUE_PACKET_INFO, request->value_count)) return "no packet information";
    if (!memchr(request->values, VALUE_CORRELATION_ID, request->value_count)) return "no correlation id";
    return NULL;
}

static const char *decode_attribute(struct entry *entry, unsigned int type, struct reader *value)
{
    entry->attributes++;
    switch (type)
    {
        case ATTRIBUTE_VENDOR_SPECIFIC:
            entry->vendor = take_number(value, 4);
            entry->vendor_data = value->data;
            entry->vendor_data_size = value->size;
            break;
        case ATTRIBUTE_ERROR_CODES:
            if (value->size % 4) return "a list of codes with a part of one";
            entry->error_code = take_number(value, 4);
            break;
        case ATTRIBUTE_FAILURE_CATEGORY:
            if (value->size != 1) return "a failure category of a wrong size";
            entry->failure_category = take_number(value, 1);
            break;
    }
    return value->short_of ? "an attribute is too short" : NULL;
}

static const char *decode_entries(struct request *request, struct reader *reader)
{
    uint32_t generated[MAX_ENTRIES], id;
    unsigned int i, generated_count = 0, type;
    struct entry *entry = NULL;
    struct reader value;
    const char *fault;

    for (i = 0; i < MAX_ENTRIES && request->entries[i].made_by_agent; i++)
        generated[generated_count++] = request->entries[i].id;
    memset(request->entries, 0, sizeof(request->entries));

    while (reader->size)
    {
        type = take_number(reader, 2) & 0x3fff;
        value = take_part(reader, take_number(reader, 2));
        if (reader->short_of) return "an attribute is cut off";
        if (type != ATTRIBUTE_SYSTEM_HEALTH_ID)
        {
            if (!entry) return "an attribute that is no agent's";
            if ((fault = decode_attribute(entry, type, &value))) return fault;
            continue;
        }
        if (value.size != 4) return "a system health id of a wrong size";
        if (request->entry_count == MAX_ENTRIES) return "too many entries";
        id = take_number(&value, 4);
        for (i = 0; i < request->entry_count; i++)
            if (request->entries[i].id == id) return "two entries of one agent";
        entry = &request->entries[request->entry_count++];
        entry->id = id;
        entry->failure_category = -1;
        entry->attributes = 1;
    }
    if (reader->short_of) return "an attribute is cut off";

    while (generated_count--)
    {
        for (i = 0; i < request->entry_count; i++)
            if (request->entries[i].id == generated[generated_count]) break;
        if (i == request->entry_count) return "the agent is to have made an entry that isn't there";
        request->entries[i].made_by_agent = 1;
    }
    return NULL;
}

const char *decode_request(struct request *request, const uint8_t *data, size_t size)
{
    struct reader reader = { data, size, 0 };
    const char *fault;

    memset(request, 0, sizeof(*request));
    if (size > MAX_MESSAGE_SIZE) return "larger than a message may be";
    if (!is_header(data, size)) return "no header, or with wrong lengths";
    if (is_header(data + HEADER_SIZE, size - HEADER_SIZE))
    {
        request->wrapped = 1;
        if ((data[8] << 8 | data[9]) != WRAPPER_REQUEST) return "the wrapper is not a request's";
        take(&reader, HEADER_SIZE);
    }
    request->inner_type = reader.data[8] << 8 | reader.data[9];
    take(&reader, HEADER_SIZE);

    if (request->inner_type != INNER_PLAIN && request->inner_type != INNER_WITH_MODE)
        return "the header is of an unknown type";
    if (request->inner_type == INNER_WITH_MODE && (fault = decode_mode(request, &reader))) return fault;
    if ((fault = decode_system(request, &reader))) return fault;
    return decode_entries(request, &reader);
}

/*
 * The policy itself
 */

void policy_init(struct policy *policy)
{
    memset(policy, 0, sizeof(*policy));
}

/* What this policy's validators know: the sample's two bytes, from whichever agent. */
static void judge(struct entry *entry)
{
    static const uint8_t healthy[] = { 0xaa, 0xaa }, unhealthy[] = { 0xba, 0xad };

    entry->judged = 1;
    if (entry->failure_category >= 0)
        entry->result = entry->error_code ? entry->error_code : RESULT_MISSING_SOH;
    else if (!entry->vendor_data || entry->vendor != entry->id || entry->vendor_data_size != sizeof(healthy))
        entry->judged = 0;
    else if (!memcmp(entry->vendor_data, healthy, sizeof(healthy)))
        entry->result = RESULT_COMPLIANT;
    else if (!memcmp(entry->vendor_data, unhealthy, sizeof(unhealthy)))
        entry->result = RESULT_NOT_PATCHED;
    else
        entry->judged = 0;
}

/* No answer comes near to the size that there is room for. */
static void put_number(struct answer *answer, uint64_t number, size_t size)
{
    while (size--) answer->data[answer->size++] = number >> 8 * size;
}

static void put_bytes(struct answer *answer, const void *data, size_t size)
{
    memcpy(answer->data + answer->size, data, size);
    answer->size += size;
}

static void put_attribute(struct answer *answer, unsigned int type, uint64_t number, size_t size)
{
    put_number(answer, type, 2);
    put_number(answer, size, 2);
    put_number(answer, number, size);
}

/* A header's lengths are known at the end. Returns where the header is. */
static size_t begin_header(struct answer *answer, unsigned int type)
{
    size_t start = answer->size;

    put_number(answer, ATTRIBUTE_VENDOR_SPECIFIC, 2);
    put_number(answer, 0, 2);
    put_number(answer, MICROSOFT_SMI, 4);
    put_number(answer, type, 2);
    put_number(answer, 0, 2);
    return start;
}

static void end_length(struct answer *answer, size_t at)
{
    size_t length = answer->size - at - 2;

    answer->data[at] = length >> 8;
    answer->data[at + 1] = length;
}

static void end_header(struct answer *answer, size_t start)
{
    end_length(answer, start + 2);
    end_length(answer, start + 10);
}

static void put_system(const struct policy *policy, struct answer *answer, const uint8_t *correlation_id)
{
    size_t url_size = strlen(policy->url) + 1, length;
    unsigned int i, flags = policy->extended_state << 4 | answer->isolation;
    int restricted = answer->isolation != NOT_RESTRICTED;

    if (restricted && policy->fixup) flags |= 8;

    put_attribute(answer, ATTRIBUTE_SYSTEM_HEALTH_ID, NAP_SYSTEM_ID, 4);
    put_number(answer, ATTRIBUTE_VENDOR_SPECIFIC, 2);
    length = answer->size;
    put_number(answer, 0, 2);
    put_number(answer, MICROSOFT_SMI, 4);
    put_number(answer, VALUE_PACKET_INFO, 1);
    put_number(answer, 0x01, 1);
    put_number(answer, VALUE_CORRELATION_ID, 1);
    put_bytes(answer, correlation_id, CORRELATION_ID_SIZE);
    put_number(answer, VALUE_QUARANTINE_STATE, 1);
    put_number(answer, flags, 2);
    put_number(answer, answer->probation_end, 8);
    put_number(answer, restricted ? url_size : 1, 2);
    put_bytes(answer, restricted ? policy->url : "", restricted ? url_size : 1);
    if (policy->validator_count)
    {
        put_number(answer, VALUE_INSTALLED_SHVS, 1);
        put_number(answer, policy->validator_count * 4, 2);
        for (i = 0; i < policy->validator_count; i++) put_number(answer, policy->validators[i], 4);
    }
    end_length(answer, length);
}

static void put_entry(struct answer *answer, uint32_t id, uint32_t result, int failure_category)
{
    put_attribute(answer, ATTRIBUTE_SYSTEM_HEALTH_ID, id, 4);
    put_attribute(answer, ATTRIBUTE_COMPLIANCE_RESULT_CODES, result, 4);
    if (failure_category >= 0) put_attribute(answer, ATTRIBUTE_FAILURE_CATEGORY, failure_category, 1);
}

static void put_message(const struct policy *policy, const struct request *request, struct answer *answer)
{
    uint8_t correlation_id[CORRELATION_ID_SIZE];
    size_t wrapper = 0, header;
    unsigned int i;

    memcpy(correlation_id, request->correlation_id, sizeof(correlation_id));
    if (policy->mismatch) correlation_id[0] ^= 0xff;

    if (!policy->no_wrapper) wrapper = begin_header(answer, WRAPPER_RESPONSE);
    header = begin_header(answer, request->inner_type);
    if (request->inner_type == INNER_WITH_MODE)
    {
        put_number(answer, ATTRIBUTE_VENDOR_SPECIFIC, 2);
        put_number(answer, MODE_VALUE_SIZE, 2);
        put_number(answer, MICROSOFT_SMI, 4);
        put_bytes(answer, correlation_id, sizeof(correlation_id));
        put_number(answer, 2, 1);
        put_number(answer, 0, 1);
    }
    put_system(policy, answer, correlation_id);
    for (i = 0; i < request->entry_count && !policy->no_entries; i++)
        if (request->entries[i].judged)
            put_entry(answer, request->entries[i].id, request->entries[i].result, request->entries[i].failure_category);
    if (policy->stranger) put_entry(answer, 0x000137ff, RESULT_NOT_PATCHED, -1);
    end_header(answer, header);
    if (!policy->no_wrapper) end_header(answer, wrapper);
}

int policy_answer(const struct policy *policy, struct request *request, uint64_t now, struct answer *answer)
{
    unsigned int i;

    memset(answer, 0, sizeof(*answer));
    answer->isolation = NOT_RESTRICTED;
    answer->probation_end = NO_PROBATION_END;
    for (i = 0; i < request->entry_count; i++)
    {
        judge(&request->entries[i]);
        if (request->entries[i].judged && request->entries[i].result != RESULT_COMPLIANT)
            answer->isolation = policy->probation ? IN_PROBATION : RESTRICTED;
    }
    if (answer->isolation == IN_PROBATION) answer->probation_end = now + policy->probation * (uint64_t)10000000;

    if (policy->no_answer) return 0;
    if (policy->is_raw) put_bytes(answer, policy->raw, policy->raw_size);
    else put_message(policy, request, answer);
    if (policy->truncate && policy->truncate < answer->size) answer->size = policy->truncate;
    return 1;
}

/*
 * Its user's words
 */

const char policy_usage[] = "default, extended 0..3, fixup on|off, mismatch, no answer|entries|wrapper, "
    "probation SECONDS, raw HEX, shvs ID..., stranger, truncated SIZE, url TEXT";

static int read_number(const char *words, unsigned int max, unsigned int *number)
{
    char *end;
    unsigned long value = strtoul(words, &end, 0);

    if (end == words || *end || value > max) return 0;
    *number = value;
    return 1;
}

static const char *set_fixup(struct policy *policy, const char *words)
{
    if (strcmp(words, "on") && strcmp(words, "off")) return "on or off?";
    policy->fixup = !strcmp(words, "on");
    return NULL;
}

static const char *set_probation(struct policy *policy, const char *words)
{
    return read_number(words, 86400, &policy->probation) ? NULL : "how many seconds?";
}

static const char *set_url(struct policy *policy, const char *words)
{
    if (strlen(words) >= sizeof(policy->url)) return "too long";
    strcpy(policy->url, words);
    return NULL;
}

static const char *set_extended(struct policy *policy, const char *words)
{
    return read_number(words, 15, &policy->extended_state) ? NULL : "which state?";
}

static const char *set_shvs(struct policy *policy, const char *words)
{
    char *end;

    policy->validator_count = 0;
    for (; *words; words = end)
    {
        if (policy->validator_count == MAX_ENTRIES) return "too many";
        policy->validators[policy->validator_count] = strtoul(words, &end, 0);
        if (end == words) return "which ids?";
        policy->validator_count++;
        while (*end == ' ') end++;
    }
    return NULL;
}

static const char *set_mismatch(struct policy *policy, const char *words)
{
    policy->mismatch = 1;
    return *words ? "it takes nothing" : NULL;
}

static const char *set_stranger(struct policy *policy, const char *words)
{
    policy->stranger = 1;
    return *words ? "it takes nothing" : NULL;
}

static const char *set_truncated(struct policy *policy, const char *words)
{
    unsigned int size;

    if (!read_number(words, MAX_MESSAGE_SIZE, &size)) return "to which size?";
    policy->truncate = size;
    return NULL;
}

static const char *set_raw(struct policy *policy, const char *words)
{
    unsigned int byte;

    policy->is_raw = 1;
    for (policy->raw_size = 0; *words; words += 2)
    {
        if (policy->raw_size == sizeof(policy->raw)) return "too long";
        if (!words[1] || sscanf(words, "%2x", &byte) != 1) return "no hexadecimal digits";
        policy->raw[policy->raw_size++] = byte;
    }
    return NULL;
}

static const char *set_no(struct policy *policy, const char *words)
{
    if (!strcmp(words, "answer")) policy->no_answer = 1;
    else if (!strcmp(words, "entries")) policy->no_entries = 1;
    else if (!strcmp(words, "wrapper")) policy->no_wrapper = 1;
    else return "no what?";
    return NULL;
}

static const char *set_default(struct policy *policy, const char *words)
{
    policy_init(policy);
    return *words ? "it takes nothing" : NULL;
}

static const struct
{
    const char *word;
    const char *(*set)(struct policy *policy, const char *words);
}
settings[] =
{
    { "default", set_default },
    { "extended", set_extended },
    { "fixup", set_fixup },
    { "mismatch", set_mismatch },
    { "no", set_no },
    { "probation", set_probation },
    { "raw", set_raw },
    { "shvs", set_shvs },
    { "stranger", set_stranger },
    { "truncated", set_truncated },
    { "url", set_url },
};

const char *policy_set(struct policy *policy, const char *words)
{
    size_t i, length = strcspn(words, " ");
    const char *arguments = words + length + strspn(words + length, " ");

    for (i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
        if (strlen(settings[i].word) == length && !memcmp(words, settings[i].word, length))
            return settings[i].set(policy, arguments);
    return "no such setting";
}
