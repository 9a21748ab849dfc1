"""The holder's side of consent over HTTP: what I am asked, and my answer."""

from __future__ import annotations

from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, clock
from haiyiban.codes import consent, uses, wakeups
from haiyiban.codes.consent import Answer
from haiyiban.codes.consent_wire import ConsentCreate, ConsentList, ConsentRead
from haiyiban.codes.models import Consent
from haiyiban.codes.signing import code_keys
from haiyiban.context import current
from haiyiban.errors import NotSignedIn
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import ResidentRequest, StepUpNeeded, resident
from haiyiban.wire import problems


class MyConsentsController(Controller):
    """What I am asked."""

    path = "/me/consents"
    tags = ["codes"]
    guards = [resident(Level.L3)]

    @get(summary="What I am asked to allow", responses=problems(NotSignedIn, StepUpNeeded))
    async def open(self, request: ResidentRequest) -> ConsentList:
        """Requests that wait for my answer at this moment, the newest first: for a second phone, and for one
        that was reloaded."""
        now = clock.now()
        cti, language = code_keys(now).cti, current().language
        found = await uses.open_of(person_of(request), now=now)
        return ConsentList(items=[uses.asking(use, cti=cti, language=language) for use in found])


class ConsentController(Controller):
    """My answer."""

    path = "/verifications/{verification_id:uuid}/consent"
    tags = ["codes"]
    guards = [resident(Level.L3)]

    @post(
        status_code=200,
        summary="Allow or refuse what a verifier asks for",
        responses=problems(
            NotSignedIn,
            StepUpNeeded,
            consent.ConsentMissing,
            consent.ConsentOver,
            consent.AlreadyAnswered,
            consent.FieldsNotAsked,
        ),
    )
    async def answer(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        verification_id: FromPath[UUID],
        data: JSONBody[ConsentCreate],
    ) -> ConsentRead:
        """Within 60 seconds of being asked, once; the same answer again gets the same answer.

        With `fields` only those are shown; a certificate revoked or suspended meanwhile is not.
        """
        person_id = person_of(request)
        verification, certificate = await consent.asked_of(session, verification_id, person_id)
        given = Answer(data.decision, data.fields)
        allowed = given.allowed(verification.fields)
        settled, is_new = await consent.answer(
            session,
            verification,
            certificate,
            given,
            person_id=person_id,
            allowed=allowed,
            now=clock.now(),
        )
        if is_new:
            await audit.record(
                session,
                "codes.consent",
                subject=certificate.holder_id,
                object_kind="verification",
                object_id=verification.id,
                fields=settled.fields,
                reason=verification.purpose,
                outcome=settled.decision,
            )
            assert verification.single_use is not None
            wakeups.send_after_commit(session, verification.single_use[: uses.CTI_BYTES])
        return consent_read(settled)


def consent_read(settled: Consent) -> ConsentRead:
    """A settlement as its holder reads it."""
    return ConsentRead(
        id=settled.verification_id,
        decision=settled.decision,
        fields=settled.fields,
        outcome=settled.outcome,
        answered_at=settled.at,
    )


def person_of(request: ResidentRequest) -> UUID:
    """The person who asks; the guard lets nobody in below L3."""
    person_id = request.user.person_id
    assert person_id is not None, "the guard lets nobody in below L3"
    return person_id
