"""The verdict of a run, from its journal alone."""
