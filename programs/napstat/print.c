/*
 * Text for a person and JSON for a program, from the same calls
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

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "napstat.h"

#define LABEL_WIDTH 22
#define MAX_DEPTH 8

static WCHAR *buffer;
static size_t length, capacity;
static BOOL as_json;

/* What is open: the outermost object, and what is in it */
static UINT depth;
static UINT members[MAX_DEPTH];
static size_t array_begins[MAX_DEPTH];

void *allocate(size_t size)
{
    void *ptr;

    if ((ptr = calloc(1, size))) return ptr;
    write_error(L"There is not enough memory.");
    exit(1);
}

static void append(const WCHAR *text, size_t count)
{
    if (length + count + 1 > capacity)
    {
        WCHAR *bigger = allocate((length + count + 1) * 2 * sizeof(WCHAR));

        capacity = (length + count + 1) * 2;
        memcpy(bigger, buffer, length * sizeof(WCHAR));
        free(buffer);
        buffer = bigger;
    }
    memcpy(buffer + length, text, count * sizeof(WCHAR));
    length += count;
    buffer[length] = 0;
}

static void append_string(const WCHAR *text)
{
    append(text, wcslen(text));
}

static void append_format(const WCHAR *format, ...)
{
    WCHAR text[128];
    va_list args;

    va_start(args, format);
    vswprintf(text, ARRAY_SIZE(text), format, args);
    va_end(args);
    append_string(text);
}

static BOOL is_high_surrogate(WCHAR c)
{
    return c >= 0xd800 && c < 0xdc00;
}

static BOOL is_low_surrogate(WCHAR c)
{
    return c >= 0xdc00 && c < 0xe000;
}

static void append_json_string(const WCHAR *text)
{
    append_string(L"\"");
    for (; *text; text++)
    {
        if (*text == '"' || *text == '\\') append_format(L"\\%c", *text);
        else if (*text < 0x20 || *text == 0x7f) append_format(L"\\u%04x", *text);
        else if (is_high_surrogate(*text) && is_low_surrogate(text[1])) append(text++, 2);
        else if (is_high_surrogate(*text) || is_low_surrogate(*text)) append_string(L"\\ufffd");
        else append(text, 1);
    }
    append_string(L"\"");
}

/* Somebody else's text on a terminal: without what would control that */
static void append_plain_string(const WCHAR *text)
{
    for (; *text; text++)
    {
        if (*text < 0x20 || (*text >= 0x7f && *text < 0xa0)) append_string(L" ");
        else append(text, 1);
    }
}

static void append_indent(void)
{
    UINT i;

    for (i = 2; i < depth; i++) append_string(L"  ");
}

static void begin_member(const WCHAR *key)
{
    if (!as_json) return;
    if (members[depth]++) append_string(L",");
    if (key) append_format(L"\"%s\":", key);
}

static void begin_value(const WCHAR *key, const WCHAR *label)
{
    begin_member(key);
    if (as_json) return;
    append_indent();
    append_format(L"%-*s: ", LABEL_WIDTH, label);
}

static void end_value(void)
{
    if (!as_json) append_string(L"\n");
}

static void append_none(void)
{
    append_string(as_json ? L"null" : L"-");
}

static void open_group(const WCHAR *bracket)
{
    if (as_json) append_string(bracket);
    members[++depth] = 0;
}

static void close_group(const WCHAR *bracket)
{
    depth--;
    if (as_json) append_string(bracket);
}

void print_begin(BOOL json)
{
    as_json = json;
    length = 0;
    depth = 0;
    append_string(L"");
    open_group(L"{");
}

const WCHAR *print_end(void)
{
    close_group(L"}\n");
    return buffer;
}

/* A title is underlined, and the first in what it is in has no line before it. */
void print_object(const WCHAR *key, const WCHAR *title, ...)
{
    WCHAR text[128];
    va_list args;
    UINT i;

    va_start(args, title);
    vswprintf(text, ARRAY_SIZE(text), title, args);
    va_end(args);

    begin_member(key);
    if (!as_json)
    {
        if (length) append_string(L"\n");
        open_group(L"{");
        append_indent();
        append_string(text);
        append_string(L"\n");
        append_indent();
        for (i = 0; text[i]; i++) append_string(L"-");
        append_string(L"\n");
    }
    else open_group(L"{");
}

void print_object_end(void)
{
    close_group(L"}");
}

void print_array(const WCHAR *key)
{
    begin_member(key);
    if (as_json) open_group(L"[");
    else array_begins[depth] = length;
}

void print_array_end(const WCHAR *none)
{
    if (as_json) close_group(L"]");
    else if (none && array_begins[depth] == length) append_format(L"\n%s\n", none);
}

void print_text(const WCHAR *key, const WCHAR *label, const WCHAR *value)
{
    begin_value(key, label);
    if (!value || !*value) append_none();
    else if (as_json) append_json_string(value);
    else append_plain_string(value);
    end_value();
}

void print_bool(const WCHAR *key, const WCHAR *label, const BOOL *value)
{
    begin_value(key, label);
    if (!value) append_none();
    else if (as_json) append_string(*value ? L"true" : L"false");
    else append_string(*value ? L"yes" : L"no");
    end_value();
}

void print_number(const WCHAR *key, const WCHAR *label, const UINT32 *value)
{
    begin_value(key, label);
    if (!value) append_none();
    else append_format(L"%u", *value);
    end_value();
}

void print_id(const WCHAR *key, const WCHAR *hex_key, const WCHAR *label, UINT32 id)
{
    begin_value(key, label);
    if (as_json)
    {
        append_format(L"%u", id);
        begin_value(hex_key, label);
        append_format(L"\"0x%x\"", id);
    }
    else append_format(L"%u (0x%x)", id, id);
    end_value();
}

void print_guid(const WCHAR *key, const WCHAR *label, const GUID *value)
{
    WCHAR text[39];

    if (value) StringFromGUID2(value, text, ARRAY_SIZE(text));
    print_text(key, label, value ? text : NULL);
}

void print_name(const WCHAR *key, const WCHAR *label, const struct name *names, const UINT32 *value)
{
    while (value && names->text && names->value != *value) names++;
    if (!value) print_text(key, label, NULL);
    else print_text(key, label, as_json ? names->json : names->text);
}

void print_code(const WCHAR *key, const WCHAR *text_key, const WCHAR *label, const UINT32 *code, const WCHAR *text)
{
    begin_value(key, label);
    if (!code) append_none();
    else append_format(as_json ? L"\"0x%08x\"" : L"0x%08x", *code);
    if (as_json) print_text(text_key, label, code ? text : NULL);
    else
    {
        if (code && text && *text)
        {
            append_string(L", ");
            append_plain_string(text);
        }
        end_value();
    }
}

/* In local time for a person, in UTC for a program */
void print_time(const WCHAR *key, const WCHAR *label, const FILETIME *value)
{
    SYSTEMTIME utc, local;

    begin_value(key, label);
    if (!value || !FileTimeToSystemTime(value, &utc)) append_none();
    else if (as_json)
        append_format(L"\"%04u-%02u-%02uT%02u:%02u:%02uZ\"", utc.wYear, utc.wMonth, utc.wDay, utc.wHour, utc.wMinute,
                utc.wSecond);
    else
    {
        if (!SystemTimeToTzSpecificLocalTime(NULL, &utc, &local)) local = utc;
        append_format(L"%04u-%02u-%02u %02u:%02u:%02u", local.wYear, local.wMonth, local.wDay, local.wHour,
                local.wMinute, local.wSecond);
    }
    end_value();
}

void print_note(const WCHAR *format, ...)
{
    WCHAR text[512];
    va_list args;

    if (as_json) return;
    va_start(args, format);
    vswprintf(text, ARRAY_SIZE(text), format, args);
    va_end(args);
    append_indent();
    append_string(text);
    append_string(L"\n");
}

/* A console takes UTF-16, anything else gets UTF-8. */
static BOOL write_text(DWORD handle, const WCHAR *text)
{
    HANDLE output = GetStdHandle(handle);
    DWORD mode, size, written;
    char *bytes;
    BOOL ret;

    if (GetConsoleMode(output, &mode)) return WriteConsoleW(output, text, wcslen(text), &written, NULL);

    size = WideCharToMultiByte(CP_UTF8, 0, text, -1, NULL, 0, NULL, NULL);
    if (!(bytes = malloc(size))) return FALSE;
    WideCharToMultiByte(CP_UTF8, 0, text, -1, bytes, size, NULL, NULL);
    ret = WriteFile(output, bytes, size - 1, &written, NULL);
    free(bytes);
    return ret;
}

BOOL write_output(const WCHAR *text)
{
    return write_text(STD_OUTPUT_HANDLE, text);
}

void write_error(const WCHAR *format, ...)
{
    WCHAR text[1024];
    va_list args;
    int size;

    size = swprintf(text, ARRAY_SIZE(text), L"napstat: ");
    va_start(args, format);
    vswprintf(text + size, ARRAY_SIZE(text) - size - 1, format, args);
    va_end(args);
    wcscat(text, L"\n");
    write_text(STD_ERROR_HANDLE, text);
}
