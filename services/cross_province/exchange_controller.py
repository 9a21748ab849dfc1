"""Cross-province service over HTTP, between deployments."""

from __future__ import annotations

from typing import Any, cast

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.wire import OWN_ANSWERS, problems
from services.cross_province import cases, neighbours, offers, receiving, refreshing, signatures
from services.cross_province.messages import CrossMessage, CrossReceipt
from services.cross_province.offers import OfferList
from services.cross_province.receiving import (
    AgreementEnded,
    Altered,
    CannotSign,
    NotForUs,
    OutOfOrder,
    SignatureRefused,
    UnknownDeployment,
    UnknownVersion,
)


class CrossExchangeController(Controller):
    """What deployments say to each other (跨省通办报文)."""

    path = "/zones/cross-province"
    tags = ["cross-province"]

    @get("/offer", summary="What this deployment takes from others", responses=problems(CannotSign))
    async def offer(self) -> Response[OfferList]:
        """Between deployments: the matters that residents of other provinces may apply for, signed (RFC 9421)
        by the key of our agreements."""
        now = clock.now()
        keys = [key for key in neighbours.own_keys() if key.not_before <= now]
        if not keys:
            raise CannotSign
        body = msgspec.json.encode(offers.own_offer(cases.here(), now=now))
        signed = signatures.sign_document(body, path=refreshing.OFFER, key=keys[-1], now=now)
        return cast("Response[OfferList]", _raw(body, signed))

    @post(
        "/exchange",
        status_code=200,
        summary="Take a message of another deployment",
        opt=OWN_ANSWERS,
        responses=problems(
            UnknownDeployment,
            SignatureRefused,
            AgreementEnded,
            NotForUs,
            UnknownVersion,
            OutOfOrder,
            Altered,
            CannotSign,
        ),
    )
    async def exchange(
        self,
        request: Request[Any, Any, Any],
        session: NamedDependency[AsyncSession],
        data: JSONBody[CrossMessage],
    ) -> Response[CrossReceipt]:
        """Between deployments. The request is signed (RFC 9421, tag `haiyiban-exchange`) over method, path,
        content type and content digest (RFC 9530) by a key of an agreement that both sides signed; the answer
        is a receipt, signed over the digest of the request. The same message gets the same receipt; only the
        next number of the sender is taken."""
        receipt, signed = await receiving.take(
            session, data, await request.body(), dict(request.headers), now=clock.now()
        )
        return cast("Response[CrossReceipt]", _raw(receipt, signed))


def _raw(body: bytes, signed: signatures.Headers) -> Response[bytes]:
    """The very bytes that were signed, with their signature; written anew they might differ."""
    fields = {name: value for name, value in signed.fields().items() if name != "content-type"}
    return Response(body, media_type=signatures.JSON, headers=fields)
