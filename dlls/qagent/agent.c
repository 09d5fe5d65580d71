/*
 * The tie to the Network Access Protection agent
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

#define COBJMACROS

#include <stdarg.h>
#include <stdlib.h>
#include <wchar.h>

#include "windef.h"
#include "winbase.h"
#include "winsvc.h"
#include "winternl.h"
#include "objbase.h"

#include "wine/debug.h"

#include "qagent_private.h"

WINE_DEFAULT_DEBUG_CHANNEL(qagent);

/* milliseconds */
#define START_TIMEOUT 30000
#define START_INTERVAL   50
#define BIND_INTERVAL   250

#define MAX_ATTEMPTS 3

/* The thread's call, or none. It knows the blocks of its reply, since nobody else can free those of one that breaks off. */
static DWORD attempt_slot = TLS_OUT_OF_INDEXES;

void * __RPC_USER MIDL_user_allocate(SIZE_T size)
{
    struct agent_attempt *attempt = TlsGetValue(attempt_slot);
    void *block;

    if (attempt->block_count == ARRAY_SIZE(attempt->blocks) || !(block = CoTaskMemAlloc(size))) return NULL;
    return attempt->blocks[attempt->block_count++] = block;
}

void __RPC_USER MIDL_user_free(void *ptr)
{
    struct agent_attempt *attempt = TlsGetValue(attempt_slot);
    UINT i;

    for (i = 0; i < attempt->block_count; i++)
    {
        if (attempt->blocks[i] == ptr) attempt->blocks[i] = attempt->blocks[--attempt->block_count];
    }
    CoTaskMemFree(ptr);
}

static void free_reply(struct agent_attempt *attempt)
{
    while (attempt->block_count) CoTaskMemFree(attempt->blocks[--attempt->block_count]);
}

/* A binding handle, and the RPC connections that come of it. It isn't used again once a call has failed: what follows
 * mustn't meet a connection to an agent that is gone, nor name its association group, which the next one doesn't know.
 * Wine keeps that as long as it believes that a connection is left, and it miscounts those that couldn't be made. */
struct agent_tie
{
    LONG refcount;
    handle_t handle;
};

static SRWLOCK tie_lock = SRWLOCK_INIT;
static struct agent_tie *current_tie;

static struct agent_tie *create_tie(void)
{
    static LONG last;
    WCHAR protseq[] = NAPAGENT_PROTSEQ, endpoint[] = NAPAGENT_ENDPOINT, options[16], *string;
    struct agent_tie *tie;
    RPC_STATUS status;

    if (!(tie = malloc(sizeof(*tie)))) return NULL;
    tie->refcount = 1;
    /* All that have the same string share their connections. */
    swprintf(options, ARRAY_SIZE(options), L"tie=%08lx", InterlockedIncrement(&last));
    if (!(status = RpcStringBindingComposeW(NULL, (RPC_WSTR)protseq, NULL, (RPC_WSTR)endpoint, (RPC_WSTR)options,
                                            (RPC_WSTR *)&string)))
    {
        status = RpcBindingFromStringBindingW((RPC_WSTR)string, &tie->handle);
        RpcStringFreeW((RPC_WSTR *)&string);
    }
    if (!status) return tie;
    ERR("Failed to make a binding handle, status %ld.\n", status);
    free(tie);
    return NULL;
}

static void release_tie(struct agent_tie *tie)
{
    if (InterlockedDecrement(&tie->refcount)) return;
    RpcBindingFree(&tie->handle);
    free(tie);
}

static struct agent_tie *take_tie(void)
{
    struct agent_tie *tie;

    AcquireSRWLockExclusive(&tie_lock);
    if ((tie = current_tie) || (tie = current_tie = create_tie())) InterlockedIncrement(&tie->refcount);
    ReleaseSRWLockExclusive(&tie_lock);
    return tie;
}

static void cut_tie(struct agent_tie *tie)
{
    BOOL cut;

    AcquireSRWLockExclusive(&tie_lock);
    if ((cut = tie && current_tie == tie)) current_tie = NULL;
    ReleaseSRWLockExclusive(&tie_lock);
    if (cut) release_tie(tie);
}

BOOL agent_init(void)
{
    return (attempt_slot = TlsAlloc()) != TLS_OUT_OF_INDEXES;
}

void agent_exit(void)
{
    cut_tie(current_tie);
    TlsFree(attempt_slot);
}

static void end_attempt(struct agent_attempt *attempt, HRESULT hr)
{
    TlsSetValue(attempt_slot, NULL);
    if (FAILED(hr)) free_reply(attempt);
    if (attempt->exception) cut_tie(attempt->tie);
    release_tie(attempt->tie);
}

/* Returns whether to make a call: a first time, or once more when it certainly hasn't been. */
BOOL agent_attempt(struct agent_attempt *attempt, HRESULT hr, handle_t *handle)
{
    if (attempt->tie)
    {
        end_attempt(attempt, hr);
        if (attempt->exception != RPC_S_CALL_FAILED_DNE || attempt->count == MAX_ATTEMPTS) return FALSE;
    }
    attempt->exception = 0;
    attempt->count++;
    if (!(attempt->tie = take_tie())) return FALSE;
    if (!TlsSetValue(attempt_slot, attempt))
    {
        release_tie(attempt->tie);
        return FALSE;
    }
    *handle = attempt->tie->handle;
    return TRUE;
}

LONG CALLBACK agent_filter(EXCEPTION_POINTERS *eptr)
{
    return I_RpcExceptionFilter(eptr->ExceptionRecord->ExceptionCode);
}

HRESULT agent_error(DWORD exception)
{
    /* What is raised when the agent isn't there, dies in a call, is about to stop, or has but begun to listen */
    static const DWORD disconnected[] =
    {
        RPC_S_SERVER_UNAVAILABLE,
        RPC_S_SERVER_TOO_BUSY,
        RPC_S_CALL_FAILED,
        RPC_S_CALL_FAILED_DNE,
        RPC_S_CALL_CANCELLED,
        RPC_S_COMM_FAILURE,
        RPC_S_NOT_LISTENING,
        RPC_S_NO_ENDPOINT_FOUND,
        RPC_S_PROTOCOL_ERROR,
        RPC_S_UNKNOWN_IF,
        EPT_S_NOT_REGISTERED,
    };
    UINT i;

    WARN("exception %lu.\n", exception);

    for (i = 0; i < ARRAY_SIZE(disconnected); i++)
    {
        if (exception == disconnected[i]) return RPC_E_DISCONNECTED;
    }
    return exception == RPC_S_OUT_OF_RESOURCES ? E_OUTOFMEMORY : HRESULT_FROM_WIN32(exception);
}

static BOOL is_listening(void)
{
    struct agent_tie *tie;
    BOOL ret;

    if (!(tie = take_tie())) return FALSE;
    if (!(ret = RpcMgmtIsServerListening(tie->handle) == RPC_S_OK)) cut_tie(tie);
    release_tie(tie);
    return ret;
}

/* S_FALSE: it isn't running yet. Wine may take the handle of a service whose process dies for invalid from then on. */
static HRESULT service_error(DWORD error)
{
    WARN("error %lu.\n", error);

    switch (error)
    {
    case ERROR_INVALID_HANDLE:
    case ERROR_SERVICE_ALREADY_RUNNING:
    case ERROR_SERVICE_DATABASE_LOCKED:
        return S_FALSE;
    case ERROR_ACCESS_DENIED:
        return E_ACCESSDENIED;
    default:
        return RPC_E_DISCONNECTED;
    }
}

static HRESULT start_service(SC_HANDLE service, BOOL *started)
{
    SERVICE_STATUS status;

    if (!QueryServiceStatus(service, &status)) return service_error(GetLastError());
    if (status.dwCurrentState == SERVICE_RUNNING && is_listening()) return S_OK;
    if (status.dwCurrentState == SERVICE_STOPPED && *started) return RPC_E_DISCONNECTED;
    if (status.dwCurrentState != SERVICE_STOPPED && status.dwCurrentState != SERVICE_RUNNING) return S_FALSE;

    if (!StartServiceW(service, 0, NULL)) return service_error(GetLastError());
    *started = TRUE;
    return S_FALSE;
}

static HRESULT open_and_start_service(BOOL *started)
{
    SC_HANDLE manager, service;
    HRESULT hr;

    if (!(manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT))) return service_error(GetLastError());
    if ((service = OpenServiceW(manager, NAPAGENT_SERVICE, SERVICE_START | SERVICE_QUERY_STATUS)))
    {
        hr = start_service(service, started);
        CloseServiceHandle(service);
    }
    else hr = service_error(GetLastError());
    CloseServiceHandle(manager);
    return hr;
}

/* Starts the service and waits for it. Whoever doesn't do without it calls this after RPC_E_DISCONNECTED. */
HRESULT agent_start(void)
{
    DWORD begin = GetTickCount();
    BOOL started = FALSE;
    HRESULT hr;

    while ((hr = open_and_start_service(&started)) == S_FALSE)
    {
        if (GetTickCount() - begin > START_TIMEOUT)
        {
            WARN("The service doesn't start.\n");
            return RPC_E_DISCONNECTED;
        }
        Sleep(START_INTERVAL);
    }
    TRACE("started %d, hr %#lx.\n", started, hr);
    return hr;
}

/* ---- the client's object, in the binding's thread ---- */

static IGlobalInterfaceTable *create_git(void)
{
    IGlobalInterfaceTable *git;

    if (FAILED(CoCreateInstance(&CLSID_StdGlobalInterfaceTable, NULL, CLSCTX_INPROC_SERVER,
                                &IID_IGlobalInterfaceTable, (void **)&git)))
        return NULL;
    return git;
}

static BOOL is_in_sta(void)
{
    APTTYPEQUALIFIER qualifier;
    APTTYPE type;

    return SUCCEEDED(CoGetApartmentType(&type, &qualifier)) && (type == APTTYPE_STA || type == APTTYPE_MAINSTA);
}

static HRESULT hold_callback(struct agent_binding *binding, IUnknown *callback)
{
    IGlobalInterfaceTable *git;
    HRESULT hr;

    if (!is_in_sta())
    {
        binding->callback = callback;
        IUnknown_AddRef(callback);
        return S_OK;
    }
    if (!(git = create_git())) return E_OUTOFMEMORY;
    hr = IGlobalInterfaceTable_RegisterInterfaceInGlobal(git, callback, binding->role->callback_iid,
            &binding->git_cookie);
    IGlobalInterfaceTable_Release(git);
    return hr;
}

static HRESULT find_callback(struct agent_binding *binding)
{
    IGlobalInterfaceTable *git;
    HRESULT hr;

    if (binding->callback) return S_OK;
    if (!(git = create_git())) return E_OUTOFMEMORY;
    hr = IGlobalInterfaceTable_GetInterfaceFromGlobal(git, binding->git_cookie, binding->role->callback_iid,
            (void **)&binding->callback);
    IGlobalInterfaceTable_Release(git);
    return hr;
}

static void release_callback(struct agent_binding *binding)
{
    IGlobalInterfaceTable *git;

    if (binding->callback) IUnknown_Release(binding->callback);
    binding->callback = NULL;
    if (binding->git_cookie && (git = create_git()))
    {
        IGlobalInterfaceTable_RevokeInterfaceFromGlobal(git, binding->git_cookie);
        IGlobalInterfaceTable_Release(git);
    }
    binding->git_cookie = 0;
}

/* ---- bindings ---- */

static struct agent_binding *binding_create(const struct agent_role *role, NapComponentId id)
{
    struct agent_binding *binding;

    if (!(binding = calloc(1, sizeof(*binding)))) return NULL;
    binding->refcount = 1;
    binding->role = role;
    binding->id = id;
    InitializeSRWLock(&binding->lock);
    binding->stop_event = CreateEventW(NULL, TRUE, FALSE, NULL);
    binding->quiet_event = CreateEventW(NULL, TRUE, FALSE, NULL);
    binding->end_event = CreateEventW(NULL, TRUE, FALSE, NULL);
    binding->idle_event = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (!binding->stop_event || !binding->quiet_event || !binding->end_event || !binding->idle_event)
    {
        agent_binding_release(binding);
        return NULL;
    }
    return binding;
}

void agent_binding_addref(struct agent_binding *binding)
{
    InterlockedIncrement(&binding->refcount);
}

void agent_binding_release(struct agent_binding *binding)
{
    if (InterlockedDecrement(&binding->refcount)) return;

    if (binding->stop_event) CloseHandle(binding->stop_event);
    if (binding->quiet_event) CloseHandle(binding->quiet_event);
    if (binding->end_event) CloseHandle(binding->end_event);
    if (binding->idle_event) CloseHandle(binding->idle_event);
    free(binding);
}

static enum agent_binding_state get_state(struct agent_binding *binding)
{
    enum agent_binding_state state;

    AcquireSRWLockShared(&binding->lock);
    state = binding->closing ? AGENT_UNBOUND : binding->state;
    ReleaseSRWLockShared(&binding->lock);
    return state;
}

static void set_state(struct agent_binding *binding, enum agent_binding_state state)
{
    TRACE("kind %u, id %#x, state %u.\n", binding->role->kind, binding->id, state);

    AcquireSRWLockExclusive(&binding->lock);
    binding->state = state;
    ReleaseSRWLockExclusive(&binding->lock);
}

static HRESULT unbind_guid(const struct agent_binding *binding, const GUID *guid)
{
    HRESULT hr;

    AGENT_CALL(hr, napagent_unbind(agent_handle, binding->role->kind, binding->id, guid));
    TRACE("hr %#lx.\n", hr);
    return hr;
}

/* Returns FALSE when it has been closed in the meantime. */
static BOOL publish(struct agent_binding *binding, const GUID *guid)
{
    BOOL ret;

    AcquireSRWLockExclusive(&binding->lock);
    if ((ret = !binding->closing))
    {
        binding->guid = *guid;
        binding->state = AGENT_BOUND;
    }
    ReleaseSRWLockExclusive(&binding->lock);
    if (!ret) unbind_guid(binding, guid);
    return ret;
}

/* Returns FALSE when there are to be no more. */
static BOOL begin_callback(struct agent_binding *binding)
{
    BOOL ret;

    AcquireSRWLockExclusive(&binding->lock);
    ret = binding->calling = !binding->ending && !binding->closing;
    ReleaseSRWLockExclusive(&binding->lock);
    return ret;
}

BOOL agent_is_ending(struct agent_binding *binding)
{
    BOOL ret;

    AcquireSRWLockShared(&binding->lock);
    ret = binding->ending || binding->closing;
    ReleaseSRWLockShared(&binding->lock);
    return ret;
}

static void end_callback(struct agent_binding *binding)
{
    AcquireSRWLockExclusive(&binding->lock);
    binding->calling = FALSE;
    SetEvent(binding->quiet_event);
    ReleaseSRWLockExclusive(&binding->lock);
}

static HRESULT make_callback(struct agent_binding *binding, struct agent_callback *callback)
{
    HRESULT (*make)(struct agent_callback *) = NULL;
    HRESULT hr;

    TRACE("kind %u, id %#x, type %u, serial %u.\n", binding->role->kind, binding->id, callback->call.type,
          callback->call.serial);

    if ((UINT)callback->call.type < NAPAGENT_CALL_COUNT) make = binding->role->callbacks[callback->call.type];
    if (!make) return E_NOTIMPL;
    if (FAILED(hr = find_callback(binding))) return hr;

    callback->binding = binding;
    callback->object = binding->callback;
    callback->id = binding->id;
    if (!begin_callback(binding)) return NAP_E_NOT_INITIALIZED;
    hr = make(callback);
    end_callback(binding);
    TRACE("hr %#lx.\n", hr);
    return hr;
}

/* Makes callbacks until there are no more. NAP_E_NOT_INITIALIZED: there won't be any. */
static HRESULT serve(struct agent_binding *binding, const GUID *guid)
{
    static const BYTE nothing;
    struct agent_callback callback = { 0 };
    napagent_result result = { 0 };
    HRESULT hr;

    for (;;)
    {
        UINT32 reply_size = callback.reply_size;
        BYTE *reply = callback.reply;

        memset(&callback, 0, sizeof(callback));
        AGENT_CALL(hr, napagent_next_call(agent_handle, guid, &result, reply_size, reply ? reply : &nothing,
                &callback.call, &callback.soh_size, &callback.soh, &callback.last_size, &callback.last_soh));
        free(reply);
        if (FAILED(hr)) return hr;
        if (callback.call.type == NAPAGENT_CALL_UNBOUND) hr = NAP_E_NOT_INITIALIZED;
        else if (get_state(binding) == AGENT_UNBOUND)
        {
            /* Whoever has closed it couldn't tell the agent. */
            unbind_guid(binding, guid);
            hr = NAP_E_NOT_INITIALIZED;
        }
        else if (callback.call.type != NAPAGENT_CALL_NONE) result.hr = make_callback(binding, &callback);

        CoTaskMemFree(callback.soh);
        CoTaskMemFree(callback.last_soh);
        if (FAILED(hr)) return hr;
        result.serial = callback.call.serial;
        result.flags = callback.flags;
    }
}

/* Returns FALSE when it can't be any more. */
static BOOL bind_again(struct agent_binding *binding, GUID *guid)
{
    const struct agent_role *role = binding->role;
    GUID old = *guid;
    HRESULT hr;

    set_state(binding, AGENT_DISCONNECTED);
    while (WaitForSingleObject(binding->stop_event, BIND_INTERVAL) == WAIT_TIMEOUT)
    {
        AGENT_CALL(hr, napagent_bind(agent_handle, role->kind, binding->id, TRUE, guid));
        if (hr == NAP_E_NOT_REGISTERED || hr == NAP_E_ENTITY_DISABLED)
        {
            WARN("kind %u, id %#x can't be bound any more, hr %#lx.\n", role->kind, binding->id, hr);
            return FALSE;
        }
        /* In case it was but the connection that broke. Otherwise somebody else was faster, and may go away again. */
        if (hr == HRESULT_FROM_WIN32(ERROR_ALREADY_INITIALIZED)
                && unbind_guid(binding, &old) == NAP_E_NOT_INITIALIZED)
            old = GUID_NULL;
        if (FAILED(hr)) continue;

        old = *guid;
        if (!role->bound_again || SUCCEEDED(role->bound_again(binding, guid))) return publish(binding, guid);
        unbind_guid(binding, guid);
    }
    return FALSE;
}

static DWORD CALLBACK binding_thread(void *arg)
{
    struct agent_binding *binding = arg;
    GUID guid = binding->guid, logical_thread;

    CoInitializeEx(NULL, COINIT_MULTITHREADED);
    if (SUCCEEDED(CoGetCurrentLogicalThreadId(&logical_thread)))
    {
        AcquireSRWLockExclusive(&binding->lock);
        binding->logical_thread = logical_thread;
        ReleaseSRWLockExclusive(&binding->lock);
    }

    while (serve(binding, &guid) != NAP_E_NOT_INITIALIZED && bind_again(binding, &guid)) ;

    set_state(binding, AGENT_UNBOUND);
    release_callback(binding);
    CoUninitialize();
    SetEvent(binding->end_event);
    agent_binding_release(binding);
    FreeLibraryAndExitThread(qagent_instance, 0);
}

static BOOL start_thread(struct agent_binding *binding)
{
    HMODULE module;
    HANDLE thread;

    if (!GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, (const WCHAR *)binding_thread, &module))
        return FALSE;
    agent_binding_addref(binding);
    if (!(thread = CreateThread(NULL, 0, binding_thread, binding, 0, NULL)))
    {
        agent_binding_release(binding);
        FreeLibrary(module);
        return FALSE;
    }
    CloseHandle(thread);
    return TRUE;
}

/* ---- for the objects that can be bound ---- */

static struct agent_binding *get_binding(struct agent_client *client)
{
    struct agent_binding *binding;

    AcquireSRWLockShared(&client->lock);
    if ((binding = client->binding)) agent_binding_addref(binding);
    ReleaseSRWLockShared(&client->lock);
    return binding;
}

/* A callback of one that was dropped may still run. */
static BOOL is_in_use(const struct agent_binding *binding)
{
    return WaitForSingleObject(binding->end_event, 0) == WAIT_TIMEOUT
            || WaitForSingleObject(binding->idle_event, 0) == WAIT_TIMEOUT;
}

/* With the lock held, unless nobody has the object any more */
static void forget_earlier(struct agent_client *client, BOOL all)
{
    struct agent_binding **next = &client->earlier, *binding;

    while ((binding = *next))
    {
        if (!all && is_in_use(binding)) next = &binding->next;
        else
        {
            *next = binding->next;
            agent_binding_release(binding);
        }
    }
}

/* Puts one in the place of another, unless somebody else has. */
static BOOL replace_binding(struct agent_client *client, struct agent_binding *old, struct agent_binding *new)
{
    BOOL ret;

    AcquireSRWLockExclusive(&client->lock);
    if ((ret = client->binding == old))
    {
        client->binding = new;
        forget_earlier(client, FALSE);
        if (old)
        {
            old->next = client->earlier;
            client->earlier = old;
        }
    }
    ReleaseSRWLockExclusive(&client->lock);
    return ret;
}

/* One of those before that is in use */
static struct agent_binding *get_earlier(struct agent_client *client)
{
    struct agent_binding *binding;

    AcquireSRWLockExclusive(&client->lock);
    forget_earlier(client, FALSE);
    if ((binding = client->earlier)) agent_binding_addref(binding);
    ReleaseSRWLockExclusive(&client->lock);
    return binding;
}

/* No method can begin, and the thread doesn't bind again. Returns whether it is bound yet. */
static BOOL close_binding(struct agent_binding *binding)
{
    BOOL ret;

    AcquireSRWLockExclusive(&binding->lock);
    binding->closing = TRUE;
    ret = binding->state == AGENT_BOUND;
    if (!binding->running) SetEvent(binding->idle_event);
    ReleaseSRWLockExclusive(&binding->lock);
    SetEvent(binding->stop_event);
    return ret;
}

static void wait_for_event(HANDLE event)
{
    DWORD index;

    if (RtlDllShutdownInProgress()) return; /* There are no other threads any more. */
    while (FAILED(CoWaitForMultipleHandles(0, INFINITE, 1, &event, &index)))
    {
        if (WaitForSingleObject(event, 0) != WAIT_TIMEOUT) break;
        Sleep(1);
    }
}

static BOOL has_thread(struct agent_binding *binding, const GUID *logical_thread)
{
    BOOL ret;

    AcquireSRWLockShared(&binding->lock);
    ret = IsEqualGUID(logical_thread, &binding->logical_thread);
    ReleaseSRWLockShared(&binding->lock);
    return ret;
}

/* Whether a callback of the object leads here. It can't be waited for, nor can those that may be waiting for it. */
static BOOL is_in_callback(struct agent_client *client)
{
    struct agent_binding *binding;
    GUID logical_thread;
    BOOL ret;

    if (FAILED(CoGetCurrentLogicalThreadId(&logical_thread))) return FALSE;
    AcquireSRWLockShared(&client->lock);
    ret = client->binding && has_thread(client->binding, &logical_thread);
    for (binding = client->earlier; binding && !ret; binding = binding->next)
        ret = has_thread(binding, &logical_thread);
    ReleaseSRWLockShared(&client->lock);
    return ret;
}

/* No callback begins from now on; one that runs may still use the binding. */
static void forbid_callbacks(struct agent_binding *binding)
{
    AcquireSRWLockExclusive(&binding->lock);
    binding->ending = TRUE;
    if (binding->calling) ResetEvent(binding->quiet_event);
    else SetEvent(binding->quiet_event);
    ReleaseSRWLockExclusive(&binding->lock);
}

static void allow_callbacks(struct agent_binding *binding)
{
    AcquireSRWLockExclusive(&binding->lock);
    binding->ending = FALSE;
    ReleaseSRWLockExclusive(&binding->lock);
}

/* Until no callback of the object runs, and no method */
static void wait_for_earlier(struct agent_client *client)
{
    struct agent_binding *binding;

    while (!RtlDllShutdownInProgress() && (binding = get_earlier(client)))
    {
        wait_for_event(binding->end_event);
        wait_for_event(binding->idle_event);
        agent_binding_release(binding);
    }
}

/* Whether an object may be bound. One whose client is late with a callback may have been dropped without hearing of it
 * yet: the agent is asked, then. */
static HRESULT check_initialized(struct agent_binding *binding, NapComponentId id)
{
    if (!binding) return S_OK;
    switch (get_state(binding))
    {
    case AGENT_BOUND:
        return binding->id == id ? S_OK : HRESULT_FROM_WIN32(ERROR_ALREADY_INITIALIZED);
    case AGENT_DISCONNECTED:
        return RPC_E_DISCONNECTED;
    default:
        return S_OK;
    }
}

static HRESULT install_binding(struct agent_client *client, struct agent_binding *old, struct agent_binding *binding)
{
    BOOL started;

    agent_binding_addref(binding);
    if (!replace_binding(client, old, binding))
    {
        agent_binding_release(binding);
        return HRESULT_FROM_WIN32(ERROR_ALREADY_INITIALIZED);
    }
    if (!(started = start_thread(binding)))
    {
        close_binding(binding);
        SetEvent(binding->end_event);
    }
    if (old) close_binding(old);
    return started ? S_OK : E_OUTOFMEMORY;
}

HRESULT agent_bind(struct agent_client *client, const struct agent_role *role, NapComponentId id, IUnknown *callback)
{
    struct agent_binding *old, *binding = NULL;
    HRESULT hr;

    if (!callback) return E_INVALIDARG;

    old = get_binding(client);
    if (FAILED(hr = check_initialized(old, id))) goto done;
    if (!(binding = binding_create(role, id)))
    {
        hr = E_OUTOFMEMORY;
        goto done;
    }
    if (FAILED(hr = hold_callback(binding, callback))) goto done;

    if (role->starts_agent) AGENT_CALL_STARTED(hr, napagent_bind(agent_handle, role->kind, id, FALSE, &binding->guid));
    else AGENT_CALL(hr, napagent_bind(agent_handle, role->kind, id, FALSE, &binding->guid));
    if (hr == NAP_E_ENTITY_DISABLED)
        ERR("%#x is disabled until an administrator enables it: napstat set enforcement %#x enable\n", id, id);
    if (SUCCEEDED(hr) && FAILED(hr = install_binding(client, old, binding))) unbind_guid(binding, &binding->guid);

done:
    if (FAILED(hr) && binding) release_callback(binding);
    if (binding) agent_binding_release(binding);
    if (old) agent_binding_release(old);
    return hr;
}

static HRESULT unbind(struct agent_client *client)
{
    struct agent_binding *binding;
    HRESULT hr;
    GUID guid;

    if (FAILED(hr = agent_enter(client, &binding, &guid))) return hr;
    hr = unbind_guid(binding, &guid);
    agent_leave(binding);
    return hr;
}

HRESULT agent_unbind(struct agent_client *client)
{
    BOOL in_callback = is_in_callback(client);
    struct agent_binding *binding;
    HRESULT hr;

    if (!(binding = get_binding(client))) return NAP_E_NOT_INITIALIZED;

    forbid_callbacks(binding);
    if (!in_callback) wait_for_event(binding->quiet_event);
    hr = unbind(client);
    if (SUCCEEDED(hr) || hr == NAP_E_NOT_INITIALIZED)
    {
        replace_binding(client, binding, NULL);
        close_binding(binding);
        if (in_callback) wait_for_event(binding->idle_event);
        else wait_for_earlier(client);
    }
    else allow_callbacks(binding);
    agent_binding_release(binding);
    return hr;
}

/* for an object that nobody has any more */
void agent_close(struct agent_client *client)
{
    struct agent_binding *binding = client->binding;
    BOOL in_callback;

    if (RtlDllShutdownInProgress()) return;
    in_callback = is_in_callback(client);
    if (binding)
    {
        if (close_binding(binding)) unbind_guid(binding, &binding->guid);
        replace_binding(client, binding, NULL);
        if (in_callback) wait_for_event(binding->idle_event);
    }
    if (!in_callback) wait_for_earlier(client);
    forget_earlier(client, TRUE);
}

HRESULT agent_enter(struct agent_client *client, struct agent_binding **out, GUID *guid)
{
    struct agent_binding *binding;
    HRESULT hr = NAP_E_NOT_INITIALIZED;

    if (!(binding = get_binding(client))) return hr;

    AcquireSRWLockExclusive(&binding->lock);
    if (!binding->closing && binding->state == AGENT_BOUND)
    {
        binding->running++;
        *guid = binding->guid;
        hr = S_OK;
    }
    else if (!binding->closing && binding->state == AGENT_DISCONNECTED) hr = RPC_E_DISCONNECTED;
    ReleaseSRWLockExclusive(&binding->lock);

    if (SUCCEEDED(hr)) *out = binding;
    else agent_binding_release(binding);
    return hr;
}

void agent_leave(struct agent_binding *binding)
{
    AcquireSRWLockExclusive(&binding->lock);
    if (!--binding->running && binding->closing) SetEvent(binding->idle_event);
    ReleaseSRWLockExclusive(&binding->lock);
    agent_binding_release(binding);
}
