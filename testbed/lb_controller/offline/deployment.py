"""The AWS Load Balancer Controller as it is installed by the manifests: release, flags, Service webhook.

The Service webhook is on by the chart's default. It is off where the rendered chart is among the manifests
(the Deployment is) without the webhook's configuration, and where a HelmRelease or an Application sets
`enableServiceMutatorWebhook: false`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import yaml

from testbed.dated_releases import Release
from testbed.kubernetes.deployed_controller import DeployedController
from testbed.kubernetes.manifests import Manifest
from testbed.kubernetes.pod_containers import pod_containers
from testbed.lb_controller.core.build_inputs import ControllerOptions
from testbed.lb_controller.offline.controller_flags import flags_of
from testbed.lb_controller.service.service_mutator import WEBHOOK
from testbed.releases import LB_CONTROLLER

CHART_VALUE = "enableServiceMutatorWebhook"
_CONFIGURATION = "MutatingWebhookConfiguration"
_DEEPEST = 12
"""Levels of a custom resource that are searched for the chart's value."""

_IMAGE = re.compile(r"(?:^|/)aws-load-balancer-controller(?:[:@]|$)")
# v2.0 and v2.1 still had the image name of v1, another program, in their installation manifest.
_EARLY_IMAGE = re.compile(r"(?:^|/)aws-alb-ingress-controller:v2\.")


def lb_controller(manifests: Iterable[Manifest]) -> DeployedController | None:
    """Return the first Deployment whose image is the controller's."""
    for container in pod_containers(manifests):
        if _IMAGE.search(container.image) or _EARLY_IMAGE.search(container.image):
            return DeployedController(LB_CONTROLLER, container)
    return None


def options_of(manifests: Sequence[Manifest], release: Release) -> ControllerOptions:
    """The options of the controller that the manifests install, with its defaults for what none of them sets.

    Args:
        manifests: custom resources among them are searched for the chart's values.

    Raises:
        BadInput: a flag has a value with which the controller ends at its start.
    """
    known = [one for one in manifests if not one.is_custom]
    deployed = lb_controller(known)
    options = flags_of(deployed.container if deployed else None, release).options(release)
    return replace(options, service_webhook=has_service_webhook(manifests))


def has_service_webhook(manifests: Sequence[Manifest]) -> bool:
    """True unless the manifests say that the Service webhook is not installed."""
    for manifest in manifests:
        if manifest.is_custom:
            for value in _values(manifest.object, _DEEPEST):
                return value not in (False, "false")
    known = [one for one in manifests if not one.is_custom]
    if lb_controller(known) is None:
        return True
    return any(
        webhook.get("name") == WEBHOOK
        for one in known
        if one.object.get("kind") == _CONFIGURATION
        for webhook in one.object.get("webhooks") or ()
    )


def _values(item: Any, levels: int) -> Iterator[Any]:
    """The chart's value wherever a custom resource has it: a field, a Helm parameter, a text of YAML."""
    if levels == 0:
        return
    if isinstance(item, Mapping):
        if CHART_VALUE in item:
            yield item[CHART_VALUE]
        if item.get("name") == CHART_VALUE and "value" in item:
            yield item["value"]
        for inner in item.values():
            yield from _values(inner, levels - 1)
    elif isinstance(item, Sequence) and not isinstance(item, str):
        for inner in item:
            yield from _values(inner, levels - 1)
    elif isinstance(item, str) and CHART_VALUE in item:
        try:
            yield from _values(yaml.safe_load(item), levels - 1)
        except yaml.YAMLError:
            return
