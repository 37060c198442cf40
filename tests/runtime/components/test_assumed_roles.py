from typing import Any

import pytest

from testbed.kubernetes.api_errors import Denied
from testbed.runtime.components.assumed_roles import refuse


def binding(**fields: str) -> dict[str, Any]:
    return {"kind": "TargetGroupBinding", "metadata": {"name": "web"}, "spec": {"targetType": "ip", **fields}}


def test_a_role_that_the_controller_is_to_assume_is_refused() -> None:
    with pytest.raises(Denied, match="leads the LB controller to another account"):
        refuse(binding(iamRoleArnToAssume="arn:aws:iam::111122223333:role/other"), binding())


def test_other_bindings_and_other_kinds_pass() -> None:
    refuse(binding(), None)
    refuse(binding(iamRoleArnToAssume=""), None)
    refuse({"kind": "Namespace", "metadata": {"name": "shop"}}, None)
