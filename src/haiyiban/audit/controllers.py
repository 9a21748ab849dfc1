"""The log's checkpoints, over HTTP: public, so that anybody can keep one and hold us to it."""

from __future__ import annotations

import base64

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban.audit import keys, proving
from haiyiban.audit.proving import LogBroken, NoCheckpoint
from haiyiban.crypto import KeyMissing
from haiyiban.errors import Unavailable, Words
from haiyiban.settings import Settings
from haiyiban.wire import Output, problems


class ConsistencyRead(Output):
    """That a later log begins with an earlier one."""

    old_size: int
    new_size: int
    path: list[str]
    """Hashes in base64, as RFC 9162 §2.1.4 has them."""


class NoPublicKey(Unavailable):
    """This server was not given the public key of the checkpoints."""

    type = "audit/no-public-key"
    title = Words("本机没有封存点的公钥", "This server has no public key of the checkpoints")


class AuditController(Controller):
    """What shows that the audit is whole."""

    path = "/audit"
    tags = ["audit"]

    @get(
        "/checkpoint",
        summary="The newest checkpoint of the audit",
        media_type="text/plain",
        responses=problems(NoCheckpoint),
    )
    async def checkpoint(
        self, session: NamedDependency[AsyncSession], size: FromQuery[int | None] = None
    ) -> Response[bytes]:
        """How many records the audit holds and their root hash, signed: a note as C2SP tlog-checkpoint says.

        `size`: the checkpoint of just so many records, such as a document names. Keep one: whoever holds an
        old one can show that history was rewritten.
        """
        return _text(await proving.newest_note(session, size), seconds=10 if size is None else 86_400)

    @get(
        "/consistency/{old:int}/{new:int}",
        summary="That a later checkpoint adds to an earlier one",
        responses=problems(NoCheckpoint, LogBroken),
    )
    async def consistency(
        self, session: NamedDependency[AsyncSession], old: FromPath[int], new: FromPath[int]
    ) -> ConsistencyRead:
        """The proof for two sizes (RFC 9162 §2.1.4); `new` is the size of a checkpoint."""
        path = await proving.extension(session, old, new)
        return ConsistencyRead(
            old_size=old, new_size=new, path=[base64.b64encode(each).decode() for each in path]
        )

    @get(
        "/keys",
        summary="The public keys of the audit's checkpoints",
        media_type="text/plain",
        responses=problems(NoPublicKey),
    )
    async def public_keys(self) -> Response[bytes]:
        """One on a line, the newest last, as C2SP signed-note writes them. Who takes them from here trusts
        this address at that moment: compare them with what the authority has published elsewhere."""
        try:
            lines = [key.text + "\n" for key in keys.public(Settings.from_env())]
        except KeyMissing:
            raise NoPublicKey from None
        return _text("".join(lines), seconds=300)


def _text(text: str, *, seconds: int) -> Response[bytes]:
    headers = {"Cache-Control": f"public, max-age={seconds}"}
    return Response(text.encode(), media_type="text/plain", headers=headers)
