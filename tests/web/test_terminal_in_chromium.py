"""The verifier's page as a terminal: a real camera picture, no network, and the way back."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import qrcode
from playwright.async_api import Page, expect
from sqlalchemy import select

from haiyiban import clock, verifiers
from haiyiban.codes.offline_records import OfflineBatch
from haiyiban.db import Database
from haiyiban.verifiers import terminals
from tests import builders
from tests.builders import Somebody
from tests.terminal import accredited_for
from tests.web.browsers import PHONE, launched, watched_page
from tests.web.camera import Lens
from tests.web.looks import AXE
from tests.web.verifier_steps import enrol

OWN_MS = 300

Show = Callable[[], Awaitable[str]]


@pytest.fixture
async def show(api: httpx.AsyncClient, sandbox: httpx.AsyncClient) -> Show:
    """The text of a fresh identity code of somebody."""
    headers = await builders.resident(api, sandbox, await builders.settle(sandbox, Somebody()))

    async def shown() -> str:
        return str((await api.post("/codes", json={"kind": "identity"}, headers=headers)).json()["text"])

    return shown


@pytest.fixture
async def one_time_code(database: Database, api: httpx.AsyncClient) -> str:
    """What the operator reads out to whoever sets a gate up."""
    verifier_id = await accredited_for(database, "gate")
    async with database.transaction() as session:
        terminal = await terminals.register(
            session, verifier_id, name="东门", place="美兰机场", purpose="gate", now=clock.now()
        )
        given = await terminals.give_code(session, terminal.id, life=timedelta(minutes=15), now=clock.now())
    return given.code


async def type_in(page: Page, text: str) -> None:
    await page.get_by_role("button", name="输入码号").click()
    await page.fill("#text", text)
    await page.get_by_role("button", name="核验", exact=True).click()


async def own_times(page: Page) -> list[float]:
    found: list[float] = await page.evaluate(
        "performance.getEntriesByName('verify.own').map((each) => each.duration)"
    )
    return found


@pytest.mark.service_worker
async def test_a_terminal_verifies_without_a_network_and_uploads_when_it_is_back(
    page: Page, site: str, one_time_code: str, show: Show, expected: list[str], database: Database
) -> None:
    expected += ["ERR_INTERNET_DISCONNECTED", "ERR_FAILED"]
    await enrol(page, site, one_time_code, "gate")
    kept = await page.evaluate(KEY)
    assert kept == {"extractable": False, "usages": ["sign"], "secret": "ArrayBuffer"}
    online, offline = await show(), await show()
    await type_in(page, online)
    await expect(page.get_by_role("dialog")).to_contain_text("有效")
    await page.get_by_role("button", name="下一个").click()

    await page.context.set_offline(True)
    await type_in(page, offline)
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("有效")
    await expect(dialog).to_contain_text("离线判断，名单")
    await expect(dialog).to_contain_text("分钟前更新")
    await page.get_by_role("button", name="下一个").click()
    await expect(page.get_by_text("离线核验中")).to_be_visible()
    await type_in(page, offline)
    await expect(page.get_by_role("dialog")).to_contain_text("已使用过")
    await page.get_by_role("button", name="下一个").click()
    await type_in(page, offline[:-4] + "AAAA")
    await expect(page.get_by_role("dialog").get_by_role("heading").first).not_to_have_text("有效")
    await page.get_by_role("button", name="下一个").click()
    await expect(page.get_by_text("3 条待上传")).to_be_visible()
    assert max(await own_times(page)) < OWN_MS

    # Reloaded with everything off: the page, its key, its lists and its queue are all there.
    await page.evaluate("navigator.serviceWorker.ready")
    await page.reload()
    await expect(page.get_by_text("离线核验中")).to_be_visible()
    await expect(page.get_by_text("3 条待上传")).to_be_visible()

    await page.context.set_offline(False)
    await expect(page.get_by_text("已联网")).to_be_visible(timeout=30_000)
    await expect(page.get_by_text("待上传")).to_have_count(0)
    async with database.reading() as session:
        batch = await session.scalar(select(OfflineBatch).order_by(OfflineBatch.id.desc()).limit(1))
    assert batch is not None
    results = json.loads(batch.answer)["results"]
    assert [each["kept"] for each in results] == [True, True, True]
    assert [each["outcome"] for each in results][:2] == ["valid", "already_used"]


KEY = """() => new Promise((done) => {
  const request = indexedDB.open('haiyiban-terminal')
  request.onsuccess = () => {
    const asked = request.result.transaction('self').objectStore('self').get('terminal')
    asked.onsuccess = () => done({
      extractable: asked.result.key.extractable,
      usages: asked.result.key.usages,
      secret: asked.result.secret.constructor.name,
    })
  }
})"""


async def test_a_shift_ends_with_its_sum_and_the_next_begins_at_nought(
    page: Page, site: str, gate_secret: verifiers.ClientSecret, show: Show
) -> None:
    await page.goto(f"{site}/m/verify")
    await page.fill("#client", gate_secret.client_id)
    await page.fill("#secret", gate_secret.client_secret)
    await page.get_by_role("button", name="进入核验").click()
    # What it is not accredited for is not offered to be refused.
    await expect(page.get_by_label("核验用途").locator("option")).to_have_text(["门岗放行"])
    text = await show()
    for wanted in ("有效", "已使用过", "已使用过"):
        await type_in(page, text)
        await expect(page.get_by_role("dialog")).to_contain_text(wanted)
        await page.get_by_role("button", name="下一个").click()
    await expect(page.get_by_text("本班记录 3 条")).to_be_visible()
    await page.get_by_role("button", name="交班").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.locator("dl > div", has_text="已使用过")).to_contain_text("2 次")
    await expect(dialog.locator("dl > div", has_text="有效")).to_contain_text("1 次")
    await page.evaluate(AXE.read_text())
    found = await page.evaluate("async () => (await axe.run(document)).violations.map((each) => each.id)")
    assert found == []
    if os.environ.get("SHOTS"):
        await page.screenshot(path=f"{os.environ['SHOTS']}/handover.png")
    await dialog.get_by_role("button", name="确认交班").click()
    await expect(page.get_by_label("密钥")).to_be_visible()
    await page.reload()
    await page.fill("#client", gate_secret.client_id)
    await page.fill("#secret", gate_secret.client_secret)
    await page.get_by_role("button", name="进入核验").click()
    await expect(page.get_by_label("核验用途")).to_be_visible()
    await expect(page.get_by_text("本班记录")).to_have_count(0)


@pytest.fixture
async def camera(
    site: str, show: Show, tmp_path: Path, gate_secret: verifiers.ClientSecret
) -> AsyncIterator[Page]:
    """A browser whose camera sees a fresh code on a desk."""
    lens = Lens(tmp_path / "code.y4m")
    made = qrcode.QRCode(border=4, box_size=1)
    made.add_data(await show())
    lens.see(made.make_image().convert("L"))
    async with launched(*lens.flags) as browser, watched_page(browser, [], viewport=PHONE) as page:
        await page.goto(f"{site}/m/verify")
        await page.fill("#client", gate_secret.client_id)
        await page.fill("#secret", gate_secret.client_secret)
        yield page


async def test_a_camera_reads_a_code_and_a_queue_goes_on_by_itself(camera: Page) -> None:
    """Word, icon, sound and vibration within 300 ms of our own; what still lies there is no next one."""
    page = camera
    await page.evaluate(
        "() => { navigator.vibrate = (how) => { window.buzzed = [...(window.buzzed ?? []), how];"
        " return true };"
        "const was = AudioContext.prototype.createOscillator;"
        "AudioContext.prototype.createOscillator = function () {"
        "  window.rung = (window.rung ?? 0) + 1; return was.call(this) } }"
    )
    await page.get_by_role("button", name="进入核验").click()
    await page.select_option("#purpose", "gate")
    await page.get_by_label("连续核验").check()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("有效", timeout=30_000)
    await expect(dialog.locator(".verdict svg")).to_be_visible()
    assert await page.evaluate("[window.buzzed, window.rung]") == [[60], 2]
    (own,) = await own_times(page)
    assert own < OWN_MS
    await expect(dialog).to_have_count(0)
    await page.wait_for_timeout(3000)
    await expect(page.get_by_text("本班记录 1 条")).to_be_visible()
