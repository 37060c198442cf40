"""`testbed init`: a first scenario and configuration from manifests."""

from __future__ import annotations

from pathlib import Path

import click

from testbed.cli import options
from testbed.printing import echo, folded
from testbed.releases import Named


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Folder for the files.  [default: PATH/cutover]",
)
@click.option(
    "--host", default="", help="The host name whose move is played.  [default: the first that moves]"
)
@options.external_dns(text="Write the scenario for this release of ExternalDNS")
@options.lb_controller(text="Write the scenario for this release of the AWS Load Balancer Controller")
@click.option("--force", is_flag=True, default=False, help="Overwrite what is there.")
def init(
    path: Path,
    into: Path | None,
    host: str,
    external_dns: Named | None,
    lb_controller: Named | None,
    force: bool,
) -> int:
    """Write a first scenario from the manifests of a move.

    PATH is a file or folder with the objects of two load balancers that have one name: Services of type
    LoadBalancer with ExternalDNS's annotation, or Ingresses, of any controller. What they do not say, and
    what decides the verdict, is assumed, printed, and written into the script. Nothing is overwritten
    without --force.
    """
    from testbed.check import manifest_reading
    from testbed.errors import BadInput, ExitCode, Location
    from testbed.report.report_files import write_all
    from testbed.scaffold import assumptions, manifest_survey, scenario_script

    move = manifest_survey.survey(manifest_reading.load([path]), host, external_dns, lb_controller)
    folder = into or (path if path.is_dir() else path.parent) / "cutover"
    files = scenario_script.files(move, folder)
    existing = next((folder / name for name in files if (folder / name).exists()), None)
    if existing and not force:
        raise BadInput("the file exists already", where=Location(existing), do="give --force to overwrite it")
    write_all(folder, {name: text.encode() for name, text in files.items()}, "--into")
    balancers = (f"{scenario_script.names(one.objects)} ({one.made_by})" for one in (move.old, move.new))
    notes = filter(None, (move.external_dns_choice.note, move.lb_controller_choice.note))
    which = "some" if move.external_dns else "the"
    lines = [
        *(f"wrote {folder / name}" for name in files),
        str(move.external_dns_choice),
        str(move.lb_controller_choice),
        *(f"{note}; testbed check says more" for note in notes),
        *map(str, assumptions.of_move(move)),
        *([f"without {which} flags of ExternalDNS's Deployment: {move.left_out}"] if move.left_out else []),
        *(
            f"{other} moves too, and is not called: testbed init {path} --host {other} --into FOLDER"
            for other in move.others_moving
        ),
    ]
    echo(folded("\n".join([f"{move.host}: {', '.join(balancers)}", *(f"  {line}" for line in lines)])))
    # Whole, to be copied.
    echo(f"  play  testbed rehearse {folder}")
    echo(f"  and   testbed rehearse {folder}:there_and_back")
    echo(f"  and   testbed check {path}")
    return ExitCode.PASS
