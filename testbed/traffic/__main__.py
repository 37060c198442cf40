"""`python -m testbed.traffic PLAN`: the generator process; PLAN is the JSON of a `TrafficPlan`, or `@file`.

It prints `ready` when it can send, and reads commands from standard input, one a line: `rate N`, `pause`,
`resume`, `stop`. The end of standard input stops it, too; so does SIGTERM, which waits less for requests in
flight.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from pathlib import Path

import uvloop

from testbed.errors import BadInput, ExitCode, TestbedError
from testbed.garbage import keep_what_is_there
from testbed.journal import Journal
from testbed.traffic.traffic_plan import TrafficPlan

_STDIN = 0


async def generate(plan: TrafficPlan) -> None:
    """Run the generator of a plan until it receives `stop`.

    Raises:
        Missing: the journal cannot be written.
    """
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # connection errors go to the ledger
    from testbed.traffic.generator import Generator

    loop = asyncio.get_running_loop()
    with Journal(plan.journal) as journal:
        generator = Generator(plan, journal)
        await generator.open()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, generator.hurry)

        def obey(line: str) -> None:
            command, _, value = line.partition(" ")
            if command == "stop":
                generator.stop()
            elif command == "pause":
                generator.set_rate(0.0)
            elif command == "resume":
                generator.resume()
            elif command == "rate":
                generator.set_rate(float(value))

        def listen() -> None:
            # Unbuffered: a thread inside a buffered read would keep the interpreter from ending.
            rest = b""
            while data := os.read(_STDIN, 4096):
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    loop.call_soon_threadsafe(obey, line.decode().strip())
            loop.call_soon_threadsafe(generator.stop)

        keep_what_is_there()
        threading.Thread(target=listen, name="commands", daemon=True).start()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await generator.run()


def main(arguments: list[str]) -> int:
    """Read the plan and send its traffic; return the exit status."""
    try:
        if len(arguments) != 1:
            raise BadInput("one argument is needed: the JSON of a traffic plan, or @file")
        text = arguments[0]
        plan = TrafficPlan.from_json(Path(text[1:]).read_text() if text.startswith("@") else text)
        uvloop.run(generate(plan))
    except TestbedError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        return ExitCode.MISSING
    return ExitCode.PASS


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
