"""`haiyiban trust`: the ceremony around the root, at the place where the root is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import click

from haiyiban import clock
from haiyiban.codes import trust_file
from haiyiban.codes.jws import UntrustedList
from haiyiban.codes.trust import TrustList
from haiyiban.crypto import FileKeys, KeyMissing
from haiyiban.settings import Settings
from haiyiban.signatures import public_jwk

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group()
def trust() -> None:
    """The trust list and its root: make the root, sign the list, show it."""


@trust.command(name="new-root")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def new_root(folder: Path) -> None:
    """Make the root in FOLDER, which no server may read, and print its public half to pin in terminals."""
    if (folder / "trust-root.json").exists():
        raise click.ClickException(f"{folder} 里已有根密钥。There is a root in {folder} already.")
    FileKeys.create_root(folder, Settings.from_env().suite)
    root = trust_file.root_of(folder)
    click.echo(json.dumps(public_jwk(root.public) | {"kid": root.kid}))


@trust.command()
@click.option("--root", "root_folder", type=_FOLDER, required=True, help="Folder of the root.")
@click.option("--keys", "key_folder", type=_FOLDER, help="Key folder of the servers; the state folder's.")
@click.option(
    "--days", type=click.IntRange(1, 366), default=90, show_default=True, help="How long it counts."
)
@click.option("--kinds", help="Kinds that may be signed, such as 1,2; those of the list before by default.")
def sign(root_folder: Path, key_folder: Path | None, days: int, kinds: str | None) -> None:
    """Sign the list of the keys in the servers' folder and put it there, for them to publish.

    Run it after `haiyiban keys rotate` and `haiyiban keys revoke`, and well before the list ends.
    """
    folder = key_folder or Settings.from_env().keys_dir
    with _told():
        root = trust_file.root_of(root_folder)
        earlier = trust_file.signed_before(folder, root)
        signed = trust_file.sign(
            folder,
            root,
            kinds=_kinds(kinds, earlier),
            now=clock.now(),
            life=timedelta(days=days),
            earlier=earlier,
        )
    _show(signed.trust)


@trust.command()
@click.option("--keys", "key_folder", type=_FOLDER, help="Key folder of the servers; the state folder's.")
def show(key_folder: Path | None) -> None:
    """Show the list that the servers publish."""
    folder = key_folder or Settings.from_env().keys_dir
    with _told():
        _show(trust_file.published(folder).trust)
        click.echo(f"root {trust_file.root_jwk(folder)['kid']}")


def _kinds(given: str | None, earlier: TrustList | None) -> list[int]:
    if given is None:
        listed = {kind for entry in earlier.entries for kind in entry.kinds} if earlier else set()
        if not listed:
            raise click.UsageError(
                "第一次签发请用 --kinds 指明码种。Name the kinds with --kinds the first time."
            )
        return sorted(listed)
    try:
        return sorted({int(kind) for kind in given.split(",")})
    except ValueError:
        raise click.UsageError("--kinds 须为数字，如 1,2。They are numbers, such as 1,2.") from None


def _show(listed: TrustList) -> None:
    assert listed.expires_at is not None
    click.echo(f"signed {listed.issued_at:%F %T} UTC, ends {listed.expires_at:%F %T} UTC")
    for entry in listed.entries:
        use = entry.use or "kinds " + ",".join(map(str, entry.kinds))
        revoked = f" revoked {entry.revoked_at:%F %T}" if entry.revoked_at else ""
        click.echo(f"{entry.kid} {use}: from {entry.not_before:%F %T} until {entry.not_after:%F}{revoked}")
    if listed.expires_at < clock.now() + timedelta(days=14):
        click.echo("名单将在两周内到期，请尽快重新签发。The list ends within two weeks; sign the next one.")


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (UntrustedList, KeyMissing) as error:
        raise click.ClickException(str(error)) from None
