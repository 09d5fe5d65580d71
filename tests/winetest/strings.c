/*
 * The printable forms that wine/test.h gives to strings and structures
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

#include <windows.h>
#include "wine/test.h"

#define expect( str, expected ) expect_( __LINE__, str, expected )
static void expect_( int line, const char *str, const char *expected )
{
    ok_( __FILE__, line )( !strcmp( str, expected ), "got %s, expected %s\n", str, expected );
}

static void test_strings(void)
{
    static const WCHAR abcW[] = {'a','b','c',0};
    static const WCHAR emptyW[] = {0};
    static const WCHAR escapedW[] = {'"','\\','\n','\r','\t',1,0x7f,0xe9,0x20ac,0};
    static const WCHAR zeroW[] = {'a',0,'b'};

    expect( wine_dbgstr_a( NULL ), "(null)" );
    expect( wine_dbgstr_a( "" ), "\"\"" );
    expect( wine_dbgstr_a( "abc" ), "\"abc\"" );
    expect( wine_dbgstr_a( "\"\\\n\r\t\x01\x7f\xe9" ), "\"\\\"\\\\\\n\\r\\t\\x01\\x7f\\xe9\"" );
    expect( wine_dbgstr_a( (const char *)0x12 ), "#0012" );
    expect( wine_dbgstr_an( "abc", 2 ), "\"ab\"" );
    expect( wine_dbgstr_an( "abc", 0 ), "\"\"" );
    expect( wine_dbgstr_an( "abc", -1 ), "\"abc\"" );
    expect( wine_dbgstr_an( "a\0b", 3 ), "\"a\\x00b\"" );
    expect( wine_dbgstr_an( NULL, 3 ), "(null)" );

    expect( wine_dbgstr_w( NULL ), "(null)" );
    expect( wine_dbgstr_w( emptyW ), "L\"\"" );
    expect( wine_dbgstr_w( abcW ), "L\"abc\"" );
    expect( wine_dbgstr_w( escapedW ), "L\"\\\"\\\\\\n\\r\\t\\0001\\007f\\00e9\\20ac\"" );
    expect( wine_dbgstr_w( (const WCHAR *)0x12 ), "#0012" );
    expect( wine_dbgstr_wn( abcW, 2 ), "L\"ab\"" );
    expect( wine_dbgstr_wn( abcW, 0 ), "L\"\"" );
    expect( wine_dbgstr_wn( abcW, -1 ), "L\"abc\"" );
    expect( wine_dbgstr_wn( zeroW, 3 ), "L\"a\\0000b\"" );
    expect( wine_dbgstr_wn( NULL, 3 ), "(null)" );
}

static void test_long_strings(void)
{
    WCHAR strW[1000];
    char strA[1000];
    const char *str;
    int i;

    for (i = 0; i < ARRAY_SIZE(strA); i++) strW[i] = strA[i] = 'x';
    strW[i - 1] = strA[i - 1] = 0;

    str = wine_dbgstr_a( strA );
    ok( strlen( str ) > 250 && strlen( str ) < 300, "got length %u\n", (unsigned int)strlen( str ) );
    ok( !strcmp( str + strlen( str ) - 5, "x\"..." ), "got %s\n", str );
    str = wine_dbgstr_w( strW );
    ok( strlen( str ) > 250 && strlen( str ) < 300, "got length %u\n", (unsigned int)strlen( str ) );
    ok( !strcmp( str + strlen( str ) - 5, "x\"..." ), "got %s\n", str );

    for (i = 0; i < ARRAY_SIZE(strA) - 1; i++) strW[i] = strA[i] = 1;
    str = wine_dbgstr_a( strA );
    ok( strlen( str ) > 250 && strlen( str ) < 300, "got length %u\n", (unsigned int)strlen( str ) );
    ok( !strcmp( str + strlen( str ) - 6, "01\"..." ), "got %s\n", str );
    str = wine_dbgstr_w( strW );
    ok( strlen( str ) > 250 && strlen( str ) < 300, "got length %u\n", (unsigned int)strlen( str ) );
    ok( !strcmp( str + strlen( str ) - 8, "0001\"..." ), "got %s\n", str );

    for (i = 280; i < 310; i++)
    {
        winetest_push_context( "%d", i );
        memset( strA, 'x', i );
        strA[i] = 0;
        str = wine_dbgstr_a( strA );
        ok( strlen( str ) == i + 2 || !strcmp( str + strlen( str ) - 4, "\"..." ), "got %s\n", str );
        winetest_pop_context();
    }

    str = wine_dbg_sprintf( "%0500d", 0 );
    ok( strlen( str ) == 199, "got length %u\n", (unsigned int)strlen( str ) );
}

static void test_structures(void)
{
    static const GUID guid = { 0x12345678, 0x9abc, 0xdef0, { 1, 2, 3, 4, 5, 6, 7, 0xf8 } };
    static const RECT rect = { 1, -2, 3, 4 };
    static const POINT point = { -5, 6 };

    expect( wine_dbgstr_guid( NULL ), "(null)" );
    expect( wine_dbgstr_guid( (const GUID *)0x12 ), "<guid-0x0012>" );
    expect( wine_dbgstr_guid( &guid ), "{12345678-9abc-def0-0102-0304050607f8}" );
    expect( wine_dbgstr_rect( NULL ), "(null)" );
    expect( wine_dbgstr_rect( &rect ), "(1,-2)-(3,4)" );
    expect( wine_dbgstr_point( NULL ), "(null)" );
    expect( wine_dbgstr_point( &point ), "(-5,6)" );
    expect( wine_dbgstr_longlong( 0 ), "0" );
    expect( wine_dbgstr_longlong( 0xffffffff ), "ffffffff" );
    expect( wine_dbgstr_longlong( (ULONGLONG)1 << 32 ), "100000000" );
    expect( wine_dbgstr_longlong( ~(ULONGLONG)0 ), "ffffffffffffffff" );
}

/* A message may need several strings, and the buffer must not overrun. */
static void test_buffer(void)
{
    const char *strings[10];
    char expected[10];
    int i, j;

    for (i = 0; i < 1000; i++)
    {
        for (j = 0; j < ARRAY_SIZE(strings); j++) strings[j] = wine_dbg_sprintf( "%d %0150d", i + j, 0 );
        winetest_push_context( "%d", i );
        for (j = 0; j < ARRAY_SIZE(strings); j++)
        {
            sprintf( expected, "%d ", i + j );
            ok( !strncmp( strings[j], expected, strlen( expected ) ), "%d: got %s\n", j, strings[j] );
        }
        winetest_pop_context();
    }
}

START_TEST(strings)
{
    test_strings();
    test_long_strings();
    test_structures();
    test_buffer();
}
