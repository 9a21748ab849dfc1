"""The `haiyiban` command. Each subcommand imports what it needs; a zone brings its own (`Zone.commands`)."""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module
from pathlib import Path

import click

# A start makes half a million objects that stay. Python's own thresholds search them all for garbage dozens
# of times over meanwhile, a tenth of the start; cycles of requests are still found, some thousands at a time.
gc.set_threshold(50_000, 20, 20)


_ALONE = {
    "audit": "haiyiban.audit.commands",
    "keys": "haiyiban.runtime.key_commands",
    "retention": "haiyiban.runtime.retention_commands",
    "verify": "haiyiban.codes.verify_command",
}
"""They do not wait for all that a server needs: some are started anew for each holder at a counter."""


class Commands(click.Group):
    """The commands of this file, and those that features and zones bring along."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All of them, for `--help`."""
        return sorted({*super().list_commands(ctx), *_ALONE, *_brought()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Folders are searched only for what is not here, because that imports them all."""
        if cmd_name in _ALONE:
            found: click.Command = getattr(import_module(_ALONE[cmd_name]), cmd_name)
            return found
        return super().get_command(ctx, cmd_name) or _brought().get(cmd_name)


def _brought() -> dict[str, click.Command]:
    from haiyiban.runtime import discovery

    return {
        command.name or "": command
        for zone in (*discovery.features(), *discovery.all_zones())
        for command in zone.commands
    }


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="haiyiban")
def main() -> None:
    """海易办 Haiyiban: citizen services that a province can run."""


@main.command()
@click.option(
    "--with-neighbour",
    is_flag=True,
    help="Start another province's platform beside it, for cross-province service.",
)
def up(*, with_neighbour: bool) -> None:
    """Start everything on this machine, with demo data, until Ctrl-C."""
    from haiyiban.runtime.up import up as run

    sys.exit(run(with_neighbour=with_neighbour))


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--workers", default=1, show_default=True, help="Processes that share the port.")
def serve(host: str, workers: int) -> None:
    """Serve the API on HAIYIBAN_PORT."""
    from granian import Granian
    from granian.constants import Interfaces, Loops

    from haiyiban.settings import Settings

    Granian(
        "haiyiban.runtime.asgi:create_app",
        factory=True,
        address=host,
        port=Settings.from_env().port,
        interface=Interfaces.ASGI,
        loop=Loops.asyncio,
        workers=workers,
        workers_kill_timeout=10,
        # A process that dies takes its requests with it, not the service; two deaths in 5 s end it.
        respawn_failed_workers=True,
    ).serve()


@main.command()
def worker() -> None:
    """Carry out queued jobs and periodic tasks."""
    from haiyiban.runtime import worker as process

    process.main()


@main.command()
@click.option("--port", type=int, help="HAIYIBAN_PORT unless said; a worker's is HAIYIBAN_WORKER_PORT.")
def health(port: int | None) -> None:
    """Ask the process on this machine whether it is ready. Exits with 1 when it is not; for health checks."""
    from haiyiban.runtime import readiness
    from haiyiban.settings import Settings

    sys.exit(not readiness.is_ready(port or Settings.from_env().port, "/health/ready"))


@main.command(name="migrate")
def migrate_database() -> None:
    """Bring the database that DATABASE_URL names to the newest schema."""
    from haiyiban.runtime import migrate
    from haiyiban.settings import Settings

    migrate.upgrade(_database_url(Settings.from_env().database_url))


@main.command()
@click.option(
    "--scale",
    type=click.Choice(["demo", "hamlet", "city", "province"]),
    default="demo",
    show_default=True,
    help="A handful, or made-up people: 3 thousand, 3 million, 33 million.",
)
@click.option("--number", default=1, show_default=True, help="Another number, other people.")
@click.option("--processes", default=os.cpu_count() or 1, show_default=True, help="How many make rows.")
def seed(scale: str, number: int, processes: int) -> None:
    """Plant the demo data in the database that DATABASE_URL names; refused in production.

    Stopped in between (Ctrl-C or worse), the same command goes on from there.
    """
    import asyncio

    from haiyiban.runtime import seed as demo_data
    from haiyiban.settings import Settings

    settings = Settings.from_env()
    if settings.is_production:
        raise click.ClickException("demo data is for HAIYIBAN_ENV=demo or test")
    _database_url(settings.database_url)
    if scale == "demo":
        asyncio.run(demo_data.plant(settings))
        return
    _fill(scale, number, processes)


@main.command(name="end-zone")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Delete without asking once more.")
def end_zone(name: str, yes: bool) -> None:
    """Delete everything that zone NAME keeps of people; only for a zone that is switched off.

    Switch it off first: name the other zones in HAIYIBAN_ZONES and restart. Stopped in between, run it again.
    """
    import asyncio

    from haiyiban.runtime import ending

    asyncio.run(ending.end(name, yes=yes))


@main.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def doctor(as_json: bool) -> None:
    """Say what is wrong with this set-up and what to do. Exits with 1 when something must be mended now."""
    import logging

    from haiyiban.runtime.doctor import report

    # What is found is told once and in words, not by the log of whoever found it.
    logging.getLogger("haiyiban").setLevel(logging.CRITICAL)
    sys.exit(report.run(as_json=as_json))


@main.command()
@click.argument("path", type=click.Path(path_type=Path), default=Path("openapi/openapi.json"))
def openapi(path: Path) -> None:
    """Write the API's contract to PATH."""
    from haiyiban.runtime import app, contract
    from haiyiban.settings import Settings

    document = contract.document(app.build(Settings.from_env()))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(document + b"\n")
    click.echo(path)


def _fill(scale: str, number: int, processes: int) -> None:
    import asyncio

    from rich.console import Console

    from haiyiban.runtime.refusal import CannotStart
    from haiyiban.runtime.scale import filling
    from haiyiban.runtime.telling import tell_refusal
    from haiyiban.settings import Settings

    console = Console()
    try:
        asyncio.run(
            filling.fill(Settings.from_env(), scale, number=number, processes=processes, console=console)
        )
    except CannotStart as refusal:
        tell_refusal(console, refusal)
        sys.exit(1)
    except KeyboardInterrupt:
        console.print("已停止，再次运行会接着做。Stopped; another run goes on from here.")
        sys.exit(130)


def _database_url(url: str) -> str:
    if not url:
        raise click.ClickException("DATABASE_URL is not set; `haiyiban up` migrates its own database")
    return url


if __name__ == "__main__":
    main()
