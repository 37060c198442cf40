"""What the run tells the server of its page at the start, and the word by which the server answers."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

READY = "ready"
"""`ready PORT`: the first line of the server's output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerPlan:
    """What the server serves, and where; `port` 0 is the first free one."""

    journal: Path
    address: str
    port: int
    token: str

    def to_json(self) -> str:
        """Write the plan as one line."""
        return json.dumps({**asdict(self), "journal": str(self.journal)})

    @classmethod
    def from_json(cls, text: str | bytes) -> ServerPlan:
        """Read what `to_json` wrote."""
        fields = json.loads(text)
        return cls(**{**fields, "journal": Path(fields["journal"])})
