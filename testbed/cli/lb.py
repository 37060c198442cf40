"""`testbed lb`: what the load balancer controllers would do with manifests."""

from __future__ import annotations

from pathlib import Path

import click

from testbed.cli import options
from testbed.printing import echo, echo_json, folded
from testbed.releases import Named


@click.group()
def lb() -> None:
    """Load balancers: what the controllers make of manifests."""


@lb.command()
@click.option(
    "--manifests",
    multiple=True,
    required=True,
    type=options.InputPath(folders=True),
    help="A YAML file, a folder of them, or - for standard input; may be given several times.",
)
@options.lb_controller("--controller-version")
@options.external_dns(text="Accepted by every command; changes nothing here.", default="")
@click.option(
    "--new",
    is_flag=True,
    help="Read the manifests as created now, so that the Service webhook of v2.5 and later claims Services; "
    "without it they stand already.",
)
@click.option(
    "--output", "-o", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Format."
)
def plan(
    manifests: tuple[Path, ...],
    lb_controller: Named | None,
    external_dns: Named | None,  # noqa: ARG001 accepted by all commands
    new: bool,
    output: str,
) -> int:
    """Print the balancers that the manifests become.

    That is, balancers, listeners, rules, target groups and health checks, and advice about them. Exit code 1
    if a group or Service cannot be built (the plan has the text of its event), or if nothing is built.
    """
    import orjson

    from testbed.check import plan_advice
    from testbed.errors import ExitCode
    from testbed.kubernetes import manifests as files
    from testbed.lb_controller.offline import deployment
    from testbed.lb_controller.offline import stack_plan as planning
    from testbed.releases import LB_CONTROLLER

    everything = files.load(manifests, custom=True)
    loaded = [one for one in everything if not one.is_custom]
    deployed = deployment.lb_controller(loaded)
    choice = LB_CONTROLLER.choose(lb_controller, deployed=deployed.named if deployed else None)
    found = planning.plan(everything, deployment.options_of(everything, choice.release), new=new)
    advice = plan_advice.advice(loaded, found, lb_controller)
    if output == "json":
        echo_json(orjson.dumps(plan_advice.as_json(found, advice), option=orjson.OPT_INDENT_2))
    else:
        if deployed:
            echo(f"{choice}{'; ' if choice.note else ''}{choice.note}\n")
        elif choice.note:
            echo(f"{choice.note}.\n")
        echo(folded(plan_advice.render(found, advice)), nl=False)
    return ExitCode.FAIL if found.has_failures or not found.stacks else ExitCode.PASS


@lb.command()
@click.argument("old", type=options.InputPath(folders=True))
@click.argument("new", type=options.InputPath(folders=True))
@options.lb_controller()
@options.external_dns(text="Accepted by every command; changes nothing here.", default="")
@click.option(
    "--output", "-o", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Format."
)
def diff(
    old: Path,
    new: Path,
    lb_controller: Named | None,
    external_dns: Named | None,  # noqa: ARG001 accepted by all commands
    output: str,
) -> int:
    """Print what an edit from OLD to NEW does to balancers that stand.

    Both are files or folders, and one may be - for standard input. Printed are the calls to AWS in their
    order, what clients notice of them, and the names that change. What OLD has and NEW has not is deleted.
    One ready pod behind each Service, and all that the manifests name in the account, is assumed. Exit code 1
    if an object cannot be built or AWS refuses a call.
    """
    import orjson

    from testbed.errors import ExitCode
    from testbed.kubernetes import manifests as files
    from testbed.lb_controller.offline import deployment, edit_text
    from testbed.lb_controller.offline.edit import edit
    from testbed.releases import LB_CONTROLLER

    standing = files.load([old], custom=True)
    wanted = files.load([new], custom=True, standing=standing)
    before, after = ([one for one in all_of if not one.is_custom] for all_of in (standing, wanted))
    deployed = deployment.lb_controller(after) or deployment.lb_controller(before)
    choice = LB_CONTROLLER.choose(lb_controller, deployed=deployed.named if deployed else None)
    installed = wanted if deployment.lb_controller(after) else standing
    found = edit(before, after, deployment.options_of(installed, choice.release))
    if output == "json":
        echo_json(orjson.dumps(found.to_json(), option=orjson.OPT_INDENT_2))
    else:
        echo(folded("\n".join([*([f"{choice.note}."] if choice.note else []), *edit_text.lines(found)])))
    return ExitCode.FAIL if found.has_failures else ExitCode.PASS


@lb.command()
@click.argument("old", metavar="A")
@click.argument("new", metavar="B")
@click.option(
    "--manifests",
    multiple=True,
    required=True,
    type=options.InputPath(folders=True),
    help="A YAML file, a folder of them, or - for standard input; may be given several times.",
)
@options.lb_controller(text="Accepted by every command; changes nothing here.", default="")
@options.external_dns(text="Accepted by every command; changes nothing here.", default="")
@click.option(
    "--output", "-o", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Format."
)
def upgrade(
    old: str,
    new: str,
    manifests: tuple[Path, ...],
    lb_controller: Named | None,  # noqa: ARG001 accepted by all commands
    external_dns: Named | None,  # noqa: ARG001 accepted by all commands
    output: str,
) -> int:
    """Print what an upgrade of the controller from release A to B changes in the stacks of the manifests.

    That is, the calls to AWS at the start of B, what clients notice of them, the annotations that begin or
    end to count, other defaults, and the IAM actions that are needed before. The way back is `upgrade B A`.
    Exit code 1 if an object cannot be built or AWS refuses a call.
    """
    import orjson

    from testbed.errors import ExitCode
    from testbed.kubernetes import manifests as files
    from testbed.lb_controller.offline import deployment, upgrade_text
    from testbed.lb_controller.offline import upgrade as upgrades
    from testbed.releases import LB_CONTROLLER

    loaded = files.load(manifests, custom=True)
    choices = [LB_CONTROLLER.named(one) for one in (Named(old, "A"), Named(new, "B"))]
    flags = [deployment.options_of(loaded, one.release) for one in choices]
    found = upgrades.upgrade([one for one in loaded if not one.is_custom], *flags)
    if output == "json":
        echo_json(orjson.dumps(found.to_json(), option=orjson.OPT_INDENT_2))
    else:
        echo(
            folded("\n".join([*(f"{one.note}." for one in choices if one.note), *upgrade_text.lines(found)]))
        )
    return ExitCode.FAIL if found.edit.has_failures else ExitCode.PASS
