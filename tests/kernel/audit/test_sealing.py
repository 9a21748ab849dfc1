"""The sealer: everything once, in an order that nobody can come before, and whole after any crash."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from haiyiban import audit
from haiyiban.audit import leaves, notes, proofs, proving, sealing, seals
from haiyiban.audit.notes import PublicKey
from haiyiban.audit.sealing import LogDisagrees
from haiyiban.audit.seals import BrokenSeal, Seals
from haiyiban.audit.verifying import What
from haiyiban.crypto import FileKeys
from haiyiban.ids import new_id
from haiyiban.signatures import Suite
from haiyiban.sm import sm3
from tests.kernel.audit.conftest import Log


async def test_what_is_written_is_sealed_and_signed_apart(log: Log) -> None:
    await log.write(5)
    await log.seal()
    await log.write(3)
    await log.seal()
    await log.seal()
    assert [file.name for file in log.files()] == ["0000000000000005", "0000000000000008"]
    note = await log.owner.fetchval("SELECT note FROM audit_checkpoint ORDER BY size DESC LIMIT 1")
    assert notes.read(note, log.trusted).size == 8
    assert log.files()[-1].read_bytes().startswith(note.encode())
    verified = await log.verify()
    assert (verified.size, verified.waiting) == (8, 0)
    assert verified.root == notes.read(note, log.trusted).root


async def test_sealing_changes_no_record(log: Log) -> None:
    await log.write(4)
    before = await log.owner.fetch("SELECT *, xmin::text FROM audit_record ORDER BY id")
    await log.seal()
    assert await log.owner.fetch("SELECT *, xmin::text FROM audit_record ORDER BY id") == before


async def test_nothing_comes_before_what_is_sealed(log: Log) -> None:
    """A record of a transaction that began early and commits late waits, and so does all that came after."""
    async with log.database.transaction() as late:
        await audit.record(late, "cases.late")
        await log.write(2)
        await sealing.seal()
        assert await log.owner.fetchval("SELECT count(*) FROM audit_leaf") == 0
        assert (await log.verify()).waiting == 2
    await log.seal()
    numbered = "SELECT action FROM audit_leaf JOIN audit_record ON id = record_id ORDER BY seq"
    assert [row[0] for row in await log.owner.fetch(numbered)] == ["cases.late", "cases.read", "cases.read"]
    assert (await log.verify()).size == 3


async def test_a_record_of_a_transaction_that_failed_leaves_no_gap(log: Log) -> None:
    await log.write(1)
    async with log.database.transaction() as session:
        await audit.record(session, "cases.read")
        await session.rollback()
    await log.write(1)
    await log.seal()
    assert (await log.verify()).size == 2


async def test_records_of_before_the_log_are_sealed_too(log: Log) -> None:
    """The migration gave them all one transaction's number: they go in by their ids."""
    await log.write(6)
    await log.owner.execute("UPDATE audit_record SET xid = 1")
    await log.seal()
    numbered = await log.owner.fetch("SELECT record_id FROM audit_leaf ORDER BY seq")
    assert [row[0] for row in numbered] == sorted(row[0] for row in numbered)
    assert (await log.verify()).size == 6


async def test_of_two_sealers_at_once_one_seals(log: Log) -> None:
    await log.write(20)
    await log.settle()
    await asyncio.gather(*(sealing.seal() for _ in range(3)))
    assert len(log.files()) == 1
    assert (await log.verify()).size == 20


async def test_it_catches_up_in_batches(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "BATCH", 7)
    await log.write(20)
    await log.seal()
    assert [int(file.name) for file in log.files()] == [7, 14, 20]
    assert (await log.verify()).size == 20


@pytest.mark.parametrize("step", ["put", "_put_checkpoint"])
async def test_after_a_crash_between_two_steps_it_goes_on(
    log: Log, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    await log.write(3)
    await log.seal()
    await log.write(3)
    with monkeypatch.context() as broken:

        async def crash(*_: object) -> None:
            raise OSError("the power goes")

        broken.setattr(Seals if step == "put" else sealing, step, crash)
        with pytest.raises(OSError, match="the power goes"):
            await log.seal()
    await log.write(2)
    await log.seal()
    assert (await log.verify()).size == 8
    assert await log.owner.fetchval("SELECT max(size) FROM audit_checkpoint") == 8


async def test_a_copy_whose_transactions_count_anew_is_sealed_on(log: Log) -> None:
    """As after a restore from a dump into a new server."""
    await log.write(3)
    await log.owner.execute(
        "INSERT INTO audit_leaf SELECT row_number() OVER (ORDER BY id) - 1, id, 1 FROM audit_record"
    )
    # Sealed while its transactions were as high as that.
    await log.owner.execute("UPDATE audit_record SET xid = xid + 1000000000")
    for size in (3, 5, 7):
        await sealing.seal()
        for _ in range(200):
            if (await log.verify()).size == size:
                break
            await asyncio.sleep(0.05)
            await sealing.seal()
        await log.write(2)
    verified = await log.verify()
    assert (verified.size, verified.waiting) == (7, 2)


async def test_spoilt_tiles_are_made_again_from_the_seals(log: Log) -> None:
    """Else the next signature would be over what somebody put into the database."""
    await log.write(5)
    await log.seal()
    await log.owner.execute("UPDATE audit_tile SET hashes = decode(repeat('00', 160), 'hex')")
    await log.write(1)
    await log.seal()
    assert (await log.verify()).size == 6
    await log.owner.execute("TRUNCATE audit_tile")
    await log.write(1)
    await log.seal()
    assert (await log.verify()).size == 7


async def test_a_database_that_lost_its_end_is_not_sealed_on(log: Log) -> None:
    await log.write(5)
    await log.seal()
    await log.owner.execute("DELETE FROM audit_leaf WHERE seq >= 3")
    await log.owner.execute("DELETE FROM audit_checkpoint")
    with pytest.raises(LogDisagrees, match="5 records are sealed, and the database numbers 3"):
        await log.seal()


async def test_seals_that_lost_their_end_are_not_written_over(log: Log) -> None:
    await log.write(5)
    await log.seal()
    await log.write(1)
    await log.seal()
    log.files()[-1].unlink()
    with pytest.raises(LogDisagrees, match="6 records was signed"):
        await log.seal()
    log.files()[-1].write_bytes(b"nonsense")
    await log.owner.execute("DELETE FROM audit_checkpoint WHERE size = 6")
    with pytest.raises(BrokenSeal):
        await log.seal()


async def test_a_seal_is_never_written_twice(log: Log) -> None:
    await log.write(1)
    await log.seal()
    with pytest.raises(FileExistsError):
        await log.seals.put(1, "another", b"")


async def test_a_record_that_was_numbered_and_deleted_before_its_seal_is_missed(log: Log) -> None:
    await log.write(3)
    await log.owner.execute(
        "INSERT INTO audit_leaf SELECT row_number() OVER (ORDER BY id) - 1, id, 1 FROM audit_record"
    )
    await log.owner.execute("DELETE FROM audit_record WHERE id = $1", await log.record_id(1))
    with pytest.raises(LogDisagrees, match="record 1 "):
        await log.seal()


async def test_erasing_a_person_leaves_the_log_whole(log: Log) -> None:
    person = new_id()
    async with log.database.transaction() as session:
        await audit.enrol(session, person)
    await log.write(3, subject=person)
    assert await log.owner.fetchval("SELECT count(subject) FROM audit_record") == 3
    await log.seal()
    await log.owner.execute("DELETE FROM audit_subject WHERE person_id = $1", person)
    assert (await log.verify()).size == 3


async def test_the_keys_of_before_a_rotation_still_count(log: Log) -> None:
    await log.write(1)
    await log.seal()
    FileKeys(log.settings.keys_dir).rotate("checkpoint", not_before=datetime(2026, 1, 1, tzinfo=UTC))
    await log.write(1)
    await log.seal()
    assert len(log.trusted) == 2
    assert (await log.verify()).size == 2
    newest = log.files()[-1].read_bytes().partition(b"\0")[0].decode()
    assert notes.read(newest, log.trusted[1:]).size == 2


def test_a_seal_is_named_by_its_size_so_that_names_sort() -> None:
    assert seals._name(9) < seals._name(10) < seals._name(10**15)


@pytest.mark.parametrize("log", [Suite.NATIONAL], indirect=True, ids=["SM2 and SM3"])
async def test_a_log_of_the_national_suite_is_sealed_proved_and_checked_as_any(log: Log) -> None:
    await log.write(260)
    await log.seal()
    FileKeys(log.settings.keys_dir).rotate("checkpoint", not_before=datetime(2026, 1, 1, tzinfo=UTC))
    await log.write(3)
    await log.seal()
    assert [len(key.raw) for key in log.trusted] == [64, 64]
    found = await log.verify()
    entries = await leaves.read(log.owner, 0, 263, sm3)
    assert found.size == 263
    assert found.root == hashed([sm3(b"\0" + entry) for entry in entries if entry is not None])
    async with log.database.transaction() as session:
        sealed = await proving.sealed(session, await log.record_id(261))
    assert proofs.check(sealed.proof, log.trusted).number == 261
    with pytest.raises(proofs.BadProof):
        proofs.check(sealed.proof.replace("index 261", "index 260"), log.trusted)
    assert [PublicKey.read(key.text) for key in log.trusted] == log.trusted
    # Tiles that are lost are made again from the seals.
    await log.owner.execute("TRUNCATE audit_tile")
    await log.write(1)
    await log.seal()
    await log.owner.execute("UPDATE audit_record SET outcome = 'x' WHERE id = $1", await log.record_id(17))
    bad = await log.finds()
    assert (bad.what, bad.number) == (What.ALTERED, 17)


def hashed(leaves: list[bytes]) -> bytes:
    """The root as RFC 6962 §2.1 has it, by SM3."""
    if len(leaves) == 1:
        return leaves[0]
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return sm3(b"\1" + hashed(leaves[:half]) + hashed(leaves[half:]))
