"""The validation of endpoints (v0.21+): what no provider could take is left out.

Source: external-dns, endpoint/endpoint.go (CheckEndpoint).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping

from testbed.external_dns.core.endpoint import Endpoint

_MOST = 2**16 - 1
_ALIAS_TYPES = ("A", "AAAA", "CNAME")
_REVERSE = (".in-addr.arpa", ".ip6.arpa")


def is_valid(endpoint: Endpoint) -> bool:
    """True if the targets fit the type, and an alias is set only on a type that can be one."""
    is_alias = endpoint.properties.get("alias") == "true"
    if is_alias:
        return endpoint.type in _ALIAS_TYPES
    if endpoint.type == "PTR" and not endpoint.name.rstrip(".").endswith(_REVERSE):
        return False
    check = _CHECKS.get(endpoint.type)
    return check is None or all(map(check, endpoint.targets))


def _is_address(version: int) -> Callable[[str], bool]:
    return lambda target: _version(target) == version


def _version(target: str) -> int:
    try:
        return ipaddress.ip_address(target).version
    except ValueError:
        return 0


def _is_mx(target: str) -> bool:
    """`10 mail.example.com`."""
    return _has_numbers(target, 1)


def _is_srv(target: str) -> bool:
    """`10 5 443 host.example.com.`: priority, weight, port, and a host with its final dot."""
    return _has_numbers(target, 3) and target.endswith(".")


def _has_numbers(target: str, count: int) -> bool:
    *numbers, host = target.split()
    return len(numbers) == count and bool(host) and all(n.isdigit() and int(n) <= _MOST for n in numbers)


_CHECKS: Mapping[str, Callable[[str], bool]] = {
    "A": _is_address(4),
    "AAAA": _is_address(6),
    "MX": _is_mx,
    "SRV": _is_srv,
    "PTR": lambda target: _version(target) == 0,
}
