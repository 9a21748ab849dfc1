"""make image-drill: the image as a container would run it, and whether it does what it has to.

    python -m tests.imaging haiyiban:0.2.0

Needs buildah, which unpacks it, and root, but no container runtime: `migrate`, `serve`, `worker` run in the
image's own file system, mounted read-only with its two writable folders in memory, as the image's user, in
production mode, with secrets in files and the API without the audit's private key. What a runtime adds beside
it (capabilities, seccomp, networks) is not tried.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import httpx

from haiyiban import clock
from haiyiban.audit import keys
from haiyiban.runtime import ceremony, ports, processes, rights
from haiyiban.runtime.postgres import EmbeddedPostgres
from haiyiban.runtime.processes import Process
from haiyiban.runtime.readiness import is_ready
from haiyiban.runtime.refusal import CannotStart
from haiyiban.runtime.valkey import EmbeddedValkey
from haiyiban.settings import Settings

PROGRAM = "/opt/haiyiban/bin/haiyiban"
TOKEN = "drill"
READY_SECONDS = 60.0
# Given: the unpacked image, the folder of the secrets, the user, then the command with its environment.
ENTER = """
set -e
root=$1 secrets=$2 user=$3; shift 3
mount --bind "$root" /mnt
mount -t tmpfs -o mode=1777,size=64m tmpfs /mnt/tmp
mount -t tmpfs -o uid=${user%:*},gid=${user#*:},mode=0700,size=16m tmpfs /mnt/var/lib/haiyiban
mount -t proc proc /mnt/proc
mount --bind /dev /mnt/dev
mkdir /mnt/tmp/secrets
mount --bind "$secrets" /mnt/tmp/secrets
mount -o remount,bind,ro /mnt/tmp/secrets
mount -o remount,bind,ro /mnt
if touch /mnt/opt/written 2>/dev/null; then echo 'the root can be written to' >&2; exit 1; fi
exec chroot --userspec="$user" --groups="${user#*:}" /mnt /usr/bin/env -i "$@"
"""


class Image:
    """An image, unpacked."""

    def __init__(self, name: str) -> None:
        told = json.loads(_buildah("inspect", "--type", "image", name))["Docker"]["config"]
        self.user: str = told["User"]
        self.environment: list[str] = told["Env"]
        self.container = _buildah("from", "--pull-never", name)
        self.root = Path(_buildah("mount", self.container))

    def command(self, secrets: Path, settings: dict[str, str], *arguments: str) -> list[str]:
        """What runs `haiyiban` in it."""
        said = [*self.environment, *(f"{name}={value}" for name, value in settings.items())]
        inside = [str(self.root), str(secrets), self.user, *said, PROGRAM, *arguments]
        return ["unshare", "--mount", "sh", "-c", ENTER, "enter", *inside]


@click.command()
@click.argument("name")
def main(name: str) -> None:
    """Run the drill with the image NAME, and say what came out."""
    if shutil.which("buildah") is None or os.geteuid():
        raise click.ClickException("apt-get install buildah, then run it as root")
    image = Image(name)
    try:
        with tempfile.TemporaryDirectory(prefix="haiyiban-image-") as folder:
            Path(folder).chmod(0o755)
            told = _run(Path(folder), image)
    except CannotStart as error:
        raise click.ClickException(f"{error}\n{error.log_lines}") from None
    finally:
        _buildah("rm", image.container)
    click.echo(json.dumps(told, ensure_ascii=False, indent=2))


def _run(folder: Path, image: Image) -> dict[str, Any]:
    with EmbeddedPostgres(folder, {}) as postgres, EmbeddedValkey(folder) as valkey:
        secrets = _secrets(folder, postgres.url, valkey.url, user=int(image.user.partition(":")[0]))
        began = time.monotonic()
        owner = {"HAIYIBAN_ENV": "production", "DATABASE_URL_FILE": "/tmp/secrets/owner"}
        subprocess.run(image.command(secrets, owner, "migrate"), check=True)
        migrated = time.monotonic() - began
        for role, url in asyncio.run(rights.logins(postgres.url)).items():
            _write(secrets / role, url, like=secrets)
        return {"migrated in s": round(migrated, 1)} | _serve(folder, image, secrets)


def _serve(folder: Path, image: Image, secrets: Path) -> dict[str, Any]:
    api, worker = ports.any_free(), ports.any_free()
    common = {
        "HAIYIBAN_ENV": "production",
        "HAIYIBAN_PUBLIC_URL": "https://api.example",
        "HAIYIBAN_REGISTERS_URL": "http://127.0.0.1:9",
        "HAIYIBAN_REGISTERS_KEY_FILE": "/tmp/secrets/registers",
        "HAIYIBAN_METRICS_TOKEN_FILE": "/tmp/secrets/metrics",
        "REDIS_URL_FILE": "/tmp/secrets/redis",
    }
    own = {
        "serve": {"HAIYIBAN_PORT": str(api), "DATABASE_URL_FILE": f"/tmp/secrets/{rights.API}"},
        "worker": {"HAIYIBAN_WORKER_PORT": str(worker), "DATABASE_URL_FILE": f"/tmp/secrets/{rights.WORKER}"},
    }
    told: dict[str, Any] = {}
    with _started(folder, image, secrets, "serve", common | own["serve"]) as serving:
        told["api ready in s"] = _await(api, serving)
        with _started(folder, image, secrets, "worker", common | own["worker"]) as working:
            told["worker ready in s"] = _await(worker, working)
            told |= _look(api, worker)
            told["users"] = sorted({_user(each.popen.pid) for each in (serving, working)})
            told["worker ended in s"] = _end(working)
        told["api ended in s"] = _end(serving)
    asked = subprocess.run(
        image.command(secrets, {"HAIYIBAN_PORT": str(api)}, "health"), check=False, capture_output=True
    )
    assert asked.returncode == 1, "nobody is there any more, and the health check has to say so"
    assert told["users"] == [int(image.user.partition(":")[0])]
    return told


def _look(api: int, worker: int) -> dict[str, Any]:
    with httpx.Client(timeout=20, verify=False) as http:
        assert http.get(f"http://127.0.0.1:{api}/metrics").status_code == 401
        shown = {"Authorization": f"Bearer {TOKEN}"}
        memory = {}
        for name, port in (("api", api), ("worker", worker)):
            text = http.get(f"http://127.0.0.1:{port}/metrics", headers=shown).raise_for_status().text
            assert "\nhaiyiban_database_answers 1.0\n" in text
            (line,) = [line for line in text.splitlines() if line.startswith("process_resident_memory_bytes")]
            memory[f"{name} MB"] = round(float(line.split()[1]) / 1e6)
        found = http.get(f"http://127.0.0.1:{api}/api/v1/matters", params={"q": "失业"}).raise_for_status()
        assert found.json()["items"], "no matters in the image"
        assert (
            http.get(f"http://127.0.0.1:{api}/m/")
            .raise_for_status()
            .headers["content-type"]
            .startswith("text/html")
        )
    return memory


def _secrets(folder: Path, database: str, redis: str, *, user: int) -> Path:
    """What a Secret would hold, for this image's user alone."""
    secrets = folder / "secrets"
    settings = Settings.from_env({"HAIYIBAN_ENV": "test", "HAIYIBAN_HOME": str(folder / "making")})
    ceremony.play(settings, clock.now())
    for role in ("serve", "worker"):
        shutil.copytree(settings.keys_dir, secrets / f"keys-{role}")
    public = "\n".join(map(str, keys.public(settings)))
    (secrets / "keys-serve" / "checkpoint.json").unlink()
    (secrets / "keys-serve" / keys.PUBLIC_FILE).write_text(public)
    for path in (secrets, *secrets.rglob("*")):
        os.chown(path, user, user)
    for name, value in (("owner", database), ("redis", redis), ("registers", "key"), ("metrics", TOKEN)):
        _write(secrets / name, value, like=secrets)
    return secrets


def _write(path: Path, value: str, *, like: Path) -> None:
    path.write_text(value + "\n")
    path.chmod(0o400)
    os.chown(path, like.stat().st_uid, like.stat().st_gid)


@contextmanager
def _started(
    folder: Path, image: Image, secrets: Path, role: str, settings: dict[str, str]
) -> Iterator[Process]:
    own = settings | {"HAIYIBAN_KEYS_DIR": f"/tmp/secrets/keys-{role}"}
    log = folder / "logs" / f"{role}.log"
    with processes.start(role, image.command(secrets, own, role), log=log) as process:
        yield process


def _await(port: int, process: Process) -> float:
    began = time.monotonic()
    while not is_ready(port, "/health/ready"):
        process.require_running()
        assert time.monotonic() - began < READY_SECONDS, process.log_lines(40)
        time.sleep(0.1)
    return round(time.monotonic() - began, 1)


def _end(process: Process) -> float:
    began = time.monotonic()
    process.popen.terminate()
    process.popen.wait(30)
    return round(time.monotonic() - began, 1)


def _user(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


def _buildah(*arguments: str) -> str:
    return subprocess.run(["buildah", *arguments], check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
