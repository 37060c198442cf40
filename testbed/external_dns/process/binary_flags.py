"""The flags of a user's own ExternalDNS in a run: its own, and what the run must add, change or refuse.

The process knows nothing of the speed of the run, so its intervals are divided by it. What only the run can
know (where the cluster is, where the metrics are) replaces what is given. Source: docs/flags.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from testbed.dated_releases import Release
from testbed.errors import BadInput
from testbed.external_dns.core.go_duration import seconds
from testbed.external_dns.process.flags import has, metrics_port

DEFAULT_METRICS_PORT = 7979
TICK = 1.0
"""Wall seconds between two looks of its loop at the clock (controller.go), which no flag changes."""
LEAST_INTERVAL = 3.0
"""Wall seconds of `--interval` below which that second would be a large part of it."""
_INTERVAL, _BATCHES, _EVENTS = "interval", "aws-batch-change-interval", "min-event-sync-interval"
_DURATIONS = (
    _INTERVAL, _EVENTS, _BATCHES, "aws-zones-cache-duration", "txt-cache-interval", "provider-cache-time",
)  # fmt: skip
_DEFAULTS = {_INTERVAL: 60.0, _BATCHES: 1.0, _EVENTS: 5.0}
_OF_THE_RUN = ("kubeconfig", "server", "metrics-address")
_ELSEWHERE = ("aws-assume-role", "aws-assume-role-external-id", "aws-profile")


@dataclass(frozen=True, slots=True)
class BinaryFlags:
    """The command line of a binary without its file.

    Attributes:
        arguments: all of them.
        changed: a clause for each flag that is not as it was given.
        unscaled: a clause for each time that the speed of the run does not shorten.
        metrics_port: the port of `/metrics`, at the run's address.
    """

    arguments: tuple[str, ...]
    changed: tuple[str, ...]
    unscaled: tuple[str, ...]
    metrics_port: int


def of_run(
    given: Sequence[str], release: Release, *, speed: float, address: str, kubeconfig: str
) -> BinaryFlags:
    """Return the flags for a run.

    Args:
        given: the `args:` of its Deployment, or of the scenario.
        release: of the binary, or the nearest that the testbed knows.
        speed: of the run.
        address: where its metrics listen.
        kubeconfig: a file that leads to the cluster.

    Raises:
        BadInput: a flag leads to another account or provider, or has a wrong value.
    """
    kept: list[str] = []
    changed: list[str] = []
    scaled: dict[str, float] = {}
    port = DEFAULT_METRICS_PORT
    for name, value in _pairs(given):
        _check(name, value)
        if name in _DURATIONS:
            scaled[name] = _seconds(name, value)
        elif name == "metrics-address":
            port = _port(value)
        elif name in _OF_THE_RUN:
            changed.append(f"--{name} is the run's")
        else:
            kept.append(f"--{name}" if value is None else f"--{name}={value}")
    for name in _defaults(given, release):
        scaled.setdefault(name, _DEFAULTS[name])
    kept += [f"--{name}={_duration(value / speed)}" for name, value in scaled.items()]
    kept += [f"--kubeconfig={kubeconfig}", f"--metrics-address={address}:{port}"]
    if speed != 1:
        changed += [
            f"--{name}={_shown(value)} is divided by the speed" for name, value in scaled.items() if value
        ]
    unscaled = () if speed == 1 else (f"it looks at its clock every {TICK:g} s of wall time",)
    return BinaryFlags(tuple(kept), tuple(changed), unscaled, port)


def highest_speed(given: Sequence[str]) -> float:
    """Return the speed at which `--interval` is `LEAST_INTERVAL` of wall time.

    Raises:
        BadInput: the interval is no duration.
    """
    values = [_seconds(name, value) for name, value in _pairs(given) if name == _INTERVAL]
    return max(1.0, (values[-1] if values else _DEFAULTS[_INTERVAL]) / LEAST_INTERVAL)


def _defaults(given: Sequence[str], release: Release) -> Iterator[str]:
    yield _INTERVAL
    yield _BATCHES
    if "--events" in given and has(release, _EVENTS):
        yield _EVENTS


def _pairs(given: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    """Flags without their dashes and with their values; None for one without."""
    rest = list(given)
    while rest:
        name, equals, value = rest.pop(0).removeprefix("--").partition("=")
        if equals:
            yield name, value
        elif rest and not rest[0].startswith("--"):
            yield name, rest.pop(0)
        else:
            yield name, None


def _check(name: str, value: str | None) -> None:
    if name == "provider" and value != "aws":
        raise BadInput(
            f"ExternalDNS flags: --provider={value} leads away from the testbed", do="use --provider=aws"
        )
    if name in _ELSEWHERE:
        raise BadInput(f"ExternalDNS flags: --{name} leads to another account", do="leave out the flag")
    if name == "once":
        raise BadInput("ExternalDNS flags: --once ends after one sync, and a run has many", do="leave it out")


def _seconds(name: str, value: str | None) -> float:
    try:
        return seconds(value or "")
    except (ValueError, IndexError):
        raise BadInput(
            f"ExternalDNS flags: --{name}: {value!r} is not a duration, such as 1m or 30s",
            do="correct the value or leave out the flag",
        ) from None


def _port(value: str | None) -> int:
    try:
        return metrics_port(value or "")
    except ValueError as error:
        raise BadInput(f"ExternalDNS flags: --metrics-address: {error}", do="correct the value") from None


def _duration(value: float) -> str:
    # Whole milliseconds; what was not zero stays so, because zero turns a cache or an interval off.
    return f"{max(1, round(value * 1000)) if value else 0}ms"


def _shown(value: float) -> str:
    return f"{value:g}s"
