"""Every refusal that any test of this run gets is one that the contract names for its operation."""

from __future__ import annotations

import json
import re
from functools import cache

import httpx

from haiyiban.runtime import contract
from haiyiban.runtime.app import build
from haiyiban.settings import Settings

_ANYWHERE = frozenset({"kernel/not-found", "kernel/method-not-allowed"})
"""What an address or method gets that does not exist, before any operation is found."""


async def require_documented(response: httpx.Response) -> None:
    """For httpx's event hooks. Raises AssertionError where a client could not have known of the refusal."""
    if not response.headers.get("content-type", "").startswith("application/problem+json"):
        return
    await response.aread()
    slug = response.json()["type"].removeprefix("/problems/")
    named = _named(response.request.method, response.request.url.path)
    if named is None or slug in _ANYWHERE:
        return
    told = named.get(str(response.status_code), "")
    where = f"{response.request.method} {response.request.url.path}"
    assert f"`{slug}`" in told, f"{where}: {response.status_code} {slug} is not in its contract"


def _named(method: str, path: str) -> dict[str, str] | None:
    """The refusals that the contract names for an operation, as their descriptions by status."""
    for pattern, operations in _operations():
        if pattern.fullmatch(path) and method.lower() in operations:
            return operations[method.lower()]
    return None


@cache
def _operations() -> list[tuple[re.Pattern[str], dict[str, dict[str, str]]]]:
    document = json.loads(contract.document(build(Settings(env="test"))))
    found = []
    # An address of fixed words comes before one with a place for anything.
    for path, item in sorted(document["paths"].items(), key=lambda each: each[0].count("{")):
        pattern = re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path))
        operations = {
            method: {status: answer.get("description", "") for status, answer in each["responses"].items()}
            for method, each in item.items()
        }
        found.append((pattern, operations))
    return found
