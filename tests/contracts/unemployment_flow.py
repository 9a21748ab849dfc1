"""A grant with an objection, a batch and a move, for the contract on doors."""

from __future__ import annotations

from uuid import UUID

from haiyiban import clock
from haiyiban.db import database
from haiyiban.ids import new_id
from services.unemployment.models import Batch, Grant, Move

OBJECTION = "单位登记错了人"


async def grant_and_batch(person_id: UUID, case_id: UUID, certificate_id: UUID) -> dict[str, str]:
    """Their ids by the names of the addresses: a suspended grant of 秀英区, a file that waits."""
    today = clock.today()
    grant = Grant(
        id=new_id(),
        case_id=case_id,
        person_id=person_id,
        certificate_id=certificate_id,
        division="460105",
        paid_months=12,
        carried=0,
        months=12,
        used=0,
        starts_on=today,
        granted_at=clock.now(),
        suspended_on=today,
        suspended_because="employed",
        event_on=today,
        object_by=today,
    )
    grant.objection = OBJECTION
    batch = Batch(id=new_id(), state="made", count=1, total_fen=1, made_at=clock.now())
    batch.message_id = batch.id.hex
    batch.file = "<Document/>"
    move = Move(
        id=new_id(),
        case_id=case_id,
        person_id=person_id,
        to="440000",
        state="decided",
        paid_months=12,
        decided_at=clock.now(),
    )
    async with database().transaction() as session:
        session.add_all([grant, batch, move])
    return {"grant_id": str(grant.id), "batch_id": str(batch.id), "move_id": str(move.id)}
