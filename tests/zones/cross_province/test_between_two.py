"""A case between two deployments, each with its own database and keys."""

from __future__ import annotations

from tests.zones.cross_province.pair import GUANGDONG, MATTER, Pair


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
