"""Keys come and go on the trust list, and no code fails on the way: at any instant, whatever list is held."""

import dataclasses
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haiyiban.codes.claims import Kind
from haiyiban.codes.envelope import sign_form_a
from haiyiban.codes.kinds import CAPSULE_LIFE_MOST
from haiyiban.codes.offline import verify_offline
from haiyiban.codes.outcomes import Outcome
from haiyiban.codes.recomputing import OLDEST
from haiyiban.codes.rotation import CODES_COUNT_FOR, LISTED_BEFORE_USE, SIGNS_AFTER, next_entries, signer
from haiyiban.codes.trust import TrustEntry, TrustList
from haiyiban.codes.vectors.cast import claims_of, signing_key
from haiyiban.crypto import SigningKey
from haiyiban.signatures import ES256

HOUR, DAY, YEAR = timedelta(hours=1), timedelta(days=1), timedelta(days=365)
BEGIN = datetime(2026, 9, 1, tzinfo=UTC)
LIFE = 90 * DAY
FETCHED_BEFORE = 23 * HOUR


made = cache(signing_key)


def key(number: int, *, since: datetime = BEGIN, revoked_at: datetime | None = None) -> SigningKey:
    return dataclasses.replace(made(f"rotation {number}"), not_before=since, revoked_at=revoked_at)


def listed(previous: list[TrustEntry], *keys: SigningKey, now: datetime) -> list[TrustEntry]:
    return next_entries(previous, codes=keys, lists=[], kinds=[1], now=now, until=now + LIFE)


class Deployment:
    """Signs its list from time to time; keys are added between."""

    def __init__(self) -> None:
        self.keys = [key(0, since=BEGIN - DAY)]
        self.lists: list[tuple[datetime, TrustList]] = []
        self.sign(BEGIN - DAY)

    def sign(self, now: datetime) -> None:
        earlier = list(self.lists[-1][1].entries) if self.lists else []
        entries = listed(earlier, *self.keys, now=now)
        self.lists.append((now, TrustList(entries, issued_at=now, expires_at=now + LIFE)))

    def rotate(self, now: datetime) -> None:
        self.keys.append(key(len(self.keys), since=now + DAY))

    def list_at(self, instant: datetime) -> TrustList:
        return [trust for since, trust in self.lists if since <= instant][-1]

    def code_at(self, instant: datetime, *, until: datetime | None = None) -> str:
        signs = signer(self.keys, self.list_at(instant).entries, instant)
        assert signs is not None
        made = int(instant.timestamp())
        ends = int(until.timestamp()) if until else made + 60
        return sign_form_a(claims_of(Kind.CERTIFICATE, "rotated", iat=made, exp=ends), signs)


steps = st.lists(
    st.tuples(st.sampled_from(["sign", "rotate", "rotate and sign"]), st.integers(1, 20 * 24)),
    min_size=1,
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(steps, st.data())
def test_a_fresh_code_verifies_by_the_list_of_now_and_by_the_one_fetched_23_hours_ago(steps, data) -> None:
    deployment, now = Deployment(), BEGIN
    instants = []
    for act, hours in steps:
        now += timedelta(hours=hours)
        if "rotate" in act:
            deployment.rotate(now)
        if "sign" in act:
            deployment.sign(now)
        # The moments at which something changes, and one in between.
        changes = [entry.not_before for entry in deployment.list_at(now).entries]
        instants += [now, *(at + near for at in changes for near in (-timedelta(0, 1), SIGNS_AFTER))]
        instants.append(now + timedelta(seconds=data.draw(st.integers(0, 40 * 24 * 3600))))
    for instant in instants:
        if not BEGIN <= instant < now + LIFE - DAY:
            continue
        code = deployment.code_at(instant)
        for held in (deployment.list_at(instant), deployment.list_at(instant - FETCHED_BEFORE)):
            if held.is_stale(instant.timestamp()):
                continue
            for clock_is_behind in (timedelta(), timedelta(seconds=5)):
                seen = verify_offline(code, trust=held, now=instant - clock_is_behind)
                assert seen.outcome is Outcome.VALID, (instant, clock_is_behind)


def test_an_old_key_stays_until_its_last_print_has_ended() -> None:
    deployment = Deployment()
    deployment.rotate(BEGIN)
    deployment.sign(BEGIN)
    last = BEGIN + LISTED_BEFORE_USE + SIGNS_AFTER - timedelta(seconds=1)
    end = last + 20 * YEAR
    printed = deployment.code_at(last, until=end)
    for years in range(21):
        now = last + years * YEAR
        if now > deployment.lists[-1][0]:
            deployment.sign(now)
        assert verify_offline(printed, trust=deployment.list_at(now), now=now).outcome is Outcome.VALID
    assert verify_offline(printed, trust=deployment.list_at(end), now=end).outcome is Outcome.VALID
    kids = {entry.kid for entry in deployment.lists[-1][1].entries}
    assert deployment.keys[0].kid in kids
    deployment.sign(end + 2 * DAY)
    assert [entry.kid for entry in deployment.lists[-1][1].entries] == [deployment.keys[1].kid]


def test_a_new_key_waits_a_day_from_its_listing_and_not_from_its_making() -> None:
    first = listed([], key(0), now=BEGIN)
    late = BEGIN + 10 * DAY
    entries = listed(first, key(0), key(1, since=BEGIN + DAY), now=late)
    assert [entry.not_before for entry in entries] == [BEGIN, late + LISTED_BEFORE_USE]
    again = listed(entries, key(0), key(1, since=BEGIN + DAY), now=late + HOUR)
    assert [entry.not_before for entry in again] == [BEGIN, late + LISTED_BEFORE_USE]


def test_a_key_that_no_list_names_signs_nothing() -> None:
    entries = listed([], key(0), now=BEGIN)
    unlisted = key(1)
    assert signer([key(0), unlisted], entries, BEGIN + DAY) == key(0)
    assert signer([unlisted], entries, BEGIN + DAY) is None


@pytest.mark.parametrize("newer_is_listed", [False, True])
def test_after_the_only_key_was_revoked_the_next_one_signs_at_once(newer_is_listed: bool) -> None:
    now = BEGIN + 5 * DAY
    first = listed([], key(0), *([key(1, since=now + DAY)] if newer_is_listed else []), now=BEGIN)
    revoked = key(0, revoked_at=now)
    entries = listed(first, revoked, key(1, since=now + DAY), now=now)
    signs = signer([revoked, key(1)], entries, now)
    assert signs == key(1)
    old = next(entry for entry in entries if entry.kid == revoked.kid)
    assert old.ends == now


def test_when_a_new_key_is_revoked_the_old_one_goes_on_as_long_as_it_needs() -> None:
    switched = BEGIN + 2 * DAY
    entries = listed(listed([], key(0), now=BEGIN), key(0), key(1, since=switched), now=BEGIN)
    revoked = key(1, since=switched, revoked_at=switched + DAY)
    later = listed(entries, key(0), revoked, now=switched + DAY)
    assert signer([key(0), revoked], later, switched + 2 * DAY) == key(0)
    old = next(entry for entry in later if entry.kid == key(0).kid)
    assert old.not_after >= switched + DAY + LIFE + CODES_COUNT_FOR


def test_a_key_whose_private_half_was_destroyed_stays_listed() -> None:
    both = listed(listed([], key(0), now=BEGIN), key(0), key(1), now=BEGIN)
    without = listed(both, key(1), now=BEGIN + 10 * DAY)
    assert {entry.kid for entry in without} == {key(0).kid, key(1).kid}


def test_keys_of_lists_are_named_apart_and_sign_no_code() -> None:
    entries = next_entries([], codes=[key(0)], lists=[key(1)], kinds=[1, 2], now=BEGIN, until=BEGIN + LIFE)
    assert [(entry.kid, entry.use, entry.kinds) for entry in entries] == [
        (key(0).kid, None, (1, 2)),
        (key(1).kid, "lists", ()),
    ]
    trust = TrustList(entries, issued_at=BEGIN, expires_at=BEGIN + LIFE)
    text = sign_form_a(claims_of(Kind.CERTIFICATE, "by the key of lists"), key(1))
    assert verify_offline(text, trust=trust, now=BEGIN + HOUR).outcome is Outcome.UNKNOWN_ISSUER


def test_a_key_is_listed_for_as_long_as_offline_records_of_its_codes_may_come_in() -> None:
    switched = BEGIN + 2 * DAY
    entries = listed(listed([], key(0), now=BEGIN), key(0), key(1, since=switched), now=BEGIN)
    last_scan = switched + SIGNS_AFTER + CAPSULE_LIFE_MOST
    uploaded = last_scan + OLDEST
    later = listed(entries, key(0), key(1, since=switched), now=uploaded)
    trust = TrustList(later, issued_at=uploaded, expires_at=uploaded + LIFE)
    assert trust.keys_for(bytes.fromhex(key(0).kid), alg=ES256.cose, kind=1, at=last_scan.timestamp())
