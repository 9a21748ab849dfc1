"""What was done with codes: who accepted them, whose consent is asked, what was answered.

Read below the ORM and for many codes at once, for one reader serves every open stream of a process.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from haiyiban.certificates import types
from haiyiban.codes.consent_wire import AskedCertificate, ConsentAskedRead, FieldTitle
from haiyiban.codes.cti import CtiCipher
from haiyiban.codes.outcomes import Outcome
from haiyiban.db import database
from haiyiban.errors import Words
from haiyiban.verifiers.purposes import purposes

CTI_BYTES = 16
_MOST = 8
"""Uses of one code that are looked at, the newest: a phone shows one capsule all day."""


class Use(NamedTuple):
    """A verification that accepted a code, or reserved it to ask its holder."""

    id: UUID
    single_use: bytes
    outcome: str
    at: datetime
    purpose: str
    place: str | None
    fields: Sequence[str]
    answer_by: datetime | None
    verifier_zh: str
    verifier_en: str
    certificate_id: UUID | None
    type: str | None
    type_version: int | None
    decision: str | None
    allowed: Sequence[str] | None
    settled: str | None
    settled_at: datetime | None

    @property
    def verifier(self) -> Words:
        """Its accredited name."""
        return Words(self.verifier_zh, self.verifier_en)

    @property
    def purpose_words(self) -> Words:
        """What it is for; a withdrawn purpose by its own name."""
        found = purposes().get(self.purpose)
        return found.title.words if found is not None else Words(self.purpose, self.purpose)

    def is_open(self, now: datetime) -> bool:
        """Whether the holder is asked and may still answer."""
        return self.decision is None and self.answer_by is not None and now <= self.answer_by

    def came_to(self, now: datetime) -> str:
        """The outcome as it is known now."""
        if self.answer_by is None or self.is_open(now):
            return self.outcome
        return self.settled or str(Outcome.CONSENT_REFUSED)


async def of_codes(ctis: Sequence[bytes]) -> list[list[Use]]:
    """The uses of each of these codes, the newest first."""
    found: list[list[Use]] = [[] for _ in ctis]
    for row in await database().fetch(_OF_CODES, list(ctis)):
        found[row.ord - 1].append(_use(row))
    return found


async def open_of(person_id: UUID, *, now: datetime) -> list[Use]:
    """What a person is asked at this moment, the newest first."""
    return [_use(row) for row in await database().fetch(_OPEN_OF, person_id, now)]


def asking(use: Use, *, cti: CtiCipher, language: str) -> ConsentAskedRead:
    """A request for consent in words."""
    assert use.answer_by is not None
    assert use.certificate_id is not None
    assert use.type is not None
    assert use.type_version is not None
    type_ = types.published(use.type, use.type_version)
    code = cti.open(use.single_use[:CTI_BYTES])
    return ConsentAskedRead(
        id=use.id,
        code_id=code.id if code is not None else None,
        verifier=use.verifier.in_language(language),
        purpose=use.purpose_words.in_language(language),
        place=use.place,
        certificate=AskedCertificate(
            id=use.certificate_id, type=use.type, type_name=type_.name.in_language(language)
        ),
        fields=titles(type_, use.fields, language),
        asked_at=use.at,
        answer_by=use.answer_by,
    )


def titles(type_: types.CertificateType, fields: Sequence[str], language: str) -> list[FieldTitle]:
    """Claims as people read them, in the order in which they were asked for."""
    claims = type_.document["properties"]
    words = {name: Words(said["title"], said["x-title-en"]) for name, said in claims.items()}
    return [
        FieldTitle(name=name, title=words.get(name, Words(name, name)).in_language(language))
        for name in fields
    ]


def _use(row: Any) -> Use:
    return Use._make(getattr(row, name) for name in Use._fields)


_COLUMNS = """v.id, v.single_use, v.outcome, v.at, v.purpose, v.place, v.fields, v.answer_by,
  verifier.name_zh AS verifier_zh, verifier.name_en AS verifier_en,
  c.id AS certificate_id, c.type, c.type_version,
  consent.decision, consent.fields AS allowed, consent.outcome AS settled, consent.at AS settled_at"""
_BESIDE = """
JOIN verifiers_verifier verifier ON verifier.id = v.verifier_id
LEFT JOIN codes_consent consent ON consent.verification_id = v.id"""
# A use of a code has its cti, one of a device-bound code has its cti and then eight bytes of time.
_OF_CODES = f"""
SELECT watched.ord, {_COLUMNS}
FROM unnest($1::bytea[]) WITH ORDINALITY AS watched (cti, ord)
CROSS JOIN LATERAL (
  SELECT * FROM codes_verification
  WHERE single_use BETWEEN watched.cti AND watched.cti || '\\xffffffffffffffff'::bytea
    AND outcome IN ('valid', 'consent_pending')
  ORDER BY single_use DESC LIMIT {_MOST}
) v {_BESIDE}
LEFT JOIN certificates_certificate c ON c.id = v.certificate_id
ORDER BY watched.ord, v.single_use DESC
"""  # noqa: S608 - nothing in it came from outside
_OPEN_OF = f"""
SELECT {_COLUMNS}
FROM certificates_certificate c
JOIN codes_verification v ON v.certificate_id = c.id {_BESIDE}
WHERE c.keeper_id = $1 AND v.outcome = 'consent_pending' AND v.answer_by >= $2
  AND consent.verification_id IS NULL
ORDER BY v.id DESC
"""  # noqa: S608 - nothing in it came from outside
