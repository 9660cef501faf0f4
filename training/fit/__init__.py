"""Fits: from a log to a model of each family, its metrics, and what it was learned with."""
