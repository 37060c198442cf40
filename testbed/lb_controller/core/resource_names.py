"""Names of the resources that the controller makes: a readable part, then a hash of the identity.

```
k8s-<8 of namespace>-<8 of name>-<10 hex of sha256>      k8s-<17 of group>-<10 hex of sha256>
```

The hashed parts are concatenated without separators (pkg/ingress/model_build_{load_balancer,target_group,
managed_sg}.go, pkg/service/model_build_*.go).
"""

from __future__ import annotations

import hashlib
import re

from testbed.kubernetes import object_fields
from testbed.lb_controller.core.build_inputs import GroupID, KubernetesObject

_NOT_ALPHANUMERIC = re.compile(r"[^0-9A-Za-z]")


def digest(*parts: object) -> str:
    """The first 10 hex digits of the SHA-256 of the concatenated parts."""
    # 10 digits, so that the longest name has the 32 characters that ELBv2 allows.
    return hashlib.sha256("".join(map(str, parts)).encode()).hexdigest()[:10]


def object_name(namespace: str, name: str, suffix: str) -> str:
    """`k8s-<namespace>-<name>-<suffix>` with both parts cut to 8 alphanumerics."""
    return f"k8s-{_plain(namespace)[:8]}-{_plain(name)[:8]}-{suffix}"


def group_name(group: GroupID, suffix: str) -> str:
    """`k8s-<group>-<suffix>` for an explicit group, else a name after its Ingress."""
    if group.is_explicit:
        return f"k8s-{_plain(group.name)[:17]}-{suffix}"
    return object_name(group.namespace, group.name, suffix)


def load_balancer(cluster: str, group: GroupID, scheme: str) -> str:
    """The name of a group's ALB."""
    return group_name(group, digest(cluster, group, scheme))


def managed_security_group(cluster: str, group: GroupID) -> str:
    """The name of the frontend security group of a group's ALB."""
    return group_name(group, digest(cluster, group))


def target_group(
    cluster: str,
    group: GroupID | str,
    ingress: KubernetesObject,
    service: KubernetesObject,
    port: int | str,
    *specification: object,
) -> str:
    """The name of a target group behind an Ingress.

    `specification` is target group port, target type, protocol, protocol version and, if there is one,
    target control port. AWS cannot change these on a target group, so a change gets a new name.
    """
    suffix = digest(
        cluster,
        group,
        object_fields.namespace(ingress),
        object_fields.name(ingress),
        object_fields.uid(service),
        port,
        *specification,
    )
    return object_name(object_fields.namespace(service), object_fields.name(service), suffix)


def _plain(text: str) -> str:
    return _NOT_ALPHANUMERIC.sub("", text)
