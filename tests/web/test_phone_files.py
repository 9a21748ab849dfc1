"""Papers that are handed in with the phone: pictures made smaller, deleted, refused, and seen at the desk."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from playwright.async_api import Page, expect

from tests import builders
from tests.builders import Somebody, settle
from tests.web import looks
from tests.web.phone_steps import Phone

MATTER = "health.birth-certificate-copy"


@pytest.fixture
def phone(page: Page, site: str, sandbox: httpx.AsyncClient, worker: None) -> Phone:
    return Phone(page, site, sandbox)


def camera(path: Path) -> Path:
    """What a phone's camera gives: twelve million points, some megabytes."""
    image = Image.effect_noise((4000, 3000), 60).convert("RGB")
    image.save(path, "JPEG", quality=92)
    assert path.stat().st_size > 4_000_000
    return path


async def test_a_paper_is_photographed_handed_in_looked_at_and_taken_back(
    phone: Phone, sandbox: httpx.AsyncClient, api: httpx.AsyncClient, tmp_path: Path, expected: list[str]
) -> None:
    expected.append("422")
    who: Somebody = await settle(sandbox, Somebody(children=[builders.child()]))
    page = phone.page
    await page.set_viewport_size({"width": 320, "height": 700})
    await phone.arrive(who)
    await phone.open(f"/matters/{MATTER}")
    await phone.tap("开始办理")
    chooser = page.get_by_label("上传：原出生医学证明")
    await chooser.set_input_files(camera(tmp_path / "旧证.jpg"))
    delete = page.get_by_role("button", name="删除 旧证.jpg")
    await expect(delete).to_be_visible(timeout=20_000)
    case_id = page.url.split("/")[-2]
    grant = await builders.arrive(who.name, who.id_number, who.phone)
    mine = {"Authorization": f"Bearer {grant.access_token}"}
    file = await _file(api, case_id, mine)
    assert file["size"] < 3_500_000, "made smaller before it went out"
    content = (await api.get(f"/cases/{case_id}/files/{file['id']}", headers=mine)).content
    with Image.open(io.BytesIO(content)) as image:
        assert max(image.size) == 2200
    (tmp_path / "坏.pdf").write_bytes(b"%PDF-1.4 broken")
    await chooser.set_input_files(tmp_path / "坏.pdf")
    await expect(page.get_by_text("读不出这个文件").first).to_be_visible()
    assert await looks.as_it_is(page, looks.LEAST) == []
    await delete.click()
    await expect(page.get_by_text("旧证.jpg")).to_have_count(0)


async def _file(api: httpx.AsyncClient, case_id: str, mine: dict[str, str]) -> dict[str, Any]:
    read = (await api.get(f"/cases/{case_id}", headers=mine)).json()
    [file] = [file for material in read["materials"] for file in material["files"]]
    return dict(file)
