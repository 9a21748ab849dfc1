"""A zone adds a kind of code: declared beside its zone, and everything else is the kernel's."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from haiyiban import clock
from haiyiban.codes import kinds, verifying
from haiyiban.codes.certificate_kind import CERTIFICATE
from haiyiban.codes.claims import Kind, PlainBody
from haiyiban.codes.disclosures import Disclosure
from haiyiban.codes.identity_kind import IDENTITY
from haiyiban.codes.kinds import CodeKind, Found, Showable, Standing, Wanted
from haiyiban.codes.outcomes import Outcome
from haiyiban.codes.signing import CodeKeys, code_keys
from haiyiban.codes.trust import TrustEntry, TrustList
from haiyiban.codes.verifying import VerificationCreate
from haiyiban.context import Context
from haiyiban.errors import NotFound
from haiyiban.identity.callers import VerifierCaller
from haiyiban.runtime import discovery
from tests import builders

PARCEL = uuid4()
"""A parcel, waiting at the counter until somebody picks it up."""


@dataclasses.dataclass
class Counter:
    """What the zone of these tests knows of its parcel."""

    holder_id: UUID
    outcome: Outcome = Outcome.VALID
    asked: int = 0

    async def find(self, batch: Sequence[Wanted]) -> list[Found]:
        return [self._showable() if wanted.subject_id == PARCEL else NotFound() for wanted in batch]

    async def find_again(self, ref: int, person_id: UUID, now: datetime) -> Found:
        return self._showable()

    async def standing(self, refs: Sequence[int]) -> list[Standing]:
        self.asked += 1
        shown = Disclosure(name="陈*", subject={"parcel": "HNB-1"})
        return [Standing(self.outcome, self.holder_id, shown) for _ in refs]

    def _showable(self) -> Showable:
        return Showable(7, self.holder_id, PlainBody(name="陈*"))

    def kind(self, **changes: object) -> CodeKind:
        told = {"number": Kind.PICKUP, "name": "pickup", "capsule_life": timedelta(hours=4)}
        return CodeKind(
            **(told | changes), find=self.find, find_again=self.find_again, standing=self.standing
        )


@pytest.fixture
def counter(app: object) -> Iterator[Counter]:
    """The kernel's kinds and one of a zone."""
    zone = Counter(holder_id=uuid4())
    kinds.install([CERTIFICATE, IDENTITY, zone.kind()])
    yield zone
    install_all()


def install_all() -> None:
    """What this deployment offers, as at its start."""
    kinds.install(kind for zone in (*discovery.features(), *discovery.zones()) for kind in zone.code_kinds)


async def test_what_a_zone_shows_is_signed_for_it(api, phone, counter) -> None:
    shown = await api.post("/codes", json={"kind": "pickup", "subjectId": str(PARCEL)}, headers=phone.headers)
    assert shown.status_code == 201
    await phone.bind("pickup", subjectId=str(PARCEL))
    left = datetime.fromisoformat(phone.expires_at) - clock.now()
    assert timedelta(hours=3, minutes=59) < left <= timedelta(hours=4)
    state = await api.get(f"/codes/{phone.id}", headers=phone.headers)
    assert (state.json()["kind"], state.json()["state"]) == ("pickup", "active")


async def test_what_a_zone_does_not_show_is_refused_as_it_says(api, phone, counter) -> None:
    wanted = {"kind": "pickup", "subjectId": str(uuid4())}
    assert (await api.post("/codes", json=wanted, headers=phone.headers)).status_code == 404


async def test_without_its_zone_a_kind_is_not_offered(api, phone) -> None:
    kinds.install([CERTIFICATE, IDENTITY])
    refused = await api.post("/codes", json={"kind": "pickup"}, headers=phone.headers)
    install_all()
    assert (refused.status_code, builders.slug(refused)) == (422, "kind-not-offered")


async def test_a_verifier_reads_what_the_zone_discloses_as_it_stood(api, phone, counter) -> None:
    text = await shown_text(api, phone)
    first = await scanned(text, key="first")
    assert (first.outcome, first.kind) == (Outcome.VALID, "pickup")
    assert first.holder is not None
    assert (first.holder.name, first.subject) == ("陈*", {"parcel": "HNB-1"})
    counter.outcome = Outcome.REVOKED
    assert await scanned(text, key="first") == first
    assert (await scanned(text, key="other")).outcome == Outcome.REVOKED


@pytest.mark.parametrize(
    "outcome", [Outcome.REVOKED, Outcome.SUSPENDED, Outcome.EXPIRED, Outcome.UNAVAILABLE]
)
async def test_what_stands_behind_it_decides(api, phone, counter, outcome: Outcome) -> None:
    counter.outcome = outcome
    text = await shown_text(api, phone)
    answer = await scanned(text)
    assert (answer.outcome, answer.holder, answer.subject) == (outcome, None, None)
    counter.outcome = Outcome.VALID
    assert (await scanned(text)).outcome == Outcome.VALID


async def test_a_pickup_needs_presence_whatever_the_purpose_says(api, phone, counter) -> None:
    await phone.bind("pickup", subjectId=str(PARCEL))
    t = int(clock.now().timestamp())
    refused = await scanned(phone.show(t))
    assert (refused.outcome, "在场" in refused.reason) == (Outcome.NOT_ENTITLED, True)
    answered = await scanned(phone.show(t, challenge=b"12345678"), challenge="MTIzNDU2Nzg")
    assert answered.outcome == Outcome.VALID


async def test_a_certificate_never_waits_for_another_kind(counter, notice, show, scan) -> None:
    assert (await scan((await show(notice))["text"]))["outcome"] == "valid"
    assert counter.asked == 0


def test_two_kinds_of_one_number_or_one_name_are_refused(counter) -> None:
    for clash in (counter.kind(name="parcel"), counter.kind(number=16)):
        with pytest.raises(ValueError, match="same number or the same name"):
            kinds.install([CERTIFICATE, IDENTITY, counter.kind(), clash])
    assert kinds.named("pickup").number == Kind.PICKUP


@pytest.mark.parametrize("life", [timedelta(hours=72, seconds=1), timedelta(0), timedelta(-1)])
def test_no_kind_lets_capsules_live_for_days_on_end(counter, life: timedelta) -> None:
    with pytest.raises(ValueError, match="72 hours"):
        counter.kind(capsule_life=life)


async def shown_text(api, phone) -> str:
    wanted = {"kind": "pickup", "subjectId": str(PARCEL)}
    answer = await api.post("/codes", json=wanted, headers=phone.headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["text"])


async def scanned(text: str, *, key: str | None = None, challenge: str | None = None):
    """Verified by a shop, under a trust list that lets our keys sign pick-ups."""
    now = clock.now()
    return await verifying.verify(
        VerificationCreate(text=text, purpose="shop", challenge=challenge),
        SHOP,
        idempotency_key=key,
        context=Context(request_id="a-request"),
        keys=trusting(code_keys(now), now),
        now=now,
    )


def trusting(keys: CodeKeys, now: datetime) -> CodeKeys:
    day = timedelta(days=1)
    entry = TrustEntry.of(
        keys.signer(now).public, kinds=[Kind.PICKUP], not_before=now - day, not_after=now + day
    )
    return dataclasses.replace(keys, trust=TrustList([entry], issued_at=now))


SHOP = VerifierCaller(verifier_id=uuid4(), client_id="shop", name="免税店", purposes=frozenset({"shop"}))
