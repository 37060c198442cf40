"""The topology on Docker Compose: what runs in its containers, and what a rehearsal sees of it."""
