"""Village agents: a paper signed before a witness, errands under it, and the ledger of the day."""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from haiyiban import clock
from haiyiban.cases import ledger
from haiyiban.db import Database
from haiyiban.delegations import AGENT_ROLE
from haiyiban.ids import new_id
from tests import builders
from tests.builders import Somebody, slug
from tests.kernel.cases.conftest import Break
from tests.kernel.cases.office import FORMS, PROOF, SENIOR, Citizen, inbox
from tests.kernel.cases.test_given_certificates import MATTER as ENDORSEMENT
from tests.kernel.cases.test_given_certificates import PERMIT, Holder
from tests.kernel.delegations.people import bounds

VILLAGE = "460105001001"


@dataclass
class Village:
    """An agent, and a villager of 76 without an account."""

    api: httpx.AsyncClient
    agent: dict[str, str]
    villager: Somebody

    async def record(self, *, by: dict[str, str] | None = None, **other: Any) -> httpx.Response:
        paper = {
            "documentHash": hashlib.sha256(b"scan").hexdigest(),
            "reference": "秀华社区档案柜2-17",
            "signedOn": clock.today().isoformat(),
            "witness": {"name": "王见证", "phone": "13800138000"},
        } | other.pop("paper", {})
        villager = self.villager
        giver = {"name": villager.name, "idNumber": villager.id_number, "phone": villager.phone}
        body = bounds(notices="giver", matters=[PROOF, SENIOR]) | {
            "giver": giver | other.pop("giver", {}),
            "paper": paper,
        }
        return await self.api.post("/desk/delegations", json=body | other, headers=by or self.agent)

    async def do(self, method: str, path: str, **body: Any) -> httpx.Response:
        told = None if method == "GET" else body
        return await self.api.request(method, f"/desk/{path}", json=told, headers=self.agent)

    async def lines(self) -> list[dict[str, Any]]:
        answer = await self.do("GET", "ledger")
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])


@pytest.fixture
async def village(api: httpx.AsyncClient, sandbox: httpx.AsyncClient) -> Village:
    villager = Somebody(
        name="吴阿公",
        id_number=builders.id_number(date(1950, 2, 3)),
        more={"socialInsurance": {"months": 240, "division": "460105"}},
    )
    await builders.settle(sandbox, villager)
    agent = await builders.staff(api, agency="villages", division=VILLAGE, role=AGENT_ROLE)
    return Village(api, agent, villager)


async def test_an_agent_records_a_paper_acts_under_it_and_the_ledger_tells_of_everything(
    village: Village, sandbox: httpx.AsyncClient
) -> None:
    recorded = await village.record()
    assert recorded.status_code == 201, recorded.text
    delegation = recorded.json()
    assert (delegation["state"], delegation["basis"], delegation["side"]) == ("active", "paper", "taker")
    assert delegation["taker"] == {"name": "代办员", "unit": "秀华社区居民委员会"}
    assert delegation["paper"]["witness"] == "王*证"
    mine = await village.do("GET", "delegations")
    assert [item["id"] for item in mine.json()["items"]] == [delegation["id"]]
    await inbox(sandbox, village.villager.phone, containing="纸质委托已登记")

    opened = await village.do("POST", "errands", matter=PROOF, onBehalfOf=delegation["id"])
    assert opened.status_code == 201, opened.text
    case = opened.json()
    assert case["form"]["insurance"]["months"] == 240
    assert case["acting"]["by"] == "代办员（秀华社区居民委员会）"
    assert "prefill" in case
    at = f"errands/{case['id']}"
    filled = await village.do("PATCH", at, form=FORMS[PROOF])
    assert filled.status_code == 200, filled.text
    assert (await village.do("GET", at)).json()["form"]["applicant"]["name"] == "吴*公"
    handed_in = await village.do("POST", f"{at}/submission")
    assert handed_in.status_code == 200, handed_in.text
    number = handed_in.json()["number"]
    await inbox(sandbox, village.villager.phone, containing=number)
    listed = await village.do("GET", "errands")
    assert [item["id"] for item in listed.json()["items"]] == [case["id"]]
    assert (await village.do("POST", f"{at}/withdrawal")).json()["state"] == "withdrawn"
    assert (await village.do("POST", f"delegations/{delegation['id']}/revocation")).status_code == 200

    lines = await village.lines()
    assert [line["act"] for line in lines] == ["recorded", "opened", "submission", "withdrawal", "ended"]
    assert [line["serial"] for line in lines] == [1, 2, 3, 4, 5]
    assert {line["giver"] for line in lines} == {"吴*公"}
    assert {line["reference"] for line in lines} == {"秀华社区档案柜2-17"}
    assert lines[2]["number"] == number

    table = await village.do("GET", "ledger.csv")
    assert table.headers["content-type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(table.content.decode("utf-8-sig"))))
    assert rows[0] == list(ledger.COLUMNS)
    assert [row[5] for row in rows[1:]] == [line["what"] for line in lines]
    assert (await village.do("GET", "ledger?day=2020-01-01")).json()["items"] == []


async def test_the_giver_with_an_account_sees_what_was_done_and_ends_it(
    village: Village, sandbox: httpx.AsyncClient
) -> None:
    giver = Citizen(
        village.api,
        village.villager,
        await builders.sign_in(village.api, sandbox, village.villager.phone),
    )
    await builders.prove(village.api, giver.headers, village.villager)
    delegation = (await village.record()).json()["id"]
    case = (await village.do("POST", "errands", matter=PROOF, onBehalfOf=delegation)).json()
    assert (await giver.get(case))["timeline"][0]["by"] == "agent"
    log = await village.api.get("/me/access-log", headers=giver.headers)
    seen = [item for item in log.json()["items"] if item.get("delegation") == delegation]
    assert {item["who"] for item in seen} == {"村（社区）代办员"}
    ended = await village.api.post(f"/delegations/{delegation}/revocation", json={}, headers=giver.headers)
    assert ended.json()["state"] == "ended"
    for answer in (
        await village.do("POST", f"errands/{case['id']}/submission"),
        await village.do("POST", "errands", matter=PROOF, onBehalfOf=delegation),
    ):
        assert (answer.status_code, slug(answer)) == (403, "delegation-ended")


async def test_an_agent_acts_under_their_own_papers_alone(village: Village) -> None:
    delegation = (await village.record()).json()["id"]
    case = (await village.do("POST", "errands", matter=PROOF, onBehalfOf=delegation)).json()
    other = await builders.staff(village.api, agency="villages", division=VILLAGE, role=AGENT_ROLE)
    stranger = Village(village.api, other, village.villager)
    for answer in (
        await stranger.do("GET", f"errands/{case['id']}"),
        await stranger.do("PATCH", f"errands/{case['id']}", form={}),
        await stranger.do("POST", f"errands/{case['id']}/submission"),
        await stranger.do("POST", f"errands/{case['id']}/withdrawal"),
        await stranger.do("POST", f"delegations/{delegation}/revocation"),
    ):
        assert answer.status_code == 404, answer.text
    for body in ({"matter": PROOF}, {"matter": PROOF, "onBehalfOf": delegation}):
        refused = await stranger.do("POST", "errands", **body)
        assert (refused.status_code, slug(refused)) == (422, "no-delegation")
    assert await stranger.lines() == []
    at_the_desk = await village.do("GET", f"cases/{case['id']}")
    assert at_the_desk.status_code == 403, "an agent applies and never decides"
    clerk = await builders.staff(village.api)
    for path in ("delegations", "errands", "ledger", "ledger.csv"):
        answer = await village.api.get(f"/desk/{path}", headers=clerk)
        assert answer.status_code == 403


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"paper": {"signedOn": "2020-01-01"}}, "/paper/signedOn"),
        ({"paper": {"signedOn": "2999-01-01"}}, "/paper/signedOn"),
        ({"paper": {"witness": {"name": "王见证", "phone": "1"}}}, "/paper/witness/phone"),
        ({"giver": {"phone": "1"}}, "/giver/phone"),
        ({"giver": {"idNumber": "1"}}, "/giver/idNumber"),
        ({"notices": "taker"}, "/notices"),
    ],
)
async def test_a_paper_that_lacks_something_names_it(
    village: Village, wrong: dict[str, Any], pointer: str
) -> None:
    refused = await village.record(**wrong)
    assert (refused.status_code, slug(refused)) == (422, "invalid-delegation")
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]


async def test_only_who_is_known_grown_up_and_lives_there_is_represented(
    village: Village, sandbox: httpx.AsyncClient, bad_day: Break
) -> None:
    unknown = await village.record(giver={"name": "吴阿婆"})
    assert (unknown.status_code, slug(unknown)) == (422, "identity-mismatch")
    child = builders.child()
    minor = await village.record(giver={"name": child["name"], "idNumber": child["idNumber"]})
    assert (minor.status_code, slug(minor)) == (422, "adults-only")
    elsewhere = await builders.settle(sandbox, Somebody(name="陈别处", division="460106"))
    away = await village.record(giver={"name": elsewhere.name, "idNumber": elsewhere.id_number})
    assert (away.status_code, slug(away)) == (403, "lives-elsewhere")
    assert (await village.record(paper={"documentHash": "no"})).status_code == 400
    await bad_day("population")
    down = await village.record()
    assert (down.status_code, slug(down)) == (503, "register-unavailable")


def test_no_cell_of_the_table_is_a_formula() -> None:
    entry = ledger.Entry(
        at=clock.now(),
        act="recorded",
        giver="吴*公",
        matter=None,
        number=None,
        reference='=HYPERLINK("x")',
        document_hash="0" * 64,
        delegation_id=new_id(),
    )
    (_, row) = csv.reader(io.StringIO(ledger.as_csv([entry]).decode("utf-8-sig")))
    assert row[6].startswith("'=")


async def test_the_ledger_is_of_one_day(village: Village) -> None:
    await village.record()
    yesterday = (clock.today() - timedelta(days=1)).isoformat()
    assert (await village.do("GET", f"ledger?day={yesterday}")).json()["items"] == []
    assert len(await village.lines()) == 1
    assert (await village.do("GET", "ledger?day=nonsense")).status_code == 400


async def test_an_agent_chooses_among_the_villagers_certificates_and_the_villager_sees_it(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    villager = Somebody(name="吴外来", more={"residencePermit": PERMIT})
    await builders.settle(sandbox, villager)
    agent = await builders.staff(api, agency="villages", division=VILLAGE, role=AGENT_ROLE)
    village = Village(api, agent, villager)
    recorded = await village.record(matters=[ENDORSEMENT])
    assert recorded.status_code == 201, recorded.text
    case = (await village.do("POST", "errands", matter=ENDORSEMENT, onBehalfOf=recorded.json()["id"])).json()
    [none] = (await village.do("GET", f"errands/{case['id']}/certificates")).json()["fields"]
    assert (none["pointer"], none["items"]) == ("/groundProof", [])

    theirs = await Citizen.signed_in(api, sandbox, villager)
    proof = str((await Holder(theirs, case, database).certificate()).id)
    [field] = (await village.do("GET", f"errands/{case['id']}/certificates")).json()["fields"]
    assert [each["id"] for each in field["items"]] == [proof]
    assert field["items"][0]["holderName"] == "吴*来"
    changed = await village.do("PATCH", f"errands/{case['id']}", form={"groundProof": proof})
    assert changed.json()["form"]["groundProof"] == proof
    stranger = Village(
        api, await builders.staff(api, agency="villages", division=VILLAGE, role=AGENT_ROLE), villager
    )
    refused = await stranger.do("GET", f"errands/{case['id']}/certificates")
    assert (refused.status_code, slug(refused)) == (404, "not-found")

    read = (await api.get("/me/access-log", headers=theirs.headers)).json()["items"]
    assert any(each["action"] == "certificates.read" for each in read), read
