"""Checkpoints and proofs as texts: those of others are read, those of nobody are refused."""

from __future__ import annotations

import base64
import struct
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from haiyiban.audit import entries, notes, proofs
from haiyiban.audit.merkle import Tree, leaf_hash
from haiyiban.audit.notes import Checkpoint, PublicKey, Signer, UntrustedCheckpoint
from haiyiban.audit.proofs import BadProof

SIGNER = Signer("haiyiban/460000/audit", bytes(range(32)))
ID, AT = UUID("019cc1ed-0000-7000-8000-000000000001"), datetime(2026, 11, 28, 5, 34, 47, 123456, tzinfo=UTC)


def entry(*columns: tuple[int, bytes | None]) -> bytes:
    """A record in PostgreSQL's binary form: types by number, as its documentation has them."""
    made = struct.pack(">i", len(columns))
    for type_, value in columns:
        made += struct.pack(">Ii", type_, -1 if value is None else len(value)) + (value or b"")
    return made + bytes(32)


FIELDS = struct.pack(">iiIii", 1, 0, 25, 2, 1) + b"\0\0\0\4form" + b"\0\0\0\6\xe5\xa7\x93\xe5\x90\x8d"
MICROSECONDS = (AT - datetime(2000, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
COLUMNS = [
    (21, b"\0\1"),
    (2950, ID.bytes),
    (1184, struct.pack(">q", MICROSECONDS)),
    (25, b"cases.read"),
    (25, b"done"),
    (25, b"staff"),
    (25, "海口市教育局".encode()),
    (2950, None),
    (2950, ID.bytes),
    (25, b"case"),
    (2950, ID.bytes),
    (1009, FIELDS),
    (25, b""),
]
ENTRY = entry(*COLUMNS)


def test_an_entry_is_read_without_postgresql() -> None:
    told = entries.read(ENTRY)
    assert list(told) == list(entries.NAMES[1])
    assert (told["id"], told["at"], told["actorUnit"]) == (ID, AT, "海口市教育局")
    assert (told["fields"], told["reason"], told["delegationId"]) == (["form", "姓名"], "", None)
    empty = [(1009, struct.pack(">iiI", 0, 0, 25)) if each == (1009, FIELDS) else each for each in COLUMNS]
    assert entries.read(entry(*empty))["fields"] == []


@pytest.mark.parametrize(
    "spoilt",
    [
        b"",
        ENTRY[:-1],
        ENTRY + b"x",
        entry(*COLUMNS[:-1]),
        entry((21, b"\0\2"), *COLUMNS[1:]),
        entry((23, b"\0\1"), *COLUMNS[1:]),
    ],
)
def test_an_entry_that_is_not_one_is_refused(spoilt: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of many kinds
        entries.read(spoilt)


def test_a_note_of_another_implementation_is_verified() -> None:
    """The example of Go's package golang.org/x/mod/sumdb/note."""
    key = PublicKey.read("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    text = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
    )
    line = (
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvq"
        "fqdngotpRZb6KE6RyyBwJnAM="
    )
    assert notes._is_signed(text, line, key)
    with pytest.raises(UntrustedCheckpoint):
        notes._is_signed(text + " ", line, key)


def test_a_key_is_read_as_it_is_written_and_not_when_it_is_spoilt() -> None:
    assert PublicKey.read(SIGNER.public.text + "\n") == SIGNER.public
    name, id_, encoded = SIGNER.public.text.split("+", 2)
    for spoilt in (f"{name}+00000000+{encoded}", f"{name}+{id_}", f"other+{id_}+{encoded}", "", "a+b+c"):
        with pytest.raises(ValueError):  # noqa: PT011 - of many kinds
            PublicKey.read(spoilt)


def test_a_checkpoint_is_read_as_it_was_signed() -> None:
    note = SIGNER.sign(3, b"\x07" * 32)
    assert notes.read(note, [SIGNER.public]) == Checkpoint("haiyiban/460000/audit", 3, b"\x07" * 32)
    assert note.split("\n")[:3] == ["haiyiban/460000/audit", "3", base64.b64encode(b"\x07" * 32).decode()]


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        ("\n3\n", "\n4\n"),
        ("\n3\n", "\n03\n"),
        ("460000/audit\n3", "460001/audit\n3"),
        ("BwcH", "BwcI"),
        ("— ", "- "),
    ],
)
def test_a_checkpoint_that_was_changed_is_refused(said: str, instead: str) -> None:
    note = SIGNER.sign(3, b"\x07" * 32)
    assert said in note
    with pytest.raises(UntrustedCheckpoint):
        notes.read(note.replace(said, instead, 1), [SIGNER.public])


def test_the_signature_of_another_key_counts_for_nothing() -> None:
    other = Signer("haiyiban/460000/audit", bytes(32))
    with pytest.raises(UntrustedCheckpoint, match="none of the known keys"):
        notes.read(other.sign(3, b"\x07" * 32), [SIGNER.public])
    assert notes.read(other.sign(3, b"\x07" * 32), [SIGNER.public, other.public]).size == 3


def test_a_signed_text_that_is_no_checkpoint_is_refused() -> None:
    for text in ("haiyiban/460000/audit\nthree\nBwcH\n", "haiyiban/460000/audit\n3\nBwcH\n", "x\n"):
        signature = SIGNER.public.id + SIGNER._private.sign(text.encode())
        note = f"{text}\n— {SIGNER.origin} {base64.b64encode(signature).decode()}\n"
        with pytest.raises(UntrustedCheckpoint, match="not a checkpoint"):
            notes.read(note, [SIGNER.public])


def proof() -> str:
    tree = Tree()
    tree.append([leaf_hash(b"first"), leaf_hash(ENTRY)])
    return proofs.write(ENTRY, 1, [leaf_hash(b"first")], SIGNER.sign(2, tree.root()))


def test_a_proof_shows_the_record_with_the_public_key_alone() -> None:
    proved = proofs.check(proof(), [SIGNER.public])
    assert (proved.number, proved.checkpoint.size) == (1, 2)
    assert proved.entry["action"] == "cases.read"
    assert proved.entry["at"] == AT


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace("index 1", "index 0"),
        lambda text: text.replace(base64.b64encode(ENTRY).decode(), base64.b64encode(ENTRY + b" ").decode()),
        lambda text: text.replace("tlog-proof@v1", "tlog-proof@v2"),
        lambda text: text.replace("\n2\n", "\n3\n"),
        lambda text: "\n".join(text.split("\n")[:3] + text.split("\n")[4:]),
        lambda text: text[:60],
        lambda text: "",
    ],
)
def test_a_proof_that_was_changed_shows_nothing(spoil) -> None:
    spoilt = spoil(proof())
    assert spoilt != proof()
    with pytest.raises(BadProof):
        proofs.check(spoilt, [SIGNER.public])
