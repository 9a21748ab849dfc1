"""The `haiyiban` command. Each subcommand imports what it needs; a zone brings its own (`Zone.commands`)."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import click

# A start makes half a million objects that stay. Python's own thresholds search them all for garbage dozens
# of times over meanwhile, a tenth of the start; cycles of requests are still found, some thousands at a time.
gc.set_threshold(50_000, 20, 20)


class Commands(click.Group):
    """The commands of this file, and those that features and zones bring along."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All of them, for `--help`."""
        return sorted({*super().list_commands(ctx), *_brought()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Folders are searched only for what is not here, because that imports them all."""
        if cmd_name == "verify":
            # Started anew for each holder at a counter, so it must not wait for all that a server needs.
            from haiyiban.codes.verify_command import verify

            return verify
        if cmd_name == "audit":
            # So does one that checks a single proof.
            from haiyiban.audit.commands import audit

            return audit
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


@main.command(name="migrate")
def migrate_database() -> None:
    """Bring the database that DATABASE_URL names to the newest schema."""
    from haiyiban.runtime import migrate
    from haiyiban.settings import Settings

    migrate.upgrade(_database_url(Settings.from_env().database_url))


@main.command()
def seed() -> None:
    """Plant the demo data in the database that DATABASE_URL names; refused in production."""
    import asyncio

    from haiyiban.runtime import seed as demo_data
    from haiyiban.settings import Settings

    settings = Settings.from_env()
    if settings.is_production:
        raise click.ClickException("demo data is for HAIYIBAN_ENV=demo or test")
    _database_url(settings.database_url)
    asyncio.run(demo_data.plant(settings))


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


@main.group()
def keys() -> None:
    """The keys in the state folder: make, list, rotate and revoke them."""


@keys.command(name="create")
def create_keys() -> None:
    """Make the keys that are missing, as for a new deployment; then sign the trust list."""
    from haiyiban.crypto import FileKeys
    from haiyiban.settings import Settings

    click.echo(FileKeys.create(Settings.from_env().keys_dir).folder)


@keys.command(name="list")
def list_keys() -> None:
    """Show each key of signatures and of fields, from when it is used, and whether it is in use."""
    from haiyiban import clock
    from haiyiban.crypto import SIGNING_PURPOSES, FileKeys
    from haiyiban.settings import Settings

    folder = FileKeys(Settings.from_env().keys_dir)
    for purpose in SIGNING_PURPOSES:
        found = folder.signing(purpose)
        good = [key for key in found if key.revoked_at is None]
        active = [key for key in good if key.not_before <= clock.now()][-1:]
        for key in found:
            use = "revoked" if key not in good else "signs" if key in active else "verifies"
            click.echo(f"{purpose:14} {key.kid} {key.not_before:%Y-%m-%d %H:%M} {use}")
    *earlier, newest = folder.secrets("field")
    for kid in (*earlier, newest):
        click.echo(f"{'field':14} {kid} {'seals' if kid == newest else 'opens'}")


@keys.command()
@click.argument("purpose", type=click.Choice(["access-token", "code", "list", "checkpoint", "field"]))
def rotate(purpose: str) -> None:
    """Add a key. It is published first and signs later, so that nobody is signed out and no code fails.

    A key of codes or lists is published by `haiyiban trust sign`, and signs a day after that; one of the
    audit's checkpoints signs at once, beside which the earlier ones still count. A field key seals personal
    values within half a minute, and earlier ones open what they sealed until `keys reseal` is through.
    """
    from haiyiban import clock
    from haiyiban.crypto import PUBLISHED_BEFORE_USE, FileKeys
    from haiyiban.settings import Settings

    not_before = clock.now() + PUBLISHED_BEFORE_USE[purpose]
    kid = FileKeys(Settings.from_env().keys_dir).rotate(purpose, not_before=not_before)
    if purpose == "field":
        click.echo(f"field {kid}")
        click.echo("请接着运行 haiyiban keys reseal。Now run haiyiban keys reseal.")
        return
    click.echo(f"{purpose} {kid} signs from {not_before:%Y-%m-%d %H:%M} UTC")
    if purpose == "checkpoint":
        click.echo("请公布新的公钥：haiyiban audit key。Publish the new public key: haiyiban audit key.")
    elif purpose != "access-token":
        click.echo("请接着运行 haiyiban trust sign。Now run haiyiban trust sign.")


@keys.command()
def reseal() -> None:
    """Seal every personal value with the newest field key while everybody goes on working; Ctrl-C and another
    run lose nothing."""
    from haiyiban.runtime import field_keys

    left = field_keys.reseal()
    if left:
        raise click.ClickException(
            f"还有 {left} 处用旧密钥加密，请再运行一次。"
            f"{left} are still sealed with an earlier key; run it again."
        )
    click.echo(
        "全部已用新密钥加密；不再需要旧密钥的备份后，用 haiyiban keys retire 移除旧密钥。\n"
        "All is sealed with the new key. Once no backup needs the old one: haiyiban keys retire."
    )


@keys.command()
@click.argument("kid")
def retire(kid: str) -> None:
    """Take an earlier field key away that nothing needs; backups from before cannot be read without it."""
    from haiyiban.crypto import KeyMissing
    from haiyiban.runtime import field_keys

    try:
        used = field_keys.retire(kid)
    except KeyMissing as error:
        raise click.ClickException(str(error)) from None
    except field_keys.TooSoon:
        raise click.ClickException(
            "新密钥刚刚启用，请等几分钟再试。The new key is minutes old; please wait."
        ) from None
    if used:
        told = "、".join(f"{name} {count}" for name, count in used.items())
        raise click.ClickException(
            f"还有内容用这个密钥加密，先运行 haiyiban keys reseal：{told}。"
            "It still seals these: run haiyiban keys reseal first."
        )
    click.echo(f"field {kid} 已移除。Retired.")


@keys.command()
@click.argument("kid")
@click.option("--at", "instant", help="From when on it does not count, such as 2026-09-01T08:00:00+08:00.")
def revoke(kid: str, instant: str | None) -> None:
    """Let nothing count that a stolen key of codes or lists signed: here within a minute, at terminals with
    the next signed list. There is no way back."""
    from datetime import datetime

    from haiyiban import clock
    from haiyiban.crypto import FileKeys, KeyMissing
    from haiyiban.settings import Settings

    try:
        at = datetime.fromisoformat(instant) if instant else clock.now()
        if at.tzinfo is None:
            raise ValueError
        purpose = FileKeys(Settings.from_env().keys_dir).revoke(kid, at=at)
    except ValueError:
        raise click.ClickException("--at 须为带时区的时间。It must be a time with a zone.") from None
    except KeyMissing as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{purpose} {kid} counts no more from {at:%Y-%m-%d %H:%M %Z}")
    click.echo(
        f"请接着运行 haiyiban keys rotate {purpose}（没有别的密钥时）和 haiyiban trust sign。"
        f"Now run haiyiban keys rotate {purpose} if there is no other key, and haiyiban trust sign."
    )


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


def _database_url(url: str) -> str:
    if not url:
        raise click.ClickException("DATABASE_URL is not set; `haiyiban up` migrates its own database")
    return url


if __name__ == "__main__":
    main()
