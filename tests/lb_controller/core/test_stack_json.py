from __future__ import annotations

from testbed.lb_controller.core import stack_json
from testbed.lb_controller.core.stack import (
    Action,
    Authenticate,
    Forward,
    Kind,
    Ref,
    Stack,
    WeightedTargetGroup,
)


def test_references_point_to_resources_and_a_weight_of_nought_is_kept() -> None:
    share = WeightedTargetGroup(target_group=Ref(Kind.TARGET_GROUP, "ns/a-b:80"), weight=0)

    found = stack_json.action(Action(type="forward", forward=Forward(target_groups=(share,))))

    target = {"targetGroupARN": {"ref": "TargetGroup/ns/a-b:80"}, "weight": 0}
    assert found == {"type": "forward", "forwardConfig": {"targetGroups": [target]}}


def test_a_client_secret_is_not_printed() -> None:
    action = Action(
        type="authenticate-oidc",
        authenticate=Authenticate(config={"Issuer": "x", "ClientId": "me", "ClientSecret": "hush"}),
    )

    assert stack_json.action(action)["authenticateOIDCConfig"] == {"issuer": "x", "clientID": "me"}


def test_claims_have_the_names_of_the_controllers_model() -> None:
    config = {"JwksEndpoint": "x", "AdditionalClaims": [{"Format": "single-string", "Values": ["y"]}]}
    action = Action(type="jwt-validation", authenticate=Authenticate(config=config))

    assert stack_json.action(action)["jwtValidationConfig"] == {
        "jwksEndpoint": "x",
        "additionalClaims": [{"format": "single-string", "values": ["y"]}],
    }


def test_an_empty_stack_has_no_balancer() -> None:
    stack = Stack(id="app", cluster_name="c", tag_prefix="ingress.k8s.aws")

    assert stack_json.to_json(stack) == {
        "stackID": "app",
        "listeners": [],
        "targetGroups": [],
        "targetGroupBindings": [],
    }
