"""`testbed dns`: what ExternalDNS would do with manifests and hosted zones, and why."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from testbed.external_dns.flags import Flags
    from testbed.external_dns.profile import Profile

ASSUMED = ("--source=service", "--source=ingress", "--policy=sync")
"""The flags of who gives none."""
PASSED_ON = {"ignore_unknown_options": True}
NEWEST = "v0.22"

_MANIFESTS = click.option(
    "--manifests",
    multiple=True,
    required=True,
    type=click.Path(exists=True, path_type=Path),
    help="A YAML or JSON file, or a folder of them; may be given several times.",
)
_ZONES = click.option(
    "--zone",
    "zones",
    multiple=True,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What `aws route53 list-resource-record-sets` prints; may be given several times.",
)
_ZONE_NAMES = click.option(
    "--zone-name",
    "zone_names",
    multiple=True,
    help="Name of the hosted zone, if the file has no SOA record.",
)
_STATUS = click.option(
    "--status",
    "statuses",
    multiple=True,
    metavar="KIND/NAMESPACE/NAME=HOSTNAME",
    help="Load balancer's name or address of an object whose manifest has no status.",
)
_VERSION = click.option(
    "--version",
    default=NEWEST,
    show_default=True,
    help="Decide as this version of ExternalDNS does.",
)
_OUTPUT = click.option(
    "--output", "-o", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Format."
)
_FLAGS = click.argument("flags", nargs=-1, type=click.UNPROCESSED, metavar="[EXTERNAL-DNS FLAGS]...")


@click.group()
def dns() -> None:
    """ExternalDNS: which records it would change, and why."""


@dns.command(context_settings=PASSED_ON)
@_MANIFESTS
@_ZONES
@_ZONE_NAMES
@_STATUS
@_VERSION
@_OUTPUT
@_FLAGS
def plan(output: str, **given: Any) -> int:
    """Print the change batches of one sync and, record by record, why.

    All other flags are ExternalDNS's own: paste the `args:` of your Deployment. Without any, they are
    --source=service --source=ingress --policy=sync.
    """
    from testbed.errors import ExitCode
    from testbed.external_dns import one_sync, plan_json, plan_text, record_text, zone_file
    from testbed.kubernetes import manifests as files

    version, flags, arguments = _flags(given["version"], given["flags"])
    found = [one for one in files.load(given["manifests"], custom=True) if not one.is_custom]
    items = one_sync.with_addresses(found, given["statuses"])
    zones = zone_file.load(given["zones"], given["zone_names"])
    result = one_sync.sync(items, zones, flags, version)
    if output == "json":
        _print_json(plan_json.document(result, zones, version.version, arguments))
    else:
        click.echo(record_text.heading(version.version, arguments))
        click.echo(plan_text.render(result, zones, one_sync.places(found)), nl=False)
    return ExitCode.PASS


@dns.command(context_settings=PASSED_ON)
@click.argument("name")
@_MANIFESTS
@_ZONES
@_ZONE_NAMES
@_STATUS
@_VERSION
@_OUTPUT
@_FLAGS
def explain(name: str, output: str, **given: Any) -> int:
    """Say who claims NAME, who gets it and why, and how to move it there and back without a gap.

    Flags as for `plan`.
    """
    from testbed.errors import ExitCode
    from testbed.external_dns import explain_text, one_sync, record_text, zone_file
    from testbed.external_dns.explain import explain as explanation
    from testbed.kubernetes import manifests as files

    version, flags, arguments = _flags(given["version"], given["flags"])
    found = [one for one in files.load(given["manifests"], custom=True) if not one.is_custom]
    items = one_sync.with_addresses(found, given["statuses"])
    zones = zone_file.load(given["zones"], given["zone_names"])
    result = one_sync.sync(items, zones, flags, version)
    told = explanation(name, items, zones, result, flags, version)
    if output == "json":
        _print_json(explain_text.document(told, one_sync.places(found)))
    else:
        click.echo(record_text.heading(version.version, arguments) + "\n")
        click.echo(explain_text.render(told, one_sync.places(found)), nl=False)
    return ExitCode.PASS


@dns.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@_VERSION
@click.option(
    "--compare",
    nargs=2,
    metavar="VERSION VERSION",
    help="Show where two versions part, and what an upgrade from the first to the second would send.",
)
@click.option(
    "--shuffle-seed",
    default=0,
    show_default=True,
    help="Of the order in which ExternalDNS sees the objects, which the real one leaves to chance.",
)
@_OUTPUT
def replay(
    files: tuple[Path, ...], version: str, compare: tuple[str, str] | None, shuffle_seed: int, output: str
) -> int:
    """Play the histories of FILES (schema external-dns-scenarios/1) sync by sync in a zone example.com."""
    from testbed.errors import ExitCode
    from testbed.external_dns import histories
    from testbed.external_dns.profile import profile

    scenarios = histories.load(files)
    if compare:
        _compare(scenarios, profile(compare[0]), profile(compare[1]), shuffle_seed, output)
    else:
        _replay(scenarios, profile(version), shuffle_seed, output)
    return ExitCode.PASS


def _replay(scenarios: Sequence[dict[str, Any]], version: Profile, seed: int, output: str) -> None:
    from testbed.external_dns import histories, replay_text
    from testbed.external_dns.replay import Play, replayed

    if output == "json":
        played = [replayed(scenario, version, seed) for scenario in scenarios]
        _print_json({"schema": histories.SCHEMA, "version": version.version, "scenarios": played})
        return
    for scenario in scenarios:
        lines = replay_text.history(scenario, Play(scenario, version, seed).steps())
        click.echo("\n".join(lines) + "\n")


def _compare(scenarios: Sequence[dict[str, Any]], old: Profile, new: Profile, seed: int, output: str) -> None:
    from testbed.external_dns import replay_text
    from testbed.external_dns.compare import compare

    names = old.version, new.version
    found = (compare(scenario, old, new, seed) for scenario in scenarios)
    if output == "json":
        forms = [replay_text.comparison_form(one, *names) for one in found]
        _print_json({"compare": names, "scenarios": forms})
        return
    for one in found:
        click.echo("\n".join(replay_text.comparison(one, *names)) + "\n")


def _flags(version: str, given: tuple[str, ...]) -> tuple[Profile, Flags, tuple[str, ...]]:
    import os

    from testbed.external_dns import flags
    from testbed.external_dns.profile import profile

    found = profile(version)
    has_variables = any(name.startswith("EXTERNAL_DNS_") for name in os.environ)
    arguments = given if given or has_variables else ASSUMED
    return found, flags.parse(arguments, found), flags.shown(arguments)


def _print_json(document: Any) -> None:
    import orjson

    click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2))
