"""The stages between the sources and the plan: default targets, duplicates, validation, last corrections.

```
Service, Ingress ─► default targets ─► validation, duplicates ─► least TTL, aliases ─► plan
```

Sources: external-dns, source/wrappers/multisource.go, dedupsource.go, post_processor.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from testbed.dated_releases import Release
from testbed.external_dns.core.endpoint import Endpoint, by_type
from testbed.external_dns.core.facts import Fact
from testbed.external_dns.core.log_lines import Say
from testbed.external_dns.sources.endpoint_validation import is_valid
from testbed.external_dns.sources.merging import Absorbed, unheard

Warn = Callable[[str], None]
ALIAS = "alias"


def _uncounted(endpoint: Endpoint, is_duplicate: bool) -> None:
    """Count nothing."""


def with_default_targets(
    endpoints: Iterable[Endpoint], targets: Sequence[str], release: Release, warn: Warn, *, force: bool
) -> Iterator[Endpoint]:
    """Give endpoints without targets those of `--default-targets`; if forced or before v0.18, all."""
    force = force or not release.has(Fact.DEFAULT_TARGETS_FILL)
    for endpoint in endpoints:
        if targets and not release.has(Fact.DEFAULT_TARGETS_BY_TYPE):
            yield endpoint._replace(targets=tuple(targets))
            continue
        if not targets or (endpoint.targets and not force):
            if targets:
                warn(
                    f'Source provided targets for "{endpoint.name}" ({endpoint.type}), ignoring default '
                    f"targets [{', '.join(targets)}] due to new behavior. Use --force-default-targets to "
                    "revert to old behavior."
                )
            yield endpoint
            continue
        for kind, found in by_type(targets, release).items():
            yield endpoint._replace(type=kind, targets=tuple(found))


def deduplicated(
    endpoints: Iterable[Endpoint],
    release: Release,
    say: Say,
    duplicate: Absorbed = unheard,
    left_out: Callable[[Endpoint, bool], None] = _uncounted,
) -> Iterator[Endpoint]:
    """Yield each endpoint once: the first of those with equal name, set identifier and targets.

    v0.21 and later leave out endpoints that no provider could take. `duplicate` gets the survivor and each
    endpoint that is dropped for it; `left_out` gets all that are dropped, and True for a duplicate.
    """
    seen: dict[tuple[object, ...], Endpoint] = {}
    for endpoint in endpoints:
        if len(endpoint.targets) > 1 and release.has(Fact.TARGETS_UNIQUE):
            endpoint = endpoint._replace(targets=tuple(sorted(set(endpoint.targets))))
        if release.has(Fact.ENDPOINTS_VALIDATED) and not is_valid(endpoint):
            say(
                "warning",
                f"Skipping endpoint [{endpoint.set_identifier}:{endpoint.name}] due to invalid configuration "
                f"[{endpoint.type}:{','.join(endpoint.targets)}]",
            )
            left_out(endpoint, False)
            continue
        key = (
            endpoint.type if release.has(Fact.DUPLICATES_BY_TYPE) else "",
            endpoint.name,
            endpoint.set_identifier,
            endpoint.targets,
        )
        if key in seen:
            say("debug", f"Removing duplicate endpoint {endpoint}")
            left_out(endpoint, True)
            if seen[key].resource != endpoint.resource:
                duplicate(seen[key], endpoint)
            continue
        seen[key] = endpoint
        yield endpoint


def post_processed(
    endpoints: Iterable[Endpoint], *, least_ttl: int, prefers_alias: bool
) -> Iterator[Endpoint]:
    """Apply `--min-ttl` to endpoints without a TTL, `--prefer-alias` to CNAMEs without a choice (v0.20+)."""
    for endpoint in endpoints:
        if least_ttl and not endpoint.ttl:
            endpoint = endpoint._replace(ttl=least_ttl)
        if prefers_alias and endpoint.type == "CNAME" and ALIAS not in endpoint.properties:
            endpoint = endpoint._replace(properties={**endpoint.properties, ALIAS: "true"})
        yield endpoint
