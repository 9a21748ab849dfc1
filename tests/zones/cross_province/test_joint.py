"""多地联办: two places decide by agreement."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.builders import slug
from tests.zones.cross_province.pair import MATTER, Pair, agreement

DESK = "/desk/cross-province/cases"


@pytest.fixture
async def agreed(pair: Pair) -> AsyncIterator[Pair]:
    """The two with an agreement that gives Hainan a say in the proof; afterwards with the one before."""
    usual = await agreement(pair)
    step = {"zh": "核对是否已转出", "en": "whether the record has moved"}
    together = await agreement(pair, joint=[{"matter": MATTER, "step": step}])
    for one in (pair.hainan, pair.guangdong):
        await one.do("accept", together)
    yield pair
    for one in (pair.hainan, pair.guangdong):
        await one.do("accept", usual)


async def opened(pair: Pair) -> tuple[dict[str, str], dict[str, Any], str, dict[str, str]]:
    headers, _ = await pair.resident()
    case = await pair.apply(headers)
    assert case["mode"] == 3
    await pair.pump()
    clerk = await pair.guangdong.clerk("human-resources", "440000")
    there = await pair.desk_case(case["id"])
    await pair.act(clerk, there, "accept")
    return headers, case, there, clerk


async def test_the_handling_place_approves_once_the_receiving_place_has_agreed(agreed: Pair) -> None:
    pair = agreed
    headers, case, there, clerk = await opened(pair)
    shown = await pair.guangdong.api.get(f"/desk/cases/{there}", headers=clerk)
    refused = await pair.guangdong.api.post(
        f"/desk/cases/{there}/approve", json={"version": shown.json()["version"]}, headers=clerk
    )
    assert (refused.status_code, slug(refused)) == (409, "cannot-approve")
    assert "joint-awaited" in {one["code"] for one in shown.json()["findings"]}

    ours = await pair.hainan.clerk("human-resources", "460000")
    before = await pair.read(case["id"], headers)
    assert before["joint"] == {"step": "核对是否已转出", "agrees": None, "at": None}
    address = f"{DESK}/{case['id']}/joint-decision"
    given = await pair.hainan.api.post(address, json={"agrees": True}, headers=ours)
    assert (given.status_code, given.json()["joint"]["agrees"]) == (200, True), given.text
    again = await pair.hainan.api.post(address, json={"agrees": False, "opinion": "?"}, headers=ours)
    assert (again.status_code, slug(again)) == (409, "not-now")
    await pair.pump()
    await pair.act(clerk, there, "approve")
    await pair.pass_time(seconds=61)
    await pair.pump()
    assert (await pair.read(case["id"], headers))["outcome"] == "approved"


async def test_an_objection_keeps_the_handling_place_from_approving(agreed: Pair) -> None:
    pair = agreed
    headers, case, there, clerk = await opened(pair)
    ours = await pair.hainan.clerk("human-resources", "460000")
    address = f"{DESK}/{case['id']}/joint-decision"
    bare = await pair.hainan.api.post(address, json={"agrees": False}, headers=ours)
    assert (bare.status_code, bare.json()["errors"][0]["pointer"]) == (422, "/opinion")
    stranger = await pair.hainan.clerk("education", "460000")
    outside = await pair.hainan.api.post(address, json={"agrees": True}, headers=stranger)
    assert outside.status_code == 404
    given = await pair.hainan.api.post(address, json={"agrees": False, "opinion": "已转入本省"}, headers=ours)
    assert given.status_code == 200, given.text
    await pair.pump()
    shown = await pair.guangdong.api.get(f"/desk/cases/{there}", headers=clerk)
    refused = await pair.guangdong.api.post(
        f"/desk/cases/{there}/approve", json={"version": shown.json()["version"]}, headers=clerk
    )
    assert (refused.status_code, slug(refused)) == (409, "cannot-approve")
    await pair.act(clerk, there, "deny", note="收件地不同意")
    await pair.pass_time(seconds=61)
    await pair.pump()
    done = await pair.read(case["id"], headers)
    assert (done["outcome"], done["opinion"]) == ("denied", "收件地不同意")
