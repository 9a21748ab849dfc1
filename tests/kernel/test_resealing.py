"""A new field key while everybody goes on working: old and new open, a stopped run goes on."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import subprocess
import sys
from typing import Any, cast
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import Table, Uuid, select

from haiyiban import clock, crypto, resealing
from haiyiban.cases.materials import stored
from haiyiban.crypto import FileKeys, KeyMissing, Vault
from haiyiban.db import Base, Database
from haiyiban.identity.models import Account
from haiyiban.resealing import Done
from haiyiban.runtime import field_keys
from haiyiban.sealed import Sealed, SealedJson, place
from haiyiban.settings import Settings
from tests import builders
from tests.kernel.cases.office import PROOF, Citizen
from tests.kernel.cases.test_materials import MATTER, hand_in, photo


@pytest.fixture
async def citizen(api: httpx.AsyncClient, sandbox: httpx.AsyncClient) -> Citizen:
    return await Citizen.signed_in(api, sandbox, builders.Somebody())


@pytest.fixture
def keys(settings: Settings) -> FileKeys:
    """The key folder of this run; earlier keys stay in it, for other tests have values of theirs in hand."""
    return FileKeys(settings.keys_dir)


def rotated(keys: FileKeys) -> bytes:
    """A key more, which this process knows of; others notice it by themselves."""
    kid = keys.rotate("field", not_before=clock.now())
    crypto.install(Vault(keys))
    return bytes.fromhex(kid)


async def resealed() -> list[Done]:
    told: list[Done] = []
    assert await resealing.reseal([stored], told.append) == 0
    return told


async def test_all_is_sealed_anew_and_reads_as_before(citizen: Citizen, keys: FileKeys) -> None:
    case = await citizen.draft(MATTER)
    file = (await hand_in(citizen, case, photo())).json()
    content = f"/cases/{case['id']}/files/{file['id']}"
    me = (await citizen.api.get("/me", headers=citizen.headers)).json()
    seen = await citizen.api.get(content, headers=citizen.headers)
    assert seen.status_code == 200, seen.text
    kid = rotated(keys)
    assert (await citizen.api.get("/me", headers=citizen.headers)).json() == me, "the old key still opens"
    assert (await resealing.stale())["identity_person"] >= 1
    told = await resealed()
    assert {"identity_person", "identity_account", "cases_case", "objects"} <= {each.what for each in told}
    assert await resealing.stale() == {}
    assert (await resealing.stale(kid))["cases_case"] >= 1
    assert (await citizen.api.get("/me", headers=citizen.headers)).json() == me
    assert (await citizen.get(case))["form"] == case["form"]
    assert (await citizen.api.get(content, headers=citizen.headers)).content == seen.content


async def test_what_is_written_while_it_runs_stays_written(citizen: Citizen, keys: FileKeys) -> None:
    case = await citizen.draft(PROOF)
    rotated(keys)

    async def write() -> Any:
        for purpose in ("school", "loan", "job", "other") * 6:
            changed = await citizen.patch(case, {"purpose": purpose})
            assert changed.status_code == 200, changed.text
        return (await citizen.get(case))["form"]["purpose"]

    last, _ = await asyncio.gather(write(), resealed())
    assert (await citizen.get(case))["form"]["purpose"] == last == "other"


async def test_a_run_that_was_stopped_goes_on(citizen: Citizen, keys: FileKeys) -> None:
    await citizen.draft(PROOF)
    rotated(keys)

    class Stopped(Exception):
        """Ctrl-C."""

    def stop(done: Done) -> None:
        raise Stopped

    before = sum((await resealing.stale()).values())
    with pytest.raises(Stopped):
        await resealing.reseal([stored], stop)
    assert 0 < sum((await resealing.stale()).values()) < before
    await resealed()
    assert await resealing.stale() == {}


async def test_every_sealed_column_is_bound_to_what_the_walk_says(app: object) -> None:
    # A table that no other test fills would be found out in production only.
    seen = set()
    for mapper in Base.registry.mappers:
        table = cast("Table", mapper.local_table)
        for name, sealed in vars(mapper.class_).items():
            if not isinstance(sealed, Sealed):
                continue
            ids = {column.name: uuid4() for column in table.columns if isinstance(column.type, Uuid)}
            row = mapper.class_()
            for column, value in ids.items():
                setattr(row, column, value)
            sealed.__set__(row, {"a": "text"} if isinstance(sealed, SealedJson) else "a text")
            bound = ids["id" if "id" in ids else next(iter(table.primary_key)).name]
            column = f"{name}_sealed"
            crypto.vault().open(getattr(row, column), where=place(table.name, column, bound))
            seen.add(table.name)
    assert {table.name for table in resealing.tables()} - seen == set()


def command(environ: dict[str, str], *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    given = [sys.executable, "-m", "haiyiban.cli", "keys", *words]
    return subprocess.run(
        given, env={**os.environ, **environ, **more}, capture_output=True, text=True, check=False
    )


async def test_what_does_not_open_keeps_nothing_else_from_its_new_key(
    citizen: Citizen,
    sandbox: httpx.AsyncClient,
    keys: FileKeys,
    database: Database,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await Citizen.signed_in(citizen.api, sandbox, builders.Somebody())
    await resealed()  # with what other tests left
    async with database.transaction() as session:
        one, other = (await session.scalars(select(Account).order_by(Account.id.desc()).limit(2))).all()
        phone, one.phone_sealed = one.phone_sealed, other.phone_sealed
    rotated(keys)
    try:
        assert await resealing.reseal([stored], lambda _: None) == 1
        assert await resealing.stale() == {"identity_account": 1}
        assert f"identity_account {one.id} is left" in caplog.text
    finally:
        async with database.transaction() as session:
            (await session.get_one(Account, one.id)).phone_sealed = phone
    await resealed()


def never_used(keys: FileKeys) -> str:
    """An earlier key that sealed nothing, for no process ever had it as its newest."""
    file = keys.folder / "field.json"
    entries = json.loads(file.read_bytes())
    kid = secrets.token_hex(4)
    partial = file.with_suffix(".test")
    partial.write_text(json.dumps([entries[0] | {"kid": kid}, *entries]))
    partial.replace(file)
    return kid


async def test_the_operator_rotates_reseals_and_retires(
    citizen: Citizen, keys: FileKeys, environ: dict[str, str]
) -> None:
    unused = never_used(keys)
    crypto.install(Vault(keys))
    [*_, old] = keys.secrets("field")
    await citizen.draft(PROOF)
    assert command(environ, "rotate", "field").returncode == 0
    later = {"HAIYIBAN_CLOCK_OFFSET": "600"}
    refused = await asyncio.to_thread(command, environ, "retire", old, **later)
    assert (refused.returncode, "cases_case" in refused.stderr) == (1, True), refused.stderr
    done = await asyncio.to_thread(command, environ, "reseal")
    assert (done.returncode, "全部已用新密钥加密" in done.stdout) == (0, True), done.stderr
    assert "cases_case" in done.stderr
    assert (await citizen.api.get("/me", headers=citizen.headers)).status_code == 200, "noticed by itself"
    retired = await asyncio.to_thread(command, environ, "retire", unused, **later)
    assert retired.returncode == 0, retired.stderr
    assert unused not in keys.secrets("field")


def test_no_key_is_retired_that_a_slow_process_may_still_seal_with(keys: FileKeys) -> None:
    [*_, old] = keys.secrets("field")
    keys.rotate("field", not_before=clock.now())
    with pytest.raises(field_keys.TooSoon):
        field_keys.retire(old)


def test_the_key_that_seals_is_not_retired(keys: FileKeys) -> None:
    [*_, newest] = keys.secrets("field")
    with pytest.raises(KeyMissing):
        keys.retire(newest)
