"""`testbed check`: the known traps that manifests show, before anything runs."""

from __future__ import annotations

import os
from pathlib import Path

import click

from testbed.options import EXTERNAL_DNS_VERSIONS


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@click.option(
    "--output",
    "-o",
    type=click.Choice(["text", "json", "sarif"]),
    default="text",
    show_default=True,
    help="Format.",
)
@click.option(
    "--external-dns",
    type=click.Choice(EXTERNAL_DNS_VERSIONS),
    default=None,
    help=(
        "Read them as this version of ExternalDNS does.  [default: that of its Deployment in PATH, "
        f"or {EXTERNAL_DNS_VERSIONS[0]}]"
    ),
)
@click.option(
    "--controller-version",
    default="v3",
    show_default=True,
    type=click.Choice(["v2.1", "v3"]),
    help="Read them as this version of the AWS Load Balancer Controller does.",
)
def check(paths: tuple[Path, ...], output: str, external_dns: str | None, controller_version: str) -> int:
    """Name every known trap that the manifests in PATH... (files and folders) show.

    Files of a folder are read in the order of their names; an object that is defined again is replaced, as
    `kubectl apply` would. Exit code 0 if there are only notes or nothing, 1 for a warning or an error, 2 if
    a manifest cannot be read.
    """
    import orjson

    from testbed.check import reading, rules, sarif, text
    from testbed.check.findings import Severity
    from testbed.errors import ExitCode
    from testbed.lb_controller.inputs import Version
    from testbed.report import github

    manifests = reading.load(paths)
    found = rules.check(reading.Reading.of(manifests, external_dns, Version(controller_version)))
    if output == "text":
        click.echo(text.render(found), nl=False)
        if os.environ.get("GITHUB_ACTIONS") == "true":
            for one in found:
                kind = "notice" if one.severity is Severity.NOTE else one.severity.value
                place = {"file": str(one.where.path), "line": str(one.where.line or 1)}
                click.echo(github.command(kind, f"{one.what}; {one.do}", title=one.rule, **place))
    else:
        shown = (
            text.as_json(found)
            if output == "json"
            else sarif.as_sarif(found, rules.all_rules(), root=Path.cwd())
        )
        click.echo(orjson.dumps(shown, option=orjson.OPT_INDENT_2))
    return ExitCode.PASS if all(one.severity is Severity.NOTE for one in found) else ExitCode.FAIL
