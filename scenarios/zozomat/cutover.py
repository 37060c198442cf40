"""The story: a measuring service moves from an NLB to an ALB under load, back, and over again.

A mobile app calls api.example.com by gRPC, servers call it by REST over HTTP/1.1. Neither looks the name up
again while its connection lives. ExternalDNS keeps the name's alias record in Route 53. Read `zozomat` first;
the functions after it are variants that show what does not work, and why.
"""

from testbed import Cutover, scenario
from testbed.conditions import (
    active,
    alias_at,
    answers_by_its_own_name,
    claimed_by,
    drained,
    forwards,
    gone,
    logged,
    no_record,
    not_logged,
    only_one,
    only_served_by,
    served_by,
    synced,
)

MINUTE = 60
SYNC = 1 * MINUTE  # ExternalDNS syncs once a minute
TTL = 1 * MINUTE  # answers for an alias have the TTL of the load balancer's own name
AGE = (
    5 * MINUTE
)  # of a connection, at the targets behind the NLB and at the ALB: by then its client looks again
HOSTNAME = "external-dns.alpha.kubernetes.io/hostname"
HOST = "api.example.com"

ABOUT = {
    "host": HOST,
    "manifests": ["manifests/1-nlb.yaml"],
    "external_dns_release": "v0.7.4",
    "lb_controller": "v2.1.0",
    "clients": {"grpcio": 0.8, "python-requests": 0.2},
    "service_webhook": False,  # the NLB is the cloud provider's
    # v0.22 reads external-dns.kubernetes.io/ by default.
    "external_dns_by_version": {"v0.22": ["--annotation-prefix=external-dns.alpha.kubernetes.io/"]},
}


@scenario("gRPC and REST move from an NLB to an ALB, back, and over again", **ABOUT)
def zozomat(cutover: Cutover) -> None:
    nlb_serves_everything(cutover)
    alb_is_prepared(cutover)
    both_claim_the_name(cutover)
    annotation_leaves_the_service(cutover)

    with cutover.step("The NLB is drained", why="An alias moves new connections only; old ones must end."):
        cutover.wait_until(drained("nlb"), within=15 * MINUTE)

    with cutover.step("The ALB serves everything", why="Watch it for a while before you rely on it."):
        cutover.hold(5 * MINUTE)
        cutover.expect(only_served_by("alb"))

    with cutover.step(
        "Rollback: annotation back first, then the host leaves the Ingresses",
        why="The record stays with the resource that its TXT names, as long as that resource claims it. "
        "While both claim the name, it never disappears; when the Ingresses drop it, the record moves by an "
        "UPSERT.",
    ):
        cutover.annotate("service/envoy", {HOSTNAME: HOST})
        cutover.wait_until(synced(), within=3 * SYNC)
        cutover.apply("manifests/2-alb.yaml", CERTIFICATE_ARN=cutover.certificate_arn(HOST))
        cutover.wait_until(alias_at("nlb"), within=2 * SYNC)
        cutover.wait_until(served_by("nlb"), within=AGE + TTL)
        cutover.hold(3 * MINUTE)
        cutover.expect(not_logged("Desired change: DELETE"))
        cutover.expect(claimed_by("service/default/envoy"))

    with cutover.step(
        "Forward again: both claim the name",
        why="As before. The app's connections that were opened on the ALB stay there until they end: the way "
        "back is as slow as the way there.",
    ):
        cutover.apply("manifests/3-host.yaml", CERTIFICATE_ARN=cutover.certificate_arn(HOST))
        cutover.wait_until(synced(), within=3 * SYNC)
        cutover.expect(alias_at("nlb"))

    annotation_leaves_the_service(cutover, title="Forward again: the annotation leaves the Service")

    with cutover.step(
        "The NLB is drained again", why="The same wait as the first time, before the NLB is deleted."
    ):
        cutover.wait_until(drained("nlb"), within=15 * MINUTE)

    with cutover.step("The NLB goes", why="It is drained, and no cached answer leads to it."):
        cutover.delete("service/envoy")
        cutover.wait_until(gone("nlb"), within=5 * MINUTE)
        cutover.hold(3 * MINUTE)
        cutover.expect(alias_at("alb"))
        cutover.expect(only_served_by("alb"))


@scenario("Variant: no maximum connection age, so nobody leaves the NLB", connection_age=None, **ABOUT)
def without_connection_age(cutover: Cutover) -> None:
    nlb_serves_everything(cutover)
    alb_is_prepared(cutover)
    both_claim_the_name(cutover)
    annotation_leaves_the_service(cutover, follows=False)
    with cutover.step(
        "The operator waits for the NLB to drain",
        why="DNS ends no connection, and neither client looks the name up again until its connection ends.",
    ):
        cutover.expect(drained("nlb"), within=15 * MINUTE)


@scenario("Variant: rollback by the annotation alone, which moves nothing", **ABOUT)
def rollback_by_annotation_only(cutover: Cutover) -> None:
    nlb_serves_everything(cutover)
    alb_is_prepared(cutover)
    both_claim_the_name(cutover)
    annotation_leaves_the_service(cutover)
    with cutover.step(
        "Rollback: the annotation goes back on the Service",
        why="The TXT record now names an Ingress, and that Ingress still claims the name.",
    ):
        cutover.annotate("service/envoy", {HOSTNAME: HOST})
        cutover.wait_until(synced(), within=3 * SYNC)
        cutover.expect(alias_at("nlb"))


@scenario("Variant: rollback with the Ingress first, which takes the name away", **ABOUT)
def rollback_ingress_first(cutover: Cutover) -> None:
    nlb_serves_everything(cutover)
    alb_is_prepared(cutover)
    both_claim_the_name(cutover)
    annotation_leaves_the_service(cutover)
    with cutover.step(
        "Rollback: the host leaves the Ingresses before the annotation is back",
        why="No resource claims the name, so ExternalDNS deletes the record. Clients notice as their "
        "connections end, and the operator when they call.",
    ):
        cutover.apply("manifests/2-alb.yaml", CERTIFICATE_ARN=cutover.certificate_arn(HOST))
        cutover.wait_until(no_record(), within=2 * SYNC)
        cutover.hold(AGE)
        cutover.annotate("service/envoy", {HOSTNAME: HOST})
        cutover.wait_until(alias_at("nlb"), within=3 * SYNC)
        cutover.hold(5 * MINUTE)
        cutover.expect(served_by("nlb"))


def nlb_serves_everything(cutover: Cutover) -> None:
    with cutover.step(
        "The NLB serves everything",
        why="Production today: one Service, one NLB, and one alias record that ExternalDNS keeps.",
    ):
        cutover.expect(alias_at("nlb"))
        cutover.expect(active("nlb"))
        cutover.start_traffic()
        cutover.wait_until(served_by("nlb"), within=1 * MINUTE)
        cutover.hold(2 * MINUTE)
        cutover.expect(only_served_by("nlb"))


def alb_is_prepared(cutover: Cutover) -> None:
    with cutover.step(
        "The ALB is prepared beside it",
        why="Try everything that can be tried before the name moves: certificate, rules, health.",
    ):
        arn = cutover.request_certificate(HOST)
        cutover.apply("manifests/2-alb.yaml", CERTIFICATE_ARN=arn)
        cutover.wait_until(forwards("alb", 443, "GRPC", "HTTP1"), within=5 * MINUTE)  # after both Ingresses
        cutover.wait_until(active("alb"), within=5 * MINUTE)
        cutover.expect(only_one("alb"))
        cutover.wait_until(answers_by_its_own_name("alb"), within=1 * MINUTE)
        cutover.wait_until(synced(), within=3 * SYNC)
        cutover.expect(alias_at("nlb"))
        cutover.expect(only_served_by("nlb"))


def both_claim_the_name(cutover: Cutover) -> None:
    with cutover.step(
        "Both claim the name",
        why="The Ingresses get the Service's host. The record's TXT names the Service, so nothing moves yet.",
    ):
        cutover.apply("manifests/3-host.yaml", CERTIFICATE_ARN=cutover.certificate_arn(HOST))
        cutover.wait_until(synced(), within=3 * SYNC)
        cutover.expect(logged("Endpoints generated from service: default/envoy"))
        cutover.expect(logged("Endpoints generated from ingress: default/zozomat-ingress-"))
        cutover.expect(logged("All records are already up to date"))
        cutover.hold(3 * SYNC)
        cutover.expect(alias_at("nlb"))
        cutover.expect(only_served_by("nlb"))


def annotation_leaves_the_service(
    cutover: Cutover, title: str = "The annotation leaves the Service", *, follows: bool = True
) -> None:
    with cutover.step(
        title,
        why="Now only the Ingresses claim the name: one UPSERT of the alias and its TXT, and new connections "
        "reach the ALB.",
    ):
        cutover.annotate("service/envoy", {HOSTNAME: None})
        cutover.wait_until(alias_at("alb"), within=2 * SYNC)
        if follows:
            cutover.wait_until(served_by("alb"), within=AGE + TTL)
        cutover.expect(logged("Desired change: UPSERT api.example.com A"))
        cutover.expect(claimed_by("ingress/default/zozomat-ingress"))
        cutover.expect(not_logged("Desired change: DELETE"))
