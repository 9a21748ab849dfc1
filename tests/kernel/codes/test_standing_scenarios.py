"""The published scenarios of how a certificate stands and whether its code was used, played over HTTP."""

from __future__ import annotations

import json
import secrets
from typing import Any

import pytest

from haiyiban import certificates, clock
from haiyiban.codes.claims import CertificateBody, Claims, Kind
from haiyiban.codes.envelope import sign_form_a
from haiyiban.codes.outcomes import Outcome, explain
from haiyiban.codes.signing import code_keys
from haiyiban.resources import schemas
from tests.kernel.codes.test_printed import print_it

FILE = schemas() / "codes" / "vectors" / "online" / "standing" / "scenarios.json"
SCENARIOS: list[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))["scenarios"]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario["name"])
async def test_a_scenario_comes_out_as_published(notice, show, scan, scenario) -> None:
    text = {
        "shown": lambda: show(notice),
        "printed": lambda: print_it(notice),
        "of an unknown subject": _of_nobody,
    }[scenario["code"]]
    made = await text()
    code = made["text"] if isinstance(made, dict) else made
    told: dict[str, Any] = {}
    for step in scenario["steps"]:
        if step == "verify":
            told = await scan(code, purpose=scenario["purpose"])
        elif step == "correct":
            await _correct(notice)
        else:
            await notice.change(getattr(certificates, step), reason="场景测试")
    assert told["outcome"] == scenario["outcome"]
    assert (told["reason"], told["advice"]) == (scenario["reason"]["zh"], scenario["advice"]["zh"])


def test_the_words_are_those_of_the_outcome() -> None:
    for scenario in SCENARIOS:
        reason, advice = explain(Outcome(scenario["outcome"]))
        assert scenario["reason"] == {"zh": reason.zh, "en": reason.en}
        assert scenario["advice"] == {"zh": advice.zh, "en": advice.en}


def test_every_outcome_has_a_vector() -> None:
    vectors = FILE.parents[2]
    named = {path.stem for path in (*vectors.glob("*.json"), *(vectors / "online").glob("*.json"))}
    assert set(Outcome) <= named | {scenario["outcome"] for scenario in SCENARIOS}


async def _of_nobody() -> str:
    now = clock.now()
    made = int(now.timestamp())
    body = CertificateBody("admission-notice", "陈*海")
    said = Claims("460000", made, made + 60, secrets.token_bytes(16), Kind.CERTIFICATE, body)
    return sign_form_a(said, code_keys(now).signer(now))


async def _correct(notice: Any) -> None:
    async with notice.database.transaction() as session:
        old = await session.get_one(certificates.Certificate, notice.id)
        claims = old.claims | {"school": "改后小学"}
        await certificates.correct(session, old.id, claims=claims, reason="场景测试", now=clock.now())
