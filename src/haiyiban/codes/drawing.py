"""Codes as pictures: an SVG for a screen, half blocks for a terminal.

Every character of a code's text is in the QR alphanumeric set, 5.5 bits each, so 204 bytes (311
characters) fill a version 10 symbol at error correction M, and 330 bytes (500 characters) fit a version
14. One fixed mask: choosing the best of eight costs ten times the drawing, and every decoder reads any of
them.

Source: schemas/codes/README.md §1; ISO/IEC 18004.
"""

from itertools import groupby

from qrcode import QRCode
from qrcode.constants import ERROR_CORRECT_M

QUIET_ZONE = 4
_MASK = 3

Matrix = list[list[bool]]


def qr_matrix(text: str) -> Matrix:
    """The modules of the QR, True for dark, without the quiet zone."""
    code = QRCode(error_correction=ERROR_CORRECT_M, mask_pattern=_MASK, border=0)
    code.add_data(text, optimize=0)
    code.make(fit=True)
    return [[bool(module) for module in row] for row in code.modules]


def qr_version(matrix: Matrix) -> int:
    """The version (size) of a QR, 1 to 40."""
    return (len(matrix) - 17) // 4


def qr_svg(text: str) -> str:
    """The QR as a scalable picture, dark on white with its quiet zone; one stroke for each dark run."""
    matrix = qr_matrix(text)
    side = len(matrix) + 2 * QUIET_ZONE
    path = "".join(_strokes(row, y + QUIET_ZONE) for y, row in enumerate(matrix))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0 0h{side}v{side}H0z"/><path d="{path}"/></svg>'
    )


def qr_terminal(text: str) -> str:
    """The QR for a dark terminal, two rows of modules in each line of half blocks."""
    code_rows = [[False] * QUIET_ZONE + row + [False] * QUIET_ZONE for row in qr_matrix(text)]
    blank = [False] * len(code_rows[0])
    rows = [blank] * QUIET_ZONE + code_rows + [blank] * QUIET_ZONE
    # Light modules are drawn and dark ones left to the background, so the sides of an odd number of rows must
    # be made even with one more light row.
    rows += [blank] * (len(rows) % 2)
    return "\n".join(
        "".join(_HALF_BLOCKS[upper, lower] for upper, lower in zip(*pair, strict=True))
        for pair in zip(rows[::2], rows[1::2], strict=True)
    )


_HALF_BLOCKS = {(False, False): "█", (False, True): "▀", (True, False): "▄", (True, True): " "}


def _strokes(row: list[bool], y: int) -> str:
    strokes, x = [], QUIET_ZONE
    for dark, run in groupby(row):
        width = len(list(run))
        if dark:
            strokes.append(f"M{x} {y}h{width}v1h-{width}z")
        x += width
    return "".join(strokes)
