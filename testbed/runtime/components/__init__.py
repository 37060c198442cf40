"""The parts of a topology, one file a part."""
