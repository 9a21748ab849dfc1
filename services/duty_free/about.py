"""What the duty-free zone keeps of a person: allowance, orders, parcels, pick-ups, vouchers and their use."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from haiyiban import rows
from haiyiban.errors import Words
from services.duty_free.allowance.models import Order, Year
from services.duty_free.parcels.models import Parcel
from services.duty_free.pickup.models import PickupCheck
from services.duty_free.vouchers.models import Campaign, Voucher
from services.duty_free.vouchers.settlement_models import Redemption, Refund

_OWN = {"person_id", "ref"}


async def about(session: AsyncSession, person_id: UUID) -> dict[str, Any]:
    """For `Zone.about`."""
    orders = select(Order.id).where(Order.person_id == person_id)
    claimed = Voucher.person_id == person_id
    vouchers = select(Voucher.id).where(claimed)
    campaigns = select(Voucher.campaign_id).where(claimed)
    names = {row.id: row.name for row in await rows.find(session, Campaign, Campaign.id.in_(campaigns))}
    bought = select(Redemption.merchant_id, Redemption.order_number).where(
        Redemption.voucher_id.in_(vouchers)
    )
    refunded = tuple_(Refund.merchant_id, Refund.order_number).in_(bought)
    return {
        "allowance": await rows.told_all(session, Year, Year.person_id == person_id, without=_OWN),
        "orders": await rows.told_all(session, Order, Order.person_id == person_id, without=_OWN),
        "parcels": await rows.told_all(session, Parcel, Parcel.order_id.in_(orders)),
        "pickupChecks": await rows.told_all(session, PickupCheck, PickupCheck.order_id.in_(orders)),
        "vouchers": [
            {"campaign": names[voucher.campaign_id]} | rows.told(voucher, without=_OWN)
            for voucher in await rows.find(session, Voucher, claimed)
        ],
        "redemptions": await rows.told_all(session, Redemption, Redemption.voucher_id.in_(vouchers)),
        "refunds": await rows.told_all(session, Refund, refunded),
    }


WORDS = {
    "allowance": Words("免税额度", "Allowance"),
    "orders": Words("免税订单", "Orders"),
    "parcels": Words("包裹", "Parcels"),
    "pickupChecks": Words("返岛提货核验", "Checks at pick-up"),
    "vouchers": Words("消费券", "Vouchers"),
    "redemptions": Words("核销记录", "Vouchers used"),
    "refunds": Words("退款", "Refunds"),
    "campaign": Words("活动", "Campaign"),
    "year": Words("年度", "Year"),
    "quotaFen": Words("额度（分）", "Quota (fen)"),
    "reservedFen": Words("已占用（分）", "Reserved (fen)"),
    "consumedFen": Words("已使用（分）", "Used (fen)"),
    "merchantName": Words("商家", "Shop"),
    "orderNumber": Words("订单号", "Order number"),
    "purchasedAt": Words("购买时间", "Bought at"),
    "pickUp": Words("提货方式", "Pick-up"),
    "totalFen": Words("总额（分）", "Total (fen)"),
    "freeFen": Words("免税部分（分）", "Duty-free (fen)"),
    "excessFen": Words("超额部分（分）", "Above the allowance (fen)"),
    "taxFen": Words("税款（分）", "Tax (fen)"),
    "rulesFrom": Words("规则日期", "Rules of"),
    "departsAt": Words("离岛时间", "Departs at"),
    "collectBy": Words("提货截止", "Collect by"),
    "leaveBy": Words("离岛截止", "Leave by"),
    "basket": Words("商品", "Goods"),
    "orderId": Words("订单（内部编号）", "Order (internal id)"),
    "carrier": Words("承运人", "Carrier"),
    "sentAt": Words("寄出时间", "Sent at"),
    "departed": Words("已离岛", "Departed"),
    "returned": Words("已返岛", "Returned"),
    "inTime": Words("在期限内", "In time"),
    "claimedAt": Words("领取时间", "Claimed at"),
    "day": Words("日期", "Day"),
    "slot": Words("第几张", "Slot"),
    "faceFen": Words("面额（分）", "Face value (fen)"),
    "thresholdFen": Words("使用门槛（分）", "From (fen)"),
    "orderAmountFen": Words("订单金额（分）", "Order amount (fen)"),
    "refundNumber": Words("退款编号", "Refund number"),
    "goodsFen": Words("商品金额（分）", "Goods (fen)"),
    "paidFen": Words("退还现金（分）", "Money back (fen)"),
    "voucherFen": Words("消费券部分（分）", "Share of vouchers (fen)"),
}
