"""The wheel that operators install holds everything: built, installed apart from the checkout, used from `/`.

The packages it depends on are lent by this environment, so that no network is needed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tempfile
import venv
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
USE = """
import importlib.resources
import services, haiyiban, haiyiban.cli, haiyiban_sandbox
from haiyiban import resources
from haiyiban.runtime import app
from haiyiban.settings import Settings

assert haiyiban.__file__.startswith(PREFIX), haiyiban.__file__
assert str(resources.data_root()).startswith(PREFIX), resources.data_root()
assert list(resources.migrations().glob("versions/*.py")), "no migrations in the wheel"
assert list(resources.schemas().glob("matters/*.json")), "no matters in the wheel"
page = importlib.resources.files("services.school_places") / "static" / "draw-check" / "index.html"
assert page.is_file(), "no draw page in the wheel"
assert (resources.data_root() / "web" / "m" / "index.html").is_file(), "no pages in the wheel"
app.build(Settings())
"""


def run(*command: str | Path, cwd: Path) -> None:
    subprocess.run(command, check=True, cwd=cwd, stdout=subprocess.DEVNULL)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        run(
            sys.executable,
            "-m",
            "hatchling",
            "build",
            "--target",
            "wheel",
            "--directory",
            folder,
            cwd=CHECKOUT,
        )
        (wheel,) = folder.glob("*.whl")
        environment = folder / "environment"
        venv.create(environment, symlinks=True)
        python = environment / "bin" / "python"
        packages = Path(sysconfig.get_path("purelib", vars={"base": str(environment)}))
        (packages / "lent.pth").write_text(sysconfig.get_path("purelib"))
        pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python)
        run(*pip, "install", "--quiet", "--no-deps", "--no-index", "--ignore-installed", wheel, cwd=folder)
        run(python, "-I", "-c", USE.replace("PREFIX", repr(os.fspath(packages))), cwd=Path("/"))
        run(environment / "bin" / "haiyiban", "--help", cwd=Path("/"))
    sys.stdout.write(f"{wheel.name}: built, installed, imported from /\n")


if __name__ == "__main__":
    main()
