"""The drawn codes, read by a decoder that nobody here wrote (zxing-cpp)."""

import re

import pytest
import zxingcpp
from PIL import Image, ImageDraw, ImageFilter

from haiyiban.codes.claims import Kind
from haiyiban.codes.drawing import QUIET_ZONE, qr_matrix, qr_svg, qr_terminal
from haiyiban.codes.envelope import sign_form_a, sign_form_b
from haiyiban.codes.vectors.cast import CHALLENGE, DEVICE, IAT, ISSUER, capsule_of, claims_of

TEXTS = {
    f"{kind.name.lower()}, form {form}": text
    for kind in Kind
    for form, text in (
        ("a", sign_form_a(claims_of(kind, "drawn"), ISSUER)),
        ("b", sign_form_b(capsule_of(kind, "drawn"), DEVICE, t=IAT, challenge=CHALLENGE)),
    )
}


def picture(svg: str, *, side: int = 300) -> Image.Image:
    """The SVG as pixels: it has one white square and strokes of whole modules, so this draws it exactly."""
    modules = int(re.search(r'viewBox="0 0 (\d+) ', svg)[1])
    image = Image.new("L", (modules, modules), 255)
    pen = ImageDraw.Draw(image)
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", svg):
        pen.rectangle((int(x), int(y), int(x) + int(width) - 1, int(y)), fill=0)
    return image.resize((side, side), Image.Resampling.BICUBIC)


def read(image: Image.Image) -> str | None:
    found = zxingcpp.read_barcode(image, formats=zxingcpp.BarcodeFormat.QRCode)
    return found.text if found else None


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_code_is_read_from_300_pixels(text: str) -> None:
    assert read(picture(qr_svg(text))) == text


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("degrees", [15, 90, 200])
def test_a_code_is_read_turned(text: str, degrees: int) -> None:
    turned = picture(qr_svg(text)).rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    assert read(turned) == text


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_code_is_read_shrunk_and_out_of_focus(text: str) -> None:
    shrunk = picture(qr_svg(text)).resize((220, 220), Image.Resampling.BICUBIC)
    assert read(shrunk.filter(ImageFilter.GaussianBlur(0.6))) == text


def test_the_svg_is_nothing_but_whole_strokes_inside_its_quiet_zone() -> None:
    text = TEXTS["certificate, form a"]
    svg, matrix = qr_svg(text), qr_matrix(text)
    path = svg.rsplit('d="', 1)[1].removesuffix('"/></svg>')
    strokes = re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", path)
    assert "".join(f"M{x} {y}h{width}v1h-{width}z" for x, y, width in strokes) == path
    assert sum(int(width) for _, _, width in strokes) == sum(map(sum, matrix))
    places = [int(place) for x, y, width in strokes for place in (x, y, int(x) + int(width) - 1)]
    assert min(places) == QUIET_ZONE
    assert max(places) == QUIET_ZONE + len(matrix) - 1


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:8000/", "http://192.168.1.20:8000/m/", "https://hyb.example/"]
)
def test_an_address_in_a_dark_terminal_is_read(address: str) -> None:
    lines = qr_terminal(address).split("\n")
    assert len({len(line) for line in lines}) == 1
    image = Image.new("L", (len(lines[0]), 2 * len(lines)), 0)
    for y, line in enumerate(lines):
        for x, block in enumerate(line):
            image.putpixel((x, 2 * y), 255 if block in "█▀" else 0)
            image.putpixel((x, 2 * y + 1), 255 if block in "█▄" else 0)
    assert read(image.resize((8 * image.width, 8 * image.height), Image.Resampling.NEAREST)) == address
