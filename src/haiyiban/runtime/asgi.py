"""Where an ASGI server finds the application (a factory)."""

from haiyiban.runtime.app import create_app

__all__ = ["create_app"]
