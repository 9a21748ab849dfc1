"""The code on a certificate's document: the same text again, verified by many, seen revoked at once."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from haiyiban import certificates, clock
from haiyiban.clock import SHANGHAI
from haiyiban.codes import printed
from haiyiban.codes.envelope import parse
from haiyiban.codes.printed import Printed, end_of, printed_text
from haiyiban.codes.rotation import PRINTED_LIFE_MOST
from haiyiban.codes.signing import code_keys


async def print_it(notice) -> str:
    now = clock.now()
    async with notice.database.transaction() as session:
        certificate = await session.get_one(certificates.Certificate, notice.id)
        return await printed_text(session, certificate, keys=code_keys(now), now=now)


@pytest.mark.same_signature
async def test_a_certificate_prints_the_same_code_again(notice) -> None:
    first = await print_it(notice)
    assert await print_it(notice) == first
    said = parse(first).claims
    assert said.body.status.list_uri.endswith("/api/v1/status-lists/0")
    assert said.body.name.endswith("*海")
    assert said.exp == int(end_of(date(2099, 9, 30), datetime.fromtimestamp(said.iat, UTC)).timestamp())


async def test_a_place_that_is_taken_is_not_given_again(notice, monkeypatch: pytest.MonkeyPatch) -> None:
    async with notice.database.reading() as session:
        taken = await session.scalar(select(Printed.index).limit(1))
    if taken is None:
        taken = parse(await print_it(notice)).claims.body.status.index
    draws = iter([taken, taken, 77_777])
    monkeypatch.setattr(printed.secrets, "randbelow", lambda _: next(draws))
    async with notice.database.transaction() as session:
        old = await session.get_one(certificates.Certificate, notice.id)
        certificate = await certificates.correct(
            session, old.id, claims=old.claims | {"school": "改后小学"}, reason="测试更正", now=clock.now()
        )
        text = await printed_text(session, certificate, keys=code_keys(clock.now()), now=clock.now())
        assert parse(text).claims.body.status.index == 77_777
        places = await session.scalar(select(func.count()).where(Printed.index == taken))
    assert places == 1


def test_a_print_ends_with_the_last_day_in_hainan_and_after_twenty_years_at_most() -> None:
    now = datetime(2026, 11, 21, 12, tzinfo=SHANGHAI)
    assert end_of(date(2027, 9, 30), now) == datetime(2027, 9, 30, 23, 59, 59, tzinfo=SHANGHAI)
    assert end_of(None, now) == end_of(date(2099, 9, 30), now) == now + PRINTED_LIFE_MOST
    assert timedelta(days=7299) < PRINTED_LIFE_MOST
