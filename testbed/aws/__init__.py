"""The AWS APIs that a cutover needs: Route 53, ELBv2 and ACM on moto, with AWS's own rules in front."""
