"""What a person does on the live page: pause before each step, play the next one, go on, strike with a fault.

```
pause ──► before the next step the story waits; the traffic and the controllers go on
            next: plays that step, with a prediction, and waits again
            go on: plays to the end
```

Each act is in the journal. What cannot be done is told on the page, and changes nothing.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from testbed.clock import Clock
from testbed.errors import BadInput, Interrupted, TestbedError
from testbed.faults import Scheduled
from testbed.journal import Journal, PageAct
from testbed.live.fault_words import read_fault
from testbed.rehearsal.cutover import Cutover
from testbed.settings import PATIENCE

LASTS = 60.0
"""Production seconds that a fault lasts if nobody says how long."""
NO_ALIAS = "none"
YES_OR_NO = ("y", "n")


class Director:
    """Does the acts of a person, in the order in which they come.

    Args:
        journal: of the run.
        clock: of the run.
        waits: True if the story waits before its first step: `testbed walk`.
        check: raises if a part of the topology has failed; it is called while the story waits.

    Attributes:
        balancers: returns the names of the balancers, which a prediction may name.
        cutover: what faults strike; None until there is one.
        answers: the prediction before a step: where the alias will point, and whether a request is lost.
    """

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        *,
        waits: bool = False,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._journal, self._clock = journal, clock
        self._show: Callable[..., None] = lambda **_: None
        self._check = check
        self.balancers: Callable[[], Sequence[str]] = lambda: ()
        self._lock = threading.Lock()
        self._pauses = waits
        self._waits_for = ""
        self._go = threading.Event()
        self._is_ended = False
        self._told = 0
        self.cutover: Cutover | None = None
        self.answers: deque[str] = deque()

    def begin(self, show: Callable[..., None]) -> None:
        """Show from now on what waits, by a function such as `LivePage.control`."""
        self._show = show
        self._show_gate()

    def before_step(self, number: int, title: str) -> bool:
        """Wait before a step, if a person wants to; return True if a prediction was asked for.

        Raises:
            Interrupted: the person ends the run.
            TestbedError: a part has failed meanwhile.
        """
        with self._lock:
            self.answers.clear()
            if not self._pauses:
                return False
            self._go.clear()
            self._waits_for = f"Step {number}: {title}"
        self._show_gate()
        while not self._go.wait(PATIENCE.look):
            self._check()
        if self._is_ended:
            raise Interrupted("the run was ended on its page")
        return True

    def answer(self, _: str) -> str:
        """Return the next answer of the prediction, "" where there is none: the questions are on the page."""
        return self.answers.popleft() if self.answers else ""

    def checked(self, is_right: bool, text: str) -> None:
        """Show what became of a prediction."""
        self.tell(f"{'Right' if is_right else 'Wrong'}: {text}")

    def tell(self, text: str) -> None:
        """Show a sentence; a number beside it tells equal ones apart."""
        self._told += 1
        self._show(told={"number": self._told, "text": text})

    def act(self, act: Mapping[str, Any]) -> None:
        """Do an act, or tell why not; any thread may call this."""
        try:
            match act:
                case {"act": "pause"}:
                    self._pause()
                case {"act": "next"}:
                    self._play("next step", act, pauses=True)
                case {"act": "go"}:
                    self._play("go on", act, pauses=False)
                case {"act": "end"}:
                    self._end()
                case {"act": "fault", "fault": str(text)}:
                    self._strike(text, act.get("for", LASTS))
                case _:
                    raise BadInput("the page knows no such act")
        except TestbedError as error:
            self.tell(str(error))

    def _write(self, text: str) -> None:
        self._journal.write(PageAct(time=self._clock.wall(), text=text))

    def _show_gate(self) -> None:
        names = [*self.balancers(), NO_ALIAS] if self._waits_for else []
        self._show(pauses=self._pauses, waits_for=self._waits_for, names=names)

    def _pause(self) -> None:
        with self._lock:
            self._pauses = True
        self._write("pause before the next step")
        self._show_gate()

    def _play(self, text: str, act: Mapping[str, Any], *, pauses: bool) -> None:
        alias, lost = str(act.get("alias", "")).strip(), str(act.get("lost", "")).strip()
        known = {name.lower() for name in (*self.balancers(), NO_ALIAS)}
        if unknown := {*alias.lower().replace(",", " ").split()} - known:
            raise BadInput(f"a prediction names no {', '.join(sorted(unknown))}")
        if lost not in ("", *YES_OR_NO):
            raise BadInput("a prediction of losses is y or n")
        with self._lock:
            if pauses and not self._waits_for:
                raise BadInput("no step waits: pause first")
            self._pauses = pauses
            self.answers.extend([alias, lost] if self._waits_for else ())
            self._waits_for = ""  # a second click plays no second step
        said = ", ".join(filter(None, (alias and f"alias {alias}", lost and f"lost {lost}")))
        self._write(f"{text}; prediction: {said}" if said else text)
        self._go.set()
        self._show_gate()

    def _end(self) -> None:
        with self._lock:
            if not self._waits_for:
                raise BadInput("no step waits: pause first, or press Ctrl-C in the terminal")
            self._is_ended, self._waits_for = True, ""
        self._write("end the run")
        self._go.set()

    def _strike(self, text: str, lasts: object) -> None:
        if self.cutover is None:
            raise BadInput("the story has not begun")
        if isinstance(lasts, bool) or not isinstance(lasts, int | float):
            raise BadInput("a fault lasts a number of production seconds")
        scheduled = Scheduled(read_fault(text), for_=lasts)
        self._write(f"fault {scheduled.fault.text}, for {lasts:g} s of production time")
        self.cutover.strike(scheduled)
        self.tell(f"{scheduled.fault.text} strikes for {lasts:g} s of production time")
