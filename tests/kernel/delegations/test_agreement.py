"""Between two adults: offered with a face, accepted, listed to both, ended by either at once."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import insert, select, update

from haiyiban import clock
from haiyiban.audit.models import AuditRecord
from haiyiban.db import Database
from haiyiban.delegations import Delegation, rules
from haiyiban.identity.models import SignIn
from haiyiban.ids import new_id
from tests import builders
from tests.builders import Somebody, slug
from tests.kernel.cases.office import FORMS, PROOF, SENIOR, Citizen, Office, inbox
from tests.kernel.delegations.people import Pair

BIRTH = "health.birth-certificate-copy"
"""About a child."""


async def change(database: Database, delegation: str, **values: Any) -> None:
    async with database.transaction() as session:
        await session.execute(update(Delegation).where(Delegation.id == UUID(delegation)).values(**values))


async def test_nobody_signed_in_and_nobody_below_level_three_makes_one(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, pair: Pair
) -> None:
    somebody = await builders.settle(sandbox, Somebody())
    low = await builders.sign_in(api, sandbox, somebody.phone)
    for headers, status in (({}, 401), (low, 403)):
        for method, path in (("POST", ""), ("GET", ""), ("GET", f"/{await pair.agreed()}")):
            answer = await api.request(method, f"/delegations{path}", json={}, headers=headers)
            assert answer.status_code == status, answer.text


async def test_a_face_older_than_five_minutes_makes_none(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, pair: Pair, database: Database
) -> None:
    """docs/domain.md §1.6."""
    giver = await Citizen.signed_in(api, sandbox)
    claims = (await api.get("/auth/sessions", headers=giver.headers)).json()["items"][0]
    async with database.transaction() as session:
        await session.execute(
            update(SignIn)
            .where(SignIn.id == UUID(claims["id"]))
            .values(face_at=clock.now() - timedelta(minutes=6))
        )
    refused = await pair.offer(by=giver)
    assert (refused.status_code, slug(refused)) == (403, "step-up-needed")
    assert refused.json()["faceWithinSeconds"] == 300


async def test_both_agree_both_see_it_and_the_case_is_the_givers(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, pair: Pair, database: Database
) -> None:
    offered = await pair.offer(times=1)
    assert offered.status_code == 201, offered.text
    shown = offered.json()
    assert (shown["state"], shown["side"], shown["basis"]) == ("awaits_taker", "giver", "agreement")
    assert (shown["giver"]["name"], shown["taker"]["name"]) == ("林*托", "周*办")
    assert shown["text"] == "delegation.v1"
    early = await pair.taker.open(PROOF, onBehalfOf=shown["id"])
    assert (early.status_code, slug(early)) == (403, "delegation-not-agreed")
    giver_accepts = await pair.act(shown["id"], "acceptance", by=pair.giver)
    assert (giver_accepts.status_code, slug(giver_accepts)) == (404, "not-found")
    for _ in range(2):
        accepted = await pair.act(shown["id"], "acceptance", by=pair.taker)
        assert (accepted.status_code, accepted.json()["state"]) == (200, "active")
    for citizen, side in ((pair.giver, "giver"), (pair.taker, "taker")):
        listed = await api.get(f"/delegations?side={side}", headers=citizen.headers)
        assert shown["id"] in [item["id"] for item in listed.json()["items"]]
        other = await api.get(
            f"/delegations?side={'taker' if side == 'giver' else 'giver'}", headers=citizen.headers
        )
        assert shown["id"] not in [item["id"] for item in other.json()["items"]]

    opened = await pair.taker.open(PROOF, onBehalfOf=shown["id"])
    assert opened.status_code == 201, opened.text
    case = opened.json()
    assert case["acting"] == {
        "basis": "agreement",
        "by": "周*办",
        "forWhom": "林*托",
        "delegation": shown["id"],
    }
    assert case["form"]["applicant"]["name"] == "林*托"
    phone = pair.giver.somebody.phone
    assert case["form"]["applicant"]["phone"] == f"{phone[:3]}****{phone[-4:]}", "another's phone"
    assert case["timeline"][0]["by"] == "agent"
    again = await pair.taker.open(PROOF, onBehalfOf=shown["id"])
    assert (again.status_code, slug(again)) == (409, "delegation-used-up")
    assert (await pair.read(shown["id"], by=pair.giver)).json()["state"] == "used_up"

    await pair.taker.patch(case, FORMS[PROOF])
    handed_in = await pair.taker.submit(case)
    assert handed_in.status_code == 200, handed_in.text
    number = handed_in.json()["number"]
    mine = await api.get("/cases", headers=pair.giver.headers)
    (found,) = [item for item in mine.json()["items"] if item["id"] == case["id"]]
    assert found["onBehalfOf"] == shown["id"]
    assert case["id"] not in (await api.get("/cases", headers=pair.taker.headers)).text
    theirs = await api.get("/cases", params={"onBehalfOf": shown["id"]}, headers=pair.taker.headers)
    assert [item["id"] for item in theirs.json()["items"]] == [case["id"]]
    # Both asked to be told.
    for citizen in (pair.giver, pair.taker):
        await inbox(sandbox, citizen.somebody.phone, containing=number)

    seen = await pair.giver.get(case)
    assert [step["by"] for step in seen["timeline"]] == ["agent", "agent"]
    log = await api.get("/me/access-log", headers=pair.giver.headers)
    acts = [item for item in log.json()["items"] if item.get("delegation") == shown["id"]]
    assert {"cases.open", "cases.submission", "registers.read"} <= {item["action"] for item in acts}
    assert {item["who"] for item in acts} == {"您委托的代办人"}
    async with database.reading() as session:
        records = list(
            await session.scalars(select(AuditRecord).where(AuditRecord.object_id == UUID(case["id"])))
        )
    for record in records:
        if record.action in {"cases.open", "cases.patch", "cases.submission", "registers.read"}:
            assert str(record.delegation_id) == shown["id"], record.action


async def test_a_desk_sees_who_acts_for_whom_and_the_certificate_is_the_givers(
    api: httpx.AsyncClient, pair: Pair
) -> None:
    delegation = await pair.agreed()
    case = (await pair.taker.open(PROOF, onBehalfOf=delegation)).json()
    await pair.taker.patch(case, FORMS[PROOF])
    await pair.taker.submit(case)
    office = Office(api, agency="human-resources")
    at_desk = await office.done(case, "accept")
    assert at_desk["acting"]["by"] == "周*办"
    approved = await office.done(case, "approve")
    assert approved["state"] == "approved"
    certificates = await api.get("/certificates", headers=pair.giver.headers)
    assert certificates.json()["items"], "it is the giver's"
    newest = certificates.json()["items"][0]["id"]
    assert newest not in (await api.get("/certificates", headers=pair.taker.headers)).text
    refused = await api.get(f"/certificates/{newest}", headers=pair.taker.headers)
    assert refused.status_code == 404


async def test_the_giver_may_withdraw_what_was_opened_for_them(pair: Pair) -> None:
    delegation = await pair.agreed()
    case = (await pair.taker.open(PROOF, onBehalfOf=delegation)).json()
    withdrawn = await pair.giver.withdraw(case)
    assert (withdrawn.status_code, withdrawn.json()["state"]) == (200, "withdrawn")
    assert withdrawn.json()["timeline"][-1]["by"] == "applicant"


@pytest.mark.parametrize("by", ["giver", "taker"])
async def test_either_ends_it_at_once_in_the_middle_of_a_case(
    pair: Pair, sandbox: httpx.AsyncClient, by: str
) -> None:
    delegation = await pair.agreed()
    case = (await pair.taker.open(PROOF, onBehalfOf=delegation)).json()
    for _ in range(2):
        ended = await pair.act(delegation, "revocation", by=getattr(pair, by))
        assert (ended.status_code, ended.json()["state"], ended.json()["endedBy"]) == (200, "ended", by)
    for answer in (
        await pair.taker.submit(case),
        await pair.taker.patch(case, {"purpose": "loan"}),
        await pair.taker.withdraw(case),
        await pair.taker.api.get(f"/cases/{case['id']}", headers=pair.taker.headers),
        await pair.taker.open(PROOF, onBehalfOf=delegation),
    ):
        assert (answer.status_code, slug(answer)) == (403, "delegation-ended")
    # What was begun stays the giver's, who goes on.
    await pair.giver.patch(case, FORMS[PROOF])
    assert (await pair.giver.submit(case)).status_code == 200


async def test_an_expired_one_opens_nothing_and_goes_on_with_nothing(pair: Pair, database: Database) -> None:
    delegation = await pair.agreed()
    case = (await pair.taker.open(PROOF, onBehalfOf=delegation)).json()
    await change(database, delegation, until=clock.today() - timedelta(days=1))
    for answer in (await pair.taker.open(PROOF, onBehalfOf=delegation), await pair.taker.submit(case)):
        assert (answer.status_code, slug(answer)) == (403, "delegation-expired")


async def test_it_is_for_its_matters_alone(pair: Pair) -> None:
    delegation = await pair.agreed()
    refused = await pair.taker.open(SENIOR, onBehalfOf=delegation)
    assert (refused.status_code, slug(refused)) == (422, "matter-not-delegated")
    assert refused.json()["errors"][0]["pointer"] == "/matter"


async def test_only_the_taker_acts_under_it(
    pair: Pair, api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    delegation = await pair.agreed()
    stranger = await Citizen.signed_in(api, sandbox)
    for citizen in (pair.giver, stranger):
        refused = await citizen.open(PROOF, onBehalfOf=delegation)
        assert (refused.status_code, slug(refused)) == (422, "no-delegation")
    assert (await pair.read(delegation, by=stranger)).status_code == 404
    assert (await pair.act(delegation, "revocation", by=stranger)).status_code == 404
    assert (await pair.act(delegation, "acceptance", by=stranger)).status_code == 404


async def test_of_two_who_use_the_last_time_at_once_one_opens_a_case(pair: Pair) -> None:
    delegation = await pair.agreed(times=1)
    answers = await asyncio.gather(
        *(pair.taker.open(PROOF, onBehalfOf=delegation) for _ in range(4)), return_exceptions=False
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert (await pair.read(delegation, by=pair.giver)).json()["used"] == 1


async def test_the_same_key_opens_one_case_and_uses_it_once(pair: Pair) -> None:
    delegation = await pair.agreed(times=5)
    body = {"matter": PROOF, "onBehalfOf": delegation}
    headers = pair.taker.headers | {"Idempotency-Key": f"once-{delegation}"}
    first, second = [await pair.api.post("/cases", json=body, headers=headers) for _ in range(2)]
    assert first.json()["id"] == second.json()["id"]
    assert (await pair.read(delegation, by=pair.giver)).json()["used"] == 1


async def test_under_a_delegation_the_child_is_the_givers(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, pair: Pair
) -> None:
    """The same proof of family as for oneself, asked about the giver."""
    child = builders.child("林小果", birth=date(2016, 5, 6))
    giver = await Citizen.signed_in(api, sandbox, Somebody(name="林家长", children=[child]))
    mine = Pair(api, giver, pair.taker)
    delegation = await mine.agreed(matters=[BIRTH])
    opened = await pair.taker.open(BIRTH, onBehalfOf=delegation)
    assert opened.status_code == 201, opened.text
    assert opened.json()["form"]["child"]["name"] == "林*果"
    assert opened.json()["acting"]["forWhom"] == "林*长"
    own = await pair.taker.open(BIRTH)
    assert (own.status_code, slug(own)) == (422, "nobody-possible"), "the taker has none"


async def test_so_many_a_day_are_enough(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, pair: Pair, database: Database
) -> None:
    giver = await Citizen.signed_in(api, sandbox)
    first = (await pair.offer(by=giver)).json()["id"]
    pair.made.clear()
    await pair.act(first, "revocation", by=giver)
    async with database.transaction() as session:
        row = await session.get_one(Delegation, UUID(first))
        copies = {column.key: getattr(row, column.key) for column in Delegation.__table__.columns}
        # A sealed value opens in its own row alone.
        copies |= {name: None for name in copies if name.endswith("_sealed")}
        await session.execute(
            insert(Delegation), [copies | {"id": new_id()} for _ in range(rules.MOST_A_DAY - 1)]
        )
    refused = await pair.offer(by=giver)
    assert (refused.status_code, slug(refused)) == (429, "too-many-today")


async def test_what_cannot_be_delegated_is_refused_with_every_fault(pair: Pair) -> None:
    over = (clock.today() - timedelta(days=1)).isoformat()
    refused = await pair.offer(matters=["no.such", PROOF], until=over)
    assert (refused.status_code, slug(refused)) == (422, "invalid-delegation")
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/matters/0", "/until"]
    for times in (0, -1, 1001):
        assert (await pair.offer(times=times)).status_code == 400


async def test_one_agrees_to_the_text_in_force(pair: Pair, api: httpx.AsyncClient) -> None:
    refused = await pair.offer(consent="0" * 64)
    assert (refused.status_code, slug(refused)) == (422, "text-outdated")
    text = (await api.get("/texts/delegation")).json()
    assert (await pair.offer(consent=text["hash"])).json()["textHash"] == text["hash"]
    english = (await api.get("/texts/delegation", headers={"Accept-Language": "en"})).json()
    assert english["hash"] == text["hash"]
    assert english["title"] != text["title"]
    assert (await api.get("/texts/nothing")).status_code == 404


async def test_oneself_a_child_and_a_number_that_cannot_be_are_no_takers(pair: Pair) -> None:
    giver = pair.giver.somebody
    oneself = await pair.offer(taker={"name": giver.name, "idNumber": giver.id_number})
    assert (oneself.status_code, slug(oneself)) == (422, "to-oneself")
    child = await pair.offer(taker=builders.child())
    assert (child.status_code, slug(child)) == (422, "adults-only")
    wrong = await pair.offer(taker={"name": "张三", "idNumber": "460105199003070016"})
    assert (wrong.status_code, slug(wrong)) == (422, "invalid-delegation")
    assert wrong.json()["errors"][0]["pointer"] == "/taker/idNumber"


async def test_whether_the_taker_is_known_here_is_not_told_and_another_name_does_not_accept(
    pair: Pair,
) -> None:
    taker = pair.taker.somebody
    unknown = await pair.offer(taker={"name": "吴未名", "idNumber": builders.id_number()})
    misnamed = await pair.offer(taker={"name": "周代班", "idNumber": taker.id_number})
    assert unknown.json()["taker"]["name"] == "吴*名"
    assert misnamed.json()["taker"]["name"] == "周*班", "what the giver wrote, not what we know"
    refused = await pair.act(misnamed.json()["id"], "acceptance", by=pair.taker)
    assert (refused.status_code, slug(refused)) == (422, "name-differs")


async def test_an_offer_lapses_after_a_week(pair: Pair, database: Database) -> None:
    delegation = (await pair.offer()).json()["id"]
    await change(database, delegation, made_at=clock.now() - timedelta(days=9))
    refused = await pair.act(delegation, "acceptance", by=pair.taker)
    assert (refused.status_code, slug(refused)) == (403, "delegation-expired")


async def test_one_may_have_twenty_open_however_they_are_made(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, pair: Pair
) -> None:
    giver = await Citizen.signed_in(api, sandbox)
    answers = await asyncio.gather(*(pair.offer(by=giver) for _ in range(22)))
    pair.made.clear()
    assert sorted(answer.status_code for answer in answers) == [201] * 20 + [422] * 2
    assert {slug(answer) for answer in answers if answer.status_code == 422} == {"too-many-open"}


async def test_notices_go_to_whom_the_giver_chose(pair: Pair, sandbox: httpx.AsyncClient) -> None:
    delegation = await pair.agreed(notices="taker")
    case = (await pair.taker.open(PROOF, onBehalfOf=delegation)).json()
    await pair.taker.patch(case, FORMS[PROOF])
    number = (await pair.taker.submit(case)).json()["number"]
    await inbox(sandbox, pair.taker.somebody.phone, containing=number)
    told = (await sandbox.get("/sms", params={"phone": pair.giver.somebody.phone})).json()
    assert number not in str(told)
    assert "代办人已为您发起" in str(told), "that somebody acts is told in any event"


@pytest.mark.parametrize("side", ["nobody", "GIVER"])
async def test_a_side_that_is_none_is_malformed(pair: Pair, side: str) -> None:
    answer = await pair.api.get(f"/delegations?side={side}", headers=pair.giver.headers)
    assert answer.status_code == 400
