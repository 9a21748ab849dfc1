"""What of a run is public, and how long: the file until the appeal window ends, the counts for good."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.errors import NotFound, Words
from services.school_places.models import AllocationRun, Enrolment
from services.school_places.published_counts import SchoolCounts
from services.school_places.service.runs import RunMissing


class FileMissing(NotFound):
    """The lots are not drawn yet, or the appeal window is over."""

    type = "school-places/public-file-not-up"
    title = Words(
        "公开文件尚未产生，或公示期已过并撤下",
        "The public file is not there yet, or was taken down after appeals",
    )

    def __init__(self) -> None:
        super().__init__(
            Words(
                "名册哈希、密钥承诺、公共随机数、种子和各校分类人数继续公开，"
                "见招生批次和 …/counts；自己保存的文件仍可核验。",
                "Roll hash, commitment, beacon, seed and the counts of each school stay public, in the "
                "enrolment and at …/counts; a copy that you kept can still be checked.",
            )
        )


class CountsMissing(NotFound):
    """The results are not published yet."""

    type = "school-places/counts-not-up"
    title = Words(
        "录取结果尚未公布，请公布后再查看人数",
        "The results are not published yet; the counts come with them",
    )


class Shown(NamedTuple):
    """A public file as it is stored; `content` is None where the reader has this very file already."""

    etag: str
    content: bytes | None


async def file_of(
    session: AsyncSession, enrolment_id: UUID, run_id: UUID, *, known: str | None, now: datetime
) -> Shown:
    """The file, byte for byte. Taken down when the appeal window ends, for it speaks of children under 14
    (docs/domain.md §13; docs/impact-assessment.md). `known`: If-None-Match. The seed names the file, because
    secret, beacon, roll and campaign are all in it. Raises RunMissing, FileMissing.
    """
    run = (
        await session.execute(
            select(
                AllocationRun.seed,
                AllocationRun.published_at,
                AllocationRun.annulled_at,
                Enrolment.appeal_days,
            )
            .join(Enrolment, Enrolment.id == AllocationRun.enrolment_id)
            .where(AllocationRun.id == run_id, AllocationRun.enrolment_id == enrolment_id)
        )
    ).one_or_none()
    if run is None:
        raise RunMissing
    ended = run.published_at or run.annulled_at
    if run.seed is None or (ended and now > ended + timedelta(days=run.appeal_days)):
        raise FileMissing
    etag = f'"{run.seed}"'
    if known is not None and etag in known:
        return Shown(etag, None)
    content = await session.scalar(select(AllocationRun.public_file).where(AllocationRun.id == run_id))
    return Shown(etag, content)


async def counts_of(session: AsyncSession, enrolment_id: UUID, run_id: UUID) -> list[SchoolCounts]:
    """Who applied and got in at each school, by classes of five and more.

    Raises RunMissing, CountsMissing.
    """
    run = (
        await session.execute(
            select(AllocationRun.state, AllocationRun.counts).where(
                AllocationRun.id == run_id, AllocationRun.enrolment_id == enrolment_id
            )
        )
    ).one_or_none()
    if run is None:
        raise RunMissing
    if run.state != "published" or run.counts is None:
        raise CountsMissing
    return msgspec.convert(run.counts, list[SchoolCounts])
