"""Where a case stands, told to whoever holds its receipt (办件进度查询), without signing in.

The number stands on the receipt and counts upwards, so it is no secret: the last digits of the applicant's
phone go with it. What is told names nobody. Digits that do not fit, a number that does not exist and a draft
are answered alike, and a number is tried a few times an hour, from wherever.
"""

from __future__ import annotations

import asyncio
import hmac
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.cases.models import Case
from haiyiban.cases.states import State
from haiyiban.context import current
from haiyiban.errors import NotFound, TooMany, Words
from haiyiban.identity.address_limit import AddressLimit
from haiyiban.identity.models import Account
from haiyiban.settings import Settings

TRIES_OF_A_NUMBER = 10
TRIES_FROM_AN_ADDRESS = 60
"""An hour. Ten thousand endings: guessing one takes weeks, and gains a matter's name and state."""


class NothingToTrack(NotFound):
    """No case has this number with a phone that ends so, or it was not handed in."""

    type = "cases/nothing-to-track"
    title = Words(
        "没有查到：请核对回执上的办件编号，和申请人手机号的后四位",
        "Nothing found: check the number on the receipt and the last four digits of the applicant's phone",
    )


class TooManyTries(TooMany):
    """This number, or this address, was tried too often within the hour."""

    type = "cases/too-many-tries"
    title = Words("查得太频繁，请稍后再试；登录后可以随时查看", "Too many tries; wait, or sign in and look")


async def find(session: AsyncSession, number: str, ending: str, *, now: datetime) -> Case:
    """The case of a receipt. Raises NothingToTrack, TooManyTries."""
    number = number.strip().upper()
    moment = now.timestamp()
    by_address, by_number = _limits()
    await by_address.count(current().address or "", now=moment)
    await by_number.count(number, now=moment)
    case = await session.scalar(select(Case).where(Case.number == number))
    if case is None or case.state == State.DRAFT:
        raise NothingToTrack
    accounts = await session.scalars(select(Account).where(Account.person_id == case.applicant_id))
    if not any(account.phone and hmac.compare_digest(account.phone[-4:], ending) for account in accounts):
        raise NothingToTrack
    return case


_made: tuple[asyncio.AbstractEventLoop, AddressLimit, AddressLimit] | None = None


def _limits() -> tuple[AddressLimit, AddressLimit]:
    """The counts of this process, by address and by number, made when they are first needed."""
    global _made
    loop = asyncio.get_running_loop()
    if _made is None or _made[0] is not loop:
        url = Settings.from_env().redis_url
        _made = (
            loop,
            AddressLimit(url, most=TRIES_FROM_AN_ADDRESS, name="track", refusal=TooManyTries),
            AddressLimit(url, most=TRIES_OF_A_NUMBER, name="track-number", refusal=TooManyTries),
        )
    return _made[1], _made[2]


async def close() -> None:
    """Give the connections of this process back at its end."""
    global _made
    made, _made = _made, None
    if made is not None:
        await made[1].close()
        await made[2].close()
