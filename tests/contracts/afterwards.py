"""The owner's placement with an offer and an appeal, for the doors of school places after the results."""

from __future__ import annotations

import secrets
from uuid import UUID

from haiyiban import clock
from haiyiban.cases.models import Case
from haiyiban.db import Database
from haiyiban.ids import new_id
from services.school_places.afterwards_models import Appeal, Waiting
from services.school_places.models import AllocationRun, RollEntry, School

REASON = "符小椰的住房核验有误"
_AT = "/zones/school-places"
_ENROLMENT = f"{_AT}/enrolments/{{enrolment_id}}"
_PLACEMENT = f"{_AT}/placements/{{placement_id}}"
_SECOND_ROUND = {
    "opensAt": "2030-01-01T00:00:00Z",
    "closesAt": "2030-01-02T00:00:00Z",
    "drawAfter": "2030-01-03T00:00:00Z",
    "beaconSource": "?",
}
TO_EVERYBODY = (f"GET {_ENROLMENT}/corrections",)
TO_NOBODY = {
    f"POST {_PLACEMENT}/acceptance": {},
    f"POST {_PLACEMENT}/refusal": {},
    f"DELETE {_PLACEMENT}/refusal": {},
    f"DELETE {_PLACEMENT}/waiting-lists/{{school_id}}": {},
    f"POST {_PLACEMENT}/appeals": {"reason": "不应当能申诉"},
    f"POST {_AT}/offers/{{offer_id}}/acceptance": {},
    f"POST {_AT}/offers/{{offer_id}}/refusal": {},
    f"GET {_ENROLMENT}/waiting-lists": {},
    f"GET {_ENROLMENT}/offers": {},
    f"GET {_ENROLMENT}/appeals": {},
    f"POST {_ENROLMENT}/appeals/{{appeal_id}}/decision": {"decision": "dismissed", "reason": "不应当能决定"},
    f"POST {_ENROLMENT}/late-applications": {"caseId": "{case_id}", "reason": "不应当能准予"},
    f"POST {_ENROLMENT}/second-round": _SECOND_ROUND,
}
"""Address → body; objects on the way are the owner's."""


async def aftermath(held: Database, case_id: UUID, run_id: UUID) -> dict[str, str]:
    """A placement of the owner's case on this run, with an offer and an appeal; their ids by name."""
    now = clock.now()
    async with held.transaction() as session:
        case = await session.get_one(Case, case_id)
        run = await session.get_one(AllocationRun, run_id)
        school = School(
            id=new_id(),
            code=secrets.token_hex(8),
            name="门禁小学",
            name_en="School of the doors",
            division="460105",
            kind="public",
            address="海口市秀英区",
            latitude=20.0,
            longitude=110.29,
        )
        entry = RollEntry(id=new_id(), run_id=run_id, case_id=case.id, child_id=case.subject_id)
        entry.pseudonym, entry.standing = secrets.token_hex(10), {"choices": []}
        session.add_all([school, entry])
        await session.flush()
        offer = Waiting(
            id=new_id(),
            enrolment_id=run.enrolment_id,
            school_id=school.id,
            entry_id=entry.id,
            choice=0,
            position=1,
            state="offered",
            offered_at=now,
            answer_by=now,
        )
        appeal = Appeal(
            id=new_id(),
            entry_id=entry.id,
            enrolment_id=run.enrolment_id,
            state="open",
            at_stake=[],
            filed_at=now,
        )
        appeal.reason = REASON
        session.add_all([offer, appeal])
    return {
        "placement_id": str(entry.id),
        "school_id": str(school.id),
        "offer_id": str(offer.id),
        "appeal_id": str(appeal.id),
    }
