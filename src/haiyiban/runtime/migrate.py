"""The schema of the database: one linear Alembic history."""

from __future__ import annotations

from alembic import command
from alembic.config import Config

from haiyiban import resources


def config(url: str) -> Config:
    """Alembic's configuration for a database."""
    settings = Config()
    settings.set_main_option("script_location", str(resources.migrations()))
    settings.attributes["url"] = url
    return settings


def upgrade(url: str) -> None:
    """Bring a database to the newest schema; at the newest already, nothing happens."""
    settings = config(url)
    settings.attributes["only_upgrades"] = True
    command.upgrade(settings, "head")


def check(url: str) -> None:
    """Raise where the tables that the code declares differ from those that the history makes."""
    command.check(config(url))
