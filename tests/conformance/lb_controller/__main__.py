"""`python -m tests.conformance.lb_controller`: the table of the recorded clusters, by file and release."""

from __future__ import annotations

import sys

from tests.conformance.lb_controller import recorded

for file in sys.argv[1:] or ("ingress.jsonl", "annotations.jsonl"):
    sys.stdout.write(f"{recorded.table(file)}\n")
