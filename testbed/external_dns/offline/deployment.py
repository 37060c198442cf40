"""The ExternalDNS Deployment among the manifests: its release and its flags, with the lines they stand in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from testbed.dated_releases import Release
from testbed.errors import BadInput, Location
from testbed.external_dns.process import flags
from testbed.external_dns.process.argument_parser import VARIABLE
from testbed.external_dns.process.flags import EmulatedFlags, Flags
from testbed.kubernetes.deployed_controller import DeployedController
from testbed.kubernetes.manifests import Manifest
from testbed.kubernetes.pod_containers import PodContainer, pod_containers
from testbed.releases import EXTERNAL_DNS

_ARGUMENT = re.compile(r"--[a-z0-9-]+(?:=\S+)?")
_IMAGE = re.compile(r"(?:^|/)external-dns(?:[:@]|$)")


@dataclass(frozen=True)
class ExternalDns(DeployedController):
    """The ExternalDNS Deployment of the manifests.

    Attributes:
        flags: values and their lines by flag, with its dashes; variables of the environment are flags, too.
    """

    flags: Mapping[str, Sequence[tuple[str, Location]]]

    def value(self, name: str) -> str | None:
        """Return the last value of a flag: "" for a flag without one, None if the flag is not set."""
        values = self.values(name)
        return values[-1] if values else None

    def values(self, name: str) -> list[str]:
        """Return all values of a flag that may stand several times."""
        return [value for value, _ in self.flags.get(name, ())]

    def where(self, name: str) -> Location:
        """Return the line of a flag, or of the Deployment if the flag is not set."""
        lines = [line for _, line in self.flags.get(name, ())]
        return lines[-1] if lines else self.manifest.where

    def arguments(self) -> tuple[str, ...]:
        """Return the flags as arguments."""
        return tuple(
            f"{name}={value}" if value else name for name, values in self.flags.items() for value, _ in values
        )

    def parsed(self, release: Release) -> Flags:
        """Parse the flags as a release does.

        Raises:
            BadInput: as `testbed.external_dns.process.flags.parse`.
        """
        return flags.parse(self.arguments(), release, {})

    def emulated(self, release: Release) -> EmulatedFlags:
        """Parse the flags without those that the testbed does not emulate.

        Raises:
            BadInput: the release itself refuses a flag, or nothing is left to read.
        """
        found = flags.emulated(self.arguments(), release)
        for error in found.left_out:
            error.where = refused_line(self, error)
        return found

    def line_of(self, argument: str) -> Location:
        """Return the line of an argument, `--name` or `--name=value`."""
        name, _, value = argument.partition("=")
        lines = [line for one, line in self.flags.get(name, ()) if one == value]
        return lines[0] if value and lines else self.where(name)


def external_dns(manifests: Iterable[Manifest]) -> ExternalDns | None:
    """Return the first Deployment whose image is ExternalDNS's, or at least carries the name."""
    return next(iter(external_dns_deployments(manifests)), None)


def external_dns_deployments(manifests: Iterable[Manifest]) -> list[ExternalDns]:
    """Return all Deployments whose image is ExternalDNS's; without any, the first that carries the name."""
    named = [one for one in pod_containers(manifests) if "external-dns" in one.image]
    running = [one for one in named if _IMAGE.search(one.image)] or named[:1]
    return [ExternalDns(EXTERNAL_DNS, one, _flags(one)) for one in running]


def refusal(deployed: ExternalDns, release: Release) -> BadInput | None:
    """Return why a release cannot parse the flags, with the line of the flag; None if it can."""
    try:
        deployed.parsed(release)
    except BadInput as error:
        error.where = refused_line(deployed, error)
        return error
    return None


def refused_line(deployed: ExternalDns, error: BadInput) -> Location:
    """Return the line of the flag that an error names, or of the Deployment."""
    flag = _ARGUMENT.search(error.what)
    return deployed.line_of(flag[0] if flag else "")


def _flags(container: PodContainer) -> dict[str, list[tuple[str, Location]]]:
    """`--name=value`, `--name value`, and `EXTERNAL_DNS_NAME` for flags that are no arguments."""
    found: dict[str, list[tuple[str, Location]]] = {}
    for part in ("command", "args"):
        texts = [str(text) for text in container.spec.get(part) or ()]
        for index, text in enumerate(texts):
            name, equals, value = text.partition("=")
            if not name.startswith("--"):
                continue
            following = texts[index + 1] if index + 1 < len(texts) else "--"
            if not equals and not following.startswith("--") and name not in flags.SWITCHES:
                value = following
            found.setdefault(name, []).append((value, container.line(part, index)))
    # After the arguments, because an argument wins over its variable (kingpin, `DefaultEnvars`).
    for index, variable in enumerate(container.spec.get("env") or ()):
        name = "--" + str(variable.get("name")).removeprefix(VARIABLE).lower().replace("_", "-")
        value = variable.get("value")
        if not str(variable.get("name")).startswith(VARIABLE) or not value or name in found:
            continue
        line = container.line("env", index)
        if name in flags.SWITCHES:
            is_on = str(value).lower() in {"1", "t", "true"}
            found[name if is_on else f"--no-{name.removeprefix('--')}"] = [("", line)]
        else:
            found[name] = [(one, line) for one in str(value).splitlines()]
    return found
