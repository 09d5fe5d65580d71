/*
 * What the fuzzer's harnesses have in common: their input, memory, and the attributes' published sizes
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


/* What a caller may pass where nothing is to be read. */
#define UNREADABLE ((void *)1)

#define require(condition) ((condition) ? (void)0 : violated(__FILE__, __LINE__, #condition))

static void violated(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, condition);
    abort();
}

struct input
{
    const BYTE *data;
    size_t size;
};

/* ---- memory ---- */

static UINT heap_blocks;                /* allocated and not yet freed */
static UINT fail_at;                    /* the input's choice */
static UINT countdown;
static BOOL has_failed;

static void *alloc_block(size_t size, UINT *blocks)
{
    void *block;

    if (countdown && !--countdown)
    {
        has_failed = TRUE;
        return NULL;
    }
    require((block = malloc(size)));
    ++*blocks;
    return block;
}

static void free_block(void *block, UINT *blocks)
{
    if (!block) return;
    require(*blocks);
    --*blocks;
    free(block);
}

/* What is fuzzed is compiled with these two for malloc() and free(). */
extern void *heap_alloc(size_t size);
extern void heap_free(void *block);

void *heap_alloc(size_t size)
{
    return alloc_block(size, &heap_blocks);
}

void heap_free(void *block)
{
    free_block(block, &heap_blocks);
}

static void start_failing(void)
{
    countdown = fail_at;
    has_failed = FALSE;
}

static BOOL stop_failing(void)
{
    countdown = 0;
    return has_failed;
}

/* ---- reading the input ---- */

static void get_bytes(struct input *input, void *dst, size_t size)
{
    size_t i, present = min(size, input->size);

    for (i = 0; i < present; i++) ((BYTE *)dst)[i] = input->data[i];
    for (; i < size; i++) ((BYTE *)dst)[i] = i;
    input->data += present;
    input->size -= present;
}

static UINT get_integer(struct input *input, UINT size)
{
    UINT value = 0;

    for (; size; size--)
    {
        value <<= 8;
        if (!input->size) continue;
        value |= *input->data++;
        input->size--;
    }
    return value;
}

/* ---- what is expected ---- */

static UINT32 be32(const BYTE *bytes)
{
    return (UINT32)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
}

static BOOL same(const void *a, const void *b, size_t size)
{
    return !size || !memcmp(a, b, size);
}

/* The published sizes and limits, which what is fuzzed has for itself in another form */
struct rule
{
    UINT integer, element, min_count, max_count;
};

static struct rule get_rule(UINT type)
{
    static const struct rule id = {4}, date_time = {8}, byte = {1}, ipv4 = {0, 4, 1, 1000}, ipv6 = {0, 16, 1, 250},
            codes = {0, 4, 0, 1000}, vendor_specific = {4, 1, 0, 3996}, octet_string = {0, 1, 0, 4000};

    switch (type)
    {
    case sohAttributeTypeSystemHealthId:
        return id;
    case sohAttributeTypeIpv4FixupServers:
        return ipv4;
    case sohAttributeTypeIpv6FixupServers:
        return ipv6;
    case sohAttributeTypeComplianceResultCodes:
    case sohAttributeTypeErrorCodes:
        return codes;
    case sohAttributeTypeTimeOfLastUpdate:
    case sohAttributeTypeSoHGenerationTime:
        return date_time;
    case sohAttributeTypeVendorSpecific:
        return vendor_specific;
    case sohAttributeTypeHealthClass:
    case sohAttributeTypeFailureCategory:
    case sohAttributeTypeExtendedIsolationState:
        return byte;
    default:
        return octet_string;
    }
}

static BOOL expect_size(UINT type, UINT size)
{
    struct rule rule = get_rule(type);
    UINT count;

    if (size < rule.integer) return FALSE;
    count = rule.element ? (size - rule.integer) / rule.element : 0;
    return size == rule.integer + count * rule.element && count >= rule.min_count && count <= rule.max_count;
}
