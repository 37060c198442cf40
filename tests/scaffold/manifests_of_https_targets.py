"""A gateway behind an NLB, and an ALB that speaks HTTPS to the same pods."""

from __future__ import annotations

EDGE = """\
apiVersion: v1
kind: Service
metadata:
  name: edge
  namespace: gw
  annotations:
    external-dns.alpha.kubernetes.io/hostname: api.example.com
    service.beta.kubernetes.io/aws-load-balancer-type: external
    service.beta.kubernetes.io/aws-load-balancer-nlb-target-type: ip
    service.beta.kubernetes.io/aws-load-balancer-scheme: internet-facing
spec:
  type: LoadBalancer
  selector: {app: edge}
  ports: [{name: https, port: 443, targetPort: 10443}]
---
apiVersion: v1
kind: Service
metadata: {name: edge-tls, namespace: gw}
spec: {selector: {app: edge}, ports: [{name: https, port: 443, targetPort: 10443}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: edge
  namespace: gw
  annotations:
    alb.ingress.kubernetes.io/scheme: internet-facing
    alb.ingress.kubernetes.io/target-type: ip
    alb.ingress.kubernetes.io/backend-protocol: HTTPS
    alb.ingress.kubernetes.io/healthcheck-path: /healthz
    alb.ingress.kubernetes.io/success-codes: 200-404
    alb.ingress.kubernetes.io/listen-ports: '[{"HTTPS":443}]'
    alb.ingress.kubernetes.io/certificate-arn: arn:aws:acm:eu-west-1:111122223333:certificate/1
spec:
  ingressClassName: alb
  rules:
    - host: api.example.com
      http:
        paths:
          - {path: /, pathType: Prefix, backend: {service: {name: edge-tls, port: {number: 443}}}}
"""
