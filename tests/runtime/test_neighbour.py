"""`--with-neighbour`: another province's platform beside ours, with an agreement that both have signed."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from haiyiban.runtime import neighbour, ports
from haiyiban.settings import Settings
from tests.runtime.conftest import none_left


def test_another_province_runs_beside_ours_and_both_have_agreed(
    settings: Settings, environ: dict[str, str], tmp_path: Path
) -> None:
    ours = {**os.environ, **environ, "HAIYIBAN_NEIGHBOUR_PORT": str(ports.any_free())}
    with ExitStack() as stack:
        started, told = neighbour.start(stack, ours, home=tmp_path)
        api = told["neighbour"]["api"]
        offer = httpx.get(f"{api}/api/v1/zones/cross-province/offer", trust_env=False)
        assert [one["code"] for one in offer.json()["matters"]] == ["social-insurance.proof"]
        assert told["neighbour"]["accounts"].keys() == {"insurance-clerk"}
        assert {one.name for one in started} >= {
            "neighbour-serve",
            "neighbour-worker",
            "line-platform",
            "line-neighbour",
        }
        [party] = asyncio.run(take_back(environ["DATABASE_URL"]))
        assert party["division"] == neighbour.ISSUER
        over_tls = httpx.get(
            f"{party['origin']}/api/v1/zones/cross-province/offer",
            verify=ssl.create_default_context(cadata="\n".join(party["tlsRoots"])),
            trust_env=False,
        )
        assert (over_tls.url.scheme, over_tls.status_code) == ("https", 200)
    assert none_left(tmp_path)


async def take_back(url: str) -> list[dict[str, Any]]:
    """How those describe themselves that ours has agreed with; the database is other tests' too."""
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(
            "DELETE FROM cross_province_neighbour WHERE division = $1 RETURNING division, agreement",
            neighbour.ISSUER,
        )
    finally:
        await connection.close()
    return [
        party
        for row in rows
        for party in json.loads(row["agreement"])["agreement"]["parties"]
        if party["division"] == row["division"]
    ]
