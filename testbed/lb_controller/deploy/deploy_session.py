"""One deploy of one stack: the client, the ARNs so far, and the tags by which resources are found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from testbed.dated_releases import Release
from testbed.lb_controller.core.build_inputs import SHARED_GROUP, ControllerOptions
from testbed.lb_controller.core.facts import Fact
from testbed.lb_controller.core.stack import Kind, Ref, Reference, Stack
from testbed.lb_controller.deploy.elbv2_shapes import read_tags, tags

if TYPE_CHECKING:
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client

Log = Callable[[str, str], None]
"""Takes a level (`info`, `warning`, `error`) and a message."""

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
    """Reads the ELBv2 API: all pages, and the tags that the Describe calls leave out."""

    def __init__(self, elbv2: ElasticLoadBalancingv2Client) -> None:
        self.elbv2 = elbv2

    def pages(self, operation: str, key: str, **arguments: Any) -> Iterator[Mapping[str, Any]]:
        """Yield all items of a Describe call, over all its pages."""
        marker: dict[str, str] = {}
        while True:
            page = getattr(self.elbv2, operation)(**arguments, **marker)
            yield from page[key]
            if not page.get("NextMarker"):
                return
            marker = {"Marker": page["NextMarker"]}

    def tags_of(self, arns: Sequence[str]) -> dict[str, dict[str, str]]:
        """The tags of resources, by ARN."""
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
        options: release and VPC of the controller.
        stack: the wanted resources.
        arns: ARNs of the target groups by resource id, as they become known.
        security_groups: ids of the security groups by resource id, as they become known.
        shared_group: the id of the cluster's shared security group; None without one.
        has_resource_tags: True if each resource has a tag of its own. The cloud provider of 2020 sets none
            and finds its target groups by name.
    """

    def __init__(
        self,
        elbv2: ElasticLoadBalancingv2Client,
        options: ControllerOptions,
        stack: Stack,
        log: Log,
        shared_group: str | None = None,
    ) -> None:
        super().__init__(elbv2)
        self.options = options
        self.stack = stack
        self.arns: dict[str, str] = {}
        self.security_groups: dict[str, str] = {}
        self.shared_group = shared_group
        self.has_resource_tags = stack.tracking_tags("") != stack.stack_tags()
        self._log = log

    def resolve(self, reference: Reference) -> str:
        """The ARN of a target group of the stack. Raises `KeyError` if it was not deployed."""
        if isinstance(reference, Ref):
            assert reference.kind is Kind.TARGET_GROUP, "actions refer to target groups only"
            return self.arns[reference.id]
        return reference

    def resolve_group(self, reference: Reference) -> str:
        """The id of a security group of the stack, of the shared one, or the id that is given.

        Raises:
            KeyError: it was not deployed.
        """
        if isinstance(reference, Ref):
            return self.security_groups[reference.id]
        return (self.shared_group or reference) if reference == SHARED_GROUP else reference

    def wanted_tags(self, resource_id: str, own: Mapping[str, str]) -> dict[str, str]:
        """The tags of a resource: its own and the tracking tags."""
        return {**own, **self.stack.tracking_tags(resource_id)}

    def retag(self, arn: str, wanted: Mapping[str, str], have: Mapping[str, str]) -> None:
        """Add missing tags, and remove unwanted ones that are not managed externally."""
        missing, extra = self.tag_changes(wanted, have)
        if missing:
            self.say("adding resource tags", arn)
            self.elbv2.add_tags(ResourceArns=[arn], Tags=tags(missing))
        if extra and self.has_resource_tags:  # the cloud provider of 2020 only adds tags
            self.say("removing resource tags", arn)
            self.elbv2.remove_tags(ResourceArns=[arn], TagKeys=sorted(extra))

    def tag_changes(
        self, wanted: Mapping[str, str], have: Mapping[str, str]
    ) -> tuple[dict[str, str], dict[str, str]]:
        """The tags to add or set, and those to remove: none that is AWS's own or managed externally."""
        foreign = self.options.external_managed_tags
        missing = {key: value for key, value in wanted.items() if have.get(key) != value}
        extra = {
            key: value
            for key, value in have.items()
            if key not in wanted and key not in foreign and not key.startswith("aws:")
        }
        return missing, extra

    def say(self, what: str, which: str) -> None:
        """Log a mutating call, before it is made."""
        field = "arn" if which.startswith("arn:") else "resourceID"
        self._log("info", f"{what} stackID={self.stack.id} {field}={which}")


@contextmanager
def as_deploy_error(release: Release) -> Iterator[None]:
    """Turn an error of boto3 into the text that the controller's Go SDK gives.

    Raises:
        DeployError: instead of botocore's errors.
    """
    try:
        yield
    except ClientError as error:
        raise DeployError(_text(error, release)) from error
    except BotoCoreError as error:
        raise DeployError(str(error)) from error


def _text(error: ClientError, release: Release) -> str:
    """The text of an error, as the AWS SDK for Go of the release words it."""
    details = error.response.get("Error", {})
    meta: Mapping[str, Any] = error.response.get("ResponseMetadata", {})
    what = f"{details.get('Code', '')}: {details.get('Message', '')}"
    status, request = meta.get("HTTPStatusCode", ""), meta.get("RequestId", "")
    if not release.has(Fact.ERRORS_OF_SDK_V2):
        return f"{what}\n\tstatus code: {status}, request id: {request}"
    return (
        f"operation error Elastic Load Balancing v2: {error.operation_name}, "
        f"https response error StatusCode: {status}, RequestID: {request}, {what}"
    )
