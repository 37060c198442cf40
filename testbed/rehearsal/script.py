"""Finds and loads the script of a scenario, `PATH` or `PATH:function`."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from types import ModuleType

from testbed import shipped
from testbed.errors import BadInput, Location, TestbedError
from testbed.rehearsal import dropped_demands, durations
from testbed.rehearsal.refused_exits import refused_exits
from testbed.rehearsal.scenario import Scenario


def load(name: str) -> Scenario:
    """Load the scenario `PATH` or `PATH:function`; PATH is a script, or a folder with one script.

    `scenarios/zozomat` and its neighbours are shipped: they are found from every working directory.

    Raises:
        BadInput: there is no such script or there are several, it has no such scenario, it cannot be
            imported, or its text shows that it checks nothing where it seems to.
    """
    path_text, _, function = name.partition(":")
    script = _script(shipped.scenario(Path(path_text)))
    scenarios = _scenarios(_import(script))
    durations.check_script(script)
    dropped_demands.check_script(script)
    if not scenarios:
        raise BadInput(
            "the script has no scenario",
            where=Location(script),
            do="mark a function with @scenario(title, host=...)",
        )
    if not function:
        return scenarios[0]
    for candidate in scenarios:
        if candidate.name == function:
            return candidate
    known = ", ".join(candidate.name for candidate in scenarios)
    raise BadInput(f"the script has no scenario {function!r}", where=Location(script), do=f"it has {known}")


def script_line(error: BaseException, folder: Path) -> Location | None:
    """Return the innermost line of a scenario's folder that an exception passed, or None."""
    if isinstance(error, SyntaxError) and error.filename:
        return Location(Path(error.filename), error.lineno)
    # The innermost frame of the folder: the frames below it are the testbed's, which the user cannot correct.
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if Path(frame.filename).is_relative_to(folder):
            return Location(Path(frame.filename), frame.lineno)
    return None


def words_of(error: BaseException) -> str:
    """Return the type and the text of an exception: `ValueError: boom`, or `ValueError` alone."""
    return ": ".join(filter(None, (type(error).__name__, str(error))))


def _script(path: Path) -> Path:
    if path.is_file():
        return path.resolve()
    if not path.is_dir():
        raise BadInput(
            "no such scenario",
            where=Location(path),
            do=f"name a script, a folder with one, or one of {', '.join(shipped.scenarios())}",
        )
    scripts = sorted(path.glob("*.py"))
    if not scripts:
        below = next(iter(sorted(path.glob("*/*.py"))), None)
        do = f"{below.parent} has one" if below else "name a script or a folder with one"
        raise BadInput("the folder has no script", where=Location(path), do=do)
    if len(scripts) > 1:
        raise BadInput(f"the folder has {len(scripts)} scripts, not one", where=Location(path), do="name one")
    return scripts[0].resolve()


def _import(script: Path) -> ModuleType:
    # Compiled under its own path, so that the traceback of a script that raises names the user's own lines.
    module = ModuleType(script.stem)
    module.__file__ = str(script)
    sys.path.insert(0, str(script.parent))  # a script may import modules beside it, as under `python`
    try:
        with refused_exits():
            exec(compile(script.read_bytes(), str(script), "exec"), module.__dict__)  # noqa: S102
    except TestbedError as error:
        error.where = error.where or script_line(error, script.parent)
        raise
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 a user's script may raise anything
        where = script_line(error, script.parent) or Location(script)
        reason = getattr(error, "msg", None) or words_of(error)
        raise BadInput(f"the script cannot be loaded: {reason}", where=where) from None
    finally:
        sys.path.remove(str(script.parent))
    return module


def _scenarios(module: ModuleType) -> list[Scenario]:
    marked = (getattr(value, "testbed_scenario", None) for value in vars(module).values())
    return [value for value in marked if isinstance(value, Scenario)]
