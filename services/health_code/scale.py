"""The health codes of a made-up province: everybody's colour, and which children a parent shows."""

from __future__ import annotations

from collections.abc import Iterator

from haiyiban.clock import local_date
from haiyiban.loads import FALSE, TRUE, Load, instant_ms, row, texts
from haiyiban.population import World
from services.health_code.models import Guardian, Status
from services.health_code.rules import Colour
from services.health_code.standards import rules_on

_HOUR_MS = 3_600_000
_OF_A_THOUSAND = (
    (2, Colour.RED, ("isolated",)),
    (20, Colour.YELLOW, ("affected-area",)),
    (30, Colour.GREY, ("check-in",)),
)
"""So many of a thousand have at most this colour, by these rules; the others are green by none."""


def statuses(world: World, holders: range) -> Iterator[bytes]:
    """Everybody's, decided when the world was made."""
    rules = rules_on(local_date(world.at)).id.encode()
    at = instant_ms(world.at_ms)
    no_rules = texts(())
    by_colour = [(most, colour.value.encode(), texts(why)) for most, colour, why in _OF_A_THOUSAND]
    for index in holders:
        drawn, tested, vaccinated, *_ = world.draws(b"health", index)
        colour, reasons = next(
            ((colour, why) for most, colour, why in by_colour if drawn % 1000 < most),
            (Colour.GREEN.value.encode(), no_rules),
        )
        is_golden = vaccinated % 10 < 7
        yield row(
            (
                world.person_key(index),
                colour,
                reasons,
                rules,
                TRUE if is_golden else FALSE,
                FALSE if is_golden else TRUE,
                instant_ms(world.at_ms - tested % 72 * _HOUR_MS) if tested >> 8 & 1 else None,
                at,
                at,
            )
        )


def guardians(world: World, households: range) -> Iterator[bytes]:
    """Both parents of each child who is too young for an account."""
    at = instant_ms(world.at_ms)
    for number in households:
        members = world.household(number)
        for child in members[2:4]:
            if child.phone is None:
                for parent in members[:2]:
                    yield row((world.person_key(child.number), world.person_key(parent.number), at))


LOADS = (
    Load(
        table=Status.__tablename__,
        columns="person_id, colour, reasons, rules, golden, reminder, negative_at, decided_at, asked_at",
        items=lambda sizes: sizes.holders,
        rows=statuses,
        item_bytes=205,
    ),
    Load(
        table=Guardian.__tablename__,
        columns="person_id, guardian_id, proved_at",
        items=lambda sizes: sizes.households,
        rows=guardians,
        item_bytes=155,
    ),
)
