"""`python -m testbed.live`: the server of the live page, a child process of the run.

Its first line of input is a `ServerPlan` as JSON; each line after it is an order of the run. It prints
`ready PORT`, and then each act of a person as a line of JSON.
"""

from __future__ import annotations

import asyncio
import sys

from testbed.live.page_server import PageServer
from testbed.live.server_plan import ServerPlan
from testbed.runtime.priority import give_way


def main() -> int:
    """Serve until the run says that it is over, or is gone."""
    give_way()
    server = PageServer(ServerPlan.from_json(sys.stdin.buffer.readline()))
    try:
        asyncio.run(server.serve(sys.stdin.buffer, sys.stdout.buffer))
    except OSError as error:
        # Without a traceback: the run quotes what is printed here.
        sys.stdout.write(f"the port of the live page cannot be bound: {error.strerror}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
