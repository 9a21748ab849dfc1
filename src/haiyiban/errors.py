"""Refusals, as RFC 9457 problems.

A refusal is a subclass of `Problem` beside the rule that refuses:

    class AlreadyClaimed(Problem):
        status = 409
        type = "duty-free/already-claimed"
        title = Words("您已领取过本场消费券", "You have already claimed a voucher here")

Words for people are always a pair, Chinese first; the edge picks one by Accept-Language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

type_prefix = "/problems/"


class Words(NamedTuple):
    """The same sentence in Chinese and in English."""

    zh: str
    en: str

    def in_language(self, language: str) -> str:
        """The sentence for a language tag; Chinese unless English is asked for."""
        return self.en if language.startswith("en") else self.zh


class FieldError(NamedTuple):
    """What is wrong with one field: an RFC 6901 pointer and words that say how to mend it."""

    pointer: str
    message: Words


class Problem(Exception):
    """A request that we understood and will not carry out, with the reason and the way out."""

    status: ClassVar[int] = 422
    type: ClassVar[str] = "kernel/refused"
    title: ClassVar[Words] = Words("无法办理", "This cannot be done")
    commits: ClassVar[bool] = False
    """True where the refusal is itself a fact to keep, such as a wrong try that counts."""
    is_recorded: ClassVar[bool] = True
    """False where a crowd is refused alike and nobody tried a door: a record of each in the audit would cost
    more than all the rest. The figures and the access log have them."""

    def __init__(
        self,
        detail: Words | None = None,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(self.type)
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.members = dict(members or {})

    @property
    def slug(self) -> str:
        """The last segment of the type, which clients compare and the audit keeps."""
        return self.type.rsplit("/", 1)[-1]

    def document(self, language: str) -> dict[str, Any]:
        """The problem as its JSON members, in one language."""
        document: dict[str, Any] = {
            "type": type_prefix + self.type,
            "title": self.title.in_language(language),
            "status": self.status,
        }
        if self.detail is not None:
            document["detail"] = self.detail.in_language(language)
        if self.errors:
            document["errors"] = [
                {"pointer": error.pointer, "message": error.message.in_language(language)}
                for error in self.errors
            ]
        return document | self.members


class Malformed(Problem):
    """The request is not what its schema says."""

    status = 400
    type = "kernel/malformed"
    title = Words("请求格式不对", "The request is malformed")


class TooLarge(Problem):
    """The body is over the limit of this operation."""

    status = 413
    type = "kernel/too-large"
    title = Words("提交的内容太大", "The request is too large")


class TooSlow(Problem):
    """The body did not come in time: whoever sends a byte now and then must not hold a connection."""

    status = 408
    type = "kernel/too-slow"
    title = Words(
        "网络太慢，没有传完；请换到信号好的地方再试，已填写的内容都在",
        "The line is too slow and not all of it came; try again where it is better, nothing is lost",
    )
    is_recorded = False

    def __init__(self) -> None:
        super().__init__(headers={"Connection": "close"})


class NotSignedIn(Problem):
    """No valid access token came with the request."""

    status = 401
    type = "identity/not-signed-in"
    title = Words("请先登录", "Please sign in first")

    def __init__(self, detail: Words | None = None) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"})


class NotAllowed(Problem):
    """The caller is known and may not do this."""

    status = 403
    type = "identity/not-allowed"
    title = Words("您没有办理此事的权限", "You may not do this")


class NotFound(Problem):
    """Nothing is here; also said of what belongs to somebody else."""

    status = 404
    type = "kernel/not-found"
    title = Words("没有找到", "Not found")


class Conflict(Problem):
    """Somebody was faster; the members carry what is true now."""

    status = 409
    type = "kernel/conflict"
    title = Words("内容已被更新，请刷新后再试", "This has changed meanwhile; reload and try again")


class Stale(Problem):
    """If-Match names a version that is no longer the newest."""

    status = 412
    type = "kernel/stale"
    title = Words("版本已过期，请刷新后再试", "Your version is stale; reload and try again")


class TooMany(Problem):
    """A limit was reached; Retry-After says when to come again."""

    status = 429
    type = "kernel/too-many-requests"
    title = Words("操作太频繁，请稍后再试", "Too many requests; please try again later")

    def __init__(self, retry_after_seconds: int, detail: Words | None = None) -> None:
        super().__init__(detail, headers={"Retry-After": str(max(1, retry_after_seconds))})


class Unavailable(Problem):
    """Something we stand on does not answer; nothing was changed."""

    status = 503
    type = "kernel/unavailable"
    title = Words("系统繁忙，请稍后再试，您的内容没有丢失", "Temporarily unavailable; please try again")

    def __init__(self, detail: Words | None = None, *, retry_after_seconds: int = 2) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after_seconds)})
