"""Where the data files are: beside the checkout, or inside the installed wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def data_root() -> Path:
    """The folder that holds `schemas` and `migrations`."""
    installed = _PACKAGE / "_data"
    return installed if installed.is_dir() else _PACKAGE.parents[1]


def schemas() -> Path:
    """The published schemas: matters, forms, certificates, codes."""
    return data_root() / "schemas"


def migrations() -> Path:
    """The Alembic history."""
    return data_root() / "migrations"
