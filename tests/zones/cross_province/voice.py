"""Another province's deployment for tests in one process: keys, an agreement, and messages said by hand.

What it is sent is not delivered, for nobody listens at its address. That two whole deployments understand
each other is tested with two (pair.py).
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec

from haiyiban import clock, context
from haiyiban.bilingual import Text
from haiyiban.context import Context
from haiyiban.crypto import FileKeys, SigningKey
from haiyiban.db import database
from services.cross_province import directory, neighbours, offers, ourselves, signatures, working
from services.cross_province.directory import Agreement, Joint, Signed
from services.cross_province.messages import Place, Type
from services.cross_province.sending import PATH

DIVISION = "450000"
MATTER = "social-insurance.proof"


class Voice:
    """Guangxi, with which Hainan has an agreement by which both decide."""

    def __init__(self, key: SigningKey, places: tuple[Place, Place]) -> None:
        self.key, (self.hainan, self.own) = key, places

    @classmethod
    async def agreed(cls, folder: Path) -> Voice:
        """Both sign; it takes what Hainan takes from others."""
        keys = FileKeys.create(folder).signing("exchange")
        ours = ourselves.own_party(Text(zh="海南省", en="Hainan"), "12460000MB1H0B024H")
        theirs = directory.describe(
            division=DIVISION,
            name=Text(zh="广西壮族自治区", en="Guangxi"),
            uscc="124400004558592254",
            origin="http://127.0.0.1:9",
            keys=keys,
            trust_root={},
        )
        now = clock.now()
        agreement = Agreement(
            parties=(ours, theirs),
            valid_from=now - timedelta(days=1),
            valid_until=now + timedelta(days=1),
            joint=(Joint(MATTER, Text(zh="核对是否已转出", en="whether the record has moved")),),
        )
        signed = directory.sign(Signed(agreement), ours.division, neighbours.newest_key())
        document = msgspec.to_builtins(directory.sign(signed, DIVISION, keys[-1]))
        context.enter(Context(request_id="an agreement of the tests", actor_kind="system"))
        async with database().transaction() as session:
            await neighbours.accept(session, document, now=now)
            known = await neighbours.get(session, DIVISION, lock=True)
            known.row.offer = msgspec.to_builtins(offers.own_offer(DIVISION, now=now))
            known.row.offered_at = now
            places = known.places
        return cls(keys[-1], places)

    async def message(self, case_id: str, type_: Type, **members: Any) -> bytes:
        """The next one, about a case."""
        async with database().reading() as session:
            number = (await neighbours.get(session, DIVISION)).row.taken + 1
        return msgspec.json.encode(
            {
                "msgId": str(uuid4()),
                "version": 1,
                "sequence": number,
                "type": type_,
                "mode": 1,
                "sender": msgspec.to_builtins(self.own),
                "receiver": msgspec.to_builtins(self.hainan),
                "traceId": case_id,
                "at": clock.now().isoformat(),
            }
            | members
        )

    async def say(self, api: httpx.AsyncClient, case_id: str, type_: Type, **members: Any) -> httpx.Response:
        """It is taken, and carried out at once."""
        body = await self.message(case_id, type_, **members)
        headers = signatures.sign_request(body, path=PATH, key=self.key, now=clock.now())
        answer = await api.post("/zones/cross-province/exchange", content=body, headers=headers.fields())
        assert answer.status_code == 200, answer.text
        context.enter(Context(request_id="a worker of the tests", actor_kind="system"))
        await working.process(DIVISION.encode())
        return answer
