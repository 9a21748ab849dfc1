"""`haiyiban draw verify`: a parent checks a draw from its public file alone.

It needs no database, no settings and no network: the file, and what the family saved before the draw.
Source: docs/domain.md §11; docs/school-places.md.
"""

from __future__ import annotations

import sys
import time
from typing import BinaryIO

import click
import msgspec

from services.school_places.announced import Announced, UnreadableAnnouncement, read_enrolment
from services.school_places.recompute import STEPS, Recomputed, Step, recompute


@click.group()
def draw() -> None:
    """核验公开摇号和派位 · Check a public draw and its placements."""


@draw.command()
@click.argument("file", type=click.File("rb"))
@click.option(
    "--enrolment", type=click.File("rb"), help="What GET …/enrolments/{id} answered before the draw, saved."
)
@click.option("--roll-hash", help="The roll hash as it was announced when the enrolment closed.")
@click.option("--commitment", help="The commitment as it was announced when the enrolment opened.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for programs.")
def verify(
    file: BinaryIO,
    enrolment: BinaryIO | None,
    roll_hash: str | None,
    commitment: str | None,
    as_json: bool,
) -> None:
    """Recompute hash, seed, lottery numbers and result of FILE, and prove that the result is stable.

    Ends with 0 when everything holds, 1 when something was altered (it says what and where), 2 when FILE or
    an option cannot be read.
    """
    document = file.read()
    announced = _announced(document, enrolment, roll_hash, commitment)
    began = time.monotonic()
    result = recompute(document, announced, passing=_quiet if as_json else _tell)
    seconds = time.monotonic() - began
    if as_json:
        click.echo(_json(result, announced, seconds))
    else:
        _say(result, announced, seconds)
    sys.exit(0 if result.holds else 1)


class _Claimed(msgspec.Struct, rename="camel"):
    """What a file says of itself, to find the run in a saved enrolment; checked afterwards."""

    campaign: str | None = None
    roll_hash: str | None = None


def _announced(
    document: bytes, enrolment: BinaryIO | None, roll_hash: str | None, commitment: str | None
) -> Announced:
    announced = Announced()
    if enrolment is not None:
        try:
            claimed = msgspec.json.decode(document, type=_Claimed)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            claimed = _Claimed()
        try:
            announced = read_enrolment(
                enrolment.read(), campaign=claimed.campaign, roll_hash=claimed.roll_hash
            )
        except UnreadableAnnouncement as error:
            raise click.UsageError(f"{error.words.zh}\n{error.words.en}") from None
    if roll_hash is not None:
        announced = announced._replace(roll_hash=roll_hash.strip().lower())
    if commitment is not None:
        announced = announced._replace(commitment=commitment.strip().lower())
    return announced


def _tell(step: Step) -> None:
    click.echo(f"✓ {STEPS[step].zh}  {STEPS[step].en}")


def _quiet(_: Step) -> None:
    """A program reads only the end."""


def _say(result: Recomputed, announced: Announced, seconds: float) -> None:
    if result.difference is not None:
        step = STEPS[result.difference.step]
        click.echo(f"✗ {step.zh}  {step.en}")
        click.echo(f"\n核验未通过。{result.difference.words.zh}")
        click.echo(f"It does not hold. {result.difference.words.en}")
        return
    size = f"{result.pupils:,}", f"{result.schools:,}"
    click.echo(
        f"\n核验通过：{size[0]} 名孩子、{size[1]} 所学校的摇号和录取结果，与名册、密钥和公共随机数"
        f"逐一相符（{seconds:.1f} 秒）。"
    )
    click.echo(
        f"It holds: numbers and placements of {size[0]} children at {size[1]} schools follow from roll, "
        f"secret and beacon ({seconds:.1f} s)."
    )
    if announced.roll_hash is None or announced.commitment is None:
        click.echo(
            "若要确认没有换过名册或密钥，请用 --enrolment 或 --roll-hash、--commitment 对照事先公布的值。"
        )
        click.echo("To see that roll and secret were not exchanged, compare with what was announced before.")
    if announced.annulled is not None:
        click.echo(f"注意：这次派位已公告作废，结果不算数。原因：{announced.annulled}")
        click.echo(f"Note: this run was annulled and does not count. Reason: {announced.annulled}")


def _json(result: Recomputed, announced: Announced, seconds: float) -> str:
    difference = result.difference
    answer = {
        "holds": result.holds,
        "passed": result.passed,
        "pupils": result.pupils,
        "schools": result.schools,
        "annulled": announced.annulled,
        "seconds": round(seconds, 3),
        "difference": None
        if difference is None
        else {
            "step": difference.step,
            "at": difference.at,
            "byte": difference.byte,
            "found": difference.found,
            "expected": difference.expected,
            "zh": difference.words.zh,
            "en": difference.words.en,
        },
    }
    return msgspec.json.encode(answer).decode()
