"""Operations one after the other, each with what those before it answered: no crash, no surprise.

Schemathesis infers from the contract which answers name what another operation takes, hundreds of ways
from one to the next, and takes them in any order over HTTP.
"""

from __future__ import annotations

import asyncio
import warnings
from collections import Counter
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.core.transport import Response
from schemathesis.generation.case import Case
from schemathesis.generation.stateful.state_machine import StepInput, StepOutput
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.contracts.callers import Headers, ends_a_session
from tests.contracts.contract_document import document

SCENARIOS, STEPS = 3, 8
"""Of each tag."""
_TAGS = (
    "cases",
    "delegations",
    "certificates",
    "codes",
    "duty-free",
    "unemployment",
    "desk",
    "school-places",
    "cross-province",
    "verifiers",
    "enterprises",
)
_CHECKS = [schemathesis.checks.not_a_server_error, status_code_conformance, content_type_conformance]
_ENDLESS = "/events"
"""Streams; tests of their own read them."""


async def test_any_order_of_operations_answers_as_the_contract_says(
    api: httpx.AsyncClient, site: str, tokens: dict[str | None, Headers]
) -> None:
    """The application answers from this loop, so whoever asks does it from a thread."""
    for matter in ("social-insurance.proof", "veterans.veteran-card"):
        begun = await api.post("/cases", json={"matter": matter}, headers=tokens["resident"])
        assert begun.status_code == 201, "something that a list names"
    taken = await asyncio.to_thread(_run, site, tokens)
    assert taken["steps"] > SCENARIOS * len(_TAGS) * 2
    # Most of what is made up leads nowhere; some of it leads on.
    assert taken["with an answer of before"] >= SCENARIOS * 2


def _run(site: str, tokens: dict[str | None, Headers]) -> Counter[str]:
    taken: Counter[str] = Counter()
    schema = schemathesis.openapi.from_dict(document())
    schema = schema.exclude(func=lambda context: _is_left_out(context.operation))
    for tag in _TAGS:
        # What belongs together, because among all operations few would ever follow on one another.
        _walk(schema.include(tag=tag), site, tokens, taken)
    return taken


def _walk(schema: Any, site: str, tokens: dict[str | None, Headers], taken: Counter[str]) -> None:
    class Sequence(schema.as_state_machine()):  # type: ignore[misc]
        def before_call(self, case: Case) -> None:
            # A made-up cursor is refused, and then no list would ever name anything.
            if case.query:
                case.query = {name: value for name, value in case.query.items() if name != "cursor"}

        def get_call_kwargs(self, case: Case) -> dict[str, Any]:
            accepted = [next(iter(each)) for each in case.operation.definition.raw.get("security", ())]
            kind = accepted[0] if accepted else None
            return {"base_url": site, "headers": tokens[kind], "timeout": 30}

        def step(self, input: StepInput) -> StepOutput:  # noqa: A002 - as the library calls it
            taken["steps"] += 1
            taken["with an answer of before"] += input.transition is not None and input.is_applied
            return super().step(input)

        def validate_response(self, response: Response, case: Case, *_: Any, **__: Any) -> None:
            readable = "json" in str(response.headers.get("content-type", ""))
            checks = [*_CHECKS, *([response_schema_conformance] if readable else [])]
            case.validate_response(response, checks=checks)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        Sequence.run(
            settings=settings(
                max_examples=SCENARIOS,
                stateful_step_count=STEPS,
                database=None,
                deadline=None,
                derandomize=True,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
        )


def _is_left_out(operation: Any) -> bool:
    name = f"{operation.method.upper()} {operation.path}"
    ends_one = name.startswith("DELETE /api/v1/auth/sessions/")  # as a list names them: the caller's own
    return operation.path.endswith(_ENDLESS) or ends_a_session(name) or ends_one
