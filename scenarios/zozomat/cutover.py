"""The story: a measuring service moves from an NLB to an ALB, under load, and back, and over again.

gRPC comes from a mobile app, REST over HTTP/1.1 from servers; both call api.example.com. ExternalDNS keeps
the name's alias record in Route 53. Read `zozomat` first; the functions after it are variants that show
what does not work, and why.
"""

from testbed.rehearsal import Cutover, scenario
from testbed.rehearsal.conditions import (
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
SYNC = 1 * MINUTE  # ExternalDNS looks once a minute
TTL = 1 * MINUTE  # an alias answers with the load balancer's own TTL
HOSTNAME = "external-dns.alpha.kubernetes.io/hostname"
HOST = "api.example.com"

ABOUT = {
    "host": HOST,
    "manifests": ["manifests/1-nlb.yaml"],
    # v0.22 reads external-dns.kubernetes.io/ unless it is told otherwise.
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

    with cutover.step(
        "The ALB serves everything", why="A while without surprises, before anyone believes it."
    ):
        cutover.hold(5 * MINUTE)
        cutover.expect(only_served_by("alb"))

    with cutover.step(
        "Rollback: annotation back first, then the host leaves the Ingresses",
        why="The record stays with the resource that its TXT names for as long as that one claims it. "
        "Claimed by both, it never disappears; when the Ingresses let go, it moves by an UPSERT.",
    ):
        cutover.annotate("service/envoy", {HOSTNAME: HOST})
        cutover.wait_until(synced(), within=3 * SYNC)
        cutover.apply("manifests/2-alb.yaml", CERTIFICATE_ARN=cutover.certificate_arn(HOST))
        cutover.wait_until(alias_at("nlb"), within=2 * SYNC)
        cutover.wait_until(served_by("nlb"), within=2 * TTL)
        cutover.hold(3 * MINUTE)
        cutover.expect(not_logged("Desired change: DELETE"))
        cutover.expect(claimed_by("service/default/envoy"))

    with cutover.step(
        "Forward again: both claim the name",
        why="As before. The app's connections that were opened on the ALB stay there: so the way back is "
        "as slow as the way there.",
    ):
        cutover.apply("manifests/3-host.yaml", CERTIFICATE_ARN=cutover.certificate_arn(HOST))
        cutover.wait_until(synced(), within=3 * SYNC)
        cutover.expect(alias_at("nlb"))

    annotation_leaves_the_service(cutover, title="Forward again: the annotation leaves the Service")

    with cutover.step("The NLB is drained again", why="The same wait as the first time, before it may go."):
        cutover.wait_until(drained("nlb"), within=15 * MINUTE)

    with cutover.step("The NLB goes", why="Drained, and out of every cached answer, nobody misses it."):
        cutover.delete("service/envoy")
        cutover.wait_until(gone("nlb"), within=5 * MINUTE)
        cutover.hold(3 * MINUTE)
        cutover.expect(alias_at("alb"))
        cutover.expect(only_served_by("alb"))


@scenario("Variant: no maximum connection age, so gRPC never leaves the NLB", connection_age=None, **ABOUT)
def without_connection_age(cutover: Cutover) -> None:
    nlb_serves_everything(cutover)
    alb_is_prepared(cutover)
    both_claim_the_name(cutover)
    annotation_leaves_the_service(cutover)
    with cutover.step(
        "The operator waits for the NLB to drain",
        why="Nothing in DNS ends a connection, and the app's channels ask DNS only when theirs breaks.",
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
        why="The TXT record names an Ingress now, and that Ingress still claims the name.",
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
        why="For one sync nobody claims the name, so ExternalDNS deletes the record.",
    ):
        cutover.apply("manifests/2-alb.yaml", CERTIFICATE_ARN=cutover.certificate_arn(HOST))
        cutover.wait_until(no_record(), within=2 * SYNC)
        cutover.annotate("service/envoy", {HOSTNAME: HOST})
        cutover.wait_until(alias_at("nlb"), within=3 * SYNC)
        cutover.hold(5 * MINUTE)
        cutover.expect(served_by("nlb"))


def nlb_serves_everything(cutover: Cutover) -> None:
    with cutover.step(
        "The NLB serves everything",
        why="This is how production stands: one Service, one NLB, one alias, kept by ExternalDNS.",
    ):
        cutover.apply("manifests/1-nlb.yaml")
        cutover.wait_until(alias_at("nlb"), within=2 * SYNC)
        cutover.wait_until(active("nlb"), within=5 * MINUTE)
        cutover.start_traffic()
        cutover.wait_until(served_by("nlb"), within=1 * MINUTE)
        cutover.hold(2 * MINUTE)
        cutover.expect(only_served_by("nlb"))


def alb_is_prepared(cutover: Cutover) -> None:
    with cutover.step(
        "The ALB is prepared beside it",
        why="Everything that can be tried before the name moves should be: certificate, rules, health.",
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


def annotation_leaves_the_service(cutover: Cutover, title: str = "The annotation leaves the Service") -> None:
    with cutover.step(
        title,
        why="Now only the Ingresses claim the name: one UPSERT of the alias and its TXT, and new connections "
        "reach the ALB.",
    ):
        cutover.annotate("service/envoy", {HOSTNAME: None})
        cutover.wait_until(alias_at("alb"), within=2 * SYNC)
        cutover.wait_until(served_by("alb"), within=2 * TTL)
        cutover.expect(logged("Desired change: UPSERT api.example.com A"))
        cutover.expect(claimed_by("ingress/default/zozomat-ingress"))
        cutover.expect(not_logged("Desired change: DELETE"))
