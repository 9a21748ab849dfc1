"""Adding a person puts them into every register."""

from typing import Any

import httpx
import pytest

PARENT = "460105199003070017"
GRANDPARENT = "460204197512312512"
CHILD = "469005202108310036"
TRIP = {
    "from": "110000",
    "to": "460100",
    "departedAt": "2026-01-02T04:00:00Z",
    "arrivedAt": "2026-01-02T07:30:00Z",
    "mode": "flight",
    "number": "HU7381",
}


def check(digits: str) -> str:
    """Independent of the code under test: GB 11643 as 2^(17-i) weights."""
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(digits))
    return digits + "10X98765432"[total % 11]


def resident(**changes: Any) -> dict[str, Any]:
    address = "海南省海口市秀英区海秀街道椰风小区1栋101室"
    return {
        "name": "测试甲",
        "idNumber": PARENT,
        "phone": "13900000001",
        "division": "460105",
        "hukou": {"address": address, "division": "460105002", "since": "2018-01-01"},
        "home": {
            "id": "T-1",
            "address": address,
            "division": "460105002",
            "title": "owned",
            "share": 100,
            "since": "2017-12-01",
        },
        "children": [{"name": "测试小甲", "idNumber": check("46900520210831003")}],
        "residencePermit": {"since": "2020-01-01", "until": "2030-01-01"},
        "socialInsurance": {
            "months": 70,
            "division": "460100",
            "stoppedOn": "2026-01-31",
            "stopReason": "到期",
        },
        "specialGroup": "军人",
        "employment": {"employer": "样例公司"},
        "trips": [TRIP],
        "tests": [{"result": "negative"}],
        "vaccinations": [{"dose": 1}],
    } | changes


async def ask(sandbox: httpx.AsyncClient, register: str, id_number: str) -> dict[str, Any]:
    answer = await sandbox.post(f"/registers/{register}/query", json={"idNumber": id_number})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    assert body["source"]
    assert body["asOf"].endswith("Z")
    return body


@pytest.fixture
async def child(sandbox: httpx.AsyncClient) -> str:
    answer = await sandbox.post("/residents", json=resident())
    assert answer.status_code == 201, answer.text
    number: str = answer.json()["children"][0]["idNumber"]
    return number


async def test_every_register_knows_an_added_person(sandbox: httpx.AsyncClient, child: str) -> None:
    person = await ask(sandbox, "population", PARENT)
    assert (person["name"], person["sex"], person["birthDate"]) == ("测试甲", "male", "1990-03-07")
    assert person["hukou"]["since"] == "2018-01-01"
    assert (await ask(sandbox, "property", PARENT))["homes"] == [resident()["home"]]
    assert (await ask(sandbox, "residence-permit", PARENT))["until"] == "2030-01-01"
    insurance = await ask(sandbox, "social-insurance", PARENT)
    assert (insurance["months"], insurance["stoppedOn"], insurance["consecutive"]) == (70, "2026-01-31", True)
    assert (await ask(sandbox, "special-group", child))["group"] == "军人"
    assert (await ask(sandbox, "employment", PARENT))["employment"] == {"employer": "样例公司"}
    for facts in ("trips", "tests", "vaccinations"):
        assert (await ask(sandbox, facts, PARENT))[facts] == resident()[facts]


async def test_a_child_gets_birth_and_household_links(sandbox: httpx.AsyncClient, child: str) -> None:
    born = await ask(sandbox, "birth", child)
    assert born["parents"] == [{"name": "测试甲", "idNumber": PARENT}]
    assert born["certificateNumber"][0].isalpha()
    assert born["certificateNumber"][1:].isdigit()
    assert len(born["certificateNumber"]) == 10
    (asked_by_parent,) = (await ask(sandbox, "birth", PARENT))["children"]
    assert asked_by_parent["certificateNumber"] == born["certificateNumber"]
    booklet = await ask(sandbox, "household", child)
    assert {member["idNumber"]: member["relation"] for member in booklet["members"]} == {
        child: "self",
        PARENT: "parent",
    }
    assert (await ask(sandbox, "population", child))["hukou"] == resident()["hukou"]


async def test_a_grandparent_joins_the_booklet_without_overwriting_the_parent(
    sandbox: httpx.AsyncClient, child: str
) -> None:
    grandparent = {
        "name": "测试翁",
        "idNumber": GRANDPARENT,
        "phone": "13900000002",
        "children": [{"name": "另一名字", "idNumber": PARENT}],
    }
    assert (await sandbox.post("/residents", json=resident(**grandparent))).status_code == 201
    assert (await ask(sandbox, "population", PARENT))["name"] == "测试甲"
    members = (await ask(sandbox, "household", child))["members"]
    assert {member["idNumber"]: member["relation"] for member in members} == {
        child: "self",
        PARENT: "parent",
        GRANDPARENT: "grandparent",
    }
    of_elder = (await ask(sandbox, "household", GRANDPARENT))["members"]
    assert [member["relation"] for member in of_elder] == ["self", "child", "grandchild"]


async def test_a_relative_registered_elsewhere_is_not_in_the_booklet(sandbox: httpx.AsyncClient) -> None:
    elsewhere = {"address": "海南省文昌市某镇1号", "division": "469005", "since": "2021-09-01"}
    number = check("46900520210831003")
    children = [{"name": "测试小甲", "idNumber": number, "hukou": elsewhere}]
    await sandbox.post("/residents", json=resident(children=children))
    assert [member["idNumber"] for member in (await ask(sandbox, "household", number))["members"]] == [number]


async def test_posting_again_replaces_the_facts_and_the_children(
    sandbox: httpx.AsyncClient, child: str
) -> None:
    again = resident(home=None, children=None, specialGroup=None, name="测试改名")
    assert (await sandbox.post("/residents", json=again)).status_code == 201
    assert (await ask(sandbox, "population", PARENT))["name"] == "测试改名"
    assert (await ask(sandbox, "property", PARENT))["found"] is False
    assert (await ask(sandbox, "birth", PARENT))["found"] is False


async def test_name_and_number_are_matched(sandbox: httpx.AsyncClient, child: str) -> None:
    async def match(name: str, number: str) -> bool:
        body = {"name": name, "idNumber": number}
        answer = (await sandbox.post("/registers/population/match", json=body)).json()
        assert answer.keys() == {"match", "source", "asOf"}
        return bool(answer["match"])

    assert await match("测试甲", PARENT)
    assert not await match("测试乙", PARENT)
    assert not await match("测试甲", GRANDPARENT)


async def test_an_unknown_person_is_not_found_rather_than_an_error(sandbox: httpx.AsyncClient) -> None:
    answer = await ask(sandbox, "population", PARENT)
    assert answer.keys() == {"found", "source", "asOf"}
    assert answer["found"] is False


async def test_a_lower_case_x_is_the_same_number(sandbox: httpx.AsyncClient) -> None:
    await sandbox.post("/residents", json=resident(idNumber="46010819950612002x", children=None))
    assert (await ask(sandbox, "population", "46010819950612002X"))["found"] is True


@pytest.mark.parametrize(
    "changes",
    [
        {"idNumber": "460105199003070016"},  # docs/domain.md §1.1, negatives: check, date, length, char
        {"idNumber": "460105199002300011"},
        {"idNumber": "4601051990030700"},
        {"idNumber": "46010519900307001A"},
        {"idNumber": "４６０１０５１９９００３０７００１７"},
        {"idNumber": 460105199003070017},
        {"children": [{"name": "甲", "idNumber": "460105199003070016"}]},
        {"children": [{"name": "甲", "idNumber": PARENT}]},
        {"children": [{"name": "甲", "idNumber": check("46900520210831003")}] * 2},
        {"phone": "12345678901"},
        {"phone": None},
        {"name": ""},
        {"division": "46"},
        {"division": "460105\n"},
        {"division": "４６０１０５"},
        {"hukou": None},
        {"hukou": {"address": "某处", "division": "460105", "since": "2018-02-30"}},
        {"home": {"id": "T", "address": "某处", "division": "460105", "title": "castle", "share": 1}},
        {"home": {"id": "T", "address": "某处", "division": "460105", "title": "owned", "share": 101}},
        {"socialInsurance": {"months": -1, "division": "460100"}},
        {"surprise": 1},
    ],
)
async def test_a_malformed_person_is_refused_and_not_kept(
    sandbox: httpx.AsyncClient, changes: dict[str, Any]
) -> None:
    answer = await sandbox.post("/residents", json=resident(**changes))
    assert answer.status_code == 400
    assert answer.json()["error"] == "malformed"
    assert PARENT not in answer.text
    assert (await ask(sandbox, "population", PARENT))["found"] is False


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 5000])
async def test_a_body_that_is_no_json_object_is_refused(sandbox: httpx.AsyncClient, body: bytes) -> None:
    for path in ("/residents", "/faults", "/sms", "/face/sessions", "/registers/birth/query"):
        answer = await sandbox.post(path, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400, path
        assert answer.json()["error"] == "malformed"


async def test_an_oversized_body_is_refused(sandbox: httpx.AsyncClient) -> None:
    answer = await sandbox.post("/residents", json=resident(tests=[{"note": "长" * 400_000}]))
    assert answer.status_code == 413


async def test_registers_want_the_key(sandbox: httpx.AsyncClient) -> None:
    calls = {
        "/registers/population/query": {"idNumber": PARENT},
        "/registers/population/match": {"idNumber": PARENT, "name": "甲"},
        "/sms": {"phone": "13900000001", "text": "甲", "messageId": "1"},
        "/face/sessions": {"reference": "1"},
        "/face/redeem": {"sessionId": "1", "faceToken": "pass"},
    }
    for path, body in calls.items():
        for key in ("", "wrong", "沙箱".encode()):
            answer = await sandbox.post(path, json=body, headers={"X-Api-Key": key})
            assert answer.status_code == 401, path
            assert answer.json()["error"] == "unauthorized"


async def test_an_unknown_register_is_not_found(sandbox: httpx.AsyncClient) -> None:
    assert (await sandbox.post("/registers/horoscope/query", json={"idNumber": PARENT})).status_code == 404


async def test_a_trip_without_times_is_kept_and_is_no_record(sandbox: httpx.AsyncClient) -> None:
    vague = {"from": "110100", "to": "460100", "on": "2026-01-02"}
    answer = await sandbox.post("/residents", json=resident(trips=[vague, TRIP]))
    assert answer.json()["trips"] == [vague, TRIP]
    assert (await ask(sandbox, "trips", PARENT))["trips"] == [TRIP]


@pytest.mark.parametrize(
    "changes",
    [
        {"from": "海口"},
        {"from": "4601"},
        {"to": "jp"},
        {"departedAt": "2026-01-02"},
        {"departedAt": "2026-01-02T04:00:00"},
        {"arrivedAt": "2026-01-02T03:59:59Z"},
        {"mode": "rocket"},
        {"seat": "12A"},
    ],
)
async def test_a_trip_record_that_cannot_be_is_refused(
    sandbox: httpx.AsyncClient, changes: dict[str, Any]
) -> None:
    answer = await sandbox.post("/residents", json=resident(trips=[TRIP | changes]))
    assert answer.status_code == 400, answer.text
