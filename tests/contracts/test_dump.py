"""A copy of the database tells nobody who is in it.

After one family has gone through everything, every table is read as text, the job queue's too, and searched
for what went in: in the clear, inside binary values, and as JSON would escape it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
from sqlalchemy import text

from haiyiban.db import Database
from tests.contracts import flow
from tests.zones.school_places.conftest import MakeRound, SignInStaff

MUST_BE_SEEN = {
    "audit_record",
    "cases_case",
    "cases_event",
    "cases_rating",
    "certificates_certificate",
    "codes_capsule",
    "cross_province_case",
    "cross_province_incoming",
    "cross_province_outgoing",
    "delegations_delegation",
    "enterprises_enterprise",
    "codes_verification",
    "duty_free_campaign",
    "duty_free_campaign_day",
    "duty_free_campaign_shop",
    "duty_free_redemption",
    "duty_free_refund",
    "duty_free_settlement_entry",
    "duty_free_voucher",
    "duty_free_order",
    "duty_free_parcel",
    "duty_free_pickup_check",
    "duty_free_year",
    "idempotency_answer",
    "identity_account",
    "identity_person",
    "outbox_message",
    "pgqueuer_log",
    "school_places_roll_entry",
}
"""Tables that the flow fills: an empty one would prove nothing."""


async def test_no_table_holds_anything_personal_in_the_clear(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    database: Database,
    make_round: MakeRound,
    sign_in_staff: SignInStaff,
    accredit: flow.Accredit,
) -> None:
    gone = await flow.go(api, sandbox, make_round=make_round, employ=sign_in_staff, accredit=accredit)
    wanted = {form: value for value in gone.personal for form in _forms(value)}
    seen = set()
    async with database.reading() as session:
        tables = await session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        for table in tables.all():
            rows = (await session.scalars(text(f'SELECT t::text FROM "{table}" AS t'))).all()
            if rows:
                seen.add(table)
            for row in rows:
                for form, value in wanted.items():
                    assert form not in row, f"{table} holds {value}"
    assert seen >= MUST_BE_SEEN


def test_the_search_finds_what_is_there() -> None:
    """As PostgreSQL would show a name in a text, in a binary value, and in JSON inside either."""
    for held in ("司空", r"\u53f8\u7a7a"):
        for shown in (f"(1,{held})", f"(1,\\\\x00{held.encode().hex()})"):
            assert any(form in shown for form in _forms("司空")), shown


def _forms(value: str) -> Iterator[str]:
    escaped = json.dumps(value)[1:-1]
    for form in dict.fromkeys((value, escaped)):
        yield form
        yield form.encode().hex()
