from __future__ import annotations

import pytest

from testbed.lb_controller.core.build_inputs import BuildError, ClusterState, ControllerOptions, Member
from testbed.lb_controller.ingress.listen_ports import ListenPort, declared_ports, listen_ports, merge
from tests.lb_controller.examples import ingress

OPTIONS = ControllerOptions(default_ssl_policy="default-policy")


def test_the_default_port_is_80_and_443_alone_with_a_certificate() -> None:
    assert declared_ports(Member(ingress=ingress("a"))) == {80: "HTTP"}
    assert declared_ports(Member(ingress=ingress("a", certificate_arn="one"))) == {443: "HTTPS"}


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("[]", "empty listen-ports configuration: `[]`"),
        ('[{"HTTP": 0}]', "listen port must be within [1, 65535]: 0"),
        ('[{"HTTP": 65536}]', "listen port must be within [1, 65535]: 65536"),
        ('[{"TCP": 80}]', "listen protocol must be within [HTTP, HTTPS]: TCP"),
        (
            '[{"HTTP": 80',
            'failed to parse listen-ports configuration: `[{"HTTP": 80`: unexpected end of JSON input',
        ),
    ],
)
def test_a_wrong_listen_port_is_refused(text: str, error: str) -> None:
    with pytest.raises(BuildError) as raised:
        declared_ports(Member(ingress=ingress("a", listen_ports=text)))
    assert str(raised.value) == error


def test_a_listen_port_that_is_no_number_is_refused() -> None:
    with pytest.raises(BuildError, match="failed to parse listen-ports configuration"):
        declared_ports(Member(ingress=ingress("a", listen_ports='[{"HTTP": "80"}]')))


def test_policy_and_client_certificates_are_for_https_ports_only() -> None:
    item = ingress(
        "a",
        listen_ports='[{"HTTP": 80}, {"HTTPS": 443}]',
        certificate_arn="one",
        ssl_policy="strict",
        mutual_authentication='[{"port": 443, "mode": "passthrough"}]',
    )

    ports = listen_ports(Member(ingress=item), ClusterState())

    assert (ports[80].ssl_policy, ports[80].mutual_authentication, ports[80].certificates) == (None, None, ())
    assert ports[443].ssl_policy == "strict"
    assert ports[443].mutual_authentication
    assert ports[443].mutual_authentication.mode == "passthrough"


def test_everybody_may_come_in_unless_a_member_limits_it() -> None:
    free, limited = ListenPort(protocol="HTTP"), ListenPort(protocol="HTTP", inbound_cidrs=("10.0.0.0/8",))
    listed = ListenPort(protocol="HTTP", prefix_lists=("pl-1",))

    assert merge([("a", free), ("b", free)], OPTIONS).inbound_cidrs == ("0.0.0.0/0",)
    assert merge([("a", free), ("b", free)], OPTIONS).inbound_cidrs_ipv6 == ("::/0",)
    assert merge([("a", free), ("b", limited)], OPTIONS).inbound_cidrs == ("10.0.0.0/8",)
    assert merge([("a", free), ("b", listed)], OPTIONS).inbound_cidrs == ()


def test_the_policy_of_one_member_holds_for_the_group_and_two_conflict() -> None:
    silent, strict = ListenPort(protocol="HTTPS"), ListenPort(protocol="HTTPS", ssl_policy="strict")
    other = ListenPort(protocol="HTTPS", ssl_policy="lax")

    assert merge([("a", silent)], OPTIONS).ssl_policy == "default-policy"
    assert merge([("a", silent), ("b", strict)], OPTIONS).ssl_policy == "strict"
    with pytest.raises(BuildError) as raised:
        merge([("d/a", strict), ("d/b", other)], OPTIONS)
    assert str(raised.value) == "conflicting sslPolicy, d/a: strict | d/b: lax"


def test_an_inbound_range_that_is_no_cidr_is_refused() -> None:
    with pytest.raises(BuildError) as raised:
        listen_ports(Member(ingress=ingress("a", inbound_cidrs="10.0.0.1")), ClusterState())
    assert str(raised.value) == (
        "invalid inbound-cidrs settings on Ingress: default/a: invalid CIDR address: 10.0.0.1"
    )
