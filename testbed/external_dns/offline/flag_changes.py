"""What an upgrade means for the flags of an ExternalDNS: refused ones, and defaults that change."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

from testbed.dated_releases import Release
from testbed.errors import BadInput
from testbed.external_dns.process import flags
from testbed.external_dns.process.argument_parser import NotEmulated
from testbed.external_dns.process.flags import Flags
from testbed.external_dns.provider.change_batches import BatchLimits

_FLAG = re.compile(r"--[a-z0-9-]+")
_UNLIMITED = 2**31
_NAMES = {
    "annotation_prefix": "--annotation-prefix",
    "managed": "--managed-record-types",
    "least_event_interval": "--min-event-sync-interval",
}
"""The fields whose default differs between releases, by the flag that sets them."""


@dataclass(frozen=True, slots=True)
class Started:
    """The flags that a release starts with.

    Attributes:
        flags: as it reads them.
        refusals: why it would not start as it is, one sentence each; `flags` are what is left without them.
    """

    flags: Flags
    refusals: tuple[str, ...] = ()


def started(
    arguments: Sequence[str],
    release: Release,
    policy: str = "sync",
    variables: Mapping[str, str] | None = None,
) -> Started:
    """Read arguments as a release does, without those that it refuses.

    Args:
        arguments: each as one word, `--name=value` or `--name`.
        release: that reads them.
        policy: the policy that is meant where the release demands one and the arguments have none.
        variables: of the environment, for flags that are no arguments.

    Raises:
        BadInput: a flag is not emulated, or has a value that no release takes.
    """
    left, refusals = list(arguments), list[str]()
    while True:
        try:
            return Started(flags.parse(left, release, variables or {}), tuple(refusals))
        except NotEmulated:
            raise
        except BadInput as error:
            named = _FLAG.search(error.what)
            name = named[0] if named else ""
            without = [one for one in left if one.partition("=")[0] != name]
            if name == "--policy" and without == left:
                without = [*left, f"--policy={policy}"]
                refusals.append(f"{release} does not start without --policy; this goes on with {without[-1]}")
            elif len(without) < len(left):
                refusals.append(
                    f"{release} does not start with {name}: {error.what}; this goes on without it"
                )
            else:
                raise
            left = without


def changed_defaults(old: Flags, new: Flags) -> Iterator[str]:
    """Yield what the same arguments mean to two releases, where it differs."""
    for field in fields(Flags):
        before, after = getattr(old, field.name), getattr(new, field.name)
        if before == after:
            continue
        if isinstance(before, BatchLimits):
            yield from _limits(before, after)
        else:
            name = _NAMES.get(field.name, field.name.replace("_", " "))
            yield f"{name}: {_shown(before)} before, {_shown(after)} after"


def _limits(old: BatchLimits, new: BatchLimits) -> Iterator[str]:
    for field in fields(BatchLimits):
        before, after = getattr(old, field.name), getattr(new, field.name)
        if before != after:
            yield f"limit of a batch, {field.name}: {_shown(before)} before, {_shown(after)} after"


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, int) and not isinstance(value, bool) and value > _UNLIMITED:
        return "none"
    return str(value) if value not in ("", None) else "none"
