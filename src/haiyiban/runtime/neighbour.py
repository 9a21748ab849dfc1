"""`haiyiban up --with-neighbour`: a second deployment, which plays another province.

It shares nothing with the first but the sandbox, which is the whole outside world: it has its own database,
cache, keys, trust root and port. Its matters are those of `schemas/provinces/<issuer>`. Messages between the
two go over HTTPS: before each stands a line of TLS, whose authority the agreement pins.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from haiyiban import clock
from haiyiban.errors import Words
from haiyiban.runtime import ports, processes
from haiyiban.runtime.postgres import EmbeddedPostgres
from haiyiban.runtime.processes import Process
from haiyiban.runtime.readiness import wait_until_ready
from haiyiban.runtime.refusal import CannotStart
from haiyiban.runtime.valkey import EmbeddedValkey
from haiyiban.settings import InvalidSetting, Settings

ISSUER = "440000"
_PORT = "8002"
_ZONES = "cross_province"
_SECONDS = 60


def port_of(environ: Mapping[str, str]) -> int:
    """Where the other platform answers. Raises InvalidSetting."""
    raw = environ.get("HAIYIBAN_NEIGHBOUR_PORT") or _PORT
    if not raw.isdecimal():
        raise InvalidSetting(f"HAIYIBAN_NEIGHBOUR_PORT is {raw!r}; it must be a number")
    return int(raw)


def start(
    stack: ExitStack, environ: Mapping[str, str], *, home: Path
) -> tuple[list[Process], dict[str, Any]]:
    """Start it, and have both sign and accept the agreement. `environ` is the first one's, which runs.

    Returns its processes and what demo.json says of it. Raises CannotStart.
    """
    # Every feature comes with these.
    from haiyiban.runtime import ceremony, migrate, rights

    folder = home / "neighbour"
    folder.mkdir(mode=0o700, exist_ok=True)
    port = port_of(environ)
    postgres = stack.enter_context(EmbeddedPostgres(folder))
    valkey = stack.enter_context(EmbeddedValkey(folder))
    theirs = {
        **environ,
        "HAIYIBAN_HOME": str(folder),
        "HAIYIBAN_ISSUER": ISSUER,
        "HAIYIBAN_PORT": str(port),
        "HAIYIBAN_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "HAIYIBAN_WEB_URL": f"http://127.0.0.1:{port}",
        "HAIYIBAN_ZONES": _ZONES,
        "DATABASE_URL": postgres.url,
        "REDIS_URL": valkey.url,
    }
    settings = Settings.from_env(theirs)
    migrate.upgrade(postgres.url)
    ceremony.play(settings, clock.now())
    # In a process of its own: what a province publishes is read once for each.
    _run(theirs, "seed")
    children = [postgres.process, valkey.process]
    signing_in = asyncio.run(rights.logins(postgres.url))
    for name, role in (("serve", rights.API), ("worker", rights.WORKER)):
        with processes.undisturbed():
            child = processes.start(
                f"neighbour-{name}",
                [sys.executable, "-m", "haiyiban.cli", name],
                log=folder / "logs" / f"{name}.log",
                env=theirs | {"DATABASE_URL": signing_in[role]},
            )
            children.append(stack.enter_context(child))
    wait_until_ready(port, "/health/ready", processes=children)
    origins = {}
    options: list[str] = []
    for name, target in (("platform", Settings.from_env(environ).port), ("neighbour", port)):
        child, origin, root = _line(stack, name, target, folder=folder, environ=theirs)
        children.append(child)
        origins[name] = origin
        options += ["--tls-root", str(root)]
    _run(
        environ,
        *("neighbours", "play", "--home", str(folder), "--division", ISSUER, *options),
        *("--own-origin", origins["platform"], "--origin", origins["neighbour"]),
        *("--database-url", postgres.url),
    )
    accounts = json.loads((folder / "demo" / "staff.json").read_bytes())
    at = {"api": settings.public_url, "web": settings.public_url}
    return children, {"neighbour": at | {"division": ISSUER, "accounts": accounts}}


def _line(
    stack: ExitStack, name: str, target: int, *, folder: Path, environ: Mapping[str, str]
) -> tuple[Process, str, Path]:
    """TLS before one of the two; its origin, and the authority to pin."""
    from haiyiban.runtime import tls_line

    tls = folder / "tls" / name
    root = tls_line.identity(tls, now=clock.now()).root
    port = ports.any_free()
    command = [sys.executable, "-m", "haiyiban.runtime.tls_line"]
    command += ["--port", str(port), "--target", str(target), "--folder", str(tls)]
    with processes.undisturbed():
        child = processes.start(
            f"line-{name}", command, log=folder / "logs" / f"line-{name}.log", env=dict(environ)
        )
        stack.enter_context(child)
    return child, f"https://127.0.0.1:{port}", root


def _run(environ: Mapping[str, str], *arguments: str) -> None:
    command = [sys.executable, "-m", "haiyiban.cli", *arguments]
    done = subprocess.run(
        command, env=dict(environ), capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    if done.returncode:
        raise CannotStart(
            Words(
                "邻省平台没有准备好，请看下列输出",
                "The other platform could not be prepared; it said",
            ),
            log_lines=(done.stdout + done.stderr)[-2000:],
        )
