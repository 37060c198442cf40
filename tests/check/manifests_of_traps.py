"""A service that moves from an NLB to an ALB without a trap above a note, to which tests add one each."""

from __future__ import annotations

from pathlib import Path

SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: web
  annotations:
    external-dns.alpha.kubernetes.io/hostname: api.example.com
    service.beta.kubernetes.io/aws-load-balancer-type: nlb
spec:
  type: LoadBalancer
  selector: {app: web}
  ports:
    - {name: https, port: 443, targetPort: 8443}
"""
PLAIN = """\
apiVersion: v1
kind: Service
metadata:
  name: web-plain
spec:
  selector: {app: web}
  ports:
    - {name: http, port: 80, targetPort: 8080}
"""
INGRESS = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
  annotations:
    kubernetes.io/ingress.class: alb
    alb.ingress.kubernetes.io/group.name: web
    alb.ingress.kubernetes.io/scheme: internet-facing
    alb.ingress.kubernetes.io/target-type: ip
    alb.ingress.kubernetes.io/certificate-arn: arn:aws:acm:ap-northeast-1:000000000000:certificate/1
    alb.ingress.kubernetes.io/backend-protocol-version: GRPC
    alb.ingress.kubernetes.io/load-balancer-attributes: idle_timeout.timeout_seconds=350
spec:
  rules:
    - host: api.example.com
      http:
        paths:
          - path: /shop.v1.Cart/*
            pathType: ImplementationSpecific
            backend: {service: {name: web-plain, port: {number: 80}}}
"""
EXTERNAL_DNS = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: external-dns}
spec:
  selector: {matchLabels: {app: external-dns}}
  template:
    metadata: {labels: {app: external-dns}}
    spec:
      containers:
        - name: external-dns
          command: [external-dns, --provider=aws]
          image: external-dns:v0.7.4
          args:
            - --source=service
            - --source=ingress
            - --policy=sync
            - --registry=txt
            - --txt-owner-id=me
"""
REST = (
    INGRESS.replace("name: web\n", "name: web-rest\n", 1)
    .replace("version: GRPC", "version: HTTP1")
    .replace("/shop.v1.Cart/*", "/carts/*")
)


def annotated(manifest: str, *lines: str) -> str:
    """The manifest with further annotations, first in their block."""
    return manifest.replace(
        "  annotations:\n", "  annotations:\n" + "".join(f"    {one}\n" for one in lines), 1
    )


def folder(path: Path, *manifests: str) -> Path:
    """A folder with a file for each manifest, in their order."""
    path.mkdir(parents=True, exist_ok=True)
    for number, text in enumerate(manifests, 1):
        (path / f"{number}.yaml").write_text(text)
    return path
