"""Requests of another run in a journal: a verdict is on the run that the journal began with, and on no other.

The id of a request is `<id of its run>-<number>`.
"""

from __future__ import annotations

from collections import Counter

from testbed.verdict.history import History
from testbed.verdict.reconciliation import Ledger


def foreign_requests(history: History, ledger: Ledger) -> dict[str, int]:
    """Return how many requests of other runs the ledger has, by the id of their run.

    A journal without a run, or of a testbed that gave runs no id, has none: nobody can know.
    """
    own = history.runs[0].id if history.runs else ""
    if not own:
        return {}
    found = Counter(identity.rpartition("-")[0] for identity in ledger.ids)
    return {run: count for run, count in sorted(found.items()) if run != own}
