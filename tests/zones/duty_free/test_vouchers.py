"""Campaigns and the claim rush: never over the stock, never under it, never two for one person.

Source: docs/domain.md §8.3.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import func, select, text, update

from haiyiban import clock
from haiyiban.audit.models import AuditRecord
from haiyiban.db import Database
from haiyiban.errors import Problem
from haiyiban.identity.models import Person
from haiyiban.ids import new_id
from services.duty_free.vouchers import claiming, tasks
from services.duty_free.vouchers.claiming import Asked, Claimed, Queue, TooManyWaiting
from services.duty_free.vouchers.models import Campaign, CampaignDay, Voucher
from tests.contracts.duty_free_flow import open_campaign
from tests.people import Resident, Visitor, sign_in, slug
from tests.zones.duty_free.conftest import Buyer

CAMPAIGNS = "/zones/duty-free/campaigns"
VOUCHERS = "/zones/duty-free/vouchers"


async def claim(
    api: httpx.AsyncClient, buyer: Buyer, campaign: UUID, key: str | None = None
) -> httpx.Response:
    headers = buyer.headers | ({"Idempotency-Key": key} if key else {})
    return await api.post(f"{CAMPAIGNS}/{campaign}/claims", headers=headers)


async def crowd(database: Database, number: int) -> list[UUID]:
    """Persons, as rows alone."""
    people = [
        Person(id=new_id(), id_type="111", id_number_index=uuid4().bytes, created_at=clock.now())
        for _ in range(number)
    ]
    for person in people:
        person.name, person.id_number = "王小海", person.id.hex
    async with database.transaction() as session:
        session.add_all(people)
    return [person.id for person in people]


def asked(person: UUID, campaign: UUID, key: str | None = None) -> Asked:
    return Asked(person, claiming.key_of(person, campaign, key), person, "request", None)


async def rush(queue: Queue, claims: list[Asked]) -> list[Claimed | BaseException]:
    return await asyncio.gather(*(queue.claim(each) for each in claims), return_exceptions=True)


async def books(database: Database, campaign: UUID) -> tuple[int, int]:
    """What was claimed and what is left; they come to the stock, by the day as well."""
    async with database.reading() as session:
        row = await session.get_one(Campaign, campaign)
        vouchers = list(await session.scalars(select(Voucher).where(Voucher.campaign_id == campaign)))
        by_day = await session.scalar(
            select(func.coalesce(func.sum(CampaignDay.claimed), 0)).where(CampaignDay.campaign_id == campaign)
        )
    assert len(vouchers) + row.stock_left == row.stock
    assert by_day == len(vouchers)
    assert max(Counter(each.person_id for each in vouchers).values(), default=0) <= row.per_person
    return len(vouchers), row.stock_left


async def test_a_claim_is_a_voucher_with_the_campaigns_terms(api, buyer) -> None:
    campaign = await open_campaign()
    answer = await claim(api, buyer, campaign)
    assert answer.status_code == 201, answer.text
    given = answer.json()
    assert (given["faceFen"], given["thresholdFen"]) == (20_000, 200_000)
    [mine] = (await api.get(VOUCHERS, headers=buyer.headers)).json()["items"]
    assert (mine["id"], mine["number"], mine["state"]) == (given["voucherId"], given["number"], "claimed")
    listed = (await api.get(CAMPAIGNS)).json()["items"]
    assert next(each["stockLeft"] for each in listed if each["id"] == str(campaign)) == 999


async def test_the_same_key_is_the_same_voucher_and_another_is_claimed_already(api, buyer) -> None:
    campaign = await open_campaign()
    answers = await asyncio.gather(*(claim(api, buyer, campaign, "once") for _ in range(5)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    other = await claim(api, buyer, campaign, "again")
    assert (other.status_code, slug(other)) == (409, "already-claimed")


async def test_the_first_answer_is_given_again_after_the_campaign(api, buyer, database) -> None:
    campaign = await open_campaign()
    first = await claim(api, buyer, campaign, "once")
    async with database.transaction() as session:
        over = clock.now() - timedelta(seconds=1)
        await session.execute(update(Campaign).where(Campaign.id == campaign).values(closes_at=over))
    assert (await claim(api, buyer, campaign, "once")).text == first.text
    late = await claim(api, buyer, campaign)
    assert (late.status_code, slug(late)) == (422, "not-open")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"stock": 0}, (409, "sold-out")),
        ({"stock_day": 0}, (409, "sold-out")),
        ({"opens_at": clock.now() + timedelta(hours=1)}, (422, "not-open")),
        ({"state": "paused"}, (422, "not-open")),
        ({"state": "closed"}, (422, "not-open")),
        ({"state": "draft"}, (404, "not-found")),
    ],
)
async def test_a_claim_is_refused(api, buyer, changes: dict[str, Any], expected) -> None:
    refused = await claim(api, buyer, await open_campaign(**changes))
    assert (refused.status_code, slug(refused)) == expected


async def test_limits_of_the_day_and_of_the_campaign(api, buyer, database) -> None:
    campaign = await open_campaign(per_person=2)
    assert (await claim(api, buyer, campaign)).status_code == 201
    today = await claim(api, buyer, campaign)
    assert (today.status_code, slug(today)) == (422, "limit-reached")
    async with database.transaction() as session:
        day = clock.today() - timedelta(days=1)
        await session.execute(update(Voucher).where(Voucher.campaign_id == campaign).values(day=day))
    assert (await claim(api, buyer, campaign)).status_code == 201
    assert slug(await claim(api, buyer, campaign)) == "limit-reached"


async def test_after_the_end_the_crowd_costs_no_database_and_a_repeat_still_gets_its_voucher(
    api, buyer, make_buyer, database
) -> None:
    campaign = await open_campaign(stock=1)
    first = await claim(api, buyer, campaign, "mine")
    other = await make_buyer()
    assert slug(await claim(api, other, campaign)) == "sold-out"
    async with database.transaction() as session:
        # Whoever asked for the campaign's lock now would wait for this transaction.
        await session.execute(select(Campaign.id).where(Campaign.id == campaign).with_for_update())
        assert slug(await claim(api, other, campaign)) == "sold-out"
        assert slug(await claim(api, other, campaign, "theirs")) == "sold-out"
        assert (await claim(api, buyer, campaign, "mine")).text == first.text


async def test_a_crowd_that_is_turned_away_leaves_no_record_each(api, buyer, database, monkeypatch) -> None:
    """Who tries doors is recorded; who comes too late to a rush is counted."""
    campaign = await open_campaign(stock=0)
    answers = [await claim(api, buyer, campaign), await claim(api, buyer, campaign, "a-key")]
    answers.append(await claim(api, buyer, await open_campaign(state="paused")))
    queue = claiming.queue_of(campaign)
    monkeypatch.setattr(queue, "_most", 0)
    monkeypatch.setattr(queue, "_sold_out_until", 0.0)
    answers.append(await claim(api, buyer, campaign))
    assert [slug(answer) for answer in answers] == ["sold-out", "sold-out", "not-open", "too-many-requests"]
    assert answers[-1].headers["Retry-After"] == "1"
    assert {answer.headers["content-type"] for answer in answers} == {"application/problem+json"}
    missing = await claim(api, buyer, uuid4())
    async with database.reading() as session:
        told = await session.scalars(
            select(AuditRecord.request_id).where(
                AuditRecord.request_id.in_([answer.headers["x-request-id"] for answer in [*answers, missing]])
            )
        )
    assert told.all() == [missing.headers["x-request-id"]]


async def test_more_stock_is_given_out_within_a_second(api, buyer, database, monkeypatch) -> None:
    monkeypatch.setattr(claiming, "SOLD_OUT_FOR", 0.0)
    campaign = await open_campaign(stock=0)
    assert slug(await claim(api, buyer, campaign)) == "sold-out"
    async with database.transaction() as session:
        await session.execute(update(Campaign).where(Campaign.id == campaign).values(stock=1, stock_left=1))
    assert (await claim(api, buyer, campaign)).status_code == 201


async def test_a_campaign_that_is_not_there_and_a_bad_key(api, buyer) -> None:
    assert (await claim(api, buyer, uuid4())).status_code == 404
    assert (await claim(api, buyer, await open_campaign(), "x" * 129)).status_code == 400


async def test_nobody_claims_below_level_three(api, sandbox) -> None:
    session = await sign_in(api, sandbox, Resident().phone)
    refused = await api.post(f"{CAMPAIGNS}/{await open_campaign()}/claims", headers=session.headers)
    assert (refused.status_code, slug(refused)) == (403, "step-up-needed")


async def test_a_campaign_from_level_two_on_is_for_whoever_gave_their_name(api, sandbox) -> None:
    """Claiming takes the level that the campaign names; seeing and using the voucher takes a face."""
    person = await Resident().register(sandbox)
    session = await sign_in(api, sandbox, person.phone)
    campaign = f"{CAMPAIGNS}/{await open_campaign(min_level='L2')}/claims"
    early = await api.post(campaign, headers=session.headers)
    assert (early.status_code, early.json()["needs"]) == (403, "L2")
    named = {"name": person.name, "idType": "111", "idNumber": person.id_number}
    assert (await api.post("/me/real-name", json=named, headers=session.headers)).status_code == 200
    claimed = await api.post(campaign, headers=session.headers)
    assert claimed.status_code == 201, claimed.text
    strict = await api.post(f"{CAMPAIGNS}/{await open_campaign()}/claims", headers=session.headers)
    assert (strict.status_code, strict.json()["needs"]) == (403, "L3")
    wanted = {"kind": "voucher", "subjectId": claimed.json()["voucherId"]}
    assert (await api.post("/codes", json=wanted, headers=session.headers)).status_code == 403
    assert (await api.get(VOUCHERS, headers=session.headers)).status_code == 403


async def test_a_visitor_claims_where_the_campaign_is_for_visitors(api, make_buyer, buyer) -> None:
    visitor = await make_buyer(Visitor())
    everybody, residents = await open_campaign(), await open_campaign(for_visitors=False)
    assert (await claim(api, visitor, everybody)).status_code == 201
    for _ in range(2):
        refused = await claim(api, visitor, residents)
        assert (refused.status_code, slug(refused)) == (422, "not-for-visitors")
    assert (await claim(api, buyer, residents)).status_code == 201


async def test_vouchers_whose_time_is_over_are_noted_and_others_are_not(api, buyer, database) -> None:
    gone, good = [(await claim(api, buyer, await open_campaign())).json() for _ in range(2)]
    async with database.transaction() as session:
        over = clock.now() - timedelta(seconds=1)
        await session.execute(
            update(Voucher).where(Voucher.id == UUID(gone["voucherId"])).values(valid_until=over)
        )
    await tasks.expire(b"")
    async with database.reading() as session:
        kept = [await session.get_one(Voucher, UUID(each["voucherId"])) for each in (gone, good)]
    assert [each.state for each in kept] == ["expired", "claimed"]


@pytest.mark.parametrize("seed", range(4))
async def test_a_rush_of_several_processes_gives_out_the_stock_and_no_more(database, seed: int) -> None:
    chance = random.Random(seed)
    stock, per_person = chance.choice([0, 37, 90]), chance.choice([1, 2])
    campaign = await open_campaign(stock=stock, per_person=per_person, per_person_day=per_person)
    people = await crowd(database, 80)
    claims = [asked(person, campaign, str(n)) for person in people for n in range(3)]
    claims += chance.sample(claims, 40)
    chance.shuffle(claims)
    queues = [Queue(campaign) for _ in range(3)]
    parts = await asyncio.gather(*(rush(queue, claims[at::3]) for at, queue in enumerate(queues)))
    answers = [answer for part in parts for answer in part]
    assert all(isinstance(answer, (Claimed, Problem)) for answer in answers)
    told = {answer.id for answer in answers if isinstance(answer, Claimed)}
    claimed, left = await books(database, campaign)
    assert claimed == len(told) == min(stock, 80 * per_person)
    # Asked again, every key gets what it got.
    again = await rush(Queue(campaign), claims[::3])
    for before, now in zip(parts[0], again, strict=True):
        if isinstance(before, Claimed):
            assert now == before
    assert await books(database, campaign) == (claimed, left)


async def test_one_key_twice_in_one_batch_is_one_voucher(database) -> None:
    campaign = await open_campaign(per_person=3, per_person_day=3)
    [person] = await crowd(database, 1)
    twins = await Queue(campaign)._decide([asked(person, campaign, "a")] * 3)
    assert len(set(twins)) == 1
    assert await books(database, campaign) == (1, 999)


async def test_the_queue_says_when_to_come_again_and_takes_nothing(database) -> None:
    campaign = await open_campaign()
    people = await crowd(database, 6)
    answers = await rush(Queue(campaign, most=4), [asked(person, campaign) for person in people])
    turned_away = [answer for answer in answers if isinstance(answer, TooManyWaiting)]
    assert [answer.headers["Retry-After"] for answer in turned_away] == ["1", "1"]
    assert await books(database, campaign) == (4, 996)


async def test_a_batch_whose_backend_is_killed_gives_nothing_out_and_asked_again_the_stock(database) -> None:
    campaign = await open_campaign(stock=20)
    claims = [asked(person, campaign, "k") for person in await crowd(database, 30)]
    queue = Queue(campaign)
    async with database.transaction() as session:
        await session.execute(select(Campaign.id).where(Campaign.id == campaign).with_for_update())
        rushing = asyncio.create_task(rush(queue, claims))
        # The batch waits for the lock of this transaction: there it is killed.
        for _ in range(500):
            # A transaction of its own each time, for one sees the same activity to its end.
            async with database.transaction() as looking:
                if (await looking.execute(_KILL)).all():
                    break
            await asyncio.sleep(0.01)
    first = await rushing
    assert not any(isinstance(answer, Claimed) for answer in first)
    assert await books(database, campaign) == (0, 20)
    answers = await rush(queue, claims)
    assert sum(isinstance(answer, Claimed) for answer in answers) == 20
    assert await books(database, campaign) == (20, 0)


_KILL = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    " AND query LIKE '%duty_free_claim_batch%' AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()"
)
