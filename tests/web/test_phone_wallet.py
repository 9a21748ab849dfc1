"""The wallet on the phone: the holder's face on a certificate, there while somebody looks."""

from __future__ import annotations

import httpx
from playwright.async_api import expect

from tests.web.phone_steps import Phone
from tests.web.test_phone_papers import certified, insured, phone

__all__ = ["phone"]

NOT_REVOKED = """() => {
  window.dropped = []
  const drop = URL.revokeObjectURL
  URL.revokeObjectURL = (address) => { window.dropped.push(address); drop.call(URL, address) }
}"""
SHIFTS = """() => {
  window.shift = 0
  new PerformanceObserver((list) => list.getEntries().forEach((each) => { window.shift += each.value }))
    .observe({ type: 'layout-shift', buffered: true })
}"""


async def test_a_certificate_shows_its_holder_and_drops_the_picture_on_leaving(
    phone: Phone, api: httpx.AsyncClient, sandbox: httpx.AsyncClient
) -> None:
    citizen = await insured(api, sandbox)
    mine = await certified(citizen, api)
    page = phone.page
    await phone.arrive(citizen.somebody)
    await page.add_init_script(f"({NOT_REVOKED})()")
    await page.add_init_script(f"({SHIFTS})()")
    await phone.open(f"/certificates/{mine['id']}")
    face = page.get_by_role("img", name="符有证的证件照")
    await expect(face).to_be_visible()
    assert await face.evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 96
    address = await face.get_attribute("src")
    assert address is not None
    assert address.startswith("blob:")
    assert await page.evaluate("window.shift") <= 0.02
    await page.get_by_role("link", name="谁看过我的全部信息").click()
    await page.wait_for_url("**/me/access-log")
    assert address in await page.evaluate("window.dropped")


async def test_a_certificate_is_as_good_without_its_portrait(
    phone: Phone, api: httpx.AsyncClient, sandbox: httpx.AsyncClient, expected: list[str]
) -> None:
    expected.append("503")
    citizen = await insured(api, sandbox)
    mine = await certified(citizen, api)
    page = phone.page
    await phone.arrive(citizen.somebody)
    await sandbox.post("/faults", json={"register": "population", "mode": "error"})
    try:
        await phone.open(f"/certificates/{mine['id']}")
        await expect(page.get_by_label("证照正面")).to_contain_text("照片暂时取不到")
    finally:
        await sandbox.post("/faults", json={"register": "population", "mode": "off"})
    await expect(page.get_by_role("alert")).to_have_count(0)
    await expect(page.get_by_role("link", name="亮出此证")).to_be_visible()
