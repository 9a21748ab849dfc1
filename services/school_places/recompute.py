"""Checking a published draw from its file alone: what `haiyiban draw verify FILE` and the browser do.

Every byte counts: the file must be the one canonical form of its content, and each value in it is either an
input that the roll hash, the commitment and the seed bind, or is computed again. The first difference is
named; what comes after it would only repeat it.
Source: docs/domain.md §11, §6.2 (publish counts, cut-off, lottery seed and roll hash).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from haiyiban.errors import Words
from services.school_places.draw import MalformedRoll, commitment, draw_seed
from services.school_places.matching import MalformedInstance, match
from services.school_places.public_file import (
    PublicFile,
    cutoffs_of,
    hash_of,
    instance_of,
    numbers_of,
    to_bytes,
)
from services.school_places.stability import stability_violations

Step = Literal["form", "roll_hash", "commitment", "seed", "lottery", "placements", "cutoffs", "stability"]


@dataclass(frozen=True, slots=True)
class Difference:
    """The first thing that is not as it must be; `at` points into the file, e.g. /lottery/17."""

    step: Step
    at: str
    found: str
    expected: str
    words: Words


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


def recompute(
    document: bytes, *, published_commitment: str | None = None, published_roll_hash: str | None = None
) -> Recomputed:
    """Check a file. With what was published before the draw (from elsewhere, e.g. a newspaper) it also shows
    that this is the roll and the secret of then, and not another draw that is right in itself."""
    try:
        file = msgspec.json.decode(document, type=PublicFile)
        canonical = to_bytes(file)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        return Recomputed(_malformed(str(error)), (), 0, 0)
    if canonical != document:
        at = next(
            (at for at, pair in enumerate(zip(document, canonical, strict=False)) if pair[0] != pair[1]),
            min(len(document), len(canonical)),
        )
        return Recomputed(_malformed(f"byte {at} is not canonical (RFC 8785)"), (), 0, 0)
    passed: list[Step] = []
    difference = _first_difference(
        file,
        passed,
        committed=published_commitment or file.commitment,
        hashed=published_roll_hash or file.roll_hash,
    )
    return Recomputed(difference, tuple(passed), len(file.roll.pupils), len(file.roll.schools))


def _first_difference(
    file: PublicFile, passed: list[Step], *, committed: str, hashed: str
) -> Difference | None:
    passed.append("form")
    digest = hash_of(file.roll)
    for at, value in (("/rollHash", file.roll_hash), ("", hashed)):
        if value != digest:
            return _difference("roll_hash", at, value, digest)
    passed.append("roll_hash")
    promise = commitment(file.secret)
    for at, value in (("/commitment", file.commitment), ("", committed)):
        if value != promise:
            return _difference("commitment", at, value, promise)
    passed.append("commitment")
    seed = draw_seed(file.secret, beacon=file.beacon, roll=digest, campaign=file.campaign)
    if file.seed != seed.hex():
        return _difference("seed", "/seed", file.seed, seed.hex())
    passed.append("seed")
    try:
        lottery = numbers_of(file.roll, seed)
        instance = instance_of(file.roll, lottery)
        result = match(instance)
    except (MalformedRoll, MalformedInstance) as error:
        return _malformed(str(error))
    computed: tuple[tuple[Step, Sequence[object], Sequence[object]], ...] = (
        ("lottery", file.lottery, lottery),
        ("placements", file.placements, result.placements),
        ("cutoffs", file.cutoffs, cutoffs_of(result)),
    )
    for step, found, expected in computed:
        unequal = _first_unequal(step, found, expected)
        if unequal is not None:
            return unequal
        passed.append(step)
    for violation in stability_violations(instance, file.placements):
        at = f"/placements/{violation.pupil}"
        return _difference("stability", at, f"{violation.kind} with school {violation.school}", "stable")
    passed.append("stability")
    return None


def _first_unequal(step: Step, found: Sequence[object], expected: Sequence[object]) -> Difference | None:
    if len(found) != len(expected):
        return _difference(step, f"/{step}", f"{len(found)} entries", f"{len(expected)} entries")
    for at, (is_there, must_be) in enumerate(zip(found, expected, strict=True)):
        if is_there != must_be:
            return _difference(step, f"/{step}/{at}", str(is_there), str(must_be))
    return None


_STEPS: dict[Step, Words] = {
    "form": Words("文件格式", "form of the file"),
    "roll_hash": Words("名册哈希", "roll hash"),
    "commitment": Words("密钥承诺", "commitment"),
    "seed": Words("摇号种子", "seed"),
    "lottery": Words("抽签号", "lottery numbers"),
    "placements": Words("录取结果", "placements"),
    "cutoffs": Words("录取线", "cut-offs"),
    "stability": Words("稳定性", "stability"),
}


def _difference(step: Step, at: str, found: str, expected: str) -> Difference:
    name = _STEPS[step]
    where = at or "（先前公布）"
    return Difference(
        step,
        at,
        found,
        expected,
        Words(
            f"{name.zh}不一致，位置 {where}：文件为 {found}，应为 {expected}",
            f"{name.en} differs at {at or 'what was published before'}: found {found}, must be {expected}",
        ),
    )


def _malformed(reason: str) -> Difference:
    return Difference(
        "form",
        "",
        reason,
        "",
        Words(f"文件被改动或不完整：{reason}", f"The file was altered or is incomplete: {reason}"),
    )
