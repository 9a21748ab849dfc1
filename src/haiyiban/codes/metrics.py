"""What codes tell Prometheus: verifications by outcome, the lists of terminals, the keys that sign."""

from __future__ import annotations

from datetime import datetime

from haiyiban import clock
from haiyiban.codes import deny_publishing, status_publishing
from haiyiban.codes.signing import code_keys
from haiyiban.errors import Words
from haiyiban.metrics import Asked, Count, Gauge, Rows

VERIFICATIONS = Count(
    name="haiyiban_codes_verifications_total",
    what=Words("在线核验，按结果", "Verifications online, by outcome"),
    labels=("outcome",),
)


def _trust_remaining() -> Rows:
    now = clock.now()
    expires_at = code_keys(now).published.trust.expires_at
    return [] if expires_at is None else [((expires_at - now).total_seconds(),)]


def _trust_age() -> Rows:
    now = clock.now()
    return [((now - code_keys(now).published.trust.issued_at).total_seconds(),)]


def _keys_remaining() -> Rows:
    now = clock.now()
    keys = code_keys(now)
    signers = {"code": keys.signer(now).kid, "list": keys.list_signer(now).kid}
    ends = {entry.kid: entry.ends for entry in keys.trust.entries}
    return [(purpose, (ends[kid] - now).total_seconds()) for purpose, kid in signers.items()]


async def _deny_age(now: datetime) -> Rows:
    # As a terminal would: what it cannot be given is what the age is to show.
    await deny_publishing.publisher.text(None, keys=code_keys(now), now=now)
    return _age(deny_publishing.publisher.as_of, now)


def _status_age() -> Rows:
    return _age(status_publishing.newest(), clock.now())


def _age(at: datetime | None, now: datetime) -> Rows:
    return [] if at is None else [(max(0.0, (now - at).total_seconds()),)]


METRICS = (
    VERIFICATIONS,
    Gauge(
        name="haiyiban_codes_trust_list_remaining_seconds",
        what=Words("信任列表还有多少秒到期", "Until the trust list ends and terminals refuse every code"),
        read=_trust_remaining,
    ),
    Gauge(
        name="haiyiban_codes_trust_list_age_seconds",
        what=Words("信任列表签发至今的秒数", "Since the trust list was signed"),
        read=_trust_age,
    ),
    Gauge(
        name="haiyiban_codes_key_remaining_seconds",
        what=Words("正在签名的密钥还有多少秒有效", "Until the key that signs codes or lists ends"),
        labels=("purpose",),
        read=_keys_remaining,
    ),
    Asked(
        name="haiyiban_codes_deny_list_age_seconds",
        what=Words(
            "吊销清单的数据是多少秒前的", "How old the entries of the deny-list are that is handed out"
        ),
        ask=_deny_age,
    ),
    Gauge(
        name="haiyiban_codes_status_list_age_seconds",
        what=Words("最近读取的状态列表是多少秒前的", "Since this process last read a status list"),
        read=_status_age,
    ),
)
