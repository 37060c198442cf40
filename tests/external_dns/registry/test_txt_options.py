"""The flags decide how the registry writes who owns a record."""

from __future__ import annotations

import dataclasses

from testbed.external_dns.core.facts import release_of
from testbed.external_dns.process.flags import parse
from testbed.external_dns.registry.txt_options import TxtOptions
from testbed.external_dns.registry.txt_registry import TxtRegistry


def test_flags_are_options_of_the_registry() -> None:
    arguments = ["--source=service", "--policy=sync", "--txt-owner-id=me", "--txt-prefix=Own-"]
    flags = parse([*arguments, "--txt-cache-interval=1m"], release_of("v0.22"), {})
    assert isinstance(flags, TxtOptions)
    assert (flags.registry, flags.owner, flags.txt_prefix) == ("txt", "me", "own-")
    assert (flags.txt_cache_interval, flags.managed) == (60.0, ("A", "AAAA", "CNAME"))


def test_the_registry_is_made_of_its_options() -> None:
    options = TxtOptions(
        registry="txt", owner="me", txt_prefix="own-", txt_suffix="", txt_wildcard="any", managed=("A",)
    )
    registry = TxtRegistry.of(options, release_of("v0.22"))
    assert registry.names.of("*.app.test", "A") == "own-a-any.app.test"
    assert (registry.owner, registry.managed, registry.cipher) == ("me", ("A",), None)
    keyed = dataclasses.replace(options, txt_key=b"k" * 32, encrypts_txt=True)
    assert TxtRegistry.of(keyed, release_of("v0.22")).encrypts
