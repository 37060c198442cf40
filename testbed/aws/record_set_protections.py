"""Protected record sets: no batch changes or deletes them until their protection ends (pure).

Source: Route 53 API reference, CreateResourceRecordSetProtections. The texts are by analogy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from testbed.aws.answers import Refusal
from testbed.aws.route53_names import stored_name

Name = tuple[str, str]
"""Name as Route 53 stores it, and type."""


@dataclass(slots=True)
class Protections:
    """The protections of one zone: comments by name and type."""

    protected: dict[Name, str] = field(default_factory=dict)

    def add(self, items: Iterable[tuple[str, str, str]]) -> Refusal | None:
        """Protect record sets (name, type, comment), all of them or none."""
        new = {(name, kind): comment for name, kind, comment in items}
        if twice := new.keys() & self.protected.keys():
            return Refusal("ProtectionAlreadyExists", f"{_titles(twice)} is protected already", 409)
        self.protected |= new
        return None

    def remove(self, items: Iterable[tuple[str, str, str]]) -> Refusal | None:
        """End the protection of record sets, of all or of none."""
        gone = {(name, kind) for name, kind, _ in items}
        if unknown := gone - self.protected.keys():
            return Refusal("InvalidResourceRecordSetProtectionBatch", f"{_titles(unknown)} is not protected")
        for name in gone:
            del self.protected[name]
        return None

    def refusal(self, changes: Iterable[Mapping[str, Any]]) -> Refusal | None:
        """Return the refusal of a batch that changes or deletes a protected record set."""
        touched = {
            (stored_name(change["ResourceRecordSet"]["Name"]), change["ResourceRecordSet"]["Type"])
            for change in changes
        }
        if hit := touched & self.protected.keys():
            return Refusal("InvalidChangeBatch", f"[{_titles(hit)} is protected]")
        return None


def _titles(names: Iterable[Name]) -> str:
    return ", ".join(f"RRSet with DNS name {name}, type {kind}" for name, kind in sorted(names))
