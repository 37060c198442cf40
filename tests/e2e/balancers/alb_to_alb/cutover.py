"""From the ALB of an Ingress to that of a group: two Ingresses, two ALBs, one name."""

from __future__ import annotations

from testbed import Cutover, scenario
from testbed.conditions import active, alias_at, drained, gone, only_one, only_served_by, served_by
from testbed.traffic.calls import Call
from testbed.traffic.description import Traffic

HOST = "api.example.com"
CONTROLLER = "external-dns.alpha.kubernetes.io/controller"
OLD, NEW = "ingress/default/old", "ingress-group/shop"
CALLS = Traffic(calls=(Call("rest", "/measurements"), Call("rest", "/measurements/1")))
MINUTE = 60


@scenario(
    "From the ALB of an Ingress to that of a group",
    host=HOST,
    clients={"grpcio": 0.8, "ttl-pool": 0.2},
    lb_controller="v3",
    traffic=CALLS,
    thresholds=[f"{OLD}.lost == 0", f"{NEW}.lost == 0", "drained_within: 10m"],
)
def passes(cutover: Cutover) -> None:
    _both_stand(cutover)
    _moves(cutover)
    with cutover.step("The old one is drained, and goes", why="Nobody may be on it when it is deleted."):
        cutover.wait_until(drained(OLD), within=10 * MINUTE)
        cutover.delete("ingress/old")
        cutover.wait_until(gone(OLD), within=5 * MINUTE)
    with cutover.step("The new one serves everything", why="There is one ALB again."):
        cutover.hold(3 * MINUTE)
        cutover.expect(only_one("alb"))
        cutover.expect(only_served_by(NEW))


@scenario(
    "The old Ingress is deleted before the alias has moved",
    host=HOST,
    clients={"grpcio": 0.8, "ttl-pool": 0.2},
    lb_controller="v3",
    traffic=CALLS,
)
def fails(cutover: Cutover) -> None:
    _both_stand(cutover)
    with cutover.step("The old one goes at once", why="The alias and all clients still lead to it."):
        cutover.annotate("ingress/new", {CONTROLLER: None})
        cutover.delete("ingress/old")
        cutover.wait_until(gone(OLD), within=5 * MINUTE)
        cutover.wait_until(served_by(NEW), within=10 * MINUTE)


def _both_stand(cutover: Cutover) -> None:
    with cutover.step("The ALB of the Ingress serves", why="As production stands today."):
        arn = cutover.request_certificate(HOST)
        cutover.apply("manifests/1-old.yaml", CERTIFICATE_ARN=arn)
        cutover.wait_until(alias_at(OLD), within=5 * MINUTE)
        cutover.wait_until(active(OLD), within=5 * MINUTE)
        cutover.start_traffic()
        cutover.wait_until(served_by(OLD), within=2 * MINUTE)
    with cutover.step("The ALB of the group stands beside it", why="Nobody calls it yet."):
        cutover.apply("manifests/2-new.yaml", CERTIFICATE_ARN=arn)
        cutover.wait_until(active(NEW), within=5 * MINUTE)
        cutover.expect(only_served_by(OLD))


def _moves(cutover: Cutover) -> None:
    with cutover.step("The name moves", why="Both claim it, then the old one no more: no sync deletes it."):
        cutover.annotate("ingress/new", {CONTROLLER: None})
        cutover.annotate("ingress/old", {CONTROLLER: "nobody"})
        cutover.wait_until(alias_at(NEW), within=5 * MINUTE)
        cutover.wait_until(served_by(NEW), within=5 * MINUTE)
