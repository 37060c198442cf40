"""A controller as a Deployment among the manifests runs it."""

from __future__ import annotations

from dataclasses import dataclass

from testbed.errors import Location
from testbed.kubernetes.manifests import Manifest
from testbed.kubernetes.pod_containers import PodContainer
from testbed.releases import Choice, Controller, Named


@dataclass(frozen=True)
class DeployedController:
    """A controller that the testbed emulates, as a Deployment runs it.

    Attributes:
        container: its image tells the release, or the chart's label.
    """

    controller: Controller
    container: PodContainer

    @property
    def manifest(self) -> Manifest:
        """The Deployment."""
        return self.container.manifest

    @property
    def release(self) -> str | None:
        """`v0.14.2`; None if the Deployment does not tell it."""
        return self.container.release

    @property
    def image(self) -> Location:
        """The line of the image."""
        return self.container.line("image")

    @property
    def named(self) -> Named:
        """The release as the Deployment names it: `v0.14.2`, `latest`, a tag or image that tells none."""
        tag = self.release or self.container.tag or self.container.image
        return Named(tag, f"{self.manifest.title}, {self.container.release_line}")

    @property
    def choice(self) -> Choice:
        """The release that decides as the Deployment's, or stands in for it."""
        return self.controller.choose(None, deployed=self.named)
