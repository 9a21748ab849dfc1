"""The holder's side over HTTP: showing a code, its state and its picture."""

from __future__ import annotations

import base64
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock, tallies
from haiyiban.certificates import CertificateMissing
from haiyiban.codes import capsules, device_keys, kinds, nonces, showing
from haiyiban.codes.certificate_kind import CertificateNotValid, SubjectMissing
from haiyiban.codes.drawing import qr_svg
from haiyiban.codes.identity_kind import OwnIdentityOnly
from haiyiban.codes.kinds import Wanted
from haiyiban.codes.signing import code_keys
from haiyiban.codes.state_read import state_read
from haiyiban.codes.wire import CapsuleRead, CodeCreate, CodeRead, CodeStateRead, NonceRead
from haiyiban.context import current
from haiyiban.errors import NotSignedIn
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import ResidentRequest, StepUpNeeded, resident
from haiyiban.lean import Encoded
from haiyiban.wire import problems

SHOWN = "codes.shown"
"""Showing writes no row, so each process counts it by itself; what phones draw without us nobody counts."""


class CodeController(Controller):
    """My codes."""

    path = "/codes"
    tags = ["codes"]
    guards = [resident(Level.L3)]

    @post(
        status_code=201,
        summary="Show a code",
        responses=problems(
            NotSignedIn,
            StepUpNeeded,
            CertificateMissing,
            CertificateNotValid,
            SubjectMissing,
            OwnIdentityOnly,
            kinds.KindNotOffered,
            kinds.SubjectUnknown,
            kinds.NotToShowNow,
            device_keys.DeviceKeyIncomplete,
            device_keys.DeviceKeyMalformed,
            device_keys.DeviceProofMalformed,
            nonces.DeviceProofWrong,
            nonces.NonceExpired,
            nonces.NonceUsed,
            nonces.DeviceCodesUnavailable,
            capsules.DeviceKeyUsed,
        ),
    )
    async def show(
        self, request: ResidentRequest, data: JSONBody[CodeCreate]
    ) -> Response[CodeRead | CapsuleRead]:
        """A code of a certificate of mine or of a child's that I keep, or of myself, or the health code of a
        child of mine: good for 60 seconds and one use.

        With `deviceKey` a capsule, good for hours on the phone that holds the key, which shows codes of it
        by itself. Signing that phone out withdraws it. A kind may ask for a face check of the last minutes:
        403 `step-up-needed` with `faceWithinSeconds`.
        """
        kind = kinds.named(data.kind)
        if kind.face_within is not None:
            await resident(Level.L3, fresh=kind.face_within)(request, request.route_handler)
        binding = device_keys.read(data.device_key, data.device_proof)
        now = clock.now()
        keys = code_keys(now)
        found = await kinds.find(kind, Wanted(_person(request), data.subject_id, now))
        answer: CodeRead | CapsuleRead
        if binding is None:
            shown = showing.show(kind, found, keys=keys, now=now)
            tallies.saw(SHOWN)
            answer = CodeRead(id=shown.id, text=shown.text, expires_at=shown.expires_at)
        else:
            # Asked for only here: a code that no phone is bound to needs no transaction.
            session: AsyncSession = request.scope["state"]["unit"].session
            issued = await capsules.issue(
                session, kind, found, binding=binding, caller=request.user, keys=keys, now=now
            )
            answer = CapsuleRead(
                id=issued.id, capsule=_base64url(issued.capsule), expires_at=issued.expires_at
            )
        return Encoded(answer, status=201)

    @post(
        "/nonces",
        status_code=201,
        summary="Ask for a nonce to bind a phone with",
        responses=problems(NotSignedIn, StepUpNeeded, nonces.DeviceCodesUnavailable),
    )
    async def nonce(self, request: ResidentRequest) -> NonceRead:
        """For `deviceProof` of POST /codes. Of more than 32 outstanding the oldest are forgotten."""
        nonce = await nonces.current().issue(request.user.account_id, now=clock.now())
        return NonceRead(nonce=_base64url(nonce), expires_in_seconds=int(nonces.LIFE.total_seconds()))

    @get("/{code_id:uuid}", summary="What became of a code", responses=problems(showing.CodeMissing))
    async def state(self, request: ResidentRequest, code_id: FromPath[UUID]) -> CodeStateRead:
        """`shown`, `used` or `expired`; of a capsule `active`, `withdrawn` or `expired`. Once used, when and
        by whom last. `consent_asked` while a verifier waits for my answer, `consent_refused` after a no."""
        now = clock.now()
        keys = code_keys(now)
        found = await showing.state_of(code_id, _person(request), keys=keys, now=now)
        return state_read(found, cti=keys.cti, language=current().language, now=now)

    @get(
        "/{code_id:uuid}/image.svg",
        summary="A code as a picture",
        media_type="image/svg+xml",
        responses=problems(showing.CodeMissing, showing.DrawnOnThePhone, CertificateNotValid),
    )
    async def image(self, request: ResidentRequest, code_id: FromPath[UUID]) -> Response[str]:
        """The QR of a code that is still alive. Drawing on the phone is faster; this is for the rest."""
        now = clock.now()
        text = await showing.text_of(code_id, _person(request), keys=code_keys(now), now=now)
        return Response(qr_svg(text), media_type="image/svg+xml")


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _person(request: ResidentRequest) -> UUID:
    person_id = request.user.person_id
    assert person_id is not None, "the guard lets nobody in below L3"
    return person_id
