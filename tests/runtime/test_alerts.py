"""Alert rules and dashboard ask for metrics that a running platform has, by labels that these have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import promql_parser as promql
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from haiyiban.codes.outcomes import Outcome
from haiyiban.runtime import discovery, platform_metrics

ROOT = Path(__file__).parents[2]
OBSERVABILITY = ROOT / "deploy" / "observability"
RULES = [
    rule
    for group in yaml.safe_load((OBSERVABILITY / "alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]
DASHBOARD = json.loads((OBSERVABILITY / "dashboard.json").read_text())
SCRAPED = yaml.safe_load((OBSERVABILITY / "prometheus.yaml").read_text())["scrape_configs"]
EXPRESSIONS = [rule["expr"] for rule in RULES] + [
    target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", ())
]
PROMETHEUS = {"job", "instance"}
"""The labels that Prometheus itself adds."""


def selectors(expression: Any) -> Iterator[promql.VectorSelector]:
    """Every metric that an expression asks for."""
    if isinstance(expression, promql.VectorSelector):
        yield expression
        return
    for name in ("lhs", "rhs", "expr", "vector_selector"):
        if (part := getattr(expression, name, None)) is not None:
            yield from selectors(part)
    args = getattr(expression, "args", None)
    for part in args or ():
        yield from selectors(part)


def grouped_by(expression: str) -> set[str]:
    """The labels after `by` and `on`."""
    found = re.findall(r"\b(?:by|on)\s*\(([^)]*)\)", expression)
    return {label.strip() for labels in found for label in labels.split(",")}


async def exposed(api: httpx.AsyncClient) -> dict[str, set[str]]:
    """Name → labels: the names as a running platform tells them, also of what has no value yet, whose labels
    are those that are declared."""
    await api.get("/matters/no.such.matter")
    text = (await api.get("http://test/metrics")).text
    zones = (*discovery.features(), *discovery.all_zones())
    labels = {metric.name: set(metric.labels) for metric in platform_metrics.of(zones)}
    labels |= {"haiyiban_http_refusals_total": {"route", "problem"}}
    labels |= {"haiyiban_metrics_failures_total": {"metric"}}
    found: dict[str, set[str]] = {"up": set()}
    for family in text_string_to_metric_families(text):
        name = family.name + ("_total" if family.type == "counter" else "")
        found[name] = labels.get(name, set())
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


async def test_what_alerts_and_panels_ask_for_is_there(api: httpx.AsyncClient) -> None:
    there = await exposed(api)
    assert len(EXPRESSIONS) > 50
    for text in EXPRESSIONS:
        asked = list(selectors(promql.parse(text)))
        assert asked, text
        known = set(PROMETHEUS)
        for each in asked:
            assert each.name in there, f"{text}: no process tells {each.name}"
            known |= there[each.name]
            used = {matcher.name for matcher in each.matchers.matchers}
            assert used <= there[each.name] | PROMETHEUS, f"{text}: {each.name} has no {used}"
        assert grouped_by(text) <= known, f"{text}: none of its metrics has {grouped_by(text) - known}"


async def test_every_metric_of_ours_is_looked_at(api: httpx.AsyncClient) -> None:
    """A metric that no alert and no panel shows is cost without use."""
    seen = {each.name for text in EXPRESSIONS for each in selectors(promql.parse(text))}
    families = text_string_to_metric_families((await api.get("http://test/metrics")).text)
    ours = {family.name for family in families if family.name.startswith("haiyiban_")}
    assert {name for name in ours if not any(each.startswith(name) for each in seen)} == set()


def test_values_that_alerts_name_can_come() -> None:
    jobs = {each["job_name"] for each in SCRAPED}
    for text in EXPRESSIONS:
        for each in selectors(promql.parse(text)):
            for matcher in each.matchers.matchers:
                if matcher.name == "job":
                    assert matcher.value in jobs
                if each.name == "haiyiban_codes_verifications_total":
                    assert set(matcher.value.split("|")) <= {str(outcome) for outcome in Outcome}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_each_alert_says_what_to_do(rule: dict[str, Any]) -> None:
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert re.search(r"[\u4e00-\u9fff].* / ", rule["annotations"]["summary"]), "Chinese first, then English"
    file, _, heading = rule["annotations"]["runbook"].partition("#")
    assert (ROOT / file).is_file()
    assert heading in {line[4:].lower() for line in runbook.splitlines() if line.startswith("### ")}


def test_the_runbook_has_no_heading_without_an_alert() -> None:
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    headings = re.findall(r"^### (\w+)$", runbook, re.MULTILINE)
    assert headings
    assert set(headings) == {rule["alert"] for rule in RULES}
