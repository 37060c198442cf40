"""A gateway behind an NLB, and an ALB that leads to two Services with pods of their own beside it."""

from __future__ import annotations

NLB = """\
apiVersion: v1
kind: Service
metadata:
  name: gateway
  namespace: shop
  annotations:
    external-dns.alpha.kubernetes.io/hostname: shop.example.com
    service.beta.kubernetes.io/aws-load-balancer-type: external
    service.beta.kubernetes.io/aws-load-balancer-nlb-target-type: ip
    service.beta.kubernetes.io/aws-load-balancer-scheme: internet-facing
spec:
  type: LoadBalancer
  selector: {app: gateway}
  ports:
    - {name: https, port: 443, targetPort: https}
    - {name: http, port: 80, targetPort: http}
"""
SERVICES = """\
apiVersion: v1
kind: Service
metadata: {name: catalog, namespace: shop}
spec: {selector: {app: catalog}, ports: [{name: grpc, port: 50051, targetPort: grpc}]}
---
apiVersion: v1
kind: Service
metadata: {name: orders, namespace: shop}
spec: {selector: {app: orders}, ports: [{name: http, port: 80, targetPort: http}]}
"""
_WORKLOAD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: shop}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec: {{containers: [{{name: {name}, image: "{name}:1", ports: [{ports}]}}]}}
"""
WORKLOADS = "---\n".join(
    _WORKLOAD.format(
        name=name, ports=", ".join(f"{{name: {port}, containerPort: {number}}}" for port, number in ports)
    )
    for name, ports in (
        ("metrics", (("http", 9100), ("grpc", 9101))),
        ("gateway", (("https", 9443), ("http", 9080))),
        ("catalog", (("grpc", 50051),)),
        ("orders", (("http", 8080),)),
    )
)
INGRESSES = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: catalog
  namespace: shop
  annotations:
    alb.ingress.kubernetes.io/group.name: shop
    alb.ingress.kubernetes.io/scheme: internet-facing
    alb.ingress.kubernetes.io/target-type: ip
    alb.ingress.kubernetes.io/listen-ports: '[{"HTTPS": 443}]'
    alb.ingress.kubernetes.io/certificate-arn: arn:aws:acm:eu-west-1:111122223333:certificate/0a1b
    alb.ingress.kubernetes.io/backend-protocol-version: GRPC
spec:
  ingressClassName: alb
  rules:
    - host: shop.example.com
      http:
        paths:
          - path: /shop.v1.Catalog/*
            pathType: ImplementationSpecific
            backend: {service: {name: catalog, port: {name: grpc}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: orders
  namespace: shop
  annotations:
    alb.ingress.kubernetes.io/group.name: shop
    alb.ingress.kubernetes.io/scheme: internet-facing
    alb.ingress.kubernetes.io/target-type: ip
    alb.ingress.kubernetes.io/listen-ports: '[{"HTTPS": 443}]'
    alb.ingress.kubernetes.io/certificate-arn: arn:aws:acm:eu-west-1:111122223333:certificate/0a1b
    alb.ingress.kubernetes.io/healthcheck-path: /ready
    alb.ingress.kubernetes.io/healthcheck-port: "8081"
spec:
  ingressClassName: alb
  rules:
    - host: shop.example.com
      http:
        paths:
          - path: /orders
            pathType: Prefix
            backend: {service: {name: orders, port: {number: 80}}}
"""
SHOP_OF_TWO = (NLB, SERVICES, WORKLOADS, INGRESSES)
