"""From an Ingress group to the stack of one ALB."""
