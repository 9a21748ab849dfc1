"""Real name (实名认证): a document's form, then name and number against the register that knows it.

An identity card is known to the population register; passports, passes, the permits of residents of Hong
Kong, Macao and Taiwan and permanent residence cards to the exit-entry register. Source: docs/domain.md §1.2,
§1.6.
"""

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
from haiyiban.identity import binding, one_person, persons, rules
from haiyiban.identity.callers import Level
from haiyiban.identity.models import Account, RealNameTry, SignIn
from haiyiban.ids import new_id
from haiyiban.registers import DocumentOf, Holder
from haiyiban.residents import IdType, InvalidIdNumber, check_document, parse_identity_number

_OFFERED = {
    **dict.fromkeys(("111", "resident-id", "id-card"), IdType.RESIDENT_ID_CARD),
    **dict.fromkeys(("154", "residence-permit"), IdType.RESIDENCE_PERMIT),
    **dict.fromkeys(("414", "passport"), IdType.PASSPORT),
    **dict.fromkeys(("511", "taiwan-pass"), IdType.TAIWAN_PASS),
    **dict.fromkeys(("516", "hk-macao-pass"), IdType.HK_MACAO_PASS),
    **dict.fromkeys(("553", "permanent-residence-card"), IdType.PERMANENT_RESIDENCE_CARD),
}
"""What people may give, by the codes of GA/T 2000.156 or in words."""
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


class DocumentExpired(Problem):
    """The document was valid once: a new one has another number or another date."""

    type = "identity/document-expired"
    title = Words(
        "这个证件已过有效期，请换用有效证件", "This document has expired; please use one that is valid"
    )

    def __init__(self) -> None:
        super().__init__(errors=[FieldError("/idNumber", self.title)])


class IdentityMismatch(Problem):
    """The register does not know this name with this number."""

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


def check(id_type: str, id_number: str, *, today: date) -> DocumentOf:
    """The document as it is kept, its number checked by form and check digit.

    Raises DocumentNotOffered, InvalidDocumentNumber, NeedsGuardian.
    """
    kind = _OFFERED.get(id_type.lower().replace("_", "-"))
    if kind is None:
        raise DocumentNotOffered(
            errors=[
                FieldError(
                    "/idType",
                    DocumentNotOffered.title
                    if id_type in _KNOWN
                    else Words("不认识这种证件", "Unknown kind of document"),
                )
            ]
        )
    try:
        number = check_document(kind, id_number, today=today)
    except InvalidIdNumber as error:
        raise InvalidDocumentNumber(errors=[FieldError("/idNumber", error.words)]) from None
    if kind is IdType.HK_MACAO_PASS:
        # Older cards print two more digits that count the cards issued and say nothing of the holder.
        number = number[:9]
    if len(number) == 18:
        _require_grown_up(parse_identity_number(number, today=today).birth, today=today)
    return DocumentOf(id_type=kind.value, id_number=number)


async def confirm(
    session: AsyncSession, session_id: UUID, *, name: str, id_type: str, id_number: str
) -> Level:
    """Confirm who holds a session. Returns its level: L2, or L1 where a face check has to follow.

    Raises what `check` raises, IdentityMismatch, DocumentExpired, DocumentsOfTwo, TooManyTries,
    AlreadyConfirmed, and RegisterUnavailable when the register is away, in which case nothing was counted.
    """
    today = clock.today()
    document = check(id_type, id_number, today=today)
    name = " ".join(unicodedata.normalize("NFC", name).split())
    attempt = await _count_try(session_id)
    try:
        holder = await _holder(name, document)
    except registers.RegisterUnavailable:
        await _forget_try(attempt)
        raise
    if holder is None:
        raise IdentityMismatch
    if holder.valid_until is not None and holder.valid_until < today:
        raise DocumentExpired
    if holder.birth_date is not None:
        _require_grown_up(holder.birth_date, today=today)
    await session.execute(delete(RealNameTry).where(RealNameTry.id == attempt))
    person = await one_person.of_documents(session, holder.name, document, others=holder.documents)
    if holder.birth_date is not None and persons.birth_of(person, today=today) is None:
        person.birth = holder.birth_date.isoformat()
    sign_in = await session.get_one(SignIn, session_id)
    return await binding.confirm(session, sign_in, person, now=clock.now())


async def _holder(name: str, document: DocumentOf) -> Holder | None:
    """Who holds the document, as the register that knows its kind says. Raises RegisterUnavailable."""
    if document.id_type == IdType.RESIDENT_ID_CARD:
        return Holder(name) if await registers.confirm_identity(name, document.id_number) else None
    return await registers.confirm_document(name, document.id_number, id_type=document.id_type)


def _require_grown_up(birth: date, *, today: date) -> None:
    """Raises NeedsGuardian."""
    if rules.needs_guardian(birth, today=today):
        raise NeedsGuardian


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
