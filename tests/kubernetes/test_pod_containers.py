"""The containers of a workload, and the release in the tag of an image."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed.kubernetes.manifests import parse
from testbed.kubernetes.pod_containers import PodContainer, pod_containers

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: dns}}
spec:
  template:
    spec:
      containers:
        - name: proxy
          image: proxy:1.2
        - name: dns
          image: {image}
"""


def containers(text: str) -> list[PodContainer]:
    return list(pod_containers(parse(text, Path("dns.yaml"))))


@pytest.mark.parametrize(
    ("image", "release"),
    [
        ("registry.k8s.io/external-dns/external-dns:v0.14.2", "v0.14.2"),
        ("bitnami/external-dns:0.15.1-debian-12-r3", "v0.15.1"),
        ("example.com:5000/external-dns:v0.22", "v0.22"),
        ("external-dns:v0.19.0@sha256:0123456789", "v0.19.0"),
        ("602401143452.dkr.ecr.eu-west-1.amazonaws.com/external-dns:v0.19.0-eksbuild.2", "v0.19.0"),
        ("registry.k8s.io/staging/external-dns:v20230524-v0.13.5", "v0.13.5"),
        ("external-dns:release-0.15", "v0.15"),
        ("external-dns:latest", None),
        ("external-dns:stable", None),
        ("example.com:5000/external-dns", None),
        ("external-dns@sha256:0123456789", None),
        ("external-dns", None),
        ("external-dns:1.2.3.4", None),
    ],
)
def test_the_release_is_read_from_the_tag_as_people_have_it(image: str, release: str | None) -> None:
    assert containers(DEPLOYMENT.format(image=image))[1].release == release


def test_a_field_of_a_container_has_its_line() -> None:
    first, second = containers(DEPLOYMENT.format(image="dns:1.0"))
    assert str(first.line("image")) == "dns.yaml:9"
    assert str(second.line("image")) == "dns.yaml:11"
    assert str(second.line("args", 0)) == "dns.yaml:10"


@pytest.mark.parametrize("spec", ["", "spec: {}\n", "spec: {template: {}}\n", "spec: {replicas: 1}\n"])
def test_a_workload_without_containers_has_none(spec: str) -> None:
    assert containers(f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: a}}\n{spec}") == []


def test_a_container_without_an_image_has_no_release() -> None:
    only = PodContainer(parse(DEPLOYMENT.format(image="a:1.0"), Path("a.yaml"))[0], 0, {"name": "a"})
    assert (only.image, only.release) == ("", None)


LABELLED = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: dns, labels: {{app.kubernetes.io/version: "{outer}"}}}}
spec:
  template:
    metadata:
      labels: {{app: dns{inner}}}
    spec:
      containers:
        - name: dns
          image: {image}
"""


def labelled(image: str, inner: str = "", outer: str = "0.19.0") -> PodContainer:
    return containers(LABELLED.format(image=image, inner=inner, outer=outer))[0]


@pytest.mark.parametrize("image", ["dns@sha256:0123", "dns:stable", "dns:latest@sha256:0123"])
def test_where_the_image_tells_no_release_the_label_of_the_chart_does(image: str) -> None:
    container = labelled(image)
    assert (container.release, str(container.release_line)) == ("v0.19.0", "dns.yaml:3")


def test_the_label_of_the_pods_comes_before_that_of_the_workload() -> None:
    container = labelled("dns@sha256:0123", ', app.kubernetes.io/version: "0.20.0"')
    assert (container.release, str(container.release_line)) == ("v0.20.0", "dns.yaml:7")


def test_a_release_in_the_tag_comes_before_the_label() -> None:
    container = labelled("dns:v0.14.2")
    assert (container.release, str(container.release_line)) == ("v0.14.2", "dns.yaml:11")


@pytest.mark.parametrize("image", ["dns:latest", "dns", "example.com:5000/dns"])
def test_an_image_that_moves_is_not_of_the_release_that_the_chart_was_made_for(image: str) -> None:
    container = labelled(image)
    assert (container.release, container.tag) == (None, "latest")


@pytest.mark.parametrize(
    ("image", "tag"),
    [("a/dns:v0.1@sha256:0", "v0.1"), ("a/dns:stable", "stable"), ("dns@sha256:0", ""), ("dns", "latest")],
)
def test_an_image_without_tag_and_digest_is_the_latest(image: str, tag: str) -> None:
    assert labelled(image).tag == tag


@pytest.mark.parametrize("label", ["", "main"])
def test_a_label_that_tells_no_release_tells_none(label: str) -> None:
    container = labelled("dns@sha256:0123", outer=label)
    assert container.release is None
    assert str(container.release_line) == "dns.yaml:11"
