"""`haiyiban neighbours`: the agreements with other deployments, and the proofs of what was exchanged.

    A: haiyiban neighbours describe … > a.json            B: … > b.json
    A: haiyiban neighbours agree a.json b.json --fingerprint … --until 2027-12-31 > agreement.json
    B: haiyiban neighbours countersign agreement.json --fingerprint … > signed.json
    both: haiyiban neighbours accept signed.json

`--fingerprint` is the other side's, learnt by another channel than the file: a telephone call, a letter.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import click
import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, clock, db
from haiyiban.bilingual import Text
from haiyiban.codes import trust_file
from haiyiban.codes.jws import UntrustedList
from haiyiban.command_line import in_database
from haiyiban.crypto import FileKeys, KeyMissing
from haiyiban.divisions import PROVINCE
from haiyiban.errors import Problem
from haiyiban.settings import Settings
from services.cross_province import directory, proofs
from services.cross_province import neighbours as known
from services.cross_province.directory import Agreement, Joint, NotAgreed, Party, Signed
from services.cross_province.models import Neighbour
from services.cross_province.ourselves import DEMO, own_party, texts
from services.cross_province.signatures import NotSigned

T = TypeVar("T")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_DATE = click.DateTime(["%Y-%m-%d"])


@click.group()
def neighbours() -> None:
    """跨省通办的对方部署 · Deployments of other provinces"""


@neighbours.command()
@click.option("--name-zh", required=True, help="The place's name in Chinese, as people know it.")
@click.option("--name-en", required=True)
@click.option("--uscc", required=True, help="Unified social credit code of the body that answers for it.")
@click.option("--origin", help="Where the other side reaches us; HAIYIBAN_PUBLIC_URL unless said.")
@click.option(
    "--tls-root",
    "tls_roots",
    type=_FILE,
    multiple=True,
    help="Authority (PEM) under which our TLS certificate is, where browsers do not know it. Repeat it.",
)
def describe(name_zh: str, name_en: str, uscc: str, origin: str | None, tls_roots: tuple[Path, ...]) -> None:
    """Print this deployment's own description, for an agreement. Its fingerprint goes to standard error."""
    with _Told():
        party = own_party(Text(zh=name_zh, en=name_en), uscc, origin=origin, tls_roots=texts(tls_roots))
        click.echo(msgspec.json.format(msgspec.json.encode(party)).decode())
        click.echo(f"指纹 Fingerprint: {party.fingerprint}", err=True)


@neighbours.command()
@click.argument("own", type=_FILE)
@click.argument("other", type=_FILE)
@click.option("--fingerprint", required=True, help="Of OTHER, as its people told you by another channel.")
@click.option("--from", "start", type=_DATE, help="First day; today unless said.")
@click.option("--until", "end", type=_DATE, required=True, help="The day after the last.")
@click.option("--joint", multiple=True, help="MATTER=步骤/step: decided jointly (多地联办). Repeat it.")
def agree(
    own: Path,
    other: Path,
    fingerprint: str,
    start: datetime | None,
    end: datetime,
    joint: tuple[str, ...],
) -> None:
    """Print an agreement of OWN and OTHER, signed by us, for the other side to countersign."""
    with _Told():
        parties = (_read(own, Party), _read(other, Party))
        _compare(parties[1], fingerprint)
        agreement = Agreement(
            parties=parties,
            valid_from=start.replace(tzinfo=UTC) if start else clock.now().replace(microsecond=0),
            valid_until=end.replace(tzinfo=UTC),
            joint=tuple(map(_joint, joint)),
        )
        signed = directory.sign(Signed(agreement), PROVINCE, known.newest_key())
        click.echo(msgspec.json.format(msgspec.json.encode(signed)).decode())


@neighbours.command()
@click.argument("file", type=_FILE)
@click.option("--fingerprint", required=True, help="Of the other side, as its people told you.")
def countersign(file: Path, fingerprint: str) -> None:
    """Print the agreement of FILE with our signature added. Read it first: it binds us."""
    with _Told():
        signed = _read(file, Signed)
        _compare(signed.agreement.other(PROVINCE), fingerprint)
        done = directory.sign(signed, PROVINCE, known.newest_key())
        directory.check(msgspec.to_builtins(done), own=PROVINCE, keys=known.own_keys())
        click.echo(msgspec.json.format(msgspec.json.encode(done)).decode())


@neighbours.command()
@click.argument("file", type=_FILE)
def accept(file: Path) -> None:
    """Take the agreement of FILE into force here, signed by both. A newer one replaces the older."""

    document = file.read_bytes()

    async def work(session: AsyncSession) -> str:
        other = await known.accept(session, json.loads(document), now=clock.now())
        return f"{other.division} {other.name.zh}"

    click.echo(_in_database(work))


@neighbours.command(name="list")
def list_() -> None:
    """Show each neighbour, until when, and how far the messages are."""

    async def work(session: AsyncSession) -> list[str]:
        lines = []
        for row in await session.scalars(select(Neighbour).order_by(Neighbour.division)):
            try:
                one = known.read(row)
                state = "open" if one.is_open(clock.now()) else "closed"
                told = f"{one.other.name.zh} {one.other.origin} until {one.agreement.valid_until:%F}"
            except NotAgreed as error:
                state, told = "broken", str(error)
            lines.append(f"{row.division} {state:6} sent {row.sent} taken {row.taken} {told}")
        return lines

    for told in _in_database(work):
        click.echo(told)


@neighbours.command()
@click.argument("division")
def suspend(division: str) -> None:
    """Send nothing to DIVISION and take nothing from it, until `resume`. What waits is kept."""
    click.echo(_in_database(lambda session: _suspended(session, division, clock.now())))


@neighbours.command()
@click.argument("division")
def resume(division: str) -> None:
    """Exchange with DIVISION again, from where it stopped."""
    click.echo(_in_database(lambda session: _suspended(session, division, None)))


@neighbours.command()
@click.argument("case_id", type=click.UUID)
def proof(case_id: UUID) -> None:
    """Print what was sent and received in a case (its id), with every signature. It holds personal data."""
    found = _in_database(lambda session: proofs.export(session, case_id))
    click.echo(msgspec.json.format(msgspec.json.encode(found)).decode())


@neighbours.command(name="check-proof")
@click.argument("file", type=click.File("rb"))
def check_proof(file: Any) -> None:
    """Check the proof of FILE, from either side: needs no database and no keys but those in the file."""
    with _Told():
        for one in proofs.check(file.read()):
            received = one.received_at or "no receipt"
            click.echo(f"{one.signed_at} {one.sender} {one.type:10} {one.msg_id} received {received}")


@neighbours.command(hidden=True)
@click.option("--home", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--division", required=True)
@click.option("--origin", required=True)
@click.option("--own-origin", required=True)
@click.option("--tls-root", "tls_roots", type=_FILE, multiple=True, help="Of both sides.")
@click.option("--database-url", "url", required=True)
def play(
    home: Path, division: str, origin: str, own_origin: str, tls_roots: tuple[Path, ...], url: str
) -> None:
    """Play both operators of a demo on one machine: make, sign and accept the agreement at both sides."""
    if Settings.from_env().is_production:
        raise click.ClickException("in production two operators make an agreement")
    with _Told():
        theirs = FileKeys(home / "keys").signing("exchange")
        names = {one.division: one for one in DEMO}
        roots = texts(tls_roots)
        ours = own_party(names[PROVINCE].name, names[PROVINCE].uscc, origin=own_origin, tls_roots=roots)
        other = directory.describe(
            division=division,
            name=names[division].name,
            uscc=names[division].uscc,
            origin=origin,
            keys=theirs,
            trust_root=trust_file.root_jwk(home / "keys"),
            tls_roots=roots,
        )
        start = clock.now().replace(microsecond=0)
        agreement = Agreement(
            parties=(ours, other),
            valid_from=start - timedelta(days=1),
            valid_until=start + timedelta(days=365),
        )
        signed = directory.sign(Signed(agreement), PROVINCE, known.newest_key())
        document = msgspec.to_builtins(directory.sign(signed, division, theirs[-1]))
    _in_database(lambda session: known.accept(session, document, now=clock.now()))
    _in_database(
        lambda session: known.accept(session, document, now=clock.now(), own=division, keys=theirs), url
    )


async def _suspended(session: AsyncSession, division: str, at: datetime | None) -> str:
    found = await known.get(session, division, lock=True)
    found.row.suspended_at = at
    act = "suspend" if at else "resume"
    await audit.record(session, f"cross-province.{act}", object_kind="neighbour", reason=division)
    return f"{division} {'suspended' if at else 'open'}"


def _compare(party: Party, fingerprint: str) -> None:
    if party.fingerprint != fingerprint.strip().lower():
        raise NotAgreed(f"指纹不符，请与对方电话核对。{party.division} has {party.fingerprint}, not this")


def _joint(text: str) -> Joint:
    matter, _, step = text.partition("=")
    zh, _, en = step.partition("/")
    if not (matter and zh and en):
        raise NotAgreed(f"--joint {text}: write MATTER=步骤/step")
    return Joint(matter, Text(zh=zh, en=en))


def _read(file: Path, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except msgspec.MsgspecError as error:
        raise NotAgreed(f"{file}: {error}") from None


class _Told:
    """What is wrong in words, and not as a traceback."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: Any) -> None:
        if isinstance(error, NotAgreed | NotSigned | KeyMissing | UntrustedList):
            raise click.ClickException(str(error)) from None
        if isinstance(error, Problem):
            raise click.ClickException(f"{error.title.zh} {error.title.en}") from None


def _in_database(work: Callable[[AsyncSession], Awaitable[T]], url: str | None = None) -> T:
    async def run() -> T:
        async with db.database().transaction() as session:
            return await work(session)

    with _Told():
        return in_database(run, name="neighbours", url=url)
