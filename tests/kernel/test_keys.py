"""Keys: made once, rotated without signing anybody out, and a ciphertext bound to its place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from haiyiban import clock
from haiyiban.crypto import PUBLISHED_BEFORE_USE, FileKeys, KeyMissing, Vault
from haiyiban.identity.callers import Level, ResidentCaller
from haiyiban.identity.tokens import AccessTokens, InvalidToken
from haiyiban.sealed import place


@pytest.fixture
def keys(tmp_path: Path) -> FileKeys:
    return FileKeys.create(tmp_path / "keys")


def _resident() -> ResidentCaller:
    return ResidentCaller(account_id=uuid4(), session_id=uuid4(), level=Level.L1)


def test_opening_a_key_folder_again_keeps_its_keys(keys: FileKeys) -> None:
    again = FileKeys.create(keys.folder)
    assert again.secrets("field") == keys.secrets("field")
    assert all(file.stat().st_mode & 0o077 == 0 for file in keys.folder.iterdir())


def test_a_rotation_signs_nobody_out(keys: FileKeys) -> None:
    tokens = AccessTokens(keys, issuer="460000")
    caller = _resident()
    before = tokens.issue(caller, now=clock.now())
    new = keys.rotate("access-token", not_before=clock.now() - timedelta(seconds=1))
    # Another process, which has never seen the old token.
    elsewhere = AccessTokens(keys, issuer="460000")
    assert elsewhere.verify(before) == caller
    after = elsewhere.issue(caller, now=clock.now())
    assert new in {key["kid"] for key in elsewhere.key_set()["keys"]}
    tokens.reload()
    assert tokens.verify(after) == caller


def test_a_new_key_is_published_before_it_signs(keys: FileKeys) -> None:
    now = clock.now()
    keys.rotate("access-token", not_before=now + PUBLISHED_BEFORE_USE["access-token"])
    tokens = AccessTokens(keys, issuer="460000")
    assert len(tokens.key_set()["keys"]) == 2
    assert tokens.verify(tokens.issue(_resident(), now=now))


def test_a_token_of_another_deployment_is_refused(keys: FileKeys, tmp_path: Path) -> None:
    foreign = AccessTokens(FileKeys.create(tmp_path / "other"), issuer="460000")
    token = foreign.issue(_resident(), now=clock.now())
    with pytest.raises(InvalidToken):
        AccessTokens(keys, issuer="460000").verify(token)


def test_a_token_ends_after_five_minutes(keys: FileKeys) -> None:
    tokens = AccessTokens(keys, issuer="460000")
    old = tokens.issue(_resident(), now=datetime.now(UTC) - timedelta(minutes=5, seconds=1))
    with pytest.raises(InvalidToken):
        tokens.verify(old)


def test_a_sealed_value_opens_only_where_it_was_sealed(keys: FileKeys) -> None:
    vault = Vault(keys)
    row, other = uuid4(), uuid4()
    sealed = vault.seal(b"460105199003070017", where=place("identity_person", "id_number_sealed", row))
    assert b"4601" not in sealed
    with pytest.raises(KeyMissing):
        vault.open(sealed, where=place("identity_person", "id_number_sealed", other))
    with pytest.raises(KeyMissing):
        vault.open(
            sealed[:-1] + bytes([sealed[-1] ^ 1]), where=place("identity_person", "id_number_sealed", row)
        )


def test_a_value_sealed_before_a_rotation_still_opens(keys: FileKeys) -> None:
    where = place("identity_person", "name_sealed", uuid4())
    sealed = Vault(keys).seal("𠅤".encode(), where=where)
    keys.rotate("field", not_before=clock.now())
    vault = Vault(keys)
    assert vault.open(sealed, where=where).decode() == "𠅤"
    assert vault.seal(b"x", where=where)[1:5] != sealed[1:5]


def test_blind_indexes_of_two_purposes_have_nothing_in_common(keys: FileKeys) -> None:
    vault = Vault(keys)
    assert vault.blind("phone", "13800138000") == Vault(keys).blind("phone", "13800138000")
    assert vault.blind("phone", "13800138000") != vault.blind("document", "13800138000")
