"""What the hall counts of cases, from the steps of their timelines.

A step that was undone has another verb since (undo.py), so it does not count. Late is decided after the
promised day, which an extension or a suspension moves. Source: docs/domain.md §3.6.
"""

from __future__ import annotations

from haiyiban.cases.states import State, Verb
from haiyiban.tallies import Tally

_STEPS = """
SELECT c.division, c.matter, count(*)
FROM cases_event e JOIN cases_case c ON c.id = e.case_id
WHERE e.id >= :first AND e.id < :past AND {condition}
GROUP BY c.division, c.matter
"""
_DECIDED = f"e.verb IN ('{Verb.APPROVE}', '{Verb.DENY}')"


def _steps(name: str, condition: str) -> Tally:
    return Tally(name=name, query=_STEPS.format(condition=condition))


TALLIES = (
    # An answer to a correction notice is the same case again.
    _steps("cases.submitted", f"e.verb = '{Verb.SUBMISSION}' AND e.before ->> 'state' = '{State.DRAFT}'"),
    _steps("cases.decided", _DECIDED),
    _steps(
        "cases.decided_late",
        f"{_DECIDED} AND (e.at AT TIME ZONE 'Asia/Shanghai')::date > c.promised_due_on",
    ),
)
