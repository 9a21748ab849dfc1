"""Whatever is done to the records, the seals or the checkpoints is found, and the first bad one is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import Result
from sqlalchemy import Table

from haiyiban import audit
from haiyiban.audit import leaves, notes, sealing, verifying
from haiyiban.audit.commands import audit as command
from haiyiban.audit.merkle import Tree, leaf_hash
from haiyiban.audit.models import AuditRecord
from haiyiban.audit.notes import Signer
from haiyiban.audit.verifying import Bad, What
from haiyiban.ids import new_id
from tests.command import run as run_command
from tests.kernel.audit.conftest import Log

COLUMNS = [column.name for column in cast("Table", AuditRecord.__table__).columns]
ANOTHER = {
    "UUID": "gen_random_uuid()",
    "TEXT": "'x'",
    "ARRAY": "array_append({0}, 'x')",
    "DATETIME": "{0} + interval '1 microsecond'",
    "BIG_INTEGER": "{0} - 1",
}
"""By the type of a column: another value for it."""


async def sealed(log: Log, *counts: int) -> None:
    """A log of so many records in each seal."""
    person = new_id()
    async with log.database.transaction() as session:
        await audit.enrol(session, person)
    for count in counts:
        await log.write(count, subject=person, reason="education.school-place")
        await log.seal()
    assert (await log.verify()).size == sum(counts)


def test_an_entry_holds_every_column() -> None:
    """A column added later needs a new version of the entry, else it could be changed unseen."""
    assert leaves.columns() == set(COLUMNS)


@pytest.mark.parametrize("column", COLUMNS)
async def test_an_edit_of_any_column_is_found(log: Log, column: str) -> None:
    await sealed(log, 4, 3)
    id_ = await log.record_id(5)
    type_ = cast("Table", AuditRecord.__table__).columns[column].type
    value = ANOTHER[type_.__visit_name__.upper()].format(column)
    await log.owner.execute(f"UPDATE audit_record SET {column} = {value} WHERE id = $1", id_)
    bad = await log.finds()
    assert (bad.what, bad.number) == (What.MISSING if column == "id" else What.ALTERED, 5)
    assert bad.record_id == id_
    assert "第 5 号记录" in bad.words.zh


@pytest.mark.parametrize(("column", "value"), [("reason", "NULL"), ("reason", "''"), ("fields", "'{form}'")])
async def test_null_empty_and_less_are_not_the_same(log: Log, column: str, value: str) -> None:
    await sealed(log, 3)
    await log.owner.execute(
        f"UPDATE audit_record SET {column} = {value} WHERE id = $1", await log.record_id(0)
    )
    assert (await log.finds()).number == 0


@pytest.mark.parametrize("number", [0, 3, 6])
@pytest.mark.parametrize("also", ["", "leaf", "renumber"])
async def test_a_deletion_is_found(log: Log, number: int, also: str) -> None:
    """The first, one in the middle, the last; the number too; and those behind moved up."""
    await sealed(log, 4, 3)
    id_ = await log.record_id(number)
    await log.owner.execute("DELETE FROM audit_record WHERE id = $1", id_)
    if also:
        await log.owner.execute("DELETE FROM audit_leaf WHERE seq = $1", number)
    if also == "renumber":
        await log.owner.execute("UPDATE audit_leaf SET seq = -seq WHERE seq > $1", number)
        await log.owner.execute("UPDATE audit_leaf SET seq = -seq - 1 WHERE seq < 0")
    bad = await log.finds()
    assert (bad.what, bad.number) == (What.MISSING, number)
    if not also:
        assert bad.record_id == id_


@pytest.mark.parametrize(("one", "other"), [(2, 3), (0, 6)])
async def test_a_swap_is_found(log: Log, one: int, other: int) -> None:
    await sealed(log, 4, 3)
    first, second = await log.record_id(one), await log.record_id(other)
    await log.owner.execute("DELETE FROM audit_leaf WHERE seq IN ($1, $2)", one, other)
    await log.owner.execute(
        "INSERT INTO audit_leaf VALUES ($1, $2, 1), ($3, $4, 1)", one, second, other, first
    )
    bad = await log.finds()
    assert (bad.what, bad.number) == (What.MOVED, one)
    assert f"{other} 号" in bad.words.zh


async def _insert(log: Log, *, like: int) -> Any:
    """A record that looks as if it were written just after another."""
    id_, model = new_id(), await log.record_id(like)
    await log.owner.execute(f"CREATE TEMP TABLE forged AS SELECT * FROM audit_record WHERE id = '{model}'")
    await log.owner.execute("UPDATE forged SET id = $1, action = 'cases.forged'", id_)
    await log.owner.execute("INSERT INTO audit_record SELECT * FROM forged")
    await log.owner.execute("DROP TABLE forged")
    return id_


async def test_an_insertion_in_the_midst_is_found(log: Log) -> None:
    await sealed(log, 4, 3)
    id_ = await _insert(log, like=2)
    bad = await log.finds()
    assert (bad.what, bad.record_id) == (What.ADDED, id_)
    await log.seal()
    assert (await log.finds()).record_id == id_, "the sealer does not take it in as if it were new"


async def test_an_insertion_with_the_others_renumbered_is_found(log: Log) -> None:
    await sealed(log, 4, 3)
    id_ = await _insert(log, like=2)
    await log.owner.execute("UPDATE audit_leaf SET seq = -seq WHERE seq >= 3")
    await log.owner.execute("UPDATE audit_leaf SET seq = -seq + 1 WHERE seq < 0")
    await log.owner.execute("INSERT INTO audit_leaf VALUES (3, $1, 1)", id_)
    bad = await log.finds()
    assert (bad.what, bad.number, bad.record_id) == (What.ADDED, 3, id_)


async def recompute(log: Log) -> None:
    """Make the database's tiles fit its records, as somebody would who has the database alone."""
    tree = Tree()
    count = await log.owner.fetchval("SELECT count(*) FROM audit_leaf")
    entries = await leaves.read(log.owner, 0, count)
    await log.owner.execute("TRUNCATE audit_tile")
    await sealing._put_tiles(log.owner, tree.append([leaf_hash(each) for each in entries if each]))
    await log.owner.execute("DELETE FROM audit_checkpoint WHERE size > $1", count)


async def test_a_truncation_is_found_though_everything_was_recomputed(log: Log) -> None:
    await sealed(log, 4, 3)
    lost = await log.record_id(4)
    for statement in (
        "DELETE FROM audit_record WHERE id IN (SELECT record_id FROM audit_leaf WHERE seq >= 4)",
        "DELETE FROM audit_leaf WHERE seq >= 4",
    ):
        await log.owner.execute(statement)
    await recompute(log)
    bad = await log.finds()
    assert (bad.what, bad.number) == (What.MISSING, 4)
    assert lost != bad.record_id
    with pytest.raises(sealing.LogDisagrees):
        await log.seal()


async def test_an_edit_is_named_though_everything_was_recomputed(log: Log) -> None:
    await sealed(log, 4, 3)
    await log.owner.execute(
        "UPDATE audit_record SET outcome = 'refused' WHERE id = $1", await log.record_id(2)
    )
    await recompute(log)
    bad = await log.finds()
    assert (bad.what, bad.number) == (What.ALTERED, 2)


async def test_the_first_bad_record_is_named_and_not_a_later_one(log: Log, monkeypatch) -> None:
    monkeypatch.setattr(verifying, "RANGE", 3)
    await sealed(log, 4, 4, 4)
    await log.owner.execute("DELETE FROM audit_record WHERE id = $1", await log.record_id(9))
    assert (await log.finds()).number == 9
    await log.owner.execute("UPDATE audit_record SET action = 'x' WHERE id = $1", await log.record_id(5))
    assert (await log.finds()).number == 5
    log.files()[2].unlink()
    assert ((await log.finds()).what, (await log.finds()).number) == (What.ALTERED, 5)


async def test_a_seal_that_was_changed_is_found(log: Log) -> None:
    await sealed(log, 4, 3, 2)
    file = log.files()[1]
    content = file.read_bytes()
    for spoilt in (
        content[:-1] + bytes([content[-1] ^ 1]),  # a hash
        content.replace(b"\n7\n", b"\n8\n"),  # the size
        content[:-32],  # one hash less
        content.partition(b"\0")[0] + b"\0",  # no hashes
        b"",
    ):
        file.write_bytes(spoilt)
        bad = await log.finds()
        assert (bad.what, bad.number) == (What.SEAL, 4)
    file.unlink()
    bad = await log.finds()
    assert (bad.what, bad.number) == (What.SEAL, 4)


async def test_a_checkpoint_that_another_key_signed_is_found(log: Log) -> None:
    """Database and seals rewritten, everything recomputed, but without the key."""
    await sealed(log, 4)
    await log.owner.execute("UPDATE audit_record SET action = 'x' WHERE id = $1", await log.record_id(1))
    entries = await leaves.read(log.owner, 0, 4)
    tree, hashes = Tree(), [leaf_hash(each) for each in entries if each is not None]
    tree.append(hashes)
    forger = Signer(log.trusted[0].name, bytes(32))
    log.files()[0].write_bytes(forger.sign(4, tree.root()).encode() + b"\0" + b"".join(hashes))
    assert (await log.finds()).what is What.SEAL


async def test_seals_that_end_before_what_was_signed_are_found(log: Log) -> None:
    await sealed(log, 4, 3)
    log.files()[-1].unlink()
    bad = await log.finds()
    assert (bad.what, bad.number) == (What.NOT_REACHED, 4)


async def test_whoever_kept_a_checkpoint_finds_a_history_made_anew_with_the_key(log: Log) -> None:
    """Database, seals and key in one hand: only what others hold tells."""
    await sealed(log, 4, 3)
    held = [notes.read(file.read_bytes().partition(b"\0")[0].decode(), log.trusted) for file in log.files()]
    await log.verify(held=held)
    for file in log.files():
        file.unlink()
    await log.owner.execute("UPDATE audit_record SET action = 'x' WHERE id = $1", await log.record_id(1))
    await log.owner.execute("TRUNCATE audit_leaf, audit_tile, audit_checkpoint")
    await log.seal()
    assert (await log.verify()).size == 7, "by itself it looks whole"
    with pytest.raises(Bad) as found:
        await log.verify(held=held[:1])
    assert (found.value.what, found.value.number) == (What.FORKED, 4)
    with pytest.raises(Bad) as found:
        await log.verify(held=[held[1]._replace(size=9)])
    assert found.value.what is What.NOT_REACHED


def run(*arguments: str) -> Result:
    return run_command(command, arguments)


async def test_the_command_says_that_the_log_is_whole(log: Log, tmp_path: Path) -> None:
    await sealed(log, 4, 3)
    await log.write(1)
    done = run("verify")
    assert done.exit_code == 0, done.output
    assert "审计日志完整：7 条记录" in done.output
    assert "另有 1 条等待封存" in done.output
    note = tmp_path / "kept"
    note.write_bytes(log.files()[0].read_bytes().partition(b"\0")[0])
    key = tmp_path / "key"
    key.write_text((run("key")).output)
    done = run("verify", "--json", "--checkpoint", str(note), "--key", str(key))
    assert json.loads(done.output)["good"]
    assert json.loads(done.output)["size"] == 7


async def test_the_command_names_the_first_bad_record(log: Log) -> None:
    await sealed(log, 4, 3)
    id_ = await log.record_id(2)
    await log.owner.execute("UPDATE audit_record SET action = 'x' WHERE id = $1", id_)
    done = run("verify")
    assert done.exit_code == 1
    assert f"第 2 号记录（{id_}）内容被改动" in done.output
    assert f"Record 2 ({id_}): was altered" in done.output
    told = json.loads((run("verify", "--json")).output)
    assert (told["good"], told["what"], told["number"], told["record"]) == (False, "altered", 2, str(id_))


async def test_the_command_says_when_it_cannot_check(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "")
    done = run("verify")
    assert done.exit_code == 2
    assert "DATABASE_URL" in done.output
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody:x@127.0.0.1:9/none")
    assert (run("verify")).exit_code == 2
