from __future__ import annotations

from pathlib import Path

import pytest

from testbed.errors import BadInput
from testbed.kubernetes import ObjectStore
from testbed.kubernetes.manifests import load, parse
from testbed.kubernetes.references import check_references
from tests.kubernetes.manifests_of_the_story import service

STORY = Path(__file__).parents[2] / "scenarios" / "zozomat" / "manifests"
FILE = Path("some.yaml")
INGRESS = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: rest
  annotations: {}
spec:
  rules:
    - host: api.example.com
      http:
        paths:
          - pathType: ImplementationSpecific
            backend:
              service:
                name: envoy
                port:
                  number: 443
"""


def test_the_manifests_of_the_story_refer_to_what_is_there() -> None:
    check_references(load([STORY / "1-nlb.yaml", STORY / "2-alb.yaml"]), zones=["example.com"])


def test_a_service_that_stands_already_may_be_referred_to() -> None:
    store = ObjectStore()
    store.put(service())
    check_references(parse(INGRESS, FILE), zones=["example.com."], existing=store.list_all())


def test_a_service_of_another_namespace_is_not_the_one() -> None:
    other = service()
    other["metadata"]["namespace"] = "other"
    with pytest.raises(BadInput, match="Service default/envoy, which does not exist"):
        check_references(parse(INGRESS, FILE), zones=["example.com"], existing=[other])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "name: envoy",
            "name: envy",
            r"some\.yaml:14: .* leads to Service default/envy, which does not exist",
        ),
        ("number: 443", "number: 80", r"some\.yaml:15: .* port 80 of Service .*, which has 443 \(https\)"),
        ("number: 443", "name: http", r"some\.yaml:15: .* port http of Service"),
        ("number: 443", "name: use-annotation", r"some\.yaml:14: .* no annotation .*actions\.envoy"),
        ("api.example.com", "api.example.org", r"some\.yaml:8: .* outside the hosted zones \(example\.com\)"),
        ("api.example.com", "notexample.com", r"some\.yaml:8: .* outside"),
        (
            "annotations: {}",
            "annotations: {external-dns.alpha.kubernetes.io/hostname: 'a.example.com, b.example.net'}",
            r"some\.yaml:5: .* host b\.example\.net, outside",
        ),
    ],
)
def test_what_is_not_there_is_named_with_its_line(old: str, new: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        check_references(parse(INGRESS.replace(old, new), FILE), zones=["example.com"], existing=[service()])


@pytest.mark.parametrize("host", ["example.com", "'*.example.com'", "a.b.example.com"])
def test_hosts_inside_the_zone_are_fine(host: str) -> None:
    manifests = parse(INGRESS.replace("api.example.com", host), FILE)
    check_references(manifests, zones=["example.com"], existing=[service()])
