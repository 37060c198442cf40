"""Objects that the Helm chart of the AWS Load Balancer Controller installs beside the controller."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

INGRESS_CLASS: Mapping[str, Any] = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "IngressClass",
    "metadata": {"name": "alb"},
    "spec": {"controller": "ingress.k8s.aws/alb"},
}
"""The chart's default class (`createIngressClassResource: true`)."""
