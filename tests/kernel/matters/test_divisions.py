"""Divisions over HTTP, as the picker of a form reads them."""

from __future__ import annotations

import httpx


async def test_one_level_after_the_other_down_to_the_village(api: httpx.AsyncClient) -> None:
    top = (await api.get("/divisions")).json()
    assert len(top["items"]) == 19  # 海口 三亚 三沙 儋州 and the 15 directly under the province
    assert {"code": "469028", "name": "陵水黎族自治县", "level": "county"} in top["items"]
    below = (await api.get("/divisions", params={"parent": "460105"})).json()["items"]
    assert {each["level"] for each in below} == {"township"}
    village = (await api.get("/divisions", params={"parent": below[0]["code"]})).json()["items"][0]
    assert (await api.get("/divisions", params={"parent": village["code"]})).json() == {
        "items": [],
        "next": None,
    }


async def test_a_division_tells_all_that_it_lies_in(api: httpx.AsyncClient) -> None:
    answer = await api.get("/divisions/460105002", headers={"Accept-Language": "en"})
    assert [each["code"] for each in answer.json()["path"]] == ["460000", "460100", "460105", "460105002"]
    assert answer.json()["path"][0]["name"] == "Hainan"
    assert answer.headers["cache-control"].startswith("public")
    assert "accept-language" in answer.headers["vary"].lower()


async def test_a_code_of_nowhere_is_refused(api: httpx.AsyncClient) -> None:
    for answer in (await api.get("/divisions/110000"), await api.get("/divisions", params={"parent": "x"})):
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/matters/division-not-found")
