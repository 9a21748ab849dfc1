"""What each process may do in the database: two roles, beside the owner who migrates.

Whoever breaks into the API must not be able to change what the audit says. So the API's role adds records and
reads them; the worker's also numbers them and signs (haiyiban.audit.sealing). Neither may change or delete a
record, a number or a checkpoint, empty a table, or alter one. All other tables are theirs to read and write.

The rights are brought to what is said here after every migration, so that new tables have theirs too.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from sqlalchemy import Connection, text

API: Final = "haiyiban_api"
WORKER: Final = "haiyiban_worker"
EVERYTHING: Final = "SELECT, INSERT, UPDATE, DELETE"
_READ, _ADD = "SELECT", "SELECT, INSERT"
_PSEUDONYMS: Final = "SELECT, INSERT, DELETE, UPDATE (retired_at)"

LIMITED: Final[Mapping[str, Mapping[str, str]]] = {
    "audit_record": {API: _ADD, WORKER: _ADD},
    # Deleting a person's pseudonym is how the person is erased from the audit; which it is nobody changes.
    "audit_subject": {API: _PSEUDONYMS, WORKER: _PSEUDONYMS},
    "audit_leaf": {API: _READ, WORKER: _ADD},
    "audit_tile": {API: _READ, WORKER: "SELECT, INSERT, UPDATE"},
    "audit_checkpoint": {API: _READ, WORKER: _ADD},
    "alembic_version": {API: _READ, WORKER: _READ},
}
"""Table → role → its rights, where they are fewer than EVERYTHING; of one column alone where one is named."""


def apply(connection: Connection) -> None:
    """Make the roles where we may, and give each that there is its rights, in the caller's transaction."""
    for role in (API, WORKER):
        connection.execute(text(_MAKE.format(role=role)))
        if connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}).first():
            for statement in _rights(role):
                connection.execute(text(statement))


async def logins(owner_url: str) -> dict[str, str]:
    """Let the two roles sign in with fresh passwords, on a server of our own. Role → its address."""
    connection = await asyncpg.connect(owner_url)
    addresses = {}
    try:
        for role in (API, WORKER):
            password = secrets.token_urlsafe(24)
            # Neither can hold a quotation mark, and the statement takes no parameters.
            await connection.execute(f"ALTER ROLE {role} LOGIN PASSWORD '{password}'")
            parts = urlsplit(owner_url)
            addresses[role] = urlunsplit(
                parts._replace(netloc=f"{role}:{password}@{parts.hostname}:{parts.port}")
            )
    finally:
        await connection.close()
    return addresses


def _rights(role: str) -> Iterator[str]:
    yield f"GRANT USAGE ON SCHEMA public TO {role}"
    yield f"GRANT {EVERYTHING} ON ALL TABLES IN SCHEMA public TO {role}"
    yield f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}"
    for table, rights in LIMITED.items():
        yield f"REVOKE ALL ON {table} FROM {role}"
        yield f"GRANT {rights[role]} ON {table} TO {role}"


# Roles belong to the whole server: another database's migration may make them in the same moment. Where the
# owner may make none, somebody who may does it (docs/audit.md); the next migration gives them their rights.
_MAKE = """
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}')
    AND (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user)
  THEN
    CREATE ROLE {role} NOLOGIN;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
  NULL;
END $$
"""
