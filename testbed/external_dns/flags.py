"""ExternalDNS's flags by their own names and defaults, so that a Deployment's `args:` can be pasted.

A flag that the emulation does not have is an error, never ignored: what it would have done is not known here.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from testbed.errors import BadInput
from testbed.external_dns.profile import Profile


@dataclass(frozen=True, slots=True)
class Flags:
    """What a sync needs to know. Durations are production seconds."""

    sources: tuple[str, ...]
    policy: str
    registry: str
    owner: str
    txt_prefix: str
    txt_suffix: str
    txt_wildcard: str
    domain_filter: tuple[str, ...]
    annotation_prefix: str
    interval: float
    log_level: str
    once: bool
    dry_run: bool
    prefer_cname: bool
    evaluate_target_health: bool
    annotation_filter: str = ""
    txt_cache_interval: float = 0.0
    managed: tuple[str, ...] = ()
    migrate_from_owner: str = ""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadInput(
            f"ExternalDNS flags: {message}", do="use a flag that the testbed emulates, or leave it out"
        )


def parse(arguments: Sequence[str], profile: Profile, environment: Mapping[str, str] | None = None) -> Flags:
    """Read flags, then `EXTERNAL_DNS_*` for those not given.

    Raises:
        BadInput: an unknown flag or value; `--policy` missing where the version demands it.
    """
    variables = os.environ if environment is None else environment
    parser = _Parser(prog="external-dns", add_help=False, allow_abbrev=False)
    add = parser.add_argument
    add("--source", action="append", choices=["service", "ingress"])
    add("--provider", choices=["aws"], default="aws")
    add("--policy", choices=["sync", "upsert-only", "create-only"])
    add("--registry", choices=["txt", "noop"])
    add("--txt-owner-id")
    add("--txt-prefix")
    add("--txt-suffix")
    if profile.replaces_txt_wildcard:
        add("--txt-wildcard-replacement")
    add("--domain-filter", action="append")
    add("--annotation-filter")
    add("--txt-cache-interval")
    add("--interval")
    add("--log-level", choices=["panic", "debug", "info", "warning", "error", "fatal"])
    add("--once", action="store_true")
    add("--dry-run", action="store_true")
    add("--aws-prefer-cname", action="store_true")
    add("--aws-evaluate-target-health", action=argparse.BooleanOptionalAction, default=True)
    if profile.typed:
        add("--annotation-prefix")
        add("--managed-record-types", action="append")
        add("--migrate-from-txt-owner")
    found = vars(parser.parse_args(list(arguments)))
    for name, value in found.items():
        given = variables.get(f"EXTERNAL_DNS_{name.upper()}")
        if value in (None, False) and given is not None:
            found[name] = given.splitlines() if name in ("source", "domain_filter") else given
    if found["txt_prefix"] and found["txt_suffix"]:
        raise BadInput("txt-prefix and txt-suffix are mutually exclusive", do="leave out one of them")
    if not found["source"]:
        raise BadInput("ExternalDNS flags: no --source", do="name service, ingress or both")
    if not found["policy"]:
        if profile.typed:
            raise BadInput("--policy must be set explicitly (one of: sync, upsert-only, create-only)")
        found["policy"] = "sync"
    return Flags(
        sources=tuple(found["source"]),
        policy=found["policy"],
        registry=found["registry"] or "txt",
        owner=found["txt_owner_id"] or "default",
        txt_prefix=(found["txt_prefix"] or "").lower(),
        txt_suffix=(found["txt_suffix"] or "").lower(),
        txt_wildcard=found.get("txt_wildcard_replacement") or "",
        domain_filter=tuple(one.rstrip(".") for one in found["domain_filter"] or ()),
        annotation_prefix=found.get("annotation_prefix") or profile.annotation_prefix,
        interval=_seconds(found["interval"] or "1m"),
        log_level=found["log_level"] or "info",
        once=bool(found["once"]),
        dry_run=bool(found["dry_run"]),
        prefer_cname=bool(found["aws_prefer_cname"]),
        evaluate_target_health=bool(found["aws_evaluate_target_health"]),
        annotation_filter=found["annotation_filter"] or "",
        txt_cache_interval=_seconds(found["txt_cache_interval"] or "0s"),
        managed=tuple(found.get("managed_record_types") or ()) or profile.managed,
        migrate_from_owner=found.get("migrate_from_txt_owner") or "",
    )


def _seconds(text: str) -> float:
    """A Go duration, such as `1m30s`."""
    units = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
    import re

    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h)", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise BadInput(f"ExternalDNS flags: {text!r} is not a duration", do="write 1m or 30s")
    return sum(float(number) * units[unit] for number, unit in parts)
