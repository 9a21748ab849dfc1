"""A case between two deployments, each with its own database and keys."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from haiyiban.codes.verify_command import verify
from tests.zones.cross_province.pair import GUANGDONG, HAINAN, MATTER, Pair


async def test_a_case_is_taken_in_here_decided_there_and_its_certificate_shown_here(pair: Pair) -> None:
    offered = await pair.hainan.api.get("/zones/cross-province/matters")
    [matter] = offered.json()["items"]
    assert (matter["division"], matter["code"], matter["promiseWorkdays"]) == (GUANGDONG, MATTER, 2)

    headers, number = await pair.resident()
    case = await pair.apply(headers)
    assert case["state"] == "taken_in"
    await pair.pump()
    reached = await pair.read(case["id"], headers)
    assert reached["state"] == "reached"
    assert reached["remoteNumber"]
    assert reached["remoteNumber"] != reached["number"]

    clerk = await pair.guangdong.clerk("human-resources", "440000")
    there = await pair.desk_case(case["id"])
    shown = await pair.act(clerk, there, "accept")
    assert shown["form"]["applicant"]["idNumber"] == number
    [note] = [one for one in shown["findings"] if one["code"] == "cross-province"]
    assert HAINAN in note["message"]
    assert shown["form"]["insurance"] == {"months": 70, "division": "440100"}
    await pair.pump()
    assert (await pair.read(case["id"], headers))["state"] == "reached", "it can be undone for a minute"
    await pair.pass_time(seconds=61)
    await pair.pump()
    accepted = await pair.read(case["id"], headers)
    assert (accepted["state"], accepted["dueOn"]) == ("accepted", shown["dueOn"])

    await pair.act(clerk, there, "approve")
    await pair.pass_time(seconds=61)
    await pair.pump()
    done = await pair.read(case["id"], headers)
    assert (done["state"], done["outcome"]) == ("delivered", "approved")
    certificate = done["certificate"]
    assert certificate["issuer"] == "广东省社会保险基金管理局"
    assert certificate["claims"]["months"] == 70
    assert certificate["code"].startswith("HYB1:")
    await pair.pump()
    states = await pair.guangdong.do("rows", "SELECT state FROM cross_province_case")
    assert ["delivered"] in states
    told = await pair.hainan.do("told")
    assert [one for one in told if one.startswith("cross-province")][-3:] == [
        "cross-province.taken-in",
        "cross-province.accepted",
        "cross-province.result",
    ]


async def test_what_a_deployment_takes_from_others_is_published_signed(pair: Pair) -> None:
    answer = await pair.guangdong.api.get("/zones/cross-province/offer")
    assert answer.status_code == 200
    assert [(one["code"], one["promiseDays"]) for one in answer.json()["matters"]] == [(MATTER, 2)]
    assert 'tag="haiyiban-receipt"' in answer.headers["signature-input"]


async def test_a_terminal_that_trusts_both_places_verifies_what_either_issued(
    pair: Pair, both_homes: Path, tmp_path: Path
) -> None:
    headers, _ = await pair.resident()
    case = await pair.apply(headers)
    await pair.pump()
    clerk, there = await pair.guangdong.clerk("human-resources", "440000"), await pair.desk_case(case["id"])
    for verb in ("accept", "approve"):
        await pair.act(clerk, there, verb)
    await pair.pass_time(seconds=61)
    await pair.pump()
    certificate = (await pair.read(case["id"], headers))["certificate"]

    options: dict[str, list[str]] = {}
    for one in (pair.hainan, pair.guangdong):
        given = ["--trust-root", str(both_homes / one.division / "keys" / "trust-root.jwk")]
        for option, path in (
            ("--trust-list", "/trust-list"),
            ("--deny-list", "/deny-list"),
            ("--status-list", "/status-lists/0"),
        ):
            answer = await one.api.get(path)
            if answer.status_code == 404 and option == "--status-list":
                continue  # Hainan has printed nothing yet
            file = tmp_path / f"{one.division}{option}"
            file.write_text(answer.text)
            given += [option, str(file)]
        options[one.division] = [*given, "--issuer", one.division]
    now = await pair.guangdong.do("now")
    both = [*options[HAINAN], *options[GUANGDONG], "--at", now, "--json"]
    done = CliRunner().invoke(verify, both, input=certificate["code"])
    said = json.loads(done.stdout)
    assert (done.exit_code, said["outcome"], said["says"]["issuer"]) == (0, "valid", GUANGDONG), done.output
    ours_alone = CliRunner().invoke(
        verify, [*options[HAINAN], "--at", now, "--json"], input=certificate["code"]
    )
    assert (ours_alone.exit_code, json.loads(ours_alone.stdout)["outcome"]) == (1, "unknown_issuer")


async def test_a_certificate_waits_for_the_trust_list_that_proves_it(pair: Pair) -> None:
    """The line is cut after the result came: it is not taken for unproven, and not lost."""
    headers, _ = await pair.resident()
    case = await pair.apply(headers)
    await pair.pump()
    clerk, there = await pair.guangdong.clerk("human-resources", "440000"), await pair.desk_case(case["id"])
    for verb in ("accept", "approve"):
        await pair.act(clerk, there, verb)
    await pair.hainan.do("rows_changed", "UPDATE cross_province_neighbour SET trust_list = NULL")
    await pair.pass_time(seconds=61)
    await pair.guangdong.do("run", "cross-province.report", "cross-province.deliver-due")
    pair.guangdong.line.mode = "cut"
    await pair.hainan.do("run", "cross-province.process-waiting")
    assert (await pair.read(case["id"], headers))["state"] == "accepted"
    pair.guangdong.line.mode = "open"
    await pair.hainan.do("run", "cross-province.process-waiting")
    assert (await pair.read(case["id"], headers))["certificate"]["issuer"] == "广东省社会保险基金管理局"
