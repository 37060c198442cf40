"""One trap at a time is put into manifests that have none, and its rule, file and line must be told."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed.check import rules
from testbed.check.findings import Severity
from testbed.check.reading import Reading, load
from testbed.lb_controller.inputs import Version
from tests.check.conftest import Look
from tests.check.manifests_of_traps import (
    EXTERNAL_DNS,
    INGRESS,
    PLAIN,
    REST,
    SERVICE,
    annotated,
    folder,
)

ALB = "alb.ingress.kubernetes.io/"
XDNS = "external-dns.alpha.kubernetes.io/"
NLB = "service.beta.kubernetes.io/aws-load-balancer-"
NEW = "v0.22"
GOOD = (SERVICE, PLAIN, INGRESS)
WEIGHTS = (f"{XDNS}set-identifier: {{}}", f'{XDNS}aws-weight: "50"')


def weighted(manifest: str, identifier: str) -> str:
    return annotated(manifest, *(line.format(identifier) for line in WEIGHTS))


def flags(*lines: str, without: str = "") -> str:
    kept = "".join(
        line for line in EXTERNAL_DNS.splitlines(keepends=True) if not without or without not in line
    )
    return kept + "".join(f"            - {line}\n" for line in lines)


# What brings a trap about, the version that reads it, and the line (file.yaml:line) that must be told.
TRAPS: dict[str, tuple[tuple[str, ...], str, str]] = {
    "rollback-needs-both-edits": (GOOD, "v0.7.4", "1.yaml:6"),
    "nobody-claims-between": (GOOD, "v0.7.4", "1.yaml:6"),
    "lost-address-moves-the-name": (GOOD, "v0.7.4", "1.yaml:6"),
    "fresh-zone-decides-by-name": (GOOD, "v0.7.4", "1.yaml:6"),
    "unstable-after-rollback": ((*GOOD, REST), "v0.7.4", "4.yaml:15"),
    "two-balancers-one-name": (
        (*GOOD, REST.replace("group.name: web", "group.name: other")),
        "v0.7.4",
        "4.yaml:15",
    ),
    "claims-without-address": (
        (SERVICE, PLAIN, INGRESS.replace("ingress.class: alb", "ingress.class: nginx")),
        "v0.7.4",
        "3.yaml:15",
    ),
    "hostname-on-plain-service": (
        (annotated(PLAIN.replace("spec:", "  annotations:\nspec:"), f"{XDNS}hostname: a.example.com"),),
        "v0.7.4",
        "1.yaml:6",
    ),
    "other-controller": (
        (SERVICE, PLAIN, annotated(INGRESS, f"{XDNS}controller: other")),
        "v0.7.4",
        "3.yaml:6",
    ),
    "capitals-in-host": ((SERVICE.replace("api.example", "API.example"),), "v0.7.4", "1.yaml:6"),
    "two-services-one-host": ((*GOOD, SERVICE.replace("name: web\n", "name: two\n")), "v0.7.5", "4.yaml:6"),
    "unread-annotation-prefix": (GOOD, NEW, "1.yaml:6"),
    "ttl-on-alias": ((annotated(SERVICE, f'{XDNS}ttl: "60"'),), "v0.7.4", "1.yaml:6"),
    "dualstack-leaves-aaaa": (
        (SERVICE, PLAIN, annotated(INGRESS, f"{ALB}ip-address-type: dualstack")),
        "v0.7.4",
        "3.yaml:6",
    ),
    "aaaa-on-the-other-balancer": (
        (SERVICE.replace("alpha.", ""), PLAIN, INGRESS),
        NEW,
        "1.yaml:6",
    ),
    "pinned-zone-not-rehearsed": (
        (annotated(SERVICE.replace("alpha.", ""), "external-dns.kubernetes.io/aws-hosted-zone-id: Z123"),),
        NEW,
        "1.yaml:6",
    ),
    "weight-without-set-identifier": (
        (annotated(SERVICE, f'{XDNS}aws-weight: "50"'), PLAIN, INGRESS),
        "v0.7.4",
        "1.yaml:6",
    ),
    "set-identifier-without-weight": (
        (annotated(SERVICE, f"{XDNS}set-identifier: nlb"), PLAIN),
        "v0.7.4",
        "1.yaml:6",
    ),
    "weighted-beside-simple": ((SERVICE, PLAIN, weighted(INGRESS, "alb")), "v0.7.4", "1.yaml:6"),
    "one-set-identifier-for-both": (
        (weighted(SERVICE, "web"), PLAIN, weighted(INGRESS, "web")),
        "v0.7.4",
        "3.yaml:6",
    ),
    "weights-move-new-lookups-only": (
        (weighted(SERVICE, "nlb"), PLAIN, weighted(INGRESS, "alb")),
        "v0.7.4",
        "1.yaml:7",
    ),
    "target-health-annotation-ignored": (
        (annotated(SERVICE, f'{XDNS}aws-evaluate-target-health: "false"'),),
        "v0.7.4",
        "1.yaml:6",
    ),
    "ingress-source-missing": ((*GOOD, flags(without="ingress")), "v0.7.4", "4.yaml:14"),
    "annotation-filter-hides": ((*GOOD, flags("--annotation-filter=zone=public")), "v0.7.4", "1.yaml:6"),
    "misspelt-annotation": (
        (SERVICE.replace("load-balancer-type:", "loadbalancer-type:"), PLAIN, INGRESS),
        "v0.7.4",
        "1.yaml:7",
    ),
    "kind-not-read": (
        (
            *GOOD,
            "apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata: {name: web}\n",
            "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: web}\nspec: {a: {}}\n",
        ),
        "v0.7.4",
        "4.yaml:1",
    ),
    "flags-hide-claims": ((*GOOD, flags("--domain-filter=example.org")), "v0.7.4", "1.yaml:6"),
    "flags-refused": ((*GOOD, flags("--polcy=sync")), "v0.7.4", "4.yaml:19"),
    "flag-not-emulated": ((*GOOD, flags("--zone-name-filter=a")), "v0.7.4", "4.yaml:19"),
    "policy-keeps-records": ((*GOOD, flags("--policy=upsert-only", without="sync")), "v0.7.4", "4.yaml:18"),
    "version-not-emulated": (
        (*GOOD, EXTERNAL_DNS.replace("v0.7.4", "v0.14.2-debian-11-r0@sha256:0123")),
        "v0.7.4",
        "4.yaml:12",
    ),
    "noop-registry": ((*GOOD, flags("--registry=noop", without="registry")), "v0.7.4", "4.yaml:18"),
    "shared-owner-id": ((*GOOD, flags(without="owner")), "v0.7.4", "4.yaml:1"),
    "prefers-cname": ((*GOOD, flags("--aws-prefer-cname")), "v0.7.4", "4.yaml:19"),
    "owner-migration": ((*GOOD, flags("--migrate-from-txt-owner=default")), NEW, "4.yaml:19"),
    "long-interval": ((*GOOD, flags("--interval=10m")), "v0.7.4", "4.yaml:19"),
    "cannot-be-built": (
        (SERVICE, PLAIN, INGRESS.replace("target-type: ip", "target-type: instance")),
        "v0.7.4",
        "3.yaml:1",
    ),
    "nobody-takes-it": (
        (SERVICE, PLAIN, INGRESS.replace("ingress.class: alb", "ingress.class: nginx")),
        "v0.7.4",
        "3.yaml:1",
    ),
    "backend-missing": ((SERVICE, INGRESS), "v0.7.4", "2.yaml:20"),
    "grpc-on-http-listener": (
        (SERVICE, PLAIN, annotated(INGRESS, f"{ALB}listen-ports: '[{{\"HTTP\":443}}]'")),
        "v0.7.4",
        "3.yaml:19",
    ),
    "rules-on-port-80-only": (
        (*GOOD, "\n".join(line for line in REST.splitlines() if "certificate" not in line)),
        "v0.7.4",
        "4.yaml:1",
    ),
    "missing-certificate": (
        (
            *GOOD,
            REST.replace(
                f"{ALB}certificate-arn: arn:aws:acm:ap-northeast-1:000000000000:certificate/1",
                f"{ALB}listen-ports: '[{{\"HTTPS\":443}}]'",
            ),
        ),
        "v0.7.4",
        "4.yaml:10",
    ),
    "assumed-ingress-class": (
        (
            SERVICE,
            PLAIN,
            INGRESS.replace("    kubernetes.io/ingress.class: alb\n", "").replace(
                "spec:\n", "spec:\n  ingressClassName: alb\n"
            ),
        ),
        "v0.7.4",
        "3.yaml:13",
    ),
    "hidden-rules": (
        (*GOOD, annotated(REST, f'{ALB}group.order: "-1"').replace("/carts/*", "/*")),
        "v0.7.4",
        "3.yaml:18",
    ),
    "wrong-protocol-gets-464": (GOOD, "v0.7.4", "3.yaml:18"),
    "idle-streams-are-cut": (
        (SERVICE, PLAIN, INGRESS.replace("timeout_seconds=350", "timeout_seconds=60")),
        "v0.7.4",
        "3.yaml:12",
    ),
    "impossible-success-codes": (
        (SERVICE, PLAIN, annotated(INGRESS, f'{ALB}success-codes: "200"')),
        "v0.7.4",
        "3.yaml:6",
    ),
    "beyond-aws-limits": (
        (
            SERVICE,
            PLAIN,
            annotated(
                INGRESS,
                f'{ALB}conditions.web-plain: \'[{{"field":"source-ip","sourceIpConfig":'
                '{"values":["10.0.0.0/8","10.1.0.0/16","10.2.0.0/16","10.3.0.0/16","10.4.0.0/16"]}}]\'',
            ),
        ),
        "v0.7.4",
        "3.yaml:19",
    ),
    "grpc-health-needs-status-12": (GOOD, "v0.7.4", "3.yaml:11"),
    "http-health-path-is-the-root": ((*GOOD, REST), "v0.7.4", "4.yaml:1"),
    "grpc-health-without-rule": (GOOD, "v0.7.4", "3.yaml:1"),
    "no-readiness-gate": (
        (
            SERVICE,
            PLAIN,
            INGRESS,
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: default}\n",
        ),
        "v0.7.4",
        "4.yaml:1",
    ),
    "port-is-lost": (
        (SERVICE + "    - {name: grpc, port: 8443, targetPort: 8443}\n", PLAIN, INGRESS),
        "v0.7.4",
        "1.yaml:13",
    ),
    "scheme-differs": (
        (SERVICE, PLAIN, INGRESS.replace("scheme: internet-facing", "scheme: internal")),
        "v0.7.4",
        "3.yaml:8",
    ),
    "source-ranges-are-lost": (
        (SERVICE + "  loadBalancerSourceRanges: [10.0.0.0/8]\n", PLAIN, INGRESS),
        "v0.7.4",
        "1.yaml:13",
    ),
    "proxy-protocol-ends": (
        (annotated(SERVICE, f'{NLB}proxy-protocol: "*"'), PLAIN.replace("8080", "8443"), INGRESS),
        "v0.7.4",
        "1.yaml:6",
    ),
    "client-address-changes": (GOOD, "v0.7.4", "1.yaml:1"),
    "affinity-ends": (
        (
            annotated(
                SERVICE.replace("type: nlb", "type: external"),
                f"{NLB}target-group-attributes: stickiness.enabled=true,stickiness.type=source_ip",
                f"{NLB}nlb-target-type: ip",
            ),
            PLAIN,
            INGRESS,
        ),
        "v0.7.4",
        "1.yaml:6",
    ),
    "certificate-changes": (GOOD, "v0.7.4", "1.yaml:1"),
    "connections-stay": (GOOD, "v0.7.4", "1.yaml:1"),
    "http2-limits-of-the-alb": (GOOD, "v0.7.4", "3.yaml:15"),
    "no-access-log": (GOOD, "v0.7.4", "3.yaml:1"),
}
IN_THE_GOOD_ONES = {
    name for name, (manifests, version, _) in TRAPS.items() if (manifests, version) == (GOOD, "v0.7.4")
}


def test_every_rule_has_a_case_and_a_sentence() -> None:
    assert {rule.id for rule in rules.all_rules()} == set(TRAPS)
    for rule in rules.all_rules():
        assert rule.title.endswith("."), rule.id


@pytest.mark.parametrize("name", TRAPS)
def test_a_trap_is_named_with_its_file_and_line(look: Look, name: str) -> None:
    manifests, version, where = TRAPS[name]
    found = look(*manifests, rule=name, version=version)
    assert found, f"{name} was not found"
    assert f"{found[0].where.path.name}:{found[0].where.line}" == where
    assert found[0].what
    assert found[0].do


@pytest.mark.parametrize("name", sorted(set(TRAPS) - IN_THE_GOOD_ONES))
def test_manifests_without_the_trap_are_not_accused_of_it(look: Look, name: str) -> None:
    assert look(*GOOD, rule=name) == []


@pytest.mark.parametrize(
    ("tag", "read_as"),
    [
        ("v0.7.4", "v0.7.4"),
        ("0.7.5-debian-11-r3", "v0.7.5"),
        ("v0.14.2", "v0.7.5"),
        ("v0.22.1", "v0.22"),
        ("v0.23.0@sha256:0123", "v0.22"),
        ("v0.5.0", "v0.7.4"),
        ("latest", "v0.7.4"),
    ],
)
def test_manifests_are_read_as_the_deployed_release_or_the_one_before_it_does(
    tmp_path: Path, tag: str, read_as: str
) -> None:
    manifests = load([folder(tmp_path, *GOOD, EXTERNAL_DNS.replace("v0.7.4", tag))])
    assert Reading.of(manifests, None, Version.NEWEST).profile.version == read_as


def test_a_release_newer_than_all_profiles_is_told(look: Look) -> None:
    (found,) = look(*GOOD, EXTERNAL_DNS.replace("v0.7.4", "v1.0.0"), rule="version-not-emulated", version=NEW)
    assert "ExternalDNS v1.0.0 is not emulated" in found.what
    assert found.do == "read its release notes since v0.22"


def test_good_manifests_have_only_notes(look: Look) -> None:
    assert {one.severity for one in look(*GOOD, EXTERNAL_DNS)} == {Severity.NOTE}


def test_a_service_alone_has_no_trap(look: Look) -> None:
    assert look(SERVICE) == []


def test_a_later_file_replaces_what_an_earlier_one_defines(look: Look) -> None:
    assert (
        look(*GOOD, SERVICE.replace(f"    {XDNS}hostname: api.example.com\n", ""), rule="connections-stay")
        == []
    )


def test_what_only_the_account_knows_is_taken_as_right(look: Look) -> None:
    ids = f"{ALB}subnets: subnet-0a1b, subnet-2c3d", f"{ALB}security-groups: sg-1"
    assert look(SERVICE, PLAIN, annotated(INGRESS, *ids), rule="cannot-be-built") == []


def test_an_annotation_prefix_of_the_deployment_is_read(look: Look) -> None:
    told = flags(f"--annotation-prefix={XDNS}")
    assert look(*GOOD, told, rule="unread-annotation-prefix", version=NEW) == []


def test_the_storys_manifests_have_no_error(repository: Path) -> None:
    from testbed.check import reading
    from testbed.lb_controller.inputs import Version

    loaded = reading.load([repository / "scenarios/zozomat/manifests"])
    found = rules.check(reading.Reading.of(loaded, "v0.7.4", Version.NEWEST))
    assert {one.rule for one in found if one.severity is not Severity.NOTE} == {
        "idle-streams-are-cut",
        "unstable-after-rollback",
    }


def test_a_default_backend_and_an_action_that_are_not_there_are_told(look: Look) -> None:
    backends = INGRESS.replace("name: web-plain", "name: act").replace("number: 80", "name: use-annotation")
    absent = "spec:\n  defaultBackend: {service: {name: absent, port: {number: 80}}}\n"
    found = look(SERVICE, PLAIN, backends.replace("spec:\n", absent), rule="backend-missing")
    assert sorted(one.what.partition(" leads to ")[2].split(" that ")[0] for one in found) == [
        "a Service",
        "an action",
    ]


@pytest.mark.parametrize(("kept", "is_told"), [("true", True), ("false", False), (None, False)])
def test_ip_targets_see_the_clients_address_only_if_it_is_preserved(
    look: Look, kept: str | None, is_told: bool
) -> None:
    lines = [f"{NLB}nlb-target-type: ip"]
    if kept:
        lines.append(f"{NLB}target-group-attributes: preserve_client_ip.enabled={kept}")
    service = annotated(SERVICE.replace("type: nlb", "type: external"), *lines)
    local = service.replace("type: LoadBalancer", "type: LoadBalancer\n  externalTrafficPolicy: Local")
    told = [one.rule for one in look(local, PLAIN, INGRESS)]
    assert ("client-address-changes" in told) is is_told


@pytest.mark.parametrize(
    ("flag", "hides"),
    [
        ("--namespace=prod", "--namespace"),
        ("--domain-filter=example.com --exclude-domains=api.example.com", "--exclude-domains"),
        ("--service-type-filter=ClusterIP", "--service-type-filter"),
        (
            "--ignore-hostname-annotation --fqdn-template={{.Name}}.example.com",
            "--ignore-hostname-annotation",
        ),
        ("--domain-filter=example.com", ""),
        ("--namespace=default", ""),
    ],
)
def test_the_flag_that_hides_a_service_is_named(look: Look, flag: str, hides: str) -> None:
    told = look(*GOOD, flags(*flag.split()), rule="flags-hide-claims")
    assert [one.what.split(": ")[1].split(" ")[0] for one in told][:1] == ([hides] if hides else [])


def test_flags_are_read_from_separate_words_and_from_the_environment(look: Look) -> None:
    spaced = EXTERNAL_DNS.replace("            - --policy=sync\n", "").replace(
        "          args:\n",
        "          env:\n            - {name: EXTERNAL_DNS_POLICY, value: upsert-only}\n"
        "            - {name: EXTERNAL_DNS_AWS_PREFER_CNAME, value: 'true'}\n"
        "          args:\n            - --namespace\n            - prod\n",
    )
    (policy,) = look(*GOOD, spaced, rule="policy-keeps-records")
    assert (policy.where.line, policy.what[:20]) == (14, "--policy=upsert-only")
    assert look(*GOOD, spaced, rule="prefers-cname")
    assert look(*GOOD, spaced, rule="flags-hide-claims")


def test_an_exporter_beside_it_is_not_taken_for_externaldns(look: Look) -> None:
    exporter = EXTERNAL_DNS.replace("name: external-dns\n", "name: exporter\n", 1).replace(
        "image: external-dns:v0.7.4", "image: example.com/external-dns-exporter:v2.0.0"
    )
    told = look(*GOOD, exporter, flags("--policy=upsert-only", without="sync"), rule="policy-keeps-records")
    assert [one.where.path.name for one in told] == ["5.yaml"]


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("alb.ingress.kubernetes.io/certificate-arns", "alb.ingress.kubernetes.io/certificate-arn"),
        ("external-dns.alpha.kubernetes.io/hostnames", "external-dns.alpha.kubernetes.io/hostname"),
        ("alb.ingress.kubernetes.io/actions.redirect", ""),
        ("alb.ingress.kubernetes.io/listener-attributes.HTTPS-443", ""),
        ("nginx.ingress.kubernetes.io/certificate-arns", ""),
        ("service.beta.kubernetes.io/azure-load-balancer-internal", ""),
    ],
)
def test_an_annotation_that_resembles_a_known_one_is_told(look: Look, key: str, meant: str) -> None:
    told = look(SERVICE, PLAIN, annotated(INGRESS, f'{key}: "x"'), rule="misspelt-annotation")
    assert [one.do for one in told] == ([f"{meant} was meant?"] if meant else [])
