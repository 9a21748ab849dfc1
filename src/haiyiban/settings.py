"""What a deployment may set, read once from the environment."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from haiyiban.signatures import Suite

PASSWORD_KIB = 19 * 1024
"""Memory that hashing one staff password takes. Source: OWASP's parameters for argon2id."""


class InvalidSetting(Exception):
    """A setting that cannot be used; the message says which and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One deployment's settings. Each field is the environment variable `HAIYIBAN_<FIELD>` unless said."""

    env: str = "production"
    """demo, test or production."""
    home: Path = Path(".haiyiban")
    """State folder: keys, embedded servers, logs, uploads."""
    own_keys_dir: Path | None = None
    """`HAIYIBAN_KEYS_DIR`: where the keys lie, if not in the state folder, such as a secret that is mounted
    read-only."""
    port: int = 8000
    sandbox_port: int = 8001
    public_url: str = ""
    """Where the outside reaches the API (https://…, no slash at the end); printed codes carry it."""
    web_url: str = ""
    """Where residents open the app in a browser, and the counter's codes lead; unset, the API's address."""
    database_url: str = ""
    """`DATABASE_URL`, as postgresql://user:password@host:port/name."""
    replica_url: str = ""
    """`DATABASE_REPLICA_URL`: a streaming standby that public lists may be read from."""
    replica_lag: float = 2.0
    """Seconds that these may be old; behind by more, it is left out."""
    redis_url: str = ""
    """`REDIS_URL`, as redis:// or unix://."""
    registers_url: str = ""
    """Where the registers, the SMS gateway and the face-check vendor answer; in production there is no
    default, for whoever answered at the sandbox's address could vouch for anybody."""
    registers_key: str = "sandbox"
    metrics_token: str = ""
    """What Prometheus shows to read /metrics; without it nobody reads them in production, and everybody in a
    demo."""
    proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    """Networks of the proxies in front of us, as 10.0.0.0/8,fd00::/8: whom they name in X-Forwarded-For is
    who asks. From anywhere else the header counts for nothing."""
    worker_port: int = 0
    """Where the worker answers its own /metrics and /health; 0: nowhere."""
    worker_host: str = "127.0.0.1"
    """The address that it listens on for that."""
    wechat_url: str = ""
    wechat_app_id: str = ""
    """Of the mini program that people sign in from; without it, signing in by WeChat is not offered."""
    wechat_secret: str = ""
    timestamp_url: str = ""
    """The time-stamping authority (RFC 3161) of signed documents; without one they say less of their time."""
    suite: Suite = Suite.INTERNATIONAL
    """Which cryptography new keys are made for: international, or national for SM2, SM3 and SM4."""
    issuer: str = "460000"
    """Division code of the deployment, the `iss` of codes and tokens."""
    zones: tuple[str, ...] = ()
    """Zones this process serves; empty means all."""
    clock_offset: float = 0.0
    pool_size: int = 16
    body_limit: int = 1_048_576
    """Bytes of a request's body."""
    upload_limit: int = 8_388_608
    """Bytes of a request that carries a file."""
    objects_url: str = ""
    """Where people's files lie (s3://bucket/prefix, with AWS_* beside it); unset, the folder `uploads`."""
    objects_keys: tuple[tuple[str, str], ...] = ()
    """What signs in to the object store, where `AWS_ACCESS_KEY_ID_FILE` and `AWS_SECRET_ACCESS_KEY_FILE` say
    it; the library itself reads the variables without `_FILE`."""
    audit_url: str = ""
    """Where the seals of the audit lie (s3://bucket/prefix), best under other hands than the database's;
    unset, the folder `audit`."""
    scanner: str = ""
    """host:port of a clamd that every file is shown to before it is kept; unset, no virus is looked for."""
    sms_per_address: int = 300
    """Sign-in codes that one network address may ask for in an hour; a village may share one address."""
    four_eyes: bool = True
    """Whether acts that give out stock or seats take a second person; off in the demo unless it is set."""
    password_kib: int = PASSWORD_KIB
    """KiB of memory that hashing a staff password takes; in production never less than the default."""

    @property
    def keys_dir(self) -> Path:
        """Folder of the key files, readable by the service's user alone."""
        return self.own_keys_dir or self.home / "keys"

    @property
    def is_production(self) -> bool:
        return self.env == "production"

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Read the environment; a secret may be a file instead, named by `<VARIABLE>_FILE`.

        Raises InvalidSetting.
        """
        environ = _with_files(environ)
        env = environ.get("HAIYIBAN_ENV", "production")
        if env not in {"demo", "test", "production"}:
            raise InvalidSetting(f"HAIYIBAN_ENV is {env!r}; use demo, test or production")
        offset = _number(environ, "HAIYIBAN_CLOCK_OFFSET", 0.0)
        if offset and env == "production":
            raise InvalidSetting("HAIYIBAN_CLOCK_OFFSET is for the demo and tests; unset it in production")
        password_kib = int(_number(environ, "HAIYIBAN_PASSWORD_KIB", PASSWORD_KIB))
        if password_kib < (PASSWORD_KIB if env == "production" else 8):
            raise InvalidSetting(f"HAIYIBAN_PASSWORD_KIB is {password_kib}; use {PASSWORD_KIB} or more")
        sandbox_port = int(_number(environ, "HAIYIBAN_SANDBOX_PORT", 8001))
        sandbox_url, sandbox_key = f"http://127.0.0.1:{sandbox_port}", "sandbox"
        # In the demo WeChat and the time-stamping authority answer where the registers do.
        wechat_url = environ.get("HAIYIBAN_REGISTERS_URL") or sandbox_url
        wechat_app_id = "wx-haiyiban-demo"
        timestamp_url = f"{wechat_url}/timestamp"
        if env == "production":
            sandbox_url = sandbox_key = wechat_app_id = timestamp_url = ""
            wechat_url = "https://api.weixin.qq.com"
        port = int(_number(environ, "HAIYIBAN_PORT", 8000))
        public_url = "" if env == "production" else f"http://127.0.0.1:{port}"
        zones = tuple(name for name in environ.get("HAIYIBAN_ZONES", "").split(",") if name)
        return cls(
            env=env,
            home=home_of(environ),
            own_keys_dir=Path(keys).absolute() if (keys := environ.get("HAIYIBAN_KEYS_DIR")) else None,
            port=port,
            sandbox_port=sandbox_port,
            public_url=environ.get("HAIYIBAN_PUBLIC_URL", "").rstrip("/") or public_url,
            web_url=(environ.get("HAIYIBAN_WEB_URL") or environ.get("HAIYIBAN_PUBLIC_URL", "")).rstrip("/")
            or public_url,
            database_url=environ.get("DATABASE_URL", ""),
            replica_url=environ.get("DATABASE_REPLICA_URL", ""),
            replica_lag=_number(environ, "HAIYIBAN_REPLICA_LAG", 2.0),
            redis_url=environ.get("REDIS_URL", ""),
            registers_url=environ.get("HAIYIBAN_REGISTERS_URL") or sandbox_url,
            registers_key=environ.get("HAIYIBAN_REGISTERS_KEY") or sandbox_key,
            metrics_token=environ.get("HAIYIBAN_METRICS_TOKEN", ""),
            proxies=_networks(environ, "HAIYIBAN_PROXIES"),
            worker_port=int(_number(environ, "HAIYIBAN_WORKER_PORT", 0)),
            worker_host=environ.get("HAIYIBAN_WORKER_HOST", "127.0.0.1"),
            wechat_url=environ.get("HAIYIBAN_WECHAT_URL") or wechat_url,
            wechat_app_id=environ.get("HAIYIBAN_WECHAT_APP_ID") or wechat_app_id,
            wechat_secret=environ.get("HAIYIBAN_WECHAT_SECRET") or sandbox_key,
            timestamp_url=environ.get("HAIYIBAN_TIMESTAMP_URL", timestamp_url),
            suite=_suite(environ.get("HAIYIBAN_SUITE") or Suite.INTERNATIONAL),
            issuer=environ.get("HAIYIBAN_ISSUER", "460000"),
            zones=zones,
            clock_offset=offset,
            pool_size=int(_number(environ, "HAIYIBAN_POOL_SIZE", 16)),
            body_limit=int(_number(environ, "HAIYIBAN_BODY_LIMIT", 1_048_576)),
            upload_limit=int(_number(environ, "HAIYIBAN_UPLOAD_LIMIT", 8_388_608)),
            objects_url=environ.get("HAIYIBAN_OBJECTS_URL", ""),
            objects_keys=tuple((name, environ[name]) for name in _OBJECTS_KEYS if f"{name}_FILE" in environ),
            audit_url=environ.get("HAIYIBAN_AUDIT_URL", ""),
            scanner=environ.get("HAIYIBAN_SCANNER", ""),
            four_eyes=bool(_number(environ, "HAIYIBAN_FOUR_EYES", env == "production")),
            sms_per_address=int(_number(environ, "HAIYIBAN_SMS_PER_ADDRESS", 300)),
            password_kib=password_kib,
        )


def home_of(environ: Mapping[str, str]) -> Path:
    """The state folder, for what needs no other setting."""
    return Path(environ.get("HAIYIBAN_HOME", ".haiyiban")).absolute()


def _suite(name: str) -> Suite:
    try:
        return Suite(name)
    except ValueError:
        raise InvalidSetting(f"HAIYIBAN_SUITE is {name!r}; use {' or '.join(Suite)}") from None


_OBJECTS_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
SECRETS = frozenset(
    {
        *_OBJECTS_KEYS,
        "DATABASE_URL",
        "DATABASE_REPLICA_URL",
        "REDIS_URL",
        "HAIYIBAN_REGISTERS_KEY",
        "HAIYIBAN_WECHAT_SECRET",
        "HAIYIBAN_METRICS_TOKEN",
    }
)
"""What may stand in a file: an environment is inherited by every child and shown by many a tool."""


def _with_files(environ: Mapping[str, str]) -> Mapping[str, str]:
    """The environment, with the secrets that lie in files."""
    found = {}
    for name in SECRETS:
        if file := environ.get(f"{name}_FILE"):
            if name in environ:
                raise InvalidSetting(f"both {name} and {name}_FILE are set; unset one of them")
            try:
                found[name] = Path(file).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise InvalidSetting(f"{name}_FILE cannot be read ({type(error).__name__})") from None
    return {**environ, **found} if found else environ


def _networks(environ: Mapping[str, str], name: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(part.strip()) for part in environ.get(name, "").split(",") if part.strip())
    except ValueError as error:
        raise InvalidSetting(f"{name} holds no network: {error}") from None


def _number(environ: Mapping[str, str], name: str, default: float) -> float:
    raw = environ.get(name)
    if not raw:
        return default
    try:
        number = float(raw)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InvalidSetting(f"{name} is {raw!r}; it must be a number")
    return number
