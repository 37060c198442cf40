"""Which admission webhooks a write passes, by the configurations in the cluster. Pure.

Source: `MutatingWebhookConfiguration` and `ValidatingWebhookConfiguration` (admissionregistration.k8s.io),
apiserver pkg/admission/plugin/webhook (rules, predicates). `matchConditions`, which are CEL, count as met,
and a rule for one version of a resource matches a write in any (`matchPolicy: Equivalent`, the default).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from testbed.kubernetes.label_selectors import selects

MUTATING, VALIDATING = "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"
Operation = Literal["CREATE", "UPDATE"]
_VERSIONS = ("v1", "v1beta1")
_SECONDS = 10
"""`timeoutSeconds` where a webhook has none."""


@dataclass(frozen=True, slots=True)
class Write:
    """What a webhook's rules look at.

    Attributes:
        group, resource: `networking.k8s.io`, `ingresses`.
        labels: of the object as it will be, and `old_labels` as it is; None for a new one.
        namespace_labels: of its namespace; None for a cluster-wide object.
    """

    operation: Operation
    group: str
    resource: str
    labels: Mapping[str, str]
    old_labels: Mapping[str, str] | None = None
    namespace_labels: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook that a write passes.

    Attributes:
        name: as the API server says it, `mservice.elbv2.k8s.aws`.
        service: namespace and name of the Service that leads to it; None if a URL does.
        url: "" if a Service leads to it.
        path: of the Service's server.
        authority: `caBundle`, base64.
        ignores_failure: True if a write goes on where the webhook does not answer.
        seconds: how long it has.
        version: of the AdmissionReview that it is sent, `v1` or `v1beta1`.
    """

    name: str
    service: tuple[str, str] | None
    url: str
    path: str
    authority: str
    ignores_failure: bool
    seconds: int
    version: str = "v1"


def matching(configurations: Iterable[Mapping[str, Any]], write: Write) -> Iterator[Webhook]:
    """Yield the webhooks that a write passes: by the names of the configurations, then in their order."""
    for configuration in sorted(configurations, key=lambda item: str(item["metadata"]["name"])):
        for entry in configuration.get("webhooks") or ():
            if _takes(entry, write):
                yield _webhook(entry)


def _takes(entry: Mapping[str, Any], write: Write) -> bool:
    if not any(_covers(rule, write) for rule in entry.get("rules") or ()):
        return False
    if write.namespace_labels is not None and not selects(
        entry.get("namespaceSelector") or {}, write.namespace_labels
    ):
        return False
    # Old and new object, either counts (predicates/object).
    selector, seen = entry.get("objectSelector") or {}, (write.labels, write.old_labels)
    return any(labels is not None and selects(selector, labels) for labels in seen)


def _covers(rule: Mapping[str, Any], write: Write) -> bool:
    scope = rule.get("scope") or "*"
    is_namespaced = write.namespace_labels is not None
    return (
        _has(rule.get("operations"), write.operation)
        and _has(rule.get("apiGroups"), write.group)
        and _has(rule.get("resources"), write.resource, "*/*")
        and scope in ("*", "Namespaced" if is_namespaced else "Cluster")
    )


def _has(values: Iterable[str] | None, *wanted: str) -> bool:
    return any(value in ("*", *wanted) for value in values or ())


def _webhook(entry: Mapping[str, Any]) -> Webhook:
    client = entry.get("clientConfig") or {}
    service = client.get("service")
    return Webhook(
        name=str(entry.get("name", "")),
        service=(str(service.get("namespace", "")), str(service.get("name", ""))) if service else None,
        url=str(client.get("url") or ""),
        path=str((service or {}).get("path") or "/"),
        authority=str(client.get("caBundle") or ""),
        ignores_failure=entry.get("failurePolicy") == "Ignore",
        seconds=int(entry.get("timeoutSeconds") or _SECONDS),
        version=next((one for one in entry.get("admissionReviewVersions") or () if one in _VERSIONS), "v1"),
    )
