"""The platform's own addresses: health, figures, keys, the contract and its page."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import httpx

from haiyiban.runtime import app, discovery
from haiyiban.settings import Settings

SITE = "http://test"


async def test_health_asks_what_it_says(api: httpx.AsyncClient) -> None:
    assert (await api.get(f"{SITE}/health/live")).json() == {"status": "live"}
    assert (await api.get(f"{SITE}/health/ready")).json() == {"status": "ready"}


async def test_the_served_contract_is_the_checked_in_one(api: httpx.AsyncClient) -> None:
    answer = await api.get(f"{SITE}/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["info"]["title"] == "海易办 Haiyiban"


async def test_keys_are_published_without_their_secrets(api: httpx.AsyncClient) -> None:
    keys = (await api.get(f"{SITE}/.well-known/jwks.json")).json()["keys"]
    assert keys
    for key in keys:
        assert key.keys() == {"kty", "crv", "x", "y", "kid", "alg", "use"}


class _Page(HTMLParser):
    """What the page refers to and how it is built."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.tags.add(tag)
        assert not {"style", "onclick", "onload"} & told.keys(), "the policy forbids it"
        if told.get("id"):
            self.ids.append(str(told["id"]))
        for name in ("href", "src"):
            if told.get(name):
                self.links.append(str(told[name]))
        if tag not in {"meta", "link", "br", "hr", "img"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


async def test_the_contract_is_a_page_that_needs_nothing_from_elsewhere(api: httpx.AsyncClient) -> None:
    answer = await api.get(f"{SITE}/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    page = _Page()
    page.feed(answer.text)
    assert page.open == []
    assert not page.tags & {"script", "style", "iframe", "img", "form"}
    assert len(set(page.ids)) == len(page.ids)
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.ids, link
        else:
            assert link.startswith("/"), "nothing is fetched from elsewhere"
            assert (await api.get(SITE + link)).status_code == 200, link
    assert "暂不支持微信登录" in answer.text
    contract = (await api.get(f"{SITE}/openapi.json")).json()
    for path, item in contract["paths"].items():
        for operation in item.values():
            assert operation["operationId"] in page.ids, path
    assert re.search(r'<html lang="zh-CN">', answer.text)


async def test_the_zones_that_are_served_are_told(api: httpx.AsyncClient) -> None:
    told = {each["name"]: each["title"] for each in (await api.get("/zones")).json()["items"]}
    assert told["duty-free"] == "离岛免税专区"
    assert set(told) == {zone.name for zone in discovery.all_zones()}


def test_a_zone_that_is_left_out_is_not_served(settings: Settings) -> None:
    fewer = app.build(replace(settings, zones=("unemployment",)))
    assert [zone.name for zone in fewer.state["zones"]] == ["unemployment"]
