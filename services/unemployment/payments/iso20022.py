"""Payment files and what the bank says of them, as ISO 20022 documents. Pure.

pain.001 goes out (customer credit transfer), pain.002 comes back (status of each payment), camt.053 tells
what moved (statement). Documents from outside are read without entities, DTDs or the network.
Source: docs/domain.md §7.5 (报送银行 → 成功/退票); ISO 20022: pain.001.001.09, pain.002.001.10,
camt.053.001.08.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Literal, NamedTuple

from lxml import etree

PAIN_001 = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
PAIN_002 = "{urn:iso:std:iso:20022:tech:xsd:pain.002.001.10}"
CAMT_053 = "{urn:iso:std:iso:20022:tech:xsd:camt.053.001.08}"


class NotTheDocument(ValueError):
    """What came is not the document that was asked for."""


class Transfer(NamedTuple):
    """One payment of a file. `end_to_end`: our own id of it, which comes back in every answer."""

    end_to_end: str
    amount_fen: int
    name: str
    account: str
    about: str


class Reported(NamedTuple):
    """What the bank says of one payment; `reason` is an ISO 20022 code where it was rejected."""

    end_to_end: str
    is_paid: bool
    reason: str | None


class Entry(NamedTuple):
    """One line of the statement: money that left the fund (debit) or came back (credit)."""

    end_to_end: str
    amount_fen: int
    direction: Literal["debit", "credit"]


def payment_file(message_id: str, transfers: Sequence[Transfer], *, payer: str, made_at: datetime) -> bytes:
    """The pain.001 of these payments: the same input gives the same bytes."""
    total = _yuan(sum(each.amount_fen for each in transfers))
    root = etree.Element("Document", nsmap={None: PAIN_001})
    initiation = _put(root, "CstmrCdtTrfInitn")
    header = _put(initiation, "GrpHdr")
    _put(header, "MsgId", message_id)
    _put(header, "CreDtTm", made_at.isoformat(timespec="seconds"))
    _put(header, "NbOfTxs", str(len(transfers)))
    _put(header, "CtrlSum", total)
    _put(_put(header, "InitgPty"), "Nm", payer)
    batch = _put(initiation, "PmtInf")
    _put(batch, "PmtInfId", message_id)
    _put(batch, "PmtMtd", "TRF")
    _put(batch, "NbOfTxs", str(len(transfers)))
    _put(batch, "CtrlSum", total)
    _put(_put(batch, "ReqdExctnDt"), "Dt", f"{made_at:%Y-%m-%d}")
    _put(_put(batch, "Dbtr"), "Nm", payer)
    for each in transfers:
        found = _put(batch, "CdtTrfTxInf")
        _put(_put(found, "PmtId"), "EndToEndId", each.end_to_end)
        _put(_put(found, "Amt"), "InstdAmt", _yuan(each.amount_fen)).set("Ccy", "CNY")
        _put(_put(found, "Cdtr"), "Nm", each.name)
        _put(_put(_put(_put(found, "CdtrAcct"), "Id"), "Othr"), "Id", each.account)
        _put(_put(found, "RmtInf"), "Ustrd", each.about)
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)  # type: ignore[no-any-return]


def read_report(document: bytes, *, message_id: str) -> list[Reported]:
    """The final payments of a pain.002; those under way are left out. Raises NotTheDocument."""
    root = _parsed(document)
    if root.findtext(f".//{PAIN_002}OrgnlMsgId") != message_id:
        raise NotTheDocument("a report of another message")
    if root.findtext(f".//{PAIN_002}GrpSts") == "RJCT":
        raise NotTheDocument("the bank refuses the file as a whole")
    found = []
    for each in root.iter(f"{PAIN_002}TxInfAndSts"):
        end_to_end = each.findtext(f"{PAIN_002}OrgnlEndToEndId")
        status = each.findtext(f"{PAIN_002}TxSts")
        if not end_to_end or not status:
            raise NotTheDocument("a payment without id or status")
        if status in ("ACSC", "RJCT"):
            reason = each.findtext(f".//{PAIN_002}Rsn/{PAIN_002}Cd")
            found.append(Reported(end_to_end, status == "ACSC", reason))
    return found


def read_statement(document: bytes) -> list[Entry]:
    """The lines of a camt.053. Raises NotTheDocument."""
    root = _parsed(document)
    if root.find(f".//{CAMT_053}Stmt") is None:
        raise NotTheDocument("no statement")
    found = []
    for each in root.iter(f"{CAMT_053}Ntry"):
        end_to_end = each.findtext(f".//{CAMT_053}EndToEndId")
        direction = {"DBIT": "debit", "CRDT": "credit"}.get(each.findtext(f"{CAMT_053}CdtDbtInd") or "")
        if not end_to_end or direction is None:
            raise NotTheDocument("an entry without id or direction")
        amount = _fen(each.findtext(f"{CAMT_053}Amt"))
        found.append(Entry(end_to_end, amount, "debit" if direction == "debit" else "credit"))
    return found


def _parsed(document: bytes) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(document, parser)
    except etree.XMLSyntaxError:
        raise NotTheDocument("not XML") from None
    if root.getroottree().docinfo.doctype:
        raise NotTheDocument("a document type has no place here")
    return root


def _put(above: etree._Element, name: str, text: str | None = None) -> etree._Element:
    found = etree.SubElement(above, name)
    found.text = text
    return found


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02}"


def _fen(text: str | None) -> int:
    try:
        fen = Decimal(text or "") * 100
    except InvalidOperation:
        raise NotTheDocument("an amount that is no number") from None
    if fen != fen.to_integral_value() or fen <= 0:
        raise NotTheDocument("an amount that is not in fen")
    return int(fen)
