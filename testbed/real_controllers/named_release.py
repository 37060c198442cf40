"""What the value of `--external-dns` or `--lb-controller` means: a release to emulate, a binary, an image."""

from __future__ import annotations

import os
import re

from testbed.errors import BadInput
from testbed.real_controllers.installed import UNKNOWN
from testbed.releases import EXTERNAL_DNS, LB_CONTROLLER, Controller, Named

MODULES = {
    EXTERNAL_DNS.name: "sigs.k8s.io/external-dns",
    LB_CONTROLLER.name: "sigs.k8s.io/aws-load-balancer-controller",
}
"""The Go module of each controller, without the suffix of a major version."""


_IMAGE = re.compile(
    r"[a-z0-9][\w.-]*(?::[0-9]+(?=/))?(?:/[\w.-]+)*(?::(?P<tag>[\w.-]+))?(?P<digest>@sha256:[0-9a-f]{64})?"
)
"""Source: github.com/distribution/reference, the grammar of a reference to an image."""


def is_path(text: str) -> bool:
    """True if a value is meant as a file: it has a slash, and is no image."""
    return os.sep in text and not is_image(text)


def is_image(text: str) -> bool:
    """True if a value is meant as an image of containers: it has a tag or a digest."""
    found = _IMAGE.fullmatch(text)
    return found is not None and any(found.groups())


def named_release(text: str, controller: Controller, by: str) -> Named:
    """Return what a value names; a binary is asked for its release.

    Args:
        text: the value: `v0.21.0`, `./external-dns`, `registry.k8s.io/external-dns/external-dns:v0.21.0`.
        by: who names it, for people.

    Raises:
        BadInput: the file is no binary of that controller, or containers have no place for its image.
    """
    if is_image(text):
        if controller is not EXTERNAL_DNS:
            raise BadInput(
                f"{by}: {text} is an image, and containers run none of {controller.name}",
                do="take the file out of it, and leave out --on compose",
            )
        return Named(_tag(text), by, text)
    if not is_path(text):
        return Named(text, by)
    # Imported here: most commands name no binary.
    from testbed.real_controllers.binary import identify

    found = identify(text, controller.name, MODULES[controller.name])
    return Named(found.release, by, text)


def _tag(image: str) -> str:
    found = _IMAGE.fullmatch(image)
    return (found["tag"] if found else None) or UNKNOWN
