"""Reading a public file strictly: only the one canonical form of a roll that could have been drawn.

Every byte counts. What is not JSON, not the file's shape, or the same content in other bytes (spaces, order
of members, escapes, `1.0` for `1`) is refused with the place where it begins.
Source: docs/domain.md §11; RFC 8785; schemas/zones/school_places/public-file.v1.json.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec

from haiyiban.errors import Words
from services.school_places.public_file import PublicFile, Pupil, Roll, canonical

_SHOWN_BYTES = 24


class NotTheFile(ValueError):
    """This is not a public file as it was published. `at`: JSON pointer; `byte`: counted from 0."""

    def __init__(self, words: Words, *, at: str = "", byte: int | None = None, found: str = "") -> None:
        super().__init__(words.en)
        self.words, self.at, self.byte, self.found = words, at, byte, found


class _Fault(NamedTuple):
    at: str
    words: Words


def read(document: bytes) -> PublicFile:
    """The file that these bytes are. Raises NotTheFile."""
    try:
        file = msgspec.json.decode(document, type=PublicFile)
    except msgspec.ValidationError as error:
        _require_whole_numbers(document)
        raise _misshapen(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _not_json(document, str(error)) from None
    _require_canonical(document, file)
    fault = _fault_of_roll(file.roll)
    if fault is not None:
        raise NotTheFile(fault.words, at=fault.at)
    return file


def _require_whole_numbers(document: bytes) -> None:
    """`1.0` or `1e0` for `1` is the same number to every reader: say that only its spelling is wrong."""
    try:
        file = msgspec.convert(_whole(msgspec.json.decode(document)), PublicFile)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return
    _require_canonical(document, file)


def _whole(content: Any) -> Any:
    if isinstance(content, float) and content.is_integer():
        return int(content)
    if isinstance(content, list):
        return [_whole(item) for item in content]
    if isinstance(content, dict):
        return {name: _whole(value) for name, value in content.items()}
    return content


def _require_canonical(document: bytes, file: PublicFile) -> None:
    try:
        expected = canonical(file)
    except UnicodeEncodeError:
        raise _not_json(document, "a character that UTF-8 does not have") from None
    if expected == document:
        return
    byte = _first_other_byte(document, expected)
    raise NotTheFile(
        Words(
            f"不是原始的公开文件：从第 {byte} 字节起与规范格式（RFC 8785）不同。内容看上去可能一样，"
            "但空格、字段顺序、转义或数字写法被改过。请重新下载原件。",
            f"not the canonical file: from byte {byte} on it is not in its one form (RFC 8785). The content "
            "may look the same, but spaces, order, escapes or numbers were rewritten. Download it again.",
        ),
        byte=byte,
        found=_excerpt(document, byte),
    )


def _first_other_byte(document: bytes, expected: bytes) -> int:
    """By halving: comparing two files of 16 MB byte by byte would take seconds."""
    low, high = 0, min(len(document), len(expected))
    while low < high:
        middle = (low + high + 1) // 2
        if document[:middle] == expected[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _not_json(document: bytes, reason: str) -> NotTheFile:
    named = re.search(r"byte (\d+)", reason)
    byte = int(named[1]) if named else min(len(document), _utf8_length(document))
    return NotTheFile(
        Words(
            f"文件被改动或不完整：第 {byte} 字节处不是有效的 JSON（{reason}）。请重新下载。",
            f"The file was altered or is incomplete: no valid JSON at byte {byte} ({reason}). "
            "Download it again.",
        ),
        byte=byte,
        found=_excerpt(document, byte),
    )


def _utf8_length(document: bytes) -> int:
    try:
        document.decode()
    except UnicodeDecodeError as error:
        return error.start
    return len(document)


def _misshapen(reason: str) -> NotTheFile:
    what, _, where = reason.partition(" - at `$")
    at = re.sub(r"\.|\[(?=\d+\])", "/", where.rstrip("`")).replace("]", "")
    if member := re.search(r"field `(.*)`", what):
        at = f"{at}/{member[1]}"
    return NotTheFile(
        Words(
            f"文件被改动或不完整：位置 {at or '0 字节'} 的内容不符合格式（{what}）。请重新下载。",
            f"The file was altered or is incomplete: {at or 'byte 0'} is not as it must be ({what}). "
            "Download it again.",
        ),
        at=at,
        byte=None if at else 0,
    )


def _fault_of_roll(roll: Roll) -> _Fault | None:
    """The first thing that makes a roll one that nobody could have drawn from."""
    return (
        _out_of_order("/roll/schools/{}/id", [school.id for school in roll.schools], "学校", "schools")
        or _out_of_order(
            "/roll/pupils/{}/pseudonym", [pupil.pseudonym for pupil in roll.pupils], "学生", "pupils"
        )
        or _fault_of_pupils(roll.pupils, schools=len(roll.schools))
        or _fault_of_twins(roll)
    )


def _out_of_order(at: str, names: Sequence[str], zh: str, en: str) -> _Fault | None:
    for position, (before, name) in enumerate(pairwise(names), 1):
        if before >= name:
            return _Fault(
                at.format(position),
                Words(
                    f"名册中{zh}的顺序不对，或重复：位置 {position}",
                    f"the {en} of the roll are out of order, or one stands there twice: position {position}",
                ),
            )
    return None


def _fault_of_pupils(pupils: Sequence[Pupil], *, schools: int) -> _Fault | None:
    for position, pupil in enumerate(pupils):
        at = f"/roll/pupils/{position}"
        if len(pupil.priorities) != len(pupil.choices):
            return _Fault(
                f"{at}/priorities",
                Words("每个志愿须有一个优先级", "one priority for each choice is needed"),
            )
        if any(school >= schools for school in pupil.choices):
            return _Fault(f"{at}/choices", Words("志愿学校不在名册中", "a school that is not on the roll"))
        if len(set(pupil.choices)) != len(pupil.choices):
            return _Fault(f"{at}/choices", Words("同一所学校填了两次", "the same school twice"))
        if any(priority >= 1 << 16 for priority in pupil.priorities):
            return _Fault(f"{at}/priorities", Words("优先级超出范围", "a priority beyond 65535"))
    return None


def _fault_of_twins(roll: Roll) -> _Fault | None:
    if not roll.twin_groups:
        return None
    known = {pupil.pseudonym for pupil in roll.pupils}
    seen: set[str] = set()
    for position, group in enumerate(roll.twin_groups):
        at = f"/roll/twinGroups/{position}"
        if len(group) < 2:
            return _Fault(at, Words("双胞胎缺少另一名孩子", "a twin without the other"))
        if missing := [name for name in group if name not in known]:
            return _Fault(
                f"{at}/{group.index(missing[0])}",
                Words("双胞胎之一不在名册中", "a twin that is not on the roll"),
            )
        if list(group) != sorted(set(group)) or not seen.isdisjoint(group):
            return _Fault(at, Words("双胞胎组有重复或顺序不对", "a twin named twice, or out of order"))
        seen.update(group)
    return _out_of_order(
        "/roll/twinGroups/{}", [group[0] for group in roll.twin_groups], "双胞胎组", "twin groups"
    )


def _excerpt(document: bytes, byte: int) -> str:
    return document[byte : byte + _SHOWN_BYTES].decode("utf-8", "backslashreplace")
