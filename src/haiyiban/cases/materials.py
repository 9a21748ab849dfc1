"""Materials that the applicant hands in as files (材料上传): kept sealed, apart from the database.

A file is stored before its row is written: a crash in between leaves bytes that no row names, which the sweep
deletes. Source: docs/domain.md §6 (materials with the applicant as source).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit, clock, crypto, objects, scanning
from haiyiban.cases import access
from haiyiban.cases.handlers import Finding
from haiyiban.cases.material_content import Content, kept_of
from haiyiban.cases.models import Case, CaseFile
from haiyiban.cases.states import State
from haiyiban.clock import local_date
from haiyiban.db import database
from haiyiban.delegations import Actor
from haiyiban.errors import Conflict, FieldError, NotFound, Problem, Words
from haiyiban.identity.callers import StaffCaller
from haiyiban.ids import new_id
from haiyiban.matters import catalogue
from haiyiban.matters.matter import Material
from haiyiban.sealed import place
from haiyiban.zone import SealedObject

FILES_MOST = 10
OPEN = frozenset({State.DRAFT, State.CORRECTION_REQUESTED})
"""While the application is the applicant's to change."""
SWEPT_AFTER = timedelta(days=1)


class MaterialUnknown(NotFound):
    """The matter wants no such material from the applicant."""

    type = "cases/material-not-found"
    title = Words("本事项不需要您上传这份材料", "This matter wants no such material from you")


class FileMissing(NotFound):
    """No such file, or it is of a case that is not the caller's."""

    type = "cases/file-not-found"
    title = Words("没有找到这个文件", "There is no such file")


class FilesFixed(Conflict):
    """The application is handed in: its files stay as they are until a correction is asked for."""

    type = "cases/files-fixed"
    title = Words(
        "申请已提交，不能再改材料；需要补充的，工作人员会发出补正通知",
        "The application is handed in and its files stay as they are; a clerk will ask if more is needed",
    )


class TooManyFiles(Problem):
    """A material has as many files as it may."""

    type = "cases/too-many-files"
    title = Words(
        f"每份材料最多 {FILES_MOST} 个文件，请先删除不用的",
        f"A material has at most {FILES_MOST} files; delete one first",
    )


async def add(
    session: AsyncSession, case_id: UUID, code: str, name: str, content: bytes, *, actor: Actor, now: datetime
) -> CaseFile:
    """Keep a file for a material. The same file again is the file that is there.

    Raises CaseMissing, NotInForce's kinds, MaterialUnknown, FilesFixed, TooManyFiles, UnreadableFile,
    InfectedFile, ScannerAway, StoreAway.
    """
    today = local_date(now)
    async with database().reading() as look:
        _require(await access.own(look, case_id, actor, today=today), code)
    await scanning.require_clean(content)
    kept = await asyncio.to_thread(kept_of, content)
    file_id = new_id()
    await objects.put(_object(case_id, file_id), crypto.vault().seal(kept.content, where=_where(file_id)))
    case = await access.own_for_change(session, case_id, actor, today=today)
    _require(case, code)
    files = [each for each in await of_case(session, case_id) if each.material == code]
    digest = crypto.vault().blind("case-file", f"{case_id}|{code}|{sha256(kept.content).hexdigest()}")
    for known in files:
        if known.digest == digest:
            return known
    if len(files) >= FILES_MOST:
        raise TooManyFiles
    row = CaseFile(
        id=file_id,
        case_id=case_id,
        material=code,
        media_type=kept.media_type,
        size=len(kept.content),
        digest=digest,
        at=now,
    )
    row.name = name
    session.add(row)
    await _record(session, case, "add-file", row)
    return row


async def remove(session: AsyncSession, case_id: UUID, file_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Take a file back while the application is open; its bytes go with the next sweep.

    Raises CaseMissing, NotInForce's kinds, FileMissing, FilesFixed.
    """
    case = await access.own_for_change(session, case_id, actor, today=local_date(now))
    row = await _of_case(session, case_id, file_id)
    if case.state not in OPEN:
        raise FilesFixed
    await session.execute(delete(CaseFile).where(CaseFile.id == row.id))
    await _record(session, case, "remove-file", row)


async def read_own(
    session: AsyncSession, case_id: UUID, file_id: UUID, *, actor: Actor, now: datetime
) -> tuple[CaseFile, Content]:
    """A file of a case of one's own. Raises CaseMissing, NotInForce's kinds, FileMissing."""
    await access.own(session, case_id, actor, today=local_date(now))
    row = await _of_case(session, case_id, file_id)
    return row, await content(row)


async def read_at_desk(
    session: AsyncSession, case_id: UUID, file_id: UUID, *, caller: StaffCaller
) -> tuple[CaseFile, Content]:
    """A file of a case that a clerk may see; the look is recorded. Raises CaseMissing, FileMissing."""
    case = await access.of_desk(session, case_id, caller)
    row = await _of_case(session, case_id, file_id)
    await _record(session, case, "read-file", row)
    return row, await content(row)


async def of_case(session: AsyncSession, case_id: UUID) -> Sequence[CaseFile]:
    """The files of a case, the first handed in first."""
    rows = await session.scalars(select(CaseFile).where(CaseFile.case_id == case_id).order_by(CaseFile.id))
    return rows.all()


def wanted(case: Case) -> list[Material]:
    """The materials that the applicant hands in."""
    matter = catalogue().version(case.matter, case.matter_version)
    return [each for each in matter.materials if each.obtained_by == "applicant"]


def pointers(case: Case) -> set[str]:
    """What a correction notice may ask for beside the fields of the form."""
    return {f"/materials/{each.code}" for each in wanted(case)}


async def findings(session: AsyncSession, case: Case) -> list[Finding]:
    """Required materials without a file, for the clerk: nobody is kept from handing in (容缺受理)."""
    required = [each for each in wanted(case) if each.necessity == "required"]
    if not required:
        return []
    there = {each.material for each in await of_case(session, case.id)}
    return [
        Finding(
            code="material_missing",
            words=Words(
                f"没有上传「{each.name.zh}」，可先受理，需要时发补正通知",
                f"{each.name.en} was not handed in; accept and ask for it where it is needed",
            ),
            pointer=f"/materials/{each.code}",
            level="warns",
        )
        for each in required
        if each.code not in there
    ]


async def sweep(_: bytes = b"") -> None:
    """The task: delete stored bytes that no row names, a day after they were written."""
    async for stored in objects.names(_FOLDER, before=clock.wall() - SWEPT_AFTER):
        ids = {UUID(name.rpartition("/")[2]): name for name in stored}
        async with database().reading() as look:
            known = set(await look.scalars(select(CaseFile.id).where(CaseFile.id.in_(ids))))
        for file_id in ids.keys() - known:
            await objects.delete(ids[file_id])


_FOLDER = "cases"


async def stored() -> AsyncIterator[SealedObject]:
    """Every file that is kept, for a new key."""
    async with database().reading() as session:
        rows = await session.stream(select(CaseFile.case_id, CaseFile.id))
        async for case_id, file_id in rows:
            yield SealedObject(_object(case_id, file_id), _where(file_id))


def _require(case: Case, code: str) -> None:
    if code not in {each.code for each in wanted(case)}:
        raise MaterialUnknown
    if case.state not in OPEN:
        raise FilesFixed


async def _of_case(session: AsyncSession, case_id: UUID, file_id: UUID) -> CaseFile:
    row = await session.scalar(select(CaseFile).where(CaseFile.id == file_id, CaseFile.case_id == case_id))
    if row is None:
        raise FileMissing
    return row


async def content(row: CaseFile) -> Content:
    """What was handed in. Raises FileMissing."""
    try:
        sealed = await objects.get(_object(row.case_id, row.id))
    except FileNotFoundError:
        raise FileMissing(errors=[FieldError("", FileMissing.title)]) from None
    return Content(row.media_type, crypto.vault().open(sealed, where=_where(row.id)))


def _object(case_id: UUID, file_id: UUID) -> str:
    return f"{_FOLDER}/{case_id}/{file_id}"


def _where(file_id: UUID) -> str:
    return place(CaseFile.__tablename__, "content", file_id)


async def _record(session: AsyncSession, case: Case, act: str, row: CaseFile) -> None:
    await audit.record(
        session,
        f"cases.{act}",
        subject=case.subject_id or case.applicant_id,
        object_kind="case",
        object_id=case.id,
        fields=[f"materials/{row.material}"],
    )
    await session.flush()
