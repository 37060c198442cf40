"""`testbed walk`: play a scenario step by step, with a prediction before each."""

from __future__ import annotations

from typing import Any

import click

from testbed.cli import options
from testbed.cli.rehearse import rehearsed
from testbed.options import Options


@click.command()
@options.OF_A_PLAY
@options.ENVIRONMENT
@options.LIVE
@options.OPEN
@options.NETWORK
@options.PRIVILEGED_PORTS
def walk(**chosen: Any) -> int:
    """Play a scenario step by step, with a prediction before each.

    Before each step it asks what will happen, and afterwards says what did, and why. Time and traffic go on
    while you look around in another terminal. SCENARIO is a folder, a script, or SCRIPT:VARIANT.
    """
    return rehearsed(Options(**chosen), is_walk=True)
