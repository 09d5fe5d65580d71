/*
 * Hooks in a DLL's imports, of the C heap above all: leaks, double frees, allocations that fail
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

#ifndef __TESTS_HEAP_HEAP_HOOKS_H
#define __TESTS_HEAP_HEAP_HOOKS_H

#include <stddef.h>

#include "../../dlls/qutil/tests/malloc_spy.h"

/* What the DLL gets for a block of the C heap; neither that heap nor any other knows the pointer. */
struct block
{
    struct block *next;
    SIZE_T size;
    BYTE data[1];
};

static struct block *blocks;
static unsigned int block_count, timer_count, request_count;

static HANDLE (WINAPI *pCreateEventW)(SECURITY_ATTRIBUTES *, BOOL, BOOL, const WCHAR *);
static HANDLE (WINAPI *pCreateThread)(SECURITY_ATTRIBUTES *, SIZE_T, LPTHREAD_START_ROUTINE, void *, DWORD, DWORD *);
static TP_TIMER *(WINAPI *pCreateThreadpoolTimer)(PTP_TIMER_CALLBACK, void *, TP_CALLBACK_ENVIRON *);
static void (WINAPI *pCloseThreadpoolTimer)(TP_TIMER *);

/* One numbering with the requests for CoTaskMem, which the spy sees by itself, and of which another thread may be in the
 * middle. */
static BOOL request(SIZE_T size)
{
    BOOL granted, new_counted;
    SIZE_T new_size;

    spy_lock();
    ++request_count;
    new_size = spy_new_size;
    new_counted = spy_new_counted;
    granted = spy_begin_request(size);
    spy_new_size = new_size;
    spy_new_counted = new_counted;
    spy_unlock();
    return granted;
}

/* As with the spy, what succeeds is silent. */
static struct block **find_block(const void *data)
{
    struct block **link = &blocks;

    while (*link && (*link)->data != data)
        link = &(*link)->next;
    if (!*link)
        ok(0, "%p isn't a block, or was already freed.\n", data);
    return link;
}

static void free_block(void *data)
{
    struct block **link, *block;

    if (!data)
        return;
    spy_lock();
    if ((block = *(link = find_block(data))))
    {
        *link = block->next;
        --block_count;
        memset(block->data, 0xdd, block->size);
        free(block);
    }
    spy_unlock();
}

/* A block that grows moves. */
static void *alloc_block(void *data, SIZE_T size, BOOL zeroed)
{
    struct block *block = NULL, *old;

    spy_lock();
    old = data ? *find_block(data) : NULL;
    if (request(size) && (block = malloc(offsetof(struct block, data[size]))))
    {
        memset(block->data, zeroed ? 0 : 0xcc, size);
        if (old)
        {
            memcpy(block->data, data, min(size, old->size));
            free_block(data);
        }
        block->size = size;
        block->next = blocks;
        blocks = block;
        ++block_count;
    }
    spy_unlock();
    return block ? block->data : NULL;
}

static void * __cdecl hook_malloc(size_t size)
{
    return alloc_block(NULL, size, FALSE);
}

static void * __cdecl hook_calloc(size_t count, size_t size)
{
    return alloc_block(NULL, count * size, TRUE);
}

static void * __cdecl hook_realloc(void *data, size_t size)
{
    return alloc_block(data, size, FALSE);
}

static void __cdecl hook_free(void *data)
{
    free_block(data);
}

static void * WINAPI hook_HeapAlloc(HANDLE heap, DWORD flags, SIZE_T size)
{
    return alloc_block(NULL, size, flags & HEAP_ZERO_MEMORY);
}

static void * WINAPI hook_HeapReAlloc(HANDLE heap, DWORD flags, void *data, SIZE_T size)
{
    return alloc_block(data, size, flags & HEAP_ZERO_MEMORY);
}

static BOOL WINAPI hook_HeapFree(HANDLE heap, DWORD flags, void *data)
{
    free_block(data);
    return TRUE;
}

/* What isn't memory may lack, too. */
static HANDLE WINAPI hook_CreateEventW(SECURITY_ATTRIBUTES *attributes, BOOL manual, BOOL set, const WCHAR *name)
{
    if (request(sizeof(void *)))
        return pCreateEventW(attributes, manual, set, name);
    SetLastError(ERROR_NO_SYSTEM_RESOURCES);
    return NULL;
}

static HANDLE WINAPI hook_CreateThread(SECURITY_ATTRIBUTES *attributes, SIZE_T size, LPTHREAD_START_ROUTINE start,
        void *arg, DWORD flags, DWORD *id)
{
    if (request(sizeof(void *)))
        return pCreateThread(attributes, size, start, arg, flags, id);
    SetLastError(ERROR_NO_SYSTEM_RESOURCES);
    return NULL;
}

static TP_TIMER * WINAPI hook_CreateThreadpoolTimer(PTP_TIMER_CALLBACK callback, void *context,
        TP_CALLBACK_ENVIRON *environment)
{
    if (!request(sizeof(void *)))
        return NULL;
    ++timer_count;
    return pCreateThreadpoolTimer(callback, context, environment);
}

static void WINAPI hook_CloseThreadpoolTimer(TP_TIMER *timer)
{
    --timer_count;
    pCloseThreadpoolTimer(timer);
}

struct hook
{
    const char *name;
    void *hook;
    BOOL allocates;
    void *original; /* a pointer to the function is stored there */
};

/* Hooks imports by their names, whichever DLL they come from. Returns the number of those that allocate. */
static unsigned int hook_functions(HMODULE module, const struct hook *hooks, unsigned int hook_count)
{
    char *base = (char *)module;
    const IMAGE_NT_HEADERS *nt = (IMAGE_NT_HEADERS *)(base + ((IMAGE_DOS_HEADER *)base)->e_lfanew);
    DWORD rva = nt->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_IMPORT].VirtualAddress, protect;
    const IMAGE_IMPORT_DESCRIPTOR *dll;
    IMAGE_THUNK_DATA *name, *thunk;
    unsigned int i, count = 0;
    BOOL ret;

    if (!rva)
        return 0;
    for (dll = (IMAGE_IMPORT_DESCRIPTOR *)(base + rva); dll->OriginalFirstThunk; ++dll)
    {
        name = (IMAGE_THUNK_DATA *)(base + dll->OriginalFirstThunk);
        thunk = (IMAGE_THUNK_DATA *)(base + dll->FirstThunk);
        for (; name->u1.AddressOfData; ++name, ++thunk)
        {
            if (IMAGE_SNAP_BY_ORDINAL(name->u1.Ordinal))
                continue;
            for (i = 0; i < hook_count; ++i)
            {
                if (strcmp((char *)((IMAGE_IMPORT_BY_NAME *)(base + name->u1.AddressOfData))->Name, hooks[i].name))
                    continue;
                ret = VirtualProtect(thunk, sizeof(*thunk), PAGE_READWRITE, &protect);
                ok(ret, "Failed to unprotect %s, error %lu.\n", hooks[i].name, GetLastError());
                if (hooks[i].original)
                    *(void **)hooks[i].original = (void *)thunk->u1.Function;
                thunk->u1.Function = (ULONG_PTR)hooks[i].hook;
                count += hooks[i].allocates;
            }
        }
    }
    return count;
}

static unsigned int hook_imports(HMODULE module)
{
    static const struct hook hooks[] =
    {
        {"malloc", hook_malloc, TRUE},
        {"calloc", hook_calloc, TRUE},
        {"realloc", hook_realloc, TRUE},
        {"free", hook_free},
        {"HeapAlloc", hook_HeapAlloc, TRUE},
        {"HeapReAlloc", hook_HeapReAlloc, TRUE},
        {"HeapFree", hook_HeapFree},
        {"CreateEventW", hook_CreateEventW, FALSE, &pCreateEventW},
        {"CreateThread", hook_CreateThread, FALSE, &pCreateThread},
        {"CreateThreadpoolTimer", hook_CreateThreadpoolTimer, FALSE, &pCreateThreadpoolTimer},
        {"CloseThreadpoolTimer", hook_CloseThreadpoolTimer, FALSE, &pCloseThreadpoolTimer},
    };

    return hook_functions(module, hooks, ARRAY_SIZE(hooks));
}

#endif
