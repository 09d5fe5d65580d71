/*
 * Feeds files to the fuzzer's harness, without the fuzzer
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

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In a block of just its size, so that reading beyond it is seen */
static uint8_t *read_file(const char *name, size_t *size)
{
    static uint8_t buffer[65536];
    uint8_t *data;
    FILE *file;

    if (!(file = fopen(name, "rb"))) return NULL;
    *size = fread(buffer, 1, sizeof(buffer), file);
    fclose(file);
    if ((data = malloc(*size))) memcpy(data, buffer, *size);
    return data;
}

int main(int argc, char **argv)
{
    uint8_t *data;
    size_t size;
    int i;

    for (i = 1; i < argc; i++)
    {
        if (!(data = read_file(argv[i], &size)))
        {
            fprintf(stderr, "replay: %s can't be read\n", argv[i]);
            return 2;
        }
        LLVMFuzzerTestOneInput(data, size);
        free(data);
    }
    return 0;
}
