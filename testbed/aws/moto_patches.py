"""Patches moto where it differs from AWS.

The docstring of each patch says what AWS does. Rules that refuse a call are in the endpoint in front, because
they hold for any backend.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from moto.acm.models import AWSCertificateManagerBackend, CertBundle
from moto.elbv2.exceptions import (
    DuplicatePriorityError,
    LoadBalancerNotFoundError,
    PriorityInUseError,
    RuleNotFoundError,
)
from moto.elbv2.models import (
    ELBv2Backend,
    FakeAction,
    FakeHealthStatus,
    FakeListener,
    FakeLoadBalancer,
    FakeTargetGroup,
)
from moto.elbv2.responses import ELBV2Response
from moto.elbv2.ssl_policies import SSL_POLICIES
from moto.route53.models import FakeZone, Route53Backend

from testbed.aws import moto_ec2_operations, moto_elbv2_operations
from testbed.aws.balancer_names import DNS_NAME_TAG, balancer_dns_name, canonical_zone
from testbed.aws.route53_names import stored_name

_DEFAULT_POLICY = "ELBSecurityPolicy-2016-08"
_import_certificate = AWSCertificateManagerBackend.import_certificate
_add_listener_certificates = ELBv2Backend.add_listener_certificates
_create_listener = ELBv2Backend.create_listener
_describe_load_balancers = ELBv2Backend.describe_load_balancers
_create_load_balancer = ELBv2Backend.create_load_balancer
_create_target_group = ELBv2Backend.create_target_group
_describe_target_groups = ELBv2Backend.describe_target_groups
_modify_target_group_attributes = ELBv2Backend.modify_target_group_attributes
_create_hosted_zone = Route53Backend.create_hosted_zone
_modify_target_group = ELBV2Response.modify_target_group
_WITH_REGEXES = {
    "host_header": "HostHeaderConfig",
    "http_header": "HttpHeaderConfig",
    "path_pattern": "PathPatternConfig",
}


def patch() -> None:
    """Replace functions of moto with the functions of this module."""
    SSL_POLICIES.update(older_policies())
    for field, config in _WITH_REGEXES.items():
        name = f"_validate_{field}_condition"
        setattr(ELBv2Backend, name, takes_regexes(getattr(ELBv2Backend, name), config))
    validates = "_validate_actions"
    setattr(ELBv2Backend, validates, takes_tokens(getattr(ELBv2Backend, validates)))
    moto_elbv2_operations.add()
    moto_ec2_operations.add()
    for owner, function in (
        (ELBv2Backend, create_load_balancer),
        (ELBv2Backend, create_listener),
        (ELBv2Backend, modify_listener),
        (ELBv2Backend, add_listener_certificates),
        (ELBv2Backend, describe_load_balancers),
        (ELBv2Backend, create_target_group),
        (ELBv2Backend, describe_target_groups),
        (ELBv2Backend, modify_target_group_attributes),
        (ELBv2Backend, set_rule_priorities),
        (FakeTargetGroup, register),
        (FakeTargetGroup, deregister),
        (FakeTargetGroup, health_for),
        (ELBV2Response, modify_target_group),
        (AWSCertificateManagerBackend, import_certificate),
        (Route53Backend, create_hosted_zone),
        (Route53Backend, change_resource_record_sets),
    ):
        setattr(owner, function.__name__, function)


def takes_regexes(validate: Callable[..., None], config: str) -> Callable[..., None]:
    """Accept regular expressions instead of values in conditions (since 2025), which moto does not know."""

    def patched(backend: ELBv2Backend, condition: dict[str, Any]) -> None:
        settings = condition.get(config) or {}
        if settings.get("RegexValues") and not settings.get("Values"):
            condition = {**condition, config: {**settings, "Values": settings["RegexValues"]}}
        validate(backend, condition)

    return patched


def takes_tokens(validate: Callable[..., None]) -> Callable[..., None]:
    """Accept the action jwt-validation (since 2025), which moto does not know."""

    def patched(backend: ELBv2Backend, actions: list[FakeAction]) -> None:
        validate(backend, [action for action in actions if action.type != "jwt-validation"])

    return patched


def older_policies() -> dict[str, dict[str, Any]]:
    """Return the security policies of AWS that moto does not know (ALB guide, "Security policies").

    They have the ciphers of the policy with the same lowest protocol, because nothing here uses ciphers.
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
    names = [name.removeprefix("ELBSecurityPolicy-") for name in SSL_POLICIES]
    return [name for name in names if name.startswith("TLS13-") and name.endswith(ending)]


def create_load_balancer(backend: ELBv2Backend, *args: Any, **kwargs: Any) -> FakeLoadBalancer:
    """Give NLBs and ALBs different ARNs, DNS names and hosted zones; the default scheme is public."""
    kwargs["scheme"] = kwargs.get("scheme") or "internet-facing"
    balancer = _create_load_balancer(backend, *args, **kwargs)
    if balancer.type == "network":
        del backend.load_balancers[balancer.arn]
        # moto keeps tags by ARN, so they have to move with it.
        tags = backend.tagging_service.list_tags_for_resource(balancer.arn)["Tags"]
        balancer.arn = balancer.arn.replace(":loadbalancer/app/", ":loadbalancer/net/")
        backend.load_balancers[balancer.arn] = balancer
        backend.tagging_service.tag_resource(balancer.arn, tags)
    named = {tag["Key"]: tag["Value"] for tag in kwargs.get("tags") or ()}.get(DNS_NAME_TAG)
    # AWS describes them before anybody has set them [ELBv2 API reference, LoadBalancerAttribute].
    balancer.attrs.setdefault("access_logs.s3.enabled", "false")
    balancer.dns_name = named or balancer_dns_name(balancer.arn, balancer.scheme)
    balancer.canonical_hosted_zone_id = canonical_zone(balancer.dns_name) or ""
    return balancer


def create_listener(backend: ELBv2Backend, *args: Any, **kwargs: Any) -> FakeListener:
    """Give only HTTPS and TLS listeners a security policy and certificates."""
    listener = _create_listener(backend, *args, **kwargs)
    _secure(listener)
    return listener


def modify_listener(
    backend: ELBv2Backend,
    arn: str,
    port: str | None = None,
    protocol: str | None = None,
    ssl_policy: str | None = None,
    certificates: list[dict[str, Any]] | None = None,
    actions: list[dict[str, Any]] | None = None,
) -> FakeListener:
    """Take every protocol of the balancer's type; moto knows HTTP, HTTPS and TCP.

    A new default certificate leaves the further ones; moto drops those. The old default goes with its place,
    even if it was added as a further one, too: as in the recorded edits of the LB controller.
    """
    listener = backend.describe_listeners(None, [arn])[0]
    further = [one for one in listener.certificates[1:] if one != listener.certificates[0]]
    if protocol:
        listener.protocol = protocol
    if port:
        listener.port = port
    if ssl_policy:
        listener.ssl_policy = ssl_policy
    if actions:
        given = [FakeAction(action) for action in actions]
        backend._validate_actions(given)
        listener.default_actions = listener._default_rule[0].actions = given
    if certificates:
        listener.certificate = certificates[0]["CertificateArn"]
        listener.certificates = [listener.certificate, *further]
    _secure(listener)
    return listener


def _secure(listener: Any) -> None:
    if listener.protocol in {"HTTPS", "TLS"}:
        listener.ssl_policy = listener.ssl_policy or _DEFAULT_POLICY
    else:
        listener.ssl_policy = listener.certificate = None
        listener.certificates = []


def import_certificate(
    backend: AWSCertificateManagerBackend,
    certificate: bytes,
    private_key: bytes,
    chain: bytes | None,
    arn: str | None,
    tags: list[dict[str, str]],
) -> str:
    """Import under the ARN of the user's own account, too; `acm_front` refuses that to everybody else."""
    if arn is not None and arn not in backend._certificates:
        account, region = backend.account_id, backend.region_name
        backend._certificates[arn] = CertBundle(
            account, certificate, private_key, chain=chain, region=region, arn=arn
        )
    return _import_certificate(backend, certificate, private_key, chain, arn, tags)


def add_listener_certificates(
    backend: ELBv2Backend, arn: str, certificates: list[dict[str, Any]]
) -> list[str]:
    """Add a certificate once [ELBv2 API reference, AddListenerCertificates]; moto adds it again.

    The default certificate may be added, too, and then is described twice [DescribeListenerCertificates].
    """
    known = backend.describe_listeners(None, [arn])[0].certificates[1:]
    new = [one for one in certificates if one["CertificateArn"] not in known]
    return _add_listener_certificates(backend, arn, new)


def describe_load_balancers(
    backend: ELBv2Backend, arns: list[str] | None, names: list[str] | None
) -> list[FakeLoadBalancer]:
    """Refuse a call that names a balancer that is not there; moto does not if another one is."""
    known = list(backend.load_balancers.values())
    for wanted, field in ((arns, "arn"), (names, "name")):
        if {*(wanted or ())} - {getattr(balancer, field) for balancer in known}:
            raise LoadBalancerNotFoundError
    return _describe_load_balancers(backend, arns, names)


def create_target_group(backend: ELBv2Backend, name: str, **kwargs: Any) -> FakeTargetGroup:
    """Set the health check defaults of GRPC groups and of HTTP checks by an NLB, which moto does not know.

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
    explicit = {key: value for key, value in kwargs.items() if value}
    return _create_target_group(backend, name, **{**kwargs, **defaults, **explicit})


def describe_target_groups(
    backend: ELBv2Backend, load_balancer_arn: str | None, *args: Any, **kwargs: Any
) -> Any:
    """Report a group under the balancers whose rules name it now.

    moto never removes a balancer from a group, and refuses to describe the groups of a balancer without any.
    """
    users: dict[str, set[str]] = {}
    # Lists are copies: other threads of the server may change the originals meanwhile.
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


def modify_target_group_attributes(
    backend: ELBv2Backend, target_group_arn: str, attributes: dict[str, Any]
) -> None:
    """Take a deregistration delay of 3600 s, the longest [API reference]; moto takes 3599."""
    delay = "deregistration_delay.timeout_seconds"
    longest = {delay: "3600"} if attributes.get(delay) == "3600" else {}
    short = {key: value for key, value in attributes.items() if key not in longest}
    _modify_target_group_attributes(backend, target_group_arn, short)
    backend.target_groups[target_group_arn].attributes.update(longest)


def modify_target_group(response: ELBV2Response) -> Any:
    """Accept GrpcCode; moto knows HttpCode only, and sets it on GRPC groups."""
    code = response._get_param("Matcher.GrpcCode")
    group = response.elbv2_backend.target_groups.get(response._get_param("TargetGroupArn"))
    matcher: dict[str, Any] = dict(getattr(group, "matcher", {}))
    result = _modify_target_group(response)
    if group is not None and group.protocol_version == "GRPC":
        group.matcher = {"GrpcCode": code} if code else matcher
    return result


def register(group: FakeTargetGroup, targets: list[dict[str, Any]]) -> None:
    """Register a target by id and port: a pod may serve a group at two ports; moto keeps one for each id."""
    for target in targets:
        port = int(target.get("Port") or group.port)
        group.targets[f"{target['Id']}:{port}"] = {"Id": target["Id"], "Port": port}


def deregister(group: FakeTargetGroup, targets: list[dict[str, Any]]) -> None:
    """Deregister a target at its port, or at all ports if the call names none.

    AWS accepts targets that are not registered, too (DeregisterTargets).
    """
    for target in targets:
        port = target.get("Port")
        for key, known in list(group.targets.items()):
            if known["Id"] == target["Id"] and port in (None, "", known["Port"], str(known["Port"])):
                del group.targets[key]


def health_for(group: FakeTargetGroup, target: dict[str, Any], _ec2: Any) -> FakeHealthStatus:
    """Report a registered target as healthy: its real health comes from the testbed's health checks."""
    return FakeHealthStatus(target["Id"], target["Port"], group.health_check_port, "healthy")


def set_rule_priorities(backend: ELBv2Backend, rule_priorities: list[dict[str, Any]]) -> list[Any]:
    """Set all priorities at once, so that rules may trade places; moto checks them one by one."""
    new_priorities = {rule["RuleArn"]: rule["Priority"] for rule in rule_priorities}
    rules = backend.describe_rules(listener_arn=None, rule_arns=list(new_priorities))
    if len(rules) != len(new_priorities):
        raise RuleNotFoundError
    listener = backend.describe_listeners(None, [rules[0].listener_arn])[0]
    kept = {rule.priority for rule in listener.rules.values() if rule.arn not in new_priorities}
    priorities = list(new_priorities.values())
    for priority in priorities:
        if priorities.count(priority) > 1:
            raise DuplicatePriorityError(priority)
        if priority in kept:
            raise PriorityInUseError
    # Only after all checks, so that a refused call changes nothing.
    for rule in rules:
        rule.priority = new_priorities[rule.arn]
    return list(rules)


def create_hosted_zone(backend: Route53Backend, *args: Any, **kwargs: Any) -> FakeZone:
    """Write the SOA as text with AWS's own mailbox; moto's is the text of a dict (Route 53 guide, SOA)."""
    zone = _create_hosted_zone(backend, *args, **kwargs)
    for record in zone.rrsets:
        if record.type == "SOA":
            server, _, *times = record.records[0]["Value"].split()
            record.records = [" ".join((server, "awsdns-hostmaster.amazon.com.", *times))]
    return zone


def change_resource_record_sets(
    backend: Route53Backend, zoneid: str, change_list: list[dict[str, Any]]
) -> None:
    """Change exactly the record sets of the batch; moto deletes by set identifier in the whole zone.

    The endpoint in front has already checked the batch.
    """
    zone = backend.get_hosted_zone(zoneid)
    changed = list(zone.rrsets)
    for change in change_list:
        record = change["ResourceRecordSet"]
        record["Name"] = stored_name(record["Name"])
        if "ResourceRecords" in record:
            record["ResourceRecords"] = [value["Value"] for value in record["ResourceRecords"]]
        key = (record["Name"], record["Type"], record.get("SetIdentifier"))
        changed = [kept for kept in changed if (kept.name, kept.type, kept.set_identifier) != key]
        if change["Action"] != "DELETE":
            # add_rrset also appends to the zone, whose whole list is set below.
            zone.rrsets = []
            changed.append(zone.add_rrset(record))
    zone.rrsets = changed
