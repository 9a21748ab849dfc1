"""Name and number together, and a face: vouched for by the sandbox over HTTP."""

from collections.abc import Awaitable, Callable
from unicodedata import normalize

import httpx
import pytest

from haiyiban import registers
from haiyiban.registers import (
    FaceCheckExpired,
    RegisterClient,
    RegisterUnavailable,
    begin_face_check,
    confirm_identity,
    redeem_face_token,
)
from haiyiban.registers.health import NOBODY

pytestmark = pytest.mark.usefixtures("client")


@pytest.fixture
async def people(sandbox: httpx.AsyncClient) -> list[dict[str, str]]:
    """Who lives in the demo world."""
    residents: list[dict[str, str]] = (await sandbox.get("/world")).json()["residents"]
    return residents


async def test_everybody_of_the_demo_is_confirmed_by_their_own_name_alone(
    people: list[dict[str, str]],
) -> None:
    one, other = people[0], people[1]
    assert await confirm_identity(one["name"], one["idNumber"])
    assert not await confirm_identity(other["name"], one["idNumber"])


async def test_rare_characters_and_the_name_dot_are_confirmed(people: list[dict[str, str]]) -> None:
    rare = [person for person in people if "𠅤" in person["name"] or "·" in person["name"]]
    assert len(rare) == 2
    for person in rare:
        assert await confirm_identity(normalize("NFD", person["name"]), person["idNumber"])


async def test_a_face_check_is_passed_with_the_vendor_not_with_the_phone() -> None:
    session = await begin_face_check("check-1", name="陈海", id_number=NOBODY)
    assert session.vendor_url.endswith(session.session_id)
    assert await redeem_face_token(session.session_id, "pass")
    assert not await redeem_face_token(session.session_id, "I am it, trust me")


async def test_a_face_check_that_the_vendor_forgot_is_begun_anew() -> None:
    with pytest.raises(FaceCheckExpired):
        await redeem_face_token("no-such-session", "pass")


ASKED: list[tuple[str, Callable[[], Awaitable[object]], str]] = [
    ("population", lambda: confirm_identity("田字格", "460105198801010710"), "公安人口库"),
    ("face", lambda: begin_face_check("check-2", name="陈海", id_number=NOBODY), "实人核验服务"),
    ("face", lambda: redeem_face_token("any", "pass"), "实人核验服务"),
]


@pytest.mark.parametrize("mode", ["error", "garbage"])
@pytest.mark.parametrize(("register", "ask", "title"), ASKED, ids=["name", "face", "token"])
async def test_nobody_is_confirmed_while_the_source_is_out_of_order(
    register: str, ask: Callable[[], Awaitable[object]], title: str, mode: str, sandbox: httpx.AsyncClient
) -> None:
    await sandbox.post("/faults", json={"register": register, "mode": mode})
    for _ in range(2):
        with pytest.raises(RegisterUnavailable) as caught:
            await ask()
        document = caught.value.document("zh-CN")
        assert (document["status"], document["type"]) == (503, "/problems/registers/register-unavailable")
        assert title in document["detail"]
        assert "没有丢失" in document["detail"]
        assert "Nothing is lost" in caught.value.document("en")["detail"]
        assert caught.value.headers["Retry-After"] == "10"


async def test_the_process_has_one_client_until_it_hangs_up(client: RegisterClient) -> None:
    assert registers.current() is client
    await registers.close()
    assert registers.current() is not client
    assert registers.current() is registers.current()
