"""Agreements: signed by both after people compared fingerprints, and never trusted on first use."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from haiyiban.bilingual import Text
from haiyiban.crypto import FileKeys, SigningKey
from services.cross_province import commands, directory, neighbours, ourselves, proofs
from services.cross_province.directory import Agreement, NotAgreed, Party, Signed
from services.cross_province.signatures import NotSigned
from tests.zones.cross_province.pair import GUANGDONG, HAINAN, PARTIES, Pair


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SigningKey]:
    return {
        division: FileKeys.create(tmp_path_factory.mktemp(division)).signing("exchange")[-1]
        for division in PARTIES
    }


def party(division: str, key: SigningKey, **members: Any) -> Party:
    name, uscc = PARTIES[division]
    described = {
        "division": division,
        "name": Text(zh=name, en=name),
        "uscc": uscc,
        "origin": "https://example.test",
        "keys": [key],
        "trust_root": {},
    }
    return directory.describe(**described | members)


@pytest.fixture
def unsigned(keys: dict[str, SigningKey]) -> Signed:
    both = tuple(party(division, key) for division, key in keys.items())
    return Signed(
        Agreement(
            parties=(both[0], both[1]),
            valid_from=datetime(2026, 1, 1, tzinfo=UTC),
            valid_until=datetime(2027, 1, 1, tzinfo=UTC),
        )
    )


def checked(signed: Signed, keys: dict[str, SigningKey]) -> Agreement:
    document = json.loads(msgspec.json.encode(signed))
    return directory.check(document, own=HAINAN, keys=[keys[HAINAN]])


def test_an_agreement_counts_with_both_signatures_and_not_before(
    unsigned: Signed, keys: dict[str, SigningKey]
) -> None:
    ours = directory.sign(unsigned, HAINAN, keys[HAINAN])
    for incomplete in (unsigned, ours, directory.sign(unsigned, GUANGDONG, keys[GUANGDONG])):
        with pytest.raises(NotAgreed):
            checked(incomplete, keys)
    agreement = checked(directory.sign(ours, GUANGDONG, keys[GUANGDONG]), keys)
    assert agreement.other(HAINAN).division == GUANGDONG
    assert agreement.is_in_force(datetime(2026, 6, 1, tzinfo=UTC))
    assert not agreement.is_in_force(datetime(2027, 1, 1, tzinfo=UTC))


def test_a_changed_agreement_and_one_that_names_our_keys_wrongly_do_not_count(
    unsigned: Signed, keys: dict[str, SigningKey], tmp_path: Path
) -> None:
    both = directory.sign(directory.sign(unsigned, HAINAN, keys[HAINAN]), GUANGDONG, keys[GUANGDONG])
    longer = msgspec.structs.replace(both.agreement, valid_until=datetime(2099, 1, 1, tzinfo=UTC))
    with pytest.raises(NotAgreed):
        checked(msgspec.structs.replace(both, agreement=longer), keys)
    # Somebody who makes both sides up signs for both, but not by a key of ours.
    forger = FileKeys.create(tmp_path).signing("exchange")[-1]
    made_up = msgspec.structs.replace(
        unsigned.agreement, parties=(party(HAINAN, forger), party(GUANGDONG, forger))
    )
    forged = directory.sign(directory.sign(Signed(made_up), HAINAN, forger), GUANGDONG, forger)
    with pytest.raises(NotAgreed):
        checked(forged, keys)
    with pytest.raises(NotAgreed):
        directory.sign(unsigned, HAINAN, forger)


@pytest.mark.parametrize(
    "members", [{"uscc": "1"}, {"origin": "https://example.test/path"}, {"name": Text(zh="", en="")}]
)
def test_a_description_that_makes_no_sense_is_refused(
    keys: dict[str, SigningKey], members: dict[str, Any]
) -> None:
    with pytest.raises(NotAgreed):
        party(HAINAN, keys[HAINAN], **members)


@pytest.fixture
def at(
    pair: Pair, both_homes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """A command at one of the two, as its operator runs it."""

    def run(division: str, *arguments: str) -> Result:
        for module in (commands, ourselves):
            monkeypatch.setattr(module, "PROVINCE", division)
        environ = {
            "HAIYIBAN_ENV": "test",
            "HAIYIBAN_HOME": str(both_homes / division),
            "HAIYIBAN_ISSUER": division,
            "HAIYIBAN_PUBLIC_URL": "https://example.test",
        }
        return CliRunner().invoke(commands.neighbours, arguments, env=environ)

    return run


def test_two_operators_make_an_agreement_by_command(at: Callable[..., Result], tmp_path: Path) -> None:
    prints = {}
    for division, (name, uscc) in PARTIES.items():
        told = at(division, "describe", "--name-zh", name, "--name-en", name, "--uscc", uscc)
        assert told.exit_code == 0, told.output
        (tmp_path / f"{division}.json").write_text(told.stdout)
        prints[division] = told.stderr.split()[-1]
    files = [str(tmp_path / f"{division}.json") for division in (HAINAN, GUANGDONG)]
    wrong = at(HAINAN, "agree", *files, "--fingerprint", prints[HAINAN], "--until", "2027-12-31")
    assert wrong.exit_code == 1
    assert prints[GUANGDONG] in wrong.output
    agreed = at(
        HAINAN,
        "agree",
        *files,
        "--fingerprint",
        prints[GUANGDONG],
        "--until",
        "2027-12-31",
        "--joint",
        "social-insurance.proof=核对本省缴费/check own record",
    )
    assert agreed.exit_code == 0, agreed.output
    (tmp_path / "agreement.json").write_text(agreed.stdout)
    file = str(tmp_path / "agreement.json")
    assert at(GUANGDONG, "countersign", file, "--fingerprint", "0000").exit_code == 1
    signed = at(GUANGDONG, "countersign", file, "--fingerprint", prints[HAINAN])
    assert signed.exit_code == 0, signed.output
    agreement = directory.check_both(json.loads(signed.stdout))
    assert [one.division for one in agreement.parties] == [HAINAN, GUANGDONG]
    assert agreement.joint[0].matter == "social-insurance.proof"


def test_a_deployment_without_keys_for_messages_says_how_to_make_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAIYIBAN_HOME", str(tmp_path))
    assert neighbours.own_keys() == ()
    told = CliRunner().invoke(
        commands.neighbours, ["describe", "--name-zh", "海南省", "--name-en", "Hainan", "--uscc", "1"]
    )
    assert told.exit_code == 1
    assert "haiyiban keys create" in told.output


async def test_either_side_can_prove_later_what_was_sent_and_received(
    pair: Pair, at: Callable[..., Result], tmp_path: Path
) -> None:
    headers, _ = await pair.resident()
    case = await pair.apply(headers)
    await pair.pump()
    ours = await pair.hainan.do("proof", case["id"])
    theirs = await pair.guangdong.do("proof", case["id"])
    found = proofs.check(ours.encode())
    assert [(one.type, one.sender) for one in found] == [("forward", HAINAN), ("receipt", GUANGDONG)]
    assert all(one.received_at for one in found)
    assert {one.msg_id for one in proofs.check(theirs.encode())} == {one.msg_id for one in found}
    (tmp_path / "proof.json").write_text(ours)
    told = at(HAINAN, "check-proof", str(tmp_path / "proof.json"))
    assert (told.exit_code, told.output.count("received 20")) == (0, 2), told.output

    for change in (("purpose", "purpos3"), ("receivedAt", "receivedat")):
        with pytest.raises(NotSigned):
            proofs.check(ours.replace(*change).encode())
