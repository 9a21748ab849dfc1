"""Write the vectors into a folder."""

import json
import sys
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from haiyiban.codes.envelope import parse
from haiyiban.codes.outcomes import Outcome
from haiyiban.codes.vectors import counter, good, lists, malformed, refused
from haiyiban.codes.vectors.cast import DEVICE, ISSUER, trust_entries


def write(folder: Path) -> None:
    """Write all files into the folder."""
    entries = json.loads(msgspec.json.encode(trust_entries()))
    keys = {"issuer": _jwk(ISSUER.es256), "device": _jwk(DEVICE)}
    groups = {
        Outcome.VALID: [case | {"says": _says(case["text"])} for case in good.cases()],
        Outcome.MALFORMED: malformed.cases(),
    }
    for outcome, cases in (groups | refused.cases()).items():
        document = {"outcome": outcome, "trustList": {"entries": entries}, "testKeys": keys, "cases": cases}
        text = json.dumps(document, ensure_ascii=False, indent=1)
        (folder / f"{outcome}.json").write_text(text + "\n", encoding="utf-8")
    for file, document in (
        ("lists/offline.json", lists.document()),
        ("lists/offline-sm2.json", lists.document(lists.SM2_SIGNERS)),
        ("counter/counter.json", counter.document()),
    ):
        (folder / file).parent.mkdir(exist_ok=True)
        text = json.dumps(document, ensure_ascii=False, indent=1)
        (folder / file).write_text(text + "\n", encoding="utf-8")


def _says(text: str) -> dict[str, Any]:
    said = parse(text).claims
    return {
        "iss": said.iss,
        "iat": said.iat,
        "exp": said.exp,
        "cti": said.cti.hex(),
        "kind": said.kind,
        "body": msgspec.to_builtins(said.body),
    }


def _jwk(private: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    jwk = ECAlgorithm.to_jwk(private, as_dict=True)
    return {member: jwk[member] for member in ("kty", "crv", "x", "y", "d")}


if __name__ == "__main__":
    write(Path(sys.argv[1]))
