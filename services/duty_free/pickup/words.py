"""What a counter is told of a check, and what to do next."""

from __future__ import annotations

from haiyiban.codes.outcomes import Outcome, explain
from haiyiban.errors import Words
from services.duty_free.pickup.rules import Conditions

HANDED_OVER = Words("核验通过，请交付商品。", "All is met; hand the goods over.")
GONE_OUT = Words("这笔订单已经提货或已退款。", "The goods have gone out already, or were refunded.")
ANOTHER_SHOP = Words("这笔订单不是本店的。", "This order is another shop's.")
GO_THERE = Words("请购买人到销售门店指定的提货点提货。", "The buyer should go to the shop that sold it.")
LOOK_IT_UP = Words("请按订单号查看订单当前状态。", "Look the order up by its number.")
SHOW_AGAIN = Words("请稍后请购买人刷新提货码再扫。", "Ask the buyer to show a fresh code in a moment.")
KEEP = Words(
    "请勿交付商品；请购买人核对行程，符合条件后再来提货。",
    "Do not hand the goods over; the buyer may come again once all is met.",
)
TOO_LATE = Words(
    "请勿交付商品；已超过提货期限，请购买人联系门店退款。",
    "Do not hand the goods over; it is too late, and the buyer may ask the shop for a refund.",
)

CONDITION_WORDS = {
    "departed": {
        "yes": Words("购买后有离岛记录", "left the island after the purchase"),
        "no": Words("购买后没有离岛记录", "no departure from the island after the purchase"),
        "unknown": Words("暂时查不到行程", "the trips cannot be told for the moment"),
    },
    "returned": {
        "yes": Words("离岛后有返岛记录", "came back to the island"),
        "no": Words("离岛后没有返岛记录", "no return to the island after that"),
        "unknown": Words("暂时查不到行程", "the trips cannot be told for the moment"),
    },
    "in_time": {
        "yes": Words("在购买后三个月内", "within three months of the purchase"),
        "no": Words("已超过购买后三个月", "more than three months after the purchase"),
        "unknown": Words("期限无法确定", "the last day cannot be told"),
    },
}


def words_of(outcome: Outcome, found: Conditions | None) -> tuple[Words, Words]:
    """Why, and what to do next."""
    if found is None:
        return (GONE_OUT, LOOK_IT_UP) if outcome is Outcome.DENIED else (ANOTHER_SHOP, GO_THERE)
    if outcome is Outcome.VALID:
        return HANDED_OVER, explain(Outcome.VALID).advice
    missing = [CONDITION_WORDS[name][met] for name, met in found._asdict().items() if met != "yes"]
    zh = "；".join(dict.fromkeys(words.zh for words in missing))
    en = "; ".join(dict.fromkeys(words.en for words in missing))
    reason = Words(f"{zh}。", f"{en[0].upper()}{en[1:]}.")
    if outcome is Outcome.UNAVAILABLE:
        return reason, SHOW_AGAIN
    return reason, TOO_LATE if found.in_time == "no" else KEEP
