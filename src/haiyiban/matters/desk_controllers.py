"""Matters and their data files at the desk: which are published, and what is wrong with one that is not yet.

A file is published by a deployment, never from here: the forms and matters of a release are one reviewed
whole, every process reads them when it starts, and a case keeps the version that it was opened under.
"""

from __future__ import annotations

from typing import Annotated, Literal

from litestar import Controller, get, post
from litestar.params import JSONBody
from msgspec import Meta

from haiyiban import context
from haiyiban.errors import NotAllowed, NotSignedIn
from haiyiban.identity.guards import staff
from haiyiban.matters import checking
from haiyiban.matters.catalogue import catalogue
from haiyiban.wire import Input, Output, problems


class PublishedMatter(Output):
    """A version of a matter that is published."""

    code: str
    version: int
    is_current: bool
    """Whether people find it; cases of an older one are finished under it."""
    name: str
    zone: str
    agency: str
    form: str
    faults: int
    """What today's rules hold against its file."""


class PublishedMatters(Output):
    """Every version of every matter."""

    items: list[PublishedMatter]


class DataFile(Input):
    """A file to look at: what it is, how it is named, what is in it."""

    kind: Literal["matter", "form", "text"]
    file_name: Annotated[str, Meta(min_length=1, max_length=200)]
    content: Annotated[str, Meta(max_length=300_000)]


class DataFault(Output, omit_defaults=False):
    """One thing that is wrong with a file."""

    rule: str
    pointer: str
    line: int
    message: str


class DataFileChecked(Output, omit_defaults=False):
    """Everything that is wrong; nothing where the file may be published."""

    may_be_published: bool
    faults: list[DataFault]


class MattersDeskController(Controller):
    """Matters and their data files (事项和数据文件)."""

    path = "/desk/matters"
    tags = ["desk"]
    guards = [staff("operator")]

    @get(summary="Published matters by version", responses=problems(NotSignedIn, NotAllowed))
    async def published(self) -> PublishedMatters:
        """In order of code, each version with what today's rules hold against it."""
        known, language = catalogue(), context.current().language
        return PublishedMatters(
            items=[
                PublishedMatter(
                    code=matter.code,
                    version=matter.version,
                    is_current=known.get(matter.code).version == matter.version,
                    name=matter.name.words.in_language(language),
                    zone=matter.zone,
                    agency=matter.handled_by.agency,
                    form=matter.form,
                    faults=len(checking.of_published(matter)),
                )
                for matter in known.versions()
            ]
        )

    @post(
        "/validation",
        status_code=200,
        summary="Check a data file before it is published",
        responses=problems(NotSignedIn, NotAllowed),
    )
    async def validate(self, data: JSONBody[DataFile]) -> DataFileChecked:
        """Every fault at once, with pointer and line. Nothing is kept and nothing is published."""
        language = context.current().language
        found = checking.faults(data.kind, data.file_name, data.content)
        return DataFileChecked(
            may_be_published=not found,
            faults=[
                DataFault(
                    rule=each.rule,
                    pointer=each.pointer,
                    line=each.line,
                    message=each.words.in_language(language),
                )
                for each in found
            ],
        )
