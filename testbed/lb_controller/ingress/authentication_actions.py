"""Authentication before a forward: the annotations `auth-*` and `jwt-validation`, for HTTPS listeners.

The testbed's ALBs do not authenticate; the actions are built so that plans and the ELBv2 API show them
(pkg/ingress/{auth_config_builder,model_build_actions}.go).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from testbed.lb_controller.core import go_json
from testbed.lb_controller.core.annotations import Annotations
from testbed.lb_controller.core.build_inputs import BuildError, ClusterState
from testbed.lb_controller.core.go_json import TEXTS
from testbed.lb_controller.core.stack import Action, Authenticate

_COGNITO = {
    "UserPoolArn": str,
    "UserPoolClientId": str,
    "UserPoolDomain": str,
    "AuthenticationRequestExtraParams": TEXTS,
}
_OIDC = {
    "Issuer": str,
    "AuthorizationEndpoint": str,
    "TokenEndpoint": str,
    "UserInfoEndpoint": str,
    "SecretName": str,
    "AuthenticationRequestExtraParams": TEXTS,
}
_CLAIM = {"Format": str, "Name": str, "Values": [str]}
_JWT = {"JwksEndpoint": str, "Issuer": str, "AdditionalClaims": [_CLAIM]}
_SESSION_TIMEOUT = 604_800


def actions(annotations: Annotations, namespace: str, cluster: ClusterState) -> tuple[Action, ...]:
    """The actions that authenticate a request before it is forwarded; fields by their ELBv2 names.

    Raises:
        BuildError: an annotation is invalid, or the Secret of the client is missing.
    """
    found: list[Action] = []
    match annotations.text("auth-type") or "none":
        case "none":
            pass
        case "cognito":
            config = _identity_provider(annotations, "auth-idp-cognito", _COGNITO, "IDPConfigCognito")
            found.append(_action("authenticate-cognito", {**config, **_session(annotations)}))
        case "oidc":
            config = _identity_provider(annotations, "auth-idp-oidc", _OIDC, "IDPConfigOIDC")
            config |= _client(config.pop("SecretName", ""), namespace, cluster)
            found.append(_action("authenticate-oidc", {**config, **_session(annotations)}))
        case other:
            raise BuildError(f"unknown authType: {other}")
    jwt = go_json.read(annotations.json("jwt-validation"), _JWT)
    if jwt is not None:
        found.append(_action("jwt-validation", _checked_jwt(jwt)))
    return tuple(found)


def check(found: Sequence[Action]) -> None:
    """Refuse two kinds of authentication before one forward.

    The controller looks when it builds the rule of an HTTPS listener: both annotations do no harm on HTTP.

    Raises:
        BuildError: there are two.
    """
    if len(found) > 1:
        raise BuildError("authentication and jwt validation can't both be configured")


def _action(kind: str, config: Mapping[str, object]) -> Action:
    return Action(type=kind, authenticate=Authenticate(config=config))


def _identity_provider(
    annotations: Annotations, suffix: str, shape: Mapping[str, Any], printed: str
) -> dict[str, Any]:
    config: dict[str, Any] | None = go_json.read(annotations.json(suffix), shape)
    if config is None:
        raise BuildError(f"missing {printed}")
    return config


def _session(annotations: Annotations) -> dict[str, object]:
    timeout = annotations.integer("auth-session-timeout")
    return {
        "OnUnauthenticatedRequest": annotations.text("auth-on-unauthenticated-request") or "authenticate",
        "Scope": annotations.text("auth-scope") or "openid",
        "SessionCookieName": annotations.text("auth-session-cookie") or "AWSELBAuthSessionCookie",
        "SessionTimeout": _SESSION_TIMEOUT if timeout is None else timeout,
    }


def _client(name: str, namespace: str, cluster: ClusterState) -> dict[str, str]:
    key = f"{namespace}/{name}"
    secret = cluster.secrets.get((namespace, name))
    if secret is None:
        raise BuildError(f'secrets "{name}" not found')
    data = secret.get("data") or {}
    client_id = data.get("clientID", data.get("clientId"))  # clientId: the v1 controller's spelling
    if client_id is None:
        raise BuildError(f"missing clientID, secret: {key}")
    if "clientSecret" not in data:
        raise BuildError(f"missing clientSecret, secret: {key}")
    return {"ClientId": _decoded(client_id).rstrip(), "ClientSecret": _decoded(data["clientSecret"])}


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise BuildError(f"the Secret's data is not base64: {error}") from None


def _checked_jwt(config: dict[str, Any]) -> dict[str, Any]:
    for name, printed in (("JwksEndpoint", "jwksEndpoint"), ("Issuer", "issuer")):
        if not config.get(name):
            raise BuildError(f"{printed} is a required field for jwt validation")
    for claim in config.get("AdditionalClaims") or ():
        for name in _CLAIM:
            if not claim.get(name):
                raise BuildError(
                    f"{name.lower()} is a required field for additional claims for jwt validation"
                )
    return config
