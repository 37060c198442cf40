"""Small random clusters whose objects claim the same few names, each with the address of a load balancer."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

PREFIX = "external-dns.alpha.kubernetes.io/"
HOSTS = ("api.example.com", "web.example.com", "*.example.com", "example.com", "deep.web.example.com")
BALANCERS = (
    "one-1.ap-northeast-1.elb.amazonaws.com",
    "two-2.ap-northeast-1.elb.amazonaws.com",
    "three-3.elb.ap-northeast-1.amazonaws.com",
    "elsewhere.example.net",
)


def cluster(seed: int) -> list[dict[str, Any]]:
    """Return the objects of a cluster; equal seeds give equal clusters."""
    dice = random.Random(seed)
    return [_object(number, dice) for number in range(dice.randint(2, 5))]


def changed(items: list[dict[str, Any]], seed: int) -> Iterator[dict[str, Any]]:
    """Yield the objects as they are after somebody has changed some of their claims."""
    dice = random.Random(-seed)
    for number, item in enumerate(items):
        yield _object(number, dice) if dice.random() < 0.5 else item


def _object(number: int, dice: random.Random) -> dict[str, Any]:
    hosts = dice.sample(HOSTS, dice.randint(1, 2))
    annotations = {}
    if dice.random() < 0.3:
        annotations[PREFIX + "ttl"] = dice.choice(("60", "5m", "never"))
    if dice.random() < 0.2:
        annotations[PREFIX + "set-identifier"] = f"object-{number}"
        annotations[PREFIX + "aws-weight"] = str(dice.choice((0, 10, 100)))
    if dice.random() < 0.2:
        annotations[PREFIX + "target"] = dice.choice(("192.0.2.7", "other.example.net"))
    if dice.random() < 0.1:
        annotations[PREFIX + "controller"] = "another"
    status = {"loadBalancer": {"ingress": [{"hostname": dice.choice(BALANCERS)}]}}
    if dice.random() < 0.15:
        status = {"loadBalancer": {"ingress": [{"ip": f"192.0.2.{number + 1}"}]}}
    if dice.random() < 0.5:
        return {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {
                "name": f"object-{number}",
                "namespace": "default",
                "annotations": {**annotations, PREFIX + "hostname": ",".join(hosts)},
            },
            "spec": {
                "type": "LoadBalancer",
                "loadBalancerClass": "example.net/none",
                "ports": [{"port": 443, "targetPort": 8443}],
                "selector": {"app": "envoy"},
            },
            "status": status,
        }
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": f"object-{number}", "namespace": "default", "annotations": annotations},
        "spec": {
            "ingressClassName": "none",
            "rules": [
                {
                    "host": host,
                    "http": {
                        "paths": [
                            {
                                "path": "/",
                                "pathType": "Prefix",
                                "backend": {"service": {"name": "any", "port": {"number": 80}}},
                            }
                        ]
                    },
                }
                for host in hosts
            ],
        },
        "status": status,
    }
