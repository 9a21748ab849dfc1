"""Certificates as the clerks of the issuing agency handle them, over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from haiyiban.certificates import Identifier
from haiyiban.db import Database
from tests import builders
from tests.kernel.certificates.family import CHILD_NAME, audited, clerk, family

REASON = {"reason": "核查后发现信息有误"}
STEPS = {
    "correction": {"claims": {"school": "海口市滨海小学"}, **REASON},
    "revocation": REASON,
    "suspension": REASON,
    "reinstatement": REASON,
}


@pytest.mark.parametrize("step", STEPS)
async def test_nobody_signed_in_changes_nothing(
    api: httpx.AsyncClient, database: Database, step: str
) -> None:
    made = (await family(database)).certificate
    answer = await api.post(f"/desk/certificates/{made.id}/{step}", json=STEPS[step])
    assert answer.status_code == 401
    assert (await api.get(f"/desk/certificates/{made.id}")).status_code == 401
    assert (await api.get("/desk/certificates")).status_code == 401


@pytest.mark.parametrize("step", STEPS)
async def test_residents_and_operators_change_nothing(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database, step: str
) -> None:
    made = (await family(database)).certificate
    for headers in (await builders.resident(api, sandbox), await clerk(api, database, role="operator")):
        answer = await api.post(f"/desk/certificates/{made.id}/{step}", json=STEPS[step], headers=headers)
        assert answer.status_code == 403


@pytest.mark.parametrize(
    "elsewhere",
    [{"agency": "human-resources"}, {"division": "460106"}, {"division": "460200"}],
    ids=["another agency", "another district", "another city"],
)
async def test_a_clerk_from_elsewhere_finds_nothing(
    api: httpx.AsyncClient, database: Database, elsewhere: dict[str, str]
) -> None:
    made = (await family(database)).certificate
    headers = await clerk(api, database, **elsewhere)
    for step, body in STEPS.items():
        answer = await api.post(f"/desk/certificates/{made.id}/{step}", json=body, headers=headers)
        assert answer.status_code == 404, step
        assert answer.json()["type"] == "/problems/certificates/not-found"
    assert (await api.get(f"/desk/certificates/{made.id}", headers=headers)).status_code == 404
    listed = await api.get("/desk/certificates", params={"number": made.identifier}, headers=headers)
    assert listed.json()["items"] == []


async def test_a_clerk_of_the_city_finds_what_the_district_issued(
    api: httpx.AsyncClient, database: Database
) -> None:
    made = (await family(database)).certificate
    headers = await clerk(api, database, division="460100", role="officer")
    listed = await api.get("/desk/certificates", params={"number": made.identifier}, headers=headers)
    [item] = listed.json()["items"]
    assert (item["id"], item["holderName"]) == (str(made.id), "䶮*****提")
    assert "claims" not in item
    read = (await api.get(f"/desk/certificates/{made.id}", headers=headers)).json()
    assert read["claims"]["name"] == CHILD_NAME
    [look] = await audited(database, made.id, "certificates.read")
    assert (look.actor_kind, look.actor_unit, look.fields) == ("staff", "education", sorted(made.claims))


async def test_the_list_turns_its_pages(api: httpx.AsyncClient, database: Database) -> None:
    older, newer = [(await family(database)).certificate for _ in range(2)]
    headers = await clerk(api, database)
    first = (await api.get("/desk/certificates", params={"limit": 1}, headers=headers)).json()
    assert first["items"][0]["id"] == str(newer.id)
    second = await api.get("/desk/certificates", params={"cursor": first["next"]}, headers=headers)
    assert second.json()["items"][0]["id"] == str(older.id)


async def test_a_correction_names_only_what_changes(api: httpx.AsyncClient, database: Database) -> None:
    made = (await family(database)).certificate
    headers = await clerk(api, database)
    answer = await api.post(
        f"/desk/certificates/{made.id}/correction", json=STEPS["correction"], headers=headers
    )
    assert answer.status_code == 201, answer.text
    new = answer.json()
    assert new["claims"] == made.claims | {"school": "海口市滨海小学"}
    assert (new["version"], new["status"]) == (2, "valid")
    assert Identifier.parse(new["number"]).serial == made.serial
    old = (await api.get(f"/desk/certificates/{made.id}", headers=headers)).json()
    assert (old["status"], old["statusReason"]) == ("superseded", REASON["reason"])


async def test_the_same_correction_sent_twice_is_one_correction(
    api: httpx.AsyncClient, database: Database
) -> None:
    made = (await family(database)).certificate
    headers = await clerk(api, database) | {"Idempotency-Key": "correct-once"}
    path = f"/desk/certificates/{made.id}/correction"
    first = await api.post(path, json=STEPS["correction"], headers=headers)
    again = await api.post(path, json=STEPS["correction"], headers=headers)
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert first.json()["version"] == 2


async def test_suspension_reinstatement_and_revocation(api: httpx.AsyncClient, database: Database) -> None:
    made = (await family(database)).certificate
    headers = await clerk(api, database)
    for step, status in (
        ("suspension", "suspended"),
        ("reinstatement", "valid"),
        ("revocation", "revoked"),
    ):
        answer = await api.post(f"/desk/certificates/{made.id}/{step}", json=REASON, headers=headers)
        assert (answer.status_code, answer.json()["status"]) == (200, status)
    for step, body in STEPS.items():
        answer = await api.post(f"/desk/certificates/{made.id}/{step}", json=body, headers=headers)
        assert answer.status_code == 409, step
        assert answer.json()["type"] == "/problems/certificates/not-in-force"
        assert answer.json()["state"] == "revoked"


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("reason", ["", "   误  ", "长" * 201])
async def test_a_step_needs_a_reason_that_says_something(
    api: httpx.AsyncClient, database: Database, step: str, reason: str
) -> None:
    made = (await family(database)).certificate
    headers = await clerk(api, database)
    body: dict[str, Any] = STEPS[step] | {"reason": reason}
    answer = await api.post(f"/desk/certificates/{made.id}/{step}", json=body, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/certificates/invalid-reason"
    assert answer.json()["errors"][0]["pointer"] == "/reason"


async def test_a_correction_that_does_not_fit_names_each_field_and_changes_nothing(
    api: httpx.AsyncClient, database: Database
) -> None:
    made = (await family(database)).certificate
    headers = await clerk(api, database)
    body = {"claims": {"school": None, "schoolYear": "next"}, **REASON}
    answer = await api.post(f"/desk/certificates/{made.id}/correction", json=body, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/certificates/invalid-claims"
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/claims/school", "/claims/schoolYear"]
    kept = (await api.get(f"/desk/certificates/{made.id}", headers=headers)).json()
    assert (kept["status"], kept["version"]) == ("valid", 1)
