"""The line between deployments: HTTPS under the authorities that the agreement pins, or nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from haiyiban.bilingual import Text
from haiyiban.crypto import FileKeys
from haiyiban.runtime import tls_line
from services.cross_province import directory, line
from services.cross_province.directory import NotAgreed, Party
from services.cross_province.line import NoSafeLine
from tests.zones.cross_province.pair import GUANGDONG, HAINAN, Pair, agreement

WAITING = "SELECT last_error FROM cross_province_outgoing WHERE receipt IS NULL"


async def test_the_two_speak_https(pair: Pair) -> None:
    for one in (pair.hainan, pair.guangdong):
        [[origin]] = await one.do(
            "rows",
            "SELECT party ->> 'origin' FROM cross_province_neighbour, "
            "jsonb_array_elements(agreement -> 'agreement' -> 'parties') party "
            "WHERE party ->> 'division' = cross_province_neighbour.division",
        )
        assert origin.startswith("https://127.0.0.1:")


@pytest.mark.parametrize("wrong", ["another authority", "another host"])
async def test_who_answers_with_a_wrong_certificate_gets_nothing(
    pair: Pair, wrong: str, both_homes: Path, tmp_path: Path
) -> None:
    """Somebody sits on the line: under an authority of their own, or with the certificate of another host."""
    context = pair.guangdong.line.tls
    now = datetime.now(UTC)
    if wrong == "another authority":
        impostor = tls_line.identity(tmp_path, now=now)
    else:
        # The pinned authority's own word, but for another host.
        impostor = tls_line.identity(tmp_path, now=now, host="example.test")
        await trusting(pair, impostor.root.read_text())
    headers, _ = await pair.resident()
    context.load_cert_chain(impostor.certificate)
    try:
        case = await pair.apply(headers)
        await pair.hainan.do("run", "cross-province.deliver-due")
        [[error]] = await pair.hainan.do("rows", WAITING)
        assert error.startswith("the certificate is refused"), error
        assert (await pair.read(case["id"], headers))["state"] == "taken_in"
        came = f"SELECT count(*) FROM cross_province_incoming WHERE case_id = '{case['id']}'"
        assert await pair.guangdong.count(came) == 0
    finally:
        context.load_cert_chain(both_homes / GUANGDONG / "tls" / "server.pem")
        await trusting(pair)
    await pair.pass_time(minutes=1)
    await pair.pump()
    assert (await pair.read(case["id"], headers))["state"] == "reached"


async def trusting(pair: Pair, *roots: str) -> None:
    """Both accept an agreement in which Guangdong's certificate is under these authorities; its own, unless
    said."""
    document = await agreement(pair, tls_roots=roots)
    for one in (pair.hainan, pair.guangdong):
        await one.do("accept", document)


def described(tmp_path: Path, **members: object) -> Party:
    keys = FileKeys.create(tmp_path).signing("exchange")
    usual = {
        "division": HAINAN,
        "name": Text(zh="海南省", en="Hainan"),
        "uscc": "12460000MB1H0B024H",
        "origin": "https://example.test",
        "keys": keys,
        "trust_root": {},
    }
    return directory.describe(**usual | members)  # type: ignore[arg-type]


def test_in_production_nothing_goes_over_plain_http(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = described(tmp_path, origin="http://example.test")
    monkeypatch.setenv("HAIYIBAN_ENV", "demo")
    line.client(plain)
    monkeypatch.delenv("HAIYIBAN_PASSWORD_KIB", raising=False)
    monkeypatch.setenv("HAIYIBAN_ENV", "production")
    with pytest.raises(NoSafeLine):
        line.client(plain)
    line.client(described(tmp_path))


def test_authorities_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotAgreed):
        line.pinned(described(tmp_path, tls_roots=["not a certificate"]))


def test_an_agreement_of_before_authorities_could_be_pinned_still_counts(tmp_path: Path) -> None:
    """What is signed of a description without them is what was always signed."""
    assert "tlsRoots" not in msgspec.to_builtins(described(tmp_path))
