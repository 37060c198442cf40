"""ExternalDNS, as it decides: sources, dedup, plan, TXT registry and provider, version by version."""
