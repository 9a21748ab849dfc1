"""The matters of a made-up province: as many as the province's catalogue had, offered where it had them.

Their names are invented, of what is asked for and what is done about it, and say so (示例). Everything else
is as a matter file must be, so that the catalogue takes them by the rules that it takes all others by.
Source: docs/domain.md §0 (19,723 items in 2018; how many at each level is our own split), §3.2, §3.5.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from haiyiban import divisions, resources
from haiyiban.bilingual import Text
from haiyiban.credit_codes import credit_check_character, organisation_check_character
from haiyiban.divisions import Division, Level
from haiyiban.matters.matter import HandledBy, Matter
from haiyiban.population import Sizes

ALL = 19_723
_EACH: dict[Level, int] = {"city": 300, "county": 300, "township": 26, "village": 1}
"""Matters of each division of a level; the province has the rest."""
_USE_LEVELS: dict[Level, str] = {"province": "2", "city": "3", "county": "4", "township": "5", "village": "6"}
_PATTERN = "civil-affairs.senior-card.v1.json"
"""The matter whose form, registers and way they take."""


class _Thing(NamedTuple):
    zh: str
    en: str
    agency: str
    zone: str


_THINGS = tuple(
    _Thing(zh, en, agency, zone)
    for agency, zone, things in (
        (
            "civil-affairs",
            "elderly",
            "敬老优待=elder discount,老人餐补=elder meals,婚姻登记=marriage record,"
            "收养登记=adoption record,慈善备案=charity filing,社团登记=association record",
        ),
        (
            "education",
            "education",
            "学籍证明=school record,助学金=study grant,教师资格=teaching licence,"
            "校车备案=school bus filing,考试报名=examination place,成绩证明=score proof",
        ),
        (
            "employment",
            "employment",
            "就业登记=employment record,培训补贴=training support,创业补贴=start-up support,"
            "求职补贴=job-search support,技能证书=skill certificate,见习岗位=trainee place",
        ),
        (
            "health",
            "medical",
            "健康证明=health proof,生育登记=birth record,疫苗接种=vaccination,"
            "医师备案=physician filing,诊所备案=clinic filing,献血证明=blood donor proof",
        ),
        (
            "housing",
            "housing",
            "公租房=public rental,租房备案=lease filing,物业备案=property manager filing,"
            "装修备案=renovation filing,住房补贴=housing support,危房改造=repair of an unsafe home",
        ),
        (
            "transport",
            "transport",
            "船员证书=crew certificate,车辆年检=vehicle check,道路养护=road repair,"
            "渡口备案=ferry filing,停车优惠=parking discount,货运备案=haulage filing",
        ),
        (
            "public-security",
            "residence",
            "居住登记=residence record,户口迁移=household transfer,门牌编号=house number,"
            "出入登记=travel record,姓名变更=change of name,犬只登记=dog licence",
        ),
        (
            "market-regulation",
            "business",
            "小店登记=small shop record,摊位备案=stall filing,计量检定=scale check,"
            "广告备案=advertisement filing,食品备案=food filing,商标备案=trade mark filing",
        ),
    )
    for zh, en in (thing.split("=") for thing in things.split(","))
)
_THINGS_EACH = 6
"""Of an agency."""
_VERBS = (
    ("申领", "apply for"),
    ("补领", "replace"),
    ("换领", "exchange"),
    ("变更", "change"),
    ("注销", "cancel"),
    ("延续", "extend"),
    ("查询", "look up"),
    ("核验", "verify"),
    ("预约", "book"),
    ("申报", "declare"),
    ("备案", "file"),
    ("复核", "review"),
    ("撤回", "withdraw"),
    ("转移", "transfer"),
    ("认定", "recognise"),
    ("登记", "register"),
    ("咨询", "ask about"),
    ("打印", "print"),
    ("年审", "check yearly"),
    ("缓办", "postpone"),
    ("代办", "have done"),
    ("更正", "correct"),
    ("邮寄", "have sent"),
    ("公示", "see published"),
)
_WAYS = len(_THINGS) * len(_VERBS)


def write(folder: Path, sizes: Sizes) -> None:
    """Write the matter files; nothing where the folder is there, and the whole folder or none."""
    if folder.exists():
        return
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for matter in matters(sizes):
        content = msgspec.json.encode(matter)
        (partial / f"{matter.code}.v{matter.version}.json").write_bytes(content)
    partial.rename(folder)


def matters(sizes: Sizes) -> Iterator[Matter]:
    """All of them, or so many of them evenly over all divisions."""
    places = _places()
    for number in range(sizes.matters):
        yield _matter(*places[number * ALL // sizes.matters])


@cache
def _places() -> tuple[tuple[Division, int, int], ...]:
    """Each matter by its division, the division's number and the matter's number in it."""
    below = sorted(divisions.subtree(divisions.PROVINCE) - {divisions.PROVINCE})
    found = [
        (division, at, number)
        for at, division in enumerate(map(divisions.get, below), 1)
        for number in range(_EACH[division.level])
    ]
    province = divisions.get(divisions.PROVINCE)
    return (*((province, 0, number) for number in range(ALL - len(found))), *found)


def _matter(division: Division, at: int, number: int) -> Matter:
    verb_at, thing_at = divmod((number + at * 7) % _WAYS, len(_THINGS))
    thing, (verb, verb_en) = _THINGS[thing_at], _VERBS[verb_at]
    agency_at = thing_at // _THINGS_EACH
    pattern, use_level = _pattern(), _USE_LEVELS[division.level]
    dept_code = _credit_code(division.code, at * len(_THINGS) + agency_at)
    catalog_code = f"{divisions.PROVINCE[:2]}20{agency_at + 50}{thing_at:03d}{verb_at:03d}"
    above = divisions.parent_of(division.code) if division.level == "village" else None
    # Two villages may have one name.
    where = f"{above.name}{division.name}" if above else division.name
    named = f"{where}{thing.zh}{verb}（示例）"
    return replace(
        pattern,
        code=f"example.{thing.agency}-{thing_at}-{verb_at}-{division.code}",
        name=Text(named, f"{verb_en.capitalize()}: {thing.en}, {division.name_en} (example)"),
        summary=Text(
            f"示例事项：向{where}的部门{verb}{thing.zh}，并不存在。",
            f"An example that does not exist: {verb_en} {thing.en} at {division.name_en}.",
        ),
        zone=thing.zone,
        divisions=(division.code,),
        handled_by=HandledBy(agency=thing.agency, otherwise=division.code),
        keywords=(thing.zh, verb),
        item=replace(
            pattern.item,
            task_name=named,
            catalog_code=catalog_code,
            task_code=f"{dept_code}{use_level}{catalog_code}",
            task_type="20",
            by_law=("示例规定（虚构）",),
            use_level=use_level,
            dept_name=f"{where}示例部门",
            dept_code=dept_code,
            result_type="other",
            result_name="",
            result_sample="",
        ),
    )


@cache
def _pattern() -> Matter:
    return msgspec.json.decode((resources.schemas() / "matters" / _PATTERN).read_bytes(), type=Matter)


def _credit_code(division: str, number: int) -> str:
    """A code of a department that is none: no organisation's number begins with EX."""
    organisation = f"EX{number:06d}"
    first17 = f"11{division[:6]}{organisation}{organisation_check_character(organisation)}"
    return first17 + credit_check_character(first17)
