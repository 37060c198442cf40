"""ExternalDNS without a cluster: plan, explain and replay from files."""
