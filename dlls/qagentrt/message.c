/*
 * Whole messages: what a client sends a policy server, and what that answers
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

/* Each layer is a TLV: 2 bytes type, 2 bytes size of the value, value; all integers are big-endian.
 *
 *   vendor TLV, in it a TLV SOH_REQUEST or SOH_RESPONSE, the wrapper
 *     vendor TLV, in it a TLV SOH_PLAIN or SOH_WITH_MODE, the header
 *       vendor TLV with the mode, if the header says so
 *       TLV with the system's id
 *       vendor TLV with the system's values, of another kind: 1 byte type, value
 *       for each agent its report: TLV with the agent's id, then more up to the next id
 */

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "windef.h"
#include "winbase.h"

#include "naperror.h"
#include "napmicrosoftvendorids.h"
#include "naptypes.h"
#include "napprotocol.h"

#include "message.h"

#define TLV_HEADER_SIZE   4
#define TLV_TYPE_MASK     0x3fff
#define TLV_MANDATORY     0x8000

#define MODE_REQUEST      1
#define MODE_CONTENT      0

#define PACKET_VERSION    0x01
#define PACKET_REQUEST    0x10
#define PACKET_MASK       0x1f

#define STATE_MASK        0x07
#define STATE_FIXUP       0x08
#define STATE_EXTENDED(flags) ((flags) >> 4 & 0x0f)

enum soh_type
{
    SOH_REQUEST = 1,
    SOH_RESPONSE = 3,
};

enum header_type
{
    SOH_PLAIN = 1,
    SOH_WITH_MODE = 2,
};

enum system_type
{
    SYSTEM_INVENTORY = 1,
    SYSTEM_STATE,
    SYSTEM_PACKET,
    SYSTEM_GENERATED_IDS,
    SYSTEM_MACHINE_NAME,
    SYSTEM_CORRELATION_ID,
    SYSTEM_INSTALLED_SHVS,
    SYSTEM_INVENTORY_EX,
    SYSTEM_TYPES
};

#define CORRELATION_ID_SIZE 24

struct bytes
{
    const BYTE *data;
    UINT32 size;
};

static UINT16 get_be16(const BYTE *data)
{
    return data[0] << 8 | data[1];
}

static UINT32 get_be32(const BYTE *data)
{
    return (UINT32)get_be16(data) << 16 | get_be16(data + 2);
}

static void get_filetime(const BYTE *data, FILETIME *time)
{
    time->dwHighDateTime = get_be32(data);
    time->dwLowDateTime = get_be32(data + 4);
}

static void set_be16(BYTE *data, UINT16 value)
{
    data[0] = value >> 8;
    data[1] = value;
}

/* ---- writing ---- */

struct writer
{
    BYTE *data;     /* NULL: only the size is wanted */
    UINT32 size;
    UINT32 max_size;
    BOOL full;
};

static void put_bytes(struct writer *writer, const void *data, UINT32 size)
{
    if (size > writer->max_size - writer->size)
    {
        writer->full = TRUE;
        return;
    }
    if (writer->data && size) memcpy(writer->data + writer->size, data, size);
    writer->size += size;
}

static void put_byte(struct writer *writer, BYTE value)
{
    put_bytes(writer, &value, sizeof(value));
}

static void put_be16(struct writer *writer, UINT16 value)
{
    BYTE data[2];

    set_be16(data, value);
    put_bytes(writer, data, sizeof(data));
}

static void put_be32(struct writer *writer, UINT32 value)
{
    put_be16(writer, value >> 16);
    put_be16(writer, value);
}

static void put_filetime(struct writer *writer, const FILETIME *time)
{
    put_be32(writer, time->dwHighDateTime);
    put_be32(writer, time->dwLowDateTime);
}

/* A size whose bytes follow, up to close_size() */
static UINT32 open_size(struct writer *writer)
{
    put_be16(writer, 0);
    return writer->size;
}

static void close_size(struct writer *writer, UINT32 start)
{
    if (writer->data) set_be16(writer->data + start - 2, writer->size - start);
}

static UINT32 open_tlv(struct writer *writer, UINT16 type)
{
    put_be16(writer, type);
    return open_size(writer);
}

static UINT32 open_vendor_tlv(struct writer *writer)
{
    UINT32 start = open_tlv(writer, sohAttributeTypeVendorSpecific);

    put_be32(writer, MicrosoftVendorId);
    return start;
}

static void put_id_tlv(struct writer *writer, SystemHealthEntityId id)
{
    UINT32 start = open_tlv(writer, sohAttributeTypeSystemHealthId);

    put_be32(writer, id);
    close_size(writer, start);
}

static void put_string(struct writer *writer, const void *string, UINT16 length)
{
    UINT32 start = open_size(writer);

    put_bytes(writer, string, length);
    put_byte(writer, 0);
    close_size(writer, start);
}

static void put_correlation_id(struct writer *writer, const CorrelationId *id)
{
    put_be32(writer, id->connId.Data1);
    put_be16(writer, id->connId.Data2);
    put_be16(writer, id->connId.Data3);
    put_bytes(writer, id->connId.Data4, sizeof(id->connId.Data4));
    put_filetime(writer, &id->timeStamp);
}

static void put_generated_ids(struct writer *writer, const struct report *reports, UINT count)
{
    UINT32 start;
    UINT i;

    for (i = 0; i < count && !reports[i].generated; i++) /* nothing */;
    if (i == count) return;

    put_byte(writer, SYSTEM_GENERATED_IDS);
    start = open_size(writer);
    for (; i < count; i++) if (reports[i].generated) put_be32(writer, reports[i].id);
    close_size(writer, start);
}

static void put_system_values(struct writer *writer, const struct request *request, UINT count)
{
    const struct machine *machine = request->machine;

    put_byte(writer, SYSTEM_PACKET);
    put_byte(writer, PACKET_REQUEST | PACKET_VERSION);

    put_byte(writer, SYSTEM_INVENTORY);
    put_be32(writer, machine->os_major);
    put_be32(writer, machine->os_minor);
    put_be32(writer, machine->os_build);
    put_be16(writer, machine->sp_major);
    put_be16(writer, machine->sp_minor);
    put_be16(writer, machine->architecture);

    put_byte(writer, SYSTEM_MACHINE_NAME);
    put_string(writer, machine->name, strlen(machine->name));

    put_byte(writer, SYSTEM_CORRELATION_ID);
    put_correlation_id(writer, &request->correlation_id);

    put_byte(writer, SYSTEM_STATE);
    put_be16(writer, request->extended << 4 | (request->fixup ? STATE_FIXUP : 0) | request->state);
    put_filetime(writer, &request->probation_end);
    put_string(writer, request->url, request->url_length);

    put_generated_ids(writer, request->reports, count);

    put_byte(writer, SYSTEM_INVENTORY_EX);
    put_be32(writer, 0);
    put_byte(writer, machine->product_type);
}

/* Whether there is room for it with so many of its reports */
static BOOL put_request(struct writer *writer, const struct request *request, UINT count)
{
    UINT32 wrapper, soh, header, content, start;
    UINT i;

    wrapper = open_vendor_tlv(writer);
    soh = open_tlv(writer, SOH_REQUEST);
    header = open_vendor_tlv(writer);
    content = open_tlv(writer, SOH_WITH_MODE);

    start = open_vendor_tlv(writer);
    put_correlation_id(writer, &request->correlation_id);
    put_byte(writer, MODE_REQUEST);
    put_byte(writer, MODE_CONTENT);
    close_size(writer, start);

    put_id_tlv(writer, NapSystemId);
    start = open_vendor_tlv(writer);
    put_system_values(writer, request, count);
    close_size(writer, start);
    for (i = 0; i < count; i++) put_bytes(writer, request->reports[i].data, request->reports[i].size);

    close_size(writer, content);
    close_size(writer, header);
    close_size(writer, soh);
    close_size(writer, wrapper);
    return !writer->full;
}

/* What doesn't fit is left out, last reports first; a message with none of several is no use. */
HRESULT message_write_request(const struct request *request, UINT32 max_size, BYTE **out, UINT32 *size, UINT *written)
{
    UINT count = request->report_count;
    struct writer writer;

    *out = NULL;
    *size = *written = 0;

    for (;;)
    {
        memset(&writer, 0, sizeof(writer));
        writer.max_size = min(max_size, maxNetworkSoHSize);
        if (put_request(&writer, request, count)) break;
        if (count <= 1) return NAP_E_MAXSIZE_TOO_SMALL;
        count--;
    }

    if (!(writer.data = malloc(writer.size))) return E_OUTOFMEMORY;
    writer.max_size = writer.size;
    writer.size = 0;
    put_request(&writer, request, count);
    *out = writer.data;
    *size = writer.size;
    *written = count;
    return S_OK;
}

UINT32 message_write_failure(SystemHealthEntityId id, FailureCategory category, HRESULT error,
        BYTE out[MESSAGE_FAILURE_SIZE])
{
    struct writer writer = { out, 0, MESSAGE_FAILURE_SIZE };
    UINT32 start;

    put_id_tlv(&writer, id);
    start = open_tlv(&writer, sohAttributeTypeFailureCategory);
    put_byte(&writer, category);
    close_size(&writer, start);
    start = open_tlv(&writer, sohAttributeTypeErrorCodes);
    put_be32(&writer, error);
    close_size(&writer, start);
    return writer.size;
}

/* ---- reading ---- */

static BOOL take_bytes(struct bytes *bytes, UINT32 size, struct bytes *taken)
{
    if (size > bytes->size) return FALSE;
    taken->data = bytes->data;
    taken->size = size;
    bytes->data += size;
    bytes->size -= size;
    return TRUE;
}

/* The size, and so many bytes */
static BOOL take_sized(struct bytes *bytes, struct bytes *value)
{
    struct bytes size;

    return take_bytes(bytes, 2, &size) && take_bytes(bytes, get_be16(size.data), value);
}

struct tlv
{
    UINT16 type;
    BOOL mandatory;
    struct bytes value;
};

static BOOL take_tlv(struct bytes *bytes, struct tlv *tlv)
{
    struct bytes type;

    if (!take_bytes(bytes, 2, &type)) return FALSE;
    tlv->type = get_be16(type.data) & TLV_TYPE_MASK;
    tlv->mandatory = !!(get_be16(type.data) & TLV_MANDATORY);
    return take_sized(bytes, &tlv->value);
}

static BOOL take_vendor_tlv(struct bytes *bytes, struct bytes *value)
{
    struct bytes vendor;
    struct tlv tlv;

    if (!take_tlv(bytes, &tlv) || tlv.type != sohAttributeTypeVendorSpecific) return FALSE;
    *value = tlv.value;
    return take_bytes(value, sizeof(UINT32), &vendor) && get_be32(vendor.data) == MicrosoftVendorId;
}

/* Wrapper or header: both of its TLVs end where the bytes do. */
static BOOL unwrap(struct bytes *bytes, UINT16 *type)
{
    struct bytes value;
    struct tlv tlv;

    if (!take_vendor_tlv(bytes, &value) || bytes->size) return FALSE;
    if (!take_tlv(&value, &tlv) || value.size) return FALSE;
    *bytes = tlv.value;
    *type = tlv.type;
    return TRUE;
}

static void get_correlation_id(const BYTE *data, CorrelationId *id)
{
    id->connId.Data1 = get_be32(data);
    id->connId.Data2 = get_be16(data + 4);
    id->connId.Data3 = get_be16(data + 6);
    memcpy(id->connId.Data4, data + 8, sizeof(id->connId.Data4));
    get_filetime(data + 16, &id->timeStamp);
}

/* An attribute's size: a multiple of the unit within the limits */
struct attribute_size
{
    UINT16 unit, min, max;
};

static const struct attribute_size octet_string = { 1, 0, maxSoHAttributeSize };

static const struct attribute_size attribute_sizes[] =
{
    [sohAttributeTypeSystemHealthId] =
        { 4, 4, 4 },
    [sohAttributeTypeIpv4FixupServers] =
        { 4, 4, maxSoHAttributeSize },
    [sohAttributeTypeComplianceResultCodes] =
        { 4, 0, maxSoHAttributeSize },
    [sohAttributeTypeTimeOfLastUpdate] =
        { 8, 8, 8 },
    [sohAttributeTypeClientId] =
        { 1, 0, maxSoHAttributeSize },
    [sohAttributeTypeVendorSpecific] =
        { 1, 4, maxSoHAttributeSize },
    [sohAttributeTypeHealthClass] =
        { 1, 1, 1 },
    [sohAttributeTypeSoftwareVersion] =
        { 1, 0, maxSoHAttributeSize },
    [sohAttributeTypeProductName] =
        { 1, 0, maxSoHAttributeSize },
    [sohAttributeTypeHealthClassStatus] =
        { 1, 0, maxSoHAttributeSize },
    [sohAttributeTypeSoHGenerationTime] =
        { 8, 8, 8 },
    [sohAttributeTypeErrorCodes] =
        { 4, 0, maxSoHAttributeSize },
    [sohAttributeTypeFailureCategory] =
        { 1, 1, 1 },
    [sohAttributeTypeIpv6FixupServers] =
        { 16, 16, maxIpv6CountPerSoHAttribute * 16 },
    [sohAttributeTypeExtendedIsolationState] =
        { 1, 1, 1 },
};

static BOOL type_is_known(UINT16 type)
{
    return type < ARRAY_SIZE(attribute_sizes) && attribute_sizes[type].unit;
}

static BOOL size_is_valid(UINT16 type, UINT32 size)
{
    const struct attribute_size *rule = type_is_known(type) ? &attribute_sizes[type] : &octet_string;

    return size >= rule->min && size <= rule->max && !(size % rule->unit);
}

struct entry
{
    SystemHealthEntityId id;
    struct bytes bytes;
    UINT attributes, verdicts, fixup_servers;
    BOOL sizes_valid;
    BOOL unsupported;   /* it has an attribute that nobody is to ignore, and that we don't know */
};

static void count_attribute(struct entry *entry, const struct tlv *tlv)
{
    entry->attributes++;
    if (!size_is_valid(tlv->type, tlv->value.size)) entry->sizes_valid = FALSE;
    if (tlv->mandatory && !type_is_known(tlv->type)) entry->unsupported = TRUE;

    switch (tlv->type)
    {
    case sohAttributeTypeIpv4FixupServers:
    case sohAttributeTypeIpv6FixupServers:
        entry->fixup_servers++;
        break;
    case sohAttributeTypeComplianceResultCodes:
    case sohAttributeTypeFailureCategory:
        entry->verdicts++;
        break;
    }
}

/* An entry has no size of its own: it ends at the next id, or with the bytes. */
static BOOL take_entry(struct bytes *bytes, struct entry *entry)
{
    struct bytes rest = *bytes;
    struct tlv tlv;

    if (!take_tlv(&rest, &tlv) || tlv.type != sohAttributeTypeSystemHealthId) return FALSE;
    if (tlv.value.size != sizeof(entry->id)) return FALSE;
    memset(entry, 0, sizeof(*entry));
    entry->id = get_be32(tlv.value.data);
    entry->sizes_valid = TRUE;

    do
    {
        count_attribute(entry, &tlv);
        entry->bytes.data = bytes->data;
        entry->bytes.size = rest.data - bytes->data;
        if (!rest.size) break;
        if (!take_tlv(&rest, &tlv)) return FALSE;
    } while (tlv.type != sohAttributeTypeSystemHealthId);

    return take_bytes(bytes, entry->bytes.size, &entry->bytes);
}

static BOOL entry_is_valid(const struct entry *entry, BOOL is_request)
{
    if (!entry->sizes_valid || entry->attributes > maxSoHAttributeCount) return FALSE;
    return is_request || (entry->verdicts && entry->fixup_servers <= 1);
}

BOOL message_check_report(const BYTE *data, UINT32 size, SystemHealthEntityId id)
{
    struct bytes bytes = { data, size };
    struct entry entry;

    return take_entry(&bytes, &entry) && !bytes.size && entry.id == id && entry_is_valid(&entry, TRUE);
}

struct system_value
{
    struct bytes fixed; /* as many bytes as its type has */
    struct bytes sized; /* as many as a size before them says, after the fixed ones */
};

static const struct
{
    BYTE fixed;
    BYTE unit;  /* of the sized bytes; 0: the type has none */
} system_forms[SYSTEM_TYPES] =
{
    [SYSTEM_INVENTORY]      = { 18 },
    [SYSTEM_STATE]          = { 10, 1 },
    [SYSTEM_PACKET]         = { 1 },
    [SYSTEM_GENERATED_IDS]  = { 0, 4 },
    [SYSTEM_MACHINE_NAME]   = { 0, 1 },
    [SYSTEM_CORRELATION_ID] = { CORRELATION_ID_SIZE },
    [SYSTEM_INSTALLED_SHVS] = { 0, 4 },
    [SYSTEM_INVENTORY_EX]   = { 5 },
};

/* Each at most once, in any order. What follows one of an unknown type can't be read, since that has no size. */
static BOOL read_system_values(struct bytes *bytes, struct system_value values[SYSTEM_TYPES])
{
    struct system_value *value;
    struct bytes type;

    memset(values, 0, SYSTEM_TYPES * sizeof(*values));
    while (take_bytes(bytes, 1, &type))
    {
        if (!*type.data || *type.data >= SYSTEM_TYPES) return FALSE;
        value = &values[*type.data];
        if (value->fixed.data) return FALSE;
        if (!take_bytes(bytes, system_forms[*type.data].fixed, &value->fixed)) return FALSE;
        if (!system_forms[*type.data].unit) continue;
        if (!take_sized(bytes, &value->sized)) return FALSE;
        if (value->sized.size % system_forms[*type.data].unit) return FALSE;
    }
    return TRUE;
}

static BOOL read_state(const struct system_value *value, struct response *response)
{
    const BYTE *nul, *data = value->fixed.data;
    UINT16 flags;

    if (!data) return FALSE;
    flags = get_be16(data);
    response->state = flags & STATE_MASK;
    if (response->state < isolationStateNotRestricted || response->state > isolationStateRestrictedAccess) return FALSE;
    response->extended = min(STATE_EXTENDED(flags), extendedIsolationStateUnknown);
    response->fixup = !!(flags & STATE_FIXUP);
    get_filetime(data + 2, &response->probation_end);

    response->url = value->sized.data;
    nul = memchr(value->sized.data, 0, value->sized.size);
    response->url_length = nul ? nul - value->sized.data : value->sized.size;
    return response->url_length <= maxStringLength;
}

static BOOL read_installed_shvs(const struct system_value *value, struct response *response)
{
    UINT i;

    response->shv_count = value->sized.size / sizeof(*response->shvs);
    if (response->shv_count > ARRAY_SIZE(response->shvs)) return FALSE;
    for (i = 0; i < response->shv_count; i++)
        response->shvs[i] = get_be32(value->sized.data + i * sizeof(*response->shvs));
    return TRUE;
}

/* The system's own entry; id gets its correlation id. */
static BOOL read_system(struct bytes *bytes, const BYTE **id, struct response *response)
{
    struct system_value values[SYSTEM_TYPES];
    const BYTE **packet = &values[SYSTEM_PACKET].fixed.data;
    struct bytes vendor_value;
    struct entry entry;
    struct tlv tlv;

    if (!take_entry(bytes, &entry) || entry.id != NapSystemId || entry.unsupported) return FALSE;
    if (!take_tlv(&entry.bytes, &tlv) || !take_vendor_tlv(&entry.bytes, &vendor_value)) return FALSE;
    if (!read_system_values(&vendor_value, values)) return FALSE;

    if (!*packet || (**packet & PACKET_MASK) != PACKET_VERSION) return FALSE;
    if (!(*id = values[SYSTEM_CORRELATION_ID].fixed.data)) return FALSE;
    get_correlation_id(*id, &response->correlation_id);
    return read_state(&values[SYSTEM_STATE], response)
            && read_installed_shvs(&values[SYSTEM_INSTALLED_SHVS], response);
}

/* Two entries of one agent would be two verdicts, and more entries than there can be agents are none of ours. */
static BOOL add_report(struct response *response, const struct entry *entry)
{
    struct report *report;
    UINT i;

    if (entry->unsupported || entry->id == NapSystemId) return FALSE;
    if (response->report_count == ARRAY_SIZE(response->reports)) return FALSE;
    for (i = 0; i < response->report_count; i++) if (response->reports[i].id == entry->id) return FALSE;

    report = &response->reports[response->report_count++];
    report->id = entry->id;
    report->data = entry->bytes.data;
    report->size = entry->bytes.size;
    report->valid = entry_is_valid(entry, FALSE);
    return TRUE;
}

/* The intent is of no use: nobody says what a response has there. */
static BOOL read_mode(struct bytes *bytes, const BYTE **id)
{
    struct bytes mode, taken;

    if (!take_vendor_tlv(bytes, &mode) || !take_bytes(&mode, CORRELATION_ID_SIZE, &taken)) return FALSE;
    *id = taken.data;
    return take_bytes(&mode, 2, &taken) && taken.data[1] == MODE_CONTENT && !mode.size;
}

static HRESULT read_response(struct bytes *bytes, struct response *response)
{
    const BYTE *mode_id = NULL, *id;
    struct entry entry;
    UINT16 type;

    if (!unwrap(bytes, &type)) return NAP_E_INVALID_PACKET;
    if (type == SOH_RESPONSE && !unwrap(bytes, &type)) return NAP_E_INVALID_PACKET;
    if (type != SOH_PLAIN && type != SOH_WITH_MODE) return NAP_E_INVALID_PACKET;
    if (type == SOH_WITH_MODE && !read_mode(bytes, &mode_id)) return NAP_E_INVALID_PACKET;
    if (!read_system(bytes, &id, response)) return NAP_E_INVALID_PACKET;
    while (bytes->size)
        if (!take_entry(bytes, &entry) || !add_report(response, &entry)) return NAP_E_INVALID_PACKET;

    /* One of the two is another request's. */
    return mode_id && memcmp(mode_id, id, CORRELATION_ID_SIZE) ? NAP_E_MISMATCHED_ID : S_OK;
}

/* A report that isn't valid is its agent's matter alone. What is in response means nothing after NAP_E_INVALID_PACKET. */
HRESULT message_read_response(const BYTE *data, UINT32 size, struct response *response)
{
    struct bytes bytes = { data, size };

    memset(response, 0, sizeof(*response));
    return size <= maxNetworkSoHSize ? read_response(&bytes, response) : NAP_E_INVALID_PACKET;
}

/* The first of that type in a report of a response, or NULL */
const BYTE *message_find_attribute(const struct report *report, UINT16 type, UINT32 *size)
{
    struct bytes bytes = { report->data, report->size };
    struct tlv tlv;

    while (take_tlv(&bytes, &tlv))
    {
        if (tlv.type != type) continue;
        *size = tlv.value.size;
        return tlv.value.data;
    }
    return NULL;
}
