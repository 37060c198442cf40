"""Finding ACM certificates for the hosts of an Ingress (pkg/certs/cert_discovery.go)."""

from __future__ import annotations

from collections.abc import Iterable

from testbed.lb_controller.core.build_inputs import BuildError, Certificate


def discover(hosts: Iterable[str], certificates: Iterable[Certificate]) -> tuple[str, ...]:
    """ARNs of all issued certificates that match one of the hosts, sorted.

    Raises:
        BuildError: no certificate matches one of the hosts.
    """
    issued = [certificate for certificate in certificates if certificate.status == "ISSUED"]
    found: set[str] = set()
    for host in hosts:
        matching = {
            certificate.arn
            for certificate in issued
            if any(name_matches(name, host) for name in certificate.names)
        }
        if not matching:
            raise BuildError(f"no certificate found for host: {host}")
        found |= matching
    return tuple(sorted(found))


def name_matches(name: str, host: str) -> bool:
    """True if a certificate's name covers a host: equal, or with `*.` in place of exactly one label."""
    if not name.startswith("*."):
        return name == host
    labels, wanted = name.split("."), host.split(".")
    return len(labels) == len(wanted) and labels[1:] == wanted[1:]
