"""What demo.json says of the running demo: who can sign in, and whom the registers know."""

from __future__ import annotations

import json
from typing import Any

import httpx

from haiyiban.codes import trust_file
from haiyiban.settings import Settings


async def describe(settings: Settings) -> dict[str, Any]:
    """The accounts that the seeds left in `demo/`, the sandbox's residents and the pinned trust root."""
    accounts: dict[str, Any] = {}
    for file in sorted((settings.home / "demo").glob("*.json")):
        accounts |= json.loads(file.read_bytes())
    async with httpx.AsyncClient(base_url=settings.registers_url, trust_env=False) as sandbox:
        world = (await sandbox.get("/world")).raise_for_status().json()
    return {
        "trustRoot": trust_file.root_jwk(settings.keys_dir),
        "accounts": accounts,
        "residents": world["residents"],
        "enterprises": world["enterprises"],
    }
