"""`make bench`: measures the testbed on this machine and prints a table."""
