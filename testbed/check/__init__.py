"""What a move will run into, read from the manifests alone: one small rule for each known trap."""
