"""Item-quality rules: an implementation list that contradicts itself sends people to a counter for nothing.

Each rule reads one matter and says what is wrong and where. Q1–Q11 are those of a working provincial
checker, Q12–Q14 follow from the promise itself, the structure of the codes, and the rule that nobody proves
what the government knows.

Source: docs/domain.md §3.5 (Q1–Q14), §3.2 (codes); 国务院令第716号 art. 7 (Q14).
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from haiyiban.divisions import PROVINCE
from haiyiban.errors import Words
from haiyiban.forms.formats import is_uscc
from haiyiban.matters.matter import Matter

_REGION = PROVINCE[:2]
_AREA = "0898" if _REGION == "46" else "0[1-9][0-9]{1,2}"
"""Hainan has one area code; other provinces have several."""
_PHONE = re.compile(_AREA + "-[0-9]{5,8}", re.ASCII)
_PERMIT_STEPS = ("受理", "审核", "审批", "办结", "送达")
_CORPORATE = frozenset("234")


class Finding(NamedTuple):
    """What one rule holds against a matter file, and where in the file."""

    rule: str
    pointer: str
    words: Words


_Faults = Iterator[tuple[str, Words]]


def q1_done_at_once_is_said_so(matter: Matter) -> _Faults:
    """Q1: a promise of 0 days makes it 即办件."""
    if matter.item.promise_day == 0 and matter.item.project_type != "1":
        yield (
            "/item/project_type",
            Words("承诺即办的事项，办件类型应为即办件（1）", "a promise of 0 days needs project_type 1"),
        )


def q2_promised_is_said_so(matter: Matter) -> _Faults:
    """Q2: a promise of days makes it 承诺件."""
    if matter.item.promise_day > 0 and matter.item.project_type != "2":
        yield (
            "/item/project_type",
            Words("有承诺时限的事项，办件类型应为承诺件（2）", "a promise of days needs project_type 2"),
        )


def q3_result_is_named_as_its_kind(matter: Matter) -> _Faults:
    """Q3: a result named …证 is a certificate, …文 a document, …批复 an approval."""
    for ending, kind in (("批复", "approval"), ("证", "certificate"), ("文", "document")):
        if matter.item.result_name.endswith(ending) and matter.item.result_type != kind:
            yield (
                "/item/result_type",
                Words(
                    f"结果名称以“{ending}”结尾，结果类型不符", f"a result named …{ending} is of type {kind}"
                ),
            )


def q4_a_visit_has_a_reason(matter: Matter) -> _Faults:
    """Q4: visits need a reason, no visit has none."""
    visits, reason = matter.item.limit_scene_num, matter.item.limit_scene_explain
    if visits > 0 and not reason:
        yield (
            "/item/limit_scene_explain",
            Words("需到现场的，应写明必须现场办理的原因", "say why people must come"),
        )
    if visits == 0 and reason:
        yield (
            "/item/limit_scene_explain",
            Words("不需到现场的，不应有现场办理原因", "no visit is needed, so there is no reason for one"),
        )


def q5_neither_visit_nor_web_means_courier(matter: Matter) -> _Faults:
    """Q5: what needs no visit and is not online comes by courier."""
    item = matter.item
    if item.limit_scene_num == 0 and not item.is_online and "4" not in item.handle_type:
        yield (
            "/item/handle_type",
            Words("不到现场又不能网办的，应支持快递办理（4）", "without visit and web, offer courier (4)"),
        )


def q6_wholly_online_means_no_visit(matter: Matter) -> _Faults:
    """Q6: depth Ⅳ (全程网办) leaves no visit."""
    if matter.item.online_handle_depth == "IV" and matter.item.limit_scene_num != 0:
        yield (
            "/item/limit_scene_num",
            Words("全程网办的事项，到现场次数应为 0", "wholly online means 0 visits"),
        )


def q7_a_fee_is_explained(matter: Matter) -> _Faults:
    """Q7: a fee has its basis, items, standards and an answer to "can I pay online"; without a fee there is
    nothing to pay online."""
    item = matter.item
    if item.is_fee:
        if not item.fee_basis:
            yield "/item/fee_basis", Words("收费事项应写明收费依据", "a fee needs its basis")
        if item.is_pay_online is None:
            yield (
                "/item/is_pay_online",
                Words("收费事项应写明能否网上支付", "say whether the fee can be paid online"),
            )
        if not item.fees:
            yield "/item/fees", Words("收费事项应列出收费项目和标准", "list the fee's items and standards")
    elif item.is_pay_online or item.fees:
        yield (
            "/item/is_pay_online",
            Words("不收费的事项不应有网上支付和收费项目", "no fee, so nothing to pay online"),
        )


def q8_two_telephones(matter: Matter) -> _Faults:
    """Q8: one telephone to ask, another to complain, both with the area code."""
    for name in ("link_way", "supervise_way"):
        if not _PHONE.fullmatch(getattr(matter.item, name)):
            yield (
                f"/item/{name}",
                Words("电话应带区号，如 0898-12345678", "give the area code: 0898-12345678"),
            )
    if matter.item.link_way == matter.item.supervise_way:
        yield (
            "/item/supervise_way",
            Words("监督投诉电话不能与咨询电话相同", "complaints need another telephone"),
        )


def q9_topics_match_who_is_served(matter: Matter) -> _Faults:
    """Q9: natural persons have a personal topic, legal persons a corporate one, and nobody a topic of the
    others."""
    item = matter.item
    for served, topics, name in (
        ("1" in item.server_type, item.user_topic_type, "user_topic_type"),
        (bool(_CORPORATE & set(item.server_type)), item.corp_topic_type, "corp_topic_type"),
    ):
        if served != bool(topics):
            yield f"/item/{name}", Words("主题分类与服务对象不一致", "the topics do not match server_type")


def q10_a_permit_shows_its_way(matter: Matter) -> _Faults:
    """Q10: a permit (行政许可) answers at least one question and names all five steps."""
    if matter.item.task_type != "01":
        return
    if not matter.item.faq:
        yield "/item/faq", Words("行政许可事项至少应有一条常见问题", "a permit needs at least one FAQ")
    if lacking := [step for step in _PERMIT_STEPS if step not in matter.item.handle_flow]:
        yield (
            "/item/handle_flow",
            Words(f"办理流程缺少：{'、'.join(lacking)}", f"the flow lacks {', '.join(lacking)}"),
        )


def q11_a_named_result_has_a_sample(matter: Matter) -> _Faults:
    """Q11: who names a result shows a sample of it."""
    if matter.item.result_name and not matter.item.result_sample:
        yield (
            "/item/result_sample",
            Words("有结果名称的，应提供结果样本", "show a sample of the named result"),
        )


def q12_a_promise_is_within_the_law(matter: Matter) -> _Faults:
    """Q12: the promise is not longer than the law allows, in the same unit; where no law sets a limit, that
    is said."""
    item = matter.item
    if item.anticipate_day is None:
        if not item.anticipate_explain:
            yield "/item/anticipate_explain", Words("没有法定时限的，应说明", "no statutory limit: say so")
    elif item.anticipate_type != item.promise_type:
        yield (
            "/item/promise_type",
            Words("承诺时限与法定时限的单位应一致", "promise and statutory limit differ in unit"),
        )
    elif item.promise_day > item.anticipate_day:
        yield (
            "/item/promise_day",
            Words("承诺时限不能长于法定时限", "the promise is longer than the law allows"),
        )


def q13_code_segments_agree(matter: Matter) -> _Faults:
    """Q13: the long codes repeat the short ones, and the agency's code has right check characters."""
    item = matter.item
    if not is_uscc(item.dept_code):
        yield (
            "/item/dept_code",
            Words("实施主体的统一社会信用代码校验不通过", "not a valid unified social credit code"),
        )
    if item.task_code[:18] != item.dept_code:
        yield "/item/task_code", Words("实施编码前 18 位应为实施主体代码", "task_code begins with dept_code")
    if item.task_code[18:19] != item.use_level:
        yield (
            "/item/task_code",
            Words("实施编码第 19 位应为行使层级", "character 19 of task_code is use_level"),
        )
    if item.task_code[19:] != item.catalog_code:
        yield "/item/task_code", Words("实施编码后 12 位应为基本编码", "task_code ends with catalog_code")
    if item.task_handle_item and not item.task_handle_item.startswith(item.task_code):
        yield (
            "/item/task_handle_item",
            Words("业务办理项编码应以实施编码开头", "task_handle_item begins with task_code"),
        )
    if item.catalog_code[:2] not in ("00", _REGION) or item.catalog_code[2:4] != item.task_type:
        yield (
            "/item/catalog_code",
            Words("基本编码的地区或类型不对", f"catalog_code begins with 00 or {_REGION} and the task_type"),
        )


def q14_nobody_proves_what_we_know(matter: Matter) -> _Faults:
    """Q14: a material that sharing, an e-certificate or a commitment supplies is not required of the
    applicant."""
    for index, material in enumerate(matter.materials):
        if material.obtained_by != "applicant" and material.necessity == "required":
            yield (
                f"/materials/{index}/necessity",
                Words("可共享获取的材料不得要求必须提交", "what sharing supplies may not be required"),
            )


RULES: dict[str, Callable[[Matter], _Faults]] = {
    "Q1": q1_done_at_once_is_said_so,
    "Q2": q2_promised_is_said_so,
    "Q3": q3_result_is_named_as_its_kind,
    "Q4": q4_a_visit_has_a_reason,
    "Q5": q5_neither_visit_nor_web_means_courier,
    "Q6": q6_wholly_online_means_no_visit,
    "Q7": q7_a_fee_is_explained,
    "Q8": q8_two_telephones,
    "Q9": q9_topics_match_who_is_served,
    "Q10": q10_a_permit_shows_its_way,
    "Q11": q11_a_named_result_has_a_sample,
    "Q12": q12_a_promise_is_within_the_law,
    "Q13": q13_code_segments_agree,
    "Q14": q14_nobody_proves_what_we_know,
}


def findings(matter: Matter) -> list[Finding]:
    """All that the rules hold against a matter; empty for a good one."""
    return [Finding(name, pointer, words) for name, rule in RULES.items() for pointer, words in rule(matter)]
