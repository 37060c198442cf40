"""Converts domain names between Route 53's spelling and lower-case labels without the root.

Labels are compared here. dnspython reads names as DNS master files spell them, with decimal escapes; Route 53
writes octal ones (`testbed.aws.route53_names`).
"""

from __future__ import annotations

import dns.name

from testbed.aws.route53_names import decimal_escapes

Labels = tuple[bytes, ...]

WILDCARD = b"*"


def labels_of(text: str) -> Labels:
    """Return the labels of a name in Route 53's spelling; `""` and `"."` are the root.

    Raises:
        dns.exception.DNSException: the text is no domain name.
    """
    return lowered(dns.name.from_text(decimal_escapes(text)))


def lowered(name: dns.name.Name) -> Labels:
    """Return the labels of an absolute name in lower case."""
    return tuple(label.lower() for label in name.labels[:-1])


def name_of(labels: Labels) -> dns.name.Name:
    """Return the absolute name with these labels."""
    return dns.name.Name((*labels, b""))


def text_of(labels: Labels) -> str:
    """Return the name as people write it, without the last dot."""
    return name_of(labels).to_text(omit_final_dot=True)


def is_below(name: Labels, zone: Labels) -> bool:
    """True if a name is in a zone, or is the zone's own name."""
    return len(name) >= len(zone) and name[len(name) - len(zone) :] == zone


def balancer_name(labels: Labels) -> str | None:
    """Return the DNS name of a load balancer without `dualstack.`; None for any other name.

    ALB: `<name>.<region>.elb.amazonaws.com`; NLB: `<name>.elb.<region>.amazonaws.com`.
    """
    domain = labels[:-1] if labels[-1:] == (b"cn",) else labels
    if len(domain) < 5 or domain[-2:] != (b"amazonaws", b"com") or b"elb" not in domain[-4:-2]:
        return None
    return text_of(labels[1:] if labels[0] == b"dualstack" else labels)
