"""How long sales, the allowance and vouchers are kept."""

from __future__ import annotations

from sqlalchemy import Integer, cast, func

from haiyiban.clock import SHANGHAI
from haiyiban.errors import Words
from haiyiban.terms import YEAR, Ending, Term
from services.duty_free.allowance.models import Order, Year
from services.duty_free.parcels.models import Parcel
from services.duty_free.pickup.models import PickupCheck
from services.duty_free.vouchers.models import Voucher
from services.duty_free.vouchers.settlement_models import Redemption, Refund, SettlementEntry

TERMS = (
    Term(
        data_class="duty-free.orders",
        what=Words("离岛免税订单、包裹和提货核验", "Duty-free orders, their parcels and pick-ups"),
        tables=(Order, Parcel, PickupCheck),
        kept=Words("提货、退单或弃提后 3 年", "3 years after they were picked up, refunded or given up"),
        why=Words(
            "交易信息自交易完成之日起保存不少于三年（电子商务法 第31条），此后不再需要",
            "Sales are kept for three years at least (E-Commerce Law, art. 31), and needed no longer",
        ),
        ending=Ending(
            table=Order,
            since=Order.settled_at,
            after=3 * YEAR,
            along=(Parcel.order_id, PickupCheck.order_id),
        ),
    ),
    Term(
        data_class="duty-free.years",
        what=Words("离岛免税年度额度", "What was used of a year's allowance"),
        tables=(Year,),
        kept=Words("该年结束后 3 年", "3 years after the year's end"),
        why=Words(
            "与当年订单同期（电子商务法 第31条）", "As long as the year's orders (E-Commerce Law, art. 31)"
        ),
        ending=Ending(
            table=Year,
            since=func.make_timestamptz(cast(Year.year + 1, Integer), 1, 1, 0, 0, 0, SHANGHAI.key),
            after=3 * YEAR,
        ),
    ),
    Term(
        data_class="duty-free.vouchers",
        what=Words("消费券、核销和结算", "Vouchers, their use and the settlement"),
        tables=(Voucher, Redemption, Refund, SettlementEntry),
        kept=Words(
            "30 年，随会计凭证，由财务部门处置",
            "30 years, as vouchers of accounts; the finance office disposes",
        ),
        why=Words(
            "是财政补贴资金的会计凭证（会计档案管理办法 附表：凭证 30 年），账目须始终相符",
            "Accounts of public money (Measures on Accounting Archives: 30 years); the books must balance",
        ),
    ),
)
