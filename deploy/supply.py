"""What this software is made of: lists (SBOM, CycloneDX) of its packages from Python and npm, and licences.

Usage: python deploy/supply.py, with the environment of deploy/supply.txt in .supply (make sbom). Writes
dist/sbom/python.cdx.json and web.cdx.json, and fails for a licence that deploy/licences.toml does not allow.
A package that is there for tests and builds alone has the scope `excluded`.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
INTO = ROOT / "dist" / "sbom"
Bom = dict[str, Any]


def main() -> None:
    """Write both lists, then judge them."""
    rules = tomllib.loads((ROOT / "deploy" / "licences.toml").read_text())
    boms = {"python": _python(), "web": _web()}
    INTO.mkdir(parents=True, exist_ok=True)
    for name, bom in boms.items():
        (INTO / f"{name}.cdx.json").write_text(json.dumps(bom, ensure_ascii=False, indent=1) + "\n")
    wrong = [each for bom in boms.values() for each in not_allowed(bom, rules)]
    if wrong:
        sys.exit("licences that deploy/licences.toml does not allow:\n  " + "\n  ".join(wrong))
    counts = ", ".join(f"{name} {len(bom['components'])}" for name, bom in boms.items())
    sys.stdout.write(f"{INTO.relative_to(ROOT)}: {counts} packages, every licence allowed\n")


def not_allowed(bom: Bom, rules: dict[str, Any]) -> Iterator[str]:
    """The packages of a list whose licence is not allowed, or is not told."""
    for package in bom["components"]:
        licences = [rules["named"][package["name"]]] if package["name"] in rules["named"] else _told(package)
        allowed = {*rules["allowed"], *rules["named"].values()}
        if package.get("scope") == "excluded":
            allowed |= set(rules["excluded"])
        if not licences or not allowed.issuperset(licences):
            yield f"{package['name']} {package['version']}: {'; '.join(licences) or 'not told'}"


def mark_excluded(bom: Bom, pinned: str) -> None:
    """Mark what `requirements.txt` does not have: nothing runs with it."""
    shipped = {_plain(name) for name in re.findall(r"^([\w.-]+)==", pinned, re.MULTILINE)}
    for package in bom["components"]:
        package["scope"] = "required" if _plain(package["name"]) in shipped else "excluded"


def _told(package: dict[str, Any]) -> list[str]:
    return [
        each.get("expression") or each["license"].get("id") or each["license"]["name"]
        for each in package.get("licenses", [])
    ]


def _python() -> Bom:
    command = [ROOT / ".supply/bin/cyclonedx-py", "environment", "--output-reproducible"]
    command += ["--pyproject", ROOT / "pyproject.toml", "--mc-type", "application", ROOT / ".venv/bin/python"]
    bom = _said(*command)
    mark_excluded(bom, (ROOT / "requirements.txt").read_text())
    return bom


def _web() -> Bom:
    """As npm lists it, without the date and the number that would make each list another."""
    sys.path.insert(0, str(ROOT / "deploy"))
    from web import NODE, NPM, WEB

    bom = _said(NODE, NPM, "sbom", "--sbom-format", "cyclonedx", "--prefix", WEB)
    del bom["serialNumber"], bom["metadata"]["timestamp"]
    return bom


def _said(*command: str | Path) -> Bom:
    answer: Bom = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return answer


def _plain(name: str) -> str:
    """A package's name in the one form of PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main()
