"""Recorded edits of live balancers: the emulated controller makes the calls that the real v3.5.0 made."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from testbed.kubernetes import manifests as files
from testbed.lb_controller.core.build_inputs import ControllerOptions
from testbed.lb_controller.offline.live_cluster import LiveCluster

FILE = Path(__file__).parents[3] / "shared/conformance/real/edits-v3.5.0.jsonl"
pytestmark = pytest.mark.skipif(not FILE.is_file(), reason=f"no recording in {FILE}")

# The stand-in of the recording refuses this call, which AWS takes: what follows there was not recorded.
ENDS_EARLY = {"nlb-certificate-added": "AddListenerCertificates"}
DRAWN = re.compile(
    r"arn:aws:elasticloadbalancing:\S+|\b(?:vpc|sg|i|subnet)-[0-9a-f]{8,}\b|\bk8s-[\w-]+-[0-9a-f]{10}\b"
)
LISTENER_KEYS = ("certificate-arn", "ssl-policy", "listen-ports", "ssl-cert")
MARK = "elbv2.k8s.aws/targetGroupBinding=shared"

Call = tuple[str, Mapping[str, str]]


def edits() -> Iterator[Any]:
    mark = pytest.mark.conformance
    for line in FILE.read_text().splitlines() if FILE.is_file() else ():
        edit = json.loads(line)
        yield pytest.param(edit, id=edit["edit"], marks=mark("aws-lb", FILE.name, edit["edit"]))


@pytest.mark.parametrize("edit", list(edits()))
def test_an_edit_makes_the_calls_of_the_real_controller_in_its_order(
    edit: dict[str, Any], tmp_path: Path
) -> None:
    ours = calls_of(edit, tmp_path)
    recorded = [
        (one["action"], one["parameters"]) for one in edit["writes"] if not is_of_the_stand_in(edit, one)
    ]
    same: dict[str, str] = {}
    wanted, have = streams(recorded), streams(ours)
    assert {key: [action for action, _ in calls] for key, calls in have.items()} == {
        key: [action for action, _ in calls] for key, calls in wanted.items()
    }
    for key, calls in wanted.items():
        for (action, theirs), (_, own) in zip(calls, have[key], strict=True):
            assert mapped(theirs, own, same) == dict(own), action
    if not has_two_stacks(recorded):
        assert [action for action, _ in ours] == [action for action, _ in recorded]


def calls_of(edit: Mapping[str, Any], folder: Path) -> list[Call]:
    """What the emulated controller writes for an edit."""
    for name in ("before", "after"):
        (folder / f"{name}.yaml").write_text(yaml.safe_dump_all(edit[name]))
    before = files.load([folder / "before.yaml"])
    after = files.load([folder / "after.yaml"], standing=before)
    cluster = LiveCluster(ControllerOptions(), [*before, *after])
    try:
        cluster.stand(before)
        written = cluster.apply(after)
    finally:
        cluster.close()
    return [(one.action, one.parameters) for one in written if ENDS_EARLY.get(edit["edit"]) != one.action]


def is_of_the_stand_in(edit: Mapping[str, Any], write: Mapping[str, Any]) -> bool:
    """What the README of the recording names as the doing of its stand-in, not of AWS."""
    action, changed = write["action"], changed_annotations(edit)
    if action == "AuthorizeSecurityGroupIngress" and "InvalidPermission.Duplicate" in write.get("answer", ""):
        return True
    if action == "SetSubnets":
        return not any("subnets" in key for key in changed)
    # An ALB's listener whose certificate, policy and ports the edit leaves alone.
    is_of_alb = write["parameters"].get("Protocol") == "HTTPS" or "Protocol" not in write["parameters"]
    is_listener = action in ("ModifyListener", "AddListenerCertificates") and is_of_alb
    return is_listener and not any(key.endswith(LISTENER_KEYS) for key in changed)


def changed_annotations(edit: Mapping[str, Any]) -> set[str]:
    """The annotations that an edit adds, changes or removes."""
    before, after = (
        {
            (one["kind"], one["metadata"]["name"], key): value
            for one in edit[name]
            for key, value in one["metadata"].get("annotations", {}).items()
        }
        for name in ("before", "after")
    )
    return {key[2] for key in before.keys() | after.keys() if before.get(key) != after.get(key)}


def has_two_stacks(calls: Sequence[Call]) -> bool:
    """True if one stack is left and another one is made: only a new one gets a security group."""
    return {"DeleteLoadBalancer", "CreateSecurityGroup"} <= {action for action, _ in calls}


def streams(calls: Sequence[Call]) -> dict[str, list[Call]]:
    """The calls that come in a fixed order: of each stack, and of its bindings."""
    several = has_two_stacks(calls)
    found: dict[str, list[Call]] = {}
    for action, parameters in calls:
        if action in ("RegisterTargets", "DeregisterTargets"):
            key = f"targets, {action}"
        elif MARK in parameters.values():
            key = "nodes"
        else:
            # Of two stacks one is left and only deletes, and the other one is new and only creates.
            key = ("left" if action.startswith("Delete") else "joined") if several else "stack"
        found.setdefault(key, []).append((action, parameters))
    return found


def mapped(theirs: Mapping[str, str], own: Mapping[str, str], same: dict[str, str]) -> dict[str, str]:
    """The recorded parameters with the identifiers of our account, as they were met first."""
    result = {}
    for key, value in theirs.items():
        drawn, mine = DRAWN.findall(value), DRAWN.findall(own.get(key, ""))
        for left, right in zip(drawn, mine, strict=False):
            if same.setdefault(left, right) == right:
                value = value.replace(left, right)
        result[key] = value
    return result
