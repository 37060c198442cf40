from __future__ import annotations

from testbed.traffic.balancer_probe import ProbeResult, probe
from testbed.traffic.calls import Call


def test_a_balancer_called_by_its_own_name_serves_both_protocols(world, balancers):
    (balancer,) = balancers(1)
    world.names.addresses = [balancer.address]
    results = probe(
        "alb-1.ap-northeast-1.elb.amazonaws.com",
        8443,
        server_name="api.example.com",
        ca_file=world.ca_file,
        dns=world.plan("j").dns_server,
    )
    assert results == [
        ProbeResult("grpc", "OK", "envoy-0", "tls", balancer.address),
        ProbeResult("rest", "200", "envoy-0", "tls", balancer.address),
    ]
    assert all(result.is_ok for result in results)


def test_an_address_needs_no_dns(world, target):
    results = probe(target.steady, 8443, server_name="api.example.com", ca_file=world.ca_file)
    assert [result.status for result in results] == ["OK", "200"]


def test_a_certificate_of_another_host_is_no_answer(world, target):
    results = probe(target.steady, 8443, server_name="other.example.com", ca_file=world.ca_file)
    assert not any(result.is_ok for result in results)
    assert [result.status for result in results] == ["UNAVAILABLE", "SSLCertVerificationError"]


def test_a_target_without_a_backend_answers_errors(world, target):
    results = probe(target.orphaned, 8443, server_name="api.example.com", ca_file=world.ca_file)
    assert [(result.status, result.pod) for result in results] == [
        ("UNAVAILABLE", "envoy-0"),
        ("503", "envoy-0"),
    ]


def test_a_name_that_does_not_exist_is_reported(world):
    world.names.addresses = None
    results = probe(
        "gone.elb.amazonaws.com",
        8443,
        server_name="api.example.com",
        ca_file=world.ca_file,
        dns=world.plan("j").dns_server,
    )
    world.names.addresses = []
    assert [result.status for result in results] == ["NXDOMAIN", "NXDOMAIN"]


def test_a_closed_port_is_reported(world):
    address = world.network.balancer(99, 0)
    results = probe(address, 8443, server_name="api.example.com", ca_file=world.ca_file)
    assert [result.status for result in results] == ["UNAVAILABLE", "ConnectionRefusedError"]


def test_calls_of_ones_own_are_tried_and_only_their_protocols(world, target):
    own = (
        Call("rest", "/measurements/foot-1", method="GET", status=200),
        Call("rest", "/measurements/foot-2", method="GET"),
        Call("grpc", "/measurement.v1.MeasurementService/Calibrate", shape="bidi"),
    )
    results = probe(target.steady, 8443, server_name="api.example.com", ca_file=world.ca_file, calls=own)
    assert [(result.protocol, result.is_ok) for result in results] == [("rest", True)]


def test_a_call_of_ones_own_that_is_answered_wrongly_is_not_ok(world, target):
    own = (
        Call("rest", "/measurements/foot-1", method="GET", status=204),
        Call("grpc", "/shop.v1.Carts/Get"),
    )
    results = probe(target.steady, 8443, server_name="api.example.com", ca_file=world.ca_file, calls=own)
    assert [(result.status, result.is_ok) for result in results] == [("UNIMPLEMENTED", False), ("200", False)]
