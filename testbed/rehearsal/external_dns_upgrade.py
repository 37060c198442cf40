"""Whether a run can replace its ExternalDNS: asked when its script is read, and at the act."""

from __future__ import annotations

from testbed.errors import BadInput
from testbed.real_controllers.named_release import is_image, is_path

_ACT = "cutover.upgrade_external_dns"


def check_upgrade(release: str, binary: str, *, is_open: bool) -> None:
    """Check that a run can replace its ExternalDNS.

    Args:
        release: what takes its place; "" if that is not known yet.
        binary: the user's own that runs; "" for the emulation.

    Raises:
        BadInput: it cannot.
    """
    if is_open:
        raise BadInput(
            f"{_ACT}: you start ExternalDNS, so the run cannot replace it", do="replace it yourself"
        )
    if binary:
        raise BadInput(f"{_ACT}: the run plays {binary}, which cannot become another", do="name a release")
    if is_path(release) or is_image(release):
        raise BadInput(f"{_ACT}: {release} is no release, and a run plays one file", do="name a release")
