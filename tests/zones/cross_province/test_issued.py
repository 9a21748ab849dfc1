"""What becomes of a certificate after its issue is told to the other place: once, in order, and for good."""

from __future__ import annotations

from typing import Any

from tests.builders import slug
from tests.zones.cross_province.pair import Pair

CASES = "/zones/cross-province/cases"


async def decided(pair: Pair) -> tuple[dict[str, str], dict[str, Any], str]:
    """An approved case: who applied, the certificate as Hainan shows it, its case."""
    headers, _ = await pair.resident()
    case = await pair.apply(headers)
    await pair.pump()
    clerk, there = await pair.guangdong.clerk("human-resources", "440000"), await pair.desk_case(case["id"])
    for verb in ("accept", "approve"):
        await pair.act(clerk, there, verb)
    await later(pair)
    shown = await pair.read(case["id"], headers)
    assert shown["certificate"]["status"] == "valid"
    return headers, shown["certificate"], case["id"]


async def later(pair: Pair) -> None:
    await pair.pass_time(seconds=61)
    await pair.pump()


async def look_after(
    pair: Pair, certificate: dict[str, Any], verb: str, *, expect: int = 200, **body: Any
) -> dict[str, Any]:
    """What Guangdong's clerk does to a certificate at the ordinary desk."""
    clerk = await pair.guangdong.clerk("human-resources", "440000")
    found = await pair.guangdong.api.get(
        "/desk/certificates", params={"number": certificate["identifier"]}, headers=clerk
    )
    [one] = found.json()["items"]
    answer = await pair.guangdong.api.post(
        f"/desk/certificates/{one['id']}/{verb}", json={"reason": "核查后更正"} | body, headers=clerk
    )
    assert answer.status_code == expect, answer.text
    return dict(answer.json())


async def told_last(pair: Pair) -> str:
    return str((await pair.hainan.do("told"))[-1])


async def test_a_revocation_there_ends_what_is_shown_here(pair: Pair) -> None:
    headers, certificate, cross_id = await decided(pair)
    await look_after(pair, certificate, "revocation", reason="参保地认定有误")
    await later(pair)
    shown = (await pair.read(cross_id, headers))["certificate"]
    assert (shown["status"], shown["code"], shown["statusReason"]) == ("revoked", None, "参保地认定有误")
    assert shown["statusAt"]
    assert await told_last(pair) == "certificates.revoked"
    # Told once, whoever looks again.
    told = (
        f"SELECT count(*) FROM cross_province_incoming WHERE case_id = '{cross_id}' AND type = 'certificate'"
    )
    await later(pair)
    assert await pair.hainan.count(told) == 1
    proof = await pair.guangdong.do("proof", cross_id)
    assert '\\"type\\":\\"certificate\\"' in proof, "both sides can prove that it was told"


async def test_a_suspension_is_told_and_so_is_its_end(pair: Pair) -> None:
    headers, certificate, cross_id = await decided(pair)
    await look_after(pair, certificate, "suspension")
    await later(pair)
    assert (await pair.read(cross_id, headers))["certificate"]["code"] is None
    await look_after(pair, certificate, "reinstatement")
    await later(pair)
    back = (await pair.read(cross_id, headers))["certificate"]
    assert (back["status"], back["code"]) == ("valid", certificate["code"])
    assert await told_last(pair) == "certificates.reinstated"


async def test_a_corrected_version_takes_the_place_of_the_old_one(pair: Pair) -> None:
    headers, certificate, cross_id = await decided(pair)
    await look_after(pair, certificate, "correction", expect=201, claims={"months": 71})
    await later(pair)
    shown = (await pair.read(cross_id, headers))["certificate"]
    assert (shown["status"], shown["claims"]["months"]) == ("valid", 71)
    assert shown["identifier"] != certificate["identifier"]
    assert shown["code"] not in {None, certificate["code"]}
    assert await told_last(pair) == "certificates.reissued"


async def test_what_happened_while_the_line_was_cut_is_told_as_it_stands(pair: Pair) -> None:
    """Suspended, reinstated, corrected and revoked in the dark: only that it is revoked counts."""
    headers, certificate, cross_id = await decided(pair)
    pair.hainan.line.mode = "cut"
    await look_after(pair, certificate, "suspension")
    await later(pair)
    await look_after(pair, certificate, "reinstatement")
    await later(pair)
    newer = await look_after(pair, certificate, "correction", expect=201, claims={"months": 71})
    await look_after(pair, {"identifier": newer["number"]}, "revocation")
    await later(pair)
    assert (await pair.read(cross_id, headers))["certificate"]["status"] == "valid"
    pair.hainan.line.mode = "open"
    await pair.pass_time(hours=1)
    await pair.pump()
    shown = (await pair.read(cross_id, headers))["certificate"]
    assert (shown["status"], shown["code"]) == ("revoked", None)
    told = (
        f"SELECT outcome FROM cross_province_incoming WHERE case_id = '{cross_id}' AND type = 'certificate'"
    )
    assert await pair.hainan.do("rows", told + " ORDER BY sequence") == [["done"]] * 3


async def test_a_revocation_is_for_good(pair: Pair) -> None:
    """Whatever the handling place says afterwards: here a version that its own desk could never make."""
    headers, certificate, cross_id = await decided(pair)
    await look_after(pair, certificate, "revocation")
    await later(pair)
    await pair.guangdong.do(
        "rows_changed",
        "UPDATE certificates_certificate SET status = 'valid' "
        f"WHERE identifier = '{certificate['identifier']}'",
    )
    await later(pair)
    assert (await pair.read(cross_id, headers))["certificate"]["status"] == "revoked"
    outcomes = (
        f"SELECT outcome FROM cross_province_incoming WHERE case_id = '{cross_id}' AND type = 'certificate'"
    )
    assert await pair.hainan.do("rows", outcomes + " ORDER BY sequence") == [["done"], ["already-revoked"]]


async def test_revoked_in_the_minute_of_its_approval_it_is_never_shown_as_valid(pair: Pair) -> None:
    headers, _ = await pair.resident()
    case = await pair.apply(headers)
    await pair.pump()
    clerk, there = await pair.guangdong.clerk("human-resources", "440000"), await pair.desk_case(case["id"])
    for verb in ("accept", "approve"):
        await pair.act(clerk, there, verb)
    listed = await pair.guangdong.api.get("/desk/certificates", headers=clerk)
    revoked = await pair.guangdong.api.post(
        f"/desk/certificates/{listed.json()['items'][0]['id']}/revocation",
        json={"reason": "当即发现有误"},
        headers=clerk,
    )
    assert revoked.status_code == 200, revoked.text
    await later(pair)
    shown = await pair.read(case["id"], headers)
    assert (shown["outcome"], shown["certificate"]["status"]) == ("approved", "revoked")
    undone = await pair.hainan.api.post(f"{CASES}/{case['id']}/withdrawal", headers=headers)
    assert (undone.status_code, slug(undone)) == (409, "not-now")
