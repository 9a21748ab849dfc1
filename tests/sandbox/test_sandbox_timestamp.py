"""The time-stamping authority speaks RFC 3161 as a library that we did not write understands it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import httpx
import pytest
from asn1crypto import algos, crl, pem, tsp, x509
from pyhanko.sign.validation.generic_cms import validate_tst_signed_data
from pyhanko_certvalidator import ValidationContext

from haiyiban_sandbox.app import create_app
from haiyiban_sandbox.timestamp import Rejection

DIGEST = hashlib.sha256(b"a signature").digest()


def query(digest: bytes = DIGEST, *, algorithm: str = "sha256") -> bytes:
    imprint = tsp.MessageImprint(
        {"hash_algorithm": algos.DigestAlgorithm({"algorithm": algorithm}), "hashed_message": digest}
    )
    request = tsp.TimeStampReq({"version": 1, "message_imprint": imprint, "nonce": 42, "cert_req": True})
    return bytes(request.dump())


async def root_of(sandbox: httpx.AsyncClient) -> x509.Certificate:
    return x509.Certificate.load(pem.unarmor((await sandbox.get("/timestamp/root")).content)[2])


async def test_a_stamp_is_trusted_under_the_root_with_its_revocation_list(sandbox: httpx.AsyncClient) -> None:
    answer = await sandbox.post("/timestamp", content=query())
    assert answer.headers["content-type"] == "application/timestamp-reply"
    response = tsp.TimeStampResp.load(answer.content)
    assert response["status"]["status"].native == "granted"
    signed = response["time_stamp_token"]["content"]
    assert signed["encap_content_info"]["content"].parsed["nonce"].native == 42
    revoked = crl.CertificateList.load((await sandbox.get("/timestamp/crl")).content)
    context = ValidationContext(
        trust_roots=[await root_of(sandbox)], crls=[revoked], revocation_mode="require"
    )
    status = await validate_tst_signed_data(signed, context, lambda _: DIGEST)
    assert status["intact"]
    assert status["valid"]
    assert status["validation_path"] is not None


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "bad_data_format"),
        (b"not a query", "bad_data_format"),
        (query()[:-3], "bad_data_format"),
        (query(DIGEST[:-1]), "bad_data_format"),
        (query(hashlib.md5(b"").digest(), algorithm="md5"), "bad_alg"),
    ],
    ids=["nothing", "no-query", "cut", "short-digest", "weak-digest"],
)
async def test_what_cannot_be_stamped_is_refused_in_the_protocol(
    sandbox: httpx.AsyncClient, body: bytes, reason: str
) -> None:
    answer = Rejection.load((await sandbox.post("/timestamp", content=body)).content, strict=True)
    assert answer["status"]["status"].native == "rejection"
    assert answer["status"]["fail_info"].native == {reason}


async def test_the_root_stays_over_a_restart(tmp_path: Path) -> None:
    roots = set()
    for _ in range(2):
        app = create_app(tmp_path)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://s") as client:
            roots.add((await root_of(client)).dump())
        app.state.store.connection.close()
    assert len(roots) == 1
    assert (tmp_path / "timestamp-authority.pem").stat().st_mode & 0o777 == 0o600


async def test_it_has_bad_days_like_every_outside_system(sandbox: httpx.AsyncClient) -> None:
    await sandbox.post("/faults", json={"register": "timestamp", "mode": "error"})
    assert (await sandbox.post("/timestamp", content=query())).status_code == 503
