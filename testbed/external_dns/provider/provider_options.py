"""The flags of ExternalDNS that its AWS provider reads."""

from __future__ import annotations

from dataclasses import dataclass, field

from testbed.external_dns.provider.change_batches import BatchLimits
from testbed.external_dns.provider.hosted_zone_filter import ZoneFilter


@dataclass(frozen=True, kw_only=True)
class ProviderOptions:
    """Options for the choice of hosted zones and the sending of changes; durations are production seconds."""

    evaluate_target_health: bool = True
    prefer_cname: bool = False
    zones: ZoneFilter = field(default_factory=ZoneFilter)
    zones_cache: float = 0.0
    batches: BatchLimits = field(default_factory=BatchLimits)
    batch_interval: float = 1.0
    api_retries: int = 3
    dry_run: bool = False
