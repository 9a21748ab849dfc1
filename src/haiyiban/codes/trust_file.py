"""The trust list as a file in the servers' key folder: signed where the root is, read by every server.

The root's private half is in a folder of its own, on a machine or a stick that no server reads. Signing
brings two files to the key folder: the list (`trust-list.jwt`), which the servers publish as it is and judge
by, and the root's public half (`trust-root.jwk`), by which they check it.

Source: schemas/codes/README.md §4; docs/decisions/0008-offline-root.md.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from haiyiban.codes.jws import UntrustedList
from haiyiban.codes.rotation import next_entries
from haiyiban.codes.trust import TrustList, public_key_of, read_trust_list, sign_trust_list
from haiyiban.crypto import FileKeys, SigningKey
from haiyiban.new_keys import ROOT_PURPOSE
from haiyiban.signatures import public_jwk

LIST_LIFE = timedelta(days=90)
"""How long a signed list counts; sign the next one well before."""


class Published(NamedTuple):
    """The list as terminals fetch it, and what it says."""

    text: str
    trust: TrustList
    root: dict[str, Any]
    """The public half of the key that signed it, as a JWK."""


def published(folder: Path) -> Published:
    """The signed list in a key folder. Raises UntrustedList, which says what is missing or wrong."""
    try:
        jwk: dict[str, Any] = json.loads(_root_file(folder).read_bytes())
        root = public_key_of(jwk)
        text = _list_file(folder).read_text("ascii").strip()
    except FileNotFoundError as error:
        raise UntrustedList(f"{error.filename} is not there; run haiyiban trust sign") from None
    except (OSError, ValueError) as error:
        raise UntrustedList(f"the signed list in {folder} cannot be read: {error}") from None
    return Published(text, read_trust_list(text, root), jwk)


def root_jwk(folder: Path) -> dict[str, Any]:
    """The root's public half as terminals pin it. Raises UntrustedList."""
    try:
        jwk: dict[str, Any] = json.loads(_root_file(folder).read_bytes())
    except (OSError, ValueError) as error:
        raise UntrustedList(f"the root's public half in {folder} cannot be read: {error}") from None
    return jwk


def root_of(folder: Path) -> SigningKey:
    """The root in its own folder. Raises KeyMissing."""
    return FileKeys(folder).signing(ROOT_PURPOSE)[-1]


def signed_before(folder: Path, root: SigningKey) -> TrustList | None:
    """The list in a key folder, if there is one. Raises UntrustedList when this root did not sign it."""
    try:
        text = _list_file(folder).read_text("ascii").strip()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise UntrustedList(f"the signed list in {folder} cannot be read: {error}") from None
    return read_trust_list(text, root.public)


def sign(
    folder: Path,
    root: SigningKey,
    *,
    kinds: Iterable[int],
    now: datetime,
    life: timedelta = LIST_LIFE,
    earlier: TrustList | None,
) -> Published:
    """Sign the list that follows `earlier`, of the keys in a key folder, and put it there.

    Raises UntrustedList where the earlier list is of a later time, for no terminal would take this one;
    KeyMissing.
    """
    if earlier is not None and earlier.issued_at > now:
        raise UntrustedList(f"the list there is of {earlier.issued_at:%F %T} UTC, later than this clock")
    keys = FileKeys(folder)
    now = now.replace(microsecond=0)
    entries = next_entries(
        earlier.entries if earlier else (),
        codes=keys.signing("code"),
        lists=keys.signing("list"),
        kinds=kinds,
        now=now,
        until=now + life,
    )
    trust = TrustList(entries, issued_at=now, expires_at=now + life)
    text = sign_trust_list(trust, root)
    jwk = public_jwk(root.public) | {"kid": root.kid}
    _replace(_root_file(folder), json.dumps(jwk))
    _replace(_list_file(folder), text)
    return Published(text, trust, jwk)


def _list_file(folder: Path) -> Path:
    return folder / "trust-list.jwt"


def _root_file(folder: Path) -> Path:
    return folder / "trust-root.jwk"


def _replace(path: Path, text: str) -> None:
    """Replace the file in one step: a server reads the old list or the new one and never half."""
    partial = path.with_suffix(f".{os.getpid()}.partial")
    with partial.open("w", encoding="ascii") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
