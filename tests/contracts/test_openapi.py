"""The contract that clients are written against: in step with the code, complete, readable."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from haiyiban.runtime import contract
from haiyiban.runtime.app import build
from haiyiban.settings import Settings
from haiyiban.wire import API

CHECKED_IN = Path(__file__).parents[2] / "openapi" / "openapi.json"
METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(contract.document(build(Settings(env="test"))))
    return found


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method} {path}": operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }


def test_the_checked_in_contract_is_in_step_with_the_code(document: dict[str, Any]) -> None:
    assert json.loads(CHECKED_IN.read_bytes()) == document, "run `make openapi` and read what changed"


def test_the_contract_is_the_same_each_time() -> None:
    first, second = (contract.document(build(Settings(env="test"))) for _ in range(2))
    assert first == second


def test_every_operation_has_a_short_name_a_summary_and_a_tag(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for operation in operations(document).values()]
    assert len(set(names)) == len(names)
    for where, operation in operations(document).items():
        assert re.fullmatch(r"[a-z][A-Za-z]{2,40}", operation["operationId"]), where
        assert operation.get("summary"), where
        assert operation.get("tags"), where
        assert operation.get("description"), where


def test_no_two_bodies_have_one_name(document: dict[str, Any]) -> None:
    """Else both are named by their modules, which breaks clients that know one of them already."""
    twice = [
        name for name in document["components"]["schemas"] if "_" in name and not name.startswith("Page_")
    ]
    assert twice == [], "give one of them a name of its own"


def test_every_refusal_is_a_problem_document(document: dict[str, Any]) -> None:
    for where, operation in operations(document).items():
        for status, response in operation["responses"].items():
            if status >= "400":
                # RFC 6749 says how a form is refused: another document beside ours.
                said = set(response["content"]) - ({"application/json"} if "token" in where else set())
                assert said == {"application/problem+json"}, (where, status)
                schema = response["content"]["application/problem+json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/ProblemDocument"}, (where, status)


def test_every_operation_behind_a_guard_says_whose_token_it_wants(document: dict[str, Any]) -> None:
    guarded = 0
    for route in build(Settings(env="test")).routes:
        for method, (handler, _) in getattr(route, "route_handler_map", {}).items():
            operation = document["paths"].get(route.path_format, {}).get(method.lower())
            if operation is None or not handler.resolve_guards():
                continue
            guarded += 1
            assert operation["security"], route.path
            assert {"401", "403"} <= set(operation["responses"]), route.path
    assert guarded > 20
    assert document["components"]["securitySchemes"].keys() == {"resident", "staff", "verifier"}


def test_every_operation_says_that_it_may_be_unavailable(document: dict[str, Any]) -> None:
    for where, operation in operations(document).items():
        if API in where:
            assert "Retry-After" in operation["responses"]["503"]["headers"], where
        if "429" in operation["responses"]:
            assert "Retry-After" in operation["responses"]["429"]["headers"], where


def test_bodies_say_that_unknown_fields_are_refused(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    asked = 0
    for where, operation in operations(document).items():
        for media in operation.get("requestBody", {}).get("content", {}).values():
            kinds = media["schema"].get("oneOf", [media["schema"]])
            for kind in kinds:
                if "$ref" in kind:
                    asked += 1
                    name = kind["$ref"].rsplit("/", 1)[-1]
                    assert schemas[name]["additionalProperties"] is False, where
    assert asked > 10


def test_answers_may_grow(document: dict[str, Any]) -> None:
    """A client that met only what is there today must not break on a member added tomorrow."""
    for where, operation in operations(document).items():
        for status, response in operation["responses"].items():
            for media in response.get("content", {}).values():
                name = media.get("schema", {}).get("$ref", "").rsplit("/", 1)[-1]
                if status < "400" and name:
                    schema = document["components"]["schemas"][name]
                    assert schema.get("additionalProperties") is not False, where
