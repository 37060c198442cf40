"""The registry: TXT records next to a record say who owns it."""
