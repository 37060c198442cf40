"""Manifests of Ingress groups, written by a line each, and the plan of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from testbed.dated_releases import LB_CONTROLLER_RELEASES, Release
from testbed.kubernetes import manifests
from testbed.kubernetes.manifests import Manifest
from testbed.lb_controller.core.build_inputs import ControllerOptions
from testbed.lb_controller.offline.stack_plan import Plan, plan

STORY = Path(__file__).parents[3] / "scenarios" / "zozomat" / "manifests"
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports:
    - {name: http, port: 80, targetPort: 8080}
---
"""
INGRESS = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: NAME
  annotations:
    kubernetes.io/ingress.class: alb
    alb.ingress.kubernetes.io/group.name: app
    alb.ingress.kubernetes.io/target-type: ip
ANNOTATIONS
spec:
  rules:
    - host: api.example.com
      http:
        paths:
          - path: PATH
            backend: {service: {name: web, port: {number: 80}}}
            pathType: ImplementationSpecific
---
"""
HTTPS = "listen-ports: '[{\"HTTPS\": 443}]'"
CERTIFICATE = "certificate-arn: one"
GRPC = "backend-protocol-version: GRPC"
LONG = "load-balancer-attributes: idle_timeout.timeout_seconds=4000"
BOTH = 'listen-ports: \'[{"HTTP": 80}, {"HTTPS": 443}]\''
REDIRECT = "ssl-redirect: '443'"


def ingress(name: str, path: str, *annotations: str) -> str:
    lines = "\n".join(f"    alb.ingress.kubernetes.io/{item}" for item in annotations)
    return INGRESS.replace("NAME", name).replace("PATH", path).replace("ANNOTATIONS", lines)


def with_default_backend(name: str, *annotations: str) -> str:
    head, _, _ = ingress(name, "/", *annotations).partition("  rules:")
    return head + "  defaultBackend: {service: {name: web, port: {number: 80}}}\n---\n"


def parsed(*documents: str) -> Sequence[Manifest]:
    """The Service `web` and further documents, as if read from `app.yaml`."""
    return manifests.parse(SERVICE + "".join(documents), Path("app.yaml"))


def planned(*documents: str, release: Release = LB_CONTROLLER_RELEASES.newest) -> Plan:
    return plan(parsed(*documents), ControllerOptions(release=release))
