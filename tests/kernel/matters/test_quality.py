"""Item-quality rules: for each one an item that passes and one that does not. Source: docs/domain.md §3.5."""

from fractions import Fraction
from typing import Any

import msgspec
import pytest

from haiyiban.matters.matter import Matter
from haiyiban.matters.metrics import figures, online_share
from haiyiban.matters.quality import RULES, findings

GOOD: dict[str, Any] = {
    "code": "test.matter",
    "version": 1,
    "name": {"zh": "试办事项", "en": "Trial"},
    "summary": {"zh": "试办", "en": "Trial"},
    "zone": "test",
    "audience": "person",
    "divisions": ["460000"],
    "form": "trial.v1",
    "subject": "self",
    "handledBy": {"agency": "test", "otherwise": "460000"},
    "item": {
        "task_name": "试办事项",
        "catalog_code": "462014002001",
        "task_code": "11460000MB1A2B3CXT2462014002001",
        "task_type": "20",
        "by_law": ["某法第一条"],
        "use_level": "2",
        "dept_name": "某厅",
        "dept_code": "11460000MB1A2B3CXT",
        "anticipate_day": 20,
        "promise_day": 10,
        "accept_condition": "无",
        "handle_flow": ["受理", "审核", "决定", "送达"],
        "server_type": ["1"],
        "project_type": "2",
        "handle_type": ["1", "3"],
        "limit_scene_num": 0,
        "is_online": True,
        "online_handle_depth": "IV",
        "result_type": "other",
        "result_name": "试办结果",
        "result_sample": "/samples/trial.pdf",
        "link_way": "0898-66500101",
        "supervise_way": "0898-66500102",
        "user_topic_type": ["社会保障"],
    },
    "materials": [
        {
            "code": "identity-card",
            "name": {"zh": "身份证", "en": "Identity card"},
            "source": "government",
            "necessity": "optional",
            "obtainedBy": "e_certificate",
        }
    ],
}


def matter(item: dict[str, Any] | None = None, **changes: Any) -> Matter:
    return msgspec.convert(GOOD | changes | {"item": GOOD["item"] | (item or {})}, Matter)


def material(necessity: str, obtained_by: str) -> list[dict[str, Any]]:
    return [GOOD["materials"][0] | {"necessity": necessity, "obtainedBy": obtained_by}]


FEE = {
    "is_fee": True,
    "fee_basis": "某办法",
    "is_pay_online": True,
    "fees": [{"name": "工本费", "standard": "每证 10 元", "amount_fen": 1000}],
}
PERMIT = {
    "task_type": "01",
    "catalog_code": "460114002001",
    "task_code": "11460000MB1A2B3CXT2460114002001",
    "faq": [{"question": {"zh": "问", "en": "Q"}, "answer": {"zh": "答", "en": "A"}}],
    "handle_flow": ["受理", "审核", "审批", "办结", "送达"],
}
VISIT = {"limit_scene_num": 1, "limit_scene_explain": "现场核查", "online_handle_depth": "III"}


def test_a_good_matter_has_no_findings() -> None:
    assert findings(matter()) == []


@pytest.mark.parametrize(
    ("rule", "item"),
    [
        ("Q1", {"promise_day": 0, "project_type": "1"}),
        ("Q2", {"promise_day": 1, "project_type": "2"}),
        ("Q3", {"result_name": "老年人优待证", "result_type": "certificate"}),
        ("Q3", {"result_name": "关于试办的批复", "result_type": "approval"}),
        ("Q3", {"result_name": "准予文", "result_type": "document"}),
        ("Q3", {"result_name": "参保证明", "result_type": "other"}),
        ("Q4", VISIT),
        ("Q5", {"is_online": False, "online_handle_depth": "I", "handle_type": ["4"]}),
        ("Q5", VISIT | {"is_online": False, "online_handle_depth": "I", "handle_type": ["1"]}),
        ("Q6", VISIT),
        ("Q7", FEE),
        ("Q7", FEE | {"is_pay_online": False}),
        ("Q8", {"link_way": "0898-12345"}),
        (
            "Q9",
            {"server_type": ["1", "2"], "corp_topic_type": ["设立变更"]},
        ),
        ("Q10", PERMIT),
        ("Q11", {"result_name": "", "result_sample": ""}),
        ("Q12", {"anticipate_day": 10, "promise_day": 10}),
        ("Q12", {"anticipate_day": None, "anticipate_explain": "法律法规未规定"}),
        ("Q13", {"task_handle_item": "11460000MB1A2B3CXT246201400200101"}),
    ],
)
def test_an_item_that_keeps_the_rule_passes(rule: str, item: dict[str, Any]) -> None:
    assert findings(matter(item)) == []
    assert rule in RULES


@pytest.mark.parametrize(
    ("rule", "pointer", "item"),
    [
        ("Q1", "/item/project_type", {"promise_day": 0, "project_type": "2"}),
        ("Q2", "/item/project_type", {"promise_day": 1, "project_type": "1"}),
        ("Q2", "/item/project_type", {"promise_day": 1, "project_type": "9"}),
        ("Q3", "/item/result_type", {"result_name": "老年人优待证", "result_type": "other"}),
        ("Q3", "/item/result_type", {"result_name": "关于试办的批复", "result_type": "document"}),
        ("Q3", "/item/result_type", {"result_name": "准予文", "result_type": "approval"}),
        ("Q4", "/item/limit_scene_explain", VISIT | {"limit_scene_explain": ""}),
        ("Q4", "/item/limit_scene_explain", {"limit_scene_explain": "现场核查"}),
        ("Q5", "/item/handle_type", {"is_online": False, "online_handle_depth": "I", "handle_type": ["1"]}),
        ("Q6", "/item/limit_scene_num", VISIT | {"online_handle_depth": "IV"}),
        ("Q7", "/item/fee_basis", FEE | {"fee_basis": ""}),
        ("Q7", "/item/is_pay_online", FEE | {"is_pay_online": None}),
        ("Q7", "/item/fees", FEE | {"fees": []}),
        ("Q7", "/item/is_pay_online", {"is_pay_online": True}),
        ("Q7", "/item/is_pay_online", FEE | {"is_fee": False, "is_pay_online": False}),
        ("Q8", "/item/link_way", {"link_way": "66500101"}),
        ("Q8", "/item/supervise_way", {"supervise_way": "010-66500102"}),
        ("Q8", "/item/supervise_way", {"supervise_way": "0898-66500101"}),
        ("Q9", "/item/user_topic_type", {"user_topic_type": []}),
        ("Q9", "/item/corp_topic_type", {"server_type": ["1", "3"]}),
        ("Q9", "/item/corp_topic_type", {"corp_topic_type": ["设立变更"]}),
        ("Q10", "/item/faq", PERMIT | {"faq": []}),
        ("Q10", "/item/handle_flow", PERMIT | {"handle_flow": ["受理", "审核", "办结", "送达"]}),
        ("Q11", "/item/result_sample", {"result_sample": ""}),
        ("Q12", "/item/promise_day", {"promise_day": 21}),
        ("Q12", "/item/promise_type", {"promise_type": "natural_day"}),
        ("Q12", "/item/anticipate_explain", {"anticipate_day": None}),
        ("Q13", "/item/task_code", {"task_code": "11460000MB1A2B3CXT3462014002001"}),
        ("Q13", "/item/task_code", {"task_code": "11460000MB1A2B3CXT2462014002002"}),
        ("Q13", "/item/task_code", {"task_code": "12460200MB9X8Y7WXK2462014002001"}),
        ("Q13", "/item/task_handle_item", {"task_handle_item": "11460000MB1A2B3CXT346201400200101"}),
        (
            "Q13",
            "/item/dept_code",
            {"dept_code": "11460000MB1A2B3CXU", "task_code": "11460000MB1A2B3CXU2462014002001"},
        ),
        (
            "Q13",
            "/item/catalog_code",
            {"catalog_code": "372014002001", "task_code": "11460000MB1A2B3CXT2372014002001"},
        ),
        (
            "Q13",
            "/item/catalog_code",
            {"catalog_code": "460114002001", "task_code": "11460000MB1A2B3CXT2460114002001"},
        ),
    ],
)
def test_an_item_that_breaks_the_rule_is_found(rule: str, pointer: str, item: dict[str, Any]) -> None:
    assert [(found.rule, found.pointer) for found in findings(matter(item))] == [(rule, pointer)]


@pytest.mark.parametrize("supplied_by", ["data_sharing", "e_certificate", "commitment"])
def test_q14_what_the_government_knows_is_not_required(supplied_by: str) -> None:
    broken = matter(materials=material("required", supplied_by))
    assert [(f.rule, f.pointer) for f in findings(broken)] == [("Q14", "/materials/0/necessity")]
    assert findings(matter(materials=material("optional", supplied_by))) == []
    assert findings(matter(materials=material("required", "applicant"))) == []


def test_every_rule_of_the_domain_reference_is_here() -> None:
    assert list(RULES) == [f"Q{number}" for number in range(1, 15)]
    for name, rule in RULES.items():
        assert (rule.__doc__ or "").startswith(f"{name}: ")


@pytest.mark.parametrize("task_type", ["02", "03", "06"])
def test_what_agencies_do_of_their_own_accord_is_not_applied_for(task_type: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        matter({"task_type": task_type})


def test_figures_of_a_catalogue() -> None:
    at_once = matter({"promise_day": 0, "project_type": "1", "anticipate_day": 5})
    twice = matter(VISIT | {"limit_scene_num": 2})
    unlimited = matter({"anticipate_day": None, "anticipate_explain": "未规定"})
    shown = figures([at_once, twice, unlimited])
    assert shown.done_at_once == Fraction(1, 3)
    assert shown.one_visit_at_most == Fraction(2, 3)
    assert shown.no_visit == Fraction(2, 3)
    assert shown.time_saved == 1 - Fraction(0 + 10, 5 + 20)
    assert figures([]).time_saved is None
    assert online_share(online=3, all_cases=4) == Fraction(3, 4)
    assert online_share(online=0, all_cases=0) is None
