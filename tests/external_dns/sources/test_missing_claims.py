"""An object that names a host and does not claim it: what it lacks, and nothing else, is told."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.external_dns.core.facts import ALPHA_PREFIX, PREFIX, release_of
from testbed.external_dns.core.reasons import Reason
from testbed.external_dns.process import flags
from testbed.external_dns.sources import missing_claims

HOST = "app.example.com"
ARGUMENTS = ("--source=service", "--source=ingress", "--policy=sync")


def service(kind: str = "LoadBalancer", prefix: str = PREFIX, **annotations: str) -> dict[str, Any]:
    found = {f"{prefix}hostname": HOST} | {f"{prefix}{key}": value for key, value in annotations.items()}
    return {
        "kind": "Service",
        "metadata": {"name": "web", "annotations": found},
        "spec": {"type": kind},
        "status": {"loadBalancer": {"ingress": [{"hostname": "nlb.example.net"}]}},
    }


def without_status(item: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in item.items() if key != "status"}


INGRESS = {
    "kind": "Ingress",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"ingressClassName": "nginx", "rules": [{"host": HOST}]},
    "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}},
}


ROUTE = {
    "kind": "HTTPRoute",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"hostnames": [HOST], "parentRefs": [{"name": "edge"}]},
}


def lacking(item: dict[str, Any], *more: str) -> list[Reason]:
    version = release_of("v0.22")
    found = missing_claims.missing(
        [item], flags.parse([*ARGUMENTS, *more], version, {}), version, lambda _: ()
    )
    return [one.reason for one in found]


@pytest.mark.parametrize(
    ("item", "more", "reasons"),
    [
        (without_status(service()), (), [Reason.NO_ADDRESS]),
        (service(prefix=ALPHA_PREFIX), (), [Reason.OTHER_PREFIX]),
        (without_status(service(prefix=ALPHA_PREFIX)), (), [Reason.OTHER_PREFIX, Reason.NO_ADDRESS]),
        (service(controller="someone"), (), [Reason.OTHER_CONTROLLER]),
        (service(), ("--annotation-filter=team=dns",), [Reason.ANNOTATION_FILTER]),
        (service(), ("--namespace=shop",), [Reason.OTHER_FILTER]),
        (INGRESS, ("--ingress-class=alb",), [Reason.OTHER_FILTER]),
        (INGRESS, ("--label-filter=app=web",), [Reason.OTHER_FILTER]),
        (service("ClusterIP"), (), [Reason.SERVICE_TYPE]),
        (ROUTE, ("--source=gateway-httproute",), [Reason.NO_GATEWAY]),
        (ROUTE, ("--source=gateway-grpcroute",), []),
    ],
)
def test_what_is_missing_is_told(item: dict[str, Any], more: tuple[str, ...], reasons: list[Reason]) -> None:
    assert lacking(item, *more) == reasons


def test_an_object_that_names_no_host_lacks_nothing() -> None:
    assert lacking({"kind": "Service", "metadata": {"name": "web"}, "spec": {"type": "LoadBalancer"}}) == []
    assert lacking({"kind": "Deployment", "metadata": {"name": "web"}}) == []


def test_the_sentence_names_the_object_and_the_filter() -> None:
    version = release_of("v0.22")
    found = flags.parse([*ARGUMENTS, "--annotation-filter=team=dns"], version, {})
    [one] = missing_claims.missing([service()], found, version, lambda _: ())
    assert str(one) == (
        f"{HOST} is not claimed by service/default/web: its annotations do not match "
        "--annotation-filter=team=dns"
    )
    assert one.remedy == "add the annotation that the filter asks for, or change the filter"
