"""Real name (实名认证): a document's form, then name and number against the population register."""

from __future__ import annotations

import math
import unicodedata
from datetime import date
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock, registers
from haiyiban.db import database
from haiyiban.errors import FieldError, NotSignedIn, Problem, TooMany, Words
from haiyiban.identity import binding, persons, rules
from haiyiban.identity.callers import Level
from haiyiban.identity.models import Account, RealNameTry, SignIn
from haiyiban.ids import new_id
from haiyiban.residents import IdType, InvalidIdNumber, check_document, parse_identity_number

_RESIDENT = frozenset({"111", "resident_id", "resident-id", "id_card", "id-card"})
_KNOWN = frozenset(kind.value for kind in IdType)


class DocumentNotOffered(Problem):
    """A kind of document that cannot be checked online yet."""

    type = "identity/document-not-offered"
    title = Words(
        "这种证件暂不能在线实名，请持证件到政务服务大厅办理",
        "This kind of document cannot be confirmed online yet; please bring it to a service hall",
    )


class InvalidDocumentNumber(Problem):
    """The number cannot be one of this kind of document."""

    type = "identity/invalid-id-number"
    title = Words("证件号码不对", "The document number cannot be right")


class IdentityMismatch(Problem):
    """The population register does not know this name with this number."""

    type = "identity/identity-mismatch"
    title = Words(
        "姓名与证件号码不一致，请对照证件检查", "Name and number do not belong together; check your document"
    )


class NeedsGuardian(Problem):
    """Children under 14 act through the account of a parent or guardian."""

    type = "identity/needs-guardian"
    title = Words(
        "未满 14 周岁请由父母或其他监护人的账号办理",
        "Children under 14 act through the account of a parent or guardian",
    )


class TooManyTries(TooMany):
    """This account gave too many names and numbers that do not belong together."""

    type = "identity/too-many-tries"
    title = Words("实名信息输错次数过多，请稍后再试", "Too many wrong names and numbers; try again later")


def check(id_type: str, id_number: str, *, today: date) -> str:
    """The document's number as it is kept.

    Raises DocumentNotOffered, InvalidDocumentNumber, NeedsGuardian.
    """
    if id_type.lower() not in _RESIDENT:
        known = id_type in _KNOWN
        raise DocumentNotOffered(
            errors=[
                FieldError(
                    "/idType",
                    DocumentNotOffered.title
                    if known
                    else Words("不认识这种证件", "Unknown kind of document"),
                )
            ]
        )
    try:
        number = check_document(IdType.RESIDENT_ID_CARD, id_number, today=today)
    except InvalidIdNumber as error:
        raise InvalidDocumentNumber(errors=[FieldError("/idNumber", error.words)]) from None
    if rules.needs_guardian(parse_identity_number(number, today=today).birth, today=today):
        raise NeedsGuardian
    return number


async def confirm(
    session: AsyncSession, session_id: UUID, *, name: str, id_type: str, id_number: str
) -> Level:
    """Confirm who holds a session. Returns its level: L2, or L1 where a face check has to follow.

    Raises what `check` raises, IdentityMismatch, TooManyTries, AlreadyConfirmed, and RegisterUnavailable
    when the register is away, in which case nothing was counted.
    """
    number = check(id_type, id_number, today=clock.today())
    name = unicodedata.normalize("NFC", name.strip())
    attempt = await _count_try(session_id)
    try:
        matches = await registers.confirm_identity(name, number)
    except registers.RegisterUnavailable:
        await _forget_try(attempt)
        raise
    if not matches:
        raise IdentityMismatch
    await session.execute(delete(RealNameTry).where(RealNameTry.id == attempt))
    person = await persons.find_or_create(session, name, id_number=number)
    await persons.rename(session, person, name)
    sign_in = await session.get_one(SignIn, session_id)
    return await binding.confirm(session, sign_in, person, now=clock.now())


async def _count_try(session_id: UUID) -> UUID:
    """Count the try before the register is asked, in a transaction of its own: a hundred sent at once are
    a hundred tries. Raises TooManyTries."""
    now = clock.now()
    async with database().transaction() as session:
        account_id = await session.scalar(select(SignIn.account_id).where(SignIn.id == session_id))
        if account_id is None:
            raise NotSignedIn
        await session.execute(select(Account.id).where(Account.id == account_id).with_for_update())
        tries = await session.scalars(
            select(RealNameTry.at)
            .where(RealNameTry.account_id == account_id, RealNameTry.at > now - rules.DAY)
            .order_by(RealNameTry.at)
        )
        wait = rules.real_name_wait(tries.all(), now=now)
        if wait is not None:
            raise TooManyTries(math.ceil(wait.total_seconds()))
        attempt = RealNameTry(id=new_id(), account_id=account_id, at=now)
        session.add(attempt)
    return attempt.id


async def _forget_try(attempt: UUID) -> None:
    async with database().transaction() as session:
        await session.execute(delete(RealNameTry).where(RealNameTry.id == attempt))
