"""`haiyiban up`: everything the platform needs, on one machine, from nothing but Python.

Started in the order of what needs what, stopped in the reverse order, nothing left behind. When this process
is killed the children end too (processes.py).
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from types import FrameType
from typing import Any

from rich.console import Console

from haiyiban import clock
from haiyiban.errors import Words
from haiyiban.runtime import neighbour, ports, processes, state_folder
from haiyiban.runtime.postgres import EmbeddedPostgres
from haiyiban.runtime.processes import Process
from haiyiban.runtime.readiness import wait_until_ready
from haiyiban.runtime.refusal import CannotStart
from haiyiban.runtime.telling import Steps, tell_arrival, tell_refusal
from haiyiban.runtime.valkey import EmbeddedValkey
from haiyiban.settings import InvalidSetting, Settings

_STEPS = 6
_RETURNS_MOST = 4
"""So often within _RETURNS_SECONDS a child is started again; then its fault is not a passing one."""
_RETURNS_SECONDS = 60


class Stopped(BaseException):
    """SIGINT, SIGTERM or SIGHUP came."""


def up(*, with_neighbour: bool = False) -> int:
    """Run the platform until it is stopped, where wanted with another province's beside it.

    0: as asked; 1: it could not start or go on, and said why."""
    console = Console()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, _stop)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup means it
        signal.signal(signal.SIGHUP, _stop)
    try:
        with ExitStack() as stack:
            children = _start(stack, console, with_neighbour=with_neighbour)
            watch(children, console)
    except Stopped:
        console.print("已停止。Stopped.")
        return 0
    except CannotStart as refusal:
        tell_refusal(console, refusal)
    except InvalidSetting as error:
        tell_refusal(console, CannotStart(Words(f"设置有误：{error}", str(error))))
    return 1


def _start(stack: ExitStack, console: Console, *, with_neighbour: bool) -> list[Process]:
    """Start everything in order; `stack` stops it in reverse. Returns the children to watch."""
    environ = dict(os.environ)
    environ.setdefault("HAIYIBAN_ENV", "demo")
    settings = Settings.from_env(environ)
    if settings.is_production:
        raise CannotStart(
            Words(
                "haiyiban up 用于演示和测试；生产环境请分别运行 haiyiban serve 和 haiyiban worker"
                "（见 deploy/）。",
                "haiyiban up is for demos and tests; in production run haiyiban serve and haiyiban worker "
                "(see deploy/).",
            )
        )
    home = state_folder.prepare(settings.home)
    environ["HAIYIBAN_HOME"] = str(home)
    stack.enter_context(state_folder.held(home / "up.lock"))
    state_folder.require_room(home)
    ports.require(settings.port, "HAIYIBAN_PORT")
    ports.require(settings.sandbox_port, "HAIYIBAN_SANDBOX_PORT")
    if with_neighbour:
        ports.require(neighbour.port_of(environ), "HAIYIBAN_NEIGHBOUR_PORT")
    demo_file = home / "demo.json"
    demo_file.unlink(missing_ok=True)
    stack.callback(demo_file.unlink, missing_ok=True)

    children: list[Process] = []
    logs = home / "logs"

    def run(name: str, *arguments: str, **more: str) -> Process:
        command = [sys.executable, "-m", *arguments]
        with processes.undisturbed():
            child = processes.start(name, command, log=logs / f"{name}.log", env=environ | more)
            children.append(stack.enter_context(child))
        return child

    steps = Steps(console, _STEPS + with_neighbour)
    with steps.shown():
        is_our_server = False
        with steps.step(Words("数据库", "PostgreSQL")):
            if not environ.get("DATABASE_URL"):
                postgres = stack.enter_context(EmbeddedPostgres(home))
                children.append(postgres.process)
                environ["DATABASE_URL"] = postgres.url
                is_our_server = True
        with steps.step(Words("缓存", "Valkey")):
            if not environ.get("REDIS_URL"):
                valkey = stack.enter_context(EmbeddedValkey(home))
                children.append(valkey.process)
                environ["REDIS_URL"] = valkey.url
        sandbox = run(
            "sandbox", "haiyiban_sandbox", "--port", str(settings.sandbox_port), "--home", str(home)
        )
        with steps.step(Words("表结构", "migrations")):
            # Every feature and zone comes with these: seconds that a refusal above need not wait for.
            from haiyiban.runtime import ceremony, demo, migrate, rights, seed

            _migrate(migrate.upgrade, environ["DATABASE_URL"])
            # With a server of somebody else's, who signs in as what is theirs to say (docs/audit.md).
            signing_in = asyncio.run(rights.logins(environ["DATABASE_URL"])) if is_our_server else {}
        with steps.step(Words("沙箱", "sandbox")):
            wait_until_ready(settings.sandbox_port, "/health", processes=[sandbox])
        servers = home / state_folder.SERVERS
        stack.callback(servers.unlink, missing_ok=True)
        addresses = {"databaseUrl": environ["DATABASE_URL"], "redisUrl": environ["REDIS_URL"]}
        state_folder.write_json(servers, addresses)
        os.environ.update(environ)
        settings = Settings.from_env(environ)
        clock.shift(settings.clock_offset)
        ceremony.play(settings, clock.now())
        with steps.step(Words("演示数据", "demo data")):
            asyncio.run(seed.plant(settings))
        with steps.step(Words("平台", "API and worker")):
            owner = environ["DATABASE_URL"]
            api = run("api", "haiyiban.cli", "serve", DATABASE_URL=signing_in.get(rights.API, owner))
            run("worker", "haiyiban.cli", "worker", DATABASE_URL=signing_in.get(rights.WORKER, owner))
            wait_until_ready(settings.port, "/health/ready", processes=[api, *children])
        beside: dict[str, Any] = {}
        if with_neighbour:
            with steps.step(Words("邻省平台", "another province")):
                started, beside = neighbour.start(stack, environ, home=home)
                children += started
    told = _where(settings) | asyncio.run(demo.describe(settings)) | beside
    state_folder.write_json(demo_file, told)
    tell_arrival(console, told, str(home))
    return children


def _migrate(upgrade: Callable[[str], None], url: str) -> None:
    try:
        upgrade(url)
    except OSError as error:
        raise CannotStart(
            Words(
                f"连不上 DATABASE_URL 指向的数据库（{error}）。"
                "请检查地址，或去掉 DATABASE_URL 使用内置数据库。",
                f"The database that DATABASE_URL names does not answer ({error}). "
                "Check the address, or unset DATABASE_URL to use the embedded one.",
            )
        ) from error


def _where(settings: Settings) -> dict[str, Any]:
    """What demo.json says of where to go."""
    api, sandbox = f"http://127.0.0.1:{settings.port}", f"http://127.0.0.1:{settings.sandbox_port}"
    return {"api": api, "sandbox": sandbox, "web": api}


def watch(children: list[Process], console: Console) -> None:
    """Until we are stopped. A child that ends by itself is started again, as a service manager would.

    Raises CannotStart, which says which, for one that keeps ending.
    """
    returns: dict[str, list[float]] = {}
    while True:
        for child in children:
            if child.has_ended:
                now = time.monotonic()
                recent = [at for at in returns.get(child.name, []) if now - at < _RETURNS_SECONDS]
                if len(recent) == _RETURNS_MOST:
                    child.require_running()
                console.print(
                    f"{child.name} 意外退出，正在重启。{child.name} ended by itself; starting it again."
                )
                # Longer each time: what a killed PostgreSQL leaves in memory needs a moment to go.
                time.sleep(len(recent))
                child.start_again()
                returns[child.name] = [*recent, time.monotonic()]
        time.sleep(0.2)


def _stop(*_: int | FrameType | None) -> None:
    """End what we are doing, once: stopping itself is not to be interrupted."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    raise Stopped
