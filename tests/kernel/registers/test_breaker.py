"""When a register is left alone, and when it is tried again."""

import pytest

from haiyiban.registers.breaker import Circuit

ROWS = [
    ("a new circuit lets everybody ask", [], 0, True),
    ("four failures are not yet an outage", [("failed", t) for t in range(4)], 4, True),
    ("five in a row open it", [("failed", t) for t in range(5)], 5, False),
    ("it rests for ten seconds", [("failed", 0)] * 5, 9.9, False),
    ("after ten seconds one may try", [("failed", 0)] * 5, 10, True),
    (
        "an answer between failures begins the row anew",
        [*[("failed", 0)] * 4, ("answered", 1), ("failed", 2)],
        3,
        True,
    ),
    (
        "failures further apart than the window are no row",
        [("failed", t) for t in (0, 1, 2, 3, 61.5)],
        62,
        True,
    ),
    ("a row is counted from its first failure", [("failed", t) for t in (0, 15, 30, 45, 60)], 61, False),
    ("while one tries, the others wait", [*[("failed", 0)] * 5, ("asked", 11)], 12, False),
    (
        "who tried and hung up does not close the way for ever",
        [*[("failed", 0)] * 5, ("asked", 11)],
        21,
        True,
    ),
    (
        "a try that fails begins another rest",
        [*[("failed", 0)] * 5, ("asked", 11), ("failed", 13)],
        22,
        False,
    ),
    ("and that rest ends too", [*[("failed", 0)] * 5, ("asked", 11), ("failed", 13)], 23, True),
    ("a try that is answered closes it", [*[("failed", 0)] * 5, ("asked", 11), ("answered", 12)], 12, True),
    ("asking through a closed circuit changes nothing", [("asked", 0), ("asked", 0)], 0, True),
]


@pytest.mark.parametrize(("events", "at", "allowed"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_circuit_opens_and_closes(events: list[tuple[str, float]], at: float, allowed: bool) -> None:
    circuit = Circuit()
    for event, now in events:
        match event:
            case "asked":
                circuit = circuit.asked(now)
            case "answered":
                circuit = circuit.answered()
            case "failed":
                circuit = circuit.failed(now)
    assert circuit.allows(at) is allowed
    assert circuit.is_closed is (circuit.retry_at is None)
