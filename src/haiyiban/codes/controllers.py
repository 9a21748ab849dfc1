"""The holder's side over HTTP: showing a code, its state and its picture."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.params import FromPath, JSONBody

from haiyiban import clock
from haiyiban.certificates import CertificateMissing
from haiyiban.codes import showing
from haiyiban.codes.drawing import qr_svg
from haiyiban.codes.entitlement import kind_name
from haiyiban.codes.signing import code_keys, published_list
from haiyiban.codes.wire import CodeCreate, CodeRead, CodeStateRead
from haiyiban.context import current
from haiyiban.errors import NotSignedIn
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import ResidentRequest, StepUpNeeded, resident
from haiyiban.wire import problems


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
            showing.CertificateNotValid,
            showing.KindNotOffered,
            showing.DeviceCodesNotOffered,
            showing.SubjectMissing,
        ),
    )
    async def show(self, request: ResidentRequest, data: JSONBody[CodeCreate]) -> CodeRead:
        """A code of a certificate of mine or of a child's that I keep: good for 60 seconds and one use."""
        if data.device_key is not None or data.device_proof is not None:
            raise showing.DeviceCodesNotOffered
        if data.kind != "certificate":
            raise showing.KindNotOffered
        if data.subject_id is None:
            raise showing.SubjectMissing
        now = clock.now()
        shown = await showing.show_certificate(
            data.subject_id, _person(request), keys=code_keys(now), now=now
        )
        return CodeRead(id=shown.id, text=shown.text, expires_at=shown.expires_at)

    @get("/{code_id:uuid}", summary="What became of a code", responses=problems(showing.CodeMissing))
    async def state(self, request: ResidentRequest, code_id: FromPath[UUID]) -> CodeStateRead:
        """`shown`, `used` or `expired`; once used, when and by whom."""
        now = clock.now()
        found = await showing.state_of(code_id, _person(request), keys=code_keys(now), now=now)
        english = current().language.startswith("en")
        return CodeStateRead(
            id=code_id,
            kind=kind_name(found.ref.kind) or "",
            state=found.state(now),
            expires_at=found.expires_at,
            used_at=found.used_at,
            used_by=found.used_by_en if english else found.used_by_zh,
        )

    @get(
        "/{code_id:uuid}/image.svg",
        summary="A code as a picture",
        media_type="image/svg+xml",
        responses=problems(showing.CodeMissing, showing.CertificateNotValid),
    )
    async def image(self, request: ResidentRequest, code_id: FromPath[UUID]) -> Response[str]:
        """The QR of a code that is still alive. Drawing on the phone is faster; this is for the rest."""
        now = clock.now()
        text = await showing.text_of(code_id, _person(request), keys=code_keys(now), now=now)
        return Response(qr_svg(text), media_type="image/svg+xml")


class TrustListController(Controller):
    """Whose signature counts, for terminals."""

    path = "/trust-list"
    tags = ["codes"]

    @get(summary="The trust list", media_type="application/jwt")
    async def trust_list(self, request: Request[Any, Any, Any]) -> Response[str]:
        """A JWS signed by the root key that is pinned in terminals: the keys, the kinds each may sign, and
        when."""
        signed, trust = published_list(clock.now())
        content = msgspec.json.encode([trust.entries, trust.issued_at])
        etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        headers = {"ETag": etag, "Cache-Control": "public, max-age=300"}
        if etag in request.headers.get("if-none-match", ""):
            return Response("", status_code=304, headers=headers)
        return Response(signed, media_type="application/jwt", headers=headers)


def _person(request: ResidentRequest) -> UUID:
    person_id = request.user.person_id
    assert person_id is not None, "the guard lets nobody in below L3"
    return person_id
