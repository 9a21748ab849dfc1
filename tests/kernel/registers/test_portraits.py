"""A portrait is taken only where it is one, and of the person asked about."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator

import pytest

from haiyiban import registers
from haiyiban.registers.health import NOBODY
from tests.kernel.registers.conftest import Outside, http

HEAD = b'"source": "some register", "asOf": "2026-01-01T00:00:00Z"'
PNG = b"\x89PNG\r\n\x1a\n and so on"
JPEG = b"\xff\xd8\xff\xe0 and so on"


def told(image: bytes, media_type: str = "image/png", number: str = NOBODY) -> bytes:
    return b'{"found": true, %s, "idNumber": "%s", "mediaType": "%s", "image": "%s"}' % (
        HEAD,
        number.encode(),
        media_type.encode(),
        base64.b64encode(image),
    )


async def ask(outside: Outside, body: bytes) -> registers.Portrait | None:
    async def answer() -> AsyncIterator[bytes]:
        yield http(body)

    await registers.close()
    async with outside(answer) as client:
        registers.install(client)
        try:
            return await registers.portrait_of(NOBODY)
        finally:
            await registers.close()


@pytest.mark.parametrize(("image", "kind"), [(PNG, "image/png"), (JPEG, "image/jpeg")])
async def test_a_picture_comes_as_it_is(outside: Outside, image: bytes, kind: str) -> None:
    assert await ask(outside, told(image, kind)) == (kind, image)


async def test_who_is_not_there_has_none(outside: Outside) -> None:
    assert await ask(outside, b'{"found": false, %s}' % HEAD) is None


@pytest.mark.parametrize(
    "body",
    [
        told(b"<script>"),
        told(b"GIF89a"),
        told(PNG, "image/jpeg"),
        told(PNG, "image/svg+xml"),
        told(PNG, number="460105198801010710"),
        told(b""),
        b'{"found": true, %s}' % HEAD,
        told(PNG).replace(base64.b64encode(PNG), b"*"),
        told(PNG + bytes(300_000)),
    ],
)
async def test_anything_else_is_garbage(outside: Outside, body: bytes) -> None:
    with pytest.raises(registers.RegisterUnavailable):
        await ask(outside, body)
