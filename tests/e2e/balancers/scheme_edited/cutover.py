"""The scheme of an Ingress is edited: AWS cannot change it, so the controller makes the ALB anew."""

from __future__ import annotations

from testbed import Cutover, scenario
from testbed.conditions import active, alias_at, gone, only_one, only_served_by, served_by
from testbed.traffic.calls import Call
from testbed.traffic.description import Traffic

HOST = "api.example.com"
SCHEME = "alb.ingress.kubernetes.io/scheme"
OLD, NEW = "old", "ingress/default/web (2)"
CALLS = Traffic(calls=(Call("rest", "/measurements"),))
MINUTE = 60


@scenario(
    "The scheme of an ALB is edited in a window",
    host=HOST,
    clients={"grpcio": 0.8, "ttl-pool": 0.2},
    lb_controller="v3",
    traffic=CALLS,
    thresholds=[f"{NEW}.ok > 0", "old.ok > 0", "alb.total > 1"],
)
def passes(cutover: Cutover) -> None:
    cutover.accept_lost_requests(why="The users were told of the window.")
    _is_edited(cutover)


@scenario(
    "The scheme of an ALB is edited",
    host=HOST,
    clients={"grpcio": 0.8, "ttl-pool": 0.2},
    lb_controller="v3",
    traffic=CALLS,
)
def fails(cutover: Cutover) -> None:
    _is_edited(cutover)


def _is_edited(cutover: Cutover) -> None:
    with cutover.step("The internal ALB serves", why="As production stands today."):
        cutover.balancer(OLD, "ingress/default/web")
        cutover.apply("manifests/1-internal.yaml", CERTIFICATE_ARN=cutover.request_certificate(HOST))
        cutover.wait_until(alias_at("alb"), within=5 * MINUTE)
        cutover.wait_until(active(OLD), within=5 * MINUTE)
        cutover.start_traffic()
        cutover.wait_until(served_by("alb"), within=2 * MINUTE)
        cutover.hold(5 * MINUTE)  # long enough for an outage to show
    with cutover.step("Its scheme is edited", why="One annotation, and another ALB."):
        cutover.annotate("ingress/web", {SCHEME: "internet-facing"})
        cutover.wait_until(gone(OLD), within=5 * MINUTE)
        cutover.wait_until(active(NEW), within=5 * MINUTE)
        cutover.expect(only_one("ingress/default/web"))
        cutover.wait_until(alias_at(NEW), within=5 * MINUTE)
        cutover.wait_until(served_by(NEW), within=5 * MINUTE)
    with cutover.step("The new ALB serves", why="The same name, another balancer."):
        cutover.hold(5 * MINUTE)
        cutover.expect(only_served_by(NEW))
