"""What a matter file says: the shape of `schemas/matters/<code>.v<version>.json`.

These types are the one definition; `schemas/meta/matter.v1.schema.json`, which editors check files against,
is generated from them. The elements of the implementation list (实施清单) keep the field names of the
national tables, as other platforms exchange them.

Source: docs/domain.md §3.1–3.4; docs/add-a-matter.md.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from haiyiban.bilingual import Sentence, Text
from haiyiban.registers.sources import RegisterName

Pointer = Annotated[
    str, Meta(pattern="^(/[^/]+)+$", description="JSON pointer (RFC 6901) into the form or an answer")
]
DivisionCode = Annotated[
    str, Meta(pattern="^[0-9]{6}([0-9]{3}([0-9]{3})?)?$", description="Division code (行政区划)")
]
Slug = Annotated[str, Meta(pattern="^[a-z][a-z0-9-]*$", max_length=60)]
Limit = Literal["working_day", "natural_day"]
TaskType = Literal["01", "04", "05", "07", "08", "09", "10", "20"]
About = Literal["applicant", "subject"]
RoleName = Literal["legal_representative", "finance", "clerk"]


class Fee(Struct, frozen=True, forbid_unknown_fields=True):
    """One fee: what for, and how it is reckoned; money in fen."""

    name: Sentence
    standard: Sentence
    amount_fen: Annotated[int, Meta(ge=0)]


class Question(Struct, frozen=True, forbid_unknown_fields=True):
    """A question people ask, answered (常见问题)."""

    question: Text
    answer: Text


class Item(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The implementation list (实施清单) of a matter, under its national field names.

    `promise_day` 0 means done while you wait (即办). `anticipate_day` null: no law sets a limit,
    `anticipate_explain` says so.
    """

    task_name: Sentence
    catalog_code: Annotated[
        str,
        Meta(
            pattern="^[0-9]{12}$", description="基本编码: region 2, type 2, department 2, item 3, sub-item 3"
        ),
    ]
    task_code: Annotated[
        str, Meta(pattern="^[0-9A-Z]{31}$", description="实施编码: USCC 18, level 1, 基本编码 12")
    ]
    task_handle_item: Annotated[
        str, Meta(pattern="^([0-9A-Z]{33})?$", description="业务办理项编码, or empty")
    ] = ""
    task_type: Annotated[TaskType, Meta(description="事项类型; 02, 03 and 06 are not applied for")]
    task_version: Annotated[int, Meta(ge=1)] = 1
    by_law: Annotated[tuple[Sentence, ...], Meta(min_length=1, description="设定依据")]
    use_level: Annotated[Literal["1", "2", "3", "4", "5", "6", "7"], Meta(description="行使层级")]
    dept_name: Sentence
    dept_code: Annotated[str, Meta(pattern="^[0-9A-Z]{18}$", description="实施主体 USCC")]
    dept_type: Annotated[
        Literal["1", "2", "3", "9"], Meta(description="1 法定机关 2 授权组织 3 受委托组织 9 其他")
    ] = "1"
    anticipate_day: Annotated[int, Meta(ge=0, le=365)] | None
    anticipate_type: Limit = "working_day"
    anticipate_explain: str = ""
    promise_day: Annotated[int, Meta(ge=0, le=365)]
    promise_type: Limit = "working_day"
    promise_explain: str = ""
    accept_condition: Sentence
    handle_flow: Annotated[tuple[Sentence, ...], Meta(min_length=1, description="办理流程, step by step")]
    limit_explain: str = ""
    server_type: Annotated[
        tuple[Literal["1", "2", "3", "4", "5", "6"], ...],
        Meta(
            min_length=1,
            description="服务对象 1 自然人 2 企业法人 3 事业法人 4 社会组织法人 5 行政机关 6 其他",
        ),
    ]
    project_type: Annotated[Literal["1", "2", "9"], Meta(description="办件类型 1 即办件 2 承诺件 9 其他")]
    handle_type: Annotated[
        tuple[Literal["1", "2", "3", "4", "9"], ...],
        Meta(min_length=1, description="办理形式 1 窗口 2 电脑端 3 移动端 4 快递 9 其他"),
    ]
    limit_scene_num: Annotated[int, Meta(ge=0, le=9, description="到办事现场次数")]
    limit_scene_explain: Annotated[str, Meta(description="必须现场办理原因")] = ""
    is_online: bool
    online_handle_depth: Annotated[Literal["I", "II", "III", "IV"], Meta(description="网办深度; IV 全程网办")]
    handle_area: Annotated[
        tuple[Literal["全国", "跨省", "跨市", "跨县"], ...], Meta(description="通办范围")
    ] = ()
    is_fee: bool = False
    fee_basis: str = ""
    is_pay_online: bool | None = False
    fees: tuple[Fee, ...] = ()
    result_type: Annotated[
        Literal["certificate", "document", "approval", "other"],
        Meta(description="出证办结, 出文办结, 审批办结, 其他办结"),
    ]
    result_name: str = ""
    result_sample: Annotated[str, Meta(description="Where the sample of the result is, below /samples/")] = ""
    link_way: Annotated[str, Meta(description="咨询电话, with area code")]
    supervise_way: Annotated[str, Meta(description="监督投诉电话, with area code")]
    faq: tuple[Question, ...] = ()
    user_topic_type: Annotated[tuple[Sentence, ...], Meta(description="自然人主题")] = ()
    corp_topic_type: Annotated[tuple[Sentence, ...], Meta(description="法人主题")] = ()


class Material(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """One material (材料), and how it reaches the clerk: `obtainedBy` other than `applicant` means that
    nobody need hand it in."""

    code: Slug
    name: Text
    source: Literal["applicant", "government", "other"]
    form: Literal["paper", "electronic", "both"] = "electronic"
    necessity: Annotated[
        Literal["required", "optional", "deferrable"], Meta(description="必要, 非必要, 容缺")
    ]
    obtained_by: Annotated[
        Literal["applicant", "data_sharing", "e_certificate", "commitment"],
        Meta(description="免提交方式: 数据共享, 电子证照, 告知承诺"),
    ]
    originals: Annotated[int, Meta(ge=0, le=20)] = 0
    copies: Annotated[int, Meta(ge=0, le=20)] = 0
    issuer: str = ""


class HandledBy(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Who handles a case: this agency, in the division that the first filled pointer names, else in
    `otherwise`."""

    agency: Slug
    division_from: tuple[Pointer, ...] = ()
    otherwise: DivisionCode | None = None


class Renewal(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """When a licence may be renewed, and what silence means. Source: 行政许可法 art. 50; docs/domain.md §3.6.

    `expires`: where the form says the licence's last day, as its register knows it. It is handed in at least
    `daysBefore` and at most `daysBeforeMost` natural days ahead; without a decision by then it is renewed.
    """

    expires: Pointer
    days_before: Annotated[int, Meta(ge=0, le=365)]
    days_before_most: Annotated[int, Meta(ge=1, le=730)]


class PrefillRule(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """One field filled from a register: `path` of what `register` answers about that person goes to
    `pointer` of the form."""

    pointer: Pointer
    register: RegisterName | Literal["account"]
    path: Pointer
    about: About = "subject"
    locked: Annotated[bool, Meta(description="false: a suggestion that the person may change freely")] = True


class Matter(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A government matter (事项) as people find, read and apply for it. Never changed once published: a
    correction is the next version."""

    schema: Annotated[str, Meta(description="Where this file's shape is described")] = field(
        name="$schema", default="../meta/matter.v1.schema.json"
    )
    code: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]*\.[a-z][a-z0-9-]*$", max_length=100)]
    version: Annotated[int, Meta(ge=1, le=9999)]
    name: Text
    summary: Text
    zone: Slug
    audience: Literal["person", "enterprise"]
    divisions: Annotated[
        tuple[DivisionCode, ...],
        Meta(min_length=1, description="Where it is offered, each with all below it"),
    ]
    min_level: Literal["L1", "L2", "L3", "L4"] = "L3"
    form: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]*\.v[1-9][0-9]*$")]
    subject: Annotated[
        Literal["self", "child", "enterprise"],
        Meta(
            description="Whom the case is about: the applicant, a child of theirs, or the enterprise that"
            " somebody applies for"
        ),
    ]
    roles: Annotated[tuple[RoleName, ...], Meta(description="Who of an enterprise may apply for it")] = (
        "legal_representative",
        "clerk",
    )
    renewal: Annotated[
        Renewal | None, Meta(description="The matter renews a licence before it expires (延续)")
    ] = None
    commitment: Annotated[
        Slug | None, Meta(description="The text whose acceptance takes the place of materials (告知承诺)")
    ] = None
    handled_by: HandledBy
    decided_by: Literal["clerk", "publication"] = "clerk"
    issues: Annotated[Slug | None, Meta(description="Type of the certificate that an approval issues")] = None
    claims: Annotated[
        dict[str, Pointer], Meta(description="What that certificate states, each taken from the form")
    ] = {}
    prefill: tuple[PrefillRule, ...] = ()
    you_will_need: tuple[Text, ...] = ()
    keywords: tuple[Sentence, ...] = ()
    item: Item
    materials: tuple[Material, ...] = ()
