"""The code printed on a certificate's document (打印码): static, verifiable by many and for years.

It says no more than type, masked name and validity, works any number of times, and carries its place in a
status list, where an offline terminal reads whether the certificate was revoked or suspended since. A version
of a certificate has one such code: printed again it is the same text, until its signing key is revoked.

Source: schemas/codes/README.md §4; Token Status List (draft-ietf-oauth-status-list) §4, §13.1 (random index).
"""

from __future__ import annotations

import secrets
from datetime import date, datetime, time
from uuid import UUID

from sqlalchemy import BigInteger, Computed, ForeignKey, Identity, UniqueConstraint, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from haiyiban.certificates import Certificate
from haiyiban.clock import SHANGHAI
from haiyiban.codes.claims import CertificateBody, Claims, Kind, StatusEntry
from haiyiban.codes.cti import new_code_id
from haiyiban.codes.envelope import sign_form_a
from haiyiban.codes.rotation import PRINTED_LIFE_MOST
from haiyiban.codes.signing import CodeKeys
from haiyiban.db import Base

LIST_SIZE = 1 << 20
"""Places in a list: many, so that fetching a list does not tell whose certificate is asked for."""
LIST_FILL = LIST_SIZE // 16 * 15
"""Certificates that a list takes: a place is drawn until a free one comes, 16 times when it is fullest."""


class Printed(Base):
    """The printed code of a certificate's version and its place (list, index) in the status lists."""

    __tablename__ = "codes_printed"
    __table_args__ = (UniqueConstraint("list_id", "index"),)

    certificate_id: Mapped[UUID] = mapped_column(ForeignKey("certificates_certificate.id"), primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    """In the order of first printing; it decides the list and is told to nobody."""
    list_id: Mapped[int] = mapped_column(BigInteger, Computed(f"number / {LIST_FILL}", persisted=True))
    index: Mapped[int]
    code_id: Mapped[UUID]
    """From which its cti and the second of its making come."""
    kid: Mapped[str]
    """The key that signed it."""
    expires_at: Mapped[datetime]


async def printed_text(
    session: AsyncSession, certificate: Certificate, *, keys: CodeKeys, now: datetime
) -> str:
    """The text of the code to print on a certificate's document; the same again until its key is revoked.

    It may be printed for a certificate in any status: who verifies it is told how the certificate stands.
    """
    printed = await session.get(Printed, certificate.id) or await _first_print(
        session, certificate, keys=keys, now=now
    )
    end = end_of(certificate.valid_until, now)
    key = next((key for key in keys.signing if key.kid == printed.kid and key.revoked_at is None), None)
    if key is None or printed.expires_at <= now < end:
        key = keys.signer(now)
        printed.code_id = new_code_id(Kind.CERTIFICATE, certificate.ref, now=now)
        printed.kid = key.kid
        printed.expires_at = end
        await session.flush()
    made = keys.cti.open(keys.cti.seal(printed.code_id))
    assert made is not None, "code ids of ours open"
    claims = Claims(
        iss=keys.issuer,
        iat=int(made.made_at.timestamp()),
        exp=int(printed.expires_at.timestamp()),
        cti=keys.cti.seal(printed.code_id),
        kind=Kind.CERTIFICATE,
        body=CertificateBody(
            certificate.type,
            certificate.holder_masked,
            certificate.valid_until,
            StatusEntry(keys.status_list_uri(printed.list_id), printed.index),
        ),
    )
    return sign_form_a(claims, key)


def end_of(valid_until: date | None, now: datetime) -> datetime:
    """When a print made now ends: with the certificate's last day, and after 20 years at the latest."""
    most = now.replace(microsecond=0) + PRINTED_LIFE_MOST
    if valid_until is None:
        return most
    return min(most, datetime.combine(valid_until, time(23, 59, 59), SHANGHAI))


async def _first_print(
    session: AsyncSession, certificate: Certificate, *, keys: CodeKeys, now: datetime
) -> Printed:
    while True:
        await session.execute(
            insert(Printed)
            .values(
                certificate_id=certificate.id,
                index=secrets.randbelow(LIST_SIZE),
                code_id=new_code_id(Kind.CERTIFICATE, certificate.ref, now=now),
                kid=keys.signer(now).kid,
                expires_at=end_of(certificate.valid_until, now),
            )
            .on_conflict_do_nothing()
        )
        # Nothing there: the place was taken. Ours or another request's print of the same: one for both.
        printed = await session.scalar(select(Printed).where(Printed.certificate_id == certificate.id))
        if printed is not None:
            return printed
