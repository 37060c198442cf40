"""What the commands do: play a scenario from start to verdict, keep a topology up, render a journal again."""

from __future__ import annotations

import os
import platform
import shlex
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from rich.console import Console

from testbed import __version__, interrupts, journal
from testbed.clock import Clock
from testbed.errors import BadInput, ExitCode, Interrupted, Location, Missing, TestbedError
from testbed.network import lease
from testbed.options import ON_COMPOSE, Options
from testbed.rehearsal.cutover import Cutover, StepFailed
from testbed.rehearsal.scenario import Scenario, Targets, load, script_line
from testbed.report.files import HTML, OF_A_RUN
from testbed.runtime.embedded import Embedded
from testbed.runtime.setup import Setup

if TYPE_CHECKING:
    from testbed.runtime.compose.composed import Composed

    Running = Embedded | Composed

JOURNAL = "journal.ndjson"
COMPLETE, INTERRUPTED, ERROR = "complete", "interrupted", "error"


def rehearse(options: Options) -> int:
    """Play a scenario and print its verdict; the exit code.

    Raises:
        TestbedError: bad input, something missing, or interrupted; the journal is whole up to then.
    """
    from testbed.rehearsal.configuration import thresholds
    from testbed.report.terminal import Progress, print_verdict

    scenario = load(options.scenario)
    limits = thresholds(scenario)
    folder = _fresh_folder(options.report)
    console = Console(highlight=False)
    with running(scenario, options, folder) as topology, _environment(topology, options, keep=options.keep):
        with Progress(console, topology.clock, topology.counts) as progress:
            topology.journal.listener = progress.hear
            topology.journal.write(_run_event(scenario, options, topology))
            for limit in limits:
                topology.journal.write(journal.Threshold(time=topology.clock.wall(), text=limit.text))
            play(scenario, topology, options)
        topology.journal.listener = None
        # Not sooner: a run should not wait for what only its end needs.
        from testbed.report import github
        from testbed.report.writing import write_report

        verdict = write_report(folder / JOURNAL, folder)
        print_verdict(verdict, console, folder / HTML)
        github.tell(verdict, os.environ)
        if options.keep:
            _print_access(console, topology, options)
            _wait_for_interrupt()
    return verdict.exit_code


def up(options: Options) -> int:
    """Start a scenario's topology as it stands before the cutover, and keep it until Ctrl-C."""
    scenario = load(options.scenario)
    console = Console(highlight=False)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(_temporary_folder()))
        topology = stack.enter_context(running(scenario, options, folder))
        if not options.empty:
            Cutover(scenario, topology, options.rate).apply(*scenario.manifests)
        stack.enter_context(_environment(topology, options, keep=True))
        _print_access(console, topology, options)
        _wait_for_interrupt()
    return ExitCode.PASS


def render(path: Path, folder: Path) -> int:
    """Write the reports of a journal anew and print its verdict; the exit code of the run."""
    from testbed.report.terminal import print_verdict
    from testbed.report.writing import write_report

    if not path.is_file():
        raise BadInput("no such journal", where=Location(path))
    _make_folder(folder)
    verdict = write_report(path, folder)
    print_verdict(verdict, Console(highlight=False), folder / HTML)
    return verdict.exit_code


def play(scenario: Scenario, topology: Running, options: Options) -> None:
    """Play a scenario on a running topology; the journal's last line says how it ended.

    Raises:
        TestbedError: whatever ended it early, but for a condition that was not reached.
    """
    reason, detail = ERROR, "something unforeseen"
    try:
        cutover = Cutover(scenario, topology, options.rate, options.external_dns)
        with _told_as_bad_input(cutover):
            scenario.play(cutover)
        cutover.end()
        topology.check()  # a script may have looked long ago
        topology.finish()
        reason, detail = COMPLETE, ""
    except KeyboardInterrupt:
        reason, detail = INTERRUPTED, ""
        raise Interrupted("interrupted; the journal holds what happened until then") from None
    except TestbedError as error:
        detail = str(error)
        raise
    finally:
        with interrupts.none():
            if reason != COMPLETE:
                _finish_what_can_be(topology)
            end = journal.RunFinished(time=topology.clock.wall(), reason=reason, detail=detail)
            topology.journal.write(end)


@contextmanager
def running(scenario: Scenario, options: Options, folder: Path) -> Iterator[Running]:
    """A scenario's topology, with nothing applied yet; its journal goes to the folder.

    Raises:
        TestbedError: it cannot be started, or was interrupted.
    """
    setup = Setup(
        host=scenario.host,
        zone=scenario.zone,
        external_dns_version=options.external_dns,
        external_dns_flags=scenario.flags(options.external_dns),
        connection_age=scenario.connection_age,
        seed=options.seed,
        **_service(scenario),
    )
    with interrupts.told(), ExitStack() as stack:
        stack.enter_context(interrupts.by_sigterm())
        written = stack.enter_context(journal.Journal(folder / JOURNAL))
        clock = Clock(speed=options.speed)
        topology: Running
        if options.on == ON_COMPOSE:
            if scenario.traffic is not None or scenario.targets != Targets():
                raise BadInput("containers have the sample service only", do="leave out --on compose")
            from testbed.runtime.compose.composed import Composed

            topology = Composed(setup, clock, written)
        else:
            network = stack.enter_context(lease(options.network, privileged=options.privileged_ports))
            topology = Embedded(setup, clock, network, written, folder)
        try:
            topology.start()
            yield topology
        finally:
            with interrupts.none():
                topology.close()


def _service(scenario: Scenario) -> dict[str, Any]:
    """What a topology is told of the user's own service: its pods, its calls, its backend."""
    targets = scenario.targets
    told: dict[str, Any] = {
        "lb_controller": scenario.lb_controller,
        "pod_labels": targets.labels,
        "namespace": targets.namespace,
        "tls_ports": targets.tls_ports,
        "plain_ports": targets.plain_ports,
        "proxy_protocol": targets.proxy_protocol,
        "port_names": targets.port_names,
        "port": scenario.port,
    }
    if scenario.traffic is None:
        return told
    from testbed.traffic import calls, description

    traffic = description.resolve(scenario.traffic, scenario.folder)
    assert traffic
    return told | {
        "calls": calls.to_text(traffic.calls),
        "backend_grpc": traffic.backend.grpc,
        "backend_rest": traffic.backend.rest,
        "backend_command": traffic.backend.command,
    }


@contextmanager
def _told_as_bad_input(cutover: Cutover) -> Iterator[None]:
    """What the user's script raises is told with the line of the script."""
    folder = cutover.scenario.folder
    try:
        yield
    except TestbedError as error:
        if error.where is None:
            error.where = script_line(error, folder)
        raise
    except (Exception, SystemExit) as error:  # a user's script may raise anything
        if isinstance(error, StepFailed) and cutover.has_failed:
            return  # the failed expectation is in the journal, and the verdict tells it
        where = script_line(error, folder)
        if where is None and not isinstance(error, SystemExit):
            raise
        raise BadInput(f"the scenario raised {type(error).__name__}: {error}", where=where) from error


def _finish_what_can_be(topology: Running) -> None:
    try:
        topology.finish()
    except Exception:  # noqa: BLE001 the run has failed already, for a better reason than this one
        return


def _run_event(scenario: Scenario, options: Options, topology: Running) -> journal.Run:
    clock = topology.clock
    memory = psutil.virtual_memory().total / (1 << 30)
    return journal.Run(
        time=clock.wall(),
        scenario=scenario.name,
        title=scenario.title,
        clock={"speed": clock.speed, "epoch": clock.epoch, "monotonic": clock.monotonic},
        rate=options.rate,
        seed=options.seed,
        external_dns=options.external_dns,
        network=str(topology.network),
        host=scenario.host,
        testbed=__version__,
        machine=f"{platform.system()} {platform.machine()}, {psutil.cpu_count()} cores, {memory:.0f} GiB",
    )


def _environment(topology: Running, options: Options, *, keep: bool) -> AbstractContextManager[object]:
    """The files for standard tools, as long as the block lasts: where it was asked for, or if it is kept."""
    from testbed.runtime.environment import DEFAULT_FOLDER, written

    folder = options.environment or (DEFAULT_FOLDER if keep else None)
    return written(topology, folder) if folder else nullcontext()


def _print_access(console: Console, topology: Running, options: Options) -> None:
    """How to reach a running topology with the tools of the trade."""
    from testbed.runtime.environment import DEFAULT_FOLDER, FILE, variables

    network, host = topology.network, topology.setup.host
    folder = options.environment or DEFAULT_FOLDER
    console.print(f"The topology runs on {network}. Ctrl-C stops it.\n")
    for name, value in variables(topology, folder.absolute()).items():
        if name.startswith(
            ("AWS_ACCESS", "AWS_SECRET", "AWS_DEFAULT", "AWS_ENDPOINT", "KUBECONFIG", "TESTBED_")
        ):
            console.print(f"  export {name}={shlex.quote(value)}", soft_wrap=True, markup=False)
    lines = {
        f"or all of it: . {folder / FILE}": "",
        "records": f"dig $TESTBED_DNS {host}",
        "REST": f"curl --connect-to {host}:443:$(dig +short $TESTBED_DNS {host} | head -1):$TESTBED_HTTPS "
        f'--cacert "$TESTBED_CA" https://{host}/measurements/foot-0',
        "Route 53": "aws route53 list-hosted-zones",
        "balancers": "aws elbv2 describe-load-balancers",
        **({"cluster": "kubectl get services,ingresses"} if topology.kubernetes else {}),
    }
    console.print()
    for title, command in lines.items():
        console.print(f"  # {title}", soft_wrap=True, markup=False)
        if command:
            console.print(f"  {command}", soft_wrap=True, markup=False)


def _wait_for_interrupt() -> None:
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        return


def _fresh_folder(folder: Path) -> Path:
    """The report folder, without what an earlier run left: its verdict must not be taken for this run's."""
    _make_folder(folder)
    for name in (JOURNAL, *OF_A_RUN):
        try:
            (folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise Missing(f"{folder / name} cannot be replaced: {error.strerror}") from None
    return folder


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Missing(
            f"{folder} cannot be made: {error.strerror}", do="name another folder with --report"
        ) from None


def _temporary_folder() -> Any:
    import tempfile

    return tempfile.TemporaryDirectory(prefix="testbed-")
