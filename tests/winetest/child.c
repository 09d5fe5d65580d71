/*
 * Waiting for child processes
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

static PROCESS_INFORMATION start_child( const char *exit_code )
{
    STARTUPINFOA startup = { sizeof(startup) };
    PROCESS_INFORMATION info = { NULL };
    char path[MAX_PATH], cmdline[MAX_PATH + 32];
    BOOL ret;

    GetModuleFileNameA( NULL, path, sizeof(path) );
    sprintf( cmdline, "\"%s\" child %s", path, exit_code );
    ret = CreateProcessA( NULL, cmdline, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &info );
    ok( ret, "CreateProcess failed, error %lu\n", GetLastError() );
    return info;
}

static void test_handle( const char *exit_code )
{
    PROCESS_INFORMATION info = start_child( exit_code );
    BOOL ret;

    wait_child_process( info.hProcess );
    ret = CloseHandle( info.hThread );
    ok( ret, "the thread handle was closed\n" );
    ret = CloseHandle( info.hProcess );
    ok( ret, "the process handle was closed\n" );
}

static void test_info( const char *exit_code )
{
    PROCESS_INFORMATION info = start_child( exit_code );
    DWORD flags;
    BOOL ret;

    wait_child_process( &info );
    ret = GetHandleInformation( info.hThread, &flags );
    ok( !ret, "the thread handle is open\n" );
    ret = GetHandleInformation( info.hProcess, &flags );
    ok( !ret, "the process handle is open\n" );
}

START_TEST(child)
{
    PROCESS_INFORMATION info = { NULL };
    char **argv;
    int argc;

    argc = winetest_get_mainargs( &argv );
    if (argc == 3) ExitProcess( strtoul( argv[2], NULL, 0 ) );

    test_handle( "0" );
    test_handle( "2" );
    test_handle( "0xc0000005" );
    test_info( "0" );
    test_info( "3" );
    test_info( "256" );
    wait_child_process( NULL );
    wait_child_process( &info );
}
