"""The embedded Valkey."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis

from haiyiban.runtime.processes import wait_for_end
from haiyiban.runtime.valkey import EmbeddedValkey
from tests.runtime.conftest import Holding


def test_it_answers_and_its_address_stays_over_a_restart(tmp_path: Path) -> None:
    ports = []
    for _ in ("first start", "second start"):
        with EmbeddedValkey(tmp_path) as valkey, redis.Redis.from_url(valkey.url) as client:
            client.set("seen", "1", ex=5)
            assert client.get("seen") == b"1"
            ports.append(client.connection_pool.connection_kwargs["port"])
    assert ports[0] == ports[1]


def test_nobody_enters_without_the_password(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path) as valkey:
        address = valkey.url.rpartition("@")[2]
        with redis.Redis.from_url(f"redis://{address}") as client, pytest.raises(redis.AuthenticationError):
            client.ping()
    assert (tmp_path / "valkey" / "valkey.conf").stat().st_mode & 0o077 == 0


def test_it_ends_with_its_killed_parent(tmp_path: Path, holding: Holding) -> None:
    parent = holding("haiyiban.runtime.valkey:EmbeddedValkey", tmp_path)
    assert parent.stdout is not None
    server = int(parent.stdout.readline())
    parent.kill()
    assert wait_for_end(server, seconds=5)
