"""The directory of deployments: who may exchange cases with us, by agreements that both sides signed.

Nothing is trusted on first use. Each side describes itself; the two descriptions are laid side by side in one
agreement; each side signs it after comparing the other's fingerprint by another channel. An agreement counts
here only with our own signature by a key of ours: that signature is what vouches for the other side's keys.

Source: docs/domain.md §9; RFC 8785 (canonical JSON), RFC 7515 (JWS).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
import rfc8785
from cryptography.hazmat.primitives.asymmetric import ec

from haiyiban.bilingual import Text
from haiyiban.codes import jws
from haiyiban.codes.jws import UntrustedList
from haiyiban.codes.trust import public_key_of
from haiyiban.credit_codes import InvalidCreditCode, parse_credit_code
from haiyiban.crypto import SigningKey
from haiyiban.signatures import kid_of, public_jwk

_TYP: Final = "neighbours+jws"


class NotAgreed(Exception):
    """An agreement that may not be relied on; the words say why."""


class Party(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """One deployment as it describes itself. What it leaves at its default is not in the signed bytes, so an
    agreement of before there was such a member still counts."""

    division: Annotated[str, msgspec.Meta(pattern="^[0-9]{2}0000$")]
    """Its province; it receives for, and handles in, everything below."""
    name: Text
    uscc: str
    """Unified social credit code of the body that answers for it."""
    origin: Annotated[str, msgspec.Meta(pattern="^https?://[^/?# ]+$")]
    """Where its API is reached, without a path."""
    keys: Annotated[tuple[dict[str, Any], ...], msgspec.Meta(min_length=1, max_length=8)]
    """The public keys that sign its messages, as JWK."""
    trust_root: dict[str, Any]
    """The root of its trust list, by which the codes of its certificates are judged."""
    tls_roots: Annotated[tuple[str, ...], msgspec.Meta(max_length=8)] = ()
    """The authorities (PEM) under which its TLS certificate must be; none: those that browsers know."""

    def publics(self) -> dict[str, ec.EllipticCurvePublicKey]:
        """The keys by their ids. Raises NotAgreed."""
        try:
            found = [public_key_of(jwk) for jwk in self.keys]
        except UntrustedList as error:
            raise NotAgreed(f"a key of {self.division} cannot be read: {error}") from None
        p256 = [key for key in found if isinstance(key, ec.EllipticCurvePublicKey)]
        if p256 != found:
            raise NotAgreed(f"a key of {self.division} is not P-256: messages are signed by ES256")
        return {kid_of(key): key for key in p256}

    @property
    def fingerprint(self) -> str:
        """What two people compare over the telephone: of the whole description, in groups of four."""
        digest = hashlib.sha256(rfc8785.dumps(msgspec.to_builtins(self))).hexdigest()[:32]
        return "-".join(digest[at : at + 4] for at in range(0, 32, 4))


class Joint(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """多地联办: a matter of one party that is decided jointly. The handling place decides only when `agrees`,
    the receiving place, has had its say on the step."""

    matter: str
    step: Text
    """What the receiving place decides, such as whether somebody left its own insurance."""


class Agreement(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What two deployments agree on."""

    version: int = 1
    parties: tuple[Party, Party]
    valid_from: datetime
    valid_until: datetime
    joint: tuple[Joint, ...] = ()

    def canonical(self) -> bytes:
        """The bytes that are signed."""
        return rfc8785.dumps(msgspec.to_builtins(self))

    def other(self, division: str) -> Party:
        """The party that is not `division`. Raises NotAgreed where that is none of the two."""
        for one, other in (self.parties, self.parties[::-1]):
            if one.division == division and other.division != division:
                return other
        raise NotAgreed(f"{division} is not one of the two parties")

    def is_in_force(self, now: datetime) -> bool:
        """Whether it counts at an instant."""
        return self.valid_from <= now < self.valid_until

    def joint_of(self, matter: str) -> Joint | None:
        """How a matter is decided jointly, if it is."""
        return next((one for one in self.joint if one.matter == matter), None)


class Signed(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """An agreement with the signatures that it has, by division; both are needed."""

    agreement: Agreement
    signatures: dict[str, str] = {}


def describe(
    *,
    division: str,
    name: Text,
    uscc: str,
    origin: str,
    keys: Sequence[SigningKey],
    trust_root: dict[str, Any],
    tls_roots: Sequence[str] = (),
) -> Party:
    """Our own side. Raises NotAgreed."""
    try:
        parse_credit_code(uscc)
        return msgspec.convert(
            {
                "division": division,
                "name": msgspec.to_builtins(name),
                "uscc": uscc,
                "origin": origin,
                "keys": [public_jwk(key.public) for key in keys],
                "trustRoot": trust_root,
                "tlsRoots": tls_roots,
            },
            Party,
        )
    except InvalidCreditCode as error:
        raise NotAgreed(error.words.en) from None
    except msgspec.ValidationError as error:
        raise NotAgreed(str(error)) from None


def sign(signed: Signed, division: str, key: SigningKey) -> Signed:
    """Add a side's signature. Raises NotAgreed where the key is not in that side's description."""
    own = next((one for one in signed.agreement.parties if one.division == division), None)
    if own is None or key.kid not in own.publics():
        raise NotAgreed(f"the agreement does not name the key {key.kid} as one of {division}")
    jwt = jws.sign(signed.agreement.canonical(), typ=_TYP, key=key)
    return msgspec.structs.replace(signed, signatures={**signed.signatures, division: jwt})


def check(document: Any, *, own: str, keys: Sequence[SigningKey]) -> Agreement:
    """The agreement of a document, once both sides' signatures hold and ours is by a key of ours.

    Raises NotAgreed.
    """
    try:
        signed = msgspec.convert(document, Signed)
    except msgspec.ValidationError as error:
        raise NotAgreed(str(error)) from None
    agreement = signed.agreement
    other = agreement.other(own)
    if agreement.version != 1 or agreement.valid_until <= agreement.valid_from:
        raise NotAgreed("its version or its time makes no sense")
    ours = {key.kid: key.es256.public_key() for key in keys}
    _holds(signed, own, ours)
    _holds(signed, other.division, other.publics())
    return agreement


def check_both(document: Any) -> Agreement:
    """The agreement of a document that both sides signed, for somebody who is neither. Raises NotAgreed."""
    try:
        signed = msgspec.convert(document, Signed)
    except msgspec.ValidationError as error:
        raise NotAgreed(str(error)) from None
    for party in signed.agreement.parties:
        _holds(signed, party.division, party.publics())
    return signed.agreement


def _holds(signed: Signed, division: str, keys: dict[str, ec.EllipticCurvePublicKey]) -> None:
    text = signed.signatures.get(division)
    if text is None:
        raise NotAgreed(f"{division} has not signed")
    try:
        key = keys.get(jws.kid_of_signer(text))
        if key is None:
            raise NotAgreed(f"the signature of {division} is by a key that is not known as theirs")
        payload = jws.payload_of(text, key, typ=_TYP)
    except UntrustedList as error:
        raise NotAgreed(f"the signature of {division} does not hold: {error}") from None
    if payload != signed.agreement.canonical():
        raise NotAgreed(f"{division} signed something else")
