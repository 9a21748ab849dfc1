"""Nothing that a released client does may stop working, and the check that says so finds what it should."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.breaking_changes import breaking_changes

FOLDER = Path(__file__).parents[2] / "openapi"

Document = dict[str, Any]


def read(name: str) -> Document:
    document: Document = json.loads((FOLDER / name).read_bytes())
    return document


def line(version: str) -> tuple[str, ...]:
    """What of a version number may change only with a break: the first number, or 0 and the second."""
    major, minor, *_ = version.split(".")
    return (major, minor) if major == "0" else (major,)


def test_clients_of_the_last_release_still_work() -> None:
    released, new = read("released.json"), read("openapi.json")
    breaks = breaking_changes(released, new)
    is_new_line = line(new["info"]["version"]) > line(released["info"]["version"])
    assert not breaks or is_new_line, "\n".join(f"{each.where}: {each.what}" for each in breaks)


def schema(document: Document, name: str) -> Document:
    found: Document = document["components"]["schemas"][name]
    return found


def operation(document: Document, method: str, path: str) -> Document:
    found: Document = document["paths"][f"/api/v1{path}"][method]
    return found


BREAKS: list[tuple[str, str, Callable[[Document], object]]] = [
    ("an operation is gone", "GET /api/v1/matters", lambda new: new["paths"]["/api/v1/matters"].pop("get")),
    (
        "a generated client's name is gone",
        "GET /api/v1/me",
        lambda new: operation(new, "get", "/me").update(operationId="whoAmI"),
    ),
    (
        "a token is asked for",
        "GET /api/v1/matters",
        lambda new: operation(new, "get", "/matters").update(security=[{"resident": []}]),
    ),
    (
        "another token is asked for",
        "GET /api/v1/me",
        lambda new: operation(new, "get", "/me").update(security=[{"staff": []}]),
    ),
    (
        "a parameter is required",
        "GET /api/v1/matters zone",
        lambda new: next(
            each for each in operation(new, "get", "/matters")["parameters"] if each["name"] == "zone"
        ).update(required=True),
    ),
    (
        "a parameter is not read any more",
        "GET /api/v1/matters",
        lambda new: operation(new, "get", "/matters").update(parameters=[]),
    ),
    (
        "a field is required",
        "body/onBehalfOf",
        lambda new: schema(new, "CaseCreate")["required"].append("onBehalfOf"),
    ),
    (
        "a field is refused",
        "body/subject",
        lambda new: schema(new, "CaseCreate")["properties"].pop("subject"),
    ),
    (
        "a field is of another kind",
        "body/matter",
        lambda new: schema(new, "CaseCreate")["properties"].update(matter={"type": "integer"}),
    ),
    (
        "a field may be null no more",
        "body/onBehalfOf",
        lambda new: schema(new, "CaseCreate")["properties"].update(
            onBehalfOf={"type": "string", "format": "uuid"}
        ),
    ),
    (
        "a field is shorter",
        "body/matter",
        lambda new: schema(new, "CaseCreate")["properties"].update(matter={"type": "string", "maxLength": 3}),
    ),
    (
        "a choice is not taken",
        "body/kind",
        lambda new: schema(new, "CodeCreate")["properties"]["kind"]["enum"].remove("certificate"),
    ),
    (
        "a way to sign in is gone",
        "POST /api/v1/auth/sessions body",
        lambda new: operation(new, "post", "/auth/sessions")["requestBody"]["content"]["application/json"][
            "schema"
        ]["oneOf"].pop(0),
    ),
    (
        "an answer lost a member",
        "GET /api/v1/me 200/accountId",
        lambda new: schema(new, "MeRead")["properties"].pop("accountId"),
    ),
    (
        "an answer's member may be missing",
        "GET /api/v1/me 200/assurance",
        lambda new: schema(new, "MeRead")["required"].remove("assurance"),
    ),
    (
        "an answer's member may be null",
        "GET /api/v1/me 200/assurance",
        lambda new: schema(new, "MeRead")["properties"].update(
            assurance={"oneOf": [{"type": "string"}, {"type": "null"}]}
        ),
    ),
    (
        "a member deep in an answer is gone",
        "GET /api/v1/me 200/person/name",
        lambda new: schema(new, "MePerson")["properties"].pop("name"),
    ),
    (
        "success is another status",
        "POST /api/v1/cases 201",
        lambda new: operation(new, "post", "/cases")["responses"].update(
            {"200": operation(new, "post", "/cases")["responses"].pop("201")}
        ),
    ),
    (
        "an answer is of another media type",
        "GET /api/v1/trust-list 200",
        lambda new: operation(new, "get", "/trust-list")["responses"]["200"].update(
            content={"application/json": {}}
        ),
    ),
]


@pytest.mark.parametrize(("where", "change"), [each[1:] for each in BREAKS], ids=[each[0] for each in BREAKS])
def test_a_break_is_found_where_it_is(where: str, change: Callable[[Document], object]) -> None:
    released = read("openapi.json")
    new = copy.deepcopy(released)
    change(new)
    found = breaking_changes(released, new)
    assert found
    assert any(where in each.where for each in found), found


GROWTH: list[tuple[str, Callable[[Document], object]]] = [
    ("a new operation", lambda new: new["paths"].update({"/api/v1/new": new["paths"]["/api/v1/matters"]})),
    (
        "a new optional field",
        lambda new: schema(new, "CaseCreate")["properties"].update(more={"type": "string"}),
    ),
    (
        "a new choice",
        lambda new: schema(new, "CodeCreate")["properties"]["kind"]["enum"].append("licence"),
    ),
    (
        "a field that need not be given any more",
        lambda new: schema(new, "CaseCreate")["required"].clear(),
    ),
    (
        "a new member of an answer",
        lambda new: (
            schema(new, "MeRead")["properties"].update(more={"type": "string"}),
            schema(new, "MeRead")["required"].append("more"),
        ),
    ),
    (
        "a new refusal",
        lambda new: operation(new, "get", "/me")["responses"].update(
            {"418": operation(new, "get", "/me")["responses"]["401"]}
        ),
    ),
    (
        "an operation open to more callers",
        lambda new: operation(new, "get", "/me").update(security=[{"resident": []}, {"staff": []}]),
    ),
]


@pytest.mark.parametrize("change", [each[1] for each in GROWTH], ids=[each[0] for each in GROWTH])
def test_growth_breaks_nobody(change: Callable[[Document], object]) -> None:
    released = read("openapi.json")
    new = copy.deepcopy(released)
    change(new)
    assert new != released
    assert breaking_changes(released, new) == []


def test_only_a_new_line_of_versions_may_break() -> None:
    assert line("0.2.0") > line("0.1.9")
    assert line("1.0.0") > line("0.9.0")
    assert line("1.4.0") == line("1.3.2")
