"""Challenges over HTTP: drawn for one verifier, good for 60 seconds there and nowhere else."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from haiyiban import clock
from haiyiban.codes import challenges, counter_code
from haiyiban.codes.challenges import Challenges, ChallengesUnavailable
from haiyiban.codes.outcomes import Outcome
from haiyiban.codes.signing import code_keys
from tests.phone import Phone, base64url, unbase64url

ONE, OTHER = UUID(int=1), UUID(int=2)


@pytest.fixture
async def store(redis_url: str) -> AsyncIterator[Challenges]:
    """Challenges of a process."""
    made = Challenges(redis_url)
    yield made
    await made.close()


@pytest.fixture
async def bound(phone: Phone, notice) -> Phone:
    """The parent's phone with a capsule of the child's notice."""
    return await phone.bind("certificate", subjectId=str(notice.id))


async def test_a_counter_draws_a_challenge_that_names_it_and_a_phone_answers(
    api, bound, scan, school
) -> None:
    answer = await api.post("/verifications/challenges", headers=school)
    assert answer.status_code == 201
    drawn = answer.json()
    outcome, code = counter_code.judge(drawn["text"], trust=code_keys(clock.now()).trust, now=clock.now())
    assert outcome is Outcome.VALID
    assert code is not None
    assert code.verifier is not None
    assert code.verifier.zh.startswith("滨海小学")
    assert code.verifier.en == "A verifier of the tests"
    assert base64url(code.drawn.challenge) == drawn["challenge"]
    shown = bound.show(now(), challenge=code.drawn.challenge)
    assert (await scan(shown, purpose="gate", challenge=drawn["challenge"]))["outcome"] == "valid"


async def test_a_challenge_drawn_for_another_verifier_is_no_presence_here(api, bound, scan, accredit) -> None:
    """A thief shows the holder the gate's challenge and plays the answer elsewhere."""
    other = await accredit("gate", name="别处")
    theirs = (await api.post("/verifications/challenges", headers=other)).json()["challenge"]
    shown = bound.show(now(), challenge=unbase64url(theirs))
    refused = await scan(shown, purpose="gate", challenge=theirs)
    assert refused["outcome"] == "bad_signature"
    assert "不是本单位" in refused["reason"]
    assert not {"holder", "certificate"} & set(refused)
    # Nothing was used up: whose challenge it is may scan it.
    assert (await scan(shown, by=other, purpose="gate", challenge=theirs))["outcome"] == "valid"


async def test_an_answer_after_a_minute_has_expired_whoever_drew_the_challenge(
    api, bound, scan, school, monkeypatch
) -> None:
    drawn = (await api.post("/verifications/challenges", headers=school)).json()["challenge"]
    own = base64url(secrets.token_bytes(8))
    first = await scan(
        bound.show(now(), challenge=unbase64url(own)), purpose="gate", challenge=own, key="own"
    )
    assert first["outcome"] == "valid"
    later = clock.now() + timedelta(seconds=70)
    with monkeypatch.context() as moved:
        moved.setattr(clock, "now", lambda: later)
        for at, challenge in enumerate((drawn, own)):
            shown = bound.show(now() + at, challenge=unbase64url(challenge))
            refused = await scan(shown, purpose="gate", challenge=challenge)
            assert refused["outcome"] == "expired"
            assert "60 秒" in refused["reason"]
            assert "换一个新的动态码" in refused["advice"]


async def test_a_retry_after_the_minute_is_answered_word_for_word(bound, scan, monkeypatch) -> None:
    own = secrets.token_bytes(8)
    shown = bound.show(now(), challenge=own)
    first = await scan(shown, purpose="gate", challenge=base64url(own), key="retry")
    assert first["outcome"] == "valid"
    later = clock.now() + timedelta(minutes=3)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert await scan(shown, purpose="gate", challenge=base64url(own), key="retry") == first


async def test_a_code_of_the_servers_needs_no_answer(show, notice, scan, api, accredit) -> None:
    other = await accredit("gate")
    theirs = (await api.post("/verifications/challenges", headers=other)).json()["challenge"]
    assert (await scan((await show(notice))["text"], purpose="gate", challenge=theirs))["outcome"] == "valid"


async def test_a_challenge_is_the_verifiers_who_drew_it_for_sixty_seconds(store) -> None:
    at = clock.now()
    drawn = await store.draw(ONE, now=at)
    assert await store.judge(ONE, drawn.challenge, now=at + timedelta(seconds=60)) is None
    assert await store.judge(OTHER, drawn.challenge, now=at) is Outcome.BAD_SIGNATURE
    assert await store.judge(ONE, drawn.challenge, now=at + timedelta(seconds=67)) is Outcome.EXPIRED


async def test_one_that_a_terminal_drew_counts_from_its_first_use(store) -> None:
    at, own = clock.now(), secrets.token_bytes(8)
    assert await store.judge(ONE, own, now=at) is None
    assert await store.judge(ONE, own, now=at + timedelta(seconds=60)) is None
    assert await store.judge(ONE, own, now=at + timedelta(seconds=67)) is Outcome.EXPIRED
    # Two terminals of two verifiers may draw the same bytes.
    assert await store.judge(OTHER, own, now=at + timedelta(seconds=67)) is None


async def test_two_processes_share_them(store, redis_url: str) -> None:
    other, at = Challenges(redis_url), clock.now()
    drawn = await other.draw(ONE, now=at)
    await other.close()
    assert await store.judge(OTHER, drawn.challenge, now=at) is Outcome.BAD_SIGNATURE


@pytest.mark.parametrize("away", ["", "redis://127.0.0.1:1/0"])
async def test_without_valkey_none_is_drawn_and_a_verifiers_word_counts(away: str) -> None:
    alone = Challenges(away)
    with pytest.raises(ChallengesUnavailable):
        await alone.draw(ONE, now=clock.now())
    assert await alone.judge(uuid4(), bytes(8), now=clock.now()) is None
    await alone.close()


async def test_without_valkey_a_gate_goes_on(api, bound, scan, school, monkeypatch) -> None:
    alone = Challenges("redis://127.0.0.1:1/0")
    monkeypatch.setattr(challenges, "current", lambda: alone)
    answer = await api.post("/verifications/challenges", headers=school)
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/codes/challenges-unavailable")
    own = secrets.token_bytes(8)
    shown = bound.show(now(), challenge=own)
    assert (await scan(shown, purpose="gate", challenge=base64url(own)))["outcome"] == "valid"
    await alone.close()


async def test_only_verifiers_draw(api, notice) -> None:
    assert (await api.post("/verifications/challenges")).status_code == 401
    assert (await api.post("/verifications/challenges", headers=notice.keeper)).status_code == 403


def now() -> int:
    return int(clock.now().timestamp())
