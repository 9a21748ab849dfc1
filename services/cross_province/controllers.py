"""Cross-province service over HTTP: for applicants, and between deployments."""

from __future__ import annotations

from typing import Annotated, Any, cast
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.errors import Malformed
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import ResidentRequest, StepUpNeeded, resident
from haiyiban.wire import OWN_ANSWERS, Input, Page, after_cursor, cursor_of, page_limit, problems
from services.cross_province import (
    applying,
    cases,
    neighbours,
    offers,
    receiving,
    refreshing,
    signatures,
    views,
)
from services.cross_province.applying import (
    AlreadySent,
    Application,
    CardNeeded,
    InvalidApplication,
    OnlyAtACounter,
    OutdatedForm,
)
from services.cross_province.cases import CrossCaseMissing, NotNow
from services.cross_province.messages import CrossMessage, CrossReceipt
from services.cross_province.models import CrossCase
from services.cross_province.neighbours import NeighbourAway, NoSuchNeighbour
from services.cross_province.offers import NotOffered, OfferList
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

Code = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class CrossCaseCreate(Input):
    """An application for a matter of another province."""

    division: Annotated[str, msgspec.Meta(pattern="^[0-9]{2}0000$")]
    matter: Code
    version: int
    """Of the matter, as it was read: the form is that version's."""
    form: dict[str, Any]


class CrossCorrection(Input):
    """What was corrected: merged into the form (RFC 7396)."""

    form: dict[str, Any]


class CrossProvinceController(Controller):
    """Apply here for what another province handles (跨省通办)."""

    path = "/zones/cross-province"
    tags = ["cross-province"]

    @get("/matters", summary="Matters of other provinces", responses=problems(Malformed))
    async def matters(
        self, session: NamedDependency[AsyncSession], division: FromQuery[str | None] = None
    ) -> Page[views.CrossMatterRead]:
        """What can be applied for here and is handled in another province, as that province last published
        it; an empty list where there is none. The handling place's version, limits and fees apply."""
        now = clock.now()
        return Page(
            items=[
                views.matter_read(known, matter)
                for known in await neighbours.all_known(session)
                if known.is_open(now) and division in (None, known.other.division)
                for matter in offers.offers_of(known.row)
            ],
            next=None,
        )

    @post(
        "/cases",
        status_code=201,
        summary="Apply in another province",
        guards=[resident(Level.L3)],
        responses=problems(
            StepUpNeeded,
            NoSuchNeighbour,
            NeighbourAway,
            NotOffered,
            OutdatedForm,
            OnlyAtACounter,
            CardNeeded,
            InvalidApplication,
            AlreadySent,
        ),
    )
    async def create(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        data: JSONBody[CrossCaseCreate],
    ) -> views.CrossCaseRead:
        """Taken in here and sent to the handling place, whose clock begins when it accepts. Who applies is
        filled in from the sign-in."""
        application = Application(
            division=data.division, matter=data.matter, version=data.version, form=data.form
        )
        case = await applying.apply(session, application, _person(request), now=clock.now())
        return await views.read(session, case)

    @get(
        "/cases",
        summary="My cases in other provinces",
        guards=[resident(Level.L3)],
        responses=problems(StepUpNeeded, Malformed),
    )
    async def mine(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[views.CrossCaseSummary]:
        """Newest first."""
        size = page_limit(limit)
        query = (
            select(CrossCase)
            .where(CrossCase.person_id == _person(request), CrossCase.side == "receiving")
            .order_by(CrossCase.id.desc())
        )
        if (after := after_cursor(cursor)) is not None:
            query = query.where(CrossCase.id < after)
        rows = list(await session.scalars(query.limit(size + 1)))
        return Page(
            items=[views.summary(case) for case in rows[:size]],
            next=cursor_of(rows[size - 1].id) if len(rows) > size else None,
        )

    @get(
        "/cases/{case_id:uuid}",
        summary="Read a case in another province",
        guards=[resident(Level.L3)],
        responses=problems(StepUpNeeded, CrossCaseMissing),
    )
    async def read(
        self, request: ResidentRequest, session: NamedDependency[AsyncSession], case_id: FromPath[UUID]
    ) -> views.CrossCaseRead:
        """How it stands, with the timeline of both places. Reading a result that has come is its delivery
        (送达), of which the handling place is told."""
        case = await cases.own(session, case_id, _person(request), lock=True)
        if case.taken_by is None:
            await applying.hand_over(session, case, now=clock.now())
        return await views.read(session, case)

    @post(
        "/cases/{case_id:uuid}/correction",
        status_code=200,
        summary="Send what was corrected",
        guards=[resident(Level.L3)],
        responses=problems(
            StepUpNeeded, CrossCaseMissing, NotNow, InvalidApplication, NoSuchNeighbour, NeighbourAway
        ),
    )
    async def correct(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        case_id: FromPath[UUID],
        data: JSONBody[CrossCorrection],
    ) -> views.CrossCaseRead:
        """The handling place asks once, for everything; the corrected form goes back to it."""
        case = await cases.own(session, case_id, _person(request), lock=True)
        await applying.correct(session, case, data.form, now=clock.now())
        return await views.read(session, case)

    @post(
        "/cases/{case_id:uuid}/withdrawal",
        status_code=200,
        summary="Withdraw from another province",
        guards=[resident(Level.L3)],
        responses=problems(StepUpNeeded, CrossCaseMissing, NotNow),
    )
    async def withdraw(
        self, request: ResidentRequest, session: NamedDependency[AsyncSession], case_id: FromPath[UUID]
    ) -> views.CrossCaseRead:
        """Asked once, before a result has come. The handling place ends the case; `withdrawn` comes back as
        its result; where it has decided meanwhile, the decision stands."""
        case = await cases.own(session, case_id, _person(request), lock=True)
        await applying.withdraw(session, case, now=clock.now())
        return await views.read(session, case)

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


def _person(request: ResidentRequest) -> UUID:
    person_id = request.user.person_id
    assert person_id is not None, "the guard asks for L3"
    return person_id
