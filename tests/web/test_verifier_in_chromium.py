"""The second verifier runs in a browser as it is, types taken out: every vector, and how long one takes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from playwright.async_api import Page, Route

from haiyiban.resources import schemas
from tests.web.node import NODE
from tests.web.test_verifier_vectors import CASES, asked

SITE = "http://127.0.0.1:1"
JUDGE = """async (questions) => {
  const { trustListOf, verify } = await import("/index.ts");
  const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  const trusted = new Map();
  const outcomes = [];
  const started = performance.now();
  for (const asked of questions) {
    const key = JSON.stringify([asked.entries, asked.trustListExp]);
    const expires = asked.trustListExp ?? Infinity;
    if (!trusted.has(key)) trusted.set(key, await trustListOf(asked.entries, 0, expires));
    const { outcome } = await verify(asked.text, {
      ...asked,
      trust: trusted.get(key),
      deny: new Set(asked.deny),
      challenge: asked.challenge && bytes(asked.challenge),
    });
    outcomes.push(outcome);
  }
  return { outcomes, ms: (performance.now() - started) / questions.length };
}"""


@pytest.fixture(scope="module")
def scripts() -> dict[str, str]:
    """The verifier's files as JavaScript, by name."""
    program = Path(__file__).with_name("strip_types.mjs")
    command = [NODE, "--no-warnings", program, schemas() / "codes" / "verifier"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True)
    files: dict[str, str] = json.loads(printed.stdout)
    return files


async def test_every_vector_comes_out_as_published_in_chromium(page: Page, scripts: dict[str, str]) -> None:
    async def serve(route: Route) -> None:
        name = route.request.url.removeprefix(f"{SITE}/")
        if name in scripts:
            await route.fulfill(body=scripts[name], content_type="text/javascript")
        else:
            await route.fulfill(body="<!doctype html>", content_type="text/html")

    await page.route(f"{SITE}/**", serve)
    await page.goto(f"{SITE}/")
    questions = [asked(*case.values) for case in CASES]
    judged = await page.evaluate(JUDGE, questions)
    names = [str(case.id) for case in CASES]
    published = [document["outcome"] for document, _ in (case.values for case in CASES)]
    assert dict(zip(names, judged["outcomes"], strict=True)) == dict(zip(names, published, strict=True))
    assert judged["ms"] < 10
