from __future__ import annotations

import base64

import pytest

from testbed.lb_controller.core.annotations import of_ingress
from testbed.lb_controller.core.build_inputs import BuildError, ClusterState, ControllerOptions
from testbed.lb_controller.core.stack import Action
from testbed.lb_controller.ingress.alb_stack import build_ingress_group
from testbed.lb_controller.ingress.authentication_actions import actions
from tests.lb_controller.examples import cluster, group, ingress, path, service

OIDC = '{"issuer": "https://id.example.com", "secretName": "client"}'
SECRET = {
    "data": {
        "clientID": base64.b64encode(b"me\n").decode(),
        "clientSecret": base64.b64encode(b"hush").decode(),
    }
}


def read(cluster: ClusterState, **annotations: str) -> tuple[Action, ...]:
    return actions(of_ingress(ingress("a", **annotations)), "default", cluster)


def test_nothing_authenticates_by_default() -> None:
    assert read(ClusterState()) == ()


def test_the_client_of_oidc_comes_from_its_secret() -> None:
    cluster = ClusterState(secrets={("default", "client"): SECRET})

    (action,) = read(cluster, auth_type="oidc", auth_idp_oidc=OIDC, auth_session_timeout="60")

    assert action.authenticate
    assert action.authenticate.config == {
        "Issuer": "https://id.example.com",
        "ClientId": "me",
        "ClientSecret": "hush",
        "OnUnauthenticatedRequest": "authenticate",
        "Scope": "openid",
        "SessionCookieName": "AWSELBAuthSessionCookie",
        "SessionTimeout": 60,
    }


@pytest.mark.parametrize(
    ("annotations", "error"),
    [
        ({"auth_type": "basic"}, "unknown authType: basic"),
        ({"auth_type": "cognito"}, "missing IDPConfigCognito"),
        ({"auth_type": "oidc", "auth_idp_oidc": OIDC}, 'secrets "client" not found'),
        ({"jwt_validation": '{"issuer": "x"}'}, "jwksEndpoint is a required field for jwt validation"),
    ],
)
def test_what_is_missing_is_reported(annotations: dict[str, str], error: str) -> None:
    with pytest.raises(BuildError) as raised:
        read(ClusterState(), **annotations)
    assert str(raised.value) == error


def test_authentication_and_jwt_validation_are_refused_together_where_a_listener_has_both() -> None:
    jwt = '{"jwksEndpoint": "https://id.example.com/jwks", "issuer": "https://id.example.com"}'
    both = {"auth_type": "cognito", "auth_idp_cognito": '{"userPoolARN": "arn"}', "jwt_validation": jwt}
    item = ingress("a", path("/"), target_type="ip", **both)
    secure = {"alb.ingress.kubernetes.io/certificate-arn": "arn:one", **item["metadata"]["annotations"]}
    over_tls = {**item, "metadata": {**item["metadata"], "annotations": secure}}

    stack = build_ingress_group(group(item), cluster(service()), ControllerOptions())

    assert [action.type for action in stack.rules[0].actions] == ["forward"]
    with pytest.raises(BuildError) as refused:
        build_ingress_group(group(over_tls), cluster(service()), ControllerOptions())
    assert str(refused.value) == (
        "ingress: default/a: authentication and jwt validation can't both be configured"
    )
