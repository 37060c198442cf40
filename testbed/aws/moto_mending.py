"""moto, mended where it does what AWS does not.

Each mended function names what AWS does instead; rules that refuse a call stand in the endpoint in front,
because they hold for any backend.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from moto import settings
from moto.elbv2.exceptions import DuplicatePriorityError, PriorityInUseError, RuleNotFoundError
from moto.elbv2.models import ELBv2Backend, FakeHealthStatus, FakeLoadBalancer, FakeTargetGroup
from moto.elbv2.responses import ELBV2Response
from moto.elbv2.ssl_policies import SSL_POLICIES
from moto.route53.models import Route53Backend

from testbed.aws.names import balancer_dns_name, canonical_zone
from testbed.aws.route53_rules import stored_name

_create_load_balancer = ELBv2Backend.create_load_balancer
_create_target_group = ELBv2Backend.create_target_group
_describe_target_groups = ELBv2Backend.describe_target_groups
_modify_target_group = ELBV2Response.modify_target_group
_WITH_REGEXES = {
    "host_header": "HostHeaderConfig",
    "http_header": "HttpHeaderConfig",
    "path_pattern": "PathPatternConfig",
}


def mend() -> None:
    """Put the mended functions in the place of moto's."""
    settings.ACM_VALIDATION_WAIT = 0  # a requested certificate is validated and issued at once
    SSL_POLICIES.update(older_policies())
    for field, config in _WITH_REGEXES.items():
        name = f"_validate_{field}_condition"
        setattr(ELBv2Backend, name, takes_regexes(getattr(ELBv2Backend, name), config))
    for owner, function in (
        (ELBv2Backend, create_load_balancer),
        (ELBv2Backend, create_target_group),
        (ELBv2Backend, describe_target_groups),
        (ELBv2Backend, set_rule_priorities),
        (FakeTargetGroup, register),
        (FakeTargetGroup, deregister),
        (FakeTargetGroup, health_for),
        (ELBV2Response, modify_target_group),
        (Route53Backend, change_resource_record_sets),
    ):
        setattr(owner, function.__name__, function)


def takes_regexes(validate: Callable[..., None], config: str) -> Callable[..., None]:
    """Conditions may have regular expressions instead of values (since 2025), which moto does not know."""

    def mended(backend: ELBv2Backend, condition: dict[str, Any]) -> None:
        given = condition.get(config) or {}
        if given.get("RegexValues") and not given.get("Values"):
            condition = {**condition, config: {**given, "Values": given["RegexValues"]}}
        validate(backend, condition)

    return mended


def older_policies() -> dict[str, dict[str, Any]]:
    """The security policies that AWS still has and moto does not know (ALB guide, "Security policies").

    Their ciphers are those of the policy with the same lowest protocol: nobody here looks at them.
    """
    alike = {
        "2015-05": "2016-08",
        "FS-2018-06": "2016-08",
        "FS-1-1-2019-08": "TLS-1-1-2017-01",
        "FS-1-2-2019-08": "TLS-1-2-2017-01",
        "FS-1-2-Res-2019-08": "FS-1-2-Res-2020-10",
    }
    alike |= {name.replace("PQ-2025-09", "FIPS-2023-04"): name for name in _with_tls13("PQ-2025-09")}
    prefix = "ELBSecurityPolicy-"
    return {
        f"{prefix}{name}": {**SSL_POLICIES[f"{prefix}{like}"], "name": f"{prefix}{name}"}
        for name, like in alike.items()
    }


def _with_tls13(ending: str) -> list[str]:
    found = [name.removeprefix("ELBSecurityPolicy-") for name in SSL_POLICIES]
    return [name for name in found if name.startswith("TLS13-") and name.endswith(ending)]


def create_load_balancer(backend: ELBv2Backend, *args: Any, **kwargs: Any) -> FakeLoadBalancer:
    """AWS names NLBs and ALBs differently, in ARN, DNS name and hosted zone; the default scheme is public."""
    kwargs["scheme"] = kwargs.get("scheme") or "internet-facing"
    made = _create_load_balancer(backend, *args, **kwargs)
    if made.type == "network":
        del backend.load_balancers[made.arn]
        tags = backend.tagging_service.list_tags_for_resource(made.arn)["Tags"]
        made.arn = made.arn.replace(":loadbalancer/app/", ":loadbalancer/net/")
        backend.load_balancers[made.arn] = made
        backend.tagging_service.tag_resource(made.arn, tags)
    made.dns_name = balancer_dns_name(made.arn, made.scheme)
    made.canonical_hosted_zone_id = canonical_zone(made.dns_name) or ""
    return made


def create_target_group(backend: ELBv2Backend, name: str, **kwargs: Any) -> FakeTargetGroup:
    """Defaults of health checks that moto does not know: of GRPC groups, and of HTTP checks by an NLB.

    [ELBv2 API reference, CreateTargetGroup; NLB guide, "Health checks for your target groups"]
    """
    by_http = kwargs.get("healthcheck_protocol") in {"HTTP", "HTTPS"}
    defaults: dict[str, Any] = {}
    if kwargs.get("protocol_version") == "GRPC":
        defaults = {"healthcheck_path": "/AWS.ALB/healthcheck", "matcher": {"GrpcCode": "12"}}
    elif by_http and kwargs.get("protocol") not in {"HTTP", "HTTPS"}:
        defaults = {"healthcheck_path": "/", "matcher": {"HttpCode": "200-399"}}
        if kwargs["healthcheck_protocol"] == "HTTP":
            defaults["healthcheck_timeout_seconds"] = 6
    given = {key: value for key, value in kwargs.items() if value}
    return _create_target_group(backend, name, **{**kwargs, **defaults, **given})


def describe_target_groups(
    backend: ELBv2Backend, load_balancer_arn: str | None, *args: Any, **kwargs: Any
) -> Any:
    """A group belongs to the balancer whose rules name it now; moto never takes one away, and refuses to
    describe the groups of a balancer that has none.
    """
    users: dict[str, set[str]] = {}
    for balancer in list(backend.load_balancers.values()):
        for listener in list(balancer.listeners.values()):
            rules = [rule.actions for rule in list(listener.rules.values()) if not rule.is_default]
            for action in [*listener.default_actions, *itertools.chain.from_iterable(rules)]:
                for arn in backend._get_target_group_arns_from(action_data=action.data):
                    users.setdefault(arn, set()).add(balancer.arn)
    for group in list(backend.target_groups.values()):
        group.load_balancer_arns = sorted(users.get(group.arn, ()))
    if load_balancer_arn in backend.load_balancers and not any(
        load_balancer_arn in balancers for balancers in users.values()
    ):
        return []
    return _describe_target_groups(backend, load_balancer_arn, *args, **kwargs)


def modify_target_group(response: ELBV2Response) -> Any:
    """AWS takes GrpcCode too; moto knows HttpCode only, and defaults it on groups of GRPC."""
    code = response._get_param("Matcher.GrpcCode")
    group = response.elbv2_backend.target_groups.get(response._get_param("TargetGroupArn"))
    matcher: dict[str, Any] = dict(getattr(group, "matcher", {}))
    result = _modify_target_group(response)
    if group is not None and group.protocol_version == "GRPC":
        group.matcher = {"GrpcCode": code} if code else matcher
    return result


def register(group: FakeTargetGroup, targets: list[dict[str, Any]]) -> None:
    """A target is an id and a port: a pod may serve a group at two of them; moto keeps one for each id."""
    for target in targets:
        port = int(target.get("Port") or group.port)
        group.targets[f"{target['Id']}:{port}"] = {"Id": target["Id"], "Port": port}


def deregister(group: FakeTargetGroup, targets: list[dict[str, Any]]) -> None:
    """At the port that is named, or at all; AWS takes what is not registered, too (DeregisterTargets)."""
    for target in targets:
        port = target.get("Port")
        for key, one in list(group.targets.items()):
            if one["Id"] == target["Id"] and port in (None, "", one["Port"], str(one["Port"])):
                del group.targets[key]


def health_for(group: FakeTargetGroup, target: dict[str, Any], _ec2: Any) -> FakeHealthStatus:
    """Whether it is registered; how it is, the health checks of the testbed say."""
    return FakeHealthStatus(target["Id"], target["Port"], group.health_check_port, "healthy")


def set_rule_priorities(backend: ELBv2Backend, rule_priorities: list[dict[str, Any]]) -> list[Any]:
    """All at once, so that rules may trade places; moto looks at them one by one."""
    wanted = {one["RuleArn"]: one["Priority"] for one in rule_priorities}
    rules = backend.describe_rules(listener_arn=None, rule_arns=list(wanted))
    if len(rules) != len(wanted):
        raise RuleNotFoundError
    listener = backend.describe_listeners(None, [rules[0].listener_arn])[0]
    kept = {rule.priority for rule in listener.rules.values() if rule.arn not in wanted}
    priorities = list(wanted.values())
    for priority in priorities:
        if priorities.count(priority) > 1:
            raise DuplicatePriorityError(priority)
        if priority in kept:
            raise PriorityInUseError
    for rule in rules:
        rule.priority = wanted[rule.arn]
    return list(rules)


def change_resource_record_sets(
    backend: Route53Backend, zoneid: str, change_list: list[dict[str, Any]]
) -> None:
    """Change exactly the record set that is named; moto deletes by set identifier in the whole zone.

    The endpoint in front has checked the batch.
    """
    zone = backend.get_hosted_zone(zoneid)
    changed = list(zone.rrsets)
    for change in change_list:
        record = change["ResourceRecordSet"]
        record["Name"] = stored_name(record["Name"])
        if "ResourceRecords" in record:
            record["ResourceRecords"] = [value["Value"] for value in record["ResourceRecords"]]
        key = (record["Name"], record["Type"], record.get("SetIdentifier"))
        changed = [one for one in changed if (one.name, one.type, one.set_identifier) != key]
        if change["Action"] != "DELETE":
            zone.rrsets = []
            changed.append(zone.add_rrset(record))
    zone.rrsets = changed
