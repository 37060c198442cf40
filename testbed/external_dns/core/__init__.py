"""Values and pure decisions of ExternalDNS: endpoints, the plan, and the reason of each decision."""
