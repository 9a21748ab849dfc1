"""What hash partitions by person would give and take: the vouchers in one table, and in 16 and 32 parts.

The tables have the columns, checks and indexes of `duty_free_voucher` as the migrations make it. A unique key
without the person cannot be kept across parts, so there it is an index that finds and forbids nothing, and
the primary key gets the person beside the id. Everything is processor time of PostgreSQL, partitioned by
plain, in turn; less is better, and below 1 a part would pay.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import statistics
import tempfile
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg

from benchmarks.processes import cpu_seconds
from benchmarks.report import Outcome, Ratio, per_round
from haiyiban import clock
from haiyiban.runtime import migrate
from haiyiban.runtime.postgres import EmbeddedPostgres

ROWS = (300_000, 5_000_000)
"""Quick, full."""
PARTS = ((16,), (16, 32))
ROUNDS = (2, 1)
MODEL = "duty_free_voucher"
_READS, _BATCHES, _BATCH = 1_000, 50, 100
"""Single reads of a round; batches of a round, and rows of each, as claims and codes are batched."""
_CAMPAIGN = uuid.UUID(int=1)
_COLUMNS = (
    "id, ref, number, campaign_id, person_id, slot, request_key, claimed_at, day, valid_until,"
    " face_fen, threshold_fen, state"
)
_MADE = """
SELECT lpad(to_hex(n), 32, '0')::uuid, n, md5('number' || n), $1::uuid, md5('person' || n)::uuid, 1::bigint,
    sha256(n::text::bytea), $2::timestamptz, $3::date, $4::timestamptz,
    10000::bigint, 50000::bigint, 'claimed'
FROM generate_series(1, $5::bigint) AS n
"""
_OF_PERSON = "SELECT {columns} FROM {table} WHERE person_id = $1 ORDER BY id DESC LIMIT 20"
_BY_KEY = "SELECT id, number FROM {table} WHERE request_key = $1"
_SHOWN = """
SELECT v.ref, v.person_id, v.state, v.valid_until
FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS wanted (id, person_id, ord)
LEFT JOIN {table} v ON v.id = wanted.id AND v.person_id = wanted.person_id ORDER BY ord
"""
_CLAIM = """
INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE
SELECT id, ref, number, $5, person_id, 1, key, $6, $7, $8, 10000, 50000, 'claimed'
FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::bytea[]) AS new (id, ref, person_id, key),
    LATERAL (SELECT encode(key, 'hex')) AS of (number)
"""
_CHANGE = "UPDATE {table} SET state = 'redeemed' WHERE person_id = ANY($1::uuid[])"


class _Voucher(NamedTuple):
    """A row by its number, as `_MADE` makes it."""

    id: uuid.UUID
    ref: int
    person_id: uuid.UUID
    request_key: bytes

    @classmethod
    def of(cls, n: int) -> _Voucher:
        person = hashlib.md5(f"person{n}".encode(), usedforsecurity=False).digest()
        return cls(uuid.UUID(int=n), n, uuid.UUID(bytes=person), hashlib.sha256(str(n).encode()).digest())


def measure(full: bool) -> Outcome:
    """Both ways of keeping the same rows, on a server of their own."""
    with (
        tempfile.TemporaryDirectory(prefix="haiyiban-bench-") as folder,
        EmbeddedPostgres(Path(folder), {"autovacuum": "off", "max_wal_size": "4GB"}) as postgres,
    ):
        os.environ.update({"HAIYIBAN_ENV": "test", "HAIYIBAN_HOME": folder, "DATABASE_URL": postgres.url})
        migrate.upgrade(postgres.url)
        return asyncio.run(_measured(postgres, Path(folder), full=full))


async def _measured(postgres: EmbeddedPostgres, folder: Path, *, full: bool) -> Outcome:
    connection = await asyncpg.connect(postgres.url)
    # Workers end, and their processor time with them.
    await connection.execute("SET max_parallel_maintenance_workers = 0; SET maintenance_work_mem = '256MB'")
    rows, file = ROWS[full], folder / "rows"
    now = clock.now()
    times = (now, now.date(), now + timedelta(days=30))
    await connection.copy_from_query(_MADE, _CAMPAIGN, *times, rows, output=file, format="binary")
    tables = {"one_table": 0} | {f"in_{parts}": parts for parts in PARTS[full]}
    bench = _Bench(connection, postgres.process.popen.pid, rows, times)
    for table, parts in tables.items():
        await bench.fill(table, parts, file)
    for round_ in range(ROUNDS[full]):
        for table, parts in tables.items():
            await bench.use(table, parts, random.Random(round_))
    await connection.close()
    return Outcome(
        tuple(
            Ratio(
                name=f"{what}, {parts} parts of {rows:,} vouchers",
                against="one table",
                rounds=per_round(bench.taken[table, what], bench.taken["one_table", what]),
                better="less",
                value=round(statistics.median(bench.taken[table, what]) * 1e6, 2),
                unit="µs CPU",
            )
            for table, parts in tables.items()
            if parts
            for what in (each for of, each in bench.taken if of == table and each != "VACUUM of the others")
        )
    )


class _Bench:
    """The tables on one connection, and what was taken: seconds of PostgreSQL's processor for one of each."""

    def __init__(
        self, connection: asyncpg.Connection[Any], pid: int, rows: int, times: Sequence[date]
    ) -> None:
        self._connection = connection
        self._pid = pid
        self._rows = rows
        self._times = times
        self._new: dict[str, int] = {}
        self.taken: dict[tuple[str, str], list[float]] = {}

    async def fill(self, table: str, parts: int, file: Path) -> None:
        """Make a table, send the rows, build the indexes."""
        run = self._connection.execute
        await run(
            f"CREATE TABLE {table} (LIKE {MODEL} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING IDENTITY)"
            + (" PARTITION BY HASH (person_id)" if parts else "")
        )
        for part in range(parts):
            await run(
                f"CREATE TABLE {table}_{part} PARTITION OF {table}"
                f" FOR VALUES WITH (MODULUS {parts}, REMAINDER {part})"
            )

        async def send() -> None:
            columns = _COLUMNS.split(", ")
            await self._connection.copy_to_table(table, source=file, columns=columns, format="binary")

        async def build() -> None:
            for statement in await self._indexes(table, is_parted=bool(parts)):
                await run(statement)

        await self._take(table, "COPY a row", send, self._rows)
        await self._take(table, "build the indexes of a row", build, self._rows)
        await run(f"VACUUM ANALYZE {table}")
        self._new[table] = self._rows

    async def use(self, table: str, parts: int, chance: random.Random) -> None:
        """A round of everything that is done with it."""
        vouchers = [_Voucher.of(chance.randint(1, self._rows)) for _ in range(_READS)]
        batches = [
            [_Voucher.of(chance.randint(1, self._rows)) for _ in range(_BATCH)] for _ in range(_BATCHES)
        ]

        async def reads(statement: str, keys: Sequence[Any]) -> None:
            prepared = await self._connection.prepare(statement.format(table=table, columns=_COLUMNS))
            for key in keys:
                if len(await prepared.fetch(key)) != 1:
                    raise RuntimeError("a voucher was not found")

        async def shown() -> None:
            prepared = await self._connection.prepare(_SHOWN.format(table=table))
            for batch in batches:
                await prepared.fetch([each.id for each in batch], [each.person_id for each in batch])

        async def claim() -> None:
            prepared = await self._connection.prepare(_CLAIM.format(table=table, columns=_COLUMNS))
            for _ in range(_BATCHES):
                first = self._new[table] + 1
                self._new[table] += _BATCH
                made = zip(*(_Voucher.of(n) for n in range(first, first + _BATCH)), strict=True)
                await prepared.fetch(*map(list, made), _CAMPAIGN, *self._times)

        async def change() -> None:
            people = [
                _Voucher.of(n).person_id for n in chance.sample(range(1, self._rows), self._rows // 100)
            ]
            await self._connection.execute(_CHANGE.format(table=table), people)

        async def vacuum(tables: Sequence[str]) -> None:
            for each in tables:
                await self._connection.execute(f"VACUUM (PARALLEL 0) {each}")

        people, keys = ([each[at] for each in vouchers] for at in (2, 3))
        await self._take(table, "read a person's", lambda: reads(_OF_PERSON, people), _READS)
        await self._take(table, "read by another key", lambda: reads(_BY_KEY, keys), _READS)
        await self._take(table, "read one of a batch by id and person", shown, _BATCHES * _BATCH)
        await self._take(table, "claim one of a batch", claim, _BATCHES * _BATCH)
        await self._take(table, "change one of a hundredth", change, self._rows // 100)
        first, *others = [f"{table}_{part}" for part in range(parts)] or [table]
        one = await self._take(table, "VACUUM after it, one part", lambda: vacuum([first]), 1)
        rest = await self._take(table, "VACUUM of the others", lambda: vacuum(others), 1)
        self.taken.setdefault((table, "VACUUM after it, all parts"), []).append(one + rest)

    async def _indexes(self, table: str, *, is_parted: bool) -> list[str]:
        """Those of the model, made so that the table can have them."""
        found = await self._connection.fetch(
            "SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS made, indisunique"
            " FROM pg_index WHERE indrelid = $1::text::regclass ORDER BY 1",
            MODEL,
        )
        statements = []
        for at, (name, made, is_unique) in enumerate(found):
            statement = made.replace(name, f"{table}_index_{at}", 1).replace(MODEL, table)
            if is_parted:
                statement = statement.replace("(id)", "(id, person_id)")
            if is_parted and is_unique and "person_id" not in statement:
                statement = statement.replace("CREATE UNIQUE", "CREATE")
            statements.append(statement)
        return statements

    async def _take(self, table: str, what: str, work: Callable[[], Awaitable[None]], count: int) -> float:
        """Do it, and note what one of so many took."""
        await self._connection.execute("CHECKPOINT")
        before = cpu_seconds(self._pid)
        await work()
        seconds = (cpu_seconds(self._pid) - before) / count
        self.taken.setdefault((table, what), []).append(seconds)
        return seconds
