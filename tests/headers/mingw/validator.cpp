/*
 * A system health validator in C++, as written for mingw-w64's headers
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
#include <napprotocol.h>
#include <napservermanagement.h>
#include <napsystemhealthvalidator.h>
#include <napcommon.h>
#include <naputil.h>

class Validator : public INapSystemHealthValidator
{
public:
    Validator() : refs(1)
    {
    }

    HRESULT STDMETHODCALLTYPE QueryInterface(REFIID riid, void **out)
    {
        if (IsEqualIID(riid, __uuidof(IUnknown)) || IsEqualIID(riid, __uuidof(INapSystemHealthValidator)))
        {
            *out = static_cast<INapSystemHealthValidator *>(this);
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

    HRESULT STDMETHODCALLTYPE Validate(INapSystemHealthValidationRequest *request, UINT32 timeout,
            INapServerCallback *callback)
    {
        INapSystemHealthValidationRequest2 *request2;
        FailureCategory category = failureCategoryNone;
        UINT32 config = 0;
        SoHRequest *soh;
        BOOL generated;
        HRESULT hr;

        if (!request || !callback || !timeout) return E_INVALIDARG;

        if (SUCCEEDED(request->QueryInterface(__uuidof(INapSystemHealthValidationRequest2),
                reinterpret_cast<void **>(&request2))))
        {
            request2->GetConfigID(&config);
            request2->Release();
        }
        if (FAILED(hr = request->GetSoHRequest(&soh, &generated))) return hr;
        if (!soh || generated) category = failureCategoryClientComponent;
        hr = answer(request, config, category);
        FreeSoH(soh);
        callback->OnComplete(request, hr);
        return E_PENDING;
    }

private:
    HRESULT answer(INapSystemHealthValidationRequest *request, SystemHealthEntityId id, FailureCategory category)
    {
        INapSoHConstructor *constructor;
        HRESULT results[] = { S_OK };
        SoHAttributeValue value;
        SoHResponse *soh = NULL;
        HRESULT hr;

        hr = CoCreateInstance(CLSID_NapSoHConstructor, NULL, CLSCTX_INPROC_SERVER, IID_INapSoHConstructor,
                reinterpret_cast<void **>(&constructor));
        if (FAILED(hr)) return hr;

        hr = constructor->Initialize(id, FALSE);
        if (SUCCEEDED(hr) && category != failureCategoryNone)
        {
            value.uint8Val = static_cast<UINT8>(category);
            hr = constructor->AppendAttribute(sohAttributeTypeFailureCategory, &value);
        }
        else if (SUCCEEDED(hr))
        {
            value.codesVal.count = ARRAYSIZE(results);
            value.codesVal.results = results;
            hr = constructor->AppendAttribute(sohAttributeTypeComplianceResultCodes, &value);
        }
        if (SUCCEEDED(hr)) hr = constructor->GetSoH(&soh);
        if (SUCCEEDED(hr)) hr = request->SetSoHResponse(soh);
        constructor->Release();
        FreeSoH(soh);
        return hr;
    }

    LONG refs;
};

/* The configuration, read the way the validator reads it from its own server. */
HRESULT read_config(REFCLSID clsid, UINT32 id, UINT16 *size, BYTE **data)
{
    INapComponentConfig3 *config;
    HRESULT hr;

    hr = CoCreateInstance(clsid, NULL, CLSCTX_LOCAL_SERVER, IID_INapComponentConfig3,
            reinterpret_cast<void **>(&config));
    if (FAILED(hr)) return hr;
    hr = config->GetConfigFromID(id, size, data);
    if (FAILED(hr)) hr = config->GetConfig(size, data);
    config->Release();
    return hr;
}

HRESULT register_validator(SystemHealthEntityId id, REFCLSID clsid)
{
    NapComponentRegistrationInfo info = NapComponentRegistrationInfo();
    FailureCategoryMapping mapping = FailureCategoryMapping();
    INapServerManagement *management;
    HRESULT hr;

    hr = CoCreateInstance(CLSID_NapServerManagement, NULL, CLSCTX_INPROC_SERVER, __uuidof(INapServerManagement),
            reinterpret_cast<void **>(&management));
    if (FAILED(hr)) return hr;
    info.id = id;
    mapping.mappingCompliance[failureCategoryServerCommunication - 1] = TRUE;
    hr = management->RegisterSystemHealthValidator(&info, &clsid);
    if (SUCCEEDED(hr)) hr = management->SetFailureCategoryMappings(id, mapping);
    management->Release();
    return hr;
}

INapSystemHealthValidator *create_validator()
{
    return new Validator;
}
