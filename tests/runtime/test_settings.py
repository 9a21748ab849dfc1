"""What a deployment sets: secrets by file, keys elsewhere, and whom proxies speak for."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest

from haiyiban.runtime.proxies import who_asks
from haiyiban.settings import InvalidSetting, Settings

OURS = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def test_a_secret_may_lie_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "database-url"
    file.write_text("postgresql://api@db/haiyiban\n")
    read = Settings.from_env({"DATABASE_URL_FILE": str(file), "AWS_SECRET_ACCESS_KEY_FILE": str(file)})
    assert read.database_url == "postgresql://api@db/haiyiban"
    assert read.objects_keys == (("AWS_SECRET_ACCESS_KEY", "postgresql://api@db/haiyiban"),)


@pytest.mark.parametrize(
    "environ",
    [
        {"DATABASE_URL_FILE": "/nowhere/url"},
        {"REDIS_URL_FILE": "/dev/null", "REDIS_URL": "redis://a"},
        {"HAIYIBAN_PROXIES": "10.0.0.1/8"},
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(environ: dict[str, str]) -> None:
    with pytest.raises(InvalidSetting) as refused:
        Settings.from_env(environ)
    assert next(iter(environ)) in str(refused.value)


def test_keys_may_lie_outside_the_state_folder() -> None:
    assert Settings.from_env({"HAIYIBAN_KEYS_DIR": "/keys"}).keys_dir == Path("/keys")
    assert Settings.from_env({"HAIYIBAN_HOME": "/home"}).keys_dir == Path("/home/keys")


@pytest.mark.parametrize(
    ("peer", "forwarded", "who"),
    [
        ("10.0.0.5", b"203.0.113.9", "203.0.113.9"),
        ("10.0.0.5", b"192.0.2.1, 203.0.113.9", "203.0.113.9"),  # the first is what the client claimed
        ("10.0.0.5", b"203.0.113.9, 10.0.0.7", "203.0.113.9"),  # two proxies of ours
        ("fd00::1", b"2001:db8::9", "2001:db8::9"),
        ("203.0.113.9", b"192.0.2.1", "203.0.113.9"),  # no proxy of ours: it speaks for nobody
        ("10.0.0.5", b"unknown", "10.0.0.5"),
        ("10.0.0.5", b"203.0.113.9,", "10.0.0.5"),
        ("10.0.0.5", b"\xff", "10.0.0.5"),
        ("10.0.0.5", b"10.0.0.6", "10.0.0.6"),
        ("@socket", b"203.0.113.9", "@socket"),
    ],
)
def test_who_asks_is_whom_our_own_proxy_names(peer: str, forwarded: bytes, who: str) -> None:
    assert who_asks(peer, forwarded, OURS) == who
