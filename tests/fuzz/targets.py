"""What a stranger hands in and we read: each reader with what it promises of any bytes at all.

A target returns whether it took the bytes for what they should be, and raises when the reader broke its
promise: another error than the one it names, two texts of one code, a form that is not the one form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import NamedTuple

import cbor2

from haiyiban.certificates import checking
from haiyiban.certificates.checking import Finding
from haiyiban.certificates.identifiers import Identifier, InvalidIdentifier
from haiyiban.codes import base45, cbor, counter_code, deny_list, envelope, jws, status_list, trust
from haiyiban.codes.cbor import MalformedCode
from haiyiban.codes.jws import UntrustedList
from haiyiban.codes.vectors.cast import AT, DAY, signing_key
from haiyiban.credit_codes import InvalidCreditCode, parse_credit_code
from haiyiban.residents import (
    IdType,
    InvalidIdNumber,
    InvalidMobile,
    check_document,
    normalise_mobile,
    parse_identity_number,
)
from tests.fuzz import seeds

TODAY = date(2026, 9, 1)
NOW = datetime(2026, 9, 1, tzinfo=UTC)
ROOT = signing_key("root of the fuzzing tests")
LISTS = signing_key("HYB1 test lists of the fuzzing tests")
TRUST = trust.TrustList(
    [trust.TrustEntry.of(LISTS.public, kinds=(), not_before=AT - DAY, not_after=AT + DAY, use="lists")],
    issued_at=AT,
)


def code(data: bytes) -> bool:
    """A scanned text: read as a person's code and as a counter's; read quickly, it is what it is in steps."""
    text = data.decode(errors="replace")
    found = False
    try:
        envelope.parse(text)
        found = True
    except MalformedCode:
        pass
    try:
        counter_code.parse(text)
        found = True
    except MalformedCode:
        pass
    return _envelope(data) or found


def _envelope(data: bytes) -> bool:
    """The bytes inside a code, both ways of reading them."""
    try:
        quick = envelope.parse_bytes(data)
    except MalformedCode:
        quick = None
    try:
        slow = _in_steps(data)
    except MalformedCode:
        slow = None
    assert quick == slow, "the quick way reads another code than the steps"
    return quick is not None


def _in_steps(data: bytes) -> envelope.ParsedCode:
    """`envelope.parse_bytes` without its compiled expressions."""
    if data[:1] == b"\xd2":
        found = envelope._parse_sign1_in_steps(data)
        if found.claims.cnf is not None:
            raise MalformedCode("a capsule without its device's proof")
        return found
    if data[:1] not in (b"\x83", b"\x84"):
        raise MalformedCode("neither form of a code")
    capsule, t, signature, challenge = envelope._parts_in_steps(data)
    signed = envelope.device_message(capsule, t, challenge=challenge)
    found = envelope._parse_sign1_in_steps(capsule, envelope.DeviceProof(t, signature, challenge, signed))
    if found.claims.cnf is None:
        raise MalformedCode("a capsule that names no device key")
    return found


def text45(data: bytes) -> bool:
    """Base45: every byte string has one text, and every text that is read is that one."""
    assert base45.decode(base45.encode(data)) == data
    try:
        text = data.decode("ascii")
        found = base45.decode(text)
    except ValueError:
        return False
    assert base45.encode(found) == text
    return True


def item(data: bytes) -> bool:
    """CBOR: what is read was written in the one way, and means to another reader what it means to ours."""
    try:
        value = cbor.decode(data)
    except MalformedCode:
        return False
    assert cbor.encode(value) == data
    assert cbor2.loads(data) == value
    return True


def lists(data: bytes) -> bool:
    """Trust list, deny-list, status list: as a text from anywhere, and with the right signature on anything.

    The first byte tells which, and whether the rest is the text itself or is signed first.
    """
    which, rest = (data[0] if data else 0), data[1:]
    typ = (trust.TYP, deny_list.TYP, status_list.TYP)[which % 3]
    key = ROOT if typ == trust.TYP else LISTS
    text = jws.sign(rest, typ=typ, key=key) if which & 64 else rest.decode(errors="replace")
    try:
        if typ == trust.TYP:
            trust.read_trust_list(text, ROOT.public)
        elif typ == deny_list.TYP:
            deny_list.read(text, TRUST, at=AT)
        else:
            status_list.read(text, TRUST, at=AT)
    except UntrustedList:
        return False
    return True


def numbers(data: bytes) -> bool:
    """Identity numbers, other documents, credit codes, mobiles, identifiers: the kept form is its own."""
    text = data.decode(errors="replace")
    return any([_identity(text), _documents(text), _credit_code(text), _mobile(text), _identifier(text)])


def _identity(text: str) -> bool:
    try:
        found = parse_identity_number(text, today=TODAY)
    except InvalidIdNumber:
        return False
    again = parse_identity_number(found.number, today=TODAY)
    assert (again.number, again.birth, again.sex) == (found.number, found.birth, found.sex)
    assert found.number.isascii()
    assert len(found.number) == 18
    assert found.birth <= TODAY
    return True


def _documents(text: str) -> bool:
    taken = []
    for kind in IdType:
        try:
            kept = check_document(kind, text, today=TODAY)
        except InvalidIdNumber:
            continue
        assert check_document(kind, kept, today=TODAY) == kept
        taken.append(kind)
    return bool(taken)


def _credit_code(text: str) -> bool:
    try:
        found = parse_credit_code(text)
    except InvalidCreditCode:
        return False
    assert parse_credit_code(found.code) == found
    return True


def _mobile(text: str) -> bool:
    try:
        kept = normalise_mobile(text)
    except InvalidMobile:
        return False
    assert normalise_mobile(kept) == kept
    return True


def _identifier(text: str) -> bool:
    try:
        found = Identifier.parse(text)
    except InvalidIdentifier:
        return False
    assert str(found) == text
    return True


def document(data: bytes) -> bool:
    """A PDF from anybody: judged, whatever it is; and good only where nothing that was signed is touched."""
    report = checking.check(data, roots=[seeds.document_root()], now=NOW)
    assert report.finding is not Finding.GOOD or _signed_part(data) == _signed_part(seeds.signed_document())
    return report.finding not in {Finding.NOT_A_PDF, Finding.DAMAGED}


def _signed_part(pdf: bytes) -> tuple[bytes, bytes]:
    """All but the digits of the signature, which may be written in small and in capital letters."""
    whole = seeds.signed_document()
    start = whole.index(b"/Contents <") + len(b"/Contents <")
    return pdf[:start], pdf[whole.index(b">", start) :]


class Target(NamedTuple):
    """One reader, and inputs to start from."""

    read: Callable[[bytes], bool]
    seeds: Callable[[], Iterator[bytes]]


TARGETS = {
    "code": Target(code, seeds.codes),
    "base45": Target(text45, seeds.texts45),
    "cbor": Target(item, seeds.items),
    "lists": Target(lists, seeds.lists),
    "numbers": Target(numbers, seeds.numbers),
    "document": Target(document, seeds.documents),
}
