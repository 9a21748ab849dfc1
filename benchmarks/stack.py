"""What a platform stands on while it is measured: a database and a Valkey of its own, migrated, with keys."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from haiyiban import clock
from haiyiban.runtime import ceremony, migrate
from haiyiban.runtime.postgres import EmbeddedPostgres
from haiyiban.runtime.valkey import EmbeddedValkey
from haiyiban.settings import Settings


class Stack(NamedTuple):
    """Where it is."""

    home: Path
    postgres: EmbeddedPostgres
    environ: dict[str, str]
    """The settings, which are this process's too."""


@contextmanager
def empty_stack(**more: str) -> Iterator[Stack]:
    """One that nobody has used; `more`: further settings."""
    with (
        tempfile.TemporaryDirectory(prefix="haiyiban-bench-") as folder,
        EmbeddedPostgres(Path(folder)) as postgres,
        EmbeddedValkey(Path(folder)) as valkey,
    ):
        environ = {
            "HAIYIBAN_ENV": "test",
            "HAIYIBAN_HOME": folder,
            "DATABASE_URL": postgres.url,
            "REDIS_URL": valkey.url,
            **more,
        }
        os.environ.update(environ)
        migrate.upgrade(postgres.url)
        ceremony.play(Settings.from_env(environ), clock.now())
        yield Stack(Path(folder), postgres, environ)
