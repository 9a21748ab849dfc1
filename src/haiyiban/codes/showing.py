"""Showing a code: a signed text that lives a minute, made from what may be shown as it stands now; and what
became of the codes and capsules of mine.

Showing writes nothing: the id of a code carries its subject and its moment, so the same id always gives
the same text, and whether it was used is for the verifications to tell.

Source: schemas/codes/README.md §1–2.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from haiyiban.codes import kinds, uses
from haiyiban.codes.claims import Claims
from haiyiban.codes.cti import CodeRef, new_code_id
from haiyiban.codes.envelope import sign_form_a
from haiyiban.codes.kinds import CodeKind, Showable
from haiyiban.codes.outcomes import Outcome
from haiyiban.codes.signing import CODE_LIFE, CodeKeys
from haiyiban.codes.uses import Use
from haiyiban.codes.withdrawn import WITHDRAWN
from haiyiban.db import database
from haiyiban.errors import Conflict, NotFound, Problem, Words


class CodeMissing(NotFound):
    """No such code, somebody else's, or one that is over."""

    type = "codes/not-found"
    title = Words("没有找到这个亮证码，或已过期，请刷新", "There is no such code, or it is over; refresh it")


class DrawnOnThePhone(Conflict):
    """A capsule has no picture of its own: the phone signs and draws a new one every half minute."""

    type = "codes/drawn-on-the-phone"
    title = Words(
        "绑定手机的亮证码由该手机自己画出，请在那部手机上出示",
        "A code bound to a phone is drawn by that phone; show it there",
    )


class Shown(NamedTuple):
    """A code to show."""

    id: UUID
    text: str
    expires_at: datetime


class CodeState(NamedTuple):
    """What became of a code or a capsule."""

    ref: CodeRef
    kind: CodeKind
    is_capsule: bool
    is_withdrawn: bool
    expires_at: datetime
    uses: list[Use]
    """The newest first; more than one of a capsule only."""

    def asked(self, now: datetime) -> Use | None:
        """The use whose consent the holder is asked for at this moment."""
        return next((use for use in self.uses if use.is_open(now)), None)

    def accepted(self, now: datetime) -> Use | None:
        """The last use that let somebody see what the code shows."""
        return next((use for use in self.uses if use.came_to(now) == Outcome.VALID), None)

    def state(self, now: datetime) -> str:
        """`shown`, `consent_asked`, `used`, `consent_refused` or `expired`; of a capsule, which is used many
        times, `active`, `consent_asked`, `withdrawn` or `expired`."""
        if self.asked(now) is not None:
            return "consent_asked"
        if self.uses and not self.is_capsule:
            return "consent_refused" if self.uses[0].came_to(now) == Outcome.CONSENT_REFUSED else "used"
        if now > self.expires_at:
            return "expired"
        if self.is_capsule:
            return "withdrawn" if self.is_withdrawn else "active"
        return "shown"


def show(kind: CodeKind, found: Showable, *, keys: CodeKeys, now: datetime) -> Shown:
    """A fresh code of what may be shown."""
    code_id = new_code_id(kind.number, found.ref, now=now)
    return _signed(CodeRef(id=code_id, kind=kind.number, ref=found.ref, made_at=now), found, keys=keys)


async def state_of(code_id: UUID, person_id: UUID, *, keys: CodeKeys, now: datetime) -> CodeState:
    """What became of a code or a capsule of mine. Raises CodeMissing."""
    ref = _opened(code_id, keys)
    kind = kinds.numbered(ref.kind)
    if kind is None or ref.made_at > now:
        raise CodeMissing
    try:
        await kinds.find_again(kind, ref.ref, person_id, now=now)
    except NotFound:
        raise CodeMissing from None
    except Problem:
        pass  # mine, and not to be shown any more: what became of it is still mine to read
    (row,) = await database().fetch(_STATE, code_id)
    (found,) = await uses.of_codes([keys.cti.seal(code_id)])
    return CodeState(
        ref=ref,
        kind=kind,
        is_capsule=row.expires_at is not None,
        is_withdrawn=row.withdrawn,
        expires_at=row.expires_at or _second(ref) + CODE_LIFE,
        uses=found,
    )


async def text_of(code_id: UUID, person_id: UUID, *, keys: CodeKeys, now: datetime) -> str:
    """The text of a code of mine that still lives, signed again. Raises CodeMissing, DrawnOnThePhone, and
    what the kind refuses it with."""
    state = await state_of(code_id, person_id, keys=keys, now=now)
    if state.is_capsule:
        raise DrawnOnThePhone
    if state.state(now) != "shown":
        raise CodeMissing
    found = await kinds.find_again(state.kind, state.ref.ref, person_id, now=now)
    return _signed(state.ref, found, keys=keys).text


def _opened(code_id: UUID, keys: CodeKeys) -> CodeRef:
    ref = keys.cti.open(keys.cti.seal(code_id))
    if ref is None:
        raise CodeMissing
    return ref


def _signed(ref: CodeRef, found: Showable, *, keys: CodeKeys) -> Shown:
    made_at = _second(ref)
    expires_at = made_at + CODE_LIFE
    claims = Claims(
        iss=keys.issuer,
        iat=int(made_at.timestamp()),
        exp=int(expires_at.timestamp()),
        cti=keys.cti.seal(ref.id),
        kind=ref.kind,
        body=found.body,
    )
    return Shown(ref.id, sign_form_a(claims, keys.signer(made_at)), expires_at)


def _second(ref: CodeRef) -> datetime:
    """When a code was made, in whole seconds as its claims say it."""
    return ref.made_at.replace(microsecond=0)


_STATE = f"""
SELECT capsule.expires_at, coalesce({WITHDRAWN}, false) AS withdrawn
FROM (VALUES ($1::uuid)) AS code (id)
LEFT JOIN codes_capsule AS capsule ON capsule.id = code.id
"""  # noqa: S608 - a constant of ours
