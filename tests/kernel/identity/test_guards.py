"""What an operation asks of its caller, with real sessions and tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

import httpx
import pytest
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import Scope
from sqlalchemy import update

from haiyiban.db import Database
from haiyiban.errors import NotAllowed, NotSignedIn
from haiyiban.identity.callers import ANONYMOUS, Caller, Level, ResidentCaller, StaffCaller
from haiyiban.identity.guards import Guard, StepUpNeeded, resident, signed_in, staff, verifier
from haiyiban.identity.models import SignIn
from haiyiban.identity.tokens import access_tokens
from haiyiban.ids import new_id
from tests.people import Resident, SignedIn, at_level_three, give_real_name, pass_face_check, sign_in

CLERK = StaffCaller(
    staff_id=new_id(),
    session_id=new_id(),
    roles=frozenset({"clerk"}),
    agency="education",
    division="460105",
)


async def test_a_step_up_opens_the_way_for_the_token_in_hand(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    person = await Resident().register(sandbox)
    session = await sign_in(api, sandbox, person.phone)
    with pytest.raises(StepUpNeeded) as refused:
        await knock(resident(Level.L3), session)
    assert refused.value.members == {"needs": "L3", "has": "L1"}
    await give_real_name(api, session, person)
    assert (await knock(resident(Level.L2), session)).person_id
    with pytest.raises(StepUpNeeded):
        await knock(resident(Level.L3), session)
    await pass_face_check(api, session)
    let_in = await knock(resident(Level.L3, fresh=timedelta(minutes=5)), session)
    assert let_in.level is Level.L3
    assert access_tokens().verify(session.answer["accessToken"]) == let_in


async def test_a_face_grows_old(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, database: Database
) -> None:
    _, session = await at_level_three(api, sandbox)
    async with database.transaction() as work:
        await work.execute(
            update(SignIn)
            .where(SignIn.account_id == session.answer["accountId"])
            .values(face_at=SignIn.face_at - timedelta(minutes=6))
        )
    assert (await knock(resident(Level.L3), session)).level is Level.L3
    with pytest.raises(StepUpNeeded) as refused:
        await knock(resident(Level.L3, fresh=timedelta(minutes=5)), session)
    assert refused.value.members["faceWithinSeconds"] == 300
    await pass_face_check(api, session)
    await knock(resident(Level.L3, fresh=timedelta(minutes=5)), session)


async def test_a_known_device_has_the_level_but_no_fresh_face(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    person, first = await at_level_three(api, sandbox)
    again = await sign_in(api, sandbox, person.phone, deviceToken=first.answer["deviceToken"])
    assert (await knock(resident(Level.L3), again)).level is Level.L3
    with pytest.raises(StepUpNeeded):
        await knock(resident(Level.L3, fresh=timedelta(minutes=5)), again)


@pytest.mark.parametrize(
    ("guard", "caller", "refusal"),
    [
        (resident(), ANONYMOUS, NotSignedIn),
        (resident(), CLERK, NotAllowed),
        (staff(), ANONYMOUS, NotSignedIn),
        (staff("clerk"), CLERK, None),
        (staff("operator", "clerk"), CLERK, None),
        (staff("officer"), CLERK, NotAllowed),
        (verifier(), CLERK, NotAllowed),
        (verifier(), ANONYMOUS, NotSignedIn),
        (signed_in(), CLERK, None),
        (signed_in(), ANONYMOUS, NotSignedIn),
    ],
)
async def test_each_door_knows_its_people(
    guard: Guard, caller: Caller, refusal: type[Exception] | None
) -> None:
    connection, handler = at_the_door(caller, token="")
    if refusal is None:
        await guard(connection, handler)
    else:
        with pytest.raises(refusal):
            await guard(connection, handler)


async def knock(guard: Guard, session: SignedIn) -> ResidentCaller:
    """Come to a door with the token in hand; who was let in."""
    token = session.answer["accessToken"]
    connection, handler = at_the_door(access_tokens().verify(token), token=token)
    await guard(connection, handler)
    return cast(ResidentCaller, connection.scope["user"])


def at_the_door(caller: Caller, *, token: str) -> tuple[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler]:
    scope = {"type": "http", "user": caller, "state": {"token": token}}
    return ASGIConnection(cast(Scope, scope)), cast(BaseRouteHandler, None)
