"""Fuzz each reader for a while, guided by the code that it reaches: `make fuzz`.

`python -m tests.fuzz NAME ...` fuzzes these alone; FUZZ_SECONDS is the time for each. Inputs that reached
something new are kept in .fuzz/NAME, and there the next run goes on. What breaks a promise is left in
.fuzz/NAME.broken and fails the run: mend it, and move the file to tests/fuzz/found/NAME, where every run of
the tests reads it again.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parents[2] / ".fuzz"
LONGEST_INPUT = 8192


class Done(NamedTuple):
    """What came of one target."""

    executions: int
    edges: int
    kept: int
    broken: list[Path]


def main() -> None:
    """One process after the other, for each target is a process of its own."""
    from tests.fuzz.targets import TARGETS

    seconds = int(os.environ.get("FUZZ_SECONDS", "60"))
    names = sys.argv[1:] or list(TARGETS)
    done = {name: _fuzz(name, seconds) for name in names}
    sys.stdout.write(f"{'target':<10}{'executions':>12}{'edges':>8}{'kept':>7}{'broken':>8}\n")
    for name, each in done.items():
        sys.stdout.write(
            f"{name:<10}{each.executions:>12,}{each.edges:>8,}{each.kept:>7,}{len(each.broken):>8}\n"
        )
    broken = [str(path) for each in done.values() for path in each.broken]
    if broken:
        sys.exit("these inputs break a promise:\n  " + "\n  ".join(broken))


def _fuzz(name: str, seconds: int) -> Done:
    corpus, broken = HERE / name, HERE / f"{name}.broken"
    corpus.mkdir(parents=True, exist_ok=True)
    broken.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "tests.fuzz", "--one", name, str(corpus), "-print_final_stats=1"]
    command += [f"-max_total_time={seconds}", f"-max_len={LONGEST_INPUT}", f"-artifact_prefix={broken}/"]
    command += ["-timeout=5", "-rss_limit_mb=2048"]
    found = subprocess.run(command, stderr=subprocess.PIPE, text=True, errors="replace", check=False)
    executions = re.search(r"stat::number_of_executed_units:\s*(\d+)", found.stderr)
    edges = re.findall(r"cov: (\d+)", found.stderr)
    if executions is None or not edges:
        sys.exit(found.stderr)
    left = sorted(broken.iterdir())
    if left:
        sys.stderr.write(found.stderr)
    return Done(int(executions[1]), int(edges[-1]), sum(1 for _ in corpus.iterdir()), left)


def _one(name: str, corpus: str, options: list[str]) -> None:
    """In the process of one target; the engine ends it."""
    import atheris

    with atheris.instrument_imports(include=["haiyiban", "jwt", "pyhanko"]):
        from tests.fuzz.targets import TARGETS

    target = TARGETS[name]
    for seed in target.seeds():
        (Path(corpus) / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    atheris.Setup([sys.argv[0], *options, corpus], target.read)
    atheris.Fuzz()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        _one(sys.argv[2], sys.argv[3], sys.argv[4:])
    else:
        main()
