"""What delegations keep of a person: those that they gave, those under which they act, the face checks."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import outbox, rows
from haiyiban.delegations.models import Delegation, DelegationFaceCheck
from haiyiban.errors import Words
from haiyiban.masking import mask_name

_OTHERS = {"giver_id", "taker_id", "taker_name", "paper", "contact"}


async def about(session: AsyncSession, person_id: UUID) -> dict[str, Any]:
    """For `Zone.about`. The other side and the witness of a paper are other people: their names are masked,
    their phones are left out."""
    mine = (Delegation.giver_id == person_id) | (Delegation.taker_id == person_id)
    own = select(Delegation.id).where(mine)
    checks = (DelegationFaceCheck.taker_id == person_id) | DelegationFaceCheck.delegation_id.in_(own)
    return {
        "delegations": [_told(row, person_id) for row in await rows.find(session, Delegation, mine)],
        "delegationFaceChecks": await rows.told_all(
            session, DelegationFaceCheck, checks, without={"taker_id", "vendor_session"}
        ),
        "notices": await outbox.told_about(session, own),
    }


def _told(delegation: Delegation, person_id: UUID) -> dict[str, Any]:
    told = rows.told(delegation, without=_OTHERS)
    if delegation.giver_id != person_id:
        return {"side": "taker"} | told
    if delegation.taker_name is not None:
        told["takerName"] = mask_name(delegation.taker_name)
    if delegation.contact is not None:
        told["contact"] = delegation.contact
    if delegation.paper is not None:
        told["paper"] = {name: value for name, value in delegation.paper.items() if name != "witness"}
    return {"side": "giver"} | told


WORDS = {
    "delegations": Words("委托代办", "Delegations"),
    "delegationFaceChecks": Words("委托时的刷脸核验", "Face checks of delegations"),
    "side": Words("我是（giver 委托人 / taker 代办人）", "I am giver or taker"),
    "basis": Words("依据", "Rests on"),
    "role": Words("身份", "Role"),
    "matters": Words("可办事项", "Matters"),
    "until": Words("有效期至", "Until"),
    "times": Words("可用次数", "Times"),
    "used": Words("已用次数", "Used"),
    "notify": Words("通知谁", "Who is told"),
    "text": Words("同意的文本", "Text agreed to"),
    "textHash": Words("文本校验值", "Hash of the text"),
    "paper": Words("纸质委托", "Paper"),
    "contact": Words("联系电话", "Contact"),
    "takerName": Words("代办人（隐去部分）", "Who may act (masked)"),
    "madeAt": Words("提出时间", "Made at"),
    "giverAgreedAt": Words("委托人同意时间", "Giver agreed at"),
    "takerAgreedAt": Words("代办人同意时间", "Taker agreed at"),
    "endedBy": Words("由谁结束", "Ended by"),
}
