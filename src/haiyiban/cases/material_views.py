"""The materials of a case as its applicant and its clerk see them."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import context
from haiyiban.cases import materials
from haiyiban.cases.models import Case
from haiyiban.matters import catalogue
from haiyiban.wire import Output


class MaterialFile(Output):
    """A file that was handed in for a material."""

    id: UUID
    name: str
    media_type: str
    size: int


class MaterialState(Output, omit_defaults=False):
    """A material and whether it is there. `necessity`: required, optional or deferrable (容缺)."""

    code: str
    name: str
    obtained_by: str
    necessity: str
    files: list[MaterialFile]


async def material_states(session: AsyncSession, case: Case) -> list[MaterialState]:
    """Every material of the matter, with the files that are there of those the applicant hands in."""
    language = context.current().language
    files = await materials.of_case(session, case.id) if materials.wanted(case) else ()
    return [
        MaterialState(
            code=material.code,
            name=material.name.words.in_language(language),
            obtained_by=material.obtained_by,
            necessity=material.necessity,
            files=[
                MaterialFile(id=each.id, name=each.name, media_type=each.media_type, size=each.size)
                for each in files
                if each.material == material.code
            ],
        )
        for material in catalogue().version(case.matter, case.matter_version).materials
    ]
