"""Domain names as Route 53 writes them, and as they are compared here: lower-case labels, without the root.

Route 53 writes characters other than a-z, 0-9, '-' and '_' as octal escapes, so `*.example.com` comes back
as `\\052.example.com.`; DNS master files escape in decimal. Source: Route 53 Developer Guide, "DNS domain
name format".
"""

from __future__ import annotations

import re

import dns.name

Labels = tuple[bytes, ...]

WILDCARD = b"*"
_OCTAL = re.compile(r"\\([0-3][0-7]{2})")


def decimal_escapes(text: str) -> str:
    """Text of Route 53 with octal escapes, as a master file writes it, with decimal ones."""
    return _OCTAL.sub(lambda match: f"\\{int(match[1], 8):03d}", text)


def labels_of(text: str) -> Labels:
    """The labels of a name as Route 53 writes it; `""` and `"."` are the root.

    Raises:
        dns.exception.DNSException: not a domain name.
    """
    return lowered(dns.name.from_text(decimal_escapes(text)))


def lowered(name: dns.name.Name) -> Labels:
    """The labels of an absolute name, to be compared."""
    return tuple(label.lower() for label in name.labels[:-1])


def name_of(labels: Labels) -> dns.name.Name:
    """The absolute name of labels."""
    return dns.name.Name((*labels, b""))


def text_of(labels: Labels) -> str:
    """The name as people write it, without the last dot."""
    return name_of(labels).to_text(omit_final_dot=True)


def is_below(name: Labels, zone: Labels) -> bool:
    """Whether a name is in a zone, or is the zone's own."""
    return len(name) >= len(zone) and name[len(name) - len(zone) :] == zone


def balancer_name(labels: Labels) -> str | None:
    """The name of the load balancer if this is one: `<name>.<region>.elb.amazonaws.com` (ALB) or
    `<name>.elb.<region>.amazonaws.com` (NLB); `dualstack.` in front is left out.
    """
    domain = labels[:-1] if labels[-1:] == (b"cn",) else labels
    if len(domain) < 5 or domain[-2:] != (b"amazonaws", b"com") or b"elb" not in domain[-4:-2]:
        return None
    return text_of(labels[1:] if labels[0] == b"dualstack" else labels)
