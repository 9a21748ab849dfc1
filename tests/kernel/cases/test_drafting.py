"""Filling in a draft: merge patches, locks and disputes."""

from __future__ import annotations

import httpx

from haiyiban.db import Database
from tests.builders import slug
from tests.kernel.cases.office import PROOF, Citizen, Office, audited


async def test_a_patch_merges_and_null_takes_away(citizen: Citizen) -> None:
    draft = await citizen.draft()
    one = (await citizen.patch(draft, {"bankAccount": "6222021234567890"})).json()
    assert one["form"]["bankAccount"] == "6222021234567890"
    assert one["version"] == draft["version"] + 1
    two = (await citizen.patch(draft, {"applicant": {"phone": "13976543210"}})).json()
    assert two["form"]["bankAccount"] == "6222021234567890"
    assert two["form"]["applicant"]["phone"] == "13976543210"
    three = (await citizen.patch(draft, {"bankAccount": None})).json()
    assert "bankAccount" not in three["form"]


async def test_a_draft_survives_and_says_what_is_missing_when_it_is_handed_in(citizen: Citizen) -> None:
    draft = await citizen.draft()
    kept = (await citizen.patch(draft, {"bankAccount": "123"})).json()
    again = await citizen.get(draft)
    assert again == kept
    refused = await citizen.submit(draft)
    assert (refused.status_code, slug(refused)) == (422, "invalid-form")
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/bankAccount"]
    assert "银行" in refused.json()["errors"][0]["message"]
    await citizen.patch(draft, {"bankAccount": None, "applicant": {"phone": None}})
    both = await citizen.submit(draft)
    assert {error["pointer"] for error in both.json()["errors"]} == {"/bankAccount", "/applicant/phone"}
    assert (await citizen.get(draft))["state"] == "draft"


async def test_register_values_are_masked_and_locked(citizen: Citizen) -> None:
    draft = await citizen.draft()
    assert {"/applicant/name", "/applicant/idNumber", "/hukou/address", "/birthDate"} <= set(draft["locked"])
    assert "/applicant/phone" not in draft["locked"]
    assert draft["form"]["applicant"]["phone"] == citizen.somebody.phone
    assert draft["form"]["applicant"]["idNumber"] != citizen.somebody.id_number
    assert citizen.somebody.address not in str(draft)
    for form in (
        {"hukou": {"division": "460106"}},
        {"hukou": None},
        {"applicant": {"name": draft["form"]["applicant"]["name"]}},
        {"applicant": {"idNumber": draft["form"]["applicant"]["idNumber"]}},
    ):
        refused = await citizen.patch(draft, form)
        assert (refused.status_code, slug(refused)) == (422, "field-from-register"), form
    assert (await citizen.get(draft))["version"] == draft["version"]


async def test_a_dispute_opens_a_field_and_tells_the_clerk_who_says_what(
    citizen: Citizen, office: Office
) -> None:
    draft = await citizen.draft()
    changed = await citizen.patch(
        draft,
        {"hukou": {"since": "2014-01-01"}, "bankAccount": "6222021234567890"},
        disputes={"/hukou/since": " 2014 年就迁入了 "},
    )
    assert changed.status_code == 200, changed.text
    mine = changed.json()
    assert mine["disputes"] == {"/hukou/since": "2014 年就迁入了"}
    assert "/hukou/since" not in mine["locked"]
    assert mine["form"]["hukou"]["since"] == "2014-01-01"
    assert mine["prefill"]["/hukou/since"]["state"] == "differs"
    assert mine["prefill"]["/hukou/since"]["source"]
    better = await citizen.patch(draft, {}, disputes={"/hukou/since": "以迁移证为准"})
    assert better.json()["disputes"] == {"/hukou/since": "以迁移证为准"}
    case = (await citizen.submit(draft)).json()
    seen = (await office.get(case)).json()
    assert seen["disputes"] == {"/hukou/since": "以迁移证为准"}
    assert seen["prefill"]["/hukou/since"]["state"] == "differs"


async def test_a_dispute_says_why_and_is_about_a_register_value(citizen: Citizen) -> None:
    draft = await citizen.draft()
    for disputes in (
        {"/hukou/since": " "},
        {"/hukou/since": "长" * 501},
        {"/bankAccount": "不对"},
        {"": "不对"},
    ):
        refused = await citizen.patch(draft, {}, disputes=disputes)
        assert (refused.status_code, slug(refused)) == (422, "invalid-form"), disputes
        assert [error["pointer"] for error in refused.json()["errors"]] == list(disputes)


async def test_what_no_form_holds_is_not_kept(citizen: Citizen) -> None:
    draft = await citizen.draft()
    for form, pointer in (({"hobby": "钓鱼"}, "/hobby"), ({"bankAccount": 6222}, "/bankAccount")):
        refused = await citizen.patch(draft, form)
        assert (refused.status_code, slug(refused)) == (422, "invalid-form")
        assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    assert (await citizen.patch(draft, {}, colour="red")).status_code == 400


async def test_only_drafts_and_corrections_are_changed(citizen: Citizen, office: Office) -> None:
    case = await citizen.handed_in()
    refused = await citizen.patch(case, {"bankAccount": "6222021234567891"})
    assert (refused.status_code, slug(refused)) == (409, "illegal-transition")
    assert refused.json()["state"] == "submitted"
    await office.done(case, "request-correction", note="请核对账号")
    assert (await citizen.patch(case, {"bankAccount": "6222021234567891"})).status_code == 200


async def test_a_change_is_recorded_by_its_fields_and_never_by_its_values(
    citizen: Citizen, database: Database
) -> None:
    draft = await citizen.draft()
    await citizen.patch(draft, {"bankAccount": "6222021234567890"})
    (record,) = await audited(database, draft, "cases.patch")
    assert list(record.fields) == ["/bankAccount"]
    assert "6222021234567890" not in str(record)
    read = await audited(database, draft, "registers.read")
    assert {record.reason.split(": ")[1] for record in read} == {"population", "household"}


async def test_the_words_come_in_the_language_that_is_asked_for(
    api: httpx.AsyncClient, citizen: Citizen
) -> None:
    draft = await citizen.draft(PROOF)
    english = citizen.headers | {"Accept-Language": "en"}
    assert (await api.get(f"/cases/{draft['id']}", headers=english)).json()["matterName"].startswith("Proof")
    refused = await api.post(f"/cases/{draft['id']}/submission", json={}, headers=english)
    assert refused.json()["title"] == "Some fields need your attention"


async def test_a_submission_needs_no_body(api: httpx.AsyncClient, citizen: Citizen) -> None:
    draft = await citizen.ready()
    answer = await api.post(f"/cases/{draft['id']}/submission", headers=citizen.headers)
    assert answer.status_code == 200, answer.text
