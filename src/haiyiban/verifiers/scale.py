"""The shops of a made-up province, which take vouchers."""

from __future__ import annotations

from collections.abc import Iterator

from haiyiban.loads import Load, instant_ms, row, texts
from haiyiban.population import World
from haiyiban.verifiers.models import Verifier

SHOPS = 60


def shop_key(world: World, number: int) -> bytes:
    """The id of a shop, whose number is below SHOPS, as 16 bytes."""
    return world.key(b"shop", number, at_ms=world.made_ms(0))


def shops(world: World, numbers: range) -> Iterator[bytes]:
    """Accredited for vouchers; none has a secret, so nobody can sign in as one."""
    for number in numbers:
        yield row(
            (
                shop_key(world, number),
                f"示例免税店 {world.number}-{number + 1}".encode(),
                f"Example Duty-free Shop {world.number}-{number + 1}".encode(),
                b"commerce",
                texts(("shop", "duty-free-order")),
                b"active",
                instant_ms(world.at_ms),
            )
        )


LOADS = (
    Load(
        table=Verifier.__tablename__,
        columns="id, name_zh, name_en, unit, purposes, status, created_at",
        items=lambda _sizes: SHOPS,
        rows=shops,
        item_bytes=400,
    ),
)
