"""The wire contract as another team reads it: shapes, refusals, repeats and versions, over HTTP alone."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests import builders
from tests.journeys.conftest import Platform
from tests.journeys.people import Document, Official, Resident, family, newcomer

SCHOOL = "education.school-place"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")
_VERSION_7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@pytest.fixture(scope="module")
def clerk(platform: Platform) -> Official:
    """One sign-in for all: a one-time password counts once."""
    return Official(platform, "clerk")


@pytest.fixture(scope="module")
def schools(platform: Platform) -> list[str]:
    """The public schools of the open enrolment."""
    listed = httpx.get(f"{platform.demo['api']}/api/v1/zones/school-places/schools?division=460105").json()
    return [school["id"] for school in listed["items"] if school["kind"] == "public"]


def test_demo_json_says_where_to_go_and_who_to_be(platform: Platform) -> None:
    demo = platform.demo
    assert all(not demo[name].endswith("/") for name in ("api", "sandbox", "web"))
    assert demo["trustRoot"]["kty"] == "EC"
    assert "d" not in demo["trustRoot"]
    for role in ("clerk", "officer", "operator"):
        assert {"username", "password"} <= demo["accounts"][role].keys()
    for program in ("verifier", "merchant", "terminal"):
        assert {"clientId", "clientSecret"} <= demo["accounts"][program].keys()
    for known in demo["residents"]:
        assert {"name", "idNumber", "phone", "children", "about"} <= known.keys()


def test_what_has_no_base_path_answers(platform: Platform) -> None:
    for path in ("/health/live", "/health/ready", "/metrics", "/openapi.json", "/docs"):
        assert httpx.get(platform.demo["api"] + path).status_code == 200, path
    assert "https://" not in httpx.get(platform.demo["api"] + "/docs").text.split("<body")[0]


def test_known_and_unknown_phones_get_the_same_answer_and_not_twice_a_minute(platform: Platform) -> None:
    known = newcomer(platform)
    first = known.http.post("/auth/sms-codes", json={"phone": known.known["phone"]})
    stranger = known.http.post("/auth/sms-codes", json={"phone": builders.phone()})
    assert first.status_code == stranger.status_code == 202
    assert first.json() == stranger.json()
    assert first.json().keys() == {"expiresInSeconds", "retryAfterSeconds"}
    again = known.http.post("/auth/sms-codes", json={"phone": known.known["phone"]})
    assert _slug(again, 429) == "too-many-codes"
    assert int(again.headers["retry-after"]) > 0


def test_a_mini_program_signs_in_by_the_code_that_wechat_gave_it(platform: Platform) -> None:
    http = newcomer(platform).http
    login = httpx.post(f"{platform.demo['sandbox']}/wechat/codes", json={}).json()
    session = http.post("/auth/sessions", json={"method": "wechat", "code": login["code"]})
    assert session.status_code == 201, session.text
    me = http.get("/me", headers={"Authorization": f"Bearer {session.json()['accessToken']}"}).json()
    assert (me["assurance"], me["wechat"]) == ("L1", True)
    refused = http.post("/auth/sessions", json={"method": "wechat", "code": login["code"]})
    assert _slug(refused, 422) == "wechat-code-refused"


def test_below_l3_nothing_of_a_person_is_shown_and_each_wrong_identity_is_named(platform: Platform) -> None:
    person = newcomer(platform)
    person.sign_in()
    own = person.known["idNumber"]
    for name, number, slug in (
        (person.known["name"], own[:-1] + ("1" if own[-1] != "1" else "2"), "invalid-id-number"),
        (person.known["name"], "460105199002300011", "invalid-id-number"),
        ("别的人", own, "identity-mismatch"),
        (person.known["name"], builders.id_number(), "identity-mismatch"),
    ):
        body = {"name": name, "idType": "111", "idNumber": number}
        refused = person.http.post("/me/real-name", json=body)
        assert _slug(refused, 422) == slug
        assert number not in refused.text
    for proven in (False, True):
        if proven:
            body = {"name": person.known["name"], "idType": "111", "idNumber": own}
            assert person.http.post("/me/real-name", json=body).json()["assurance"] == "L2"
        for path in ("/cases", "/certificates"):
            assert _slug(person.http.get(path), 403) == "step-up-needed"
    me = person.get("/me")
    assert me["person"] == {"name": "王*浩", "idNumber": f"{own[:3]}{'*' * 11}{own[-4:]}"}
    assert me["phone"] == f"{person.known['phone'][:3]}****{person.known['phone'][-4:]}"


def test_a_key_sent_five_times_at_once_makes_one_case(platform: Platform) -> None:
    parent = family(platform)
    key = {"Idempotency-Key": str(uuid.uuid4())}
    answers = _at_once(5, lambda: parent.http.post("/cases", json={"matter": SCHOOL}, headers=key))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len(parent.get("/cases")["items"]) == 1
    other = parent.http.post("/cases", json={"matter": "social-insurance.proof"}, headers=key)
    assert _slug(other, 422) == "idempotency-mismatch"
    elsewhere = f"/cases/{answers[0].json()['id']}/withdrawal"
    assert parent.http.post(elsewhere, json={}, headers=key).status_code == 200, "scoped to the path"


def test_of_two_applications_for_one_child_one_is_handed_in(platform: Platform, schools: list[str]) -> None:
    parent = family(platform)
    drafts = [_ready(parent, schools[:1]) for _ in range(2)]
    turns = iter([*drafts, *drafts])
    answers = _at_once(4, lambda: parent.http.post(f"/cases/{next(turns)['id']}/submission", json={}))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    other = newcomer(platform, children=parent.known["children"])
    other.sign_in()
    other.prove()
    second = _ready(other, schools[:1])
    assert _slug(other.http.post(f"/cases/{second['id']}/submission", json={}), 409) == "already-applied"


def test_with_several_children_one_is_chosen_or_named(platform: Platform, schools: list[str]) -> None:
    day = builders.school_age()
    parent = family(platform, born=(day, day))
    numbers = [child["idNumber"] for child in parent.known["children"]]
    case = parent.post("/cases", {"matter": SCHOOL}, expect=201)
    assert {choice["idNumber"] for choice in case["choicesFor"]["/child"]} == set(numbers)
    chosen = {"child": case["choicesFor"]["/child"][0], "choices": schools[:1]}
    patched = parent.patch(f"/cases/{case['id']}", {"form": chosen, "version": case["version"]})
    assert "/child/idNumber" in patched["locked"]
    named = parent.post("/cases", {"matter": SCHOOL, "subject": {"idNumber": numbers[1]}}, expect=201)
    assert named["form"]["child"]["idNumber"][-4:] == numbers[1][-4:]
    assert named["form"]["twinOf"][-4:] == numbers[0][-4:]
    strangers = newcomer(platform, born=(day,)).known["children"][0]["idNumber"]
    body = {"matter": SCHOOL, "subject": {"idNumber": strangers}}
    assert _slug(parent.http.post("/cases", json=body), 403) == "not-your-child"


def test_a_registers_value_is_masked_and_stays_unless_disputed(platform: Platform) -> None:
    parent = family(platform)
    case = parent.post("/cases", {"matter": SCHOOL}, expect=201)
    path = f"/cases/{case['id']}"
    number = parent.known["children"][0]["idNumber"]
    assert case["form"]["child"]["idNumber"] == f"{number[:3]}{'*' * 11}{number[-4:]}"
    assert {"source", "at"} <= case["prefill"]["/hukou/address"].keys()
    for form in ({"guardian": {"name": "李四"}}, {"hukou": None}, {"hukou": {"since": "2012-01-01"}}):
        refused = parent.http.patch(path, json={"form": form, "version": 1})
        assert _slug(refused, 422) == "field-from-register"
        assert refused.json()["errors"][0]["pointer"] in case["locked"]
    change = {"form": {"hukou": {"since": "2012-01-01"}}, "version": 1}
    disputed = parent.patch(path, change | {"disputes": {"/hukou/since": "迁入日期登记错了"}})
    assert disputed["form"]["hukou"]["since"] == "2012-01-01"
    assert "/hukou/since" not in disputed["locked"]


def test_who_is_late_is_told_how_things_stand(
    platform: Platform, clerk: Official, schools: list[str]
) -> None:
    parent = family(platform)
    case = _ready(parent, schools[:1])
    path = f"/cases/{case['id']}"
    late = parent.http.patch(path, json={"form": {}, "version": 1})
    assert _slug(late, 409) == "version-conflict"
    assert (late.json()["state"], late.json()["version"]) == ("draft", case["version"])
    stale = {"If-Match": '"1"'}
    body = {"form": {}, "version": case["version"]}
    assert parent.http.patch(path, json=body, headers=stale).status_code == 412
    assert parent.http.post(f"{path}/submission", json={}, headers=stale).status_code == 412
    version = parent.post(f"{path}/submission")["version"]
    desk = {"note": "材料齐全", "version": version}
    assert clerk.http.post(f"/desk{path}/accept", json=desk, headers=stale).status_code == 412
    verbs = iter(["accept", "refuse", "request-correction", "accept"])
    answers = _at_once(4, lambda: clerk.http.post(f"/desk{path}/{next(verbs)}", json=desk))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    won = next(answer.json() for answer in answers if answer.status_code == 200)
    for lost in (answer.json() for answer in answers if answer.status_code == 409):
        assert (lost["state"], lost["version"]) == (won["state"], won["version"])


def test_what_is_anothers_is_not_there(platform: Platform, schools: list[str]) -> None:
    case = _ready(family(platform), schools[:1])
    stranger = family(platform)
    path = f"/cases/{case['id']}"
    assert _slug(stranger.http.get(path), 404) == "not-found"
    assert stranger.http.patch(path, json={"form": {}, "version": 1}).status_code == 404
    for verb in ("submission", "withdrawal", "rating"):
        body = {"score": 5} if verb == "rating" else {}
        assert stranger.http.post(f"{path}/{verb}", json=body).status_code == 404
    assert httpx.get(f"{platform.demo['api']}/api/v1{path}").status_code == 401
    assert stranger.http.get("/desk/cases").status_code == 403


def test_lists_are_read_page_by_page_and_shapes_hold(platform: Platform, schools: list[str]) -> None:
    parent = family(platform)
    made = [_ready(parent, schools[:1])["id"] for _ in range(3)]
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = parent.get("/cases", limit=2, **cursor)
        assert page.keys() == {"items", "next"}
        seen += [row["id"] for row in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert sorted(seen) == sorted(made)
    for refused in ({"limit": 0}, {"limit": 101}, {"limit": "x"}, {"cursor": "@@"}):
        assert parent.http.get("/cases", params=refused).status_code == 400, refused
    case = parent.get(f"/cases/{made[0]}")
    assert _VERSION_7.fullmatch(case["id"])
    for name, value in _members({key: case[key] for key in case.keys() - {"prefill", "disputes"}}):
        assert re.fullmatch(r"[a-z][a-zA-Z0-9]*", name), name
        if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value):
            assert _TIME.fullmatch(value), (name, value)


def test_english_is_answered_where_it_is_liked_better(platform: Platform) -> None:
    parent = family(platform)
    for liked, is_english in (("en", True), ("en;q=0.1, zh;q=0.9", False), ("fr, en;q=0.5", True)):
        answer = parent.http.get(f"/cases/{uuid.uuid4()}", headers={"Accept-Language": liked})
        assert answer.json()["title"].isascii() == is_english, liked


@pytest.mark.parametrize("register", ["household", "property"])
@pytest.mark.parametrize("mode", ["error", "garbage"])
def test_a_family_that_adds_only_its_schools_hands_in_though_a_register_is_silent(
    platform: Platform, clerk: Official, schools: list[str], register: str, mode: str
) -> None:
    parent = family(platform)
    faults = f"{platform.demo['sandbox']}/faults"
    assert httpx.post(faults, json={"register": register, "mode": mode}).is_success
    try:
        case = _ready(parent, schools[:1])
        handed_in = parent.post(f"/cases/{case['id']}/submission")
        assert handed_in["state"] == "submitted"
        assert handed_in["openFacts"], "the fact is marked 待核实"
        assert clerk.get(f"/desk/cases/{case['id']}")["openFacts"], "and the clerk sees it"
    finally:
        httpx.post(faults, json={"register": register, "mode": "off"})


def _ready(parent: Resident, choices: list[str]) -> Document:
    case = parent.post("/cases", {"matter": SCHOOL}, expect=201)
    body = {"form": {"choices": choices}, "version": case["version"]}
    patched: Document = parent.patch(f"/cases/{case['id']}", body)
    return patched


def _slug(answer: httpx.Response, status: int) -> str:
    """The last segment of a refusal's type, after its shape is checked."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    problem = answer.json()
    assert problem["status"] == status
    assert problem["title"]
    assert re.fullmatch(r"/problems/[a-z-]+/[a-z-]+", problem["type"])
    return str(problem["type"].rsplit("/", 1)[-1])


def _at_once(count: int, send: Callable[[], httpx.Response]) -> list[httpx.Response]:
    with ThreadPoolExecutor(count) as pool:
        return [turn.result() for turn in [pool.submit(send) for _ in range(count)]]


def _members(document: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(document, dict):
        for name, value in document.items():
            yield name, value
            yield from _members(value)
    elif isinstance(document, list):
        for value in document:
            yield from _members(value)
