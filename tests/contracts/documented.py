"""Every refusal that any test of this run gets is one that the contract names for its operation."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import httpx

from tests.contracts.contract_document import document

_ANYWHERE = frozenset({"kernel/not-found", "kernel/method-not-allowed"})
"""What an address or method gets that does not exist, before any operation is found."""


async def require_documented(response: httpx.Response) -> None:
    """For httpx's event hooks. Raises AssertionError where a client could not have known of the refusal."""
    if not response.headers.get("content-type", "").startswith("application/problem+json"):
        return
    await response.aread()
    slug = response.json()["type"].removeprefix("/problems/")
    operation = operation_of(response.request.method, response.request.url.path)
    if operation is None or slug in _ANYWHERE:
        return
    told = operation["responses"].get(str(response.status_code), {}).get("description", "")
    where = f"{response.request.method} {response.request.url.path}"
    assert f"`{slug}`" in told, f"{where}: {response.status_code} {slug} is not in its contract"


def operation_of(method: str, path: str) -> dict[str, Any] | None:
    """What the contract says of the operation behind an address, if there is one."""
    for pattern, item in _addresses():
        if pattern.fullmatch(path) and method.lower() in item:
            operation: dict[str, Any] = item[method.lower()]
            return operation
    return None


@cache
def _addresses() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    # An address of fixed words comes before one with a place for anything.
    paths = sorted(document()["paths"].items(), key=lambda each: each[0].count("{"))
    return [(re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path)), item) for path, item in paths]
