"""Finds the features of the kernel and the zones in `services` by walking their folders."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from types import ModuleType

import haiyiban
import services
from haiyiban.settings import InvalidSetting
from haiyiban.zone import Zone


@cache
def features() -> tuple[Zone, ...]:
    """The kernel's features."""
    return tuple(_declared(haiyiban))


@cache
def all_zones() -> tuple[Zone, ...]:
    """Every zone there is."""
    return tuple(_declared(services))


def zones(wanted: tuple[str, ...] = ()) -> tuple[Zone, ...]:
    """The zones to serve; all where none is named. Raises InvalidSetting for a name that does not exist."""
    known = {zone.name.replace("-", "_"): zone for zone in all_zones()}
    missing = [name for name in wanted if name not in known]
    if missing:
        raise InvalidSetting(
            f"HAIYIBAN_ZONES names {', '.join(missing)}; there are {', '.join(sorted(known))}"
        )
    return tuple(known[name] for name in wanted) if wanted else tuple(known.values())


def code_kinds(wanted: tuple[str, ...] = ()) -> tuple[int, ...]:
    """The numbers of the kinds of code that features and zones show: what the issuing keys may sign.

    Raises InvalidSetting.
    """
    return tuple(kind.number for zone in (*features(), *zones(wanted)) for kind in zone.code_kinds)


def import_models() -> None:
    """Import every module that declares tables, so that the metadata is complete."""
    for package in (haiyiban, services):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)


def _declared(package: ModuleType) -> Iterator[Zone]:
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        if module.ispkg:
            found = getattr(importlib.import_module(module.name), "zone", None)
            if isinstance(found, Zone):
                yield found
