/*
 * Tests for the interface and class identifiers of the NAP headers
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
#include "naptypes.h"
#include "napprotocol.h"
#include "napmanagement.h"
#include "napsystemhealthagent.h"
#include "napenforcementclient.h"
#include "napcertrelyingparty.h"
#include "napservermanagement.h"
#include "napsystemhealthvalidator.h"
#include "napcommon.h"
#include "wine/test.h"

#define IDENTIFIER(name, text) { #name, &name, L"{" text L"}" }

static const struct
{
    const char *name;
    const GUID *guid;
    const WCHAR *text;
}
identifiers[] =
{
    IDENTIFIER(IID_INapSoHConstructor,                     L"35298344-96a6-45e7-9b6b-62ecc6e09920"),
    IDENTIFIER(IID_INapSoHProcessor,                       L"fb2fa8b0-2cd5-457d-aba8-4376f63ea1c0"),
    IDENTIFIER(IID_INapClientManagement,                   L"432a1da5-3888-4b9a-a734-cff1e448c5b9"),
    IDENTIFIER(IID_INapClientManagement2,                  L"07a1127b-18cc-422a-b988-e892600fcc74"),
    IDENTIFIER(IID_INapSystemHealthAgentBinding,           L"a6894f43-9cc7-44c9-a23f-19dbf36bad28"),
    IDENTIFIER(IID_INapSystemHealthAgentBinding2,          L"1140c38e-5100-4ea1-8d43-87d326724028"),
    IDENTIFIER(IID_INapSystemHealthAgentCallback,          L"f1072a57-214f-4ee2-8377-14ef140cd9f3"),
    IDENTIFIER(IID_AsyncINapSystemHealthAgentCallback,     L"860d8fd9-0219-43ea-ae7f-59611f4cc16a"),
    IDENTIFIER(IID_INapSystemHealthAgentRequest,           L"5b360a69-212d-440d-b398-7eefd497853a"),
    IDENTIFIER(IID_INapEnforcementClientBinding,           L"92b93223-7487-42d9-9a91-5b8507720384"),
    IDENTIFIER(IID_INapEnforcementClientCallback,          L"f5a0b90a-83a1-4f76-ba3f-025418682814"),
    IDENTIFIER(IID_INapEnforcementClientConnection,        L"fb3a3505-ddb1-468a-b307-f328a57419d8"),
    IDENTIFIER(IID_INapEnforcementClientConnection2,       L"bd244906-70dd-4690-beea-648653393500"),
    IDENTIFIER(IID_INapCertRelyingParty,                   L"62c02ffc-4c77-4158-8754-782d5b4ee66e"),
    IDENTIFIER(IID_INapComponentInfo,                      L"b475f925-e3f7-414c-8c72-1cee64b9d8f6"),
    IDENTIFIER(IID_INapComponentConfig,                    L"a9e0af1a-3713-478e-ae03-8edd272d21fa"),
    IDENTIFIER(IID_INapComponentConfig2,                   L"47cbdb9e-1972-4f5e-bd3c-5eb6230614b5"),
    IDENTIFIER(IID_INapComponentConfig3,                   L"9c4a8101-8cfe-4332-876e-c4a49d1d3f77"),
    IDENTIFIER(IID_INapServerManagement,                   L"9de543e7-0f23-47e0-a8bc-971a894f86d4"),
    IDENTIFIER(IID_INapServerInfo,                         L"599f9021-5643-4965-9949-e88975efff0e"),
    IDENTIFIER(IID_INapSystemHealthValidator,              L"ef43d87c-5b6d-4820-8620-868907fe07d3"),
    IDENTIFIER(IID_AsyncINapSystemHealthValidator,         L"2516031a-a391-454d-b53d-c5dc84c7f2db"),
    IDENTIFIER(IID_INapServerCallback,                     L"09c20568-f30c-489b-ae9c-4930ad7f165f"),
    IDENTIFIER(IID_INapSystemHealthValidationRequest,      L"adacb3a0-d4f4-4f17-8933-51d60fcca606"),
    IDENTIFIER(IID_INapSystemHealthValidationRequest2,     L"91a5d706-0cb4-4a84-8315-9380d453e385"),

    IDENTIFIER(CLSID_NapSoHConstructor,                    L"e8140d53-6535-46a5-b8a1-da6c571da9b9"),
    IDENTIFIER(CLSID_NapSoHProcessor,                      L"aa160628-8775-46e3-837c-f7a2ae66e2f5"),
    IDENTIFIER(CLSID_NapClientManagement,                  L"eb082ba1-df8a-46be-82f3-35bf9e9be52f"),
    IDENTIFIER(CLSID_NapSystemHealthAgentBinding,          L"8e594310-16ca-4a00-932f-f70969f990c0"),
    IDENTIFIER(CLSID_NapEnforcementClientBinding,          L"9443b89b-6564-496a-b19c-6c6d22709045"),
    IDENTIFIER(CLSID_NapCertRelyingParty,                  L"e5fae3b3-1ac8-4bd3-87e6-48eff509ddaa"),
    IDENTIFIER(CLSID_NapServerManagement,                  L"bfcb2c6d-04aa-4fb9-bc72-58e1af64be39"),
    IDENTIFIER(CLSID_NapServerInfo,                        L"3b881b82-5bf4-4657-a3a2-cce17e4fd39a"),
};

static void test_values(void)
{
    unsigned int i;
    HRESULT hr;
    GUID guid;

    for (i = 0; i < ARRAY_SIZE(identifiers); i++)
    {
        winetest_push_context("%s", identifiers[i].name);
        memset(&guid, 0xcc, sizeof(guid));
        hr = IIDFromString(identifiers[i].text, &guid);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        ok(IsEqualGUID(identifiers[i].guid, &guid), "Got %s, expected %s.\n",
                wine_dbgstr_guid(identifiers[i].guid), wine_dbgstr_guid(&guid));
        winetest_pop_context();
    }
}

START_TEST(guids)
{
    test_values();
}
