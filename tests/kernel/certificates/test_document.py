"""The printable document: what it says, and what it never says."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pypdfium2
import pytest
import zxingcpp
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from haiyiban.certificates import Certificate, PrintedCode, Status, document
from haiyiban.certificates.identifiers import Identifier, new_serial
from haiyiban.codes import base45
from haiyiban.codes.drawing import qr_svg
from haiyiban.crypto import FileKeys, Vault, install
from haiyiban.ids import new_id
from haiyiban.settings import Settings

NOW = datetime(2027, 7, 20, 1, tzinfo=UTC)
TEXT = "HYB1:" + base45.encode(bytes(range(232)))
"""As long as the longest printed codes."""
CODE = PrintedCode(TEXT, qr_svg(TEXT))
CLAIMS = {
    "name": "䶮㛃𠅤·买买提",
    "idNumber": "460105202106150017",
    "school": "海口市秀英区长流中心小学",
    "schoolYear": 2027,
    "reportFrom": "2027-08-28",
}


@pytest.fixture(autouse=True)
def _keys(settings: Settings) -> None:
    """The keys of this run: claims are sealed even where no row is written."""
    install(Vault(FileKeys.create(settings.keys_dir)))


def certificate(**claims: Any) -> Certificate:
    serial = new_serial()
    made = Certificate(
        id=new_id(),
        type="admission-notice",
        type_version=1,
        serial=serial,
        version=1,
        identifier=str(
            Identifier(
                type_code="11460100MB1E0A010D001", issuer_code="11460100MB1E0A010D", serial=serial, version=1
            )
        ),
        holder_id=uuid4(),
        keeper_id=uuid4(),
        issuer="海口市教育局",
        issuer_code="11460100MB1E0A010D",
        issued_on=date(2027, 7, 20),
        valid_from=date(2027, 7, 20),
        valid_until=date(2027, 9, 30),
    )
    made.claims = CLAIMS | claims
    return made


async def text_of(made: Certificate, status: Status = Status.VALID) -> str:
    pdf = pypdfium2.PdfDocument(await document.render(made, status=status, code=CODE, now=NOW))
    try:
        assert len(pdf) == 1
        text: str = pdf[0].get_textpage().get_text_range()
    finally:
        pdf.close()
    return text


async def test_the_document_says_everything_with_rare_characters() -> None:
    made = certificate()
    text = await text_of(made)
    for words in (
        "小学新生录取通知书",
        "䶮㛃𠅤·买买提",
        "460105202106150017",
        "海口市秀英区长流中心小学",
        "2027年8月28日",
        "2027年7月20日 至 2027年9月30日",
        "海口市教育局",
        made.identifier,
        "如何核验",
        "2027-07-20 09:00:00",
    ):
        assert words in text, words
    assert "失效" not in text


@pytest.mark.parametrize(
    ("status", "headline"),
    [
        (Status.REVOKED, "已失效"),
        (Status.SUPERSEDED, "已失效"),
        (Status.EXPIRED, "已失效"),
        (Status.SUSPENDED, "暂停使用"),
    ],
)
async def test_a_certificate_that_does_not_hold_says_so_in_red(status: Status, headline: str) -> None:
    assert headline in await text_of(certificate(), status)
    pdf = pypdfium2.PdfDocument(await document.render(certificate(), status=status, code=CODE, now=NOW))
    page = pdf[0].render(scale=1).to_pil().convert("RGB")
    pdf.close()
    banner = [page.getpixel((x, 88)) for x in range(100, 500)]
    red = [pixel for pixel in banner if isinstance(pixel, tuple) and pixel[0] > 150 and pixel[1] < 90]
    assert len(red) > len(banner) / 2


@pytest.mark.parametrize(
    "name",
    ['#panic("x")', '$x$ *b* _i_ `r` @q <l> "', "]]}} \\u{41} //c /*", "= 标题", '#include "/etc/passwd"'],
)
async def test_a_name_is_text_and_never_markup(name: str) -> None:
    assert name in (await text_of(certificate(name=name))).replace("\r\n", "")


async def test_a_long_name_stays_on_the_page() -> None:
    name = "阿卜杜勒" * 24
    assert name in "".join((await text_of(certificate(name=name))).split())


@pytest.mark.parametrize("dpi", [300, 150, 100])
async def test_a_decoder_that_we_did_not_write_reads_the_code_from_a_print(dpi: int) -> None:
    page = await document.render(certificate(), status=Status.VALID, code=CODE, now=NOW)
    pdf = pypdfium2.PdfDocument(page)
    picture = pdf[0].render(scale=dpi / 72).to_pil()
    pdf.close()
    assert [found.text for found in zxingcpp.read_barcodes(picture)] == [TEXT]


async def test_the_code_is_lines_and_not_pixels() -> None:
    page = await document.render(certificate(), status=Status.VALID, code=CODE, now=NOW)
    pdf = pypdfium2.PdfDocument(page)
    kinds = {thing.type for thing in pdf[0].get_objects(max_depth=8)}
    pdf.close()
    assert pypdfium2.raw.FPDF_PAGEOBJ_PATH in kinds
    assert pypdfium2.raw.FPDF_PAGEOBJ_IMAGE not in kinds


@examples(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(min_size=1, max_size=230))
async def test_the_code_is_in_the_file_as_text_whatever_its_characters(data: bytes) -> None:
    text = "HYB1:" + base45.encode(data)
    code = PrintedCode(text, qr_svg(text))
    page = await document.render(certificate(), status=Status.VALID, code=code, now=NOW)
    pdf = pypdfium2.PdfDocument(page)
    try:
        assert pdf.get_metadata_value("Keywords") == text
    finally:
        pdf.close()


async def test_many_documents_at_once_are_all_right() -> None:
    made = [certificate(name=f"陈小{number}") for number in range(12)]
    texts = await asyncio.gather(*(text_of(one) for one in made))
    for one, text in zip(made, texts, strict=True):
        assert one.claims["name"] in text
        assert one.identifier in text


@pytest.mark.parametrize("character", "䶮㛃𠅤·")
async def test_a_rare_character_is_drawn_and_not_an_empty_box(character: str) -> None:
    unassigned = "\U000fffff"
    assert await name_drawn(character) != await name_drawn(unassigned)
    assert await name_drawn(unassigned) == await name_drawn("\U000ffffe")


async def name_drawn(name: str) -> bytes:
    """The picture of the name's row alone."""
    made = certificate(name=name)
    pdf = pypdfium2.PdfDocument(await document.render(made, status=Status.VALID, code=CODE, now=NOW))
    page = pdf[0].render(scale=2).to_pil().convert("L")
    pdf.close()
    return bytes(page.crop((400, 540, 1000, 620)).tobytes())
