"""A Chromium for the tests of pages, on any machine.

In this order: `$HAIYIBAN_CHROMIUM`; a browser that is installed; Playwright's own download, when its server
can be reached; the npm package `@sparticuz/chromium` (package.json beside this file), which carries a
headless Chromium and its libraries for Linux on x86-64, unpacked once into the user's cache. So a machine
that reaches PyPI and npm alone needs nothing else. Otherwise the tests fail and say what to install.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import noto_cjk_sans_otc

from tests.web.node import NODE, cache, installed

INSTALLED = ("/usr/bin/chromium", "/usr/bin/google-chrome", "/usr/bin/chromium-browser")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--in-process-gpu",
    "--disable-site-isolation-trials",
    "--disable-features=IsolateOrigins,site-per-process,Translate,OptimizationHints,MediaRouter",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
"""Nothing but this machine can be reached, whatever a page asks for."""

HELP = (
    "没有可用的 Chromium：请安装（Debian/Ubuntu: apt install chromium），"
    "或用 HAIYIBAN_CHROMIUM 指定它的路径。\n"
    "No Chromium: install one (Debian/Ubuntu: apt install chromium), or name its path in HAIYIBAN_CHROMIUM."
)
FOLDER = Path(__file__).parent


class Chromium(NamedTuple):
    """A program, and what it needs in its environment."""

    program: str
    environ: dict[str, str]


def find() -> Chromium:
    """A Chromium that can be started, with a font that has Chinese. Raises AssertionError with what to do.

    Without any font a Chromium ends at the first letter.
    """
    found = _any()
    return Chromium(found.program, {**found.environ, "FONTCONFIG_FILE": str(_fonts())})


def _any() -> Chromium:
    named = os.environ.get("HAIYIBAN_CHROMIUM")
    if named:
        assert Path(named).is_file(), f"HAIYIBAN_CHROMIUM names {named}, which does not exist"
        return Chromium(named, {})
    for program in INSTALLED:
        if Path(program).is_file():
            return Chromium(program, {})
    ready = _npm_folder()
    if (ready / "chromium").exists():
        return _of_npm(ready)
    downloaded = _by_playwright()
    if downloaded:
        return Chromium(downloaded, {})
    try:
        return _by_npm()
    except (AssertionError, OSError, subprocess.CalledProcessError) as error:
        raise AssertionError(f"{HELP}\n{error}") from error


def _fonts() -> Path:
    """A font set-up of one font, which comes with the project, so that pages look alike on every machine."""
    folder = cache() / "fonts"
    folder.mkdir(parents=True, exist_ok=True)
    written = (
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
        f"<dir>{Path(noto_cjk_sans_otc.__file__).parent}</dir><cachedir>{folder}</cachedir></fontconfig>"
    )
    file = folder / f"{sha256(written.encode()).hexdigest()[:16]}.conf"
    if not file.exists():
        file.write_text(written, encoding="utf-8")
    return file


def _npm_folder() -> Path:
    """Where the browser of the npm package is unpacked: another version, another folder."""
    lock = (FOLDER / "package-lock.json").read_bytes()
    return cache() / "chromium" / sha256(lock).hexdigest()[:16]


def _of_npm(folder: Path) -> Chromium:
    return Chromium(str(folder / "chromium"), {"LD_LIBRARY_PATH": str(folder / "lib")})


def _by_playwright() -> str | None:
    """Playwright's own browser; None where its server cannot be reached."""
    with suppress(subprocess.TimeoutExpired):
        subprocess.run(
            [sys.executable, "-m", "playwright", "install", "chromium-headless-shell"],
            capture_output=True,
            timeout=180,
            check=False,
        )
    folder = os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or str(Path.home() / ".cache" / "ms-playwright")
    found = sorted(Path(folder).glob("chromium_headless_shell-*/*/*headless*shell"))
    return str(found[-1]) if found else None


def _by_npm() -> Chromium:
    """The browser of the npm package, unpacked once: another process may be doing the same."""
    ready = _npm_folder()
    ready.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ready.parent) as name:
        unpacked = Path(name) / "unpacked"
        subprocess.run([NODE, FOLDER / "unpack_chromium.mjs", installed(FOLDER), unpacked], check=True)
        with suppress(OSError):  # the other process was faster
            unpacked.rename(ready)
    return _of_npm(ready)
