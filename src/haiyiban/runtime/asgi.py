"""Where an ASGI server finds the application (a factory)."""

from __future__ import annotations

from litestar.types import ASGIApp

from haiyiban.runtime import app, logs


def create_app() -> ASGIApp:
    """One API process: its log, then the application."""
    logs.configure()
    return app.create_app()
