"""The same components as local processes or as containers: builders return data, a runtime executes it."""
