"""Staff of the demo, with passwords made up on its first start."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import NamedTuple

import msgspec
import pyotp
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import divisions, resources
from haiyiban.db import database
from haiyiban.identity import passwords, staff
from haiyiban.identity.models import Staff
from haiyiban.settings import Settings

DIVISION = "460105"
VILLAGE = "460105104201"
"""In 永兴镇: where the demo's village agent serves."""


class Post(NamedTuple):
    """A post of the demo: its role, and the matter whose agency it belongs to, or the agency by its name
    where no matter is that agency's."""

    role: str
    matter: str
    has_otp: bool
    division: str = DIVISION
    agency: str = ""


POSTS = {
    "clerk": Post("clerk", "education.school-place", has_otp=True),
    "officer": Post("officer", "education.school-place", has_otp=False),
    "operator": Post("operator", "education.school-place", has_otp=False),
    # Rights of staff take two operators.
    "second-operator": Post("operator", "education.school-place", has_otp=False),
    "village-agent": Post("village-agent", "civil-affairs.senior-allowance", False, VILLAGE),
    "market-clerk": Post("clerk", "market-regulation.food-business-licence-renewal", has_otp=True),
    "insurance-clerk": Post("clerk", "social-insurance.proof", has_otp=True),
    "benefit-clerk": Post("clerk", "employment.unemployment-benefit", has_otp=True),
    # Two, for what one proposes the other confirms.
    "health-clerk": Post("clerk", "", True, agency="health"),
    "health-clerk-2": Post("clerk", "", True, agency="health"),
    "fund-officer": Post("officer", "employment.unemployment-benefit", False, divisions.PROVINCE),
}


class Credentials(msgspec.Struct, rename="camel", omit_defaults=True):
    """What a demo's staff member signs in with, as demo.json shows it."""

    username: str
    password: str
    otp_secret: str | None = None


async def seed() -> None:
    """Make the demo's staff, and write what they sign in with to `$HAIYIBAN_HOME/demo/staff.json` (0600).

    The file is written before the database: after a crash between the two, the next start reads it again.
    A database that knows other passwords, such as a restored one, gets those of the file.
    """
    path = credentials_path(Settings.from_env())
    known = credentials(path) or {}
    posts = {name: post for name, post in POSTS.items() if _is_here(post)}
    fresh = {name: known.get(name) or _make_up(name, post) for name, post in posts.items()}
    if fresh != known:
        _write(path, fresh)
    async with database().transaction() as session:
        for name, post in posts.items():
            await _employ(session, fresh[name], post)


def credentials_path(settings: Settings) -> Path:
    """Where the demo's passwords are."""
    return settings.home / "demo" / "staff.json"


def credentials(path: Path) -> dict[str, Credentials] | None:
    """The demo's staff by post (clerk, officer, operator, …); None before the first seed."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Credentials])
    except FileNotFoundError:
        return None


def _make_up(username: str, post: Post) -> Credentials:
    return Credentials(
        username=username,
        password=secrets.token_urlsafe(12),
        otp_secret=pyotp.random_base32() if post.has_otp else None,
    )


async def _employ(session: AsyncSession, wanted: Credentials, post: Post) -> None:
    member = await session.scalar(select(Staff).where(Staff.username == wanted.username).with_for_update())
    if member is None:
        await staff.create(
            session,
            wanted.username,
            password=wanted.password,
            roles=[post.role],
            agency=post.agency or _agency_of(post.matter),
            # A deployment of another province has its clerks at its province's desk.
            division=post.division if divisions.find(post.division) else divisions.PROVINCE,
            otp_secret=wanted.otp_secret,
        )
        return
    if not await passwords.matches(wanted.password, member.password_hash):
        member.password_hash = await passwords.hash_of(wanted.password)
    if member.otp_secret != wanted.otp_secret:
        member.otp_secret = wanted.otp_secret
        member.otp_last_step = None


def _is_here(post: Post) -> bool:
    """Whether this deployment has such a post; another province's has its own agencies and matters."""
    return resources.own("matters") is None if post.agency else bool(_files_of(post.matter))


def _agency_of(matter: str) -> str:
    """The agency that handles a matter, from its newest data file."""
    newest = max(_files_of(matter), key=lambda path: path.name)
    agency: str = json.loads(newest.read_bytes())["handledBy"]["agency"]
    return agency


def _files_of(matter: str) -> list[Path]:
    """The versions of a matter that this deployment publishes; none where it is another province's."""
    folder = resources.own("matters") or resources.schemas() / "matters"
    return list(folder.glob(f"{matter}.v*.json"))


def _write(path: Path, people: dict[str, Credentials]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_suffix(f".{os.getpid()}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(people)))
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
