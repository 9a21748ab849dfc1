"""What is fetched from a neighbour: the matters that it takes, signed by its key, and its trust list, signed
by the root that the agreement names."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import httpx
import msgspec
from sqlalchemy import or_, select

from haiyiban import clock, db
from haiyiban.codes.jws import UntrustedList
from haiyiban.codes.trust import TrustList, public_key_of, read_trust_list
from haiyiban.db import database
from haiyiban.wire import API
from services.cross_province import following, line, neighbours, signatures
from services.cross_province.line import NoSafeLine
from services.cross_province.messages import CrossCertificate
from services.cross_province.models import Neighbour
from services.cross_province.neighbours import Known, NoSuchNeighbour
from services.cross_province.offers import OfferList
from services.cross_province.signatures import Headers, NotSigned

log = logging.getLogger(__name__)

OFFER = f"{API}/zones/cross-province/offer"
_TRUST_LIST = f"{API}/trust-list"
_EVERY = timedelta(hours=1)
_BYTES_MOST = 4 * 1024 * 1024


async def refresh(_: bytes) -> None:
    """Fetch from every neighbour whose offer is an hour old. What does not come leaves the last one."""
    now = clock.now()
    async with database().reading() as session:
        old = select(Neighbour.division).where(
            or_(Neighbour.offered_at.is_(None), Neighbour.offered_at < now - _EVERY)
        )
        divisions = list(await session.scalars(old))
    for division in divisions:
        await fetch(division, now=now)


async def fetch(division: str, *, now: datetime) -> bool:
    """Fetch a neighbour's offer and trust list; whether both came and hold."""
    async with database().reading() as session:
        try:
            known = await neighbours.get(session, division)
        except NoSuchNeighbour:
            return False
    if not known.is_open(now):
        return False
    db.require_no_transaction()
    try:
        async with line.client(known.other) as client:
            offer = await _offer(client, known, now)
            trust = await _trust_list(client, known)
    except (httpx.HTTPError, NoSafeLine, NotSigned, UntrustedList, msgspec.MsgspecError, ValueError) as error:
        log.warning("%s could not be refreshed: %s", division, type(error).__name__)
        return False
    async with database().transaction() as session:
        row = await session.get_one(Neighbour, division, with_for_update=True)
        row.offer = msgspec.to_builtins(offer)
        row.offered_at = now
        row.trust_list = trust
    return True


async def trust_list_for(division: str, issued: CrossCertificate, *, now: datetime) -> TrustList | None:
    """The neighbour's trust list, by which to judge a certificate; fetched anew where the one that we hold
    does not know who signed. None where it would have to be fetched and does not come."""
    held = await _held(division)
    if held is not None and following.is_proven(issued, division, trust=held, now=now):
        return held
    return await _held(division) if await fetch(division, now=now) else None


async def _held(division: str) -> TrustList | None:
    async with database().reading() as session:
        try:
            known = await neighbours.get(session, division)
        except NoSuchNeighbour:
            return None
    if known.row.trust_list is None:
        return None
    return read_trust_list(known.row.trust_list, public_key_of(known.other.trust_root))


async def _offer(client: httpx.AsyncClient, known: Known, now: datetime) -> OfferList:
    answer = await _get(client, OFFER)
    headers = Headers.of({name.lower(): value for name, value in answer.headers.items()})
    signatures.check_document(answer.content, headers, path=OFFER, keys=known.key, now=now)
    offer = msgspec.json.decode(answer.content, type=OfferList)
    if offer.division != known.other.division:
        raise ValueError("the offer is another place's")
    return offer


async def _trust_list(client: httpx.AsyncClient, known: Known) -> str:
    text = (await _get(client, _TRUST_LIST)).text.strip()
    read_trust_list(text, public_key_of(known.other.trust_root))
    return text


async def _get(client: httpx.AsyncClient, path: str) -> httpx.Response:
    answer = (await client.get(path)).raise_for_status()
    if len(answer.content) > _BYTES_MOST:
        raise ValueError("the answer is too long")
    return answer
