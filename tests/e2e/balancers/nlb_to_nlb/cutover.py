"""From the NLB of the cloud provider to one of the AWS Load Balancer Controller: two Services, two NLBs."""

from __future__ import annotations

from testbed import Cutover, scenario
from testbed.conditions import active, alias_at, drained, gone, only_served_by, served_by

HOST = "api.example.com"
HOSTNAME = "external-dns.alpha.kubernetes.io/hostname"
OLD, NEW = "service/default/envoy", "service/default/envoy-new"
NLB = "service.beta.kubernetes.io/aws-load-balancer-"
MINUTE = 60


@scenario(
    "From the NLB of the cloud provider to one of the controller",
    host=HOST,
    clients={"grpcio": 0.8, "ttl-pool": 0.2},
    manifests=["manifests/1-old.yaml"],
    lb_controller="v3",
    thresholds=["old.lost == 0", f"{NEW}.lost == 0"],
)
def passes(cutover: Cutover) -> None:
    _both_stand(cutover)
    _moves(cutover)
    with cutover.step("The old one is drained, and goes", why="Nobody may be on it when it is deleted."):
        cutover.wait_until(drained("old"), within=15 * MINUTE)
        cutover.delete("service/envoy")
        cutover.wait_until(gone("old"), within=5 * MINUTE)
    with cutover.step("The new one serves everything", why="Its owner is its name."):
        cutover.hold(3 * MINUTE)
        cutover.expect(only_served_by(NEW))


@scenario(
    "The old NLB is deleted before the alias has moved",
    host=HOST,
    clients={"grpcio": 0.8, "ttl-pool": 0.2},
    manifests=["manifests/1-old.yaml"],
    lb_controller="v3",
    thresholds=["old.lost == 0"],
)
def fails(cutover: Cutover) -> None:
    _both_stand(cutover)
    with cutover.step("The old one goes at once", why="The alias and all clients still lead to it."):
        cutover.delete("service/envoy")
        cutover.wait_until(gone("old"), within=5 * MINUTE)
        cutover.hold(3 * MINUTE)
        cutover.annotate("service/envoy-new", {HOSTNAME: HOST})
        cutover.wait_until(served_by(NEW), within=10 * MINUTE)


@scenario(
    "In place from the cloud provider to the controller",
    host=HOST,
    clients={"grpcio": 0.8, "ttl-pool": 0.2},
    manifests=["manifests/1-old.yaml"],
    lb_controller="v3",
)
def in_place(cutover: Cutover) -> None:
    with cutover.step("The NLB of the cloud provider serves", why="As production stands today."):
        cutover.apply("manifests/1-old.yaml")
        cutover.wait_until(alias_at("nlb"), within=5 * MINUTE)
        cutover.wait_until(active("nlb"), within=5 * MINUTE)
        cutover.start_traffic()
        cutover.wait_until(served_by("nlb"), within=2 * MINUTE)
    with cutover.step("The Service is handed to the controller", why="One annotation, and another NLB."):
        cutover.annotate("service/envoy", {f"{NLB}type": "external", f"{NLB}nlb-target-type": "ip"})
        cutover.wait_until(served_by(f"{OLD} (2)"), within=10 * MINUTE)
        cutover.expect(served_by("nlb"))


def _both_stand(cutover: Cutover) -> None:
    with cutover.step("The NLB of the cloud provider serves", why="As production stands today."):
        cutover.balancer("old", OLD)
        cutover.apply("manifests/1-old.yaml")
        cutover.wait_until(alias_at("old"), within=5 * MINUTE)
        cutover.wait_until(active("old"), within=5 * MINUTE)
        cutover.start_traffic()
        cutover.wait_until(served_by("old"), within=2 * MINUTE)
    with cutover.step("The NLB of the controller stands beside it", why="Nobody calls it yet."):
        cutover.apply("manifests/2-new.yaml")
        cutover.wait_until(active(NEW), within=5 * MINUTE)
        cutover.expect(only_served_by("old"))


def _moves(cutover: Cutover) -> None:
    with cutover.step("The name moves", why="Both claim it, then the old one no more: no sync deletes it."):
        cutover.annotate("service/envoy-new", {HOSTNAME: HOST})
        cutover.annotate("service/envoy", {HOSTNAME: None})
        cutover.wait_until(alias_at(NEW), within=5 * MINUTE)
        cutover.wait_until(served_by(NEW), within=5 * MINUTE)
