"""SMS are delivered once; a face passes with the agreed token."""

import httpx
import pytest


async def send(sandbox: httpx.AsyncClient, text: str, *, message_id: str, phone: str = "13900000001") -> None:
    answer = await sandbox.post("/sms", json={"phone": phone, "text": text, "messageId": message_id})
    assert answer.status_code == 200
    assert answer.json() == {"messageId": message_id}


async def test_the_inbox_shows_the_newest_message_first_with_its_code(sandbox: httpx.AsyncClient) -> None:
    await send(sandbox, "您的验证码是012345，5分钟内有效。", message_id="a")
    await send(sandbox, "办件 11460000 已受理，请等候", message_id="b")
    inbox = (await sandbox.get("/sms", params={"phone": "13900000001"}, headers={"X-Api-Key": ""})).json()
    assert [message["text"][:2] for message in inbox] == ["办件", "您的"]
    assert "code" not in inbox[0]
    assert inbox[1]["code"] == "012345"
    assert inbox[1]["at"].endswith("Z")
    assert (await sandbox.get("/sms", params={"phone": "13900000009"})).json() == []


async def test_the_same_message_is_delivered_once(sandbox: httpx.AsyncClient) -> None:
    for _ in range(3):
        await send(sandbox, "一次", message_id="same")
    assert len((await sandbox.get("/sms?phone=13900000001")).json()) == 1


@pytest.mark.parametrize("query", ["", "?phone=", "?phone=123", "?phone=13900000001x"])
async def test_an_inbox_without_a_phone_number_is_refused(sandbox: httpx.AsyncClient, query: str) -> None:
    answer = await sandbox.get(f"/sms{query}")
    assert answer.status_code == 400
    assert answer.json()["error"] == "malformed"


@pytest.mark.parametrize(("token", "passed"), [("pass", True), ("PASS", False), ("", False), ("fail", False)])
async def test_only_the_agreed_token_passes_the_face_check(
    sandbox: httpx.AsyncClient, token: str, passed: bool
) -> None:
    session = (await sandbox.post("/face/sessions", json={"reference": "check-1"})).json()
    assert session["vendorUrl"] == f"http://sandbox/face/{session['sessionId']}"
    page = await sandbox.get(session["vendorUrl"])
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    body = {"sessionId": session["sessionId"], "faceToken": token}
    result = (await sandbox.post("/face/redeem", json=body)).json()
    assert result["passed"] is passed
    assert (result["score"] > 0.5) is passed


async def test_an_unknown_face_session_is_not_found(sandbox: httpx.AsyncClient) -> None:
    body = {"sessionId": "none", "faceToken": "pass"}
    assert (await sandbox.post("/face/redeem", json=body)).status_code == 404
    assert (await sandbox.get("/face/none")).status_code == 404
