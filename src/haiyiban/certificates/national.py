"""SM2 and SM3 in certificates and signed documents: what asn1crypto and pyHanko do not know by themselves.

Source: GB/T 33560 (object identifiers), GM/T 0015 (certificates), GM/T 0009 (signatures in DER).
"""

from __future__ import annotations

from typing import Any, Final

from asn1crypto import algos, keys, x509
from cryptography.exceptions import InvalidSignature
from pyhanko.sign.signers import Signer
from pyhanko_certvalidator.policy_decl import (
    AlgorithmUsageConstraint,
    DisallowWeakAlgorithmsPolicy,
)
from pyhanko_certvalidator.registry import CertificateStore
from pyhanko_certvalidator.sig_validate import (
    DEFAULT_VALIDATION_CONTEXT,
    DefaultSignatureValidator,
    SignatureValidationContext,
)
from typing_extensions import override

from haiyiban.signatures import raw_signature
from haiyiban.sm import Sm2PrivateKey, Sm2PublicKey, der_of, raw_of

SM3: Final = "sm3"
SM2_SM3: Final = "sm2_sm3"
_CURVE: Final = "1.2.156.10197.1.301"

# The tables of asn1crypto are the ones of every reader in this process; each knows more now and nothing else.
for _specifier, _oid, _name in (
    (algos.DigestAlgorithmId, "1.2.156.10197.1.401", SM3),
    (algos.SignedDigestAlgorithmId, "1.2.156.10197.1.501", SM2_SM3),
):
    _specifier._map[_oid] = _name
    _specifier._reverse_map = None
keys.NamedCurve.register("sm2p256v1", _CURVE, 32)


class SignatureValidator(DefaultSignatureValidator):
    """Judges SM2 itself, and leaves everything else to pyHanko."""

    @override
    def validate_signature(
        self,
        signature: bytes,
        signed_data: bytes,
        public_key_info: keys.PublicKeyInfo,
        signature_algorithm: algos.SignedDigestAlgorithm,
        context: SignatureValidationContext = DEFAULT_VALIDATION_CONTEXT,
    ) -> None:
        """Raises InvalidSignature."""
        if signature_algorithm["algorithm"].native != SM2_SM3:
            super().validate_signature(signature, signed_data, public_key_info, signature_algorithm, context)
            return
        try:
            public = Sm2PublicKey.from_spki(public_key_info.dump())
            raw = raw_of(signature)
        except ValueError as error:
            raise InvalidSignature(str(error)) from None
        if not public.holds(raw, signed_data):
            raise InvalidSignature


class Policy(DisallowWeakAlgorithmsPolicy):
    """What pyHanko allows, and SM2 with SM3."""

    @override
    def signature_algorithm_allowed(
        self, algo: algos.SignedDigestAlgorithm, moment: Any, public_key: keys.PublicKeyInfo | None
    ) -> AlgorithmUsageConstraint:
        if algo["algorithm"].native == SM2_SM3:
            return AlgorithmUsageConstraint(allowed=True)
        return super().signature_algorithm_allowed(algo, moment, public_key)


BOTH_SUITES: Final[dict[str, Any]] = {
    "signature_validator": SignatureValidator(),
    "algorithm_usage_policy": Policy(),  # type: ignore[no-untyped-call]
}
"""What a ValidationContext takes to judge by either suite."""


class Sm2Signer(Signer):
    """A document's signer as pyHanko asks for it."""

    def __init__(
        self, private: Sm2PrivateKey, certificate: x509.Certificate, above: CertificateStore
    ) -> None:
        super().__init__(
            signing_cert=certificate,
            cert_registry=above,
            signature_mechanism=algos.SignedDigestAlgorithm({"algorithm": SM2_SM3}),
        )
        self._private = private

    @override
    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        """The signature over these bytes, DER."""
        return der_of(raw_signature(self._private, data))
