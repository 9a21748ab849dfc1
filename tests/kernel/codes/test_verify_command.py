"""`haiyiban verify` as a terminal runs it: with nothing but files."""

import json
import os
import subprocess
import sys
from contextlib import chdir
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from haiyiban.codes import deny_list, status_list, verify_command
from haiyiban.codes.claims import CertificateBody, Kind, StatusEntry
from haiyiban.codes.deny_list import DenyList
from haiyiban.codes.envelope import sign_form_a, sign_form_b
from haiyiban.codes.status_list import StatusCode, packed
from haiyiban.codes.trust import TrustEntry, TrustList, sign_trust_list
from haiyiban.codes.vectors.cast import (
    AT,
    CHALLENGE,
    DEVICE,
    IAT,
    ISSUER,
    STRANGER,
    capsule_of,
    claims_of,
    signing_key,
    trust_entries,
)
from haiyiban.signatures import public_jwk

ROOT, LISTS = signing_key("HYB1 test trust root"), signing_key("HYB1 test key of lists")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
URI = "https://hyb.example/api/v1/status-lists/0"
ISSUED_BY = claims_of(Kind.CERTIFICATE, "command").iss
GOOD = sign_form_a(claims_of(Kind.CERTIFICATE, "command"), ISSUER)


@dataclass
class Terminal:
    """The files of a terminal, and the command over them."""

    folder: Path

    def put(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        return path

    def trust(self, *, issued_at=AT - HOUR, root=ROOT) -> None:
        own = TrustEntry.of(
            LISTS.public, kinds=(), use="lists", not_before=AT - 30 * DAY, not_after=AT + 365 * DAY
        )
        listed = TrustList([*trust_entries(), own], issued_at=issued_at, expires_at=AT + 30 * DAY)
        self.put("trust.jwt", sign_trust_list(listed, root) + "\n")

    def deny(self, *entries: bytes, issued_at=AT - HOUR, trust_issued_at=None, key=LISTS) -> None:
        listed = DenyList(frozenset(entries), issued_at, trust_issued_at)
        self.put("deny.jwt", deny_list.sign(listed, key))

    def command(self, *options: str, at: str) -> list[str]:
        root = json.dumps(public_jwk(ROOT.public))
        lists = ["--trust-list", "trust.jwt", "--deny-list", "deny.jwt", "--trust-root", root]
        return [*lists, "--at", at, *options]

    def run(self, text: str, *options: str, at: str = AT.isoformat()) -> subprocess.CompletedProcess[str]:
        """The command itself, without a new Python each time."""
        with chdir(self.folder):
            done = CliRunner().invoke(verify_command.verify, self.command(*options, at=at), input=text)
        return subprocess.CompletedProcess([], done.exit_code, done.stdout, done.stderr)

    def run_apart(
        self, text: str, *options: str, at: str = AT.isoformat(), **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """In a process of its own, with no settings."""
        return subprocess.run(
            [sys.executable, "-m", "haiyiban.cli", "verify", *self.command(*options, at=at)],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": os.environ.get("PYTHONPATH", "")} | environ,
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


def both_issuers(terminal: Terminal, *, second: str = "440000") -> list[str]:
    """Beside the lists of the terminal's own issuer, those of another, whose keys are its own."""
    other_root, other_lists = signing_key("HYB1 another trust root"), signing_key("HYB1 another key of lists")
    entries = [
        TrustEntry.of(STRANGER.public, kinds=[Kind.CERTIFICATE], not_before=AT - DAY, not_after=AT + DAY),
        TrustEntry.of(other_lists.public, kinds=(), use="lists", not_before=AT - DAY, not_after=AT + DAY),
    ]
    listed = TrustList(entries, issued_at=AT - HOUR, expires_at=AT + DAY)
    terminal.put("trust2.jwt", sign_trust_list(listed, other_root))
    terminal.put("deny2.jwt", deny_list.sign(DenyList(frozenset(), AT - HOUR, None), other_lists))
    root = json.dumps(public_jwk(other_root.public))
    lists = ["--trust-list", "trust2.jwt", "--deny-list", "deny2.jwt", "--trust-root", root]
    return [*lists, "--issuer", ISSUED_BY, "--issuer", second]


def test_a_terminal_trusts_two_issuers_each_for_its_own_codes(terminal) -> None:
    both = both_issuers(terminal)
    theirs = claims_of(Kind.CERTIFICATE, "of another province")
    good = sign_form_a(claims_of(Kind.CERTIFICATE, "of another province", iss="440000"), STRANGER)
    assert terminal.run(f"{GOOD}\n{good}\n", *both).returncode == 0
    # Their key under our name vouches for nothing.
    usurped = sign_form_a(theirs, STRANGER)
    done = terminal.run(usurped, *both, "--json")
    assert (done.returncode, json.loads(done.stdout)["outcome"]) == (1, "unknown_issuer")
    assert terminal.run(good).returncode == 1
    assert terminal.run(GOOD, *both_issuers(terminal)[:-2]).returncode == 2


def test_what_was_seen_of_each_issuer_is_remembered_apart(terminal) -> None:
    both = both_issuers(terminal)
    assert terminal.run(GOOD, *both, "--state", "seen").returncode == 0
    assert {file.name for file in terminal.folder.glob("seen*")} == {"seen", "seen.440000"}
    terminal.deny(issued_at=AT - 2 * HOUR)
    assert terminal.run(GOOD, *both, "--state", "seen").returncode == 2


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    made = Terminal(tmp_path)
    made.trust()
    made.deny()
    return made


def test_good_codes_are_told_in_words_with_the_age_of_the_lists(terminal) -> None:
    b = sign_form_b(capsule_of(Kind.IDENTITY, "command, b"), DEVICE, t=IAT, challenge=CHALLENGE)
    done = terminal.run_apart(f"{GOOD}\r\n{b}\n", "--challenge", CHALLENGE.hex())
    # A code that the server signed needs no answer to a challenge.
    assert done.returncode == 0, done.stderr + done.stdout
    for words in ("核验通过", "You can go ahead", "王*涵", "2027-08-31", "60 minutes ago", "60 分钟前"):
        assert words in done.stdout


def test_it_starts_without_what_only_a_server_needs(terminal) -> None:
    done = terminal.run_apart(GOOD, PYTHONPROFILEIMPORTTIME="1")
    assert done.returncode == 0, done.stdout
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "haiyiban.codes.offline" in imported
    assert not imported & {"litestar", "sqlalchemy", "asyncpg", "haiyiban.codes.feature"}


def test_each_outcome_is_told_and_one_bad_code_is_enough_for_the_exit_code(terminal) -> None:
    withdrawn = capsule_of(Kind.CERTIFICATE, "command, withdrawn")
    health = capsule_of(Kind.HEALTH, "command, health")
    terminal.deny(claims_of(1, "command, withdrawn").cti)
    lines = {
        "valid": GOOD,
        "malformed": "HYB1:" + "é" * 9,
        "unknown_issuer": sign_form_a(claims_of(1, "stranger"), STRANGER),
        "bad_signature": GOOD[:-3] + ("000" if GOOD[-3:] != "000" else "111"),
        "denied": sign_form_b(withdrawn, DEVICE, t=IAT),
        "stale_lists": sign_form_b(health, DEVICE, t=IAT),
        "wrong_kind": sign_form_a(claims_of(Kind.VOUCHER, "command"), ISSUER),
    }
    done = terminal.run("\n".join(lines.values()), "--json", "--kind", "certificate")
    assert done.returncode == 1
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["outcome"] for each in told] == list(lines)
    assert told[0]["says"]["name"] == "王*涵"
    assert told[1]["says"] is None
    assert told[0]["lists"]["denyListAgeSeconds"] == 3600
    assert all(each["reason"]["zh"] and each["advice"]["en"] for each in told)


def test_a_printed_code_is_judged_by_its_status_list(terminal) -> None:
    def printed(index: int) -> str:
        body = CertificateBody("disability", "冼*", None, StatusEntry(URI, index))
        said = claims_of(1, f"printed {index}", body=body, iat=IAT - 86_400 * 400, exp=IAT + 86_400 * 400)
        return sign_form_a(said, ISSUER)

    bits = packed([(5, StatusCode.REVOKED), (6, StatusCode.SUSPENDED)], size=64)
    signed = status_list.sign(URI, status_list.compressed(bits), issued_at=AT - HOUR, key=LISTS)
    terminal.put("status.jwt", signed)
    lines = "\n".join(map(printed, (4, 5, 6, 64)))
    done = terminal.run(lines, "--json", "--status-list", "status.jwt")
    outcomes = [json.loads(line)["outcome"] for line in done.stdout.splitlines()]
    assert outcomes == ["valid", "revoked", "suspended", "unavailable"]
    assert terminal.run(printed(4), "--status-list", "status.jwt").returncode == 0
    assert "unavailable" in terminal.run(printed(4)).stdout


@pytest.mark.parametrize("which", ["trust", "deny"])
def test_a_clock_that_is_behind_is_named_before_any_code_is_judged(terminal, which) -> None:
    getattr(terminal, which)(issued_at=AT + timedelta(minutes=2))
    done = terminal.run(GOOD)
    assert done.returncode == 2
    assert "本机时钟慢了" in done.stderr
    assert "set the clock" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    "spoil",
    [
        lambda terminal: terminal.trust(root=STRANGER),
        lambda terminal: terminal.deny(key=ISSUER),
        lambda terminal: terminal.deny(key=STRANGER),
        lambda terminal: terminal.put("trust.jwt", (terminal.folder / "trust.jwt").read_text()[:200]),
        lambda terminal: terminal.put("deny.jwt", (terminal.folder / "deny.jwt").read_text()[:-9]),
        lambda terminal: terminal.put("deny.jwt", (terminal.folder / "trust.jwt").read_text()),
        lambda terminal: terminal.put("trust.jwt", (terminal.folder / "deny.jwt").read_text()),
        lambda terminal: terminal.put("deny.jwt", ""),
        lambda terminal: terminal.put("deny.jwt", "收回名单"),
    ],
)
def test_a_list_that_cannot_be_trusted_judges_nothing(terminal, spoil) -> None:
    spoil(terminal)
    done = terminal.run(GOOD)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


def test_an_older_list_than_the_one_held_before_is_refused(terminal) -> None:
    assert terminal.run(GOOD, "--state", "state.json").returncode == 0
    assert terminal.run(GOOD, "--state", "state.json").returncode == 0
    terminal.deny(issued_at=AT - 2 * HOUR)
    done = terminal.run(GOOD, "--state", "state.json")
    assert done.returncode == 2
    assert "older than one held before" in done.stderr
    terminal.put("state.json", "{")
    assert terminal.run(GOOD, "--state", "state.json").returncode == 2


def test_a_trust_list_that_is_not_the_newest_judges_nothing(terminal) -> None:
    terminal.deny(trust_issued_at=AT - timedelta(minutes=30))
    done = terminal.run(GOOD, "--json")
    assert json.loads(done.stdout)["outcome"] == "stale_lists"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--at", "yesterday"], "--at"),
        (["--at", "2026-09-01T08:00:00"], "time zone"),
        (["--challenge", "zz"], "--challenge"),
        (["--trust-root", "{}"], "--trust-root"),
        (["--trust-root", "nowhere.json"], "--trust-root"),
        (["--trust-root", "deny.jwt"], "--trust-root"),
    ],
)
def test_an_option_that_cannot_be_used_is_refused_in_words(terminal, options, words) -> None:
    done = terminal.run(GOOD, *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_root_or_a_code_nothing_is_judged(terminal) -> None:
    command = [sys.executable, "-m", "haiyiban.cli", "verify", "--trust-list", "trust.jwt"]
    rootless = subprocess.run(
        [*command, "--deny-list", "deny.jwt"],
        cwd=terminal.folder,
        input=GOOD,
        capture_output=True,
        text=True,
        check=False,
    )
    assert rootless.returncode == 2
    assert "--trust-root" in rootless.stderr
    assert terminal.run("\n\r\n").returncode == 2


def test_the_root_may_be_read_from_a_file_or_from_the_demos_description(terminal) -> None:
    jwk = public_jwk(ROOT.public)
    terminal.put("root.jwk", json.dumps(jwk))
    terminal.put("demo.json", json.dumps({"api": "http://127.0.0.1:8000", "trustRoot": jwk}))
    for name in ("root.jwk", "demo.json"):
        assert terminal.run(GOOD, "--trust-root", name).returncode == 0
