"""An enrolment of its own for each test, with its officers and clerk."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from haiyiban import clock, db
from haiyiban.identity import staff
from haiyiban.ids import new_id
from services.school_places.models import Enrolment, EnrolmentSchool, School
from services.school_places.rules import school_year
from services.school_places.service import runs
from tests import builders
from tests.builders import Somebody

Headers = dict[str, str]
PASSWORD = "an example password"


@dataclass
class Round:
    """An enrolment of a test: its address and its schools by name."""

    id: UUID
    schools: dict[str, str] = field(default_factory=dict)

    @property
    def runs(self) -> str:
        return f"/zones/school-places/enrolments/{self.id}/allocation-runs"


MakeRound = Callable[..., Awaitable[Round]]


@pytest.fixture
def make_round(app: object) -> MakeRound:
    """Opens an enrolment: `seats` by school, each school serving the community of its name; `p…` private."""

    async def make(seats: dict[str, int], **changes: Any) -> Round:
        now = clock.now()
        enrolment = Enrolment(
            id=new_id(),
            code=f"TEST-{secrets.token_hex(6)}",
            name="测试招生",
            name_en="Test enrolment",
            school_year=school_year(clock.today()),
            agency="education",
            division="460105",
            area={"divisions": ["460105"], "centres": {"460105": [20.0, 110.29]}},
            opens_at=changes.get("opens_at", now - timedelta(days=1)),
            closes_at=changes.get("closes_at", now + timedelta(days=10)),
            beacon_source="test",
            draw_after=changes.get("draw_after", now - timedelta(hours=1)),
            four_eyes=changes.get("four_eyes", False),
            closes_by_roll=changes.get("closes_by_roll", True),
            appeal_days=30,
        )
        runs.new_commitment(enrolment)
        made = Round(enrolment.id)
        async with db.database().transaction() as session:
            session.add(enrolment)
            await session.flush()
            for at, (name, capacity) in enumerate(seats.items()):
                school = School(
                    id=new_id(),
                    code=secrets.token_hex(8),
                    name=f"{name}小学",
                    name_en=f"{name} school",
                    division="460105",
                    kind="private" if name.startswith("p") else "public",
                    address="海口市秀英区",
                    latitude=20.0 + at / 100,
                    longitude=110.29,
                )
                session.add(school)
                await session.flush()
                session.add(
                    EnrolmentSchool(
                        enrolment_id=enrolment.id,
                        school_id=school.id,
                        capacity=capacity,
                        catchment={"division": "460105", "streets": [], "communities": [name]},
                    )
                )
                made.schools[name] = str(school.id)
        return made

    return make


SignInStaff = Callable[..., Awaitable[Headers]]


@pytest.fixture
def sign_in_staff(api: httpx.AsyncClient) -> SignInStaff:
    """Employs somebody in a role and signs them in."""

    async def employ(role: str, *, agency: str = "education", division: str = "460105") -> Headers:
        username = f"{role}-{secrets.token_hex(5)}"
        async with db.database().transaction() as session:
            await staff.create(
                session, username, password=PASSWORD, roles=[role], agency=agency, division=division
            )
        answer = await api.post(
            "/auth/sessions", json={"method": "staff", "username": username, "password": PASSWORD}
        )
        assert answer.status_code == 201, answer.text
        return {"Authorization": f"Bearer {answer.json()['accessToken']}"}

    return employ


@pytest.fixture
async def officer(sign_in_staff: SignInStaff) -> Headers:
    return await sign_in_staff("officer")


@pytest.fixture
async def clerk(sign_in_staff: SignInStaff) -> Headers:
    return await sign_in_staff("clerk")


def family(community: str | None = "A", *, children: int = 1, **more: Any) -> Somebody:
    """Registered at the own home in a community: class 1 there; None: in no catchment."""
    place = f"{community}小区" if community else f"海秀街道{secrets.randbelow(900) + 100}号"
    address = f"海南省海口市秀英区{place}3栋{secrets.randbelow(9000) + 1000}室"
    home = {
        "id": f"T-{secrets.token_hex(8)}",
        "address": address,
        "division": "460105",
        "title": "owned",
        "share": 100,
    }
    born = builders.school_age()
    return Somebody(
        address=address,
        home=more.pop("home", home),
        children=more.pop("kids", [builders.child(birth=born) for _ in range(children)]),
        **more,
    )


async def apply(
    api: httpx.AsyncClient, headers: Headers, choices: list[str], *, child: str | None = None, **form: Any
) -> httpx.Response:
    """Open a case, rank the schools, hand it in; the answer of the submission."""
    body: dict[str, Any] = {"matter": "education.school-place"}
    if child is not None:
        body["subject"] = {"idNumber": child}
    opened = await api.post("/cases", json=body, headers=headers)
    assert opened.status_code == 201, opened.text
    case = opened.json()
    patched = await api.patch(
        f"/cases/{case['id']}",
        json={"form": {"choices": choices, **form}, "version": case["version"]},
        headers=headers,
    )
    assert patched.status_code == 200, patched.text
    return await api.post(f"/cases/{case['id']}/submission", json={}, headers=headers)


async def accept(api: httpx.AsyncClient, clerk: Headers, case: dict[str, Any]) -> None:
    """A clerk takes the case in."""
    answer = await api.post(
        f"/desk/cases/{case['id']}/accept", json={"note": "", "version": case["version"]}, headers=clerk
    )
    assert answer.status_code == 200, answer.text


async def applied(
    api: httpx.AsyncClient,
    sandbox: httpx.AsyncClient,
    clerk: Headers,
    who: Somebody,
    choices: list[str],
    **form: Any,
) -> tuple[Headers, dict[str, Any]]:
    """A family that applied and whose case was accepted."""
    headers = await builders.resident(api, sandbox, who)
    answer = await apply(api, headers, choices, child=who.children[0]["idNumber"], **form)
    assert answer.status_code == 200, answer.text
    await accept(api, clerk, answer.json())
    return headers, answer.json()


async def drawn(api: httpx.AsyncClient, officer: Headers, made: Round) -> str:
    """Fix the roll and draw; the run's id."""
    committed = await api.post(made.runs, json={}, headers=officer)
    assert committed.status_code == 201, committed.text
    run: str = committed.json()["runId"]
    answer = await api.post(f"{made.runs}/{run}/draw", json={"beacon": "01 02 03"}, headers=officer)
    assert answer.status_code == 200, answer.text
    return run


def noon(days: int) -> datetime:
    """An instant of another day."""
    return clock.now() + timedelta(days=days)
