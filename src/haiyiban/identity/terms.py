"""How long sign-in keeps what it knows."""

from __future__ import annotations

from datetime import timedelta

from haiyiban.errors import Words
from haiyiban.identity import rules
from haiyiban.identity.models import (
    Account,
    Claim,
    Device,
    Document,
    FaceCheck,
    Person,
    RealNameTry,
    RefreshToken,
    SignIn,
    SmsCode,
    Staff,
    StaffFailure,
    WechatTicket,
)
from haiyiban.identity.revocations import Revocation
from haiyiban.terms import Ending, Term

_LIMIT_OVER = Words(
    "次数限制不再看它（个人信息保护法 第19条）", "No limit looks at it any more (PIPL, art. 19)"
)
_SESSIONS_KEPT = timedelta(days=180)

TERMS = (
    Term(
        data_class="identity.persons",
        what=Words("姓名、证件号码（加密）", "Names and document numbers, sealed"),
        tables=(Person, Document),
        kept=Words("与记录此人的其他数据同期", "as long as something else that is kept is the person's"),
        why=Words(
            "依法保存的记录须能对应到人（个人信息保护法 第47条第二款）",
            "What is kept by law must be somebody's (PIPL, art. 47)",
        ),
    ),
    Term(
        data_class="identity.accounts",
        what=Words("账号和可信设备", "Accounts and trusted devices"),
        tables=(Account, Device),
        kept=Words("至注销账号；注销后只留空行", "until the account is closed; then its row is empty"),
        why=Words(
            "本人登录所需（个人信息保护法 第13条、第47条）", "One signs in by them (PIPL, art. 13, 47)"
        ),
    ),
    Term(
        data_class="identity.staff",
        what=Words("工作人员账号", "Accounts of staff"),
        tables=(Staff,),
        kept=Words("与审计日志同期；离任即停用", "as long as the audit; disabled when somebody leaves"),
        why=Words(
            "审计须能指明何人所为（GB/T 22239-2019 安全审计）", "The audit says who did it (GB/T 22239-2019)"
        ),
    ),
    Term(
        data_class="identity.sessions",
        what=Words("登录记录和实人核验记录（不含图像）", "Sign-ins and face checks, without any image"),
        tables=(SignIn, Claim, FaceCheck),
        kept=Words("登录到期后 180 天", "180 days after the sign-in expired"),
        why=Words(
            "网络日志留存不少于六个月（网络安全法 2016 第21条第三项），此后不再需要",
            "Network logs are kept for six months at least (Cybersecurity Law 2016, art. 21(3)); needed no "
            "longer",
        ),
        ending=Ending(
            table=SignIn,
            since=SignIn.expires_at,
            after=_SESSIONS_KEPT,
            along=(RefreshToken.session_id, Claim.session_id, FaceCheck.session_id),
        ),
    ),
    Term(
        data_class="identity.refresh-tokens",
        what=Words("用过的刷新令牌（哈希）", "Used refresh tokens, hashed"),
        tables=(RefreshToken,),
        kept=Words("使用后 30 天", "30 days after their use"),
        # Presented again it is refused from then on, but no longer ends its session.
        why=Words(
            "与会话最长寿命相同：再次出示说明被盗用，会话即终止",
            "As long as a session lives: presented again, somebody has a copy, and the session ends",
        ),
        ending=Ending(table=RefreshToken, since=RefreshToken.used_at, after=rules.RESIDENT_SESSION),
    ),
    Term(
        data_class="identity.sms-codes",
        what=Words("登录验证码（哈希）", "Sign-in codes, hashed"),
        tables=(SmsCode,),
        kept=Words("发送后 2 天", "2 days after they were sent"),
        why=_LIMIT_OVER,
        ending=Ending(table=SmsCode, since=SmsCode.created_at, after=2 * rules.DAY),
    ),
    Term(
        data_class="identity.wechat-tickets",
        what=Words("微信登录凭据（哈希）", "Tickets of WeChat sign-in, hashed"),
        tables=(WechatTicket,),
        kept=Words("签发后 24 小时", "24 hours after they were given"),
        why=Words("一分钟内有效，用后无目的", "Good for a minute, and without a purpose after that"),
        ending=Ending(table=WechatTicket, since=WechatTicket.created_at, after=rules.DAY),
    ),
    Term(
        data_class="identity.staff-failures",
        what=Words("工作人员登录失败记录", "Sign-ins of staff that failed"),
        tables=(StaffFailure,),
        kept=Words("失败后 2 天；审计另有记录", "2 days after they failed; the audit has them too"),
        why=_LIMIT_OVER,
        ending=Ending(table=StaffFailure, since=StaffFailure.at, after=2 * rules.DAY),
    ),
    Term(
        data_class="identity.real-name-tries",
        what=Words("实名失败次数", "Real names given that were not confirmed"),
        tables=(RealNameTry,),
        kept=Words("填写后 2 天", "2 days after they were given"),
        why=_LIMIT_OVER,
        ending=Ending(table=RealNameTry, since=RealNameTry.at, after=2 * rules.DAY),
    ),
    Term(
        data_class="identity.revocations",
        what=Words("提前失效的访问令牌名单", "Whose access tokens are refused before their end"),
        tables=(Revocation,),
        kept=Words("至令牌到期", "until the tokens have expired"),
        why=Words("过期令牌本已无效", "An expired token is refused anyway"),
        ending=Ending(table=Revocation, since=Revocation.expires_at, after=timedelta()),
    ),
)
