"""Who signs in from WeChat: the code that a phone was given, exchanged server to server.

WeChat's session key, which could read what its user shares with the mini program, is not kept.
Source: WeChat mini programs, server API `auth.code2Session`.
"""

from __future__ import annotations

import logging

import msgspec

from haiyiban import db
from haiyiban.errors import FieldError, Problem, Words
from haiyiban.registers.client import current
from haiyiban.registers.identity import RegisterUnavailable
from haiyiban.registers.line import NoAnswer
from haiyiban.registers.sources import WECHAT
from haiyiban.settings import Settings

log = logging.getLogger(__name__)

_CODE_IS_BAD = frozenset({40029, 40163, 41008})
"""Invalid or expired, used before, missing: the phone has to ask for a new one."""


class WechatNotOffered(Problem):
    """This deployment has no mini program to sign in from."""

    type = "identity/not-offered"
    title = Words(
        "暂不支持微信登录，请用短信验证码登录", "Signing in by WeChat is not open here; use an SMS code"
    )


class WechatCodeRefused(Problem):
    """WeChat does not take the code: a phone's code is good once, for five minutes."""

    type = "identity/wechat-code-refused"
    title = Words("微信登录已失效，请重新点一次「微信登录」", "Please tap “sign in with WeChat” once more")

    def __init__(self) -> None:
        super().__init__(errors=[FieldError("/code", self.title)])


class _Answer(msgspec.Struct):
    openid: str = ""
    errcode: int = 0


_read = msgspec.json.Decoder(_Answer).decode


async def wechat_user(code: str) -> str:
    """The openid of the WeChat user who was given this code: theirs for good, within our mini program.

    Raises WechatNotOffered, WechatCodeRefused, RegisterUnavailable.
    """
    db.require_no_transaction()
    settings = Settings.from_env()
    if not settings.wechat_app_id:
        raise WechatNotOffered
    question = {
        "appid": settings.wechat_app_id,
        "secret": settings.wechat_secret,
        "js_code": code,
        "grant_type": "authorization_code",
    }
    try:
        answer = await current().lines["wechat"].get("/sns/jscode2session", question, read=_read)
    except NoAnswer:
        raise RegisterUnavailable(WECHAT) from None
    if answer.errcode in _CODE_IS_BAD:
        raise WechatCodeRefused
    if answer.errcode or not answer.openid:
        # Our own app id or secret, or WeChat's bad day: nothing that the person at the phone can mend.
        log.error("wechat: refused with errcode %d", answer.errcode)
        raise RegisterUnavailable(WECHAT)
    return answer.openid
