"""`haiyiban audit`: check the log, or one proof of it, without believing the platform.

haiyiban audit verify          the whole log in the database against the seals
haiyiban audit check FILE      one proof, with the public key alone
haiyiban audit key             the public key to publish and to pin
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import click
import pypdfium2
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from haiyiban import clock
from haiyiban.audit import keys, notes, proofs, verifying
from haiyiban.audit.notes import Checkpoint, PublicKey, UntrustedCheckpoint
from haiyiban.audit.seals import Seals
from haiyiban.audit.verifying import Bad, Verified
from haiyiban.clock import SHANGHAI
from haiyiban.crypto import KeyMissing
from haiyiban.settings import Settings

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_KEYS = click.option(
    "--key", "key_files", type=_FILE, multiple=True, help="Public keys to trust (GET …/audit/keys, saved)."
)
_LATE_SECONDS = 60.0


@click.group()
def audit() -> None:
    """核对审计日志 · Check the audit's log"""


@audit.command()
@_KEYS
@click.option("--checkpoint", "held", type=_FILE, multiple=True, help="A checkpoint that you kept earlier.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for programs.")
def verify(key_files: Sequence[Path], held: Sequence[Path], as_json: bool) -> None:
    """Check every record in the database that DATABASE_URL names against the seals.

    Ends with 0 when the log is whole, 1 when it is not (it names the first bad record), 2 when it could not
    be checked.
    """
    settings = Settings.from_env()
    clock.shift(settings.clock_offset)
    trusted = _trusted(key_files)
    kept = [_checkpoint(file, trusted) for file in held]
    url = settings.database_url or _running(settings)
    try:
        found = asyncio.run(_verify(url, settings, trusted, kept))
    except Bad as bad:
        if as_json:
            told = {"good": False, "what": bad.what, "number": bad.number, "record": str(bad.record_id or "")}
            click.echo(json.dumps(told | {"zh": bad.words.zh, "en": bad.words.en}, ensure_ascii=False))
        else:
            click.echo(f"✗ {bad.words.zh}\n  {bad.words.en}")
        sys.exit(1)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise click.UsageError(f"连不上数据库或读不到封条。Cannot read database or seals: {error}") from None
    if as_json:
        told = {"good": True, "size": found.size, "root": found.root.hex(), "waiting": found.waiting}
        click.echo(json.dumps(told))
    else:
        _say(found)


@audit.command()
@click.argument("file", type=_FILE)
@_KEYS
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for programs.")
def check(file: Path, key_files: Sequence[Path], as_json: bool) -> None:
    """Check a proof (.tlog-proof), or that in a certificate's PDF, with the public key alone: no server, no
    database.

    Ends with 0 when the record is in the log that was signed, 1 when the file does not show it.
    """
    try:
        proved = proofs.check(_proof_in(file), _trusted(key_files))
    except (proofs.BadProof, UnicodeDecodeError) as error:
        click.echo(f"✗ 不能证明：{error}\n  It proves nothing: {error}")
        sys.exit(1)
    entry = {name: _plain(value) for name, value in proved.entry.items()}
    size, origin = proved.checkpoint.size, proved.checkpoint.origin
    if as_json:
        told = {"good": True, "number": proved.number, "size": size, "origin": origin, "entry": entry}
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    click.echo(
        f"✓ 这条记录是日志 {origin} 的第 {proved.number} 号，该日志签署时共 {size} 条，内容如下，未被改动。"
    )
    click.echo(f"  This record is number {proved.number} of the log, which held {size} when it was signed.")
    at = proved.entry["at"].astimezone(SHANGHAI)
    click.echo(f"  时间 At: {at:%Y-%m-%d %H:%M:%S}（北京时间 Beijing）")
    for name, value in entry.items():
        if value not in (None, []):
            click.echo(f"  {name}: {', '.join(value) if isinstance(value, list) else value}")


@audit.command()
def key() -> None:
    """Print the public keys of the checkpoints, to publish them: one on a line, the newest last."""
    try:
        for each in keys.public(Settings.from_env()):
            click.echo(each.text)
    except KeyMissing as error:
        raise click.ClickException(str(error)) from None


def _proof_in(file: Path) -> str:
    """The proof in a file: the file itself, or what is attached to a PDF. Raises BadProof."""
    content = file.read_bytes()
    if not content.startswith(b"%PDF-"):
        return content.decode()
    try:
        document = pypdfium2.PdfDocument(content)
        attached = [document.get_attachment(place) for place in range(document.count_attachments())]
        found = [bytes(each.get_data()) for each in attached if each.get_name().endswith(".tlog-proof")]
    except pypdfium2.PdfiumError:
        raise proofs.BadProof("the PDF cannot be read") from None
    if not found:
        raise proofs.BadProof("the PDF carries none; download it again a minute after it was issued")
    return found[0].decode()


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


async def _verify(url: str, settings: Settings, trusted: list[PublicKey], held: list[Checkpoint]) -> Verified:
    seals, console = Seals(settings), Console(stderr=True)
    connections = [await asyncpg.connect(url, timeout=5) for _ in range(2)]
    try:
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        ) as progress:
            total = await connections[0].fetchval("SELECT coalesce(max(seq) + 1, 0) FROM audit_leaf")
            bar = progress.add_task("核对审计 Checking the audit", total=total)
            return await verifying.verify(
                connections,
                seals,
                trusted,
                held=held,
                passing=lambda done: progress.update(bar, completed=done),
            )
    finally:
        for connection in connections:
            await connection.close()


def _trusted(files: Sequence[Path]) -> list[PublicKey]:
    """The keys given, or those of this machine's own deployment."""
    try:
        if not files:
            return keys.public(Settings.from_env())
        return [PublicKey.read(line) for file in files for line in file.read_text("utf-8").split()]
    except (KeyMissing, ValueError):
        raise click.UsageError(
            "请用 --key 给出公钥文件，可从 /api/v1/audit/keys 取得并与公布的核对。\n"
            "Give the public keys with --key; they are at /api/v1/audit/keys and published elsewhere."
        ) from None


def _checkpoint(file: Path, trusted: list[PublicKey]) -> Checkpoint:
    try:
        return notes.read(file.read_text("utf-8"), trusted)
    except (UntrustedCheckpoint, UnicodeDecodeError) as error:
        raise click.UsageError(f"{file.name} 不是可信的封存点 is no trusted checkpoint: {error}") from None


def _running(settings: Settings) -> str:
    """The address of the embedded database while `haiyiban up` runs on this state folder."""
    try:
        return str(json.loads((settings.home / "servers.json").read_text("utf-8"))["databaseUrl"])
    except (FileNotFoundError, KeyError, ValueError):
        raise click.UsageError(
            "请设置 DATABASE_URL，或先启动 haiyiban up。Set DATABASE_URL, or start haiyiban up first."
        ) from None


def _say(found: Verified) -> None:
    root = found.root.hex() if found.size else ""
    click.echo(f"✓ 审计日志完整：{found.size} 条记录与封条逐条一致。根散列 {root}")
    click.echo(f"  The audit's log is whole: {found.size} records are as they were sealed.")
    if not found.waiting:
        return
    age = (clock.now() - found.waiting_since).total_seconds() if found.waiting_since else 0.0
    mark = "!" if age > _LATE_SECONDS else " "
    click.echo(f"{mark} 另有 {found.waiting} 条等待封存，最早的等了 {age:.0f} 秒（应在 60 秒内）。")
    click.echo(f"  {found.waiting} more wait to be sealed, the oldest for {age:.0f} s (60 s is the rule).")
