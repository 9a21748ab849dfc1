"""The sandbox's own database, one SQLite file that outlives restarts."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from haiyiban_sandbox.identity import RESIDENT, key_of
from haiyiban_sandbox.people import Child, Person, Resident

log = logging.getLogger(__name__)

VERSION = 5
TABLES = (
    "CREATE TABLE person (id_number TEXT PRIMARY KEY, record BLOB NOT NULL)",
    "CREATE TABLE parenthood (parent TEXT NOT NULL, child TEXT NOT NULL, PRIMARY KEY (parent, child))",
    "CREATE INDEX parenthood_child ON parenthood (child)",
    "CREATE TABLE demo_resident (id_number TEXT PRIMARY KEY, about TEXT NOT NULL)",
    "CREATE TABLE sms (number INTEGER PRIMARY KEY, message_id TEXT NOT NULL UNIQUE, phone TEXT NOT NULL,"
    " text TEXT NOT NULL, at TEXT NOT NULL)",
    "CREATE INDEX sms_phone ON sms (phone, number)",
    "CREATE TABLE fault (register TEXT PRIMARY KEY, mode TEXT NOT NULL, delay REAL NOT NULL, until REAL)",
    "CREATE TABLE face_session (id TEXT PRIMARY KEY, reference TEXT NOT NULL)",
    "CREATE TABLE document (key TEXT PRIMARY KEY, person TEXT NOT NULL)",
    "CREATE TABLE enterprise (credit_code TEXT PRIMARY KEY, record BLOB NOT NULL, about TEXT)",
    "CREATE TABLE parcel (number TEXT PRIMARY KEY, record BLOB NOT NULL)",
    "CREATE TABLE bank_account (number TEXT PRIMARY KEY, name TEXT NOT NULL, state TEXT NOT NULL)",
    "CREATE TABLE insurance_letter (id TEXT PRIMARY KEY, record BLOB NOT NULL)",
    "CREATE TABLE bank_message (message_id TEXT PRIMARY KEY, digest TEXT NOT NULL)",
    "CREATE TABLE bank_payment (end_to_end_id TEXT PRIMARY KEY, message_id TEXT NOT NULL,"
    " account TEXT NOT NULL, fen INTEGER NOT NULL, status TEXT NOT NULL, reason TEXT)",
    "CREATE INDEX bank_payment_message ON bank_payment (message_id)",
    "CREATE TABLE bank_entry (message_id TEXT NOT NULL, end_to_end_id TEXT NOT NULL, fen INTEGER NOT NULL,"
    " direction TEXT NOT NULL, at TEXT NOT NULL)",
    "CREATE INDEX bank_entry_message ON bank_entry (message_id)",
)
UNREADABLE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class Unreadable(Exception):
    """The file is damaged, or was written by another version of the sandbox."""


class Store:
    """People, birth links and what the other parts keep. Calls are short and never wait for the network,
    so they run directly on the event loop."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self.connection.execute(query, values).fetchall()

    def execute(self, statement: str, *values: object) -> None:
        self.connection.execute(statement, values)

    def add(self, resident: Resident) -> None:
        """Put a person into every register, replacing what was known under that identity number."""
        self._put(resident.facts())
        self.execute("DELETE FROM document WHERE person = ?", resident.key)
        for document in resident.documents or []:
            key = key_of(document.id_type, document.id_number)
            self.execute("INSERT OR REPLACE INTO document VALUES (?, ?)", key, resident.key)
        self.execute("DELETE FROM parenthood WHERE parent = ?", resident.key)
        for child in resident.children or []:
            self.execute("INSERT INTO parenthood VALUES (?, ?)", resident.key, child.id_number)
            self._put_child(child, parent=resident)

    def _put_child(self, child: Child, *, parent: Resident) -> None:
        known = self.person(child.id_number)
        if known is not None and known.phone is not None:
            return  # posted in their own right: a grandparent's post must not overwrite the parent's record
        hukou = child.hukou or parent.hukou
        self._put(Person(name=child.name, id_number=child.id_number, division=parent.division, hukou=hukou))

    def _put(self, person: Person) -> None:
        record = msgspec.json.encode(person)
        self.execute("INSERT OR REPLACE INTO person VALUES (?, ?)", person.key, record)

    def change(self, person: Person) -> None:
        """Replace what the registers know of a person, birth links apart."""
        self._put(person)

    def person(self, id_number: str, id_type: str = RESIDENT) -> Person | None:
        """Whom the registers keep under this document."""
        return self._keyed(key_of(id_type, id_number))

    def holder(self, id_number: str, id_type: str) -> Person | None:
        """Whose document it is, whether or not they are kept under it."""
        key = key_of(id_type, id_number)
        linked = self.rows("SELECT person FROM document WHERE key = ?", key)
        return self._keyed(linked[0][0] if linked else key)

    def _keyed(self, key: str) -> Person | None:
        found = self.rows("SELECT record FROM person WHERE id_number = ?", key)
        return msgspec.json.decode(found[0][0], type=Person) if found else None

    def children(self, person: Person) -> list[Person]:
        return self._people("child", "parent", person)

    def parents(self, person: Person) -> list[Person]:
        return self._people("parent", "child", person)

    def _people(self, wanted: str, given: str, person: Person) -> list[Person]:
        query = (
            f"SELECT record FROM parenthood JOIN person ON id_number = {wanted}"  # noqa: S608 (column names)
            f" WHERE {given} = ? ORDER BY parenthood.rowid"
        )
        return [msgspec.json.decode(record, type=Person) for (record,) in self.rows(query, person.key)]


def open_store(path: Path, *, now: datetime) -> tuple[Store, bool]:
    """The store, and whether it is new. An unreadable file is moved aside, said aloud, and begun afresh."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _connect(path)
    except Unreadable as error:
        aside = path.with_name(f"{path.name}.broken-{now:%Y%m%d%H%M%S%f}")
        for suffix in ("", "-wal", "-shm"):
            part = path.with_name(path.name + suffix)
            if part.exists():
                part.rename(aside.with_name(aside.name + suffix))
        log.warning("沙箱数据库不可用(%s)，已移到 %s，重新开始", error, aside)
        log.warning("sandbox database unusable (%s): moved to %s, starting over", error, aside)
        return _connect(path)


def _connect(path: Path) -> tuple[Store, bool]:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        ((integrity,),) = connection.execute("PRAGMA quick_check(1)").fetchall()
        if integrity != "ok":
            raise Unreadable("damaged")
        ((version,),) = connection.execute("PRAGMA user_version").fetchall()
        if version not in (0, VERSION):
            raise Unreadable(f"written by version {version}, this is version {VERSION}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
    except sqlite3.DatabaseError as error:
        connection.close()
        if error.sqlite_errorcode & 0xFF in UNREADABLE:
            raise Unreadable("damaged") from error
        raise
    except Unreadable:
        connection.close()
        raise
    return Store(connection), version == 0


def create_tables(store: Store) -> None:
    """Call inside the transaction that also loads the first data, so that a crash leaves an empty file."""
    for statement in TABLES:
        store.execute(statement)
    store.execute(f"PRAGMA user_version = {VERSION}")
