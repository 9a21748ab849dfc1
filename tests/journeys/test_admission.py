"""From a parent's phone to a notice that a school gate verifies."""

from __future__ import annotations

from tests.journeys.conftest import Platform
from tests.journeys.people import (
    Document,
    Official,
    Resident,
    Verifier,
    nothing_personal_in,
    resident,
)


def test_a_child_gets_a_school_place_and_the_notice_verifies_at_the_gate(platform: Platform) -> None:
    parent = resident(platform, "class 1")
    case = _apply(parent)
    _decide(platform, case)
    notice = _receive(parent, case)
    _show(platform, parent, notice)
    _correct(platform, parent, notice)
    nothing_personal_in(platform)


def _apply(parent: Resident) -> Document:
    found = parent.get("/matters", q="小孩上学")["items"][0]
    assert found["code"] == "education.school-place"
    case: Document = parent.post("/cases", {"matter": found["code"]}, expect=201)
    assert case["state"] == "draft"
    assert "/hukou/address" in case["locked"]
    assert parent.known["idNumber"] not in str(case), "register values come masked"
    # An ordinary family adds only its ranked schools.
    schools = parent.get("/zones/school-places/schools", division="460105")["items"]
    choices = [school["id"] for school in schools[:3]]
    parent.patch(f"/cases/{case['id']}", {"form": {"choices": choices}, "version": case["version"]})
    submitted: Document = parent.post(f"/cases/{case['id']}/submission")
    assert submitted["state"] == "submitted"
    assert len(submitted["number"]) == 45
    assert any(submitted["number"] in text for text in _until(parent, "已提交"))
    return submitted


def _decide(platform: Platform, case: Document) -> None:
    clerk = Official(platform, "clerk")
    queue = clerk.get("/desk/cases", state="submitted", matter=case["matter"])["items"]
    assert case["id"] in [row["id"] for row in queue]
    accepted = clerk.post(
        f"/desk/cases/{case['id']}/accept", {"note": "材料齐全", "version": case["version"]}
    )
    assert accepted["state"] == "accepted"
    assert accepted["clock"] == "running"
    assert accepted["dueOn"]
    officer = Official(platform, "officer")
    enrolment = officer.get("/zones/school-places/enrolments")["items"][0]
    runs = f"/zones/school-places/enrolments/{enrolment['id']}/allocation-runs"
    run = officer.post(runs, expect=201)
    assert run["state"] == "committed"
    drawn = officer.post(f"{runs}/{run['runId']}/draw", {"beacon": "2026-11-20|12345"})
    assert drawn["state"] == "drawn"
    officer.post(f"{runs}/{run['runId']}/publication")


def _receive(parent: Resident, case: Document) -> Document:
    placement = parent.get("/zones/school-places/placements")["items"][0]
    assert "第一志愿" in str(placement["explanation"])
    assert f"抽签号 {placement['lottery']}" in placement["explanation"]
    decided = parent.get(f"/cases/{case['id']}")
    assert decided["state"] == "approved"
    assert decided["clock"] == "ended"
    notice: Document = parent.get("/certificates")["items"][0]
    assert notice["type"] == "admission-notice"
    assert notice["status"] == "valid"
    assert notice["holderName"] == parent.known["children"][0]["name"]
    document = parent.http.get(f"/certificates/{notice['id']}/document")
    assert document.content.startswith(b"%PDF")
    return notice


def _show(platform: Platform, parent: Resident, notice: Document) -> None:
    code = parent.post("/codes", {"kind": "certificate", "subjectId": notice["id"]}, expect=201)
    assert code["text"].startswith("HYB1:")
    assert "<svg" in parent.http.get(f"/codes/{code['id']}/image.svg").text
    gate = Verifier(platform)
    seen = gate.scan(code["text"])
    assert seen["outcome"] == "valid", seen
    assert seen["certificate"]["type"] == "admission-notice"
    assert "*" in seen["holder"]["name"]
    again = gate.scan(code["text"])
    assert again["outcome"] == "already_used"
    assert again["advice"]
    assert parent.get(f"/codes/{code['id']}")["state"] == "used"
    assert any("verif" in str(entry).lower() for entry in parent.get("/me/access-log")["items"])


def _correct(platform: Platform, parent: Resident, notice: Document) -> None:
    """A corrected notice: the old version is revoked in the same step."""
    old = parent.post("/codes", {"kind": "certificate", "subjectId": notice["id"]}, expect=201)
    officer = Official(platform, "officer")
    claims = notice["claims"]
    officer.post(
        f"/desk/certificates/{notice['id']}/correction",
        {"claims": claims, "reason": "补正班级信息"},
        expect=201,
    )
    assert Verifier(platform).scan(old["text"])["outcome"] == "revoked"
    valid = [row for row in parent.get("/certificates")["items"] if row["status"] == "valid"]
    assert len(valid) == 1
    assert valid[0]["id"] != notice["id"]
    new = parent.post("/codes", {"kind": "certificate", "subjectId": valid[0]["id"]}, expect=201)
    assert Verifier(platform).scan(new["text"])["outcome"] == "valid"


def _until(parent: Resident, words: str) -> list[str]:
    import time

    deadline = time.monotonic() + 10
    while not any(words in text for text in parent.messages()):
        assert time.monotonic() < deadline, f"no SMS says {words}"
        time.sleep(0.05)
    return parent.messages()
