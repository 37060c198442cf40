"""The story on containers: its verdict, what is left in LocalStack, and what the targets serve."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
import urllib.request

import pytest

from testbed.aws.boto3_clients import Clients
from testbed.errors import ExitCode
from tests.compose.projects import Project

HOST = "api.example.com"


@pytest.fixture(scope="module")
def played(project: Project) -> str:
    """What a whole rehearsal printed; it passed."""
    for _ in range(3):
        done = project.rehearse("scenarios/zozomat", "--speed", "40", "--rate", "100")
        if done.returncode != ExitCode.INCONCLUSIVE:  # a busy machine: neither pass nor fail, so play again
            break
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def records(url: str) -> dict[str, dict[str, object]]:
    """The record sets of the zone, by type, for the host."""
    route53 = Clients(url).route53
    zones = route53.list_hosted_zones_by_name(DNSName="example.com")["HostedZones"]
    listed = route53.list_resource_record_sets(HostedZoneId=zones[0]["Id"])["ResourceRecordSets"]
    return {one["Type"]: dict(one) for one in listed if one["Name"].rstrip(".") == HOST}


def test_the_story_passes_unchanged_and_its_report_lies_on_the_host(project: Project, played: str) -> None:
    assert "PASS" in played
    summary = json.loads((project.report / "summary.json").read_text())
    assert summary["run"]["network"] == f"10.{project.subnet}.0.0/16"
    events = [
        json.loads(line)["event"] for line in (project.report / "journal.ndjson").read_text().splitlines()
    ]
    assert events[-1] == "run_finished"
    assert {"request", "access", "dns_change", "dns_answer", "balancer", "api_call", "log"} <= set(events)


def test_localstack_holds_the_records_that_the_endpoint_shows(project: Project, played: str) -> None:
    inside = records(f"http://{project.address(64, 10)}:4566")
    shown = records(f"http://{project.loopback}:4566")
    assert inside == shown
    assert "ap-northeast-1.elb.amazonaws.com." in str(inside["A"]["AliasTarget"])
    assert "external-dns/resource=ingress/default/zozomat-ingress" in str(inside["TXT"]["ResourceRecords"])


@pytest.mark.parametrize("pod", [0, 1])
@pytest.mark.parametrize("listener", ["tls", "plain"])
def test_both_listeners_of_every_envoy_serve(project: Project, played: str, pod: int, listener: str) -> None:
    port = {"tls": 8443, "plain": 8080}[listener]
    connection = http.client.HTTPConnection(HOST, port)
    connection.sock = socket.create_connection((project.address(1, pod + 1), port), 10)
    if listener == "tls":
        with urllib.request.urlopen(f"http://{project.loopback}:7070/ca.pem") as answer:
            trusted = ssl.create_default_context(cadata=answer.read().decode())
        connection.sock = trusted.wrap_socket(connection.sock, server_hostname=HOST)
    with connection.sock:
        connection.request("GET", "/measurements/foot-0")
        answer = connection.getresponse()
        assert json.loads(answer.read())["id"] == "foot-0"
    assert answer.headers["x-testbed-listener"] == listener
    assert answer.headers["x-testbed-pod"] == f"envoy-{pod}"


def test_kubectl_finds_the_cluster_by_the_kubeconfig(project: Project, played: str) -> None:
    with urllib.request.urlopen(f"http://{project.loopback}:7070/kubeconfig") as answer:
        config = json.load(answer)
    cluster, token = config["clusters"][0]["cluster"], config["users"][0]["user"]["token"]
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    asked = urllib.request.Request(
        f"{cluster['server']}/apis/networking.k8s.io/v1/ingresses",
        headers={"Authorization": f"Bearer {token}"},
    )
    with urllib.request.urlopen(asked, context=ssl.create_default_context(cadata=authority)) as answer:
        names = {item["metadata"]["name"] for item in json.load(answer)["items"]}
    assert {"zozomat-ingress-grpc", "zozomat-ingress-http1"} <= names


def test_the_traffic_reaches_dns_and_the_balancers_and_nothing_else(project: Project, played: str) -> None:
    places = {
        "dns": (128, 53, 53),
        "alb": (161, 1, 443),
        "target": (1, 1, 8443),
        "target-plain": (1, 2, 8080),
        "backend": (2, 1, 8000),
        "localstack": (64, 10, 4566),
        "aws": (64, 11, 4566),
        "aws-published": (65, 11, 4566),
        "control": (64, 12, 7070),
        "control-by-clients": (128, 53, 7070),
        "xds": (128, 53, 18000),
    }
    # All at once: what is not reached is silent, and a busy machine needs more than a second for what is.
    tries = "\n".join(
        f"(timeout 5 bash -c '</dev/tcp/{project.address(*host)}/{port}' 2>/dev/null && echo {name}) &"
        for name, (*host, port) in places.items()
    )
    done = project.compose(
        "run", "--rm", "--no-TTY", "--entrypoint", "bash", "rehearse", "-c", f"{tries}\nwait"
    )
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) == {"dns", "alb"}
