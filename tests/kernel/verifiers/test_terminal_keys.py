"""What a terminal signs, held against the published vector."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from haiyiban import resources
from haiyiban.verifiers.terminal_keys import (
    UnusableKey,
    read_public_key,
    sign,
    signature_holds,
    thumbprint,
    to_sign,
)

VECTOR: dict[str, Any] = json.loads((resources.schemas() / "codes" / "terminal-batch.json").read_bytes())
PUBLIC = {name: VECTOR["key"][name] for name in ("kty", "crv", "x", "y")}


def test_the_published_vector() -> None:
    signed = to_sign(VECTOR["batch"])
    assert signed.decode() == VECTOR["signed"]
    assert hashlib.sha256(signed).hexdigest() == VECTOR["sha256"]
    assert signature_holds(signed, VECTOR["batch"]["signature"], PUBLIC)


def test_what_we_sign_holds_and_no_other_key_signed_it() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    scalar = int.from_bytes(base64.urlsafe_b64decode(VECTOR["key"]["d"] + "=="))
    ours = sign({"sequence": 1, "records": []}, ec.derive_private_key(scalar, ec.SECP256R1()))
    theirs = sign({"sequence": 1, "records": []}, key)
    assert signature_holds(to_sign(ours), ours["signature"], PUBLIC)
    assert not signature_holds(to_sign(theirs), theirs["signature"], PUBLIC)


def test_a_key_is_read_in_its_one_form() -> None:
    extra = PUBLIC | {"kid": "1", "use": "sig", "key_ops": ["verify"], "ext": True}
    assert read_public_key(extra) == PUBLIC
    assert thumbprint(read_public_key(extra)) == thumbprint(PUBLIC)


def test_a_private_key_is_refused_with_the_reason() -> None:
    with pytest.raises(UnusableKey) as refused:
        read_public_key(VECTOR["key"])
    assert "私钥" in refused.value.errors[0].message.zh
