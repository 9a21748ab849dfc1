"""What crosses the wire about delegations."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from haiyiban.delegations.making import Terms
from haiyiban.delegations.rules import Notify
from haiyiban.wire import Input, Output

Name = Annotated[str, Meta(min_length=1, max_length=100)]
Short = Annotated[str, Meta(max_length=40)]
Side = Literal["giver", "taker"]


class Bounds(Input, kw_only=True):
    """Which matters, until when, how often, who is told, and the hash of the text that was read.

    `until` is the last day; `times` how many cases may be opened, left out for as many as needed; `notices`
    who is told about them: giver, taker or both; `consent` the `hash` of `GET /texts/delegation`, for a
    guardian of `GET /texts/guardianship`.
    """

    matters: Annotated[list[Annotated[str, Meta(max_length=100)]], Meta(min_length=1, max_length=50)]
    until: date
    times: Annotated[int, Meta(ge=1, le=1000)] | None = None
    notices: Notify = Notify.BOTH
    consent: Annotated[str, Meta(max_length=64)]

    def terms(self) -> Terms:
        """The bounds as the rules take them."""
        return Terms(
            matters=self.matters,
            until=self.until,
            times=self.times,
            notify=self.notices,
            consent=self.consent,
        )


class TakerName(Input):
    """Who is to act."""

    name: Name
    id_number: Short


class GiverNumber(Input):
    """For whom somebody is to act; the registers know the name."""

    id_number: Short


class AgreementCreate(Bounds, kw_only=True, tag_field="basis", tag="agreement"):
    """I let somebody act for me; they accept it."""

    taker: TakerName


class ParentCreate(Bounds, kw_only=True, tag_field="basis", tag="adult_child"):
    """I, an adult, am to act for a parent, whose face agrees on this device."""

    giver: GiverNumber


class GuardianCreate(Bounds, kw_only=True, tag_field="basis", tag="guardian"):
    """I act for my minor child as guardian."""

    giver: GiverNumber


class Witness(Input):
    """Who saw the giver sign."""

    name: Name
    phone: Short


class PaperCreate(Input):
    """What is recorded of the signed paper: SHA-256 of the scan in hex, where it is filed, when it was signed
    and before whom."""

    document_hash: Annotated[str, Meta(pattern="^[0-9a-fA-F]{64}$")]
    reference: Annotated[str, Meta(min_length=1, max_length=200)]
    signed_on: date
    witness: Witness


class PaperGiver(Input):
    """For whom a village agent is to act; the phone is told of what is done."""

    name: Name
    id_number: Short
    phone: Short | None = None


class PaperDelegationCreate(Bounds, kw_only=True):
    """A villager lets me, the village agent, act for them, by a paper."""

    giver: PaperGiver
    paper: PaperCreate


class FaceToken(Input):
    """What the vendor's page gave."""

    face_token: Annotated[str, Meta(max_length=200)]


class FaceCheckBegun(Output):
    """Show `vendorUrl` to the giver on this device."""

    id: UUID
    vendor_url: str


class PartyRead(Output):
    """One side, masked. A village agent has a `unit` and no number."""

    name: str
    id_number: str | None = None
    unit: str | None = None


class DelegatedMatter(Output):
    """A matter in which somebody may act."""

    code: str
    name: str


class PaperRead(Output):
    """The signed paper."""

    document_hash: str
    reference: str
    signed_on: date
    witness: str


class DelegationRead(Output, kw_only=True, omit_defaults=False):
    """A delegation as one of its sides sees it. `onBehalfOf` of `POST /cases` takes its `id`.

    `state`: awaits_taker, awaits_giver, active, used_up (open cases go on, none is opened), expired, ended.
    """

    id: UUID
    basis: str
    state: str
    side: Side
    """Which side I am."""
    role: str | None
    """Of an enterprise: legal_representative, finance or clerk."""
    giver: PartyRead
    taker: PartyRead
    matters: list[DelegatedMatter]
    until: date
    times: int | None
    used: int
    notices: str
    text: str
    """The text that was agreed to, with its version."""
    text_hash: str
    made_at: datetime
    giver_agreed_at: datetime | None
    taker_agreed_at: datetime | None
    ended_at: datetime | None
    ended_by: str | None
    paper: PaperRead | None
