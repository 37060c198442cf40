"""Route 53 as ExternalDNS uses it: hosted zones, record sets, change batches."""
