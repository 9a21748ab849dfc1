"""What the platform as a whole tells Prometheus: the outbox, the queue, standbys of the database, keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from haiyiban import clock
from haiyiban.crypto import FileKeys, KeyMissing
from haiyiban.errors import Words
from haiyiban.metrics import Asked, Count, Gauge, Metric, Rows, by_query
from haiyiban.new_keys import SIGNING_PURPOSES
from haiyiban.runtime.replica import FRESH
from haiyiban.settings import Settings
from haiyiban.zone import Zone

TASKS = Count(
    name="haiyiban_worker_tasks_total",
    what=Words("后台任务，done 完成或 failed 失败", "Tasks that the worker ran, done or failed"),
    labels=("task", "outcome"),
)


def of(zones: Iterable[Zone]) -> tuple[Metric, ...]:
    """The platform's own, and those that features and zones declare."""
    return (*_PLATFORM, *(metric for zone in zones for metric in zone.metrics))


def _ages() -> Rows:
    return list(_ages_of(FileKeys(Settings.from_env().keys_dir)))


def _ages_of(keys: FileKeys) -> Iterator[tuple[str, float]]:
    for purpose in SIGNING_PURPOSES:
        try:
            made = [key.made_at for key in keys.signing(purpose) if key.not_before <= clock.now()]
        except KeyMissing:
            continue  # not every machine holds every key (docs/keys.md)
        if made and made[-1] is not None:
            yield purpose, (clock.now() - made[-1]).total_seconds()


_PLATFORM: tuple[Metric, ...] = (
    TASKS,
    FRESH,
    Asked(
        name="haiyiban_outbox_due_messages",
        what=Words("到期未发的消息，按种类", "Messages that are due and not sent, by topic"),
        labels=("topic",),
        ask=by_query(
            "SELECT topic, count(*) FROM outbox_message"
            " WHERE done_at IS NULL AND due_at <= :now GROUP BY topic"
        ),
    ),
    Asked(
        name="haiyiban_outbox_oldest_due_seconds",
        what=Words("最早一条未发消息已等的秒数", "For how long the oldest message that is not sent is due"),
        labels=("topic",),
        ask=by_query(
            "SELECT topic, extract(epoch FROM :now - min(due_at)) FROM outbox_message"
            " WHERE done_at IS NULL AND due_at <= :now GROUP BY topic"
        ),
    ),
    Asked(
        name="haiyiban_outbox_failing_messages",
        what=Words("试了三次以上仍未发出的消息", "Messages that three tries and more did not send"),
        labels=("topic",),
        ask=by_query(
            "SELECT topic, count(*) FROM outbox_message"
            " WHERE done_at IS NULL AND attempts >= 3 GROUP BY topic"
        ),
    ),
    Asked(
        name="haiyiban_queue_due_jobs",
        what=Words("到期未办的任务", "Jobs that are due and not begun"),
        labels=("task",),
        ask=by_query(
            "SELECT entrypoint, count(*) FROM pgqueuer"
            " WHERE status = 'queued' AND execute_after < now() GROUP BY entrypoint"
        ),
    ),
    Asked(
        name="haiyiban_queue_oldest_due_seconds",
        what=Words("最早一个未办任务已等的秒数", "For how long the oldest job that is not begun is due"),
        labels=("task",),
        ask=by_query(
            "SELECT entrypoint, extract(epoch FROM now() - min(execute_after)) FROM pgqueuer"
            " WHERE status = 'queued' AND execute_after < now() GROUP BY entrypoint"
        ),
    ),
    Asked(
        name="haiyiban_queue_schedule_late_seconds",
        what=Words("定期任务晚了多少秒", "How late the periodic task is that is latest"),
        ask=by_query("SELECT greatest(0, extract(epoch FROM now() - min(next_run))) FROM pgqueuer_schedules"),
    ),
    Asked(
        name="haiyiban_database_replay_lag_seconds",
        what=Words("备库重放落后的秒数", "How far a standby's replay is behind"),
        labels=("standby",),
        # Only who has pg_monitor is told; the others see rows without a state.
        ask=by_query(
            "SELECT application_name, max(coalesce(extract(epoch FROM replay_lag), 0))"
            " FROM pg_stat_replication WHERE state IS NOT NULL GROUP BY application_name"
        ),
    ),
    Gauge(
        name="haiyiban_keys_age_seconds",
        what=Words("正在签名的密钥已用的秒数", "Age of the key that signs, by purpose"),
        labels=("purpose",),
        read=_ages,
    ),
)
