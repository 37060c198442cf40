"""`testbed lb`: what the load balancer controllers would do with manifests."""

from __future__ import annotations

from pathlib import Path

import click

from testbed.lb_controller.inputs import Version


@click.group()
def lb() -> None:
    """Load balancers: what the controllers would make of manifests."""


@lb.command()
@click.option(
    "--manifests",
    multiple=True,
    required=True,
    type=click.Path(exists=True, path_type=Path),
    help="A YAML file, or a folder of them; may be given several times.",
)
@click.option(
    "--controller-version",
    type=click.Choice([version.value for version in Version]),
    default=Version.NEWEST.value,
    show_default=True,
    help="Decide as this version of the AWS Load Balancer Controller does.",
)
@click.option(
    "--output", "-o", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Format."
)
def plan(manifests: tuple[Path, ...], controller_version: str, output: str) -> int:
    """Print balancers, listeners, rules, target groups and health checks, and what to know about them.

    Exit code 1 if a group or Service cannot be built: its event text stands in the plan.
    """
    import orjson

    from testbed.errors import ExitCode
    from testbed.kubernetes import manifests as files
    from testbed.lb_controller import plan as planning
    from testbed.lb_controller import plan_text
    from testbed.lb_controller.inputs import ControllerOptions

    options = ControllerOptions(version=Version(controller_version))
    found = planning.plan([one for one in files.load(manifests, custom=True) if not one.is_custom], options)
    if output == "json":
        click.echo(orjson.dumps(found.to_json(), option=orjson.OPT_INDENT_2))
    else:
        click.echo(plan_text.render(found), nl=False)
    return ExitCode.FAIL if found.has_failures else ExitCode.PASS
