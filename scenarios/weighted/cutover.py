"""The weighted move: two records of one name, and the share of new lookups goes from the NLB to the ALB.

Everything else is as in `scenarios/zozomat`: the service, its clients, ExternalDNS. Read that one first.
"""

from testbed.rehearsal import Cutover, scenario
from testbed.rehearsal.conditions import (
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
AGE = 5 * MINUTE  # of a connection at the target: so long until every app has asked DNS again
HOST = "api.example.com"
PREFIX = "external-dns.alpha.kubernetes.io/"
WEIGHT = PREFIX + "aws-weight"
INGRESSES = ("ingress/zozomat-ingress-grpc", "ingress/zozomat-ingress-http1")


@scenario(
    "The name is shared by weight: 0, 10, 50, 100 for the ALB",
    host=HOST,
    manifests=["manifests/1-nlb.yaml"],
    external_dns_by_version={"v0.22": [f"--annotation-prefix={PREFIX}"]},
)
def weighted(cutover: Cutover) -> None:
    with cutover.step(
        "The NLB serves everything, by a weighted record",
        why="A weighted record cannot stand beside a simple one. The Service has its set identifier and a "
        "weight before anything else is touched.",
    ):
        cutover.apply("manifests/1-nlb.yaml")
        cutover.wait_until(weights(nlb=100), within=3 * SYNC)
        cutover.wait_until(active("nlb"), within=5 * MINUTE)
        cutover.start_traffic()
        cutover.wait_until(served_by("nlb"), within=1 * MINUTE)
        cutover.hold(2 * MINUTE)
        cutover.expect(only_served_by("nlb"))

    with cutover.step(
        "The ALB joins without weight",
        why="A record of weight 0 is never the answer while another one has some: it proves itself taken.",
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
        "10 of 100", why="A tenth of the new lookups; the app's old connections stay where they are."
    ):
        share(cutover, alb=10)
        # Few clients ask seldom: it may be a while until the dice fall on the ALB.
        cutover.wait_until(served_by("alb"), within=60 * MINUTE)
        cutover.expect(served_by("nlb"))

    with cutover.step(
        "50 of 100", why="Half of the lookups. The share of the requests follows as connections end."
    ):
        share(cutover, alb=50)
        cutover.hold(2 * AGE)
        cutover.expect(served_by("alb"))

    with cutover.step(
        "And back to 10", why="The way back is one annotation too, and as slow as the way there."
    ):
        share(cutover, alb=10)
        cutover.hold(TTL + AGE)
        cutover.expect(served_by("nlb"))

    with cutover.step("100 of 100", why="The NLB keeps its record, without weight, until it is drained."):
        share(cutover, alb=100)
        cutover.wait_until(served_by("alb"), within=2 * TTL)
        cutover.wait_until(drained("nlb"), within=15 * MINUTE)

    with cutover.step(
        "The ALB serves everything", why="A while without surprises, before anyone believes it."
    ):
        cutover.hold(5 * MINUTE)
        cutover.expect(only_served_by("alb"))

    with cutover.step(
        "The NLB's record goes, then the NLB",
        why="An alias to a balancer that is gone must not be left: without weight it is never the answer, "
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
    """Give the ALB so many of 100. Both records change in one sync, if the annotations are both there."""
    cutover.annotate("service/envoy", {WEIGHT: str(100 - alb)})
    for ingress in INGRESSES:
        cutover.annotate(ingress, {WEIGHT: str(alb)})
    cutover.wait_until(weights(nlb=100 - alb, alb=alb), within=3 * SYNC)
