"""A minute or more of steady traffic through one balancer, for faults that nobody announces."""

from testbed import Cutover, scenario
from testbed.conditions import active, alias_at, only_served_by, served_by

MINUTE = 60
MANIFESTS = "../../../scenarios/zozomat/manifests"
HOST = "api.example.com"
ABOUT = {"host": HOST, "external_dns_release": "v0.7.4", "lb_controller": "v2.1.0"}


@scenario("An NLB serves", manifests=[f"{MANIFESTS}/1-nlb.yaml"], **ABOUT)
def nlb(cutover: Cutover) -> None:
    with cutover.step("The NLB serves everything", why="Nothing moves; whatever happens comes from outside."):
        cutover.wait_until(active("nlb"), within=5 * MINUTE)
        cutover.wait_until(alias_at("nlb"), within=5 * MINUTE)
        serve(cutover, "nlb")


@scenario("An ALB serves", balancer_provisioning=0, **ABOUT)
def alb(cutover: Cutover) -> None:
    with cutover.step("The ALB serves everything", why="Nothing moves; whatever happens comes from outside."):
        arn = cutover.request_certificate(HOST)
        for name in ("2-alb", "3-host"):
            cutover.apply(f"{MANIFESTS}/{name}.yaml", CERTIFICATE_ARN=arn)
        cutover.wait_until(active("alb"), within=5 * MINUTE)
        cutover.wait_until(alias_at("alb"), within=5 * MINUTE)
        serve(cutover, "alb")


def serve(cutover: Cutover, balancer: str) -> None:
    cutover.start_traffic()
    cutover.wait_until(served_by(balancer), within=1 * MINUTE)
    cutover.hold(6 * MINUTE)
    cutover.stop_traffic()
    cutover.expect(only_served_by(balancer))
