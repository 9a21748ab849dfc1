"""Running a command of `haiyiban` inside the process of the tests."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from click import Command
from click.testing import CliRunner, Result


def run(command: Command, arguments: Sequence[str], **how: Any) -> Result:
    """What came of a command, which brings an event loop of its own and so runs in a thread.

    The loop of the tests stands still until it is done: the runner takes the whole process's output and
    environment, and the application must neither write its access log between the lines nor read the settings
    of the command.
    """
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(CliRunner().invoke, command, list(arguments), **how).result()
