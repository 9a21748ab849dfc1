"""What a verification can come to, and what to tell the person at the counter.

Every outcome has a reason and a next step, in words that embarrass neither side: most refusals are a slow
hand or a busy network, and the holder is standing there.

Source: schemas/codes/README.md §3.
"""

from enum import StrEnum
from typing import NamedTuple

from haiyiban.errors import Words


class Outcome(StrEnum):
    """The result of a verification (核验结果); only `valid` lets anyone in."""

    VALID = "valid"
    MALFORMED = "malformed"
    UNKNOWN_ISSUER = "unknown_issuer"
    BAD_SIGNATURE = "bad_signature"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    DENIED = "denied"
    REVOKED = "revoked"
    SUSPENDED = "suspended"
    WRONG_KIND = "wrong_kind"
    NOT_ENTITLED = "not_entitled"
    CONSENT_PENDING = "consent_pending"
    CONSENT_REFUSED = "consent_refused"
    ALREADY_USED = "already_used"
    STALE_LISTS = "stale_lists"
    UNAVAILABLE = "unavailable"


class Explanation(NamedTuple):
    """Why it came out so, and what to do now."""

    reason: Words
    advice: Words


PRESENCE = "presence"
"""Why a code that is good otherwise may not be seen: nothing shows that its holder is here."""

CHALLENGE = "challenge"
"""Why the answer to a counter's challenge does not count: the challenge is too old, or another's."""


def explain(outcome: Outcome, because: str | None = None) -> Explanation:
    """The words for an outcome, and for its reason where it can have more than one."""
    return _REASONS.get((outcome, because)) or _EXPLANATIONS[outcome]


_REFRESH = Words("请对方刷新亮证码后再扫。", "Ask the holder to refresh the code, then scan again.")

PRESENTATION_PENDING = Explanation(
    Words("正在等待对方扫码并确认。", "Waiting for the holder to scan and confirm."),
    Words(
        "请对方扫柜台上的码，在海易办里选择并确认，5 分钟内有效。",
        "Ask the holder to scan the counter's code and to confirm in Haiyiban within 5 minutes.",
    ),
)
"""Of a request that nobody has scanned yet."""
NO_ANSWER = Explanation(
    Words("对方没有及时确认。", "The holder did not answer in time."),
    Words(
        "请对方打开海易办，刷新亮证码后再扫，并在手机上确认；也可改用其他证件。",
        "Ask the holder to open Haiyiban, scan a fresh code and confirm on the phone; or ask for another "
        "document.",
    ),
)
"""Of `consent_refused`, where nobody said no."""

_REASONS: dict[tuple[Outcome, str | None], Explanation] = {
    (Outcome.NOT_ENTITLED, PRESENCE): Explanation(
        Words(
            "此用途须确认持码人在场，手机离线出示的码不能证明这一点。",
            "This purpose needs the holder here, which a code that the phone drew alone does not show.",
        ),
        Words(
            "请对方用海易办扫柜台上的动态码后再出示，或在联网时刷新亮证码后再扫。",
            "Ask the holder to scan the counter's challenge in Haiyiban and show the code again, or to show "
            "a fresh code while online.",
        ),
    ),
}

_NEW_CHALLENGE = Words(
    "请在柜台上换一个新的动态码，请对方重新扫码后出示。",
    "Show a new challenge on the counter, have the holder scan it and show the code again.",
)
_REASONS |= {
    (Outcome.EXPIRED, CHALLENGE): Explanation(
        Words("柜台上的动态码已超过 60 秒。", "The counter's challenge is more than 60 seconds old."),
        _NEW_CHALLENGE,
    ),
    (Outcome.BAD_SIGNATURE, CHALLENGE): Explanation(
        Words("对方扫的不是本单位的柜台动态码。", "The holder answered the challenge of another verifier."),
        _NEW_CHALLENGE,
    ),
}

_EXPLANATIONS = {
    Outcome.VALID: Explanation(
        Words("核验通过。", "The code is valid."),
        Words("可以办理。", "You can go ahead."),
    ),
    Outcome.MALFORMED: Explanation(
        Words(
            "这不是海易办的亮证码，或没有扫完整。", "This is not a Haiyiban code, or it was not read in full."
        ),
        Words(
            "请对方打开海易办出示亮证码，调亮屏幕后再扫。",
            "Ask the holder to open the code in Haiyiban, brighten the screen, and scan again.",
        ),
    ),
    Outcome.UNKNOWN_ISSUER: Explanation(
        Words("不认识这个码的签发机构。", "The issuer of this code is not known here."),
        Words(
            "请更新核验终端的信任列表后再扫；仍不认识的，请对方改用其他证件。",
            "Update the terminal's trust list and scan again; if that fails, ask for another document.",
        ),
    ),
    Outcome.BAD_SIGNATURE: Explanation(
        Words(
            "码的签名对不上，内容可能被改动过。",
            "The signature does not match; the code may have been altered.",
        ),
        Words(
            "请对方在海易办里刷新亮证码后再扫；不要接受截图。",
            "Ask the holder to refresh the code in Haiyiban and scan again; do not accept a screenshot.",
        ),
    ),
    Outcome.NOT_YET_VALID: Explanation(
        Words(
            "这个码还没到生效时间，可能是一方的时钟不准。",
            "This code is not valid yet; one clock may be wrong.",
        ),
        Words(
            "请核对终端和对方手机的时间，稍后再扫。",
            "Check the time on the terminal and on the phone, then scan again.",
        ),
    ),
    Outcome.EXPIRED: Explanation(Words("这个码已过期。", "This code has expired."), _REFRESH),
    Outcome.DENIED: Explanation(Words("这个码已被收回。", "This code has been withdrawn."), _REFRESH),
    Outcome.REVOKED: Explanation(
        Words("这份证照已被撤销或更正。", "The certificate behind this code was revoked or corrected."),
        Words(
            "请对方在海易办查看最新证照，或联系发证部门。",
            "Ask the holder to open the latest certificate in Haiyiban, or to contact the issuing agency.",
        ),
    ),
    Outcome.SUSPENDED: Explanation(
        Words("这份证照目前暂停使用。", "The certificate behind this code is suspended for now."),
        Words("请对方联系发证部门。", "Ask the holder to contact the issuing agency."),
    ),
    Outcome.WRONG_KIND: Explanation(
        Words("码是真的，但不是这里要看的那一种。", "The code is genuine, but not of the kind needed here."),
        Words("请对方换成需要的码再扫。", "Ask the holder to show the kind that is needed, then scan again."),
    ),
    Outcome.NOT_ENTITLED: Explanation(
        Words(
            "您的单位没有为此用途查看这类码的权限。",
            "Your organisation may not see this kind for this purpose.",
        ),
        Words(
            "请核对所选用途；需要开通的，请联系平台管理员。",
            "Check the purpose you chose; to be given access, contact the platform's operator.",
        ),
    ),
    Outcome.CONSENT_PENDING: Explanation(
        Words("正在等待对方同意。", "Waiting for the holder's consent."),
        Words(
            "请对方在手机上确认，60 秒内有效。", "Ask the holder to answer on the phone within 60 seconds."
        ),
    ),
    Outcome.CONSENT_REFUSED: Explanation(
        Words("对方没有同意。", "The holder did not consent."),
        Words(
            "请说明用途，对方愿意时刷新后再扫；也可改用其他证件。",
            "Explain what it is for and scan a fresh code if the holder agrees, or ask for another document.",
        ),
    ),
    Outcome.ALREADY_USED: Explanation(
        Words("这个码已核验过一次。", "This code has been used once already."), _REFRESH
    ),
    Outcome.STALE_LISTS: Explanation(
        Words("核验终端的离线名单太旧，无法判断。", "This terminal's offline lists are too old to tell."),
        Words("请让终端联网更新后再扫。", "Connect the terminal so that it can update, then scan again."),
    ),
    Outcome.UNAVAILABLE: Explanation(
        Words(
            "暂时联系不上数据来源，无法核验。", "The source cannot be reached, so the code cannot be checked."
        ),
        Words(
            "请稍后再扫；急办的，请对方出示其他证件。",
            "Try again shortly; if it is urgent, ask for another document.",
        ),
    ),
}
