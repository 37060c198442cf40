"""`make bench`: what this machine makes of the testbed, as a table."""
