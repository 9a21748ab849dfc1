"""The longest codes that can be shown are small enough for a cheap scanner, and a decoder that nobody here
wrote (zxing-cpp) reads them."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from PIL import Image

from haiyiban import resources
from haiyiban.codes import base45
from haiyiban.codes.claims import (
    Body,
    CertificateBody,
    Colour,
    HealthBody,
    Kind,
    PlainBody,
    VoucherBody,
)
from haiyiban.codes.drawing import qr_matrix, qr_svg, qr_version
from haiyiban.codes.envelope import sign_form_a, sign_form_b
from haiyiban.codes.kinds import NAME_BYTES, name_in_code
from haiyiban.codes.vectors.cast import CHALLENGE, DEVICE, IAT, ISSUER, capsule_of, claims_of
from haiyiban.masking import mask_name
from tests.kernel.codes.test_drawing import picture, read

LONGEST_TYPE = "x" * 30
LONGEST_NAME = name_in_code(mask_name("阿" + "卜" * 98 + "提"))
BODIES: dict[Kind, Body] = {
    Kind.CERTIFICATE: CertificateBody(type=LONGEST_TYPE, name="", valid_until=date.max),
    Kind.IDENTITY: PlainBody(name=""),
    Kind.HEALTH: HealthBody(name="", colour=Colour.GREY, golden=True, negative_within_hours=72),
    Kind.VOUCHER: VoucherBody(name="", face_fen=100_000_00, threshold_fen=100_000_00),
    Kind.PICKUP: PlainBody(name=""),
}


def longest(kind: Kind) -> tuple[str, str]:
    """The longest code of a kind, in both forms."""
    body = replace(BODIES[kind], name=LONGEST_NAME)
    return (
        sign_form_a(claims_of(kind, "longest", body=body), ISSUER),
        sign_form_b(capsule_of(kind, "longest", body=body), DEVICE, t=IAT, challenge=CHALLENGE),
    )


@pytest.mark.parametrize("kind", list(Kind))
def test_the_longest_code_of_a_kind_fits(kind: Kind) -> None:
    for text, most_bytes, most_version in zip(longest(kind), (204, 330), (10, 14), strict=True):
        assert len(base45.decode(text.removeprefix("HYB1:"))) <= most_bytes
        assert qr_version(qr_matrix(text)) <= most_version


def test_every_type_of_certificate_has_a_name_that_fits() -> None:
    types = {file.name.split(".")[0] for file in (resources.schemas() / "certificates").glob("*.json")}
    assert types
    assert max(map(len, types)) <= len(LONGEST_TYPE)


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("degrees", [0, 15, 90, 200])
def test_the_longest_codes_are_read_from_300_pixels_turned(kind: Kind, degrees: int) -> None:
    for text in longest(kind):
        turned = picture(qr_svg(text)).rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
        assert read(turned) == text


@pytest.mark.parametrize("kind", list(Kind))
def test_the_longest_codes_are_read_shrunk(kind: Kind) -> None:
    for text in longest(kind):
        assert read(picture(qr_svg(text)).resize((240, 240), Image.Resampling.BICUBIC)) == text


@pytest.mark.parametrize(
    ("masked", "in_code"),
    [
        ("陈*海", "陈*海"),
        ("阿" + "*" * 18 + "提", "阿" + "*" * 18 + "提"),
        ("阿" + "*" * 19 + "提", "阿" + "*" * 18 + "提"),
        ("J*** S****", "J*** S****"),
        ("J" + "*" * 90, "J" + "*" * 23),
        ("\U00020bb7" + "*" * 40 + "\U00020bb7", "\U00020bb7" + "*" * 16 + "\U00020bb7"),
    ],
)
def test_a_long_name_gives_up_stars_and_never_its_ends(masked: str, in_code: str) -> None:
    assert name_in_code(masked) == in_code


@given(st.text(min_size=1, max_size=100).filter(str.strip))
def test_any_name_fits_and_shows_no_more_than_its_mask(name: str) -> None:
    masked = mask_name(name)
    shown = name_in_code(masked)
    assert 0 < len(shown.encode()) <= NAME_BYTES
    assert (shown[0], shown[-1]) == (masked[0], masked[-1])
    assert set(shown) <= set(masked) | {"*"}
