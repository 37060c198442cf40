"""A runbook scales the controllers to 0 with kubectl, changes what they watch, and scales them back."""

from testbed import Cutover, scenario
from testbed.conditions import active, alias_at, served_by, synced

MINUTE = 60
HOSTNAME = "external-dns.alpha.kubernetes.io/hostname"
ATTRIBUTES = "service.beta.kubernetes.io/aws-load-balancer-attributes"
EXTERNAL_DNS = "-n kube-system deployment/external-dns"


@scenario(
    "ExternalDNS is scaled to 0 while an annotation changes",
    host="api.example.com",
    manifests=["manifests/nlb.yaml"],
    external_dns_release="v0.21.0",
    lb_controller="v2.13.4",
)
def external_dns_is_scaled(cutover: Cutover) -> None:
    with cutover.step("Nothing syncs", why="A Deployment without pods does nothing."):
        cutover.expect(active("nlb"))
        cutover.start_traffic()
        cutover.wait_until(served_by("nlb"), within=1 * MINUTE)
        cutover.run(f"kubectl scale {EXTERNAL_DNS} --replicas=0")
        cutover.run(f"kubectl rollout status {EXTERNAL_DNS} --timeout=30s")
        cutover.run("kubectl get pods -n kube-system")
        cutover.annotate("service/envoy", {HOSTNAME: None})
        cutover.hold(4 * MINUTE)
        cutover.expect(alias_at("nlb"))
        cutover.annotate("service/envoy", {HOSTNAME: "api.example.com"})
    with cutover.step("It syncs again", why="A new pod syncs when it has started."):
        cutover.run(f"kubectl scale {EXTERNAL_DNS} --replicas=1")
        cutover.run(f"kubectl rollout status {EXTERNAL_DNS} --timeout=30s")
        cutover.wait_until(synced(), within=3 * MINUTE)
        cutover.run("kubectl logs -n kube-system deploy/external-dns --tail=5")
        cutover.expect(alias_at("nlb"))
        cutover.hold(2 * MINUTE)
    with cutover.step("The LB controller is scaled to 0", why="No annotation is read until it is back."):
        cutover.run("kubectl scale -n kube-system deployment/aws-load-balancer-controller --replicas=0")
        cutover.run(f"kubectl annotate service/envoy {ATTRIBUTES}=load_balancing.cross_zone.enabled=true")
        cutover.hold(3 * MINUTE)
        cutover.expect(active("nlb"))
        cutover.run("kubectl scale -n kube-system deployment/aws-load-balancer-controller --replicas=1")
        cutover.hold(1 * MINUTE)
        cutover.run("kubectl logs -n kube-system deploy/aws-load-balancer-controller --tail=5")
