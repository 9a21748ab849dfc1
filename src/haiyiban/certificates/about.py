"""What certificates keep of a person: every version that speaks of them or that they keep for a child."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import outbox, rows
from haiyiban.certificates.models import Certificate
from haiyiban.certificates.types import type_of
from haiyiban.errors import Words


async def about(session: AsyncSession, person_id: UUID) -> dict[str, Any]:
    """For `Zone.about`, with what they state."""
    mine = (Certificate.holder_id == person_id) | (Certificate.keeper_id == person_id)
    found = await rows.find(session, Certificate, mine)
    return {
        "certificates": [
            {"name": type_of(certificate).name.zh} | rows.told(certificate, without={"ref"})
            for certificate in found
        ],
        "notices": await outbox.told_about(session, select(Certificate.id).where(mine)),
    }


WORDS = {
    "certificates": Words("电子证照", "Certificates"),
    "type": Words("类型", "Type"),
    "typeVersion": Words("类型版本", "Version of the type"),
    "serial": Words("编号", "Serial"),
    "identifier": Words("证照标识", "Identifier"),
    "holderId": Words("持证主体（内部编号）", "Holder (internal id)"),
    "keeperId": Words("保管人（内部编号）", "Keeper (internal id)"),
    "holderMasked": Words("对外显示的姓名", "Name as shown to others"),
    "issuer": Words("发证机关", "Issuer"),
    "issuerCode": Words("发证机关代码", "Code of the issuer"),
    "issuedOn": Words("签发日期", "Issued on"),
    "validFrom": Words("有效期起", "Valid from"),
    "validUntil": Words("有效期至", "Valid until"),
    "status": Words("状态", "Status"),
    "statusAt": Words("状态时间", "Status since"),
    "statusReason": Words("状态原因", "Reason of the status"),
    "supersedesId": Words("替换的版本", "Replaces"),
    "claims": Words("证照内容", "What it states"),
}
