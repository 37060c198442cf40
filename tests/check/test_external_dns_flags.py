from __future__ import annotations

import pytest

from testbed.check import external_dns_flags
from tests.check.conftest import Look
from tests.check.manifests_of_traps import EXTERNAL_DNS
from tests.check.traps import GOOD, NEW, Case, check_case, flags, rules_of

TRAPS = {
    "ingress-source-missing": Case((*GOOD, flags(without="ingress")), "4.yaml:14"),
    "annotation-filter-hides": Case((*GOOD, flags("--annotation-filter=zone=public")), "1.yaml:6"),
    "flags-hide-claims": Case((*GOOD, flags("--domain-filter=example.org")), "1.yaml:6"),
    "flags-refused": Case((*GOOD, flags("--polcy=sync")), "4.yaml:19"),
    "flag-not-emulated": Case((*GOOD, flags("--zone-name-filter=a")), "4.yaml:19"),
    "policy-keeps-records": Case((*GOOD, flags("--policy=upsert-only", without="sync")), "4.yaml:18"),
    "version-not-emulated": Case(
        (*GOOD, EXTERNAL_DNS.replace("v0.7.4", "v0.99.2-debian-11-r0@sha256:0123")), "4.yaml:12"
    ),
    "provider-missing": Case(
        (*GOOD, EXTERNAL_DNS.replace("          command: [external-dns, --provider=aws]\n", "")), "4.yaml:1"
    ),
    "release-not-told": Case((*GOOD, EXTERNAL_DNS.replace("v0.7.4", "latest")), "4.yaml:12"),
    "release-never-existed": Case((*GOOD, EXTERNAL_DNS.replace("v0.7.4", "v0.13.3")), "4.yaml:12"),
    "noop-registry": Case((*GOOD, flags("--registry=noop", without="registry")), "4.yaml:18"),
    "shared-owner-id": Case((*GOOD, flags(without="owner")), "4.yaml:1"),
    "prefers-cname": Case((*GOOD, flags("--aws-prefer-cname")), "4.yaml:19"),
    "cname-replaces-alias": Case((*GOOD, flags("--aws-prefer-cname")), "4.yaml:19", "v0.18.0"),
    "release-can-die": Case((*GOOD, EXTERNAL_DNS), "4.yaml:12", "v0.16.1"),
    "owner-migration": Case((*GOOD, flags("--migrate-from-txt-owner=default")), "4.yaml:19", NEW),
    "long-interval": Case((*GOOD, flags("--interval=10m")), "4.yaml:19"),
}


@pytest.mark.parametrize("rule", TRAPS)
def test_a_trap_is_named_with_its_line_and_good_manifests_have_none(look: Look, rule: str) -> None:
    check_case(look, rule, TRAPS[rule])


def test_each_rule_has_a_case() -> None:
    assert rules_of(external_dns_flags) == set(TRAPS)


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
    reported = look(*GOOD, flags(*flag.split()), rule="flags-hide-claims")
    assert [one.what.split(": ")[1].split(" ")[0] for one in reported][:1] == ([hides] if hides else [])


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
    exporter = EXTERNAL_DNS.replace("{name: external-dns}", "{name: exporter}").replace(
        "image: external-dns:v0.7.4", "image: example.com/external-dns-exporter:v2.0.0"
    )
    reported = look(
        *GOOD, exporter, flags("--policy=upsert-only", without="sync"), rule="policy-keeps-records"
    )
    assert [one.where.path.name for one in reported] == ["5.yaml"]


def test_a_release_newer_than_all_profiles_is_reported(look: Look) -> None:
    (found,) = look(*GOOD, EXTERNAL_DNS.replace("v0.7.4", "v1.0.0"), rule="version-not-emulated", version=NEW)
    assert "ExternalDNS v1.0.0 is newer than v0.22.0 of 2026-08-19" in found.what
    assert found.do == "read its release notes since v0.22.0"


@pytest.mark.parametrize(
    ("version", "more", "rules"),
    [
        ("v0.7.4", (), {"prefers-cname"}),
        ("v0.7.4", ("--txt-prefix=x-",), {"cname-replaces-alias"}),
        ("v0.16.1", (), {"prefers-cname"}),
        ("v0.18.0", (), {"cname-replaces-alias"}),
    ],
)
def test_a_cname_without_a_txt_prefix_works_since_v0_18(
    look: Look, version: str, more: tuple[str, ...], rules: set[str]
) -> None:
    found = look(*GOOD, flags("--aws-prefer-cname", *more), version=version)
    assert {one.rule for one in found} & {"prefers-cname", "cname-replaces-alias"} == rules


def test_under_upsert_only_a_cname_never_replaces_an_alias(look: Look) -> None:
    given = flags("--aws-prefer-cname", "--policy=upsert-only", without="policy=sync")
    [found] = look(*GOOD, given, rule="prefers-cname", version="v0.18.0")
    assert "Route 53 refuses the CNAME at every sync" in found.what


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("v0.15.1", ""),
        ("v0.16.0", "index panic"),
        ("v0.16.1", "index panic"),
        ("v0.18.0", "index panic"),
        ("v0.19.0", ""),
        ("v0.13.4", ""),
        ("v0.13.5", "any error of Route 53"),
        ("v0.14.0", "any error of Route 53"),
        ("v0.14.1", ""),
    ],
)
def test_a_release_that_can_die_is_named_with_what_kills_it(look: Look, version: str, words: str) -> None:
    found = look(*GOOD, EXTERNAL_DNS, rule="release-can-die", version=version)
    assert bool(found) == bool(words)
    assert all(words in one.what for one in found)


def test_a_source_that_is_not_emulated_is_not_wrong_and_the_other_flags_are_read(look: Look) -> None:
    given = flags("--source=openshift-route", "--namespace=elsewhere")
    assert look(*GOOD, given, rule="flags-refused", version="v0.15.1") == []
    [found] = look(*GOOD, given, rule="flag-not-emulated", version="v0.15.1")
    assert (found.where.line, "--source=openshift-route" in found.what) == (19, True)
    assert {one.rule for one in look(*GOOD, given, version="v0.15.1")} >= {"flags-hide-claims"}


@pytest.mark.parametrize(
    ("version", "more", "is_found"),
    [
        ("v0.15.1", (), False),
        ("v0.16.0", (), True),
        ("v0.19.0", ("--managed-record-types=A", "--managed-record-types=CNAME"), False),
        ("v0.19.0", ("--exclude-record-types=AAAA",), False),
        ("v0.19.0", ("--aws-prefer-cname",), False),
    ],
)
def test_an_aaaa_on_the_other_balancer_is_named_where_a_release_makes_one(
    look: Look, version: str, more: tuple[str, ...], is_found: bool
) -> None:
    found = look(*GOOD, flags(*more), rule="aaaa-on-the-other-balancer", version=version)
    assert bool(found) == is_found


def test_a_provider_from_the_environment_counts_and_one_from_elsewhere_may(look: Look) -> None:
    command = "          command: [external-dns, --provider=aws]\n"
    for instead in (
        "          env: [{name: EXTERNAL_DNS_PROVIDER, value: aws}]\n",
        "          envFrom: [{configMapRef: {name: external-dns}}]\n",
    ):
        assert look(*GOOD, EXTERNAL_DNS.replace(command, instead), rule="provider-missing") == []
