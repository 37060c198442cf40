"""The questions of a walk: before each step a prediction, after it what happened, and why.

```
Step 4: The annotation leaves the Service
  Where does the alias point when it ends (nlb, alb, none)?  alb
  Is a request lost (y, n)?  n
...
  ✓ the alias: you said alb; it points to the ALB
  ✓ lost requests: you said no; none was lost
  Why: Now only the Ingresses claim the name.
```
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from testbed import journal
from testbed.balancer_identity import phrase
from testbed.errors import Interrupted
from testbed.report.console import Terminal
from testbed.report.terminal import Signs
from testbed.traffic.counts import Counts

NONE, QUIT = "none", "q"
_LOST = {"y": True, "yes": True, "n": False, "no": False}
HOW = "Enter goes on without a prediction, q ends the walk. The traffic goes on meanwhile."


@dataclass(frozen=True, slots=True)
class Predicted:
    """The answers before a step; None where there was none.

    Attributes:
        alias: the names of the balancers; empty for `NONE`.
        is_lost: whether a request is lost.
    """

    alias: frozenset[str] | None = None
    is_lost: bool | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """An answer and what happened."""

    is_right: bool
    text: str


def _words(answer: str) -> frozenset[str]:
    return frozenset(answer.lower().replace(",", " ").split())


def read(alias: str, lost: str) -> Predicted:
    """Read two answers; one that is empty, or neither yes nor no, is none."""
    names = _words(alias)
    return Predicted(names - {NONE} if names else None, _LOST.get(lost.lower()))


def check(predicted: Predicted, alias: Sequence[str], lost: int) -> Sequence[Checked]:
    """Compare the answers with what happened in a step.

    Args:
        alias: the names of the balancers that the alias points to.
        lost: requests that failed or ended unknown in the step.
    """
    checked: list[Checked] = []
    if predicted.alias is not None:
        there = f"it points to {' and '.join(map(phrase, alias))}" if alias else "the name has no address"
        said = " and ".join(sorted(predicted.alias)) or NONE
        is_right = predicted.alias == {name.lower() for name in alias}
        checked.append(Checked(is_right, f"the alias: you said {said}; {there}"))
    if predicted.is_lost is not None:
        said = "yes" if predicted.is_lost else "no"
        seen = f"{lost:,} were lost" if lost else "none was lost"
        checked.append(Checked(predicted.is_lost == (lost > 0), f"lost requests: you said {said}; {seen}"))
    return checked


class Predictions:
    """Asks a person before each step, and compares after it.

    Args:
        console: where the questions stand.
        hint: the lines to type in another terminal, printed before the first step.
        answer: prints a question and returns the line that the person types.
        alias: returns the names of the balancers that the alias points to now.
        balancers: returns the names of the balancers that there are now.
        counts: returns the counts of the requests so far.
        how: how to answer, printed below the hint.
        tell: also gets whether an answer was right, and what happened.
    """

    def __init__(
        self,
        console: Terminal,
        *,
        hint: Sequence[str],
        answer: Callable[[str], str],
        alias: Callable[[], Sequence[str]],
        balancers: Callable[[], Sequence[str]],
        counts: Callable[[], Counts],
        how: str = HOW,
        tell: Callable[[bool, str], None] | None = None,
    ) -> None:
        self._console, self._answer = console, answer
        self._hint: Sequence[str] = hint
        self._alias, self._balancers, self._counts = alias, balancers, counts
        self._signs = Signs.of(console)
        self._predicted = Predicted()
        self._before = Counts()
        self._how, self._tell = how, tell
        self._is_asked = False
        self._why = ""
        self.right = 0
        self.asked = 0

    def before_step(self, number: int, title: str) -> None:
        """Ask for the predictions of a step.

        Raises:
            Interrupted: the person ends the walk.
        """
        if self._hint:
            self._console.print("\nIn another terminal:\n")
            for line in self._hint:
                self._console.print(f"  {line}", soft_wrap=True)
            self._console.print(f"\n{self._how}")
            self._hint = ()
        self._console.print(f"\nStep {number}: {title}", style="bold")
        self._is_asked = True
        names = (*self._balancers(), NONE)
        alias = self._ask("Where does the alias point when it ends", names)
        self._predicted = read(alias, self._ask("Is a request lost", ("y", "n")))
        self._before = self._counts()

    def hear(self, event: journal.Event) -> None:
        """Keep the reason of a step, and compare when it ends; pass it the events of the journal.

        A step before which nobody was asked is passed over.
        """
        if isinstance(event, journal.StepStarted):
            self._why = event.why
        elif isinstance(event, journal.StepFinished) and self._is_asked:
            self._is_asked = False
            during = self._counts().since(self._before)
            for one in check(self._predicted, self._alias(), during.failed + during.unknown):
                self.asked += 1
                self.right += one.is_right
                sign, style = (self._signs.yes, "green") if one.is_right else (self._signs.no, "red")
                self._console.print(f"  {sign} {one.text}", style=style, soft_wrap=True)
                if self._tell:
                    self._tell(one.is_right, one.text)
            self._console.print(f"  Why: {self._why}", soft_wrap=True)
            self._predicted = Predicted()

    @property
    def summary(self) -> str:
        """How many predictions were right."""
        return (
            f"{self.right} of {self.asked} predictions were right."
            if self.asked
            else "Nothing was predicted."
        )

    def _ask(self, question: str, choices: Sequence[str]) -> str:
        """Ask until the answer is empty or made of the choices; return it."""
        known = {choice.lower() for choice in (*choices, *(_LOST if "y" in choices else ()))}
        while True:
            try:
                line = self._answer(f"  {question} ({', '.join(choices)})? ").strip()
            except EOFError:
                line = QUIT
            if line.lower() == QUIT:
                raise Interrupted("the walk ended before its last step")
            if known.issuperset(_words(line)):
                return line
