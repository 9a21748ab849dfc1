"""Tables of accounts, the persons behind them, their sessions and the staff."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, ForeignKey, Identity, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from haiyiban.db import Base
from haiyiban.sealed import Sealed


class Person(Base):
    """A person known by a document: a natural one (自然人), or an enterprise by its credit code (法人). Cases
    and certificates belong to it.

    There are persons without an account, such as a child whose parent applies for it; an enterprise never has
    one.
    """

    __tablename__ = "identity_person"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    ref: Mapped[int] = mapped_column(BigInteger, Identity(always=True, maxvalue=2**40 - 1), unique=True)
    """Row number of 40 bits, which an identity code carries inside its cti."""
    name_sealed: Mapped[bytes]
    name = Sealed()
    id_type: Mapped[str]
    """Kind of document, by the codes of GA/T 2000.156; 111 is the resident identity card."""
    id_number_sealed: Mapped[bytes]
    id_number = Sealed()
    id_number_index: Mapped[bytes] = mapped_column(unique=True)
    """Blind index of kind and number."""
    birth_sealed: Mapped[bytes | None]
    birth = Sealed()
    """ISO date, of a person whose number does not say it and whose register does (`persons.birth_of`)."""
    created_at: Mapped[datetime]


class Document(Base):
    """A document that an authority says is a person's, beside the one in the person's own row (证件).

    So a passport and a permit, or a passport and an identity card, lead to one person. Only the blind index
    is kept: enough to know the document again, and nothing that it says.
    """

    __tablename__ = "identity_document"

    id_number_index: Mapped[bytes] = mapped_column(primary_key=True)
    """Blind index of kind and number, made as the one of `Person`."""
    person_id: Mapped[UUID] = mapped_column(ForeignKey("identity_person.id"), index=True)
    created_at: Mapped[datetime]


class Account(Base):
    """What a phone or a WeChat user signs in to (账号). It may be bound to the person who holds them."""

    __tablename__ = "identity_account"
    __table_args__ = (CheckConstraint("(person_id IS NULL) = (level = 'L1')", name="level"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    phone_sealed: Mapped[bytes | None]
    phone = Sealed()
    """None once the number was issued to somebody else."""
    phone_index: Mapped[bytes | None] = mapped_column(unique=True)
    wechat_index: Mapped[bytes | None] = mapped_column(unique=True)
    """Blind index of the WeChat user (openid) who signs in to it; the openid itself is not kept."""
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("identity_person.id"), unique=True)
    level: Mapped[str]
    """The assurance level reached; a known device signs in at it again."""
    language: Mapped[str]
    """zh-CN or en: the language of the notices."""
    created_at: Mapped[datetime]


class Device(Base):
    """A device that signed in to an account; known by a token that it keeps."""

    __tablename__ = "identity_device"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("identity_account.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    trusted_at: Mapped[datetime | None]
    """When the account's person was confirmed on it; without it, it signs in at L1."""
    created_at: Mapped[datetime]


class Staff(Base):
    """A clerk, an enrolment officer or an operator (工作人员)."""

    __tablename__ = "identity_staff"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    password_told_to: Mapped[UUID | None]
    """The operator who was told this password to hand it over; None once its holder chose their own."""
    otp_secret_sealed: Mapped[bytes | None]
    otp_secret = Sealed()
    otp_last_step: Mapped[int | None]
    """The 30-second step of the last one-time password that was accepted; none before it is again."""
    otp_told_to: Mapped[UUID | None]
    """The operator who was told the secret to hand it over."""
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    agency: Mapped[str]
    """The agency, by the name that the matters give it (`handledBy`)."""
    division: Mapped[str]
    """Division whose subtree this person handles."""
    change: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """{roles, agency, division} that one operator asked for and another has not given yet."""
    change_by: Mapped[UUID | None]
    """The operator who asked."""
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class SignIn(Base):
    """A session (会话): one sign-in of an account or of staff, until it is ended."""

    __tablename__ = "identity_session"
    __table_args__ = (
        CheckConstraint("num_nonnulls(account_id, staff_id) = 1", name="owner"),
        CheckConstraint("(account_id IS NULL) = (level IS NULL)", name="level"),
        # What ended of late withdraws the codes on its phone.
        Index("ix_identity_session_ended_at", "ended_at", postgresql_where="ended_at IS NOT NULL"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("identity_account.id"), index=True)
    staff_id: Mapped[UUID | None] = mapped_column(ForeignKey("identity_staff.id"), index=True)
    device_id: Mapped[UUID | None] = mapped_column(ForeignKey("identity_device.id"))
    level: Mapped[str | None]
    """The assurance level of this session; from L2 on the account's person may be shown in it."""
    face_at: Mapped[datetime | None]
    wechat_index: Mapped[bytes | None]
    """The WeChat user who opened it: goes along when a face moves the session to another account."""
    label: Mapped[str]
    """What the owner recognises it by, such as 微信 · iPhone."""
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_because: Mapped[str | None]


class RefreshToken(Base):
    """A refresh token of a session, as a hash; the session is its family."""

    __tablename__ = "identity_refresh_token"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("identity_session.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None] = mapped_column(index=True)


class SmsCode(Base):
    """A sign-in code on its way to a phone (验证码)."""

    __tablename__ = "identity_sms_code"
    __table_args__ = (Index("ix_identity_sms_code_phone", "phone_index", "created_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    phone_index: Mapped[bytes]
    code_hash: Mapped[bytes]
    """Keyed and bound to the row: six digits could be tried out."""
    created_at: Mapped[datetime] = mapped_column(index=True)
    tries: Mapped[int] = mapped_column(default=0)
    used_at: Mapped[datetime | None]


class WechatTicket(Base):
    """What lets a page sign in the WeChat user whom the shell has just asked for: once, within a minute."""

    __tablename__ = "identity_wechat_ticket"

    ticket_hash: Mapped[bytes] = mapped_column(primary_key=True)
    """SHA-256 of 32 random bytes: whoever reads the table can sign in nobody."""
    wechat_index: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]


class StaffFailure(Base):
    """A sign-in of staff that failed, by name given and network address."""

    __tablename__ = "identity_staff_failure"
    __table_args__ = (Index("ix_identity_staff_failure_username", "username_index", "address", "at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    username_index: Mapped[bytes]
    """Blind index: people type passwords into this field."""
    address: Mapped[str]
    at: Mapped[datetime]


class RealNameTry(Base):
    """A name and number given by an account that the population register has not confirmed."""

    __tablename__ = "identity_real_name_try"
    __table_args__ = (Index("ix_identity_real_name_try_account", "account_id", "at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("identity_account.id"))
    at: Mapped[datetime]


class Claim(Base):
    """A session's claim to be a person bound elsewhere, or other than its account's: a face decides."""

    __tablename__ = "identity_claim"

    session_id: Mapped[UUID] = mapped_column(ForeignKey("identity_session.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("identity_person.id"))
    created_at: Mapped[datetime]


class FaceCheck(Base):
    """One face check with the vendor (实人核验). No image ever comes here."""

    __tablename__ = "identity_face_check"
    __table_args__ = (
        Index("ix_identity_face_check_account", "account_id", "settled_at"),
        CheckConstraint("(settled_at IS NULL) = (passed IS NULL)", name="settled"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("identity_session.id"), index=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("identity_account.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("identity_person.id"))
    """Whose face it must be."""
    vendor_session: Mapped[str]
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    passed: Mapped[bool | None]
