from __future__ import annotations

import json
from typing import Any

import pytest

from testbed.lb_controller.core.build_inputs import BuildError, Member
from testbed.lb_controller.core.stack import MutualAuthentication
from testbed.lb_controller.ingress import mutual_authentication
from tests.lb_controller.examples import ingress


def read(text: str) -> dict[int, MutualAuthentication]:
    return mutual_authentication.of_member(Member(ingress=ingress("a", mutual_authentication=text)))


def test_each_port_has_its_mode() -> None:
    found = read(
        json.dumps(
            [
                {
                    "port": 443,
                    "mode": "verify",
                    "trustStore": "arn:store",
                    "advertiseTrustStoreCaNames": "on",
                },
                {"port": 8443, "mode": "passthrough"},
            ]
        )
    )

    assert found == {
        443: MutualAuthentication(
            mode="verify",
            trust_store_arn="arn:store",
            ignore_client_certificate_expiry=False,
            advertise_trust_store_ca_names="on",
        ),
        8443: MutualAuthentication(
            mode="passthrough",
            trust_store_arn="",
            ignore_client_certificate_expiry=None,
            advertise_trust_store_ca_names=None,
        ),
    }


def test_without_the_annotation_nothing_is_asked() -> None:
    assert mutual_authentication.of_member(Member(ingress=ingress("a"))) == {}


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        ({"port": 0, "mode": "off"}, "listen port must be within [1, 65535]: 0"),
        ({"mode": "off"}, "listen port must be within [1, 65535]: 0"),
        ({"port": 443}, "mutualAuthentication mode cannot be empty for port 443"),
        (
            {"port": 443, "mode": "on"},
            "mutualAuthentication mode value must be among [off, passthrough, verify] for port 443 : on",
        ),
        (
            {"port": 443, "mode": "verify"},
            "trustStore is required when mutualAuthentication mode is verify for port 443",
        ),
        (
            {"port": 443, "mode": "off", "trustStore": "arn:store"},
            "Mutual Authentication mode off does not support trustStore for port 443",
        ),
    ],
)
def test_what_does_not_fit_is_refused(entry: dict[str, Any], error: str) -> None:
    with pytest.raises(BuildError) as raised:
        read(json.dumps([entry]))
    assert str(raised.value) == error


def test_an_empty_list_and_broken_json_are_refused() -> None:
    what = "mutualAuthentication configuration from ingress annotation"
    with pytest.raises(BuildError) as empty:
        read("[]")
    with pytest.raises(BuildError) as broken:
        read("[")

    assert str(empty.value) == f"empty {what}: `[]`"
    assert str(broken.value) == f"failed to parse {what}: `[`: unexpected end of JSON input"
