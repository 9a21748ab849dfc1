"""What the import contracts of pyproject.toml cannot say of the code, read from its syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KERNEL = ROOT / "src" / "haiyiban"
RUNTIME = KERNEL / "runtime"
MODULES = sorted([*KERNEL.rglob("*.py"), *(ROOT / "services").rglob("*.py")])
LONGEST = 300


def calls(module: Path) -> Iterator[tuple[str, int]]:
    """Every call in a module, as it is written without its arguments."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node.lineno


def found(
    names: set[str], *, outside: tuple[Path, ...], but: frozenset[str] | set[str] = frozenset()
) -> list[str]:
    """Where a call ends with one of these names, except in these folders and files."""
    return [
        f"{module.relative_to(ROOT)}:{line}"
        for module in MODULES
        if not any(module.is_relative_to(place) for place in outside)
        for call, line in calls(module)
        if call not in but and any(call == name or call.endswith("." + name) for name in names)
    ]


def test_the_walk_finds_what_it_looks_for() -> None:
    assert len(MODULES) > 100
    assert found({"commit"}, outside=()), "the edge commits"


def test_features_and_zones_neither_commit_nor_roll_back() -> None:
    # To commit to a roll before its lots are drawn is the law's word, not the database's.
    assert found({"commit", "rollback"}, outside=(RUNTIME,), but={"runs.commit"}) == []


def test_one_module_reads_the_clock() -> None:
    names = {"datetime.now", "date.today", "datetime.utcnow", "datetime.today", "time.time"}
    # A log tells the time of the machine, whatever the demo's clock says.
    assert found(names, outside=(KERNEL / "clock.py", RUNTIME / "records.py")) == []


def test_ids_come_from_one_place() -> None:
    # A pseudonym must not tell when it was made, so it is not a UUIDv7.
    names = {"uuid1", "uuid4", "uuid7"}
    assert found(names, outside=(KERNEL / "ids.py", KERNEL / "audit" / "service.py")) == []


def test_only_the_edge_catches_everything() -> None:
    # batching.py hands what it caught on to each who asked; streams and screens outlive a restart of
    # PostgreSQL; a stamp of another authority may break the library that reads it in any way.
    allowed = (
        RUNTIME,
        KERNEL / "batching.py",
        KERNEL / "codes" / "streams.py",
        KERNEL / "hall" / "watching.py",
        KERNEL / "certificates" / "stamping.py",
    )
    caught = [
        f"{module.relative_to(ROOT)}:{node.lineno}"
        for module in MODULES
        if not any(module.is_relative_to(place) for place in allowed)
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"})
    ]
    assert caught == []


def test_every_relationship_says_when_it_loads() -> None:
    lazy = [
        f"{module.relative_to(ROOT)}:{node.lineno}"
        for module in MODULES
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "relationship"
        and not any(key.arg == "lazy" and ast.unparse(key.value) == "'raise'" for key in node.keywords)
    ]
    assert lazy == []


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(ROOT)))
def test_a_module_holds_one_idea_and_says_which(module: Path) -> None:
    text = module.read_text()
    assert len(text.splitlines()) <= LONGEST
    if module.name != "__init__.py" or text.strip():
        assert ast.get_docstring(ast.parse(text)), "its first line says what it means to the business"


def test_no_module_is_named_after_nothing() -> None:
    empty = {"utils", "util", "helpers", "helper", "manager", "base", "common", "misc"}
    assert [module for module in MODULES if module.stem in empty] == []
