"""The OpenAPI document: generated, checked in as openapi/openapi.json, served, compared by a test."""

from __future__ import annotations

import json
from typing import Any

from litestar import Litestar

from haiyiban.wire import API


def document(application: Litestar) -> bytes:
    """The contract as JSON, stable from one run to the next."""
    schema: dict[str, Any] = application.openapi_schema.to_schema()
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            if isinstance(operation, dict) and path.startswith(API):
                _as_we_answer(operation)
    return json.dumps(schema, ensure_ascii=False, indent=1, sort_keys=True).encode()


def _as_we_answer(operation: dict[str, Any]) -> None:
    """Litestar documents its own shape for validation errors; ours is a problem like every refusal."""
    responses = operation.setdefault("responses", {})
    problem = {"$ref": "#/components/schemas/ProblemDocument"}
    responses["400"] = {
        "description": "`kernel/malformed`: 请求格式不对 (The request is malformed)",
        "content": {"application/problem+json": {"schema": problem}},
    }
