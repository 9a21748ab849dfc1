"""The outcome that an offline verification should have had: by what the terminal could know then."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from haiyiban.codes.batch_wire import OfflineRecord
from haiyiban.codes.claims import (
    CertificateBody,
    Claims,
    Colour,
    HealthBody,
    Kind,
    PlainBody,
    StatusEntry,
)
from haiyiban.codes.envelope import DeviceProof, ParsedCode
from haiyiban.codes.offline import Checked
from haiyiban.codes.outcomes import Outcome
from haiyiban.codes.recomputing import (
    BEFORE_ENROLMENT,
    IN_THE_FUTURE,
    TOO_OLD,
    Behind,
    agrees,
    read_records,
    recompute,
    refusal,
    single_use,
)
from haiyiban.identity.callers import VerifierCaller
from haiyiban.verifiers import purpose

AT = datetime(2027, 9, 1, 8, tzinfo=UTC)
CTI = bytes(range(16))
CALLER = VerifierCaller(
    verifier_id=uuid4(), client_id="v", name="学校", purposes=frozenset({"enrolment", "gate"})
)
IN_FORCE = Behind(status="valid", status_at=AT - timedelta(days=9))


def record(outcome: Outcome = Outcome.VALID) -> OfflineRecord:
    return OfflineRecord(id="1", text="HYB1:", verified_at=AT, outcome=outcome)


def certificate(*, status: StatusEntry | None = None) -> Claims:
    body = CertificateBody("admission-notice", "陈*", status=status)
    return Claims(iss="460000", iat=0, exp=1, cti=CTI, kind=Kind.CERTIFICATE, body=body)


def code(claims: Claims, *, capsule: bool = False) -> ParsedCode:
    proof = DeviceProof(t=7, signature=b"", challenge=None, signed=b"") if capsule else None
    return ParsedCode(claims=claims, alg=-7, kid=b"", signature=b"", signed=b"", proof=proof)


def came_to(
    claims: Claims,
    behind: Behind,
    *,
    said: Outcome = Outcome.VALID,
    capsule: bool = False,
    wanted: str = "enrolment",
):
    checked = Checked(Outcome.VALID, code(claims, capsule=capsule))
    return recompute(record(said), checked, behind, purpose=purpose(wanted), caller=CALLER)


def test_a_code_that_stands_is_valid() -> None:
    assert came_to(certificate(), IN_FORCE) == (Outcome.VALID, None)


@pytest.mark.parametrize("outcome", [Outcome.MALFORMED, Outcome.EXPIRED, Outcome.BAD_SIGNATURE])
def test_what_the_text_itself_comes_to_is_not_asked_of_the_source(outcome: Outcome) -> None:
    checked = Checked(outcome, code(certificate()) if outcome is Outcome.EXPIRED else None)
    found = recompute(record(), checked, Behind(), purpose=purpose("enrolment"), caller=CALLER)
    assert found == (outcome, None)


@pytest.mark.parametrize(
    ("status", "before", "outcome"),
    [
        ("revoked", 1, Outcome.REVOKED),
        ("superseded", 1, Outcome.REVOKED),
        ("suspended", 1, Outcome.SUSPENDED),
        ("revoked", -1, Outcome.VALID),
        ("superseded", -1, Outcome.VALID),
        ("suspended", -1, Outcome.VALID),
    ],
)
def test_a_certificate_is_judged_as_it_stood_at_that_instant(status, before, outcome) -> None:
    behind = Behind(status=status, status_at=AT - timedelta(seconds=before))
    found = came_to(certificate(), behind)
    assert found.outcome is outcome
    assert "2027-09-01 " in found.note.zh


def test_a_certificate_past_its_last_day_has_expired() -> None:
    last = Behind(status="valid", status_at=AT, valid_until=date(2027, 9, 1))
    assert came_to(certificate(), last).outcome is Outcome.VALID
    assert came_to(certificate(), last._replace(valid_until=date(2027, 8, 31))).outcome is Outcome.EXPIRED


def test_what_is_not_found_is_unavailable() -> None:
    assert came_to(certificate(), Behind()).outcome is Outcome.UNAVAILABLE


def test_a_purpose_that_is_not_about_it_is_not_entitled() -> None:
    identity = Claims(iss="460000", iat=0, exp=1, cti=CTI, kind=Kind.IDENTITY, body=PlainBody("陈*"))
    stands = Behind(standing=Outcome.VALID)
    assert came_to(identity, stands, wanted="gate").outcome is Outcome.VALID
    assert came_to(identity, stands, wanted="enrolment").outcome is Outcome.NOT_ENTITLED
    assert came_to(certificate(), IN_FORCE, wanted="shop").outcome is Outcome.NOT_ENTITLED


@pytest.mark.parametrize(
    ("hours_before", "said", "outcome"),
    [
        (25, Outcome.VALID, Outcome.DENIED),
        (24, Outcome.VALID, Outcome.DENIED),
        (23, Outcome.VALID, Outcome.VALID),
        (23, Outcome.DENIED, Outcome.DENIED),
        (-1, Outcome.VALID, Outcome.VALID),
        (-1, Outcome.DENIED, Outcome.VALID),
    ],
)
def test_a_withdrawn_capsule_counts_from_when_the_terminal_must_have_known(
    hours_before, said, outcome
) -> None:
    behind = IN_FORCE._replace(capsule_withdrawn_at=AT - timedelta(hours=hours_before))
    found = came_to(certificate(), behind, said=said, capsule=True)
    assert found.outcome is outcome
    assert (found.note is None) == (outcome is Outcome.DENIED)
    assert came_to(certificate(), behind, said=said).outcome is Outcome.VALID


def test_a_health_capsule_must_be_known_after_half_an_hour() -> None:
    body = HealthBody("陈*", Colour.GREEN)
    health = Claims(iss="460000", iat=0, exp=1, cti=CTI, kind=Kind.HEALTH, body=body)
    for minutes, outcome in ((30, Outcome.DENIED), (29, Outcome.VALID)):
        behind = Behind(standing=Outcome.VALID, capsule_withdrawn_at=AT - timedelta(minutes=minutes))
        assert came_to(health, behind, capsule=True, wanted="gate").outcome is outcome


def test_a_capsule_of_a_certificate_long_out_of_force_is_denied_and_a_fresh_one_revoked() -> None:
    long_ago = Behind(status="revoked", status_at=AT - timedelta(hours=30))
    just_now = Behind(status="revoked", status_at=AT - timedelta(hours=3))
    assert came_to(certificate(), long_ago, capsule=True).outcome is Outcome.DENIED
    assert came_to(certificate(), just_now, capsule=True).outcome is Outcome.REVOKED


@pytest.mark.parametrize(
    ("said", "recomputed", "right"),
    [
        (Outcome.VALID, Outcome.VALID, True),
        (Outcome.VALID, Outcome.EXPIRED, False),
        (Outcome.EXPIRED, Outcome.VALID, False),
        (Outcome.STALE_LISTS, Outcome.VALID, True),
        (Outcome.WRONG_KIND, Outcome.VALID, True),
        (Outcome.ALREADY_USED, Outcome.EXPIRED, True),
    ],
)
def test_a_terminal_is_held_to_what_it_could_know(said, recomputed, right) -> None:
    assert agrees(said, recomputed) is right


def test_a_record_is_refused_by_its_time() -> None:
    long_ago = AT - timedelta(days=90)
    for now, why in (
        (AT, None),
        (AT - timedelta(seconds=60), None),
        (AT - timedelta(seconds=61), IN_THE_FUTURE),
        (AT + timedelta(days=31), None),
        (AT + timedelta(days=31, seconds=1), TOO_OLD),
    ):
        assert refusal(record(), enrolled_at=long_ago, now=now) == why
    assert refusal(record(), enrolled_at=AT + timedelta(seconds=60), now=AT) is None
    assert refusal(record(), enrolled_at=AT + timedelta(seconds=61), now=AT) == BEFORE_ENROLMENT


@pytest.mark.parametrize(
    "broken",
    [
        None,
        "a record",
        {},
        {"id": "1", "text": "x", "verifiedAt": "2027-09-01T08:00:00", "outcome": "valid"},
        {"id": "", "text": "x", "verifiedAt": "2027-09-01T08:00:00Z", "outcome": "valid"},
        {"id": "x" * 65, "text": "x", "verifiedAt": "2027-09-01T08:00:00Z", "outcome": "valid"},
        {"id": "1", "text": 1, "verifiedAt": "2027-09-01T08:00:00Z", "outcome": "valid"},
        {"id": "1", "text": "x", "verifiedAt": "2027-09-01T08:00:00Z", "outcome": "fine"},
        {"id": "1", "text": "x", "verifiedAt": "2027-09-01T08:00:00Z", "outcome": "consent_pending"},
        {"id": "1", "text": "x", "verifiedAt": "2027-09-01T08:00:00Z", "outcome": "valid", "x": 1},
    ],
)
def test_a_broken_record_is_read_as_none_and_its_neighbours_as_they_are(broken) -> None:
    good = {"id": "1", "text": "x", "verifiedAt": "2027-09-01T08:00:00Z", "outcome": "valid"}
    first, second, third = read_records([good, broken, good])
    assert second is None
    assert first == third
    assert first.verified_at == AT


def test_what_works_once() -> None:
    assert single_use(code(certificate())) == CTI
    assert single_use(code(certificate(), capsule=True)) == CTI + (7).to_bytes(8)
    printed = certificate(status=StatusEntry("https://example.test/1", 3))
    assert single_use(code(printed)) is None
