"""The controller's own flags, as the `args:` of its Deployment have them.

Source: pkg/config of the AWS Load Balancer Controller. Flags that decide about no load balancer (webhook
certificates, leader election, metrics) are not read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from testbed.dated_releases import Release
from testbed.errors import BadInput, Location
from testbed.kubernetes.pod_containers import PodContainer
from testbed.lb_controller.core import feature_gates, go_text
from testbed.lb_controller.core.build_inputs import BuildError, ControllerOptions
from testbed.lb_controller.core.feature_gates import Gate
from testbed.lb_controller.core.frontend import INTERNAL, INTERNET_FACING
from testbed.lb_controller.core.service_ports import INSTANCE, IP

FEATURE_GATES = "feature-gates"


def _mapping(text: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    if any(not separator for _, separator, _ in pairs):
        raise BuildError("an entry has no =")
    return {key.strip(): value.strip() for key, _, value in pairs}


def _gates(text: str) -> dict[str, bool]:
    return {name: go_text.boolean(value) for name, value in _mapping(text).items()}


def _names(text: str) -> frozenset[str]:
    return frozenset(part.strip() for part in text.split(",") if part.strip())


def _one_of(*allowed: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in allowed:
            raise BuildError(f"it is none of {', '.join(allowed)}")
        return text

    return parse


_FLAGS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "aws-region": ("region", str),
    "aws-vpc-id": ("vpc_id", str),
    "backend-security-group": ("backend_security_group", str),
    "cluster-name": ("cluster_name", str),
    "default-load-balancer-scheme": ("default_scheme", _one_of(INTERNAL, INTERNET_FACING)),
    "default-ssl-policy": ("default_ssl_policy", str),
    "default-tags": ("default_tags", _mapping),
    "default-target-type": ("default_target_type", _one_of(INSTANCE, IP)),
    "disable-ingress-class-annotation": ("disable_ingress_class_annotation", go_text.boolean),
    "disable-ingress-group-name-annotation": ("disable_ingress_group_annotation", go_text.boolean),
    "disable-restricted-sg-rules": ("disable_restricted_security_group_rules", go_text.boolean),
    "enable-backend-security-group": ("enable_backend_security_group", go_text.boolean),
    "enable-manage-backend-security-group-rules": (
        "enable_manage_backend_security_group_rules",
        go_text.boolean,
    ),
    "external-managed-tags": ("external_managed_tags", _names),
    FEATURE_GATES: ("feature_gates", _gates),
    "ingress-class": ("ingress_class", str),
    "load-balancer-class": ("load_balancer_class", str),
    "tolerate-non-existent-backend-action": ("tolerate_missing_action", go_text.boolean),
    "tolerate-non-existent-backend-service": ("tolerate_missing_service", go_text.boolean),
}
"""Each flag with the field of `ControllerOptions` that holds it."""
_SWITCH = "true"


@dataclass(frozen=True, slots=True)
class ControllerFlags:
    """The flags that a Deployment sets.

    Attributes:
        fields: those that decide about load balancers, by the field of `ControllerOptions`.
        unknown_gates: feature gates that the release does not know.
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    unknown_gates: tuple[str, ...] = ()

    def options(self, release: Release) -> ControllerOptions:
        """The options of a controller of a release with these flags."""
        return ControllerOptions(release=release, **self.fields)


def flags_of(container: PodContainer | None, release: Release) -> ControllerFlags:
    """Read the flags of the controller's container; none without one.

    Raises:
        BadInput: a flag has a value with which the controller ends at its start.
    """
    if container is None:
        return ControllerFlags()
    return read(arguments(container), release, lambda number: container.line("args", number))


def arguments(container: PodContainer) -> tuple[str, ...]:
    """The `args:` of a container."""
    return tuple(str(word) for word in container.spec.get("args") or ())


def read(
    words: Sequence[str], release: Release, line: Callable[[int], Location | None] = lambda _: None
) -> ControllerFlags:
    """Read the words of a command line.

    Args:
        line: the place of a word by its number, from 0.

    Raises:
        BadInput: a flag has a value with which the controller ends at its start.
    """
    fields: dict[str, Any] = {}
    unknown: list[str] = []
    for number, name, text in _flags(words):
        if name not in _FLAGS:
            continue
        attribute, parse = _FLAGS[name]
        try:
            fields[attribute] = parse(text)
        except BuildError as error:
            raise BadInput(
                f"--{name}={text}: {error}",
                where=line(number),
                do="correct the flag: the controller ends at its start with it",
            ) from None
        if name == FEATURE_GATES:
            known = {gate.value for gate in Gate if feature_gates.default(gate, release) is not None}
            unknown += [gate for gate in fields[attribute] if gate not in known]
    return ControllerFlags(fields, tuple(unknown))


def named_flags(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the name and text of each flag of a command line; `true` is the text of a switch."""
    for _, name, text in _flags(words):
        yield name, text


def _flags(words: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    """The place, name and text of each flag: `--name=text`, `--name text`, or `--name` for a switch."""
    for number, word in enumerate(words):
        if not word.startswith("-"):
            continue
        name, separator, text = word.lstrip("-").partition("=")
        if not separator:
            after = words[number + 1] if number + 1 < len(words) else "-"
            text = _SWITCH if after.startswith("-") else after
        yield number, name, text
