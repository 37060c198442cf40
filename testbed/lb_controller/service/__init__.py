"""From a Service to the stack of one NLB."""
