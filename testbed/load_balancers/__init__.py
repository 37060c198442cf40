"""What stands in the ELBv2 API forwards: balancers, health checks, access logs."""

import os

# The testbed forks children while gRPC threads run; the children exec at once and need none of gRPC's care.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
