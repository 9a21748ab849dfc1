"""What the market-entity register says of an enterprise: the one proof of who speaks for it.

Source: docs/domain.md §1.3; 市场主体登记管理条例 (法定代表人, 经营者).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from haiyiban import credit_codes, registers
from haiyiban.credit_codes import CREDIT_CODE
from haiyiban.errors import FieldError, NotAllowed, NotFound, Problem, Words
from haiyiban.registers import REGISTERS, RegisterUnavailable

IN_BUSINESS = "in_business"


class InvalidCode(Problem):
    """The credit code cannot be right."""

    type = "enterprises/invalid-credit-code"
    title = Words("统一社会信用代码不正确", "This is not a valid credit code")


class EnterpriseUnknown(NotFound):
    """Nothing is registered under this code, or the caller has no part in it."""

    type = "enterprises/not-found"
    title = Words(
        "没有找到您可以代表的企业；请核对代码，或请法定代表人授权",
        "There is no enterprise that you act for under this code; check it, or ask its legal representative",
    )


class NotInBusiness(NotAllowed):
    """The register says that the enterprise no longer does business."""

    type = "enterprises/not-in-business"
    title = Words(
        "该企业已注销或被吊销，不能办理", "This enterprise was struck off; nothing can be applied for"
    )


@dataclass(frozen=True, slots=True)
class Registered:
    """An enterprise as registered."""

    code: str
    name: str
    kind: str
    division: str
    address: str
    status: str
    registered_on: date
    term_until: date | None
    representative_name: str
    representative_number: str
    as_of: datetime
    fields: list[str]
    """Names of what was read, for the audit."""


def code_of(raw: str, *, at: str) -> str:
    """A credit code in its one written form. `at`: the pointer of the request. Raises InvalidCode."""
    try:
        return credit_codes.parse_credit_code(raw).code
    except credit_codes.InvalidCreditCode as error:
        raise InvalidCode(errors=[FieldError(at, error.words)]) from None


async def ask(code: str) -> Registered | None:
    """Ask the register, before any transaction; None where nothing is registered.

    Raises RegisterUnavailable: who speaks for an enterprise cannot stay open.
    """
    answer = await registers.current().ask("market_entity", code, CREDIT_CODE)
    if answer.state == "unknown":
        raise RegisterUnavailable(REGISTERS["market_entity"].title)
    if answer.state == "absent":
        return None
    data: dict[str, Any] = answer.data
    term = data.get("termUntil")
    return Registered(
        code=data["creditCode"],
        name=data["name"],
        kind=data["kind"],
        division=data["division"],
        address=data["address"],
        status=data["status"],
        registered_on=date.fromisoformat(data["registeredOn"]),
        term_until=date.fromisoformat(term) if term else None,
        representative_name=data["representative"]["name"],
        representative_number=data["representative"]["idNumber"],
        as_of=answer.at,
        fields=answer.fields,
    )
