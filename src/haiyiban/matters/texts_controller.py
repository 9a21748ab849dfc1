"""The texts that people agree to, over HTTP: public, for whoever wants to read before or after."""

from __future__ import annotations

from litestar import Controller, get
from litestar.params import FromPath

from haiyiban import context, texts
from haiyiban.texts import TextUnknown
from haiyiban.wire import Output, problems


class TextRead(Output):
    """A text in force. Who agrees sends its `hash`: SHA-256 of the RFC 8785 form of the published file."""

    slug: str
    version: int
    title: str
    body: str
    hash: str


class TextsController(Controller):
    """Texts that people agree to (同意书、承诺书)."""

    path = "/texts"
    tags = ["matters"]

    @get("/{slug:str}", summary="Read a text to agree to", responses=problems(TextUnknown))
    async def read(self, slug: FromPath[str]) -> TextRead:
        """In the language of the request; the hash is of both languages together."""
        text = texts.current(slug)
        language = context.current().language
        return TextRead(
            slug=text.slug,
            version=text.version,
            title=text.title.words.in_language(language),
            body=text.body.words.in_language(language),
            hash=text.hash,
        )
