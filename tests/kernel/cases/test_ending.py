"""Withdrawing and rating."""

from __future__ import annotations

from typing import Any

import pytest

from haiyiban.cases.rating import check
from tests.builders import slug
from tests.kernel.cases.office import Citizen, Office

Way = list[tuple[str, dict[str, Any]]]
ACCEPT: Way = [("accept", {})]


@pytest.mark.parametrize(
    "way",
    [[], [("request-correction", {"note": "请核对"})], ACCEPT, [*ACCEPT, ("suspend", {"reason": "检测"})]],
)
async def test_an_application_can_be_taken_back_until_it_is_decided(
    citizen: Citizen, office: Office, way: Way
) -> None:
    case = await citizen.handed_in()
    for verb, given in way:
        await office.done(case, verb, **given)
    answer = await citizen.withdraw(case)
    assert answer.status_code == 200, answer.text
    withdrawn = answer.json()
    assert (withdrawn["state"], withdrawn["outcome"], withdrawn["clock"]) == (
        "withdrawn",
        "withdrawn",
        "ended",
    )
    assert slug(await citizen.withdraw(case)) == "illegal-transition"
    assert slug(await citizen.patch(case, {})) == "illegal-transition"


async def test_a_draft_can_be_taken_back(citizen: Citizen) -> None:
    assert (await citizen.withdraw(await citizen.draft())).json()["state"] == "withdrawn"


@pytest.mark.parametrize(
    "way",
    [
        [("refuse", {"note": "不属于受理范围"})],
        [*ACCEPT, ("approve", {})],
        [*ACCEPT, ("deny", {"note": "未满八十周岁"})],
        [*ACCEPT, ("approve", {}), ("close", {})],
    ],
)
async def test_what_is_decided_is_not_taken_back_but_rated_once(
    citizen: Citizen, office: Office, way: Way
) -> None:
    case = await citizen.handed_in()
    assert slug(await citizen.rate(case, score=5)) == "illegal-transition"
    for verb, given in way:
        await office.done(case, verb, **given)
    refused = await citizen.withdraw(case)
    assert (refused.status_code, slug(refused)) == (409, "illegal-transition")
    assert slug(await citizen.rate(case, score=1)) == "invalid-rating"
    rated = await citizen.rate(case, score=2, reasons=["213"], comment="等了很久")
    assert rated.status_code == 201, rated.text
    assert slug(await citizen.rate(case, score=5)) == "already-rated"


async def test_what_was_withdrawn_is_not_rated(citizen: Citizen) -> None:
    case = await citizen.handed_in()
    await citizen.withdraw(case)
    assert slug(await citizen.rate(case, score=5)) == "illegal-transition"


@pytest.mark.parametrize(
    ("score", "reasons", "comment", "pointers"),
    [
        (5, [], "", []),
        (3, ["307", "314"], "", []),
        (2, [], "排队太久", []),
        (1, ["108"], "", []),
        (1, [], " ", ["/reasons"]),
        (2, [], "", ["/reasons"]),
        (0, [], "", ["/score"]),
        (6, [], "", ["/score"]),
        (5, ["108"], "", ["/reasons/0"]),
        (5, ["510", "501"], "", ["/reasons/1"]),
        (4, [], "长" * 501, ["/comment"]),
    ],
)
def test_a_poor_rating_says_why_and_reasons_fit_their_level(
    score: int, reasons: list[str], comment: str, pointers: list[str]
) -> None:
    # docs/domain.md §3.8: 差评 = levels 1–2; a reason's first digit is its level; old codes are disabled.
    assert [error.pointer for error in check(score, reasons, comment)] == pointers
