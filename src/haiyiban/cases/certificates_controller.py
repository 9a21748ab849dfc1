"""Choosing a certificate for a field of a case's form, over HTTP."""

from __future__ import annotations

from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import clock
from haiyiban.cases import access, certificate_views
from haiyiban.cases.access import CaseMissing
from haiyiban.delegations import Actor
from haiyiban.delegations.rules import DelegationEnded, DelegationExpired
from haiyiban.identity.callers import Level
from haiyiban.identity.guards import ResidentRequest, resident
from haiyiban.wire import problems


class CaseCertificatesController(Controller):
    """Certificates (电子证照) to give with a case."""

    path = "/cases"
    tags = ["cases"]
    guards = [resident(Level.L3)]

    @get(
        "/{case_id:uuid}/certificates",
        summary="Certificates that a case's form takes",
        responses=problems(CaseMissing, DelegationEnded, DelegationExpired),
    )
    async def choices(
        self, request: ResidentRequest, session: NamedDependency[AsyncSession], case_id: FromPath[UUID]
    ) -> certificate_views.CertificateChoices:
        """For each field of format `certificate`: what it accepts, where one gets it, and those of the
        applicant that hold today. Whoever acts for another sees the other's."""
        actor = Actor.of(request.user)
        case = await access.own(session, case_id, actor, today=clock.today())
        return await certificate_views.choices(session, case, reader=actor.id)
