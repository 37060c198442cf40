"""Manifests of a shop: an Ingress and an NLB Service, before and after edits."""

from __future__ import annotations

from pathlib import Path

from testbed.kubernetes.manifests import Manifest, parse

ALB = "alb.ingress.kubernetes.io"
NLB = "service.beta.kubernetes.io/aws-load-balancer"


def ingress(name: str = "web", **annotations: str) -> str:
    """An Ingress in front of the Service of its name; `group__name` is `group.name`, `target_type` a dash."""
    lines = [
        f'    {ALB}/{key.replace("__", ".").replace("_", "-")}: "{one}"' for key, one in annotations.items()
    ]
    return f"""
---
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: shop}}
spec: {{type: NodePort, ports: [{{port: 80, targetPort: 8080}}]}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {name}
  namespace: shop
  annotations:
    {ALB}/listen-ports: '[{{"HTTP":80}}]'
{chr(10).join(lines)}
spec:
  ingressClassName: alb
  rules:
  - http:
      paths:
      - {{path: /{name}, pathType: Prefix, backend: {{service: {{name: {name}, port: {{number: 80}}}}}}}}
"""


def nlb(port: int = 443, **annotations: str) -> str:
    """A Service with an NLB of the AWS Load Balancer Controller."""
    lines = [f'    {NLB}-{key.replace("_", "-")}: "{one}"' for key, one in annotations.items()]
    return f"""
---
apiVersion: v1
kind: Service
metadata:
  name: edge
  namespace: shop
  annotations:
    {NLB}-nlb-target-type: ip
{chr(10).join(lines)}
spec:
  type: LoadBalancer
  loadBalancerClass: service.k8s.aws/nlb
  ports: [{{port: {port}, targetPort: 8443}}]
"""


def read(*texts: str, standing: list[Manifest] | None = None) -> list[Manifest]:
    """Manifests of one file."""
    old = None if standing is None else {one.key: one.object for one in standing}
    return parse("".join(texts), Path("shop.yaml"), standing=old)
