"""Acting for others on the phone: made, accepted, used, and ended at once."""

from __future__ import annotations

import re
from datetime import date

import httpx
import pytest
from playwright.async_api import Page, expect

from tests import builders
from tests.builders import Somebody, settle
from tests.kernel.cases.office import PROOF
from tests.kernel.delegations.people import bounds
from tests.web.phone_steps import Phone, pass_face

INSURED = {"socialInsurance": {"months": 70, "division": "460105"}}


@pytest.fixture
def phone(page: Page, site: str, sandbox: httpx.AsyncClient, worker: None) -> Phone:
    """A phone on which nobody is signed in."""
    return Phone(page, site, sandbox)


async def headers_of(somebody: Somebody) -> dict[str, str]:
    """The same person over the API, from another device."""
    grant = await builders.arrive(somebody.name, somebody.id_number, somebody.phone)
    return {"Authorization": f"Bearer {grant.access_token}"}


async def choose_proof(phone: Phone) -> None:
    """The proof of social insurance, found by its name."""
    await phone.page.get_by_role("searchbox", name="找要办的事").fill("参保证明")
    await phone.page.locator("form .rows .row", has_text="参保").first.click()
    await expect(phone.page.locator(".chosen li")).to_have_count(1)


async def test_a_delegation_is_given_with_its_bounds_and_ended_at_once(
    phone: Phone, sandbox: httpx.AsyncClient, api: httpx.AsyncClient
) -> None:
    giver = await settle(sandbox, Somebody(name="林委托", more=INSURED))
    taker = await settle(sandbox, Somebody(name="周代办"))
    await phone.arrive(giver)
    page = phone.page
    await phone.open("/me/delegations")
    await phone.tap("我委托别人", role="radio")
    await expect(page.get_by_text("还没有委托别人")).to_be_visible()
    await phone.tap("新的委托", role="link")
    await page.fill("#taker-name", taker.name)
    await page.fill("#other-number", taker.id_number)
    await choose_proof(phone)
    await page.fill("#times", "1")
    await page.select_option("#notices", "giver")
    await expect(page.get_by_text("不得收取费用")).to_be_visible()
    await page.check("#agreed")
    await page.get_by_role("button", name="提交", exact=True).dblclick()
    card = page.locator("article.card")
    await expect(card).to_contain_text("等代办人接受")
    await expect(card).to_contain_text("0 / 1 次")
    mine, theirs = await headers_of(giver), await headers_of(taker)
    [made] = (await api.get("/delegations", params={"side": "giver"}, headers=mine)).json()["items"]
    assert (made["times"], made["notices"]) == (1, "giver")
    assert [each["code"] for each in made["matters"]] == [PROOF]
    accepted = await api.post(f"/delegations/{made['id']}/acceptance", json={}, headers=theirs)
    assert accepted.status_code == 200, accepted.text
    await page.reload()
    await phone.tap("我委托别人", role="radio")
    await expect(card).to_contain_text("有效")
    await card.get_by_role("button", name="解除委托").click()
    await expect(page.get_by_role("button", name="不解除")).to_be_focused()
    await phone.tap("立即解除")
    await expect(card).to_contain_text("已解除")
    refused = await api.post("/cases", json={"matter": PROOF, "onBehalfOf": made["id"]}, headers=theirs)
    assert refused.status_code == 403


async def test_who_is_asked_accepts_and_applies_and_the_case_says_for_whom(
    phone: Phone, sandbox: httpx.AsyncClient, api: httpx.AsyncClient
) -> None:
    giver = await settle(sandbox, Somebody(name="林委托", more=INSURED))
    taker = await settle(sandbox, Somebody(name="周代办"))
    mine = await headers_of(giver)
    asked = {"basis": "agreement", "taker": {"name": taker.name, "idNumber": taker.id_number}} | bounds()
    made = await api.post("/delegations", json=asked, headers=mine)
    assert made.status_code == 201, made.text
    page = phone.page
    await phone.arrive(taker)
    await phone.open("/")
    await phone.tap("林*托 请您代办", role="link")
    await phone.tap("接受委托")
    await expect(page.locator("article.card")).to_contain_text("有效")
    await page.get_by_role("link", name=re.compile("去办")).click()
    await expect(page.get_by_text("您正在替林*托办理")).to_be_visible()
    await phone.tap("开始办理")
    await page.wait_for_url("**/form")
    await expect(page.get_by_text("您正在替林*托办理")).to_be_visible()
    await phone.open("/me/delegations")
    await phone.tap("替TA办的件", role="link")
    await page.locator("a.case").click()
    await expect(page.get_by_text("您正在替林*托办理")).to_be_visible()
    await phone.open("/cases")
    await expect(page.get_by_text("还没有办件")).to_be_visible()
    [case] = (await api.get("/cases", headers=mine)).json()["items"]
    await page.goto(f"{phone.site}/m/cases/{case['id']}")
    await expect(page.get_by_text("周*办 替 林*托 办理（双方同意）")).to_be_visible()


async def test_a_parent_agrees_by_face_on_the_childs_phone(
    phone: Phone, sandbox: httpx.AsyncClient, api: httpx.AsyncClient
) -> None:
    adult = Somebody(name="符成年")
    mother = Somebody(
        name="符阿婆",
        id_number=builders.id_number(date(1955, 3, 8)),
        children=[{"name": adult.name, "idNumber": adult.id_number}],
        more={"socialInsurance": {"months": 300, "division": "460105"}},
    )
    await settle(sandbox, mother)
    await settle(sandbox, adult)
    page = phone.page
    await phone.arrive(adult)
    await phone.open("/me/delegations/new")
    await page.get_by_role("radio", name=re.compile("我替父母办")).check()
    await page.fill("#other-number", mother.id_number)
    await choose_proof(phone)
    await page.check("#agreed")
    await page.get_by_role("button", name="提交", exact=True).click()
    await expect(page.get_by_text("请父母在这部手机上刷脸")).to_be_visible()
    async with page.expect_popup() as opened:
        await phone.tap("请委托人在这部手机上刷脸")
    await pass_face(await opened.value)
    await expect(page.locator("article.card")).to_contain_text("有效")


async def test_what_cannot_be_delegated_is_said_at_its_field_and_nothing_typed_is_lost(
    phone: Phone, sandbox: httpx.AsyncClient, expected: list[str]
) -> None:
    expected.append("422")
    giver = await settle(sandbox, Somebody(name="林委托"))
    page = phone.page
    await phone.arrive(giver)
    await phone.open("/me/delegations/new")
    await page.fill("#taker-name", "周代办")
    await page.fill("#other-number", "460105199001011234")
    await choose_proof(phone)
    await page.check("#agreed")
    await page.get_by_role("button", name="提交", exact=True).click()
    await expect(page.locator("#other-number")).to_have_attribute("aria-invalid", "true")
    await expect(page.locator("#taker-name")).to_have_value("周代办")
    await expect(page.locator(".chosen li")).to_have_count(1)
