"""Everything that the API server refuses of an object that it could decode: one entry for all kinds. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from testbed.kubernetes.kinds import is_custom
from testbed.kubernetes.rules import definition_rules, ingress_rules, metadata_rules, service_rules
from testbed.kubernetes.rules.problems import Problem


def problems(
    item: Mapping[str, Any],
    old: Mapping[str, Any] | None = None,
    node_ports: Collection[int] = (),
    sent_as: str = "",
) -> Iterator[Problem]:
    """Yield every problem of an object, in the order in which the API server lists them.

    Args:
        item: the object in the version that it is stored as, without nulls and unknown fields.
        old: the object as it is stored, None for a new one.
        node_ports: the node ports of other Services.
        sent_as: the API version in which the client sent it, if not in that of `item`.
    """
    kind = item["kind"]
    if is_custom(item["apiVersion"]):
        # Its kind may be called Service, as Knative's; the schema of its CRD refuses nothing here.
        yield from metadata_rules.problems("", item["metadata"])
        return
    yield from metadata_rules.problems(kind, item["metadata"])
    if kind == "Service":
        yield from service_rules.problems(item, old, node_ports)
    elif kind == "Ingress":
        yield from ingress_rules.problems(item, old, sent_as)
    elif kind == "IngressClass":
        yield from ingress_rules.class_problems(item, old)
    elif kind == "CustomResourceDefinition":
        yield from definition_rules.problems(item)
