"""Settings of load balancers that a plan leaves out: not modelled, or not read by the release."""

from __future__ import annotations

from collections.abc import Iterator

from testbed.check.findings import Severity
from testbed.check.manifest_reading import Reading, annotated
from testbed.check.rule_registry import Trap, rule
from testbed.lb_controller.core import class_params
from testbed.lb_controller.core.unmodelled import NOT_MODELLED, unmodelled


@rule("not-modelled", Severity.NOTE, advice="not-modelled")
def not_modelled(reading: Reading) -> Iterator[Trap]:
    """The AWS Load Balancer Controller reads this annotation, and the testbed does not model it."""
    for manifest in reading.of_kind("Ingress"):
        for key in unmodelled(manifest.object, reading.lb_controller_choice.release):
            yield Trap(
                annotated(manifest, key),
                f"{key} of {manifest.title} is not modelled: {NOT_MODELLED[key]} is missing from the plan "
                "and from a rehearsal",
                "try what it does on a cluster",
            )


@rule("unread-class-field", Severity.WARNING, advice="unread-class-field")
def unread_class_field(reading: Reading) -> Iterator[Trap]:
    """This release of the AWS Load Balancer Controller does not read a field of IngressClassParams."""
    release = reading.lb_controller_choice.release
    for manifest in reading.of_kind("IngressClassParams"):
        for field in class_params.ignored(manifest.object, release):
            yield Trap(
                manifest.where,
                f"{release} of the controller does not read {field} of {manifest.title}: "
                f"{class_params.FIELDS[field].dates.since} is the first that does",
                "set it by the annotation of each Ingress, or upgrade the controller first",
            )
