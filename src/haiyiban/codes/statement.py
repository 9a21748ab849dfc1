"""Steps 7, 10 and 12 of a verification for a whole batch, in one committed statement: is the capsule
withdrawn, does the certificate behind each code still hold, was it used before, and the records of it.

It is below the ORM, and for many requests at once, because this is the path of every gate and counter:
measured in benchmarks/verify.py, coalesced it costs a request no more than not asking the database at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Struct

from haiyiban.clock import local_date
from haiyiban.codes.outcomes import Outcome
from haiyiban.codes.withdrawn import WITHDRAWN
from haiyiban.db import Row, database


class Asked(Struct):
    """One verification as the steps before found it, with the names that the statement reads it by."""

    id: UUID
    verifier_id: UUID
    idempotency_key: str | None
    request_hash: bytes
    purpose: str
    place: str | None
    kind: int | None
    single_use: bytes | None
    ref: int | None
    """Row number of the certificate that the code's cti names."""
    found: str | None
    """The outcome, where a step before came to one; None to let the source decide."""
    fields: str
    """Names of the claims to show or to ask for, joined by commas."""
    granted: str
    """The outcome where all holds: `valid`, or `consent_pending` where the holder is asked."""
    answer_by: datetime | None
    """Until when the holder may answer, where asked."""
    language: str
    at: datetime
    actor_unit: str
    request_id: str
    address: str | None
    because: str | None = None
    """Why, where the outcome found can have more than one reason."""
    capsule: bytes | None = None
    """The cti of a device-bound code that passed steps 1 to 6: whether it is withdrawn comes next."""
    of_person: UUID | None = None
    """Whom it speaks of, where no certificate says so."""
    shown_sealed: bytes | None = None
    """What the verifier reads of it, where no certificate says so."""


class Recorded(NamedTuple):
    """A verification as its row and the certificate behind it tell it; a version never changes."""

    id: UUID
    request_hash: bytes
    outcome: Outcome
    at: datetime
    language: str
    kind: int | None
    fields: Sequence[str]
    status: str | None
    certificate_id: UUID | None
    type: str | None
    type_version: int | None
    holder_masked: str | None
    valid_until: date | None
    claims_sealed: bytes | None
    because: str | None
    shown_sealed: bytes | None
    purpose: str
    is_printed: bool


# The status today is that of certificates.rules.status_on, said in SQL; a test holds the two together.
# The same id, or the same key of a verifier, finds its row there and inserts nothing: it is answered from
# that row, so the statement may run twice. Another code's row in the way, and only that, is `already_used`.
# A capsule that has no row was never handed out: nobody can say that it still holds.
# Rows go in by their code, so that two processes with the same codes wait for each other and never in a ring.
_ONCE = """
WITH asked AS MATERIALIZED (
  SELECT id, verifier_id, idempotency_key, decode(request_hash, 'base64') AS request_hash, purpose, place,
    kind, decode(single_use, 'base64') AS single_use, ref, found, string_to_array(fields, ',') AS fields,
    because, decode(capsule, 'base64') AS capsule, of_person, decode(shown_sealed, 'base64') AS shown_sealed,
    granted, answer_by, language, at, actor_unit, request_id, address, ord
  FROM ROWS FROM (json_to_recordset($1::text::json) AS (
    id uuid, verifier_id uuid, idempotency_key text, request_hash text, purpose text, place text,
    kind smallint, single_use text, ref bigint, found text, fields text,
    because text, capsule text, of_person uuid, shown_sealed text, granted text, answer_by timestamptz,
    language text, at timestamptz, actor_unit text, request_id text, address text
  )) WITH ORDINALITY AS given (
    id, verifier_id, idempotency_key, request_hash, purpose, place, kind, single_use, ref, found, fields,
    because, capsule, of_person, shown_sealed,
    granted, answer_by, language, at, actor_unit, request_id, address, ord
  )
), stood AS MATERIALIZED (
  SELECT asked.*, c.id AS certificate_id, coalesce(c.holder_id, of_person) AS holder_id,
    c.type, c.type_version, c.holder_masked,
    c.valid_until, c.claims_sealed,
    CASE WHEN c.status = 'valid' AND c.valid_until < $2::date THEN 'expired' ELSE c.status END AS status,
    asked.capsule IS NOT NULL AND (capsule.id IS NULL OR WITHDRAWN) AS denied
  FROM asked
  LEFT JOIN certificates_certificate c ON c.ref = asked.ref
  LEFT JOIN codes_capsule AS capsule ON capsule.cti = asked.capsule
), judged AS MATERIALIZED (
  SELECT stood.*, coalesce(
    CASE WHEN denied THEN 'denied' ELSE found END,
    CASE
      WHEN status = 'valid' THEN granted
      WHEN status IN ('suspended', 'revoked', 'expired') THEN status
      WHEN status = 'superseded' THEN 'revoked'
      ELSE 'unavailable'
    END
  ) AS outcome
  FROM stood
), first AS (
  INSERT INTO codes_verification (
    id, verifier_id, idempotency_key, request_hash, purpose, place, kind, single_use, certificate_id,
    because, shown_sealed, status, fields, outcome, language, at, answer_by
  )
  SELECT id, verifier_id, idempotency_key, request_hash, purpose, place, kind, single_use, certificate_id,
    CASE WHEN outcome = found THEN because END, CASE WHEN outcome = 'valid' THEN shown_sealed END,
    status, CASE WHEN outcome = granted THEN fields ELSE '{}' END, outcome, language, at,
    CASE WHEN outcome = granted THEN answer_by END
  FROM judged ORDER BY single_use
  ON CONFLICT DO NOTHING
  RETURNING id, outcome
), again AS (
  INSERT INTO codes_verification (
    id, verifier_id, idempotency_key, request_hash, purpose, place, kind, single_use, certificate_id,
    status, fields, outcome, language, at
  )
  SELECT id, verifier_id, idempotency_key, request_hash, purpose, place, kind, single_use, certificate_id,
    status, '{}', 'already_used', language, at
  FROM judged
  WHERE outcome = granted AND NOT EXISTS (SELECT FROM first WHERE first.id = judged.id)
  ON CONFLICT DO NOTHING
  RETURNING id, outcome
), recorded AS (
  SELECT id, outcome FROM first UNION ALL SELECT id, outcome FROM again
), audited AS (
  INSERT INTO audit_record (
    id, at, action, outcome, actor_kind, actor_id, actor_unit, subject, object_kind, object_id, fields,
    reason, request_id, address
  )
  SELECT id, at, 'codes.verify', recorded.outcome, 'verifier', verifier_id, actor_unit, pseudonym,
    'verification', id,
    CASE WHEN recorded.outcome = granted THEN fields ELSE '{}' END,
    purpose, request_id, address
  FROM recorded JOIN judged USING (id) LEFT JOIN audit_subject ON person_id = holder_id
)
SELECT recorded.outcome, status, certificate_id, type, type_version, holder_masked, valid_until, claims_sealed
FROM judged LEFT JOIN recorded USING (id) ORDER BY ord
""".replace("WITHDRAWN", WITHDRAWN)

_EARLIER = """
SELECT v.id, v.request_hash, v.outcome, v.at, v.language, v.kind, v.fields, v.status, v.certificate_id,
  c.type, c.type_version, c.holder_masked, c.valid_until, c.claims_sealed, v.because, v.shown_sealed,
  v.purpose, coalesce(v.single_use = uuid_send(v.id), false), v.verifier_id, v.idempotency_key
FROM codes_verification v LEFT JOIN certificates_certificate c ON c.id = v.certificate_id
WHERE v.id = ANY($1::uuid[])
  OR (v.verifier_id, v.idempotency_key) IN (SELECT * FROM unnest($2::uuid[], $3::text[]))
"""


_encoder = msgspec.json.Encoder()


async def record(batch: Sequence[Asked]) -> list[Recorded]:
    """Decide and record a batch. What was recorded before, under the same id or key, comes back as it was."""
    # As one JSON text: arrays, one for each of sixteen columns, take the driver ten times as long to write.
    given = _encoder.encode(batch).decode()
    today = max(local_date(asked.at) for asked in batch)
    rows = await database().fetch(_ONCE, given, today)
    answers = {
        asked.id: _fresh(asked, row)
        for asked, row in zip(batch, rows, strict=True)
        if row["outcome"] is not None
    }
    repeated = [asked for asked in batch if asked.id not in answers]
    earlier: list[Row] = []
    if repeated:
        # A statement of its own: the first one's snapshot may be older than the row it ran into.
        earlier = await database().fetch(
            _EARLIER,
            [asked.id for asked in repeated],
            [asked.verifier_id for asked in repeated],
            [asked.idempotency_key for asked in repeated],
        )
    by_id = {row.id: row for row in earlier}
    by_key = {(row.verifier_id, row.idempotency_key): row for row in earlier}
    return [
        answers.get(asked.id)
        or _read(by_id.get(asked.id) or by_key[asked.verifier_id, asked.idempotency_key])
        for asked in batch
    ]


async def find(verification_id: UUID, verifier_id: UUID) -> Recorded | None:
    """A verification that this verifier made."""
    rows = await database().fetch(_EARLIER, [verification_id], [], [])
    return next((_read(row) for row in rows if row.verifier_id == verifier_id), None)


def _fresh(asked: Asked, row: Any) -> Recorded:
    outcome, status, certificate_id, type_, type_version, holder_masked, valid_until, claims_sealed = row
    return Recorded(
        asked.id,
        asked.request_hash,
        Outcome(outcome),
        asked.at,
        asked.language,
        asked.kind,
        asked.fields.split(",") if outcome == asked.granted and asked.fields else (),
        status,
        certificate_id,
        type_,
        type_version,
        holder_masked,
        valid_until,
        claims_sealed,
        asked.because if outcome == asked.found else None,
        asked.shown_sealed if outcome == Outcome.VALID else None,
        asked.purpose,
        asked.single_use == asked.id.bytes,
    )


def _read(row: Any) -> Recorded:
    columns = tuple(row)[: len(Recorded._fields)]
    recorded = Recorded._make(columns)
    return recorded._replace(outcome=Outcome(recorded.outcome))
