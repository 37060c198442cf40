from __future__ import annotations

from pathlib import Path

import pytest

from testbed.check.manifest_reading import Reading, load
from tests.check.conftest import Look
from tests.check.manifests_of_traps import EXTERNAL_DNS, INGRESS, PLAIN, SERVICE, annotated, folder
from tests.check.traps import ALB, GOOD, XDNS


@pytest.mark.parametrize(
    ("tag", "read_as"),
    [
        ("v0.7.4", "v0.7.4"),
        ("0.7.5-debian-11-r3", "v0.7.5"),
        ("v0.14.2", "v0.14.2"),
        ("v0.22.1", "v0.22.0"),
        ("v0.23.0@sha256:0123", "v0.22.0"),
        ("v0.5.0", "v0.7.4"),
        ("latest", "v0.22.0"),
    ],
)
def test_manifests_are_read_as_the_deployed_release_or_the_one_before_it_does(
    tmp_path: Path, tag: str, read_as: str
) -> None:
    manifests = load([folder(tmp_path, *GOOD, EXTERNAL_DNS.replace("v0.7.4", tag))])
    assert Reading.of(manifests).release.tag == read_as


def test_a_later_file_replaces_what_an_earlier_one_defines(look: Look) -> None:
    assert (
        look(*GOOD, SERVICE.replace(f"    {XDNS}hostname: api.example.com\n", ""), rule="connections-stay")
        == []
    )


def test_what_only_the_account_knows_is_taken_as_right(look: Look) -> None:
    ids = f"{ALB}subnets: subnet-0a1b, subnet-2c3d", f"{ALB}security-groups: sg-1"
    assert look(SERVICE, PLAIN, annotated(INGRESS, *ids), rule="cannot-be-built") == []
