"""Visitors whom no register of residents knows: passports, passes and permits.

Source: docs/domain.md §1.2 (documents and their vectors), §8.1 (who may buy duty-free).
"""

from datetime import date, timedelta

import msgspec

from haiyiban_sandbox.family import flight
from haiyiban_sandbox.people import Document, Resident, Trip


def visitors(today: date) -> list[tuple[Resident, str]]:
    """Each with what they are there to show. Documents in demo.json come with their `idType`."""
    came = today - timedelta(days=3)
    good = today + timedelta(days=2000)
    return [
        (
            Resident(
                name="TEST VISITOR",
                id_type="414",
                id_number="X1234567",
                phone="13800000201",
                birth_date=date(1991, 6, 15),
                valid_until=good,
                trips=_trips(flight(came, "JPN", "460100", number="HU7892")),
            ),
            "旅客：外国护照 · a visitor with a foreign passport",
        ),
        (
            Resident(
                name="陈访客",
                id_type="516",
                id_number="H12345678",
                phone="13800000202",
                birth_date=date(1992, 3, 15),
                valid_until=good,
                documents=[Document("154", "810000199203150044", "陈访客", good)],
                trips=_trips(
                    flight(today - timedelta(days=30), "460100", "810000", number="HX112"),
                    flight(came, "810000", "460100", number="HX115"),
                ),
            ),
            "旅客：港澳居民来往内地通行证，也有港澳台居民居住证，是同一个人"
            " · a visitor from Hong Kong with a pass and a residence permit, who is one person",
        ),
        (
            Resident(
                name="林台客",
                id_type="511",
                id_number="12345678",
                phone="13800000203",
                birth_date=date(1978, 7, 4),
                valid_until=good,
                trips=_trips(flight(came, "710000", "460200", number="MF888")),
            ),
            "旅客：台胞证 · a visitor from Taiwan",
        ),
        (
            Resident(
                name="SAMPLE PERMANENT RESIDENT",
                id_type="553",
                id_number="946840198801010011",
                phone="13800000204",
                valid_until=good,
            ),
            "外国人永久居留身份证 · a foreigner with a permanent residence card",
        ),
    ]


def _trips(*trips: Trip) -> list[dict[str, object]]:
    return [msgspec.to_builtins(trip) for trip in trips]
