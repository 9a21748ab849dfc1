"""One pair of deployments for all tests of a process, of the zone and of its pages: a start costs seconds.

Registered in tests/conftest.py, for a fixture that a module imports is a second one with a second pair.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.zones.cross_province.pair import Pair, two


@pytest.fixture(scope="session")
def both_homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of both state folders."""
    return tmp_path_factory.mktemp("pair")


@pytest.fixture(scope="session")
async def both(both_homes: Path, database_url: str, redis_url: str, sandbox_url: str) -> AsyncIterator[Pair]:
    """Hainan and Guangdong, running."""
    async with two(both_homes, database_url, redis_url, sandbox_url) as pair:
        yield pair


@pytest.fixture
async def pair(both: Pair) -> AsyncIterator[Pair]:
    """The two, with the line between them whole at the start and mended at the end."""
    yield both
    for one in (both.hainan, both.guangdong):
        one.line.mode = "open"
    both.people.clear()
    await both.pass_time(hours=2)
    await both.pump()
