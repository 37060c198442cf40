"""The same move without ExternalDNS: one `aws route53 change-resource-record-sets` there, one back.

Everything else is as in `scenarios/zozomat`. No controller claims the name, so none keeps it either: what the
operator writes stays, and so does a mistake in it.
"""

from testbed import Cutover, scenario
from testbed.conditions import (
    active,
    alias_at,
    answers_by_its_own_name,
    drained,
    forwards,
    gone,
    only_one,
    only_served_by,
    served_by,
)

MINUTE = 60
TTL = 1 * MINUTE
AGE = (
    5 * MINUTE
)  # of a connection, at the targets behind the NLB and at the ALB: by then its client looks again
HOST = "api.example.com"


@scenario(
    "Without ExternalDNS: the alias is changed by hand, there, back, and there again",
    host=HOST,
    manifests=["manifests/1-nlb.yaml"],
    external_dns=[],
    lb_controller="v2.1.0",
    service_webhook=False,  # the NLB is the cloud provider's
)
def by_hand(cutover: Cutover) -> None:
    with cutover.step(
        "The NLB serves everything", why="The record was written by hand, when the service was deployed."
    ):
        cutover.expect(active("nlb"))
        cutover.change_alias("nlb", action="CREATE")
        cutover.hold(TTL)  # Route 53 promises that all its servers have a change within a minute
        cutover.start_traffic()
        cutover.wait_until(served_by("nlb"), within=1 * MINUTE)
        cutover.hold(2 * MINUTE)
        cutover.expect(only_served_by("nlb"))

    with cutover.step(
        "The ALB is prepared beside it",
        why="Nothing watches the hosts of its rules, so the name cannot move.",
    ):
        cutover.apply("manifests/2-alb.yaml", CERTIFICATE_ARN=cutover.request_certificate(HOST))
        cutover.wait_until(active("alb"), within=5 * MINUTE)
        cutover.expect(only_one("alb"))
        cutover.expect(forwards("alb", 443, "GRPC", "HTTP1"))
        cutover.wait_until(answers_by_its_own_name("alb"), within=1 * MINUTE)
        cutover.hold(3 * MINUTE)
        cutover.expect(only_served_by("nlb"))

    to_the_alb(cutover, "The alias is changed to the ALB")

    with cutover.step("The NLB is drained", why="An alias moves new connections only; old ones must end."):
        cutover.wait_until(drained("nlb"), within=15 * MINUTE)

    with cutover.step("The ALB serves everything", why="Watch it for a while before you rely on it."):
        cutover.hold(5 * MINUTE)
        cutover.expect(only_served_by("alb"))

    with cutover.step(
        "Rollback: the alias is changed back",
        why="The record changes at once, and there is no order of edits to get wrong. Clients follow as "
        "their connections end.",
    ):
        cutover.change_alias("nlb")
        cutover.expect(alias_at("nlb"))
        cutover.wait_until(served_by("nlb"), within=AGE + TTL)
        cutover.hold(3 * MINUTE)

    to_the_alb(cutover, "Forward again: the alias is changed to the ALB")

    with cutover.step(
        "The NLB is drained again", why="The same wait as the first time, before the NLB is deleted."
    ):
        cutover.wait_until(drained("nlb"), within=15 * MINUTE)

    with cutover.step(
        "The NLB goes", why="If the record still pointed to it, nothing would have warned the operator."
    ):
        cutover.delete("service/envoy")
        cutover.wait_until(gone("nlb"), within=5 * MINUTE)
        cutover.hold(3 * MINUTE)
        cutover.expect(alias_at("alb"))
        cutover.expect(only_served_by("alb"))


def to_the_alb(cutover: Cutover, title: str) -> None:
    with cutover.step(
        title, why="One UPSERT: Route 53 applies it as a whole or not at all, so there is no gap."
    ):
        cutover.change_alias("alb")
        cutover.expect(alias_at("alb"))
        cutover.wait_until(served_by("alb"), within=AGE + TTL)
