"""How this deployment describes itself to others, and who plays in the demo."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from haiyiban.bilingual import Text
from haiyiban.codes import trust_file
from haiyiban.divisions import PROVINCE
from haiyiban.settings import Settings
from services.cross_province import directory, line
from services.cross_province import neighbours as known
from services.cross_province.directory import NotAgreed, Party


class DemoParty(NamedTuple):
    """Who plays in the demo."""

    division: str
    name: Text
    uscc: str


DEMO = (
    DemoParty("460000", Text(zh="海南省", en="Hainan"), "12460000MB1H0B024H"),
    DemoParty("440000", Text(zh="广东省", en="Guangdong"), "124400004558592254"),
)


def own_party(name: Text, uscc: str, *, origin: str | None = None, tls_roots: Sequence[str] = ()) -> Party:
    """This deployment's description of itself. Raises NotAgreed, KeyMissing, UntrustedList."""
    settings = Settings.from_env()
    known.newest_key()
    party = directory.describe(
        division=PROVINCE,
        name=name,
        uscc=uscc,
        origin=origin or settings.public_url,
        keys=known.own_keys(),
        trust_root=trust_file.root_jwk(settings.keys_dir),
        tls_roots=tls_roots,
    )
    if not line.is_safe(party.origin):
        raise NotAgreed(f"{party.origin}: in production messages go over https")
    line.pinned(party)
    return party


def texts(files: Sequence[Path]) -> list[str]:
    """What the files hold."""
    return [file.read_text() for file in files]
