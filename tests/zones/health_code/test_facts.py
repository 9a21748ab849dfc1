"""From the registers' words to facts, and the itinerary: docs/domain.md §5."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from haiyiban.clock import SHANGHAI
from haiyiban.registers import RegisterAnswer, RegisterName, Trip
from services.health_code.facts import ASKED, Declared, Known, known
from services.health_code.itinerary import Visited, prefecture, visited
from services.health_code.rules import Colour, Decision, decide, stays
from services.health_code.standards import Area, in_force, rules_on, standards

NOW = datetime(2022, 4, 20, 9, tzinfo=SHANGHAI)
TODAY = NOW.date()
STANDARD = standards().on(TODAY)
RISKY = Area(division="310000", level="medium", since=date(2022, 4, 1))
AFFECTED = Area(division="440100", level="affected", since=date(2022, 4, 1), until=date(2022, 4, 10))


def day(ago: int) -> str:
    return (TODAY - timedelta(days=ago)).isoformat()


def trip(place: str, ago: int) -> dict[str, Any]:
    at = (NOW - timedelta(days=ago)).isoformat()
    return {"from": place, "to": "460100", "departedAt": at, "arrivedAt": at}


def found(
    *declared: Declared, silent: tuple[RegisterName, ...] = (), standard: Any = STANDARD, **said: list[Any]
) -> Known:
    answers = {
        name: RegisterAnswer(
            register=name,
            state="unknown" if name in silent else "known" if name in said else "absent",
            source="库",
            at=NOW,
            data={name: said[name]} if name in said else {},
        )
        for name in ASKED
    }
    return known(answers, declared, standard=standard, areas=(RISKY, AFFECTED), now=NOW)


def colour(of: Known) -> tuple[Colour, list[str]]:
    decision = decide(rules_on(TODAY), of.facts)
    return decision.colour, [rule.id for rule in decision.by]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"trips": [trip("310101", 14)]}, ("red", ["risk-area"])),
        ({"trips": [trip("310101", 15)]}, ("green", [])),
        (
            {
                "trips": [trip("310101", 14)],
                "contacts": [{"kind": "inbound", "since": day(14), "releasedOn": day(0)}],
            },
            ("green", []),
        ),
        ({"trips": [trip("440106", 12)]}, ("yellow", ["affected-area"])),
        ({"trips": [trip("440106", 8)]}, ("green", [])),  # off the list by then
        ({"contacts": [{"kind": "fever_clinic", "since": day(14)}]}, ("yellow", ["symptoms"])),
        ({"contacts": [{"kind": "exposure", "since": day(15), "minutes": 60}]}, ("green", [])),
        ({"tests": [{"result": "inconclusive", "sampledAt": NOW.isoformat()}]}, ("green", [])),
    ],
)
def test_what_the_registers_say_gives_the_colour(said: dict[str, Any], expected: tuple[str, Any]) -> None:
    assert colour(found(**said)) == expected


def test_the_latest_test_counts_and_a_record_without_a_result_proves_nothing() -> None:
    positive = {"result": "positive", "sampledAt": "2022-04-18T08:00:00+08:00"}
    negative = {"result": "negative", "sampledAt": "2022-04-19T08:00:00+08:00"}
    later = {"result": "?", "sampledAt": "2022-04-20T08:00:00+08:00"}
    assert found(tests=[negative, later, positive]).negative_at == datetime(2022, 4, 19, 8, tzinfo=SHANGHAI)
    assert found(tests=[later]).negative_at is None
    assert colour(found(tests=[positive]))[0] == "red"


@pytest.mark.parametrize("register", ["tests", "contacts", "vaccinations"])
def test_what_cannot_be_read_is_not_known_and_never_green(register: str) -> None:
    said = found(**{register: [{"odd": 1, "product": 7}]})
    assert said.silent == (register,)
    if register != "vaccinations":
        assert colour(said)[0] != "green"


def test_a_window_is_counted_from_sampling_or_from_the_report_as_configured() -> None:
    """Practice varied: docs/domain.md §5."""
    test = {
        "result": "negative",
        "sampledAt": "2022-04-19T08:00:00+08:00",
        "reportedAt": "2022-04-19T20:00:00+08:00",
    }
    reported = msgspec.structs.replace(STANDARD, test_time="reported")
    assert found(tests=[test]).negative_at == datetime(2022, 4, 19, 8, tzinfo=SHANGHAI)
    assert found(tests=[test], standard=reported).negative_at == datetime(2022, 4, 19, 20, tzinfo=SHANGHAI)


def test_where_a_daily_check_in_is_asked_for_whoever_made_none_is_grey() -> None:
    daily = msgspec.structs.replace(STANDARD, daily_check_in=True)
    well = Declared(NOW, symptoms=False, fever_clinic=False, risk_travel=False)
    yesterday = Declared(NOW - timedelta(days=1), symptoms=False, fever_clinic=False, risk_travel=False)
    assert colour(found(yesterday, standard=daily)) == ("grey", ["check-in"])
    assert colour(found(well, standard=daily)) == ("green", [])
    assert colour(found()) == ("green", [])


def test_a_declaration_counts_for_fourteen_days() -> None:
    for span, expected in ((timedelta(days=14), "yellow"), (timedelta(days=14, seconds=1), "green")):
        said = Declared(NOW - span, symptoms=True, fever_clinic=False, risk_travel=False)
        assert colour(found(said))[0] == expected


@pytest.mark.parametrize(
    ("previous", "decided", "kept"),
    [
        ("red", "yellow", True),
        ("yellow", "yellow", False),
        ("green", "yellow", False),
        ("red", "red", False),
        ("green", "grey", True),
        ("yellow", "grey", True),
        ("grey", "grey", False),
    ],
)
def test_while_a_register_is_silent_the_worse_known_colour_stays(
    previous: str, decided: str, kept: bool
) -> None:
    some = rules_on(TODAY).rules[:1]
    by = [] if decided == "grey" else some
    assert stays(Colour(previous), Decision(Colour(decided), by, some)) is kept
    assert not stays(Colour(previous), Decision(Colour(decided), by, []))


def test_each_silent_register_is_named_and_nobody_is_green_by_it() -> None:
    for name in ("tests", "contacts", "trips"):
        of = found(silent=(name,))
        assert (of.silent, colour(of)[0]) == ((name,), "grey")
    of = found(silent=("vaccinations",))
    assert (of.doses, colour(of)[0]) == (None, "green")


def test_the_itinerary_names_each_prefecture_of_the_last_days_once_with_its_asterisk() -> None:
    trips = msgspec.convert([trip("110105", 15), trip("310101", 14), trip("JPN", 1)], list[Trip])
    seen = visited(trips, today=TODAY, standard=STANDARD, areas=(RISKY,))
    assert seen == [Visited("310100", True), Visited("460100", False), Visited("JPN", False)]
    later = standards().on(date(2022, 6, 29))
    assert not any(place.asterisk for place in visited(trips, today=TODAY, standard=later, areas=(RISKY,)))


@pytest.mark.parametrize(
    ("place", "expected"),
    [("460105", "460100"), ("469028", "469028"), ("429004", "429004"), ("JPN", "JPN"), ("810000", "810000")],
)
def test_what_lies_directly_under_a_province_is_its_own_prefecture(place: str, expected: str) -> None:
    assert prefecture(place) == expected


def test_the_newest_rules_in_force_hold_and_none_before_the_first() -> None:
    first = rules_on(TODAY)
    second = msgspec.structs.replace(first, id="second", effective_from=date(2022, 5, 17))
    assert in_force((first, second), date(2022, 5, 16)).id == first.id
    assert in_force((first, second), date(2022, 5, 17)).id == "second"
    with pytest.raises(ValueError, match="no rules"):
        in_force((first,), date(2021, 8, 16))
