"""An ALB in front of targets that end TLS themselves: what they see of it, and what they refuse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from testbed.runtime.components import target_envoys
from testbed.settings import PATIENCE
from tests.load_balancers.conftest import HOST

BY_SNI, ANY = 61, 62
"""Indexes of the pods' addresses."""


@pytest.fixture(scope="module")
def pods(cloud: Any) -> Iterator[None]:
    """A pod that chooses its filter chain by SNI, and one that takes each connection."""
    folder, network = cloud.folder, cloud.network
    backends = (network.backend_pod(0), network.backend_pod(1))
    configured = [
        target_envoys.envoy(
            target_envoys.TargetPod(
                f"tls-{index}",
                network.envoy_pod(index),
                backends,
                folder / "own.pem",
                folder / "own.key",
                server_names=names,
            ),
            cloud.clock,
            folder,
        )
        for index, names in ((BY_SNI, (HOST,)), (ANY, ()))
    ]
    with configured[0].start(folder) as first, configured[1].start(folder) as second:
        configured[0].wait_until_ready(first)
        configured[1].wait_until_ready(second)
        yield


def requested(cloud: Any, balancer: dict[str, Any], port: int) -> httpx.Response:
    """One request for the host, by its name in TLS too, as a client that has asked DNS."""
    address = cloud.fleet.addresses(balancer["DNSName"])[0]
    with httpx.Client(verify=False, trust_env=False, timeout=PATIENCE.request) as client:
        return client.get(
            f"https://{address}:{cloud.network.port(port)}/measurements/a-1",
            headers={"host": HOST},
            extensions={"sni_hostname": HOST},
        )


def health(cloud: Any, group: str) -> list[str]:
    return [one["TargetHealth"]["State"] for one in cloud.fleet.health.describe(group)]


@pytest.mark.usefixtures("pods")
@pytest.mark.parametrize(
    ("index", "port", "state", "status"), [(BY_SNI, 8071, "unhealthy", 502), (ANY, 8072, "healthy", 200)]
)
def test_a_target_that_chooses_by_sni_answers_nothing_behind_an_alb(
    cloud: Any, story: Any, index: int, port: int, state: str, status: int
) -> None:
    pod = (cloud.network.envoy_pod(index), 8443)
    group = cloud.group(f"https-{index}", "HTTP1", pod, Protocol="HTTPS", HealthCheckProtocol="HTTPS")
    cloud.listener(story.alb, "HTTPS", port, cloud.forward(group), story.certificate)
    cloud.feed.bump()
    cloud.eventually(lambda: health(cloud, group) == [state])
    # An unhealthy target is the only one, so it gets the requests all the same.
    cloud.eventually(lambda: requested(cloud, story.alb, port).status_code == status)


@pytest.mark.usefixtures("pods")
def test_the_same_target_serves_behind_an_nlb_which_passes_the_name_through(cloud: Any, story: Any) -> None:
    group = cloud.group("tcp-by-sni", "TCP", (cloud.network.envoy_pod(BY_SNI), 8443))
    cloud.listener(story.nlb, "TCP", 8073, cloud.forward(group))
    cloud.feed.bump()
    cloud.eventually(lambda: requested(cloud, story.nlb, 8073).status_code == 200)


@pytest.mark.usefixtures("pods")
@pytest.mark.parametrize(
    ("version", "port", "protocol"), [("HTTP1", 8074, "HTTP/1.1"), ("HTTP2", 8075, "HTTP/2")]
)
def test_a_target_and_an_alb_agree_on_the_groups_protocol_version(
    cloud: Any, story: Any, version: str, port: int, protocol: str
) -> None:
    pod = (cloud.network.envoy_pod(ANY), 8443)
    group = cloud.group(f"alpn-{port}", version, pod, Protocol="HTTPS", HealthCheckProtocol="HTTPS")
    cloud.listener(story.alb, "HTTPS", port, cloud.forward(group), story.certificate)
    cloud.feed.bump()
    cloud.eventually(lambda: health(cloud, group) == ["healthy"])
    name = f"version {version}"
    log = target_envoys.access_log(cloud.folder, f"tls-{ANY}")

    def seen() -> set[str]:
        return {
            one.protocol for one in target_envoys.access_events(log) if one.path == f"/measurements/{port}"
        }

    address = cloud.fleet.addresses(story.alb["DNSName"])[0]
    with httpx.Client(verify=False, trust_env=False, http2=version == "HTTP2") as client:
        url = f"https://{address}:{cloud.network.port(port)}/measurements/{port}"
        cloud.eventually(lambda: client.get(url, headers={"x-request-id": name}).status_code == 200)
    cloud.eventually(lambda: seen() == {protocol})
