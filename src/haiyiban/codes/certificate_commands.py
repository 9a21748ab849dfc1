"""`haiyiban certificate`: anybody checks a certificate's PDF from files alone.

`request` is for a deployment, which needs a certificate to sign with.

Source: docs/documents.md.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click
import msgspec
from asn1crypto import x509

from haiyiban import clock
from haiyiban.certificates import authority, signer
from haiyiban.clock import SHANGHAI
from haiyiban.codes import status_list, trust_file
from haiyiban.codes.claims import CertificateBody, Kind
from haiyiban.codes.jws import UntrustedList
from haiyiban.codes.offline import verify_offline
from haiyiban.codes.outcomes import Outcome, explain
from haiyiban.codes.trust import TrustList, public_key_of, read_trust_list
from haiyiban.crypto import FileKeys, KeyMissing
from haiyiban.errors import Words
from haiyiban.settings import Settings

if TYPE_CHECKING:
    from haiyiban.certificates.checking import Report

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class CodeVerdict(msgspec.Struct, rename="camel"):
    """What the printed code inside the file says, judged by the lists that were given."""

    outcome: Outcome | None
    """None where no trust list was given."""
    status_checked: bool = False
    """Whether a status list told that the certificate stands; without one only its own dates do."""
    type: str | None = None
    name: str | None = None
    valid_until: str | None = None


@click.group()
def certificate() -> None:
    """核对证照文件 · Check certificates as files"""


@certificate.command()
@click.argument("file", type=click.File("rb"))
@click.option("--root", "roots", type=_FILE, multiple=True, help="Root certificates to trust (PEM or DER).")
@click.option("--trust-list", type=_FILE, help="GET …/trust-list, saved: check the printed code too.")
@click.option("--trust-root", help="The pinned root of the trust list: a JWK, or a file that holds it.")
@click.option("--status-list", type=_FILE, multiple=True, help="GET …/status-lists/{id}, saved.")
@click.option("--at", type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z"]), help="Judge at this instant, not now.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for programs.")
def verify(
    file: BinaryIO,
    roots: Sequence[Path],
    trust_list: Path | None,
    trust_root: str | None,
    status_list: Sequence[Path],
    at: datetime | None,
    as_json: bool,
) -> None:
    """Check the signature of a certificate's PDF, and its printed code, without a network.

    Ends with 0 when everything that was checked is good, 1 when something is not (it says what, and what to
    do), 2 when an option cannot be read.
    """
    # Here, because pyHanko takes half a second and 30 MB that no other process of the platform has to spend.
    from haiyiban.certificates.checking import FILE_BYTES_MOST, check

    # The library tells of every odd byte at length; what matters of it is in the answer.
    logging.getLogger("pyhanko").setLevel(logging.CRITICAL + 1)
    logging.getLogger("pyhanko_certvalidator").setLevel(logging.CRITICAL + 1)
    now = at.astimezone(UTC) if at else clock.now()
    keys = Settings.from_env().keys_dir
    report = check(file.read(FILE_BYTES_MOST + 1), roots=_roots(roots, keys), now=now)
    trust = _trust(trust_list, trust_root, keys)
    code = _judge(report, trust, status_list, now)
    is_good = report.is_good and (code is None or code.outcome in (None, Outcome.VALID))
    if as_json:
        click.echo(_json(report, code, is_good=is_good))
    else:
        _say(report, code)
    sys.exit(0 if is_good else 1)


@certificate.command()
@click.option("--name", default="电子证照签章", show_default=True, help="Common name of the signer.")
@click.option("--organization", required=True, help="The body that signs, as it is registered.")
@click.option("--new-key", is_flag=True, help="Make a new key first; it signs once its certificate is there.")
def request(name: str, organization: str, new_key: bool) -> None:
    """Print a signing request for the newest document key, for a certificate authority."""
    settings = Settings.from_env()
    keys = FileKeys(settings.keys_dir)
    try:
        if new_key:
            keys.rotate("document", not_before=clock.now(), suite=settings.suite)
        key = keys.signing("document")[-1]
    except KeyMissing as error:
        raise click.ClickException(str(error)) from None
    click.echo(signer.request(key, authority.name_of(name, organization)).decode(), nl=False)


def _roots(files: Sequence[Path], keys: Path) -> list[x509.Certificate]:
    """The roots given, or those of this machine's own deployment."""
    given = list(files) or [one for one in (keys / signer.ROOTS_FILE,) if one.exists()]
    if not given:
        raise click.UsageError(
            "请用 --root 给出根证书文件，可从发证机关的 /api/v1/document-authority/roots 取得。\n"
            "Give the root certificates with --root; the authority has them at "
            "/api/v1/document-authority/roots."
        )
    try:
        return [root for one in given for root in signer.certificates_in(one)]
    except ValueError:
        raise click.UsageError(
            "根证书文件读不出来，应为 PEM 或 DER 格式。The root file cannot be read; it should be PEM or DER."
        ) from None


def _trust(file: Path | None, root: str | None, keys: Path) -> TrustList | None:
    if file is None:
        return None
    try:
        jwk = _jwk(root) if root else trust_file.root_jwk(keys)
        return read_trust_list(file.read_text("ascii").strip(), public_key_of(jwk))
    except (UntrustedList, ValueError, OSError) as error:
        raise click.UsageError(
            f"信任列表不可信或读不出来，请重新下载；--trust-root 应为发证机关公布的公钥。\n"
            f"The trust list cannot be relied on ({error}); fetch it anew, and give the authority's public "
            f"key with --trust-root."
        ) from None


def _jwk(given: str) -> dict[str, Any]:
    said = json.loads(given if given.lstrip().startswith("{") else Path(given).read_bytes())
    jwk: dict[str, Any] = said.get("trustRoot", said) if isinstance(said, dict) else {}
    return jwk


def _judge(
    report: Report, trust: TrustList | None, files: Sequence[Path], now: datetime
) -> CodeVerdict | None:
    """The printed code of a file whose signature is good; None where there is none."""
    if not report.is_good or report.code_text is None:
        return None
    if trust is None:
        return CodeVerdict(None)
    lists = {one.uri: one for one in (_status_list(file, trust, now) for file in files)}
    checked = verify_offline(
        report.code_text, trust=trust, now=now, expected_kind=Kind.CERTIFICATE, status_lists=lists or None
    )
    verdict = CodeVerdict(checked.outcome, status_checked=bool(lists))
    body = checked.claims.body if checked.claims else None
    if isinstance(body, CertificateBody):
        verdict.type, verdict.name = body.type, body.name
        verdict.valid_until = body.valid_until.isoformat() if body.valid_until else None
    return verdict


def _status_list(file: Path, trust: TrustList, now: datetime) -> status_list.StatusList:
    try:
        return status_list.read(file.read_text("ascii").strip(), trust, at=now)
    except (UntrustedList, ValueError, OSError) as error:
        raise click.UsageError(
            f"状态列表 {file.name} 不可信或读不出来，请重新下载。\n"
            f"The status list {file.name} cannot be relied on ({error}); fetch it anew."
        ) from None


def _say(report: Report, code: CodeVerdict | None) -> None:
    _line(report.is_good, report.words)
    if not report.is_good:
        return
    click.echo(f"  签名人 Signer：{report.signer}")
    if report.signed_at:
        click.echo(f"  签名时间 Signed：{_instant(report.signed_at)}")
    if report.stamped_at:
        click.echo(f"  时间戳 Stamped：{_instant(report.stamped_at)}")
    if report.is_long_term:
        click.echo("  文件自带当时未被吊销的证明，签名证书到期后仍可核对。")
        click.echo(
            "  The file shows that nobody was revoked then; it can be checked after the signer has ended."
        )
    if code is None:
        click.echo("! 文件里没有打印码。There is no printed code in the file.")
    elif code.outcome is None:
        click.echo(
            "! 签名只说明文件是真的。证照现在是否有效，请扫描页上的二维码，或加 --trust-list、--status-list。"
        )
        click.echo(
            "  The signature tells that the file is genuine. For how the certificate stands now, scan its "
            "code, or add --trust-list and --status-list."
        )
    else:
        _say_code(code, code.outcome)


def _say_code(code: CodeVerdict, outcome: Outcome) -> None:
    reason, advice = explain(outcome)
    is_valid = outcome is Outcome.VALID
    _line(is_valid, Words(f"打印码：{reason.zh}", f"Printed code: {reason.en}"))
    if not is_valid:
        click.echo(f"  {advice.zh}\n  {advice.en}")
    if code.type:
        until = code.valid_until or "长期 no end"
        click.echo(f"  证照 Certificate：{code.type}，{code.name}，有效期至 until {until}")
    if is_valid and not code.status_checked:
        click.echo("! 未核对是否已被撤销，请加 --status-list。Not checked for revocation: add --status-list.")


def _line(is_good: bool, words: Words) -> None:
    click.echo(f"{'✓' if is_good else '✗'} {words.zh}\n  {words.en}")


def _instant(at: datetime) -> str:
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}（北京时间 Beijing）"


def _json(report: Report, code: CodeVerdict | None, *, is_good: bool) -> str:
    words = report.words
    answer: dict[str, Any] = {
        "good": is_good,
        "finding": report.finding,
        "zh": words.zh,
        "en": words.en,
        "signer": report.signer,
        "signedAt": report.signed_at,
        "stampedAt": report.stamped_at,
        "coversWholeFile": report.covers_whole_file,
        "longTerm": report.is_long_term,
        "codeText": report.code_text,
        "code": code,
    }
    return msgspec.json.encode(answer).decode()
