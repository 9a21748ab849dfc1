"""An appeal against a colour, for the contract on doors."""

from __future__ import annotations

from uuid import UUID

from haiyiban import clock
from haiyiban.db import database
from haiyiban.ids import new_id
from services.health_code.models import Appeal

REASON = "检测时登记错了人"


async def appeal(person_id: UUID) -> dict[str, str]:
    """Its id by the name of the addresses: an open one of 秀英区."""
    made = Appeal(
        id=new_id(), person_id=person_id, division="460105", colour="red", state="open", at=clock.now()
    )
    made.reason = REASON
    async with database().transaction() as session:
        session.add(made)
    return {"appeal_id": str(made.id)}
