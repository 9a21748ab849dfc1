"""Offline verification, as a library call, against the bare P-256 verification inside it.

To reach: 1.4 of one bare verification for a code signed by the server, 2.4 for a device-bound one, which
takes two. `floor` is what no parser can save of the latter: two bare verifications, the second by a key that
was just decompressed (docs/decisions/0015-what-the-speeds-of-codes-can-be.md). Rounds alternate in one
process, so that a busy machine weighs on all alike; figures are medians.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from benchmarks import report
from benchmarks.report import Ratio, per_round
from haiyiban.codes.claims import DeviceKey, Kind
from haiyiban.codes.envelope import parse, sign_form_a, sign_form_b
from haiyiban.codes.offline import verify_offline
from haiyiban.codes.outcomes import Outcome
from haiyiban.codes.trust import TrustList
from haiyiban.codes.vectors.cast import AT, IAT, ISSUER, capsule_of, claims_of, trust_entries

ROUNDS, CODES = 40, 50
REACH = {"server-signed": 1.4, "device-bound": 2.4}


def measure(full: bool) -> report.Outcome:
    """Our check of a code, and the bare checks of its signatures, in turn."""
    trust = TrustList(trust_entries(), issued_at=AT)
    texts = {
        "server-signed": [sign_form_a(claims_of(1, f"bench {n}"), ISSUER) for n in range(CODES)],
        "device-bound": [_device_bound(n) for n in range(CODES)],
    }
    bare = [parse(text) for text in texts["server-signed"]]
    signatures = [encode_dss_signature(*_numbers(code.signature)) for code in bare]
    algorithm, public = ec.ECDSA(hashes.SHA256()), ISSUER.public

    def verify_bare() -> None:
        for code, signature in zip(bare, signatures, strict=True):
            public.verify(signature, code.signed, algorithm)

    phones = [
        (code.claims.cnf, encode_dss_signature(*_numbers(code.proof.signature)), code.proof.signed)
        for code in map(parse, texts["device-bound"])
        if code.proof and code.claims.cnf
    ]

    def verify_floor() -> None:
        verify_bare()
        for key, signature, signed in phones:
            key.public().verify(signature, signed, algorithm)

    def verifying(name: str) -> Callable[[], None]:
        def verify() -> None:
            for text in texts[name]:
                if verify_offline(text, trust=trust, now=AT).outcome is not Outcome.VALID:
                    raise RuntimeError("a good code was refused")

        return verify

    variants = {"bare": verify_bare, "floor": verify_floor} | {name: verifying(name) for name in texts}
    micros: dict[str, list[float]] = {name: [] for name in variants}
    for number in range(ROUNDS * (4 if full else 1) + 1):
        for name, run in variants.items():
            began = time.process_time_ns()
            run()
            if number:  # the first round warms up
                micros[name].append((time.process_time_ns() - began) / CODES / 1000)
    return report.Outcome(
        tuple(
            Ratio(
                name=f"verify offline, {name}",
                against="bare P-256 verify",
                rounds=per_round(micros[name], micros["bare"]),
                better="less",
                reach=reach,
                value=round(statistics.median(micros[name]), 1),
                unit="µs CPU",
            )
            for name, reach in REACH.items()
        )
    )


def _numbers(signature: bytes) -> tuple[int, int]:
    return int.from_bytes(signature[:32]), int.from_bytes(signature[32:])


def _device_bound(number: int) -> str:
    # A phone of its own for each: a terminal meets a device key once.
    device = ec.generate_private_key(ec.SECP256R1())
    capsule = capsule_of(Kind.CERTIFICATE, f"bench {number}, b", cnf=DeviceKey.of(device.public_key()))
    return sign_form_b(capsule, device, t=IAT)
