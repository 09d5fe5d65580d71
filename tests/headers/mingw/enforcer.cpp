/*
 * An enforcement client in C++, as written for mingw-w64's headers
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
#include <naptypes.h>
#include <napmanagement.h>
#include <napenforcementclient.h>
#include <naputil.h>
#include <napmicrosoftvendorids.h>

static const EnforcementEntityId enforcer_id = (MicrosoftVendorId << 8) | 0xf1;

static const ConnectionId connection_id =
{
    0x6ed5c7a4, 0x1f0b, 0x4bb3, { 0x9d, 0x64, 0x2a, 0x2f, 0x3f, 0x52, 0x6b, 0x11 }
};

class Enforcer : public INapEnforcementClientCallback
{
public:
    explicit Enforcer(INapEnforcementClientBinding *binding) : refs(1), binding(binding), connection(NULL)
    {
    }

    HRESULT STDMETHODCALLTYPE QueryInterface(REFIID riid, void **out)
    {
        if (IsEqualIID(riid, __uuidof(IUnknown)) || IsEqualIID(riid, __uuidof(INapEnforcementClientCallback)))
        {
            *out = static_cast<INapEnforcementClientCallback *>(this);
            AddRef();
            return S_OK;
        }
        *out = NULL;
        return E_NOINTERFACE;
    }

    ULONG STDMETHODCALLTYPE AddRef()
    {
        return InterlockedIncrement(&refs);
    }

    ULONG STDMETHODCALLTYPE Release()
    {
        return InterlockedDecrement(&refs);
    }

    HRESULT STDMETHODCALLTYPE NotifySoHChange()
    {
        NetworkSoHRequest *packet = NULL;
        BOOL retrigger;
        HRESULT hr;

        if (!connection)
        {
            if (FAILED(hr = binding->CreateConnection(&connection))) return hr;
            if (FAILED(hr = connection->SetConnectionId(&connection_id))) return hr;
            if (FAILED(hr = connection->SetMaxSize(defaultProtocolMaxSize))) return hr;
        }
        if (FAILED(hr = binding->GetSoHRequest(connection, &retrigger))) return binding->NotifySoHChangeFailure();
        if (SUCCEEDED(hr = connection->GetSoHRequest(&packet)) && packet)
        {
            hr = respond(packet->data, packet->size);
            FreeNetworkSoH(packet);
        }
        return hr;
    }

    HRESULT STDMETHODCALLTYPE GetConnections(Connections **list)
    {
        HRESULT hr;

        if (!list) return E_INVALIDARG;
        *list = NULL;
        if (FAILED(hr = AllocConnections(list, connection ? 1 : 0))) return hr;
        (*list)->count = 0;
        if (connection)
        {
            (*list)->connections[(*list)->count++] = connection;
            connection->AddRef();
        }
        return S_OK;
    }

private:
    HRESULT respond(BYTE *data, UINT16 size)
    {
        NetworkSoHResponse response = { size, data };
        INapEnforcementClientConnection2 *connection2;
        IsolationInfoEx *info = NULL;
        HRESULT hr;

        if (FAILED(hr = connection->SetSoHResponse(&response))) return hr;
        if (FAILED(hr = binding->ProcessSoHResponse(connection))) return hr;
        hr = connection->QueryInterface(IID_INapEnforcementClientConnection2,
                reinterpret_cast<void **>(&connection2));
        if (FAILED(hr)) return hr;
        if (SUCCEEDED(hr = connection2->GetIsolationInfoEx(&info)) &&
                info->extendedIsolationState == extendedIsolationStateInfected)
            hr = binding->NotifyConnectionStateDown(connection);
        FreeIsolationInfoEx(info);
        connection2->Release();
        return hr;
    }

    LONG refs;
    INapEnforcementClientBinding *binding;
    INapEnforcementClientConnection *connection;
};

int main()
{
    INapEnforcementClientBinding *binding;
    HRESULT hr;

    if (FAILED(CoInitializeEx(NULL, COINIT_MULTITHREADED))) return 1;
    hr = CoCreateInstance(CLSID_NapEnforcementClientBinding, NULL, CLSCTX_INPROC_SERVER,
            __uuidof(INapEnforcementClientBinding), reinterpret_cast<void **>(&binding));
    if (SUCCEEDED(hr))
    {
        Enforcer enforcer(binding);

        hr = binding->Initialize(enforcer_id, &enforcer);
        if (SUCCEEDED(hr)) hr = binding->Uninitialize();
        binding->Release();
    }
    CoUninitialize();
    return FAILED(hr);
}
