"""Annotations that the object's controller does not read, though another release or controller does.

Sources: AWS Load Balancer Controller, docs/guide/{ingress,service}/annotations.md; cloud-provider-aws,
pkg/providers/v1/aws.go; EKS user guide, auto-configure-alb and auto-configure-nlb; ingress-nginx,
annotations.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from testbed.check.findings import Severity
from testbed.check.manifest_reading import ALB, NLB, Reading, annotated
from testbed.check.rule_registry import Trap, rule
from testbed.kubernetes import object_fields
from testbed.kubernetes.manifests import Manifest
from testbed.lb_controller.core import annotation_dates
from testbed.lb_controller.offline.stack_plan import OWNER
from testbed.lb_controller.offline.unplanned import AUTO_MODE, CLASSIC
from testbed.lb_controller.service import in_tree_nlb

SCHEME = f"{NLB}scheme"
_OTHERS = {
    "nginx.ingress.kubernetes.io/": "ingress-nginx",
    "nginx.org/": "the NGINX Ingress Controller",
    "traefik.ingress.kubernetes.io/": "Traefik",
    "konghq.com/": "Kong",
    "haproxy.org/": "HAProxy",
    "haproxy-ingress.github.io/": "HAProxy Ingress",
    "appgw.ingress.kubernetes.io/": "Azure's Application Gateway",
}
"""Prefixes of annotations that only one controller of Ingresses reads."""
_NETWORKS = re.compile(r"(white|allow|deny|black)-?list")
_AUTHENTICATION = re.compile(r"auth-(url|type|secret|tls-secret|signin)|basic-auth")
_OF_BACKENDS = re.compile(
    r"(target-type|backend-protocol|success-codes|healthcheck-|(un)?healthy-threshold|target-group-attributes|"
    r"tags|target-node-labels|multi-cluster-target-group|target-control-port|auth-|jwt-validation)"
)
"""What the controller also reads of a Service behind an Ingress."""
_CLASSIC_ONLY = ("connection-draining-enabled", "connection-draining-timeout", "connection-idle-timeout")
_SIGNS = {
    "nginx.ingress.kubernetes.io/": "nginx",
    "traefik.ingress.kubernetes.io/": "traefik",
    "konghq.com/": "kong",
    "haproxy": "haproxy",
    ALB: AUTO_MODE.lower(),
}
"""By the prefix that a controller reads, what its class or controller is called."""
_NOT_IN_AUTO_MODE = ("type", "internal", "proxy-protocol")
_TO_CONTROLLER = (
    "let the AWS Load Balancer Controller make the NLB: set spec.loadBalancerClass: service.k8s.aws/nlb on a "
    "new Service"
)


@rule("annotation-of-a-later-release", Severity.WARNING)
def annotation_of_a_later_release(reading: Reading) -> Iterator[Trap]:
    """The release of the controller does not know an annotation and ignores it silently."""
    for one in reading.plan.unread:
        yield Trap(one.where, str(one), f"upgrade to {one.since} or later, or remove the annotation")


@rule("scheme-not-read", Severity.ERROR)
def scheme_not_read(reading: Reading) -> Iterator[Trap]:
    """The cloud provider does not read the scheme, so the load balancer faces the internet, or does not."""
    for manifest, kind, scheme in _of_the_provider(reading):
        asked = object_fields.annotations_of(manifest.object).get(SCHEME)
        if asked is not None and asked != scheme:
            value = "true" if asked == "internal" else "false"
            yield Trap(
                annotated(manifest, SCHEME),
                f"{manifest.title} asks for the scheme {asked}, but the cloud provider makes its {kind} and "
                f"does not read {SCHEME}: the {kind} is {scheme}",
                f'set {NLB}internal: "{value}", or {_TO_CONTROLLER}',
            )


@rule("annotation-not-read", Severity.WARNING)
def annotation_not_read(reading: Reading) -> Iterator[Trap]:
    """The controller that makes the load balancer of a Service does not read an annotation."""
    for manifest, kind, _ in _of_the_provider(reading):
        keys = _keys(
            manifest,
            lambda key, of_nlb=kind == "NLB": (
                (  # type: ignore[misc]
                    bool(annotation_dates.first_release(key))
                    and key.removeprefix(NLB) not in in_tree_nlb.READ
                    and key != SCHEME
                )
                or (of_nlb and key.removeprefix(NLB) in _CLASSIC_ONLY)
            ),
        )
        if keys:
            yield Trap(
                annotated(manifest, keys[0]),
                f"{_no_effect(keys, manifest)}: the cloud provider makes its {kind} and does not read "
                f"{_them(keys)}",
                f"remove {_them(keys)}"
                if all(key.removeprefix(NLB) in _CLASSIC_ONLY for key in keys)
                else _TO_CONTROLLER,
            )
    for manifest in reading.of_kind("Service"):
        stack, other = reading.stack_of(manifest), reading.unplanned.get(manifest.title)
        if stack and stack.owner == OWNER:
            unread, who, do = (
                _CLASSIC_ONLY,
                "a Classic Load Balancer has such a setting, an NLB has not",
                "remove",
            )
        elif other and other.taker.startswith(AUTO_MODE):
            unread, who = _NOT_IN_AUTO_MODE, f"{AUTO_MODE} makes its NLB and does not read {{}}"
            do = "use spec.loadBalancerClass, -scheme and -target-group-attributes instead of"
        else:
            continue
        keys = _keys(manifest, lambda key, names=unread: key.removeprefix(NLB) in names)  # type: ignore[misc]
        if keys:
            yield Trap(
                annotated(manifest, keys[0]),
                f"{_no_effect(keys, manifest)}: {who.format(_them(keys))}",
                f"{do} {_them(keys)}",
            )


@rule("annotation-of-another-kind", Severity.WARNING)
def annotation_of_another_kind(reading: Reading) -> Iterator[Trap]:
    """An annotation of load balancers stands on an object of another kind, where nothing reads it."""
    behind = {
        ("Service", one.namespace, one.service_name)
        for stack in reading.plan.stacks
        for one in (stack.stack.bindings if stack.stack else ())
    }
    for manifest in reading.of_kind("Service", "Ingress"):
        kind = object_fields.spec(manifest.object).get("type") or "ClusterIP"
        given = [
            key
            for key in object_fields.annotations_of(manifest.object)
            if key.startswith((ALB, NLB)) and annotation_dates.first_release(key)
        ]
        if manifest.object["kind"] == "Ingress":
            keys = [key for key in given if key.startswith(NLB)]
            why = f"Services of type LoadBalancer have {_them(keys)}"
            do = f"use the annotations {ALB}… of Ingresses"
        else:
            keys = [
                key for key in given if key.startswith(ALB) and not _OF_BACKENDS.match(key.removeprefix(ALB))
            ]
            why, do = f"Ingresses have {_them(keys)}", "move it to the Ingress"
            if not keys and kind not in ("LoadBalancer", "ExternalName") and manifest.key not in behind:
                keys = [key for key in given if key.startswith(NLB)]
                why = f"the Service is of type {kind}, so no controller makes a load balancer for it"
                do = "set spec.type: LoadBalancer, or remove it"
        if keys:
            yield Trap(annotated(manifest, keys[0]), f"{_no_effect(keys, manifest)}: {why}", do)


@rule("annotation-of-another-controller", Severity.WARNING)
def annotation_of_another_controller(reading: Reading) -> Iterator[Trap]:
    """An Ingress has annotations of a controller that does not make its load balancer."""
    for manifest in reading.of_kind("Ingress"):
        keys = [key for key in _of_others(reading, manifest) if not _limit(key)]
        if keys:
            names = dict.fromkeys(name for key in keys if (name := _reader(key)))
            yield Trap(
                annotated(manifest, keys[0]),
                f"{_no_effect(keys, manifest)}: its load balancer is made by {_taker(reading, manifest)}, "
                f"and only {' and '.join(names)} reads {_them(keys)}",
                "say it in the controller's own annotations, or remove what is left of the other controller",
            )


@rule("limits-not-read", Severity.ERROR)
def limits_not_read(reading: Reading) -> Iterator[Trap]:
    """An allow-list or authentication of another controller's annotations is dropped: all are admitted."""
    for manifest in reading.of_kind("Ingress"):
        stack = reading.stack_of(manifest)
        if stack is None:
            continue  # another controller may read them
        own = [
            key.removeprefix(ALB)
            for one in reading.members(stack)
            for key in object_fields.annotations_of(one.object)
        ]
        for key in _of_others(reading, manifest):
            instead = _limit(key)
            if instead and not any(one in own for one in instead):
                yield Trap(
                    annotated(manifest, key),
                    f"{manifest.title} limits access by {key}, which the AWS Load Balancer Controller does "
                    f"not "
                    "read: the ALB admits everyone",
                    f"set {ALB}{instead[0]}, or keep the limit at the targets",
                )


@rule("claimed-if-new", Severity.NOTE)
def claimed_if_new(reading: Reading) -> Iterator[Trap]:
    """A standing Service would get another load balancer if it were deleted and applied again."""
    for one in reading.plan.applied_anew:
        yield Trap(
            one.where,
            str(one),
            "read it as new with --new; to keep the present balancer, never delete the Service",
        )


def _of_the_provider(reading: Reading) -> Iterator[tuple[Manifest, str, str]]:
    """Yield the Services whose load balancer the cloud provider makes, its kind and its scheme."""
    by_title = {manifest.title: manifest for manifest in reading.manifests}
    for planned in reading.plan.stacks:
        if planned.owner == in_tree_nlb.OWNER and planned.stack and planned.stack.load_balancer:
            for title in planned.members:
                yield by_title[title], "NLB", planned.stack.load_balancer.scheme
    for title, other in reading.unplanned.items():
        if other.taker == CLASSIC:
            internal = in_tree_nlb.is_internal(object_fields.annotations_of(by_title[title].object))
            yield by_title[title], "Classic Load Balancer", "internal" if internal else "internet-facing"


def _of_others(reading: Reading, manifest: Manifest) -> list[str]:
    """The annotations of an Ingress that belong to another controller than the one that takes it."""
    prefix = ALB
    if reading.stack_of(manifest) is None:
        other = reading.unplanned.get(manifest.title)
        known = next((one for one, name in _SIGNS.items() if other and name in other.taker.lower()), None)
        if known is None:
            return []
        prefix = known
    return [
        key
        for key in object_fields.annotations_of(manifest.object)
        if key.startswith((ALB, *_OTHERS)) and not key.startswith(prefix)
    ]


def _taker(reading: Reading, manifest: Manifest) -> str:
    other = reading.unplanned.get(manifest.title)
    return other.taker if other else f"the {OWNER}"


def _reader(key: str) -> str:
    return next((name for prefix, name in _OTHERS.items() if key.startswith(prefix)), f"the {OWNER}")


def _limit(key: str) -> tuple[str, ...]:
    """The annotations by which an ALB limits access as this one of another controller does; () if none."""
    name = key.partition("/")[2]
    if _NETWORKS.search(name):
        return "inbound-cidrs", "security-groups", "security-group-prefix-lists", "wafv2-acl-arn"
    return ("auth-type", "jwt-validation") if _AUTHENTICATION.search(name) else ()


def _keys(manifest: Manifest, is_unread: Callable[[str], bool]) -> list[str]:
    given = object_fields.annotations_of(manifest.object)
    return [key for key in given if key.startswith(NLB) and is_unread(key)]


def _no_effect(keys: Sequence[str], manifest: Manifest) -> str:
    return f"{', '.join(keys)} of {manifest.title} {'has' if len(keys) == 1 else 'have'} no effect"


def _them(keys: Sequence[str]) -> str:
    return "it" if len(keys) == 1 else "them"
