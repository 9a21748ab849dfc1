"""What identity keeps of a person: the account, the person behind it, sessions, devices, face checks."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import rows
from haiyiban.errors import Words
from haiyiban.identity import persons
from haiyiban.identity.models import Account, Claim, Device, Document, FaceCheck, RealNameTry, SignIn


async def about(session: AsyncSession, person_id: UUID) -> dict[str, Any]:
    """For `Zone.about`. A claim of another session to be this person is told without the session."""
    mine = select(Account.id).where(Account.person_id == person_id).scalar_subquery()
    accounts = [
        rows.told(account, without={"person_id"}) | {"wechat": account.wechat_index is not None}
        for account in await rows.find(session, Account, Account.person_id == person_id)
    ]
    own = {"account_id", "person_id"}
    person = await persons.get(session, person_id)
    checks = (FaceCheck.person_id == person_id) | (FaceCheck.account_id == mine)
    claims = {"person_id", "session_id"}
    return {
        "account": accounts,
        "person": rows.told(person, without={"ref"}),
        "documents": await rows.told_all(session, Document, Document.person_id == person_id, without=own),
        "devices": await rows.told_all(session, Device, Device.account_id == mine, without=own),
        "sessions": await rows.told_all(session, SignIn, SignIn.account_id == mine, without=own),
        "faceChecks": await rows.told_all(
            session, FaceCheck, checks, without=own | {"session_id", "vendor_session"}
        ),
        "realNameTries": await rows.told_all(
            session, RealNameTry, RealNameTry.account_id == mine, without=own
        ),
        "claims": await rows.told_all(session, Claim, Claim.person_id == person_id, without=claims),
    }


WORDS = {
    "account": Words("账号", "Account"),
    "person": Words("本人", "Person"),
    "documents": Words("其他证件（只存比对值）", "Further documents (an index alone is kept)"),
    "devices": Words("登录过的设备", "Devices"),
    "sessions": Words("登录记录", "Sign-ins"),
    "faceChecks": Words("刷脸核验（不存照片）", "Face checks (no picture is kept)"),
    "realNameTries": Words("未通过的实名认证", "Real-name tries that failed"),
    "claims": Words("在其他会话中以您的名义提出的认证", "Claims of other sessions to be you"),
    "phone": Words("手机号码", "Phone"),
    "wechat": Words("已绑定微信", "WeChat linked"),
    "level": Words("认证等级", "Assurance level"),
    "language": Words("通知语言", "Language of notices"),
    "idType": Words("证件类型", "Kind of document"),
    "idNumber": Words("证件号码", "Document number"),
    "birth": Words("出生日期", "Born"),
    "trustedAt": Words("认证时间", "Confirmed on"),
    "deviceId": Words("设备", "Device"),
    "faceAt": Words("刷脸时间", "Face check at"),
    "label": Words("设备名称", "Label"),
    "lastUsedAt": Words("最近使用", "Last used"),
    "expiresAt": Words("到期时间", "Ends at"),
    "endedBecause": Words("结束原因", "Ended because"),
    "passed": Words("通过", "Passed"),
}
