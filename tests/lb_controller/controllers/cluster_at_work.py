"""A store with the controllers at work, and objects for them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from testbed.clock import Clock
from testbed.dated_releases import LB_CONTROLLER_RELEASES, Release
from testbed.kubernetes import ObjectStore
from testbed.lb_controller.controllers.gateway_controller import GatewayClassController, GatewayController
from testbed.lb_controller.controllers.in_tree_service_controller import InTreeServiceController
from testbed.lb_controller.controllers.ingress_group_controller import IngressGroupController
from testbed.lb_controller.controllers.nlb_service_controller import NlbServiceController
from testbed.lb_controller.core.build_inputs import ControllerOptions
from testbed.lb_controller.deploy.account_state import Account
from testbed.settings import PATIENCE

NLB = "service.beta.kubernetes.io/aws-load-balancer-type"
DNS = "external-dns.alpha.kubernetes.io/hostname"
ALB = "alb.ingress.kubernetes.io"


class Cluster:
    """A store with both controllers at work, each in its thread."""

    def __init__(self, aws: Any, release: Release = LB_CONTROLLER_RELEASES.newest) -> None:
        clock = Clock(speed=60)
        self.aws = aws
        self.store = ObjectStore(clock)
        self.lines: list[str] = []
        options = ControllerOptions(vpc_id=aws.vpc_id, default_target_type="ip", release=release)
        account = Account(aws.elbv2, aws.acm, options.cluster_name, aws.subnets)
        self.left_out: list[tuple[str, str]] = []

        def notice(owner: str, text: str) -> None:
            self.left_out.append((owner, text))

        common = self.store, account, options, clock, lambda level, line: self.lines.append(line), notice
        self.services = InTreeServiceController(*common)
        self.groups = IngressGroupController(*common)
        self.owned = NlbServiceController(*common)
        self.gateways = GatewayController(*common)
        self.classes = GatewayClassController(self.store, clock, common[4])
        self.controllers = (self.services, self.owned, self.groups, self.classes, self.gateways)
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=one.run, args=(self.stop,)) for one in self.controllers]
        for number in (1, 2):
            self.store.create(node(f"i-{number}"))

    def settle(self) -> None:
        for one in self.controllers:
            assert one.wait_idle(PATIENCE.condition)

    def hostname(self, kind: str, name: str) -> str | None:
        item = self.store.get(kind, "default", name)
        assert item is not None
        entries = item.get("status", {}).get("loadBalancer", {}).get("ingress") or [{}]
        return entries[0].get("hostname")

    def events(self, name: str) -> list[tuple[str, str]]:
        found = [one for one in self.store.list("Event") if one["involvedObject"]["name"] == name]
        ordered = sorted(found, key=lambda one: int(one["metadata"]["resourceVersion"]))
        return [(one["reason"], one["message"]) for one in ordered]

    def balancers(self) -> list[Any]:
        return list(self.aws.elbv2.describe_load_balancers()["LoadBalancers"])

    def targets(self) -> dict[str, set[tuple[str, int]]]:
        found = {}
        for group in self.aws.elbv2.describe_target_groups()["TargetGroups"]:
            health = self.aws.elbv2.describe_target_health(TargetGroupArn=group["TargetGroupArn"])
            found[group["TargetGroupName"]] = {
                (one["Target"]["Id"], one["Target"]["Port"]) for one in health["TargetHealthDescriptions"]
            }
        return found


@contextmanager
def at_work(running: Cluster) -> Iterator[Cluster]:
    for thread in running.threads:
        thread.start()
    yield running
    running.stop.set()
    for thread in running.threads:
        thread.join(PATIENCE.process_stop)
        assert not thread.is_alive()


def node(identity: str) -> dict[str, Any]:
    return {
        "kind": "Node",
        "metadata": {"name": f"node-{identity}"},
        "spec": {"providerID": f"aws:///ap-northeast-1a/{identity}"},
    }


def nlb_service(**annotations: str) -> dict[str, Any]:
    return {
        "kind": "Service",
        "metadata": {"name": "envoy", "namespace": "default", "annotations": {NLB: "nlb", **annotations}},
        "spec": {
            "type": "LoadBalancer",
            "selector": {"app": "envoy"},
            "ports": [
                {"name": "https", "port": 443, "nodePort": 30443},
                {"name": "http", "port": 80, "nodePort": 30080},
            ],
        },
    }


def backend_service(name: str = "plain") -> dict[str, Any]:
    return {
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"ports": [{"name": "http", "port": 8080, "targetPort": 10000}]},
    }


def endpoints(*addresses: str) -> dict[str, Any]:
    subset = {"addresses": [{"ip": one} for one in addresses], "ports": [{"name": "http", "port": 10000}]}
    return {
        "kind": "Endpoints",
        "metadata": {"name": "plain", "namespace": "default"},
        "subsets": [subset],
    }


def ingress(name: str, path: str, service: str = "plain", **annotations: str) -> dict[str, Any]:
    backend = {"service": {"name": service, "port": {"number": 8080}}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {
            "name": name,
            "namespace": "default",
            "annotations": {
                "kubernetes.io/ingress.class": "alb",
                f"{ALB}/group.name": "app",
                **{
                    f"{ALB}/{key.replace('_', '-').replace('group-', 'group.')}": text
                    for key, text in annotations.items()
                },
            },
        },
        "spec": {
            "rules": [
                {
                    "http": {
                        "paths": [{"path": path, "pathType": "ImplementationSpecific", "backend": backend}]
                    }
                }
            ]
        },
    }


def story_ingress(
    name: str, version: str, paths: list[str], certificate: str, host: str = ""
) -> dict[str, Any]:
    """As the story's operator wrote it, in the API version of its day."""
    backend = {"serviceName": "plain", "servicePort": 8080}
    return {
        "apiVersion": "networking.k8s.io/v1beta1",
        "kind": "Ingress",
        "metadata": {
            "name": name,
            "namespace": "default",
            "annotations": {
                "kubernetes.io/ingress.class": "alb",
                f"{ALB}/group.name": "zozomat-ingress",
                f"{ALB}/scheme": "internet-facing",
                f"{ALB}/target-type": "ip",
                f"{ALB}/certificate-arn": certificate,
                f"{ALB}/backend-protocol-version": version,
            },
        },
        "spec": {
            "rules": [
                {
                    **({"host": host} if host else {}),
                    "http": {"paths": [{"path": path, "backend": backend} for path in paths]},
                }
            ]
        },
    }


def wait(holds: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(int(PATIENCE.condition / PATIENCE.poll)):
        if holds():
            return
        pause.wait(PATIENCE.poll)
    raise AssertionError("it did not come")
