"""The platform that moves insurance records between provinces (关系转移接续).

A letter of an id is taken in once: sent again it gets the same receipt, another letter under that id is
refused. Once it is taken in, the insurance register knows the person at the new place.
"""

from datetime import date
from typing import Annotated

import msgspec
from litestar import post
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException
from msgspec import Meta

from haiyiban_sandbox.access import needs_key
from haiyiban_sandbox.faults import answer_badly
from haiyiban_sandbox.identity import parse_number
from haiyiban_sandbox.people import IdType, Place, SocialInsurance, Text, TransferredIn
from haiyiban_sandbox.problems import Malformed
from haiyiban_sandbox.store import Store
from haiyiban_sandbox.wire import Asked, Wire, read

Months = Annotated[int, Meta(ge=0, le=1200)]


class Letter(Wire):
    """What moves with somebody, from where to where."""

    id: Text
    id_number: str
    id_type: IdType
    from_: Place = msgspec.field(name="from")
    to: Place
    paid_months: Months
    months_left: Annotated[int, Meta(ge=0, le=24)]
    amount_fen: Annotated[int, Meta(ge=0)]
    on: date

    def __post_init__(self) -> None:
        self.id_number = parse_number(self.id_type, self.id_number)


class Receipt(Wire):
    """The letter has come in."""

    id: str


@post(
    "/insurance-transfers",
    status_code=200,
    guards=[needs_key],
    before_request=answer_badly,
    opt={"register": "insurance_transfers"},
)
async def take_in(request: Asked, store: NamedDependency[Store]) -> Receipt:
    """Take a letter in, once."""
    letter = await read(request, Letter)
    record = msgspec.json.encode(letter)
    with store.transaction():
        known = store.rows("SELECT record FROM insurance_letter WHERE id = ?", letter.id)
        if known and known[0][0] != record:
            raise HTTPException("another letter has this id", status_code=409)
        if not known:
            store.execute("INSERT INTO insurance_letter VALUES (?, ?)", letter.id, record)
            _move(store, letter)
    return Receipt(letter.id)


def _move(store: Store, letter: Letter) -> None:
    person = store.holder(letter.id_number, letter.id_type)
    if person is None:
        raise Malformed("nobody is known under this number")
    before = person.social_insurance
    person.social_insurance = SocialInsurance(
        months=letter.paid_months,
        division=letter.to,
        stopped_on=before.stopped_on if before else None,
        stop_reason=before.stop_reason if before else None,
        transferred_in=TransferredIn(
            letter=letter.id, from_=letter.from_, months_left=letter.months_left, on=letter.on
        ),
    )
    store.change(person)
