"""The line between two deployments cut, deaf and late: nothing is lost and nothing is done twice."""

from __future__ import annotations

import asyncio

from tests.zones.cross_province.pair import Pair

OPEN = "SELECT count(*) FROM cross_province_outgoing WHERE receipt IS NULL"


async def cases_there(pair: Pair, cross_id: str) -> int:
    return await pair.guangdong.count(
        "SELECT count(*) FROM cases_case c JOIN cross_province_case x ON x.case_id = c.id "
        f"WHERE x.id = '{cross_id}' AND c.state <> 'draft'"
    )


async def test_with_the_line_cut_for_an_hour_everything_arrives_once_and_in_order(pair: Pair) -> None:
    pair.guangdong.line.mode = "cut"
    mine = [await pair.resident() for _ in range(2)]
    sent = [(await pair.apply(headers))["id"] for headers, _ in mine]
    for _ in range(3):
        await pair.pump()
        await pair.pass_time(minutes=20)
    assert await pair.hainan.count(OPEN) == 2
    assert (await pair.read(sent[0], mine[0][0]))["state"] == "taken_in"
    pair.guangdong.line.mode = "open"
    await pair.pump()
    for cross_id, (headers, _) in zip(sent, mine, strict=True):
        assert (await pair.read(cross_id, headers))["state"] == "reached"
        assert await cases_there(pair, cross_id) == 1
    assert await pair.hainan.count(OPEN) == await pair.guangdong.count(OPEN) == 0
    # Numbers have no gap and no twin on either side.
    for one, other in ((pair.hainan, pair.guangdong), (pair.guangdong, pair.hainan)):
        sent_numbers = await one.do("rows", "SELECT sequence, id FROM cross_province_outgoing ORDER BY 1")
        taken = await other.do("rows", "SELECT sequence, message_id FROM cross_province_incoming ORDER BY 1")
        # Other tests also sent by hand; what the deployment sent is all there.
        assert set(map(tuple, sent_numbers)) <= set(map(tuple, taken))
        assert [int(number) for number, _ in taken] == list(range(1, len(taken) + 1))


async def test_a_receipt_that_is_lost_is_given_again_and_the_case_is_opened_once(pair: Pair) -> None:
    headers, _ = await pair.resident()
    pair.guangdong.line.mode = "deaf"
    case = await pair.apply(headers)
    await pair.hainan.do("run", "cross-province.deliver-due")
    await pair.guangdong.do("run", "cross-province.process-waiting")
    taken = "SELECT receipt FROM cross_province_incoming WHERE case_id = "
    [[receipt]] = await pair.guangdong.do("rows", f"{taken}'{case['id']}'")
    assert (await pair.read(case["id"], headers))["state"] == "taken_in", "no receipt has come"
    pair.guangdong.line.mode = "open"
    await pair.pass_time(minutes=1)
    await pair.pump()
    assert (await pair.read(case["id"], headers))["state"] == "reached"
    kept = f"SELECT receipt FROM cross_province_outgoing WHERE case_id = '{case['id']}'"
    assert await pair.hainan.do("rows", kept) == [[receipt]]
    assert await cases_there(pair, case["id"]) == 1


async def test_two_workers_at_once_carry_a_message_out_once(pair: Pair) -> None:
    headers, _ = await pair.resident()
    case = await pair.apply(headers)
    await pair.hainan.do("run", "cross-province.deliver-due")
    await pair.guangdong.do("together", "cross-province.process-waiting", "cross-province.process-waiting")
    await pair.pump()
    assert await cases_there(pair, case["id"]) == 1
    assert (await pair.read(case["id"], headers))["state"] == "reached"


async def test_a_message_does_not_overtake_the_one_that_another_worker_is_at(pair: Pair) -> None:
    mine = [await pair.resident() for _ in range(2)]
    sent = [(await pair.apply(headers))["id"] for headers, _ in mine]
    first = f"SELECT id FROM cross_province_outgoing WHERE case_id = '{sent[0]}'"
    await pair.hainan.do("while_held", first, "cross-province.deliver-due")
    tried = f"SELECT attempts FROM cross_province_outgoing WHERE case_id = '{sent[1]}'"
    assert await pair.hainan.count(tried) == 0
    await pair.pump()
    for cross_id, (headers, _) in zip(sent, mine, strict=True):
        assert (await pair.read(cross_id, headers))["state"] == "reached"


async def test_two_taps_apply_once(pair: Pair) -> None:
    headers, _ = await pair.resident()
    body = {
        "division": "440000",
        "matter": "social-insurance.proof",
        "version": 1,
        "form": {"purpose": "loan"},
    }
    answers = await asyncio.gather(
        *(pair.hainan.api.post("/zones/cross-province/cases", json=body, headers=headers) for _ in range(2))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409]


async def test_a_hop_of_more_than_a_working_day_is_an_alert_at_the_desk_until_it_moves(pair: Pair) -> None:
    headers, _ = await pair.resident()
    clerk = await pair.hainan.clerk("human-resources", "460000")
    pair.guangdong.line.mode = "cut"
    case = await pair.apply(headers)
    await pair.hainan.do("run", "cross-province.watch")

    async def mine() -> list[str]:
        answer = await pair.hainan.api.get(
            "/desk/cross-province/alerts", params={"limit": 100}, headers=clerk
        )
        assert answer.status_code == 200, answer.text
        return [one["state"] for one in answer.json()["items"] if one["caseId"] == case["id"]]

    assert await mine() == []
    # Over any weekend and the working day after it. Sessions of a clerk are shorter: signed in anew.
    await pair.pass_time(days=11)
    clerk = await pair.hainan.clerk("human-resources", "460000")
    await pair.hainan.do("run", "cross-province.watch")
    await pair.hainan.do("run", "cross-province.watch")
    assert await mine() == ["taken_in"]
    stranger = await pair.hainan.clerk("education", "460000")
    other = await pair.hainan.api.get("/desk/cross-province/alerts", headers=stranger)
    assert other.json()["items"] == []
    pair.guangdong.line.mode = "open"
    await pair.pump()
    assert await mine() == []
