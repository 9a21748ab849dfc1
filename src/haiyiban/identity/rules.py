"""What sign-in, levels and limits mean, as pure rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum

from haiyiban.identity.callers import Level
from haiyiban.residents import age_on

CODE_LIFE = timedelta(minutes=5)
CODE_TRIES = 5
CODE_PAUSE = timedelta(seconds=60)
CODES_A_DAY = 10
REFRESH_GRACE = timedelta(seconds=10)
"""Two tabs, or an answer lost on the way: the same refresh token is good for so long."""
RESIDENT_SESSION = timedelta(days=30)
"""From the last refresh; what matters asks for a fresh face anyway."""
STAFF_SESSION = timedelta(hours=12)
"""From sign-in: one working day."""
STAFF_TRIES = 5
STAFF_PAUSE = timedelta(minutes=15)
REAL_NAME_TRIES = 5
FACE_TRIES = 5
FACE_CHECK_LIFE = timedelta(minutes=10)
DAY = timedelta(hours=24)
GUARDIAN_UNTIL_YEARS = 14


class Refresh(StrEnum):
    """What becomes of a refresh token that is presented."""

    ROTATE = "rotate"
    REPEAT = "repeat"
    """Give the same successor again."""
    END = "end"
    """Somebody has a copy: the whole family ends."""


def code_wait(unused: Sequence[datetime], *, now: datetime) -> timedelta | None:
    """How long a phone must wait for its next code; None if it need not.

    `unused` are the times of the last day's codes, oldest first, that nobody signed in with: the limit
    stops whoever makes a stranger's phone ring, not its holder.
    """
    if unused and now - unused[-1] < CODE_PAUSE:
        return unused[-1] + CODE_PAUSE - now
    if len(unused) >= CODES_A_DAY:
        return unused[-CODES_A_DAY] + DAY - now
    return None


def level_at_sign_in(reached: Level, *, device_is_trusted: bool) -> Level:
    """The level of a new session.

    Numbers are issued again: a phone's new holder receives the old one's code, so an SMS on an unknown
    device says nothing about the person.
    """
    return reached if device_is_trusted else Level.L1


def refresh_of(used_at: datetime | None, *, now: datetime) -> Refresh:
    """What to do with a refresh token that was first used at `used_at`."""
    if used_at is None:
        return Refresh.ROTATE
    return Refresh.REPEAT if now - used_at <= REFRESH_GRACE else Refresh.END


def face_locked_until(failures: Sequence[datetime]) -> datetime | None:
    """Until when face checks are locked; `failures` oldest first. May lie in the past.

    Source: docs/domain.md §1.6 (five failures within 24 h lock for 24 h).
    """
    if len(failures) < FACE_TRIES or failures[-1] - failures[-FACE_TRIES] > DAY:
        return None
    return failures[-1] + DAY


def staff_wait(failures: Sequence[datetime], *, now: datetime) -> timedelta | None:
    """How long one address must wait before it may try one staff name again; `failures` oldest first."""
    recent = [at for at in failures if now - at < STAFF_PAUSE]
    return recent[-1] + STAFF_PAUSE - now if len(recent) >= STAFF_TRIES else None


def real_name_wait(tries: Sequence[datetime], *, now: datetime) -> timedelta | None:
    """How long an account must wait before it may give a name and number again; `tries` oldest first."""
    recent = [at for at in tries if now - at < DAY]
    return recent[-REAL_NAME_TRIES] + DAY - now if len(recent) >= REAL_NAME_TRIES else None


def needs_guardian(birth: date, *, today: date) -> bool:
    """Whether a person is too young for an account of their own.

    Source: 个人信息保护法 art. 31; docs/domain.md §1.6.
    """
    return age_on(birth, today) < GUARDIAN_UNTIL_YEARS


def device_label(user_agent: str) -> str:
    """What an owner recognises a session by, such as 微信 · iPhone; the header itself is not kept."""
    program = next((name for mark, name in _PROGRAMS if mark in user_agent), None)
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), None)
    return " · ".join(part for part in (program, system) if part) or "其他设备"


_PROGRAMS = (
    ("MicroMessenger", "微信"),
    ("Edg", "Edge"),
    ("HuaweiBrowser", "华为浏览器"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("OpenHarmony", "鸿蒙"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)
