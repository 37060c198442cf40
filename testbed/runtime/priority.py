"""The order in which parts get a contested core: clients and the path of requests before the control plane.

A request that starts late because a controller reads an API measures this machine, not the cutover.
"""

from __future__ import annotations

import os
import threading

GIVES_WAY = 5
"""How much nicer the control plane is than the testbed itself; see `man 7 sched`. It keeps a quarter of a
contested core: enough that a sync is not late when clients take all they can get."""
_NICEST = 19


def give_way() -> None:
    """Make the calling thread nicer than it was, and with it the threads that it starts later."""
    thread = threading.get_native_id()
    os.setpriority(os.PRIO_PROCESS, thread, min(_NICEST, os.getpriority(os.PRIO_PROCESS, thread) + GIVES_WAY))
