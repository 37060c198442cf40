"""A name moves from an NLB to an ALB by hand, under populations of which the forecast has not been told."""

from testbed import Cutover, scenario
from testbed.conditions import active, alias_at, served_by

MINUTE = 60
AGE = 5 * MINUTE
HOST = "api.example.com"
ABOUT = {
    "host": HOST,
    "manifests": ["../../../scenarios/by_hand/manifests/1-nlb.yaml"],
    "external_dns": [],
    "lb_controller": "v2.1.0",
    "service_webhook": False,
    "balancer_provisioning": 10,
    "client_count": 340,
}


def part(model: str, share: float, resolver: str = "direct") -> dict[str, object]:
    """A part whose connections have every age when the alias moves."""
    return {"model": model, "share": share, "resolver": resolver, "age": [0, AGE]}


@scenario(
    "340 clients of several languages, each with its own way to leave",
    clients=[
        part("grpcio", 0.5),
        part("python-requests", 0.1),
        part("java-http1", 0.1),
        part("php-curl", 0.1),
        part("python-aiohttp", 0.1),
        part("nginx-resolver", 0.05),
        part("go-net-http", 0.05),
    ],
    **ABOUT,
)
def languages(cutover: Cutover) -> None:
    play(cutover)


@scenario(
    "340 clients behind fleets of resolvers, which drop the old answer one after the other",
    clients=[
        part("grpcio", 0.3, "unbound*4"),
        part("grpcio", 0.2, "ttl-floor:300*3"),
        part("python-requests", 0.2, "bind*2"),
        part("ttl-pool", 0.2, "dnsmasq"),
        part("java-urlconnection", 0.1, "nscd"),
    ],
    **ABOUT,
)
def fleets(cutover: Cutover) -> None:
    play(cutover)


def play(cutover: Cutover) -> None:
    with cutover.step("The NLB serves", why="Connections of every age stand when the alias moves."):
        cutover.apply(
            "../../../scenarios/by_hand/manifests/2-alb.yaml",
            CERTIFICATE_ARN=cutover.request_certificate(HOST),
        )
        cutover.wait_until(active("nlb"), within=3 * MINUTE)
        cutover.wait_until(active("alb"), within=3 * MINUTE)
        cutover.change_alias("nlb", action="CREATE")
        cutover.hold(MINUTE)
        cutover.start_traffic()
        cutover.wait_until(served_by("nlb"), within=MINUTE)
        cutover.hold(AGE + MINUTE)
    with cutover.step("The alias is changed to the ALB", why="An alias moves new connections only."):
        cutover.change_alias("alb")
        cutover.expect(alias_at("alb"))
        cutover.hold(2 * AGE)
