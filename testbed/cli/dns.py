"""`testbed dns`: what ExternalDNS would do with manifests and hosted zones, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from testbed.cli import options
from testbed.printing import echo, echo_json
from testbed.releases import Choice, Named

if TYPE_CHECKING:
    from testbed.dated_releases import Release
    from testbed.external_dns.offline.desk import Desk

PASSED_ON = {"ignore_unknown_options": True}

_MANIFESTS = click.option(
    "--manifests",
    multiple=True,
    required=True,
    type=options.InputPath(folders=True),
    help="A YAML or JSON file, a folder of them, or - for standard input; may be given several times.",
)
_ZONES = click.option(
    "--zone",
    "zones",
    multiple=True,
    type=options.InputPath(),
    help="What `aws route53 list-resource-record-sets` prints; may be given several times.  "
    "[default: an empty zone]",
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
_EXTERNAL_DNS = options.external_dns("--version")
_LB_CONTROLLER = options.lb_controller(text="Accepted by every command; changes nothing here.", default="")
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
@_EXTERNAL_DNS
@_LB_CONTROLLER
@_OUTPUT
@_FLAGS
def plan(output: str, **chosen: Any) -> int:
    """Print the change batches of one sync, and why.

    All other flags are ExternalDNS's own: paste the `args:` of your Deployment. Without any, they are those
    of the ExternalDNS Deployment among the manifests, else --source=service --source=ingress --policy=sync.
    """
    from testbed.errors import ExitCode
    from testbed.external_dns.offline import one_sync, sync_json, sync_text

    forms = []
    for desk in _desks(chosen):
        result = desk.sync()
        places = one_sync.places(desk.manifests)
        other = desk.reading_all() if desk.unread else None
        if output == "json":
            forms.append(sync_json.document(result, desk))
        else:
            echo(desk.heading())
            echo(sync_text.render(result, desk.zones, places), nl=False)
            if other:
                echo(
                    sync_text.unread_prefix(desk.flags.annotation_prefix, desk.unread, other.sync()), nl=False
                )
    if output == "json":
        _print_json(forms[0] if len(forms) == 1 else forms)
    return ExitCode.PASS


@dns.command(context_settings=PASSED_ON)
@click.argument("name")
@_MANIFESTS
@_ZONES
@_ZONE_NAMES
@_STATUS
@_EXTERNAL_DNS
@_LB_CONTROLLER
@_OUTPUT
@_FLAGS
def explain(name: str, output: str, **chosen: Any) -> int:
    """Print which object gets NAME, and how to move it.

    It lists the objects that claim NAME, why one of them gets it, and the commands that move it there and
    back. Flags as for `plan`.
    """
    from testbed.errors import ExitCode
    from testbed.external_dns.offline import explain_text, one_sync
    from testbed.external_dns.offline.explain import explain as explanation

    forms = []
    for desk in _desks(chosen):
        explained = explanation(name, desk.items, desk.zones, desk.sync(), desk.flags, desk.release)
        places = one_sync.places(desk.manifests)
        if output == "json":
            forms.append(explain_text.document(explained, places))
        else:
            echo(desk.heading() + "\n")
            echo(explain_text.render(explained, places), nl=False)
    if output == "json":
        _print_json(forms[0] if len(forms) == 1 else forms)
    return ExitCode.PASS


@dns.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@_EXTERNAL_DNS
@_LB_CONTROLLER
@click.option(
    "--compare",
    nargs=2,
    metavar="RELEASE RELEASE",
    help="Show where two releases part, and what an upgrade from the first to the second would send.",
)
@click.option(
    "--shuffle-seed",
    default=0,
    show_default=True,
    help="Seed of the order in which ExternalDNS sees the objects, which the real one leaves to chance.",
)
@_OUTPUT
def replay(
    files: tuple[Path, ...],
    external_dns: Named | None,
    lb_controller: Named | None,  # noqa: ARG001 accepted by all commands
    compare: tuple[str, str] | None,
    shuffle_seed: int,
    output: str,
) -> int:
    """Play recorded histories sync by sync.

    FILES have the schema external-dns-scenarios/1 or external-dns-upgrades/1, in which a step names the
    release that plays it and the steps after it; otherwise the option does. The hosted zone is example.com.
    """
    from testbed.errors import ExitCode
    from testbed.external_dns.offline import history_files
    from testbed.releases import EXTERNAL_DNS

    scenarios = history_files.load(files)
    if compare:
        choices = [EXTERNAL_DNS.named(Named(one, "--compare")) for one in compare]
    else:
        choices = [EXTERNAL_DNS.choose(external_dns)]
    if output == "text":
        _print_notes(choices)
    if compare:
        _compare(scenarios, choices[0].release, choices[1].release, shuffle_seed, output)
    else:
        _replay(scenarios, choices[0].release, shuffle_seed, output)
    return ExitCode.PASS


@dns.command(context_settings=PASSED_ON)
@click.argument("old", metavar="RELEASE")
@click.argument("new", metavar="RELEASE")
@_MANIFESTS
@_ZONES
@_ZONE_NAMES
@_STATUS
@_LB_CONTROLLER
@_OUTPUT
@_FLAGS
def upgrade(old: str, new: str, output: str, **chosen: Any) -> int:
    """Print what an upgrade, and the way back, would do.

    From the first RELEASE to the second: the first syncs of each over these records, names whose A and AAAA
    part, records that get stuck, and what the flags mean to the other release. Flags as for `plan`.
    """
    from testbed.errors import ExitCode
    from testbed.external_dns.offline import upgrade_text
    from testbed.external_dns.offline.upgrade import upgrade as played
    from testbed.releases import EXTERNAL_DNS

    first, second = (EXTERNAL_DNS.named(Named(one, "dns upgrade")) for one in (old, new))
    forms = []
    for desk in _desks({**chosen, "external_dns": first}):
        done = played(desk.items, desk.zones, desk.given, first.release, second.release, desk.variables)
        if output == "json":
            forms.append(upgrade_text.document(done, desk.shown))
        else:
            _print_notes((first, second))
            origins = [one for one in (desk.flags_from, desk.without_zone) if one]
            echo(upgrade_text.render(done, desk.zones, desk.shown, origins), nl=False)
    if output == "json":
        _print_json(forms[0] if len(forms) == 1 else forms)
    return ExitCode.PASS


def _desks(chosen: Mapping[str, Any]) -> list[Desk]:
    import os

    from testbed.external_dns.offline.desk import desks

    return desks(
        chosen["manifests"],
        statuses=chosen["statuses"],
        zones=chosen["zones"],
        zone_names=chosen["zone_names"],
        release=chosen["external_dns"],
        given=chosen["flags"],
        environment=os.environ,
    )


def _print_notes(choices: Iterable[Choice]) -> None:
    for choice in choices:
        if choice.note:
            echo(f"{choice.note}.")


def _replay(scenarios: Sequence[dict[str, Any]], version: Release, seed: int, output: str) -> None:
    from testbed.external_dns.offline import history_files, replay_text
    from testbed.external_dns.offline.replay import Play, replayed

    if output == "json":
        played = [replayed(scenario, version, seed) for scenario in scenarios]
        _print_json(
            {"schema": history_files.schema_of(scenarios), "version": version.tag, "scenarios": played}
        )
        return
    for scenario in scenarios:
        lines = replay_text.history(scenario, Play(scenario, version, seed).steps())
        echo("\n".join(lines) + "\n")


def _compare(scenarios: Sequence[dict[str, Any]], old: Release, new: Release, seed: int, output: str) -> None:
    from testbed.external_dns.offline import replay_text
    from testbed.external_dns.offline.version_comparison import compare

    names = old.tag, new.tag
    comparisons = (compare(scenario, old, new, seed) for scenario in scenarios)
    if output == "json":
        forms = [replay_text.comparison_form(one, *names) for one in comparisons]
        _print_json({"compare": names, "scenarios": forms})
        return
    for one in comparisons:
        echo("\n".join(replay_text.comparison(one, *names)) + "\n")


def _print_json(document: Any) -> None:
    import orjson

    echo_json(orjson.dumps(document, option=orjson.OPT_INDENT_2))
