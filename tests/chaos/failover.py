"""make failover-drill: two PostgreSQL servers under Patroni, the primary killed while people are at it.

    python -m tests.chaos.failover --times 3

Needs Debian's packages patroni, etcd-server and postgresql, and root, to become the user postgres. The
standby is synchronous: what was acknowledged is on both disks. Each time the primary and its Patroni get
`kill -9`; once people are told things again, who was killed is started anew and follows. Nobody who was told
something may find it gone (checking.py); how long nothing could be written is said.

Where a second server is lost before the first is back, what was acknowledged in between may go with it;
`synchronous_mode_strict` takes no writes then instead.
"""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import random
import secrets
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import asyncpg
import click
import httpx

from haiyiban.runtime import ports, processes
from haiyiban.runtime.processes import Process
from haiyiban.runtime.start import running
from tests.chaos import checking
from tests.chaos.lines import Line
from tests.chaos.parts import started
from tests.chaos.people import living, made

DATABASE = "haiyiban"
READY_SECONDS = 90.0
PATIENCE = {
    "ttl": 20,
    "loop_wait": 5,
    "retry_timeout": 5,
    "maximum_lag_on_failover": 0,
    "synchronous_mode": True,
}
"""As deploy/postgres/patroni.yaml has it."""


@dataclass
class Node:
    """A PostgreSQL server and the Patroni that keeps it."""

    name: str
    folder: Path
    port: int
    rest: int
    patroni: Process

    def kill(self) -> None:
        """Both at once, as a power cut does."""
        self.patroni.popen.kill()
        postmaster = int((self.folder / "data" / "postmaster.pid").read_text().splitlines()[0])
        os.kill(postmaster, signal.SIGKILL)

    async def is_a(self, role: str) -> bool:
        """primary, or sync: the standby without which nothing is acknowledged."""
        async with httpx.AsyncClient(timeout=2, verify=False) as asking:
            try:
                return (await asking.get(f"http://127.0.0.1:{self.rest}/{role}")).is_success
            except httpx.TransportError:
                return False


@dataclass
class Cluster:
    """The two."""

    nodes: list[Node]
    password: str

    async def wait_for(self, role: str) -> Node:
        """The node that has the role. Raises AssertionError after a minute and a half."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            for node in self.nodes:
                if await node.is_a(role):
                    return node
            await asyncio.sleep(0.1)
        logs = "\n".join(node.patroni.log_lines(40) for node in self.nodes)
        raise AssertionError(f"no {role} within {READY_SECONDS} s\n{logs}")

    async def lead(self, line: Line) -> None:
        """Keep a line on the primary, as HAProxy does by the same question; for ever."""
        while True:
            for node in self.nodes:
                if node.port != line.target and await node.is_a("primary"):
                    line.target = node.port
                    line.cut()
            await asyncio.sleep(0.2)


@click.command()
@click.option("--times", default=3, help="How often the primary is killed.")
@click.option("--people", default=16, help="Who are about something at any moment.")
def main(times: int, people: int) -> None:
    """Run the drill in a folder of its own, and say what came out."""
    missing = [each for each in ("patroni", "etcd") if shutil.which(each) is None]
    if missing or os.geteuid():
        raise click.ClickException("apt-get install patroni etcd-server postgresql, then run it as root")
    with tempfile.TemporaryDirectory(prefix="haiyiban-failover-") as folder:
        Path(folder).chmod(0o755)
        told = asyncio.run(_run(Path(folder), times=times, people=people))
    click.echo(json.dumps(told, ensure_ascii=False, indent=2))
    if any(told["found"].values()):
        sys.exit(1)


async def _run(folder: Path, *, times: int, people: int) -> dict[str, Any]:
    dice = random.Random(1)
    with cluster(folder) as both:
        line = Line((await both.wait_for("primary")).port)
        await both.wait_for("sync")
        await line.start()
        leading = asyncio.create_task(both.lead(line))
        url = f"postgresql://haiyiban:{both.password}@127.0.0.1:{line.port}"
        admin = await asyncpg.connect(f"{url}/postgres")
        await admin.execute(f"CREATE DATABASE {DATABASE}")
        await admin.close()
        silence = []
        async with started(folder / "state", f"{url}/{DATABASE}") as parts, running(parts.settings):
            world = await made(parts.url, parts.sandbox_url, stock=200, seed=1)
            keeping = asyncio.create_task(parts.keep())
            async with living(world, people):
                for _ in range(times):
                    await asyncio.sleep(dice.uniform(5, 8))
                    primary = await both.wait_for("primary")
                    world.told.longest_silence = 0.0
                    primary.kill()
                    await asyncio.sleep(5)
                    world.told.heard.clear()
                    await world.told.heard.wait()
                    silence.append(round(world.told.longest_silence, 1))
                    primary.patroni.start_again()
                    await both.wait_for("sync")
            await checking.settled()
            keeping.cancel()
            found = await checking.check(world)
            if complaint := await asyncio.to_thread(checking.verify_audit):
                found.half_done.append(complaint)
            await world.api.aclose()
            await world.sandbox.aclose()
        leading.cancel()
        await line.stop()
    return {
        "killed": times,
        "writesBackAfterSeconds": {"median": statistics.median(silence), "longest": max(silence)},
        "acknowledged": dict(sorted(world.told.acknowledged.items())),
        "found": asdict(found),
    }


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """etcd and two nodes, the second of which copies the first."""
    owner = pwd.getpwnam("postgres").pw_uid
    password = secrets.token_hex(16)
    client, peer = ports.any_free(), ports.any_free()
    with ExitStack() as stack:
        etcd = ["etcd", "--data-dir", str(folder / "etcd"), "--unsafe-no-fsync"]
        for name, port in (("client", client), ("peer", peer)):
            etcd += [f"--listen-{name}-urls", f"http://127.0.0.1:{port}"]
        etcd += ["--advertise-client-urls", f"http://127.0.0.1:{client}"]
        etcd += ["--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}"]
        etcd += ["--initial-cluster", f"default=http://127.0.0.1:{peer}"]
        stack.enter_context(processes.start("etcd", etcd, log=folder / "logs" / "etcd.log"))
        nodes = []
        for name in ("one", "two"):
            home = folder / name
            home.mkdir(mode=0o700)
            port, rest = ports.any_free(), ports.any_free()
            said = _settings(name, home, port=port, rest=rest, etcd=client, password=password)
            # Patroni reads YAML, which JSON is.
            (home / "patroni.yml").write_text(json.dumps(said))
            for each in (home, home / "patroni.yml"):
                os.chown(each, owner, owner)
            patroni = processes.start(
                f"patroni-{name}",
                ["patroni", str(home / "patroni.yml")],
                log=folder / "logs" / f"{name}.log",
                user=owner,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(home)},
                patience_seconds=30,
            )
            nodes.append(Node(name, home, port, rest, stack.enter_context(patroni)))
            stack.callback(_end, home)
        yield Cluster(nodes, password)


def _end(home: Path) -> None:
    """A server whose Patroni was killed does not end by itself."""
    with suppress(OSError, ValueError, ProcessLookupError):
        os.kill(int((home / "data" / "postmaster.pid").read_text().splitlines()[0]), signal.SIGQUIT)


def _settings(name: str, home: Path, *, port: int, rest: int, etcd: int, password: str) -> dict[str, Any]:
    """What Patroni is told: fail over within the shortest time that it allows, lose nothing."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))[-1]
    return {
        "scope": "haiyiban",
        "name": name,
        "restapi": {"listen": f"127.0.0.1:{rest}", "connect_address": f"127.0.0.1:{rest}"},
        "etcd3": {"hosts": f"127.0.0.1:{etcd}"},
        "bootstrap": {
            "dcs": {
                **PATIENCE,
                "postgresql": {"use_pg_rewind": True, "parameters": {"max_connections": 100}},
            },
            "initdb": [{"encoding": "UTF8"}, {"locale": "C.UTF-8"}, "data-checksums"],
        },
        "postgresql": {
            "listen": f"127.0.0.1:{port}",
            "connect_address": f"127.0.0.1:{port}",
            "data_dir": str(home / "data"),
            "bin_dir": str(programs),
            "pgpass": str(home / "pgpass"),
            "authentication": {
                "superuser": {"username": "haiyiban", "password": password},
                "replication": {"username": "standby", "password": password},
            },
            "pg_hba": [
                "host all all 127.0.0.1/32 scram-sha-256",
                "host replication standby 127.0.0.1/32 scram-sha-256",
            ],
            "parameters": {"unix_socket_directories": str(home)},
        },
    }


if __name__ == "__main__":
    main()
