"""Flags of the AWS Load Balancer Controller's Deployment that its release does not know."""

from __future__ import annotations

from collections.abc import Iterator

from testbed.check.findings import Severity
from testbed.check.manifest_reading import Reading
from testbed.check.rule_registry import Trap, rule
from testbed.lb_controller.core.feature_gates import DEFAULTS
from testbed.lb_controller.offline.controller_flags import flags_of


@rule("unknown-feature-gate", Severity.WARNING)
def unknown_feature_gate(reading: Reading) -> Iterator[Trap]:
    """A feature gate of the controller has no effect, because its release does not know it."""
    if reading.lb_controller is None:
        return
    release = reading.lb_controller_choice.release
    container = reading.lb_controller.container
    first = {gate.value: next(iter(dates)) for gate, dates in DEFAULTS.items()}
    for name in flags_of(container, release).unknown_gates:
        since = first.get(name)
        yield Trap(
            container.line("args"),
            f"{reading.lb_controller.manifest.title} sets the feature gate {name}, which {release} of the "
            f"controller does not know" + (f": it came with {since}" if since else ""),
            f"upgrade to {since} or later, or remove the gate" if since else "correct its name",
        )
