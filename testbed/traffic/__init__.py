"""Open-loop clients of one name and port: they know a DNS server, a CA bundle and nothing of what answers."""
