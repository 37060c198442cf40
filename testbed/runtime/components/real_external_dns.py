"""A user's own ExternalDNS in the place of the emulation: its log, and its syncs as its metrics show them."""

from __future__ import annotations

import contextlib
import http.client
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from testbed import journal
from testbed.clock import Clock
from testbed.external_dns.core import log_lines
from testbed.external_dns.core.facts import release_of
from testbed.external_dns.core.log_lines import LogLine
from testbed.external_dns.process import binary_flags, flags
from testbed.external_dns.process.sync_times import SyncTimes
from testbed.loopback_http import get
from testbed.rehearsal.setup import ClusterSetup
from testbed.runtime.components.real_controller import KUBECONFIG, Place, RealController


def made(
    setup: ClusterSetup,
    *,
    component: str,
    address: str,
    home: Path,
    seen_home: Path,
    place: Place,
    is_closed: bool,
    kubeconfig: Callable[[], Mapping[str, Any]],
    clock: Clock,
    log: Callable[[LogLine, str], None],
) -> tuple[RealExternalDns, journal.RealController]:
    """Make the ExternalDNS of a cluster, ready to run, and what the journal says of it.

    Args:
        component: as log lines name it.
        address: where its metrics listen.
        home: a folder of the run; it finds the same at `seen_home`.
        place: where it runs.
        is_closed: whether the kernel keeps it there.
        log: gets each line that it writes, read and as it is.

    Raises:
        BadInput: a flag leads to another account or provider, or has a wrong value.
    """
    adapted = binary_flags.of_run(
        setup.external_dns_flags,
        release_of(setup.external_dns_version),
        speed=clock.speed,
        address=address,
        kubeconfig=str(seen_home / KUBECONFIG),
    )
    real = RealExternalDns(
        component.replace("/", "-"),
        setup.external_dns_binary,
        adapted.arguments,
        home=home,
        kubeconfig=kubeconfig,
        metrics=f"http://{address}:{adapted.metrics_port}/metrics",
        controllers=place,
        clock=clock,
        log=log,
    )
    real.metrics_port = adapted.metrics_port
    event = journal.RealController(
        time=clock.wall(),
        component=component,
        release=setup.external_dns_binary_release,
        path=setup.external_dns_binary,
        command=shlex.join([setup.external_dns_binary, *flags.shown(adapted.arguments)]),
        changed=adapted.changed,
        unscaled=adapted.unscaled,
        is_closed=is_closed,
    )
    return real, event


class RealExternalDns(RealController):
    """A binary as the ExternalDNS of a cluster; it has begun when its first sync has ended.

    Args:
        metrics: the URL of its metrics.
        log: gets each line that it writes, read and as it is.
    """

    done = "synced"
    metrics_port = binary_flags.DEFAULT_METRICS_PORT

    def __init__(
        self, *arguments: Any, metrics: str, log: Callable[[LogLine, str], None], **further: Any
    ) -> None:
        super().__init__(*arguments, **further)
        self._metrics, self._log = metrics, log
        self._times = SyncTimes()
        self._earlier = 0

    @property
    def syncs_started(self) -> int:
        """How many syncs have begun, over all its restarts."""
        return self._earlier + self._times.started

    @property
    def syncs_finished(self) -> int:
        """How many syncs have ended."""
        return self._earlier + self._times.finished

    def hear(self, line: str) -> None:
        """Log a line that it wrote."""
        self._log(log_lines.read(line), line)

    def look(self) -> bool:
        """Count its syncs; return whether one has ended."""
        with contextlib.suppress(OSError, ValueError, http.client.HTTPException):  # not yet, or no more
            self._times.read(get(self._metrics).decode(errors="replace"))
        return self._times.finished > 0

    def restarts(self, told: str) -> None:
        """Log that it has ended; its counts begin anew."""
        self._earlier, self._times = self.syncs_started, SyncTimes()
        self._log(LogLine("warning", told), told)
