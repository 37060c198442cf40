"""Plays a scenario on a running topology, from the first line of its journal to the last."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from testbed import __version__, interrupts, journal, machine
from testbed.client_models.catalogue import MODELS
from testbed.errors import BadInput, Interrupted, Missing, TestbedError
from testbed.options import Options
from testbed.rehearsal import conditions, standing
from testbed.rehearsal.cutover import Cutover, StepFailed
from testbed.rehearsal.heartbeat import heartbeat
from testbed.rehearsal.refused_exits import refused_exits
from testbed.rehearsal.scenario import Scenario
from testbed.rehearsal.script import script_line, words_of
from testbed.rehearsal.topology import Topology

CutoverOf = Callable[[Scenario, Topology, float, Callable[[int, str], None]], Cutover]
COMPLETE, INTERRUPTED, ERROR = "complete", "interrupted", "error"


def write_start(
    scenario: Scenario, topology: Topology, options: Options, thresholds: Sequence[str] = ()
) -> None:
    """Write the first lines of a run's journal: what is played, on which machine, with which thresholds."""
    clock, cluster = topology.clock, topology.setup.cluster
    topology.journal.write(
        journal.Run(
            time=clock.wall(),
            id=topology.journal.run,
            scenario=scenario.name,
            title=scenario.title,
            clock={"speed": clock.speed, "epoch": clock.epoch, "monotonic": clock.monotonic},
            rate=options.rate,
            seed=options.seed,
            external_dns=cluster.played_external_dns,
            external_dns_by=cluster.external_dns_by,
            external_dns_binary=cluster.external_dns_binary,
            lb_controller=cluster.played_lb_controller,
            lb_controller_by=cluster.lb_controller_by,
            lb_controller_binary=cluster.lb_controller_binary,
            network=str(topology.network),
            host=scenario.host,
            testbed=__version__,
            machine=machine.summary(),
            connection_age=topology.setup.connection_age,
            command=options.command(
                cluster.external_dns_binary or cluster.played_external_dns,
                cluster.lb_controller_binary or cluster.played_lb_controller,
            ),
        )
    )
    topology.journal.write(*topology.real_controllers)
    for group in topology.setup.clients:
        model = MODELS[group.model]
        topology.journal.write(
            journal.Clients(
                time=clock.wall(),
                model=group.model,
                count=group.count,
                protocol=model.protocol,
                resolver=group.resolver,
                looks_up=model.looks_up.value,
                follows=model.follows_by_itself,
                source=str(model.source),
                extrapolated=model.extrapolated,
                assumed=scenario.clients is None,
                connection_age=topology.setup.connection_age,
                region=group.region,
                requests_every=group.requests_every,
            )
        )
    for text in thresholds:
        topology.journal.write(journal.Threshold(time=clock.wall(), text=text))


def play(
    scenario: Scenario,
    topology: Topology,
    options: Options,
    before_step: Callable[[int, str], None] = lambda *_: None,
    *,
    cutover_of: CutoverOf = Cutover,
) -> None:
    """Play a scenario on a running topology; the journal's last line says how it ended.

    Args:
        before_step: is called with the number and title of each step before it begins.
        cutover_of: makes what the scenario plays on.

    Raises:
        TestbedError: the run ended early, for any reason but a condition that was not reached.
    """
    reason, detail = ERROR, "something unforeseen"
    cutover = cutover_of(scenario, topology, options.rate, before_step)
    try:
        with (
            _as_bad_input(cutover),
            _refused_conditions(),
            _threads_of_the_script(scenario.folder),
            refused_exits(),
            heartbeat(topology.journal, topology.clock),
        ):
            standing.let_stand(cutover)
            scenario.play(cutover)
        cutover.end()
        topology.check()  # the script may have looked at the topology long ago, or never
        topology.finish()
        reason, detail = COMPLETE, ""
    except (KeyboardInterrupt, Interrupted) as error:
        reason, detail = INTERRUPTED, ""
        why = str(error) or "interrupted"
        raise Interrupted(
            f"{why}; `testbed report {topology.journal.path}` shows what happened until then"
        ) from None
    except TestbedError as error:
        detail = str(error)
        raise
    finally:
        with interrupts.ignored():
            cutover.close()
            if reason != COMPLETE:
                # The run has failed already, for a better reason than what may go wrong here.
                with suppress(Exception):
                    topology.finish()
            end = journal.RunFinished(time=topology.clock.wall(), reason=reason, detail=detail)
            topology.journal.write(end)


@contextmanager
def _as_bad_input(cutover: Cutover) -> Iterator[None]:
    """Turn whatever the user's script raises into an error that names the line of the script."""
    folder = cutover.scenario.folder
    try:
        yield
    except TestbedError as error:
        if error.where is None and not isinstance(error, Interrupted):
            error.where = script_line(error, folder)
        raise
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a user's script may raise anything
        if isinstance(error, StepFailed) and cutover.has_failed:
            return  # the journal has the failed expectation, and the verdict reports it
        where = script_line(error, folder)
        if _is_silence_of_aws(error):
            raise Missing(
                f"the AWS endpoint does not answer: {words_of(error)}",
                where=where,
                do="play again; its process hangs, or this machine is too busy",
            ) from error
        if where is None and not isinstance(error, SystemExit):
            raise
        raise BadInput(f"the scenario raised {words_of(error)}", where=where) from error


def _is_silence_of_aws(error: BaseException) -> bool:
    """True if no answer came; every AWS endpoint that a script reaches is the testbed's own."""
    from botocore import exceptions  # here: few runs need them

    return isinstance(error, exceptions.ConnectionError | exceptions.HTTPClientError)


@contextmanager
def _refused_conditions() -> Iterator[None]:
    """Raise the first refusal of a condition when the story ends, whatever has swallowed it."""
    conditions.refusals.clear()
    yield
    if conditions.refusals:
        raise conditions.refusals[0]


@contextmanager
def _threads_of_the_script(folder: Path) -> Iterator[None]:
    """Raise the first exception of a thread of the script when the story ends.

    Python prints it and goes on, so a story whose checks died in a thread would pass.
    """
    raised: list[BaseException] = []
    default_hook = threading.excepthook

    def keep(arguments: threading.ExceptHookArgs) -> None:
        error = arguments.exc_value
        if error is not None and script_line(error, folder):
            raised.append(error)
        else:
            default_hook(arguments)

    threading.excepthook = keep
    try:
        yield
    finally:
        threading.excepthook = default_hook
    if raised:
        raise raised[0]
