"""Every operation, asked with what its schema allows and with what it does not: no crash, no surprise.

The cases are made by schemathesis from the contract and sent through the real edge.
"""

from __future__ import annotations

import warnings
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.contracts.callers import Headers, ends_a_session
from tests.contracts.contract_document import document

EXAMPLES = 3
_DOCUMENT = document()
_SCHEMA = schemathesis.openapi.from_dict(_DOCUMENT)
_ENDLESS = {"GET /api/v1/hall/events"}
"""A stream to everybody that ends after an hour; tests/kernel/hall reads it."""
_OPERATIONS = {
    f"{method.upper()} {path}": (path, method) for path, item in _DOCUMENT["paths"].items() for method in item
}
_CHECKS = [schemathesis.checks.not_a_server_error, status_code_conformance, content_type_conformance]


@pytest.mark.parametrize("name", sorted(_OPERATIONS.keys() - _ENDLESS))
async def test_an_operation_answers_as_the_contract_says(
    api: httpx.AsyncClient, tokens: dict[str | None, Headers], name: str
) -> None:
    path, method = _OPERATIONS[name]
    operation = _SCHEMA[path][method]
    accepted = [next(iter(scheme)) for scheme in operation.definition.raw.get("security", ())]
    allowed = _made(operation, GenerationMode.POSITIVE)
    assert allowed
    for case in (*allowed, *_made(operation, GenerationMode.NEGATIVE)):
        for kind in dict.fromkeys([*accepted[:1], None]):
            await _ask(api, case, {} if ends_a_session(name) else tokens[kind])


def _made(operation: Any, mode: GenerationMode) -> list[Any]:
    """Cases of an operation; none of a kind that cannot be, such as bad input where nothing is taken."""
    cases = []

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def collect(case: Any) -> None:
        cases.append(case)

    with warnings.catch_warnings(), suppress(Unsatisfiable):
        warnings.simplefilter("ignore")
        collect()
    return cases


async def _ask(api: httpx.AsyncClient, case: Any, headers: Headers) -> None:
    told = case.as_transport_kwargs(base_url="http://test")
    content: dict[str, Any] = {"json": told["json"]} if "json" in told else {"content": told.get("data")}
    if isinstance(told.get("data"), dict):
        content = {"data": told["data"]}
    answer = await api.request(
        told["method"],
        urlsplit(told["url"])._replace(query="").geturl(),
        params=told.get("params"),
        headers={name: str(value).encode() for name, value in (told.get("headers") or {}).items()} | headers,
        **content,
    )
    readable = "json" in answer.headers.get("content-type", "")
    try:
        case.validate_response(
            answer, checks=[*_CHECKS, *([response_schema_conformance] if readable else [])]
        )
    except FailureGroup as failures:
        raise AssertionError("\n".join(str(failure) for failure in failures.exceptions)) from None
