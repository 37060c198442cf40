"""Which balancers the host's A records point to over time.

```
 CREATE A → NLB          UPSERT A → ALB                     weights 90 and 10
   ├──────── {nlb} ────────┼────────────── {alb} ──────────────┼─── {nlb, alb} ───
```
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from testbed.balancer_identity import plain_dns_name
from testbed.verdict.history import History


@dataclass(frozen=True, slots=True)
class Pointing:
    """The balancers that clients can be led to from `start` to `end`, wall seconds."""

    start: float
    end: float
    balancers: frozenset[str]


def record_targets(history: History) -> Sequence[Pointing]:
    """Return where the host's A aliases pointed, in the order of time, from the first record to the end.

    If no record has the host's name, a wildcard may cover it: then the records of all names count.
    """
    names = history.named_balancers().by_dns_name()
    hosts = {plain_dns_name(run.host) for run in history.runs}
    changes = [
        (event.time, change)
        for event in sorted(history.dns_changes, key=lambda one: one.time)
        if not event.refused
        for change in event.changes
        if isinstance(change.get("ResourceRecordSet"), dict)
        and change["ResourceRecordSet"].get("Type") == "A"
    ]
    of_host = [one for one in changes if _name(one[1]["ResourceRecordSet"]) in hosts]
    records: dict[tuple[str, str], tuple[str, object]] = {}
    found: list[Pointing] = []
    for time, change in of_host or changes:
        record = change["ResourceRecordSet"]
        key = _name(record), str(record.get("SetIdentifier", ""))
        alias = record.get("AliasTarget")
        records.pop(key, None)
        if change.get("Action") != "DELETE" and isinstance(alias, dict):
            target = names.get(plain_dns_name(str(alias.get("DNSName", ""))), "")
            records[key] = target, record.get("Weight")
        # Records without weight are no answer while another has some. Source: Route 53 Developer Guide,
        # "Values specific for weighted records", Weight.
        weighty = {target for target, weight in records.values() if weight != 0}
        targets = frozenset(weighty or {target for target, _ in records.values()}) - {""}
        if found:
            found[-1] = Pointing(found[-1].start, time, found[-1].balancers)
        found.append(Pointing(time, max(time, history.end), targets))
    return [one for one in found if one.start < one.end]


def _name(record: dict[str, object]) -> str:
    return plain_dns_name(str(record.get("Name", "")))
