"""Before the first release only: write the first migration anew from the tables that the code declares.

From the first release on, a change is a migration of its own: `alembic revision --autogenerate`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from alembic import command

from haiyiban import resources
from haiyiban.runtime import migrate
from haiyiban.runtime.postgres import EmbeddedPostgres

FIRST = "0002_first_light.py"


def main() -> None:
    """Replace migrations/versions/0002_first_light.py."""
    versions = resources.migrations() / "versions"
    (versions / FIRST).unlink(missing_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedPostgres(Path(folder), {"fsync": "off"}) as postgres,
    ):
        config = migrate.config(postgres.url)
        command.upgrade(config, "head")
        command.revision(config, message="First light", autogenerate=True, rev_id="0002")
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", str(versions / FIRST)], check=True)
    (versions / "0002_first_light.py").touch()


if __name__ == "__main__":
    main()
