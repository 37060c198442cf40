"""Annotated objects for the tests of the sources, and what a source makes of one."""

from __future__ import annotations

from typing import Any

from testbed.external_dns.core.facts import Fact, annotation_prefix, release_of
from testbed.external_dns.process.flags import parse
from testbed.external_dns.sources.source import SourceContext
from testbed.external_dns.sources.source_table import source_of

ALB = "k8s-web-1.eu-west-1.elb.amazonaws.com"


def item(
    kind: str, spec: dict[str, Any], labels: dict[str, str] | None = None, **notes: str
) -> dict[str, Any]:
    annotations = {f"example.org/{name.replace('_', '-')}": value for name, value in notes.items()}
    return {
        "kind": kind,
        "metadata": {"namespace": "shop", "name": "web", "labels": labels or {}, "annotations": annotations},
        "spec": spec,
        "status": {"loadBalancer": {"ingress": [{"hostname": ALB}]}},
    }


def read(
    manifest: dict[str, Any], *flags: str, version: str = "v0.22"
) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """Return names and targets of an object, and the lines that are logged about it."""
    chosen = release_of(version)
    arguments = ["--source=service", "--policy=sync", *flags]
    if chosen.has(Fact.ANNOTATION_PREFIX_FLAG):
        arguments.append("--annotation-prefix=example.org/")
    else:
        notes = manifest["metadata"]["annotations"]
        manifest["metadata"]["annotations"] = {
            name.replace("example.org/", annotation_prefix(chosen)): value for name, value in notes.items()
        }
    lines: list[str] = []
    context = SourceContext(
        chosen,
        parse(arguments, chosen, {}),
        lambda level, text, *values, **_: lines.append(f"{level}: {text % values if values else text}"),
    )
    source = source_of(manifest["kind"])
    assert source is not None
    return {one.name: one.targets for one in source(context).endpoints([manifest])}, lines
