"""WeChat (微信) as a mini program's server meets it: a phone's login code is exchanged for who it is."""

import secrets
from hashlib import sha256
from typing import Annotated, Any
from urllib.parse import parse_qs

from litestar import get, post
from litestar.di import NamedDependency
from msgspec import Meta

from haiyiban_sandbox.clock import Clock
from haiyiban_sandbox.faults import answer_badly
from haiyiban_sandbox.wire import Asked, Wire, read

APP_ID, SECRET = "wx-haiyiban-demo", "sandbox"
CODE_LIVES_SECONDS = 300
_INVALID_APP_ID, _INVALID_CODE, _INVALID_SECRET, _USED_CODE = 40013, 40029, 40125, 40163
_MEANING = {
    _INVALID_APP_ID: "invalid appid",
    _INVALID_CODE: "invalid code",
    _INVALID_SECRET: "invalid appsecret",
    _USED_CODE: "code been used",
}


class WechatCodeCreate(Wire):
    """Whose phone calls `wx.login`; any name stands for one WeChat user, a new one where none is given."""

    user: Annotated[str, Meta(min_length=1, max_length=64)] | None = None


class LoginCodes:
    """Codes that phones hold, as (openid, when it was made). They live five minutes, so memory will do."""

    def __init__(self) -> None:
        self.waiting: dict[str, tuple[str, float]] = {}
        self.used: dict[str, float] = {}

    def make(self, openid: str, *, at: float) -> str:
        oldest = at - CODE_LIVES_SECONDS
        self.waiting = {code: found for code, found in self.waiting.items() if found[1] > oldest}
        self.used = {code: used for code, used in self.used.items() if used > oldest}
        code = secrets.token_hex(16)
        self.waiting[code] = (openid, at)
        return code

    def redeem(self, code: str, *, at: float) -> str | int:
        """The openid, or the error code that WeChat would give."""
        if code in self.used:
            return _USED_CODE
        openid, made = self.waiting.pop(code, ("", float("-inf")))
        if at - made > CODE_LIVES_SECONDS:
            return _INVALID_CODE
        self.used[code] = at
        return openid


@post("/wechat/codes")
async def login(
    request: Asked, clock: NamedDependency[Clock], codes: NamedDependency[LoginCodes]
) -> dict[str, str]:
    """What `wx.login` gives the mini program on a phone: a code for one sign-in."""
    asked = await read(request, WechatCodeCreate)
    openid = openid_of(asked.user or secrets.token_hex(8))
    return {"code": codes.make(openid, at=clock.now().timestamp()), "openid": openid}


@get("/sns/jscode2session", before_request=answer_badly, opt={"register": "wechat"})
async def jscode2session(
    request: Asked, clock: NamedDependency[Clock], codes: NamedDependency[LoginCodes]
) -> dict[str, Any]:
    """WeChat's own call, with its own names and its way to say no: 200 with `errcode`."""
    asked = {name: values[0] for name, values in parse_qs(request.url.query).items()}
    if asked.get("appid") != APP_ID:
        return _refusal(_INVALID_APP_ID)
    if asked.get("secret") != SECRET:
        return _refusal(_INVALID_SECRET)
    found = codes.redeem(asked.get("js_code", ""), at=clock.now().timestamp())
    if isinstance(found, int):
        return _refusal(found)
    return {"session_key": secrets.token_urlsafe(16), "openid": found}


def openid_of(user: str) -> str:
    """The same 28 characters for the same user of this mini program."""
    return f"o{sha256(f'{APP_ID}|{user}'.encode()).hexdigest()[:27]}"


def _refusal(code: int) -> dict[str, Any]:
    return {"errcode": code, "errmsg": f"{_MEANING[code]}, rid: {secrets.token_hex(8)}"}
