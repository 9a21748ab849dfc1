"""What the camera of a Chromium sees: a film of one picture, which may be another one the next moment."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from PIL import Image

WIDTH, HEIGHT = 640, 480
FRAMES = 10


class Lens:
    """The camera of a browser that was started with `flags`.

    The browser reads the file over and over while its camera is on, so what is written into it is what
    the camera sees from then on.
    """

    def __init__(self, film: Path) -> None:
        self._film = film
        self.see_nothing()
        self.flags = (
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={film}",
        )

    def see_nothing(self) -> None:
        """An empty desk."""
        self.see(Image.new("L", (1, 1), 190))

    def see(self, shown: Image.Image | bytes) -> None:
        """Hold something before the camera: a picture, or a screenshot of another screen."""
        picture = Image.open(BytesIO(shown)) if isinstance(shown, bytes) else shown
        frame = b"FRAME\n" + _plane(picture.convert("L")) + bytes([128]) * (WIDTH * HEIGHT // 2)
        film = f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode() + frame * FRAMES
        # In place: the browser has the file open.
        with self._film.open("r+b" if self._film.exists() else "wb") as file:
            file.write(film)


def _plane(picture: Image.Image) -> bytes:
    """The brightness of a frame (YUV4MPEG2, 4:2:0): the picture on a desk, a little grey as cameras see."""
    scale = (HEIGHT - 40) / max(picture.size)
    if scale > 2:
        scale = int(scale)  # the squares of a small code stay square
    size = (int(picture.width * scale), int(picture.height * scale))
    held = picture.resize(size, Image.Resampling.NEAREST if scale == int(scale) else Image.Resampling.BICUBIC)
    desk = Image.new("L", (WIDTH, HEIGHT), 190)
    desk.paste(held, ((WIDTH - held.width) // 2, (HEIGHT - held.height) // 2))
    return desk.point(lambda light: min(225, max(30, light))).tobytes()
