"""The market-entity register (市场主体登记库): what an enterprise is, who speaks for it, its licences.

Asked by credit code. Source: docs/domain.md §1.3.
"""

from datetime import date, timedelta
from typing import Annotated, Literal

import msgspec
from litestar import post
from litestar.di import NamedDependency
from msgspec import Meta, Struct

from haiyiban_sandbox.access import needs_key
from haiyiban_sandbox.clock import Clock
from haiyiban_sandbox.facts import Facts
from haiyiban_sandbox.faults import answer_badly
from haiyiban_sandbox.identity import identity_number, parse_identity_number
from haiyiban_sandbox.people import Division, Text
from haiyiban_sandbox.store import Store
from haiyiban_sandbox.wire import Asked, Wire, read

CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def parse_credit_code(text: str) -> str:
    """A unified social credit code in its one written form. Source: GB 32100-2015."""
    code = text.strip().upper()
    if len(code) != 18 or not set(code) <= set(CHARACTERS):
        raise ValueError("a credit code has 18 characters, and never I, O, S, V or Z")
    total = sum(CHARACTERS.index(character) * pow(3, at, 31) for at, character in enumerate(code[:17]))
    if CHARACTERS[-total % 31] != code[17]:
        raise ValueError("the credit code has a wrong check character")
    return code


class Representative(Wire):
    """The legal representative (法定代表人), or a sole trader (经营者)."""

    name: Text
    id_number: str

    def __post_init__(self) -> None:
        self.id_number = parse_identity_number(self.id_number)


class Licence(Wire):
    """A licence that the enterprise holds (许可证), valid on both days named."""

    number: Text
    issued_on: date
    valid_until: date
    scope: Text


class Enterprise(Wire, kw_only=True):
    """One market entity as registered; posted again, it replaces what was known."""

    credit_code: str
    name: Text
    kind: Literal["company", "sole_trader", "cooperative"] = "company"
    division: Division
    address: Text
    status: Literal["in_business", "revoked", "cancelled"] = "in_business"
    registered_on: date
    term_until: date | None = None
    """The last day of the business term (营业期限); None without an end."""
    representative: Representative
    licences: Annotated[dict[str, Licence], Meta(max_length=20)] = {}
    """By kind, such as `food-business`."""

    def __post_init__(self) -> None:
        self.credit_code = parse_credit_code(self.credit_code)


class Query(Wire):
    """Ask about one enterprise, by its credit code."""

    id_number: str
    id_type: Literal["uscc"]

    def __post_init__(self) -> None:
        self.id_number = parse_credit_code(self.id_number)


@post("/enterprises")
async def add_enterprise(request: Asked, store: NamedDependency[Store]) -> Enterprise:
    """Add or replace an enterprise in the register."""
    enterprise = await read(request, Enterprise)
    put(store, enterprise)
    return enterprise


@post(
    "/registers/market-entity/query",
    status_code=200,
    guards=[needs_key],
    before_request=answer_badly,
    opt={"register": "market_entity"},
)
async def query(request: Asked, store: NamedDependency[Store], clock: NamedDependency[Clock]) -> Facts:
    """What is registered under a credit code; `found: false` where nothing is."""
    asked = await read(request, Query)
    head: Facts = {"found": False, "source": "省市场监督管理局市场主体登记库", "asOf": clock.now()}
    rows = store.rows("SELECT record FROM enterprise WHERE credit_code = ?", asked.id_number)
    return head | {"found": True} | msgspec.json.decode(rows[0][0]) if rows else head


def put(store: Store, enterprise: Enterprise, *, about: str | None = None) -> None:
    """Register an enterprise; with `about` it is shown to who tries the demo."""
    store.execute(
        "INSERT OR REPLACE INTO enterprise VALUES (?, ?, ?)",
        enterprise.credit_code,
        msgspec.json.encode(enterprise),
        about,
    )


class DemoEnterprise(Struct, rename="camel"):
    """One entry of demo.json's `enterprises`; its representative is one of the residents."""

    name: str
    credit_code: str
    representative: str
    about: str


def demo_enterprises(store: Store) -> list[DemoEnterprise]:
    """Whom a visitor of the demo can sign in for."""
    rows = store.rows("SELECT record, about FROM enterprise WHERE about IS NOT NULL ORDER BY rowid")
    offered = []
    for record, about in rows:
        found = msgspec.json.decode(record, type=Enterprise)
        offered.append(
            DemoEnterprise(
                name=found.name,
                credit_code=found.credit_code,
                representative=found.representative.name,
                about=about,
            )
        )
    return offered


def load(store: Store, *, today: date) -> None:
    """The enterprises of the demo. Their representatives are residents of cast_special.py."""
    owner = Representative(name="梁参保", id_number=identity_number("460105", date(1983, 1, 5), sequence=27))
    trader = Representative(
        name="罗待业", id_number=identity_number("460105", date(1981, 5, 21), sequence=29)
    )
    put(
        store,
        Enterprise(
            credit_code="91460100MA5T0ABC8D",
            name="海口样例餐饮有限公司",
            division="460105",
            address="海南省海口市秀英区海秀街道样例路8号",
            registered_on=today - timedelta(days=1700),
            representative=owner,
            licences={
                "food-business": Licence(
                    number="JY24601050000018",
                    issued_on=today - timedelta(days=1766),
                    valid_until=today + timedelta(days=60),
                    scope="热食类食品制售",
                )
            },
        ),
        about="法定代表人梁参保；食品经营许可证60天后到期，可申请延续"
        " · its food licence expires in 60 days and can be renewed",
    )
    put(
        store,
        Enterprise(
            credit_code="92460100MA5RH3K92G",
            name="秀英区虚构小吃店",
            kind="sole_trader",
            division="460105",
            address="海南省海口市秀英区秀英街道虚构巷3号",
            registered_on=today - timedelta(days=900),
            representative=trader,
            licences={
                "food-business": Licence(
                    number="JY24601050000026",
                    issued_on=today - timedelta(days=1810),
                    valid_until=today + timedelta(days=16),
                    scope="冷食类食品制售",
                )
            },
        ),
        about="个体工商户，经营者罗待业；许可证16天后到期，已过30天申请期限"
        " · a sole trader whose licence expires in 16 days: too late to renew",
    )
