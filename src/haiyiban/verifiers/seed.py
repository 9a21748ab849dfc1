"""Verifiers of the demo, with secrets made up on its first start."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.db import database
from haiyiban.errors import Words
from haiyiban.settings import Settings
from haiyiban.verifiers import service, terminals
from haiyiban.verifiers.models import TerminalKey, Verifier, VerifierClient
from haiyiban.verifiers.purposes import purposes
from haiyiban.verifiers.service import ClientSecret
from haiyiban.verifiers.terminal_enrolment import enrol_key
from haiyiban.verifiers.terminal_keys import read_public_key, thumbprint


class Accreditation(NamedTuple):
    """A verifier of the demo."""

    name: Words
    unit: str
    purposes: tuple[str, ...]


ACCREDITED = {
    "verifier": Accreditation(
        Words("海口市秀英区招生报到处", "Xiuying District Enrolment Office, Haikou"),
        unit="education",
        purposes=("enrolment", "gate", "counter"),
    ),
    "merchant": Accreditation(
        Words("海口日月广场免税店", "Haikou Riyue Plaza Duty-Free Shop"),
        unit="commerce",
        purposes=("shop", "duty-free-order"),
    ),
    "terminal": Accreditation(
        Words("秀英区校门核验终端", "School Gate Terminal, Xiuying District"),
        unit="education",
        purposes=("enrolment", "gate"),
    ),
}


class Credentials(msgspec.Struct, rename="camel"):
    """What a demo's verifier signs in with, as demo.json shows it."""

    client_id: str
    client_secret: str


async def seed() -> None:
    """Accredit the demo's verifiers, and write their secrets to `$HAIYIBAN_HOME/demo/verifiers.json` (0600).

    The file is written before the database: after a crash between the two, the next start reads it again. A
    database that knows other secrets, such as a restored one, gets those of the file. The client `terminal`
    is an enrolled terminal; its key is in `demo/terminal.jwk` (0600), to sign batches with.
    """
    folder = Settings.from_env().home / "demo"
    path = folder / "verifiers.json"
    known = credentials(path)
    # Another province's deployment has other purposes, and none of these verifiers.
    here = {name: one for name, one in ACCREDITED.items() if purposes().keys() >= set(one.purposes)}
    made = {name: known.get(name) or Credentials(*service.new_secret()) for name in here}
    if made != known:
        _write(path, made)
    async with database().transaction() as session:
        for name, accreditation in here.items():
            await _accredit(session, accreditation, made[name])
        if "terminal" in made:
            await _enrol(session, made["terminal"].client_id, _terminal_key(folder / "terminal.jwk"))


def credentials(path: Path) -> dict[str, Credentials]:
    """The secrets of the demo's verifiers; empty before the first seed."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Credentials])
    except FileNotFoundError:
        return {}


async def _accredit(session: AsyncSession, accreditation: Accreditation, secret: Credentials) -> None:
    now = clock.now()
    verifier = await session.scalar(select(Verifier).where(Verifier.name_zh == accreditation.name.zh))
    if verifier is None:
        verifier = await service.accredit(
            session,
            accreditation.name,
            unit=accreditation.unit,
            purposes=accreditation.purposes,
            now=now,
        )
    if await session.get(VerifierClient, secret.client_id) is None:
        await service.add_client(
            session, verifier, ClientSecret(secret.client_id, secret.client_secret), now=now
        )


def _terminal_key(path: Path) -> dict[str, str]:
    """The public half of the demo terminal's key, made on the first start."""
    try:
        private: dict[str, str] = msgspec.json.decode(path.read_bytes())
    except FileNotFoundError:
        private = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()), as_dict=True)
        _write(path, private)
    return read_public_key({name: value for name, value in private.items() if name != "d"})


async def _enrol(session: AsyncSession, client_id: str, jwk: dict[str, str]) -> None:
    now = clock.now()
    client = await session.get_one(VerifierClient, client_id)
    key_id = await session.scalar(
        select(TerminalKey.id).where(
            TerminalKey.thumbprint == thumbprint(jwk), TerminalKey.retired_at.is_(None)
        )
    )
    if key_id is None:
        terminal = await terminals.register(
            session, client.verifier_id, name="一号机", place="滨海小学东门", purpose="gate", now=now
        )
        key_id = await enrol_key(session, terminal, jwk, now=now)
        terminal.status = "active"
    client.key_id = key_id


def _write(path: Path, made: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_suffix(f".{os.getpid()}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(made)))
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
