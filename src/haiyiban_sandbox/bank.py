"""A bank: payment files (pain.001) in, reports (pain.002) and statements (camt.053) out.

A file of a message id is carried out once: sent again byte by byte it gets the same answer, other bytes under
the same id are refused. An account that nobody opened, that is closed or whose holder has another name is
rejected; one that is `returning` takes the money and gives it back afterwards.
"""

import hashlib
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from xml.etree.ElementTree import Element, SubElement, tostring

from litestar import Response, post
from litestar.di import NamedDependency
from lxml import etree
from msgspec import Meta

from haiyiban_sandbox.access import needs_key
from haiyiban_sandbox.clock import Clock
from haiyiban_sandbox.faults import answer_badly
from haiyiban_sandbox.people import Text
from haiyiban_sandbox.problems import Malformed
from haiyiban_sandbox.store import Store
from haiyiban_sandbox.wire import Asked, Wire, read

PAIN_001 = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
PAIN_002 = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"
CAMT_053 = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
_NS = {"p": PAIN_001}

Number = Annotated[str, Meta(pattern=r"^[0-9]{12,19}\Z")]


PROVINCES = {
    "110000": "北京市",
    "120000": "天津市",
    "130000": "河北省",
    "140000": "山西省",
    "150000": "内蒙古自治区",
    "210000": "辽宁省",
    "220000": "吉林省",
    "230000": "黑龙江省",
    "310000": "上海市",
    "320000": "江苏省",
    "330000": "浙江省",
    "340000": "安徽省",
    "350000": "福建省",
    "360000": "江西省",
    "370000": "山东省",
    "410000": "河南省",
    "420000": "湖北省",
    "430000": "湖南省",
    "440000": "广东省",
    "450000": "广西壮族自治区",
    "500000": "重庆市",
    "510000": "四川省",
    "520000": "贵州省",
    "530000": "云南省",
    "540000": "西藏自治区",
    "610000": "陕西省",
    "620000": "甘肃省",
    "630000": "青海省",
    "640000": "宁夏回族自治区",
    "650000": "新疆维吾尔自治区",
}
"""The other provinces, whose unemployment funds have accounts here."""


class BankAccount(Wire):
    """An account as the bank knows it. Posting it again replaces what was known of it."""

    number: Number
    name: Text
    state: Literal["open", "closed", "returning"] = "open"


class MessageAsked(Wire):
    """Which message."""

    message_id: Text


class Nothing(Wire):
    """No question."""


@post("/bank/accounts")
async def open_account(request: Asked, store: NamedDependency[Store]) -> BankAccount:
    """Open an account, close it, or make it give money back."""
    account = await read(request, BankAccount)
    keep(store, account)
    return account


def keep(store: Store, account: BankAccount) -> None:
    """Note an account."""
    store.execute(
        "INSERT OR REPLACE INTO bank_account VALUES (?, ?, ?)", account.number, account.name, account.state
    )


def keep_funds(store: Store) -> None:
    """Note the accounts of every other province's unemployment fund."""
    for code, name in PROVINCES.items():
        keep(store, BankAccount(number=f"1000{code}0001", name=f"{name}失业保险基金"))


@post(
    "/bank/payments",
    status_code=200,
    guards=[needs_key],
    before_request=answer_badly,
    opt={"register": "bank"},
)
async def pay(
    request: Asked, store: NamedDependency[Store], clock: NamedDependency[Clock]
) -> Response[bytes]:
    """Take a payment file; the report says what became of each payment."""
    content = await request.body()
    try:
        document = etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True))
        message_id = document.findtext(".//p:GrpHdr/p:MsgId", namespaces=_NS)
        control = Decimal(document.findtext(".//p:GrpHdr/p:CtrlSum", namespaces=_NS))
        rows = [_row(each) for each in document.iterfind(".//p:CdtTrfTxInf", namespaces=_NS)]
    except (etree.XMLSyntaxError, ArithmeticError, AttributeError, TypeError) as error:
        raise Malformed("not a pain.001 of this bank") from error
    if not message_id or control != sum(row["amount"] for row in rows):
        raise Malformed("the control sum is not the sum of the payments")
    digest = hashlib.sha256(content).hexdigest()
    with store.transaction():
        known = store.rows("SELECT digest FROM bank_message WHERE message_id = ?", message_id)
        if known and known[0][0] != digest:
            return _xml(_report(message_id, "RJCT", [], reason="DU01"))
        if not known:
            store.execute("INSERT INTO bank_message VALUES (?, ?)", message_id, digest)
            for row in rows:
                _carry_out(store, message_id, row, at=clock.now())
    return _xml(_report_of(store, message_id))


@post(
    "/bank/status",
    status_code=200,
    guards=[needs_key],
    before_request=answer_badly,
    opt={"register": "bank"},
)
async def status(request: Asked, store: NamedDependency[Store]) -> Response[bytes]:
    """What became of the payments of a message; one that never came is answered with no payment at all."""
    asked = await read(request, MessageAsked)
    return _xml(_report_of(store, asked.message_id))


@post(
    "/bank/statement",
    status_code=200,
    guards=[needs_key],
    before_request=answer_badly,
    opt={"register": "bank"},
)
async def statement(request: Asked, store: NamedDependency[Store]) -> Response[bytes]:
    """What left the fund's account for payments of a message, and what came back."""
    asked = await read(request, MessageAsked)
    root = Element("Document", xmlns=CAMT_053)
    found = SubElement(SubElement(root, "BkToCstmrStmt"), "Stmt")
    SubElement(found, "Id").text = f"{asked.message_id}"
    entries = store.rows(
        "SELECT end_to_end_id, fen, direction, at FROM bank_entry WHERE message_id = ? ORDER BY rowid",
        asked.message_id,
    )
    for end_to_end, fen, direction, at in entries:
        entry = SubElement(found, "Ntry")
        SubElement(entry, "Amt", Ccy="CNY").text = _yuan(fen)
        SubElement(entry, "CdtDbtInd").text = direction
        SubElement(SubElement(entry, "BookgDt"), "DtTm").text = at
        details = SubElement(SubElement(entry, "NtryDtls"), "TxDtls")
        SubElement(SubElement(details, "Refs"), "EndToEndId").text = end_to_end
    return _xml(root)


@post("/bank/returns")
async def give_back(
    request: Asked, store: NamedDependency[Store], clock: NamedDependency[Clock]
) -> dict[str, int]:
    """Let some days go by: accounts that are `returning` give back what they were paid. How many payments."""
    await read(request, Nothing)
    with store.transaction():
        due = store.rows(
            "SELECT p.message_id, p.end_to_end_id, p.fen FROM bank_payment p JOIN bank_account a"
            " ON a.number = p.account WHERE a.state = 'returning' AND p.status = 'ACSC'"
        )
        for message_id, end_to_end, fen in due:
            store.execute(
                "UPDATE bank_payment SET status = 'RJCT', reason = 'AC04' WHERE end_to_end_id = ?", end_to_end
            )
            _enter(store, message_id, end_to_end, fen, "CRDT", at=clock.now())
    return {"returned": len(due)}


def _row(found: Any) -> dict[str, Any]:
    def text(path: str) -> str:
        return str(found.findtext(path, namespaces=_NS))

    return {
        "id": text("p:PmtId/p:EndToEndId"),
        "amount": Decimal(text("p:Amt/p:InstdAmt")),
        "name": text("p:Cdtr/p:Nm"),
        "account": text("p:CdtrAcct/p:Id/p:Othr/p:Id"),
    }


def _carry_out(store: Store, message_id: str, row: dict[str, Any], *, at: datetime) -> None:
    known = store.rows("SELECT name, state FROM bank_account WHERE number = ?", row["account"])
    reason = None
    if not known:
        reason = "AC01"
    elif known[0][1] == "closed":
        reason = "AC04"
    elif known[0][0] != row["name"]:
        reason = "BE01"
    fen = int(row["amount"] * 100)
    store.execute(
        "INSERT INTO bank_payment VALUES (?, ?, ?, ?, ?, ?)",
        row["id"],
        message_id,
        row["account"],
        fen,
        "RJCT" if reason else "ACSC",
        reason,
    )
    if reason is None:
        _enter(store, message_id, row["id"], fen, "DBIT", at=at)


def _enter(store: Store, message_id: str, end_to_end: str, fen: int, direction: str, *, at: datetime) -> None:
    store.execute(
        "INSERT INTO bank_entry VALUES (?, ?, ?, ?, ?)",
        message_id,
        end_to_end,
        fen,
        direction,
        at.isoformat(),
    )


def _report_of(store: Store, message_id: str) -> Element:
    rows = store.rows(
        "SELECT end_to_end_id, status, reason FROM bank_payment WHERE message_id = ? ORDER BY rowid",
        message_id,
    )
    return _report(message_id, "ACCP" if rows else "PDNG", rows)


def _report(
    message_id: str, group: str, rows: list[tuple[Any, ...]], *, reason: str | None = None
) -> Element:
    root = Element("Document", xmlns=PAIN_002)
    report = SubElement(root, "CstmrPmtStsRpt")
    original = SubElement(report, "OrgnlGrpInfAndSts")
    SubElement(original, "OrgnlMsgId").text = message_id
    SubElement(original, "OrgnlMsgNmId").text = "pain.001.001.09"
    SubElement(original, "GrpSts").text = group
    if reason:
        SubElement(SubElement(SubElement(original, "StsRsnInf"), "Rsn"), "Cd").text = reason
    payments = SubElement(report, "OrgnlPmtInfAndSts")
    for end_to_end, status_, why in rows:
        found = SubElement(payments, "TxInfAndSts")
        SubElement(found, "OrgnlEndToEndId").text = end_to_end
        SubElement(found, "TxSts").text = status_
        if why:
            SubElement(SubElement(SubElement(found, "StsRsnInf"), "Rsn"), "Cd").text = why
    return root


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02}"


def _xml(root: Element) -> Response[bytes]:
    return Response(tostring(root, encoding="utf-8", xml_declaration=True), media_type="application/xml")
