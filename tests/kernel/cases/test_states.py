"""The table of moves, row by row and in every order."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from haiyiban.cases.states import DECIDED, FINAL, By, Clock, State, Verb, clock_in, next_state, verbs_in

ROWS: dict[tuple[str, str], tuple[set[str], str]] = {
    ("draft", "submission"): ({"applicant"}, "submitted"),
    ("correction_requested", "submission"): ({"applicant"}, "submitted"),
    ("submitted", "accept"): ({"clerk", "system"}, "accepted"),
    ("submitted", "refuse"): ({"clerk"}, "refused"),
    ("submitted", "request-correction"): ({"clerk"}, "correction_requested"),
    ("correction_requested", "lapse"): ({"system"}, "closed"),
    ("accepted", "suspend"): ({"clerk"}, "suspended"),
    ("accepted", "extend"): ({"clerk"}, "accepted"),
    ("accepted", "transfer"): ({"clerk"}, "submitted"),
    ("accepted", "terminate"): ({"clerk"}, "closed"),
    ("suspended", "resume"): ({"clerk", "system"}, "accepted"),
    ("accepted", "approve"): ({"clerk", "publication", "system"}, "approved"),
    ("accepted", "deny"): ({"clerk", "publication"}, "denied"),
    ("approved", "close"): ({"clerk", "system"}, "closed"),
    ("denied", "close"): ({"clerk", "system"}, "closed"),
    ("draft", "withdrawal"): ({"applicant"}, "withdrawn"),
    ("submitted", "withdrawal"): ({"applicant"}, "withdrawn"),
    ("correction_requested", "withdrawal"): ({"applicant"}, "withdrawn"),
    ("accepted", "withdrawal"): ({"applicant"}, "withdrawn"),
    ("suspended", "withdrawal"): ({"applicant"}, "withdrawn"),
}
"""The wire contract's table, written down a second time."""


@pytest.mark.parametrize(("state", "verb"), list(itertools.product(State, Verb)))
def test_a_verb_leads_where_the_contract_says_and_nowhere_else(state: State, verb: Verb) -> None:
    allowed, to = ROWS.get((state, verb), (set(), ""))
    for by in By:
        assert next_state(state, verb, by=by) == (to if by in allowed else None)
        assert (verb in verbs_in(state, by=by)) is (by in allowed)


@pytest.mark.parametrize(
    ("state", "clock"),
    [
        ("draft", "stopped"),
        ("submitted", "stopped"),
        ("correction_requested", "stopped"),
        ("accepted", "running"),
        ("suspended", "stopped"),
        ("approved", "ended"),
        ("denied", "ended"),
        ("refused", "ended"),
        ("closed", "ended"),
        ("withdrawn", "ended"),
    ],
)
def test_days_run_only_between_acceptance_and_decision(state: str, clock: str) -> None:
    assert clock_in(State(state)) == Clock(clock)


class Life(RuleBasedStateMachine):
    """Anybody tries anything, again and again."""

    def __init__(self) -> None:
        super().__init__()
        self.state = State.DRAFT
        self.path: list[tuple[Verb, By]] = []

    @rule(verb=st.sampled_from(Verb), by=st.sampled_from(By))
    def try_verb(self, verb: Verb, by: By) -> None:
        to = next_state(self.state, verb, by=by)
        if to is not None:
            self.path.append((verb, by))
            self.state = to

    @rule()
    def carry_on(self) -> None:
        """Somebody takes the first thing the table offers them, so that deep states are reached."""
        for by in By:
            offered = verbs_in(self.state, by=by)
            if offered:
                self.try_verb(offered[0], by)
                return

    @invariant()
    def nothing_is_decided_that_was_not_handed_in_and_accepted(self) -> None:
        verbs = [verb for verb, _ in self.path]
        if self.state in DECIDED:
            assert Verb.SUBMISSION in verbs
            assert Verb.ACCEPT in verbs[verbs.index(Verb.SUBMISSION) :]

    @invariant()
    def only_applicants_hand_in_and_withdraw(self) -> None:
        for verb, by in self.path:
            if verb in {Verb.SUBMISSION, Verb.WITHDRAWAL}:
                assert by is By.APPLICANT

    @invariant()
    def what_is_over_stays_over(self) -> None:
        if self.state in FINAL:
            assert not any(verbs_in(self.state, by=by) for by in By)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
