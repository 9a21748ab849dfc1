"""What a family does in another province: part of the flow that contracts on audit and storage look at."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from services.cross_province import joint
from services.cross_province.messages import Type
from tests import builders
from tests.zones.cross_province.voice import DIVISION, MATTER, Voice

if TYPE_CHECKING:
    from tests.contracts.flow import Flow, Headers

CASES = "/zones/cross-province/cases"
DESK = "/desk/cross-province"
WANTED = {"division": DIVISION, "matter": MATTER, "version": 1, "form": {"purpose": "loan"}}


async def go(flow: Flow, me: Headers, clerk: Headers) -> None:
    """Apply there, correct, withdraw; a counter takes in, sends originals, decides its part, hands over."""
    with tempfile.TemporaryDirectory() as folder:
        voice = await Voice.agreed(Path(folder))
    await _online(flow, voice, me)
    await _at_a_counter(flow, voice, clerk)
    await flow.step("ask what insurance pays", "GET", "/zones/cross-province/medical-settlements", by=me)


async def _online(flow: Flow, voice: Voice, me: Headers) -> None:
    matters = "/zones/cross-province/matters"
    await flow.step("list matters of other provinces", "GET", matters, by={})
    await flow.step("read what we take from others", "GET", "/zones/cross-province/offer", by={})
    case = await flow.step("apply in another province", "POST", CASES, by=me, expect=201, **WANTED)
    at = f"{CASES}/{case['id']}"
    told = await voice.say(flow.api, case["id"], Type.RECEIPT, step="reached", caseNoLocal="GX1")
    flow.answers["take a message"] = told
    items = [{"pointer": "/purpose", "message": f"请{flow.parent.name}改为实际用途"}]
    await voice.say(flow.api, case["id"], Type.CORRECTION, step="request-correction", items=items)
    fixed = {"form": {"purpose": "job"}}
    await flow.step("correct in another province", "POST", f"{at}/correction", by=me, **fixed)
    await flow.step("withdraw from another province", "POST", f"{at}/withdrawal", by=me)
    await voice.say(flow.api, case["id"], Type.RESULT, step="withdrawal", result={"outcome": "withdrawn"})
    await flow.step("read my case in another province", "GET", at, by=me)
    await flow.step("list my cases in other provinces", "GET", CASES, by=me)


async def _at_a_counter(flow: Flow, voice: Voice, clerk: Headers) -> None:
    number = builders.id_number()
    flow.tokens += [number, "SF7654321"]
    person = {"name": "诸葛南北", "idNumber": number, "phone": "13911112222", "identityChecked": True}
    case = await flow.step(
        "take in at a counter", "POST", f"{DESK}/cases", by=clerk, expect=201, **WANTED, **person
    )
    at = f"{DESK}/cases/{case['id']}"
    await flow.step("list cross-province cases", "GET", f"{DESK}/cases", by=clerk)
    await flow.step("read a cross-province case", "GET", at, by=clerk)
    await flow.step("send originals", "POST", f"{at}/express", by=clerk, express="SF7654321")
    await voice.say(flow.api, case["id"], Type.PROGRESS, step=joint.ASKED, opinion="核对是否已转出")
    await flow.step("decide our part", "POST", f"{at}/joint-decision", by=clerk, agrees=True)
    await voice.say(flow.api, case["id"], Type.CORRECTION, step="request-correction", items=[])
    await flow.step("correct at a counter", "POST", f"{at}/correction", by=clerk, form={"purpose": "job"})
    await flow.step("list late hops", "GET", f"{DESK}/alerts", by=clerk)
    await voice.say(flow.api, case["id"], Type.RESULT, step="approve", result={"outcome": "approved"})
    await flow.step("hand over at a counter", "POST", f"{at}/delivery", by=clerk)
