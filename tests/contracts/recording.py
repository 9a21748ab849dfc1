"""Recording the examples of the contract from what the tests ask and are answered.

`make examples` runs the tests with HAIYIBAN_RECORD_EXAMPLES=1; each process merges what it saw into the
file. An example that is there and still fits is kept, so that the file changes only where the contract does.
"""

from __future__ import annotations

import fcntl
import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs

from haiyiban.runtime.examples import FILE
from haiyiban_sandbox.identity import identity_number
from tests.contracts.contract_document import document, is_recording
from tests.contracts.documented import operation_of

PATH = Path(__file__).parents[2] / "schemas" / FILE
_LENGTH_BEST = 2500
"""Bytes of an example that shows everything and can still be read."""
_SECRET = re.compile(r"(token|secret|password|otp|capsule|signature|proof|nonce)$", re.IGNORECASE)
_PHONE = re.compile(r"1[3-9]\d{9}")
_NUMBER = re.compile(r"\d{6}(19|20)\d{9}[\dX]")

_seen: dict[str, dict[str, Any]] = {}


async def record(response: httpx.Response) -> None:
    """For httpx's event hooks: keep the best example of each operation."""
    if not is_recording() or response.status_code >= 300:
        return
    operation = operation_of(response.request.method, response.request.url.path)
    if operation is None:
        return
    name = operation["operationId"]
    if response.headers.get("content-type", "").startswith("text/event-stream"):
        # It never ends, and what it says first depends on the moment.
        _seen[name] = {"status": response.status_code, "media": "text/event-stream"}
        return
    await response.aread()
    if name in _seen and not _is_better(response, _seen[name]):
        return
    media = response.headers.get("content-type", "").partition(";")[0]
    example: dict[str, Any] = {"status": response.status_code, "media": media}
    if media == "application/json":
        example["response"] = response.json()
    content = response.request.content
    if content and response.request.headers.get("content-type", "").startswith("application/json"):
        example["request"] = json.loads(content)
    _seen[name] = _made_public(example)


def save() -> None:
    """Merge what this process saw into the file: what is missing there, and what no longer fits."""
    if not _seen:
        return
    PATH.parent.mkdir(exist_ok=True)
    with PATH.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        kept = json.loads(file.read() or "{}")
        operations = {each["operationId"]: each for each in contract_operations()}
        merged = {name: kept[name] for name in kept if name in operations and not faults(name, kept[name])}
        for name, example in _seen.items():
            if name not in merged and not faults(name, example):
                merged[name] = example
        file.truncate(0)
        file.write(json.dumps(merged, ensure_ascii=False, indent=1, sort_keys=True) + "\n")


def faults(name: str, example: dict[str, Any]) -> list[str]:
    """Where an example does not fit its operation, in the contract as it is now."""
    operation = next((each for each in contract_operations() if each["operationId"] == name), None)
    if operation is None:
        return ["there is no such operation"]
    answer = operation["responses"].get(str(example["status"]))
    if answer is None:
        return [f"{example['status']} is not answered"]
    found = []
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if body is not None and "request" in example:
        found += _misfits("request", body["schema"], example["request"])
    content = answer.get("content", {}).get(example["media"])
    if content is not None and "response" in example:
        found += _misfits("response", content["schema"], example["response"])
    return found


def contract_operations() -> list[dict[str, Any]]:
    """The operations of the contract."""
    return [operation for item in document()["paths"].values() for operation in item.values()]


def _misfits(side: str, schema: dict[str, Any], value: Any) -> list[str]:
    whole = {"allOf": [schema], "components": document()["components"]}
    errors = jsonschema_rs.Draft202012Validator(whole).iter_errors(value)
    return [f"{side} {'/'.join(map(str, error.instance_path))}: {error.message[:200]}" for error in errors]


def _is_better(response: httpx.Response, than: dict[str, Any]) -> bool:
    """Of two readable examples the one that shows more; told by the bytes alone, for tests ask often."""
    length = len(response.content) + len(response.request.content)
    return len(json.dumps(than, ensure_ascii=False).encode()) < length <= _LENGTH_BEST


def _made_public(example: dict[str, Any]) -> dict[str, Any]:
    """Nothing that signs anybody in, and no phone or number that chance could have made a living person's."""
    text = json.dumps(_without_secrets(example), ensure_ascii=False)
    for at, phone in enumerate(dict.fromkeys(_PHONE.findall(_NUMBER.sub("", text))), 1):
        text = text.replace(phone, f"1390000{at:04}")
    for at, match in enumerate(dict.fromkeys(each.group() for each in _NUMBER.finditer(text)), 1):
        born = date(2020, 3, 7) if match[6:10] > "2010" else date(1990, 3, 7)
        text = text.replace(match, identity_number("460105", born, sequence=at))
    made: dict[str, Any] = json.loads(text)
    return made


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _shortened(each)
            if _SECRET.search(name) and isinstance(each, str)
            else _without_secrets(each)
            for name, each in value.items()
        }
    return [_without_secrets(each) for each in value] if isinstance(value, list) else value


def _shortened(secret: str) -> str:
    return secret[:6] + "…" if len(secret) > 16 else secret
