"""What operators see of the registers."""

import httpx

from haiyiban.registers import REGISTERS, RegisterClient, health


async def test_each_register_is_shown_as_it_answers_now(
    client: RegisterClient, sandbox: httpx.AsyncClient
) -> None:
    await sandbox.post("/faults", json={"register": "birth", "mode": "error"})
    for round_ in range(1, 6):
        shown = {one.register: one for one in await health()}
        assert shown.keys() == REGISTERS.keys()
        assert {name for name, one in shown.items() if not one.is_answering} == {"birth"}
        assert shown["birth"].failures == round_
        assert shown["birth"].is_resting is (round_ == 5)
        assert not shown["population"].is_resting
