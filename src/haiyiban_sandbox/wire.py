"""Reading a request strictly: what is not exactly as documented is refused, so that a slip shows."""

from typing import Any, TypeVar

import msgspec
from litestar import Request
from litestar.datastructures import State

from haiyiban_sandbox.problems import Malformed

Asked = Request[Any, Any, State]
T = TypeVar("T", bound="Wire")


class Wire(msgspec.Struct, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """Anything read from the network: camelCase, and an unknown field is a mistake."""


async def read(request: Asked, shape: type[T]) -> T:
    """The body as `shape`. Read here because Litestar's own reading takes "5" for 5. Raises Malformed."""
    body = await request.body()
    try:
        return msgspec.json.decode(body, type=shape)
    except RecursionError as error:
        raise Malformed("the body is nested too deeply") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(str(error)) from error
