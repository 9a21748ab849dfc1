"""Checking a published draw from its file alone: what `haiyiban draw verify FILE` and the browser do.

Every byte counts: the file must be the one canonical form of its content, and each value in it is either an
input that the roll hash, the commitment and the seed bind, or is computed again. The first difference is
named; what comes after it would only repeat it.
Source: docs/domain.md §11, §6.2 (publish counts, cut-off, lottery seed and roll hash).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from haiyiban.errors import Words
from services.school_places.announced import Announced
from services.school_places.draw import MalformedRoll, commitment, draw_seed
from services.school_places.file_reading import NotTheFile, read
from services.school_places.matching import MalformedInstance, match
from services.school_places.public_file import (
    PublicFile,
    cutoffs_of,
    hash_of,
    instance_of,
    numbers_of,
)
from services.school_places.stability import stability_violations

Step = Literal["form", "roll_hash", "commitment", "seed", "lottery", "placements", "cutoffs", "stability"]

STEPS: dict[Step, Words] = {
    "form": Words("文件格式", "form of the file"),
    "roll_hash": Words("名册哈希", "roll hash"),
    "commitment": Words("密钥承诺", "commitment"),
    "seed": Words("摇号种子", "seed"),
    "lottery": Words("抽签号", "lottery numbers"),
    "placements": Words("录取结果", "placements"),
    "cutoffs": Words("录取线", "cut-offs"),
    "stability": Words("稳定性", "stability"),
}
"""What is checked, in this order."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The first thing that is not as it must be.

    `at` points into the file, e.g. /lottery/17, and is empty where the file differs from what was announced
    before; `byte` (from 0) says where, when the file is not even in its one form.
    """

    step: Step
    at: str
    found: str
    expected: str
    words: Words
    byte: int | None = None


@dataclass(frozen=True, slots=True)
class Recomputed:
    """What came out: no difference means that the file proves its own result."""

    difference: Difference | None
    passed: tuple[Step, ...]
    pupils: int
    schools: int

    @property
    def holds(self) -> bool:
        """Whether hash, seed, numbers, result and stability are all as they must be."""
        return self.difference is None


def _tell_nobody(_: Step) -> None:
    """Progress, where nobody waits for it."""


def recompute(
    document: bytes, announced: Announced | None = None, *, passing: Callable[[Step], None] = _tell_nobody
) -> Recomputed:
    """Check a file. With what was `announced` before the draw (elsewhere, e.g. in a newspaper) it also shows
    that this is the roll and the secret of then, and not another draw that is right in itself.

    `passing` is told of each step that holds, for a large file takes seconds.
    """
    passed: list[Step] = []

    def hold(step: Step) -> None:
        passed.append(step)
        passing(step)

    try:
        file = read(document)
    except NotTheFile as error:
        return Recomputed(
            Difference("form", error.at, error.found, "", error.words, byte=error.byte), (), 0, 0
        )
    hold("form")
    difference = _first_difference(file, announced or Announced(), hold)
    return Recomputed(difference, tuple(passed), len(file.roll.pupils), len(file.roll.schools))


def _first_difference(
    file: PublicFile, announced: Announced, hold: Callable[[Step], None]
) -> Difference | None:
    digest = hash_of(file.roll)
    if file.roll_hash != digest:
        # The seed tells which of the two was touched: it was made with the hash of then.
        at = "/roll" if _seed_of(file, roll_hash=file.roll_hash) == file.seed else "/rollHash"
        return _difference("roll_hash", at, file.roll_hash, digest)
    if announced.roll_hash not in (None, digest):
        return _difference("roll_hash", "", digest, str(announced.roll_hash))
    hold("roll_hash")
    promise = commitment(file.secret)
    if file.commitment != promise:
        at = "/commitment" if _seed_of(file, roll_hash=digest) == file.seed else "/secret"
        return _difference("commitment", at, file.commitment, promise)
    if announced.commitment not in (None, promise):
        return _difference("commitment", "", promise, str(announced.commitment))
    hold("commitment")
    seed = _seed_of(file, roll_hash=digest)
    if file.seed != seed:
        return _difference("seed", "/seed", file.seed, seed)
    if announced.campaign not in (None, file.campaign):
        return _difference("seed", "", file.campaign, str(announced.campaign))
    if announced.beacon not in (None, file.beacon):
        return _difference("seed", "", file.beacon, str(announced.beacon))
    hold("seed")
    return _other_result(file, bytes.fromhex(seed), hold)


def _other_result(file: PublicFile, seed: bytes, hold: Callable[[Step], None]) -> Difference | None:
    """Draw and match again, and compare; then the proof that needs no trust in our own matching."""
    try:
        lottery = numbers_of(file.roll, seed)
        if (unequal := _first_unequal("lottery", file.lottery, lottery)) is not None:
            return unequal
        hold("lottery")
        instance = instance_of(file.roll, lottery)
        result = match(instance)
    except (MalformedRoll, MalformedInstance) as error:
        words = Words(f"名册无法派位：{error}", f"the roll cannot be matched: {error}")
        return Difference("form", "/roll", str(error), "", words)
    if (unequal := _first_unequal("placements", file.placements, result.placements)) is not None:
        return unequal
    hold("placements")
    if (unequal := _first_unequal("cutoffs", file.cutoffs, cutoffs_of(result))) is not None:
        return unequal
    hold("cutoffs")
    for violation in stability_violations(instance, file.placements):
        at = f"/placements/{violation.pupil}"
        return _difference("stability", at, f"{violation.kind} with school {violation.school}", "stable")
    hold("stability")
    return None


def _seed_of(file: PublicFile, *, roll_hash: str) -> str:
    return draw_seed(file.secret, beacon=file.beacon, roll=roll_hash, campaign=file.campaign).hex()


def _first_unequal(step: Step, found: Sequence[object], expected: Sequence[object]) -> Difference | None:
    if len(found) != len(expected):
        return _difference(step, f"/{step}", f"{len(found)} entries", f"{len(expected)} entries")
    for at, (is_there, must_be) in enumerate(zip(found, expected, strict=True)):
        if is_there != must_be:
            return _difference(step, f"/{step}/{at}", str(is_there), str(must_be))
    return None


_ADVICE: dict[Step, Words] = {
    "roll_hash": Words(
        "名册（学校、名额、学生、志愿、优先级或双胞胎）与公布的哈希不是同一份。",
        "Roll (schools, seats, pupils, choices, ranks, twins) and published hash are not of one piece.",
    ),
    "commitment": Words(
        "公布的密钥不是报名开始时承诺的那一个。", "The secret is not the one promised at the opening."
    ),
    "seed": Words(
        "批次、公共随机数、名册、密钥算不出这个种子。",
        "Campaign, beacon, roll and secret do not give this seed.",
    ),
}


def _difference(step: Step, at: str, found: str, expected: str) -> Difference:
    name = STEPS[step]
    advice = _ADVICE.get(step, Words("", ""))
    if at:
        zh = f"{name.zh}不一致，位置 {at}：文件为 {found}，应为 {expected}。{advice.zh}"
        en = f"{name.en} differs at {at}: found {found}, must be {expected}. {advice.en}"
    else:
        zh = f"{name.zh}与先前公布的不一致：文件为 {found}，先前公布 {expected}。{advice.zh}"
        en = f"{name.en} is not what was announced before: file {found}, announced {expected}. {advice.en}"
    return Difference(step, at, found, expected, Words(zh, en.rstrip()))
