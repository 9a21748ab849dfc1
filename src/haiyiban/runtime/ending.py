"""`haiyiban end-zone`: when a service ends, what it kept of people ends too.

Source: 个人信息保护法 art. 47; docs/domain.md §5, §13.
"""

from __future__ import annotations

from collections.abc import Mapping

import click

from haiyiban.runtime import discovery, start
from haiyiban.settings import Settings


async def end(name: str, *, yes: bool) -> None:
    """Delete what a zone keeps. Raises click.ClickException where it must not or cannot be."""
    settings = Settings.from_env()
    folder = name.replace("-", "_")
    zone = next((one for one in discovery.all_zones() if one.name.replace("-", "_") == folder), None)
    if zone is None:
        raise click.ClickException(f"没有这个专区 · There is no zone {name}")
    if zone.kept is None or zone.delete_kept is None:
        raise click.ClickException(
            f"{zone.title.zh}没有声明随服务停止而删除的数据 · "
            f"{zone.title.en} declares no data that end with its service"
        )
    if not settings.zones or folder in {one.replace("-", "_") for one in settings.zones}:
        raise click.ClickException(
            f"{zone.title.zh}专区仍在运行：请先在 HAIYIBAN_ZONES 中列出其他专区并重启，再删除数据 · "
            f"{zone.title.en} is still served: name the other zones in HAIYIBAN_ZONES and restart first"
        )
    async with start.running(settings):
        kept = await zone.kept()
        if not any(kept.values()):
            click.echo("没有可删除的数据。Nothing is kept.")
            return
        if not yes:
            click.confirm(f"将永久删除 {_told(kept)}，继续吗？Delete for good?", abort=True)
        gone = await zone.delete_kept(lambda so_far: click.echo(f"已删除 deleted: {_told(so_far)}"))
    click.echo(f"完成。Done: {_told(gone)}.")


def _told(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {what}" for what, count in counts.items())
