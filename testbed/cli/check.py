"""`testbed check`: the known traps that manifests show, before anything runs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from testbed.cli import options
from testbed.errors import BadInput
from testbed.kubernetes import rendered_manifests
from testbed.printing import echo, echo_command, echo_json, echo_styled, folded, on_terminal
from testbed.releases import EXTERNAL_DNS, Choice, Named

if TYPE_CHECKING:
    from testbed.check.findings import Finding
    from testbed.check.manifest_reading import Reading


@click.command()
@click.argument(
    "paths", nargs=-1, required=True, type=options.InputPath(exists=False, folders=True), metavar="PATH..."
)
@click.option(
    "--accept",
    "accepted",
    multiple=True,
    type=options.InputPath(),
    help="A file of findings that are accepted, each with a reason: [[accept]] with rule, reason, files.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "note"]),
    default="warning",
    show_default=True,
    help="The least severity that makes the exit code 1.",
)
@click.option(
    "--output",
    "-o",
    type=click.Choice(["text", "json", "sarif"]),
    default="text",
    show_default=True,
    help="Format.",
)
@click.option(
    "--new",
    is_flag=True,
    help="Read the manifests as created now, so that the Service webhook of v2.5 and later claims Services; "
    "without it they stand already.",
)
@click.option(
    "--zone",
    "zones",
    multiple=True,
    type=options.InputPath(),
    help="What `aws route53 list-resource-record-sets` prints: its records are looked at, too.",
)
@click.option(
    "--upgrade-to",
    metavar="RELEASE",
    help="Play an upgrade of ExternalDNS to this release, and the way back, over the records of --zone.",
)
@click.option(
    "--docs-url",
    metavar="URL",
    help="Where the site of `make docs` is served: the helpUri of each rule in SARIF leads there.  "
    "[default: the page's file in this installation]",
)
@options.external_dns(text="Read them as this release of ExternalDNS does")
@options.lb_controller(
    "--controller-version", text="Read them as this release of the AWS Load Balancer Controller does"
)
def check(
    paths: tuple[Path, ...],
    accepted: tuple[Path, ...],
    fail_on: str,
    output: str,
    new: bool,
    zones: tuple[Path, ...],
    upgrade_to: str | None,
    docs_url: str | None,
    external_dns: Named | None,
    lb_controller: Named | None,
) -> int:
    """Name the known traps in manifests.

    PATH... are files and folders; one path, also of an option, may be - for standard input. Files of a folder
    are read in the order of their names; an object that is defined again is replaced, as `kubectl apply`
    would.

    A comment `# testbed: accept RULE-ID REASON` above a line, or at its end, accepts what is found there: it
    is shown, and does not fail. `testbed explain-rule RULE-ID` says more of a finding.

    Exit code 1 if a finding that is not accepted is as severe as --fail-on, else 0; 2 if a manifest cannot be
    read.
    """
    import orjson

    from testbed.check import acceptances, findings_text, manifest_reading, rule_registry, sarif
    from testbed.check.findings import Severity
    from testbed.errors import ExitCode
    from testbed.external_dns.offline import zone_file
    from testbed.kubernetes import manifests as files

    sources = files.sources(paths)
    try:
        manifests = files.of_sources(sources, custom=True)
    except BadInput as error:
        error.do = _to_render(paths, error) or error.do
        raise
    upgrade = EXTERNAL_DNS.named(Named(upgrade_to, "--upgrade-to")) if upgrade_to else None
    readings = manifest_reading.Reading.of_each(
        manifests,
        external_dns,
        lb_controller,
        new=new,
        zones=zone_file.load(zones),
        upgrade_to=upgrade.release if upgrade else None,
    )
    if upgrade_to and not (zones and any(one.external_dns for one in readings)):
        what = "a Deployment of ExternalDNS among the manifests" if zones else "--zone FILE"
        raise BadInput(f"--upgrade-to needs {what}", do="pass it too")
    findings = acceptances.applied(
        rule_registry.check(*readings),
        [*acceptances.comments(sources), *acceptances.load(accepted)],
        unseen=rule_registry.without_input(zones=bool(zones), upgrade=bool(upgrade_to)),
    )
    counting = [one for one in findings if one.accepted is None]
    for path in paths:
        if command := rendered_manifests.kustomize(path):
            hint = f"{path} has a kustomization, which is not built here: {rendered_manifests.piped(command)}"
            echo(hint, err=True)
    notes = _notes(readings, upgrade)
    if output == "text":
        _print(findings)
        for note in notes:
            _say(note)
        if os.environ.get("GITHUB_ACTIONS") == "true":
            _annotate(counting)
    else:
        shown = (
            findings_text.as_json(findings, notes)
            if output == "json"
            else sarif.as_sarif(findings, rule_registry.all_rules(), Path.cwd(), docs_url, notes)
        )
        echo_json(orjson.dumps(shown, option=orjson.OPT_INDENT_2))
    fails = any(one.severity.reaches(Severity(fail_on)) for one in counting)
    return ExitCode.FAIL if fails else ExitCode.PASS


def _notes(readings: Iterable[Reading], upgrade: Choice | None) -> list[str]:
    """Say which releases the manifests are read as, since a finding may be true of one only."""
    notes = []
    for reading in readings:
        notes.append(f"Read as {reading.releases}.")
        choices = (reading.external_dns_choice, reading.lb_controller_choice)
        notes += [f"{choice.note}." for choice in choices if choice.note]
    if upgrade and upgrade.note:
        notes.append(f"{upgrade.note}.")
    return notes


def _print(findings: Sequence[Finding]) -> None:
    from testbed.check import findings_text

    if on_terminal():
        echo_styled(findings_text.on_terminal(findings))
        echo(findings_text.counted(findings))
    else:
        echo(findings_text.render(findings), nl=False)


def _say(sentence: str) -> None:
    echo(folded(sentence) if on_terminal() else sentence)


def _to_render(paths: Iterable[Path], error: BadInput) -> str | None:
    """What to do where the manifest that cannot be read is a chart's or a kustomization's."""
    at = error.where.path if error.where else None
    for path in paths:
        if at is not None and (at == path or at.parent == path):
            command = rendered_manifests.kustomize(path) or rendered_manifests.helm(path)
            if command:
                return f"render it: {rendered_manifests.piped(command)}"
    return None


def _annotate(findings: Iterable[Finding]) -> None:
    from testbed.check.findings import Severity
    from testbed.report import github

    for one in findings:
        kind = "notice" if one.severity is Severity.NOTE else one.severity.value
        place = {"file": str(one.where.path), "line": str(one.where.line or 1)}
        echo_command(github.command(kind, f"{one.what}; {one.do}", title=one.rule, **place))
