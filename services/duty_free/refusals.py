"""What several parts of the zone refuse with."""

from __future__ import annotations

from haiyiban.codes.answers import VerificationRead
from haiyiban.codes.outcomes import Outcome
from haiyiban.errors import FieldError, Problem, Words


class CodeRefused(Problem):
    """The buyer's code was not accepted; the members say what a verification would have said."""

    type = "duty-free/code-refused"
    title = Words("购买人的亮证码没有通过核验", "The buyer's code was not accepted")

    def __init__(self, answer: VerificationRead) -> None:
        outcome = Outcome.UNAVAILABLE if answer.outcome is Outcome.VALID else answer.outcome
        words = Words(f"{answer.reason}{answer.advice}", f"{answer.reason} {answer.advice}")
        super().__init__(words, errors=[FieldError("/text", words)], members={"outcome": outcome.value})
