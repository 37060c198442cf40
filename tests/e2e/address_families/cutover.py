"""A name with A and AAAA moves from a dualstack NLB to a dualstack ALB, with one ExternalDNS or with two."""

from testbed import Cutover, scenario
from testbed.conditions import active, alias_at, forwards, served_by, synced

MINUTE = 60
SYNC = TTL = 1 * MINUTE
HOST = "api.example.com"
HOSTNAME = "external-dns.alpha.kubernetes.io/hostname"
ABOUT = {
    "host": HOST,
    "manifests": ["manifests/nlb.yaml"],
    "external_dns_release": "v0.21.0",
    "lb_controller": "v2.13.4",
}


@scenario("A and AAAA move together to a dualstack ALB", **ABOUT)
def both_families_move(cutover: Cutover) -> None:
    nlb_serves_both_families(cutover)
    prepare(cutover, "dualstack")
    with cutover.step("The Ingresses get the name", why="One ExternalDNS moves A and AAAA in one batch."):
        move(cutover, "dualstack")


@scenario("ExternalDNS goes back to v0.14.2, and AAAA stays at the NLB", **ABOUT)
def one_family_stays(cutover: Cutover) -> None:
    nlb_serves_both_families(cutover)
    prepare(cutover, "ipv4")
    with cutover.step(
        "An older ExternalDNS moves the name",
        why="v0.14.2 makes AAAA only for an Ingress that is dualstack, so it moves A alone.",
    ):
        cutover.upgrade_external_dns("v0.14.2")
        move(cutover, "ipv4")


def nlb_serves_both_families(cutover: Cutover) -> None:
    with cutover.step("The NLB serves both families", why="Both records lead to the dualstack NLB."):
        cutover.expect(active("nlb"))
        cutover.expect(alias_at("nlb"))
        cutover.start_traffic()
        cutover.wait_until(served_by("nlb"), within=1 * MINUTE)
        cutover.hold(2 * MINUTE)


def prepare(cutover: Cutover, addresses: str) -> None:
    with cutover.step("The ALB is prepared", why="Nobody is led to it yet."):
        cutover.request_certificate(HOST)
        apply(cutover, addresses, controller="none")
        cutover.wait_until(forwards("alb", 443, "GRPC", "HTTP1"), within=5 * MINUTE)
        cutover.wait_until(active("alb"), within=5 * MINUTE)


def move(cutover: Cutover, addresses: str) -> None:
    apply(cutover, addresses, controller="dns-controller")
    cutover.wait_until(synced(), within=3 * SYNC)
    cutover.annotate("service/envoy", {HOSTNAME: None})
    cutover.wait_until(alias_at("alb"), within=3 * SYNC)
    cutover.wait_until(served_by("alb"), within=2 * TTL)
    cutover.hold(6 * MINUTE)  # longer than the age of a connection


def apply(cutover: Cutover, addresses: str, *, controller: str) -> None:
    arn = cutover.certificate_arn(HOST)
    cutover.apply("manifests/alb.yaml", CERTIFICATE_ARN=arn, ADDRESSES=addresses, CONTROLLER=controller)
