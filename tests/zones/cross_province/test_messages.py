"""What the exchange takes and what it refuses, asked by hand as a neighbour and as others would."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest

from haiyiban import clock
from haiyiban.crypto import FileKeys, SigningKey
from services.cross_province import signatures
from services.cross_province.messages import CrossReceipt
from services.cross_province.sending import PATH
from tests.builders import slug
from tests.zones.cross_province.pair import GUANGDONG, HAINAN, PARTIES, Pair, agreement


class Neighbour:
    """Hainan's voice: signs by its key what a test says, straight to Guangdong."""

    def __init__(self, pair: Pair, key: SigningKey, next_: int) -> None:
        self.pair, self.key, self.next = pair, key, next_

    def message(self, **members: Any) -> dict[str, Any]:
        """A progress message about a case that is not there: it is taken and has no effect."""
        return {
            "msgId": str(uuid4()),
            "version": 1,
            "sequence": self.next,
            "type": "progress",
            "mode": 1,
            "sender": {"division": HAINAN, "uscc": PARTIES[HAINAN][1]},
            "receiver": {"division": GUANGDONG, "uscc": PARTIES[GUANGDONG][1]},
            "traceId": str(uuid4()),
            "at": self.now.isoformat(),
        } | members

    @property
    def now(self) -> datetime:
        return clock.now() + timedelta(seconds=self.pair.guangdong.offset)

    async def say(
        self, message: dict[str, Any], *, signed_as: bytes | None = None, at: datetime | None = None
    ) -> httpx.Response:
        body = msgspec.json.encode(message)
        headers = signatures.sign_request(signed_as or body, path=PATH, key=self.key, now=at or self.now)
        answer = await self.pair.guangdong.api.post(
            "/zones/cross-province/exchange", content=body, headers=headers.fields()
        )
        if answer.status_code == 200:
            receipt = msgspec.json.decode(answer.content, type=CrossReceipt)
            assert receipt.sequence <= self.next
            self.next = max(self.next, receipt.sequence + 1)
        return answer


@pytest.fixture
async def hainan(pair: Pair, both_homes: Any) -> Any:
    """Hainan's own key and number; its deployment goes on counting from where the test ended."""
    await pair.pump()
    [[sent]] = await pair.hainan.do(
        "rows", f"SELECT sent FROM cross_province_neighbour WHERE division = '{GUANGDONG}'"
    )
    key = FileKeys(both_homes / HAINAN / "keys").signing("exchange")[-1]
    voice = Neighbour(pair, key, int(sent) + 1)
    yield voice
    await pair.hainan.do("counted", GUANGDONG, voice.next - 1)


async def test_the_same_message_gets_the_same_receipt_and_has_one_effect(hainan: Neighbour) -> None:
    message = hainan.message()
    first, second = await hainan.say(message), await hainan.say(message)
    assert first.status_code == second.status_code == 200
    assert first.content == second.content
    assert first.headers["signature"] == second.headers["signature"]
    taken = f"SELECT count(*) FROM cross_province_incoming WHERE message_id = '{message['msgId']}'"
    assert await hainan.pair.guangdong.count(taken) == 1


async def test_another_content_under_the_same_id_or_number_is_refused(hainan: Neighbour) -> None:
    message = hainan.message()
    assert (await hainan.say(message)).status_code == 200
    for altered in (message | {"opinion": "改"}, message | {"msgId": str(uuid4())}):
        answer = await hainan.say(altered)
        assert (answer.status_code, slug(answer)) == (409, "altered")


async def test_a_message_ahead_of_its_turn_is_refused_and_taken_in_its_turn(hainan: Neighbour) -> None:
    first, second = hainan.message(), hainan.message(sequence=hainan.next + 1)
    early = await hainan.say(second)
    assert (early.status_code, slug(early), early.json()["expected"]) == (
        409,
        "out-of-order",
        first["sequence"],
    )
    assert (await hainan.say(first)).status_code == 200
    assert (await hainan.say(second)).status_code == 200
    # And an old one again, late: absorbed.
    assert (await hainan.say(first)).status_code == 200


async def test_a_changed_body_and_a_late_signature_are_refused(hainan: Neighbour) -> None:
    message = hainan.message()
    changed = await hainan.say(message, signed_as=msgspec.json.encode(message | {"mode": 2}))
    assert (changed.status_code, slug(changed)) == (401, "signature-refused")
    for minutes in (-6, 6):
        late = await hainan.say(message, at=hainan.now + timedelta(minutes=minutes))
        assert (late.status_code, slug(late)) == (401, "signature-refused")
    unsigned = await hainan.pair.guangdong.api.post("/zones/cross-province/exchange", json=message)
    assert (unsigned.status_code, slug(unsigned)) == (401, "signature-refused")


async def test_a_stranger_and_a_message_for_another_place_are_refused(
    hainan: Neighbour, tmp_path: Any
) -> None:
    own, hainan.key = hainan.key, FileKeys.create(tmp_path).signing("exchange")[-1]
    stranger = await hainan.say(hainan.message())
    assert (stranger.status_code, slug(stranger)) == (401, "unknown-deployment")
    hainan.key = own
    for wrong in (
        {"sender": {"division": "450000", "uscc": PARTIES[HAINAN][1]}},
        {"receiver": {"division": "450000", "uscc": PARTIES[GUANGDONG][1]}},
    ):
        answer = await hainan.say(hainan.message(**wrong))
        assert (answer.status_code, slug(answer)) == (422, "not-for-us")
    later = await hainan.say(hainan.message(version=2))
    assert (later.status_code, slug(later)) == (422, "unknown-version")


async def test_a_suspended_and_an_ended_agreement_let_nothing_in(hainan: Neighbour) -> None:
    pair = hainan.pair
    await pair.guangdong.do("suspended", HAINAN, True)
    try:
        answer = await hainan.say(hainan.message())
        assert (answer.status_code, slug(answer)) == (401, "agreement-ended")
    finally:
        await pair.guangdong.do("suspended", HAINAN, False)
    whole = await agreement(pair)
    ended = await agreement(
        pair,
        validUntil=hainan.now.replace(year=2026, month=1, day=2).isoformat(),
        validFrom=hainan.now.replace(year=2026, month=1, day=1).isoformat(),
    )
    await pair.guangdong.do("accept", ended)
    try:
        answer = await hainan.say(hainan.message())
        assert (answer.status_code, slug(answer)) == (401, "agreement-ended")
    finally:
        await pair.guangdong.do("accept", whole)
    assert (await hainan.say(hainan.message())).status_code == 200


async def test_nobody_reads_a_person_in_what_is_kept_of_a_message(pair: Pair) -> None:
    headers, number = await pair.resident()
    await pair.apply(headers)
    await pair.pump()
    for one in (pair.hainan, pair.guangdong):
        for table in ("outgoing", "incoming", "case", "step"):
            for row in await one.do("rows", f"SELECT t::text FROM cross_province_{table} t"):
                assert number not in row[0]
                assert "符南北" not in row[0]


async def test_an_application_of_nobody_or_of_a_number_that_cannot_be_is_sent_back(hainan: Neighbour) -> None:
    pair = hainan.pair
    nobody = {"name": "符南北", "idType": "111", "idNumber": "460105199003070018", "proof": "face"}
    for applicant in (None, nobody):
        message = hainan.message(type="forward", matter="social-insurance.proof", matterVersion=1, form={})
        message |= {"applicant": applicant} if applicant else {}
        assert (await hainan.say(message)).status_code == 200
        await pair.guangdong.do("run", "cross-province.process-waiting")
        state = f"SELECT state, person_id FROM cross_province_case WHERE id = '{message['traceId']}'"
        assert await pair.guangdong.do("rows", state) == [["returned", "None"]]
