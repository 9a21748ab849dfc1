"""What codes keep of a person: capsules on their phones and their answers to verifiers.

The verifications themselves are in the access log (cases/about.py), with who looked and at what.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import rows
from haiyiban.codes.models import Capsule, Consent
from haiyiban.errors import Words
from haiyiban.identity.models import Account


async def about(session: AsyncSession, person_id: UUID) -> dict[str, Any]:
    """For `Zone.about`."""
    account = select(Account.id).where(Account.person_id == person_id).scalar_subquery()
    return {
        "capsules": await rows.told_all(
            session, Capsule, Capsule.account_id == account, without={"account_id", "ref"}
        ),
        "consents": await rows.told_all(
            session, Consent, Consent.person_id == person_id, without={"person_id"}
        ),
    }


WORDS = {
    "capsules": Words("手机上的离线码", "Codes kept on phones"),
    "consents": Words("对核验方的授权", "What I allowed verifiers"),
    "kind": Words("种类", "Kind"),
    "sessionId": Words("登录（内部编号）", "Sign-in (internal id)"),
    "issuedAt": Words("签发时间", "Issued at"),
    "withdrawnAt": Words("收回时间", "Withdrawn at"),
    "verificationId": Words("核验（内部编号）", "Verification (internal id)"),
    "decision": Words("我的答复", "My answer"),
    "certificateId": Words("证照（内部编号）", "Certificate (internal id)"),
}
