"""Before a release only: write the migration of the coming release anew from the tables the code declares.

What was released before stays as it is; the file named here is the only one that is replaced. Alembic finds
tables, columns and keys; checks and partial indexes that changed, which it does not compare, are added here.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from alembic import command
from sqlalchemy import create_mock_engine
from sqlalchemy.dialects import postgresql

from haiyiban import resources
from haiyiban.db import Base
from haiyiban.runtime import migrate
from haiyiban.runtime.definitions import Definition, changed, definitions
from haiyiban.runtime.postgres import EmbeddedPostgres

REVISION, TITLE = "0003", "Codes and draws"
_FILE = "0003_codes_and_draws.py"
_END = "    # ### end Alembic commands ###\n"


def main() -> None:
    """Replace the last migration."""
    versions = resources.migrations() / "versions"
    # Two remakes at once would each read a folder that the other is writing.
    with (
        Path(tempfile.gettempdir(), "haiyiban-remake.lock").open("w") as lock,
        tempfile.TemporaryDirectory() as scratch,
    ):
        fcntl.flock(lock, fcntl.LOCK_EX)
        history = Path(scratch) / "migrations"
        shutil.copytree(versions.parent, history, ignore=shutil.ignore_patterns("__pycache__"))
        written = history / "versions" / _FILE
        written.unlink(missing_ok=True)
        with EmbeddedPostgres(Path(scratch) / "home", {"fsync": "off"}) as postgres:
            config = migrate.config(postgres.url)
            config.set_main_option("script_location", str(history))
            command.upgrade(config, "head")
            command.revision(config, message=TITLE, autogenerate=True, rev_id=REVISION)
            command.upgrade(config, "head")
            lines = list(_alterations(postgres.url))
        written.write_text(written.read_text().replace(_END, "".join(lines) + _END, 1))
        subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", str(written)], check=True)
        shutil.copy(written, versions / f".{_FILE}")
        (versions / f".{_FILE}").replace(versions / _FILE)
        (versions.parent / ".current-alembic-head").write_text(f"{REVISION}\n")


def _alterations(url: str) -> Iterator[str]:
    migrated = definitions(url)
    for there, declared in changed(migrated, declared_definitions(url)):
        if there:
            yield f"    op.execute({there.dropping!r})\n"
        if declared:
            yield f"    op.execute({declared.making!r})\n"


def declared_definitions(url: str) -> list[Definition]:
    """The checks and indexes that the code declares, as PostgreSQL itself writes them."""
    statements: list[str] = []
    engine = create_mock_engine(
        "postgresql+asyncpg://",
        lambda made, *_, **__: statements.append(str(made.compile(dialect=postgresql.dialect()))),  # type: ignore[no-untyped-call]
    )
    Base.metadata.create_all(engine, checkfirst=False)
    return definitions(url, making=statements)


if __name__ == "__main__":
    main()
