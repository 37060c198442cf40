"""From the NLB in front of nginx to an ALB: the NLB is of a controller that the testbed does not emulate."""

from __future__ import annotations

from testbed import Cutover, scenario
from testbed.conditions import active, alias_at, drained, only_served_by, served_by
from testbed.traffic.calls import Call
from testbed.traffic.description import Traffic

HOST = "api.example.com"
CONTROLLER = "external-dns.alpha.kubernetes.io/controller"
NGINX, ALB = "ingress/default/web", "ingress-group/shop"
MINUTE = 60


@scenario(
    "From the NLB of nginx to an ALB",
    host=HOST,
    clients={"grpcio": 0.8, "ttl-pool": 0.2},
    lb_controller="v3",
    traffic=Traffic(calls=(Call("rest", "/measurements"),)),
    thresholds=["nginx.lost == 0", "alb.lost == 0"],
)
def story(cutover: Cutover) -> None:
    with cutover.step("nginx serves", why="As production stands today."):
        cutover.balancer("nginx", NGINX)
        cutover.apply("manifests/0-class.yaml", "manifests/1-nginx.yaml")
        cutover.foreign_balancer("ingress/web", target_port=8443)
        cutover.wait_until(active("nginx"), within=5 * MINUTE)
        cutover.wait_until(alias_at("nginx"), within=5 * MINUTE)
        cutover.start_traffic()
        cutover.wait_until(served_by("nginx"), within=2 * MINUTE)
        cutover.hold(5 * MINUTE)
    with cutover.step("An ALB takes over", why="Both claim the name, then nginx no more."):
        cutover.apply("manifests/2-alb.yaml", CERTIFICATE_ARN=cutover.request_certificate(HOST))
        cutover.wait_until(active("alb"), within=5 * MINUTE)
        cutover.expect(only_served_by("nlb"))
        cutover.annotate("ingress/alb", {CONTROLLER: None})
        cutover.annotate("ingress/web", {CONTROLLER: "nobody"})
        cutover.wait_until(alias_at(ALB), within=5 * MINUTE)
        cutover.wait_until(served_by(ALB), within=5 * MINUTE)
        cutover.wait_until(drained(NGINX), within=15 * MINUTE)
    with cutover.step("The ALB serves", why="Long enough for an outage to show."):
        cutover.hold(5 * MINUTE)
        cutover.expect(only_served_by(ALB))
