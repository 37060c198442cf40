"""Manifests of moves between two balancers of one type: both claim api.example.com."""

from __future__ import annotations

IN_TREE = """\
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
  ports: [{name: https, port: 443, targetPort: 8443}]
"""
OF_CONTROLLER = """\
apiVersion: v1
kind: Service
metadata:
  name: a-web
  annotations:
    external-dns.alpha.kubernetes.io/hostname: api.example.com
    service.beta.kubernetes.io/aws-load-balancer-type: external
    service.beta.kubernetes.io/aws-load-balancer-nlb-target-type: ip
    service.beta.kubernetes.io/aws-load-balancer-scheme: internet-facing
spec:
  type: LoadBalancer
  selector: {app: web}
  ports: [{name: https, port: 443, targetPort: 8443}]
"""
BEHIND = """\
apiVersion: v1
kind: Service
metadata: {name: web-plain}
spec:
  type: ClusterIP
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: 8080}]
"""
_INGRESS = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: NAME
  annotations:
    alb.ingress.kubernetes.io/scheme: internet-facing
    alb.ingress.kubernetes.io/target-type: ip
    alb.ingress.kubernetes.io/healthcheck-path: /healthz
    alb.ingress.kubernetes.io/certificate-arn: arn:aws:acm:eu-west-1:111122223333:certificate/1
    MORE
spec:
  ingressClassName: alb
  rules:
    - host: api.example.com
      http:
        paths:
          - {path: /carts, pathType: Prefix, backend: {service: {name: web-plain, port: {number: 80}}}}
"""
ALONE = _INGRESS.replace("NAME", "first").replace(
    "MORE", "alb.ingress.kubernetes.io/load-balancer-attributes: client_keep_alive.seconds=120"
)
OF_GROUP = _INGRESS.replace("NAME", "second").replace("MORE", "alb.ingress.kubernetes.io/group.name: shop")
THIRD = _INGRESS.replace("NAME", "third").replace("MORE", "alb.ingress.kubernetes.io/group.name: third")

NLB_TO_NLB = (OF_CONTROLLER, IN_TREE)
ALB_TO_ALB = (BEHIND, ALONE, OF_GROUP)
