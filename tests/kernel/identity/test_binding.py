"""Phones that are issued again, and persons claimed twice: only a living face moves anything."""

from __future__ import annotations

import asyncio

import httpx
from sqlalchemy import select

from haiyiban.db import Database
from haiyiban.identity import persons
from haiyiban.identity.models import Account, Person
from tests.people import (
    Resident,
    SignedIn,
    at_level_three,
    give_real_name,
    pass_face_check,
    sign_in,
    slug,
    step_by_step,
    texts,
)


async def test_a_known_device_signs_in_at_the_level_reached(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    resident, session = await at_level_three(api, sandbox)
    token = session.answer["deviceToken"]
    again = await sign_in(api, sandbox, resident.phone, deviceToken=token)
    me = (await api.get("/me", headers=again.headers)).json()
    assert (me["assurance"], "person" in me) == ("L3", True)


async def test_an_unknown_device_shows_nothing_until_a_face_check(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    resident, first = await at_level_three(api, sandbox)
    for members in ({}, {"deviceToken": "made-up"}):
        session = await sign_in(api, sandbox, resident.phone, **members)
        assert session.answer["accountId"] == first.answer["accountId"]
        me = (await api.get("/me", headers=session.headers)).json()
        assert (me["assurance"], "person" in me) == ("L1", False)
    assert await pass_face_check(api, session) == {"assurance": "L3"}
    me = (await api.get("/me", headers=session.headers)).json()
    assert (me["assurance"], "person" in me) == ("L3", True)


async def test_name_and_number_alone_open_no_bound_account(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    resident, _ = await at_level_three(api, sandbox)
    session = await sign_in(api, sandbox, resident.phone)
    assert await give_real_name(api, session, resident) == {"assurance": "L1", "next": "face-check"}
    assert "person" not in (await api.get("/me", headers=session.headers)).json()
    assert await pass_face_check(api, session) == {"assurance": "L3"}


async def test_another_accounts_device_token_is_worth_nothing(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    victim, _ = await at_level_three(api, sandbox)
    _, other = await at_level_three(api, sandbox)
    session = await sign_in(api, sandbox, victim.phone, deviceToken=other.answer["deviceToken"])
    assert (await api.get("/me", headers=session.headers)).json()["assurance"] == "L1"


async def test_a_face_moves_a_person_to_a_second_account_and_tells_the_first(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    resident, first = await step_by_step(api, sandbox)
    person_id = await person_of(database, first.answer["accountId"])
    other_phone = Resident().phone
    second = await sign_in(api, sandbox, other_phone)

    assert await give_real_name(api, second, resident) == {"assurance": "L1", "next": "face-check"}
    assert "person" not in (await api.get("/me", headers=second.headers)).json()
    assert (await api.get("/me", headers=first.headers)).json()["assurance"] == "L3"

    assert await pass_face_check(api, second) == {"assurance": "L3"}
    assert (await api.get("/me", headers=second.headers)).json()["person"]
    assert await person_of(database, second.answer["accountId"]) == person_id
    assert await person_of(database, first.answer["accountId"]) is None
    assert (await api.get("/me", headers=first.headers)).status_code == 401
    refresh = await api.post("/auth/sessions/refresh", json={"refreshToken": first.answer["refreshToken"]})
    assert refresh.status_code == 401
    told = await texts(sandbox, resident.phone, count=2)
    assert "另一个账号" in told[0]["text"]
    assert resident.name not in told[0]["text"]

    token = first.answer["deviceToken"]
    back = await sign_in(api, sandbox, resident.phone, deviceToken=token)
    assert (await api.get("/me", headers=back.headers)).json()["assurance"] == "L1"


async def test_a_failed_face_moves_nothing(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    resident, first = await at_level_three(api, sandbox)
    thief = await sign_in(api, sandbox, Resident().phone)
    await give_real_name(api, thief, resident)
    check = (await api.post("/me/face-checks", headers=thief.headers)).json()["id"]
    answer = await api.post(
        f"/me/face-checks/{check}/result", json={"faceToken": "mask"}, headers=thief.headers
    )
    assert slug(answer) == "face-mismatch"
    assert (await api.get("/me", headers=first.headers)).json()["assurance"] == "L3"
    assert await person_of(database, thief.answer["accountId"]) is None


async def test_a_phone_issued_again_gets_a_new_account_and_the_person_keeps_theirs(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    old_holder, old = await at_level_three(api, sandbox)
    old_person = await person_of(database, old.answer["accountId"])
    new_holder = await Resident("李大山", phone=old_holder.phone).register(sandbox)

    session = await sign_in(api, sandbox, new_holder.phone)
    assert "person" not in (await api.get("/me", headers=session.headers)).json()
    assert await give_real_name(api, session, new_holder) == {"assurance": "L1", "next": "face-check"}
    assert await pass_face_check(api, session) == {"assurance": "L3"}

    me = (await api.get("/me", headers=session.headers)).json()
    assert me["person"]["name"] == "李*山"
    assert me["accountId"] != old.answer["accountId"]
    assert me["phone"].endswith(new_holder.phone[7:])
    assert await person_of(database, old.answer["accountId"]) == old_person
    theirs = (await api.get("/me", headers=old.headers)).json()
    assert theirs["person"]["name"] == "王*海"
    assert "phone" not in theirs

    known = await sign_in(api, sandbox, new_holder.phone, deviceToken=session.answer["deviceToken"])
    assert known.answer["accountId"] == me["accountId"]
    assert (await api.get("/me", headers=known.headers)).json()["assurance"] == "L3"
    refreshed = await api.post(
        "/auth/sessions/refresh", json={"refreshToken": session.answer["refreshToken"]}
    )
    assert refreshed.json()["accountId"] == me["accountId"]

    new_phone = await sign_in(api, sandbox, Resident().phone)
    assert await give_real_name(api, new_phone, old_holder) == {"assurance": "L1", "next": "face-check"}
    assert await pass_face_check(api, new_phone) == {"assurance": "L3"}
    assert await person_of(database, new_phone.answer["accountId"]) == old_person


async def test_of_two_who_claim_one_person_at_once_one_holds_it_at_the_end(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    resident = await Resident().register(sandbox)
    sessions = [await sign_in(api, sandbox, Resident().phone) for _ in range(4)]
    answers = await asyncio.gather(*(give_real_name(api, session, resident) for session in sessions))
    assert sorted(answer["assurance"] for answer in answers) == ["L1", "L1", "L1", "L2"]
    results = await asyncio.gather(*(finish_face_check(api, session) for session in sessions))
    assert 200 in results
    assert set(results) <= {200, 401}, "whoever lost the person meanwhile is signed out"
    async with database.reading() as look:
        person = await persons.by_id_number(look, resident.id_number)
        assert person is not None
        bound = await look.scalars(select(Account.id).where(Account.person_id == person.id))
        assert len(bound.all()) == 1


async def test_persons_created_at_once_are_one(database: Database) -> None:
    child = Resident("王一")

    async def create() -> Person:
        async with database.transaction() as session:
            return await persons.find_or_create(session, child.name, id_number=child.id_number)

    found = await asyncio.gather(*(create() for _ in range(5)))
    assert len({person.id for person in found}) == 1
    assert (found[0].name, found[0].id_number) == (child.name, child.id_number)


async def test_a_name_that_the_register_confirms_replaces_the_old_one(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    resident = Resident("王新名")
    async with database.transaction() as work:
        person = await persons.find_or_create(work, "王旧名", id_number=resident.id_number)
    await resident.register(sandbox)
    session = await sign_in(api, sandbox, resident.phone)
    await give_real_name(api, session, resident)
    async with database.reading() as look:
        assert (await persons.get(look, person.id)).name == "王新名"


async def finish_face_check(api: httpx.AsyncClient, session: SignedIn) -> int:
    begun = await api.post("/me/face-checks", headers=session.headers)
    if begun.status_code != 201:
        return begun.status_code
    path = f"/me/face-checks/{begun.json()['id']}/result"
    return (await api.post(path, json={"faceToken": "pass"}, headers=session.headers)).status_code


async def person_of(database: Database, account_id: str) -> object:
    async with database.reading() as look:
        return await look.scalar(select(Account.person_id).where(Account.id == account_id))
