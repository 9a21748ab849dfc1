"""Where the data files are: beside the checkout, or inside the installed wheel."""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGE = Path(__file__).parent


def program() -> Path:
    """The folder of the kernel's own code and tables."""
    return _PACKAGE


def data_root() -> Path:
    """The folder that holds `schemas` and `migrations`."""
    installed = _PACKAGE / "_data"
    return installed if installed.is_dir() else _PACKAGE.parents[1]


def schemas() -> Path:
    """The published schemas: matters, forms, certificates, codes."""
    return data_root() / "schemas"


def own(name: str) -> Path | None:
    """What the province of this deployment (`HAIYIBAN_ISSUER`) publishes of its own instead of Hainan's, such
    as its matters; None where it is Hainan or publishes no such thing."""
    issuer = os.environ.get("HAIYIBAN_ISSUER", "")
    found = schemas() / "provinces" / issuer / name
    return found if issuer and found.exists() else None


def further_matters() -> Path | None:
    """The folder of matters that this deployment publishes beside those (`HAIYIBAN_MATTERS`), if any."""
    folder = os.environ.get("HAIYIBAN_MATTERS", "")
    return Path(folder) if folder else None


def migrations() -> Path:
    """The Alembic history."""
    return data_root() / "migrations"
