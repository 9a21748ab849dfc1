"""From an unknown phone to a live face, and what stops on the way."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import update

from haiyiban.db import Database
from haiyiban.identity.models import FaceCheck
from tests.people import (
    Resident,
    SignedIn,
    at_level_three,
    give_real_name,
    pass_face_check,
    sign_in,
    slug,
)


async def test_name_number_and_face_lead_to_l3(api: httpx.AsyncClient, sandbox: httpx.AsyncClient) -> None:
    resident = await Resident("欧阳娜娜").register(sandbox)
    session = await sign_in(api, sandbox, resident.phone)
    phone = f"{resident.phone[:3]}****{resident.phone[7:]}"
    me = (await api.get("/me", headers=session.headers)).json()
    assert me == {
        "accountId": session.answer["accountId"],
        "assurance": "L1",
        "phone": phone,
        "wechat": False,
    }
    assert await give_real_name(api, session, resident) == {"assurance": "L2"}
    assert await pass_face_check(api, session) == {"assurance": "L3"}
    me = (await api.get("/me", headers=session.headers)).json()
    number = resident.id_number
    assert me["assurance"] == "L3"
    assert me["person"] == {"name": "欧**娜", "idNumber": f"{number[:3]}***********{number[14:]}"}


@pytest.mark.parametrize(
    ("id_number", "words"),
    [
        ("460105199003070016", "逐位"),
        ("460105199002300011", "第 7 到 14 位"),
        ("4601051990030700", "18 位"),
        ("46010519900307001A", "数字"),
    ],
)
async def test_a_number_that_cannot_be_is_refused_before_any_register(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, id_number: str, words: str
) -> None:
    """Source: docs/domain.md §1.1 (negative vectors)."""
    await sandbox.post("/faults", json={"register": "population", "mode": "error"})
    session = await sign_in(api, sandbox, Resident().phone)
    answer = await api.post(
        "/me/real-name", json={"name": "王小海", "idNumber": id_number}, headers=session.headers
    )
    assert (answer.status_code, slug(answer)) == (422, "invalid-id-number")
    assert answer.json()["errors"][0]["pointer"] == "/idNumber"
    assert words in answer.json()["errors"][0]["message"]
    assert id_number not in answer.text


async def test_a_number_is_taken_as_people_type_it(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    resident = await Resident("阿依古丽·买买提𠮷", id_number="46010819950612002X").register(sandbox)
    session = await sign_in(api, sandbox, resident.phone)
    answer = await api.post(
        "/me/real-name",
        json={"name": f" {resident.name} ", "idType": "id_card", "idNumber": " ４６010819950612002x "},
        headers=session.headers,
    )
    assert answer.json() == {"assurance": "L2"}


@pytest.mark.parametrize("id_type", ["112", "birth-certificate", "library-card"])
async def test_other_documents_are_refused_clearly(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, id_type: str
) -> None:
    session = await sign_in(api, sandbox, Resident().phone)
    answer = await api.post(
        "/me/real-name",
        json={"name": "A", "idType": id_type, "idNumber": "E12345678"},
        headers=session.headers,
    )
    assert (answer.status_code, slug(answer)) == (422, "document-not-offered")
    assert answer.json()["errors"][0]["pointer"] == "/idType"


async def test_a_child_has_no_account_of_its_own(api: httpx.AsyncClient, sandbox: httpx.AsyncClient) -> None:
    session = await sign_in(api, sandbox, Resident().phone)
    answer = await api.post(
        "/me/real-name",
        json={"name": "王一", "idNumber": "469005201508310031"},
        headers=session.headers,
    )
    assert answer.status_code == 422
    assert slug(answer) == "needs-guardian"


async def test_names_that_do_not_match_are_counted_and_stop_after_five(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    resident = await Resident().register(sandbox)
    session = await sign_in(api, sandbox, resident.phone)
    wrong = {"name": "王大海", "idType": "111", "idNumber": resident.id_number}
    answers = await asyncio.gather(
        *(api.post("/me/real-name", json=wrong, headers=session.headers) for _ in range(8))
    )
    assert sorted(slug(answer) for answer in answers) == ["identity-mismatch"] * 5 + ["too-many-tries"] * 3
    right = await api.post("/me/real-name", json=wrong | {"name": resident.name}, headers=session.headers)
    assert right.status_code == 429
    assert int(right.headers["retry-after"]) > 3600


async def test_a_register_that_is_away_costs_no_try_and_says_so(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    resident = await Resident().register(sandbox)
    session = await sign_in(api, sandbox, resident.phone)
    body = {"name": resident.name, "idType": "111", "idNumber": resident.id_number}
    await sandbox.post("/faults", json={"register": "population", "mode": "garbage"})
    for _ in range(6):
        answer = await api.post("/me/real-name", json=body, headers=session.headers)
        assert (answer.status_code, slug(answer)) == (503, "register-unavailable")
        assert "retry-after" in answer.headers
    await sandbox.post("/faults", json={"register": "population", "mode": "off"})
    assert await eventually_confirmed(api, session, resident) == {"assurance": "L2"}


async def test_a_confirmed_account_cannot_become_another_person(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    _, session = await at_level_three(api, sandbox)
    other = await Resident("李大山").register(sandbox)
    answer = await api.post(
        "/me/real-name",
        json={"name": other.name, "idType": "111", "idNumber": other.id_number},
        headers=session.headers,
    )
    assert (answer.status_code, slug(answer)) == (409, "already-confirmed")


async def test_giving_the_same_name_again_keeps_the_level(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    resident, session = await at_level_three(api, sandbox)
    assert await give_real_name(api, session, resident) == {"assurance": "L3"}


async def test_a_face_needs_somebody_it_could_be(api: httpx.AsyncClient, sandbox: httpx.AsyncClient) -> None:
    session = await sign_in(api, sandbox, Resident().phone)
    answer = await api.post("/me/face-checks", headers=session.headers)
    assert (answer.status_code, slug(answer)) == (409, "real-name-first")


async def test_five_failed_faces_lock_face_checks_for_a_day(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    """Source: docs/domain.md §1.6."""
    session = await at_level_two(api, sandbox)
    for _ in range(5):
        answer = await show_face(api, session, "somebody else")
        assert (answer.status_code, slug(answer)) == (422, "face-mismatch")
    locked = await api.post("/me/face-checks", headers=session.headers)
    assert (locked.status_code, slug(locked)) == (429, "face-checks-locked")
    assert int(locked.headers["retry-after"]) > 86_000
    async with database.transaction() as work:
        await work.execute(
            update(FaceCheck)
            .where(FaceCheck.account_id == session.answer["accountId"])
            .values(settled_at=FaceCheck.settled_at - timedelta(hours=24))
        )
    assert (await show_face(api, session, "pass")).json() == {"assurance": "L3"}


async def test_a_failed_face_check_is_over_and_a_passed_one_answers_again(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    session = await at_level_two(api, sandbox)
    check = (await api.post("/me/face-checks", headers=session.headers)).json()["id"]
    path = f"/me/face-checks/{check}/result"
    assert (await api.post(path, json={"faceToken": "no"}, headers=session.headers)).status_code == 422
    over = await api.post(path, json={"faceToken": "pass"}, headers=session.headers)
    assert (over.status_code, slug(over)) == (409, "face-check-over")
    check = (await api.post("/me/face-checks", headers=session.headers)).json()["id"]
    path = f"/me/face-checks/{check}/result"
    answers = await asyncio.gather(
        *(api.post(path, json={"faceToken": "pass"}, headers=session.headers) for _ in range(3))
    )
    assert [answer.json() for answer in answers] == [{"assurance": "L3"}] * 3


async def test_a_newer_face_check_replaces_an_older(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    session = await at_level_two(api, sandbox)
    older = (await api.post("/me/face-checks", headers=session.headers)).json()["id"]
    await api.post("/me/face-checks", headers=session.headers)
    answer = await api.post(
        f"/me/face-checks/{older}/result", json={"faceToken": "pass"}, headers=session.headers
    )
    assert (answer.status_code, slug(answer)) == (409, "face-check-over")


async def test_another_sessions_face_check_is_not_found(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    mine, theirs = await at_level_two(api, sandbox), await at_level_two(api, sandbox)
    check = (await api.post("/me/face-checks", headers=theirs.headers)).json()["id"]
    answer = await api.post(
        f"/me/face-checks/{check}/result", json={"faceToken": "pass"}, headers=mine.headers
    )
    assert (answer.status_code, slug(answer)) == (404, "not-found")


async def test_a_face_vendor_that_is_away_costs_no_failure(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    session = await at_level_two(api, sandbox)
    check = (await api.post("/me/face-checks", headers=session.headers)).json()["id"]
    await sandbox.post("/faults", json={"register": "face", "mode": "error"})
    path = f"/me/face-checks/{check}/result"
    away = await api.post(path, json={"faceToken": "pass"}, headers=session.headers)
    assert (away.status_code, slug(away)) == (503, "register-unavailable")
    await sandbox.post("/faults", json={"register": "face", "mode": "off"})
    answer = await api.post(path, json={"faceToken": "pass"}, headers=session.headers)
    assert answer.json() == {"assurance": "L3"}


async def at_level_two(api: httpx.AsyncClient, sandbox: httpx.AsyncClient) -> SignedIn:
    resident = await Resident().register(sandbox)
    session = await sign_in(api, sandbox, resident.phone)
    assert await give_real_name(api, session, resident) == {"assurance": "L2"}
    return session


async def show_face(api: httpx.AsyncClient, session: SignedIn, token: str) -> httpx.Response:
    begun = await api.post("/me/face-checks", headers=session.headers)
    assert begun.status_code == 201, begun.text
    path = f"/me/face-checks/{begun.json()['id']}/result"
    return await api.post(path, json={"faceToken": token}, headers=session.headers)


async def eventually_confirmed(
    api: httpx.AsyncClient, session: SignedIn, resident: Resident
) -> dict[str, str]:
    """Once the register is asked again; after failures it is given a rest."""
    for _ in range(60):
        answer = await api.post(
            "/me/real-name",
            json={"name": resident.name, "idNumber": resident.id_number},
            headers=session.headers,
        )
        if answer.status_code == 200:
            return dict(answer.json())
        await asyncio.sleep(0.5)
    raise AssertionError("the register is not asked again")
