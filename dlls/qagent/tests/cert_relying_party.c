/*
 * Tests for the relying parties of health certificates
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

#include "qagent_test.h"
#include "oleauto.h"
#include "napcertrelyingparty.h"

/* The state belongs to the machine's policy on Windows, and to the process on Wine; no health certificate is there
 * in either case. */

#define get_parties(party, ids) get_parties_(__LINE__, party, ids)
static UINT16 get_parties_(int line, INapCertRelyingParty *party, EnforcementEntityId **ids)
{
    UINT16 count = 0xcccc;
    HRESULT hr;

    *ids = (void *)0xdeadbeef;
    hr = INapCertRelyingParty_GetSubscribedRelyingParties(party, &count, ids);
    ok_(__FILE__, line)(hr == S_OK, "Got hr %#lx.\n", hr);
    if (hr != S_OK)
        *ids = NULL;
    return hr == S_OK ? count : 0;
}

#define check_party(party, id, expected) check_party_(__LINE__, party, id, expected)
static void check_party_(int line, INapCertRelyingParty *party, EnforcementEntityId id, BOOL expected)
{
    EnforcementEntityId *ids;
    UINT16 count, i, found = 0;

    count = get_parties_(line, party, &ids);
    ok_(__FILE__, line)(!count || !!ids, "Got %u ids at %p.\n", count, ids);
    for (i = 0; i < count; ++i)
        found += ids[i] == id;
    ok_(__FILE__, line)(found == expected, "%#x is listed %u times.\n", id, found);
    CoTaskMemFree(ids);
}

static void test_subscription(INapCertRelyingParty *party)
{
    BSTR name = SysAllocString(TEST_NAME);
    EnforcementEntityId *ids;
    unsigned int i;
    BOOL exists;
    HRESULT hr;

    if (is_wine())
    {
        ok(!get_parties(party, &ids), "Got parties.\n");
        ok(!ids, "Got %p.\n", ids);
    }
    hr = INapCertRelyingParty_UnSubscribeCertByGroup(party, TEST_ID(0), NULL);
    check_failure(hr, NAP_E_ID_NOT_FOUND);

    for (i = 0; i < 2; ++i)
    {
        winetest_push_context("round %u", i);
        exists = 0xdeadbeef;
        hr = INapCertRelyingParty_SubscribeCertByGroup(party, TEST_ID(0), name, NULL, &exists);
        ok(hr == S_OK || broken(hr == NAP_S_CERT_ALREADY_PRESENT), "Got hr %#lx.\n", hr);
        ok(exists == FALSE, "Got %d.\n", exists);
        check_party(party, TEST_ID(0), TRUE);
        check_party(party, TEST_ID(1), FALSE);

        exists = 0xdeadbeef;
        hr = INapCertRelyingParty_SubscribeCertByGroup(party, TEST_ID(1), name, NULL, &exists);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        ok(exists == FALSE, "Got %d.\n", exists);
        check_party(party, TEST_ID(0), TRUE);
        check_party(party, TEST_ID(1), TRUE);

        hr = INapCertRelyingParty_UnSubscribeCertByGroup(party, TEST_ID(0), NULL);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        check_party(party, TEST_ID(0), FALSE);
        check_party(party, TEST_ID(1), TRUE);
        hr = INapCertRelyingParty_UnSubscribeCertByGroup(party, TEST_ID(0), NULL);
        check_failure(hr, NAP_E_ID_NOT_FOUND);
        hr = INapCertRelyingParty_UnSubscribeCertByGroup(party, TEST_ID(1), NULL);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        check_party(party, TEST_ID(1), FALSE);
        winetest_pop_context();
    }
    SysFreeString(name);
}

static void test_reserved(INapCertRelyingParty *party)
{
    BSTR name = SysAllocString(TEST_NAME);
    VARIANT reserved;
    BOOL exists;
    HRESULT hr;

    VariantInit(&reserved);
    exists = 0xdeadbeef;
    hr = INapCertRelyingParty_SubscribeCertByGroup(party, TEST_ID(2), name, &reserved, &exists);
    check_unknown_hr(hr, E_INVALIDARG);
    if (hr == S_OK)
        INapCertRelyingParty_UnSubscribeCertByGroup(party, TEST_ID(2), NULL);
    check_party(party, TEST_ID(2), FALSE);

    exists = 0xdeadbeef;
    hr = INapCertRelyingParty_SubscribeCertByGroup(party, TEST_ID(2), name, NULL, &exists);
    ok(hr == S_OK, "Got hr %#lx.\n", hr);
    hr = INapCertRelyingParty_UnSubscribeCertByGroup(party, TEST_ID(2), &reserved);
    check_unknown_hr(hr, E_INVALIDARG);
    if (hr != S_OK)
    {
        check_party(party, TEST_ID(2), TRUE);
        hr = INapCertRelyingParty_UnSubscribeCertByGroup(party, TEST_ID(2), NULL);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
    }
    SysFreeString(name);
}

/* A name is only for logs. */
static void test_name(INapCertRelyingParty *party)
{
    BSTR empty = SysAllocString(L"");
    BOOL exists;
    HRESULT hr;

    if (is_wine())
    {
        exists = 0xdeadbeef;
        hr = INapCertRelyingParty_SubscribeCertByGroup(party, TEST_ID(3), NULL, NULL, &exists);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
        ok(exists == FALSE, "Got %d.\n", exists);
        hr = INapCertRelyingParty_UnSubscribeCertByGroup(party, TEST_ID(3), NULL);
        ok(hr == S_OK, "Got hr %#lx.\n", hr);
    }
    hr = INapCertRelyingParty_SubscribeCertByGroup(party, TEST_ID(3), empty, NULL, &exists);
    ok(hr == S_OK || broken(FAILED(hr)), "Got hr %#lx.\n", hr);
    if (hr == S_OK)
        INapCertRelyingParty_UnSubscribeCertByGroup(party, TEST_ID(3), NULL);
    SysFreeString(empty);
}

static void test_null(INapCertRelyingParty *party)
{
    BSTR name = SysAllocString(TEST_NAME);
    EnforcementEntityId *ids;
    UINT16 count;
    HRESULT hr;

    hr = INapCertRelyingParty_SubscribeCertByGroup(party, TEST_ID(4), name, NULL, NULL);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    check_party(party, TEST_ID(4), FALSE);
    count = 0xcccc;
    hr = INapCertRelyingParty_GetSubscribedRelyingParties(party, &count, NULL);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    ids = (void *)0xdeadbeef;
    hr = INapCertRelyingParty_GetSubscribedRelyingParties(party, NULL, &ids);
    ok(hr == E_INVALIDARG, "Got hr %#lx.\n", hr);
    SysFreeString(name);
}

START_TEST(cert_relying_party)
{
    INapCertRelyingParty *party = NULL;
    HRESULT hr;

    /* On Wine it has nothing to do with the service. */
    if (is_wine() ? !init_client() : !load_agent())
        return;
    hr = CoCreateInstance(&CLSID_NapCertRelyingParty, NULL, CLSCTX_INPROC_SERVER, &IID_INapCertRelyingParty,
            (void **)&party);
    ok(hr == S_OK || broken(FAILED(hr)), "Got hr %#lx.\n", hr);
    if (hr != S_OK)
    {
        win_skip("NapCertRelyingParty can not be created, hr %#lx.\n", hr);
    }
    else
    {
        EnforcementEntityId *ids;
        UINT16 count;

        hr = INapCertRelyingParty_GetSubscribedRelyingParties(party, &count, &ids);
        ok(hr == S_OK || broken(FAILED(hr)), "Got hr %#lx.\n", hr);
        if (hr == S_OK)
        {
            CoTaskMemFree(ids);
            test_subscription(party);
            test_reserved(party);
            test_name(party);
            /* May crash on Windows. */
            if (is_wine())
                test_null(party);
        }
        else
        {
            win_skip("NapCertRelyingParty does not answer, hr %#lx.\n", hr);
        }
        INapCertRelyingParty_Release(party);
    }
    unload_agent();
}
