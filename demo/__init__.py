"""The demo: the whole circle on real data, told as it happens.

Stands outside the house and uses it as a person would: commands and HTTP calls. What it
claims it checks, and it ends with an error when a claim does not hold.
"""
