"""The public page on which a parent checks a draw, in a real browser against the whole application."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from tests import builders
from tests.web.test_draw_check_agrees import a_draw
from tests.zones.school_places.conftest import MakeRound, accept, apply, drawn, family

VERDICT = "#verdict h2"
FILES = {"index.html", "style.css", "page.js", "worker.js", "checking.js"}


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[bytes], Path]:
    """A public file as a parent keeps it."""

    def save(document: bytes) -> Path:
        path = tmp_path / "draw.json"
        path.write_bytes(document)
        return path

    return save


async def check(page: Page, site: str, path: Path, **typed: str) -> None:
    """Pick a file, type what is given, and wait for the verdict."""
    await page.goto(f"{site}/draw-check")
    await page.set_input_files("#file", path)
    if typed.keys() & {"commitment", "roll-hash"}:
        await page.click("summary")
    for name, value in typed.items():
        await page.fill(f"#{name}", value)
    await page.click("#start")
    await expect(page.locator(VERDICT)).to_be_visible()


async def test_a_saved_file_is_checked_step_by_step(
    page: Page, site: str, saved: Callable[[bytes], Path]
) -> None:
    await check(page, site, saved(a_draw()))
    await expect(page.locator(VERDICT)).to_contain_text("核验通过")
    assert await page.locator("#steps .holds").count() == 8
    await expect(page.locator("#published")).to_contain_text("没有这份名册")


async def test_an_altered_file_is_refused_and_the_place_is_named(
    page: Page, site: str, saved: Callable[[bytes], Path]
) -> None:
    document = json.loads(a_draw())
    document["placements"][3] = -1
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    await check(page, site, saved(text.encode()))
    await expect(page.locator("#verdict")).to_contain_text("/placements/3")
    await expect(page.locator("#step-placements")).to_have_class("differs")
    assert await page.locator("#steps .holds").count() == 5


async def test_what_a_family_noted_before_the_draw_is_compared(
    page: Page, site: str, saved: Callable[[bytes], Path]
) -> None:
    document = a_draw()
    noted = json.loads(document)
    right = {"commitment": noted["commitment"].upper(), "roll-hash": f" {noted['rollHash']} "}
    await check(page, site, saved(document), **right)
    await expect(page.locator(VERDICT)).to_contain_text("核验通过")
    await check(page, site, saved(document), **{"roll-hash": "0" * 64})
    await expect(page.locator("#verdict")).to_contain_text("名册哈希与先前公布的不一致")


async def test_a_child_is_told_its_number_and_why_at_each_school(
    page: Page, site: str, saved: Callable[[bytes], Path]
) -> None:
    document = a_draw()
    content: dict[str, Any] = json.loads(document)
    card = page.locator("#child")
    await check(page, site, saved(document), pseudonym="p000")
    for at, pupil in enumerate(content["roll"]["pupils"]):
        await page.fill("#pseudonym", pupil["pseudonym"])
        await page.click("#start")
        await expect(card.locator(".number")).to_have_text(str(content["lottery"][at]))
        placed = content["placements"][at]
        admitted = await card.locator(".schools .admitted").count()
        assert admitted == (0 if placed == -1 else 1)
        if placed != -1:
            name = content["roll"]["schools"][placed]["id"]
            await expect(card.locator(".schools .admitted")).to_contain_text(name)


async def test_a_pseudonym_that_is_not_on_the_roll_is_said_so(
    page: Page, site: str, saved: Callable[[bytes], Path]
) -> None:
    await check(page, site, saved(a_draw()), pseudonym="<b>nobody</b>")
    await expect(page.locator("#child")).to_contain_text("没有这个代号")


async def test_a_published_draw_is_checked_by_its_address(
    page: Page,
    site: str,
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    make_round: MakeRound,
    clerk: dict[str, str],
    officer: dict[str, str],
) -> None:
    made = await make_round({"A": 1, "B": 1})
    who = family("A")
    headers = await builders.resident(api, sandbox, who)
    choices = [made.schools["A"], made.schools["B"]]
    applied = await apply(api, headers, choices, child=who.children[0]["idNumber"])
    assert applied.status_code == 200, applied.text
    await accept(api, clerk, applied.json())
    run = await drawn(api, officer, made)
    places = (await api.get("/zones/school-places/placements", headers=headers)).json()["items"]
    pseudonym = next(place["pseudonym"] for place in places if place["runId"] == run)
    await page.goto(f"{site}/draw-check?run={run}")
    await expect(page.locator(VERDICT)).to_contain_text("核验通过")
    await expect(page.locator("#published")).to_contain_text("与本网站公布的一致")
    await page.fill("#pseudonym", pseudonym)
    await page.click("#start")
    await expect(page.locator("#child .admitted")).to_contain_text("第 1 志愿 A小学")


async def test_a_draw_that_does_not_exist_is_said_so(page: Page, site: str) -> None:
    await page.goto(f"{site}/draw-check?run=0190a0a0-0000-7000-8000-000000000000")
    await expect(page.locator(VERDICT)).to_contain_text("没有这次摇号")


async def test_nothing_chosen_is_said_in_words(page: Page, site: str) -> None:
    await page.goto(f"{site}/draw-check")
    await page.click("#start")
    await expect(page.locator("#verdict")).to_contain_text("请先选")


async def test_without_javascript_the_page_says_what_to_do(browser: Browser, site: str) -> None:
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{site}/draw-check")
    await expect(page.locator("#no-script")).to_be_visible()
    await expect(page.locator("#no-script")).to_contain_text("haiyiban draw verify")
    await context.close()


async def test_the_keyboard_is_enough(page: Page, site: str, saved: Callable[[bytes], Path]) -> None:
    await page.goto(f"{site}/draw-check")
    await page.set_input_files("#file", saved(a_draw()))
    await page.keyboard.press("Tab")
    await expect(page.locator(".skip")).to_be_focused()
    await page.keyboard.press("Enter")
    for _ in range(12):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.id") == "start":
            break
    await page.keyboard.press("Enter")
    await expect(page.locator(VERDICT)).to_be_focused()


@pytest.mark.parametrize("elder", [False, True], ids=["usual", "elder"])
async def test_no_screen_needs_scrolling_sideways(
    page: Page, site: str, saved: Callable[[bytes], Path], elder: bool
) -> None:
    await check(page, site, saved(a_draw()), pseudonym="p001")
    if elder:
        await page.click("#elder")
        assert await page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") >= 18
    for width in (320, 390, 1440):
        await page.set_viewport_size({"width": width, "height": 844})
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
    await page.click("summary")
    least = 60 if elder else 44
    small = await page.evaluate(
        "least => [...document.querySelectorAll('button, input, select, summary')]"
        ".filter(each => each.getBoundingClientRect().height < least).map(each => each.id || each.tagName)",
        least,
    )
    assert small == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_text_stands_out_from_its_ground(
    page: Page, site: str, saved: Callable[[bytes], Path], scheme: Any
) -> None:
    await page.emulate_media(color_scheme=scheme)
    await check(page, site, saved(a_draw()), pseudonym="p001")
    assert await page.evaluate(CONTRASTS_BELOW, 4.5) == []


CONTRASTS_BELOW = r"""least => {
  const channel = (value) => (value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const numbers = (colour) => colour.match(/[\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = numbers(colour).map(channel);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const style = getComputedStyle(each);
      if (style.backgroundImage !== 'none') return style.backgroundImage.match(/rgb\([^)]*\)/g);
      const [, , , alpha = 1] = numbers(style.backgroundColor);
      if (alpha === 1) return [style.backgroundColor];
    }
    return ['rgb(255, 255, 255)'];
  };
  const own = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  return [...document.body.querySelectorAll('*')]
    .filter((element) => own(element) && element.checkVisibility())
    .filter((element) => ground(element).some((under) => {
      const pair = [light(getComputedStyle(element).color), light(under)].sort((a, b) => b - a);
      return (pair[0] + 0.05) / (pair[1] + 0.05) < least;
    }))
    .map((element) => element.outerHTML.slice(0, 100));
}"""


async def test_files_are_sent_again_only_when_they_changed(site: str) -> None:
    async with httpx.AsyncClient(base_url=site) as client:
        for name in ("", *(f"/{file}" for file in FILES)):
            first = await client.get(f"/draw-check{name}")
            assert first.status_code == 200
            again = await client.get(
                f"/draw-check{name}", headers={"if-none-match": f'"x", W/{first.headers["etag"]}'}
            )
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == first.headers["etag"]
            head = await client.head(f"/draw-check{name}")
            assert (head.status_code, head.content) == (200, b"")


async def test_the_page_may_load_and_run_only_what_is_ours(site: str) -> None:
    async with httpx.AsyncClient(base_url=site) as client:
        html = await client.get("/draw-check")
        policy = html.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert set(re.findall(r'(?:src|href)="([^"#]*)"', html.text)) == {
            "data:,",
            "/draw-check/style.css",
            "/draw-check/page.js",
        }
        script = await client.get("/draw-check/worker.js")
        assert script.headers["content-security-policy"] == policy
        assert script.headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize("name", ["none.js", "..%2f..%2fmodels.py", "%2e%2e", "models.py", "__init__.py"])
async def test_no_other_file_is_served(site: str, name: str) -> None:
    async with httpx.AsyncClient(base_url=site) as client:
        assert (await client.get(f"/draw-check/{name}")).status_code == 404
