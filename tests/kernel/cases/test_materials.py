"""Files that applicants hand in: read, cleaned, scanned, sealed, shown to whom they concern."""

from __future__ import annotations

import asyncio
import base64
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from haiyiban import objects, scanning
from haiyiban.cases import materials
from haiyiban.settings import Settings
from tests import builders
from tests.builders import slug
from tests.kernel.cases.office import Citizen, Office
from tests.kernel.enterprises.companies import credit_code

MATTER = "market-regulation.food-business-licence"
FLOOR_PLAN = "floor-plan"
PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj "
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
)


def photo(*, size: tuple[int, int] = (640, 480), colour: str = "teal", kind: str = "JPEG") -> bytes:
    """A picture with where it was taken."""
    image = Image.new("RGB", size, colour)
    exif = Image.Exif()
    exif[0x010F] = "某品牌手机"
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[1] = "N"
    written = io.BytesIO()
    image.save(written, kind, exif=exif.tobytes())
    return written.getvalue()


@pytest.fixture
async def citizen(api: httpx.AsyncClient, sandbox: httpx.AsyncClient) -> Citizen:
    return await Citizen.signed_in(api, sandbox, builders.Somebody())


@pytest.fixture
async def case(citizen: Citizen) -> dict[str, Any]:
    return await citizen.draft(MATTER)


async def hand_in(
    citizen: Citizen,
    case: dict[str, Any],
    content: bytes,
    *,
    code: str = FLOOR_PLAN,
    name: str = "平面图.jpg",
) -> httpx.Response:
    return await citizen.api.post(
        f"/cases/{case['id']}/materials/{code}/files",
        json={"name": name, "content": base64.b64encode(content).decode()},
        headers=citizen.headers,
    )


async def files_of(citizen: Citizen, case: dict[str, Any]) -> list[dict[str, Any]]:
    shown = (await citizen.api.get(f"/cases/{case['id']}", headers=citizen.headers)).json()
    [plan] = [each for each in shown["materials"] if each["code"] == FLOOR_PLAN]
    assert (plan["necessity"], plan["obtainedBy"]) == ("required", "applicant")
    return list(plan["files"])


def stored() -> list[Path]:
    return [path for path in (Settings.from_env().home / "uploads").rglob("*") if path.is_file()]


async def test_a_picture_is_kept_upright_without_where_it_was_taken_and_once(
    citizen: Citizen, case: dict[str, Any]
) -> None:
    before = set(stored())
    first = await hand_in(citizen, case, photo())
    assert (first.status_code, first.json()["mediaType"]) == (201, "image/jpeg"), first.text
    again = await hand_in(citizen, case, photo())
    assert again.json() == first.json(), "the second tap hands in nothing more"
    [file] = await files_of(citizen, case)
    assert file["name"] == "平面图.jpg"
    answer = await citizen.api.get(f"/cases/{case['id']}/files/{file['id']}", headers=citizen.headers)
    assert answer.headers["content-type"] == "image/jpeg"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    with Image.open(io.BytesIO(answer.content)) as image:
        assert image.size == (480, 640), "turned as the camera said"
        assert not image.getexif()
    for path in set(stored()) - before:
        held = path.read_bytes()
        assert b"JFIF" not in held, "sealed"
        assert "某品牌手机".encode() not in held


async def test_what_is_no_picture_and_no_pdf_is_refused_at_its_field(
    citizen: Citizen, case: dict[str, Any]
) -> None:
    big = Image.new("1", (9000, 9000))
    bomb = io.BytesIO()
    big.save(bomb, "PNG")
    for content in (
        b"<script>alert(1)</script>",
        b"GIF89a" + b"\0" * 40,
        photo()[:300],
        b"%PDF-1.4 nothing",
        b"MZ" + b"\0" * 99,
        bomb.getvalue(),
    ):
        refused = await hand_in(citizen, case, content)
        assert (refused.status_code, slug(refused)) == (422, "unreadable-file"), content[:20]
        assert [each["pointer"] for each in refused.json()["errors"]] == ["/content"]
    for body in ({"name": "x", "content": "%%%"}, {"name": "", "content": "aGk="}, {"content": "aGk="}):
        answer = await citizen.api.post(
            f"/cases/{case['id']}/materials/{FLOOR_PLAN}/files", json=body, headers=citizen.headers
        )
        assert answer.status_code == 400, answer.text
    assert await files_of(citizen, case) == []


async def test_a_large_file_is_taken_and_one_too_large_is_told_so(
    citizen: Citizen, case: dict[str, Any]
) -> None:
    large = PDF + b"%" * (3 << 20)
    taken = await hand_in(citizen, case, large, name="平面图.pdf")
    assert (taken.status_code, taken.json()["mediaType"]) == (201, "application/pdf"), taken.text
    assert taken.json()["size"] == len(large)
    refused = await hand_in(citizen, case, PDF + b"%" * (7 << 20))
    assert refused.status_code == 413


async def test_a_file_is_its_owners_and_the_handling_clerks(
    api: httpx.AsyncClient, sandbox: httpx.AsyncClient, citizen: Citizen, case: dict[str, Any]
) -> None:
    file = (await hand_in(citizen, case, photo())).json()
    stranger = await Citizen.signed_in(api, sandbox, builders.Somebody())
    at = f"/cases/{case['id']}/files/{file['id']}"
    assert (await api.get(at, headers=stranger.headers)).status_code == 404
    assert (await api.delete(at, headers=stranger.headers)).status_code == 404
    assert (await hand_in(stranger, case, photo())).status_code == 404
    mine = await stranger.draft(MATTER)
    assert (
        await api.get(f"/cases/{mine['id']}/files/{file['id']}", headers=stranger.headers)
    ).status_code == 404
    for agency in ("education", "market-regulation"):
        headers = await builders.staff(api, agency=agency)
        at_desk = await api.get(f"/desk/cases/{case['id']}/files/{file['id']}", headers=headers)
        assert at_desk.status_code == 404, "a draft is nobody's business"


async def test_files_are_changed_while_the_application_is_open_and_missing_ones_are_told_the_clerk(
    api: httpx.AsyncClient, citizen: Citizen
) -> None:
    case = await citizen.draft(MATTER)
    unknown = await hand_in(citizen, case, photo(), code="identity-card")
    assert (unknown.status_code, slug(unknown)) == (404, "material-not-found")
    file = (await hand_in(citizen, case, photo())).json()
    gone = await api.delete(f"/cases/{case['id']}/files/{file['id']}", headers=citizen.headers)
    assert gone.status_code == 204
    assert await files_of(citizen, case) == []
    for number in range(materials.FILES_MOST):
        assert (await hand_in(citizen, case, photo(size=(40 + number, 40)))).status_code == 201
    refused = await hand_in(citizen, case, photo(size=(99, 99)))
    assert (refused.status_code, slug(refused)) == (422, "too-many-files")


async def test_a_file_that_the_scanner_knows_is_refused_and_without_a_scanner_nothing_is_kept(
    citizen: Citizen, case: dict[str, Any], monkeypatch: pytest.MonkeyPatch, clamd: str
) -> None:
    eicar = await hand_in(citizen, case, PDF + scanning.EICAR)
    assert (eicar.status_code, slug(eicar)) == (422, "infected-file")
    monkeypatch.setenv("HAIYIBAN_SCANNER", clamd)
    known = await hand_in(citizen, case, PDF + b"% a worm")
    assert (known.status_code, slug(known)) == (422, "infected-file")
    assert (await hand_in(citizen, case, photo())).status_code == 201
    monkeypatch.setenv("HAIYIBAN_SCANNER", "127.0.0.1:9")
    away = await hand_in(citizen, case, photo(colour="red"))
    assert (away.status_code, slug(away)) == (503, "scanner-unavailable")
    assert "retry-after" in away.headers
    assert len(await files_of(citizen, case)) == 1


@pytest.fixture
async def clamd() -> AsyncIterator[str]:
    """A scanner that speaks clamd's INSTREAM and knows one worm."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readuntil(b"\0") == b"zINSTREAM\0"
        content = b""
        while size := int.from_bytes(await reader.readexactly(4)):
            content += await reader.readexactly(size)
        writer.write(b"stream: Win.Worm-1 FOUND\0" if b"a worm" in content else b"stream: OK\0")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_bytes_that_no_row_names_are_swept_and_others_stay(
    citizen: Citizen, case: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = (await hand_in(citizen, case, photo())).json()
    gone = (await hand_in(citizen, case, photo(colour="navy"))).json()
    await citizen.api.delete(f"/cases/{case['id']}/files/{gone['id']}", headers=citizen.headers)
    await materials.sweep()
    assert await objects.get(f"cases/{case['id']}/{gone['id']}"), "not within a day"
    monkeypatch.setattr(materials, "SWEPT_AFTER", -timedelta(minutes=1))
    await materials.sweep()
    assert await objects.get(f"cases/{case['id']}/{kept['id']}")
    with pytest.raises(FileNotFoundError):
        await objects.get(f"cases/{case['id']}/{gone['id']}")


async def test_at_the_desk_a_missing_plan_is_a_warning_and_a_look_is_recorded(
    api: httpx.AsyncClient, citizen: Citizen, case: dict[str, Any]
) -> None:
    other = (await hand_in(citizen, case, photo(), code="safety-rules")).json()
    submitted = await handed_in(citizen, case)
    late = await hand_in(citizen, case, photo())
    assert (late.status_code, slug(late)) == (409, "files-fixed")
    office = Office(api, agency="market-regulation", division="460105")
    clerk = await builders.staff(api, agency="market-regulation")
    shown = (await api.get(f"/desk/cases/{case['id']}", headers=clerk)).json()
    assert [(each["code"], each["level"]) for each in shown["findings"]] == [("material_missing", "warns")]
    look = await api.get(f"/desk/cases/{case['id']}/files/{other['id']}", headers=clerk)
    assert (look.status_code, look.headers["content-type"]) == (200, "image/jpeg")
    seen = (await api.get("/me/access-log", headers=citizen.headers)).json()["items"]
    assert [each for each in seen if "read-file" in str(each)], seen[:3]
    items = [{"pointer": "/materials/floor-plan", "message": "请上传平面图"}]
    asked = await office.act(
        submitted, "request-correction", version=submitted["version"], note="缺平面图", items=items
    )
    assert asked.status_code == 200, asked.text
    assert (await hand_in(citizen, case, photo())).status_code == 201
    again = await citizen.submit(case)
    assert again.status_code == 200, again.text
    shown = (await api.get(f"/desk/cases/{case['id']}", headers=clerk)).json()
    assert shown["findings"] == []


async def handed_in(citizen: Citizen, case: dict[str, Any]) -> dict[str, Any]:
    form = {
        "enterprise": {"name": "海口示例小吃店", "uscc": credit_code()},
        "kinds": ["packaged"],
        "premises": {"division": "460105", "address": "海南省海口市秀英区样例路1号"},
    }
    answer = await citizen.patch(case, form, version=case["version"])
    assert answer.status_code == 200, answer.text
    submitted = await citizen.submit(case)
    assert submitted.status_code == 200, submitted.text
    return dict(submitted.json())
