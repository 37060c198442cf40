from __future__ import annotations

import base64

import pytest

from testbed.lb_controller.annotations import of_ingress
from testbed.lb_controller.authentication import actions
from testbed.lb_controller.inputs import BuildError, ClusterState
from testbed.lb_controller.stack import Action
from tests.lb_controller.examples import ingress

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
def test_what_is_missing_is_told(annotations: dict[str, str], error: str) -> None:
    with pytest.raises(BuildError) as raised:
        read(ClusterState(), **annotations)
    assert str(raised.value) == error
