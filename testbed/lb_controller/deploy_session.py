"""One deploy of one stack: the client, what was found so far, and the tags by which it is found again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from testbed.lb_controller.elbv2_shapes import read_tags, tags
from testbed.lb_controller.inputs import ControllerOptions, Version
from testbed.lb_controller.stack import Kind, Ref, Reference, Stack
from testbed.lb_controller.work import Log

if TYPE_CHECKING:
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client

_TAGS_PER_CALL = 20
"""DescribeTags takes at most 20 ARNs (ELBv2 API)."""


class DeployError(Exception):
    """AWS refused a call; the text is that of the event `FailedDeployModel`."""


@dataclass(frozen=True, slots=True)
class Existing:
    """A described resource with its tags."""

    shape: Mapping[str, Any]
    tags: Mapping[str, str]


class Reader:
    """Reads ELBv2: all pages, and the tags that the Describe calls leave out."""

    def __init__(self, elbv2: ElasticLoadBalancingv2Client) -> None:
        self.elbv2 = elbv2

    def pages(self, operation: str, key: str, **arguments: Any) -> Iterator[Mapping[str, Any]]:
        """All items of a Describe call, over all its pages."""
        marker: dict[str, str] = {}
        while True:
            page = getattr(self.elbv2, operation)(**arguments, **marker)
            yield from page[key]
            if not page.get("NextMarker"):
                return
            marker = {"Marker": page["NextMarker"]}

    def tags_of(self, arns: Sequence[str]) -> dict[str, dict[str, str]]:
        """Tags by ARN."""
        found: dict[str, dict[str, str]] = {}
        for start in range(0, len(arns), _TAGS_PER_CALL):
            chunk = list(arns[start : start + _TAGS_PER_CALL])
            for item in self.elbv2.describe_tags(ResourceArns=chunk)["TagDescriptions"]:
                found[item["ResourceArn"]] = read_tags(item["Tags"])
        return found

    def owned(self, operation: str, key: str, arn: str, stack_tags: Mapping[str, str]) -> list[Existing]:
        """The described resources that carry the tags of the stack."""
        described = {shape[arn]: shape for shape in self.pages(operation, key)}
        all_tags = self.tags_of(list(described))
        return [
            Existing(shape, all_tags[one])
            for one, shape in described.items()
            if stack_tags.items() <= all_tags[one].items()
        ]


class Session(Reader):
    """The deploy of one stack.

    Attributes:
        options: version and VPC of the controller.
        stack: what is wanted.
        arns: ARNs of the target groups by resource id, as they become known.
        has_resource_tags: whether each resource has a tag of its own. The cloud provider of 2020 gives none,
            and knows its target groups by name.
        is_old: whether it deploys as controllers before v2.2 did.
    """

    def __init__(
        self, elbv2: ElasticLoadBalancingv2Client, options: ControllerOptions, stack: Stack, log: Log
    ) -> None:
        super().__init__(elbv2)
        self.options = options
        self.stack = stack
        self.arns: dict[str, str] = {}
        self.has_resource_tags = stack.tracking_tags("") != stack.stack_tags()
        self.is_old = options.version is Version.V2_1
        self._log = log

    def resolve(self, reference: Reference) -> str:
        """The ARN of a target group of the stack. Raises `KeyError` if it was not deployed."""
        if isinstance(reference, Ref):
            assert reference.kind is Kind.TARGET_GROUP, "actions refer to target groups only"
            return self.arns[reference.id]
        return reference

    def wanted_tags(self, resource_id: str, own: Mapping[str, str]) -> dict[str, str]:
        """The tags of a resource: its own, and those by which it is found."""
        return {**own, **self.stack.tracking_tags(resource_id)}

    def retag(self, arn: str, wanted: Mapping[str, str], have: Mapping[str, str]) -> None:
        """Add what is missing; take away what is not wanted, unless others manage it."""
        missing = {key: value for key, value in wanted.items() if have.get(key) != value}
        if missing:
            self.say("adding resource tags", arn)
            self.elbv2.add_tags(ResourceArns=[arn], Tags=tags(missing))
        foreign = self.options.external_managed_tags
        extra = sorted(
            key for key in have if key not in wanted and key not in foreign and not key.startswith("aws:")
        )
        if extra and self.has_resource_tags:
            self.say("removing resource tags", arn)
            self.elbv2.remove_tags(ResourceArns=[arn], TagKeys=extra)

    def say(self, what: str, which: str) -> None:
        """Log a mutating call, before it is made."""
        field = "arn" if which.startswith("arn:") else "resourceID"
        self._log("info", f"{what} stackID={self.stack.id} {field}={which}")


@contextmanager
def told_as_deploy_error(version: Version) -> Iterator[None]:
    """Turn an error of boto3 into the text that the controller's Go SDK gives.

    Raises:
        DeployError: instead of botocore's errors.
    """
    try:
        yield
    except ClientError as error:
        raise DeployError(_text(error, version)) from error
    except BotoCoreError as error:
        raise DeployError(str(error)) from error


def _text(error: ClientError, version: Version) -> str:
    """v2.1 uses the AWS SDK for Go v1, newer ones v2; each words errors in its own way."""
    told = error.response.get("Error", {})
    meta: Mapping[str, Any] = error.response.get("ResponseMetadata", {})
    what = f"{told.get('Code', '')}: {told.get('Message', '')}"
    status, request = meta.get("HTTPStatusCode", ""), meta.get("RequestId", "")
    if version is Version.V2_1:
        return f"{what}\n\tstatus code: {status}, request id: {request}"
    return (
        f"operation error Elastic Load Balancing v2: {error.operation_name}, "
        f"https response error StatusCode: {status}, RequestID: {request}, {what}"
    )
