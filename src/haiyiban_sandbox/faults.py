"""Bad days on demand: a register that is slow, fails or answers nonsense, until told otherwise."""

import asyncio
from itertools import count
from typing import Annotated, Any, Literal

from litestar import Response, post
from litestar.di import NamedDependency
from msgspec import Meta

from haiyiban_sandbox.clock import Clock
from haiyiban_sandbox.store import Store
from haiyiban_sandbox.wire import Asked, Wire, read

Breakable = Literal[
    "population",
    "household",
    "property",
    "residence_permit",
    "social_insurance",
    "birth",
    "special_group",
    "employment",
    "pension",
    "deregistration",
    "custody",
    "trips",
    "tests",
    "vaccinations",
    "contacts",
    "medical_bills",
    "medical_policy",
    "exit_entry",
    "market_entity",
    "carrier",
    "bank",
    "insurance_transfers",
    "sms",
    "face",
    "timestamp",
    "wechat",
]
EVERY: tuple[Breakable, ...] = Breakable.__args__  # type: ignore[attr-defined]
SLOW_SECONDS = 5.0
"""Longer than the two seconds the platform waits for a register."""

BROKEN_JSON = b'{"found": true, "match": tr'
WRONG_SHAPE = (
    b'{"found": "perhaps", "match": "maybe", "source": 7, "asOf": "yesterday", "homes": {"\xe4\xb9\xb1": 1}}'
)
_garbage_number = count()


class FaultCreate(Wire):
    """`seconds`: with slow, the delay of each answer (5 unless given) until "off"; with error and garbage,
    how long the fault lasts (until "off" unless given)."""

    register: Breakable | Literal["all"]
    mode: Literal["slow", "error", "garbage", "off"]
    seconds: Annotated[float, Meta(gt=0, le=86400)] | None = None


@post("/faults", status_code=200)
async def set_fault(
    request: Asked, store: NamedDependency[Store], clock: NamedDependency[Clock]
) -> list[dict[str, Any]]:
    """Begin or end a fault; answers with the faults now in force."""
    data = await read(request, FaultCreate)
    now = clock.now().timestamp()
    slow = data.mode == "slow"
    delay = (data.seconds or SLOW_SECONDS) if slow else 0.0
    until = None if slow or data.seconds is None else now + data.seconds
    with store.transaction():
        for register in EVERY if data.register == "all" else (data.register,):
            store.execute("DELETE FROM fault WHERE register = ?", register)
            if data.mode != "off":
                store.execute("INSERT INTO fault VALUES (?, ?, ?, ?)", register, data.mode, delay, until)
    in_force = store.rows("SELECT register, mode, delay FROM fault WHERE until IS NULL OR until > ?", now)
    return [{"register": register, "mode": mode, "delay": delay} for register, mode, delay in in_force]


async def answer_badly(request: Asked) -> Response[bytes] | None:
    """Before a handler of a breakable endpoint: wait, fail or talk nonsense if a fault says so."""
    register = request.route_handler.opt.get("register") or request.path_params["register"].replace("-", "_")
    store: Store = request.app.state.store
    clock: Clock = request.app.state.clock
    fault = store.rows(
        "SELECT mode, delay FROM fault WHERE register = ? AND (until IS NULL OR until > ?)",
        register,
        clock.now().timestamp(),
    )
    if not fault:
        return None
    ((mode, delay),) = fault
    if mode == "slow":
        await asyncio.sleep(delay)
        return None
    if mode == "error":
        return Response(b'{"error": "fault", "detail": "out of order on request"}', status_code=503)
    garbage = WRONG_SHAPE if next(_garbage_number) % 2 else BROKEN_JSON
    return Response(garbage, status_code=200, media_type="application/json")
