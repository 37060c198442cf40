"""A first scenario from the manifests of a move: what they hold, and the files that play it."""
