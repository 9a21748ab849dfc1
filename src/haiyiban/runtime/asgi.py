"""Where an ASGI server finds the application (a factory)."""

from __future__ import annotations

import gc

from litestar.types import ASGIApp

from haiyiban.runtime import app, logs


def create_app() -> ASGIApp:
    """One API process: its log, then the application."""
    logs.configure()
    application = app.create_app()
    _keep_what_is_loaded()
    return application


def _keep_what_is_loaded() -> None:
    """What is loaded by now stays to the end, and a request leaves few cycles: looking through all of it for
    garbage as often as Python does by default takes a tenth of the processor (benchmarks/verify.py)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
