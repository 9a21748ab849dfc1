"""No migration holds up who writes: each one after 0037 is read by squawk, as the SQL that it runs.

What it forbids, and how the same is done without a lock: docs/deploying.md "Expand, migrate, contract".
"""

from __future__ import annotations

import asyncio
import io
import json
import re
import shutil
import subprocess
import sysconfig
import types
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from alembic import command
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from haiyiban import resources
from haiyiban.runtime import migrate

SQUAWK = Path(sysconfig.get_path("scripts")) / "squawk"
LAST_UNREAD = "0037"
"""Up to here no deployment had people yet."""
UNASKED = {"require-statement-timeout"}
"""What waits for no lock may take as long as it takes."""
ALLOWED: dict[str, set[str]] = {}
"""Revision → rules that it may break, such as the drop of what no release uses any more; with the reason."""
OURS = {
    "rows-in-a-migration": re.compile(r"^(UPDATE|DELETE FROM|MERGE)\b", re.MULTILINE | re.IGNORECASE),
    "lock-by-hand": re.compile(r"^(LOCK|CLUSTER|VACUUM|REINDEX)\b", re.MULTILINE | re.IGNORECASE),
}
"""What squawk does not look for: rows are locked until the end, so a task changes them a few at a time."""
HISTORY = ScriptDirectory.from_config(migrate.config(""))
READ = {
    revision.revision: revision for revision in HISTORY.walk_revisions() if revision.revision > LAST_UNREAD
}

CONCURRENTLY = '''
"""An index of a large table, made while people write to it"""
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "9999", "{head}", None, None

def upgrade():
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("cases_case", sa.Column("tried", sa.Text()))
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = '15min'")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_cases_case_tried")
        op.create_index(
            "ix_cases_case_tried", "cases_case", ["tried"], postgresql_concurrently=True, if_not_exists=True
        )
        op.execute("SET lock_timeout = '5s'")
'''


def sql_of(module: Any) -> str:
    """What its upgrade says to PostgreSQL, in its transaction."""
    written = io.StringIO()
    options = {"as_sql": True, "output_buffer": written, "transaction_per_migration": True}
    context = MigrationContext.configure(dialect_name="postgresql", opts=options)
    with context.begin_transaction(), Operations.context(context):
        module.upgrade()
    return f"BEGIN;\n{written.getvalue()}\nCOMMIT;\n"


def broken(sql: str) -> set[str]:
    """The rules that a migration breaks."""
    done = subprocess.run(
        [SQUAWK, "--reporter", "json", "--pg-version", "15", "--stdin-filepath", "migration.sql"],
        input=sql,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stderr
    found = {each["rule_name"] for each in json.loads(done.stdout)}
    return (found | {rule for rule, said in OURS.items() if said.search(sql)}) - UNASKED


@pytest.mark.parametrize("revision", READ)
def test_a_migration_holds_up_nobody(revision: str) -> None:
    assert broken(sql_of(READ[revision].module)) <= ALLOWED.get(revision, set())


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("op.create_index('i', 'cases_case', ['state'])", "require-concurrent-index-creation"),
        ("op.alter_column('cases_case', 'state', nullable=False)", "adding-not-nullable-field"),
        ("op.alter_column('cases_case', 'version', type_=sa.Text())", "changing-column-type"),
        ("op.create_check_constraint('c', 'cases_case', 'version > 0')", "constraint-missing-not-valid"),
        (
            "op.create_foreign_key('f', 'cases_event', 'cases_case', ['case_id'], ['id'])",
            "adding-foreign-key-constraint",
        ),
        ("op.drop_column('cases_case', 'state')", "ban-drop-column"),
        ("op.drop_table('cases_case')", "ban-drop-table"),
        ("op.rename_table('cases_case', 'cases_file')", "renaming-table"),
        ("op.alter_column('cases_case', 'state', new_column_name='at')", "renaming-column"),
        ("op.execute('UPDATE cases_case SET version = 1')", "rows-in-a-migration"),
        ("op.execute('LOCK TABLE cases_case IN SHARE MODE')", "lock-by-hand"),
    ],
)
def test_what_would_hold_somebody_up_is_found(statement: str, rule: str) -> None:
    lines = ["op.execute(\"SET LOCAL lock_timeout = '5s'\")", statement]
    module = _module(
        "import sqlalchemy as sa\nfrom alembic import op\ndef upgrade():\n    " + "\n    ".join(lines)
    )
    assert rule in broken(sql_of(module))


def test_without_a_lock_timeout_it_is_found_too() -> None:
    module = _module(
        "from alembic import op\ndef upgrade():\n    op.execute('ALTER TABLE cases_case ADD a text')"
    )
    assert "require-lock-timeout" in broken(sql_of(module))


async def test_what_the_docs_show_is_let_through_and_runs(database_url: str, tmp_path: Path) -> None:
    """The whole history and then an index that is made outside of its transaction, while somebody writes."""
    history = tmp_path / "migrations"
    shutil.copytree(resources.migrations(), history)
    source = CONCURRENTLY.format(head=HISTORY.get_current_head())
    (history / "versions" / "9999_tried.py").write_text(source)
    assert broken(sql_of(_module(source))) == set()
    async with _database_beside(database_url) as url:
        settings = migrate.config(url)
        settings.set_main_option("script_location", str(history))
        settings.attributes["only_upgrades"] = True
        await asyncio.to_thread(command.upgrade, settings, "head")
        connection = await asyncpg.connect(url)
        try:
            made = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_cases_case_tried'::regclass"
            assert await connection.fetchval(made)
            assert await connection.fetchval("SELECT version_num FROM alembic_version") == "9999"
            held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 460000"
            assert await connection.fetchval(held) == 0
        finally:
            await connection.close()


@asynccontextmanager
async def _database_beside(url: str) -> AsyncIterator[str]:
    name = "haiyiban_tried_migrations"
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
        try:
            yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
        finally:
            await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await connection.close()


def _module(source: str) -> Any:
    module = types.ModuleType("migration")
    exec(source, module.__dict__)
    return module
