"""A form is filled from registers by the rules of its matter file.

Source: architecture.md "The plug-in contract".
"""

from datetime import UTC, datetime
from typing import Any

import msgspec

from haiyiban.forms import FormSchema
from haiyiban.matters.catalogue import Catalogue
from haiyiban.matters.matter import PrefillRule
from haiyiban.matters.prefill import ACCOUNT, Ask, asks, fill
from haiyiban.registers import RegisterAnswer
from haiyiban.registers.answers import State
from haiyiban.resources import schemas

AT = datetime(2024, 6, 1, tzinfo=UTC)
RULES = msgspec.convert(
    [
        {"pointer": "/child/name", "register": "population", "path": "/name"},
        {"pointer": "/guardian/name", "register": "population", "path": "/name", "about": "applicant"},
        {
            "pointer": "/guardian/phone",
            "register": "account",
            "path": "/phone",
            "about": "applicant",
            "locked": False,
        },
        {"pointer": "/home", "register": "property", "path": "/homes/0", "about": "applicant"},
        {"pointer": "/home", "register": "property", "path": "/homes/0", "about": "subject"},
    ],
    list[PrefillRule],
)


PHONE: dict[str, Any] = {"phone": "13800138000"}


def answer(facts: dict[str, Any], *, state: State = "known") -> RegisterAnswer:
    return RegisterAnswer(register="population", state=state, source="某库", at=AT, data=facts)


def test_each_register_is_asked_once_about_each_person() -> None:
    assert asks(RULES) == [
        Ask("population", "subject"),
        Ask("population", "applicant"),
        Ask("property", "applicant"),
        Ask("property", "subject"),
    ]


def test_known_facts_are_filled_with_their_source_and_locked_unless_said() -> None:
    filled = fill(
        RULES,
        answers={
            Ask("population", "subject"): answer({"name": "示例丙"}),
            Ask("population", "applicant"): answer({"name": "示例甲"}),
            Ask("property", "applicant"): answer({"homes": [{"id": "h1", "since": None}]}),
            Ask("property", "subject"): answer({"homes": [{"id": "h2"}]}),
        },
        account=PHONE,
        at=AT,
    )
    assert filled.form == {
        "child": {"name": "示例丙"},
        "guardian": {"name": "示例甲", "phone": "13800138000"},
        "home": {"id": "h1"},
    }
    assert filled.locked == ("/child/name", "/guardian/name", "/home")
    assert filled.origins["/home"] == ("某库", AT)
    assert filled.origins["/guardian/phone"] == (ACCOUNT, AT)
    assert filled.unknown == ()


def test_no_fact_leaves_a_field_open_and_no_answer_leaves_it_unknown() -> None:
    filled = fill(
        RULES,
        answers={
            Ask("population", "subject"): answer({}, state="absent"),
            Ask("population", "applicant"): answer({"name": None}),
            Ask("property", "applicant"): answer({}, state="unknown"),
        },
        account={"phone": None},
        at=AT,
    )
    assert filled.form == {}
    assert filled.locked == ()
    assert filled.unknown == ("/home",)


def test_a_field_is_not_unknown_when_another_rule_filled_it() -> None:
    answers = {Ask("property", "subject"): answer({"homes": [{"id": "h2"}]})}
    filled = fill(RULES, answers=answers, account={}, at=AT)
    assert filled.form["home"] == {"id": "h2"}
    assert filled.unknown == ("/child/name", "/guardian/name")


def test_the_proof_of_social_insurance_is_ready_but_for_its_purpose() -> None:
    proof = Catalogue.load(schemas() / "matters").get("social-insurance.proof")
    filled = fill(
        proof.prefill,
        answers={
            Ask("population", "applicant"): answer({"name": "示例甲", "idNumber": "460105199003070017"}),
            Ask("social_insurance", "applicant"): answer({"months": 60, "division": "460100"}),
        },
        account=PHONE,
        at=AT,
    )
    form = FormSchema.load(proof.form)
    assert [error.pointer for error in form.validate(filled.form)] == ["/purpose"]
    assert form.validate(filled.form | {"purpose": "school"}) == []
