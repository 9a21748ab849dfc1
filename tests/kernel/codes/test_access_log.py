"""The holder reads who looked."""

from __future__ import annotations

from haiyiban import audit, context
from haiyiban.context import Context
from tests import builders


async def test_every_verification_is_in_the_holders_log(api, notice, show, scan, accredit) -> None:
    gate = await accredit("gate", name="滨海小学东门")
    await scan((await show(notice))["text"], by=gate, purpose="gate", place="东门")
    used = (await show(notice))["text"]
    await scan(used)
    await scan(used)
    answer = await api.get("/me/access-log", headers=notice.keeper)
    assert answer.status_code == 200
    again, accepted, at_the_gate = answer.json()["items"]
    assert [again["outcome"], accepted["outcome"]] == ["already_used", "valid"]
    assert at_the_gate["who"].startswith("滨海小学东门")
    assert at_the_gate["what"] == "小学新生录取通知书"
    assert at_the_gate["purpose"] == "门岗放行"
    assert at_the_gate["fields"] == ["school"]
    assert at_the_gate["place"] == "东门"
    assert at_the_gate["outcome"] == "valid"
    assert again["fields"] == []
    english = await api.get("/me/access-log", headers=notice.keeper | {"Accept-Language": "en"})
    assert english.json()["items"][2]["what"] == "Primary school admission notice"
    assert english.json()["items"][2]["purpose"] == "Letting someone in at a gate"


async def test_a_clerks_look_is_in_it_and_my_own_is_not(api, notice, database) -> None:
    await api.get(f"/certificates/{notice.id}", headers=notice.keeper)
    before = context.current()
    context.enter(Context(request_id="r", actor_kind="staff", actor_id=notice.id, actor_unit="education"))
    try:
        async with database.transaction() as session:
            await audit.record(
                session,
                "cases.read",
                subject=notice.child_id,
                object_kind="case",
                fields=["form"],
                reason="education.school-place",
            )
    finally:
        context.enter(before)
    (look,) = (await api.get("/me/access-log", headers=notice.keeper)).json()["items"]
    assert (look["who"], look["action"], look["fields"]) == ("海口市教育局", "cases.read", ["form"])
    assert look["purpose"] == "小学一年级学位申请"


async def test_it_comes_in_pages(api, notice, show, scan) -> None:
    text = (await show(notice))["text"]
    ids = [(await scan(text))["id"] for _ in range(5)]
    first = (await api.get("/me/access-log?limit=3", headers=notice.keeper)).json()
    rest = (await api.get(f"/me/access-log?limit=3&cursor={first['next']}", headers=notice.keeper)).json()
    assert [item["id"] for item in first["items"] + rest["items"]] == ids[::-1]
    assert rest["next"] is None


async def test_it_is_mine_alone(api, sandbox, notice, show, scan) -> None:
    await scan((await show(notice))["text"])
    stranger = await builders.resident(api, sandbox)
    assert (await api.get("/me/access-log", headers=stranger)).json() == {"items": [], "next": None}
    assert (await api.get("/me/access-log")).status_code == 401
