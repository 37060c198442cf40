"""An Envoy of this machine: the command and the configuration file as data, and the process once it runs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from testbed import loopback_http
from testbed.child_process import Command, Process
from testbed.clock import Clock
from testbed.errors import BadInput, Location, Missing
from testbed.machine import find_envoy
from testbed.runtime.components.envoy_templates import Value, filled

DRAIN_SECONDS = 1
"""`--drain-time-s`, whole wall seconds: from the deletion of a balancer until its connections are cut."""
LOG_FLUSH_MILLISECONDS = 500

_REASONS = (
    re.compile(r"error `(.+?)` initializing config", re.DOTALL),
    re.compile(r"\[critical\].*?\] (.+)"),
)


@dataclass(frozen=True, slots=True)
class Envoy:
    """A configured Envoy.

    Attributes:
        command: starts it, once `config` is written.
        config: the path of its configuration file.
        document: the content of that file.
        admin: the URL of its admin interface.
        files: further files that its configuration names, with their content.
    """

    command: Command
    config: Path
    document: Mapping[str, Any]
    admin: str
    files: Mapping[Path, Mapping[str, Any]] = field(default_factory=dict)

    def write(self) -> None:
        """Write the configuration file, and those that it names."""
        for path, document in {**self.files, self.config: self.document}.items():
            write_whole(path, document)

    def start(self, logs: Path) -> Process:
        """Write the configuration and start the process; `wait_until_ready` returns when it serves."""
        self.write()
        return Process(self.command, logs)

    def wait_until_ready(self, process: Process) -> None:
        """Wait until its listeners serve.

        Raises:
            BadInput: Envoy rejects its configuration; the message is Envoy's own reason.
            Missing: it ended or was not ready in time for another reason.
        """
        try:
            process.wait_until(self._is_ready)
        except Missing:
            reason = rejection(process.log.read_text(errors="replace"))
            if reason is None:
                raise
            raise BadInput(f"Envoy rejects it: {reason}", where=Location(self.config)) from None

    def _is_ready(self) -> bool:
        try:
            loopback_http.get(f"{self.admin}/ready")
        except OSError:  # not yet listening, or 503 while it initialises
            return False
        return True


def configured(
    source: str, name: str, values: Mapping[str, Value], clock: Clock, folder: Path, admin: tuple[str, int]
) -> Envoy:
    """Return the Envoy that a file of `envoy/` describes; its configuration is for `<folder>/<name>.json`.

    Raises:
        BadInput: the file is not YAML, or names a value that is not among `values`.
        Missing: no Envoy is installed.
    """
    config = folder / f"{name}.json"
    arguments = [
        str(find_envoy()),
        "--config-path", str(config),
        "--concurrency", "1",
        "--disable-hot-restart",
        "--drain-time-s", str(DRAIN_SECONDS),
        "--drain-strategy", "immediate",
        "--file-flush-interval-msec", str(LOG_FLUSH_MILLISECONDS),
        "--log-level", "warning",
    ]  # fmt: skip
    document = filled(source, values, clock)
    return Envoy(Command(name, arguments), config, document, f"http://{admin[0]}:{admin[1]}")


def write_whole(path: Path, document: Mapping[str, Any]) -> None:
    """Move the complete file into its place: Envoy must never read half of it, and reads it again then."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(document, indent=1))
    fresh.replace(path)


def rejection(log: str) -> str | None:
    """Return the reason that Envoy logged for refusing its configuration, in one line; None without one."""
    found = next((match for pattern in _REASONS if (match := pattern.search(log))), None)
    return " ".join(found[1].split()) if found else None
