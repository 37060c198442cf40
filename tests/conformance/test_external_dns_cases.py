"""Single decisions that were recorded from the real ExternalDNS: plan, sources, duplicates, TXTs, records.

What is decided otherwise than recorded is named in `KNOWN_GAPS`, what is not decided at all in `LEFT_OUT`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from testbed.dated_releases import Release
from testbed.external_dns.core import plan as planning
from testbed.external_dns.core.endpoint import Endpoint
from testbed.external_dns.core.facts import Fact, annotation_prefix, release_of
from testbed.external_dns.process.flags import managed
from testbed.external_dns.process.flags import parse as parse_flags
from testbed.external_dns.provider.canonical_zones import canonical_zone
from testbed.external_dns.provider.change_batches import BatchLimits, position, split
from testbed.external_dns.provider.domain_filter import DomainFilter
from testbed.external_dns.provider.hosted_zone_filter import Zone, suitable
from testbed.external_dns.provider.record_sets import RecordSets
from testbed.external_dns.registry.txt_names import TxtNames
from testbed.external_dns.registry.txt_registry import TxtRegistry, parse, serialized
from testbed.external_dns.sources.ingress import IngressSource
from testbed.external_dns.sources.merging import merged
from testbed.external_dns.sources.service import ServiceSource
from testbed.external_dns.sources.source import SourceContext
from testbed.external_dns.sources.wrappers import deduplicated, post_processed, with_default_targets

FOLDER = (
    Path(
        os.environ.get("TESTBED_CONFORMANCE", Path(__file__).resolve().parents[3] / "shared" / "conformance")
    )
    / "external-dns"
)
FILES = ("plan", "dedup", "service-source", "ingress-source", "txt-registry", "aws-alias")
VERSIONS = {"expect": "v0.22", "expect_v0_7_4": "v0.7.4", "expect_v0_7_5": "v0.7.5"}
Given = Mapping[str, Any]
Form = Any
_BOTH = "--txt-prefix with --txt-suffix is refused"
_CRASH = "the real one crashed on a TXT at the top of the tree"
KNOWN_GAPS: Mapping[str, str] = {
    "txt-endpoint-name-024-v0.22": _BOTH,
    "txt-endpoint-name-024-v0.7.4": _BOTH,
    "txt-endpoint-name-024-v0.7.5": _BOTH,
    "txt-endpoint-name-026-v0.7.4": _CRASH,
    "txt-endpoint-name-026-v0.7.5": _CRASH,
}

_PROVIDERS = "a property of another provider, which no source here reads, is dropped by the real one"
LEFT_OUT = {f"dedup-post-process-00{number}": _PROVIDERS for number in (3, 4, 5)}


def _endpoint(form: Given) -> Endpoint:
    return Endpoint(
        form["name"],
        form["type"],
        tuple(form["targets"]),
        form.get("ttl", 0),
        form.get("set_identifier", ""),
        form.get("labels", {}),
        form.get("provider_specific", {}),
    )


def _endpoints(forms: Iterable[Given]) -> list[Endpoint]:
    return [_endpoint(form) for form in forms]


def _form(endpoint: Endpoint) -> Form:
    form = {"name": endpoint.name, "type": endpoint.type, "targets": list(endpoint.targets)}
    more = {
        "ttl": endpoint.ttl,
        "set_identifier": endpoint.set_identifier,
        "labels": dict(endpoint.labels),
        "provider_specific": dict(endpoint.properties),
    }
    return form | {key: value for key, value in more.items() if value}


def _forms(endpoints: Iterable[Endpoint]) -> list[Form]:
    return [_form(endpoint) for endpoint in endpoints]


def _calculate(version: Release, given: Given) -> Form:
    listed = given.get("domain_filter", {})
    domains = DomainFilter(tuple(listed.get("include", ())), tuple(listed.get("exclude", ())))
    current, desired = (
        [one for one in _endpoints(given[part]) if domains.matches(one.name)]
        for part in ("current", "desired")
    )
    changes = planning.calculate(
        current,
        desired,
        release=version,
        policy=given["policy"],
        owner=given.get("owner_id", "") if version.has(Fact.OWNER_IN_PLAN) else "",
        managed=managed(given["managed_records"], given.get("exclude_records", ()))
        if version.has(Fact.PLAN_BY_TYPE)
        else (),
        old_owner=given.get("old_owner_id", ""),
    )
    parts = ("create", "update_old", "update_new", "delete")
    found = {part: _forms(getattr(changes, part)) for part in parts}
    return found | ({"has_changes": bool(changes)} if version.has(Fact.EMPTY_PLAN_NOT_APPLIED) else {})


def _resolve_record_types(version: Release, given: Given) -> Form:
    assert version.has(Fact.ALIAS_ADJUSTED)
    candidates = [one for row in given["records"].values() for one in _endpoints(row["candidates"])]
    kept = planning.without_conflicts(candidates)
    return {
        "records": {
            kind: {
                "current": row["current"],
                "candidates": _forms(one for one in kept if one.type == kind),
            }
            for kind, row in given["records"].items()
        },
        "warns": len(kept) < len(candidates),
    }


def _resolve_update(version: Release, given: Given) -> Form:
    winner, _ = planning.resolve_update(_endpoint(given["current"]), _endpoints(given["candidates"]), version)
    return {"winner": _form(winner)}


def _quiet(level: str, message: str, *values: object, **fields: str) -> None:
    """Nobody reads the log of a case."""


_FLAGS = {
    "annotation_filter": "annotation-filter",
    "label_filter": "label-filter",
    "namespace": "namespace",
    "fqdn_template": "fqdn-template",
    "combine_fqdn_annotation": "combine-fqdn-annotation",
    "ignore_ingress_tls_spec": "ignore-ingress-tls-spec",
    "ignore_ingress_rules_spec": "ignore-ingress-rules-spec",
    "publish_internal_services": "publish-internal-services",
    "service_type_filter": "service-type-filter",
    "ingress_classes": "ingress-class",
}


def _context(version: Release, given: Given) -> tuple[SourceContext, list[Given]]:
    config = dict(given["config"])
    ignores_hostname = config.pop("ignore_hostname_annotation", False)  # not asked for a template here
    arguments = ["--source=service", "--policy=sync"]
    for key, value in config.items():
        values = value if isinstance(value, list) else [value]
        arguments += [f"--{_FLAGS[key]}" + ("" if one is True else f"={one}") for one in values]
    flags = replace(parse_flags(arguments, version, {}), ignores_hostname=ignores_hostname)
    text = json.dumps(given["objects"]).replace("${prefix}", annotation_prefix(version))
    objects = json.loads(text)
    for item in objects:
        item["metadata"] = {"namespace": "", "name": "", **item["metadata"]}
    return SourceContext(version, flags), objects


def _services(version: Release, given: Given) -> Form:
    context, objects = _context(version, given)
    return {"endpoints": _forms(ServiceSource(context).endpoints(objects))}


def _ingresses(version: Release, given: Given) -> Form:
    context, objects = _context(version, given)
    return {"endpoints": _forms(IngressSource(context).endpoints(objects))}


def _one_ingress(version: Release, given: Given) -> Form:
    context, (item,) = _context(version, given)
    found = IngressSource(context).endpoints_of(item)
    return {"endpoints": _forms(found)}


def _multi(version: Release, given: Given) -> Form:
    children = [one for child in given["children"] for one in _endpoints(child)]
    targets, force = given.get("default_targets", ()), given.get("force_default_targets", False)
    return {
        "endpoints": _forms(with_default_targets(children, targets, version, lambda _: None, force=force))
    }


def _post_process(_: Release, given: Given) -> Form:
    found = post_processed(
        _endpoints(given["endpoints"]), least_ttl=given["min_ttl"], prefers_alias=given["prefer_alias"]
    )
    return {"endpoints": _forms(found)}


def _names(version: Release, given: Given) -> TxtNames:
    return TxtNames(given["prefix"].lower(), given["suffix"].lower(), given["wildcard_replacement"], version)


def _endpoint_name(version: Release, given: Given) -> Form:
    name, kind = _names(version, given).owned_by(given["txt_name"])
    return {"name": name, "type": kind} if version.has(Fact.TYPED_TXT) else {"name": name}


def _parse_labels(version: Release, given: Given) -> Form:
    labels = parse(given["text"], version)
    return {"error": True} if labels is None else {"labels": labels}


def _serialize_labels(_: Release, given: Given) -> Form:
    text = serialized(given["labels"])
    return {"text": f'"{text}"' if given["quotes"] else text}


def _registry(version: Release, given: Given) -> TxtRegistry:
    return TxtRegistry(
        given["owner_id"],
        _names(version, given),
        version,
        given.get("old_owner_id", ""),
        managed(given["managed_records"], given.get("exclude_records", ())),
    )


def _records(version: Release, given: Given) -> Form:
    return {
        "records": _forms(_registry(version, given).records(_endpoints(given["provider_records"])).labelled)
    }


def _apply_changes(version: Release, given: Given) -> Form:
    changes = planning.Changes(**{part: tuple(_endpoints(found)) for part, found in given["changes"].items()})
    txts = [(name, "") for name in given.get("existing_txt_names", ())]
    sent = _registry(version, given).applied(changes, txts, pytest.fail)
    return {"provider_changes": {part: _forms(getattr(sent, part)) for part in given["changes"]}}


def _record_sets(version: Release, given: Given) -> RecordSets:
    return RecordSets(
        version,
        _quiet,
        evaluate_target_health=given.get("evaluate_target_health", True),
        prefer_cname=given.get("prefer_cname", False),
    )


def _read_rrset(version: Release, given: Given) -> Form:
    form = given["rrset"]
    record: dict[str, Any] = {"Name": form["name"], "Type": form["type"]}
    if "alias" in form:
        alias = form["alias"]
        record["AliasTarget"] = {
            "DNSName": alias["dns_name"],
            "HostedZoneId": alias["hosted_zone_id"],
            "EvaluateTargetHealth": alias["evaluate_target_health"],
        }
    else:
        record["TTL"] = form.get("ttl", 0)
        record["ResourceRecords"] = [{"Value": value} for value in form.get("values", ())]
    for key, field in (
        ("set_identifier", "SetIdentifier"),
        ("weight", "Weight"),
        ("health_check_id", "HealthCheckId"),
    ):
        if key in form:
            record[field] = form[key]
    found = _record_sets(version, given).endpoint(record)
    return {"endpoints": _forms([found] if found else [])}


def _to_rrset(version: Release, given: Given) -> Form:
    change = _record_sets(version, given).changes(given["action"], _endpoint(given["endpoint"]))[0]
    record = change["ResourceRecordSet"]
    form = {"name": record["Name"], "type": record["Type"]}
    for key, field in (
        ("set_identifier", "SetIdentifier"),
        ("weight", "Weight"),
        ("health_check_id", "HealthCheckId"),
        ("ttl", "TTL"),
    ):
        if field in record:
            form[key] = record[field]
    if "AliasTarget" in record:
        alias = record["AliasTarget"]
        form["alias"] = {
            "dns_name": alias["DNSName"],
            "hosted_zone_id": alias["HostedZoneId"],
            "evaluate_target_health": alias["EvaluateTargetHealth"],
        }
    else:
        form["values"] = [value["Value"] for value in record["ResourceRecords"]]
    return {"rrset": form}


def _changes(given: Given) -> list[Given]:
    return [
        {"Action": action, "ResourceRecordSet": {"Name": name, "Type": kind}}
        for action, name, kind in given["changes"]
    ]


def _triples(changes: Iterable[Given]) -> Form:
    return [
        [one["Action"], one["ResourceRecordSet"]["Name"], one["ResourceRecordSet"]["Type"]] for one in changes
    ]


def _batch_changes(_: Release, given: Given) -> Form:
    limits = BatchLimits(given["batch_size"], given["batch_size_bytes"], given["batch_size_values"])
    batches = split(
        _changes(given), limits, lambda change: str(change["ResourceRecordSet"]["Name"]), lambda *_: None
    )
    return {"batches": [_triples(batch) for batch in batches]}


def _suitable_zones(_: Release, given: Given) -> Form:
    zones = [Zone(one["id"], one["name"].rstrip("."), one["private"]) for one in given["zones"]]
    return {"zones": [zone.id for zone in suitable(given["hostname"].rstrip("."), zones)]}


OPS: Mapping[str, Callable[[Release, Given], Form]] = {
    "calculate": _calculate,
    "resolve_record_types": _resolve_record_types,
    "resolve_create": lambda version, given: {
        "winner": _form(planning.smallest(_endpoints(given["candidates"]), version))
    },
    "resolve_update": _resolve_update,
    "provider_specific_changed": lambda version, given: {
        "changed": planning.properties_differ(
            _endpoint(given["current"]), _endpoint(given["desired"]), version
        )
    },
    "dedup": lambda version, given: {
        "endpoints": _forms(deduplicated(_endpoints(given["endpoints"]), version, _quiet))
    },
    "merge": lambda _, given: {"endpoints": _forms(merged(_endpoints(given["endpoints"]), lambda _: None))},
    "service_endpoints": _services,
    "ingress_endpoints": _ingresses,
    "endpoints_from_ingress": _one_ingress,
    "multi": _multi,
    "post_process": _post_process,
    "txt_name": lambda version, given: {"txt_name": _names(version, given).of(given["name"], given["type"])},
    "endpoint_name": _endpoint_name,
    "parse_labels": _parse_labels,
    "serialize_labels": _serialize_labels,
    "records": _records,
    "apply_changes": _apply_changes,
    "adjust_endpoint": lambda version, given: {
        "endpoints": _forms(_record_sets(version, given).adjusted([_endpoint(given["endpoint"])]))
    },
    "read_rrset": _read_rrset,
    "to_rrset": _to_rrset,
    "use_alias": lambda version, given: {
        "alias": _record_sets(version, given).is_at_balancer(_endpoint(given["endpoint"]))
    },
    "canonical_zone": lambda version, given: {
        "hosted_zone_id": canonical_zone(given["hostname"], version) or ""
    },
    "requires_delete_create": lambda version, given: {
        "delete_and_create": _record_sets(version, given).changes_kind(
            _endpoint(given["old"]), _endpoint(given["new"])
        )
    },
    "sort_changes": lambda _, given: {"changes": _triples(sorted(_changes(given), key=position))},
    "batch_changes": _batch_changes,
    "suitable_zones": _suitable_zones,
    "is_alias": lambda version, given: {
        "hosted_zone_id": _record_sets(version, given).alias_zone(_endpoint(given["endpoint"])) or ""
    },
}


def _cases() -> Iterator[Any]:
    for file in FILES:
        path = FOLDER / f"{file}.yaml"
        if not path.exists():
            reason = pytest.mark.skip(reason=f"no {path}; set TESTBED_CONFORMANCE")
            yield pytest.param({}, "", marks=reason, id=file)
            continue
        with path.open() as stream:
            cases = yaml.load(stream, yaml.CSafeLoader)["cases"]
        for case in cases:
            for key, version in VERSIONS.items():
                if _wanted(case, key):
                    name = f"{case['id']}-{version}"
                    marks = [pytest.mark.conformance("external-dns", f"{file}.yaml", name)]
                    reason_out = LEFT_OUT.get(case["id"])
                    if reason_out:
                        marks.append(pytest.mark.skip(reason=reason_out))
                    elif name in KNOWN_GAPS:
                        marks.append(pytest.mark.xfail(reason=KNOWN_GAPS[name], strict=True))
                    yield pytest.param(case, key, marks=marks, id=name)


def _wanted(case: Given, key: str) -> list[Form]:
    """What a version may give; v0.7.5 is recorded only where it differs from v0.7.4."""
    if key == "expect_v0_7_5" and key not in case:
        return _wanted(case, "expect_v0_7_4")
    if key == "expect" and "expect_any_of" in case:
        return list(case["expect_any_of"])
    if key not in case:
        return []
    return _wanted(case, "expect") if case[key] == "same" else [case[key]]


def _normal(form: Form) -> Form:
    """Endpoint lists have no order, but for the two halves of an update."""
    if not isinstance(form, Mapping):
        return form
    form = {key: _normal(value) for key, value in form.items()}
    if "update_old" in form:
        pairs = sorted(zip(map(_text, form["update_old"]), map(_text, form["update_new"]), strict=True))
        form |= {"update_old": [old for old, _ in pairs], "update_new": [new for _, new in pairs]}
    for key in ("endpoints", "records", "create", "delete", "candidates", "zones"):
        if isinstance(form.get(key), list):
            form[key] = sorted(map(_text, form[key]))
    return form


def _text(form: Form) -> str:
    if isinstance(form, str):
        return form
    empty = ("labels", "provider_specific", "ttl", "set_identifier")
    return json.dumps({k: v for k, v in form.items() if v or k not in empty}, sort_keys=True)


@pytest.mark.parametrize(("case", "key"), list(_cases()))
def test_a_recorded_case_is_decided_as_it_was(case: Given, key: str) -> None:
    wanted = _wanted(case, key)
    got = OPS[case["op"]](release_of(VERSIONS[key]), case["given"])
    if not release_of(VERSIONS[key]).has(Fact.ALIAS_ADJUSTED):
        wanted = [{name: value for name, value in one.items() if name in got} for one in wanted]
    assert _normal(got) in [_normal(one) for one in wanted]
