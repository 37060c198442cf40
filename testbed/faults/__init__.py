"""The faults of a rehearsal. A fault is a small frozen value; its fields are its parameters.

```python
with cutover.fault(TargetKilled("envoy-1"), at="30s", for_="2m"):
    cutover.hold(5 * MINUTE)
```

A new fault is a file with a class that is `registered`; a runtime plays it if it reaches where it strikes.
`docs/faults.md` lists all that a cutover meets, by number.
"""

from __future__ import annotations

from testbed.faults.address_gone import AddressGone
from testbed.faults.backend_killed import BackendKilled
from testbed.faults.backend_paused import BackendPaused
from testbed.faults.balancer_paused import BalancerPaused
from testbed.faults.certificate_expired import CertificateExpired
from testbed.faults.certificate_of_another_name import CertificateOfAnotherName
from testbed.faults.change_batches_refused import ChangeBatchesRefused
from testbed.faults.changes_pending import ChangesPending
from testbed.faults.changes_unfinished import ChangesUnfinished
from testbed.faults.dns_nxdomain import DnsNxdomain
from testbed.faults.dns_servfail import DnsServfail
from testbed.faults.dns_silent import DnsSilent
from testbed.faults.dns_stale import DnsStale
from testbed.faults.dns_truncated import DnsTruncated
from testbed.faults.edge_closes_late import EdgeClosesLate
from testbed.faults.edge_narrow import EdgeNarrow
from testbed.faults.edge_reset import EdgeReset
from testbed.faults.edge_slow import EdgeSlow
from testbed.faults.elbv2_throttled import Elbv2Throttled
from testbed.faults.external_dns_stopped import ExternalDnsStopped
from testbed.faults.injected_fault import KNOWN, InjectedFault, Reach
from testbed.faults.lb_controller_stopped import LbControllerStopped
from testbed.faults.provisioning_stuck import ProvisioningStuck
from testbed.faults.readiness_flapping import ReadinessFlapping
from testbed.faults.route53_slow import Route53Slow
from testbed.faults.route53_throttled import Route53Throttled
from testbed.faults.scheduled_fault import Scheduled
from testbed.faults.target_cut_off import TargetCutOff
from testbed.faults.target_errors import TargetErrors
from testbed.faults.target_killed import TargetKilled
from testbed.faults.target_paused import TargetPaused
from testbed.faults.target_slow import TargetSlow
from testbed.faults.target_stopped import TargetStopped
from testbed.faults.words import CUT_OFF, FAULTS, KILL, PARTS, PAUSE, STOP, Fault, Part
from testbed.faults.zone_dead import ZoneDead

__all__ = [
    "CUT_OFF",
    "FAULTS",
    "KILL",
    "KNOWN",
    "PARTS",
    "PAUSE",
    "STOP",
    "AddressGone",
    "BackendKilled",
    "BackendPaused",
    "BalancerPaused",
    "CertificateExpired",
    "CertificateOfAnotherName",
    "ChangeBatchesRefused",
    "ChangesPending",
    "ChangesUnfinished",
    "DnsNxdomain",
    "DnsServfail",
    "DnsSilent",
    "DnsStale",
    "DnsTruncated",
    "EdgeClosesLate",
    "EdgeNarrow",
    "EdgeReset",
    "EdgeSlow",
    "Elbv2Throttled",
    "ExternalDnsStopped",
    "Fault",
    "InjectedFault",
    "LbControllerStopped",
    "Part",
    "ProvisioningStuck",
    "Reach",
    "ReadinessFlapping",
    "Route53Slow",
    "Route53Throttled",
    "Scheduled",
    "TargetCutOff",
    "TargetErrors",
    "TargetKilled",
    "TargetPaused",
    "TargetSlow",
    "TargetStopped",
    "ZoneDead",
]
