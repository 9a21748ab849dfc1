"""What was announced about a draw before it: the commitment at the opening, the roll hash at the close.

A family saves `GET /zones/school-places/enrolments/{id}` then, or cuts it out of a newspaper; held against
the public file it shows that nothing was exchanged in between.
Source: docs/domain.md §11 (steps 1–3).
"""

from typing import Any, NamedTuple

import msgspec

from haiyiban.errors import Words


class Announced(NamedTuple):
    """What is known from elsewhere; None where it is not."""

    commitment: str | None = None
    roll_hash: str | None = None
    campaign: str | None = None
    beacon: str | None = None
    annulled: str | None = None
    """The published reason, where the run was annulled: then its result does not count."""


class UnreadableAnnouncement(ValueError):
    """This is not what `GET …/enrolments` answers."""

    def __init__(self, words: Words) -> None:
        super().__init__(words.en)
        self.words = words


class _Run(msgspec.Struct, rename="camel"):
    roll_hash: str
    commitment: str
    state: str
    beacon: str | None = None
    annulment_reason: str | None = None


class _Enrolment(msgspec.Struct, rename="camel"):
    code: str
    commitment: str
    runs: list[_Run] = []


def read_enrolment(document: bytes, *, campaign: str | None, roll_hash: str | None) -> Announced:
    """The announcement that a saved enrolment (or page of enrolments) makes for the draw with this roll.

    Saved before the close it has no run and tells the commitment; saved later it tells the run's own. Where
    no run of it has this roll, the newest that counts is held against the file, so that the check fails.
    Raises UnreadableAnnouncement.
    """
    enrolment = _find(document, campaign)
    if not enrolment.runs:
        return Announced(commitment=enrolment.commitment, campaign=enrolment.code)
    counting = [run for run in enrolment.runs if run.state != "annulled"] or enrolment.runs
    run = next((run for run in enrolment.runs if run.roll_hash == roll_hash), counting[-1])
    return Announced(
        commitment=run.commitment,
        roll_hash=run.roll_hash,
        campaign=enrolment.code,
        beacon=run.beacon,
        annulled=(run.annulment_reason or "") if run.state == "annulled" else None,
    )


def _find(document: bytes, campaign: str | None) -> _Enrolment:
    try:
        content: Any = msgspec.json.decode(document)
        items = content["items"] if isinstance(content, dict) and "items" in content else [content]
        found = msgspec.convert(items, list[_Enrolment])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UnreadableAnnouncement(
            Words(
                "保存的招生批次文件读不懂：请保存 GET …/enrolments 的回答",
                "This is not a saved enrolment: save what GET …/enrolments answers",
            )
        ) from None
    of_campaign = [enrolment for enrolment in found if enrolment.code == campaign] or found[:1]
    if not of_campaign:
        raise UnreadableAnnouncement(
            Words("保存的文件里没有招生批次", "There is no enrolment in the saved file")
        )
    return of_campaign[0]
