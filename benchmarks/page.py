"""The figures as people read them: tables in docs/performance.md, and plots beside it (SVG)."""

from __future__ import annotations

import html
import math
from pathlib import Path

from benchmarks.report import Growth, Ratio, Report

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "performance.md"
_BEGIN, _END = "<!-- figures: written by make bench -->", "<!-- end of figures -->"
_WIDTH, _ROW, _LEFT = 960, 26, 460


def write(made: Report) -> None:
    """Put the figures of a run between the marks of the page, and draw them."""
    head, _, rest = PAGE.read_text(encoding="utf-8").partition(_BEGIN)
    _, _, tail = rest.partition(_END)
    PAGE.write_text(f"{head}{_BEGIN}\n{tables(made)}{_END}{tail}", encoding="utf-8")
    (DOCS / "performance-ratios.svg").write_text(ratios_svg(made), encoding="utf-8")
    (DOCS / "performance-growth.svg").write_text(growth_svg(made), encoding="utf-8")


def tables(made: Report) -> str:
    """The tables, in Markdown."""
    told = made.machine
    packages = ", ".join(f"{name} {number}" for name, number in made.versions.items())
    lines = [
        f"{made.at:%Y-%m-%d %H:%M} UTC; {told['processor']}, {told['cores']} cores, load average at the end "
        f"{told['loadAverage']}; Python {told['python']}, {packages}.",
        "",
        "| | against | ratio | spread | to reach | CPU | on this machine |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, outcome in made.benchmarks.items():
        if outcome.ratios:
            taken = made.taken[name]
            form = "full, " if taken.full else ""
            lines.append(f"| **{name}** ({form}{taken.at:%m-%d %H:%M}, {taken.seconds:.0f} s) | | | | | | |")
        lines += [_line(ratio) for ratio in outcome.ratios]
    growths = [growth for outcome in made.benchmarks.values() for growth in outcome.growths]
    if growths:
        lines += ["", "| grows | with | sizes | cost | exponent | to reach |", "|---|---|---|---|---|---|"]
        lines += [
            f"| {growth.name} | {growth.work} | {' · '.join(f'{size:,}' for size in growth.sizes)} | "
            f"{' · '.join(f'{cost:.4g}' for cost in growth.costs)} {growth.unit} | n^{growth.exponent:.2f} | "
            f"≤ n^{growth.reach:g} |"
            for growth in growths
        ]
    return "\n".join(lines) + "\n"


def _line(ratio: Ratio) -> str:
    low, high = ratio.spread
    reach = ""
    if ratio.reach is not None:
        sign = "≥" if ratio.better == "more" else "≤"
        reach = f"{sign} {ratio.reach:g}" + ("" if ratio.is_reached else " **not reached**")
    cpu = f"{ratio.cpu_ratio:.2f}" if ratio.cpu_ratio is not None else ""
    here = f"{ratio.value:,.6g} {ratio.unit}" if ratio.value is not None else ""
    return (
        f"| {ratio.name} | {ratio.against} | {ratio.ratio:.3g} | {low:.3g} to {high:.3g} | {reach} | {cpu} | "
        f"{here} |"
    )


def ratios_svg(made: Report) -> str:
    """Each ratio as a bar from what is to be reached (the line); logarithmic, a tenth to ten times."""
    rows = [
        (f"{ratio.name} ÷ {ratio.against}", ratio)
        for outcome in made.benchmarks.values()
        for ratio in outcome.ratios
        if ratio.reach is not None
    ]
    height = _ROW * (len(rows) + 2)
    at_one = _x(1)
    drawn = [
        f'<line x1="{at_one:.1f}" y1="{_ROW}" x2="{at_one:.1f}" y2="{height}" stroke="#888"/>',
        f'<text x="{at_one:.1f}" y="18" text-anchor="middle">promised</text>',
    ]
    for number, (name, ratio) in enumerate(rows, 1):
        assert ratio.reach is not None
        y = number * _ROW + 6
        low, middle, high = (
            _x(_share(ratio, each)) for each in (ratio.spread[0], ratio.ratio, ratio.spread[1])
        )
        left, right = sorted((at_one, middle))
        colour = "#2f7d4f" if ratio.is_reached else "#b3402a"
        drawn += [
            f'<text x="{_LEFT - 8}" y="{y + 11}" text-anchor="end">{html.escape(name)}</text>',
            f'<rect x="{left:.1f}" y="{y}" width="{max(right - left, 1):.1f}" height="14" fill="{colour}"/>',
            f'<line x1="{min(low, high):.1f}" y1="{y + 7}" x2="{max(low, high):.1f}" y2="{y + 7}" '
            'stroke="#111" stroke-width="2"/>',
        ]
    return _svg(height, drawn)


def growth_svg(made: Report) -> str:
    """Each cost by its size, both logarithmic, from its first size and cost on."""
    growths = [growth for outcome in made.benchmarks.values() for growth in outcome.growths]
    height = 420
    colours = ("#2f5d8a", "#b3402a", "#2f7d4f", "#8a6d2f", "#6a3d8a", "#3d8a86", "#555555")
    drawn = ['<text x="260" y="18" text-anchor="middle">times the work → times the cost</text>']
    most = max((max(_times(growth.sizes)) for growth in growths), default=10)
    for number, growth in enumerate(growths):
        colour = colours[number % len(colours)]
        points = [
            (60 + math.log(size) / math.log(most) * 400, 380 - math.log(max(cost, 1)) / math.log(most) * 330)
            for size, cost in zip(_times(growth.sizes), _times(growth.costs), strict=True)
        ]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        drawn += [
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>',
            f'<text x="490" y="{60 + number * 22}" fill="{colour}">{html.escape(_named(growth))}</text>',
        ]
    drawn.append('<line x1="60" y1="380" x2="460" y2="50" stroke="#888" stroke-dasharray="4"/>')
    return _svg(height, drawn)


def _named(growth: Growth) -> str:
    return f"{growth.name}: n^{growth.exponent:.2f}"


def _times(values: tuple[int, ...] | tuple[float, ...]) -> list[float]:
    return [value / values[0] for value in values]


def _share(ratio: Ratio, value: float) -> float:
    assert ratio.reach is not None
    return value / ratio.reach if ratio.better == "more" else ratio.reach / max(value, 1e-9)


def _x(share: float) -> float:
    clamped = min(max(share, 0.1), 10.0)
    return _LEFT + (math.log10(clamped) + 1) / 2 * (_WIDTH - _LEFT - 20)


def _svg(height: int, drawn: list[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        'font-family="sans-serif" font-size="12">\n'
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>\n' + "\n".join(drawn) + "\n</svg>\n"
    )
