"""The tape of the real controller as a story: its objects come, change and go while clients call."""

from testbed import Cutover, Manifests, scenario
from testbed.conditions import active, alias_at, drained, gone, served_by

MINUTE = 60
CERTIFICATE = "arn:aws:acm:ap-northeast-1:000000000000:certificate/00000000-0000-0000-0000-000000000000"
FILLED = {"CERTIFICATE_ARN": CERTIFICATE}


@scenario(
    "The tape of the AWS Load Balancer Controller v3.5.0",
    host="api.example.com",
    manifests=[Manifests("manifests/nlb.yaml", values=FILLED)],
    certificates={CERTIFICATE: ["api.example.com"]},
    balancer_provisioning=30.0,
    external_dns=[],
    lb_controller="v3.5.0",
    traffic="traffic.toml",
    clients={"ttl-pool": 1.0},  # it resolves the name again, so it leaves a balancer by itself
)
def tape(cutover: Cutover) -> None:
    with cutover.step("The NLB serves everything", why="It stood before."):
        cutover.change_alias("nlb")
        cutover.expect(alias_at("nlb"), within=MINUTE)
        cutover.start_traffic()
        cutover.wait_until(served_by("nlb"), within=3 * MINUTE)
        cutover.hold(2 * MINUTE)

    with cutover.step("The ALB is made beside it", why="A group of two Ingresses makes one ALB."):
        cutover.apply("manifests/group.yaml", **FILLED)
        cutover.wait_until(active("alb", healthy=False), within=10 * MINUTE)

    with cutover.step("A pod goes", why="Its target leaves all three target groups."):
        cutover.delete("pod/envoy-1")
        cutover.hold(1 * MINUTE)

    with cutover.step("The group gets the host, and the name moves", why="The rules ask for the host now."):
        cutover.apply("manifests/host.yaml", **FILLED)
        cutover.hold(1 * MINUTE)
        cutover.change_alias("alb")
        cutover.wait_until(served_by("alb"), within=3 * MINUTE)
        cutover.hold(2 * MINUTE)

    with cutover.step("Back to the NLB, and the group goes", why="Nobody calls the ALB any more."):
        cutover.change_alias("nlb")
        cutover.wait_until(served_by("nlb"), within=3 * MINUTE)
        cutover.wait_until(drained("alb"), within=15 * MINUTE)
        cutover.delete("ingress/grpc")
        cutover.delete("ingress/http1")
        cutover.wait_until(gone("alb"), within=5 * MINUTE)

    with cutover.step("The Service goes, too", why="The tape ends with nothing left."):
        cutover.accept_lost_requests(why="Nothing serves the name any more.")
        cutover.delete("service/web")
        cutover.wait_until(gone("nlb"), within=5 * MINUTE)
