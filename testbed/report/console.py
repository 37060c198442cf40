"""The console of a run: rich's, for text that comes from outside."""

from __future__ import annotations

import select
import sys

from rich.console import Console  # noqa: TID251 here and nowhere else

from testbed.printing import discard_output
from testbed.settings import PATIENCE


class Terminal(Console):
    """A console that takes each text as it is: brackets are no markup, colons no emoji."""

    def __init__(self, *, stderr: bool = False, soft_wrap: bool = False) -> None:
        super().__init__(stderr=stderr, soft_wrap=soft_wrap, highlight=False, markup=False, emoji=False)

    def ask(self, question: str) -> str:
        """Print a question and return the line that a person types.

        Raises:
            EOFError: the input ended.
        """
        try:
            self.print(question, end="")
            # A signal just before `input` blocks would wait for the next key: call it once a line is there.
            while sys.stdin.isatty() and not select.select([sys.stdin], [], [], PATIENCE.poll)[0]:
                pass
            return input()
        except KeyboardInterrupt:
            self.print()  # what follows begins a line of its own
            raise

    def on_broken_pipe(self) -> None:
        """Discard the rest of the output.

        rich would end the thread that prints, which may be the one that serves.
        """
        self.quiet = True
        discard_output(sys.stderr if self.stderr else sys.stdout)
