"""Who looked at what is mine, over HTTP."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from litestar import Controller, Response, get
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.audit import proving
from haiyiban.audit.proving import LogBroken, NotSealedYet
from haiyiban.cases import access_log
from haiyiban.cases.access_log import Entry, RecordMissing
from haiyiban.certificates import types
from haiyiban.codes.offline_recording import VERIFY_OFFLINE
from haiyiban.codes.outcomes import Outcome
from haiyiban.context import current
from haiyiban.delegations import Delegation
from haiyiban.delegations.rules import Role
from haiyiban.enterprises import access as roles
from haiyiban.enterprises.access import RepresentativeOnly
from haiyiban.enterprises.register import EnterpriseUnknown
from haiyiban.errors import Malformed, NotSignedIn, Words
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import ResidentRequest, StepUpNeeded, resident
from haiyiban.matters import catalogue
from haiyiban.matters.catalogue import MatterUnknown
from haiyiban.matters.matter import Matter
from haiyiban.verifiers.purposes import purposes
from haiyiban.wire import Output, Page, after_cursor, cursor_of, page_limit, problems


class ConsentTold(Output, omit_defaults=False):
    """What a verifier asked me for, and what I answered: `allow`, `refuse`, `none` where I did not answer in
    time, `pending` while I may."""

    decision: str
    asked: list[str]
    allowed: list[str]
    refused: list[str]

    @classmethod
    def of(cls, entry: Entry, now: datetime) -> ConsentTold | None:
        """None where nobody was asked."""
        verification, settled = entry.verification, entry.consent
        if verification is None or verification.answer_by is None:
            return None
        allowed = settled.fields if settled is not None else []
        asked = verification.fields or allowed
        waiting = "pending" if now <= verification.answer_by else "none"
        decision = settled.decision if settled is not None else waiting
        refused = [] if decision == "pending" else [name for name in asked if name not in allowed]
        return cls(decision=decision, asked=asked, allowed=allowed, refused=refused)


class AccessRead(Output):
    """One look at my data: who, at what, for what, which fields, with what outcome."""

    id: UUID
    at: datetime
    who: str
    action: str
    what: str
    outcome: str
    fields: list[str]
    purpose: str | None = None
    place: str | None = None
    consent: ConsentTold | None = None
    delegation: UUID | None = None
    """Under which somebody acted for me."""
    number: int | None = None
    """In the audit's sealed log, from within a minute on; then there is a proof of it."""
    received_at: datetime | None = None
    """When we learned of it, where a terminal that was offline told us later."""

    @classmethod
    def of(cls, entry: Entry, language: str) -> AccessRead:
        """An entry in words."""
        record, verification, type_, type_version, verifier, settled, delegation, number = entry
        asked_only = record.outcome == Outcome.CONSENT_PENDING
        matter = _matter(record.reason)
        who = matter.item.dept_name if matter is not None else record.actor_unit or ""
        for_what = matter.name.words.in_language(language) if matter is not None else record.reason
        if delegation is not None:
            who = _taker_of(delegation).in_language(language)
        if verifier is not None:
            who = verifier.name_en if language.startswith("en") else verifier.name_zh
        if verification is not None and (purpose := purposes().get(verification.purpose)) is not None:
            for_what = purpose.title.words.in_language(language)
        what = _WHAT.get(record.object_kind or "", _OTHER).in_language(language)
        if type_ is not None and type_version is not None:
            what = types.published(type_, type_version).name.in_language(language)
        offline = verification is not None and record.action == VERIFY_OFFLINE
        if offline:
            what += _OFFLINE.in_language(language)
        return cls(
            id=record.id,
            at=verification.at if verification is not None and offline else record.at,
            who=who,
            action=record.action,
            what=what,
            outcome=settled.outcome if asked_only and settled is not None else record.outcome,
            fields=[] if asked_only else record.fields,
            purpose=for_what,
            place=verification.place if verification is not None else None,
            consent=ConsentTold.of(entry, clock.now()),
            received_at=record.at if offline else None,
            delegation=record.delegation_id,
            number=number,
        )


_WHAT = {
    "verification": Words("亮证码", "Code"),
    "certificate": Words("电子证照", "Certificate"),
    "case": Words("办件", "Case"),
    "delegation": Words("委托", "Delegation"),
    "order": Words("订单", "Order"),
    "parcel": Words("包裹", "Parcel"),
    "voucher": Words("消费券", "Voucher"),
}
_TAKER = Words("您委托的代办人", "Somebody who acts for you under your delegation")
_AGENT = Words("村（社区）代办员", "Your village agent")
_ROLES = {
    Role.REPRESENTATIVE: Words("法定代表人", "The legal representative"),
    Role.FINANCE: Words("财务人员", "Somebody of finance"),
    Role.CLERK: Words("经办人", "A clerk of the enterprise"),
}
_OTHER = Words("个人信息", "Personal data")
_OFFLINE = Words("（离线核验）", " (checked offline)")


def _taker_of(delegation: Delegation) -> Words:
    if delegation.role is not None:
        return _ROLES[Role(delegation.role)]
    return _AGENT if delegation.agent_id is not None else _TAKER


def _matter(reason: str | None) -> Matter | None:
    """The matter that a look was for, where the audit names one."""
    try:
        return catalogue().get(reason or "")
    except MatterUnknown:
        return None


class AccessLogController(Controller):
    """Who looked at what is mine."""

    path = "/me/access-log"
    tags = ["codes"]
    guards = [resident(Level.L3)]

    @get(summary="Who looked at my data", responses=problems(NotSignedIn, StepUpNeeded, Malformed))
    async def list_accesses(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        certificate: FromQuery[UUID | None] = None,
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[AccessRead]:
        """Every verification of my codes and every look by an office, of my children's certificates too.
        `certificate`: those at this certificate alone."""
        size = page_limit(limit)
        rows = await access_log.of_person(
            session,
            _person(request),
            request.user.account_id,
            after=after_cursor(cursor),
            limit=size + 1,
            certificate_id=certificate,
        )
        language = current().language
        items = [AccessRead.of(row, language) for row in rows[:size]]
        return Page(items=items, next=cursor_of(items[-1].id) if len(rows) > size else None)

    @get(
        "/{record_id:uuid}/proof",
        summary="That a record is in the sealed log",
        media_type="text/plain",
        response_headers=[ResponseHeader(name="Content-Disposition", documentation_only=True)],
        responses=problems(RecordMissing, NotSealedYet, LogBroken, NotSignedIn, StepUpNeeded),
    )
    async def proof(
        self, request: ResidentRequest, session: NamedDependency[AsyncSession], record_id: FromPath[UUID]
    ) -> Response[bytes]:
        """The proof of a record about me or about a child whose certificates I keep, as a file: anybody
        checks it with the public key alone (`haiyiban audit check`). Form: C2SP tlog-proof, whose `extra` is
        the record. Of a decision it is the record that the access log shows of it."""
        await access_log.require_own(session, record_id, _person(request))
        sealed = await proving.sealed(session, record_id)
        name = f"audit-{sealed.number}.tlog-proof"
        return Response(
            sealed.proof.encode(),
            media_type="text/plain",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )


class EnterpriseAccessLogController(Controller):
    """Who did and saw what in an enterprise's name."""

    path = "/enterprises/{enterprise_id:uuid}/access-log"
    tags = ["enterprises"]
    guards = [resident(Level.L3)]

    @get(
        summary="Who acted for an enterprise",
        responses=problems(EnterpriseUnknown, RepresentativeOnly, NotSignedIn, StepUpNeeded, Malformed),
    )
    async def list_accesses(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        enterprise_id: FromPath[UUID],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[AccessRead]:
        """To its legal representative: every act under a role, every look by an office or a verifier."""
        size = page_limit(limit)
        await roles.require_representative(session, enterprise_id, _person(request), today=clock.today())
        after = after_cursor(cursor)
        rows = await access_log.of_person(session, enterprise_id, None, after=after, limit=size + 1)
        language = current().language
        items = [AccessRead.of(row, language) for row in rows[:size]]
        return Page(items=items, next=cursor_of(items[-1].id) if len(rows) > size else None)


def _person(request: ResidentRequest) -> UUID:
    person_id = request.user.person_id
    assert person_id is not None, "the guard lets nobody in below L3"
    return person_id
