"""The public file of a run while it is up."""

from __future__ import annotations

from datetime import datetime, timedelta

from haiyiban.errors import NotFound, Words
from services.school_places.models import AllocationRun, Enrolment


class FileMissing(NotFound):
    """The lots are not drawn yet, or the appeal window is over."""

    type = "school-places/public-file-not-up"
    title = Words(
        "公开文件尚未产生，或公示期已过并撤下",
        "The public file is not there yet, or was taken down after appeals",
    )


def file_of(run: AllocationRun, enrolment: Enrolment, *, now: datetime) -> bytes:
    """The file, byte for byte. Taken down when the appeal window ends, for it speaks of children under 14
    (docs/domain.md §13). Raises FileMissing."""
    ended = run.published_at or run.annulled_at
    if run.public_file is None or (ended and now > ended + timedelta(days=enrolment.appeal_days)):
        raise FileMissing
    return run.public_file
