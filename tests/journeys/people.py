"""What each person does, in the words of the interface; used by the journeys."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import date
from typing import Any

import httpx
import jwt
import pyotp

from tests import builders
from tests.journeys.conftest import Platform

Document = dict[str, Any]


class Person:
    """Somebody with a client of their own."""

    def __init__(self, platform: Platform) -> None:
        self.move_to(platform)

    def move_to(self, platform: Platform) -> None:
        """Go on, signed out, where the platform now is."""
        self.platform = platform
        self.http = httpx.Client(base_url=f"{platform.demo['api']}/api/v1", timeout=30)
        platform.clients.append(self.http)

    def get(self, path: str, **parameters: Any) -> Any:
        """What is there."""
        return self._answer(self.http.get(path, params=parameters), 200)

    def post(self, path: str, body: Document | None = None, *, expect: int = 200, **headers: str) -> Any:
        """Do something, once however often it is sent."""
        keyed = {"Idempotency-Key": str(uuid.uuid4())} | headers
        return self._answer(self.http.post(path, json=body or {}, headers=keyed), expect)

    def delete(self, path: str) -> Any:
        """Take something back, or end it."""
        return self._answer(self.http.delete(path), 204)

    def patch(self, path: str, body: Document) -> Any:
        """Change something."""
        return self._answer(self.http.patch(path, json=body), 200)

    def _sign_in(self, body: Document) -> None:
        session = self._answer(self.http.post("/auth/sessions", json=body), 201)
        self.http.headers["Authorization"] = f"Bearer {session['accessToken']}"

    def _answer(self, response: httpx.Response, expect: int) -> Any:
        assert response.status_code == expect, f"{response.request.url}: {response.text}"
        return response.json() if response.content else None


class Resident(Person):
    """A resident of the demo."""

    def __init__(self, platform: Platform, known: Document) -> None:
        super().__init__(platform)
        self.known = known

    def sign_in(self) -> None:
        """By the code in the SMS."""
        phone = {"phone": self.known["phone"]}
        code = self.code_after(lambda: self._answer(self.http.post("/auth/sms-codes", json=phone), 202))
        self._sign_in({"method": "sms", "code": code} | phone)

    def code_after(self, asking: Callable[[], object]) -> str:
        """The code that comes to the phone when it is asked for."""
        before = len(self._inbox())
        asking()
        deadline = time.monotonic() + 30
        while not (codes := self._codes(since=before)):  # a notice may come before it
            assert time.monotonic() < deadline, "no SMS with a code came"
            time.sleep(0.05)
        return codes[0]

    def prove(self) -> None:
        """Real name, then a face check."""
        self.post(
            "/me/real-name",
            {"name": self.known["name"], "idType": "111", "idNumber": self.known["idNumber"]},
        )
        check = self.post("/me/face-checks", expect=201)
        passed = self.post(f"/me/face-checks/{check['id']}/result", {"faceToken": "pass"})
        assert passed["assurance"] == "L3"

    def messages(self) -> list[str]:
        """The texts of the phone's inbox, newest first."""
        return [message["text"] for message in self._inbox()]

    def _codes(self, *, since: int) -> list[str]:
        """Of the messages after so many, newest first."""
        inbox = self._inbox()
        return [str(message["code"]) for message in inbox[: len(inbox) - since] if message.get("code")]

    def _inbox(self) -> list[Document]:
        url = f"{self.platform.demo['sandbox']}/sms"
        inbox: list[Document] = httpx.get(url, params={"phone": self.known["phone"]}).json()
        return inbox


class Official(Person):
    """A clerk, an enrolment officer or an operator."""

    def __init__(self, platform: Platform, role: str) -> None:
        super().__init__(platform)
        account = platform.demo["accounts"][role]
        body = {"method": "staff", "username": account["username"], "password": account["password"]}
        if "otpSecret" in account:
            body["otp"] = pyotp.TOTP(account["otpSecret"]).now()
        self._sign_in(body)


class Verifier(Person):
    """An accredited verifier's scanner."""

    def __init__(self, platform: Platform, account: str = "verifier") -> None:
        super().__init__(platform)
        token = self._answer(
            self.http.post("/auth/verifiers/token", json=platform.demo["accounts"][account]), 200
        )
        self.http.headers["Authorization"] = f"Bearer {token['accessToken']}"
        self.id = str(jwt.decode(token["accessToken"], options={"verify_signature": False})["sub"])
        """By which others name this verifier."""

    def scan(self, text: str, *, purpose: str = "enrolment") -> Document:
        """Verify what a phone shows."""
        outcome: Document = self.post(
            "/verifications", {"text": text, "purpose": purpose, "expectedKind": "certificate"}
        )
        return outcome


def resident(platform: Platform, about: str) -> Resident:
    """The demo's resident of whom demo.json says `about`, signed in at L3."""
    found = next(known for known in platform.demo["residents"] if about in known["about"])
    person = Resident(platform, found)
    person.sign_in()
    person.prove()
    return person


def newcomer(platform: Platform, *, born: tuple[date, ...] = (), **facts: Any) -> Resident:
    """Somebody whom the sandbox's registers have just come to know, with children, not yet signed in."""
    known = {
        "name": "王宇浩",
        "idNumber": builders.id_number(),
        "phone": builders.phone(),
        "division": "460105",
        "hukou": {"address": "海口市秀英区长流镇某路8号", "division": "460105", "since": "2015-01-01"},
        "children": [
            {"name": f"王小{'甲乙丙'[index]}", "idNumber": builders.id_number(birth)}
            for index, birth in enumerate(born)
        ],
        **facts,
    }
    added = httpx.post(f"{platform.demo['sandbox']}/residents", json=known)
    assert added.status_code == 201, added.text
    return Resident(platform, known)


def family(platform: Platform, *, born: tuple[date, ...] = (), **facts: Any) -> Resident:
    """A parent at L3; with one child that starts school, unless `born` says otherwise."""
    parent = newcomer(platform, born=born or (builders.school_age(),), **facts)
    parent.sign_in()
    parent.prove()
    return parent


def works_again(platform: Platform, known: Document, *, since: date) -> None:
    """A new employer registers somebody of the demo."""
    employed = {
        **{name: known[name] for name in ("name", "idNumber", "phone")},
        "division": "460105",
        "hukou": {"address": "海口市秀英区海秀镇某路8号", "division": "460105102", "since": "2015-08-01"},
        "employment": {"employer": "示例公司", "since": since.isoformat()},
    }
    answer = httpx.post(f"{platform.demo['sandbox']}/residents", json=employed)
    assert answer.is_success, answer.text


def nothing_personal_in(platform: Platform) -> None:
    """The logs have the requests, and no name, number or phone of anybody of the demo."""
    logs = platform.logs()
    assert '"route"' in logs, "the access records are there"
    for person in platform.demo["residents"]:
        for known in [person, *person["children"]]:
            for value in (known["name"], known["idNumber"], known.get("phone", "")):
                assert not value or value not in logs
