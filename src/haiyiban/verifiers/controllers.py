"""Verifiers over HTTP: their tokens, what may be verified for, and the operator's desk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.params import FromPath, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.context import current
from haiyiban.errors import Malformed, NotAllowed, NotSignedIn
from haiyiban.forms.strict import MalformedJson, parse_json
from haiyiban.identity.callers import VerifierCaller
from haiyiban.identity.guards import staff
from haiyiban.identity.tokens import LIFE, access_tokens
from haiyiban.verifiers import client_credentials, purposes, service
from haiyiban.verifiers.client_credentials import FORM, TokenRefused
from haiyiban.verifiers.wire import (
    ClientCredentials,
    PurposeList,
    PurposeRead,
    SuspensionCreate,
    VerifierList,
    VerifierRead,
    VerifierToken,
)
from haiyiban.wire import problems

_LIFE_SECONDS = int(LIFE.total_seconds())
_STRING = Schema(type="string")  # type: ignore[arg-type]


@dataclass
class TokenOperation(Operation):
    """The two bodies of a token request, which no single type of a handler's argument can say."""

    def __post_init__(self) -> None:
        ours = {"clientId": _STRING, "clientSecret": _STRING}
        theirs = {"grant_type": _STRING, "client_id": _STRING, "client_secret": _STRING}
        self.request_body = RequestBody(
            required=True,
            content={
                "application/json": OpenAPIMediaType(schema=_object(ours, required=[*ours])),
                FORM: OpenAPIMediaType(schema=_object(theirs, required=["grant_type"])),
            },
        )


def _object(properties: dict[str, Schema], *, required: list[str]) -> Schema:
    return Schema(type="object", properties=dict(properties), required=required)  # type: ignore[arg-type]


class VerifierTokenController(Controller):
    """Signing a verifier's system in."""

    path = "/auth/verifiers/token"
    tags = ["verifiers"]

    @post(
        status_code=200,
        summary="Sign a verifier's system in",
        operation_class=TokenOperation,
        exception_handlers={TokenRefused: client_credentials.refused},
        other_answers=dict.fromkeys(("400", "401"), client_credentials.REFUSAL),
        responses=problems(
            Malformed,
            MalformedJson,
            service.InvalidClient,
            service.VerifierSuspended,
            service.TerminalSuspended,
        ),
    )
    async def token(
        self, request: Request[Any, Any, Any], session: NamedDependency[AsyncSession]
    ) -> Response[VerifierToken]:
        """Client credentials for an access token of five minutes.

        JSON gets our own names; a form (RFC 6749, client credentials in the body or by Basic) gets those of
        the RFC, in refusals too.
        """
        body = await request.body()
        if request.headers.get("content-type", "").startswith(FORM):
            given = client_credentials.credentials_of(body, request.headers.get("authorization"))
            try:
                caller = await service.authenticate(
                    session, given.client_id, given.client_secret, now=clock.now()
                )
            except service.InvalidClient:
                raise TokenRefused("invalid_client") from None
            except service.VerifierSuspended:
                raise TokenRefused("unauthorized_client") from None
            return client_credentials.granted(_issue(caller), expires_in=_LIFE_SECONDS)
        try:
            given = msgspec.convert(parse_json(body), ClientCredentials)
        except msgspec.ValidationError:
            raise Malformed from None
        caller = await service.authenticate(session, given.client_id, given.client_secret, now=clock.now())
        token = VerifierToken(
            access_token=_issue(caller),
            expires_in_seconds=_LIFE_SECONDS,
            purposes=sorted(caller.purposes),
        )
        return Response(token, status_code=200)


class PurposeController(Controller):
    """What may be verified for."""

    path = "/verification-purposes"
    tags = ["verifiers"]

    @get(summary="What codes may be verified for")
    async def list_purposes(self) -> Response[PurposeList]:
        """Public: so that everybody can read who may see what, for which purpose."""
        language = current().language
        listed = PurposeList(
            items=[PurposeRead.of(each, language) for _, each in sorted(purposes.purposes().items())]
        )
        return Response(listed, headers={"Cache-Control": "public, max-age=300", "Vary": "Accept-Language"})


class VerifierDeskController(Controller):
    """Verifiers at the operator's desk."""

    path = "/desk/verifiers"
    tags = ["verifiers"]
    guards = [staff("operator")]

    @get(summary="The accredited verifiers", responses=problems(NotSignedIn, NotAllowed))
    async def list_verifiers(self, session: NamedDependency[AsyncSession]) -> VerifierList:
        """In the order of accreditation."""
        language = current().language
        return VerifierList(
            items=[VerifierRead.of(row, language) for row in await service.all_verifiers(session)]
        )

    @post(
        "/{verifier_id:uuid}/suspension",
        status_code=200,
        summary="Suspend a verifier",
        responses=problems(NotSignedIn, NotAllowed, service.VerifierMissing, service.NotInThatState),
    )
    async def suspend(
        self,
        session: NamedDependency[AsyncSession],
        verifier_id: FromPath[UUID],
        data: JSONBody[SuspensionCreate],
    ) -> VerifierRead:
        """Its tokens are refused by every process within two seconds, and it gets no new ones."""
        verifier = await service.suspend(session, verifier_id, reason=data.reason, now=clock.now())
        return VerifierRead.of(verifier, current().language)

    @post(
        "/{verifier_id:uuid}/reinstatement",
        status_code=200,
        summary="Let a suspended verifier verify again",
        responses=problems(NotSignedIn, NotAllowed, service.VerifierMissing, service.NotInThatState),
    )
    async def reinstate(
        self, session: NamedDependency[AsyncSession], verifier_id: FromPath[UUID]
    ) -> VerifierRead:
        """Tokens are given out and accepted again, everywhere within two seconds."""
        return VerifierRead.of(await service.reinstate(session, verifier_id), current().language)


def _issue(caller: VerifierCaller) -> str:
    return access_tokens().issue(caller, now=clock.now())
