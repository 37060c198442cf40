"""Objects that name a host and do not claim it, and what each lacks. Pure.

The sources say nothing of such an object but "No endpoints could be generated". What it lacks is found by
asking the same sources again, with everything granted but one thing: without a claim, it is that one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from testbed.external_dns.endpoint import RESOURCE, Endpoint
from testbed.external_dns.flags import Flags
from testbed.external_dns.profile import ALPHA_PREFIX, PREFIX, Profile
from testbed.external_dns.reasons import Decision, Reason, left_out
from testbed.external_dns.sources import Sources

Object = Mapping[str, Any]
_Case = tuple[Object, Flags]
_PLACEHOLDER = {"loadBalancer": {"ingress": [{"hostname": "load-balancer.invalid"}]}}


Others = Callable[[str], Iterable[Object]]
"""The objects of a kind: some Services get their addresses from nodes and pods."""


def of(item: Object, flags: Flags, profile: Profile, others: Others) -> list[Endpoint]:
    """The endpoints that an object makes, before they meet those of other objects."""
    sources = Sources(profile, flags, _quiet, others)
    kind = item["kind"].lower()
    if kind not in flags.sources:
        return []
    return sources.services([item]) if kind == "service" else sources.ingresses([item])


def missing(items: Iterable[Object], flags: Flags, profile: Profile, others: Others) -> Iterator[Decision]:
    """Why objects without endpoints do not claim their hosts: a decision for each host and missing thing."""
    for item in items:
        wanted = of(*_granted(item, flags, None), profile, others)
        if not wanted:
            continue
        lacking = [one for one in _GRANTS if not of(*_granted(item, flags, one), profile, others)]
        resource = resource_of(item)
        for host in sorted({one.name for one in wanted}):
            claim = Endpoint(host, "", (), labels={RESOURCE: resource})
            for reason in lacking:
                yield left_out(claim, reason, rule=_rule(reason, flags))


def resource_of(item: Object) -> str:
    """The object as a TXT names it: `service/default/web`."""
    metadata = item["metadata"]
    return f"{item['kind'].lower()}/{metadata.get('namespace', 'default')}/{metadata['name']}"


def _granted(item: Object, flags: Flags, withheld: Reason | None) -> _Case:
    case = item, flags
    for reason, grant in _GRANTS.items():
        if reason is not withheld:
            case = grant(*case)
    return case


def _with_address(item: Object, flags: Flags) -> _Case:
    has_one = ((item.get("status") or {}).get("loadBalancer") or {}).get("ingress")
    return (item if has_one else {**item, "status": _PLACEHOLDER}), flags


def _with_prefix(item: Object, flags: Flags) -> _Case:
    annotations = _annotations(item)
    read = {
        flags.annotation_prefix + name.removeprefix(prefix): value
        for prefix in (ALPHA_PREFIX, PREFIX)
        for name, value in annotations.items()
        if name.startswith(prefix)
    }
    return _annotated(item, {**read, **annotations}), flags


def _with_our_controller(item: Object, flags: Flags) -> _Case:
    names = [prefix + "controller" for prefix in (ALPHA_PREFIX, PREFIX, flags.annotation_prefix)]
    kept = {name: value for name, value in _annotations(item).items() if name not in names}
    return _annotated(item, kept), flags


def _without_filter(item: Object, flags: Flags) -> _Case:
    return item, replace(flags, annotation_filter="")


def _without_other_filters(item: Object, flags: Flags) -> _Case:
    return item, replace(flags, label_filter="", namespace="", service_types=(), ingress_classes=())


def _as_load_balancer(item: Object, flags: Flags) -> _Case:
    if item["kind"] != "Service":
        return item, flags
    return {**item, "spec": {**(item.get("spec") or {}), "type": "LoadBalancer"}}, flags


_GRANTS: Mapping[Reason, Callable[[Object, Flags], _Case]] = {
    Reason.OTHER_PREFIX: _with_prefix,
    Reason.OTHER_CONTROLLER: _with_our_controller,
    Reason.ANNOTATION_FILTER: _without_filter,
    Reason.OTHER_FILTER: _without_other_filters,
    Reason.SERVICE_TYPE: _as_load_balancer,
    Reason.NO_ADDRESS: _with_address,
}


def _rule(reason: Reason, flags: Flags) -> str:
    if reason is Reason.ANNOTATION_FILTER:
        return flags.annotation_filter
    if reason is not Reason.OTHER_FILTER:
        return flags.annotation_prefix
    given = {
        "label-filter": (flags.label_filter,),
        "namespace": (flags.namespace,),
        "service-type-filter": flags.service_types,
        "ingress-class": flags.ingress_classes,
    }
    return " ".join(f"--{name}={value}" for name, values in given.items() for value in values if value)


def _annotations(item: Object) -> Mapping[str, str]:
    return item["metadata"].get("annotations") or {}


def _annotated(item: Object, annotations: Mapping[str, str]) -> Object:
    return {**item, "metadata": {**item["metadata"], "annotations": annotations}}


def _quiet(level: str, message: str, *values: object, **fields: str) -> None:
    """What is asked here is no sync, and is not logged."""
