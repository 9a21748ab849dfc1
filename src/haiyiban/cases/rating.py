"""好差评: the applicant rates a decided case, once, and once more after it was put right.

5 is best. 1 and 2 must say why. Source: docs/domain.md §3.8.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit
from haiyiban.cases import access
from haiyiban.cases.models import Rating
from haiyiban.cases.moves import standing
from haiyiban.cases.states import DECIDED, FINAL, IllegalMove, State
from haiyiban.clock import local_date
from haiyiban.delegations import Actor
from haiyiban.errors import Conflict, FieldError, Problem, Words
from haiyiban.ids import new_id

REASONS: dict[int, frozenset[str]] = {
    5: frozenset(str(code) for code in range(510, 518)),
    4: frozenset(str(code) for code in range(406, 414)),
    3: frozenset(str(code) for code in range(307, 315)),
    2: frozenset(str(code) for code in range(207, 215)),
    1: frozenset(str(code) for code in range(108, 116)),
}
"""The active reason codes by level."""
_COMMENT_LENGTH_MOST = 500


class InvalidRating(Problem):
    """The rating says too little or contradicts itself."""

    type = "cases/invalid-rating"
    title = Words("评价内容有误", "The rating is incomplete")


class AlreadyRated(Conflict):
    """A case is rated once."""

    type = "cases/already-rated"
    title = Words("本件已经评价过，谢谢", "This case has been rated already; thank you")


def check(score: int, reasons: Sequence[str], comment: str) -> list[FieldError]:
    """What is wrong with a rating."""
    if score not in REASONS:
        return [FieldError("/score", Words("请选择 1 到 5 星，5 星最好", "Give 1 to 5 stars; 5 is best"))]
    errors = [
        FieldError(
            f"/reasons/{index}", Words("这个原因不属于所选星级", "This reason is not one of the chosen level")
        )
        for index, code in enumerate(reasons)
        if code not in REASONS[score]
    ]
    if score <= 2 and not reasons and not comment.strip():
        words = Words("请至少选择一个原因或写一句意见", "Please tick a reason or write a word")
        errors.append(FieldError("/reasons", words))
    if len(comment) > _COMMENT_LENGTH_MOST:
        errors.append(FieldError("/comment", Words("请控制在 500 字以内", "At most 500 characters")))
    return errors


async def rate(
    session: AsyncSession,
    case_id: UUID,
    *,
    actor: Actor,
    score: int,
    reasons: Sequence[str],
    comment: str,
    now: datetime,
) -> None:
    """Keep a rating. Raises CaseMissing, IllegalMove, InvalidRating, AlreadyRated."""
    case = await access.own_for_change(session, case_id, actor, today=local_date(now))
    if State(case.state) not in DECIDED | FINAL or case.state == State.WITHDRAWN:
        raise IllegalMove(members=standing(case))
    if errors := check(score, reasons, comment):
        raise InvalidRating(errors=errors)
    if await session.scalar(select(func.count()).select_from(Rating).where(Rating.case_id == case.id)):
        raise AlreadyRated
    session.add(
        Rating(
            id=new_id(),
            case_id=case.id,
            round=1,
            score=score,
            reasons=list(dict.fromkeys(reasons)),
            comment=comment.strip() or None,
            at=now,
        )
    )
    await audit.record(
        session, "cases.rating", subject=case.subject_id, object_kind="case", object_id=case.id
    )
