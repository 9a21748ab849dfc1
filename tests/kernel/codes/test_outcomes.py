import pytest

from haiyiban.codes.outcomes import Outcome, explain


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_has_a_reason_and_a_next_step_in_both_languages(outcome: Outcome) -> None:
    for words in explain(outcome):
        assert words.zh.endswith("。")
        assert any("\u4e00" <= character <= "\u9fff" for character in words.zh)
        assert words.en.endswith(".")
        assert words.en.isascii()


def test_no_two_outcomes_give_the_same_reason() -> None:
    assert len({explain(outcome).reason for outcome in Outcome}) == len(Outcome)
