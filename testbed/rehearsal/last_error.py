"""The last error of a controller about the objects of a balancer: why a condition does not hold, often."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from testbed.journal.events import SUCCESSES
from testbed.network import BALANCER_TYPES
from testbed.rehearsal.observer import Observer

_KINDS = {"nlb": ("service", "gateway"), "alb": ("ingress", "gateway")}
"""The kinds of the objects that make the balancers of a type."""


def of_balancer(observer: Observer, balancer: str) -> str:
    """Return what a controller could not do about a balancer and has not done since; "" if there is no such.

    Args:
        observer: sees the events of the objects.
        balancer: a name of the balancer, "" for none.
    """
    if not balancer:
        return ""
    is_concerned = _concerned(observer, balancer)
    latest: dict[str, dict[str, Any]] = {}
    for event in sorted(observer.topology.cluster.objects.list("Event"), key=_version):
        about = event["involvedObject"]
        title = "/".join(filter(None, (about["kind"].lower(), about.get("namespace"), about["name"])))
        if event["type"] == "Warning":
            latest[title] = event
        elif event["reason"] in SUCCESSES:
            latest.pop(title, None)
    # An object that is gone needs nothing more.
    open_ones = [
        (title, event)
        for title, event in latest.items()
        if is_concerned(title) and _exists(observer, event["involvedObject"])
    ]
    if not open_ones:
        return ""
    title, event = max(open_ones, key=lambda one: _version(one[1]))
    return f"{title}: {event['reason']}: {event['message']}"


def of_external_dns(observer: Observer) -> str:
    """Return the last error that ExternalDNS logged since the step began; "" if it logged none."""
    message = observer.external_dns_error_in_step()
    return f"external-dns: {message}" if message else ""


def _concerned(observer: Observer, balancer: str) -> Callable[[str], bool]:
    known = {one.owner for one in observer.names.resolve(balancer) if one.owner}
    owners = known or {observer.names.given.get(balancer, balancer)}
    # Any Ingress may be a member of a group.
    kinds = {kind for one in owners if one in BALANCER_TYPES for kind in _KINDS[one]}
    kinds |= {"ingress" for one in owners if one.startswith("ingress-group/")}
    return lambda title: title in owners or title.partition("/")[0] in kinds


def _exists(observer: Observer, about: Mapping[str, Any]) -> bool:
    found = observer.topology.cluster.objects.get(
        about["kind"], about.get("namespace") or None, about["name"]
    )
    return found is not None


def _version(event: Mapping[str, Any]) -> int:
    return int(event["metadata"]["resourceVersion"])
