"""A scenario is a plain Python function that plays a cutover; this module finds and loads it.

```python
from testbed.rehearsal import Cutover, scenario

@scenario("Our move to the ALB", host="api.example.com")
def story(cutover: Cutover) -> None:
    with cutover.step("The NLB serves everything", why="This is how production stands today."):
        cutover.apply("manifests/service.yaml")
        ...
```

The first function of a script is its story; the others are variants, named `PATH:function`.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Literal

from testbed.errors import BadInput, Location, TestbedError

if TYPE_CHECKING:
    from testbed.rehearsal.cutover import Cutover
    from testbed.traffic.description import Traffic

Play = Callable[["Cutover"], None]

EXTERNAL_DNS_FLAGS = (
    "--source=service",
    "--source=ingress",
    "--provider=aws",
    "--policy=sync",
    "--registry=txt",
    "--txt-owner-id=testbed",
    "--log-level=debug",
)


@dataclass(frozen=True, slots=True)
class Targets:
    """The pods that the manifests' Services select: Envoys with a TLS and a plain listener.

    Attributes:
        labels: of the pods; all Services of the manifests select by some of them.
        tls_ports: each `targetPort` of the Service behind the NLB, which passes TLS on.
        plain_ports: each `targetPort` of the Services behind the ALB.
        port_names: names of these ports, for Services that lead to a name.
        proxy_protocol: whether the pods expect the NLB's PROXY protocol at their TLS ports.
    """

    labels: Mapping[str, str] = field(default_factory=lambda: {"app": "envoy"})
    namespace: str = "default"
    tls_ports: tuple[int, ...] = (8443,)
    plain_ports: tuple[int, ...] = (8080,)
    port_names: Mapping[str, int] = field(default_factory=lambda: {"https": 8443, "http": 8080})
    proxy_protocol: bool = False


@dataclass(frozen=True, slots=True)
class Scenario:
    """A cutover that can be played.

    Attributes:
        play: the function; it acts on the `Cutover` it is given.
        title: one line for the report.
        host: the name whose alias moves; its zone is the hosted zone of the run.
        zone: the hosted zone, by default the host without its first label.
        folder: manifests are named relative to it.
        manifests: what stands before the cutover begins; `testbed up` applies it.
        connection_age: maximum age of a client's connection at the target Envoy's TLS listener, production
            seconds; None for no limit.
        external_dns: the `args:` of the ExternalDNS Deployment; empty: there is none.
        external_dns_by_version: further args for a version of ExternalDNS.
        lb_controller: which version of the AWS Load Balancer Controller decides, `v2.1` (the story's, 2020)
            or `v3`.
        thresholds: limits of the verdict, as `testbed.rehearsal.thresholds` reads them.
        traffic: the calls of the user's own service: a file (`traffic.toml`), or a
            `testbed.traffic.description.Traffic`; None for those of the sample service.
        targets: the pods that the manifests' Services select.
        port: the port that the clients call.
    """

    play: Play
    name: str
    title: str
    host: str
    zone: str
    folder: Path
    manifests: tuple[str, ...] = ()
    connection_age: float | None = 300.0
    external_dns: tuple[str, ...] = EXTERNAL_DNS_FLAGS
    external_dns_by_version: Mapping[str, Sequence[str]] = field(default_factory=dict)
    lb_controller: Literal["v2.1", "v3"] = "v2.1"
    thresholds: tuple[str, ...] = ()
    traffic: str | Traffic | None = None
    targets: Targets = field(default_factory=Targets)
    port: int = 443

    def flags(self, version: str) -> list[str]:
        """All ExternalDNS args for a version."""
        if not self.external_dns:
            return []
        return [*self.external_dns, *self.external_dns_by_version.get(version, ())]


def scenario(
    title: str,
    *,
    host: str,
    zone: str | None = None,
    manifests: Sequence[str] = (),
    connection_age: float | None = 300.0,
    external_dns: Sequence[str] = EXTERNAL_DNS_FLAGS,
    external_dns_by_version: Mapping[str, Sequence[str]] | None = None,
    lb_controller: Literal["v2.1", "v3"] = "v2.1",
    thresholds: Sequence[str] = (),
    traffic: str | Traffic | None = None,
    targets: Targets | None = None,
    port: int = 443,
) -> Callable[[Play], Play]:
    """Mark a function as a scenario; the arguments are those of `Scenario`."""

    def mark(play: Play) -> Play:
        play.__dict__["testbed_scenario"] = Scenario(
            play=play,
            name=play.__name__,
            title=title,
            host=host,
            zone=zone or host.partition(".")[2],
            folder=Path(play.__code__.co_filename).parent,
            manifests=tuple(manifests),
            connection_age=connection_age,
            external_dns=tuple(external_dns),
            external_dns_by_version=external_dns_by_version or {},
            lb_controller=lb_controller,
            thresholds=tuple(thresholds),
            traffic=traffic,
            targets=targets or Targets(),
            port=port,
        )
        return play

    return mark


def load(wanted: str) -> Scenario:
    """The scenario that `PATH` or `PATH:function` names; PATH is a script or a folder with one.

    Raises:
        BadInput: no such script, several scripts, no scenario in it, or the script cannot be imported.
    """
    path_text, _, name = wanted.partition(":")
    script = _script(Path(path_text))
    found = _scenarios(_import(script))
    if not found:
        raise BadInput(
            "the script has no scenario",
            where=Location(script),
            do="mark a function with @scenario(title, host=...)",
        )
    if not name:
        return found[0]
    for candidate in found:
        if candidate.name == name:
            return candidate
    known = ", ".join(candidate.name for candidate in found)
    raise BadInput(f"no scenario {name!r}", where=Location(script), do=f"it has {known}")


def script_line(error: BaseException, folder: Path) -> Location | None:
    """Where in the scenario's folder an exception came from, for the one line that tells of it."""
    if isinstance(error, SyntaxError) and error.filename:
        return Location(Path(error.filename), error.lineno)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if Path(frame.filename).is_relative_to(folder):
            return Location(Path(frame.filename), frame.lineno)
    return None


def _script(path: Path) -> Path:
    if path.is_file():
        return path.resolve()
    if not path.is_dir():
        raise BadInput("no such scenario", where=Location(path), do="name a script or a folder with one")
    scripts = sorted(path.glob("*.py"))
    if len(scripts) != 1:
        count = len(scripts) or "no"
        raise BadInput(f"the folder has {count} scripts, not one", where=Location(path))
    return scripts[0].resolve()


def _import(script: Path) -> ModuleType:
    # The traceback of a raising script names the user's own lines, so it is compiled under its own path.
    module = ModuleType(script.stem)
    module.__file__ = str(script)
    sys.path.insert(0, str(script.parent))
    try:
        exec(compile(script.read_bytes(), str(script), "exec"), module.__dict__)  # noqa: S102
    except TestbedError:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 a user's script may raise anything
        where = script_line(error, script.parent) or Location(script)
        reason = getattr(error, "msg", None) or f"{type(error).__name__}: {error}"
        raise BadInput(f"the script cannot be loaded: {reason}", where=where) from None
    finally:
        sys.path.remove(str(script.parent))
    return module


def _scenarios(module: ModuleType) -> list[Scenario]:
    marked = (getattr(value, "testbed_scenario", None) for value in vars(module).values())
    return [value for value in marked if isinstance(value, Scenario)]
