"""The story of `zozomat`, played by the commands of a runbook: what an operator types, verbatim.

Conditions do the waiting and judging: a runbook says "wait until", and a person looks. The manifests are
those of `zozomat`; sed fills in the certificate's ARN, as in many a runbook.
"""

from testbed import Cutover, scenario
from testbed.conditions import (
    active,
    alias_at,
    claimed_by,
    drained,
    gone,
    not_logged,
    only_served_by,
    served_by,
    synced,
)

MINUTE = 60
SYNC = 1 * MINUTE
TTL = 1 * MINUTE
AGE = (
    5 * MINUTE
)  # of a connection, at the targets behind the NLB and at the ALB: by then its client looks again
MANIFESTS = "../zozomat/manifests"
ARN = "aws acm list-certificates --query CertificateSummaryList[0].CertificateArn --output text"

OPTION = "Certificate.DomainValidationOptions[0].ResourceRecord"
VALIDATE = f"""
set -eu
arn=$({ARN})
read -r name value < <(aws acm describe-certificate --certificate-arn "$arn" \\
  --query "{OPTION}.[Name,Value]" --output text)
zone=$(aws route53 list-hosted-zones --query "HostedZones[0].Id" --output text)
aws route53 change-resource-record-sets --hosted-zone-id "$zone" --change-batch "Changes=[{{Action=UPSERT,
  ResourceRecordSet={{Name=$name,Type=CNAME,TTL=300,ResourceRecords=[{{Value=$value}}]}}}}]"
until [ "$(aws acm describe-certificate --certificate-arn "$arn" \\
  --query Certificate.Status --output text)" = ISSUED ]; do sleep 0.1; done
"""


def apply_with_certificate(cutover: Cutover, manifest: str) -> None:
    fill = f'sed "s|\\${{CERTIFICATE_ARN}}|$({ARN})|" {MANIFESTS}/{manifest}'
    cutover.run(f"{fill} | kubectl apply -f -", shell="bash")


@scenario(
    "The move to the ALB by the commands of a runbook",
    host="api.example.com",
    manifests=[f"{MANIFESTS}/1-nlb.yaml"],
    external_dns_release="v0.7.4",
    external_dns_by_version={"v0.22": ["--annotation-prefix=external-dns.alpha.kubernetes.io/"]},
    lb_controller="v2.1.0",
    service_webhook=False,  # the NLB is the cloud provider's
)
def runbook(cutover: Cutover) -> None:
    with cutover.step("The NLB serves everything", why="This is production today."):
        cutover.run("kubectl get service envoy -o wide")
        cutover.expect(alias_at("nlb"))
        cutover.expect(active("nlb"))
        cutover.start_traffic()
        cutover.wait_until(served_by("nlb"), within=1 * MINUTE)
        cutover.hold(2 * MINUTE)
        cutover.expect(only_served_by("nlb"))

    with cutover.step("The ALB is prepared beside it", why="It has no host yet, so that nothing moves."):
        cutover.run("aws acm request-certificate --domain-name api.example.com --validation-method DNS")
        cutover.run(VALIDATE, shell="bash")
        apply_with_certificate(cutover, "2-alb.yaml")
        cutover.wait_until(active("alb"), within=5 * MINUTE)
        cutover.run("kubectl get ingress")
        cutover.run("aws elbv2 describe-load-balancers --query LoadBalancers[].[Type,DNSName] --output text")
        cutover.expect(only_served_by("nlb"))

    with cutover.step("Both claim the name", why="The record stays with the resource that its TXT names."):
        apply_with_certificate(cutover, "3-host.yaml")
        cutover.wait_until(synced(), within=3 * SYNC)
        cutover.expect(alias_at("nlb"))
        cutover.expect(only_served_by("nlb"))

    with cutover.step("The annotation leaves the Service", why="Now only the Ingresses claim the name."):
        cutover.run("kubectl annotate service envoy external-dns.alpha.kubernetes.io/hostname-")
        cutover.wait_until(alias_at("alb"), within=2 * SYNC)
        cutover.wait_until(served_by("alb"), within=AGE + TTL)
        cutover.expect(claimed_by("ingress/default/zozomat-ingress"))
        cutover.expect(not_logged("Desired change: DELETE"))

    with cutover.step("The NLB is drained", why="An alias moves new connections only; old ones must end."):
        cutover.wait_until(drained("nlb"), within=15 * MINUTE)

    with cutover.step("The NLB goes", why="It is drained, and no cached answer leads to it."):
        cutover.run("kubectl delete service envoy")
        cutover.wait_until(gone("nlb"), within=5 * MINUTE)
        cutover.hold(3 * MINUTE)
        cutover.expect(alias_at("alb"))
        cutover.expect(only_served_by("alb"))
