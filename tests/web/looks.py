"""Looking at a page in every state: what axe finds, what runs out of the window, what is too small to tap."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playwright.async_api import Page, expect

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
_Prefs = dict[str, Any]
PHONE: Mapping[str, _Prefs] = {
    # English at its largest is what is wide.
    "dark, elder and English": {"theme": "dark", "elder": True, "language": "en"},
    "elder": {"theme": "light", "elder": True},
    "dark": {"theme": "dark"},
    "light": {"theme": "light"},
}
DESK: Mapping[str, _Prefs] = {
    "English": {"theme": "light", "language": "en"},
    "dark": {"theme": "dark"},
    "light": {"theme": "light"},
}
"""The last is how a page is at first, so that a test goes on with it."""
LEAST, LEAST_ELDER = 44, 60
"""How high what one taps is at least, in pixels; in 长辈版."""


async def on_phone(page: Page) -> list[str]:
    """What is wrong with the page that is open, in each state of a phone."""
    return await _in_each(page, PHONE)


async def at_desk(page: Page) -> list[str]:
    """The same at a desk, where a mouse points."""
    return await _in_each(page, DESK)


async def as_it_is(page: Page, least: int = 0) -> list[str]:
    """What is wrong with the page as it stands, `least` pixels being high enough to tap."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE.read_text())
    return list(await page.evaluate(_LOOK, least))


async def _in_each(page: Page, states: Mapping[str, _Prefs]) -> list[str]:
    found: list[str] = []
    for name, prefs in states.items():
        await _turn(page, prefs)
        least = 0 if states is DESK else LEAST_ELDER if prefs.get("elder") else LEAST
        found += [f"{page.url} ({name}): {each}" for each in await as_it_is(page, least)]
    return found


async def _turn(page: Page, prefs: _Prefs) -> None:
    """As a page takes over what was chosen in another tab."""
    await page.evaluate(
        """prefs => {
          localStorage.setItem('haiyiban.prefs', JSON.stringify(prefs))
          dispatchEvent(new StorageEvent('storage', { key: 'haiyiban.prefs' }))
        }""",
        prefs,
    )
    root = page.locator("html")
    await expect(root).to_have_attribute("data-theme", prefs["theme"])
    await expect(root).to_have_attribute("lang", prefs.get("language", "zh-CN"))
    await expect(page.locator(".bones")).to_have_count(0)


_LOOK = """async (least) => {
  const said = []
  const { violations } = await axe.run(document, { resultTypes: ['violations'] })
  for (const each of violations) said.push(`${each.id}: ${each.nodes.map((one) => one.target).join(' ')}`)
  const wide = document.documentElement.scrollWidth
  if (wide > innerWidth) {
    const all = [...document.querySelectorAll('body *')]
    const out = all.filter((one) => one.getBoundingClientRect().right > innerWidth)
    said.push(`wider than the window: ${wide}, ${out.map((one) => one.className || one.tagName)}`)
  }
  const tapped = '.btn, .ico, a.row, button.row, nav a, select, input:not([type=radio], [type=checkbox], .sr)'
  for (const each of least ? document.querySelectorAll(tapped) : []) {
    const { height, width } = each.getBoundingClientRect()
    if (width && height < least - 0.5) said.push(`${each.textContent || each.id}: ${Math.round(height)} high`)
  }
  return said
}"""
