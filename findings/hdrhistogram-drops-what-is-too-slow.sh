#!/usr/bin/env bash
# The Python HdrHistogram drops a value above its range and only returns False: the slowest requests of an outage
# are missing from count, percentiles and maximum.
#
# Seen with: hdrhistogram 0.10.8 (PyPI).
# Expected by a good engineer: an exception, as Java's org.HdrHistogram raises, or a value clamped to the highest.
# Why it matters: a histogram of latencies up to 1 s looks best in the moment in which a load balancer stalls for 2 s.
# A load test has to clamp each value itself, or look at every return value.
#
# Output seen, range 1 to 1,000,000 (µs), 98 values of 1,000 and two of 2,000,000:
#   recorded: 98 of 100
#   p99: 1000
#   max: 1000
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check hdrhistogram==0.10.8
"$folder/venv/bin/pip" show hdrhistogram 2>/dev/null | sed -n 1,2p

seen=$("$folder/venv/bin/python" - <<'PYTHON'
from hdrh.histogram import HdrHistogram

histogram = HdrHistogram(1, 1_000_000, 3)
latencies = [1_000] * 98 + [2_000_000] * 2
for latency in latencies:
    histogram.record_value(latency)
print(f"recorded: {histogram.get_total_count()} of {len(latencies)}")
print(f"p99: {histogram.get_value_at_percentile(99)}")
print(f"max: {histogram.get_max_value()}")
PYTHON
)
echo "$seen"
[ "$seen" = "recorded: 98 of 100
p99: 1000
max: 1000" ]
