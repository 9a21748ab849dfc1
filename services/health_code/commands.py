"""`haiyiban health-code delete`: the operator ends the service and deletes what it kept."""

from __future__ import annotations

import asyncio

import click


@click.group(name="health-code")
def health_code() -> None:
    """健康码专区的运维 · Running the health code."""


@health_code.command()
@click.option("--yes", is_flag=True, help="Delete without asking once more.")
def delete(yes: bool) -> None:
    """Delete everything that the health code keeps of people; only while the zone is switched off.

    Switch it off first: name the other zones in HAIYIBAN_ZONES and restart. Stopped in between, run it again.
    """
    from haiyiban.settings import Settings

    settings = Settings.from_env()
    if not settings.zones or "health_code" in settings.zones:
        raise click.ClickException(
            "健康码专区仍在运行：请先在 HAIYIBAN_ZONES 中列出其他专区并重启，再删除数据 · "
            "the health code is still served: name the other zones in HAIYIBAN_ZONES, restart, then delete"
        )
    asyncio.run(_delete(settings, yes=yes))


async def _delete(settings: object, *, yes: bool) -> None:
    from haiyiban.runtime import start
    from haiyiban.settings import Settings
    from services.health_code import retention

    assert isinstance(settings, Settings)
    async with start.running(settings):
        kept = await retention.kept()
        told = f"{kept.statuses} 条状态 statuses, {kept.declarations} 条申报 declarations"
        if kept == retention.Kept():
            click.echo("没有可删除的数据。Nothing is kept.")
            return
        if not yes:
            click.confirm(f"将永久删除 {told}，继续吗？Delete for good?", abort=True)
        gone = await retention.delete_all(
            passing=lambda so_far: click.echo(f"已删除 deleted: {so_far.statuses} / {kept.statuses}")
        )
    click.echo(f"完成。Done: {gone.statuses} statuses, {gone.declarations} declarations.")
