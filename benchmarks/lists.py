"""Status lists and deny-list of a whole province: built, compressed and signed as the program publishes them.

33 million certificates have their places in 32 status lists; one of a hundred is revoked. Against zlib over
the same bits and a P-256 signature of the same length alone. The deny-list holds what 33 million people's
phones show when one of a hundred is withdrawn. To reach for the status lists: 5 s, 9 MB as they are held,
1 MB compressed, growth n^1.1. All is one thread.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from benchmarks.report import Growth, Outcome, Ratio, per_round
from haiyiban.codes import deny_list, jws, status_list
from haiyiban.codes.deny_list import CTI_BYTES, DenyList
from haiyiban.codes.printed import LIST_SIZE
from haiyiban.codes.status_list import StatusCode
from haiyiban.crypto import FileKeys, SigningKey
from haiyiban.signatures import Suite

PLACES = 33_000_000
SHARE = 0.01
"""Of the places that are revoked."""
SIZES = (PLACES // 100, PLACES // 10, PLACES)
ROUNDS = (1, 5)
"""Quick, full."""
SECONDS_MOST, RAW_MOST, COMPRESSED_MOST = 5.0, 9_000_000, 1_000_000
NOW = datetime(2026, 12, 1, tzinfo=UTC)


def measure(full: bool) -> Outcome:
    """All lists and their ceilings in turn at the largest size; the lists alone at the others."""
    key, bare_key = _key(), ec.generate_private_key(ec.SECP256R1())
    revoked = _revoked(PLACES)
    bits = _packed(revoked)
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(ROUNDS[full]):
        ours.append(_cpu(lambda: publish(revoked, key)))
        theirs.append(_cpu(lambda: _least(bits, bare_key)))
    listed = publish(revoked, key)
    raw = sum(map(len, bits))
    compressed = sum(len(jws.from_base64url(lst)) for _, lst in listed)
    grown = {size: _status_lists_seconds(size, key) for size in SIZES[:-1]}
    withdrawn = {size: _deny_list_seconds(size, key) for size in SIZES}
    subject = f"status lists of {PLACES:,}"
    return Outcome(
        (
            Ratio(
                name=f"{subject}, built and signed",
                against=f"{SECONDS_MOST:g} s",
                rounds=tuple(round(each / SECONDS_MOST, 3) for each in ours),
                better="less",
                reach=1.0,
                value=round(statistics.median(ours), 2),
                unit="s CPU",
            ),
            Ratio(
                name=f"{subject}, built and signed",
                against="zlib and P-256 alone",
                rounds=per_round(theirs, ours),
                value=round(statistics.median(ours), 2),
                unit="s CPU",
            ),
            _size(f"{subject}, as held", raw, RAW_MOST),
            _size(f"{subject}, compressed, {SHARE:.0%} revoked", compressed, COMPRESSED_MOST),
        ),
        (
            _growth("status lists", "places", grown | {PLACES: statistics.median(ours)}),
            # Its entries are sorted, in no memory that stays near.
            _growth(f"deny-list of {SHARE:.0%}", "phones", withdrawn, reach=1.25),
        ),
    )


def publish(revoked: list[list[tuple[int, StatusCode]]], key: SigningKey) -> list[tuple[str, str]]:
    """Each list as it is published, and what of it is the compressed bits."""
    made = []
    for number, statuses in enumerate(revoked):
        lst = status_list.compressed(status_list.packed(statuses, size=LIST_SIZE))
        uri = f"https://haiyiban.example/api/v1/status-lists/{number}"
        made.append((status_list.sign(uri, lst, issued_at=NOW, key=key), lst))
    return made


def _revoked(places: int) -> list[list[tuple[int, StatusCode]]]:
    """By list, the places that are not valid, drawn as the program draws places: anywhere."""
    chance = random.Random(places)
    lists = -(-places // LIST_SIZE)
    in_each = round(places * SHARE / lists)
    return [
        [(place, StatusCode.REVOKED) for place in chance.sample(range(LIST_SIZE), in_each)]
        for _ in range(lists)
    ]


def _packed(revoked: list[list[tuple[int, StatusCode]]]) -> list[bytes]:
    return [status_list.packed(statuses, size=LIST_SIZE) for statuses in revoked]


def _least(lists: list[bytes], key: ec.EllipticCurvePrivateKey) -> None:
    """What nobody can save: the compression that the standard asks for, and one signature a list."""
    for bits in lists:
        key.sign(zlib.compress(bits, 9), ec.ECDSA(hashes.SHA256()))


def _status_lists_seconds(places: int, key: SigningKey) -> float:
    revoked = _revoked(places)
    return _cpu(lambda: publish(revoked, key))


def _deny_list_seconds(phones: int, key: SigningKey) -> float:
    """The deny-list with one of a hundred phones' codes on it, written and signed; and read back by its
    entries, so that nothing is left out."""
    chance = random.Random(phones)
    entries = frozenset(chance.randbytes(CTI_BYTES) for _ in range(round(phones * SHARE)))
    texts: list[str] = []
    seconds = _cpu(lambda: texts.append(deny_list.sign(DenyList(entries, NOW), key)))
    payload = jws.from_base64url(texts[0].split(".")[1])
    if payload.count(b'"') != 2 * (len(entries) + 3):  # three names beside them
        raise RuntimeError("the deny-list lacks somebody")
    return seconds


def _cpu(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _size(name: str, size: int, most: int) -> Ratio:
    return Ratio(
        name=name,
        against=f"{most / 1e6:g} MB",
        rounds=(round(size / most, 4),),
        better="less",
        reach=1.0,
        value=round(size / 1e6, 3),
        unit="MB",
    )


def _growth(name: str, work: str, costs: dict[int, float], *, reach: float = 1.1) -> Growth:
    return Growth(
        name=name,
        unit="s CPU",
        work=work,
        sizes=tuple(costs),
        costs=tuple(round(cost, 4) for cost in costs.values()),
        reach=reach,
    )


def _key() -> SigningKey:
    """An issuing key for lists, made as a deployment makes it."""
    with tempfile.TemporaryDirectory(prefix="haiyiban-bench-") as folder:
        return FileKeys.create(Path(folder), Suite.INTERNATIONAL).signing("list")[0]
