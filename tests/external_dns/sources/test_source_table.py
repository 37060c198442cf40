"""Everything that depends on a source finds it in the table."""

from __future__ import annotations

import dataclasses

import pytest

from testbed.errors import BadInput
from testbed.external_dns.core.facts import release_of
from testbed.external_dns.process.flags import parse
from testbed.external_dns.sources.source_options import SourceOptions
from testbed.external_dns.sources.source_table import KINDS, SOURCES, resource_of, source_of


@pytest.mark.parametrize("name", SOURCES)
def test_the_flag_source_takes_each_source_of_the_table_and_no_other(name: str) -> None:
    version = release_of("v0.22")
    assert parse([f"--source={name}", "--policy=sync"], version, {}).sources == (name,)
    with pytest.raises(BadInput, match="does not emulate --source=node"):
        parse(["--source=node", "--policy=sync"], version, {})


def test_a_kind_belongs_to_one_source() -> None:
    assert sorted(KINDS) == sorted(kind for source in SOURCES.values() for kind in source.kinds)
    assert all(kind in source_of(kind).kinds for kind in KINDS)  # type: ignore[union-attr]
    assert source_of("Pod") is None


def test_a_txt_names_an_object_by_its_source_its_namespace_and_its_name() -> None:
    assert resource_of({"kind": "Ingress", "metadata": {"name": "web"}}) == "ingress/default/web"
    assert resource_of({"kind": "HTTPRoute", "metadata": {"name": "web"}}) == "httproute/default/web"
    assert resource_of({"kind": "Pod", "metadata": {"namespace": "a", "name": "b"}}) == "pod/a/b"


@pytest.mark.parametrize("name", SOURCES)
def test_each_filter_of_a_source_is_a_flag_with_a_field_in_the_options(name: str) -> None:
    fields = {field.name for field in dataclasses.fields(SourceOptions)}
    for flag, field in SOURCES[name].filters.items():
        assert field in fields
        found = parse(
            [f"--source={name}", "--policy=sync", f"--{flag}=LoadBalancer"], release_of("v0.22"), {}
        )
        assert getattr(found, field) == ("LoadBalancer",)
