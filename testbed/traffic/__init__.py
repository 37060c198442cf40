"""Open-loop clients of one name and port. They know a DNS server and a CA bundle, not the servers."""
