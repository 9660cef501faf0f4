"""Fitting intent: the table of sessions, rivals from a majority to boosted trees, networks."""
