"""Manifests of moves from and to balancers of other controllers: nginx, EKS Auto Mode, a plain Service."""

from __future__ import annotations

NGINX_TO_ALB = """\
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop}
spec:
  ingressClassName: nginx
  rules:
    - host: shop.example.com
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}
status: {loadBalancer: {ingress: [{hostname: nginx-0123456789abcdef.elb.eu-west-1.amazonaws.com}]}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web-alb
  namespace: shop
  annotations:
    alb.ingress.kubernetes.io/scheme: internet-facing
    alb.ingress.kubernetes.io/target-type: ip
    alb.ingress.kubernetes.io/certificate-arn: arn:aws:acm:eu-west-1:111122223333:certificate/0a1b
spec:
  ingressClassName: alb
  rules:
    - host: shop.example.com
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}
"""
AUTO_MODE = """\
apiVersion: v1
kind: Service
metadata:
  name: gw
  namespace: edge
  annotations: {external-dns.alpha.kubernetes.io/hostname: gw.example.com}
spec:
  type: LoadBalancer
  loadBalancerClass: eks.amazonaws.com/nlb
  selector: {app: gw}
  ports: [{name: https, port: 443, targetPort: 8443}]
---
apiVersion: v1
kind: Service
metadata: {name: gw-plain, namespace: edge}
spec: {selector: {app: gw}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: alb}
spec: {controller: eks.amazonaws.com/alb}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: gw, namespace: edge}
spec:
  ingressClassName: alb
  rules:
    - host: gw.example.com
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: gw-plain, port: {number: 80}}}}]}
"""
CLASSIC_TO_NLB = """\
apiVersion: v1
kind: Service
metadata:
  name: old
  annotations: {external-dns.alpha.kubernetes.io/hostname: api.example.com}
spec:
  type: LoadBalancer
  selector: {app: web}
  ports: [{name: https, port: 443, targetPort: 8443}]
status: {loadBalancer: {ingress: [{hostname: a0123456789abcdef-1234567890.eu-west-1.elb.amazonaws.com}]}}
---
apiVersion: v1
kind: Service
metadata:
  name: new
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
