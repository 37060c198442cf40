"""The resolvers between clients and a zone: what each keeps, for how long, and what an outage does to it."""
