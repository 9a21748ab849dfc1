"""The monthly run of unemployment benefit: registers asked, payments made, files written for the bank.

The program's own task over people who are all due their first month, against the same rows of payments by one
executemany INSERT. Two sizes, a tenth and the whole, tell the growth: other people of one database, those
before having drawn all their months. To reach: growth n^1.1.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from uuid import UUID

import asyncpg
from sqlalchemy import func, select, text, update

from benchmarks import town
from benchmarks.processes import cpu_seconds
from benchmarks.report import Growth, Outcome, Ratio
from benchmarks.town import DIVISION, Town
from haiyiban import clock, registers
from haiyiban.cases.models import Case
from haiyiban.certificates.models import Certificate
from haiyiban.db import Base, Database
from haiyiban.ids import new_id
from haiyiban.matters import catalogue
from haiyiban.runtime.start import running
from haiyiban.settings import Settings
from services.unemployment.models import BankAccount, Batch, Grant, Payment
from services.unemployment.payments import rules, tasks
from services.unemployment.schedule import month_of

SIZES = ((200, 2_000), (10_000, 100_000))
"""Quick, full."""
AT_ONCE = 5_000
"""People written at once."""
MATTER = "employment.unemployment-benefit"
_INSERT = (
    "INSERT INTO bench (id, grant_id, number, attempt, month, amount_fen, state, made_at) "
    "SELECT $1, $2, $3, $4, $5, $6, $7, $8"
)


def measure(full: bool) -> Outcome:
    """Two sizes in one database."""
    sizes = SIZES[full]
    figures = _measured(sizes)
    largest = figures[sizes[-1]]
    return Outcome(
        (
            Ratio(
                name=f"pay {sizes[-1]:,} people a month's benefit, registers asked, bank files written",
                against="the same rows by executemany INSERT",
                rounds=(round(largest["insert"] / largest["run"], 5),),
                value=round(sizes[-1] / largest["run"], 1),
                unit="people/s",
                cpu_ratio=round(largest["insertCpu"] / largest["runCpu"], 5),
            ),
        ),
        (
            Growth(
                name="monthly benefit",
                unit="s CPU, application and PostgreSQL",
                work="people",
                sizes=sizes,
                costs=tuple(round(each["runCpu"], 3) for each in figures.values()),
                reach=1.1,
            ),
        ),
    )


def _measured(sizes: Sequence[int]) -> dict[int, dict[str, float]]:
    stopped = month_of(clock.today(), -2).isoformat()
    insurance = {"months": 70, "division": DIVISION, "stoppedOn": stopped}
    with town.running_town(sum(sizes), {"socialInsurance": insurance}) as place:
        return asyncio.run(_all(place, sizes))


async def _all(place: Town, sizes: Sequence[int]) -> dict[int, dict[str, float]]:
    figures: dict[int, dict[str, float]] = {}
    async with running(Settings.from_env()) as database:
        for people in sizes:
            print(f"pay {people:,} …", flush=True)
            await _settle(database, sum(figures), people)
            began, cpu = time.perf_counter(), cpu_seconds(place.postgres) + time.process_time()
            await tasks.pay_what_is_due(b"")
            run = {
                "run": time.perf_counter() - began,
                "runCpu": cpu_seconds(place.postgres) + time.process_time() - cpu,
            }
            await _check(database, sum(figures) + people)
            figures[people] = run | await _inserted(place, people)
        await registers.close()
    return figures


async def _settle(database: Database, first: int, people: int) -> None:
    """The people from `first` on, some at a time; those before draw nothing any more."""
    async with database.transaction() as session:
        await session.execute(update(Grant).values(used=Grant.months))
    for start in range(first, first + people, AT_ONCE):
        ids = await town.settle(database, min(AT_ONCE, first + people - start), first=start)
        for rows in _granted(ids, start):
            await town.write(database, rows)
    async with database.autocommit.connect() as connection:
        await connection.execute(text("VACUUM ANALYZE"))


async def _check(database: Database, people: int) -> None:
    """One payment for each, all of them in files."""
    async with database.reading() as session:
        paid = await session.scalar(
            select(func.count(Payment.grant_id.distinct())).where(Payment.state == "batched")
        )
        made = await session.scalar(select(func.count()).select_from(Payment))
        listed = await session.scalar(select(func.sum(Batch.count)))
    if not paid == made == listed == people:
        raise RuntimeError(f"{paid} paid, {made} payments, {listed} in files, of {people}")


async def _inserted(place: Town, people: int) -> dict[str, float]:
    """The same payments into a table like theirs, by the driver alone."""
    url = Settings.from_env().database_url.replace("postgresql+asyncpg://", "postgresql://", 1)
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            "DROP TABLE IF EXISTS bench; CREATE TABLE bench (LIKE unemployment_payment INCLUDING ALL)"
        )
        rows = [
            tuple(row)
            for row in await connection.fetch(
                "SELECT id, grant_id, number, attempt, month, amount_fen, 'due', made_at "
                "FROM unemployment_payment ORDER BY id DESC LIMIT $1",
                people,
            )
        ]
        began, cpu = time.perf_counter(), cpu_seconds(place.postgres) + time.process_time()
        await connection.executemany(_INSERT, rows)
        return {
            "insert": time.perf_counter() - began,
            "insertCpu": cpu_seconds(place.postgres) + time.process_time() - cpu,
        }
    finally:
        await connection.close()


def _granted(people: Sequence[UUID], first: int) -> list[list[Base]]:
    """Of each person the approved case, its certificate, the grant with its first month due, the account."""
    now, today = clock.now(), clock.today()
    # Paid from the 5th on; today may be before it.
    starts_on = month_of(today, -(today.day < rules.RUN_DAY))
    version = catalogue().get(MATTER).version
    cases: list[Base] = []
    certificates: list[Base] = []
    grants: list[Base] = []
    accounts: list[Base] = []
    for number, person_id in enumerate(people, first):
        case = Case(
            id=new_id(),
            number=f"BENCH{number:08}",
            matter=MATTER,
            matter_version=version,
            state="approved",
            version=4,
            applicant_id=person_id,
            subject_id=person_id,
            agency="human-resources",
            division=DIVISION,
            prefill={},
            locked=[],
            created_at=now,
            updated_at=now,
            submitted_at=now,
        )
        case.form = {}
        certificate = _certificate(number, person_id, case.id)
        grant = Grant(
            id=new_id(),
            case_id=case.id,
            person_id=person_id,
            certificate_id=certificate.id,
            division=DIVISION,
            paid_months=70,
            carried=0,
            months=18,
            used=0,
            starts_on=starts_on,
            granted_at=now,
        )
        account = BankAccount(person_id=person_id, id=new_id(), changed_at=now)
        account.number = _account_number(number)
        cases.append(case)
        certificates.append(certificate)
        grants.append(grant)
        accounts.append(account)
    return [cases, certificates, grants, accounts]


def _certificate(number: int, person_id: UUID, case_id: UUID) -> Certificate:
    now, today = clock.now(), clock.today()
    certificate = Certificate(
        id=new_id(),
        type="unemployment-benefit",
        type_version=1,
        serial=f"BENCH{number:08}",
        version=1,
        identifier=f"BENCH.{number:08}",
        holder_id=person_id,
        keeper_id=person_id,
        holder_masked="测*",
        case_id=case_id,
        agency="human-resources",
        division=DIVISION,
        issuer="示例机构",
        issuer_code="EX",
        issued_on=today,
        valid_from=today,
        status="valid",
        status_at=now,
        created_at=now,
    )
    certificate.claims = {}
    return certificate


def _account_number(number: int) -> str:
    body = f"622848{number:012}"
    return next(body + str(digit) for digit in range(10) if rules.is_account_number(body + str(digit)))
