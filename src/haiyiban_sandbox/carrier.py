"""A carrier (快递): parcels that a test or the demo sends, and their tracking."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from litestar import post
from litestar.di import NamedDependency
from msgspec import Meta

from haiyiban_sandbox.access import needs_key
from haiyiban_sandbox.faults import answer_badly
from haiyiban_sandbox.identity import parse_phone
from haiyiban_sandbox.people import Text
from haiyiban_sandbox.store import Store
from haiyiban_sandbox.wire import Asked, Wire, read

Number = Annotated[str, Meta(pattern=r"^[A-Za-z0-9]{5,32}\Z")]


class Scan(Wire):
    """One thing that happened to a parcel."""

    at: Annotated[datetime, Meta(tz=True)]
    state: Literal[
        "picked", "dispatched", "in_transit", "out_for_delivery", "delivered", "returned", "exception"
    ]
    place: Text | None = None


class Parcel(Wire, kw_only=True):
    """A parcel on its way. Posting it again replaces what was known of it."""

    carrier: Text = "demo"
    number: Number
    phone: str | None = None
    scans: list[Scan] = msgspec.field(default_factory=list)

    def __post_init__(self) -> None:
        if self.phone is not None:
            self.phone = parse_phone(self.phone)


class Track(Wire):
    """Ask where a parcel is."""

    carrier: Text
    number: Text


@post("/carrier/parcels")
async def send_parcel(request: Asked, store: NamedDependency[Store]) -> Parcel:
    """Send a parcel, or say what happened to it since."""
    parcel = await read(request, Parcel)
    keep(store, parcel)
    return parcel


@post(
    "/carrier/track",
    status_code=200,
    guards=[needs_key],
    before_request=answer_badly,
    opt={"register": "carrier"},
)
async def track(request: Asked, store: NamedDependency[Store]) -> dict[str, Any]:
    """Everything that happened to a parcel; one that is not known is `found: false`."""
    asked = await read(request, Track)
    found = store.rows("SELECT record FROM parcel WHERE number = ?", f"{asked.carrier}:{asked.number}")
    if not found:
        return {"found": False}
    parcel = msgspec.json.decode(found[0][0], type=Parcel)
    return {"found": True, "number": parcel.number, "phone": parcel.phone, "scans": parcel.scans}


def keep(store: Store, parcel: Parcel) -> None:
    """Note a parcel."""
    key = f"{parcel.carrier}:{parcel.number}"
    store.execute("INSERT OR REPLACE INTO parcel VALUES (?, ?)", key, msgspec.json.encode(parcel))
