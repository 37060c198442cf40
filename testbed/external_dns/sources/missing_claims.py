"""Objects that name a host and do not claim it, and what each lacks. Pure.

The sources log no more about such an object than "No endpoints could be generated". To learn what it lacks,
ask the same source again with everything granted but one thing: if no endpoint comes, it lacks that one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from testbed.dated_releases import Release
from testbed.external_dns.core.endpoint import RESOURCE, Endpoint
from testbed.external_dns.core.facts import ALPHA_PREFIX, PREFIX
from testbed.external_dns.core.reasons import Decision, Reason, left_out
from testbed.external_dns.sources.source import Object, ObjectsOfKind, SourceContext
from testbed.external_dns.sources.source_options import SourceOptions
from testbed.external_dns.sources.source_table import SOURCES, resource_of, source_of

_Case = tuple[Object, SourceOptions]
_Grant = Callable[[Object, SourceOptions], _Case]
_FILTERS: Mapping[str, str] = {
    "label-filter": "label_filter",
    "namespace": "namespace",
    **{flag: field for source in SOURCES.values() for flag, field in source.filters.items()},
}
"""The flags that leave objects out, except --annotation-filter, and the field of the options for each."""


def claims_of(
    item: Object, options: SourceOptions, release: Release, others: ObjectsOfKind
) -> list[Endpoint]:
    """Return the endpoints that an object makes, before they meet those of other objects."""
    source = source_of(item["kind"])
    if source is None or source.name not in options.sources:
        return []
    return source(SourceContext(release, options, others=others)).endpoints([item])


def missing(
    items: Iterable[Object], options: SourceOptions, release: Release, others: ObjectsOfKind
) -> Iterator[Decision]:
    """Yield a decision for each host that an object does not claim, and each thing that it lacks."""
    for item in items:
        grants = _grants(item)
        claims = claims_of(*_granted(item, options, grants.values()), release, others)
        # No host is named at all, or the flags do not name its source: what it lacks would say nothing.
        if not claims:
            continue
        lacking = [
            reason
            for reason in grants
            if not claims_of(
                *_granted(item, options, (grant for other, grant in grants.items() if other is not reason)),
                release,
                others,
            )
        ]
        resource = resource_of(item)
        for host in sorted({claim.name for claim in claims}):
            claim = Endpoint(host, "", (), labels={RESOURCE: resource})
            for reason in lacking:
                yield left_out(claim, reason, rule=_rule(reason, options))


def _granted(item: Object, options: SourceOptions, grants: Iterable[_Grant]) -> _Case:
    case = item, options
    for grant in grants:
        case = grant(*case)
    return case


def _grants(item: Object) -> Mapping[Reason, _Grant]:
    """Return what an object may lack: the same for all objects, and what its source adds."""
    source = source_of(item["kind"])
    own = source.grants if source else {}
    return {**_GRANTS, **{reason: _of_object(grant) for reason, grant in own.items()}}


def _of_object(grant: Callable[[Object], Object]) -> _Grant:
    return lambda item, options: (grant(item), options)


def _with_prefix(item: Object, options: SourceOptions) -> _Case:
    annotations = _annotations(item)
    read = {
        options.annotation_prefix + name.removeprefix(prefix): value
        for prefix in (ALPHA_PREFIX, PREFIX)
        for name, value in annotations.items()
        if name.startswith(prefix)
    }
    return _annotated(item, {**read, **annotations}), options


def _with_our_controller(item: Object, options: SourceOptions) -> _Case:
    names = [prefix + "controller" for prefix in (ALPHA_PREFIX, PREFIX, options.annotation_prefix)]
    kept = {name: value for name, value in _annotations(item).items() if name not in names}
    return _annotated(item, kept), options


def _without_annotation_filter(item: Object, options: SourceOptions) -> _Case:
    return item, replace(options, annotation_filter="")


def _without_other_filters(item: Object, options: SourceOptions) -> _Case:
    # Whatever the type of a filter, its empty value lets every object through.
    empty = {field: type(getattr(options, field))() for field in _FILTERS.values()}
    return item, replace(options, **empty)


_GRANTS: Mapping[Reason, _Grant] = {
    Reason.OTHER_PREFIX: _with_prefix,
    Reason.OTHER_CONTROLLER: _with_our_controller,
    Reason.ANNOTATION_FILTER: _without_annotation_filter,
    Reason.OTHER_FILTER: _without_other_filters,
}


def _rule(reason: Reason, options: SourceOptions) -> str:
    if reason is Reason.ANNOTATION_FILTER:
        return options.annotation_filter
    if reason is not Reason.OTHER_FILTER:
        return options.annotation_prefix
    flags = []
    for flag, field in _FILTERS.items():
        setting = getattr(options, field)
        flags += [
            f"--{flag}={value}" for value in ((setting,) if isinstance(setting, str) else setting) if value
        ]
    return " ".join(flags)


def _annotations(item: Object) -> Mapping[str, str]:
    return item["metadata"].get("annotations") or {}


def _annotated(item: Object, annotations: Mapping[str, str]) -> Object:
    return {**item, "metadata": {**item["metadata"], "annotations": annotations}}
