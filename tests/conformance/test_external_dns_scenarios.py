"""Histories that were recorded from the real ExternalDNS, replayed for every version that they name.

Batches, the refusals among them, errors, the log (info and above) and the zone after each step must be equal.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from testbed.external_dns.core.facts import release_of
from testbed.external_dns.offline.replay import replay

FOLDER = (
    Path(
        os.environ.get("TESTBED_CONFORMANCE", Path(__file__).resolve().parents[3] / "shared" / "conformance")
    )
    / "external-dns"
)
VERSIONS = {"newest": "v0.22", "v0_7_4": "v0.7.4", "v0_7_5": "v0.7.5"}
FILES = ("cutover-scenarios", "random-histories")
SEEDS = 60
KNOWN_GAPS: Mapping[str, str] = {}


def _cases() -> Iterator[Any]:
    for file in FILES:
        path = FOLDER / f"{file}.yaml"
        if not path.exists():
            reason = pytest.mark.skip(reason=f"no {path}; set TESTBED_CONFORMANCE")
            yield pytest.param({}, "", marks=reason, id=file)
            continue
        with path.open() as stream:
            scenarios = yaml.load(stream, yaml.CSafeLoader)["scenarios"]
        for scenario in scenarios:
            for key, version in VERSIONS.items():
                if any(key in step for step in scenario["steps"]):
                    name = f"{scenario['id']}-{version}"
                    marks = [pytest.mark.conformance("external-dns", f"{file}.yaml", name)]
                    if name in KNOWN_GAPS:
                        marks.append(pytest.mark.xfail(reason=KNOWN_GAPS[name], strict=True))
                    yield pytest.param(scenario, key, marks=marks, id=name)


@pytest.mark.parametrize(("scenario", "key"), list(_cases()))
def test_a_recorded_history_ends_as_it_did(scenario: Mapping[str, Any], key: str) -> None:
    version = release_of(VERSIONS[key])
    wanted = [_expected(step, key) for step in scenario["steps"]]
    if "random" in scenario:
        zones = [_zone(one) if one else None for one in wanted]
        reached = [
            [
                _zone(step) if one else None
                for step, one in zip(replay(scenario, version, seed), wanted, strict=True)
            ]
            for seed in range(SEEDS)
        ]
        assert zones in reached
        return
    # Two Ingresses of one balancer claim a name with equal endpoints: the order they are seen in decides
    # which label the TXT gets. A history is right if some order gives it; most histories know only one.
    differences = [_differences(wanted, replay(scenario, version))]
    while differences[-1] and len(differences) < SEEDS:
        differences.append(_differences(wanted, replay(scenario, version, len(differences))))
    assert not differences[-1], differences[0]


def _differences(wanted: Sequence[Mapping[str, Any] | None], got: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the steps sent, logged and left behind otherwise than recorded."""
    found = []
    for number, (step, reached) in enumerate(zip(wanted, got, strict=True)):
        if step is None:
            continue
        syncs = [sync for sync in step["syncs"] for _ in range(sync.get("times", 1))]
        for sync, sent in zip(syncs, reached["syncs"], strict=True):
            if _batches(sent) != _batches(sync):
                found.append(f"step {number}: sent {sent['batches']}, recorded {sync['batches']}")
            if _log(sent) != _log(sync):
                found.append(f"step {number}: logged {sent['log']}, recorded {sync['log']}")
            if sent.get("error") != sync.get("error"):
                found.append(f"step {number}: failed with {sent.get('error')}, recorded {sync.get('error')}")
        if _zone(reached) != _zone(step):
            found.append(f"step {number}: zone {_zone(reached)}, recorded {_zone(step)}")
    return found


def _expected(step: Mapping[str, Any], key: str) -> Mapping[str, Any] | None:
    """What a version did; v0.7.5 is recorded only where it differs from v0.7.4."""
    return step.get(key) or (step.get("v0_7_4") if key == "v0_7_5" else None)


def _batches(sync: Mapping[str, Any]) -> list[tuple[list[str], bool]]:
    return [
        (sorted(json.dumps(one, sort_keys=True) for one in batch["changes"]), "rejected" in batch)
        for batch in sync["batches"]
    ]


def _log(sync: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """The lines in their order; apart and sorted those that the real one writes while it walks a map."""
    random = "warning: Only one CNAME per name"
    walked = sorted(" ".join(sorted(line.split())) for line in sync["log"] if line.startswith(random))
    return [line for line in sync["log"] if not line.startswith(random)], walked


def _zone(step: Mapping[str, Any]) -> list[str]:
    return sorted(json.dumps(one, sort_keys=True) for one in step["hosted_zone"])
