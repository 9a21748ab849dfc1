"""The holder scans the counter (主扫) over HTTP: the verifier's request, the holder's answer."""

from __future__ import annotations

from datetime import UTC, datetime

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.certificates import CertificateMissing
from haiyiban.certificates.types import type_of
from haiyiban.codes import consent, presentation_request, presenting, uses
from haiyiban.codes.certificate_kind import CertificateNotValid
from haiyiban.codes.consent_controller import consent_read, person_of
from haiyiban.codes.consent_wire import ConsentRead
from haiyiban.codes.entitlement import FieldsBeyondPurpose
from haiyiban.codes.presentation_request import PresentationInvalid
from haiyiban.codes.presentation_wire import (
    PresentableRead,
    PresentationAnswerCreate,
    PresentationPreviewRead,
    PresentationRequestCreate,
    PresentationRequestRead,
    PresentationRequestText,
)
from haiyiban.codes.signing import code_keys
from haiyiban.context import current
from haiyiban.errors import NotAllowed, NotSignedIn
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import ResidentRequest, StepUpNeeded, VerifierRequest, resident, verifier
from haiyiban.settings import Settings
from haiyiban.verifiers import UnknownPurpose
from haiyiban.wire import problems

_PAGE = "/m/present"


class PresentationController(Controller):
    """Requests that a counter shows and a holder scans."""

    path = "/presentation-requests"
    tags = ["codes"]

    @post(
        status_code=201,
        guards=[verifier()],
        summary="Ask whoever scans this",
        responses=problems(
            NotSignedIn,
            NotAllowed,
            UnknownPurpose,
            presenting.PurposeNotGranted,
            presenting.NotToBePresented,
            FieldsBeyondPurpose,
        ),
    )
    async def ask(
        self,
        request: VerifierRequest,
        session: NamedDependency[AsyncSession],
        data: JSONBody[PresentationRequestCreate],
    ) -> PresentationRequestRead:
        """A request to show on the counter, good for 5 minutes and one answer.

        Its outcome is read at GET /verifications/{id}: `consent_pending` until somebody answers.
        """
        now = clock.now()
        asked = await presenting.ask(session, data, request.user, language=current().language, now=now)
        text = presentation_request.sign_request(asked, keys=code_keys(now), now=now)
        return PresentationRequestRead(
            id=asked.id,
            url=f"{Settings.from_env().web_url}{_PAGE}#{text}",
            expires_at=datetime.fromtimestamp(asked.exp, UTC),
        )

    @post(
        "/preview",
        status_code=200,
        guards=[resident(Level.L3)],
        summary="Who asks me for what",
        responses=problems(
            NotSignedIn,
            StepUpNeeded,
            PresentationInvalid,
            presenting.PresentationOver,
            presenting.VerifierMayNotAsk,
            consent.AlreadyAnswered,
        ),
    )
    async def preview(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        data: JSONBody[PresentationRequestText],
    ) -> PresentationPreviewRead:
        """What was scanned, in words, and which of my certificates would answer it. Nothing is shown yet."""
        now, language = clock.now(), current().language
        asked = presentation_request.read_request(data.request, keys=code_keys(now), now=now)
        verification = await presenting.open_request(session, asked, now=now)
        found = await presenting.fitting(session, asked, person_of(request), now=now)
        return PresentationPreviewRead(
            id=asked.id,
            verifier=asked.verifier.in_language(language),
            purpose=asked.purpose_title.in_language(language),
            place=verification.place,
            asked_at=datetime.fromtimestamp(asked.iat, UTC),
            answer_by=datetime.fromtimestamp(asked.exp, UTC),
            certificates=[
                PresentableRead(
                    id=certificate.id,
                    type=certificate.type,
                    type_name=type_of(certificate).name.in_language(language),
                    holder=certificate.holder_masked,
                    fields=uses.titles(
                        type_of(certificate), presenting.asked_of(asked, certificate.type), language
                    ),
                )
                for certificate in found
            ],
        )

    @post(
        "/answers",
        status_code=200,
        guards=[resident(Level.L3)],
        summary="Show what is asked for, or refuse",
        responses=problems(
            NotSignedIn,
            StepUpNeeded,
            PresentationInvalid,
            presenting.PresentationOver,
            presenting.VerifierMayNotAsk,
            presenting.NotToBePresented,
            consent.AlreadyAnswered,
            consent.ConsentOver,
            consent.FieldsNotAsked,
            CertificateMissing,
            CertificateNotValid,
        ),
    )
    async def answer(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        data: JSONBody[PresentationAnswerCreate],
    ) -> ConsentRead:
        """One answer a request: the first counts, and the same answer again gets the same answer."""
        now = clock.now()
        asked = presentation_request.read_request(data.request, keys=code_keys(now), now=now)
        settled = await presenting.answer(session, asked, data, person_id=person_of(request), now=now)
        return consent_read(settled)
