"""What the real controller built of random clusters, and what this one builds, in one form.

The form is `{kind: {id: fields}}` with references `{"ref": "Kind/id"}`. Left out of it are drawn identifiers
(subnets, the VPC, the security groups of the account, a certificate by ARN), the order of attribute lists and
of security group rules, and fields without a value.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from testbed.dated_releases import LB_CONTROLLER_RELEASES
from testbed.kubernetes import manifests
from testbed.lb_controller.core.build_inputs import ClusterState, ControllerOptions
from testbed.lb_controller.gateway import route_attachment, route_status
from testbed.lb_controller.gateway.gateway_objects import GatewayObjects
from testbed.lb_controller.offline import stack_plan
from testbed.lb_controller.offline.stack_plan import PlannedStack
from testbed.lb_controller.offline.vpc import Vpc
from tests.conformance.lb_controller import cases

Json = dict[str, Any]

RELEASES = ("v2.8.3", "v2.13.4", "v3.5.0")
FAILED = "FailedBuildModel: Failed build model due to "
LISTS_WITHOUT_ORDER = ("loadBalancerAttributes", "targetGroupAttributes", "listenerAttributes", "ingress")
WITHOUT_FRONTEND_TARGETS = ("v2.8.3", "v2.13.4")
"""Releases that do not log which target group of a frontend NLB has which port of the ALB."""
LONGEST_NAME = 63
"""Characters of the name part of an annotation, at most (Kubernetes API)."""
_DRAWN = {"subnetID", "vpcID", "creationTimestamp"}
CERTIFICATE = {"ref": "/"}
"""A certificate by ARN, as v3.5.0 logs it: a reference without a name."""
_NOT_ACCEPTED = re.compile(r"ListenerRuleConfiguration \[(.+?)\] is not accepted")
_KINDS = {
    "AWS::EC2::SecurityGroup": "securityGroups",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "loadBalancers",
    "AWS::ElasticLoadBalancingV2::Listener": "listeners",
    "AWS::ElasticLoadBalancingV2::ListenerRule": "rules",
    "AWS::ElasticLoadBalancingV2::TargetGroup": "targetGroups",
    "K8S::ElasticLoadBalancingV2::TargetGroupBinding": "targetGroupBindings",
    "FrontendNLBTargetGroup": "frontendNlbTargetGroups",
}


@dataclass(frozen=True, slots=True)
class Recording:
    """One cluster at one release.

    Attributes:
        id: the namespace of the cluster, the same in every run.
        objects: the manifests.
        models: the stacks that were built, by id.
        refused: the events of each object, `Kind namespace/name`, by which no stack could be built.
        status: the status of each Gateway and route, `Kind namespace/name`.
    """

    id: str
    release: str
    objects: Sequence[Json]
    models: Mapping[str, Json]
    refused: Mapping[str, Sequence[str]]
    status: Mapping[str, Json] = field(default_factory=dict)


@cache
def recordings(file: str) -> tuple[Recording, ...]:
    """The recordings of a file at each of its releases; none where the folder is missing."""
    path = cases.folder() / "recorded" / file
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return tuple(_recording(line, release) for line in lines for release in sorted(line["releases"]))


def _recording(line: Json, release: str) -> Recording:
    outcome = line["releases"][release]
    while "same_as" in outcome:
        outcome = line["releases"][outcome["same_as"]]
    name = next(item["metadata"]["name"] for item in line["objects"] if item["kind"] == "Namespace")
    models = {model["id"]: recorded(model["resources"]) for model in outcome.get("models") or ()}
    objects = [_acceptable(item) for item in line["objects"]]
    return Recording(
        name, release, objects, models, outcome.get("refused") or {}, outcome.get("status") or {}
    )


def _acceptable(item: Json) -> Json:
    """The object without annotations that a real API refuses for their length; no controller reads any."""
    metadata = item["metadata"]
    kept = {
        key: value
        for key, value in (metadata.get("annotations") or {}).items()
        if len(key.rpartition("/")[2]) <= LONGEST_NAME
    }
    return {**item, "metadata": {**metadata, "annotations": kept}} if kept else item


def differences(recording: Recording) -> list[str]:
    """Where the plan of the recorded objects differs from what the real controller built or refused."""
    documents = "\n---\n".join(json.dumps(item) for item in recording.objects)
    release = LB_CONTROLLER_RELEASES[recording.release]
    options = ControllerOptions(release=release, backend_security_group="sg-backend")
    files = manifests.parse(documents, Path(f"{recording.id}.yaml"), custom=True)
    planned = stack_plan.plan(
        files, options, Vpc(has_certificates=False), unaccepted=_unaccepted(recording.status)
    )
    built = {one.stack.id: one for one in planned.stacks if one.stack and one.owner == stack_plan.OWNER}
    found = [
        f"{stack}: built by the real controller alone" for stack in recording.models if stack not in built
    ]
    # The recorder kept no model of a group that has its name from a class; a refusal would be there.
    unrecorded = {
        item["spec"]["group"]["name"]
        for item in recording.objects
        if item["kind"] == "IngressClassParams" and "group" in item["spec"]
    }
    for stack, one in built.items():
        wanted = recording.models.get(stack)
        if wanted is None and stack in unrecorded and not _texts(recording, one):
            continue
        if wanted is None:
            found.append(f"{stack}: built here alone; the real one: {_texts(recording, one)}")
        else:
            mine = of_plan(one)
            if recording.release in WITHOUT_FRONTEND_TARGETS:
                mine.pop("frontendNlbTargetGroups", None)
            found += [f"{stack}{where}" for where in unequal(mine, wanted)]
    for one in planned.stacks:
        if one.error is None or _has_no_event(one):
            continue
        if f"{FAILED}{one.error}" not in _texts(recording, one):
            found.append(f"{one.title}: refused with {one.error!r}; the real one: {_texts(recording, one)}")
    refused_here = {member for one in planned.stacks if one.error is not None for member in one.members}
    # An early refusal may name what came a moment later: of an object that was built in the end, it is aside.
    of_models = {member for one in built.values() for member in one.members}
    found += [
        f"{name}: refused by the real one alone: {list(texts)}"
        for name, texts in recording.refused.items()
        if name not in refused_here and name not in of_models
    ]
    return found


def _unaccepted(status: Mapping[str, Json]) -> frozenset[str]:
    """The ListenerRuleConfigurations that the controller had not accepted when the recording ended."""
    return frozenset(
        found[1]
        for one in status.values()
        for parent in one.get("parents") or ()
        for condition in parent["conditions"]
        if (found := _NOT_ACCEPTED.match(condition["message"]))
    )


def status_differences(recording: Recording) -> list[str]:
    """Where conditions of routes or kinds of listeners differ from what the real controller wrote."""
    items = [{**item, "metadata": {"namespace": "", **item["metadata"]}} for item in recording.objects]
    objects = GatewayObjects.of(items)
    services = {
        (item["metadata"]["namespace"], item["metadata"]["name"]): item
        for item in items
        if item["kind"] == "Service"
    }
    unaccepted = _unaccepted(recording.status)
    found = []
    for route in objects.routes:
        title = f"{route['kind']} {route['metadata']['namespace']}/{route['metadata']['name']}"
        cluster = ClusterState(services=services)
        mine = [_parent(one) for one in route_status.parent_statuses(route, objects, cluster, unaccepted)]
        wanted = [_recorded_parent(one) for one in recording.status.get(title, {}).get("parents") or ()]
        found += list(unequal(mine, wanted, title))
    for gateway in objects.gateways:
        title = f"Gateway {gateway['metadata']['namespace']}/{gateway['metadata']['name']}"
        kinds = {
            one["name"]: {kind["kind"] for kind in one.get("supportedKinds") or ()}
            for one in recording.status.get(title, {}).get("listeners") or ()
        }
        for listener in route_attachment.listeners_of(gateway):
            name, own = listener["name"], set(route_attachment.supported_kinds(listener))
            if kinds.get(name, own) != own:
                found.append(f"{title} listener {name}: {own} here, {kinds[name]} recorded")
    return found


def _parent(one: route_status.ParentStatus) -> Json:
    conditions = [
        [each.type, each.is_true, each.reason, each.message] for each in (one.resolved, one.accepted)
    ]
    return {"of": one.controller, "name": one.parent["name"], "conditions": conditions}


def _recorded_parent(one: Json) -> Json:
    conditions = [
        [each["type"], each["status"] == "True", each["reason"], each["message"]]
        for each in one["conditions"]
    ]
    return {"of": one["controllerName"], "name": one["parentRef"]["name"], "conditions": conditions}


def _has_no_event(planned: PlannedStack) -> bool:
    """True if a group could not even be loaded (an order that is no number): the log alone says so."""
    return planned.group is None and planned.title.startswith("Ingress group")


def _texts(recording: Recording, planned: PlannedStack) -> list[str]:
    return [text for member in planned.members for text in recording.refused.get(member, ())]


def unequal(mine: Any, wanted: Any, where: str = "") -> Iterator[str]:
    """The places at which two values in the common form differ."""
    if mine and wanted == CERTIFICATE:
        return
    if isinstance(mine, dict) and isinstance(wanted, dict):
        for key in sorted({*mine, *wanted}):
            yield from unequal(mine.get(key), wanted.get(key), f"{where} / {key}")
    elif isinstance(mine, list) and isinstance(wanted, list) and len(mine) == len(wanted):
        for index, (one, other) in enumerate(zip(mine, wanted, strict=True)):
            yield from unequal(one, other, f"{where}[{index}]")
    elif mine != wanted:
        yield f"{where}: {json.dumps(mine)} here, {json.dumps(wanted)} recorded"


def of_plan(planned: PlannedStack) -> Json:
    """A planned stack in the common form."""
    stack = planned.to_json()
    found: Json = {"securityGroups": dict(stack.get("securityGroups") or {})}
    found["loadBalancers"] = {"LoadBalancer": stack["loadBalancer"]} if stack.get("loadBalancer") else {}
    found["listeners"] = {str(item["port"]): item for item in stack.get("listeners") or ()}
    found["rules"] = {f"{item['listenerPort']}:{item['priority']}": item for item in stack.get("rules") or ()}
    for kind in ("targetGroups", "targetGroupBindings"):
        found[kind] = {item["id"]: _without_id(item) for item in stack.get(kind) or ()}
    if frontend := stack.get("frontendNlb"):
        _add_frontend(found, frontend)
    return plain(found) or {}


def _add_frontend(found: Json, frontend: Json) -> None:
    """Add the resources of a frontend NLB where the real model has them."""
    found["loadBalancers"]["FrontendNlb"] = frontend["loadBalancer"]
    for item in frontend["listeners"]:
        name = f"FrontendNlb-ls-{item['protocol']}-{item['port']}"
        found["listeners"][name] = {**item, "of": {"ref": "LoadBalancer/FrontendNlb"}}
    found["targetGroups"] |= {item["id"]: _without_id(item) for item in frontend["targetGroups"]}
    targets = {
        group["name"]: {
            "Name": group["name"],
            "Port": group["port"],
            "ARN": target["targetGroupARN"],
            "TargetARN": target["targetARN"],
            "TargetPort": target["targetPort"],
        }
        for group, target in zip(frontend["targetGroups"], frontend["targets"], strict=True)
    }
    found["frontendNlbTargetGroups"] = {"FrontendNLBTargetGroup": targets}


def _without_id(item: Json) -> Json:
    return {key: value for key, value in item.items() if key != "id"}


def recorded(resources: Mapping[str, Mapping[str, Any]]) -> Json:
    """A recorded model in the common form."""
    found: Json = {}
    for kind, items in resources.items():
        name = _KINDS.get(kind, kind)
        found[name] = {key: _resource(name, item.get("spec", item)) for key, item in items.items()}
    return plain(found) or {}


def _resource(kind: str, spec: Json) -> Json:
    spec = _with_references(spec)
    match kind:
        case "listeners":
            balancer = spec.pop("loadBalancerARN")
            return spec if balancer == {"ref": "LoadBalancer/LoadBalancer"} else {**spec, "of": balancer}
        case "rules":
            port = int(spec.pop("listenerARN")["ref"].removeprefix("Listener/"))
            conditions = [_condition(item) for item in spec["conditions"]]
            return {**spec, "conditions": conditions, "listenerPort": port}
        case "targetGroupBindings":
            template: Json = spec["template"]
            return template
        case "frontendNlbTargetGroups":
            groups: Json = spec["TargetGroups"]
            return groups
        case _:
            return spec


def _condition(condition: Json) -> Json:
    (config,) = (value for key, value in condition.items() if key != "field")
    return {"field": condition["field"], **config}


def _with_references(value: Any) -> Any:
    """`$ref` of the Go model as `ref`; an id or ARN of the account as it is."""
    if isinstance(value, dict):
        if set(value) == {"$ref"}:
            kind, name = value["$ref"].removeprefix("#/resources/").split("/", 1)
            return {"ref": f"{kind.split('::')[-1]}/{name.rsplit('/status/', 1)[0]}"}
        return {key: _with_references(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_references(item) for item in value]
    return value


def plain(value: Any, key: str = "") -> Any:
    """The value without what is not compared; None if nothing is left."""
    if key in _DRAWN:
        return "drawn" if value else None
    if isinstance(value, str) and value.startswith("sg-"):
        return "sg"
    if isinstance(value, dict):
        # Listener attributes are in Go's own spelling: Key, Value.
        lowered = {name.lower() if name in ("Key", "Value") else name: item for name, item in value.items()}
        found = {name: plain(item, name) for name, item in lowered.items()}
        return {name: item for name, item in found.items() if item is not None} or None
    if isinstance(value, list):
        items = [plain(item) for item in value]
        if key in LISTS_WITHOUT_ORDER and all(isinstance(item, dict) for item in items):
            items.sort(key=lambda item: json.dumps(item, sort_keys=True))
        return items or None
    return None if value in ("", False) or value is None else value


def table(file: str) -> str:
    """`passed / total` of the stacks and refusals of a file, per release."""
    rows = []
    for release, group in itertools.groupby(
        sorted(recordings(file), key=lambda one: RELEASES.index(one.release)), lambda one: one.release
    ):
        clusters = list(group)
        passed = sum(not differences(one) for one in clusters)
        rows.append(f"{file:<20}{release:<10}{passed:>5} / {len(clusters)} clusters")
    return "\n".join(rows)
