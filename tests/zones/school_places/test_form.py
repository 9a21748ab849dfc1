"""The school-place form as families fill it in: schemas/forms/school-place.v1.json."""

import json
from typing import Any

import pytest

from haiyiban.forms import FormSchema
from haiyiban.resources import schemas

FORM: dict[str, Any] = {
    "child": {"name": "陈小明", "idNumber": "46900520200831003X"},
    "guardian": {
        "name": "陈大明",
        "idNumber": "460105199003070017",
        "phone": "13800000001",
        "relation": "parent",
    },
    "hukou": {"address": "北京市朝阳区样例路9号", "division": "110105", "since": "2020-09-10"},
    "category": "public",
    "choices": ["01990000-0000-7000-8000-000000000001"],
}
HOME = {"id": "h1", "address": "海秀路3号", "division": "460105", "title": "owned", "share": 100}


def failing(**changes: Any) -> list[str]:
    form = {name: value for name, value in (FORM | changes).items() if value is not None}
    return [error.pointer for error in FormSchema.load("school-place.v1").validate(form)]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"home": HOME},
        {"home": HOME | {"since": "2019-02-28"}},
        {"residencePermit": {"since": "2024-01-01"}, "socialInsuranceMonths": 12},
        {"category": "private"},
        {"twinOf": "46900520200831003X"},
        {"choices": ["a", "b", "c", "d", "e"]},
    ],
    ids=str,
)
def test_a_form_with_all_that_is_needed_passes(changes: dict[str, Any]) -> None:
    assert failing(**changes) == []


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ({"choices": []}, ["/choices"]),
        ({"choices": ["a", "b", "c", "d", "e", "f"]}, ["/choices"]),
        ({"choices": ["a", "a"]}, ["/choices"]),
        ({"category": "private", "choices": ["a", "b"]}, ["/choices"]),
        ({"category": "both"}, ["/category"]),
        ({"choices": None}, ["/choices"]),
        ({"home": HOME | {"share": 101}}, ["/home/share"]),
        ({"home": HOME | {"title": "castle"}}, ["/home/title"]),
        ({"home": HOME | {"division": "46010"}}, ["/home/division"]),
        ({"hukou": FORM["hukou"] | {"since": "2021-02-29"}}, ["/hukou/since"]),
        ({"child": {"name": "陈小明", "idNumber": "469005202008310038"}}, ["/child/idNumber"]),
        ({"guardian": FORM["guardian"] | {"relation": "uncle"}}, ["/guardian/relation"]),
        ({"salary": 1}, ["/salary"]),
    ],
    ids=str,
)
def test_each_wrong_field_is_named(changes: dict[str, Any], pointers: list[str]) -> None:
    assert failing(**changes) == pointers


def test_every_field_of_a_register_says_which_one() -> None:
    document = json.loads((schemas() / "forms/school-place.v1.json").read_text("utf-8"))
    by_hand = {"category", "choices"}
    for name, field in document["properties"].items():
        leaves = field.get("properties", {name: field})
        assert all("x-source" in leaf for leaf in leaves.values()) is (name not in by_hand), name
