"""A local testbed that rehearses an AWS NLB to ALB cutover with real packets."""

__version__ = "0.1.0"
