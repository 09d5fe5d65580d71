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


#ifndef POLICY_H
#define POLICY_H

#include <stddef.h>
#include <stdint.h>

#define MAX_MESSAGE_SIZE 4000
#define MAX_ENTRIES 20
#define CORRELATION_ID_SIZE 24

enum isolation
{
    NOT_RESTRICTED = 1,
    IN_PROBATION,
    RESTRICTED
};

#define NO_PROBATION_END UINT64_MAX

/* What one system health agent says, or what the NAP agent says in its place. Pointers are into the request. */
struct entry
{
    uint32_t id;
    uint32_t vendor;             /* of the last vendor-specific attribute */
    const uint8_t *vendor_data;  /* NULL: there is none */
    size_t vendor_data_size;
    int failure_category;        /* -1: there is none */
    uint32_t error_code;
    unsigned int attributes;
    int made_by_agent;           /* the request says so */

    int judged;                  /* there is a validator for it */
    uint32_t result;             /* and this is what it says, an HRESULT */
};

struct request
{
    int wrapped;
    unsigned int inner_type;
    const uint8_t *correlation_id;
    uint32_t os_major, os_minor, os_build;
    unsigned int architecture;
    unsigned int product_type;
    const char *machine_name;    /* NULL: there is none */
    uint8_t values[16];          /* types of the system's values, in their order */
    unsigned int value_count;
    struct entry entries[MAX_ENTRIES];
    unsigned int entry_count;
};

struct policy
{
    int fixup;
    unsigned int probation;      /* seconds; 0: what is not compliant is restricted */
    unsigned int extended_state;
    char url[256];
    uint32_t validators[MAX_ENTRIES];
    unsigned int validator_count;

    /* The ways to answer wrongly, or not at all */
    int no_answer, no_entries, no_wrapper, mismatch, stranger;
    size_t truncate;             /* to so many bytes; 0: not at all */
    uint8_t raw[MAX_MESSAGE_SIZE];
    size_t raw_size;
    int is_raw;
};

struct answer
{
    enum isolation isolation;
    uint64_t probation_end;
    uint8_t data[MAX_MESSAGE_SIZE];
    size_t size;
};

/* NULL, or what is wrong with the request */
const char *decode_request(struct request *request, const uint8_t *data, size_t size);

void policy_init(struct policy *policy);

/* Changes a policy by words of the user. NULL, or what is wrong with them */
const char *policy_set(struct policy *policy, const char *words);
extern const char policy_usage[];

/* Judges each entry of the request. Now is a FILETIME in one number. Returns whether there is an answer. */
int policy_answer(const struct policy *policy, struct request *request, uint64_t now, struct answer *answer);

#endif
