"""Portraits in the population register: a drawn face for everybody, so plainly made up that it is nobody's.

Each number always gets the same face, so that a test can tell one person's from another's.
"""

import hashlib
import struct
import zlib

WIDTH, HEIGHT = 96, 120
_BACKDROPS = ((196, 222, 240), (214, 234, 206), (244, 226, 198), (232, 212, 236))
_SKINS = ((255, 214, 170), (240, 196, 150), (224, 176, 128))
_COATS = ((64, 96, 160), (160, 72, 80), (72, 128, 96), (96, 88, 120))
_INK, _STAMP = (48, 40, 40), (208, 64, 64)

Colour = tuple[int, int, int]


def portrait(id_number: str) -> bytes:
    """The face of a person of this number, as a PNG of 96 × 120."""
    dice = hashlib.sha256(f"portrait {id_number}".encode()).digest()
    rows = (bytes(part for x in range(WIDTH) for part in _pixel(x, y, dice)) for y in range(HEIGHT))
    return _png(b"".join(b"\0" + row for row in rows))


def _pixel(x: int, y: int, dice: bytes) -> Colour:
    # The stripe across the corner says of each picture that it is a specimen.
    if 100 <= x + y < 106:
        return _STAMP
    eye_y, eye_apart, mouth_y = 46 + dice[3] % 6, 10 + dice[4] % 5, 68 + dice[5] % 5
    if any((x - eye_x) ** 2 + (y - eye_y) ** 2 < 10 for eye_x in (48 - eye_apart, 48 + eye_apart)):
        return _INK
    if abs(x - 48) < 9 and abs(y - mouth_y - ((x - 48) ** 2) // -24) < 2:
        return _INK
    if y < 30 + dice[6] % 8 and _is_within(x, y, 48, 52, 29, 36):
        return _INK
    if _is_within(x, y, 48, 54, 26, 32):
        return _SKINS[dice[1] % len(_SKINS)]
    if y > 84 and _is_within(x, y, 48, 124, 42, 36):
        return _COATS[dice[2] % len(_COATS)]
    return _BACKDROPS[dice[0] % len(_BACKDROPS)]


def _is_within(x: int, y: int, at_x: int, at_y: int, wide: int, high: int) -> bool:
    return ((x - at_x) / wide) ** 2 + ((y - at_y) / high) ** 2 <= 1


def _png(rows: bytes) -> bytes:
    """A PNG of rows of RGB, each after its filter byte (ISO/IEC 15948)."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">2I5B", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    signature = b"\x89PNG\r\n\x1a\n"
    return signature + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
