"""`haiyiban verify`: a terminal on the command line, with no database, no settings and no network."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from haiyiban import clock
from haiyiban.codes import terminal
from haiyiban.codes.claims import Kind
from haiyiban.codes.envelope import CHALLENGE_BYTES
from haiyiban.codes.jws import UntrustedList
from haiyiban.codes.offline import Checked
from haiyiban.codes.outcomes import Outcome, explain
from haiyiban.codes.terminal import ClockBehind, Held, LastSeen
from haiyiban.codes.trust import public_key_of

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class CannotJudge(click.ClickException):
    """No code was judged."""

    exit_code = 2


@click.command()
@click.option("--trust-list", "trust_file", type=_FILE, required=True, help="As GET /trust-list gives it.")
@click.option(
    "--deny-list", "deny_file", type=_FILE, required=True, help="As GET /deny-list gives it, whole."
)
@click.option(
    "--status-list", "status_files", type=_FILE, multiple=True, help="For printed codes; repeat it."
)
@click.option("--trust-root", "root", required=True, help="The pinned root: a JWK, or a file that holds it.")
@click.option("--at", "instant", help="Judge as of this time, such as 2026-09-01T08:00:00+08:00.")
@click.option("--kind", type=click.Choice([kind.name.lower() for kind in Kind]), help="What is expected.")
@click.option("--challenge", "challenge_hex", help="The 8 bytes that were shown to the holder, in hex.")
@click.option("--state", "state", type=click.Path(path_type=Path), help="Remember here how new lists were.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a code.")
def verify(
    trust_file: Path,
    deny_file: Path,
    status_files: tuple[Path, ...],
    root: str,
    instant: str | None,
    kind: str | None,
    challenge_hex: str | None,
    state: Path | None,
    as_json: bool,
) -> None:
    """Verify codes offline: one code a line on standard input.

    Exits with 0 when every code is valid, with 1 when one is not, with 2 when none could be judged.
    """
    at = _instant(instant)
    held = _held(
        _text(trust_file),
        _text(deny_file),
        [_text(file) for file in status_files],
        root=_root(root),
        at=at,
        state=state,
    )
    expected = Kind[kind.upper()] if kind else None
    challenge = _challenge(challenge_hex)
    outcomes = []
    for line in _lines():
        checked = terminal.judge(line, held, at=at, expected_kind=expected, challenge=challenge)
        outcomes.append(checked.outcome)
        click.echo(json.dumps(_told(checked, held, at), ensure_ascii=False) if as_json else _words(checked))
    if not outcomes:
        raise CannotJudge("没有读到亮证码，请每行输入一个。No code was read; give one a line.")
    if not as_json:
        click.echo(_ages(held, at))
    sys.exit(0 if set(outcomes) == {Outcome.VALID} else 1)


def _held(
    trust: str,
    deny: str,
    status: list[str],
    *,
    root: ec.EllipticCurvePublicKey,
    at: datetime,
    state: Path | None,
) -> Held:
    try:
        last_seen = (
            msgspec.json.decode(state.read_bytes(), type=LastSeen) if state and state.exists() else None
        )
        held = terminal.hold(trust, deny, status, root=root, at=at, last_seen=last_seen)
        if state:
            state.write_bytes(msgspec.json.encode(terminal.seen_with(held)))
    except ClockBehind as error:
        raise CannotJudge(f"本机时钟慢了，请校准后再核验。This clock is wrong: {error}") from None
    except UntrustedList as error:
        raise CannotJudge(f"名单不可信，请重新下载。A list cannot be trusted: {error}") from None
    except (OSError, msgspec.MsgspecError) as error:
        raise CannotJudge(f"无法读写 --state 文件。The --state file cannot be used: {error}") from None
    return held


def _root(given: str) -> ec.EllipticCurvePublicKey:
    try:
        read: Any = json.loads(given if given.lstrip().startswith("{") else Path(given).read_bytes())
        return public_key_of(read.get("trustRoot", read))
    except (OSError, ValueError, AttributeError) as error:
        raise CannotJudge(f"--trust-root 须为 P-256 公钥 JWK。It is no P-256 JWK: {error}") from None


def _instant(given: str | None) -> datetime:
    if given is None:
        return clock.wall()
    try:
        at = datetime.fromisoformat(given)
        if at.tzinfo is None:
            raise ValueError("it names no time zone")
        return at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise CannotJudge(f"--at 须为带时区的时间。It is no time with a zone: {error}") from None


def _challenge(given: str | None) -> bytes | None:
    if given is None:
        return None
    try:
        challenge = bytes.fromhex(given)
    except ValueError:
        challenge = b""
    if len(challenge) != CHALLENGE_BYTES:
        raise CannotJudge("--challenge 须为 16 位十六进制。It must be 16 hexadecimal digits.")
    return challenge


def _text(file: Path) -> str:
    try:
        return file.read_text("ascii")
    except (OSError, UnicodeDecodeError):
        raise CannotJudge(f"{file} 不是签名名单。It holds no signed list.") from None


def _lines() -> Iterator[str]:
    """The codes; only line ends are taken off, for a space belongs to a code."""
    for line in sys.stdin.buffer:
        text = line.decode("utf-8", "replace").strip("\r\n")
        if text:
            yield text


def _told(checked: Checked, held: Held, at: datetime) -> dict[str, Any]:
    reason, advice = explain(checked.outcome)
    return {
        "outcome": checked.outcome,
        "reason": {"zh": reason.zh, "en": reason.en},
        "advice": {"zh": advice.zh, "en": advice.en},
        "says": _said(checked),
        "lists": {
            "trustListIssuedAt": held.trust.issued_at.isoformat(),
            "denyListIssuedAt": held.deny.issued_at.isoformat(),
            "denyListAgeSeconds": int((at - held.deny.issued_at).total_seconds()),
        },
    }


def _said(checked: Checked) -> dict[str, Any] | None:
    if checked.claims is None:
        return None
    said = checked.claims
    kind = Kind(said.kind).name.lower() if said.kind in list(Kind) else str(said.kind)
    body = {name: value for name, value in msgspec.to_builtins(said.body).items() if value is not None}
    times = {name: datetime.fromtimestamp(at, UTC).isoformat() for name, at in _times(said.iat, said.exp)}
    return {"issuer": said.iss, "kind": kind, **body, **times}


def _times(iat: int, exp: int) -> list[tuple[str, int]]:
    # Times beyond the calendar are left out: a code may say any number.
    latest = int(datetime.max.replace(tzinfo=UTC).timestamp()) - 1
    return [(name, at) for name, at in (("issuedAt", iat), ("expiresAt", exp)) if at <= latest]


def _words(checked: Checked) -> str:
    reason, advice = explain(checked.outcome)
    lines = [
        f"{checked.outcome}：{reason.zh}{advice.zh}",
        f"  {reason.en} {advice.en}",
    ]
    said = _said(checked)
    if said is not None:
        lines.append("  " + "，".join(f"{name} {value}" for name, value in said.items()))
    return "\n".join(lines)


def _ages(held: Held, at: datetime) -> str:
    minutes = int((at - held.deny.issued_at).total_seconds()) // 60
    days = (at - held.trust.issued_at).days
    return (
        f"信任列表 {days} 天前签发，收回名单 {minutes} 分钟前签发。\n"
        f"Trust list signed {days} days ago, deny-list {minutes} minutes ago."
    )
