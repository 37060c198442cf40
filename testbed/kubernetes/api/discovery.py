"""Discovery: the groups, versions and resources of the API, in single documents and aggregated.

Source: apimachinery meta/v1 (APIVersions, APIGroupList, APIResourceList) and apidiscovery/v2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from testbed.kubernetes.api import scale
from testbed.kubernetes.api.api_resources import STATUS_VERBS, VERBS, Resource

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
VERSION = {
    "major": "1",
    "minor": "33",
    "gitVersion": "v1.33.0+testbed",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "2025-04-23T00:00:00Z",
    "goVersion": "",
    "compiler": "",
    "platform": "linux/amd64",
}


def core_versions(address: str) -> dict[str, Any]:
    """Return the document at `/api`; `address` is `host:port`."""
    # The field is required, although kubectl ignores the address.
    servers = [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": servers}


def groups(resources: Iterable[Resource]) -> dict[str, Any]:
    """Return the document at `/apis`."""
    versions_by_group = _versions(resources)
    items = [_group(name, versions) for name, versions in versions_by_group.items() if name]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": items}


def group(resources: Iterable[Resource], name: str) -> dict[str, Any] | None:
    """Return the document at `/apis/<group>`, or None if there is no such group."""
    versions = _versions(resources).get(name)
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, versions)} if versions and name else None


def resource_list(resources: Iterable[Resource], api_version: str) -> dict[str, Any] | None:
    """Return the document at `/api/v1` or `/apis/<group>/<version>`, or None if there is no such version."""
    items: list[dict[str, Any]] = []
    for resource in resources:
        if resource.api_version != api_version:
            continue
        names = {"shortNames": list(resource.short_names), "categories": list(resource.categories)}
        common = {"namespaced": resource.namespaced, "kind": resource.kind}
        items.append(
            {
                "name": resource.plural,
                "singularName": resource.singular,
                **common,
                "verbs": list(VERBS),
                **{key: value for key, value in names.items() if value},
            }
        )
        if resource.has_status:
            # kubectl looks here to see whether --subresource=status is possible.
            name = f"{resource.plural}/status"
            items.append({"name": name, "singularName": "", **common, "verbs": list(STATUS_VERBS)})
        if resource.stored_kind in scale.SCALED:
            name = f"{resource.plural}/scale"
            kinds = {"namespaced": True, **scale.KIND}
            items.append({"name": name, "singularName": "", **kinds, "verbs": list(scale.VERBS)})
        if resource.stored_kind == "Pod":
            name = f"{resource.plural}/log"
            items.append({"name": name, "singularName": "", **common, "verbs": ["get"]})
    if not items:
        return None
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version, "resources": items}


def aggregated(resources: Iterable[Resource], *, core: bool) -> dict[str, Any]:
    """Return all of `/api` (core) or `/apis` (the others) in one document: two requests instead of twenty."""
    by_group: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for resource in resources:
        if (resource.group == "") == core:
            of_version = by_group.setdefault(resource.group, {}).setdefault(resource.version, [])
            of_version.append(_aggregated(resource))
    items = [
        {
            "metadata": {"name": name, "creationTimestamp": None} if name else {"creationTimestamp": None},
            "versions": [
                {"version": version, "resources": entries, "freshness": "Current"}
                for version, entries in versions.items()
            ],
        }
        for name, versions in by_group.items()
    ]
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": items,
    }


def _aggregated(resource: Resource) -> dict[str, Any]:
    kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    entry: dict[str, Any] = {
        "resource": resource.plural,
        "responseKind": kind,
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": list(VERBS),
        "shortNames": list(resource.short_names),
        "categories": list(resource.categories),
    }
    below = []
    if resource.has_status:
        below.append({"subresource": "status", "responseKind": kind, "verbs": list(STATUS_VERBS)})
    if resource.stored_kind in scale.SCALED:
        below.append({"subresource": "scale", "responseKind": scale.KIND, "verbs": list(scale.VERBS)})
    if resource.stored_kind == "Pod":
        below.append({"subresource": "log", "responseKind": kind, "verbs": ["get"]})
    entry["subresources"] = below
    return {key: value for key, value in entry.items() if value != []}


def _versions(resources: Iterable[Resource]) -> dict[str, list[str]]:
    by_group: dict[str, list[str]] = {}
    for resource in resources:
        versions = by_group.setdefault(resource.group, [])
        if resource.version not in versions:
            versions.append(resource.version)
    return by_group


def _group(name: str, versions: Iterable[str]) -> Mapping[str, Any]:
    items = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": items, "preferredVersion": items[0]}
