"""The flags of a user's own AWS Load Balancer Controller in a run: those given, and what the run must change.

What only the run can know (cluster, VPC, kubeconfig, certificate of the webhooks, addresses) replaces what is
given. Leader election, WAF and Shield are off: a run has one controller, and nothing that answers for the
other two. The process knows nothing of the speed of the run, so those of its times that have a flag are
divided by it. Source: docs/deploy/configurations.md and pkg/config of the controller.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from testbed.errors import BadInput
from testbed.lb_controller.offline.controller_flags import named_flags
from testbed.settings import REGION

HIGHEST_SPEED = 10.0
"""At this speed a deadline of a minute is six seconds of wall time. The real v3.5.0 needs one to four for a
balancer with its rules: it calls AWS some thirty times, one call after another, below its own throttle."""
CERTIFICATE, KEY = "tls.crt", "tls.key"
_LISTED = re.compile(r"^\s+(?:-\w, )?--([a-z0-9][a-z0-9-]*)", re.MULTILINE)
_OFF = ("enable-leader-election", "enable-waf", "enable-wafv2", "enable-shield")
IN_EVERY_RELEASE = frozenset(
    {
        *("cluster-name", "aws-region", "aws-vpc-id", "kubeconfig"),
        *("webhook-cert-dir", "webhook-bind-port", "metrics-bind-addr", "health-probe-bind-addr"),
        *("enable-leader-election", "enable-wafv2", "enable-shield"),
    }
)
"""What a run sets and no release refuses: for a binary that nobody here can ask. The names of the
certificate's files are the defaults anyway."""
NOT_IN_EVERY_RELEASE = "--enable-waf=false"
"""Needed by the releases that know WAF Classic; the others end at it. Source: pkg/config/addons_config.go."""
_LEFT_OUT = (
    *("aws-vpc-tags", "aws-vpc-tag-key", "backend-security-group", "kube-ca-pem-filepath"),
    *("leader-election-id", "leader-election-namespace", "leader-election-lease-duration"),
)
"""Of an account and a cluster that are not here; the run has its own, or none."""
_ELSEWHERE = ("aws-api-endpoints",)
_TIMES: Mapping[str, float] = {
    "targetgroupbinding-requeue-duration": 15.0,
    "lb-stabilization-monitor-interval": 120.0,
}
"""Times that a run can shorten, with their defaults in seconds, where the binary has the flag."""
_UNSCALED = "its throttle of AWS calls and its pauses after an error are of wall time"


@dataclass(frozen=True, slots=True)
class Place:
    """What the run knows, and the controller must be told.

    Attributes:
        address: where its metrics and its health probe listen.
        certificates: a folder with `CERTIFICATE` and `KEY` of the webhooks' server.
    """

    cluster: str
    vpc: str
    kubeconfig: Path
    certificates: Path
    address: str
    webhook_port: int
    metrics_port: int
    health_port: int

    @property
    def flags(self) -> dict[str, str]:
        """The flags that say it."""
        return {
            "cluster-name": self.cluster,
            "aws-region": REGION,
            "aws-vpc-id": self.vpc,
            "kubeconfig": str(self.kubeconfig),
            "webhook-cert-dir": str(self.certificates),
            "webhook-cert-file": CERTIFICATE,
            "webhook-key-file": KEY,
            "webhook-bind-port": str(self.webhook_port),
            "metrics-bind-addr": f"{self.address}:{self.metrics_port}",
            "health-probe-bind-addr": f"{self.address}:{self.health_port}",
        }


@dataclass(frozen=True, slots=True)
class BinaryFlags:
    """The command line of a binary without its file.

    Attributes:
        arguments: all of them.
        changed: a clause for each group of flags that are not as they were given.
        unscaled: a clause for each time that the speed of the run does not shorten.
    """

    arguments: tuple[str, ...]
    changed: tuple[str, ...]
    unscaled: tuple[str, ...]


def listed(usage: str) -> frozenset[str]:
    """Return the flags that a usage text lists, without dashes; none if it is no such text."""
    return frozenset(_LISTED.findall(usage))


def of_run(given: Sequence[str], place: Place, *, known: Collection[str], speed: float) -> BinaryFlags:
    """Return the flags for a run.

    Args:
        given: the `args:` of its Deployment.
        known: the flags that the binary lists; empty if it lists none, then it has all.
        speed: of the run.

    Raises:
        BadInput: a flag leads to other endpoints of AWS.
    """
    own = {name: value for name, value in place.flags.items() if not known or name in known}
    off = [name for name in _OFF if not known or name in known]
    times = {name: value for name, value in _TIMES.items() if name in known and speed != 1}
    kept: list[str] = []
    replaced: list[str] = []
    left_out: list[str] = []
    for name, value in named_flags(given):
        if name in _ELSEWHERE:
            raise BadInput(
                f"AWS Load Balancer Controller flags: --{name}={value} leads away from the testbed",
                do="leave out the flag",
            )
        if name in _LEFT_OUT:
            left_out.append(f"--{name}")
        elif name in own:
            replaced.append(f"--{name}")
        elif name not in _OFF and name not in times:
            kept.append(f"--{name}={value}")
    arguments = [
        *kept,
        *(f"--{name}={value}" for name, value in own.items()),
        *(f"--{name}=false" for name in off),
        *(f"--{name}={round(seconds / speed * 1000)}ms" for name, seconds in times.items()),
    ]
    changed = [f"{_together([f'--{name}' for name in off])} off"] if off else []
    changed += [f"{_together(replaced)} of the run"] if replaced else []
    changed += [f"{_together(left_out)} left out"] if left_out else []
    changed += [f"--{name}={seconds:g}s is divided by the speed" for name, seconds in times.items()]
    return BinaryFlags(tuple(arguments), tuple(changed), (_UNSCALED,) if speed != 1 else ())


def _together(flags: Sequence[str]) -> str:
    return f"{', '.join(flags)} {'are' if len(flags) > 1 else 'is'}"
