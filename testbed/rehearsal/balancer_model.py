"""What controllers have made of ELBv2, in a form that two runs can be compared by.

Names, ARNs and ids differ from run to run: the name of an NLB depends on the UID of its Service, and ELBv2
chooses the rest. So a load balancer goes by the object that makes it, a target group and a security group by
their tags, a certificate by its names, a subnet by its zone, and an address of the run by its place in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from testbed.balancer_identity import owner_of

if TYPE_CHECKING:
    from testbed.aws.boto3_clients import Clients
    from testbed.network import Network

Model = Mapping[str, Mapping[str, Any]]
"""Each load balancer and target group by its title; its fields by name."""
_OF_EACH_RUN = (
    *("LoadBalancerArn", "LoadBalancerName", "DNSName", "CanonicalHostedZoneId", "CreatedTime", "VpcId"),
    *("State", "TargetGroupArn", "TargetGroupName", "LoadBalancerArns", "ListenerArn", "RuleArn"),
)
_MOST_RESOURCES = 20
"""Of one DescribeTags."""
_GROUP_TAGS = ("ingress.k8s.aws/", "service.k8s.aws/", "gateway.k8s.aws.")


def read(clients: Clients, network: Network) -> Model:
    """Return the model of everything in the account.

    Raises:
        ClientError: a balancer has gone while it was read; read again.
    """
    return _Reader(clients, network).model()


def differences(one: Model, other: Model, names: tuple[str, str]) -> list[str]:
    """Return a line for each difference of two models.

    Args:
        names: who made each, for people: `the emulation`, `./aws-load-balancer-controller`.
    """
    return [
        f"{title}: {line}"
        for title in sorted({*one, *other})
        for line in _differences(one.get(title), other.get(title), names, "")
    ]


def _differences(one: Any, other: Any, names: tuple[str, str], path: str) -> Iterator[str]:
    if one == other:
        return
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in sorted({*one, *other}):
            yield from _differences(one.get(key), other.get(key), names, f"{path} {key}".strip())
        return
    what = f"{path} " if path else ""
    yield f"{what}is {_shown(one)} with {names[0]}, {_shown(other)} with {names[1]}"


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_shown(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_shown, value)) + "]"
    return "absent" if value is None else str(value)


class _Reader:
    def __init__(self, clients: Clients, network: Network) -> None:
        self._elbv2, self._ec2, self._acm = clients.elbv2, clients.ec2, clients.acm
        self._network = f"{network.control.rsplit('.', 2)[0]}."
        self._groups: dict[str, str] = {}
        self._certificates: dict[str, str] = {}

    def model(self) -> Model:
        balancers = self._pages("describe_load_balancers", "LoadBalancers")
        groups = self._pages("describe_target_groups", "TargetGroups")
        tags = self._tags(
            [*(one["LoadBalancerArn"] for one in balancers), *(one["TargetGroupArn"] for one in groups)]
        )
        security = {
            one["GroupId"]: _security_title(one)
            for one in self._ec2.describe_security_groups()["SecurityGroups"]
        }
        for group in groups:
            self._groups[group["TargetGroupArn"]] = _group_title(group, tags[group["TargetGroupArn"]])
        whole: dict[str, Mapping[str, Any]] = {}
        for balancer in balancers:
            own = tags[balancer["LoadBalancerArn"]]
            title = f"{balancer['Type']} load balancer of {owner_of(own) or balancer['LoadBalancerName']}"
            whole[_unused(title, whole)] = self._balancer(balancer, own, security)
        for group in groups:
            title = self._groups[group["TargetGroupArn"]]
            whole[_unused(title, whole)] = self._group(group, tags[group["TargetGroupArn"]])
        return whole

    def _balancer(
        self, balancer: Mapping[str, Any], tags: Mapping[str, str], security: Mapping[str, str]
    ) -> dict[str, Any]:
        arn = balancer["LoadBalancerArn"]
        attributes = self._elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
        listeners = self._elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"]
        return {
            **_without_run(balancer),
            "SecurityGroups": [security.get(one, one) for one in balancer.get("SecurityGroups") or ()],
            "AvailabilityZones": sorted(zone["ZoneName"] for zone in balancer.get("AvailabilityZones") or ()),
            "Attributes": {one["Key"]: one["Value"] for one in attributes},
            "Tags": dict(tags),
            "Listeners": {str(one["Port"]): self._listener(one) for one in listeners},
        }

    def _listener(self, listener: Mapping[str, Any]) -> dict[str, Any]:
        arn = listener["ListenerArn"]
        rules = self._pages("describe_rules", "Rules", ListenerArn=arn)
        certificates = self._pages("describe_listener_certificates", "Certificates", ListenerArn=arn)
        return {
            **_without_run(listener),
            "DefaultActions": self._actions(listener.get("DefaultActions") or ()),
            "Certificates": sorted(
                f"{self._certificate(one['CertificateArn'])}{' (default)' if one.get('IsDefault') else ''}"
                for one in certificates
            ),
            "Rules": {
                one["Priority"]: {
                    "Conditions": _conditions(one.get("Conditions") or ()),
                    "Actions": self._actions(one.get("Actions") or ()),
                }
                for one in rules
            },
        }

    def _certificate(self, arn: str) -> str:
        if arn not in self._certificates:
            try:
                found: Any = self._acm.describe_certificate(CertificateArn=arn)["Certificate"]
            except self._acm.exceptions.ResourceNotFoundException:
                return arn  # of IAM, or of nobody
            names = dict.fromkeys((found["DomainName"], *found.get("SubjectAlternativeNames", ())))
            self._certificates[arn] = f"certificate of {', '.join(names)}"
        return self._certificates[arn]

    def _group(self, group: Mapping[str, Any], tags: Mapping[str, str]) -> dict[str, Any]:
        arn = group["TargetGroupArn"]
        attributes = self._elbv2.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
        health = self._elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        return {
            **_without_run(group),
            "Attributes": {one["Key"]: one["Value"] for one in attributes},
            "Tags": dict(tags),
            # One that drains is on its way out: when it goes is a matter of time, not of the controller.
            "Targets": sorted(
                f"{self._place(one['Target']['Id'])}:{one['Target'].get('Port')}"
                for one in health
                if one.get("TargetHealth", {}).get("State") != "draining"
            ),
        }

    def _actions(self, actions: Iterable[Mapping[str, Any]]) -> list[Any]:
        return [self._with_titles(_without_run(one)) for one in actions]

    def _with_titles(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            titled = {key: self._with_titles(item) for key, item in value.items() if key != "TargetGroupArn"}
            if "TargetGroupArn" in value:
                titled["TargetGroup"] = self._groups.get(value["TargetGroupArn"], "a group that is gone")
            return titled
        return [self._with_titles(item) for item in value] if isinstance(value, list) else value

    def _place(self, target: str) -> str:
        return f"the run's {target.removeprefix(self._network)}" if self._network in target else target

    def _pages(self, operation: str, key: str, **parameters: str) -> list[dict[str, Any]]:
        pages = self._elbv2.get_paginator(operation).paginate(**parameters)  # type: ignore[call-overload]
        return [item for page in pages for item in page[key]]

    def _tags(self, arns: list[str]) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for start in range(0, len(arns), _MOST_RESOURCES):
            described = self._elbv2.describe_tags(ResourceArns=arns[start : start + _MOST_RESOURCES])
            for one in described["TagDescriptions"]:
                found[one["ResourceArn"]] = {tag["Key"]: tag["Value"] for tag in one["Tags"]}
        return found


def _security_title(group: Mapping[str, Any]) -> str:
    tags = {tag["Key"]: tag["Value"] for tag in group.get("Tags") or ()}
    resource, owner = _resource(tags), owner_of(tags)
    if resource and owner:
        return f"{resource} of {owner}"
    return tags.get("elbv2.k8s.aws/resource") or str(group["GroupName"])


def _resource(tags: Mapping[str, str]) -> str:
    return next(
        (value for key, value in tags.items() if key.startswith(_GROUP_TAGS) and key.endswith("/resource")),
        "",
    )


def _group_title(group: Mapping[str, Any], tags: Mapping[str, str]) -> str:
    resource = _resource(tags)
    owner = owner_of(tags)
    if owner and resource:
        return f"target group {resource} of {owner}"
    return f"target group {group.get('Protocol')}:{group.get('Port')} of {owner or 'nobody'}"


def _unused(title: str, taken: Mapping[str, Any]) -> str:
    number = 1
    while (found := title if number == 1 else f"{title} ({number})") in taken:
        number += 1
    return found


def _without_run(shape: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in shape.items() if key not in _OF_EACH_RUN}


def _conditions(conditions: Iterable[Mapping[str, Any]]) -> list[Any]:
    # ELBv2 keeps the values of a condition as a set of its own, and repeats them in `Values` for old clients.
    return sorted(
        (
            {key: value for key, value in one.items() if key != "Values" or len(one) == 2}
            for one in conditions
        ),
        key=str,
    )
