/*
 * Checks in several threads at once
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

#define THREADS 8

static HANDLE start_event;

static DWORD WINAPI thread_proc( void *arg )
{
    int i, index = (ULONG_PTR)arg;
    const char *str;
    char expected[16];

    WaitForSingleObject( start_event, 10000 );

    SetLastError( 0xdeadbeef );
    ok( index >= 0, "got %d\n", index );
    ok( GetLastError() == 0xdeadbeef, "got %#lx\n", GetLastError() );

    sprintf( expected, "thread %d", index );
    str = wine_dbg_sprintf( "%s", expected );

    for (i = 0; i < 100; i++) todo_if( index & 1 )
    {
        ok( !(index & 1), "expected to fail\n" );
    }
    for (i = 0; i < 20; i++)
    {
        winetest_push_context( "thread" );
        ok( 0, "failed\n" );
        winetest_pop_context();
    }

    ok( !strcmp( str, expected ), "got %s, expected %s\n", str, expected );
    return 0;
}

START_TEST(threads)
{
    HANDLE threads[THREADS];
    DWORD ret;
    int i;

    /* without the message about silenced lines */
    winetest_mute_threshold = 100 * THREADS;

    start_event = CreateEventA( NULL, TRUE, FALSE, NULL );
    for (i = 0; i < THREADS; i++)
    {
        threads[i] = CreateThread( NULL, 0, thread_proc, (void *)(ULONG_PTR)i, 0, NULL );
        ok( threads[i] != NULL, "CreateThread failed, error %lu\n", GetLastError() );
    }
    winetest_push_context( "main" );
    SetEvent( start_event );
    ret = WaitForMultipleObjects( THREADS, threads, TRUE, 60000 );
    ok( ret < WAIT_OBJECT_0 + THREADS, "got %#lx\n", ret );
    winetest_pop_context();
    for (i = 0; i < THREADS; i++) CloseHandle( threads[i] );
    CloseHandle( start_event );
}
