"""Operations and fields of ELBv2 that moto does not know: transforms, IP pools, trust stores.

They are what the AWS Load Balancer Controller calls. A trust store has a name and no certificates: what it
would verify is not emulated.
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.elbv2.exceptions import ELBClientError, LoadBalancerNotFoundError
from moto.elbv2.models import ELBv2Backend, FakeListenerRule, FakeLoadBalancer, FakeRule
from moto.elbv2.responses import ELBV2Response
from moto.moto_api._internal import mock_random

_create_rule = ELBV2Response.create_rule
_modify_rule = ELBV2Response.modify_rule


def add() -> None:
    """Give moto these operations and fields."""
    FakeListenerRule.transforms = []  # type: ignore[attr-defined]
    FakeRule.transforms = []  # type: ignore[attr-defined]
    FakeLoadBalancer.ipam_pools = None  # type: ignore[attr-defined]
    for function in (
        create_rule,
        modify_rule,
        modify_ip_pools,
        create_trust_store,
        describe_trust_stores,
        delete_trust_store,
    ):
        setattr(ELBV2Response, function.__name__, function)


def create_rule(response: ELBV2Response) -> ActionResult:
    """Keep the transforms of a rule."""
    result = _create_rule(response)
    _rule(result).transforms = response._get_params().get("Transforms") or []
    return result


def modify_rule(response: ELBV2Response) -> ActionResult:
    """Replace the transforms of a rule, or remove them; moto insists on conditions or actions."""
    parameters = response._get_params()
    changes = parameters.get("Transforms") or []
    resets = parameters.get("ResetTransforms") in (True, "true")
    if parameters.get("Conditions") or parameters.get("Actions") or not (changes or resets):
        result = _modify_rule(response)
    else:
        rules = response.elbv2_backend.describe_rules(None, [parameters["RuleArn"]])
        result = ActionResult({"Rules": list(rules)})
    if changes or resets:
        _rule(result).transforms = changes
    return result


def modify_ip_pools(response: ELBV2Response) -> ActionResult:
    """Set or remove the IPAM pools of a balancer."""
    parameters = response._get_params()
    balancer: Any = response.elbv2_backend.load_balancers.get(parameters["LoadBalancerArn"])
    if balancer is None:
        raise LoadBalancerNotFoundError
    balancer.ipam_pools = {**(balancer.ipam_pools or {}), **(parameters.get("IpamPools") or {})}
    if "ipv4" in (parameters.get("RemoveIpamPools") or ()):
        balancer.ipam_pools.pop("Ipv4IpamPoolId", None)
    return ActionResult({"IpamPools": balancer.ipam_pools})


def create_trust_store(response: ELBV2Response) -> ActionResult:
    """Create a trust store, whose bundle is not read."""
    name = response._get_param("Name")
    stores = _stores(response.elbv2_backend)
    if any(store["Name"] == name for store in stores.values()):
        raise ELBClientError(
            "DuplicateTrustStoreName", f"A trust store with the name '{name}' already exists"
        )
    backend = response.elbv2_backend
    prefix = f"arn:{backend.partition}:elasticloadbalancing:{backend.region_name}:{backend.account_id}"
    store = {
        "Name": name,
        "TrustStoreArn": f"{prefix}:truststore/{name}/{mock_random.get_random_hex(16)}",
        "Status": "ACTIVE",
        "NumberOfCaCertificates": 1,
        "TotalRevokedEntries": 0,
    }
    stores[store["TrustStoreArn"]] = store
    return ActionResult({"TrustStores": [store]})


def describe_trust_stores(response: ELBV2Response) -> ActionResult:
    """Describe all trust stores, or those that a call names by ARN or name."""
    found = list(_stores(response.elbv2_backend).values())
    for field, parameter in (("TrustStoreArn", "TrustStoreArns"), ("Name", "Names")):
        wanted = response._get_param(parameter)
        if wanted:
            found = [store for store in found if store[field] in wanted]
            if len(found) != len(set(wanted)):
                raise _no_trust_store()
    return ActionResult({"TrustStores": found})


def delete_trust_store(response: ELBV2Response) -> EmptyResult:
    """Delete a trust store."""
    if _stores(response.elbv2_backend).pop(response._get_param("TrustStoreArn"), None) is None:
        raise _no_trust_store()
    return EmptyResult()


def _no_trust_store() -> ELBClientError:
    return ELBClientError("TrustStoreNotFound", "One or more trust stores not found")


def _stores(backend: ELBv2Backend) -> dict[str, dict[str, Any]]:
    stores: dict[str, dict[str, Any]] = backend.__dict__.setdefault("trust_stores", {})
    return stores


def _rule(result: ActionResult) -> Any:
    rules: Any = result.result
    return rules["Rules"][0]
