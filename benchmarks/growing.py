"""What growth costs a process that serves: 19,723 more matters, 30 more zones, a second process.

An API process as `haiyiban serve` runs it is started as it is, with the matters of a made-up province, and
with zones that are generated; in turn. It is ready when /health/ready says so; processor time of the start
and memory are told after its first search. The first start with other matters compiles them and is told
apart. The processor time of a request is that of GETs which no cache answers. To reach: none grows by more
than 15 of 100; ready within 2 s, 150 MB; a second process costs 10 of 100 more a request at most.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx

import services
from benchmarks.processes import cpu_seconds, loading, pin, tree
from benchmarks.report import Outcome, Ratio, per_round
from benchmarks.stack import empty_stack
from haiyiban.matters import scale
from haiyiban.population import SIZES
from haiyiban.runtime import discovery, ports
from haiyiban.runtime.readiness import is_ready

MATTERS = SIZES["province"]
ZONES = 30
COUNT = 2_000
"""Requests of a round."""
ROUNDS = (1, 5)
"""Quick, full."""
GROWN_MOST, SECOND_MOST = 1.15, 1.1
SECONDS_MOST, MEGABYTES_MOST = 2.0, 150
SEARCH = "/api/v1/matters?q=%E7%A4%BE%E4%BF%9D"
PATHS = ("/api/v1/matters/education.school-place", "/api/v1/trust-list")
"""Whose answers do not grow with zones or matters."""
_ZONE = '''"""A made-up zone (示例专区), of which there are many."""

from datetime import date

from litestar import Controller, get
from litestar.params import FromQuery

from haiyiban.errors import Malformed, Words
from haiyiban.wire import Output, problems
from haiyiban.zone import Zone


class LoanRead{number}(Output):
    """A loan and its last day."""

    due_on: date


class Loans{number}(Controller):
    """Loans."""

    path = "/zones/{name}"
    tags = ["{name}"]

    @get("/loans", summary="When a loan is over", responses=problems(Malformed))
    async def loan(self, borrowed_on: FromQuery[date]) -> LoanRead{number}:
        """The day itself."""
        return LoanRead{number}(due_on=borrowed_on)

    @get("/loans/{{loan:int}}", summary="A loan", responses=problems(Malformed))
    async def one(self, loan: int) -> LoanRead{number}:
        """Some day."""
        return LoanRead{number}(due_on=date(2026, 1, 1 + loan % 28))


zone = Zone(name="{name}", title=Words("示例专区", "Example"), controllers=(Loans{number},))
'''


class Started(NamedTuple):
    """An API process that answers."""

    pid: int
    port: int
    seconds: float
    """Until it was ready, by the clock."""
    cpu_seconds: float
    """Until it had answered its first search."""
    megabytes: float
    """Resident then, of the process that serves."""


def measure(full: bool) -> Outcome:
    """Every form of the process in turn, round after round."""
    grown = f"{MATTERS.matters:,} more matters"
    with ExitStack() as stack:
        home, _, environ = stack.enter_context(
            empty_stack(BENCH_REQUESTS=json.dumps({"get": [f"{path}\r\nAccept: */*" for path in PATHS]}))
        )
        scale.write(home / "matters", MATTERS)
        forms = {
            "as it is": {},
            grown: {"HAIYIBAN_MATTERS": str(home / "matters")},
            f"{ZONES} more zones": {"PYTHONPATH": str(_with_zones(home / "zones"))},
        }
        rounds: dict[str, list[dict[str, float]]] = {form: [] for form in forms}
        bare, seconds = list[float](), list[float]()
        with serving(home, environ, core=0):
            pass  # the first one compiles bytecode
        with serving(home, environ | forms[grown], core=0) as started:
            compiling = started.cpu_seconds
        for _ in range(ROUNDS[full]):
            bare.append(_import_seconds())
            for form, more in forms.items():
                rounds[form].append(_round(home, environ | more))
            seconds.append(_second(home, environ))
    once = Ratio(
        name=f"first start with {grown}, CPU",
        against="each start after it",
        rounds=per_round([compiling] * len(bare), [each["cpuSeconds"] for each in rounds[grown]]),
        better="less",
        value=round(compiling, 2),
        unit="s CPU",
    )
    return Outcome((*_own(rounds["as it is"], bare), *_grown(rounds), once, _of_second(seconds)))


def _own(measured: list[dict[str, float]], bare: list[float]) -> Iterator[Ratio]:
    """The process as it is."""
    cpu = [each["cpuSeconds"] for each in measured]
    for name, most, unit in (("seconds", SECONDS_MOST, "s"), ("megabytes", MEGABYTES_MOST, "MB")):
        figures = [each[name] for each in measured]
        yield Ratio(
            name="start of an API process" if unit == "s" else "memory of an API process",
            against=f"{most:g} {unit}",
            rounds=tuple(round(each / most, 3) for each in figures),
            better="less",
            reach=1.0,
            value=round(statistics.median(figures), 2),
            unit=unit,
        )
    yield Ratio(
        name="start and first search of an API process, CPU",
        against="python -c 'import litestar'",
        rounds=per_round(cpu, bare),
        better="less",
        value=round(statistics.median(cpu), 2),
        unit="s CPU",
    )


def _grown(rounds: Mapping[str, list[dict[str, float]]]) -> Iterator[Ratio]:
    """What more matters and more zones change, each against the process as it is in the same round."""
    before = rounds["as it is"]
    for form, measured in rounds.items():
        if form == "as it is":
            continue
        for name, words, unit in (
            ("cpuSeconds", "start and first search, CPU", "s CPU"),
            ("megabytes", "memory", "MB"),
            ("cpuMicros", "a GET, CPU", "µs"),
        ):
            figures = [each[name] for each in measured]
            yield Ratio(
                name=f"{words}, with {form}",
                against="as it is",
                rounds=per_round(figures, [each[name] for each in before]),
                better="less",
                reach=GROWN_MOST,
                value=round(statistics.median(figures), 2),
                unit=unit,
            )


def _of_second(rounds: list[float]) -> Ratio:
    return Ratio(
        name="a GET, CPU, two API processes at once",
        against="one",
        rounds=tuple(round(each, 3) for each in rounds),
        better="less",
        reach=SECOND_MOST,
    )


def _round(home: Path, environ: Mapping[str, str]) -> dict[str, float]:
    """Start it, ask it, stop it."""
    with serving(home, environ, core=0) as started:
        zones = len(httpx.get(f"http://127.0.0.1:{started.port}/api/v1/zones").json()["items"])
        if zones != len(discovery.all_zones()) + ZONES * ("PYTHONPATH" in environ):
            raise RuntimeError(f"it serves {zones} zones")
        return {
            "seconds": started.seconds,
            "cpuSeconds": started.cpu_seconds,
            "megabytes": started.megabytes,
            "cpuMicros": _asked([started], environ),
        }


def _second(home: Path, environ: Mapping[str, str]) -> float:
    """CPU of a request of two processes at once, by that of one alone."""
    with serving(home, environ, core=0) as one, serving(home, environ, core=1) as other:
        alone = _asked([one], environ)
        return _asked([one, other], environ) / alone


def _asked(servers: list[Started], environ: Mapping[str, str]) -> float:
    """Microseconds of CPU for a request, all servers asked at once; the first requests warm up."""
    with ExitStack() as stack:
        loads = [
            stack.enter_context(
                loading("benchmarks.reads", "get", str(server.port), str(COUNT), environ=environ)
            )
            for server in servers
        ]
        for _ in range(2):
            before = sum(cpu_seconds(server.pid) for server in servers)
            for load in loads:
                assert load.stdin is not None
                load.stdin.write("go\n")
                load.stdin.flush()
            for load in loads:
                assert load.stdout is not None
                told = json.loads(load.stdout.readline())
                if told["seen"] != {"200": COUNT}:
                    raise RuntimeError(f"not every answer was good: {told['seen']}")
            used = sum(cpu_seconds(server.pid) for server in servers) - before
    return used / len(servers) / COUNT * 1e6


@contextmanager
def serving(home: Path, environ: Mapping[str, str], *, core: int) -> Iterator[Started]:
    """An API process from its command to its first good answer, pinned to a core from then on."""
    port = ports.any_free()
    command = [sys.executable, "-m", "haiyiban.cli", "serve"]
    environ = os.environ | environ | {"HAIYIBAN_PORT": str(port)}
    log = (home / "servers.log").open("ab")
    began = time.perf_counter()
    # Not in the checkout: there its `services` would come before any other.
    with log, subprocess.Popen(command, env=environ, cwd=home, stdout=log, stderr=log) as process:
        try:
            while not is_ready(port, "/health/ready"):
                if process.poll() is not None or time.perf_counter() - began > 120:
                    raise RuntimeError(f"it did not start: {(home / 'servers.log').read_text()[-2000:]}")
                time.sleep(0.01)
            seconds = time.perf_counter() - began
            pids = tree(process.pid)
            for pid in pids:
                pin(pid, core)
            httpx.get(f"http://127.0.0.1:{port}{SEARCH}", timeout=120).raise_for_status()
            used = cpu_seconds(process.pid)
            yield Started(process.pid, port, seconds, used, max(map(_megabytes, pids)))
        finally:
            process.terminate()
            process.wait(timeout=30)


def _with_zones(folder: Path) -> Path:
    """A folder to be looked at before the checkout: its `services` holds the real zones and further ones."""
    package = folder / "services"
    package.mkdir(parents=True)
    for each in Path(services.__file__).parent.iterdir():
        if each.name != "__pycache__":
            (package / each.name).symlink_to(each)
    for number in range(ZONES):
        zone = package / f"example_{number}"
        zone.mkdir()
        (zone / "__init__.py").write_text(_ZONE.format(number=number, name=f"example-{number}"))
    return folder


def _import_seconds() -> float:
    """CPU of an interpreter that imports the framework and ends."""
    with subprocess.Popen([sys.executable, "-c", "import litestar"]) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError("the framework cannot be imported")
    return used.ru_utime + used.ru_stime


def _megabytes(pid: int) -> float:
    """Resident memory of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024
