"""What a topology is set up for, whatever it is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Setup:
    """What a topology is set up for.

    Attributes:
        host: the name that the clients call.
        zone: the hosted zone.
        external_dns_version, external_dns_flags: which ExternalDNS, with which `args:`.
        connection_age: maximum age of a connection at the targets' TLS listener, production seconds.
        seed: of everything random.
        lb_controller: which version of the AWS Load Balancer Controller decides.
        calls: calls of the user's own service, as `testbed.traffic.calls.to_text` writes them; "" for the
            sample service's.
        backend_grpc, backend_rest: addresses of servers that run already, in the place of the sample ones.
        backend_command: starts a backend of the user's own for each backend pod.
        pod_labels, namespace: of the target pods.
        tls_ports, plain_ports: where the target pods listen.
        proxy_protocol: whether their TLS ports expect the PROXY protocol.
        port_names: names of these ports, for Services that lead to a name.
        port: the port that the clients call.
    """

    host: str
    zone: str
    external_dns_version: str
    external_dns_flags: Sequence[str]
    connection_age: float | None
    seed: int
    lb_controller: str = "v2.1"
    calls: str = ""
    backend_grpc: str = ""
    backend_rest: str = ""
    backend_command: str = ""
    pod_labels: Mapping[str, str] = field(default_factory=lambda: {"app": "envoy"})
    namespace: str = "default"
    tls_ports: Sequence[int] = (8443,)
    plain_ports: Sequence[int] = (8080,)
    proxy_protocol: bool = False
    port_names: Mapping[str, int] = field(default_factory=lambda: {"https": 8443, "http": 8080})
    port: int = 443
