"""How a decision is put into words, for each verb that decides: title, sentence, and what to do against it.

Source: 行政许可法 art. 32, 38, 50 (docs/domain.md §3.6); 行政复议法 (2023) art. 20, 24, 27; 行政诉讼法 (2017)
art. 45, 46; docs/documents.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from haiyiban import divisions
from haiyiban.cases.states import State, Verb
from haiyiban.errors import Words
from haiyiban.matters.matter import Item

PERMIT: Final = "01"
"""The kind of item that 行政许可法 is about. Source: docs/domain.md §3.1."""


@dataclass(frozen=True, slots=True)
class Form:
    """How one kind of decision is put; `permit` stands in its place where the law names it for permits."""

    title: Words
    decided: Words
    article: str = ""
    """Of 行政许可法, for a permit."""
    permit: Form | None = None


FORMS: Final = {
    Verb.APPROVE: Form(
        Words("准予办理决定书", "Decision of approval"),
        Words("经审查，符合规定，决定予以批准。", "is approved."),
        permit=Form(
            Words("准予行政许可决定书", "Decision to grant a permit"),
            Words("经审查，符合法定条件，决定准予行政许可。", "is granted."),
            "第三十八条第一款",
        ),
    ),
    Verb.DENY: Form(
        Words("不予批准决定书", "Decision of denial"),
        Words("经审查，决定不予批准，理由见下。", "is denied, for the reasons below."),
        permit=Form(
            Words("不予行政许可决定书", "Decision not to grant a permit"),
            Words("经审查，决定不予行政许可，理由见下。", "is not granted, for the reasons below."),
            "第三十八条第二款",
        ),
    ),
    Verb.REFUSE: Form(
        Words("不予受理决定书", "Decision not to accept an application"),
        Words("决定不予受理，理由见下。", "is not accepted, for the reasons below."),
        permit=Form(
            Words("不予受理决定书", "Decision not to accept an application"),
            Words("决定不予受理，理由见下。", "is not accepted, for the reasons below."),
            "第三十二条",
        ),
    ),
    Verb.TERMINATE: Form(
        Words("终止办理决定书", "Decision to end the handling of an application"),
        Words("决定终止办理，理由见下。", "is not handled any further, for the reasons below."),
    ),
}
DEEMED: Final = Words(
    "至有效期届满没有作出决定，依照《中华人民共和国行政许可法》第五十条第二款，视为准予延续。",
    "is deemed granted, for it was not decided before the permit's last day (行政许可法 art. 50).",
)
HOW_TO_VERIFY: Final = Words(
    "如何核对：用 PDF 阅读器或命令 haiyiban certificate verify 核对电子签名，用命令 haiyiban audit check 核对"
    "决定已记入封存的审计日志。打印件本身不能证明其内容；办件现在怎样，以海易办中的办件为准。",
    "The signature is checked by a PDF reader or haiyiban certificate verify; that the decision is in the "
    "sealed log, by haiyiban audit check. A print proves nothing: see in Haiyiban how the case stands.",
)
STANDING: Final = {
    State.SUBMITTED: Words("已提交，等待受理", "handed in, waiting to be accepted"),
    State.CORRECTION_REQUESTED: Words("等待补正", "waiting for a correction"),
    State.ACCEPTED: Words("办理中", "being handled"),
    State.SUSPENDED: Words("中止计时", "suspended"),
    State.WITHDRAWN: Words("申请人已撤回申请", "withdrawn by the applicant"),
    State.CLOSED: Words("已办结", "closed"),
}
"""How a case can stand whose last decision was undone."""


def form_of(verb: Verb, item: Item) -> Form:
    """How a decision on this kind of item is put. The verb decides: it is one of `FORMS`."""
    form = FORMS[verb]
    return form.permit if item.task_type == PERMIT and form.permit else form


def statement(form: Form, item: Item, matter: Words) -> Words:
    """What was decided, and by which law."""
    laws = "、".join(item.by_law)
    if form.article:
        laws = f"《中华人民共和国行政许可法》{form.article}和{laws}"
    return Words(
        f"你（单位）的“{matter.zh}”申请，依照{laws}，{form.decided.zh}",
        f"Your application “{matter.en}” {form.decided.en}",
    )


def deemed(matter: Words) -> Words:
    """What the law decided, for nobody else did in time."""
    return Words(f"你（单位）的“{matter.zh}”申请，{DEEMED.zh}", f"Your application “{matter.en}” {DEEMED.en}")


def remedy(item: Item, *, division: str) -> Words:
    """Where to go against a decision, and until when. `division`: who handles it, where the item's own code
    names none.

    60 days: 行政复议法 art. 20; to the government whose department decided: art. 24; of an authority that
    answers to the one above it, to that: art. 27. Six months: 行政诉讼法 art. 46; 15 days after a
    reconsideration: art. 45.
    """
    # The credit code of an authority names the division whose department it is.
    of = divisions.find(item.dept_code[2:8]) or divisions.get(division[:6])
    return Words(
        f"如不服本决定，可以自知道本决定之日起六十日内，向{of.name}人民政府申请行政复议（作出决定的机关实行垂直领导的，"
        "向其上一级主管部门申请）；也可以自知道本决定之日起六个月内，依法向人民法院提起行政诉讼。先申请行政复议而对复议"
        "决定不服的，可以自收到复议决定书之日起十五日内起诉。（《中华人民共和国行政复议法》第二十条、第二十四条、"
        "第二十七条；《中华人民共和国行政诉讼法》第四十五条、第四十六条）",
        "Within 60 days of learning of this decision you may ask the people's government of "
        f"{of.name_en} for reconsideration (where the authority answers to the one above it, that one), or "
        "within six months sue in a people's court; after a reconsideration, within 15 days of receiving its "
        "decision.",
    )
