"""Face-check vendor (实人核验): its page sees the person, the platform redeems the token with it."""

from typing import Any
from uuid import uuid4

from litestar import get, post
from litestar.di import NamedDependency
from litestar.enums import MediaType
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from haiyiban_sandbox.access import needs_key
from haiyiban_sandbox.clock import Clock
from haiyiban_sandbox.faults import answer_badly
from haiyiban_sandbox.identity import parse_number
from haiyiban_sandbox.people import IdType, Text
from haiyiban_sandbox.store import Store
from haiyiban_sandbox.wire import Asked, Wire, read

PASSING_TOKEN = "pass"  # noqa: S105 (the demo's way to look into the camera)
PAGE = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>实人核验(演示)</title>
<p>这里是演示用的实人核验。请回到海易办，填入核验结果 <code>pass</code> 表示通过，其他内容表示未通过。
<p>Demo face check. Go back to 海易办 and enter <code>pass</code> to pass; anything else fails.
</html>"""


class FaceSessionCreate(Wire):
    """`reference`: the platform's own id of this check; name and number say whose face it must be. The real
    vendor compares it with the photo of that person's card; here the token alone decides."""

    reference: Text
    name: Text | None = None
    id_number: str | None = None
    id_type: IdType = "111"

    def __post_init__(self) -> None:
        if self.id_number is not None:
            self.id_number = parse_number(self.id_type, self.id_number)


class FaceRedemption(Wire):
    session_id: Text
    face_token: str


@post("/face/sessions", guards=[needs_key], before_request=answer_badly, opt={"register": "face"})
async def open_session(request: Asked, store: NamedDependency[Store]) -> dict[str, str]:
    """Begin a check; the person is sent to `vendorUrl`."""
    asked = await read(request, FaceSessionCreate)
    session_id = str(uuid4())
    store.execute("INSERT INTO face_session VALUES (?, ?)", session_id, asked.reference)
    return {"sessionId": session_id, "vendorUrl": f"{request.base_url}face/{session_id}"}


@post(
    "/face/redeem", status_code=200, guards=[needs_key], before_request=answer_badly, opt={"register": "face"}
)
async def redeem(
    request: Asked, store: NamedDependency[Store], clock: NamedDependency[Clock]
) -> dict[str, Any]:
    """Whether the face was the person's. `score`: 0 to 1."""
    redemption = await read(request, FaceRedemption)
    _session_exists(store, redemption.session_id)
    passed = redemption.face_token == PASSING_TOKEN
    return {"passed": passed, "score": 0.98 if passed else 0.12, "at": clock.now()}


@get("/face/{session_id:str}", media_type=MediaType.HTML)
async def page(session_id: FromPath[str], store: NamedDependency[Store]) -> str:
    """Where the person looks into the camera."""
    _session_exists(store, session_id)
    return PAGE


def _session_exists(store: Store, session_id: str) -> None:
    if not store.rows("SELECT 1 FROM face_session WHERE id = ?", session_id):
        raise NotFoundException("no such face check")
