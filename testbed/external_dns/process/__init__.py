"""The running ExternalDNS: flags, sync loop, log, metrics."""
