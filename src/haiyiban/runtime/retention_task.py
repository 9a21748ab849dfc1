"""The task that deletes what is kept no longer, class by class: one that fails leaves the others done."""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from haiyiban import clock, terms
from haiyiban.retention import forgetting
from haiyiban.runtime import discovery, idempotency
from haiyiban.runtime.crashes import kind, trace
from haiyiban.terms import Ending, Term
from haiyiban.zone import Task

log = logging.getLogger("haiyiban.retention")

TURN = timedelta(seconds=20)
"""How long it works before the worker may end; the next turn goes on."""


def declared() -> tuple[Term, ...]:
    """Every term there is, whichever zones are served here: one that is switched off keeps its data."""
    folders = (*discovery.features(), *discovery.all_zones())
    return (idempotency.TERM, *(term for folder in folders for term in folder.terms))


async def run(_: bytes = b"") -> None:
    """Look through each class that it is time for: begun, or gone on with where a worker was killed."""
    ends = time.monotonic() + TURN.total_seconds()
    found = terms.installed()
    # Beginning with another one each minute: a class with much to delete keeps no other waiting for long.
    first = clock.now().minute % len(found)
    for term in (*found[first:], *found[:first]):
        if term.ending is not None and time.monotonic() < ends:
            await look_through(term, term.ending, ends=ends)


async def look_through(term: Term, ending: Ending, *, ends: float) -> None:
    """One class: what is due of it goes, unless another worker is at it or it was looked through of late."""
    run = await forgetting.take(term, ending, now=clock.now())
    if run is None:
        return
    try:
        await forgetting.count(run, ending)
        while await forgetting.batch(run, ending):
            if time.monotonic() > ends:
                await forgetting.pause(run)
                return
        await forgetting.end(run, ending)
    except Exception as error:  # noqa: BLE001 - one class that cannot be deleted must not keep all the others
        log.error("retention of %s failed: %s", term.data_class, trace(error))
        # Where the database is away this fails as well, and the worker does it all again.
        await forgetting.fail(run, kind(error))


RUN = Task(name="retention.run", run=run, schedule="* * * * *")
