"""What a matter may add in code. Most matters need none: their data file says it all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal, Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.errors import Conflict, FieldError, Words
from haiyiban.matters.prefill import Ask, Prefilled
from haiyiban.residents import IdType

if TYPE_CHECKING:
    from haiyiban.cases.models import Case
    from haiyiban.registers import RegisterAnswer


@dataclass(frozen=True, slots=True)
class Child:
    """A child of the applicant, as the registers know it."""

    name: str
    id_number: str


@dataclass(frozen=True, slots=True)
class Applicant:
    """The person who applies."""

    id: UUID
    name: str
    id_number: str
    phone: str | None
    id_type: str = IdType.RESIDENT_ID_CARD


BeforeApproval = Callable[[AsyncSession, "Case"], Awaitable[None]]

Answers = dict[Ask, "RegisterAnswer"]
"""What each register said about the applicant or the subject."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a check found. `refuses` keeps the applicant from submitting; the others tell the clerk."""

    code: str
    words: Words
    pointer: str = ""
    level: Literal["refuses", "unknown", "warns", "info"] = "info"
    detail: dict[str, object] = field(default_factory=dict)
    """Figures and classes for programs; no personal data."""

    @property
    def error(self) -> FieldError:
        return FieldError(self.pointer, self.words)

    def document(self) -> dict[str, object]:
        """The finding as a case keeps it."""
        return {
            "code": self.code,
            "level": self.level,
            "pointer": self.pointer,
            "words": list(self.words),
            "detail": self.detail,
        }


class CannotApprove(Conflict):
    """What the registers say forbids an approval, or is not known yet; `errors` say what and what to do."""

    type = "cases/cannot-approve"
    title = Words(
        "按现有数据不能批准，请看下列原因",
        "By what is known this cannot be approved; the reasons are listed",
    )


class MatterHandler(Protocol):
    """Code of one matter. Registers have been asked before any of this runs; only the session is at hand."""

    registers: Sequence[Ask]
    """Registers to ask beyond those of the matter file."""

    def possible(self, children: Sequence[Child], *, today: date) -> Sequence[Child]:
        """Of the applicant's children, those this matter can be about."""
        ...

    def why_not(self, child: Child, *, today: date) -> Words:
        """Why the matter cannot be about a child that is not possible, and what the parent can do."""
        ...

    def prefill(self, filled: Prefilled, answers: Answers) -> Prefilled:
        """The prefilled form, improved by what data rules cannot say."""
        ...

    async def check(self, session: AsyncSession, case: Case, *, now: datetime) -> Sequence[Finding]:
        """What keeps the case from being submitted, and what the clerk should know."""
        ...

    async def claim(self, session: AsyncSession, case: Case, *, now: datetime) -> str | None:
        """What the subject may hold only once, such as the code of an enrolment."""
        ...

    async def decided(self, session: AsyncSession, case: Case, *, now: datetime) -> UUID | None:
        """The effects of an approval or a denial. Returns the certificate that an undo revokes, if any.

        Raises CannotApprove where what was found forbids it.
        """
        ...

    async def undone(self, session: AsyncSession, case: Case, *, now: datetime) -> None:
        """The decision was taken back within its minute: whatever it caused is taken back too."""
        ...


_handlers: dict[str, MatterHandler] = {}
_before_approval: list[BeforeApproval] = []


def install(handlers: dict[str, MatterHandler]) -> None:
    """Make this process use these handlers, by matter code; done once at its start."""
    _handlers.clear()
    _handlers.update(handlers)


def install_before_approval(checks: Iterable[BeforeApproval]) -> None:
    """Make this process ask these before an approval; done once at its start."""
    _before_approval[:] = checks


async def require_approvable(session: AsyncSession, case: Case) -> None:
    """Ask everybody who may forbid an approval. Raises CannotApprove."""
    for check in _before_approval:
        await check(session, case)


def handler_of(matter: str) -> MatterHandler | None:
    """The code of a matter; None for a matter that lives by its data file alone."""
    return _handlers.get(matter)
