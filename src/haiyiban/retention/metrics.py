"""What the deletion of what is due tells Prometheus: for how long each class was not looked through."""

from datetime import datetime

from sqlalchemy import text

from haiyiban import terms
from haiyiban.db import database
from haiyiban.errors import Words
from haiyiban.metrics import Asked, Rows

_LAST = text("""
SELECT class, extract(epoch FROM :now - (
  SELECT ended_at FROM retention_run
  WHERE data_class = class AND ended_at IS NOT NULL AND failed IS NULL ORDER BY id DESC LIMIT 1
)) FROM unnest(CAST(:classes AS text[])) AS class
""")


async def _since_done(now: datetime) -> Rows:
    classes = [term.data_class for term in terms.installed() if term.ending is not None]
    async with database().autocommit.connect() as connection:
        found = (await connection.execute(_LAST, {"now": now, "classes": classes})).all()
    return [(name, seconds) for name, seconds in found if seconds is not None]


SINCE_DONE = Asked(
    name="haiyiban_retention_since_done_seconds",
    what=Words("各类数据距上次按期删除的秒数", "Since what was due of a class of data was last deleted"),
    labels=("data_class",),
    ask=_since_done,
)
