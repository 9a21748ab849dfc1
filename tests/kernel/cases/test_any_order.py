"""Everybody tries everything over HTTP: the case is always where the table says."""

from __future__ import annotations

from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from haiyiban.cases.states import By, State, Verb, clock_in, next_state
from tests.kernel.cases.office import Citizen, Office

BODIES: dict[str, dict[str, Any]] = {
    "refuse": {"note": "不属于受理范围"},
    "request-correction": {"note": "请核对账号"},
    "suspend": {"reason": "检测"},
    "extend": {"days": 3},
    "terminate": {"note": "申请人死亡"},
    "deny": {"note": "未满八十周岁"},
}
VERBS = ["submission", "withdrawal", "undo", *BODIES, "accept", "resume", "approve", "close"]
LIKELY = ["submission", "accept", "suspend", "resume", "undo", "approve"]
"""Tried oftener, so that a case comes further than its draft."""


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(verbs=st.lists(st.sampled_from(VERBS + LIKELY * 2), min_size=6, max_size=14))
async def test_no_order_of_verbs_reaches_a_state_that_the_table_does_not_allow(
    citizen: Citizen, office: Office, verbs: list[str]
) -> None:
    case = await citizen.ready()
    state, before, version = State.DRAFT, None, case["version"]
    for verb in verbs:
        if verb in {"submission", "withdrawal"}:
            answer = await citizen.api.post(f"/cases/{case['id']}/{verb}", json={}, headers=citizen.headers)
            allowed = next_state(state, Verb(verb), by=By.APPLICANT)
        else:
            who = "officer" if verb == "extend" else "clerk"
            answer = await office.act(case, verb, who=who, **BODIES.get(verb, {}))
            allowed = before if verb == "undo" else next_state(state, Verb(verb), by=By.CLERK)
        now = await citizen.get(case)
        if answer.is_success:
            assert now["state"] == allowed
            assert now["version"] == version + 1
            # Only the last verb of the clerk who asks can be undone; the officer's extension is not theirs.
            by_clerk = verb not in {"submission", "withdrawal", "undo", "extend"}
            before = state if by_clerk else None
            state, version = State(now["state"]), now["version"]
        else:
            assert_refused(answer, verb, allowed)
        assert (now["state"], now["version"]) == (state, version)
        assert now["clock"] == clock_in(state)
        assert (now["outcome"] is None) is (
            state
            in {State.DRAFT, State.SUBMITTED, State.CORRECTION_REQUESTED, State.ACCEPTED, State.SUSPENDED}
        )


def assert_refused(answer: httpx.Response, verb: str, allowed: State | None) -> None:
    """Refused by the table, or by the one rule of the verb that the table does not hold."""
    once = {"extend", "request-correction"}
    assert answer.status_code in {404, 409, 422}, answer.text
    assert allowed is None or verb in once, answer.text
