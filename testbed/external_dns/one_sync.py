"""One sync of ExternalDNS over manifests and zone files: what it would send, and why."""

from __future__ import annotations

import gc
import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from testbed.clock import Clock
from testbed.errors import BadInput, Location
from testbed.external_dns import claims
from testbed.external_dns.account import Account, Batch
from testbed.external_dns.aws_provider import SubmitError
from testbed.external_dns.controller import Controller
from testbed.external_dns.flags import Flags
from testbed.external_dns.log import LogLine
from testbed.external_dns.object_order import of_any_kind
from testbed.external_dns.profile import Profile
from testbed.external_dns.reasons import Decision, Reason
from testbed.external_dns.replay import Objects
from testbed.external_dns.sources import SourceError
from testbed.external_dns.zone_file import ZoneFile
from testbed.kubernetes.manifests import Manifest

AccountOf = Callable[[Sequence[ZoneFile]], Account]
KINDS = ("Service", "Ingress")
ORDERS = 16
"""How many orders of the objects are tried where the order decides."""


@dataclass(frozen=True, slots=True)
class Sync:
    """What one run does.

    Attributes:
        batches: the calls to Route 53, in their order.
        decisions: of each record and each claim, those that were left out before the plan first.
        log: lines of the level that the flags ask for.
        error: of the run, or "".
        others: batches that other orders of the objects lead to; the real one takes a random order each time.
    """

    batches: tuple[Batch, ...]
    decisions: tuple[Decision, ...]
    log: tuple[LogLine, ...]
    error: str = ""
    others: tuple[tuple[Batch, ...], ...] = ()


def sync(
    items: Iterable[Mapping[str, Any]],
    zones: Sequence[ZoneFile],
    flags: Flags,
    profile: Profile,
    account_of: AccountOf = Account,
) -> Sync:
    """Run once, also with `--dry-run`, whose batches are what is asked for here.

    `account_of` makes the Route 53 that answers.
    """
    with _collector_at_rest():
        return _sync(items, partial(account_of, zones), flags, profile)


def _sync(
    items: Iterable[Mapping[str, Any]], account_of: Callable[[], Account], flags: Flags, profile: Profile
) -> Sync:
    objects = Objects()
    for item in items:
        objects.apply(item)
    found = _run(objects, account_of(), flags, profile, seed=0)
    if any(one.reason in (Reason.DUPLICATE, Reason.MERGED) for one in found.decisions):
        runs = (_run(objects, account_of(), flags, profile, seed) for seed in range(1, ORDERS))
        different = {str(one.batches): one.batches for one in runs if one.batches != found.batches}
        found = replace(found, others=tuple(different.values()))
    seen = {claim.resource for one in found.decisions for claim in one.claimants}
    silent = [item for item in objects.items.values() if claims.resource_of(item) not in seen]
    missing = claims.missing(silent, flags, profile, objects.list)
    return replace(found, decisions=(*missing, *found.decisions))


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """A sync makes many objects and no cycles: the collector would walk them again and again for nothing.

    Nor does it walk them all once when it works again: they count as old.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.unfreeze()
        if was_enabled:
            gc.enable()


def _run(objects: Objects, account: Account, flags: Flags, profile: Profile, seed: int) -> Sync:
    error = ""
    lines: list[LogLine] = []
    # The files are the zones: their listings tell no id, type or tags that filters could look at.
    wet = replace(flags, dry_run=False, zones=replace(flags.zones, ids=(), kind="", tags=()))
    controller = Controller(objects, account, wet, profile, Clock(), lines.append, seed, of_any_kind)  # type: ignore[arg-type]
    try:
        controller.run_once()
    except SubmitError as failure:
        error = str(failure)
    except SourceError as failure:
        raise BadInput(str(failure), do="mend the template") from None
    return Sync(tuple(account.batches), controller.decisions, tuple(lines), error)


def with_addresses(manifests: Iterable[Manifest], given: Sequence[str]) -> list[Mapping[str, Any]]:
    """The objects, with the addresses that `KIND/NAMESPACE/NAME=HOSTNAME` gives Services and Ingresses.

    Raises:
        BadInput: another form, or no such object.
    """
    items = {(one.key[0].lower(), *one.key[1:]): one.object for one in manifests}
    for text in given:
        place, equals, address = text.partition("=")
        parts = place.split("/")
        if not equals or not address or len(parts) not in (2, 3):
            raise BadInput(f"--status {text!r} is not KIND/NAMESPACE/NAME=HOSTNAME")
        kind, namespace, name = (parts[0], "default", parts[1]) if len(parts) == 2 else parts
        key = kind.lower(), namespace, name
        if key not in items or items[key]["kind"] not in KINDS:
            having = [one for one, item in items.items() if item["kind"] in KINDS]
            known = ", ".join("/".join(one) for one in having) or "none"
            raise BadInput(f"--status {text!r}: no such object in the manifests", do=f"known are {known}")
        status = {"loadBalancer": {"ingress": [{_field(address): address}]}}
        items[key] = {**items[key], "status": status}
    return list(items.values())


def _field(address: str) -> str:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return "hostname"
    return "ip"


def places(manifests: Iterable[Manifest]) -> dict[str, Location]:
    """Where each object was written, by its name in TXTs."""
    return {"/".join((one.key[0].lower(), *one.key[1:])): one.where for one in manifests}
