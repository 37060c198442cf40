"""Target groups of a Gateway: one for each route, Service and port, by TargetGroupConfigurations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from testbed.kubernetes import object_fields
from testbed.lb_controller.core import resource_names, service_ports, tags
from testbed.lb_controller.core.build_inputs import BuildError, ControllerOptions, KubernetesObject
from testbed.lb_controller.core.facts import Fact
from testbed.lb_controller.core.feature_gates import takes_ip_targets
from testbed.lb_controller.core.service_ports import INSTANCE, IP
from testbed.lb_controller.core.stack import (
    GRPC,
    HTTP1,
    HTTP2,
    TRAFFIC_PORT,
    HealthCheck,
    Kind,
    Matcher,
    NetworkingRule,
    Ref,
    Reference,
    TargetGroup,
    TargetGroupBinding,
)
from testbed.lb_controller.gateway.gateway_objects import GRPC_ROUTE, TLS_ROUTE, UDP_ROUTE, GatewayObjects
from testbed.lb_controller.gateway.gateway_settings import NETWORK, merged

_INTERVAL, _TIMEOUT, _THRESHOLD = 15, 5, 3
"""Defaults in seconds and checks; an Ingress has 2 checks (recorded at v3.5.0)."""
_HTTP_CODES, _GRPC_CODES, _GRPC_PATH = "200-399", "12", "/AWS.ALB/healthcheck"
_H2C = "kubernetes.io/h2c"
_EMPTY_PORT = (
    "TargetGroup port is empty. When using Instance targets, "
    "your service must be of type 'NodePort' or 'LoadBalancer'"
)


@dataclass(slots=True)
class TargetGroups:
    """The target groups of a Gateway, made as rules name them.

    Attributes:
        balancer_type: `application` or `network`.
        settings: the LoadBalancerConfiguration of the Gateway.
    """

    gateway: KubernetesObject
    balancer_type: str
    settings: Mapping[str, Any]
    objects: GatewayObjects
    options: ControllerOptions
    backend_security_group: Reference | None = None
    is_dualstack: bool = False
    groups: dict[str, TargetGroup] = field(default_factory=dict)
    bindings: dict[str, TargetGroupBinding] = field(default_factory=dict)

    def of(
        self,
        route: KubernetesObject,
        service: KubernetesObject,
        port: int,
        listener: Mapping[str, Any],
    ) -> Ref:
        """Return the target group of a Service port behind a route, and make it if it is the first to ask.

        A group has no listener in its name. Listeners are built by rising port, so the one that a listener
        on 80 asked for, which is HTTP1, serves the one on 443, too.

        Raises:
            BuildError: the Service has no such port, or a setting is invalid.
        """
        service_port = service_ports.service_port(service, port)
        target_port = service_ports.target_port(service_port)
        identity = (
            f"{object_fields.key(self.gateway)}:{object_fields.namespace(route)}-{object_fields.name(route)}"
            f":{route['kind']}-{object_fields.namespace(service)}-{object_fields.name(service)}:{target_port}"
        )
        reference = Ref(Kind.TARGET_GROUP, identity)
        if identity not in self.groups:
            settings = self._settings(route, service)
            group = self._group(identity, route, service, service_port, settings, listener)
            self.groups[identity] = group
            self.bindings[identity] = self._binding(group, service, port, service_port, settings)
        return reference

    def _settings(self, route: KubernetesObject, service: KubernetesObject) -> Mapping[str, Any]:
        """The default of the load balancer, over it the Service's own, over both those for the route."""
        default = (self.settings.get("defaultTargetGroupConfiguration") or {}).get("name")
        key = (object_fields.namespace(self.gateway), str(default))
        of_balancer = object_fields.spec(self.objects.target_group_configurations.get(key))
        of_service = self.objects.target_group_configuration(service)
        found = merged(
            of_balancer.get("defaultConfiguration") or {}, of_service.get("defaultConfiguration") or {}
        )
        matching = [
            one
            for one in of_service.get("routeConfigurations") or ()
            if _means(one.get("routeIdentifier") or {}, route)
        ]
        # The one that says most about the route wins.
        for one in sorted(matching, key=lambda one: len(one.get("routeIdentifier") or {})):
            found = merged(found, one.get("targetGroupProps") or {})
        return found

    def _group(
        self,
        identity: str,
        route: KubernetesObject,
        service: KubernetesObject,
        service_port: Mapping[str, Any],
        settings: Mapping[str, Any],
        listener: Mapping[str, Any],
    ) -> TargetGroup:
        target_type = settings.get("targetType") or self.options.default_target_type
        if target_type not in (INSTANCE, IP):
            raise BuildError(f"unknown targetType: {target_type}")
        if target_type == IP and not takes_ip_targets(self.options):
            raise BuildError(f"unsupported targetType: {target_type} when EnableIPTargetType is false")
        protocol = settings.get("protocol") or self._protocol(route, listener)
        version = self._version(route, service_port, settings, listener)
        group_port = service_ports.target_group_port(service_port, target_type)
        if not group_port:
            raise BuildError(_EMPTY_PORT)
        is_ipv6 = "IPv6" in (object_fields.spec(service).get("ipFamilies") or ())
        if is_ipv6 and not self.is_dualstack:
            raise BuildError("unsupported IPv6 configuration, lb not dual-stack")
        own_tags = settings.get("tags") or {}
        tags.check_external(own_tags, self.options)
        return TargetGroup(
            id=identity,
            name=settings.get("targetGroupName")
            or self._name(route, service, group_port, target_type, protocol, version),
            target_type=target_type,
            port=group_port,
            protocol=protocol,
            protocol_version=version,
            ip_address_type="ipv6" if is_ipv6 else "ipv4",
            health_check=self._health_check(service, settings, target_type, protocol, version),
            target_control_port=settings.get("targetControlPort"),
            attributes={one["key"]: one["value"] for one in settings.get("targetGroupAttributes") or ()},
            tags=tags.with_defaults(own_tags, self.options),
        )

    def _protocol(self, route: KubernetesObject, listener: Mapping[str, Any]) -> str:
        if self.balancer_type != NETWORK:
            return "HTTP"
        if route["kind"] == UDP_ROUTE:
            return "UDP"
        ends_tls = (listener.get("tls") or {}).get("mode", "Terminate") == "Terminate"
        return "TLS" if route["kind"] == TLS_ROUTE and ends_tls else "TCP"

    def _version(
        self,
        route: KubernetesObject,
        service_port: Mapping[str, Any],
        settings: Mapping[str, Any],
        listener: Mapping[str, Any],
    ) -> str | None:
        if self.balancer_type == NETWORK:
            return None
        # Only HTTPS listeners speak HTTP/2; AWS refuses such a group behind a listener of HTTP.
        if listener.get("protocol") != "HTTPS":
            return HTTP1
        if route["kind"] == GRPC_ROUTE:
            return GRPC
        by_service = HTTP2 if service_port.get("appProtocol") == _H2C else HTTP1
        return str(settings.get("protocolVersion") or by_service)

    def _name(
        self,
        route: KubernetesObject,
        service: KubernetesObject,
        group_port: int,
        target_type: str,
        protocol: str,
        version: str | None,
    ) -> str:
        suffix = resource_names.digest(
            self.options.cluster_name,
            object_fields.namespace(self.gateway),
            object_fields.name(self.gateway),
            object_fields.namespace(route),
            object_fields.name(route),
            route["kind"],
            object_fields.namespace(service),
            object_fields.name(service),
            group_port,
            target_type,
            protocol,
            version or "",
        )
        return resource_names.object_name(object_fields.namespace(route), object_fields.name(route), suffix)

    def _health_check(
        self,
        service: KubernetesObject,
        settings: Mapping[str, Any],
        target_type: str,
        protocol: str,
        version: str | None,
    ) -> HealthCheck:
        wanted = settings.get("healthCheckConfig") or {}
        checked = wanted.get("healthCheckProtocol") or ("TCP" if self.balancer_type == NETWORK else protocol)
        is_http = checked in ("HTTP", "HTTPS")
        codes = wanted.get("matcher") or {}
        matcher = Matcher(http_code=codes.get("httpCode") or _HTTP_CODES)
        if version == GRPC:
            matcher = Matcher(grpc_code=codes.get("grpcCode") or _GRPC_CODES)
        return HealthCheck(
            port=service_ports.resolve_health_check_port(
                service, str(wanted.get("healthCheckPort") or TRAFFIC_PORT), target_type
            ),
            protocol=checked,
            path=(wanted.get("healthCheckPath") or (_GRPC_PATH if version == GRPC else "/"))
            if is_http
            else None,
            matcher=matcher if is_http else None,
            interval_seconds=wanted.get("healthCheckInterval") or _INTERVAL,
            timeout_seconds=wanted.get("healthCheckTimeout") or _TIMEOUT,
            healthy_threshold=wanted.get("healthyThresholdCount") or _THRESHOLD,
            unhealthy_threshold=wanted.get("unhealthyThresholdCount") or _THRESHOLD,
        )

    def _binding(
        self,
        group: TargetGroup,
        service: KubernetesObject,
        port: int,
        service_port: Mapping[str, Any],
        settings: Mapping[str, Any],
    ) -> TargetGroupBinding:
        target_port = (
            service_port.get("nodePort") or 0
            if group.target_type == INSTANCE
            else service_ports.target_port(service_port)
        )
        has_protocol = self.options.release.has(Fact.BINDING_HAS_PROTOCOL)
        return TargetGroupBinding(
            id=group.id,
            name=group.name,
            namespace=object_fields.namespace(service),
            service_name=object_fields.name(service),
            service_port=port,
            target_group=Ref(Kind.TARGET_GROUP, group.id),
            target_type=group.target_type,
            target_group_protocol=group.protocol if has_protocol else None,
            ip_address_type=group.ip_address_type,
            vpc_id=self.options.vpc_id,
            networking=self._networking(group, target_port),
            node_selector=settings.get("nodeSelector") if group.target_type == INSTANCE else None,
            multi_cluster=bool(settings.get("enableMultiCluster")),
        )

    def _networking(self, group: TargetGroup, target_port: int | str) -> tuple[NetworkingRule, ...]:
        source = self.backend_security_group
        if source is None:
            return ()
        protocol = "UDP" if group.protocol == "UDP" else "TCP"
        ports = [(protocol, target_port)]
        if group.health_check.port != TRAFFIC_PORT:
            ports.append(("TCP", group.health_check.port))
        return tuple(NetworkingRule(ports=(port,), security_groups=(source,)) for port in ports)


def _means(identifier: Mapping[str, Any], route: KubernetesObject) -> bool:
    return (
        identifier.get("kind") in (None, "", route["kind"])
        and identifier.get("namespace") in (None, "", object_fields.namespace(route))
        and identifier.get("name") in (None, "", object_fields.name(route))
    )
