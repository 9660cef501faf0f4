"""Fitting what to pay: rows of decisions and outcomes, delays, values, the landscape, the run."""
