"""The terms of the kernel's own tables: what goes when its time is over, and what does not."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, update

from haiyiban import clock
from haiyiban.cases.models import Case, CaseEvent, CaseFile
from haiyiban.cases.terms import TERMS as CASES
from haiyiban.db import Database
from haiyiban.delegations.models import Delegation
from haiyiban.delegations.terms import TERMS as DELEGATIONS
from haiyiban.identity.models import Account, FaceCheck, RefreshToken, SignIn
from haiyiban.identity.terms import TERMS as IDENTITY
from haiyiban.ids import new_id
from haiyiban.notices.terms import TERMS as NOTICES
from haiyiban.outbox import OutboxMessage
from haiyiban.terms import YEAR, Term
from tests.kernel.cases.conftest import bad_day, calendar
from tests.kernel.cases.office import PROOF, Citizen, change_row
from tests.kernel.cases.test_materials import MATTER, hand_in, photo
from tests.kernel.delegations.conftest import known_pair, pair
from tests.kernel.delegations.people import Pair
from tests.people import at_level_three
from tests.retention import delete_due

__all__ = ["bad_day", "calendar", "known_pair", "pair"]

DAY = timedelta(days=1)


def term(of: tuple[Term, ...], name: str) -> Term:
    return next(each for each in of if each.data_class == name)


async def test_a_draft_goes_half_a_year_after_its_last_change_and_a_case_does_not(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    citizen = await Citizen.signed_in(api, sandbox)
    old, fresh = await citizen.draft(MATTER), await citizen.draft(MATTER)
    assert (await hand_in(citizen, old, photo())).status_code == 201
    case = await citizen.handed_in(PROOF)
    for each, age in ((old, 181 * DAY), (fresh, 179 * DAY), (case, 181 * DAY)):
        await change_row(each, updated_at=clock.now() - age)
    await delete_due(term(CASES, "cases.drafts"))
    async with database.reading() as session:
        ids = [UUID(each["id"]) for each in (old, fresh, case)]
        assert set(await session.scalars(select(Case.id).where(Case.id.in_(ids)))) == set(ids[1:])
        for table in (CaseEvent, CaseFile):
            assert not (await session.scalars(select(table.id).where(table.case_id == ids[0]))).all()
    assert (await api.get(f"/cases/{old['id']}", headers=citizen.headers)).status_code == 404
    assert (await citizen.get(fresh))["state"] == "draft"


async def test_a_sign_in_goes_half_a_year_after_its_end_with_what_hangs_on_it(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    _, gone = await at_level_three(api, sandbox)
    _, alive = await at_level_three(api, sandbox)
    account = UUID(gone.answer["accountId"])
    ended = clock.now() - 181 * DAY
    async with database.transaction() as session:
        sign_in = (await session.scalars(select(SignIn).where(SignIn.account_id == account))).one()
        sign_in.expires_at = ended
        person = await session.scalar(select(Account.person_id).where(Account.id == account))
        check = {"account_id": account, "person_id": person, "session_id": sign_in.id}
        session.add(FaceCheck(id=new_id(), vendor_session="v", created_at=ended, **check))
    await delete_due(term(IDENTITY, "identity.sessions"))
    async with database.reading() as session:
        assert await session.scalar(select(SignIn.id).where(SignIn.account_id == account)) is None
        assert await session.scalar(select(FaceCheck.id).where(FaceCheck.account_id == account)) is None
    for each, status in ((gone, 401), (alive, 200)):
        answer = await api.post("/auth/sessions/refresh", json={"refreshToken": each.answer["refreshToken"]})
        assert answer.status_code == status, answer.text
    async with database.reading() as session:
        kept = (
            select(RefreshToken.id).join(SignIn).where(SignIn.account_id == UUID(alive.answer["accountId"]))
        )
        assert (await session.scalars(kept)).all(), "one that was used a moment ago"


async def test_a_delegation_goes_three_years_after_its_end_unless_a_case_was_opened_under_it(
    pair: Pair, database: Database
) -> None:
    used = UUID(await pair.agreed())
    opened = await pair.taker.open(PROOF, onBehalfOf=str(used))
    assert opened.status_code == 201, opened.text
    revoked, ran_out, recent = [UUID(await pair.agreed()) for _ in range(3)]
    pair.made.clear()
    now = clock.now()
    async with database.transaction() as session:
        for one, ended_at, until in (
            (used, now - 3 * YEAR - DAY, clock.today()),
            (revoked, now - 3 * YEAR - DAY, clock.today()),
            (ran_out, None, clock.today() - 3 * YEAR - 2 * DAY),
            (recent, now - 3 * YEAR + DAY, clock.today()),
        ):
            values = {"ended_at": ended_at, "ended_by": ended_at and "giver", "until": until}
            await session.execute(update(Delegation).where(Delegation.id == one).values(**values))
    run = await delete_due(term(DELEGATIONS, "delegations.delegations"))
    assert run.held == 1
    async with database.reading() as session:
        ids = (used, revoked, ran_out, recent)
        assert set(await session.scalars(select(Delegation.id).where(Delegation.id.in_(ids)))) == {
            used,
            recent,
        }
    # Whoever opens the draft again finds it as it was; and with the draft the delegation goes.
    await change_row(opened.json(), updated_at=now - 181 * DAY)
    await delete_due(term(CASES, "cases.drafts"))
    assert (await delete_due(term(DELEGATIONS, "delegations.delegations"))).held == 0


@pytest.mark.parametrize(("age", "stays"), [(3 * YEAR - DAY, True), (3 * YEAR + DAY, False)])
async def test_that_a_message_was_sent_is_known_for_three_years(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database, age: timedelta, stays: bool
) -> None:
    citizen = await Citizen.signed_in(api, sandbox)
    case = UUID((await citizen.handed_in(PROOF))["id"])
    async with database.transaction() as session:
        about = update(OutboxMessage).where(OutboxMessage.about == case)
        await session.execute(about.values(done_at=clock.now() - age, outcome="sent"))
    await delete_due(term(NOTICES, "notices.messages"))
    async with database.reading() as session:
        found = await session.scalars(select(OutboxMessage.id).where(OutboxMessage.about == case))
        assert bool(found.all()) is stays
