"""Forms: what is wrong with them is said at once, field by field, in words that anybody understands."""

import json
import time
from datetime import date
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haiyiban.forms import (
    MISSING,
    FormSchema,
    Json,
    Limits,
    MalformedJson,
    UnknownForm,
    changed_pointers,
    check_limits,
    get,
    leaves,
    merge_patch,
    overlapping,
    parse_json,
    parts_of,
    pointer,
    put,
)
from haiyiban.forms.formats import formats
from haiyiban.resources import schemas

CHECKERS = formats(lambda: date(2024, 6, 1))

TEXT: dict[str, Any] = {"type": "string", "maxLength": 20}
DOCUMENT: dict[str, Any] = {
    "title": "试填表",
    "x-title-en": "Trial",
    "type": "object",
    "properties": {
        "guardian": {
            "type": "object",
            "title": "监护人",
            "x-title-en": "Guardian",
            "properties": {
                "name": TEXT | {"title": "监护人姓名", "x-title-en": "Guardian's name", "x-mask": "name"},
                "idNumber": TEXT
                | {"title": "监护人身份证号", "x-title-en": "ID", "format": "id-number", "x-mask": "id"},
                "phone": TEXT
                | {"title": "监护人手机号", "x-title-en": "Mobile", "format": "mobile", "x-mask": "phone"},
            },
            "required": ["name", "idNumber", "phone"],
            "additionalProperties": False,
        },
        "address": TEXT | {"title": "户籍地址", "x-title-en": "Address", "x-mask": "address"},
        "division": TEXT | {"title": "户籍区划", "x-title-en": "Division", "format": "division"},
        "since": TEXT | {"title": "迁入日期", "x-title-en": "Since", "format": "date"},
        "account": TEXT
        | {
            "title": "银行账号",
            "x-title-en": "Account",
            "pattern": "^[0-9]{12,19}$",
            "x-message": "银行账号应为 12 至 19 位数字",
            "x-message-en": "A bank account has 12 to 19 digits",
        },
        "share": {
            "type": "integer",
            "title": "产权份额",
            "x-title-en": "Share",
            "minimum": 0,
            "maximum": 100,
        },
        "kind": {"enum": ["public", "private"], "title": "学校类别", "x-title-en": "Kind"},
        "agreed": {"const": True, "type": "boolean", "title": "承诺内容属实", "x-title-en": "It is true"},
        "choices": {
            "type": "array",
            "title": "志愿",
            "x-title-en": "Choices",
            "x-unit": "所",
            "minItems": 1,
            "maxItems": 5,
            "uniqueItems": True,
            "items": TEXT,
        },
    },
    "required": ["guardian", "kind", "choices"],
    "additionalProperties": False,
}
FORM = FormSchema("trial.v1", DOCUMENT, checkers=CHECKERS)
GOOD: dict[str, Any] = {
    "guardian": {"name": "示例甲", "idNumber": "460105199003070017", "phone": "13800138000"},
    "kind": "public",
    "choices": ["a"],
}


def said(form: Any) -> dict[str, str]:
    return {error.pointer: error.message.zh for error in FORM.validate(form)}


def test_a_good_form_has_nothing_wrong() -> None:
    assert FORM.validate(GOOD) == []


def test_every_missing_field_is_named_even_inside_a_missing_part() -> None:
    assert said({}) == {
        "/guardian/name": "请填写监护人姓名",
        "/guardian/idNumber": "请填写监护人身份证号",
        "/guardian/phone": "请填写监护人手机号",
        "/kind": "请选择学校类别",
        "/choices": "请选择志愿",
    }


@pytest.mark.parametrize(
    ("change", "at", "zh"),
    [
        ({"choices": list("abcdef")}, "/choices", "志愿最多选 5 所"),
        ({"choices": []}, "/choices", "志愿至少选 1 所"),
        ({"choices": ["a", "a"]}, "/choices", "志愿不能重复"),
        ({"choices": ["a", 2]}, "/choices/1", "志愿应填写文字"),
        ({"guardian": {"phone": ""}}, "/guardian/phone", "请填写监护人手机号"),
        (
            {"guardian": {"phone": "12345"}},
            "/guardian/phone",
            "监护人手机号不是有效的手机号，请填写 11 位手机号",
        ),
        (
            {"guardian": {"idNumber": "460105199003070016"}},
            "/guardian/idNumber",
            "监护人身份证号不是有效的身份证号码，请核对 18 位号码",
        ),
        ({"division": "999999"}, "/division", "户籍区划不是有效的行政区划，请从列表中选择"),
        ({"since": "2023-02-29"}, "/since", "迁入日期不是有效的日期，请按“2024-06-01”的样子填写"),
        ({"since": "20230228"}, "/since", "迁入日期不是有效的日期，请按“2024-06-01”的样子填写"),
        ({"account": "12"}, "/account", "银行账号应为 12 至 19 位数字"),
        ({"share": 101}, "/share", "产权份额不能大于 100"),
        ({"share": "50"}, "/share", "产权份额应填写整数"),
        ({"kind": "other"}, "/kind", "请从列表中选择学校类别"),
        ({"agreed": False}, "/agreed", "请确认承诺内容属实"),
        ({"address": "长" * 21}, "/address", "户籍地址最多填写 20 个字"),
        ({"shoe": 1}, "/shoe", "表单没有“shoe”这一项，请删去"),
        ({"鞋": 1}, "/鞋", "表单没有这一项，请删去"),
    ],
)
def test_a_wrong_field_is_told_in_plain_words(change: Json, at: str, zh: str) -> None:
    assert said(merge_patch(GOOD, change)) == {at: zh}


def test_all_wrong_fields_come_at_once_in_the_order_of_the_form() -> None:
    wrong = merge_patch(GOOD, {"choices": list("abcdef"), "guardian": {"phone": "1"}, "share": -1, "zz": 0})
    assert list(said(wrong)) == ["/guardian/phone", "/share", "/choices", "/zz"]


def test_words_come_in_english_too() -> None:
    (error,) = FORM.validate(merge_patch(GOOD, {"choices": list("abcdef")}))
    assert error.message.en == "Choices: choose at most 5"


def test_a_name_beyond_the_basic_plane_counts_as_its_characters() -> None:
    assert said(merge_patch(GOOD, {"guardian": {"name": "𠅤" * 20}})) == {}
    assert list(said(merge_patch(GOOD, {"guardian": {"name": "𠅤" * 21}}))) == ["/guardian/name"]


@pytest.mark.parametrize("half", [{}, {"guardian": {"phone": "138"}}, {"choices": []}, {"kind": "pub"}])
def test_a_half_typed_form_may_be_kept_as_a_draft(half: Json) -> None:
    assert FORM.validate_draft(half) == []
    assert FORM.validate(half)


@pytest.mark.parametrize(
    "wrong",
    [{"shoe": 1}, {"choices": "a"}, {"guardian": []}, {"address": "长" * 21}, {"choices": ["a"] * 6}, []],
)
def test_a_draft_of_wrong_types_or_sizes_is_refused(wrong: Json) -> None:
    assert FORM.validate_draft(wrong)


def test_register_values_are_covered_as_the_form_says() -> None:
    form: dict[str, Json] = {**GOOD, "address": "海口市秀英区海秀街道向荣路 1 号", "division": "460105"}
    shown = FORM.mask(form, ["/guardian", "/address", "/division", "/since"])
    assert shown == {
        "guardian": {"name": "示*甲", "idNumber": "460***********0017", "phone": "138****8000"},
        "kind": "public",
        "choices": ["a"],
        "address": "海口市秀英区海秀街道********",
        "division": "460105",
    }
    assert form["guardian"] == GOOD["guardian"], "the form itself is not altered"


def test_only_register_values_are_covered() -> None:
    assert FORM.mask(GOOD, ["/guardian/name"])["guardian"] == {**GOOD["guardian"], "name": "示*甲"}


@pytest.mark.parametrize(
    "identifier", ["none.v1", "../matters/synonyms", "social-insurance-proof", "a.v1/../b", ""]
)
def test_an_unpublished_form_is_unknown(identifier: str) -> None:
    with pytest.raises(UnknownForm):
        FormSchema.load(identifier)


def test_a_form_of_unknown_formats_is_not_published() -> None:
    with pytest.raises(ValueError, match="format"):
        FormSchema("x.v1", {"properties": {"a": {"format": "shoe-size"}}}, checkers=CHECKERS)


def test_conditional_fields_are_named_by_their_titles() -> None:
    document = DOCUMENT | {
        "if": {"properties": {"kind": {"const": "private"}}, "required": ["kind"]},
        "then": {"required": ["account"]},
    }
    form = FormSchema("x.v1", document, checkers=CHECKERS)
    assert form.validate(GOOD) == []
    assert [e.message.zh for e in form.validate({**GOOD, "kind": "private"})] == ["请填写银行账号"]
    assert form.validate_draft({**GOOD, "kind": "private"}) == []


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        # RFC 7396 appendix A
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patch_is_the_rfcs(target: Json, patch: Json, result: Json) -> None:
    assert merge_patch(target, patch) == result


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
FORMS = st.dictionaries(st.text(max_size=3), JSON_VALUES, max_size=4)


@given(FORMS)
def test_every_leaf_is_found_by_its_pointer(form: dict[str, Json]) -> None:
    for at, value in leaves(form):
        assert get(form, at) == value
        assert pointer(*parts_of(at)) == at


@given(FORMS, FORMS)
def test_what_changed_is_what_differs(old: dict[str, Json], new: dict[str, Json]) -> None:
    assert changed_pointers(old, old) == set()
    if dict(leaves(old)) != dict(leaves(new)):
        assert changed_pointers(old, new)


def test_changes_are_told_by_field_and_by_type() -> None:
    old: Json = {"child": {"name": "甲", "age": 1}, "choices": ["a", "b"], "home": {"id": "h"}}
    new: Json = {"child": {"name": "甲", "age": True}, "choices": ["b", "a"], "note": "x"}
    assert changed_pointers(old, new) == {"/child/age", "/choices", "/home/id", "/note"}


def test_a_change_touches_locks_on_above_and_below_it() -> None:
    locked = ["/home", "/child/name", "/child/idNumber", "/children"]
    assert overlapping({"/home/share"}, locked) == {"/home"}
    assert overlapping({"/child"}, locked) == {"/child/name", "/child/idNumber"}
    assert overlapping({"/guardian/name"}, locked) == set()


def test_putting_a_value_leaves_the_old_form_as_it_was() -> None:
    form: dict[str, Json] = {"a": {"b": 1}}
    assert put(form, "/a/c/d", 2) == {"a": {"b": 1, "c": {"d": 2}}}
    assert form == {"a": {"b": 1}}


@pytest.mark.parametrize("at", ["/x", "/a/2", "/a/-1", "/a/01/x", "/a/0/b"])
def test_nothing_is_missing_rather_than_none(at: str) -> None:
    assert get({"a": [None, 1]}, at) is MISSING
    assert get({"a": [None, 1]}, "/a/0") is None


def test_pointer_parts_are_escaped() -> None:
    assert pointer("a/b", "m~n", 0) == "/a~1b/m~0n/0"
    assert parts_of("/a~1b/m~0n/0") == ["a/b", "m~n", "0"]
    assert parts_of("/~01") == ["~1"]
    with pytest.raises(ValueError, match="pointer"):
        parts_of("a")


@pytest.mark.parametrize(
    ("form", "at"),
    [
        ({"a": "x\0"}, "/a"),
        ({"a": ["ok", "\ud800"]}, "/a/1"),
        ({"a": {"\udfff": 1}}, "/a"),
        ({"a": "长" * 10_001}, "/a"),
        ({"a": [0] * 501}, "/a"),
        ({"a": {str(n): 0 for n in range(501)}}, "/a"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_its_place(form: Json, at: str) -> None:
    assert [error.pointer for error in check_limits(form)] == [at]
    assert [error.pointer for error in FORM.validate_draft(form)] == [at]


def test_a_form_may_be_neither_deep_nor_huge() -> None:
    deep: Json = "x"
    for _ in range(17):
        deep = {"a": deep}
    assert [error.pointer for error in check_limits(deep)] == [""]
    assert check_limits({"a": {"b": "𠅤"}}) == []
    assert [error.pointer for error in check_limits([[0] * 100] * 30)] == [""]
    assert check_limits([0, 0], Limits(members=1))


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b'{"phone": 1, "phone": 2}', "phone"),
        (b'{"a": {"b": [{"name": 1, "name": 1}]}}', "name"),
        (b'{"460105199003070017": 1, "460105199003070017": 2}', "重名"),
        (b"[" * 33 + b"]" * 33, "32"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "32"),
        (b"[" * 100_000, "32"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "-Infinity"),
        (b'{"a": 9007199254740992}', "整数"),
        (b'{"a": -9007199254740992}', "整数"),
        (b'{"a": ' + b"9" * 100_000 + b"}", "整数"),
        (b'{"a": 1e999}', "数字"),
        (b'{"a": "\xff"}', "第 8 个字节"),
        (b'{"a": "\xed\xa0\x80"}', "第 8 个字节"),
        (b'{"a": "\\ud800"}', "字符"),
        (b'{"\\udc00": 1}', "字符"),
        (b'{"a": "\\u0000"}', "字符"),
        (b'{"a": 1,}', "第 1 行第"),
        (b'{\n"a": x}', "第 2 行第 6 列"),
        (b"", "第 1 行第 1 列"),
        (b"\xef\xbb\xbf{}", "第 1 行第 1 列"),
        (b'{"a": 1} x', "第 1 行第 10 列"),
        (b'{"a": 01}', "第 1 行"),
        (b'{"a": "\n"}', "第 1 行"),
    ],
)
def test_json_that_two_readers_would_read_differently_is_refused(body: bytes, where: str) -> None:
    with pytest.raises(MalformedJson) as refused:
        parse_json(body)
    assert refused.value.detail is not None
    assert where in refused.value.detail.zh
    assert refused.value.status == 400
    assert "460105199003070017" not in refused.value.detail.zh


@pytest.mark.parametrize(
    "value",
    [
        {"a": [1, -2.5, True, None, "䶮㛃𠅤·"], "b": {}},
        {"a": 2**53 - 1, "b": -(2**53 - 1)},
        {"brackets": "[" * 100 + '"' + "\\" + "{" * 100},
        [[{} for _ in range(100)]],
        "text",
        0,
    ],
)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_good_json_is_read_as_it_is(value: Json, ascii_only: bool) -> None:
    assert parse_json(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 33 + b'"' + b'\\"' * 500_000,
        b"{" + b",".join(b'"%06x":1' % at for at in (*range(90_000), 89_999)) + b"}",
    ],
    ids=["a string without an end", "the last of many members twice"],
)
def test_a_megabyte_that_makes_a_parser_slow_is_refused_at_once(body: bytes) -> None:
    begun = time.perf_counter()
    with pytest.raises(MalformedJson):
        parse_json(body)
    assert time.perf_counter() - begun < 2


def test_exactly_32_levels_are_read() -> None:
    assert parse_json(b"[" * 32 + b"]" * 32)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        value = parse_json(body)
    except MalformedJson:
        return
    assert parse_json(json.dumps(value).encode()) == value


@given(JSON_VALUES)
def test_any_value_gets_an_answer_from_a_form(value: Json) -> None:
    FORM.validate_draft(value)
    assert FORM.validate(value)


META = schemas() / "meta" / "form.v1.schema.json"


@pytest.mark.parametrize("path", sorted((schemas() / "forms").glob("*.json")), ids=lambda path: path.stem)
def test_every_published_form_is_what_our_forms_may_be(path: Any) -> None:
    document = parse_json(path.read_bytes())
    meta = jsonschema_rs.Draft202012Validator(json.loads(META.read_text("utf-8")))
    assert [f"{error.instance_path}: {error.message}" for error in meta.iter_errors(document)] == []
    form = FormSchema.load(path.stem)
    assert form.validate({}), "an empty form is never complete"
    assert form.validate_draft({}) == []


def test_the_forms_meta_schema_refuses_a_field_without_a_name() -> None:
    meta = jsonschema_rs.Draft202012Validator(json.loads(META.read_text("utf-8")))
    good = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "x.v1", **DOCUMENT}
    good["properties"] = {"a": TEXT | {"title": "甲", "x-title-en": "A"}}
    assert meta.is_valid(good)
    assert not meta.is_valid(good | {"properties": {"a": TEXT}})
    assert not meta.is_valid(
        good | {"properties": {"a": {"type": "string", "title": "甲", "x-title-en": "A"}}}
    )
    assert not meta.is_valid(good | {"additionalProperties": True})
