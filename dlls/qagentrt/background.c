/*
 * What the agent does by itself: timers, and noticing that a client has died
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

#include <stdarg.h>

#include "windef.h"
#include "winbase.h"
#include "objbase.h"

#include "qagentrt_private.h"

#define MAX_WATCHED (MAXIMUM_WAIT_OBJECTS - 1)

static struct timer *timers; /* the first due first */
static UINT64 sleeping_until;
static HANDLE thread, wake;
static BOOL stopping;

void background_wake(void)
{
    SetEvent(wake);
}

void timer_cancel(struct timer *timer)
{
    struct timer **entry = &timers;

    if (!timer->expire) return;
    while (*entry != timer) entry = &(*entry)->next;
    *entry = timer->next;
    timer->expire = NULL;
}

void timer_set(struct timer *timer, DWORD delay, void (*expire)(struct timer *timer))
{
    struct timer **entry = &timers;

    timer_cancel(timer);
    timer->due = GetTickCount64() + delay;
    timer->expire = expire;
    while (*entry && (*entry)->due <= timer->due) entry = &(*entry)->next;
    timer->next = *entry;
    *entry = timer;
    if (timer->due < sleeping_until) background_wake();
}

static DWORD run_timers(void)
{
    UINT64 now = GetTickCount64();
    void (*expire)(struct timer *timer);
    struct timer *timer;

    while ((timer = timers) && timer->due <= now)
    {
        expire = timer->expire;
        timer_cancel(timer);
        expire(timer);
    }

    sleeping_until = timer ? timer->due : ~(UINT64)0;
    return timer ? min(timer->due - now, INFINITE - 1) : INFINITE;
}

static DWORD WINAPI background_thread(void *context)
{
    HANDLE objects[MAXIMUM_WAIT_OBJECTS];
    struct client *watched[MAX_WATCHED];
    DWORD timeout, ret;
    UINT i, count, changes;

    objects[0] = wake;
    agent_lock();
    while (!stopping)
    {
        timeout = run_timers();
        count = client_get_processes(watched, objects + 1, MAX_WATCHED);
        changes = isolation_take_changes();
        agent_unlock();

        if (changes) isolation_publish(changes);
        ret = WaitForMultipleObjects(count + 1, objects, FALSE, timeout);

        agent_lock();
        sleeping_until = 0;
        if (ret > WAIT_OBJECT_0 && ret <= WAIT_OBJECT_0 + count) client_died(watched[ret - WAIT_OBJECT_0 - 1]);
        for (i = 0; i < count; i++) client_release(watched[i]);
    }
    agent_unlock();
    return 0;
}

BOOL background_start(void)
{
    stopping = FALSE;
    if (!(wake = CreateEventW(NULL, FALSE, FALSE, NULL))) return FALSE;
    if ((thread = CreateThread(NULL, 0, background_thread, NULL, 0, NULL))) return TRUE;
    CloseHandle(wake);
    wake = NULL;
    return FALSE;
}

void background_stop(void)
{
    agent_lock();
    stopping = TRUE;
    background_wake();
    agent_unlock();

    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    agent_lock();
    CloseHandle(wake);
    wake = NULL;
    agent_unlock();
}
