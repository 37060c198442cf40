"""Situations that people reported in public, rebuilt small, and what the command line must say of each.

A folder has inputs, `run.sh` and `expected.txt`, which says in prose what is right and where it was reported.
Here stands what that means for the output. A pattern is a regular expression over the output of one part (the
text after a line `=== NAME` or `== NAME`; "" for all of it), with each run of white space as one blank.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """What a part of the output has, and what it never has."""

    name: str = ""
    has: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


_NO_FLAG_ERROR = Part(
    never=(r"unknown long flag", r"\[flags-refused\]", r"is not emulated; the testbed decides")
)

SITUATIONS: dict[str, tuple[Part, ...]] = {
    "01-upsert-only-cname-to-alias": (
        Part(
            has=(
                r"Batch to example\.com, 4 changes CREATE a-app\.example\.com TXT .* CREATE aaaa-app",
                r"Route 53 refuses it: InvalidChangeBatch: \[RRSet of type A with DNS name "
                r"app\.example\.com\. "
                r"is not permitted because a conflicting RRSet of type CNAME .* RRSet of type AAAA",
                r"app\.example\.com CNAME stays, .*--policy=upsert-only never deletes",
            ),
            never=(r"DELETE app\.example\.com CNAME",),
        ),
    ),
    "02-target-annotation-type-transition": (
        Part(
            "v0.21.0",
            has=(
                r"ExternalDNS v0\.21\.0 ",
                # As given it reads the other prefix; with that of the manifests the CNAME gets no TXT.
                r"ExternalDNS reads external-dns\.alpha\.kubernetes\.io/ only",
                r"With --annotation-prefix=external-dns\.kubernetes\.io/ it would do this",
                r"CREATE app\.example\.com CNAME 300 s stable\.example\.net",
                r"cname-app\.example\.com TXT is not written for app\.example\.com CNAME .* nobody's "
                r"and frozen",
            ),
            never=(r"is not emulated",),
        ),
        Part(
            "v0.22.0",
            has=(
                r"CREATE app\.example\.com CNAME 300 s stable\.example\.net",
                r"Route 53 refuses it: InvalidChangeBatch: .*a-app\.example\.com\.', type='TXT'\] but it was "
                r"not found",
            ),
        ),
    ),
    "04-versions-between": (
        Part(
            "v0.13.4", has=(r"UPSERT the record at every sync \[ttl-on-alias\]", r"\[dualstack-leaves-aaaa\]")
        ),
        *(
            Part(
                tag,
                has=(r"does nothing: an alias has the load balancer's own TTL", r"\[dualstack-leaves-aaaa\]"),
                never=(r"UPSERT the record at every sync", r"\[aaaa-on-the-other-balancer\]"),
            )
            for tag in ("v0.14.2", "v0.15.1")
        ),
        *(
            Part(
                tag,
                has=(
                    r"does nothing: an alias has the load balancer's own TTL",
                    rf"ExternalDNS {tag} adds an AAAA alias to each A alias; while both claim .* older A "
                    r"points to the load balancer whose name sorts first.*\[aaaa-on-the-other-balancer\]",
                    r"CREATE app\.example\.com AAAA alias a0123",
                ),
                never=(r"UPSERT the record at every sync", r"\[dualstack-leaves-aaaa\]"),
            )
            for tag in ("v0.16.1", "v0.18.0", "v0.21.0")
        ),
        _NO_FLAG_ERROR,
    ),
    "06-apex-with-prefix": (
        Part(
            has=(
                r"example\.com is the apex of its hosted zone, and its TXT, _external_dns\.a-example\.com, "
                r"lies outside the zone.*\[apex-does-not-move\]",
                r"TXT of example\.com, a-example\.com, lies outside the hosted zone and is not written",
                r"To move it 1\. Letting service/web/edge go does not move the name",
            ),
            never=(
                r"The next sync moves the record by an UPSERT",
                r"it moves when service/web/edge gives up",
            ),
        ),
    ),
    "07-latency-to-weighted": (
        Part(
            has=(
                r"ExternalDNS v0\.7\.5 .*SetIdentifier cost-east cannot be created as a non-weighted set "
                r"exists "
                r"with the same name and type.*ExternalDNS v0\.22\.0 .*SetIdentifier cost-east cannot be "
                r"created "
                r"as a non-weighted set exists",
            ),
        ),
    ),
    "08-argocd-grpc-path-order": (
        Part(
            has=(
                r"rule 443:2 .* is never reached: rule 443:1 .* comes first and matches all of it "
                r"\[hidden-rules\] (-> )?put its path before the other in the same Ingress",
            ),
            never=(r"a smaller alb\.ingress\.kubernetes\.io/group\.order",),
        ),
    ),
    "09-conditions-name-mismatch": (
        Part(
            has=(
                r"leads to the Service ml/model-aa, which is not among the manifests.*\[backend-missing\] "
                r".*or "
                r"correct the name; its conditions and actions are for model-a ",
                r"rule 443:2 \(model-name b, .* is never reached: rule 443:1 \(path /\*, .*\[hidden-rules\]",
                r"1 path /\* -> fixed 503 'Backend service does not exist'",
            ),
        ),
    ),
    "10-clusterip-instance": (
        Part(
            has=(
                r"TargetGroup port is empty\. When using Instance targets, your service be must of type "
                r"'NodePort' or 'LoadBalancer'.*\[cannot-be-built\]",
            ),
        ),
    ),
    "11-quoted-attributes": (
        Part(
            has=(
                r"Ingress group shared .*conflicting load balancer attributes access_logs\.s3\.bucket: "
                r'lb-logs \| "lb-logs" \[cannot-be-built\]',
                r"Ingress app/a claims a\.example\.com, but its load balancer cannot be built",
                r"Ingress app/b claims b\.example\.com, but its load balancer cannot be built",
            ),
        ),
    ),
    "12-ssl-policy-conflict": (
        Part(
            has=(
                r"conflicting sslPolicy, app/a: ELBSecurityPolicy-TLS-1-2-2017-01 \| app/b: "
                r"ELBSecurityPolicy-TLS13-1-2-2021-06 \[cannot-be-built\]",
            ),
        ),
    ),
    "14-nlb-weighted-actions": (
        Part(
            has=(
                r"TCP k8s-edge-oldedge-\w+ \(weight 90\), TCP k8s-edge-newedge-\w+ \(weight 10\)",
                r"modelled, not obeyed by packets: the weights of listener 443",
            ),
            never=(r"does not read",),
        ),
    ),
    "15-two-ingress-nginx-and-alb": (
        Part(
            has=(
                r"Ingress mon/dash gets its load balancer from the controller of the IngressClass nginx, "
                r"which is "
                r"not among the manifests, at 172\.20\.138\.183: .* a claimant like any other",
                r"A leads to 172\.20\.138\.183, AAAA to k8s-mon-dashfron-\S+: clients .*"
                r"\[fresh-zone-parts-families\]",
                r"ExternalDNS v0\.7\.5 .*CREATE dash\.example\.com A 300 s 172\.20\.138\.183",
                r"ExternalDNS v0\.22\.0 .*CREATE dash\.example\.com A 300 s 172\.20\.138\.183",
            ),
            never=(r"ignores it", r"\[claims-without-address\]", r"\[nobody-takes-it\]"),
        ),
    ),
    "17-eks-auto-mode": (
        Part(
            has=(
                r"Service edge/gw gets its load balancer from EKS Auto Mode, by its class "
                r"eks\.amazonaws\.com/nlb",
                r"Ingress edge/gw gets its load balancer from EKS Auto Mode, by the IngressClass alb",
                r"gw\.example\.com is claimed by Service edge/gw and Ingress edge/gw.*"
                r"\[rollback-needs-both-edits\]",
                r"plan rc=1",
            ),
            never=(r"\[claims-without-address\]", r"\[nobody-takes-it\]", r"gets no load balancer"),
        ),
    ),
    "18-wildcard-vs-hosts-zone": (
        Part(
            has=(
                r"zone\.txt:1: no ResourceRecordSets here, but text; pass the output of \S+ route53 \S+ "
                r"--hosted-zone-id ID` rc=2",
                r"zone\.json:16: the listing is cut off and not the whole zone; .* rc=2",
                r"portal\.platform\.example\.com A would move to ingress/portal/portal .*; but no TXT says "
                r"that "
                r"it belongs to owner \"externaldns\"",
            ),
            never=(r"(UPSERT|CREATE|DELETE) portal",),
        ),
    ),
    "19-two-zones-one-name": (
        Part(
            "create in both",
            has=(r"t\.internal\.example\.com A stays with ingress/sandbox/tools",),
            never=(r"two hosted zones match",),
        ),
        Part(
            "the ingress is gone",
            has=(
                r"Batch to example\.com \(zone-private\.json\), 4 changes .*DELETE "
                r"t\.internal\.example\.com A ",
                r"Batch to example\.com \(zone-public\.json\), 4 changes .*DELETE t\.internal\.example\.com "
                r"A ",
                r"rc=0",
            ),
        ),
    ),
    "32-scheme-annotation-ignored-by-ccm": (
        Part(
            has=(
                r"asks for the scheme internal, but the cloud provider makes its NLB .*the NLB is "
                r"internet-facing \[scheme-not-read\]",
                r"applied anew, it gets the class service\.k8s\.aws/nlb, and the internal NLB .* is made "
                r"instead of the internet-facing NLB",
                r"made by the cloud provider NLB a<uid>, internet-facing",
            ),
        ),
    ),
    "20-real-deployments": (
        Part(
            "a-gateway.yaml",
            has=(r"\[policy-keeps-records\]",),
            never=(r": error: ",),
        ),
        Part("b-prefer-cname.yaml", never=(r": error: ", r"\[prefers-cname\]")),
        Part("c-bitnami.yaml", has=(r"\[policy-keeps-records\]",), never=(r": error: ", r"AAAA alias")),
        Part("d-chart-1.19.yaml", never=(r": error: ", r"AAAA alias")),
        Part("e-regex.yaml", has=(r"\[owner-migration\]",), never=(r": error: ",)),
        Part("f-dynamodb.yaml", has=(r"does not emulate --registry=dynamodb",), never=(r": error: ",)),
        _NO_FLAG_ERROR,
    ),
    "24-envoy-gateway-alb-no-sni": (
        Part(
            has=(
                r"behind the NLB of Service gw/edge the targets see the client's server name; the ALB of "
                r"Ingress "
                r"gw/edge opens TLS to them without one \(no SNI\): .*clients get 502 \[sni-is-lost\]",
            ),
        ),
    ),
    "25-real-ingress-collection": (
        Part(
            "a-listen-ports-one-object.yaml",
            has=(
                # One object with two keys is a list of objects: the controller takes it, as the source says.
                r"listener 80 HTTP 1 host web\.example\.com and path /\* -> redirect HTTP_301 .*"
                r"listener 443 HTTPS,",
            ),
            never=(r": error: ", r"FailedBuildModel"),
        ),
        Part(
            "b-deny-path.yaml",
            has=(
                # Prefix comes before ImplementationSpecific, so the fixed response stands after the forward.
                r"rule 443:2 .*is never reached: rule 443:1 .*\[hidden-rules\] .*write path / as /\* with "
                r"pathType ImplementationSpecific, after this one",
                r"1 host web\.example\.com and path /\* -> HTTP1 .* 2 host web\.example\.com and path "
                r"/\*/internal/\* -> fixed 404 'no'",
            ),
            never=(r"put its path before the other",),
        ),
        Part(
            "c-host-without-http.yaml",
            has=(r"web\.example\.com of Ingress a/web has no http paths, so it makes no rule",),
        ),
    ),
    "30-unowned-in-batch": (
        Part(
            has=(
                r"Batch to lab\.example\.com, 4 changes",
                r"CREATE new\.lab\.example\.com A ",
                r"CREATE new\.lab\.example\.com AAAA ",
                r"\*\.lab\.example\.com A would move .* but its TXT names owner \"terraform\"",
            ),
            never=(r"CREATE \*\.lab", r"UPSERT \*\.lab", r"Route 53 refuses"),
        ),
    ),
}
"""By the name of the folder."""

PLAYED: dict[str, tuple[Part, ...]] = {
    "22-scheme-change-recreates": (
        Part(
            has=(
                r"step 2 passed: [\d,]+ ok, [1-9][\d,]* failed",
                r"[\d,]+ requests failed \(step 2:",
                r"made ingress/default/web \(2\) in place of ingress/default/web \(1\): for \d+ s neither "
                r"was active",
                r"rc=1",
            ),
        ),
    ),
    "26-ccm-to-lbc-in-place": (
        Part(
            has=(
                r"step 2 passed: [\d,]+ ok, [1-9][\d,]* failed",
                r"[\d,]+ requests failed \(step 2:",
                r"made service/default/envoy \(2\) in place of service/default/envoy \(1\)",
                r"rc=1",
            ),
        ),
    ),
    "33-grpc-405-in-up": (
        Part(
            has=(
                r"AWS refuses the success codes '405' of the GRPC target group .* must be within 0-99 "
                r"\[impossible-success-codes\]",
                r"Warning FailedDeployModel .* CreateTargetGroup, https response error StatusCode: 400, .*"
                r"ValidationError: Health check matcher GRPC code '405' must be within '0-99' inclusive",
            ),
        ),
    ),
}
"""Situations that a rehearsal or a standing topology shows, by the name of the folder: half a minute each."""
