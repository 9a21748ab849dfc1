"""What is counted of the lines to the registers and everything else outside."""

from haiyiban.errors import Words
from haiyiban.metrics import Count

CALLS = Count(
    name="haiyiban_registers_calls_total",
    what=Words(
        "对外部系统的询问：answered 已答，refused 拒答，failed 失败，not_asked 未问",
        "Calls to outside systems: answered, refused, failed, not_asked",
    ),
    labels=("register", "outcome"),
)
