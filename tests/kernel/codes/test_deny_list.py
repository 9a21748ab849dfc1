"""The deny-list: right at any moment, whole or as changes of any earlier one, and nobody else's to sign."""

import asyncio
import random
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from haiyiban import certificates, clock, ids
from haiyiban.codes import deny_list, deny_source, jws
from haiyiban.codes.cti import new_code_id
from haiyiban.codes.deny_list import Changes, DenyList
from haiyiban.codes.deny_publishing import DenyListPublisher
from haiyiban.codes.envelope import parse_capsule
from haiyiban.codes.jws import UntrustedList
from haiyiban.codes.models import Capsule
from haiyiban.codes.signing import code_keys

MINUTE = timedelta(minutes=1)


def read(signed: str) -> DenyList | Changes:
    now = clock.now()
    return deny_list.read(signed, code_keys(now).published.trust, at=now)


async def fetched(api, **query) -> DenyList | Changes:
    answer = await api.get("/deny-list", params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/jwt")
    return read(answer.text)


async def soon(api, cti: bytes, *, listed: bool) -> None:
    """Within a second, and so without waiting for any periodic work."""
    for _ in range(11):
        if (cti in (await fetched(api)).entries) is listed:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("not within a second")


async def test_what_happens_behind_a_capsule_is_on_the_list_within_a_second(api, phone, notice) -> None:
    await phone.bind("certificate", subjectId=str(notice.id))
    cti = parse_capsule(phone.capsule).claims.cti
    await soon(api, cti, listed=False)
    await notice.change(certificates.suspend, reason="测试暂停")
    await soon(api, cti, listed=True)
    await notice.change(certificates.reinstate, reason="测试恢复")
    await soon(api, cti, listed=False)
    await notice.change(certificates.revoke, reason="测试撤销")
    await soon(api, cti, listed=True)


async def test_signing_the_phone_out_withdraws_what_it_holds(api, phone) -> None:
    await phone.bind("identity")
    cti = parse_capsule(phone.capsule).claims.cti
    answer = await api.delete("/auth/sessions/current", headers=phone.headers)
    assert answer.is_success
    await soon(api, cti, listed=True)


async def test_a_terminal_keeps_its_list_by_changes(api, phone, notice) -> None:
    held = await fetched(api)
    await phone.bind("certificate", subjectId=str(notice.id))
    cti = parse_capsule(phone.capsule).claims.cti
    await notice.change(certificates.revoke, reason="测试撤销")
    await soon(api, cti, listed=True)
    told = await fetched(api, since=int(held.issued_at.timestamp()))
    now_held = deny_list.changed(held, told) if isinstance(told, Changes) else told
    assert now_held.entries == (await fetched(api)).entries


async def test_the_same_list_is_not_sent_again(api) -> None:
    answer = await api.get("/deny-list")
    again = await api.get("/deny-list", headers={"If-None-Match": answer.headers["etag"]})
    if again.status_code != 304:  # a minute was over
        answer, again = again, await api.get("/deny-list", headers={"If-None-Match": again.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("since", [-1, 0, 1, 4_102_444_800, 2**53, 10**40])
async def test_a_list_of_long_ago_or_of_the_future_is_answered_with_the_whole(api, since) -> None:
    assert isinstance(await fetched(api, since=since), DenyList)


@pytest.mark.parametrize("since", ["x", "1.5", "2026-11-21"])
async def test_a_time_that_is_none_is_refused_in_words(api, since) -> None:
    answer = await api.get("/deny-list", params={"since": since})
    assert answer.status_code in {400, 422}, answer.text


@pytest.mark.parametrize("seed", range(4))
async def test_any_changes_of_any_earlier_list_come_to_the_list(database, notice, phone, seed) -> None:
    """Capsules come, end, are withdrawn and given back, in any order; time is moved along."""
    chance, now = random.Random(seed), clock.now()
    async with database.reading() as session:
        ref = (await session.get_one(certificates.Certificate, notice.id)).ref
    ours: dict[bytes, Capsule] = {}
    sessions: list[UUID] = []
    lists: list[DenyList] = []
    publisher = DenyListPublisher()

    async def run(statement: str, **values: object) -> None:
        async with database.transaction() as work:
            await work.execute(text(statement), values)

    async def issue() -> None:
        sign_in = ids.new_id()
        await run(
            "INSERT INTO identity_session (id, account_id, level, label, created_at, last_used_at, "
            "expires_at) VALUES (:id, :account, 'L3', '测试手机', :at, :at, :at)",
            id=sign_in,
            account=phone.account_id,
            at=now,
        )
        sessions.append(sign_in)
        kind = chance.choice([1, 2])
        code_id = new_code_id(kind, ref, now=now)
        async with database.transaction() as work:
            capsule = Capsule(
                id=code_id,
                cti=code_keys(clock.now()).cti.seal(code_id),
                kind=kind,
                ref=ref,
                account_id=phone.account_id,
                session_id=sign_in,
                device_key=code_id.bytes,
                issued_at=now,
                expires_at=now + chance.randint(1, 180) * MINUTE,
            )
            work.add(capsule)
        ours[capsule.cti] = capsule

    async def happen() -> None:
        status, at = chance.choice(["valid", "suspended"]), now
        match chance.randrange(6):
            case 0 | 1:
                await issue()
            case 2:
                await run(
                    "UPDATE certificates_certificate SET status = :status, status_at = :at "
                    "WHERE id = :id AND status <> :status",
                    status=status,
                    at=at,
                    id=notice.id,
                )
            case 3 if sessions:
                await run(
                    "UPDATE identity_session SET ended_at = coalesce(ended_at, :at) WHERE id = :id",
                    at=at,
                    id=chance.choice(sessions),
                )
            case 4 if ours:
                await run(
                    "UPDATE codes_capsule SET withdrawn_at = coalesce(withdrawn_at, :at) WHERE cti = :cti",
                    at=at,
                    cti=chance.choice(list(ours)),
                )

    for _ in range(30):
        for _ in range(chance.randint(1, 3)):
            await happen()
        keys = code_keys(clock.now())
        publisher._asked = 0.0
        whole = deny_list.read(
            await publisher.text(None, keys=keys, now=now), keys.published.trust, at=clock.now()
        )
        assert isinstance(whole, DenyList)
        assert whole.entries == await deny_source.entries(now)
        for earlier in lists:
            since = int(earlier.issued_at.timestamp())
            told = deny_list.read(
                await publisher.text(since, keys=keys, now=now), keys.published.trust, at=clock.now()
            )
            held = deny_list.changed(earlier, told) if isinstance(told, Changes) else told
            assert held.entries == whole.entries
        lists.append(whole)
        now += chance.choice([timedelta(), timedelta(seconds=20), 3 * MINUTE, 45 * MINUTE])
    assert any(held.entries & set(ours) for held in lists)


async def test_the_changes_say_what_a_model_of_the_rules_says(api, database, phone) -> None:
    """The list of the moment against the rule, spelt out in Python over the rows."""
    now = clock.now()
    async with database.reading() as session:
        rows = await session.execute(
            text(
                "SELECT c.cti, c.kind, c.withdrawn_at, s.ended_at, b.status, c.expires_at "
                "FROM codes_capsule c LEFT JOIN identity_session s ON s.id = c.session_id "
                "LEFT JOIN certificates_certificate b ON b.ref = c.ref"
            )
        )
        expected = {
            row.cti
            for row in rows
            if row.expires_at > now
            and (row.withdrawn_at or row.ended_at or (row.kind == 1 and row.status != "valid"))
        }
    assert await deny_source.entries(now) == expected


@pytest.mark.usefixtures("settings")
def test_a_list_by_any_other_key_or_of_any_other_kind_is_refused() -> None:
    now = clock.now()
    keys = code_keys(now)
    good = deny_list.sign(DenyList(frozenset({b"c" * 16}), now), keys.list_signer(now))
    trust = keys.published.trust
    assert deny_list.read(good, trust, at=now).entries == {b"c" * 16}
    payload = jws.payload_of(good, keys.list_signer(now).public, typ=deny_list.TYP)
    for text_ in (
        "",
        "x",
        good[:-4],
        good[: len(good) // 2],
        good.replace(".", ",", 1),
        "é" + good,
        keys.published.text,
        jws.sign(payload, typ="trust-list+jwt", key=keys.list_signer(now)),
        jws.sign(payload, typ=deny_list.TYP, key=keys.signer(now)),
        *(
            jws.sign(wrong, typ=deny_list.TYP, key=keys.list_signer(now))
            for wrong in (
                b"{}",
                b"[]",
                b"\xff",
                b'{"iat":1,"exp":2}',
                b'{"iat":1,"exp":2,"entries":["AAAA"]}',
                b'{"iat":1,"exp":2,"entries":["*"]}',
                b'{"iat":1,"exp":2,"since":1,"added":[]}',
                b'{"iat":99999999999999999,"exp":2,"entries":[]}',
            )
        ),
    ):
        with pytest.raises(UntrustedList):
            deny_list.read(text_, trust, at=now)


def test_changes_since_another_list_or_of_an_earlier_time_change_nothing() -> None:
    now = clock.now().replace(microsecond=0)
    held, since = DenyList(frozenset({b"a" * 16}), now), int(now.timestamp())
    told = Changes(since, frozenset({b"b" * 16}), frozenset({b"a" * 16}), now + MINUTE)
    assert deny_list.changed(held, told).entries == {b"b" * 16}
    for wrong in (
        Changes(since - 60, frozenset(), frozenset(), now + MINUTE),
        Changes(since, frozenset(), frozenset(), now - MINUTE),
    ):
        with pytest.raises(UntrustedList):
            deny_list.changed(held, wrong)
