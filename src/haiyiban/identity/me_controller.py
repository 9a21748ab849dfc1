"""Who I am here, and how I raise what I may do."""

from __future__ import annotations

from uuid import UUID

from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock, registers
from haiyiban.errors import NotAllowed, NotFound, NotSignedIn
from haiyiban.identity import (
    accounts,
    binding,
    face_checks,
    one_person,
    real_name,
    sms_codes,
    ways_in,
    wechat,
    who_i_am,
)
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import ResidentRequest, StepUpNeeded, resident
from haiyiban.identity.models import Account, SignIn
from haiyiban.identity.wire import (
    AssuranceRead,
    FaceCheckRead,
    FaceCheckResult,
    MeRead,
    PhoneCreate,
    RealNameCreate,
    WechatCreate,
)
from haiyiban.wire import problems


class MeController(Controller):
    """My account, my real name, my face checks."""

    path = "/me"
    tags = ["accounts"]
    guards = [resident()]

    @get(summary="Who I am here", responses=problems(NotSignedIn, NotAllowed))
    async def me(self, request: ResidentRequest) -> MeRead:
        """Masked. Below L2 the person is not shown: the phone may have a new holder."""
        return await who_i_am.read(request.user.session_id)

    @post(
        "/phone",
        status_code=200,
        summary="Sign in with this phone from now on",
        responses=problems(
            NotSignedIn,
            StepUpNeeded,
            accounts.InvalidPhone,
            sms_codes.WrongCode,
            sms_codes.CodeExpired,
        ),
    )
    async def add_phone(
        self, request: ResidentRequest, session: NamedDependency[AsyncSession], data: JSONBody[PhoneCreate]
    ) -> AssuranceRead:
        """With the code that `POST /auth/sms-codes` sent to it.

        Where the phone signs in to an account already, this session joins that one, and `next` asks for a
        face check if somebody is bound to it. Changing the phone of a bound account needs a fresh face.
        """
        sign_in = await session.get_one(SignIn, request.user.session_id)
        phone = accounts.parse_phone(data.phone)
        level = await ways_in.add_phone(session, sign_in, phone, code=data.code, now=clock.now())
        account = await session.get_one(Account, sign_in.account_id)
        is_bound_here = account.person_id is not None and level < Level.L2
        return AssuranceRead(assurance=level, next="face-check" if is_bound_here else None)

    @post(
        "/wechat",
        status_code=200,
        summary="Sign in with this WeChat user from now on",
        responses=problems(
            NotSignedIn,
            StepUpNeeded,
            ways_in.WechatOfAnother,
            registers.WechatNotOffered,
            registers.WechatCodeRefused,
            registers.RegisterUnavailable,
        ),
    )
    async def add_wechat(
        self, request: ResidentRequest, session: NamedDependency[AsyncSession], data: JSONBody[WechatCreate]
    ) -> MeRead:
        """By what `wx.login` gave the mini program; for a bound account a fresh face is needed."""
        user = wechat.index_of(await registers.wechat_user(data.code))
        sign_in = await session.get_one(SignIn, request.user.session_id)
        await ways_in.add_wechat(session, sign_in, user, now=clock.now())
        return await who_i_am.read_within(session, sign_in.id)

    @delete(
        "/wechat",
        status_code=204,
        summary="No longer sign in with WeChat",
        responses=problems(NotSignedIn, StepUpNeeded, ways_in.LastWayIn),
    )
    async def remove_wechat(self, request: ResidentRequest, session: NamedDependency[AsyncSession]) -> None:
        """Sessions that were opened from WeChat end, save this one."""
        sign_in = await session.get_one(SignIn, request.user.session_id)
        await ways_in.remove_wechat(session, sign_in, now=clock.now())

    @post(
        "/real-name",
        status_code=200,
        summary="Give my real name",
        responses=problems(
            NotSignedIn,
            real_name.IdentityMismatch,
            real_name.InvalidDocumentNumber,
            real_name.DocumentNotOffered,
            real_name.DocumentExpired,
            one_person.DocumentsOfTwo,
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
        """Name and number against the register that knows the document, for L2.

        `idType` is 111 (居民身份证), 154 (港澳台居民居住证), 414 (护照), 511 (台胞证), 516 (港澳居民来往内地
        通行证) or 553 (外国人永久居留身份证, either layout). Further documents of one person lead to the same
        person where a register says that they are one.

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
