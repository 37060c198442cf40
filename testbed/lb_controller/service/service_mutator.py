"""The mutating webhook that claims new Services for this controller (webhooks/core/service_mutator.go).

A Service of type LoadBalancer that is created without `spec.loadBalancerClass` gets the controller's class,
whatever its `aws-load-balancer-type` says; one that stands already never does. The chart installs it by
default (`enableServiceMutatorWebhook: true`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from testbed.kubernetes import object_fields
from testbed.lb_controller.core.build_inputs import ControllerOptions, KubernetesObject
from testbed.lb_controller.core.facts import Fact

CLASS = "loadBalancerClass"
WEBHOOK = "mservice.elbv2.k8s.aws"
"""The name of the webhook in the chart's MutatingWebhookConfiguration."""


def is_on(options: ControllerOptions) -> bool:
    """True if new Services pass through the webhook."""
    return options.service_webhook and options.release.has(Fact.SERVICE_WEBHOOK)


def claims(service: KubernetesObject, options: ControllerOptions) -> bool:
    """True if the webhook gives the Service a class when it is created."""
    spec = object_fields.spec(service)
    is_open = spec.get("type") == "LoadBalancer" and not spec.get(CLASS)
    return is_on(options) and service.get("kind") == "Service" and is_open


def as_created(service: KubernetesObject, options: ControllerOptions) -> dict[str, Any]:
    """The object as it stands once it is created."""
    if not claims(service, options):
        return dict(service)
    return {**service, "spec": {**object_fields.spec(service), CLASS: options.load_balancer_class}}


def mutator(
    options: ControllerOptions, begun: Callable[[], bool]
) -> Callable[[Mapping[str, Any], Mapping[str, Any] | None], dict[str, Any]]:
    """The webhook for a cluster's store, as `ObjectStore.mutators` takes it.

    Args:
        begun: tells whether the controller is installed; what is created before stands without its class.
    """

    def mutate(item: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
        if old is None:
            return as_created(item, options) if begun() else dict(item)
        given = object_fields.spec(old).get(CLASS)
        if given != options.load_balancer_class or not claims(item, options):
            return dict(item)
        # A manifest that is applied again does not name the class, and `kubectl apply` leaves it as it is.
        return {**item, "spec": {**object_fields.spec(item), CLASS: given}}

    return mutate
