"""What a till is refused with, and what to do then."""

from __future__ import annotations

from haiyiban.errors import Conflict, FieldError, NotFound, Problem, Words
from haiyiban.money import yuan


class VoucherRedeemed(Conflict):
    """The voucher was used, here or elsewhere, or has gone back; the member `state` says which."""

    type = "duty-free/voucher-redeemed"
    title = Words("这张消费券已使用，请勿再次抵扣", "This voucher was used already; take nothing off")

    def __init__(self, state: str) -> None:
        super().__init__(members={"state": state})


class VoucherExpired(Problem):
    """The time of the voucher is over."""

    type = "duty-free/voucher-expired"
    title = Words("这张消费券已过有效期，不能抵扣", "This voucher has expired; take nothing off")


class WrongShop(Problem):
    """The campaign is not for this shop."""

    type = "duty-free/wrong-shop"
    title = Words(
        "这张消费券不能在本店使用，请购买人查看可用门店",
        "This voucher is not for this shop; the buyer may see where it can be used",
    )


class BelowThreshold(Problem):
    """The order costs less than its vouchers ask for; the member `thresholdFen` says how much that is."""

    type = "duty-free/below-threshold"
    title = Words("订单金额未达到使用门槛", "The order is below the threshold")

    def __init__(self, threshold_fen: int) -> None:
        words = Words(
            f"订单须满 {yuan(threshold_fen)} 元才能使用，请加购后再核销",
            f"the order must come to {yuan(threshold_fen)} yuan; add something and try again",
        )
        super().__init__(
            words, errors=[FieldError("/orderAmountFen", words)], members={"thresholdFen": threshold_fen}
        )


class NotStackable(Problem):
    """The vouchers of one order do not go together; the member `most` says how many may."""

    type = "duty-free/not-stackable"
    title = Words("这些消费券不能叠加使用", "These vouchers cannot be used together")

    def __init__(self, most: int) -> None:
        words = Words(
            f"一笔订单最多使用 {most} 张，请先撤销已用的券，或用于另一笔订单",
            f"an order may have {most}; reverse the other one first, or use it for another order",
        )
        super().__init__(words, errors=[FieldError("/orderNumber", words)], members={"most": most})


class OrderDiffers(Conflict):
    """Another voucher was taken for this order at another price, or goods of it were refunded since."""

    type = "duty-free/order-differs"
    title = Words(
        "同一订单号的金额与前一张券核销时不同，或已有退款，请核对",
        "This order was given at another price before, or goods of it were refunded; please check",
    )


class RedemptionMissing(NotFound):
    """No such redemption, or another shop's."""

    type = "duty-free/redemption-not-found"
    title = Words("没有找到这笔核销", "There is no such redemption")


class RedemptionOver(Conflict):
    """The order was refunded, in part at least, and its redemption stays; `state` says how it is."""

    type = "duty-free/redemption-over"
    title = Words(
        "订单已有退款，不能再撤销核销", "Goods of the order were refunded; it cannot be reversed any more"
    )

    def __init__(self, state: str) -> None:
        super().__init__(members={"state": state})


class ReversalTooLate(Problem):
    """Only on the day of the redemption."""

    type = "duty-free/reversal-too-late"
    title = Words(
        "核销只能当日撤销；请按整单退款办理，有效期内的券会退回",
        "Reversed on its own day only; refund the order instead, and a voucher that is good returns",
    )
