"""What a code may be verified for, as data: who sees what, for which purpose.

`schemas/purposes/<purpose>.v<version>.json` says which kinds of code and which types of certificate a
purpose is about, the claims that a verifier sees at once (`least`), those it may ask the holder for
(`most`), whether the holder must be there (`presence`), and of which kinds of code the verifier may look at
the holder's portrait (`portrait`). All files are checked when the first is needed.

Source: docs/domain.md §13 (data minimisation); schemas/codes/README.md §3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated

import msgspec

from haiyiban import resources
from haiyiban.certificates import UnknownCertificateType
from haiyiban.certificates import types as certificate_types
from haiyiban.errors import FieldError, Problem, Words

KINDS = ("certificate", "identity", "health", "voucher", "pickup")


class BrokenPurpose(Exception):
    """A file of `schemas/purposes` that may not be published, and why."""


class UnknownPurpose(Problem):
    """No purpose of this name is published."""

    type = "verifiers/unknown-purpose"
    title = Words("没有这个核验用途", "There is no such purpose")

    def __init__(self) -> None:
        super().__init__(
            errors=[
                FieldError(
                    "/purpose",
                    Words(
                        "请从核验用途目录中选择（GET /verification-purposes）",
                        "choose one of GET /verification-purposes",
                    ),
                )
            ]
        )


class Title(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the holder reads that the verification is for."""

    zh: Annotated[str, msgspec.Meta(min_length=1)]
    en: Annotated[str, msgspec.Meta(min_length=1)]

    @property
    def words(self) -> Words:
        return Words(self.zh, self.en)


class Sight(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The claims of one type of certificate that a purpose shows."""

    least: tuple[str, ...]
    """Without consent."""
    most: tuple[str, ...]
    """With the holder's consent at most."""


class Purpose(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A purpose of verification (核验用途). Never changed: a correction is the next version."""

    purpose: Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9-]{0,39}$")]
    version: Annotated[int, msgspec.Meta(ge=1)]
    title: Title
    kinds: tuple[str, ...]
    certificates: dict[str, Sight]
    presence: bool
    portrait: tuple[str, ...] = ()
    """Kinds of code whose holder's portrait the verifier may see, to compare it with who stands there."""

    def shows(self, kind: str, certificate_type: str | None) -> bool:
        """Whether this purpose is about a kind of code and, of certificates, about this type."""
        return kind in self.kinds and (certificate_type is None or certificate_type in self.certificates)

    def least(self, certificate_type: str) -> tuple[str, ...]:
        """The claims shown without consent; none of a type that the purpose is not about."""
        sight = self.certificates.get(certificate_type)
        return sight.least if sight else ()

    def most(self, certificate_type: str) -> tuple[str, ...]:
        """The claims that the holder may be asked for; none of a type that the purpose is not about."""
        sight = self.certificates.get(certificate_type)
        return sight.most if sight else ()


@cache
def purposes() -> Mapping[str, Purpose]:
    """Every published purpose by its name, in its newest version. Raises BrokenPurpose."""
    return published(resources.own("purposes") or resources.schemas() / "purposes")


def purpose(name: str) -> Purpose:
    """A purpose by its name. Raises UnknownPurpose."""
    found = purposes().get(name)
    if found is None:
        raise UnknownPurpose
    return found


def published(folder: Path) -> dict[str, Purpose]:
    """The purposes of a folder; one broken file refuses all of them. Raises BrokenPurpose."""
    newest: dict[str, Purpose] = {}
    for file in sorted(folder.glob("*.json")):
        try:
            read = msgspec.json.decode(file.read_bytes(), type=Purpose)
        except msgspec.MsgspecError as error:
            raise BrokenPurpose(f"{file.name}: {error}") from None
        faults = [f"the file is named {read.purpose}.v{read.version}.json"] * (
            file.name != f"{read.purpose}.v{read.version}.json"
        )
        if faults := [*faults, *_faults(read)]:
            raise BrokenPurpose(f"{file.name}: {'; '.join(faults)}")
        if read.purpose not in newest or newest[read.purpose].version < read.version:
            newest[read.purpose] = read
    return newest


def _faults(read: Purpose) -> Iterator[str]:
    if unknown := set(read.kinds) - set(KINDS):
        yield f"unknown kinds: {', '.join(sorted(unknown))}"
    if beyond := set(read.portrait) - set(read.kinds):
        yield f"shows the portrait of kinds that it is not about: {', '.join(sorted(beyond))}"
    if read.certificates and "certificate" not in read.kinds:
        yield "names certificates without the kind"
    for type_, sight in read.certificates.items():
        try:
            claims = certificate_types.current(type_).document["properties"]
        except UnknownCertificateType:
            yield f"unknown type of certificate: {type_}"
            continue
        if unknown := {*sight.least, *sight.most} - set(claims):
            yield f"{type_} has no {', '.join(sorted(unknown))}"
        if beyond := set(sight.least) - set(sight.most):
            yield f"{type_}: {', '.join(sorted(beyond))} is in the least and not in the most"
        if named := [claim for claim in sight.least if "x-mask" in claims.get(claim, {})]:
            yield f"{type_}: {', '.join(named)} identifies the holder and needs consent"
