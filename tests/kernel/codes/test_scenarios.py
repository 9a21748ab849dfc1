"""The published scenarios of what only an online verification can come to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from haiyiban.resources import schemas
from tests import builders
from tests.kernel.codes.test_consent import later

DOCUMENTS = [
    json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((schemas() / "codes" / "vectors" / "online").glob("*.json"))
]
SCENARIOS = [
    pytest.param(document["outcome"], scenario, id=f"{document['outcome']}: {scenario['name']}")
    for document in DOCUMENTS
    for scenario in document["scenarios"]
]


@pytest.mark.parametrize(("outcome", "scenario"), SCENARIOS)
async def test_a_scenario_comes_out_as_published(api, notice, show, scan, school, outcome, scenario) -> None:
    code, asked = await show(notice), scenario["request"]
    verified: Any = None
    ends: list[str] = []
    for step in scenario["steps"]:
        with later(step.get("atSecond", 0)):
            if step["do"] in {"verify", "verify-again"}:
                told = await scan(code["text"], **asked)
                verified = verified or told
                assert told["outcome"] == step["expect"]
            elif step["do"] == "read":
                told = (await api.get(f"/verifications/{verified['id']}", headers=school)).json()
                assert told["outcome"] == step["expect"]
                if "claims" in step:
                    assert sorted(told["certificate"]["claims"]) == step["claims"]
            else:
                body = {name: step[name] for name in ("decision", "fields") if name in step}
                at = f"/verifications/{verified['id']}/consent"
                answer = await api.post(at, json=body, headers=notice.keeper)
                assert answer.is_success == ("refusedWith" not in step), answer.text
                assert answer.is_success or builders.slug(answer) == step["refusedWith"]
                continue
            ends.append(told["outcome"])
    assert ends[-1] == outcome


def test_consent_has_scenarios_for_both_of_its_outcomes() -> None:
    assert {"consent_pending", "consent_refused"} <= {document["outcome"] for document in DOCUMENTS}
