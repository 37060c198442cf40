"""A sync as JSON: change batches in the API's form, decisions with reason and sentence."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from testbed.external_dns.account import Batch
from testbed.external_dns.endpoint import OWNER, Endpoint
from testbed.external_dns.one_sync import Sync
from testbed.external_dns.reasons import Decision
from testbed.external_dns.zone_file import ZoneFile


def document(sync: Sync, zones: Iterable[ZoneFile], version: str, flags: Iterable[str]) -> dict[str, Any]:
    """All of it; `changes` of a batch are what `aws route53 change-resource-record-sets` takes."""
    return {
        "version": version,
        "flags": list(flags),
        "zones": [
            {"name": zone.name, "file": str(zone.path), "records": len(zone.records)} for zone in zones
        ],
        "batches": [_batch(one) for one in sync.batches],
        "other_orders": [[_batch(one) for one in batches] for batches in sync.others],
        "decisions": [decision(one) for one in sync.decisions],
        "log": [f"{line.level}: {line.message}" for line in sync.log],
        "error": sync.error,
    }


def _batch(batch: Batch) -> dict[str, Any]:
    return {"zone": batch.zone, "changes": list(batch.changes), "refusal": batch.refusal}


def decision(one: Decision) -> dict[str, Any]:
    """A decision; `winner`, `have` and `dropped` are null where there is none."""
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
    found = {"resource": one.resource, "type": one.type, "targets": list(one.targets), "ttl": one.ttl}
    return found | ({"owner": one.labels[OWNER]} if OWNER in one.labels else {})
