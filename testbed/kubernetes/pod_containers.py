"""The containers of Deployments and other workloads, each with the lines that it is written in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from testbed.errors import Location
from testbed.kubernetes.manifests import Manifest

# A tag stands after the last slash (a port of the registry before it), and a digest may follow it.
_IMAGE = re.compile(r"[^/@]*?(?::(?P<tag>[^@]*))?(?:@(?P<digest>.*))?")
# A vendor's tag goes on after the release (0.15.1-debian-12-r3), a staging image's begins with a date.
_RELEASE = re.compile(r"(?:^|[-_])v?([0-9]{1,9}\.[0-9]{1,9}(?:\.[0-9]{1,9})?)(?![0-9.])")
VERSION_LABEL = "app.kubernetes.io/version"
"""The label in which a Helm chart writes the release of its application."""
_LABELS = (("spec", "template", "metadata", "labels"), ("metadata", "labels"))


@dataclass(frozen=True, slots=True)
class PodContainer:
    """A container of a workload's pod template; `number` counts from 0."""

    manifest: Manifest
    number: int
    spec: Mapping[str, Any]

    @property
    def image(self) -> str:
        """The image with its tag; empty if the container names none."""
        return str(self.spec.get("image") or "")

    @property
    def tag(self) -> str:
        """The image's tag, `latest` for an image without tag and digest; empty if it has a digest alone."""
        tag, digest = self._parts()
        return tag or ("" if digest else "latest")

    @property
    def release(self) -> str | None:
        """The release in the image's tag, else in the chart's label: `v0.14.2`; None if none is told.

        An image that moves (`latest` without a digest) need not be of the release that the label tells.
        """
        tag, digest = self._parts()
        found = _RELEASE.search(tag)
        if found is None and (digest or tag not in ("", "latest")):
            found = _RELEASE.search(self._label[0])
        return f"v{found[1]}" if found else None

    @property
    def release_line(self) -> Location:
        """The line that tells the release: the image's, or the chart's label's."""
        text, path = self._label
        in_tag = _RELEASE.search(self._parts()[0])
        is_label = self.release and not in_tag and text
        return self.manifest.line(*path) if is_label else self.line("image")

    def line(self, *path: str | int) -> Location:
        """The line of a field of the container, or of the nearest field above it."""
        return self.manifest.line("spec", "template", "spec", "containers", self.number, *path)

    def _parts(self) -> tuple[str, str]:
        """Tag and digest; empty where the image has none."""
        parts = _IMAGE.fullmatch(self.image.rpartition("/")[2])
        return (parts["tag"] or "", parts["digest"] or "") if parts else ("", "")

    @property
    def _label(self) -> tuple[str, tuple[str, ...]]:
        """The chart's label with the release, and its path; ("", ()) if there is none."""
        for path in _LABELS:
            labels: Any = self.manifest.object
            for step in path:
                labels = labels.get(step) if isinstance(labels, Mapping) else None
            if isinstance(labels, Mapping) and labels.get(VERSION_LABEL):
                return str(labels[VERSION_LABEL]), (*path, VERSION_LABEL)
        return "", ()


def pod_containers(manifests: Iterable[Manifest]) -> Iterator[PodContainer]:
    """Yield the containers of all workloads, in the order of the manifests."""
    for manifest in manifests:
        template = ((manifest.object.get("spec") or {}).get("template") or {}).get("spec") or {}
        for number, container in enumerate(template.get("containers") or ()):
            yield PodContainer(manifest, number, container)
