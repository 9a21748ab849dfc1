"""The findings before people and before programs."""

from __future__ import annotations

import asyncio
import os

import msgspec
from rich.console import Console
from rich.text import Text

from haiyiban import clock
from haiyiban.errors import Words
from haiyiban.runtime.doctor.examination import examine
from haiyiban.runtime.doctor.findings import Finding, State, fault
from haiyiban.settings import InvalidSetting, Settings

_MARKS = {
    State.FINE: ("✓", "green"),
    State.WARNING: ("!", "yellow"),
    State.FAULT: ("✗", "red"),
    State.UNKNOWN: ("?", "dim"),
}


def run(*, as_json: bool) -> int:
    """Examine, tell, and say by the exit code whether something must be mended now."""
    if "DATABASE_URL" not in os.environ:
        # Without a database named it is the demo's set-up that is asked about, as `haiyiban up` takes it.
        os.environ.setdefault("HAIYIBAN_ENV", "demo")
    try:
        settings = Settings.from_env()
        clock.shift(settings.clock_offset)
        findings = asyncio.run(examine(settings))
    except InvalidSetting as error:
        findings = [
            fault(
                Words("设置", "Settings"),
                Words(str(error), str(error)),
                Words("请改正这个环境变量。", "Correct this environment variable."),
            )
        ]
    console = Console()
    if as_json:
        console.file.write(msgspec.json.encode([_for_programs(each) for each in findings]).decode() + "\n")
    else:
        _tell(console, findings)
    return int(any(finding.state is State.FAULT for finding in findings))


def _for_programs(finding: Finding) -> dict[str, object]:
    return {
        "subject": finding.subject._asdict(),
        "state": finding.state,
        "found": finding.found._asdict(),
        "advice": finding.advice._asdict() if finding.advice else None,
    }


def _tell(console: Console, findings: list[Finding]) -> None:
    for finding in findings:
        mark, style = _MARKS[finding.state]
        console.print(Text(f"{mark} {finding.subject.zh}：{finding.found.zh}", style=style), soft_wrap=True)
        console.print(Text(f"  {finding.subject.en}: {finding.found.en}", style="dim"), soft_wrap=True)
        if finding.advice is not None:
            console.print(Text(f"  → {finding.advice.zh}\n  → {finding.advice.en}"), soft_wrap=True)
    faults = sum(finding.state is State.FAULT for finding in findings)
    warnings = sum(finding.state is State.WARNING for finding in findings)
    end = Words(
        f"{faults} 处须立即处理，{warnings} 处请留意。" if faults or warnings else "一切正常。",
        f"{faults} to mend now, {warnings} to look at." if faults or warnings else "All is well.",
    )
    console.print(f"\n[bold]{end.zh} {end.en}[/bold]")
