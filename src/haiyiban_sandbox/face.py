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
PAGE = """<!doctype html><html lang="zh-CN"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>实人核验(演示)</title>
<style>body{font:18px/1.6 sans-serif;margin:24px;text-align:center}
button{display:block;width:100%;min-height:60px;margin:12px 0;border:0;border-radius:30px;font:inherit}
#pass{background:#0b57d0;color:#fff}#fail{background:#b3261e;color:#fff}
</style>
<h1>实人核验(演示)</h1>
<p>真实的服务商会在这里请您看着镜头。演示时请选择结果，之后自动回到海易办。
<p>A real vendor would ask you to look into the camera. Choose what it finds; you then go back by yourself.
<button id="pass">是本人 · it is me</button><button id="fail">不是本人 · it is not</button>
<p>没有自动返回时，核验结果是 <code>pass</code>（通过）。
Where you are not taken back, the token is <code>pass</code>.
<script>
for (const token of ["pass", "fail"]) document.getElementById(token).onclick = () => {
  const origin = new URLSearchParams(location.search).get("origin")
  if (window.opener && origin) window.opener.postMessage({ faceToken: token }, origin)
}
</script>
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
