"""What a family reads about its result, choice by choice. Source: docs/domain.md §6.2."""

from haiyiban.errors import Words
from services.school_places.classification import Priority
from services.school_places.explanation import Choice, LastTaken, explain

HAIXIU = Words("海秀小学", "Haixiu Primary School")
CHANGBIN = Words("长滨小学", "Changbin Primary School")
XIUYING = Words("秀英小学", "Xiuying Primary School")


def test_a_family_reads_why_the_first_school_was_full_and_the_second_took_the_child() -> None:
    told = explain(
        [
            Choice(HAIXIU, Priority(0, 2, 1), LastTaken(Priority(0, 1, 1), 77)),
            Choice(CHANGBIN, Priority(1, 2, 1), LastTaken(Priority(1, 2, 1), 120)),
            Choice(XIUYING, Priority(1, 2, 1), None),
        ],
        lottery=88,
        placed=1,
    )
    assert told.text.zh == (
        "第一志愿海秀小学：您属片区内第2类，该校录取到片区内第1类，未录取；"
        "第二志愿长滨小学：您属片区外第2类，该校录取到片区外第2类、抽签号 120，您的抽签号 88，已录取。"
    )
    assert told.text.en == (
        "First choice Haixiu Primary School: your child is in class 2 inside the catchment; "
        "the school's last place went to class 1 inside the catchment; no place; "
        "Second choice Changbin Primary School: your child is in class 2 outside the catchment; "
        "the school took class 2 outside the catchment as far as lottery number 120, yours is 88; admitted."
    )
    assert [step.outcome for step in told.steps] == ["class_not_reached", "admitted"]
    assert told.lottery == 88


def test_a_lost_lottery_names_both_numbers_and_then_the_coordination() -> None:
    lost = Choice(HAIXIU, Priority(0, 2, 0), LastTaken(Priority(0, 2, 0), 120))
    told = explain([lost], lottery=121, placed=None)
    assert told.steps[0].outcome == "lottery_not_reached"
    assert "抽签号 120，您的抽签号 121，未录取" in told.text.zh
    assert "统筹" in told.text.zh
    found = explain([lost], lottery=121, placed=None, coordinated=XIUYING)
    assert found.text.zh.endswith("经统筹就近安排到秀英小学。")
    assert found.text.en.endswith("placed by coordination at Xiuying Primary School.")


def test_a_school_that_turned_nobody_away_says_so() -> None:
    told = explain([Choice(HAIXIU, Priority(0, 5, 0), None)], lottery=9, placed=0)
    assert told.text.zh == "第一志愿海秀小学：您属片区内第5类，该校学位充足，已录取。您的抽签号 9。"


def test_a_child_above_the_last_class_is_told_no_lottery_number_but_its_own() -> None:
    told = explain([Choice(HAIXIU, Priority(0, 1, 0), LastTaken(Priority(0, 2, 0), 5))], lottery=9, placed=0)
    assert "录取到片区内第2类，已录取" in told.text.zh
    assert told.text.zh.count("抽签号") == 1


def test_order_within_a_class_class_6_and_a_school_without_seats_are_explained() -> None:
    told = explain(
        [
            Choice(HAIXIU, Priority(0, 2, 1), LastTaken(Priority(0, 2, 0), 5)),
            Choice(CHANGBIN, Priority(0, 6, 0), LastTaken(Priority(0, 2, 0), 5)),
            Choice(XIUYING, Priority(0, 2, 1), None),
        ],
        lottery=1,
        placed=None,
    )
    assert [step.outcome for step in told.steps] == ["class_not_reached", "by_coordination_only", "no_seats"]
    assert "同类中条件在先" in told.steps[0].words.zh
    assert "统筹" in told.steps[1].words.zh
    assert "没有学位" in told.steps[2].words.zh
