"""The lists that terminals hold, over HTTP: public, signed, cheap to ask for again."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from litestar import Controller, Request, Response, get
from litestar.params import FromPath, FromQuery

from haiyiban import clock
from haiyiban.codes import deny_publishing, status_publishing
from haiyiban.codes.signing import NoKeySigns, TrustListMissing, code_keys
from haiyiban.codes.status_publishing import StatusListMissing
from haiyiban.wire import Output, problems


class TrustRootRead(Output):
    """The public half of the root key, as a JWK."""

    kty: str
    crv: str
    x: str
    y: str


class StatusListsRead(Output, omit_defaults=False):
    """How many status lists there are: GET /status-lists/0 and up."""

    count: int


class TrustListController(Controller):
    """Whose signature counts, for terminals."""

    path = "/trust-list"
    tags = ["codes"]

    @get(
        summary="The trust list",
        media_type="application/jwt",
        responses=problems(TrustListMissing),
    )
    async def trust_list(self, request: Request[Any, Any, Any]) -> Response[str]:
        """A JWS signed by the root key that is pinned in terminals: the keys, the kinds each may sign, and
        when. With `If-None-Match`, 304 while it is the same."""
        text = code_keys(clock.now()).published.text
        return _signed(request, text, media_type="application/jwt", seconds=300)

    @get("/root", summary="The root key of the trust list", responses=problems(TrustListMissing))
    async def root(self) -> Response[TrustRootRead]:
        """What a terminal pins when it is set up, and never asks for again: who pins a root that
        came over the network trusts this address at that moment."""
        jwk = code_keys(clock.now()).published.root
        return Response(
            TrustRootRead(kty=jwk["kty"], crv=jwk["crv"], x=jwk["x"], y=jwk["y"]),
            headers={"Cache-Control": "public, max-age=300"},
        )


class DenyListController(Controller):
    """Which capsules were withdrawn, for terminals."""

    path = "/deny-list"
    tags = ["codes"]

    @get(
        summary="The deny-list",
        media_type="application/jwt",
        responses=problems(TrustListMissing, NoKeySigns),
    )
    async def deny_list(
        self, request: Request[Any, Any, Any], since: FromQuery[int | None] = None
    ) -> Response[str]:
        """A JWS signed by a key for lists: the cti of capsules withdrawn before their end. Exact, and at most
        a second old.

        `since`: the `iat` of the list you hold; the answer is then what came and went, where that is shorter.
        With `If-None-Match`, 304 while it is the same.
        """
        now = clock.now()
        text = await deny_publishing.publisher.text(since, keys=code_keys(now), now=now)
        return _signed(request, text, media_type="application/jwt", seconds=1)


class StatusListController(Controller):
    """How printed certificates stand, for terminals."""

    path = "/status-lists"
    tags = ["codes"]

    @get(summary="Which status lists there are")
    async def status_lists(self) -> Response[StatusListsRead]:
        """For terminals that fetch all of them before they go where no network is."""
        count = await status_publishing.how_many()
        return Response(StatusListsRead(count=count), headers={"Cache-Control": "public, max-age=30"})

    @get(
        "/{list_id:int}",
        summary="A status list",
        media_type="application/statuslist+jwt",
        responses=problems(StatusListMissing, TrustListMissing, NoKeySigns),
    )
    async def status_list(self, request: Request[Any, Any, Any], list_id: FromPath[int]) -> Response[str]:
        """A Token Status List, signed by a key for lists: two bits a place; 0 valid, 1 revoked, 2 suspended.

        A revocation is in it within a minute. With `If-None-Match`, 304 while it is the same.
        """
        now = clock.now()
        text = await status_publishing.text(list_id, keys=code_keys(now), now=now)
        return _signed(request, text, media_type="application/statuslist+jwt", seconds=30)


def _signed(request: Request[Any, Any, Any], text: str, *, media_type: str, seconds: int) -> Response[str]:
    said, _, _ = text.rpartition(".")
    # By what the list says and by which key, for SM2 signs the same list differently in each process.
    etag = f'"{sha256(said.encode()).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": f"public, max-age={seconds}"}
    if etag in request.headers.get("if-none-match", ""):
        return Response("", status_code=304, headers=headers)
    return Response(text, media_type=media_type, headers=headers)
