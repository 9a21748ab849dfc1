"""The TypeScript verifier is strictly typed, needs nothing but the platform, and is small and quick."""

from __future__ import annotations

import json
import re
import subprocess
import zlib
from pathlib import Path

from haiyiban.resources import schemas
from tests.web.node import NODE, Asking, installed
from tests.web.test_verifier_vectors import DOCUMENTS, asked

FOLDER = schemas() / "codes" / "verifier"
SOURCES = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.ts")}


def test_its_types_hold() -> None:
    compiler = installed(FOLDER) / "typescript" / "bin" / "tsc"
    done = subprocess.run([NODE, compiler, "--project", FOLDER], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_it_depends_on_nothing_when_it_runs() -> None:
    assert SOURCES
    package = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))
    assert "dependencies" not in package
    for name, source in SOURCES.items():
        for imported in re.findall(r'(?:from |import\()"([^"]+)"', source):
            assert imported.removeprefix("./") in SOURCES, f"{name} imports {imported}"
    assert "resolved" not in (FOLDER / "package-lock.json").read_text(encoding="utf-8")


def test_it_is_small_enough_for_a_phone() -> None:
    program = Path(__file__).with_name("strip_types.mjs")
    command = [NODE, "--no-warnings", program, FOLDER]
    stripped = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    plain = {
        name: re.sub(r"/\*.*?\*/|^\s+|\s+$", "", source, flags=re.DOTALL | re.MULTILINE)
        for name, source in stripped.items()
    }
    # Fetched when a list names a key of SM2, and not before.
    later = plain.pop("sm2.ts") + plain.pop("sm3.ts")
    assert not any('from "./sm2' in source for source in plain.values())
    assert len(zlib.compress("".join(plain.values()).encode(), 9)) < 10_000
    assert len(zlib.compress(later.encode(), 9)) < 2_500


def test_a_verification_takes_a_few_milliseconds_at_most(second_verifier: Asking) -> None:
    document = DOCUMENTS["valid"]
    code = next(case for case in document["cases"] if case["name"] == "certificate, form b")
    second_verifier.ask([asked(document, code)] * 20)
    best = min(second_verifier.ask([asked(document, code)] * 50)["ms"] for _ in range(3))
    assert best / 50 < 10
