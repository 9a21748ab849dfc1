"""make pooler-drill: journeys through PgBouncer in transaction mode, set up by deploy/postgres/pgbouncer.ini.

    PGBOUNCER=/usr/sbin/pgbouncer python -m tests.pooling

Needs PgBouncer 1.21 or newer (Debian 13 has one). The API goes by way of it, which has four connections to
PostgreSQL, so that requests change connections all the time; the worker connects by itself, as it must.
"""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import click

from haiyiban.runtime import ports, processes
from haiyiban.runtime.postgres import EmbeddedPostgres

ROOT = Path(__file__).parents[1]
SETTINGS = ROOT / "deploy" / "postgres" / "pgbouncer.ini"
TESTS = (
    "tests/zones/duty_free/test_vouchers.py",
    "tests/kernel/codes/test_scenarios.py",
    "tests/kernel/cases/test_desk.py",
    "tests/runtime/test_idempotency.py",
    "tests/runtime/test_edge_settling.py",
)
LEAST = (1, 21)
CONNECTIONS = 4


@click.command()
@click.argument("tests", nargs=-1)
def main(tests: tuple[str, ...]) -> None:
    """Run the tests that are named, or a handful."""
    program = os.environ.get("PGBOUNCER") or shutil.which("pgbouncer")
    if program is None or _version(program) < LEAST:
        raise click.ClickException("PgBouncer 1.21 or newer is needed; PGBOUNCER names it")
    with tempfile.TemporaryDirectory(prefix="haiyiban-pooler-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with EmbeddedPostgres(folder, {"fsync": "off"}) as postgres:
            port = ports.any_free()
            command = [program, str(_settings(folder, postgres.url, port))]
            if os.geteuid() == 0:
                command[1:1] = ["--user", "nobody"]
            with processes.start("pgbouncer", command, log=folder / "pgbouncer.log") as pooler:
                done = subprocess.run(
                    [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *(tests or TESTS)],
                    cwd=ROOT,
                    env=os.environ | {"DATABASE_URL": postgres.url, "DATABASE_POOLER": f"127.0.0.1:{port}"},
                    check=False,
                )
                pooler.require_running()
                _say(folder / "pgbouncer.log")
    sys.exit(done.returncode)


def _settings(folder: Path, url: str, port: int) -> Path:
    """What we ship, at the addresses of this drill and without TLS, which loopback does not need."""
    told = configparser.ConfigParser(interpolation=None)
    told.read(SETTINGS)
    server = urlsplit(url)
    users = folder / "users.txt"
    users.write_text(f'"{server.username}" "{server.password}"\n')
    told["databases"] = {"*": f"host={server.hostname} port={server.port}"}
    told["pgbouncer"].update(
        {
            "listen_addr": "127.0.0.1",
            "listen_port": str(port),
            "auth_file": str(users),
            "default_pool_size": str(CONNECTIONS),
            "reserve_pool_size": "0",
            "log_connections": "1",
            "client_tls_sslmode": "disable",
        }
    )
    for name in ("client_tls_cert_file", "client_tls_key_file"):
        del told["pgbouncer"][name]
    path = folder / "pgbouncer.ini"
    with path.open("w") as file:
        told.write(file)
    for each in (users, path):
        each.chmod(0o644)
    return path


def _version(program: str) -> tuple[int, ...]:
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"PgBouncer (\d+)\.(\d+)", told)
    return tuple(map(int, found.groups())) if found else (0, 0)


def _say(log: Path) -> None:
    """How many connections the tests had, and how many PostgreSQL saw."""
    lines = log.read_text(errors="replace").splitlines()
    came = sum("login attempt" in line for line in lines)
    made = sum("new connection to server" in line for line in lines)
    click.echo(
        f"{came} connections to PgBouncer, {made} from it to PostgreSQL, at most {CONNECTIONS} at once"
    )


if __name__ == "__main__":
    main()
