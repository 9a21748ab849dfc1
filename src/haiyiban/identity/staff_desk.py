"""Accounts of staff over HTTP, as operators keep them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.errors import Malformed, NotAllowed, NotSignedIn
from haiyiban.identity import employing
from haiyiban.identity.employing import (
    ChangeDiffers,
    InvalidStaff,
    OwnAccount,
    Rights,
    Secrets,
    StaffMissing,
    ToldTheOther,
)
from haiyiban.identity.guards import StaffRequest, staff
from haiyiban.identity.models import Staff
from haiyiban.wire import Input, Nothing, Output, Page, after_cursor, cursor_of, page_limit, problems

_AWAITING = "Waits for the second person"
Roles = Annotated[list[str], Meta(max_length=10)]
Agency = Annotated[str, Meta(pattern="^[a-z][a-z0-9-]*$", max_length=60)]
DivisionCode = Annotated[str, Meta(pattern="^[0-9]{6}([0-9]{3}([0-9]{3})?)?$")]


class StaffRights(Input):
    """What somebody is to be allowed, and where: clerk, officer, operator, village-agent."""

    roles: Roles
    agency: Agency
    division: DivisionCode


class StaffCreate(StaffRights):
    """An account to make; it may do nothing until a second operator gives the same rights."""

    username: Annotated[str, Meta(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{2,39}$")]


class StaffSuspension(Input):
    """Why they are let in no more."""

    reason: Annotated[str, Meta(min_length=1, max_length=500)]


class AskedRights(Output):
    """Rights that wait for a second person, and who asked for them."""

    roles: list[str]
    agency: str
    division: str
    by: UUID


class StaffRead(Output, omit_defaults=False):
    """An account of staff."""

    id: UUID
    username: str
    roles: list[str]
    agency: str
    division: str
    state: str
    """active, suspended, or waiting: made, and without rights as yet."""
    has_second_factor: bool
    change: AskedRights | None
    is_me: bool
    created_at: datetime


class StaffSecrets(Output, omit_defaults=False):
    """The account, with what is told once: a first password, and the address for an authenticator.

    Null is what stays as it was.
    """

    staff: StaffRead
    password: str | None
    otp_uri: str | None


class StaffDeskController(Controller):
    """Who works here, and what they may do."""

    path = "/desk/staff"
    tags = ["desk"]
    guards = [staff("operator")]

    @get(summary="Accounts of staff", responses=problems(NotSignedIn, NotAllowed, Malformed))
    async def employed(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        username: FromQuery[str | None] = None,
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[StaffRead]:
        """Of my division and below, newest first; `username`: those that begin so."""
        size = page_limit(limit)
        query = select(Staff).where(employing.within_reach(request.user)).order_by(Staff.id.desc())
        if username:
            query = query.where(Staff.username.startswith(username.strip(), autoescape=True))
        if (after := after_cursor(cursor)) is not None:
            query = query.where(Staff.id < after)
        rows = list(await session.scalars(query.limit(size + 1)))
        return Page(
            items=[_read(row, request) for row in rows[:size]],
            next=cursor_of(rows[size - 1].id) if len(rows) > size else None,
        )

    @post(
        status_code=201,
        summary="Make an account",
        responses=problems(NotSignedIn, NotAllowed, InvalidStaff, employing.UsernameTaken),
    )
    async def hire(
        self, request: StaffRequest, session: NamedDependency[AsyncSession], data: JSONBody[StaffCreate]
    ) -> StaffSecrets:
        """With a first password and a second factor, told this once."""
        made = await employing.hire(session, data.username, _rights(data), caller=request.user)
        return _told(*made, request)

    @post(
        "/{staff_id:uuid}/rights",
        status_code=200,
        summary="Change what somebody may do",
        responses={202: ResponseSpec(StaffRead, generate_examples=False, description=_AWAITING)}
        | problems(NotSignedIn, NotAllowed, StaffMissing, OwnAccount, InvalidStaff, ChangeDiffers),
    )
    async def change(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        staff_id: FromPath[UUID],
        data: JSONBody[StaffRights],
    ) -> Response[StaffRead]:
        """202 while a second operator must call the same; less than before is taken away at once."""
        member = await employing.change(session, staff_id, _rights(data), caller=request.user)
        return Response(_read(member, request), status_code=200 if member.change is None else 202)

    @post(
        "/{staff_id:uuid}/rights/withdrawal",
        status_code=200,
        summary="Take back a change that waits",
        responses=problems(NotSignedIn, NotAllowed, StaffMissing, OwnAccount),
    )
    async def take_back(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        staff_id: FromPath[UUID],
        data: JSONBody[Nothing],  # noqa: ARG002 - read so that unknown members are refused
    ) -> StaffRead:
        """Nothing changes, and nothing waits any more."""
        return _read(await employing.take_back(session, staff_id, caller=request.user), request)

    @post(
        "/{staff_id:uuid}/suspension",
        status_code=200,
        summary="Suspend an account",
        responses=problems(NotSignedIn, NotAllowed, StaffMissing, OwnAccount),
    )
    async def suspend(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        staff_id: FromPath[UUID],
        data: JSONBody[StaffSuspension],
    ) -> StaffRead:
        """At once, and their sessions end."""
        member = await employing.suspend(session, staff_id, reason=data.reason, caller=request.user)
        return _read(member, request)

    @post(
        "/{staff_id:uuid}/reinstatement",
        status_code=200,
        summary="Let a suspended account in again",
        responses=problems(NotSignedIn, NotAllowed, StaffMissing, OwnAccount),
    )
    async def reinstate(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        staff_id: FromPath[UUID],
        data: JSONBody[Nothing],  # noqa: ARG002 - read so that unknown members are refused
    ) -> StaffRead:
        """With the rights it had."""
        return _read(await employing.reinstate(session, staff_id, caller=request.user), request)

    @post(
        "/{staff_id:uuid}/second-factor",
        status_code=200,
        summary="Renew a lost second factor",
        responses=problems(NotSignedIn, NotAllowed, StaffMissing, OwnAccount, ToldTheOther),
    )
    async def renew_second_factor(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        staff_id: FromPath[UUID],
        data: JSONBody[Nothing],  # noqa: ARG002 - read so that unknown members are refused
    ) -> StaffSecrets:
        """The old one and their sessions end; the new one is told this once."""
        return _told(*await employing.renew_second_factor(session, staff_id, caller=request.user), request)

    @post(
        "/{staff_id:uuid}/password",
        status_code=200,
        summary="Renew a lost password",
        responses=problems(NotSignedIn, NotAllowed, StaffMissing, OwnAccount, ToldTheOther),
    )
    async def renew_password(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        staff_id: FromPath[UUID],
        data: JSONBody[Nothing],  # noqa: ARG002 - read so that unknown members are refused
    ) -> StaffSecrets:
        """The old one and their sessions end; with the new one they choose their own."""
        return _told(*await employing.renew_password(session, staff_id, caller=request.user), request)


def _rights(data: StaffRights) -> Rights:
    return Rights(tuple(sorted(set(data.roles))), data.agency, data.division)


def _told(member: Staff, told: Secrets, request: StaffRequest) -> StaffSecrets:
    return StaffSecrets(staff=_read(member, request), password=told.password, otp_uri=told.otp_uri)


def _read(member: Staff, request: StaffRequest) -> StaffRead:
    change = member.change
    return StaffRead(
        id=member.id,
        username=member.username,
        roles=sorted(member.roles),
        agency=member.agency,
        division=member.division,
        state=_state(member),
        has_second_factor=member.otp_secret is not None,
        change=None
        if change is None or member.change_by is None
        else AskedRights(**change, by=member.change_by),
        is_me=member.id == request.user.staff_id,
        created_at=member.created_at,
    )


def _state(member: Staff) -> str:
    if member.disabled_at is not None:
        return "suspended"
    return "active" if member.roles else "waiting"
