"""The options of the sources are what the flags say, and everything is read without them."""

from __future__ import annotations

import dataclasses

from testbed.external_dns.core.facts import release_of
from testbed.external_dns.process.flags import parse
from testbed.external_dns.sources.source_options import SourceOptions


def test_without_filters_an_object_of_any_namespace_label_or_class_is_read() -> None:
    options = SourceOptions(sources=("service",), annotation_prefix="example.org/")
    unset = {field.name for field in dataclasses.fields(options) if not getattr(options, field.name)}
    assert unset == {field.name for field in dataclasses.fields(options)} - {"sources", "annotation_prefix"}


def test_flags_are_options_of_the_sources() -> None:
    arguments = ["--source=ingress", "--policy=sync", "--namespace=shop", "--ignore-ingress-tls-spec"]
    flags = parse([*arguments, "--label-filter=app=web"], release_of("v0.22"), {})
    assert isinstance(flags, SourceOptions)
    assert (flags.sources, flags.namespace, flags.label_filter) == (("ingress",), "shop", "app=web")
    assert (flags.ignores_tls, flags.ignores_rules) == (True, False)
    assert flags.annotation_prefix == "external-dns.kubernetes.io/"
