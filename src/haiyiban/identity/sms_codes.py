"""Sign-in codes: six digits, five minutes, five tries."""

from __future__ import annotations

import hmac
import math
import secrets

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, clock, outbox
from haiyiban.context import current
from haiyiban.crypto import vault
from haiyiban.errors import FieldError, Problem, TooMany, Words
from haiyiban.identity import rules
from haiyiban.identity.accounts import phone_index
from haiyiban.identity.models import SmsCode
from haiyiban.ids import new_id


class TooManyCodes(TooMany):
    """This phone was sent a code a moment ago, or too many today."""

    type = "identity/too-many-codes"
    title = Words("验证码发送太频繁，请稍后再试", "Codes were sent to this phone too often; try again later")


class WrongCode(Problem):
    """The code is not the one that was sent; the try is counted."""

    type = "identity/wrong-code"
    title = Words("验证码不对", "The code is not right")
    commits = True


class CodeExpired(Problem):
    """No code is waiting for this phone: expired, used, tried too often or never asked for."""

    type = "identity/code-expired"
    title = Words("验证码已失效，请重新获取", "The code is no longer valid; please ask for a new one")


async def send(session: AsyncSession, phone: str) -> None:
    """Send a code to a phone; one sent before is worth nothing from now on. Raises TooManyCodes."""
    index = phone_index(phone)
    # Two requests for one phone at once: the second waits here and then meets the limit.
    await session.execute(select(func.pg_advisory_xact_lock(int.from_bytes(index[:8], "big", signed=True))))
    now = clock.now()  # read under the lock, or the code that was waited for would lie in the future
    unused = await session.scalars(
        select(SmsCode.created_at)
        .where(
            SmsCode.phone_index == index,
            # A little of the future too: another server's clock may be ahead of ours.
            SmsCode.created_at.between(now - rules.DAY, now + rules.CODE_PAUSE),
            SmsCode.used_at.is_(None),
        )
        .order_by(SmsCode.created_at)
    )
    wait = rules.code_wait(unused.all(), now=now)
    if wait is not None:
        raise TooManyCodes(math.ceil(wait.total_seconds()))
    code = f"{secrets.randbelow(1_000_000):06d}"
    row = SmsCode(id=new_id(), phone_index=index, created_at=now)
    row.code_hash = _hash(row, code)
    session.add(row)
    await outbox.post(
        session,
        "notices.send",
        payload={
            "phone": phone,
            "template": "identity.sms-code",
            "values": {"code": code, "minutes": str(rules.CODE_LIFE // rules.CODE_PAUSE)},
            "language": current().language,
            "uselessAfter": (now + rules.CODE_LIFE).isoformat(),
        },
    )
    await audit.record(session, "identity.send-code", object_kind="sms_code", object_id=row.id)


async def redeem(session: AsyncSession, phone: str, code: str) -> None:
    """Use up the code that was sent to a phone. Raises CodeExpired, WrongCode."""
    now = clock.now()
    row = await session.scalar(
        select(SmsCode)
        .where(SmsCode.phone_index == phone_index(phone))
        .order_by(SmsCode.id.desc())
        .limit(1)
        .with_for_update()
    )
    if (
        row is None
        or row.used_at is not None
        or row.tries >= rules.CODE_TRIES
        or now - row.created_at > rules.CODE_LIFE
    ):
        raise CodeExpired
    if hmac.compare_digest(row.code_hash, _hash(row, code.strip())):
        row.used_at = now
        return
    row.tries += 1
    left = rules.CODE_TRIES - row.tries
    raise WrongCode(
        errors=[
            FieldError(
                "/code",
                Words(f"验证码不对，还可以试 {left} 次", f"Wrong code; tries left: {left}")
                if left
                else Words("验证码不对，请重新获取", "Wrong code; please ask for a new one"),
            )
        ]
    )


def _hash(row: SmsCode, code: str) -> bytes:
    return vault().blind("identity.sms-code", f"{row.id}|{code}")
