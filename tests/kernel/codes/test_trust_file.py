"""The signed list in the key folder: made where the root is, judged by on the servers, kept in bad days."""

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from haiyiban.codes import signing, trust_file
from haiyiban.codes.jws import UntrustedList
from haiyiban.codes.trust import public_key_of, read_trust_list
from haiyiban.crypto import FileKeys, SigningKey
from haiyiban.runtime import ceremony
from haiyiban.settings import Settings
from haiyiban.signatures import public_jwk

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def own(tmp_path: Path) -> Settings:
    """The settings of a deployment of its own."""
    return Settings(env="test", home=tmp_path, public_url="https://hyb.example")


@pytest.fixture
def root(own: Settings) -> SigningKey:
    ceremony.play(own, NOW)
    return trust_file.root_of(own.home / "offline-root")


def signed(own: Settings, root: SigningKey, now: datetime) -> trust_file.Published:
    earlier = trust_file.signed_before(own.keys_dir, root)
    return trust_file.sign(own.keys_dir, root, kinds=[1, 2], now=now, earlier=earlier)


def test_the_demo_signs_its_own_list_and_keeps_the_root_from_the_servers(own, root) -> None:
    found = trust_file.published(own.keys_dir)
    assert found.trust.issued_at == NOW
    assert {entry.use for entry in found.trust.entries} == {None, "lists"}
    assert trust_file.root_jwk(own.keys_dir) == public_jwk(root.public) | {"kid": root.kid}
    private = json.loads((own.home / "offline-root/trust-root.json").read_bytes())[0]["key"]
    for file in own.keys_dir.iterdir():
        assert private not in file.read_text()
    assert (own.home / "offline-root/trust-root.json").stat().st_mode & 0o077 == 0


def test_the_ceremony_is_played_again_only_when_there_is_something_to_say(own, root) -> None:
    first = trust_file.published(own.keys_dir).text
    ceremony.play(own, NOW + 30 * DAY)
    assert trust_file.published(own.keys_dir).text == first
    ceremony.play(own, NOW + 61 * DAY)
    second = trust_file.published(own.keys_dir).text
    assert second != first
    FileKeys(own.keys_dir).rotate("code", not_before=NOW + 63 * DAY)
    ceremony.play(own, NOW + 62 * DAY)
    assert len(trust_file.published(own.keys_dir).trust.entries) == 3
    third = trust_file.published(own.keys_dir).text
    # A demo whose clock was moved ahead and is back.
    ceremony.play(own, NOW)
    assert trust_file.published(own.keys_dir).text != third


def test_a_root_that_lay_among_the_servers_keys_moves_and_stays_the_pinned_one(own) -> None:
    former = FileKeys.create_root(own.keys_dir).signing("trust-root")[-1]
    ceremony.play(own, NOW)
    assert not (own.keys_dir / "trust-root.json").exists()
    assert trust_file.root_jwk(own.keys_dir)["kid"] == former.kid
    # An earlier version ran here again and made another root: it is kept, and not used.
    stray = FileKeys.create_root(own.keys_dir).signing("trust-root")[-1]
    ceremony.play(own, NOW + DAY)
    assert trust_file.root_jwk(own.keys_dir)["kid"] == former.kid
    assert not (own.keys_dir / "trust-root.json").exists()
    assert (own.home / f"offline-root/trust-root-{stray.kid}.json").exists()


def test_a_list_is_not_signed_with_a_clock_that_is_behind(own, root) -> None:
    with pytest.raises(UntrustedList, match="later than this clock"):
        signed(own, root, NOW - timedelta(minutes=1))


def test_another_root_does_not_follow_this_ones_list(own, root, tmp_path) -> None:
    other = FileKeys.create_root(tmp_path / "other").signing("trust-root")[-1]
    with pytest.raises(UntrustedList):
        trust_file.signed_before(own.keys_dir, other)


@pytest.mark.parametrize("name", ["trust-list.jwt", "trust-root.jwk"])
@pytest.mark.parametrize("damage", ["cut off", "gone", "of another root", "no text", "a folder"])
def test_a_server_without_a_good_list_says_so_and_keeps_the_last_one(
    own, root, tmp_path, name, damage, caplog
) -> None:
    good = signing._read(own, NOW, None)
    path = own.keys_dir / name
    whole = path.read_bytes()
    path.unlink()
    if damage == "cut off":
        path.write_bytes(whole[: len(whole) // 2])
    elif damage == "no text":
        path.write_bytes(b"\xff\xfe\x00" + whole)
    elif damage == "a folder":
        path.mkdir()
    elif damage == "of another root":
        other = dataclasses.replace(own, home=tmp_path / "other")
        ceremony.play(other, NOW)
        path.write_bytes((other.keys_dir / name).read_bytes())
    with pytest.raises(signing.TrustListMissing) as refused:
        signing._read(own, NOW, None)
    assert refused.value.status == 503
    assert "haiyiban trust sign" in refused.value.title.en
    caplog.clear()
    kept = signing._read(own, NOW, good)
    assert kept.published == good.published
    assert "trust list" in caplog.text


def test_a_server_goes_on_by_a_list_that_has_ended_and_says_so(own, root, caplog) -> None:
    keys = signing._read(own, NOW + 91 * DAY, None)
    assert "has ended" in caplog.text
    assert not keys.trust.is_stale((NOW + 91 * DAY).timestamp())
    assert keys.published.trust.is_stale((NOW + 91 * DAY).timestamp())
    assert keys.signer(NOW + 91 * DAY)


def test_a_revoked_key_counts_no_more_here_at_once_and_for_terminals_with_the_next_list(own, root) -> None:
    folder = FileKeys(own.keys_dir)
    stolen = folder.signing("code")[-1]
    kid = bytes.fromhex(stolen.kid)
    assert folder.revoke(stolen.kid, at=NOW) == "code"
    keys = signing._read(own, NOW, None)
    assert not keys.trust.keys_for(kid, alg=-7, kind=1, at=NOW.timestamp())
    assert keys.trust.keys_for(kid, alg=-7, kind=1, at=NOW.timestamp() - 1)
    assert keys.published.trust.keys_for(kid, alg=-7, kind=1, at=NOW.timestamp())
    with pytest.raises(signing.NoKeySigns):
        keys.signer(NOW)
    fresh = folder.rotate("code", not_before=NOW + DAY)
    text = signed(own, root, NOW).text
    held = read_trust_list(text, public_key_of(trust_file.root_jwk(own.keys_dir)))
    assert not held.keys_for(kid, alg=-7, kind=1, at=NOW.timestamp())
    assert signing._read(own, NOW, None).signer(NOW).kid == fresh


def test_a_revocation_that_terminals_know_is_not_made_later_again(own, root) -> None:
    folder = FileKeys(own.keys_dir)
    kid = folder.signing("code")[-1].kid
    folder.revoke(kid, at=NOW)
    signed(own, root, NOW)
    folder.revoke(kid, at=NOW + 5 * DAY)
    keys = signing._read(own, NOW + DAY, None)
    assert not keys.trust.keys_for(bytes.fromhex(kid), alg=-7, kind=1, at=(NOW + DAY).timestamp())
