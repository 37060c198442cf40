"""The AWS Load Balancer Controller without a cluster: plans from manifests."""
