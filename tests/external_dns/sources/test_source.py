"""A source without annotations needs a name, kinds and endpoints, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from testbed.external_dns.core.endpoint import Endpoint
from testbed.external_dns.core.facts import release_of
from testbed.external_dns.process.flags import parse
from testbed.external_dns.sources.source import Object, Source, SourceContext


class DnsEndpoints(Source):
    """Reads DNSEndpoints, whose specs are endpoints already."""

    name: ClassVar[str] = "crd"
    kinds: ClassVar[tuple[str, ...]] = ("DNSEndpoint",)

    def __init__(self, context: SourceContext) -> None:
        self._say = context.say

    def endpoints(self, objects: Iterable[Object]) -> list[Endpoint]:
        self._say("debug", "reading")
        return [
            Endpoint(one["dnsName"], one["recordType"], tuple(one["targets"]))
            for item in objects
            for one in item["spec"]["endpoints"]
        ]


def test_a_source_reads_objects_of_its_own_kind() -> None:
    chosen = release_of("v0.22")
    flags = parse(["--source=service", "--policy=sync"], chosen, {})
    spec = {"endpoints": [{"dnsName": "app.test", "recordType": "A", "targets": ["192.0.2.1"]}]}
    lines: list[str] = []
    source = DnsEndpoints(
        SourceContext(chosen, flags, lambda level, message, *_, **__: lines.append(message))
    )
    [endpoint] = source.endpoints([{"kind": "DNSEndpoint", "metadata": {"name": "app"}, "spec": spec}])
    assert (endpoint.name, endpoint.targets, lines) == ("app.test", ("192.0.2.1",), ["reading"])


def test_a_source_has_no_filters_grants_or_hosts_in_the_spec_unless_it_names_them() -> None:
    assert dict(DnsEndpoints.filters) == dict(DnsEndpoints.grants) == {}
    assert DnsEndpoints.hosts_in_spec({"kind": "DNSEndpoint", "spec": {"rules": [{"host": "a.test"}]}}) == {}


def test_a_context_logs_nothing_and_knows_no_other_objects_by_default() -> None:
    context = SourceContext(
        release_of("v0.22"), parse(["--source=service", "--policy=sync"], release_of("v0.22"), {})
    )
    assert list(context.others("Node")) == []
    context.say("info", "unheard")
    context.absorbed(Endpoint("a", "A", ()), Endpoint("a", "A", ()))
