"""The security group that all load balancers of a cluster share and that targets admit.

It is made for the first balancer that needs it, and deleted with the last. A group that leaves one balancer
for another releases it although the other needs it, since both ask in the name of the same object: so a
`group.name` that is added or changed deletes it under the new balancer. Source: pkg/networking/
backend_sg_provider.go of the AWS Load Balancer Controller, and its recorded calls.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from testbed.lb_controller.deploy.elbv2_shapes import tags

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

_NOT_ALPHANUMERIC = re.compile(r"[^0-9A-Za-z]")
_TAGS = {"elbv2.k8s.aws/resource": "backend-sg"}


class BackendSecurityGroup:
    """The shared group of one cluster.

    Attributes:
        id: None while it does not exist.
    """

    def __init__(self, ec2: EC2Client, cluster_name: str, vpc_id: str) -> None:
        self.id: str | None = None
        self._ec2, self._cluster_name, self._vpc_id = ec2, cluster_name, vpc_id
        self._needed: dict[str, bool] = {}
        self._lock = threading.Lock()  # the controllers of Ingresses and of Services share it

    def get(self, owners: Iterable[str], default_tags: Mapping[str, str]) -> str:
        """The id of the group, which is made if need be; `owners` need it from now on.

        Raises:
            ClientError: AWS refused a call.
        """
        with self._lock:
            self._needed |= dict.fromkeys(owners, True)
            if self.id is None:
                self.id = self._find() or self._create(default_tags)
            return self.id

    def release(self, owners: Iterable[str], standing: Iterable[str]) -> None:
        """Let go of the group in the name of `owners`; it is deleted if nothing needs it.

        Args:
            owners: `Kind namespace/name`.
            standing: the objects that carry a finalizer of the controller; those that never asked count.

        Raises:
            ClientError: AWS refused a call.
        """
        with self._lock:
            self._needed |= dict.fromkeys(owners, False)
            if self.id is None or any(self._needed.values()):
                return
            if all(one in self._needed for one in standing):
                self._ec2.delete_security_group(GroupId=self.id)
                self.id = None

    def _find(self) -> str | None:
        filters: list[Any] = [
            {"Name": "vpc-id", "Values": [self._vpc_id]},
            *({"Name": f"tag:{key}", "Values": [value]} for key, value in self._tags().items()),
        ]
        found = self._ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
        return found[0]["GroupId"] if found else None

    def _create(self, default_tags: Mapping[str, str]) -> str:
        all_tags: Any = [*tags(default_tags), *tags(self._tags())]
        created = self._ec2.create_security_group(
            VpcId=self._vpc_id,
            GroupName=group_name(self._cluster_name),
            Description="[k8s] Shared Backend SecurityGroup for LoadBalancer",
            TagSpecifications=[{"ResourceType": "security-group", "Tags": all_tags}],
        )
        return created["GroupId"]

    def _tags(self) -> dict[str, str]:
        return {"elbv2.k8s.aws/cluster": self._cluster_name, **_TAGS}


def group_name(cluster_name: str) -> str:
    """The name of the shared group: `k8s-traffic-<cluster>-<10 hex>`."""
    digest = hashlib.sha256(cluster_name.encode()).hexdigest()[:10]
    return f"k8s-traffic-{_NOT_ALPHANUMERIC.sub('', cluster_name)[:232]}-{digest}"
