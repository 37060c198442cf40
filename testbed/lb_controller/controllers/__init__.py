"""The running controllers: queues, targets, readiness gates, status."""
