"""A data file before it is published: every fault at once, by line and pointer."""

from __future__ import annotations

import json

import httpx
import pytest

from haiyiban import resources
from tests import builders

AT = "/desk/matters/validation"
NAME = "public-security.driving-licence-replacement.v1.json"


async def check(api: httpx.AsyncClient, kind: str, name: str, content: str) -> list[dict[str, object]]:
    headers = await builders.staff(api, role="operator")
    body = {"kind": kind, "fileName": name, "content": content}
    answer = await api.post(AT, json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["mayBePublished"] is not bool(found["faults"])
    return list(found["faults"])


@pytest.mark.parametrize(("kind", "folder"), [("matter", "matters"), ("form", "forms"), ("text", "texts")])
async def test_whatever_is_published_is_sound(api: httpx.AsyncClient, kind: str, folder: str) -> None:
    for file in sorted((resources.schemas() / folder).glob("*.v1.json"))[:4]:
        assert await check(api, kind, file.name, file.read_text()) == [], file.name


async def test_every_fault_of_a_matter_is_named_with_its_line(api: httpx.AsyncClient) -> None:
    text = (resources.schemas() / "matters" / NAME).read_text()
    document = json.loads(text)
    document["item"]["promise_day"] = 0
    document["prefill"][0]["pointer"] = "/nowhere"
    broken = json.dumps(document, ensure_ascii=False, indent=2)
    found = await check(api, "matter", "other.v1.json", broken)
    by_pointer = {str(each["pointer"]): each for each in found}
    assert {"/code", "/item/project_type", "/prefill/0/pointer"} <= set(by_pointer)
    lines = broken.split("\n")
    line = by_pointer["/prefill/0/pointer"]["line"]
    assert isinstance(line, int)
    assert "/nowhere" in lines[line - 1]


async def test_a_shape_that_is_none_is_named_in_every_place(api: httpx.AsyncClient) -> None:
    document = json.loads((resources.schemas() / "matters" / NAME).read_bytes())
    document["version"] = "one"
    document["audience"] = "dog"
    found = await check(api, "matter", NAME, json.dumps(document, indent=2))
    assert {each["pointer"] for each in found} == {"/version", "/audience"}


async def test_broken_json_says_in_which_line(api: httpx.AsyncClient) -> None:
    [fault] = await check(api, "matter", NAME, '{\n "code": "a",\n "version": ,\n}')
    assert (fault["rule"], fault["line"]) == ("json", 3)


async def test_a_form_and_a_text_are_held_to_their_rules(api: httpx.AsyncClient) -> None:
    form = json.loads((resources.schemas() / "forms" / "driving-licence-replacement.v1.json").read_bytes())
    del form["properties"]["reason"]["title"]
    found = await check(api, "form", "driving-licence-replacement.v1.json", json.dumps(form, indent=1))
    assert any(str(each["pointer"]).startswith("/properties/reason") for each in found)
    [wrong] = await check(api, "text", "x.v1.json", '{"slug": "x", "version": 1}')
    assert wrong["rule"] == "shape"


async def test_published_matters_are_listed_by_version(api: httpx.AsyncClient) -> None:
    operator = await builders.staff(api, role="operator")
    items = (await api.get("/desk/matters", headers=operator)).json()["items"]
    offered = list((resources.schemas() / "matters").glob("*.v*.json"))
    assert len(items) == len(offered)
    assert all(each["faults"] == 0 for each in items)
    clerk = await builders.staff(api)
    assert (await api.get("/desk/matters", headers=clerk)).status_code == 403
