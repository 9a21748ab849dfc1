"""Giving one of one's certificates with a form: what is offered, what is refused, what the desk sees."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text, update

from haiyiban import certificates, clock, texts
from haiyiban.certificates import Certificate
from haiyiban.db import Database
from haiyiban.forms import FormSchema
from haiyiban.identity import persons
from tests import builders
from tests.builders import Somebody
from tests.kernel.cases.office import Citizen, Office

MATTER = "public-security.residence-permit-endorsement"
AT = "/groundProof"
PERMIT = {"since": "2025-12-01", "until": "2026-12-20", "division": "460105"}

BENEFIT = {"division": "460105", "months": 3, "from": "2026-09", "until": "2026-11"}
OVER = {
    "valid_from": clock.today() - timedelta(days=90),
    "valid_until": clock.today() - timedelta(days=1),
}


@dataclass
class Holder:
    """Somebody with a residence permit and a draft of its endorsement."""

    citizen: Citizen
    case: dict[str, Any]
    database: Database

    @classmethod
    async def here(cls, api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database) -> Holder:
        somebody = Somebody(name="吴外来", more={"residencePermit": PERMIT})
        citizen = await Citizen.signed_in(api, sandbox, somebody)
        return cls(citizen, await citizen.draft(MATTER), database)

    async def certificate(self, type_: str = "social-insurance-proof", **claims: Any) -> Certificate:
        """A certificate of this person, made by the authority that makes it."""
        somebody = self.citizen.somebody
        stated = {"name": somebody.name, "idNumber": somebody.id_number}
        if type_ == "social-insurance-proof":
            stated |= {"division": "460105", "months": 26}  # type: ignore[dict-item]
        async with self.database.transaction() as session:
            person = await persons.by_id_number(session, somebody.id_number)
            assert person is not None
            return await certificates.issue(
                session,
                type_,
                holder_id=person.id,
                keeper_id=person.id,
                claims=stated | claims,
                case_id=None,
                agency="human-resources",
                division="460105",
                now=clock.now(),
            )

    async def chosen(self, certificate: object) -> httpx.Response:
        """Fill the rest in, choose, and hand in."""
        form = {"residence": {"division": "460105", "address": "海口市示例路 9 号"}, "basis": "work"}
        given = form | {"groundProof": str(certificate)}
        kept = await self.citizen.patch(self.case, given)
        assert kept.status_code == 200, kept.text
        return await self.citizen.submit(self.case)

    async def offered(self) -> dict[str, Any]:
        answer = await self.citizen.api.get(
            f"/cases/{self.case['id']}/certificates", headers=self.citizen.headers
        )
        assert answer.status_code == 200, answer.text
        [field] = answer.json()["fields"]
        assert field["pointer"] == AT
        return dict(field)

    async def change(self, certificate: Certificate, **values: Any) -> None:
        async with self.database.transaction() as session:
            await session.execute(
                update(Certificate).where(Certificate.id == certificate.id).values(**values)
            )


@pytest.fixture
async def holder(api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database) -> Holder:
    """See `Holder.here`."""
    return await Holder.here(api, sandbox, database)


def refused(answer: httpx.Response) -> dict[str, str]:
    assert (answer.status_code, builders.slug(answer)) == (422, "invalid-form"), answer.text
    return {each["pointer"]: each["message"] for each in answer.json()["errors"]}


def test_the_form_says_which_certificates_it_takes() -> None:
    form = FormSchema.load("residence-permit-endorsement.v2")
    assert form.certificate_fields() == {AT: ("social-insurance-proof", "admission-notice")}
    assert FormSchema.load("residence-permit-endorsement.v1").certificate_fields() == {}


async def test_only_what_is_accepted_and_in_force_is_offered(holder: Holder) -> None:
    field = await holder.offered()
    assert field["items"] == []
    assert [(each["name"], each["matter"]) for each in field["accepted"]] == [
        ("社会保险参保证明", "social-insurance.proof"),
        ("小学新生录取通知书", "education.school-place"),
    ]
    good, over = await holder.certificate(), await holder.certificate()
    await holder.change(over, **OVER)
    await holder.certificate("unemployment-benefit", **BENEFIT)
    [item] = (await holder.offered())["items"]
    assert item["id"] == str(good.id)
    assert (item["typeName"], item["holderName"]) == ("社会保险参保证明", "吴*来")
    assert item["numberEnding"] == good.serial[-4:]
    assert good.identifier not in str(item)


async def test_what_is_given_is_the_applicants_and_the_desk_sees_how_it_stands(
    holder: Holder, api: httpx.AsyncClient, database: Database
) -> None:
    proof = await holder.certificate()
    answer = await holder.chosen(proof.id)
    assert answer.status_code == 200, answer.text
    assert answer.json()["certificates"][AT]["typeName"] == "社会保险参保证明"
    office = Office(api, agency="public-security")
    seen = (await office.get(holder.case)).json()["certificates"][AT]
    assert (seen["status"], seen["number"], seen["isLookedAfterHere"]) == ("valid", proof.identifier, False)
    assert [each["text"] for each in seen["details"]] == ["秀英区", "26个月"]
    await holder.change(proof, status="revoked")
    again = (await office.get(holder.case)).json()["certificates"][AT]
    assert (again["status"], again["statusText"]) == ("revoked", "已撤销")
    async with database.reading() as session:
        looks = await session.execute(
            text("SELECT fields, reason FROM audit_record WHERE object_id = :id AND action = :action"),
            {"id": proof.id, "action": "certificates.read"},
        )
    assert [tuple(look) for look in looks] == [(["division", "months"], MATTER)] * 2


async def test_what_does_not_hold_is_refused_at_its_field(holder: Holder) -> None:
    over = await holder.certificate()
    await holder.change(over, **OVER)
    assert "已过有效期" in refused(await holder.chosen(over.id))[AT]
    stopped = await holder.certificate()
    await holder.change(stopped, status="suspended")
    assert "已暂停使用" in refused(await holder.chosen(stopped.id))[AT]
    later = await holder.certificate()
    await holder.change(later, valid_from=clock.today() + timedelta(days=3))
    assert "才生效" in refused(await holder.chosen(later.id))[AT]
    wrong = await holder.certificate("unemployment-benefit", **BENEFIT)
    message = refused(await holder.chosen(wrong.id))[AT]
    assert "不收" in message
    assert "《社会保险参保证明》或《小学新生录取通知书》" in message
    assert "不在您名下" in refused(await holder.chosen(uuid4()))[AT]
    assert "不是您的证照" in refused(await holder.chosen("AB12"))[AT]


async def test_somebody_elses_certificate_is_refused_and_never_shown(
    holder: Holder, api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    other = await Holder.here(api, sandbox, database)
    theirs = await other.certificate()
    assert "不在您名下" in refused(await holder.chosen(theirs.id))[AT]
    read = await holder.citizen.get(holder.case)
    assert (read["certificates"], (await holder.offered())["items"]) == ({}, [])
    at = f"/cases/{holder.case['id']}/certificates"
    assert (await api.get(at, headers=other.citizen.headers)).status_code == 404


async def test_who_acts_for_somebody_chooses_among_that_persons(
    holder: Holder, api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    proof = await holder.certificate()
    taker = await Citizen.signed_in(api, sandbox, Somebody(name="周代办"))
    body = {
        "basis": "agreement",
        "taker": {"name": taker.somebody.name, "idNumber": taker.somebody.id_number},
        "matters": [MATTER],
        "until": (clock.today() + timedelta(days=30)).isoformat(),
        "consent": texts.current("delegation").hash,
    }
    made = (await api.post("/delegations", json=body, headers=holder.citizen.headers)).json()
    await api.post(f"/delegations/{made['id']}/acceptance", json={}, headers=taker.headers)
    await holder.citizen.withdraw(holder.case)
    theirs = Holder(taker, await taker.draft(MATTER, onBehalfOf=made["id"]), holder.database)
    assert [each["id"] for each in (await theirs.offered())["items"]] == [str(proof.id)]
    log = (await api.get("/me/access-log", headers=holder.citizen.headers)).json()["items"]
    assert any(
        (each["action"], each["fields"]) == ("certificates.read", ["name", "validUntil"]) for each in log
    )
    assert (await theirs.chosen(UUID(str(proof.id)))).status_code == 200
