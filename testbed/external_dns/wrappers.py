"""What lies between the sources and the plan: default targets, duplicates, validation, last corrections.

```
Service, Ingress ─► default targets ─► validation, duplicates ─► least TTL, aliases ─► plan
```

Sources: external-dns, source/wrappers/multisource.go, dedupsource.go, post_processor.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from testbed.external_dns.endpoint import Endpoint, by_type
from testbed.external_dns.log import Say
from testbed.external_dns.merging import Absorbed, unheard
from testbed.external_dns.profile import Profile
from testbed.external_dns.validation import is_valid

Tell = Callable[[str], None]
ALIAS = "alias"


def _uncounted(endpoint: Endpoint, is_duplicate: bool) -> None:
    """Nobody counts."""


def with_default_targets(
    endpoints: Iterable[Endpoint], targets: Sequence[str], warn: Tell, *, force: bool
) -> Iterator[Endpoint]:
    """v0.9+: `--default-targets` for endpoints without targets; for all with `--force-default-targets`."""
    for endpoint in endpoints:
        if not targets or (endpoint.targets and not force):
            if targets:
                warn(
                    f'Source provided targets for "{endpoint.name}" ({endpoint.type}), ignoring default '
                    f"targets [{', '.join(targets)}] due to new behavior. Use --force-default-targets to "
                    "revert to old behavior."
                )
            yield endpoint
            continue
        for kind, found in by_type(targets, typed=True).items():
            yield endpoint._replace(type=kind, targets=tuple(found))


def deduplicated(
    endpoints: Iterable[Endpoint],
    profile: Profile,
    say: Say,
    duplicate: Absorbed = unheard,
    left_out: Callable[[Endpoint, bool], None] = _uncounted,
) -> Iterator[Endpoint]:
    """Each endpoint once: the first of those with equal name, set identifier and targets survives.

    v0.21 and later leave out endpoints that no provider could take. `duplicate` hears of the survivor and of
    each that is dropped for it; `left_out` of all that is dropped, and whether as a duplicate.
    """
    seen: dict[tuple[object, ...], Endpoint] = {}
    for endpoint in endpoints:
        if profile.typed and len(endpoint.targets) > 1:
            endpoint = endpoint._replace(targets=tuple(sorted(set(endpoint.targets))))
        if profile.typed and not is_valid(endpoint):
            say(
                "warning",
                f"Skipping endpoint [{endpoint.set_identifier}:{endpoint.name}] due to invalid configuration "
                f"[{endpoint.type}:{','.join(endpoint.targets)}]",
            )
            left_out(endpoint, False)
            continue
        key = (
            endpoint.type if profile.typed else "",
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
    """v0.20+: `--min-ttl` for endpoints without a TTL, `--prefer-alias` for CNAMEs that do not say."""
    for endpoint in endpoints:
        if least_ttl and not endpoint.ttl:
            endpoint = endpoint._replace(ttl=least_ttl)
        if prefers_alias and endpoint.type == "CNAME" and ALIAS not in endpoint.properties:
            endpoint = endpoint._replace(properties={**endpoint.properties, ALIAS: "true"})
        yield endpoint
