/*
 * What each macro of wine/test.h prints and counts, a case at a time
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

static void case_success(void)
{
    int i;

    for (i = 0; i < 3; i++) ok( i < 3, "got %d\n", i );
}

static void case_failure(void)
{
    ok( 1, "a success\n" );
    ok( 0, "value %d\n", 5 );
}

static void case_failures(void)
{
    int i;

    for (i = 0; i < 300; i++) ok( 0, "value %d\n", i );
}

static void case_todo(void)
{
    todo_wine ok( 0, "todo_wine\n" );
    todo_wine_if( 1 ) ok( 0, "todo_wine_if\n" );
    todo_if( 1 ) ok( 0, "todo_if\n" );
    todo_if( 1 )
    {
        ok( 0, "first of a block\n" );
        todo_if( 0 ) ok( 0, "inner block\n" );
    }
    todo_if( 0 ) ok( 1, "no todo\n" );
    todo_wine_if( 0 ) ok( 1, "no todo_wine\n" );
    ok( 1, "after the blocks\n" );
}

static void case_todo_success(void)
{
    todo_wine ok( 1, "it works\n" );
}

static void case_flaky(void)
{
    flaky ok( 0, "flaky\n" );
    flaky_if( 1 ) ok( 0, "flaky_if\n" );
    flaky_wine ok( 0, "flaky_wine\n" );
    flaky_wine_if( 1 ) ok( 0, "flaky_wine_if\n" );
    flaky ok( 1, "flaky success\n" );
    flaky todo_if( 1 ) ok( 0, "flaky todo\n" );
    flaky todo_if( 1 ) ok( 1, "flaky todo success\n" );
    flaky_if( 0 ) ok( 1, "not flaky\n" );
    ok( 1, "after the blocks\n" );
}

static void case_skip(void)
{
    skip( "no %s\n", "service" );
    ok( 1, "after the skip\n" );
}

static void case_win_skip(void)
{
    win_skip( "no %s\n", "service" );
}

static void case_broken(void)
{
    ok( broken( 1 ), "broken 1\n" );
    ok( !broken( 0 ), "broken 0\n" );
}

static void case_trace(void)
{
    trace( "value %d\n", 7 );
}

static void case_subtest(void)
{
    subtest( "first" );
    ignore_exceptions( TRUE );
    ignore_exceptions( FALSE );
}

static void case_context(void)
{
    int i;

    winetest_pop_context();
    winetest_push_context( "size %u", 2 );
    winetest_push_context( "inner" );
    ok( 0, "failed\n" );
    trace( "traced\n" );
    winetest_pop_context();
    skip( "skipped\n" );
    winetest_pop_context();
    ok( 0, "no context\n" );

    winetest_push_context( "%0200d", 0 );
    trace( "cut off\n" );
    winetest_pop_context();

    for (i = 0; i < 10; i++) winetest_push_context( "%d", i );
    trace( "deep\n" );
    for (i = 0; i < 10; i++) winetest_pop_context();
    trace( "shallow\n" );
}

static void case_location(void)
{
    ok( 0, "line %d\n", __LINE__ );
    trace( "line %d\n", __LINE__ );
    skip( "line %d\n", __LINE__ );
    ok_( "where.h", 11 )( 0, "ok_\n" );
    ok_( "folder/where.h", 12 )( 0, "ok_\n" );
    ok_( "folder\\where.h", 13 )( 0, "ok_\n" );
    skip_( "where.h", 14 )( "skip_\n" );
    win_skip_( "where.h", 15 )( "win_skip_\n" );
    trace_( "where.h", 16 )( "trace_\n" );
    subtest_( "where.h", 17 )( "subtest_" );
    ignore_exceptions_( "where.h", 18 )( TRUE );
    wait_child_process_( "where.h", 19 )( NULL );
}

static void case_mute(void)
{
    int i;

    for (i = 0; i < 44; i++) trace( "trace\n" );
    for (i = 0; i < 45; i++) skip( "skip\n" );
    for (i = 0; i < 46; i++) todo_if( 1 ) ok( 0, "todo\n" );
    for (i = 0; i < 47; i++) ok( 1, "success\n" );
}

static void case_expression(void)
{
    int evaluated = 0, i = 1;

    ok( 1, "evaluated %d\n", ++evaluated );
    ok( !evaluated, "the message of a success was evaluated\n" );
    todo_if( 1 ) ok( 0, "evaluated %d\n", ++evaluated );
    ok( evaluated == 1, "the message of a todo was evaluated %d times\n", evaluated );

    if (i) ok( i, "a branch of its own\n" );
    else ok( 0, "the other branch\n" );
    i ? ok( 1, "an operand\n" ) : ok( 0, "the other operand\n" );
    ok( i++ == 1, "evaluated early\n" );
    ok( i == 2, "the condition was evaluated %d times\n", i - 1 );
}

static int check_args( int condition, const char *msg, ... )
{
    va_list args;
    int ret;

    va_start( args, msg );
    ret = winetest_vok( condition, msg, args );
    va_end( args );
    return ret;
}

static void skip_args( const char *msg, ... )
{
    va_list args;

    va_start( args, msg );
    winetest_vskip( msg, args );
    va_end( args );
}

static void case_function(void)
{
    int ret;

    winetest_set_location( "where.h", 1 );
    ret = check_args( 1, "success %d\n", 1 );
    ok( ret == 1, "got %d\n", ret );
    winetest_set_location( "where.h", 2 );
    ret = check_args( 0, "failure %d\n", 2 );
    ok( ret == 0, "got %d\n", ret );
    winetest_set_location( "where.h", 3 );
    todo_if( 1 ) ret = check_args( 0, "todo %d\n", 3 );
    ok( ret == 1, "got %d\n", ret );
    winetest_set_location( "where.h", 4 );
    todo_if( 1 ) ret = check_args( 1, "todo success %d\n", 4 );
    ok( ret == 0, "got %d\n", ret );
    winetest_set_location( "where.h", 5 );
    skip_args( "skip %d\n", 5 );
    ok( winetest_get_failures() == 1, "got %ld failures\n", winetest_get_failures() );
    winetest_add_failures( 4 );
    winetest_add_failures( 0 );
    winetest_add_failures( -1 );
    ok( winetest_get_failures() == 5, "got %ld failures\n", winetest_get_failures() );
}

static void case_last_error(void)
{
    SetLastError( 0xdeadbeef );
    ok( 1, "success\n" );
    ok( GetLastError() == 0xdeadbeef, "got %#lx\n", GetLastError() );
    SetLastError( 0xdeadbeef );
    ok( 0, "got %#lx\n", GetLastError() );
    SetLastError( 0xdeadbeef );
    todo_if( 1 ) ok( 0, "got %#lx\n", GetLastError() );
}

static void case_settings(void)
{
    trace( "platform %s, wine %d\n", winetest_platform, winetest_platform_is_wine );
    trace( "debug %d, color %d, interactive %d\n", winetest_debug, winetest_color, winetest_interactive );
    trace( "flaky %d, success %d, time %d\n", winetest_report_flaky, winetest_report_success, winetest_time );
}

static void case_exception(void)
{
    ok( 1, "last seen\n" );
    RaiseException( 0xc000002a, EXCEPTION_NONCONTINUABLE, 0, NULL );
}

static const struct
{
    const char *name;
    void (*func)(void);
}
cases[] =
{
    { "success", case_success },
    { "failure", case_failure },
    { "failures", case_failures },
    { "todo", case_todo },
    { "todo_success", case_todo_success },
    { "flaky", case_flaky },
    { "skip", case_skip },
    { "win_skip", case_win_skip },
    { "broken", case_broken },
    { "trace", case_trace },
    { "subtest", case_subtest },
    { "context", case_context },
    { "location", case_location },
    { "mute", case_mute },
    { "expression", case_expression },
    { "function", case_function },
    { "last_error", case_last_error },
    { "settings", case_settings },
    { "exception", case_exception },
};

START_TEST(output)
{
    unsigned int i;
    char **argv;
    int argc;

    argc = winetest_get_mainargs( &argv );
    for (i = 0; i < ARRAY_SIZE(cases); i++)
    {
        if (argc < 3 || strcmp( argv[2], cases[i].name )) continue;
        cases[i].func();
        return;
    }
    skip( "no such case\n" );
}
