"""How long is kept that somebody was told something."""

from __future__ import annotations

from haiyiban.errors import Words
from haiyiban.outbox import OutboxMessage
from haiyiban.terms import YEAR, Ending, Term

TERMS = (
    Term(
        data_class="notices.messages",
        what=Words("短信等通知的发送记录", "What was sent, such as an SMS, and when"),
        tables=(OutboxMessage,),
        kept=Words(
            "发出后 3 年；号码和内容发出即删", "3 years after it was sent; phone and words go when it is sent"
        ),
        why=Words(
            "发生争议时证明已告知（民法典 第188条诉讼时效三年）",
            "Shows in a dispute that somebody was told (Civil Code, art. 188: three years)",
        ),
        ending=Ending(table=OutboxMessage, since=OutboxMessage.done_at, after=3 * YEAR),
    ),
)
