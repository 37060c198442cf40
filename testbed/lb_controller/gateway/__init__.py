"""From a Gateway with its routes to the stack of one ALB or NLB."""
