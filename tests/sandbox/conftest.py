"""A sandbox of its own for every test, and one served by granian as in the demo."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from haiyiban_sandbox.app import create_app

KEY = {"X-Api-Key": "sandbox"}


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HAIYIBAN_ENV", "HAIYIBAN_CLOCK_OFFSET", "HAIYIBAN_SANDBOX_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The platform's side: sends the key."""
    app = create_app(tmp_path)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox", headers=KEY) as client:
        yield client
    app.state.store.connection.close()
