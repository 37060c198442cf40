"""The endpoints that a cluster asks for: all sources, then defaults, duplicates and validation."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from testbed.dated_releases import Release
from testbed.external_dns.core import reasons
from testbed.external_dns.core.endpoint import Endpoint
from testbed.external_dns.core.log_lines import Say
from testbed.external_dns.core.reasons import Decision, Reason
from testbed.external_dns.process.flags import Flags
from testbed.external_dns.process.object_order import ShuffledObjects
from testbed.external_dns.sources.source import Object, SourceContext, SourceError
from testbed.external_dns.sources.source_table import SOURCES, unserved
from testbed.external_dns.sources.wrappers import deduplicated, post_processed, with_default_targets


class DesiredEndpoints:
    """Reads the sources that `--source` names.

    Attributes:
        absorbed: decisions about claims of the latest read that were merged into others, or dropped for them.
        dice: of the latest read, thrown for the order of its objects.
    """

    def __init__(
        self,
        listed: Callable[[str], Sequence[Object]],
        objects: ShuffledObjects,
        flags: Flags,
        release: Release,
        say: Say,
        is_served: Callable[[str, str], bool] = lambda _version, _kind: True,
    ) -> None:
        """Open the sources.

        Args:
            listed: lists the objects of a kind, in any order.
            objects: the same in the order of a sync.
            flags: which sources, and their options.
            release: the version.
            say: takes log lines.
            is_served: whether the cluster serves a kind in an API version.
        """
        self._is_served = is_served
        self._objects, self._flags, self._release, self._say = objects, flags, release, say
        context = SourceContext(release, flags, say, listed, self._absorb)
        self._sources = [SOURCES[name](context) for name in flags.sources]
        self.absorbed: list[Decision] = []
        self.dice = random.Random(0)  # noqa: S311 before the first read

    def read(self, left_out: Callable[[Endpoint, bool], None]) -> list[Endpoint]:
        """Return the endpoints of all sources, each once.

        Args:
            left_out: gets each endpoint that is dropped, and True for a duplicate.

        Raises:
            SourceError: the objects cannot be read.
        """
        for kind, version in unserved(self._flags.sources, self._release, self._is_served):
            raise SourceError(f"failed to sync {kind}: the cluster does not serve it in {version}")
        endpoints: list[Endpoint] = []
        self.absorbed = []
        self.dice = self._objects.dice()
        for source in self._sources:
            endpoints += source.endpoints(self._objects.of_kinds(source.kinds, self.dice))
        flags = self._flags
        filled = with_default_targets(
            endpoints,
            flags.default_targets,
            self._release,
            lambda text: self._say("warning", text),
            force=flags.forces_default_targets,
        )
        once = deduplicated(filled, self._release, self._say, self._absorb, left_out)
        return list(post_processed(once, least_ttl=flags.least_ttl, prefers_alias=flags.prefers_alias))

    def _absorb(self, kept: Endpoint, other: Endpoint) -> None:
        reason = Reason.DUPLICATE if set(kept.targets) == set(other.targets) else Reason.MERGED
        self.absorbed.append(reasons.left_out(other, reason, beside=kept))
