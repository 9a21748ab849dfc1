"""The load of the claim benchmark: python -m benchmarks.claimants VARIANT PORT COUNT CONNECTIONS.

Each claim that gets a voucher is of another person with a token and an Idempotency-Key of their own; where
nothing is given out, a few people ask again and again. An offset on stdin signs the tokens, for they live
five minutes, and lets the server see them as it has seen those of people who looked at the campaign before
it opened; `go` sends the claims.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from itertools import cycle, islice
from uuid import UUID

import asyncpg

from benchmarks import load
from haiyiban import clock
from haiyiban.crypto import FileKeys
from haiyiban.identity.callers import Level, ResidentCaller
from haiyiban.identity.tokens import AccessTokens
from haiyiban.ids import new_id
from haiyiban.settings import Settings

FEW = 100
CAMPAIGNS = "/api/v1/zones/duty-free/campaigns"


def main() -> None:
    """For each offset: say when ready; for each `go`: send, report."""
    variant, port, count, connections = sys.argv[1], *map(int, sys.argv[2:5])
    prepared: list[bytes] = []
    for line in sys.stdin:
        if line.strip() == "go":
            load.report(*asyncio.run(load.send(port, prepared, connections=connections)))
            continue
        prepared = asyncio.run(_prepare(variant, port, count, offset=int(line)))
        print("ready", flush=True)


async def _prepare(variant: str, port: int, count: int, *, offset: int) -> list[bytes]:
    is_given_out = variant in {"claim", "cold"}
    tokens = tokens_of(await people_of(count if is_given_out else FEW, offset))
    if variant not in {"bare", "cold"}:
        # Signed in as somebody who asks anything: the token is known to the process afterwards.
        seen = [_get("/api/v1/nothing", token) for token in tokens]
        await load.send(port, seen)
    campaign = os.environ["BENCH_SOLD_OUT" if variant == "sold-out" else "BENCH_CAMPAIGN"]
    path = f"{CAMPAIGNS}/{campaign}/claims"
    return [
        load.request_bytes(
            path,
            {},
            headers={"Authorization": f"Bearer {token}"}
            | ({} if variant == "sold-out" else {"Idempotency-Key": str(new_id())}),
        )
        for token in islice(cycle(tokens), count)
    ]


async def people_of(count: int, offset: int) -> list[UUID]:
    """Some of those whom `claims` made, in the order of their making."""
    connection = await asyncpg.connect(os.environ["DATABASE_URL"])
    rows = await connection.fetch(
        "SELECT id FROM identity_person ORDER BY ref LIMIT $1 OFFSET $2", count, offset
    )
    await connection.close()
    return [row["id"] for row in rows]


def tokens_of(people: Sequence[UUID]) -> list[str]:
    """Each signed in, with their face confirmed."""
    settings, now = Settings.from_env(), clock.now()
    tokens = AccessTokens(FileKeys(settings.keys_dir), issuer=settings.issuer)
    return [
        tokens.issue(
            ResidentCaller(
                account_id=new_id(), session_id=new_id(), level=Level.L3, person_id=person, face_at=now
            ),
            now=now,
        )
        for person in people
    ]


def _get(path: str, token: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


if __name__ == "__main__":
    main()
