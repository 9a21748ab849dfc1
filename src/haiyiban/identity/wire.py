"""What crosses the wire at sign-in."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from haiyiban.wire import Input, Output

Transport = Literal["body", "cookie"]
Short = Annotated[str, Meta(max_length=40)]
Secret = Annotated[str, Meta(max_length=200)]


class SmsCodeCreate(Input):
    """The phone to send a code to; spaces, hyphens and +86 are taken out."""

    phone: Short


class SmsCodeRead(Output):
    """The same for every phone, known or not."""

    expires_in_seconds: int
    retry_after_seconds: int


class SmsSignIn(Input, tag_field="method", tag="sms"):
    """A resident signs in by a code. `deviceToken`: from an earlier sign-in on this device."""

    phone: Short
    code: Short
    transport: Transport = "body"
    device_token: Secret | None = None


class WechatSignIn(Input, tag_field="method", tag="wechat"):
    """A resident signs in from the mini program; `code` is what `wx.login` gave."""

    code: Secret
    transport: Transport = "body"
    device_token: Secret | None = None


class WechatTicketCreate(Input):
    """What `wx.login` gave the shell of the mini program."""

    code: Secret


class WechatTicketRead(Output):
    """A ticket for the page inside: good once, shown this once."""

    ticket: str
    expires_in_seconds: int


class WechatTicketSignIn(Input, tag_field="method", tag="wechat-ticket"):
    """The page inside the mini program signs in by the ticket that the shell was given."""

    ticket: Secret
    transport: Transport = "body"
    device_token: Secret | None = None


class StaffSignIn(Input, tag_field="method", tag="staff"):
    """A staff member signs in; with `newPassword`, that is their password from now on."""

    username: Secret
    password: Secret
    otp: Short | None = None
    new_password: Secret | None = None
    transport: Transport = "body"


class SessionRefresh(Input):
    """The refresh token; left out where it is in the cookie."""

    refresh_token: Secret | None = None


class Tokens(Output):
    """`refreshToken` is left out where it is a cookie; keep `deviceToken` for the next sign-in here."""

    access_token: str
    expires_in_seconds: int
    account_id: UUID
    refresh_token: str | None = None
    device_token: str | None = None


class SessionRead(Output):
    """One of my sessions."""

    id: UUID
    label: str
    current: bool
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    assurance: str | None = None


class SessionList(Output, omit_defaults=False):
    """All of my living sessions, newest first; `next` is always null."""

    items: list[SessionRead]
    next: str | None = None


class MePerson(Output):
    """Who I am, masked. `idType`, by GA/T 2000.156, only where it is not the identity card."""

    name: str
    id_number: str
    id_type: str | None = None


class MeRead(Output):
    """My account as this session may see it."""

    account_id: UUID
    assurance: str
    wechat: bool
    """Whether a WeChat user signs in to this account."""
    phone: str | None = None
    person: MePerson | None = None


class PhoneCreate(Input):
    """The phone to sign in with from now on, and the code that was sent to it."""

    phone: Short
    code: Short


class WechatCreate(Input):
    """The WeChat user to sign in with from now on, by what `wx.login` gave the mini program."""

    code: Secret


class RealNameCreate(Input):
    """My name and the number of my document; `idType` by GA/T 2000.156, 111 = resident identity card."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    id_number: Short
    id_type: Short = "111"


class AssuranceRead(Output):
    """The level of this session now. `next` says what is still missing, if anything."""

    assurance: str
    next: Literal["face-check"] | None = None


class FaceCheckRead(Output):
    """Send the person to `vendorUrl`; it comes back with a face token."""

    id: UUID
    vendor_url: str


class FaceCheckResult(Input):
    """What the vendor's page gave the person."""

    face_token: Secret
