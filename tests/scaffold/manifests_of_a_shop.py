"""Manifests of a move as a team might have them: other names, a namespace, named ports, ids of an account."""

from __future__ import annotations

SHOP = """\
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Service
metadata:
  name: gateway
  namespace: shop
  annotations:
    external-dns.alpha.kubernetes.io/hostname: shop.acme.example.org.
    service.beta.kubernetes.io/aws-load-balancer-type: nlb
spec:
  type: LoadBalancer
  selector: {app: gateway, tier: edge}
  ports:
    - {name: https, port: 443, targetPort: tls}
---
apiVersion: v1
kind: Service
metadata: {name: gateway-grpc, namespace: shop}
spec:
  selector: {app: gateway}
  ports:
    - {name: grpc, port: 50051, targetPort: 9090}
---
apiVersion: v1
kind: Service
metadata: {name: gateway-http, namespace: shop}
spec:
  selector: {app: gateway}
  ports:
    - {name: http, port: 8000, targetPort: 9080}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: gateway, namespace: shop}
spec:
  selector: {matchLabels: {app: gateway}}
  template:
    metadata: {labels: {app: gateway, tier: edge}}
    spec:
      containers:
        - name: gateway
          image: gateway:1
          ports:
            - {name: tls, containerPort: 9443}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop-grpc
  namespace: shop
  annotations:
    kubernetes.io/ingress.class: alb
    alb.ingress.kubernetes.io/group.name: shop
    alb.ingress.kubernetes.io/scheme: internet-facing
    alb.ingress.kubernetes.io/target-type: ip
    alb.ingress.kubernetes.io/subnets: subnet-0a1b2c3d, subnet-4e5f6a7b
    alb.ingress.kubernetes.io/certificate-arn: arn:aws:acm:eu-west-1:123456789012:certificate/12345678
    alb.ingress.kubernetes.io/backend-protocol-version: GRPC
spec:
  rules:
    - host: shop.acme.example.org
      http:
        paths:
          - path: /acme.shop.v1.Carts
            pathType: Prefix
            backend: {service: {name: gateway-grpc, port: {name: grpc}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop-rest
  namespace: shop
  annotations:
    kubernetes.io/ingress.class: alb
    alb.ingress.kubernetes.io/group.name: shop
    alb.ingress.kubernetes.io/group.order: "10"
    alb.ingress.kubernetes.io/scheme: internet-facing
    alb.ingress.kubernetes.io/target-type: ip
    alb.ingress.kubernetes.io/certificate-arn: arn:aws:acm:eu-west-1:123456789012:certificate/12345678
    alb.ingress.kubernetes.io/healthcheck-path: /ready
spec:
  rules:
    - host: shop.acme.example.org
      http:
        paths:
          - path: /api
            pathType: Prefix
            backend: {service: {name: gateway-http, port: {number: 8000}}}
"""
