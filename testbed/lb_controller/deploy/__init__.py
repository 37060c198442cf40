"""The deploy: makes the ELBv2 API equal to a stack."""
