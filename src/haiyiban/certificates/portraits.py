"""The holder's portrait on a certificate in the wallet, for the person who keeps it.

A certificate states no face; the register that it rests on keeps one: a resident's the population register, a
visitor's exit-entry. It is fetched while its keeper looks and stored nowhere. A guardian's look at a child's
face is a look at another person's data, and is recorded.

Source: docs/domain.md §4.1, §13; 个人信息保护法 art. 6, 19, 31, 45 (a copy of one's own data).
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, registers
from haiyiban.certificates import access
from haiyiban.certificates.models import Certificate
from haiyiban.certificates.types import type_of
from haiyiban.clock import local_date
from haiyiban.db import database
from haiyiban.errors import NotFound, Unavailable, Words
from haiyiban.identity import persons
from haiyiban.registers import Portrait, RegisterUnavailable
from haiyiban.registers.breaker import REST_SECONDS
from haiyiban.residents import ADULT_YEARS, age_on


class CertificatePortraitMissing(NotFound):
    """No portrait goes with this certificate: it is an enterprise's, its holder is a grown-up other than the
    caller, or the register has none."""

    type = "certificates/portrait-missing"
    title = Words(
        "这份证照没有可显示的照片；证照照常有效，亮证时核验方会从登记库核对",
        "No portrait goes with this certificate; it is as valid without, and whoever verifies it asks the "
        "register",
    )


class CertificatePortraitUnavailable(Unavailable):
    """The register does not answer. The certificate stands."""

    type = "certificates/portrait-unavailable"
    title = Words(
        "照片暂时取不到，证照不受影响，请稍后再看",
        "The portrait cannot be fetched now; the certificate is unaffected, please look again later",
    )


class _Holder(NamedTuple):
    person_id: UUID
    id_number: str
    id_type: str
    certificate_type: str
    is_caller: bool


async def fetch(session: AsyncSession, certificate_id: UUID, person_id: UUID, *, now: datetime) -> Portrait:
    """The portrait of the holder of a certificate that this person may read.

    `session` is untouched until the register has answered. Raises CertificateMissing,
    CertificatePortraitMissing, CertificatePortraitUnavailable.
    """
    async with database().reading() as reading:
        holder = await _holder(reading, certificate_id, person_id, now=now)
    try:
        found = await registers.portrait_of(holder.id_number, holder.id_type)
    except RegisterUnavailable:
        raise CertificatePortraitUnavailable(retry_after_seconds=int(REST_SECONDS)) from None
    if found is None:
        raise CertificatePortraitMissing
    if not holder.is_caller:
        await audit.record(
            session,
            "certificates.read-portrait",
            subject=holder.person_id,
            object_kind="certificate",
            object_id=certificate_id,
            fields=["portrait"],
            reason=holder.certificate_type,
        )
    return found


def speaks_of_a_person(certificate: Certificate) -> bool:
    """Whether there is a face to ask for at all: an enterprise has none."""
    return type_of(certificate).description.holder == "person"


async def _holder(session: AsyncSession, certificate_id: UUID, person_id: UUID, *, now: datetime) -> _Holder:
    certificate = await access.own(session, certificate_id, person_id)
    if not speaks_of_a_person(certificate):
        raise CertificatePortraitMissing
    person = await persons.get(session, certificate.holder_id)
    today = local_date(now)
    is_caller = person.id == person_id
    if not is_caller:
        # A grown-up's face is theirs alone, whoever keeps the certificate. Source: 民法典 art. 17, 18.
        birth = persons.birth_of(person, today=today)
        if birth is None or age_on(birth, today) >= ADULT_YEARS:
            raise CertificatePortraitMissing
    return _Holder(person.id, person.id_number, person.id_type, certificate.type, is_caller)
