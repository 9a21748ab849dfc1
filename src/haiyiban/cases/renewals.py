"""Renewing a licence before it expires (延续): when it may be handed in, and what silence means.

"被许可人…应当在该行政许可有效期届满三十日前…提出申请。行政机关…应当在该行政许可有效期届满前作出是否准予
延续的决定；逾期未作决定的，视为准予延续。" Source: 行政许可法 art. 50; docs/domain.md §3.6. The figures stand
in the matter's file.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.cases import decisions, moves, verbs
from haiyiban.cases.handlers import Finding
from haiyiban.cases.models import Case
from haiyiban.cases.notices import tell
from haiyiban.cases.states import By, State, Verb
from haiyiban.clock import local_date
from haiyiban.errors import Words
from haiyiban.forms import get
from haiyiban.matters import catalogue
from haiyiban.matters.matter import Renewal

DEEMED = Words(
    "有效期届满前未作出决定，依照《行政许可法》第五十条视为准予延续",
    "Not decided before the licence expired: deemed renewed by art. 50 of the Licensing Law",
)
_UNDECIDED = (State.SUBMITTED, State.ACCEPTED, State.SUSPENDED)
"""Handed in and with the authority; what waits for a correction is not the authority's silence."""


def check(case: Case, *, today: date) -> Sequence[Finding]:
    """What the time of handing in says; nothing of other matters, nor of a correction."""
    renewal = catalogue().version(case.matter, case.matter_version).renewal
    if renewal is None:
        return ()
    expires = expiry(case, renewal)
    if expires is None:
        return (_unproven(case, renewal),)
    if case.number is not None:
        return ()
    return findings(renewal, expires, today=today)


def findings(renewal: Renewal, expires: date, *, today: date) -> Sequence[Finding]:
    """Too early, in time or too late, in natural days before the licence's last day."""
    last = expires - timedelta(days=renewal.days_before)
    first = expires - timedelta(days=renewal.days_before_most)
    if today > expires:
        words = Words(
            "许可证已过有效期，不能延续，请重新申请许可",
            "The licence has expired and cannot be renewed; please apply for a new one",
        )
    elif today > last:
        words = Words(
            f"延续应在有效期届满 {renewal.days_before} 日前（{last.isoformat()} 前）申请，现已超期；"
            "请尽快到窗口说明情况，或重新申请许可",
            f"A renewal is applied for {renewal.days_before} days before the end ({last.isoformat()}); "
            "please go to the counter soon, or apply for a new licence",
        )
    elif today < first:
        words = Words(f"请在 {first.isoformat()} 之后申请延续", f"Please apply after {first.isoformat()}")
    else:
        return ()
    return (Finding(code="renewal-time", words=words, pointer=renewal.expires, level="refuses"),)


def expiry(case: Case, renewal: Renewal) -> date | None:
    """The licence's last day as its register says it; None where no register has."""
    known = case.prefill.get(renewal.expires, {}).get("state") == "known"
    value = get(case.form, renewal.expires)
    return date.fromisoformat(value) if known and isinstance(value, str) else None


def _unproven(case: Case, renewal: Renewal) -> Finding:
    """Without the register's word nobody knows when the licence ends."""
    is_open = case.prefill.get(renewal.expires, {}).get("state") == "unknown"
    words = (
        Words(
            "登记库暂时没有应答，许可证有效期待核实，请稍后再提交",
            "The register does not answer; please hand in again shortly",
        )
        if is_open
        else Words(
            "登记库中没有这份许可证，不能延续；如有误请到窗口核对",
            "The register holds no such licence; if that is wrong, please ask at the counter",
        )
    )
    return Finding(code="renewal-unproven", words=words, pointer=renewal.expires, level="refuses")


def last_day_to_decide(case: Case) -> date | None:
    """After which silence renews the licence; None of any other matter."""
    renewal = catalogue().version(case.matter, case.matter_version).renewal
    return expiry(case, renewal) if renewal else None


def is_overdue(today: date) -> ColumnElement[bool]:
    """The renewals that were not decided in time."""
    return (Case.deemed_after < today) & Case.state.in_([state.value for state in _UNDECIDED])


async def deem(session: AsyncSession, case: Case, *, now: datetime) -> None:
    """Renew what was not decided by the licence's last day.

    Each step that the authority left out is in the timeline, by the system, with the reason.
    """
    if case.state == State.SUBMITTED:
        begun = moves.begin(case, Verb.ACCEPT, by=By.SYSTEM)
        await verbs.start_clock(session, case, on=local_date(now))
        await moves.finish(session, case, begun, by_id=None, now=now, note=DEEMED.zh)
    if case.state == State.SUSPENDED:
        begun = moves.begin(case, Verb.RESUME, by=By.SYSTEM)
        await verbs.end_suspension(session, case, on=local_date(now))
        await moves.finish(session, case, begun, by_id=None, now=now, note=DEEMED.zh)
    begun = moves.begin(case, Verb.APPROVE, by=By.SYSTEM)
    case.outcome = "approved"
    certificate = await decisions.carry_out(session, case, now=now)
    detail = {"deemed": True} | ({"certificate": str(certificate)} if certificate else {})
    await moves.finish(session, case, begun, by_id=None, now=now, note=DEEMED.zh, detail=detail)
    await tell(session, case, Verb.APPROVE)
