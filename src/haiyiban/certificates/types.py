"""The types of certificate, as data: one file says what a certificate of a type states and how it is shown.

`schemas/certificates/<type>.v<version>.json` is the JSON Schema (2020-12) of the claims, in the order in
which they are shown. Its `x-certificate` says who issues it and how long it is valid. A claim may say
`x-least` (part of the least that a verifier sees), `x-mask` (how it is covered before consent) and `x-unit`.
Every type states the holder's `name` and `idNumber`. All files are checked when the first one is needed.

Source: docs/domain.md §4.1–4.2; architecture.md "Layout" (`schemas/`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import jsonschema_rs
import msgspec

from haiyiban import clock, divisions, resources
from haiyiban.bilingual import Text
from haiyiban.certificates import rules
from haiyiban.certificates.models import Certificate
from haiyiban.credit_codes import InvalidCreditCode, parse_credit_code
from haiyiban.errors import Words
from haiyiban.forms import FormSchema, Json, MalformedJson, parse_json, pointer
from haiyiban.forms.formats import formats

_HOLDER_CLAIMS = {"person": ("name", "idNumber"), "enterprise": ("name", "creditCode")}
_MASKS = ("name", "id", "phone", "address")


class BrokenCertificateType(Exception):
    """A file of `schemas/certificates` that may not be published, and why."""


class UnknownCertificateType(LookupError):
    """Nothing is published under this name."""


class Issuer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who issues (颁发机构): its name and unified social credit code."""

    name: Text
    code: str


class Validity(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """How long a certificate is valid from its issue: so many natural days, until the next month and day, or,
    where neither is said, without an end."""

    days: Annotated[int, msgspec.Meta(ge=1, le=36_500)] | None = None
    until_month_day: (
        Annotated[str, msgspec.Meta(pattern="^(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8]|30|31)$")] | None
    ) = None

    def end(self, issued_on: date) -> date | None:
        """The last valid day of a certificate issued on a day."""
        if self.days is not None:
            return rules.end_after_days(issued_on, self.days)
        if self.until_month_day is not None:
            return rules.end_at_month_day(issued_on, self.until_month_day)
        return None


class Description(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """`x-certificate` of a type's file."""

    type: Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9-]*$", max_length=60)]
    version: Annotated[int, msgspec.Meta(ge=1, le=9999)]
    code: Annotated[str, msgspec.Meta(pattern="^[0-9A-Z]{18}[0-9]{3}$")]
    """证照类型代码."""
    issuer: Issuer
    agency: Annotated[str, msgspec.Meta(min_length=1)]
    division: str
    """Whose clerks look after it where the issuing names nobody else."""
    validity: Validity
    holder: Literal["person", "enterprise"] = "person"
    """Whom it speaks of: by identity number, or by credit code."""
    statement: Text
    """What the certificate declares, above its claims."""


@dataclass(frozen=True, slots=True)
class Line:
    """One claim as people read it."""

    claim: str
    title: Words
    text: Words


class CertificateType:
    """A published type of certificate (证照类型). Never changed: a correction is the next version."""

    def __init__(self, document: dict[str, Any]) -> None:
        """Raises BrokenCertificateType."""
        self.document = document
        try:
            self.description = msgspec.convert(document.get("x-certificate"), Description)
            self.schema = FormSchema(self.id, document, checkers=formats(clock.today))
        except (msgspec.ValidationError, jsonschema_rs.ValidationError, ValueError) as error:
            raise BrokenCertificateType(str(error)) from None
        if wrong := list(_faults(document, self.description)):
            raise BrokenCertificateType("; ".join(wrong))

    @property
    def id(self) -> str:
        """Name and version, such as `admission-notice.v1`."""
        return f"{self.description.type}.v{self.description.version}"

    @property
    def name(self) -> Words:
        """What the certificate is called."""
        return Words(self.document["title"], self.document["x-title-en"])

    def least(self, claims: Mapping[str, Json]) -> dict[str, Json]:
        """The least that a verifier sees: the claims marked `x-least`, covered as their `x-mask` says."""
        least = {
            name: claims[name] for name, said in self._claims() if said.get("x-least") and name in claims
        }
        return self.masked(least)

    def masked(self, claims: Mapping[str, Json]) -> dict[str, Json]:
        """All given claims, covered as their `x-mask` says."""
        return self.schema.mask(dict(claims), [pointer(name) for name in claims])

    def lines(self, claims: Mapping[str, Json]) -> list[Line]:
        """The claims in their order, as people read them."""
        return [
            Line(name, Words(said["title"], said["x-title-en"]), _read(said, claims[name]))
            for name, said in self._claims()
            if name in claims
        ]

    def _claims(self) -> Iterator[tuple[str, dict[str, Any]]]:
        yield from self.document["properties"].items()


def current(type_: str) -> CertificateType:
    """The newest version of a type. Raises UnknownCertificateType."""
    versions = [version for name, version in _published(_folder()) if name == type_]
    return published(type_, max(versions, default=0))


def published(type_: str, version: int) -> CertificateType:
    """The version under which a certificate was issued. Raises UnknownCertificateType."""
    try:
        return _published(_folder())[type_, version]
    except KeyError:
        raise UnknownCertificateType(f"{type_}.v{version}") from None


def type_of(certificate: Certificate) -> CertificateType:
    """The type of a certificate, in the version under which it was issued."""
    return published(certificate.type, certificate.type_version)


def _folder() -> Path:
    return resources.own("certificates") or resources.schemas() / "certificates"


@lru_cache(maxsize=4)
def _published(folder: Path) -> dict[tuple[str, int], CertificateType]:
    """Every file of the folder; one broken file refuses all of them, for nobody would miss it otherwise."""
    found = {}
    for file in sorted(folder.glob("*.json")):
        try:
            document = parse_json(file.read_bytes())
        except MalformedJson as error:
            raise BrokenCertificateType(f"{file.name}: {error.detail}") from None
        if not isinstance(document, dict):
            raise BrokenCertificateType(f"{file.name}: not an object")
        try:
            type_ = CertificateType(document)
        except BrokenCertificateType as error:
            raise BrokenCertificateType(f"{file.name}: {error}") from None
        if file.name != f"{type_.id}.json":
            raise BrokenCertificateType(f"{file.name}: the file is named {type_.id}.json")
        found[type_.description.type, type_.description.version] = type_
    return found


def _faults(document: dict[str, Any], description: Description) -> Iterator[str]:
    """What JSON Schema does not know to be wrong with a type's file."""
    for where, code in (("code", description.code[:18]), ("issuer", description.issuer.code)):
        try:
            parse_credit_code(code)
        except InvalidCreditCode as error:
            yield f"x-certificate/{where}: {error.words.en}"
    if divisions.find(description.division) is None:
        yield "x-certificate/division: no such division"
    if description.validity.days and description.validity.until_month_day:
        yield "x-certificate/validity: says two ends"
    if description.validity.until_month_day in ("02-30", "02-31", "04-31", "06-31", "09-31", "11-31"):
        yield "x-certificate/validity: no such day"
    if not document.get("title") or not document.get("x-title-en"):
        yield "the type has no name in both languages"
    if document.get("additionalProperties") is not False:
        yield "claims that the file does not name must be refused (additionalProperties false)"
    claims = document.get("properties", {})
    for name in _HOLDER_CLAIMS[description.holder]:
        # What an enterprise is called and its code are public; a person's are not.
        is_covered = description.holder == "enterprise" or "x-mask" in claims.get(name, {})
        if name not in document.get("required", ()) or not is_covered:
            yield f"{name} is required, and of a person masked"
    for name, said in claims.items():
        if said.get("type") not in ("string", "integer", "boolean"):
            yield f"{name}: a claim is a text, a whole number or yes and no"
        if not said.get("title") or not said.get("x-title-en"):
            yield f"{name}: has no title in both languages"
        if said.get("x-mask", "name") not in _MASKS:
            yield f"{name}: unknown x-mask"


_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", re.ASCII)


def _read(said: Mapping[str, Any], value: Json) -> Words:
    """A claim's value in words."""
    for option in said.get("oneOf", ()):
        if option.get("const") == value:
            return Words(option["title"], option.get("x-title-en", option["title"]))
    if isinstance(value, bool):
        return Words("是", "Yes") if value else Words("否", "No")
    text = str(value)
    if said.get("format") == "date" and (day := _DATE.fullmatch(text)):
        return Words(f"{day[1]}年{int(day[2])}月{int(day[3])}日", text)
    if said.get("format") == "division" and (division := divisions.find(text)):
        return Words(division.name, division.name_en)
    return Words(f"{text}{said.get('x-unit', '')}", text)
