"""Printed codes: scanned by many, seen revoked online at once and offline in the status list."""

import json
import zlib
from datetime import timedelta

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haiyiban import certificates, clock
from haiyiban.codes import jws, status_list, status_publishing
from haiyiban.codes.envelope import parse
from haiyiban.codes.jws import UntrustedList
from haiyiban.codes.offline import verify_offline
from haiyiban.codes.outcomes import Outcome
from haiyiban.codes.signing import code_keys
from haiyiban.codes.status_list import StatusCode, packed
from tests.kernel.codes.test_printed import print_it


def read(text: str) -> status_list.StatusList:
    now = clock.now()
    return status_list.read(text, code_keys(now).published.trust, at=now)


@pytest.fixture
def fetch(api):
    """Fetches a printed code's list as a terminal that waited its half minute."""

    async def fetched(printed: str) -> status_list.StatusList:
        status_publishing._kept.clear()
        uri = parse(printed).claims.body.status.list_uri
        answer = await api.get("/status-lists/" + uri.rpartition("/")[2])
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("application/statuslist+jwt")
        assert read(answer.text).uri == uri
        return read(answer.text)

    return fetched


def offline(printed: str, held: status_list.StatusList) -> Outcome:
    now = clock.now()
    return verify_offline(
        printed,
        trust=code_keys(now).published.trust,
        now=now,
        lists_age=timedelta(),
        status_lists={held.uri: held},
    ).outcome


async def test_a_printed_code_is_verified_by_many_and_again(notice, scan, accredit, school) -> None:
    printed = await print_it(notice)
    other = await accredit("enrolment", name="另一核验方")
    for by in (school, school, other):
        answer = await scan(printed, by=by)
        assert answer["outcome"] == "valid", answer
        assert answer["certificate"]["type"] == "admission-notice"
        assert answer["certificate"]["claims"] == {}, "no more than the paper says"
        assert "陈小海" not in json.dumps(answer, ensure_ascii=False)


async def test_a_repeated_request_gets_its_first_answer(notice, scan) -> None:
    printed = await print_it(notice)
    first = await scan(printed, key="printed")
    await notice.change(certificates.revoke, reason="测试撤销")
    assert await scan(printed, key="printed") == first
    assert (await scan(printed))["outcome"] == "revoked"


async def test_more_than_the_paper_says_is_not_asked_of_anybody(api, notice, school) -> None:
    printed = await print_it(notice)
    body = {"text": printed, "purpose": "enrolment", "fields": ["school"]}
    answer = await api.post("/verifications", json=body, headers=school)
    assert answer.status_code == 422
    assert answer.json()["type"].endswith("codes/fields-beyond-purpose")


async def test_online_and_offline_see_the_certificate_as_it_stands(notice, scan, fetch) -> None:
    printed = await print_it(notice)
    for verb, expected in (
        (None, "valid"),
        (certificates.suspend, "suspended"),
        (certificates.reinstate, "valid"),
        (certificates.revoke, "revoked"),
    ):
        if verb is not None:
            await notice.change(verb, reason="测试状态变化")
        assert (await scan(printed))["outcome"] == expected
        assert offline(printed, await fetch(printed)) == expected


async def test_a_corrected_certificate_prints_anew_and_the_old_print_is_revoked(notice, scan, fetch) -> None:
    printed = await print_it(notice)
    async with notice.database.transaction() as session:
        old = await session.get_one(certificates.Certificate, notice.id)
        changed = old.claims | {"school": "改后小学"}
        await certificates.correct(session, notice.id, claims=changed, reason="测试更正", now=clock.now())
    assert (await scan(printed))["outcome"] == "revoked"
    assert offline(printed, await fetch(printed)) is Outcome.REVOKED


async def test_a_place_beyond_the_list_an_old_list_and_no_list_are_never_valid(notice, fetch) -> None:
    printed = await print_it(notice)
    held = await fetch(printed)
    now = clock.now()
    trust = code_keys(now).published.trust

    def seen(*lists: status_list.StatusList, at=now) -> Outcome:
        by_uri = {held.uri: held for held in lists}
        return verify_offline(printed, trust=trust, now=at, status_lists=by_uri).outcome

    index = parse(printed).claims.body.status.index
    short = status_list.StatusList(held.uri, held.packed[: index // 4], held.issued_at, held.expires_at)
    unknown = status_list.StatusList(held.uri, b"\xff" * len(held.packed), held.issued_at, held.expires_at)
    assert seen() is Outcome.UNAVAILABLE
    assert seen(short) is Outcome.UNAVAILABLE
    assert seen(unknown) is Outcome.UNAVAILABLE
    assert seen(held, at=now + timedelta(hours=24, seconds=1)) is Outcome.STALE_LISTS
    assert seen(held, at=held.issued_at - timedelta(minutes=1)) is Outcome.NOT_YET_VALID
    assert seen(held) is Outcome.VALID


async def test_a_list_that_nothing_is_printed_in_is_not_there(api) -> None:
    for number in (999_999, 2**53):
        answer = await api.get(f"/status-lists/{number}")
        assert answer.status_code == 404
        assert answer.json()["type"].endswith("codes/status-list-not-found")


async def test_the_list_is_cached_and_is_a_token_status_list(api, notice) -> None:
    await print_it(notice)
    answer = await api.get("/status-lists/0")
    again = await api.get("/status-lists/0", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code in {200, 304}
    payload = jwt.decode(answer.text, options={"verify_signature": False})
    assert set(payload) == {"sub", "iat", "exp", "ttl", "status_list"}
    assert payload["status_list"]["bits"] == 2
    assert payload["ttl"] <= 60
    assert jwt.get_unverified_header(answer.text)["typ"] == "statuslist+jwt"
    assert len(read(answer.text).packed) == 2**18


NOT_VALID = st.sampled_from([StatusCode.REVOKED, StatusCode.SUSPENDED])


@given(st.dictionaries(st.integers(0, 4095), NOT_VALID, max_size=20))
def test_every_place_of_a_list_is_read_as_it_was_written(statuses) -> None:
    now = clock.now()
    bits = packed(statuses.items(), size=4096)
    held = status_list.StatusList("x", bits, now, now)
    assert all(held.status_of(index) == statuses.get(index, 0) for index in range(4096))
    assert held.status_of(4096) is None


def test_the_bits_lie_as_the_draft_lays_them() -> None:
    # draft-ietf-oauth-status-list §4.1, the example with 2 bits: 1,2,0,3 and so on pack to c9 44 f9.
    order = [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]
    assert packed(list(enumerate(order)), size=12) == bytes.fromhex("c944f9")  # type: ignore[arg-type]


@pytest.mark.usefixtures("settings")
def test_a_list_that_is_cut_off_or_signed_by_another_key_is_refused() -> None:
    now = clock.now()
    keys = code_keys(now)
    lst = status_list.compressed(packed([], size=4096))
    good = status_list.sign("u", lst, issued_at=now, key=keys.list_signer(now))
    assert read(good).packed == bytes(1024)
    bomb = status_list.compressed(bytes(1 << 23))
    cut = status_list.compressed(zlib.compress(b"x" * 999))[:20]
    for text in (
        good[:100],
        status_list.sign("u", lst, issued_at=now, key=keys.signer(now)),
        status_list.sign("u", bomb, issued_at=now, key=keys.list_signer(now)),
        status_list.sign("u", cut, issued_at=now, key=keys.list_signer(now)),
        status_list.sign("u", lst[:-6], issued_at=now, key=keys.list_signer(now)),
        jws.sign(b'{"sub":"u","iat":1,"exp":2,"ttl":3}', typ=status_list.TYP, key=keys.list_signer(now)),
    ):
        with pytest.raises(UntrustedList):
            read(text)
