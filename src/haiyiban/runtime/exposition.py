"""What /metrics answers: the requests of this process, and every metric that a folder declares.

What has to be asked or read is asked at most once in `FRESH_SECONDS`, however many ask for it, and for
`PATIENCE_SECONDS` at most: a database in distress must not be asked more by those who watch it.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections.abc import Iterable, Iterator, Sequence

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client import Metric as Family
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.process_collector import ProcessCollector
from sqlalchemy import text

from haiyiban import clock
from haiyiban.db import database, is_away
from haiyiban.errors import Words
from haiyiban.metrics import Asked, Count, Gauge, Metric, Rows
from haiyiban.settings import Settings

log = logging.getLogger(__name__)

FRESH_SECONDS = 15.0
PATIENCE_SECONDS = 2.0
"""For one metric, and three times that for all: Prometheus itself waits ten seconds."""


# When each series began: as many lines again as there are, and nobody asks.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Exposition:
    """The metrics of one process."""

    def __init__(self, metrics: Sequence[Metric] = (), *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._patience = patience_seconds
        self._failures = Count(
            name="haiyiban_metrics_failures_total",
            what=Words("没有取到的指标", "Metrics that could not be read"),
            labels=("metric",),
        )
        self._metrics = tuple(metrics)
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = Counter(
            "haiyiban_http_requests_total",
            "已答复的请求 / Requests answered",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "haiyiban_http_request_seconds",
            "答复用时 / Time to answer",
            ["method", "route"],
            registry=self._registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
        )
        self._refusals = Count(
            name="haiyiban_http_refusals_total",
            what=Words("拒绝的请求，按原因", "Requests refused, by reason"),
            labels=("route", "problem"),
        )
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._asking = asyncio.Lock()
        self._measured: list[Family] = []
        self._measured_at = -FRESH_SECONDS
        self._registry.register(self)

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        key = (method, route, status)
        known = self._known.get(key)
        if known is None:
            known = (self._requests.labels(method, route, str(status)), self._seconds.labels(method, route))
            self._known[key] = known
        known[0].inc()
        known[1].observe(seconds)

    def refused(self, route: str, problem: str) -> None:
        """Count one refusal by the type of its problem."""
        self._refusals.saw(route, problem)

    async def text(self) -> tuple[bytes, str]:
        """What Prometheus reads, and its content type."""
        async with self._asking:
            if time.monotonic() - self._measured_at >= FRESH_SECONDS:
                self._measured = [*self._read(), *await self._ask()]
                self._measured_at = time.monotonic()
        return generate_latest(self._registry), CONTENT_TYPE_LATEST

    def collect(self) -> Iterator[Family]:
        """All that the folders declare, for the registry."""
        for metric in (self._refusals, self._failures, *self._metrics):
            if isinstance(metric, Count):
                family = CounterMetricFamily(metric.name, _help(metric), labels=metric.labels)
                for labels, number in list(metric.seen.items()):
                    family.add_metric(labels, number)
                yield family
        yield from self._measured

    def describe(self) -> Iterable[Family]:
        """Nothing is collected at registration: there may be no database yet."""
        return ()

    def _read(self) -> Iterator[Family]:
        for metric in self._metrics:
            if isinstance(metric, Gauge):
                rows: Rows = ()
                try:
                    rows = metric.read()
                except Exception as error:  # noqa: BLE001 - the others are worth having without it
                    self._failed(metric, error)
                yield _family(metric, rows)

    async def _ask(self) -> list[Family]:
        is_there = await self._answers()
        found: list[Family] = [
            GaugeMetricFamily(
                "haiyiban_database_answers",
                "PostgreSQL 是否应答（1 或 0） / Whether PostgreSQL answers, 1 or 0",
                value=float(is_there),
            )
        ]
        until = time.monotonic() + 3 * self._patience
        for metric in self._metrics:
            if isinstance(metric, Asked):
                # One without a value is named all the same: an alert must not ask for what has no name.
                is_asked = is_there and time.monotonic() < until
                found.append(_family(metric, await self._asked(metric) if is_asked else ()))
        return found

    async def _asked(self, metric: Asked) -> Rows:
        try:
            async with asyncio.timeout(self._patience):
                return await metric.ask(clock.now())
        except Exception as error:  # noqa: BLE001 - the others are worth having without it
            self._failed(metric, error)
            return ()

    async def _answers(self) -> bool:
        try:
            async with asyncio.timeout(self._patience), database().autocommit.connect() as connection:
                await connection.execute(text("SELECT 1"))
        except Exception as error:
            if not is_away(error):
                raise
            return False
        return True

    def _failed(self, metric: Metric, error: Exception) -> None:
        log.warning("metric %s could not be read: %s", metric.name, type(error).__name__)
        self._failures.saw(metric.name)


def _family(metric: Gauge | Asked, rows: Rows) -> Family:
    family = GaugeMetricFamily(metric.name, _help(metric), labels=metric.labels)
    for *labels, number in rows:
        family.add_metric([str(label) for label in labels], float(number))
    return family


def _help(metric: Metric) -> str:
    return f"{metric.what.zh} / {metric.what.en}"


def may_read(settings: Settings, authorization: bytes) -> bool:
    """Whether a request with this header may read the metrics; in production without a token nobody may."""
    if not settings.metrics_token:
        return not settings.is_production
    return hmac.compare_digest(authorization, f"Bearer {settings.metrics_token}".encode())
