"""The load of the verification benchmark: python -m benchmarks.scanners VARIANT PORT COUNT.

Codes are signed just before they are sent, as they live a minute, and each is sent once. The certificates
and the verifier's token come from the environment.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from datetime import date
from uuid import uuid4

from benchmarks import bare, load
from haiyiban import clock
from haiyiban.codes.claims import CertificateBody, Claims, Kind
from haiyiban.codes.cti import new_code_id
from haiyiban.codes.envelope import sign_form_a
from haiyiban.codes.signing import code_keys


def main() -> None:
    """For each line that comes in: prepare, send, report."""
    variant, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    prepare = {"verify": _verifications, "show": _showings, "sign": _showings, "get": _gets}.get(
        variant, _yardstick
    )
    for _ in sys.stdin:
        load.report(*asyncio.run(load.send(port, prepare(variant, count))))


def _verifications(_: str, count: int) -> list[bytes]:
    token = os.environ["BENCH_TOKEN"]
    refs = [int(ref) for ref in os.environ["BENCH_REFS"].split(",")]
    return [
        load.request_bytes(
            "/api/v1/verifications",
            {"text": _code(random.choice(refs)), "purpose": "enrolment", "place": "东门"},
            headers={"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid4())},
        )
        for _ in range(count)
    ]


def _showings(variant: str, count: int) -> list[bytes]:
    path = "/api/v1/codes" if variant == "show" else "/sign"
    headers = {"Authorization": f"Bearer {os.environ['BENCH_HOLDER']}"}
    certificates = os.environ["BENCH_CERTIFICATES"].split(",")
    return [
        load.request_bytes(
            path,
            {"kind": "certificate", "subjectId": random.choice(certificates)},
            headers=headers,
        )
        for _ in range(count)
    ]


def _gets(_: str, count: int) -> list[bytes]:
    return [load.request_bytes("/get", None, headers={})] * count


def _yardstick(variant: str, count: int) -> list[bytes]:
    # Few different texts will do: nothing there remembers them.
    texts = [bare.dcc_text(number) if variant == "dcc" else _code(1) for number in range(100)]
    return [
        load.request_bytes(
            f"/{variant}",
            {"text": random.choice(texts), "purpose": "enrolment", "place": "东门"},
            headers={},
        )
        for _ in range(count)
    ]


def _code(ref: int) -> str:
    now = clock.now()
    keys = code_keys(now)
    at = int(now.timestamp())
    claims = Claims(
        iss=keys.issuer,
        iat=at,
        exp=at + 60,
        cti=keys.cti.seal(new_code_id(Kind.CERTIFICATE, ref, now=now)),
        kind=Kind.CERTIFICATE,
        body=CertificateBody("admission-notice", "陈*海", date(2099, 9, 30)),
    )
    return sign_form_a(claims, keys.signing[-1])


if __name__ == "__main__":
    main()
