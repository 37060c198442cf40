"""The faults of a part in one word each, and the parts that they strike: `cutover.fault("kill", "envoy-1")`.

| fault     | what the others see                                                | ends by             |
|-----------|--------------------------------------------------------------------|---------------------|
| `stop`    | SIGTERM: it closes what it can; then nothing answers               | start               |
| `kill`    | SIGKILL: open connections are reset; then nothing answers          | start               |
| `pause`   | silence: the kernel still accepts connections, no process answers  | resume              |
| `cut_off` | silence: no host has its address, and the part itself runs on      | the same addresses  |

Of a part that has stopped, a container's address is gone (silence), and a local process's port is refused.
"""

from __future__ import annotations

from typing import Literal, get_args

Fault = Literal["stop", "kill", "pause", "cut_off"]
Part = Literal["nlb", "alb", "envoy-0", "envoy-1", "backend-0", "backend-1", "localstack"]

STOP: Fault = "stop"
KILL: Fault = "kill"
PAUSE: Fault = "pause"
CUT_OFF: Fault = "cut_off"

FAULTS: tuple[Fault, ...] = get_args(Fault)
PARTS: tuple[Part, ...] = get_args(Part)
"""`control` and `aws` are not among them: they hold the run itself."""
