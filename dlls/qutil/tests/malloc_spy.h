/*
 * A spy on the task allocator: leaks, double frees, allocations that fail
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

#ifndef __QUTIL_TESTS_MALLOC_SPY_H
#define __QUTIL_TESTS_MALLOC_SPY_H

#include <stdarg.h>
#include "windef.h"
#include "winbase.h"
#include "objbase.h"
#include "wine/test.h"

struct spy_block
{
    char *ptr;
    SIZE_T size;
    BOOL counted;
    BOOL live;      /* once freed, a block stays listed to notice when it is freed again */
};

static struct spy_block *spy_table;
static unsigned int spy_table_count, spy_table_size;
static CRITICAL_SECTION spy_cs;
static BOOL spy_cs_ready;
static BOOL spy_registered;
static BOOL spy_knows_heap;         /* task memory comes from the process heap */
static BOOL spy_active;
static DWORD spy_thread;
static BOOL spy_any_thread;
static unsigned int spy_alloc_count;
static int spy_countdown;

/* what a Pre function leaves for the Post function that COM calls next */
static char *spy_old_ptr;
static SIZE_T spy_new_size;
static BOOL spy_new_counted;

static inline void spy_lock(void)
{
    if (!spy_cs_ready)
    {
        InitializeCriticalSection( &spy_cs );
        spy_cs_ready = TRUE;
    }
    EnterCriticalSection( &spy_cs );
}

static inline void spy_unlock(void)
{
    LeaveCriticalSection( &spy_cs );
}

static inline struct spy_block *spy_find( const void *ptr )
{
    unsigned int i;

    for (i = 0; i < spy_table_count; i++) if (spy_table[i].ptr == ptr) return &spy_table[i];
    return NULL;
}

static inline void spy_add( char *ptr, SIZE_T size, BOOL counted )
{
    struct spy_block *block = spy_find( ptr );

    if (!block)
    {
        if (spy_table_count == spy_table_size)
        {
            spy_table_size = spy_table_size * 2 + 256;
            spy_table = realloc( spy_table, spy_table_size * sizeof(*spy_table) );
        }
        block = &spy_table[spy_table_count++];
    }
    block->ptr = ptr;
    block->size = size;
    block->counted = counted;
    block->live = TRUE;
}

/* What succeeds is silent, since a check by the caller may be under way. */
static inline BOOL spy_check_block( const void *ptr )
{
    const struct spy_block *block = spy_find( ptr );

    if (!block)
    {
        if (!spy_knows_heap || HeapValidate( GetProcessHeap(), 0, ptr )) return TRUE;
        ok( 0, "%p isn't a block\n", ptr );
        return FALSE;
    }
    if (!block->live) ok( 0, "block %p of size %u was already freed\n", ptr, (unsigned int)block->size );
    else if (spy_knows_heap && !HeapValidate( GetProcessHeap(), 0, ptr ))
        ok( 0, "something was written behind block %p of size %u\n", ptr, (unsigned int)block->size );
    return block->live;
}

/* Returns FALSE if the request must fail. COM can't let a request for no bytes fail. */
static inline BOOL spy_begin_request( SIZE_T size )
{
    spy_new_size = size;
    spy_new_counted = spy_active && (spy_any_thread || GetCurrentThreadId() == spy_thread);
    if (!size || !spy_new_counted) return TRUE;
    spy_alloc_count++;
    return spy_countdown < 0 || spy_countdown--;
}

static HRESULT WINAPI spy_QueryInterface( IMallocSpy *iface, REFIID riid, void **obj )
{
    if (!IsEqualGUID( riid, &IID_IUnknown ) && !IsEqualGUID( riid, &IID_IMallocSpy ))
    {
        *obj = NULL;
        return E_NOINTERFACE;
    }
    *obj = iface;
    return S_OK;
}

static ULONG WINAPI spy_AddRef( IMallocSpy *iface )
{
    return 2;
}

static ULONG WINAPI spy_Release( IMallocSpy *iface )
{
    return 1;
}

static SIZE_T WINAPI spy_PreAlloc( IMallocSpy *iface, SIZE_T size )
{
    BOOL allowed;

    spy_lock();
    allowed = spy_begin_request( size );
    spy_unlock();
    return allowed ? size : 0;
}

static void * WINAPI spy_PostAlloc( IMallocSpy *iface, void *ptr )
{
    if (!ptr) return NULL;
    spy_lock();
    if (spy_active) memset( ptr, 0xcc, spy_new_size );
    spy_add( ptr, spy_new_size, spy_new_counted );
    spy_unlock();
    return ptr;
}

static void * WINAPI spy_PreFree( IMallocSpy *iface, void *ptr, BOOL spied )
{
    struct spy_block *block;

    if (!ptr) return NULL;
    spy_lock();
    if (!spy_check_block( ptr )) ptr = NULL;
    else if ((block = spy_find( ptr ))) block->live = FALSE;
    spy_unlock();
    return ptr;
}

static void WINAPI spy_PostFree( IMallocSpy *iface, BOOL spied )
{
}

static SIZE_T WINAPI spy_PreRealloc( IMallocSpy *iface, void *ptr, SIZE_T size, void **new_ptr, BOOL spied )
{
    struct spy_block *block;

    spy_lock();
    spy_old_ptr = *new_ptr = ptr;
    if (ptr && !spy_check_block( ptr ))
    {
        *new_ptr = NULL;
        size = 0;
    }
    else if (!spy_begin_request( size )) size = 0;
    else if (!size && (block = spy_find( ptr ))) block->live = FALSE;
    spy_unlock();
    return size;
}

static void * WINAPI spy_PostRealloc( IMallocSpy *iface, void *ptr, BOOL spied )
{
    struct spy_block *block;
    SIZE_T old_size = 0;

    if (!ptr) return NULL;
    spy_lock();
    if ((block = spy_find( spy_old_ptr )))
    {
        old_size = block->size;
        spy_new_counted = block->counted;
        block->live = FALSE;
    }
    else if (spy_old_ptr)
    {
        /* allocated before the spy came */
        old_size = spy_new_size;
        spy_new_counted = FALSE;
    }
    if (spy_active && spy_new_size > old_size) memset( (char *)ptr + old_size, 0xcc, spy_new_size - old_size );
    spy_add( ptr, spy_new_size, spy_new_counted );
    spy_unlock();
    return ptr;
}

static void * WINAPI spy_PreGetSize( IMallocSpy *iface, void *ptr, BOOL spied )
{
    return ptr;
}

static SIZE_T WINAPI spy_PostGetSize( IMallocSpy *iface, SIZE_T size, BOOL spied )
{
    return size;
}

static void * WINAPI spy_PreDidAlloc( IMallocSpy *iface, void *ptr, BOOL spied )
{
    return ptr;
}

static int WINAPI spy_PostDidAlloc( IMallocSpy *iface, void *ptr, BOOL spied, int did_alloc )
{
    return did_alloc;
}

static void WINAPI spy_PreHeapMinimize( IMallocSpy *iface )
{
}

static void WINAPI spy_PostHeapMinimize( IMallocSpy *iface )
{
}

static const IMallocSpyVtbl spy_vtbl =
{
    spy_QueryInterface,
    spy_AddRef,
    spy_Release,
    spy_PreAlloc,
    spy_PostAlloc,
    spy_PreFree,
    spy_PostFree,
    spy_PreRealloc,
    spy_PostRealloc,
    spy_PreGetSize,
    spy_PostGetSize,
    spy_PreDidAlloc,
    spy_PostDidAlloc,
    spy_PreHeapMinimize,
    spy_PostHeapMinimize
};

static IMallocSpy spy = { (IMallocSpyVtbl *)&spy_vtbl };

/* Starts counting what this thread allocates from now on. */
static inline void spy_start(void)
{
    unsigned int i;
    void *ptr;
    HRESULT hr;

    if (!spy_registered)
    {
        ptr = CoTaskMemAlloc( 1 );
        spy_knows_heap = HeapValidate( GetProcessHeap(), 0, ptr );
        CoTaskMemFree( ptr );
    }
    hr = CoRegisterMallocSpy( &spy );
    ok( hr == S_OK || (spy_registered && hr == CO_E_OBJISREG), "got hr %#lx\n", hr );
    spy_registered = TRUE;

    spy_lock();
    for (i = 0; i < spy_table_count; i++) spy_table[i].counted = FALSE;
    spy_thread = GetCurrentThreadId();
    spy_any_thread = FALSE;
    spy_alloc_count = 0;
    spy_countdown = -1;
    spy_active = TRUE;
    spy_unlock();
}

/* Leaves the spy registered: COM would give up a revoked one at some later time, when the last of its blocks is
 * freed. It still notices blocks that are freed twice. */
static inline void spy_stop(void)
{
    spy_lock();
    spy_active = FALSE;
    spy_unlock();
}

/* Whether the requests of all threads count, and may fail, or only those of the thread that started. */
static inline void spy_all_threads( BOOL all )
{
    spy_lock();
    spy_any_thread = all;
    spy_unlock();
}

/* Returns the number of requests for memory, including those that failed, excluding those for no bytes. */
static inline unsigned int spy_allocs(void)
{
    return spy_alloc_count;
}

/* Lets one request fail: 0 for the next one, 1 for the one after it; -1 for none. */
static inline void spy_fail_at( int n )
{
    spy_lock();
    spy_countdown = n;
    spy_unlock();
}

/* Forgets the number of requests and a failure still to come, but not the blocks. */
static inline void spy_reset(void)
{
    spy_lock();
    spy_alloc_count = 0;
    spy_countdown = -1;
    spy_unlock();
}

static inline unsigned int spy_blocks(void)
{
    unsigned int i, count = 0;

    spy_lock();
    for (i = 0; i < spy_table_count; i++) if (spy_table[i].live && spy_table[i].counted) count++;
    spy_unlock();
    return count;
}

/* Returns the size that was asked for, ~0 if it isn't the start of a live block. */
static inline SIZE_T spy_block_size( const void *ptr )
{
    const struct spy_block *block;
    SIZE_T size = ~(SIZE_T)0;

    spy_lock();
    if ((block = spy_find( ptr )) && block->live) size = block->size;
    spy_unlock();
    return size;
}

static inline BOOL spy_is_block( const void *ptr )
{
    return spy_block_size( ptr ) != ~(SIZE_T)0;
}

#define ok_balanced() ok_balanced_( __FILE__, __LINE__ )
static inline void ok_balanced_( const char *file, int line )
{
    unsigned int count = spy_blocks(), i;

    ok_( file, line )( !count, "%u blocks are live\n", count );
    spy_lock();
    for (i = 0; i < spy_table_count; i++)
        if (spy_table[i].live && spy_table[i].counted)
            trace_( file, line )( "block %p of size %u\n", spy_table[i].ptr, (unsigned int)spy_table[i].size );
    spy_unlock();
}

#endif
