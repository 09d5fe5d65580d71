/*
 * Test macros, and the program around them, for the standalone build
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

/* A Wine tree brings its own wine/test.h. Test sources see the same names in both, and whoever reads a test's
 * output sees the same lines. */

#ifndef __WINE_WINE_TEST_H
#define __WINE_WINE_TEST_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <io.h>
#include <windef.h>
#include <winbase.h>
#ifndef GUID_DEFINED
#include <guiddef.h>
#endif

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(x) (sizeof(x) / sizeof((x)[0]))
#endif

#ifndef __WINE_PRINTF_ATTR
#ifdef __GNUC__
#define __WINE_PRINTF_ATTR(fmt,args) __attribute__((format (printf,fmt,args)))
#else
#define __WINE_PRINTF_ATTR(fmt,args)
#endif
#endif

/* Settings, each from the environment variable of its name in capitals. */
extern int winetest_color;             /* colour the output with ANSI escapes */
extern int winetest_debug;             /* 0: no traces, todos and summary; 2: no line is silenced */
extern int winetest_interactive;       /* a person is there to answer dialogs */
extern int winetest_report_flaky;      /* the exit status counts flaky failures */
extern int winetest_report_success;    /* report the checks that succeed too */
extern int winetest_time;              /* print the elapsed time */
extern const char *winetest_platform;  /* "wine" or "windows" */

extern int winetest_platform_is_wine;
extern int winetest_mute_threshold;    /* todos, skips and traces from one line before it is silenced */

extern int winetest_set_location( const char *file, int line );  /* returns 0 */
extern int winetest_check( int condition );
extern void winetest_report( const char *msg, ... ) __WINE_PRINTF_ATTR(1,2);
extern int winetest_vok( int condition, const char *msg, va_list args ) __WINE_PRINTF_ATTR(2,0);
extern void winetest_skip( const char *msg, ... ) __WINE_PRINTF_ATTR(1,2);
extern void winetest_vskip( const char *msg, va_list args ) __WINE_PRINTF_ATTR(1,0);
extern void winetest_win_skip( const char *msg, ... ) __WINE_PRINTF_ATTR(1,2);
extern void winetest_trace( const char *msg, ... ) __WINE_PRINTF_ATTR(1,2);
extern void winetest_subtest( const char *name );
extern void winetest_ignore_exceptions( BOOL ignore );

extern void winetest_start_todo( int is_todo );
extern int winetest_loop_todo( void );
extern void winetest_end_todo( void );
extern void winetest_start_flaky( int is_flaky );
extern int winetest_loop_flaky( void );
extern void winetest_end_flaky( void );

extern void winetest_push_context( const char *fmt, ... ) __WINE_PRINTF_ATTR(1,2);
extern void winetest_pop_context( void );

extern int winetest_get_mainargs( char ***argv );
extern LONG winetest_get_failures( void );
extern void winetest_add_failures( LONG count );
extern void winetest_wait_child_handle( HANDLE process );
extern void winetest_wait_child_info( PROCESS_INFORMATION *info );

/* Accepted on every version of Windows, never on Wine. */
extern int broken( int condition );

/* The strings live in a buffer of the calling thread until some later calls reuse their space. */
#ifndef __WINE_WINE_DEBUG_H
extern const char *wine_dbg_sprintf( const char *format, ... ) __WINE_PRINTF_ATTR(1,2);
extern const char *wine_dbg_vsprintf( const char *format, va_list args ) __WINE_PRINTF_ATTR(1,0);
extern const char *wine_dbgstr_an( const char *str, int len );
extern const char *wine_dbgstr_wn( const WCHAR *str, int len );
extern const char *wine_dbgstr_a( const char *str );
extern const char *wine_dbgstr_w( const WCHAR *str );
extern const char *wine_dbgstr_guid( const GUID *guid );
extern const char *wine_dbgstr_point( const POINT *point );
extern const char *wine_dbgstr_rect( const RECT *rect );
extern const char *wine_dbgstr_longlong( ULONGLONG value );
#endif

#ifdef STANDALONE
#define START_TEST(name) \
    static void func_##name(void); \
    const struct test winetest_testlist[] = { { #name, func_##name }, { 0, 0 } }; \
    static void func_##name(void)
#else
#define START_TEST(name) void func_##name(void)
#endif

#ifdef WINETEST_NO_LINE_NUMBERS
#define WINETEST_AT(file, line) winetest_set_location( file, 0 ) ? (void)0 :
#else
#define WINETEST_AT(file, line) winetest_set_location( file, line ) ? (void)0 :
#endif

/* As in Wine 10.19 and later, only a check that has something to say evaluates its message. */
#define winetest_ok( condition, ... ) (winetest_check( condition ) ? (void)0 : winetest_report( __VA_ARGS__ ))

/* Up to Wine 10.17 this takes the process handle, which remains open, since 10.18 a pointer to the
 * PROCESS_INFORMATION, whose handles it closes. */
#define winetest_wait_child_process( child ) \
    _Generic( (child), PROCESS_INFORMATION *: winetest_wait_child_info, default: winetest_wait_child_handle )( child )

#define ok_(file, line)                 WINETEST_AT(file, line) winetest_ok
#define skip_(file, line)               WINETEST_AT(file, line) winetest_skip
#define win_skip_(file, line)           WINETEST_AT(file, line) winetest_win_skip
#define trace_(file, line)              WINETEST_AT(file, line) winetest_trace
#define subtest_(file, line)            WINETEST_AT(file, line) winetest_subtest
#define ignore_exceptions_(file, line)  WINETEST_AT(file, line) winetest_ignore_exceptions
#define wait_child_process_(file, line) WINETEST_AT(file, line) winetest_wait_child_process

#define ok                 ok_( __FILE__, __LINE__ )
#define skip               skip_( __FILE__, __LINE__ )
#define win_skip           win_skip_( __FILE__, __LINE__ )
#define trace              trace_( __FILE__, __LINE__ )
#define subtest            subtest_( __FILE__, __LINE__ )
#define ignore_exceptions  ignore_exceptions_( __FILE__, __LINE__ )
#define wait_child_process wait_child_process_( __FILE__, __LINE__ )

/* Each is followed by a statement that break and return must not leave. */
#define todo_if(is_todo)        for (winetest_start_todo( is_todo ); winetest_loop_todo(); winetest_end_todo())
#define todo_wine               todo_if( winetest_platform_is_wine )
#define todo_wine_if(is_todo)   todo_if( (is_todo) && winetest_platform_is_wine )
#define flaky_if(is_flaky)      for (winetest_start_flaky( is_flaky ); winetest_loop_flaky(); winetest_end_flaky())
#define flaky                   flaky_if( TRUE )
#define flaky_wine              flaky_if( winetest_platform_is_wine )
#define flaky_wine_if(is_flaky) flaky_if( (is_flaky) && winetest_platform_is_wine )

/* The rest is the program, compiled once, with the list of its tests. */
#ifdef STANDALONE

#include <windows.h>

struct test
{
    const char *name;
    void (*func)(void);
};

extern const struct test winetest_testlist[];

int winetest_color = 0;
int winetest_debug = 1;
int winetest_interactive = 0;
int winetest_report_flaky = 0;
int winetest_report_success = 0;
int winetest_time = 0;
const char *winetest_platform = "windows";
int winetest_platform_is_wine = 0;
int winetest_mute_threshold = 42;

enum winetest_outcome
{
    WINETEST_SUCCESS,
    WINETEST_FAILURE,
    WINETEST_FLAKY,
    WINETEST_TODO,          /* failed as expected */
    WINETEST_TODO_SUCCESS,  /* succeeded against expectation */
    WINETEST_TODO_FLAKY,
    WINETEST_SKIP,
    WINETEST_TRACE,
    WINETEST_OUTCOMES
};

static const struct
{
    const char *prefix;
    const char *color;
}
winetest_outcome_form[WINETEST_OUTCOMES] =
{
    { "Test succeeded\n",                         "\x1b[32m" },
    { "Test failed: ",                            "\x1b[1;91m" },
    { "Test marked flaky: ",                      "\x1b[1;95m" },
    { "Test marked todo: ",                       "\x1b[33m" },
    { "Test succeeded inside todo block: ",       "\x1b[31m" },
    { "Test succeeded inside flaky todo block: ", "\x1b[35m" },
    { "Tests skipped: ",                          "\x1b[34m" },
    { "",                                         NULL },
};

static const char winetest_color_end[] = "\x1b[0m";

struct winetest_thread
{
    const char *file;
    int line;
    enum winetest_outcome outcome;  /* of the check whose message comes next */
    unsigned int todo_level;        /* a bit for each block that we're in, the innermost lowest */
    unsigned int flaky_level;
    BOOL enter_todo;
    BOOL enter_flaky;
    unsigned int context_count;
    char context[8][128];
    unsigned int string_pos;
    char strings[4096];
};

static LONG winetest_counts[WINETEST_OUTCOMES];
static LONG winetest_muted_counts[WINETEST_OUTCOMES];
static HANDLE winetest_print_mutex;  /* shared with child processes */
static DWORD winetest_tls;
static DWORD winetest_start_ticks;
static DWORD winetest_print_ticks;
static const struct test *winetest_current;
static int winetest_argc;
static char **winetest_argv;

/* Checks often stand between a call and a look at its last error. */
static struct winetest_thread *winetest_get_thread( void )
{
    struct winetest_thread *thread;
    DWORD last_error = GetLastError();

    if (!(thread = TlsGetValue( winetest_tls )))
    {
        if (!(thread = HeapAlloc( GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof(*thread) ))) ExitProcess( 255 );
        TlsSetValue( winetest_tls, thread );
    }
    SetLastError( last_error );
    return thread;
}

static const char *winetest_elapsed( char buffer[24] )
{
    DWORD ticks;

    if (!winetest_time) return "";
    winetest_print_ticks = GetTickCount();
    ticks = winetest_print_ticks - winetest_start_ticks;
    sprintf( buffer, "%u.%03u", (unsigned int)(ticks / 1000), (unsigned int)(ticks % 1000) );
    return buffer;
}

static void winetest_print_location( void )
{
    struct winetest_thread *thread = winetest_get_thread();
    char buffer[24];

    printf( "%s:%d:%s ", thread->file ? thread->file : "unknown", thread->line, winetest_elapsed( buffer ) );
}

static void winetest_lock_output( void )
{
    DWORD ret;

    if (!winetest_print_mutex) return;
    ret = WaitForSingleObject( winetest_print_mutex, 30000 );
    if (ret != WAIT_OBJECT_0 && ret != WAIT_ABANDONED)
    {
        winetest_print_mutex = NULL;
        winetest_print_location();
        printf( "could not get the print lock: %u\n", (unsigned int)ret );
    }
}

static void winetest_unlock_output( void )
{
    if (winetest_print_mutex) ReleaseMutex( winetest_print_mutex );
}

static void winetest_print( const char *msg, ... ) __WINE_PRINTF_ATTR(1,2);
static void winetest_print( const char *msg, ... )
{
    va_list args;

    winetest_lock_output();
    winetest_print_location();
    va_start( args, msg );
    vprintf( msg, args );
    va_end( args );
    winetest_unlock_output();
}

static void winetest_print_outcome( enum winetest_outcome outcome, const char *msg, va_list args )
    __WINE_PRINTF_ATTR(2,0);
static void winetest_print_outcome( enum winetest_outcome outcome, const char *msg, va_list args )
{
    struct winetest_thread *thread = winetest_get_thread();
    const char *color = winetest_color ? winetest_outcome_form[outcome].color : NULL;
    unsigned int i;

    winetest_lock_output();
    if (color) printf( "%s", color );
    winetest_print_location();
    printf( "%s", winetest_outcome_form[outcome].prefix );
    for (i = 0; i < min( thread->context_count, ARRAY_SIZE(thread->context) ); i++)
        printf( "%s: ", thread->context[i] );
    vprintf( msg, args );
    if (color) printf( "%s", winetest_color_end );
    winetest_unlock_output();
}

static BOOL winetest_mute_line( void )
{
    static LONG lines[16384];
    LONG count;

    if (winetest_debug > 1) return FALSE;
    count = InterlockedIncrement( &lines[(unsigned int)winetest_get_thread()->line % ARRAY_SIZE(lines)] ) - 1;
    if (count == winetest_mute_threshold)
        winetest_print( "Line has been silenced after %d occurrences\n", winetest_mute_threshold );
    return count >= winetest_mute_threshold;
}

int winetest_set_location( const char *file, int line )
{
    struct winetest_thread *thread = winetest_get_thread();
    const char *name;

    if ((name = strrchr( file, '/' )) || (name = strrchr( file, '\\' ))) name++;
    else name = file;
    thread->file = name;
    thread->line = line;
    return 0;
}

/* Counts a check. Returns FALSE if winetest_report() must print its message. */
int winetest_check( int condition )
{
    struct winetest_thread *thread = winetest_get_thread();
    enum winetest_outcome outcome;

    if (thread->todo_level && condition) outcome = thread->flaky_level ? WINETEST_TODO_FLAKY : WINETEST_TODO_SUCCESS;
    else if (thread->todo_level) outcome = WINETEST_TODO;
    else if (condition) outcome = WINETEST_SUCCESS;
    else outcome = thread->flaky_level ? WINETEST_FLAKY : WINETEST_FAILURE;

    if (outcome == WINETEST_TODO && winetest_debug && winetest_mute_line())
    {
        InterlockedIncrement( &winetest_muted_counts[WINETEST_TODO] );
        return TRUE;
    }

    InterlockedIncrement( &winetest_counts[outcome] );
    if (outcome == WINETEST_TODO) condition = !winetest_debug;
    else if (outcome != WINETEST_SUCCESS) condition = FALSE;
    else if (winetest_report_success ||
             (winetest_time && GetTickCount() - winetest_print_ticks >= 1000))
    {
        winetest_lock_output();
        if (winetest_color) printf( "%s", winetest_outcome_form[outcome].color );
        winetest_print_location();
        printf( "%s", winetest_outcome_form[outcome].prefix );
        if (winetest_color) printf( "%s", winetest_color_end );
        winetest_unlock_output();
    }
    thread->outcome = outcome;
    return condition;
}

void winetest_report( const char *msg, ... )
{
    va_list args;

    va_start( args, msg );
    winetest_print_outcome( winetest_get_thread()->outcome, msg, args );
    va_end( args );
}

int winetest_vok( int condition, const char *msg, va_list args )
{
    struct winetest_thread *thread = winetest_get_thread();
    int expected = !condition == !!thread->todo_level;

    if (!winetest_check( condition )) winetest_print_outcome( thread->outcome, msg, args );
    return expected;
}

void winetest_vskip( const char *msg, va_list args )
{
    if (winetest_mute_line())
    {
        InterlockedIncrement( &winetest_muted_counts[WINETEST_SKIP] );
        return;
    }
    winetest_print_outcome( WINETEST_SKIP, msg, args );
    InterlockedIncrement( &winetest_counts[WINETEST_SKIP] );
}

void winetest_skip( const char *msg, ... )
{
    va_list args;

    va_start( args, msg );
    winetest_vskip( msg, args );
    va_end( args );
}

/* What may be missing from some Windows versions may not be missing from Wine. */
void winetest_win_skip( const char *msg, ... )
{
    va_list args;

    va_start( args, msg );
    if (winetest_platform_is_wine) winetest_vok( 0, msg, args );
    else winetest_vskip( msg, args );
    va_end( args );
}

void winetest_trace( const char *msg, ... )
{
    va_list args;

    if (!winetest_debug) return;
    if (winetest_mute_line())
    {
        InterlockedIncrement( &winetest_muted_counts[WINETEST_TRACE] );
        return;
    }
    va_start( args, msg );
    winetest_print_outcome( WINETEST_TRACE, msg, args );
    va_end( args );
}

void winetest_subtest( const char *name )
{
    winetest_print( "Subtest %s\n", name );
}

/* For winetest's log readers: exceptions from here on are part of the test, or no longer are. */
void winetest_ignore_exceptions( BOOL ignore )
{
    winetest_print( "IgnoreExceptions=%d\n", !!ignore );
}

int broken( int condition )
{
    return condition && !winetest_platform_is_wine;
}

void winetest_start_todo( int is_todo )
{
    struct winetest_thread *thread = winetest_get_thread();

    thread->todo_level = thread->todo_level << 1 | !!is_todo;
    thread->enter_todo = TRUE;
}

int winetest_loop_todo( void )
{
    struct winetest_thread *thread = winetest_get_thread();
    BOOL enter = thread->enter_todo;

    thread->enter_todo = FALSE;
    return enter;
}

void winetest_end_todo( void )
{
    winetest_get_thread()->todo_level >>= 1;
}

void winetest_start_flaky( int is_flaky )
{
    struct winetest_thread *thread = winetest_get_thread();

    thread->flaky_level = thread->flaky_level << 1 | !!is_flaky;
    thread->enter_flaky = TRUE;
}

int winetest_loop_flaky( void )
{
    struct winetest_thread *thread = winetest_get_thread();
    BOOL enter = thread->enter_flaky;

    thread->enter_flaky = FALSE;
    return enter;
}

void winetest_end_flaky( void )
{
    winetest_get_thread()->flaky_level >>= 1;
}

/* The C runtime of Windows XP has only the form that doesn't terminate a string that it cuts off. */
static void winetest_vformat( char *buffer, size_t size, const char *format, va_list args ) __WINE_PRINTF_ATTR(3,0);
static void winetest_vformat( char *buffer, size_t size, const char *format, va_list args )
{
    _vsnprintf( buffer, size, format, args );
    buffer[size - 1] = 0;
}

void winetest_push_context( const char *fmt, ... )
{
    struct winetest_thread *thread = winetest_get_thread();
    va_list args;

    if (thread->context_count < ARRAY_SIZE(thread->context))
    {
        va_start( args, fmt );
        winetest_vformat( thread->context[thread->context_count], sizeof(thread->context[0]), fmt, args );
        va_end( args );
    }
    thread->context_count++;
}

void winetest_pop_context( void )
{
    struct winetest_thread *thread = winetest_get_thread();

    if (thread->context_count) thread->context_count--;
}

int winetest_get_mainargs( char ***argv )
{
    *argv = winetest_argv;
    return winetest_argc;
}

LONG winetest_get_failures( void )
{
    return winetest_counts[WINETEST_FAILURE];
}

void winetest_add_failures( LONG count )
{
    if (count > 0) InterlockedExchangeAdd( &winetest_counts[WINETEST_FAILURE], count );
}

void winetest_wait_child_handle( HANDLE process )
{
    DWORD ret, exit_code;

    winetest_ok( process != NULL, "No child process handle (CreateProcess failed?)\n" );
    if (!process) return;

    ret = WaitForSingleObject( process, 30000 );
    if (ret == WAIT_TIMEOUT)
    {
        winetest_ok( 0, "Timed out waiting for the child process\n" );
        return;
    }
    if (ret != WAIT_OBJECT_0 || !GetExitCodeProcess( process, &exit_code ))
    {
        winetest_ok( 0, "Could not wait for the child process: %d le=%u\n", (int)ret, (unsigned int)GetLastError() );
        return;
    }

    if (exit_code > 255)
    {
        winetest_print( "unhandled exception %08x in child process %04x\n",
                        (unsigned int)exit_code, (unsigned int)GetProcessId( process ) );
        winetest_add_failures( 1 );
    }
    else if (exit_code)
    {
        winetest_print( "%u failures in child process\n", (unsigned int)exit_code );
        winetest_add_failures( exit_code );
    }
}

void winetest_wait_child_info( PROCESS_INFORMATION *info )
{
    winetest_wait_child_handle( info->hProcess );
    if (info->hThread) CloseHandle( info->hThread );
    if (info->hProcess) CloseHandle( info->hProcess );
}

#ifndef __WINE_WINE_DEBUG_H

static const char *winetest_keep_string( const char *str )
{
    struct winetest_thread *thread = winetest_get_thread();
    size_t size = strlen( str ) + 1;
    char *ret;

    if (thread->string_pos + size > sizeof(thread->strings)) thread->string_pos = 0;
    ret = thread->strings + thread->string_pos;
    thread->string_pos += size;
    return memcpy( ret, str, size );
}

const char *wine_dbg_vsprintf( const char *format, va_list args )
{
    char buffer[200];

    winetest_vformat( buffer, sizeof(buffer), format, args );
    return winetest_keep_string( buffer );
}

const char *wine_dbg_sprintf( const char *format, ... )
{
    const char *ret;
    va_list args;

    va_start( args, format );
    ret = wine_dbg_vsprintf( format, args );
    va_end( args );
    return ret;
}

static const char *winetest_quote( const char *strA, const WCHAR *strW, int len )
{
    static const char controls[] = "\n\r\t\"\\", letters[] = "nrt\"\\";
    char buffer[300], *dst = buffer, *end;
    const char *control;
    unsigned int c;
    int i;

    /* room for the longest escape and the end of a string that is cut off */
    end = buffer + sizeof(buffer) - (strW ? 5 : 4) - sizeof("\"...");

    if (strW) *dst++ = 'L';
    *dst++ = '"';
    for (i = 0; (len < 0 || i < len) && dst <= end; i++)
    {
        c = strW ? strW[i] : (unsigned char)strA[i];
        if (len < 0 && !c) break;
        if (c && c < 0x80 && (control = strchr( controls, c )))
        {
            *dst++ = '\\';
            *dst++ = letters[control - controls];
        }
        else if (c >= ' ' && c < 127) *dst++ = c;
        else dst += sprintf( dst, strW ? "\\%04x" : "\\x%02x", c );
    }
    *dst++ = '"';
    *dst = 0;
    if (len < 0 ? (strW ? !!strW[i] : !!strA[i]) : i < len) strcpy( dst, "..." );
    return winetest_keep_string( buffer );
}

const char *wine_dbgstr_an( const char *str, int len )
{
    if (!str) return "(null)";
    if (!((ULONG_PTR)str >> 16)) return wine_dbg_sprintf( "#%04x", LOWORD(str) );
    if (IsBadStringPtrA( str, len )) return "(invalid)";
    return winetest_quote( str, NULL, len );
}

const char *wine_dbgstr_wn( const WCHAR *str, int len )
{
    if (!str) return "(null)";
    if (!((ULONG_PTR)str >> 16)) return wine_dbg_sprintf( "#%04x", LOWORD(str) );
    if (IsBadStringPtrW( str, len )) return "(invalid)";
    return winetest_quote( NULL, str, len );
}

const char *wine_dbgstr_a( const char *str )
{
    return wine_dbgstr_an( str, -1 );
}

const char *wine_dbgstr_w( const WCHAR *str )
{
    return wine_dbgstr_wn( str, -1 );
}

const char *wine_dbgstr_guid( const GUID *guid )
{
    if (!guid) return "(null)";
    if (!((ULONG_PTR)guid >> 16)) return wine_dbg_sprintf( "<guid-0x%04x>", LOWORD(guid) );
    return wine_dbg_sprintf( "{%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x}", (unsigned int)guid->Data1,
                             guid->Data2, guid->Data3, guid->Data4[0], guid->Data4[1], guid->Data4[2], guid->Data4[3],
                             guid->Data4[4], guid->Data4[5], guid->Data4[6], guid->Data4[7] );
}

const char *wine_dbgstr_point( const POINT *point )
{
    if (!point) return "(null)";
    return wine_dbg_sprintf( "(%d,%d)", (int)point->x, (int)point->y );
}

const char *wine_dbgstr_rect( const RECT *rect )
{
    if (!rect) return "(null)";
    return wine_dbg_sprintf( "(%d,%d)-(%d,%d)", (int)rect->left, (int)rect->top, (int)rect->right, (int)rect->bottom );
}

const char *wine_dbgstr_longlong( ULONGLONG value )
{
    unsigned int high = value >> 32, low = value;

    return high ? wine_dbg_sprintf( "%x%08x", high, low ) : wine_dbg_sprintf( "%x", low );
}

#endif  /* __WINE_WINE_DEBUG_H */

static LONG CALLBACK winetest_exception_filter( EXCEPTION_POINTERS *ptrs )
{
    struct winetest_thread *thread = winetest_get_thread();
    char buffer[24];

    winetest_lock_output();
    if (thread->file)
        printf( "%s:%d: this is the last test seen before the exception\n", thread->file, thread->line );
    if (winetest_color) printf( "%s", winetest_outcome_form[WINETEST_FAILURE].color );
    printf( "%04x:%s:%s unhandled exception %08x at %p\n", (unsigned int)GetCurrentProcessId(),
            winetest_current->name, winetest_elapsed( buffer ), (unsigned int)ptrs->ExceptionRecord->ExceptionCode,
            ptrs->ExceptionRecord->ExceptionAddress );
    if (winetest_color) printf( "%s", winetest_color_end );
    fflush( NULL );
    winetest_unlock_output();
    return EXCEPTION_EXECUTE_HANDLER;
}

static void winetest_list_tests( void )
{
    const struct test *test;

    printf( "Valid test names:\n" );
    for (test = winetest_testlist; test->name; test++) printf( "    %s\n", test->name );
}

/* A test's name or its source file's, with or without a path. */
static const struct test *winetest_find_test( const char *name )
{
    const struct test *test;
    const char *p;
    size_t len;

    for (p = name; *p; p++) if (*p == '/' || *p == '\\') name = p + 1;
    len = strlen( name );
    if (len > 2 && !strcmp( name + len - 2, ".c" )) len -= 2;

    for (test = winetest_testlist; test->name; test++)
        if (!strncmp( test->name, name, len ) && !test->name[len]) return test;
    return NULL;
}

static void winetest_print_summary( void )
{
    LONG failures = winetest_counts[WINETEST_FAILURE] + winetest_counts[WINETEST_TODO_SUCCESS];
    LONG flaky_failures = winetest_counts[WINETEST_FLAKY] + winetest_counts[WINETEST_TODO_FLAKY];
    unsigned int pid = GetCurrentProcessId();
    char buffer[24];

    winetest_lock_output();
    if (winetest_muted_counts[WINETEST_TODO] || winetest_muted_counts[WINETEST_SKIP] ||
        winetest_muted_counts[WINETEST_TRACE])
        printf( "%04x:%s:%s Silenced %d todos, %d skips and %d traces.\n", pid, winetest_current->name,
                winetest_elapsed( buffer ), (int)winetest_muted_counts[WINETEST_TODO],
                (int)winetest_muted_counts[WINETEST_SKIP], (int)winetest_muted_counts[WINETEST_TRACE] );
    printf( "%04x:%s:%s %d tests executed (%d marked as todo, %d as flaky, %d %s), %d skipped.\n", pid,
            winetest_current->name, winetest_elapsed( buffer ),
            (int)(winetest_counts[WINETEST_SUCCESS] + failures + flaky_failures + winetest_counts[WINETEST_TODO]),
            (int)winetest_counts[WINETEST_TODO], (int)flaky_failures, (int)failures,
            failures == 1 ? "failure" : "failures", (int)winetest_counts[WINETEST_SKIP] );
    winetest_unlock_output();
}

static int winetest_run_test( const char *name )
{
    LONG status;

    if (!(winetest_current = winetest_find_test( name )))
    {
        printf( "Fatal: test '%s' does not exist.\n", name );
        return 1;
    }
    winetest_current->func();

    /* Whoever wants to know, with WINEDEBUG=warn+heap, is told of damage then. */
    HeapValidate(GetProcessHeap(), 0, NULL);
    if (winetest_debug) winetest_print_summary();

    status = winetest_counts[WINETEST_FAILURE] + winetest_counts[WINETEST_TODO_SUCCESS];
    if (winetest_report_flaky) status += winetest_counts[WINETEST_FLAKY] + winetest_counts[WINETEST_TODO_FLAKY];
    return min( status, 255 );
}

#ifndef ENABLE_VIRTUAL_TERMINAL_PROCESSING
#define ENABLE_VIRTUAL_TERMINAL_PROCESSING 4
#endif

static BOOL winetest_enable_console_color( void )
{
    HANDLE output = GetStdHandle( STD_OUTPUT_HANDLE );
    DWORD mode;

    if (!GetConsoleMode( output, &mode )) return TRUE;
    return SetConsoleMode( output, mode | ENABLE_PROCESSED_OUTPUT | ENABLE_VIRTUAL_TERMINAL_PROCESSING );
}

static void winetest_read_settings( void )
{
    static const struct
    {
        const char *name;
        int *value;
    }
    numbers[] =
    {
        { "WINETEST_COLOR",          &winetest_color },
        { "WINETEST_DEBUG",          &winetest_debug },
        { "WINETEST_INTERACTIVE",    &winetest_interactive },
        { "WINETEST_REPORT_FLAKY",   &winetest_report_flaky },
        { "WINETEST_REPORT_SUCCESS", &winetest_report_success },
        { "WINETEST_TIME",           &winetest_time },
    };
    static char platform[128];
    HMODULE ntdll = GetModuleHandleA( "ntdll.dll" );
    char value[128];
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(numbers); i++)
        if (GetEnvironmentVariableA( numbers[i].name, value, sizeof(value) )) *numbers[i].value = atoi( value );

    if (GetEnvironmentVariableA( "WINETEST_COLOR", value, sizeof(value) ) && !strcmp( value, "auto" ))
        winetest_color = _isatty( 1 ) && winetest_enable_console_color();
    else if (winetest_color)
        winetest_enable_console_color();

    if (GetEnvironmentVariableA( "WINETEST_PLATFORM", platform, sizeof(platform) )) winetest_platform = platform;
    else if (ntdll && GetProcAddress( ntdll, "wine_get_version" )) winetest_platform = "wine";
    winetest_platform_is_wine = !strcmp( winetest_platform, "wine" );
}

#ifdef __GNUC__
/* mingw's start code would give the FPU another precision than Microsoft's compilers do. */
void _fpreset( void ) {}
#endif

int main( int argc, char **argv )
{
#if defined(__i386__) && defined(_iob) && !defined(_UCRT)
    /* With Wine's headers stdout would need a function that the C runtime of Windows XP lacks. */
    setvbuf( &_iob[1], NULL, _IONBF, 0 );
#else
    setvbuf( stdout, NULL, _IONBF, 0 );
#endif
    winetest_print_mutex = CreateMutexA( NULL, FALSE, "winetest_print_mutex" );
    winetest_argc = argc;
    winetest_argv = argv;
    if ((winetest_tls = TlsAlloc()) == TLS_OUT_OF_INDEXES) return 255;
    winetest_read_settings();
    winetest_start_ticks = winetest_print_ticks = GetTickCount();

    /* Wine's debugger gives a better report. */
    if (!strcmp( winetest_platform, "windows" )) SetUnhandledExceptionFilter( winetest_exception_filter );
    if (!winetest_interactive) SetErrorMode( SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX );

    if (argc > 1 && !strcmp( argv[1], "--list" ))
    {
        winetest_list_tests();
        return 0;
    }
    if (argc > 1) return winetest_run_test( argv[1] );
    if (winetest_testlist[0].name && !winetest_testlist[1].name)
        return winetest_run_test( winetest_testlist[0].name );

    printf( "Usage: %s test_name\n\n", argv[0] );
    winetest_list_tests();
    return 1;
}

#endif  /* STANDALONE */

#endif  /* __WINE_WINE_TEST_H */
