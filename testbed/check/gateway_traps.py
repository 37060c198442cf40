"""Traps of Gateways and their routes.

Sources: recordings of LB Controller v3.5.0; external-dns, source/gateway.go and docs/sources/gateway-api.md;
the CRDs of Gateway API v1.6 (standard channel).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from testbed.check.findings import Severity
from testbed.check.manifest_reading import Reading
from testbed.check.rule_registry import Trap, rule
from testbed.external_dns.sources.source_table import source_of, unserved
from testbed.kubernetes import object_fields
from testbed.kubernetes.api.api_resources import BUILT_IN, CRD, custom_resources
from testbed.kubernetes.kinds import AWS_GATEWAY_GROUP, GATEWAY_GROUP, ROUTE_KINDS
from testbed.kubernetes.manifests import Manifest
from testbed.lb_controller.core.build_inputs import ClusterState
from testbed.lb_controller.core.facts import Fact
from testbed.lb_controller.gateway.gateway_objects import GRPC_ROUTE, HTTP_ROUTE, GatewayObjects
from testbed.lb_controller.gateway.route_actions import BUILT_FILTERS
from testbed.lb_controller.gateway.route_status import parent_statuses

_HERE = "the standard channel of Gateway API v1.6"


@rule("route-never-attaches", Severity.ERROR)
def route_never_attaches(reading: Reading) -> Iterator[Trap]:
    """A Gateway does not take the route, so its load balancer has no rule for it and no name leads there."""
    objects = _gateways(reading)
    for manifest in reading.of_kind(*ROUTE_KINDS):
        for parent in parent_statuses(_placed(manifest), objects, ClusterState()):
            accepted = parent.accepted
            # That a ListenerRuleConfiguration is accepted only the cluster knows.
            if accepted.is_true or accepted.reason == "IncompatibleFilters":
                continue
            name = f"Gateway {parent.parent.get('namespace') or manifest.key[1]}/{parent.parent.get('name')}"
            yield Trap(
                manifest.line("spec", "parentRefs"),
                f"{manifest.title} never attaches to the {name}: {accepted.reason}"
                + (f", {accepted.message}" if accepted.message else "")
                + "; ExternalDNS publishes no name of a route that is not accepted",
                "let it name an HTTPS listener: an HTTP listener takes HTTPRoutes alone"
                if manifest.object["kind"] == GRPC_ROUTE and "kind" in accepted.message
                else "let its parentRefs, kind, namespace and hostnames fit a listener",
            )


@rule("route-filter-refuses-gateway", Severity.ERROR)
def route_filter_refuses_gateway(reading: Reading) -> Iterator[Trap]:
    """One filter that the controller cannot build refuses the whole Gateway, with all of its routes."""
    for manifest in _attached(reading, HTTP_ROUTE, GRPC_ROUTE):
        for index, one in enumerate(object_fields.spec(manifest.object).get("rules") or ()):
            for place, each in enumerate(one.get("filters") or ()):
                if each.get("type") in BUILT_FILTERS:
                    continue
                yield Trap(
                    manifest.line("spec", "rules", index, "filters", place),
                    f"the filter {each.get('type')} of {manifest.title} cannot be built: the controller "
                    "refuses the whole Gateway, which stays as it is with every other route",
                    "take the filter away; header modification is a listener attribute in the "
                    "LoadBalancerConfiguration",
                )


@rule("route-is-not-read", Severity.ERROR)
def route_is_not_read(reading: Reading) -> Iterator[Trap]:
    """A route has the host, and ExternalDNS has no --source for its kind: the name never comes to it."""
    deployed, flags = reading.external_dns, reading.tried_flags
    if deployed is None or flags is None:
        return
    left_out = " ".join(one.what for one in (reading.emulated.left_out if reading.emulated else ()))
    for manifest in _attached(reading, *ROUTE_KINDS):
        source, hosts = source_of(manifest.object["kind"]), _hosts(manifest, reading.prefix)
        if source is None or not hosts or source.name in flags.sources or source.name in left_out:
            continue
        yield Trap(
            manifest.where,
            f"{manifest.title} has the host {hosts[0]}, and {deployed.manifest.title} has no "
            f"--source={source.name} ({deployed.where('--source')}): its name never leads to the Gateway, "
            "and once nobody else claims it, the record is deleted under policy sync",
            f"add --source={source.name}",
        )


@rule("annotation-on-gateway", Severity.WARNING)
def annotation_on_gateway(reading: Reading) -> Iterator[Trap]:
    """ExternalDNS reads `target` on a Gateway, and all other annotations on the routes."""
    for manifest in reading.of_kind("Gateway"):
        for key in object_fields.annotations_of(manifest.object):
            name = key.removeprefix(reading.prefix)
            if name not in (key, "target"):
                yield Trap(
                    manifest.line("metadata", "annotations", key),
                    f"ExternalDNS ignores {key} of {manifest.title}: of a Gateway it reads target alone",
                    "write it on the routes",
                )
    for manifest in reading.of_kind(*ROUTE_KINDS):
        key = f"{reading.prefix}target"
        if key in object_fields.annotations_of(manifest.object):
            yield Trap(
                manifest.line("metadata", "annotations", key),
                f"ExternalDNS ignores {key} of {manifest.title}: a route has the addresses of its Gateway",
                "write it on the Gateway",
            )


@rule("route-version-not-served", Severity.ERROR)
def route_version_not_served(reading: Reading) -> Iterator[Trap]:
    """ExternalDNS ends where the CRDs do not serve the version in which it reads a kind of routes."""
    deployed, flags = reading.external_dns, reading.tried_flags
    if deployed is None or flags is None:
        return
    served, crds = _served(reading)
    for kind, version in unserved(flags.sources, reading.release, lambda *one: one in served):
        yield Trap(
            deployed.where("--source"),
            f"ExternalDNS {reading.release.tag} reads {kind} in {version}, which {crds} do not serve: its "
            "cache never syncs, it ends and is started again, and no record of any name moves",
            "use a release that reads a version which the CRDs serve, install CRDs that serve it (the "
            "experimental channel), or leave out the source",
        )


@rule("gateway-version-not-read", Severity.ERROR)
def gateway_version_not_read(reading: Reading) -> Iterator[Trap]:
    """The LB controller reads a kind of its Gateways in an older version than the manifest has."""
    release = reading.lb_controller_choice.release
    if release.has(Fact.GATEWAY_KINDS_OF_V1) or not release.has(Fact.GATEWAYS_OF_LAYER_4):
        return
    first: dict[str, Manifest] = {}
    for manifest in reading.manifests:
        kind, version = manifest.object["kind"], manifest.object["apiVersion"]
        is_new = version == f"{AWS_GATEWAY_GROUP}/v1" or (
            kind in ("TCPRoute", "UDPRoute") and version == f"{GATEWAY_GROUP}/v1"
        )
        if is_new:
            first.setdefault(kind, manifest)
    for kind, manifest in first.items():
        yield Trap(
            manifest.line("apiVersion"),
            f"{release} of the LB controller reads {kind} in an older version than "
            f"{manifest.object['apiVersion']}, which its own CRDs lack: "
            f"{Fact.GATEWAY_KINDS_OF_V1.dates.since} is the first that reads it",
            "write the version that the release reads (v1beta1 of gateway.k8s.aws, v1alpha2 of the routes), "
            "or upgrade the controller after its CRDs",
        )


def _gateways(reading: Reading) -> GatewayObjects:
    return GatewayObjects.of(_placed(one) for one in reading.manifests)


def _placed(manifest: Manifest) -> Mapping[str, Any]:
    metadata = object_fields.metadata(manifest.object)
    return {**manifest.object, "metadata": {**metadata, "namespace": manifest.key[1]}}


def _attached(reading: Reading, *kinds: str) -> Iterator[Manifest]:
    """Yield the routes that a Gateway of this controller takes."""
    objects = _gateways(reading)
    for manifest in reading.of_kind(*kinds):
        if any(one.accepted.is_true for one in parent_statuses(_placed(manifest), objects, ClusterState())):
            yield manifest


def _hosts(manifest: Manifest, prefix: str) -> list[str]:
    hosts = [str(host) for host in object_fields.spec(manifest.object).get("hostnames") or ()]
    annotated = object_fields.annotations_of(manifest.object).get(f"{prefix}hostname", "")
    return [*hosts, *(host for host in annotated.replace(" ", "").split(",") if host)]


def _served(reading: Reading) -> tuple[set[tuple[str, str]], str]:
    """The versions and kinds that CRDs serve, and whose they are: those of the manifests, else assumed ones.

    A version that a route among the manifests has is served, too: somebody has written it for the cluster.
    """
    own = {
        (one.api_version, one.kind)
        for manifest in reading.of_kind(CRD)
        for one in custom_resources(manifest.object)
        if one.group == GATEWAY_GROUP
    }
    used = {(one.object["apiVersion"], one.object["kind"]) for one in reading.of_kind(*ROUTE_KINDS)}
    if own:
        return own, "the CRDs among the manifests"
    assumed: Iterable[tuple[str, str]] = ((one.api_version, one.kind) for one in BUILT_IN)
    return {*assumed, *used}, f"the CRDs of {_HERE}"
