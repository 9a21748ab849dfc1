"""A terminal's part of the family's way: registered, enrolled, offline, suspended and retired."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from haiyiban import clock
from tests.terminal import Terminal

if TYPE_CHECKING:
    from tests.contracts.flow import Flow, Headers


async def go(flow: Flow, notice: str, me: Headers, operator: Headers) -> None:
    """Every act of a terminal, and every one of the operator's on it."""
    verifiers = (await flow.api.get("/desk/verifiers", headers=operator)).json()["items"]
    mine: dict[str, Any] = {"verifierId": verifiers[-1]["id"], "name": "一号机", "place": "东门"}
    told = await flow.step("register a terminal", "POST", "/desk/terminals", by=operator, expect=201, **mine)
    terminal = Terminal(flow.api)
    enrolling = {"oneTimeCode": told["oneTimeCode"], "publicKey": terminal.public_jwk}
    enrolled = await flow.step(
        "enrol a terminal", "POST", "/terminals/enrolments", by={}, expect=201, **enrolling
    )
    terminal.id = enrolled["terminalId"]
    terminal.client = {name: enrolled[name] for name in ("clientId", "clientSecret")}
    headers = await terminal.headers()
    well = {"listIssuedAt": clock.now().isoformat(), "queueLength": 1}
    await flow.step("report of a terminal", "POST", "/terminals/me/heartbeat", by=headers, **well)
    wish = terminal.signed({"terminalId": terminal.id, "requestedAt": clock.now().isoformat()})
    changed = await flow.step(
        "change a terminal's secret", "POST", "/terminals/me/secret", by=headers, expect=201, **wish
    )
    code = await flow.api.post("/codes", json={"kind": "certificate", "subjectId": notice}, headers=me)
    terminal.remember(code.json()["text"])
    await flow.step(
        "upload offline verifications", "POST", "/verifications/batch", by=headers, **terminal.batch()
    )
    await flow.step("list double uses", "GET", "/desk/double-uses", by=operator)
    await flow.step("list terminals", "GET", "/desk/terminals", by=operator)
    at = f"/desk/terminals/{terminal.id}"
    await flow.step("suspend a terminal", "POST", f"{at}/suspension", by=operator, reason="测试")
    await flow.step("reinstate a terminal", "POST", f"{at}/reinstatement", by=operator)
    again = await flow.step(
        "let a terminal enrol anew", "POST", f"{at}/one-time-codes", by=operator, expect=201
    )
    await flow.step("retire a terminal", "POST", f"{at}/retirement", by=operator)
    flow.tokens += [
        *(each["clientSecret"] for each in (enrolled, changed)),
        *(each["oneTimeCode"].replace("-", "") for each in (told, again)),
    ]
