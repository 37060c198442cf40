"""The ExternalDNS Deployment among the manifests: its release and its flags, with the lines they stand in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from testbed.errors import BadInput, Location
from testbed.external_dns import flags
from testbed.external_dns.command_line import VARIABLE
from testbed.external_dns.flags import Flags
from testbed.external_dns.profile import Profile, emulates, nearest
from testbed.kubernetes.manifests import Manifest

Step = str | int
_RELEASE = re.compile(r":v?(\d+\.\d+(?:\.\d+)?)(?![\d.])")
"""Of an image's tag; a vendor's may say more after it, and a digest may follow."""
_IMAGE = re.compile(r"(?:^|/)external-dns(?:[:@]|$)")


@dataclass(frozen=True)
class ExternalDns:
    """The ExternalDNS Deployment of the manifests: its flags with the lines that they stand in.

    Attributes:
        flags: by name with the dashes; those of the environment too, a value each.
        release: `v0.14.2`, None if the image's tag does not tell.
        image: where it stands.
    """

    manifest: Manifest
    flags: Mapping[str, Sequence[tuple[str, Location]]]
    release: str | None
    image: Location

    @property
    def profile(self) -> str | None:
        """The profile that decides as this release does, or as the one before it did."""
        return nearest(self.release) if self.release else None

    @property
    def is_emulated(self) -> bool:
        """Whether a profile decides as this release does; a release that is not told counts as emulated."""
        return self.release is None or emulates(nearest(self.release), self.release)

    def value(self, name: str) -> str | None:
        """The last value of a flag, "" for a flag without one, None if it is not given."""
        given = self.flags.get(name)
        return given[-1][0] if given else None

    def values(self, name: str) -> list[str]:
        """All values of a flag that may be given several times."""
        return [value for value, _ in self.flags.get(name, ())]

    def where(self, name: str) -> Location:
        """The line of a flag, or of the Deployment."""
        given = self.flags.get(name)
        return given[-1][1] if given else self.manifest.where

    def arguments(self, without: str = "") -> tuple[str, ...]:
        """The flags as arguments, all or all but one."""
        return tuple(
            f"{name}={value}" if value else name
            for name, given in self.flags.items()
            if name != without
            for value, _ in given
        )

    def parsed(self, profile: Profile, without: str = "") -> Flags:
        """The flags as a version reads them, all or all but one.

        Raises:
            BadInput: as `testbed.external_dns.flags.parse`.
        """
        return flags.parse(self.arguments(without), profile, {})


def external_dns(manifests: Iterable[Manifest]) -> ExternalDns | None:
    """The first container whose image is ExternalDNS's, or is at least named after it."""
    containers = [one for manifest in manifests for one in _containers(manifest)]
    by_name = sorted(containers, key=lambda one: not _IMAGE.search(one[2].get("image") or ""))
    for manifest, number, container in by_name:
        image = str(container.get("image") or "")
        if "external-dns" not in image:
            continue
        tag = _RELEASE.search(image)
        where = manifest.line("spec", "template", "spec", "containers", number, "image")
        return ExternalDns(
            manifest, _flags(manifest, number, container), f"v{tag[1]}" if tag else None, where
        )
    return None


def _containers(manifest: Manifest) -> Iterator[tuple[Manifest, int, Mapping[str, Any]]]:
    template = ((manifest.object.get("spec") or {}).get("template") or {}).get("spec") or {}
    for number, container in enumerate(template.get("containers") or ()):
        yield manifest, number, container


def _flags(
    manifest: Manifest, number: int, container: Mapping[str, Any]
) -> dict[str, list[tuple[str, Location]]]:
    """`--name=value`, `--name value`, and `EXTERNAL_DNS_NAME` for those that are no arguments."""
    found: dict[str, list[tuple[str, Location]]] = {}

    def line(*path: Step) -> Location:
        return manifest.line("spec", "template", "spec", "containers", number, *path)

    for part in ("command", "args"):
        texts = [str(text) for text in container.get(part) or ()]
        for index, text in enumerate(texts):
            name, equals, value = text.partition("=")
            if not name.startswith("--"):
                continue
            following = texts[index + 1] if index + 1 < len(texts) else "--"
            if not equals and not following.startswith("--") and name not in flags.SWITCHES:
                value = following
            found.setdefault(name, []).append((value, line(part, index)))
    for index, variable in enumerate(container.get("env") or ()):
        name = "--" + str(variable.get("name")).removeprefix(VARIABLE).lower().replace("_", "-")
        value = variable.get("value")
        if not str(variable.get("name")).startswith(VARIABLE) or not value or name in found:
            continue
        if name in flags.SWITCHES:
            is_on = str(value).lower() in {"1", "t", "true"}
            found[name if is_on else f"--no-{name.removeprefix('--')}"] = [("", line("env", index))]
        else:
            found[name] = [(one, line("env", index)) for one in str(value).splitlines()]
    return found


def refusal(deployed: ExternalDns, profile: Profile) -> BadInput | None:
    """Why the flags cannot be read as a version reads them; None if they can."""
    try:
        deployed.parsed(profile)
    except BadInput as error:
        return error
    return None
