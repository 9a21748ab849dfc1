"""What the audit tells Prometheus: for how long the oldest record waits to be sealed."""

from datetime import datetime

from haiyiban.audit import leaves
from haiyiban.db import database
from haiyiban.errors import Words
from haiyiban.metrics import Asked, Rows


async def _unsealed(now: datetime) -> Rows:
    async with database().autocommit.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        _, since = await leaves.waiting(driver)
    return [(0.0 if since is None else max(0.0, (now - since).total_seconds()),)]


UNSEALED = Asked(
    name="haiyiban_audit_unsealed_seconds",
    what=Words("最早一条未封存的审计记录已等的秒数", "For how long the oldest record waits to be sealed"),
    ask=_unsealed,
)
