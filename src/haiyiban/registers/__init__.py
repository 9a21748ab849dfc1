"""The outside registers (数据源): what other authorities know about a person, asked over HTTP.

A register that is away, slow or talks nonsense leaves its facts `unknown` (待核实), never `absent`: the
citizen goes on, a repair task asks again, the clerk sees what is open. Ask before the transaction opens.
The caller audits each answer about a person with its `fields`.

Source: docs/domain.md §6.2 "Verified facts"; architecture.md "The plug-in contract".
"""

from haiyiban.errors import Words
from haiyiban.registers.answers import Fact, Question, RegisterAnswer, State
from haiyiban.registers.bank import bank_statement, payment_report, send_payments
from haiyiban.registers.carrier import PARCEL_STATES, Tracking, track_parcel
from haiyiban.registers.client import OPEN_CIRCUITS, RegisterClient, close, current, install
from haiyiban.registers.exit_entry import DocumentOf, Holder, confirm_document
from haiyiban.registers.health import RegisterHealth, health
from haiyiban.registers.identity import (
    FaceCheckExpired,
    FaceSession,
    RegisterUnavailable,
    begin_face_check,
    confirm_identity,
    redeem_face_token,
)
from haiyiban.registers.insurance_transfers import InsuranceLetter, send_insurance_letter
from haiyiban.registers.metrics import CALLS
from haiyiban.registers.portraits import Portrait, portrait_of
from haiyiban.registers.records import Trip
from haiyiban.registers.sources import REGISTERS, RegisterName
from haiyiban.registers.trips import is_hainan, leaves_island, returns_to_island, trips_of
from haiyiban.registers.wechat import WechatCodeRefused, WechatNotOffered, wechat_user
from haiyiban.zone import Zone

zone = Zone(name="registers", title=Words("数据源", "Registers"), metrics=(CALLS, OPEN_CIRCUITS))

__all__ = [
    "PARCEL_STATES",
    "REGISTERS",
    "DocumentOf",
    "FaceCheckExpired",
    "FaceSession",
    "Fact",
    "Holder",
    "InsuranceLetter",
    "Portrait",
    "Question",
    "RegisterAnswer",
    "RegisterClient",
    "RegisterHealth",
    "RegisterName",
    "RegisterUnavailable",
    "State",
    "Tracking",
    "Trip",
    "WechatCodeRefused",
    "WechatNotOffered",
    "bank_statement",
    "begin_face_check",
    "close",
    "confirm_document",
    "confirm_identity",
    "current",
    "health",
    "install",
    "is_hainan",
    "leaves_island",
    "payment_report",
    "portrait_of",
    "redeem_face_token",
    "returns_to_island",
    "send_insurance_letter",
    "send_payments",
    "track_parcel",
    "trips_of",
    "wechat_user",
    "zone",
]
