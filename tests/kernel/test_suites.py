"""One setting, two suites: what new keys are made for, and that the keys of before go on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from haiyiban.codes import trust_file
from haiyiban.codes.cti import CtiCipher, new_code_id
from haiyiban.codes.envelope import parse, parse_capsule, sign_capsule, sign_form_a, sign_form_b
from haiyiban.codes.offline import verify_offline
from haiyiban.codes.outcomes import Outcome
from haiyiban.codes.rotation import signer
from haiyiban.codes.vectors.cast import AT, BODIES, DEVICE, capsule_of, claims_of
from haiyiban.crypto import FileKeys, KeyMissing, Vault
from haiyiban.identity.tokens import AccessTokens
from haiyiban.new_keys import ALWAYS_ES256, SIGNING_PURPOSES
from haiyiban.settings import InvalidSetting, Settings
from haiyiban.signatures import SM2, Suite, algorithm_of
from haiyiban.sm import Sm2PrivateKey, Sm4Gcm, hmac_sm3

DAY = timedelta(days=1)


@pytest.fixture
def national(tmp_path: Path) -> FileKeys:
    return FileKeys.create(tmp_path / "keys", Suite.NATIONAL)


def test_a_new_deployment_of_the_national_suite_holds_its_keys(national: FileKeys) -> None:
    for purpose in SIGNING_PURPOSES:
        expected = ec.EllipticCurvePrivateKey if purpose in ALWAYS_ES256 else Sm2PrivateKey
        assert all(isinstance(key.private, expected) for key in national.signing(purpose)), purpose
    vault = Vault(national)
    sealed = vault.seal(b"460105199003070017", where="t|c|1")
    [(kid, (key, _))] = national.secrets("field").items()
    assert Sm4Gcm(key[:16]).decrypt(sealed[5:17], sealed[17:], b"t|c|1") == b"460105199003070017"
    assert sealed[1:5].hex() == kid
    with pytest.raises(KeyMissing):
        vault.open(sealed, where="t|c|2")
    [(index_key, _)] = national.secrets("blind-index").values()
    assert vault.blind("id", "x") == hmac_sm3(index_key, b"id|x")
    AccessTokens(national, issuer="460000")
    with pytest.raises(KeyMissing, match="not P-256"):
        _ = national.signing("code")[-1].es256


def test_a_deployment_that_changes_over_opens_what_it_sealed_before(tmp_path: Path) -> None:
    keys = FileKeys.create(tmp_path)
    before = Vault(keys).seal(b"before", where="t|c|1")
    keys.rotate("field", not_before=datetime(2026, 1, 1, tzinfo=UTC), suite=Suite.NATIONAL)
    vault = Vault(keys)
    after = vault.seal(b"after", where="t|c|1")
    assert vault.open(before, where="t|c|1") == b"before"
    assert vault.open(after, where="t|c|1") == b"after"
    assert [secret.suite for secret in keys.secrets("field").values()] == [
        Suite.INTERNATIONAL,
        Suite.NATIONAL,
    ]
    # The other keys are what they were: a log keeps its hash, an index its key.
    keys.rotate("checkpoint", not_before=datetime(2026, 1, 1, tzinfo=UTC), suite=Suite.NATIONAL)
    assert {secret.suite for secret in keys.secrets("checkpoint").values()} == {Suite.INTERNATIONAL}


def test_codes_of_both_suites_verify_while_a_deployment_changes_over(tmp_path: Path) -> None:
    root = FileKeys.create_root(tmp_path / "root", Suite.NATIONAL).signing("trust-root")[-1]
    assert algorithm_of(root.private) is SM2
    keys = FileKeys.create(tmp_path / "keys")
    earlier = trust_file.sign(keys.folder, root, kinds=BODIES, now=AT - 3 * DAY, earlier=None).trust
    keys.rotate("code", not_before=AT - 3 * DAY, suite=Suite.NATIONAL)
    trust_file.sign(keys.folder, root, kinds=BODIES, now=AT - 2 * DAY, earlier=earlier)
    trust = trust_file.published(keys.folder).trust
    old, new = keys.signing("code")
    assert signer([old, new], trust.entries, AT) == new
    for key in (old, new):
        capsule = capsule_of(1, "both suites", key)
        for text in (
            sign_form_a(claims_of(1, "both suites"), key),
            sign_form_b(capsule, DEVICE, t=int(AT.timestamp())),
        ):
            assert verify_offline(text, trust=trust, now=AT).outcome is Outcome.VALID
            spoilt = text[:-9] + ("A" if text[-9] != "A" else "B") + text[-8:]
            assert verify_offline(spoilt, trust=trust, now=AT).outcome is not Outcome.VALID
    code = parse(sign_form_a(claims_of(1, "both suites"), new))
    assert code.alg == SM2.cose
    # Nobody's key is taken for one of the other suite.
    assert not trust.keys_for(bytes.fromhex(new.kid), alg=-7, kind=1, at=AT.timestamp())
    assert parse_capsule(sign_capsule(parse_capsule(capsule).claims, new)).alg == SM2.cose


def test_a_cti_of_sm4_opens_with_its_own_key_alone(national: FileKeys) -> None:
    [(key, suite)] = national.secrets("cti").values()
    code_id = new_code_id(1, 42, now=AT)
    cipher = CtiCipher(key[:16], suite)
    found = cipher.open(cipher.seal(code_id))
    assert found is not None
    assert (found.id, found.kind, found.ref) == (code_id, 1, 42)
    assert CtiCipher(key[:16]).seal(code_id) != cipher.seal(code_id)


def test_a_suite_that_there_is_not_is_told(environ: dict[str, str]) -> None:
    assert Settings.from_env({**environ, "HAIYIBAN_SUITE": "national"}).suite is Suite.NATIONAL
    with pytest.raises(InvalidSetting, match="use international or national"):
        Settings.from_env({**environ, "HAIYIBAN_SUITE": "gm"})
