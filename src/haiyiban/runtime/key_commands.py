"""`haiyiban keys`: the keys in the state folder."""

from __future__ import annotations

from datetime import datetime

import click

from haiyiban import clock
from haiyiban.crypto import PUBLISHED_BEFORE_USE, FileKeys, KeyMissing
from haiyiban.new_keys import SIGNING_PURPOSES
from haiyiban.settings import Settings


@click.group()
def keys() -> None:
    """The keys in the state folder: make, list, rotate and revoke them."""


@keys.command(name="create")
def create_keys() -> None:
    """Make the keys that are missing, as for a new deployment; then sign the trust list."""
    settings = Settings.from_env()
    click.echo(FileKeys.create(settings.keys_dir, settings.suite).folder)


@keys.command(name="list")
def list_keys() -> None:
    """Show each key of signatures and of fields, from when it is used, and whether it is in use."""
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
    not_before = clock.now() + PUBLISHED_BEFORE_USE[purpose]
    settings = Settings.from_env()
    kid = FileKeys(settings.keys_dir).rotate(purpose, not_before=not_before, suite=settings.suite)
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
    from haiyiban.runtime import field_keys  # which imports every table there is

    try:
        left = field_keys.reseal()
    except KeyMissing as error:
        raise click.ClickException(str(error)) from None
    if left:
        raise click.ClickException(
            f"还有 {left} 处用旧密钥加密，请再运行一次；打不开的已在上面列出。"
            f"{left} are still sealed with an earlier key; run it again. What does not open is named above."
        )
    click.echo(
        "全部已用新密钥加密；不再需要旧密钥的备份后，用 haiyiban keys retire 移除旧密钥。\n"
        "All is sealed with the new key. Once no backup needs the old one: haiyiban keys retire."
    )


@keys.command()
@click.argument("kid")
def retire(kid: str) -> None:
    """Take an earlier field key away that nothing needs; backups from before cannot be read without it."""
    from haiyiban.runtime import field_keys  # which imports every table there is

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
