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

from haiyiban import clock
from haiyiban.codes import terminal
from haiyiban.codes.claims import Kind
from haiyiban.codes.envelope import CHALLENGE_BYTES
from haiyiban.codes.jws import UntrustedList
from haiyiban.codes.offline import Checked
from haiyiban.codes.outcomes import Outcome, explain
from haiyiban.codes.terminal import ClockBehind, Fetched, Held, LastSeen
from haiyiban.codes.trust import public_key_of
from haiyiban.signatures import PublicKey

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class CannotJudge(click.ClickException):
    """No code was judged."""

    exit_code = 2


@click.command()
@click.option(
    "--trust-list",
    "trust_files",
    type=_FILE,
    required=True,
    multiple=True,
    help="As GET /trust-list gives it. To trust several issuers, repeat this, --deny-list, --trust-root and "
    "--issuer, each in the same order.",
)
@click.option(
    "--deny-list",
    "deny_files",
    type=_FILE,
    required=True,
    multiple=True,
    help="As GET /deny-list gives it, whole.",
)
@click.option(
    "--status-list", "status_files", type=_FILE, multiple=True, help="For printed codes; repeat it."
)
@click.option(
    "--trust-root",
    "roots",
    required=True,
    multiple=True,
    help="The pinned root: a JWK, or a file that holds it.",
)
@click.option(
    "--issuer", "issuers", multiple=True, help="Whose lists these are, such as 460000; with several issuers."
)
@click.option("--at", "instant", help="Judge as of this time, such as 2026-09-01T08:00:00+08:00.")
@click.option("--kind", type=click.Choice([kind.name.lower() for kind in Kind]), help="What is expected.")
@click.option("--challenge", "challenge_hex", help="The 8 bytes that were shown to the holder, in hex.")
@click.option("--state", "state", type=click.Path(path_type=Path), help="Remember here how new lists were.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a code.")
def verify(
    trust_files: tuple[Path, ...],
    deny_files: tuple[Path, ...],
    status_files: tuple[Path, ...],
    roots: tuple[str, ...],
    issuers: tuple[str, ...],
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
    if not issuers:
        # Of one issuer the last word counts, as with any option that is given twice.
        trust_files, deny_files, roots = trust_files[-1:], deny_files[-1:], roots[-1:]
    elif not len(trust_files) == len(deny_files) == len(roots) == len(issuers):
        raise CannotJudge(
            "多个签发方时，--trust-list、--deny-list、--trust-root、--issuer 须各给一次，次序相同。"
            "With several issuers give --trust-list, --deny-list, --trust-root and --issuer once for each, "
            "in one order."
        )
    files = zip(trust_files, deny_files, roots, issuers or (None,), strict=True)
    held = _held(
        [Fetched(_text(trust), _text(deny), _root(root), issuer) for trust, deny, root, issuer in files],
        [_text(file) for file in status_files],
        at=at,
        state=state,
    )
    expected = Kind[kind.upper()] if kind else None
    challenge = _challenge(challenge_hex)
    outcomes = []
    for line in _lines():
        checked, by = terminal.judge_by(line, held, at=at, expected_kind=expected, challenge=challenge)
        outcomes.append(checked.outcome)
        click.echo(json.dumps(_told(checked, by, at), ensure_ascii=False) if as_json else _words(checked))
    if not outcomes:
        raise CannotJudge("没有读到亮证码，请每行输入一个。No code was read; give one a line.")
    if not as_json:
        for one in held:
            click.echo(_ages(one, at))
    sys.exit(0 if set(outcomes) == {Outcome.VALID} else 1)


def _held(fetched: list[Fetched], status: list[str], *, at: datetime, state: Path | None) -> list[Held]:
    # What was seen of the first issuer is in the file itself, of each other one beside it.
    files = [
        state.with_name(f"{state.name}.{one.issuer}") if state and number else state
        for number, one in enumerate(fetched)
    ]
    try:
        known = [
            msgspec.structs.replace(one, last_seen=msgspec.json.decode(file.read_bytes(), type=LastSeen))
            if file and file.exists()
            else one
            for one, file in zip(fetched, files, strict=True)
        ]
        held = terminal.hold_all(known, status, at=at)
        for each, file in zip(held, files, strict=True):
            if file:
                file.write_bytes(msgspec.json.encode(terminal.seen_with(each)))
    except ClockBehind as error:
        raise CannotJudge(f"本机时钟慢了，请校准后再核验。This clock is wrong: {error}") from None
    except UntrustedList as error:
        raise CannotJudge(f"名单不可信，请重新下载。A list cannot be trusted: {error}") from None
    except (OSError, msgspec.MsgspecError) as error:
        raise CannotJudge(f"无法读写 --state 文件。The --state file cannot be used: {error}") from None
    return held


def _root(given: str) -> PublicKey:
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
