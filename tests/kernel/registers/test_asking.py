"""What the registers say about people, with its source and time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest

from haiyiban.registers import REGISTERS, Question, RegisterClient
from haiyiban.registers.client import _answers_about


def checked(seventeen: str) -> str:
    """An identity number with its check character. Source: GB 11643-1999; docs/domain.md §1.1."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return seventeen + "10X98765432"[sum(int(d) * w for d, w in zip(seventeen, weights, strict=True)) % 11]


@pytest.fixture
async def somebody(sandbox: httpx.AsyncClient) -> dict[str, Any]:
    """A person with something in every register."""
    resident = {
        "name": "田字格",
        "idNumber": checked("46010519880101071"),
        "phone": "13907555071",
        "division": "460105",
        "hukou": {"address": "海南省海口市秀英区样例路71号", "division": "460105001", "since": "2016-02-29"},
        "home": {
            "id": "H-71",
            "address": "海南省海口市秀英区样例路71号",
            "division": "460105001",
            "title": "owned",
            "share": 50,
        },
        "children": [{"name": "田小格", "idNumber": checked("46010520180101073")}],
        "residencePermit": {"since": "2020-01-01", "until": "2030-01-01"},
        "socialInsurance": {"months": 71, "division": "460100"},
        "specialGroup": "军人",
        "employment": {"employer": "样例公司", "since": "2016-03-01"},
        "pension": {"since": "2026-01-01"},
        "deregistration": {"reason": "moved_abroad", "on": "2026-02-01"},
        "custody": {"since": "2025-01-01", "until": "2025-06-30"},
        "tests": [{"result": "negative", "sampledAt": "2026-01-01T04:00:00Z"}],
        "vaccinations": [{"product": "inactivated"}],
        "contacts": [{"kind": "exposure", "since": "2026-01-01", "minutes": 30}],
        "medicalBills": [
            {
                "number": "1",
                "hospital": "示例医院",
                "division": "440100",
                "place": "广州",
                "kind": "inpatient",
                "from": "2026-01-01",
                "until": "2026-01-05",
                "totalFen": 100,
            }
        ],
        "medicalPolicy": {
            "division": "460000",
            "place": "海南省",
            "deductibleFen": 1,
            "ratioPercent": 80,
            "capFen": 100,
        },
        "trips": [
            {
                "from": "460100",
                "to": "JPN",
                "departedAt": "2026-01-01T04:00:00Z",
                "arrivedAt": "2026-01-01T08:30:00Z",
                "mode": "flight",
                "number": "HU433",
            }
        ],
    }
    (await sandbox.post("/residents", json=resident)).raise_for_status()
    return resident


async def test_every_register_is_asked_at_once_and_answers(
    client: RegisterClient, somebody: dict[str, Any]
) -> None:
    answers = await client.ask_many({name: Question(name, somebody["idNumber"]) for name in REGISTERS})
    # An enterprise's register keeps nobody under an identity number.
    assert {name for name, answer in answers.items() if answer.state != "known"} == {"market_entity"}
    assert answers["market_entity"].state == "absent"
    assert answers["population"].data["hukou"] == somebody["hukou"]
    assert answers["population"].data["sex"] == "male"
    assert {member["relation"] for member in answers["household"].data["members"]} == {"self", "child"}
    assert answers["property"].data["homes"] == [somebody["home"] | {"since": None}]
    assert answers["residence_permit"].data["until"] == "2030-01-01"
    assert answers["social_insurance"].data["months"] == 71
    assert answers["birth"].data["children"][0]["name"] == "田小格"
    assert answers["special_group"].data == {"group": "军人"}
    assert answers["employment"].data["employment"] == somebody["employment"]
    assert answers["pension"].data == somebody["pension"]
    assert answers["trips"].data["trips"] == somebody["trips"]
    assert answers["tests"].data["tests"] == somebody["tests"]
    assert answers["vaccinations"].data["vaccinations"] == somebody["vaccinations"]
    (contact,) = answers["contacts"].data["contacts"]
    assert contact.items() >= somebody["contacts"][0].items()


async def test_a_fact_carries_who_said_so_and_when(client: RegisterClient, somebody: dict[str, Any]) -> None:
    fact = (await client.ask("population", somebody["idNumber"])).fact("/hukou/division")
    assert (fact.value, fact.state) == ("460105001", "known")
    assert "人口库" in fact.source
    assert abs(fact.at - datetime.now(UTC)) < timedelta(minutes=1)


async def test_what_a_register_does_not_hold_is_absent_not_unknown(
    client: RegisterClient, somebody: dict[str, Any]
) -> None:
    nobody = await client.ask("property", checked("46010519880101099"))
    assert (nobody.state, nobody.data, nobody.fields) == ("absent", {}, [])
    assert nobody.fact("/homes").state == "absent"
    insured = await client.ask("social_insurance", somebody["idNumber"])
    assert insured.fact("/stoppedOn").state == "absent"


async def test_the_names_of_what_was_read_are_given_for_the_audit(
    client: RegisterClient, somebody: dict[str, Any]
) -> None:
    answer = await client.ask("property", somebody["idNumber"])
    assert answer.fields == ["property.homes"]


async def test_answers_come_back_under_the_keys_of_the_caller(
    client: RegisterClient, somebody: dict[str, Any]
) -> None:
    own_keys = {("property", "applicant"): Question("property", somebody["idNumber"])}
    answers = await client.ask_many(own_keys)
    assert answers.keys() == own_keys.keys()
    assert await client.ask_many({}) == {}


async def test_an_enterprise_is_asked_about_in_its_own_register_alone(
    client: RegisterClient, sandbox: httpx.AsyncClient
) -> None:
    code = "91460000MA5TK7Q22J"
    registered = {
        "creditCode": code,
        "name": "海南样例有限公司",
        "division": "460000",
        "address": "海南省海口市美兰区样例路1号",
        "registeredOn": "2019-03-04",
        "representative": {"name": "田字格", "idNumber": checked("46010519880101071")},
        "licences": {
            "food-business": {
                "number": "JY1",
                "issuedOn": "2024-01-01",
                "validUntil": "2028-12-31",
                "scope": "热食类食品制售",
            }
        },
    }
    (await sandbox.post("/enterprises", json=registered)).raise_for_status()
    answers = await client.ask_many({name: Question(name, code, "uscc") for name in REGISTERS})
    assert {name for name, answer in answers.items() if answer.state != "absent"} == {"market_entity"}
    known = answers["market_entity"]
    assert known.fact("/licences/food-business/validUntil").value == "2028-12-31"
    assert known.fact("/representative/name").value == "田字格"
    assert known.data["status"] == "in_business"
    nobody = await client.ask("market_entity", "91460100MA5T0ABC8D", "uscc")
    assert nobody.source == "省市场监督管理局市场主体登记库"


@pytest.mark.parametrize("code", ["91460000MA5TK7Q22K", "91460000MA5TK7Q2", "91460000MA5TK7Q2IJ", ""])
async def test_the_sandbox_takes_no_credit_code_that_cannot_be(sandbox: httpx.AsyncClient, code: str) -> None:
    """docs/domain.md §1.3, the negative rows; checked there without the platform's own rule."""
    answer = await sandbox.post("/enterprises", json={"creditCode": code})
    assert answer.status_code == 400


async def test_a_crowd_is_asked_in_a_few_calls_and_each_gets_the_answer_of_one(
    client: RegisterClient, somebody: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    number = somebody["idNumber"]
    calls: list[str] = []
    for name in ("tests", "contacts"):
        line = client.lines[name]

        async def counted(path: str, body: object, *, read: Any, call: Any = line.call) -> Any:
            calls.append(path)
            return await call(path, body, read=read)

        monkeypatch.setattr(line, "call", counted)
    strangers = [checked(f"46010519800101{number:03}") for number in range(60)]
    questions: dict[tuple[str, str], Question] = {
        (one, name): Question(name, one) for one in [number, *strangers] for name in ("tests", "contacts")
    }
    questions["visitor", "pension"] = Question("pension", "E12345678", "414")
    answers = await client.ask_crowd(questions)
    assert sorted(calls) == ["/registers/contacts/queries"] * 2 + ["/registers/tests/queries"] * 2
    assert set(answers) == set(questions)
    for name in ("tests", "contacts"):
        alone = await client.ask(name, number)
        assert (answers[number, name].state, answers[number, name].data) == ("known", alone.data)
        assert {answers[one, name].state for one in strangers} == {"absent"}
    assert answers["visitor", "pension"].state == "absent"


async def test_a_crowd_at_a_register_that_is_away_is_unknown(
    client: RegisterClient, sandbox: httpx.AsyncClient, somebody: dict[str, Any]
) -> None:
    await sandbox.post("/faults", json={"register": "tests", "mode": "error"})
    number = somebody["idNumber"]
    found = await client.ask_crowd({name: Question(name, number) for name in ("tests", "contacts")})
    assert [found[name].state for name in ("tests", "contacts")] == ["unknown", "known"]


async def test_a_crowd_at_a_register_that_knows_one_question_is_asked_one_by_one(
    somebody: dict[str, Any],
    sandbox: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
    client: RegisterClient,
) -> None:
    line = client.lines["tests"]
    calls: list[str] = []

    async def plain(path: str, body: object, *, read: Any, call: Any = line.call) -> Any:
        calls.append(path)
        return await call(path.replace("queries", "many"), body, read=read)

    monkeypatch.setattr(line, "call", plain)
    number = somebody["idNumber"]
    for _ in range(2):
        found = await client.ask_crowd({"it": Question("tests", number)})
        assert found["it"].state == "known"
    assert calls == ["/registers/tests/queries", *["/registers/tests/query"] * 2], "not offered it twice"


def test_one_answer_of_a_crowd_that_cannot_be_read_is_unknown_and_no_other() -> None:
    good, bad = "460105198801010710", "460105199003070017"
    asked = {one: Question("tests", one) for one in (good, bad)}
    head = {"found": True, "source": "库", "asOf": "2026-01-01T00:00:00Z"}
    content = [head | {"idNumber": good, "tests": []}, head | {"idNumber": good, "tests": []}]
    found = _answers_about("tests", asked)(msgspec.json.encode({"answers": content}))
    assert [found[one].state for one in (good, bad)] == ["known", "unknown"]
    with pytest.raises(msgspec.ValidationError, match=r"answers"):
        _answers_about("tests", asked)(msgspec.json.encode({"answers": content[:1]}))
