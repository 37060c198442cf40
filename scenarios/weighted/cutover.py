"""The weighted move: one name has two records, and new lookups shift from the NLB to the ALB in shares.

Everything else is as in `scenarios/zozomat`: the service, its clients, ExternalDNS. Read that one first.
"""

from testbed import Cutover, scenario
from testbed.conditions import (
    active,
    answers_by_its_own_name,
    drained,
    gone,
    only_one,
    only_served_by,
    served_by,
    synced,
    weights,
)

MINUTE = 60
SYNC = 1 * MINUTE
TTL = 1 * MINUTE
AGE = (
    5 * MINUTE
)  # of a connection, at the targets behind the NLB and at the ALB: by then its client looks again
HOST = "api.example.com"
PREFIX = "external-dns.alpha.kubernetes.io/"
WEIGHT = PREFIX + "aws-weight"
INGRESSES = ("ingress/zozomat-ingress-grpc", "ingress/zozomat-ingress-http1")


@scenario(
    "The name is shared by weight: 0, 10, 50, 100 for the ALB",
    host=HOST,
    manifests=["manifests/1-nlb.yaml"],
    external_dns_release="v0.7.4",
    external_dns_by_version={"v0.22": [f"--annotation-prefix={PREFIX}"]},
    lb_controller="v2.1.0",
    service_webhook=False,  # the NLB is the cloud provider's
)
def weighted(cutover: Cutover) -> None:
    with cutover.step(
        "The NLB serves everything, by a weighted record",
        why="A weighted record cannot coexist with a simple one, so the Service gets its set identifier and "
        "a weight before anything else changes.",
    ):
        cutover.expect(weights(nlb=100))
        cutover.expect(active("nlb"))
        cutover.start_traffic()
        cutover.wait_until(served_by("nlb"), within=1 * MINUTE)
        cutover.hold(2 * MINUTE)
        cutover.expect(only_served_by("nlb"))

    with cutover.step(
        "The ALB joins without weight",
        why="A record of weight 0 is never the answer while another record has weight, so nothing moves yet.",
    ):
        arn = cutover.request_certificate(HOST)
        cutover.apply("manifests/2-alb.yaml", CERTIFICATE_ARN=arn)
        cutover.wait_until(active("alb"), within=5 * MINUTE)
        cutover.expect(only_one("alb"))
        cutover.wait_until(answers_by_its_own_name("alb"), within=1 * MINUTE)
        cutover.wait_until(weights(nlb=100, alb=0), within=3 * SYNC)
        cutover.hold(3 * SYNC)
        cutover.expect(only_served_by("nlb"))

    with cutover.step(
        "10 of 100", why="A tenth of the new lookups move; the app's old connections stay where they are."
    ):
        share(cutover, alb=10)
        # The clients are few and resolve the name rarely: it may take a while until one gets the ALB.
        cutover.wait_until(served_by("alb"), within=60 * MINUTE)
        cutover.expect(served_by("nlb"))

    with cutover.step(
        "50 of 100", why="Half of the lookups move. The share of requests follows as connections end."
    ):
        share(cutover, alb=50)
        cutover.hold(2 * AGE)
        cutover.expect(served_by("alb"))

    with cutover.step(
        "And back to 10", why="The way back is one annotation per object too, and as slow as the way there."
    ):
        share(cutover, alb=10)
        cutover.hold(TTL + AGE)
        cutover.expect(served_by("nlb"))

    with cutover.step("100 of 100", why="The NLB keeps its record, with weight 0, until it is drained."):
        share(cutover, alb=100)
        cutover.wait_until(served_by("alb"), within=AGE + TTL)
        cutover.wait_until(drained("nlb"), within=15 * MINUTE)

    with cutover.step("The ALB serves everything", why="Watch it for a while before you rely on it."):
        cutover.hold(5 * MINUTE)
        cutover.expect(only_served_by("alb"))

    with cutover.step(
        "The NLB's record goes, then the NLB",
        why="No alias may be left that points to a deleted balancer: with weight 0 it is never the answer, "
        "until the ALB is unhealthy.",
    ):
        cutover.annotate("service/envoy", {PREFIX + "hostname": None})
        cutover.wait_until(synced(), within=3 * SYNC)
        cutover.expect(weights(alb=100))
        cutover.delete("service/envoy")
        cutover.wait_until(gone("nlb"), within=5 * MINUTE)
        cutover.hold(3 * MINUTE)
        cutover.expect(only_served_by("alb"))


def share(cutover: Cutover, *, alb: int) -> None:
    """Give the ALB this share of 100. Both records change in one sync, once both annotations are there."""
    cutover.annotate("service/envoy", {WEIGHT: str(100 - alb)})
    for ingress in INGRESSES:
        cutover.annotate(ingress, {WEIGHT: str(alb)})
    cutover.wait_until(weights(nlb=100 - alb, alb=alb), within=3 * SYNC)
