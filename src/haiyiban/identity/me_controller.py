"""Who I am here, and how I raise what I may do."""

from __future__ import annotations

from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import registers
from haiyiban.errors import NotAllowed, NotFound, NotSignedIn
from haiyiban.identity import binding, face_checks, persons, real_name
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import ResidentRequest, resident
from haiyiban.identity.models import Account, SignIn
from haiyiban.identity.wire import (
    AssuranceRead,
    FaceCheckRead,
    FaceCheckResult,
    MePerson,
    MeRead,
    RealNameCreate,
)
from haiyiban.masking import mask_id_number, mask_mobile, mask_name
from haiyiban.wire import problems


class MeController(Controller):
    """My account, my real name, my face checks."""

    path = "/me"
    tags = ["accounts"]
    guards = [resident()]

    @get(summary="Who I am here", responses=problems(NotSignedIn, NotAllowed))
    async def me(self, request: ResidentRequest, session: NamedDependency[AsyncSession]) -> MeRead:
        """Masked. Below L2 the person is not shown: the phone may have a new holder."""
        # Read from the session and not from the token: a step-up may have moved it to another account.
        sign_in = await session.get_one(SignIn, request.user.session_id)
        account = await session.get_one(Account, sign_in.account_id)
        shown = None
        if account.person_id is not None and Level(sign_in.level or Level.L1) >= Level.L2:
            person = await persons.get(session, account.person_id)
            shown = MePerson(name=mask_name(person.name), id_number=mask_id_number(person.id_number))
        return MeRead(
            account_id=account.id,
            assurance=sign_in.level or Level.L1,
            phone=mask_mobile(account.phone) if account.phone else None,
            person=shown,
        )

    @post(
        "/real-name",
        status_code=200,
        summary="Give my real name",
        responses=problems(
            NotSignedIn,
            real_name.IdentityMismatch,
            real_name.InvalidDocumentNumber,
            real_name.DocumentNotOffered,
            real_name.NeedsGuardian,
            real_name.TooManyTries,
            binding.AlreadyConfirmed,
            registers.RegisterUnavailable,
        ),
    )
    async def give_real_name(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        data: JSONBody[RealNameCreate],
    ) -> AssuranceRead:
        """Name and number against the population register, for L2.

        Where the person is bound to another account, or this phone to another person, the level stays and
        `next` asks for a face check; nothing is shown or moved before it passes.
        """
        level = await real_name.confirm(
            session,
            request.user.session_id,
            name=data.name,
            id_type=data.id_type,
            id_number=data.id_number,
        )
        return AssuranceRead(assurance=level, next="face-check" if level < Level.L2 else None)

    @post(
        "/face-checks",
        status_code=201,
        summary="Begin a face check",
        responses=problems(
            NotSignedIn,
            face_checks.RealNameFirst,
            face_checks.FaceChecksLocked,
            registers.RegisterUnavailable,
        ),
    )
    async def begin_face_check(
        self, request: ResidentRequest, session: NamedDependency[AsyncSession]
    ) -> FaceCheckRead:
        """Send the person to `vendorUrl`; a newer check replaces an older one of the same session."""
        check_id, vendor_url = await face_checks.begin(session, request.user.session_id)
        return FaceCheckRead(id=check_id, vendor_url=vendor_url)

    @post(
        "/face-checks/{check_id:uuid}/result",
        status_code=200,
        summary="Finish a face check",
        responses=problems(
            NotSignedIn,
            NotFound,
            face_checks.FaceMismatch,
            face_checks.FaceCheckOver,
            face_checks.FaceChecksLocked,
            registers.FaceCheckExpired,
            registers.RegisterUnavailable,
        ),
    )
    async def finish_face_check(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        check_id: FromPath[UUID],
        data: JSONBody[FaceCheckResult],
    ) -> AssuranceRead:
        """The vendor is asked about the token; passed, this session is at L3 with a fresh face."""
        level = await face_checks.finish(
            session, check_id, data.face_token, session_id=request.user.session_id
        )
        return AssuranceRead(assurance=level)
