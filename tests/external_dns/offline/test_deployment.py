"""The ExternalDNS Deployment among manifests: which one it is, its release, its flags."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from testbed.errors import BadInput
from testbed.external_dns.core.facts import release_of
from testbed.external_dns.offline.deployment import (
    ExternalDns,
    external_dns,
    external_dns_deployments,
    refusal,
)
from testbed.kubernetes.manifests import parse
from testbed.releases import Match


def deployment(image: str = "external-dns:v0.7.4", name: str = "external-dns", **container: Any) -> str:
    spec = {"template": {"spec": {"containers": [{"name": "a", "image": image, **container}]}}}
    return yaml.safe_dump(
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec},
        sort_keys=False,
    )


def read(*texts: str) -> ExternalDns | None:
    return external_dns(one for text in texts for one in parse(text, Path("dns.yaml")))


def flags_of(**container: Any) -> tuple[str, ...]:
    deployed = read(deployment(**container))
    assert deployed
    return deployed.arguments()


def test_the_image_of_the_project_wins_over_one_that_only_carries_the_name() -> None:
    deployed = read(
        deployment("acme/external-dns-exporter:1.0.0", "exporter"), deployment("acme/external-dns:0.14.2")
    )
    assert deployed
    assert deployed.release == "v0.14.2"
    only = read(deployment("acme/my-external-dns-fork:0.7.5", "fork"))
    assert only
    assert only.release == "v0.7.5"


def test_without_such_an_image_there_is_none() -> None:
    assert read(deployment("acme/shop:1.0")) is None


def test_it_names_its_release_with_the_line_of_the_image() -> None:
    deployed = read(deployment("acme/external-dns:0.14.2"))
    assert deployed
    assert deployed.named
    assert (deployed.named.tag, deployed.named.by) == (
        "v0.14.2",
        "Deployment default/external-dns, dns.yaml:10",
    )
    assert deployed.choice
    assert (deployed.choice.played, deployed.choice.is_emulated) == ("v0.14.2", True)


def test_a_tag_without_a_release_is_played_as_the_newest() -> None:
    deployed = read(deployment("external-dns:latest"))
    assert deployed
    assert (deployed.release, deployed.choice.match) == (None, Match.UNTOLD)


def test_flags_stand_in_command_args_and_environment() -> None:
    given = flags_of(
        command=["/external-dns", "--source=service"],
        args=["--source", "ingress", "--once", "--policy=sync"],
        env=[{"name": "EXTERNAL_DNS_TXT_OWNER_ID", "value": "me"}, {"name": "AWS_REGION", "value": "x"}],
    )
    assert given == ("--source=service", "--source=ingress", "--once", "--policy=sync", "--txt-owner-id=me")


def test_an_argument_wins_over_its_variable() -> None:
    env = [{"name": "EXTERNAL_DNS_POLICY", "value": "sync"}]
    assert flags_of(args=["--policy=upsert-only"], env=env) == ("--policy=upsert-only",)


@pytest.mark.parametrize(("value", "flag"), [("true", "--dry-run"), ("0", "--no-dry-run")])
def test_a_variable_of_a_switch_turns_it_on_or_off(value: str, flag: str) -> None:
    assert flags_of(env=[{"name": "EXTERNAL_DNS_DRY_RUN", "value": value}]) == (flag,)


def test_a_variable_of_several_lines_is_a_flag_of_several_values() -> None:
    env = [{"name": "EXTERNAL_DNS_SOURCE", "value": "service\ningress"}]
    assert flags_of(env=env) == ("--source=service", "--source=ingress")


def test_a_flag_has_its_values_and_its_line() -> None:
    deployed = read(deployment(args=["--source=service", "--source=ingress", "--policy=sync"]))
    assert deployed
    assert deployed.values("--source") == ["service", "ingress"]
    assert (deployed.value("--policy"), deployed.value("--registry")) == ("sync", None)
    assert str(deployed.where("--policy")) == "dns.yaml:14"
    assert deployed.where("--registry") == deployed.manifest.where


def test_flags_are_parsed_as_a_release_does() -> None:
    new = "--annotation-prefix"
    deployed = read(deployment(args=["--source=service", "--policy=sync", f"{new}=example.com/"]))
    assert deployed
    assert f"unknown long flag '{new}'" in str(refusal(deployed, release_of("v0.7.4")))
    assert refusal(deployed, release_of("v0.22")) is None


def test_sources_registries_and_flags_that_are_not_emulated_are_left_out_each_with_its_line() -> None:
    args = ["--source=service", "--source=openshift-route", "--policy=upsert-only", "--zone-name-filter=a"]
    deployed = read(deployment(args=args))
    assert deployed
    found = deployed.emulated(release_of("v0.15.1"))
    assert found.arguments == ("--source=service", "--policy=upsert-only")
    assert (found.flags.sources, found.flags.policy) == (("service",), "upsert-only")
    assert [str(one.where) for one in found.left_out] == ["dns.yaml:15", "dns.yaml:13"]
    assert "does not emulate --source=openshift-route" in found.left_out[1].what


def test_without_an_emulated_source_nothing_is_left_to_read() -> None:
    deployed = read(deployment(args=["--source=crd"]))
    assert deployed
    with pytest.raises(BadInput, match="no --source"):
        deployed.emulated(release_of("v0.15.1"))


def test_all_deployments_of_the_project_are_found_and_of_lookalikes_only_one() -> None:
    texts = (
        deployment(name="a"),
        deployment("acme/external-dns:0.14.2", "b"),
        deployment("x-external-dns", "c"),
    )
    manifests = [one for text in texts for one in parse(text, Path("dns.yaml"))]
    assert [one.manifest.key[2] for one in external_dns_deployments(manifests)] == ["a", "b"]
    assert [one.manifest.key[2] for one in external_dns_deployments(manifests[2:])] == ["c"]


@given(st.lists(st.sampled_from(["--source=service", "--source", "ingress", "--once", "--x=", "y", "-v"])))
def test_any_list_of_arguments_is_read(args: Sequence[str]) -> None:
    deployed = read(deployment(args=list(args)))
    assert deployed
    assert all(one.startswith("--") for one in deployed.arguments())
    assert all(where.line for values in deployed.flags.values() for _, where in values)
