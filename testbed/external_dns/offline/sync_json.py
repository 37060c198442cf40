"""A sync as JSON: change batches in the API's form, decisions with reason and sentence."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from testbed.external_dns.core.endpoint import OWNER, Endpoint
from testbed.external_dns.core.reasons import Decision
from testbed.external_dns.offline.desk import Desk
from testbed.external_dns.offline.hosted_zones_in_memory import Batch
from testbed.external_dns.offline.repeated_syncs import Sync


def document(sync: Sync, desk: Desk) -> dict[str, Any]:
    """Return the whole sync; `aws route53 change-resource-record-sets` takes the `changes` of a batch."""
    return {
        "version": desk.release.tag,
        "release": desk.choice.form,
        "flags": list(desk.shown),
        "unread_prefix": desk.unread,
        "zones": [
            {"name": zone.name, "file": str(zone.path), "records": len(zone.records)} for zone in desk.zones
        ],
        "batches": [batch(one) for one in sync.batches],
        "other_orders": [[batch(one) for one in batches] for batches in sync.others],
        "two_balancers": [asdict(one) for one in sync.parted],
        "decisions": [decision(one) for one in sync.decisions],
        "log": [f"{line.level}: {line.message}" for line in sync.log],
        "error": sync.error,
    }


def batch(of: Batch) -> dict[str, Any]:
    """Return a call to Route 53, with its refusal or ""."""
    return {"zone": of.zone, "changes": list(of.changes), "refusal": of.refusal}


def decision(one: Decision) -> dict[str, Any]:
    """Return a decision; `winner`, `have` and `dropped` may be null."""
    return {
        "name": one.name,
        "type": one.type,
        "set_identifier": one.set_identifier,
        "outcome": one.outcome,
        "reason": one.reason,
        "dropped": one.dropped,
        "claimants": [_endpoint(claim) for claim in one.claimants],
        "winner": one.winner.resource if one.winner else None,
        "have": _endpoint(one.have) if one.have else None,
        "sentence": str(one),
        "remedy": one.remedy,
    }


def _endpoint(one: Endpoint) -> dict[str, Any]:
    form = {"resource": one.resource, "type": one.type, "targets": list(one.targets), "ttl": one.ttl}
    return form | ({"owner": one.labels[OWNER]} if OWNER in one.labels else {})
