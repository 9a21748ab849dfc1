"""Uploading offline verifications, over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Controller, Response, post
from litestar.di import NamedDependency
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody
from litestar.params import JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.codes import batch
from haiyiban.codes.batch import Signed
from haiyiban.codes.batch_wire import BatchCreate, BatchRead, OfflineRecord
from haiyiban.codes.signing import code_keys
from haiyiban.context import current
from haiyiban.errors import NotAllowed, NotSignedIn, TooLarge
from haiyiban.forms.strict import parse_json
from haiyiban.identity.guards import VerifierRequest, verifier
from haiyiban.verifiers.service import TerminalSuspended
from haiyiban.verifiers.terminals import TerminalMissing
from haiyiban.wire import problems


@dataclass
class UploadOperation(Operation):
    """The body in the contract: its records are documented as they should be, and read one by one."""

    def __post_init__(self) -> None:
        _, schemas = msgspec.json.schema_components([BatchCreate, OfflineRecord])
        body: dict[str, Any] = schemas["BatchCreate"]
        body["properties"]["records"]["items"] = _inlined(schemas["OfflineRecord"], schemas)
        content = {"application/json": OpenAPIMediaType(schema=body)}  # type: ignore[arg-type]
        self.request_body = RequestBody(required=True, content=content)


def _inlined(schema: Any, schemas: dict[str, Any]) -> Any:
    """A schema without references, for a place that has none."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            return schemas[schema["$ref"].rsplit("/", 1)[-1]]
        return {name: _inlined(value, schemas) for name, value in schema.items()}
    return [_inlined(item, schemas) for item in schema] if isinstance(schema, list) else schema


class BatchController(Controller):
    """What terminals verified offline."""

    path = "/verifications/batch"
    tags = ["codes"]
    guards = [verifier()]

    @post(
        status_code=200,
        summary="Upload offline verifications",
        operation_class=UploadOperation,
        responses=problems(
            NotSignedIn,
            NotAllowed,
            TerminalSuspended,
            TerminalMissing,
            batch.OutOfSequence,
            TooLarge,
            batch.BadBatchSignature,
        ),
    )
    async def upload(
        self,
        request: VerifierRequest,
        session: NamedDependency[AsyncSession],
        data: JSONBody[BatchCreate],
    ) -> Response[BatchRead]:
        """Up to 500 records, signed by the terminal's key and numbered without a gap. Each is judged again at
        the instant of its scanning; both outcomes are kept, and a code that was accepted before is flagged.

        The same batch again gets the same answer word for word. A record that cannot be kept says why in its
        result and does not hold up the others.
        """
        now = clock.now()
        document: Any = parse_json(await request.body())
        answer = await batch.upload(
            session,
            Signed(document, data),
            request.user,
            keys=code_keys(now),
            context=current(),
            now=now,
        )
        # Encoded before it was kept, so that it is the same bytes each time.
        return Response(answer, media_type="application/json")  # type: ignore[arg-type]
