"""Files of materials over HTTP: the applicant's, and the clerk's look at them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.cases import materials
from haiyiban.cases.access import CaseMissing
from haiyiban.cases.material_content import Content, UnreadableFile
from haiyiban.cases.materials import FileMissing, FilesFixed, MaterialUnknown, TooManyFiles
from haiyiban.delegations import Actor
from haiyiban.delegations.rules import DelegationEnded, DelegationExpired
from haiyiban.errors import TooLarge
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import ResidentRequest, StaffRequest, StepUpNeeded, resident, staff
from haiyiban.objects import StoreAway
from haiyiban.scanning import InfectedFile, ScannerAway
from haiyiban.wire import Input, Output, problems


class FileCreate(Input):
    """A JPEG, a PNG or a PDF. `content`: base64 of its bytes; `name`: what the person calls it."""

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    content: Annotated[bytes, Meta(min_length=1)]


class FileRead(Output):
    """A file that was handed in. `size` in bytes, of what is kept: pictures are written anew, without where
    and when they were taken."""

    id: UUID
    name: str
    media_type: str
    size: int
    at: datetime


class CaseFilesController(Controller):
    """Files of my case."""

    path = "/cases/{case_id:uuid}"
    tags = ["cases"]
    guards = [resident(Level.L3)]

    @post(
        "/materials/{code:str}/files",
        status_code=201,
        summary="Hand in a file",
        responses=problems(
            StepUpNeeded,
            CaseMissing,
            DelegationEnded,
            DelegationExpired,
            MaterialUnknown,
            FilesFixed,
            TooManyFiles,
            UnreadableFile,
            InfectedFile,
            ScannerAway,
            StoreAway,
            TooLarge,
        ),
    )
    async def add(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        case_id: FromPath[UUID],
        code: FromPath[str],
        data: JSONBody[FileCreate],
    ) -> FileRead:
        """For a material whose `obtainedBy` is applicant, while the case is a draft or to be corrected; the
        same file again is the one that is there. At most 10 a material and 6 MB each."""
        row = await materials.add(
            session, case_id, code, data.name, data.content, actor=Actor.of(request.user), now=clock.now()
        )
        return FileRead(id=row.id, name=row.name, media_type=row.media_type, size=row.size, at=row.at)

    @get(
        "/files/{file_id:uuid}",
        summary="Read a file of mine",
        media_type="application/octet-stream",
        responses=problems(StepUpNeeded, CaseMissing, DelegationEnded, DelegationExpired, FileMissing),
    )
    async def read(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        case_id: FromPath[UUID],
        file_id: FromPath[UUID],
    ) -> Response[bytes]:
        """What was kept of it."""
        row, content = await materials.read_own(
            session, case_id, file_id, actor=Actor.of(request.user), now=clock.now()
        )
        return shown(row.id, content)

    @delete(
        "/files/{file_id:uuid}",
        summary="Take a file back",
        responses=problems(
            StepUpNeeded, CaseMissing, DelegationEnded, DelegationExpired, FileMissing, FilesFixed
        ),
    )
    async def remove(
        self,
        request: ResidentRequest,
        session: NamedDependency[AsyncSession],
        case_id: FromPath[UUID],
        file_id: FromPath[UUID],
    ) -> None:
        """While the case is a draft or to be corrected."""
        await materials.remove(session, case_id, file_id, actor=Actor.of(request.user), now=clock.now())


class DeskFilesController(Controller):
    """Files of a case at the desk."""

    path = "/desk/cases/{case_id:uuid}/files"
    tags = ["desk"]
    guards = [staff("clerk", "officer")]

    @get(
        "/{file_id:uuid}",
        summary="Read a file of a case",
        media_type="application/octet-stream",
        responses=problems(CaseMissing, FileMissing),
    )
    async def read(
        self,
        request: StaffRequest,
        session: NamedDependency[AsyncSession],
        case_id: FromPath[UUID],
        file_id: FromPath[UUID],
    ) -> Response[bytes]:
        """The look is recorded."""
        row, content = await materials.read_at_desk(session, case_id, file_id, caller=request.user)
        return shown(row.id, content)


def shown(file_id: UUID, content: Content) -> Response[bytes]:
    """The bytes as a browser may show them and not run them; a PDF is saved, not opened in the page."""
    suffix = content.media_type.rpartition("/")[2]
    how = "attachment" if suffix == "pdf" else "inline"
    return Response(
        content.content,
        media_type=content.media_type,
        headers={
            "Content-Disposition": f'{how}; filename="{file_id}.{suffix}"',
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cache-Control": "no-store",
        },
    )
