"""`testbed init`: a first scenario and configuration from manifests."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Folder for the files.  [default: PATH/cutover]",
)
@click.option("--host", default="", help="The name whose move is played.  [default: the first that moves]")
@click.option("--force", is_flag=True, default=False, help="Overwrite what is there.")
def init(path: Path, into: Path | None, host: str, force: bool) -> int:
    """Write a first scenario for the move that the manifests in PATH describe.

    PATH is a file or folder with a Service of type LoadBalancer that ExternalDNS gives a name, and the
    Ingresses that shall take it over. Nothing is overwritten without --force.
    """
    from testbed.check import reading
    from testbed.errors import BadInput, ExitCode, Location
    from testbed.report.files import write_all
    from testbed.scaffold import script, survey

    found = survey.survey(reading.load([path]), host)
    folder = into or (path if path.is_dir() else path.parent) / "cutover"
    files = script.files(found, folder)
    there = next((folder / name for name in files if (folder / name).exists()), None)
    if there and not force:
        raise BadInput("it is there already", where=Location(there), do="give --force to overwrite it")
    write_all(folder, {name: text.encode() for name, text in files.items()})
    told = script.names(found.ingresses)
    click.echo(f"{found.host}: {found.service.title} (NLB), {told} (ALB)")
    for name in files:
        click.echo(f"  wrote {folder / name}")
    version = f" --external-dns {found.version}" if found.version else ""
    if found.left_out:
        click.echo(f"  without the flags of ExternalDNS's Deployment: {found.left_out}")
    if found.unemulated:
        played = found.version or survey.DEFAULT_VERSION
        click.echo(
            f"  ExternalDNS {found.unemulated} is not emulated: played as {played}; testbed check says more"
        )
    for other in found.others_moving:
        click.echo(
            f"  {other} moves too, and is not called: testbed init {path} --host {other} --into FOLDER"
        )
    click.echo(f"  play  testbed rehearse {folder}{version}")
    click.echo(f"  and   testbed check {path}")
    return ExitCode.PASS
