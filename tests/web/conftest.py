"""What the tests of browser programs share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.node import Asking, asking


@pytest.fixture(scope="session")
def second_verifier() -> Iterator[Asking]:
    """The TypeScript verifier, asked over a pipe."""
    with asking(Path(__file__).with_name("judge.mjs")) as node:
        yield node
