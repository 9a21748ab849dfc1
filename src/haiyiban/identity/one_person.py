"""One person, however many documents: whose row it is when a document has just been confirmed.

Source: docs/domain.md §1.2; docs/decisions/0011-one-person-with-several-documents.md.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import audit
from haiyiban.errors import Conflict, Words
from haiyiban.identity import documents, persons
from haiyiban.identity.models import Person
from haiyiban.registers import DocumentOf
from haiyiban.residents import IdType

_MOST_TELLING = (
    IdType.RESIDENT_ID_CARD,
    IdType.RESIDENCE_PERMIT,
    IdType.PERMANENT_RESIDENCE_CARD,
    IdType.HK_MACAO_PASS,
    IdType.TAIWAN_PASS,
    IdType.PASSPORT,
)
"""The document by which most registers know its holder comes first; a passport is replaced most often."""


class DocumentsOfTwo(Conflict):
    """The register says that these documents are one person's, and we know them as two already.

    Cases, certificates and allowances stand under both, so only a counter can bring them together.
    """

    type = "identity/documents-of-two"
    title = Words(
        "您的两个证件此前在本平台登记成了两个人，请持两个证件到政务服务大厅合并后再用；之前的办理记录都还在",
        "Your documents were registered here as two persons; please bring both to a service hall to have "
        "them brought together. Nothing is lost",
    )


async def of_documents(
    session: AsyncSession, name: str, given: DocumentOf, *, others: Sequence[DocumentOf]
) -> Person:
    """The person who has just been confirmed by a document, and who has the other ones too.

    Keeps the name that the document says, where the person is shown by this document. Raises DocumentsOfTwo.
    """
    own = documents.index(given.id_number, given.id_type)
    all_of_them = {own, *(documents.index(other.id_number, other.id_type) for other in others)}
    await documents.hold(session, all_of_them)
    found = set((await documents.persons_of(session, all_of_them)).values())
    if len(found) > 1:
        raise DocumentsOfTwo
    if found:
        person = await persons.get(session, found.pop())
    else:
        person = await persons.find_or_create(session, name, id_number=given.id_number, id_type=given.id_type)
    if _is_more_telling(given.id_type, person.id_type):
        await _show_by(session, person, given, own)
    if person.id_number_index == own:
        await persons.rename(session, person, name)
    await documents.link(session, person, all_of_them)
    return person


async def _show_by(session: AsyncSession, person: Person, given: DocumentOf, own: bytes) -> None:
    """Keep the more telling document in the person's row; the one before stays linked to it."""
    before = person.id_number_index
    person.id_type = given.id_type
    person.id_number = given.id_number
    person.id_number_index = own
    await session.flush()
    await documents.link(session, person, [before])
    await audit.record(
        session,
        "identity.change-document",
        subject=person.id,
        object_kind="person",
        object_id=person.id,
        fields=["idType", "idNumber"],
    )


def _is_more_telling(one: str, other: str) -> bool:
    return _rank(one) < _rank(other)


def _rank(id_type: str) -> int:
    known = [kind.value for kind in _MOST_TELLING]
    return known.index(id_type) if id_type in known else len(known)
