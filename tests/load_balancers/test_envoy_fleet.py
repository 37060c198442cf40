from __future__ import annotations

import datetime
import http.server
import re
import socket
import threading
from collections.abc import Iterator
from typing import Any

import grpc
import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from testbed.backend import grpc_methods
from testbed.backend._generated.measurement.v1 import measurement_pb2 as pb
from testbed.journal import Balancer, Log, read
from testbed.load_balancers.envoy_fleet import server_names
from testbed.load_balancers.envoy_stats import metrics
from testbed.runtime.components.balancer_envoys import ADMIN_PORTS, active_connections
from testbed.settings import PATIENCE

REQUEST = pb.GetMeasurementRequest(id="a-1").SerializeToString()
SAME_HOST = {"host": "api.example.com"}


def rest(cloud: Any, address: str, path: str, *, port: int = 443, **options: Any) -> httpx.Response:
    """One request over TLS, its certificate not looked at."""
    http2 = options.pop("http2", False)
    with httpx.Client(verify=False, http1=not http2, http2=http2, trust_env=False) as client:
        url = f"https://{address}:{cloud.network.port(port)}{path}"
        return client.request(options.pop("method", "GET"), url, **options)


def call(cloud: Any, address: str, method: str, port: int = 443) -> Any:
    """One unary gRPC call; its trailers and headers, or the error."""
    with cloud.channel(address, port) as channel:
        try:
            return channel.unary_unary(method).with_call(REQUEST, timeout=PATIENCE.request)[1]
        except grpc.RpcError as error:
            return error


@pytest.mark.parametrize(("kind", "listener"), [("nlb", "tls"), ("alb", "plain")])
def test_grpc_and_rest_pass_through_each_balancer_and_the_target_sees_its_node(
    cloud: Any, story: Any, kind: str, listener: str
) -> None:
    for address in cloud.fleet.addresses(getattr(story, kind)["DNSName"]):
        answered = call(cloud, address, grpc_methods.GET_MEASUREMENT)
        headers = dict(answered.initial_metadata())
        assert (headers["x-testbed-listener"], headers["x-testbed-peer"]) == (listener, address)
        far_end = headers["x-testbed-connection"].rpartition(":")[0]
        assert far_end == ("127.0.0.1" if kind == "alb" else address)
        answer = rest(cloud, address, "/measurements/a-1", headers={"x-request-id": "1-2"})
        assert answer.status_code == 200
        assert answer.headers["x-testbed-listener"] == listener
        assert answer.headers["x-testbed-peer"] == address
        assert cloud.fleet.balancer_of(address).name == getattr(story, kind)["LoadBalancerName"]


def test_the_two_zones_have_stable_addresses_and_unknown_names_have_none(cloud: Any, story: Any) -> None:
    first = cloud.fleet.addresses(story.alb["DNSName"])
    assert len(set(first)) == 2
    assert cloud.fleet.addresses(story.alb["DNSName"].upper() + ".") == first
    assert cloud.fleet.addresses("nobody.elb.amazonaws.com") == ()
    zones = [zone["ZoneName"] for zone in story.nlb["AvailabilityZones"]]
    both = [cloud.fleet.addresses(f"{zone}.{story.nlb['DNSName']}") for zone in sorted(zones)]
    assert sum(both, ()) == cloud.fleet.addresses(story.nlb["DNSName"])
    assert cloud.fleet.addresses(f"{zones[0]}.{story.alb['DNSName']}") == ()
    events = [event for event in read(cloud.folder / "journal.ndjson") if isinstance(event, Balancer)]
    assert {(event.name, event.type) for event in events} >= {("web", "alb"), ("tcp", "nlb")}


@pytest.mark.parametrize(
    ("method", "code", "status"),
    [
        ("/nobody.has.this.Service/Method", grpc.StatusCode.UNIMPLEMENTED, 404),
        ("/measurements/a-1", grpc.StatusCode.UNKNOWN, 464),
    ],
)
def test_a_grpc_client_sees_the_plain_status_of_the_albs_own_answers(
    cloud: Any, story: Any, method: str, code: grpc.StatusCode, status: int
) -> None:
    address = cloud.fleet.addresses(story.alb["DNSName"])[0]
    error = call(cloud, address, method)
    assert error.code() is code
    assert error.details() == f"Received http2 header with status: {status}"


def test_the_name_of_a_balancer_that_is_still_set_up_resolves_and_nothing_answers_there(cloud: Any) -> None:
    made = cloud.balancer("young", "network")
    cloud.front.provisioning.add(made["LoadBalancerArn"])
    group = cloud.group("young", "TCP", *cloud.pods(8443))
    cloud.listener(made, "TCP", 443, cloud.forward(group))
    cloud.feed.bump()
    cloud.eventually(lambda: len(cloud.fleet.addresses(made["DNSName"])) == 2)
    cloud.eventually(
        lambda: (
            [one["TargetHealth"]["Reason"] for one in cloud.fleet.health.describe(group)]
            == ["Elb.RegistrationInProgress"] * 2
        )
    )
    for address in cloud.fleet.addresses(made["DNSName"]):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((address, cloud.network.port(443)), PATIENCE.api_call)
    # No call of the API says that it is ready: the time does.
    cloud.front.provisioning.clear()
    (first, _) = cloud.fleet.addresses(made["DNSName"])
    cloud.eventually(lambda: rest(cloud, first, "/measurements/a-1").status_code == 200)
    states = [
        event.state
        for event in read(cloud.folder / "journal.ndjson")
        if isinstance(event, Balancer) and event.name == "young"
    ]
    assert states[-2:] == ["provisioning", "active"]


def test_an_alb_of_bad_targets_answers_502_and_one_without_targets_503(cloud: Any, story: Any) -> None:
    nobody, refusing = cloud.group("nobody", "GRPC"), cloud.group("refusing", "GRPC", ("127.0.0.1", 9))
    cloud.rule(story.https, 31, cloud.forward(nobody), "/nobody")
    cloud.rule(story.https, 32, cloud.forward(refusing), "/refusing")
    plain = cloud.group("refusing1", "HTTP1", ("127.0.0.1", 9))
    cloud.rule(story.https, 33, cloud.forward(plain), "/refusing1")
    cloud.feed.bump()
    address = cloud.fleet.addresses(story.alb["DNSName"])[0]
    for path, status in (("/nobody", 503), ("/refusing", 502)):
        wanted = f"Received http2 header with status: {status}"
        cloud.eventually(lambda path=path, wanted=wanted: call(cloud, address, path).details() == wanted)
    answer = rest(cloud, address, "/refusing1")
    assert (answer.status_code, answer.headers["server"]) == (502, "awselb/2.0")
    assert answer.headers["content-type"] == "text/html"
    assert "502 Bad Gateway" in answer.text


def test_the_protocol_matrix_answers_464_without_body_or_type(cloud: Any, story: Any) -> None:
    address = cloud.fleet.addresses(story.alb["DNSName"])[0]
    answer = rest(cloud, address, grpc_methods.GET_MEASUREMENT)  # HTTP/1.1 to a GRPC group
    assert answer.status_code == 464
    assert answer.content == b""
    assert "content-type" not in answer.headers


def test_a_listener_without_tls_speaks_http1_only(cloud: Any, story: Any) -> None:
    cloud.listener(story.alb, "HTTP", 80, cloud.redirect(Protocol="HTTPS", Port="443"))
    cloud.feed.bump()
    address = cloud.fleet.addresses(story.alb["DNSName"])[0]
    url = f"http://{address}:{cloud.network.port(80)}/x/y?q=1"
    cloud.eventually(lambda: httpx.get(url, trust_env=False).status_code == 301)
    answer = httpx.get(url, headers=SAME_HOST, trust_env=False)
    assert answer.headers["location"] == f"https://api.example.com:{cloud.network.port(443)}/x/y?q=1"
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    with socket.create_connection((address, cloud.network.port(80)), PATIENCE.request) as plain:
        plain.sendall(preface)
        assert plain.recv(64).startswith(b"HTTP/1.1 4")


def test_a_grpc_group_reaches_and_checks_targets_over_tls_with_any_certificate(
    cloud: Any, story: Any
) -> None:
    group = cloud.group("grpctls", "GRPC", *cloud.pods(8443), Protocol="HTTPS")
    cloud.listener(story.alb, "HTTPS", 8062, cloud.forward(group), story.certificate)
    cloud.feed.bump()
    wanted = {("healthy", host) for host, _ in cloud.pods(8443)}

    def healthy() -> bool:
        found = cloud.fleet.health.describe(group)
        return {(one["TargetHealth"]["State"], one["Target"]["Id"]) for one in found} == wanted

    cloud.eventually(healthy)
    address = cloud.fleet.addresses(story.alb["DNSName"])[0]

    def listener() -> object:
        answered = call(cloud, address, grpc_methods.GET_MEASUREMENT, 8062)
        return dict(answered.initial_metadata()).get("x-testbed-listener")

    cloud.eventually(lambda: listener() == "tls")


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with the headers it got, one a line."""

    def do_GET(self) -> None:
        body = "\n".join(f"{name.lower()}: {value}" for name, value in self.headers.items()).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def echo(cloud: Any) -> Iterator[tuple[str, int]]:
    """A target that answers with the headers it got."""
    where = (cloud.network.envoy_pod(50), 8080)
    server = http.server.ThreadingHTTPServer(where, Echo)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": PATIENCE.poll})
    thread.start()
    yield where
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_target_gets_the_forwarded_headers_of_an_alb(
    cloud: Any, story: Any, echo: tuple[str, int]
) -> None:
    cloud.rule(story.https, 41, cloud.forward(cloud.group("echo", "HTTP1", echo)), "/echo")
    cloud.feed.bump()
    address = cloud.fleet.addresses(story.alb["DNSName"])[0]
    cloud.eventually(lambda: rest(cloud, address, "/echo").status_code == 200)
    sent = {
        "host": f"API.example.com:{cloud.network.port(443)}",
        "x-forwarded-for": "192.0.2.1, 192.0.2.2",
        "x-forwarded-proto": "ftp",
        "x-amzn-trace-id": "Root=1-67891233-abcdef012345678912345678;Sampled=1",
        "x-request-id": "kept",
    }
    got = dict(line.split(": ", 1) for line in rest(cloud, address, "/echo", headers=sent).text.splitlines())
    assert got["host"] == "api.example.com"
    assert got["x-forwarded-for"] == "192.0.2.1, 192.0.2.2, 127.0.0.1"
    assert (got["x-forwarded-proto"], got["x-forwarded-port"]) == ("https", "443")
    assert got["x-amzn-trace-id"].startswith("Self=1-")
    assert got["x-amzn-trace-id"].endswith(";Root=1-67891233-abcdef012345678912345678;Sampled=1")
    assert got["x-request-id"] == "kept"
    assert not [name for name in got if name.startswith(("x-envoy", "x-alb"))]
    plain = rest(cloud, address, "/echo").text
    assert "x-amzn-trace-id: Root=1-" in plain
    assert "x-forwarded-for: 127.0.0.1" in plain
    many = {"x-forwarded-for": ", ".join(["192.0.2.1"] * 31)}
    assert rest(cloud, address, "/echo", headers=many).status_code == 463
    assert rest(cloud, address, "/echo", method="TRACE").status_code == 405


@pytest.mark.parametrize(
    ("attributes", "forwarded"),
    [
        ({"xff_header_processing.mode": "preserve"}, r"192\.0\.2\.1"),
        ({"xff_header_processing.mode": "remove"}, ""),
        ({"xff_client_port.enabled": "true"}, r"192\.0\.2\.1, 127\.0\.0\.1:\d+"),
    ],
)
def test_attributes_say_what_becomes_of_x_forwarded_for(
    cloud: Any, echo: tuple[str, int], attributes: dict[str, str], forwarded: str
) -> None:
    name = "-".join(attributes.values())
    balancer = cloud.balancer(name)
    cloud.elbv2.modify_load_balancer_attributes(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Attributes=[{"Key": f"routing.http.{key}", "Value": value} for key, value in attributes.items()],
    )
    cloud.listener(balancer, "HTTP", 8061, cloud.forward(cloud.group(name, "HTTP1", echo)))
    cloud.feed.bump()
    cloud.eventually(lambda: cloud.fleet.addresses(balancer["DNSName"]))
    url = f"http://{cloud.fleet.addresses(balancer['DNSName'])[0]}:{cloud.network.port(8061)}/"

    def asked() -> httpx.Response:
        headers = {"x-forwarded-for": "192.0.2.1", "host": "Node12"}
        return httpx.get(url, headers=headers, trust_env=False, timeout=PATIENCE.request)

    cloud.eventually(lambda: asked().status_code == 200)
    got = dict(line.split(": ", 1) for line in asked().text.splitlines())
    assert re.fullmatch(forwarded, got.get("x-forwarded-for", ""))
    assert got["host"] == f"node12:{cloud.network.port(8061)}"


def test_rules_targets_and_certificates_change_under_a_stream_that_loses_nothing(
    cloud: Any, story: Any
) -> None:
    address = cloud.fleet.addresses(story.alb["DNSName"])[0]
    with cloud.channel(address) as channel:
        messages = 40
        wanted = pb.WatchMeasurementsRequest(id="a-1", count=messages, interval_ms=50)
        seen: list[bytes] = []
        stream = channel.unary_stream(grpc_methods.WATCH_MEASUREMENTS)(wanted.SerializeToString(), timeout=30)
        reader = threading.Thread(target=lambda: seen.extend(stream))
        reader.start()

        rule = cloud.rule(story.https, 51, cloud.fixed(200, "new"), "/new")
        cloud.feed.bump()
        cloud.eventually(lambda: rest(cloud, address, "/new").text == "new")
        cloud.elbv2.delete_rule(RuleArn=rule)
        cloud.feed.bump()
        cloud.eventually(lambda: rest(cloud, address, "/new").status_code == 404)

        extra = [{"Id": cloud.network.envoy_pod(0), "Port": 8080}]
        other = cloud.certificate("other.example.com")
        cloud.elbv2.add_listener_certificates(
            ListenerArn=story.https, Certificates=[{"CertificateArn": other}]
        )
        cloud.store[story.certificate] = cloud.issue("api.example.com", "rotated.example.com")
        cloud.feed.bump("acm")
        cloud.feed.bump()
        cloud.eventually(lambda: "rotated.example.com" in names(cloud, address, "api.example.com"))
        cloud.eventually(lambda: names(cloud, address, "other.example.com") == ["other.example.com"])

        cloud.elbv2.deregister_targets(TargetGroupArn=story.rest, Targets=extra)
        cloud.feed.bump()
        cloud.eventually(lambda: pods(cloud, address) == {"envoy-1"})
        cloud.elbv2.register_targets(TargetGroupArn=story.rest, Targets=extra)
        cloud.feed.bump()
        cloud.eventually(lambda: pods(cloud, address) == {"envoy-0", "envoy-1"})

        reader.join(PATIENCE.condition)
        assert len(seen) == messages
        assert stream.code() is grpc.StatusCode.OK


def names(cloud: Any, address: str, server_name: str) -> list[str]:
    """The names in the certificate that a client gets for a server name."""
    import ssl

    context = ssl.create_default_context(cadata=cloud.trusted.decode())
    context.check_hostname = False
    where = (address, cloud.network.port(443))
    with (
        socket.create_connection(where, PATIENCE.request) as plain,
        context.wrap_socket(plain, server_hostname=server_name) as tls,
    ):
        certificate: Any = tls.getpeercert()
    return [value for kind, value in certificate["subjectAltName"] if kind == "DNS"]


def pods(cloud: Any, address: str) -> set[str]:
    """The pods that answer six requests."""
    return {rest(cloud, address, "/healthz").headers["x-testbed-pod"] for _ in range(6)}


def test_a_deleted_balancer_closes_its_listener_and_cuts_its_connections(cloud: Any) -> None:
    short = cloud.balancer("short", "network")
    tags = [{"Key": "service.k8s.aws/stack", "Value": "shop/short"}]
    cloud.elbv2.add_tags(ResourceArns=[short["LoadBalancerArn"]], Tags=tags)
    cloud.listener(short, "TCP", 443, cloud.forward(cloud.group("short", "TCP", *cloud.pods(8443))))
    cloud.feed.bump()
    cloud.eventually(lambda: cloud.fleet.addresses(short["DNSName"]))
    address = cloud.fleet.addresses(short["DNSName"])[0]
    cloud.eventually(lambda: rest(cloud, address, "/healthz").status_code == 200)
    with socket.create_connection((address, cloud.network.port(443)), PATIENCE.request) as held:
        cloud.elbv2.delete_load_balancer(LoadBalancerArn=short["LoadBalancerArn"])
        cloud.feed.bump()
        assert held.recv(1) == b""  # cut within the patience
    cloud.eventually(lambda: refuses(address, cloud.network.port(443)))
    assert cloud.fleet.addresses(short["DNSName"]) == ()
    events = [event for event in read(cloud.folder / "journal.ndjson") if isinstance(event, Balancer)]
    last = [event for event in events if event.name == "short"][-1]
    assert (last.state, last.scheme, last.owner) == ("deleted", "internet-facing", "service/shop/short")


def refuses(address: str, port: int) -> bool:
    """Whether nobody listens."""
    with socket.socket() as probe:
        return probe.connect_ex((address, port)) != 0


def test_open_connections_are_counted_as_cloudwatch_does(cloud: Any, story: Any) -> None:
    address = cloud.fleet.addresses(story.nlb["DNSName"])[0]
    admin = f"http://{cloud.network.control}:{ADMIN_PORTS['nlb']}"
    name = cloud.fleet.balancer_of(address).stat_name
    before = metrics(admin, "nlb", name)
    with socket.create_connection((address, cloud.network.port(443)), PATIENCE.request):
        cloud.eventually(lambda: metrics(admin, "nlb")["ActiveFlowCount"] == before["ActiveFlowCount"] + 1)
        assert active_connections(admin, f"nlb_{name}") == before["ActiveFlowCount"] + 1
        assert active_connections(admin, "nlb_other") == 0
    cloud.eventually(lambda: metrics(admin, "nlb", name)["ActiveFlowCount"] == before["ActiveFlowCount"])
    assert metrics(admin, "nlb", name)["NewFlowCount"] == before["NewFlowCount"] + 1
    assert metrics(admin, "nlb", "nobody")["ActiveFlowCount"] == 0


def test_health_is_described_as_by_the_api(cloud: Any, story: Any) -> None:
    refused = cloud.group("check1", "TCP", ("127.0.0.1", 9))
    wrong = cloud.group("check2", "HTTP1", *cloud.pods(8080)[:1], Matcher={"HttpCode": "418"})
    not_grpc = cloud.group("check3", "GRPC", *cloud.pods(8080)[:1], Matcher={"GrpcCode": "0"})
    unused = cloud.group("check4", "HTTP1", *cloud.pods(8080)[:1])
    for priority, arn in enumerate((wrong, not_grpc), start=61):
        cloud.rule(story.https, priority, cloud.forward(arn), f"/check/{priority}")
    cloud.listener(story.nlb, "TCP", 8000, cloud.forward(refused))
    cloud.feed.bump()

    def health(arn: str) -> dict[str, str]:
        return next((item["TargetHealth"] for item in cloud.fleet.health.describe(arn)), {"State": ""})

    expected = {
        refused: ("Target.FailedHealthChecks", "Health checks failed"),
        wrong: ("Target.ResponseCodeMismatch", "Health checks failed with these codes: [200]"),
        not_grpc: ("Target.ResponseCodeMismatch", "Health checks failed with these codes: [12]"),
    }
    for arn, (reason, description) in expected.items():
        cloud.eventually(lambda arn=arn: health(arn)["State"] == "unhealthy")
        assert health(arn) == {"State": "unhealthy", "Reason": reason, "Description": description}
    assert (health(unused)["State"], health(unused)["Reason"]) == ("unused", "Target.NotInUse")
    target = [{"Id": cloud.network.envoy_pod(0), "Port": 8080}]
    cloud.elbv2.deregister_targets(TargetGroupArn=wrong, Targets=target)
    cloud.feed.bump()
    cloud.eventually(lambda: health(wrong)["State"] == "draining")
    assert health(wrong)["Reason"] == "Target.DeregistrationInProgress"


def test_a_certificate_without_alternative_names_is_for_its_common_name() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)

    def signed(*attributes: x509.NameAttribute[str]) -> bytes:
        name = x509.Name(attributes)
        draft = x509.CertificateBuilder(
            name, name, key.public_key(), 1, now, now + datetime.timedelta(days=1)
        )
        return draft.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    assert server_names(signed(x509.NameAttribute(x509.NameOID.COMMON_NAME, "old.example.com"))) == [
        "old.example.com"
    ]
    assert server_names(signed()) == []


def test_an_object_that_is_not_modelled_stops_no_loop_and_is_named_once(cloud: Any) -> None:
    made = cloud.elbv2.create_target_group(Name="called", TargetType="lambda")["TargetGroups"][0]
    later = cloud.balancer("later")
    cloud.feed.bump()
    cloud.eventually(lambda: cloud.fleet.addresses(later["DNSName"]))
    named = [
        event.message
        for event in read(cloud.folder / "journal.ndjson")
        if isinstance(event, Log) and event.line == made["TargetGroupArn"]
    ]
    assert named == ["not modelled, so skipped: a target group of type lambda; it has no targets here"]
