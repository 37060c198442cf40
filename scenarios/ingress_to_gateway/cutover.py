"""An Ingress becomes a Gateway: one ALB hands its name to another, back, and over again.

The AWS Load Balancer Controller makes a second ALB for the Gateway and cannot take over that of the Ingress.
So the name must move from one to the other, and ExternalDNS moves it only when the Ingress stops claiming it.
The annotation `ingress-hostname-source` does that while the Ingress goes on serving.
"""

from testbed import Cutover, scenario
from testbed.conditions import (
    Condition,
    Observation,
    Observer,
    active,
    alias_at,
    answers_by_its_own_name,
    claimed_by,
    drained,
    forwards,
    gone,
    logged,
    not_logged,
    only_served_by,
    served_by,
    synced,
)

MINUTE = 60
SYNC = 1 * MINUTE  # ExternalDNS syncs once a minute
TTL = 1 * MINUTE  # answers for an alias have the TTL of the load balancer's own name
AGE = 5 * MINUTE  # of a connection at both ALBs: by then its client looks the name up again
HOST = "api.example.com"
ARN = "arn:aws:acm:ap-northeast-1:000000000000:certificate/shop"
HOSTNAME_SOURCE = "external-dns.kubernetes.io/ingress-hostname-source"
INGRESS = "ingress/shop"
OLD, NEW = "ingress/shop", "gateway/edge"

ABOUT = {
    "host": HOST,
    "manifests": ["manifests/1-ingress.yaml"],
    "certificates": {ARN: [HOST]},
    "external_dns": [
        "--source=ingress",
        "--source=gateway-httproute",
        "--source=gateway-grpcroute",
        "--provider=aws",
        "--policy=sync",
        "--registry=txt",
        "--txt-owner-id=testbed",
        "--log-level=debug",
    ],
    "external_dns_release": "v0.22.0",
    "lb_controller": "v3.5.0",
    "clients": {"grpcio": 0.8, "python-requests": 0.2},
    "client_count": 24,
}


@scenario("An Ingress hands its name to a Gateway, gets it back, and hands it over again", **ABOUT)
def ingress_to_gateway(cutover: Cutover) -> None:
    ingress_serves_everything(cutover)
    gateway_is_prepared(cutover)
    both_claim_the_name(cutover)
    ingress_lets_go(cutover)

    with cutover.step(
        "The old ALB is drained",
        why="Clients come over as their connections end, at most five minutes later.",
    ):
        cutover.wait_until(drained("old"), within=15 * MINUTE)

    with cutover.step("The Gateway serves everything", why="Watch it for a while before you rely on it."):
        cutover.hold(3 * MINUTE)
        cutover.expect(only_served_by("new"))

    with cutover.step(
        "Rollback: the Ingress claims the name again, then the routes let go",
        why="The TXT names a route now. The record goes back by an UPSERT when the routes drop the host.",
    ):
        cutover.annotate(INGRESS, {HOSTNAME_SOURCE: None})
        cutover.wait_until(synced(), within=3 * SYNC)
        cutover.expect(alias_at("new"))
        cutover.apply("manifests/2-gateway.yaml")
        cutover.wait_until(alias_at("old"), within=2 * SYNC)
        cutover.wait_until(served_by("old"), within=AGE + TTL)
        cutover.expect(not_logged("Desired change: DELETE"))

    both_claim_the_name(cutover, title="Forward again: both claim the name")
    ingress_lets_go(cutover, title="Forward again: the Ingress lets go")

    with cutover.step(
        "The old ALB is drained again", why="The same wait as the first time, before the Ingress is deleted."
    ):
        cutover.wait_until(drained("old"), within=15 * MINUTE)

    with cutover.step("The Ingress goes", why="Its ALB is drained, and no cached answer leads to it."):
        cutover.delete(INGRESS)
        cutover.wait_until(gone("old"), within=5 * MINUTE)
        cutover.hold(2 * MINUTE)
        cutover.expect(alias_at("new"))
        cutover.expect(only_served_by("new"))


@scenario("Variant: the Ingress lets go as soon as the Gateway has an address", **ABOUT)
def before_it_is_programmed(cutover: Cutover) -> None:
    ingress_serves_everything(cutover)
    with cutover.step(
        "The Gateway comes, and the Ingress lets go at once",
        why="A Gateway has its address as soon as its ALB is created, and ExternalDNS looks at nothing else. "
        "The alias moves to an ALB that answers nobody for minutes.",
    ):
        cutover.apply("manifests/2-gateway.yaml", "manifests/3-hosts.yaml")
        cutover.wait_until(has_address(), within=5 * MINUTE)
        cutover.annotate(INGRESS, {HOSTNAME_SOURCE: "annotation-only"})
        cutover.wait_until(alias_at("new"), within=3 * SYNC)
        cutover.hold(AGE)


@scenario("Variant: the routes get the host, and nobody makes the Ingress let go", **ABOUT)
def nobody_lets_go(cutover: Cutover) -> None:
    ingress_serves_everything(cutover)
    gateway_is_prepared(cutover)
    with cutover.step(
        "The routes get the host, and the operator waits",
        why="The TXT names the Ingress, which claims the name by its rules. No annotation can be removed.",
    ):
        cutover.apply("manifests/3-hosts.yaml")
        cutover.expect(alias_at("new"), within=5 * SYNC)


def has_address() -> Condition:
    """The status of the Gateway has an address, as `kubectl get gateway` shows it."""

    def look(observer: Observer) -> Observation:
        gateway = observer.topology.cluster.objects.get("Gateway", "default", "edge") or {}
        addresses = (gateway.get("status") or {}).get("addresses") or []
        return Observation(bool(addresses), ", ".join(one["value"] for one in addresses))

    return Condition("the Gateway has an address", look)


def ingress_serves_everything(cutover: Cutover) -> None:
    cutover.balancer("old", OLD)
    cutover.balancer("new", NEW)
    with cutover.step(
        "The ALB of the Ingress serves everything", why="Production today: one Ingress, one ALB."
    ):
        cutover.expect(alias_at("old"))
        cutover.expect(active("old"))
        cutover.wait_until(forwards("old", 443, "GRPC", "HTTP1"), within=5 * MINUTE)
        cutover.start_traffic()
        cutover.wait_until(served_by("old"), within=1 * MINUTE)
        cutover.hold(1 * MINUTE)
        cutover.expect(only_served_by("old"))


def gateway_is_prepared(cutover: Cutover) -> None:
    with cutover.step(
        "The Gateway is prepared beside it",
        why="Its ALB answers by its own name before the name moves: an address in the status is not enough.",
    ):
        cutover.apply("manifests/2-gateway.yaml")
        cutover.wait_until(forwards("new", 443, "GRPC", "HTTP1"), within=5 * MINUTE)
        cutover.wait_until(active("new"), within=5 * MINUTE)
        cutover.wait_until(answers_by_its_own_name("new"), within=1 * MINUTE)
        cutover.wait_until(synced(), within=3 * SYNC)
        cutover.expect(alias_at("old"))
        cutover.expect(only_served_by("old"))


def both_claim_the_name(cutover: Cutover, title: str = "Both claim the name") -> None:
    with cutover.step(
        title,
        why="The routes get the Ingress's host. The record's TXT names the Ingress, so nothing moves yet.",
    ):
        cutover.apply("manifests/3-hosts.yaml")
        cutover.wait_until(synced(), within=3 * SYNC)
        cutover.expect(logged("Endpoints generated from HTTPRoute default/shop-http"))
        cutover.expect(logged("All records are already up to date"))
        cutover.expect(alias_at("old"))


def ingress_lets_go(cutover: Cutover, title: str = "The Ingress lets go of the name") -> None:
    with cutover.step(
        title,
        why="With annotation-only and no hostname annotation the Ingress claims nothing, and it serves on. "
        "One UPSERT moves the alias.",
    ):
        cutover.annotate(INGRESS, {HOSTNAME_SOURCE: "annotation-only"})
        cutover.wait_until(alias_at("new"), within=2 * SYNC)
        cutover.wait_until(served_by("new"), within=AGE + TTL)
        cutover.expect(logged("Desired change: UPSERT api.example.com A"))
        cutover.expect(claimed_by("httproute/default/shop-http"))
        cutover.expect(not_logged("Desired change: DELETE"))
