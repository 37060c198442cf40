"""The data plane of ELBv2: Envoys that forward as its API says, health checks, access logs, metrics."""

import os

# The testbed forks children while gRPC threads run. They exec at once and need none of gRPC's fork support.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
