"""How soon the phone's first page stands on a slow network: measured in Chromium."""

from __future__ import annotations

import statistics

import pytest
from playwright.async_api import Browser

pytestmark = pytest.mark.long

SLOW_4G = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1_638_400 / 8,
    "uploadThroughput": 750_000 / 8,
}
LCP_MS, CLS = 2_500, 0.02
MEASURE = """() => new Promise((done) => {
  let largest = 0, shifted = 0
  new PerformanceObserver((list) => { largest = list.getEntries().at(-1).startTime })
    .observe({ type: 'largest-contentful-paint', buffered: true })
  new PerformanceObserver((list) => { for (const each of list.getEntries()) shifted += each.value })
    .observe({ type: 'layout-shift', buffered: true })
  setTimeout(() => done([largest, shifted]), 1500)
})"""


async def test_the_first_page_stands_within_two_and_a_half_seconds_of_slow_4g(
    browser: Browser, site: str
) -> None:
    """1.6 Mbit/s, 150 ms, nothing kept: the middle of three, as one run may meet a busy machine."""
    found = []
    for _ in range(3):
        context = await browser.new_context(
            viewport={"width": 390, "height": 844}, locale="zh-CN", service_workers="block"
        )
        page = await context.new_page()
        devtools = await context.new_cdp_session(page)
        await devtools.send("Network.enable")
        await devtools.send("Network.emulateNetworkConditions", SLOW_4G)
        await page.goto(f"{site}/m/", wait_until="networkidle")
        found.append(await page.evaluate(MEASURE))
        await context.close()
    largest = statistics.median(each[0] for each in found)
    shifted = max(each[1] for each in found)
    print(f"LCP {largest:.0f} ms, CLS {shifted:.4f}")  # noqa: T201
    assert 0 < largest <= LCP_MS
    assert shifted < CLS
