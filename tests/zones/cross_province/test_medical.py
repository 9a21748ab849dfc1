"""异地就医: the formula with its vector, and the query."""

from __future__ import annotations

from datetime import date
from typing import Any

import httpx
import pytest

from services.cross_province.medical_rules import is_filed, settle
from tests import builders

ADDRESS = "/zones/cross-province/medical-settlements"
YUAN = 100


@pytest.mark.parametrize(
    ("bill", "outside", "deductible", "percent", "cap", "fund", "own"),
    [
        (20_000, 3_000, 1_000, 80, 300_000, 12_800, 7_200),  # docs/domain.md §9, the vector
        (20_000, 3_000, 1_000, 80, 10_000, 10_000, 10_000),  # the cap after the ratio, not on the base
        (20_000, 3_000, 1_000, 80, 12_800, 12_800, 7_200),
        (900, 0, 1_000, 80, 300_000, 0, 900),  # a negative base is 0
        (4_000, 3_000, 1_000, 80, 300_000, 0, 4_000),
        (0, 0, 0, 80, 300_000, 0, 0),
        (1_000, 0, 0, 100, 0, 0, 1_000),
    ],
)
def test_the_fund_pays_by_the_formula_and_the_person_the_rest(
    bill: int, outside: int, deductible: int, percent: int, cap: int, fund: int, own: int
) -> None:
    shares = settle(
        total_fen=bill * YUAN,
        outside_fen=outside * YUAN,
        deductible_fen=deductible * YUAN,
        ratio_percent=percent,
        cap_fen=cap * YUAN,
    )
    assert (shares.fund_fen, shares.self_fen) == (fund * YUAN, own * YUAN)


def test_half_a_fen_is_rounded_once_and_the_shares_add_up() -> None:
    shares = settle(total_fen=103, outside_fen=0, deductible_fen=0, ratio_percent=50, cap_fen=1000)
    assert (shares.fund_fen, shares.self_fen) == (52, 51)


@pytest.mark.parametrize(
    "wrong", [{"total_fen": -1}, {"outside_fen": 101}, {"ratio_percent": 101}, {"cap_fen": -1}]
)
def test_amounts_that_cannot_be_are_refused(wrong: dict[str, int]) -> None:
    good = {"total_fen": 100, "outside_fen": 0, "deductible_fen": 0, "ratio_percent": 80, "cap_fen": 9}
    with pytest.raises(ValueError):  # noqa: PT011 - it says no more
        settle(**good | wrong)


@pytest.mark.parametrize(
    ("filing", "filed"),
    [
        ({"division": "440000", "since": "2026-01-01"}, True),
        ({"division": "440100", "since": "2026-03-01", "until": "2026-03-01"}, True),
        ({"division": "440300", "since": "2026-01-01"}, False),
        ({"division": "400000", "since": "2026-01-01"}, False),
        ({"division": "440000", "since": "2026-03-02"}, False),
        ({"division": "440000", "since": "2026-01-01", "until": "2026-02-28"}, False),
    ],
)
def test_a_filing_covers_its_place_on_its_days(filing: dict[str, Any], filed: bool) -> None:
    assert is_filed([filing], division="440100", begun_on=date(2026, 3, 1)) is filed


def facts(**policy: Any) -> dict[str, Any]:
    bill = {
        "number": "440100-1",
        "hospital": "广州样例医院",
        "division": "440100",
        "place": "广东省广州市",
        "kind": "inpatient",
        "from": "2026-10-01",
        "until": "2026-10-09",
        "totalFen": 20_000 * YUAN,
        "outsideFen": 3_000 * YUAN,
    }
    said = {
        "division": "460000",
        "place": "海南省",
        "deductibleFen": 1_000 * YUAN,
        "ratioPercent": 80,
        "capFen": 300_000 * YUAN,
        "filings": [{"kind": "temporary", "division": "440000", "since": "2026-09-01"}],
    }
    return {"medicalBills": [bill], "medicalPolicy": said | policy}


async def test_my_bill_from_elsewhere_is_settled_by_my_policy(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    headers = await builders.resident(api, sandbox, builders.Somebody(more=facts()))
    answer = await api.get(ADDRESS, headers=headers)
    assert answer.status_code == 200, answer.text
    [bill] = answer.json()["items"]
    assert (bill["state"], bill["baseFen"], bill["fundFen"], bill["selfFen"]) == (
        "settled",
        16_000 * YUAN,
        12_800 * YUAN,
        7_200 * YUAN,
    )
    assert answer.json()["policy"]["ratioPercent"] == 80
    assert all(source["isAnswering"] for source in answer.json()["sources"])


async def test_without_a_filing_nothing_is_reckoned_and_without_bills_the_list_is_empty(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    headers = await builders.resident(api, sandbox, builders.Somebody(more=facts(filings=[])))
    [bill] = (await api.get(ADDRESS, headers=headers)).json()["items"]
    assert (bill["state"], bill["fundFen"]) == ("not_filed", None)
    other = await builders.resident(api, sandbox)
    empty = (await api.get(ADDRESS, headers=other)).json()
    assert (empty["items"], empty["policy"]) == ([], None)
    assert (await api.get(ADDRESS)).status_code == 401


async def test_a_register_that_does_not_answer_leaves_its_part_unknown(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    headers = await builders.resident(api, sandbox, builders.Somebody(more=facts()))
    await sandbox.post("/faults", json={"register": "medical_policy", "mode": "error"})
    shown = (await api.get(ADDRESS, headers=headers)).json()
    assert shown["items"][0]["state"] == "unknown"
    assert [source["isAnswering"] for source in shown["sources"]] == [True, False]
